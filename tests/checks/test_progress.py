"""How far a student is: the cell at the end of each notebook of exercises, and the command `unet-edu progress`."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

from tests.command_line import complaint, run
from tests.patience import PATIENCE_S
from unet_edu.checks import check
from unet_edu.checks.progress import progress
from unet_edu.grading import own
from unet_edu.grading.assignment import ASSIGNMENTS
from unet_edu.lessons import EXERCISES, LESSONS

ROOT = Path(__file__).parents[2]
OUT_SIZE = "def out_size(i, k, s=1, p=0, d=1):\n    return (i + 2 * p - d * (k - 1) - 1) // s + 1"
STUB = "def conv2d_naive(x, k):\n    raise NotImplementedError"
each_topic = pytest.mark.parametrize("topic", ASSIGNMENTS)


def shown(*cells: str, call: str = 'progress("02")'):
    """What `progress` gives in a notebook that ran these cells."""
    names = {"progress": progress, "check": check}
    for cell in cells:
        exec(cell, names)  # noqa: S102, our own lines
    return eval(call, names)


def of(found) -> dict[str, tuple[str, float]]:
    return {each.exercise: (each.status, each.earned) for each in found.standings}


# -------------------------------------------------------------------------------------------------------- in a notebook


def test_right_wrong_empty_and_missing_are_told_apart_in_words():
    wrong = "def receptive_field(layers): return [1]"
    found = shown(OUT_SIZE, STUB, wrong)
    assert of(found) == {
        "conv2d_naive": ("not yet", 0),
        "out_size": ("passed", 2),
        "conv2d_multichannel": ("not found", 0),
        "receptive_field": ("failed", 0),
        "conv2d_panorama": ("not found", 0),
    }
    assert repr(found).splitlines() == [
        "Exercises 02: 2 of 12 points so far",
        "  ○ conv2d_naive         not yet    0 of 3",
        "  ✓ out_size             passed     2 of 2",
        "  ○ conv2d_multichannel  not found  0 of 3",
        "  ✗ receptive_field      failed     0 of 2",
        "  ○ conv2d_panorama      not found  0 of 2",
        "Next: conv2d_naive. Nothing is written there yet.",
        "Each function counts as it was when its cell last ran: after a change, run that cell and then this one.",
    ]


def test_a_changed_function_does_not_count_by_its_old_verdict():
    broken = OUT_SIZE.replace("+ 1", "+ 2")
    assert of(shown(OUT_SIZE, "check(out_size)"))["out_size"] == ("passed", 2)
    assert of(shown(OUT_SIZE, "check(out_size)", broken))["out_size"] == ("failed", 0)
    assert of(shown(broken, "check(out_size)", OUT_SIZE))["out_size"] == ("passed", 2)


def test_half_of_the_points_are_those_of_the_command():
    half = OUT_SIZE.replace("return", "if s == 5: return -1\n    return")
    assert of(shown(half))["out_size"] == ("failed", 1)


def test_what_is_no_function_is_not_found():
    assert of(shown("out_size = 3"))["out_size"] == ("not found", 0)


def test_an_instructor_s_choice_has_its_own_points():
    found = shown(OUT_SIZE, call='progress("02", {"out_size": 0.5})')
    assert (found.earned, found.points) == (0.5, 0.5)
    assert repr(found).endswith("All are right. A grader tries other cases, too.")


def test_the_advice_fits_the_first_that_is_not_right():
    for cells, words in (
        ((), "There is no function of this name yet"),
        ((STUB,), "Nothing is written"),
        (("def conv2d_naive(x, k): return x",), "Its check says"),
    ):
        assert f"Next: conv2d_naive. {words}" in repr(shown(*cells))


def test_the_picture_has_the_words_and_no_colour_for_text():
    found = shown(OUT_SIZE, STUB)
    page = found._repr_html_()
    for each in found.standings:
        assert f"<code>{each.exercise}</code>" in page
        assert f"{each.symbol} {each.status}</td>" in page and f"{each.earned:g} of {each.points:g}</td>" in page
    assert page.count('scope="row"') == len(found.standings) and page.count('scope="col"') == 3 and "<caption" in page
    assert set(re.findall(r"(?<![-\w])color:([^;\"]+)", page)) == {"inherit"}
    assert set(re.findall(r"background:([^;\"]+)", page)) == {"none"}
    assert "<script" not in page and "<style" not in page  # a page that shows stored notebooks would drop them


@pytest.mark.parametrize(
    ("call", "said"),
    [
        ('progress("2")', 'expected one of 01, .*09.*, as in progress."02".'),
        ('progress("02", {"iou": 1})', "expected some of conv2d_naive.*got iou"),
        ('progress("02", {})', "got none"),
    ],
)
def test_what_there_is_not(call, said):
    with pytest.raises(ValueError, match=said):
        shown(call=call)


# ------------------------------------------------------------------------------------------------- the notebooks' cells


def cell_of(folder: str, topic: str):
    book = nbformat.read(ROOT / folder / topic / f"{topic}.ipynb", as_version=4)
    (cell,) = (cell for cell in book.cells if cell.id == "progress")
    return book, cell


@each_topic
@pytest.mark.parametrize("folder", ["solutions", "exercises"])
def test_each_notebook_ends_with_its_own_progress(folder, topic):
    book, cell = cell_of(folder, topic)
    assert [each.id for each in book.cells[-3:]] == ["how-far", "progress", "closing"]
    assert cell.source == f'from unet_edu import progress\n\nprogress("{topic[:2]}")'
    marks = cell.metadata.nbgrader
    assert marks.locked and not marks.grade and not marks.solution
    (lesson,) = (lesson for lesson in LESSONS if topic == lesson.folder)
    assert tuple((each.name, float(each.points)) for each in lesson.exercises) == ASSIGNMENTS[topic].points


@each_topic
def test_the_stored_solutions_have_all_points(topic):
    _, cell = cell_of("solutions", topic)
    (output,) = cell.outputs
    points = int(sum(points for _, points in ASSIGNMENTS[topic].points))
    assert output.data["text/plain"].startswith(f"Exercises {topic[:2]}: {points} of {points} points so far")
    assert output.data["text/plain"].count("✓") == output.data["text/html"].count("✓") == len(ASSIGNMENTS[topic].points)


def test_after_a_restart_and_all_cells_it_is_right(tmp_path):
    """In a real kernel: one function is written, the others are empty."""
    book = nbformat.read(ROOT / "exercises" / "02_convolution" / "02_convolution.ipynb", as_version=4)
    (cell,) = (cell for cell in book.cells if cell.id == "out-size")
    cell.source = OUT_SIZE
    NotebookClient(
        book, timeout=PATIENCE_S, kernel_name="python3", resources={"metadata": {"path": str(tmp_path)}}
    ).execute()
    (cell,) = (cell for cell in book.cells if cell.id == "progress")
    said = cell.outputs[0].data["text/plain"]
    assert said.startswith("Exercises 02: 2 of 12 points so far") and said.count("not yet") == 4


# ---------------------------------------------------------------------------------------------------------- the command


def notebook(path: Path, *cells: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"nbformat": 4, "cells": [{"cell_type": "code", "source": cell} for cell in cells]}))
    return path


@pytest.fixture
def downloads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder as it grows: an exercise twice and under other names, a lesson, notes, and what is not one's own."""
    monkeypatch.chdir(tmp_path)
    notebook(tmp_path / "Copy of 02 (1).ipynb", OUT_SIZE, STUB, "check(out_size)", "check(conv2d_naive)")
    notebook(tmp_path / "more" / "02_convolution.ipynb", STUB, "check(conv2d_naive)")
    notebook(tmp_path / "more" / "iou.ipynb", "1 / 0", "def iou(prediction, target): return 2", "check(iou)")
    notebook(tmp_path / "02_convolution.ipynb", OUT_SIZE, "from unet_edu import quiz")  # a lesson: it checks nothing
    notebook(tmp_path / "notes.ipynb", "x = 1")
    for folder in ("solutions", "grading/submitted", ".ipynb_checkpoints", ".venv/share"):
        notebook(tmp_path / folder / "05.ipynb", "def maxunpool(): pass", "check(maxunpool)")
    return tmp_path


