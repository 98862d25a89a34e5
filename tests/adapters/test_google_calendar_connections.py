"""How the Calendar adapter connects and signs in: threads, subjects, proxies, redirects, forks and failures."""

import threading
from dataclasses import dataclass, field

import pytest
from google.auth.credentials import Credentials

from confsync.adapters.google_calendar import GoogleCalendar
from confsync.adapters.google_calendar_connections import Connections
from confsync.adapters.sign_in import local
from confsync.core.events import Window
from confsync.errors import (
    CalendarAccessLost,
    CalendarUnavailable,
)
from confsync.ports import Address
from tests.adapters.test_google_calendar_scripted import LAST_PAGE, Answer, Asked, error_body, list_once, scripted


def test_each_subject_signs_in_for_itself_and_pays_its_own_quota() -> None:
    """The bearer token and the quota user are the subject's, and the latter is short and not its address."""
    with scripted(Answer(body=LAST_PAGE)) as server:
        calendar = server.calendar()
        for subject in ("ann@example.com", "bob@example.com"):
            at = Address("team@example.com", subject)
            calendar.list_events(at, sync_token=None, page_token=None, window=Window())
    assert [asked.headers["authorization"] for asked in server.asked] == [
        "Bearer ann@example.com",
        "Bearer bob@example.com",
    ]
    users = [asked.query["quotaUser"] for asked in server.asked]
    assert len(set(users)) == 2
    assert all(len(user) == 40 and "@" not in user for user in users)


def test_one_connection_serves_a_thread_and_all_its_subjects() -> None:
    """Requests of a thread share its connection; another thread has its own."""
    with scripted(Answer(body=LAST_PAGE)) as server:
        calendar = server.calendar()
        for subject in ("ann@example.com", "bob@example.com"):
            calendar.list_events(Address("c", subject), sync_token=None, page_token=None, window=Window())
        other = threading.Thread(target=list_once, args=(calendar,))
        other.start()
        other.join()
    first, second, third = (asked.client_port for asked in server.asked)
    assert first == second != third


def test_a_connection_is_not_used_again_after_a_failure() -> None:
    """Whatever is left of an answer that failed, it is never read as the answer to the next request."""
    garbled = Answer(body=b"not gzip", headers={"Content-Encoding": "gzip"})
    for bad in (garbled, Answer(body=LAST_PAGE, ending="cut")):
        answers = [bad, Answer(body=LAST_PAGE)]
        with scripted(lambda _, answers=answers: answers.pop(0)) as server:  # type: ignore[misc]  # bound now
            calendar = server.calendar()
            with pytest.raises(CalendarUnavailable):
                list_once(calendar)
            assert list_once(calendar).next_sync_token == "s1"
        assert server.asked[0].client_port != server.asked[1].client_port


def test_a_connection_that_rested_for_long_is_not_trusted() -> None:
    """After the idle limit a new connection is opened, since a frozen instance does not see its peer hang up."""

    @dataclass
    class Request:
        uri: str
        method: str = "GET"
        body: None = None
        headers: dict[str, str] = field(default_factory=dict)

    with scripted(Answer(body=LAST_PAGE)) as server:
        connections = Connections(timeout_s=5, idle_limit_s=0)
        for _ in range(2):
            connections.send(local()("ann@example.com"), Request(server.url))
    assert len({asked.client_port for asked in server.asked}) == 2


def test_a_connection_is_not_shared_with_a_forked_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """A child that inherits an open connection opens its own."""
    with scripted(Answer(body=LAST_PAGE)) as server:
        calendar = server.calendar()
        list_once(calendar)
        with monkeypatch.context() as child:
            child.setattr("os.getpid", lambda: -1)
            list_once(calendar)
    assert len({asked.client_port for asked in server.asked}) == 2


def test_redirects_are_not_followed() -> None:
    """The credentials of a subject never travel to where a redirect points."""
    with scripted(Answer(body=LAST_PAGE)) as elsewhere:
        moved = {"Location": elsewhere.url + "calendars/c/events"}
        for status in (301, 302, 303, 307, 308):
            with scripted(Answer(status, headers=moved)) as server, pytest.raises(CalendarUnavailable):
                list_once(server.calendar())
        assert elsewhere.asked == []


def test_a_proxy_of_the_environment_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    """The local Calendar server is reached directly, whatever proxy the machine has."""
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    with scripted(Answer(502)) as proxy, scripted(Answer(body=LAST_PAGE)) as server:
        monkeypatch.setenv("http_proxy", proxy.url)
        assert list_once(server.calendar()).next_sync_token == "s1"
    assert proxy.asked == []


class _Renewable(Credentials):
    """Credentials whose first token is refused."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # google-auth leaves it untyped
        self.token = "old"

    def refresh(self, request: object) -> None:
        assert request is not None
        self.token = "new"


def test_a_refused_token_is_renewed_once() -> None:
    """A 401 renews the token and asks again with the new one."""

    def answer(asked: Asked) -> Answer:
        fresh = asked.headers["authorization"] == "Bearer new"
        return Answer(body=LAST_PAGE) if fresh else Answer(401, error_body("authError", 401))

    with scripted(answer) as server:
        kept = _Renewable()
        assert list_once(server.calendar(credentials_for=lambda _: kept)).next_sync_token == "s1"
    assert len(server.asked) == 2


def test_a_token_that_is_refused_again_is_lost_access() -> None:
    """Two refusals in a row end the attempt."""
    with scripted(Answer(401, error_body("authError", 401))) as server:
        kept = _Renewable()
        with pytest.raises(CalendarAccessLost) as caught:
            list_once(server.calendar(credentials_for=lambda _: kept))
    assert (caught.value.reason, len(server.asked)) == ("authError", 2)


def test_nothing_happens_before_the_first_call() -> None:
    """Building the adapter touches neither credentials nor network, so that it survives a fork."""

    def refuse(subject: str) -> Credentials:
        raise AssertionError(subject)

    with scripted(Answer(500)) as server:
        server.calendar(credentials_for=refuse)
    assert server.asked == []


def test_the_default_endpoint_is_googles() -> None:
    """Without an endpoint the requests go to the address in the bundled discovery document."""
    events = GoogleCalendar(local())._events
    assert events.list(calendarId="c").uri.startswith("https://www.googleapis.com/calendar/v3/calendars/c/events")
