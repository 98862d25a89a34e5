"""What only a person can do, in Calendar's web page, and how to judge what the API shows afterwards.

It must never guess what a person did: what does not show leaves its question open.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final, Literal, Protocol

from confsync.cli.facts.api import Json
from confsync.cli.facts.lab import Lab, Unanswered, item_of
from confsync.cli.facts.redaction import shape
from confsync.cli.facts.report import Book, Finding, yes_or_no
from confsync.cli.facts.trials import attempt, conference_kept, restored, same_conference

Kind = Literal["split", "drag", "duplicate", "delete", "restore", "draft"]


@dataclass(frozen=True)
class Gesture:
    """Something to do in the web page."""

    kind: Kind
    calendar_id: str
    steps: tuple[str, ...]
    """What to click, in order."""
    event_id: str = ""
    """What it is done to: of a series, the occurrence; empty for a new event."""
    link: str = ""
    """Where the web page shows the event."""


class Hands(Protocol):
    """Someone who works in the web page."""

    def do(self, gesture: Gesture) -> bool:
        """Do it; False when it is left out."""


class NoHands:
    """Leaves everything out."""

    def do(self, gesture: Gesture) -> bool:  # noqa: ARG002  # the protocol's
        """Leave it out."""
        return False


@dataclass(frozen=True)
class _Scene:
    questions: tuple[str, ...]
    play: Callable[[Lab, Hands], Iterator[Finding]]


def play_gestures(lab: Lab, hands: Hands, book: Book) -> None:
    """Let all gestures be done, one after the other, and judge each; raises as `run_trials` does."""
    for scene in _SCENES:
        attempt(scene.questions, "web page", book, scene.play(lab, hands))


def _split(lab: Lab, hands: Hands) -> Iterator[Finding]:
    series = lab.series("split me")
    steps = ("open it and change the title", "save, and choose 'This and following events'")
    part = _new_part(lab, hands, series, "split", steps)
    yield conference_kept("split_keeps_conference", "web page", series, part, new_part=shape(part, "Event"))
    yield yes_or_no("parts_share_created", "web page", part.get("created") == series.get("created"))


def _drag(lab: Lab, hands: Hands) -> Iterator[Finding]:
    series = lab.series("drag me")
    steps = ("drag it to an hour later", "choose 'This and following events'")
    part = _new_part(lab, hands, series, "drag", steps)
    same_created = part.get("created") == series.get("created")
    evidence = {"same_created": same_created, "same_conference": same_conference(series, part)}
    related = part["id"].startswith(series["id"])
    yield yes_or_no("moved_split_has_other_id", "web page", not related, **evidence)


def _new_part(lab: Lab, hands: Hands, series: Json, kind: Kind, steps: tuple[str, ...]) -> Json:
    fourth = lab.occurrence(series, 3)
    where = f"find '{series['summary']}' of {fourth['start']['dateTime'][:10]}"
    gesture = Gesture(kind, lab.home, (where, *steps), fourth["id"], fourth.get("htmlLink", ""))
    return _seen_after(lab, hands, gesture)


def _duplicate(lab: Lab, hands: Hands) -> Iterator[Finding]:
    event = lab.meeting("duplicate me")
    steps = (
        f"open '{event['summary']}'",
        "choose 'Duplicate' in the menu with the three dots",
        "save it, in the same calendar",
    )
    copy = _seen_after(lab, hands, Gesture("duplicate", lab.home, steps, event["id"], event.get("htmlLink", "")))
    evidence = {"same_ical_uid": copy.get("iCalUID") == event.get("iCalUID"), "copy": shape(copy, "Event")}
    yield conference_kept("duplicate_keeps_conference", "web page", event, copy, **evidence)


def _seen_after(lab: Lab, hands: Hands, gesture: Gesture) -> Json:
    """Return the event that a gesture has made."""
    token = lab.sync_token(lab.home)
    _let(hands, gesture)
    return lab.surprise(token)


def _let(hands: Hands, gesture: Gesture) -> None:
    if not hands.do(gesture):
        raise Unanswered("skipped")


def _trash(lab: Lab, hands: Hands) -> Iterator[Finding]:
    event = lab.meeting("trash me")
    link, name = event.get("htmlLink", ""), event["summary"]
    _let(hands, Gesture("delete", lab.home, (f"open '{name}' and delete it",), event["id"], link))
    gone = lab.eventually(lambda: lab.api.get(lab.home, event["id"]), lambda got: got.get("status") == "cancelled")
    if gone.get("status") != "cancelled":
        raise Unanswered("not listed in time")
    steps = ("open the trash of this run's calendar (the gear wheel, then 'Bin' or 'Trash')", f"restore '{name}'")
    _let(hands, Gesture("restore", lab.home, steps, event["id"]))
    back = lab.eventually(lambda: lab.api.get(lab.home, event["id"]), lambda got: got.get("status") != "cancelled")
    yield restored("trash_keeps_conference", "web page", event, back)


def _draft(lab: Lab, hands: Hands) -> Iterator[Finding]:
    token = lab.sync_token(lab.home)
    steps = (
        "click an empty hour of next week, choose 'More options' and the calendar of this run",
        "add a video conference of an add-on and wait until its link shows",
        "leave without saving, and discard the changes",
    )
    _let(hands, Gesture("draft", lab.home, steps))
    marker = lab.event("marker")
    items = lab.changes(lab.home, token, lambda items: item_of(items, marker["id"]) is not None)
    if item_of(items, marker["id"]) is None:
        raise Unanswered("not listed in time")
    others = [item for item in items if item["id"] != marker["id"]]
    silent = not others
    yield yes_or_no("discarded_draft_is_silent", "web page", silent, listed=[shape(item, "Event") for item in others])


_SCENES: Final = (
    _Scene(("split_keeps_conference", "parts_share_created"), _split),
    _Scene(("moved_split_has_other_id",), _drag),
    _Scene(("duplicate_keeps_conference",), _duplicate),
    _Scene(("trash_keeps_conference",), _trash),
    _Scene(("discarded_draft_is_silent",), _draft),
)
