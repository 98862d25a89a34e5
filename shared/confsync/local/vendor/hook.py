"""The contract's endpoint over HTTP, with its log of calls and the faults that were asked for.

It must never answer before the effect is stored.
"""

import asyncio
import json
import sqlite3
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from confsync.local.vendor.back_end import BackEnd
from confsync.local.vendor.contract import Answer, problem
from confsync.local.vendor.endpoint import LARGEST_BODY, House, receive
from confsync.local.vendor.faults import Fault, faulty_answer

LONGEST_HANG_S = 120.0
_SHOWN = 200
"""Characters of an id that are logged."""


async def hook(back_end: BackEnd, request: Request) -> Response:
    """Answer one call of the contract, or go wrong as asked."""
    body = await _body(request)
    call = _described(request.headers.get("webhook-id", ""), body)
    fault = back_end.faults.take(call["type"])
    if fault is not None and fault.kind == "slow":
        await _wait(back_end, fault.delay_ms / 1000)
    obeyed = _obey(back_end, request, body) if _is_obeyed(fault) else None
    answer = _sent(back_end, obeyed, fault, call["generation"] or 0)
    back_end.log(
        {
            "at": back_end.now().isoformat(),
            **call,
            "outcome": obeyed.outcome if obeyed else "",
            "fault": fault.name if fault else "",
            "status": answer.status if answer else None,
        }
    )
    return await _deliver(back_end, request, answer, fault)


def join_address(request: Request) -> str:
    """Return what every link into a conference begins with, as whoever calls reaches this server."""
    return f"{request.base_url}join/"


async def _body(request: Request) -> bytes:
    """Read the body, but not much more than a call may have."""
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > LARGEST_BODY:
            break
    return bytes(body)


def _described(webhook_id: str, body: bytes) -> dict[str, Any]:
    """Name a call for the log, also one that is no valid call."""
    try:
        call = json.loads(body)
        data = call.get("data", {})
        named = call.get("type"), data.get("conference_id", data.get("replaces")), data.get("generation")
    except (ValueError, AttributeError, RecursionError):
        named = None, None, None
    call_type, conference_id, generation = named
    return {
        "operation_id": webhook_id[:_SHOWN],
        "type": call_type[:_SHOWN] if isinstance(call_type, str) else "",
        "conference_id": conference_id[:_SHOWN] if isinstance(conference_id, str) else "",
        "generation": generation if isinstance(generation, int) else None,
    }


def _is_obeyed(fault: Fault | None) -> bool:
    return fault is None or fault.kind == "slow" or fault.after_effect


def _obey(back_end: BackEnd, request: Request, body: bytes) -> Answer:
    try:
        house = House(join_address(request), back_end.new_id, back_end.restores)
        return receive(request.headers, body, back_end.keys, back_end.storage, back_end.now(), house=house)
    except sqlite3.Error:
        return problem(503, "storage-unavailable", "nothing was stored; call again")


def _sent(back_end: BackEnd, obeyed: Answer | None, fault: Fault | None, generation: int) -> Answer | None:
    """Return the answer that leaves; None for none at all."""
    if fault is None or fault.kind == "slow":
        return obeyed
    return None if fault.kind in ("hang", "reset") else faulty_answer(fault, generation, back_end.now())


async def _deliver(back_end: BackEnd, request: Request, answer: Answer | None, fault: Fault | None) -> Response:
    if answer is not None:
        return JSONResponse(answer.body, answer.status, answer.headers, answer.media_type)
    if fault is not None and fault.kind == "reset":
        request.scope["confsync.reset"]()
    await _until_gone(back_end, request)
    return Response(status_code=503)


async def _until_gone(back_end: BackEnd, request: Request) -> None:
    """Wait until the caller hangs up, for the longest hang, or until the server stops."""
    gone = asyncio.ensure_future(request.receive())
    closing = asyncio.ensure_future(back_end.closing.wait())
    await asyncio.wait({gone, closing}, timeout=LONGEST_HANG_S, return_when=asyncio.FIRST_COMPLETED)
    gone.cancel()
    closing.cancel()


async def _wait(back_end: BackEnd, seconds: float) -> None:
    await asyncio.wait({asyncio.ensure_future(back_end.closing.wait())}, timeout=seconds)
