"""nbgrader's gradebook: what we write there, what we never touch, and what comes back."""

from __future__ import annotations

import csv
import os
import shutil
import sqlite3
import subprocess
import sys
import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbgrader import api
from nbgrader.plugins import CsvExportPlugin

from tests.grading.submissions import FOUR
from unet_edu.grading.marks.gradebook import Gradebook, GradebookError, LockedError
from unet_edu.grading.result import Outcome, Result, Status

ROOT = Path(__file__).parents[2]
CONVOLUTION = FOUR
EARNED = {"conv2d_naive": 3.0, "out_size": 1.0, "conv2d_multichannel": 0.0, "receptive_field": 2.0}
NBGRADER = [sys.executable, "-m", "nbgrader"]
# nbgrader's own commands look for alembic there
PROGRAMS = os.environ | {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}


def result(status: Status = "graded", **earned: float | None) -> Result:
    outcomes = tuple(
        Outcome(
            exercise,
            points,
            score := {**EARNED, **earned}[exercise],
            "needs review" if score is None else "right" if score == points else "half" if score else "wrong",
        )
        for exercise, points in CONVOLUTION.points
    )
    return Result(CONVOLUTION.name, status, "", outcomes, "ab" * 32, "1", 2015, 10.0)


def failed(status: Status) -> Result:
    return Result(CONVOLUTION.name, status, "Why.", (), "cd" * 32, "1", 2015, 10.0)


@pytest.fixture
def path(empty_gradebook: Path, tmp_path: Path) -> Path:
    return Path(shutil.copy(empty_gradebook, tmp_path / "gradebook.db"))


@pytest.fixture
def url(path: Path) -> str:
    return f"sqlite:///{path}"


def grades(url: str, student: str) -> dict[str, Any]:
    """Each cell's row as nbgrader sees it."""
    with api.Gradebook(url) as book:
        submission = book.find_submission("02_convolution", student)
        return {grade.name: grade.to_dict() for notebook in submission.notebooks for grade in notebook.grades}


def decide(url: str, student: str, cell: str, manual: float | None, extra: float | None = None) -> None:
    """What formgrader does when a person gives points."""
    with api.Gradebook(url) as book:
        notebook = book.find_assignment("02_convolution").notebooks[0].name
        grade = book.find_grade(cell, notebook, "02_convolution", student)
        grade.manual_score, grade.extra_credit = manual, extra
        grade.needs_manual_grade = manual is None and grade.auto_score is None
        book.db.commit()


def exported(url: str, folder: Path) -> dict[str, dict[str, str]]:
    """What `nbgrader export` writes."""
    with api.Gradebook(url) as book:
        CsvExportPlugin(to=str(folder / "grades.csv")).export(book)
    with open(folder / "grades.csv", newline="") as file:
        return {line["student_id"]: line for line in csv.DictReader(file)}


# -------------------------------------------------------------------------------------------------- writing and reading


def test_a_new_gradebook_needs_no_activated_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """nbgrader calls `alembic` by its name; who starts Python by its path has no such program on PATH."""
    monkeypatch.setenv("PATH", "/nowhere")
    with Gradebook(f"sqlite:///{tmp_path / 'gradebook.db'}") as book:
        book.write("ada", CONVOLUTION, result())
        assert book.marks(CONVOLUTION) == {"ada": EARNED}
        assert book.handout(CONVOLUTION) == ("02_convolution", {})
    assert os.environ["PATH"] == "/nowhere"
    with sqlite3.connect(tmp_path / "gradebook.db") as database:
        assert database.execute("SELECT count(*) FROM alembic_version").fetchone() == (1,)


def test_nbgrader_export_has_our_marks(url: str, tmp_path: Path) -> None:
    students = ["ada", "zoë", "o'hara; DROP TABLE grade", "=1+1", "一郎", "a" * 128]
    with Gradebook(url) as book:
        for student in students:
            book.write(
                student, CONVOLUTION, result(), datetime(2026, 11, 2, 21, 0, tzinfo=timezone(timedelta(hours=1)))
            )
        assert book.marks(CONVOLUTION) == dict.fromkeys(students, EARNED)
    lines = exported(url, tmp_path)
    assert set(lines) == set(students)
    for line in lines.values():
        assert (line["assignment"], line["score"], line["max_score"]) == ("02_convolution", "6.0", "10.0")
        assert line["timestamp"] == "2026-11-02 20:00:00"  # UTC, as all of nbgrader's times


