"""What a month costs: operations times prices, before and after what is free.

It must never leave out that a figure is assumed: whoever prints a bill prints `load` and `Deployment` with it.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from math import ceil, exp
from typing import Final

from confsync.costs import prices
from confsync.costs.load import MONTH_S, RUNS_PER_DAY, Load, operations, renewals
from confsync.costs.measured import Operations
from confsync.costs.prices import DAYS, Price

TARGET_SHARE: Final = 0.6
"""Cloud Run adds instances so that each has so much of its concurrency in use.

https://docs.cloud.google.com/run/docs/about-instance-autoscaling
"""
JOBS: Final = 1
"""Of Cloud Scheduler, as terraform/scheduler.tf makes them."""
SECRET_VERSIONS: Final = 2
"""As terraform/secrets.tf makes them, without those of former values and of users' consents."""
RENEWALS_AT_ONCE: Final = 16
"""As worker_parts does them."""


@dataclass(frozen=True)
class Function:
    """A function as it is deployed."""

    concurrency: int
    memory_mib: int = 512
    vcpu: float = 1


@dataclass(frozen=True)
class Deployment:
    """The functions as Terraform deploys them, and what nobody has measured against Google yet."""

    receiver: Function = Function(concurrency=32)
    worker: Function = Function(concurrency=16)
    renewal: Function = Function(concurrency=2)
    receive_s: float = 0.1
    """How long a notification takes: one call of Cloud Tasks."""
    run_s: float = 0.5
    """How long a scheduled run takes that finds nothing: three queries of four shards."""
    renew_s: float = 1.0
    """How long a renewal takes: two Calendar calls, three transactions."""
    start_s: float = 0.05
    """How long a run takes to start a sync: one call of Cloud Tasks."""
    log_bytes: int = 3000
    """What a request leaves in Cloud Logging: our line, and the entry that Cloud Run writes by itself."""


@dataclass(frozen=True)
class Line:
    """What a part asks for of one price."""

    part: str
    price: Price
    units: float


@dataclass(frozen=True)
class Bill:
    """What a month costs, in USD."""

    lines: tuple[Line, ...]
    totals: dict[str, float] = field(init=False)
    """Units of each price, by its unit: what is free is free once, for all parts together."""

    def __post_init__(self) -> None:
        """Add up."""
        totals: defaultdict[str, float] = defaultdict(float)
        for line in self.lines:
            totals[line.price.unit] += line.units
        object.__setattr__(self, "totals", dict(totals))

    @property
    def parts(self) -> dict[str, tuple[float, float]]:
        """What each part costs before and after what is free, which parts share as they share the use."""
        found: dict[str, tuple[float, float]] = {}
        for line in self.lines:
            before, after = found.get(line.part, (0.0, 0.0))
            cost = line.price.of(line.units)
            found[line.part] = (before + cost, after + cost * self._charged(line.price))
        return found

    @property
    def before_free(self) -> float:
        """What all parts cost, were nothing free."""
        return sum(before for before, _ in self.parts.values())

    @property
    def after_free(self) -> float:
        """What all parts cost, where nothing else on the billing account uses what is free."""
        return sum(after for _, after in self.parts.values())

    def _charged(self, price: Price) -> float:
        """Return which share of a price's units is not free."""
        units = self.totals[price.unit]
        return max(0.0, units - price.free) / units if units else 0.0


def bill(load: Load, deployment: Deployment) -> Bill:
    """Return what a month costs."""
    month = sum(operations(load).values(), Operations())
    return Bill(
        (
            *_function("receiver", deployment.receiver, month.receiver_requests, _receiving_s(month, deployment)),
            *_function("worker", deployment.worker, month.worker_requests, _working_s(month, load, deployment)),
            *_function("renewal", deployment.renewal, RUNS_PER_DAY * DAYS, _running_s(load, deployment)),
            Line("tasks", prices.TASK_OPERATIONS, month.task_operations),
            Line("Firestore", prices.READS, month.reads),
            Line("Firestore", prices.WRITES, month.writes),
            Line("Firestore", prices.DELETES, month.deletes),
            Line("scheduler", prices.JOBS, JOBS),
            Line("secrets", prices.SECRET_VERSIONS, SECRET_VERSIONS),
            Line("logging", prices.LOG_BYTES, _requests(month) * deployment.log_bytes),
        )
    )


def _function(part: str, function: Function, requests: float, busy_s: float) -> Iterable[Line]:
    yield Line(part, prices.REQUESTS, requests)
    yield Line(part, prices.CPU, busy_s * function.vcpu)
    yield Line(part, prices.MEMORY, busy_s * function.memory_mib / 1024)


def _receiving_s(month: Operations, deployment: Deployment) -> float:
    together_s = month.receiver_requests * _rounded(deployment.receive_s)
    return instance_seconds(together_s, deployment.receiver.concurrency)


def _working_s(month: Operations, load: Load, deployment: Deployment) -> float:
    together_s = month.worker_requests * _rounded(load.sync_s) + month.provider_calls * load.told_s
    return instance_seconds(together_s, deployment.worker.concurrency)


def _running_s(load: Load, deployment: Deployment) -> float:
    """Runs follow each other, so that no two share an instance's time; each does many renewals at once."""
    started = operations(load)["reconciliation"].worker_requests
    inside_s = renewals(load) * deployment.renew_s + started * deployment.start_s
    return RUNS_PER_DAY * DAYS * _rounded(deployment.run_s) + inside_s / RENEWALS_AT_ONCE


def instance_seconds(together_s: float, concurrency: int) -> float:
    """Return for how many seconds of a month instances work on requests that take so long together, evenly spread.

    An instance is charged for while it works on at least one. With few requests it is one instance, busy as long as
    any of them (Erlang); with many, Cloud Run makes so many instances that each has its target of requests.
    """
    at_once = together_s / MONTH_S
    return MONTH_S * max(1 - exp(-at_once), at_once / (concurrency * TARGET_SHARE))


def _rounded(seconds: float) -> float:
    """Return what is charged for: tenths of a second, begun ones too."""
    return ceil(round(seconds * 10, 6)) / 10


def _requests(month: Operations) -> float:
    return month.receiver_requests + month.worker_requests + RUNS_PER_DAY * DAYS
