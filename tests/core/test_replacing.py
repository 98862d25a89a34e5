"""Conferences that take the place of another in its events."""

from datetime import datetime
from typing import Any

import pytest

from confsync.core import replacing
from confsync.core.capabilities import Capabilities
from confsync.core.conference import Applied, Conference, Desired, Referent, Replacement
from confsync.core.desires import timed
from confsync.core.projection import fingerprint
from confsync.core.state import ConferenceState
from tests.core.story import ALL_FIELDS, HERE, NOW, THERE, at, conference, ref, referent

NEITHER, MAKES = Capabilities(ALL_FIELDS), Capabilities(ALL_FIELDS, creates=True)
RESTORES = Capabilities(ALL_FIELDS, creates=True, restores=True)
STATE, OTHER = ConferenceState(title="Review"), ConferenceState(title="Review, part two")
REFUSED = fingerprint(STATE)
GONE = conference(gone=True)
MADE, LATER = at(-99), at(-9)


def ended(generation: int = 2, told: int = 2, **fields: Any) -> Conference:
    """Return a conference whose end is wanted, and told up to a generation."""
    wanted = Desired(generation=generation, fingerprint="ended")
    return conference(desired=wanted, applied=Applied(generation=told, fingerprint="ended"), **fields)


def reserved(number: int = 1, *links: str, **fields: Any) -> Replacement:
    """Return a successor that is on its way, unless told otherwise."""
    known = {"is_successor": True, "state": STATE, "due_at": NOW, "reserved_at": NOW}
    return Replacement.model_validate({"number": number, "links": links or ("a",), **known, **fields})


def having(*replacements: Replacement, **fields: Any) -> Conference:
    """Return a conference that ended for good, with these replacements."""
    return timed(conference(**{"gone": True, "replaced": 9, "replacements": replacements, **fields}))


def owners(*keys: str) -> dict[str, Referent]:
    """Return live owners under these link keys."""
    return {key: referent(key) for key in keys}


# --- what cannot come back ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("why", "known", "capabilities", "beyond"),
    [
        ("the back end said that it ended for good", GONE, NEITHER, True),
        ("whatever the back end can do", GONE, RESTORES, True),
        ("it ended, and another can be made", ended(), MAKES, True),
        ("it ended, and comes back by itself", ended(), RESTORES, False),
        ("it ended, and none can be made: it is told, and refused", ended(), NEITHER, False),
        ("its end was not told yet", ended(3), MAKES, False),
        ("its end was refused, so nothing more will be told", ended(3, refused=3), MAKES, True),
        ("it lives", conference(desired=Desired(generation=1, fingerprint="f")), MAKES, False),
        ("nothing was ever wanted", conference(), MAKES, False),
    ],
)
def test_a_conference_that_ended_for_good_needs_another_in_its_place(
    why: str, known: Conference, capabilities: Capabilities, beyond: bool
) -> None:
    """Only where it cannot be brought back, and another can be made."""
    assert (replacing.is_beyond_revival(known, capabilities), why) == (beyond, why)


@pytest.mark.parametrize(
    ("why", "known", "lacks"),
    [
        ("nothing is reserved", GONE, True),
        ("for one of two", having(reserved(1, "a")), True),
        ("for both", having(reserved(1, "a"), reserved(2, "b")), False),
        ("both have had it, and hold the old one again", having(reserved(1, "a", "b", due_at=None)), True),
        ("it did not end for good", conference(), False),
    ],
)
def test_an_event_that_still_holds_a_dead_conference_lacks_a_successor(
    why: str, known: Conference, lacks: bool
) -> None:
    """Until one is on its way to every one of its events."""
    assert (replacing.lacks_successor(known, ["a", "b"]), why) == (lacks, why)


def test_a_dead_conference_gets_one_successor_for_all_its_events() -> None:
    """Nothing more is told to the old one; the reservation is due at once, and says so."""
    waiting = conference(call_at=at(3), due_at=at(3))
    found = replacing.succeed(waiting, owners("b", "a"), STATE, MAKES, NOW)
    assert (found.gone, found.call_at, found.due_at, found.replaced) == (True, None, NOW, 1)
    assert found.replacements == (
        Replacement(number=1, reserved_at=NOW, links=("a", "b"), is_successor=True, state=STATE, due_at=NOW),
    )
    assert found.history[-1].what == "a successor was reserved"


