"""The world of one random day: its clock, its tasks and pushes on their way, workers within each other's calls.

It must never decide what is right; the oracles do.
"""

import heapq
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from zlib import crc32

from confsync.core.records import Record
from confsync.core.tasks import Task
from confsync.errors import ConfsyncError
from confsync.initialize_syncing import InitializeRequest, initialize_syncing
from confsync.ports import ConferenceCall, Outside
from confsync.receive_notification import receive_notification
from confsync.renew_channels import renew_channels
from tests.random_day_edges import DayCalendar, DayQueue, Gate
from tests.random_day_evening import Evening
from tests.random_day_gestures import SUBJECTS, WRITERS
from tests.random_day_ledger import Ledger, Worker
from tests.random_day_oracles import Oracles
from tests.random_day_people import People
from tests.random_day_provider import DayProvider, Flight
from tests.random_day_store import DayStore
from tests.random_day_tape import Fault, Step, Tapes
from tests.random_day_truth import Truth
from tests.world import PUSH, START, Crash, World, times

DEEPEST = 3
"""Workers within each other's calls at most."""


@dataclass(order=True)
class Due:
    """Something that happens at a time; what is due at once happens in an order that only the seed knows."""

    at: datetime
    tie: int
    number: int
    act: Callable[[], None] = field(compare=False)


