"""`confsync ends`: what a brake holds is listed, approved and rejected from a shell."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import httpx
import pytest
from click.testing import CliRunner, Result

from confsync.adapters.sqlite import SqliteStore
from confsync.cli.main import main
from confsync.core.conference import Conference
from confsync.core.records import Calendar
from confsync.core.rules import Rules
from confsync.local.task_server.embedded import running_task_server
from confsync.local.task_server.options import Options, parse_queue
from confsync.ports import Store
from tests.world import ANN, BOB, World

QUEUES = "projects/p/locations/l/queues"
NOWHERE = "http://127.0.0.1:9"
SOLUTIONS = [{"provider": "acme", "names": ["Sample Meetings"], "url": NOWHERE, "secrets": ["whsec_" + "A" * 32]}]
SETTINGS = {
    "TASK_QUEUE": f"{QUEUES}/sync",
    "CONFERENCE_QUEUE": f"{QUEUES}/conferences",
    "TASKS_ENDPOINT": NOWHERE,
    "SYNC_CALENDAR_URL": NOWHERE,
    "NOTIFICATION_URL": NOWHERE,
    "CHANNEL_TOKEN_KEYS": "k1:MDEyMzQ1Njc4OWFiY2RlZg==",
    "SIGN_IN": "local",
    "CALENDAR_ENDPOINT": f"{NOWHERE}/calendar/v3/",
    "CONFERENCE_SOLUTIONS": json.dumps(SOLUTIONS),
}
RULES = Rules(calendar_brake=2, calendar_brake_share=0.1, tenant_brake=4, tenant_brake_share=0.1)


@dataclass
class Shell:
    """A shell with the worker's settings, and the store that they name."""

    store: Store
    events: dict[str, str]
    """Event id by conference id; `keep` was not deleted."""
    environment: dict[str, str] = field(default_factory=dict)

    def ends(self, *words: str, answer: str | None = None) -> Result:
        """Run `confsync ends` with these words, and answer its question."""
        return CliRunner().invoke(main, ["ends", *words], env=self.environment, input=answer)

    def brakes(self) -> dict[str, str]:
        """Return what is recorded of each conference's end."""
        found = self.store.all_of(Conference, after="", limit=99)
        return {conference.conference_id: conference.brake for conference in found}


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    """Three ends of Ann's calendar are held by its brake, two of Bob's by the tenant's; one conference lives."""
    store = SqliteStore(tmp_path / "confsync.db")
    world = World(rules=RULES, store=store)
    people = {"ann": ANN, "bob": BOB}
    names = ["ann1", "ann2", "ann3", "bob1", "bob2"]
    events = {name: world.add("Secret title", name, who=people[name[:3]]) for name in names}
    events["keep"] = world.add("Secret title", "keep", recurrence=["RRULE:FREQ=DAILY"])
    world.settle()
    world.lose_pushes = True
    for name in names:
        world.delete(events[name], who=people[name[:3]])
    for who in people.values():
        world.push(who)
    world.settle()
    store.close()
    settings = {**SETTINGS, "STORE": f"sqlite:{tmp_path}/confsync.db"}
    return Shell(store, events, settings)


@pytest.fixture
def served(shell: Shell) -> Iterator[Shell]:
    """The same shell, with a task queue whose worker is out of reach."""
    queues = tuple(parse_queue(f"{QUEUES}/{name}?minBackoff=60&maxBackoff=60") for name in ("sync", "conferences"))
    with running_task_server(Options(queues=queues)) as endpoints:
        shell.environment["TASKS_ENDPOINT"] = endpoints.url
        yield shell


def test_the_list_says_what_is_held_since_when_and_why(shell: Shell) -> None:
    """One line for each end, with ids and times, and no title."""
    answer = shell.ends("list")
    lines = answer.output.splitlines()
    (bob,) = [line for line in lines if line.startswith("bob1")]
    assert (answer.exit_code, len(lines)) == (0, 6)
    assert lines[0].split() == ["CONFERENCE", "PROVIDER", "CALENDARS", "EVENTS", "MEETING", "HELD", "SINCE", "WHY"]
    assert bob.split()[:4] == ["bob1", "acme", BOB, shell.events["bob1"]]
    assert "2026-11-23 09:00:00Z to 2026-11-23 10:00:00Z" in bob
    assert bob.endswith("tenant: 5 ends, limit 4")
    assert sum(line.endswith("calendar: 3 ends, limit 2") for line in lines) == 3
    assert "Secret" not in answer.output


def test_the_list_as_json(shell: Shell) -> None:
    """The same for a program."""
    found = json.loads(shell.ends("list", "--json", "--calendar", BOB).output)
    assert [each["conference_id"] for each in found] in (["bob1", "bob2"], ["bob2", "bob1"])
    (event,) = found[0]["events"]
    assert (event["calendar_id"], event["recurring"]) == (BOB, False)
    assert event["event_id"] == shell.events[found[0]["conference_id"]]
    assert datetime.fromisoformat(event["start"]["instant"]) < datetime.fromisoformat(event["end"]["instant"])
    assert {name: found[0]["held"][name] for name in ("scope", "count", "limit")} == {
        "scope": "tenant",
        "count": 5,
        "limit": 4,
    }
    assert "since" in found[0]["held"]


