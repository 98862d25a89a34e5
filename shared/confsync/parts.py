"""Build the parts that every function is made of, from its settings; `worker_parts` builds what the receiver lacks.

The two choose the adapters, and nobody else. Each adapter is imported only where it is needed, so that a function
starts quickly, and opens nothing before its first use, since the framework imports in one process and serves in
another. This module must never name what reaches a store or Calendar: the receiver's archive holds whatever it names.
"""

import functools
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from confsync.errors import SettingsError
from confsync.ports import IdTokens, TaskQueue
from confsync.settings import QueueSettings, ReceiveNotificationSettings
from confsync.settings_forms import Fetch, S

if TYPE_CHECKING:  # needed only where a setting refers to a secret, or an add-on announces changes
    from confsync.adapters.secret_manager import SecretManager
    from confsync.core.addon import AddonTerms


def utc_now() -> datetime:
    """Return the time in UTC."""
    return datetime.now(UTC)


def read_settings(model: type[S], variables: Mapping[str, str]) -> S:
    """Return the settings in `variables`, with the secrets that are given by reference.

    Raises:
        SettingsError: see `Settings.from_mapping`.
        SecretUnavailable: Secret Manager does not answer.

    """
    return model.from_mapping(variables, fetch(variables.get("SIGN_IN_ENDPOINT") or None))


def fetch(endpoint: str | None) -> Fetch:
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

    terms = AddonTerms(
        tenant=settings.tenant,
        service_account=settings.addon_service_account,
        audience=_needed(settings, "ADDON_AUDIENCE", settings.addon_audience),
        client_id=_needed(settings, "ADDON_CLIENT_ID", settings.addon_client_id),
    )
    return terms, GoogleIdTokens(settings.sign_in_endpoint)


def _needed(settings: ReceiveNotificationSettings, name: str, value: str | None) -> str:
    if value is None:
        form = settings.form_of(name)
        raise SettingsError(f"{name} is not set, and ADDON_SERVICE_ACCOUNT needs it; expected: {form}")
    return value
