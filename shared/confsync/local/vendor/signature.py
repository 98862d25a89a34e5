"""Checks that a call is ours: Standard Webhooks 1.0, symmetric signatures.

It must never parse the body, nor compare with `==`: the time that takes would tell an attacker how far he got.
"""

import base64
import hmac
from collections.abc import Mapping, Sequence
from datetime import datetime

TOLERANCE_S = 300
"""How far the sender's clock may be off; an older call could be a recorded one."""


def is_signed(headers: Mapping[str, str], body: bytes, keys: Sequence[bytes], now: datetime) -> bool:
    """Whether one of the signatures was made with one of the keys over these very bytes, within the last minutes.

    Args:
        headers: with names in lower case.
        body: as received; a body that was parsed and written again has other bytes.
        keys: what follows `whsec_`, decoded from base64; two while a key is being replaced.
        now: the current time.

    """
    webhook_id, timestamp = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    is_number = timestamp.isascii() and timestamp.isdigit() and len(timestamp) <= len("1790000000000")
    if not (webhook_id and is_number) or abs(now.timestamp() - int(timestamp)) > TOLERANCE_S:
        return False
    signed = f"{webhook_id}.{timestamp}.".encode() + body
    expected = [b"v1," + base64.b64encode(hmac.digest(key, signed, "sha256")) for key in keys]
    given = [signature.encode() for signature in headers.get("webhook-signature", "").split(" ")]
    return any(hmac.compare_digest(one, other) for one in given for other in expected)
