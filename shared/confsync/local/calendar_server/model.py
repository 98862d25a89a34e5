"""The Calendar itself: the API's methods, and what only the web page and the server's owner can do. Pure.

The HTTP application, tests and simulations all call this class.
"""

from . import calendars, moving, trash, web_page
from .api_calendars import NO_PARAMS
from .api_model import ApiModel
from .errors import Json, not_found
from .records import Calendar, Role
from .rendering import View, render
from .series import series_deleted
from .state import Operation


class CalendarModel(ApiModel):
    """Google Calendar for a handful of users."""

    # People and calendars

    def add_user(self, email: str, time_zone: str = "UTC") -> None:
        """Create a user and the primary calendar; harmless when known."""
        calendars.add_user(self.state, email, time_zone)

    def add_calendar(
        self,
        calendar_id: str,
        owner: str,
        *,
        summary: str = "",
        time_zone: str = "UTC",
        roles: dict[str, Role] | None = None,
        push_supported: bool = True,
    ) -> None:
        """Create a secondary calendar.

        Args:
            roles: of further users by e-mail; `*` is everyone.

        Raises:
            ApiError: 409 when the id is taken.
        """
        calendar = Calendar(calendar_id, summary or calendar_id, time_zone, owner=owner)
        calendar.roles = {**(roles or {}), owner: "owner"}
        calendar.push_supported = push_supported
        calendars.add_calendar(self.state, calendar)

    def share(self, calendar_id: str, roles: dict[str, Role]) -> None:
        """Set the roles of users on a calendar."""
        calendars.share(self.state, self._calendar(calendar_id), roles)

    def suspend(self, email: str) -> None:
        """Suspend a user: every call in the user's name answers 401 from now on; others see the calendars as before.

        Raises:
            ApiError: 404 for an unknown user.
        """
        calendars.suspend(self.state, email, suspended=True)

    def reinstate(self, email: str) -> None:
        """End a user's suspension."""
        calendars.suspend(self.state, email, suspended=False)

    # What only the web page or the server itself does

    def edit_this_and_following(self, user: str, calendar_id: str, instance_id: str, changes: Json) -> Json:
        """Cut a series as the web page does and return the new part."""
        calendar, op = self._writable(user, calendar_id)
        event_id = web_page.edit_this_and_following(op, calendar, instance_id, changes)
        return self._done(op, user, calendar, event_id, NO_PARAMS)

    def delete_this_and_following(self, user: str, calendar_id: str, instance_id: str) -> Json:
        """End a series before an occurrence and return the shortened master."""
        calendar, op = self._writable(user, calendar_id)
        event_id = web_page.delete_this_and_following(op, calendar, instance_id)
        return self._done(op, user, calendar, event_id, NO_PARAMS)

    def edit_all(self, user: str, calendar_id: str, master_id: str, changes: Json) -> list[Json]:
        """Change a series with all parts that were split off it and return the masters."""
        calendar, op = self._writable(user, calendar_id)
        changed = web_page.edit_all(op, calendar, master_id, changes)
        self._announce(op.commit())
        return [self.get(user, calendar_id, event_id) for event_id in changed]

    def duplicate(self, user: str, calendar_id: str, event_id: str) -> Json:
        """Duplicate an event as the web page does and return the copy: another id and iCalUID, its own `created`."""
        calendar, op = self._writable(user, calendar_id)
        copy_id = web_page.duplicate(op, user, calendar, event_id)
        return self._done(op, user, calendar, copy_id, NO_PARAMS)

    def change_owner(self, user: str, calendar_id: str, event_id: str, new_owner: str) -> Json:
        """Give an event to another user and return it as that user's primary calendar has it.

        What is left behind is as after `move`; no access to the new owner's calendar is needed.

        Raises:
            ApiError: 404 for an unknown user, and what `move` refuses.
        """
        calendar, op = self._writable(user, calendar_id)
        destination = self.state.live_calendar(new_owner.lower())
        if destination is None or not destination.primary:
            raise not_found()
        if destination is not calendar:
            moving.move(op, calendar, event_id, destination)
        return self._done(op, destination.id, destination, event_id, NO_PARAMS)

    def delete_forever(self, user: str, calendar_id: str, event_id: str) -> None:
        """Remove a deleted event from the trash; its tombstone is scrubbed."""
        calendar, op = self._writable(user, calendar_id)
        web_page.delete_forever(op, calendar, event_id)
        self._announce(op.commit())

    def forget_deleted(self, calendar_id: str) -> list[str]:
        """Forget the deleted events that are older than `tombstone_days`, and return their ids.

        They are then unknown (404), and sync tokens from before their deletion answer 410. Cancelled occurrences of
        living series stay. Each calendar forgets for itself.
        """
        return trash.forget_deleted(self.state, self._calendar(calendar_id))

    def settle_conferences(self, calendar_id: str, outcome: str = "success") -> int:
        """Finish all pending Meet requests of a calendar and return how many there were."""
        op = Operation(self.state)
        settled = web_page.settle_conferences(op, self._calendar(calendar_id), outcome)
        self._announce(op.commit())
        return settled

    def import_payload(self, calendar_id: str, events: list[Json]) -> list[str]:
        """Put recorded events into a calendar exactly as they are and return their ids."""
        calendar, op = self._calendar(calendar_id), Operation(self.state)
        for event in events:
            op.write(calendar, event["id"], event, verbatim=True)
        self._announce(op.commit())
        return [event["id"] for event in events]

    def expire_sync_tokens(self, calendar_id: str | None = None) -> None:
        """Let the sync tokens of one calendar, or of all, answer 410 from now on."""
        chosen = list(self.state.calendars.values()) if calendar_id is None else [self._calendar(calendar_id)]
        for calendar in chosen:
            calendar.epoch += 1
            self.state.mark("calendar", calendar.id)

    def live_events(self, calendar_id: str) -> dict[str, Json]:
        """Return all events of a calendar that are not cancelled, by id, as the owner sees them."""
        calendar = self._calendar(calendar_id)
        view = View(calendar, "owner", calendar.time_zone)
        op = Operation(self.state)
        return {
            event_id: render(view, event_id, entry.newest)
            for event_id, entry in sorted(calendar.entries.items())
            if not entry.newest.cancelled and not series_deleted(op, calendar, entry.newest)
        }
