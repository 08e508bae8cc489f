"""`make test` and `make quick` fail when any of their parts does. Stand-ins play the parts, which takes no time."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.patience import PATIENCE_S

ROOT = Path(__file__).parents[2]
PARTS = ["ruff check", "ruff format", "mypy", "pytest"]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """The Makefile over an environment that is up to date and whose programs write down that they were called."""
    shutil.copy(ROOT / "Makefile", tmp_path)
    programs = tmp_path / ".venv" / "bin"
    programs.mkdir(parents=True)
    for name in ("pyproject.toml", "constraints.txt", ".venv/bin/python", ".venv/lab.stamp", ".venv/test.stamp"):
        (tmp_path / name).touch()
    for name in {part.split()[0] for part in PARTS}:
        program = programs / name
        program.write_text(
            f'#!/bin/sh\ncall="{name} $*"\necho "$call" >> calls\ncase "$call" in "$FAIL"*) exit 1;; esac\n'
        )
        program.chmod(0o755)
    return tmp_path


@pytest.mark.parametrize("words, small", [([], []), (["TORCH=cpu"], ["https://download.pytorch.org/whl/cpu"])])
def test_the_small_torch_comes_first_and_alone_from_its_index(words, small):
    """`make` says what it would run for a new environment."""
    command = ["make", "--dry-run", "--always-make", "lab", *words]
    clean = {"PATH": os.environ["PATH"]}  # without what another `make` may have handed down
    done = subprocess.run(command, cwd=ROOT, env=clean, check=True, capture_output=True, text=True, timeout=PATIENCE_S)
    found = re.findall(r" python -m pip install --constraint constraints.txt (.+)$", done.stdout, re.MULTILINE)
    assert found == [*(f"--no-deps --index-url {index} torch" for index in small), "-e '.[lab]'"]


def make(target: str, project: Path, fail: str) -> tuple[int, list[str]]:
    env = {"PATH": "/usr/bin:/bin", "FAIL": fail}
    result = subprocess.run(
        ["make", target], cwd=project, env=env, check=False, capture_output=True, timeout=PATIENCE_S
    )
    return result.returncode, (project / "calls").read_text().splitlines()


@pytest.mark.parametrize("target", ["test", "quick"])
def test_all_parts_are_called_and_notebooks_are_compared_strictly(project, target):
    code, calls = make(target, project, fail="nothing")
    assert code == 0 and len(calls) == len(PARTS)
    assert all(call.startswith(part) for call, part in zip(calls, PARTS, strict=True))
    assert "--check" in calls[1] and "--nbval " in calls[3] and "--nbval-lax" not in calls[3]


@pytest.mark.parametrize("target", ["test", "quick"])
@pytest.mark.parametrize("part", PARTS)
def test_a_part_that_fails_fails_the_whole(project, part, target):
    code, calls = make(target, project, fail=part)
    assert code != 0 and calls[-1].startswith(part)


def test_what_is_quick_and_what_is_left_out_are_there(project):
    _, (*_, call) = make("quick", project, fail="nothing")
    places = [word.removeprefix("--ignore=") for word in call.split() if "/" in word]
    assert len(places) > 5 and not [place for place in places if not (ROOT / place).exists()]


def test_no_solution_to_make_exercises_from_is_a_failure(project):
    command = ["make", "exercises"]
    result = subprocess.run(command, cwd=project, check=False, capture_output=True, text=True, timeout=PATIENCE_S)
    assert result.returncode != 0 and "found no notebook in solutions/" in result.stderr
