"""The oracles of the evening, and who may hold a conference: each is shown what it must report and what not."""

from collections.abc import Mapping
from datetime import timedelta
from itertools import count
from typing import Any

import pytest

from confsync.administer_calendar import Administered
from confsync.core.conference import Applied, Conference, Desired, Referent, Registration, Replacement, Times
from confsync.core.projection import fingerprint
from confsync.core.records import Calendar, Channel, Link, Record
from confsync.core.rules import Claims
from confsync.core.state import Moment
from confsync.local.calendar_server.model import CalendarModel
from confsync.local.calendar_server.people import addon_conference
from tests.simulation.gestures import V1
from tests.simulation.oracles.evening import MADE, Evening, Kept
from tests.simulation.oracles.ledger import Complaints, Ledger
from tests.simulation.oracles.owners import Owners
from tests.simulation.oracles.truth import Truth
from tests.simulation.oracles.words import Words
from tests.world import ALL_FIELDS, ANN, BOB, START, times

ELSEWHERE = "elsewhere@group.example.com"
KEYS = {calendar_id: Calendar.key_for("default", calendar_id, calendar_id) for calendar_id in (ANN, BOB)}
MOMENT = Moment(instant=START + timedelta(days=2))


class Evenings:
    """A Calendar in which Ann's and Bob's calendars are synced, and what is judged of the conference `c1`."""

    def __init__(self, claims: Claims = "registered") -> None:
        """Begin with no event, no word and no record of a conference."""
        numbers = count(1)
        self.now = START
        self.model = CalendarModel(lambda: self.now, lambda: f"e{next(numbers)}", on_change=self._look)
        self.truth = Truth(self.model, ALL_FIELDS)
        self.model.add_user(ANN)
        self.model.add_user(BOB)
        self.model.add_calendar(ELSEWHERE, ANN)
        self.model.share(BOB, {ANN: "writer"})
        synced: dict[str, Record] = {
            key: Calendar(key=key, tenant="default", calendar_id=name, subject=name, renew_at=START)
            for name, key in KEYS.items()
        }
        self.committed: dict[str, dict[str, Record]] = {"calendar": synced, "conference": {}, "link": {}}
        self.ledger = Ledger(self.committed, {key: name for name, key in KEYS.items()})
        self.words = Words()
        self.owners = Owners(self.truth, self.ledger, self.words, claims)
        self.complaints = Complaints()
        self._evening = Evening(self.truth, self.ledger, self.complaints, self.owners, self.words)

    def _look(self, calendar_id: str) -> None:
        self.truth.look(calendar_id, self.now)

    def meet(self, calendar_id: str = ANN, **more: Any) -> str:
        """Let somebody create an event that holds the conference."""
        body = {"summary": "Plan", **times(START + timedelta(days=2)), "conferenceData": addon_conference("c1")}
        return str(self.model.insert(calendar_id, calendar_id, body | more, V1)["id"])

    def vouch(self, event_id: str, calendar_id: str = ANN) -> None:
        """Let the add-on vouch for the conference, and be answered well."""
        self.words.say("c1", (calendar_id, event_id))
        self.words.hear("c1", (calendar_id, event_id))

    def move(self, event_id: str, destination: str) -> None:
        """Move an event of Ann's."""
        self.now += timedelta(minutes=1)
        self.model.move(ANN, ANN, event_id, {"destination": destination})

    def record(self, *referents: Referent, **fields: Any) -> None:
        """Let the product have recorded this of the conference."""
        key = Conference.key_for("default", "acme", "c1")
        links = {Link.key_for(each.calendar_key, each.event_id): each for each in referents}
        known = {"key": key, "tenant": "default", "provider": "acme", "conference_id": "c1", "referents": links}
        self.committed["conference"][key] = Conference.model_validate({**known, **fields})

    def promise(self, answer: Administered) -> None:
        """Let an operator be told this."""
        self._evening.watch_administered(answer)

    def judge_calendar(self, channels: set[str]) -> list[str]:
        """Return the rules that are broken where Ann's calendar is watched by these channels."""
        self._evening.judge_calendar(ANN, channels, self.now, is_watched=False)
        return [each.partition(":")[0] for each in self.complaints.all]

    def judge(self, kept: Kept) -> list[str]:
        """Return the rules that are broken where the conferencing system holds this of the conference."""
        self._evening.judge_conferences({"c1": kept}, self.now)
        return [each.partition(":")[0] for each in self.complaints.all]


