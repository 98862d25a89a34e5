"""What each answer, and each way of getting none, means."""

import ssl
from dataclasses import replace

import httpx
import pytest

from confsync.core.state import ConferenceState
from confsync.errors import (
    ConferenceGone,
    ConferenceStale,
    OutcomeUnknown,
    ProviderBusy,
    ProviderError,
    ProviderRefusesUs,
    ProviderRejected,
)
from confsync.providers import answers
from confsync.providers.answers import Answer, Asked, judge, judge_failure
from confsync.providers.problems import Problem

UPSERT = Asked("conference.upsert", "vendor.example", "op_1", "key-1", 7, ConferenceState(title="Merger"))
DELETE = replace(UPSERT, verb="conference.delete", state=None)
PING = replace(UPSERT, verb="ping", generation=0, state=None)
CREATE = Asked(
    "conference.create", "vendor.example", "op_1", state=ConferenceState(title="Merger"), conference_id="conf-1"
)
GET = Asked("conference.get", "vendor.example", "op_1", conference_id="conf-1")
ENDED = Problem(name="conference-ended")
UNKNOWN = Problem(name="conference-unknown")
STALE = Problem(name="generation-stale", generation=9)

CASES: list[tuple[Asked, Answer, type[ProviderError] | None]] = [
    *((asked, Answer(status), None) for status in (200, 201, 202, 204, 207) for asked in (UPSERT, DELETE, PING)),
    (UPSERT, Answer(200, generation=7), None),
    (UPSERT, Answer(200, generation=6), None),
    (UPSERT, Answer(200, generation=8), ConferenceStale),
    (DELETE, Answer(202, generation=8), ConferenceStale),
    (UPSERT, Answer(404), ProviderRefusesUs),
    (UPSERT, Answer(404, problem=UNKNOWN), ConferenceGone),
    (DELETE, Answer(404), None),
    (DELETE, Answer(404, problem=UNKNOWN), None),
    (PING, Answer(404), ProviderRefusesUs),
    (PING, Answer(404, problem=UNKNOWN), ProviderRefusesUs),
    (UPSERT, Answer(409), ProviderBusy),
    (UPSERT, Answer(409, problem=Problem(name="operation-running")), ProviderBusy),
    (UPSERT, Answer(409, problem=STALE), ConferenceStale),
    (DELETE, Answer(409, problem=STALE), ConferenceStale),
    (UPSERT, Answer(409, problem=replace(STALE, generation=None)), ProviderRejected),
    (UPSERT, Answer(410), ProviderRefusesUs),
    (DELETE, Answer(410), ProviderRefusesUs),
    (DELETE, Answer(410, problem=Problem(name="endpoint-retired")), ProviderRefusesUs),
    (UPSERT, Answer(410, problem=ENDED), ConferenceGone),
    (DELETE, Answer(410, problem=ENDED), None),
    *((UPSERT, Answer(status), ProviderRejected) for status in (400, 406, 411, 412, 413, 414, 418, 422, 431)),
    *((UPSERT, Answer(status), ProviderRefusesUs) for status in (401, 402, 403, 405, 407, 415, 421, 426, 451)),
    *((UPSERT, Answer(status), ProviderRefusesUs) for status in (300, 301, 302, 303, 304, 307, 308)),
    *((UPSERT, Answer(status), ProviderBusy) for status in (408, 423, 425, 429, 503)),
    *((asked, Answer(status), None) for status in (200, 201, 204) for asked in (CREATE, GET)),
    *((asked, Answer(200, generation=8), None) for asked in (CREATE, GET)),
    (CREATE, Answer(202), ProviderBusy),
    (GET, Answer(202), None),
    (CREATE, Answer(404), ProviderRefusesUs),
    (CREATE, Answer(404, problem=Problem(name="unknown-type")), ProviderRejected),
    (CREATE, Answer(410), ProviderRefusesUs),
    (CREATE, Answer(410, problem=ENDED), ProviderRejected),
    (CREATE, Answer(409), ProviderBusy),
    (CREATE, Answer(409, problem=Problem(name="operation-running")), ProviderBusy),
    (CREATE, Answer(409, problem=STALE), ProviderRejected),
    (GET, Answer(404), ProviderRefusesUs),
    (GET, Answer(404, problem=UNKNOWN), ConferenceGone),
    (GET, Answer(410), ProviderRefusesUs),
    (GET, Answer(410, problem=ENDED), ConferenceGone),
    (GET, Answer(409, problem=STALE), ProviderRejected),
    *((asked, Answer(status), ProviderRejected) for status in (400, 413, 422) for asked in (CREATE, GET)),
    *((asked, Answer(status), ProviderRefusesUs) for status in (301, 401, 403) for asked in (CREATE, GET)),
    *((asked, Answer(status), ProviderBusy) for status in (408, 429, 503) for asked in (CREATE, GET)),
    *((CREATE, Answer(status), OutcomeUnknown) for status in (500, 501, 502, 504, 599, 600)),
    *((GET, Answer(status), ProviderBusy) for status in (500, 501, 502, 504, 599, 600)),
    *((UPSERT, Answer(status), OutcomeUnknown) for status in (500, 501, 502, 504, 507, 520, 599, 199, 600)),
]


@pytest.mark.parametrize(
    ("asked", "answer", "expected"), CASES, ids=lambda value: value.verb if isinstance(value, Asked) else None
)
def test_each_answer_has_one_meaning(asked: Asked, answer: Answer, expected: type[ProviderError] | None) -> None:
    """The table of the contract, row by row; None means done."""
    error = judge(answer, asked)
    assert (type(error) if error else None) is expected


