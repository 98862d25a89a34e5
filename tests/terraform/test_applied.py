"""What an apply makes fits the code: the example is applied to the offline stand-in, which asks nobody.

The stand-in says what the configuration alone decides. Whether Google takes it, only Google can say.
"""

import json
import re
import subprocess
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pytest

from confsync import parts, worker_parts
from confsync.adapters.firestore_layout import declared
from confsync.adapters.sign_in import CALENDAR_EVENTS
from confsync.initialize_syncing import InitializeRequest
from confsync.settings import ReceiveNotificationSettings, WorkerSettings
from confsync.settings_forms import Settings
from tests.terraform.configuration import ROOT, SOLUTIONS, Configuration, has_stand_in, is_installed
from tests.test_truths import settings_in_readme

if not (is_installed() and has_stand_in()):
    pytest.skip(
        "terraform or the offline stand-in of its providers is not here; TERRAFORM_STAND_IN says where it is",
        allow_module_level=True,
    )
pytestmark = pytest.mark.timeout(300)
PROJECT = "acme-confsync-prod"
SECRETS = {
    "CHANNEL_TOKEN_KEYS": "k1:MDEyMzQ1Njc4OWFiY2RlZg==",
    "CONFERENCE_SOLUTIONS": json.dumps(SOLUTIONS),
    "OAUTH_CLIENT_SECRET": "s3cret",
}
QUEUES = f"projects/{PROJECT}/locations/europe-west1/queues/confsync"
READERS = {"receive_notification": "receiver", "sync_calendar": "worker", "renew_channels": "renewal"}


class Applied:
    """The state after an apply, by what is asked of it."""

    def __init__(self, shown: Mapping[str, Any], configuration: Configuration) -> None:
        """Read what `terraform show -json` printed."""
        self.configuration = configuration
        self.outputs = {name: output["value"] for name, output in shown["values"]["outputs"].items()}
        root = shown["values"]["root_module"]
        modules = [root, *root["child_modules"]]
        self.resources = [found for module in modules for found in module["resources"] if found["mode"] == "managed"]

    def of_type(self, kind: str) -> list[dict[str, Any]]:
        """Return the values of all resources of a type."""
        return [found["values"] for found in self.resources if found["type"] == kind]

    def service(self, function: str) -> dict[str, Any]:
        """Return how a function is served, by its entry point."""
        (found,) = (
            one["service_config"][0]
            for one in self.of_type("google_cloudfunctions2_function")
            if one["build_config"][0]["entry_point"] == function
        )
        return dict(found)

    def variables(self, function: str) -> dict[str, str]:
        """Return a function's environment, the secrets as Secret Manager would give them."""
        service = self.service(function)
        secret = {one["key"]: SECRETS[one["key"]] for one in service["secret_environment_variables"]}
        return {**service["environment_variables"], **secret}


@pytest.fixture(scope="module")
def applied(tmp_path_factory: pytest.TempPathFactory) -> Applied:
    """Return what the example makes; applied once."""
    configuration = Configuration(tmp_path_factory.mktemp("configuration"))
    return Applied(configuration.applied(), configuration)


def test_each_function_reads_its_settings(applied: Applied) -> None:
    """No setting is missing or of a wrong form, and the numbers fit together."""
    receiver = ReceiveNotificationSettings.from_mapping(applied.variables("receive_notification"))
    worker = WorkerSettings.from_mapping(applied.variables("sync_calendar"))
    renewal = WorkerSettings.from_mapping(applied.variables("renew_channels"))
    assert worker == renewal
    assert worker.rules().mode == "observe"
    assert {receiver.tenant, worker.tenant} == {"acme"}
    assert receiver.task_queue == worker.task_queue == f"{QUEUES}-sync"
    assert worker.conference_queue == f"{QUEUES}-conference"


def test_each_function_reads_its_settings_with_consents_and_an_add_on(tmp_path: Path) -> None:
    """Another way to sign in and another way in, at once."""
    add_on = '{service_account = "service-1@gcp-sa-gsuiteaddons.iam.gserviceaccount.com", client_id = "1-a"}'
    configuration = Configuration(tmp_path)
    shown = configuration.applied(
        *("-var=sign_in=refresh_token", "-var=oauth_client_id=1-b", "-var=oauth_client_secret=s3cret"),
        *('-var=settings={ingress = "addon"}', f"-var=addon={add_on}"),
    )
    applied = Applied(shown, configuration)
    receiver = ReceiveNotificationSettings.from_mapping(applied.variables("receive_notification"))
    worker = WorkerSettings.from_mapping(applied.variables("sync_calendar"))
    assert parts.addon(receiver) is not None
    assert worker_parts.outside(worker).calendar_api is not None
    assert worker.rules().ingress == "addon"
    assert "s3cret" not in configuration.state_file()


