"""Schedules of which each once went wrong somewhere: played on purpose, and seen to have happened."""

from confsync.core.capabilities import Capabilities
from confsync.core.rules import Rules
from tests.simulation.simulation import Simulation, lived
from tests.simulation.tapes import Fault, Setting, Step, Tapes
from tests.world import ALL_FIELDS

EVERY_CALENDAR = 7
RULES = Rules(
    lease_s=40,
    task_s=70,
    grace_s=20,
    reconcile_s=1800,
    frozen_retry_s=300,
    quota_pause_s=300,
    refused_pause_s=60,
    poll_s=300,
)
ORDERED = Capabilities(ALL_FIELDS, ordered_writes=True, restores=True)
SINGLE_OF_ANN, IN_TEAM = (0, 1, 0, 1, 0, 0), (3, 1, 0, 1, 0, 0)
OTHER_TITLE = (0, 0, 0, 0, 1, 0)
"""Dice of `create`: a single event tomorrow, registered at once; the first number chooses the calendar."""


def day(*steps: Step, faults: tuple[Fault, ...] = (), seed: int = 0, **setting: object) -> Simulation:
    """Return a day that was played; it broke no rule."""
    parts = Setting(RULES, ORDERED, begin=EVERY_CALENDAR, **setting)  # type: ignore[arg-type]
    played = lived(Tapes(seed, parts, steps, faults))
    assert not played.violations, "\n".join([*played.violations, *played.lines])
    return played


def step(number: int, at_s: float, action: str, dice: tuple[int, ...] = SINGLE_OF_ANN) -> Step:
    """Return a step; its dice choose the newest event unless they say otherwise."""
    return Step(number, at_s, action, dice)


def test_a_retry_that_meets_its_own_dead_lease_waits_for_its_end() -> None:
    """The instance dies while it lists; its task comes again a second later, and somebody still syncs the change."""
    crash = Fault(1, "calendar", 1, "crash-before", 0)
    played = day(step(0, 0, "create"), step(1, 60, "rename", OTHER_TITLE), faults=(crash,))
    assert played.sometimes.reached["a retry met its own dead lease"]


def test_a_call_that_lands_after_a_newer_one_changes_nothing() -> None:
    """The back end orders writes: the late call is told that it is stale, and the newest state stays."""
    lost = Fault(0, "provider", 1, "unknown-landing", 20)
    assert day(step(0, 1, "create"), faults=(lost,)).sometimes.reached["a call landed after a newer one"]


def test_a_moved_event_whose_new_calendar_syncs_first_keeps_its_conference() -> None:
    """The push of the calendar that it left is late: the other one binds it first, and nothing ends."""
    late = Fault(1, "push", 2, "late", 45)
    played = day(step(0, 0, "create", IN_TEAM), step(1, 60, "move", (0, 2, 0, 0, 0, 0)), faults=(late,))
    assert played.sometimes.reached["the destination of a move synced first"]
    assert played.provider.conferences["c0"].state is not None


def test_a_crash_between_dropping_the_token_and_the_listing_costs_only_time() -> None:
    """The next sync finds no token and lists everything."""
    crash = Fault(2, "store", 2, "crash-after", 0)
    played = day(
        step(0, 0, "create"), step(1, 60, "expire_tokens", (0, 0, 0, 0, 0, 0)), step(2, 61, "delete"), faults=(crash,)
    )
    assert played.sometimes.reached["a crash between dropping the token and the listing"]


def test_a_resumed_checkpoint_does_not_serve_a_notification_that_came_meanwhile() -> None:
    """Half of a listing is stored when its instance dies; what was asked for since is listed for anew."""
    crashes = tuple(Fault(number, "calendar", 2, "crash-before", 0) for number in (4, 5, 6))  # whichever is last
    creates = (step(number, number, "create") for number in range(3))
    renames = (step(4 + age, 100, "rename", (age, 0, 0, 0, 1, 0)) for age in range(3))
    played = day(*creates, *renames, faults=crashes, page_size=1)
    assert played.sometimes.reached["a checkpoint resumed while a notification was coalesced"]


def test_two_calendars_that_write_one_conference_at_once_agree_on_it() -> None:
    """The syncs of the calendar that an event left and of the one it went to race for its conference."""
    pause = Fault(1, "store", 7, "pause-before", 3)
    played = day(step(0, 0, "create", IN_TEAM), step(1, 60, "move", (0, 2, 0, 0, 0, 0)), faults=(pause,))
    assert played.sometimes.reached["two calendars wrote one conference at once"]


def test_a_worker_that_pauses_over_an_id_only_tombstone_still_ends_the_conference() -> None:
    """Nothing but an id is listed; half a minute later the event is read, and what it was is known from the store."""
    pause = Fault(1, "calendar", 2, "pause-before", 30)
    played = day(step(0, 0, "create"), step(1, 60, "delete"), faults=(pause,), id_only=True)
    assert played.sometimes.reached["an id-only tombstone recorded by a paused worker"]
    assert played.provider.conferences["c0"].state is None
