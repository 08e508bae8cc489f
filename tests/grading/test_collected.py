"""Folders as learning platforms, browsers and students leave them, graded as a class: each row has the mark that it
deserves, or a reason."""

from __future__ import annotations

import csv
import hashlib
import io
import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.command_line import complaint, run
from tests.grading.test_find_submissions import ADA, ALAN, DONE, MOODLE_WORKSHEET, SHEETS, UNFILLED, M, put
from unet_edu.grading import engine
from unet_edu.grading.assignment import ASSIGNMENTS, Assignment
from unet_edu.grading.marks import classroom, cluster
from unet_edu.grading.marks.gradebook import Gradebook
from unet_edu.grading.result import Outcome, Result

CONVOLUTION = ASSIGNMENTS["02_convolution"]
Grade = Callable[..., dict[str, dict[str, str]]]


@pytest.fixture
def grade(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, empty_gradebook: Path) -> Grade:
    """The command for a class, with a stand-in that gives a filled notebook all points, and another none. Gives the
    rows of marks.csv."""

    def graded(notebook: bytes, assignment: Assignment, seed: int, **_: object) -> Result:
        worth = [points if notebook.decode() == DONE else 0.0 for _, points in assignment.points]
        outcomes = tuple(
            Outcome(name, points, earned, "right" if earned else "wrong")
            for (name, points), earned in zip(assignment.points, worth, strict=True)
        )
        digest = hashlib.sha256(notebook).hexdigest()
        return Result(assignment.name, "graded", "", outcomes, digest, engine.ENGINE, seed, 10.0)

    def at_once(
        grade: Callable[[bytes], Result], tasks: Iterator[tuple[str, bytes]], workers: int
    ) -> Iterator[tuple[str, Result]]:
        for student, notebook in tasks:
            yield student, grade(notebook)

    monkeypatch.setattr(engine, "grade", graded)
    monkeypatch.setattr(cluster, "run", at_once)
    monkeypatch.setattr(classroom.sandbox, "require", lambda: None)
    output = tmp_path / "output"
    output.mkdir()
    shutil.copy(empty_gradebook, output / "gradebook.db")

    def rows(*options: object, code: int = 3, assignment: object = "02_convolution") -> dict[str, dict[str, str]]:
        rows.said = run("grade", assignment, tmp_path / "handed in", "-o", output, *options, code=code)  # type: ignore[attr-defined]
        return table(output / "02_convolution" / "marks.csv", "student")

    return rows


def table(path: Path, by: str) -> dict[str, dict[str, str]]:
    return {line[by]: line for line in csv.DictReader(io.StringIO(path.read_text("utf-8-sig")))}


def listed(folder: Path, text: str) -> tuple[str, Path]:
    return "--roster", put(folder / "class.csv", text)


def test_each_file_of_a_flat_folder_has_a_row(tmp_path: Path, grade: Grade) -> None:
    """Seven of these nine had no row, or were "not submitted"."""
    books = ("ada.ipynb", "bob.ipynb.json", "cem.ipynb.txt", "gus.IPYNB", "hal.ipynb (1)")
    others = ("dua.zip", "eva.py", "fay.html", "ivy.pdf")
    for name in books:
        put(tmp_path / "handed in" / name)
    for name in others:
        put(tmp_path / "handed in" / name, "no notebook")
    students = [name.split(".")[0] for name in (*books, *others)]
    rows = grade(*listed(tmp_path, "student\nzoe\n" + "\n".join(students)))
    assert {name: (row["status"], row["mark"], row["reason"]) for name, row in rows.items()} == {
        **{name.split(".")[0]: ("graded", "12", "") for name in books},
        **{name[:3]: ("unreadable", "", f"no notebook (.ipynb) was handed in, but {name}") for name in others},
        "zoe": ("not submitted", "", ""),
    }


LATE = {  # 1.5 days late, at 10 % a day that has begun
    "utc": "12:00:00.123456 UTC", "cest": "14:00:00.123456 CEST", "edt": "08:00:00.123456 EDT",
    "pdt": "05:00:00.123456 PDT", "jst": "21:00:00.123456 JST", "cet": "13:00:00.123456 CET",
    "offset": "14:00:00.123456 +0200", "place": "14:00 Europe/Berlin", "number": "09:00:00.123456 -03",
    "mark": "\ufeff12:00:00.123456 UTC", "none": "12:00:00.123456", "aest": "22:00:00.123456 AEST",
    "gmt": "12:00:00.123456 GMT",
}  # fmt: skip
UNCLEAR = {"ist": "17:30:00.123456 IST", "bst": "13:00:00.123456 BST", "cst": "07:00:00.123456 CST", "word": "noon"}


