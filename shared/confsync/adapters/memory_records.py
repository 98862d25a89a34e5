"""The records of the store in memory, each with its version.

It must never let a reader see a part of a commit.
"""

import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from confsync.adapters.stored import QUERIED, Decode, DueRow, Write, decode_due
from confsync.core.records import Record
from confsync.core.unreadable import Due

R = TypeVar("R", bound=Record)

WHERE = "memory"

Choice = Callable[[Iterable[tuple[str, Write]]], Iterable[str]]
"""Picks keys, in order, from the keys and contents of all records that live."""


class Conflict(Exception):
    """Something that a transaction has to see was committed after it began: no error, its body runs again."""


@dataclass(frozen=True)
class _Version:
    """A record as one commit left it."""

    commit: int
    write: Write | None
    """None: deleted. Kept, so that a record that came and went meanwhile is noticed."""


class Records:
    """All records with their versions. Every method is one atomic step."""

    def __init__(self, decode: Decode) -> None:
        self._decode = decode
        self._lock = threading.Lock()
        self._newest = 0
        self._kinds: dict[str, dict[str, _Version]] = {kind: {} for kind in QUERIED}

    @property
    def newest(self) -> int:
        """Number of the newest commit."""
        with self._lock:
            return self._newest

    def select(self, kind: type[R], choose: Choice) -> dict[str, R]:
        """Return the records whose keys `choose` picks from all that live, in its order."""
        living = self._living(kind)
        return self._decoded(kind, ((key, living[key].body) for key in choose(living.items())))

    def select_due(self, kind: type[R], field: str, choose: Choice) -> list[Due[R]]:
        """Return the same of what is due by `field`, with what stands in the place of what cannot be read."""
        living, (at,) = self._living(kind), places(kind.kind, field)
        rows = (DueRow(key, living[key].columns[at] or "", living[key].body) for key in choose(living.items()))
        return [decode_due(kind, row, WHERE, self._decode) for row in rows]

    def read(self, kind: type[R], keys: Iterable[str], as_of: int | None = None) -> dict[str, R]:
        """Return the records that exist, by key; raises `Conflict` when one is newer than commit `as_of`."""
        bodies = []
        with self._lock:
            versions = self._kinds[kind.kind]
            for key in keys:
                version = versions.get(key)
                if version is None:
                    continue
                if as_of is not None and version.commit > as_of:
                    raise Conflict
                if version.write is not None:
                    bodies.append((key, version.write.body))
        return self._decoded(kind, bodies)

    def commit(
        self, writes: Mapping[tuple[str, str], Write | None], seen: Iterable[tuple[str, str]], as_of: int
    ) -> None:
        """Apply `writes` unless something in `seen` is newer than commit `as_of`: then raise `Conflict`."""
        with self._lock:
            if any(self._commit_of(kind, key) > as_of for kind, key in seen):
                raise Conflict
            self._newest += 1
            for (kind, key), write in writes.items():
                self._kinds[kind][key] = _Version(self._newest, write)

    def _living(self, kind: type[Record]) -> dict[str, Write]:
        with self._lock:
            return {key: v.write for key, v in self._kinds[kind.kind].items() if v.write is not None}

    def _decoded(self, kind: type[R], bodies: Iterable[tuple[str, str]]) -> dict[str, R]:
        return {key: self._decode(kind, key, body, WHERE) for key, body in bodies}

    def _commit_of(self, kind: str, key: str) -> int:
        version = self._kinds[kind].get(key)
        return 0 if version is None else version.commit


def places(kind: str, *fields: str) -> tuple[int, ...]:
    """Return where these queried fields stand in what is written."""
    return tuple(QUERIED[kind].index(field) for field in fields)
