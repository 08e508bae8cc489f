"""Tables, summary and feedback: true, and safe whatever a student's name, code or message is."""

from __future__ import annotations

import csv
import functools
import io
import re
import socket
import time
import unicodedata
from dataclasses import replace
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.explorers.browser import chromium
from tests.grading.submissions import FOUR
from unet_edu.grading.assignment import Assignment
from unet_edu.grading.marks.feedback import feedback
from unet_edu.grading.marks.report import Row, bare_line, summary, tables
from unet_edu.grading.marks.submissions import Roster, read_roster
from unet_edu.grading.result import Outcome, Result, Status
from unet_edu.lessons import EXERCISES

CONVOLUTION = FOUR
LATE = replace(CONVOLUTION, due="2026-11-01T12:00+01:00", late_percent_per_day=10)
SEED = 271828182845904523536028747135266249775

HOSTILE = [
    "<script>document.title='ran'</script>",
    "</pre></details></section><img src=x onerror=\"document.title='ran'\">",
    '"><svg/onload=document.title="ran">',
    "'><iframe srcdoc='<script>top.document.title=1</script>'></iframe>",
    '<link rel=stylesheet href="http://127.0.0.1:9/a.css"><img src="http://127.0.0.1:9/a.png">',
    "</title><script>document.title='ran'</script>",
    "</style><script>document.title='ran'</script><style>@import 'http://127.0.0.1:9/b.css';",
    '<meta http-equiv="refresh" content="0;url=http://127.0.0.1:9/">',
    '<form action="http://127.0.0.1:9/"><button autofocus onfocus="document.title=1">ok</button></form>',
    "<a href=\"javascript:document.title='ran'\">click</a>",
    "&lt;script&gt;&#60;script&#62;",
    "\x1b[31mred\x1b[0m \x1b]0;title\x07 \x9b31m",
    "\u202egnp.exe \u2066\u2069 \u200f",
    "nul\0nul",
    "lone \ud800 half \udfff",
    "line\u2028separator\u2029\x85\x0b\x0c",
    "=HYPERLINK(\"http://127.0.0.1:9/\"&A1)",
    "{0.__class__} %s %(seed)s ${x}",
    "-->", "]]>", "<!--", "<![CDATA[",
]  # fmt: skip


def made(name: str, assignment: Assignment, rows: list[Row], roster: Roster | None = None) -> bytes:
    return tables(assignment, roster)[name].of(rows)


table, moodle, canvas = (functools.partial(made, name) for name in ("marks.csv", "moodle.csv", "canvas.csv"))


def result(
    status: Status = "graded", earned: tuple[float | None, ...] = (3, 1, 0, 2), text: str = "", **more: Any
) -> Result:
    outcomes = tuple(
        Outcome(
            exercise,
            points,
            score,
            "needs review" if score is None else "right" if score == points else "half" if score else "wrong",
            message=text,
            hint=text if score != 0 else "",
            misconception=text,
            visible=(1, 2),
            fresh=(3, 6),
            would_earn=points if score is None else None,
            code=text,
            diagnosis=text,
        )
        for (exercise, points), score in zip(CONVOLUTION.points, earned, strict=True)
    )
    return Result(CONVOLUTION.name, status, text, outcomes, "ab" * 32, "0.1.0+abc", SEED, 10.0, **more)


def failed(status: Status = "unreadable", reason: str = "It has merge markers.") -> Result:
    return Result(CONVOLUTION.name, status, reason, (), "cd" * 32, "0.1.0+abc", SEED, 10.0)


def row(student: str = "ada", of: Result | None = None, **more: Any) -> Row:
    return Row(CONVOLUTION, student, of or result(), **more)


def lines(data: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(data.decode("utf-8-sig"), newline="")))


# ---------------------------------------------------------------------------------------------------------------- marks


@pytest.mark.parametrize(
    "status", ["crashed", "timed out", "over memory", "unreadable", "not submitted", "needs review"]
)
def test_no_mark_is_never_a_zero(status: Status) -> None:
    mine = row(of=failed(status), earlier=result())
    assert mine.mark is None
    (line,) = lines(table(CONVOLUTION, [mine]))
    assert (line["mark"], line["conv2d_naive"], line["earlier mark"], line["points"]) == ("", "", "6", "10")
    assert lines(moodle(CONVOLUTION, [mine]))[0]["Grade"] == ""
    assert lines(canvas(CONVOLUTION, [mine]))[1]["02_convolution"] == ""
    assert "No mark yet" in feedback(mine) and "not a 0" in feedback(mine) or status == "not submitted"


