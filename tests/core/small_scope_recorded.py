"""Small scope: what may be recorded of an event and of its conference, in words, and the records.

Only what can come about is built: see `ends_with` for which ends go with which events, and why.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any, Literal, get_args

from confsync.core.capabilities import Capabilities
from confsync.core.conference import Applied, Conference, Desired, Hold, Intent, Referent, Replacement
from confsync.core.desires import timed
from confsync.core.projection import fingerprint, project, times_of
from confsync.core.records import Link
from confsync.core.state import ConferenceState
from tests.core.small_scope_shown import Kind, base, exceptions
from tests.core.story import ALL_FIELDS, HERE, HOUR, NOW, RULES, THERE, at, conference, conference_key, ref

Recorded = Literal["nothing", "claim", "claim gone", "owner", "owner gone", "orphan"]
"""What is recorded of the event."""
Told = Literal["never", "told", "told another", "pending", "called", "called long ago", "busy", "refused"]
"""What the back end was told, compared with the event as it was recorded."""
End = Literal[
    "none",
    "in grace",
    "grace over",
    "held",
    "approved",
    "rejected",
    "wanted",
    "wanted, held",
    "wanted, approved",
    "called",
    "outcome unknown",
    "refused",
    "ended",
    "gone",
    "gone, successor reserved",
    "gone, successor made",
    "gone, no successor possible",
]
"""How far its end has come."""
Means = Literal["nothing", "restores", "creates", "both"]
"""What the back end can do for a conference that ended."""
Vouched = Literal["nobody", "this event", "another event"]

DECIDED: tuple[End, ...] = ("none", "in grace", "grace over", "held", "approved", "rejected")
"""Ends that nobody told yet: whatever was told before is kept."""
WANTED: tuple[End, ...] = (
    "wanted",
    "wanted, held",
    "wanted, approved",
    "called",
    "outcome unknown",
    "refused",
    "ended",
)
FOR_GOOD: tuple[End, ...] = (
    "gone",
    "gone, successor reserved",
    "gone, successor made",
    "gone, no successor possible",
)
WAITING: tuple[End, ...] = ("wanted", "wanted, held", "wanted, approved", "called", "outcome unknown")
"""An end that was wanted, and is not told yet for all that is known."""
CAPABILITIES: dict[Means, Capabilities] = {
    "nothing": Capabilities(ALL_FIELDS),
    "restores": Capabilities(ALL_FIELDS, restores=True),
    "creates": Capabilities(ALL_FIELDS, creates=True),
    "both": Capabilities(ALL_FIELDS, restores=True, creates=True),
}
LOST_AT = NOW - timedelta(days=1)
HOLD = Hold(since=NOW, scope="calendar", calendar_key=HERE, count=99, limit=20)


@dataclass(frozen=True)
class Standing:
    """How it stands with one conference before the planner looks."""

    recorded: Recorded
    told: Told = "told"
    end: End = "none"
    vouched: Vouched = "this event"

    def __str__(self) -> str:
        """Say it in words."""
        return (
            f"recorded of the event: {self.recorded}; told: {self.told}; end: {self.end}; vouched for: {self.vouched}"
        )

    @property
    def owns(self) -> bool:
        """Whether the event ever owned the conference."""
        return self.recorded in {"owner", "owner gone", "orphan"}


@cache
def state_of(kind: Kind, title: str = "Review", event_id: str = "e1") -> ConferenceState:
    """Return the state that the event gives its conference."""
    return project(base(kind, event_id, summary=title), exceptions(kind, event_id), ALL_FIELDS)


def desired(generation: int, state: ConferenceState | None, *, kept: bool = True) -> Desired:
    """Return a desired state; None: an end."""
    told = fingerprint(state) if state else "ended"
    return Desired(generation=generation, fingerprint=told, state=state if kept else None, since=NOW)


def applied(generation: int, state: ConferenceState | None) -> Applied:
    """Return what the back end was told last."""
    return Applied(generation=generation, fingerprint=fingerprint(state) if state else "ended", at=NOW)


def _told(told: Told, kind: Kind) -> dict[str, Any]:
    now, other = state_of(kind), state_of(kind, "Renamed")
    if told == "never":
        return {}
    if told in {"told", "told another"}:
        state = now if told == "told" else other
        return {"desired": desired(2, state, kept=False), "applied": applied(2, state)}
    waiting = {"desired": desired(3, now), "applied": applied(2, other), "call_at": NOW}
    if told == "refused":
        return waiting | {"desired": desired(3, now, kept=False), "refused": 3, "call_at": None}
    if told == "busy":
        return waiting | {"wait_until": at(7), "call_at": at(7), "attempts": 1}
    return waiting | ({} if told == "pending" else _called(3, "update", long_ago=told == "called long ago"))


def _called(generation: int, verb: str, *, long_ago: bool) -> dict[str, Any]:
    deadline = at(-1 if long_ago else 1)
    intent = Intent.model_validate({"generation": generation, "verb": verb, "deadline": deadline})
    return {"intent": intent, "call_at": deadline}


def _decided(end: End) -> dict[str, Any]:
    more: dict[str, dict[str, Any]] = {
        "none": {},
        "in grace": {"end_after": at(0.5)},
        "grace over": {"end_after": at(-0.5)},
        "held": {"brake": "held", "hold": HOLD},
        "approved": {"brake": "approved", "end_after": NOW},
        "rejected": {"brake": "rejected"},
    }
    return more[end]


def _wanted(end: End, kind: Kind) -> dict[str, Any]:
    waiting = {"desired": desired(3, None), "applied": applied(2, state_of(kind)), "call_at": NOW}
    more: dict[str, dict[str, Any]] = {
        "wanted": {},
        "wanted, held": {"brake": "held", "hold": HOLD, "call_at": None},
        "wanted, approved": {"brake": "approved"},
        "called": _called(3, "end", long_ago=False),
        "outcome unknown": _called(3, "end", long_ago=True),
        "refused": {"refused": 3, "call_at": None},
        "ended": {"applied": applied(3, None), "call_at": None},
    }
    return waiting | more[end]


def _for_good(end: End, kind: Kind, link_key: str) -> dict[str, Any]:
    told = {"desired": desired(3, state_of(kind), kept=False), "applied": applied(2, state_of(kind)), "refused": 3}
    reserved = Replacement(
        number=1, reserved_at=NOW, links=(link_key,), is_successor=True, state=state_of(kind), due_at=NOW
    )
    made = reserved.model_copy(update={"state": None, "due_at": None, "conference_id": "c9", "conference_data": "{}"})
    known = {"gone, successor reserved": (reserved,), "gone, successor made": (made,)}.get(end, ())
    return told | {"gone": True, "replacements": known, "replaced": len(known)}


def forget_time(is_vouched: bool) -> datetime:
    """Return when a conference may be forgotten whose events were lost; the add-on's word is as old as `NOW`."""
    return (NOW if is_vouched else LOST_AT) + timedelta(seconds=RULES.retention_s)


