"""The function that does nothing: what the framework, its server and the network cost by themselves."""

import functions_framework
from flask import Request


@functions_framework.http
def empty(request: Request) -> tuple[str, int]:
    """Answer 204, as the receiver does."""
    del request
    return "", 204