def owner(event_id: str, state: str, calendar_id: str = ANN, **more: object) -> Referent:
    """Return what is recorded of an event that owned the conference."""
    moment: Mapping[str, object] = {"role": "owner", "state": state, "times": Times(start=MOMENT, end=MOMENT)}
    known = {"calendar_key": KEYS[calendar_id], "event_id": event_id, "ical_uid": "u"}
    return Referent.model_validate({**known, **moment, **more})


# What is registered is told


@pytest.mark.parametrize(("is_vouched_for", "broken"), [(True, ["L1"]), (False, [])])
def test_only_a_conference_that_nobody_vouched_for_may_be_told_nothing(is_vouched_for: bool, broken: list[str]) -> None:
    """Whatever the product calls adopted: the add-on's word counts."""
    evening = Evenings()
    event_id = evening.meet()
    told = Desired(generation=1, fingerprint="x")
    evening.record(owner(event_id, "live"), adopted=True, desired=told, applied=Applied(generation=1, fingerprint="x"))
    if is_vouched_for:
        evening.vouch(event_id)
    assert evening.judge(MADE) == broken


@pytest.mark.parametrize(("is_told", "broken"), [(True, []), (False, ["L1"])])
def test_an_event_that_was_vouched_for_holds_its_conference_though_the_product_forgot_it(
    is_told: bool, broken: list[str]
) -> None:
    """The words are remembered beside the record, which is gone."""
    evening = Evenings()
    event_id = evening.meet()
    evening.vouch(event_id)
    assert evening.judge(evening.truth.projection(ANN, event_id) if is_told else None) == broken


@pytest.mark.parametrize(
    ("is_as_refused", "is_gone", "broken"), [(True, True, []), (False, True, ["L1"]), (True, False, ["L1"])]
)
def test_an_event_keeps_what_ended_only_where_nothing_else_could_be_made_for_it_as_it_is(
    is_as_refused: bool, is_gone: bool, broken: list[str]
) -> None:
    """Once the event has changed, another conference is asked for anew."""
    evening = Evenings()
    evening.vouch(event_id := evening.meet())
    refused = fingerprint(evening.truth.projection(ANN, event_id)) if is_as_refused else "of before"
    successor = Replacement(number=1, reserved_at=START, links=("e",), is_successor=True, refused=refused)
    evening.record(owner(event_id, "live"), gone=is_gone, replacements=(successor,))
    assert evening.judge(None) == broken


# What goes away and comes back


@pytest.mark.parametrize("guests", [[], [{"email": ANN}]], ids=["bare", "named"])
@pytest.mark.parametrize(
    ("hours", "is_cancelled", "broken"),
    [([], True, []), ([], False, ["L1"]), ([1], True, ["L1"]), ([1], False, []), ([1, 0], False, [])],
    ids=["it came along", "it came along and is not told", "given up", "given up and not told", "given up for good"],
)
def test_a_cancelled_occurrence_is_told_unless_its_series_gave_it_up_where_it_was(
    guests: list[dict[str, str]], hours: list[int], is_cancelled: bool, broken: list[str]
) -> None:
    """What the first move left of it says nothing of the series that comes back without it."""
    evening = Evenings()
    event_id = evening.meet(recurrence=["RRULE:FREQ=DAILY"], attendees=guests)
    evening.vouch(event_id)
    second = evening.model.instances(ANN, ANN, event_id, {})["items"][1]
    evening.model.delete(ANN, ANN, second["id"])
    (cancelled,) = evening.truth.projection(ANN, event_id).occurrences
    evening.move(event_id, BOB)
    for each in hours:
        evening.model.patch(BOB, BOB, event_id, dict(times(START + timedelta(days=2, hours=each))), V1)
    evening.model.move(ANN, BOB, event_id, {"destination": ANN})
    said = evening.truth.projection(ANN, event_id)
    told = said.model_copy(update={"occurrences": (cancelled,) if is_cancelled else ()})
    assert evening.judge(told) == broken


# Drafts


@pytest.mark.parametrize(("kept", "broken"), [(MADE, ["L2"]), (None, [])])
def test_a_conference_whose_event_never_came_has_to_end(kept: Kept, broken: list[str]) -> None:
    """It lives from the moment at which the add-on asked for it, also where no event ever named it."""
    evening = Evenings()
    evening.vouch("draft")
    assert evening.judge(kept) == broken


