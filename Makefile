# leakmon: the two commands of the README and the developer's daily ones.
# Needs Python 3.11 or newer, git and make; everything else goes into .venv (and node_modules of the tests).

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.SUFFIXES:
MAKEFLAGS += --no-print-directory
SHELL := /bin/bash

VENV := .venv
BIN := $(VENV)/bin
ARGS ?=
UPGRADE ?= --upgrade
CONFIG ?= deploy/leakmon.example.toml

# The first Python that is new enough and can make an environment. PYTHON=/path/to/python3.13 overrules.
CANDIDATES := python3 python3.14 python3.13 python3.12 python3.11
NEW_ENOUGH := import sys, ensurepip, venv; sys.exit(sys.version_info < (3, 11))
PYTHON ?= $(firstword $(foreach p,$(CANDIDATES),$(shell $(p) -c '$(NEW_ENOUGH)' >/dev/null 2>&1 && echo $(p))))

# A stamp carries the digest of what it stands for: it is made anew when that changes, and only then.
digest = $(firstword $(shell cat $(1) 2>/dev/null | git hash-object --stdin))
RUN_STAMP := $(VENV)/.leakmon-run-$(call digest,requirements.lock requirements-build.lock)
DEV_STAMP := $(VENV)/.leakmon-dev-$(call digest,requirements-dev.lock)
NODE_STAMP := tests/servers/node_modules/.leakmon-$(call digest,tests/servers/package-lock.json)
# Suites that mostly wait (for servers, daemons, databases) run beside those that compute: two cores, half the time.
WAITING := tests/contract tests/deploy tests/e2e tests/jobs tests/network tests/service tests/smoke
PIP_INSTALL := $(BIN)/python -m pip install --quiet --no-input --disable-pip-version-check --require-virtualenv
CHECK_PINS = @tidings="$$($(BIN)/python -m pip check --disable-pip-version-check)" || { echo "$$tidings" >&2; exit 1; }
LOCK := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-emit-find-links --no-annotate --custom-compile-command "make lock"

.PHONY: help
help: ## This list
	@echo 'make scan TARGET=npm:is-number   inspect one published package (sets everything up first)'
	@echo 'make test                        run the whole test suite (sets everything up first)'
	@echo
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-15s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: setup
setup: $(RUN_STAMP) ## Make .venv with what leakmon needs to run

# The exit status is part of leakmon's contract (1: findings, 3: not inspected in full). make itself
# can only say "failed", so findings end this goal well and the status is told in words; call
# .venv/bin/leakmon where a script needs it.
export TARGET
.PHONY: scan
scan: $(RUN_STAMP) ## Inspect TARGET (a package, archive, folder or repository); options in ARGS
ifeq ($(strip $(TARGET)),)
	@echo 'Name a target: make scan TARGET=npm:is-number' >&2; exit 2
else
	@status=0; $(BIN)/leakmon scan $(ARGS) -- "$$TARGET" || status=$$?; \
	case $$status in \
		0) ;; \
		1) echo 'There are findings (exit status 1 of .venv/bin/leakmon scan).' >&2;; \
		*) exit $$status;; \
	esac
endif

.PHONY: watch
watch: $(RUN_STAMP) ## Run the daemon in build/watch, with CONFIG (default: the example); options in ARGS
	@mkdir -p build/watch
	@echo 'In build/watch, with $(CONFIG). It shows that it works by a canary, a known leak that it feeds itself;' >&2
	@echo 'then it waits for what your organisation publishes: copy the file, name your own, make watch CONFIG=FILE' >&2
	@config="$$(realpath "$(CONFIG)")"; cd build/watch && exec ../../$(BIN)/leakmon watch --config "$$config" $(ARGS)

.PHONY: crash
crash: $(DEV_STAMP) node ## Kill the daemon 40 times under 200 publishes; ARGS="--seed N" repeats a run, "--database postgresql" is a cluster
	@$(BIN)/python -m tests.e2e.crash $(ARGS)

.PHONY: slack-picture
slack-picture: $(DEV_STAMP) ## Draw the Slack message with Chromium: build/slack-source.png, build/slack-secret.png
	@mkdir -p build
	@for kind in source secret; do $(BIN)/python -m tests.alerts.picture build/slack-$$kind.png $$kind || exit; done

.PHONY: test
test: $(DEV_STAMP) node ## Run the whole test suite; options for pytest in ARGS
ifeq ($(ARGS),)
	@told=$$(mktemp); trap 'rm -f "$$told"' EXIT; \
	$(BIN)/python -m pytest $(WAITING) >"$$told" 2>&1 & waiting=$$!; \
	$(BIN)/python -m pytest $(addprefix --ignore=,$(WAITING)); computing=$$?; \
	wait $$waiting; waited=$$?; cat "$$told"; exit $$((computing | waited))
else
	@$(BIN)/python -m pytest $(ARGS)
endif

.PHONY: check
check: $(DEV_STAMP) ## Lint, format, types, import contracts, house rules
	@$(BIN)/ruff check --quiet .
	@$(BIN)/ruff format --quiet --check . || { echo 'To format: make format' >&2; exit 1; }
	@$(BIN)/mypy --no-error-summary
	@$(BIN)/lint-imports --no-logo >$(VENV)/lint-imports.txt 2>&1 || { cat $(VENV)/lint-imports.txt; exit 1; }
	@$(BIN)/python -m pytest --no-header tests/house

.PHONY: format
format: $(DEV_STAMP) ## Format the code and mend what ruff can mend
	@$(BIN)/ruff format --quiet .
	@$(BIN)/ruff check --quiet --fix .

