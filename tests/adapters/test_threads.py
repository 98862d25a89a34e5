"""Doing the same for many at once: really at once, in order, and nothing left half begun."""

import threading

import pytest

from confsync.adapters.threads import several_at_once


def test_as_many_as_there_are_threads_run_at_once_and_answer_in_order() -> None:
    """Each of three waits for the two others."""
    met = threading.Barrier(3, timeout=20)

    def meet(number: int) -> int:
        met.wait()
        return -number

    assert list(several_at_once(3)(meet, range(9))) == [-number for number in range(9)]


def test_an_error_comes_out_and_what_was_begun_is_finished() -> None:
    """A store that fails for one calendar leaves no other half renewed; what was not begun waits for the next run."""
    begun, finished = [], []

    def do(number: int) -> None:
        begun.append(number)
        if number == 1:
            raise KeyError(number)
        finished.append(number)

    at_once = several_at_once(1)
    with pytest.raises(KeyError, match="1"):
        list(at_once(do, range(9)))
    assert list(at_once(lambda number: number, [7])) == [7]
    assert begun == sorted([*finished, 1])
    assert 0 in finished
