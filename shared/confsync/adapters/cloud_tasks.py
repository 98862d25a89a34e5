"""The task queue on Google Cloud Tasks, through Google's own client, over gRPC or REST.

It must never retry or wait, and never take another error for a name in use: that would lose the task.
Source: https://cloud.google.com/tasks/docs/reference/rpc/google.cloud.tasks.v2
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Literal

import grpc
import requests
from google.api_core.client_options import ClientOptions
from google.api_core.exceptions import AlreadyExists, Conflict, GoogleAPIError
from google.auth.credentials import AnonymousCredentials
from google.auth.exceptions import GoogleAuthError, TransportError
from google.cloud.tasks_v2 import CloudTasksClient
from google.cloud.tasks_v2.services.cloud_tasks.transports import CloudTasksGrpcTransport

from confsync.adapters.per_process import PerProcess
from confsync.core.tasks import Task
from confsync.errors import TaskQueueError, TaskQueueMisconfigured, TaskQueueUnavailable

Transport = Literal["grpc", "rest"]

_CREATE_QUEUE = "Create the queue or correct its path; one that was idle for 30 days needs some minutes to wake up"
_GRANT = (
    "Grant this service account roles/cloudtasks.enqueuer on the queue and roles/iam.serviceAccountUser on the invoker"
)
_SIGN_IN = "Give this process credentials of a service account"
_CORRECT = "Correct the settings of queue, worker URL, invoker, audience and dispatch deadline"
_ENDPOINT = "Correct the endpoint of Cloud Tasks"

MISCONFIGURED: Mapping[str, str] = {
    "InvalidArgument": _CORRECT,
    "BadRequest": _CORRECT,
    "FailedPrecondition": _CORRECT,
    "OutOfRange": _CORRECT,
    "NotFound": _CREATE_QUEUE,
    "PermissionDenied": _GRANT,
    "Forbidden": _GRANT,
    "Unauthenticated": _SIGN_IN,
    "Unauthorized": _SIGN_IN,
    "DuplicateCredentialArgs": _SIGN_IN,
    "MethodNotAllowed": _ENDPOINT,
    "MethodNotImplemented": _ENDPOINT,
    "LengthRequired": _ENDPOINT,
    "PreconditionFailed": _ENDPOINT,
    "RequestRangeNotSatisfiable": _ENDPOINT,
    "Redirection": _ENDPOINT,
    "MovedPermanently": _ENDPOINT,
    "NotModified": _ENDPOINT,
    "TemporaryRedirect": _ENDPOINT,
    "ResumeIncomplete": _ENDPOINT,
    "AsyncRestUnsupportedParameterError": _ENDPOINT,
    "ClientError": _CORRECT,
}
"""Classes of google.api_core.exceptions that an operator must act on, and how."""

UNAVAILABLE = frozenset(
    {
        "Aborted",
        "Conflict",  # without the word ALREADY_EXISTS: perhaps ABORTED, which REST does not tell apart by class
        "Cancelled",
        "TooManyRequests",
        "ResourceExhausted",
        "InternalServerError",
        "Unknown",
        "DataLoss",
        "BadGateway",
        "ServiceUnavailable",
        "GatewayTimeout",
        "DeadlineExceeded",
        "ServerError",
        "RetryError",
        "ResumableTransferError",
        "TransferStalledError",
        "UnseekableStreamError",
        "UploadCancelledError",
        "MissingStatusHeaderError",
        "GoogleAPICallError",
        "GoogleAPIError",
    }
)
"""Classes of google.api_core.exceptions that pass by themselves."""

NAME_IN_USE = frozenset({"AlreadyExists"})
"""The class that says so by itself; on REST it is a `Conflict` whose status says so."""


@dataclass(frozen=True)
class CloudTasksSettings:
    """Where tasks go and what they carry."""

    queues: Mapping[str, str]
    """Full queue path by task path: `{"/sync": "projects/P/locations/L/queues/sync"}`."""
    worker_url: str
    """Base URL of the worker; a task's path is appended."""
    provider_queues: Mapping[str, str] = field(default_factory=dict)
    """Full queue path by provider, for those whose conference updates have a queue of their own."""
    invoker: str | None = None
    """E-mail address of the service account in whose name the worker is called; None: no token (local)."""
    audience: str | None = None
    """Audience of the token; None: the worker URL."""
    dispatch_deadline_s: float = 300.0
    """How long the worker may take for one attempt; Google accepts 15 s to 30 min."""
    timeout_s: float = 10.0
    """How long one create may take."""


