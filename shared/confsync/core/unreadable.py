"""What a store gives in the place of a record that is due and cannot be read, so that it holds up nothing else.

It must never hold what the record holds.
"""

from dataclasses import dataclass
from typing import TypeAlias, TypeVar

R = TypeVar("R")


@dataclass(frozen=True)
class Unreadable:
    """A record that is due, but that this version cannot read; it stays as it is until an operator mends it."""

    kind: str
    key: str
    due: str
    """When, in the form by which the store sorts: a query goes on behind it."""
    reason: str
    """What is wrong with it, and the way out."""


Due: TypeAlias = R | Unreadable
