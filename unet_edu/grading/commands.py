"""The commands of the grader: `grade` a class, `check` one's own notebook, see the `progress` in all of them, `release`
an assignment.

Thin: here options become arguments. The work is done by `classroom`, `own` and `release`, which are imported when they
are needed.
"""

from __future__ import annotations

import contextlib
import functools
import importlib.util
import math
import os
import re
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:  # takes its time to import
    from zoneinfo import ZoneInfo

    from unet_edu.checks.progress import Progress
    from unet_edu.grading.assignment import Assignment
    from unet_edu.grading.marks.report import Row
    from unet_edu.grading.notebook import Notebook
    from unet_edu.grading.own import Checked
    from unet_edu.grading.sandbox import Limits

__all__ = ["check", "grade", "progress", "release"]

NEEDS_A_PERSON = 3
INTERRUPTED = 130
PROJECT = "10_own_images"
MOST_COPIES = 5  # of one assignment; more are a class
UNITS = {"K": 1 << 10, "M": 1 << 20, "G": 1 << 30}

limit = functools.partial(typer.Option, rich_help_panel="Limits of one notebook")
machine = functools.partial(typer.Option, rich_help_panel="Machine")

WARNING = (
    "WARNING: --unsafe. These notebooks run as programs of yours, without a sandbox: each can read and change all your "
    "files, use the network, and give itself any mark. Every row of the tables says that it was graded so."
)


def grade(
    assignment: Annotated[
        str,
        typer.Argument(
            help="02_convolution and so on, the assignment.json that `unet-edu release` wrote, or 10_own_images."
        ),
    ],
    folder: Annotated[
        Path,
        typer.Argument(
            help="The notebooks: NAME.ipynb, a folder for each student, or what nbgrader, Moodle or Canvas gives. Of "
            "10_own_images a zip or a folder of label maps for each student."
        ),
    ],
    output: Annotated[Path, typer.Option("--output", "-o", help="The folder for all that comes of it.")] = Path(
        "grading"
    ),
    roster: Annotated[
        Path | None, typer.Option(help="A list of the class, as CSV. Who handed in nothing has a row, too.")
    ] = None,
    frames: Annotated[
        Path | None,
        typer.Option(help="Of 10_own_images: the folder with your frames, in images and labels. docs/project.md."),
    ] = None,
    database: Annotated[
        str | None,
        typer.Option(help="nbgrader's gradebook, as postgresql://… Without it: gradebook.db in the output folder."),
    ] = None,
    time_zone: Annotated[
        str | None,
        typer.Option(
            help="As Europe/Berlin: of times that name no zone, or one of several meanings, such as IST. Without it: "
            "UTC, or a person is asked."
        ),
    ] = None,
    seed: Annotated[
        int | None, typer.Option(min=0, help="Of the fresh cases. Without it: a secret number, kept for the next run.")
    ] = None,
    force: Annotated[
        bool,
        typer.Option(
            "--force", help="Grade everything again. Where that gives no mark, an earlier one is no longer shown."
        ),
    ] = False,
    cell_seconds: Annotated[float, limit(min=0.1, help="For one cell.")] = 60.0,
    seconds: Annotated[float, limit(min=1, help="In all.")] = 300.0,
    memory: Annotated[str, limit(help="As 3GB or 500MB, of all its processes together.")] = "3GB",
    workers: Annotated[
        int | None, machine(min=1, help="How many notebooks at a time. Without it: one for each core.")
    ] = None,
    scheduler: Annotated[
        str | None, machine(help="Grade on a dask cluster instead: the address of its scheduler, tcp://HOST:8786.")
    ] = None,
    unsafe: Annotated[
        bool, machine("--unsafe", help="Without the sandbox: only for notebooks that you trust as your own programs.")
    ] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress bar and no summary.")] = False,
) -> None:
    """Grade a class.

    Each notebook runs in a sandbox. Its functions are called on fresh inputs, and what they answer is judged outside.
    The marks come into nbgrader's gradebook and into tables for a spreadsheet, Moodle and Canvas; each student gets a
    page of feedback.

    Run it again after a stop, or when more notebooks have come: what is graded already stays as it is.

    The exit code is 0 when all are graded, 3 when some need a person, and 1 when nothing could be done.
    """
    _expect_extra()
    from unet_edu.grading import sandbox
    from unet_edu.grading.assignment import load
    from unet_edu.grading.marks import classroom, submissions

    zone = None if time_zone is None else _zone(time_zone)
    limits = sandbox.Limits(cell=cell_seconds, total=seconds, cpu=math.ceil(seconds), memory=_bytes(memory))
    if frames is not None or assignment == PROJECT:
        if seed is not None or database or scheduler or workers:
            raise ValueError(f"{PROJECT}: --seed, --database, --scheduler and --workers are for notebooks")
        return _grade_project(assignment, folder, frames, output, roster, zone, limits, unsafe, quiet)
    chosen = load(assignment)
    if unsafe:
        typer.echo(WARNING, err=True)
    try:
        rows = classroom.grade_class(
            chosen,
            folder,
            output,
            roster=None if roster is None else submissions.read_roster(roster, zone),
            zone=zone,
            seed=seed,
            limits=limits,
            workers=workers,
            scheduler=scheduler,
            database=database,
            force=force,
            unsafe=unsafe,
            progress=not quiet and sys.stderr.isatty(),
            say=_say,
        )
    except sandbox.SandboxError as error:
        raise ValueError(str(error)) from None
    except KeyboardInterrupt:
        typer.echo("unet-edu: stopped. The same command goes on from there.", err=True)
        raise typer.Exit(INTERRUPTED) from None
    is_summed_up = quiet or _sum_up(chosen, rows, output / chosen.name)
    if not is_summed_up or _is_a_person_needed(rows):
        raise typer.Exit(NEEDS_A_PERSON)
    return None


