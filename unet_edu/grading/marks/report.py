"""What a class gets to see of its marks: marks.csv for the instructor, tables for Moodle and Canvas, a summary for the
terminal.

Names and reasons come from students. Here they become one line without control characters, and cells that no
spreadsheet takes for a formula.
"""

from __future__ import annotations

import csv
import io
import math
import re
import statistics
import textwrap
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from html import escape
from typing import get_args

from unet_edu.grading.assignment import Assignment
from unet_edu.grading.marks.alone import bare
from unet_edu.grading.marks.submissions import Roster
from unet_edu.grading.result import Outcome, Result, Status
from unet_edu.grading.text import one_line, plain, visible

__all__ = ["Row", "Table", "bare_line", "certain", "csv_line", "number", "summary", "tables"]

# A spreadsheet takes what begins so for a formula, and a formula can fetch an address with other cells in it. Before it
# there may be what a reader drops: spaces, quotes, the joiners that cannot be seen.
FORMULA = r"[\s\"\u200c\u200d]*(?=[=+@＝＋－＠﹦﹢﹣﹫−-])"
BEGINS_FORMULA = re.compile(FORMULA)
BEHIND_SEMICOLON = re.compile(f"(;{FORMULA})")
# … but no signed number, and no name such as "-ada" or "@ada", which calls nothing: so ids stay what they are.
HARMLESS = re.compile(r"[+-]?\d+([.,]\d+)?|[-+@][\w.@-]*")

# What Moodle's grading worksheet has of a student. Moodle looks for the first and the last of these.
MOODLE_KEEPS = (
    *("identifier", "full name", "first name", "last name", "username", "id number", "email address", "email"),
    *("status", "maximum grade", "grade can be changed", "last modified (submission)", "last modified (grade)"),
)
MOODLE_DATE = re.compile(r"-|[^<>\n]*[0-9][^<>\n]{0,60}")  # "-" where there is none yet
CANVAS_NEEDS = ("Student", "ID", "SIS User ID", "SIS Login ID", "Section")

WIDTH = 80  # of a terminal
BINS = 10  # of the histogram
BAR = 40  # letters of its longest bar
MOST_HINTS = 10  # in the summary
MOST_SEEN = 5  # diagnoses there
MOST_DIAGNOSIS = 300  # letters of one
MOST_REASON = 1000  # letters of a reason in a table: Excel has room for 32767 in a cell
MOST_NAMED = 20  # students in the summary


@dataclass(frozen=True)
class Row:
    """One student of a class, and all that their mark depends on.

    Parameters
    ----------
    assignment : Assignment
    student : str
    result : Result
    earlier : Result, optional
        The last one that had a mark, when `result` has none.
    decided : dict
        Each exercise's score in the gradebook, where a person may have decided; None where nobody did. Leave it empty
        when the gradebook does not hold this `result`.
    submitted : datetime, optional
        When it was handed in, if that is known.
    is_odd : bool
        Whether the list of the class does not fit, so that somebody has to look though there is a mark.
    """

    assignment: Assignment
    student: str
    result: Result
    earlier: Result | None = None
    decided: Mapping[str, float | None] = field(default_factory=dict)
    submitted: datetime | None = None
    is_odd: bool = False

    @property
    def asks(self) -> bool:
        """Whether a person has to look."""
        was_marked = self.earlier is not None
        return self.is_odd or (self.mark is None and (was_marked or self.result.status != "not submitted"))

    def score(self, exercise: str) -> float | None:
        """What the exercise earned: the gradebook's score before ours; None while nobody can say."""
        score = self.decided.get(exercise)
        return certain(self.result).get(exercise) if score is None else score

    @cached_property
    def earned(self) -> float | None:
        """The mark before anything is taken off for being late. None as long as there is none, which is not 0."""
        scores = [self.score(exercise) for exercise in self.assignment.names]
        if self.result.earned is None and None in scores:
            return None
        return sum(score or 0.0 for score in scores)

    @cached_property
    def penalty(self) -> float | None:
        """What is taken off because it came late; None when nobody knows when it came, or there is no mark."""
        if self.earned is None or self.submitted is None or not self.assignment.late_percent_per_day:
            return None
        return round(self.earned * self.assignment.lost(self.submitted), 2)

    @cached_property
    def mark(self) -> float | None:
        """The mark that counts."""
        return None if self.earned is None else self.earned - (self.penalty or 0.0)


def certain(result: Result) -> dict[str, float | None]:
    """What each exercise earned for certain. Without a mark that is nothing, unless single ones wait for a person."""
    single = any(outcome.verdict == "needs review" for outcome in result.outcomes)
    if result.earned is None and not single:
        return {}
    return {outcome.exercise: outcome.earned for outcome in result.outcomes}


# ----------------------------------------------------------------------------------------------------------- the tables


