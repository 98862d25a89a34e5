"""Payloads that real accounts got from Calendar, through parsing, claims, projection and plan.

They belong to others and are read where they lie; without them these tests are skipped.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from confsync.core.capabilities import Capabilities
from confsync.core.conference import Conference, Referent, Registration
from confsync.core.events import Event, EventPage, parse_event, parse_page
from confsync.core.notifications import Notification
from confsync.core.projection import fingerprint, project, times_of
from confsync.core.recurrence import last_end, next_start
from confsync.core.sight import Seen
from confsync.core.solutions import Claim, Solution, claim_of
from confsync.core.terms import Terms
from confsync.errors import NotificationRejected
from tests.core.story import ALL_FIELDS, DAY, HERE, HOUR, NOW, RULES, Ledger, ref, times, vouched

RECORDED = Path(__file__).parents[2].parent / "shared" / "data" / "calendar-payloads"
pytestmark = pytest.mark.skipif(not RECORDED.is_dir(), reason="the recorded payloads are not part of the repository")

ZOOM = Solution(provider="zoom", names=frozenset({"Zoom Meeting", "Zoom"}), key_types=frozenset({"addOn"}))
TEAMS = Solution(provider="teams", uri_prefixes=("https://teams.microsoft.com/",))
MEET = Solution(provider="meet", key_types=frozenset({"hangoutsMeet"}))
"""As if Meet were ours: most recorded conferences are Meet's."""
SOLUTIONS = (ZOOM, TEAMS, MEET)
TERMS = Terms("default", SOLUTIONS, {each.provider: Capabilities(ALL_FIELDS) for each in SOLUTIONS}, RULES)
UNREADABLE = {
    "addon-minimal-variants": 0,
    "nylas-unparseable-year-zero": 1,
    "workinglocation-recurring-master-tail": 1,
    "zoom-addon-conference-without-solution": 1,
    "zoom-addon-conferencedata-2023-no-passcode": 1,
}
"""Items without an id, or with a date that does not exist; the others must all be read."""


@cache
def payload(name: str) -> Any:
    """Return what was recorded under this name."""
    return json.loads((RECORDED / f"{name}.json").read_text())["payload"]


def names(kind: str) -> list[str]:
    """Return the names of all payloads of a kind, none where there are no payloads."""
    paths = sorted(RECORDED.glob("*.json"))
    return [path.stem for path in paths if json.loads(path.read_text())["kind"] == kind]


def items(name: str) -> list[dict[str, Any]]:
    """Return the events of a page, or the one event."""
    found = payload(name)
    return list(found.get("items", [found]))


def is_calendar_list(name: str) -> bool:
    """Whether these are calendars, not events."""
    return "calendarlist" in name


EVENT_LISTS = [name for name in names("events_list") if not is_calendar_list(name)]
EVENTS = names("event")


def readable(name: str) -> Iterator[Event]:
    """Return the events that can be read."""
    for item in items(name):
        try:
            yield parse_event(item)
        except ValidationError:
            assert UNREADABLE.get(name), f"{name}: {item.get('id')} is not read"


def event_of(name: str, which: int = 0) -> Event:
    """Return one event of a payload."""
    return parse_event(items(name)[which])


# --- everything ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [*EVENTS, *EVENT_LISTS])
def test_every_recorded_event_is_read_claimed_projected_and_dated(name: str) -> None:
    """Nothing that Calendar ever sent breaks anything."""
    for shown in readable(name):
        claim_of(shown, SOLUTIONS)
        assert len(fingerprint(project(shown, (), ALL_FIELDS))) == 64
        when = times_of(shown)
        if when is not None:
            assert last_end(when) is not None
            assert next_start(when, NOW) is None or last_end(when) > NOW


@pytest.mark.parametrize("name", EVENT_LISTS)
def test_every_recorded_page_is_read_as_bytes(name: str) -> None:
    """With all the fields that we do not know."""
    page = parse_page(json.dumps(payload(name)).encode())
    assert isinstance(page, EventPage)
    assert len(page.items) == len(items(name))


@pytest.mark.parametrize("name", [*EVENTS, *EVENT_LISTS])
def test_unknown_fields_make_no_difference(name: str) -> None:
    """Neither at the top nor within."""
    for item in items(name):
        more = {**item, "fromTheFuture": {"x": 1}}
        for part in ("start", "organizer", "conferenceData"):
            if part in item:
                more[part] = {**item[part], "fromTheFuture": [1]}
        try:
            known = parse_event(item)
        except ValidationError:
            continue
        assert parse_event(more) == known


