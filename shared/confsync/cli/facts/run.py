"""One run from beginning to end: look, and if asked, experiment. The command around it reads options and prints.

It must never go on to write before the look has shown that Calendar can be called at all.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from confsync.adapters.google_calendar_errors import Call
from confsync.cli.facts.api import Api
from confsync.cli.facts.gestures import Hands, play_gestures
from confsync.cli.facts.lab import Lab, opened
from confsync.cli.facts.look import look
from confsync.cli.facts.report import Book
from confsync.cli.facts.sign_in import Account
from confsync.cli.facts.trials import run_trials
from confsync.errors import SettingsError


@dataclass(frozen=True)
class Experiment:
    """How to experiment."""

    hands: Hands
    patience_s: float
    """How long a list may lag behind a write."""


@dataclass(frozen=True)
class Run:
    """What to do in whose name."""

    account: Account
    calendar_id: str
    """The calendar that is looked at, and only looked at."""
    endpoint: str | None
    tell: Callable[[str], None]
    """Told what goes on, a line at a time."""
    experiment: Experiment | None = None

    def record(self, book: Book) -> None:
        """Enter the answers as they come, so that a run that is broken off keeps what it has.

        Raises:
            SettingsError: the sign-in does not fit the options.
            CalendarError: Calendar refused, or there was no answer.
            CalendarsLeft: calendars of the run could not be deleted.

        """
        now = datetime.now(UTC)
        api = Api(
            self.account.credentials(), pause=time.sleep, endpoint=self.endpoint, may_write=self.experiment is not None
        )
        self.tell("Looking at what is there")
        book.enter(look(api, self.calendar_id, now))
        if self.experiment is not None:
            self._experiment(api, self.experiment, now, book)

    def _experiment(self, api: Api, experiment: Experiment, now: datetime, book: Book) -> None:
        check_subject(api, self.account.subject)
        title = f"confsync facts {now:%Y-%m-%d %H:%M:%S}"
        lab = Lab(
            api,
            title=title,
            started_at=now,
            pause=time.sleep,
            patience_s=experiment.patience_s,
        )
        self.tell(f"Creating the calendars '{title}' and '{title} (2)'")
        with opened(lab, self.tell):
            play_gestures(lab, experiment.hands, book)
            run_trials(lab, book, self.tell)


def check_subject(api: Api, subject: str) -> None:
    """Refuse to create calendars for somebody else than the user who was named.

    Raises:
        SettingsError: whoever is signed in is not the subject.

    """
    request = api.service.calendarList().get(calendarId="primary")
    own = api.need(Call("calendarList.get", "calendar"), request)["id"]
    if own.lower() != subject.lower():
        raise SettingsError(f"signed in as {own}, not as {subject}: name {own} with --subject, or sign in again")