@pytest.mark.parametrize(
    ("why", "known", "capabilities"),
    [
        ("none can be made", conference(call_at=NOW, due_at=NOW), NEITHER),
        ("it is on its way to all of them", having(reserved(1, "a", "b")), MAKES),
        ("the back end refused this very state", having(reserved(1, "a", "b", due_at=None, refused=REFUSED)), MAKES),
    ],
)
def test_no_successor_is_reserved_where_none_can_be_or_one_is(
    why: str, known: Conference, capabilities: Capabilities
) -> None:
    """The old one is given up all the same."""
    found = replacing.succeed(known, owners("a", "b"), STATE, capabilities, NOW)
    assert (found.gone, found.call_at, found.replacements, why) == (True, None, known.replacements, why)


def test_a_successor_that_was_refused_is_asked_for_anew_for_another_state() -> None:
    """As another operation, for all events, in place of the refused one."""
    known = having(reserved(1, "a", due_at=None, state=None, refused=REFUSED), replaced=1)
    found = replacing.succeed(known, owners("a", "b"), OTHER, MAKES, NOW)
    assert found.replacements == (reserved(2, "a", "b", state=OTHER),)
    assert found.replaced == 2


@pytest.mark.parametrize("had", [("a",), ("a", "b")], ids=["never had it", "holds the old one again"])
def test_an_event_that_comes_back_later_gets_the_successor_that_there_is(had: tuple[str, ...]) -> None:
    """Beside those that have it; no second conference is made."""
    known = having(reserved(1, *had, due_at=None, state=None, conference_id="c9"))
    found = replacing.succeed(known, owners("b"), OTHER, MAKES, at(5))
    assert found.replacements == (reserved(1, "a", "b", due_at=at(5), state=None, conference_id="c9"),)
    assert (found.due_at, found.replaced) == (at(5), 9)


def test_a_duplicates_reservation_is_no_successor() -> None:
    """Its conference is for one event only; an event that it is on its way to waits for nothing else."""
    known = having(reserved(1, "a", is_successor=False))
    assert replacing.succeed(known, owners("a"), STATE, MAKES, NOW).replacements == known.replacements
    found = replacing.succeed(known, owners("a", "b"), STATE, MAKES, NOW).replacements
    assert [(each.number, each.is_successor) for each in found] == [(1, False), (10, True)]


# --- duplicates ----------------------------------------------------------------------------------------------------

COPIES = [
    # created, calendar and whether it is vouched for, by key; which of them are copies
    ("a copy in the same calendar", {"a": (MADE, HERE, True), "b": (LATER, HERE, False)}, {"b"}),
    ("a part of a split keeps the time", {"a": (MADE, HERE, True), "b": (MADE, HERE, False)}, set()),
    ("a copy in another calendar", {"a": (MADE, HERE, True), "b": (LATER, THERE, False)}, set()),
    ("a copy that is vouched for too", {"a": (MADE, HERE, True), "b": (LATER, HERE, True)}, set()),
    ("an older one beside one vouched for", {"a": (LATER, HERE, True), "b": (MADE, HERE, False)}, {"b"}),
    ("it does not say when", {"a": (MADE, HERE, True), "b": (None, HERE, False)}, set()),
    ("the original does not say when", {"a": (None, HERE, True), "b": (LATER, HERE, False)}, set()),
    ("without a word of the add-on the oldest counts", {"a": (LATER, HERE, False), "b": (MADE, HERE, False)}, {"a"}),
    ("several may be the oldest", {"a": (MADE, HERE, False), "b": (MADE, HERE, False)}, set()),
    ("none says when", {"a": (None, HERE, False), "b": (None, HERE, False)}, set()),
    ("only copies say when", {"a": (None, HERE, False), "b": (LATER, HERE, False)}, set()),
    (
        "a copy of one of two originals",
        {"a": (MADE, THERE, True), "b": (MADE, HERE, True), "c": (LATER, HERE, False)},
        {"c"},
    ),
]


@pytest.mark.parametrize(("why", "known", "copies"), COPIES)
def test_a_duplicate_is_made_at_another_time_in_the_calendar_of_its_original(
    why: str, known: dict[str, tuple[datetime | None, str, bool]], copies: set[str]
) -> None:
    """Doubt makes no duplicate: what shares a conference goes on sharing it."""
    found = {key: referent(key, where, created=created) for key, (created, where, _) in known.items()}
    registered = {key: ref(key) for key, (_, _, is_registered) in known.items() if is_registered}
    vouched = {key: named.link_key for key, named in registered.items()}
    shared = conference("c1", *registered.values())
    by_key = {vouched.get(key, key): owner for key, owner in found.items()}
    assert (replacing.copies_among(by_key, shared), why) == (copies, why)


