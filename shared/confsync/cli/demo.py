"""`confsync demo`: a day in the life of a calendar, played through the whole system on this machine."""

import shutil
import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path

import click

from confsync.cli.demo_output import JsonOutput, Output, TextOutput
from confsync.cli.signals import interruptible
from confsync.local.demo import OPTIONS, Result, play
from confsync.local.stack import Stack, StackError


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object with all rows and the verdict, no more.")
@click.option("--keep", is_flag=True, help="Keep the folder with data and logs, and print its name.")
def demo(as_json: bool, keep: bool) -> None:
    """Play a day in the life of a calendar through the whole system; it takes about half a minute.

    Starts a Calendar server, a task queue, a sample vendor and the three functions on 127.0.0.1, lets two people
    create, move, cancel and restore events, breaks a few things on purpose, and at the end compares every conference
    with its event. Exit status: 0 when all is the same, 1 when something differs, 2 when it could not start.
    """
    output: Output = JsonOutput() if as_json else TextOutput()
    folder, kept = Path(tempfile.mkdtemp(prefix="confsync-demo-")), True
    try:
        with interruptible(), closing(output):
            result = _run(folder, output)
        kept = keep or not result.is_good
    except StackError as error:
        click.echo(f"confsync demo: {error}", err=True)
        sys.exit(2)
    except KeyboardInterrupt:
        kept = keep
        click.echo("Stopped.", err=True)
        sys.exit(130)
    finally:
        _leave(folder, kept=kept)
    sys.exit(0 if result.is_good else 1)


def _run(folder: Path, output: Output) -> Result:
    started = time.monotonic()
    output.starting()
    with Stack(folder, OPTIONS) as stack:
        output.ready(stack.urls.vendor)
        result = play(stack, output.scene, output.row)
    output.result(result, time.monotonic() - started)
    return result


def _leave(folder: Path, *, kept: bool) -> None:
    if kept:
        click.echo(f"Data and logs are in {folder}", err=True)
    else:
        shutil.rmtree(folder, ignore_errors=True)
