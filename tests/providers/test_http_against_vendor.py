"""The provider against the sample vendor's server: every answer class and every fault, over HTTP."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from uuid import uuid4

import httpx
import pytest

from confsync.core.state import ConferenceState
from confsync.errors import (
    ConferenceGone,
    ConferenceStale,
    OutcomeUnknown,
    ProviderBusy,
    ProviderError,
    ProviderRefusesUs,
    ProviderRejected,
)
from confsync.local.stack_parts import SOLUTION_NAME
from confsync.local.vendor.server import Vendor, serving
from confsync.ports import ConferenceCall, CreateCall
from confsync.providers.http import HttpProvider


@pytest.fixture(scope="module")
def server() -> Iterator[Vendor]:
    """Run the sample vendor, in memory, for all tests of this file."""
    with serving(["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"]) as running:
        yield running


@pytest.fixture
def vendor(server: Vendor) -> Vendor:
    """Return the sample vendor without faults."""
    server.back_end.faults.clear()
    return server


@pytest.fixture
def call(call: ConferenceCall) -> ConferenceCall:
    """Return a call about a conference of its own."""
    return replace(call, conference_id=f"conf-{uuid4()}")


@pytest.fixture
def create_call(create_call: CreateCall) -> CreateCall:
    """Return a creation of its own, in the place of a conference of its own."""
    return replace(create_call, operation_id=f"op_{uuid4().hex}", replaces=f"conf-{uuid4()}")


@pytest.fixture
def provider(vendor: Vendor, provider_for: Any) -> HttpProvider:
    """Make a provider for it."""
    made: HttpProvider = provider_for(vendor.endpoint)
    return made


def _set_fault(vendor: Vendor, **fault: object) -> None:
    httpx.post(f"{vendor.url}/_local/faults", json={"times": 1, **fault}).raise_for_status()


def _stored(vendor: Vendor, call: ConferenceCall) -> dict[str, Any]:
    """Return what is stored of the call's conference, with generation 0 where there is nothing."""
    found = httpx.get(f"{vendor.url}/_local/conferences").json()["conferences"]
    stored: dict[str, dict[str, Any]] = {conference["conference_id"]: conference for conference in found}
    return stored.get(call.conference_id, {"generation": 0})


def _logged(vendor: Vendor, call: ConferenceCall) -> list[dict[str, Any]]:
    log = httpx.get(f"{vendor.url}/_local/calls").json()["calls"]
    return [entry for entry in log if entry["conference_id"] == call.conference_id]


def test_a_ping_passes(provider: HttpProvider) -> None:
    """Address, key and contract are in order."""
    provider.ping()


def test_a_conference_of_the_add_on_is_updated_ended_and_revived(
    vendor: Vendor, provider: HttpProvider, call: ConferenceCall
) -> None:
    """The whole life of a conference, under the id that the add-on got."""
    created = httpx.post(f"{vendor.url}/api/conferences", json={"title": "New meeting"}).json()
    conference_id = created["conference_id"]
    assert created["join_url"] == f"{vendor.url}/join/{conference_id}"
    call = replace(call, conference_id=conference_id)

    provider.update(call)
    assert _stored(vendor, call)["desired"]["title"] == "Weekly planning"
    assert httpx.get(created["join_url"]).status_code == 200
    provider.end(replace(call, generation=8, operation_id="op_8", state=None))
    assert _stored(vendor, call)["state"] == "ended"
    assert httpx.get(created["join_url"]).status_code == 410
    provider.update(replace(call, generation=9, operation_id="op_9"))
    assert _stored(vendor, call)["state"] == "live"
    assert httpx.get(created["join_url"]).status_code == 200


def test_an_unknown_conference_counts_as_ended_and_stays_so(
    vendor: Vendor, provider: HttpProvider, call: ConferenceCall
) -> None:
    """An end that overtakes the update keeps the late update out."""
    provider.end(replace(call, generation=8, operation_id="op_8", state=None))
    with pytest.raises(ConferenceStale) as error:
        provider.update(call)
    assert error.value.stored_generation == 8
    assert _stored(vendor, call)["state"] == "ended"