def test_the_same_result_twice_changes_nothing(url: str, path: Path) -> None:
    def rows() -> list[Any]:
        with sqlite3.connect(path) as database:
            return [
                database.execute(f"SELECT * FROM {name} ORDER BY id").fetchall()
                for name in ("grade", "submitted_assignment", "base_cell")
            ]

    with Gradebook(url) as book:
        book.write("ada", CONVOLUTION, result())
        first = rows()
        book.write("ada", CONVOLUTION, result())
    assert rows() == first
    assert len(first[0]) == 4


def test_who_handed_in_nothing_is_known_and_has_no_submission(url: str) -> None:
    with Gradebook(url) as book:
        book.write("ada", CONVOLUTION, failed("not submitted"))
        assert book.marks(CONVOLUTION) == {}
    with api.Gradebook(url) as other:
        assert other.find_student("ada")
        with pytest.raises(api.MissingEntry):
            other.find_submission("02_convolution", "ada")


@pytest.mark.parametrize("status", ["crashed", "timed out", "over memory", "unreadable", "not submitted"])
def test_no_old_mark_stands_as_if_new(url: str, status: Status) -> None:
    with Gradebook(url) as book:
        book.write("ada", CONVOLUTION, result())
        book.write("ada", CONVOLUTION, failed(status))
        assert book.marks(CONVOLUTION) == {"ada": dict.fromkeys(EARNED)}
    for grade in grades(url, "ada").values():
        assert grade["auto_score"] is None and grade["needs_manual_grade"]


def test_one_exercise_that_waits_for_a_person_takes_no_other_with_it(url: str) -> None:
    with Gradebook(url) as book:
        book.write("ada", CONVOLUTION, result("needs review", out_size=None))
        assert book.marks(CONVOLUTION) == {"ada": EARNED | {"out_size": None}}
        assert [name for name, grade in grades(url, "ada").items() if grade["needs_manual_grade"]] == ["check-out-size"]
        decide(url, "ada", "check-out-size", 1.5)
        assert book.marks(CONVOLUTION) == {"ada": EARNED | {"out_size": 1.5}}


def test_a_whole_notebook_that_waits_for_a_person_has_no_points(url: str, tmp_path: Path) -> None:
    """Every answer was right, but the notebook tampered with something: nbgrader must not count it."""
    with Gradebook(url) as book:
        book.write("eve", CONVOLUTION, result("needs review"))
        assert book.marks(CONVOLUTION) == {"eve": dict.fromkeys(EARNED)}
    assert exported(url, tmp_path)["eve"]["score"] == "0.0"
    assert all(grade["needs_manual_grade"] for grade in grades(url, "eve").values())


def test_an_exercise_that_stopped_waits_for_a_person_in_nbgrader(url: str) -> None:
    with Gradebook(url) as book:
        book.write("ada", CONVOLUTION, result("partial", receptive_field=None))
        assert book.marks(CONVOLUTION) == {"ada": EARNED | {"receptive_field": None}}


# ------------------------------------------------------------------------------------------------ what a person decided


def test_what_a_person_decided_survives_every_regrade(url: str) -> None:
    with Gradebook(url) as book:
        book.write("ada", CONVOLUTION, result())
        decide(url, "ada", "check-out-size", 0.5, extra=0.25)
        assert book.marks(CONVOLUTION)["ada"]["out_size"] == 0.75
        for again in (
            result(),
            result(out_size=2.0),
            failed("crashed"),
            failed("not submitted"),
            result("needs review"),
        ):
            book.write("ada", CONVOLUTION, again)
            assert book.marks(CONVOLUTION)["ada"]["out_size"] == 0.75
    assert grades(url, "ada")["check-out-size"]["manual_score"] == 0.5


def test_a_person_is_asked_again_only_about_something_new(url: str) -> None:
    def flagged() -> bool:
        return bool(grades(url, "ada")["check-out-size"]["needs_manual_grade"])

    first, second = datetime(2026, 11, 2, tzinfo=UTC), datetime(2026, 11, 3, tzinfo=UTC)
    with Gradebook(url) as book:
        book.write("ada", CONVOLUTION, result("needs review", out_size=None), first)
        assert flagged()
        decide(url, "ada", "check-out-size", 1.5)
        book.write("ada", CONVOLUTION, result("needs review", out_size=None), first)
        assert not flagged()
        book.write("ada", CONVOLUTION, result("needs review", out_size=None), second)  # handed in again
        assert flagged()
        decide(url, "ada", "check-out-size", 1.5)
        book.write("ada", CONVOLUTION, result(), second)  # the same notebook, graded otherwise
        assert flagged()


