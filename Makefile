# Everything a person or a CI machine runs. Each target makes its own environment in .venv; `make PYTHON=python3.12 …` picks
# the interpreter, `make VENV=/some/where …` the place.
SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
.DELETE_ON_ERROR:

VENV ?= .venv
# The first interpreter in range that can make environments; shims that only complain do not count.
PYTHON ?= $(shell for p in python3 python3.12 python3.11 python3.13 python; do \
	"$$p" -c 'import ensurepip, sys, venv; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 14))' >/dev/null 2>&1 \
	&& echo "$$p" && break; done)
BIN := $(VENV)/bin
# Most of what is installed is never imported: Python compiles what is, once, and that is half a minute less to wait.
PIP_INSTALL := $(BIN)/python -m pip install --quiet --no-compile --disable-pip-version-check --constraint constraints.txt

CLIP ?=
SUBJECTS ?=
EDIT ?=
OUT ?= out/demo
BENCH ?= ../shared/bench
# Files of tests side by side, one thread each: threads of several runs only stand in each other's way.
WORKERS ?= 2
PYTEST := OMP_NUM_THREADS=1 $(BIN)/python -m pytest -q -p no:cacheprovider -n $(WORKERS) --dist loadfile

.PHONY: help demo test test-fast check format bench clean

help: ## what there is to run
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

demo: $(VENV)/installed ## the whole way on a drawn scene, or on your own: CLIP=my.mp4 [SUBJECTS=file] [EDIT="--freeze girl@1.2s"]
	@$(BIN)/python examples/demo.py --out "$(OUT)" $(if $(CLIP),--clip "$(CLIP)") $(if $(SUBJECTS),--subjects "$(SUBJECTS)") $(if $(EDIT),-- $(EDIT))

test: $(VENV)/installed-dev ## every test; the fast ones with the shapes of all arguments checked
	$(PYTEST) -m "refusal or slow"
	PYTHONPATH=tests $(PYTEST) -m "not refusal and not slow" --jaxtyping-packages=polytempo,numeric_tower.check

test-fast: $(VENV)/installed-dev ## the tests that take no more than a few seconds each
	$(PYTEST) -m "not slow"

check: $(VENV)/installed-dev ## what must hold before a change goes in
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/pyright
	$(PYTEST) -m "not slow"

format: $(VENV)/installed-dev ## mend what can be mended by itself
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: $(VENV)/installed-dev ## score against rendered truth: BENCH=folder of scenes
	$(BIN)/python bench/truth.py "$(BENCH)" --json bench/results/truth-latest.json --out out/bench

clean: ## remove the environment and everything made
	rm -rf -- "$(VENV)" out .pytest_cache .ruff_cache

# The stamps say what was installed from; only these two files make it old.
$(VENV)/made:
	@test -n "$(PYTHON)" || { echo "polytempo needs Python 3.11, 3.12 or 3.13 with venv; pass PYTHON=/path/to/python3" >&2; exit 2; }
	@echo "making an environment in $(VENV) with $(PYTHON)"
	@"$(PYTHON)" -m venv "$(VENV)"
	@touch "$@"

$(VENV)/installed: pyproject.toml constraints.txt | $(VENV)/made
	@echo "installing polytempo (a few hundred megabytes the first time)"
	@$(PIP_INSTALL) --editable .
	@touch "$@"

$(VENV)/installed-dev: pyproject.toml constraints.txt | $(VENV)/made
	@echo "installing polytempo and its development tools (a few hundred megabytes the first time)"
	@$(PIP_INSTALL) --editable ".[dev]"
	@touch "$@" "$(VENV)/installed"
