"""What the Terraform files say is what the code and the documents say; read as text, so that no terraform is needed."""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, get_args

import hcl2
import pytest

from confsync.core.rules import Rules
from confsync.costs.bill import Deployment
from confsync.logs import log
from confsync.renew_channels import RenewalOutcome, Renewals
from confsync.settings import CalendarSettings, WorkerSettings
from confsync.sync_calendar import SyncOutcome
from confsync.update_conference import UpdateOutcome
from tests.terraform.configuration import EXAMPLE, ROOT, SOURCES
from tests.test_truths import settings_in_readme

LEFT_TO_THEIR_DEFAULT = {
    "TASKS_TRANSPORT": "gRPC is the faster one towards Google",
    "TASKS_ENDPOINT": "for the local stack: where Cloud Tasks is served instead of by Google",
    "SIGN_IN_ENDPOINT": "for the local stack: where Google's sign-in is served instead of by Google",
    "CALENDAR_ENDPOINT": "for the local stack: where Calendar is served instead of by Google",
    "FIRESTORE_EMULATOR_HOST": "for the local stack: where Firestore is served instead of by Google",
}
"""Settings that no deployment on Google Cloud has a reason to change."""


def blocks(name: str, kind: str) -> Mapping[str, Any]:
    """Return the blocks of one kind in a file, by their label."""
    options = hcl2.SerializationOptions(strip_string_quotes=True)
    with (SOURCES / name).open() as file:
        found = hcl2.load(file, serialization_options=options).get(kind, [])
    return {label: body for block in found for label, body in block.items()}


VARIABLES = blocks("variables.tf", "variable")
LOCALS = {**blocks("monitoring.tf", "locals"), **blocks("functions.tf", "locals")}
OPERATING = (ROOT / "docs" / "operating.md").read_text()
ALERTS = LOCALS["lines"] | LOCALS["figures"]


def text(*files: str) -> str:
    """Return the text of Terraform files."""
    return "\n".join((SOURCES / name).read_text() for name in files)


def chosen() -> list[str]:
    """Return what `var.settings` may change, as the environment calls it."""
    (body,) = re.findall(r'^variable "settings" \{$(.*?)^\}$', text("variables.tf"), re.MULTILINE | re.DOTALL)
    return [name.upper() for name in re.findall(r"(\w+) += optional\(", body)]


def test_each_setting_of_the_readme_is_set_or_left_alone_for_a_reason() -> None:
    """A new setting does not go unnoticed here, and one that is gone is set no more."""
    written = set(re.findall(r"(?:^ +|\{ )([A-Z][A-Z_]+) +=", text("functions.tf"), re.MULTILINE))
    assert not written & set(chosen())
    assert not LEFT_TO_THEIR_DEFAULT.keys() & {*chosen(), *written}
    assert {*chosen(), *written, *LEFT_TO_THEIR_DEFAULT} == settings_in_readme().keys()


def test_the_settings_that_all_functions_get_are_those_that_all_read() -> None:
    """The receiver is told nothing more."""
    of_all = {name for name, (readers, _, _) in settings_in_readme().items() if readers == "all"}
    assert set(LOCALS["of_all"]) == of_all.intersection(chosen())


@pytest.mark.parametrize("name", ["claims", "duplicates", "first_sync", "forget_on_remove", "ingress", "mode"])
def test_the_values_that_are_accepted_are_the_codes(name: str) -> None:
    """What Terraform lets pass, the function understands, and the other way round."""
    accepted = re.findall(rf'contains\(\[([^]]*)\], coalesce\(var\.settings\.{name}, "(\w+)"\)', text("variables.tf"))
    ((values, default),) = accepted
    field = WorkerSettings.model_fields[name]
    assert tuple(json.loads(f"[{values}]")) == get_args(field.annotation)
    assert default == field.default


def test_the_ways_to_sign_in_are_the_codes() -> None:
    """All but the local one."""
    (values,) = re.findall(r"contains\(\[([^]]*)\], var\.sign_in\)", text("variables.tf"))
    field = WorkerSettings.model_fields["sign_in"]
    assert set(json.loads(f"[{values}]")) == set(get_args(field.annotation)) - {"local"}
    assert VARIABLES["sign_in"]["default"] == field.default


def test_what_terraform_and_the_code_both_default_is_the_same() -> None:
    """Attempts and time-out."""
    assert VARIABLES["task_attempts"]["default"] == WorkerSettings.model_fields["task_attempts"].default
    assert VARIABLES["task_timeout_seconds"]["default"] == CalendarSettings.model_fields["task_s"].default
    assert Rules().lease_s == 60, "variables.tf says how long a lease lasts"


