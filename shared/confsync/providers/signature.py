"""Signs calls as Standard Webhooks 1.0 does, with one key or, during a rotation, with two.

It must never put a secret, or a part of one, into an error message.
https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Sequence

from confsync.errors import SettingsError

PREFIX = "whsec_"
SHORTEST_KEY, LONGEST_KEY = 24, 64
"""In bytes, as the specification asks."""
MOST_KEYS = 2


def parse_secrets(secrets: Sequence[str]) -> tuple[bytes, ...]:
    """Return the signing keys in the order given, the newest first.

    Raises:
        SettingsError: there is no secret, there are more than two, or one is malformed.

    """
    if not 1 <= len(secrets) <= MOST_KEYS:
        raise SettingsError(f"a provider needs one signing secret, or two during a rotation; found {len(secrets)}")
    return tuple(_parse_secret(secret, number) for number, secret in enumerate(secrets, start=1))


def _parse_secret(secret: str, number: int) -> bytes:
    expected = f"expected {PREFIX} and the base64 of {SHORTEST_KEY} to {LONGEST_KEY} random bytes"
    name = f"signing secret {number}"
    if not secret.startswith(PREFIX):
        raise SettingsError(f"{name} does not start with {PREFIX}; {expected}")
    try:
        key = base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except (binascii.Error, ValueError):
        raise SettingsError(f"{name} is not base64; {expected}") from None
    if not SHORTEST_KEY <= len(key) <= LONGEST_KEY:
        raise SettingsError(f"{name} has {len(key)} bytes; {expected}")
    return key


def sign(keys: Sequence[bytes], webhook_id: str, timestamp: int, body: bytes) -> str:
    """Return the value of `webhook-signature`: one `v1,<base64>` for each key, with spaces between."""
    return " ".join(f"v1,{_sign_one(key, webhook_id, timestamp, body)}" for key in keys)


def _sign_one(key: bytes, webhook_id: str, timestamp: int, body: bytes) -> str:
    signed = f"{webhook_id}.{timestamp}.".encode() + body
    return base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()
