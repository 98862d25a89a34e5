"""How long a page of 2,500 events takes from bytes to plan, beside reading the same bytes as JSON only.

Processor time, in one process; the store is left out. It must never plan less than production does.
"""

import gc
import itertools
import json
import time
from collections.abc import Callable
from functools import partial

from gcal_sync.api import _ListEventsResponseModel

from confsync.core.events import Event, parse_event, parse_page
from confsync.core.planning import Recorded, concerns_us, conference_keys, link_keys, plan
from confsync.core.records import EventRef
from confsync.core.sight import Seen
from confsync.listed_items import _names_ours
from tests.bench.event_page import CALENDAR_KEY, NOW, TERMS, Shares, page, registered
from tests.bench.figures import Figure, Target, alternate, compared

NAME = "listing_page"
ROUNDS = 9
_VARIETIES = {
    "10 % ours": Shares(ours=0.1, meet=0.0),
    "10 % ours, 40 % Meet": Shares(ours=0.1, meet=0.4),
    "100 % ours": Shares(ours=1.0, meet=0.0),
}


def measure() -> list[Figure]:
    """Measure each variety of the page."""
    return list(itertools.chain.from_iterable(_measure(what, page(shares)) for what, shares in _VARIETIES.items()))


def _measure(what: str, content: bytes) -> list[Figure]:
    recorded = _plan_all(_of_interest(content, Recorded({}, {})), registered(content))
    _ListEventsResponseModel.model_rebuild()
    sides: dict[str, Callable[[], object]] = {
        "ours": lambda: _plan_all(_of_interest(content, recorded), recorded),
        "json": lambda: json.loads(content),
        "gcal_sync": lambda: _ListEventsResponseModel(**json.loads(content), private_calendar_id="primary"),
    }
    took = alternate({name: partial(_cpu_ms, side) for name, side in sides.items()}, ROUNDS)
    goal = Target("at most", 1.5) if what.startswith("10 %") else None
    return [
        compared(NAME, f"bytes to plan, {what}", "ms", took["ours"], took["json"], peer_is="json.loads", target=goal),
        compared(NAME, "  beside gcal-sync's parse", "ms", took["ours"], took["gcal_sync"], peer_is="gcal-sync"),
    ]


def _cpu_ms(side: Callable[[], object]) -> float:
    gc.collect()
    started = time.process_time()
    side()
    return (time.process_time() - started) * 1000


def _of_interest(content: bytes, recorded: Recorded) -> list[Event]:
    """Do what a listing does with a page before it records it."""
    known = {link.event_id: link for link in recorded.links.values()}
    items = parse_page(content).items
    ours = [_names_ours(item, TERMS.solutions) for item in items]
    pairs = zip(items, ours, strict=True)
    events = [
        parse_event(e) for e, is_ours in pairs if is_ours or e["id"] in known or e.get("recurringEventId") in known
    ]
    return [event for event in events if concerns_us(event, recorded.links, CALENDAR_KEY, TERMS)]


def _plan_all(events: list[Event], recorded: Recorded) -> Recorded:
    """Plan chunk by chunk, each from the records that it needs; return what is recorded then."""
    links, conferences = dict(recorded.links), dict(recorded.conferences)
    for start in range(0, len(events), TERMS.rules.chunk_size):
        chunk = events[start : start + TERMS.rules.chunk_size]
        sight = {EventRef(CALENDAR_KEY, event.id): Seen(event) for event in chunk}
        of_chunk = {key: links[key] for key in link_keys(sight, CALENDAR_KEY) if key in links}
        tied = {key: conferences[key] for key in conference_keys(sight, of_chunk, TERMS) if key in conferences}
        found = plan(CALENDAR_KEY, sight, Recorded(of_chunk, tied), TERMS, now=NOW, listing=1)
        links.update({link.key: link for link in found.links})
        conferences.update({conference.key: conference for conference in found.conferences})
    return Recorded(links, conferences)