def test_the_rate_of_the_syncs_is_that_of_the_docs() -> None:
    """docs/renewals.md says why."""
    (rate,) = re.findall(r"--max-dispatches-per-second=(\d+)", (ROOT / "docs" / "renewals.md").read_text())
    assert re.search(
        rf'variable "sync_queue" \{{[^}}]*max_dispatches_per_second = optional\(number, {rate}\)', text("variables.tf")
    )


def test_each_rule_of_a_variable_is_broken_by_a_run_of_its_own() -> None:
    """A rule that nothing breaks may refuse nothing."""
    runs = re.findall(r"expect_failures = \[var\.(\w+)\]", text("tests/variables.tftest.hcl"))
    for name, variable in VARIABLES.items():
        assert runs.count(name) >= len(variable.get("validation", [])), name


@pytest.mark.parametrize("name", sorted(ALERTS))
def test_each_alert_has_its_section_in_the_docs(name: str) -> None:
    """Who is paged finds what to do."""
    anchors = {heading.lower().replace(" ", "-") for heading in re.findall(r"^#+ (.*)$", OPERATING, re.MULTILINE)}
    assert name in anchors


def test_what_alerts_look_for_in_the_log_is_written_there() -> None:
    """Messages word by word."""
    code = "\n".join(
        path.read_text() for top in ("shared/confsync", "functions") for path in (ROOT / top).rglob("*.py")
    )
    wanted = re.findall(r'jsonPayload\.message=~?\\"([^"\\]+)\\"', text("monitoring.tf"))
    assert len(wanted) == 5
    for message in wanted:
        assert message in code or message.replace("conference alert", "conference {outcome.status}") in code, message
    assert re.findall(r"\^([a-z]+: )", text("monitoring.tf")) == ["quota: ", "quota: "]
    assert 'f"quota: {' in code


def test_the_fields_that_metrics_add_up_are_logged(capsys: pytest.CaptureFixture[str]) -> None:
    """By the names that the log's lines have."""
    log(
        "INFO",
        "x",
        sync=SyncOutcome("synced", updates=(UpdateOutcome("key", "alert"),)),
        renewal=RenewalOutcome(Renewals(), 0, 0, more=False),
    )
    line = json.loads(capsys.readouterr().out)
    fields = set(re.findall(r"jsonPayload\.((?:sync|renewal)\.[a-z_.]+)", text("monitoring.tf")))
    assert len(fields) == 7
    for field in fields:
        found: Any = line
        for part in field.split("."):
            found = found[0][part] if isinstance(found, list) else found[part]


def test_the_database_applies_the_declared_fields_and_no_others() -> None:
    """firestore.json, which is made from the code."""
    assert 'jsondecode(file("${path.module}/firestore.json"))' in text("firestore.tf")
    assert "for field in local.layout.fields" in text("firestore.tf")
    assert "google_firestore_index" not in blocks("firestore.tf", "resource")


def test_the_example_names_variables_that_exist() -> None:
    """Terraform only warns of others."""
    with (SOURCES / EXAMPLE).open() as file:
        example = {name for name in hcl2.load(file) if not name.startswith("__")}
    assert example <= VARIABLES.keys()


@pytest.mark.parametrize("link", sorted(set(re.findall(r"\]\(([^):]+)\)", text("README.md")))))
def test_what_the_page_on_deploying_links_is_there(link: str) -> None:
    """Files, and sections of them."""
    name, _, section = link.partition("#")
    page = (SOURCES / name).read_text()
    headings = [re.sub(r"[^a-z0-9 -]", "", found.lower()) for found in re.findall(r"^#+ (.*)$", page, re.MULTILINE)]
    assert section in ("", *(heading.replace(" ", "-") for heading in headings))


def test_each_variable_is_described_and_typed() -> None:
    """Who deploys reads them there."""
    for name, variable in VARIABLES.items():
        assert variable["description"].endswith("."), name
        assert "type" in variable, name


@pytest.mark.parametrize("folder", [SOURCES, *(SOURCES / "modules").iterdir()], ids=lambda folder: Path(folder).name)
def test_the_provider_is_supported_in_two_major_versions(folder: Path) -> None:
    """6.50 and all of 7."""
    assert 'version = ">= 6.50, < 8"' in (folder / "versions.tf").read_text()


@pytest.mark.parametrize("function", ["receiver", "worker", "renewal"])
def test_what_a_month_costs_is_reckoned_with_the_sizes_that_are_deployed(function: str) -> None:
    """`confsync cost` knows each function's concurrency and memory; none of them is kept warm."""
    (body,) = re.findall(rf'^variable "{function}" \{{$(.*?)^\}}$', text("variables.tf"), re.MULTILINE | re.DOTALL)
    sizes = {name: int(value) for name, value in re.findall(r"(\w+) += optional\(number, (\d+)\)", body)}
    reckoned = getattr(Deployment(), function)
    assert (sizes["concurrency"], sizes["memory_mib"]) == (reckoned.concurrency, reckoned.memory_mib)
    assert sizes["min_instances"] == 0
