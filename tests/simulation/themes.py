"""What may go wrong, and the themes of days: most days know one sort of faults only, and so meet it often.

It must never be drawn from but by `recording`.
"""

from dataclasses import dataclass

FAULTS: dict[str, tuple[str, ...]] = {
    "calendar": (
        "crash-before", "crash-after", "unavailable-before", "unavailable-after", "rate", "quota", "access",
        "rejected", "sync_token", "page_token", "pause-before", "pause-after", "landing",
    ),
    "store": ("crash-before", "crash-after", "unavailable-before", "unavailable-after", "pause-before", "pause-after"),
    "transaction": ("pause-before", "abort", "crash-before"),
    "queue": (
        "crash-before", "crash-after", "unavailable-before", "unavailable-after", "pause-before", "pause-after",
        "landing",
    ),
    "provider": (
        "crash-before", "crash-after", "crash-landing", "busy", "unknown-lost", "unknown-landed", "unknown-landing",
        "refuses", "rejected", "slow-before", "slow-after", "step-before", "step-after", "pause-after",
    ),
    "task": ("late", "twice", "again", "lost"),
    "push": ("late", "twice", "again", "lost"),
    "page": ("page_token", "step-before", "pause-before"),
    "event": ("refused", "step-before", "step-after", "pause-after", "unavailable-after"),
    "look": ("step-before", "step-after", "pause-after", "pause-after", "crash-after"),
    "create": ("crash-after", "crash-landing", "unknown-landed", "busy", "step-after", "pause-after"),
    "rewrite": ("step-before", "step-after", "step-after", "pause-after", "crash-after", "unavailable-after"),
}  # fmt: skip
"""What may go wrong at each port, with tasks and pushes on their way, and at five sorts of calls.

    page     asks for a further page of a listing      event    reads one event
    look     reads one outside of a sync               create   asks for a conference
    rewrite  is on the way to write one into its event
"""

SORTS = ("page", "event", "look", "create", "rewrite")
RARE = ("rejected", "quota", "access", "refuses", "refused")
RARITY = {
    "provider": 2.0,
    "push": 1.0,
    "task": 1.0,
    "page": 1.0,
    "event": 0.5,
    "look": 0.3,
    "create": 0.7,
    "rewrite": 0.5,
}
"""How fast the chance of a later call falls, for ports that are called seldom."""
SECONDS = (1, 3, 8, 20, 45, 65, 95, 200)

_SMALL = (
    "rename", "undo", "undo", "retime", "describe", "replace_conference", "remove_conference", "put_back_conference",
    "delete", "restore", "move", "move_back", "cancel_instance", "duplicate", "change_owner", "expire_tokens",
)  # fmt: skip


@dataclass(frozen=True)
class Theme:
    """What a day is about."""

    faults: tuple[str, ...] = ("",)
    """Parts of the names of the faults that it knows: port, space, kind."""
    likely: tuple[str, ...] = ()
    """What people do far more often; then the day knows all faults of the theme."""
    only_after: bool = False
    """Whether nothing goes wrong but after those."""
    acts: tuple[str, ...] = _SMALL
    """What people do while a call is under way."""
    meanwhile: float = 0.1
    """How often they do that while something goes wrong."""
    rates: tuple[float, ...] = (0, 0.5, 1, 2, 4)
    """Faults after a step, of which a day has one."""
    then: float = 0.1
    """How often a fault is followed by another at the next call of its port."""
    next_kinds: tuple[str, ...] = ()
    """What may follow; empty: whatever else may go wrong at that port."""
    next_acts: tuple[str, ...] = ()
    """What people do then; empty: as otherwise."""
    quick: bool = False
    """Whether ends follow soon after they were decided."""
    replaces: bool = False
    """Whether conferences end for good, and others take their place."""
    in_pages: bool = False
    """Whether lists come in small pages."""


_OFTEN_REPLACED = ("duplicate", "restore", "delete", "put_back_conference")
THEMES: tuple[Theme, ...] = (
    *(Theme() for _ in range(6)),
    *(Theme((part,)) for part in ("pause", "provider", "push", "crash", "calendar", "land") for _ in range(2)),
    Theme((" step", "pause-after"), likely=("rename", "delete", "restore", "move"), meanwhile=0.5),
    *2 * (Theme(
        ("provider unknown-land",), likely=("rename", "retime"), only_after=True, rates=(2, 4), meanwhile=0,
        then=1, next_kinds=("busy",), next_acts=("undo",),
    ),),
    *2 * (Theme(
        ("create", "rewrite"), likely=_OFTEN_REPLACED, quick=True, replaces=True, meanwhile=0.7, rates=(0.6, 1),
        acts=(*3 * ("replace_conference",), "remove_conference", *2 * ("delete",)),
    ),),
    Theme(
        ("event ",), likely=("delete", "restore", "move", "remove_conference", "put_back_conference"), meanwhile=0.6,
        acts=("restore", "put_back_conference", "move_back", "undo", "replace_conference", "delete"),
    ),
    Theme(
        ("look ",), likely=("delete", "restore", "move", "move_back", "remove_conference"), quick=True, meanwhile=1,
        acts=("restore", "put_back_conference", "move_back", "undo", "undo", "undo", "undo"), rates=(1, 2),
    ),
    Theme(("page ",), likely=("create", "expire_tokens", "delete"), in_pages=True),
    Theme(("push ", "provider pause"), likely=("move", "change_owner", "rename"), meanwhile=0.5, rates=(1, 2, 4)),
)  # fmt: skip
"""Those with something likely look for one coincidence each."""
