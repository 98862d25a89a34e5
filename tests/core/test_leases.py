"""Who may sync a calendar, and that nothing which was asked for is ever forgotten."""

from datetime import datetime, timedelta

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from confsync.core import leases
from confsync.core.channels import poll_only
from confsync.core.reconciliation import reconcile_time
from confsync.core.records import Calendar, Channel, Checkpoint
from confsync.errors import FenceLost
from tests.core.story import DAY, HERE, NOW, RULES, UNTIMED, at

LEASE, SKEW = timedelta(seconds=RULES.lease_s), timedelta(seconds=RULES.skew_s)
VERSION, OLDER = "2-solutions", "1-solutions"


def calendar(**fields: object) -> Calendar:
    """Return a calendar that was just registered."""
    known = {"key": HERE, "tenant": "default", "calendar_id": "ann@example.com", "subject": "ann@example.com"}
    return Calendar.model_validate({**known, "due_at": NOW, **fields})


def leased(**fields: object) -> Calendar:
    """Return a calendar that a worker holds."""
    return leases.claim(calendar(**fields), "w1", NOW, RULES).calendar


def listed(requested: int = 1, following: str = "next", **fields: object) -> Checkpoint:
    """Return a listing that has come to its end."""
    return Checkpoint.model_validate(
        {
            "started_at": NOW,
            "requested": requested,
            "listing_version": VERSION,
            "next_sync_token": following,
            **fields,
        }
    )


def test_a_free_calendar_is_granted_with_a_new_fence() -> None:
    """The request is counted, the lease runs, the store knows when to look again."""
    claim = leases.claim(calendar(fence=6, requested=2), "w1", NOW, RULES)
    assert claim.granted
    assert claim.calendar.lease is not None
    assert (claim.calendar.fence, claim.calendar.lease.fence, claim.calendar.requested) == (7, 7, 3)
    assert claim.calendar.lease.expires_at == NOW + LEASE
    assert claim.calendar.due_at == NOW + LEASE + SKEW


def test_a_sync_that_was_given_up_is_asked_for_again_and_due_at_once() -> None:
    """It is never put off: what is due already stays due since then."""
    quiet = leases.ask_again(calendar(due_at=at(100), requested=3, served=3), NOW)
    assert (quiet.requested, quiet.served, quiet.due_at) == (4, 3, NOW)
    assert leases.ask_again(calendar(due_at=at(-5)), NOW).due_at == at(-5)
    assert leases.ask_again(calendar(due_at=None), NOW).due_at == NOW


def test_a_sync_that_was_given_up_leaves_the_lease_of_another_alone() -> None:
    """Whoever holds it lists once more, since one request more is not served."""
    held = leased()
    assert leases.ask_again(held, at(0.5)) == held.model_copy(update={"requested": held.requested + 1})
    assert leases.ask_again(held, at(100)).due_at == held.due_at


@pytest.mark.parametrize("state", ["frozen", "paused", "removed"])
def test_a_sync_that_was_given_up_changes_nothing_of_a_calendar_that_nobody_is_to_sync_now(state: str) -> None:
    """A frozen one is tried slowly."""
    left = calendar(state=state, due_at=at(60))
    assert leases.ask_again(left, NOW) == left


def test_a_held_calendar_counts_the_request_and_is_due_when_the_lease_is_over() -> None:
    """The loser leaves its request behind."""
    claim = leases.claim(leased(), "w2", at(0.5), RULES)
    assert not claim.granted
    assert claim.calendar.lease is not None
    assert (claim.calendar.lease.holder, claim.calendar.fence, claim.calendar.requested) == ("w1", 1, 2)
    assert claim.calendar.due_at == NOW + LEASE + SKEW


@pytest.mark.parametrize(("later", "granted"), [(LEASE - timedelta(microseconds=1), False), (LEASE, True)])
def test_a_lease_may_be_taken_over_the_moment_it_expires(later: timedelta, granted: bool) -> None:
    """Not a microsecond before; the fence then shuts the old worker out."""
    claim = leases.claim(leased(), "w2", NOW + later, RULES)
    assert claim.granted is granted
    if granted:
        with pytest.raises(FenceLost, match="moved on from 1"):
            leases.check_fence(claim.calendar, 1)