def test_the_list_of_one_scope(shell: Shell) -> None:
    """By calendar, or what the tenant's brake holds."""
    assert [line[:3] for line in shell.ends("list", "--calendar", ANN).output.splitlines()[1:]] == ["ann"] * 3
    assert [line[:3] for line in shell.ends("list", "--tenant").output.splitlines()[1:]] == ["bob"] * 2
    assert shell.ends("list", "--tenant", "--calendar", ANN).output == "no ends are held\n"


def test_the_ends_of_another_tenant_are_not_shown(shell: Shell) -> None:
    """Each customer of the vendor is decided about alone."""
    before = shell.brakes()
    shell.environment["TENANT"] = "other"
    assert shell.ends("list").output == "no ends are held\n"
    assert shell.ends("approve", "--all", "--yes").output == "0 ends approved\n"
    assert shell.ends("reject", "--all", "--yes").output == "0 ends rejected\n"
    assert shell.ends("reject", "ann1", "--yes").exit_code == 2
    assert shell.brakes() == before


def test_approved_ends_are_due_and_have_tasks(served: Shell) -> None:
    """Those that are named, and no others."""
    answer = served.ends("approve", "ann1", "bob1", answer="y\n")
    assert (answer.exit_code, answer.stdout) == (0, "2 ends approved\n")
    assert "End 2 conferences? [y/N]" in answer.stderr
    assert {name for name, brake in served.brakes().items() if brake == "approved"} == {"ann1", "bob1"}
    (due,) = [each for each in served.store.all_of(Conference, after="", limit=99) if each.conference_id == "ann1"]
    assert due.end_after is not None
    assert due.due_at == due.end_after
    url = f"{served.environment['TASKS_ENDPOINT']}/v2/{QUEUES}/conferences/tasks"
    assert len(httpx.get(url, trust_env=False).raise_for_status().json()["tasks"]) == 2


def test_a_calendar_is_approved_as_one(served: Shell) -> None:
    """`--yes` asks nothing."""
    answer = served.ends("approve", "--calendar", ANN, "--yes")
    assert (answer.exit_code, answer.output) == (0, "3 ends approved\n")
    assert served.brakes() == {
        **dict.fromkeys(("ann1", "ann2", "ann3"), "approved"),
        **dict.fromkeys(("bob1", "bob2"), "held"),
        "keep": "none",
    }


def test_rejected_ends_are_gone_from_the_list(shell: Shell) -> None:
    """No task queue is needed for that."""
    answer = shell.ends("reject", "--all", answer="y\n")
    assert (answer.exit_code, answer.stdout) == (0, "5 ends rejected\n")
    assert "Keep 5 conferences? [y/N]" in answer.stderr
    assert shell.ends("list").output == "no ends are held\n"
    assert set(shell.brakes().values()) == {"rejected", "none"}


@pytest.mark.parametrize("word", ["approve", "reject"])
@pytest.mark.parametrize("answer", ["n\n", ""])
def test_nothing_happens_without_a_yes(shell: Shell, word: str, answer: str) -> None:
    """A no, or nobody who could answer, leaves all ends held."""
    before = shell.brakes()
    assert shell.ends(word, "--all", answer=answer).exit_code == 1
    assert shell.brakes() == before


def test_an_unreachable_queue_loses_no_approval(shell: Shell) -> None:
    """The status is 1; what was approved is due in the store, where the next run of renew_channels finds it."""
    answer = shell.ends("approve", "ann1", "--yes")
    assert answer.exit_code == 1
    assert "what was decided stays" in answer.stderr
    assert shell.brakes()["ann1"] == "approved"


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        ((), "one of the three"),
        (("ann1", "--all"), "one of the three"),
        (("--calendar", ANN, "--all"), "one of the three"),
        (("ann1", "nobody", "keep"), "no end is held of conference 'keep', 'nobody'; confsync ends list"),
        (("--calendar", "typo@example.com"), "no end of calendar 'typo@example.com' is held"),
    ],
)
@pytest.mark.parametrize("word", ["approve", "reject"])
def test_wrong_words_are_named(shell: Shell, word: str, words: tuple[str, ...], complaint: str) -> None:
    """The status is 2, and nothing was decided: not even what was named right."""
    before = shell.brakes()
    answer = shell.ends(word, *words, "--yes")
    assert (answer.exit_code, answer.stdout) == (2, "")
    assert complaint in answer.stderr
    assert shell.brakes() == before


def test_missing_settings_are_named(shell: Shell) -> None:
    """As every command of this kind does."""
    del shell.environment["NOTIFICATION_URL"]
    answer = shell.ends("list")
    assert answer.exit_code == 2
    assert "NOTIFICATION_URL is not set" in answer.stderr


def test_ids_cannot_steer_the_terminal(shell: Shell) -> None:
    """A conference id is a text of somebody else's; and a calendar that nobody knows is named by its key."""
    (found,) = [each for each in shell.store.all_of(Conference, after="", limit=99) if each.conference_id == "bob1"]
    forged = found.model_copy(update={"conference_id": "\x1b[2Jx", "key": "f" * 32})
    calendar_key = Calendar.key_for("default", BOB, BOB)
    shell.store.transact(lambda tx: tx.put(forged))
    shell.store.transact(lambda tx: tx.delete(Calendar, calendar_key))
    output = shell.ends("list").output
    assert any(line.startswith("?[2Jx ") for line in output.splitlines())
    assert "\x1b" not in output
    assert calendar_key in output
