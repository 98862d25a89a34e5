"""Shows figures: a table on a terminal, aligned plain text elsewhere, or JSON.

It must never measure anything.
"""

import json
import os
import platform
from collections.abc import Sequence
from typing import TextIO

from rich.console import Console
from rich.table import Table

from tests.bench.figures import Figure

HEADINGS = ("figure", "ours", "peer", "ratio", "target", "")
_PLAIN_WIDTH = 160


def machine() -> str:
    """Return on what kind of machine this runs, in general terms."""
    return f"{platform.system()}, {os.cpu_count()} cores, Python {platform.python_version()}"


def show(figures: Sequence[Figure], out: TextIO) -> None:
    """Write one table of all figures."""
    console = Console(file=out, width=None if out.isatty() else _PLAIN_WIDTH, highlight=False)
    table = Table(*HEADINGS, box=None, pad_edge=False, caption=f"medians; in brackets the spread; {machine()}")
    table.caption_justify = "left"
    benchmark = ""
    for figure in figures:
        if figure.benchmark != benchmark:
            benchmark = figure.benchmark
            table.add_row(f"[bold]{benchmark}[/bold]")
        table.add_row(*_cells(figure))
    console.print(table)


def as_json(figures: Sequence[Figure]) -> str:
    """Return everything as one JSON object."""
    return json.dumps({"machine": machine(), "figures": [figure.to_json() for figure in figures]}, indent=2)


def _cells(figure: Figure) -> tuple[str, ...]:
    peer = "" if figure.peer is None else f"{number(figure.peer)} {figure.peer_is}"
    ratio = "" if figure.ratio is None else f"{number(figure.ratio)}{_spread(figure)}"
    ours = f"{number(figure.ours)} {figure.unit}" + (_spread(figure) if figure.ratio is None else "")
    return f"  {figure.what}", ours, peer, ratio, str(figure.target or ""), _verdict(figure.is_met)


def _spread(figure: Figure) -> str:
    return f" ({number(figure.spread[0])} .. {number(figure.spread[1])})" if figure.spread else ""


def _verdict(is_met: bool | None) -> str:
    return {None: "", True: "[green]met[/green]", False: "[red]not met[/red]"}[is_met]


def number(value: float) -> str:
    """Return three significant digits, and all digits of a large number."""
    return f"{value:.0f}" if abs(value) >= 100 or value == int(value) else f"{value:.3g}"
