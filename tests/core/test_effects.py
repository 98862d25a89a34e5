"""One call at a time, from intent to answer."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from confsync.core import brake, desires, effects
from confsync.core.capabilities import Capabilities
from confsync.core.conference import Applied, Conference, Desired, Hold, Intent
from confsync.core.state import ConferenceState
from tests.core.story import ALL_FIELDS, NOW, RULES, UNTIMED, Ledger, at, conference, event, ref, referent, seen

WAIT = timedelta(seconds=RULES.intent_s)


def wanting(title: str = "A", generation: int = 1, **fields: Any) -> Conference:
    """Return a conference whose state still has to go out."""
    state = ConferenceState(title=title)
    desired = Desired(generation=generation, fingerprint=f"fp {title}", state=state)
    return conference(desired=desired, due_at=NOW, call_at=NOW, **fields)


def announced(known: Conference) -> tuple[Conference, Intent]:
    """Announce the call, and return its intent."""
    opened = effects.open_intent(known, NOW, RULES)
    assert opened.intent is not None
    return opened, opened.intent


def test_an_intent_is_stored_with_its_generation_verb_and_deadline() -> None:
    """Nobody else calls before the deadline."""
    opened, intent = announced(wanting())
    assert (intent.generation, intent.verb, intent.deadline) == (1, "update", NOW + WAIT)
    assert opened.due_at == NOW + WAIT
    assert effects.has_open_intent(opened, NOW)
    assert not effects.has_open_intent(opened, NOW + WAIT)
    assert not effects.has_open_intent(wanting(), NOW)


ENDED = Desired(generation=4, fingerprint="ended")


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({}, True),
        ({"call_at": None}, True),
        ({"call_at": at(1)}, False),
        ({"refused": 1}, False),
        ({"intent": Intent(generation=1, verb="update", deadline=at(1))}, False),
        ({"intent": Intent(generation=1, verb="update", deadline=NOW)}, True),
        ({"end_after": at(9)}, False),
        ({"desired": ENDED}, False),
        ({"review_at": at(9)}, True),
        ({"review_at": NOW}, False),
    ],
)
def test_a_sync_announces_what_may_simply_be_updated_now(fields: dict[str, Any], *, told: bool) -> None:
    """Ends are looked at once more, a review comes first, and one call at a time is enough."""
    known = wanting().model_copy(update=fields)
    assert effects.first_to_tell([conference("c2"), known], NOW) == (known if told else None)


def test_an_ended_conference_is_announced_as_an_end() -> None:
    """The verb follows from what is wanted."""
    _, intent = announced(conference(desired=Desired(generation=4, fingerprint="ended")))
    assert intent.verb == "end"


def test_nothing_wanted_is_nothing_to_announce() -> None:
    """The message names the conference."""
    with pytest.raises(ValueError, match=f"{conference().key} has nothing to apply"):
        effects.open_intent(conference(), NOW, RULES)


def test_an_operation_id_is_the_same_for_the_same_call_and_no_other() -> None:
    """Conference, generation and verb."""
    calls = [(key, g, verb) for key in ("k1", "k2") for g in (1, 2) for verb in ("update", "end")]
    intents = [(key, Intent.model_validate({"generation": g, "verb": v, "deadline": NOW})) for key, g, v in calls]
    made = {effects.operation_id(key, intent) for key, intent in intents}
    assert len(made) == len(calls)
    assert all(len(each) == len("op_") + 32 for each in made)
    later = Intent(generation=1, verb="end", deadline=at(9))
    assert effects.operation_id("k1", later) in made


def test_a_confirmed_call_is_applied_and_what_was_told_is_forgotten() -> None:
    """No title stays behind."""
    opened, intent = announced(wanting(attempts=3))
    done = effects.applied(opened, intent, "fp A", NOW)
    assert done.applied is not None
    assert (done.applied.generation, done.applied.fingerprint) == (1, "fp A")
    assert done.desired == Desired(generation=1, fingerprint="fp A")
    assert (done.intent, done.due_at, done.attempts) == (None, None, 0)
    assert not desires.is_pending(done)


def test_a_newer_state_goes_out_at_once_after_the_call_before_it() -> None:
    """The answer is about the old generation only."""
    opened, intent = announced(wanting())
    newer = opened.model_copy(update={"desired": wanting("B", 2).desired})
    done = effects.applied(newer, intent, "fp A", NOW)
    assert done.due_at == NOW
    assert desires.is_pending(done)
    assert done.desired is not None
    assert done.desired.state == ConferenceState(title="B")


def test_an_end_that_waits_stays_due_when_an_update_is_confirmed() -> None:
    """The grace goes on."""
    opened, intent = announced(wanting(end_after=at(1)))
    assert effects.applied(opened, intent, "fp A", NOW).due_at == at(1)


def test_a_busy_back_end_is_called_again_with_the_same_generation() -> None:
    """It was not applied; there is nothing to wait for but the time it asked for."""
    opened, _ = announced(wanting())
    waiting = effects.busy(opened, at(2), "429")
    assert (waiting.intent, waiting.due_at, waiting.attempts, waiting.last_error) == (None, at(2), 1, "429")
    assert announced(waiting)[1].generation == 1


def test_a_call_that_is_put_off_leaves_nothing_due_where_the_end_that_is_wanted_by_now_is_held() -> None:
    """A task each hour would find nothing to do until an operator has spoken."""
    told = Applied(generation=1, fingerprint="f")
    under_way = Intent(generation=2, verb="update", deadline=at(90))
    ending = conference(applied=told, desired=Desired(generation=3, fingerprint="ended"), intent=under_way)
    held = brake.held(ending, Hold(since=NOW, scope="tenant", count=21, limit=20), NOW)
    assert held.due_at is None
    assert effects.busy(held, at(9), "busy").due_at is None


def test_an_unknown_outcome_keeps_everybody_from_calling_until_its_deadline() -> None:
    """Then the newest state goes out as a new generation."""
    opened, intent = announced(wanting())
    waiting = effects.unknown(opened, intent.deadline, "timeout", NOW)
    assert effects.has_open_intent(waiting, at(1))
    assert (waiting.due_at, waiting.attempts) == (intent.deadline, 1)
    again = effects.open_intent(waiting, at(2), RULES)
    assert again.intent is not None
    assert again.desired is not None
    assert again.intent.generation == again.desired.generation == 2
    assert not effects.is_answer_to(again, intent)


def test_an_unknown_outcome_without_an_intent_waits_all_the_same() -> None:
    """Another worker closed it meanwhile."""
    assert effects.unknown(wanting(), at(2), "timeout", NOW).due_at == at(2)


@pytest.mark.parametrize("stored", [1, 7, 1000])
def test_a_stale_call_is_raised_above_what_the_back_end_holds(stored: int) -> None:
    """And sent at once, with the record's own state."""
    opened, _ = announced(wanting())
    raised = effects.stale(opened, stored, NOW, RULES)
    assert raised.desired is not None
    assert raised.desired.generation == stored + 1
    assert raised.desired.state == ConferenceState(title="A")
    assert (raised.intent, raised.due_at) == (None, NOW)
    assert desires.is_pending(raised)


