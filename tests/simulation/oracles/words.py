"""What the add-on said: which event each conference was made for, in whose calendar.

Remembered from what was asked of the functions and from how they answered, and from what confsync wrote into events
itself. It must never read what confsync stored: confsync may forget it.
"""

from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime

Place = tuple[str, str]
"""A calendar and an event; the event may come later, or never."""


class Words:
    """The add-on's words, by conference id."""

    def __init__(self) -> None:
        """Begin with none."""
        self._said: dict[str, set[Place]] = {}
        self._heard: dict[str, set[Place]] = {}
        self.forgotten: defaultdict[str, tuple[datetime, ...]] = defaultdict(tuple)
        """By calendar id: when everything about it was allowed to be forgotten."""
        self.made_for: Mapping[str, str] = {}
        """By the id of a conference that was made on request: the one that it replaces, whose words it inherits."""
        self._lost: defaultdict[str, set[str]] = defaultdict(set)
        """By the id of such a one: the calendars that were forgotten since it was made."""

    def say(self, conference_id: str, place: Place) -> None:
        """Note that the add-on vouches for a conference from now on; confsync may have heard it at any time since."""
        self._said.setdefault(conference_id, set()).add(place)

    def hear(self, conference_id: str, place: Place) -> None:
        """Note that confsync answered well, or wrote the conference into the event: it is bound to know it for ever."""
        self._heard.setdefault(conference_id, set()).add(place)

    def forget(self, calendar_id: str, now: datetime) -> None:
        """Note that confsync need not know any more what was said of a calendar: it was removed."""
        self.forgotten[calendar_id] += (now,)
        for places in self._heard.values():
            places -= {place for place in places if place[0] == calendar_id}
        for conference_id in self.made_for:
            self._lost[conference_id].add(calendar_id)

    def said(self, conference_id: str) -> set[Place]:
        """Return the events for which the add-on ever vouched, for it or one before it."""
        return {place for each in self.line(conference_id) for place in self._said.get(each, ())}

    def heard(self, conference_id: str) -> set[Place]:
        """Return those of them that confsync is bound to know.

        A conference that was made on request inherits them only until it is written into an event: confsync vouches
        for that one, and with its calendar this conference is forgotten, whatever is known of the one that it replaces.
        What is said anew of that one is no word for a conference that was forgotten meanwhile, either.
        """
        if conference_id in self._heard:
            return self._heard[conference_id]
        heard = self._heard.get(self.line(conference_id)[-1], set())
        return {place for place in heard if place[0] not in self._lost[conference_id]}

    def line(self, conference_id: str) -> list[str]:
        """Return the conference, the one that it was made for, and so on; the last was made for none."""
        found = [conference_id]
        while found[-1] in self.made_for:
            found.append(self.made_for[found[-1]])
        return found
