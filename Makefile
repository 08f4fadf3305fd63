# CI calls the same targets (.ci/run). Needs Python 3.11 with venv, and nothing else.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-builtin-rules
# Compiled modules are kept, whatever the caller's environment says: each of the many processes of a run would compile anew.
unexport PYTHONDONTWRITEBYTECODE
.PHONY: help run test check format sizes bench lock dump clean

ARGS ?=
PYTHON ?= $(shell command -v python3.11 || command -v python3)
# Another environment beside the default one: make test PYTHON=/usr/bin/python3.11 VENV=.venv-oldest
VENV ?= .venv
# Third-party clients that verify the stand-in vendors: an environment of their own.
CLIENTS := .venv-clients
# One of them has pins of its own.
TAP := .venv-tap
NODE_CLIENTS := tests/clients/node/node_modules
BIN := $(VENV)/bin
# Optional: the lock's hashes are checked with pip as well; uv is only faster.
UV := $(shell command -v uv)

ifdef UV
MAKE_VENV = $(UV) venv -q --allow-existing --no-python-downloads --python "$(PYTHON)" $(VENV)
INSTALL = $(UV) pip install -q --python $(BIN)/python
MAKE_CLIENTS = $(UV) venv -q --allow-existing --no-python-downloads --python "$(PYTHON)" $(@D)
INSTALL_CLIENTS = $(UV) pip install -q --python $(@D)/bin/python
else
MAKE_VENV = "$(PYTHON)" -m venv $(VENV)
INSTALL = $(BIN)/python -m pip install -q --disable-pip-version-check
MAKE_CLIENTS = "$(PYTHON)" -m venv $(@D)
INSTALL_CLIENTS = $(@D)/bin/python -m pip install -q --disable-pip-version-check
endif
# The locks are complete, so nothing is resolved; the project is built with the locked setuptools.
INSTALL_LOCK = $(INSTALL) --no-deps --require-hashes -r
INSTALL_SELF = $(INSTALL) --no-deps --no-build-isolation -e .

help:  ## list the targets
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*##/\t/' | expand -t 10

run: $(VENV)/.installed  ## install, start everything, run the demo (ARGS=--once, ARGS=--fresh)
	@exec $(BIN)/enfilade up $(ARGS)

test: $(VENV)/.installed-dev $(CLIENTS)/.installed $(TAP)/.installed $(NODE_CLIENTS)/.installed  ## all tests, in parallel (ARGS="tests/gateway -k limit")
	@exec $(BIN)/python -m tests.support.cost $(BIN)/python -m pytest -n logical --dist loadgroup $(ARGS)

check: $(VENV)/.installed-dev  ## format, lint, types, import laws, contract drift
	@echo "== format"; $(BIN)/ruff format --check .
	@echo "== lint"; $(BIN)/ruff check .
	@# No check for newer versions: the locked version runs, without a network.
	@echo "== types"; PYRIGHT_PYTHON_IGNORE_WARNINGS=1 $(BIN)/pyright
	@echo "== import laws"; $(BIN)/lint-imports
	@echo "== contract drift"; $(BIN)/enfilade contracts check

format: $(VENV)/.installed-dev  ## format, and fix what lint can fix
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

sizes: $(VENV)/.installed-dev  ## lines of each vendor, and of what vendors share
	@exec $(BIN)/python -m tests.support.sizes

bench: $(VENV)/.installed-dev  ## benchmark, as ratios
	@exec $(BIN)/python -m bench $(ARGS)

lock: $(VENV)/.installed-dev  ## write all locks from pyproject.toml and requirements*.in (ARGS=--upgrade for newer versions)
	@$(LOCK) --all-extras --group build pyproject.toml -o requirements.lock $(ARGS)
	@$(LOCK) --extra salesforce -c requirements.lock pyproject.toml -o requirements-server.lock $(ARGS)
	@$(LOCK) --all-extras --group build -c requirements.lock pyproject.toml requirements-dev.in -o requirements-dev.lock $(ARGS)
	@$(LOCK) tests/clients/requirements.in -o tests/clients/requirements.lock $(ARGS)
	@$(LOCK) --override tests/clients/tap/overrides.txt tests/clients/tap/requirements.in \
		-o tests/clients/tap/requirements.lock $(ARGS)

# No address of a package index in a lock: hashes identify a package, from any index.
LOCK = $(BIN)/uv pip compile -q --generate-hashes --no-emit-index-url --no-emit-find-links --no-header \
	--python-version 3.11

dump: $(VENV)/.installed-dev  ## write this release's database for the next release's upgrade test (VERSION=x.y.z)
	@exec $(BIN)/python -m tests.upgrade.make_dump $(VERSION)

clean:  ## remove the environment and all caches; the data in .enfilade stays
	rm -rf $(VENV) .venv-* $(NODE_CLIENTS) build dist *.egg-info .pytest_cache .ruff_cache .hypothesis .schemathesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(BIN)/python:
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed, as python3 or by PYTHON=path.")'
	@echo "Making $(VENV) …"
	@$(MAKE_VENV)

$(VENV)/.installed: requirements.lock pyproject.toml | $(BIN)/python
	@echo "Installing the runtime packages …"
	@$(INSTALL_LOCK) requirements.lock
	@$(INSTALL_SELF)
	@touch $@

# The second lock includes the first, so this environment can run the product as well.
$(VENV)/.installed-dev: requirements-dev.lock pyproject.toml | $(BIN)/python
	@echo "Installing the runtime and development packages …"
	@$(INSTALL_LOCK) requirements-dev.lock
	@$(INSTALL_SELF)
	@touch $(VENV)/.installed $@

# Without Node, or without its packages, their tests are skipped, with that reason.
$(NODE_CLIENTS)/.installed: tests/clients/node/package-lock.json
	@if command -v npm >/dev/null; then \
		echo "Installing the clients of Node that verify the stand-in vendors …"; \
		(cd tests/clients/node && npm ci --ignore-scripts --silent && touch node_modules/.installed) || \
			echo "They could not be installed: their tests will be skipped."; \
	fi

$(CLIENTS)/.installed: tests/clients/requirements.lock
$(TAP)/.installed: tests/clients/tap/requirements.lock
$(CLIENTS)/.installed $(TAP)/.installed:
	@echo "Installing clients that verify the stand-in vendors: $(@D) …"
	@$(MAKE_CLIENTS)
	@$(INSTALL_CLIENTS) --no-deps --require-hashes -r $<
	@touch $@
