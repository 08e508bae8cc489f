"""The assignments say what the notebooks of exercises/ say, and what is no assignment is told so in one sentence."""

from __future__ import annotations

import ast
import dataclasses
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import nbformat
import pytest

from unet_edu.grading.assignment import ASSIGNMENTS, MOST_BYTES, Assignment, load, naive_utc
from unet_edu.lessons import EXERCISES, LESSONS

ROOT = Path(__file__).parents[2]
NOTEBOOKS = {path.stem: path for path in sorted((ROOT / "exercises").glob("*/*.ipynb"))}
ONE = ASSIGNMENTS["02_convolution"]

each = pytest.mark.parametrize("name", NOTEBOOKS)


def cells(name: str) -> list[nbformat.NotebookNode]:
    return nbformat.read(NOTEBOOKS[name], as_version=4).cells


def imports(source: str) -> list[str]:
    """The imports at the top of a cell, in their order; those under `try` are not among them."""
    return [ast.unparse(node) for node in ast.parse(source).body if isinstance(node, ast.Import | ast.ImportFrom)]


def test_every_notebook_has_its_assignment():
    assert [lesson.folder for lesson in LESSONS] == list(ASSIGNMENTS) == list(NOTEBOOKS) != []
    assert sorted(name for a in ASSIGNMENTS.values() for name, _ in a.points) == sorted(EXERCISES)


@each
def test_names_points_and_cells_are_those_of_the_notebook(name):
    assignment = ASSIGNMENTS[name]
    written = [cell for cell in cells(name) if cell.metadata.get("nbgrader", {}).get("grade")]
    assert [
        (cell.metadata.nbgrader.grade_id, cell.metadata.nbgrader.points, cell.source.rstrip()) for cell in written
    ] == [(assignment.cell(exercise), points, f"check({exercise})") for exercise, points in assignment.points]
    assert [exercise.name for exercise in assignment.exercises()] == [exercise for exercise, _ in assignment.points]


@each
def test_the_set_up_is_that_of_the_notebook(name):
    (cell,) = (cell for cell in cells(name) if cell.id == "set-up")
    python = cell.source.replace("%pip", "pass  # %pip")
    assert imports(ASSIGNMENTS[name].set_up) == imports(python) != []
    assert imports(ASSIGNMENTS[name].set_up) == ASSIGNMENTS[name].set_up.splitlines()  # and nothing else is in it


@each
def test_it_goes_through_a_file(name, tmp_path):
    path = tmp_path / "assignment.json"
    path.write_text(json.dumps(ASSIGNMENTS[name].to_json()))
    assert load(path) == load(name) == ASSIGNMENTS[name]
    assert load(path).fingerprint == ASSIGNMENTS[name].fingerprint


def test_the_fingerprint_is_that_of_what_decides_about_points():
    assert len({assignment.fingerprint for assignment in ASSIGNMENTS.values()}) == len(LESSONS)
    dated = dataclasses.replace(ONE, due="2027-01-31T23:59+01:00", late_percent_per_day=10.0)
    assert dated.fingerprint == ONE.fingerprint
    for change in (
        {"name": "other"},
        {"set_up": "import numpy"},
        {"points": ONE.points[1:]},
        {"points": ONE.points[::-1]},
        {"points": (("conv2d_naive", 3.5), *ONE.points[1:])},
    ):
        assert dataclasses.replace(ONE, **change).fingerprint != ONE.fingerprint, change


LATE = dataclasses.replace(ONE, due="2027-01-31T23:59+01:00", late_percent_per_day=30.0)


@pytest.mark.parametrize(
    "submitted, days, lost",
    [
        ("2027-01-31T23:59:00+01:00", 0, 0.0),
        ("2027-01-31T22:59:00", 0, 0.0),  # nbgrader's timestamps name no zone, and are UTC
        ("2027-01-31T23:59:01+01:00", 1, 0.3),
        ("2027-01-31T22:59:01", 1, 0.3),
        ("2027-02-01T23:59:00+01:00", 1, 0.3),
        ("2027-02-01T23:59:01+01:00", 2, 0.6),
        ("2027-02-01T16:59:01-06:00", 2, 0.6),
        ("2027-03-01T12:00:00+01:00", 29, 1.0),
        ("2026-12-24T12:00:00+01:00", 0, 0.0),
    ],
)
def test_days_late_are_those_that_began(submitted, days, lost):
    time = datetime.fromisoformat(submitted)
    assert LATE.days_late(time) == days
    assert LATE.lost(time) == pytest.approx(lost)


