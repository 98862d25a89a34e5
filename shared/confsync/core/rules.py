"""The numbers that confsync lives by, with the conditions that tie them together.

`Rules()` is what runs in production; the local stack and the tests shorten a few of them.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from confsync.core.events import Window

Claims = Literal["registered", "matching"]
Ingress = Literal["push", "poll", "addon"]


@dataclass(frozen=True)
class Rules:
    """Durations, limits and policies; all times in the unit of the name."""

    window_s: float = 2
    """Coalescing window: a storm of notifications costs at most two tasks per window."""
    skew_s: float = 2
    """More than the clocks of instances and Cloud Tasks differ."""
    lease_s: float = 60
    """More than the longest pause between two extensions of a lease."""
    extend_every_s: float = 20
    task_s: float = 300
    """Dispatch deadline of one task, and time-out of the function."""
    lag_s: float = 30
    """After this a sync that listed nothing looks again: a list may lag behind the notification."""
    intent_s: float = 90
    """Nobody calls a conference again before this, when the outcome of a call is unknown."""
    leave_within_s: float = 30
    """A call to a conferencing system leaves this soon after its intent was stored, or not at all."""
    grace_s: float = 60
    """Between the decision to end a conference and the end."""
    reconcile_s: float = 6 * 3600
    """A quiet calendar is synced this often, since push is not reliable."""
    reconcile_min_s: float = 900
    """One whose notifications were missed of late is synced more often, up to this."""
    missed_after_s: float = 300
    """A change that is older and that nothing announced is a missed notification; a newer one may be on its way."""
    poll_s: float = 900
    """A calendar that cannot be watched, or is not to be, is synced this often."""
    ingress: Ingress = "push"
    """How changes are announced: by push channels, not at all, or by the vendor's add-on."""
    ingress_again_s: float = 24 * 3600
    """A calendar that needs no channel is looked at this often, in case another `ingress` was chosen meanwhile."""
    watch_again_s: float = 7 * 24 * 3600
    """Whether it can be watched by now is tried this often."""
    frozen_retry_s: float = 3600
    """A calendar without access is tried this often."""
    quota_pause_s: float = 3600
    """Pause after `quotaExceeded`: the user may be read-only for hours."""
    refused_pause_s: float = 900
    """Pause after a conferencing system refused our credentials."""
    backoff_max_s: float = 600
    channel_ttl_s: int = 7 * 24 * 3600
    renewal_retry_s: float = 60
    """After this an unfinished renewal of a channel is tried again, and a failed one: then twice as long each time."""
    renewal_retry_max_s: float = 3600
    overdue_s: float = 30
    """What is due for this long was missed by its task; the next run of renew_channels starts it."""
    run_s: float = 50
    """After this a run of renew_channels renews no further channel: the next run is about to start."""
    renewals_per_run: int = 1500
    """Two calls of Calendar each, so that a run a minute leaves most of the project's 10,000 a minute to the syncs."""
    starts_per_run: int = 5000
    """Most overdue syncs, and most overdue updates, that one run of renew_channels starts."""
    first_sync: Literal["future", "recent", "everything"] = "future"
    """Which events the very first sync of a calendar looks at."""
    chunk_size: int = 100
    """Most events recorded in one transaction."""
    inline_updates: int = 10
    """Most conferences that are updated at once after a sync; the others get tasks."""
    task_horizon_s: float = 24 * 3600
    """What is due later than this gets no task: the next runs of renew_channels find it in the store."""
    mode: Literal["act", "observe"] = "act"
    """`observe`: everything is listed, recorded and planned; nothing is called, nothing is written to an event."""
    claims: Claims = "registered"
    """Whether a conference id in an event binds only when the add-on vouched for it, or by its solution alone."""
    duplicates: Literal["share", "mint"] = "share"
    """Whether a duplicate of an event shares its conference or gets one of its own."""
    draft_s: float = 24 * 3600
    """A registered conference whose event has not appeared after this was discarded with its draft."""
    reread_s: float = 24 * 3600
    """An event that Calendar refused to show is asked for again after this, by the next sync of its calendar."""
    most_rereads: int = 7
    """So often; then its failure is left to an operator, until the event changes."""
    orphan_s: float = 30 * 24 * 3600
    """An event that moved out of sight is looked for during this time."""
    search_s: float = 24 * 3600
    """Between two looks for it."""
    retention_s: float = 31 * 24 * 3600
    """What ended is remembered for this long: Calendar restores events for 30 days."""
    forget_on_remove: Literal["later", "now"] = "later"
    """Whether the events of a removed calendar are remembered for `retention_s`, should it be added again."""
    brake_s: float = 3600
    """The brake counts the ends that were decided within this time."""
    calendar_brake: int = 20
    """Ends of one calendar that are never held, however few conferences it has."""
    calendar_brake_share: float = 0.2
    """Share of a calendar's conferences above which ends are held for an operator."""
    tenant_brake: int = 50
    """Ends of one tenant that are never held."""
    tenant_brake_share: float = 0.05
    """Share of a tenant's conferences above which ends are held for an operator."""

    def __post_init__(self) -> None:
        """Refuse numbers that break each other's conditions."""
        _require(self.extend_every_s * 2 <= self.lease_s, "lease_s must be at least twice extend_every_s")
        _require(self.leave_within_s * 3 <= self.intent_s, "intent_s must be at least three times leave_within_s")
        _require(self.lease_s < self.task_s, "task_s must exceed lease_s")

    @property
    def sync_budget_s(self) -> float:
        """How long one sync works before it stores a checkpoint and stops by itself."""
        return self.task_s * 0.8

    def first_window(self, now: datetime) -> Window:
        """Return what the very first listing of a calendar covers."""
        if self.first_sync == "everything":
            return Window()
        recent = now - timedelta(days=1) if self.first_sync == "recent" else None
        return Window(time_min=now, updated_min=recent)

    def backoff_s(self, attempts: int) -> float:
        """Return how long to wait after `attempts` failures in a row: 1 s, doubled each time, bounded."""
        return float(min(2 ** min(attempts, 30), self.backoff_max_s))

    def may_leave_until(self, deadline: datetime) -> datetime:
        """Return until when a call may leave of which another worker takes for granted that it landed by a deadline."""
        return deadline - timedelta(seconds=self.intent_s - self.leave_within_s)

    def renewal_backoff_s(self, failed: int) -> float:
        """Return how long a channel's renewal waits after `failed` others in a row."""
        return float(min(self.renewal_retry_s * 2 ** min(failed, 30), self.renewal_retry_max_s))


def _require(condition: bool, message: str) -> None:
    if not condition:
        raise ValueError(message)
