"""A class, graded and graded again: nothing is lost, nothing old stands as if it were new, and nothing is graded
twice."""

from __future__ import annotations

import csv
import dataclasses
import functools
import io
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from tests.grading.conftest import in_gradebook
from tests.grading.graders import by_its_words
from tests.grading.submissions import FOUR
from tests.patience import PATIENCE_S
from unet_edu.grading import engine
from unet_edu.grading.assignment import Assignment
from unet_edu.grading.marks import classroom, cluster
from unet_edu.grading.marks.cluster import Failure
from unet_edu.grading.marks.gradebook import Gradebook
from unet_edu.grading.marks.report import Row
from unet_edu.grading.marks.submissions import Roster, SubmissionError
from unet_edu.grading.sandbox import Limits

ROOT = Path(__file__).parents[2]
ASSIGNMENT = FOUR
SEED = 2015


class Class:
    """A folder of "notebooks", what comes of grading them, and how often each was graded."""

    def __init__(self, folder: Path) -> None:
        self.submitted, self.output, self.log = folder / "submitted", folder / "output", folder / "log"
        self.submitted.mkdir()
        self.said: list[str] = []

    def hand_in(self, **notebooks: str | None) -> Class:
        for student, text in notebooks.items():
            path = self.submitted / f"{student}.ipynb"
            path.unlink() if text is None else path.write_text(text)
        return self

    def grade(self, assignment: Assignment = ASSIGNMENT, **options) -> dict[str, Row]:
        self.log.write_text("")
        options = {"seed": SEED, "workers": 1, "say": self.said.append, **options}
        rows = classroom.grade_class(assignment, self.submitted, self.output, **options)
        assert [row.student for row in rows] == sorted(row.student for row in rows)
        assert self.marks() == {row.student: row.mark for row in rows}  # what is in the table
        return {row.student: row for row in rows}

    @property
    def graded(self) -> list[str]:
        return sorted(self.log.read_text().splitlines())

    def table(self, name: str = "marks.csv") -> list[dict[str, str]]:
        text = (self.output / ASSIGNMENT.name / name).read_text("utf-8-sig")
        return list(csv.DictReader(io.StringIO(text)))

    def marks(self) -> dict[str, float | None]:
        return {line["student"]: float(line["mark"]) if line["mark"] else None for line in self.table()}

    def journal(self, student: str) -> Path:
        return self.output / ASSIGNMENT.name / "results" / f"{student}.json"

    def in_gradebook(self) -> dict[str, float | None]:
        """The sums of the gradebook; None where a score is missing."""
        with Gradebook(f"sqlite:///{self.output}/gradebook.db") as book:
            marks = book.marks(ASSIGNMENT)
        return {
            student: None if None in scores.values() else sum(filter(None, scores.values()))
            for student, scores in marks.items()
        }


@pytest.fixture
def klass(tmp_path, monkeypatch, empty_gradebook) -> Class:
    monkeypatch.setattr(engine, "grade", by_its_words)
    monkeypatch.setattr(engine, "ENGINE", "stand-in")
    monkeypatch.setenv("UNET_EDU_TEST_ENGINE", "stand-in")
    monkeypatch.setattr(classroom.sandbox, "require", lambda: None)
    klass = Class(tmp_path)
    monkeypatch.setenv("UNET_EDU_TEST_LOG", str(klass.log))
    klass.output.mkdir()
    shutil.copy(empty_gradebook, klass.output / "gradebook.db")
    return klass


@pytest.fixture
def at_once(monkeypatch) -> None:
    """No processes, for tests of what is kept."""

    def run(grade, tasks, workers):
        for student, notebook in tasks:
            try:
                yield student, grade(notebook)
            except RuntimeError as error:
                yield student, Failure(str(error))

    monkeypatch.setattr(cluster, "run", run)


# ---------------------------------------------------------------------------------------------------------- a first run


