"""An event gets another conference, over the provider contract: use cases, provider and sample vendor together."""

from typing import Any

from confsync.core.capabilities import Capabilities
from confsync.local.vendor.faults import Fault
from confsync.local.vendor.server import serving
from confsync.providers.http import ALL_FIELDS, HttpProvider
from tests.world import ANN, World

CAPABILITIES = Capabilities(ALL_FIELDS, ordered_writes=True, restores=False, creates=True, tells_host=True)


def test_an_event_that_is_back_gets_one_new_conference_though_the_first_answer_was_lost(
    provider_for: Any, secret: str
) -> None:
    """Where nothing is restored: one conference is made, the event holds it, and from then on it follows the event."""
    with serving([secret], restores=False) as vendor:
        world = World(capabilities=CAPABILITIES)
        provider: HttpProvider = provider_for(vendor.endpoint)
        world.providers["acme"] = provider
        event_id = world.add("Planning", "old")
        world.settle()
        world.delete(event_id)
        world.settle()
        lost = Fault(kind="reset", times=1, after_effect=True, types=frozenset({"conference.create"}))
        vendor.back_end.faults.add(lost)
        world.edit(event_id, status="confirmed")
        world.settle()
        world.edit(event_id, summary="Renamed")
        world.settle()

        stored = {conference.conference_id: conference for conference in vendor.back_end.storage.page("", 10)}
        (made,) = (conference for conference in stored.values() if conference.replaces == "old")
        assert stored.keys() == {"old", made.conference_id}
        assert (stored["old"].state, made.state, made.desired.title) == ("ended", "live", "Renamed")
        shown = world.model.get(ANN, "primary", event_id)["conferenceData"]
        assert shown["conferenceId"] == made.conference_id
        assert provider.host_of(made.conference_id) == ANN
        log = [entry["outcome"] for entry in vendor.back_end.storage.calls_after(0, 100)]
        assert log == ["applied", "ended", "created", "repeated", "applied", "told"]
