"""The oracles of waits, brakes and privacy: each is shown what it must report, and what it must not."""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import pytest

from confsync.core.conference import Applied, Conference, Desired, Hold, Referent, Times
from confsync.core.records import Brake, Failure, Record
from confsync.core.rules import Rules
from confsync.core.state import ConferenceState, Moment
from confsync.update_conference import UpdateOutcome
from tests.simulation.oracles import privacy
from tests.simulation.oracles.brakes import BrakeJudge
from tests.simulation.oracles.ledger import Complaints, Ledger
from tests.simulation.oracles.waits import WaitJudge
from tests.world import START

RULES = replace(Rules(), calendar_brake=1, tenant_brake=50)
HELD = Hold(since=START, scope="calendar", calendar_key="ann", count=2, limit=1)
SKEW = timedelta(seconds=1)


@dataclass(eq=False)
class Worker:
    """A worker with a clock that is right."""

    at: datetime = START
    name: str = "w"
    fences: dict[str, int] = field(default_factory=dict)

    @property
    def since(self) -> datetime:
        """When it began: just now."""
        return self.at

    @property
    def read_at(self) -> datetime:
        """When its transaction began: just now."""
        return self.at

    def now(self) -> datetime:
        """Return the time."""
        return self.at


@dataclass
class Scene:
    """What is committed, and what the judges of brakes and waits say of it."""

    complaints: Complaints = field(default_factory=Complaints)
    committed: dict[str, dict[str, Record]] = field(default_factory=lambda: {"conference": {}})
    now: datetime = START

    def __post_init__(self) -> None:
        """Let the judges read it."""
        ledger = Ledger(self.committed, {})
        self.brakes = BrakeJudge(ledger, self.complaints, RULES)
        self.waits = WaitJudge(ledger, self.complaints, SKEW)

    def commit(self, after: Conference, worker: Worker | None = None) -> None:
        """Commit a conference."""
        before = self.committed["conference"].get(after.key)
        assert before is None or isinstance(before, Conference)
        self.committed["conference"][after.key] = after
        self.brakes.watch(before, after, self.now)
        self.waits.watch_commit(after, worker or Worker())

    @property
    def rules(self) -> list[str]:
        """The rules that were broken."""
        return [each.partition(":")[0] for each in self.complaints.all]


def conference(name: str = "a", *, state: str = "gone", **fields: object) -> Conference:
    """Return a conference of one event in Ann's calendar."""
    moment = Moment(instant=START)
    owner = Referent.model_validate(
        {
            "calendar_key": "ann",
            "event_id": "e",
            "ical_uid": "u",
            "role": "owner",
            "state": state,
            "times": Times(start=moment, end=moment),
        }
    )
    known = {"key": name, "tenant": "default", "provider": "acme", "conference_id": name, "referents": {"l": owner}}
    return Conference.model_validate({**known, **fields})


def ending(name: str, at: datetime) -> Conference:
    """Return a conference whose end is decided."""
    return conference(name, end_after=at + timedelta(seconds=60))


def wanted(name: str) -> Conference:
    """Return a conference whose end is wanted."""
    return conference(name, desired=Desired(generation=2, fingerprint="ended"))


def late(seconds: float) -> Worker:
    """Return a worker that begins so much later."""
    return Worker(START + timedelta(seconds=seconds))


# Waits


@pytest.mark.parametrize(("at_s", "broken"), [(50, ["S5"]), (99, []), (100, [])])
def test_whoever_was_told_to_wait_and_stored_it_waits(at_s: int, broken: list[str]) -> None:
    """Clocks differ by a second at most each."""
    scene, worker = Scene(), Worker()
    scene.waits.hear("a", "a", START + timedelta(seconds=100), worker)
    scene.commit(conference(), worker)
    scene.waits.watch("a", "a", START + timedelta(seconds=at_s), late(at_s))
    assert scene.rules == broken


def test_a_wait_that_its_worker_did_not_live_to_store_binds_nobody() -> None:
    """Nobody else heard of it."""
    scene = Scene()
    scene.waits.hear("a", "a", START + timedelta(seconds=100), Worker())
    scene.commit(conference(), late(1))
    scene.waits.watch("a", "a", START, Worker())
    assert scene.rules == []


def test_nothing_is_told_before_a_stored_wait() -> None:
    """Also where the product put it off by itself."""
    scene = Scene()
    scene.commit(conference(wait_until=START + timedelta(seconds=60)))
    scene.waits.watch("a", "a", START, late(59))
    assert scene.rules == ["S5"]
    scene.waits.watch("a", "a", START, late(60))
    assert scene.rules == ["S5"]


# Brakes


def test_an_end_is_held_only_where_more_than_the_limit_were_decided() -> None:
    """One is not too many, two are."""
    scene = Scene()
    scene.commit(ending("a", START))
    scene.commit(conference("a", brake="held", hold=HELD))
    assert scene.rules == ["R10"]
    scene = Scene()
    for name in "ab":
        scene.commit(ending(name, START))
    scene.commit(conference("a", brake="held", hold=HELD))
    assert scene.rules == []


@pytest.mark.parametrize("brake", ["held", "rejected"])
def test_no_end_is_told_that_is_held_or_was_rejected(brake: str) -> None:
    """Whatever else is stored."""
    scene = Scene()
    scene.committed["conference"]["a"] = conference(brake=brake)
    scene.brakes.watch_end("a", late(61))
    assert scene.rules == ["R10"]


def test_of_more_ends_than_the_limit_none_is_told() -> None:
    """Both were decided before the worker began that tells one of them."""
    scene = Scene()
    for name in "ab":
        scene.commit(ending(name, START))
    scene.commit(wanted("a"))
    scene.brakes.watch_end("a", late(61))
    assert scene.rules == ["R10"]


