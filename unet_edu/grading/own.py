"""One's own notebook, checked from a terminal.

Its cells run here, in this process, and each exercise gets the verdict that `check` gives. There is no sandbox: it is
your own code, as in Jupyter. So it works on any system. Marks come from `unet-edu grade` alone.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from unet_edu.checks import CheckResult, checked
from unet_edu.checks.progress import Progress, Standing
from unet_edu.grading.assignment import ASSIGNMENTS, Assignment
from unet_edu.grading.forbidden import as_listed, uses
from unet_edu.grading.notebook import Notebook, texts
from unet_edu.lessons import EXERCISES, LESSONS

__all__ = ["Checked", "check_own", "expect_no_lesson", "guessed", "is_of_exercises", "notebooks", "standing"]

INSIDE = Path(__file__).parent / "sandbox/inside"  # has stand-ins for what only Colab has
NOT_OWN = ("solutions", "grading", "build")  # of a clone: notebooks of others, and copies for the web book
A_CHECK = re.compile(r"^[ \t]*check\(\s*(\w+)", re.MULTILINE)
A_LESSON = re.compile(r"^# ([0-9]{2}) · ", re.MULTILINE)  # its title
CHOSEN = re.compile(r'^progress\("\d\d", (\{.*\})\)$', re.MULTILINE)  # as `unet-edu release` writes it


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
    """The assignment of the course that a notebook solves: with the most functions in it, or else of the file's name.

    Raises
    ------
    ValueError
        When neither helps.
    """
    counts = {
        assignment: sum(bool(notebook.defined(exercise)) for exercise in assignment.names)
        for assignment in ASSIGNMENTS.values()
    }
    best = max(counts, key=lambda assignment: (counts[assignment], assignment.name in name))
    if not counts[best] and best.name not in name:
        raise ValueError(
            f"{name}: has none of the course's functions; name the assignment with --assignment, "
            f"one of {', '.join(ASSIGNMENTS)}"
        )
    for points in CHOSEN.findall("\n".join(notebook.cells)):
        with contextlib.suppress(ValueError):  # somebody has changed the cell: then all exercises of the course count
            return Assignment.from_json({**best.to_json(), "points": json.loads(points)})
    return best


def notebooks(folder: Path, unreadable: Callable[[OSError], object]) -> list[Path]:
    """The notebooks below a folder, without solutions, hidden folders and what a grader keeps.

    Parameters
    ----------
    folder : Path
    unreadable : callable
        Gets the error of each folder into which one may not look.
    """
    found = []
    for place, folders, files in os.walk(folder, onerror=unreadable):
        folders[:] = sorted(name for name in folders if name not in NOT_OWN and not name.startswith("."))
        found += [
            Path(place, name) for name in sorted(files) if name.lower().endswith(".ipynb") and not name.startswith(".")
        ]
    return found


def is_of_exercises(notebook: Notebook) -> bool:
    """Whether a notebook checks exercises of the course. A lesson does not, though it may define a function of one."""
    return any(name in EXERCISES for source in notebook.cells for name in A_CHECK.findall(source))


def expect_no_lesson(data: bytes, notebook: Notebook, name: str) -> None:
    """Say where the exercises are to somebody who wants a lesson checked.

    Raises
    ------
    ValueError
        When the file is a notebook of course/: it has the title of a lesson, and checks no exercise.
    """
    titles = [title[1] for text in texts(data) if (title := A_LESSON.match(text))]
    if not titles or is_of_exercises(notebook):
        return
    its = f"it has no exercises; the first are those of lesson {LESSONS[0].number}"
    for each, assignment in ASSIGNMENTS.items():
        if each.startswith(titles[0]):
            its = (
                f"its exercises ({', '.join(assignment.names)}) are in another notebook, exercises/{each}/{each}.ipynb"
            )
    raise ValueError(f"{name}: is lesson {titles[0]}, in which nothing is to be checked; {its}")


def standing(checked: Sequence[Checked], assignment: Assignment) -> Progress:
    """What was checked, as a notebook shows it."""
    return Progress(
        assignment.name[:2],
        tuple(
            Standing(each.exercise, each.result.status if each.result else "not found", each.earned, each.points)
            for each in checked
        ),
    )


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
    from unet_edu.grading.sandbox.inside.shell import Shell, in_one_line, new_shell

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
    """As `check` in a notebook, and what the grader says of forbidden calls."""
    from unet_edu.grading.sandbox.inside.watch import Watch

    found, cells = [], (assignment.set_up, *notebook.cells)
    for (name, points), exercise in zip(assignment.points, assignment.exercises(), strict=True):
        if not callable(names.get(name)):
            found.append(Checked(name, points, 0.0, None, ()))
            continue
        seen = Watch(exercise.forbidden, names[name])
        result = checked(names[name], exercise, seen)
        earned = result.earned(points)
        used = uses(cells, name, exercise.forbidden)
        # A function that was stopped may have been so in the middle of the watch.
        used += as_listed(seen.found, exercise.forbidden, known=used) if earned else []
        found.append(Checked(name, points, earned, result, tuple(used)))
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
