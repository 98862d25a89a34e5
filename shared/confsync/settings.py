"""Settings: one frozen model per function; `settings_forms` says how they are read."""

import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, SecretStr, field_validator

from confsync.core.channels import PushTerms
from confsync.core.rules import Ingress, Rules
from confsync.core.tasks import SYNC, UPDATE
from confsync.errors import SettingsError
from confsync.settings_forms import (
    Ends,
    Fetched,
    QueuePath,
    Seconds,
    SecretPerSubject,
    Settings,
    SigningKeys,
    Times,
    Url,
    from_json,
)
from confsync.settings_solutions import SolutionSettings


def _rules(**numbers: Any) -> Rules:
    try:
        return Rules(**numbers)
    except ValueError as error:
        raise SettingsError(f"TASK_TIMEOUT_S and its neighbours do not fit together: {error}") from None


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
    """Where Google's token endpoint, IAM, Secret Manager and certificates are served instead of by Google."""
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


class CalendarSettings(QueueSettings):
    """Whose calendars these are, and what proves their notifications genuine; used by all three functions."""

    channel_token_keys: SigningKeys = Field(alias="CHANNEL_TOKEN_KEYS")
    """All of them verify; the first one signs."""
    tenant: str = Field("default", alias="TENANT")
    """The vendor's customer whose calendars these are."""


class ReceiveNotificationSettings(CalendarSettings):
    """Settings of receive_notification, the public function: it holds no other secret than the channel token keys."""

    addon_service_account: str | None = Field(None, alias="ADDON_SERVICE_ACCOUNT")
    """In whose name Google calls the vendor's add-on; None closes the add-on's door."""
    addon_audience: Url | None = Field(None, alias="ADDON_AUDIENCE")
    """URL of the add-on's door, as the manifest has it."""
    addon_client_id: str | None = Field(None, alias="ADDON_CLIENT_ID")
    """The add-on's OAuth client, which the users' tokens are meant for."""


class WorkerSettings(CalendarSettings):
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
    conference_solutions: Annotated[tuple[SolutionSettings, ...], BeforeValidator(from_json), Fetched] = Field(
        alias="CONFERENCE_SOLUTIONS", min_length=1
    )
    ingress: Ingress = Field("push", alias="INGRESS")
    """How changes are announced; see `core.ingress`."""
    grace_s: Seconds = Field(Rules.grace_s, alias="END_GRACE_S")
    reconcile_s: Seconds = Field(Rules.reconcile_s, alias="RECONCILE_INTERVAL_S")
    poll_s: Seconds = Field(Rules.poll_s, alias="POLL_INTERVAL_S")
    lag_s: Seconds = Field(Rules.lag_s, alias="LIST_LAG_S")
    overdue_s: Seconds = Field(Rules.overdue_s, alias="OVERDUE_AFTER_S")
    first_sync: Literal["future", "recent", "everything"] = Field("future", alias="FIRST_SYNC")
    """What the very first sync of a calendar looks at."""
    mode: Literal["act", "observe"] = Field("act", alias="MODE")
    """`observe`: nothing is called and nothing written to an event; `confsync plan` shows what would be."""
    claims: Literal["registered", "matching"] = Field("registered", alias="CLAIMS")
    duplicates: Literal["share", "mint"] = Field("share", alias="DUPLICATES")
    draft_s: Seconds = Field(Rules.draft_s, alias="DRAFT_GRACE_S")
    forget_on_remove: Literal["later", "now"] = Field("later", alias="FORGET_ON_REMOVE")
    """When the events of a calendar that an operator removes are forgotten."""
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
            ingress=self.ingress,
            grace_s=self.grace_s,
            reconcile_s=self.reconcile_s,
            poll_s=self.poll_s,
            lag_s=self.lag_s,
            overdue_s=self.overdue_s,
            first_sync=self.first_sync,
            mode=self.mode,
            claims=self.claims,
            duplicates=self.duplicates,
            draft_s=self.draft_s,
            forget_on_remove=self.forget_on_remove,
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
