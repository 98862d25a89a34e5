"""Settings: one frozen model per function, read from a mapping of environment variables.

A secret may be given by reference, `secret:projects/P/secrets/S/versions/V`; it is fetched when the settings are read,
which a function does at its first request. It must never show a secret: messages name the variable and the form that is
expected, and the value only of variables that hold none.
"""

import base64
import binascii
import json
import re
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Annotated, Any, ClassVar, Literal, Self, TypeVar, get_args

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    StrictBool,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)

from confsync.core.capabilities import Capabilities
from confsync.core.channels import PushTerms, SigningKey
from confsync.core.rules import Rules
from confsync.core.solutions import Solution
from confsync.core.state import Field as Carried
from confsync.core.tasks import SYNC, UPDATE
from confsync.errors import SecretDenied, SecretMissing, SettingsError

S = TypeVar("S", bound="Settings")

Fetch = Callable[[str], str]
"""Returns the text of a secret's version, see `adapters.secret_manager`."""

_REFERENCE = re.compile(r"secret:(projects/[^/\s]+/secrets/[A-Za-z0-9_-]{1,255}/versions/[A-Za-z0-9_-]+)")


def _fetched(value: Any, info: ValidationInfo) -> Any:
    """Return what stands behind a reference, anything else as it is."""
    if not isinstance(value, str) or not value.startswith("secret:"):
        return value
    reference = _REFERENCE.fullmatch(value.strip())
    fetch: Fetch | None = (info.context or {}).get("fetch")
    if reference is None or fetch is None:
        raise ValueError("a reference is secret:projects/PROJECT/secrets/SECRET/versions/VERSION, such as .../latest")
    try:
        return fetch(reference[1])
    except (SecretMissing, SecretDenied) as error:
        raise ValueError(str(error)) from None


Fetched = BeforeValidator(_fetched)
"""Comes last in an annotation: pydantic runs such validators from the last to the first."""


def _signing_keys(value: Any) -> Any:
    """`id:base64[,id:base64]`, at least 16 bytes each."""
    if not isinstance(value, str):
        return value
    return tuple(_signing_key(part.strip()) for part in value.split(","))


def _signing_key(part: str) -> SigningKey:
    key_id, colon, encoded = part.partition(":")
    try:
        secret = base64.b64decode(encoded, validate=True)
    except binascii.Error:
        secret = b""
    if not (colon and key_id.isalnum() and len(key_id) <= 16 and len(secret) >= 16):
        raise ValueError("each key is an id of letters and digits, a colon, and at least 16 bytes in base64")
    return SigningKey(key_id, secret)


def _from_json(value: Any) -> Any:
    try:
        return json.loads(value) if isinstance(value, str) else value
    except json.JSONDecodeError as error:
        raise ValueError(f"it is not JSON: {error.msg} at character {error.pos}") from None


SigningKeys = Annotated[tuple[SigningKey, ...], BeforeValidator(_signing_keys), Fetched]


QueuePath = Annotated[str, Field(pattern=r"^projects/[^/]+/locations/[^/]+/queues/[A-Za-z0-9-]{1,100}$")]
"""Full path of a Cloud Tasks queue."""

Minutes = Annotated[int, Field(ge=1, le=525_600, strict=True)]
"""Up to a year."""


class SolutionSettings(Solution):
    """One conference solution, the back end that its conferences live in, and what the vendor says of that one."""

    url: str = Field(pattern=r"^https?://[^\s]+$")
    """The vendor's endpoint; https, or http on the loopback."""
    secrets: tuple[Annotated[SecretStr, Fetched], ...] = Field(min_length=1, max_length=2)
    """`whsec_...`: the key that signs first, during a rotation also the old one."""
    queue: QueuePath | None = None
    """Queue of its conference updates, at the rate that the vendor allows; None: CONFERENCE_QUEUE."""
    carries: frozenset[Carried] = frozenset(get_args(Carried))
    """What of an event the vendor wants to be told; the rest is neither sent nor a difference."""
    restores: StrictBool = True
    """Ended conferences come back under their old id."""
    creates: StrictBool = False
    """It answers `conference.create`."""
    tells_host: StrictBool = False
    """Its answer to `conference.get` names the host."""
    shortest_minutes: Minutes | None = None
    """A shorter conference is told this length."""
    longest_minutes: Minutes | None = None
    """A longer conference is told this length."""

    @model_validator(mode="after")
    def _has_a_length_between(self) -> Self:
        if self.shortest_minutes and self.longest_minutes and self.shortest_minutes > self.longest_minutes:
            raise ValueError("shortest_minutes is above longest_minutes")
        return self

    def back_end(self) -> Mapping[str, Any]:
        """Return what is said of the back end, not of the solution: the same for all solutions of one provider."""
        return self.model_dump(exclude=set(Solution.model_fields))

    def capabilities(self) -> Capabilities:
        """Return what this back end can do; that it orders writes by generation is part of the contract."""
        return Capabilities(
            carries=self.carries,
            ordered_writes=True,
            restores=self.restores,
            creates=self.creates,
            tells_host=self.tells_host,
            shortest=_in_minutes(self.shortest_minutes),
            longest=_in_minutes(self.longest_minutes),
        )


