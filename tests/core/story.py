"""Short words for the tests of the core: events as Calendar would send them, and records that a plan is applied to.

A `Ledger` does what the use case does, without any I/O: give a plan what it asks for, answer its readings from the
events that exist, store the plan that asks for nothing more.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, get_args

from hypothesis import HealthCheck, settings

from confsync.core.capabilities import Capabilities
from confsync.core.conference import Conference, Referent, Registration, Times
from confsync.core.events import Event, parse_event
from confsync.core.planning import Plan, Recorded, conference_keys, link_keys, plan, series_keys
from confsync.core.records import Calendar, EventRef, Link
from confsync.core.rules import Rules
from confsync.core.sight import Reading, Seen, Sight
from confsync.core.solutions import Solution
from confsync.core.state import Field, Moment
from confsync.core.terms import Terms
from confsync.observe import MAX_ROUNDS

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
ALL_FIELDS: frozenset[Field] = frozenset(get_args(Field))
RULES = Rules()
HERE = Calendar.key_for("default", "ann@example.com", "ann@example.com")
THERE = Calendar.key_for("default", "bob@example.com", "bob@example.com")
ACME = Solution(provider="acme", names=frozenset({"Acme"}))
TERMS = Terms("default", (ACME,), {"acme": Capabilities(ALL_FIELDS)}, RULES)


UNTIMED = settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])
"""For properties: a busy machine is no failure."""


class TooManyRounds(AssertionError):
    """The plan went on asking for readings."""


def stamp(at: datetime) -> str:
    """Write a time the way Calendar does."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def at(minutes: float) -> datetime:
    """Return a time relative to `NOW`."""
    return NOW + timedelta(minutes=minutes)


def acme(conference_id: str) -> dict[str, Any]:
    """Return conference data of our solution."""
    solution = {"key": {"type": "addOn"}, "name": "Acme"}
    return {"conferenceId": conference_id, "conferenceSolution": solution}


def event(
    event_id: str = "e1",
    conference: str | None = "c1",
    *,
    starts: datetime = NOW + HOUR,
    length: timedelta = HOUR,
    own: bool = True,
    updated: float | None = 0,
    **fields: Any,
) -> Event:
    """Return a confirmed event as its calendar lists it.

    Args:
        own: whether this calendar organizes it.
        updated: minutes after `NOW`; None leaves the time stamp out.

    """
    item: dict[str, Any] = {
        "id": event_id,
        "status": "confirmed",
        "iCalUID": f"{event_id}@google.com",
        "summary": "Review",
        "organizer": {"email": "ann@example.com", **({"self": True} if own else {})},
        "start": {"dateTime": stamp(starts), "timeZone": "Europe/Paris"},
        "end": {"dateTime": stamp(starts + length), "timeZone": "Europe/Paris"},
    }
    if updated is not None:
        item |= {"updated": stamp(at(updated)), "etag": f'"{updated}"'}
    if conference is not None:
        item["conferenceData"] = acme(conference)
    return parse_event(item | fields)


def series(event_id: str = "s1", conference: str | None = "c1", *rules: str, **fields: Any) -> Event:
    """Return a recurring event; daily unless told otherwise."""
    return event(event_id, conference, recurrence=rules or ("RRULE:FREQ=DAILY",), **fields)


def instance(
    master: Event, day: int, *, conference: str | None = "c1", moved: timedelta = HOUR, **fields: Any
) -> Event:
    """Return an exception of a daily series: the instance of the given day, moved."""
    original = NOW + HOUR + day * DAY
    return event(
        f"{master.id}_{day}",
        conference,
        starts=original + moved,
        recurringEventId=master.id,
        originalStartTime={"dateTime": stamp(original), "timeZone": "Europe/Paris"},
        iCalUID=master.ical_uid,
        **fields,
    )


def cancelled_instance(master: Event, day: int, **fields: Any) -> Event:
    """Return a cancelled instance of a live series, in the shape that Google guarantees."""
    original = stamp(NOW + HOUR + day * DAY)
    item = {"recurringEventId": master.id, "originalStartTime": {"dateTime": original}}
    return parse_event({"id": f"{master.id}_{day}", "status": "cancelled", **item, **fields})


def tombstone(event_id: str = "e1", *, updated: float | None = 5, **fields: Any) -> Event:
    """Return a deleted event as its own organizer's calendar shows it."""
    organizer = {"email": "ann@example.com", "self": True}
    stamps = {} if updated is None else {"updated": stamp(at(updated))}
    return parse_event({"id": event_id, "status": "cancelled", "organizer": organizer, **stamps, **fields})


def stub(event_id: str = "e1", **fields: Any) -> Event:
    """Return a tombstone that holds nothing but its id."""
    return parse_event({"id": event_id, "status": "cancelled", **fields})


def pending(event_id: str = "e1", *, updated: float = 9, **fields: Any) -> Event:
    """Return an event whose conference is still being made."""
    data = {"createRequest": {"status": {"statusCode": "pending"}}}
    return event(event_id, None, updated=updated, conferenceData=data, **fields)


def timeless(event_id: str = "e1", *, updated: float = 9) -> Event:
    """Return an event whose start and end nobody can read."""
    return event(event_id, updated=updated, start={"dateTimes": "x"}, end={"dateTimes": "y"})


def ref(event_id: str = "e1", calendar_key: str = HERE) -> EventRef:
    """Name an event."""
    return EventRef(calendar_key, event_id)


def conference_key(conference_id: str = "c1") -> str:
    """Return the key of a conference of `ACME`."""
    return Conference.key_for("default", "acme", conference_id)


