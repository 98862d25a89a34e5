"""What is true in a simulation: which events hold which conference, since when, and what it should be.

Computed from the Calendar model's own bodies by other means than the product's, so that the two can disagree. It must
never read what confsync stored.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import takewhile
from typing import Any

from confsync.core.state import ConferenceState, Field, Occurrence
from confsync.local.calendar_server.model import CalendarModel
from confsync.local.calendar_server.records import Tombstone, Version
from tests.simulation.oracles.bodies import (
    changed_occurrence,
    conference_of,
    is_of,
    moment,
    next_start,
    over_at,
    state_of,
    status_of,
)


@dataclass(frozen=True)
class Fact:
    """What one event was from one moment on."""

    number: int
    """Position among all changes of all calendars."""
    at: datetime
    change: int
    """Position in its calendar's sequence of changes."""
    updated: datetime
    etag: str
    """Of this change alone: several within a moment have one `updated`."""
    conference_id: str | None
    """The conference that it holds as a live organizer's copy."""
    ical_uid: str
    master_id: str | None
    over_at: datetime
    is_pending: bool
    """Whether a conference is being made for a live organizer's copy, so that it means nothing that it has none."""


@dataclass(frozen=True)
class Held:
    """An event that holds a conference now."""

    calendar_id: str
    event_id: str
    since: datetime
    since_number: int
    """Position, among all changes of all calendars, of the one since which it holds it."""
    fact: Fact


