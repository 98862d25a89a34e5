"""Signing as Standard Webhooks 1.0 does."""

import base64

import pytest

from confsync.errors import SettingsError
from confsync.providers.signature import parse_secrets, sign


def test_the_official_test_vector_is_reproduced(secret: str) -> None:
    """The vector that all reference libraries of the specification test against gives the published signature."""
    signature = sign(parse_secrets([secret]), "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}')
    assert signature == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_two_keys_give_two_signatures_the_newest_first(secret: str, other_secret: str) -> None:
    """During a rotation the receiver finds a signature of whichever key it knows."""
    both = sign(parse_secrets([other_secret, secret]), "op_1", 1, b"{}")
    alone = [sign(parse_secrets([one]), "op_1", 1, b"{}") for one in (other_secret, secret)]
    assert both == " ".join(alone)


@pytest.mark.parametrize(
    "secrets",
    [
        [],
        ["whsec_" + "A" * 32] * 3,
        ["A" * 32],
        ["whsec_not base64!"],
        ["whsec_\u00e4\u00f6\u00fc"],
        ["whsec_" + base64.b64encode(b"x" * 23).decode()],
        ["whsec_" + base64.b64encode(b"x" * 65).decode()],
    ],
    ids=["none", "three", "no prefix", "no base64", "not ascii", "too short", "too long"],
)
def test_a_malformed_secret_is_refused_without_being_shown(secrets: list[str]) -> None:
    """The message tells the expected form and never the secret."""
    with pytest.raises(SettingsError) as error:
        parse_secrets(secrets)
    assert "secret" in str(error.value)
    assert not any(secret.removeprefix("whsec_") in str(error.value) for secret in secrets)
