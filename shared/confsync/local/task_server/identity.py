"""OIDC tokens as Google's, signed with the server's own key.

It must never use a key that outlives the process or works anywhere else. Verify with the keys under `/_local/jwks`.
Source: https://cloud.google.com/docs/authentication/token-types#id
"""

import base64
import hashlib
from datetime import datetime
from functools import cache
from typing import Any

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from google.auth import jwt
from google.auth.crypt import Signer

ISSUER = "https://accounts.google.com"
LIFETIME_S = 3600
_REUSE_S = 1800
_MOST_KEPT = 1000


class Identities:
    """Makes tokens; one token per account and audience is used again for half of its life."""

    def __init__(self) -> None:
        """Use this process's key."""
        self._key = _process_key()
        self._signer = _RsaSigner(self._key)
        self._kept: dict[tuple[str, str], tuple[int, str]] = {}

    def token(self, email: str, audience: str, now: datetime) -> str:
        """Return a token of this service account for this audience, valid for at least half an hour."""
        issued_at = int(now.timestamp())
        kept = self._kept.get((email, audience))
        if kept is not None and 0 <= issued_at - kept[0] < _REUSE_S:
            return kept[1]
        if len(self._kept) >= _MOST_KEPT:
            self._kept.clear()
        token: str = jwt.encode(self._signer, _claims(email, audience, issued_at)).decode()  # type: ignore[no-untyped-call]  # google-auth has no types here
        self._kept[email, audience] = (issued_at, token)
        return token

    def jwks(self) -> dict[str, Any]:
        """Return the public key as a JSON Web Key Set (RFC 7517)."""
        numbers = self._key.public_key().public_numbers()
        key = {
            "kty": "RSA",
            "alg": "RS256",
            "use": "sig",
            "kid": self._signer.key_id,
            "n": _base64url(numbers.n),
            "e": _base64url(numbers.e),
        }
        return {"keys": [key]}


@cache
def _process_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def _claims(email: str, audience: str, issued_at: int) -> dict[str, Any]:
    account_id = str(int(hashlib.sha256(email.encode()).hexdigest()[:16], 16))
    return {
        "iss": ISSUER,
        "aud": audience,
        "azp": account_id,
        "sub": account_id,
        "email": email,
        "email_verified": True,
        "iat": issued_at,
        "exp": issued_at + LIFETIME_S,
    }


def _base64url(number: int) -> str:
    raw = number.to_bytes((number.bit_length() + 7) // 8, "big")
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


class _RsaSigner(Signer):
    """RS256 with a key that is held in memory."""

    def __init__(self, key: rsa.RSAPrivateKey) -> None:
        public = key.public_key().public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        self._key = key
        self._key_id = hashlib.sha256(public).hexdigest()[:40]

    @property
    def key_id(self) -> str:
        return self._key_id

    def sign(self, message: str | bytes) -> bytes:
        raw = message.encode() if isinstance(message, str) else message
        return self._key.sign(raw, padding.PKCS1v15(), hashes.SHA256())