@dataclass(frozen=True)
class Table:
    """A table for a spreadsheet or a platform, whose lines can be made one by one.

    Parameters
    ----------
    head : bytes
        What stands above the students.
    line : callable
        From the row of a student to their line.
    """

    head: bytes
    line: Callable[[Row], bytes]

    def of(self, rows: Iterable[Row]) -> bytes:
        """The whole table, in order of the students' names."""
        return self.head + b"".join(self.line(row) for row in sorted(rows, key=lambda row: row.student))


def tables(assignment: Assignment, roster: Roster | None = None) -> dict[str, Table]:
    """All three, by the names of their files."""
    return {
        "marks.csv": _marks(assignment),
        "moodle.csv": _moodle(assignment, roster or Roster((), {})),
        "canvas.csv": _canvas(assignment, roster or Roster((), {})),
    }


def _marks(assignment: Assignment) -> Table:
    """All that is known of each student, but no times, so that two runs give the same bytes.

    With a byte-order mark: without it Excel reads names such as Zoë wrongly. pandas and R know it.
    """
    late = ["late penalty"] if assignment.late_percent_per_day else []
    titles = ["student", "status", "mark", "points", *late, *assignment.names]
    titles += ["reason", "earlier mark", "notebook", "engine", "seed", "sandboxed"]

    def line(row: Row) -> bytes:
        result = row.result
        numbers = [row.mark, assignment.worth, *([row.penalty] if late else []), *map(row.score, assignment.names)]
        return csv_line(
            [row.student, result.status, *map(number, numbers)]
            + [result.reason[:MOST_REASON], number(row.earlier.earned if row.earlier else None)]
            + [result.notebook, result.engine, str(result.seed), "yes" if result.sandboxed else "no"]
        )

    return Table(b"\xef\xbb\xbf" + csv_line(titles), line)


def bare_line(assignment: Assignment, student: str, reason: str) -> bytes:
    """The line of marks.csv for whom no other can be made: name and reason, in letters that mean nothing to anybody."""
    name, why = bare(student), bare(reason)
    empty = "," * (1 + bool(assignment.late_percent_per_day) + len(assignment.points))
    return f"{name},needs review,{empty},{why},,,,,\n".encode()


def _moodle(assignment: Assignment, roster: Roster) -> Table:
    """The marks as Moodle's assignment takes them (“Upload grading worksheet”), or the import of Moodle's gradebook.

    With Moodle's own worksheet as the roster its columns are kept, with their names in Moodle's language: Moodle finds
    the student by `Identifier`, and looks at `Last modified (grade)` so that nothing newer is overwritten. Where
    `Maximum grade` differs from the assignment's points, marks are scaled to it. Without a worksheet the students'
    names are in `Username`. A student without a mark has an empty cell, which Moodle leaves alone.
    """
    kept, most = _moodle_keeps(roster), roster.most
    titles = [roster.columns[place] for place in kept] or ["Username"]

    def line(row: Row) -> bytes:
        mine = roster.students.get(row.student)
        known = [mine[place] for place in kept] if mine and kept else [row.student, *[""] * (len(titles) - 1)]
        grade = _scaled(row, mine[most] if mine and most is not None else "")
        return csv_line([*known, grade, escape(_comment(row), quote=False)])

    return Table(csv_line([*titles, *_moodle_fills(roster)]), line)


def _moodle_keeps(roster: Roster) -> list[int]:
    """The places of the columns that Moodle needs, and that tell people who is meant; but no text of a student's."""
    if not (sheet := roster.worksheet):
        return [place for place, name in enumerate(roster.columns) if name.strip().casefold() in MOODLE_KEEPS]
    behind = range(sheet.most + 2, len(roster.columns))  # … "Grade can be changed", then dates and texts
    dates = [n for n in behind if all(MOODLE_DATE.fullmatch(line[n]) for line in roster.students.values())]
    return [*range(sheet.grade), sheet.most, sheet.most + 1, *dates]


def _moodle_fills(roster: Roster) -> list[str]:
    """The names of the columns for the mark and for what is said of it."""
    if not (sheet := roster.worksheet):
        return ["Grade", "Feedback comments"]
    comments = "Feedback comments" if sheet.comments is None else roster.columns[sheet.comments]
    return [roster.columns[sheet.grade], comments]


