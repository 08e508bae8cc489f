# Each command makes .venv by itself and installs only what pyproject.toml or constraints.txt changed since the last time.

PYTHON = python3
NBVAL = --nbval --nbval-current-env --nbval-cell-timeout=300
# By PATH, because nbgrader calls other programs by their names.
RUN = PATH="$(CURDIR)/.venv/bin:$$PATH"
# JupyterLab refuses to run as root, which is what a container's only user is, unless told.
AS_ROOT = $(if $(filter 0,$(shell id -u)),--allow-root)

.PHONY: help lab test notebooks exercises format benchmarks

help:  ## list these commands
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

lab: .venv/lab.stamp  ## open the course in JupyterLab (LAB_ARGS="--no-browser" and the like)
	$(RUN) jupyter-lab --LabApp.default_url=/lab/tree/course/00_start_here.ipynb $(AS_ROOT) $(LAB_ARGS)

test: .venv/test.stamp  ## check style and types, run all tests and all notebooks (ARGS="tests/library" for some)
	$(RUN) ruff check
	$(RUN) ruff format --check
	$(RUN) mypy
	$(RUN) pytest $(NBVAL) $(ARGS)

notebooks: .venv/test.stamp  ## run the notebooks of course/ and solutions/ and store their outputs
	$(RUN) python tests/notebooks/execute.py
	git --no-pager diff --stat -- course solutions

exercises: .venv/test.stamp  ## make exercises/ from solutions/
	set -e; for topic in $(notdir $(patsubst %/,%,$(wildcard solutions/*/))); do \
		$(RUN) nbgrader generate_assignment --force $$topic; done

format: .venv/test.stamp  ## put code and notebooks into the project's style
	$(RUN) ruff check --fix
	$(RUN) ruff format

benchmarks: .venv/test.stamp  ## measure against other libraries, on this machine
	set -e; for script in convolution operators explorers tiling unet_speed grading; do $(RUN) python benchmarks/$$script.py; done

# The test extra contains the lab extra, so that after it there is nothing left for `make lab` to install.
.venv/lab.stamp: pyproject.toml constraints.txt | .venv/bin/python
	$(RUN) python -m pip install --constraint constraints.txt -e '.[lab]'
	touch $@

.venv/test.stamp: pyproject.toml constraints.txt | .venv/bin/python
	$(RUN) python -m pip install --constraint constraints.txt -e '.[test]'
	touch .venv/lab.stamp $@

# Without ensurepip, which Debian ships apart from Python: the pip that is there installs one into the environment.
.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.version_info >= (3, 11) or sys.exit("unet-edu needs Python 3.11 or later, and $(PYTHON) is %d.%d: install a newer one, or name it, as in `make lab PYTHON=python3.12`." % sys.version_info[:2])'
	$(PYTHON) -m venv --without-pip .venv
	$(PYTHON) -m pip --python .venv/bin/python install --constraint constraints.txt pip || { rm -rf .venv; exit 1; }
