"""Google's generated Firestore client with every request noted, and faults where a test wants them."""

from collections import Counter
from collections.abc import Callable
from typing import Any

from confsync.adapters.firestore_calls import build_client
from tests.firestore_emulator import Emulator


class Intercepted:
    """The real client, with each request noted, and a fault before or after the requests that a test names."""

    def __init__(self, emulator: Emulator) -> None:
        """Change nothing yet."""
        self._client = build_client(emulator.host)
        self.requests: list[tuple[str, Any]] = []
        self.documents: Counter[str] = Counter()
        """How many were read and written, as Firestore bills them: one that is missing too, and an empty query."""
        self.begun: list[bytes] = []
        """Ids of the transactions that a read began."""
        self.before: dict[str, list[Exception]] = {}
        self.after: dict[str, list[Exception]] = {}

    def __getattr__(self, method: str) -> Callable[..., Any]:
        """Return the client's method."""

        def call(request: Any, **how: Any) -> Any:
            self.requests.append((method, request))
            if self.before.get(method):
                raise self.before[method].pop(0)
            answered = getattr(self._client, method)(request, **how)
            answered = list(answered) if method in ("batch_get_documents", "run_query") else answered
            self._count(method, request, answered)
            if self.after.get(method):
                raise self.after[method].pop(0)
            return answered

        return call

    def methods(self) -> list[str]:
        """Return the names of the requests so far."""
        return [method for method, _ in self.requests]

    def _count(self, method: str, request: Any, answered: Any) -> None:
        if method == "commit":
            self.documents["written"] += len(request["writes"])
        elif method == "batch_get_documents":
            self.documents["read"] += len(request["documents"])
            self.begun += [bytes(each.transaction) for each in answered if each.transaction]
        elif method == "run_query":
            self.documents["read"] += max(1, sum(bool(each.document.name) for each in answered))
