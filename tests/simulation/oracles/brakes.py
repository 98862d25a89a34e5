"""The brake, and what operators say of the ends that it holds (R10).

    none -> held only after more ends than the limit -> approved | rejected only where an operator said so

It counts the ends that are decided by itself, from what is committed. It must never read the product's own counts.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from confsync.core.conference import Conference
from confsync.core.owners import owners_of
from confsync.core.records import Brake
from confsync.core.rules import Rules
from tests.simulation.oracles.ledger import Complaints, Ledger, Worker

MINUTES = timedelta(minutes=2)
"""Ends are counted by the minute, by clocks that differ."""


@dataclass(frozen=True)
class Decision:
    """An end that was decided."""

    at: datetime
    conference_key: str
    calendar_key: str
    """Of the one calendar that owned the conference; empty where several did."""


class BrakeJudge:
    """Judges what is committed of held ends, and ends as they are told."""

    def __init__(self, ledger: Ledger, complaints: Complaints, rules: Rules) -> None:
        """Judge by the limits of `rules`; days are too short for shares to exceed them."""
        self._ledger, self._complaints, self._rules = ledger, complaints, rules
        self._decisions: list[Decision] = []
        self._again: list[datetime] = []
        """When ends were put off: they may count as decided anew."""
        self._said: dict[str, set[str]] = {}
        self._told: set[str] = set()
        """Keys of conferences of which the end that is decided now was told before, for all that its workers know."""
        self._told_before_hold: set[str] = set()
        """Those whose end was held only when it had been told, and may have been carried out."""
        self._announced_approved: set[str] = set()
        """Those whose end was approved when it was announced: an event may hold them again before the call leaves."""

    def hear(self, conference_keys: Iterable[str], verdict: str) -> None:
        """Note that an operator is about to say `approved` or `rejected` of held ends."""
        for key in conference_keys:
            self._said.setdefault(key, set()).add(verdict)

    def watch(self, before: Conference | None, after: Conference, now: datetime) -> None:
        """Judge one committed conference."""
        if _is_decided(after) and not _is_decided(before):
            self._decisions.append(Decision(now, after.key, _only_calendar(after)))
            self._told.discard(after.key)
            self._told_before_hold.discard(after.key)
        elif before is not None and after.end_after is not None and after.end_after != before.end_after:
            self._again.append(now)
        if before is not None and _is_announced_again(before, after):
            self._told.add(after.key)
        if after.intent is not None and (before is None or before.intent != after.intent):
            self._announced_approved.discard(after.key)
            if after.brake == "approved":
                self._announced_approved.add(after.key)
        was = before.brake if before else "none"
        if was != after.brake:
            self._watch_change(was, after, now)

    def _watch_change(self, was: str, after: Conference, now: datetime) -> None:
        if after.brake == "held":
            if after.key in self._told:
                self._told_before_hold.add(after.key)
            if was != "none" or not self._are_too_many(after, now):
                self._complain(after, f"went from {was} to held without need: {after.hold}")
            self._said.pop(after.key, None)
        elif after.brake == "none":
            may_live = owners_of(after, "live") or owners_of(after, "orphaned")
            if (was == "rejected" or _is_decided(after)) and not (may_live or after.gone):
                self._complain(after, f"is not {was} any more, and no event holds it again")
        elif was != "held" or after.brake not in self._said.get(after.key, ()):
            self._complain(after, f"went from {was} to {after.brake}, and no operator said so")

    def _complain(self, conference: Conference, what: str) -> None:
        self._complaints.add("R10", f"{conference.conference_id} {what}")

    def _are_too_many(self, after: Conference, now: datetime) -> bool:
        """Whether there were that many: all that a brake may remember count, since decisions may wait."""
        oldest = now - timedelta(seconds=self._rules.grace_s + 2 * self._rules.brake_s) - MINUTES
        found = [*(decision.at for decision in self._decisions), *self._again]
        return after.hold is not None and sum(at > oldest for at in found) > after.hold.limit

    def watch_end(self, conference_key: str, worker: Worker) -> None:
        """Judge an end as it is told."""
        stored = self._ledger.conference_at(conference_key)
        if stored is None:
            return
        if stored.brake in ("held", "rejected"):
            self._complain(stored, f"is told to end, and its end is {stored.brake}")
        if stored.brake == "none" and conference_key not in self._told | self._announced_approved:
            self._watch_limits(stored, worker)
        self._told.add(conference_key)

    def _watch_limits(self, stored: Conference, worker: Worker) -> None:
        """What was decided before its worker began has to be counted, from when this end was decided last."""
        known = [each for each in self._decisions if each.at < worker.since or each.conference_key == stored.key]
        since = max((each.at for each in known if each.conference_key == stored.key), default=None)
        if since is None:
            return
        owned = [each for each in known if each.calendar_key == _only_calendar(stored) != ""]
        for decisions, limit in ((known, self._rules.tenant_brake), (owned, self._rules.calendar_brake)):
            most = max(self._within(decisions, since), default=0)
            if most > limit:
                self._complain(stored, f"is told to end, of {most} ends that were decided at once, limit {limit}")

    def _within(self, decisions: list[Decision], since: datetime) -> Iterator[int]:
        span = timedelta(seconds=self._rules.brake_s) - MINUTES
        for last in decisions:
            if last.at >= since:
                yield sum(last.at - span < each.at <= last.at for each in decisions)

    def watch_alert(self, before: Brake | None, after: Brake) -> None:
        """An operator hears of a brake once within its time."""
        old, new = before.alerted_at if before else None, after.alerted_at
        if old is not None and new != old and (new is None or new - old < timedelta(seconds=self._rules.brake_s)):
            self._complaints.add("R10", f"brake {after.key} alerts at {new}, and did at {old}")

    def judge(self, told: Mapping[str, object], held_by: Mapping[str, object]) -> None:
        """At the end of a day, when operators have decided about all: nothing is held, nothing rejected has ended.

        Args:
            told: by conference id, what the conferencing system holds; None: it ended.
            held_by: by conference id, the events that hold it in calendars which are read, and can be read themselves.

        """
        for conference in self._ledger.conferences():
            name = conference.conference_id
            if conference.brake == "held":
                self._complain(conference, "is held, though an operator decided about everything")
            was_told = conference.key in self._told - self._told_before_hold  # else it may have ended before
            if conference.brake == "rejected" and was_told and name in told and told[name] is None:
                self._complain(conference, "ended, though an operator rejected that")
            if conference.brake != "none" and held_by.get(name):
                self._complain(conference, f"is held by an event, and its end still {conference.brake}")


def _is_decided(conference: Conference | None) -> bool:
    if conference is None:
        return False
    ends = conference.desired is not None and conference.desired.ended
    return ends or conference.end_after is not None or conference.brake == "held"


def _is_announced_again(before: Conference, after: Conference) -> bool:
    """Whether the worker that announced an end gave no answer: it may have died before it called, or after that."""
    was_end = before.intent is not None and before.intent.verb == "end"
    return was_end and after.intent is not None and after.intent != before.intent


def _only_calendar(conference: Conference) -> str:
    keys = {referent.calendar_key for referent in conference.referents.values() if referent.role == "owner"}
    return keys.pop() if len(keys) == 1 else ""
