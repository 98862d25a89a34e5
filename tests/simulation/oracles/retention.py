"""What is remembered of a calendar that was removed: all of it until its time is over, and nothing after that.

It must never ask the product when that is: its rules say so, and what the operator asked for.
"""

from collections.abc import Collection, Iterable
from datetime import datetime, timedelta

from confsync.core.forgetting import calendars_of
from confsync.core.records import Calendar, Link
from confsync.core.rules import Rules
from tests.simulation.oracles.ledger import Complaints, Ledger, Worker
from tests.simulation.oracles.truth import Fact, Truth
from tests.simulation.oracles.words import Words


class RetentionJudge:
    """Judges removed calendars when a month has passed."""

    def __init__(
        self, truth: Truth, ledger: Ledger, complaints: Complaints, words: Words, *, rules: Rules, skew: timedelta
    ) -> None:
        """Judge by the time of retention in `rules`; clocks of workers are wrong by `skew` at most."""
        self._truth, self._ledger, self._complaints, self._words = truth, ledger, complaints, words
        self._time = timedelta(seconds=rules.retention_s) - 2 * skew
        self._links: dict[str, set[str]] = {}
        """By calendar id: the keys of those links that nothing but the removal lets the product forget."""
        self._at_once: set[str] = set()
        self._recorded: set[str] = set()
        """Which states of events were ever recorded, by etag."""

    def hear(self, calendar_id: str) -> None:
        """Hear that an operator wants a calendar to be forgotten at once, from now on at any time."""
        self._at_once.add(calendar_id)

    def watch(self, before: Calendar | None, after: Calendar, worker: Worker) -> None:
        """Judge one committed calendar: whoever removed it alone may want it again."""
        is_removed = after.state == "removed" and before is not None and before.state != "removed"
        if not is_removed or after.calendar_id in self._at_once:
            return
        if after.due_at is None or after.due_at < worker.since + self._time:
            self._complain(after.calendar_id, f"is to be forgotten at {after.due_at}, which is too soon")

    def watch_link(self, after: Link) -> None:
        """Note which state of an event is recorded."""
        self._recorded.add(after.etag)

    def times_to_forget(self) -> dict[str, datetime]:
        """Return when what is remembered of removed calendars is to be forgotten, by calendar id."""
        found = self._ledger.calendars().items()
        times = {name: each.due_at for name, each in found if each.state == "removed" and each.due_at is not None}
        self._links = {name: self._remembered(name, due_at) for name, due_at in times.items()}
        return times

    def judge_remembered(self, calendar_ids: Collection[str]) -> None:
        """Their time is not over yet."""
        for name in calendar_ids:
            if gone := self._links[name] - {link.key for link in self._ledger.links_in(name)}:
                self._complain(
                    name, f"has {len(gone)} events of {len(self._links[name])} no more before its time is over"
                )

    def judge_forgotten(self, calendar_ids: Collection[str]) -> None:
        """Their time is over."""
        for name in calendar_ids:
            calendar, links = self._ledger.calendar(name), len(self._ledger.links_in(name))
            held = [c.conference_id for c in self._ledger.conferences() if self._ledger.key(name) in calendars_of(c)]
            if calendar is None or calendar.due_at is not None or links or held:
                self._complain(name, f"is not forgotten: {links} events, conferences {held}, {calendar}")

    def judge_ends(self, conference_ids: Iterable[str]) -> None:
        """Nobody did anything meanwhile: what ends now, ends for an event that never came, or is lost, elsewhere."""
        for name in conference_ids:
            if not self._words.heard(name) and not self._is_lost_elsewhere(name):
                self._complaints.add("R9 forgotten", f"{name} ended when a calendar was forgotten")

    def _is_lost_elsewhere(self, conference_id: str) -> bool:
        """Whether an event lost it in a calendar that stays: only the last look at another one had to wait."""
        stay = {place for place, _ in self._truth.facts_of(conference_id) if not self._is_removed(place[0])}
        newest = ((place, self._truth.facts[place][-1]) for place in stay)
        return any(
            fact.conference_id != conference_id and not fact.is_pending and self._is_taken_as_lost(place, fact)
            for place, fact in newest
        )

    def _is_taken_as_lost(self, place: tuple[str, str], fact: Fact) -> bool:
        """Whether the event did not move on, or nobody saw that it did: all listings show is that it is missing."""
        return self._truth.organizer(*place) == place[0] or fact.etag not in self._recorded

    def _is_removed(self, calendar_id: str) -> bool:
        calendar = self._ledger.calendar(calendar_id)
        return calendar is None or calendar.state == "removed"

    def _remembered(self, calendar_id: str, due_at: datetime) -> set[str]:
        """Leave out what its own conference forgets before that, since it was lost a month ago by then."""
        conferences = {each.key: each for each in self._ledger.conferences()}
        known = ((link.key, conferences.get(link.conference_key)) for link in self._ledger.links_in(calendar_id))
        return {key for key, each in known if each is None or each.review_at is None or each.review_at >= due_at}

    def _complain(self, calendar_id: str, what: str) -> None:
        self._complaints.add("L3 forgotten", f"{calendar_id} was removed, and {what}")
