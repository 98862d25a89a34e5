"""What people do in Calendar's web page, done over HTTP: the same requests with the same consequences.

Each method is one gesture of one person and returns the event as that person's calendar then has it. Nothing here knows
of confsync.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from types import TracebackType
from typing import Any, Literal, Self

from .addon import addon_conference
from .browser import CALENDARS, Browser, Moment, calendar_path, dragged, event_path, events_path, times_of
from .errors import Json

__all__ = ["Person", "Response", "addon_conference"]

Response = Literal["needsAction", "declined", "tentative", "accepted"]


class Person:
    """Someone who uses Calendar's web page.

    Args:
        base_url: of the local server, without `/calendar/v3`.
        email: also the id of the person's primary calendar.

    Every method raises ApiError when Calendar refuses.
    """

    def __init__(self, base_url: str, email: str) -> None:
        self.email = email
        self._browser = Browser(base_url, email)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the browser."""
        self._browser.close()

    # Looking

    def see(self, event_id: str, calendar_id: str = "primary") -> Json:
        """Open an event; a deleted one has `status: cancelled`."""
        return self._browser.call("GET", event_path(calendar_id, event_id))

    def occurrences(self, series_id: str, calendar_id: str = "primary") -> list[Json]:
        """Return the occurrences of a series, earliest first."""
        path = event_path(calendar_id, series_id) + "/instances"
        found: list[Json] = self._browser.call("GET", path, {"maxResults": 2500})["items"]
        return found

    # Single events

    def create(
        self,
        summary: str,
        start: Moment,
        minutes: int = 60,
        *,
        conference: Json | None = None,
        guests: Sequence[str] = (),
        recurrence: Sequence[str] = (),
        time_zone: str = "UTC",
        calendar_id: str = "primary",
        more: Json | None = None,
    ) -> Json:
        """Create an event.

        Args:
            start: a date makes it all-day (and `minutes` meaningless).
            conference: conferenceData of an add-on that has just made a conference.
            recurrence: lines such as `RRULE:FREQ=WEEKLY`.
            more: further fields of the event.
        """
        body: Json = {"summary": summary, **times_of(start, timedelta(minutes=minutes), time_zone)}
        if recurrence:
            body["recurrence"] = list(recurrence)
        if guests:
            body["attendees"] = self._with_me(calendar_id, [{"email": guest} for guest in guests])
        if conference is not None:
            body["conferenceData"] = conference
        path, params = events_path(calendar_id), {"conferenceDataVersion": 1}
        return self._browser.call("POST", path, params, body | (more or {}))

    def create_weekly(
        self, summary: str, start: datetime, minutes: int = 60, *, count: int | None = None, **details: Any
    ) -> Json:
        """Create a weekly series, endless unless `count` is given; `details` as in `create`."""
        rule = "RRULE:FREQ=WEEKLY" + (f";COUNT={count}" if count else "")
        return self.create(summary, start, minutes, recurrence=[rule], **details)

    def edit(self, event_id: str, changes: Json, calendar_id: str = "primary") -> Json:
        """Change fields of an event, or of one occurrence ("this event"); conferenceData may be among them."""
        return self._browser.call("PATCH", event_path(calendar_id, event_id), {"conferenceDataVersion": 1}, changes)

    def rename(self, event_id: str, summary: str, calendar_id: str = "primary") -> Json:
        """Give an event another title."""
        return self.edit(event_id, {"summary": summary}, calendar_id)

    def drag(self, event_id: str, start: Moment, calendar_id: str = "primary") -> Json:
        """Drag an event to another time; it keeps its length and zone."""
        return self.edit(event_id, dragged(self.see(event_id, calendar_id), start), calendar_id)

    def add_guest(self, event_id: str, email: str, calendar_id: str = "primary") -> Json:
        """Invite someone; the organizer becomes a guest of the own event too."""
        guests = self.see(event_id, calendar_id).get("attendees", [])
        return self.edit(event_id, {"attendees": self._with_me(calendar_id, [*guests, {"email": email}])}, calendar_id)

    def remove_guest(self, event_id: str, email: str, calendar_id: str = "primary") -> Json:
        """Take someone off the guest list."""
        guests = self.see(event_id, calendar_id).get("attendees", [])
        return self.edit(event_id, {"attendees": [g for g in guests if g["email"] != email]}, calendar_id)

    def rsvp(self, event_id: str, response: Response) -> Json:
        """Answer an invitation in the own calendar."""
        guests = self._with_me("primary", self.see(event_id).get("attendees", []))
        answered = [{**g, "responseStatus": response} if g["email"] == self.email else g for g in guests]
        return self.edit(event_id, {"attendees": answered})

    def decline(self, event_id: str) -> Json:
        """Decline an event, be it one's own: the meeting goes on without."""
        return self.rsvp(event_id, "declined")

    def delete(self, event_id: str, calendar_id: str = "primary") -> None:
        """Delete an event, a whole series, or cancel one occurrence; to a guest it only removes the own copy."""
        self._browser.call("DELETE", event_path(calendar_id, event_id))

    def remove_own_copy(self, event_id: str) -> None:
        """Remove an event to which one was invited from the own calendar."""
        self.delete(event_id)

    def restore(self, event_id: str, calendar_id: str = "primary") -> Json:
        """Take a deleted event out of the trash."""
        return self.edit(event_id, {"status": "confirmed"}, calendar_id)

    def delete_forever(self, event_id: str, calendar_id: str = "primary") -> None:
        """Remove a deleted event from the trash."""
        self._local("delete_forever", event_id, calendar_id)

    def duplicate(self, event_id: str, calendar_id: str = "primary") -> Json:
        """Duplicate an event: the copy has another id and iCalUID and, by default, the same conference."""
        return self._local("duplicate", event_id, calendar_id)

    def move(self, event_id: str, destination: str, calendar_id: str = "primary") -> Json:
        """Give an event to another calendar and return it as it is there."""
        self._browser.call("POST", event_path(calendar_id, event_id) + "/move", {"destination": destination})
        return self.see(event_id, destination)

    def change_owner(self, event_id: str, new_owner: str, calendar_id: str = "primary") -> Json:
        """Make someone else the organizer and return the event as it is in that person's calendar."""
        body = {"user": self.email, "calendar_id": calendar_id, "event_id": event_id, "new_owner": new_owner}
        return self._browser.call("POST", "/_local/change_owner", None, body)

    def import_event(self, event: Json, calendar_id: str = "primary") -> Json:
        """Import an event of another system, such as a mail's attachment; it needs an iCalUID, start and end."""
        path = events_path(calendar_id) + "/import"
        return self._browser.call("POST", path, {"conferenceDataVersion": 1}, event)

    def add_conference(self, event_id: str, conference: Json, calendar_id: str = "primary") -> Json:
        """Choose an add-on's conference for an event."""
        return self.edit(event_id, {"conferenceData": conference}, calendar_id)

    def remove_conference(self, event_id: str, calendar_id: str = "primary") -> Json:
        """Click the cross beside the conference."""
        return self.edit(event_id, {"conferenceData": None}, calendar_id)

    def switch_to_meet(self, event_id: str, calendar_id: str = "primary") -> Json:
        """Choose Google Meet in place of what was there."""
        etag = self.see(event_id, calendar_id)["etag"].strip('"')
        request = {"requestId": f"meet-{etag}", "conferenceSolutionKey": {"type": "hangoutsMeet"}}
        return self.edit(event_id, {"conferenceData": {"createRequest": request}}, calendar_id)

    def set_reminder(self, event_id: str, minutes: int, calendar_id: str = "primary") -> Json:
        """Set the own reminder, which concerns nobody else."""
        overrides = [{"method": "popup", "minutes": minutes}]
        return self.edit(event_id, {"reminders": {"useDefault": False, "overrides": overrides}}, calendar_id)

    def set_visibility(
        self, event_id: str, visibility: Literal["default", "public", "private"], calendar_id: str = "primary"
    ) -> Json:
        """Make an event private or public."""
        return self.edit(event_id, {"visibility": visibility}, calendar_id)

    # Series

    def edit_all(self, series_id: str, changes: Json, calendar_id: str = "primary") -> Json:
        """Change "all events" of a series, also of parts that were split off it."""
        self._local("edit_all", series_id, calendar_id, changes)
        return self.see(series_id, calendar_id)

    def edit_following(self, occurrence_id: str, changes: Json, calendar_id: str = "primary") -> Json:
        """Change "this and following events" and return the new part of the series."""
        return self._local("edit_this_and_following", occurrence_id, calendar_id, changes)

    def drag_following(self, occurrence_id: str, start: datetime, calendar_id: str = "primary") -> Json:
        """Drag "this and following events" to another time and return the new part, whose id is unrelated."""
        changes = dragged(self.see(occurrence_id, calendar_id), start)
        return self.edit_following(occurrence_id, changes, calendar_id)

    def delete_following(self, occurrence_id: str, calendar_id: str = "primary") -> Json:
        """Delete "this and following events" and return the shortened series."""
        return self._local("delete_this_and_following", occurrence_id, calendar_id)

    def delete_series(self, series_id: str, calendar_id: str = "primary") -> None:
        """Delete "all events" of a series."""
        self.delete(series_id, calendar_id)

    # Calendars

    def create_calendar(self, summary: str, time_zone: str = "UTC") -> Json:
        """Create a secondary calendar; the answer has its id."""
        return self._browser.call("POST", CALENDARS, None, {"summary": summary, "timeZone": time_zone})

    def delete_calendar(self, calendar_id: str) -> None:
        """Delete a secondary calendar."""
        self._browser.call("DELETE", calendar_path(calendar_id))

    def clear_calendar(self) -> None:
        """Delete all events of the own calendar at once."""
        self._browser.call("POST", calendar_path("primary") + "/clear")

    # Below

    def _with_me(self, calendar_id: str, guests: list[Json]) -> list[Json]:
        """The web page lists the organizer as a guest who has accepted."""
        me = self.email if calendar_id == "primary" else calendar_id
        if me != self.email or any(guest["email"] == me for guest in guests):
            return guests
        return [{"email": me, "responseStatus": "accepted"}, *guests]

    def _local(self, gesture: str, event_id: str, calendar_id: str, changes: Json | None = None) -> Json:
        body = {"user": self.email, "calendar_id": calendar_id, "event_id": event_id, "changes": changes or {}}
        return self._browser.call("POST", f"/_local/{gesture}", None, body)
