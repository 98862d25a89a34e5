"""What `confsync demo` shows: rows as they come on a terminal, plain lines elsewhere, or one JSON object.

It must never decide whether the demo went well; the result says so.
"""

import dataclasses
import json
from typing import Any, Protocol

import click
from rich.console import Console
from rich.status import Status
from rich.table import Table
from rich.text import Text

from confsync.local.demo import SHORTENED, Result, Row

_WIDEST = 112
_COLUMNS = (("pushes", 7), ("tasks", 6), ("syncs", 6), ("calls", 6), ("latency", 9))


class Output(Protocol):
    """Whoever is told how the demo goes."""

    def starting(self) -> None:
        """Take note that the stack is starting."""

    def ready(self, vendor_url: str) -> None:
        """Take note that it runs."""

    def scene(self, title: str) -> None:
        """Take note that a scene begins."""

    def row(self, row: Row) -> None:
        """Take note that it is over."""

    def result(self, result: Result, seconds: float) -> None:
        """Take note of the end."""

    def close(self) -> None:
        """Leave the terminal as it was, also after an interruption."""


class JsonOutput:
    """One JSON object at the end, nothing before."""

    def starting(self) -> None:
        """Say nothing."""

    def ready(self, vendor_url: str) -> None:
        """Say nothing."""

    def scene(self, title: str) -> None:
        """Say nothing."""

    def row(self, row: Row) -> None:
        """Say nothing."""

    def result(self, result: Result, seconds: float) -> None:
        """Print the object."""
        click.echo(json.dumps(_plain(result, seconds), indent=2))

    def close(self) -> None:
        """Do nothing."""


def _plain(result: Result, seconds: float) -> dict[str, Any]:
    rows = [
        {
            "action": row.action,
            "pushes": row.counts.notifications,
            "tasks": row.counts.tasks,
            "syncs": row.counts.syncs,
            "calls": row.counts.calls,
            "latency_ms": row.latency_ms,
            "problem": row.problem,
        }
        for row in result.rows
    ]
    conferences = [dataclasses.asdict(verdict) for verdict in result.verdicts]
    verdict = "good" if result.is_good else "bad"
    return {"verdict": verdict, "seconds": round(seconds, 1), "rows": rows, "conferences": conferences}


class TextOutput:
    """Lines for people; on a terminal in columns, with the current scene below them."""

    def __init__(self) -> None:
        self._console = Console(highlight=False)
        self._width = min(self._console.width, _WIDEST)
        self._status: Status | None = None

    def starting(self) -> None:
        """Say what is started."""
        self._say(
            "[bold]confsync demo[/bold]: starting a Calendar server, a task queue, a sample vendor "
            "and the three functions on this machine ..."
        )

    def ready(self, vendor_url: str) -> None:
        """Say where to look."""
        self._say(f"All six run. Watch the vendor's side in a browser: [bold]{vendor_url}[/bold]")
        self._say(f"[dim]Shortened for the demo: {'; '.join(SHORTENED)}.[/dim]")
        self._say(
            "[dim]Latency: from the user's last write until the vendor's back end has it; - for nothing to do.[/dim]\n"
        )
        if self._console.is_terminal:
            names = [Text(name, "dim") for name, _ in _COLUMNS]
            self._console.print(self._line(Text(""), Text("action", "dim"), names))
            self._status = self._console.status("", spinner="dots")
            self._status.start()

    def scene(self, title: str) -> None:
        """Show what goes on."""
        if self._status is not None:
            self._status.update(f"[dim]{title}[/dim]")

    def row(self, row: Row) -> None:
        """Print one row."""
        cells = _cells(row)
        if self._console.is_terminal:
            mark = Text("!", "bold red") if row.problem else Text("+", "green")
            self._console.print(self._line(mark, Text(row.action), [Text(cell) for cell in cells]))
        else:
            named = ", ".join(f"{name} {cell}" for (name, _), cell in zip(_COLUMNS, cells, strict=True))
            click.echo(f"{'FAILED' if row.problem else 'ok'}  {row.action}: {named}")
        if row.problem:
            self._say(Text(f"  {row.problem}", "red"))

    def result(self, result: Result, seconds: float) -> None:
        """Print the comparison and one closing line."""
        self.close()
        self._say("\n[bold]Every conference beside its event[/bold]")
        for verdict in result.verdicts:
            same = "differs" if verdict.differences else "the same"
            style = "red" if verdict.differences else "green"
            line = Text.assemble((f"{same:9}", style), f"{verdict.state:8}{verdict.conference_id}  {verdict.title}")
            self._say(line)
            for difference in verdict.differences:
                self._say(Text(f"  {difference}", "red"))
        self._say(Text("\n" + _closing(result, seconds), "bold"))

    def close(self) -> None:
        """Take the current scene off the terminal and show the cursor again."""
        if self._status is not None:
            self._status.stop()
            self._status = None

    def _say(self, what: str | Text) -> None:
        self._console.print(what, soft_wrap=not self._console.is_terminal)

    def _line(self, mark: Text, action: Text, cells: list[Text]) -> Table:
        """Each row is a table of its own, so that it is final once printed; fixed widths keep the columns aligned."""
        line = Table.grid(padding=(0, 1, 0, 0))
        line.width = self._width
        line.add_column(width=1)
        line.add_column(ratio=1)
        for _, width in _COLUMNS:
            line.add_column(width=width, justify="right", no_wrap=True)
        line.add_row(mark, action, *cells)
        return line


def _cells(row: Row) -> list[str]:
    counts = row.counts
    numbers = [str(number) for number in (counts.notifications, counts.tasks, counts.syncs, counts.calls)]
    return [*numbers, "-" if row.latency_ms is None else f"{row.latency_ms:.0f} ms"]


def _closing(result: Result, seconds: float) -> str:
    took = f"{len(result.rows)} actions in {seconds:.0f} s"
    if result.is_good:
        return f"All {len(result.verdicts)} conferences are in step; {took}. Next: `make dev` keeps it running for you."
    wrong = sum(bool(row.problem) for row in result.rows)
    differing = sum(bool(verdict.differences) for verdict in result.verdicts)
    return f"NOT in step: {differing} of {len(result.verdicts)} conferences differ, {wrong} of {took} went wrong."
