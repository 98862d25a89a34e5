"""Events that Calendar refused to show: each is asked for again once a day, a few times.

A sync goes on without such an event (rule R18), and the token moves past its change: nobody would look at it again
before it changes once more. Pure transitions of the `Calendar` record. It must never ask for ever, nor make a sync due:
whichever comes next, the slow one of a quiet calendar at the latest, reads what is due.
"""

from collections.abc import Collection
from datetime import datetime, timedelta

from confsync.core.records import Calendar, Unread
from confsync.core.rules import Rules

MOST_UNREAD = 100
"""Events that one calendar remembers so: it is one record, and must not grow."""


def noted(
    calendar: Calendar, refused: Collection[str], shown: Collection[str], now: datetime, rules: Rules
) -> Calendar:
    """Return the calendar that remembers the events just refused, and forgets those just shown.

    What was refused too often is forgotten as well: its failure is an operator's.
    """
    known = {each.event_id: each for each in calendar.unread if each.event_id not in shown}
    again_at = now + timedelta(seconds=rules.reread_s)
    for event_id in refused:
        before = known.get(event_id)
        if before is None and len(known) < MOST_UNREAD:
            known[event_id] = Unread(event_id=event_id, again_at=again_at)
        elif before is not None and before.again_at <= now:
            known[event_id] = Unread(event_id=event_id, again_at=again_at, rereads=before.rereads + 1)
    unread = tuple(each for each in known.values() if each.rereads < rules.most_rereads)
    return calendar if unread == calendar.unread else calendar.model_copy(update={"unread": unread})


def asked_again(calendar: Calendar, now: datetime) -> Calendar:
    """Return the calendar with those to be observed whose time has come."""
    due = [each.event_id for each in calendar.unread if each.again_at <= now]
    to_observe = tuple(dict.fromkeys((*calendar.to_observe, *due)))
    return calendar.model_copy(update={"to_observe": to_observe}) if due else calendar
