"""How a command ends that reads the worker's settings: with which status, and what it says of an error.

It must never catch what nobody expects: that is to be seen with its traceback.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

import click

from confsync.errors import ConfsyncError, RequestMalformed, SettingsError


class OptionsError(Exception):
    """The options do not say what is meant, or mean nothing that there is; the message says what to give."""


@contextmanager
def exit_status(command: str, way_out: str = "") -> Iterator[None]:
    """End with status 2 for wrong settings or options, with 1 for what else went wrong outside, each in one line.

    Args:
        command: the words behind `confsync`.
        way_out: what to do when it went wrong outside, where the message does not say so.

    """
    try:
        yield
    except (SettingsError, RequestMalformed, OptionsError) as error:
        click.echo(f"confsync {command}: {error}", err=True)
        sys.exit(2)
    except ConfsyncError as error:
        click.echo("; ".join(filter(None, [f"confsync {command}: {error}", way_out])), err=True)
        sys.exit(1)
