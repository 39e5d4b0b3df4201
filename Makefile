# Each target makes its own environment; it is rebuilt only when pyproject.toml changes.
VENV ?= .venv
PYTHON ?= python3
BIN := $(VENV)/bin
EXTRAS ?= test

.PHONY: demo test test-deep test-browser evaluate-interview coverage mutate lint bench notebook pictures snapshot clean

$(VENV)/.installed: pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[$(EXTRAS)]'
	touch $@

demo: $(VENV)/.installed
	$(BIN)/calfbayes demo

lint: $(VENV)/.installed
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

test: lint
	$(BIN)/python -m pytest

# laws and strategies alone, on five times as many examples, and others each time; about ten minutes of one quiet core (eleven beside other work)
test-deep: $(VENV)/.installed
	CALFBAYES_HYPOTHESIS_PROFILE=deep $(BIN)/python -m pytest -m hypothesis tests/properties tests/unit/testing

# errors planted until 60 of them matter; half an hour of one core, and what was found stands in the table if it is stopped. The card of the model
# is written from it. `make mutate SEED=7` plants others
mutate: $(VENV)/.installed
	$(BIN)/calfbayes mutate calf --cases tests/clinical/cases/cases.jsonl -n $(or $(MUTANTS),60) --seed $(or $(SEED),0) --table models/calf/mutants.csv

# A browser is taken from the machine; else it is fetched by its driver, else by the package manager.
$(VENV)/.browser: $(VENV)/.installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[browser]'
	command -v chromium || command -v google-chrome || $(BIN)/playwright install --with-deps chromium \
		|| { apt-get update --quiet && apt-get install --quiet --yes chromium; }
	touch $@

test-browser: $(VENV)/.browser
	$(BIN)/python -m pytest --override-ini='addopts=-q --strict-markers --import-mode=importlib' tests/browser

pictures: $(VENV)/.installed
	$(BIN)/python notebooks/pictures/pictures.py

notebook: $(VENV)/.installed
	$(BIN)/jupyter lab notebooks

# about half an hour on two quiet cores; `make bench BENCH=--quick` takes about a quarter of it
bench: $(VENV)/.installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[bench]'
	PYTHONPATH=tests $(BIN)/python -m benchmarks $(BENCH)

# 500 simulated patients, fixed seeds; an hour or two. `make evaluate-interview INTERVIEWS="--patients 20 --jobs 2"` takes minutes
evaluate-interview: $(VENV)/.installed
	PYTHONPATH=tests $(BIN)/python -m benchmarks.interviews $(INTERVIEWS)

# 100 patients of drawn models, fixed seeds; ten minutes. `make coverage COVERAGE="--patients 10"` takes minutes
coverage: $(VENV)/.installed
	PYTHONPATH=tests $(BIN)/python -m benchmarks.coverage $(COVERAGE)

snapshot: $(VENV)/.installed
	$(BIN)/calfbayes snapshot

clean:
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis dist build
