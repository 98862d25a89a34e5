"""docs/provider-contract.md tells the truth: its examples run, its code works, its tables equal the code."""

import base64
import inspect
import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, get_args

import httpx
import pytest

from confsync.core.solutions import Solution
from confsync.core.state import ConferenceState, Field, Moment, Occurrence
from confsync.local.vendor.app import ENDPOINT
from confsync.local.vendor.server import Vendor, serving
from confsync.providers import answers, conference_data
from confsync.providers.conference_body import desired_body
from confsync.providers.conference_data import LARGEST_CONFERENCE_DATA, ConferenceData, checked_conference_data
from confsync.providers.http import ALL_FIELDS
from confsync.providers.problems import CONFERENCE_ENDED, GENERATION_STALE, PROBLEM_BASE
from confsync.providers.signature import parse_secrets, sign
from confsync.settings_solutions import SolutionSettings

PAGE = (Path(__file__).parents[2] / "docs" / "provider-contract.md").read_text(encoding="utf-8")
EXAMPLE = PAGE.partition("## A worked example")[2]


def _blocks(text: str, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", text, flags=re.DOTALL)


def _exchanges() -> Iterator[tuple[bytes, int, Any]]:
    """Yield each request of the example with the status and body that the page promises."""
    bodies = _blocks(EXAMPLE, "json")
    statuses = re.findall(r"^Answer `(\d+)`:$", EXAMPLE, flags=re.MULTILINE)
    assert len(bodies) == 2 * len(statuses)
    for number, status in enumerate(statuses):
        yield bodies[2 * number].encode(), int(status), json.loads(bodies[2 * number + 1])


def _post(vendor: Vendor, body: bytes, operation_id: str, secret: str) -> httpx.Response:
    now = int(datetime.now(UTC).timestamp())
    headers = {
        "content-type": "application/json",
        "webhook-id": operation_id,
        "webhook-timestamp": str(now),
        "webhook-signature": sign(parse_secrets([secret]), operation_id, now, body),
    }
    return httpx.post(vendor.endpoint, content=body, headers=headers)


def test_the_worked_example_runs(secret: str) -> None:
    """Each request of the page, signed and sent to the sample back end, gets the answer that the page shows."""
    assert secret in EXAMPLE
    assert f"`{ENDPOINT}`" in EXAMPLE
    with serving([secret], new_id=lambda: "613-204-9951") as vendor:
        for number, (body, status, expected) in enumerate(_exchanges()):
            answer = _post(vendor, body, f"op_{number}", secret)
            # The page's own port; the label has the address without its scheme.
            text = answer.text.replace(vendor.url.partition("://")[2], "127.0.0.1:8080")
            assert (answer.status_code, json.loads(text)) == (status, expected)


def test_the_conference_of_the_example_may_go_into_an_event() -> None:
    """What the page shows as the answer to a create is what the provider accepts."""
    made = next(expected for _, status, expected in _exchanges() if status == 201)
    data = made["conference_data"]
    assert checked_conference_data(data, made["conference_id"]) == data


def test_the_limits_of_conference_data_are_those_of_the_code() -> None:
    """Every number of the section stands in the schema, and the other way round."""
    section = PAGE.partition("### conference.create")[2].partition("### ")[0]
    limits = set(re.findall(r"'max(?:Length|Items|Properties)': (\d+)", str(ConferenceData.model_json_schema())))
    limits |= set(re.findall(r"max_length=(\d+)", inspect.getsource(conference_data)))
    # Region codes and icons are short in practice; the bounds only keep nonsense out.
    unsaid = {"16"}
    for limit in limits - unsaid:
        assert re.search(rf"\b{limit}\b", section), limit
    assert f"{LARGEST_CONFERENCE_DATA // 1024} KiB" in section


def test_what_you_say_of_yourself_is_a_setting() -> None:
    """The example is accepted as it stands, and the table has every capability with its default."""
    section = PAGE.partition("## What you say of yourself")[2].partition("\n## ")[0]
    (example,) = _blocks(section, "json")
    (said,) = (SolutionSettings.model_validate(entry) for entry in json.loads(example))
    assert (said.restores, said.creates, said.tells_host, said.longest_minutes) == (False, True, True, 1440)
    rows = [row.split("|")[1:3] for row in section.splitlines() if row.startswith("| `")]
    defaults = {name: default.strip().strip("`") for names, default in rows for name in re.findall(r"`(\w+)`", names)}
    plain = SolutionSettings.model_validate({"provider": "a", "names": ["A"], "url": "https://a/", "secrets": ["x"]})
    written = {None: "none", True: "true", False: "false", ALL_FIELDS: "all of them"}
    of_the_back_end = SolutionSettings.model_fields.keys() - Solution.model_fields.keys() - {"url", "secrets", "queue"}
    assert defaults == {name: written[getattr(plain, name)] for name in of_the_back_end}
    assert set(get_args(Field)) <= set(re.findall(r"`(\w+)`", section))


def test_the_example_is_what_the_provider_sends() -> None:
    """The state on the page is written by the provider in exactly this form."""

    def at(*parts: int) -> Moment:
        return Moment(instant=datetime(*parts, tzinfo=UTC))  # type: ignore[arg-type, misc]  # parts are year to minute

    state = ConferenceState(
        title="Weekly planning",
        start=at(2026, 11, 24, 9),
        end=at(2026, 11, 24, 9, 30),
        time_zone="Europe/Berlin",
        recurrence=("RRULE:FREQ=WEEKLY;BYDAY=TU",),
        occurrences=(
            Occurrence(original_start=at(2026, 12, 1, 9), start=at(2026, 12, 2, 13), end=at(2026, 12, 2, 13, 30)),
            Occurrence(original_start=at(2026, 12, 8, 9), cancelled=True),
        ),
        organizer="anna@example.com",
        attendees=("bo@example.com", "cy@example.com"),
    )
    first, *_ = _exchanges()
    assert json.loads(first[0])["data"]["desired"] == desired_body(state)


@pytest.fixture
def is_signed() -> Any:
    """Return the function that the page shows."""
    (code,) = _blocks(PAGE, "python")
    defined: dict[str, Any] = {}
    exec(compile(code, "provider-contract.md", "exec"), defined)  # noqa: S102 - the page's own code is under test
    return defined["is_signed"]


def test_the_ten_lines_accept_our_signature_and_nothing_else(is_signed: Any, secret: str, other_secret: str) -> None:
    """The code on the page knows a genuine call, also among two signatures, from a forged, changed or old one."""
    now = int(datetime.now(UTC).timestamp())
    keys = [base64.b64decode(secret.removeprefix("whsec_"))]

    def accepts(*secrets: str, age_s: int = 0, sent: bytes = b"{}", received: bytes = b"{}", **changed: str) -> bool:
        timestamp = now - age_s
        signature = sign(parse_secrets(secrets), "op_1", timestamp, sent)
        headers = {"webhook-id": "op_1", "webhook-timestamp": str(timestamp), "webhook-signature": signature}
        answered: bool = is_signed(
            {**headers, **{name.replace("_", "-"): text for name, text in changed.items()}}, received, keys
        )
        return answered

    assert accepts(secret)
    assert accepts(other_secret, secret)
    assert not accepts(other_secret)
    assert not accepts(secret, received=b"{ }")
    assert not accepts(secret, age_s=301)
    assert not accepts(secret, webhook_id="op_2")
    assert not accepts(secret, webhook_timestamp="soon")
    assert not accepts(secret, webhook_signature="v1,\u00e4 v1 ,,")
    assert not is_signed({}, b"{}", keys)


def test_the_code_on_the_page_has_about_ten_lines() -> None:
    """What the page promises to be short is short."""
    (code,) = _blocks(PAGE, "python")
    assert len([line for line in code.splitlines() if line.startswith("    ")]) <= 10


def test_the_tables_equal_the_code() -> None:
    """Every status that the code treats in a way of its own stands in that row of the page."""
    rows = {row for row in PAGE.splitlines() if row.startswith("| ")}
    (busy,) = [row for row in rows if "Not applied" in row]
    (refused,) = [row for row in rows if "an operator has to act" in row]
    assert {int(number) for number in re.findall(r"\d{3}", busy)} == answers.BUSY | {409}
    assert {int(number) for number in re.findall(r"\b\d{3}\b", refused)} == answers.REFUSED | {404, 410}
    assert all(name in PAGE for name in (GENERATION_STALE, CONFERENCE_ENDED, PROBLEM_BASE))
    described = set(re.findall(r"`(\w+)`", " ".join(row.split("|")[1] for row in rows)))
    assert desired_body(ConferenceState()).keys() <= described