def test_the_commands_of_an_operator_read_the_same_settings(applied: Applied, tmp_path: Path) -> None:
    """What docs/deploying.md has an operator type writes them to a file; of a secret, where it is."""
    (script,) = re.findall(
        r"terraform show -json \| python3 -c '\n(.*?)\n' >", (ROOT / "docs/deploying.md").read_text(), re.DOTALL
    )
    shown = applied.configuration.terraform("show", "-json")
    exports = subprocess.run(
        [sys.executable, "-c", script], input=shown, capture_output=True, text=True, check=True
    ).stdout
    (tmp_path / "environment.sh").write_text(exports)
    command = ["env", "-i", "sh", "-c", f". {tmp_path}/environment.sh && env"]
    read = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    variables = dict(line.split("=", 1) for line in read.splitlines())
    secret = f"secret:projects/{PROJECT}/secrets/confsync-conference-solutions/versions/"
    assert variables["CONFERENCE_SOLUTIONS"].startswith(secret)
    names = {variables[name]: name for name in ("CHANNEL_TOKEN_KEYS", "CONFERENCE_SOLUTIONS")}
    settings = WorkerSettings.from_mapping(variables, lambda version: SECRETS[names[f"secret:{version}"]])
    assert settings == WorkerSettings.from_mapping(applied.variables("sync_calendar"))


@pytest.mark.parametrize(("function", "reader"), READERS.items())
def test_a_function_is_told_only_what_it_reads(applied: Applied, function: str, reader: str) -> None:
    """As the README's table says who reads what."""
    readers = {name: row[0] for name, row in settings_in_readme().items()}
    told = applied.variables(function).keys() - {"THREADS"}
    assert {name for name in told if reader not in readers[name] and readers[name] != "all"} == set()


@pytest.mark.parametrize("function", READERS)
def test_a_functions_entry_point_is_in_its_main_file(applied: Applied, function: str) -> None:
    """And its secrets are not plain variables."""
    assert f"def {function}(" in (ROOT / "functions" / function / "main.py").read_text()
    assert not applied.service(function)["environment_variables"].keys() & Settings.secret


def test_the_worker_is_where_google_serves_it(applied: Applied) -> None:
    """The address that tasks go to, that of the notifications, and the audience of the schedule's token."""
    worker = applied.variables("sync_calendar")
    assert applied.outputs["worker_url"] == worker["SYNC_CALENDAR_URL"] == applied.service("sync_calendar")["uri"]
    assert (
        applied.outputs["receiver_url"] == worker["NOTIFICATION_URL"] == applied.service("receive_notification")["uri"]
    )
    (job,) = applied.of_type("google_cloud_scheduler_job")
    target = job["http_target"][0]
    assert target["uri"] == target["oidc_token"][0]["audience"] == applied.service("renew_channels")["uri"]


def test_queues_are_those_that_the_functions_name(applied: Applied) -> None:
    """The provider's own one is named in its entry of CONFERENCE_SOLUTIONS."""
    queues = {found["id"] for found in applied.of_type("google_cloud_tasks_queue")}
    assert queues == {f"{QUEUES}-sync", f"{QUEUES}-conference", f"{QUEUES}-conference-acme"}
    assert set(applied.outputs["queues"].values()) == queues


def test_the_database_has_the_declared_fields(applied: Applied) -> None:
    """Indexes and expiry of each, as the code declares them."""
    fields = sorted(_fields(applied.of_type("google_firestore_field")), key=json.dumps)
    assert fields == sorted(declared()["fields"], key=json.dumps)  # type: ignore[call-overload]


def _fields(resources: Iterable[Mapping[str, Any]]) -> Iterable[dict[str, Any]]:
    for values in resources:
        yield {
            "collection": values["collection"],
            "field": values["field"],
            "indexes": [index["order"] or index["array_config"] for index in values["index_config"][0]["indexes"]],
            "ttl": bool(values["ttl_config"]),
        }


def test_no_secret_is_in_the_state(applied: Applied) -> None:
    """Not the vendor's, and not the key that Terraform made."""
    state = applied.configuration.state_file()
    assert SOLUTIONS[0]["secrets"][0] not in state
    assert '"k1:' not in state


def test_what_was_applied_is_left_alone(applied: Applied) -> None:
    """A second apply changes nothing."""
    again = applied.configuration.terraform("plan", "-input=false", "-var-file=environments/example.tfvars")
    assert "0 to add, 0 to change, 0 to destroy" in again or "No changes" in again


def test_the_administrator_is_shown_the_scope_that_is_asked_for(applied: Applied) -> None:
    """One more would be refused by the domain, one less by the code."""
    assert applied.outputs["delegation"]["scopes"] == CALENDAR_EVENTS
    assert applied.outputs["delegation"]["client_id"].isdecimal()


def test_the_next_command_sends_what_the_worker_reads(applied: Applied) -> None:
    """Calendar and subject are left for the reader to fill in."""
    _, _, body = applied.outputs["next_command"].partition("-d '")
    request = InitializeRequest.model_validate_json(
        body.partition("'")[0].replace("USER@YOUR-DOMAIN", "ann@acme.example")
    )
    assert request.calendar_id == "CALENDAR"
