"""The heart of the sample vendor: what a command does to a conference."""

from datetime import UTC, datetime, timedelta
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from confsync.local.vendor.conferences import KEPT_AFTER_END, Conference, apply, created, forgotten, replaced
from confsync.local.vendor.contract import Answer, Command, Create, Delete, Desired, Upsert, parse_command

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


def _upsert(generation: int, title: str = "", key: str = "k") -> Upsert:
    data = {"key": key, "conference_id": "c", "generation": generation, "desired": {"title": title or f"t{generation}"}}
    return Upsert.model_validate({"type": "conference.upsert", "data": data})


def _delete(generation: int) -> Delete:
    data = {"key": "k", "conference_id": "c", "generation": generation}
    return Delete.model_validate({"type": "conference.delete", "data": data})


def _operation_id(command: Upsert | Delete) -> str:
    return f"op_{command.type}_{command.data.generation}"


def _after(*commands: Upsert | Delete) -> tuple[Conference | None, Answer]:
    stored: Conference | None = None
    answer = Answer(0, {}, "")
    for command in commands:
        stored, answer = apply(stored, command, _operation_id(command), NOW)
    return stored, answer


@pytest.mark.parametrize(
    ("commands", "state", "generation", "title", "status", "outcome"),
    [
        ([_upsert(1)], "live", 1, "t1", 200, "applied"),
        ([_upsert(1), _upsert(2)], "live", 2, "t2", 200, "applied"),
        ([_upsert(1), _upsert(9)], "live", 9, "t9", 200, "applied"),
        ([_upsert(2), _upsert(1)], "live", 2, "t2", 409, "generation-stale"),
        ([_upsert(1), _upsert(1)], "live", 1, "t1", 200, "repeated"),
        ([_upsert(1), _upsert(1, "other")], "live", 1, "t1", 409, "generation-stale"),
        ([_upsert(1), _upsert(2), _upsert(1)], "live", 2, "t2", 409, "generation-stale"),
        ([_upsert(1), _delete(2)], "ended", 2, "t1", 200, "ended"),
        ([_upsert(1), _delete(2), _delete(2)], "ended", 2, "t1", 200, "repeated"),
        ([_upsert(1), _delete(1)], "live", 1, "t1", 409, "generation-stale"),
        ([_upsert(2), _delete(1)], "live", 2, "t2", 409, "generation-stale"),
        ([_delete(2)], "ended", 2, None, 200, "ended"),
        ([_delete(2), _upsert(1)], "ended", 2, None, 409, "generation-stale"),
        ([_delete(2), _upsert(3)], "live", 3, "t3", 200, "applied"),
        ([_upsert(1), _delete(2), _upsert(3)], "live", 3, "t3", 200, "applied"),
        ([_upsert(1), _upsert(2, key="other")], "live", 1, "t1", 422, "key-mismatch"),
    ],
)
def test_commands_in_a_row(
    commands: list[Upsert | Delete], *, state: str, generation: int, title: str | None, status: int, outcome: str
) -> None:
    """The stored conference and the last answer, for each row of calls."""
    stored, answer = _after(*commands)
    assert stored is not None
    assert (stored.state, stored.generation, stored.desired.title) == (state, generation, title)
    assert (answer.status, answer.outcome) == (status, outcome)
    if status in (200, 409):
        assert answer.body["generation"] == generation


def test_a_conference_that_the_add_on_made_takes_its_first_call() -> None:
    """Before the first call no key is bound and no generation used."""
    made = Conference(conference_id="c", desired=Desired(title="New meeting"), changed_at=NOW)
    stored, answer = apply(made, _upsert(1), "op", NOW)
    assert answer.status == 200
    assert stored is not None
    assert (stored.key, stored.generation, stored.desired.title) == ("k", 1, "t1")


@pytest.mark.parametrize(
    ("late", "state", "status"), [(timedelta(0), "live", 200), (timedelta(seconds=1), "ended", 410)]
)
def test_an_ended_conference_can_be_revived_for_thirty_days(late: timedelta, state: str, status: int) -> None:
    """Afterwards its content is gone, and the answer says so for good."""
    ended, _ = _after(_upsert(1), _delete(2))
    stored, answer = apply(ended, _upsert(3), "op_3", NOW + KEPT_AFTER_END + late)
    assert stored is not None
    assert (stored.state, answer.status) == (state, status)