def test_it_finds_notebooks_by_what_is_in_them(downloads):
    said = run("progress")
    assert re.findall(r"^Exercises .* in (.*)$", said, re.MULTILINE) == [
        "more/iou.ipynb",
        "Copy of 02 (1).ipynb",
        "more/02_convolution.ipynb",
    ]
    assert "  ✓ out_size             passed     2 of 2\n" in said
    assert "  ○ conv2d_multichannel  not found  0 of 3\n" in said
    assert "  Code cell 1 stopped with ZeroDivisionError: division by zero\n" in said


def test_the_better_of_two_copies_counts_and_the_next_step_is_named(downloads):
    last = run("progress").split("\n\n")[-1].splitlines()
    assert last == [
        "In all: 2 of 24 points, 1 of 10 exercises right.",
        "Next: label_map, in more/iou.ipynb. There is no function of this name yet: run its cell.",
    ]


def test_a_failed_exercise_leads_to_its_check(tmp_path):
    path = notebook(tmp_path / "a b.ipynb", "def maxpool_idx(x, k, s): return x", "check(maxpool_idx)")
    assert f'Next: maxpool_idx, in {path}. `unet-edu check "{path}"` says what to think about.' in run(
        "progress", tmp_path
    )


def test_one_broken_notebook_does_not_stop_the_others(downloads):
    (downloads / "a.ipynb").write_text("{")
    said = run("progress", code=1)
    assert "unet-edu: a.ipynb: The file is no notebook, or only a part of one" in said
    assert "In all: 2 of 24 points" in said and "Traceback" not in said