def _in_minutes(minutes: int | None) -> timedelta | None:
    return None if minutes is None else timedelta(minutes=minutes)


class Settings(BaseModel):
    """Settings by the name of their environment variable."""

    model_config = ConfigDict(frozen=True, extra="ignore", arbitrary_types_allowed=True, hide_input_in_errors=True)

    forms: ClassVar[Mapping[str, str]] = {
        "TASK_QUEUE": "projects/PROJECT/locations/LOCATION/queues/QUEUE",
        "CONFERENCE_QUEUE": "projects/PROJECT/locations/LOCATION/queues/QUEUE",
        "CHANNEL_TOKEN_KEYS": "id:base64 of at least 16 bytes, several separated by commas, the signing one first",
        "CONFERENCE_SOLUTIONS": 'a JSON list such as [{"provider": "acme", "names": ["Acme Meet"], "url": '
        '"https://acme.example/hooks", "secrets": ["whsec_..."]}]',
        "FIRESTORE_EMULATOR_HOST": "HOST:PORT",
        "STORE": "firestore:projects/PROJECT/databases/DATABASE or sqlite:PATH",
        "TASKS_TRANSPORT": "grpc or rest",
        "TASK_ATTEMPTS": "a whole number from 1",
        "SIGN_IN": "local, delegated, shared or refresh_token",
        "DELEGATE": "NAME@PROJECT.iam.gserviceaccount.com",
        "OAUTH_CLIENT_ID": "NUMBER-TEXT.apps.googleusercontent.com",
        "OAUTH_CLIENT_SECRET": "a text",
        "REFRESH_TOKEN_SECRET": "projects/PROJECT/secrets/calendar-token-{subject_hash}/versions/latest",
        "SIGN_IN_ENDPOINT": "http://HOST:PORT",
        "TASKS_ENDPOINT": "http://HOST:PORT or grpc://HOST:PORT",
        "CALENDAR_ENDPOINT": "http://HOST:PORT/calendar/v3/",
        "TASKS_INVOKER": "NAME@PROJECT.iam.gserviceaccount.com",
        "SYNC_CALENDAR_URL": "URL of the sync_calendar function",
        "NOTIFICATION_URL": "URL of the receive_notification function",
        "FIRST_SYNC": "future, recent or everything",
        "MODE": "act or observe",
        "CLAIMS": "registered or matching",
        "DUPLICATES": "share or mint",
        "GOOGLE_CLOUD_PROJECT": "PROJECT",
        "TENANT": "a text",
        "CALENDAR_BRAKE": "a whole number from 1",
        "TENANT_BRAKE": "a whole number from 1",
    }
    secret: ClassVar[frozenset[str]] = frozenset({"CHANNEL_TOKEN_KEYS", "CONFERENCE_SOLUTIONS", "OAUTH_CLIENT_SECRET"})
    """Never shown; these, and `by_reference`, may be references."""
    by_reference: ClassVar[frozenset[str]] = frozenset({"OAUTH_CLIENT_ID"})

    @classmethod
    def from_mapping(cls, variables: Mapping[str, str], fetch: Fetch | None = None) -> Self:
        """Return the settings in `variables`; empty values count as missing.

        Args:
            variables: the environment.
            fetch: what gets secrets that are given by reference; None where there are none.

        Raises:
            SettingsError: names each wrong variable, its value unless it is secret, and the form expected.
            SecretUnavailable: a secret cannot be had for the moment.

        """
        given = {name: value for name, value in variables.items() if value != ""}
        try:
            return cls.model_validate(given, context={"fetch": fetch})
        except ValidationError as error:
            raise SettingsError("\n".join(cls._complaint(found, given) for found in error.errors())) from None

    @classmethod
    def form_of(cls, name: str) -> str:
        """Return the form that a variable's value has, in words."""
        form = cls.forms.get(name, "a number of seconds above 0" if name.endswith("_S") else "a text")
        is_fetched = name in cls.secret | cls.by_reference
        return f"{form}; or secret:projects/PROJECT/secrets/SECRET/versions/VERSION" if is_fetched else form

    @classmethod
    def _complaint(cls, found: Any, given: Mapping[str, str]) -> str:
        name = str(found["loc"][0])
        form = cls.form_of(name)
        if name not in given:
            return f"{name} is not set; expected: {form}"
        where = ".".join(str(part) for part in found["loc"][1:])
        shown = "" if name in cls.secret else f" {given[name]!r}"
        reason = found["msg"].removeprefix("Value error, ")
        return f"{name}{shown}: {f'{where}: ' if where else ''}{reason}; expected: {form}"


