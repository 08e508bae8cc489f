"""A fault in turn at each call that handles one student's data, after the sandbox: it costs that student's row, and
nothing of anybody else's.

The calls are not listed here: a run is watched, and each call whose arguments name Eve and nobody else is a place. So a
new function is one, too.
"""

from __future__ import annotations

import contextlib
import csv
import dataclasses
import errno
import functools
import hashlib
import io
import itertools
import json
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

import pytest
import typer
from nbgrader import api
from sqlalchemy.pool import NullPool

from tests.grading.conftest import in_gradebook
from unet_edu.grading import engine, sandbox
from unet_edu.grading.assignment import ASSIGNMENTS, Assignment
from unet_edu.grading.commands import grade
from unet_edu.grading.marks import alone, classroom, cluster, submissions
from unet_edu.grading.marks.handed_in import HandedIn
from unet_edu.grading.marks.report import Row
from unet_edu.grading.result import Outcome, Result

NAME = "02_convolution"
EVE, OTHERS = "eve-5e1f", ("otto", "zoe")
HER_SCORE = "1.37"  # a number that nobody else has
PACKAGE = str(Path(alone.__file__).parents[1])
LATE = dataclasses.replace(ASSIGNMENTS[NAME], due="2027-01-31T23:59+01:00", late_percent_per_day=10.0)


class FaultError(Exception):
    """What nobody thought of."""


FAULTS: list[Callable[[], Exception]] = [
    lambda: FaultError("nobody thought of it"),
    lambda: ValueError("nobody thought of it"),
    lambda: OverflowError("date value out of range"),
    lambda: OSError("nobody thought of it"),
    lambda: OSError(errno.EILSEQ, "Invalid or incomplete multibyte or wide character"),
    lambda: UnicodeEncodeError("utf-8", "\udc80", 0, 1, "surrogates not allowed"),
    lambda: RecursionError("maximum recursion depth exceeded"),
    lambda: MemoryError(),
    lambda: KeyError("nobody thought of it"),
    lambda: AssertionError(),
]


# -------------------------------------------------------------------------------------------------------------- a class


def stand_in(notebook: bytes, assignment: Assignment, seed: int, limits: object, *, unsafe: bool = False) -> Result:
    """In place of the sandbox: "1.37 eve-5e1f" has this many points, and all that is said names her."""
    word, _, who = notebook.decode().partition(" ")
    outcomes = []
    for n, (exercise, points) in enumerate(assignment.points):
        said = (f"Said of {who}.", f"To {who}.", f"as {who}", (1, 2), (0, 3), None, f"def {exercise}(): {who}")
        earned, verdict = (0.0, "wrong") if n else (float(word), "half")
        outcomes.append(Outcome(exercise, points, earned, verdict, *said))  # type: ignore[arg-type]
    about = (
        hashlib.sha256(notebook).hexdigest(),
        "stand-in",
        seed,
        assignment.worth,
        not unsafe,
        (f"{who}'s cell stopped",),
    )
    return Result(assignment.name, "partial", f"why {who}", tuple(outcomes), *about)


def hand_in(folder: Path, student: str, notebook: str) -> None:
    place = folder / student / NAME
    place.mkdir(parents=True, exist_ok=True)
    (place / f"{NAME}.ipynb").write_text(notebook)
    (place / "timestamp.txt").write_text(f"2027-02-0{len(student) % 3 + 1} 12:00:00 UTC")


@dataclasses.dataclass
class Class:
    """A class that was graded once, and what it hands in then."""

    folder: Path
    before: Path
    submitted: Path

    def grade(self) -> tuple[int, str]:
        """The command: its exit code, and what it says."""
        code, said = 0, io.StringIO()
        with contextlib.redirect_stdout(said):
            try:
                grade(str(self.folder / "late.json"), self.submitted, self.output, Path("list.csv"), seed=7)
            except typer.Exit as end:
                code = end.exit_code
        return code, said.getvalue()

    @property
    def output(self) -> Path:
        return self.folder / "output"

    def as_before(self) -> None:
        shutil.rmtree(self.output, ignore_errors=True)
        shutil.copytree(self.before, self.output)


