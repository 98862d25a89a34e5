"""Sync one calendar: list what changed since the sync token, record it, and only then move the token.

    claim the lease -> list page by page, and read what was registered once one was shown in full
    -> (full listing: sweep) -> commit -> update the conferences that changed

It must never move the token before everything it covers is recorded, end anything because a listing failed, or leave
its lease behind.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Literal

from confsync.core import channels, leases, tasks
from confsync.core.records import Calendar
from confsync.core.terms import Terms
from confsync.errors import (
    BudgetSpent,
    CalendarAccessLost,
    CalendarError,
    CalendarQuotaExceeded,
    CalendarRateLimited,
    CalendarRequestRejected,
    ConfsyncError,
    FenceLost,
    StoreError,
)
from confsync.forget_calendar import forget_calendar
from confsync.listing import Listing
from confsync.ports import Outside, Transaction
from confsync.reading import address_of
from confsync.update_conference import UpdateOutcome, leave_task, update_conference

Release = Callable[[Calendar, datetime, str], Calendar]

Status = Literal["synced", "busy", "dropped", "deferred", "frozen", "superseded"]


@dataclass(frozen=True)
class SyncRequest:
    """What a sync task says."""

    calendar_key: str
    kind: str = "asked"
    """Why it runs: leading, trailing, after, again, lag, due or asked."""
    channel_id: str = ""
    """For a notification: the channel it came through."""
    resource_id: str = ""

    @property
    def is_announced(self) -> bool:
        """Whether a notification said that something changed; the list may lag behind it."""
        return self.kind in ("leading", "trailing")


@dataclass(frozen=True)
class SyncOutcome:
    """How a sync went, for the log."""

    status: Status
    reason: str = ""
    listed: int = 0
    """Items that Calendar listed."""
    missed: int = 0
    """Changes among them of which no notification told."""
    claims: tuple[str, ...] = ()
    """Ids of events that claim a conference for which nobody vouched, seen for the first time: the first few."""
    updates: tuple[UpdateOutcome, ...] = ()
    """What became of the conferences that were updated at once."""
    alert: bool = False
    """Whether an operator should hear of it; true once per incident."""


def sync_calendar(request: SyncRequest, outside: Outside, terms: Terms) -> SyncOutcome:
    """Bring one calendar up to date, or make sure that somebody will.

    Raises:
        CalendarUnavailable, StoreUnavailable, TaskQueueError: nothing is lost; the task is to be tried again.

    """
    claim = _claim(request, outside, terms)
    if isinstance(claim, SyncOutcome):
        return _left_alone(request, claim, outside, terms) if claim.status == "dropped" else claim
    _stop_unknown_channel(request, claim.calendar, outside)
    listing = Listing(
        claim.calendar,
        outside,
        terms,
        tell=lambda conference: leave_task(conference, outside, terms),
        reconciles=request.kind == "due" and claim.reconciles,
    )
    outcome = _run(listing, outside, terms)
    updates = update_changed(listing, outside, terms)
    if request.is_announced and outcome.status == "synced" and listing.listed == 0:
        outside.task_queue.create(tasks.sync_for_lag(listing.calendar, outside.now(), terms.rules))
    return replace(outcome, missed=listing.missed, updates=updates, claims=tuple(listing.claims))


def _left_alone(request: SyncRequest, dropped: SyncOutcome, outside: Outside, terms: Terms) -> SyncOutcome:
    """Stop a channel that outlived its calendar's pause or removal; forget a removed calendar whose time has come."""
    calendar = outside.store.get(Calendar, request.calendar_key)
    if calendar is None or leases.is_synced(calendar):
        return dropped
    _stop_channel(request, calendar, outside)
    forgotten = forget_calendar(calendar.key, outside, terms.rules)
    if not (forgotten.links or forgotten.conferences):
        return dropped
    what = f"{forgotten.links} links and {forgotten.conferences} conferences forgotten"
    return replace(dropped, reason=f"{dropped.reason}; {what}")


def _run(listing: Listing, outside: Outside, terms: Terms) -> SyncOutcome:
    try:
        return _listed(listing, outside, terms)
    except FenceLost:
        return SyncOutcome("superseded", "another worker owns the calendar now", listing.listed)
    finally:
        _give_back(listing, outside, terms)


def _listed(listing: Listing, outside: Outside, terms: Terms) -> SyncOutcome:
    try:
        listing.run()
    except (BudgetSpent, CalendarError) as error:
        return _stopped_by(error, listing, outside, terms)
    return SyncOutcome("synced", listed=listing.listed)


