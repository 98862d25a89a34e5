"""`confsync record-facts` against the local Calendar server: what it asks, leaves behind and gives away."""

import io
import json
import signal
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import fields
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from click.testing import CliRunner, Result
from google.auth.credentials import Credentials
from hypothesis import given
from hypothesis import strategies as st

from confsync.adapters import sign_in
from confsync.adapters.google_calendar_errors import Call
from confsync.cli.facts.api import Api, WriteRefused
from confsync.cli.facts.gestures import Gesture, NoHands
from confsync.cli.facts.output import TerminalHands
from confsync.cli.facts.questions import QUESTIONS
from confsync.cli.facts.redaction import scrub, shape
from confsync.cli.facts.report import Book, Fact, Finding, Report, SwitchFact, not_settled, yes_or_no
from confsync.cli.facts.run import Experiment, Run, check_subject
from confsync.cli.facts.sign_in import Account, SignIn
from confsync.cli.facts.trials import attempt
from confsync.cli.main import main
from confsync.errors import CalendarAccessLost, SettingsError
from confsync.local.calendar_server.people import Person, addon_conference
from confsync.local.calendar_server.records import Options
from confsync.local.calendar_server.serve import RunningServer, running
from tests.cli.processes import CONFSYNC, PATIENCE_S, eventually

ANN, BOB = "ann@example.com", "bob@example.com"
PAGE = (Path(__file__).parents[2] / "docs" / "record-facts.md").read_text()
READING = {"events.list", "events.get", "events.instances", "calendarList.get", "calendarList.list"}
CLICKS = {question.id for question in QUESTIONS if question.settled_by == ("web page",)}
SECRET = "Geheimnis"


@pytest.fixture(scope="module")
def shared_server() -> Iterator[RunningServer]:
    """Run one server for all tests of this module."""
    with running() as started:
        yield started


@pytest.fixture
def server(shared_server: RunningServer) -> RunningServer:
    """Return a server that knows nothing but Ann and Bob."""
    _post(shared_server, "reset", {})
    for email in (ANN, BOB):
        _post(shared_server, "users", {"email": email})
    return shared_server


def _post(server: RunningServer, what: str, body: Mapping[str, Any]) -> None:
    httpx.post(f"{server.url}/_local/{what}", json=body, trust_env=False).raise_for_status()


def _words(server: RunningServer, *more: str) -> list[str]:
    endpoint = f"{server.url}/calendar/v3/"
    return ["record-facts", "--subject", ANN, "--sign-in", "local", "--endpoint", endpoint, *more]


def _run(server: RunningServer, *more: str, answer: str = "") -> Result:
    return CliRunner().invoke(main, _words(server, *more), input=answer)


def _facts(server: RunningServer, *more: str) -> dict[str, dict[str, Any]]:
    """Run to a good end and return what is printed as JSON, by question."""
    result = _run(server, "--json", *more)
    assert result.exit_code == 0, result.output
    return {fact["id"]: fact for fact in json.loads(result.stdout)["facts"]}


