"""`confsync channels`: which push channels are open, and what an operator does to them; settings as the worker has.

It must never show a channel token or a key, only the ids of keys.
"""

import json
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

import click

from confsync import worker_parts
from confsync.administer_channels import is_watched, key_uses, renew_soon, signed_with, stop_channel
from confsync.cli.calendars_list import iso, when
from confsync.cli.columns import columns, counted, shown, stamp
from confsync.cli.exit_status import OptionsError, exit_status
from confsync.cli.group import Group
from confsync.cli.naming import find_calendar, named, refuse, store_of, way_out, worker_settings
from confsync.core.channel_keys import KeyUse
from confsync.core.channels import is_over
from confsync.core.leases import is_synced
from confsync.core.records import Calendar, Channel
from confsync.errors import CalendarError
from confsync.open_channel import open_channel
from confsync.paging import calendars_of, in_pages
from confsync.parts import utc_now
from confsync.ports import Outside, Store
from confsync.settings import WorkerSettings

HEADINGS: Final = ("CALENDAR", "SUBJECT", "CHANNEL", "STATE", "AGE", "EXPIRES", "KEY")
RESOURCE: Final = "X-Goog-Resource-ID in the header of its notifications"
Row = tuple[Calendar, Channel]


@click.group(cls=Group)
def channels() -> None:
    """Show, renew and stop push channels, and see which keys they need; see docs/operating.md.

    Exit status: 0 when done, 1 when Calendar or the store refused, 2 for wrong settings or options.
    """


@channels.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print JSON, one object a line.")
def list_channels(as_json: bool) -> None:
    """Show every push channel that is remembered, of each page the one that expires first at the top.

    Exit status: 0 when done, 1 when the store refused, 2 for wrong settings or options.
    """
    with exit_status("channels list"):
        settings, now = worker_settings(), utc_now()
        pages = in_pages(_rows(settings))
        shown_any = False
        for page in pages:
            shown_any, rows = True, sorted(page, key=_urgency)
            click.echo(
                "\n".join(_as_json(row) for row in rows) if as_json else columns(HEADINGS, [_row(r, now) for r in rows])
            )
        if not shown_any and not as_json:
            click.echo("no channel is open")


def _rows(settings: WorkerSettings) -> Iterator[Row]:
    found = calendars_of(store_of(settings), settings.tenant)
    return ((calendar, channel) for calendar in found for channel in calendar.channels)


def _urgency(row: Row) -> tuple[datetime, str]:
    _, channel = row
    return channel.expires_at or channel.created_at, channel.id


def _as_json(row: Row) -> str:
    calendar, channel = row
    found: dict[str, Any] = {
        "calendar_key": calendar.key,
        "calendar_id": calendar.calendar_id,
        "subject": calendar.subject,
        "channel_id": channel.id,
        "state": channel.state,
        "created_at": iso(channel.created_at),
        "expires_at": iso(channel.expires_at),
        "key_id": channel.key_id,
    }
    return json.dumps(found)


def _row(row: Row, now: datetime) -> tuple[str, ...]:
    calendar, channel = row
    state = "expired" if is_over(channel, now) else channel.state
    return (
        shown(calendar.calendar_id),
        shown(calendar.subject),
        channel.id,
        state,
        _age(now - channel.created_at),
        when(channel.expires_at),
        channel.key_id,
    )