def test_one_conference_is_reserved_for_one_duplicate() -> None:
    """The shared one lives on."""
    found = replacing.mint(conference(replaced=3), "b", STATE, NOW)
    assert found.replacements == (reserved(4, "b", is_successor=False),)
    assert (found.gone, found.due_at, found.replaced) == (False, NOW, 4)
    assert found.history[-1].what == "a conference was reserved for a duplicate"


def parts(one: dict[str, Any], other: dict[str, Any]) -> dict[str, Referent]:
    """Return two events of a conference, made at one time in one calendar unless told otherwise."""
    return {key: referent(key, **{"created": MADE, **fields}) for key, fields in (("a", one), ("b", other))}


MINTED = reserved(1, "a", is_successor=False, due_at=at(5))


@pytest.mark.parametrize("due_at", [at(5), at(-5)])
def test_a_part_of_a_duplicate_joins_what_is_reserved_for_another_part(due_at: datetime) -> None:
    """A call that is under way is not made twice because of it."""
    known = having(MINTED.model_copy(update={"due_at": due_at}), referents=parts({}, {}))
    found = replacing.mint(known, "b", OTHER, NOW)
    assert found.replacements == (reserved(1, "a", "b", is_successor=False, due_at=due_at),)
    assert replacing.mint(found, "b", OTHER, NOW).replacements == found.replacements
    assert (found.due_at, found.replaced) == (due_at, known.replaced)


def test_a_part_of_a_duplicate_gets_what_was_made_for_another_part_long_ago() -> None:
    """It is written into the event at once."""
    known = having(MINTED.model_copy(update={"due_at": None}), referents=parts({"state": "gone"}, {}))
    found = replacing.mint(known, "b", OTHER, NOW)
    assert found.replacements == (reserved(1, "a", "b", is_successor=False, due_at=NOW),)


@pytest.mark.parametrize(
    ("why", "one", "other", "minted"),
    [
        ("made at another time", {"created": LATER}, {}, MINTED),
        ("nobody knows when", {"created": None}, {"created": None}, MINTED),
        ("in another calendar", {"calendar_key": THERE}, {}, MINTED),
        ("a successor is for all events", {}, {}, reserved(1, "a", due_at=None)),
        ("it was refused", {}, {}, MINTED.model_copy(update={"refused": "f", "due_at": None})),
        ("for an event that is forgotten", {}, {}, reserved(1, "z", is_successor=False, due_at=None)),
    ],
)
def test_another_duplicate_gets_a_conference_of_its_own(
    why: str, one: dict[str, Any], other: dict[str, Any], minted: Replacement
) -> None:
    """Doubt makes no parts."""
    found = replacing.mint(having(minted, referents=parts(one, other)), "b", OTHER, NOW)
    assert (found.replacements, why) == ((minted, reserved(10, "b", is_successor=False, state=OTHER)), why)


def test_only_the_newest_conferences_of_duplicates_are_remembered() -> None:
    """A conference is one record; what is due or refused is never forgotten for that."""
    minted = [reserved(n, f"e{n}", is_successor=False, conference_id="c", due_at=None) for n in range(3, 13)]
    others = [reserved(1, "z", due_at=None), reserved(2, "y", is_successor=False, due_at=None, refused="f")]
    last = reserved(13, "e13", is_successor=False, conference_id="c")
    found = replacing.done(having(*others, *minted, last), last, last.links)
    assert [each.number for each in found.replacements] == [1, 2, *range(4, 14)]


def test_asking_anew_forgets_what_was_refused_for_the_same_events_and_nothing_else() -> None:
    """What is refused for another, or for more, and what is on its way stay."""
    refused = [
        reserved(number, *links, is_successor=False, due_at=None, refused="f")
        for number, links in enumerate((("b",), ("c",), ("b", "c")), 1)
    ]
    under_way, done = reserved(4, "b", is_successor=False), reserved(5, "b", due_at=None, conference_id="c9")
    found = replacing.mint(having(*refused, under_way, done), "b", OTHER, NOW)
    assert [each.number for each in found.replacements] == [2, 3, 4, 5, 10]
    assert replacing.refused_for(found) == {"b": "f", "c": "f"}


def test_an_event_is_under_way_to_another_conference_until_that_is_done_or_refused() -> None:
    """One that has it is not, so that it may get it again."""
    known = having(reserved(1, "a", "b"), reserved(2, "c", due_at=None), reserved(3, "d", due_at=None, refused="f"))
    assert replacing.under_way(known) == {"a", "b"}
    assert replacing.refused_for(known) == {"d": "f"}


# --- from reservation to done --------------------------------------------------------------------------------------