def _rules(**numbers: Any) -> Rules:
    try:
        return Rules(**numbers)
    except ValueError as error:
        raise SettingsError(f"TASK_TIMEOUT_S and its neighbours do not fit together: {error}") from None


Url = Annotated[str, Field(pattern=r"^https?://[^\s/]+")]
SecretPerSubject = Annotated[
    str,
    Field(pattern=r"^projects/[^/{}]+/secrets/[A-Za-z0-9_-]*\{subject_hash\}[A-Za-z0-9_-]*/versions/[A-Za-z0-9_-]+$"),
]
Seconds = Annotated[float, Field(gt=0)]
Ends = Annotated[int, Field(ge=1)]
Times = Annotated[int, Field(ge=1)]


def project_of(variables: Mapping[str, str]) -> str | None:
    """Return the project that traces belong to: `GOOGLE_CLOUD_PROJECT`, else that of the task queue, else None.

    It needs no other setting to be right, so that a line about wrong settings is found by its trace, too.
    """
    queue = re.match(r"projects/([^/]+)/", variables.get("TASK_QUEUE", ""))
    return variables.get("GOOGLE_CLOUD_PROJECT") or (queue[1] if queue else None)


class QueueSettings(Settings):
    """How to reach the queue of the sync tasks; used by all three functions."""

    task_queue: QueuePath = Field(alias="TASK_QUEUE")
    """Queue of the sync tasks."""
    tasks_endpoint: str | None = Field(None, alias="TASKS_ENDPOINT")
    """Where Cloud Tasks is served instead of by Google: `http://HOST:PORT` or `grpc://HOST:PORT`."""
    tasks_transport: Literal["grpc", "rest"] = Field("grpc", alias="TASKS_TRANSPORT")
    """How Google's Cloud Tasks is reached; TASKS_ENDPOINT says it itself."""
    sync_calendar_url: Url = Field(alias="SYNC_CALENDAR_URL")
    """Where the tasks go."""
    tasks_invoker: str | None = Field(None, alias="TASKS_INVOKER")
    """Service account whose OIDC token the tasks carry; none in the local stack."""
    sign_in_endpoint: Url | None = Field(None, alias="SIGN_IN_ENDPOINT")
    """Where Google's token endpoint, IAM and Secret Manager are served instead of by Google."""
    project: str | None = Field(None, alias="GOOGLE_CLOUD_PROJECT")
    """Project that the traces in the log belong to; see `project_of`."""
    window_s: Seconds = Field(Rules.window_s, alias="COALESCING_WINDOW_S")
    skew_s: Seconds = Field(Rules.skew_s, alias="CLOCK_SKEW_S")
    task_s: Seconds = Field(Rules.task_s, alias="TASK_TIMEOUT_S")
    """Dispatch deadline of the tasks; the same as the function's time-out."""

    def queues(self) -> Mapping[str, str]:
        """Return the queue of the tasks to each of the worker's doors."""
        return {SYNC: self.task_queue}

    def provider_queues(self) -> Mapping[str, str]:
        """Return the queue of each provider whose conference updates have one of their own."""
        return {}

    def rules(self) -> Rules:
        """Return the numbers that these settings change, and the defaults."""
        return _rules(window_s=self.window_s, skew_s=self.skew_s, task_s=self.task_s)


class ReceiveNotificationSettings(QueueSettings):
    """Settings of receive_notification, the public function: it holds no other secret than the channel token keys."""

    channel_token_keys: SigningKeys = Field(alias="CHANNEL_TOKEN_KEYS")
    """All of them verify; the first one signs."""


