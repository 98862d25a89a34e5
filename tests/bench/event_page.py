"""A page of events.list as a busy calendar gives it under our `fields` mask, and what confsync has recorded of it.

The same bytes each time. It must never be used where the meaning of single events matters: tests have their own.
"""

import json
import random
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, get_args

from confsync.core.capabilities import Capabilities
from confsync.core.conference import Conference, Registration
from confsync.core.planning import Recorded
from confsync.core.records import Calendar, Link
from confsync.core.rules import Rules
from confsync.core.solutions import Solution
from confsync.core.state import Field
from confsync.core.terms import Terms

ANN = "ann@example.com"
CALENDAR_KEY = Calendar.key_for("default", ANN, ANN)
NOW = datetime(2026, 11, 22, 9, tzinfo=UTC)
TERMS = Terms(
    tenant="default",
    solutions=[Solution(provider="acme", names=frozenset({"Acme Meetings"}), key_types=frozenset({"addOn"}))],
    capabilities={"acme": Capabilities(frozenset(get_args(Field)))},
    rules=Rules(),
)
_TITLES = (
    "Weekly planning",
    "Entretien avec toute l'équipe",
    "Kundentermin Zürich",
    "1:1",
    "Review of the quarter",
    "昼食会",
)
_PEOPLE = tuple(f"person.{number}@example.com" for number in range(60))


@dataclass(frozen=True)
class Shares:
    """Which part of the events has which conference; the others have none."""

    ours: float
    meet: float


def page(shares: Shares, events: int = 2500) -> bytes:
    """Return the body of an answer with so many events, spread over a year."""
    rng = random.Random(f"{shares} {events}")  # noqa: S311  # the same page each time, not a secret
    items = [_event(rng, number, shares) for number in range(events)]
    answer = {"accessRole": "owner", "nextSyncToken": "CPDAlvWDx70CEPDAlvWDx70CGAU=", "items": items}
    return json.dumps(answer, ensure_ascii=False, indent=1).encode()


def _event(rng: random.Random, number: int, shares: Shares) -> dict[str, Any]:
    event_id = "".join(rng.choices("0123456789abcdefghijklmnopqrstuv", k=26))
    start = NOW + timedelta(days=rng.randrange(365), minutes=15 * rng.randrange(40))
    end = start + timedelta(minutes=rng.choice((15, 30, 60, 90)))
    event = {
        "id": event_id,
        "status": "confirmed",
        "etag": f'"{rng.randrange(10**16)}"',
        "iCalUID": f"{event_id}@google.com",
        "organizer": {"email": ANN, "self": True},
        "summary": f"{rng.choice(_TITLES)} {number}",
        "start": {"dateTime": start.strftime("%Y-%m-%dT%H:%M:%SZ"), "timeZone": "Europe/Zurich"},
        "end": {"dateTime": end.strftime("%Y-%m-%dT%H:%M:%SZ"), "timeZone": "Europe/Zurich"},
        "sequence": rng.randrange(4),
        "updated": (NOW - timedelta(seconds=rng.randrange(10**7))).strftime("%Y-%m-%dT%H:%M:%S.123Z"),
        "eventType": "default",
    }
    return {**event, **_sometimes(rng), **_conference(rng, number, shares)}


def _sometimes(rng: random.Random) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if rng.random() < 0.4:
        found["description"] = "Agenda:\n" + "- one more point to talk about\n" * rng.randrange(1, 12)
    if rng.random() < 0.25:
        found["location"] = "Meeting room 3, Bahnhofstrasse 1, 8001 Zürich, Schweiz"
    if rng.random() < 0.8:
        found["attendees"] = [{"email": email} for email in rng.sample(_PEOPLE, rng.randrange(1, 9))]
        found["attendees"].append({"email": ANN, "self": True})
    if rng.random() < 0.06:
        found["recurrence"] = [f"RRULE:FREQ=WEEKLY;BYDAY={rng.choice(('MO', 'TU', 'FR'))}"]
    return found


def _conference(rng: random.Random, number: int, shares: Shares) -> dict[str, Any]:
    kind = rng.random()
    if kind < shares.ours:
        return {"conferenceData": _data(f"conf-{number}", "addOn", "Acme Meetings", "https://meet.acme.example/")}
    if kind < shares.ours + shares.meet:
        return {"conferenceData": _data(f"abc-{number}", "hangoutsMeet", "Google Meet", "https://meet.google.com/")}
    return {}


def _data(conference_id: str, key_type: str, name: str, base: str) -> dict[str, Any]:
    entry_points = [
        {"entryPointType": "video", "uri": f"{base}{conference_id}"},
        {"entryPointType": "phone", "uri": "tel:+41-44-555-0100"},
    ]
    solution = {"key": {"type": key_type}, "name": name}
    return {"conferenceId": conference_id, "conferenceSolution": solution, "entryPoints": entry_points}


def registered(content: bytes) -> Recorded:
    """Return the records of a calendar whose add-on has registered each conference of the page; not yet synced."""
    claims = {str(item["id"]): _claimed(item) for item in json.loads(content)["items"]}
    conferences = [_registered(event_id, claimed) for event_id, claimed in claims.items() if claimed is not None]
    return Recorded({}, {conference.key: conference for conference in conferences})


def _claimed(item: Mapping[str, Any]) -> str | None:
    data = item.get("conferenceData", {})
    return data["conferenceId"] if data and data["conferenceSolution"]["key"]["type"] == "addOn" else None


def _registered(event_id: str, conference_id: str) -> Conference:
    vouched = Registration(calendar_key=CALENDAR_KEY, event_id=event_id, at=datetime(2026, 1, 1, tzinfo=UTC))
    return Conference(
        key=Conference.key_for("default", "acme", conference_id),
        tenant="default",
        provider="acme",
        conference_id=conference_id,
        registered={Link.key_for(CALENDAR_KEY, event_id): vouched},
    )