class Truth:
    """Follows the model, change by change."""

    def __init__(self, model: CalendarModel, carries: frozenset[Field]) -> None:
        """Begin with an empty Calendar."""
        self._model, self._carries = model, carries
        self.refused: Collection[str] = ()
        """Ids of events that Calendar refuses to show on their own: what they say cannot be confirmed."""
        self.facts: dict[tuple[str, str], list[Fact]] = {}
        """By calendar and event, in the order of time."""
        self.states: dict[str, dict[tuple[str, str], set[str]]] = {}
        """By conference, then by calendar and event: every state that the event ever gave the conference, as JSON."""
        self._newest: dict[tuple[str, str], Version] = {}
        """By calendar and event; Calendar forgets, this does not."""
        self._seen: dict[str, int] = {}
        self.noted = 0
        """How many changes there were, in all calendars."""
        self._by_calendar: dict[str, dict[str, list[Fact]]] = {}
        self._holders: dict[str, dict[tuple[str, str], None]] = {}
        self._hidden_since: dict[str, datetime] = {}

    def look(self, calendar_id: str, now: datetime) -> None:
        """Note what changed in a calendar."""
        calendar = self._model.state.calendars[calendar_id]
        after = self._seen.get(calendar_id, 0)
        changed = [(i, e.newest) for i, e in calendar.entries.items() if e.newest.change > after]
        for event_id, version in changed:
            self._newest[calendar_id, event_id] = version
            self._note_fact(calendar_id, event_id, self._fact(calendar_id, version, now))
        for event_id in dict.fromkeys(version.master_id or event_id for event_id, version in changed):
            self._note_state(calendar_id, event_id)
        for event_id, version in changed:
            if version.master_id is not None:
                self._note_state(calendar_id, event_id)
        self._seen[calendar_id] = calendar.change

    def _note_fact(self, calendar_id: str, event_id: str, fact: Fact) -> None:
        facts = self.facts.setdefault((calendar_id, event_id), [])
        facts.append(fact)
        self._by_calendar.setdefault(calendar_id, {})[event_id] = facts
        if fact.conference_id is not None:
            self._holders.setdefault(fact.conference_id, {})[calendar_id, event_id] = None

    def newest_in(self, calendar_id: str) -> Iterator[tuple[str, Fact]]:
        """Give what each event of a calendar is now."""
        for event_id, facts in self._by_calendar.get(calendar_id, {}).items():
            yield event_id, facts[-1]

    def facts_of(self, conference_id: str) -> list[tuple[tuple[str, str], Fact]]:
        """Return every fact that ever named the conference, with its calendar and event."""
        places = self._holders.get(conference_id, {})
        return [(p, fact) for p in places for fact in self.facts[p] if fact.conference_id == conference_id]

    def is_refused(self, conference_id: str) -> bool:
        """Whether an event that ever named the conference, or its series, cannot be read any more."""
        if not self.refused:
            return False
        return any(
            event_id in self.refused or f.master_id in self.refused for (_, event_id), f in self.facts_of(conference_id)
        )

    def conference_now(self, calendar_id: str, event_id: str) -> str | None:
        """Return the conference that an event names now, whoever organizes it."""
        return conference_of(self._body(calendar_id, event_id))

    def note_access(self, calendar_id: str, now: datetime, *, is_full: bool) -> None:
        """Note that the calendar is shown in full from now on to whom it is synced as, or is not."""
        if is_full:
            self._hidden_since.pop(calendar_id, None)
        else:
            self._hidden_since.setdefault(calendar_id, now)

    def was_hidden_since(self, calendar_id: str, moment: datetime) -> bool:
        """Whether the calendar was not shown in full at any time since."""
        since = self._hidden_since.get(calendar_id)
        return since is not None and since < moment

    def _note_state(self, calendar_id: str, event_id: str) -> None:
        entry = self._model.state.calendars[calendar_id].entries.get(event_id)
        conference_id = self._conference_of(calendar_id, entry.newest) if entry else None
        if conference_id is not None:
            state = self.projection(calendar_id, event_id).model_dump_json()
            self.states.setdefault(conference_id, {}).setdefault((calendar_id, event_id), set()).add(state)

    def _fact(self, calendar_id: str, version: Version, now: datetime) -> Fact:
        self.noted += 1
        return Fact(
            number=self.noted,
            at=now,
            change=version.change,
            updated=datetime.fromtimestamp(version.updated_us // 1000 / 1000, UTC),
            etag=version.etag,
            conference_id=self._conference_of(calendar_id, version),
            ical_uid=str(version.body.get("iCalUID")),
            master_id=version.master_id,
            over_at=over_at(version.body),
            is_pending=status_of(version.body) == "pending" and self._is_owners(calendar_id, version),
        )

    def _series_is_dead(self, calendar_id: str, version: Version) -> bool:
        entries = self._model.state.calendars[calendar_id].entries
        master = entries.get(version.master_id) if version.master_id else None
        return master is not None and master.newest.cancelled

    def _conference_of(self, calendar_id: str, version: Version) -> str | None:
        """Return the conference that the event holds; None unless it is live and the organizer's copy."""
        return conference_of(version.body) if self._is_owners(calendar_id, version) else None

    def _is_owners(self, calendar_id: str, version: Version) -> bool:
        """Whether the event is live and the organizer's copy."""
        if version.cancelled or self._series_is_dead(calendar_id, version):
            return False
        return bool(version.body.get("organizer", {}).get("email") == calendar_id)

    def held(self, conference_id: str) -> list[Held]:
        """Return the events that hold the conference now, but for the exceptions of a series that holds it."""
        found = {}
        for calendar_id, event_id in self._holders.get(conference_id, ()):
            facts = self.facts[calendar_id, event_id]
            if facts[-1].conference_id == conference_id:
                first = list(takewhile(lambda fact: fact.conference_id == conference_id, reversed(facts)))[-1]
                found[calendar_id, event_id] = Held(calendar_id, event_id, first.at, first.number, facts[-1])
        return [held for held in found.values() if (held.calendar_id, held.fact.master_id) not in found]

    def waits_since(self, calendar_id: str, event_id: str) -> datetime | None:
        """Return since when a new conference is being made for the event, None where none is."""
        facts = self.facts.get((calendar_id, event_id), ())
        waiting = list(takewhile(lambda fact: fact.is_pending, reversed(facts)))
        return waiting[-1].at if waiting else None

    def ends_of_exceptions(self, calendar_id: str, master_id: str) -> list[datetime]:
        """Return when instances of a series that were ever changed were over, whatever became of them."""
        of_calendar = self._by_calendar.get(calendar_id, {}).values()
        return [fact.over_at for facts in of_calendar for fact in facts if fact.master_id == master_id]

    def has_left(self, calendar_id: str, held: Held) -> bool:
        """Whether the event left that calendar, with the conference, for the one where it holds it now."""
        before = [fact for fact in self.facts.get((calendar_id, held.event_id), ()) if fact.at < held.since]
        left = any(fact.at == held.since for fact in self.facts.get((calendar_id, held.event_id), ()))
        return left and bool(before) and before[-1].conference_id == held.fact.conference_id

    def next_start(self, held: Held, now: datetime) -> datetime | None:
        """Return the start of the event's instance that runs now or comes next."""
        return next_start(self._body(held.calendar_id, held.event_id), now)

    def _body(self, calendar_id: str, event_id: str) -> Mapping[str, Any]:
        return self._newest[calendar_id, event_id].body

    def organizer(self, calendar_id: str, event_id: str) -> str:
        """Return the calendar that an event belongs to now."""
        return str(self._body(calendar_id, event_id)["organizer"]["email"])

    def is_nameless(self, calendar_id: str, event_id: str) -> bool:
        """Whether what is left of an event does not say whose it was.

        It was deleted for ever, alone or with its series; or its series gave it up, so that nothing but its id is left,
        as after a move.
        """
        newest = self._newest[calendar_id, event_id]
        goes_with_series = newest.tombstone in (None, Tombstone.EXCEPTION)
        if goes_with_series and (calendar_id, str(newest.master_id)) in self._newest:
            return self.is_nameless(calendar_id, str(newest.master_id))
        if newest.tombstone is Tombstone.ORPHAN:
            return not any(is_of(part, newest.body) for part in self._own_parts(calendar_id, newest))
        return newest.tombstone is Tombstone.SCRUBBED

    def _own_parts(self, calendar_id: str, exception: Version) -> Iterator[Mapping[str, Any]]:
        """Give the parts of an exception's series that are the calendar's own: what one of them has again is shown."""
        root = str(exception.master_id).partition("_R")[0]
        for event_id, entry in self._model.state.calendars[calendar_id].entries.items():
            body, is_part = entry.newest.body, event_id == root or event_id.startswith(f"{root}_R")
            if is_part and body.get("recurrence") and self.organizer(calendar_id, event_id) == calendar_id:
                yield body

    def seen_as(self, calendar_id: str, event_id: str) -> tuple[str, str] | None:
        """Return the event itself, or the series of which it is an instance like all others; None: it never came.

        Of a series that was split, that is the part that had begun by then.
        """
        if (calendar_id, event_id) in self.facts:
            return calendar_id, event_id
        root, _, begins = event_id.rpartition("_")
        parts = [(each.partition("_R")[2], each) for each in self._by_calendar.get(calendar_id, {})]
        begun = [(since, each) for since, each in parts if each in (root, f"{root}_R{since}") and since <= begins]
        return (calendar_id, max(begun)[1]) if begun else None

    def is_proof_of_loss(self, calendar_id: str, event_id: str, conference_id: str) -> bool:
        """Whether an event's own calendar shows it deleted, or with another conference."""
        newest = self._newest.get((calendar_id, event_id))
        if newest is None or self.is_forgotten(calendar_id, event_id):
            return False
        if newest.cancelled:
            return newest.tombstone is Tombstone.DELETED
        other = newest.body.get("conferenceData", {}).get("conferenceId")
        return other is not None and other != conference_id

    def is_forgotten(self, calendar_id: str, event_id: str) -> bool:
        """Whether Calendar does not know any more that the event ever was."""
        return event_id not in self._model.state.calendars[calendar_id].entries

    def is_seen_elsewhere(self, calendar_id: str, event_id: str) -> bool:
        """Whether the calendar shows that the event has another organizer now."""
        tombstone = self._newest[calendar_id, event_id].tombstone
        left_only_its_id = tombstone in (Tombstone.ID_ONLY, Tombstone.ORPHAN)
        return self.organizer(calendar_id, event_id) != calendar_id and not left_only_its_id

    def projection(self, calendar_id: str, event_id: str) -> ConferenceState:
        """Return what the event gives its conference, cut down to what the conferencing system carries."""
        state = state_of(self._body(calendar_id, event_id), self._carries)
        changed = sorted(self._occurrences(calendar_id, event_id), key=lambda o: o.original_start.sort_key)
        return state.model_copy(update={"occurrences": tuple(changed)}) if "occurrences" in self._carries else state

    def _occurrences(self, calendar_id: str, master_id: str) -> Iterator[Occurrence]:
        calendar, master = self._model.state.calendars[calendar_id], self._body(calendar_id, master_id)
        if not master.get("recurrence"):
            return
        for event_id in calendar.exceptions.get(master_id, ()):
            version = calendar.entries[event_id].newest
            if version.master_id == master_id and not _is_nobodys(version):
                occurrence = self._occurrence(version, master)
                if occurrence is not None:
                    yield occurrence

    def _occurrence(self, version: Version, master: Mapping[str, Any]) -> Occurrence | None:
        if version.cancelled:
            return Occurrence(original_start=moment(version.body["originalStartTime"]), cancelled=True)
        if conference_of(version.body) != conference_of(master):
            return None
        return changed_occurrence(version.body, master, self._carries)


def _is_nobodys(version: Version) -> bool:
    """Whether an exception means nothing: its series gave it up, here or in the calendar where it was meanwhile.

    What stays here of one that moved away with its series tells of that move alone. Where the series comes back
    without it, also to the old time, it had been given up there.
    """
    return version.tombstone in (Tombstone.ORPHAN, Tombstone.ID_ONLY, Tombstone.MOVED)
