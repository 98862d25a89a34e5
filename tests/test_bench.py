"""The benchmarks' own arithmetic, options and tools; no time is judged here."""

import io
import itertools
import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from confsync.core.planning import Recorded
from tests.bench import import_time, sync_operations
from tests.bench.__main__ import BENCHMARKS, main, parse
from tests.bench.event_page import Shares, page, registered
from tests.bench.figures import Figure, Target, alternate, compared, median, percentile
from tests.bench.http_load import LoadError, post, run_load
from tests.bench.listing_page import _of_interest, _plan_all
from tests.bench.table import as_json, number, show
from tests.bench.task_standin import Names, RestLine

GOOD = Figure("b", "fast", "/s", 95, 100, "empty", (0.9, 1.1), Target("at least", 0.9))
BAD = Figure("b", "slow", "ms", 30, target=Target("at most", 20, "ours"))


@pytest.mark.parametrize(("percent", "expected"), [(0, 1), (1, 1), (50, 50), (99, 99), (99.5, 100), (100, 100)])
def test_a_percentile_is_a_measured_value(percent: float, expected: float) -> None:
    """It is the smallest value that so many percent do not exceed, in whatever order they were measured."""
    assert percentile([*range(100, 0, -1)], percent) == expected


@pytest.mark.parametrize(("values", "expected"), [([3], 3), ([1, 2], 1.5), ([9, 1, 2], 2), ([1, 2, 3, 100], 2.5)])
def test_the_median_is_the_middle(values: list[float], expected: float) -> None:
    """An even number has two middles."""
    assert median(values) == expected


def test_nothing_measured_is_an_error() -> None:
    """A figure of nothing would look like a good one."""
    with pytest.raises(ValueError, match="no value was measured"):
        percentile([], 50)


def test_sides_take_turns_after_a_warm_up() -> None:
    """Noise of the machine then meets both sides of a ratio, and neither pays for the first start."""
    calls: list[str] = []

    def side(name: str) -> int:
        calls.append(name)
        return len(calls)

    found = alternate({"a": lambda: side("a"), "b": lambda: side("b")}, 2)
    assert calls == ["a", "b"] * 3
    assert found == {"a": [3, 5], "b": [4, 6]}


def test_a_comparison_keeps_the_spread_of_its_rounds() -> None:
    """The ratio is of the medians; the spread is of the ratios round by round."""
    figure = compared("b", "w", "ms", [10, 20, 40], [10, 10, 10], peer_is="json")
    assert (figure.ours, figure.peer, figure.ratio, figure.spread) == (20, 10, 2, (1, 4))


@pytest.mark.parametrize(
    ("figure", "is_met"),
    [
        (GOOD, True),
        (BAD, False),
        (Figure("b", "w", "", 0, target=Target("at most", 0, "ours")), True),
        (Figure("b", "w", "", 0.5, 1, target=Target("at least", 0.9)), False),
        (Figure("b", "no peer to compare with", "", 1, target=Target("at least", 0.9)), False),
        (Figure("b", "no target", "", 1), None),
    ],
)
def test_a_target_is_met_or_not(figure: Figure, is_met: bool | None) -> None:
    """Bounds are inclusive; without a target there is no verdict."""
    assert figure.is_met is is_met


@pytest.mark.parametrize(
    ("value", "shown"), [(0, "0"), (3, "3"), (0.12345, "0.123"), (12.345, "12.3"), (1234.5, "1234")]
)
def test_numbers_have_three_digits_that_count(value: float, shown: str) -> None:
    """More would pretend a precision that a noisy machine does not have."""
    assert number(value) == shown


def test_the_table_is_plain_without_a_terminal() -> None:
    """Each figure has its line, with verdicts in words."""
    out = io.StringIO()
    show([GOOD, BAD], out)
    lines = out.getvalue().splitlines()
    assert "\x1b" not in out.getvalue()
    assert next(line for line in lines if "fast" in line).split()[-1] == "met"
    assert next(line for line in lines if "slow" in line).split()[-2:] == ["not", "met"]


