"""Plain text for a terminal: columns, times, and ids that others wrote. It must never pass on a control character."""

import shutil
import sys
from collections.abc import Sequence
from datetime import UTC, datetime

LONGEST = 60
GAP = "  "
INDENT = "    "
"""Before what goes on in another line."""


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
    """Return the rows under their heads, each column as wide as its longest entry; the last one is not filled up.

    On a terminal that is too narrow, every row goes on in a second line, the heads too, so that all stays in line.
    """
    return folded(head, rows, room())


def folded(head: Sequence[str], rows: Sequence[Sequence[str]], most: int | None) -> str:
    """Return the rows under their heads in lines of so many letters at most; None for as many as there are."""
    widths = [max(len(row[at]) for row in (head, *rows)) for at in range(len(head))]
    parts = _parts(widths, most)
    lines = (_line(row, widths, part) for row in (head, *rows) for part in parts)
    return "\n".join(filter(None, lines))


def room() -> int | None:
    """Return how many letters a line of the terminal has, None where nobody reads along."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None


def _parts(widths: Sequence[int], most: int | None) -> list[range]:
    """Return which columns go together into a line; one that is too wide by itself has its own."""
    parts, begin, used = list[range](), 0, 0
    for at, width in enumerate(widths):
        used += width + len(GAP)
        if most is not None and used - len(GAP) > most and at > begin:
            parts.append(range(begin, at))
            begin, used = at, len(INDENT) + width + len(GAP)
    return [*parts, range(begin, len(widths))]


def _line(row: Sequence[str], widths: Sequence[int], part: range) -> str:
    filled = GAP.join(f"{row[at]:<{widths[at]}}" for at in part).rstrip()
    return f"{INDENT}{filled}" if part.start and filled else filled
