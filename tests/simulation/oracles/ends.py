"""When an end may be wanted: after its grace period, of no conference that was held, over no owner that waits (R9).

An end is decided, waits, is perhaps held for an operator, and then wanted. It is judged as it is wanted, by what
Calendar's truth was since before the last look. It must never read why the product decided what it did.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta

from confsync.core.conference import Conference, Referent
from confsync.core.owners import owners_of
from confsync.core.records import Link
from confsync.core.rules import Rules
from tests.simulation.oracles.ledger import Complaints, Ledger, Worker, ends
from tests.simulation.oracles.truth import Fact, Truth


class EndJudge:
    """Judges ends as they are wanted."""

    def __init__(self, truth: Truth, ledger: Ledger, complaints: Complaints, rules: Rules, skew: timedelta) -> None:
        """Judge by the truth; clocks of workers are wrong by `skew` at most: one decides, another one wants."""
        self._truth, self._ledger, self._complaints = truth, ledger, complaints
        self._grace, self._skew = timedelta(seconds=rules.grace_s), skew
        self._decided: dict[str, datetime] = {}
        """By conference key: when what its end was decided from was read."""
        self._recorded: dict[str, set[str]] = {}
        """By link key: which states of its event were ever recorded, by etag: a deletion may have one `updated` with
        what it deletes."""

    def watch_link(self, after: Link) -> None:
        """Note which state of an event is recorded."""
        self._recorded.setdefault(after.key, set()).add(after.etag)

    def watch(self, before: Conference | None, after: Conference, now: datetime, worker: Worker) -> None:
        """Judge one committed conference."""
        if ends(after) and not ends(before):
            self._watch_wanted(after, now, worker)
        if after.end_after is not None and (before is None or before.end_after is None):
            self._watch_decided(after)
        if _is_decided(after):
            self._decided.setdefault(after.key, worker.read_at)
        else:
            self._decided.pop(after.key, None)

    def _watch_decided(self, conference: Conference) -> None:
        """What is stored with it names no event that may hold the conference, whatever was read before (R16)."""
        for owner in (*owners_of(conference, "live").values(), *owners_of(conference, "orphaned").values()):
            self._complain(conference, f"is to end, and {owner.event_id} is recorded as {owner.state}")

    def _watch_wanted(self, conference: Conference, now: datetime, worker: Worker) -> None:
        decided = self._decided.get(conference.key)
        if decided is None:
            self._complain(conference, "is wanted to end, and nobody decided that before")
        elif now < decided + self._grace - 2 * self._skew:
            self._complain(conference, f"is wanted to end at {now}, and that was decided at {decided}")
        owners = [known for known in conference.referents.values() if known.role == "owner"]
        is_draft = not owners and (bool(conference.registered) or not conference.referents)
        if not is_draft and all(owner.state != "gone" for owner in owners):
            self._complain(conference, "is wanted to end, and no event lost it")
        for owner in owners:
            since = self._truth.waits_since(self._calendar_id(owner), owner.event_id)
            if since is not None and since < worker.since:
                self._complain(conference, f"is wanted to end, and {owner.event_id} waits for its new conference")
        over = [end for owner in owners for end in self._known_end(conference, owner)]
        if owners and len(over) == len(owners) and max(over) < worker.since - self._skew:
            self._complain(conference, f"is wanted to end, and its last event was over at {max(over)}")

    def _complain(self, conference: Conference, what: str) -> None:
        self._complaints.add("R9", f"{conference.conference_id} {what}")

    def _calendar_id(self, owner: Referent) -> str:
        return self._ledger.calendar_ids[owner.calendar_key]

    def _known_end(self, conference: Conference, owner: Referent) -> Iterator[datetime]:
        """Give when the event was over that had the conference; nothing where nobody recorded its last such state."""
        calendar_id = self._calendar_id(owner)
        facts = self._truth.facts.get((calendar_id, owner.event_id), ())
        held = [fact for fact in facts if fact.conference_id == conference.conference_id]
        recorded = self._recorded.get(Link.key_for(owner.calendar_key, owner.event_id), set())
        if any(fact.etag in recorded and _says_the_same(fact, held[-1]) for fact in held):
            yield max([held[-1].over_at, *self._truth.ends_of_exceptions(calendar_id, owner.event_id)])


def _says_the_same(fact: Fact, last: Fact) -> bool:
    """Whether the event was the same but for what nobody is told of: an edit of reminders leaves `updated`."""
    return (fact.updated, fact.over_at) == (last.updated, last.over_at)


def _is_decided(conference: Conference) -> bool:
    """Whether an end is decided, wanted, or waits for an operator, who shortens nothing."""
    return ends(conference) or conference.end_after is not None or conference.brake in ("held", "approved")