def _grade_project(
    name: str,
    folder: Path,
    frames: Path | None,
    output: Path,
    roster: Path | None,
    zone: ZoneInfo | None,
    limits: Limits,
    unsafe: bool,
    quiet: bool,
) -> None:
    """Score the label maps of a class on the instructor's frames."""
    from tqdm import tqdm

    from unet_edu.grading import project, sandbox
    from unet_edu.grading.marks import submissions

    if name != PROJECT or frames is None:
        raise ValueError(f"--frames: your frames and {PROJECT} belong together; got {name}, frames: {frames}")
    if unsafe:
        typer.echo(WARNING.replace("These notebooks run as programs", "These files are decoded by programs"), err=True)
    try:
        if not unsafe:
            sandbox.require()
        graded = project.grade_project(
            folder,
            project.frames_in(frames),
            output / PROJECT,
            roster=None if roster is None else submissions.read_roster(roster, zone),
            limits=limits,
            unsafe=unsafe,
            watched=lambda students: tqdm(students, disable=quiet or not sys.stderr.isatty()),
        )
    except sandbox.SandboxError as error:
        raise ValueError(str(error)) from None
    except KeyboardInterrupt:
        typer.echo("unet-edu: stopped; nothing was written.", err=True)
        raise typer.Exit(INTERRUPTED) from None
    if not quiet:
        typer.echo(f"{project.summary(graded)}\n\nTables and feedback: {output / PROJECT}")
    if any(one.asks for one in graded):
        raise typer.Exit(NEEDS_A_PERSON)


def _sum_up(assignment: Assignment, rows: Sequence[Row], place: Path) -> bool:
    """Show the summary. All is written by now, so a mistake in it says so and stops nothing."""
    from unet_edu.grading.marks.alone import told
    from unet_edu.grading.marks.report import summary

    try:
        said, is_made = summary(assignment, rows), True
    except Exception as error:  # noqa: BLE001
        said, is_made = f"There is no summary: the grader itself failed ({told(error)}). The tables are whole.", False
    typer.echo(said)
    typer.echo(f"\nTables and feedback: {place}")
    return is_made


def _is_a_person_needed(rows: Sequence[Row]) -> bool:
    try:
        return any(row.asks for row in rows)
    except Exception:  # noqa: BLE001  the grader failed over a student, as the table says
        return True


def _expect_extra() -> None:
    if os.name == "nt":
        raise ValueError("grading needs Linux or macOS; on Windows, run this command in WSL 2, which is a Linux")
    missing = [name for name in ("nbgrader", "nbformat", "sqlalchemy") if importlib.util.find_spec(name) is None]
    if missing:
        raise ValueError(
            f"grading needs more than the course does ({', '.join(missing)}): pip install 'unet-edu[grade]'"
        )


def _zone(name: str) -> ZoneInfo:
    from unet_edu.grading.marks.times import zone_named

    try:
        return zone_named(name)
    except ValueError as error:
        raise ValueError(f"--time-zone: {error}") from None