@pytest.fixture(scope="module")
def klass(tmp_path_factory: pytest.TempPathFactory, empty_gradebook: Path) -> Iterator[Class]:
    def run(grade: Callable[[bytes], Result], tasks: Iterator[tuple[str, bytes]], workers: int) -> Iterator[Any]:
        for student, notebook in tasks:
            yield student, grade(notebook)

    folder = tmp_path_factory.mktemp("faults")
    klass = Class(folder, folder / "before", folder / "submitted")
    (folder / "late.json").write_text(json.dumps(LATE.to_json()))
    hand_in(klass.submitted, "otto", "2 otto")
    hand_in(klass.submitted, EVE, f"1.73 {EVE}")
    listed = submissions.Roster(("student", "Section"), {name: (name, "a") for name in (*OTHERS, EVE)})
    with pytest.MonkeyPatch.context() as patch:
        # statements are compiled once
        engines = functools.cache(functools.partial(api.create_engine, poolclass=NullPool))
        patch.setattr(api, "create_engine", engines)
        patch.setattr(engine, "grade", stand_in)
        patch.setattr(engine, "ENGINE", "stand-in")
        patch.setattr(cluster, "run", run)
        patch.setattr(sandbox, "require", lambda: None)
        patch.setattr(submissions, "read_roster", lambda *_: listed)  # the instructor's own, and read before all else
        klass.output.mkdir()
        shutil.copy(empty_gradebook, klass.output / "gradebook.db")
        klass.grade()
        klass.output.rename(klass.before)
        hand_in(klass.submitted, "zoe", "1 zoe")
        yield klass


def she(klass: Class, does: str) -> None:
    """What is different in the second run."""
    shutil.rmtree(klass.submitted / EVE, ignore_errors=True)
    if does == "hands in again":
        hand_in(klass.submitted, EVE, f"{HER_SCORE} {EVE}")
    elif does == "hands in the same":
        hand_in(klass.submitted, EVE, f"1.73 {EVE}")
    elif does == "hands in a link":
        (klass.submitted / EVE / NAME).mkdir(parents=True)
        (klass.submitted / EVE / NAME / f"{EVE}.ipynb").symlink_to("/etc/passwd")


DEEDS = ("hands in again", "hands in the same", "hands in a link", "withdraws")


# ----------------------------------------------------------------------------------------------------------- the faults

GUARD = {alone.failing_alone.__wrapped__.__code__}  # type: ignore[attr-defined]
GUARD |= {classroom._Writer.alone.__code__, HandedIn.alone.__code__}
Place = tuple[CodeType, CodeType]  # who calls, and what


def names_her_alone(frame: FrameType) -> bool:
    """Whether a call's arguments are of this one student."""
    code = frame.f_code
    count = code.co_argcount + code.co_kwonlyargcount
    values = [frame.f_locals.get(name) for name in code.co_varnames[:count]]
    said = " ".join(map(shown, values))
    return (EVE in said or HER_SCORE in said) and not any(name in said for name in OTHERS)


def shown(value: object) -> str:
    if isinstance(value, Path):  # not the folder of the class
        return "/".join(value.parts[-4:])
    try:
        return repr(value)[:100_000]
    except Exception:  # noqa: BLE001  not made yet
        return ""


def place_of(frame: FrameType) -> Place | None:
    code, caller = frame.f_code, frame.f_back
    is_ours = code.co_filename.startswith(PACKAGE) and code.co_name[0] != "<" and code not in GUARD
    if not is_ours or caller is None or not names_her_alone(frame):
        return None
    return caller.f_code, code


@contextlib.contextmanager
def watched(see: Callable[[Place], None]) -> Iterator[None]:
    def trace(frame: FrameType, event: str, _: object) -> None:
        if event == "call" and (place := place_of(frame)):
            see(place)

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        yield
    finally:
        sys.settrace(before)