@pytest.mark.parametrize("name", [*EVENTS, *EVENT_LISTS])
@pytest.mark.parametrize("registered", [True, False])
def test_every_recorded_event_can_be_planned_for(name: str, registered: bool) -> None:
    """Known or not, listed once and again: the plan ends, and the second one changes nothing."""
    shown = list(readable(name))
    ledger = Ledger.of(*conferences_of(shown, registered=registered), terms=TERMS)
    ledger.put(*shown)
    sight = {ref(each.id): Seen(each) for each in shown}
    ledger.settle(sight, listing=1)
    again = ledger.settle(sight, listing=1)
    assert (again.links, again.conferences) == ((), ())


@pytest.mark.parametrize("name", [*EVENTS, *EVENT_LISTS])
def test_no_recorded_event_takes_a_stranger_s_conference_away(name: str) -> None:
    """Whatever is shown, a conference that other events own is neither told nor ended."""
    shown = list(readable(name))
    known = conferences_of(shown, registered=False)
    owner = Referent(calendar_key="c" * 32, event_id="x", ical_uid="x", role="owner", state="live", times=times(NOW))
    held = [each.model_copy(update={"referents": {"d" * 32: owner}}) for each in known]
    ledger = Ledger.of(*held, terms=TERMS)
    ledger.put(*shown)
    ledger.settle({ref(each.id): Seen(each) for each in shown})
    for each in ledger.conferences.values():
        assert (each.desired, each.end_after) == (None, None)


def conferences_of(shown: list[Event], *, registered: bool) -> list[Conference]:
    """Return the conferences that these events name, registered for all of them or for none."""
    found: dict[str, Conference] = {}
    for each in shown:
        claim = claim_of(each, SOLUTIONS)
        if claim is None:
            continue
        key = Conference.key_for("default", claim.provider, claim.conference_id)
        before = found.get(key, bare(claim))
        vouched_for = before.registered | registrations(each) if registered else {}
        found[key] = before.model_copy(update={"registered": vouched_for})
    return list(found.values())


def registrations(shown: Event) -> dict[str, Registration]:
    """Return the add-on's word for one event."""
    return {ref(shown.id).link_key: vouched(ref(shown.id))}


def bare(claim: Claim) -> Conference:
    """Return a conference that nobody owns."""
    key = Conference.key_for("default", claim.provider, claim.conference_id)
    return Conference(key=key, tenant="default", provider=claim.provider, conference_id=claim.conference_id)


# --- one by one ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Case:
    """A recorded event in a recorded situation, and what follows."""

    name: str
    expected: str
    """`told`, `claimed`, `nothing`, `gone`, `orphaned` or `unchanged`."""
    which: int = 0
    registered: bool = True
    before: bool = False
    """Whether the event was known as a live owner before."""
    moved_to: bool = False
    """Whether its times are moved into the future, so that it is not over."""


