"""The rules for conferenceData: when it is stored, cleared, or made (Meet only). Pure.

Source: https://developers.google.com/workspace/calendar/api/guides/create-events#conferencing
"""

from typing import Any, Literal

from .errors import Json, invalid
from .rendering import CONFERENCE_FIELDS, copy_json

_MEET_TYPES = ("hangoutsMeet", "eventHangout", "eventNamedHangout")
_MEET_ICON = (
    "https://fonts.gstatic.com/s/i/productlogos/meet_2020q4/v6/web-512dp/logo_meet_2020q4_color_2x_web_512dp.png"
)

Outcome = Literal["success", "pending", "failure"]


def set_conference(body: Json, wanted: Any, stored: Json | None, code: str, outcome: Outcome) -> None:
    """Put the wanted conference data into a body that is being written.

    Args:
        wanted: conferenceData of the request; None clears it.
        stored: what the event has now.
        code: fresh letters from which a Meet code is made.
        outcome: what becomes of a request to create a Meet conference.

    Raises:
        ApiError: 400 for data that Google refuses.
    """
    body.pop("conferenceData", None)
    body.pop("hangoutLink", None)
    if not wanted:
        return
    data = wanted if wanted == stored else _checked(wanted, stored, code, outcome)
    body["conferenceData"] = data
    _link(body)


def keep_conference(body: Json, stored_body: Json) -> None:
    """Carry an event's conference over to a body that may not change it."""
    for name in CONFERENCE_FIELDS:
        body.pop(name, None)
        if name in stored_body:
            body[name] = stored_body[name]


def settle(body: Json, code: str, outcome: Outcome) -> Json | None:
    """Finish a pending request for a Meet conference; None when there is none."""
    request = body.get("conferenceData", {}).get("createRequest")
    if request is None or request["status"]["statusCode"] != "pending":
        return None
    settled = {**body, "conferenceData": _meet(request, code, outcome)}
    _link(settled)
    return settled


def _checked(wanted: Json, stored: Json | None, code: str, outcome: Outcome) -> Json:
    request = wanted.get("createRequest")
    if request and not wanted.get("conferenceSolution"):
        if stored and stored.get("createRequest", {}).get("requestId") == request.get("requestId"):
            return stored
        return _meet(_checked_request(request), code, outcome)
    if not wanted.get("conferenceSolution", {}).get("key", {}).get("type") or not wanted.get("entryPoints"):
        raise invalid("Invalid conference data: it needs createRequest, or conferenceSolution and entryPoints.")
    return copy_json(wanted)  # type: ignore[no-any-return]


def _checked_request(request: Json) -> Json:
    kind = request.get("conferenceSolutionKey", {}).get("type")
    if not request.get("requestId") or kind not in _MEET_TYPES:
        raise invalid("Invalid conference type value.")
    return request


def _meet(request: Json, code: str, outcome: Outcome) -> Json:
    key = {"type": request["conferenceSolutionKey"]["type"]}
    data: Json = {
        "createRequest": {
            "requestId": request["requestId"],
            "conferenceSolutionKey": key,
            "status": {"statusCode": outcome},
        }
    }
    if outcome != "success":
        return data
    name = f"{code[:3]}-{code[3:7]}-{code[7:10]}"
    return data | {
        "entryPoints": [
            {"entryPointType": "video", "uri": f"https://meet.google.com/{name}", "label": f"meet.google.com/{name}"}
        ],
        "conferenceSolution": {"key": key, "name": "Google Meet", "iconUri": _MEET_ICON},
        "conferenceId": name,
    }


def _link(body: Json) -> None:
    data = body["conferenceData"]
    if data.get("conferenceSolution", {}).get("key", {}).get("type") in _MEET_TYPES:
        body["hangoutLink"] = data["entryPoints"][0]["uri"]
