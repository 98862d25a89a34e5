"""A stand-in for Cloud Tasks that answers at once: `create_task` over REST and gRPC, names used once, nothing runs.

What a create costs its caller is then the caller's own work, not the server's. It must never be taken for the local
task server, which keeps, dispatches and repeats tasks.
"""

import argparse
import asyncio
import json
import signal
import sys
from collections import OrderedDict

import grpc
import grpc.aio
from google.cloud.tasks_v2.types import CreateTaskRequest, Task

HOST = "127.0.0.1"
_REMEMBERED = 200_000
_END_OF_HEAD = b"\r\n\r\n"
_IN_USE = json.dumps({"error": {"code": 409, "message": "name in use", "status": "ALREADY_EXISTS"}}).encode()


class Names:
    """The newest names that were used."""

    def __init__(self) -> None:
        """Begin without names."""
        self._used: OrderedDict[str, None] = OrderedDict()

    def take(self, name: str) -> bool:
        """Use a name; False when it was used before."""
        if name in self._used:
            return False
        self._used[name] = None
        if len(self._used) > _REMEMBERED:
            self._used.popitem(last=False)
        return True


class RestLine(asyncio.Protocol):
    """One connection of the REST client."""

    def __init__(self, names: Names) -> None:
        """Share the names with all connections."""
        self._names = names
        self._received = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the way back."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Answer as soon as a request is complete; the client sends one at a time."""
        self._received += data
        head, end, body = self._received.partition(_END_OF_HEAD)
        if not end or len(body) < _content_length(head):
            return
        self._received = b""
        if self._transport is not None:
            self._transport.write(self._answer(body))

    def _answer(self, body: bytes) -> bytes:
        if not body:
            return _rest(200, b"{}")
        name = json.loads(body)["task"]["name"]
        return _rest(200, json.dumps({"name": name}).encode()) if self._names.take(name) else _rest(409, _IN_USE)


def _content_length(head: bytes) -> int:
    found = [line for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")]
    return int(found[0].partition(b":")[2]) if found else 0


def _rest(status: int, body: bytes) -> bytes:
    reason = "OK" if status == 200 else "Conflict"
    head = f"HTTP/1.1 {status} {reason}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}"
    return head.encode() + _END_OF_HEAD + body


def _grpc_server(names: Names) -> grpc.aio.Server:
    message, answer = CreateTaskRequest.pb(), Task.pb()

    async def create_task(request: object, context: grpc.aio.ServicerContext) -> object:
        name = request.task.name  # type: ignore[attr-defined]  # a generated protobuf message
        if names.take(name):
            return answer(name=name)
        return await context.abort(grpc.StatusCode.ALREADY_EXISTS, "name in use")

    method = grpc.unary_unary_rpc_method_handler(
        create_task, request_deserializer=message.FromString, response_serializer=answer.SerializeToString
    )
    server = grpc.aio.server(options=[("grpc.so_reuseport", 0)])
    handlers = grpc.method_handlers_generic_handler("google.cloud.tasks.v2.CloudTasks", {"CreateTask": method})
    server.add_generic_rpc_handlers((handlers,))
    return server


async def _serve(rest_port: int, grpc_port: int) -> None:
    names, stop = Names(), asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    over_grpc = _grpc_server(names)
    over_grpc.add_insecure_port(f"{HOST}:{grpc_port}")
    await over_grpc.start()
    over_rest = await loop.create_server(lambda: RestLine(names), HOST, rest_port)
    await stop.wait()
    over_rest.close()
    await over_grpc.stop(0)


def main(arguments: list[str]) -> None:
    """Serve until SIGTERM or SIGINT."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.task_standin")
    parser.add_argument("--rest-port", type=int, required=True)
    parser.add_argument("--grpc-port", type=int, required=True)
    options = parser.parse_args(arguments)
    asyncio.run(_serve(options.rest_port, options.grpc_port))


if __name__ == "__main__":
    main(sys.argv[1:])