CASES = [
    # first sight of a registered event that is organized here
    Case("n8n-pindata-1-confirmed", "told", moved_to=True),
    Case("n8n-pindata-4-confirmed", "told", moved_to=True),
    Case("meet-insert-response-2019-group-calendar", "told", moved_to=True),
    Case("meet-insert-response-2019-group-calendar", "over"),
    Case("n8n-pindata-1-confirmed", "over"),
    # the same that nobody registered
    Case("n8n-pindata-1-confirmed", "claimed", registered=False),
    Case("meet-insert-response-2019-group-calendar", "claimed", registered=False),
    # attendees' copies, foreign or redacted: witnesses, even where somebody registered them
    Case("event-meet-attendee-copy", "nothing"),
    Case("event-meet-createrequest-success-attendee-copy", "nothing"),
    Case("instances-meet-attendee-webex-privatecopy-2021", "nothing"),
    Case("nango-list-upcoming-singleevents-1", "nothing"),
    Case("teams-addon-canonical-shape", "nothing"),
    Case("gdata-endtimeunspecified-creator-by-id", "nothing"),
    Case("zoom-addon-attendee-copy-split-master-cancelled", "nothing"),
    Case("n8n-pindata-2-cancelled", "nothing"),
    # events that were known as live owners: without our conference, positively
    Case("compass-create-recurring", "gone", before=True),
    Case("nango-insert-allday", "gone", before=True),
    Case("nango-insert-recurring-offset-vs-timezone", "gone", before=True),
    Case("nango-import-event", "gone", before=True),
    Case("public-calendar-api-key-event-2023", "gone", before=True),
    Case("event-status-tentative-long-id", "gone", before=True),
    Case("pipedream-event-nonsense-values", "gone", before=True),
    # the five shapes of a tombstone
    Case("compass-delete-all-1-idonly-tombstone", "orphaned", before=True),
    Case("northworld-cancelled-exception-of-split", "orphaned", before=True),
    Case("compass-delete-this-and-following-2-idonly-exception", "orphaned", which=1, before=True),
    Case("tombstone-full-body-single", "gone", before=True),
    Case("tombstone-full-body-exception", "gone", before=True),
    Case("tombstone-imported-no-summary-allday", "gone", before=True),
    Case("tombstone-scrubbed-fake-start-2000", "orphaned", before=True),
    Case("n8n-pindata-2-cancelled", "gone", before=True),
    Case("pipedream-event-cancelled-full", "gone", before=True),
    Case("nango-get-cancelled-event", "gone", before=True),
    Case("nango-put-on-cancelled-event", "gone", before=True),
    # moved away, taken over by another organizer, or seen as an attendee
    Case("nango-move-event-source-cancelled", "orphaned", before=True),
    Case("zoom-addon-attendee-copy-split-master-cancelled", "orphaned", before=True),
    Case("event-meet-attendee-copy", "orphaned", before=True),
    Case("event-privatecopy-outlook-import", "orphaned", before=True),
    Case("webex-mail-import-instance-2021", "orphaned", before=True),
    Case("event-allday-no-summary", "orphaned", before=True),
    # redacted, or too poor to say anything
    Case("freebusyreader-redacted-list", "unchanged", before=True),
    Case("event-created-year-zero", "unchanged", before=True),
    Case("gdata-focustime-minimal", "unchanged", before=True),
]


def situation(case: Case, shown: Event) -> tuple[Ledger, str]:
    """Return the records before, and the key of the conference."""
    claim = claim_of(shown, SOLUTIONS) or Claim(provider="zoom", conference_id="93339998877")
    owner = bare(claim)
    registered = registrations(shown) if case.registered else {}
    ledger = Ledger.of(owner.model_copy(update={"registered": registered}), terms=TERMS)
    if case.before:
        before = parse_event(first_seen(shown, claim))
        ledger.show(before)
    return ledger, owner.key


def first_seen(shown: Event, claim: Claim) -> dict[str, Any]:
    """Return the event as it was when it was fine: organized here, upcoming, with the conference."""
    solution = {"zoom": ("Zoom Meeting", "addOn"), "meet": ("Google Meet", "hangoutsMeet")}[claim.provider]
    data = {"conferenceSolution": {"name": solution[0], "key": {"type": solution[1]}}}
    start, end = ((NOW + hours * HOUR).isoformat() for hours in (1, 2))
    return {
        "id": shown.id,
        "iCalUID": shown.ical_uid or f"{shown.id}@google.com",
        "organizer": {"email": "ann@example.com", "self": True},
        "start": {"dateTime": start},
        "end": {"dateTime": end},
        "updated": "2001-01-01T00:00:00Z",
        "conferenceData": {"conferenceId": claim.conference_id, **data},
    }


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.name}-{case.expected}")
def test_what_follows_from_a_recorded_event(case: Case) -> None:
    """Listed, read again where the plan asks for it, and recorded."""
    item = items(case.name)[case.which]
    if case.moved_to:
        start, end = ((NOW + hours * HOUR).isoformat() for hours in (1, 2))
        item = {**item, "start": {"dateTime": start}, "end": {"dateTime": end}}
    shown = parse_event(item)
    ledger, key = situation(case, shown)
    before = ledger.conferences[key]
    ledger.show(shown)
    assert outcome(ledger, key, before, ref(shown.id).link_key) == case.expected


