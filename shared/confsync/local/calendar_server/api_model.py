"""The methods of the Calendar API as plain calls with plain dicts. Pure and synchronous.

No I/O, no threads, no clock and no randomness of its own, so the same calls at the same times give the same answers.
The HTTP application, tests and simulations all call this class. Answers are fresh dicts that the caller may change.
"""

from dataclasses import replace

from . import channels, moving, writing
from .api_calendars import NO_PARAMS, CalendarsApi
from .errors import ApiError, Json, not_found
from .instances import instances
from .listing import list_events
from .params import Params, count, event_zone, text
from .queries import list_query
from .records import WITH_DETAILS, Calendar, Channel, Tombstone
from .rendering import View, render, render_cancelled_in_full
from .series import resolve, series_tombstone
from .state import Operation


class ApiModel(CalendarsApi):
    """Google Calendar for a handful of users: events and channels."""

    # Reading events

    def get(self, user: str, calendar_id: str, event_id: str, params: Params = NO_PARAMS) -> Json:
        """Answer events.get; a deleted event is an answer too, with `status: cancelled`."""
        calendar = self.state.calendar_for(user, calendar_id)
        return self._rendered(user, calendar, event_id, params)

    def list_events(self, user: str, calendar_id: str, params: Params = NO_PARAMS) -> Json:
        """Answer events.list."""
        calendar = self.state.calendar_for(user, calendar_id)
        role = calendar.role_of(user)
        query = list_query(params)
        if role == "freeBusyReader":
            query = replace(query, single_events=True)
        return list_events(self.state, calendar, role, query)

    def instances(self, user: str, calendar_id: str, event_id: str, params: Params = NO_PARAMS) -> Json:
        """Answer events.instances."""
        calendar = self.state.calendar_for(user, calendar_id)
        return instances(self.state, calendar, calendar.role_of(user), event_id, params)

    # Writing events

    def insert(self, user: str, calendar_id: str, body: Json, params: Params = NO_PARAMS) -> Json:
        """Answer events.insert."""
        calendar, op = self._writable(user, calendar_id)
        event_id = writing.insert(op, user, calendar, body, params)
        return self._done(op, user, calendar, event_id, params)

    def import_(self, user: str, calendar_id: str, body: Json, params: Params = NO_PARAMS) -> Json:
        """Answer events.import."""
        calendar, op = self._writable(user, calendar_id)
        event_id = writing.import_event(op, user, calendar, body, params)
        return self._done(op, user, calendar, event_id, params)

    def update(
        self,
        user: str,
        calendar_id: str,
        event_id: str,
        body: Json,
        params: Params = NO_PARAMS,
        *,
        if_match: str | None = None,
    ) -> Json:
        """Answer events.update: the body replaces the event."""
        return self._change(user, calendar_id, event_id, body, params, if_match=if_match, merge=False)

    def patch(
        self,
        user: str,
        calendar_id: str,
        event_id: str,
        body: Json,
        params: Params = NO_PARAMS,
        *,
        if_match: str | None = None,
    ) -> Json:
        """Answer events.patch: the body is laid over the event."""
        return self._change(user, calendar_id, event_id, body, params, if_match=if_match, merge=True)

    def delete(
        self,
        user: str,
        calendar_id: str,
        event_id: str,
        params: Params = NO_PARAMS,
        *,
        if_match: str | None = None,
    ) -> None:
        """Answer events.delete."""
        del params  # sendUpdates: nobody gets mail here
        calendar, op = self._writable(user, calendar_id)
        writing.remove(op, calendar, event_id, if_match=if_match)
        self._announce(op.commit())

    def move(self, user: str, calendar_id: str, event_id: str, params: Params) -> Json:
        """Answer events.move with the cancelled stub of the source that names the new organizer."""
        calendar, op = self._writable(user, calendar_id)
        destination = self.state.calendar_for(user, text(params, "destination") or "", "writer")
        if destination is calendar:
            return self.get(user, calendar_id, event_id, params)
        moving.move(op, calendar, event_id, destination)
        self._announce(op.commit())
        stub = calendar.entries[event_id].newest
        moved = replace(stub, tombstone=Tombstone.MOVED)
        return render_cancelled_in_full(self._view(user, calendar, params), event_id, moved)

    # Channels

    def watch(self, user: str, calendar_id: str, body: Json, params: Params = NO_PARAMS) -> Json:
        """Answer events.watch."""
        list_query(params)
        calendar = self.state.calendar_for(user, calendar_id)
        return channels.to_json(channels.watch(self.state, user, calendar, calendar_id, body))

    def stop(self, user: str, body: Json) -> None:
        """Answer channels.stop."""
        self.state.check_account(user)
        channels.stop(self.state, user, body)

    def open_channels(self, calendar_id: str) -> list[Channel]:
        """Return the channels to which a change of a calendar is announced now."""
        return channels.open_channels(self.state, calendar_id)

    # Shared steps

    def _writable(self, user: str, calendar_id: str) -> tuple[Calendar, Operation]:
        return self.state.calendar_for(user, calendar_id, "writer"), Operation(self.state)

    def _change(
        self,
        user: str,
        calendar_id: str,
        event_id: str,
        body: Json,
        params: Params,
        *,
        if_match: str | None,
        merge: bool,
    ) -> Json:
        calendar, op = self._writable(user, calendar_id)
        if not isinstance(body, dict):
            raise ApiError(400, "parseError", "Parse Error")
        writing.change(op, calendar, event_id, body, params, if_match=if_match, merge=merge)
        return self._done(op, user, calendar, event_id, params)

    def _done(self, op: Operation, user: str, calendar: Calendar, event_id: str, params: Params) -> Json:
        self._announce(op.commit())
        return self._rendered(user, calendar, event_id, params)

    def _rendered(self, user: str, calendar: Calendar, event_id: str, params: Params) -> Json:
        view = self._view(user, calendar, params)
        stored = calendar.entries.get(event_id)
        if stored is not None and stored.newest.verbatim:
            return render(view, event_id, stored.newest)
        op = Operation(self.state)
        version = resolve(op, calendar, event_id)
        master = series_tombstone(op, calendar, version)
        if master is not None and master not in WITH_DETAILS:
            version = replace(version, tombstone=Tombstone.ID_ONLY)
        if version.tombstone is Tombstone.ID_ONLY and self.options.gone_is_unknown:
            raise not_found()
        if version.cancelled or master is not None:
            return render_cancelled_in_full(view, event_id, version)
        return render(view, event_id, version)

    def _view(self, user: str, calendar: Calendar, params: Params) -> View:
        zone_name = event_zone(params, calendar.time_zone)
        most_attendees, with_conference = count(params, "maxAttendees"), self.options.tombstone_conference
        role = calendar.role_of(user)
        return View(calendar, role, zone_name, most_attendees, tombstone_conference=with_conference)
