# Everything runs from a virtual environment that the first target makes: .venv, by python3 -m venv and pip.
# Another Python: make PYTHON=python3.12 test. What is needed beside Python: see README.md, "Set-up".

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.complete

PYTEST ?= $(BIN)/pytest -n auto

# make bench BENCH="--commits 20000 --sections cold" BENCH_PATHS="--files 45000" BENCH_NAR="--megabytes 300"
# make bench BENCH_FETCH="--commits 10000 --protocols file" BENCH_GATEWAY="--megabytes 300"
# make fuzz ROUNDS=100
BENCH ?=
BENCH_PATHS ?=
BENCH_NAR ?=
BENCH_FETCH ?=
BENCH_GATEWAY ?=
COMPARE ?= --examples 20000
ROUNDS ?= 10

# The parts that decide: their coverage by the tests is complete, branches included.
CORE := gitverify/objects/*,gitverify/signatures/*,gitverify/policies/*,gitverify/trees/*,gitverify/rules/*

.PHONY: help demo test coverage lint types imports check fixtures man completions tutorial bench compare mutation fuzz clean

help:
	@echo "make demo      build a signed sample history, verify it, tamper with it in five ways"
	@echo "make test      run the tests"
	@echo "make coverage  the same, and demand that the deciding parts are covered completely"
	@echo "make lint      ruff: style, formatting"
	@echo "make types     mypy --strict"
	@echo "make imports   the layers: who may import whom"
	@echo "make check     coverage, lint, types, imports"
	@echo "make fixtures  build the conformance corpus in build/fixtures, to look at"
	@echo "make man       the man pages, in build/man"
	@echo "make completions  files for bash, zsh and fish, in build/completions"
	@echo "make tutorial  run docs/tutorial.md, from pip install on, and take the time"
	@echo "make bench     speed and memory, as ratios within one run"
	@echo "make compare   random histories, judged by the rules and by the reference"
	@echo "make mutation  mutants of the rules, which the tests must kill"
	@echo "make fuzz      the fuzz targets, again and again with other input"
	@echo "make clean     remove everything that was made here"

demo: $(STAMP)
	@$(BIN)/python demo/demo.py

test: $(STAMP)
	$(PYTEST)

coverage: $(STAMP)
	$(PYTEST) --cov --cov-report=
	$(BIN)/coverage report --include='$(CORE)' --fail-under=100

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(STAMP)
	$(BIN)/mypy

imports: $(STAMP)
	$(BIN)/lint-imports

check: lint types imports coverage

fixtures: $(STAMP)
	rm -rf build/fixtures
	$(BIN)/python -m fixtures.build build/fixtures

man: $(STAMP)
	rm -rf build/man
	@$(BIN)/python -m manual.man build/man

completions: $(STAMP)
	rm -rf build/completions
	@$(BIN)/python -m manual.completions build/completions

# pip takes what it needs from the network.
tutorial: $(STAMP)
	@$(BIN)/python -m manual.tutorial

bench: $(STAMP)
	$(BIN)/python -m tests.bench.run $(BENCH)
	$(BIN)/python -m tests.bench.paths $(BENCH_PATHS)
	$(BIN)/python -m tests.bench.nar $(BENCH_NAR)
	$(BIN)/python -m tests.bench.fetch $(BENCH_FETCH)
	$(BIN)/python -m tests.bench.gateway $(BENCH_GATEWAY)

# Random histories through the engine and the reference; COMPARE="--examples 200000 --seed 1"
compare: $(STAMP)
	$(BIN)/python -m tests.compare $(COMPARE)

# Mutants of the rules that the tests must tell from the rules.
mutation: $(STAMP)
	$(BIN)/python -m tests.mutation gitverify/rules/*.py --tests tests/rules --quick

# In CI hypothesis repeats itself; here it should not.
fuzz: $(STAMP)
	for round in $$(seq $(ROUNDS)); do env -u CI $(PYTEST) tests/fuzz || exit 1; done

clean:
	rm -rf $(VENV) build dist *.egg-info .coverage .coverage.* .hypothesis .mypy_cache .pytest_cache .ruff_cache \
		.import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# Debian splits venv's second half, ensurepip, off into python3-venv; without it venv stops half-way.
$(STAMP): pyproject.toml
	@command -v $(PYTHON) >/dev/null || { echo "$(PYTHON) is missing: apt-get install python3 python3-venv" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "Python 3.11 or newer is needed; name one: make PYTHON=python3.12 …" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
		echo "$(PYTHON) can't make virtual environments. On Debian and Ubuntu: apt-get install python3-venv" >&2; \
		exit 1; }
	@command -v git >/dev/null || { echo "git is missing: apt-get install git" >&2; exit 1; }
	@echo "setting up $(VENV): a minute"
	@test -x $(BIN)/pip || rm -rf $(VENV)
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[dev]'
	@touch $(STAMP)
