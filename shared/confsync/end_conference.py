"""Carry out a decided end as far as to want it: when the grace period is over, look at every owner once more.

    held already? -> keep;  read every owner again -> want the end, or wait for what could not be read

It must never want an end because something could not be read, nor call the conferencing system: `update_conference`
does.
"""

from confsync.core import ending, judging, tasks
from confsync.core.records import Calendar, Conference
from confsync.core.rules import Rules
from confsync.core.sight import Reading, Seen
from confsync.core.terms import Terms
from confsync.errors import CalendarAccessLost, CalendarError, CalendarQuotaExceeded
from confsync.observe import address_of, read_event, shows_in_full
from confsync.ports import Outside, Transaction

ENDS_LATER = "end waits for its owners"


def decide_end(conference_key: str, outside: Outside, terms: Terms) -> None:
    """When the grace period is over, look at every owner once more, then want the end or keep the conference."""
    conference = outside.store.get(Conference, conference_key)
    if conference is None or not ending.is_end_due(conference, outside.now()):
        return
    if judging.was_held(conference, outside.now()):
        _keep_held(conference_key, outside)
        return
    looks = {reading.ref: _look(reading, outside, terms.rules) for reading in ending.owners_to_read(conference)}
    sight = {ref: seen for ref, (seen, _) in looks.items()}
    still_there = ending.owners_still_there(conference, sight, terms.solutions)
    wait_s = max((wait for _, wait in looks.values()), default=0.0)

    def body(tx: Transaction) -> None:
        now, stored = outside.now(), tx.get(Conference, conference_key)
        if stored is None or (stored.referents, stored.end_after) != (conference.referents, conference.end_after):
            return  # a sync changed it meanwhile, and judged it anew
        if still_there:
            tx.put(judging.postpone_end(stored, wait_s or _patience_s(stored, terms.rules), ENDS_LATER, now))
        else:
            tx.put(judging.desire_end(stored, now))

    outside.store.transact(body)
    for ref in still_there:
        outside.task_queue.create(tasks.asked_sync(ref.calendar_key, outside.now()))


def _patience_s(conference: Conference, rules: Rules) -> float:
    """An end that has waited before is in no hurry."""
    has_waited = any(note.what == ENDS_LATER for note in conference.history[-1:])
    return rules.frozen_retry_s if has_waited else rules.grace_s


def _keep_held(conference_key: str, outside: Outside) -> None:
    def body(tx: Transaction) -> None:
        now, stored = outside.now(), tx.get(Conference, conference_key)
        if stored is not None and ending.is_end_due(stored, now) and judging.was_held(stored, now):
            tx.put(judging.keep(stored, "kept: it was held already", now))

    outside.store.transact(body)


def _look(reading: Reading, outside: Outside, rules: Rules) -> tuple[Seen, float]:
    """Return the event as it is now; or nothing confirmed, and how long the end has to wait because of that."""
    calendar = outside.store.get(Calendar, reading.ref.calendar_key)
    if calendar is None:
        return Seen(None), rules.frozen_retry_s
    try:
        seen = read_event(reading, address_of(calendar), outside)
        is_proof = seen.event is not None or shows_in_full(calendar, calendar.sync_token, outside)
    except (CalendarAccessLost, CalendarQuotaExceeded) as error:
        return Seen(None), error.retry_after_s or rules.frozen_retry_s
    except CalendarError as error:
        return Seen(None), error.retry_after_s or rules.grace_s
    return (seen, 0.0) if is_proof and not seen.unreadable else (Seen(None), rules.frozen_retry_s)
