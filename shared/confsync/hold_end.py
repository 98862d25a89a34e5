"""Hold an end for an operator when too many ends were decided within an hour (rule R10).

    how many were decided? -more than the least limit-> of how many conferences? -still more-> hold, alert once an hour

It must never count conferences inside a transaction, nor hold an update.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from confsync.core import brake
from confsync.core.brake import Scope
from confsync.core.conference import Conference, Hold
from confsync.core.desires import schedule_end
from confsync.core.records import Brake
from confsync.core.rules import Rules
from confsync.paging import conferences_of, pages_of_links
from confsync.ports import Outside, Transaction

WAITED_LONG = "grace begins again: the end was due for long"


@dataclass(frozen=True)
class HeldEnd:
    """An end that was just held."""

    hold: Hold
    alert: bool
    """Whether an operator should hear of it; true once per scope within the time of the brake."""

    @property
    def reason(self) -> str:
        """Why it is held, for the log."""
        decided = f"{self.hold.count} ends of one {self.hold.scope} were decided within the time of the brake"
        return f"{decided}, limit {self.hold.limit}"


def count_ends(
    tx: Transaction, tenant: str, decided: Sequence[Conference], *, now: datetime, rules: Rules
) -> list[Brake]:
    """Return the brakes that have to be stored in the transaction in which these ends are decided.

    Each end counts where its turn will ask: for all calendars that owned the conference, whoever found that it ends.
    """
    if not decided:
        return []
    ends = Counter(key for conference in decided for key in brake.calendars_of(conference))
    blank = {each.key: each for each in brake.counters(tenant, sorted(ends))}
    known = tx.get_many(Brake, blank)
    return [
        brake.counted(each, ends[each.calendar_key] if each.calendar_key else len(decided), now, rules)
        for each in (blank | known).values()
    ]


def decide_anew(conference: Conference, outside: Outside, rules: Rules) -> bool:
    """Begin the grace period again where an end waited for longer than the brake counts; whether it did.

    So the ends that pile up while the worker is down, or only observes, are counted before one of them is carried out.
    """
    if not brake.is_stale(conference, outside.now(), rules):
        return False

    def body(tx: Transaction) -> None:
        now, stored = outside.now(), tx.get(Conference, conference.key)
        if stored is None or not brake.is_stale(stored, now, rules):
            return
        brakes = count_ends(tx, stored.tenant, [stored], now=now, rules=rules)
        for changed in (*brakes, schedule_end(stored, rules.grace_s, WAITED_LONG, now)):
            tx.put(changed)

    outside.store.transact(body)
    return True


def hold_end(conference: Conference, outside: Outside, rules: Rules) -> HeldEnd | None:
    """Hold the end that is about to be wanted or told where a brake says so; None: it may go on."""
    now = outside.now()
    if not brake.may_hold(conference, now):
        return None
    scopes = brake.scopes_of(conference)
    known = outside.store.get_many(Brake, [key for scope in scopes for key in scope.keys])
    since = conference.decided_at or now
    holds = ((scope, _hold(scope, known, since, outside, rules)) for scope in scopes)
    for scope, hold in holds:
        if hold is not None:
            return _stored(conference.key, scope, hold, outside, rules)
    return None


def _hold(scope: Scope, known: Mapping[str, Brake], since: datetime, outside: Outside, rules: Rules) -> Hold | None:
    brakes = [known[key] for key in scope.keys if key in known]
    count = brake.most_within(brakes, since, rules)
    if count <= brake.limit_of(scope, 0, rules):
        return None
    limit = brake.limit_of(scope, _size(scope, known.get(scope.keys[0]), outside, rules), rules)
    if count <= limit:
        return None
    kind = "calendar" if scope.calendar_key else "tenant"
    return Hold(since=outside.now(), scope=kind, calendar_key=scope.calendar_key, count=count, limit=limit)


def _size(scope: Scope, first: Brake | None, outside: Outside, rules: Rules) -> int:
    """Return how many conferences there are; counted anew only when nobody knows it well enough."""
    size = brake.known_size(first, outside.now(), rules) if first else None
    if size is not None:
        return size
    found = _of_calendar(scope, outside) if scope.calendar_key else conferences_of(outside.store, scope.tenant)
    size = sum(1 for conference in found if brake.counts(conference))

    def body(tx: Transaction) -> None:
        stored = tx.get(Brake, scope.keys[0]) or scope.first
        tx.put(stored.model_copy(update={"size": size, "sized_at": outside.now()}))

    outside.store.transact(body)
    return size


def _of_calendar(scope: Scope, outside: Outside) -> Iterator[Conference]:
    """Give each conference once, however many events of the calendar refer to it."""
    given = set[str]()
    for links in pages_of_links(outside.store, scope.calendar_key):
        keys = {link.conference_key for link in links} - given
        yield from outside.store.get_many(Conference, keys).values()
        given |= keys


def _stored(conference_key: str, scope: Scope, hold: Hold, outside: Outside, rules: Rules) -> HeldEnd | None:
    """Hold the end, unless an event holds the conference again or an operator approved meanwhile."""

    def body(tx: Transaction) -> HeldEnd | None:
        now, conference = outside.now(), tx.get(Conference, conference_key)
        first = tx.get(Brake, scope.keys[0]) or scope.first
        if conference is None or not brake.may_hold(conference, now):
            return None
        alert = brake.is_alert_due(first, now, rules)
        tx.put(brake.held(conference, hold, now))
        if alert:
            tx.put(first.model_copy(update={"alerted_at": now}))
        return HeldEnd(hold, alert)

    return outside.store.transact(body)
