"""The gRPC door: the same methods, as google-cloud-tasks' gRPC transport calls them.

It must never listen on anything but the loopback address.
"""

from collections.abc import Awaitable, Callable
from typing import Any

import grpc
import grpc.aio

from confsync.local.task_server.api import Api
from confsync.local.task_server.api_errors import ApiError
from confsync.local.task_server.rest import MAX_REQUEST_BYTES, RULES, request_type

SERVICE = "google.cloud.tasks.v2.CloudTasks"


def build_grpc_server(api: Api) -> grpc.aio.Server:
    """Return a server of the API that is not started yet; methods that it does not know are UNIMPLEMENTED."""
    # Without so_reuseport=0 two servers would share one port and its callers.
    options = [("grpc.so_reuseport", 0), ("grpc.max_receive_message_length", MAX_REQUEST_BYTES)]
    server = grpc.aio.server(options=options)
    handlers = {_wire_name(rule.method): _unary(api, rule.method) for rule in RULES}
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(SERVICE, handlers),))
    return server


def _wire_name(method: str) -> str:
    return "".join(word.capitalize() for word in method.split("_"))


def _unary(api: Api, method: str) -> grpc.RpcMethodHandler:
    return grpc.unary_unary_rpc_method_handler(
        _behaviour(getattr(api, method)),
        request_deserializer=request_type(method).FromString,
        response_serializer=lambda answer: answer.SerializeToString(),
    )


def _behaviour(method: Callable[[Any], Any]) -> Callable[[Any, Any], Awaitable[Any]]:
    async def serve(request: Any, context: Any) -> Any:
        try:
            return method(request)
        except ApiError as error:
            return await context.abort(grpc.StatusCode[error.code], error.message)

    return serve
