"""Bring one conference from what its back end was told to what it should be: the only place that tells it anything.

    store the intent -> call -> store the answer -> again, if something newer is wanted

A decided end is looked at once more before it is wanted (`end_conference`); a conference that cannot be revived is
replaced (`replace_conference`, which asks the back end for another); what only time changes is found by a review
(`review_conference`).

It must never call while another call may be under way, call without a stored intent, or take an unknown outcome for a
known one.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from confsync.call_back_end import Answer, AnswerStatus, call_back_end, not_configured
from confsync.core import desires, effects, ending, reviewing, tasks
from confsync.core.conference import Conference, Intent
from confsync.core.records import Failure, key_of
from confsync.core.terms import Terms
from confsync.end_conference import decide_end
from confsync.hold_end import HeldEnd
from confsync.ports import Outside, Transaction
from confsync.replace_conference import replace_conference
from confsync.review_conference import review_conference

MAX_CALLS = 5
"""Calls in one go; a conference that keeps changing goes on in a task."""

Status = AnswerStatus | Literal["nothing", "held"]
"""What the last call came to, or why there was none."""


@dataclass(frozen=True)
class UpdateOutcome:
    """What became of a conference, for the log."""

    conference_key: str
    status: Status = "nothing"
    calls: int = 0
    reason: str = ""
    held: HeldEnd | None = None
    """Its end, where the brake holds it since now."""


def update_conference(
    conference_key: str,
    outside: Outside,
    terms: Terms,
    *,
    stop_at: datetime | None = None,
    known: Conference | None = None,
    announced: Intent | None = None,
) -> UpdateOutcome:
    """Apply what is wanted now, and make sure that somebody applies what has to wait; in the mode `observe` neither.

    Args:
        stop_at: no call begins after this; None: the time of one task from now.
        known: the conference, where the caller has just stored it.
        announced: the intent of the first call, where the caller has stored that too.

    Raises:
        StoreUnavailable, TaskQueueError: nothing is lost; the task is to be tried again.

    """
    if terms.rules.mode == "observe":
        return UpdateOutcome(conference_key, "nothing", reason="MODE=observe: nothing is told")
    stored = known or outside.store.get(Conference, conference_key)
    if stored is not None and announced is None and reviewing.is_review_due(stored, outside.now()):
        review_conference(conference_key, outside, terms)
        stored = outside.store.get(Conference, conference_key)
    if stored is None:
        return UpdateOutcome(conference_key)
    stop_at = stop_at or outside.now() + timedelta(seconds=terms.rules.sync_budget_s)
    told = _tell(stored, announced, outside, terms, stop_at)
    stored, not_made = told.stored, ""
    if stored is not None and stored.replacements:
        not_made = replace_conference(conference_key, outside, terms)
        stored = outside.store.get(Conference, conference_key)
    is_waiting = stored is not None and leave_task(stored, outside, terms)
    not_told = not_made or (not_configured(stored, outside) if stored is not None else "")
    return _outcome(conference_key, told, not_told, is_waiting=is_waiting)


@dataclass
class _Told:
    """What was told in one go."""

    stored: Conference | None
    """The conference as it was stored last; None when it was forgotten meanwhile."""
    calls: int = 0
    answer: Answer | None = None
    held: HeldEnd | None = None


def _tell(conference: Conference, announced: Intent | None, outside: Outside, terms: Terms, stop_at: datetime) -> _Told:
    """Call the back end until it was told what is wanted."""
    told, intent = _Told(conference), announced
    while told.stored is not None and told.calls < MAX_CALLS:
        if told.calls and not (_goes_on(told.stored) and outside.now() < stop_at):
            break
        if intent is None:
            if ending.is_ending(told.stored):
                told.held = decide_end(conference.key, outside, terms) or told.held
            told.stored, intent = _announce(conference.key, outside, terms)
        if told.stored is None or intent is None:
            break
        told.calls += 1
        told.answer = call_back_end(told.stored, intent, outside, terms)
        told.stored, intent = _store_answer(told.stored, intent, told.answer, outside), None
    return told


def _goes_on(conference: Conference) -> bool:
    return desires.is_pending(conference) or ending.is_ending(conference)


def _outcome(conference_key: str, told: _Told, not_told: str, *, is_waiting: bool) -> UpdateOutcome:
    answer, held = told.answer, told.held
    if not_told:
        return UpdateOutcome(conference_key, "alert", told.calls, not_told, held)
    if answer is not None:
        return UpdateOutcome(conference_key, answer.status, told.calls, answer.reason, held)
    if held is not None:
        return UpdateOutcome(conference_key, "held", reason=held.reason, held=held)
    return UpdateOutcome(conference_key, "waiting" if is_waiting else "nothing")


def leave_task(conference: Conference, outside: Outside, terms: Terms) -> bool:
    """Make sure that a task runs when the conference is due; whether it is, now or soon.

    None in the mode `observe`: it stays in the store.
    """
    if terms.rules.mode == "observe" or not tasks.is_worth_a_task(conference, outside.now(), terms.rules):
        return False
    outside.task_queue.create(tasks.conference_update(conference, outside.now(), terms.rules))
    return True


def _announce(conference_key: str, outside: Outside, terms: Terms) -> tuple[Conference | None, Intent | None]:
    """Store the intent of a call; return what is stored, and None when there is nothing to tell, or not now."""

    def body(tx: Transaction) -> tuple[Conference | None, Intent | None]:
        now, conference = outside.now(), tx.get(Conference, conference_key)
        if conference is None or effects.has_open_intent(conference, now):
            return conference, None
        if conference.intent is not None and not desires.is_pending(conference):
            tx.put(told := effects.without_expired(conference))
            return told, None
        if not effects.may_be_told(conference, now):
            return conference, None
        opened = effects.open_intent(conference, now, terms.rules)
        tx.put(opened)
        return opened, opened.intent

    return outside.store.transact(body)


def _store_answer(opened: Conference, intent: Intent, answer: Answer, outside: Outside) -> Conference | None:
    """Close the intent and return what is stored; a late answer to one that is no longer stored changes nothing."""

    def body(tx: Transaction) -> Conference | None:
        stored = tx.get(Conference, opened.key)
        if stored is None or not effects.is_answer_to(stored, intent):
            return stored
        failure = _failure(tx, stored, answer, outside.now()) if answer.is_failure else None
        tx.put(answered := answer.transition(stored))
        if failure is not None:
            tx.put(failure)
        return answered

    return outside.store.transact(body)


def _failure(tx: Transaction, conference: Conference, answer: Answer, now: datetime) -> Failure:
    key, tenant = key_of("failure", conference.key, answer.status), conference.tenant
    failure = Failure(
        key=key, tenant=tenant, conference_key=conference.key, reason=answer.reason, first_at=now, last_at=now
    )
    return failure.after(tx.get(Failure, key))