def _canvas(assignment: Assignment, roster: Roster) -> Table:
    """The marks as Canvas' gradebook imports them.

    With Canvas' exported gradebook as the roster, its columns of each student are kept, and the assignment's column has
    Canvas' name for it, such as `02_convolution (4711)`; where Canvas gives the assignment other points, marks are
    scaled to them. Otherwise Canvas asks which of its assignments is meant, and the students' names are in `SIS Login
    ID`. A student without a mark has an empty cell; if Canvas has a mark there, it takes this for a change, and shows
    it before it changes anything.
    """
    end, place = roster.column("section"), _canvas_column(assignment, roster)
    info = CANVAS_NEEDS if end is None else roster.columns[: end + 1]
    title = assignment.name if place is None else roster.columns[place]
    possible = roster.worth[place] if place is not None and roster.worth else ""

    def line(row: Row) -> bytes:
        if mine := roster.students.get(row.student):
            cells = [mine[at] if (at := roster.column(name)) is not None else "" for name in info]
        else:
            cells = [row.student if name.strip().casefold() in ("student", "sis login id") else "" for name in info]
        return csv_line([*cells, _scaled(row, possible)])

    worth = ["    Points Possible", *[""] * (len(info) - 1), possible or number(assignment.worth)]
    return Table(csv_line([*info, title]) + csv_line(worth), line)


def _canvas_column(assignment: Assignment, roster: Roster) -> int | None:
    """Where the assignment is in Canvas' gradebook: `02 Convolution (4711)` is `02_convolution`."""
    names = [re.sub(r"\s*\(\d+\)$", "", name) for name in roster.columns]
    alike = [place for place, name in enumerate(names) if _letters(name) == _letters(assignment.name)]
    return alike[0] if len(alike) == 1 else None


def _letters(name: str) -> str:
    return re.sub(r"[\W_]", "", name).casefold()


def _scaled(row: Row, most: str) -> str:
    """The mark, on the scale of a learning platform that gives the assignment `most` points."""
    if row.mark is None:
        return ""
    try:
        factor = float(most.replace(",", ".")) / row.assignment.worth
    except ValueError:  # empty, or words
        factor = 1.0
    return number(row.mark * (factor if 0 < factor < math.inf else 1.0))


def _comment(row: Row) -> str:
    """The result in a few sentences of our own: no word of a student's, because the platform shows it as a page."""
    said = []
    for outcome in row.result.outcomes:
        score = row.score(outcome.exercise)
        earned = f"{number(score)} of {number(outcome.points)}" if score is not None else "no points yet"
        said.append(f"{outcome.exercise}: {outcome.verdict}, {earned}. {outcome.hint or outcome.diagnosis}".rstrip())
    if row.mark is None:
        said.insert(0, f"No mark yet: {row.result.status}.")
    if row.penalty:
        said.append(f"Late: {number(row.penalty)} points off.")
    return " ".join(said)


def csv_line(cells: Iterable[str]) -> bytes:
    """One line of a table, in which no cell is a formula."""
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerow(map(_cell, cells))
    return text.getvalue().encode()


def _cell(text: str) -> str:
    """A cell that is shown as it is, and computed by no spreadsheet: an apostrophe before a formula makes it text.

    In half of the world a spreadsheet divides at semicolons, whatever is quoted: so each part behind one is treated as
    a cell of its own.
    """
    text = visible(re.sub(r"[\r\n\t]+", " ", text))
    text = BEHIND_SEMICOLON.sub(r"\1'", text)
    return "'" + text if BEGINS_FORMULA.match(text) and not HARMLESS.fullmatch(text) else text


def number(value: float | None) -> str:
    """A mark in at most two decimals; nothing for None."""
    return "" if value is None else f"{value:.2f}".rstrip("0").rstrip(".")


# ---------------------------------------------------------------------------------------------------------- the summary


def summary(assignment: Assignment, rows: Sequence[Row]) -> str:
    """The class on one page of a terminal: the statuses, the marks, what to teach again, who needs a person."""
    parts = [
        _heading(assignment, rows),
        _histogram(assignment, [row.mark for row in rows if row.mark is not None]),
        _exercises(assignment, rows),
        _misconceptions(rows),
        _diagnoses(rows),
        _partial(rows),
        _people(rows),
    ]
    return "\n\n".join(part for part in parts if part)


def _heading(assignment: Assignment, rows: Sequence[Row]) -> str:
    counts = Counter(row.result.status for row in rows)
    lines = [f"{assignment.name}: {_students(len(rows))}"]
    lines += [f"  {status:<14} {counts[status]:>4}" for status in get_args(Status) if counts[status]]
    unsafe = sum(not row.result.sandboxed for row in rows if row.result.status != "not submitted")
    if unsafe:
        lines.append(f"  graded without the sandbox (--unsafe): {unsafe}")
    return "\n".join(lines)


