"""Hands that click in the web page of the local Calendar server, so that a run against it needs nobody.

It must never be used for anything but a server on this machine that has the `/_local/` calls.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from confsync.cli.facts.gestures import Gesture
from confsync.errors import CalendarRequestRejected
from confsync.local.calendar_server.errors import ApiError
from confsync.local.calendar_server.people import Person


@dataclass(frozen=True)
class LocalHands:
    """One user of a local server."""

    base_url: str
    """Without `/calendar/v3/`."""
    email: str

    def do(self, gesture: Gesture) -> bool:
        """Do a gesture as the web page would.

        Raises:
            CalendarRequestRejected: the server refused.

        """
        with Person(self.base_url, self.email) as person:
            try:
                _do(person, gesture)
            except ApiError as error:
                message = f"{gesture.kind}: the local server answered {error.status} {error.reason}"
                raise CalendarRequestRejected(message, error.reason) from None
        return True


def _do(person: Person, gesture: Gesture) -> None:
    event_id, calendar_id = gesture.event_id, gesture.calendar_id
    match gesture.kind:
        case "split":
            person.edit_following(event_id, {"summary": "confsync facts: split"}, calendar_id)
        case "drag":
            start = datetime.fromisoformat(person.see(event_id, calendar_id)["start"]["dateTime"])
            person.drag_following(event_id, start + timedelta(hours=1), calendar_id)
        case "duplicate":
            person.duplicate(event_id, calendar_id)
        case "delete":
            person.delete(event_id, calendar_id)
        case "restore":
            person.restore(event_id, calendar_id)
        case "draft":
            pass  # a draft that is never saved does not reach the server