def test_a_class_is_graded(klass):
    rows = klass.hand_in(ada="7", bob="10", cy="crashed", dora="0").grade(workers=2)
    assert {student: row.mark for student, row in rows.items()} == {"ada": 7, "bob": 10, "cy": None, "dora": 0}
    assert rows["cy"].result.status == "crashed"
    assert klass.graded == ["0", "10", "7", "crashed"]
    assert klass.in_gradebook() == {"ada": 7, "bob": 10, "cy": None, "dora": 0}
    for name in ("moodle.csv", "canvas.csv"):
        assert len(klass.table(name)) >= 4
    place = klass.output / ASSIGNMENT.name
    assert {path.name for path in (place / "feedback").iterdir()} == {f"{name}.html" for name in rows}
    assert "7 of 10" in (place / "feedback" / "ada.html").read_text()
    shown = json.loads((klass.output / "autograded" / "ada" / ASSIGNMENT.name / f"{ASSIGNMENT.name}.ipynb").read_text())
    assert "said of conv2d_naive" in str(shown["cells"])
    for path in (place, klass.output / "autograded"):
        assert path.stat().st_mode & 0o077 == 0  # nobody else on this machine sees marks


def test_a_roster_adds_who_handed_in_nothing(klass, at_once):
    rows = klass.hand_in(ada="7").grade(roster=Roster(("student",), {"ada": ("ada",), "zoe": ("zoe",)}))
    assert rows["zoe"].result.status == "not submitted" and rows["zoe"].mark is None and rows["ada"].mark == 7
    assert not klass.journal("zoe").exists()
    assert [path.name for path in (klass.output / "autograded").iterdir()] == ["ada"]


def test_who_is_on_the_roster_and_withdrew(klass, at_once):
    roster = Roster(("student",), {"ada": ("ada",), "zoe": ("zoe",)})
    klass.hand_in(ada="7", zoe="1").grade(roster=roster)
    row = klass.hand_in(ada=None).grade(roster=roster)["ada"]
    assert (row.result.status, row.result.reason, row.mark, row.earlier.earned) == (
        "not submitted",
        classroom.GONE,
        None,
        7,
    )
    assert row.asks  # a mark does not go without a word


def test_a_second_notebook_hides_no_mark(klass, at_once):
    """Nobody knows which of the two counts; so there is no mark, and the earlier one is beside it."""
    klass.hand_in(ada="7").grade()
    (klass.submitted / "ada").mkdir()
    (klass.submitted / "ada" / "other.ipynb").write_text("9")
    row = klass.grade()["ada"]
    assert (row.result.status, row.mark, row.earlier.earned) == ("needs review", None, 7)
    assert row.result.reason.startswith("2 notebooks that differ: ada.ipynb counts so far, not other.ipynb.")
    before = contents(klass.output)
    klass.grade()
    assert not klass.graded and contents(klass.output) == before
    (klass.submitted / "ada" / "other.ipynb").unlink()  # the doubt goes with its reason, and the mark is back
    row = klass.grade()["ada"]
    assert (row.result.status, row.result.reason, row.mark, row.earlier) == ("graded", "", 7, None)


def test_what_cannot_be_read_has_its_row(klass, at_once):
    (klass.submitted / "eve.ipynb").symlink_to("/etc/passwd")
    long = "l" * 200
    (klass.submitted / "both").mkdir()
    for name, mark in (("one.ipynb", "10"), ("two.ipynb", "9")):
        (klass.submitted / "both" / name).write_text(mark)
    rows = klass.hand_in(ada="7", **{long: "10"}).grade()
    assert {student: row.result.status for student, row in rows.items()} == {
        "ada": "graded",
        "both": "needs review",
        "eve": "unreadable",
        long: "unreadable",
    }
    assert "128 letters" in rows[long].result.reason
    assert klass.graded == ["10", "7"]


def test_names_that_the_disk_does_not_tell_apart(klass, at_once):
    """As on macOS, for which A is a: one's file would be the other's."""
    (klass.output / ".GRADING.LOCK").touch()
    rows = klass.hand_in(ada="7", Ada="10", bob="8").grade()
    assert {student: row.mark for student, row in rows.items()} == {"ada": None, "Ada": None, "bob": 8}
    assert "Ada and ada differ by capitals only" in rows["ada"].result.reason
    (klass.output / ".GRADING.LOCK").unlink()
    assert klass.grade()["ada"].mark == 7


@pytest.mark.parametrize("name", ["NaN", "None", "null", "inf", "TRUE", "1e3", "a" * 128, "漢" * 85, "é" * 127])
def test_any_name_has_its_mark(klass, at_once, name):
    (klass.submitted / name).mkdir()
    (klass.submitted / name / "own.ipynb").write_text("7")
    assert klass.grade()[name].mark == 7
    assert klass.grade()[name].mark == 7 and not klass.graded
    assert klass.in_gradebook() == {name: 7}


