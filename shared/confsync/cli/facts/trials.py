"""What is tried through the API, each trial on events of its own in the calendars of the lab.

It must never judge by what it has not waited for: a missing item counts only once a later change is listed.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from confsync.adapters.google_calendar_errors import Call
from confsync.cli.facts.api import Json, Reply
from confsync.cli.facts.inventory import addon_conference_id
from confsync.cli.facts.lab import Lab, Unanswered, item_of
from confsync.cli.facts.redaction import reason_word, shape
from confsync.cli.facts.report import Book, Finding, not_settled, yes_or_no
from confsync.errors import CalendarError, CalendarQuotaExceeded, CalendarRateLimited, CalendarUnavailable


@dataclass(frozen=True)
class Trial:
    """One experiment and what it is to answer."""

    title: str
    questions: tuple[str, ...]
    run: Callable[[Lab], Iterator[Finding]]


def run_trials(lab: Lab, book: Book, tell: Callable[[str], None]) -> None:
    """Run all trials; one that Calendar refuses leaves its questions open and does not keep the others from running.

    Raises:
        CalendarUnavailable, CalendarRateLimited, CalendarQuotaExceeded: it makes no sense to go on.

    """
    for trial in TRIALS:
        tell(f"Trying: {trial.title}")
        attempt(trial.questions, "experiment", book, trial.run(lab))


def attempt(questions: Sequence[str], source: Any, book: Book, findings: Iterator[Finding]) -> None:
    """Enter findings as they come; when Calendar refuses, the questions without a finding are entered as open."""
    because: dict[str, Any]
    try:
        book.enter(findings)
    except (CalendarUnavailable, CalendarRateLimited, CalendarQuotaExceeded):
        raise
    except Unanswered as silence:
        because = {"because": str(silence)}
    except CalendarError as error:
        because = {"because": "refused", "reason": reason_word(error.reason)}
    except LookupError:
        # Calendar left out what the trial counts on; the other trials may still tell something.
        because = {"because": "unexpected answer"}
    else:
        return
    book.enter(not_settled(question, source, **because) for question in questions)


def _addon_data(lab: Lab) -> Iterator[Finding]:
    question = "api_takes_addon_conference"
    try:
        event = lab.meeting("conference")
    except Unanswered:
        yield yes_or_no(question, "experiment", truth=False)
        return
    except (CalendarUnavailable, CalendarRateLimited, CalendarQuotaExceeded):
        raise
    except CalendarError as error:
        yield yes_or_no(question, "experiment", truth=False, reason=reason_word(error.reason))
        return
    conference = shape(event["conferenceData"], "ConferenceData")
    yield yes_or_no(question, "experiment", truth=True, conferenceData=conference)
    yield from _null(lab, event)


def _null(lab: Lab, event: Json) -> Iterator[Finding]:
    body = lab.api.get(lab.home, event["id"]) | {"conferenceData": None}
    lab.write("update", event, body=body, conferenceDataVersion=1, sendUpdates="none")
    after = lab.api.get(lab.home, event["id"])
    yield yes_or_no("null_clears_conference", "experiment", "conferenceData" not in after, got=shape(after, "Event"))


def _tombstone(lab: Lab) -> Iterator[Finding]:
    event, token = lab.meeting("deleted"), lab.sync_token(lab.home)
    lab.write("delete", event, sendUpdates="none")
    listed = item_of(lab.changes(lab.home, token, _lists(event, cancelled=True)), event["id"])
    got = lab.api.get(lab.home, event["id"])
    if listed is None or listed.get("status") != "cancelled":
        raise Unanswered("not listed in time")
    shapes = {"listed": shape(listed, "Event"), "got": shape(got, "Event")}
    full = bool(listed.get("organizer", {}).get("self"))
    yield yes_or_no("tombstones_keep_details", "experiment", full, **shapes)
    kept = {addon_conference_id(item) for item in (listed, got)} - {None}
    yield yes_or_no("tombstones_keep_conference", "experiment", bool(kept), **shapes)


def _restore(lab: Lab) -> Iterator[Finding]:
    event = lab.meeting("restored")
    lab.write("delete", event, sendUpdates="none")
    lab.write("patch", event, body={"status": "confirmed"}, conferenceDataVersion=1, sendUpdates="none")
    yield restored("api_restore_keeps_conference", "experiment", event, lab.api.get(lab.home, event["id"]))


def restored(question: str, source: Any, before: Json, after: Json) -> Finding:
    """Judge an event that was deleted and restored."""
    evidence = {"got": shape(after, "Event")}
    if after.get("status") == "cancelled":
        return not_settled(question, source, **evidence)
    return conference_kept(question, source, before, after, **evidence)


def _move(lab: Lab) -> Iterator[Finding]:
    event, token = lab.meeting("moved"), lab.sync_token(lab.home)
    lab.write("move", event, destination=lab.other, sendUpdates="none")
    there = lab.api.get(lab.other, event["id"])
    same_uid = there.get("iCalUID") == event.get("iCalUID")
    evidence = {"there": shape(there, "Event"), "same_ical_uid": same_uid}
    yield conference_kept("move_keeps_conference", "experiment", event, there, **evidence)
    listed = item_of(lab.changes(lab.home, token, _lists(event, cancelled=True)), event["id"])
    if listed is None:
        raise Unanswered("not listed in time")
    bare = not listed.keys() - {"kind", "etag", "id", "status"}
    yield yes_or_no("moved_away_is_id_only", "experiment", bare, listed=shape(listed, "Event"))


def _api_split(lab: Lab) -> Iterator[Finding]:
    series = lab.series("split by the API")
    cut = lab.occurrence(series, 3)
    lab.write("patch", series, body={"recurrence": ["RRULE:FREQ=DAILY;COUNT=3"]}, sendUpdates="none")
    times = {"start": cut["start"], "end": cut["end"], "recurrence": ["RRULE:FREQ=DAILY;COUNT=3"]}
    part = lab.event("split by the API", conferenceData=series["conferenceData"], **times)
    parts = [lab.api.get(lab.home, event["id"]) for event in (series, part)]
    kept = [addon_conference_id(event) for event in parts]
    evidence = {"old_part": shape(parts[0], "Event"), "new_part": shape(parts[1], "Event")}
    shared = kept[0] is not None and kept[0] == kept[1]
    yield yes_or_no("two_events_share_conference", "experiment", shared, **evidence)


def _reminders(lab: Lab) -> Iterator[Finding]:
    event, token = lab.event("reminders"), lab.sync_token(lab.home)
    reminders = {"useDefault": False, "overrides": [{"method": "popup", "minutes": 7}]}
    lab.write("patch", event, body={"reminders": reminders}, sendUpdates="none")
    marker = lab.event("marker")
    items = lab.changes(lab.home, token, _lists(marker))
    if item_of(items, marker["id"]) is None:
        yield not_settled("reminder_edits_are_listed", "experiment", because="not listed in time")
    else:
        listed = item_of(items, event["id"]) is not None
        yield yes_or_no("reminder_edits_are_listed", "experiment", listed)
    after = lab.api.get(lab.home, event["id"])
    evidence = {"same_etag": after["etag"] == event["etag"], "taken": not after["reminders"].get("useDefault")}
    moved = after["updated"] != event["updated"]
    yield yes_or_no("reminder_edits_move_updated", "experiment", moved, **evidence)


def _deleted_calendar(lab: Lab) -> Iterator[Finding]:
    token = lab.sync_token(lab.other)
    lab.delete_calendar(lab.other)
    plain = lab.eventually(lambda: _listing(lab), lambda reply: reply.error is not None)
    replies = {"list": plain, "list_with_token": _listing(lab, syncToken=token)}
    evidence = {name: {"status": r.status, "reason": reason_word(r.reason)} for name, r in replies.items()}
    statuses = {reply.status for reply in replies.values()}
    if plain.error is None:
        raise Unanswered("not listed in time")
    if len(statuses) > 1:
        yield Finding("deleted_calendar_is_404", "other", "experiment", evidence)
        return
    value = {403: "deleted403", 410: "gone"}.get(plain.status)
    yield Finding("deleted_calendar_is_404", "yes" if plain.status == 404 else "no", "experiment", evidence, value)


def _listing(lab: Lab, **parameters: Any) -> Reply:
    call = Call("events.list", "calendar", "syncToken" in parameters)
    return lab.api.ask(call, lab.api.events.list(calendarId=lab.other, showDeleted=True, **parameters))


def same_conference(before: Json, after: Json) -> bool:
    """Tell whether both carry the same add-on's conference."""
    return addon_conference_id(before) is not None and addon_conference_id(before) == addon_conference_id(after)


