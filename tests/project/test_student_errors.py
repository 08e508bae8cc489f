"""Errors that a student will meet end in one sentence, which says what to do. One table: situations, and what is read.

What a notebook's first cell says where the course is not installed is tested with the set-up cells.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PATHS = {"PYTHONPATH": str(ROOT)}


def unet_edu(*arguments: str) -> Callable[[Path], list[str]]:
    return lambda folder: [sys.executable, "-m", "unet_edu.cli", *arguments]


def without(package: str, *arguments: str) -> Callable[[Path], list[str]]:
    """The command where a package is not installed."""
    program = f"import sys; sys.modules[{package!r}] = None; from unet_edu.cli import app; app()"
    return lambda folder: [sys.executable, "-c", program, *arguments]


def beside(content: str, command: Callable[[Path], list[str]]) -> Callable[[Path], list[str]]:
    """The command in a folder with a file mine.ipynb."""

    def run_there(folder: Path) -> list[str]:
        (folder / "mine.ipynb").write_text(content)
        return command(folder)

    return run_there


NOTHING = '{"cells": []}'
NO_GPU = "CUDA_VISIBLE_DEVICES"
# The situation: the command, and words of the one sentence.
COMMANDS = {
    "a notebook that is not in this folder": (
        unet_edu("check", "02_convolution.ipynb"),
        ("02_convolution.ipynb: No such file in ", "go to the folder with your notebook", "`unet-edu progress`"),
    ),
    "a folder without notebooks": (
        unet_edu("progress"),
        ("found no notebook of exercises here or in the folders below", "`unet-edu progress Downloads`"),
    ),
    "a folder that is not there": (unet_edu("progress", "missing"), ("missing: expected a folder with notebooks",)),
    "a notebook in the place of a folder": (
        beside(NOTHING, unet_edu("progress", "mine.ipynb")),
        ("mine.ipynb: expected a folder with notebooks; for one notebook there is `unet-edu check`",),
    ),
    "a file that is no notebook": (
        beside("<html>404</html>", unet_edu("check", "mine.ipynb")),
        ("The file is no notebook, or only a part of one: it is not JSON",),
    ),
    "an empty file": (beside("", unet_edu("check", "mine.ipynb")), ("The file is empty.",)),
    "a notebook that is not of the course": (
        beside(NOTHING, unet_edu("check", "mine.ipynb")),
        (
            (
                "mine.ipynb: has none of the course's functions; name the assignment with --assignment, one of "
                "01_segmentation"
            ),
        ),
    ),
    "a lesson's name with a typing error": (
        beside(NOTHING, unet_edu("check", "mine.ipynb", "--assignment", "2_convolution")),
        ("2_convolution: expected one of 01_segmentation, 02_convolution",),
    ),
    "no GPU to train on": (
        unet_edu("train", "cells", "-o", "run", "--device", "cuda"),
        ("--device: PyTorch finds no cuda on this machine; leave it out, or take cpu",),
    ),
    "a device that does not exist": (
        unet_edu("train", "cells", "-o", "run", "--device", "gpu"),
        ("--device: expected cpu, cuda, cuda:1 or mps, got 'gpu'",),
    ),
    "images that are not there": (unet_edu("train", "mine", "-o", "run"), ("mine",)),
    "weights that are not there": (unet_edu("predict", "runs/mine", "new", "-o", "out"), ("runs/mine: No such file",)),
    "PyTorch is missing": (
        without("torch", "train", "cells", "-o", "run"),
        ("the package torch is missing in", "activate the environment of the course", "or install the course again"),
    ),
    "a smaller package is missing": (
        without("tqdm", "train", "cells", "-o", "run", "--device", "cpu"),
        ("the package tqdm is missing",),
    ),
    "the grader is not installed": (
        without("nbgrader", "grade", "02_convolution", "."),
        ("grading needs more than the course does (nbgrader): pip install 'unet-edu[grade]'",),
    ),
    "the grader is not installed, and notebooks are to be made": (
        without("nbgrader", "release", "02_convolution", "-o", "out", "--from", str(ROOT / "exercises")),
        ("nbgrader: is not installed; `pip install 'unet-edu[grade]'` brings it",),
    ),
    "dask is not installed": (
        beside(
            NOTHING,
            without(
                *("distributed", "grade", "02_convolution", ".", "-o", "../out", "--unsafe"),
                *("--scheduler", "tcp://here:8786"),
            ),
        ),
        ("--scheduler needs dask: pip install 'unet-edu[grade]'",),
    ),
    "a benchmark that was not fetched": (
        unet_edu("train", "DSB-2018", "-o", "run", "--folder", "empty"),
        ("unet-edu data fetch DSB-2018",),
    ),
    "a benchmark that does not exist": (unet_edu("data", "fetch", "DSB"), ("DSB-2018",)),
}


def run(command: list[str], folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, **PATHS, NO_GPU: "", "HOME": str(folder), **environment}
    return subprocess.run(
        command, cwd=folder, env=environment, check=False, capture_output=True, text=True, timeout=120
    )


@pytest.mark.parametrize("situation", COMMANDS)
def test_a_command_ends_in_one_sentence(situation, tmp_path):
    command, words = COMMANDS[situation]
    done = run(command(tmp_path), tmp_path)
    said = [line for line in done.stderr.splitlines() if not line.startswith("WARNING: --unsafe")]
    assert done.returncode == 1 and len(said) == 1, done.stderr
    assert said[0].startswith("unet-edu: ") and "Traceback" not in done.stdout
    assert words and all(word in said[0] for word in words), said[0]


# In a notebook an error has a traceback; its last line is the sentence.
IN_A_NOTEBOOK = {
    "no GPU to train on": (
        (
            "from unet_edu.training import fit; from unet_edu.unet import UNet\nfit(UNet(widths=(2, 4)), [], steps=1, "
            "device='cuda')"
        ),
        "ValueError: device: PyTorch finds no cuda on this machine; leave it out, or take cpu",
    ),
    "a name in the place of a function": (
        "from unet_edu import check\ncheck('conv2d_naive')",
        "TypeError: f: expected a function, as in check(conv2d_naive), got str",
    ),
    "a function of another name": (
        "from unet_edu import check\ndef mine(): pass\ncheck(mine)",
        'a function of another name is checked with check(f, exercise="…")',
    ),
    "a quiz that does not exist": ("from unet_edu import quiz\nquiz('2')", "ValueError: lesson: expected one of"),
    "a progress that does not exist": (
        "from unet_edu import progress\nprogress(2)",
        'as in progress("02"), got 2',
    ),
}


@pytest.mark.parametrize("situation", IN_A_NOTEBOOK)
def test_an_error_in_a_notebook_ends_in_a_sentence(situation, tmp_path):
    program, words = IN_A_NOTEBOOK[situation]
    done = run([sys.executable, "-c", program], tmp_path)
    assert done.returncode == 1 and words in done.stderr.splitlines()[-1], done.stderr


# An older Python is played where there is none: what it must not meet is a line that it cannot read.
AS_OLD = "import sys; sys.version_info = (3, 10, 13, 'final', 0); "
NEEDS_A_NEWER_ONE = "unet-edu needs Python 3.11 or later, and "


def test_an_old_python_is_told_which_it_should_be(tmp_path):
    done = run([sys.executable, "-c", f"{AS_OLD}import unet_edu"], tmp_path)
    last = done.stderr.splitlines()[-1]
    assert last.startswith(f"ImportError: {NEEDS_A_NEWER_ONE}") and " is 3.10: install a newer one" in last


def test_the_command_under_an_old_python_is_one_sentence(tmp_path):
    program = f"{AS_OLD}import runpy; sys.argv = ['unet-edu']; runpy._run_module_as_main('unet_edu.cli')"
    done = run([sys.executable, "-c", program], tmp_path)
    assert done.returncode == 1 and done.stderr.count("\n") == 1 and NEEDS_A_NEWER_ONE in done.stderr, done.stderr


OLD_PYTHONS = [
    *(path for name in ("python3.10", "python3.9", "python3.8") if (path := shutil.which(name))),
    *map(str, sorted(Path.home().glob(".pyenv/versions/3.[89].*/bin/python"))),
    *map(str, sorted(Path.home().glob(".pyenv/versions/3.10.*/bin/python"))),
]


def test_a_real_old_python_reads_the_sentence(tmp_path):
    """Where one is installed; it knows no syntax of ours."""
    found = [path for path in OLD_PYTHONS if run([path, "-c", "pass"], tmp_path).returncode == 0]
    if not found:
        pytest.skip("no older Python is installed here; the two tests above play one")
    for path in found:
        assert NEEDS_A_NEWER_ONE in run([path, "-c", "import unet_edu"], tmp_path).stderr.splitlines()[-1]
        said = run([path, "-m", "unet_edu.cli"], tmp_path).stderr
        assert said.count("\n") == 1 and NEEDS_A_NEWER_ONE in said


def test_the_package_s_first_file_is_read_by_an_old_python():
    """No syntax that is newer than Python 3.8, or nobody would get as far as the sentence."""
    import ast

    source = (ROOT / "unet_edu" / "__init__.py").read_text()
    tree = ast.parse(source, feature_version=(3, 8))
    lines = [node.lineno for node in tree.body if not isinstance(node, ast.Import | ast.ImportFrom | ast.Expr)]
    assert lines and "sys.version_info < (3, 11)" in source.splitlines()[lines[0] - 1]


# ----------------------------------------------------------------------------------------------------- make and Jupyter


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    for name in ("Makefile", "pyproject.toml", "constraints.txt"):
        shutil.copy(ROOT / name, tmp_path)
    return tmp_path


def make(clone: Path, python: str) -> subprocess.CompletedProcess[str]:
    return run(["make", "lab", f"PYTHON={python}"], clone)


def test_make_with_an_old_python_says_how_to_name_another(clone):
    old = clone / "old-python"
    old.write_text(f'#!/bin/sh\nexec {sys.executable} -c "{AS_OLD}$2"\n')
    old.chmod(0o755)
    done = make(clone, "./old-python")
    assert done.returncode and "make lab PYTHON=python3.12" in done.stderr and "Traceback" not in done.stderr
    assert not (clone / ".venv").exists()


def test_make_without_python_names_what_is_missing(clone):
    done = make(clone, "python-of-nobody")
    assert done.returncode and "unet-edu needs Python 3.11 or later, and there is no python-of-nobody" in done.stderr
    assert "make lab PYTHON=python3.12" in done.stderr and not (clone / ".venv").exists()


def test_jupyterlab_in_the_wrong_folder_names_the_file(tmp_path):
    program = [str(Path(sys.executable).parent / "jupyter"), "lab", "course/00_start_here.ipynb", "--no-browser"]
    done = run([*program, "--allow-root", "--port=0"], tmp_path)
    assert done.stderr.splitlines()[-1].endswith(f"No such file or directory: {tmp_path}/course/00_start_here.ipynb")