def _claim(request: SyncRequest, outside: Outside, terms: Terms) -> leases.Claim | SyncOutcome:
    """Return the lease, or why there is nothing to do; a held one gets a back-stop before that."""
    holder, now = outside.new_id(), outside.now()

    def body(tx: Transaction) -> leases.Claim | SyncOutcome:
        calendar = tx.get(Calendar, request.calendar_key)
        if calendar is None or not leases.is_synced(calendar):
            return SyncOutcome("dropped", f"calendar is {calendar.state if calendar else 'unknown'}")
        if leases.is_frozen(calendar, now):
            return SyncOutcome("dropped", f"calendar is frozen: {calendar.reason}")
        if leases.is_out_of_quota(calendar, now):
            tx.put(leases.with_request(calendar))
            return SyncOutcome("deferred", f"{calendar.last_error}; it is asked again at {calendar.quota_until}")
        claim = leases.claim(calendar, holder, now, terms.rules)
        tx.put(claim.calendar)
        return claim

    claim = outside.store.transact(body)
    if isinstance(claim, SyncOutcome) or claim.granted:
        return claim
    if claim.calendar.lease is not None:
        outside.task_queue.create(tasks.sync_after_lease(request.calendar_key, claim.calendar.lease, terms.rules))
    return SyncOutcome("busy", "another worker syncs the calendar; a task runs when its lease is over")


def _stop_unknown_channel(request: SyncRequest, calendar: Calendar, outside: Outside) -> None:
    """A genuine notification through a channel that nobody remembers: a crash left it open."""
    if not channels.is_ours(calendar, request.channel_id, request.resource_id):
        _stop_channel(request, calendar, outside)


def _stop_channel(request: SyncRequest, calendar: Calendar, outside: Outside) -> None:
    if not request.channel_id:
        return
    try:
        outside.calendar_api.stop_channel(address_of(calendar), request.channel_id, request.resource_id)
    except CalendarError:
        return  # it expires by itself, and the next notification tries again


def _stopped_by(error: ConfsyncError, listing: Listing, outside: Outside, terms: Terms) -> SyncOutcome:
    """Store when to go on, and say so; raise what only another attempt of this task can cure."""
    now, rules = outside.now(), terms.rules
    match error:
        case BudgetSpent():
            return _defer(listing, now, "time of the task is over", outside)
        case CalendarRateLimited():
            wait_s = error.retry_after_s or rules.lag_s
            return _defer(listing, now + timedelta(seconds=wait_s), f"rate limit: {error.reason}", outside)
        case CalendarQuotaExceeded():
            at = now + timedelta(seconds=max(rules.quota_pause_s, error.retry_after_s or 0))
            return _defer(
                listing, at, f"quota: {error.reason}", outside, alert=True, release=leases.release_out_of_quota
            )
        case CalendarAccessLost():
            return _freeze(listing, error, outside, terms)
        case CalendarRequestRejected():
            at = now + timedelta(seconds=rules.frozen_retry_s)
            return _defer(listing, at, f"request rejected: {error}", outside, alert=True)
        case _:
            raise error


def _defer(
    listing: Listing,
    at: datetime,
    reason: str,
    outside: Outside,
    *,
    alert: bool = False,
    release: Release = leases.release,
) -> SyncOutcome:
    """Release the lease and go on at `at`, from the checkpoint; the store remembers should the task get lost."""
    is_news = reason != listing.calendar.last_error
    calendar = _transition(listing, lambda calendar: release(calendar, at, reason), outside)
    outside.task_queue.create(tasks.sync_again(calendar, at))
    return SyncOutcome("deferred", reason, listing.listed, alert=alert and is_news)


def _freeze(listing: Listing, error: CalendarAccessLost, outside: Outside, terms: Terms) -> SyncOutcome:
    """Access is lost, or the calendar is gone: no one can tell which, so nothing ends."""
    news = listing.calendar.state != "frozen"
    reason = error.reason or "unknown"
    _transition(listing, lambda calendar: leases.freeze(calendar, reason, outside.now(), terms.rules), outside)
    return SyncOutcome("frozen", reason, listing.listed, alert=news)


def _give_back(listing: Listing, outside: Outside, terms: Terms) -> None:
    """Release the lease of a sync that broke off; a store that is out of reach lets it expire."""
    if listing.calendar.lease is None:
        return
    try:
        _transition(listing, lambda calendar: leases.break_off(calendar, outside.now(), terms.rules), outside)
    except StoreError:
        return


def _transition(listing: Listing, change: leases.Transition, outside: Outside) -> Calendar:
    def body(tx: Transaction) -> Calendar:
        fence = listing.calendar.fence
        changed = change(leases.check_fence(tx.get(Calendar, listing.calendar.key), fence))
        tx.put(changed)
        return changed

    listing.calendar = outside.store.transact(body)
    return listing.calendar


def update_changed(listing: Listing, outside: Outside, terms: Terms) -> tuple[UpdateOutcome, ...]:
    """Update the first few conferences until time is up; make tasks for the others and for what is due later."""
    update = partial(update_conference, outside=outside, terms=terms, stop_at=listing.stop_at)
    announced, outcomes = listing.changed.pop(listing.announced, None), []
    if announced is not None:
        outcomes.append(update(announced.key, known=announced, announced=announced.intent))
    for conference in listing.changed.values():
        now = outside.now()
        at_once = conference.due_at is not None and conference.due_at <= now < listing.stop_at
        if at_once and len(outcomes) < terms.rules.inline_updates:
            outcomes.append(update(conference.key, known=conference))
        else:
            leave_task(conference, outside, terms)
    return tuple(outcomes)
