"""How settings are read from a mapping of environment variables: forms, complaints, and secrets by reference.

A secret may be given by reference, `secret:projects/P/secrets/S/versions/V`; it is fetched when the settings are read,
which a function does at its first request. It must never show a secret: messages name the variable and the form that is
expected, and the value only of variables that hold none.
"""

import base64
import binascii
import json
import re
from collections.abc import Callable, Mapping
from typing import Annotated, Any, ClassVar, Self, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, ValidationInfo

from confsync.core.channels import SigningKey
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


def from_json(value: Any) -> Any:
    """Return what JSON says; anything but text stays as it is."""
    try:
        return json.loads(value) if isinstance(value, str) else value
    except json.JSONDecodeError as error:
        raise ValueError(f"it is not JSON: {error.msg} at character {error.pos}") from None


SigningKeys = Annotated[tuple[SigningKey, ...], BeforeValidator(_signing_keys), Fetched]
QueuePath = Annotated[str, Field(pattern=r"^projects/[^/]+/locations/[^/]+/queues/[A-Za-z0-9-]{1,100}$")]
"""Full path of a Cloud Tasks queue."""
Url = Annotated[str, Field(pattern=r"^https?://[^\s/]+")]
SecretPerSubject = Annotated[
    str,
    Field(pattern=r"^projects/[^/{}]+/secrets/[A-Za-z0-9_-]*\{subject_hash\}[A-Za-z0-9_-]*/versions/[A-Za-z0-9_-]+$"),
]
Seconds = Annotated[float, Field(gt=0)]
Ends = Annotated[int, Field(ge=1)]
Times = Annotated[int, Field(ge=1)]


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
        "ADDON_SERVICE_ACCOUNT": "service-NUMBER@gcp-sa-gsuiteaddons.iam.gserviceaccount.com",
        "ADDON_AUDIENCE": "URL of the receive_notification function, with /addon",
        "ADDON_CLIENT_ID": "NUMBER-TEXT.apps.googleusercontent.com",
        "INGRESS": "push, poll or addon",
        "FIRST_SYNC": "future, recent or everything",
        "MODE": "act or observe",
        "CLAIMS": "registered or matching",
        "DUPLICATES": "share or mint",
        "FORGET_ON_REMOVE": "later or now",
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