def test_a_conference_of_which_confsync_never_heard_is_nobodys() -> None:
    """The add-on said it, and was not answered yet; or never said it."""
    evening = Evenings()
    evening.words.say("c1", (ANN, "draft"))
    assert evening.judge(MADE) == []


@pytest.mark.parametrize(("forgotten_after_s", "broken"), [(None, ["L2"]), (30, ["L2"]), (90, [])])
def test_who_held_it_last_and_was_forgotten_with_its_calendar_takes_the_duty_to_end_it_along(
    forgotten_after_s: int | None, broken: list[str]
) -> None:
    """Forgetting ends nothing; an event that is lost after that ends it as ever."""
    evening = Evenings()
    lost, last = evening.meet(BOB), evening.meet()
    for calendar_id, event_id in ((BOB, lost), (ANN, last)):
        evening.vouch(event_id, calendar_id)
        evening.model.delete(calendar_id, calendar_id, event_id)
    if forgotten_after_s is not None:
        evening.words.forget(ANN, START + timedelta(seconds=forgotten_after_s))
    evening.record(owner(lost, "gone", BOB, since=START + timedelta(seconds=60)))
    assert evening.judge(MADE) == broken


@pytest.mark.parametrize(("where", "broken"), [(BOB, []), (ELSEWHERE, ["L2"])])
def test_a_draft_may_live_while_a_strangers_event_holds_it_in_a_synced_calendar(where: str, broken: list[str]) -> None:
    """It may own the conference yet; what nobody syncs says nothing."""
    evening = Evenings()
    evening.vouch("draft")
    evening.model.insert(BOB if where == BOB else ANN, where, _stranger(), V1)
    assert evening.judge(MADE) == broken


def _stranger() -> dict[str, Any]:
    return {"summary": "Copied", **times(START + timedelta(days=2)), "conferenceData": addon_conference("c1")}


# Orphans


@pytest.mark.parametrize(
    ("destination", "then", "broken"),
    [
        (BOB, "deleted", ["L2"]),
        (BOB, "given another", ["L2"]),
        (BOB, "stripped", []),
        (ELSEWHERE, "deleted", []),
        (ELSEWHERE, "left there", []),
    ],
)
def test_an_orphan_is_followed_to_where_its_event_is_lost(destination: str, then: str, broken: list[str]) -> None:
    """Where nobody looks a leak is right; that it holds none there proves nothing, for the move may have dropped it."""
    evening = Evenings()
    event_id = evening.meet(attendees=[{"email": ANN}])
    evening.vouch(event_id)
    evening.move(event_id, destination)
    _lose(evening, destination, event_id, then)
    evening.record(owner(event_id, "orphaned"), review_at=START, due_at=START)
    assert evening.judge(evening.truth.projection(destination, event_id)) == broken


@pytest.mark.parametrize(("forgotten_before", "broken"), [(True, ["L2"]), (False, [])])
def test_an_orphan_that_was_found_lost_in_what_is_forgotten_then_may_be_kept(
    forgotten_before: bool, broken: list[str]
) -> None:
    """It had lost the conference before, unseen, and that calendar was removed before the end was told."""
    evening = Evenings()
    event_id = evening.meet(attendees=[{"email": ANN}])
    evening.vouch(event_id)
    evening.model.patch(ANN, ANN, event_id, {"conferenceData": None}, V1)
    if forgotten_before:
        evening.words.forget(BOB, evening.now)
    evening.move(event_id, BOB)
    _lose(evening, BOB, event_id, "deleted")
    if not forgotten_before:
        evening.words.forget(BOB, evening.now)
    evening.record(owner(event_id, "gone", continues_in=Link.key_for(KEYS[BOB], event_id)))
    assert evening.judge(MADE) == broken


@pytest.mark.parametrize(("is_removed", "broken"), [(False, ["L2"]), (True, [])])
def test_nobody_looks_for_an_orphan_in_a_calendar_that_stays_removed(is_removed: bool, broken: list[str]) -> None:
    """It was given another conference before it moved there, and no calendar of its own shows that any more."""
    evening = Evenings()
    event_id = evening.meet(attendees=[{"email": ANN}])
    evening.vouch(event_id)
    evening.model.patch(ANN, ANN, event_id, {"conferenceData": addon_conference("c2")}, V1)
    evening.move(event_id, BOB)
    if is_removed:
        evening.committed["calendar"][KEYS[BOB]] = removed(BOB, due_at=START)
    evening.record(owner(event_id, "orphaned"), review_at=START, due_at=START)
    assert evening.judge(MADE) == broken


