"""What must hold at each commit of a conference or a link: numbers, one intent, nobody loses what it still holds.

It must never repair anything.
"""

from datetime import datetime, timedelta

from confsync.core.conference import Conference
from confsync.core.records import Link
from tests.simulation.oracles.ledger import Complaints, Ledger, Worker, ends, is_pending, went_back
from tests.simulation.oracles.truth import Truth

LONGEST_LAG = timedelta(seconds=60)
"""A list may show what was true so long ago."""


class ConferenceJudge:
    """Judges what is committed of conferences and links (S1, S3, R9, R13, R14)."""

    def __init__(self, truth: Truth, ledger: Ledger, complaints: Complaints) -> None:
        """Judge by the truth."""
        self._truth, self._ledger, self._complaints = truth, ledger, complaints
        self.decided_from: dict[str, datetime] = {}
        """By conference key: when the worker began that wanted its end."""

    def watch_link(self, before: Link | None, after: Link) -> None:
        """Judge one committed link."""
        if before is not None and went_back(before, after):
            self._complaints.add("R13", f"what is recorded of {after.event_id} went back from {before.updated}")

    def watch(self, before: Conference | None, after: Conference, worker: Worker) -> None:
        """Judge one committed conference."""
        name = after.conference_id
        waits = is_pending(after) or after.end_after is not None or after.intent is not None
        if waits and after.due_at is None:
            self._complaints.add("R4 due_at", f"{name} waits for something, and has no due_at")
        if ends(after) and not ends(before):
            self.decided_from[after.key] = worker.since
        if before is None:
            return
        self._watch_losses(before, after, worker)
        self._watch_generations(before, after)
        self._watch_intent(before, after, worker.now())

    def _watch_generations(self, before: Conference, after: Conference) -> None:
        for part in ("desired", "applied"):
            old, new = getattr(before, part), getattr(after, part)
            if old is not None and (new is None or new.generation < old.generation):
                self._complaints.add("R15", f"{part} of {after.conference_id} fell below {old.generation}")

    def _watch_intent(self, before: Conference, after: Conference, now: datetime) -> None:
        """By the clock of who writes: that two calls are never in the air at once is judged by the true time."""
        if before.intent is None or after.intent is None or before.intent.deadline <= now:
            return
        if after.intent.generation != before.intent.generation:
            what = f"generation {after.intent.generation} announced over an open one"
            self._complaints.add("R14 one intent", f"{after.conference_id}: {what}")

    def _watch_losses(self, before: Conference, after: Conference, worker: Worker) -> None:
        """An owner is lost only when its event had lost the conference, or was read while it had."""
        lost = [
            referent
            for key, referent in after.referents.items()
            if referent.state != "live" and _was_live_owner(before, key)
        ]
        if not lost:
            return
        held = {(h.calendar_id, h.event_id): h.since for h in self._truth.held(after.conference_id)}
        for referent in lost:
            calendar_id = self._ledger.calendar_ids[referent.calendar_key]
            since = held.get((calendar_id, referent.event_id))
            if since is not None and since < worker.since:
                what = f"lost {referent.event_id}, which has it all the while"
                self._complaints.add("S1", f"{after.conference_id} {what}")
            if referent.state == "gone" and self._is_unseen(calendar_id, referent.event_id, worker):
                # an orphan ends nothing and is looked for; one that has the conference all the while is S1's
                self._complaints.add("S3", f"{after.conference_id} lost {referent.event_id} without access to it")

    def _is_unseen(self, calendar_id: str, event_id: str, worker: Worker) -> bool:
        """Whether the worker could not see the event; of one that was moved its new calendar tells, or did of late."""
        if not self._truth.was_hidden_since(calendar_id, worker.since):
            return False
        stays = self._truth.facts[calendar_id, event_id][-1].at < worker.since - LONGEST_LAG
        return stays and self._truth.organizer(calendar_id, event_id) == calendar_id


def _was_live_owner(conference: Conference, link_key: str) -> bool:
    was = conference.referents.get(link_key)
    return was is not None and (was.role, was.state) == ("owner", "live")
