# Each target makes its own environment; it is rebuilt only when pyproject.toml changes.
VENV ?= .venv
PYTHON ?= python3
BIN := $(VENV)/bin
EXTRAS ?= test

.PHONY: demo test test-browser lint bench notebook pictures snapshot clean

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

# A browser is taken from the machine; else it is fetched by its driver, else by the package manager.
$(VENV)/.browser: $(VENV)/.installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[browser]'
	command -v chromium || command -v google-chrome || $(BIN)/playwright install --with-deps chromium \
		|| { apt-get update --quiet && apt-get install --quiet --yes chromium; }
	touch $@

test-browser: $(VENV)/.browser
	$(BIN)/python -m pytest --override-ini='addopts=-q --strict-markers --import-mode=importlib' tests/browser

pictures: $(VENV)/.installed
	$(BIN)/python docs/pictures.py

notebook: $(VENV)/.installed
	$(BIN)/jupyter lab notebooks

# `make bench BENCH=--quick` takes minutes less
bench: $(VENV)/.installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[bench]'
	PYTHONPATH=tests $(BIN)/python -m benchmarks $(BENCH)

snapshot: $(VENV)/.installed
	$(BIN)/calfbayes snapshot

clean:
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis dist build
