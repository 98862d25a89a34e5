"""Checks the conference data that a back end has made, before it may go into an event.

Calendar shows them to every guest and refuses a whole event for one bad member. So only what Google's reference allows
passes, of a bounded size. It must never put into a message what a member held.
https://developers.google.com/workspace/calendar/api/v3/reference/events#conferenceData
"""

import json
from collections.abc import Iterable
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from confsync.providers.problems import MOST_FIELD_ERRORS

LARGEST_CONFERENCE_DATA = 32 * 1024
"""In bytes of JSON: far more than any add-on writes, far less than a record may hold."""

URI_SCHEMES = {"video": ("https:", "http:"), "phone": ("tel:",), "sip": ("sip:",), "more": ("https:", "http:")}
"""By the type of an entry point."""
_MANY = "phone"
"""The only type of which a conference may have several."""

_Code = Annotated[str, Field(max_length=128)]


class ConferenceDataRejected(Exception):
    """The conference data cannot go into an event."""

    def __init__(self, *complaints: str) -> None:
        """Keep what is wrong: each complaint names a member and what is expected."""
        super().__init__("; ".join(complaints))
        self.complaints = complaints


class _Member(BaseModel):
    """A part of conference data: no other member than Calendar's may be there."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class _SolutionKey(_Member):
    type: Literal["addOn"]
    """The type of all third parties."""


class _Solution(_Member):
    key: _SolutionKey
    name: str = Field(min_length=1)
    icon_uri: str | None = Field(None, alias="iconUri", max_length=1300)


class _EntryPoint(_Member):
    type: Literal["video", "phone", "sip", "more"] = Field(alias="entryPointType")
    uri: str = Field(min_length=1, max_length=1300)
    label: str | None = Field(None, max_length=512)
    meeting_code: _Code | None = Field(None, alias="meetingCode")
    access_code: _Code | None = Field(None, alias="accessCode")
    passcode: _Code | None = None
    password: _Code | None = None
    pin: _Code | None = None
    region_code: str | None = Field(None, alias="regionCode", max_length=16)
    features: list[str] | None = Field(None, alias="entryPointFeatures")

    @model_validator(mode="after")
    def _has_the_scheme_of_its_type(self) -> Self:
        schemes = URI_SCHEMES[self.type]
        if not self.uri.lower().startswith(schemes):
            raise ValueError(f"the uri of type {self.type} begins with {' or '.join(schemes)}")
        return self


class _AddOnParameters(_Member):
    parameters: dict[Annotated[str, Field(max_length=50)], Annotated[str, Field(max_length=1024)]] = Field(
        default_factory=dict, max_length=300
    )


class _Parameters(_Member):
    add_on_parameters: _AddOnParameters | None = Field(None, alias="addOnParameters")


class ConferenceData(_Member):
    """Calendar's conferenceData, as an add-on writes it: neither a request to Google nor Google's signature."""

    conference_id: str = Field(alias="conferenceId", min_length=1, max_length=512)
    solution: _Solution = Field(alias="conferenceSolution")
    entry_points: list[_EntryPoint] = Field(alias="entryPoints", min_length=1, max_length=300)
    notes: str | None = Field(None, max_length=2048)
    parameters: _Parameters | None = None

    @model_validator(mode="after")
    def _can_be_joined(self) -> Self:
        types = [entry_point.type for entry_point in self.entry_points]
        twice = sorted({found for found in types if found != _MANY and types.count(found) > 1})
        if twice:
            raise ValueError(f"at most one entry point of type {twice[0]}")
        if set(types) == {"more"}:
            raise ValueError("at least one entry point of another type than more")
        return self


def checked_conference_data(found: object, conference_id: str) -> dict[str, Any]:
    """Return the conference data, without members that are null, if an event may hold them for this conference.

    Raises:
        ConferenceDataRejected: an event may not.

    """
    try:
        checked = ConferenceData.model_validate(found)
    except ValidationError as error:
        raise ConferenceDataRejected(*_complaints(error)) from None
    if checked.conference_id != conference_id:
        raise ConferenceDataRejected("conference_data.conferenceId: expected the same as conference_id")
    written = checked.model_dump(by_alias=True, exclude_none=True)
    if len(json.dumps(written, ensure_ascii=False).encode()) > LARGEST_CONFERENCE_DATA:
        raise ConferenceDataRejected(f"conference_data: expected at most {LARGEST_CONFERENCE_DATA} bytes of JSON")
    return written


def _complaints(error: ValidationError) -> Iterable[str]:
    found = error.errors(include_url=False, include_context=False, include_input=False)
    for one in found[:MOST_FIELD_ERRORS]:
        where = ".".join(map(str, ("conference_data", *one["loc"])))
        yield f"{where}: {one['msg'].removeprefix('Value error, ')}"
