"""The grader's commands, as an instructor and a student type them: what they say, and their exit codes."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from tests.command_line import complaint, run
from unet_edu.grading import own, sandbox
from unet_edu.grading.assignment import ASSIGNMENTS
from unet_edu.grading.marks import classroom
from unet_edu.grading.marks.gradebook import Gradebook
from unet_edu.grading.sandbox import Limits, SandboxError

ROOT = Path(__file__).parents[2]
SOLUTION = ROOT / "solutions" / "02_convolution" / "02_convolution.ipynb"
EXERCISE = ROOT / "exercises" / "02_convolution" / "02_convolution.ipynb"


def notebook(folder: Path, *cells: str, name: str = "mine.ipynb") -> Path:
    path = folder / name
    content = {"nbformat": 4, "cells": [{"cell_type": "code", "source": source} for source in cells]}
    path.write_text(json.dumps(content))
    return path


def csv(folder: Path, text: str) -> Path:
    path = folder / "roster.csv"
    path.write_text(text)
    return path


# ---------------------------------------------------------------------------------------------------------------- check

OUT_SIZE = "def out_size(i, k, s=1, p=0, d=1):\n    return (i + 2 * p - d * (k - 1) - 1) // s + 1"


def test_a_solution_is_right():
    said = run("check", SOLUTION)
    assert said.startswith("02_convolution\n") and said.count(": passed.") == 5
    assert said.endswith("12 of 12 points by these cases. The grader tries others, too.\n")


def test_ipython_s_own_folder_stays_as_it_is(tmp_path, monkeypatch):
    """The shell's files lie in a temporary folder, which goes; the reader's profile is the reader's."""
    home, temporary = tmp_path / "home", tmp_path / "temporary"
    mine = home / ".ipython" / "profile_default" / "startup" / "mine.py"
    mine.parent.mkdir(parents=True)
    mine.write_text("x = 1")
    temporary.mkdir()
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.delenv("IPYTHONDIR", raising=False)
    monkeypatch.setattr("tempfile.tempdir", str(temporary))
    run("check", notebook(tmp_path, OUT_SIZE), code=1)
    assert [path for path in home.rglob("*") if path.is_file()] == [mine]
    assert not list(temporary.iterdir())


def test_an_unfilled_notebook_is_not_yet():
    said = run("check", EXERCISE, code=1)
    assert said.count(": not yet.") == 5 and "0 of 12 points by these cases." in said