def test_a_repeated_call_is_applied_once(vendor: Vendor, provider: HttpProvider, call: ConferenceCall) -> None:
    """The same operation again is answered as done and changes nothing."""
    provider.update(call)
    before = _stored(vendor, call)
    provider.update(call)
    assert _stored(vendor, call) == before
    log = _logged(vendor, call)
    assert [entry["outcome"] for entry in log] == ["applied", "repeated"]
    assert {entry["operation_id"] for entry in log} == {call.operation_id}


def test_a_state_that_the_vendor_rejects_names_the_field_and_not_its_content(
    provider: HttpProvider, call: ConferenceCall
) -> None:
    """Generation 0 is no generation: the problem's field error reaches the operator."""
    with pytest.raises(ProviderRejected, match=r"data\.generation") as error:
        provider.update(replace(call, generation=0))
    assert "planning" not in str(error.value)


def test_another_key_for_the_same_conference_is_rejected(provider: HttpProvider, call: ConferenceCall) -> None:
    """Two senders never fight over a conference: the first one's key is bound."""
    provider.update(call)
    with pytest.raises(ProviderRejected, match="key-mismatch"):
        provider.update(replace(call, conference_key="key-2", generation=8))


def test_a_key_that_the_vendor_does_not_know_is_refused(
    vendor: Vendor, provider_for: Any, call: ConferenceCall, other_secret: str
) -> None:
    """A wrong secret shows at once and changes nothing."""
    with pytest.raises(ProviderRefusesUs, match="signing secret"):
        provider_for(vendor.endpoint, other_secret).update(call)
    assert _stored(vendor, call) == {"generation": 0}


@pytest.mark.parametrize("ours_first", [True, False])
def test_a_rotation_works_whoever_changes_keys_first(
    provider_for: Any, call: ConferenceCall, secret: str, other_secret: str, ours_first: bool
) -> None:
    """With two keys on either side, the other side may know only one of them."""
    theirs, ours = ([secret], [other_secret, secret]) if ours_first else ([secret, other_secret], [other_secret])
    with serving(theirs) as vendor:
        provider_for(vendor.endpoint, *ours).update(call)


def test_a_wrong_path_is_refused(vendor: Vendor, provider_for: Any, call: ConferenceCall) -> None:
    """A 404 without a problem body speaks of the address."""
    with pytest.raises(ProviderRefusesUs, match="address"):
        provider_for(f"{vendor.url}/wrong").update(call)


@pytest.mark.parametrize("retry_after", ["seconds", "http-date", "iso-8601"])
@pytest.mark.parametrize("status", [429, 503])
def test_a_busy_vendor_says_how_long_to_wait(
    vendor: Vendor, provider: HttpProvider, call: ConferenceCall, status: int, retry_after: str
) -> None:
    """Each form of the header is understood, nothing is applied, and the same call passes later."""
    _set_fault(vendor, kind="status", status=status, retry_after=retry_after, retry_after_s=3600)
    with pytest.raises(ProviderBusy) as error:
        provider.update(call)
    assert error.value.retry_after_s is not None
    assert 3500 < error.value.retry_after_s <= 3600
    assert _stored(vendor, call)["generation"] == 0
    provider.update(call)
    assert _stored(vendor, call)["generation"] == 7


def _named(value: object) -> str:
    return "-".join(map(str, value.values())) if isinstance(value, dict) else getattr(value, "__name__", "")


FAULTS: list[tuple[dict[str, Any], type[ProviderError]]] = [
    ({"kind": "status", "status": 503}, ProviderBusy),
    ({"kind": "status", "status": 500}, OutcomeUnknown),
    ({"kind": "status", "status": 502}, OutcomeUnknown),
    ({"kind": "status", "status": 401}, ProviderRefusesUs),
    ({"kind": "status", "status": 302}, ProviderRefusesUs),
    ({"kind": "status", "status": 400}, ProviderRejected),
    ({"kind": "status", "status": 409}, ProviderBusy),
    ({"kind": "status", "status": 410}, ProviderRefusesUs),
    ({"kind": "stale"}, ConferenceStale),
    ({"kind": "reset"}, OutcomeUnknown),
    ({"kind": "hang"}, OutcomeUnknown),
]


