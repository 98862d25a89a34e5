"""What Google asks for: list prices in USD with their source, of a region of tier 1 such as us-central1.

A price is looked up by hand and dated; nothing here asks a server. It must never hold a price without a source.
"""

from dataclasses import dataclass
from typing import Final

AS_OF: Final = "2026-11-23"
"""When this table was put together."""
DAYS: Final = 30
"""Of a month."""
MILLION: Final = 1_000_000
GIB: Final = 2**30
UNDATED: Final = ""

RUN: Final = "https://cloud.google.com/run/pricing"
TASKS: Final = "https://cloud.google.com/tasks/pricing"
FIRESTORE: Final = "https://cloud.google.com/firestore/pricing"
SCHEDULER: Final = "https://cloud.google.com/scheduler/pricing"
SECRETS: Final = "https://cloud.google.com/secret-manager/pricing"
LOGGING: Final = "https://cloud.google.com/stackdriver/pricing"


@dataclass(frozen=True)
class Price:
    """What a service asks for so many units, and how many of them are free in a month."""

    unit: str
    usd: float
    per: int
    free: float
    source: str
    confirmed: str
    """The day on which Google's page said so; `UNDATED` for what a copy of the page says that bears no date."""

    @property
    def is_dated(self) -> bool:
        """Whether it is known when the price was true."""
        return self.confirmed != UNDATED

    def of(self, units: float) -> float:
        """Return what so many units cost before the free ones are taken off."""
        return units * self.usd / self.per


REQUESTS: Final = Price("Cloud Run requests", 0.40, MILLION, 2 * MILLION, RUN, UNDATED)
CPU: Final = Price("vCPU-seconds", 24.0, MILLION, 180_000, RUN, UNDATED)
MEMORY: Final = Price("GiB-seconds", 2.5, MILLION, 360_000, RUN, UNDATED)
TASK_OPERATIONS: Final = Price("task operations", 0.40, MILLION, MILLION, TASKS, UNDATED)
READS: Final = Price("documents read", 0.30, MILLION, 50_000 * DAYS, FIRESTORE, "2026-08-18")
WRITES: Final = Price("documents written", 0.90, MILLION, 20_000 * DAYS, FIRESTORE, "2026-08-18")
DELETES: Final = Price("documents deleted", 0.10, MILLION, 20_000 * DAYS, FIRESTORE, "2026-08-18")
JOBS: Final = Price("scheduler jobs", 0.10, 1, 3, SCHEDULER, "2026-08-18")
SECRET_VERSIONS: Final = Price("secret versions", 0.06, 1, 6, SECRETS, UNDATED)
LOG_BYTES: Final = Price("bytes of log", 0.50, GIB, 50 * GIB, LOGGING, UNDATED)

PRICES: Final = (
    REQUESTS, CPU, MEMORY, TASK_OPERATIONS, READS, WRITES, DELETES, JOBS, SECRET_VERSIONS, LOG_BYTES,
)  # fmt: skip