# ----------------------------------------------------------------------------------------------- together with nbgrader


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory, empty_gradebook: Path) -> Path:
    """A course in which `nbgrader generate_assignment` made the assignment, with one question more that is marked by
    hand."""
    folder = tmp_path_factory.mktemp("course")
    shutil.copy(empty_gradebook, folder / "gradebook.db")
    notebook: Any = nbformat.read(ROOT / "solutions/02_convolution/02_convolution.ipynb", as_version=4)
    question: Any = nbformat.v4.new_markdown_cell("Why is the output smaller than the input?")
    question.metadata.nbgrader = {"grade": True, "solution": True, "locked": False, "task": False, "schema_version": 3}
    question.metadata.nbgrader |= {"grade_id": "why-smaller", "points": 5, "cell_type": "markdown"}
    notebook.cells.append(question)
    (folder / "source" / "02_convolution").mkdir(parents=True)
    nbformat.write(notebook, folder / "source" / "02_convolution" / "handout.ipynb")
    command = [
        *NBGRADER,
        "generate_assignment",
        "02_convolution",
        f"--CourseDirectory.db_url=sqlite:///{folder}/gradebook.db",
    ]
    done = subprocess.run(command, cwd=folder, env=PROGRAMS, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture
def made(course: Path, tmp_path: Path) -> str:
    return f"sqlite:///{shutil.copy(course / 'gradebook.db', tmp_path / 'made.db')}"


def test_cells_that_nbgrader_made_are_used(made: str, tmp_path: Path) -> None:
    with Gradebook(made) as book:
        book.write("ada", CONVOLUTION, result())
        assert book.marks(CONVOLUTION) == {"ada": EARNED}
        by_hand = grades(made, "ada")["why-smaller"]
        assert by_hand["auto_score"] is None and by_hand["needs_manual_grade"]
        decide(made, "ada", "why-smaller", 4.0)
        book.write("ada", CONVOLUTION, result(out_size=2.0))
    assert grades(made, "ada")["why-smaller"]["manual_score"] == 4.0
    assert not grades(made, "ada")["why-smaller"]["needs_manual_grade"]
    line = exported(made, tmp_path)["ada"]
    assert (line["score"], line["max_score"]) == ("11.0", "17.0")  # the fifth function of the notebook has no score
    with Gradebook(made) as book:
        assert book.handout(CONVOLUTION) == ("handout", {"check-conv2d-panorama": 2.0, "why-smaller": 5.0})
    with api.Gradebook(made) as other:
        (notebook,) = other.find_assignment("02_convolution").notebooks
        assert notebook.name == "handout"
        assert len(notebook.submissions[0].comments) == len(notebook.solution_cells) == 6


def test_other_points_there_are_a_sentence(made: str) -> None:
    others = replace(CONVOLUTION, points=(("conv2d_naive", 3.0), ("out_size", 4.0)))
    with (
        Gradebook(made) as book,
        pytest.raises(GradebookError, match="out_size is worth 2 points in the gradebook and 4 in"),
    ):
        book.write("ada", others, result())


def test_an_exercise_that_is_not_there_is_a_sentence(made: str) -> None:
    others = replace(CONVOLUTION, points=(*CONVOLUTION.points, ("iou", 3.0)))
    with Gradebook(made) as book, pytest.raises(GradebookError, match="has no cell check-iou for the exercise iou"):
        book.write("ada", others, result())


def test_our_own_cells_follow_the_assignment(url: str) -> None:
    """An instructor may change points, or add an exercise, when some are graded already."""
    fewer = replace(CONVOLUTION, points=CONVOLUTION.points[:2])
    more = replace(CONVOLUTION, points=(("conv2d_naive", 5.0), *CONVOLUTION.points[1:]))
    with Gradebook(url) as book:
        book.write("ada", fewer, result())
        book.write("zoë", more, result())
        assert book.marks(more)["ada"] == EARNED | {"conv2d_multichannel": None, "receptive_field": None}
        book.write("ada", more, result())
        assert book.marks(more) == {"ada": EARNED, "zoë": EARNED}
    assert grades(url, "ada")["check-conv2d-naive"]["max_score"] == 5.0


def test_the_late_penalty_reaches_nbgrader(url: str, tmp_path: Path) -> None:
    late = replace(CONVOLUTION, due="2026-11-01T12:00+01:00", late_percent_per_day=10)
    with Gradebook(url) as book:
        book.write("ada", late, result(), datetime(2026, 11, 2, 12, 0, tzinfo=UTC))  # the second day has begun
        book.write("zoë", late, result(), datetime(2026, 11, 1, 11, 0, tzinfo=UTC))
        book.write("alan", late, result())
    lines = exported(url, tmp_path)
    assert {name: (float(line["late_submission_penalty"]), float(line["score"])) for name, line in lines.items()} == {
        "ada": (pytest.approx(1.2), pytest.approx(4.8)),
        "zoë": (0.0, 6.0),
        "alan": (0.0, 6.0),
    }
    assert lines["ada"]["duedate"] == "2026-11-01 11:00:00"


# ------------------------------------------------------------------------------------------------------ what goes wrong


def test_a_lock_is_waited_for(url: str, path: Path) -> None:
    other = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
    with Gradebook(url) as book:
        book.write("ada", CONVOLUTION, result())
        other.execute("BEGIN EXCLUSIVE")
        done = list[str]()
        held = threading.Timer(0.5, lambda: (done.append("let go"), other.execute("COMMIT")))
        held.start()
        book.write("zoë", CONVOLUTION, result())
        done.append("written")
        assert done == ["let go", "written"]
        assert set(book.marks(CONVOLUTION)) == {"ada", "zoë"}
    held.join()
    other.close()


def test_a_lock_that_stays_loses_nothing(path: Path) -> None:
    other = sqlite3.connect(path, isolation_level=None)
    url = f"sqlite:///{path}?timeout=0.1"  # of SQLite's own waiting, which is 5 s otherwise
    with Gradebook(url, patience=0.5) as book:
        book.write("ada", CONVOLUTION, result())
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(LockedError, match="another program holds the gradebook.*run the same command again"):
            book.write("ada", CONVOLUTION, failed("crashed"))
        with pytest.raises(LockedError):
            book.marks(CONVOLUTION)
        other.execute("ROLLBACK")
        assert book.marks(CONVOLUTION) == {"ada": EARNED}
        book.write("ada", CONVOLUTION, failed("crashed"))
        assert book.marks(CONVOLUTION) == {"ada": dict.fromkeys(EARNED)}
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(LockedError), Gradebook(url, patience=0.5):
            pass
    other.close()


def test_all_of_a_student_is_written_or_nothing(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    write_grade = Gradebook._write_grade
    calls = 0

    def fail_at_the_third(*arguments: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == 3:
            raise KeyboardInterrupt
        return write_grade(*arguments)

    with Gradebook(url) as book:
        monkeypatch.setattr(Gradebook, "_write_grade", fail_at_the_third)
        with pytest.raises(KeyboardInterrupt):
            book.write("ada", CONVOLUTION, result())
        monkeypatch.undo()
        book.write("zoë", CONVOLUTION, result())
        assert book.marks(CONVOLUTION) == {"zoë": EARNED}


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("gradebook.db", "expected a database as sqlite:////folder/gradebook.db"),
        ("nosql://here", "expected a database as"),
        ("sqlite:////no/such/folder/gradebook.db", "there is no folder /no/such/folder; make it first"),
    ],
)
def test_an_address_of_no_gradebook_is_a_sentence(url: str, words: str) -> None:
    with pytest.raises(GradebookError, match=words), Gradebook(url):
        pass


def test_a_file_that_is_no_database_is_a_sentence_and_stays_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "gradebook.db"
    path.write_text("my notes " * 100)
    with pytest.raises(GradebookError, match="not a database"), Gradebook(f"sqlite:///{path}"):
        pass
    assert path.read_text() == "my notes " * 100


def test_a_password_is_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg2", None)
    book = Gradebook("postgresql://teacher:hunter2@localhost/grades")
    with pytest.raises(GradebookError, match="pip install psycopg2-binary") as raised, book:
        pass
    assert "hunter2" not in str(raised.value)


def test_without_nbgrader_one_sentence_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "nbgrader", None)
    with pytest.raises(GradebookError, match=r"pip install 'unet-edu\[grade\]'"), Gradebook("sqlite:///a.db"):
        pass


def test_a_name_for_which_nbgrader_has_no_room(url: str) -> None:
    with Gradebook(url) as book:
        for student in ("a" * 129, "a\0b"):
            with pytest.raises(GradebookError, match="room for 128 letters"):
                book.write(student, CONVOLUTION, result())
        assert book.marks(CONVOLUTION) == {}


def test_marks_are_of_one_assignment(url: str) -> None:
    """Two assignments may have the same exercises: the second is for those who failed the first."""
    again = replace(CONVOLUTION, name="again")
    with Gradebook(url) as book:
        book.write("ada", CONVOLUTION, result())
        book.write("ada", again, failed("crashed"))
        assert book.marks(CONVOLUTION) == {"ada": EARNED}
        assert book.marks(again) == {"ada": dict.fromkeys(EARNED)}
