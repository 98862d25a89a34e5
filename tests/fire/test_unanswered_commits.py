"""A commit to Firestore whose outcome the worker never learns: its answer is lost, or the commit itself."""

import pytest

from tests.fire.conftest import MakeGround
from tests.fire.ground import settle
from tests.fire.workers import Workers
from tests.fire.works import WORKS, finish, start, steps_of, tells


@pytest.mark.parametrize("name", ["change", "update", "end"])
def test_unanswered_commit_loses_and_doubles_nothing(name: str, ground: MakeGround, workers: Workers) -> None:
    """The task fails and is tried again; the back end is told again only where nobody could store its answer."""
    commits = steps_of(WORKS[name], ground(), workers).count("store.transact")
    cases = [(n, when) for n in range(1, commits + 1) for when in ("before", "after")]
    unanswered = [{"trouble": case} for case in cases]
    cut_off = start(WORKS[name], [ground() for _ in cases], unanswered, workers)
    expected = []
    for struck in cut_off:
        life = finish(struck, workers)
        assert life.error.startswith("StoreUnavailable"), life
        expected.append(tells(struck.ground))
    settle([struck.ground for struck in cut_off], workers)
    for case, struck, times in zip(cases, cut_off, expected, strict=True):
        struck.ground.check()
        assert len(struck.ground.left_with(struck.ground.title)) == times, case
