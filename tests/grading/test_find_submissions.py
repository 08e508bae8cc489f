"""Whose notebook is whose: the shapes of folders that instructors have, and what hostile folders try."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest

from unet_edu.grading import submissions
from unet_edu.grading.assignment import ASSIGNMENTS
from unet_edu.grading.submissions import Submission, SubmissionError, find, read, read_roster
from unet_edu.grading.text import plain

CONVOLUTION = ASSIGNMENTS["02_convolution"]
MOODLE_WORKSHEET = """\
Identifier,Full name,Email address,Status,Grade,Maximum Grade,Grade can be changed,Last modified (submission),Last modified (grade),Feedback comments
Participant 17,Ada Lovelace,ada@example.org,Submitted for grading,,10.00,Yes,"Monday, 2 November 2026, 9:00 PM",-,
Participant 4,Alan Turing,alan@example.org,No submission,,10.00,Yes,-,-,
"""
CANVAS_GRADEBOOK = """\
Student,ID,SIS User ID,SIS Login ID,Section,02 Convolution (4711),Current Score
    Points Possible,,,,,20,(read only)
"Lovelace, Ada",901,u901,ada,Lab 1,,0
"Turing, Alan",902,u902,alan,Lab 1,,0
"Student, Test",903,,f00,Lab 1,,0
"""


def put(path: Path, content: str = "{}") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)
    return path


def roster(folder: Path, content: str) -> submissions.Roster:
    return read_roster(put(folder / "roster.csv", content))


def names(found: list[Submission]) -> dict[str, str | None]:
    return {submission.student: submission.path and submission.path.name for submission in found}


# ------------------------------------------------------------------------------------------------------------ the shapes


def test_files_in_one_folder(tmp_path: Path) -> None:
    put(tmp_path / "zoë.ipynb")
    put(tmp_path / "ada.IPYNB")
    put(tmp_path / "readme.txt")
    put(tmp_path / "._ada.ipynb")
    put(tmp_path / ".ipynb_checkpoints" / "ada-checkpoint.ipynb")
    put(tmp_path / "__MACOSX" / "ada.ipynb")
    assert find(tmp_path, CONVOLUTION) == [
        Submission("ada", tmp_path / "ada.IPYNB"),
        Submission("zoë", tmp_path / "zoë.ipynb"),
    ]


def test_a_folder_for_each_student(tmp_path: Path) -> None:
    mine = put(tmp_path / "ada" / "my work (3).ipynb")
    put(tmp_path / "ada" / ".ipynb_checkpoints" / "my work (3)-checkpoint.ipynb")
    put(tmp_path / "ada" / "backup" / "old.ipynb")  # what lies nearest to the top counts
    deep = put(tmp_path / "alan" / "unpacked" / "inner" / "conv.ipynb")
    assert find(tmp_path, CONVOLUTION) == [Submission("ada", mine), Submission("alan", deep)]


def test_nbgraders_folders_with_their_times(tmp_path: Path) -> None:
    mine = put(tmp_path / "ada" / "02_convolution" / "02_convolution.ipynb")
    put(mine.with_name("timestamp.txt"), "2026-11-02 21:00:00.250000 Europe/Berlin\n")
    put(mine.with_name("Untitled.ipynb"))  # nbgrader leaves these alone, too
    put(tmp_path / "ada" / "01_segmentation" / "01_segmentation.ipynb")
    put(tmp_path / "alan" / "01_segmentation" / "01_segmentation.ipynb")
    ada, alan = find(tmp_path, CONVOLUTION)
    assert ada == Submission("ada", mine, submitted=datetime(2026, 11, 2, 20, 0, 0, 250000, tzinfo=UTC))
    assert alan == Submission("alan", None)  # what he handed in is of another assignment


@pytest.mark.parametrize(
    ("text", "time"),
    [
        ("2026-11-02 21:00:00.5 UTC", datetime(2026, 11, 2, 21, 0, 0, 500000, UTC)),
        ("2026-11-02 21:00:00 +0130", datetime(2026, 11, 2, 19, 30, tzinfo=UTC)),
        ("2026-11-02T21:00-05:00", datetime(2026, 11, 3, 2, 0, tzinfo=UTC)),
        ("2026-11-02 21:00", datetime(2026, 11, 2, 21, 0, tzinfo=UTC)),  # nbgrader takes it for UTC as well
        ("", None),
        ("yesterday", None),
        ("2026-11-02 21:00:00 ../../etc/passwd", None),
        ("2026-11-02 21:00:00 +9999", None),
        ("2026-11-02 21:00:00 " + "A" * 5000, None),
        ("\ud800", None),
    ],
)
def test_the_time_that_nbgrader_wrote(tmp_path: Path, text: str, time: datetime | None) -> None:
    mine = put(tmp_path / "ada" / "02_convolution" / "02_convolution.ipynb")
    mine.with_name("timestamp.txt").write_bytes(text.encode(errors="surrogatepass"))
    (ada,) = find(tmp_path, CONVOLUTION)
    assert (ada.path, ada.submitted) == (mine, time)


def test_the_times_are_those_of_nbgrader(tmp_path: Path) -> None:
    from nbgrader.utils import parse_utc

    text = "2026-07-02 21:00:00.25 America/Los_Angeles"
    mine = put(tmp_path / "ada" / "02_convolution" / "a.ipynb")
    put(mine.with_name("timestamp.txt"), text)
    (ada,) = find(tmp_path, CONVOLUTION)
    assert ada.submitted and ada.submitted.astimezone(UTC).replace(tzinfo=None) == parse_utc(text)


def test_what_moodle_packs(tmp_path: Path) -> None:
    ada = put(tmp_path / "Ada Lovelace_17_assignsubmission_file_" / "conv.ipynb")
    put(tmp_path / "Ada Lovelace_17_assignsubmission_onlinetext_" / "onlinetext.html")
    twin = put(tmp_path / "Ada Lovelace_18_assignsubmission_file_conv.ipynb")
    put(tmp_path / "Alan_T_4_assignsubmission_file_report.pdf")
    found = find(tmp_path, CONVOLUTION)
    assert [submission.student for submission in found] == ["Ada Lovelace_17", "Ada Lovelace_18", "Alan_T_4"]
    assert [submission.path for submission in found] == [ada, twin, None]
    assert found[2].problem == "no notebook (.ipynb) was handed in, but report.pdf"


def test_what_canvas_packs(tmp_path: Path) -> None:
    ada = put(tmp_path / "lovelaceada_901_55501_02_convolution-1.ipynb")
    put(tmp_path / "turingalan_LATE_902_55502_conv.py")
    found = find(tmp_path, CONVOLUTION)
    assert found[0] == Submission("lovelaceada_901", ada)
    assert found[1] == Submission("turingalan_902", None, "no notebook (.ipynb) was handed in, but conv.py")


# ------------------------------------------------------------------------------------------------------- which one counts


def test_of_several_the_one_named_as_the_assignment(tmp_path: Path) -> None:
    mine = put(tmp_path / "ada" / "02_convolution.ipynb")
    put(tmp_path / "ada" / "02_convolution-Copy1.ipynb")
    put(tmp_path / "alan" / "a.ipynb")
    put(tmp_path / "alan" / "b.ipynb")
    ada, alan = find(tmp_path, CONVOLUTION)
    assert (ada.path, ada.problem) == (mine, "")
    assert alan.path is None
    assert alan.problem == "2 notebooks (a.ipynb, b.ipynb); leave one, or name it 02_convolution.ipynb"


def test_an_empty_folder_is_not_a_broken_notebook(tmp_path: Path) -> None:
    (tmp_path / "ada").mkdir()
    put(tmp_path / "alan" / "work.zip")
    ada, alan = find(tmp_path, CONVOLUTION)
    assert ada == Submission("ada", None)
    assert alan.problem == "no notebook (.ipynb) was handed in, but work.zip"


def test_nothing_at_all(tmp_path: Path) -> None:
    with pytest.raises(SubmissionError, match="expected notebooks"):
        find(tmp_path, CONVOLUTION)
    with pytest.raises(SubmissionError, match="expected a folder"):
        find(tmp_path / "missing", CONVOLUTION)


# ------------------------------------------------------------------------------------------------------------ the roster


def test_moodles_worksheet_finds_its_students(tmp_path: Path) -> None:
    folder = tmp_path / "handed in"
    ada = put(folder / "Ada Lovelace_17_assignsubmission_file_" / "conv.ipynb")
    found = find(folder, CONVOLUTION, roster(tmp_path, MOODLE_WORKSHEET))
    assert found == [Submission("ada@example.org", ada), Submission("alan@example.org", None)]


def test_canvas_gradebook_finds_its_students(tmp_path: Path) -> None:
    folder = tmp_path / "handed in"
    ada = put(folder / "lovelaceada_LATE_901_55501_conv.ipynb")
    known = roster(tmp_path, CANVAS_GRADEBOOK)
    assert find(folder, CONVOLUTION, known) == [Submission("ada", ada), Submission("alan", None)]
    assert known.worth[5] == "20"


def test_a_typed_roster_with_times(tmp_path: Path) -> None:
    folder = tmp_path / "handed in"
    ada = put(folder / "Ada (1).ipynb")  # as a browser names the second download
    put(folder / "guest.ipynb")
    known = roster(tmp_path, "\ufeffStudent;Submitted\nada;2026-11-02T21:00+01:00\nalan;\n")
    assert find(folder, CONVOLUTION, known) == [
        Submission("ada", ada, submitted=datetime(2026, 11, 2, 21, 0, tzinfo=timezone(timedelta(hours=1)))),
        Submission("alan", None),
        Submission("guest", folder / "guest.ipynb"),
    ]


def test_nbgraders_roster_keeps_nbgraders_names(tmp_path: Path) -> None:
    folder = tmp_path / "handed in"
    put(folder / "s1" / "02_convolution" / "02_convolution.ipynb")
    known = roster(tmp_path, "id,first_name,last_name,email\ns1,Ada,Lovelace,ada@example.org\n")
    assert names(find(folder, CONVOLUTION, known)) == {"s1": "02_convolution.ipynb"}


def test_two_files_of_one_student_are_a_problem_and_no_choice(tmp_path: Path) -> None:
    folder = tmp_path / "handed in"
    put(folder / "Ada.ipynb")
    put(folder / "ada@example.org" / "conv.ipynb")
    (ada,) = find(folder, CONVOLUTION, roster(tmp_path, "student_id,name,email\n7,Ada,ada@example.org\n"))
    assert (ada.student, ada.path) == ("7", None)
    assert ada.problem.startswith("2 notebooks (Ada.ipynb, conv.ipynb)")


def test_a_name_that_two_students_share_means_neither(tmp_path: Path) -> None:
    folder = tmp_path / "handed in"
    put(folder / "Kim.ipynb")
    found = find(folder, CONVOLUTION, roster(tmp_path, "student_id,name\n7,Kim\n8,Kim\n"))
    assert names(found) == {"7": None, "8": None, "Kim": "Kim.ipynb"}


def test_a_number_in_a_file_name_is_not_taken_for_anothers_id(tmp_path: Path) -> None:
    """nbgrader's `id` is no ID of Canvas, and Canvas' ID no participant of Moodle."""
    folder = tmp_path / "handed in"
    put(folder / "eve_901_1_conv.ipynb")
    put(folder / "eve_902_assignsubmission_file_" / "conv.ipynb")
    found = find(folder, CONVOLUTION, roster(tmp_path, "id,name\n901,Ada\n902,Alan\n"))
    assert names(found) == {"901": None, "902": None, "eve_901": "eve_901_1_conv.ipynb", "eve_902": "conv.ipynb"}


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", "expected a first line"),
        ("colour,shoe\nred,7\n", "expected one of the columns"),
        ("student\nada\nada\n", "none twice"),
        ("student,submitted\nada,soon\n", "submitted of ada: expected a time"),
        ('student\n"' + "a" * 200_000 + '"\n', "is no CSV"),
    ],
)
def test_a_roster_that_cannot_be_used_says_why(tmp_path: Path, content: str, words: str) -> None:
    with pytest.raises(SubmissionError, match=words):
        roster(tmp_path, content)


def test_a_roster_from_an_old_excel_says_how_to_save_it(tmp_path: Path) -> None:
    (tmp_path / "roster.csv").write_bytes("student\nZoë\n".encode("latin-1"))
    with pytest.raises(SubmissionError, match="CSV UTF-8"):
        read_roster(tmp_path / "roster.csv")


# ----------------------------------------------------------------------------------------------------- hostile folders


def test_a_student_cannot_hand_in_another_students_file(tmp_path: Path) -> None:
    """Archives may hold links. None is followed: not a link to a notebook, not one to a folder, not one inside a folder."""
    good = put(tmp_path / "ada" / "conv.ipynb")
    (tmp_path / "eve.ipynb").symlink_to(good)
    (tmp_path / "mallory").symlink_to(tmp_path / "ada")
    (tmp_path / "trudy").mkdir()
    (tmp_path / "trudy" / "inner").symlink_to(tmp_path / "ada")
    (tmp_path / "victor").mkdir()
    (tmp_path / "victor" / "conv.ipynb").symlink_to(good)
    (tmp_path / "walter").mkdir()
    (tmp_path / "walter" / "02_convolution").symlink_to(tmp_path / "ada")
    found = {submission.student: submission for submission in find(tmp_path, CONVOLUTION)}
    assert set(found) == {"ada", "eve", "mallory", "trudy", "victor", "walter"}
    assert found["ada"].path == good
    for student in ("eve", "mallory", "trudy", "walter"):
        assert found[student].path is None and found[student].problem
    with pytest.raises(SubmissionError, match="is a link"):
        read(found["victor"].path or good)


def test_no_pipe_and_no_device_is_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "eve.ipynb")
    (tmp_path / "mallory").mkdir()
    os.mkfifo(tmp_path / "mallory" / "conv.ipynb")
    eve, mallory = find(tmp_path, CONVOLUTION)
    assert eve.path is None and "pipe" in eve.problem
    assert mallory.path
    with pytest.raises(SubmissionError, match="is a pipe"):
        read(mallory.path)
    with pytest.raises(SubmissionError, match="is a pipe, a device or a folder"):
        read(Path("/dev/zero"))


def test_a_huge_file_is_not_read_whole(tmp_path: Path) -> None:
    sparse = tmp_path / "eve.ipynb"
    with sparse.open("wb") as file:
        file.truncate(1 << 40)
    with pytest.raises(SubmissionError, match="more than 32 MB"):
        read(sparse)
    with sparse.open("wb") as file:
        file.truncate(submissions.MOST_BYTES)
    assert len(read(sparse)) == submissions.MOST_BYTES


def test_a_folder_with_thousands_of_files_stops_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(submissions, "MOST_ENTRIES", 20)
    for number in range(30):
        put(tmp_path / "eve" / f"{number}.txt")
    good = put(tmp_path / "ada" / "conv.ipynb")
    ada, eve = find(tmp_path, CONVOLUTION)
    assert ada.path == good
    assert eve.path is None and "more than 20 files" in eve.problem


def test_a_students_folder_does_not_change_how_others_are_read(tmp_path: Path) -> None:
    """One student's archive holds a folder with the assignment's name; the others' notebooks still count."""
    good = put(tmp_path / "ada" / "conv.ipynb")
    put(tmp_path / "eve" / "02_convolution" / "conv.ipynb")
    ada, eve = find(tmp_path, CONVOLUTION)
    assert ada.path == good and eve.path


