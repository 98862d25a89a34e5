"""Which events are entitled to a conference: by the truth of Calendar, and by whom the add-on vouched for.

It must never believe what the product decided, only whom it knows.
"""

from confsync.core.records import Link
from tests.simulation.oracles.ledger import Ledger
from tests.simulation.oracles.truth import Held, Truth


class Owners:
    """Answers who holds a conference, and who ever may."""

    def __init__(self, truth: Truth, ledger: Ledger) -> None:
        """Judge by the truth and the committed records."""
        self._truth, self._ledger = truth, ledger

    def of(self, conference_id: str) -> list[Held]:
        """Return the events that hold the conference now and are entitled to it."""
        conference = self._ledger.conference(conference_id)
        found = self._truth.held(conference_id) if conference else []
        if conference is None or not found:
            return []
        names = self._ledger.calendar_ids
        known = [referent for referent in conference.referents.values() if referent.role == "owner"]
        calendars = {names.get(referent.calendar_key) for referent in known}
        lost = {referent.ical_uid for referent in known if referent.state != "live"}
        keys = {calendar_id: calendar.key for calendar_id, calendar in self._ledger.calendars().items()}
        return [
            held
            for held in found
            if held.calendar_id in keys
            and (
                Link.key_for(keys[held.calendar_id], held.event_id) in conference.registered
                or held.calendar_id in calendars
                or held.fact.ical_uid in lost
            )
        ]

    def calendars_that_may(self, conference_id: str) -> set[str]:
        """Return the calendars of registered events, and those to which their events were moved."""
        conference = self._ledger.conference(conference_id)
        registered = conference.registered if conference else {}
        said = self._truth.states.get(conference_id, {})
        may = {self._ledger.calendar_ids[vouched.calendar_key] for vouched in registered.values()}
        while True:
            ids = {e for (c, e) in said if c in may}
            more = {c for (c, e) in said if e in ids} | may
            if more == may:
                return may
            may = more
