"""One simulated day: production code on virtual time, everything that can go wrong, and the oracles beside it.

It must never decide what is right; the oracles do.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from zlib import crc32

from confsync.core.records import Calendar, Record
from confsync.core.tasks import Task
from confsync.errors import ConfsyncError
from confsync.local.calendar_server.model import CalendarModel
from confsync.local.in_process import InProcessCalendar
from confsync.ports import ConferenceCall, CreateCall, Outside
from confsync.sync_calendar import SyncOutcome
from tests.simulation.calendar_edge import SimulatedCalendar
from tests.simulation.caretakers import CARE, Caretakers
from tests.simulation.gate import Gate
from tests.simulation.gestures import SUBJECTS
from tests.simulation.instance import Instance
from tests.simulation.operators import OPERATIONS, Operators
from tests.simulation.oracles import privacy
from tests.simulation.oracles.judges import Oracles
from tests.simulation.oracles.ledger import Ledger
from tests.simulation.oracles.truth import Truth
from tests.simulation.oracles.windows import WindowJudge
from tests.simulation.people import People
from tests.simulation.provider_edge import Flight, SimulatedProvider
from tests.simulation.requests import Requests
from tests.simulation.scheduler import SECOND, Scheduler
from tests.simulation.settling import Settling
from tests.simulation.sometimes import Sometimes
from tests.simulation.store_edge import SimulatedStore
from tests.simulation.tapes import Fault, Step, Tapes
from tests.simulation.traffic import Request, SimulatedQueue, Traffic
from tests.world import ANN, BOB, START, Crash

CALENDARS = {
    Calendar.key_for("default", calendar_id, subject): calendar_id for calendar_id, subject in SUBJECTS.items()
}
WRONG_CLOCK = timedelta(seconds=1)


class Simulation:
    """One day, from its tapes to its judgement."""

    def __init__(self, tapes: Tapes, *, store: type[SimulatedStore] = SimulatedStore) -> None:
        """Prepare everything up to the first step.

        Args:
            store: the kind of store; a canary's is broken on purpose.

        """
        setting = tapes.setting
        self.tapes = tapes
        self.rules = setting.rules
        self._trace: list[str] = []
        self.clock = Scheduler(tapes.seed, START)
        self.gate = Gate(self.clock, self.trace, tapes.faults)
        self._ids = 0
        self._losses = 0
        """How often, after a step, a calendar was not shown in full; and how often nothing ran for long."""
        self._next_due: datetime | None = None
        """When a scheduled run has something to do, None: to be looked up anew."""
        self.model = CalendarModel(lambda: self.clock.now, self._model_id, on_change=self._announce)
        for email in (ANN, BOB):
            self.model.add_user(email)
        self.people = People(self.model, self._register, is_polled=setting.is_polled)
        self.store = store(self.gate, self._watch_commit)
        self.truth = Truth(self.model, setting.capabilities.carries)
        self._judge_by(setting.capabilities.ordered_writes)
        self.provider = SimulatedProvider(setting.capabilities, self.gate, self, self.sometimes.reach)
        self.oracles.calls.made_for = self.oracles.words.made_for = self.provider.made_for
        self.oracles.channels.troubles = lambda: self.gate.sprung.total() + self._losses
        api = InProcessCalendar(self.model, page_size=setting.page_size)
        self.calendar = SimulatedCalendar(api, self.gate, self.oracles)
        self.oracles.calendars.covers = self.calendar.covers
        self.truth.refused = self.calendar.refused
        self.gate.people_act = self._act_meanwhile
        self.queue = SimulatedQueue(self._send, self.gate)
        self.traffic = Traffic(
            self.clock,
            self.gate,
            setting,
            tapes.seed,
            outside_of=self._outside_of,
            begun=lambda request, instance: self.oracles.leavings.agenda.watch_begin(request.name, instance),
            ended=self._ended,
        )
        self.requests = Requests(self.clock, self.traffic, setting.rules, setting.capabilities, self.oracles.words)
        self.operators = Operators(self.model, self.clock, self.traffic, self.rules, self.oracles.brakes.hear)
        self.caretakers = Caretakers(
            self.clock,
            self.traffic,
            self.rules,
            self._add_calendar,
            self.oracles.retention.hear,
            leaves_some=tapes.seed % 4 == 0,
        )
        self._set_options()

    def _judge_by(self, ordered: bool) -> None:
        setting, secret = self.tapes.setting, self.model.state.secret
        self.ledger = Ledger(self.store.committed, CALENDARS)
        skew = timedelta(milliseconds=setting.skew_ms)
        exact = not setting.lag_s
        self.oracles = Oracles(self.truth, self.ledger, secret, setting.rules, ordered=ordered, exact=exact, skew=skew)
        self.windows = WindowJudge(self.rules.window_s, setting.skew_ms / 1000, self.oracles.complaints)
        self.sometimes = Sometimes(self.ledger, self.truth, secret)

    def _set_options(self) -> None:
        setting, options = self.tapes.setting, self.model.options
        options.list_lag_ms = setting.lag_s * 1000
        options.organizer_tombstones = "id_only" if setting.id_only else "full"
        options.tombstone_days = 0 if setting.forgets else 30
        options.empty_pages = setting.empty_pages
        options.gone_is_unknown = setting.forgets_moved

    def _register(self, calendar_id: str, conference_id: str, event_id: str, delay_s: float) -> None:
        self.requests.register(calendar_id, conference_id, event_id, delay_s)

    def _add_calendar(self, calendar_id: str) -> None:
        self.requests.register(calendar_id, None, None, 0)

    def _model_id(self) -> str:
        """Return an id that depends on the step that made it, not on how much was made before."""
        self._ids += 1
        return f"e{self.people.step:04d}{self._ids:06d}"

    def _outside_of(self, instance: Instance) -> Outside:
        providers = {"acme": self.provider}
        return Outside(self.store, self.calendar, self.queue, providers, instance.now, instance.new_id)

    @property
    def violations(self) -> list[str]:
        """Which rules were broken."""
        return self.oracles.complaints.all

    def trace(self, text: str) -> None:
        """Write down what happened."""
        running = self.clock.running
        self._trace.append(f"{self.clock.us} {running.name if running else '-'} {text}")

    @property
    def trace_hash(self) -> int:
        """A checksum of all that happened, and when."""
        return crc32("\n".join(self._trace).encode())

    @property
    def lines(self) -> list[str]:
        """All that happened, each with its second of the day."""
        happened = (line.partition(" ") for line in self._trace)
        return [f"{int(at_us) / SECOND:.6f} {what}" for at_us, _, what in happened]

    # The day

    def play(self) -> None:
        """Play the tapes, let everything settle, and judge."""
        try:
            self._play()
        finally:
            self.clock.close(self._bury)

    def _bury(self, task: object) -> BaseException:
        """What still waits when the day is over does nothing any more."""
        assert isinstance(task, Instance)
        return task.die()

    def _play(self) -> None:
        for number, calendar_id in enumerate(SUBJECTS):
            if self.tapes.setting.begin >> number & 1:
                self._add_calendar(calendar_id)
        for step in self.tapes.steps:
            self.clock.after(step.at_s, f"step {step.number}", partial(self._do, step))
        self.clock.after(60, "scheduler", self._schedule)
        self.advance(max((step.at_s for step in self.tapes.steps), default=0) + 100)
        Settling(self).play()

    def advance(self, seconds: float) -> None:
        """Let time pass, until something breaks."""
        self.clock.run(seconds, lambda: bool(self.violations))

    def leap(self, to: datetime) -> None:
        """Let time pass in which nothing runs, nor is renewed."""
        self._losses += 1
        self.clock.leap(to)

    def _do(self, step: Step) -> None:
        self.gate.begin(step.number)
        self._act(step, self._is_done)

    def _act_meanwhile(self, fault: Fault, about: str) -> None:
        """People act while a call about this event or conference is under way."""
        if fault.meanwhile is not None and self.gate.is_open:
            step = Step(fault.number, self.clock.us / SECOND, fault.meanwhile.action, fault.meanwhile.dice)
            self._act(step, partial(self.people.do_about, about))

    def _act(self, step: Step, do: Callable[[Step], bool]) -> None:
        moves = len(self.people.moves)
        done = do(step)
        self.trace(f"#{step.number} {step.action} {'' if done else 'refused'}")
        for move in self.people.moves[moves:] if done else ():
            self.sometimes.watch_move(*move)
        self.note_access()

    def _is_done(self, step: Step) -> bool:
        if step.action in OPERATIONS:
            self.operators.do(step)
        elif step.action in CARE:
            self.caretakers.do(step)
        else:
            return self.people.do(step)
        return True

    def note_access(self) -> None:
        """Note which calendars are shown in full from now on to whom they are synced as."""
        for calendar_id, subject in SUBJECTS.items():
            role = self.model.state.calendars[calendar_id].roles.get(subject)
            is_full = role in ("owner", "writer") and not self.model.state.users[subject].suspended
            self.truth.note_access(calendar_id, self.clock.now, is_full=is_full)
            self._losses += not is_full

    # What reaches the functions

    def _schedule(self) -> None:
        """Run renew_channels every minute, where it has something to do by any clock: other runs change nothing."""
        self.clock.after(60, "scheduler", self._schedule)
        if self._next_due is None:
            self._next_due = self.ledger.next_due(timedelta(seconds=self.requests.rules.overdue_s))
        if self._next_due <= self.clock.now + WRONG_CLOCK:
            self.requests.renew()

    def _announce(self, calendar_id: str) -> None:
        self.truth.look(calendar_id, self.clock.now)
        self.requests.push(self.model.open_channels(calendar_id))

    def _send(self, task: Task, worker: Instance) -> None:
        self.windows.watch(task.body, worker)
        self.oracles.leavings.agenda.watch_task(task.name, task.body, task.schedule_time or self.clock.now)
        self.requests.send(task)

    # The judges

    def _ended(self, request: Request, instance: Instance, answer: object) -> None:
        if isinstance(answer, Exception) and not isinstance(answer, ConfsyncError):
            self.oracles.complaints.add("raised", f"{instance.name}: {type(answer).__name__}: {answer}")
        privacy.watch_answer(answer, self.oracles.complaints)
        out_of_reach = instance.notes.get("store out of reach")
        self.oracles.watch_end(request.about, answer, self.clock.now, instance, out_of_reach)
        if isinstance(answer, Crash):
            self.sometimes.watch_death(instance)
        if isinstance(answer, SyncOutcome) and answer.status == "busy":
            self.sometimes.watch_busy(request.name.partition("-")[0], request.name)
        if isinstance(answer, SyncOutcome) and answer.status == "superseded":
            self.sometimes.reach("a worker lost its fence")

    def _watch_commit(self, before: Record | None, after: Record, worker: Instance) -> None:
        self._next_due = None
        self.oracles.watch_commit(before, after, self.clock.now, worker)
        privacy.watch_record(after, self.store.body_of(after), self.oracles.complaints)
        self.sometimes.watch_commit(before, after, self.clock.now, worker)

    def watch_call(self, call: ConferenceCall, in_the_air: list[Flight], worker: Instance) -> None:
        """Show the judges a call of the conferencing system as it leaves."""
        awaited = sum(flight.is_awaited for flight in in_the_air)
        self.oracles.watch_call(call, awaited, len(in_the_air) - awaited, self.clock.now, worker)

    def hear_answer(self, call: ConferenceCall, worker: Instance, *, is_applied: bool) -> None:
        """Show the judges what a worker hears of its call."""
        self.oracles.told.hear(call, worker, is_applied=is_applied)

    def watch_create(self, call: CreateCall, worker: Instance) -> None:
        """Show the judges that a conference is asked for."""
        self.oracles.waits.watch(call.replaces, call.operation_id, self.clock.now, worker)
        self.oracles.calls.watch_create(call, worker)

    def hear_wait(self, conference_id: str, operation_id: str | None, wait_s: float, worker: Instance) -> None:
        """Show the judges what the conferencing system asked for."""
        conference = self.ledger.conference(conference_id)
        if conference is not None and wait_s:
            until = self.clock.now + timedelta(seconds=wait_s)
            self.oracles.waits.hear(conference.key, operation_id or conference.key, until, worker)


def lived(tapes: Tapes, *, store: type[SimulatedStore] = SimulatedStore) -> Simulation:
    """Play a day and return it."""
    day = Simulation(tapes, store=store)
    day.play()
    return day
