"""The oracles of what is told, once and again, and of channels: each is shown what it must report, and what not."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from confsync.core.conference import Applied, Conference, Desired, Intent
from confsync.core.records import Calendar, Channel, Link
from confsync.core.rules import Rules
from confsync.core.state import ConferenceState
from confsync.local.calendar_server.people import addon_conference
from confsync.ports import ConferenceCall
from tests.simulation.gestures import ELSEWHERE, V1
from tests.simulation.oracles.calendars import CalendarJudge
from tests.simulation.oracles.calls import CallJudge
from tests.simulation.oracles.channels import ChannelJudge
from tests.simulation.oracles.conferences import ConferenceJudge
from tests.simulation.oracles.judges import Oracles
from tests.simulation.oracles.ledger import Complaints, Ledger
from tests.simulation.oracles.told import ToldJudge
from tests.simulation.test_evening import Evenings, owner
from tests.simulation.test_oracles import Worker, conference
from tests.world import ANN, BOB, START, times

SKEW = timedelta(seconds=1)
APPLIED = Applied(generation=1, fingerprint="x")


def rules_of(complaints: Complaints) -> list[str]:
    """Return the rules that were broken."""
    return [each.partition(":")[0] for each in complaints.all]


def at(seconds: float) -> datetime:
    """Return a time so many seconds after the start."""
    return START + timedelta(seconds=seconds)


# What events said


@pytest.mark.parametrize(
    ("title", "exact", "broken"), [("Plan", False, []), ("Plan", True, ["S2"]), ("Other", False, ["S2"])]
)
def test_where_lists_lag_a_conference_that_was_made_for_another_may_be_told_of_two_moments(
    title: str, exact: bool, broken: list[str]
) -> None:
    """A series and its instances are listed one after the other: only what they say together was never true."""
    evening = Evenings()
    evening.vouch(evening.meet(conferenceData=addon_conference("c2")))
    evening.words.made_for = {"c2": "c1"}
    judge = call_judge(evening, exact=exact)
    call = ConferenceCall("c2", "c2", "op1", 1, ConferenceState(title=title, location="of another moment"))
    judge.watch(call, 0, 0, Worker())
    assert rules_of(evening.complaints) == broken


@pytest.mark.parametrize(("vouches_for", "broken"), [("c2", []), ("c1", []), ("other", ["S2"])])
def test_a_conference_that_was_made_for_another_may_be_told_what_the_add_on_vouched_for_it_itself(
    vouches_for: str, broken: list[str]
) -> None:
    """Its user registers what the copy of an event holds, as soon as it is met."""
    evening = Evenings()
    event_id = evening.meet(conferenceData=addon_conference("c2"))
    evening.words.made_for = {"c2": "c1"}
    evening.words.say(vouches_for, (ANN, event_id))
    state = evening.truth.projection(ANN, event_id)
    call_judge(evening, exact=True).watch(ConferenceCall("c2", "c2", "op1", 1, state), 0, 0, Worker())
    assert rules_of(evening.complaints) == broken


def call_judge(evening: Evenings, *, exact: bool) -> CallJudge:
    """Return the judge of calls in this Calendar."""
    truth, complaints = evening.truth, evening.complaints
    ledger = Ledger(evening.committed, {})
    judge = CallJudge(
        truth,
        ledger,
        complaints,
        evening.owners,
        calendars=CalendarJudge(truth, ledger, complaints, "secret"),
        conferences=ConferenceJudge(truth, ledger, complaints),
        ordered=False,
        exact=exact,
        skew=timedelta(),
    )
    judge.made_for = evening.words.made_for
    return judge


# What confsync writes


@pytest.mark.parametrize(
    ("is_stored", "is_forgotten", "is_heard"),
    [(True, False, True), (False, False, True), (True, True, True), (False, True, False)],
)
def test_confsync_vouches_for_the_event_that_it_gives_a_conference(
    is_stored: bool, is_forgotten: bool, is_heard: bool
) -> None:
    """Not where that takes effect when the conference was forgotten with a calendar: it knows nothing of it by then."""
    evening, made = Evenings(), conference("c1n0")
    if is_stored:
        evening.committed["conference"][Conference.key_for("default", "acme", "c1n0")] = made
    ledger = Ledger(evening.committed, {})
    oracles = Oracles(evening.truth, ledger, "secret", Rules(), ordered=True, exact=True, skew=SKEW)
    oracles.words.made_for = {"c1n0": "c1"}
    copy = evening.meet()
    if is_forgotten:
        oracles.words.say("c1", (BOB, "original"))
        oracles.words.forget(BOB, START)
    oracles.watch_write(ANN, copy, addon_conference("c1n0"))
    assert oracles.words.heard("c1n0") == ({(ANN, copy)} if is_heard else set())


# What ends


@pytest.mark.parametrize(("recorded", "broken"), [("before", ["S1"]), ("after", []), ("never", [])])
def test_no_end_is_told_that_was_announced_while_an_event_was_known_to_hold_the_conference(
    recorded: str, broken: list[str]
) -> None:
    """What is recorded between the announcement and the call calls nothing back: it is told next."""
    evening = Evenings()
    event_id = evening.meet()
    oracles = Oracles(evening.truth, evening.ledger, "secret", Rules(), ordered=True, exact=True, skew=SKEW)
    oracles.words.hear("c1", (ANN, event_id))
    late, ended = Worker(at(5)), Desired(generation=2, fingerprint="ended")
    intent = Intent(generation=2, verb="end", deadline=at(90))

    def commit(is_recorded: bool, **fields: Any) -> None:
        before = evening.ledger.conference("c1")
        evening.record(*[owner(event_id, "live")] * is_recorded, due_at=START, **fields)
        after = evening.ledger.conferences()[0]
        oracles.conferences.watch(before, after, late)
        oracles.calls.watch_commit(before, after)

    commit(False, desired=ended)
    commit(recorded == "before", desired=ended, intent=intent)
    commit(recorded != "never", desired=ended, intent=intent)
    key = Conference.key_for("default", "acme", "c1")
    oracles.calls.watch(ConferenceCall(key, "c1", "op", 2, None), 0, 0, late)
    assert rules_of(oracles.complaints) == broken


@pytest.mark.parametrize(("seen", "broken"), [("deleted", []), ("held", ["R9 moved"]), ("moved", ["R9 moved"])])
def test_an_event_that_came_back_before_its_loss_was_recorded_excuses_the_end_where_that_is_what_was_seen(
    seen: str, broken: list[str]
) -> None:
    """Calendar told of it late; it moved on with the conference, and left nothing but its id."""
    evening, key = Evenings(), Conference.key_for("default", "acme", "c1")
    event_id = evening.meet()
    evening.vouch(event_id)
    oracles = Oracles(evening.truth, evening.ledger, "secret", Rules(), ordered=True, exact=True, skew=timedelta())
    oracles.conferences.decided_from[key] = at(99)
    evening.now = at(50)
    evening.model.delete(ANN, ANN, event_id)
    evening.model.patch(ANN, ANN, event_id, {"status": "confirmed"}, V1)
    evening.now = at(60)
    evening.model.move(ANN, ANN, event_id, {"destination": ELSEWHERE})
    held, deleted, _, moved = evening.truth.facts[ANN, event_id]
    etag = {"held": held, "deleted": deleted, "moved": moved}[seen].etag
    gone = owner(event_id, "gone", since=at(70))
    link_key = Link.key_for(gone.calendar_key, event_id)
    link = Link(key=link_key, calendar_key=gone.calendar_key, event_id=event_id, conference_key=key, etag=etag)
    evening.committed["link"][link_key] = link
    evening.record(gone)
    oracles.calls.watch(ConferenceCall(key, "c1", "op", 2, None), 0, 0, Worker())
    assert [rule for rule in rules_of(oracles.complaints) if rule == "R9 moved"] == broken


@pytest.mark.parametrize(("begins_in", "broken"), [(2, ["S1"]), (-2, [])])
def test_an_end_is_announced_for_no_event_that_a_sync_covered_but_one_that_is_over(
    begins_in: int, broken: list[str]
) -> None:
    """The first sync lists nothing of the past."""
    evening = Evenings()
    event_id = evening.meet(**times(START + timedelta(days=begins_in)))
    oracles = Oracles(evening.truth, evening.ledger, "secret", Rules(), ordered=True, exact=True, skew=SKEW)
    oracles.words.hear("c1", (ANN, event_id))
    (calendar,) = (each for name, each in evening.ledger.calendars().items() if name == ANN)
    oracles.calendars.watch(calendar, calendar.model_copy(update={"fence": 1}), START, Worker())
    oracles.calendars.token_at[calendar.key] = 1
    for intent in (None, Intent(generation=2, verb="end", deadline=at(90))):
        before = evening.ledger.conference("c1")
        evening.record(due_at=START, desired=Desired(generation=2, fingerprint="ended"), intent=intent)
        oracles.conferences.watch(before, evening.ledger.conferences()[0], Worker(at(5)))
        oracles.calls.watch_commit(before, evening.ledger.conferences()[0])
    key = Conference.key_for("default", "acme", "c1")
    oracles.calls.watch(ConferenceCall(key, "c1", "op", 2, None), 0, 0, Worker(at(5)))
    assert rules_of(oracles.complaints) == broken


# What is told again


class Telling:
    """One conference, and the judge of what it is told."""

    def __init__(self) -> None:
        """Begin with nothing told."""
        self.complaints = Complaints()
        self.judge = ToldJudge(self.complaints)
        self.stored = conference("a")

    def announce(self, generation: int, worker: Worker) -> None:
        """Store an intent."""
        intent = Intent(generation=generation, verb="update", deadline=at(90))
        self._commit(self.stored.model_copy(update={"intent": intent}), worker)

    def close(self, worker: Worker) -> None:
        """Store that the call is over."""
        self._commit(self.stored.model_copy(update={"intent": None, "applied": APPLIED}), worker)

    def _commit(self, after: Conference, worker: Worker) -> None:
        before, self.stored = self.stored, after
        self.judge.watch_commit(before, after, worker)

    def tell(self, title: str, generation: int, worker: Worker, *, is_applied: bool | None) -> None:
        """Let a call leave; None: no answer comes."""
        call = ConferenceCall("a", "a", f"op{generation}", generation, ConferenceState(title=title))
        self.judge.watch(call, worker)
        if is_applied is not None:
            self.judge.hear(call, worker, is_applied=is_applied)

    def apply(self, title: str, generation: int, *, is_applied: bool | None = True) -> None:
        """Tell it something, from the announcement to the answer that is stored, unless none came."""
        worker = Worker()
        self.announce(generation, worker)
        self.tell(title, generation, worker, is_applied=is_applied)
        if is_applied is not None:
            self.close(worker)


@pytest.mark.parametrize(("again", "broken"), [("A", ["R12"]), ("B", [])])
def test_nothing_is_told_what_it_is_known_to_hold(again: str, broken: list[str]) -> None:
    """The answer to the first call was stored."""
    scene = Telling()
    scene.apply("A", 1)
    scene.apply(again, 2)
    assert rules_of(scene.complaints) == broken


@pytest.mark.parametrize(("is_applied", "broken"), [(True, []), (False, ["R12"]), (None, [])])
def test_what_was_told_before_is_told_again_only_after_something_else_may_have_been(
    is_applied: bool | None, broken: list[str]
) -> None:
    """A, then B, then A: no call where B was turned away."""
    scene = Telling()
    for number, (title, answer) in enumerate([("A", True), ("B", is_applied), ("A", True)], 1):
        scene.apply(title, number, is_applied=answer)
    assert rules_of(scene.complaints) == broken


def test_a_worker_that_dies_before_its_call_leaves_may_have_called() -> None:
    """Nobody else knows that it did not."""
    scene = Telling()
    scene.apply("A", 1)
    scene.announce(2, Worker())
    scene.apply("A", 3)
    assert rules_of(scene.complaints) == []


def test_an_answer_that_was_not_stored_is_not_known() -> None:
    """Its worker died with it; another one clears away what it announced."""
    scene = Telling()
    dying = Worker()
    scene.announce(1, dying)
    scene.tell("A", 1, dying, is_applied=True)
    scene.close(Worker())
    scene.apply("A", 2)
    assert rules_of(scene.complaints) == []


@pytest.mark.parametrize(("is_applied", "broken"), [(False, []), (None, ["R15"])])
def test_a_generation_leaves_again_only_when_it_was_turned_away(is_applied: bool | None, broken: list[str]) -> None:
    """After an unknown outcome the same state is another generation."""
    scene = Telling()
    scene.apply("A", 1, is_applied=is_applied)
    scene.apply("A", 1)
    assert rules_of(scene.complaints) == broken


# Channels


class Watching:
    """One calendar, its channels, and their judge."""

    def __init__(self) -> None:
        """Begin without a channel."""
        self.complaints = Complaints()
        self.judge = ChannelJudge(self.complaints, SKEW)
        self.troubles = 0
        self.judge.troubles = lambda: self.troubles
        self.stored = Calendar(key="ann", tenant="default", calendar_id=ANN, subject=ANN)

    def commit(self, when_s: float, worker: Worker, **channels: str) -> None:
        """Commit channels, by name and state; each is open for 900 s from the number in its name on."""
        found = tuple(self._channel(name, state) for name, state in channels.items())
        before, self.stored = self.stored, self.stored.model_copy(update={"channels": found})
        self.judge.watch(before, self.stored, at(when_s), worker)

    def _channel(self, name: str, state: str) -> Channel:
        opened = at(float(name[1:]))
        return Channel.model_validate(
            {"id": name, "state": state, "created_at": opened, "expires_at": opened + timedelta(seconds=900)}
        )


@pytest.mark.parametrize(
    ("when_s", "troubles", "broken"), [(800, 0, []), (897, 0, []), (960, 0, ["R19"]), (960, 1, [])]
)
def test_a_calendar_stays_watched(when_s: int, troubles: int, broken: list[str]) -> None:
    """Its channel is replaced before it is over, unless something went wrong while it was open."""
    scene, worker = Watching(), Worker()
    scene.commit(0, Worker(), c0="active")
    scene.troubles = troubles
    scene.commit(when_s, worker, c0="retiring", c800="active")
    assert rules_of(scene.complaints) == broken


def test_a_channel_that_lapses_is_noticed_when_its_calendar_forgets_it() -> None:
    """The next renewal drops what is over."""
    scene = Watching()
    scene.commit(0, Worker(), c0="active")
    scene.commit(960, Worker(), c960="pending")
    assert rules_of(scene.complaints) == ["R19"]


@pytest.mark.parametrize(
    ("stops", "has_answered", "broken"), [(True, True, []), (False, True, ["R19"]), (False, False, [])]
)
def test_who_replaces_a_channel_tries_to_stop_it(stops: bool, has_answered: bool, broken: list[str]) -> None:
    """Unless it dies or breaks off before that."""
    scene, worker = Watching(), Worker()
    scene.commit(0, Worker(), c0="active")
    scene.commit(600, worker, c0="retiring", c600="active")
    if stops:
        scene.judge.watch_stop(scene.stored, "c0", worker)
    scene.judge.watch_end(worker, has_answered=has_answered)
    assert rules_of(scene.complaints) == broken


@pytest.mark.parametrize(("channel_id", "broken"), [("c0", []), ("c600", ["R19"])])
def test_the_channel_that_announces_is_not_stopped(channel_id: str, broken: list[str]) -> None:
    """Make before break."""
    scene = Watching()
    scene.commit(600, Worker(), c0="retiring", c600="active")
    scene.judge.watch_stop(scene.stored, channel_id, Worker())
    assert rules_of(scene.complaints) == broken


@pytest.mark.parametrize(
    "states", [{"c0": "active", "c1": "active"}, dict.fromkeys(("c0", "c1", "c2", "c3"), "retiring")]
)
def test_a_calendar_has_one_active_channel_and_three_at_most(states: dict[str, str]) -> None:
    """More would never be found again."""
    scene = Watching()
    scene.commit(2, Worker(), **states)
    assert rules_of(scene.complaints) == ["R19 channels"]
