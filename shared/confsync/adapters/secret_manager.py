"""Texts of secrets in Secret Manager, over Google's client.

It must never keep, log or show what it reads, nor name a secret's content in a message. The client speaks REST: a
secret is read seldom, and a gRPC channel would be one more to open after the fork.
"""

import functools
import threading
from typing import Final

from google.api_core.client_options import ClientOptions
from google.api_core.exceptions import (
    BadRequest,
    Forbidden,
    GoogleAPIError,
    NotFound,
    ServerError,
    TooManyRequests,
    Unauthorized,
)
from google.api_core.retry import Retry, if_exception_type
from google.auth.exceptions import DefaultCredentialsError, GoogleAuthError
from google.cloud.secretmanager_v1 import SecretManagerServiceClient
from google.protobuf.json_format import ParseError  # type: ignore[import-untyped]  # protobuf leaves it untyped

from confsync.adapters.sign_in_credentials import Own, application_default
from confsync.errors import SecretDenied, SecretMissing, SecretUnavailable

_SCOPE: Final = "https://www.googleapis.com/auth/cloud-platform"
"""The only one that Secret Manager takes; what may be read, IAM's roles say."""
_PASSING = (ServerError, TooManyRequests, ConnectionError)
_NO_ANSWER = (GoogleAPIError, GoogleAuthError, OSError, ParseError, UnicodeDecodeError)
"""What the libraries below raise; the last two for an answer that Secret Manager did not write."""


class SecretManager:
    """Reads secrets as this process. Safe to share between threads."""

    def __init__(self, endpoint: str | None = None, *, timeout_s: float = 5.0) -> None:
        """Keep the settings; nobody is asked before the first read, so that it happens after a fork.

        Args:
            endpoint: `http://HOST:PORT` where Secret Manager is served; None for Google's.
            timeout_s: longest wait for one answer, and how long passing faults are asked again.

        """
        self._endpoint = endpoint
        self._timeout_s = timeout_s
        self._retry = Retry(if_exception_type(*_PASSING), initial=0.2, multiplier=2, timeout=timeout_s)
        self._connecting = threading.Lock()

    def text(self, version: str) -> str:
        """Return the text of `projects/P/secrets/S/versions/V`, without line ends behind it.

        Raises:
            SecretMissing: there is no such secret or version, or it was disabled or destroyed.
            SecretDenied: this process may not read it.
            SecretUnavailable: no answer; try again.

        """
        try:
            answer = self._client().access_secret_version(name=version, retry=self._retry, timeout=self._timeout_s)
        except (NotFound, BadRequest):
            raise SecretMissing(f"{version} does not exist or is not enabled; add a version to the secret") from None
        except (Forbidden, Unauthorized):
            message = f"{version} may not be read, or does not exist"
            raise SecretDenied(f"{message}; grant roles/secretmanager.secretAccessor on the secret") from None
        except DefaultCredentialsError:
            message = "nobody is signed in: give the function a service account"
            raise SecretUnavailable(f"{message}, or run gcloud auth application-default login") from None
        except _NO_ANSWER as error:
            raise SecretUnavailable(f"Secret Manager did not answer ({type(error).__name__})") from None
        return _decoded(version, answer.payload.data)

    def _client(self) -> SecretManagerServiceClient:
        with self._connecting:
            return self._connected

    @functools.cached_property
    def _connected(self) -> SecretManagerServiceClient:
        who_we_are = Own(application_default, (_SCOPE,)).credentials
        options = ClientOptions(api_endpoint=self._endpoint) if self._endpoint else None
        return SecretManagerServiceClient(credentials=who_we_are, transport="rest", client_options=options)


def _decoded(version: str, content: bytes) -> str:
    try:
        return content.decode().rstrip("\r\n")
    except UnicodeDecodeError:
        raise SecretMissing(f"{version} is not text; add a version in UTF-8") from None