def _answers(facts: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    return {name: fact["answer"] for name, fact in facts.items()}


def _calendars(server: RunningServer) -> set[str]:
    state = httpx.get(f"{server.url}/_local/state", trust_env=False).json()
    return set(state["calendars"])


def _methods(server: RunningServer) -> set[str]:
    return set(server.service.requests.by_method)


def _noon(days: int) -> datetime:
    return datetime.combine(date(2026, 3, 2) + timedelta(days=days), time(12), UTC)


def _furnish(server: RunningServer) -> None:
    """Let Ann and Bob leave behind what people leave behind, with a secret wherever people write something."""
    conference = addon_conference(f"{SECRET}-1", parameters={SECRET: SECRET}, notes=SECRET)
    with Person(server.url, ANN) as ann, Person(server.url, BOB) as bob:
        daily = {"recurrence": ["RRULE:FREQ=DAILY;COUNT=9"], "conferenceData": conference}
        private = {"extendedProperties": {"private": {SECRET: SECRET}}, "description": SECRET, "location": SECRET}
        series = _insert(server, ANN, _noon(0), **daily, **private)
        occurrences = ann.occurrences(series["id"])
        ann.edit(occurrences[1]["id"], {"summary": f"{SECRET} exception"})
        ann.delete(occurrences[2]["id"])
        ann.edit_following(occurrences[5]["id"], {"summary": f"{SECRET} part"})
        gone = _insert(server, ANN, _noon(30), conferenceData=addon_conference(f"{SECRET}-2"))
        ann.delete(gone["id"])
        guests = [{"email": ANN}, {"email": BOB}]
        _insert(server, BOB, _noon(31), attendees=guests, conferenceData=addon_conference(f"{SECRET}-3"))
        assert bob.see(_insert(server, BOB, _noon(32))["id"])


def _insert(server: RunningServer, user: str, start: datetime, **more: Any) -> dict[str, Any]:
    end = start + timedelta(hours=1)
    times = {
        "start": {"dateTime": start.isoformat(), "timeZone": "UTC"},
        "end": {"dateTime": end.isoformat(), "timeZone": "UTC"},
    }
    answer = httpx.post(
        f"{server.url}/calendar/v3/calendars/primary/events",
        params={"conferenceDataVersion": 1},
        json={"summary": SECRET, **times, **more},
        headers={"Authorization": f"Bearer {user}"},
        trust_env=False,
    )
    event: dict[str, Any] = answer.raise_for_status().json()
    return event


# Looking


def test_looking_makes_no_writing_request(server: RunningServer) -> None:
    """Without --experiment lists are all that the server is asked for."""
    before = _calendars(server)
    _facts(server)
    assert _methods(server) == {"events.list"}
    assert _calendars(server) == before


def test_looking_answers_from_what_is_there(server: RunningServer) -> None:
    """Splits, exceptions, tombstones and copies that people left settle their questions; silence settles none."""
    empty = _answers(_facts(server))
    _furnish(server)
    furnished = _answers(_facts(server))
    learned = {name for name, answer in furnished.items() if answer != empty[name]}
    assert learned == {
        "cancelled_shapes_known", "copies_carry_conference", "exceptions_carry_conference", "parts_share_created",
        "split_keeps_conference", "tombstones_keep_conference", "tombstones_keep_details",
    }  # fmt: skip
    assert {furnished[name] for name in learned} == {"yes"}


def test_looking_takes_a_missing_conference_for_no_answer(server: RunningServer) -> None:
    """A part without the conference may have lost it by hand: only an experiment may say no."""
    _post(server, "faults", {"variants": {"split_keeps_conference": False, "tombstone_conference": False}})
    _furnish(server)
    answers = _answers(_facts(server))
    assert answers["split_keeps_conference"] == answers["tombstones_keep_conference"] == "not settled"


@pytest.mark.parametrize(
    ("more", "form"),
    [
        ({}, "id only"),
        ({"recurringEventId": "r", "originalStartTime": {"dateTime": "2026-03-02T09:00:00Z"}}, "exception"),
        ({"start": {"date": "2026-03-02"}, "end": {"date": "2026-03-03"}, "iCalUID": "u", "summary": "s"}, "full"),
        (
            {
                "start": {"dateTime": "2000-01-01T00:00:00Z"},
                "end": {"dateTime": "2000-01-02T00:00:00Z"},
                "iCalUID": "u",
            },
            "scrubbed",
        ),
        ({"summary": "s"}, "unknown"),
    ],
)
def test_the_forms_of_cancelled_items_are_told_apart(server: RunningServer, more: dict[str, Any], form: str) -> None:
    """The recorded ones by name; any other makes the answer no, and its shape is the evidence."""
    item = {"kind": "calendar#event", "etag": '"1"', "id": "cancelled1", "status": "cancelled", **more}
    _post(server, "import_payload", {"calendar_id": ANN, "events": [item]})
    fact = _facts(server)["cancelled_shapes_known"]
    assert fact["answer"] == ("no" if form == "unknown" else "yes")
    assert fact["evidence"]["counts"] == {form: 1}
    assert set(fact["evidence"]["shapes"][form][0]) == set(item)


def test_a_reader_is_recognised(server: RunningServer) -> None:
    """A calendar that is only shared for reading says so."""
    shared = {"id": "team@group.calendar.google.com", "owner": BOB, "roles": {ANN: "reader"}}
    _post(server, "calendars", shared)
    fact = _facts(server, "--calendar", shared["id"])["reads_in_full"]  # type: ignore[arg-type]  # a string
    assert (fact["answer"], fact["evidence"]) == ("no", {"accessRole": "reader"})


def test_an_api_made_for_reading_refuses_to_write(server: RunningServer) -> None:
    """The guard is in the way of every request, whoever sends it."""
    api = _api(server)
    with pytest.raises(WriteRefused, match=r"events\.insert"):
        api.ask(Call("events.insert", "event"), api.events.insert(calendarId=ANN, body={}))
    assert _methods(server) == set()


def _api(server: RunningServer) -> Api:
    return Api(sign_in.local()(ANN), pause=lambda _: None, endpoint=f"{server.url}/calendar/v3/")


# Experimenting


def test_an_experiment_settles_what_it_can_and_leaves_nothing(server: RunningServer) -> None:
    """Every question that clicks and trials can answer is answered, as the server's defaults; no calendar stays."""
    before = _calendars(server)
    facts = _facts(server, "--experiment", "--yes")
    possible = {question.id for question in QUESTIONS if set(question.settled_by) & {"experiment", "web page"}}
    assert {name for name in possible if facts[name]["answer"] == "not settled"} == set()
    assert {name: fact["switch"]["agrees"] for name, fact in facts.items() if fact["switch"]} == {
        question.id: True for question in QUESTIONS if question.switch
    }
    assert _calendars(server) == before


@pytest.mark.parametrize(
    ("knobs", "flipped"),
    [
        ({"lists": {"organizer_tombstones": "id_only"}}, {"tombstones_keep_details"}),
        ({"variants": {"tombstone_conference": False}}, {"tombstones_keep_conference"}),
        (
            {"variants": {"restore_keeps_conference": False}},
            {"api_restore_keeps_conference", "trash_keeps_conference"},
        ),
        ({"variants": {"move_keeps_conference": False}}, {"move_keeps_conference"}),
        ({"variants": {"lists_reminder_edits": False}}, {"reminder_edits_are_listed"}),
        ({"variants": {"split_keeps_conference": False}}, {"split_keeps_conference"}),
        ({"variants": {"duplicate_keeps_conference": False}}, {"duplicate_keeps_conference"}),
        ({"variants": {"deleted_calendar": "deleted403"}}, {"deleted_calendar_is_404"}),
        ({"variants": {"deleted_calendar": "gone"}}, {"deleted_calendar_is_404"}),
    ],
)
def test_a_switch_of_the_server_flips_its_answer(
    server: RunningServer, knobs: Mapping[str, Mapping[str, object]], flipped: set[str]
) -> None:
    """Where the server behaves otherwise the answer is no, with the value that it was set to; no other one changes."""
    _post(server, "faults", knobs)
    facts = _facts(server, "--experiment", "--yes")
    assert {name for name, fact in facts.items() if fact["switch"] and not fact["switch"]["agrees"]} == flipped
    (value,) = next(iter(knobs.values())).values()
    assert {(facts[name]["answer"], facts[name]["switch"]["value"]) for name in flipped} == {("no", value)}


def test_without_prompts_the_clicks_are_left_out(server: RunningServer) -> None:
    """--no-prompt leaves open what only a person can do, and says so."""
    facts = _facts(server, "--experiment", "--yes", "--no-prompt")
    assert {name for name in CLICKS if facts[name]["evidence"].get("because") == "skipped"} == CLICKS
    assert facts["move_keeps_conference"]["answer"] == "yes"


def test_a_list_that_lags_is_waited_for(server: RunningServer) -> None:
    """A change that is not listed at once is no answer; one that is never listed leaves the question open."""
    _post(server, "faults", {"lists": {"lag_ms": 50}})
    words = ("--experiment", "--yes", "--no-prompt")
    assert _answers(_facts(server, *words))["reminder_edits_are_listed"] == "yes"
    _post(server, "faults", {"lists": {"lag_ms": 3_600_000}})
    facts = _facts(server, *words, "--patience", "0")
    assert facts["tombstones_keep_details"]["evidence"] == {"because": "not listed in time"}


def test_nothing_is_written_without_consent(server: RunningServer) -> None:
    """Whoever does not say yes gets no calendars, and is told about --yes."""
    for answer in ("n\n", ""):
        result = _run(server, "--experiment", answer=answer)
        assert result.exit_code == 2
        assert "--yes" in result.stderr
    assert _methods(server) == set()


def test_the_subject_must_be_the_one_who_signed_in(server: RunningServer) -> None:
    """Application default credentials of somebody else would create the calendars in the wrong account."""
    with pytest.raises(SettingsError, match=f"signed in as {ANN}, not as {BOB}"):
        check_subject(_api(server), BOB)
    check_subject(_api(server), ANN.upper())


def test_it_creates_nothing_in_somebody_elses_account(server: RunningServer) -> None:
    """The run ends before the first calendar is created when the sign-in is not the subject's."""

    class SignedInAsBob(Account):
        def credentials(self) -> Credentials:
            return sign_in.local()(BOB)

    endpoint, account = f"{server.url}/calendar/v3/", SignedInAsBob("local", ANN, writes=True)
    run = Run(account, BOB, endpoint, lambda _: None, Experiment(NoHands(), patience_s=0))
    with pytest.raises(SettingsError, match="signed in as"):
        run.record(Book())
    assert _methods(server) <= READING


def test_an_answer_is_kept_until_a_better_one_comes() -> None:
    """A trial that says nothing does not undo what a look has settled; one that says something does."""
    book, question = Book(), "split_keeps_conference"
    book.enter([yes_or_no(question, "look", truth=True), not_settled(question, "web page", because="skipped")])
    assert _fact(book, question).settled_by == "look"
    book.enter([yes_or_no(question, "web page", truth=False)])
    assert (_fact(book, question).answer, _fact(book, question).settled_by) == ("no", "web page")


def test_an_answer_that_lacks_what_a_trial_counts_on_leaves_its_questions_open() -> None:
    """What the trial found before stays."""

    def surprised() -> Iterator[Finding]:
        yield yes_or_no("move_keeps_conference", "experiment", truth=True)
        raise KeyError("updated")

    book = Book()
    attempt(("move_keeps_conference", "moved_away_is_id_only"), "experiment", book, surprised())
    assert _fact(book, "move_keeps_conference").answer == "yes"
    assert _fact(book, "moved_away_is_id_only").evidence == {"because": "unexpected answer"}


def _fact(book: Book, question: str) -> Fact:
    return next(fact for fact in book.facts() if fact.id == question)


# When something goes wrong


def _fail(server: RunningServer, method: str, fault: str, **more: object) -> None:
    _post(server, "faults", {"answers": [{"method": method, "fault": fault, "next": 1, **more}]})


def test_a_failure_in_the_middle_leaves_no_calendar(server: RunningServer, tmp_path: Path) -> None:
    """When Calendar fails, the calendars are deleted, and what was found is written as incomplete."""
    before, out = _calendars(server), tmp_path / "facts.json"
    _fail(server, "events.move", "serviceUnavailable")
    result = _run(server, "--experiment", "--yes", "--no-prompt", "--out", str(out))
    assert result.exit_code == 1
    assert "events.move: Calendar answered 503" in result.stderr
    assert _calendars(server) == before
    written = json.loads(out.read_text())
    answers = {fact["id"]: fact["answer"] for fact in written["facts"]}
    assert written["complete"] is False
    assert (answers["tombstones_keep_details"], answers["move_keeps_conference"]) == ("yes", "not settled")


def test_a_refused_trial_does_not_stop_the_others(server: RunningServer) -> None:
    """What Calendar refuses is evidence; the trials after it run."""
    _fail(server, "events.move", "invalid")
    facts = _facts(server, "--experiment", "--yes", "--no-prompt")
    assert facts["move_keeps_conference"]["evidence"] == {"because": "refused", "reason": "invalid"}
    assert facts["deleted_calendar_is_404"]["answer"] == "yes"


def test_a_refused_conference_is_an_answer(server: RunningServer) -> None:
    """Where the API takes no add-on's data, that is said, and what needs them stays open."""
    _post(server, "faults", {"answers": [{"method": "events.insert", "fault": "invalid", "share": 1.0}]})
    facts = _facts(server, "--experiment", "--yes", "--no-prompt")
    fact = facts["api_takes_addon_conference"]
    assert (fact["answer"], fact["evidence"]) == ("no", {"reason": "invalid"})
    assert facts["move_keeps_conference"]["answer"] == "not settled"


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_calendar_whose_creation_was_not_answered_is_found_again(server: RunningServer, when: str) -> None:
    """A creation that failed for us but not for Calendar is looked up by its title and deleted."""
    before = _calendars(server)
    _fail(server, "calendars.insert", "serviceUnavailable", when=when)
    assert _run(server, "--experiment", "--yes", "--no-prompt", "--json").exit_code == 1
    assert _calendars(server) == before


def test_a_calendar_that_cannot_be_deleted_is_named(server: RunningServer) -> None:
    """Its title is told, with the way to delete it by hand."""
    _fail(server, "calendars.delete", "quotaExceeded", share=1.0)
    result = _run(server, "--experiment", "--yes", "--no-prompt", "--json")
    assert result.exit_code == 1
    for words in ("'confsync facts 20", "(2)'", "Remove calendar"):
        assert words in result.stderr


def test_asked_to_slow_down_it_waits_and_goes_on(server: RunningServer) -> None:
    """A rate limit is no answer to any question."""
    waits: list[float] = []
    _fail(server, "events.list", "rateLimitExceeded", next=2)
    api = Api(sign_in.local()(ANN), pause=waits.append, endpoint=f"{server.url}/calendar/v3/")
    assert len(list(api.pages(ANN))) == 1
    assert waits == [1.0, 2.0]


@pytest.mark.parametrize(
    ("slow", "begun"), [("events.move", "a moved event"), ("calendars.delete", "Deleting the calendars")]
)
def test_interrupted_it_deletes_its_calendars(server: RunningServer, tmp_path: Path, slow: str, begun: str) -> None:
    """On Ctrl-C in the middle of a request, be it the deletion itself, the calendars go; more Ctrl-C change nothing."""
    before, err = _calendars(server), tmp_path / "err"
    # A failure first where the deletion is slow, so that it is the one at the end.
    failing = {"method": "events.insert", "fault": "serviceUnavailable", "next": int(slow == "calendars.delete")}
    lasting = {"method": slow, "fault": "slow", "delay_ms": PATIENCE_S * 1000, "next": 1}
    _post(server, "faults", {"answers": [failing, lasting]})
    words = _words(server, "--experiment", "--yes", "--no-prompt", "--out", str(tmp_path / "facts.json"))
    with err.open("wb") as stderr:
        process = subprocess.Popen([CONFSYNC, *words], stdout=subprocess.DEVNULL, stderr=stderr)
    try:
        assert eventually(lambda: begun in err.read_text())
        process.send_signal(signal.SIGINT)
        process.send_signal(signal.SIGINT)
        assert process.wait(PATIENCE_S) == 130
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
    assert "calendars.insert" in _methods(server)
    assert _calendars(server) == before
    assert json.loads((tmp_path / "facts.json").read_text())["complete"] is False


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (("--sign-in", "delegated"), "--service-account"),
        (("--sign-in", "adc", "--endpoint", "http://127.0.0.1:1/"), "goes with --sign-in local"),
        (("--sign-in", "local"), "needs --endpoint"),
        (("--sign-in", "local", "--endpoint", "https://calendar.example.com/"), "needs --endpoint"),
    ],
)
def test_options_that_do_not_fit_are_named(words: tuple[str, ...], complaint: str) -> None:
    """Status 2 and one line; credentials never go to an address of the user's choosing."""
    result = CliRunner().invoke(main, ["record-facts", "--subject", ANN, *words])
    assert result.exit_code == 2
    assert complaint in result.stderr
    assert len(result.stderr.splitlines()) == 1 + ("Looking" in result.stderr)


