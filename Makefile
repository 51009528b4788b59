# `make demo` and `make test` are all that a new machine needs; each does its own set-up, quick the second time.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
.DEFAULT_GOAL := help
.PHONY: help demo test outcomes check build format pictures clean

help: ## show this list
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-9s %s\n", $$1, $$2}'

demo: build ## run the whole product on this machine, until Ctrl-C
	@$(BIN)/hitchpost demo

test: check browsers ## every check and every test
	@scripts/test

outcomes: build browsers ## every ending in three browser engines, and docs/outcomes.md from it
	@HITCHPOST_OUTCOMES=docs/outcomes.md $(BIN)/python -m pytest --numprocesses 2 tests/browser/outcomes

check: build ## formatting, types, import rules, unused code
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	npm run --silent check

build: $(VENV)/.installed static/widget/dist/hitchpost.js ## install what is pinned, build the widget

$(VENV)/.installed: requirements.lock pyproject.toml
	@echo "setting up Python in $(VENV)"
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

node_modules/.installed: package-lock.json
	@echo "setting up Node packages"
	@npm ci --silent --no-audit --no-fund
	@touch $@

static/widget/dist/hitchpost.js: node_modules/.installed webpack.config.js tsconfig.json $(wildcard static/widget/src/*.ts)
	@echo "building the widget"
	@npm run --silent build

.PHONY: browsers
browsers:
	@scripts/install-browsers

format: build ## rewrite the sources in the house's format
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

pictures: build browsers ## make the documentation's pictures from the running product
	$(BIN)/python scripts/pictures.py

clean: ## forget everything that was built or installed here
	rm -rf $(VENV) node_modules static/widget/dist .demo .build test-output
