"""Errors that a student will meet end in one sentence, which says what to do. One table: situations, and what is read.

What a notebook's first cell says where the course is not installed is tested with the set-up cells.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import traceback
from pathlib import Path
from typing import NamedTuple

import pytest
from typer.testing import CliRunner

from tests.patience import PATIENCE_S
from unet_edu import cli

ROOT = Path(__file__).parents[2]
PATHS = {"PYTHONPATH": str(ROOT)}


class Command(NamedTuple):
    """What somebody types behind `unet-edu`, perhaps where a package is not installed or a file mine.ipynb lies."""

    arguments: tuple[str, ...]
    missing: str = ""
    notebook: str | None = None


def unet_edu(*arguments: str, **situation: str) -> Command:
    return Command(arguments, **situation)


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
        unet_edu("progress", "mine.ipynb", notebook=NOTHING),
        ("mine.ipynb: expected a folder with notebooks; for one notebook there is `unet-edu check`",),
    ),
    "a file that is no notebook": (
        unet_edu("check", "mine.ipynb", notebook="<html>404</html>"),
        ("The file is no notebook, or only a part of one: it is not JSON",),
    ),
    "an empty file": (unet_edu("check", "mine.ipynb", notebook=""), ("The file is empty.",)),
    "a notebook that is not of the course": (
        unet_edu("check", "mine.ipynb", notebook=NOTHING),
        (
            (
                "mine.ipynb: has none of the course's functions; name the assignment with --assignment, one of "
                "01_segmentation"
            ),
        ),
    ),
    "a lesson's name with a typing error": (
        unet_edu("check", "mine.ipynb", "--assignment", "2_convolution", notebook=NOTHING),
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
    "weights that are not there": (
        unet_edu("predict", "runs/mine", "new", "-o", "out"),
        ("runs/mine: there is no such file or folder",),
    ),
    "PyTorch is missing": (
        unet_edu("train", "cells", "-o", "run", missing="torch"),
        ("the package torch is missing in", "activate the environment of the course", "or install the course again"),
    ),
    "a smaller package is missing": (
        unet_edu("train", "cells", "-o", "run", "--device", "cpu", missing="tqdm"),
        ("the package tqdm is missing",),
    ),
    "the grader is not installed": (
        unet_edu("grade", "02_convolution", ".", missing="nbgrader"),
        ("grading needs more than the course does (nbgrader): pip install 'unet-edu[grade]'",),
    ),
    "the grader is not installed, and notebooks are to be made": (
        unet_edu("release", "02_convolution", "-o", "out", "--from", str(ROOT / "exercises"), missing="nbgrader"),
        ("nbgrader: is not installed; `pip install 'unet-edu[grade]'` brings it",),
    ),
    "dask is not installed": (
        unet_edu(
            *("grade", "02_convolution", ".", "-o", "../out", "--unsafe", "--scheduler", "tcp://here:8786"),
            missing="distributed",
            notebook=NOTHING,
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
        command, cwd=folder, env=environment, check=False, capture_output=True, text=True, timeout=PATIENCE_S
    )


@pytest.fixture(autouse=True)
def no_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is started is told by the environment; this process may have looked for one before."""
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)


def hurried(command: Command, folder: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[int, str, str]:
    """The command in this process: most of them would take longer to start than to end. Returns the exit code and what
    was said on both channels."""
    monkeypatch.chdir(folder)
    monkeypatch.setenv("HOME", str(folder))
    result = CliRunner().invoke(cli.app, command.arguments)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, result.stdout, result.stderr


def started(command: Command, folder: Path) -> tuple[int, str, str]:
    """The command as a program of its own, without the package that is missing."""
    program = f"import sys; sys.modules[{command.missing!r}] = None; from unet_edu.cli import app; app()"
    start = ["-c", program] if command.missing else ["-m", "unet_edu"]
    done = run([sys.executable, *start, *command.arguments], folder)
    return done.returncode, done.stdout, done.stderr


# One that needs no package is started too: so it is for whoever types it.
STARTED = "a notebook that is not in this folder"


@pytest.mark.parametrize("situation", COMMANDS)
def test_a_command_ends_in_one_sentence(situation, tmp_path, monkeypatch):
    command, words = COMMANDS[situation]
    if command.notebook is not None:
        (tmp_path / "mine.ipynb").write_text(command.notebook)
    is_started = command.missing or situation == STARTED
    code, out, error = started(command, tmp_path) if is_started else hurried(command, tmp_path, monkeypatch)
    said = [line for line in error.splitlines() if not line.startswith("WARNING: --unsafe")]
    assert code == 1 and len(said) == 1, error
    assert said[0].startswith("unet-edu: ") and "Traceback" not in out
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
def test_an_error_in_a_notebook_ends_in_a_sentence(situation):
    program, words = IN_A_NOTEBOOK[situation]
    with pytest.raises(Exception) as caught:
        exec(program, {})  # noqa: S102, our own lines
    assert words in traceback.format_exception_only(caught.value)[-1]


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
        said = run([path, "-m", "unet_edu"], tmp_path).stderr
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
