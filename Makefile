# make demo   the environment, the build, and JupyterLab on the quickstart (ARGS=--no-browser opens none)
# make test   everything: lint, types, Python and TypeScript tests, notebooks, Chromium against JupyterLab
# make bench  the figures of the README's table, as ratios measured in one run (ARGS=--quick for a short one)

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
ARGS ?=
QUICKSTART := /lab/tree/notebooks/quickstart.ipynb
# The CPU build: a plain `torch` brings several GB of CUDA packages. For our own set-up only, users are free.
TORCH ?= torch==2.13.0
SOURCES := package-lock.json $(wildcard js/*.mjs) $(shell find js/src cnnviz_widgets/rendering -name '*.ts' -o -name '*.css' -o -name '*.json')

.PHONY: demo test bench lint types unit setup chromium clean
.DEFAULT_GOAL := help

help:
	@sed -n 's/^# //p' Makefile

$(VENV)/.ready: pyproject.toml | node_modules/.ready
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet "$(TORCH)"
	$(BIN)/python -m pip install --quiet --editable ".[dev]"
	@touch $@

node_modules/.ready: package.json package-lock.json
	npm ci --no-audit --no-fund --loglevel=error
	@touch $@

cnnviz_widgets/static/.ready: $(SOURCES) | node_modules/.ready
	npm run --silent build
	@touch $@

setup: $(VENV)/.ready cnnviz_widgets/static/.ready

chromium:
	@$(PYTHON) tests/browser/chromium.py --install

demo: setup
	$(BIN)/jupyter lab $(if $(filter 0,$(shell id -u)),--allow-root) --LabApp.default_url=$(QUICKSTART) $(ARGS)

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	npm run --silent lint

types: setup
	$(BIN)/mypy
	npm run --silent types

test: setup chromium lint types
	npm test --silent
	$(BIN)/python -m pytest

bench: setup chromium
	$(BIN)/python -m tests.benchmarks $(ARGS)

clean:
	rm -rf $(VENV) node_modules dist build cnnviz_widgets/static