def test_a_zero_that_was_earned_is_a_zero() -> None:
    mine = row(of=result(earned=(0, 0, 0, 0)))
    assert mine.mark == 0
    assert lines(table(CONVOLUTION, [mine]))[0]["mark"] == "0"
    assert lines(moodle(CONVOLUTION, [mine]))[0]["Grade"] == "0"
    assert lines(canvas(CONVOLUTION, [mine]))[1]["02_convolution"] == "0"


def test_an_exercise_that_stopped_has_no_points_and_no_zero() -> None:
    (line,) = lines(table(CONVOLUTION, [row(of=result("partial", (3, None, 0, 2)))]))
    assert (line["mark"], line["out_size"], line["conv2d_multichannel"]) == ("5", "", "0")


def test_a_person_decides_what_needs_review() -> None:
    waiting = row(of=result("needs review", (3, None, 0, 2)))
    assert waiting.mark is None
    gradebook = {"conv2d_naive": 3.0, "out_size": None, "conv2d_multichannel": 0.0, "receptive_field": 2.0}
    assert replace(waiting, decided=gradebook).mark is None
    decided = replace(waiting, decided=gradebook | {"out_size": 1.5})
    assert decided.mark == 6.5
    assert lines(table(CONVOLUTION, [decided]))[0]["status"] == "needs review"
    assert "6.5 of 10 points" in feedback(decided) and "Your instructor looked at this" in feedback(decided)


def test_a_notebook_under_suspicion_has_no_points_of_ours() -> None:
    """All answers right, and the whole notebook needs review: only a person's scores make a mark."""
    waiting = row(of=result("needs review", (3, 2, 3, 2)))
    assert waiting.mark is None and waiting.score("conv2d_naive") is None
    some = replace(waiting, decided={"conv2d_naive": 3.0, "out_size": None})
    assert some.mark is None
    assert replace(waiting, decided=dict.fromkeys(EXERCISES, 1.0)).mark == 4.0


@pytest.mark.parametrize(
    ("submitted", "penalty", "mark"),
    [
        (None, None, 6.0),  # nobody knows when: nothing is taken off
        (datetime(2026, 11, 1, 11, 0, tzinfo=UTC), 0.0, 6.0),
        (datetime(2026, 11, 1, 11, 0, 1, tzinfo=UTC), 0.6, 5.4),
        (datetime(2026, 11, 2, 11, 0, 1, tzinfo=UTC), 1.2, 4.8),
        (datetime(2027, 11, 1, tzinfo=UTC), 6.0, 0.0),
    ],
)
def test_late(submitted: datetime | None, penalty: float | None, mark: float) -> None:
    mine = Row(LATE, "ada", result(), submitted=submitted)
    assert (mine.penalty, mine.mark) == (penalty, pytest.approx(mark))
    (line,) = lines(table(LATE, [mine]))
    assert line["late penalty"] == ("" if penalty is None else f"{penalty:g}")
    assert float(line["mark"]) == pytest.approx(mark)
    assert "late penalty" not in lines(table(CONVOLUTION, [row(submitted=submitted)]))[0]
    assert ("day" in feedback(mine)) == bool(penalty)


def test_late_takes_nothing_from_who_has_no_mark() -> None:
    mine = Row(LATE, "ada", failed(), submitted=datetime(2026, 12, 1, tzinfo=UTC))
    assert (mine.penalty, mine.mark) == (None, None)


# --------------------------------------------------------------------------------------------------------------- tables


def test_the_table_has_what_one_needs_to_understand_a_mark() -> None:
    rows = [row("zoë"), row("ada", failed()), row("eve", result(sandboxed=False))]
    data = table(CONVOLUTION, rows)
    assert data.startswith(b"\xef\xbb\xbf")  # for Excel
    assert data == table(CONVOLUTION, rows[::-1])
    ada, eve, zoe = lines(data)
    assert list(zoe) == [
        *("student", "status", "mark", "points", "conv2d_naive", "out_size", "conv2d_multichannel", "receptive_field"),
        *("reason", "earlier mark", "notebook", "engine", "seed", "sandboxed"),
    ]
    assert zoe == ada | {
        "student": "zoë",
        "status": "graded",
        "mark": "6",
        "conv2d_naive": "3",
        "out_size": "1",
        "conv2d_multichannel": "0",
        "receptive_field": "2",
        "reason": "",
        "notebook": "ab" * 32,
    }
    assert (ada["reason"], ada["seed"], eve["sandboxed"]) == ("It has merge markers.", str(SEED), "no")