def outcome(ledger: Ledger, key: str, before: Conference, link_key: str) -> str:
    """Say in one word what became of the conference."""
    after = ledger.conferences[key]
    if after.model_copy(update={"registered": before.registered}) == before:
        return "unchanged" if before.referents else "nothing"
    found = after.referents[link_key]
    if found.state == "gone":
        assert after.end_after is not None
        return "gone"
    if found.state == "orphaned":
        assert after.end_after is None
        return "orphaned"
    if found.role == "claimed":
        assert (after.desired, after.driver) == (None, None)
        return "claimed"
    assert after.driver == link_key
    return "told" if after.desired is not None else "over"


def test_enough_recorded_events_are_named() -> None:
    """At least twenty-five, in several situations."""
    assert len({case.name for case in CASES}) >= 25
    assert {case.expected for case in CASES} == {"told", "over", "claimed", "nothing", "gone", "orphaned", "unchanged"}


# --- series --------------------------------------------------------------------------------------------------------


def owned_here(name: str, conference_id: str) -> list[Event]:
    """Return the recorded events as their organizer would see them, not cancelled, with one Zoom conference."""
    data = {"conferenceId": conference_id, "conferenceSolution": {"name": "Zoom Meeting", "key": {"type": "addOn"}}}
    changed = {"organizer": {"email": "ann@example.com", "self": True}, "conferenceData": data}
    return [parse_event({**i, **(changed if "start" in i else {}), **_alive(i)}) for i in items(name)]


def _alive(item: dict[str, Any]) -> dict[str, Any]:
    return {"status": "confirmed"} if "start" in item else {}


def ledger_for(name: str) -> tuple[Ledger, list[Event], str]:
    """Return records in which the first recorded master is registered, and its key."""
    shown = owned_here(name, "93339998877")
    masters = [each for each in shown if each.recurrence]
    known = bare(Claim(provider="zoom", conference_id="93339998877"))
    registered = known.model_copy(update={"registered": registrations(masters[0])})
    ledger = Ledger.of(registered, terms=TERMS)
    ledger.put(*shown)
    return ledger, shown, known.key


SPLITS = {
    "compass-split-this-and-following-1-before": 2,
    "compass-split-this-and-following-2-after": 2,
    "compass-split-this-and-following-3": 2,
    "compass-edit-all-1": 2,
    "zoom-addon-series-split-chain-masters": 8,
    "zoom-addon-series2-split-with-exceptions": None,
}


@pytest.mark.parametrize(("name", "parts"), SPLITS.items())
@pytest.mark.parametrize("reverse", [False, True])
def test_a_recorded_chain_of_splits_is_one_conference_owned_by_its_masters(
    name: str, parts: int | None, reverse: bool
) -> None:
    """Each part is an owner, no exception is, in whatever order they are listed and one page each."""
    ledger, shown, key = ledger_for(name)
    masters = {ref(each.id).link_key for each in shown if each.recurrence}
    assert parts is None or len(masters) == parts
    for each in reversed(shown) if reverse else shown:
        ledger.settle({ref(each.id): Seen(each)})
    owners = {link for link, each in ledger.conferences[key].referents.items() if each.role == "owner"}
    assert owners == masters


@pytest.mark.parametrize("name", ["compass-edit-single-1", "compass-edit-single-2", "compass-edit-single-3"])
def test_recorded_exceptions_are_told_as_part_of_their_series(name: str) -> None:
    """Each moved instance once, none as an owner."""
    ledger, shown, key = ledger_for(name)
    ledger.settle({ref(each.id): Seen(each) for each in shown}, now=times_start(shown))
    desired = ledger.conferences[key].desired
    assert desired is not None
    assert desired.state is not None
    moved = [each for each in shown if each.recurring_event_id]
    differing = project(shown[0], moved, ALL_FIELDS).occurrences
    assert desired.state.occurrences == differing
    assert len(ledger.conferences[key].referents) == 1


@pytest.mark.parametrize(
    "name",
    [
        "compass-delete-single-instance-2",
        "compass-delete-this-and-following-1",
        "compass-delete-this-and-following-2-idonly-exception",
    ],
)
def test_a_recorded_cancelled_instance_ends_nothing(name: str) -> None:
    """Nor does the end of a series that was cut short."""
    ledger, shown, key = ledger_for(name)
    ledger.settle({ref(each.id): Seen(each) for each in shown}, now=times_start(shown))
    known = ledger.conferences[key]
    assert known.end_after is None
    assert known.desired is not None
    assert known.desired.state is not None
    cancelled = [each.cancelled for each in known.desired.state.occurrences]
    assert cancelled == [True] * sum(each.original_start_time is not None for each in shown[1:])


