"""Plain text for a terminal: columns, times, and ids that others wrote. It must never pass on a control character."""

from collections.abc import Sequence
from datetime import UTC, datetime

LONGEST = 60


def shown(text: str, longest: int = LONGEST) -> str:
    """Return the text without what would steer a terminal, and no longer than a column may be."""
    whole = plain(text)
    return whole if len(whole) <= longest else f"{whole[: longest - 1]}…"


def plain(text: str) -> str:
    """Return the whole text without what would steer a terminal."""
    return "".join(letter if letter.isprintable() else "?" for letter in text)


def stamp(at: datetime) -> str:
    """Return a time in UTC, to the second."""
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%SZ}"


def counted(number: int, what: str) -> str:
    """Return a number with what it counts, in the plural where it takes one."""
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def columns(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return the rows under their heads, each column as wide as its longest entry; the last one is not filled up."""
    widths = [max(len(row[at]) for row in (head, *rows)) for at in range(len(head) - 1)]
    return "\n".join(_line(row, widths) for row in (head, *rows))


def _line(row: Sequence[str], widths: Sequence[int]) -> str:
    filled = (f"{entry:<{width}}" for entry, width in zip(row, widths, strict=False))
    return "  ".join((*filled, row[-1])).rstrip()
