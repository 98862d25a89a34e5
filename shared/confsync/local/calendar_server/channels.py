"""events.watch and channels.stop: who is told about changes, and until when. Pure; `pushes.py` does the telling.

Source: https://developers.google.com/workspace/calendar/api/guides/push
"""

import hashlib
import re
from base64 import urlsafe_b64encode
from typing import Any

from .errors import ApiError, Json, not_found, required
from .records import Calendar, Channel
from .state import State

DEFAULT_TTL_S = 604800
_CHANNEL_ID = re.compile(r"[A-Za-z0-9\-_+/=]{1,64}")
_API = "https://www.googleapis.com/calendar/v3"
_LOCAL_HTTP = re.compile(r"http://127\.0\.0\.1(:\d+)?(/.*)?")


def watch(state: State, user: str, calendar: Calendar, requested_id: str, request: Json) -> Channel:
    """Open a channel to the events of a calendar.

    An http address is refused, except on 127.0.0.1: there is no Google between this server and its neighbours.

    Args:
        requested_id: the calendar id as the caller wrote it; `primary` stays unresolved in the resource URI.

    Raises:
        ApiError: 400 for an unusable channel.
    """
    _check_request(state, request)
    if not calendar.push_supported:
        raise ApiError(
            400,
            "pushNotSupportedForRequestedResource",
            "Push notifications are not supported by this resource.",
            domain="calendar",
        )
    channel = Channel(
        id=request["id"],
        user=user,
        calendar_id=calendar.id,
        resource_id=resource_id(calendar.id),
        resource_uri=f"{_API}/calendars/{requested_id}/events?alt=json",
        address=request["address"],
        token=request.get("token"),
        expires_us=_expiry_us(state, request),
    )
    state.channels[channel.id] = channel
    state.mark("channel", channel.id)
    return channel


def resource_id(calendar_id: str) -> str:
    """Return the opaque id of a calendar's events, always the same for the same calendar."""
    digest = hashlib.sha1(f"events of {calendar_id}".encode(), usedforsecurity=False).digest()
    return urlsafe_b64encode(digest).decode().rstrip("=")


def _check_request(state: State, request: Json) -> None:
    channel_id = request.get("id")
    if not channel_id:
        raise required("Missing required field: id")
    if not isinstance(channel_id, str) or not _CHANNEL_ID.fullmatch(channel_id):
        raise ApiError(400, "invalid", f"Invalid channel id: {channel_id!r} (at most 64 of A-Za-z0-9-_+/=)")
    if request.get("type") not in ("web_hook", "webhook"):
        raise ApiError(400, "push.channelTypeNotSupported", f"Unknown channel type: {request.get('type')!r}")
    if len(str(request.get("token") or "")) > 256:
        raise ApiError(400, "invalid", "Channel token is longer than 256 characters")
    _check_address(request.get("address"))
    existing = state.channels.get(channel_id)
    if existing is not None and existing.expires_us > state.now_us():
        raise ApiError(400, "channelIdNotUnique", f"Channel id {channel_id} not unique")


def _check_address(address: Any) -> None:
    if not address:
        raise required("Missing required field: address")
    if not str(address).startswith("https://") and not _LOCAL_HTTP.fullmatch(str(address)):
        raise ApiError(400, "push.webhookUrlNotHttps", f"WebHook callback must be HTTPS: {address}")


def _expiry_us(state: State, request: Json) -> int:
    now_us = state.now_us()
    ttl_s = float(DEFAULT_TTL_S)
    if request.get("expiration"):
        ttl_s = (int(request["expiration"]) * 1000 - now_us) / 1_000_000
    elif (request.get("params") or {}).get("ttl"):
        ttl_s = float(request["params"]["ttl"])
    if ttl_s <= 0:
        raise ApiError(400, "invalid", f"Invalid ttl value for channel {int(ttl_s)}")
    lasting_us = int(min(ttl_s, state.options.channel_ttl_cap_s) * 1_000_000)
    # Google's expirations are whole seconds.
    return (now_us + lasting_us) // 1_000_000 * 1_000_000


def to_json(channel: Channel) -> Json:
    """Return a channel as the answer to watch: the expiration is a string of milliseconds."""
    out: Json = {
        "kind": "api#channel",
        "id": channel.id,
        "resourceId": channel.resource_id,
        "resourceUri": channel.resource_uri,
    }
    if channel.token:
        out["token"] = channel.token
    return out | {"expiration": str(channel.expires_us // 1000)}


def stop(state: State, user: str, request: Json) -> None:
    """Close a channel.

    Raises:
        ApiError: 404 unless the same user opened a channel of this id and resource id that is still open.
    """
    channel = state.channels.get(str(request.get("id")))
    if channel is None or channel.stopped or channel.expires_us <= state.now_us():
        raise not_found()
    if channel.user != user or channel.resource_id != request.get("resourceId"):
        raise not_found()
    channel.stopped = True
    state.mark("channel", channel.id)


def open_channels(state: State, calendar_id: str, *, stopped: bool = False) -> list[Channel]:
    """Return the channels that a change of a calendar must be announced to (or the stopped ones instead)."""
    now_us = state.now_us()
    return [
        channel
        for channel in state.channels.values()
        if channel.calendar_id == calendar_id and channel.stopped is stopped and channel.expires_us > now_us
    ]
