# Everything a person runs. The environment is .venv; AION's data is in AION_HOME (default .aion).
PYTHON ?= python3
BIN := .venv/bin
# What AION runs with, and on top of it what its checks and tests need.
STAMP := .venv/.ready
DEV_STAMP := .venv/.ready-dev
INSTALL := $(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt

.DEFAULT_GOAL := help
.PHONY: help setup ocr up demo demo-learning test lint attack faults bench clean

help:  ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-13s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(STAMP) ocr  ## Install AION and what it runs with into .venv

$(STAMP): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "AION needs Python 3.11 or newer: make PYTHON=python3.11 setup"; exit 1; }
	$(PYTHON) -m venv .venv
	$(INSTALL) -e .
	@touch $(STAMP)

$(DEV_STAMP): $(STAMP)
	$(INSTALL) -e '.[dev]'
	@touch $(DEV_STAMP)

ocr:
	@sh deploy/install_ocr.sh

up: setup  ## Start AION and Dagster; Ctrl-C stops both
	@exec $(BIN)/aion up

demo: setup  ## Index AION's own manual, ask three questions, show where an answer comes from
	@$(BIN)/aion demo

# FOLDER: one or more sets in BEIR's form; LEARNING: further options, such as "--clicks wrong --limit 400".
SEED ?= 0
demo-learning: setup  ## Let simulated people ask and click, and see what AION learns: make demo-learning FOLDER=…
	@$(BIN)/python -m bench.learning $(FOLDER) --seed $(SEED) $(LEARNING)

LINT := $(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/mypy && $(BIN)/lint-imports
lint: setup $(DEV_STAMP)  ## Style, types and who may import whom
	$(LINT)

# In four parts at once, as most tests wait for servers and processes, and lint beside them. What lint and three of the
# parts say is shown when all have ended.
PIPELINE := tests/core/steps tests/defs
PROCESSES := tests/commands tests/faults tests/local tests/trainer
SERVERS := tests/attack tests/serving
test: setup $(DEV_STAMP)  ## Lint and all tests
	@said=$$(mktemp -d); ($(LINT)) >$$said/lint 2>&1 & lint=$$!; \
	$(BIN)/pytest $(PIPELINE) >$$said/pipeline 2>&1 & pipeline=$$!; \
	$(BIN)/pytest $(PROCESSES) >$$said/processes 2>&1 & processes=$$!; \
	$(BIN)/pytest $(SERVERS) >$$said/servers 2>&1 & servers=$$!; \
	$(BIN)/pytest $(addprefix --ignore=,$(PIPELINE) $(PROCESSES) $(SERVERS)); rest=$$?; \
	wait $$pipeline; pipeline=$$?; wait $$processes; processes=$$?; wait $$servers; servers=$$?; wait $$lint; lint=$$?; \
	cat $$said/pipeline $$said/processes $$said/servers $$said/lint; rm -r $$said; \
	exit $$((rest | pipeline | processes | servers | lint))

attack: $(DEV_STAMP)  ## Hostile links, pages, texts and connections, in numbers
	AION_LONG=1 $(BIN)/pytest tests/attack

faults: $(DEV_STAMP)  ## Kills, full disks, clocks and damaged files, in numbers
	AION_LONG=1 $(BIN)/pytest tests/faults

bench: setup  ## Measure speed: ratios to counterparts of the same run, and absolute limits
	$(BIN)/python -m bench.speed

clean:  ## Remove the environment (never the data)
	rm -rf .venv
