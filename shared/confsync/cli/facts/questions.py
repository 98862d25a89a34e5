"""What nobody outside Google knows for certain about Calendar, as one table of questions.

Plain data. It must never hold an answer: answers come from a real account, and the defaults from the local server.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from confsync.local.calendar_server.records import Options

Answer = Literal["yes", "no", "other", "not settled"]
Source = Literal["look", "experiment", "web page"]
"""What can answer: looking at what is there, trying it through the API, or a person who clicks in the web page."""


@dataclass(frozen=True)
class Switch:
    """The option of the local Calendar server that stands for a question."""

    name: str
    values: Mapping[str, object] = field(default_factory=lambda: {"yes": True, "no": False})
    """The option's value by answer."""

    @property
    def default(self) -> object:
        """Return what the local server does unless told otherwise; None when it has no such option."""
        return getattr(Options(), self.name, None)


@dataclass(frozen=True)
class Question:
    """One thing to find out, asked so that yes and no are possible answers."""

    id: str
    rows: tuple[int, ...]
    """Numbers of the rows of the scenario table that depend on it."""
    text: str
    settled_by: tuple[Source, ...]
    """Any of these may settle it; the later ones are the more certain."""
    switch: Switch | None = None


_DETAILS = Switch("organizer_tombstones", {"yes": "full", "no": "id_only"})
_DELETED = Switch("deleted_calendar", {"yes": "notFound"})
_RESTORE = Switch("restore_keeps_conference")

QUESTIONS: tuple[Question, ...] = (
    Question("reads_in_full", (36, 37), "Is the calendar read as writer or owner?", ("look",)),
    Question("own_parameters_give_token", (44, 52), "Does a list with confsync's parameters end with a sync token?",
             ("look",)),
    Question("order_by_updated_gives_token", (44,), "Does a list with orderBy=updated end with a sync token?",
             ("look",)),
    Question("order_by_start_gives_token", (44,), "Does a list with orderBy=startTime end with a sync token?",
             ("look",)),
    Question("updated_min_gives_token", (44,), "Does a list with updatedMin end with a sync token?", ("look",)),
    Question("malformed_token_is_400", (44,), "Is a malformed sync token answered with 400?", ("look",)),
    Question("cancelled_shapes_known", (12, 23, 28), "Has every cancelled item one of the known shapes?", ("look",)),
    Question("copies_carry_conference", (1, 50), "Do attendees' copies carry the conference data?", ("look",)),
    Question("exceptions_carry_conference", (22, 24), "Do exceptions carry the conference of their series?", ("look",)),
    Question("parts_share_created", (26,), "Do all parts of a split series share one `created`?", ("look", "web page")),
    Question("api_takes_addon_conference", (1, 54), "Does the API keep an add-on's conference data on insert?",
             ("experiment",)),
    Question("tombstones_keep_details", (12, 15), "Do the organizer's own tombstones keep their details?",
             ("look", "experiment"), _DETAILS),
    Question("tombstones_keep_conference", (12,), "Do the organizer's own tombstones keep the conference data?",
             ("look", "experiment"), Switch("tombstone_conference")),
    Question("api_restore_keeps_conference", (35,), "Does an event restored by the API have its conference again?",
             ("experiment",), _RESTORE),
    Question("trash_keeps_conference", (35,), "Does an event restored from the trash have its conference again?",
             ("web page",), _RESTORE),
    Question("move_keeps_conference", (19,), "Does an event keep its conference when it is moved?", ("experiment",),
             Switch("move_keeps_conference")),
    Question("moved_away_is_id_only", (19,), "Is nothing but an id listed where an event was moved away?",
             ("experiment",)),
    Question("null_clears_conference", (30,), "Does writing `conferenceData: null` remove the conference?",
             ("experiment",)),
    Question("reminder_edits_are_listed", (10,), "Does an incremental list show an edit of reminders only?",
             ("experiment",), Switch("lists_reminder_edits")),
    Question("reminder_edits_move_updated", (10,), "Does an edit of reminders only change `updated`?",
             ("experiment",)),
    Question("two_events_share_conference", (26, 34), "May a part split by the API carry the same conference?",
             ("experiment",)),
    Question("split_keeps_conference", (26,), "Does the new part of a split series carry the same conference?",
             ("look", "web page"), Switch("split_keeps_conference")),
    Question("moved_split_has_other_id", (26,), "Does a split with a change of time give an unrelated id?",
             ("web page",)),
    Question("duplicate_keeps_conference", (33,), "Does a duplicate carry the same conference?", ("web page",),
             Switch("duplicate_keeps_conference")),
    Question("discarded_draft_is_silent", (2,), "Does a discarded draft leave no trace in the list?", ("web page",)),
    Question("deleted_calendar_is_404", (46,), "Is a deleted calendar answered with 404?", ("experiment",), _DELETED),
)  # fmt: skip

BY_ID: Mapping[str, Question] = {question.id: question for question in QUESTIONS}
