"""Small scope: what a case must mean, in words alone.

Stated once, from the ground rules (R8..R13, R16) and the table of Calendar changes, without the planner: nothing here
calls it. Where planner and meaning differ, one of them is wrong.
"""

from dataclasses import dataclass
from typing import Literal

from tests.core.small_scope_recorded import DECIDED, FOR_GOOD, WAITING, Means, Recorded, Standing
from tests.core.small_scope_shown import TOMBSTONES, UNKNOWN, Kind, Look, Shape

Word = Literal["nothing", "holds", "holds another", "lost", "missing", "moved", "out of sight"]
"""What a look says of an event: nothing; it has this conference; another of ours; it has it no more, for certain; not
even a full listing has it; it is organized by somebody else now; its calendar does not know it, which alone is no
deletion."""
WORDS: dict[Shape, Word] = {
    "unknown": "out of sight",
    "missing from a full listing": "missing",
    "unreadable": "nothing",
    "unproven": "nothing",
    "id only": "moved",
    "deleted": "lost",
    "deleted, another organizer": "moved",
    "guest copy": "moved",
    "guest copy without": "moved",
    "locked": "moved",
    "redacted": "nothing",
    "ours": "holds",
    "ours renamed": "holds",
    "ours at another time": "holds",
    "another of ours": "holds another",
    "ours under a strange name": "lost",
    "somebody else's": "lost",
    "without": "lost",
    "pending": "nothing",
    "timeless": "nothing",
}
ELSEWHERE: frozenset[Shape] = frozenset({"deleted, another organizer", "guest copy", "guest copy without"})
"""Shapes that name another organizer."""
CHANGED: frozenset[Shape] = frozenset({"ours renamed", "ours at another time"})
"""Shapes in which the event differs from what was recorded of it."""
Claims = Literal["registered", "matching"]
End = Literal["cancelled", "as it was", "begun", "kept", "kept, still refused"]
Change = Literal["none", "adopted", "told", "back", "successor", "given up"]
"""What becomes of the desired state: untouched; recorded without a call; told anew; there and back again, no call;
replaced by a successor; given up since no successor can be made."""


@dataclass(frozen=True)
class Case:
    """Everything that one plan starts from."""

    kind: Kind
    standing: Standing
    shown: Look
    answer: Look | None = None
    """What a reading of a listed event shows."""
    claims: Claims = "registered"
    means: Means = "both"

    def __str__(self) -> str:
        """Say the scenario in words."""
        answer = f"; {self.answer}" if self.answer else ""
        return (
            f"\n  the event ({self.kind}) is {self.shown}{answer}\n  {self.standing}"
            f"\n  policy for claims: {self.claims}; of what ended the back end can do: {self.means}"
        )


@dataclass(frozen=True)
class Meaning:
    """What has to be recorded after the plan."""

    speaks: bool
    """Whether the event says anything that counts; if not, nothing at all may change."""
    recorded: Recorded
    end: End = "as it was"
    change: Change = "none"
    ends_in_vain: bool = False
    """Whether an end that waits to be told must not be told any more."""


def tells_of_organizer(case: Case) -> bool:
    """Whether a guest's copy, for which the add-on vouched, tells whose event it is."""
    return decisive(case).shape == "guest copy" and case.standing.vouched == "this event"


def word_of(look: Look) -> Word:
    """Return what a look says, whatever is recorded; less than a writer sees proves nothing but a deletion."""
    if not look.as_writer and look.shape not in TOMBSTONES | UNKNOWN:
        return "nothing"
    return WORDS[look.shape]


def is_old_news(look: Look, recorded: Recorded) -> bool:
    """Observations never go backwards (R13)."""
    return recorded != "nothing" and look.is_stamped and look.age == "older"


def says(look: Look, recorded: Recorded) -> Word:
    """Return what a look says, given what is known."""
    if is_old_news(look, recorded):
        return "nothing"
    known_by_its_id = look.shape == "ours under a strange name" and look.as_writer and recorded != "nothing"
    return "holds" if known_by_its_id else word_of(look)


def decisive(case: Case) -> Look:
    """Return the look that decides: a list item alone takes no owner away, nor does one without a time stamp count."""
    recorded = case.standing.recorded
    if case.shown.read or case.answer is None or is_old_news(case.shown, recorded):
        return case.shown
    unstamped = recorded != "nothing" and not case.shown.is_stamped
    takes_away = recorded in {"owner", "orphan"} and says(case.shown, recorded) in {"lost", "moved", "holds another"}
    moved_later = has_gone_elsewhere(case.shown, recorded)
    return case.answer if unstamped or takes_away or moved_later or _is_read_whole(case) else case.shown