@pytest.mark.parametrize(("number", "broken"), [(0, ["L2"]), (1, ["L2"]), (2, []), (3, [])])
def test_an_instance_of_a_split_series_is_where_its_part_is(number: int, broken: list[str]) -> None:
    """The later part moved out of sight, and with it whichever instance the conference was made for."""
    evening = Evenings()
    weekly = {"summary": "Plan", **times(START + timedelta(days=2)), "recurrence": ["RRULE:FREQ=WEEKLY;COUNT=4"]}
    series_id = str(evening.model.insert(ANN, ANN, weekly, V1)["id"])
    ids = [str(item["id"]) for item in evening.model.instances(ANN, ANN, series_id)["items"]]
    part = evening.model.edit_this_and_following(ANN, ANN, ids[2], {"summary": "Later"})
    evening.vouch(ids[number])
    evening.move(str(part["id"]), ELSEWHERE)
    assert evening.judge(MADE) == broken


@pytest.mark.parametrize(
    ("then", "broken"), [("left", []), ("taken back", ["L2"]), ("taken back and deleted", ["L2"]), ("moved away", [])]
)
def test_a_draft_for_an_occurrence_that_its_series_gave_up_may_be_kept(then: str, broken: list[str]) -> None:
    """Nothing but its id is left, as after a move, until its series has it again."""
    evening = Evenings()
    daily = {"summary": "Plan", **times(START + timedelta(days=2)), "recurrence": ["RRULE:FREQ=DAILY;COUNT=4"]}
    series_id = str(evening.model.insert(ANN, ANN, daily, V1)["id"])
    changed = str(evening.model.instances(ANN, ANN, series_id)["items"][2]["id"])
    evening.model.patch(ANN, ANN, changed, {"summary": "Special"}, V1)
    evening.vouch(changed)
    _recur(evening, series_id, "RRULE:FREQ=DAILY;COUNT=2")
    if then != "left":
        _recur(evening, series_id, "RRULE:FREQ=DAILY;COUNT=4")
    if then == "moved away":
        evening.move(series_id, ELSEWHERE)
    elif then == "taken back and deleted":
        evening.model.delete(ANN, ANN, series_id)
    assert evening.judge(MADE) == broken


@pytest.mark.parametrize("was", ["cancelled", "changed"])
@pytest.mark.parametrize(("for_ever", "broken"), [(False, ["L2"]), (True, [])])
def test_a_draft_for_an_occurrence_may_be_kept_once_its_series_is_deleted_for_ever(
    for_ever: bool, broken: list[str], was: str
) -> None:
    """Nothing is left that says whose the series was, and the occurrence."""
    evening = Evenings()
    daily = {"summary": "Plan", **times(START + timedelta(days=2)), "recurrence": ["RRULE:FREQ=DAILY;COUNT=4"]}
    series_id = str(evening.model.insert(ANN, ANN, daily, V1)["id"])
    occurrence = str(evening.model.instances(ANN, ANN, series_id)["items"][2]["id"])
    if was == "cancelled":
        evening.model.delete(ANN, ANN, occurrence)
    else:
        evening.model.patch(ANN, ANN, occurrence, {"summary": "Special"}, V1)
    evening.vouch(occurrence)
    evening.model.delete(ANN, ANN, series_id)
    if for_ever:
        evening.model.delete_forever(ANN, ANN, series_id)
    assert evening.judge(MADE) == broken


def _recur(evening: Evenings, series_id: str, rule: str) -> None:
    evening.model.patch(ANN, ANN, series_id, {"recurrence": [rule]}, V1)


@pytest.mark.parametrize(
    ("state", "forgotten", "broken"),
    [("orphaned", True, []), ("orphaned", False, ["L2"]), ("gone", True, ["L2"]), ("live", True, ["L2"])],
)
def test_an_orphan_that_came_back_and_was_forgotten_before_anybody_looked_may_be_kept(
    state: str, forgotten: bool, broken: list[str]
) -> None:
    """Of where it had gone before, Calendar says no more."""
    evening = Evenings()
    event_id = evening.meet(attendees=[{"email": ANN}])
    evening.vouch(event_id)
    _lose(evening, ANN, event_id, "stripped")
    evening.move(event_id, BOB)
    evening.model.move(ANN, BOB, event_id, {"destination": ANN})
    _lose(evening, ANN, event_id, "deleted")
    if forgotten:
        evening.model.options.tombstone_days = 0
        evening.model.forget_deleted(ANN)
    evening.record(owner(event_id, state))
    assert evening.judge(MADE) == broken


