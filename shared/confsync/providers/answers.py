"""Judges what a back end answered, or how the call broke off: done, or which `ProviderError` it is.

Pure: it opens no connection and reads no clock. Every status and every exception of httpx has exactly one meaning here.
It must never take an answer for done that may not be, nor let a text of the event into a message.
"""

import ssl
from dataclasses import dataclass
from typing import Literal

import httpx

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
from confsync.providers.problems import CONFERENCE_ENDED, GENERATION_STALE, Problem, shown

Verb = Literal["conference.upsert", "conference.delete", "conference.create", "conference.get", "ping"]

ORDERED = frozenset({"conference.upsert", "conference.delete"})
"""The calls with a generation, which a newer one can make stale."""

BUSY = frozenset({408, 423, 425, 429, 503})
"""Not applied; the same call may be made again."""
REFUSED = frozenset({401, 402, 403, 405, 407, 415, 421, 426, 451})
"""No call will pass before an operator has acted."""

NOTHING_SENT = frozenset({httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError})
PERHAPS_APPLIED = frozenset(
    {
        httpx.ReadError,
        httpx.ReadTimeout,
        httpx.WriteError,
        httpx.WriteTimeout,
        httpx.CloseError,
        httpx.RemoteProtocolError,
        httpx.DecodingError,
        httpx.HTTPStatusError,
    }
)
MISCONFIGURED = frozenset({httpx.UnsupportedProtocol, httpx.TooManyRedirects, httpx.InvalidURL})
UNSENDABLE = frozenset({httpx.LocalProtocolError})


@dataclass(frozen=True)
class Asked:
    """What was asked of the back end, as far as judging and reporting it need."""

    verb: Verb
    host: str
    operation_id: str
    conference_key: str = ""
    generation: int = 0
    state: ConferenceState | None = None
    conference_id: str = ""
    """Of the conference that is asked about, or is to be replaced, where the call has no key."""

    def __str__(self) -> str:
        """Name the call without anything that belongs to the event."""
        what = f" {self.conference_key} generation {self.generation}" if self.conference_key else ""
        what = f" for {shown(self.conference_id, None)}" if self.conference_id else what
        return f"{self.verb}{what} ({self.operation_id}) at {self.host}"


@dataclass(frozen=True)
class Answer:
    """A complete answer."""

    status: int
    retry_after_s: float | None = None
    generation: int | None = None
    """The generation that a 2xx body names; None where it names none, or is no JSON."""
    problem: Problem | None = None


def judge(answer: Answer, asked: Asked) -> ProviderError | None:
    """Return the error that the answer means, None when what was asked is done."""
    status = answer.status
    if 200 <= status < 300:
        return _judge_success(answer, asked)
    if status in (404, 410):
        return _judge_missing(answer, asked)
    if status == 409:
        return _judge_conflict(answer, asked)
    return _judge_by_status(answer, asked)


def _judge_by_status(answer: Answer, asked: Asked) -> ProviderError:
    status = answer.status
    if status in BUSY:
        return ProviderBusy(f"{asked}: not applied, {_told(answer, asked)}", answer.retry_after_s)
    if status in REFUSED or 300 <= status < 400:
        return _refused(answer, asked)
    if 400 <= status < 500:
        return _rejected(answer, asked)
    if asked.verb == "conference.get":
        return ProviderBusy(f"{asked}: not answered, {_told(answer, asked)}", answer.retry_after_s)
    return OutcomeUnknown(f"{asked}: perhaps applied, {_told(answer, asked)}")


def _rejected(answer: Answer, asked: Asked) -> ProviderRejected:
    return ProviderRejected(f"{asked}: rejected for good, {_told(answer, asked)}")


def _judge_success(answer: Answer, asked: Asked) -> ProviderError | None:
    """A body is not needed for a state: the status says that it arrived, and many back ends answer 204.

    A conference that is still being made is not there yet: the same call comes again and finds it.
    """
    if asked.verb == "conference.create" and answer.status == 202:
        return ProviderBusy(f"{asked}: not made yet, {_told(answer, asked)}", answer.retry_after_s)
    if asked.verb in ORDERED and answer.generation is not None and answer.generation > asked.generation:
        return _stale(asked, answer.generation)
    return None


def _judge_missing(answer: Answer, asked: Asked) -> ProviderError | None:
    """Only a problem body speaks of the conference; a bare 404 or 410 speaks of the address.

    Nobody asks to create what is gone or unknown: such an answer refuses the creation itself.
    """
    ended = answer.problem is not None and answer.problem.name == CONFERENCE_ENDED
    if asked.verb == "conference.delete" and (answer.status == 404 or ended):
        return None
    if not (ended or (answer.status == 404 and answer.problem is not None and asked.verb != "ping")):
        return _refused(answer, asked)
    if asked.verb == "conference.create":
        return _rejected(answer, asked)
    return ConferenceGone(f"{asked}: the conference cannot be revived, {_told(answer, asked)}")


def _judge_conflict(answer: Answer, asked: Asked) -> ProviderError:
    problem = answer.problem
    if problem is None or problem.name != GENERATION_STALE:
        return ProviderBusy(f"{asked}: not applied, {_told(answer, asked)}", answer.retry_after_s)
    if asked.verb not in ORDERED:
        return _rejected(answer, asked)
    if problem.generation is None:
        expected = "expected a member `generation` with the stored one, an integer from 0 to 2**53 - 1"
        return ProviderRejected(f"{asked}: answered {GENERATION_STALE} without a generation; {expected}")
    return _stale(asked, problem.generation)


def _stale(asked: Asked, stored_generation: int) -> ConferenceStale:
    return ConferenceStale(f"{asked}: the back end holds generation {stored_generation}", stored_generation)


def _refused(answer: Answer, asked: Asked) -> ProviderRefusesUs:
    way_out = "check the provider's address and signing secret, and whether the vendor has disabled the endpoint"
    return ProviderRefusesUs(f"{asked}: refused, {_told(answer, asked)}; {way_out}")


def _told(answer: Answer, asked: Asked) -> str:
    """Quote status, problem, detail and field errors, without what belongs to the event."""
    problem = answer.problem or Problem()
    parts = [problem.name, problem.detail, *(f"{field}: {reason}" for field, reason in problem.field_errors)]
    return "; ".join([f"status {answer.status}", *(shown(part, asked.state) for part in parts if part)])


def judge_failure(failure: httpx.HTTPError | httpx.InvalidURL, asked: Asked) -> ProviderError:
    """Return the error that a call without a complete answer means; what is not known counts as perhaps applied."""
    kind = type(failure)
    name = f"{asked}: {kind.__name__}"
    if kind in NOTHING_SENT:
        return _no_connection(failure, name)
    if kind in MISCONFIGURED:
        return ProviderRefusesUs(f"{name}; check the provider's address")
    if kind in UNSENDABLE:
        return ProviderRejected(f"{name}: the request breaks the rules of HTTP and was not sent")
    if asked.verb == "conference.get":
        return ProviderBusy(f"{name}: no complete answer in time")
    return OutcomeUnknown(f"{name}: perhaps applied, no complete answer in time")


def _no_connection(failure: BaseException, name: str) -> ProviderError:
    cause: BaseException | None = failure
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            way_out = "renew it, or name the file of its private authority in SSL_CERT_FILE"
            return ProviderRefusesUs(f"{name}: the back end's certificate is not valid, so nothing was sent; {way_out}")
        cause = cause.__cause__ or cause.__context__
    return ProviderBusy(f"{name}: no connection, so nothing was sent")
