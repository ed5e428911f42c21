# `make` sets up a development environment in .venv, writes activate_aiocells and runs
# the tests. `. ./activate_aiocells` then gives the aiocells command, with completion.

PYTHON ?= python3
VENV := .venv
INSTALLED := $(VENV)/installed

.DEFAULT_GOAL := all
.PHONY: all test clean

all: activate_aiocells test

# Dependency groups need a newer pip than Python 3.11 brings along.
$(INSTALLED): pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(VENV)/bin/python -m pip install --quiet --upgrade 'pip>=25.1'
	$(VENV)/bin/python -m pip install --quiet --group dev --editable '.[cli,examples]'
	touch $@

activate_aiocells: $(INSTALLED) Makefile
	@printf '%s\n' \
	  '# Source this file in bash or zsh: it activates the environment of aiocells,' \
	  '# and the Tab key completes the aiocells command. `make` wrote it.' \
	  '. "$(CURDIR)/$(VENV)/bin/activate"' \
	  'if [ -n "$${ZSH_VERSION-}" ]; then' \
	  '  whence compdef >/dev/null || { autoload -Uz compinit && compinit; }' \
	  '  eval "$$(_AIOCELLS_COMPLETE=zsh_source aiocells)"' \
	  'elif [ -n "$${BASH_VERSION-}" ]; then' \
	  '  eval "$$(_AIOCELLS_COMPLETE=bash_source aiocells)"' \
	  'fi' > $@
	@echo 'Wrote activate_aiocells. To use it: . ./activate_aiocells'

test: $(INSTALLED)
	$(VENV)/bin/python -m pytest -n auto

clean:
	rm -rf $(VENV) .nox dist docs/_build activate_aiocells .coverage .coverage.*
	rm -rf .hypothesis .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