def test_a_worker_whose_lease_expired_may_go_on_until_another_takes_it() -> None:
    """The fence decides, not the clock."""
    assert leases.check_fence(leased(), 1).fence == 1


@pytest.mark.parametrize("stored", [None, calendar(), calendar(fence=1), leased(fence=1)])
def test_a_fence_is_lost_with_the_lease_the_record_or_a_newer_one(stored: Calendar | None) -> None:
    """Removed, released, or claimed anew."""
    with pytest.raises(FenceLost):
        leases.check_fence(stored, 1)


def test_a_commit_moves_the_token_and_gives_the_lease_back() -> None:
    """Everything that was asked for before page 1 is served."""
    done = leases.commit(leased(sync_token="old", reason=""), listed(), "old", NOW, RULES)
    assert (done.sync_token, done.sync_generation, done.served, done.lease) == ("next", 1, 1, None)
    assert done.listing_version == VERSION
    assert done.last_synced_at == NOW
    assert done.due_at == reconcile_time(done, NOW, RULES)


def test_a_commit_goes_on_when_something_was_asked_for_meanwhile() -> None:
    """The lease is kept, and the token moved all the same."""
    asked = leases.claim(leased(sync_token="old"), "w2", at(0.1), RULES).calendar
    done = leases.commit(asked, listed(), "old", at(0.2), RULES)
    assert done.lease is not None
    assert (done.sync_token, done.requested, done.served) == ("next", 2, 1)
    assert done.due_at == at(0.2) + LEASE + SKEW


def test_a_commit_goes_on_when_an_event_was_registered_meanwhile() -> None:
    """It is read at once, not with the next notification."""
    done = leases.commit(leased(to_observe=("e1",)), listed(), None, at(0.2), RULES)
    assert done.lease is not None


@pytest.mark.parametrize(
    ("stored", "waits"),
    [
        (leases.freeze(calendar(), "notFound", NOW, RULES), True),
        (leases.freeze(calendar(), "notFound", NOW - DAY, RULES), False),
        (leases.claim(leases.freeze(calendar(), "notFound", NOW, RULES), "w1", NOW, RULES).calendar, False),
        (calendar(due_at=at(9)), False),
    ],
)
def test_a_frozen_calendar_waits_for_its_time_unless_it_is_being_tried(stored: Calendar, waits: bool) -> None:
    """Requests that arrive while somebody tries are counted."""
    assert leases.is_frozen(stored, NOW) is waits


def test_a_commit_from_another_token_is_dropped() -> None:
    """The token moves once, however many finish."""
    once = leases.commit(leased(sync_token="old"), listed(), "old", NOW, RULES)
    with pytest.raises(FenceLost, match="token changed"):
        leases.commit(once, listed(following="other"), "old", NOW, RULES)


def test_a_commit_thaws_a_frozen_calendar_and_only_that() -> None:
    """Access is back; a calendar that an operator paused stays paused."""
    frozen = leases.freeze(leased(), "notFound", NOW, RULES)
    claimed = leases.claim(frozen, "w2", at(60), RULES).calendar
    thawed = leases.commit(claimed, listed(2), None, at(61), RULES)
    assert (thawed.state, thawed.reason) == ("active", "")
    paused = leases.commit(leased(state="paused", reason="by ann"), listed(), None, NOW, RULES)
    assert (paused.state, paused.reason) == ("paused", "by ann")


def test_a_calendar_that_could_not_be_watched_is_asked_again_when_it_thaws() -> None:
    """Else it would neither be watched nor polled."""
    polled = poll_only(calendar(), "no push", NOW, RULES)
    frozen = leases.freeze(polled, "notFound", NOW, RULES)
    claimed = leases.claim(frozen, "w2", at(60), RULES).calendar
    assert leases.commit(claimed, listed(), None, at(61), RULES).renew_at == at(61)


def test_a_thawed_calendar_keeps_the_renewal_that_it_has() -> None:
    """Its channel may still be open."""
    watched = calendar(renew_at=at(500), channels=(Channel(id="a", state="active", created_at=NOW),))
    frozen = leases.freeze(watched, "notFound", NOW, RULES)
    claimed = leases.claim(frozen, "w2", at(60), RULES).calendar
    assert leases.commit(claimed, listed(), None, at(61), RULES).renew_at == at(500)


