"""Which events are entitled to a conference: by the truth of Calendar, and by whom the add-on vouched for.

It must never believe what the product decided, only whom it knows besides; nor forget whom the product forgot.
"""

from datetime import datetime

from confsync.core.conference import Conference
from confsync.core.records import Link
from confsync.core.rules import Claims
from tests.simulation.oracles.ledger import Ledger
from tests.simulation.oracles.truth import Held, Truth
from tests.simulation.oracles.words import Words


class Owners:
    """Answers who holds a conference, and who ever may."""

    def __init__(self, truth: Truth, ledger: Ledger, words: Words, claims: Claims) -> None:
        """Judge by the truth, the add-on's words and the committed records, under a policy for claims."""
        self._truth, self._ledger, self._words, self._claims = truth, ledger, words, claims

    def of(self, conference_id: str) -> list[Held]:
        """Return the events that hold the conference now and are entitled to it."""
        found = self._truth.held(conference_id)
        if not found:
            return []
        conference, synced = self._ledger.conference(conference_id), self._ledger.calendars()
        vouched = {calendar_id for calendar_id, _ in self._words.heard(conference_id)}
        return [
            held
            for held in found
            if held.calendar_id in synced
            and (
                held.calendar_id in vouched
                or (conference is not None and self._is_known(held, conference, synced[held.calendar_id].key))
                or self._binds_alone(conference_id)
            )
        ]

    def shown(self, conference_id: str) -> list[Held]:
        """Return those of them that somebody can find to hold it.

        Not those that Calendar refuses for good, nor those in a calendar that is removed by then: nobody reads it.
        """
        refused, synced = self._truth.refused, self._ledger.calendars()
        read = [held for held in self.of(conference_id) if synced[held.calendar_id].state != "removed"]
        return [held for held in read if held.event_id not in refused and held.fact.master_id not in refused]

    def may_be_forgotten(self, conference_id: str) -> bool:
        """Whether a calendar was removed and forgotten in which somebody held the conference, or was to."""
        return self.last_forgotten(conference_id) is not None

    def last_forgotten(self, conference_id: str) -> datetime | None:
        """Return when such a calendar was allowed to be forgotten last; None: none was."""
        line = self._words.line(conference_id)
        places = {place for each in line for place, _ in self._truth.facts_of(each)} | self._words.said(conference_id)
        return max((at for calendar_id, _ in places for at in self._words.forgotten[calendar_id]), default=None)

    def _is_known(self, held: Held, conference: Conference, calendar_key: str) -> bool:
        """Whether the product knows it as an owner, or one that vouches for it: whoever it knows must not lose."""
        known = [referent for referent in conference.referents.values() if referent.role == "owner"]
        return (
            Link.key_for(calendar_key, held.event_id) in conference.registered
            or any(referent.calendar_key == calendar_key for referent in known if not referent.never_held)
            or any(referent.ical_uid == held.fact.ical_uid for referent in known if referent.state != "live")
        )

    def _binds_alone(self, conference_id: str) -> bool:
        """Whether the policy takes an event's word: no other ever had the conference, nor is one vouched for."""
        if self._claims != "matching" or self._words.said(conference_id):
            return False
        return len({fact.ical_uid for _, fact in self._truth.facts_of(conference_id)}) == 1

    def calendars_that_may(self, conference_id: str) -> set[str]:
        """Return the calendars of registered events, and those to which they were moved, with it or one before it.

        An occurrence moves with its series, which may get there what was the occurrence's.
        """
        line = self._words.line(conference_id)
        said = {place for each in line for place in self._truth.states.get(each, {})}
        if self._claims == "matching":
            return {calendar_id for calendar_id, _ in said}  # whoever came when no other event held it
        may = {calendar_id for calendar_id, _ in self._words.said(conference_id)}
        while True:
            meetings = {_meeting(e) for (c, e) in said if c in may}
            more = {c for (c, e) in said if _meeting(e) in meetings} | may
            if more == may:
                return may
            may = more


def _meeting(event_id: str) -> str:
    """Return what all parts of a series have in common, whoever split it, with their occurrences."""
    return event_id.partition("_")[0]