def test_a_generation_that_was_called_stale_is_not_used_again_though_the_back_end_holds_less() -> None:
    """Its answer may be wrong, and the call may land all the same."""
    opened, intent = announced(wanting("A", 5))
    raised = effects.stale(opened, 2, NOW, RULES)
    assert generation(raised) > intent.generation


def test_a_refused_state_is_given_up_until_there_is_a_newer_one() -> None:
    """A permanent answer is not argued with."""
    opened, intent = announced(wanting())
    given_up = effects.refused(opened, intent, "422", NOW)
    assert (given_up.refused, given_up.last_error, given_up.due_at) == (1, "422", None)
    assert not desires.is_pending(given_up)
    newer = opened.model_copy(update={"desired": wanting("B", 2).desired})
    assert effects.refused(newer, intent, "422", NOW).due_at == NOW


# --- gone for good ------------------------------------------------------------------------------------------------

MAKES, NEITHER = Capabilities(ALL_FIELDS, creates=True), Capabilities(ALL_FIELDS)
HELD: dict[str, Any] = {"referents": {ref().link_key: referent(), ref("e2").link_key: referent("e2", state="gone")}}


def test_a_conference_that_the_back_end_lost_is_succeeded_in_the_events_that_hold_it() -> None:
    """By one of the state that could not be told, which stands in the reservation only."""
    opened, intent = announced(wanting(**HELD))
    lost = effects.given_up(opened, intent, MAKES, "404", NOW)
    (successor,) = lost.replacements
    assert (successor.links, successor.is_successor) == ((ref().link_key,), True)
    assert (successor.state, successor.due_at) == (ConferenceState(title="A"), NOW)
    assert lost.desired is not None
    assert (lost.gone, lost.intent, lost.desired.state, lost.call_at, lost.due_at) == (True, None, None, None, NOW)
    assert (lost.refused, lost.last_error) == (1, "404")
    assert not desires.is_pending(lost)
    assert [note.what for note in lost.history] == [
        "generation 1: the back end says that it ended for good",
        "a successor was reserved",
    ]


