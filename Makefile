# One command per chore; `make help` lists them.
SHELL := /bin/bash
.DEFAULT_GOAL := help
VENV ?= .venv
BIN := $(VENV)/bin
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)

.PHONY: help
help: ## This list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'

$(BIN)/.ready: pyproject.toml
	@test -n "$(PYTHON)" || { echo "No Python 3.11 or later on the PATH. Install one, or: make PYTHON=/path/to/python3"; exit 2; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV) || { echo "python's venv module is missing. On Debian: apt-get install python3-venv"; exit 2; }
	@$(BIN)/python -m pip install --quiet --upgrade "pip>=25.1"
	$(BIN)/python -m pip install --quiet --editable ".[all]" --group dev
	@touch $@

.PHONY: setup
setup: $(BIN)/.ready ## A virtual environment with all that development needs

.PHONY: demo
demo: $(BIN)/.ready ## Run pytest --ai-diff on the example project
	@$(BIN)/python examples/demo.py

.PHONY: test
test: $(BIN)/.ready ## All tests
	@$(BIN)/python tests/official.py || echo "The tests that need it say so."
	$(BIN)/python -m pytest -q -n 2 --dist worksteal -m "not slow"
	$(BIN)/python -m pytest -q -n 2 --dist worksteal -m slow

.PHONY: versions
versions: ## The plugin's and the core's tests on the other Pythons of this machine, and on pytest 8
	bash .ci/versions

.PHONY: lint
lint: $(BIN)/.ready ## Linter, formatter check, types, import contracts
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/mypy tests
	$(BIN)/lint-imports

.PHONY: format
format: $(BIN)/.ready ## Format and mend what can be mended
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
