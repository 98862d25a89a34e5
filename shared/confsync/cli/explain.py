"""`confsync explain`: why a conference is as it is, from its record and its history.

It reads the store, and nothing else. It must never show what an event holds.
"""

import json
import re
from dataclasses import asdict, dataclass
from datetime import datetime
from itertools import islice
from typing import Final

import click
from pydantic import BaseModel

from confsync import parts
from confsync.cli.columns import columns, shown, stamp
from confsync.cli.exit_status import OptionsError, exit_status
from confsync.cli.naming import store_of, worker_settings
from confsync.cli.plan import what
from confsync.core.conference import Conference, Note
from confsync.core.explaining import EventLine, Explanation, explain
from confsync.core.outlook import Step
from confsync.core.records import Calendar, Link
from confsync.errors import ConfsyncError
from confsync.paging import conferences_of
from confsync.ports import Store
from confsync.settings import WorkerSettings

EXAMPLES: Final = 3
KEY: Final = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True)
class Asked:
    """Which conference is meant: by its id, or by an event."""

    conference_id: str | None
    event_id: str | None
    calendar_id: str | None
    subject: str | None

    def check(self) -> None:
        """Raise OptionsError where it is not clear which one is meant."""
        by_event = (self.event_id, self.calendar_id, self.subject)
        if self.conference_id is not None and any(by_event):
            raise OptionsError("give a conference id, or --event with --calendar and --subject, not both")
        if self.conference_id is None and not all(by_event):
            raise OptionsError("give a conference id, or --event together with --calendar and --subject")

    @property
    def calendar(self) -> str:
        """Id of the calendar, never `primary`."""
        return str(self.subject if self.calendar_id == "primary" else self.calendar_id)


@click.command("explain")
@click.argument("conference_id", required=False)
@click.option("--event", "event_id", help="Event that holds the conference; goes with --calendar and --subject.")
@click.option("--calendar", "calendar_id", help="Id of the event's calendar; `primary` is the subject's own.")
@click.option("--subject", help="E-mail address of the user on whose behalf that calendar is read.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON, one object a line, instead of text.")
def explain_command(as_json: bool, **given: str | None) -> None:
    """Tell why a conference is as it is: its state, events, what was told last, what waits, and its history.

    Titles, descriptions and attendees are not kept, and so not shown.

    Exit status: 0 when told, 1 when there is no such conference or the store did not answer, 2 for wrong settings
    or options.
    """
    with exit_status("explain"):
        asked = Asked(**given)
        asked.check()
        settings = worker_settings()
        found = explained(asked, store_of(settings), settings, parts.utc_now())
    click.echo("\n\n".join(map(in_words, found)) if not as_json else "\n".join(map(in_json, found)))


class UnknownConference(ConfsyncError):
    """Nothing is known of what was asked for."""


def explained(asked: Asked, store: Store, settings: WorkerSettings, now: datetime) -> list[Explanation]:
    """Return what is known of each conference that is meant; several only where providers use the same id.

    Raises:
        UnknownConference: there is none; says how ids look.
        StoreUnavailable: the store did not answer.

    """
    conferences = [each for each in _meant(asked, store, settings) if each.tenant == settings.tenant]
    if not conferences:
        raise UnknownConference(_unknown(asked, store, settings.tenant))
    keys = {referent.calendar_key for each in conferences for referent in each.referents.values()}
    calendars = store.get_many(Calendar, keys)
    return [explain(each, calendars, now, settings.rules()) for each in conferences]


def _meant(asked: Asked, store: Store, settings: WorkerSettings) -> list[Conference]:
    if asked.conference_id is None:
        link = store.get(Link, _link_key(asked, settings.tenant))
        keys = {link.conference_key} if link else set[str]()
    else:
        providers = {solution.provider for solution in settings.conference_solutions}
        keys = {Conference.key_for(settings.tenant, provider, asked.conference_id) for provider in providers}
        keys |= {asked.conference_id} if KEY.fullmatch(asked.conference_id) else set()
    found = store.get_many(Conference, keys)
    return [found[key] for key in sorted(found)]


def _link_key(asked: Asked, tenant: str) -> str:
    calendar_key = Calendar.key_for(tenant, asked.calendar, str(asked.subject))
    return Link.key_for(calendar_key, str(asked.event_id))


def _unknown(asked: Asked, store: Store, tenant: str) -> str:
    ids = [shown(each.conference_id) for each in islice(conferences_of(store, tenant), EXAMPLES)]
    examples = f"; ids known here look like {', '.join(ids)}" if ids else f"; no conference of tenant {tenant} is known"
    if asked.conference_id is None:
        return (
            f"event {shown(str(asked.event_id))} of calendar {shown(asked.calendar)}, as {shown(str(asked.subject))} "
            f"sees it, is not known to hold a conference{examples}"
        )
    return (
        f"no conference {shown(asked.conference_id)}: its id is the `conferenceId` of the event's conferenceData, or "
        f"the `conference_key` of 32 hex digits that stands in the log{examples}"
    )


def in_json(found: Explanation) -> str:
    """Return what is known as one JSON object on one line."""
    return json.dumps(asdict(found), default=_plain)


def _plain(value: object) -> object:
    return value.model_dump(mode="json") if isinstance(value, BaseModel) else str(value)


def in_words(found: Explanation) -> str:
    """Return what is known as text, the history last."""
    observed = "; MODE=observe: nothing is told" if found.mode == "observe" else ""
    sections = [
        f"conference {shown(found.conference_id)} of {shown(found.provider)} ({found.conference_key})",
        f"state: {found.state}{observed}",
        _events(found),
        f"told last: {found.told}" + (f"; last error: {shown(found.last_error, 300)}" if found.last_error else ""),
        _waits(found),
        _history(found.history),
    ]
    return "\n".join(sections)


def _events(found: Explanation) -> str:
    registered = f"registered for: {', '.join(map(shown, found.registered)) or 'no event'}"
    if not found.events:
        return f"events: none was seen\n{registered}"
    return "\n".join(["events:", *map(_event, found.events), registered])


def _event(line: EventLine) -> str:
    seen_by = (
        f"calendar {shown(line.calendar_id)} of {shown(line.subject)}" if line.calendar_id else "a calendar not known"
    )
    drives = f"; drives: {line.drives}" if line.drives else ""
    series = " (series)" if line.is_recurring else ""
    return (
        f"  {shown(line.event_id)} in {seen_by}: {line.role}, {line.state}, {line.start} to {line.end}{series}{drives}"
    )


def _waits(found: Explanation) -> str:
    looks = [f"looked at again at {stamp(found.review_at)}"] if found.review_at else []
    lines = [*map(_wait, found.waits), *looks]
    return "waits: nothing" if not lines else "\n".join(["waits:", *(f"  {line}" for line in lines)])


def _wait(step: Step) -> str:
    return f"{what(step)}, since {stamp(step.since)}: {step.why}"


def _history(notes: tuple[Note, ...]) -> str:
    if not notes:
        return "history: empty"
    rows = [(stamp(note.at), note.kind, shown(note.event_id), note.what) for note in notes]
    return "history:\n" + columns(("WHEN", "", "EVENT", "WHAT"), rows)
