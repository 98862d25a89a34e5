"""Channel tokens that nobody can forge, and renewals that never leave a calendar unwatched."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from confsync.core.channels import (
    MAX_CHANNELS,
    SigningKey,
    active_channel,
    begin_renewal,
    finish_renewal,
    forget_channel,
    is_ours,
    is_over,
    needs_channel,
    not_renewed,
    poll_only,
    renewal_time,
    retiring_channels,
    retry_at,
    sign_channel_token,
    sync_at_once,
    verify_channel_token,
)
from confsync.core.notifications import MAX_CHANNEL_TOKEN
from confsync.core.records import Calendar, Channel
from confsync.errors import NotificationRejected
from tests.core.story import DAY, HERE, NOW, RULES, THERE, UNTIMED, at

OLD, NEW = SigningKey("k1", b"first secret"), SigningKey("k2", b"second secret")
CHANNEL = "0f8fad5b-d9cb-469f-a165-70867728950e"


def calendar(*channels: Channel, **fields: object) -> Calendar:
    """Return a calendar with these channels."""
    known = {"key": HERE, "tenant": "default", "calendar_id": "ann@example.com", "subject": "ann@example.com"}
    return Calendar.model_validate({**known, "channels": channels, **fields})


def pending(channel_id: str, minutes: float = 0) -> Channel:
    """Return a channel whose `watch` has not been answered."""
    return Channel(id=channel_id, state="pending", created_at=at(minutes))


def opened(channel_id: str, minutes: float = 0, state: str = "active") -> Channel:
    """Return the channel after `watch` was answered, for seven days."""
    answer = {"state": state, "resource_id": "r1", "expires_at": at(minutes) + 7 * DAY}
    return pending(channel_id, minutes).model_copy(update=answer)


def refused(channel_id: str, channel_token: str, *keys: SigningKey) -> bool:
    """Whether the token is refused as a forgery."""
    with pytest.raises(NotificationRejected, match="not signed by a valid key") as caught:
        verify_channel_token(keys or (OLD,), channel_id, channel_token)
    return caught.value.status == 403


# --- tokens --------------------------------------------------------------------------------------------------------


@given(st.text(max_size=64), st.sampled_from([HERE, THERE]), st.sampled_from([OLD, NEW]))
def test_a_signed_token_is_genuine_for_its_channel_and_tells_the_calendar(
    channel_id: str, calendar_key: str, key: SigningKey
) -> None:
    """Whoever holds one of the keys made it, for this channel."""
    token = sign_channel_token(key, channel_id, calendar_key)
    assert verify_channel_token((NEW, OLD), channel_id, token) == calendar_key
    assert len(token) <= MAX_CHANNEL_TOKEN


def test_the_token_has_the_form_of_the_design() -> None:
    """Version, key id, calendar key, MAC in hex."""
    version, key_id, calendar_key, mac = sign_channel_token(OLD, CHANNEL, HERE).split(".")
    assert (version, key_id, calendar_key, len(mac)) == ("v1", "k1", HERE, 64)


def test_both_keys_are_valid_while_they_rotate_and_the_old_one_no_longer_after() -> None:
    """The first of the list signs, all verify; a removed key does not."""
    token = sign_channel_token(OLD, CHANNEL, HERE)
    assert verify_channel_token((NEW, OLD), CHANNEL, token) == HERE
    assert refused(CHANNEL, token, NEW)
    assert refused(CHANNEL, token, SigningKey("k1", b"another secret"))
    with pytest.raises(NotificationRejected):
        verify_channel_token((), CHANNEL, token)


def test_a_key_nobody_has_signs_nothing() -> None:
    """Not even with the secret that stands in for an unknown key."""
    stand_in = SigningKey("k9", b"unknown")
    assert refused(CHANNEL, sign_channel_token(stand_in, CHANNEL, HERE))


GENUINE = sign_channel_token(OLD, CHANNEL, HERE)
MAC = GENUINE.rpartition(".")[2]


@pytest.mark.parametrize(
    "forged",
    [
        "", ".", "...", "....", "v1", "v1...", GENUINE[:-1], GENUINE + "0", GENUINE + ".", "." + GENUINE,
        GENUINE + ".x", GENUINE.upper(), f" {GENUINE}", f"{GENUINE} ", GENUINE.replace("v1", "v2"),
        GENUINE.replace("v1.", "."), GENUINE.replace("k1", "k2"), GENUINE.replace("k1", ""),
        GENUINE.replace(HERE, THERE), GENUINE.replace(HERE, ""), GENUINE.replace(MAC, ""),
        GENUINE.replace(MAC, "0" * 64),
        GENUINE.replace(MAC, "é" * 64), "v1.k1.☃." + MAC, f"v1.k1.\udc80.{MAC}", GENUINE.replace(MAC, "\ud800" * 64),
        f"v1.k1.{HERE}\n.{MAC}", f"v1.k1\n{CHANNEL}.{HERE}.{MAC}", "v1.k1." + "a" * 1_000_000 + "." + MAC,
        "." * 1_000_000, "\x00" * 64, GENUINE + "\x00", "v1.k1." + HERE + "." + MAC.upper(),
    ],
    ids=lambda forged: f"{len(forged)}-letters",
)  # fmt: skip
def test_a_forged_token_is_refused_whatever_it_holds(forged: str) -> None:
    """Truncated, extended, re-cased, foreign letters, lone surrogates, huge, many dots: always the same refusal."""
    assert refused(CHANNEL, forged)


@given(st.text(), st.text())
def test_no_text_is_a_token(channel_id: str, forged: str) -> None:
    """Nothing but a refusal ever comes of a guess."""
    assert refused(channel_id, forged)


@given(st.text(max_size=64).filter(lambda other: other != CHANNEL))
def test_a_token_is_worth_nothing_on_another_channel(other: str) -> None:
    """A token that was overheard cannot be moved."""
    assert refused(other, GENUINE)


@given(st.integers(0, len(GENUINE) - 1), st.characters(codec="ascii"))
def test_a_token_with_one_letter_changed_is_refused(position: int, letter: str) -> None:
    """Every letter counts."""
    changed = GENUINE[:position] + letter + GENUINE[position + 1 :]
    assert changed == GENUINE or refused(CHANNEL, changed)


# --- renewal -------------------------------------------------------------------------------------------------------


def test_a_pending_channel_is_stored_before_it_is_watched() -> None:
    """And the renewal is due again soon, should nobody come back to finish."""
    begun = begin_renewal(calendar(), pending("a"), NOW, RULES)
    assert begun.channels == (pending("a"),)
    assert begun.renew_at == NOW + timedelta(seconds=RULES.renewal_retry_s)


def test_make_before_break() -> None:
    """The old channel retires in the step in which the new one becomes active."""
    begun = begin_renewal(calendar(opened("old", -60)), pending("new"), NOW, RULES)
    finished = finish_renewal(begun, opened("new"), opened("old", -60), at(99))
    assert active_channel(finished) == opened("new")
    assert [c.id for c in retiring_channels(finished)] == ["old"]
    assert finished.renew_at == at(99)
    assert forget_channel(finished, "old").channels == (opened("new"),)


@pytest.mark.parametrize("replaces", [None, opened("old", -60)])
def test_of_two_renewals_the_slower_one_retires_its_own(replaces: Channel | None) -> None:
    """One channel is active, whoever finishes first."""
    begun = calendar(*([replaces] if replaces else []))
    for name in "ab":
        begun = begin_renewal(begun, pending(name), NOW, RULES)
    first = finish_renewal(begun, opened("a"), replaces, at(50))
    second = finish_renewal(first, opened("b"), replaces, at(70))
    assert active_channel(second) == opened("a")
    assert second.renew_at == at(50)
    assert "b" in {c.id for c in retiring_channels(second)}


def test_finishing_twice_is_finishing_once() -> None:
    """A transaction whose commit was not answered runs again: the channel must not retire itself."""
    begun = begin_renewal(calendar(opened("old", -60)), pending("new"), NOW, RULES)
    once = finish_renewal(begun, opened("new"), opened("old", -60), at(99))
    assert finish_renewal(once, opened("new"), opened("old", -60), at(99)) == once


def test_a_new_renewal_forgets_expired_channels_and_those_that_a_crash_left_pending() -> None:
    """What is over, or was never answered for two retries, leaves the record."""
    crashed, young = pending("crashed", -2), pending("young", -1.9)
    expired = opened("expired", -8 * 24 * 60)
    begun = begin_renewal(calendar(crashed, young, expired), pending("new"), NOW, RULES)
    assert [c.id for c in begun.channels] == ["young", "new"]
    assert is_over(expired, NOW)
    assert not is_over(young, NOW)


def test_a_channel_that_was_forgotten_meanwhile_retires() -> None:
    """A notification may have stopped it already."""
    begun = begin_renewal(calendar(), pending("late"), NOW, RULES)
    finished = finish_renewal(forget_channel(begun, "late"), opened("late"), None, at(9))
    assert active_channel(finished) is None
    assert [c.id for c in retiring_channels(finished)] == ["late"]
    assert finished.renew_at == begun.renew_at


def test_other_pending_channels_are_forgotten_by_the_winner() -> None:
    """Their renewals lose, or died."""
    begun = calendar()
    for name in "ab":
        begun = begin_renewal(begun, pending(name), NOW, RULES)
    assert finish_renewal(begun, opened("b"), None, at(9)).channels == (opened("b"),)


STEPS = st.lists(
    st.tuples(st.sampled_from(["begin", "finish", "crash", "forget"]), st.integers(0, 5), st.floats(0, 90)), max_size=30
)


@UNTIMED
@given(STEPS)
def test_racing_renewals_leave_one_active_channel_and_three_in_all(steps: list[tuple[str, int, float]]) -> None:
    """However many begin, finish, crash, or cannot be stopped."""
    known, minutes = calendar(), 0.0
    running: list[tuple[Channel, Channel | None]] = []
    for number, (what, which, later) in enumerate(steps):
        minutes += later
        if what == "begin":
            new = pending(f"c{number}", minutes)
            known = begin_renewal(known, new, at(minutes), RULES)
            running.append((new, active_channel(known)))
            assert new in known.channels
        elif what == "forget" and retiring_channels(known):
            known = forget_channel(known, retiring_channels(known)[0].id)
        elif running:
            new, replaces = running.pop(which % len(running))
            if what == "finish":
                answered = opened(new.id, minutes).model_copy(update={"created_at": new.created_at})
                watched = active_channel(known) is not None
                known = finish_renewal(known, answered, replaces, at(minutes) + DAY)
                assert active_channel(known) is not None or not watched
        assert len(known.channels) <= MAX_CHANNELS
        assert [c.state for c in known.channels].count("active") <= 1
        assert len({c.id for c in known.channels}) == len(known.channels)


@given(st.text("0123456789abcdef", min_size=32, max_size=32), st.integers(3600, 30 * 24 * 3600))
def test_a_renewal_is_due_in_the_third_quarter_of_a_channels_life(key: str, life_s: int) -> None:
    """Between a quarter and three eighths of its life before the end."""
    due = renewal_time(key, NOW, NOW + timedelta(seconds=life_s))
    assert timedelta(seconds=life_s * 0.624) <= due - NOW <= timedelta(seconds=life_s * 0.751)


def test_renewals_are_spread_by_the_calendars_key() -> None:
    """A thousand calendars that were opened at once are not renewed at once."""
    due = {renewal_time(Calendar.key_for("t", f"c{n}", "s"), NOW, NOW + 7 * DAY) for n in range(1000)}
    assert len(due) == 1000
    assert max(due) - min(due) > 7 * DAY / 8 * 0.95


def test_a_calendar_without_an_open_or_opening_channel_needs_one() -> None:
    """Unless it can never be watched."""
    assert needs_channel(calendar(), NOW)
    assert needs_channel(calendar(opened("a", -8 * 24 * 60), opened("b", 0, "retiring")), NOW)
    assert not needs_channel(calendar(pending("a")), NOW)
    assert not needs_channel(calendar(opened("a")), NOW)
    assert not needs_channel(poll_only(calendar(), "pushNotSupportedForRequestedResource", NOW, RULES), NOW)


def test_a_calendar_that_cannot_be_watched_is_tried_again_slowly_and_its_fence_rises() -> None:
    """Every change of state makes a running sync stop writing."""
    polled = poll_only(calendar(fence=4, renew_at=NOW), "no push", at(1), RULES)
    assert (polled.state, polled.reason, polled.fence, polled.due_at) == ("poll_only", "no push", 5, at(1))
    assert polled.renew_at == at(1) + timedelta(seconds=RULES.watch_again_s)
    assert retry_at(polled, at(3)).renew_at == at(3)


def test_a_calendar_that_still_cannot_be_watched_keeps_its_own_interval() -> None:
    """The second refusal is no change of state: no fence, no sync, nothing but the time of the next try."""
    polled = poll_only(calendar(fence=4), "no push", NOW, RULES).model_copy(update={"due_at": at(9), "lease": None})
    again = poll_only(polled, "no push", at(60), RULES)
    assert (again.fence, again.due_at) == (polled.fence, at(9))
    assert again.renew_at == at(60) + timedelta(seconds=RULES.watch_again_s)


def test_a_calendar_that_can_be_watched_by_now_is_polled_no_more() -> None:
    """The channel opens, the state is active again, and a running sync stops writing."""
    begun = begin_renewal(poll_only(calendar(fence=4), "no push", NOW, RULES), pending("a"), at(1), RULES)
    watched = finish_renewal(begun, opened("a"), None, at(500))
    assert (watched.state, watched.reason, watched.fence, watched.renew_at) == ("active", "", 6, at(500))


def test_renewals_in_vain_come_later_each_time_and_spread() -> None:
    """1, 2, 4 minutes and so on up to an hour, a quarter more or less, by the calendar's key."""
    first, last = calendar(key="0" * 32), calendar(key="f" * 32)
    waits = []
    for _ in range(9):
        first, last = (not_renewed(each, "503", NOW, RULES) for each in (first, last))
        waits.append([(each.renew_at - NOW).total_seconds() for each in (first, last) if each.renew_at])
    assert waits[:3] == [[45, 75], [90, 150], [180, 300]]
    assert waits[-1] == [0.75 * 3600, 1.25 * 3600]
    assert (first.failed_renewals, first.channel_error) == (9, "503")