def test_nothing_found_says_where_it_looked(tmp_path):
    (tmp_path / "solutions").mkdir()
    notebook(tmp_path / "solutions" / "05.ipynb", "check(maxunpool)")
    said = complaint("progress", tmp_path)
    assert f"{tmp_path}: found no notebook of exercises here or in the folders below" in said
    assert "`unet-edu progress Downloads`" in said


def test_a_file_or_nothing_is_no_folder(tmp_path):
    for path in (tmp_path / "none", notebook(tmp_path / "a.ipynb", STUB)):
        assert f"{path}: expected a folder with notebooks; for one notebook there is `unet-edu check`" in complaint(
            "progress", path
        )


def test_a_class_s_notebooks_are_not_run(tmp_path):
    for n in range(6):
        notebook(tmp_path / f"{n}.ipynb", f"open({str(tmp_path / 'ran')!r}, 'w')", OUT_SIZE, "check(out_size)")
    assert "found 6 of 02_convolution; to grade those of a class in a sandbox" in complaint("progress", tmp_path)
    assert not (tmp_path / "ran").exists()


def test_ctrl_c_says_where_it_was(downloads, monkeypatch):
    def check_own(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(own, "check_own", check_own)
    assert run("progress", code=130) == "unet-edu: stopped while more/iou.ipynb was running.\n"
    assert "stopped while notes" in run("check", "notes.ipynb", "--assignment", "05_pooling", code=130)


def test_an_instructor_s_choice_is_counted_with_its_points(tmp_path):
    run("release", "02_convolution", "-o", tmp_path, "-e", "out_size", "-p", "out_size=4", "--from", ROOT / "exercises")
    assert "In all: 0 of 4 points, 0 of 1 exercises right." in run("progress", tmp_path)
    changed = notebook(tmp_path / "one.ipynb", STUB, 'progress("02", {"no": "points"})', "check(conv2d_naive)")
    assert "0 of 12 points" in run("check", changed, code=1)


def test_in_the_repository_the_exercises_are_found_and_a_student_needs_nothing_more():
    """No package of the extra `grade`. The lessons and the solutions are not counted."""
    program = (
        "import sys\n"
        "absent = ('nbgrader', 'nbformat', 'distributed', 'dask', 'psutil', 'sqlalchemy')\n"
        "sys.modules.update(dict.fromkeys(absent))\n"
        "from unet_edu.cli import app; app()"
    )
    command = [sys.executable, "-c", program, "progress", "."]
    done = subprocess.run(command, cwd=ROOT, check=False, capture_output=True, text=True, timeout=PATIENCE_S)
    assert (done.returncode, done.stderr) == (0, "")
    found = re.findall(r"^Exercises .* in (.*)$", done.stdout, re.MULTILINE)
    assert found == [f"exercises/{topic}/{topic}.ipynb" for topic in ASSIGNMENTS]
    points = sum(exercise.points for exercise in EXERCISES.values())
    assert f"In all: 0 of {points} points, 0 of {len(EXERCISES)} exercises right." in done.stdout
