"""The receiver: which requests become tasks, and which are refused."""

from collections.abc import Mapping
from datetime import timedelta
from types import MappingProxyType

import pytest

from confsync.adapters.memory_tasks import MemoryTaskQueue
from confsync.core.channels import SigningKey, sign_channel_token
from confsync.core.rules import Rules
from confsync.errors import NotificationRejected
from confsync.receive_notification import Receipt, receive_notification
from tests.world import START

KEY, OLD = SigningKey("k2", b"new-key-new-key-"), SigningKey("k1", b"old-key-old-key-")
CALENDAR = "c" * 32
RULES = Rules()


def headers(changes: Mapping[str, str]) -> dict[str, str]:
    """Return the headers of a genuine notification, changed; an empty value leaves one out."""
    genuine = {
        "X-Goog-Channel-ID": "channel-1",
        "X-Goog-Channel-Token": sign_channel_token(KEY, "channel-1", CALENDAR),
        "X-Goog-Resource-ID": "resource-1",
        "X-Goog-Resource-State": "exists",
        "X-Goog-Message-Number": "7",
    }
    named = {f"X-Goog-{name.replace('_', '-').title()}": value for name, value in changes.items()}
    named = {name.replace("-Id", "-ID"): value for name, value in named.items()}
    return {name: value for name, value in {**genuine, **named}.items() if value}


def receive(queue: MemoryTaskQueue, at_s: float = 0, changes: Mapping[str, str] = MappingProxyType({})) -> Receipt:
    """Receive one notification `at_s` seconds after the start of a window."""
    return receive_notification(headers(changes), [KEY, OLD], queue, START + timedelta(seconds=at_s), rules=RULES)


def test_an_isolated_notification_starts_a_sync_at_once() -> None:
    """The leading task has no schedule time, and tells the worker the channel."""
    queue = MemoryTaskQueue()
    assert receive(queue) == Receipt(CALENDAR, "leading")
    (task,) = queue.created
    assert (task.path, task.schedule_time) == ("/sync", None)
    assert task.body == {
        "calendar_key": CALENDAR,
        "kind": "leading",
        "channel_id": "channel-1",
        "resource_id": "resource-1",
    }


def test_later_ones_of_a_window_share_a_task_after_its_end() -> None:
    """It starts after the window and the clock skew, so it lists after every one of them."""
    queue = MemoryTaskQueue()
    tasks = [receive(queue, at_s).task for at_s in (0, 0.5, 1.9)]
    assert tasks == ["leading", "trailing", "covered"]
    assert queue.created[1].schedule_time == START + timedelta(seconds=RULES.window_s + RULES.skew_s)


def test_the_next_window_has_tasks_of_its_own() -> None:
    """A used name stays blocked for a day, so each name carries its window."""
    queue = MemoryTaskQueue()
    assert [receive(queue, at_s).task for at_s in (0, 2, 4)] == ["leading"] * 3


def test_a_sync_message_starts_nothing() -> None:
    """It only says that the channel is open."""
    queue = MemoryTaskQueue()
    assert receive(queue, changes={"resource_state": "sync"}).task == "none"
    assert not queue.created


def test_a_token_of_the_older_key_is_still_genuine() -> None:
    """Two keys are valid during a rotation."""
    queue = MemoryTaskQueue()
    token = sign_channel_token(OLD, "channel-1", CALENDAR)
    assert receive(queue, changes={"channel_token": token}).task == "leading"


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"channel_id": ""}, 400),
        ({"channel_token": ""}, 400),
        ({"resource_id": ""}, 400),
        ({"resource_state": ""}, 400),
        ({"resource_state": "change"}, 400),
        ({"channel_id": "x" * 65}, 400),
        ({"channel_token": "x" * 257}, 400),
        ({"resource_id": "x" * 5000}, 400),
        ({"channel_token": "v1.k2." + CALENDAR + "." + "0" * 64}, 403),
        ({"channel_token": sign_channel_token(SigningKey("k0", b"y" * 16), "channel-1", CALENDAR)}, 403),
        ({"channel_token": sign_channel_token(KEY, "channel-2", CALENDAR)}, 403),
        ({"channel_token": "\u00fc.\u00fc.\u00fc.\u00fc"}, 403),
        ({"channel_token": "v1"}, 403),
    ],
)
def test_anything_else_is_refused_and_makes_no_task(changes: dict[str, str], status: int) -> None:
    """Missing, huge, unknown, forged and stale: 4xx, which Calendar does not repeat."""
    queue = MemoryTaskQueue()
    with pytest.raises(NotificationRejected) as refused:
        receive(queue, changes=changes)
    assert refused.value.status == status
    assert not queue.created
