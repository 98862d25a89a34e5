"""The files of Cloud Build say what it takes, and what the project has; each rule also meets the mistake it is for.

The schema is Google's own, from its client library. Nothing is asked of Google; that the scripts do what they are for,
`terraform/test_builds.py` shows.
"""

import json
import re
import subprocess
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

import pytest
import yaml
from google.cloud.devtools.cloudbuild_v1.types import Build, BuildOptions, BuildStep
from google.protobuf.json_format import ParseError  # type: ignore[import-untyped]  # no stubs are installed

ROOT = Path(__file__).parents[1]
PLAN, APPLY, PULL_REQUESTS = "cloudbuild.yaml", "cloudbuild.apply.yaml", "cloudbuild.pull-requests.yaml"
FILES = (PLAN, APPLY, PULL_REQUESTS)
BUILT_IN = frozenset({"PROJECT_ID", "PROJECT_NUMBER", "LOCATION", "BUILD_ID", "COMMIT_SHA", "BRANCH_NAME"})
"""Those that the files may count on; the last two only trigger builds have."""


def read(name: str) -> str:
    """Return the text of a file at the top of the checkout."""
    return (ROOT / name).read_text()


def parsed(text: str) -> Build:
    """Return what a file says, as the API understands it; a field that it does not know is an error."""
    build: Build = Build.from_json(json.dumps(yaml.safe_load(text)))
    return build


def variables(text: str) -> set[str]:
    """Return the names in capitals that a text puts in."""
    return set(re.findall(r"\$\{?(_?[A-Z][A-Z0-9_]*)", text))


def secrets(build: Build) -> set[str]:
    """Return the variables that Secret Manager fills."""
    return {secret.env for secret in build.available_secrets.secret_manager}


def told(build: Build, step: BuildStep) -> set[str]:
    """Return the variables that a step's script finds in its environment."""
    substitutions = set(build.substitutions) | BUILT_IN if build.options.automap_substitutions else set()
    return substitutions | {entry.partition("=")[0] for entry in step.env} | set(step.secret_env)


def each_variable_of_a_script_is_told(build: Build) -> Iterator[str]:
    """An unknown one would be empty, or end the script at its best."""
    for step in build.steps:
        for name in variables(step.script) - told(build, step):
            yield f"{step.id}: {name}"


def each_substitution_is_used(build: Build) -> Iterator[str]:
    """Who sets up a trigger need not give what nobody reads."""
    written = [step.script for step in build.steps] + [s.version_name for s in build.available_secrets.secret_manager]
    yield from set(build.substitutions) - variables("\n".join(written))


def each_secret_is_named_and_used(build: Build) -> Iterator[str]:
    """A step gets no other, and none is fetched for nobody."""
    yield from secrets(build) ^ {name for step in build.steps for name in step.secret_env}
    for secret in build.available_secrets.secret_manager:
        yield from variables(secret.version_name) - set(build.substitutions)


def each_step_waits_for_earlier_ones(build: Build) -> Iterator[str]:
    """By their ids, each of which is there once."""
    earlier = {"-"}
    for step in build.steps:
        yield from set(step.wait_for) - earlier
        if step.id in earlier or not step.id:
            yield f"{step.id} is no name of its own"
        earlier.add(step.id)


def each_command_of_make_exists(build: Build) -> Iterator[str]:
    """Cloud Build has no logic of its own for what the project can do."""
    targets = set(re.findall(r"^([a-z-]+):", read("Makefile"), re.MULTILINE))
    for step in build.steps:
        yield from set(re.findall(r"\bmake ([a-z-]+)", step.script)) - targets


def each_image_is_pinned(build: Build) -> Iterator[str]:
    """By its whole version."""
    for step in build.steps:
        if not re.search(r":\d+\.\d+\.\d+(-[a-z]+)?$", step.name):
            yield step.name


def each_script_is_one(build: Build) -> Iterator[str]:
    """It parses, ends at the first command that fails, and escapes nothing: a script is no template."""
    for step in build.steps:
        if subprocess.run(["bash", "-n"], input=step.script, text=True, capture_output=True, check=False).returncode:  # noqa: S607
            yield f"{step.id} does not parse"
        if "\n" in step.script.strip() and not step.script.startswith("set -eu\n"):
            yield f"{step.id} goes on after a mistake"
        if "$$" in step.script or step.args or step.entrypoint:
            yield f"{step.id} is written for a template"


def its_own_account_can_write_the_log(build: Build) -> Iterator[str]:
    """Whoever is no account of Google's is refused the default bucket; and each build says how long it may take."""
    if build.options.logging != BuildOptions.LoggingMode.CLOUD_LOGGING_ONLY:
        yield build.options.logging.name
    if not build.timeout or build.service_account:
        yield "its time-out, or the account, which is the trigger's"


def what_only_scripts_read_is_not_refused(build: Build) -> Iterator[str]:
    """Outside a trigger a substitution counts as unused when no field of the template names it."""
    if build.substitutions and build.options.substitution_option != BuildOptions.SubstitutionOption.ALLOW_LOOSE:
        yield build.options.substitution_option.name