def test_ending_again_does_not_prolong_the_thirty_days() -> None:
    """The days count from the first end."""
    ended, _ = _after(_upsert(1), _delete(2))
    again, _ = apply(ended, _delete(3), "op_3", NOW + timedelta(days=20))
    assert again is not None
    assert again.ended_at == NOW


@pytest.mark.parametrize(
    ("last", "status", "outcome"),
    [
        (_upsert(3), 410, "conference-ended"),
        (_upsert(2), 409, "generation-stale"),
        (_delete(3), 200, "ended"),
        (_delete(2), 200, "repeated"),
    ],
)
def test_where_nothing_is_restored_an_upsert_of_what_ended_is_refused_for_good(
    last: Upsert | Delete, status: int, outcome: str
) -> None:
    """A late call is still only late, an end still an end, and what is stored stays."""
    ended, _ = _after(_upsert(1), _delete(2))
    stored, answer = apply(ended, last, _operation_id(last), NOW, restores=False)
    assert stored is not None
    assert (stored.state, answer.status, answer.outcome) == ("ended", status, outcome)


def test_a_live_conference_is_updated_also_where_nothing_is_restored() -> None:
    """Only what has ended stays so."""
    live, _ = _after(_upsert(1))
    stored, answer = apply(live, _upsert(2), "op_2", NOW, restores=False)
    assert stored is not None
    assert (stored.generation, answer.status) == (2, 200)


def _create(**desired: object) -> Create:
    data = {"replaces": "old", "desired": {"title": "Planning", **desired}}
    return Create.model_validate({"type": "conference.create", "data": data})


def _by(email: str) -> dict[str, object]:
    return {"organizer": {"email": email}}


def test_a_made_conference_counts_as_generation_one_and_has_no_key_yet() -> None:
    """So its first upsert is generation 2 or above, and binds the key."""
    made = created(_create(**_by("anna@example.com")), "new", "op_c", NOW)
    assert (made.state, made.generation, made.key, made.replaces) == ("live", 1, None, "old")
    assert made.host == "anna@example.com"
    for generation, status in ((1, 409), (2, 200)):
        stored, answer = apply(made, _upsert(generation), f"op_{generation}", NOW)
        assert answer.status == status
    assert stored is not None
    assert (stored.key, stored.replaces, stored.host) == ("k", "old", "anna@example.com")


def test_being_replaced_ends_nothing() -> None:
    """The old conference may live on in another event; it only knows what took its place, time after time."""
    old, _ = _after(_upsert(1))
    assert old is not None
    for conference_id in ("new-1", "new-2"):
        old = replaced(old, created(_create(), conference_id, "op_c", NOW))
    assert (old.state, old.replaced_by) == ("live", ("new-1", "new-2"))
    ended, _ = apply(old, _delete(2), "op_2", NOW)
    assert ended is not None
    assert ended.replaced_by == ("new-1", "new-2")


@pytest.mark.parametrize(("host", "expected"), [(None, "anna@example.com"), ("cy@example.com", "cy@example.com")])
def test_the_host_is_settled_by_the_first_call_at_the_latest(host: str | None, expected: str) -> None:
    """Later calls name an organizer as the event does, and anybody can write an event."""
    stored: Conference | None = Conference(conference_id="c", host=host, changed_at=NOW)
    for generation, email in ((1, "anna@example.com"), (2, "eve@example.com")):
        data = {"key": "k", "conference_id": "c", "generation": generation, "desired": _by(email)}
        told = Upsert.model_validate({"type": "conference.upsert", "data": data})
        stored, _ = apply(stored, told, f"op_{generation}", NOW)
    assert stored is not None
    assert (stored.host, stored.desired.organizer) == (expected, told.data.desired.organizer)


def test_the_host_is_forgotten_with_the_content() -> None:
    """An address is nothing to keep for ever."""
    assert forgotten(created(_create(**_by("anna@example.com")), "new", "op_c", NOW)).host is None


def test_attendees_that_are_not_known_stay() -> None:
    """A list that Calendar cut short is no removal; an empty one is."""

    def told(generation: int, **people: object) -> Upsert:
        data = {"key": "k", "conference_id": "c", "generation": generation, "desired": people}
        return Upsert.model_validate({"type": "conference.upsert", "data": data})

    known, unknown, nobody = told(1, attendees=[{"email": "bo@example.com"}]), told(2), told(3, attendees=[])
    stored, answer = _after(known, unknown, unknown)
    assert stored is not None
    assert stored.desired.attendees == known.data.desired.attendees
    assert answer.outcome == "repeated"
    stored, _ = _after(known, unknown, nobody)
    assert stored is not None
    assert stored.desired.attendees == ()


