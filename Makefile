# `make demo` and `make test` work in a fresh clone: they install everything into .venv.

PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/pip install --quiet --disable-pip-version-check
# pyproject.toml has the allowed ranges, constraints.txt the versions of direct dependencies that were
# tested. The locks follow from both: the versions and hashes of all packages. `make UNLOCKED=1 test`
# takes constraints.txt instead, for packages of other hashes, such as builds of torch without CUDA.
ifdef UNLOCKED
install = $(PIP) -c constraints.txt $(2)
else
install = $(PIP) --require-hashes --only-binary :all: -r locks/$(1).txt && \
	$(PIP) --no-deps --no-build-isolation $(2)
endif

PLUGINS := $(patsubst %,-e %,$(wildcard plugins/*))

.PHONY: demo test test-slow lint docs site results lock wheel floor clean

demo: .venv/demo
	$(BIN)/i2i run recipes/quickstart.toml --resume
	@echo "Open runs/quickstart/report.html in a browser."

# Two processes with one thread each. Tests of one `xdist_group` run in one process, because they
# share a slow set-up.
PYTEST := OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 --dist loadgroup

test: .venv/dev
	$(PYTEST)

# The slow tests: random kills, the tutorial, whole studies, browser tests, more peers.
test-slow: .venv/dev
	$(PYTEST) -m slow

lint: .venv/dev
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/codespell
	$(BIN)/python docs/generate.py --check
	$(BIN)/python scripts/draw_rooms.py --check

docs: .venv/dev
	$(BIN)/python docs/generate.py
	$(BIN)/python scripts/draw_rooms.py

# Builds the whole site into site/: pages that are not read again would not warn. Warnings are errors.
site: .venv/docs
	rm -rf site
	$(BIN)/sphinx-build --quiet --fresh-env --fail-on-warning -d .venv/doctrees docs site

# Writes the pages of the paper's ablations from the records of their runs.
results: .venv/dev
	for name in losses generators receptive_fields; do \
		out=docs/results/$${name}_cpu; \
		$(BIN)/i2i study recipes/studies/$${name}_cpu.toml --out $$out --page && \
		mv $$out/study.json $$out.json && mv $$out/study.html $$out.html || exit 1; \
	done

# Finds the newest allowed version of every package that constraints.txt doesn't name.
UV := .venv-lock/bin/uv
COMPILE := $(UV) pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes \
	--only-binary :all: --no-header --no-annotate -c constraints.txt pyproject.toml locks/build.in
lock: $(UV)
	$(COMPILE) --extra openmoji --extra track --extra demo --extra export --extra dev -o locks/dev.txt
	$(COMPILE) --extra openmoji -c locks/dev.txt -o locks/demo.txt

$(UV): constraints.txt
	test -x .venv-lock/bin/pip || $(PYTHON) -m venv .venv-lock
	.venv-lock/bin/pip install --quiet --disable-pip-version-check -c constraints.txt uv
	touch $@

# sdist and wheel in dist/, tried in an empty environment.
wheel:
	$(PYTHON) scripts/wheel.py

# The tests with the lowest versions that pyproject.toml declares, for the lowest Python of all.
FLOOR := .venv-floor
floor: $(FLOOR)/ready
	OMP_NUM_THREADS=1 $(FLOOR)/bin/python -m pytest -n 2 --dist loadgroup

$(FLOOR)/ready: pyproject.toml constraints.txt scripts/floors.py $(wildcard plugins/*/pyproject.toml)
	test -x $(FLOOR)/bin/pip || $(PYTHON) -m venv $(FLOOR)
	$(FLOOR)/bin/python scripts/floors.py > $(FLOOR)/floors.txt
	$(FLOOR)/bin/pip install --quiet --disable-pip-version-check -c $(FLOOR)/floors.txt \
		-e '.[openmoji,track,demo,export,test]' $(PLUGINS)
	touch $@

clean:
	rm -rf .venv .venv-floor .venv-lock site .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .grimp_cache

.venv/base: pyproject.toml constraints.txt
	test -x $(BIN)/pip || $(PYTHON) -m venv .venv
	touch $@

DEMO := -e '.[openmoji]'
.venv/demo: .venv/base locks/demo.txt
	$(call install,demo,$(DEMO))
	touch $@

DEV := -e '.[openmoji,track,demo,export,dev]' $(PLUGINS)
.venv/dev: .venv/base locks/dev.txt $(wildcard plugins/*/pyproject.toml)
	$(call install,dev,$(DEV))
	touch $@

.venv/docs: .venv/base
	$(PIP) -c constraints.txt -e '.[docs]'
	touch $@