def test_one_moment_costs_the_same_however_it_is_written(tmp_path: Path, grade: Grade) -> None:
    folder = tmp_path / "handed in"
    for name, text in (LATE | UNCLEAR).items():
        mine = put(folder / name / "02_convolution" / "02_convolution.ipynb")
        text = f"\ufeff2027-07-02 {text[1:]}" if text.startswith("\ufeff") else f"2027-07-02 {text}"
        put(mine.with_name("timestamp.txt"), text)
    early = put(folder / "first" / "02_convolution" / "02_convolution.ipynb").with_name("timestamp.txt")
    put(early, "0001-01-01 00:00:00 +14:00")
    run("release", "02_convolution", "-o", tmp_path, "--due", "2027-06-30T23:59+02:00", "--late-percent-per-day", 10)
    own = tmp_path / "02_convolution" / "assignment.json"
    rows = grade(assignment=own)
    assert {(rows[name]["status"], rows[name]["mark"], rows[name]["late penalty"]) for name in LATE} == {
        ("graded", "9.6", "2.4")
    }
    for name, text in UNCLEAR.items():
        row = rows[name]
        assert (row["status"], row["mark"], row["late penalty"]) == ("needs review", "", "")
        assert f"not understood: “2027-07-02 {text}”" in row["reason"]
    assert (rows["first"]["status"], rows["first"]["mark"]) == ("needs review", "")
    assert " ".join(grade.said.split()).count("If you accept it: 12 of 12.") == 5  # type: ignore[attr-defined]
    rows = grade("--time-zone", "Asia/Kolkata", assignment=own)
    assert (rows["ist"]["status"], rows["ist"]["mark"], rows["ist"]["reason"]) == ("graded", "9.6", "")
    assert rows["bst"]["status"] == "needs review" and rows["cest"]["mark"] == "9.6"


@pytest.mark.parametrize("language", SHEETS)
def test_moodle_takes_its_worksheet_back_in_any_language(tmp_path: Path, grade: Grade, language: str) -> None:
    titles, word, most = SHEETS[language]
    lines = [
        f'{word}{n},{name},{name[:3]}@example.org,in,,"{most}",ja,-,' for n, name in ((17, "Ada L"), (4, "Alan T"))
    ]
    put(tmp_path / "handed in" / f"Ada L_17_{M}_conv.ipynb")
    rows = grade(*listed(tmp_path, "\n".join([titles, *lines])), code=0)
    assert {name: (row["status"], row["mark"]) for name, row in rows.items()} == {
        "Ada@example.org": ("graded", "12"),
        "Ala@example.org": ("not submitted", ""),
    }
    columns = titles.split(",")
    sheet = table(tmp_path / "output" / "02_convolution" / "moodle.csv", columns[0])
    assert {*next(iter(sheet.values()))} == {*columns}
    assert (
        sheet[f"{word}17"][columns[4]] == f"{float(most.replace(',', '.')):g}" and sheet[f"{word}4"][columns[4]] == ""
    )
    assert sheet[f"{word}17"][columns[8]].startswith("conv2d_naive: right") and sheet[f"{word}17"][columns[7]] == "-"


def test_who_is_not_on_the_list_is_said(tmp_path: Path, grade: Grade) -> None:
    folder = tmp_path / "handed in"
    put(folder / f"Ada Lovelace_17_{M}_conv.ipynb")
    put(folder / f"Ada Lovelace_99_{M}_conv.ipynb")
    put(folder / "alan@example.org.ipynb")
    put(folder / "Alan Turing" / "conv.ipynb")
    rows = grade(*listed(tmp_path, MOODLE_WORKSHEET))
    assert {name: (row["status"], row["mark"], row["reason"]) for name, row in rows.items()} == {
        ADA: ("graded", "12", ""),
        "Ada Lovelace_99": ("graded", "12", "Nobody on the list of the class has this number."),
        ALAN: ("graded", "12", "2 notebooks with the same functions: alan@example.org.ipynb counts, not conv.ipynb."),
    }
    assert "2 with a mark whom the list of the class has not, or twice: a person has to look" in grade.said  # type: ignore[attr-defined]