class Day(World):
    """The world for one day, with faults at every port and judges beside it."""

    def __init__(self, tapes: Tapes) -> None:
        """Prepare everything up to the first step."""
        setting = tapes.setting
        super().__init__(rules=setting.rules, capabilities=setting.capabilities, page_size=setting.page_size)
        self.tapes, self.lines = tapes, list[str]()
        self._due: list[Due] = []
        self._workers: list[Worker] = []
        self._depth = self._numbers = 0
        self.gate = Gate(self, tapes.faults)
        self.people = People(self.model, self._register_later, is_polled=setting.is_polled)
        self.truth = Truth(self.model, setting.capabilities.carries)
        self.day_store = DayStore(self.gate, self._watch_commit)
        made_for: dict[str, str] = {}
        self.back_end = DayProvider(setting.capabilities, self.gate, self._watch_call, made_for)
        ledger = Ledger(self.day_store)
        self.oracles = Oracles(
            self.truth,
            ledger,
            self.model.state.secret,
            ordered=setting.capabilities.ordered_writes,
            exact=not setting.lag_s,
        )
        self.oracles.made_for = made_for
        self.evening = Evening(self.truth, ledger, self.oracles, self.model)
        ports = (
            self.day_store,
            DayCalendar(self.calendar_api, self.gate, self.oracles.watch_listing),
            DayQueue(self._send, self.gate),
        )
        self._outside = Outside(*ports, {"acme": self.back_end}, lambda: self.now, self.new_id)
        self.model.options.list_lag_ms = setting.lag_s * 1000
        self.model.options.organizer_tombstones = "id_only" if setting.id_only else "full"
        self.model.options.tombstone_days = 0 if setting.forgets else 30
        self.model.options.empty_pages = setting.empty_pages

    @property
    def outside(self) -> Outside:
        """The ports, with their faults."""
        return self._outside

    @property
    def violations(self) -> list[str]:
        """Which rules were broken."""
        return self.oracles.violations

    def trace(self, line: str) -> None:
        """Write down what happened."""
        self.lines.append(f"{(self.now - START).total_seconds():.3f} {'  ' * len(self._workers)}{line}")

    # Time

    def at(self, moment: datetime, name: str, act: Callable[[], None]) -> None:
        """Do something at a time."""
        self._numbers += 1
        tie = crc32(f"{self.tapes.seed} {name}".encode())
        heapq.heappush(self._due, Due(moment, tie, self._numbers, act))

    def after(self, seconds: float, name: str, act: Callable[[], None]) -> None:
        """Do something some time from now."""
        self.at(self.now + timedelta(seconds=seconds), name, act)

    def advance(self, seconds: float) -> None:
        """Let time pass, with everything that happens meanwhile."""
        until = self.now + timedelta(seconds=seconds)
        while self._due and self._due[0].at <= until and not self.violations:
            due = heapq.heappop(self._due)
            self.now = max(self.now, due.at)
            due.act()
        self.now = max(self.now, until)

    def pause(self, seconds: float) -> None:
        """Let time pass in the middle of a call; everybody else goes on."""
        if self._depth >= DEEPEST:
            self.now += timedelta(seconds=seconds)
            return
        self._depth += 1
        self.advance(seconds)
        self._depth -= 1

    # What happens

    def play(self) -> None:
        """Play the tapes, let everything settle, and judge."""
        for number, calendar_id in enumerate(SUBJECTS):
            if self.tapes.setting.begin >> number & 1:
                self.at(START, f"initialize {calendar_id}", partial(self._register, calendar_id, None, None))
        for step in self.tapes.steps:
            self.at(START + timedelta(seconds=step.at_s), f"step {step.number}", partial(self._do, step))
        self.after(60, "scheduler", self._schedule)
        self.advance(max((step.at_s for step in self.tapes.steps), default=0) + 100)
        self._stop_faults()
        self.advance(self._settling_s())
        for _ in range(4):  # channels that nobody remembers are heard of, and stopped
            for calendar_id in SUBJECTS:
                self.model.insert(
                    WRITERS[calendar_id], calendar_id, {"summary": "Plain", **times(START - timedelta(days=9))}
                )
            self.advance(60)
        self.advance(self.rules.poll_s + 120)
        self._judge()

    def _stop_faults(self) -> None:
        self.gate.is_open = False
        self.people.give_access_back()
        self.model.options.list_lag_ms = 0
        for calendar_id in SUBJECTS:
            self.model.settle_conferences(calendar_id)

    def _settling_s(self) -> float:
        rules = self.rules
        return 2 * rules.frozen_retry_s + rules.reconcile_s + rules.quota_pause_s + rules.refused_pause_s + 1200

    def _judge(self) -> None:
        if self.violations:
            return
        self.evening.judge_calendars(is_polled=self.tapes.setting.is_polled)
        self.evening.judge_conferences(self.back_end.conferences, self.now)
        calls, idle_until = len(self.back_end.calls), self.now + timedelta(hours=1)
        handed_over = any(c.review_at and c.review_at < idle_until for c in self.evening.with_several_owners())
        self.advance(3600)
        if len(self.back_end.calls) != calls and not handed_over:
            self.oracles.complain("L4", f"{len(self.back_end.calls) - calls} calls in an idle hour")

    def _do(self, step: Step) -> None:
        self.gate.begin(step.number)
        done = self.people.do(step)
        self.trace(f"#{step.number} {step.action} {'' if done else 'refused'}")

    def _schedule(self) -> None:
        self.after(60, "scheduler", self._schedule)
        self._work("scheduler", lambda: renew_channels(self.outside, PUSH, self.rules))

    def _work(self, name: str, work: Callable[[], object]) -> bool:
        """Let one worker run; whether it got to its end."""
        self.trace(f"> {name}")
        self._workers.append(Worker(self.now))
        try:
            work()
        except (ConfsyncError, Crash) as fault:
            self.trace(f"! {name}: {fault!r}")
            return False
        else:
            return True
        finally:
            self._workers.pop()

    # Pushes

    def _announce(self, calendar_id: str) -> None:
        self.truth.look(calendar_id, self.now)
        for channel in self.model.open_channels(calendar_id):
            headers = {
                "X-Goog-Channel-ID": channel.id,
                "X-Goog-Channel-Token": channel.token or "",
                "X-Goog-Resource-ID": channel.resource_id,
                "X-Goog-Resource-State": "exists",
            }
            fault = self.gate.fault("push", calendar_id)
            self._on_its_way(fault, f"push {calendar_id} {channel.id}", partial(self._push, headers, 0))

    def _push(self, headers: dict[str, str], attempt: int) -> None:
        done = self._work(
            "push",
            lambda: receive_notification(headers, PUSH.keys, self.outside.task_queue, self.now, rules=self.rules),
        )
        if not done and attempt < 4:
            self.after(2**attempt, "push again", partial(self._push, headers, attempt + 1))

    def _on_its_way(self, fault: Fault | None, name: str, act: Callable[[], None], at: datetime | None = None) -> None:
        kind, at = fault.kind if fault else "", max(at or self.now, self.now)
        if kind == "lost":
            return
        late = timedelta(seconds=fault.amount) if fault else timedelta()
        self.at(at + late if kind == "late" else at, name, act)
        if kind == "twice":
            self.at(at + late, f"{name} again", act)

    # Tasks

    def _send(self, task: Task) -> None:
        self._on_its_way(
            self.gate.fault("task", task.name), task.name, partial(self._deliver_task, task, 0), task.schedule_time
        )

    def _deliver_task(self, task: Task, attempt: int) -> None:
        done = self._work(task.name, lambda: self.trace(f"= {self._deliver(task)}"))
        if not done and attempt < 9:
            again = partial(self._deliver_task, task, attempt + 1)
            self.after(min(2**attempt, 600), f"{task.name} {attempt}", again)

    # The add-on

    def _register_later(self, calendar_id: str, conference_id: str, event_id: str, delay_s: float) -> None:
        if calendar_id in SUBJECTS:
            act = partial(self._register, calendar_id, conference_id, event_id)
            self.after(delay_s, f"register {conference_id}", act)

    def _register(self, calendar_id: str, conference_id: str | None, event_id: str | None) -> None:
        subject = SUBJECTS[calendar_id]
        request = InitializeRequest(
            calendar_id=calendar_id, subject=subject, conference_id=conference_id, event_id=event_id, provider=None
        )
        name = f"initialize {calendar_id} {conference_id}"
        if not self._work(name, lambda: initialize_syncing(request, self.outside, self.terms, PUSH)):
            self.after(5, name, partial(self._register, calendar_id, conference_id, event_id))

    # The judges

    def _watch_commit(self, before: Record | None, after: Record) -> None:
        self.oracles.watch_commit(before, after, self.now, self._workers[-1])

    def _watch_call(self, call: ConferenceCall, in_the_air: list[Flight]) -> None:
        self.oracles.watch_call(call, in_the_air)
