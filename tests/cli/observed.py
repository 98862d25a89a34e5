"""A store that a world in one process filled until now, and the settings of a worker that reads it.

The commands read the real clock, so the world's ends a little before it.
"""

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal

from click.testing import CliRunner, Result

from confsync.adapters.sqlite import SqliteStore
from confsync.cli.main import main
from confsync.core.records import Calendar
from confsync.core.rules import Rules
from tests.world import World, times

NOWHERE = "http://127.0.0.1:9"
QUEUE = "projects/p/locations/l/queues/q"
SOLUTION = {"provider": "acme", "names": ["Sample Meetings"], "url": NOWHERE, "secrets": ["whsec_" + "A" * 32]}
SECRET = "Secret title"
SETTINGS = {
    "TASK_QUEUE": QUEUE,
    "CONFERENCE_QUEUE": QUEUE,
    "TASKS_ENDPOINT": NOWHERE,
    "SYNC_CALENDAR_URL": NOWHERE,
    "NOTIFICATION_URL": NOWHERE,
    "CHANNEL_TOKEN_KEYS": "k1:MDEyMzQ1Njc4OWFiY2RlZg==",
    "SIGN_IN": "local",
    "CALENDAR_ENDPOINT": f"{NOWHERE}/calendar/v3/",
    "CONFERENCE_SOLUTIONS": json.dumps([SOLUTION]),
}


@dataclass(frozen=True)
class Desk:
    """A world, and a shell with the settings of its worker."""

    world: World
    environment: dict[str, str]
    mode: Literal["act", "observe"]

    def run(self, *words: str) -> Result:
        """Run `confsync` with these words."""
        return CliRunner().invoke(main, words, env={**self.environment, "MODE": self.mode})

    def add(self, conference_id: str, **fields: Any) -> str:
        """Let Ann create and register an event of tomorrow, with a guest."""
        tomorrow = times(self.world.now + timedelta(days=1))
        given = {"attendees": [{"email": "guest@example.com"}], **tomorrow, **fields}
        return self.world.add(SECRET, conference_id, **given)


def desk(folder: Path, mode: Literal["act", "observe"] = "observe") -> Desk:
    """Return a world that begins 45 minutes ago, so that no end waits longer than the brake counts, and a shell."""
    world = World(rules=Rules(mode=mode), store=SqliteStore(folder / "confsync.db"))
    world.store.get(Calendar, "")  # makes the file, as the first call of a function does
    world.now = datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=45)
    world.next_run = world.now + timedelta(minutes=1)
    return Desk(world, {**SETTINGS, "STORE": f"sqlite:{folder}/confsync.db"}, mode)