def test_a_conference_that_the_back_end_lost_tells_nothing_more_where_none_can_be_made() -> None:
    """Nothing is due, and no title stays behind."""
    opened, intent = announced(wanting(**HELD))
    lost = effects.given_up(opened, intent, NEITHER, "404", NOW)
    assert lost.desired is not None
    assert (lost.gone, lost.replacements, lost.desired.state, lost.due_at) == (True, (), None, None)


@pytest.mark.parametrize(
    ("why", "known"),
    [
        ("no event holds it", wanting(referents={ref().link_key: referent(state="gone")})),
        ("only a claim does", wanting(referents={ref().link_key: referent(role="claimed")})),
        ("its end was to be told", conference(desired=Desired(generation=4, fingerprint="ended"), **HELD)),
    ],
)
def test_a_conference_that_nobody_needs_any_more_gets_no_successor(why: str, known: Conference) -> None:
    """Though one could be made."""
    opened, intent = announced(known)
    lost = effects.given_up(opened, intent, MAKES, "404", NOW)
    assert (lost.gone, lost.replacements, lost.intent, lost.due_at, why) == (True, (), None, None, why)


def test_a_conference_that_is_gone_for_good_does_not_wait_for_its_end() -> None:
    """Its end was decided while the call was under way; there is nothing left to end, now or ever."""
    known = wanting(referents={ref().link_key: referent(state="gone")})
    opened, intent = announced(desires.schedule_end(known, 60, "its event is gone", NOW))
    lost = effects.given_up(opened, intent, MAKES, "404", NOW)
    assert (lost.gone, lost.end_after, lost.due_at) == (True, None, None)


def test_what_was_wanted_while_the_back_end_said_that_it_is_gone_is_refused_with_it() -> None:
    """The newer state would be refused as well, and nobody sends it (seed 2956)."""
    opened, intent = announced(wanting(referents={ref().link_key: referent()}))
    newer = desires.desire(opened, Desired(generation=0, fingerprint="fp B", state=ConferenceState(title="B")), NOW)
    assert newer.desired is not None
    lost = effects.given_up(newer, intent, NEITHER, "404", NOW)
    assert (lost.gone, lost.refused, desires.is_pending(lost)) == (True, newer.desired.generation, False)


def test_a_conference_that_is_gone_for_good_waits_for_no_operator() -> None:
    """Its end was held; approved later, it would be due for ever, as there is nobody to tell (seed 577)."""
    known = wanting(referents={ref().link_key: referent(state="gone")}, brake="held")
    opened, intent = announced(known)
    lost = effects.given_up(opened, intent, MAKES, "404", NOW)
    assert (lost.gone, lost.brake, lost.due_at) == (True, "none", None)


# --- back and forth -----------------------------------------------------------------------------------------------


def follow(known: Conference, title: str) -> Conference:
    """Let the event have this title."""
    ledger = Ledger.of(known)
    ledger.settle(seen(event(summary=title, updated=None if known.driver is None else 0)))
    return ledger.c1


def applied_a() -> Conference:
    """Return a conference whose back end was told title A."""
    known = follow(conference("c1", ref()), "A")
    opened, intent = announced(known)
    assert known.desired is not None
    return effects.applied(opened, intent, known.desired.fingerprint, NOW)


def generation(known: Conference) -> int:
    """Return the generation that is wanted."""
    assert known.desired is not None
    return known.desired.generation