def test_a_move_that_does_not_say_where_it_went_is_not_followed_to_another_persons_calendar() -> None:
    """Nothing but the id is left where the old organizer is no guest."""
    evening = Evenings()
    event_id = evening.meet()
    evening.vouch(event_id)
    evening.move(event_id, BOB)
    _lose(evening, BOB, event_id, "deleted")
    evening.record(owner(event_id, "orphaned"))
    assert evening.judge(MADE) == []


@pytest.mark.parametrize(("seen_after_s", "broken"), [(60, ["L2"]), (0, []), (None, [])])
def test_an_event_that_was_met_where_it_went_ends_its_conference_there_by_losing_it(
    seen_after_s: int | None, broken: list[str]
) -> None:
    """That it was met before, when it was there once, proves nothing."""
    evening = Evenings()
    event_id = evening.meet()
    evening.vouch(event_id)
    evening.move(event_id, BOB)
    _lose(evening, BOB, event_id, "stripped")
    met = (
        [] if seen_after_s is None else [owner(event_id, "gone", BOB, bound_at=START + timedelta(seconds=seen_after_s))]
    )
    evening.record(owner(event_id, "orphaned"), *met)
    assert evening.judge(MADE) == broken


@pytest.mark.parametrize(("refuses", "is_shown"), [(False, True), (True, False)])
def test_an_event_that_calendar_refuses_to_show_cannot_be_found_to_hold_its_conference(
    refuses: bool, is_shown: bool
) -> None:
    """It holds it all the same: only who has to find that out is excused."""
    evening = Evenings()
    event_id = evening.meet()
    evening.vouch(event_id)
    evening.truth.refused = [event_id] if refuses else []
    assert [held.event_id for held in evening.owners.of("c1")] == [event_id]
    assert [held.event_id for held in evening.owners.shown("c1")] == ([event_id] if is_shown else [])


@pytest.mark.parametrize("refuses", [True, False])
def test_a_conference_that_nobody_knows_is_told_nothing_where_calendar_refuses_to_show_its_event(refuses: bool) -> None:
    """The add-on gave it to an event in a calendar that nobody syncs, which moved here since."""
    evening = Evenings()
    event_id = evening.meet()
    evening.vouch(event_id)
    evening.truth.refused = [event_id] if refuses else []
    assert evening.judge(MADE) == ([] if refuses else ["L1"])


def _lose(evening: Evenings, calendar_id: str, event_id: str, how: str) -> None:
    evening.now += timedelta(minutes=1)
    if how == "deleted":
        evening.model.delete(ANN, calendar_id, event_id)
    elif how != "left there":
        other = addon_conference("c2") if how == "given another" else None
        evening.model.patch(ANN, calendar_id, event_id, {"conferenceData": other}, V1)


# Calendars that were removed


def removed(calendar_id: str = ANN, **fields: Any) -> Calendar:
    """Return what is recorded of a calendar that was removed and forgotten."""
    key = KEYS[calendar_id]
    known = Calendar(key=key, tenant="default", calendar_id=calendar_id, subject=calendar_id, state="removed")
    return known.model_copy(update=fields)


@pytest.mark.parametrize(("is_removed", "broken"), [(False, ["L1"]), (True, [])])
def test_what_changed_in_a_calendar_that_stays_removed_is_nobodys_concern(is_removed: bool, broken: list[str]) -> None:
    """Its conference is what it was, and does not end."""
    evening = Evenings()
    evening.vouch(evening.meet())
    if is_removed:
        evening.committed["calendar"][KEYS[ANN]] = removed()
    assert evening.judge("as it was") == broken


