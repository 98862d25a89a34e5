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
    "thaw-without-full-listing": "the Calendar double tells an old token everything that it missed.",
    "every-full-listing-has-a-window": "the sweep reads each linked event that a window hides, and nothing else of the "
    "past matters.",
}
"""By mutant: why nothing that the simulation plays or watches can show it."""

UNTRIED: dict[str, str] = {
    "R6": "the list parameters are one constant, and a day knows one version of them (tests/core/test_leases.py).",
    "R20": "pushes of a simulation are genuine, each with the token that its channel was opened with "
    "(tests/core/test_channels.py, tests/test_receive_notification.py).",
    "R21": "who may call the worker is a matter of IAM, and nothing is logged here (tests/test_doors.py).",
}
"""By rule: why no mutant removes it."""
