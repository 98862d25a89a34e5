"""The stack: the whole system as child processes that know each other, come up together and leave nothing behind."""

import json
import os
import signal
import socket
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from confsync.local import stack_parts
from confsync.local.stack import Stack, StackError, StackOptions
from confsync.local.stack_parts import FUNCTIONS, PARTS, functions_folder
from confsync.local.stack_ports import HOST, Reservation, reserve
from tests.cli.processes import all_end, descendants, eventually, running

ANNA = "anna@example.com"


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Return a stack with one user."""
    with Stack(tmp_path_factory.mktemp("stack")) as running_stack:
        _post(f"{running_stack.urls.calendar}/_local/users", {"email": ANNA})
        yield running_stack


def _post(url: str, body: object) -> httpx.Response:
    return httpx.post(url, json=body, trust_env=False, timeout=30)


def _status(url: str) -> int:
    return httpx.get(url, trust_env=False, timeout=30).status_code


def _initialize(stack: Stack) -> dict[str, dict[str, str]]:
    answer = _post(f"{stack.urls.sync_calendar}/initialize", {"calendar_id": "primary", "subject": ANNA})
    found: dict[str, dict[str, str]] = answer.raise_for_status().json()
    return found


def _refused(data_dir: Path, options: StackOptions | None = None) -> str:
    """Return why a stack cannot start there; it must leave no process behind."""
    before = descendants(os.getpid())
    with pytest.raises(StackError) as refusal, Stack(data_dir, options):
        pass
    assert all_end(descendants(os.getpid()) - before)
    return str(refusal.value)


def test_the_parts_know_each_other(stack: Stack) -> None:
    """The worker opens a channel that reaches the receiver; the scheduler's job and both queues are there."""
    found = _initialize(stack)
    assert (found["channel"]["status"], found["sync"]["status"]) == ("active", "synced")
    pushes = f"{stack.urls.calendar}/_local/pushes"
    assert eventually(lambda: httpx.get(pushes, trust_env=False).json()["delivered"] == 1)
    stats = httpx.get(f"{stack.urls.tasks}/_local/stats", trust_env=False).json()
    assert (len(stats["queues"]), list(stats["jobs"])) == (3, ["renew_channels"])


def test_every_part_has_a_process_and_a_log(stack: Stack) -> None:
    """There is one child and one log file for each part."""
    assert set(stack.pids) == set(PARTS)
    assert all(stack.log_of(part).is_file() for part in PARTS)


def test_a_killed_part_comes_back_at_its_address(stack: Stack) -> None:
    """After SIGKILL nobody of the part lives, its address refuses, and after a start it answers there with its data."""
    _initialize(stack)
    family = {stack.pids["sync_calendar"]} | descendants(stack.pids["sync_calendar"])
    stack.kill("sync_calendar")
    assert all_end(family)
    with pytest.raises(httpx.ConnectError):
        _status(stack.urls.sync_calendar)
    stack.start("sync_calendar")
    assert _initialize(stack)["channel"]["reason"] == "it was open already"


def test_a_stopped_part_can_be_started_with_other_settings(stack: Stack) -> None:
    """Variables given to `start` count for that start only: a wrong one makes the worker fail, then no more."""
    stack.stop("sync_calendar")
    stack.start("sync_calendar", {"STORE": "nonsense"})
    with pytest.raises(httpx.HTTPStatusError):
        _initialize(stack)
    stack.stop("sync_calendar")
    stack.start("sync_calendar")
    _initialize(stack)


def test_a_part_that_ended_by_itself_is_reported(stack: Stack) -> None:
    """`check` names the part and its log once it has ended without being asked."""
    stack.check()
    os.kill(stack.pids["vendor"], signal.SIGTERM)
    assert all_end({stack.pids["vendor"]})
    with pytest.raises(StackError, match=r"vendor has ended with status 0(.|\n)*vendor\.log"):
        stack.check()
    stack.stop("vendor")
    stack.start("vendor")


def test_a_frozen_part_takes_connections_and_does_nothing(stack: Stack) -> None:
    """A part that is stopped in its tracks keeps its callers waiting, until it is killed."""
    stack.freeze("renew_channels")
    with pytest.raises(httpx.ReadTimeout):
        httpx.get(stack.urls.renew_channels, trust_env=False, timeout=0.2)
    stack.kill("renew_channels")
    stack.start("renew_channels")
    assert _status(stack.urls.renew_channels) == 405