def test_there_and_back_again_makes_no_call_when_nothing_was_announced() -> None:
    """A, B, A: the back end still holds A."""
    back = follow(follow(applied_a(), "B"), "A")
    assert not desires.is_pending(back)
    assert back.due_at is None


def test_there_and_back_again_makes_a_call_when_b_is_under_way() -> None:
    """It may be applied at any moment."""
    opened, _ = announced(follow(applied_a(), "B"))
    back = follow(opened, "A")
    assert desires.is_pending(back)
    assert (generation(back), back.due_at) == (3, NOW + WAIT)


@pytest.mark.parametrize("answer", ["busy", "refused"])
def test_there_and_back_again_makes_no_call_when_b_is_turned_away(answer: str) -> None:
    """A was wanted again while the call with B was under way; the back end still holds A, which its answer says."""
    opened, intent = announced(follow(applied_a(), "B"))
    back = follow(opened, "A")
    closed = effects.busy(back, at(1), "429") if answer == "busy" else effects.refused(back, intent, "422", NOW)
    assert (desires.is_pending(closed), closed.due_at, closed.intent) == (False, None, None)
    assert closed.desired is not None
    assert (generation(closed), closed.desired.state) == (generation(back), None)


@pytest.mark.parametrize("answer", ["busy", "stale"])
def test_nothing_is_due_when_the_end_that_was_turned_away_is_not_wanted_any_more(answer: str) -> None:
    """It was taken back while the call was under way: nothing is told, and what it holds is not known."""
    wanted = desires.desire_end(desires.schedule_end(applied_a(), 60, "its event is gone", NOW), at(1))
    opened, _ = announced(wanted)
    kept = desires.keep(opened, "kept: its event moved out of sight", at(2))
    closed = effects.busy(kept, at(3), "503") if answer == "busy" else effects.stale(kept, 9, at(3), RULES)
    assert (desires.is_pending(closed), closed.due_at, closed.intent) == (False, None, None)
    assert generation(closed) >= 2
    assert desires.is_pending(follow(closed, "A"))


def test_away_and_back_again_makes_no_call_when_b_is_applied() -> None:
    """B, C, B, while the call with the first B was under way: that is all that has to be told."""
    opened, intent = announced(follow(applied_a(), "B"))
    assert opened.desired is not None
    back = follow(follow(opened, "C"), "B")
    done = effects.applied(back, intent, opened.desired.fingerprint, NOW)
    assert (desires.is_pending(done), done.due_at) == (False, None)
    assert generation(done) == generation(back)
    assert desires.is_pending(follow(done, "A"))


def test_there_and_back_again_makes_a_call_when_an_earlier_outcome_is_unknown() -> None:
    """B timed out, perhaps applied; the next attempt was refused as busy: A has to be told again."""
    opened, intent = announced(follow(applied_a(), "B"))
    late = effects.unknown(opened, intent.deadline, "timeout", NOW)
    busy = effects.busy(effects.open_intent(late, at(2), RULES), at(3), "503")
    assert desires.is_pending(follow(busy, "A"))


def test_there_and_back_again_makes_a_call_when_the_back_end_held_something_else() -> None:
    """Told "stale", nobody knows what it holds."""
    opened, _ = announced(follow(applied_a(), "B"))
    assert desires.is_pending(follow(effects.stale(opened, 9, NOW, RULES), "A"))


@pytest.mark.parametrize("answer", ["busy", "refused"])
def test_a_generation_that_was_announced_is_never_used_for_another_state(answer: str) -> None:
    """B was announced and not applied; back to A without a call; then C goes out under a new generation."""
    opened, intent = announced(follow(applied_a(), "B"))
    closed = effects.busy(opened, at(1), "429") if answer == "busy" else effects.refused(opened, intent, "422", NOW)
    other = follow(follow(closed, "A"), "C")
    assert desires.is_pending(other)
    assert generation(other) > intent.generation
    assert other.due_at == (at(1) if answer == "busy" else NOW)


def test_a_back_end_that_asked_for_time_is_left_alone_whatever_there_is_to_tell() -> None:
    """A newer state waits as long as the older one."""
    opened, _ = announced(follow(applied_a(), "B"))
    assert follow(effects.busy(opened, at(7), "429"), "C").due_at == at(7)


