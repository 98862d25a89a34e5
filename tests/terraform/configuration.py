"""A copy of the Terraform configuration in a folder of its own, and what terraform says of it.

Where the provider's registry is out of reach, its offline stand-in answers (`TERRAFORM_STAND_IN`, or `shared/terraform`
beside the checkout). Nothing here may reach an account: the state is a file in the copy, and no backend is asked.
"""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
SOURCES = ROOT / "terraform"
EXAMPLE = "environments/example.tfvars"
STAND_IN = Path(os.environ.get("TERRAFORM_STAND_IN") or ROOT.parent / "shared" / "terraform")
MIRROR = ROOT / ".terraform-stand-in"
SOLUTIONS = [
    {
        "provider": "acme",
        "names": ["Acme Meet"],
        "url": "https://acme.example/hooks",
        "secrets": ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"],
    }
]
_LOCAL_STATE = 'terraform {\n  backend "local" {}\n}\n'
_OF_THE_REGISTRY = (".terraform", ".terraform.lock.hcl", "*.tfstate*")


class TerraformError(Exception):
    """A command of terraform failed; the message is what it printed."""


def is_installed() -> bool:
    """Whether there is a terraform to run."""
    return shutil.which("terraform") is not None


def has_stand_in() -> bool:
    """Whether the offline stand-in of the providers is here."""
    return (STAND_IN / "setup").is_file()


class Configuration:
    """The configuration as it is deployed, with the archives beside it, initialised."""

    def __init__(self, folder: Path) -> None:
        """Copy it into a new folder, and build the archives."""
        self._folder = folder / "terraform"
        shutil.copytree(SOURCES, self._folder, ignore=shutil.ignore_patterns(*_OF_THE_REGISTRY))
        (self._folder / "backend_override.tf").write_text(_LOCAL_STATE)
        _checked([sys.executable, str(ROOT / "functions/package.py"), "--out", str(folder / "dist")], folder, {})
        self._environment = reaching_providers()
        self.terraform("init", "-input=false")

    def terraform(self, *arguments: str) -> str:
        """Run terraform and return what it printed.

        Raises:
            TerraformError: it ended with another status than 0.

        """
        variables = {"TF_VAR_conference_solutions": json.dumps(SOLUTIONS), "TF_IN_AUTOMATION": "true"}
        command, *rest = arguments
        return _checked(["terraform", command, "-no-color", *rest], self._folder, {**self._environment, **variables})

    def applied(self, *arguments: str) -> Mapping[str, Any]:
        """Apply the example to the stand-in, and return the state as JSON."""
        self.terraform("apply", "-input=false", "-auto-approve", f"-var-file={EXAMPLE}", *arguments)
        shown: Mapping[str, Any] = json.loads(self.terraform("show", "-json"))
        return shown

    def state_file(self) -> str:
        """Return the state as it is stored."""
        return (self._folder / "terraform.tfstate").read_text()


@cache
def reaching_providers() -> Mapping[str, str]:
    """Return what the environment has to say for terraform to find its providers."""
    if not has_stand_in():
        return {}
    _checked([str(STAND_IN / "setup"), str(MIRROR)], ROOT, {})
    return {"TF_CLI_CONFIG_FILE": str(MIRROR / "terraform.rc")}


def _checked(command: list[str], folder: Path, environment: Mapping[str, str]) -> str:
    done = subprocess.run(
        command, cwd=folder, env={**os.environ, **environment}, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise TerraformError(f"{' '.join(command)}\n{done.stdout}{done.stderr}")
    return done.stdout