def test_freezing_forgets_token_and_checkpoint_and_shuts_the_worker_out() -> None:
    """The next listing starts from nothing; nobody tries for a while."""
    frozen = leases.freeze(leased(sync_token="old", checkpoint=listed()), "notFound", NOW, RULES)
    assert (frozen.state, frozen.reason, frozen.sync_token, frozen.checkpoint) == ("frozen", "notFound", None, None)
    assert (frozen.fence, frozen.due_at) == (2, NOW + timedelta(seconds=RULES.frozen_retry_s))
    with pytest.raises(FenceLost):
        leases.check_fence(frozen, 1)


def test_a_release_keeps_token_and_checkpoint() -> None:
    """Somebody goes on from there."""
    released = leases.release(leased(sync_token="old", checkpoint=listed()), at(5), "rate limit")
    assert (released.sync_token, released.checkpoint, released.lease) == ("old", listed(), None)
    assert (released.due_at, released.last_error) == (at(5), "rate limit")


def test_a_checkpoint_extends_the_lease_and_uses_the_listing_number_up() -> None:
    """So that no later listing mistakes its marks for its own."""
    saved = leases.save_checkpoint(leased(full_listings=3), listed(listing=4), at(0.5), RULES)
    assert saved.lease is not None
    assert (saved.full_listings, saved.checkpoint) == (4, listed(listing=4))
    assert saved.lease.expires_at == at(0.5) + LEASE
    assert leases.use_listing_number(saved, listed(listing=0)).full_listings == 4


def test_a_token_counts_only_for_the_listing_version_it_came_from() -> None:
    """Another version means a full listing."""
    assert leases.usable_token(calendar(sync_token="t", listing_version=VERSION), VERSION) == "t"
    assert leases.usable_token(calendar(sync_token="t", listing_version=OLDER), VERSION) is None
    assert leases.usable_token(calendar(), VERSION) is None


@pytest.mark.parametrize(
    ("checkpoint", "version", "token", "usable"),
    [
        (None, VERSION, "t", False),
        (listed(), VERSION, "t", True),
        (listed(listing=3), VERSION, None, True),
        (listed(listing=3), OLDER, "t", True),
        (listed(), VERSION, None, False),
        (listed(), OLDER, "t", False),
        (listed(listing_version=OLDER), VERSION, "t", False),
    ],
)
def test_an_unfinished_listing_goes_on_only_in_its_own_version_and_with_its_token(
    checkpoint: Checkpoint | None, version: str, token: str | None, usable: bool
) -> None:
    """Else its page token would belong to another listing."""
    known = calendar(checkpoint=checkpoint, listing_version=version, sync_token=token)
    assert leases.usable_checkpoint(known, VERSION) == (checkpoint if usable else None)


def test_a_rejected_token_is_dropped_and_a_rejected_page_keeps_it() -> None:
    """The listing begins anew in both cases."""
    running = calendar(sync_token="t", checkpoint=listed())
    assert leases.drop_token(running).sync_token is None
    kept = leases.drop_token(running, "t")
    assert (kept.sync_token, kept.checkpoint) == ("t", None)


def test_only_a_calendar_that_was_never_committed_is_in_its_first_sync() -> None:
    """The window counts only then."""
    assert leases.is_first_sync(calendar())
    assert not leases.is_first_sync(leases.commit(leased(), listed(), None, NOW, RULES))


@pytest.mark.parametrize(("state", "interval_s"), [("active", RULES.reconcile_s), ("poll_only", RULES.poll_s)])
def test_a_quiet_calendar_is_synced_after_three_quarters_to_all_of_its_interval(state: str, interval_s: float) -> None:
    """Spread by the key, so that a thousand are not due at once."""
    keys = [Calendar.key_for("t", f"c{n}", "s") for n in range(500)]
    waits = [(reconcile_time(calendar(key=k, state=state), NOW, RULES) - NOW).total_seconds() for k in keys]
    assert 0.75 * interval_s <= min(waits) < 0.76 * interval_s
    assert 0.99 * interval_s < max(waits) <= interval_s


