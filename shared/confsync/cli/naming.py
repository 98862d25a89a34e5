"""How a command names a calendar: by its id, with the subject where several watch it, or by its key.

It must never choose one of several that are meant.
"""

import os
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final, NoReturn

import click

from confsync import parts, worker_parts
from confsync.cli.columns import shown
from confsync.cli.exit_status import OptionsError
from confsync.core.records import Calendar
from confsync.errors import SettingsError
from confsync.paging import calendars_of
from confsync.ports import Store
from confsync.settings import WorkerSettings

KEY: Final = re.compile(r"[0-9a-f]{32}")


def naming(command: Callable[..., None]) -> Callable[..., None]:
    """Add what names one calendar."""
    subject = click.option("--subject", help="User on whose behalf it is watched; needed where there are several.")
    return click.argument("calendar", metavar="CALENDAR")(subject(command))


def find_calendar(calendar: str, subject: str | None, store: Store, tenant: str) -> Calendar:
    """Return the calendar of this id, or of this key.

    Args:
        calendar: id (`primary` is the subject's own) or key.
        subject: None where the id alone is to say it; that reads all calendars.

    Raises:
        OptionsError: there is none, or several; says which there are.
        StoreUnavailable: the store did not answer.

    """
    if KEY.fullmatch(calendar):
        found = [store.get(Calendar, calendar)]
    elif subject is not None:
        named = subject if calendar == "primary" else calendar
        found = [store.get(Calendar, Calendar.key_for(tenant, named, subject))]
    elif calendar == "primary":
        raise OptionsError("`primary` is a subject's own calendar: give --subject")
    else:
        found = [each for each in calendars_of(store, tenant) if each.calendar_id == calendar]
    known = [each for each in found if each is not None and each.tenant == tenant and subject in (None, each.subject)]
    if len(known) != 1:
        raise OptionsError(_which(calendar, subject, known))
    return known[0]


def _which(calendar: str, subject: str | None, known: list[Calendar]) -> str:
    if not known:
        seen = f", as {shown(subject)} sees it," if subject is not None else ""
        return f"calendar {shown(calendar, 120)}{seen} is not known; confsync calendars list shows which are"
    subjects = ", ".join(sorted(shown(each.subject) for each in known))
    return f"calendar {shown(calendar, 120)} is watched on behalf of several users; give --subject: {subjects}"


def named(calendar_id: str, subject: str) -> str:
    """Return how a message names a calendar."""
    return f"calendar {shown(calendar_id, 120)} of {shown(subject)}"


def way_out(calendar: Calendar) -> str:
    """Return what has to be done first with a calendar that is left alone."""
    return "resume it first" if calendar.state == "paused" else "confsync calendars add begins to sync it again"


def worker_settings() -> WorkerSettings:
    """Return the settings of the worker in the environment, for who reads or changes what is stored already.

    Raises:
        SettingsError: also where the store is a file that there is not: it would be made, and nothing be found in it.

    """
    settings = parts.read_settings(WorkerSettings, os.environ)
    kind, _, path = settings.store.partition(":")
    if kind == "sqlite" and _is_missing(Path(path)):
        raise SettingsError(
            f"STORE: there is no file {shown(str(Path(path).absolute()), 300)}: correct the path. "
            "confsync dev makes one, and so do the functions and confsync calendars add"
        )
    return settings


def _is_missing(path: Path) -> bool:
    try:
        path.stat()
    except FileNotFoundError:
        return True
    except OSError:
        return False  # it is there, or nobody can tell: the store says what is wrong with it
    return False


def store_of(settings: WorkerSettings) -> Store:
    """Return the store that the settings name."""
    return worker_parts.store(settings.store, settings.firestore_emulator)


def refuse(message: str) -> NoReturn:
    """Say why nothing was done, and end with status 1."""
    click.echo(message, err=True)
    sys.exit(1)