def _age(age: timedelta) -> str:
    minutes = int(age.total_seconds() // 60)
    if minutes < 60:
        return f"{minutes} min"
    return f"{minutes // 60} h" if minutes < 24 * 60 else f"{minutes // 1440} d {minutes // 60 % 24} h"


@channels.command()
@click.argument("calendars", nargs=-1, metavar="[CALENDAR]...")
@click.option("--subject", help="User on whose behalf the calendars are watched; needed where there are several.")
@click.option("--all", "everything", is_flag=True, help="The channels of all calendars.")
@click.option("--key", "key_id", help="The channels that were signed with the key of this id.")
@click.option("--now", "at_once", is_flag=True, help="Of one calendar: renew at once instead of by the next run.")
def renew(calendars: tuple[str, ...], subject: str | None, everything: bool, key_id: str | None, at_once: bool) -> None:
    """Make channels due: the next runs of renew_channels renew them, as fast as Calendar bears it.

    Name calendars, by id or key, or all, or those whose channels were signed with a key.

    Exit status: 0 when done, 1 when the store or Calendar refused or a named calendar is paused or removed, 2 for wrong
    settings or options.
    """
    with exit_status("channels renew", "what was made due stays due, do it again for the others"):
        if sum(map(bool, (calendars, everything, key_id))) != 1:
            raise OptionsError("name calendars, or give --all, or --key: one of the three")
        if at_once and len(calendars) != 1:
            raise OptionsError("--now is for one calendar; what is due is renewed by the next runs")
        settings = worker_settings()
        if at_once:
            _renew_at_once(calendars[0], subject, settings)
            return
        outside = worker_parts.outside(settings)
        done = _renew_soon(calendars, subject, key_id, outside, settings)
        click.echo(f"{counted(done, 'calendar')}: {_what_follows(done, key_id)}")


def _what_follows(done: int, key_id: str | None) -> str:
    if done:
        return "the next runs renew the channels"
    return f"no open channel was signed with key {shown(key_id)}" if key_id else "nothing is to be renewed"


def _renew_soon(
    calendars: Sequence[str], subject: str | None, key_id: str | None, outside: Outside, settings: WorkerSettings
) -> int:
    store, tenant, rules = outside.store, settings.tenant, settings.rules()
    if calendars:
        found = [_watchable(each, subject, store, tenant) for each in calendars]
        return renew_soon(found, lambda _: True, outside)
    is_meant = signed_with(key_id, outside.now(), rules) if key_id else is_watched
    return renew_soon(calendars_of(store, tenant), is_meant, outside)


def _watchable(calendar: str, subject: str | None, store: Store, tenant: str) -> Calendar:
    """Return a calendar that is named; end with status 1 where it is left alone, since it has no channel then."""
    found = find_calendar(calendar, subject, store, tenant)
    if not is_synced(found):
        refuse(f"{named(found.calendar_id, found.subject)} is {found.state}; nothing was done: {way_out(found)}")
    return found


def _renew_at_once(calendar: str, subject: str | None, settings: WorkerSettings) -> None:
    outside, terms, push = worker_parts.worker(settings)
    found = _watchable(calendar, subject, outside.store, settings.tenant)
    outcome = open_channel(found.key, outside, push, terms.rules)
    said = f"channel: {outcome.status}{f' ({shown(outcome.reason, 300)})' if outcome.reason else ''}"
    if outcome.status not in ("active", "superseded"):
        refuse(said)
    click.echo(said)


@channels.command()
@click.argument("channel_id", metavar="CHANNEL_ID")
@click.option("--calendar", required=True, help="Its calendar, by id or key.")
@click.option("--subject", help="User on whose behalf the calendar is watched; needed where there are several.")
@click.option("--resource", "resource_id", default="", help=f"Of a channel that is not remembered: {RESOURCE}.")
def stop(channel_id: str, calendar: str, subject: str | None, resource_id: str) -> None:
    """Stop one channel; where it was the one in use, the next run of renew_channels opens another.

    Exit status: 0 when it is stopped, 1 when Calendar or the store refused, 2 for wrong settings or options.
    """
    with exit_status("channels stop", "do it again; what cannot be stopped expires"):
        settings = worker_settings()
        outside = worker_parts.outside(settings)
        found = find_calendar(calendar, subject, outside.store, settings.tenant)
        try:
            done = stop_channel(found.key, channel_id, resource_id, outside)
        except CalendarError as error:
            refuse(f"confsync channels stop: {error}; it is tried again by the next renewal, or expires")
        if done == "unknown":
            raise OptionsError(f"channel {shown(channel_id)} is not remembered: give the --resource, {RESOURCE}")
        click.echo("stopped; the next run opens another" if done == "replaced soon" else "stopped")


@channels.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON, one object a line.")
def keys(as_json: bool) -> None:
    """Show how many channels each key of CHANNEL_TOKEN_KEYS signed, and whether an old one may go.

    Reads all calendars.

    Exit status: 0 when done, 1 when the store refused, 2 for wrong settings or options.
    """
    with exit_status("channels keys"):
        settings = worker_settings()
        key_ids = [key.key_id for key in settings.channel_token_keys]
        uses = key_uses(store_of(settings), settings.tenant, key_ids, utc_now(), settings.rules())
        if as_json:
            click.echo("\n".join(map(_use_as_json, uses)))
        else:
            rows = [(use.key_id, str(use.channels), when(use.latest), _verdict(use)) for use in uses]
            click.echo(columns(("KEY", "CHANNELS", "LAST EXPIRES", ""), rows))


def _use_as_json(use: KeyUse) -> str:
    facts = {"key_id": use.key_id, "channels": use.channels, "latest_expires_at": iso(use.latest)}
    return json.dumps({**facts, "signs": use.signs, "is_known": use.is_known, "may_go": use.may_go})


def _verdict(use: KeyUse) -> str:
    if use.signs:
        return "signs new channels"
    if use.may_go:
        return "may go now"
    speed_up = f"confsync channels renew --key {shown(use.key_id)}"
    if not use.is_known:
        return f"is missing in CHANNEL_TOKEN_KEYS: their notifications are refused; put it back, or {speed_up}"
    return f"may go after {stamp(use.latest)}; sooner: {speed_up}" if use.latest else "may go now"
