"""The brake: when too many ends are decided within an hour, those that wait are held for an operator (rule R10).

    none --a--> held --b--> approved
                  `----c--> rejected        and from any of them to none once an event holds the conference again

    a  its turn to end has come, and since it was decided more ends than the limit were decided within an hour,
       however often its turn was put off meanwhile
    b  an operator says that it may end: the usual way, with a last look
    c  an operator says that it stays

Ends are counted when they are decided, long before the first of them is carried out: of a mass deletion none is.
What waited for longer, while the worker was down or only observed, is decided anew. Updates are never held. No I/O. It
must never let an end pass because it waited longer than the brake counts.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil, floor

from confsync.core.conference import Conference, Hold
from confsync.core.desires import as_told, is_pending, keep, timed
from confsync.core.ending import is_end_due
from confsync.core.history import with_note
from confsync.core.owners import owners_of
from confsync.core.records import Brake
from confsync.core.rules import Rules

MINUTE_S = 60
SHARES = "0123456789abcdef"
"""A tenant's ends are counted in as many records, so that its calendars do not wait for each other."""


@dataclass(frozen=True)
class Scope:
    """What a brake is for: one calendar, or a whole tenant."""

    tenant: str
    calendar_key: str = ""
    """Empty for the tenant."""

    @property
    def keys(self) -> tuple[str, ...]:
        """Keys of the records in which its ends are counted; the first also holds size and time of alert."""
        shares = ("",) if self.calendar_key else SHARES
        return tuple(Brake.key_for(self.tenant, self.calendar_key, share) for share in shares)

    @property
    def first(self) -> Brake:
        """The first of its records before anything was counted."""
        return Brake(key=self.keys[0], tenant=self.tenant, calendar_key=self.calendar_key)


def calendars_of(conference: Conference) -> list[str]:
    """Return the keys of the calendars that own or owned the conference."""
    return sorted({referent.calendar_key for referent in conference.referents.values() if referent.role == "owner"})


def scopes_of(conference: Conference) -> tuple[Scope, ...]:
    """Return whose brakes may hold the end: of each calendar that owned the conference, then of the tenant."""
    tenant = conference.tenant
    return (*(Scope(tenant, key) for key in calendars_of(conference)), Scope(tenant))


def counters(tenant: str, calendar_keys: Sequence[str]) -> list[Brake]:
    """Return the records in which ends of these calendars are counted, before anything was: theirs, and a tenant's."""
    share = calendar_keys[0][:1] if calendar_keys else SHARES[0]
    of_tenant = Brake(key=Brake.key_for(tenant, "", share), tenant=tenant)
    return [*(Scope(tenant, key).first for key in calendar_keys), of_tenant]


def newly_decided(before: Mapping[str, Conference], after: Iterable[Conference]) -> list[Conference]:
    """Return the conferences whose end is decided, and was not before."""
    return [each for each in after if _is_decided(each) and not _is_decided(before.get(each.key))]


def _is_decided(conference: Conference | None) -> bool:
    if conference is None:
        return False
    ends = conference.desired is not None and conference.desired.ended
    return ends or conference.end_after is not None or conference.brake == "held"


def counted(brake: Brake, ends: int, now: datetime, rules: Rules) -> Brake:
    """Return the brake with so many more ends decided now, and without those too old to matter."""
    oldest = _minute(now - timedelta(seconds=rules.grace_s + 2 * rules.brake_s))
    recent = Counter({minute: number for minute, number in brake.decided.items() if minute >= oldest})
    recent[_minute(now)] += ends
    return brake.model_copy(update={"decided": dict(recent)})


def _minute(at: datetime) -> int:
    return floor(at.timestamp() / MINUTE_S)


def is_stale(conference: Conference, now: datetime, rules: Rules) -> bool:
    """Whether an end has waited, since it was due first, for longer than the brake counts."""
    waits = conference.brake == "none" and conference.end_after is not None
    return waits and now - (conference.decided_at or now) > timedelta(seconds=rules.grace_s + rules.brake_s)


def was_put_off(conference: Conference, rules: Rules) -> bool:
    """Whether an end had its turn before, and its owners could not be read or still held the conference."""
    if conference.end_after is None or conference.decided_at is None:
        return False
    return conference.end_after - conference.decided_at > timedelta(seconds=rules.grace_s)


def most_within(brakes: Iterable[Brake], since: datetime, rules: Rules) -> int:
    """Return the most ends that were decided within the time of the brake, at any moment since `since`."""
    decided = sum((Counter(brake.decided) for brake in brakes), Counter[int]())
    span, first = ceil(rules.brake_s / MINUTE_S), _minute(since)
    moments = {first, *(minute for minute in decided if minute >= first)}
    return max(sum(number for minute, number in decided.items() if at - span < minute <= at) for at in moments)


def limit_of(scope: Scope, size: int, rules: Rules) -> int:
    """Return how many ends within the time of the brake are not held, among `size` conferences."""
    if scope.calendar_key:
        return max(rules.calendar_brake, floor(rules.calendar_brake_share * size + 1e-9))
    return max(rules.tenant_brake, floor(rules.tenant_brake_share * size + 1e-9))


def counts(conference: Conference) -> bool:
    """Whether a conference counts to the size of its calendar and tenant: an event holds it, or its end waits."""
    return bool(owners_of(conference, "live")) or conference.end_after is not None or conference.brake == "held"


def known_size(brake: Brake, now: datetime, rules: Rules) -> int | None:
    """Return the size, if it was counted within the time of the brake."""
    is_known = brake.sized_at is not None and now - brake.sized_at < timedelta(seconds=rules.brake_s)
    return brake.size if is_known else None


def is_alert_due(brake: Brake, now: datetime, rules: Rules) -> bool:
    """Whether an operator was not told within the time of the brake."""
    return brake.alerted_at is None or now - brake.alerted_at >= timedelta(seconds=rules.brake_s)


def may_hold(conference: Conference, now: datetime) -> bool:
    """Whether an end is about to be wanted or told that an operator did not approve.

    Not where the end is announced already: it may have ended the conference.
    """
    if conference.brake != "none":
        return False
    ends = conference.desired is not None and conference.desired.ended
    is_announced = conference.intent is not None and conference.intent.verb == "end"
    return is_end_due(conference, now) or (ends and not is_announced and is_pending(conference))


def held(conference: Conference, hold: Hold, now: datetime) -> Conference:
    """Return the conference with its end held (arrow a): nothing is due until an operator or an event says more."""
    waiting = {"brake": "held", "hold": hold, "end_after": None}
    if conference.desired is not None and conference.desired.ended:
        waiting["call_at"] = None
    why = f"end held: {hold.count} ends of its {hold.scope} decided within the time of the brake, limit {hold.limit}"
    return with_note(timed(conference.model_copy(update=waiting)), why, now)


def approved(conference: Conference, now: datetime) -> Conference:
    """Return the held conference with its end due at once (arrow b); a wait that its back end asked for goes on."""
    ends = conference.desired is not None and conference.desired.ended
    due = {"call_at": max(now, conference.wait_until or now)} if ends else {"end_after": now}
    free = conference.model_copy(update={"brake": "approved", "hold": None, **due})
    return with_note(timed(free), "end approved by an operator", now)


def rejected(conference: Conference, now: datetime) -> Conference:
    """Return the held conference as it was before its end was decided (arrow c)."""
    is_wanted = conference.desired is not None and conference.desired.ended
    kept = keep(as_told(conference) if is_wanted else conference, "kept: an operator rejected its end", now)
    return kept.model_copy(update={"brake": "rejected"})
