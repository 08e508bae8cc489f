"""An instructor's own choice of the course's exercises: `release` writes the notebook to hand out, and the assignment
by which it is graded."""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from importlib.metadata import metadata
from pathlib import Path
from typing import Any

import unet_edu
from unet_edu.data.files import write_whole
from unet_edu.grading.assignment import ASSIGNMENTS, Assignment

__all__ = ["release"]

# [project.urls] in pyproject.toml, which is the one place that an instructor's fork changes
URLS = dict(line.split(", ", 1) for line in metadata("unet-edu").get_all("Project-URL", []))
REPOSITORY = URLS["Repository"]
# a release leads to its own tag
HERE = f"{REPOSITORY}/blob/{'main' if unet_edu.__version__.endswith('.dev0') else f'v{unet_edu.__version__}'}"
NUMBERS = ("No", "One", "Two", "Three", "Four", "Five", "Six", "Seven")  # exercises; no notebook has more
STRANGE = "is it the course's own, as `make exercises` makes it?"
CLOSING = """\
## Done

Does every check say *passed*? Then run the whole notebook once from a fresh start (restart the kernel, run all cells) \
and save it: that is
what you hand in."""


def release(
    name: str,
    output: str | Path,
    *,
    exercises: Sequence[str] = (),
    points: Mapping[str, float] | None = None,
    due: str = "",
    late_percent_per_day: float = 0.0,
    source: str | Path | None = None,
    force: bool = False,
) -> Path:
    """Write `output/name/name.ipynb` for the students and `output/name/assignment.json` for `unet-edu grade`.

    Parameters
    ----------
    name : str
        One of the course's assignments.
    output : path
    exercises : sequence of str, optional
        Those to keep, in the notebook's order whatever their order here. Without them: all.
    points : mapping of str to float, optional
        What an exercise is worth, where it is not what the course says.
    due, late_percent_per_day
        As of an `Assignment`.
    source : path, optional
        The folder `exercises` of the repository. Without it: the one here, or the one beside this library.
    force : bool
        Whether to overwrite what is there.

    Returns
    -------
    Path
        The folder, `output/name`.

    Raises
    ------
    ValueError
        When there is no such assignment, exercise or folder, or no way to have such points or dates.
    FileExistsError
        When one of the files is there already, and `force` is not given.
    """
    assignment = _chosen(name, exercises, points or {}, due, late_percent_per_day)
    notebook = _notebook(_source(name, source), assignment)
    folder = Path(output) / name
    texts = {
        folder / f"{name}.ipynb": notebook,
        folder / "assignment.json": json.dumps(assignment.to_json(), indent=2) + "\n",
    }
    there = [path for path in texts if path.exists()]
    if there and not force:
        raise FileExistsError(f"{there[0]}: is there already; --force overwrites it, another --output leaves it alone")
    folder.mkdir(parents=True, exist_ok=True)
    for path, text in texts.items():
        write_whole(path, text.encode(), force=True)
    return folder


def _chosen(
    name: str, exercises: Sequence[str], points: Mapping[str, float], due: str, late_percent_per_day: float
) -> Assignment:
    """The course's assignment with the instructor's changes. Every name that is not known is an error."""
    if name not in ASSIGNMENTS:
        raise ValueError(f"assignment: expected one of {', '.join(ASSIGNMENTS)}, got {name!r}")
    whole = ASSIGNMENTS[name]
    known = whole.names
    for what, given in (("exercises", exercises), ("points", points)):
        unknown = [exercise for exercise in given if exercise not in known]
        if unknown:
            raise ValueError(f"{what}: expected some of {', '.join(known)}, got {', '.join(unknown)}")
    kept = [exercise for exercise in known if exercise in exercises or not exercises]
    left_out = [exercise for exercise in points if exercise not in kept]
    if left_out:
        raise ValueError(f"points: expected some of the chosen {', '.join(kept)}, got {', '.join(left_out)}")
    return dataclasses.replace(
        whole,
        points=tuple(
            (exercise, float(points.get(exercise, worth))) for exercise, worth in whole.points if exercise in kept
        ),
        due=due,
        late_percent_per_day=float(late_percent_per_day),
    )


def _source(name: str, folder: str | Path | None) -> Path:
    """The notebook of exercises/ from which is chosen. It never had a solution in it."""
    beside = Path(unet_edu.__file__).parents[1] / "exercises"
    folders = [Path(folder)] if folder else [Path("exercises"), beside]
    for path in (folder / name / f"{name}.ipynb" for folder in folders):
        if path.is_file():
            return path
    raise ValueError(
        f"{folders[0]}: expected the course's notebook {name}/{name}.ipynb in it; run this in a clone of {REPOSITORY}, "
        "or name its folder `exercises` with --from"
    )