@pytest.mark.parametrize(
    "name", ["=1+1", "+cmd|' /C calc'!A0", "-2+3+cmd|' /C calc'!A0", "@SUM(1+9)", "\t=1", " =1", "\r\n=1", "＝1"]
)
def test_no_cell_is_a_formula(name: str) -> None:
    mine = row(name, failed(reason=name))
    for data in (table(CONVOLUTION, [mine]), moodle(CONVOLUTION, [mine]), canvas(CONVOLUTION, [mine])):
        cells = [cell for line in csv.reader(io.StringIO(data.decode("utf-8-sig"), newline="")) for cell in line]
        assert any(cell.startswith("'") for cell in cells)
        assert not [cell for cell in cells if cell.lstrip()[:1] in tuple("=+-@＝")]


def divided(data: bytes, divider: str) -> list[str]:
    """The cells that a spreadsheet makes of a table, which divides at any of these signs and drops spaces and quotes
    before a formula.

    Python's reader takes what is quoted only at the start of a cell, as Excel does; beside it all that a reader without
    any sense of quotes makes.
    """
    text = data.decode("utf-8-sig")
    cells = [
        cell for sign in divider for line in csv.reader(io.StringIO(text, newline=""), delimiter=sign) for cell in line
    ]
    cells += (
        [part for line in text.splitlines() for part in re.split(f"[{divider}]", line)] if "," not in divider else []
    )
    return [cell.lstrip(' \u3000\xa0"\u200d') for cell in cells]


DIVIDED = (
    "x;=cmd|'calc'!A0;y.txt",
    "x; =1+1",
    'x;"=1+1";y',
    'x;""=1+1',
    '";=1+1',
    "x;\u3000+1+1",
    "x;\xa0@SUM(1)",
    "x;\u200d-2+3",
    "x\t=1+1",
    "x;\t=1+1",
    "x;\r\n=1+1",
    "x\n;=1+1",
    "x;＝1＋1",
    "x;＋1",
    "x;﹦1",
    "x;-5",
    "x;-ada",
    ";;=1",
    "x;,=1",
    'x,";=1',
    "=1;=2",
    "﹦1",
    "−1+cmd",
)


@pytest.mark.parametrize("name", DIVIDED)
def test_no_cell_is_a_formula_wherever_the_reader_divides(name: str, tmp_path: Path) -> None:
    """In half of the world Excel divides at semicolons; LibreOffice asks, and remembers tabs."""
    line = name.replace('"', '""')
    moodles = worksheet(tmp_path, f'Identifier,Full name,Maximum Grade\nParticipant 1,"{line}",10\n')
    canvases = worksheet(tmp_path, f'Student,ID,SIS Login ID,Section\n"{line}",7,ada,"{line}"\n')
    mine, listed = row(name, failed(reason=name)), row("ada", failed(reason=name))
    for data in (
        *(table(CONVOLUTION, [mine]), moodle(CONVOLUTION, [mine]), canvas(CONVOLUTION, [mine])),
        moodle(CONVOLUTION, [row(next(iter(moodles.students)))], moodles),
        canvas(CONVOLUTION, [listed], canvases),
    ):
        for divider in (",", ";", "\t"):
            assert not [cell for cell in divided(data, divider) if cell.startswith(tuple("=+-@＝＋－＠﹦﹢﹣﹫−"))]


@pytest.mark.parametrize("name", ["a;b", "a; b=c", "Lovelace, Ada", 'the "first"', "x;1-2", "1 - 2", "o'hara; p"])
def test_what_is_no_formula_stays_behind_a_semicolon(name: str) -> None:
    assert lines(table(CONVOLUTION, [row(name)]))[0]["student"] == name


def test_a_formula_behind_a_semicolon_only_gets_an_apostrophe() -> None:
    assert lines(table(CONVOLUTION, [row("x;=1;@y")]))[0]["student"] == "x;'=1;'@y"


