# One word a task. Each sets up what it needs in .venv, once, and again when a lock file changes.
PYTHON ?= $(shell command -v python3.11 || command -v python3 || echo python3.11)
HOST ?= 127.0.0.1
PORT ?= 8377
STORE ?= $(or $(TURNLOG_STORE),sqlite:///data/turnlog.db)
BIN := .venv/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check
# A lock names everything that is needed: nothing is resolved anew, so a release of tomorrow changes nothing.
RUN := .venv/run.stamp
DEV := .venv/dev.stamp
PEERS := .venv-peers/peers.stamp

.DEFAULT_GOAL := help
.PHONY: help install serve test check house bench bench-against bench-peers soak fuzz faults lock docs clean

help: ## what can be made
	@sed -nE 's/^([a-z-]+):.*## (.*)/make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 18

install: $(RUN) ## .venv with the turnlog command in it

serve: $(RUN) ## serve on http://127.0.0.1:8377, data under ./data/
	@mkdir -p data
	@exec $(BIN)/turnlog serve --host $(HOST) --port $(PORT) --store $(STORE)

test: $(DEV) ## all tests
	$(BIN)/python -m pytest

check: $(DEV) ## format, lint, types, layers
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

house: $(DEV) ## figures of the source tree, held to their bounds
	$(BIN)/python tools/house.py

bench: $(DEV) $(PEERS) ## measure, print a table, write JSON
	$(BIN)/python -m bench

bench-against: $(DEV) ## the same sections of COMMIT and of this tree, in turn (SECTIONS="sqlite stores http context memory")
	$(BIN)/python -m bench.against $(COMMIT) $(SECTIONS)

bench-peers: $(PEERS) ## .venv-peers with the systems to measure beside

soak: $(DEV) ## half an hour of mixed traffic on a store (SOAK_STORE=sqlite, postgres, valkey, cluster): does anything grow?
	$(BIN)/python -m bench.soak --store $(or $(SOAK_STORE),sqlite) --minutes $(or $(SOAK_MINUTES),30) --rate $(or $(SOAK_RATE),40)

fuzz: $(DEV) ## the property tests, with many more examples
	TURNLOG_FUZZ=$(or $(TURNLOG_FUZZ),20) $(BIN)/python -m pytest tests/laws tests/contract

faults: $(DEV) ## the tests of faults in their long form, the loss of a Patroni leader among them
	TURNLOG_FAULTS=long $(BIN)/python -m pytest -s tests/faults tests/scale

docs: $(DEV) ## run every snippet of the documentation, look for what is not documented
	$(BIN)/python -m pytest tests/docs

lock: $(DEV) ## resolve requirements/*.in anew
	cd requirements && for name in run dev peers; do \
	    ../$(BIN)/pip-compile --quiet --upgrade --generate-hashes --no-header --no-emit-index-url \
	        --no-emit-trusted-host --no-emit-find-links --strip-extras --allow-unsafe -o $$name.txt $$name.in || exit 1; \
	done

clean: ## remove .venv and what tools leave behind; data stays
	rm -rf .venv .venv-peers build dist src/*.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	    echo "turnlog needs Python 3.11 or later; tell make where it is: make PYTHON=/path/to/python3.11" >&2; exit 1; }
	$(PYTHON) -m venv .venv

$(RUN): requirements/run.txt pyproject.toml | .venv/bin/python
	$(PIP) --no-deps --require-hashes -r requirements/run.txt
	$(PIP) --no-deps --no-build-isolation --editable .
	@touch $@

$(DEV): requirements/dev.txt $(RUN)
	$(PIP) --no-deps --require-hashes -r requirements/dev.txt
	@touch $@

$(PEERS): requirements/peers.txt | .venv/bin/python
	$(PYTHON) -m venv .venv-peers
	.venv-peers/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements/peers.txt
	@touch $@
