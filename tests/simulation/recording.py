"""Draw the two tapes of a seed: each day knows only some of the actions, some of the faults, and one pace of calls.

It must never depend on anything but the seed.
"""

import random
from collections.abc import Iterable
from dataclasses import replace
from typing import Literal

from confsync.core.capabilities import Capabilities
from confsync.core.rules import Rules
from confsync.core.state import Field
from tests.simulation.tapes import Fault, Latency, Meanwhile, Setting, Step, Tapes
from tests.simulation.themes import FAULTS, RARE, RARITY, SECONDS, SORTS, THEMES, Theme
from tests.world import ALL_FIELDS

ACTIONS: dict[str, int] = {
    "create": 14, "rename": 8, "rename_back": 2, "retime": 6, "describe": 2, "rezone": 2, "remind": 1, "all_day": 1,
    "privacy": 1, "invite": 6, "uninvite": 2, "answer": 3, "move_copy": 3, "drop_copy": 3, "take_copy_back": 2,
    "rename_instance": 4, "move_instance": 4, "cancel_instance": 4, "restore_instance": 2, "strip_instance": 1,
    "rebook_instance": 2, "split": 4, "split_elsewhere": 3, "cut_off": 2, "edit_all": 2, "reschedule_series": 2,
    "delete": 8, "restore": 7, "delete_forever": 1, "vanish": 4, "duplicate": 4, "copy_across": 2,
    "remove_conference": 4,
    "replace_conference": 4, "put_back_conference": 2, "meet": 2, "meet_pending": 2, "meet_settles": 2,
    "move": 6, "move_back": 3, "reduce_role": 2, "return_role": 3, "expire_tokens": 4, "forge": 3,
    "register_again": 2, "register_unborn": 1, "rename_past": 1, "pulse": 2,
    "decline_own": 1, "invite_to_instance": 2, "stretch": 2, "change_owner": 3, "import": 2, "focus": 1,
    "discard_draft": 2, "suspend": 2, "delete_calendar": 1, "clear": 1, "forget_deleted": 1, "undo": 2,
}  # fmt: skip
"""What people and Calendar do, with weights."""

FOLLOW_UPS: dict[str, tuple[str, ...]] = {
    "rename": ("rename_back", "rename_back", "move"),
    "retime": ("undo", "undo", "delete"),
    "rename_back": ("rename_back",),
    "delete": ("restore", "restore", "restore", "expire_tokens", "delete_forever", "forget_deleted"),
    "restore": ("delete", "expire_tokens", "rename", "remove_conference", "meet_pending", "move"),
    "remove_conference": ("put_back_conference", "replace_conference", "expire_tokens"),
    "move_back": ("delete", "replace_conference", "rename", "remove_conference"),
    "forge": ("remove_conference", "replace_conference", "delete"),
    "cut_off": ("forget_deleted", "restore_instance"),
    "move": ("move_back", "move_back", "remove_conference", "delete", "rename"),
    "drop_copy": ("take_copy_back",),
    "cancel_instance": ("restore_instance",),
    "rename_instance": ("move_instance", "split"),
    "reduce_role": ("return_role", "rename", "delete"),
    "duplicate": ("delete",),
    "split": ("rename_instance", "delete", "cut_off"),
    "invite": ("answer", "decline_own", "drop_copy", "move_copy", "uninvite"),
    "change_owner": ("rename", "remove_conference", "delete", "change_owner"),
    "suspend": ("change_owner", "change_owner", "reinstate"),
    "delete_calendar": ("rename", "return_role"),
    "clear": ("restore",),
}  # fmt: skip
"""What people often do next to the same event: second thoughts are where order matters."""


def record(seed: int) -> Tapes:
    """Return the tapes of a seed."""
    dice = random.Random(seed)  # noqa: S311 - repeatable, not secret
    setting, theme = _setting(dice), dice.choice(THEMES)
    steps = tuple(_steps(dice, theme))
    faults = tuple(_faults(dice, steps, theme))
    return Tapes(seed, _of_the_theme(_of_the_schedule(dice, _replacing(dice, setting)), theme), steps, faults)


def _setting(dice: random.Random) -> Setting:
    rules = Rules(
        window_s=dice.choice((1, 2, 5)),
        lease_s=dice.choice((40, 60)),
        task_s=dice.choice((70, 300)),
        grace_s=dice.choice((5, 20, 60, 60)),
        reconcile_s=1800,
        poll_s=300,
        frozen_retry_s=dice.choice((300, 600)),
        quota_pause_s=300,
        refused_pause_s=dice.choice((60, 300)),
        channel_ttl_s=dice.choice((900, 3600, 86400)),
        starts_per_run=dice.choice((1, 2, 500)),
        renewals_per_run=dice.choice((1, 200)),
        first_sync=dice.choice(_FIRST),
        chunk_size=dice.choice((1, 2, 3, 100)),
        inline_updates=dice.choice((0, 1, 10)),
        search_s=600,  # so that it is over in the evening
    )
    capabilities = Capabilities(
        carries=dice.choice(_CARRIES), ordered_writes=dice.random() < 0.4, restores=dice.random() < 0.7
    )
    lag_s = dice.choice((0, 0, 0, 3, 20))
    page_size = dice.choice((1, 2, 3, 7, 2500))
    return Setting(
        rules,
        capabilities,
        page_size=2500 if lag_s else page_size,  # pages of a list that lags lose rows in the Calendar model
        lag_s=lag_s,
        id_only=dice.random() < 0.3,
        forgets=rules.first_sync != "recent" and dice.random() < 0.9,  # what is forgotten cannot be asked for
        empty_pages=dice.choice((0, 0, 2)),
        begin=dice.randrange(8),
        is_polled=dice.random() < 0.15,
    )