def test_the_line_of_whom_nothing_can_be_shown_has_its_columns() -> None:
    late = replace(CONVOLUTION, due="2027-01-31T23:59+01:00", late_percent_per_day=10.0)
    for assignment in (CONVOLUTION, late):
        (line,) = lines(table(assignment, []) + bare_line(assignment, "=x;Zoë,\n", "The grader itself failed: X."))
        assert None not in line and None not in line.values()
        named = {name: value for name, value in line.items() if value}
        assert named == {
            "student": "_x_Zo___",
            "status": "needs review",
            "reason": "The grader itself failed: X.",
        }


@pytest.mark.parametrize("most", ["inf", "nan", "-1", "0", "ten", ""])
def test_a_scale_that_is_none_scales_nothing(most: str, tmp_path: Path) -> None:
    roster = worksheet(tmp_path, f"Identifier,Username,Maximum grade\nParticipant 1,ada,{most}\n")
    assert lines(moodle(CONVOLUTION, [row("ada")], roster))[0]["Grade"] == "6"


def test_a_function_of_a_million_letters_has_a_page() -> None:
    mine = result()
    long = replace(mine.outcomes[0], code="x = 1\n" * 170_000, message="é\u202e" * 500_000)
    start = time.monotonic()
    page = feedback(row(of=replace(mine, outcomes=(long, *mine.outcomes[1:]))))
    assert len(page) < 200_000 and "cut: 1020000 letters" in page
    assert time.monotonic() - start < 120, "a tenth of a second, unless the square of the letters counts"


@pytest.mark.parametrize(
    "name", ["-5", "+491234", "-ada", "@ada.lovelace", "+ada@example.org", "12-34", "a=b", "o'hara"]
)
def test_an_id_stays_what_it_is(name: str) -> None:
    assert lines(table(CONVOLUTION, [row(name)]))[0]["student"] == name
    assert lines(canvas(CONVOLUTION, [row(name)]))[1]["SIS Login ID"] == name


@given(st.text(st.characters(), max_size=30))
def test_any_name_is_one_cell_of_one_line(name: str) -> None:
    data = table(CONVOLUTION, [row(name, failed(reason=name)), row("zzz")])
    assert len(lines(data)) == 2 == len(data.decode().splitlines()) - 1
    assert not [
        letter
        for letter in data.decode("utf-8-sig")
        if letter != "\n" and unicodedata.category(letter) in ("Cc", "Cs", "Zl", "Zp")
    ]


def test_a_reason_of_a_megabyte_fits_into_a_cell() -> None:
    data = table(CONVOLUTION, [row(of=failed(reason='"\n' * 500_000))])
    assert len(data) < 5000 and len(lines(data)) == 1


def worksheet(folder: Path, text: str) -> Roster:
    (folder / "roster.csv").write_text(text)
    return read_roster(folder / "roster.csv")


def test_moodle_takes_its_own_worksheet_back(tmp_path: Path) -> None:
    """What Moodle's importer (mod/assign/feedback/offline) looks for: Identifier, Grade, Last modified (grade),
    Feedback comments."""
    roster = worksheet(
        tmp_path,
        "Identifier,Full name,Email address,Status,Grade,Maximum Grade,Grade can be changed,Last modified "
        "(submission),Online text,"
        "Last modified (grade),Feedback comments\n"
        'Participant 17,Ada Lovelace,ada@example.org,Submitted,,10.00,Yes,-,<p>my secret</p>,"Monday, 2 November '
        '2026, 9:00 PM",old\n'
        "Participant 4,Alan Turing,alan@example.org,No submission,,10.00,Yes,-,,-,\n",
    )
    rows = [row("alan@example.org", failed("not submitted", "")), row("ada@example.org"), row("guest")]
    ada, alan, guest = lines(moodle(CONVOLUTION, rows, roster))
    assert list(ada) == [
        *("Identifier", "Full name", "Email address", "Status", "Maximum Grade", "Grade can be changed"),
        *("Last modified (submission)", "Last modified (grade)", "Grade", "Feedback comments"),
    ]
    assert (ada["Identifier"], ada["Grade"], ada["Last modified (grade)"]) == (
        "Participant 17",
        "6",
        "Monday, 2 November 2026, 9:00 PM",
    )
    assert ada["Feedback comments"].startswith("conv2d_naive: right, 3 of 3. out_size: half, 1 of 2.")
    assert (alan["Identifier"], alan["Grade"]) == ("Participant 4", "")
    assert (guest["Identifier"], guest["Grade"]) == ("guest", "6")  # not lost; Moodle passes over it
    assert not moodle(CONVOLUTION, rows, roster).startswith(b"\xef\xbb\xbf")


