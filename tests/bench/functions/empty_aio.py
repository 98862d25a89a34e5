"""The function that does nothing, in the framework's asynchronous mode."""

import functions_framework.aio
from starlette.requests import Request


@functions_framework.aio.http
async def empty_aio(request: Request) -> tuple[str, int]:
    """Answer 204."""
    del request
    return "", 204
