# The usual tasks. `make` lists them. Everything happens in a virtual environment of its own, .venv.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin

CAMPAIGNS := tamper kill mixed orphans write_faults options threads fuzz soak sanitize

.DEFAULT_GOAL := help
.PHONY: help venv install test lint format types generated docs bench reliability check clean

help: ## list the targets
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/\1\t\2/p' Makefile | expand -t 14

venv: $(BIN)/python ## make the virtual environment

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

install: venv ## install nertool with all that tests and documentation need
	$(BIN)/pip install -e '.[test,docs]'

test: ## run the tests
	$(BIN)/python -m pytest

lint: ## look for faults in the code's form
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

format: ## write the code in the usual form
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

types: ## check the types
	$(BIN)/mypy

generated: ## write the files that are generated from the code
	$(BIN)/python scripts/docs.py

docs: ## build the documentation's site in site/
	$(BIN)/python scripts/docs.py --check
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

bench: ## measure speed and memory (half an hour; needs real corpora, see benchmarks/README.md)
	$(BIN)/pip install -e '.[bench]'
	$(BIN)/python benchmarks/run.py

reliability: ## run all campaigns of faults at their full counts (an hour; see docs/reliability.md)
	for campaign in $(CAMPAIGNS); do $(BIN)/python -m tests.campaigns.$$campaign || failed=1; done; test -z "$$failed"

check: lint types docs test ## all that must hold before a change is merged

clean: ## remove what the other targets made, but the virtual environment
	rm -rf site dist build .pytest_cache .mypy_cache .ruff_cache .hypothesis