@pytest.mark.parametrize(("is_removed", "broken"), [(False, ["L3"]), (True, [])])
def test_another_conference_for_an_event_of_a_calendar_that_stays_removed_waits(
    is_removed: bool, broken: list[str]
) -> None:
    """Nobody may write it into the event before the calendar is synced again, or forgotten."""
    evening = Evenings()
    evening.vouch(event_id := evening.meet())
    made = Replacement(
        number=1, reserved_at=START, links=("e",), is_successor=False, due_at=START, conference_id="c1n0"
    )
    evening.record(owner(event_id, "live"), replacements=(made,), due_at=START)
    if is_removed:
        evening.committed["calendar"][KEYS[ANN]] = removed()
    assert evening.judge(evening.truth.projection(ANN, event_id)) == broken


@pytest.mark.parametrize(
    ("state", "is_shown"), [("active", True), ("paused", True), ("poll_only", True), ("removed", False)]
)
def test_nobody_finds_what_an_event_holds_in_a_calendar_that_stays_removed(state: str, is_shown: bool) -> None:
    """So what an operator said of an end stands; an event in a calendar that is read takes it back as ever."""
    evening = Evenings()
    left, other = evening.meet(), evening.meet(BOB)
    evening.vouch(left)
    evening.vouch(other, BOB)
    evening.committed["calendar"][KEYS[ANN]] = removed(state=state)
    assert [held.event_id for held in evening.owners.shown("c1")] == [left, other][not is_shown :]


@pytest.mark.parametrize(
    ("fields", "channels", "broken"),
    [
        ({}, set(), []),
        ({"sync_token": "t"}, set(), ["L3"]),
        ({}, {"unknown"}, ["L3"]),
        ({"channels": (Channel(id="c", state="retiring", created_at=START),)}, {"c"}, []),
    ],
)
def test_a_removed_calendar_is_neither_synced_nor_watched(
    fields: dict[str, Any], channels: set[str], broken: list[str]
) -> None:
    """A channel that could not be stopped expires."""
    evening = Evenings()
    evening.committed["calendar"][KEYS[ANN]] = removed(**fields)
    assert evening.judge_calendar(channels) == broken


@pytest.mark.parametrize(("state", "broken"), [("live", ["L3"]), ("gone", [])])
def test_no_conference_hangs_for_good_on_an_event_of_a_calendar_that_is_forgotten(
    state: str, broken: list[str]
) -> None:
    """Nobody would ever end it."""
    evening = Evenings()
    evening.committed["calendar"][KEYS[ANN]] = removed()
    evening.record(owner("e", state))
    assert evening.judge_calendar(set()) == broken


@pytest.mark.parametrize(("listings", "broken"), [(1, True), (2, False)])
def test_a_calendar_that_was_to_be_synced_anew_is_listed_in_full(listings: int, broken: bool) -> None:
    """An operator was promised that."""
    evening = Evenings()
    asked = removed(state="active", full_listings=1)
    evening.promise(Administered(asked, "to be synced anew"))
    evening.committed["calendar"][KEYS[ANN]] = asked.model_copy(update={"full_listings": listings})
    evening.judge_calendar(set())
    assert any("anew" in each for each in evening.complaints.all) is broken


@pytest.mark.parametrize(("is_forgotten", "broken"), [(False, ["L1"]), (True, [])])
def test_a_conference_that_was_allowed_to_be_forgotten_may_be_adopted_as_it_is(
    is_forgotten: bool, broken: list[str]
) -> None:
    """Its calendar was removed, forgotten and added again: what changed before that is not told."""
    evening = Evenings("matching")
    event_id = evening.meet()
    if is_forgotten:
        evening.vouch(event_id)
        evening.words.forget(ANN, START)
    told = Desired(generation=1, fingerprint="x")
    evening.record(owner(event_id, "live"), adopted=True, desired=told, applied=Applied(generation=1, fingerprint="x"))
    assert evening.judge("as it was") == broken


# Who may


def test_who_may_drive_is_what_the_add_on_said_and_not_what_the_product_recorded() -> None:
    """A registration that nobody made lets nobody speak."""
    evening = Evenings()
    event_id = evening.meet(BOB)
    forged = Registration(calendar_key=KEYS[BOB], event_id=event_id, at=START)
    evening.record(registered={Link.key_for(KEYS[BOB], event_id): forged})
    assert evening.owners.calendars_that_may("c1") == set()
    evening.words.say("c1", (BOB, event_id))
    assert evening.owners.calendars_that_may("c1") == {BOB}


