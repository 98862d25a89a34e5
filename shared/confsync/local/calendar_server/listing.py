"""events.list: full and incremental lists in pages, with page tokens and sync tokens. Pure.

Deleted events are counted into a page and then left out, so pages may be short or empty, as Google's are.
"""

from dataclasses import replace
from itertools import islice

from .errors import ApiError, Json, full_sync_required, invalid
from .queries import ListQuery, matches
from .records import WITH_DETAILS, Calendar, Role, Tombstone, Version
from .rendering import View, render
from .rows import Position, Row, rows, visible_change
from .state import State
from .times import rfc3339_ms
from .tokens import PageToken, SyncToken, decode_page, decode_sync, encode

_DAY_US = 86400 * 1_000_000
_FOLLOWS_SERIES = (None, Tombstone.EXCEPTION)


def list_events(state: State, calendar: Calendar, role: Role, query: ListQuery) -> Json:
    """Return one page of a calendar's events.

    Raises:
        ApiError: 410 for an expired sync token, 400 for a malformed one or for other parameters than the first list's.
    """
    _check_updated_min(state, query)
    position = _position(state, calendar, role, query)
    found = rows(calendar, query, position)
    shown = list(islice(found, _page_size(state, query)))
    more = next(found, None) is not None
    items = [item for row in shown if (item := _item(state, calendar, role, query, row)) is not None]
    page = envelope(calendar, role, query.time_zone)
    if more:
        cursor = shown[-1].key if shown else position.cursor
        return page | {"nextPageToken": _page_token(state, calendar, query, position, cursor), "items": items}
    if query.order_by is None:
        token = SyncToken(calendar.id, calendar.epoch, position.upto, query.binding, role, state.now_us())
        page["nextSyncToken"] = encode(state.secret, token)
    return page | {"items": items}


def _page_size(state: State, query: ListQuery) -> int:
    if state.options.empty_pages > 0:
        state.options.empty_pages -= 1
        return 0
    return min(query.max_results, state.options.page_cap or query.max_results)


def _page_token(state: State, calendar: Calendar, query: ListQuery, position: Position, cursor: list[int | str]) -> str:
    token = PageToken(calendar.id, calendar.epoch, position.after, position.upto, query.page_binding, cursor)
    return encode(state.secret, token)


def envelope(calendar: Calendar, role: Role, zone_name: str | None) -> Json:
    """Return what every list of events begins with."""
    return {
        "kind": "calendar#events",
        "etag": f'"p{calendar.updated_us:x}{calendar.change:x}o"',
        "summary": calendar.summary,
        "description": calendar.description,
        "updated": rfc3339_ms(calendar.updated_us),
        "timeZone": zone_name or calendar.time_zone,
        "accessRole": role,
        "defaultReminders": [{"method": "popup", "minutes": 30}] if calendar.primary else [],
    }


def _check_updated_min(state: State, query: ListQuery) -> None:
    oldest_us = state.now_us() - int(state.options.tombstone_days * _DAY_US)
    if query.updated_min_us is not None and query.updated_min_us < oldest_us:
        raise ApiError(
            410,
            "updatedMinTooLongAgo",
            "The requested minimum modification time lies too far in the past.",
            domain="calendar",
            location="updatedMin",
        )


def _position(state: State, calendar: Calendar, role: Role, query: ListQuery) -> Position:
    incremental = query.sync_token is not None
    after = _known_change(state, calendar, role, query) if incremental else -1
    if query.page_token is None:
        return Position(after, max(after, visible_change(state, calendar)), [], incremental)
    token = decode_page(state.secret, query.page_token)
    stale = (token.calendar_id, token.epoch) != (calendar.id, calendar.epoch)
    if stale or token.after != after or token.fingerprint != query.page_binding:
        raise invalid("Invalid page token value.", "pageToken")
    return Position(after, token.upto, token.cursor, incremental)


def _known_change(state: State, calendar: Calendar, role: Role, query: ListQuery) -> int:
    token = decode_sync(state.secret, query.sync_token or "")
    if token.calendar_id != calendar.id:
        raise invalid()
    max_age_s = state.options.token_max_age_s
    too_old = max_age_s is not None and state.now_us() - token.issued_us > max_age_s * 1_000_000
    too_old |= not calendar.forgotten_change <= token.upto <= calendar.change
    if token.epoch != calendar.epoch or token.role != role or too_old:
        raise full_sync_required()
    if token.fingerprint != query.binding:
        raise invalid("Invalid sync token value: the list parameters differ from those of the first list.")
    return token.upto


def _item(state: State, calendar: Calendar, role: Role, query: ListQuery, row: Row) -> Json | None:
    version = row.version
    if not matches(query, version, calendar.time_zone):
        return None
    details = query.show_deleted and state.options.organizer_tombstones == "full"
    own = row.event_id in calendar.entries and version.tombstone is not Tombstone.ORPHAN
    master = _master_tombstone(calendar, version) if own else None
    if master is not None and query.single_events:
        version, master = replace(version, tombstone=Tombstone.EXCEPTION), None
    series_deleted = master is not None
    if series_deleted and not (details and master in WITH_DETAILS and version.tombstone in _FOLLOWS_SERIES):
        # A deleted series speaks for its exceptions, but not for one that a reader may know as another series'.
        if not (version.former and query.sync_token):
            return None
        version, series_deleted = replace(version, tombstone=Tombstone.ID_ONLY), False
    if (version.cancelled or series_deleted) and not _shows_cancelled(state, query, version):
        return None
    zone_name, with_conference = query.time_zone or calendar.time_zone, state.options.tombstone_conference
    view = View(calendar, role, zone_name, query.max_attendees, details, with_conference)
    return render(view, row.event_id, version, series_deleted=series_deleted)


def _master_tombstone(calendar: Calendar, version: Version) -> Tombstone | None:
    master = calendar.entries.get(version.master_id) if version.master_id else None
    return master.newest.tombstone if master is not None else None


def _shows_cancelled(state: State, query: ListQuery, version: Version) -> bool:
    if query.sync_token is not None or query.updated_min_us is not None:
        return True
    if query.show_deleted:
        age_us = state.now_us() - version.stamp_us
        return version.tombstone is Tombstone.EXCEPTION or age_us < state.options.tombstone_days * _DAY_US
    # Without showDeleted cancelled occurrences are still listed: their series would seem to have them.
    return version.tombstone is Tombstone.EXCEPTION and not query.single_events