def test_a_renewal_waits_at_least_as_long_as_calendar_asked() -> None:
    """Retry-After counts more than our own back-off."""
    assert not_renewed(calendar(), "slow", NOW, RULES, wait_s=900).renew_at == NOW + timedelta(seconds=900)


def test_an_open_channel_forgets_the_tries_in_vain() -> None:
    """The next trouble is news again, and waits a minute."""
    failed = not_renewed(begin_renewal(calendar(), pending("a"), NOW, RULES), "503", NOW, RULES)
    watched = finish_renewal(failed, opened("a"), None, at(500))
    assert (watched.failed_renewals, watched.channel_error) == (0, "")


def test_a_calendar_whose_channel_lapsed_is_due_at_once() -> None:
    """Its changes went unannounced."""
    assert sync_at_once(calendar(), at(2)).due_at == at(2)


@pytest.mark.parametrize(
    ("channel", "ours"),
    [(pending("a"), True), (opened("a"), True), (opened("a", 0, "retiring"), True), (opened("b"), False)],
)
def test_a_channel_is_ours_in_whatever_state_it_is(channel: Channel, ours: bool) -> None:
    """A pending one does not know its resource yet."""
    assert is_ours(calendar(channel), "a", "r1") is ours
    assert is_ours(calendar(channel), "a", "another") is (ours and channel.state == "pending")