def test_a_conference_that_was_made_for_another_inherits_its_words() -> None:
    """However often it was replaced."""
    words = Words()
    words.made_for = {"c1n0": "c1", "c1n0n1": "c1n0"}
    words.say("c1", (ANN, "e"))
    words.hear("c1", (ANN, "e"))
    assert words.said("c1n0n1") == words.heard("c1n0") == {(ANN, "e")}


def test_what_is_said_again_after_a_calendar_was_forgotten_is_no_word_for_what_was_made_before() -> None:
    """What is made for it from then on inherits it."""
    words = Words()
    words.made_for = {"c1n0": "c1"}
    words.hear("c1", (ANN, "e1"))
    words.forget(ANN, START)
    words.hear("c1", (ANN, "e1"))
    words.made_for = {"c1n0": "c1", "c1n1": "c1"}
    assert [words.heard(name) for name in ("c1", "c1n0", "c1n1")] == [{(ANN, "e1")}, set(), {(ANN, "e1")}]


def test_once_it_is_written_into_an_event_a_conference_that_was_made_for_another_has_a_word_of_its_own() -> None:
    """It is forgotten with that event, though the one that it was made for lives on elsewhere."""
    words = Words()
    words.made_for = {"c1n0": "c1"}
    words.hear("c1", (BOB, "e"))
    words.hear("c1n0", (ANN, "copy"))
    assert words.heard("c1n0") == {(ANN, "copy")}
    words.forget(ANN, START)
    assert [words.heard(name) for name in ("c1", "c1n0")] == [{(BOB, "e")}, set()]


@pytest.mark.parametrize(("is_forgotten", "broken"), [(False, ["L2"]), (True, [])])
def test_a_conference_that_was_made_for_another_is_nobodys_to_end_once_it_was_forgotten(
    is_forgotten: bool, broken: list[str]
) -> None:
    """Its calendar was added again: its event only claimed it from then on, and was lost."""
    evening = Evenings()
    evening.words.made_for = {"c1": "c0"}
    evening.words.hear("c0", (BOB, "original"))
    copy = evening.meet()
    evening.words.hear("c1", (ANN, copy))
    if is_forgotten:
        evening.words.forget(ANN, START)
    evening.model.delete(ANN, ANN, copy)
    evening.record(owner(copy, "gone", role="claimed"))
    assert evening.judge(MADE) == broken


def test_who_may_drive_what_was_made_for_another_may_have_moved_before_it_was_made() -> None:
    """An event that came with the conference by another way may not."""
    evening = Evenings()
    event_id = evening.meet()
    evening.vouch(event_id)
    evening.move(event_id, BOB)
    evening.words.made_for = {"c2": "c1"}
    evening.model.patch(BOB, BOB, event_id, {"conferenceData": addon_conference("c2")}, V1)
    evening.model.insert(ANN, ELSEWHERE, _stranger() | {"conferenceData": addon_conference("c2")}, V1)
    assert evening.owners.calendars_that_may("c2") == {ANN, BOB}


@pytest.mark.parametrize(("is_moved", "calendars"), [(True, {ANN, BOB}), (False, {ANN})])
def test_what_was_an_occurrences_may_be_its_series_where_that_moved(is_moved: bool, calendars: set[str]) -> None:
    """Of a series that nobody moved, only another calendar's own one could be meant."""
    evening = Evenings()
    daily = {"summary": "Plan", **times(START + timedelta(days=2)), "recurrence": ["RRULE:FREQ=DAILY;COUNT=4"]}
    series_id = str(evening.model.insert(ANN, ANN, daily, V1)["id"])
    occurrence = str(evening.model.instances(ANN, ANN, series_id)["items"][2]["id"])
    evening.model.patch(ANN, ANN, occurrence, {"conferenceData": addon_conference("c1")}, V1)
    evening.vouch(occurrence)
    if is_moved:
        evening.move(series_id, BOB)
        evening.model.patch(BOB, BOB, series_id, {"conferenceData": addon_conference("c1")}, V1)
    else:
        evening.meet(BOB)
    assert evening.owners.calendars_that_may("c1") == calendars


def test_under_the_policy_matching_the_only_event_owns_what_nobody_vouched_for() -> None:
    """Once the add-on spoke for another event, its word counts."""
    evening = Evenings("matching")
    event_id = evening.meet(BOB)
    assert [held.event_id for held in evening.owners.of("c1")] == [event_id]
    evening.words.say("c1", (ANN, "other"))
    assert evening.owners.of("c1") == []
