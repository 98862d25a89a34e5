"""Cloud Scheduler in small."""

from concurrent.futures import ThreadPoolExecutor

from google.auth import jwt

from confsync.local.task_server.scheduler import Job
from tests.local.task_server.conftest import StartServer
from tests.local.task_server.support import Answer, Worker, control


def test_a_job_posts_at_its_interval_with_a_token(start_server: StartServer, worker: Worker) -> None:
    """Again and again, also after a failure, as the scheduler's service account."""
    worker.say(500)
    url = f"{worker.url}/renew"
    endpoints = start_server(jobs=(Job("renew", url, 0.02),), job_service_account="s@p.iam.gserviceaccount.com")
    first, *_ = worker.wait_for(3)
    assert (first.method, first.path, first.body) == ("POST", "/renew", b"")
    assert first.headers["User-Agent"] == "Google-Cloud-Scheduler"
    assert first.headers["X-CloudScheduler-JobName"] == "renew"
    token = first.headers["Authorization"].removeprefix("Bearer ")
    claims = jwt.decode(token, verify=False)  # type: ignore[no-untyped-call]  # google-auth has no types here
    assert (claims["aud"], claims["email"]) == (url, "s@p.iam.gserviceaccount.com")
    job = control(endpoints.url, "stats")["jobs"]["renew"]
    assert job["failures"] == 1
    assert job["runs"] >= 3


def test_no_job_runs_twice_at_once(start_server: StartServer, worker: Worker) -> None:
    """While a run is held, its ticks are skipped, and another job is not held up."""
    worker.answer = lambda received: worker.hold(received) if received.path == "/slow" else Answer()
    jobs = tuple(Job(name, f"{worker.url}/{name}", 0.02) for name in ("slow", "quick"))
    endpoints = start_server(jobs=jobs)
    worker.wait_for(10)
    assert [received.path for received in worker.received].count("/slow") == 1
    worker.released.set()
    with ThreadPoolExecutor(1) as waiting:
        waiting.submit(lambda: worker.wait_for(len(worker.received) + 5)).result()
    assert control(endpoints.url, "stats")["jobs"]["slow"]["skipped"] >= 1


def test_a_worker_that_is_not_there_does_not_end_the_job(start_server: StartServer, worker: Worker) -> None:
    """Each run fails for itself."""
    jobs = (Job("dead", "http://127.0.0.1:1/", 0.01), Job("alive", worker.url, 0.02))
    endpoints = start_server(jobs=jobs)
    worker.wait_for(3)
    dead = control(endpoints.url, "stats")["jobs"]["dead"]
    assert (dead["last_status"], dead["failures"] >= 2) == (None, True)
