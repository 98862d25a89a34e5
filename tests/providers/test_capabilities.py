"""What a vendor says of its back end in CONFERENCE_SOLUTIONS, and what becomes of it."""

import json
from datetime import timedelta
from typing import Any, get_args

import pytest

from confsync import worker_parts
from confsync.core.capabilities import Capabilities
from confsync.core.state import Field
from confsync.errors import SettingsError
from confsync.settings import WorkerSettings
from confsync.settings_solutions import SolutionSettings

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
ENTRY = {"provider": "acme", "names": ["Acme Meet"], "url": "https://acme.example/hooks", "secrets": [SECRET]}
QUEUE = "projects/p/locations/l/queues/sync"


def _settings(*entries: dict[str, Any]) -> WorkerSettings:
    return WorkerSettings.from_mapping(
        {
            "TASK_QUEUE": QUEUE,
            "CONFERENCE_QUEUE": QUEUE,
            "SYNC_CALENDAR_URL": "https://worker.example",
            "NOTIFICATION_URL": "https://receiver.example",
            "CHANNEL_TOKEN_KEYS": "k1:bmV3LWtleS1uZXcta2V5LQ==",
            "STORE": "sqlite:/tmp/never-opened.db",
            "CONFERENCE_SOLUTIONS": json.dumps(entries),
        }
    )


def test_who_says_nothing_is_told_everything_and_restores() -> None:
    """The contract as it was before there was anything to say."""
    said = SolutionSettings.model_validate(ENTRY).capabilities()
    assert said == Capabilities(carries=frozenset(get_args(Field)), ordered_writes=True, restores=True)


def test_what_the_vendor_says_reaches_the_provider_and_the_planner() -> None:
    """Every member, under the provider's name."""
    says = {
        "carries": ["title", "time"],
        "restores": False,
        "creates": True,
        "tells_host": True,
        "shortest_minutes": 5,
        "longest_minutes": 60,
    }
    settings = _settings({**ENTRY, **says}, {**ENTRY, **says, "names": ["Acme Webinar"]})
    expected = Capabilities(
        carries=frozenset({"title", "time"}),
        ordered_writes=True,
        restores=False,
        creates=True,
        tells_host=True,
        shortest=timedelta(minutes=5),
        longest=timedelta(hours=1),
    )
    providers = worker_parts.providers(settings)
    assert providers["acme"].capabilities == expected
    assert worker_parts.terms(settings, providers).capabilities == {"acme": expected}


@pytest.mark.parametrize(
    ("says", "complaint"),
    [
        ({"creates": "yes"}, "0.creates: .*valid boolean"),
        ({"tells_host": 1}, "0.tells_host: .*valid boolean"),
        ({"restores": None}, "0.restores: .*valid boolean"),
        ({"carries": ["title", "colour"]}, "0.carries.1: .*'title', 'description'"),
        ({"carries": "title"}, "0.carries: .*frozenset"),
        ({"shortest_minutes": 0}, "0.shortest_minutes: .*greater than or equal to 1"),
        ({"longest_minutes": "60"}, "0.longest_minutes: .*valid integer"),
        ({"longest_minutes": 10**9}, "0.longest_minutes: .*less than or equal to 525600"),
        ({"shortest_minutes": 60, "longest_minutes": 5}, "0: shortest_minutes is above longest_minutes"),
        ({"makes": True}, "0.makes: .*not permitted"),
    ],
)
def test_a_wrong_word_is_named(says: dict[str, Any], complaint: str) -> None:
    """Position, member and what is expected; never a secret."""
    with pytest.raises(SettingsError, match=complaint) as error:
        _settings({**ENTRY, **says})
    assert SECRET not in str(error.value)


@pytest.mark.parametrize("differs", [{"creates": True}, {"url": "https://other.example/"}, {"queue": QUEUE}])
def test_the_entries_of_one_provider_agree(differs: dict[str, Any]) -> None:
    """Two solutions may share a back end, but it cannot be two things at once."""
    with pytest.raises(SettingsError, match="provider 'acme' is described in two ways"):
        _settings(ENTRY, {**ENTRY, "names": ["Acme Webinar"], **differs})
    _settings(ENTRY, {**ENTRY, "provider": "other", **differs})
