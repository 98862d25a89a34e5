"""`confsync calendars`: which calendars are synced, and what an operator does to one; settings as the worker has them.

It must never decide what is allowed in which state; `administer_calendar` does.
"""

import click

from confsync import worker_parts
from confsync.administer_calendar import (
    Administered,
    pause_calendar,
    remove_calendar,
    resume_calendar,
    resync_calendar,
)
from confsync.cli.calendars_add import add_calendar
from confsync.cli.calendars_list import list_calendars
from confsync.cli.calendars_show import show_calendar
from confsync.cli.columns import counted, shown, stamp
from confsync.cli.exit_status import exit_status
from confsync.cli.group import Group
from confsync.cli.naming import find_calendar, named, naming, refuse, way_out, worker_settings
from confsync.core.calendar_states import Forget
from confsync.core.leases import is_synced

DO_AGAIN = "what was stored stays, do it again"


@click.group(cls=Group)
def calendars() -> None:
    """Show, add, pause, resume, remove and resync calendars; see docs/operating.md.

    CALENDAR is the id of a calendar, or its key. Where it is watched on behalf of several users, give --subject.

    Exit status: 0 when done, 1 when Calendar or the store refused, 2 for wrong settings or options.
    """


for command in (add_calendar, list_calendars, show_calendar):
    calendars.add_command(command)


@calendars.command()
@naming
@click.option("--reason", default="by an operator", show_default=True, help="Why; it is shown by list and show.")
def pause(calendar: str, subject: str | None, reason: str) -> None:
    """Leave a calendar alone until it is resumed: it is not read, watched or written to, and no conference ends.

    Exit status: 0 when it is paused, 1 when the store refused or it is removed, 2 for wrong settings or options.
    """
    with exit_status("calendars pause", DO_AGAIN):
        settings = worker_settings()
        outside = worker_parts.outside(settings)
        found = find_calendar(calendar, subject, outside.store, settings.tenant)
        _tell(pause_calendar(found.key, reason, outside))


@calendars.command()
@naming
def resume(calendar: str, subject: str | None) -> None:
    """Open the channel of a paused calendar, then sync what changed meanwhile.

    Exit status: 0 when it is resumed or was not paused, 1 when the store or the queue refused or it is removed, 2 for
    wrong settings or options.
    """
    with exit_status("calendars resume", "the scheduled run goes on if it was resumed; else do it again"):
        settings = worker_settings()
        outside, terms, push = worker_parts.worker(settings)
        found = find_calendar(calendar, subject, outside.store, settings.tenant)
        _tell(resume_calendar(found.key, outside, push, terms.rules))


@calendars.command()
@naming
@click.option("--forget", "now", is_flag=True, help="Forget its events and conferences now, whatever is set.")
@click.option("--yes", is_flag=True, help="Do not ask.")
def remove(calendar: str, subject: str | None, now: bool, yes: bool) -> None:
    """Stop syncing a calendar. No conference ends: the conferencing system is told nothing.

    Its events are remembered for a month, so that adding it again recovers everything; with --forget, or
    FORGET_ON_REMOVE=now, they are forgotten at once, and so are conferences that no other event holds.

    Exit status: 0 when it is removed, 1 when the store refused or you did not confirm, 2 for wrong settings or options.
    """
    with exit_status("calendars remove", DO_AGAIN):
        settings = worker_settings()
        outside, rules = worker_parts.outside(settings), settings.rules()
        found = find_calendar(calendar, subject, outside.store, settings.tenant)
        forget: Forget = "now" if now else rules.forget_on_remove
        if not yes:
            click.confirm(_question(found.calendar_id, found.subject, forget), abort=True, err=True)
        _tell(remove_calendar(found.key, forget, outside, rules))


@calendars.command()
@naming
def resync(calendar: str, subject: str | None) -> None:
    """Drop the sync token of a calendar and list everything anew; a sync under way is superseded.

    Exit status: 0 when that is asked for, 1 when the store or the queue refused or the calendar is paused or removed, 2
    for wrong settings or options.
    """
    with exit_status("calendars resync", "the scheduled run goes on if the token was dropped; else do it again"):
        settings = worker_settings()
        outside = worker_parts.outside(settings)
        found = find_calendar(calendar, subject, outside.store, settings.tenant)
        _tell(resync_calendar(found.key, outside))


def _question(calendar_id: str, subject: str, forget: Forget) -> str:
    forgets = " and forget its events and conferences" if forget == "now" else ""
    return f"Stop syncing {named(calendar_id, subject)}{forgets}?"


def _tell(done: Administered) -> None:
    """Say what became of the calendar; where it is in no state for that, say so and end with status 1."""
    calendar = named(done.calendar.calendar_id, done.calendar.subject)
    if done.is_refused:
        refuse(f"{calendar} {done.status}; nothing was done: {way_out(done.calendar)}")
    click.echo(f"{calendar}: {done.status}")
    for line in _details(done):
        click.echo(line)


def _details(done: Administered) -> list[str]:
    lines = []
    if done.channel is not None:
        reason = f" ({shown(done.channel.reason, 300)})" if done.channel.reason else ""
        again = "the next run tries again; " if done.channel.status == "deferred" else ""
        lines.append(f"channel: {done.channel.status}{reason}; {again}its changes are synced now")
    if done.open_channels and not is_synced(done.calendar):
        lines.append(f"channels that could not be stopped: {done.open_channels}; they expire, or do it again")
    if done.calendar.state == "removed":
        lines.append(_forgotten(done))
    return lines


def _forgotten(done: Administered) -> str:
    what, due_at = done.forgotten, done.calendar.due_at
    if what is not None and what.again_at is not None:
        return f"{counted(what.links, 'event')} forgotten so far; the scheduled run goes on"
    if what is not None and what.links:
        return f"{counted(what.links, 'event')} and {counted(what.conferences, 'conference')} forgotten"
    return f"its events are forgotten on {stamp(due_at)}" if due_at else "nothing of it is remembered"
