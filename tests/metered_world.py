"""A world that counts what Google and the conferencing system would be asked for: requests, documents, tasks, calls."""

from collections import Counter
from typing import Any

from confsync.adapters.firestore import FirestoreStore
from confsync.adapters.known_names import KnownNames
from confsync.core.tasks import Task
from confsync.costs.measured import Operations
from confsync.initialize_syncing import InitializeOutcome
from confsync.local.calendar_server.records import Channel
from confsync.receive_notification import receive_notification
from tests.firestore_client import Intercepted
from tests.firestore_emulator import Emulator
from tests.world import PUSH, World


class MeteredWorld(World):
    """Its records are in Firestore's emulator; the receiver is one instance, which remembers names as deployed."""

    def __init__(self, emulator: Emulator) -> None:
        """Start with nobody initialised."""
        self.client = Intercepted(emulator)
        self.counts: Counter[str] = Counter()
        super().__init__(store=FirestoreStore(emulator.new_database(), lambda: self.client))  # type: ignore[arg-type, return-value]
        self.queue.on_call = lambda _: self.counts.update(["task_operations"])
        self._remembering = KnownNames(self.queue)

    def push(self, calendar_id: str) -> None:
        """Send a notification through every open channel of the calendar."""
        for channel in self.model.open_channels(calendar_id):
            self._notify(channel, "exists")

    def _notify(self, channel: Channel, resource_state: str) -> None:
        headers = {
            "X-Goog-Channel-ID": channel.id,
            "X-Goog-Channel-Token": channel.token or "",
            "X-Goog-Resource-ID": channel.resource_id,
            "X-Goog-Resource-State": resource_state,
        }
        self.counts.update(["receiver_requests"])
        receive_notification(headers, PUSH.keys, self._remembering, self.now, rules=self.rules)

    def initialize(self, *of_what: Any, **how: Any) -> InitializeOutcome:
        """Do what the add-on asks for after it created a conference, which is a request to the worker."""
        self.counts.update(["worker_requests"])
        return super().initialize(*of_what, **how)

    def run(self, task: Task) -> None:
        """Deliver a task to the worker, which is an operation of Cloud Tasks."""
        self.counts.update(["worker_requests", "task_operations"])
        super().run(task)

    def run_scheduled(self, people: list[str]) -> None:
        """Let the schedule run once; each channel that it opens announces itself, as Calendar documents it."""
        before = {channel.id for who in people for channel in self.model.open_channels(who)}
        self.schedule()
        for channel in (channel for who in people for channel in self.model.open_channels(who)):
            if channel.id not in before:
                self._notify(channel, "sync")

    def finish(self) -> None:
        """Let time pass until no task waits; the schedule does not run meanwhile."""
        while self.queue.waiting:
            self.now = max([self.now, *(task.schedule_time or self.now for task in self.queue.waiting)])
            self.do_due()

    def do_due(self) -> None:
        """Deliver what is due now."""
        while tasks := self.queue.pop_due(self.now):
            for task in tasks:
                self.run(task)

    def operations(self) -> Operations:
        """Return what was asked for until now."""
        written = [
            write for method, request in self.client.requests if method == "commit" for write in request["writes"]
        ]
        deletes = sum("delete" in write for write in written)
        return Operations(
            reads=self.client.documents["read"],
            writes=len(written) - deletes,
            deletes=deletes,
            calendar_calls=len(self.calendar_calls),
            provider_calls=len(self.provider.calls),
            **self.counts,
        )