def times_start(shown: list[Event]) -> Any:
    """Return a moment shortly before the first recorded series begins."""
    when = times_of(shown[0])
    assert when is not None
    assert when.start.instant is not None
    return when.start.instant - DAY


def test_a_page_of_a_real_invitee_binds_nothing() -> None:
    """95 cancelled copies of two split Zoom series, seen as an attendee, every one registered by mistake."""
    shown = list(readable("nango-list-q-meeting-attendee-zoom-addon-splits"))
    ledger = Ledger.of(*conferences_of(shown, registered=True), terms=TERMS)
    ledger.put(*shown)
    found = ledger.settle({ref(each.id): Seen(each) for each in shown})
    assert ledger.conferences
    assert (found.links, found.conferences) == ((), ())


def test_a_page_of_250_recorded_tombstones_asks_for_nothing_that_is_not_linked() -> None:
    """Thirty of them scrubbed."""
    shown = list(readable("nango-list-updatedmin-showdeleted-page1"))
    assert sum(each.is_cancelled for each in shown) == 250
    ledger = Ledger.of(terms=TERMS)
    ledger.settle({ref(each.id): Seen(each) for each in shown})
    assert (ledger.readings, ledger.links) == ([], {})


# --- claims and pages ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "which", "expected"),
    [
        ("zoom-addon-attendee-copy-split-master-cancelled", 0, ("zoom", "27788692819")),
        ("teams-addon-canonical-shape", 0, ("teams", "48820278136147")),
        ("n8n-pindata-1-confirmed", 0, ("meet", "lzo-wyju-czz")),
        ("zoom-addon-series-split-chain-masters", 0, None),
        ("zoom-addon-series-split-chain-masters", 3, ("zoom", "27788692819")),
        ("zoom-in-description-only-master-before-addon", 0, None),
        ("gdata-endtimeunspecified-creator-by-id", 0, ("meet", "4c8e9483-4ae3-44eb-94d4-206c3a3bfa3d")),
        ("event-privatecopy-outlook-import", 0, None),
        ("addon-minimal-variants", 0, None),
        ("addon-minimal-variants", 3, None),
    ],
)
def test_what_a_recorded_event_claims(name: str, which: int, expected: tuple[str, str] | None) -> None:
    """By the solution it names, never by a link in its text."""
    claim = claim_of(event_of(name, which), SOLUTIONS)
    assert (claim and (claim.provider, claim.conference_id)) == expected


@pytest.mark.parametrize(
    ("name", "writer", "next_page", "next_sync"),
    [
        ("compass-create-recurring", True, False, True),
        ("nango-list-empty-with-nextpagetoken", True, True, False),
        ("nango-list-empty-no-tokens", True, False, False),
        ("nango-list-updatedmin-showdeleted-page1", True, True, False),
        ("freebusyreader-redacted-list", False, False, False),
        ("libkgapi-events-page1", True, True, False),
    ],
)
def test_what_a_recorded_page_is_good_for(name: str, writer: bool, next_page: bool, next_sync: bool) -> None:
    """Whether it was shown in full, and what comes next."""
    page = parse_page(json.dumps(payload(name)).encode())
    assert (page.read_as_writer, page.next_page_token is not None, page.next_sync_token is not None) == (
        writer,
        next_page,
        next_sync,
    )


def test_recorded_push_headers() -> None:
    """Calendar's are notifications where a token was set; Drive's and a made-up state are not."""
    accepted = {}
    for name in names("headers"):
        found = payload(name)
        for number, headers in enumerate(found if isinstance(found, list) else [found]):
            accepted[f"{name}-{number}"] = is_notification(headers)
    assert accepted["headers-push-exists-2015-0"]
    assert not accepted["headers-push-drive-change-2024-0"]


def is_notification(headers: dict[str, str]) -> bool:
    """Whether the headers are taken, with the names as our server would spell them."""
    spelt = {
        "-".join(part.capitalize() for part in key.split("-")).replace("Id", "ID"): v for key, v in headers.items()
    }
    try:
        Notification.from_headers(spelt)
    except NotificationRejected:
        return False
    return True


def test_the_calendar_is_ours() -> None:
    """All of these were shown in one calendar."""
    assert ref("x").calendar_key == HERE
