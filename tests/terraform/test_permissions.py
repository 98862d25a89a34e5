"""docs/permissions.md has every role that an apply gives, and no other; applied to the offline stand-in."""

import json
import re
from collections.abc import Iterator, Mapping
from itertools import product
from typing import Any

import pytest

from tests.terraform.configuration import ROOT, Configuration
from tests.terraform.test_applied import PROJECT, Applied

pytestmark = pytest.mark.timeout(300)
DEPLOYMENT = {
    "state_bucket": "bucket-of-the-state",
    "repository": "projects/p/locations/europe-west4/connections/forge/repositories/confsync",
    "variables": "environments/prod.tfvars",
    "conference_solutions_secret": "projects/acme-vault/secrets/our-solutions/versions/3",
}
EVERYTHING = (
    "-var=load_balancer=" + json.dumps({"host": "hooks.acme.example", "max_requests_per_minute": 6000}),
    "-var=budget=" + json.dumps({"billing_account": "012345-6789AB-CDEF01", "amount": 200}),
    "-var=deployment=" + json.dumps(DEPLOYMENT),
    "-var=receiver=" + json.dumps({"callers": ["serviceAccount:gateway@acme.iam.gserviceaccount.com"]}),
)
CONSENTS = (
    "-var=sign_in=refresh_token",
    "-var=oauth_client_id=1-a.apps.googleusercontent.com",
    "-var=oauth_client_secret=s",
)
OPTIONS = ("deployment", "receiver.callers", "refresh_token")
CALLED = {
    "GATEWAY": "gateway",
    "ADDON": "addon",
    "PROJECT": PROJECT,
    "PROVIDER": "acme",
    "REGION": "europe-west1",
    "SOLUTIONS": "our-solutions",
    "STATE": "bucket-of-the-state",
    "BILLING": "012345-6789AB-CDEF01",
    "NAME": "confsync",
}
"""What the page calls things, and what they are called here."""
PLACES = {
    "google_artifact_registry_repository_iam_member": ("images", "repository"),
    "google_billing_account_iam_member": ("billing account", "billing_account_id"),
    "google_cloud_run_v2_service_iam_member": ("function", "name"),
    "google_cloud_tasks_queue_iam_member": ("queue", "name"),
    "google_project_iam_member": ("project", "project"),
    "google_secret_manager_secret_iam_member": ("secret", "secret_id"),
    "google_service_account_iam_member": ("account", "service_account_id"),
    "google_storage_bucket_iam_member": ("bucket", "bucket"),
}
"""By type of resource: what the role is on, and the argument that names it."""
ROW = re.compile(r"^\| (`.*?) \| (`roles/.*?) \| (.*?) \| (.*?) \| (.+?) \| (.+?) \|$", re.MULTILINE)

Grant = tuple[str, str, str]
"""Who, which role, on what."""


@pytest.fixture(scope="module")
def grants(tmp_path_factory: pytest.TempPathFactory) -> tuple[set[Grant], set[Grant]]:
    """Return what the example gives, and what it gives with one option or another; applied one after the other."""
    configuration = Configuration(tmp_path_factory.mktemp("configuration"))
    plain, consents, everything = (given(configuration, *options) for options in ((), CONSENTS, EVERYTHING))
    return plain, plain | consents | everything


def given(configuration: Configuration, *options: str) -> set[Grant]:
    """Return the roles that an apply gives."""
    resources = Applied(configuration.applied(*options), configuration).resources
    return {grant(found["type"], found["values"]) for found in resources if "_iam_" in found["type"]}


def grant(kind: str, values: Mapping[str, Any]) -> Grant:
    """Return a role as the page has it; one with a condition is on what the condition compares."""
    what, argument = PLACES[kind]
    place = f"{what} {values[argument].rpartition('/')[2].partition('@')[0]}"
    if values.get("condition"):
        (compared,) = re.findall(r'"projects/[^/]+/(.*)"', values["condition"][0]["expression"])
        place = f"project, only {re.sub(r'-[0-9]{12}-', '-NUMBER-', compared)}"
    return values["member"].removeprefix("serviceAccount:").partition("@")[0], values["role"], place


def rows() -> Iterator[tuple[str, set[Grant]]]:
    """Yield of each row of the page when it counts, and its roles: what is listed in a cell is meant together."""
    for who, role, place, when, _, _ in ROW.findall((ROOT / "docs" / "permissions.md").read_text()):
        what = place.partition("`")[0]
        listed = product(names(who), names(role), [f"{what}{name}" for name in names(place)])
        yield when, set(listed)


def names(cell: str) -> list[str]:
    """Return what stands between backticks, as it is called here."""
    pattern = re.compile("|".join(rf"\b{name}\b" for name in CALLED))
    return [pattern.sub(lambda found: CALLED[found[0]], name) for name in re.findall("`([^`]*)`", cell)]


def test_the_page_has_each_role_that_is_given_and_no_other(grants: tuple[set[Grant], set[Grant]]) -> None:
    """With all options on, in both directions."""
    _, everything = grants
    written = set().union(*(found for _, found in rows()))
    assert sorted(everything - written) == []
    assert sorted(written - everything) == []


def test_roles_of_options_are_given_with_the_options_only(grants: tuple[set[Grant], set[Grant]]) -> None:
    """As the page says when."""
    plain, _ = grants
    written = set().union(*(found for when, found in rows() if not any(option in when for option in OPTIONS)))
    assert sorted(plain ^ written) == []


def test_each_role_is_written_once() -> None:
    """Whoever looks for it finds all that is to be said of it."""
    written = [one for _, found in rows() for one in found]
    assert len(written) == len(set(written))


def test_nobody_holds_a_basic_role(grants: tuple[set[Grant], set[Grant]]) -> None:
    """Owner, editor and viewer hold what nobody has counted."""
    _, everything = grants
    assert not {role for _, role, _ in everything} & {"roles/owner", "roles/editor", "roles/viewer"}
