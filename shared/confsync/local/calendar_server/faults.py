"""Knobs: what goes wrong, how often, and by which dice. No I/O: the application and the pushes ask before they act.

All chances come from one seeded source, so a run can be repeated.
"""

import random
from dataclasses import dataclass, field
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from .errors import ApiError, DeletedCalendar, Json, bad_credentials, full_sync_required, invalid, not_found
from .records import Options

SyncMessage = Literal["before", "after", "lost"]

AnswerKind = Literal[
    "rateLimitExceeded", "userRateLimitExceeded", "quotaExceeded", "tooManyRequests", "backendError",
    "serviceUnavailable", "authError", "notFound", "fullSyncRequired", "invalid", "slow", "cutOff",
]  # fmt: skip


class _Knobs(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Chance(_Knobs):
    """How often something happens: the next n times, then with a share of all cases."""

    next: int = Field(default=0, ge=0)
    share: float = Field(default=0.0, ge=0.0, le=1.0)


class PushKnobs(_Knobs):
    """What happens to pushes."""

    lose: Chance = Chance()
    double: Chance = Chance()
    late: Chance = Chance()
    late_ms: int = Field(default=1000, ge=0)
    zombie: Chance = Chance()
    """Pushes that a stopped channel still sends."""
    sync: SyncMessage = "after"
    """When the sync message comes, seen from the answer to watch."""
    attempts: int = Field(default=5, ge=1, le=20)
    first_retry_ms: int = Field(default=500, ge=0)


class AnswerFault(Chance):
    """What happens to answers of the API."""

    fault: AnswerKind
    method: str = "*"
    """For example `events.list`; `*` is every method."""
    when: Literal["before", "after"] = "before"
    """`after`: the request takes effect all the same, only the answer is bad."""
    delay_ms: int = Field(default=0, ge=0)


class ListKnobs(_Knobs):
    """What happens to lists; None sets a knob back."""

    page_cap: int | None = Field(default=None, ge=1)
    empty_pages: int | None = Field(default=None, ge=0)
    lag_ms: int | None = Field(default=None, ge=0)
    token_max_age_s: float | None = Field(default=None, ge=0)
    tombstone_days: float | None = Field(default=None, ge=0)
    organizer_tombstones: Literal["full", "id_only"] | None = None


class VariantKnobs(_Knobs):
    """Which of the possible Calendars this one is, where nobody outside Google knows; None sets a knob back.

    See `Options` for what each of them means.
    """

    split_keeps_conference: bool | None = None
    duplicate_keeps_conference: bool | None = None
    restore_keeps_conference: bool | None = None
    move_keeps_conference: bool | None = None
    tombstone_conference: bool | None = None
    deleted_calendar: DeletedCalendar | None = None
    gone_is_unknown: bool | None = None
    lists_reminder_edits: bool | None = None


class FaultSettings(_Knobs):
    """Everything that `POST /_local/faults` accepts; what is left out stays as it was."""

    seed: int | None = None
    pushes: PushKnobs | None = None
    answers: list[AnswerFault] | None = None
    lists: ListKnobs | None = None
    variants: VariantKnobs | None = None
    meet: Literal["success", "pending", "failure"] | None = None
    channel_ttl_cap_s: float | None = Field(default=None, gt=0)


@dataclass(slots=True)
class Faults:
    """The knobs as they stand, with what is left of each `next`."""

    options: Options
    pushes: PushKnobs = field(default_factory=PushKnobs)
    answers: list[AnswerFault] = field(default_factory=list)
    dice: random.Random = field(default_factory=lambda: random.Random(0))  # noqa: S311  (repeatable, not secret)

    def set(self, settings: FaultSettings) -> None:
        """Turn knobs."""
        if settings.seed is not None:
            self.dice.seed(settings.seed)
        if settings.pushes is not None:
            self.pushes = settings.pushes.model_copy(deep=True)
        if settings.answers is not None:
            self.answers = [fault.model_copy() for fault in settings.answers]
        if settings.meet is not None:
            self.options.meet = settings.meet
        if settings.channel_ttl_cap_s is not None:
            self.options.channel_ttl_cap_s = settings.channel_ttl_cap_s
        for knobs in (settings.lists, settings.variants):
            if knobs is not None:
                self._set_options(knobs)

    def _set_options(self, knobs: ListKnobs | VariantKnobs) -> None:
        options, names = self.options, {"lag_ms": "list_lag_ms"}
        for name, value in knobs.model_dump(exclude_unset=True).items():
            default = getattr(Options(), names.get(name, name))
            setattr(options, names.get(name, name), default if value is None else value)

    def clear(self) -> None:
        """Turn everything back to a server without faults."""
        self.pushes = PushKnobs()
        self.answers = []
        plain = Options()
        for name in Options.__slots__:
            setattr(self.options, name, getattr(plain, name))

    def happens(self, chance: Chance) -> bool:
        """Throw the dice, using up one of the `next`."""
        if chance.next > 0:
            chance.next -= 1
            return True
        return chance.share > 0 and self.dice.random() < chance.share

    def answer_fault(self, method: str) -> AnswerFault | None:
        """Return what goes wrong with this call, or None."""
        for fault in self.answers:
            if fault.method in (method, "*") and self.happens(fault):
                return fault
        return None


def error_for(kind: AnswerKind) -> ApiError | None:
    """Return the error of a kind of fault; None for slow and cut-off answers, which are no errors of Google's."""
    if kind in ("slow", "cutOff"):
        return None
    known = {
        "rateLimitExceeded": _quota_error,
        "authError": bad_credentials,
        "notFound": not_found,
        "fullSyncRequired": full_sync_required,
        "invalid": invalid,
    }
    if kind in known:
        return known[kind]()
    status, reason, message, domain = _PLAIN_ERRORS[kind]
    return ApiError(status, reason, message, domain=domain)


_PLAIN_ERRORS: dict[str, tuple[int, str, str, str]] = {
    "userRateLimitExceeded": (403, "userRateLimitExceeded", "User Rate Limit Exceeded", "usageLimits"),
    "quotaExceeded": (403, "quotaExceeded", "Calendar usage limits exceeded.", "usageLimits"),
    "tooManyRequests": (429, "rateLimitExceeded", "Rate Limit Exceeded", "usageLimits"),
    "backendError": (500, "backendError", "Backend Error", "global"),
    "serviceUnavailable": (503, "backendError", "Service Unavailable", "global"),
}


def _quota_error() -> ApiError:
    """Build the per-minute quota error in its recorded form: 403 with an RPC status and details."""
    consumer = "projects/123456789012"
    metadata: Json = {
        "quota_limit": "defaultPerMinutePerUser",
        "service": "calendar-json.googleapis.com",
        "consumer": consumer,
        "quota_location": "global",
        "quota_metric": "calendar-json.googleapis.com/default",
        "quota_limit_value": "600",
    }
    details: list[Json] = [
        {
            "@type": "type.googleapis.com/google.rpc.ErrorInfo",
            "reason": "RATE_LIMIT_EXCEEDED",
            "domain": "googleapis.com",
            "metadata": metadata,
        }
    ]
    return ApiError(
        403,
        "rateLimitExceeded",
        "Quota exceeded for quota metric 'Queries' and limit 'Queries per minute per user' of service "
        "'calendar-json.googleapis.com' for consumer 'project_number:123456789012'.",
        domain="usageLimits",
        rpc_status="PERMISSION_DENIED",
        details=details,
    )
