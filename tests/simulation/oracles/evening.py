"""The oracles of the end: faults have stopped, everything has settled, and nothing may be left over.

It must never judge before that.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime

from confsync.core.conference import Conference
from confsync.core.judging import owners_of
from confsync.core.records import Calendar
from confsync.core.state import ConferenceState
from tests.simulation.oracles.ledger import Complaints, Ledger
from tests.simulation.oracles.owners import Owners
from tests.simulation.oracles.truth import Held, Truth

Told = Mapping[str, ConferenceState | None]
"""By conference id: what the conferencing system holds; None: it ended."""

_NEVER = "never told"


def _retiring(calendar: Calendar) -> set[str]:
    """Return the ids of the channels that wait for the next renewal to be stopped, or to be known to be."""
    return {channel.id for channel in calendar.channels if channel.state == "retiring"}


class Evening:
    """Judges what is left when a day is over."""

    def __init__(self, truth: Truth, ledger: Ledger, complaints: Complaints, owners: Owners) -> None:
        """Judge by `truth`."""
        self._truth, self._ledger, self._complaints, self._owners = truth, ledger, complaints, owners

    def judge_calendar(self, calendar_id: str, open_channels: set[str], *, is_watched: bool) -> None:
        """A calendar is served, free, and announced by exactly one channel.

        Args:
            open_channels: ids of the channels that Calendar pushes through now.
            is_watched: whether it can be watched at all.

        """
        calendar = self._ledger.calendar(calendar_id)
        if calendar is None:
            return
        found = {
            "state": calendar.state,
            "lease": calendar.lease,
            "unserved": calendar.requested - calendar.served,
            "unobserved": calendar.to_observe,
            "checkpoint": calendar.checkpoint,
            "channels": [c.state for c in calendar.channels if c.state == "active"],
            "open": len(open_channels - _retiring(calendar)),
        }
        expected = {
            "state": "active" if is_watched else "poll_only",
            "lease": None,
            "unserved": 0,
            "unobserved": (),
            "checkpoint": None,
            "channels": ["active"] if is_watched else [],
            "open": int(is_watched),
        }
        for name, value in expected.items():
            if found[name] != value:
                self._complaints.add("L3", f"{calendar_id}: {name} is {found[name]}")

    def judge_made(self, made: Mapping[str, str], told: Told) -> None:
        """Each conference that was made on request and lives is known, so that somebody ends it one day.

        Args:
            made: conference ids, and which one each replaces.

        """
        for conference_id in made:
            if told.get(conference_id) is not None and self._ledger.conference(conference_id) is None:
                self._complaints.add("S4", f"{conference_id} was made, lives, and is known to nobody")

    def judge_conferences(self, told: Told, now: datetime) -> None:
        """Every conference is what its events say, or ended, or kept for a reason."""
        for conference in self._ledger.conferences():
            if self._is_refused(conference):
                continue  # one event that Calendar refuses to show costs its own conference, and no other
            kept = told.get(conference.conference_id, _NEVER)
            self._judge_rest(conference)
            owners = self._owners.of(conference.conference_id)
            drivers = self._drivers(owners, now)
            if drivers:
                self._judge_driven(conference, kept, drivers)
            elif not owners:
                self._judge_ended(conference, kept, now)

    def with_several_owners(self) -> list[Conference]:
        """Return the conferences that may be driven by another event as soon as an occurrence is over."""
        return [c for c in self._ledger.conferences() if len(owners_of(c, "live")) > 1]

    def _is_refused(self, conference: Conference) -> bool:
        """Whether an event that is expected to hold it, or ever did, cannot be read any more."""
        expected = {known.event_id for known in conference.registered.values()}
        expected |= {known.event_id for known in conference.referents.values()}
        return not expected.isdisjoint(self._truth.refused) or self._truth.is_refused(conference.conference_id)

    def _judge_rest(self, conference: Conference) -> None:
        for name in ("intent", "end_after", "call_at"):
            if getattr(conference, name) is not None:
                self._complaints.add("L3", f"{conference.conference_id}: {name} is {getattr(conference, name)}")
        if conference.due_at != conference.review_at:
            self._complaints.add("L3", f"{conference.conference_id}: due_at is {conference.due_at}")

    def _drivers(self, owners: Iterable[Held], now: datetime) -> list[Held]:
        """Return the owners with the earliest next occurrence, none where all are over."""
        upcoming = [(start, owner) for owner in owners if (start := self._truth.next_start(owner, now)) is not None]
        earliest = min((start for start, _ in upcoming), default=None)
        return [owner for start, owner in upcoming if start == earliest]

    def _judge_driven(self, conference: Conference, kept: ConferenceState | str | None, drivers: list[Held]) -> None:
        desired = conference.desired
        if desired is not None and conference.refused == desired.generation:
            return  # the back end would not have it
        if kept is _NEVER and conference.adopted:
            return  # nobody vouched for it: it is recorded as it is found, and told what changes after that
        wanted = [self._truth.projection(driver.calendar_id, driver.event_id) for driver in drivers]
        if kept not in wanted:
            events = [driver.event_id for driver in drivers]
            self._complaints.add("L1", f"{conference.conference_id} of {events} is {kept}, should be {wanted}")

    def _judge_ended(self, conference: Conference, kept: ConferenceState | str | None, now: datetime) -> None:
        if kept is None or kept is _NEVER or self._may_be_kept(conference, now):
            return
        if conference.desired is not None and conference.refused == conference.desired.generation:
            return
        self._complaints.add("L2", f"{conference.conference_id} has no owner, and did not end: {kept}")

    def _has_moved(self, conference: Conference) -> bool:
        places = {place for place, _ in self._truth.facts_of(conference.conference_id)}
        return any(self._truth.is_seen_elsewhere(*place) for place in places)

    def _may_be_kept(self, conference: Conference, now: datetime) -> bool:
        """Whether it was held, or one of its events moved out of sight, perhaps before anybody saw it."""
        if conference.brake == "rejected":
            return True  # by an operator's word
        if owners_of(conference, "orphaned") and conference.review_at is not None:
            return True  # it is looked for again tomorrow
        if not conference.referents and conference.history[-1].what.startswith("kept: its event may hold it"):
            return True
        held = self._truth.facts_of(conference.conference_id)
        places = {place for place, _ in held}
        moved = ((self._truth.organizer(*place), place[1]) for place in places)
        if any(fact.over_at <= now or fact.master_id is not None for _, fact in held):
            return True  # it was held; or an instance, of which "all events" may leave nothing but an id
        if any(self._truth.is_scrubbed(*place) for place in places) or self._has_moved(conference):
            return True
        return any(new not in places or not self._was_seen(conference, *new) for new in moved)

    def _was_seen(self, conference: Conference, calendar_id: str, event_id: str) -> bool:
        """Whether a sync met the event in its new calendar, as an owner, while it still had the conference there."""
        calendar = self._ledger.calendar(calendar_id)
        link = self._ledger.link(calendar.key, event_id) if calendar else None
        referent = conference.referents.get(link.key) if link else None
        if link is None or link.updated is None or referent is None or referent.role != "owner":
            return False  # a claim proves nothing: anybody may make one, and take it back
        facts = self._truth.facts[calendar_id, event_id]
        return link.updated >= next(f.updated for f in reversed(facts) if f.conference_id == conference.conference_id)