class WorkerSettings(ReceiveNotificationSettings):
    """Settings of sync_calendar and renew_channels."""

    conference_queue: QueuePath = Field(alias="CONFERENCE_QUEUE")
    """Queue of the conference updates of all providers without one of their own."""
    task_attempts: Times = Field(10, alias="TASK_ATTEMPTS")
    """The queues' maximum of attempts; after the last one the scheduled run goes on."""
    notification_url: Url = Field(alias="NOTIFICATION_URL")
    """Where Calendar sends notifications."""
    store: str = Field(alias="STORE", pattern=r"^(sqlite:.+|firestore:projects/[^/]+/databases/[^/]+)$")
    firestore_emulator: str | None = Field(None, alias="FIRESTORE_EMULATOR_HOST", pattern=r"^[^:/\s]+:\d+$")
    """`HOST:PORT` where Firestore is served instead of by Google."""
    sign_in: Literal["local", "delegated", "shared", "refresh_token"] = Field("delegated", alias="SIGN_IN")
    """See `adapters.sign_in`."""
    delegate: str | None = Field(None, alias="DELEGATE")
    """Service account that holds the domain-wide delegation."""
    oauth_client_id: Annotated[str | None, Fetched] = Field(None, alias="OAUTH_CLIENT_ID")
    """The OAuth client that the users gave their consent to."""
    oauth_client_secret: Annotated[SecretStr | None, Fetched] = Field(None, alias="OAUTH_CLIENT_SECRET")
    refresh_token_secret: SecretPerSubject | None = Field(None, alias="REFRESH_TOKEN_SECRET")
    """Where each user's refresh token is; `{subject_hash}` stands for SHA-256 of the address."""
    calendar_endpoint: str | None = Field(None, alias="CALENDAR_ENDPOINT")
    """Where Calendar is served instead of by Google: `http://HOST:PORT/calendar/v3/`."""
    conference_solutions: Annotated[tuple[SolutionSettings, ...], BeforeValidator(_from_json), Fetched] = Field(
        alias="CONFERENCE_SOLUTIONS", min_length=1
    )
    tenant: str = Field("default", alias="TENANT")
    """The vendor's customer whose calendars these are."""
    grace_s: Seconds = Field(Rules.grace_s, alias="END_GRACE_S")
    reconcile_s: Seconds = Field(Rules.reconcile_s, alias="RECONCILE_INTERVAL_S")
    lag_s: Seconds = Field(Rules.lag_s, alias="LIST_LAG_S")
    overdue_s: Seconds = Field(Rules.overdue_s, alias="OVERDUE_AFTER_S")
    first_sync: Literal["future", "recent", "everything"] = Field("future", alias="FIRST_SYNC")
    """What the very first sync of a calendar looks at."""
    mode: Literal["act", "observe"] = Field("act", alias="MODE")
    """`observe`: nothing is called and nothing written to an event; `confsync plan` shows what would be."""
    claims: Literal["registered", "matching"] = Field("registered", alias="CLAIMS")
    duplicates: Literal["share", "mint"] = Field("share", alias="DUPLICATES")
    draft_s: Seconds = Field(Rules.draft_s, alias="DRAFT_GRACE_S")
    calendar_brake: Ends = Field(Rules.calendar_brake, alias="CALENDAR_BRAKE")
    tenant_brake: Ends = Field(Rules.tenant_brake, alias="TENANT_BRAKE")

    @field_validator("conference_solutions")
    @classmethod
    def _say_one_thing_of_a_provider(cls, solutions: tuple[SolutionSettings, ...]) -> tuple[SolutionSettings, ...]:
        first: dict[str, SolutionSettings] = {}
        for solution in solutions:
            if first.setdefault(solution.provider, solution).back_end() != solution.back_end():
                raise ValueError(
                    f"provider {solution.provider!r} is described in two ways; its entries may differ in names, "
                    "key_types and uri_prefixes only"
                )
        return solutions

    def rules(self) -> Rules:
        """Return the numbers that these settings change, and the defaults."""
        return _rules(
            window_s=self.window_s,
            skew_s=self.skew_s,
            task_s=self.task_s,
            grace_s=self.grace_s,
            reconcile_s=self.reconcile_s,
            lag_s=self.lag_s,
            overdue_s=self.overdue_s,
            first_sync=self.first_sync,
            mode=self.mode,
            claims=self.claims,
            duplicates=self.duplicates,
            draft_s=self.draft_s,
            calendar_brake=self.calendar_brake,
            tenant_brake=self.tenant_brake,
        )

    def queues(self) -> Mapping[str, str]:
        """Return the queue of the tasks to each of the worker's doors."""
        return {SYNC: self.task_queue, UPDATE: self.conference_queue}

    def provider_queues(self) -> Mapping[str, str]:
        """Return the queue of each provider whose conference updates have one of their own."""
        return {solution.provider: solution.queue for solution in self.conference_solutions if solution.queue}

    def push_terms(self) -> PushTerms:
        """Return where notifications go and what proves them genuine."""
        return PushTerms(self.notification_url, self.channel_token_keys)
