# Each command makes .venv by itself and installs only what pyproject.toml or constraints.txt changed since the last time.

PYTHON = python3
VENV = .venv
PINS = constraints.txt
NBVAL = --nbval --nbval-current-env --nbval-cell-timeout=300
# A file's tests share a browser, a server or a kernel, so they stay together. The files come in their order: by their number of tests, those
# with few long ones would be left for the end, when one worker runs and the others wait. Each worker takes half a gigabyte, and often waits for
# a browser or a sandbox: four are worth it on two cores, too. Of two threads in a worker, one would only wait for the other.
WORKERS = -n 4 --dist loadfile --no-loadscope-reorder
PYTEST = OMP_NUM_THREADS=1 pytest $(NBVAL) $(WORKERS)
# What `make quick` does not wait for: files that train networks, start programs and browsers or draw many answers, and each picture of a verdict.
SLOW = tests/checks/test_exercises.py tests/checks/test_where.py tests/checks/test_quiz.py tests/checks/test_tables.py tests/checks/test_limits.py \
	tests/checks/test_progress.py tests/checks/test_unet_exercises.py \
	tests/library/test_cli.py tests/library/test_predicting.py tests/library/test_tiling.py \
	tests/library/test_data_benchmarks.py tests/library/test_data_weights.py
# PyTorch's own index has a build without NVIDIA's libraries. Nothing else is taken from there.
TORCH =
SMALL = $(if $(TORCH),$(RUN) python -m pip install --constraint $(PINS) --no-deps --index-url https://download.pytorch.org/whl/$(TORCH) torch)
QUICK = tests/library tests/checks course/02_convolution.ipynb $(SLOW:%=--ignore=%) \
	-k "not well_formed and not odd_answers and not ((own_hint or far_from) and (unet or he_init_))"
# By PATH, because nbgrader calls other programs by their names. IPython warns of another environment that is active in the shell.
RUN = VIRTUAL_ENV="$(CURDIR)/$(VENV)" PATH="$(CURDIR)/$(VENV)/bin:$$PATH"
LAB_CONFIG = $(VENV)/etc/jupyter/labconfig/page_config.json
# What the slides are made of, as npm leaves it.
REVEAL = docs/slides/node_modules/.package-lock.json
# Where npm is missing, the tests that need them are skipped.
REVEAL_IF_ANY = $(and $(shell command -v npm),$(wildcard docs/slides/package-lock.json),$(REVEAL))
# JupyterLab refuses to run as root, which is what a container's only user is, unless told.
AS_ROOT = $(if $(filter 0,$(shell id -u)),--allow-root)

.PHONY: help lab site slides test quick notebooks exercises retarget release format benchmarks peers test-colab test-nextpython test-latest test-oldest

help:  ## list these commands
	@awk -F ':.*## ' '/^[a-z -]+:.*## / {printf "make %-24s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

lab: $(VENV)/lab.stamp $(LAB_CONFIG)  ## open the course in JupyterLab (TORCH=cpu for the small PyTorch; LAB_ARGS="--no-browser" and the like)
	$(RUN) jupyter-lab --LabApp.default_url=/lab/tree/course/00_start_here.ipynb $(AS_ROOT) $(LAB_ARGS)

site: $(VENV)/site.stamp  ## make the web book in build/site
	$(RUN) python -m docs.site.build $(SITE_ARGS)

slides: $(VENV)/site.stamp $(REVEAL)  ## make slides of each lesson in build/slides
	$(RUN) python -m docs.slides.build $(SLIDES_ARGS)

test: $(VENV)/test.stamp $(REVEAL_IF_ANY)  ## check style and types, run all tests and all notebooks (ARGS="tests/library" for some)
	$(RUN) ruff check
	$(RUN) ruff format --check
	$(RUN) mypy
	$(RUN) $(PYTEST) $(ARGS)

quick: $(VENV)/test.stamp  ## check style and types, and test the library, the checks and one lesson, without what takes long
	$(RUN) ruff check
	$(RUN) ruff format --check
	$(RUN) mypy
	$(RUN) $(PYTEST) $(QUICK)

# In environments of their own, made from nothing, because "newest" is something else every day. Style is for `make test` alone.
test-latest: VENV = .venv-latest
test-oldest: VENV = .venv-oldest
test-latest test-oldest: test-%: $(REVEAL_IF_ANY)  ## run all tests with the newest versions, or the oldest allowed, of all but PyTorch
	rm -rf .venv-$*
	mkdir .venv-$*
	$(PYTHON) tests/project/versions.py $* > .venv-$*/constraints.txt
	$(MAKE) .venv-$*/test.stamp VENV=.venv-$* PINS=.venv-$*/constraints.txt
	$(RUN) python tests/project/versions.py $* --installed
	$(RUN) $(PYTEST) $(ARGS)

test-colab: .venv-colab/colab.stamp  ## run all notebooks with the packages of Google Colab, installed as there
	.venv-colab/bin/python tests/colab/run.py
	$(PYTHON) tests/nextpython/run.py --colab

test-nextpython:  ## test on newer Pythons and libraries what needs no PyTorch, in environments of their own
	$(PYTHON) tests/nextpython/run.py

notebooks: $(VENV)/test.stamp  ## run the notebooks of course/ and solutions/ and store their outputs
	$(RUN) python tests/notebooks/execute.py
	git --no-pager diff --stat -- course solutions

exercises: $(VENV)/test.stamp  ## make exercises/ from solutions/
	@test -n "$(wildcard solutions/*/)" || { echo 'found no notebook in solutions/' >&2; exit 1; }
	set -e; for topic in $(notdir $(patsubst %/,%,$(wildcard solutions/*/))); do \
		$(RUN) nbgrader generate_assignment --force $$topic; done

retarget: $(VENV)/test.stamp  ## make this the course of another repository: REPO=owner/name
	$(RUN) python tests/notebooks/retarget.py "$$REPO"
	$(MAKE) exercises

release: $(VENV)/test.stamp  ## build, try and tag a version: VERSION=1.2.3 (DRY=1 shows all and keeps nothing)
	$(RUN) python tests/project/release.py "$$VERSION" $(if $(DRY),--dry)

format: $(VENV)/test.stamp  ## put code and notebooks into the project's style
	$(RUN) ruff check --fix
	$(RUN) ruff format

benchmarks: $(VENV)/test.stamp  ## measure against other libraries, on this machine
	set -e; for script in convolution operators explorers explainer tiling predicting unet_speed loader grading; do $(RUN) python benchmarks/$$script.py; done

# In an environment of its own: these packages bring many others, and the course needs none of them.
peers: VENV = .venv-peers
peers:  ## train what others would take on the same real frames, and print one table (ARGS="--sets dic --minutes 1")
	$(MAKE) .venv-peers/peers.stamp VENV=.venv-peers
	$(RUN) python benchmarks/peers.py $(ARGS)

# The test extra contains the lab and site extras, so that after it there is nothing left for `make lab` and `make site` to install.
$(VENV)/lab.stamp $(VENV)/site.stamp: $(VENV)/%.stamp: pyproject.toml $(PINS) | $(VENV)/bin/python
	$(SMALL)
	$(RUN) python -m pip install --constraint $(PINS) -e '.[$*]'
	touch $@

$(VENV)/test.stamp: pyproject.toml $(PINS) | $(VENV)/bin/python
	$(SMALL)
	$(RUN) python -m pip install --constraint $(PINS) -e '.[test]'
	touch $(VENV)/lab.stamp $(VENV)/site.stamp $@

$(VENV)/peers.stamp: benchmarks/peers.txt pyproject.toml $(PINS) | $(VENV)/bin/python
	$(RUN) python -m pip install --constraint $(PINS) --requirement $< -e .
	touch $@

$(REVEAL): docs/slides/package-lock.json
	@command -v npm > /dev/null || { echo 'The slides need npm, which comes with Node.js: https://nodejs.org' >&2; exit 1; }
	npm ci --prefix docs/slides --ignore-scripts --no-audit --no-fund
	touch $@

# JupyterLab would offer its news, and ask the network whether there is a newer JupyterLab.
$(LAB_CONFIG): | $(VENV)/lab.stamp
	$(RUN) jupyter labextension disable @jupyterlab/apputils-extension:announcements

.venv-colab/colab.stamp: tests/colab/requirements.txt
	$(PYTHON) -m venv --clear --without-pip .venv-colab
	$(PYTHON) -m pip --python .venv-colab/bin/python install --requirement $<
	touch $@

# Without ensurepip, which Debian ships apart from Python: the pip that is there installs one into the environment.
$(VENV)/bin/python:
	@command -v $(PYTHON) > /dev/null || { echo 'unet-edu needs Python 3.11 or later, and there is no $(PYTHON) here: install one, or name it, as in `make lab PYTHON=python3.12`.' >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.version_info >= (3, 11) or sys.exit("unet-edu needs Python 3.11 or later, and $(PYTHON) is %d.%d: install a newer one, or name it, as in `make lab PYTHON=python3.12`." % sys.version_info[:2])'
	$(PYTHON) -m venv --without-pip $(VENV)
	$(PYTHON) -m pip --python $(VENV)/bin/python install --constraint $(PINS) pip || { rm -rf $(VENV); exit 1; }