def test_the_verdicts_are_those_of_the_notebook(tmp_path):
    """The same words as `check` in Jupyter, with the hint; and the rest goes on when a cell stops."""
    from unet_edu.checks import check

    wrong = "def out_size(i, k, s=1, p=0, d=1):\n    return (i + p - d * (k - 1) - 1) // s + 1"
    path = notebook(tmp_path, "print('much')", "1 / 0", wrong, "def receptive_field(layers): return [1]")
    said = run("check", path, code=1)
    assert (
        repr(check(lambda i, k, s=1, p=0, d=1: (i + p - d * (k - 1) - 1) // s + 1, "out_size")) in said
        and "Hint: " in said
    )
    assert "Code cell 2 stopped with ZeroDivisionError: division by zero\n" in said
    assert "○ conv2d_naive: not found. The notebook has no function of this name." in said
    assert "much" not in said


def test_what_is_seen_in_a_wrong_answer_is_told(tmp_path):
    """As in the notebook, where it is no known mistake; and what a function does when it is asked more is not held
    against it."""
    from unet_edu.checks import check

    source = OUT_SIZE.replace("return", "return (s > 2) +")
    said = run("check", notebook(tmp_path, source), code=1)
    assert "What we see: " in said and "wrong wherever “s” is larger than 2" in said
    by_notebook = check(lambda i, k, s=1, p=0, d=1: (s > 2) + (i + 2 * p - d * (k - 1) - 1) // s + 1, "out_size")
    assert repr(by_notebook) in said


def test_half_of_the_points(tmp_path):
    """Right in the notebook's cases and in most others."""
    path = notebook(tmp_path, OUT_SIZE.replace("return", "if s == 5: return -1\n    return"))
    said = run("check", path, code=1)
    assert "✗ out_size: failed." in said and "  1 of 2 points." in said


def test_an_answer_from_a_library_is_named(tmp_path):
    source = (
        "from unet_edu.convolution import output_size\ndef out_size(i, k, s=1, p=0, d=1): return output_size(i, k, s, "
        "p, d)"
    )
    said = run("check", notebook(tmp_path, source), code=1)
    assert "✓ out_size: passed." in said
    assert "It uses unet_edu.convolution.output_size, which is the answer from a library." in said


def test_the_assignment_is_guessed_by_the_functions_then_by_the_name(tmp_path):
    assert run("check", notebook(tmp_path, OUT_SIZE, name="06_unet.ipynb"), code=1).startswith("02_convolution\n")
    assert run("check", notebook(tmp_path, "", name="my 06_unet (1).ipynb"), code=1).startswith("06_unet\n")
    assert "name the assignment with --assignment" in complaint("check", notebook(tmp_path, "", name="mine.ipynb"))
    assert run("check", notebook(tmp_path, ""), "--assignment", "05_pooling", code=1).startswith("05_pooling\n")


def test_one_can_check_an_own_assignment(tmp_path):
    run("release", "02_convolution", "-o", tmp_path, "-e", "out_size", "-p", "out_size=4")
    assignment = tmp_path / "02_convolution" / "assignment.json"
    assert "4 of 4 points by these cases." in run("check", notebook(tmp_path, OUT_SIZE), "--assignment", assignment)


def test_a_notebook_runs_where_it_lies(tmp_path, monkeypatch):
    """It may import and read what is beside it, also when a function is called; and this process is afterwards as
    before."""
    (tmp_path / "helper.py").write_text("ONE = 1")
    (tmp_path / "data.txt").write_text("1")
    source = OUT_SIZE.replace(
        "return",
        "import helper, pathlib\n    one = int(pathlib.Path('data.txt').read_text())\n    return helper.ONE - one +",
    )
    path = notebook(tmp_path, source, "import matplotlib.pyplot as plt; plt.plot([1]); plt.show()", "input()")
    before, main, folder = list(sys.path), sys.modules["__main__"], os.getcwd()
    said = run("check", path, code=1)
    assert "✓ out_size: passed." in said
    assert "stopped" in said and "cell 3" in said and "cell 2" not in said  # nobody is there to type
    assert (sys.path, sys.modules["__main__"], os.getcwd()) == (before, main, folder)


def test_a_student_needs_nothing_but_the_course():
    """No package of the extra `grade`, which a student does not have."""
    program = (
        "import sys\n"
        "for name in ('nbgrader', 'nbformat', 'distributed', 'dask', 'psutil'): sys.modules[name] = None\n"
        "from unet_edu.cli import app; app()"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, "check", SOLUTION], check=False, capture_output=True, text=True
    )
    assert (done.returncode, done.stderr) == (0, "") and "12 of 12 points" in done.stdout


@pytest.mark.parametrize(
    ("content", "said"),
    [(b"", "empty"), (b'{"cells": [', "not JSON"), (b"[]", "no notebook"), (None, "No such file")],
)
def test_what_is_no_notebook(tmp_path, content, said):
    path = tmp_path / "mine.ipynb"
    if content is not None:
        path.write_bytes(content)
    assert said in complaint("check", path)


LESSONS = {path.stem[:2]: path for path in sorted((ROOT / "course").glob("*.ipynb"))}


@pytest.mark.parametrize("number", LESSONS)
def test_a_lesson_names_its_exercises_before_anything_runs(monkeypatch, number):
    monkeypatch.setattr(own, "check_own", lambda *_: pytest.fail("the lesson was run"))
    said = complaint("check", LESSONS[number])
    assert said.startswith(f"unet-edu: {LESSONS[number].name}: is lesson {number}, in which nothing is to be checked")
    mine = [assignment for name, assignment in ASSIGNMENTS.items() if name.startswith(number)]
    assert mine or "it has no exercises" in said
    for assignment in mine:
        where = f"exercises/{assignment.name}/{assignment.name}.ipynb"
        assert all(exercise in said for exercise, _ in assignment.points)
        assert where in said and (ROOT / where).is_file()


@pytest.mark.parametrize("change", ["renamed", "by Colab", "with a note on top"])
def test_a_lesson_is_known_whatever_became_of_it(tmp_path, monkeypatch, change):
    monkeypatch.setattr(own, "check_own", lambda *_: pytest.fail("the lesson was run"))
    book = json.loads(LESSONS["05"].read_text())
    if change == "by Colab":
        book["metadata"] = {"colab": {"provenance": []}}
        for cell in book["cells"]:
            cell["source"] = "".join(cell["source"])
    if change == "with a note on top":
        book["cells"].insert(0, {"cell_type": "markdown", "metadata": {}, "source": "# Mine"})
    path = tmp_path / "02_convolution.ipynb"
    path.write_text(json.dumps(book))
    assert "is lesson 05, in which nothing is to be checked" in complaint("check", path)


def test_one_s_own_notebook_with_the_title_of_a_lesson_is_none(tmp_path):
    path = notebook(tmp_path, OUT_SIZE, "check(out_size)")
    book = json.loads(path.read_text())
    book["cells"].insert(0, {"cell_type": "markdown", "source": "# 02 · My exercises"})
    book["cells"].append({"cell_type": "markdown", "source": 7})
    path.write_text(json.dumps(book))
    assert "✓ out_size: passed." in run("check", path, code=1)


def test_progress_finds_notebooks_whatever_their_letters(tmp_path):
    path = notebook(tmp_path, OUT_SIZE, name="MINE.IPYNB")
    (tmp_path / ".ipynb_checkpoints").mkdir()
    notebook(tmp_path / ".ipynb_checkpoints", OUT_SIZE)
    assert own.notebooks(tmp_path, pytest.fail) == [path]


def test_an_unknown_assignment():
    assert "expected one of 01_segmentation" in complaint("check", SOLUTION, "--assignment", "99_nothing")


# ---------------------------------------------------------------------------------------------------------------- grade


@pytest.fixture
def graded(monkeypatch) -> list[dict]:
    """The arguments with which a class would have been graded."""
    calls: list[dict] = []

    def grade_class(assignment, folder, output, **options):
        calls.append({"assignment": assignment.name, "folder": folder, "output": output, **options})
        return []

    monkeypatch.setattr(classroom, "grade_class", grade_class)
    return calls


def test_options_become_arguments(graded, tmp_path):
    run("grade", "02_convolution", tmp_path)
    run(
        *("grade", "02_convolution", tmp_path, "-o", tmp_path / "out", "--cell-seconds", 5, "--seconds", 50),
        *("--memory", "1.5 GB", "--workers", 3, "--seed", 7, "--force", "--database", "postgresql://x/y"),
        *("--time-zone", "Asia/Kolkata"),
    )
    usual, other = graded
    assert (usual["output"], usual["seed"], usual["workers"]) == (Path("grading"), None, None)
    assert usual["limits"] == Limits()
    assert (usual["zone"], other["zone"]) == (None, ZoneInfo("Asia/Kolkata"))
    assert other["limits"] == Limits(cell=5, total=50, cpu=50, memory=3 << 29)
    assert (other["workers"], other["seed"], other["force"], other["unsafe"]) == (3, 7, True, False)


@pytest.mark.parametrize("memory", ["3", "much", "3 apples", "-1GB", "1e9GB"])
def test_sizes_that_are_none(graded, tmp_path, memory):
    assert "--memory: expected a size as 3GB or 500MB" in complaint(
        "grade", "02_convolution", tmp_path, "--memory", memory
    )


def test_what_cannot_be_used(tmp_path):
    assert "expected one of 01_segmentation" in complaint("grade", "99_nothing", tmp_path)
    wrong = complaint("grade", "02_convolution", tmp_path / "none", "-o", tmp_path / "out")
    assert "expected a folder with the students' notebooks" in wrong and not (tmp_path / "out").exists()
    assert "expected one of the columns" in complaint(
        "grade", "02_convolution", tmp_path, "--roster", csv(tmp_path, "colour\nred\n")
    )


def test_without_bubblewrap_it_says_what_to_do(monkeypatch, tmp_path):
    def require() -> None:
        raise SandboxError("bubblewrap is missing. Debian and Ubuntu: sudo apt install bubblewrap.")

    monkeypatch.setattr(sandbox, "require", require)
    notebook(tmp_path, OUT_SIZE)
    assert "sudo apt install bubblewrap" in complaint(
        "grade", "02_convolution", tmp_path, "-o", tmp_path.parent / "out"
    )


@pytest.mark.parametrize("missing", ["nbgrader", "nbformat", "sqlalchemy"])
def test_without_the_extra_it_says_what_to_install(tmp_path, missing):
    program = f"import sys; sys.modules[{missing!r}] = None; from unet_edu.cli import app; app()"
    command = [sys.executable, "-c", program, "grade", "02_convolution", tmp_path]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert done.returncode == 1 and done.stderr.count("\n") == 1
    assert f"({missing}): pip install 'unet-edu[grade]'" in done.stderr


def test_unsafe_is_said_aloud(graded, tmp_path):
    assert run("grade", "02_convolution", tmp_path, "--unsafe").startswith("WARNING: --unsafe.")
    assert graded[0]["unsafe"]


def test_ctrl_c(monkeypatch, tmp_path):
    def grade_class(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(classroom, "grade_class", grade_class)
    assert "The same command goes on from there." in run("grade", "02_convolution", tmp_path, code=130)


SAYS_MUCH = r"""
from tests.grading.test_report import row, failed
from unet_edu.grading.marks import classroom
from unet_edu.cli import app
classroom.grade_class = lambda *_, say, **__: [say("Zoë \u25cb"), row("Zoë \u2588 \udc80"), row("ada", failed())][1:]
app()
"""


def said_to(stdout: int, folder: Path, **environment: str) -> tuple[int, bytes, bytes]:
    command = [sys.executable, "-c", SAYS_MUCH, "grade", "02_convolution", folder]
    done = subprocess.run(
        command,
        check=False,
        stdout=stdout,
        stderr=subprocess.PIPE,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
    )
    return done.returncode, done.stdout, done.stderr


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-8"])
def test_what_a_terminal_cannot_show_is_no_failure(tmp_path, encoding):
    code, stdout, stderr = said_to(subprocess.PIPE, tmp_path, PYTHONIOENCODING=encoding)
    assert code == 3 and b"Tables and feedback: " in stdout, stderr
    assert b"Traceback" not in stderr and stderr.startswith(b"unet-edu: Zo")


def test_who_reads_may_go_before_the_end(tmp_path):
    """As with `| head -1`."""
    reader, writer = os.pipe()
    os.close(reader)
    code, _, stderr = said_to(writer, tmp_path)
    os.close(writer)
    assert code == 3 and stderr.count(b"\n") == 1, stderr


@pytest.fixture
def folder(tmp_path, empty_gradebook):
    """A class of two."""
    for name in ("submitted", "grading"):
        (tmp_path / name).mkdir()
    shutil.copy(empty_gradebook, tmp_path / "grading" / "gradebook.db")
    shutil.copy(SOLUTION, tmp_path / "submitted" / "ada.ipynb")
    shutil.copy(EXERCISE, tmp_path / "submitted" / "bob.ipynb")
    return tmp_path


@pytest.mark.needs("bubblewrap")
def test_a_class_from_the_command_line_then_one_row_that_needs_a_person(folder):
    """The real command, in a process and without a terminal."""
    command = [sys.executable, "-m", "unet_edu", "grade", "02_convolution", "submitted", "--workers", "2"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, check=False, cwd=folder, capture_output=True, text=True, env=environment)
    assert (done.returncode, done.stderr) == (0, "")
    assert "02_convolution: 2 students" in done.stdout and "graded            2" in done.stdout
    assert done.stdout.endswith("Tables and feedback: grading/02_convolution\n")
    assert "\r" not in done.stdout  # no progress bar where nobody watches
    text = (folder / "grading" / "02_convolution" / "marks.csv").read_text("utf-8-sig")
    assert [line.split(",")[:3] for line in text.splitlines()[1:]] == [["ada", "graded", "12"], ["bob", "graded", "0"]]
    with Gradebook(f"sqlite:///{folder}/grading/gradebook.db") as book:
        marks = book.marks(ASSIGNMENTS["02_convolution"])
    assert {student: sum(scores.values()) for student, scores in marks.items()} == {"ada": 12, "bob": 0}

    (folder / "submitted" / "cy.ipynb").write_text("{")
    said = run("grade", "02_convolution", folder / "submitted", "-o", folder / "grading", "--quiet", code=3)
    assert said == ""


def test_unsafe_grades_without_the_sandbox_and_says_so_on_every_row(folder):
    said = run("grade", "02_convolution", folder / "submitted", "--unsafe", "--workers", 1, "-o", folder / "grading")
    assert said.startswith("WARNING: --unsafe.") and "graded without the sandbox (--unsafe): 2" in said
    text = (folder / "grading" / "02_convolution" / "marks.csv").read_text("utf-8-sig")
    assert [line.split(",")[2] for line in text.splitlines()[1:]] == ["12", "0"]
    assert all(line.endswith(",no") for line in text.splitlines()[1:])


# -------------------------------------------------------------------------------------------------------------- release


def test_an_assignment_of_ones_own(tmp_path):
    said = run(
        *("release", "02_convolution", "-o", tmp_path, "-e", "out_size", "--exercise", "conv2d_naive"),
        *("-p", "conv2d_naive=5", "--due", "2027-01-31T23:59+01:00", "--late-percent-per-day", 10),
    )
    folder = tmp_path / "02_convolution"
    assert (
        f"{folder / '02_convolution.ipynb'}" in said
        and f"unet-edu grade {folder / 'assignment.json'} SUBMISSIONS" in said
    )
    made = json.loads((folder / "assignment.json").read_text())
    assert made["points"] == {"conv2d_naive": 5.0, "out_size": 2.0}
    assert (made["due"], made["late_percent_per_day"]) == ("2027-01-31T23:59+01:00", 10.0)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("99_nothing",), "expected one of 01_segmentation"),
        (("02_convolution", "-e", "max_pool"), "exercises: expected some of conv2d_naive"),
        (("02_convolution", "-p", "conv2d_naive"), "--points: expected an exercise and a number, as conv2d_naive=5"),
        (("02_convolution", "-p", "conv2d_naive=many"), "--points: expected an exercise and a number"),
        (("02_convolution", "-p", "conv2d_naive=0"), "expected a number above 0"),
        (("02_convolution", "--due", "tomorrow"), "due: expected a date and a time"),
        (("02_convolution", "--from", "/nowhere"), "expected the course's notebook"),
    ],
)
def test_releases_that_cannot_be(tmp_path, arguments, said):
    assert said in complaint("release", *arguments, "-o", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_nothing_is_overwritten_unless_told(tmp_path):
    run("release", "02_convolution", "-o", tmp_path)
    assert "is there already" in complaint("release", "02_convolution", "-o", tmp_path)
    run("release", "02_convolution", "-o", tmp_path, "--force")