def _replacing(dice: random.Random, setting: Setting) -> Setting:
    """Return the setting with a back end that makes conferences on request, on half of all days."""
    rules = replace(setting.rules, duplicates=dice.choice(("share", "mint")), draft_s=dice.choice((60, 600)))
    return replace(setting, rules=rules, capabilities=replace(setting.capabilities, creates=dice.random() < 0.5))


def _of_the_theme(setting: Setting, theme: Theme) -> Setting:
    """Return the setting in which the theme's faults can happen at all."""
    able, rules = setting.capabilities, setting.rules
    if theme.replaces:
        able = replace(able, creates=True, restores=False)
        rules = replace(rules, duplicates="mint")
    if theme.quick:
        rules = replace(rules, grace_s=5)
    small = theme.in_pages and setting.page_size > 3
    return replace(
        setting,
        rules=rules,
        capabilities=able,
        page_size=1 if small else setting.page_size,
        lag_s=0 if small else setting.lag_s,
    )


def _of_the_schedule(dice: random.Random, setting: Setting) -> Setting:
    return replace(
        setting,
        latency=dice.choice(_LATENCIES),
        skew_ms=dice.choice((0, 0, 950)),  # two clocks then differ by less than `skew_s`
        kills_late=dice.random() < 0.5,
        forgets_moved=dice.random() < 0.25,
    )


_LATENCIES: tuple[Latency, ...] = ("none", "quick", "slow", "slow", "tail")
_FIRST: tuple[Literal["future", "recent", "everything"], ...] = ("future", "recent", "everything")
_NO_OCCURRENCES: frozenset[Field] = ALL_FIELDS - {"occurrences"}
_LITTLE: frozenset[Field] = frozenset({"title", "time"})
_CARRIES: tuple[frozenset[Field], ...] = (ALL_FIELDS, ALL_FIELDS, _NO_OCCURRENCES, _LITTLE, _LITTLE | {"recurrence"})


def _steps(dice: random.Random, theme: Theme) -> Iterable[Step]:
    known = [name for name in ACTIONS if name in ("create", *theme.likely) or dice.random() < 0.5]
    weights = [ACTIONS[name] * (4 if name in theme.likely else 1) for name in known]
    hurry = dice.choice((0.2, 0.5, 0.8))
    at_s, earlier = 0.0, None
    for number in range(dice.randint(5, 23)):
        follows = FOLLOW_UPS.get(earlier.action, ()) if earlier and dice.random() < 0.5 else ()
        action = "create" if number == 0 else dice.choices(known, weights)[0]
        numbers = _dice(dice)
        if earlier and follows:
            action, numbers = dice.choice(follows), earlier.dice  # about the same event
        earlier = Step(number, round(at_s, 1), action, numbers)
        yield earlier
        at_s += _wait(dice, hurry)


def _wait(dice: random.Random, hurry: float) -> float:
    if dice.random() < hurry:
        return dice.choice((0, 0, 0.3, 1, 2, 5))
    return dice.choice((10, 30, 59, 61, 90, 200, 700))


def _faults(dice: random.Random, steps: tuple[Step, ...], theme: Theme) -> Iterable[Fault]:
    known = [(port, kind) for port, kinds in FAULTS.items() for kind in kinds if _happens(dice, theme, port, kind)]
    rate = dice.choice(theme.rates)
    if not known:
        return
    for step in steps:
        if theme.only_after and step.action not in theme.likely:
            continue
        for _ in range(_count(dice, rate)):
            port, kind = dice.choice(known)
            nth = 1 + min(int(dice.expovariate(RARITY.get(port, 0.25))), 30)
            yield _fault(dice, theme, known, Fault(step.number, port, nth, kind, dice.choice(SECONDS)))


def _fault(dice: random.Random, theme: Theme, known: list[tuple[str, str]], fault: Fault) -> Fault:
    """Return the fault with what people do meanwhile, and what goes wrong next, if anything."""
    acts = fault.kind.startswith("step") or (fault.port not in ("task", "push") and dice.random() < theme.meanwhile)
    meanwhile = Meanwhile(dice.choice(theme.acts), _dice(dice)) if acts else None
    if dice.random() >= theme.then:
        return replace(fault, meanwhile=meanwhile)
    kinds = theme.next_kinds or [kind for port, kind in known if port == fault.port]
    then = replace(fault, kind=dice.choice(kinds), amount=dice.choice(SECONDS))
    if theme.next_acts or then.kind.startswith("step") or dice.random() < theme.meanwhile:
        then = replace(then, meanwhile=Meanwhile(dice.choice(theme.next_acts or theme.acts), _dice(dice)))
    return replace(fault, meanwhile=meanwhile, then=then)


def _dice(dice: random.Random) -> tuple[int, ...]:
    return tuple(dice.randrange(1000) for _ in range(6))


def _happens(dice: random.Random, theme: Theme, port: str, kind: str) -> bool:
    name = f"{port} {kind}"
    if not any(part in name for part in theme.faults):
        return False
    if theme.likely:
        return True
    return dice.random() < (0.12 if kind in RARE else 0.15 if port in SORTS else 0.4)


def _count(dice: random.Random, rate: float) -> int:
    return sum(dice.random() < rate / 4 for _ in range(4))
