# The one list of commands. `make help` shows it; .ci/run calls the same words.
# Needs Python 3.11 or newer, Node 20.19 or newer with npm, and nothing else: what is missing is
# installed into .venv and frontend/node_modules, or by apt-get, or there is a sentence that says how.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.ONESHELL:
.NOTPARALLEL:
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help

PYTHON ?= python3
HOST ?= 127.0.0.1
PORT ?= 8000
ARGS ?=
RUNS ?= 200000
SEEDS ?= 1 2 3
# One test process for each core; -n 0 in ARGS is for a debugger.
CORES := -n logical --dist loadscope
# What starts whole servers, or asks nothing of the database, needs no second run.
SQLITE_ONLY := $(addprefix --ignore ,messenger/tests/test_run.py accounts/tests/test_fuzz_api.py \
	chat/tests/test_fuzz_servers.py chat/tests/test_limits_servers.py)

IN_VENV := .venv/bin/python
RUN_READY := .venv/.run-ready
DEV_READY := .venv/.dev-ready
NODE_READY := frontend/node_modules/.package-lock.json
SCAN_READY := deploy/scan/node_modules/.package-lock.json
PAGE := frontend/dist/index.html
PAGE_SOURCES := $(shell find frontend/src frontend/public frontend/index.html frontend/vite.config.ts 2>/dev/null)
BIN := node_modules/.bin

define need_python
@command -v $(PYTHON) >/dev/null || { echo "$(PYTHON) is missing. Install Python 3.11 or newer (Debian: apt-get install python3 python3-venv), or name one: make PYTHON=/path/to/python3"; exit 1; }
$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "$$($(PYTHON) --version) is too old: Quarter needs Python 3.11 or newer. Name one: make PYTHON=python3.13"; exit 1; }
endef

define need_node
@command -v node >/dev/null || { echo "Node is missing: the page is built with it. Install Node 20.19 or newer with npm (Debian 13: apt-get install nodejs npm), then try again."; exit 1; }
command -v npm >/dev/null || { echo "npm is missing. Install it beside Node (Debian: apt-get install npm), then try again."; exit 1; }
node -e 'const [a, b] = process.versions.node.split(".").map(Number); process.exit(a > 20 || (a === 20 && b >= 19) ? 0 : 1)' || { echo "Node $$(node --version) is too old: the page needs Node 20.19 or newer."; exit 1; }
endef

.PHONY: help run dev build test style types test-python test-reference test-postgres test-page e2e test-soak soak abuse properties scan bench bench-server vectors format lock clean chromium

help: ## show this list
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z0-9-]+):.*## /\1\t/' | sort | awk -F'\t' '{ printf "  make %-14s %s\n", $$1, $$2 }'

run: $(RUN_READY) $(PAGE) ## start Quarter at http://localhost:8000 (HOST=, PORT=, ARGS=)
	@exec $(IN_VENV) manage.py run --host $(HOST) --port $(PORT) $(ARGS)

dev: $(DEV_READY) $(NODE_READY) ## start Quarter with the page from Vite, reloaded as it changes
	@exec $(IN_VENV) manage.py run --dev --host $(HOST) --port $(PORT) $(ARGS)

build: $(PAGE) ## build the page into frontend/dist

# What mostly waits runs beside what mostly computes: that saves a third of the time.
test: style types ## everything, until something fails
	@$(call beside,test-page,test-python test-reference test-postgres)
	$(call beside,test-soak,e2e)
	echo "== all tests passed"

# The log of the first is shown when the second has ended.
define beside
( log=$$(mktemp)
  $(MAKE) --no-print-directory $(1) >$$log 2>&1 &
  trap 'kill $$! 2>/dev/null || true; cat $$log; rm -f $$log' EXIT
  $(MAKE) --no-print-directory $(2)
  wait $$! )
endef

style: $(DEV_READY) $(NODE_READY) ## ruff, prettier, oxlint
	@echo "== style"
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	frontend/$(BIN)/oxlint -c frontend/.oxlintrc.json --deny-warnings bench
	cd frontend
	$(BIN)/prettier --config .prettierrc.json --check --log-level warn . ../bench
	$(BIN)/oxlint --deny-warnings src tests

types: $(DEV_READY) $(NODE_READY) ## mypy --strict, vue-tsc
	@echo "== types"
	.venv/bin/mypy manage.py messenger accounts chat reference bench e2e soak docs/formal
	cd frontend
	$(BIN)/vue-tsc --noEmit

test-python: $(DEV_READY) $(PAGE) ## the server's tests, on SQLite
	@echo "== the server's tests"
	exec $(IN_VENV) -m pytest messenger accounts chat bench $(CORES) $(ARGS)

test-reference: $(DEV_READY) $(PAGE) ## the tests of the reference client
	@echo "== the tests of the reference client"
	exec $(IN_VENV) -m pytest reference $(CORES) $(ARGS)

test-postgres: $(DEV_READY) $(PAGE) ## the server's tests on PostgreSQL, where one is installed
	@if ! compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null && ! command -v initdb >/dev/null; then
	  echo "== the server's tests on PostgreSQL: left out, no PostgreSQL server is installed here"
	  exit 0
	fi
	echo "== the server's tests on PostgreSQL"
	exec $(IN_VENV) -m messenger.tests.services $(IN_VENV) -m pytest messenger accounts chat $(SQLITE_ONLY) $(CORES) $(ARGS)