def conference_kept(question: str, source: Any, before: Json, after: Json, **evidence: Any) -> Finding:
    """Answer yes for the same conference, no for none, other for another one."""
    if same_conference(before, after):
        return yes_or_no(question, source, truth=True, **evidence)
    if "conferenceData" not in after:
        return yes_or_no(question, source, truth=False, **evidence)
    return Finding(question, "other", source, evidence)


def _lists(event: Json, *, cancelled: bool = False) -> Callable[[Sequence[Json]], bool]:
    def listed(items: Sequence[Json]) -> bool:
        item = item_of(items, event["id"])
        return item is not None and (item.get("status") == "cancelled" or not cancelled)

    return listed


TRIALS: Final = (
    Trial("an add-on's conference data", ("api_takes_addon_conference", "null_clears_conference"), _addon_data),
    Trial("a deleted event", ("tombstones_keep_details", "tombstones_keep_conference"), _tombstone),
    Trial("a restored event", ("api_restore_keeps_conference",), _restore),
    Trial("a moved event", ("move_keeps_conference", "moved_away_is_id_only"), _move),
    Trial("a series split by the API", ("two_events_share_conference",), _api_split),
    Trial("an edit of reminders", ("reminder_edits_are_listed", "reminder_edits_move_updated"), _reminders),
    Trial("a deleted calendar", ("deleted_calendar_is_404",), _deleted_calendar),
)
