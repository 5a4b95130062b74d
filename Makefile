# The doors of the project: `make demo` shows it, `make test` checks it. Each target's sentence is what `make help` prints.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory --warn-undefined-variables
.PHONY: help demo run test check fix lock bench torture pictures clean

PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check

help:  ## Say what there is.
	@sed -nE 's/^([a-z]+):.*## (.*)/\1\t\2/p' Makefile | while IFS=$$'\t' read -r name says; do printf '  make %-8s %s\n' "$$name" "$$says"; done

demo: .venv/ready  ## Set up everything and run the whole product on this machine alone; Ctrl-C ends it.
	@exec $(BIN)/mailbot demo

run: .venv/ready  ## Run mailbot with config/mailbot.toml (make it first: .venv/bin/mailbot init).
	@exec $(BIN)/mailbot run

test: .venv/ready-for-tests  ## Set up everything, install the servers that tests need, and pass every test but the long ones.
	@tests/install_servers.sh
	@$(MAKE) check
	$(BIN)/pytest tests/rules -p no:xdist
	$(BIN)/pytest tests --ignore tests/rules -m "not torture" -n 3 --dist worksteal

check: .venv/ready-for-tests  ## Lint, types and the direction of imports, without running anything.
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo --no-cache

fix: .venv/ready-for-tests  ## Let ruff mend what it can.
	$(BIN)/ruff check --fix .

bench: .venv/ready-for-tests  ## Measure what README claims about speed.
	@tests/install_servers.sh
	$(BIN)/python -m tests.benchmarks

torture: .venv/ready-for-tests  ## The long tests: kill -9 at a hundred moments, and teaching it anew without some of the voices.
	@tests/install_servers.sh
	$(BIN)/pytest tests -m torture

pictures: .venv/ready-for-tests  ## Take the pictures that README shows anew, from the demonstration.
	@tests/install_servers.sh
	$(BIN)/python -m tests.pictures

lock:  ## Write both locks anew from pyproject.toml (needs uv; every package may move to its newest allowed version).
	@command -v uv >/dev/null || { echo "make lock needs uv: pipx install uv"; exit 1; }
	uv pip compile --upgrade $(LOCKED) --extra postgres --extra pdf --extra import --extra photos --extra dkim --extra microsoft365 --extra demo --extra build -o requirements.lock pyproject.toml
	uv pip compile --upgrade $(LOCKED) --all-extras -c requirements.lock -o requirements-dev.lock pyproject.toml

LOCKED := --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links --no-header

clean:  ## Remove the virtual environment and every cache; settings and databases stay.
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .import_linter_cache build dist
	find . -name __pycache__ -prune -exec rm -rf {} +

# --- set-up: two levels in one virtual environment; each stamp is older than nothing it was made from ---

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.version_info >= (3, 11) or sys.exit("mailbot needs Python 3.11 or newer; this is " + sys.version.split()[0])'
	@echo "Setting up in .venv; the first time takes about a minute."
	@$(PYTHON) -m venv --clear .venv

# mailbot itself is installed as it lies here, with the build tools of the lock: nothing is asked from a registry. It is compiled
# at once, because where Python may write no bytecode while it runs every start would compile it anew.
.venv/ready: requirements.lock pyproject.toml | .venv/bin/python
	@$(PIP) install --quiet --require-hashes -r requirements.lock
	@$(PIP) install --quiet --no-deps --no-build-isolation --no-index --editable .
	@$(BIN)/python -m compileall -q mailbot
	@touch $@

.venv/ready-for-tests: requirements-dev.lock .venv/ready
	@$(PIP) install --quiet --require-hashes -r requirements-dev.lock
	@touch $@