def test_nothing_but_a_2xx_and_a_missing_conference_is_ever_taken_for_done() -> None:
    """A status that nobody thought of can never make us believe that a conference is up to date."""
    success = set(range(200, 300))
    assert {status for status in range(1000) if judge(Answer(status), UPSERT) is None} == success
    assert {status for status in range(1000) if judge(Answer(status), DELETE) is None} == success | {404}
    assert {status for status in range(1000) if judge(Answer(status), CREATE) is None} == success - {202}
    assert {status for status in range(1000) if judge(Answer(status), GET) is None} == success


def test_a_stale_answer_names_the_stored_generation() -> None:
    """The caller raises its generation above this one."""
    for answer in (Answer(409, problem=STALE), Answer(200, generation=9)):
        error = judge(answer, UPSERT)
        assert isinstance(error, ConferenceStale)
        assert error.stored_generation == 9


def test_a_busy_answer_names_the_wait() -> None:
    """How long to wait is passed on, None when the back end did not say."""
    for wait_s in (12.5, None):
        for status, asked in ((409, UPSERT), (429, UPSERT), (503, UPSERT), (202, CREATE), (503, CREATE), (500, GET)):
            error = judge(Answer(status, retry_after_s=wait_s), asked)
            assert isinstance(error, ProviderBusy)
            assert error.retry_after_s == wait_s


def test_a_message_names_call_and_reason_but_nothing_of_the_event() -> None:
    """An operator sees which call, where, and what the vendor says, without the title that the vendor repeats."""
    problem = Problem(
        "title-too-long", "title 'Merger' is too long", None, (("data.desired.title", "at most 5, not Merger"),)
    )
    message = str(judge(Answer(422, problem=problem), UPSERT))
    for part in (
        "key-1",
        "generation 7",
        "op_1",
        "vendor.example",
        "422",
        "title-too-long",
        "data.desired.title: at most 5",
    ):
        assert part in message
    assert "Merger" not in message


def test_a_message_about_a_call_without_a_key_names_its_conference() -> None:
    """Also one whose id somebody made up: it stays on one line and short."""
    assert "conference.create for conf-1 (op_1)" in str(judge(Answer(500), CREATE))
    made_up = str(judge(Answer(500), replace(GET, conference_id="x\n" * 1000)))
    assert "\n" not in made_up
    assert len(made_up) < 500


FAILURES = {
    httpx.ConnectError: ProviderBusy,
    httpx.ConnectTimeout: ProviderBusy,
    httpx.PoolTimeout: ProviderBusy,
    httpx.ProxyError: ProviderBusy,
    httpx.UnsupportedProtocol: ProviderRefusesUs,
    httpx.TooManyRedirects: ProviderRefusesUs,
    httpx.InvalidURL: ProviderRefusesUs,
    httpx.LocalProtocolError: ProviderRejected,
    httpx.ReadError: OutcomeUnknown,
    httpx.ReadTimeout: OutcomeUnknown,
    httpx.WriteError: OutcomeUnknown,
    httpx.WriteTimeout: OutcomeUnknown,
    httpx.CloseError: OutcomeUnknown,
    httpx.RemoteProtocolError: OutcomeUnknown,
    httpx.DecodingError: OutcomeUnknown,
}


@pytest.mark.parametrize(("kind", "expected"), FAILURES.items())
def test_each_failure_has_one_meaning(kind: type[httpx.HTTPError], expected: type[ProviderError]) -> None:
    """Only what failed before anything was sent counts as not applied."""
    assert type(judge_failure(kind("it broke"), UPSERT)) is expected
    assert type(judge_failure(kind("it broke"), CREATE)) is expected


@pytest.mark.parametrize(("kind", "expected"), FAILURES.items())
def test_a_question_that_got_no_answer_is_asked_again(
    kind: type[httpx.HTTPError], expected: type[ProviderError]
) -> None:
    """Reading changes nothing, so nothing about its outcome can be unknown."""
    asked_again = ProviderBusy if expected is OutcomeUnknown else expected
    assert type(judge_failure(kind("it broke"), GET)) is asked_again


def test_every_exception_of_httpx_is_mapped() -> None:
    """A new version of httpx with a new exception fails here, and not in production."""
    found = {found for name in httpx.__all__ if isinstance(found := getattr(httpx, name), type)}
    exceptions = {kind for kind in found if issubclass(kind, Exception)}
    parents = {parent for kind in exceptions for parent in kind.__mro__[1:]}
    mapped = answers.NOTHING_SENT | answers.PERHAPS_APPLIED | answers.MISCONFIGURED | answers.UNSENDABLE
    # Raised for mistakes in a program that uses httpx, not for what happens on the network.
    mistakes = {kind for kind in exceptions if issubclass(kind, httpx.StreamError)} | {httpx.CookieConflict}
    assert exceptions - parents - mistakes == mapped


def test_a_bad_certificate_is_for_the_operator() -> None:
    """Waiting does not mend a certificate, unlike a refused connection."""
    failure = httpx.ConnectError("certificate verify failed")
    failure.__cause__ = ssl.SSLCertVerificationError(1, "certificate verify failed: self-signed certificate")
    assert isinstance(judge_failure(failure, UPSERT), ProviderRefusesUs)