@pytest.mark.parametrize(("fault", "expected"), FAULTS, ids=_named)
@pytest.mark.parametrize("after_effect", [False, True], ids=["before effect", "after effect"])
def test_each_fault_means_what_the_table_says(
    vendor: Vendor, provider_for: Any, call: ConferenceCall, fault: dict[str, Any], *, expected: Any, after_effect: bool
) -> None:
    """The error depends on what we see, the effect on what happened; a newer generation then puts things right."""
    provider = provider_for(vendor.endpoint, timeout_s=1.0 if fault["kind"] == "hang" else 10.0)
    _set_fault(vendor, **fault, after_effect=after_effect)
    with pytest.raises(expected):
        provider.update(call)
    assert _stored(vendor, call)["generation"] == (7 if after_effect else 0)
    provider.update(replace(call, generation=20, operation_id="op_20"))
    assert _stored(vendor, call)["generation"] == 20


def test_a_false_stale_answer_raises_the_generation(
    vendor: Vendor, provider: HttpProvider, call: ConferenceCall
) -> None:
    """The vendor claims to hold a generation above ours: that is the one to go beyond."""
    _set_fault(vendor, kind="stale")
    with pytest.raises(ConferenceStale) as error:
        provider.update(call)
    assert error.value.stored_generation > call.generation


def test_a_slow_answer_within_the_time_is_an_answer(
    vendor: Vendor, provider: HttpProvider, call: ConferenceCall
) -> None:
    """Slow is not broken."""
    _set_fault(vendor, kind="slow", delay_ms=50)
    provider.update(call)
    assert _stored(vendor, call)["generation"] == 7


def test_the_log_of_calls_tells_what_went_wrong_and_holds_nothing_of_the_event(
    vendor: Vendor, provider: HttpProvider, call: ConferenceCall
) -> None:
    """Fault, effect and status stand side by side, without title and people."""
    _set_fault(vendor, kind="reset", after_effect=True)
    with pytest.raises(OutcomeUnknown):
        provider.update(call)
    (entry,) = _logged(vendor, call)
    assert (entry["fault"], entry["outcome"], entry["status"]) == ("reset after effect", "applied", None)
    assert "planning" not in str(entry)
    assert "example.com" not in str(entry)


def test_what_arrives_is_what_was_meant(vendor: Vendor, provider: HttpProvider, call: ConferenceCall) -> None:
    """A title in any script, with quotes and markup, comes through unchanged."""
    title = 'Gr\u00fc\u00dfe \u2014 \u4f1a\u8b70 \U0001f600 "quoted" <b>\\n'
    provider.update(replace(call, state=ConferenceState(title=title)))
    assert _stored(vendor, call)["desired"]["title"] == title


def _made_in_the_place_of(vendor: Vendor, conference_id: str) -> list[dict[str, Any]]:
    found = httpx.get(f"{vendor.url}/_local/conferences").json()["conferences"]
    return [conference for conference in found if conference["replaces"] == conference_id]


def test_a_made_conference_can_be_joined_and_lives_on_under_its_own_id(
    vendor: Vendor, provider: HttpProvider, call: ConferenceCall, create_call: CreateCall
) -> None:
    """Its link works at once, the solution is the stack's, and the first call binds the key."""
    made = provider.create(create_call)
    (entry_point,) = made.conference_data["entryPoints"]
    assert made.conference_data["conferenceSolution"]["name"] == SOLUTION_NAME
    assert "Weekly planning" in httpx.get(entry_point["uri"]).text
    first = replace(call, conference_id=made.conference_id, generation=2, state=ConferenceState(title="Later"))
    provider.update(first)
    (stored,) = _made_in_the_place_of(vendor, create_call.replaces)
    assert (stored["conference_id"], stored["key"], stored["generation"]) == (made.conference_id, "key-1", 2)
    assert "Later" in httpx.get(entry_point["uri"]).text


