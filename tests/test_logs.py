"""Lines of the log: JSON that Google Cloud reads, and which request each belongs to."""

import io
import json
from concurrent.futures import ThreadPoolExecutor

import pytest

from confsync.errors import SettingsError, StoreUnavailable
from confsync.logs import log, log_crash, log_error, of_request

TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
W3C = {"traceparent": f"00-{TRACE}-{SPAN}-01"}
GOOGLES = {"X-Cloud-Trace-Context": f"{TRACE}/{int(SPAN, 16)};o=1"}
KEY = "logging.googleapis.com/"


def line(headers: dict[str, str], project: str | None = "p") -> dict[str, object]:
    """Return what a line of a request has beside severity and message."""
    out = io.StringIO()
    with of_request(headers, project):
        log("INFO", "done", stream=out)
    found: dict[str, object] = json.loads(out.getvalue())
    assert (found.pop("severity"), found.pop("message")) == ("INFO", "done")
    return found


@pytest.mark.parametrize("headers", [W3C, GOOGLES, {**W3C, "X-Cloud-Trace-Context": "f" * 32 + "/1;o=0"}])
def test_a_line_names_trace_and_span(headers: dict[str, str]) -> None:
    """From either header, the standard's first; the span in the 16 hex digits that Cloud Logging wants."""
    trace = {f"{KEY}trace": f"projects/p/traces/{TRACE}", f"{KEY}trace_sampled": True}
    assert line(headers) == {**trace, f"{KEY}spanId": SPAN}


@pytest.mark.parametrize(
    "header", [TRACE, f"{TRACE}/0", f"{TRACE}/0;o=1", f"{TRACE}/{1 << 64};o=1", f"{TRACE.upper()}/0;o=1"]
)
def test_a_trace_needs_no_span(header: str) -> None:
    """The first caller has none, and one that cannot be is left out."""
    assert set(line({"X-Cloud-Trace-Context": header})) == {f"{KEY}trace", f"{KEY}trace_sampled"}


def test_a_line_names_the_execution() -> None:
    """Under the label that the framework uses, so that it is there once."""
    assert line({"Function-Execution-Id": "abc123"}) == {f"{KEY}labels": {"execution_id": "abc123"}}


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"traceparent": f"00-{TRACE}-{SPAN}"},
        {"traceparent": 'ann@example.com"}', "X-Cloud-Trace-Context": "ann@example.com/1;o=1"},
        {"Function-Execution-Id": "ann@example.com"},
        {"Function-Execution-Id": "x" * 65},
    ],
)
def test_what_anybody_may_send_is_not_written(headers: dict[str, str]) -> None:
    """A public function gets headers of any form."""
    assert line(headers) == {}


def test_without_a_project_there_is_no_trace() -> None:
    """Cloud Logging would not find it."""
    assert line(W3C, None) == {}


def test_each_request_has_its_own() -> None:
    """Neither the next request nor another thread takes over what one has."""
    with of_request(W3C, "p"):
        with ThreadPoolExecutor(1) as other:
            assert other.submit(line, {}).result() == {}
        assert f"{KEY}spanId" not in line(GOOGLES | {"X-Cloud-Trace-Context": TRACE})
        out = io.StringIO()
        log("INFO", "still", stream=out)
        assert SPAN in out.getvalue()
    assert line({}) == {}


def test_a_line_has_no_line_end_within() -> None:
    """Whatever a message holds, Cloud Logging gets one object a line."""
    out = io.StringIO()
    log("INFO", "a\nb\r\u2028c", stream=out, reason="d\ne")
    assert len(out.getvalue().splitlines()) == 1


@pytest.mark.parametrize(("error", "severity"), [(SettingsError("x"), "CRITICAL"), (StoreUnavailable("x"), "ERROR")])
def test_an_error_is_named(error: SettingsError, severity: str, capsys: pytest.CaptureFixture[str]) -> None:
    """With its kind and what to do; wrong settings are critical."""
    log_error("broke off", error)
    found = json.loads(capsys.readouterr().out)
    assert (found["severity"], found["error"], found["reason"]) == (severity, type(error).__name__, "x")


def test_a_crash_tells_where_but_not_what(capsys: pytest.CaptureFixture[str]) -> None:
    """A foreign error may quote an event."""
    try:
        int("ann@example.com")
    except ValueError as error:
        log_crash("broke off", error)
    found = json.loads(capsys.readouterr().out)
    assert found["stack_trace"].startswith("Traceback (most recent call last):\n")
    assert "test_a_crash_tells_where_but_not_what" in found["stack_trace"]
    assert found["stack_trace"].endswith("ValueError")
    assert "ann@" not in json.dumps(
        {**found, "stack_trace": found["stack_trace"].replace('int("ann@example.com")', "")}
    )
