"""From create to worker: headers, tokens, retries, limits, seen from both ends."""

from base64 import urlsafe_b64decode
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicNumbers
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from google.auth import jwt
from google.cloud.tasks_v2 import CloudTasksClient

from confsync.adapters.cloud_tasks import build_client
from confsync.local.task_server.server import Endpoints
from tests.local.task_server.conftest import StartServer
from tests.local.task_server.support import QUEUE, Answer, Worker, control, wait_for_stats

Send = Callable[..., None]


class Side:
    """A server, a client of it, and short ways to create tasks."""

    def __init__(self, endpoints: Endpoints, worker: Worker) -> None:
        self.endpoints = endpoints
        self.client: CloudTasksClient = build_client(endpoints.grpc)
        self.worker = worker

    def send(self, name: str, *, request: dict[str, Any] | None = None, **fields: Any) -> None:
        """Create a named task for the worker."""
        usual = {"url": f"{self.worker.url}/sync", "body": b"{}"}
        task = {"name": f"{QUEUE}/tasks/{name}", "http_request": usual | (request or {}), **fields}
        self.client.create_task(request={"parent": QUEUE, "task": task})

    def stats(self, **wanted: int) -> dict[str, int]:
        """Wait for these figures."""
        return wait_for_stats(self.endpoints.url, **wanted)


@pytest.fixture
def start(start_server: StartServer, worker: Worker) -> Callable[..., Side]:
    """Start a server with these queue settings."""
    return lambda *settings, **options: Side(start_server(*settings, **options), worker)


def test_the_request_is_what_was_asked_for(start: Callable[..., Side], worker: Worker) -> None:
    """Method, path, body and headers arrive; Content-Type is not invented."""
    side = start()
    side.send("t", request={"http_method": "PUT", "body": b"\x00\xff", "headers": {"X-Mine": "yes"}})
    (received,) = worker.wait_for(1)
    assert (received.method, received.path, received.body) == ("PUT", "/sync", b"\x00\xff")
    assert received.headers["X-Mine"] == "yes"
    assert "Content-Type" not in received.headers
    assert "Authorization" not in received.headers
    side.stats(succeeded=1, waiting=0, in_flight=0)


def test_the_documented_headers_of_a_first_attempt(start: Callable[..., Side], worker: Worker) -> None:
    """Short ids, zero counts, the schedule time in seconds, nothing about a previous attempt."""
    side, at = start(), datetime.now(UTC) + timedelta(seconds=0.2)
    side.send("t", schedule_time=at)
    (received,) = worker.wait_for(1)
    expected = {
        "User-Agent": "Google-Cloud-Tasks",
        "X-CloudTasks-QueueName": "sync",
        "X-CloudTasks-TaskName": "t",
        "X-CloudTasks-TaskRetryCount": "0",
        "X-CloudTasks-TaskExecutionCount": "0",
        "X-CloudTasks-TaskETA": f"{at.timestamp():.6f}",
    }
    assert {key: received.headers[key] for key in expected} == expected
    assert "X-CloudTasks-TaskPreviousResponse" not in received.headers
    assert "X-CloudTasks-TaskRetryReason" not in received.headers
    assert received.at >= at


def test_the_counts_of_later_attempts(start: Callable[..., Side], worker: Worker) -> None:
    """The retry count counts all attempts; the execution count leaves 5xx out."""
    worker.say(404, 500, 302, 200)
    start().send("t")
    seen = [
        (
            received.headers["X-CloudTasks-TaskRetryCount"],
            received.headers["X-CloudTasks-TaskExecutionCount"],
            received.headers.get("x-cloudtasks-taskpreviousresponse"),
        )
        for received in worker.wait_for(4)
    ]
    assert seen == [("0", "0", None), ("1", "1", "404"), ("2", "1", "500"), ("3", "2", "302")]
    assert worker.received[1].headers["X-CloudTasks-TaskRetryReason"] == "HTTP status code 404"