@contextlib.contextmanager
def faulty(
    place: Place, fault: Callable[[], Exception], patch: pytest.MonkeyPatch, *, always: bool
) -> Iterator[list[int]]:
    """Raise at the first call of this place, or at each call of its function with Eve's data."""
    raised: list[int] = []

    def trace(frame: FrameType, event: str, _: object) -> None:
        if event != "call" or frame.f_code is not place[1] or (raised and not always):
            return
        mine = place_of(frame)
        if mine == place or (always and mine):
            raised.append(1)
            raise fault()  # Python then takes `trace` away

    def told(error: BaseException) -> str:
        sys.settrace(trace)
        return original(error)

    original, before = alone.told, sys.gettrace()
    if always:
        patch.setattr(alone, "told", told)
    sys.settrace(trace)
    try:
        yield raised
    finally:
        sys.settrace(before)


def tables(output: Path) -> dict[str, list[list[str]]]:
    found = {}
    for name in ("marks.csv", "moodle.csv", "canvas.csv"):
        text = (output / NAME / name).read_text("utf-8-sig")
        found[name] = list(csv.reader(io.StringIO(text, newline="")))
    return found


def others(lines: list[list[str]]) -> list[list[str]]:
    return [line for line in lines if not line[0].startswith("eve")]


def left(output: Path) -> dict[str, object]:
    """All that a run leaves; the gradebook by its rows."""
    found: dict[str, object] = {
        str(path.relative_to(output)): path.read_bytes()
        for path in sorted(output.rglob("*"))
        if path.is_file() and path.name not in ("gradebook.db", ".grading.lock")
    }
    found["gradebook"] = in_gradebook(output / "gradebook.db")
    return found


@pytest.fixture(scope="module")
def places(klass: Class) -> dict[str, list[Place]]:
    """Where Eve's data is handled, by what she must do to come there."""
    found: dict[str, list[Place]] = {}
    for deed in DEEDS:
        she(klass, deed)
        klass.as_before()
        new: dict[Place, None] = {}
        with watched(new.setdefault):
            klass.grade()
        found[deed] = [place for place in new if not any(place in those for those in found.values())]
    return found


def name_of(place: Place) -> str:
    caller, callee = place
    return (
        f"{Path(caller.co_filename).stem}.{caller.co_qualname} calls "
        f"{Path(callee.co_filename).stem}.{callee.co_qualname}"
    )


@pytest.mark.parametrize("always", [False, True], ids=["once", "always"])
def test_a_fault_at_any_call_costs_one_row(klass: Class, places: dict[str, list[Place]], always: bool) -> None:
    wrong: list[str] = []
    done: set[object] = set()
    faults = itertools.cycle(FAULTS)
    for deed, those in places.items():
        she(klass, deed)
        klass.as_before()
        klass.grade()
        right, verified = Left(klass.output), set[str]()
        for place in those:
            if (what := place[1] if always else place) in done:
                continue
            done.add(what)
            fault = next(faults)
            klass.as_before()
            if mistake := what_went_wrong(klass, place, fault, right, verified, always):
                wrong.append(f"{deed}: {name_of(place)}: {fault()!r}: {mistake}")
    print(f"{len(done)} {'functions' if always else 'calls'}")
    assert not wrong, f"{len(wrong)} of {len(done)} places:\n" + "\n".join(wrong)
    assert len(done) > 50


class Left:
    """What a run leaves."""

    def __init__(self, output: Path) -> None:
        self.tables, self.all = tables(output), left(output)

    @property
    def for_the_next(self) -> str:
        """On which alone the next run depends: what is kept, and which files are there."""
        kept = ("gradebook", f"{NAME}/results/", f"{NAME}/seed")
        return repr([(name, content if name.startswith(kept) else "") for name, content in self.all.items()])


def what_went_wrong(
    klass: Class, place: Place, fault: Callable[[], Exception], right: Left, verified: set[str], always: bool
) -> str:
    with pytest.MonkeyPatch.context() as patch, faulty(place, fault, patch, always=always) as raised:
        try:
            code, _ = klass.grade()
        except Exception as error:  # noqa: BLE001
            return f"the class stopped: {error!r}"
    if not raised:
        return "never came there"
    if code != 3:
        return f"exit code {code}"
    found = Left(klass.output)
    for name, lines in found.tables.items():
        if others(lines) != others(right.tables[name]):
            return f"{name}: another's line changed"
    # the same: it came after all
    mistake = "" if found.tables == right.tables else of_her_row(found.tables["marks.csv"], fault)
    if not mistake and found.for_the_next not in verified:
        verified.add(found.for_the_next)
        klass.grade()
        again = left(klass.output)
        different = [name for name in {**again, **right.all} if again.get(name) != right.all.get(name)]
        mistake = f"the next run left others: {different}" if different else ""
    return mistake


