"""The bodies of the provider contract, as a back end reads and writes them.

Unknown members are ignored, so that the contract can grow. It must never put what was received into an answer: answers
end in logs, and a title is nobody's business there.
"""

import datetime
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    NaiveDatetime,
    TypeAdapter,
    ValidationError,
    model_validator,
)

PROBLEM_BASE = "https://confsync.dev/problems/"
LARGEST_GENERATION = 2**53 - 1


class _Body(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class Moment(_Body):
    """A point in time, or for all-day events a date."""

    date: datetime.date | None = None
    utc: AwareDatetime | None = None
    tz: str | None = None
    """IANA name: the zone in which a series repeats."""
    local: NaiveDatetime | None = None
    """The same instant on the clocks of `tz`."""

    @model_validator(mode="after")
    def _is_one_of_both(self) -> Self:
        if (self.date is None) == (self.utc is None):
            raise ValueError("give either date or utc")
        return self


class Override(_Body):
    """An occurrence of the series that was moved or renamed."""

    original_start: Moment
    start: Moment | None = None
    end: Moment | None = None
    title: str | None = None
    """None: as the series."""


class Person(_Body):
    """An organizer or attendee."""

    email: str


class Desired(_Body):
    """What a conference should be: the whole of it, every time."""

    title: str | None = None
    description: str | None = None
    location: str | None = None
    visibility: str | None = None
    start: Moment | None = None
    end: Moment | None = None
    rrule: tuple[str, ...] = ()
    exdates: tuple[Moment, ...] = ()
    rdates: tuple[Moment, ...] = ()
    overrides: tuple[Override, ...] = ()
    cancelled: tuple[Moment, ...] = ()
    """Original starts of the occurrences that do not take place."""
    organizer: Person | None = None
    attendees: tuple[Person, ...] | None = None
    """None: unknown, which is not the same as nobody."""


class _Named(_Body):
    key: str = Field(min_length=1, max_length=500)
    conference_id: str = Field(min_length=1, max_length=500)
    generation: int = Field(ge=1, le=LARGEST_GENERATION, strict=True)


class _WithDesired(_Named):
    desired: Desired


class Upsert(_Body):
    """Make the conference so."""

    type: Literal["conference.upsert"]
    data: _WithDesired


class Delete(_Body):
    """End the conference."""

    type: Literal["conference.delete"]
    data: _Named


class _Replacing(_Body):
    replaces: str = Field(min_length=1, max_length=512)
    """The conference that the event has named so far; it may be unknown, and may live on in another event."""
    desired: Desired


class Create(_Body):
    """Make a conference for an event whose own cannot come back, or belongs to another event."""

    type: Literal["conference.create"]
    data: _Replacing


class _Which(_Body):
    conference_id: str


class Get(_Body):
    """Tell what is stored of one conference."""

    type: Literal["conference.get"]
    data: _Which


class _From(_Body):
    cursor: str = ""
    limit: int = Field(100, ge=1, le=1000)


class ListAll(_Body):
    """Tell which conferences are stored, a page at a time."""

    type: Literal["conference.list"]
    data: _From = _From()


class Ping(_Body):
    """Only answer."""

    type: Literal["ping"]


Command = Upsert | Delete | Create | Get | ListAll | Ping
_COMMAND: TypeAdapter[Command] = TypeAdapter(Annotated[Command, Field(discriminator="type")])


@dataclass(frozen=True)
class Answer:
    """A status and a JSON body; one with `type` and `status` is a problem (RFC 9457)."""

    status: int
    body: dict[str, Any]
    outcome: str
    """One word for the vendor's own log."""
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def media_type(self) -> str:
        """The content type of the body."""
        return "application/json" if self.status < 300 else "application/problem+json"


def problem(status: int, name: str, detail: str, headers: dict[str, str] | None = None, **more: object) -> Answer:
    """Return an error answer; `name` is the last segment of its type, `more` are members of its body."""
    body = {"type": PROBLEM_BASE + name, "status": status, "detail": detail, **more}
    return Answer(status, body, name, headers or {})


def parse_command(body: bytes) -> Command | Answer:
    """Return the command, or the answer to a body that is none."""
    try:
        return _COMMAND.validate_json(body)
    except ValidationError as error:
        if error.errors()[0]["type"] == "json_invalid":
            return problem(400, "body-malformed", "the body is not JSON")
        # The first part of a location only repeats the type of the command.
        wrong = field_errors(error, leave_out=1)
        return problem(422, "body-invalid", "some fields are missing or malformed", field_errors=wrong)


def field_errors(error: ValidationError, leave_out: int = 0) -> list[dict[str, str]]:
    """Return which fields are wrong and why, without what they held."""
    found = error.errors(include_url=False, include_context=False, include_input=False)
    return [{"field": ".".join(map(str, one["loc"][leave_out:])), "reason": one["msg"]} for one in found]
