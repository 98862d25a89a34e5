"""What is asked of the three functions: Calendar's pushes, tasks, the scheduler's minute, and the add-on's word.

Each request runs production code, on the ports of the instance that it reaches. It must never do anything itself.
"""

from collections.abc import Iterable
from datetime import timedelta
from functools import partial

from confsync.core.capabilities import Capabilities
from confsync.core.rules import Rules
from confsync.core.tasks import SYNC, Task
from confsync.core.terms import Terms
from confsync.initialize_syncing import InitializeRequest, initialize_syncing
from confsync.local.calendar_server.records import Channel
from confsync.ports import Outside
from confsync.receive_notification import receive_notification
from confsync.renew_channels import renew_channels
from confsync.sync_calendar import SyncRequest, sync_calendar
from confsync.update_conference import update_conference
from tests.simulation.gestures import SUBJECTS
from tests.simulation.oracles.words import Words
from tests.simulation.scheduler import Scheduler
from tests.simulation.traffic import Request, Traffic, push_again_in_s, task_again_in_s
from tests.world import PUSH, SOLUTION


class Requests:
    """Sends requests to the functions, under rules that an operator may change meanwhile."""

    def __init__(
        self, clock: Scheduler, traffic: Traffic, rules: Rules, capabilities: Capabilities, words: Words
    ) -> None:
        """Deploy with these rules.

        Args:
            words: remembers what the add-on said.

        """
        self._clock, self._traffic, self._capabilities, self._words = clock, traffic, capabilities, words
        self.use(rules)

    def use(self, rules: Rules) -> None:
        """Deploy anew, with other rules."""
        self.rules = rules
        self._terms = Terms("default", [SOLUTION], {"acme": self._capabilities}, rules)

    def renew(self) -> None:
        """Do what the scheduler does every minute; a run that fails waits for the next."""
        request = Request("renew", lambda outside: renew_channels(outside, PUSH, self._terms), lambda _: None)
        self._traffic.deliver(request, self._clock.now)

    def push(self, channels: Iterable[Channel]) -> None:
        """Announce a change through each of these channels."""
        for channel in channels:
            headers = {
                "X-Goog-Channel-ID": channel.id,
                "X-Goog-Channel-Token": channel.token or "",
                "X-Goog-Resource-ID": channel.resource_id,
                "X-Goog-Resource-State": "exists",
            }
            work = partial(self._receive, headers)
            about = {"calendar_id": channel.calendar_id}
            request = Request(f"push {channel.id}", work, push_again_in_s, about=about)
            self._traffic.send(request, "push", self._clock.now)

    def _receive(self, headers: dict[str, str], outside: Outside) -> object:
        return receive_notification(headers, PUSH.keys, outside.task_queue, outside.now(), rules=self.rules)

    def send(self, task: Task) -> None:
        """Deliver a task, as Cloud Tasks does."""
        request = Request(task.name, partial(self._work, task), task_again_in_s, self.rules.task_s, task.body)
        self._traffic.send(request, "task", task.schedule_time or self._clock.now)

    def _work(self, task: Task, outside: Outside) -> object:
        if task.path == SYNC:
            return sync_calendar(SyncRequest(**task.body), outside, self._terms)
        return update_conference(task.body["conference_key"], outside, self._terms)

    def register(self, calendar_id: str, conference_id: str | None, event_id: str | None, delay_s: float) -> None:
        """Say what the add-on says, again and again until it is heard; nothing for a calendar that nobody syncs."""
        if calendar_id not in SUBJECTS:
            return
        asked = InitializeRequest(
            calendar_id=calendar_id,
            subject=SUBJECTS[calendar_id],
            conference_id=conference_id,
            event_id=event_id,
            provider=None,
        )
        request = Request(
            f"initialize {calendar_id} {conference_id} {event_id}",
            partial(self._initialize, asked),
            lambda _: 5,
        )
        if conference_id is not None and event_id is not None:
            self._words.say(conference_id, (calendar_id, event_id))
        self._traffic.deliver(request, self._clock.now + timedelta(seconds=delay_s))

    def _initialize(self, asked: InitializeRequest, outside: Outside) -> object:
        forgotten = self._words.forgotten[asked.calendar_id]
        answer = initialize_syncing(asked, outside, self._terms, PUSH)
        is_known = forgotten == self._words.forgotten[asked.calendar_id]
        if asked.conference_id is not None and asked.event_id is not None and is_known:
            self._words.hear(asked.conference_id, (asked.calendar_id, asked.event_id))
        return answer