def test_marks_are_brought_to_the_platforms_scale(tmp_path: Path) -> None:
    roster = worksheet(tmp_path, "Identifier,Email address,Maximum Grade\nParticipant 1,ada@example.org,100.00\n")
    assert lines(moodle(CONVOLUTION, [row("ada@example.org")], roster))[0]["Grade"] == "60"
    roster = worksheet(tmp_path, "Student,ID,Section,02_convolution (4711)\n    Points Possible,,,20\nAda,9,Lab\n")
    lab = canvas(CONVOLUTION, [row("9")], roster)
    assert [line["02_convolution (4711)"] for line in lines(lab)] == ["20", "12"]


def test_moodles_comments_have_no_word_of_a_student() -> None:
    for text in HOSTILE:
        mine = row(
            of=replace(result(text=text), outcomes=tuple(replace(o, hint="x < y") for o in result(text=text).outcomes))
        )
        (line,) = lines(moodle(CONVOLUTION, [mine]))
        assert line["Feedback comments"] == (
            "conv2d_naive: right, 3 of 3. x &lt; y out_size: half, 1 of 2. x &lt; y "
            "conv2d_multichannel: wrong, 0 of 3. x &lt; y receptive_field: right, 2 of 2. x &lt; y"
        )


def test_canvas_takes_its_own_gradebook_back(tmp_path: Path) -> None:
    """What Canvas' importer looks for: Student, ID, …, Section first, then `title (id)`; the line “Points Possible”."""
    roster = worksheet(
        tmp_path,
        "Student,ID,SIS User ID,SIS Login ID,Integration ID,Section,Notes,01 Segmentation (4700),02 Convolution "
        "(4711),Current Score\n"
        "    Points Possible,,,,,,,12,10,(read only)\n"
        '"Lovelace, Ada",901,u901,ada,,Lab 1,,7,,70\n'
        '"Turing, Alan",902,u902,alan,,Lab 1,,,,\n',
    )
    data = canvas(CONVOLUTION, [row("alan", failed()), row("ada"), row("guest")], roster)
    titles, points, ada, alan, guest = csv.reader(io.StringIO(data.decode(), newline=""))
    assert titles == [
        "Student",
        "ID",
        "SIS User ID",
        "SIS Login ID",
        "Integration ID",
        "Section",
        "02 Convolution (4711)",
    ]
    assert points == ["    Points Possible", "", "", "", "", "", "10"]
    assert ada == ["Lovelace, Ada", "901", "u901", "ada", "", "Lab 1", "6"]
    assert alan == ["Turing, Alan", "902", "u902", "alan", "", "Lab 1", ""]
    assert guest == ["guest", "", "", "guest", "", "", "6"]


def test_canvas_without_a_gradebook() -> None:
    titles, points, ada = csv.reader(io.StringIO(canvas(CONVOLUTION, [row()]).decode(), newline=""))
    assert titles == ["Student", "ID", "SIS User ID", "SIS Login ID", "Section", "02_convolution"]
    assert (points[-1], ada) == ("10", ["ada", "", "", "ada", "", "6"])


# -------------------------------------------------------------------------------------------------------------- summary


def test_the_summary_says_what_to_teach_again_and_who_waits() -> None:
    def confused(student: str, misconception: str) -> Row:
        first = replace(result().outcomes[0], verdict="wrong", earned=0.0, misconception=misconception)
        return row(student, replace(result(), outcomes=(first, *result().outcomes[1:])))

    rows = [confused(f"s{n}", "kernel flipped" if n < 5 else "padded") for n in range(7)]
    rows += [row("eve", replace(result("needs review", (3, None, 0, 2)), reason="out_size uses scipy."))]
    rows += [row("ada", failed(), earlier=result()), row("alan", failed("not submitted", ""))]
    text = summary(CONVOLUTION, rows)
    assert re.search(
        r"02_convolution: 10 students\n  graded +7\n  unreadable +1\n  not submitted +1\n  needs review +1\n", text
    )
    assert "Marks of 7 students, of 10 points; half of them have 3 or more" in text
    assert re.search(r"3 – 4 +█+ 7\n", text)
    assert re.search(r"conv2d_naive +1 +0 +7 +0\n", text)
    assert text.index("5  conv2d_naive: kernel flipped") < text.index("2  conv2d_naive: padded")
    assert "2 students without a mark: a person has to look" in text
    assert "  ada: unreadable: It has merge markers. Earlier mark: 6." in text
    assert "  eve: needs review: out_size uses scipy. If you accept it: 7 of 10." in text
    assert "alan" not in text


