"""What must hold at each call of the conferencing system as it leaves, and at each write to an event.

It must never know how a call is carried out, only when it left, what it says, and what was still in the air.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from confsync.core.conference import Conference, Referent
from confsync.core.records import Link
from confsync.core.replacing import operation_id
from confsync.ports import ConferenceCall, CreateCall
from tests.simulation.oracles.bodies import conference_of
from tests.simulation.oracles.calendars import CalendarJudge
from tests.simulation.oracles.conferences import ConferenceJudge
from tests.simulation.oracles.ledger import Complaints, Ledger, Worker
from tests.simulation.oracles.owners import Owners
from tests.simulation.oracles.truth import Held, Truth

LANDS_WITHIN = timedelta(seconds=60)
"""From leaving: what the product may count on."""


class CallJudge:
    """Judges calls as they leave (S1, S2, S5, R9, R12, R14, R15, R17)."""

    def __init__(
        self,
        truth: Truth,
        ledger: Ledger,
        complaints: Complaints,
        owners: Owners,
        *,
        calendars: CalendarJudge,
        conferences: ConferenceJudge,
        ordered: bool,
        exact: bool,
        skew: timedelta,
    ) -> None:
        """Judge by the truth.

        Args:
            calendars: knows which changes the tokens cover.
            conferences: knows since when an end is wanted.
            ordered: whether the back end orders writes itself, so that an unknown outcome need not be waited out.
            exact: whether lists never lag, so that every state told was true at some moment.
            skew: the clocks of workers are wrong by this much at most.

        """
        self._truth, self._ledger, self._complaints, self._owners = truth, ledger, complaints, owners
        self._calendars, self._conferences = calendars, conferences
        self._ordered, self._exact, self._skew = ordered, exact, skew
        self._told: dict[tuple[str, int], str] = {}
        self._newest: dict[str, int] = {}
        self._known_holders: dict[str, set[tuple[str, str]]] = {}
        """By conference key: the calendar and event of each owner that was known when its end was announced."""
        self.made_for: Mapping[str, str] = {}
        """By the id of a conference that was made on request: the one that it replaces."""

    def watch_commit(self, before: Conference | None, after: Conference) -> None:
        """Note who is known to hold a conference as its end is announced: what is recorded later calls nothing back."""
        is_announced = after.intent is not None and (before is None or before.intent != after.intent)
        if is_announced and after.intent is not None and after.intent.verb == "end":
            owners = self._owners.of(after.conference_id)
            holders = (owner for owner in owners if self._is_known(owner, after.conference_id))
            self._known_holders[after.key] = {(owner.calendar_id, owner.event_id) for owner in holders}

    def watch(self, call: ConferenceCall, awaited: int, unawaited: int, worker: Worker) -> None:
        """Judge one call as it leaves.

        Args:
            awaited: calls of this conference in the air whose worker waits for the answer.
            unawaited: calls in the air of which nobody will hear.

        """
        name, newest = call.conference_id, self._newest.get(call.conference_id, 0)
        state = call.state.model_dump_json() if call.state else "end"
        if call.generation < newest:
            self._complaints.add("R15", f"{name} was told generation {call.generation} after {newest}")
        if self._told.setdefault((name, call.generation), state) != state:
            self._complaints.add("R15", f"{name} was told two states as generation {call.generation}")
        self._newest[name] = max(newest, call.generation)
        if awaited or (unawaited and not self._ordered):
            self._complaints.add("R14 one call at a time", f"{name} is called while a call is in the air")
        if name not in self.made_for or call.generation > 1:
            self._watch_intent(call, worker)
        if call.state is None:
            self._watch_end(call)
        elif not self._is_true(name, call.state.title, state):
            self._complaints.add("S2", f"{name} was told what no event that may ever said: {state}")

    def forget(self, conference_id: str) -> None:
        """Note that the product was allowed to forget the conference, and counts from one again."""
        self._newest.pop(conference_id, None)
        self._told = {key: state for key, state in self._told.items() if key[0] != conference_id}

    def watch_create(self, call: CreateCall, worker: Worker) -> None:
        """Judge a request for a conference as it leaves: who dies now leaves word that one may have been made.

        It lands before anybody else may ask for it, by the clock of who calls. Whoever asks for what another worker has
        got meanwhile is told of that same one.
        """
        old = self._ledger.conference(call.replaces)
        noted = [each for each in old.replacements if operation_id(old, each) == call.operation_id] if old else []
        if any(each.conference_id is not None for each in noted):
            return
        if not any(each.perhaps_made for each in noted):
            self._complaints.add("R15", f"one in place of {call.replaces} is asked for, and nobody noted it")
        elif not any(each.due_at is not None and worker.now() + LANDS_WITHIN <= each.due_at for each in noted):
            self._complaints.add("R14", f"one in place of {call.replaces} is asked for too late")

    def _watch_intent(self, call: ConferenceCall, worker: Worker) -> None:
        """By the clock of who calls: its intent is stored, and the call lands before the intent's deadline."""
        stored = self._ledger.conference_at(call.conference_key)
        if stored is None or stored.intent is None or stored.intent.generation != call.generation:
            self._complaints.add("R14", f"{call.conference_id} is called without a stored intent")
            return
        if worker.now() + LANDS_WITHIN > stored.intent.deadline:
            self._complaints.add("R14", f"{call.conference_id} is called too late for its intent")

    def _watch_end(self, call: ConferenceCall) -> None:
        decided_from = self._conferences.decided_from[call.conference_key]
        self._watch_moved(call, decided_from)
        known = self._known_holders.get(call.conference_key, ())
        for owner in self._owners.of(call.conference_id):
            if owner.since < decided_from and (owner.calendar_id, owner.event_id) in known:
                what = f"is ended, but {owner.event_id} lives in {owner.calendar_id}"
                self._complaints.add("S1", f"{call.conference_id} {what}")

    def _watch_moved(self, call: ConferenceCall, decided_from: datetime) -> None:
        """An event that moved, and took its conference along, has it wherever it went, seen or not."""
        conference = self._ledger.conference_at(call.conference_key)
        owners = [known for known in conference.referents.values() if known.role == "owner"] if conference else []
        ids = {owner.event_id for owner in owners}
        for held in self._truth.held(call.conference_id) if ids else ():
            if held.event_id not in ids or held.since >= decided_from:
                continue
            same = [owner for owner in owners if owner.event_id == held.event_id]
            left = [owner.calendar_key for owner in same if not self._came_back_unseen(call.conference_id, owner, held)]
            if any(self._calendars.listed_since(key, held.since_number) for key in left):
                continue  # a full listing shows of an event that moved no more than of one that was deleted
            if any(self._truth.has_left(self._ledger.calendar_ids[key], held) for key in left):
                what = f"is ended, but {held.event_id} moved to {held.calendar_id} with it"
                self._complaints.add("R9 moved", f"{call.conference_id} {what}")

    def _came_back_unseen(self, conference_id: str, owner: Referent, held: Held) -> bool:
        """Whether the event was lost, as far as anybody saw, and left with nothing but its id when it was back.

        What was deleted may lose its details too: nobody can tell the two apart. When that was seen is told by the
        clock of who saw it, or by what it saw, however late.
        """
        calendar_id = self._ledger.calendar_ids[owner.calendar_key]
        link = self._ledger.link(owner.calendar_key, owner.event_id)
        facts = self._truth.facts.get((calendar_id, owner.event_id), ())
        lost = [f for f in facts if link is not None and f.etag == link.etag and f.conference_id != conference_id]
        saw_loss = bool(lost) and any(f.number > lost[-1].number and f.conference_id == conference_id for f in facts)
        saw_before = owner.since is not None and owner.since - self._skew < held.since
        was_lost = owner.state == "gone" and (saw_before or saw_loss)
        return was_lost and not self._truth.is_seen_elsewhere(calendar_id, owner.event_id)

    def _is_known(self, owner: Held, conference_id: str) -> bool:
        """Whether the event was ever recorded as owner, so that it is read again, or a sync has covered it.

        Of one that Calendar refuses to show, the sync covers no more than that it could not be read (R18); one that is
        over it may leave out.
        """
        conference, calendar = self._ledger.conference(conference_id), self._ledger.calendar(owner.calendar_id)
        if conference is None or calendar is None:
            return False
        referent = conference.referents.get(Link.key_for(calendar.key, owner.event_id))
        is_covered = owner.fact.change <= self._calendars.token_at.get(calendar.key, 0)
        is_covered = is_covered and owner.event_id not in self._truth.refused
        is_covered = is_covered and not self._calendars.may_leave_out(calendar.key, owner.fact)
        return is_covered or (referent is not None and referent.role == "owner")

    def _is_true(self, conference_id: str, title: str | None, state: str) -> bool:
        """Whether an event that may drive the conference, or the one that it replaces, once said so."""
        said = self._truth.states.get(conference_id, {})
        may = self._owners.calendars_that_may(conference_id)
        states = {s for (calendar_id, _), found in said.items() if calendar_id in may for s in found}
        mixed = not self._exact and (title is None or any(f'"title":"{title}"' in each for each in states))
        if state in states or mixed:
            return True
        before = self.made_for.get(conference_id)
        return before is not None and self._is_true(before, title, state)

    def watch_write(self, calendar_id: str, event_id: str, conference_data: Mapping[str, Any] | None) -> None:
        """Judge conference data that takes effect in an event now: it replaces what the event holds, by our own."""
        old = self._truth.conference_now(calendar_id, event_id)
        new = conference_of({"conferenceData": conference_data or {}})
        if new is None or self.made_for.get(new) != old:
            self._complaints.add("R17", f"{event_id} of {calendar_id} held {old} and was given {new}")
