"""`confsync calendars add`: begin to sync a calendar, with the settings of the worker in the environment.

It must never print a setting's value that may be secret; `settings` takes care of the messages.
"""

import json
import os
import sys
from typing import Any, Final

import click

from confsync import parts, worker_parts
from confsync.cli.exit_status import OptionsError, exit_status
from confsync.cli.naming import named
from confsync.doors import read_request
from confsync.initialize_syncing import InitializeOutcome, InitializeRequest, initialize_syncing
from confsync.settings import WorkerSettings

FROZEN: Final = (
    "Calendar does not show it: are the id and the subject right, may this user see it, and is SIGN_IN set up "
    "(docs/operating.md)? It is tried again by itself; what was mistyped goes with confsync calendars remove"
)


def request_schema() -> dict[str, Any]:
    """Return the JSON schema of what the add-on posts to the worker's `/initialize`."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **InitializeRequest.model_json_schema()}


def _print_schema(context: click.Context, _parameter: click.Parameter, asked: bool) -> None:
    if asked and not context.resilient_parsing:
        click.echo(json.dumps(request_schema(), indent=2))
        context.exit()


@click.command("add")
@click.option("--calendar", "calendar_id", required=True, help="Id of the calendar; `primary` is the subject's own.")
@click.option("--subject", required=True, help="E-mail address of the user on whose behalf Calendar is called.")
@click.option("--conference", "conference_id", help="Conference that the add-on made, as in the event's data.")
@click.option("--event", "event_id", help="Event that holds the conference; goes with --conference.")
@click.option("--provider", help="Conferencing system of the conference; needed only where there are several.")
@click.option("--json", "as_json", is_flag=True, help="Print the answer as the worker gives it.")
@click.option(
    "--schema", is_flag=True, is_eager=True, expose_value=False, callback=_print_schema,
    help="Print the JSON schema of the request and exit.",
)  # fmt: skip
def add_calendar(as_json: bool, **given: str | None) -> None:
    """Begin to sync a calendar: register it, open its push channel, run the first sync.

    Does what the worker's POST /initialize does, with the same settings, read from the environment.
    A calendar that was removed begins again with what is still remembered of it; one that is paused stays so.

    Exit status: 0 when done, 1 when Calendar or the store refused (do it again) or the calendar is paused, 2 for wrong
    settings or options.
    """
    with exit_status("calendars add", "nothing is lost, do it again"):
        if (given["conference_id"] is None) != (given["event_id"] is None):
            raise OptionsError("give --conference and --event together, or neither")
        request = read_request(InitializeRequest, json.dumps(given).encode())
        outcome = _initialize(request)
    click.echo(outcome.to_json() if as_json else _in_words(request, outcome), nl=not as_json)
    sys.exit(1 if outcome.is_frozen or outcome.is_paused else 0)


def _initialize(request: InitializeRequest) -> InitializeOutcome:
    return initialize_syncing(request, *worker_parts.worker(parts.read_settings(WorkerSettings, os.environ)))


def _in_words(request: InitializeRequest, outcome: InitializeOutcome) -> str:
    lines = [f"{named(request.canonical_calendar_id, request.subject)} ({outcome.calendar_key})"]
    for what, found in (("channel", outcome.channel), ("first sync", outcome.sync)):
        lines.append(f"{what}: {found.status}{f' ({found.reason})' if found.reason else ''}")
    if outcome.conference_key:
        lines.insert(1, f"conference {outcome.conference_key} is registered")
    if outcome.is_frozen:
        lines.append(FROZEN)
    return "\n".join(lines)
