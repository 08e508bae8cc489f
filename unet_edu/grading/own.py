"""One's own notebook, checked from a terminal: its cells run here, in this process, and each exercise gets the verdict that `check` gives.

There is no sandbox: it is your own code, as in Jupyter. So it works on any system. Marks come from `unet-edu grade` alone.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from unet_edu.checks import SEED, check
from unet_edu.checks.exercise import CheckResult
from unet_edu.grading.assignment import ASSIGNMENTS, Assignment
from unet_edu.grading.forbidden import uses
from unet_edu.grading.judge import score
from unet_edu.grading.notebook import Notebook

__all__ = ["Checked", "check_own", "guessed"]

INSIDE = Path(__file__).parent / "inside"  # has stand-ins for what only Colab has


@dataclass(frozen=True)
class Checked:
    """What the check says of one exercise.

    Parameters
    ----------
    exercise : str
    points, earned : float
        What it is worth, and what it would earn if the grader's fresh cases came out as the visible ones.
    result : CheckResult or None
        None when the notebook has no such function.
    forbidden : tuple of str
        What the function uses that would be the answer.
    """

    exercise: str
    points: float
    earned: float
    result: CheckResult | None
    forbidden: tuple[str, ...]

    @property
    def is_right(self) -> bool:
        return self.result is not None and self.result.passed and not self.forbidden


def guessed(notebook: Notebook, name: str) -> Assignment:
    """The assignment of the course that a notebook solves: the one with the most functions in it, or else the one whose name the file has.

    Raises
    ------
    ValueError
        When neither helps.
    """
    counts = {
        assignment: sum(bool(notebook.defined(exercise)) for exercise, _ in assignment.points)
        for assignment in ASSIGNMENTS.values()
    }
    best = max(counts, key=lambda assignment: (counts[assignment], assignment.name in name))
    if not counts[best] and best.name not in name:
        raise ValueError(
            f"{name}: has none of the course's functions; name the assignment with --assignment, one of {', '.join(ASSIGNMENTS)}"
        )
    return best


def check_own(notebook: Notebook, assignment: Assignment, folder: Path) -> tuple[list[Checked], list[str]]:
    """Run the assignment's set-up and the notebook's cells, then check each exercise, found by its name.

    Parameters
    ----------
    notebook : Notebook
    assignment : Assignment
    folder : Path
        Where the notebook lies, and where it runs: it may import or read what lies beside it.

    Returns
    -------
    (checked, stopped)
        One for each exercise, in order; and a line for each cell that raised.

    Raises
    ------
    KeyboardInterrupt
        On Ctrl-C.
    """
    from unet_edu.grading.inside.shell import Shell, in_one_line, new_shell

    stopped = []
    with _quiet_in(folder):
        shell = new_shell()
        try:
            for number, source in enumerate((assignment.set_up, *notebook.cells)):
                error = shell.run(source)
                if isinstance(error, KeyboardInterrupt):
                    raise error
                if error is not None:
                    which = f"Code cell {number}" if number else "The assignment's own set-up"
                    stopped.append(f"{which} stopped with {in_one_line(error)}")
            checked = _checked(notebook, assignment, shell.user_ns)
        finally:
            shell.restore_sys_module_state()
            Shell.clear_instance()
            shutil.rmtree(shell.ipython_dir, ignore_errors=True)
    return checked, stopped


def _checked(notebook: Notebook, assignment: Assignment, names: Mapping[str, Any]) -> list[Checked]:
    found, cells = [], (assignment.set_up, *notebook.cells)
    for (name, points), exercise in zip(assignment.points, assignment.exercises(), strict=True):
        if not callable(names.get(name)):
            found.append(Checked(name, points, 0.0, None, ()))
            continue
        result = check(names[name], name)
        earned = score(exercise, points, exercise.cases(np.random.default_rng(SEED)), result.right)
        found.append(Checked(name, points, earned, result, tuple(uses(cells, name, exercise.forbidden))))
    return found


@contextlib.contextmanager
def _quiet_in(folder: Path) -> Iterator[None]:
    """In the notebook's folder, as Jupyter would; what is printed, and what would be typed, goes nowhere."""
    before, path, stdin = Path.cwd(), list(sys.path), sys.stdin
    os.environ.setdefault("MPLBACKEND", "agg")  # pictures are drawn, and no window opens
    os.chdir(folder)
    sys.path[:] = ["", *path, str(INSIDE)]
    try:
        with (
            open(os.devnull, "w", encoding="utf-8") as nowhere,
            open(os.devnull, encoding="utf-8") as nothing,
            contextlib.redirect_stdout(nowhere),
            contextlib.redirect_stderr(nowhere),
        ):
            sys.stdin = nothing
            yield
    finally:
        sys.stdin, sys.path[:] = stdin, path
        os.chdir(before)
