"""What is not Google's: the `/_local/` calls that set up people and calendars, turn knobs, and show what happened."""

import json
from collections.abc import Callable
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from .errors import ApiError, Json
from .faults import FaultSettings
from .model import CalendarModel
from .records import Role
from .service import CalendarService


class _Input(BaseModel):
    model_config = ConfigDict(extra="forbid")


class NewUser(_Input):
    """A person to create, with a primary calendar."""

    email: str = Field(pattern=r"^[^@\s]+@[^@\s]+$")
    time_zone: str = "UTC"


class NewCalendar(_Input):
    """A secondary calendar to create; one that exists gets the roles."""

    id: str
    owner: str
    summary: str = ""
    time_zone: str = "UTC"
    roles: dict[str, Role] = {}
    push_supported: bool = True


class TokenExpiry(_Input):
    """Which sync tokens to expire; None is all."""

    calendar_id: str | None = None


class Payload(_Input):
    """Recorded events to put into a calendar as they are."""

    calendar_id: str
    events: list[dict[str, Any]]


class KnownUser(_Input):
    """A person who exists already."""

    email: str


class KnownCalendar(_Input):
    """A calendar that exists already."""

    calendar_id: str


class OwnerChange(_Input):
    """An event to give away, and to whom."""

    user: str
    calendar_id: str = "primary"
    event_id: str
    new_owner: str


class WebPageEdit(_Input):
    """Something that Calendar's web page does to an event."""

    user: str
    calendar_id: str = "primary"
    event_id: str
    changes: dict[str, Any] = {}


class Settling(_Input):
    """Which pending Meet conferences to finish, and how."""

    calendar_id: str
    outcome: str = "success"


def control_routes(service: CalendarService) -> list[Route]:
    """Return the routes below `/_local/`."""
    return [*_setup_routes(service), *_web_page_routes(service), *_report_routes(service)]


def _setup_routes(service: CalendarService) -> list[Route]:
    def add_user(model: CalendarModel, new: NewUser) -> None:
        model.add_user(new.email, new.time_zone)

    def add_calendar(model: CalendarModel, new: NewCalendar) -> None:
        if new.id in model.state.calendars:
            model.share(new.id, new.roles)
            return
        model.add_calendar(
            new.id,
            new.owner,
            summary=new.summary,
            time_zone=new.time_zone,
            roles=new.roles,
            push_supported=new.push_supported,
        )

    def suspend(model: CalendarModel, known: KnownUser) -> None:
        model.suspend(known.email)

    def reinstate(model: CalendarModel, known: KnownUser) -> None:
        model.reinstate(known.email)

    def forget(model: CalendarModel, known: KnownCalendar) -> list[str]:
        return model.forget_deleted(known.calendar_id)

    def expire(model: CalendarModel, expiry: TokenExpiry) -> None:
        model.expire_sync_tokens(expiry.calendar_id)

    def put_payload(model: CalendarModel, payload: Payload) -> list[str]:
        return model.import_payload(payload.calendar_id, payload.events)

    def set_faults(_: CalendarModel, settings: FaultSettings) -> None:
        service.faults.set(settings)

    return [
        _post(service, "users", NewUser, add_user),
        _post(service, "calendars", NewCalendar, add_calendar),
        _post(service, "suspend", KnownUser, suspend),
        _post(service, "reinstate", KnownUser, reinstate),
        _post(service, "forget_deleted", KnownCalendar, forget),
        _post(service, "expire_sync_tokens", TokenExpiry, expire),
        _post(service, "import_payload", Payload, put_payload),
        _post(service, "faults", FaultSettings, set_faults),
    ]


def _web_page_routes(service: CalendarService) -> list[Route]:
    def split(model: CalendarModel, edit: WebPageEdit) -> Json:
        return model.edit_this_and_following(edit.user, edit.calendar_id, edit.event_id, edit.changes)

    def trim(model: CalendarModel, edit: WebPageEdit) -> Json:
        return model.delete_this_and_following(edit.user, edit.calendar_id, edit.event_id)

    def edit_all(model: CalendarModel, edit: WebPageEdit) -> list[Json]:
        return model.edit_all(edit.user, edit.calendar_id, edit.event_id, edit.changes)

    def duplicate(model: CalendarModel, edit: WebPageEdit) -> Json:
        return model.duplicate(edit.user, edit.calendar_id, edit.event_id)

    def change_owner(model: CalendarModel, change: OwnerChange) -> Json:
        return model.change_owner(change.user, change.calendar_id, change.event_id, change.new_owner)

    def delete_forever(model: CalendarModel, edit: WebPageEdit) -> None:
        model.delete_forever(edit.user, edit.calendar_id, edit.event_id)

    def settle(model: CalendarModel, settling: Settling) -> int:
        return model.settle_conferences(settling.calendar_id, settling.outcome)

    return [
        _post(service, "edit_this_and_following", WebPageEdit, split),
        _post(service, "delete_this_and_following", WebPageEdit, trim),
        _post(service, "edit_all", WebPageEdit, edit_all),
        _post(service, "duplicate", WebPageEdit, duplicate),
        _post(service, "change_owner", OwnerChange, change_owner),
        _post(service, "delete_forever", WebPageEdit, delete_forever),
        _post(service, "settle_conferences", Settling, settle),
    ]


def _report_routes(service: CalendarService) -> list[Route]:
    async def state(_: Request) -> Response:
        model = service.model
        living = [c.id for c in model.state.calendars.values() if not c.deleted]
        return JSONResponse({"calendars": {calendar_id: model.live_events(calendar_id) for calendar_id in living}})

    async def pushes(_: Request) -> Response:
        return JSONResponse(service.pushes.counts.to_json())

    async def requests(_: Request) -> Response:
        return JSONResponse(service.requests.to_json())

    async def clear_faults(_: Request) -> Response:
        service.faults.clear()
        return JSONResponse({})

    async def settle_pushes(_: Request) -> Response:
        await service.pushes.settled()
        return JSONResponse(service.pushes.counts.to_json())

    async def reset(_: Request) -> Response:
        await service.reset()
        return JSONResponse({})

    return [
        Route("/_local/reset", reset, methods=["POST"]),
        Route("/_local/state", state, methods=["GET"]),
        Route("/_local/pushes", pushes, methods=["GET"]),
        Route("/_local/requests", requests, methods=["GET"]),
        Route("/_local/faults", clear_faults, methods=["DELETE"]),
        Route("/_local/settle_pushes", settle_pushes, methods=["POST"]),
    ]


def _post(
    service: CalendarService,
    name: str,
    schema: type[BaseModel],
    act: Callable[[CalendarModel, Any], Any],
) -> Route:
    async def endpoint(request: Request) -> Response:
        wanted = _parsed(schema, await request.body())
        answer = service.run(lambda model: act(model, wanted))
        return JSONResponse({} if answer is None else answer)

    return Route(f"/_local/{name}", endpoint, methods=["POST"])


def _parsed(schema: type[BaseModel], content: bytes) -> BaseModel:
    try:
        return schema.model_validate(json.loads(content or b"{}"))
    except ValidationError as error:
        problems = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
        raise ApiError(400, "invalid", f"{schema.__name__}: {problems}") from None
    except ValueError:
        raise ApiError(400, "parseError", f"{schema.__name__}: the body is not JSON") from None
