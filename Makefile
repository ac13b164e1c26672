# Each target sets itself up: the first run makes .venv, later runs start at once.
#   TORCH=cuda make test          the CUDA build of torch (default on Linux: the CPU build)
#   PYTHON=python3.12 make demo   another Python (3.11 or later)

PY := .venv/bin/python
# a process a core, four at most: each loads the models; a file's tests stay together
SPREAD := -n auto --maxprocesses 4 --dist loadfile

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help demo test lint check setup clean distclean

help: ## list the targets
	@echo "neuromem: a memory that lives in weights. Needs Python 3.11+ and make, nothing else."
	@awk 'BEGIN {FS = ":.*## "} /^[a-z]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' Makefile

demo: ## tell it a conversation, ask, let weeks pass, watch it fade and return
	@sh scripts/setup.sh
	@$(PY) -m neuromem demo

test: lint ## everything: lint, types, all tests
	@echo "== pytest (all)"
	@$(PY) -m pytest $(SPREAD)

check: lint ## lint, types and the fast tests
	@echo "== pytest (fast)"
	@$(PY) -m pytest $(SPREAD) -m "not slow"

lint: setup ## ruff and mypy
	@echo "== ruff"
	@$(PY) -m ruff check .
	@echo "== mypy"
	@$(PY) -m mypy

setup: ## the environment in .venv, with the tools for development
	@sh scripts/setup.sh sentence dev

clean: ## remove caches, builds and what the demo wrote
	rm -rf build dist .demo .pytest_cache .mypy_cache .ruff_cache .hypothesis .coverage *.egg-info
	find neuromem training tests scripts -name __pycache__ -type d -prune -exec rm -rf {} +

distclean: clean ## clean, and remove .venv too
	rm -rf .venv
