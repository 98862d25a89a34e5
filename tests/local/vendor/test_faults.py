"""Which calls go wrong, and how."""

from datetime import UTC, datetime

import pytest
from pydantic import ValidationError

from confsync.local.vendor.faults import Fault, Faults, faulty_answer

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


def _taken(faults: Faults, *call_types: str) -> list[str]:
    return [fault.name if (fault := faults.take(call_type)) else "" for call_type in call_types]


def test_the_next_n_calls_go_wrong_then_none() -> None:
    """Counted faults are used up, one after the other."""
    faults = Faults()
    faults.add(Fault(kind="reset", times=2))
    faults.add(Fault(kind="status", status=500, times=1))
    assert _taken(faults, *["ping"] * 4) == ["reset", "reset", "500", ""]
    assert faults.all() == []


def test_a_fault_waits_for_its_kind_of_call() -> None:
    """Other calls pass and do not use it up."""
    faults = Faults()
    faults.add(Fault(kind="hang", times=1, types=frozenset({"conference.delete"})))
    assert _taken(faults, "conference.upsert", "conference.delete", "conference.delete") == ["", "hang", ""]


def test_a_share_is_about_that_many_and_repeatable() -> None:
    """Equal seeds choose equal calls, so a run can be played again."""
    runs = []
    for _ in range(2):
        faults = Faults(seed=1)
        faults.add(Fault(kind="reset", share=0.2))
        runs.append(_taken(faults, *["ping"] * 1000))
    assert runs[0] == runs[1]
    assert 150 < runs[0].count("reset") < 250


def test_cleared_faults_are_gone() -> None:
    """One word and it behaves."""
    faults = Faults()
    faults.add(Fault(kind="stale"))
    assert _taken(faults, "ping", "ping") == ["stale", "stale"]
    faults.clear()
    assert _taken(faults, "ping") == [""]


@pytest.mark.parametrize(
    ("retry_after", "value"),
    [
        (None, None),
        ("seconds", "90"),
        ("http-date", "Sun, 22 Nov 2026 12:01:30 GMT"),
        ("iso-8601", "2026-11-22T12:01:30+00:00"),
    ],
)
def test_each_form_of_retry_after_can_be_asked_for(retry_after: str | None, value: str | None) -> None:
    """The three forms that real back ends send, and none."""
    fault = Fault.model_validate({"kind": "status", "status": 429, "retry_after": retry_after, "retry_after_s": 90})
    answer = faulty_answer(fault, 7, NOW)
    assert answer.status == 429
    assert answer.headers.get("retry-after") == value


@pytest.mark.parametrize("wrong", [{}, {"kind": "fire"}, {"kind": "hang", "time": 3}, {"kind": "hang", "share": 2}])
def test_a_fault_that_does_not_exist_is_refused(wrong: dict[str, object]) -> None:
    """A misspelt knob would make a test pass for nothing."""
    with pytest.raises(ValidationError):
        Fault.model_validate(wrong)
