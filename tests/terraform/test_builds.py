"""The scripts of Cloud Build's files do what they are for: package, plan, save, fetch, apply, run as they stand there.

Each build has a checkout of its own, as on Google Cloud. The state is a file, `gcloud storage cp` copies between
folders, and the offline stand-in answers for the providers; nobody else is asked. Images are not tried.
"""

import json
import os
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
from google.cloud.devtools.cloudbuild_v1.types import BuildStep

from tests.terraform.configuration import EXAMPLE, ROOT, SOLUTIONS, has_stand_in, is_installed, reaching_providers
from tests.test_cloud_build import APPLY, PLAN, parsed, read, told

if not (is_installed() and has_stand_in()):
    pytest.skip(
        "terraform or the offline stand-in of its providers is not here; TERRAFORM_STAND_IN says where it is",
        allow_module_level=True,
    )
pytestmark = pytest.mark.timeout(300)
COMMIT = "0123456789abcdef0123456789abcdef01234567"
SAVED = f"acme-state/plans/confsync/{COMMIT}/plan.tar"
SUBSTITUTIONS = {
    "PROJECT_ID": "acme-confsync-prod",
    "COMMIT_SHA": COMMIT,
    "_REGION": "europe-west1",
    "_STATE_BUCKET": "acme-state",
    "_STATE_PREFIX": "confsync",
    "_VARIABLES": EXAMPLE,
    "_CONFERENCE_SOLUTIONS_SECRET": "projects/p/secrets/s/versions/1",
}
NOT_RUN = {"check", "test"}
"""They are these tests."""
GCLOUD = """\
#!/bin/sh
# gcloud storage cp FROM TO, with folders for buckets
set -eu
test "$#" = 4 && test "$1 $2" = "storage cp"
place() { case $1 in gs://*) echo "$BUCKETS/${1#gs://}" ;; *) echo "$1" ;; esac; }
mkdir -p "$(dirname "$(place "$4")")"
cp "$(place "$3")" "$(place "$4")"
"""
TERRAFORM = """\
#!/bin/sh
# terraform, with a file for the state: what names its bucket is noted, and left out
for argument; do
  shift
  case $argument in
    -backend-config=*) echo "${argument#*=}" >> "$BUCKETS/backend" ;;
    *) set -- "$@" "$argument" ;;
  esac
done
exec "$TERRAFORM" "$@"
"""


BACKEND = """\
terraform {
  backend "local" {
    path = "../../terraform.tfstate" # the plan names it, too
  }
}
"""


class StepFailed(Exception):
    """A script ended with another status than 0; the message is what it printed."""


