"""What of an event a conference depends on: the projection, cut down to what a provider can carry.

A change that does not reach the projection is no change (rule R12). No I/O.
"""

import hashlib
from collections.abc import Sequence
from datetime import timedelta

from confsync.core.capabilities import Capabilities
from confsync.core.conference import Times
from confsync.core.events import Event
from confsync.core.state import ConferenceState, Field, Moment, Occurrence


def project(event: Event, exceptions: Sequence[Event], carries: frozenset[Field]) -> ConferenceState:
    """Return the state that the event gives its conference; fields outside `carries` stay empty.

    Args:
        event: a single event or the master of a series; it has a start and an end.
        exceptions: all exceptions of the series that share its conference, in any order, cancelled ones too.
        carries: what the provider can be told.

    """
    times = times_of(event)
    return ConferenceState(
        title=(event.summary or "") if "title" in carries else None,
        description=event.description if "description" in carries else None,
        location=event.location if "location" in carries else None,
        start=times.start if times and "time" in carries else None,
        end=times.end if times and "time" in carries else None,
        time_zone=_zone_that_matters(event, carries),
        recurrence=event.recurrence if "recurrence" in carries else (),
        occurrences=_occurrences(event, exceptions, carries) if "occurrences" in carries else (),
        organizer=event.organizer.email if event.organizer and "organizer" in carries else None,
        attendees=_attendees(event) if "attendees" in carries and not event.attendees_omitted else None,
        visibility=event.visibility if "visibility" in carries else None,
    )


def clamped(state: ConferenceState, capabilities: Capabilities) -> ConferenceState:
    """Return the state with its length, and that of each instance, within what the provider takes.

    What it cannot take is told in the nearest way once, and is no difference after that.
    """
    occurrences = tuple(
        o.model_copy(update={"end": _end_within(o.start, o.end, capabilities)}) for o in state.occurrences
    )
    end = _end_within(state.start, state.end, capabilities)
    if (end, occurrences) == (state.end, state.occurrences):
        return state
    return state.model_copy(update={"end": end, "occurrences": occurrences})


def _end_within(start: Moment | None, end: Moment | None, capabilities: Capabilities) -> Moment | None:
    """Whole days are passed on as they are: they have no length in hours."""
    if start is None or end is None or start.instant is None or end.instant is None:
        return end
    length = max(end.instant - start.instant, capabilities.shortest or timedelta.min)
    return Moment(instant=start.instant + min(length, capabilities.longest or timedelta.max))


def _zone_that_matters(event: Event, carries: frozenset[Field]) -> str | None:
    """A one-off event is an instant; only a series, or a back end that keeps zones, has to know the zone."""
    needed = "time_zone" in carries or ("recurrence" in carries and event.recurrence)
    return event.start.time_zone if needed and event.start else None


def _attendees(event: Event) -> tuple[str, ...]:
    return tuple(sorted({person.email for person in event.attendees if person.email}))


def _occurrences(event: Event, exceptions: Sequence[Event], carries: frozenset[Field]) -> tuple[Occurrence, ...]:
    changed = (_occurrence(event, exception, carries) for exception in exceptions)
    return tuple(sorted((found for found in changed if found), key=lambda found: found.original_start.sort_key))


def _occurrence(event: Event, exception: Event, carries: frozenset[Field]) -> Occurrence | None:
    """Return how the instance differs from its series; None where it does not."""
    original = exception.original_start_time.moment() if exception.original_start_time else Moment()
    if not _is_set(original):
        return None
    if exception.is_cancelled:
        return Occurrence(original_start=original, cancelled=True)
    times, series = times_of(exception), times_of(event)
    if times is None or series is None:
        return None
    title = _title_of_its_own(event, exception) if "title" in carries else None
    moved = "time" in carries and (times.start != original or _length(times) != _length(series))
    if title is None and not moved:
        return None
    start, end = (times.start, times.end) if "time" in carries else (None, None)
    return Occurrence(original_start=original, start=start, end=end, title=title)


def _title_of_its_own(event: Event, exception: Event) -> str | None:
    title = exception.summary or ""
    return title if title != (event.summary or "") else None


def _length(times: Times) -> object:
    start, end = times.start, times.end
    if start.instant is not None and end.instant is not None:
        return end.instant - start.instant
    return end.day - start.day if start.day and end.day else None


def times_of(event: Event) -> Times | None:
    """Return when the event takes place; None for a tombstone without times."""
    if event.start is None or event.end is None:
        return None
    start, end = event.start.moment(), event.end.moment()
    if not (_is_set(start) and _is_set(end)):
        return None
    return Times(start=start, end=end, time_zone=event.start.time_zone, recurrence=event.recurrence)


def _is_set(moment: Moment) -> bool:
    return moment.instant is not None or moment.day is not None


def fingerprint(state: ConferenceState) -> str:
    """Return 64 hex digits that are equal for equal states."""
    return hashlib.sha256(state.model_dump_json(exclude_defaults=True).encode()).hexdigest()
