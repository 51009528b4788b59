# `make demo` and `make test` are all that a new machine needs; each does its own set-up, quick the second time.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
.DEFAULT_GOAL := help
.PHONY: help demo test unit databases faults outcomes engines soak bench fuzz providers check build format pictures mutants audit sbom clean

help: ## show this list
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-9s %s\n", $$1, $$2}'

demo: build ## run the whole product on this machine, until Ctrl-C
	@$(BIN)/hitchpost demo

test: check packages ## every check and every test
	@scripts/test

databases: build packages ## every test of the programs on both kinds of databases, repetitions included
	@TESTS_EVERY_DATABASE=1 $(BIN)/python -m pytest -n 2 --dist worksteal -k postgresql --ignore tests/browser --ignore tests/faults tests

faults: build packages ## every fault at every place, kills while people connect, broken machines: twenty minutes
	@scripts/faults

outcomes: build packages ## every ending in three browser engines, and docs/outcomes.md from it
	@TESTS_OUTCOMES=docs/outcomes.md $(BIN)/python -m pytest tests/browser/outcomes

engines: build packages ## every browser test in three engines and all languages, repetitions included
	@TESTS_EVERY_ENGINE=1 $(BIN)/python -m pytest -n 3 --dist worksteal tests/browser

soak: build packages ## two hundred flows at once for two minutes: no error, nothing grows
	@$(BIN)/python scripts/soak.py

bench: build packages ## measure beside peers, then write docs/performance.md: best on a quiet machine
	@$(BIN)/python -m bench $(GOALS)

fuzz: build packages ## both APIs and every parser, with new cases each time: a quarter of an hour
	@TESTS_FUZZ_EXAMPLES=$${TESTS_FUZZ_EXAMPLES:-200} $(BIN)/python -m pytest --timeout 3600 tests/fuzz tests/browser/third_parties/test_messages.py

providers: build ## every shipped provider's shape, and well-known ones in a browser; KEYS="slack xero": these shapes only
	@$(BIN)/python scripts/providers.py $(KEYS)
	@[ -n "$(KEYS)" ] || TESTS_PROVIDERS=1 $(BIN)/python -m pytest tests/browser/third_parties/test_well_known.py

check: build ## formatting, types, import rules, the house's own rules, known mistakes
	@scripts/check

unit: build ## what decides, without servers and browsers: with `make check`, within a minute
	@scripts/unit

build: $(VENV)/.installed static/widget/dist/hitchpost.js ## install what is pinned, build the widget

wheel: build ## make the package that a server installs, in dist/
	@rm -rf dist
	@$(BIN)/pip wheel --quiet --disable-pip-version-check --no-deps --no-build-isolation --wheel-dir dist .
	@ls dist/*.whl

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

.PHONY: packages
packages:
	@scripts/install-packages

format: build ## rewrite the sources in the house's format
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

pictures: build packages ## make the documentation's pictures from the running product
	$(BIN)/python scripts/pictures.py

mutants: build ## break what guards, line by line: the tests must notice (an hour or so)
	$(BIN)/python scripts/mutants.py

audit: build ## known faults in what is installed; needs a registry that tells advisories
	$(BIN)/pip-audit --strict --disable-pip --require-hashes -r requirements.lock

sbom: build ## what the product is made of, in .build/sbom.json (CycloneDX)
	@mkdir -p .build
	$(BIN)/cyclonedx-py environment --pyproject pyproject.toml --output-reproducible --of JSON -o .build/sbom.json $(BIN)/python

clean: ## forget everything that was built or installed here
	rm -rf $(VENV) node_modules static/widget/dist dist .demo .build test-output
