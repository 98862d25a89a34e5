"""The rows of the simulation's coverage: how a simulated day hits each row of the table of Calendar changes.

A row counts when a gesture was carried out and did to the event what the row says, or when something was met; never
because it was planned. It must never judge.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from confsync.local.calendar_server.errors import Json
from tests.simulation.gestures import RULES, Done
from tests.simulation.oracles.bodies import conference_of, moment, over_at

Change = Callable[[Done, Json, Json], bool]
"""Whether a row is hit by a gesture, given what the event was and what it became."""


@dataclass(frozen=True)
class Played:
    """A row that people do: by one of these gestures, when it changed the event so."""

    actions: tuple[str, ...]
    change: Change

    def is_hit(self, done: Done) -> bool:
        """Whether the gesture hits the row."""
        if done.action not in self.actions:
            return False
        before = done.before.body if done.before else {}
        return self.change(done, before, done.after.body if done.after else {})


@dataclass(frozen=True)
class Met:
    """A row that happens to confsync: it is met when this was seen."""

    what: str


@dataclass(frozen=True)
class NotPlayed:
    """A row that a simulated day cannot hit."""

    why: str


def _is(*tests: Change) -> Change:
    return lambda done, before, after: all(test(done, before, after) for test in tests)


def _always(*_: object) -> bool:
    return True


def _differs(*names: str) -> Change:
    """A live event with a conference of ours changes in one of these fields, for the reader who holds it."""
    return lambda done, before, after: (
        _lives(done, before, after) and any(before.get(name) != after.get(name) for name in names)
    )


def _lives(done: Done, before: Json, after: Json) -> bool:
    is_live = done.before is not None and done.after is not None and not (done.before.cancelled or done.after.cancelled)
    return is_live and conference_of(before) is not None and "conferenceData" in after


def _had(_: Done, before: Json, __: Json) -> bool:
    return conference_of(before) is not None


def _has(_: Done, __: Json, after: Json) -> bool:
    return conference_of(after) is not None


def _is_series(_: Done, before: Json, __: Json) -> bool:
    return bool(before.get("recurrence"))


def _is_single(_: Done, before: Json, __: Json) -> bool:
    return not before.get("recurrence")


def _is_instance(done: Done, _: Json, after: Json) -> bool:
    return "recurringEventId" in after and done.before is not done.after


def _is_organizers(done: Done, _: Json, after: Json) -> bool:
    """Whether it is the organizer's event, not a guest's copy."""
    return done.place is not None and after.get("organizer", {}).get("email") == done.place.calendar_id


def _is_copy(done: Done, before: Json, after: Json) -> bool:
    return done.place is not None and not _is_organizers(done, before, after) and bool(after)


def _dies(done: Done, _: Json, __: Json) -> bool:
    was_live = done.before is None or not done.before.cancelled
    return was_live and done.after is not None and done.after.cancelled


def _revives(done: Done, _: Json, __: Json) -> bool:
    return bool(done.before and done.before.cancelled and done.after and not done.after.cancelled)


def _emails(body: Json) -> set[str]:
    return {guest["email"] for guest in body.get("attendees", ())}


def _answered(done: Done, body: Json, response: str) -> bool:
    guests = body.get("attendees", ())
    place = done.place
    return place is not None and any(
        guest["email"] == place.calendar_id and guest.get("responseStatus") == response for guest in guests
    )


def _declines(done: Done, before: Json, after: Json) -> bool:
    return _answered(done, after, "declined") and not _answered(done, before, "declined")


def _loses_guests(_: Done, before: Json, after: Json) -> bool:
    return bool(_emails(before) - _emails(after))


def _changes_guests(_: Done, before: Json, after: Json) -> bool:
    return _emails(before) != _emails(after)


def _guests_may(value: bool) -> Change:
    return lambda _, before, __: bool(before.get("guestsCanModify")) is value


def _same_instant(_: Done, before: Json, after: Json) -> bool:
    return moment(before["start"]) == moment(after["start"]) and moment(before["end"]) == moment(after["end"])


def _other_instant(done: Done, before: Json, after: Json) -> bool:
    return not _same_instant(done, before, after)


def _conference_changes(done: Done, before: Json, after: Json) -> bool:
    return done.before is not done.after and before.get("conferenceData") != after.get("conferenceData")


def _another_of_ours(_: Done, before: Json, after: Json) -> bool:
    return None not in (conference_of(before), conference_of(after)) and conference_of(before) != conference_of(after)


def _is_meet(_: Done, __: Json, after: Json) -> bool:
    solution = after.get("conferenceData", {}).get("conferenceSolution", {})
    return bool(solution.get("key", {}).get("type") == "hangoutsMeet")


def _gets_all_day(_: Done, before: Json, after: Json) -> bool:
    return "dateTime" in before["start"] and "date" in after["start"]


def _is_over(done: Done, _: Json, after: Json) -> bool:
    return over_at(after) <= done.at


def _endless(_: Done, __: Json, after: Json) -> bool:
    return any("COUNT" not in rule and "UNTIL" not in rule for rule in after.get("recurrence", ()))


def _has_clock_changes(_: Done, __: Json, after: Json) -> bool:
    return "dateTime" in after["start"] and after["start"].get("timeZone") != "UTC"


def _has_guest(email: str) -> Change:
    return lambda _, __, after: email in _emails(after)


ENDLESS = tuple(rule for rule in RULES if "COUNT" not in rule)
_EDITS = ("rename", "rename_back", "retime", "describe", "stretch", "pulse", "rename_past")

ROWS: Mapping[int, Played | Met | NotPlayed] = {
    1: Met("a conference was told its event's title and times"),
    2: Met("the conference of a discarded draft ended"),
    3: Met("a conference in the making was seen"),
    4: Played(("rename", "rename_back", "pulse"), _differs("summary")),
    5: Played(("retime",), _is(_differs("start"), _other_instant)),
    6: Played(("rezone",), _is(_differs("start"), _same_instant)),
    7: Played(("describe",), _differs("description", "location")),
    8: Played(("invite", "uninvite"), _is(_differs("attendees"), _changes_guests)),
    9: Played(("answer",), _differs("attendees")),
    10: Played(("remind",), _differs("reminders")),
    11: Played(("privacy",), _differs("visibility")),
    12: Played(("delete", "vanish"), _is(_dies, _is_single, _had, _is_organizers)),
    13: Played(("answer",), _is(_differs("attendees"), _declines, _is_copy)),
    14: Played(("decline_own",), _is(_differs("attendees"), _declines, _is_organizers)),
    15: Played(("drop_copy",), _is(_dies, _had, _is_copy)),
    16: Played(("uninvite",), _is(_differs("attendees"), _loses_guests)),
    17: Played(("move_copy",), _is(_differs("start"), _is_copy, _guests_may(value=False))),
    18: Played(("move_copy",), _is(_differs("start"), _is_copy, _guests_may(value=True))),
    19: Played(("move", "move_back"), _is(_dies, _had)),
    20: Played(("change_owner",), _is(_dies, _had)),
    21: Played(("create",), _is(_has, lambda _, __, after: bool(after.get("recurrence")))),
    22: Played(("rename_instance", "move_instance"), _is(_is_instance, _has)),
    23: Played(("cancel_instance",), _is(_is_instance, _dies)),
    24: Played(("strip_instance", "rebook_instance"), _is_instance),
    25: Played(("edit_all", "reschedule_series", *_EDITS), _is(_is_series, _differs("summary", "start", "recurrence"))),
    26: Played(("split", "split_elsewhere"), _is(_is_series, _had, _differs("recurrence"))),
    27: Played(("cut_off",), _is(_is_series, _had, _differs("recurrence"))),
    28: Played(("delete", "vanish"), _is(_dies, _is_series, _had, _is_organizers)),
    29: Played(("invite_to_instance",), _is(_is_instance, _has, _changes_guests)),
    30: Played(("remove_conference",), _is(_had, _conference_changes)),
    31: Played(("meet",), _is(_had, _is_meet)),
    32: Met("a conference was removed and another of ours came"),
    33: Played(("duplicate",), _has),
    34: Played(("copy_across",), _has),
    35: Played(("restore", "rename_back"), _is(_revives, _has)),
    36: Met("a calendar was shown with too little access"),
    37: Met("a calendar froze when its role was reduced"),
    38: Played(("all_day",), _is(_differs("start"), _gets_all_day)),
    39: Played(("stretch",), _differs("start", "end")),
    40: Played(("import",), _has),
    41: Played(("focus",), _always),
    42: Played((*_EDITS, "delete"), _is(_had, _is_over)),
    43: Played(("create", "reschedule_series"), _is(_has, _endless)),
    44: Met("a full listing after a rejected token did not contain a known event"),
    45: Met("something changed while a listing was under way"),
    46: Met("a calendar froze when it was deleted"),
    47: Met("ends were held"),
    48: Met("a calendar froze when access to it was withdrawn"),
    49: Met("events were handed over while their user was suspended"),
    50: Met("two synced calendars showed one event"),
    51: Met("a write of our own was listed"),
    52: Met("a push was lost, and its change was found"),
    53: Met("two changes within two seconds"),
    54: Met("a claim was seen that nobody vouched for"),
    55: NotPlayed(
        "the back end says nothing by itself, so the evening finds it out of step until the next change: see "
        "tests/scenarios/test_back_end.py"
    ),
    56: Met("a conference was gone from the back end"),
    57: Met("a call ended without an answer"),
    58: Met("the back end refused for good"),
    59: Played(("create", "reschedule_series"), _is(_has, _endless, _has_clock_changes)),
    60: NotPlayed(
        "the settings of a day are those of one solution from morning to evening: see tests/scenarios/test_solutions.py"
    ),
}
"""How each row is hit."""

MARKS = tuple(row.what for row in ROWS.values() if isinstance(row, Met))
"""All that can be met."""
