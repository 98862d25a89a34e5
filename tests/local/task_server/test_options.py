"""The command line: what is understood, and what is refused with a reason."""

import argparse

import pytest

from confsync.local.task_server.limits import QueueSettings, RateLimits, RetryConfig
from confsync.local.task_server.options import Options, parse_job, parse_options, parse_queue
from confsync.local.task_server.scheduler import Job
from tests.local.task_server.support import QUEUE


def test_a_queue_without_settings_has_the_defaults() -> None:
    """A name is enough."""
    assert parse_queue(QUEUE) == (QUEUE, QueueSettings())


def test_all_settings_of_a_queue() -> None:
    """Google's names; durations in seconds, with or without an `s`."""
    text = (
        f"{QUEUE}?maxDispatchesPerSecond=2.5&maxConcurrentDispatches=8&maxBurstSize=3"
        "&maxAttempts=-1&maxRetryDuration=60s&minBackoff=0.5&maxBackoff=9s&maxDoublings=0"
    )
    rate, retry = RateLimits(2.5, 8, 3), RetryConfig(-1, 60, 0.5, 9, 0)
    assert parse_queue(text) == (QUEUE, QueueSettings(rate, retry))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("queues/sync", "must be formatted"),
        (f"{QUEUE}?maxAttempts=many", "many"),
        (f"{QUEUE}?maxAttempts=0", "at least 1"),
        (f"{QUEUE}?maxTries=3", "unknown setting 'maxTries'; known are maxDispatchesPerSecond"),
        (f"{QUEUE}?maxAttempts", "maxAttempts"),
        (f"{QUEUE}?minBackoff=9&maxBackoff=8", "min_backoff"),
        (f"{QUEUE}?maxDispatchesPerSecond=nan", "max_dispatches_per_second is nan"),
    ],
)
def test_a_wrong_queue_is_refused(text: str, message: str) -> None:
    """The message quotes the text and says what is wrong with it."""
    with pytest.raises(argparse.ArgumentTypeError, match=message):
        parse_queue(text)


def test_a_job() -> None:
    """The URL may hold `=` and `@`."""
    url = "http://u:p@127.0.0.1:1/renew?a=b"
    assert parse_job(f"renew={url}@60") == Job("renew", url, 60.0)


@pytest.mark.parametrize(
    "text", ["renew", "renew=@60", "renew=http://x", "=http://x@1", "a=http://x@0", "a=ftp://x@1", "a=http://x@nan"]
)
def test_a_wrong_job_is_refused(text: str) -> None:
    """The message shows the form."""
    with pytest.raises(argparse.ArgumentTypeError, match="NAME=URL@SECONDS"):
        parse_job(text)


def test_nothing_given_means_the_defaults() -> None:
    """The command and the class agree about them."""
    assert parse_options([]) == Options()


@pytest.mark.parametrize("arguments", [["--port", "70000"], ["--port", "x"], ["--grpc-port", "-1"], ["--job", "x"]])
def test_a_wrong_argument_ends_the_command(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """Exit status 2, and the message names the option."""
    with pytest.raises(SystemExit) as ended:
        parse_options(arguments)
    assert ended.value.code == 2
    assert f"argument {arguments[0]}" in capsys.readouterr().err
