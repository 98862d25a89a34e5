"""Who may sync a calendar now, and what a sync may write: the fence, the lease, the sync token.

Pure transitions of the `Calendar` record; each runs inside one transaction of the store. The token moves in `commit`
and nowhere else forward. `requested` counts what was asked for, `served` what a listing that started later has covered.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from confsync.core.reconciliation import is_reconciliation, reconcile_time, reconciled
from confsync.core.records import Calendar, Checkpoint, Lease
from confsync.core.rereading import asked_again
from confsync.core.rules import Rules
from confsync.errors import FenceLost

Transition = Callable[[Calendar], Calendar]


@dataclass(frozen=True)
class Claim:
    """The outcome of asking for a calendar's lease."""

    calendar: Calendar
    """As it has to be stored."""
    granted: bool
    reconciles: bool = False
    """Whether nothing asked for a sync but the calendar's own interval."""


def claim(calendar: Calendar, holder: str, now: datetime, rules: Rules) -> Claim:
    """Count one request and take the lease if it is free or expired, with a new fence.

    A calendar with requests that nobody served yet always has `due_at`, so that the sweep finds it.
    """
    asked = with_request(calendar)
    if calendar.lease is not None and is_leased(calendar, now):
        return Claim(_due_after(asked, calendar.lease.expires_at, rules), granted=False)
    fence = calendar.fence + 1
    lease = Lease(holder=holder, fence=fence, expires_at=now + timedelta(seconds=rules.lease_s))
    leased = asked_again(asked.model_copy(update={"fence": fence, "lease": lease}), now)
    reconciles = is_reconciliation(calendar, now, rules)
    return Claim(_due_after(leased, lease.expires_at, rules), granted=True, reconciles=reconciles)


def is_synced(calendar: Calendar) -> bool:
    """Whether the calendar may be read, watched and written to: an operator neither paused nor removed it."""
    return calendar.state not in ("paused", "removed")


def is_frozen(calendar: Calendar, now: datetime) -> bool:
    """Whether access is lost and nobody is to try yet; one that is being tried is leased, and requests count."""
    waits = calendar.due_at is not None and now < calendar.due_at
    return calendar.state == "frozen" and waits and not is_leased(calendar, now)


def is_out_of_quota(calendar: Calendar, now: datetime) -> bool:
    """Whether Calendar said that the user's quota is used up; what announces a change meanwhile is only counted."""
    return calendar.quota_until is not None and now < calendar.quota_until and not is_leased(calendar, now)


def is_leased(calendar: Calendar, now: datetime) -> bool:
    """Whether some worker holds the calendar now."""
    return calendar.lease is not None and calendar.lease.expires_at > now


def with_request(calendar: Calendar) -> Calendar:
    """Return the calendar with one request more, which its next sync serves whenever that is due."""
    return calendar.model_copy(update={"requested": calendar.requested + 1})


def _due_after(calendar: Calendar, at: datetime, rules: Rules) -> Calendar:
    return calendar.model_copy(update={"due_at": at + timedelta(seconds=rules.skew_s)})


def check_fence(calendar: Calendar | None, fence: int) -> Calendar:
    """Return the calendar if this worker still owns it.

    Raises:
        FenceLost: another worker, or a change of state, raised the fence.

    """
    if calendar is None or calendar.fence != fence or calendar.lease is None:
        raise FenceLost(f"the calendar's fence moved on from {fence}; this sync may write nothing any more")
    return calendar


def extend(calendar: Calendar, now: datetime, rules: Rules) -> Calendar:
    """Return the calendar with its lease running anew from now."""
    assert calendar.lease is not None  # noqa: S101 - callers called check_fence
    lease = calendar.lease.model_copy(update={"expires_at": now + timedelta(seconds=rules.lease_s)})
    return _due_after(calendar.model_copy(update={"lease": lease}), lease.expires_at, rules)


def extended_at(calendar: Calendar, rules: Rules) -> datetime | None:
    """Return when the lease began to run last; None for a calendar that is not leased."""
    return calendar.lease.expires_at - timedelta(seconds=rules.lease_s) if calendar.lease is not None else None


def save_checkpoint(calendar: Calendar, checkpoint: Checkpoint, now: datetime, rules: Rules) -> Calendar:
    """Return the calendar with the listing's progress, its lease extended."""
    numbered = use_listing_number(calendar, checkpoint)
    return extend(numbered, now, rules).model_copy(update={"checkpoint": checkpoint})


def use_listing_number(calendar: Calendar, checkpoint: Checkpoint) -> Calendar:
    """Return the calendar with the number of this full listing used up."""
    return calendar.model_copy(update={"full_listings": max(calendar.full_listings, checkpoint.listing)})


