"""What `confsync record-facts` shows on a terminal, and the words of its clicks. It must never change an answer."""

import sys

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from confsync.cli.facts.gestures import Gesture
from confsync.cli.facts.report import Fact, Report, SwitchFact

_WIDTH_OFF_TERMINAL = 160
_STYLES = {"yes": "green", "no": "yellow", "other": "yellow", "not settled": "dim"}


def print_table(report: Report) -> None:
    """Print one line for each question, and what is left to do."""
    console = Console(highlight=False, width=None if sys.stdout.isatty() else _WIDTH_OFF_TERMINAL)
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    for title in ("rows", "question", "answer", "from", "local server"):
        table.add_column(title, no_wrap=title in ("answer", "from"), overflow="fold")
    for fact in report.facts:
        rows = ", ".join(map(str, fact.rows))
        cells = (rows, fact.question, Text(fact.answer, _STYLES[fact.answer]), fact.settled_by or "-", _beside(fact))
        table.add_row(*cells)
    console.print(table)
    click.echo(_closing(report))


def _beside(fact: Fact) -> str:
    switch = fact.switch
    if switch is None:
        return ""
    return f"{switch.name}: {_comparison(switch)}"


def _comparison(switch: SwitchFact) -> str:
    if switch.agrees is None:
        return "-"
    return "agrees" if switch.agrees else f"DIFFERS, set it to {switch.value}"


def _closing(report: Report) -> str:
    open_facts = [fact for fact in report.facts if fact.answer == "not settled"]
    settled = f"\n{len(report.facts) - len(open_facts)} of {len(report.facts)} questions are settled."
    if report.mode == "look" and open_facts:
        trying = sum("experiment" in fact.could_be_settled_by for fact in open_facts)
        clicking = sum("web page" in fact.could_be_settled_by for fact in open_facts)
        settled += f" --experiment can settle {trying} more through the API and {clicking} with clicks in the web page."
    return settled


class TerminalHands:
    """The person at the terminal."""

    def do(self, gesture: Gesture) -> bool:
        """Say what to click and wait for Enter; `s` leaves it out, and so does the end of the input."""
        click.echo("\nPlease, in Calendar's web page (everything happens in this run's own calendar):", err=True)
        for number, step in enumerate(gesture.steps, 1):
            click.echo(f"  {number}. {step}", err=True)
        if gesture.link:
            click.echo(f"  {gesture.link}", err=True)
        click.echo("Then press Enter here; s and Enter leaves it out: ", nl=False, err=True)
        # Not click's prompt: it would turn an interruption into an error of its own.
        line = sys.stdin.readline()
        return bool(line) and line.strip().lower() != "s"