def test_json_holds_all_figures() -> None:
    """A program gets the same as a reader."""
    figures = json.loads(as_json([GOOD, BAD]))["figures"]
    assert [(f["what"], f["ratio"], f["target"], f["is_met"]) for f in figures] == [
        ("fast", 0.95, ">= 0.9 x", True),
        ("slow", None, "<= 20", False),
    ]


def test_the_command_can_run_one_benchmark_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    """The counted one takes no time to speak of."""
    assert main(["--only", "sync_operations", "--json"]) == 0
    figures = json.loads(capsys.readouterr().out)["figures"]
    assert {figure["benchmark"] for figure in figures} == {"sync_operations"}


def test_an_unknown_benchmark_is_refused_with_the_names(capsys: pytest.CaptureFixture[str]) -> None:
    """Exit status 2, before anything is started."""
    with pytest.raises(SystemExit) as refused:
        parse(["--only", "everything"])
    assert refused.value.code == 2
    complaint = capsys.readouterr().err
    assert all(name in complaint for name in BENCHMARKS)


def test_a_quiet_notification_calls_no_provider() -> None:
    """Counts are exact, so they may be asserted."""
    figures = {figure.what: figure for figure in sync_operations.measure()}
    assert figures["notification without a change: provider calls"].is_met
    assert figures["reminder changed: provider calls"].is_met
    assert figures["event renamed: provider calls"].ours == 1


def test_the_page_is_the_same_each_time_and_holds_what_it_says() -> None:
    """The events with our conference are planned, the others are not even read."""
    shares = Shares(ours=0.2, meet=0.4)
    content = page(shares, events=50)
    assert content == page(shares, events=50)
    recorded = registered(content)
    planned = _plan_all(_of_interest(content, Recorded({}, {})), recorded)
    assert 0 < len(recorded.conferences) < 25
    assert len(planned.links) == len(recorded.conferences)
    assert all(conference.desired for conference in planned.conferences.values())


class _Answers(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        """Answer with the status that the path names."""
        self.send_response(int(self.path[1:]))
        self.send_header("Content-Length", "0" if self.path == "/204" else "2")
        self.end_headers()
        self.wfile.write(b"" if self.path == "/204" else b"ok")

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the library's name
        """Say nothing."""


def test_a_load_sends_what_it_is_given_and_counts_the_answers() -> None:
    """It stops at its number, and refuses to call anything but the expected status a success."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _Answers) as server:
        server.daemon_threads = True
        thread = Thread(target=server.serve_forever)
        thread.start()
        port = server.server_port
        mixed = itertools.cycle([post(port, "/204"), post(port, "/200")])
        load = run_load(port, mixed, connections=3, seconds=20, most=30)
        server.shutdown()
        thread.join()
    assert load.statuses == {204: 15, 200: 15}
    assert len(load.latencies_ms) == 30
    with pytest.raises(LoadError, match="expected status 204 only"):
        load.expect(204)


def test_the_standin_takes_a_name_once() -> None:
    """A second create is refused as Cloud Tasks does, else a storm would look cheaper than it is."""
    line = RestLine(Names())
    body = json.dumps({"task": {"name": "queue/tasks/a"}}).encode()
    assert b" 200 " in line._answer(body).splitlines()[0]
    refused = line._answer(body)
    assert b" 409 " in refused.splitlines()[0]
    assert b"ALREADY_EXISTS" in refused


def test_the_receiver_loads_no_store_and_no_calendar(tmp_path: Path) -> None:
    """In a fresh process that is ready for its first request, as it is installed; nor what only secrets need."""
    assert import_time.start("receive_notification", str(tmp_path)).foreign == ()


def test_a_start_is_measured_with_the_functions_own_requirements() -> None:
    """What only tests or another function need is not there; what the function needs is."""
    receiver, worker = map(import_time.not_required, ("receive_notification", "sync_calendar"))
    assert {"aiohttp", "pytest", "httpx", "googleapiclient"} <= set(receiver)
    assert {"aiohttp", "pytest"} <= set(worker)
    assert not {"httpx", "googleapiclient", "google", "grpc", "confsync"} & set(worker)
