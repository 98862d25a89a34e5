"""What must hold on a random day: at every commit, at every call of the conferencing system, and at the day's end.

Safety (S1, S2, one call at a time, numbers that only rise, a token that covers only what is recorded) is judged as the
day goes by; liveness (L1 to L4) when everything has settled. It must never repair anything.
"""

from datetime import datetime

from confsync.core.records import Calendar, Conference, Link, Record
from confsync.local.calendar_server.tokens import decode_sync
from confsync.ports import ConferenceCall
from tests.random_day_ledger import KEYS, Ledger, Worker, ends, is_pending, went_back
from tests.random_day_provider import Flight
from tests.random_day_truth import Fact, Held, Truth

_WRITTEN_BY_SYNCS = ("lease", "sync_token", "checkpoint", "served", "sync_generation")


class Oracles:
    """The judges of one day."""

    def __init__(self, truth: Truth, ledger: Ledger, secret: str, *, ordered: bool, exact: bool) -> None:
        """Judge by `truth`; `exact` says that lists never lag, so that every state told was true at some moment."""
        self.violations: list[str] = []
        self.made_for: dict[str, str] = {}
        """By the id of a conference that was made on request: the one that it replaces."""
        self._truth, self._ledger, self._secret = truth, ledger, secret
        self._ordered, self._exact = ordered, exact
        self._told: dict[tuple[str, int], str] = {}
        self._newest: dict[str, int] = {}
        self._token_at: dict[str, int] = {}
        self._claimed_at: dict[str, datetime] = {}
        self._known_since: dict[str, datetime] = {}
        self._decided_from: dict[str, datetime] = {}
        self._asked_before_page_1: dict[str, int] = {}

    def complain(self, rule: str, detail: str) -> None:
        """Record that a rule was broken."""
        self.violations.append(f"{rule}: {detail}")

    # Commits

    def watch_listing(self, calendar_id: str) -> None:
        """Note what was asked for before a first page is listed: no more than that is served by it."""
        calendar = self._ledger.calendar(calendar_id)
        if calendar is not None:
            self._asked_before_page_1[calendar.key] = calendar.requested

    def watch_commit(self, before: Record | None, after: Record, now: datetime, worker: Worker) -> None:
        """Judge one committed record."""
        if isinstance(after, Calendar):
            self._watch_calendar(before if isinstance(before, Calendar) else None, after, now)
            self._watch_fence(before if isinstance(before, Calendar) else None, after, worker)
        elif isinstance(after, Conference):
            self._watch_conference(before if isinstance(before, Conference) else None, after, now, worker)
        elif isinstance(after, Link) and isinstance(before, Link) and went_back(before, after):
            self.complain("R13", f"what is recorded of {after.event_id} went back from {before.updated}")

    def _watch_fence(self, before: Calendar | None, after: Calendar, worker: Worker) -> None:
        """Only the worker that claimed a calendar last writes what its sync found."""
        if before is None or after.fence > before.fence:
            worker.fences[after.key] = after.fence
            return
        written = [name for name in _WRITTEN_BY_SYNCS if getattr(before, name) != getattr(after, name)]
        if written and worker.fences.get(after.key) != before.fence:
            self.complain("fence", f"{KEYS[after.key]}: a worker that lost its fence wrote {written}")
        if after.served > max(before.served, self._asked_before_page_1.get(after.key, 0)):
            self.complain("served", f"{KEYS[after.key]}: more is served than was asked for before page 1")

    def _watch_calendar(self, before: Calendar | None, after: Calendar, now: datetime) -> None:
        name = KEYS[after.key]
        old = before or Calendar(key=after.key, tenant="", calendar_id="", subject="")
        for number in ("fence", "requested", "served", "sync_generation", "full_listings"):
            if getattr(after, number) < getattr(old, number):
                self.complain("numbers rise", f"{number} of {name} fell from {getattr(old, number)}")
        if after.served > after.requested:
            self.complain("served", f"{name}: served {after.served} of {after.requested}")
        if after.requested > after.served and after.due_at is None:
            self.complain("due_at", f"{name} has requests that nobody served, and no due_at")
        if after.lease is not None and after.due_at is None:
            self.complain("due_at", f"{name} is leased, and nothing finds it should the worker die")
        if len(after.channels) > 3:
            self.complain("channels", f"{name} has {len(after.channels)}")
        if after.fence > old.fence:
            self._claimed_at[after.key] = now
        if after.sync_token is not None and after.sync_token != old.sync_token:
            self._watch_token(after, decode_sync(self._secret, after.sync_token).upto)

    def _watch_token(self, calendar: Calendar, upto: int) -> None:
        if upto < self._token_at.get(calendar.key, 0):
            self.complain("token", f"of {calendar.calendar_id} went back to {upto}")
        self._token_at[calendar.key] = upto
        for (calendar_id, event_id), facts in self._truth.facts.items():
            if calendar_id != calendar.calendar_id or facts[-1].change > upto or facts[-1].master_id is not None:
                continue  # what changed again while the listing went on is in the next one
            if self._is_missed(calendar, event_id, facts[-1]):
                what = facts[-1].conference_id or "no conference any more"
                self.complain("token", f"of {calendar_id} is ahead of {event_id}: {what}")

    def _is_missed(self, calendar: Calendar, event_id: str, fact: Fact) -> bool:
        """Whether the token covers a change of which the store knows nothing."""
        link = self._ledger.link(calendar.key, event_id)
        if fact.conference_id is not None:
            if self._is_excused(calendar, event_id, fact):
                return False
            return link is None or link.updated is None or link.updated < fact.updated
        if link is None or fact.is_pending or (link.updated is not None and link.updated > fact.updated):
            return False
        conference = next((c for c in self._ledger.conferences() if c.key == link.conference_key), None)
        referent = conference.referents.get(link.key) if conference else None
        return referent is not None and (referent.role, referent.state) == ("owner", "live")

    def _is_excused(self, calendar: Calendar, event_id: str, fact: Fact) -> bool:
        """Whether the event is read all the same, or is too old for the first sync."""
        return event_id in calendar.to_observe or fact.over_at <= self._claimed_at[calendar.key]

    def _watch_conference(self, before: Conference | None, after: Conference, now: datetime, worker: Worker) -> None:
        name = after.conference_id
        self._known_since.setdefault(after.key, now)
        waits = is_pending(after) or after.end_after is not None or after.intent is not None
        if waits and after.due_at is None:
            self.complain("due_at", f"{name} waits for something, and has no due_at")
        if ends(after) and not ends(before):
            self._decided_from[after.key] = worker.since
        if before is None:
            return
        self._watch_losses(before, after, worker)
        for part in ("desired", "applied"):
            old, new = getattr(before, part), getattr(after, part)
            if old is not None and (new is None or new.generation < old.generation):
                self.complain("generations rise", f"{part} of {name} fell below {old.generation}")
        if before.intent is None or after.intent is None or before.intent.deadline <= now:
            return
        if after.intent.generation != before.intent.generation:
            self.complain("one intent", f"{name}: generation {after.intent.generation} announced over an open one")

    def _watch_losses(self, before: Conference, after: Conference, worker: Worker) -> None:
        """An owner is lost only when its event had lost the conference, or was read while it had."""
        held = {(h.calendar_id, h.event_id): h.since for h in self._truth.held(after.conference_id)}
        for key, referent in after.referents.items():
            was = before.referents.get(key)
            if was is None or (was.role, was.state) != ("owner", "live") or referent.state == "live":
                continue
            since = held.get((KEYS[referent.calendar_key], referent.event_id))
            if since is not None and since < worker.since:
                self.complain("S1", f"{after.conference_id} lost {referent.event_id}, which has it all the while")

    # Calls

    def watch_call(self, call: ConferenceCall, in_the_air: list[Flight]) -> None:
        """Judge one call of the conferencing system as it leaves."""
        name, newest = call.conference_id, self._newest.get(call.conference_id, 0)
        state = call.state.model_dump_json() if call.state else "end"
        if call.generation < newest:
            self.complain("generations rise", f"{name} was told generation {call.generation} after {newest}")
        if self._told.setdefault((name, call.generation), state) != state:
            self.complain("one state a generation", f"{name} was told two states as generation {call.generation}")
        self._newest[name] = max(newest, call.generation)
        if any(not self._ordered or flight.is_awaited for flight in in_the_air):
            self.complain("one call at a time", f"{name} is called while a call is in the air")
        if call.state is None:
            self._watch_end(call)
        elif not self._is_true(name, call.state.title, state):
            self.complain("S2", f"{name} was told what no event that may ever said: {state}")

    def _watch_end(self, call: ConferenceCall) -> None:
        decided_from = self._decided_from[call.conference_key]
        for owner in self.owners(call.conference_id):
            if owner.since < decided_from and self._is_known(owner, call.conference_id):
                self.complain("S1", f"{call.conference_id} is ended, but {owner.event_id} lives in {owner.calendar_id}")

    def _is_known(self, owner: Held, conference_id: str) -> bool:
        """Whether the event was ever recorded as owner, so that it is read again, or a sync has covered it."""
        conference, calendar = self._ledger.conference(conference_id), self._ledger.calendar(owner.calendar_id)
        if conference is None or calendar is None:
            return False
        referent = conference.referents.get(Link.key_for(calendar.key, owner.event_id))
        is_covered = owner.fact.change <= self._token_at.get(calendar.key, 0)
        return is_covered or (referent is not None and referent.role == "owner")

    def _is_true(self, conference_id: str, title: str | None, state: str) -> bool:
        """Whether an event that may drive the conference, or the one that it replaces, once said so."""
        said = self._truth.states.get(conference_id, {})
        may = self._calendars_that_may(conference_id)
        states = {s for (calendar_id, _), found in said.items() if calendar_id in may for s in found}
        if conference_id in self.made_for:
            return state in states or self._is_true(self.made_for[conference_id], title, state)
        return state in states if self._exact else title is None or any(f'"title":"{title}"' in s for s in states)

    def _calendars_that_may(self, conference_id: str) -> set[str]:
        """Return the calendars of registered events, and those to which their events were moved."""
        conference = self._ledger.conference(conference_id)
        registered = conference.registered if conference else {}
        said = self._truth.states.get(conference_id, {})
        may = {KEYS[vouched.calendar_key] for vouched in registered.values()}
        while True:
            ids = {e for (c, e) in said if c in may}
            more = {c for (c, e) in said if e in ids} | may
            if more == may:
                return may
            may = more

    def owners(self, conference_id: str) -> list[Held]:
        """Return the events that hold the conference now and are entitled to it."""
        conference = self._ledger.conference(conference_id)
        if conference is None:
            return []
        known = [referent for referent in conference.referents.values() if referent.role == "owner"]
        calendars = {KEYS.get(referent.calendar_key) for referent in known}
        lost = {referent.ical_uid for referent in known if referent.state != "live"}
        keys = {calendar_id: key for key, calendar_id in KEYS.items() if self._ledger.calendar(calendar_id)}
        found = [held for held in self._truth.held(conference_id) if held.calendar_id in keys]
        return [
            held
            for held in found
            if Link.key_for(keys[held.calendar_id], held.event_id) in conference.registered
            or held.calendar_id in calendars
            or held.fact.ical_uid in lost
        ]
