"""`confsync calendars show`: all that is known of one calendar. It must never show a token or what events hold."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any, Final

import click

from confsync.cli.calendars_list import in_short, iso, when
from confsync.cli.columns import columns, counted, shown, stamp
from confsync.cli.exit_status import exit_status
from confsync.cli.naming import find_calendar, naming, store_of, worker_settings
from confsync.core.leases import is_leased
from confsync.core.records import Calendar, Channel, Failure
from confsync.paging import failures_of, pages_of_links
from confsync.parts import utc_now
from confsync.ports import Store

MOST_FAILURES: Final = 20


@dataclass(frozen=True)
class Found:
    """What is known of one calendar."""

    calendar: Calendar
    links: int
    """Events of it that are tied to a conference, or were."""
    conferences: int
    failures: Sequence[Failure]
    """The first few."""


@click.command("show")
@naming
@click.option("--json", "as_json", is_flag=True, help="Print a JSON object.")
def show_calendar(calendar: str, subject: str | None, as_json: bool) -> None:
    """Show one calendar: state, sync, channels, how many events and conferences, and what could not be done.

    Reads all links of the calendar, and all failures.

    Exit status: 0 when done, 1 when the store refused, 2 for wrong settings or options, or when it is not known.
    """
    with exit_status("calendars show"):
        settings = worker_settings()
        store = store_of(settings)
        found = _found(find_calendar(calendar, subject, store, settings.tenant), store)
        click.echo(json.dumps(_as_json(found), indent=2) if as_json else _in_words(found, utc_now()))


def _found(calendar: Calendar, store: Store) -> Found:
    links, conferences = 0, set[str]()
    for page in pages_of_links(store, calendar.key):
        links += len(page)
        conferences.update(link.conference_key for link in page if link.conference_key)
    return Found(calendar, links, len(conferences), [*islice(failures_of(store, calendar.key), MOST_FAILURES)])


def _as_json(found: Found) -> dict[str, Any]:
    calendar = found.calendar
    return {
        **in_short(calendar),
        "fence": calendar.fence,
        "has_sync_token": calendar.sync_token is not None,
        "syncs": calendar.sync_generation,
        "full_listings": calendar.full_listings,
        "requested": calendar.requested,
        "served": calendar.served,
        "leased_until": iso(calendar.lease.expires_at if calendar.lease else None),
        "renew_at": iso(calendar.renew_at),
        "channels": [channel.model_dump(mode="json") for channel in calendar.channels],
        "to_observe": list(calendar.to_observe),
        "unread": [unread.model_dump(mode="json") for unread in calendar.unread],
        "links": found.links,
        "conferences": found.conferences,
        "failures": [failure.model_dump(mode="json", exclude={"key", "tenant"}) for failure in found.failures],
    }


def _in_words(found: Found, now: datetime) -> str:
    calendar = found.calendar
    sections = [
        f"calendar {shown(calendar.calendar_id, 120)} of {shown(calendar.subject)} ({calendar.key})",
        _state(calendar),
        _sync(calendar, now),
        f"due: {when(calendar.due_at)}",
        _missed(calendar),
        f"remembered: {counted(found.links, 'event')}, {counted(found.conferences, 'conference')}",
        _errors(calendar),
        _channels(calendar),
        _failures(found.failures),
    ]
    return "\n".join(section for section in sections if section)


def _state(calendar: Calendar) -> str:
    reason = f": {shown(calendar.reason, 300)}" if calendar.reason else ""
    return f"state: {calendar.state}{reason}"


def _sync(calendar: Calendar, now: datetime) -> str:
    kept = "has a sync token" if calendar.sync_token is not None else "no sync token: the next listing is a full one"
    under_way = "; a sync is under way" if is_leased(calendar, now) else ""
    times, last = counted(calendar.sync_generation, "time"), calendar.last_synced_at
    return f"synced: {f'{times}, the last one {stamp(last)}' if last else 'never'}; {kept}{under_way}"


def _missed(calendar: Calendar) -> str:
    if not calendar.missed:
        return "missed: no change"
    changes = counted(calendar.missed, "change")
    return f"missed: {changes} without a notification, the last one {when(calendar.last_missed_at)}"


def _errors(calendar: Calendar) -> str:
    errors = (("last error", calendar.last_error), ("channel error", calendar.channel_error))
    return "\n".join(f"{what}: {shown(error, 300)}" for what, error in errors if error)


def _channels(calendar: Calendar) -> str:
    next_look = f" (looked at again at {stamp(calendar.renew_at)})" if calendar.renew_at is not None else ""
    if not calendar.channels:
        return f"channels: none{next_look}"
    return f"channels{next_look}:\n" + columns(
        ("ID", "STATE", "OPENED", "EXPIRES", "KEY"), [*map(_channel, calendar.channels)]
    )


def _channel(channel: Channel) -> tuple[str, ...]:
    return channel.id, channel.state, stamp(channel.created_at), when(channel.expires_at), channel.key_id


def _failures(failures: Sequence[Failure]) -> str:
    if not failures:
        return "failures: none"
    rows = [(stamp(each.last_at), str(each.count), shown(each.event_id), shown(each.reason, 300)) for each in failures]
    return "failures:\n" + columns(("LAST", "TIMES", "EVENT", "REASON"), rows)
