"""What the Calendar adapter sends and how it reads answers, byte for byte, against a scripted server on loopback."""

import gzip
import hashlib
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from confsync.adapters.google_calendar import LIST_PARAMETERS, GoogleCalendar
from confsync.core.events import EVENT_FIELDS, LIST_FIELDS, LIST_PARAMETERS_VERSION, Window
from confsync.errors import (
    CalendarRequestRejected,
    CalendarUnavailable,
    PreconditionFailed,
)
from tests.adapters.test_google_calendar_scripted import ANN, LAST_PAGE, Answer, Asked, error_body, list_once, scripted


def test_a_first_listing_sends_the_fixed_parameters_and_its_window() -> None:
    """A listing without a sync token carries rule R6's parameters, the window in UTC, and nothing else."""
    cet = timezone(timedelta(hours=1))
    window = Window(datetime(2026, 3, 1, 0, 30, tzinfo=cet), datetime(2026, 2, 1, 12, 0, 0, 900, tzinfo=UTC))
    with scripted(Answer(body=LAST_PAGE)) as server:
        list_once(server.calendar(), window=window)
    (asked,) = server.asked
    assert (asked.method, asked.path) == ("GET", "/calendar/v3/calendars/team@example.com/events")
    assert asked.query == {
        "alt": "json",
        "singleEvents": "false",
        "showDeleted": "true",
        "timeZone": "UTC",
        "eventTypes": "default",
        "maxAttendees": "500",
        "maxResults": "2500",
        "fields": LIST_FIELDS,
        "timeMin": "2026-02-28T23:30:00+00:00",
        "updatedMin": "2026-02-01T12:00:00+00:00",
        "quotaUser": hashlib.sha256(b"ann@example.com").hexdigest()[:40],
    }


def test_an_incremental_listing_never_sends_a_window() -> None:
    """With a sync token Calendar forbids timeMin and updatedMin, whatever window the caller holds."""
    window = Window(datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 2, 1, tzinfo=UTC))
    with scripted(Answer(body=LAST_PAGE)) as server:
        list_once(server.calendar(), "s0", window)
    assert server.asked[0].query["syncToken"] == "s0"
    assert not {"timeMin", "updatedMin", "pageToken"} & server.asked[0].query.keys()


def test_a_page_is_asked_for_with_the_same_parameters_and_both_tokens() -> None:
    """While paging, the sync token is sent again beside the page token."""
    with scripted(Answer(body=LAST_PAGE)) as server:
        server.calendar().list_events(ANN, sync_token="s0", page_token="p2", window=Window())
    assert (server.asked[0].query["syncToken"], server.asked[0].query["pageToken"]) == ("s0", "p2")


def test_the_list_parameters_belong_to_their_version() -> None:
    """Whoever changes a list parameter or the mask has to raise the version, or old sync tokens would be misused."""
    digest = hashlib.sha256(json.dumps(dict(LIST_PARAMETERS), sort_keys=True).encode()).hexdigest()[:16]
    assert (LIST_PARAMETERS_VERSION, digest) == (2, "e40872c37de201fc")


def test_a_page_keeps_items_tokens_and_access_role() -> None:
    """An answer becomes a page; items stay raw, so that a malformed one harms no other."""
    body = {"items": [{"id": "e1"}, {"id": ""}, 7], "nextPageToken": "p2", "accessRole": "reader", "kind": "x"}
    with scripted(Answer(body=body)) as server:
        page = list_once(server.calendar())
    assert (page.items, page.next_page_token, page.read_as_writer) == ([{"id": "e1"}, {"id": ""}, 7], "p2", False)


def test_an_empty_page_with_a_page_token_is_no_end() -> None:
    """Calendar sends pages without items that go on."""
    with scripted(Answer(body={"nextPageToken": "p2"})) as server:
        assert list_once(server.calendar()).next_page_token == "p2"


def test_a_compressed_page_is_read_even_if_its_events_look_alike() -> None:
    """A page that shrinks to less than a hundredth is no attack but a calendar of repeated texts."""
    body = json.dumps({**LAST_PAGE, "items": [{"id": "e", "description": "a" * 11_000_000}]}).encode()
    with scripted(Answer(body=gzip.compress(body), headers={"Content-Encoding": "gzip"})) as server:
        assert len(list_once(server.calendar()).items) == 1
    assert "gzip" in server.asked[0].headers["accept-encoding"]


def test_a_last_page_without_a_sync_token_is_an_error() -> None:
    """A listing that ends with neither token cannot be carried on, and says so."""
    with scripted(Answer(body={"items": []})) as server, pytest.raises(CalendarUnavailable, match="no nextSyncToken"):
        list_once(server.calendar())