def test_a_mistake_of_the_grader_is_not_the_students(klass, at_once):
    klass.hand_in(ada="!", bob="8")
    rows = klass.grade()
    assert (
        rows["ada"].result.status == "needs review"
        and "The grader itself failed: a mistake" in rows["ada"].result.reason
    )
    assert rows["bob"].mark == 8
    assert not klass.journal("ada").exists()
    klass.grade()
    assert klass.graded == ["!"]  # tried again, and nobody else


def test_without_notebooks(klass):
    with pytest.raises(SubmissionError, match="expected notebooks"):
        klass.grade()


def test_the_results_do_not_lie_among_the_submissions(klass):
    klass.hand_in(ada="7")
    for output in (klass.submitted, klass.submitted / "results"):
        with pytest.raises(ValueError, match="does not lie among the submissions"):
            classroom.grade_class(ASSIGNMENT, klass.submitted, output)
    assert not (klass.submitted / "results").exists()


def test_one_grader_at_a_time(klass):
    """The other one is another process, as it would be."""
    path = str(klass.output / ".grading.lock")
    program = (
        f"import filelock, time; lock = filelock.FileLock({path!r}); lock.acquire(); print(flush=True); time.sleep(60)"
    )
    other = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE)
    try:
        other.stdout.readline()
        with pytest.raises(ValueError, match="another grader is at work on this folder; wait until it is done"):
            klass.hand_in(ada="7").grade()
    finally:
        other.kill()
        other.communicate()
    klass.grade()  # a lock goes with its process


# ---------------------------------------------------------------------------------------------------------------- again


def contents(folder: Path) -> dict[str, object]:
    """All that a run leaves, so that two runs can be compared: files by their bytes, the gradebook by its rows, without
    nbgrader's random ids."""
    found: dict[str, object] = {}
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.name not in ("gradebook.db", ".grading.lock"):
            found[str(path.relative_to(folder))] = path.read_bytes()
    found["gradebook"] = in_gradebook(folder / "gradebook.db")
    return found


def test_the_same_again(klass, at_once):
    klass.hand_in(ada="7", bob="crashed", cy="needs_review").grade()
    before = contents(klass.output)
    assert len(before["gradebook"]) == 3 * len(ASSIGNMENT.points)
    klass.grade()
    assert klass.graded == []
    assert contents(klass.output) == before


def test_only_what_is_new_is_graded(klass, at_once):
    klass.hand_in(ada="7", bob="8").grade()
    rows = klass.hand_in(bob="9", cy="1").grade()
    assert klass.graded == ["1", "9"]
    assert {student: row.mark for student, row in rows.items()} == {"ada": 7, "bob": 9, "cy": 1}


@pytest.mark.parametrize(
    ("notebook", "change", "again"),
    [
        ("7", {"seed": 1}, True),
        ("7", {"force": True}, True),
        ("7", {"limits": Limits(cell=1)}, False),
        ("7 note", {"limits": Limits(cell=1)}, True),  # a cell was stopped: perhaps by a limit
        ("timed_out", {"limits": Limits(cell=1)}, True),
        ("timed_out", {}, False),
        ("7", {"unsafe": True}, False),  # the sandbox's result is the better one
        ("7", {"workers": 2}, False),
    ],
)
def test_what_makes_a_result_old(klass, at_once, notebook, change, again):
    klass.hand_in(ada=notebook).grade()
    klass.grade(**change)
    assert klass.graded == [notebook] * again


def test_another_version_of_the_grader_grades_again(klass, at_once, monkeypatch):
    klass.hand_in(ada="7").grade()
    monkeypatch.setattr(engine, "ENGINE", "another")
    monkeypatch.setenv("UNET_EDU_TEST_ENGINE", "another")
    assert klass.grade()["ada"].result.engine == "another"
    assert klass.graded == ["7"]


@pytest.mark.parametrize(("notebook", "again"), [("7", False), ("partial", True)])
def test_what_missed_a_package_is_graded_again_when_packages_change(klass, at_once, monkeypatch, notebook, again):
    klass.hand_in(ada=notebook).grade()
    klass.grade()
    assert klass.graded == []
    monkeypatch.setattr(classroom, "installed", lambda: "pandas, too")
    klass.grade()
    assert klass.graded == [notebook] * again


