"""The command behind `make terraform-check`: everything that can be checked of the configuration without an account.

It says of each step whether it was checked against the real providers or their offline stand-in, and never reaches an
account: the tests of terraform run on a mock, and a plan is only made with the stand-in.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

from tests.terraform.configuration import EXAMPLE, SOURCES, Configuration, TerraformError, has_stand_in, is_installed


def main() -> int:
    """Check, print a line for each step, and return the exit status."""
    if not is_installed():
        sys.stderr.write("terraform-check: there is no terraform; install 1.11 or newer\n")
        return 1
    _say(f"providers: {'the offline stand-in' if has_stand_in() else 'those of the registry'}")
    try:
        with tempfile.TemporaryDirectory() as folder:
            _check(Path(folder))
    except TerraformError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


def _check(folder: Path) -> None:
    _check_format()
    configuration = Configuration(folder)
    _say("init: done")
    _say(f"validate: {configuration.terraform('validate').strip()}")
    if has_stand_in():
        plan = configuration.terraform("plan", "-input=false", f"-var-file={EXAMPLE}")
        _say(f"plan of {EXAMPLE}: {next(line for line in plan.splitlines() if line.startswith('Plan: '))}")
    else:
        _say("plan: not made; it would ask the project")
    _say(configuration.terraform("test").strip())


def _check_format() -> None:
    command = ["terraform", "fmt", "-no-color", "-check", "-diff", "-recursive", str(SOURCES)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise TerraformError(f"terraform fmt would change:\n{done.stdout}{done.stderr}")
    _say("fmt: nothing to change")


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
