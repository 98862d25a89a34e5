"""What happens to confsync on a simulated day, as far as rows of the scenario table are about it.

It looks at plans, commits and the end of the day. It must never change what it sees, and never judge.
"""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from confsync.core.conference import Conference
from confsync.core.events import Event
from confsync.core.planning import Plan, Recorded
from confsync.core.records import Calendar, Link, Record
from confsync.core.sight import Seen, Sight
from tests.simulation.coverage_rows import MARKS
from tests.simulation.gestures import SUBJECTS, Done
from tests.simulation.instance import Instance
from tests.simulation.oracles.bodies import conference_of
from tests.simulation.oracles.ledger import covered_by
from tests.simulation.simulation import Simulation
from tests.simulation.tapes import Step
from tests.world import ANN, BOB, START

AT_ONCE_S = 2


class Witness:
    """Notes what is met on one day."""

    def __init__(self, day: Simulation) -> None:
        """Begin before the day is played."""
        self._day = day
        self.met: dict[str, None] = {}
        """Of `MARKS`, those that were met."""
        self._shown: dict[str, set[str]] = {}
        self._without_token: set[str] = set()
        day.sometimes.also.append(self._watch_commit)

    def _meet(self, what: str) -> None:
        if what not in MARKS:
            raise ValueError(f"{what!r} is no row's: see coverage_rows")
        self.met[what] = None

    # Plans

    def watch_plan(
        self, calendar_key: str, sight: Sight, recorded: Recorded, planned: Plan, *, swept: int | None
    ) -> None:
        """Look at one plan: what it was made of, and what came of it.

        Args:
            swept: number of the full listing that is complete by now; None where the plan is of no sweep.

        """
        if planned.claims:
            self._meet("a claim was seen that nobody vouched for")
        for ref, seen in sight.items():
            if ref.calendar_key == calendar_key:
                known = recorded.links.get(ref.link_key)
                self._watch_missing(known, swept)
                self._watch_seen(calendar_key, seen, is_known=known is not None)

    def _watch_missing(self, known: Link | None, swept: int | None) -> None:
        if known is None or swept is None or known.calendar_key not in self._without_token:
            return
        if known.seen_in != swept:
            self._meet("a full listing after a rejected token did not contain a known event")

    def _watch_seen(self, calendar_key: str, seen: Seen, *, is_known: bool) -> None:
        if seen.event is not None:
            self._watch_event(calendar_key, seen.event, is_known=is_known)
            self._watch_own_write(seen)

    def _watch_event(self, calendar_key: str, event: Event, *, is_known: bool) -> None:
        if is_known and event.conference_data is not None and event.conference_data.is_pending:
            self._meet("a conference in the making was seen")
        if event.ical_uid is not None and not event.is_cancelled:
            shown = self._shown.setdefault(event.ical_uid, set())
            shown.add(calendar_key)
            if len(shown) > 1 and not event.is_organizers_copy:
                self._meet("two synced calendars showed one event")

    def _watch_own_write(self, seen: Seen) -> None:
        """Only confsync ever writes the id of a conference that was made on request."""
        data = seen.event.conference_data if seen.event else None
        if data is not None and data.conference_id in self._day.provider.made_for and not seen.confirmed:
            self._meet("a write of our own was listed")

    # Commits

    def _watch_commit(self, before: Record | None, after: Record, worker: Instance) -> None:
        if isinstance(after, Calendar):
            self._watch_calendar(before if isinstance(before, Calendar) else None, after, worker)
        elif isinstance(after, Conference):
            self._watch_conference(before if isinstance(before, Conference) else None, after)

    def _watch_calendar(self, before: Calendar | None, after: Calendar, worker: Instance) -> None:
        token = before.sync_token if before else None
        if token is not None and after.sync_token is None:
            self._without_token.add(after.key)
        if after.sync_token is not None and after.sync_token != token:
            self._watch_token(after.calendar_id, after.sync_token, worker)
        if before is not None and before.state != "frozen" and after.state == "frozen":
            self._watch_frozen(after)

    def _watch_token(self, calendar_id: str, token: str, worker: Instance) -> None:
        """A listing of several pages shows the calendar as it was at the first one."""
        upto = covered_by(self._day.model.state.secret, token)
        if "went on with a page" in worker.notes and upto < self._day.model.state.calendars[calendar_id].change:
            self._meet("something changed while a listing was under way")

    def _watch_frozen(self, calendar: Calendar) -> None:
        known = self._day.model.state.calendars[calendar.calendar_id]
        role = known.shared_as(calendar.subject)
        if known.deleted:
            self._meet("a calendar froze when it was deleted")
        elif role == "none" or self._day.model.state.users[calendar.subject].suspended:
            self._meet("a calendar froze when access to it was withdrawn")
        elif role in ("reader", "freeBusyReader"):
            self._meet("a calendar froze when its role was reduced")
            if role == "freeBusyReader":
                self._meet("a calendar was shown with too little access")

    def _watch_conference(self, before: Conference | None, after: Conference) -> None:
        if after.gone and not (before and before.gone):
            self._meet("a conference was gone from the back end")
        if before is not None and after.refused > before.refused and not after.gone:
            self._meet("the back end refused for good")
        if before is not None and after.brake == "held" and before.brake != "held":
            self._meet("ends were held")

    # The end of the day

    def watch_evening(self) -> None:
        """Look at what is left, and at all that was done."""
        day = self._day
        if any(call.state is not None for call in day.provider.calls):
            self._meet("a conference was told its event's title and times")
        told = day.provider.conferences
        if any(draft in told and told[draft].state is None for draft in day.people.drafts):
            self._meet("the conference of a discarded draft ended")
        if day.gate.sprung["push lost"] and not day.violations:
            self._meet("a push was lost, and its change was found")
        if any(day.gate.sprung[f"provider unknown-{how}"] for how in ("lost", "landed", "landing")):
            self._meet("a call ended without an answer")
        self._watch_deeds(day.people.done)

    def _watch_deeds(self, deeds: list[Done]) -> None:
        for earlier, done in pairwise(deeds):
            is_soon = (done.at - earlier.at).total_seconds() < AT_ONCE_S
            if is_soon and done.place is not None and done.place == earlier.place and done.after is not earlier.after:
                self._meet("two changes within two seconds")
        self._watch_removals(deeds)
        self._watch_handovers(deeds)

    def _watch_removals(self, deeds: list[Done]) -> None:
        removed = set()
        for done in deeds:
            if done.action == "remove_conference" and done.before and conference_of(done.before.body):
                removed.add(done.place)
            came = done.action in ("replace_conference", "put_back_conference") and done.after is not done.before
            if came and done.place in removed:
                self._meet("a conference was removed and another of ours came")

    def _watch_handovers(self, deeds: list[Done]) -> None:
        suspended = list(_suspensions(self._day.tapes.steps))
        for done in deeds:
            if done.action != "change_owner" or done.place is None:
                continue
            subject = SUBJECTS.get(done.place.calendar_id)
            if any(email == subject and since <= done.at < until for email, since, until in suspended):
                self._meet("events were handed over while their user was suspended")


def _suspensions(steps: Iterable[Step]) -> Iterator[tuple[str, datetime, datetime]]:
    """Give who was suspended, from when, and until when; see `operators`."""
    since: dict[str, datetime] = {}
    for step in steps:
        at = START + timedelta(seconds=step.at_s)
        if step.action == "suspend":
            since.setdefault((ANN, BOB)[step.dice[0] % 2], at)
        elif step.action == "reinstate":
            yield from ((email, begun, at) for email, begun in since.items())
            since.clear()
    yield from ((email, begun, datetime.max.replace(tzinfo=UTC)) for email, begun in since.items())