def test_a_date_does_not_go_without_a_word(klass, at_once):
    dated = dataclasses.replace(ASSIGNMENT, due="2027-01-31T23:59+01:00", late_percent_per_day=10.0)
    klass.hand_in(ada="10").grade(dated)
    assert klass.said == []
    klass.grade()
    assert [said.partition(": ")[2] for said in klass.said] == [classroom.NO_DATE.partition(": ")[2]]


def test_other_points_grade_again(klass, at_once):
    klass.hand_in(ada="10", bob="8").grade()
    klass.hand_in(bob=None)
    dearer = Assignment(ASSIGNMENT.name, (("conv2d_naive", 20.0), ("out_size", 2.0)), ASSIGNMENT.set_up)
    rows = klass.grade(dearer)
    assert klass.graded == ["10"]
    assert [said.partition(": ")[2] for said in klass.said] == [classroom.OTHER_POINTS.partition(": ")[2]]
    assert (rows["ada"].mark, rows["ada"].assignment.worth, rows["ada"].earlier) == (10, 22, None)
    assert (rows["bob"].mark, rows["bob"].earlier.earned, rows["bob"].earlier.points) == (None, 8, 10)
    klass.grade(dearer)
    assert len(klass.said) == 1


# -------------------------------------------------------------------------------------- a mark, and what comes after it

HISTORIES = {  # what is handed in, one after the other → (mark, earlier mark) after each
    "better": (["5", "7"], [(5, None), (7, None)]),
    "worse": (["7", "5"], [(7, None), (5, None)]),
    "fails": (["7", "crashed"], [(7, None), (None, 7)]),
    "fails twice": (["7", "crashed", "timed_out"], [(7, None), (None, 7), (None, 7)]),
    "is mended": (["7", "crashed", "8"], [(7, None), (None, 7), (8, None)]),
    "was always broken": (["crashed", "unreadable"], [(None, None), (None, None)]),
    "waits for a person": (["7", "needs_review"], [(7, None), (None, 7)]),
    "is withdrawn": (["7", None], [(7, None), (None, 7)]),
    "comes back": (["7", None, "7"], [(7, None), (None, 7), (7, None)]),
    "fails, is withdrawn": (["7", "crashed", None], [(7, None), (None, 7), (None, 7)]),
    "is withdrawn, fails": (["7", None, "crashed"], [(7, None), (None, 7), (None, 7)]),
    "meets a mistake of ours": (["7", "!", "8"], [(7, None), (None, 7), (8, None)]),
    "meets one, fails": (["7", "!", "crashed"], [(7, None), (None, 7), (None, 7)]),
}


@pytest.mark.parametrize("history", HISTORIES)
def test_no_old_mark_stands_as_if_new_and_none_is_lost(klass, at_once, history):
    notebooks, expected = HISTORIES[history]
    klass.hand_in(zoe="1")  # somebody else, so that the folder is never empty
    for notebook, (mark, earlier) in zip(notebooks, expected, strict=True):
        row = klass.hand_in(ada=notebook).grade()["ada"]
        assert (row.mark, row.earlier and row.earlier.earned) == (mark, earlier)
        assert klass.in_gradebook()["ada"] == mark
        (line,) = (line for line in klass.table() if line["student"] == "ada")
        assert line["earlier mark"] == ("" if earlier is None else str(earlier))
        again = klass.grade()["ada"]
        assert (again.result, again.earlier) == (row.result, row.earlier)
    assert klass.marks()["zoe"] == 1


def test_a_notebook_that_comes_back_is_not_graded_twice(klass, at_once):
    for notebook, graded in (("7", ["7"]), (None, []), ("7", [])):
        klass.hand_in(zoe="1", ada=notebook).grade()
        assert [text for text in klass.graded if text != "1"] == graded


def test_force_forgets_the_earlier_mark(klass, at_once):
    klass.hand_in(ada="7").grade()
    assert klass.hand_in(ada="crashed").grade()["ada"].earlier.earned == 7
    row = klass.grade(force=True)["ada"]
    assert (row.result.status, row.earlier) == ("crashed", None)
    assert klass.grade()["ada"].earlier is None


def test_force_keeps_what_it_did_not_grade(klass, at_once):
    klass.hand_in(ada="7", bob="6", zoe="1").grade()
    rows = klass.hand_in(ada=None, bob="!").grade(force=True)
    assert (rows["ada"].earlier.earned, rows["bob"].earlier.earned) == (7, 6)