def test_no_answer_repeats_what_was_received() -> None:
    """Titles and addresses never come back in an answer, whatever it says."""
    for commands in ([_upsert(1, "Merger")], [_upsert(2, "Merger"), _upsert(1, "Merger")], [_upsert(1), _delete(2)]):
        _, answer = _after(*commands)
        assert "Merger" not in str(answer.body)


COMMANDS = st.lists(st.booleans(), min_size=1, max_size=6).map(
    lambda ends: [(_delete if end else _upsert)(number) for number, end in enumerate(ends, start=1)]
)


@given(st.data(), COMMANDS)
def test_any_order_and_any_duplication_ends_with_the_newest_state(
    data: st.DataObject, commands: list[Upsert | Delete]
) -> None:
    """However the network shuffles and repeats the calls, the newest one decides."""
    newest = commands[-1]
    repeated = data.draw(st.lists(st.sampled_from(commands), max_size=10))
    stored, _ = _after(*data.draw(st.permutations([*commands, *repeated])))
    assert stored is not None
    assert stored.generation == newest.data.generation
    assert stored.state == ("ended" if isinstance(newest, Delete) else "live")
    if isinstance(newest, Upsert):
        assert stored.desired == newest.data.desired


def test_every_order_of_four_calls_ends_with_the_newest_state() -> None:
    """All orders, not only drawn ones: update, end, update again, end."""
    commands: list[Upsert | Delete] = [_upsert(1), _delete(2), _upsert(3), _delete(4)]
    for order in permutations(commands):
        stored, _ = _after(*order)
        assert stored is not None
        assert (stored.generation, stored.state) == (4, "ended")


@given(COMMANDS, st.integers(0, 5))
def test_a_sender_that_lost_its_memory_gets_through(commands: list[Upsert | Delete], start: int) -> None:
    """It begins with low generations again, is told the stored one, and goes beyond: then its state is taken."""
    stored, _ = _after(*commands)
    fresh = _upsert(start + 1, "after the loss")
    stored, answer = apply(stored, fresh, _operation_id(fresh), NOW)
    if answer.status == 409:
        raised = _upsert(answer.body["generation"] + 1, "after the loss")
        stored, answer = apply(stored, raised, _operation_id(raised), NOW)
    assert answer.status == 200
    assert stored is not None
    assert (stored.state, stored.desired.title) == ("live", "after the loss")


@pytest.mark.parametrize(
    ("body", "status", "fields"),
    [
        (b"", 400, None),
        (b"{", 400, None),
        (b"\xff", 400, None),
        (b"[]", 422, [""]),
        (b"{}", 422, [""]),
        (b'{"type": "conference.destroy"}', 422, [""]),
        (b'{"type": "conference.delete"}', 422, ["data"]),
        (
            b'{"type": "conference.delete", "data": {"key": "", "conference_id": 5, "generation": "1"}}',
            422,
            ["data.key", "data.conference_id", "data.generation"],
        ),
        (
            b'{"type": "conference.upsert", "data": {"key": "k", "conference_id": "c", "generation": 1, "desired": '
            b'{"start": {}, "end": {"utc": "2026-11-22T12:00:00"}, "attendees": [{}]}}}',
            422,
            ["data.desired.start", "data.desired.end.utc", "data.desired.attendees.0.email"],
        ),
        (
            b'{"type": "conference.create", "data": {"replaces": "", "desired": null}}',
            422,
            ["data.replaces", "data.desired"],
        ),
    ],
)
def test_a_body_that_is_no_command_is_a_problem_that_names_the_fields(
    body: bytes, status: int, fields: list[str] | None
) -> None:
    """400 for what is no JSON, 422 with the fields for what is no command."""
    answer = parse_command(body)
    assert isinstance(answer, Answer)
    assert answer.status == answer.body["status"] == status
    assert answer.media_type == "application/problem+json"
    assert (fields is None) == ("field_errors" not in answer.body)
    assert [error["field"] for error in answer.body.get("field_errors", [])] == (fields or [])


@given(st.binary())
def test_no_body_can_break_the_reading(body: bytes) -> None:
    """Whatever arrives is a command or a problem."""
    found: Command | Answer = parse_command(body)
    assert found is not None


def test_unknown_members_are_ignored() -> None:
    """The contract may grow without breaking a back end."""
    command = parse_command(b'{"type": "ping", "timestamp": "x", "data": {"new": 1}, "newer": []}')
    assert not isinstance(command, Answer)
