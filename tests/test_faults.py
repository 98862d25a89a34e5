"""A fault at every port call of a day in the life: the end state is the same as without it.

One fault a run: the process dies before or after the call took effect, or the call fails with a named error. Then the
system runs on, tasks are tried again, and after a while nobody can tell.
"""

from collections.abc import Callable
from datetime import timedelta

import pytest

from confsync.core.capabilities import Capabilities
from confsync.core.records import Calendar
from confsync.errors import CalendarUnavailable, OutcomeUnknown, StoreUnavailable, TaskQueueUnavailable
from tests.world import ALL_FIELDS, ANN, START, Crash, World, times

WEEKLY = ["RRULE:FREQ=WEEKLY;COUNT=8"]


class Tripwire:
    """Counts the port calls of a world, and springs at the n-th."""

    def __init__(self, world: World, at: int, fault: Callable[[str], BaseException], *, after: bool) -> None:
        """Hook into every port; `after` springs when the call's effect has happened."""
        self.calls = 0
        self._at, self._fault, self._after = at, fault, after
        world.before_calendar = self._hook("calendar")
        if after:
            world.provider.after = lambda _: self._hook("provider")("call")
            world.store.after_call = self._hook("store")  # type: ignore[attr-defined]
            world.queue.after_call = self._hook("queue")
        else:
            world.provider.before = lambda _: self._hook("provider")("call")
            world.store.on_call = self._hook("store")  # type: ignore[attr-defined]
            world.queue.on_call = self._hook("queue")

    def _hook(self, port: str) -> Callable[[str], None]:
        def spring(_: str) -> None:
            self.calls += 1
            if self.calls == self._at:
                raise self._fault(port)

        return spring


def crash(_: str) -> BaseException:
    """The process dies."""
    return Crash()


def error(port: str) -> BaseException:
    """The port fails with the error that says the least."""
    return {
        "calendar": CalendarUnavailable("injected"),
        "provider": OutcomeUnknown("injected"),
        "store": StoreUnavailable("injected"),
        "queue": TaskQueueUnavailable("injected"),
    }[port]


def a_day(world: World, patient: Callable[[Callable[[], object]], None]) -> None:
    """Create, rename, move, split, cancel, restore; `patient` does a step until it goes through."""
    world.lose_pushes = True  # notifications are sent apart from the write, so that Google can send them again
    planning = world.create("Planning", "c1")
    patient(lambda: world.initialize("c1", planning))
    weekly = world.create("Weekly", "c2", recurrence=WEEKLY)
    patient(lambda: world.initialize("c2", weekly))
    gone = world.create("Gone", "c3")
    patient(lambda: world.initialize("c3", gone))
    patient(world.settle)
    instances = world.model.instances(ANN, "primary", weekly)["items"]
    steps: list[Callable[[], object]] = [
        lambda: world.model.patch(ANN, "primary", planning, {"summary": "Planning II"}),
        lambda: world.model.patch(ANN, "primary", planning, dict(times(START + timedelta(days=3)))),
        lambda: world.model.patch(ANN, "primary", instances[1]["id"], {"summary": "Special"}),
        lambda: world.model.delete(ANN, "primary", gone),
        lambda: world.model.edit_this_and_following(ANN, "primary", instances[4]["id"], {"summary": "Part two"}),
        lambda: world.model.delete(ANN, "primary", planning),
        lambda: world.model.patch(ANN, "primary", planning, {"status": "confirmed"}),
    ]
    for step in steps:
        step()
        patient(lambda: world.push(ANN))
        patient(lambda: world.advance(90))
    patient(world.settle)
    patient(world.settle)


def outcome(world: World) -> dict[str, object]:
    """Return what must not depend on faults: the state of each conference, and that nobody is left waiting."""
    calendar = world.store.get(Calendar, Calendar.key_for("default", ANN, ANN))
    assert calendar is not None
    return {
        **{key: kept.state for key, kept in sorted(world.provider.conferences.items())},
        "lease": calendar.lease,
        "unserved": calendar.requested - calendar.served,
        "open intents": [world.conference(c).intent for c in ("c1", "c2", "c3")],
        "waiting ends": [world.conference(c).end_after for c in ("c1", "c2", "c3")],
        "channels": [channel.state for channel in calendar.channels],
    }


def patient_of(failures: list[BaseException]) -> Callable[[Callable[[], object]], None]:
    """Return a caller that tries again after a fault, as Calendar, Cloud Tasks and add-ons do."""

    def patient(step: Callable[[], object]) -> None:
        for _ in range(3):
            try:
                step()
            except (Crash, CalendarUnavailable, StoreUnavailable, TaskQueueUnavailable) as fault:
                failures.append(fault)
            else:
                return
        raise AssertionError("one fault must not fail three times")

    return patient


def lived(at: int, fault: Callable[[str], BaseException], *, after: bool, ordered: bool = True) -> tuple[World, int]:
    """Live through the day with one fault; return the world and how many port calls there were."""
    world = World(capabilities=Capabilities(ALL_FIELDS, ordered_writes=ordered, restores=True))
    wire = Tripwire(world, at, fault, after=after)
    a_day(world, patient_of([]))
    return world, wire.calls


@pytest.mark.parametrize("after", [False, True], ids=["before its effect", "after its effect"])
@pytest.mark.parametrize("fault", [crash, error])
@pytest.mark.parametrize("ordered", [True, False], ids=["ordered back end", "unordered back end"])
def test_a_fault_at_any_port_call_leaves_no_trace(
    fault: Callable[[str], BaseException], after: bool, ordered: bool
) -> None:
    """Every port call of the day is hit once."""
    unhurt, calls = lived(0, fault, after=after, ordered=ordered)
    expected = outcome(unhurt)
    assert calls > 50
    for at in range(1, calls + 1):
        world, _ = lived(at, fault, after=after, ordered=ordered)
        assert outcome(world) == expected, f"fault at port call {at}"
