"""What would be told, ended, restored or replaced now: `confsync plan` shows it, and the mode `act` does it.

A pure question about the records and the time. It must never show what a run in the mode `act` would not do, nor leave
out what it would.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal

from confsync.core import brake, replacing
from confsync.core.brake import Scope
from confsync.core.conference import ENDED, UNKNOWN, Applied, Conference, Desired, Replacement
from confsync.core.desires import is_pending
from confsync.core.driving import driver_of, why_driver
from confsync.core.history import GRACE_BEGAN, changed_fields, end_note
from confsync.core.judging import was_held
from confsync.core.owners import owners_of
from confsync.core.records import Brake
from confsync.core.reviewing import is_review_due, review
from confsync.core.rules import Rules

Verb = Literal["update", "end", "restore", "replace"]


@dataclass(frozen=True)
class Step:
    """One thing that would be done about one conference."""

    conference_key: str
    conference_id: str
    provider: str
    verb: Verb
    why: str
    since: datetime
    """When that was decided, or began to differ from what the back end was told."""
    at: datetime | None = None
    """When it would be done; None: at once."""
    fields: tuple[str, ...] = ()
    """Of an update: what differs; empty where that is everything, or not known."""
    event_id: str = ""
    """The event that it follows, or that was lost."""
    is_held: bool = False
    """Whether the brake holds it, or would: then it waits for an operator."""


def steps_of(conferences: Sequence[Conference], brakes: Mapping[str, Brake], now: datetime, rules: Rules) -> list[Step]:
    """Return what would be done about all conferences of a tenant, what has waited longest first.

    Args:
        brakes: the records of `brake_keys`, by key, as far as they exist.

    """
    tenant, found = _Tenant(_sizes(conferences), _stale(conferences, now, rules), brakes), list[Step]()
    for conference in conferences:
        steps = outlook(conference, now, rules)
        holds = any(step.verb == "end" for step in steps) and _would_hold(conference, tenant, now, rules)
        found += (replace(step, is_held=True) if holds and step.verb == "end" else step for step in steps)
    return sorted(found, key=lambda step: (step.since, step.conference_id))


def brake_keys(conferences: Iterable[Conference]) -> set[str]:
    """Return the keys of the brakes that may hold an end of these conferences."""
    ending = (each for each in conferences if each.end_after is not None or (each.desired and each.desired.ended))
    return {key for conference in ending for scope in brake.scopes_of(conference) for key in scope.keys}


@dataclass(frozen=True)
class _Tenant:
    """What decides whether a brake would hold an end; a tenant counts under no calendar key."""

    sizes: Counter[str]
    stale: Counter[str]
    """Ends that have waited so long that they would be decided anew, all at once."""
    brakes: Mapping[str, Brake]


def _stale(conferences: Iterable[Conference], now: datetime, rules: Rules) -> Counter[str]:
    waiting = (each for each in conferences if brake.is_stale(each, now, rules))
    return Counter(key for conference in waiting for key in ("", *brake.calendars_of(conference)))


def _sizes(conferences: Iterable[Conference]) -> Counter[str]:
    """Count the conferences of the tenant (under no name) and of each calendar."""
    sizes = Counter[str]()
    for conference in filter(brake.counts, conferences):
        sizes.update({"", *(referent.calendar_key for referent in conference.referents.values())})
    return sizes


def _would_hold(conference: Conference, tenant: _Tenant, now: datetime, rules: Rules) -> bool:
    anew = brake.is_stale(conference, now, rules)
    since = now if anew else conference.decided_at or now

    def holds(scope: Scope) -> bool:
        known = [tenant.brakes[key] for key in scope.keys if key in tenant.brakes]
        again = brake.counted(scope.first, tenant.stale[scope.calendar_key] if anew else 0, now, rules)
        count = brake.most_within([*known, again], since, rules)
        return count > brake.limit_of(scope, tenant.sizes[scope.calendar_key], rules)

    return conference.brake == "held" or (conference.brake == "none" and any(map(holds, brake.scopes_of(conference))))


def outlook(conference: Conference, now: datetime, rules: Rules) -> tuple[Step, ...]:
    """Return what would be done about one conference, the next first, if no brake held it."""
    ends = _decided_end(conference, now, rules)
    if any(step.at is None for step in ends):
        return ends  # takes the place of an update that was not told
    told = _waiting_call(conference, now)
    return (*told, *ends, *_replacements(conference, now), *_review(conference, now, rules))


def _step(conference: Conference, verb: Verb, why: str, since: datetime, event_id: str = "") -> Step:
    driver = conference.referents.get(conference.driver or "")
    follows = event_id or (driver.event_id if driver else "")
    return Step(conference.key, conference.conference_id, conference.provider, verb, why, since, event_id=follows)


def _later(at: datetime | None, now: datetime) -> datetime | None:
    return at if at is not None and at > now else None


def _decided_end(conference: Conference, now: datetime, rules: Rules) -> tuple[Step, ...]:
    """An end whose grace period runs, begins anew, or is over; none where the meeting will be over then: it is kept."""
    at, is_held = conference.end_after, conference.brake == "held"
    if brake.is_stale(conference, now, rules):
        at = now + timedelta(seconds=rules.grace_s)
    if not is_held and (at is None or was_held(conference, max(at, now))):
        return ()
    note = end_note(conference)
    why = note.what.removeprefix(f"{GRACE_BEGAN}: ") if note else "no owner was left"
    lost = next((seen.event_id for seen in reversed(conference.history) if seen.kind == "seen"), "")
    step = _step(conference, "end", why, note.at if note else at or now, lost)
    return (replace(step, at=_later(at, now), is_held=is_held),)


def _waiting_call(conference: Conference, now: datetime) -> tuple[Step, ...]:
    """A wanted state that the back end was not told yet."""
    wanted, told = conference.desired, conference.applied
    if wanted is None or not is_pending(conference):
        return ()
    fields = changed_fields(told.field_hashes, wanted.field_hashes) if told and told.field_hashes else ()
    verb: Verb = "end" if wanted.ended else "restore" if told and told.fingerprint == ENDED else "update"
    since = wanted.since or conference.call_at or now
    step = _step(conference, verb, _why_called(wanted, told), since)
    return (replace(step, at=_later(conference.call_at, now), fields=fields if verb == "update" else ()),)


def _why_called(wanted: Desired, told: Applied | None) -> str:
    if wanted.ended:
        return "no owner was left when all were read again"
    if told is None:
        return "the back end was never told"
    if told.fingerprint == UNKNOWN:
        return "what the back end holds is not known"
    return "an event holds it again" if told.fingerprint == ENDED else "its event differs from what was told"


def _replacements(conference: Conference, now: datetime) -> tuple[Step, ...]:
    return tuple(
        _replacement(conference, each, each.due_at, now) for each in conference.replacements if each.due_at is not None
    )


def _replacement(conference: Conference, reserved: Replacement, due_at: datetime, now: datetime) -> Step:
    why = "it cannot come back" if reserved.is_successor else "a duplicate gets a conference of its own"
    events = (conference.referents[key].event_id for key in reserved.links if key in conference.referents)
    return replace(_step(conference, "replace", why, min(due_at, now), next(events, "")), at=_later(due_at, now))


def _review(conference: Conference, now: datetime, rules: Rules) -> tuple[Step, ...]:
    """What a look that is due would come to, as far as it can be said without reading an event."""
    if conference.review_at is None or not is_review_due(conference, now):
        return ()
    match review(conference, now, rules):
        case "discarded":
            event_id = next(registered.event_id for registered in conference.registered.values())
            step = _step(conference, "end", "its event never appeared", conference.review_at, event_id)
            return (replace(step, at=now + timedelta(seconds=rules.grace_s)),)
        case "hand over" if not is_pending(conference):
            return _handover(conference, conference.review_at, now)
    return ()


def _handover(conference: Conference, since: datetime, now: datetime) -> tuple[Step, ...]:
    owners = owners_of(conference, "live")
    driver = driver_of(
        {k: o for k, o in owners.items() if k not in replacing.under_way(conference)} or owners,
        conference.registered,
        now,
    )
    if driver == conference.driver:
        return ()
    why = f"another event drives, if it differs when it is read: {why_driver(owners[driver], now)}"
    return (_step(conference, "update", why, since, owners[driver].event_id),)
