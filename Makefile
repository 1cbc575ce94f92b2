# `make run` shows Ratify, `make test` tests it. Both make their own environment first.
PYTHON ?= python3
BIN := .venv/bin
# --no-compile halves the time: most modules would be compiled and never imported
PIP := $(BIN)/python -m pip --disable-pip-version-check install --quiet --no-compile --constraint constraints.txt

# a test with five hundred raters at once, which loads the whole machine
ALONE := tests/study/visits/test_rush.py
# tests that start no server, browser or database
QUICK := tests/analysis tests/prereg tests/data tests/study/judges --ignore-glob='*/test_llm_*.py'

.PHONY: help install run test test-quick check lint bench validate translations clean

help:
	@echo "make install       make the environment .venv, with the command ratify"
	@echo "make run           run the demo and serve it on http://127.0.0.1:8000"
	@echo "make test          run every test"
	@echo "make test-quick    run the tests that need no server, browser, database or demo (90 seconds)"
	@echo "make check         ruff, mypy, import-linter, then every test"
	@echo "make bench         measure speed, in one run, against named peers"
	@echo "make validate      check intervals and tests against simulated truth; writes docs/validation.md;"
	@echo "                   a stopped run goes on; options by ROWS='--only TEXT', '--fresh', '--page'"
	@echo "make translations  copy new texts of the pages into the catalogues"
	@echo "make clean         remove the environment and what was built"

.venv/made:
	$(PYTHON) -c 'import sys; sys.exit("Ratify needs Python 3.11 or newer" if sys.version_info < (3, 11) else 0)'
	$(PYTHON) -m venv .venv
	@touch $@

.venv/ready-to-run: setup.cfg pyproject.toml constraints.txt | .venv/made
	$(PIP) --editable .
	@touch $@

.venv/ready-to-test: setup.cfg pyproject.toml constraints.txt | .venv/made
	$(PIP) --editable '.[test,dev]'
	@touch .venv/ready-to-run $@

# Each process of the tests imports everything. What nobody has compiled yet, two compile here, half
# each; otherwise all four would compile all of it at the same time, which takes a minute longer.
# A fault in a test file is left for the tests themselves to show.
.venv/compiled: export PYTHONDONTWRITEBYTECODE =
.venv/compiled: .venv/ready-to-test
	@echo "compiling what the tests import, once"
	@for half in "tests/study tests/test_*.py" "tests/[!s]*/"; do \
		$(BIN)/python -m pytest --collect-only -qq -p no:cacheprovider $$half >/dev/null 2>&1 & \
	done; wait
	@touch $@

install: .venv/ready-to-run

run: .venv/ready-to-run
	$(BIN)/ratify demo

# Four tests run at a time, because they mostly wait for processes, and the longest come first
# (tests/conftest.py); then the test that loads the whole machine. Each process has one thread of
# linear algebra: with more, threads spend longer waiting for each other than computing small products.
test test-quick: export OPENBLAS_NUM_THREADS = 1
test test-quick: export OMP_NUM_THREADS = 1
# hundreds of processes start: what is compiled once must not be compiled by each
test test-quick: export PYTHONDONTWRITEBYTECODE =
test: .venv/compiled
	$(BIN)/python -m pytest -n 4 --dist loadfile --no-loadscope-reorder --ignore=$(ALONE)
	$(BIN)/python -m pytest $(ALONE)

test-quick: .venv/ready-to-test
	$(BIN)/python -m pytest -n 2 --dist loadfile -m "not browser and not slow" $(QUICK)

lint: .venv/ready-to-test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --config setup.cfg

check: lint test

.venv/ready-to-bench: .venv/ready-to-test
	$(PIP) --editable '.[bench]'
	@touch $@

# threads of linear algebra that wait use up a core, at the cost of whoever is measured next
bench: export OPENBLAS_NUM_THREADS = 1
bench: export OMP_NUM_THREADS = 1
bench: .venv/ready-to-bench
	$(BIN)/python -m benchmarks

# two processes that each use all cores for small products would only wait for each other
validate: export OPENBLAS_NUM_THREADS = 1
validate: export OMP_NUM_THREADS = 1
validate: .venv/ready-to-test
	$(BIN)/python -m tests.validation $(ROWS)

translations: .venv/ready-to-run
	$(BIN)/python -m study.translations.update

clean:
	rm -rf .venv build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache .validation
