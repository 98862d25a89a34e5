"""The simulation's oracles of the evening, asked about what a soak left: the same judge, other witnesses.

Calendar's truth is read from the file of its server, the records from Firestore, the back end by its own page. Only the
last change of each event is known, not when it came: what the oracles say of the day itself cannot be asked here. It
must never judge while a worker runs.
"""

from collections.abc import Iterable
from contextlib import closing
from datetime import UTC, datetime
from typing import Any

from confsync.adapters.firestore import FirestoreStore
from confsync.core.conference import Conference
from confsync.core.records import Calendar, Link, Record
from confsync.local.calendar_server.service import CalendarService
from confsync.local.stack import Stack
from confsync.local.vendor.contract import Desired
from confsync.providers.conference_body import desired_body
from tests.simulation.oracles.evening import MADE, Evening, Kept
from tests.simulation.oracles.ledger import Complaints, Ledger
from tests.simulation.oracles.owners import Owners
from tests.simulation.oracles.truth import Truth
from tests.simulation.oracles.words import Words
from tests.world import ALL_FIELDS

PROVIDER = "sample"
_MOST_AT_ONCE = 300


def broken_rules(stack: Stack, store: FirestoreStore, words: Words, held: list[dict[str, Any]]) -> tuple[str, ...]:
    """Stop what works and return which rules are broken, one line each.

    Args:
        stack: everything in it has settled.
        store: the one of its functions.
        words: what the add-on said.
        held: what the back end holds.

    """
    for part in ("renew_channels", "tasks", "sync_calendar", "calendar"):
        stack.stop(part)
    service = CalendarService(stack.folder.data_of("calendar"))
    assert service.storage is not None, "the calendars are read from a file"
    with closing(service.storage):
        now, committed = datetime.now(UTC), {kind.kind: _all(store, kind) for kind in (Calendar, Conference, Link)}
        truth, complaints = Truth(service.model, ALL_FIELDS), Complaints()
        for calendar_id in service.model.state.calendars:
            truth.look(calendar_id, now)
        synced = {key: each.calendar_id for key, each in committed["calendar"].items() if isinstance(each, Calendar)}
        ledger = Ledger(committed, synced, PROVIDER)
        evening = Evening(truth, ledger, complaints, Owners(truth, ledger, words, "registered"), words)
        evening.judge_conferences({each["conference_id"]: _kept(each, truth) for each in held}, now)
        for calendar_id in synced.values():
            channels = {channel.id for channel in service.model.open_channels(calendar_id)}
            evening.judge_calendar(calendar_id, channels, now, is_watched=True)
    return tuple(complaints.all)


def _all(store: FirestoreStore, kind: type[Record]) -> dict[str, Record]:
    found: dict[str, Record] = {}
    while page := store.all_of(kind, after=max(found, default=""), limit=_MOST_AT_ONCE):
        found |= {record.key: record for record in page}
    return found


def _kept(held: dict[str, Any], truth: Truth) -> Kept:
    """Return what the back end holds as the state that an event with the conference gives it, else as its words."""
    if held["state"] != "live":
        return None
    if not held["generation"]:
        return MADE
    desired = Desired.model_validate(held["desired"])
    given = _given(held["conference_id"], truth)
    return next((state for state in given if Desired.model_validate(desired_body(state)) == desired), str(desired))


def _given(conference_id: str, truth: Truth) -> Iterable[Any]:
    return (truth.projection(*place) for place, _ in truth.facts_of(conference_id))
