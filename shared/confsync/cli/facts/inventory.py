"""What the events of a calendar say about the open questions. Pure: items in, findings out.

It must never take silence for a no: what people did by hand looks the same as what Calendar does by itself.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from confsync.cli.facts.redaction import shape
from confsync.cli.facts.report import Finding, not_settled, yes_or_no

Cancelled = Literal["id only", "exception", "full", "scrubbed", "unknown"]

_BARE = {"kind", "etag", "id", "status"}
_PART = re.compile(r"_R\d{8}(T\d{6}Z?)?$")
"""How the id of a later part of a split series ends, as recordings show."""
_MOST_SHAPES = 10


@dataclass(frozen=True)
class Seen:
    """What is kept of one item."""

    event_id: str
    created: str | None
    series_id: str | None
    """Of an exception."""
    recurring: bool
    own: bool
    """Whether the calendar is the organizer, as far as the item says."""
    organized: bool
    """Whether it names an organizer at all."""
    conference: str | None
    """Id of an add-on's conference."""
    cancelled: Cancelled | None
    form: Any
    """Redacted shape of a cancelled item."""


def notice(item: Mapping[str, Any]) -> Seen:
    """Keep of an item what the questions need."""
    cancelled = item.get("status") == "cancelled"
    organizer = item.get("organizer", {})
    return Seen(
        event_id=item.get("id", ""),
        created=item.get("created"),
        series_id=item.get("recurringEventId"),
        recurring="recurrence" in item,
        own=organizer.get("self", False),
        organized=bool(organizer),
        conference=addon_conference_id(item),
        cancelled=cancelled_form(item) if cancelled else None,
        form=shape(item, "Event") if cancelled else None,
    )


def addon_conference_id(item: Mapping[str, Any]) -> str | None:
    """Return the id of the add-on's conference that an event carries; recordings show some without a solution."""
    conference = item.get("conferenceData", {})
    kind = conference.get("conferenceSolution", {}).get("key", {}).get("type")
    is_addons = kind == "addOn" or (kind is None and "addOnParameters" in conference.get("parameters", {}))
    found: str | None = conference.get("conferenceId") if is_addons else None
    return found


def cancelled_form(item: Mapping[str, Any]) -> Cancelled:
    """Tell which of the known forms a cancelled item has."""
    keys = item.keys() - _BARE
    if not keys:
        return "id only"
    if keys <= {"recurringEventId", "originalStartTime"}:
        return "exception"
    if str(item.get("start", {}).get("dateTime", "")).startswith("2000-01-01"):
        return "scrubbed"
    return "full" if {"start", "end", "iCalUID"} <= keys else "unknown"


def findings(seen: Sequence[Seen]) -> Iterator[Finding]:
    """Answer what can be answered from the items of one full list."""
    yield _cancelled_shapes(seen)
    yield _copies(seen)
    yield _exceptions(seen)
    yield from _splits(seen)
    yield from _tombstones(seen)
    yield _shared_conferences(seen)


def _cancelled_shapes(seen: Sequence[Seen]) -> Finding:
    forms = [item for item in seen if item.cancelled]
    counts = dict(Counter(item.cancelled for item in forms))
    unknown = _distinct([item.form for item in forms if item.cancelled == "unknown"])
    if not forms:
        return not_settled("cancelled_shapes_known", "look", cancelled_items=0)
    examples = {form: _distinct([item.form for item in forms if item.cancelled == form]) for form in counts if form}
    return yes_or_no("cancelled_shapes_known", "look", not unknown, counts=counts, shapes=examples)


def _copies(seen: Sequence[Seen]) -> Finding:
    copies = [item for item in seen if not item.cancelled and item.organized and not item.own]
    carrying = sum(item.conference is not None for item in copies)
    evidence = {"copies": len(copies), "with_addon_conference": carrying}
    if not carrying:
        return not_settled("copies_carry_conference", "look", **evidence)
    return yes_or_no("copies_carry_conference", "look", truth=True, **evidence)


def _exceptions(seen: Sequence[Seen]) -> Finding:
    masters = {item.event_id: item.conference for item in seen if item.own and item.recurring and item.conference}
    exceptions = [item for item in seen if item.own and not item.cancelled and item.series_id in masters]
    kept = sum(item.conference == masters[str(item.series_id)] for item in exceptions)
    bare = sum(item.conference is None for item in exceptions)
    evidence = {"exceptions": len(exceptions), "with_the_same": kept, "without": bare}
    if not kept:
        return not_settled("exceptions_carry_conference", "look", **evidence)
    return yes_or_no("exceptions_carry_conference", "look", truth=True, **evidence)


def _splits(seen: Sequence[Seen]) -> Iterator[Finding]:
    series = [parts for parts in _families(seen) if len(parts) > 1]
    created = [len({part.created for part in parts}) == 1 for parts in series]
    if created:
        yield yes_or_no("parts_share_created", "look", all(created), split_series=len(series), sharing=sum(created))
    else:
        yield not_settled("parts_share_created", "look", split_series=0)
    with_conference = [
        [part.conference for part in parts] for parts in series if any(part.conference for part in parts)
    ]
    same = sum(_some_twice(conferences) for conferences in with_conference)
    evidence = {"split_series": len(series), "with_addon_conference": len(with_conference), "sharing_one": same}
    if same:
        yield yes_or_no("split_keeps_conference", "look", truth=True, **evidence)
    else:
        yield not_settled("split_keeps_conference", "look", **evidence)


def _families(seen: Sequence[Seen]) -> list[list[Seen]]:
    """Group the masters of the calendar's own series by the root of their ids."""
    families = defaultdict(list)
    for item in seen:
        if item.recurring and item.own and not item.cancelled:
            families[_PART.sub("", item.event_id)].append(item)
    return list(families.values())


def _some_twice(conferences: Sequence[str | None]) -> bool:
    return any(count > 1 for conference, count in Counter(conferences).items() if conference)


def _tombstones(seen: Sequence[Seen]) -> Iterator[Finding]:
    full = [item for item in seen if item.cancelled == "full" and item.own and item.series_id is None]
    carrying = sum(item.conference is not None for item in full)
    counts = {"with_organizer_self": len(full), "with_addon_conference": carrying}
    for question, found in (("tombstones_keep_details", len(full)), ("tombstones_keep_conference", carrying)):
        if found:
            yield yes_or_no(question, "look", truth=True, **counts)
        else:
            yield not_settled(question, "look", **counts)


def _shared_conferences(seen: Sequence[Seen]) -> Finding:
    """Count conferences on unrelated events; a tool that copies events leaves the same, so this settles nothing."""
    creations = defaultdict(set)
    for item in seen:
        if item.own and not item.cancelled and item.series_id is None and item.conference:
            creations[item.conference].add(item.created)
    several = sum(len(moments) > 1 for moments in creations.values())
    return not_settled("duplicate_keeps_conference", "look", conferences=len(creations), on_unrelated_events=several)


def _distinct(shapes: Sequence[Any]) -> list[Any]:
    return [found for place, found in enumerate(shapes) if found not in shapes[:place]][:_MOST_SHAPES]
