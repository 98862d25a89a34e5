"""The oracles of the end: faults have stopped, everything has settled, and nothing may be left over.

It must never judge before that.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from itertools import dropwhile, takewhile

from confsync.administer_calendar import Administered
from confsync.core import replacing
from confsync.core.conference import Conference, Referent
from confsync.core.owners import owners_of
from confsync.core.projection import fingerprint
from confsync.core.records import Calendar, Link
from confsync.core.state import ConferenceState
from tests.simulation.oracles.ledger import Complaints, Ledger
from tests.simulation.oracles.owners import Owners
from tests.simulation.oracles.truth import Fact, Held, Truth
from tests.simulation.oracles.words import Place, Words

Kept = ConferenceState | str | None
Told = Mapping[str, Kept]
"""By conference id: what the conferencing system holds; None: it ended."""

FRESH = timedelta(seconds=90)
"""What was asked for later than this ago is found by the next scheduled run or the one after it."""
MADE = "made, and told nothing"
"""What it holds of a conference from the moment at which the add-on asks for it, before its event exists."""
_NEVER = "never made"


def _retiring(calendar: Calendar) -> set[str]:
    """Return the ids of the channels that wait for the next renewal to be stopped, or to be known to be."""
    return {channel.id for channel in calendar.channels if channel.state == "retiring"}


class Evening:
    """Judges what is left when a day is over."""

    def __init__(self, truth: Truth, ledger: Ledger, complaints: Complaints, owners: Owners, words: Words) -> None:
        """Judge by `truth`, and by what the add-on said."""
        self._truth, self._ledger, self._complaints = truth, ledger, complaints
        self._owners, self._words = owners, words
        self._anew: dict[str, int] = {}
        """By calendar id: how many full listings had begun when an operator asked for one."""

    def watch_administered(self, answer: Administered) -> None:
        """Hear of what an operator was told of a calendar: a full listing that is promised has to follow."""
        if answer.status == "to be synced anew":
            self._anew[answer.calendar.calendar_id] = answer.calendar.full_listings

    def judge_calendar(self, calendar_id: str, open_channels: set[str], now: datetime, *, is_watched: bool) -> None:
        """A calendar is served, free, and announced by exactly one channel.

        What was asked for just now may wait for the scheduled run: two who ask at one time share a task, and it may
        have begun.

        Args:
            open_channels: ids of the channels that Calendar pushes through now.
            is_watched: whether it can be watched at all.

        """
        calendar = self._ledger.calendar(calendar_id)
        if calendar is None:
            return
        if calendar.state == "removed":
            self._judge_removed(calendar, open_channels)
            return
        is_fresh = calendar.lease is None and calendar.due_at is not None and now - FRESH < calendar.due_at <= now
        found = {
            "state": calendar.state,
            "lease": calendar.lease,
            "unserved": 0 if is_fresh else calendar.requested - calendar.served,
            "unobserved": () if is_fresh else calendar.to_observe,
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
        if calendar.full_listings <= self._anew.get(calendar_id, -1):
            self._complaints.add("L3", f"{calendar_id}: was to be synced anew, and was not listed in full since")

    def _judge_removed(self, calendar: Calendar, open_channels: set[str]) -> None:
        """Nobody syncs or watches a removed calendar; a channel that could not be stopped is known, and expires."""
        found = calendar.lease, calendar.sync_token, calendar.checkpoint, open_channels - _retiring(calendar)
        if found != (None, None, None, set()):
            self._complaints.add("L3", f"{calendar.calendar_id} is removed, and still has {found}")
        held = [each for each in self._ledger.conferences() if _hangs_on(each, calendar.key)]
        for_good = [conference.conference_id for conference in held if conference.due_at is None]
        if calendar.due_at is None and for_good:
            self._complaints.add("L3", f"{calendar.calendar_id} is forgotten, and {for_good} hang on it for good")

    def judge_made(self, made: Mapping[str, str], told: Told) -> None:
        """Each conference that was made on request and lives is known, so that somebody ends it one day.

        Args:
            made: conference ids, and which one each replaces.

        """
        for conference_id in made:
            is_unknown = told.get(conference_id) is not None and self._ledger.conference(conference_id) is None
            if is_unknown and not self._owners.may_be_forgotten(conference_id):
                self._complaints.add("S4", f"{conference_id} was made, lives, and is known to nobody")

    def judge_conferences(self, told: Told, now: datetime) -> None:
        """Every conference is what its events say, or ended, or kept for a reason."""
        stored = {conference.conference_id: conference for conference in self._ledger.conferences()}
        refused = {name for name, conference in stored.items() if self._is_refused(conference)}
        for name, conference in stored.items():
            waits = conference.end_after is not None or replacing.under_way(conference)
            if name not in refused and not (waits and self._is_left_alone(name)):
                self._judge_rest(conference)  # what nobody may look at or write waits until its calendar is forgotten
        for name in dict.fromkeys([*told, *stored]):
            if name in refused or self._truth.is_refused(name):
                continue  # one event that Calendar refuses to show costs its own conference, and no other
            if self._is_left_alone(name):
                continue  # what changed in a calendar that was removed is nobody's concern
            kept, owners = told.get(name, _NEVER), self._owners.of(name)
            if drivers := self._drivers(owners, now):
                self._judge_driven(name, stored.get(name), kept, drivers)
            elif not owners:
                self._judge_ended(name, stored.get(name), kept, now)

    def with_several_owners(self) -> list[Conference]:
        """Return the conferences that may be driven by another event as soon as an occurrence is over."""
        return [c for c in self._ledger.conferences() if len(owners_of(c, "live")) > 1]

    def _is_refused(self, conference: Conference) -> bool:
        """Whether an event that is expected to hold it, or ever did, cannot be read any more."""
        expected = {known.event_id for known in conference.registered.values()}
        expected |= {known.event_id for known in conference.referents.values()}
        return not expected.isdisjoint(self._truth.refused) or self._truth.is_refused(conference.conference_id)

    def _is_left_alone(self, conference_id: str) -> bool:
        """Whether a calendar that ever had to do with the conference is removed, and stays so."""
        places = [place for place, _ in self._truth.facts_of(conference_id)] + [*self._words.said(conference_id)]
        found = [self._ledger.calendar(calendar_id) for calendar_id, _ in places]
        return any(calendar is not None and calendar.state == "removed" for calendar in found)

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

    def _judge_driven(self, name: str, conference: Conference | None, kept: Kept, drivers: list[Held]) -> None:
        if _is_refused(conference):
            return  # the back end would not have it
        was_told = kept not in (MADE, _NEVER) and not self._owners.may_be_forgotten(name)
        if conference is not None and conference.adopted and not was_told and not self._words.heard(name):
            return  # nobody vouched for it: it is recorded as it is found, and told what changes after that
        wanted = [self._truth.projection(driver.calendar_id, driver.event_id) for driver in drivers]
        if kept not in wanted and not (kept is None and _is_successor_refused(conference, wanted)):
            events = [driver.event_id for driver in drivers]
            self._complaints.add("L1", f"{name} of {events} is {kept}, should be {wanted}")

    def _judge_ended(self, name: str, conference: Conference | None, kept: Kept, now: datetime) -> None:
        if kept is None or kept == _NEVER or _is_refused(conference) or self._may_be_kept(name, conference, now):
            return
        self._complaints.add("L2", f"{name} has no owner, and did not end: {kept}")

    def _may_be_kept(self, name: str, conference: Conference | None, now: datetime) -> bool:
        """Whether it was held, or one of its events went where nobody follows it, or nobody was to end it."""
        if conference is not None and conference.brake == "rejected":
            return True  # by an operator's word
        held = self._truth.facts_of(name)
        if any(fact.over_at <= now or fact.master_id is not None for _, fact in held):
            return True  # it was held; or an instance, of which "all events" may leave nothing but an id
        if not self._is_ours(name, conference, now):
            return True
        vouched = (self._truth.seen_as(*event) for event in self._expected(name, conference))
        places = {*(place for place, _ in held), *(place for place in vouched if place is not None)}
        return any(self._is_lost_from_sight(name, conference, place) for place in places)

    def _expected(self, name: str, conference: Conference | None) -> set[Place]:
        """Return the events that were to hold it; only the product knows for which it had one made itself."""
        if name not in self._words.made_for or conference is None:
            return self._words.heard(name)
        names = self._ledger.calendar_ids
        return {(names[each.calendar_key], each.event_id) for each in conference.registered.values()}

    def _is_ours(self, name: str, conference: Conference | None, now: datetime) -> bool:
        """Whether it is the product's to end: an event owned it; or the add-on said so, and nobody else holds it.

        Not what the product made itself and forgot, nor where the last that held it was forgotten with its calendar.
        """
        forgotten_at = self._owners.last_forgotten(name)
        if conference is None and name in self._words.made_for and forgotten_at is not None:
            return False
        owners = [] if conference is None else [each for each in conference.referents.values() if each.role == "owner"]
        if owners:
            lost = [each.since or now for each in owners]
            return forgotten_at is None or max(lost) > forgotten_at
        synced = self._ledger.calendars()
        return bool(self._words.heard(name)) and all(h.calendar_id not in synced for h in self._truth.held(name))

    def _is_lost_from_sight(self, name: str, conference: Conference | None, place: Place) -> bool:
        """Whether nobody can know that the conference's event, which was at `place`, has it no more."""
        truth, synced = self._truth, self._ledger.calendars()
        if truth.is_nameless(*place):
            return True
        home = truth.organizer(*place), place[1]
        if home == place:  # it came back, and was deleted and forgotten, before anybody looked
            recorded = self._owner_at(conference, place)
            return truth.is_forgotten(*place) and recorded is not None and recorded.state == "orphaned"
        if home[0] not in synced or synced[home[0]].state == "removed" or self._is_forgotten_since(home):
            return True  # it lives, or was lost, where nobody looks, or where that was found out and forgotten
        if self._owner_at(conference, place) is None:
            return True  # it left before anybody met it there as one that may drive
        if self._was_seen(name, conference, place, home):
            return False
        return not (truth.is_proof_of_loss(*home, name) and self._is_found(place, home))

    def _is_forgotten_since(self, home: Place) -> bool:
        return any(at >= self._truth.facts[home][-1].at for at in self._words.forgotten[home[0]])

    def _is_found(self, place: Place, home: Place) -> bool:
        """Whether a search finds where the event went: among the same person's calendars, or by what is left of it."""
        left, reached = self._ledger.calendar(place[0]), self._ledger.calendar(home[0])
        if left is None or reached is None:
            return False
        is_own = self._truth.is_seen_elsewhere(*place) and reached.calendar_id == reached.subject
        return left.subject == reached.subject or is_own

    def _was_seen(self, name: str, conference: Conference | None, place: Place, home: Place) -> bool:
        """Whether a sync met the event in its new calendar, as an owner, while it had the conference there."""
        known = self._owner_at(conference, home)
        if known is None or known.bound_at is None:
            return False
        left, had = self._last_with(name, place), self._last_with(name, home)
        return bool(had) and (not left or left[-1].number < had[0].number) and known.bound_at >= had[0].updated

    def _last_with(self, name: str, place: Place) -> list[Fact]:
        """Return what the event was while it held the conference for the last time."""
        facts = reversed(self._truth.facts.get(place, []))
        since = dropwhile(lambda fact: fact.conference_id != name, facts)
        return [*takewhile(lambda fact: fact.conference_id == name, since)][::-1]

    def _owner_at(self, conference: Conference | None, place: Place) -> Referent | None:
        """Return what is recorded of the event as an owner there; a claim proves nothing, whoever makes or drops it."""
        calendar = self._ledger.calendar(place[0])
        known = conference.referents.get(Link.key_for(calendar.key, place[1])) if conference and calendar else None
        return known if known is not None and known.role == "owner" else None


def _hangs_on(conference: Conference, calendar_key: str) -> bool:
    return any(owner.calendar_key == calendar_key for owner in owners_of(conference, "live").values())


def _is_refused(conference: Conference | None) -> bool:
    desired = conference.desired if conference is not None else None
    return conference is not None and desired is not None and conference.refused == desired.generation


def _is_successor_refused(conference: Conference | None, wanted: Iterable[ConferenceState]) -> bool:
    """Whether the back end would not make another one, for an event as it is now, where this one cannot come back."""
    if conference is None or not conference.gone:
        return False
    return not set(replacing.refused_for(conference).values()).isdisjoint(map(fingerprint, wanted))