def commit(
    calendar: Calendar, checkpoint: Checkpoint, previous_token: str | None, now: datetime, rules: Rules
) -> Calendar:
    """Move the sync token to the listing's end; release the lease unless more was asked for or registered meanwhile.

    Raises:
        FenceLost: the stored token is not the one that this listing started from.

    """
    if calendar.sync_token != previous_token:
        raise FenceLost("the sync token changed under this sync; its result is dropped")
    moved = use_listing_number(calendar, checkpoint).model_copy(
        update={
            "sync_token": checkpoint.next_sync_token,
            "listing_version": checkpoint.listing_version,
            "sync_generation": calendar.sync_generation + 1,
            "served": checkpoint.requested,
            "checkpoint": None,
            "last_synced_at": now,
            "quota_until": None,
            "failed_syncs": 0,
            "last_error": "",
        }
    )
    moved = reconciled(moved, checkpoint.missed, now)
    if moved.state == "frozen":
        moved = _thawed(moved, now)
    if moved.requested > moved.served or moved.to_observe:
        return extend(moved, now, rules)
    return moved.model_copy(update={"lease": None, "due_at": reconcile_time(moved, now, rules)})


def _thawed(calendar: Calendar, now: datetime) -> Calendar:
    """It may have been one without a channel before it froze: whether it can be watched is asked again."""
    renew_at = calendar.renew_at if calendar.channels else now
    return calendar.model_copy(update={"state": "active", "reason": "", "renew_at": renew_at or now})


def release(calendar: Calendar, due_at: datetime, error: str = "") -> Calendar:
    """Return the calendar without a lease, to be synced again at `due_at`; checkpoint and token stay."""
    return calendar.model_copy(update={"lease": None, "due_at": due_at, "last_error": error})


def release_out_of_quota(calendar: Calendar, due_at: datetime, error: str) -> Calendar:
    """Return the calendar without a lease, and without a sync before `due_at` whatever asks for one."""
    return release(calendar, due_at, error).model_copy(update={"quota_until": due_at})


def break_off(calendar: Calendar, now: datetime, rules: Rules) -> Calendar:
    """Return the calendar without the lease of a sync that broke off; each in a row waits longer for the next.

    The task of the sync is tried again by itself. This is for the scheduled run, should the task get lost.
    """
    wait_s = max(rules.skew_s, rules.backoff_s(calendar.failed_syncs))
    released = release(calendar, now + timedelta(seconds=wait_s), "the sync broke off")
    return released.model_copy(update={"failed_syncs": calendar.failed_syncs + 1})


def ask_again(calendar: Calendar, now: datetime) -> Calendar:
    """Return the calendar with one request more and due at once, for a sync that nobody will try again.

    Whoever syncs it now lists once more because of the request. One that is frozen is tried slowly as before, and one
    that is not synced stays so.
    """
    if not is_synced(calendar) or is_frozen(calendar, now):
        return calendar
    asked = with_request(calendar)
    if is_leased(calendar, now):
        return asked
    return asked.model_copy(update={"due_at": min(calendar.due_at or now, now)})


def freeze(calendar: Calendar, reason: str, now: datetime, rules: Rules) -> Calendar:
    """Return the calendar frozen: access is lost, nothing ends, it is tried again slowly.

    The fence rises, since every change of state raises it, and the next listing starts from nothing.
    """
    return calendar.model_copy(
        update={
            "state": "frozen",
            "reason": reason,
            "fence": calendar.fence + 1,
            "lease": None,
            "checkpoint": None,
            "sync_token": None,
            "due_at": now + timedelta(seconds=rules.frozen_retry_s),
        }
    )


def drop_token(calendar: Calendar, keep: str | None = None) -> Calendar:
    """Return the calendar without checkpoint and sync token (or with only `keep`): its next listing begins anew."""
    return calendar.model_copy(update={"sync_token": keep, "checkpoint": None})


def usable_token(calendar: Calendar, listing_version: str) -> str | None:
    """Return the sync token, None where it belongs to a listing of another version."""
    return calendar.sync_token if calendar.listing_version == listing_version else None


def usable_checkpoint(calendar: Calendar, listing_version: str) -> Checkpoint | None:
    """Return where an unfinished listing goes on; None where its tokens belong to a listing of another version."""
    checkpoint = calendar.checkpoint
    if checkpoint is None or checkpoint.listing_version != listing_version:
        return None
    return checkpoint if checkpoint.listing or usable_token(calendar, listing_version) is not None else None


def is_first_sync(calendar: Calendar) -> bool:
    """Whether no sync of this calendar was ever committed; only then a window bounds the listing."""
    return calendar.sync_generation == 0
