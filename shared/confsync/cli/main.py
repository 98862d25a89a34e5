"""The `confsync` command. It must never do anything on its own: each subcommand has a module of its name."""

from importlib.metadata import version

import click

from confsync.cli.calendars import calendars
from confsync.cli.channels import channels
from confsync.cli.cost import cost
from confsync.cli.demo import demo
from confsync.cli.dev import dev
from confsync.cli.ends import ends
from confsync.cli.explain import explain_command
from confsync.cli.group import Group
from confsync.cli.plan import plan
from confsync.cli.record_facts import record_facts


@click.group(cls=Group, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(version("confsync"), "-V", "--version", prog_name="confsync")
def main() -> None:
    """Keep third-party video conferences in step with Google Calendar events.

    `demo` shows what it does and `dev` lets you try it, both on this machine alone and without any account.
    `calendars` begins to sync a calendar of a deployment whose settings are in the environment, and shows, pauses,
    resumes, removes and resyncs those that there are; `channels` shows, renews and stops their push channels.
    `plan` shows what would be done, and `explain` why a conference is as it is; neither changes anything.
    `ends` lists, approves and rejects the ends of conferences that were held because they were too many at once.
    `cost` says what a deployment costs a month on Google Cloud, and how many Calendar calls it makes.
    `record-facts` asks a real account how Calendar behaves where nobody outside Google knows.
    """


for command in (calendars, channels, cost, demo, dev, ends, plan, explain_command, record_facts):
    main.add_command(command)