def _notebook(path: Path, assignment: Assignment) -> str:
    """The notebook to hand out, as it is written to the disk."""
    try:
        import nbformat
        from nbgrader.utils import compute_checksum
    except ImportError:
        raise ValueError("nbgrader: is not installed; `pip install 'unet-edu[grade]'` brings it") from None

    notebook = nbformat.read(path, as_version=4)
    cells = [cell for section in _sections(notebook.cells, assignment) for cell in section]
    subset = len(assignment.points) < len(ASSIGNMENTS[assignment.name].points)
    points = {assignment.cell(exercise): _plain(worth) for exercise, worth in assignment.points}
    for cell in cells:
        ours = cell.metadata.get("nbgrader", {})
        if ours.get("grade_id") == "title":
            cell.source = _title(cell.source, assignment, subset)
        elif ours.get("grade_id") == "closing" and subset:
            cell.source = CLOSING
        elif ours.get("grade_id") == "progress":
            cell.source = _progress(cell.source, assignment)
        elif ours.get("grade"):
            ours["points"] = points[ours["grade_id"]]
        cell.source = cell.source.replace("](../../", f"]({HERE}/")  # the notebook will travel
        if ours:
            ours["checksum"] = compute_checksum(cell)
    notebook.cells = cells
    return nbformat.writes(notebook) + "\n"


def _sections(cells: list[Any], assignment: Assignment) -> list[list[Any]]:
    """The cells before the first exercise, those of each chosen exercise with its points in the text, and those from
    "How far you are" on."""
    sections: list[list[Any]] = [[]]
    for cell in cells:
        if re.fullmatch(r"exercise-\d+|how-far", cell.metadata.get("nbgrader", {}).get("grade_id", "")):
            sections.append([])
        sections[-1].append(cell)
    if len(sections) < 3:
        raise ValueError(f"the notebook: expected cells named exercise-1 and how-far; {STRANGE}")
    head, *middle, closing = sections
    by_cell = {
        cell.metadata.nbgrader.grade_id: section
        for section in middle
        for cell in section
        if cell.metadata.get("nbgrader", {}).get("grade")
    }
    chosen = []
    for exercise, points in assignment.points:
        section = by_cell.get(assignment.cell(exercise))
        if section is None:
            raise ValueError(f"the notebook: expected a cell {assignment.cell(exercise)} with points; {STRANGE}")
        section[0].source = _once(r"· [\d.]+ points?\*$", f"· {_points(points)}*", section[0].source)
        chosen.append(section)
    return [head, *chosen, closing]


def _title(text: str, assignment: Assignment, subset: bool) -> str:
    """The first cell: of its table the rows of the chosen exercises, with their points. What it says of all of them
    goes when some are left out."""
    lines = []
    points = dict(assignment.points)
    for line in text.splitlines():
        row = re.fullmatch(r"(\| \d+\. `(\w+)` \|.*\| )[\d.]+ \|", line)
        if row is None:
            lines.append(line)
        elif row[2] in points:
            lines.append(f"{row[1]}{_plain(points[row[2]])} |")
    text = "\n".join(lines)
    if assignment != ASSIGNMENTS[assignment.name]:  # the links open the course's own
        text = re.sub(r"^\[Open in Colab\]\(.+\)\n\n", "", text, flags=re.MULTILINE)
    if subset:
        count = len(points)
        book = f"[the course]({HERE}/exercises/{assignment.name}/{assignment.name}.ipynb)"
        what = (
            f"{NUMBERS[count]} exercise{'s' * (count > 1)} of \\2. The numbers are those of {book}, where the others "
            "are."
        )
        text = _once(r"(?s)\A(# [^\n]+\n\n).*?(\[lesson \d+\]\([^)]+\)).*?(?=\n\n\| exercise \|)", rf"\1{what}", text)
    if assignment.due:
        text += f"\n\n**Until when.** Hand it in by {_deadline(assignment)}."
    return text


def _progress(source: str, assignment: Assignment) -> str:
    """The cell that shows how far one is, with the chosen exercises and points where they are not the course's."""
    if assignment.points == ASSIGNMENTS[assignment.name].points:
        return source
    chosen = json.dumps({exercise: _plain(worth) for exercise, worth in assignment.points})
    return _once(r"^progress\((\"\d\d\")\)$", rf"progress(\1, {chosen})", source)


def _deadline(assignment: Assignment) -> str:
    """The last moment, and what it costs to be late."""
    due = datetime.fromisoformat(assignment.due)
    text = f"{due:%Y-%m-%d %H:%M} ({due.tzname()})"
    if assignment.late_percent_per_day:
        text += f". Each day that has begun after that takes {_plain(assignment.late_percent_per_day)} % off the mark"
    return text


def _once(pattern: str, new: str, text: str) -> str:
    text, count = re.subn(pattern, new, text, flags=re.MULTILINE)
    if count != 1:
        raise ValueError(f"the notebook: expected one place like {pattern}, found {count}; {STRANGE}")
    return text


def _plain(number: float) -> int | float:
    """3 instead of 3.0, as the notebooks of the course have it."""
    return int(number) if number == int(number) else number


def _points(number: float) -> str:
    return f"{_plain(number)} point{'' if number == 1 else 's'}"
