"""One call to a conferencing system, and what its answer means for the record.

It must never read or write the store: `update_conference` stores the intent before, and the answer after.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Literal

from confsync.core import effects
from confsync.core.conference import Conference, Intent
from confsync.core.terms import Terms
from confsync.errors import (
    ConferenceGone,
    ConferenceStale,
    OutcomeUnknown,
    ProviderBusy,
    ProviderError,
    ProviderRefusesUs,
    ProviderRejected,
)
from confsync.ports import ConferenceCall, ConferenceProvider, Outside

AnswerStatus = Literal["applied", "waiting", "refused", "alert"]


@dataclass(frozen=True)
class Answer:
    """What a call came to: how the record moves on, and what the log says."""

    status: AnswerStatus
    reason: str
    transition: Callable[[Conference], Conference]
    is_failure: bool = False
    """Whether it is recorded for an operator to look at."""


def not_configured(conference: Conference, outside: Outside) -> str:
    """Return why nobody can be told anything about a conference: its provider is not configured; empty where it is."""
    is_configured = conference.provider in outside.providers
    return "" if is_configured else f"no provider named {conference.provider} in CONFERENCE_SOLUTIONS"


def call_back_end(conference: Conference, intent: Intent, outside: Outside, terms: Terms) -> Answer:
    """Call the conferencing system once, unless the intent has grown too old to leave."""
    now, rules = outside.now(), terms.rules
    provider = outside.providers.get(conference.provider)
    if provider is None:
        at, reason = now + timedelta(seconds=rules.refused_pause_s), not_configured(conference, outside)
        return Answer("alert", reason, lambda c: effects.busy(c, at, reason))
    if now > rules.may_leave_until(intent.deadline):
        return Answer("waiting", "left too late", lambda c: effects.busy(c, now, "the call left too late"))
    try:
        _send(conference, intent, provider)
    except ProviderError as error:
        return _answer_to(error, intent, provider, conference, now=outside.now(), terms=terms)
    told, now = _wanted(conference), outside.now()
    return Answer("applied", "", lambda c: effects.applied(c, intent, told, now))


def _send(conference: Conference, intent: Intent, provider: ConferenceProvider) -> None:
    call = ConferenceCall(
        conference_key=conference.key,
        conference_id=conference.conference_id,
        operation_id=effects.operation_id(conference.key, intent),
        generation=intent.generation,
        state=conference.desired.state if conference.desired else None,
    )
    if intent.verb == "end":
        provider.end(call)
    else:
        provider.update(call)


def _wanted(conference: Conference) -> str:
    return conference.desired.fingerprint if conference.desired else ""


def _answer_to(
    error: ProviderError,
    intent: Intent,
    provider: ConferenceProvider,
    conference: Conference,
    *,
    now: datetime,
    terms: Terms,
) -> Answer:
    rules, reason = terms.rules, str(error)
    later = now + timedelta(seconds=rules.backoff_s(conference.attempts))
    match error:
        case ProviderBusy():
            at = now + timedelta(seconds=error.retry_after_s) if error.retry_after_s else later
            return Answer("waiting", reason, lambda c: effects.busy(c, at, reason))
        case OutcomeUnknown():
            at = later if provider.capabilities.ordered_writes else intent.deadline
            return Answer("waiting", reason, lambda c: effects.unknown(c, at, reason, now))
        case ConferenceStale():
            return Answer("waiting", reason, lambda c: effects.stale(c, error.stored_generation, now, rules))
        case ProviderRefusesUs():
            at = now + timedelta(seconds=rules.refused_pause_s)
            return Answer("alert", reason, lambda c: effects.busy(c, at, reason))
        case ConferenceGone():
            able = provider.capabilities
            status: AnswerStatus = "waiting" if able.creates else "refused"
            given_up = partial(effects.given_up, intent=intent, capabilities=able, error=reason, now=now)
            return Answer(status, reason, given_up, is_failure=not able.creates)
        case ProviderRejected():
            return Answer("refused", reason, lambda c: effects.refused(c, intent, reason, now), is_failure=True)
        case _:
            raise error