def test_the_summary_says_what_is_seen_where_no_mistake_has_a_name() -> None:
    def seen(student: str, diagnosis: str, hint: str = "") -> Row:
        first = replace(result().outcomes[0], verdict="wrong", earned=0.0, hint=hint, diagnosis=diagnosis)
        return row(student, replace(result(), outcomes=(first, *result().outcomes[1:])))

    rows = [seen(f"s{n}", "It is twice too large. Why?" if n < 3 else f"Something else {n}.") for n in range(9)]
    text = summary(CONVOLUTION, [*rows, seen("eve", "Never said.", hint="A hint.")])
    lines = text.split("What we see in other wrong answers\n")[1].splitlines()
    assert lines[:2] == [
        "   3  conv2d_naive: It is twice too large. Why?",
        "   1  conv2d_naive: Something else 3.",
    ]
    assert lines[5] == "      and 2 others, in the students' feedback"
    assert "Never said" not in text and "What to teach again" not in text
    page = Page(feedback(rows[0])).text
    assert "What we see. It is twice too large. Why?" in page and "Hint" not in page
    assert "Never said" not in feedback(seen("eve", "Never said.", hint="A hint."))
    comment = next(csv.DictReader(io.StringIO(moodle(CONVOLUTION, rows[:1]).decode(), newline="")))["Feedback comments"]
    assert comment.startswith("conv2d_naive: wrong, 0 of 3. It is twice too large. Why? out_size: half, 1 of 2. ")


def test_the_summary_asks_to_accept_only_what_there_is():
    lost = replace(
        failed("needs review", "is it the right one?"), outcomes=(Outcome("conv2d_naive", 3.0, 0.0, "missing"),)
    )
    text = summary(CONVOLUTION, [row("ada", lost)])
    assert text.endswith("ada: needs review: is it the right one?")


def test_the_summary_says_whose_mark_may_lack_points() -> None:
    stopped = row("ada", result("partial", (3, None, 0, 2)))
    assert "1 student with a mark that has nothing for an exercise" in summary(CONVOLUTION, [stopped])
    assert "with a mark" not in summary(CONVOLUTION, [replace(stopped, decided={"out_size": 2.0})])


@pytest.mark.parametrize("text", HOSTILE)
def test_the_summary_fits_a_terminal_and_commands_it_nothing(text: str) -> None:
    rows = [row(text, failed("crashed", text * 40)), row("eve", result("graded", text=text))]
    shown = summary(CONVOLUTION, rows)
    assert max(map(len, shown.splitlines())) <= 80
    assert not [letter for letter in shown if letter != "\n" and unicodedata.category(letter)[0] == "C"]


def test_the_summary_of_nobody() -> None:
    assert summary(CONVOLUTION, []) == "02_convolution: 0 students\n\nNo marks yet."


def test_every_mark_is_in_the_histogram() -> None:
    marks = [(0, 0, 0, 0), (3, 2, 3, 2), (3, 2, 3, 1.99), (0, 0, 0, 0.5), (5, 5, 5, 5)]  # the last: extra credit
    shown = summary(CONVOLUTION, [row(f"s{n}", result(earned=mark)) for n, mark in enumerate(marks)])
    counts = [int(count) for count in re.findall(r"█ (\d+)$", shown, re.MULTILINE)]
    assert counts == [2, 3]


# ------------------------------------------------------------------------------------------------------------- feedback