def test_an_error_of_the_disk_stops_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(self: Path) -> list[Path]:
        if self.name == "eve":
            raise PermissionError(13, "Permission denied")
        return [self / "conv.ipynb"]

    good = put(tmp_path / "ada" / "conv.ipynb")
    (tmp_path / "eve").mkdir()
    monkeypatch.setattr(Path, "iterdir", fail)
    ada, eve = find(tmp_path, CONVOLUTION)
    assert ada.path == good
    assert eve.problem == "the folder cannot be read (Permission denied)"


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        (b"a\x1b[31mda", "a�[31mda"),
        (b"a\nda", "a�da"),
        ("ada\u202eydal".encode(), "ada�ydal"),
        (b"ad\xffa", "ad�a"),
        ("ada\u2028".encode(), "ada�"),
        ("Zoe\u0308".encode(), "Zoë"),  # as macOS writes it
        ("می\u200cخواهم".encode(), "می\u200cخواهم"),  # a joiner that Persian needs
        (b"=1+1", "=1+1"),
    ],
)
def test_names_can_be_shown_and_stored(tmp_path: Path, name: bytes, shown: str) -> None:
    path = os.fsencode(tmp_path) + b"/" + name + b".ipynb"
    with open(path, "wb") as file:
        file.write(b"{}")
    (found,) = find(tmp_path, CONVOLUTION)
    assert found.student == shown == plain(found.student)
    assert found.path and read(found.path) == b"{}"
    found.student.encode()
