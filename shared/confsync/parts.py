"""Build the parts that a function is made of, from its settings: the one place where adapters are chosen.

Each part is imported only by the function that needs it, so that the receiver starts without a store, and opens
nothing before its first use, since the framework imports in one process and serves in another.
"""

import functools
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, TypeVar

from confsync.core.channels import PushTerms
from confsync.core.terms import Terms
from confsync.errors import SettingsError
from confsync.ports import CalendarApi, ConferenceProvider, IdTokens, Outside, Store, TaskQueue
from confsync.settings import QueueSettings, ReceiveNotificationSettings, WorkerSettings
from confsync.settings_forms import Fetch, S, Settings

if TYPE_CHECKING:  # the receiver has no need of it, or only where there is an add-on
    from confsync.adapters.secret_manager import SecretManager
    from confsync.adapters.sign_in import CredentialsFor
    from confsync.core.addon import AddonTerms

T = TypeVar("T")


def utc_now() -> datetime:
    """Return the time in UTC."""
    return datetime.now(UTC)


def new_id() -> str:
    """Return an id that nobody can guess, as Calendar recommends for channels."""
    return str(uuid.uuid4())


def read_settings(model: type[S], variables: Mapping[str, str]) -> S:
    """Return the settings in `variables`, with the secrets that are given by reference.

    Raises:
        SettingsError: see `Settings.from_mapping`.
        SecretUnavailable: Secret Manager does not answer.

    """
    return model.from_mapping(variables, _fetch(variables.get("SIGN_IN_ENDPOINT") or None))


def _fetch(endpoint: str | None) -> Fetch:
    """Return what reads a secret; Google's client is loaded and connected by the first read."""

    @functools.cache
    def secret_manager() -> "SecretManager":
        from confsync.adapters.secret_manager import SecretManager  # noqa: PLC0415

        return SecretManager(endpoint)

    return lambda version: secret_manager().text(version)


def task_queue(settings: QueueSettings) -> TaskQueue:
    """Return the queues of the settings, on Cloud Tasks or whatever speaks its protocol."""
    from confsync.adapters.cloud_tasks import CloudTasksQueue, CloudTasksSettings, build_client  # noqa: PLC0415

    cloud_tasks = CloudTasksSettings(
        queues=settings.queues(),
        provider_queues=settings.provider_queues(),
        worker_url=settings.sync_calendar_url,
        invoker=settings.tasks_invoker,
        dispatch_deadline_s=settings.task_s,
    )
    return CloudTasksQueue(cloud_tasks, lambda: build_client(settings.tasks_endpoint, settings.tasks_transport))


def addon(settings: ReceiveNotificationSettings) -> "tuple[AddonTerms, IdTokens] | None":
    """Return whose notifications the receiver takes beside Calendar's own, and what proves them; None for nobody's.

    Raises:
        SettingsError: an add-on is named, but not what its tokens are meant for.

    """
    if settings.addon_service_account is None:
        return None
    from confsync.adapters.google_id_tokens import GoogleIdTokens  # noqa: PLC0415
    from confsync.core.addon import AddonTerms  # noqa: PLC0415

    why = "ADDON_SERVICE_ACCOUNT"
    terms = AddonTerms(
        tenant=settings.tenant,
        service_account=settings.addon_service_account,
        audience=_needed(settings, "ADDON_AUDIENCE", settings.addon_audience, why),
        client_id=_needed(settings, "ADDON_CLIENT_ID", settings.addon_client_id, why),
    )
    return terms, GoogleIdTokens(settings.sign_in_endpoint)


def worker(settings: WorkerSettings) -> tuple[Outside, Terms, PushTerms]:
    """Return what the worker and the renewal are made of: what they may reach, and what stays the same for them."""
    reached = outside(settings)
    return reached, terms(settings, reached.providers), settings.push_terms()


def outside(settings: WorkerSettings) -> Outside:
    """Return everything that the worker and the renewal may reach."""
    return Outside(
        store=store(settings.store, settings.firestore_emulator),
        calendar_api=_calendar_api(settings),
        task_queue=task_queue(settings),
        providers=_providers(settings),
        now=utc_now,
        new_id=new_id,
    )


def terms(settings: WorkerSettings, providers: Mapping[str, ConferenceProvider]) -> Terms:
    """Return what stays the same for all plans of this deployment."""
    return Terms(
        tenant=settings.tenant,
        solutions=settings.conference_solutions,
        capabilities={name: provider.capabilities for name, provider in providers.items()},
        rules=settings.rules(),
    )


def store(location: str, emulator: str | None = None) -> Store:
    """Return the store at `firestore:projects/PROJECT/databases/DATABASE` or `sqlite:PATH`."""
    kind, _, place = location.partition(":")
    if kind == "sqlite":
        from confsync.adapters.sqlite import SqliteStore  # noqa: PLC0415

        return SqliteStore(place)
    from confsync.adapters.firestore import FirestoreStore  # noqa: PLC0415
    from confsync.adapters.firestore_calls import build_client  # noqa: PLC0415

    return FirestoreStore(place, lambda: build_client(emulator))


def _calendar_api(settings: WorkerSettings) -> CalendarApi:
    from confsync.adapters.google_calendar import GoogleCalendar  # noqa: PLC0415

    return GoogleCalendar(_credentials_for(settings), endpoint=settings.calendar_endpoint)


def _credentials_for(settings: WorkerSettings) -> "CredentialsFor":
    from confsync.adapters import sign_in  # noqa: PLC0415

    endpoint, why = settings.sign_in_endpoint, f"SIGN_IN={settings.sign_in}"
    if settings.sign_in == "local":
        return sign_in.local()
    if settings.sign_in == "shared":
        return sign_in.shared(endpoint=endpoint)
    if settings.sign_in == "delegated":
        return sign_in.delegated(_needed(settings, "DELEGATE", settings.delegate, why), endpoint=endpoint)
    template = _needed(settings, "REFRESH_TOKEN_SECRET", settings.refresh_token_secret, why)
    client = sign_in.OAuthClient(
        _needed(settings, "OAUTH_CLIENT_ID", settings.oauth_client_id, why),
        _needed(settings, "OAUTH_CLIENT_SECRET", settings.oauth_client_secret, why).get_secret_value(),
    )
    fetch = _fetch(endpoint)
    return sign_in.refresh_token(
        client,
        lambda subject: fetch(template.format(subject_hash=sign_in.subject_hash(subject))),
        endpoint=endpoint,
    )


def _needed(settings: Settings, name: str, value: T | None, why: str) -> T:
    if value is None:
        raise SettingsError(f"{name} is not set, and {why} needs it; expected: {settings.form_of(name)}")
    return value


def _providers(settings: WorkerSettings) -> Mapping[str, ConferenceProvider]:
    from confsync.providers.http import HttpProvider  # noqa: PLC0415

    return {
        solution.provider: HttpProvider(
            solution.url,
            [secret.get_secret_value() for secret in solution.secrets],
            now=utc_now,
            capabilities=solution.capabilities(),
        )
        for solution in settings.conference_solutions
    }
