# The only commands of this project. Each installs what it needs into .venv first.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed

.DEFAULT_GOAL := help
.PHONY: help demo dev test check simulate simulate-renewal soak format bench mutants mutation scenarios package terraform-check lock clean

help:  ## List the targets
	@awk -F':.*## ' '/^[a-z-]+:.*## / {printf "  make %-16s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(INSTALLED): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "confsync needs Python 3.11 or newer; $(PYTHON) is " + sys.version.split()[0] + ". Name another: make PYTHON=python3.12")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-build-isolation --no-deps -e .
	@touch $@

demo: $(INSTALLED)  ## Play a day in the life of a calendar through the whole system (no account needed, < 60 s)
	@$(BIN)/confsync demo

DEV ?=
dev: $(INSTALLED)  ## Keep the local stack running until Ctrl-C, as DEV says (--help)
	@$(BIN)/confsync dev $(DEV)

test: $(INSTALLED)  ## Run all tests
	@$(BIN)/python -m pytest -q -n 2 --dist loadfile

SEEDS ?= 20000
simulate: $(INSTALLED)  ## Play SEEDS=20000 days of faults and coincidences through the whole system (goes on where it stopped)
	@$(BIN)/python -m tests.simulation run --seeds $(SEEDS) --state .simulation.json

RENEWALS ?= --calendars 1000000 --days 30 --plot docs/renewals.png
simulate-renewal: $(INSTALLED)  ## Keep the channels of a million calendars open for 30 virtual days, as RENEWALS says (--help)
	@$(BIN)/python -m tests.renewals $(RENEWALS)

SOAK ?= --seconds 120
soak: $(INSTALLED)  ## Let everything go wrong on Firestore's emulator, with real processes, as SOAK says (--help)
	@$(BIN)/python -W ignore::FutureWarning -m tests.soak $(SOAK)

check: $(INSTALLED)  ## Format, lint, types, layers
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-cache

format: $(INSTALLED)  ## Format and fix what ruff can fix
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

bench: $(INSTALLED)  ## Print the figures, with the peers measured in the same run
	@$(BIN)/python -m tests.bench

mutants: $(INSTALLED)  ## Take one rule at a time out of the running system; the simulation has to notice each
	@$(BIN)/python -m tests.simulation.mutants

mutation: $(INSTALLED)  ## Break the rules of the planner one by one; a test has to notice each (hours)
	@$(BIN)/python -m tests.mutation

scenarios: $(INSTALLED)  ## Write docs/scenarios.md anew from the tests
	@$(BIN)/python -m tests.scenarios.table

package:  ## Build the archives that are deployed into dist/, the same bytes each time (needs nothing but Python)
	@$(PYTHON) functions/package.py

CHECKOV := $(VENV)/.checkov/bin/checkov
$(CHECKOV):
	$(PYTHON) -m venv $(VENV)/.checkov
	$(VENV)/.checkov/bin/pip install --quiet --disable-pip-version-check checkov==3.3.30

terraform-check: $(INSTALLED) $(CHECKOV)  ## Check terraform/ without an account: format, validity, a plan, its tests, a security scan
	@$(BIN)/python -m tests.terraform
	@$(CHECKOV) --directory terraform --framework terraform --compact --quiet --skip-download

UV := $(VENV)/.uv/bin/uv
$(UV):
	$(PYTHON) -m venv $(VENV)/.uv
	$(VENV)/.uv/bin/pip install --quiet --disable-pip-version-check uv
COMPILE = $(UV) pip compile pyproject.toml --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --custom-compile-command "make lock"

lock: $(UV)  ## Bring the locked requirements up to date with pyproject.toml
	$(COMPILE) --extra dev -o requirements.lock
	for name in receive_notification sync_calendar renew_channels; do \
	  $(COMPILE) --extra $$name -c requirements.lock -o functions/$$name/requirements.txt; done

clean:  ## Remove what make and confsync dev have made
	rm -rf $(VENV) .terraform-stand-in .simulation.json .confsync .pytest_cache .mypy_cache .ruff_cache .hypothesis .coverage dist
