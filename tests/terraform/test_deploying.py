"""What docs/deploying.md has people type and see is there: commands, files, variables, outputs, accounts, messages.

Nothing is asked of Google, and no terraform is needed.
"""

import json
import re
import subprocess
from collections.abc import Iterator
from typing import Any

import hcl2
import pytest
from click.testing import CliRunner

from confsync.adapters.stored import decode, encode
from confsync.cli.main import main
from confsync.core.records import Calendar
from confsync.errors import StoreCorrupt
from confsync.sync_calendar import SyncOutcome
from tests.terraform.configuration import ROOT, SOURCES
from tests.terraform.test_declared import VARIABLES, blocks
from tests.test_cloud_build import APPLY, FILES, PLAN, parsed, read

PAGE = read("docs/deploying.md")
CONFIGURATION = "\n".join(path.read_text() for path in SOURCES.rglob("*.tf"))
CODE = "\n".join(path.read_text() for path in (ROOT / "shared/confsync").rglob("*.py"))
FENCE = re.compile(r"^ *```\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
FENCED = [re.sub(r"^ {3}", "", body, flags=re.MULTILINE) for body in FENCE.findall(PAGE)]
WRITTEN = [body for body in FENCED if body.startswith("deployment = ")]
TYPED = [body for body in FENCED if body not in WRITTEN]
SPOKEN = re.findall(r"`([^`\n]+)`", FENCE.sub("", PAGE))


def anchors(page: str) -> set[str]:
    """Return what a link may name of a page: its headings, as they are linked."""
    headings = re.findall(r"^#+ (.*)$", page, re.MULTILINE)
    return {re.sub(r"[^a-z0-9 -]", "", heading.lower()).replace(" ", "-") for heading in headings}


def attributes(variable: str) -> set[str]:
    """Return the attributes of a variable that has several."""
    return set(re.findall(r"(\w+) = ", VARIABLES[variable]["type"]))


def variables_that_are_spoken_of() -> Iterator[tuple[str, str]]:
    """Yield variable and attribute; the variable is empty where an attribute or a variable stands alone."""
    for code in SPOKEN:
        if dotted := re.fullmatch(r"([a-z_]+)\.(?!tfvars)([a-z_]+)", code):
            yield dotted[1], dotted[2]
        elif alone := re.fullmatch(r"([a-z_]+) = .*|([a-z]+_[a-z_]+)", code):
            yield "", alone[1] or alone[2]


def default_of(function: str, attribute: str) -> int:
    """Return the default of an attribute of a function's size."""
    (found,) = re.findall(rf"\b{attribute} = optional\(number, (\d+)\)", VARIABLES[function]["type"])
    return int(found)


@pytest.mark.parametrize("link", sorted(set(re.findall(r"\]\(([^):]+)\)", PAGE))))
def test_each_link_leads_somewhere(link: str) -> None:
    """Files, and sections of them."""
    name, _, section = link.partition("#")
    target = ROOT / "docs" / (name or "deploying.md")
    assert target.exists()
    assert not section or section in anchors(target.read_text())


@pytest.mark.parametrize("page", ["README.md", "terraform/README.md"])
def test_the_page_is_found(page: str) -> None:
    """From where people begin."""
    assert "docs/deploying.md)" in read(page)


@pytest.mark.parametrize("body", TYPED, ids=lambda body: body.split("\n")[0][:40])
def test_what_is_to_be_typed_parses(body: str) -> None:
    """By the shell, and what is Python in it by Python."""
    done = subprocess.run(["bash", "-n"], input=body, text=True, capture_output=True, check=False)  # noqa: S607
    assert done.stderr == ""
    for script in re.findall(r"python3 -c '\n(.*?)\n'", body, re.DOTALL):
        compile(script, "deploying.md", "exec")


def test_each_command_exists() -> None:
    """Of make, of confsync, and of the packages."""
    targets = re.findall(r"^([a-z-]+):", read("Makefile"), re.MULTILINE)
    assert set(re.findall(r"(?:`|&& )make ([a-z-]+)", PAGE)) <= set(targets)
    assert "make .venv/.installed" in PAGE
    assert "VENV := .venv\n" in read("Makefile")
    assert "INSTALLED := $(VENV)/.installed\n" in read("Makefile")
    assert '"--sources"' in read("functions/package.py")
    for command in set(re.findall(r"\bconfsync ((?:calendars|channels) [a-z]+|plan)\b", PAGE)):
        assert CliRunner().invoke(main, [*command.split(), "--help"]).exit_code == 0, command


def test_each_output_exists() -> None:
    """By its name."""
    outputs = re.findall(r"terraform output (?:-raw )?(\w+)", PAGE)
    assert outputs
    assert set(outputs) <= blocks("outputs.tf", "output").keys()


def test_each_variable_exists() -> None:
    """Those that are spoken of, and attributes where they are said to be."""
    alone = {*VARIABLES, *(name for variable in VARIABLES for name in attributes(variable))}
    spoken = set(variables_that_are_spoken_of())
    assert ("worker", "max_instances") in spoken
    for variable, name in spoken:
        assert name in (attributes(variable) if variable else alone), name


def test_the_variables_that_are_written_exist() -> None:
    """In the first file of variables, and in that of Cloud Build, which names the prefix and what has no default."""
    (first,) = re.findall(r"printf '(project_id.*?)\\n' \"\$PROJECT\"", PAGE)
    assert (
        {line.split(" = ")[0] for line in first.split("\\n")}
        == {"project_id", "region", "settings"}
        <= VARIABLES.keys()
    )
    assert "mode" in attributes("settings")
    (written,) = WRITTEN
    needed = re.findall(r"(\w+) = string", VARIABLES["deployment"]["type"])
    shown = {name for name in hcl2.loads(written)["deployment"] if not name.startswith("__")}
    assert set(needed) | {"state_prefix"} == shown <= set(attributes("deployment"))


def test_each_account_and_trigger_exists() -> None:
    """By the name that Terraform gives it; the rest is the reader's own, or Google's."""
    made = set(re.findall(r"\$\{var\.name\}-([a-z-]+)", CONFIGURATION))
    named = set(re.findall(r"(?<![\w/-])confsync-([a-z-]+)", PAGE)) - {"solutions"}
    assert named <= made
    assert {"invoker", "delegate", "deploy", "check", "plan", "apply"} <= named
    assert "$PROJECT-confsync-packages" in PAGE
    assert '"${var.project_id}-${var.name}-packages"' in CONFIGURATION


def test_what_is_said_to_be_seen_is_said() -> None:
    """By the code, in these words; Terraform's own are met in `test_builds.py`."""
    for words in ("no channel is open", "cannot be read", "Nothing was overwritten"):
        assert f"`{words}`" in PAGE
        assert words in CODE
    assert 'jsonPayload.message="sync synced"' in PAGE
    assert "jsonPayload.sync.listed" in PAGE
    assert 'f"sync {outcome.status}"' in CODE
    assert "listed" in SyncOutcome.__dataclass_fields__
    for words in ("Attempts fail", "Crashes"):
        assert words in PAGE
        assert f"### {words}" in read("docs/operating.md")


def test_a_plan_is_where_the_page_says() -> None:
    """In both files of Cloud Build."""
    saved = "gs://$_STATE_BUCKET/plans/$_STATE_PREFIX/$COMMIT_SHA/plan.tar"
    assert f'saved="{saved}"' in read(PLAN)
    assert f'saved="{saved}"' in read(APPLY)
    assert "gs://BUCKET/plans/PREFIX/COMMIT/plan.tar" in PAGE


def test_the_triggers_start_the_files_with_what_they_declare() -> None:
    """A substitution that no file declares would be told to nobody, and one that no trigger gives would be empty."""
    module = (SOURCES / "modules/deployment/main.tf").read_text()
    assert set(re.findall(r'= "(cloudbuild[a-z.-]*\.yaml)"', module)) == set(FILES)
    declared = {name for file in FILES for name in parsed(read(file)).substitutions}
    assert set(re.findall(r"^ +(_[A-Z_]+) += var\.", module, re.MULTILINE)) == declared


def test_the_quotas_are_those_of_the_configuration() -> None:
    """As it is without further variables."""
    instances = sum(default_of(function, "max_instances") for function in ("receiver", "worker", "renewal"))
    assert {default_of(function, "memory_mib") for function in ("receiver", "worker", "renewal")} == {512}
    assert f"{instances} instances as it is, a CPU and 512 MiB each" in PAGE
    assert f"{default_of('sync_queue', 'max_dispatches_per_second')} is made for 10,000" in PAGE


def stored(**changed: Any) -> str:
    """Return a calendar as it is stored, with other fields or values."""
    calendar = Calendar(key="c", tenant="default", calendar_id="ann@example.com", subject="ann@example.com")
    return json.dumps(json.loads(encode(calendar)) | changed)


def test_code_goes_back_and_forth_over_records_as_the_page_says() -> None:
    """Of an older and of a newer confsync."""
    needed = {name for name, field in Calendar.model_fields.items() if field.is_required()}
    older = {name: value for name, value in json.loads(stored()).items() if name in needed}
    assert decode(Calendar, "c", json.dumps(older), "here").state == "active"
    assert "invented" not in encode(decode(Calendar, "c", stored(invented=1), "here"))
    with pytest.raises(StoreCorrupt, match=r"cannot be read .*Nothing was overwritten"):
        decode(Calendar, "c", stored(state="invented"), "here")