@dataclass
class Cloud:
    """What builds share: buckets, the state, and commands."""

    folder: Path

    def __post_init__(self) -> None:
        """Install the commands."""
        self._environment = dict(reaching_providers())
        for name, script in {"gcloud": GCLOUD, "terraform": TERRAFORM}.items():
            command = self.folder / "sdk/bin" / name
            command.parent.mkdir(parents=True, exist_ok=True)
            command.write_text(script)
            command.chmod(0o755)
        jar = self.folder / "sdk/platform/cloud-firestore-emulator/cloud-firestore-emulator.jar"
        jar.parent.mkdir(parents=True)
        jar.write_text("jar")
        self.buckets.mkdir()

    @property
    def buckets(self) -> Path:
        """Where the buckets are."""
        return self.folder / "buckets"

    @property
    def state(self) -> Path:
        """Where the state is; nothing is there before the first apply."""
        return self.folder / "terraform.tfstate"

    def run(self, name: str, **substitutions: str) -> str:
        """Run the steps of a file in a new checkout, and return what they print."""
        checkout = self.checkout()
        return "".join(self.run_step(name, step, checkout, **substitutions) for step in parsed(read(name)).steps)

    def checkout(self) -> Path:
        """Return a new folder with the files that builds need."""
        checkout = Path(self.folder, f"checkout-{len(list(self.folder.glob('checkout-*')))}")
        unwanted = shutil.ignore_patterns("__pycache__", ".terraform*", "*.tfstate*", "*.tfplan")
        for name in ("functions", "shared/confsync", "terraform"):
            shutil.copytree(ROOT / name, checkout / name, ignore=unwanted)
        for name in ("Makefile", "requirements.lock"):
            shutil.copy(ROOT / name, checkout)
        (checkout / "terraform/backend_override.tf").write_text(BACKEND)
        return checkout

    def run_step(self, name: str, step: BuildStep, checkout: Path, **substitutions: str) -> str:
        """Run a step as Cloud Build does: its script by sh, in its folder, with what it is told and no more."""
        if step.id in NOT_RUN:
            return ""
        values = {**SUBSTITUTIONS, "TF_VAR_conference_solutions": json.dumps(SOLUTIONS), **substitutions}
        build = parsed(read(name))
        known = {variable: values[variable] for variable in told(build, step) & values.keys()}
        literal = dict(entry.split("=", 1) for entry in [*build.options.env, *step.env])
        done = subprocess.run(
            ["/bin/sh", "-c", step.script],
            cwd=checkout / step.dir_,
            env={**literal, **known, **self._commands()},
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise StepFailed(f"{step.id}\n{done.stdout}{done.stderr}")
        return done.stdout

    def _commands(self) -> Mapping[str, str]:
        python = str(Path(sys.executable).parent)
        return {
            "PATH": os.pathsep.join([str(self.folder / "sdk/bin"), python, "/usr/bin", "/bin"]),
            "HOME": str(self.folder),
            "BUCKETS": str(self.buckets),
            "TERRAFORM": str(shutil.which("terraform")),
            **self._environment,
        }


@pytest.fixture(scope="module")
def planned(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """Return the folder of a cloud in which main was planned, and what that build printed."""
    cloud = Cloud(tmp_path_factory.mktemp("cloud"))
    return cloud.folder, cloud.run(PLAN)


@pytest.fixture
def cloud(planned: tuple[Path, str], tmp_path: Path) -> Cloud:
    """Return a cloud with what was planned, and nothing applied."""
    cloud = Cloud(tmp_path)
    shutil.copytree(planned[0] / "buckets", cloud.buckets, dirs_exist_ok=True)
    return cloud


def test_the_plan_is_printed_and_saved_with_what_it_deploys(planned: tuple[Path, str]) -> None:
    """By commit; the state is named as the trigger says, and nothing is applied."""
    folder, printed = planned
    assert "Plan: " in printed
    assert f"gs://{SAVED}" in printed
    with tarfile.open(folder / "buckets" / SAVED) as archive:
        names = {member.name for member in archive if member.isfile()}
    functions = {f"dist/{name}.zip" for name in ("receive_notification", "renew_channels", "sync_calendar")}
    assert names == {"terraform/confsync.tfplan", "terraform/.terraform.lock.hcl", *functions}
    assert (folder / "buckets/backend").read_text().split() == ["bucket=acme-state", "prefix=confsync"]
    assert not (folder / "terraform.tfstate").exists()


def test_packages_of_python_are_kept_for_the_same_lock_file(tmp_path: Path) -> None:
    """The first build saves what pip left; the next one finds it, unless it needs other packages, and saves no more."""
    cloud = Cloud(tmp_path)
    steps = {step.id: step for step in parsed(read(PLAN)).steps}
    first, second, other = (cloud.checkout() for _ in range(3))
    assert "Nothing is kept" in cloud.run_step(PLAN, steps["restore-cache"], first)
    (first / ".cache/wheel").write_text("kept")
    cloud.run_step(PLAN, steps["save-cache"], first)
    (saved,) = (cloud.buckets / "acme-state/cache").iterdir()
    cloud.run_step(PLAN, steps["restore-cache"], second)
    assert (second / ".cache/wheel").read_text() == "kept"
    saved_at = saved.stat().st_mtime_ns
    cloud.run_step(PLAN, steps["save-cache"], second)
    assert saved.stat().st_mtime_ns == saved_at
    with (other / "requirements.lock").open("a") as lock:
        lock.write("# another\n")
    assert "Nothing is kept" in cloud.run_step(PLAN, steps["restore-cache"], other)


def test_the_secret_is_neither_printed_nor_saved(planned: tuple[Path, str]) -> None:
    """It passes through."""
    folder, printed = planned
    secret = SOLUTIONS[0]["secrets"][0]
    assert secret not in printed
    with tarfile.open(folder / "buckets" / SAVED) as archive:
        for member in filter(tarfile.TarInfo.isfile, archive):
            file = archive.extractfile(member)
            assert file is not None
            assert secret.encode() not in file.read(), member.name


def test_what_was_planned_is_applied_once(cloud: Cloud) -> None:
    """In another checkout; after that the state is another one, and the plan is refused."""
    assert "Apply complete!" in cloud.run(APPLY)
    assert "google_cloudfunctions2_function" in cloud.state.read_text()
    with pytest.raises(StepFailed, match="Saved plan is stale"):
        cloud.run(APPLY)


def test_a_commit_without_a_plan_is_not_applied(cloud: Cloud) -> None:
    """The message says what to do."""
    with pytest.raises(StepFailed, match=r"(?s)There is no plan to apply at gs://.*/fff/plan.tar.*nothing was changed"):
        cloud.run(APPLY, COMMIT_SHA="fff")
    assert not cloud.state.exists()


def test_other_packages_than_those_that_were_planned_are_not_applied(cloud: Cloud) -> None:
    """A plan names them by their hashes. What comes before may have been made by then; the function was not."""
    checkout = cloud.checkout()
    fetch, init, apply = parsed(read(APPLY)).steps
    for step in (fetch, init):
        cloud.run_step(APPLY, step, checkout)
    with (checkout / "dist/sync_calendar.zip").open("ab") as package:
        package.write(b"!")
    with pytest.raises(StepFailed, match=r"(?s)^apply.*produced inconsistent final plan.*confsync-sync-calendar"):
        cloud.run_step(APPLY, apply, checkout)
    assert "functions/confsync-sync-calendar" not in cloud.state.read_text()


@pytest.mark.parametrize("missing", ["COMMIT_SHA", "_REGION", "_STATE_BUCKET", "_STATE_PREFIX", "_VARIABLES"])
def test_a_build_that_lacks_a_substitution_ends_before_anything_else(cloud: Cloud, missing: str) -> None:
    """As one that no trigger started does."""
    with pytest.raises(StepFailed, match=rf"^inputs\n.*{missing}.*is empty"):
        cloud.run(PLAN, **{missing: ""})


def test_variables_that_are_not_in_the_commit_are_named(cloud: Cloud) -> None:
    """They have to be committed."""
    with pytest.raises(StepFailed, match=f"there is no terraform/other.tfvars at {COMMIT}"):
        cloud.run(PLAN, _VARIABLES="other.tfvars")