@pytest.mark.parametrize("unsafe", ["9", "crashed"])
def test_a_mark_without_the_sandbox_does_not_replace_one_of_the_sandbox(klass, at_once, unsafe):
    klass.hand_in(ada="7").grade()
    row = klass.hand_in(ada=unsafe).grade(unsafe=True)["ada"]
    assert not row.result.sandboxed and row.earlier.sandboxed and row.earlier.earned == 7
    (line,) = klass.table()
    assert (line["sandboxed"], line["earlier mark"]) == ("no", "7")
    row = klass.grade()["ada"]  # and the sandbox does not believe what was found without it
    assert klass.graded == [unsafe]
    assert row.result.sandboxed and (row.earlier is None) == (unsafe == "9")


def test_marks_without_the_sandbox_follow_each_other(klass, at_once):
    klass.hand_in(ada="7").grade(unsafe=True)
    assert klass.hand_in(ada="8").grade(unsafe=True)["ada"].earlier is None
    row = klass.hand_in(ada="crashed").grade(unsafe=True)["ada"]
    assert (row.earlier.earned, row.earlier.sandboxed) == (8, False)


def test_who_leaves_the_roster_has_no_row(klass, at_once):
    klass.hand_in(ada="7", bob="8").grade()
    klass.hand_in(bob=None)
    assert "bob" not in klass.grade(roster=Roster(("student",), {"ada": ("ada",)}))
    assert klass.grade()["bob"].earlier.earned == 8  # without a roster nobody knows that he left


def test_a_new_name_of_the_same_notebook_is_no_loss(klass, at_once):
    klass.hand_in(ada="7", zoe="1").grade()
    rows = klass.hand_in(ada=None, lovelace="7").grade()
    assert set(rows) == {"lovelace", "zoe"}


def test_what_a_person_decided_reaches_the_table(klass, at_once):
    klass.hand_in(ada="needs_review", bob="4").grade()
    with Gradebook(f"sqlite:///{klass.output}/gradebook.db") as book:
        for student, scores in (("ada", (3, 2, 1, 0)), ("bob", (3, 2, 3, 2))):
            for (exercise, _), score in zip(ASSIGNMENT.points, scores, strict=True):
                grade = book._book.find_grade(ASSIGNMENT.cell(exercise), ASSIGNMENT.name, ASSIGNMENT.name, student)
                grade.manual_score, grade.needs_manual_grade = score, False
        book._book.db.commit()
    rows = klass.grade()
    assert klass.graded == []
    assert {student: row.mark for student, row in rows.items()} == {"ada": 6, "bob": 10}
    assert "6 of 10" in (klass.output / ASSIGNMENT.name / "feedback" / "ada.html").read_text()
    klass.hand_in(bob=None, robert="4").grade()  # another list of the class may call him so
    assert klass.said == [classroom.LEFT_BEHIND.format("bob")]


# ------------------------------------------------------------------------------------------------------------- the seed


def test_the_seed_is_secret_and_stays(klass, at_once):
    seed = klass.hand_in(ada="7").grade(seed=None)["ada"].result.seed
    path = klass.output / ASSIGNMENT.name / "seed"
    assert int(path.read_text()) == seed and seed.bit_length() > 64  # but for one in 2⁶⁴
    assert path.stat().st_mode & 0o777 == 0o600 and path.parent.stat().st_mode & 0o777 == 0o700
    assert klass.grade(seed=None)["ada"].result.seed == seed
    assert klass.grade(seed=5)["ada"].result.seed == 5
    assert klass.grade(seed=None)["ada"].result.seed == 5
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_damaged_seed_is_not_replaced(klass, at_once):
    klass.hand_in(ada="7").grade()
    (klass.output / ASSIGNMENT.name / "seed").write_text("")
    with pytest.raises(ValueError, match="expected one whole number; put the right one back"):
        klass.grade(seed=None)


# ------------------------------------------------------------------------------------------------------- stopped midway


class Stop(BaseException):
    """As if the process had ended here: nothing catches it."""


STAGES = {
    "before the journal": ("journal.Journal", "write", "before"),
    "behind the journal": ("journal.Journal", "write", "after"),
    "before the gradebook": ("gradebook.Gradebook", "write", "before"),
    "behind the gradebook": ("gradebook.Gradebook", "write", "after"),
}