class Page(HTMLParser):
    """What a browser would make of a page: its elements and their attributes, and its text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, tuple[tuple[str, str | None], ...]]] = []
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, tuple(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.mark.parametrize("text", [*HOSTILE, "x" * 1_000_000, "<script>" * 100_000], ids=lambda text: repr(text[:20]))
def test_nothing_of_a_student_becomes_part_of_the_page(text: str) -> None:
    plain = Page(feedback(row("name", result("partial", text="words", notes=("words",)))))
    mine = feedback(row(text, result("partial", text=text, notes=(text,))))
    assert Page(mine).elements == plain.elements
    assert {tag for tag, _ in plain.elements} >= {"section", "pre", "details", "ul"}
    assert not [
        letter
        for letter in mine
        if letter not in "\n\t" and unicodedata.category(letter) in ("Cc", "Cf", "Cs", "Zl", "Zp")
    ]
    assert len(mine.encode()) < 600_000


def test_the_page_knows_no_seed_and_no_other_student() -> None:
    rows = [row("ada"), row("zoë", failed(), earlier=result())]
    for mine, other in (rows, rows[::-1]):
        page = feedback(mine)
        assert str(SEED) not in page and other.student not in page and mine.student in page


def test_the_page_says_what_became_of_each_exercise() -> None:
    hint = EXERCISES["conv2d_naive"].mistakes[0].hint
    first = replace(
        result().outcomes[2], hint=hint, message="Line one.\nLine <two>.", code="def f():\n\treturn 'é' < 2\n"
    )
    page = Page(
        feedback(row(of=replace(result(), outcomes=(first, *result().outcomes[:2]), notes=("Cell 3 stopped.",))))
    )
    for words in (
        "4 of 10 points",
        "conv2d_multichannel",
        "✗ wrong",
        "0 of 3 points",
        "1 of 2 cases from the notebook",
        "3 of 6 cases drawn anew",
    ):
        assert words in page.text, words
    for words in (hint, "Line one.\nLine <two>.", "def f():\n\treturn 'é' < 2\n", "Cell 3 stopped.", "ab" * 32):
        assert words in page.text, words


@pytest.mark.parametrize(
    ("of", "words"),
    [
        (failed("unreadable"), "could not be graded, so there is no mark yet. This is not a 0."),
        (failed("timed out", "Cell 3 never ended."), "Cell 3 never ended."),
        (failed("not submitted", ""), "There is no notebook of yours."),
        (
            result("needs review", (3, None, 0, 2)),
            "A person will look at your work before there is a mark. Nothing is decided yet",
        ),
        (result("partial", (3, None, 0, 2)), "Some of your functions were stopped before they answered."),
    ],
)
def test_the_page_says_what_a_status_means(of: Result, words: str) -> None:
    assert words in Page(feedback(row(of=of))).text


def test_an_earlier_mark_is_not_lost_on_the_page() -> None:
    assert "What you handed in before was graded: 6 of 10 points." in feedback(row(of=failed(), earlier=result()))


@pytest.mark.needs("chromium")
def test_no_browser_runs_or_fetches_anything(tmp_path: Path) -> None:
    requests: list[str] = []
    with chromium() as browser:
        page = browser.new_page(viewport={"width": 360, "height": 640})
        page.on("request", lambda request: requests.append(request.url))
        page.on("dialog", lambda dialog: requests.append(dialog.message))
        for number, text in enumerate(HOSTILE):
            file = tmp_path / f"{number}.html"
            file.write_text(feedback(row(text, result("partial", text=text, notes=(text,)))))
            page.goto(file.as_uri())
            page.evaluate("document.querySelectorAll('details').forEach(part => part.open = true)")
            assert page.title().startswith("02_convolution: ")
            assert page.evaluate("[document.scripts.length, document.images.length, document.forms.length]") == [
                0,
                0,
                0,
            ]
            assert page.evaluate("document.documentElement.scrollWidth") <= 360  # no sideways scrolling on a phone
            assert requests.pop(0) == file.as_uri()
        assert not requests


@pytest.mark.needs("chromium")
def test_the_policy_holds_where_something_was_not_escaped(tmp_path: Path) -> None:
    """A second wall: it is tested with holes in the first one, and without it the same page does run and fetch."""
    with socket.create_server(("127.0.0.1", 0)) as server, chromium() as browser:
        server.settimeout(5)
        address = f"127.0.0.1:{server.getsockname()[1]}/"
        html = feedback(row()).replace("<main>", "<main>" + HOSTILE[1] + HOSTILE[4].replace("127.0.0.1:9/", address))
        page = browser.new_page()
        (tmp_path / "page.html").write_text(html)
        page.goto((tmp_path / "page.html").as_uri())
        page.wait_for_timeout(500)
        assert page.evaluate("document.images.length") == 2
        assert page.title() == "02_convolution: ada"
        server.setblocking(False)
        with pytest.raises(BlockingIOError):
            server.accept()

        server.settimeout(5)
        (tmp_path / "page.html").write_text(re.sub(r"<meta http-equiv=\S+ content=.*>", "", html))
        page.goto((tmp_path / "page.html").as_uri(), wait_until="commit")
        server.accept()[0].close()
        page.wait_for_function("document.title === 'ran'")
