# Everything a developer does, from nothing but Python >= 3.11, make and git. `make help` lists the targets.
# Only relative paths, so the checkout may lie anywhere, also below a folder with spaces in its name.

PYTHON ?=
JOBS ?= 3
BIN := .venv/bin

.DEFAULT_GOAL := help
.PHONY: help setup demo test check lint format types contracts bench docs pin clean

# Stamps in .make/ say what is done; without the environment that they speak of they mean nothing.
ifeq ($(wildcard .venv/bin/python),)
$(shell rm -rf .make)
endif

help: ## list the targets
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1	\2/p' Makefile

setup: .make/package ## make .venv with Phaseloom, its tools and the embedded Temporal server

.make/venv:
	@found=; for python in "$(PYTHON)" python3 python3.14 python3.13 python3.12 python3.11 python; do \
	  if "$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then found=$$python; break; fi; \
	done; \
	if [ -z "$$found" ]; then echo "make: no Python 3.11 or newer found; name one: make PYTHON=/path/to/python3" >&2; exit 1; fi; \
	echo "Making .venv with $$("$$found" --version)"; \
	"$$found" -m venv .venv
	@mkdir -p .make && touch $@

.make/packages: .make/venv constraints.txt
	@echo "Installing what constraints.txt pins"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement constraints.txt
	@touch $@

.make/package: .make/packages pyproject.toml
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

demo: setup ## run two definitions of the catalog on real files, then stop the server again
	@sh docs/demo.sh "$(BIN)/phaseloom"

test: setup ## run the tests
	@$(BIN)/python -m pytest -n $(JOBS) $(TESTS)

check: lint types contracts test ## all that CI runs

lint: setup ## ruff: rules and format
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .

format: setup ## rewrite what ruff can
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

types: setup ## mypy, strict, tests included
	@$(BIN)/python -m mypy

contracts: setup ## which package may import which
	@$(BIN)/lint-imports

bench: setup ## measure against a workflow written by hand
	@$(BIN)/python bench/run.py

docs: setup ## rewrite the parts of docs/ that are drawn from the code
	@$(BIN)/python docs/generate.py

pin: .make/venv ## rewrite constraints.txt from pyproject.toml with the newest versions
	@test -x .make/uv/bin/uv || { $(BIN)/python -m venv .make/uv && .make/uv/bin/python -m pip install --quiet --disable-pip-version-check uv; }
	@.make/uv/bin/uv pip compile pyproject.toml --quiet --upgrade --universal --python-version 3.11 \
	  --extra embedded --extra audit --extra graph --extra notify --extra encryption --group dev --generate-hashes --no-annotate --no-emit-index-url --no-emit-find-links \
	  --custom-compile-command "make pin" --output-file constraints.txt

clean: ## remove what setup, tests and demo made (not .phaseloom/, which holds runs)
	@rm -rf .venv .make build dist .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