def test_of_an_unfilled_and_a_filled_notebook_none_is_a_silent_zero(tmp_path: Path, grade: Grade) -> None:
    folder = tmp_path / "handed in"
    put(folder / "ada.ipynb", UNFILLED)
    put(folder / "ada (1).ipynb")
    put(folder / "bob" / "02_convolution.ipynb", UNFILLED)
    put(folder / "bob" / "02_convolution (1).ipynb")
    put(folder / "cem" / "02_convolution.ipynb")
    put(folder / "cem" / ".ipynb_checkpoints" / "02_convolution-checkpoint.ipynb", UNFILLED)
    put(folder / "dua" / "02_convolution.ipynb")
    put(folder / "dua" / "old" / "02_convolution.ipynb")
    rows = grade()
    differ = "2 notebooks that differ: {0}.ipynb counts so far, not {0} (1).ipynb. Decide which of them counts."
    same = "2 notebooks with the same functions: 02_convolution.ipynb counts, not old/02_convolution.ipynb."
    assert {name: (row["status"], row["mark"], row["reason"]) for name, row in rows.items()} == {
        "ada": ("needs review", "", differ.format("ada")),
        "bob": ("needs review", "", differ.format("02_convolution")),
        "cem": ("graded", "12", ""),
        "dua": ("graded", "12", same),
    }


def test_a_name_that_a_student_chose_takes_nobodys_mark(tmp_path: Path, grade: Grade) -> None:
    """One student's twelve points became "unreadable", and somebody who handed in nothing got another's mark."""
    folder = tmp_path / "handed in"
    put(folder / f"Ada Lovelace_17_{M}_conv.ipynb")
    put(folder / f"Eve_8_{M}_x_17_{M}_conv.ipynb", UNFILLED)
    put(folder / f"Eve_8_{M}_x_4_{M}_conv.ipynb", UNFILLED)
    worksheet = MOODLE_WORKSHEET + "Participant 8,Eve,eve@example.org,Submitted for grading,,10.00,Yes,-,-,\n"
    rows = grade(*listed(tmp_path, worksheet), code=0)
    assert {name: (row["status"], row["mark"]) for name, row in rows.items()} == {
        ADA: ("graded", "12"),
        ALAN: ("not submitted", ""),
        "eve@example.org": ("graded", "0"),
    }


def test_a_name_that_is_no_text_is_stored(tmp_path: Path, grade: Grade) -> None:
    """In the journal, the gradebook, the tables and the pages; and a second run finds it there."""
    folder = tmp_path / "handed in"
    folder.mkdir()
    for name in (b"ad\xffa.ipynb", b"ad\xfea.ipynb", b"a\nb.ipynb", b".ipynb", b"..ipynb"):
        with open(os.fsencode(folder) + b"/" + name, "wb") as file:
            file.write(DONE.encode())
    rows = grade(code=0)
    assert len(rows) == 5 and {row["mark"] for row in rows.values()} == {"12"}
    assert {row["reason"][:8] for row in rows.values()} == {"The name"}
    assert len([*(tmp_path / "output" / "02_convolution" / "feedback").iterdir()]) == 5
    assert grade(code=0) == rows


@pytest.mark.parametrize("name", ["Berlin", "IST", "../x"])
def test_a_time_zone_that_is_none(tmp_path: Path, name: str) -> None:
    assert "--time-zone: expected a time zone as Europe/Berlin" in complaint(
        "grade", "02_convolution", tmp_path, "--time-zone", name
    )


def test_the_doubtful_row_can_be_decided(tmp_path: Path, grade: Grade) -> None:
    """As every other row that needs review: by scores in nbgrader's gradebook."""
    put(tmp_path / "handed in" / "ada" / "a.ipynb")
    put(tmp_path / "handed in" / "ada" / "b.ipynb", UNFILLED)
    assert grade()["ada"]["mark"] == ""
    with Gradebook(f"sqlite:///{tmp_path}/output/gradebook.db") as book:
        for exercise, points in CONVOLUTION.points:
            cell = (CONVOLUTION.cell(exercise), CONVOLUTION.name, CONVOLUTION.name, "ada")
            score = book._book.find_grade(*cell)
            assert score.needs_manual_grade and score.auto_score is None
            score.manual_score, score.needs_manual_grade = points, False
        book._book.db.commit()
    assert grade(code=0)["ada"]["mark"] == "12"


def test_a_doubt_says_what_the_work_is_worth() -> None:
    outcomes = (Outcome("a", 3, 3.0, "right"), Outcome("b", 2, None, "needs review", would_earn=1.0))
    result = Result("x", "needs review", "Look.", outcomes, "", "", 1, 5.0)
    doubted = result.doubted("Why?")
    assert (doubted.status, doubted.reason, doubted.earned) == ("needs review", "Why? Look.", None)
    assert [(each.earned, each.would_earn) for each in doubted.outcomes] == [(None, 3.0), (None, 1.0)]
    assert replace(result, status="crashed").doubted("Why?").status == "crashed"
