"""The methods of the Calendar API that are about calendars and not about events. Pure and synchronous."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from . import calendars, writing
from .errors import Json, bad_credentials, not_found
from .params import Params
from .records import Calendar, Options
from .state import Operation, State

NO_PARAMS: dict[str, Any] = {}


class CalendarsApi:
    """Users' calendars and calendar lists; what every method needs.

    Every method takes the caller's e-mail first and raises ApiError, whose `to_json` is Google's error body. `primary`
    stands for the caller's own calendar. Parameters are those of the API, as text or as Python values.
    """

    def __init__(
        self,
        now: Callable[[], datetime],
        new_id: Callable[[], str],
        *,
        secret: str = "local",  # noqa: S107  (signs sync tokens of a server that trusts everyone)
        options: Options | None = None,
        on_change: Callable[[str], None] | None = None,
    ) -> None:
        """Create an empty server.

        Args:
            now: the time, with zone.
            new_id: a fresh base32hex id (letters a-v and digits), at least ten characters.
            on_change: called after each operation, once for each calendar that it has changed, with its id.
        """
        self.state = State(now, new_id, secret, options or Options())
        self.on_change = on_change

    @property
    def options(self) -> Options:
        """Return the knobs, which may be set at any time."""
        return self.state.options

    def check_user(self, email: str) -> None:
        """Refuse an unknown or suspended caller.

        Raises:
            ApiError: 401.
        """
        if email not in self.state.users:
            raise bad_credentials()
        self.state.check_account(email)

    def calendar_list(self, user: str, params: Params = NO_PARAMS) -> Json:
        """Answer calendarList.list."""
        self.state.check_account(user)
        return calendars.calendar_list(self.state, user, params)

    def calendar_list_get(self, user: str, calendar_id: str) -> Json:
        """Answer calendarList.get."""
        return calendars.list_entry(self.state.calendar_for(user, calendar_id), user)

    def calendar_get(self, user: str, calendar_id: str) -> Json:
        """Answer calendars.get."""
        return calendars.calendar_json(self.state.calendar_for(user, calendar_id))

    def calendar_insert(self, user: str, body: Json) -> Json:
        """Answer calendars.insert: a secondary calendar of the caller's, under an id that Calendar chooses."""
        self.check_user(user)
        return calendars.calendar_json(calendars.insert_calendar(self.state, user, body))

    def calendar_delete(self, user: str, calendar_id: str) -> None:
        """Answer calendars.delete: a secondary calendar is gone for everyone."""
        calendar = self.state.calendar_for(user, calendar_id, "owner")
        calendars.delete_calendar(self.state, calendar)
        self._announce([calendar.id])

    def calendar_clear(self, user: str, calendar_id: str) -> None:
        """Answer calendars.clear: every event of the calendar is deleted at once."""
        calendar = self.state.calendar_for(user, calendar_id, "owner")
        op = Operation(self.state)
        for event_id in calendars.clear_calendar(op, calendar):
            writing.remove(op, calendar, event_id, if_match=None)
        self._announce(op.commit())

    # Shared steps

    def _calendar(self, calendar_id: str) -> Calendar:
        calendar = self.state.calendars.get(calendar_id)
        if calendar is None:
            raise not_found()
        return calendar

    def _announce(self, changed: list[str]) -> None:
        if self.on_change is not None:
            for calendar_id in changed:
                self.on_change(calendar_id)
