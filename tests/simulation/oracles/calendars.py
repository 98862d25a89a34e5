"""What must hold at each commit of a calendar: fence, numbers, what is served, and that the token is never ahead.

It must never repair anything.
"""

from datetime import datetime, timedelta

from confsync.core.records import Calendar
from tests.simulation.oracles.ledger import Complaints, Ledger, Worker, covered_by
from tests.simulation.oracles.truth import Fact, Truth

_WRITTEN_BY_SYNCS = ("lease", "sync_token", "checkpoint", "served", "sync_generation")
_ONLY_RISE = ("fence", "requested", "served", "sync_generation", "full_listings")
RECENT = timedelta(days=1)
"""What was not touched for so long may be left out by the first sync; only a day that goes on for a month knows any."""


class CalendarJudge:
    """Judges what is committed of calendars (R1, R2, R3, R4)."""

    def __init__(self, truth: Truth, ledger: Ledger, complaints: Complaints, secret: str) -> None:
        """Read sync tokens with the Calendar's secret."""
        self._truth, self._ledger, self._complaints, self._secret = truth, ledger, complaints, secret
        self.token_at: dict[str, int] = {}
        """By calendar key: which change the stored token covers."""
        self._claimed_at: dict[str, datetime] = {}
        self._listed_at: dict[str, int] = {}
        """By calendar key: how many changes there were when a full listing last got on; many are of one instant."""
        self.covers: dict[str, int] = {}
        """By token: how many syncs were asked for when the first page of its listing left."""

    def watch(self, before: Calendar | None, after: Calendar, now: datetime, worker: Worker) -> None:
        """Judge one committed calendar."""
        old = before or Calendar(key=after.key, tenant="", calendar_id="", subject="")
        self._watch_numbers(old, after)
        self._watch_due(after)
        if after.fence > old.fence:
            self._claimed_at[after.key] = now
        self._watch_fence(before, after, worker)
        self._watch_release(old, after)
        if after.full_listings > old.full_listings or (old.checkpoint is not None and old.checkpoint.listing):
            self._listed_at[after.key] = self._truth.noted
        if after.sync_token is not None and after.sync_token != old.sync_token:
            self._watch_token(after, covered_by(self._secret, after.sync_token))

    def listed_since(self, calendar_key: str, number: int) -> bool:
        """Whether a full listing of the calendar has got on since the change of that number."""
        return self._listed_at.get(calendar_key, 0) >= number

    def _complain(self, rule: str, calendar: Calendar, what: str) -> None:
        self._complaints.add(rule, f"{calendar.calendar_id} {what}")

    def _watch_numbers(self, old: Calendar, after: Calendar) -> None:
        for number in _ONLY_RISE:
            if number == "sync_generation" and _is_forgotten(after):
                continue  # added again, it begins as a new one
            if getattr(after, number) < getattr(old, number):
                self._complain("R2 numbers rise", after, f"{number} fell from {getattr(old, number)}")
        if after.served > after.requested:
            self._complain("R3 served", after, f"served {after.served} of {after.requested}")
        if after.served > old.served and after.served > self.covers.get(after.sync_token or "", 0):
            self._complain("R3 served", after, "serves more than was asked for before page 1")

    def _watch_due(self, after: Calendar) -> None:
        is_left_alone = after.state in ("paused", "removed")  # whoever adds or resumes it makes it due
        if after.requested > after.served and after.due_at is None and not is_left_alone:
            self._complain("R4 due_at", after, "has requests that nobody served, and no due_at")
        if after.lease is not None and after.due_at is None:
            self._complain("R4 due_at", after, "is leased, and nothing finds it should the worker die")

    def _watch_release(self, old: Calendar, after: Calendar) -> None:
        """A sync that committed gives its calendar back only when all is served that was asked for meanwhile."""
        if after.sync_generation > old.sync_generation and after.lease is None and after.requested > after.served:
            self._complain("R4 asked again", after, f"is free, with {after.served} of {after.requested} served")

    def _watch_fence(self, before: Calendar | None, after: Calendar, worker: Worker) -> None:
        """Only the worker that claimed a calendar last writes what its sync found."""
        if before is None or after.fence > before.fence or _is_forgotten(after):
            worker.fences[after.key] = after.fence
            return
        written = [name for name in _WRITTEN_BY_SYNCS if getattr(before, name) != getattr(after, name)]
        if written and worker.fences.get(after.key) != before.fence:
            self._complain("R2 fence", after, f"a worker that lost its fence wrote {written}")

    def _watch_token(self, calendar: Calendar, upto: int) -> None:
        if upto < self.token_at.get(calendar.key, 0):
            self._complain("R1 token", calendar, f"went back to {upto}")
        self.token_at[calendar.key] = upto
        for event_id, fact in self._truth.newest_in(calendar.calendar_id):
            if fact.change > upto or fact.master_id is not None:
                continue  # what changed again while the listing went on is in the next one
            if self._is_missed(calendar, event_id, fact):
                what = fact.conference_id or "no conference any more"
                self._complain("R1 token", calendar, f"is ahead of {event_id}: {what}")

    def _is_missed(self, calendar: Calendar, event_id: str, fact: Fact) -> bool:
        """Whether the token covers a change of which the store knows nothing, though Calendar would show it."""
        if event_id in self._truth.refused:
            return False  # it is a failure by now, and blocks nothing else
        link = self._ledger.link(calendar.key, event_id)
        if fact.conference_id is not None:
            if self._is_excused(calendar, event_id, fact):
                return False
            return link is None or link.updated is None or link.updated < fact.updated
        if link is None or fact.is_pending or (link.updated is not None and link.updated > fact.updated):
            return False
        if event_id in calendar.to_observe:
            return False  # Calendar forgot it: what nobody can prove before there is a token is read again
        conference = self._ledger.conference_at(link.conference_key)
        referent = conference.referents.get(link.key) if conference else None
        return referent is not None and (referent.role, referent.state) == ("owner", "live")

    def _is_excused(self, calendar: Calendar, event_id: str, fact: Fact) -> bool:
        """Whether the event is read all the same, or may be left out."""
        return self.may_leave_out(calendar.key, fact) or event_id in calendar.to_observe

    def may_leave_out(self, calendar_key: str, fact: Fact) -> bool:
        """Whether the event is too old for the first sync, or nobody touched it of late."""
        claimed_at = self._claimed_at[calendar_key]
        return fact.over_at <= claimed_at or fact.updated <= claimed_at - RECENT


def _is_forgotten(calendar: Calendar) -> bool:
    """Whether nothing is known of its events: whoever forgets the last of them says so."""
    return calendar.state == "removed" and calendar.due_at is None