def test_one_stack_per_folder(stack: Stack) -> None:
    """A second stack in the same folder is refused, naming the process that has it."""
    assert f"process {os.getpid()}" in _refused(stack.folder.path)


def test_the_developers_own_settings_reach_no_part(stack: Stack) -> None:
    """Variables that would change what a part does are left out; all others are inherited, and proxies are avoided."""
    mine = {"END_GRACE_S": "7", "FUNCTION_TARGET": "x", "PORT": "1", "HOME": "/home/me", "NO_PROXY": "corp"}
    for part in PARTS:
        told = stack_parts.environment(part, stack.site, mine)
        assert not {"END_GRACE_S", "FUNCTION_TARGET", "PORT"} & told.keys()
        assert (told["HOME"], told["NO_PROXY"], told["no_proxy"]) == ("/home/me", f"corp,{HOST}", HOST)


def test_settings_reach_the_functions_they_are_for(stack: Stack) -> None:
    """`settings` reach all functions, `environment` one part."""
    options = StackOptions(settings={"END_GRACE_S": "2"}, environment={"sync_calendar": {"END_GRACE_S": "3", "X": "y"}})
    site = replace(stack.site, options=options)
    told = {part: stack_parts.environment(part, site, {}) for part in FUNCTIONS}
    assert [told[part]["END_GRACE_S"] for part in FUNCTIONS] == ["2", "3", "2"]
    assert "X" not in told["renew_channels"]


def test_a_port_in_use_is_named(tmp_path: Path) -> None:
    """A fixed port on which somebody listens stops the start before anything runs."""
    with socket.create_server((HOST, 0)) as taken:
        port = taken.getsockname()[1]
        assert f"port {port} of {HOST}, meant for vendor" in _refused(tmp_path, StackOptions(ports={"vendor": port}))


def test_a_free_port_that_somebody_takes_first_is_replaced(tmp_path: Path) -> None:
    """When another program gets a port between our look and our server's start, the stack starts with other ports."""
    with socket.create_server((HOST, 0)) as taken:
        unlucky = iter([Reservation(taken.getsockname()[1])])

        def reserve_late(part: str, port: int) -> Reservation:
            return next(unlucky, None) or reserve(part, port)

        with Stack(tmp_path, reserve_port=reserve_late) as running_stack:
            assert running_stack.urls.calendar != f"http://{HOST}:{taken.getsockname()[1]}"
            assert _status(f"{running_stack.urls.calendar}/_local/state") == 200


@pytest.mark.parametrize("name", ["calendar.db", "confsync.db", "keys.json"])
def test_a_damaged_file_is_named_and_kept(tmp_path: Path, name: str) -> None:
    """A file that cannot be read stops the start with a message that names it, and stays as it is."""
    damaged = tmp_path / name
    damaged.write_bytes(b"no such thing" * 100)
    assert name in _refused(tmp_path)
    assert damaged.read_bytes() == b"no such thing" * 100


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    """Where no folder can be, the message names it."""
    (tmp_path / "file").touch()
    assert str(tmp_path / "file" / "data") in _refused(tmp_path / "file" / "data")


def test_elsewhere_than_in_a_checkout_the_way_out_is_named(tmp_path: Path) -> None:
    """Installed without the functions' folder, the stack says where it belongs."""
    with pytest.raises(StackError, match="source checkout"):
        functions_folder(tmp_path / "site-packages" / "confsync")


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child that its parent was killed")
def test_children_end_with_a_parent_that_is_killed(tmp_path: Path) -> None:
    """After SIGKILL to the process that has the stack, none of the parts and their workers lives on."""
    program = (
        "import json, sys, time; from pathlib import Path; from confsync.local.stack import Stack\n"
        "with Stack(Path(sys.argv[1])) as stack:\n"
        "    print(json.dumps(stack.pids), flush=True)\n"
        "    time.sleep(600)\n"
    )
    with running([sys.executable, "-c", program, tmp_path / "data"], tmp_path) as command:
        assert eventually(lambda: command.says("}"))
        family = command.family()
        assert set(json.loads(command.out.read_text()).values()) <= family
        command.end(signal.SIGKILL)
        assert all_end(family)
