"""Whether the sample vendor believes a call."""

from datetime import UTC, datetime, timedelta

import pytest

from confsync.local.vendor.signature import TOLERANCE_S, is_signed
from confsync.providers.signature import parse_secrets, sign

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
OLD, NEW = parse_secrets(["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"])


def _headers(keys: list[bytes], body: bytes = b"{}", at: datetime = NOW) -> dict[str, str]:
    timestamp = int(at.timestamp())
    signature = sign(keys, "op_1", timestamp, body)
    return {"webhook-id": "op_1", "webhook-timestamp": str(timestamp), "webhook-signature": signature}


def test_the_official_test_vector_is_accepted() -> None:
    """The published signature of the specification's test vector."""
    headers = {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }
    assert is_signed(headers, b'{"test": 2432232314}', [OLD], datetime.fromtimestamp(1614265330, UTC))


@pytest.mark.parametrize(
    ("signing", "known", "expected"),
    [
        ([OLD], [OLD], True),
        ([NEW, OLD], [OLD], True),
        ([NEW, OLD], [NEW], True),
        ([OLD], [NEW, OLD], True),
        ([NEW], [OLD], False),
        ([OLD], [], False),
    ],
)
def test_one_common_key_is_enough(signing: list[bytes], known: list[bytes], expected: bool) -> None:
    """During a rotation each side may have the old key, the new one, or both."""
    assert is_signed(_headers(signing), b"{}", known, NOW) is expected


@pytest.mark.parametrize(
    "changed",
    [
        {"webhook-id": "op_2"},
        {"webhook-id": ""},
        {"webhook-timestamp": str(int(NOW.timestamp()) + 1)},
        {"webhook-timestamp": ""},
        {"webhook-timestamp": "-5"},
        {"webhook-timestamp": "\u0661"},
        {"webhook-timestamp": "9" * 5000},
        {"webhook-signature": ""},
        {"webhook-signature": "v1"},
        {"webhook-signature": "v1,"},
        {"webhook-signature": "v1,not base64 ,, v1,\u00e4"},
        {"webhook-signature": "v2," + "A" * 44},
    ],
)
def test_whatever_was_changed_is_noticed(changed: dict[str, str]) -> None:
    """Id, time and signature are all covered; nothing malformed breaks the check."""
    assert not is_signed({**_headers([OLD]), **changed}, b"{}", [OLD], NOW)


def test_a_changed_body_is_noticed() -> None:
    """A single blank is another body."""
    assert not is_signed(_headers([OLD]), b"{ }", [OLD], NOW)


@pytest.mark.parametrize(
    ("age_s", "expected"),
    [(TOLERANCE_S, True), (TOLERANCE_S + 1, False), (-TOLERANCE_S, True), (-TOLERANCE_S - 1, False)],
)
def test_a_recorded_call_is_too_old(age_s: int, expected: bool) -> None:
    """Five minutes in either direction are a clock that is off; more is a replay."""
    assert is_signed(_headers([OLD], at=NOW - timedelta(seconds=age_s)), b"{}", [OLD], NOW) is expected