@pytest.mark.parametrize("stage", STAGES)
def test_stopped_at_any_stage_the_next_run_ends_the_same(klass, at_once, monkeypatch, stage, tmp_path):
    import importlib

    klass.hand_in(ada="7", bob="crashed", cy="3", dora="!").grade()
    undisturbed = contents(klass.output)
    for folder in (ASSIGNMENT.name, "autograded"):
        shutil.rmtree(klass.output / folder)
    with sqlite3.connect(klass.output / "gradebook.db") as database:
        for table in ("grade", "submitted_notebook", "submitted_assignment"):
            database.execute(f"delete from {table}")

    place, name, when = STAGES[stage]
    module, cls = place.split(".")
    owner = getattr(importlib.import_module(f"unet_edu.grading.marks.{module}"), cls)
    original, calls = getattr(owner, name), []

    def stopping(*arguments, **options):
        calls.append(1)
        if len(calls) == 2 and when == "before":
            raise Stop
        original(*arguments, **options)
        if len(calls) == 2:
            raise Stop

    with monkeypatch.context() as patch, pytest.raises(Stop):
        patch.setattr(owner, name, stopping)
        patch.setattr(classroom, "_reports", lambda *_: ())
        klass.grade()
    klass.grade()
    assert len(klass.graded) <= 3  # what was kept is not graded again
    assert contents(klass.output) == undisturbed


def test_ctrl_c_leaves_tables_that_say_who_is_missing(klass, monkeypatch):
    klass.hand_in(ada="7", bob="8", cy="9").grade()

    def run(grade, tasks, workers):
        for count, (student, notebook) in enumerate(tasks):
            if count:
                raise KeyboardInterrupt
            yield student, grade(notebook)

    monkeypatch.setattr(cluster, "run", run)
    klass.hand_in(ada="5", bob="4", cy="3")
    with pytest.raises(KeyboardInterrupt):
        klass.grade()
    lines = {line["student"]: line for line in klass.table()}
    assert lines["ada"]["mark"] == "5"
    for student, earlier in (("bob", "8"), ("cy", "9")):
        assert (lines[student]["status"], lines[student]["mark"], lines[student]["earlier mark"]) == (
            "needs review",
            "",
            earlier,
        )
        assert lines[student]["reason"] == classroom.NOT_YET


# The grader's own processes import all but the lines under `if`.
PROGRAM = """
import sys
from pathlib import Path
if __name__ == "__main__":
    from tests.grading.graders import by_its_words
    from tests.grading.submissions import FOUR
    from unet_edu.grading import engine, sandbox
    from unet_edu.grading.marks import classroom
    engine.grade, engine.ENGINE, sandbox.require = by_its_words, "stand-in", lambda: None
    submitted, output = map(Path, sys.argv[1:])
    classroom.grade_class(FOUR, submitted, output, seed=2015, workers=2)
"""


