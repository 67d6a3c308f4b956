# Every target sets up what it needs first, which takes no time when nothing has changed.
# What is needed beforehand: make, and Python 3.11 or newer (PYTHON=… names one that isn't found).

SHELL := /bin/sh
VENV := .venv/bin/python
NEW_ENOUGH := import sys; sys.exit(sys.version_info < (3, 11))
PYTHON ?= $(shell for python in python3 python3.14 python3.13 python3.12 python3.11; do \
	"$$python" -c '$(NEW_ENOUGH)' 2>/dev/null && echo "$$python" && break; done)
INSTALL = $(PYTHON) -m infra.local.install
# -rs: what a machine cannot run is left out, but never in silence; PYTEST_ADDOPTS=--leave-nothing-out makes it fail.
PYTEST := $(VENV) -m pytest --numprocesses=2 --dist=loadfile -rs
PIN := .venv/bin/uv pip compile --quiet --generate-hashes --universal --python-version=3.11 --no-emit-index-url \
	--custom-compile-command="make pins"

.PHONY: setup run sandbox test test-fast test-all lint bench pins

setup: python
	@$(INSTALL)

.PHONY: python checks-setup tests-setup
python:
	@test -n "$(PYTHON)" || { echo "Bluegreen needs Python 3.11 or newer; set PYTHON=… if it has another name." >&2; exit 1; }

checks-setup: python
	@$(INSTALL) --checks

tests-setup: python
	@$(INSTALL) --checks --browser --servers

# `exec`, so that a signal to make reaches the supervisor itself.
run: setup
	@exec $(VENV) -m infra.local

sandbox: setup
	@exec $(VENV) -m infra.sandbox --data-dir "$${BLUEGREEN_DATA_DIR:-var}/sandbox-alone"

test: tests-setup
	@$(PYTEST) -m "not long" --terraform-budget=90

test-fast: checks-setup
	@$(PYTEST) -m "not (terraform or browser or servers or fault or database or sandbox or process or long)"

test-all: tests-setup
	@$(PYTEST)

lint: checks-setup
	.venv/bin/ruff format --check .
	.venv/bin/ruff check .
	$(VENV) -m infra.local.throwaway $(VENV) -m mypy .
	.venv/bin/djlint --quiet --check --lint releases
	.venv/bin/lint-imports
	$(VENV) -m infra.local.throwaway $(VENV) manage.py makemigrations --check --dry-run
	TF_CLI_CONFIG_FILE=/dev/null "$$($(VENV) -m infra.local.terraform)" fmt -check -recursive infra

bench: setup
	@exec $(VENV) -m bench $(NAME)

pins: checks-setup
	$(PIN) requirements.in --output-file=requirements.txt
	$(PIN) requirements-dev.in --output-file=requirements-dev.txt
	$(PIN) infra/local/requirements-node.in --output-file=infra/local/requirements-node.txt
	npm install --package-lock-only --omit-lockfile-registry-resolved
