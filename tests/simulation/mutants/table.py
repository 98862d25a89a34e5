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
    "registered-is-not-told": "the evening lets pass what is never told and marked `adopted` by the product; "
    "whether anybody vouched for it would have to count.",
    "no-lease": "a claim over a lease that has not expired by the claimer's clock would have to count as R4.",
    "busy-is-not-counted": "a task that ends `busy` would have to leave `requested` one higher.",
    "no-task-after-the-lease": "a task that ends `busy` would have to leave the task after that lease in the queue.",
    "lease-is-not-extended": "each page that is recorded would have to move the lease's end on.",
    "lease-is-left-behind": "a worker that ends alive, with the store in reach, would have to hold no lease.",
    "no-second-look": "an announced sync that listed nothing would have to leave its `lag` task in the queue.",
    "answers-before-the-task-exists": "a push that was answered would have to leave a task that starts after it.",
    "no-trailing-task": "a push that was answered would have to leave a task that starts after it.",
    "old-channel-stays-open": "a renewal that ends alive would have to have tried to stop what it replaced; the "
    "evening lets any retiring channel pass.",
    "renewed-when-it-is-over": "a calendar that was watched would have to stay so at every moment, where no fault "
    "met `watch`.",
    "moved-event-counts-twice": "the evening lets every orphan with a review pass; it would have to ask Calendar's "
    "truth whether the event lives anywhere.",
    "orphan-is-not-looked-for": "the evening lets every orphan with a review pass, whatever became of its event.",
    "difference-in-nothing-is-told": "a call that tells the state that was confirmed last would have to count as R12.",
    "no-grace": "an end would have to be wanted no sooner than `grace_s` after it was decided.",
    "pending-is-absence": "an end that leaves while an owner waits for its new conference would have to count as R9.",
    "held-is-ended": "an end that leaves after its last owner was over would have to count as R9.",
    "discarded-draft-lives": "the back end would have to hold what the add-on made before its event exists: the "
    "evening lets pass whatever was never told.",
    "forgotten-at-once": "the oracles read who was vouched for from the product's record, and forget it with that.",
    "again-as-the-same-generation": "a generation that leaves a second time after an unknown outcome would have to "
    "count as R15.",
}
"""By mutant that can survive: what the simulation would have to play or watch to notice it, or to notice it sooner."""

UNTRIED: dict[str, str] = {
    "R6": "the list parameters are one constant, and a day knows one version of them (tests/core/test_leases.py).",
    "R20": "pushes of a simulation are genuine, each with the token that its channel was opened with "
    "(tests/core/test_channels.py, tests/test_receive_notification.py).",
    "R21": "who may call the worker is a matter of IAM, and nothing is logged here (tests/test_doors.py).",
}
"""By rule: why no mutant removes it."""
