"""All mutants of the simulation, and the rules of which it can show nothing."""

from tests.simulation.mutants.rules_of_calendars import CALENDARS
from tests.simulation.mutants.rules_of_calls import CALLS
from tests.simulation.mutants.rules_of_meaning import MEANING
from tests.simulation.mutants.rules_of_requests import ASKED
from tests.simulation.mutants.rules_of_syncs import SYNCS
from tests.simulation.mutants.switches import Mutant

MUTANTS: tuple[Mutant, ...] = (*SYNCS, *CALENDARS, *ASKED, *MEANING, *CALLS)
UNSEEN: dict[str, str] = {
    "previous-token-is-not-checked": "only who holds the fence moves the token: a second lock on one door.",
    "open-intent-is-no-matter": "`call_at` waits for the same deadline, and is checked too: a second lock on one door.",
    "thaw-without-full-listing": "the Calendar double tells an old token everything that it missed.",
    "every-full-listing-has-a-window": "the sweep reads each linked event that a window hides, and nothing else of the "
    "past matters.",
    "stale-is-told-again": "only the product tells the back end anything, so none holds a generation above its own.",
}
"""By mutant: why nothing that the simulation plays or watches can show it."""

HOLES: dict[str, str] = {
    "review-goes-on-over-a-change": "rare: a sync would have to change the conference between what a review read and "
    "what it stores, so that the two contradict.",
    "moved-to-a-forgotten-calendar-is-lost": "rare: an event would have to move to a calendar that is forgotten, and "
    "its conference's other events be lost after that (tests/test_administer_calendar.py).",
    "forgotten-under-a-call": "rare: a call would have to be under way as its calendar is forgotten, and the "
    "conference be vouched for again before it lands (tests/test_administer_calendar.py).",
    "read-before-it-is-listed": "rare: between two syncs an event would have to be deleted unseen, asked for, and the "
    "role reduced (tests/test_found_by_simulation.py).",
}
"""By mutant that can survive: what the simulation would have to play or watch to notice it, or to notice it sooner."""

UNTRIED: dict[str, str] = {
    "R6": "the list parameters are one constant, and a day knows one version of them (tests/core/test_leases.py).",
    "R20": "pushes of a simulation are genuine, each with the token that its channel was opened with "
    "(tests/core/test_channels.py, tests/test_receive_notification.py).",
    "R21": "who may call the worker is a matter of IAM, and nothing is logged here (tests/test_doors.py).",
}
"""By rule: why no mutant removes it."""
