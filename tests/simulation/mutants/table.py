"""All mutants of the simulation, and the rules of which it can show nothing."""

from tests.simulation.mutants.rules_of_calls import CALLS
from tests.simulation.mutants.rules_of_meaning import MEANING
from tests.simulation.mutants.rules_of_requests import ASKED
from tests.simulation.mutants.rules_of_syncs import SYNCS
from tests.simulation.mutants.switches import Mutant

MUTANTS: tuple[Mutant, ...] = (*SYNCS, *ASKED, *MEANING, *CALLS)
UNSEEN: dict[str, str] = {
    "previous-token-is-not-checked": "only who holds the fence moves the token: a second lock on one door.",
    "open-intent-is-no-matter": "`call_at` waits for the same deadline, and is checked too: a second lock on one door.",
    "loser-of-a-race-wins": "one channel is left either way, and the other is stopped; only which one differs.",
    "thaw-without-full-listing": "the Calendar double tells an old token everything that it missed.",
    "every-full-listing-has-a-window": "the sweep reads each linked event that a window hides, and nothing else of the "
    "past matters.",
    "stale-is-told-again": "only the product tells the back end anything, so none holds a generation above its own.",
}
"""By mutant: why nothing that the simulation plays or watches can show it."""

HOLES: dict[str, str] = {
    "unknown-is-gone": "an event that moved would have to be unknown where it was before its new calendar is synced.",
    "what-was-told-before-is-believed": "rare: a call without an answer, then one that is refused for now, and then "
    "the event goes back to what was told before.",
    "create-without-reservation": "rare: a conference is made, the answer is lost, and so is its event before it is "
    "asked for again.",
    "written-over-a-change": "people would have to change an event between two calls of one worker: a step at the n-th "
    "call of a port, not at a time.",
    "written-over-another": "rare: an event would have to get another conference between two calls of one worker.",
    "rejected-page-is-asked-again": "a page token that was rejected would have to stay so; a fault comes once.",
    "one-event-blocks": "`events.get` of one event would have to be rejected for as long as the event lives.",
}
"""By mutant that can survive: what the simulation would have to play or watch to notice it, or to notice it sooner."""

UNTRIED: dict[str, str] = {
    "R6": "the list parameters are one constant, and a day knows one version of them (tests/core/test_leases.py).",
    "R20": "pushes of a simulation are genuine, each with the token that its channel was opened with "
    "(tests/core/test_channels.py, tests/test_receive_notification.py).",
    "R21": "who may call the worker is a matter of IAM, and nothing is logged here (tests/test_doors.py).",
}
"""By rule: why no mutant removes it."""