@pytest.mark.parametrize("kind", ["reset", "hang", "status"])
def test_a_creation_whose_answer_was_lost_yields_the_same_conference_again(
    vendor: Vendor, provider_for: Any, create_call: CreateCall, kind: str
) -> None:
    """One conference, also when the event was renamed between the attempts."""
    provider = provider_for(vendor.endpoint, timeout_s=1.0 if kind == "hang" else 10.0)
    _set_fault(vendor, kind=kind, status=502, after_effect=True)
    with pytest.raises(OutcomeUnknown):
        provider.create(create_call)
    again = provider.create(replace(create_call, state=ConferenceState(title="Renamed")))
    assert provider.create(create_call) == again
    (stored,) = _made_in_the_place_of(vendor, create_call.replaces)
    assert stored["conference_id"] == again.conference_id
    assert stored["desired"]["title"] == "Weekly planning"
    log = httpx.get(f"{vendor.url}/_local/calls").json()["calls"]
    mine = [entry["outcome"] for entry in log if entry["conference_id"] == create_call.replaces]
    assert mine == ["created", "repeated", "repeated"]


def test_a_creation_that_had_no_effect_is_made_by_the_next_attempt(
    vendor: Vendor, provider: HttpProvider, create_call: CreateCall
) -> None:
    """A lost request costs time, not a second conference."""
    _set_fault(vendor, kind="reset", types=["conference.create"])
    with pytest.raises(OutcomeUnknown):
        provider.create(create_call)
    assert _made_in_the_place_of(vendor, create_call.replaces) == []
    provider.create(create_call)
    assert len(_made_in_the_place_of(vendor, create_call.replaces)) == 1


def test_each_operation_makes_a_conference_of_its_own(
    vendor: Vendor, provider: HttpProvider, call: ConferenceCall, create_call: CreateCall
) -> None:
    """Two copies of an event get one each, and the conference that both named lives on."""
    provider.update(replace(call, conference_id=create_call.replaces))
    copies = [provider.create(replace(create_call, operation_id=f"op_{uuid4().hex}")) for _ in range(2)]
    stored = _stored(vendor, replace(call, conference_id=create_call.replaces))
    assert stored["state"] == "live"
    assert stored["replaced_by"] == [made.conference_id for made in copies]
    assert len(set(stored["replaced_by"])) == 2


def test_a_back_end_that_does_not_restore_says_so_for_good(
    provider_for: Any, secret: str, call: ConferenceCall, create_call: CreateCall
) -> None:
    """Whatever the generation; a new conference takes the place, and the old page leads to it."""
    with serving([secret], restores=False) as vendor:
        provider = provider_for(vendor.endpoint)
        provider.update(call)
        provider.end(replace(call, generation=8, operation_id="op_8", state=None))
        with pytest.raises(ConferenceGone):
            provider.update(replace(call, generation=9, operation_id="op_9"))
        provider.end(replace(call, generation=10, operation_id="op_10", state=None))
        made = provider.create(replace(create_call, replaces=call.conference_id))
        old = httpx.get(f"{vendor.url}/join/{call.conference_id}")
        assert old.status_code == 410
        assert f'<a href="{made.conference_id}">' in old.text
        assert _stored(vendor, call)["replaced_by"] == [made.conference_id]


def test_the_host_is_who_had_the_conference_made_and_no_later_organizer(
    vendor: Vendor, provider: HttpProvider, call: ConferenceCall, create_call: CreateCall, state: ConferenceState
) -> None:
    """An event that only claims the conference cannot make its organizer the host."""
    body = {"title": "New", "organizer": {"email": "cy@example.com"}}
    of_the_add_on = httpx.post(f"{vendor.url}/api/conferences", json=body).json()["conference_id"]
    made = provider.create(create_call).conference_id
    provider.update(call)
    hosts = {of_the_add_on: "cy@example.com", made: "anna@example.com", call.conference_id: "anna@example.com"}
    forged = state.model_copy(update={"organizer": "eve@example.com"})
    for conference_id in hosts:
        provider.update(replace(call, conference_id=conference_id, generation=9, operation_id="op_9", state=forged))
        provider.end(replace(call, conference_id=conference_id, generation=10, operation_id="op_10", state=None))
    assert {conference_id: provider.host_of(conference_id) for conference_id in hosts} == hosts


def test_nobody_hosts_an_unknown_conference(provider: HttpProvider, vendor: Vendor) -> None:
    """None is no permission to end anything; nor is a conference that was made for nobody."""
    assert provider.host_of("conf-unknown") is None
    made = httpx.post(f"{vendor.url}/api/conferences", json={"title": "New"}).json()["conference_id"]
    assert provider.host_of(made) is None
