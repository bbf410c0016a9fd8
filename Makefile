# customer360: `make pipeline` from a fresh clone does everything.
.DEFAULT_GOAL := help
SHELL := /bin/bash
PYTHON ?= python3
BIN := .venv/bin
PORT ?= 5001
REPORT ?= reports
# Commands of the environment first, so that DVC stages find `customer360`.
export PATH := $(CURDIR)/$(BIN):$(PATH)
export DVC_NO_ANALYTICS := true
LOCK = uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	--no-header --quiet
PIP = $(BIN)/python -m pip --disable-pip-version-check
FULL_XGBOOST = $(PIP) uninstall --yes --quiet xgboost-cpu xgboost && \
	$(PIP) install --quiet --require-hashes --requirement requirements-gpu.lock

.PHONY: help pipeline test browser lab mlflow serve adviser report check clean lock gpu results

## Show this list.
help:
	@awk '/^## /{about=substr($$0,4);next} /^[a-z_]+:/{if(about){sub(":.*","",$$1);printf "  make %-10s %s\n",$$1,about};about=""} !/^## /{if(!/^[a-z_]+:/)about=""}' $(MAKEFILE_LIST)

.venv/runtime: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "customer360 needs Python 3.11 or newer; this is $$($(PYTHON) --version). Try: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@echo "Installing the libraries (once, about two minutes)..."
	@$(PIP) install --quiet --require-hashes --requirement requirements.lock
	@$(PIP) install --quiet --no-deps --no-build-isolation --editable .
	@# Imports without cached bytecode cost twice, and some environments forbid writing it later.
	@$(BIN)/python -m compileall -q src
	@if test -e .venv/gpu; then $(FULL_XGBOOST); fi
	@touch $@

.venv/dev: requirements-dev.lock .venv/runtime
	@echo "Installing what the tests need..."
	@$(PIP) install --quiet --require-hashes --requirement requirements-dev.lock
	@touch $@

## Set up if needed, then run the whole pipeline on the dataset named in params.yaml.
pipeline: .venv/runtime
	@dvc repro --quiet || { echo "The pipeline stopped; the message above says where and what to do next."; exit 1; }
	@echo "Done. Open reports/index.html in your browser."

## Set up if needed, then run the tests.
test: .venv/dev
	@# One thread each: two workers share what is often two cores. The longest module first.
	OMP_NUM_THREADS=1 pytest --quiet --numprocesses 2 --dist loadscope --no-loadscope-reorder \
	  --durations 10 --ignore tests/browser --keep-pages .pytest_cache/pages

## Open every page in Chromium, as wide as a desk and a phone (REPORT=reports).
browser: .venv/dev
	pytest --quiet tests/browser --report $(REPORT)

## Open JupyterLab in notebooks/.
lab: .venv/runtime
	jupyter lab --notebook-dir=notebooks --ServerApp.ip=127.0.0.1

## Open the MLflow pages of runs and models on this machine.
mlflow: .venv/runtime
	MLFLOW_DISABLE_TELEMETRY=true mlflow server --backend-store-uri sqlite:///mlflow.db --host 127.0.0.1 --port 5000

## Answer requests for the next best action on this machine (PORT=5001).
serve: .venv/runtime
	DECISION_LOG=data/decisions/decisions.jsonl MLFLOW_TRACKING_URI=sqlite:///mlflow.db \
	MLFLOW_DISABLE_TELEMETRY=true MLFLOW_ALLOW_PICKLE_DESERIALIZATION=false OMP_NUM_THREADS=1 \
	UVICORN_ACCESS_LOG=false mlflow models serve --env-manager local --host 127.0.0.1 --port $(PORT) --model-uri \
	models:/$$(awk '/^dataset:/{print $$2}' params.yaml)-next_best_action@challenger

## Show the adviser's page of one customer in the browser: make adviser CUSTOMER=c0123456789ab
adviser: .venv/runtime
	customer360 card $(CUSTOMER)
	voila reports/cards/$(CUSTOMER).ipynb --Voila.ip=127.0.0.1 --port=8866 --strip_sources=True

## Write reports/index.html again.
report: .venv/runtime
	customer360 report

## Check style, imports, types, notebooks and what must not be in git.
check: .venv/dev
	ruff check .
	ruff format --check .
	lint-imports
	mypy
	customer360 strip --check notebooks/*.ipynb
	pytest --quiet tests/hygiene tests/notebooks

## Remove what the pipeline made; the environment and your files stay.
clean:
	rm -rf data/raw data/staged data/linked data/customers data/features data/scores data/quarantine data/truth data/handoff models reports

## Run every dataset of the README in a copy of the project and write docs/results.md.
results: .venv/runtime
	$(BIN)/python benchmarks/results.py

## Renew the lock files from pyproject.toml.
lock: .venv/dev
	$(LOCK) --upgrade pyproject.toml --extra build --output-file requirements.lock
	$(LOCK) pyproject.toml --extra build --extra dev --constraint requirements.lock --output-file requirements-dev.lock
	echo 'xgboost>=3.0' | $(LOCK) - --constraint requirements.lock --output-file requirements-gpu.lock

## Replace the CPU build of XGBoost by the full one, for machines with an NVIDIA card.
gpu: .venv/runtime
	$(FULL_XGBOOST)
	@touch .venv/gpu
