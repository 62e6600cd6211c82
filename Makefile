# Each target does its own set-up from nothing but Python 3.11 or newer, and does it once.

# The first of these that is new enough; say make PYTHON=/its/path for another.
PYTHON ?= $(shell for each in python3 python3.14 python3.13 python3.12 python3.11; do \
  "$$each" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo "$$each" && break; done)
WORKERS ?= 2
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check -qq install
SDK := tests/sdk
DATA := $(or $(PORTAL_HOME),instance)
NEWEST_MIGRATION := $(lastword $(sort $(wildcard portal/migrations/versions/0*.py)))
APT := DEBIAN_FRONTEND=noninteractive apt-get -qq
export PIP_ROOT_USER_ACTION := ignore
# Compiled once, the packages load three times as fast; some machines are set up never to keep what they compile.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help run test soak check audit bench format lock screenshots coverage urls browser kannel

help: ## Say what can be made
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

# Schema and demo data are there already where .demo says so; for another database than ours, we ask it.
run: $(VENV)/.run ## Start Ringback with demo data, and print where it is
	@test -z "$(PORTAL_DATABASE_URL)" && test -e "$(DATA)/ringback.db" && test "$(DATA)/.demo" -nt $(NEWEST_MIGRATION) \
	  || { $(BIN)/portal migrate && $(BIN)/portal demo && touch "$(DATA)/.demo"; }
	@exec $(BIN)/portal serve

test: $(VENV)/.dev $(SDK)/node_modules/.package-lock.json browser kannel ## Run every test, on SQLite and on PostgreSQL
	@$(BIN)/python -m pytest -n $(WORKERS) --dist loadgroup $(ARGS)

soak: $(VENV)/.dev ## Run the proofs that take minutes: restarts, kills and floods, again and again
	@$(BIN)/python -m pytest -n 0 --override-ini "norecursedirs=.* bench build node_modules" tests/soak -s $(ARGS)

check: $(VENV)/.dev ## Check format, lint, types, floors, spelling and templates
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo
	@$(BIN)/codespell
	@$(BIN)/djlint templates --lint --quiet

# A package that the database was not asked about counts as unsafe (--strict), so this needs the network.
audit: $(VENV)/.dev ## Ask the public database of known weaknesses about every pinned package
	@$(BIN)/uv tool run --quiet --from "pip-audit>=2.9,<3" pip-audit --strict --disable-pip --require-hashes \
	  -r requirements.txt $(ARGS)

bench: $(VENV)/.dev ## Measure requests per second on both databases, beside bare and lean routes
	@$(BIN)/python -m tests.bench $(ARGS)

format: $(VENV)/.dev ## Put the code into the house's format
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

coverage: $(VENV)/.dev $(SDK)/node_modules/.package-lock.json browser kannel ## Run every test and say which branches none took
	@$(BIN)/python -m pytest -n $(WORKERS) --dist loadgroup --cov --cov-report=term-missing $(ARGS)

screenshots: $(VENV)/.dev browser ## Make the README's pictures again
	@$(BIN)/python -m tests.browser.screenshots

urls: $(VENV)/.dev ## Write the list of URLs again, after a change that was meant
	@$(BIN)/python -m tests.house.urls

# Neither lock names a host, so both work with whatever registry pip and npm are set up with here.
lock: $(VENV)/.dev ## Lock the dependencies again (ARGS=--upgrade takes newer ones)
	@UV_CUSTOM_COMPILE_COMMAND="make lock" $(BIN)/uv pip compile --quiet --universal --python-version 3.11 \
	  --generate-hashes --no-strip-extras --group build pyproject.toml --output-file requirements.txt $(ARGS)
	@UV_CUSTOM_COMPILE_COMMAND="make lock" $(BIN)/uv pip compile --quiet --universal --python-version 3.11 \
	  --generate-hashes --no-strip-extras --group build --group dev --constraint requirements.txt pyproject.toml \
	  --output-file requirements-dev.txt $(ARGS)
	@cd $(SDK) && npm install --package-lock-only --omit-lockfile-registry-resolved --no-audit --no-fund --silent

# --- What the targets above stand on. A file in $(VENV) marks what is done. ---

$(VENV)/.made:
	@test -n "$(PYTHON)" || { echo "Ringback needs Python 3.11 or newer, and found none: install it, or say make PYTHON=/its/path."; exit 1; }
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "Ringback needs Python 3.11 or newer, and $(PYTHON) is older: say make PYTHON=/the/path/of/a/newer/one."; exit 1; }
	@"$(PYTHON)" -c 'import ensurepip, venv' 2>/dev/null \
	  || { echo "Python's venv module is missing: on Debian and Ubuntu, run apt-get install python3-venv."; exit 1; }
	@test -x $(BIN)/python || "$(PYTHON)" -m venv $(VENV)
	@touch $@

$(VENV)/.run: requirements.txt pyproject.toml | $(VENV)/.made
	@echo "Installing what Ringback needs, one to two minutes ..."
	@$(PIP) --require-hashes -r requirements.txt
	@$(PIP) --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/.dev: requirements-dev.txt $(VENV)/.run
	@echo "Installing what the tests and checks need, about a minute ..."
	@$(PIP) --require-hashes -r requirements-dev.txt
	@touch $@

$(SDK)/node_modules/.package-lock.json: $(SDK)/package.json $(SDK)/package-lock.json
	@command -v npm >/dev/null || { test "$$(id -u)" = 0 && command -v apt-get >/dev/null \
	  && echo "Installing Node ..." && $(APT) update && $(APT) install -y --no-install-recommends nodejs npm >/dev/null; } \
	  || echo "Node is missing, so the tests with Kii's own client are skipped: install node and npm."
	@! command -v npm >/dev/null \
	  || { npm ci --prefix $(SDK) --ignore-scripts --no-audit --no-fund --silent && touch $@; }

browser:
	@command -v chromium >/dev/null || command -v chromium-browser >/dev/null || command -v google-chrome >/dev/null \
	  || { test "$$(id -u)" = 0 && command -v apt-get >/dev/null \
	  && echo "Installing Chromium ..." && $(APT) update && $(APT) install -y --no-install-recommends chromium fonts-dejavu-core >/dev/null; } \
	  || echo "Chromium is missing, so the browser tests are skipped: on Debian, run apt-get install chromium."

# Its programs stand in /usr/sbin, which is not on everybody's path; the package starts nothing by itself.
kannel:
	@test -x /usr/sbin/bearerbox && test -x /usr/lib/kannel/test/fakesmsc \
	  || { test "$$(id -u)" = 0 && command -v apt-get >/dev/null \
	  && echo "Installing Kannel ..." && $(APT) update && $(APT) install -y --no-install-recommends kannel kannel-extras >/dev/null; } \
	  || echo "Kannel is missing, so the tests against a real SMS gateway are skipped: on Debian, run apt-get install kannel kannel-extras."