def test_headers_that_are_not_the_callers_are_replaced(start: Callable[..., Side], worker: Worker) -> None:
    """Nobody can pose as Cloud Tasks, App Engine or another host."""
    forged = {
        "Host": "elsewhere",
        "User-Agent": "me",
        "X-CloudTasks-TaskRetryCount": "99",
        "X-Google-Secret": "x",
        "X-AppEngine-QueueName": "x",
    }
    start().send("t", request={"headers": forged})
    (received,) = worker.wait_for(1)
    assert received.headers["Host"] == worker.url.removeprefix("http://")
    assert received.headers["User-Agent"] == "Google-Cloud-Tasks"
    assert received.headers["X-CloudTasks-TaskRetryCount"] == "0"
    assert "X-Google-Secret" not in received.headers
    assert "X-AppEngine-QueueName" not in received.headers


@pytest.mark.parametrize(("audience", "expected"), [("https://worker", "https://worker"), ("", None)])
def test_the_oidc_token_verifies_with_the_servers_keys(
    start: Callable[..., Side], worker: Worker, audience: str, expected: str | None
) -> None:
    """Claims as Google's, signed with a key of `/_local/jwks`; the audience defaults to the URL."""
    side = start()
    token = {"service_account_email": "invoker@p.iam.gserviceaccount.com", "audience": audience}
    side.send("t", request={"oidc_token": token, "headers": {"authorization": "Bearer forged"}})
    (received,) = worker.wait_for(1)
    claims = jwt.decode(  # type: ignore[no-untyped-call]  # google-auth has no types here
        received.headers["Authorization"].removeprefix("Bearer "), certs=_keys(side.endpoints)
    )
    assert claims["iss"] == "https://accounts.google.com"
    assert claims["aud"] == (expected or f"{worker.url}/sync")
    assert (claims["email"], claims["email_verified"]) == ("invoker@p.iam.gserviceaccount.com", True)
    assert claims["exp"] - claims["iat"] == 3600


def _keys(endpoints: Endpoints) -> dict[str, bytes]:
    keys = {}
    for key in control(endpoints.url, "jwks")["keys"]:
        n, e = (int.from_bytes(urlsafe_b64decode(key[part] + "==")) for part in "ne")
        public = RSAPublicNumbers(e, n).public_key()
        keys[key["kid"]] = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return keys


def test_a_task_that_always_fails_is_given_up_after_its_attempts(start: Callable[..., Side], worker: Worker) -> None:
    """Three attempts, then it is deleted and its name stays blocked."""
    worker.answer = lambda _: Answer(500)
    side = start("maxAttempts=3&minBackoff=0.01&maxBackoff=0.02")
    side.send("t")
    side.stats(dispatched=3, retried=2, failed=3, dropped=1, waiting=0)
    recent = control(side.endpoints.url, "tasks")["recent"]
    assert [(task["name"], task["how"], task["dispatch_count"]) for task in recent] == [("t", "dropped", 3)]


def test_a_worker_that_is_not_there_is_a_failure(start: Callable[..., Side]) -> None:
    """No connection counts as an attempt without an answer, and no header claims one."""
    side = start("maxAttempts=2&minBackoff=0.01&maxBackoff=0.02")
    side.send("t", request={"url": "http://127.0.0.1:1/sync"})
    side.stats(dispatched=2, failed=2, dropped=1)


def test_no_answer_within_the_dispatch_deadline_is_a_failure(start: Callable[..., Side], worker: Worker) -> None:
    """The request is cut off and made again; the second is answered at once."""
    worker.answer = lambda received: worker.hold(received) if len(worker.received) == 1 else Answer()
    side = start()
    side.send("t", dispatch_deadline=timedelta(seconds=0.1))
    worker.wait_for(2)
    side.stats(failed=1, succeeded=1)
    assert "dispatch deadline" in worker.received[1].headers["X-CloudTasks-TaskRetryReason"]


def test_no_more_requests_at_once_than_allowed(start: Callable[..., Side], worker: Worker) -> None:
    """With two held the others wait; each answer lets one more through."""
    worker.answer = worker.hold
    side = start("maxConcurrentDispatches=2")
    for number in range(5):
        side.send(f"t{number}")
    worker.wait_for(2)
    side.stats(created=5, in_flight=2, waiting=3, dispatched=2)
    worker.released.set()
    side.stats(succeeded=5)
    assert len(worker.received) == 5