def _histogram(assignment: Assignment, marks: Sequence[float]) -> str:
    if not marks:
        return "No marks yet."
    most = assignment.worth
    bins = Counter(min(max(int(mark * BINS / most), 0), BINS - 1) for mark in marks)
    edges = [number(most * n / BINS) for n in range(BINS + 1)]
    size = max(map(len, edges))
    middle = number(statistics.median(marks))
    lines = [f"Marks of {_students(len(marks))}, of {number(most)} points; half of them have {middle} or more"]
    for n in range(BINS):
        bar = "█" * -(-bins[n] * BAR // max(bins.values()))
        lines.append(f"  {edges[n]:>{size}} – {edges[n + 1]:<{size}} {bar} {bins[n] or ''}".rstrip())
    return "\n".join(lines)


def _exercises(assignment: Assignment, rows: Sequence[Row]) -> str:
    outcomes: dict[str, list[Outcome]] = {exercise: [] for exercise in assignment.names}
    for row in rows:
        for outcome in row.result.outcomes:
            outcomes.setdefault(outcome.exercise, []).append(outcome)
    if not any(outcomes.values()):
        return ""
    size = max(map(len, outcomes))
    lines = [f"{'Exercises':<{size + 2}}  {'right':>6} {'half':>6} {'wrong':>6} {'other':>6}"]
    for exercise, those in outcomes.items():
        counts = Counter(outcome.verdict for outcome in those)
        named = [counts["right"], counts["half"], counts["wrong"]]
        lines.append(f"  {exercise:<{size}}  " + " ".join(f"{n:>6}" for n in [*named, len(those) - sum(named)]))
    return "\n".join(lines)


def _misconceptions(rows: Sequence[Row]) -> str:
    outcomes = [outcome for row in rows for outcome in row.result.outcomes if outcome.misconception]
    return _commonest(
        "What to teach again", [(each.exercise, visible(each.misconception)) for each in outcomes], MOST_HINTS
    )


def _diagnoses(rows: Sequence[Row]) -> str:
    """What is seen in wrong answers of which no name is known."""
    outcomes = [outcome for row in rows for outcome in row.result.outcomes if outcome.diagnosis and not outcome.hint]
    seen = [(each.exercise, one_line(each.diagnosis, MOST_DIAGNOSIS)) for each in outcomes]
    return _commonest("What we see in other wrong answers", seen, MOST_SEEN)


def _commonest(title: str, said: Sequence[tuple[str, str]], most: int) -> str:
    """What was said of an exercise, with how many students heard it: the commonest first."""
    if not said:
        return ""
    commonest = sorted(Counter(said).items(), key=lambda item: (-item[1], item[0]))
    lines = [title]
    for (exercise, words), count in commonest[:most]:
        lines.append(_wrapped(f"{count:>4}  {exercise}: {words}", 8))
    if len(commonest) > most:
        lines.append(f"      and {len(commonest) - most} others, in the students' feedback")
    return "\n".join(lines)


def _partial(rows: Sequence[Row]) -> str:
    """Whose mark may lack points, until a person has decided about them."""
    count = sum(row.result.status == "partial" and None in map(row.score, row.assignment.names) for row in rows)
    said = (
        "with a mark that has nothing for an exercise which could not be judged: the column “reason” of marks.csv "
        "says why"
    )
    return _wrapped(f"{_students(count)} {said}", 2) if count else ""


def _people(rows: Sequence[Row]) -> str:
    """Who needs a person, and why: no mark though something was handed in, or nobody on the list of the class."""
    waiting = [row for row in sorted(rows, key=lambda row: row.student) if row.asks]
    if not waiting:
        return ""
    odd = sum(row.mark is not None for row in waiting)
    counts = [f"{_students(len(waiting) - odd)} without a mark"] if len(waiting) > odd else []
    counts += [f"{odd} with a mark whom the list of the class has not, or twice"] if odd else []
    lines = [f"{' and '.join(counts)}: a person has to look"]
    for row in waiting[:MOST_NAMED]:
        worth = sum(outcome.would_earn or outcome.earned or 0.0 for outcome in row.result.outcomes)
        is_asked = any(outcome.would_earn is not None for outcome in row.result.outcomes)
        accepted = f" If you accept it: {number(worth)} of {number(row.assignment.worth)}." if is_asked else ""
        earlier = f" Earlier mark: {number(row.earlier.earned)}." if row.earlier else ""
        reason = one_line(row.result.reason, 300).rstrip(".")
        why = f"{row.result.status}: {reason}" if reason else row.result.status
        why += "" if why.endswith(("?", "!")) else "."
        lines.append(_wrapped(f"  {plain(row.student)[:60]}: {why}{accepted}{earlier}", 4))
    if len(waiting) > MOST_NAMED:
        lines.append(f"  and {len(waiting) - MOST_NAMED} others; marks.csv names them all")
    return "\n".join(lines)


def _wrapped(line: str, indent: int) -> str:
    lead = " " * (len(line) - len(line.lstrip()))
    return textwrap.fill(line.strip(), WIDTH - 1, initial_indent=lead, subsequent_indent=" " * indent)


def _students(count: int) -> str:
    return f"{count} student{'s' * (count != 1)}"
