"""`confsync dev`: the whole system on this machine, until Ctrl-C, with data that stay."""

import shlex
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import click

from confsync.cli.signals import interruptible
from confsync.local.dev import (
    PEOPLE,
    commands_to_try,
    keep_ports,
    ports_of,
    prepare,
    settings_from,
    write_environment,
)
from confsync.local.stack import Stack, StackError, StackOptions

_LOOK_EVERY_S = 0.5
_Port = click.IntRange(1, 65535)


@click.command()
@click.option(
    "--data", "data_dir", type=click.Path(path_type=Path), default=Path(".confsync"), show_default=True,
    help="Folder for data, keys, logs and, from the first run on, the ports.",
)  # fmt: skip
@click.option("--calendar-port", "calendar", type=_Port, help="Port of the Calendar server.")
@click.option("--vendor-port", "vendor", type=_Port, help="Port of the sample vendor and its page.")
@click.option("--tasks-port", "tasks", type=_Port, help="Port of the task queue.")
@click.option("--receiver-port", "receive_notification", type=_Port, help="Port of receive_notification.")
@click.option("--worker-port", "sync_calendar", type=_Port, help="Port of sync_calendar.")
@click.option("--renewal-port", "renew_channels", type=_Port, help="Port of renew_channels.")
@click.option("--set", "words", multiple=True, metavar="NAME=VALUE", help="A setting for this run; may be repeated.")
def dev(data_dir: Path, words: tuple[str, ...], **ports: int | None) -> None:
    """Keep the whole system running on this machine until Ctrl-C.

    Ports that are not given are free ones at the first run, and the same ones from then on. Settings of your own
    environment do not count: give them with --set, as in --set INGRESS=poll.

    Exit status: 0 after Ctrl-C, 1 when a part broke down, 2 when it could not start.
    """
    started = False
    try:
        with interruptible():
            wanted = {part: port for part, port in ports.items() if port}
            options = StackOptions(ports=ports_of(data_dir, wanted), settings=settings_from(words))
            with Stack(data_dir, options) as stack:
                write_environment(stack)
                keep_ports(stack)
                prepare(stack.urls)
                started = True
                _show(stack)
                _watch(stack)
    except StackError as error:
        click.echo(f"confsync dev: {error}", err=True)
        sys.exit(1 if started else 2)
    except KeyboardInterrupt:
        click.echo(f"Stopped. Data and logs stay in {data_dir}; start it again to go on.")


def _watch(stack: Stack) -> None:
    """Wait until interrupted; raise StackError when a part ends by itself."""
    while True:
        stack.check()
        time.sleep(_LOOK_EVERY_S)


def _show(stack: Stack) -> None:
    urls = stack.urls
    click.echo("confsync runs on this machine. Ctrl-C stops it.\n")
    for what, url in (
        ("Vendor's page", urls.vendor),
        ("Calendar API", urls.calendar_api),
        ("Worker", urls.sync_calendar),
        ("Receiver", urls.receive_notification),
        ("Renewal", urls.renew_channels),
        ("Task queue", urls.tasks),
        ("Data and logs", str(stack.folder.path)),
        ("Settings", str(stack.folder.environment)),
    ):
        click.echo(f"  {what:14}{url}")
    click.echo(f"\nPeople: {', '.join(PEOPLE)}. Things to try in another shell, in this order:")
    confsync = shlex.quote(str(Path(sys.argv[0]).absolute()))
    for what, command in commands_to_try(stack, datetime.now(UTC), confsync):
        click.echo(f"\n# {what}\n{command}")
