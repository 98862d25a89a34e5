"""Method override: google-api-python-client sends a GET with a long address as a POST whose form holds the query."""

from starlette.types import ASGIApp, Message, Receive, Scope, Send


class MethodOverride:
    """Turn a POST with `X-HTTP-Method-Override` back into the request that was meant."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, rewritten where it asks for it."""
        verb = _override(scope)
        if verb is None:
            await self._app(scope, receive, send)
            return
        query = await _whole_body(receive)
        rewritten = {**scope, "method": verb.decode().upper(), "query_string": query}
        await self._app(rewritten, _empty, send)


def _override(scope: Scope) -> bytes | None:
    if scope["type"] != "http" or scope["method"] != "POST":
        return None
    return next((value for name, value in scope["headers"] if name == b"x-http-method-override"), None)


async def _whole_body(receive: Receive) -> bytes:
    body, more = b"", True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    return body


async def _empty() -> Message:
    return {"type": "http.request", "body": b"", "more_body": False}