@pytest.mark.parametrize(
    "answer",
    [
        Answer(body=b"<html>Welcome to the hotel</html>"),
        Answer(body=b'{"items": [{"id": "e1", "summary": "Secret"'),
        Answer(body=b""),
        Answer(body=b"[]"),
        Answer(body={"items": {"summary": "Secret"}, "nextSyncToken": "s"}),
        Answer(body=json.dumps(LAST_PAGE).encode(), ending="cut"),
        Answer(body=b"not gzip", headers={"Content-Encoding": "gzip"}),
    ],
)
def test_an_answer_that_is_no_page_is_a_passing_fault(answer: Answer) -> None:
    """Foreign, cut-off and garbled answers are tried again, and never quoted."""
    with scripted(answer) as server, pytest.raises(CalendarUnavailable) as caught:
        list_once(server.calendar())
    assert "Secret" not in str(caught.value)
    assert caught.value.__cause__ is None or "Secret" not in str(caught.value.__cause__)


def test_a_series_is_read_to_its_last_page() -> None:
    """All pages of one iCalUID are asked for, without any sync token, and its cancelled exceptions kept."""

    def answer(asked: Asked) -> Answer:
        if asked.query.get("pageToken") == "p2":
            return Answer(body={"items": [{"id": "m_1", "status": "cancelled", "recurringEventId": "m"}]})
        return Answer(body={"items": [{"id": "m", "recurrence": ["RRULE:FREQ=DAILY"]}], "nextPageToken": "p2"})

    with scripted(answer) as server:
        series = server.calendar().list_series(ANN, "uid@example.com")
    assert [(event.id, event.is_cancelled) for event in series] == [("m", False), ("m_1", True)]
    for asked in server.asked:
        assert asked.query["iCalUID"] == "uid@example.com"
        assert (asked.query["showDeleted"], asked.query["singleEvents"]) == ("true", "false")
        assert not {"syncToken", "timeMin", "updatedMin"} & asked.query.keys()


def test_a_series_without_end_is_given_up() -> None:
    """A listing that always names another page does not hold the worker for ever."""
    with scripted(Answer(body={"nextPageToken": "again"})) as server, pytest.raises(CalendarUnavailable, match="pages"):
        server.calendar().list_series(ANN, "uid@example.com")


def test_an_event_is_read_through_the_mask() -> None:
    """Reading one event asks for the same fields, zone and number of guests as a listing."""
    with scripted(Answer(body={"id": "e1", "status": "cancelled"})) as server:
        event = server.calendar().get_event(ANN, "e1")
    assert event is not None
    assert event.is_cancelled
    assert server.asked[0].path.endswith("/calendars/team@example.com/events/e1")
    query = server.asked[0].query
    assert (query["fields"], query["timeZone"], query["maxAttendees"]) == (EVENT_FIELDS, "UTC", "500")


@pytest.mark.parametrize(("status", "reason"), [(404, "notFound"), (410, "deleted")])
def test_an_event_that_calendar_does_not_know_is_none(status: int, reason: str) -> None:
    """Both of Calendar's ways to say that there is no such event give None."""
    with scripted(Answer(status, error_body(reason, status))) as server:
        assert server.calendar().get_event(ANN, "e1") is None


@pytest.mark.parametrize("body", [b"<h1>404</h1>", b"", b'{"error": "no such route"}'])
def test_a_404_that_calendar_did_not_write_is_no_evidence(body: bytes) -> None:
    """A proxy's or a wrong endpoint's 404 never counts as a deleted event."""
    with scripted(Answer(404, body)) as server, pytest.raises(CalendarUnavailable, match="not written by Calendar"):
        server.calendar().get_event(ANN, "e1")


def test_an_event_that_cannot_be_read_is_rejected_by_its_place() -> None:
    """A whole but malformed event fails for good, and the message names the field, not its content."""
    body = {"id": "e1", "start": {"dateTime": "Secret o'clock"}}
    with (
        scripted(Answer(body=body)) as server,
        pytest.raises(CalendarRequestRejected, match=r"start\.dateTime") as caught,
    ):
        server.calendar().get_event(ANN, "e1")
    assert "Secret" not in str(caught.value)
    assert caught.value.__suppress_context__


def test_a_cut_off_event_is_a_passing_fault() -> None:
    """Half an event is read again later."""
    with scripted(Answer(body=b'{"id": "e1"')) as server, pytest.raises(CalendarUnavailable):
        server.calendar().get_event(ANN, "e1")


WHOLE_EVENT = {
    "kind": "calendar#event",
    "etag": '"7"',
    "id": "e1",
    "summary": "Weekly",
    "attendees": [{"email": f"{n}@example.com"} for n in range(3)],
    "attachments": [{"fileUrl": "https://example.com/a"}],
    "extendedProperties": {"private": {"ours": "1"}},
    "somethingNew": {"deep": [1, 2.5, None]},
    "conferenceData": {"conferenceId": "old", "signature": "x"},
}


def _event_server(etag_now: str = '"7"') -> Callable[[Asked], Answer]:
    def answer(asked: Asked) -> Answer:
        return Answer(body={**WHOLE_EVENT, "etag": etag_now} if asked.method == "GET" else {"id": "e1", "etag": '"8"'})

    return answer


