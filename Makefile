.DEFAULT_GOAL := help
SHELL := /bin/sh
# Debian's own Python first: the system users of a drop can reach it, which a Python in somebody's home they cannot.
PYTHON ?= $(firstword $(wildcard /usr/bin/python3) python3)
VENV := .venv
BIN := $(VENV)/bin
PACKAGES := bags casework hardening journalist_interface keeper keys ledger onion questionnaire reviewers settings source_interface svidok vault workstation
# A folder with what `make wheels` has gathered: then everything is installed without a network.
WHEELS ?=
# What must be built from source is built by the setuptools of our lock: an isolated build would fetch one unpinned.
PINNED := --quiet --require-hashes --no-deps --no-build-isolation --use-pep517 $(if $(WHEELS),--no-index --find-links $(WHEELS))
export PIP_DISABLE_PIP_VERSION_CHECK := 1
export PYTHONDONTWRITEBYTECODE := 1

.PHONY: help run demo test test-full check bench screenshots translations forms forms-tools lock wheels clean

help: ## say what can be made
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

run: $(VENV)/run.stamp ## a working evaluation drop on this machine (Ctrl-C stops it)
	$(BIN)/svidok evaluate demo

demo: $(VENV)/run.stamp ## play the whole journey once, over a private Tor network
	$(BIN)/svidok demo demo/journey

test: check ## everything that must hold, in 20 minutes on two cores
	scripts/reachable $(BIN)/python -m pytest -n 2 --dist loadfile -m "not full" --ignore=tests/docs

test-full: test ## the same, then the security catalogue's full figures, one after another
	scripts/reachable $(BIN)/python -m pytest -m full --ignore=tests/docs

check: $(VENV)/test.stamp ## format, lint, types, layers, dead code, documents
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy $(PACKAGES) tests benchmarks
	$(BIN)/basedpyright
	$(BIN)/lint-imports --no-cache
	$(BIN)/vulture $(PACKAGES) tests/vulture_allowed.py --min-confidence 60
	$(BIN)/python -m pytest -q tests/docs

bench: $(VENV)/test.stamp ## speed and memory, as ratios in one run
	$(BIN)/python -m benchmarks

screenshots: $(VENV)/test.stamp ## pictures of every page, into docs/screenshots
	$(BIN)/python -m tests.screenshots docs/screenshots

translations: $(VENV)/test.stamp ## bring the catalogues of the source's pages up to date
	$(BIN)/pybabel -q extract -F source_interface/translations/babel.cfg -k _n --no-location --sort-output --omit-header \
		-o source_interface/translations/source.pot .
	for po in source_interface/translations/*.po; do \
		$(BIN)/pybabel -q update -i source_interface/translations/source.pot -o $$po -l $$(basename $$po .po) -N -w 100 \
			--ignore-obsolete --ignore-pot-creation-date || exit 1; done
	sed -i -E '/^"(Report-Msgid-Bugs-To|POT-Creation-Date|PO-Revision-Date|Last-Translator|Language-Team|Generated-By):/d' \
		source_interface/translations/*.po*

forms: $(VENV)/test.stamp ## compile the questionnaire that we ship
	$(BIN)/svidok form compile questionnaire/forms/report.yaml questionnaire/forms/report.json

lock: $(VENV)/test.stamp ## resolve the dependencies anew (needs uv)
	scripts/lock

wheels: $(VENV)/run.stamp ## gather what a machine without a network installs, into build/wheels
	mkdir -p build/wheels
	$(BIN)/pip download $(PINNED) -d build/wheels -r requirements/run.lock

$(VENV)/run.stamp: requirements/build.lock requirements/run.lock pyproject.toml scripts/system-packages
	PYTHON=$(PYTHON) scripts/system-packages run
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/pip install $(PINNED) --only-binary :all: -r requirements/build.lock
	$(BIN)/pip install $(PINNED) -r requirements/run.lock
	$(BIN)/pip install --quiet --no-deps --no-build-isolation --editable .
	touch $@

$(VENV)/test.stamp: requirements/build-tests.lock requirements/all.lock $(VENV)/run.stamp
	PYTHON=$(PYTHON) scripts/system-packages test
	$(BIN)/pip install $(PINNED) --only-binary :all: -r requirements/build-tests.lock
	$(BIN)/pip install $(PINNED) -r requirements/all.lock
	touch $@

forms-tools: $(VENV)/run.stamp ## for experts: what `svidok form` reads tables and prints with
	PYTHON=$(PYTHON) scripts/system-packages forms
	$(BIN)/pip install $(PINNED) -r requirements/forms.lock

clean: ## remove what was built; the data under demo/ stays
	rm -rf $(VENV) build *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .cache