def conference_of(standing: Standing, kind: Kind, name: str = "c1", event_id: str = "e1") -> Conference | None:
    """Return the record of the conference; None where nobody knows it yet."""
    link_key = ref(event_id).link_key
    referent = referent_of(standing.recorded, kind, event_id)
    vouched = {"nobody": (), "this event": (ref(event_id),), "another event": (ref("e9", THERE),)}[standing.vouched]
    if referent is None and not vouched:
        return None
    words: dict[str, Any] = {"referents": {link_key: referent} if referent else {}}
    if standing.owns and standing.told != "never":
        words["driver"] = link_key
    if standing.recorded == "orphan":
        words["review_at"] = NOW + HOUR
    if standing.recorded.endswith("gone"):
        words["review_at"] = forget_time(standing.vouched != "nobody")
    if standing.end in DECIDED:
        words |= _told(standing.told, kind) | _decided(standing.end)
    elif standing.end in WANTED:
        words |= _wanted(standing.end, kind)
    else:
        words |= _for_good(standing.end, kind, link_key)
    return timed(conference(name, *vouched, **words))


@cache
def referent_of(recorded: Recorded, kind: Kind, event_id: str = "e1", calendar_key: str = HERE) -> Referent | None:
    """Return what the conference holds of the event."""
    if recorded == "nothing":
        return None
    state = {"claim gone": "gone", "owner gone": "gone", "orphan": "orphaned"}.get(recorded, "live")
    since = None if state == "live" else LOST_AT
    shown = base(kind, event_id)
    known = {"ical_uid": shown.ical_uid, "times": times_of(shown), "created": shown.created, "state": state}
    role = "claimed" if recorded.startswith("claim") else "owner"
    return Referent.model_validate(
        {"calendar_key": calendar_key, "event_id": event_id, "role": role, "since": since, **known}
    )


def link_of(kind: Kind, name: str = "c1", event_id: str = "e1") -> Link:
    """Return the tie of the event to a conference, as old as `NOW`."""
    return Link(
        key=ref(event_id).link_key,
        calendar_key=HERE,
        event_id=event_id,
        conference_key=conference_key(name),
        ical_uid=f"{event_id}@google.com",
        has_exceptions=kind == "series with an exception",
        etag='"0"',
        updated=NOW,
    )


def ends_with(recorded: Recorded, kind: Kind) -> tuple[End, ...]:
    """Return how far the end of a conference may have come, given its event.

    A live owner takes back an end; one that is over has nothing to tell, and may stand beside an end that was told
    before it came back. An orphan may follow such an owner, and an end that an operator refused. What nobody owns may
    have been a draft that was discarded.
    """
    if recorded == "owner":
        return ("none", *FOR_GOOD, *(("ended", "refused") if kind == "over" else ()))
    if recorded == "orphan":
        return ("none", "rejected", *FOR_GOOD, "ended")
    return (*DECIDED, *WANTED, *(FOR_GOOD if recorded == "owner gone" else ()))


def tells_with(recorded: Recorded, end: End) -> tuple[Told, ...]:
    """Return what the back end may have been told: nothing of a conference that no event ever owned."""
    if end not in DECIDED:
        return ("told",)
    return get_args(Told) if recorded in {"owner", "owner gone", "orphan"} else ("never",)


def vouched_with(recorded: Recorded, end: End) -> tuple[Vouched, ...]:
    """Return who may have been vouched for: somebody, where a draft was discarded."""
    if recorded == "nothing":
        return ("this event", "another event") if end != "none" else get_args(Vouched)
    if recorded.startswith("claim"):
        return ("nobody", "another event") if end == "none" else ("another event",)
    return ("this event", "nobody")


def means_with(end: End) -> tuple[Means, ...]:
    """Return what the back end may be able to do: who reserved a successor could have one made."""
    return ("creates", "both") if end.startswith("gone, successor") else get_args(Means)


def standings(kind: Kind) -> Iterator[Standing]:
    """Return every way in which it may stand with the conference of one event."""
    for recorded in get_args(Recorded):
        for end in ends_with(recorded, kind):
            for told in tells_with(recorded, end):
                for vouched in vouched_with(recorded, end):
                    yield Standing(recorded, told, end, vouched)
