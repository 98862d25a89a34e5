"""The receiver's second door: whose notifications become tasks, and for which calendar."""

import json
from datetime import timedelta

import pytest

from confsync.adapters.memory_tasks import MemoryTaskQueue
from confsync.core.addon import AddonEvent, AddonTerms
from confsync.core.records import Calendar
from confsync.core.rules import Rules
from confsync.errors import CertificatesUnavailable, NotificationRejected
from confsync.receive_addon_notification import receive_addon_notification
from confsync.receive_notification import Receipt
from tests.world import ANN, BOB, START

ROBOT = "service-123@gcp-sa-gsuiteaddons.iam.gserviceaccount.com"
TERMS = AddonTerms("tenant-1", ROBOT, "https://receiver.example.com/addon", "client-1")
RULES = Rules()


class Words:
    """Tokens of the form AUDIENCE|EMAIL, which anybody believes."""

    is_down = False

    def email_of(self, id_token: str, audience: str) -> str:
        """Return the address in a token for this audience."""
        if self.is_down:
            raise CertificatesUnavailable("down")
        meant_for, _, email = id_token.partition("|")
        if meant_for != audience:
            raise NotificationRejected("for another audience", 401)
        return email


def sent(
    calendar_id: str = "primary", system: str = f"{TERMS.audience}|{ROBOT}", user: str = f"{TERMS.client_id}|{ANN}"
) -> AddonEvent:
    """Return what the add-on's platform sends."""
    tokens = {"userIdToken": user, "systemIdToken": system}
    body = {"authorizationEventObject": tokens, "calendar": {"calendarId": calendar_id}}
    return AddonEvent.from_request("", json.dumps(body).encode())


def receive(queue: MemoryTaskQueue, event: AddonEvent, at_s: float = 0, words: Words | None = None) -> Receipt:
    """Receive one notification `at_s` seconds after the start of a window."""
    now = START + timedelta(seconds=at_s)
    return receive_addon_notification(event, TERMS, words or Words(), queue, now, rules=RULES)


def test_a_notification_starts_a_sync_of_the_users_calendar() -> None:
    """The key is the one that /initialize made; no channel is named, since there is none to stop."""
    queue, key = MemoryTaskQueue(), Calendar.key_for("tenant-1", ANN, ANN)
    assert receive(queue, sent()) == Receipt(key, "leading")
    (task,) = queue.created
    assert (task.path, task.body) == ("/sync", {"calendar_key": key, "kind": "leading"})


def test_a_calendar_is_seen_as_each_user_sees_it() -> None:
    """The token says who it is, not the body."""
    queue = MemoryTaskQueue()
    team = [receive(queue, sent("team@example.com", user=f"client-1|{who}")).calendar_key for who in (ANN, BOB)]
    assert team == [Calendar.key_for("tenant-1", "team@example.com", who) for who in (ANN, BOB)]


def test_a_storm_costs_two_tasks_a_window() -> None:
    """As one of pushes does, and they share the names of their tasks."""
    queue = MemoryTaskQueue()
    assert [receive(queue, sent(), at_s).task for at_s in (0, 0.5, 1.9, 2)] == [
        "leading",
        "trailing",
        "covered",
        "leading",
    ]


@pytest.mark.parametrize(
    ("event", "status"),
    [
        (sent(system=f"{TERMS.audience}|service-9@gcp-sa-gsuiteaddons.iam.gserviceaccount.com"), 403),
        (sent(system=f"{TERMS.audience}|{ANN}"), 403),
        (sent(system=f"https://other.example.com|{ROBOT}"), 401),
        (sent(system=f"{TERMS.client_id}|{ROBOT}"), 401),
        (sent(user=f"client-2|{ANN}"), 401),
        (sent(user=f"{TERMS.audience}|{ROBOT}"), 401),
    ],
)
def test_nobody_else_makes_a_task(event: AddonEvent, status: int) -> None:
    """Another add-on's service account, a user in its place, tokens that were meant for others or confused."""
    queue = MemoryTaskQueue()
    with pytest.raises(NotificationRejected) as refused:
        receive(queue, event)
    assert refused.value.status == status
    assert not queue.created


def test_without_certificates_no_task_is_made() -> None:
    """The caller answers 503."""
    queue, words = MemoryTaskQueue(), Words()
    words.is_down = True
    with pytest.raises(CertificatesUnavailable):
        receive(queue, sent(), words=words)
    assert not queue.created