def _bytes(text: str) -> int:
    """A size as people write it: 3GB, 500 MB."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([KMG])i?B", text.strip(), re.IGNORECASE)
    if not match:
        raise ValueError(f"--memory: expected a size as 3GB or 500MB, got {text!r}")
    return int(float(match[1]) * UNITS[match[2].upper()])


def _say(sentence: str) -> None:
    """Without disturbing the progress bar."""
    from tqdm import tqdm

    tqdm.write(f"unet-edu: {sentence}", file=sys.stderr)


def check(
    notebook: Annotated[Path, typer.Argument(help="Your notebook, NAME.ipynb.")],
    assignment: Annotated[
        str | None,
        typer.Option(
            help="02_convolution and so on, or an assignment.json. Without it: guessed from the functions in the "
            "notebook."
        ),
    ] = None,
) -> None:
    """Check your own notebook: the verdicts that it shows in Jupyter, and the sum of the points.

    All cells are run here, on your computer, without a sandbox. The exit code is 0 when all exercises are right, and 1
    otherwise.
    """
    from unet_edu.grading import own
    from unet_edu.grading.assignment import load
    from unet_edu.grading.marks import submissions
    from unet_edu.grading.notebook import read

    if not notebook.exists():
        raise ValueError(
            f"{notebook}: No such file in {Path.cwd()}; go to the folder with your notebook, or let `unet-edu "
            "progress` look for it"
        )
    data = submissions.read(notebook)
    mine = read(data)
    if not assignment:
        own.expect_no_lesson(data, mine, notebook.name)
    chosen = load(assignment) if assignment else own.guessed(mine, notebook.name)
    with _calmly(notebook):
        found, stopped = own.check_own(mine, chosen, notebook.resolve().parent)
    for line in (chosen.name, "", *stopped, *map(_verdict, found)):
        typer.echo(line)
    earned, points = sum(each.earned for each in found), sum(each.points for each in found)
    typer.echo(f"\n{earned:g} of {points:g} points by these cases. The grader tries others, too.")
    if not all(each.is_right for each in found):
        raise typer.Exit(1)


@contextlib.contextmanager
def _calmly(notebook: Path) -> Iterator[None]:
    """Ctrl-C says where it was, and no more."""
    try:
        yield
    except KeyboardInterrupt:
        typer.echo(f"unet-edu: stopped while {notebook} was running.", err=True)
        raise typer.Exit(INTERRUPTED) from None


def _verdict(checked: Checked) -> str:
    """What is said of one exercise."""
    points = f"  {checked.earned:g} of {checked.points:g} points."
    if checked.result is None:
        return f"○ {checked.exercise}: not found. The notebook has no function of this name.\n{points}"
    lines = [repr(checked.result), points]
    if checked.forbidden:
        lines.append(f"  It uses {_from_a_library(checked)}")
    return "\n".join(lines)


def _from_a_library(checked: Checked) -> str:
    return (
        f"{', '.join(checked.forbidden)}, which is the answer from a library. Your instructor will have to decide "
        "about it."
    )


def progress(
    folder: Annotated[
        Path, typer.Argument(help="Where your notebooks are, in folders or not. Without it: here.")
    ] = Path(),
) -> None:
    """How far you are: the verdicts on all your notebooks of exercises, the points of each lesson, and what to do next.

    The notebooks are found by what is in them, whatever their names. All their cells are run here, on your computer,
    without a sandbox. Those in folders named solutions are left out. Of several notebooks of one lesson, the one with
    most points counts.

    One notebook that cannot be read does not stop the others; the exit code is then 1.
    """
    mine, failures = _own_notebooks(folder)
    best: dict[str, tuple[Path, Progress]] = {}
    for path, notebook, assignment in mine:
        found = _progress_in(path, notebook, assignment)
        if assignment.name not in best or found.earned > best[assignment.name][1].earned:
            best[assignment.name] = (path, found)
    if best:
        typer.echo(_in_all([*best.values()]))
    if failures:
        raise typer.Exit(1)


def _own_notebooks(folder: Path) -> tuple[list[tuple[Path, Notebook, Assignment]], int]:
    """The notebooks of exercises below a folder, lesson by lesson; and how many could not be read, which is said."""
    from unet_edu.grading import own
    from unet_edu.grading.marks import submissions
    from unet_edu.grading.notebook import read

    if not folder.is_dir():
        raise ValueError(f"{folder}: expected a folder with notebooks; for one notebook there is `unet-edu check`")
    failures: list[Exception] = []
    mine = []
    for path in own.notebooks(folder, failures.append):
        try:
            notebook = read(submissions.read(path))
        except (ValueError, OSError) as error:
            failures.append(error if isinstance(error, OSError) else ValueError(f"{path}: {error}"))
            continue
        if own.is_of_exercises(notebook):
            mine.append((path, notebook, own.guessed(notebook, path.name)))
    for failure in failures:
        typer.echo(f"unet-edu: {failure}", err=True)
    copies = Counter(assignment.name for _, _, assignment in mine)
    if copies and copies.most_common(1)[0][1] > MOST_COPIES:
        name, count = copies.most_common(1)[0]
        raise ValueError(
            f"{folder}: expected your own notebooks, found {count} of {name}; to grade those of a class in a sandbox, "
            "there is `unet-edu grade`"
        )
    if not mine and not failures:
        raise ValueError(
            f"{folder.resolve()}: found no notebook of exercises here or in the folders below; go to the folder with "
            "yours, or name it, as in `unet-edu progress Downloads`"
        )
    return sorted(mine, key=lambda each: each[2].name), len(failures)


def _progress_in(path: Path, notebook: Notebook, assignment: Assignment) -> Progress:
    """Run one notebook, and say how far it is."""
    from unet_edu.grading import own

    with _calmly(path):
        checked, stopped = own.check_own(notebook, assignment, path.resolve().parent)
    found = own.standing(checked, assignment)
    title, *rows = found.lines()
    notes = [f"  {line}" for line in stopped]
    notes += [f"  {each.exercise} uses {_from_a_library(each)}" for each in checked if each.forbidden]
    typer.echo("\n".join([f"{title}, in {path}", *rows, *notes, ""]))
    return found


def _in_all(best: list[tuple[Path, Progress]]) -> str:
    """The sum over the lessons, and what to do next."""
    from unet_edu.checks.progress import ALL_RIGHT, WHAT_TO_DO

    standings = [standing for _, found in best for standing in found.standings]
    right = sum(standing.status == "passed" for standing in standings)
    earned, points = (sum(getattr(standing, name) for standing in standings) for name in ("earned", "points"))
    total = f"In all: {earned:g} of {points:g} points, {right} of {len(standings)} exercises right."
    for path, found in best:
        if following := found.following:
            advice = f'`unet-edu check "{path}"` says what to think about.' if following.status == "failed" else None
            return f"{total}\nNext: {following.exercise}, in {path}. {advice or WHAT_TO_DO[following.status]}"
    return f"{total}\n{ALL_RIGHT}"


def release(
    assignment: Annotated[str, typer.Argument(help="Of which assignment: 02_convolution and so on.")],
    output: Annotated[
        Path, typer.Option("--output", "-o", help="Where its folder is made, with the notebook and assignment.json.")
    ],
    exercise: Annotated[
        list[str] | None,
        typer.Option(
            "--exercise", "-e", help="The name of an exercise to keep; give it several times. Without it: all."
        ),
    ] = None,
    points: Annotated[
        list[str] | None,
        typer.Option("--points", "-p", help="What an exercise is worth, as conv2d_naive=5; give it several times."),
    ] = None,
    due: Annotated[str, typer.Option(help="Until when, as 2027-01-31T23:59+01:00. Without it: whenever.")] = "",
    late_percent_per_day: Annotated[
        float, typer.Option(min=0, max=100, help="Taken off the mark for each day that has begun after that.")
    ] = 0.0,
    source: Annotated[
        Path | None, typer.Option("--from", help="The folder `exercises` of the course. Without it: the one here.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite what is there.")] = False,
) -> None:
    """Make an assignment of your own from the course's: some of its exercises, with your points and your date.

    Hand out the notebook; keep assignment.json for `unet-edu grade`.
    """
    from unet_edu.grading.release import release as write

    folder = write(
        assignment,
        output,
        exercises=exercise or (),
        points=dict(_worth(text) for text in points or ()),
        due=due,
        late_percent_per_day=late_percent_per_day,
        source=source,
        force=force,
    )
    typer.echo(f"For the students: {folder / f'{assignment}.ipynb'}")
    typer.echo(f"To grade: unet-edu grade {folder / 'assignment.json'} SUBMISSIONS")


def _worth(text: str) -> tuple[str, float]:
    name, _, points = text.partition("=")
    try:
        return name, float(points)
    except ValueError:
        raise ValueError(f"--points: expected an exercise and a number, as conv2d_naive=5, got {text!r}") from None