@pytest.mark.parametrize("conference_data", [{"conferenceId": "new", "entryPoints": []}, None])
def test_only_the_conference_data_of_an_event_is_replaced(conference_data: dict[str, Any] | None) -> None:
    """The event goes back as it came, unknown fields and all; None goes as an explicit null."""
    with scripted(_event_server()) as server:
        event = server.calendar().write_conference_data(ANN, "e1", '"7"', conference_data)
    read, written = server.asked
    assert event.etag == '"8"'
    assert not {"fields", "maxAttendees", "timeZone"} & read.query.keys()
    assert written.body == {**WHOLE_EVENT, "conferenceData": conference_data}
    assert (written.method, written.headers["if-match"]) == ("PUT", '"7"')
    expected = {"conferenceDataVersion": "1", "sendUpdates": "none", "supportsAttachments": "true"}
    assert expected.items() <= written.query.items()


def test_an_event_that_changed_meanwhile_is_not_written() -> None:
    """A newer etag is seen before the write, which then never leaves."""
    with scripted(_event_server('"9"')) as server, pytest.raises(PreconditionFailed):
        server.calendar().write_conference_data(ANN, "e1", '"7"', None)
    assert [asked.method for asked in server.asked] == ["GET"]


def test_a_write_that_loses_the_race_is_told() -> None:
    """412 for our If-Match means that the event changed between reading and writing."""

    def answer(asked: Asked) -> Answer:
        if asked.method == "PUT":
            return Answer(412, error_body("conditionNotMet", 412))
        return Answer(body=WHOLE_EVENT)

    with scripted(answer) as server, pytest.raises(PreconditionFailed):
        server.calendar().write_conference_data(ANN, "e1", '"7"', None)


@pytest.mark.parametrize("body", [b'{"etag"', b"[]", b"<html>"])
def test_nothing_is_written_when_the_event_could_not_be_read(body: bytes) -> None:
    """A cut-off or foreign answer never goes back as an event."""
    with scripted(Answer(body=body)) as server, pytest.raises(CalendarUnavailable):
        server.calendar().write_conference_data(ANN, "e1", '"7"', None)
    assert [asked.method for asked in server.asked] == ["GET"]


def test_writing_to_an_event_that_is_gone_counts_as_changed() -> None:
    """The caller reads again and plans again, which settles what became of the event."""
    with scripted(Answer(404, error_body("notFound", 404))) as server, pytest.raises(PreconditionFailed):
        server.calendar().write_conference_data(ANN, "e1", '"7"', None)


def _watch(calendar: GoogleCalendar) -> Any:
    return calendar.watch_events(
        ANN, channel_id="c1", channel_token="v1.k.x", address="https://example.com/push", ttl_s=604800
    )


@pytest.mark.parametrize("expiration", ["1790000000000", 1790000000000])
def test_a_channel_expires_when_calendar_says(expiration: object) -> None:
    """The expiration in the answer counts, as a string or a number of milliseconds."""
    with scripted(Answer(body={"resourceId": "r1", "expiration": expiration})) as server:
        watched = _watch(server.calendar())
    assert (watched.resource_id, watched.expires_at) == ("r1", datetime.fromtimestamp(1_790_000_000, UTC))
    (asked,) = server.asked
    assert (asked.method, asked.path) == ("POST", "/calendar/v3/calendars/team@example.com/events/watch")
    assert asked.query["eventTypes"] == "default"
    assert asked.body == {
        "id": "c1",
        "type": "web_hook",
        "address": "https://example.com/push",
        "token": "v1.k.x",
        "params": {"ttl": "604800"},
    }


@pytest.mark.parametrize("expiration", [None, "soon", "99999999999999999999", -(10**17)])
def test_a_channel_whose_end_is_unknown_is_stopped_again(expiration: object) -> None:
    """No end is guessed: the channel is stopped, and watching counts as failed for now."""
    answer = Answer(body={"resourceId": "r1", "expiration": expiration})
    with scripted(answer) as server, pytest.raises(CalendarUnavailable, match="expiration"):
        _watch(server.calendar())
    assert server.asked[1].path == "/calendar/v3/channels/stop"
    assert server.asked[1].body == {"id": "c1", "resourceId": "r1"}


def test_a_channel_without_a_resource_id_is_unusable() -> None:
    """Without the resource id the channel could never be stopped, so the answer is not taken."""
    with scripted(Answer(body={"expiration": "1790000000000"})) as server, pytest.raises(CalendarUnavailable):
        _watch(server.calendar())


@pytest.mark.parametrize("answer", [Answer(204), Answer(404, error_body("notFound", 404))])
def test_stopping_a_channel_is_done_even_if_it_is_gone(answer: Answer) -> None:
    """A channel that Calendar no longer knows counts as stopped."""
    with scripted(answer) as server:
        server.calendar().stop_channel(ANN, "c1", "r1")
    assert server.asked[0].body == {"id": "c1", "resourceId": "r1"}