def test_every_attempt_at_one_reservation_carries_one_operation_id_and_no_other_does() -> None:
    """Neither for a retry nor for what was made meanwhile; another number, conference or time is another operation."""
    known, first = having(reserved()), reserved()
    tried = replacing.announced(known, first, at(2)).replacements[0]
    made = first.model_copy(update={"conference_id": "c9", "state": None, "links": ("a", "b")})
    assert {replacing.operation_id(known, each) for each in (first, tried, made)} == {
        replacing.operation_id(known, first)
    }
    others = {(of, number) for of in ("c1", "c2") for number in (1, 2)}
    assert len({replacing.operation_id(conference(of), reserved(number)) for of, number in others}) == 4
    after_it_was_forgotten = reserved(reserved_at=at(9))
    assert replacing.operation_id(known, after_it_was_forgotten) != replacing.operation_id(known, first)


def test_a_call_that_is_about_to_leave_may_have_made_it_until_its_outcome_is_known() -> None:
    """Nobody else calls before that; each attempt counts."""
    found = replacing.announced(having(reserved(1, "a", attempts=2)), reserved(1, "a", attempts=2), at(2))
    assert found.replacements == (reserved(1, "a", attempts=3, due_at=at(2), perhaps_made=True),)
    assert found.due_at == at(2)


@pytest.mark.parametrize("perhaps_made", [True, False])
def test_a_replacement_that_waits_remembers_whether_it_may_have_been_made(perhaps_made: bool) -> None:
    """A clear answer says that it was not."""
    known = reserved(1, "a", attempts=1, perhaps_made=True)
    found = replacing.waiting(having(known), known, at(7), perhaps_made=perhaps_made)
    assert found.replacements == (reserved(1, "a", attempts=1, due_at=at(7), perhaps_made=perhaps_made),)
    assert found.due_at == at(7)


def test_a_refused_replacement_forgets_titles_and_remembers_what_was_refused() -> None:
    """By a fingerprint; nothing is due until there is another state."""
    known = reserved(1, "a", perhaps_made=True)
    found = replacing.given_up(having(known), known)
    assert found.replacements == (reserved(1, "a", due_at=None, state=None, refused=REFUSED),)
    assert found.due_at is None
    made = reserved(1, "a", state=None, conference_id="c9")
    assert replacing.given_up(having(made), made).replacements[0].refused == ""


def test_what_took_the_place_of_a_conference_stays_known_when_its_events_hold_it() -> None:
    """An event may come back later, or a part of one, and gets that one."""
    successor = reserved(1, "a", attempts=4, conference_id="c8", state=None)
    minted = reserved(2, "b", is_successor=False, conference_id="c9", state=None)
    known = having(successor, minted)
    found = replacing.done(replacing.done(known, successor, successor.links), minted, minted.links)
    assert found.replacements == (
        reserved(1, "a", due_at=None, conference_id="c8", state=None),
        reserved(2, "b", is_successor=False, due_at=None, conference_id="c9", state=None),
    )
    assert (known.due_at, found.due_at) == (NOW, None)


def test_a_change_of_one_replacement_leaves_the_others_as_they_are() -> None:
    """They are told apart by number, and the earliest of them is due."""
    one, other = reserved(1, "a", due_at=at(1)), reserved(2, "b", due_at=at(5))
    known = having(one, other)
    assert replacing.cancelled(known, one).replacements == (other,)
    assert replacing.cancelled(known, one).due_at == at(5)
    assert replacing.waiting(known, other, at(9), perhaps_made=False).replacements[0] == one
    assert replacing.waiting(known, other, at(9), perhaps_made=False).due_at == at(1)


def test_a_replacement_to_which_an_event_was_added_meanwhile_is_not_done() -> None:
    """Whoever relinked the others did not know of it."""
    late = Replacement(number=1, reserved_at=NOW, links=("a", "b"), is_successor=True, conference_id="c2", due_at=NOW)
    known = conference(replacements=(late,), due_at=NOW)
    assert replacing.done(known, late, ["a"]) == known
    assert replacing.done(known, late, ["a", "b"]).due_at is None


def test_what_nobody_can_be_asked_for_is_put_off() -> None:
    """What is done stays done."""
    due = Replacement(number=1, reserved_at=NOW, links=("a",), is_successor=False, due_at=NOW)
    done = Replacement(number=2, reserved_at=NOW, links=("b",), is_successor=True, conference_id="c2")
    found = replacing.paused(conference(replacements=(due, done), due_at=NOW), at(5))
    assert ([each.due_at for each in found.replacements], found.due_at) == ([at(5), None], at(5))
