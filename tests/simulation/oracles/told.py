"""What is told again: never what the back end is known to hold (R12), never under a number of unknown outcome (R15).

    announced -> leaves -> answered -> stored by whom it was answered to

Only then is the outcome known. A worker that dies or stops waiting on the way leaves it unknown, and what another one
did meanwhile does not make it known. It must never look into the back end: the product cannot either.
"""

from dataclasses import dataclass

from confsync.core.conference import Conference
from confsync.ports import ConferenceCall
from tests.simulation.oracles.ledger import Complaints, Worker


@dataclass
class _Call:
    """A call that was announced, and what its worker heard of it."""

    worker: Worker
    generation: int
    state: str | None = None
    """What it told when it left, in JSON."""
    is_applied: bool | None = None
    """None: nobody heard."""

    @property
    def has_no_effect(self) -> bool:
        """Whether its worker knows that nothing came of it: it never left, or was turned away."""
        return self.state is None or self.is_applied is False


class ToldJudge:
    """Judges calls as they leave by what is known of those before."""

    def __init__(self, complaints: Complaints) -> None:
        """Begin with nobody told anything."""
        self._complaints = complaints
        self._open: dict[str, _Call] = {}
        """By conference key."""
        self._holds: dict[str, str] = {}
        """By conference key: what the back end is known to hold, in JSON."""
        self._used: set[tuple[str, int]] = set()
        """Conference keys, and the generations that left and may have had an effect."""

    def watch_commit(self, before: Conference | None, after: Conference, worker: Worker) -> None:
        """Note that a call is announced, or that its outcome is stored.

        Where the add-on vouches for a conference that was gone for good, it lives again, and nobody knows how.
        """
        if before is not None and before.gone and not after.gone:
            self._holds.pop(after.key, None)
        old, new = before.intent if before else None, after.intent
        if new == old:
            return  # others may store what is wanted next
        if new is None:
            self._settle(after.key, worker)
            return
        call = self._open.get(after.key)
        if call is None or (call.worker, call.generation) != (worker, new.generation):
            if call is not None:
                self._holds.pop(after.key, None)  # nobody will ever know what came of it
            self._open[after.key] = _Call(worker, new.generation)

    def _settle(self, key: str, worker: Worker) -> None:
        call = self._open.pop(key, None)
        if call is not None and call.worker is worker and call.has_no_effect:
            self._used.discard((key, call.generation))
        elif call is not None and call.worker is worker and call.is_applied and call.state is not None:
            self._holds[key] = call.state
        else:
            self._holds.pop(key, None)

    def forget(self, key: str) -> None:
        """Note that the product was allowed to forget the conference, and what it knew of the back end."""
        self._open.pop(key, None)
        self._holds.pop(key, None)
        self._used = {used for used in self._used if used[0] != key}

    def hear(self, call: ConferenceCall, worker: Worker, *, is_applied: bool) -> None:
        """Note that a worker is told what came of its call; it may die before it can store that."""
        known = self._open.get(call.conference_key)
        if known is not None and (known.worker, known.generation) == (worker, call.generation):
            known.is_applied = is_applied

    def watch(self, call: ConferenceCall, worker: Worker) -> None:
        """Judge a call as it leaves."""
        key, name, number = call.conference_key, call.conference_id, call.generation
        state = call.state.model_dump_json() if call.state else "end"
        if (key, number) in self._used:
            self._complaints.add("R15", f"{name} is told generation {number} again, whatever came of it before")
        if self._holds.get(key) == state:
            self._complaints.add("R12", f"{name} is told what it is known to hold: {state}")
        self._used.add((key, number))
        known = self._open.get(key)
        if known is not None and (known.worker, known.generation) == (worker, number):
            known.state, known.is_applied = state, None