def _is_read_whole(case: Case) -> bool:
    """A series that owns its conference is read whole when it is new, or was ever seen with exceptions (21, 22)."""
    may_have_exceptions = case.standing.recorded == "nothing" or case.kind == "series with an exception"
    holds = says(case.shown, case.standing.recorded) == "holds" and _holder(case) == "owner"
    return case.kind.startswith("series") and may_have_exceptions and holds


def _holder(case: Case) -> Recorded:
    """Return what an event that has the conference is to it (R11)."""
    vouched = case.standing.vouched == "this event"
    is_expected = case.standing.vouched == "another event"  # and no event ever owned it
    is_free = case.claims == "matching" and not is_expected
    return "owner" if vouched or case.standing.owns or is_free else "claim"


def has_gone_elsewhere(look: Look, recorded: Recorded) -> bool:
    """Whether what was lost is another organizer's now, and may have got the conference back before anybody looked."""
    return recorded == "owner gone" and look.shape in ELSEWHERE and says(look, recorded) == "moved"


def meaning_of(case: Case) -> Meaning:
    """Return what the case must come to."""
    look, before = decisive(case), case.standing.recorded
    after = _recorded_after(case, says(look, before))
    if after is None:
        return Meaning(speaks=False, recorded=before)
    if after == "owner":
        return _with_live_owner(case, look)
    vain = after == "orphan" and case.standing.end in WAITING
    return Meaning(speaks=True, recorded=after, end=_end_without(case, after), ends_in_vain=vain)


def _recorded_after(case: Case, word: Word) -> Recorded | None:
    """Return what is recorded of the event afterwards; None where it says nothing."""
    before = case.standing.recorded
    if has_gone_elsewhere(decisive(case), before):
        return "orphan"
    if word == "holds":
        return _holder(case)
    if word == "holds another" and before.endswith("gone"):
        return before
    if word == "nothing" or before not in {"claim", "owner", "orphan"}:
        return None
    if before == "claim":
        return "claim gone"
    if before == "orphan" and word in {"missing", "out of sight"}:
        return None
    return "owner gone" if word in {"lost", "missing", "holds another"} else "orphan"


def _end_without(case: Case, after: Recorded) -> End:
    """R9: an end begins on proof alone; what moved, was held, is braked or refused is kept; claims decide nothing."""
    end = case.standing.end
    refused = end == "rejected"
    if after == "orphan":
        return "kept, still refused" if refused else "kept"
    if after != "owner gone" or end not in DECIDED:
        return "as it was"
    if case.kind == "over":
        return "kept, still refused" if refused else "kept"
    return "begun" if end == "none" else "as it was"


def _with_live_owner(case: Case, look: Look) -> Meaning:
    """S1: whatever was decided, an event that holds the conference keeps it; what is over is told nothing."""
    over = is_over(case.kind, look.shape)
    vain = case.standing.end in WAITING
    change = "none" if over else _change(case, look)
    return Meaning(speaks=True, recorded="owner", end="cancelled", change=change, ends_in_vain=vain)


def is_over(kind: Kind, shape: Shape) -> bool:
    """Whether the last occurrence is over."""
    if kind.startswith("series"):
        return False
    return (kind == "over") != (shape == "ours at another time")


def _change(case: Case, look: Look) -> Change:
    end, told = case.standing.end, case.standing.told
    if end in FOR_GOOD:
        return _replaced(case)
    if end == "ended" and case.means == "creates":
        return "successor"
    if end in DECIDED:
        return _told_change(told, look.shape, is_registered=case.standing.vouched != "nobody")
    # an end that nobody announced is taken back without a call; one that was announced may land
    announced = end in {"called", "outcome unknown", "ended"}
    return "told" if announced or look.shape in CHANGED else "back"


def _replaced(case: Case) -> Change:
    return "successor" if case.means in {"creates", "both"} else "given up"


def _told_change(told: str, shape: Shape, *, is_registered: bool) -> Change:
    """R12: no difference, no call."""
    if told == "never":
        return "told" if is_registered else "adopted"
    if (shape == "ours renamed") if told == "told another" else (shape not in CHANGED):
        return "none"
    returns = told in {"pending", "busy", "refused"} and shape == "ours renamed"
    return "back" if returns else "told"
