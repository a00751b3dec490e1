# One word per job. Needs Python 3.11 to 3.13 and make; everything else goes into .venv.
# Another Python: make setup PYTHON=python3.12

SHELL  := /bin/sh
VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed

# The first of these that is 3.11, 3.12 or 3.13.
SUITS  := import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 14))
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11 python; do \
	"$$p" -c '$(SUITS)' 2>/dev/null && echo "$$p" && break; done)

# Passed on: make test ARGS="-k quiet_hours"
ARGS   ?=

.DEFAULT_GOAL := help
.PHONY: help setup demo test prove check bench eval train constraints clean

help:  ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## /{printf "  make %-12s %s\n", $$1, $$2}' $(firstword $(MAKEFILE_LIST))

setup: $(STAMP)  ## install into .venv (quick when nothing changed)
	@echo "Ready: $(VENV), $$($(BIN)/python --version)"

demo: $(STAMP)  ## the main job, on an invented practice
	@$(BIN)/treatment-agent demo $(ARGS)

test: $(STAMP)  ## all tests
	@$(BIN)/pytest $(ARGS)

prove: $(STAMP)  ## the promises, searched for long: state machine, hostile readings and model, noise, 2000 simulated patients
	@HYPOTHESIS_PROFILE=prove $(BIN)/pytest tests/proofs $(ARGS)
	@$(BIN)/treatment-agent simulate --patients 2000
	@$(BIN)/python training/noise.py

check: $(STAMP)  ## all that CI checks: format, lint, types, layers, tests
	@$(BIN)/ruff format --check
	@$(BIN)/ruff check
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(MAKE) --no-print-directory test

bench: $(STAMP)  ## benchmarks; prints tables
	@$(BIN)/python -m benchmarks $(ARGS)

eval: $(STAMP)  ## do the dialogues hold, and how well are messages of people nobody tuned on understood
	@$(BIN)/treatment-agent eval evals $(ARGS)

train: build/training/.installed  ## the classifier and its judge, anew from training/data (an hour on two cores)
	@build/training/bin/python training/train.py $(ARGS)
	@build/training/bin/python training/measure.py --fit --write

build/training/.installed: pyproject.toml constraints.txt
	@"$(PYTHON)" -m venv build/training
	@build/training/bin/pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[training]'
	@touch $@

constraints: $(STAMP)  ## write constraints.txt from the newest versions pyproject.toml allows
	@rm -rf build/fresh && $(BIN)/python -m venv build/fresh
	@build/fresh/bin/pip install --quiet --editable '.[dev,postgres]'
	@{ sed -n '/^#/p' constraints.txt; build/fresh/bin/pip freeze --exclude-editable; } > build/constraints.txt
	@mv build/constraints.txt constraints.txt && rm -rf build/fresh

clean:  ## remove .venv and everything the tools left behind
	@rm -rf $(VENV) build dist demo-out .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(STAMP): pyproject.toml constraints.txt
	@if [ -z "$(PYTHON)" ] || ! "$(PYTHON)" -c '$(SUITS)' 2>/dev/null; then \
		echo "This needs Python 3.11, 3.12 or 3.13; found: $$("$(or $(PYTHON),python3)" --version 2>/dev/null || echo none)." >&2; \
		echo "Install one, or name it: make $(or $(MAKECMDGOALS),setup) PYTHON=/path/to/python3.12" >&2; exit 1; fi
	@if [ -x $(BIN)/python ] && ! $(BIN)/python -c '$(SUITS)' 2>/dev/null; then rm -rf $(VENV); fi
	@[ -x $(BIN)/pip ] || { echo "Creating $(VENV) with $$("$(PYTHON)" --version)" && "$(PYTHON)" -m venv $(VENV); } || { \
		rm -rf $(VENV); echo "Could not create $(VENV). On Debian and Ubuntu: apt install python3-venv" >&2; exit 1; }
	@echo "Installing the package and its tools (once; about a minute)"
	@$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt --editable '.[dev,postgres]'
	@touch $(STAMP)