.PHONY: bench
bench: $(DEV_STAMP) ## Measure speed and memory, side by side with Kingfisher (tests/bench/README.md)
	@$(BIN)/python -m tests.bench.startup
	@$(BIN)/python -m tests.bench.speed $(ARGS)

.PHONY: bench-detection bench-floor bench-hiding bench-lookalikes bench-maps bench-matching bench-matching-cost bench-matching-strangers bench-precision bench-semgrep bench-scale
bench-detection: $(DEV_STAMP) ## Measure recall and false alarms, side by side with three peers
	@$(BIN)/python -m tests.bench.detection $(ARGS)

bench-floor: $(DEV_STAMP) ## What inflating and one pass of Hyperscan cost by themselves, beside Kingfisher
	@$(BIN)/python -m tests.bench.floor $(ARGS)

bench-hiding: $(DEV_STAMP) ## Which ways to hide a token are seen through
	@$(BIN)/python -m tests.bench.hiding

bench-lookalikes: $(DEV_STAMP) ## Measure how quickly a feed's name is held against names of ours
	@$(BIN)/python -m tests.bench.lookalikes $(ARGS)

bench-maps: $(DEV_STAMP) ## Measure one source map of 60 MB with 1,900 sources
	@$(BIN)/python -m tests.bench.maps $(ARGS)

bench-precision: $(DEV_STAMP) ## Measure what is said in vain on 40 popular packages
	@$(BIN)/python -m tests.bench.precision $(ARGS)

.PHONY: bench-load bench-latency
bench-load: $(DEV_STAMP) ## Replay ten times the load of npm and PyPI (tests/bench/watch.md)
	@$(BIN)/python -m tests.bench.load $(ARGS)

bench-latency: $(DEV_STAMP) node ## From npm publish and twine upload to the message (tests/bench/watch.md)
	@$(BIN)/python -m tests.e2e.latency $(ARGS)

bench-semgrep: $(DEV_STAMP) ## Measure the matcher against Semgrep itself
	@$(BIN)/python -m tests.bench.semgrep $(ARGS)

bench-scale: $(DEV_STAMP) ## Measure the queues, and 1, 2 and 4 workers of a cluster
	@$(BIN)/python -m tests.bench.scale $(ARGS)

bench-matching: $(DEV_STAMP) ## Measure the matching of private code, side by side with three peers
	@$(BIN)/python -m tests.bench.matching $(ARGS)

bench-matching-cost: $(DEV_STAMP) ## What a scan costs with a matcher on, against one without
	@$(BIN)/python -m tests.bench.matching.cost $(ARGS)

bench-matching-strangers: $(DEV_STAMP) ## False alarms of private code on thousands of packages of others
	@$(BIN)/python -m tests.bench.matching.strangers $(ARGS)

.PHONY: lock
lock: $(DEV_STAMP) ## Resolve the newest dependencies into the lock files (UPGRADE= keeps what fits)
	@$(LOCK) $(UPGRADE) pyproject.toml -o requirements.lock >/dev/null
	@$(LOCK) $(UPGRADE) --group build -c requirements.lock -o requirements-build.lock >/dev/null
	@$(LOCK) $(UPGRADE) pyproject.toml --group dev -c requirements.lock -c requirements-build.lock \
		-o requirements-dev.lock >/dev/null
	@$(LOCK) pyproject.toml --extra cluster --extra provenance -c requirements.lock \
		-c requirements-dev.lock -o deploy/requirements.lock >/dev/null

.PHONY: clean
clean: ## Remove everything that make made
	@rm -rf $(VENV) tests/servers/node_modules build dist .mypy_cache .pytest_cache .ruff_cache .hypothesis \
		.import_linter_cache


$(BIN)/python:
	@$(if $(PYTHON),,echo 'leakmon needs Python 3.11 or newer with venv and ensurepip (Debian: the python3-venv package); none was found.' >&2; exit 2)
	@echo 'Making $(VENV) with $(PYTHON)' >&2
	@$(PYTHON) -m venv $(VENV)

# pip takes the index from the user's own configuration; the hashes make any index as good as another. A lock is
# complete, so pip resolves nothing: older ones (< 23.3) look for `pydantic[email]` beside a locked pydantic.
$(RUN_STAMP): | $(BIN)/python
	@echo 'Installing what leakmon needs' >&2
	@$(PIP_INSTALL) --no-deps --require-hashes -r requirements.lock -r requirements-build.lock
	@$(PIP_INSTALL) --no-deps --no-build-isolation -e .
	@$(BIN)/python -m compileall -q monitor  # as pip does for what it copies; confined children cannot
	$(CHECK_PINS)
	@rm -f $(VENV)/.leakmon-run-*; touch $@

$(DEV_STAMP): $(RUN_STAMP)
	@echo 'Installing what its tests and checks need' >&2
	@$(PIP_INSTALL) --no-deps --require-hashes -r requirements-dev.lock
	$(CHECK_PINS)
	@rm -f $(VENV)/.leakmon-dev-*; touch $@

.PHONY: node
ifneq ($(wildcard tests/servers/package-lock.json),)
node: $(NODE_STAMP)
$(NODE_STAMP):
	@command -v npm >/dev/null || { echo 'The npm registry tests need Node with npm on PATH.' >&2; exit 2; }
	@echo 'Installing the npm registry that the tests talk to' >&2
	@npm ci --prefix tests/servers --ignore-scripts --no-audit --no-fund --loglevel=error
	@touch $@
else
node:
endif
