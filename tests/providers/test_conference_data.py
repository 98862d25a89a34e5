"""What a back end may put into an event, and what is refused before it gets there."""

import json
from importlib import resources
from typing import Any

import pytest

from confsync.providers.conference_data import (
    LARGEST_CONFERENCE_DATA,
    URI_SCHEMES,
    ConferenceData,
    ConferenceDataRejected,
    checked_conference_data,
)

VIDEO = {"entryPointType": "video", "uri": "https://acme.example/j/c-2"}
PHONE = {"entryPointType": "phone", "uri": "tel:+15550100,,2#"}
SOLUTION = {"key": {"type": "addOn"}, "name": "Acme Meet"}
PLAIN: dict[str, Any] = {"conferenceId": "c-2", "conferenceSolution": SOLUTION, "entryPoints": [VIDEO]}


def _parameters(**parameters: str) -> dict[str, Any]:
    return {"addOnParameters": {"parameters": parameters}}


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"notes": "<b>Bring coffee</b>"},
        {"parameters": _parameters(meeting="c-2")},
        {"parameters": {}},
        {"conferenceSolution": {**SOLUTION, "iconUri": "https://acme.example/icon.png"}},
        {"entryPoints": [PHONE]},
        {"entryPoints": [VIDEO, PHONE, PHONE, {"entryPointType": "more", "uri": "https://acme.example/phones"}]},
        {"entryPoints": [{**PHONE, "regionCode": "SE", "pin": "2", "entryPointFeatures": ["toll_free"]}]},
        {"entryPoints": [{"entryPointType": "sip", "uri": "sip:2@acme.example", "passcode": "1"}]},
        {"entryPoints": [{**VIDEO, "label": "acme", "meetingCode": "2", "accessCode": "3", "password": "4"}]},
    ],
)
def test_what_calendar_accepts_passes_as_it_came(more: dict[str, Any]) -> None:
    """No member is added, dropped or changed."""
    assert checked_conference_data({**PLAIN, **more}, "c-2") == {**PLAIN, **more}


def test_a_member_that_is_null_is_left_out() -> None:
    """Some back ends write null for what they do not have; Calendar leaves such a member out."""
    with_nulls = {**PLAIN, "notes": None, "parameters": None, "entryPoints": [{**VIDEO, "pin": None}]}
    assert checked_conference_data(with_nulls, "c-2") == PLAIN


def _without(name: str) -> dict[str, Any]:
    return {key: value for key, value in PLAIN.items() if key != name}


def _entry(**changes: object) -> dict[str, Any]:
    return {**PLAIN, "entryPoints": [{**VIDEO, **changes}]}


