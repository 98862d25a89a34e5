"""Which events are entitled to a conference: by the truth of Calendar, and by whom the add-on vouched for.

It must never believe what the product decided, only whom it knows.
"""

from confsync.core.conference import Conference
from confsync.core.records import Link
from confsync.core.rules import Claims
from tests.simulation.oracles.ledger import Ledger
from tests.simulation.oracles.truth import Held, Truth


class Owners:
    """Answers who holds a conference, and who ever may."""

    def __init__(self, truth: Truth, ledger: Ledger, claims: Claims) -> None:
        """Judge by the truth and the committed records, under a policy for claims."""
        self._truth, self._ledger, self._claims = truth, ledger, claims

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
                or self._binds_alone(conference)
            )
        ]

    def _binds_alone(self, conference: Conference) -> bool:
        """Whether the policy takes an event's word: no other ever had the conference, nor is one vouched for."""
        if self._claims != "matching" or conference.registered:
            return False
        return len({fact.ical_uid for _, fact in self._truth.facts_of(conference.conference_id)}) == 1

    def calendars_that_may(self, conference_id: str) -> set[str]:
        """Return the calendars of registered events, and those to which their events were moved."""
        conference = self._ledger.conference(conference_id)
        registered = conference.registered if conference else {}
        said = self._truth.states.get(conference_id, {})
        if self._claims == "matching":
            return {calendar_id for calendar_id, _ in said}  # whoever came when no other event held it
        may = {self._ledger.calendar_ids[vouched.calendar_key] for vouched in registered.values()}
        while True:
            ids = {e for (c, e) in said if c in may}
            more = {c for (c, e) in said if e in ids} | may
            if more == may:
                return may
            may = more
