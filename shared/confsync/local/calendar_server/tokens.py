"""Page tokens and sync tokens: positions in a calendar's changes that a caller carries and cannot forge. Pure."""

import hashlib
import hmac
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass, fields
from functools import lru_cache
from typing import Any

from .errors import invalid

Cursor = list[int | str]
"""The sort key of the last row that was shown."""


@dataclass(frozen=True, slots=True)
class SyncToken:
    """Everything up to `upto` is known to the bearer."""

    calendar_id: str
    epoch: int
    upto: int
    fingerprint: str
    """Of the list parameters that must stay the same."""
    role: str
    issued_us: int


@dataclass(frozen=True, slots=True)
class PageToken:
    """A listing goes on behind `cursor`; it shows what changed after `after`, and its end is pinned at `upto`."""

    calendar_id: str
    epoch: int
    after: int
    upto: int
    fingerprint: str
    cursor: Cursor


_FIELDS = {kind: [field.name for field in fields(token)] for kind, token in (("s", SyncToken), ("p", PageToken))}


@lru_cache(maxsize=256, typed=True)  # nearly all lists have the same few
def fingerprint(*parameters: object) -> str:
    """Return a short hash of list parameters."""
    text = json.dumps(parameters, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def encode(secret: str, token: SyncToken | PageToken) -> str:
    """Write a token."""
    kind = "s" if isinstance(token, SyncToken) else "p"
    values = (getattr(token, name) for name in _FIELDS[kind])
    payload = json.dumps([kind, *values], separators=(",", ":")).encode()
    return urlsafe_b64encode(_seal(secret, payload) + payload).decode()


@lru_cache(maxsize=256)  # a list reads its token more than once, and so do those who watch it
def decode_sync(secret: str, text: str) -> SyncToken:
    """Read a sync token.

    Raises:
        ApiError: 400 `invalid` for anything that this server did not issue as a sync token.
    """
    return SyncToken(*_opened(secret, text, "s"))


def decode_page(secret: str, text: str) -> PageToken:
    """Read a page token.

    Raises:
        ApiError: 400 `invalid` for anything that this server did not issue as a page token.
    """
    return PageToken(*_opened(secret, text, "p"))


_SEAL_BYTES = 9


def _seal(secret: str, payload: bytes) -> bytes:
    return hmac.digest(secret.encode(), payload, "sha256")[:_SEAL_BYTES]


def _opened(secret: str, text: str, kind: str) -> list[Any]:
    try:
        raw = urlsafe_b64decode(text.encode("ascii"))
    except ValueError:
        raise invalid() from None
    payload = raw[_SEAL_BYTES:]
    if not hmac.compare_digest(raw[:_SEAL_BYTES], _seal(secret, payload)):
        raise invalid()
    values: list[Any] = json.loads(payload)
    if values.pop(0) != kind:
        raise invalid()
    return values
