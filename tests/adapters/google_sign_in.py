"""Google's side of signing in, on loopback: token endpoint, IAM's signatures, the metadata server, Secret Manager.

An access token that it gives is the address of whom it is for, as the local Calendar server takes it. It holds no tests
of its own.
"""

import base64
import functools
import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qs

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from tests.adapters.test_google_calendar_scripted import Answer, Asked, Scripted, scripted

RUNTIME = "runtime@project.iam.gserviceaccount.com"
DELEGATE = "delegate@project.iam.gserviceaccount.com"
ANN = "ann@example.com"
CLIENT_ID, CLIENT_SECRET = "client.apps.googleusercontent.com", "GOCSPX-hunter2"
CALENDAR_EVENTS = "https://www.googleapis.com/auth/calendar.events"
TOKEN, SIGN, SECRET = "/token", ":signJwt", ":access"
"""How the paths end that may be told to fail."""


@dataclass
class Google:
    """What Google knows, and what it was asked."""

    users: set[str] = field(default_factory=lambda: {ANN})
    """Who may be impersonated."""
    consents: dict[str, str] = field(default_factory=lambda: {"consent-of-ann": ANN})
    """Subject by refresh token."""
    secrets: dict[str, str | Answer] = field(default_factory=dict)
    """Text by `projects/P/secrets/S/versions/V`."""
    expires_in: int = 3599
    faults: list[tuple[str, Answer]] = field(default_factory=list)
    """Each is the answer to one request whose path ends so."""
    server: Scripted = field(init=False)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def url(self) -> str:
        """Where it is, without a slash at the end."""
        return self.server.url.removesuffix("/calendar/v3/")

    def fails(self, ending: str, *answers: Answer) -> None:
        """Give these answers to the next requests whose path ends so."""
        self.faults.extend((ending, answer) for answer in answers)

    def asked(self, ending: str) -> list[Asked]:
        """Return the requests whose path ends so."""
        return [asked for asked in self.server.asked if asked.path.endswith(ending)]

    def answer(self, asked: Asked) -> Answer:
        """Answer one request."""
        with self._lock:
            for fault in self.faults:
                if asked.path.endswith(fault[0]):
                    self.faults.remove(fault)
                    return fault[1]
        if asked.path.startswith("/computeMetadata/") or asked.path == "/":
            return _metadata(asked)
        for ending, answered in _ANSWERS.items():
            if asked.path.endswith(ending):
                return answered(self, asked)
        return Answer(404, _error(404, "NOT_FOUND"))

    def granted(self, subject: str | None) -> Answer:
        """Answer with an access token of the subject; None is nobody's."""
        if subject is None:
            return Answer(400, {"error": "invalid_grant", "error_description": "Bad Request"})
        body = {"access_token": subject, "expires_in": self.expires_in, "token_type": "Bearer"}
        return Answer(body=body, headers=_JSON)


def _token(google: Google, asked: Asked) -> Answer:
    form = {name: values[0] for name, values in parse_qs(asked.body.decode()).items()}
    if form["grant_type"] == "refresh_token":
        if (form["client_id"], form["client_secret"]) != (CLIENT_ID, CLIENT_SECRET):
            return Answer(401, {"error": "invalid_client", "error_description": "Unauthorized"})
        return google.granted(google.consents.get(form["refresh_token"]))
    claims = claims_of(form["assertion"])
    if "sub" in claims and claims["scope"] != CALENDAR_EVENTS:
        return Answer(401, {"error": "unauthorized_client", "error_description": "Client is unauthorized"})
    subject = claims.get("sub", claims["iss"])
    return google.granted(subject if subject in {*google.users, RUNTIME} else None)


def _signed(_: Google, asked: Asked) -> Answer:
    if asked.headers.get("authorization") != f"Bearer {RUNTIME}" or DELEGATE not in asked.path:
        return Answer(403, _error(403, "PERMISSION_DENIED"))
    return Answer(body={"keyId": "k", "signedJwt": f"e30.{_b64(asked.body['payload'].encode())}.sig"}, headers=_JSON)


def _secret(google: Google, asked: Asked) -> Answer:
    if not asked.headers.get("authorization"):
        return Answer(401, _error(401, "UNAUTHENTICATED"), _JSON)
    version = asked.path.removeprefix("/v1/").removesuffix(":access")
    found = google.secrets.get(version)
    if found is None:
        return Answer(404, _error(404, "NOT_FOUND"), _JSON)
    if isinstance(found, Answer):
        return found
    data = base64.b64encode(found.encode()).decode()
    return Answer(body={"name": version, "payload": {"data": data}}, headers=_JSON)


def _metadata(asked: Asked) -> Answer:
    headers = {**_JSON, "Metadata-Flavor": "Google"}
    if asked.path == "/":
        return Answer(headers=headers)
    if asked.path.endswith("/token"):
        body = {"access_token": RUNTIME, "expires_in": 3599, "token_type": "Bearer"}
        return Answer(body=body, headers=headers)
    if "service-accounts" in asked.path:
        return Answer(body={"aliases": ["default"], "email": RUNTIME, "scopes": []}, headers=headers)
    return (
        Answer(200, b"project", {**headers, "Content-Type": "text/plain"}) if "project" in asked.path else Answer(404)
    )


_JSON = {"Content-Type": "application/json; charset=UTF-8"}
_ANSWERS: Mapping[str, Callable[[Google, Asked], Answer]] = {TOKEN: _token, SIGN: _signed, SECRET: _secret}


def claims_of(assertion: str) -> dict[str, str]:
    """Return what a JWT claims, whoever signed it."""
    payload = assertion.split(".")[1]
    claims: dict[str, str] = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    return claims


def error(status: int, word: str) -> Answer:
    """Return a refusal in the form of Google Cloud's APIs."""
    return Answer(status, _error(status, word), _JSON)


def _error(status: int, word: str) -> dict[str, object]:
    return {"error": {"code": status, "message": "In Google's words", "status": word}}


def _b64(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).decode().rstrip("=")


@contextmanager
def running_google() -> Iterator[Google]:
    """Serve until the block ends."""
    google = Google()
    with scripted(google.answer) as google.server:
        yield google


@contextmanager
def running_google_for_this_process(folder: Path) -> Iterator[Google]:
    """Serve until the block ends; the application default of this process is a service account of this Google."""
    with running_google() as google, pytest.MonkeyPatch.context() as environment:
        who = {"type": "service_account", "client_email": RUNTIME, "private_key": _private_key(), "private_key_id": "k"}
        file = folder / "application_default.json"
        file.write_text(json.dumps({**who, "token_uri": f"{google.url}/token"}))
        environment.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(file))
        environment.setenv("NO_PROXY", "127.0.0.1")
        yield google


@functools.cache
def _private_key() -> str:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    return key.private_bytes(*form).decode()