def the_terraform_is_one_that_the_configuration_takes(build: Build) -> Iterator[str]:
    """And the same one in all files."""
    (least,) = re.findall(r'required_version = ">= ([\d.]+)"', read("terraform/versions.tf"))
    used = {version for name in FILES for version in re.findall(r"hashicorp/terraform:([\d.]+)", read(name))}
    for step in build.steps:
        found = re.findall(r"^hashicorp/terraform:([\d.]+)$", step.name)
        yield from (version for version in found if {version} != used or numbers(version) < numbers(least))


def the_python_is_the_functions(build: Build) -> Iterator[str]:
    """What is tested is what is deployed."""
    (runtime,) = re.findall(r'default += "python(\d)(\d+)"', read("terraform/variables.tf"))
    for step in build.steps:
        if step.name.startswith("python:") and not step.name.startswith(f"python:{'.'.join(runtime)}."):
            yield step.name


def numbers(version: str) -> list[int]:
    """Return a version in an order of its own."""
    return [int(part) for part in version.split(".")]


Rule = Callable[[Build], Iterable[str]]
MISTAKES: Mapping[Rule, tuple[str, str, str]] = {
    each_variable_of_a_script_is_told: (PLAN, "automapSubstitutions: true", "automapSubstitutions: false"),
    each_substitution_is_used: (APPLY, "substitutions:\n", "substitutions:\n  _OTHER: x\n"),
    each_secret_is_named_and_used: (APPLY, "secretEnv: [TF_VAR_conference_solutions]", "secretEnv: []"),
    each_step_waits_for_earlier_ones: (PLAN, "waitFor: [plan]", "waitFor: [planned]"),
    each_command_of_make_exists: (PULL_REQUESTS, "make check", "make checks"),
    each_image_is_pinned: (PLAN, "hashicorp/terraform:1.11.4", "hashicorp/terraform:1.11"),
    each_script_is_one: (APPLY, "set -eu\n", "set -e\n"),
    its_own_account_can_write_the_log: (PULL_REQUESTS, "CLOUD_LOGGING_ONLY", "LEGACY"),
    what_only_scripts_read_is_not_refused: (PLAN, "ALLOW_LOOSE", "MUST_MATCH"),
    the_terraform_is_one_that_the_configuration_takes: (PLAN, "terraform:1.11.4", "terraform:1.10.5"),
    the_python_is_the_functions: (PLAN, "python:3.12.12", "python:3.11.12"),
}
"""By the rule: a mistake that it is for, made in a file by putting one text in another's place."""


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("rule", MISTAKES, ids=lambda rule: rule.__name__)
def test_each_file_keeps_each_rule(rule: Rule, name: str) -> None:
    """A file that Google's definition takes."""
    assert list(rule(parsed(read(name)))) == []


@pytest.mark.parametrize("rule", MISTAKES, ids=lambda rule: rule.__name__)
def test_each_rule_notices_a_mistake(rule: Rule) -> None:
    """Otherwise it might refuse nothing."""
    name, right, wrong = MISTAKES[rule]
    assert right in read(name)
    assert list(rule(parsed(read(name).replace(right, wrong))))


@pytest.mark.parametrize("wrong", ["waitfor: []", "secretEnv: TF_VAR_x", "machineType: E2_TINY", "timeout: an hour"])
def test_what_the_api_does_not_know_is_noticed(wrong: str) -> None:
    """Field, form, value."""
    field = wrong.partition(":")[0]
    text = re.sub(rf"\b{field}: .*", wrong, read(PLAN), flags=re.IGNORECASE)
    assert text != read(PLAN)
    with pytest.raises(ParseError):
        parsed(text)


def test_a_pull_request_is_given_nothing() -> None:
    """Who opens one runs what he likes in it."""
    build = parsed(read(PULL_REQUESTS))
    assert not secrets(build)
    assert not build.substitutions
    assert {step.id for step in build.steps} == {"emulator", "check", "test"}


def test_only_plan_and_apply_see_the_secret() -> None:
    """Tests and downloads run without it."""
    seeing = {(name, step.id) for name in FILES for step in parsed(read(name)).steps if step.secret_env}
    assert seeing == {(PLAN, "plan"), (APPLY, "apply")}


def test_what_is_applied_was_planned_and_built_before() -> None:
    """By the other file, which applies nothing."""
    scripts = {name: "\n".join(step.script for step in parsed(read(name)).steps) for name in FILES}
    assert set(re.findall(r"\b(make|terraform) ([a-z-]+)", scripts[APPLY])) == {
        ("terraform", "init"),
        ("terraform", "apply"),
    }
    assert "terraform apply" not in scripts[PLAN]


def test_a_pull_request_meets_what_is_met_on_main() -> None:
    """Its steps are those of the larger file, but for when they start."""

    def steps(name: str) -> dict[str, tuple[str, str, list[str]]]:
        return {step.id: (step.name, step.script, list(step.env)) for step in parsed(read(name)).steps}

    assert steps(PULL_REQUESTS).items() <= steps(PLAN).items()
