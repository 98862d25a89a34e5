"""The command `python -m confsync.local.vendor`: the sample vendor's back end on this machine.

It must never print a secret, nor anything but one line when it cannot start.
"""

import contextlib
import sys
from pathlib import Path

import click

from confsync.errors import SettingsError
from confsync.local.vendor.server import PortTakenError, listen, run
from confsync.local.vendor.storage import Storage, StorageUnusableError
from confsync.providers.signature import parse_secrets


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--port", type=click.IntRange(0, 65535), default=0, show_default=True, help="0 takes a free one.")
@click.option("--data", type=click.Path(path_type=Path), help="SQLite file; without it everything is kept in memory.")
@click.option(
    "--secret", "secrets", multiple=True, required=True, help="whsec_..., the signing key; twice during a rotation."
)
@click.option("--ended-for-good", is_flag=True, help="What has ended does not come back: an upsert is answered 410.")
def main(port: int, data: Path | None, secrets: tuple[str, ...], ended_for_good: bool) -> None:
    """Serve a sample vendor's conferencing back end on 127.0.0.1 until SIGTERM or Ctrl-C.

    Prints `ready http://127.0.0.1:PORT` once it answers; open that address to watch it.
    """
    try:
        keys = parse_secrets(secrets)
        with listen(port) as listener, contextlib.closing(Storage(data)) as storage:
            run(listener, storage, keys, lambda url: click.echo(f"ready {url}"), restores=not ended_for_good)
    except (SettingsError, PortTakenError, StorageUnusableError) as error:
        click.echo(f"confsync.local.vendor: {error}", err=True)
        sys.exit(2)


if __name__ == "__main__":
    main()