@pytest.mark.parametrize(
    ("found", "complaint"),
    [
        (None, "conference_data: "),
        ([], "conference_data: "),
        ("c-2", "conference_data: "),
        (_without("conferenceId"), "conference_data.conferenceId: .*required"),
        ({**PLAIN, "conferenceId": "c-3"}, "conference_data.conferenceId: expected the same as conference_id"),
        ({**PLAIN, "conferenceId": 2}, "conference_data.conferenceId: .*string"),
        (_without("conferenceSolution"), "conference_data.conferenceSolution: .*required"),
        ({**PLAIN, "conferenceSolution": {"name": "Acme Meet"}}, "conferenceSolution.key: .*required"),
        ({**PLAIN, "conferenceSolution": {**SOLUTION, "name": ""}}, "conferenceSolution.name: .*at least 1"),
        ({**PLAIN, "conferenceSolution": {**SOLUTION, "key": {"type": "hangoutsMeet"}}}, "key.type: .*'addOn'"),
        (_without("entryPoints"), "conference_data.entryPoints: .*required"),
        ({**PLAIN, "entryPoints": []}, "conference_data.entryPoints: .*at least 1"),
        ({**PLAIN, "entryPoints": [PHONE] * 301}, "conference_data.entryPoints: .*at most 300"),
        ({**PLAIN, "entryPoints": [VIDEO, VIDEO]}, "at most one entry point of type video"),
        ({**PLAIN, "entryPoints": [{**VIDEO, "entryPointType": "more"}]}, "of another type than more"),
        (_entry(entryPointType="fax"), "entryPoints.0.entryPointType: .*'video', 'phone', 'sip' or 'more'"),
        (_entry(uri=None), "entryPoints.0.uri: .*string"),
        (_entry(uri="javascript:alert(1)"), "entryPoints.0: the uri of type video begins with https: or http:"),
        (_entry(uri="acme.example/j/2"), "entryPoints.0: the uri of type video begins with"),
        (_entry(uri="https://" + "x" * 1300), "entryPoints.0.uri: .*at most 1300"),
        (_entry(label="x" * 513), "entryPoints.0.label: .*at most 512"),
        *((_entry(**{name: "x" * 129}), f"entryPoints.0.{name}: .*at most 128") for name in ("pin", "meetingCode")),
        (_entry(secret="x"), "entryPoints.0.secret: .*not permitted"),
        ({**PLAIN, "notes": "x" * 2049}, "conference_data.notes: .*at most 2048"),
        ({**PLAIN, "notes": "half a pair \ud83d"}, "conference_data.notes: .*unicode"),
        ({**PLAIN, "createRequest": {"requestId": "r"}}, "conference_data.createRequest: .*not permitted"),
        ({**PLAIN, "signature": "s"}, "conference_data.signature: .*not permitted"),
        ({**PLAIN, "parameters": _parameters(k="x" * 1025)}, "parameters.k: .*at most 1024"),
        ({**PLAIN, "parameters": _parameters(**{"k" * 51: "v"})}, "at most 50"),
        ({**PLAIN, "parameters": _parameters(**{f"k{n}": "" for n in range(301)})}, "at most 300"),
        ({**PLAIN, "parameters": {"addOnParameters": {"parameters": {"k": 5}}}}, "parameters.k: .*string"),
        (
            {**PLAIN, "parameters": _parameters(**{f"k{n}": "\u00fc" * 1024 for n in range(20)})},
            f"conference_data: expected at most {LARGEST_CONFERENCE_DATA} bytes",
        ),
    ],
)
def test_anything_else_is_refused_by_the_member_s_name(found: object, complaint: str) -> None:
    """One bad member would make Calendar refuse the event, or put a trap before its guests."""
    with pytest.raises(ConferenceDataRejected, match=complaint):
        checked_conference_data(found, "c-2")


def test_a_complaint_never_shows_what_a_member_held() -> None:
    """A passcode is nobody's business in a log."""
    wrong = {**_entry(pin="hunter2" * 40, uri="hunter2:", label=["hunter2"]), "notes": {"hunter2": 1}}
    with pytest.raises(ConferenceDataRejected) as error:
        checked_conference_data(wrong, "c-2")
    assert len(error.value.complaints) >= 3
    assert "hunter2" not in str(error.value)


def test_every_member_is_google_s() -> None:
    """The names are those of the discovery document; left out is only what Google itself writes or is asked for."""
    documents = resources.files("googleapiclient") / "discovery_cache" / "documents"
    schemas = json.loads((documents / "calendar.v3.json").read_text())["schemas"]
    ours = ConferenceData.model_json_schema()
    pairs = {
        "ConferenceSolution": "_Solution",
        "ConferenceSolutionKey": "_SolutionKey",
        "EntryPoint": "_EntryPoint",
        "ConferenceParameters": "_Parameters",
        "ConferenceParametersAddOnParameters": "_AddOnParameters",
    }
    assert ours["properties"].keys() == schemas["ConferenceData"]["properties"].keys() - {"createRequest", "signature"}
    for theirs, name in pairs.items():
        assert ours["$defs"][name]["properties"].keys() == schemas[theirs]["properties"].keys()
    described = schemas["EntryPoint"]["properties"]["entryPointType"]["description"]
    assert all(f'"{kind}"' in described for kind in URI_SCHEMES)