def test_an_end_within_the_limit_is_told() -> None:
    """The other one was decided hours before."""
    scene = Scene()
    scene.commit(ending("a", START))
    scene.now = START + timedelta(hours=3)
    scene.commit(ending("b", scene.now))
    scene.commit(wanted("b"))
    scene.brakes.watch_end("b", late(3 * 3600 + 61))
    assert scene.rules == []


def test_an_end_counts_from_when_it_was_decided_last_though_its_own_worker_did_that() -> None:
    """Hours before it was one of two, and an event held it again since."""
    scene = Scene()
    for name in "ab":
        scene.commit(ending(name, START))
    scene.commit(conference("a", state="live"))
    scene.now = START + timedelta(hours=3, seconds=5)
    scene.commit(ending("a", scene.now))
    scene.commit(wanted("a"))
    scene.brakes.watch_end("a", late(3 * 3600))
    assert scene.rules == []


@pytest.mark.parametrize(("said", "broken"), [("approved", []), ("rejected", ["R10"]), (None, ["R10"])])
def test_only_an_operator_frees_a_held_end(said: str | None, broken: list[str]) -> None:
    """By that very word."""
    scene = Scene()
    for name in "ab":
        scene.commit(ending(name, START))
    scene.commit(conference("a", brake="held", hold=HELD))
    scene.brakes.hear(["a"], said) if said else None
    scene.commit(conference("a", brake="approved", end_after=START))
    assert scene.rules == broken


@pytest.mark.parametrize(
    ("state", "is_over", "broken"), [("gone", False, ["R10"]), ("live", False, []), ("gone", True, [])]
)
def test_a_rejected_end_stays_rejected_until_an_event_holds_the_conference(
    state: str, broken: list[str], *, is_over: bool
) -> None:
    """Nobody else takes the word back; nothing is left of it where the back end says that the conference is over."""
    scene = Scene()
    scene.committed["conference"]["a"] = conference(brake="rejected")
    scene.commit(conference("a", state=state, gone=is_over))
    assert scene.rules == broken


@pytest.mark.parametrize(
    ("left", "told", "held_by", "broken"),
    [
        ("held", "state", [], ["R10"]),
        ("rejected", None, [], []),
        ("rejected", "state", [], []),
        ("rejected", "state", ["event"], ["R10"]),
        ("approved", None, [], []),
    ],
)
def test_in_the_evening_operators_decided_about_everything(
    left: str, told: object, held_by: list[str], broken: list[str]
) -> None:
    """What an event holds waits for nobody; a rejected end that was not told now was carried out long before."""
    scene = Scene()
    scene.committed["conference"]["a"] = conference(brake=left)
    scene.brakes.judge({"a": told}, {"a": held_by})
    assert scene.rules == broken


def test_what_was_told_to_end_though_that_was_rejected_is_seen_in_the_evening_too() -> None:
    """The call is a complaint, and so is what is left."""
    scene = Scene()
    scene.committed["conference"]["a"] = conference(brake="rejected")
    scene.brakes.watch_end("a", Worker())
    scene.brakes.judge({"a": None}, {"a": []})
    assert scene.rules == ["R10", "R10"]


def test_what_was_told_to_end_before_it_was_held_may_have_ended() -> None:
    """Its outcome was unknown; nobody can take it back."""
    scene = Scene()
    for name in "ab":
        scene.commit(ending(name, START))
    scene.brakes.watch_end("a", Worker(START))
    scene.commit(conference("a", brake="held", hold=HELD))
    scene.brakes.hear(["a"], "rejected")
    scene.commit(conference("a", brake="rejected"))
    scene.brakes.judge({"a": None}, {"a": []})
    assert scene.rules == []


def test_an_operator_hears_of_a_brake_once_an_hour() -> None:
    """The second alert is too early, the third is not."""
    scene = Scene()
    blank = Brake(key="b", tenant="default")
    alerts = [blank.model_copy(update={"alerted_at": START + timedelta(minutes=at)}) for at in (0, 59, 120)]
    for before, after in zip([None, *alerts[:2]], alerts, strict=True):
        scene.brakes.watch_alert(before, after)
    assert scene.rules == ["R10"]


# Privacy


@pytest.mark.parametrize(
    ("record", "broken"),
    [
        (conference(last_error="refused: Title 3"), ["R21"]),
        (conference(last_error="refused"), []),
        (Failure(key="f", tenant="t", reason="of ann@example.com", first_at=START, last_at=START), ["R21"]),
        (
            conference(
                desired=Desired(generation=1, fingerprint="x", state=ConferenceState(title="Title 1")),
                applied=Applied(generation=1, fingerprint="x"),
            ),
            ["R21"],
        ),
        (conference(desired=Desired(generation=1, fingerprint="x", state=ConferenceState(title="Title 1"))), []),
    ],
)
def test_what_people_wrote_stands_only_in_a_state_that_is_still_to_be_told(record: Record, broken: list[str]) -> None:
    """Not in errors, not in failures, and not after it was told."""
    complaints = Complaints()
    privacy.watch_record(record, record.model_dump_json(), complaints)
    assert [each.partition(":")[0] for each in complaints.all] == broken


def test_what_people_wrote_stands_in_no_answer() -> None:
    """Answers are logged."""
    complaints = Complaints()
    privacy.watch_answer(UpdateOutcome("k", reason="Title 2 is refused"), complaints)
    privacy.watch_answer(UpdateOutcome("k", reason="refused"), complaints)
    assert len(complaints.all) == 1
