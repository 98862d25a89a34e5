"""Which headers make a push notification."""

import pytest

from confsync.core.notifications import Notification
from confsync.errors import NotificationRejected

HEADERS = {
    "X-Goog-Channel-ID": "0f8fad5b-d9cb-469f-a165-70867728950e",
    "X-Goog-Channel-Token": "v1.k1.abc.def",
    "X-Goog-Resource-ID": "o3hgv1538sdjfh",
    "X-Goog-Resource-State": "exists",
    "X-Goog-Message-Number": "10",
}


def test_a_notification_is_read_from_its_headers() -> None:
    """Channel, token, resource and state; nothing else of it counts."""
    found = Notification.from_headers(HEADERS)
    assert found == Notification(
        HEADERS["X-Goog-Channel-ID"], "v1.k1.abc.def", "o3hgv1538sdjfh", resource_state="exists"
    )


@pytest.mark.parametrize("state", ["sync", "exists", "not_exists"])
def test_the_states_of_a_calendar_are_known(state: str) -> None:
    """`exists` stands for deletions too."""
    assert Notification.from_headers(HEADERS | {"X-Goog-Resource-State": state}).resource_state == state


@pytest.mark.parametrize("name", [name for name in HEADERS if name != "X-Goog-Message-Number"])
@pytest.mark.parametrize("value", [None, "", "x" * 257])
def test_a_missing_empty_or_huge_header_is_rejected_by_name(name: str, value: str | None) -> None:
    """The answer is 400 and says which header."""
    headers = {known: text for known, text in HEADERS.items() if known != name}
    with pytest.raises(NotificationRejected, match=name) as caught:
        Notification.from_headers(headers if value is None else headers | {name: value})
    assert caught.value.status == 400


@pytest.mark.parametrize(
    ("name", "longest"), [("X-Goog-Channel-ID", 64), ("X-Goog-Channel-Token", 256), ("X-Goog-Resource-ID", 256)]
)
def test_a_header_may_be_as_long_as_google_allows(name: str, longest: int) -> None:
    """The longest passes, one more does not."""
    Notification.from_headers(HEADERS | {name: "x" * longest})
    with pytest.raises(NotificationRejected, match=str(longest + 1)):
        Notification.from_headers(HEADERS | {name: "x" * (longest + 1)})


@pytest.mark.parametrize("state", ["update", "EXISTS", "exists ", "deleted", "\ud800"])
def test_another_state_is_no_notification_of_a_calendar(state: str) -> None:
    """Drive's `update`, for instance; what was sent is not repeated in the answer."""
    with pytest.raises(NotificationRejected, match="none of sync, exists, not_exists") as caught:
        Notification.from_headers(HEADERS | {"X-Goog-Resource-State": state})
    assert state not in str(caught.value).replace("exists", "")
