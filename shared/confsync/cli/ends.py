"""`confsync ends`: what an operator says of the ends that a brake holds; settings as the worker has them.

It must never print a title or a name, nor decide about an end that the operator did not name.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import click

from confsync import worker_parts
from confsync.cli.columns import columns, plain, stamp
from confsync.cli.exit_status import OptionsError, exit_status
from confsync.cli.group import Group
from confsync.cli.naming import worker_settings
from confsync.core.conference import Conference, Referent
from confsync.core.state import Moment
from confsync.decide_ends import approve_ends, calendars_of, held_ends, reject_ends
from confsync.ports import Outside
from confsync.settings import WorkerSettings

HEADINGS = ("CONFERENCE", "PROVIDER", "CALENDARS", "EVENTS", "MEETING", "HELD SINCE", "WHY")
KEPT = "what was decided stays, do it again for what is held"


@dataclass(frozen=True)
class Choice:
    """Which held ends the operator means; exactly one of them is given, or for a list perhaps none."""

    conference_ids: tuple[str, ...] = ()
    calendar_id: str | None = None
    everything: bool = False


@dataclass(frozen=True)
class Held:
    """What is held, with the ids of the calendars."""

    conferences: Sequence[Conference]
    calendars: Mapping[str, str]
    """Id by calendar key."""

    def owners(self, conference: Conference) -> list[Referent]:
        """Return the events that held the conference, the earliest first."""
        owners = (referent for referent in conference.referents.values() if referent.role == "owner")
        return sorted(owners, key=lambda owner: (owner.times.start.sort_key, owner.event_id))

    def calendar_ids(self, conference: Conference) -> list[str]:
        """Return the ids of the calendars of these events, each once; the key where the calendar is unknown."""
        keys = dict.fromkeys(owner.calendar_key for owner in self.owners(conference))
        return [self.calendars.get(key, key) for key in keys]


@click.group(cls=Group)
def ends() -> None:
    """Decide about the ends that a brake holds: of mass deletions, see docs/operating.md.

    Exit status: 0 when done, 1 when the store or the queue refused, 2 for wrong settings or options.
    """


@ends.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON list.")
@click.option("--calendar", "calendar_id", help="Only ends of events in the calendar of this id.")
@click.option("--tenant", "of_tenant", is_flag=True, help="Only ends that the brake of the tenant holds.")
def list_ends(as_json: bool, calendar_id: str | None, of_tenant: bool) -> None:
    """Show which ends are held, since when and why.

    Exit status: 0 when done, 1 when the store refused, 2 for wrong settings or options.
    """
    with exit_status("ends list", KEPT):
        settings = worker_settings()
        held = _held(settings, worker_parts.outside(settings))
        chosen = _of_calendar(held, calendar_id) if calendar_id else list(held.conferences)
        shown = [c for c in chosen if not of_tenant or (c.hold is not None and c.hold.scope == "tenant")]
        click.echo(json.dumps([_as_json(c, held) for c in shown], indent=2) if as_json else _table(shown, held))


def _choosing(command: Callable[..., None]) -> Callable[..., None]:
    """Add what approve and reject have in common."""
    for decorate in (
        click.option("--yes", is_flag=True, help="Do not ask."),
        click.option("--all", "everything", is_flag=True, help="All ends that are held."),
        click.option("--calendar", "calendar_id", help="All ends of events in the calendar of this id."),
        click.argument("conference_ids", nargs=-1, metavar="[CONFERENCE_ID]..."),
    ):
        command = decorate(command)
    return command


@ends.command()
@_choosing
def approve(conference_ids: tuple[str, ...], calendar_id: str | None, everything: bool, yes: bool) -> None:
    """Let held ends go on: each event is looked at once more, then its conference ends.

    Name conferences, a calendar, or all.

    Exit status: 0 when done, 1 when the store or the queue refused or you did not confirm, 2 for wrong settings
    or options.
    """
    with exit_status("ends approve", KEPT):
        settings, outside, keys = _chosen(Choice(conference_ids, calendar_id, everything))
        _confirm(f"End {_many(len(keys), 'conference')}?", keys, yes)
        done = approve_ends(keys, outside, settings.rules())
        click.echo(f"{_many(done, 'end')} approved{_missed(len(keys) - done)}")


@ends.command()
@_choosing
def reject(conference_ids: tuple[str, ...], calendar_id: str | None, everything: bool, yes: bool) -> None:
    """Keep conferences whose end is held, until an event holds them again.

    Name conferences, a calendar, or all.

    Exit status: 0 when done, 1 when the store refused or you did not confirm, 2 for wrong settings or options.
    """
    with exit_status("ends reject", KEPT):
        _, outside, keys = _chosen(Choice(conference_ids, calendar_id, everything))
        _confirm(f"Keep {_many(len(keys), 'conference')}?", keys, yes)
        done = reject_ends(keys, outside)
        click.echo(f"{_many(done, 'end')} rejected{_missed(len(keys) - done)}")


def _held(settings: WorkerSettings, outside: Outside) -> Held:
    conferences = held_ends(outside.store, settings.tenant)
    return Held(conferences, calendars_of(conferences, outside.store))


def _chosen(choice: Choice) -> tuple[WorkerSettings, Outside, list[str]]:
    """Return what is needed to decide, and the keys of the conferences that are meant."""
    if sum(map(bool, (choice.conference_ids, choice.calendar_id, choice.everything))) != 1:
        raise OptionsError("name conferences, or give --calendar, or --all: one of the three")
    settings = worker_settings()
    outside = worker_parts.outside(settings)
    held = _held(settings, outside)
    return settings, outside, [conference.key for conference in _meant(choice, held)]


def _meant(choice: Choice, held: Held) -> Sequence[Conference]:
    if choice.everything:
        return held.conferences
    if choice.calendar_id is not None:
        found = _of_calendar(held, choice.calendar_id)
        if not found:
            raise OptionsError(f"no end of calendar {choice.calendar_id!r} is held; confsync ends list shows which are")
        return found
    unknown = set(choice.conference_ids) - {conference.conference_id for conference in held.conferences}
    if unknown:
        named = ", ".join(map(repr, sorted(unknown)))
        raise OptionsError(
            f"no end is held of conference {named}; confsync ends list shows which are. Nothing was done"
        )
    return [conference for conference in held.conferences if conference.conference_id in choice.conference_ids]


def _of_calendar(held: Held, calendar_id: str) -> list[Conference]:
    return [conference for conference in held.conferences if calendar_id in held.calendar_ids(conference)]


def _confirm(question: str, keys: Sequence[str], yes: bool) -> None:
    if keys and not yes:
        click.confirm(question, abort=True, err=True)


def _many(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def _missed(number: int) -> str:
    return f"; {number} not held any more" if number else ""


def _as_json(conference: Conference, held: Held) -> dict[str, Any]:
    hold = conference.hold.model_dump(mode="json", exclude={"calendar_key"}) if conference.hold else {}
    events = [
        {
            "calendar_id": held.calendars.get(owner.calendar_key, owner.calendar_key),
            "event_id": owner.event_id,
            "start": owner.times.start.model_dump(mode="json", exclude_none=True),
            "end": owner.times.end.model_dump(mode="json", exclude_none=True),
            "recurring": bool(owner.times.recurrence),
        }
        for owner in held.owners(conference)
    ]
    ids = {"conference_id": conference.conference_id, "provider": conference.provider}
    return {**ids, "events": events, "held": hold}


def _table(conferences: Sequence[Conference], held: Held) -> str:
    if not conferences:
        return "no ends are held"
    return columns(HEADINGS, [tuple(map(plain, _row(conference, held))) for conference in conferences])


def _row(conference: Conference, held: Held) -> tuple[str, ...]:
    owners, hold = held.owners(conference), conference.hold
    return (
        conference.conference_id,
        conference.provider,
        " ".join(held.calendar_ids(conference)),
        " ".join(owner.event_id for owner in owners),
        _when(owners[0]) if owners else "",
        stamp(hold.since) if hold else "",
        f"{hold.scope}: {hold.count} ends, limit {hold.limit}" if hold else "",
    )


def _when(owner: Referent) -> str:
    start, end = _moment(owner.times.start), _moment(owner.times.end)
    return f"{start} to {end}{', recurring' if owner.times.recurrence else ''}"


def _moment(moment: Moment) -> str:
    return stamp(moment.instant) if moment.instant is not None else str(moment.day)
