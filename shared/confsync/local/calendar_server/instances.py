"""events.instances: the occurrences of one series, changed and unchanged. Pure.

Source: https://developers.google.com/workspace/calendar/api/v3/reference/events/instances
"""

from .errors import Json, not_found
from .listing import envelope
from .params import Params, count, event_zone, flag, moment_us, text
from .queries import MOST_RESULTS, overlaps
from .records import Calendar, Role, Version
from .recurrence import Start, start_of
from .rendering import View, render
from .rows import occurrences
from .series import exceptions_of, resolve
from .state import Operation, State
from .times import time_us
from .tokens import PageToken, SyncToken, decode_page, encode, fingerprint


def instances(state: State, calendar: Calendar, role: Role, event_id: str, params: Params) -> Json:
    """Return one page of the occurrences of a series, exceptions included.

    Raises:
        ApiError: 404 for an unknown series.
    """
    op = Operation(state)
    master = resolve(op, calendar, event_id)
    if not master.body.get("recurrence"):
        raise not_found()
    zone_name, with_conference = event_zone(params, calendar.time_zone), state.options.tombstone_conference
    view = View(calendar, role, zone_name, count(params, "maxAttendees"), tombstone_conference=with_conference)
    found = dict(occurrences(calendar, event_id, master)) | exceptions_of(op, calendar, event_id)
    wanted = sorted(
        ((_original_us(version), key, version) for key, version in found.items() if _wanted(view, params, version)),
        key=lambda row: row[:2],
    )
    rendered = [render(view, key, version) for _, key, version in wanted]
    return _instances_page(state, calendar, role, params, rendered)


def _original_us(version: Version) -> int:
    return time_us(version.body["originalStartTime"], "UTC")


def _wanted(view: View, params: Params, version: Version) -> bool:
    if version.cancelled and not flag(params, "showDeleted"):
        return False
    original = text(params, "originalStart")
    if original is not None and start_of(version.body["originalStartTime"]) != _parsed_start(original):
        return False
    bounds = moment_us(params, "timeMin"), moment_us(params, "timeMax")
    return overlaps(version.body, *bounds, view.zone_name)


def _parsed_start(original: str) -> Start:
    return start_of({"date": original} if len(original) == 10 else {"dateTime": original})


def _instances_page(state: State, calendar: Calendar, role: Role, params: Params, rendered: list[Json]) -> Json:
    size = min(count(params, "maxResults") or 250, MOST_RESULTS)
    page_token = text(params, "pageToken")
    binding = fingerprint("instances")
    first = 0
    if page_token is not None:
        first = int(decode_page(state.secret, page_token).cursor[0])
    page = envelope(calendar, role, text(params, "timeZone"))
    if first + size < len(rendered):
        token = PageToken(calendar.id, calendar.epoch, 0, calendar.change, binding, [first + size])
        page["nextPageToken"] = encode(state.secret, token)
    else:
        sync = SyncToken(calendar.id, calendar.epoch, calendar.change, binding, role, state.now_us())
        page["nextSyncToken"] = encode(state.secret, sync)
    return page | {"items": rendered[first : first + size]}
