"""Google's keys on loopback: it signs ID tokens with real keys and serves their certificates. It holds no tests."""

import functools
import json
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID
from google.auth import crypt, jwt

from tests.adapters.test_google_calendar_scripted import Answer, Asked, Scripted, scripted

ADDON = "service-123@gcp-sa-gsuiteaddons.iam.gserviceaccount.com"
AUDIENCE, CLIENT_ID = "https://receiver.example.com/addon", "123-abc.apps.googleusercontent.com"
ANN = "ann@example.com"


@functools.cache
def _key(name: str) -> rsa.RSAPrivateKey:
    """Return a key; each name has one of its own."""
    del name
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@functools.cache
def certificate(name: str) -> str:
    """Return the certificate of a key, signed by itself as Google's are, in PEM."""
    who = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "federated-signon.system.gserviceaccount.com")])
    today = datetime.now(UTC)
    unsigned = x509.CertificateBuilder().subject_name(who).issuer_name(who).public_key(_key(name).public_key())
    dated = unsigned.serial_number(1).not_valid_before(today).not_valid_after(today + timedelta(days=14))
    return dated.sign(_key(name), hashes.SHA256()).public_bytes(serialization.Encoding.PEM).decode()


@dataclass
class GoogleKeys:
    """What is published, and how often it was asked for."""

    published: dict[str, str] = field(default_factory=lambda: {"now": certificate("now"), "next": certificate("next")})
    """PEM by key id."""
    cache_control: str = "public, max-age=20000, must-revalidate, no-transform"
    age: str = "0"
    broken: Answer | None = None
    """What is answered instead."""
    server: Scripted = field(init=False)

    @property
    def url(self) -> str:
        """Where it is, without a slash at the end."""
        return self.server.url.removesuffix("/calendar/v3/")

    @property
    def asked(self) -> list[str]:
        """The paths that were asked for."""
        return [asked.path for asked in self.server.asked]

    def answer(self, _: Asked) -> Answer:
        """Answer one request."""
        headers = {"Cache-Control": self.cache_control, "Age": self.age, "Content-Type": "application/json"}
        return self.broken or Answer(body=self.published, headers=headers)


@contextmanager
def running_google_keys() -> Iterator[GoogleKeys]:
    """Serve until the block ends."""
    google = GoogleKeys()
    with scripted(google.answer) as google.server:
        yield google


def system_token(key: str = "now", kid: str | None = None, **changes: Any) -> str:
    """Return the token of the add-on's service account, signed with `key`; a claim that is None is left out."""
    return _signed(key, kid, {"sub": "1", "aud": AUDIENCE, "email": ADDON, "azp": "1"}, changes)


def user_token(key: str = "now", kid: str | None = None, **changes: Any) -> str:
    """Return the token of Ann, as the add-on gets it."""
    return _signed(key, kid, {"sub": "2", "aud": CLIENT_ID, "email": ANN, "azp": CLIENT_ID}, changes)


def _signed(key: str, kid: str | None, claims: Mapping[str, Any], changes: Mapping[str, Any]) -> str:
    now = int(time.time())
    usual = {"iss": "https://accounts.google.com", "iat": now, "exp": now + 3600, "email_verified": True}
    payload = {name: value for name, value in {**usual, **claims, **changes}.items() if value is not None}
    token: bytes = jwt.encode(_signer(key), payload, key_id=kid or key)  # type: ignore[no-untyped-call]  # google-auth leaves it untyped
    return token.decode()


def event(calendar_id: str = ANN, **tokens: str) -> bytes:
    """Return the event object of a calendar trigger."""
    return json.dumps(
        {
            "commonEventObject": {"hostApp": "CALENDAR", "platform": "WEB"},
            "authorizationEventObject": {"userOAuthToken": "ya29.secret", **tokens},
            "calendar": {"calendarId": calendar_id},
        }
    ).encode()


@functools.cache
def _signer(name: str) -> crypt.RSASigner:
    form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    pem = _key(name).private_bytes(*form).decode()
    signer: crypt.RSASigner = crypt.RSASigner.from_string(pem)  # type: ignore[no-untyped-call]  # google-auth leaves it untyped
    return signer
