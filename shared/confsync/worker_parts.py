"""Build the parts that only the worker and the renewal are made of: the store, Calendar, and the conferencing systems.

Each adapter is imported only where the settings choose it. See `parts`.
"""

import uuid
from collections.abc import Mapping
from typing import TYPE_CHECKING, TypeVar

from confsync import parts
from confsync.core.channels import PushTerms
from confsync.core.terms import Terms
from confsync.errors import SettingsError
from confsync.ports import CalendarApi, ConferenceProvider, Outside, Store
from confsync.settings import WorkerSettings

if TYPE_CHECKING:  # its libraries are loaded with the adapter
    from confsync.adapters.sign_in import CredentialsFor

T = TypeVar("T")

RENEWALS_AT_ONCE = 16
"""Calls of Calendar that a run of renew_channels makes at once; a call takes a few tenths of a second."""


def new_id() -> str:
    """Return an id that nobody can guess, as Calendar recommends for channels."""
    return str(uuid.uuid4())


def worker(settings: WorkerSettings) -> tuple[Outside, Terms, PushTerms]:
    """Return what the worker and the renewal are made of: what they may reach, and what stays the same for them."""
    reached = outside(settings)
    return reached, terms(settings, reached.providers), settings.push_terms()


def outside(settings: WorkerSettings) -> Outside:
    """Return everything that the worker and the renewal may reach."""
    from confsync.adapters.threads import several_at_once  # noqa: PLC0415

    return Outside(
        store=store(settings.store, settings.firestore_emulator),
        calendar_api=_calendar_api(settings),
        task_queue=parts.task_queue(settings),
        providers=providers(settings),
        now=parts.utc_now,
        new_id=new_id,
        at_once=several_at_once(RENEWALS_AT_ONCE),
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

    endpoint = settings.sign_in_endpoint
    if settings.sign_in == "local":
        return sign_in.local()
    if settings.sign_in == "shared":
        return sign_in.shared(endpoint=endpoint)
    if settings.sign_in == "delegated":
        return sign_in.delegated(_needed(settings, "DELEGATE", settings.delegate), endpoint=endpoint)
    template = _needed(settings, "REFRESH_TOKEN_SECRET", settings.refresh_token_secret)
    client = sign_in.OAuthClient(
        _needed(settings, "OAUTH_CLIENT_ID", settings.oauth_client_id),
        _needed(settings, "OAUTH_CLIENT_SECRET", settings.oauth_client_secret).get_secret_value(),
    )
    fetch = parts.fetch(endpoint)
    return sign_in.refresh_token(
        client,
        lambda subject: fetch(template.format(subject_hash=sign_in.subject_hash(subject))),
        endpoint=endpoint,
    )


def _needed(settings: WorkerSettings, name: str, value: T | None) -> T:
    if value is None:
        form = settings.form_of(name)
        raise SettingsError(f"{name} is not set, and SIGN_IN={settings.sign_in} needs it; expected: {form}")
    return value


def providers(settings: WorkerSettings) -> Mapping[str, ConferenceProvider]:
    """Return the conferencing systems by name, without a call. Raises SettingsError for a malformed secret."""
    from confsync.providers.http import HttpProvider  # noqa: PLC0415

    return {
        solution.provider: HttpProvider(
            solution.url,
            [secret.get_secret_value() for secret in solution.secrets],
            now=parts.utc_now,
            capabilities=solution.capabilities(),
        )
        for solution in settings.conference_solutions
    }