def test_a_back_end_that_calls_everything_stale_is_called_ever_more_slowly() -> None:
    """At once the first time, since that is the ordinary case."""
    known, waits = wanting(), []
    for _ in range(5):
        opened, intent = announced(known)
        known = effects.stale(opened, intent.generation, NOW, RULES)
        assert known.due_at is not None
        waits.append((known.due_at - NOW).total_seconds())
    assert waits == [0, 2, 4, 8, 16]


class Calls(RuleBasedStateMachine):
    """An event that flaps, a network that loses answers, a back end that applies late."""

    def __init__(self) -> None:
        """Begin with a registered event that nobody has told yet."""
        super().__init__()
        self.now = NOW
        self.conference = conference("c1", ref())
        self.operations: dict[str, str] = {}
        self.back_end: str | None = None
        self.highest = 0
        self.change("A")

    @rule(title=st.sampled_from("ABC"))
    def change(self, title: str) -> None:
        """The event gets a title."""
        ledger = Ledger.of(self.conference)
        ledger.settle(seen(event(summary=title, starts=NOW + timedelta(days=900))), now=self.now)
        self.conference = ledger.c1

    @rule(answer=st.sampled_from(["applied", "busy", "unknown landed", "unknown lost", "crash", "stale", "refused"]))
    def call(self, answer: str) -> None:
        """Somebody brings the conference up to date, if nobody else does."""
        known = self.conference
        due = known.due_at is not None and known.due_at <= self.now
        if not (desires.is_pending(known) and due) or effects.has_open_intent(known, self.now):
            return
        known = effects.open_intent(known, self.now, RULES)
        assert known.intent is not None
        assert known.desired is not None
        intent, told = known.intent, known.desired.fingerprint
        assert known.desired.state is not None, "nothing to send"
        operation = effects.operation_id(known.key, intent)
        assert self.operations.setdefault(operation, told) == told, "one operation id for two states"
        if answer in ("applied", "unknown landed", "crash"):
            self.back_end = told
        self.conference = self.answered(known, intent, told, answer)

    def answered(self, known: Conference, intent: Intent, told: str, answer: str) -> Conference:
        """Return the record after the answer, if there is any."""
        match answer:
            case "applied":
                return effects.applied(known, intent, told, self.now)
            case "busy":
                return effects.busy(known, self.now + timedelta(seconds=1), "429")
            case "stale":
                self.back_end = "somebody else's"
                return effects.stale(known, intent.generation + 3, self.now, RULES)
            case "refused":
                return effects.refused(known, intent, "422", self.now)
            case "crash":
                return known
        return effects.unknown(known, intent.deadline, "timeout", self.now)

    @rule(seconds=st.sampled_from([1.0, 30.0, 91.0]))
    def time_passes(self, seconds: float) -> None:
        """Let some time pass."""
        self.now += timedelta(seconds=seconds)

    @invariant()
    def generations_only_rise(self) -> None:
        """Whatever happens."""
        assert generation(self.conference) >= self.highest
        self.highest = generation(self.conference)

    @invariant()
    def what_rests_is_true(self) -> None:
        """A conference with nothing left to tell is what the back end holds, unless that was refused for good."""
        known = self.conference
        if known.due_at is None and known.desired is not None and known.refused < known.desired.generation:
            assert self.back_end == known.desired.fingerprint
            assert known.desired.state is None, "a title was kept"

    @invariant()
    def what_is_pending_is_due(self) -> None:
        """The sweep finds it, and its state is still there."""
        if desires.is_pending(self.conference):
            assert self.conference.due_at is not None
            assert self.conference.due_at <= self.now + timedelta(seconds=RULES.backoff_max_s)
            assert self.conference.desired is not None
            assert self.conference.desired.state is not None


TestCalls = Calls.TestCase
TestCalls.settings = settings(UNTIMED, max_examples=60, stateful_step_count=25)


def test_a_call_that_nobody_waits_for_is_closed() -> None:
    """What it was for is not wanted any more, and nothing is due because of it."""
    intent = Intent(generation=2, verb="end", deadline=NOW)
    closed = effects.without_expired(conference(intent=intent, call_at=NOW, due_at=NOW))
    assert (closed.intent, closed.call_at, closed.due_at) == (None, None, None)