@pytest.fixture
def start(klass, tmp_path) -> Callable[..., subprocess.Popen]:
    """Starts a grader of the class, in a process of its own."""
    script = tmp_path / "grader.py"
    script.write_text(PROGRAM)
    return functools.partial(
        subprocess.Popen,
        [sys.executable, script, klass.submitted, klass.output],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_killed_with_sigkill_the_next_run_ends_the_same(klass, start, tmp_path, empty_gradebook):
    """In the end all is as if nothing had happened, and only what was in flight is graded twice."""
    notebooks = {f"student-{n:02}": f"{n % 11} slow {n}" for n in range(24)} | {"mallory": "crashed slow"}
    klass.hand_in(**notebooks)
    results = klass.output / ASSIGNMENT.name / "results"
    grader = start()
    while grader.poll() is None and len(list(results.glob("*.json"))) < 9:
        time.sleep(0.002)
    grader.kill()
    grader.communicate()
    assert grader.returncode == -signal.SIGKILL
    kept = len(list(results.glob("*.json")))
    assert 9 <= kept < len(notebooks)
    klass.log.write_text("")
    klass.grade(workers=2)
    assert len(klass.graded) == len(notebooks) - kept

    disturbed, klass.output = klass.output, tmp_path / "undisturbed"
    klass.output.mkdir()
    shutil.copy(empty_gradebook, klass.output / "gradebook.db")
    klass.grade(workers=2)
    assert contents(disturbed) == contents(klass.output)


def test_a_real_ctrl_c(klass, start):
    """As a terminal sends it, to all processes at once. What is kept has its row, and no process stays."""
    klass.hand_in(**{f"student-{n:02}": f"{n} slow" for n in range(11)}, zoe="5 asleep")
    grader = start(start_new_session=True)
    while "5 asleep" not in (klass.log.read_text() if klass.log.exists() else "") and grader.poll() is None:
        time.sleep(0.01)
    workers = psutil.Process(grader.pid).children(recursive=True)
    os.killpg(grader.pid, signal.SIGINT)
    _, said = grader.communicate(timeout=PATIENCE_S)
    assert said.count("Traceback") == 1 and said.endswith("KeyboardInterrupt\n")  # our program's, and none of a worker
    assert len(workers) >= 2 and not psutil.wait_procs(workers, timeout=PATIENCE_S)[1]
    marks = klass.marks()
    assert marks.pop("zoe") is None
    assert sum(mark is not None for mark in marks.values()) >= 9  # the other worker may have been in the middle of one
    assert all(mark in (None, float(student.removeprefix("student-"))) for student, mark in marks.items())


# ---------------------------------------------------------------------------------------------------- a damaged journal


def edited(text: str) -> str:
    data = json.loads(text)
    data["grading"]["result"]["outcomes"][0]["earned"] = 3.0
    return json.dumps(data)


DAMAGES = {
    "empty": lambda text: "",
    "cut": lambda text: text[: len(text) // 2],
    "edited": edited,
    "no sum": lambda text: json.dumps({"grading": json.loads(text)["grading"]}),
    "a list": lambda text: "[1]",
    "of another version": lambda text: text.replace('"earlier"', '"former"'),
    "nested": lambda text: "[" * 100_000,
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_file_is_put_aside_and_not_believed(klass, at_once, damage):
    klass.hand_in(ada="1", bob="8").grade()
    before = contents(klass.output)
    path = klass.journal("ada")
    text = DAMAGES[damage](path.read_text())
    path.write_text(text)
    for number in (1, 2):  # also a second time
        path.write_text(text)
        klass.grade()
        assert klass.graded == ["1"]
        aside = path.with_name(f"ada.json.unreadable-{number}")
        assert aside.read_text() == text
        assert len(klass.said) == number and f"it is now {aside.name}" in klass.said[-1]
    assert {name: content for name, content in contents(klass.output).items() if "unreadable" not in name} == before


def test_one_students_file_is_not_taken_for_anothers(klass, at_once):
    klass.hand_in(ada="1", bob="8").grade()
    shutil.copy(klass.journal("bob"), klass.journal("ada"))
    assert klass.grade()["ada"].mark == 1
    assert "of another student" in klass.said[0]


def test_a_folder_in_place_of_a_file(klass, at_once):
    klass.hand_in(ada="1").grade()
    klass.journal("ada").unlink()
    klass.journal("ada").mkdir()
    assert klass.grade()["ada"].mark == 1
    assert klass.graded == ["1"] and len(klass.said) == 1


def test_a_full_disk_keeps_what_was_written(klass, at_once, monkeypatch):
    from unet_edu.grading.marks import journal

    klass.hand_in(ada="1", bob="8")
    original = journal.write_whole

    def full(path, write, **options):
        if path.name.startswith("bob"):
            raise OSError(28, "No space left on device", str(path))
        original(path, write, **options)

    with monkeypatch.context() as patch, pytest.raises(OSError, match="No space left"):
        patch.setattr(journal, "write_whole", full)
        klass.grade()
    assert klass.marks() == {"ada": 1, "bob": None}
    klass.grade()
    assert klass.graded == ["8"] and klass.marks() == {"ada": 1, "bob": 8}


@pytest.mark.parametrize(
    "name", ["../evil", "a/b", "..", ".", "Ünï çødé", "n" * 128, "漢" * 100, "a%2Fb", "-rf", "a\\b"]
)
def test_any_name_is_one_file_in_its_folder(tmp_path, name):
    from unet_edu.grading.marks.journal import file_name

    path = tmp_path / file_name(name, ".json")
    path.write_text("")
    assert path.parent == tmp_path and [p.name for p in tmp_path.iterdir()] == [path.name]
    assert not path.name.startswith(".") and len(path.name.encode()) < 200


def test_different_names_are_different_files():
    from unet_edu.grading.marks.journal import file_name

    names = ["a/b", "a%2Fb", "a%252Fb", ".a", "%2Ea", "漢" * 100, "漢" * 101, "n" * 300, "n" * 301, "a~b", "a b", "a_b"]
    assert len({file_name(name, ".json") for name in names}) == len(names)