class Workers(RuleBasedStateMachine):
    """Workers that claim, list, commit, crash and come late; a store that runs one transition at a time."""

    def __init__(self) -> None:
        """Begin with one calendar and nobody at work."""
        super().__init__()
        self.now = NOW
        self.calendar = calendar()
        self.fences: list[int] = []
        """Of each worker that was granted the lease and has not yet finished; some are dead or late."""
        self.previous = self.calendar
        self.tokens = 0

    def store(self, changed: Calendar) -> None:
        """Commit a transition, and hold it against the one before."""
        assert changed.fence >= self.calendar.fence
        assert changed.requested >= self.calendar.requested
        assert changed.served >= self.calendar.served
        assert changed.full_listings >= self.calendar.full_listings
        assert changed.sync_generation - self.calendar.sync_generation in (0, 1)
        self.calendar = changed

    @rule(seconds=st.sampled_from([0.0, 1.0, 19.0, 40.0, 61.0, 7200.0]))
    def time_passes(self, seconds: float) -> None:
        """Let some time pass."""
        self.now += timedelta(seconds=seconds)

    @rule()
    def claim(self) -> None:
        """A task arrives."""
        held = leases.is_leased(self.calendar, self.now)
        claim = leases.claim(self.calendar, f"w{self.calendar.fence}", self.now, RULES)
        assert claim.granted is not held
        self.store(claim.calendar)
        if claim.granted:
            assert self.calendar.fence not in self.fences
            self.fences.append(self.calendar.fence)

    @rule(which=st.integers(0, 9), step=st.sampled_from(["page", "full", "commit", "late", "release", "freeze", "410"]))
    def work(self, which: int, step: str) -> None:
        """Some worker, perhaps one that everybody took for dead, wants to write."""
        if not self.fences:
            return
        fence = self.fences[which % len(self.fences)]
        try:
            mine = leases.check_fence(self.calendar, fence)
        except FenceLost:
            self.fences.remove(fence)
            return
        assert fence == max(self.fences), "two workers hold the calendar"
        assert mine.lease is not None
        assert mine.lease.fence == fence
        self.store(self.stepped(mine, step))

    def stepped(self, mine: Calendar, step: str) -> Calendar:
        """Return the calendar after one step of the worker that owns it."""
        begun = Checkpoint(started_at=self.now, requested=mine.requested, listing_version=VERSION)
        running = mine.checkpoint or begun
        match step:
            case "page":
                return leases.save_checkpoint(mine, running, self.now, RULES)
            case "full":
                numbered = running.model_copy(update={"listing": mine.full_listings + 1})
                return leases.save_checkpoint(mine, numbered, self.now, RULES)
            case "release":
                return leases.release(mine, self.now + timedelta(seconds=5), "budget")
            case "freeze":
                return leases.freeze(mine, "notFound", self.now, RULES)
            case "410":
                return leases.extend(leases.drop_token(mine), self.now, RULES)
            case "late":
                with pytest.raises(FenceLost):
                    leases.commit(mine, running, "a token of long ago", self.now, RULES)
                return mine
        self.tokens += 1
        finished = running.model_copy(update={"next_sync_token": f"t{self.tokens}"})
        return leases.commit(mine, finished, mine.sync_token, self.now, RULES)

    @rule()
    def watch_is_refused(self) -> None:
        """The channel turns out to be impossible while a sync runs."""
        self.store(poll_only(self.calendar, "no push", self.now, RULES))

    @invariant()
    def what_was_asked_for_is_due(self) -> None:
        """A calendar that was not served is found by the sweep, and soon."""
        asked, served = self.calendar.requested, self.calendar.served
        assert served <= asked
        if asked > served:
            assert self.calendar.due_at is not None
            assert self.calendar.due_at <= self.latest()

    def latest(self) -> datetime:
        """A request may wait for a lease, a retry of a frozen calendar, or a few seconds."""
        return self.now + max(LEASE + SKEW, timedelta(seconds=RULES.frozen_retry_s))

    @invariant()
    def the_lease_belongs_to_the_fence(self) -> None:
        """Every change of state shuts the worker out that held it."""
        if self.calendar.lease is not None:
            assert self.calendar.lease.fence == self.calendar.fence
        if self.calendar.state == "frozen" and self.calendar.lease is None:
            assert self.calendar.sync_token is None

    @invariant()
    def a_sync_that_rests_is_due_again(self) -> None:
        """A quiet calendar is synced now and then, since push is not reliable."""
        assert self.calendar.due_at is not None
        assert self.calendar.due_at <= self.now + DAY


TestWorkers = Workers.TestCase
TestWorkers.settings = settings(UNTIMED, max_examples=60, stateful_step_count=30)
