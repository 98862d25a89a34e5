"""`confsync calendars add`: the worker's use case from a shell."""

import json
import os
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

import httpx
import jsonschema
import pytest

from confsync.cli.calendars_add import request_schema
from confsync.doors import read_request
from confsync.errors import RequestMalformed
from confsync.initialize_syncing import InitializeRequest
from confsync.local import stack_parts
from confsync.local.stack import Stack
from tests.cli.processes import CONFSYNC

PUBLISHED = Path(__file__).parents[2] / "docs" / "initialize.schema.json"
ANNA = ("--calendar", "primary", "--subject", "anna@example.com")


@pytest.fixture(scope="module")
def worker_settings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mapping[str, str]]:
    """Return the environment of the worker of a running stack with one user."""
    with Stack(tmp_path_factory.mktemp("stack")) as stack:
        url = f"{stack.urls.calendar}/_local/users"
        httpx.post(url, json={"email": ANNA[3]}, trust_env=False).raise_for_status()
        yield stack_parts.environment("sync_calendar", stack.site, os.environ)


def _initialize(environment: Mapping[str, str], *words: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [CONFSYNC, "calendars", "add", *words],
        env=dict(environment),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_it_registers_watches_and_syncs(worker_settings: Mapping[str, str]) -> None:
    """A calendar and its conference are set up; doing it again finds the channel open."""
    words = (*ANNA, "--conference", "c1", "--event", "e1")
    first = _initialize(worker_settings, *words)
    assert (first.returncode, first.stderr) == (0, "")
    assert "is registered" in first.stdout
    assert "channel: active\nfirst sync: synced\n" in first.stdout
    again = json.loads(_initialize(worker_settings, *words, "--json").stdout)
    assert again["channel"] == {"status": "active", "reason": "it was open already"}


def test_a_calendar_without_access_is_a_failure(worker_settings: Mapping[str, str]) -> None:
    """When Calendar refuses, the status is 1 and the reason is printed."""
    answer = _initialize(worker_settings, "--calendar", "primary", "--subject", "nobody@example.com")
    assert answer.returncode == 1
    assert "frozen" in answer.stdout
    assert "tried again by itself; what was mistyped goes with confsync calendars remove" in answer.stdout


def test_the_worker_answers_the_same_refusal_with_403(worker_settings: Mapping[str, str]) -> None:
    """An add-on learns from the status alone that nothing is watched, whether the channel or the sync was refused."""
    url = f"{worker_settings['SYNC_CALENDAR_URL']}/initialize"
    request = {"calendar_id": "primary", "subject": "stranger@example.com"}
    answers = [httpx.post(url, json=request, trust_env=False, timeout=30).status_code for _ in range(2)]
    assert answers == [403, 403]


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (("--conference", "c1"), "give --conference and --event together, or neither"),
        (("--conference", "c1", "--event", "e1", "--provider", "other"), "provider: 'other' is not one of those"),
        (("--subject", "nobody"), "subject"),
    ],
)
def test_wrong_options_are_named(worker_settings: Mapping[str, str], words: tuple[str, ...], complaint: str) -> None:
    """Options that do not go together, or name nothing, end with status 2 and one message."""
    answer = _initialize(worker_settings, *ANNA, *words)
    assert (answer.returncode, answer.stdout) == (2, "")
    assert complaint in answer.stderr
    assert "Traceback" not in answer.stderr


def test_missing_settings_are_named(worker_settings: Mapping[str, str]) -> None:
    """Every missing setting is named with the form that is expected, and no secret is shown."""
    hidden = {"STORE", "NOTIFICATION_URL"}
    answer = _initialize({k: v for k, v in worker_settings.items() if k not in hidden}, *ANNA)
    assert answer.returncode == 2
    assert all(f"{name} is not set" in answer.stderr for name in hidden)
    assert worker_settings["CHANNEL_TOKEN_KEYS"] not in answer.stderr


def test_the_published_schema_is_up_to_date() -> None:
    """docs/initialize.schema.json is what `confsync calendars add --schema` prints."""
    assert json.loads(PUBLISHED.read_text()) == request_schema(), (
        "run: confsync calendars add --schema > docs/initialize.schema.json"
    )


@pytest.mark.parametrize(
    "request_body",
    [
        {"calendar_id": "primary", "subject": "anna@example.com"},
        {"calendar_id": "primary", "subject": "anna@example.com", "conference_id": "c1", "event_id": "e1"},
        {"calendar_id": "primary", "subject": "anna"},
        {"calendar_id": "", "subject": "anna@example.com"},
        {"subject": "anna@example.com"},
        {"calendar_id": "primary", "subject": "anna@example.com", "surprise": 1},
    ],
)
def test_the_published_schema_accepts_what_the_worker_accepts(request_body: dict[str, object]) -> None:
    """The schema and the worker agree on what is a request."""
    found = jsonschema.Draft202012Validator(json.loads(PUBLISHED.read_text())).is_valid(request_body)
    try:
        read_request(InitializeRequest, json.dumps(request_body).encode())
    except RequestMalformed:
        assert not found
    else:
        assert found