def test_a_paused_queue_dispatches_only_what_is_forced(start: Callable[..., Side], worker: Worker) -> None:
    """RunTask goes through; the rest waits until the queue is resumed."""
    side = start()
    side.client.pause_queue(name=QUEUE)
    side.send("a")
    side.send("b")
    side.client.run_task(name=f"{QUEUE}/tasks/b")
    assert [received.task for received in worker.wait_for(1)] == ["b"]
    side.stats(succeeded=1, waiting=1)
    side.client.resume_queue(name=QUEUE)
    assert [received.task for received in worker.wait_for(2)] == ["b", "a"]


def test_deleting_a_dispatched_task_ends_its_retries(start: Callable[..., Side], worker: Worker) -> None:
    """The answer of the attempt under way is ignored."""

    def fail_later(received: object) -> Answer:
        worker.hold(received)  # type: ignore[arg-type]  # what it receives does not matter
        return Answer(500)

    worker.answer = fail_later
    side = start()
    side.send("t")
    worker.wait_for(1)
    side.client.delete_task(name=f"{QUEUE}/tasks/t")
    worker.released.set()
    side.stats(deleted=1, failed=1, in_flight=0, waiting=0, dropped=0)


def test_two_tasks_of_one_account_carry_the_same_token(start: Callable[..., Side], worker: Worker) -> None:
    """A token is signed once and used again while it is fresh; another account gets its own."""
    side = start()
    for name, account in (("a", "one"), ("b", "one"), ("c", "two")):
        side.send(name, request={"oidc_token": {"service_account_email": f"{account}@p", "audience": "x"}})
        worker.wait_for("abc".index(name) + 1)
    first, second, third = (received.headers["Authorization"] for received in worker.received)
    assert first == second != third


@pytest.mark.parametrize("status", [429, 503])
def test_an_overloaded_worker_slows_the_queue_and_success_speeds_it_up(
    start: Callable[..., Side], worker: Worker, status: int
) -> None:
    """One halving after the refusal, none after the success."""
    worker.say(status)
    side = start("minBackoff=0.3&maxBackoff=0.3")
    side.send("t")
    side.stats(failed=1, slowed=1)
    side.stats(succeeded=1, slowed=0)


@pytest.mark.parametrize("form", ["seconds", "date"])
def test_retry_after_is_heeded(start: Callable[..., Side], worker: Worker, form: str) -> None:
    """The next attempt is scheduled no earlier than the worker asked, in seconds or as a date."""
    asked = datetime.now(UTC) + timedelta(seconds=120)
    value = "120" if form == "seconds" else format_datetime(asked.replace(microsecond=0), usegmt=True)
    worker.say(Answer(503, {"Retry-After": value}))
    side = start()
    side.send("t")
    side.stats(failed=1, waiting=1)
    task = side.client.get_task(name=f"{QUEUE}/tasks/t")
    assert task.schedule_time >= asked - timedelta(seconds=1)
    assert (task.last_attempt.response_status.code, task.response_count) == (14, 1)


@pytest.mark.parametrize("value", ["soon", "-5", "", "²"])
def test_a_retry_after_that_says_nothing_is_ignored(start: Callable[..., Side], worker: Worker, value: str) -> None:
    """A malformed header neither crashes nor delays."""
    worker.say(Answer(500, {"Retry-After": value.encode().decode("latin-1")}))
    side = start()
    side.send("t")
    side.stats(succeeded=1, failed=1)


def test_a_redirect_is_not_followed(start: Callable[..., Side], worker: Worker) -> None:
    """It is a failure like any other status that is not 2xx."""
    worker.say(Answer(302, {"Location": f"{worker.url}/elsewhere"}))
    start().send("t")
    assert [received.path for received in worker.wait_for(2)] == ["/sync", "/sync"]


def test_a_header_that_cannot_be_sent_is_a_failed_attempt(start: Callable[..., Side]) -> None:
    """The loop survives what the HTTP client refuses."""
    side = start("maxAttempts=1")
    side.send("t", request={"headers": {"Bad Header\n": "x\ny"}})
    side.stats(failed=1, dropped=1)