def of_her_row(table: list[list[str]], fault: Callable[[], Exception]) -> str:
    hers = [line for line in table if line[0].startswith("eve")]
    if len(hers) != 1:
        return f"{len(hers)} rows"
    status, mark, reason = hers[0][1], hers[0][2], hers[0][table[0].index("reason")]
    if isinstance(fault(), OSError) and status == "unreadable" and "cannot be read" in reason:
        return ""  # her file or folder, as far as anybody can know
    is_said = status == "needs review" and not mark and "The grader itself failed: " in reason
    return "" if is_said else f"her row is {hers[0]}"


# -------------------------------------------------------------------------------------------------- everybody's trouble


def test_what_fails_for_everybody_is_said_once(klass: Class, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows would hide it. The tables are written all the same, and nothing that was graded is graded again."""
    she(klass, "hands in again")
    klass.as_before()

    def broken(*_: object) -> bytes:
        raise AttributeError("module 'numpy' has no attribute 'float'")

    with monkeypatch.context() as patch:
        patch.setattr(classroom, "feedback", broken)
        with pytest.raises(
            ValueError, match=r"failed for all 3 students, and in the same way \(AttributeError: module"
        ):
            klass.grade()
    assert [line[1:3] for line in tables(klass.output)["marks.csv"][1:]] == [["needs review", ""]] * 3
    kept = {path: path.stat().st_mtime_ns for path in (klass.output / NAME / "results").iterdir()}
    klass.grade()
    assert kept == {path: path.stat().st_mtime_ns for path in (klass.output / NAME / "results").iterdir()}
    assert EVE in left(klass.output)[f"{NAME}/feedback/{EVE}.html"].decode()  # type: ignore[attr-defined]


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS, errno.EDQUOT, errno.EMFILE])
def test_a_disk_that_takes_nothing_stops_the_class(klass: Class, monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    she(klass, "hands in again")
    klass.as_before()

    def full(path: Path, *_: object, **__: object) -> None:
        raise OSError(number, "the disk takes nothing", str(path))

    monkeypatch.setattr(classroom, "write_whole", full)
    with pytest.raises(OSError, match="the disk takes nothing"):
        klass.grade()


def test_an_old_page_does_not_stand_where_there_is_no_new_one(klass: Class, monkeypatch: pytest.MonkeyPatch) -> None:
    she(klass, "hands in again")
    klass.as_before()
    original = classroom.feedback
    page = klass.output / NAME / "feedback" / f"{EVE}.html"
    assert page.exists()

    def feedback(row: Row) -> str:
        if row.student == EVE:
            raise ValueError("of all her pages")
        return original(row)

    monkeypatch.setattr(classroom, "feedback", feedback)
    assert klass.grade()[0] == 3
    hers = next(line for line in tables(klass.output)["marks.csv"] if line[0] == EVE)
    assert hers[1:3] == ["needs review", ""] and "ValueError: of all her pages" in " ".join(hers)
    assert not page.exists()


@pytest.mark.parametrize(
    "time",
    ["0001-01-01 00:00:00 +14:00", "9999-12-31 23:59:59 -12:00", "0001-01-01 00:00:00 UTC", "9999-12-31 23:59:59 UTC"],
)
def test_a_time_at_the_end_of_the_calendar(klass: Class, time: str) -> None:
    she(klass, "hands in again")
    (klass.submitted / EVE / NAME / "timestamp.txt").write_text(time)
    klass.as_before()
    klass.grade()
    marks = {line[0]: line[2] for line in tables(klass.output)["marks.csv"][1:]}
    assert marks["otto"] and marks["zoe"]
    # others have no time in UTC: a person
    expected = {
        "0001-01-01 00:00:00 UTC": "1.37",
        "9999-12-31 23:59:59 UTC": "0",
    }
    assert marks[EVE] == expected.get(time, "")
