"""`confsync record-facts`: ask a real account what nobody outside Google knows about Calendar.

It must never write without --experiment, and with it only in calendars that the run creates itself.
"""

import sys
import traceback
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

import click

from confsync.cli.facts.gestures import Hands, NoHands
from confsync.cli.facts.lab import CalendarsLeft
from confsync.cli.facts.local_hands import LocalHands
from confsync.cli.facts.output import TerminalHands, print_table
from confsync.cli.facts.report import Book, Report
from confsync.cli.facts.run import Experiment, Run
from confsync.cli.facts.sign_in import Account, SignIn
from confsync.cli.signals import interruptible
from confsync.errors import CalendarError, SettingsError

_API_PATH = "/calendar/v3"
_LOOPBACK = ("127.0.0.1", "localhost", "::1")


@dataclass(frozen=True)
class _Options:
    subject: str
    calendar: str | None
    out: Path | None
    experiment: bool
    no_prompt: bool
    as_json: bool
    sign_in: SignIn
    service_account: str | None
    endpoint: str | None
    patience: float


@click.command("record-facts")
@click.option("--subject", required=True, help="E-mail address of the user in whose name Calendar is called.")
@click.option("--calendar", help="Calendar to look at; the subject's own if not given. It is never written to.")
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="File for the answers.")
@click.option("--experiment", is_flag=True, help="Also try things, in calendars that are created and deleted for it.")
@click.option("--yes", is_flag=True, help="Do not ask before experimenting.")
@click.option("--no-prompt", is_flag=True, help="Leave out what needs clicks in the web page.")
@click.option("--json", "as_json", is_flag=True, help="Print the answers as JSON instead of the table.")
@click.option(
    "--sign-in", type=click.Choice(["adc", "delegated", "local"]), default="adc", show_default=True,
    help="Application default credentials, domain-wide delegation, or the local Calendar server.",
)  # fmt: skip
@click.option("--service-account", help="With --sign-in delegated: the account that may act for users.")
@click.option("--endpoint", help="With --sign-in local: address of the server's API, as `confsync dev` prints it.")
@click.option(
    "--patience", type=click.FloatRange(min=0), default=20, show_default=True,
    help="Seconds that a list may lag behind a change.",
)  # fmt: skip
def record_facts(yes: bool, **given: object) -> None:
    """Record how Calendar really behaves, as answers to a list of questions, in one JSON file.

    Reads only, unless --experiment is given. The file holds no titles, addresses, ids or descriptions.

    Exit status: 0 when done, 1 when Calendar refused or own calendars were left behind, 2 for wrong options, 130 after
    Ctrl-C. What was found until then is written all the same.
    """
    options = _Options(**given)  # type: ignore[arg-type]  # click has checked them
    try:
        run = _run(options)
        _agree(options, yes)
    except SettingsError as error:
        _complain(str(error))
        sys.exit(2)
    book = Book()
    status = _record(run, book)
    if status != 2:
        _hand_over(options, _report(options, book, complete=status == 0))
    sys.exit(status)


def _record(run: Run, book: Book) -> int:
    """Run and return the exit status."""
    try:
        with interruptible():
            run.record(book)
    except SettingsError as error:
        _complain(str(error))
        return 2
    except CalendarsLeft as left:
        _complain(str(left))
        return 1
    except CalendarError as error:
        _complain("; ".join(filter(None, (str(error), run.account.way_out(error)))))
        return 1
    except KeyboardInterrupt:
        _complain("stopped; the calendars of this run, if any, are deleted")
        return 130
    except Exception:  # noqa: BLE001  (composition root: what was found until now must still be written)
        traceback.print_exc()
        return 1
    return 0


def _run(options: _Options) -> Run:
    account = Account(options.sign_in, options.subject, options.experiment, options.service_account)
    base_url = _local_base(options)
    calendar_id = options.calendar or options.subject
    endpoint = f"{base_url}{_API_PATH}/" if base_url else None
    return Run(account, calendar_id, endpoint, _tell, _experiment(options, base_url) if options.experiment else None)


def _experiment(options: _Options, base_url: str | None) -> Experiment:
    hands: Hands = LocalHands(base_url, options.subject) if base_url else TerminalHands()
    return Experiment(NoHands() if options.no_prompt else hands, options.patience)


def _local_base(options: _Options) -> str | None:
    """Return the local server's address; credentials of Google never go anywhere but to Google."""
    if options.sign_in != "local":
        if options.endpoint:
            raise SettingsError(f"--endpoint {options.endpoint} goes with --sign-in local only")
        return None
    if urlsplit(options.endpoint or "").hostname not in _LOOPBACK:
        raise SettingsError("--sign-in local needs --endpoint, such as http://127.0.0.1:8080/calendar/v3/")
    return str(options.endpoint).rstrip("/").removesuffix(_API_PATH)


def _agree(options: _Options, yes: bool) -> None:
    """Ask before anything is written.

    Raises:
        SettingsError: the user does not want it.

    """
    if not options.experiment or yes:
        return
    question = (
        f"This creates two calendars named 'confsync facts <now>' for {options.subject}, works in them for a minute or "
        "more, and deletes them. Nothing else is changed, nobody gets mail. Go on?"
    )
    try:
        agreed = click.confirm(question, err=True)
    except click.Abort:
        agreed = False
    if not agreed:
        raise SettingsError("nothing was done; leave out --experiment to look only, or agree with --yes")


def _report(options: _Options, book: Book, *, complete: bool) -> Report:
    mode: Literal["look", "experiment"] = "experiment" if options.experiment else "look"
    now = datetime.now(UTC).replace(microsecond=0)
    return Report(
        version=version("confsync"), made_at=now, mode=mode, sign_in=options.sign_in, complete=complete,
        facts=book.facts(),
    )  # fmt: skip


def _hand_over(options: _Options, report: Report) -> None:
    """Write the file, and print table or JSON; with --json a file is written only if named."""
    content = report.model_dump_json(by_alias=True, indent=2) + "\n"
    out = options.out
    if out is None and not options.as_json:
        out = Path(f"confsync-facts-{report.made_at:%Y%m%dT%H%M%SZ}.json")
    written = out is not None and _write(out, content)
    if options.as_json or not (written or out is None):
        click.echo(content, nl=False)
    if not options.as_json:
        print_table(report)
    if written:
        click.echo(f"The answers are in {out}. It holds no titles, addresses or ids.", err=True)


def _write(out: Path, content: str) -> bool:
    try:
        out.write_text(content)
    except OSError as error:
        _complain(f"{out} cannot be written ({error.strerror}); the answers are printed instead")
        return False
    return True


def _tell(line: str) -> None:
    click.echo(f"{line} ...", err=True)


def _complain(message: str) -> None:
    click.echo(f"confsync record-facts: {message}", err=True)
