# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# `make help` says what there is. Everything runs in .dev/, which the first target makes; no root, nothing outside.

SHELL := /bin/sh
.DEFAULT_GOAL := help

READY := .dev/ready
# Kerberos takes compiling, and the demo does without it.
KERBEROS := .dev/kerberos
# Galaxy's importer and what makes execution environments pin what the project's own environment has newer.
PUBLISHING := .dev/publishing/ready
# So do Sphinx and its like, in an environment of their own.
DOCS := .dev/docs-ready
PYTHON_DEV := .dev/venv/bin/python
export ANSIBLE_COLLECTIONS_PATH := $(CURDIR)/.dev/collections
export PATH := $(CURDIR)/.dev/venv/bin:$(PATH)
export PYTHONPATH := $(CURDIR)/tests

# Some tests take a minute and most take none: whoever is done takes over from others.
PARALLEL := -n auto --dist worksteal
# Arguments for one target, as in: make test-integration ARGS="-k delegate"
ARGS ?=

.PHONY: help demo test lint types test-unit test-integration test-auth test-browser test-molecule sanity units matrix \
	matrix-sanity matrix-tests auth-matrix simulator report-pictures fault-table bench docs build release clean

help: ## Say what there is
	@echo 'mailops.exchange: POP3 access on Microsoft Exchange Server, declared'
	@echo
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1|\2/p' Makefile | while IFS='|' read -r target text; do \
		printf '%-24s%s\n' "$$target" "$$text"; done

demo: $(READY) ## Watch POP3 access being declared, changed and proven against a simulated Exchange
	@$(PYTHON_DEV) tests/demo/demo.py $(ARGS)

# What keeps one processor busy goes side by side; the Python libraries for Kerberos before what looks at their types.
test: $(READY) ## Run everything the project checks, with one ansible-core
	@$(MAKE) --no-print-directory --jobs=2 $(KERBEROS) $(DOCS) $(PUBLISHING)
	@$(MAKE) --no-print-directory --jobs=2 lint types
	@$(PYTHON_DEV) -m pytest $(PARALLEL) tests $(ARGS)

lint: $(READY) ## Check style and common mistakes
	@ruff check .
	@ruff format --check .
	@ansible-lint --offline -q
	@antsibull-changelog lint
	@nox --no-verbose -s extra-checks

types: $(READY) ## Check types (mypy --strict)
	@mypy

test-unit: $(READY) ## Run the unit tests only
	@$(PYTHON_DEV) -m pytest $(PARALLEL) tests/unit $(ARGS)

test-integration: $(READY) $(KERBEROS) $(PUBLISHING) ## Run real Ansible against the simulator
	@$(PYTHON_DEV) -m pytest $(PARALLEL) tests/integration $(ARGS)

test-auth: $(READY) $(KERBEROS) ## Log in with every method, and with Kerberos against a real KDC
	@$(PYTHON_DEV) -m pytest $(PARALLEL) tests/integration/test_authentication.py tests/integration/test_kerberos.py $(ARGS)

auth-matrix: $(READY) $(KERBEROS) ## The same with every ansible-core for which a Python is found; writes docs/authentication.md
	@rm -rf .dev/matrix
	@nox -s authentication
	@$(PYTHON_DEV) -m support.matrix

sanity: $(READY) ## Run ansible-test sanity; one test of it: make sanity ARGS="--test pylint"
	@$(PYTHON_DEV) tools/ansible_test.py sanity $(ARGS)

units: $(READY) ## Run the unit tests as ansible-test does
	@$(PYTHON_DEV) tools/ansible_test.py units $(ARGS)

matrix: matrix-sanity matrix-tests ## With every other ansible-core for which a Python is found, run what may differ

matrix-sanity: $(READY) ## Of that, what ansible-test has to say
	@nox --no-verbose -s chosen_sanity

matrix-tests: $(READY) ## Of that, the tests; `nox` runs all tests with every ansible-core
	@nox --no-verbose -s chosen

test-browser: $(READY) ## Open the report in Chromium
	@$(PYTHON_DEV) -m pytest tests/browser $(ARGS)

test-molecule: $(READY) ## Run the scenarios of the roles; one of them: make test-molecule ARGS="-k rolling"
	@$(PYTHON_DEV) -m pytest $(PARALLEL) tests/integration/test_molecule.py $(ARGS)

simulator: $(READY) ## Start a simulated Exchange and print its address and an example task
	@$(PYTHON_DEV) -m simulator $(ARGS)

fault-table: $(READY) ## Write what came of each fault into docs/faults.md
	@$(PYTHON_DEV) -m support.fault_table

bench: $(READY) ## Measure the speed against a simulated Exchange; less of it: make bench ARGS="--cases one --scale 0.1"
	@$(PYTHON_DEV) -m bench $(ARGS)

report-pictures: $(READY) ## Make the pictures of the report that docs/report.md shows
	@$(PYTHON_DEV) tests/demo/report_pictures.py $(ARGS)

docs: $(READY) $(DOCS) ## Build the documentation's site into .dev/docs/html
	@tools/make-docs
	@echo "The site is .dev/docs/html/index.html"

build: $(READY) ## Build the collection's .tar.gz into .dev/dist
	@ansible-galaxy collection build --force --output-path .dev/dist .

release: $(READY) $(PUBLISHING) ## Commit and tag a release here, and push nothing: make release VERSION=0.1.0 ARGS=--dry-run
	@$(PYTHON_DEV) tools/release.py $(VERSION) $(ARGS)

clean: ## Remove .dev/ and all that the tools left
	@rm -rf .dev
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(READY): requirements.txt tests/requirements.txt tests/requirements-tests.txt tests/unit/requirements.txt \
		tools/make-environment tools/find-python
	@tools/make-environment $(READY)

$(KERBEROS): $(READY) tests/requirements-kerberos.txt tools/add-kerberos
	@tools/add-kerberos .dev/venv $(KERBEROS)

$(PUBLISHING): $(READY) tests/requirements-publishing.txt tools/add-publishing
	@tools/add-publishing $(PUBLISHING)

$(DOCS): $(READY) tests/requirements-docs.txt tools/add-docs
	@tools/add-docs $(DOCS)