def test_without_application_default_credentials_it_says_how_to_sign_in(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The command to type is in the message, with the scope that the run needs."""
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "none.json"))
    result = CliRunner().invoke(main, ["record-facts", "--subject", ANN])
    assert result.exit_code == 2
    assert "gcloud auth application-default login --scopes=" in result.stderr
    assert "calendar.events.readonly" in result.stderr


@pytest.mark.parametrize(
    ("how", "reason", "way_out"),
    [
        ("adc", "insufficientPermissions", "login --scopes="),
        ("adc", "ACCESS_TOKEN_SCOPE_INSUFFICIENT", "https://www.googleapis.com/auth/calendar"),
        ("adc", "SERVICE_DISABLED", "gcloud services enable calendar-json.googleapis.com"),
        ("adc", "invalid_grant", "login --scopes="),
        ("delegated", "unauthorized_client", "robot@example.com's client id in the Admin console"),
        ("delegated", "accessNotConfigured", "gcloud services enable"),
        ("delegated", "notFound", f"shared with {ANN}"),
    ],
)
def test_a_refusal_names_the_way_out(how: SignIn, reason: str, way_out: str) -> None:
    """By reason and by the way of signing in."""
    account = Account(how, ANN, writes=True, service_account="robot@example.com")
    assert way_out in account.way_out(CalendarAccessLost("refused", reason))


def test_an_unknown_user_is_one_clear_line(server: RunningServer) -> None:
    """What Calendar refuses is said without a traceback."""
    endpoint = f"{server.url}/calendar/v3/"
    words = ["record-facts", "--subject", "eve@example.com", "--sign-in", "local", "--endpoint", endpoint, "--json"]
    result = CliRunner().invoke(main, words)
    assert result.exit_code == 1
    assert result.stderr.splitlines()[-1].startswith("confsync record-facts: events.list: sign-in refused")


# What is written


def test_the_file_gives_nothing_away(server: RunningServer, tmp_path: Path) -> None:
    """No title, description, address, id, parameter or property of a furnished calendar is in it."""
    _furnish(server)
    out = tmp_path / "facts.json"
    result = _run(server, "--experiment", "--yes", "--out", str(out))
    assert result.exit_code == 0, result.output
    text = out.read_text()
    ids = [event_id for events in server.service.model.state.calendars.values() for event_id in events.entries]
    assert len(ids) > 10
    for private in (SECRET, "@", "example.com", "https://", "google.com", "Sample Meetings", *ids):
        assert private not in text
    assert str(out) in result.stderr


def _keys() -> st.SearchStrategy[str]:
    known = (
        "status",
        "start",
        "dateTime",
        "attendees",
        "conferenceData",
        "extendedProperties",
        "private",
        "parameters",
    )
    return st.sampled_from(known) | st.text().map(SECRET.__add__)


_JSON = st.recursive(
    st.text().map(SECRET.__add__) | st.booleans() | st.integers() | st.none(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_keys(), inner, max_size=4),
    max_leaves=12,
)


@given(st.dictionaries(_keys(), _JSON, max_size=5))
def test_a_shape_has_no_text_of_its_event(event: dict[str, Any]) -> None:
    """Whatever is put where: keys are Google's and values are types, before and after the last gate."""
    redacted = shape(event, "Event")
    assert SECRET not in json.dumps(redacted)
    assert scrub(redacted) == redacted
    assert SECRET not in json.dumps(scrub({"because": SECRET, "list": [SECRET, {"status": SECRET}]}))


def test_the_table_is_printed_and_the_file_written(
    server: RunningServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One line for each question, then where the file is; --json prints the file's content and writes none unasked."""
    monkeypatch.chdir(tmp_path)
    result = _run(server)
    (written,) = tmp_path.glob("confsync-facts-*.json")
    assert all(question.text in result.stdout for question in QUESTIONS)
    assert json.loads(written.read_text())["mode"] == "look"
    printed = json.loads(_run(server, "--json").stdout)
    assert len(list(tmp_path.iterdir())) == 1
    assert list(printed) == list(json.loads(Report.model_validate(printed).model_dump_json(by_alias=True)))


def test_a_file_that_cannot_be_written_loses_no_answer(server: RunningServer, tmp_path: Path) -> None:
    """The answers are printed instead."""
    result = _run(server, "--out", str(tmp_path / "none" / "facts.json"))
    assert "cannot be written" in result.stderr
    assert '"schema": "confsync-facts/1"' in result.stdout


@pytest.mark.parametrize(("line", "done"), [("\n", True), ("s\n", False), ("", False)])
def test_a_person_does_a_gesture_or_leaves_it_out(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], line: str, done: bool
) -> None:
    """The steps and the event's link are shown; Enter means done, s or the end of the input left out."""
    monkeypatch.setattr("sys.stdin", io.StringIO(line))
    gesture = Gesture("delete", "calendar", ("open it", "delete it"), "event", "https://calendar.example.com/event")
    assert TerminalHands().do(gesture) is done
    shown = capsys.readouterr().err
    assert all(words in shown for words in (*gesture.steps, gesture.link))


# What the documents say


def test_the_page_explains_every_question_and_key() -> None:
    """docs/record-facts.md has a row for each question as it stands in the code, and for each key of the file."""
    for question in QUESTIONS:
        switch = f"`{question.switch.name}`" if question.switch else ""
        rows = ", ".join(map(str, question.rows))
        assert f"| `{question.id}` | {rows} | {', '.join(question.settled_by)} | {switch} |" in PAGE
    for part in (Report, Fact, SwitchFact):
        for name, field in part.model_fields.items():
            assert f"| `{field.serialization_alias or name}` |" in PAGE


def test_the_page_explains_every_option() -> None:
    """And the command has no others."""
    options = {word for parameter in main.commands["record-facts"].params for word in parameter.opts}
    assert {word for word in options if f"| `{word}` |" in PAGE} == options


def test_every_switch_is_an_option_of_the_local_server() -> None:
    """With a default to compare with."""
    names = {field.name for field in fields(Options)}
    assert {question.switch.name for question in QUESTIONS if question.switch} <= names