def vouched(named: EventRef) -> Registration:
    """Return the add-on's word for an event."""
    return Registration(calendar_key=named.calendar_key, event_id=named.event_id, at=NOW)


def conference(conference_id: str = "c1", *registered: EventRef, **fields: Any) -> Conference:
    """Return a conference that the add-on registered for these events."""
    return Conference(
        key=conference_key(conference_id),
        tenant="default",
        provider="acme",
        conference_id=conference_id,
        registered={named.link_key: vouched(named) for named in registered},
        **fields,
    )


def times(start: datetime = NOW + HOUR, length: timedelta = HOUR, *rules: str, zone: str | None = None) -> Times:
    """Return when something takes place."""
    ends = Moment(instant=start + length)
    return Times(start=Moment(instant=start), end=ends, time_zone=zone, recurrence=rules)


def referent(event_id: str = "e1", calendar_key: str = HERE, **fields: Any) -> Referent:
    """Return a live owner, unless told otherwise."""
    known = {"ical_uid": f"{event_id}@google.com", "role": "owner", "state": "live", "times": times()}
    return Referent.model_validate({"calendar_key": calendar_key, "event_id": event_id, **known, **fields})


def seen(*events: Event, calendar_key: str = HERE) -> dict[EventRef, Seen]:
    """Return events as one list shows them."""
    return {EventRef(calendar_key, shown.id): Seen(shown) for shown in events}


def confirmed(*events: Event, calendar_key: str = HERE) -> dict[EventRef, Seen]:
    """Return events as they were just read one by one."""
    return {EventRef(calendar_key, shown.id): Seen(shown, confirmed=True) for shown in events}


@dataclass
class Ledger:
    """Records, and the events that exist."""

    links: dict[str, Link] = field(default_factory=dict)
    conferences: dict[str, Conference] = field(default_factory=dict)
    world: dict[EventRef, Event] = field(default_factory=dict)
    terms: Terms = TERMS
    readings: list[Reading] = field(default_factory=list)
    """All readings that were ever asked for."""

    @classmethod
    def of(cls, *conferences: Conference, terms: Terms = TERMS) -> "Ledger":
        """Begin with these conferences and no links."""
        return cls(conferences={each.key: each for each in conferences}, terms=terms)

    @property
    def c1(self) -> Conference:
        """The conference that most stories are about."""
        return self.conferences[conference_key("c1")]

    def referent(self, named: EventRef, conference_id: str = "c1") -> Referent | None:
        """Return what a conference holds of an event."""
        return self.conferences[conference_key(conference_id)].referents.get(named.link_key)

    def put(self, *events: Event, calendar_key: str = HERE) -> None:
        """Let these events exist in a calendar."""
        self.world |= {EventRef(calendar_key, each.id): each for each in events}

    def plan(
        self,
        sight: Sight,
        *,
        calendar_key: str = HERE,
        now: datetime = NOW,
        listing: int = 0,
        is_part: bool = False,
        is_sweep: bool = False,
    ) -> Plan:
        """Plan from those records only that the planner says it needs."""
        wanted = link_keys(sight, calendar_key)
        links = {key: link for key, link in self.links.items() if key in wanted}
        of_series = series_keys(links)
        links |= {key: link for key, link in self.links.items() if key in of_series}
        needed = conference_keys(sight, links, self.terms)
        conferences = {key: each for key, each in self.conferences.items() if key in needed}
        recorded = Recorded(links, conferences)
        how = {"is_part": is_part, "is_sweep": is_sweep}
        return plan(calendar_key, sight, recorded, self.terms, now=now, listing=listing, **how)

    def apply(self, found: Plan) -> None:
        """Store a plan."""
        assert not found.readings
        self.links |= {link.key: link for link in found.links}
        self.conferences |= {each.key: each for each in found.conferences}

    def read(self, reading: Reading) -> Seen:
        """Answer a reading from the events that exist."""
        shown = self.world.get(reading.ref)
        if reading.series_uid is None:
            return Seen(shown, confirmed=True)
        parts = (e for where, e in self.world.items() if where.calendar_key == reading.ref.calendar_key)
        exceptions = tuple(part for part in parts if part.recurring_event_id == reading.ref.event_id)
        return Seen(shown, confirmed=True, exceptions=exceptions)

    def settle(
        self, sight: Mapping[EventRef, Seen], *, calendar_key: str = HERE, now: datetime = NOW, listing: int = 0
    ) -> Plan:
        """Plan, read, plan again, store; as the use case does."""
        for _ in range(MAX_ROUNDS):
            found = self.plan(sight, calendar_key=calendar_key, now=now, listing=listing)
            if not found.readings:
                self.apply(found)
                return found
            self.readings.extend(found.readings)
            sight = {**sight, **{each.ref: self.read(each) for each in found.readings}}
        raise TooManyRounds(f"still asking: {found.readings}")

    def show(self, *events: Event, calendar_key: str = HERE, now: datetime = NOW, listing: int = 0) -> Plan:
        """Let these events exist, and take them from one list."""
        self.put(*events, calendar_key=calendar_key)
        return self.settle(
            seen(*events, calendar_key=calendar_key), calendar_key=calendar_key, now=now, listing=listing
        )


def owned(*events: Event, terms: Terms = TERMS, conference_id: str = "c1") -> Ledger:
    """Return the records after the add-on registered these events for one conference and they were synced."""
    ledger = Ledger.of(conference(conference_id, *(ref(each.id) for each in events)), terms=terms)
    ledger.show(*events)
    return ledger
