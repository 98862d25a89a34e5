"""`confsync calendars list`: every calendar in a line, a page at a time, so that memory stays bounded."""

import json
from datetime import datetime
from typing import Any, Final, get_args

import click

from confsync.cli.columns import columns, shown, stamp
from confsync.cli.exit_status import exit_status
from confsync.cli.naming import store_of, worker_settings
from confsync.core.channels import active_channel
from confsync.core.records import Calendar, CalendarState
from confsync.paging import calendars_of, in_pages

HEADINGS: Final = ("CALENDAR", "SUBJECT", "STATE", "LAST SYNCED", "DUE", "CHANNEL UNTIL", "MISSED", "WHY")


@click.command("list")
@click.option("--state", type=click.Choice(get_args(CalendarState)), help="Only calendars in this state.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON, one object a line.")
def list_calendars(state: str | None, as_json: bool) -> None:
    """Show every calendar: its state, when it was synced, when it is due, and until when its channel is open.

    MISSED counts the changes that a notification should have announced and did not. A removed calendar is due when its
    events are forgotten. WHY is the reason of its state, or the last error. Long lists come in pages, each with its
    headings.

    Exit status: 0 when done, 1 when the store refused, 2 for wrong settings or options.
    """
    with exit_status("calendars list"):
        settings = worker_settings()
        found = calendars_of(store_of(settings), settings.tenant)
        pages = in_pages(calendar for calendar in found if state in (None, calendar.state))
        shown_any = False
        for page in pages:
            shown_any = True
            click.echo("\n".join(map(_as_json, page)) if as_json else columns(HEADINGS, [*map(_row, page)]))
        if not shown_any and not as_json:
            nobody = f"tenant {shown(settings.tenant)} has no calendar in {shown(settings.store, 120)}"
            click.echo(f"no calendar is {state}" if state else nobody)


def _as_json(calendar: Calendar) -> str:
    return json.dumps(in_short(calendar))


def in_short(calendar: Calendar) -> dict[str, Any]:
    """Return what a list says of a calendar, for a program; times in ISO 8601, None where there is none."""
    active = active_channel(calendar)
    return {
        "calendar_key": calendar.key,
        "calendar_id": calendar.calendar_id,
        "subject": calendar.subject,
        "state": calendar.state,
        "reason": calendar.reason,
        "last_synced_at": iso(calendar.last_synced_at),
        "due_at": iso(calendar.due_at),
        "channel_expires_at": iso(active.expires_at if active else None),
        "missed": calendar.missed,
        "last_missed_at": iso(calendar.last_missed_at),
        "last_error": calendar.last_error or calendar.channel_error,
    }


def iso(at: datetime | None) -> str | None:
    """Return a time in ISO 8601."""
    return at.isoformat() if at is not None else None


def when(at: datetime | None) -> str:
    """Return a time for a terminal, `-` for none."""
    return stamp(at) if at is not None else "-"


def _row(calendar: Calendar) -> tuple[str, ...]:
    active = active_channel(calendar)
    return (
        shown(calendar.calendar_id),
        shown(calendar.subject),
        calendar.state,
        when(calendar.last_synced_at),
        when(calendar.due_at),
        when(active.expires_at if active else None),
        str(calendar.missed),
        shown(calendar.reason or calendar.last_error or calendar.channel_error),
    )