def test_without_a_date_nothing_is_late():
    assert ONE.lost(datetime.now(UTC)) == 0 == ONE.days_late(datetime.now(UTC))
    assert LATE.lost(None) == 0  # when nobody knows when it came


@pytest.mark.parametrize(
    "change, words",
    [
        ({"name": "../evil"}, "letters, digits"),
        ({"name": "a/b"}, "letters, digits"),
        ({"name": "a\n"}, "letters, digits"),
        ({"name": ""}, "letters, digits"),
        ({"name": "a" * 101}, "letters, digits"),
        ({"points": {}}, "got none"),
        ({"points": {"conv2d": 1}}, "got conv2d"),
        ({"points": {"iou": 0}}, "above 0"),
        ({"points": {"iou": -1}}, "above 0"),
        ({"points": {"iou": float("nan")}}, "expected a number"),
        ({"points": {"iou": 10**400}}, "expected a number"),
        ({"points": {"iou": True}}, "expected a number"),
        ({"points": {"iou": "3"}}, "expected a number"),
        ({"points": [["iou", 3]]}, "points"),
        ({"set_up": None}, "set_up"),
        ({"due": "tomorrow"}, "a date and a time"),
        ({"due": "2027-01-31T23:59"}, "offset from UTC"),
        ({"due": "2027-01-31"}, "offset from UTC"),
        ({"late_percent_per_day": 10}, "together with due"),
        ({"late_percent_per_day": 101, "due": LATE.due}, "0 to 100"),
        ({"late_percent_per_day": float("nan"), "due": LATE.due}, "0 to 100"),
        ({"late": 10}, "got 'late'"),
    ],
)
def test_what_is_no_assignment_is_said(change, words, tmp_path):
    path = tmp_path / "assignment.json"
    path.write_text(json.dumps({**ONE.to_json(), **change}))
    with pytest.raises(ValueError, match=words) as caught:
        load(path)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize("text", ["", "[]", "null", "{", '{"name": "x"}', "[" * 100_000, "\ud800"])
def test_a_damaged_file_is_said(text, tmp_path):
    path = tmp_path / "assignment.json"
    path.write_bytes(text.encode(errors="surrogatepass"))
    with pytest.raises(ValueError, match="is no assignment"):
        load(path)


def test_an_exercise_counts_once():
    with pytest.raises(ValueError, match="each once"):
        Assignment("twice", (("iou", 3.0), ("iou", 3.0)), "")


def test_a_name_that_nobody_knows_is_answered_with_those_that_exist(tmp_path):
    with pytest.raises(ValueError, match="01_segmentation, .* 09_results"):
        load("2_convolution")
    with pytest.raises(ValueError, match="expected one of"):
        load(tmp_path)  # a folder


def test_a_file_that_is_too_large_is_not_read(tmp_path):
    path = tmp_path / "assignment.json"
    with path.open("wb") as file:
        file.truncate(MOST_BYTES + 1)
    with pytest.raises(ValueError, match="larger than"):
        load(path)


@pytest.mark.parametrize("offset", [-24 * 60 + 1, -12 * 60, 0, 14 * 60, 24 * 60 - 1, None])
@pytest.mark.parametrize("end", [datetime.min, datetime.max])
@pytest.mark.parametrize("due", ["2027-01-31T23:59+01:00", "0001-01-01T00:00+14:00", "9999-12-31T23:59-12:00"])
def test_any_time_of_the_calendar_can_be_reckoned_with(end: datetime, offset: int | None, due: str) -> None:
    time = end if offset is None else end.replace(tzinfo=timezone(timedelta(minutes=offset)))
    assignment = replace(ASSIGNMENTS["02_convolution"], due=due, late_percent_per_day=10.0)
    assert 0 <= assignment.lost(time) <= 1
    stored = naive_utc(time)
    assert stored.tzinfo is None and abs(stored - end) < timedelta(days=4)
    for hours in (-14, 14):  # as formgrader shows it
        stored.replace(tzinfo=UTC).astimezone(timezone(timedelta(hours=hours)))


def test_a_time_without_a_zone_is_in_utc() -> None:
    assert naive_utc(datetime(2027, 1, 31, 12)) == datetime(2027, 1, 31, 12)
    assert naive_utc(datetime(2027, 1, 31, 12, tzinfo=timezone(timedelta(hours=2)))) == datetime(2027, 1, 31, 10)