test-page: $(NODE_READY) ## the page's tests: protocol, vault, engine, components
	@echo "== the page's tests"
	cd frontend
	exec $(BIN)/vitest run $(ARGS)

e2e: $(DEV_READY) $(PAGE) $(SCAN_READY) chromium ## the promises, in a real browser against the really started stack
	@echo "== the browser tests"
	exec $(IN_VENV) -m pytest e2e $(CORES) $(ARGS)

test-soak: $(DEV_READY) ## people talk for a minute while the parts are hurt, on three plants at once
	@echo "== the promises under faults"
	exec $(IN_VENV) -m pytest soak -p no:randomly $(ARGS)

soak: $(DEV_READY) ## the same at length: 100 conversations, 200 messages/s, 10 minutes a seed (SEEDS=); scenarios; properties (hours)
	@run="$(IN_VENV) -m soak --conversations 100 --rate 200 --seconds 600 --seeds $(SEEDS)"
	$$run
	$$run --database postgres --servers 2
	$(IN_VENV) -m soak.scenarios all
	$(MAKE) --no-print-directory properties

abuse: $(DEV_READY) ## overload and abuse of a started server, and what others feel of it
	@exec $(IN_VENV) -m soak.abuse $(ARGS)

properties: $(DEV_READY) $(NODE_READY) ## the protocol's properties, RUNS=200000 times each, in both implementations (hours)
	@echo "== $(RUNS) runs of each property"
	export PROPERTY_RUNS=$(RUNS)
	$(IN_VENV) -m pytest reference/tests/test_properties.py $(ARGS)
	cd frontend
	exec $(BIN)/vitest run tests/properties

scan: $(SCAN_READY) ## install what looks at our headers: Mozilla's observatory, Google's csp_evaluator

bench: $(DEV_READY) $(NODE_READY) chromium ## what a message costs, beside hybrid RSA in node-forge; a page that gets 200 a second
	@$(IN_VENV) -m bench.message_cost $(ARGS)
	$(IN_VENV) -m bench.busy_page

bench-server: $(DEV_READY) ## what the server costs: messages, memory, time; beside two other servers (above an hour; ARGS=--quick)
	@exec $(IN_VENV) -m bench.server $(ARGS)

vectors: $(DEV_READY) $(NODE_READY) ## make the protocol's vectors anew, of both implementations (docs/vectors)
	@$(IN_VENV) -m reference.vectors
	cd frontend
	exec npm run --silent vectors

format: $(DEV_READY) $(NODE_READY) ## write the house style into the files
	@.venv/bin/ruff check --fix .
	.venv/bin/ruff format .
	cd frontend
	$(BIN)/prettier --config .prettierrc.json --write --log-level warn . ../bench

lock: $(DEV_READY) ## resolve the dependencies anew, with hashes
	@.venv/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --upgrade requirements.in -o requirements.txt
	.venv/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --upgrade requirements-dev.in -o requirements-dev.txt
	cd frontend
	npm install --package-lock-only --no-audit --no-fund

clean: ## remove what was installed and built; the data in var/ stays
	rm -rf .venv frontend/node_modules deploy/scan/node_modules frontend/dist frontend/coverage staticfiles test-results .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

chromium:
	@[ -x "$${CHROMIUM:-/usr/bin/chromium}" ] || .ci/apt chromium

$(IN_VENV):
	$(need_python)
	$(PYTHON) -c 'import ensurepip' 2>/dev/null || .ci/apt "python$$($(PYTHON) -c 'import sys; print("%d.%d" % sys.version_info[:2])')-venv"
	echo "== making .venv with $$($(PYTHON) --version)"
	$(PYTHON) -m venv --clear .venv

# The lock files are whole. With dependencies pip would look at newer releases too, and refuse them.
$(RUN_READY): requirements.txt | $(IN_VENV)
	@echo "== installing what Quarter runs on"
	$(IN_VENV) -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements.txt
	touch $@

$(DEV_READY): requirements-dev.txt requirements.txt | $(IN_VENV)
	@echo "== installing what Quarter runs on and is tested with"
	$(IN_VENV) -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements-dev.txt
	touch $(RUN_READY) $@

$(NODE_READY): frontend/package.json frontend/package-lock.json frontend/.npmrc
	$(need_node)
	echo "== installing what the page is built with"
	cd frontend
	npm ci --no-audit --no-fund --loglevel error
	touch node_modules/.package-lock.json

$(SCAN_READY): deploy/scan/package.json deploy/scan/package-lock.json deploy/scan/.npmrc
	$(need_node)
	echo "== installing what looks at our headers"
	cd deploy/scan
	npm ci --no-audit --no-fund --loglevel error
	touch node_modules/.package-lock.json

$(PAGE): $(NODE_READY) $(PAGE_SOURCES)
	$(need_node)
	echo "== building the page"
	cd frontend
	$(BIN)/vite build --logLevel warn
	touch dist/index.html