class CloudTasksQueue:
    """The `TaskQueue` port."""

    def __init__(self, settings: CloudTasksSettings, connect: Callable[[], CloudTasksClient]) -> None:
        """Keep the settings; `connect` builds the client at the first create of each process."""
        self._settings = settings
        self._client = PerProcess(connect)

    def create(self, task: Task) -> bool:
        """Create the task; False when its name is in use or was used in the last 24 hours.

        Raises:
            TaskQueueUnavailable: no answer in time, or a passing fault; the task may exist.
            TaskQueueMisconfigured: an operator must act; the message names the queue and what to do.

        """
        queue = self._queue_of(task)
        try:
            request = {"parent": queue, "task": self._message(queue, task)}
            self._client.get().create_task(request=request, timeout=self._settings.timeout_s, retry=None)
        except GoogleAPIError as error:
            if is_name_in_use(error):
                return False
            raise translated(error, queue) from error
        except (GoogleAuthError, requests.RequestException, grpc.RpcError, OSError) as error:
            raise translated(error, queue) from error
        return True

    def _queue_of(self, task: Task) -> str:
        queue = self._settings.provider_queues.get(task.provider) or self._settings.queues.get(task.path)
        if queue is None:
            known = ", ".join(sorted(self._settings.queues)) or "none"
            raise TaskQueueMisconfigured(f"No queue for tasks to {task.path}; there are queues for: {known}")
        return queue

    def _message(self, queue: str, task: Task) -> dict[str, Any]:
        message: dict[str, Any] = {
            "name": f"{queue}/tasks/{task.name}",
            "http_request": self._request(task),
            "dispatch_deadline": timedelta(seconds=self._settings.dispatch_deadline_s),
        }
        if task.schedule_time is not None:
            message["schedule_time"] = task.schedule_time
        return message

    def _request(self, task: Task) -> dict[str, Any]:
        worker_url = self._settings.worker_url.rstrip("/")
        request: dict[str, Any] = {
            "url": worker_url + task.path,
            "http_method": "POST",
            "headers": {"Content-Type": "application/json"},
            "body": json.dumps(dict(task.body), separators=(",", ":")).encode(),
        }
        if self._settings.invoker is not None:
            request["oidc_token"] = {
                "service_account_email": self._settings.invoker,
                "audience": self._settings.audience or worker_url,
            }
        return request


def build_client(endpoint: str | None = None, transport: Transport = "grpc") -> CloudTasksClient:
    """Return a client.

    Args:
        endpoint: None: Google, with the default credentials. `http://127.0.0.1:PORT` (REST) or
            `grpc://127.0.0.1:PORT`: a local task server, without credentials.
        transport: How Google is reached; a local endpoint says it itself.

    """
    if endpoint is None:
        return CloudTasksClient(transport=transport)
    if endpoint.startswith("grpc://"):
        channel = grpc.insecure_channel(endpoint.removeprefix("grpc://"))
        return CloudTasksClient(transport=CloudTasksGrpcTransport(channel=channel))
    credentials = AnonymousCredentials()  # type: ignore[no-untyped-call]  # google-auth has no types here
    options = ClientOptions(api_endpoint=endpoint)
    return CloudTasksClient(transport="rest", client_options=options, credentials=credentials)


def is_name_in_use(error: GoogleAPIError) -> bool:
    """Tell whether the error says that the task's name is in use; any other conflict does not count."""
    if isinstance(error, AlreadyExists):
        return True
    return type(error) is Conflict and _rest_status(error) == "ALREADY_EXISTS"


def translated(error: Exception, queue: str) -> TaskQueueError:
    """Return our error for one of the client library's, of google-auth's or of the network's."""
    reason = f"Task queue {queue} refused or failed ({type(error).__name__}: {error})"
    if isinstance(error, GoogleAuthError) and not _passes(error):
        return TaskQueueMisconfigured(f"{reason}. {_SIGN_IN}")
    for name in (cls.__name__ for cls in type(error).__mro__):
        if name in MISCONFIGURED:
            return TaskQueueMisconfigured(f"{reason}. {MISCONFIGURED[name]}")
        if name in UNAVAILABLE:
            break
    return TaskQueueUnavailable(f"{reason}. Try again later")


def _passes(error: GoogleAuthError) -> bool:
    return bool(error.retryable) or isinstance(error, TransportError)


def _rest_status(error: Conflict) -> str:
    try:
        return str(error.response.json()["error"]["status"])
    except (AttributeError, KeyError, TypeError, ValueError):
        return ""
