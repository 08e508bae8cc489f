"""Whose notebook is whose: the shapes of folders that instructors have, and what hostile folders try."""

from __future__ import annotations

import errno
import json
import os
import socket
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest

from unet_edu.grading.assignment import ASSIGNMENTS
from unet_edu.grading.marks import handed_in, submissions
from unet_edu.grading.marks.submissions import Submission, SubmissionError, find, read, read_roster
from unet_edu.grading.notebook import MOST_BYTES
from unet_edu.grading.text import plain

CONVOLUTION = ASSIGNMENTS["02_convolution"]
MOODLE_WORKSHEET = """\
Identifier,Full name,Email address,Status,Grade,Maximum Grade,Grade can be changed,\
Last modified (submission),Last modified (grade),Feedback comments
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


def work(*cells: str) -> str:
    """A notebook with these cells."""
    return json.dumps({"cells": [{"cell_type": "code", "source": cell} for cell in cells]})


DONE = work("def out_size(i, k):\n    return i - k + 1")
UNFILLED = work("def out_size(i, k):\n    ...")
SCRATCH = work("x = 1")


def put(path: Path, content: str = DONE) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)
    return path


def roster(folder: Path, content: str) -> submissions.Roster:
    return read_roster(put(folder / "roster.csv", content))


def names(found: list[Submission]) -> dict[str, str | None]:
    return {submission.student: submission.path and submission.path.name for submission in found}


# ----------------------------------------------------------------------------------------------------------- the shapes


def test_files_in_one_folder(tmp_path: Path) -> None:
    put(tmp_path / "zoë.ipynb")
    put(tmp_path / "ada.IPYNB")
    put(tmp_path / "ben.txt", "my notebook is on my other computer")
    put(tmp_path / "._ada.ipynb")
    put(tmp_path / ".ipynb_checkpoints" / "ada-checkpoint.ipynb")
    put(tmp_path / "__MACOSX" / "ada.ipynb")
    assert find(tmp_path, CONVOLUTION) == [
        Submission("ada", tmp_path / "ada.IPYNB"),
        Submission("ben", None, "no notebook (.ipynb) was handed in, but ben.txt"),
        Submission("zoë", tmp_path / "zoë.ipynb"),
    ]


def test_a_folder_for_each_student(tmp_path: Path) -> None:
    mine = put(tmp_path / "ada" / "my work (3).ipynb")
    put(tmp_path / "ada" / ".ipynb_checkpoints" / "my work (3)-checkpoint.ipynb")
    put(tmp_path / "ada" / "backup" / "old.ipynb")  # what lies nearest to the top counts
    note = "2 notebooks with the same functions: my work (3).ipynb counts, not old.ipynb."
    deep = put(tmp_path / "alan" / "unpacked" / "inner" / "conv.ipynb")
    assert find(tmp_path, CONVOLUTION) == [Submission("ada", mine, note=note), Submission("alan", deep)]


def test_nbgraders_folders_with_their_times(tmp_path: Path) -> None:
    mine = put(tmp_path / "ada" / "02_convolution" / "02_convolution.ipynb")
    put(mine.with_name("timestamp.txt"), "2026-11-02 21:00:00.250000 Europe/Berlin\n")
    put(mine.with_name("Untitled.ipynb"), SCRATCH)  # nbgrader leaves these alone, too
    put(tmp_path / "ada" / "01_segmentation" / "01_segmentation.ipynb")
    put(tmp_path / "alan" / "01_segmentation" / "01_segmentation.ipynb")
    ada, alan = find(tmp_path, CONVOLUTION)
    assert ada == Submission(
        "ada",
        mine,
        submitted=datetime(2026, 11, 2, 20, 0, 0, 250000, tzinfo=UTC),
        note="2 notebooks of which one has the assignment's functions: 02_convolution.ipynb counts, not "
        "Untitled.ipynb.",
    )
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
    put(tmp_path / "Ada Lovelace_17_assignsubmission_onlinetext_" / "onlinetext.html", "no notebook")
    twin = put(tmp_path / "Ada Lovelace_18_assignsubmission_file_conv.ipynb")
    put(tmp_path / "Alan_T_4_assignsubmission_file_report.pdf", "no notebook")
    found = find(tmp_path, CONVOLUTION)
    assert [submission.student for submission in found] == ["Ada Lovelace_17", "Ada Lovelace_18", "Alan_T_4"]
    assert [submission.path for submission in found] == [ada, twin, None]
    assert found[2].problem == "no notebook (.ipynb) was handed in, but report.pdf"


def test_what_canvas_packs(tmp_path: Path) -> None:
    ada = put(tmp_path / "lovelaceada_901_55501_02_convolution-1.ipynb")
    put(tmp_path / "turingalan_LATE_902_55502_conv.py", "no notebook")
    found = find(tmp_path, CONVOLUTION)
    assert found[0] == Submission("lovelaceada_901", ada)
    assert found[1] == Submission("turingalan_902", None, "no notebook (.ipynb) was handed in, but conv.py")


# ----------------------------------------------------------------------------------------------------- which one counts


def test_of_several_the_one_named_as_the_assignment(tmp_path: Path) -> None:
    mine = put(tmp_path / "ada" / "02_convolution.ipynb")
    put(tmp_path / "ada" / "02_convolution-Copy1.ipynb")
    put(tmp_path / "alan" / "a.ipynb")
    put(tmp_path / "alan" / "b.ipynb", UNFILLED)
    ada, alan = find(tmp_path, CONVOLUTION)
    assert (ada.path, ada.doubt) == (mine, "")
    assert "02_convolution.ipynb counts, not 02_convolution-Copy1.ipynb" in ada.note
    assert alan.path == tmp_path / "alan" / "a.ipynb"
    assert alan.doubt == "2 notebooks that differ: a.ipynb counts so far, not b.ipynb. Decide which of them counts."


def test_an_empty_folder_is_not_a_broken_notebook(tmp_path: Path) -> None:
    (tmp_path / "ada").mkdir()
    put(tmp_path / "alan" / "work.zip", "no notebook")
    ada, alan = find(tmp_path, CONVOLUTION)
    assert ada == Submission("ada", None)
    assert alan.problem == "no notebook (.ipynb) was handed in, but work.zip"


def test_nothing_at_all(tmp_path: Path) -> None:
    with pytest.raises(SubmissionError, match="expected notebooks"):
        find(tmp_path, CONVOLUTION)
    with pytest.raises(SubmissionError, match="expected a folder"):
        find(tmp_path / "missing", CONVOLUTION)


# ----------------------------------------------------------------------------------------------------------- the roster


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
        Submission("guest", folder / "guest.ipynb", note=submissions.STRANGER, is_odd=True),
    ]


def test_nbgraders_roster_keeps_nbgraders_names(tmp_path: Path) -> None:
    folder = tmp_path / "handed in"
    put(folder / "s1" / "02_convolution" / "02_convolution.ipynb")
    known = roster(tmp_path, "id,first_name,last_name,email\ns1,Ada,Lovelace,ada@example.org\n")
    assert names(find(folder, CONVOLUTION, known)) == {"s1": "02_convolution.ipynb"}


@pytest.mark.parametrize(("second", "is_same"), [(DONE, True), (UNFILLED, False), ("{", False)])
def test_two_entries_of_one_student_are_said(tmp_path: Path, second: str, is_same: bool) -> None:
    folder = tmp_path / "handed in"
    mine = put(folder / "Ada.ipynb")
    put(folder / "ada@example.org" / "conv.ipynb", second)
    (ada,) = find(folder, CONVOLUTION, roster(tmp_path, "student_id,name,email\n7,Ada,ada@example.org\n"))
    assert (ada.student, ada.path, ada.is_odd) == ("7", mine, True)
    assert bool(ada.note) == is_same and bool(ada.doubt) != is_same
    assert "2 notebooks" in (ada.note or ada.doubt)


@pytest.mark.parametrize("is_filled_early", [True, False])
def test_of_two_entries_the_time_is_that_of_the_notebook_that_counts(tmp_path: Path, is_filled_early: bool) -> None:
    folder, day = tmp_path / "handed in", datetime(2027, 1, 31, tzinfo=UTC)
    for name, is_early in (("Ada", True), ("ada@example.org", False)):
        put(folder / name / "02_convolution" / "timestamp.txt", str(day if is_early else day + timedelta(9)))
        put(folder / name / "02_convolution" / "a.ipynb", DONE if is_early == is_filled_early else SCRATCH)
    (ada,) = find(folder, CONVOLUTION, roster(tmp_path, "student_id,name,email\n7,Ada,ada@example.org\n"))
    assert ada.submitted == (day if is_filled_early else day + timedelta(9))
    assert "a.ipynb counts, not a.ipynb" not in ada.note  # it says which of the two


@pytest.mark.parametrize(
    "packed",
    [
        ("Ada_11_assignsubmission_file/x.ipynb", "Alan_12_assignsubmission_file/x.ipynb"),
        ("inner/Ada_11_assignsubmission_file_x.ipynb", "inner/Alan_12_assignsubmission_file_x.ipynb"),
        ("ada_901_55_x.ipynb", "alan_902_56_x.ipynb"),
    ],
)
def test_a_class_one_folder_too_deep_is_not_one_student(tmp_path: Path, packed: tuple[str, str]) -> None:
    for name in packed:
        put(tmp_path / "download" / name)
    (found,) = find(tmp_path, CONVOLUTION)
    assert found.path is None and "several students" in found.problem
    below = tmp_path / "download" / "inner"
    assert len(find(below if below.exists() else below.parent, CONVOLUTION)) == 2


def test_a_name_that_two_students_share_means_neither(tmp_path: Path) -> None:
    folder = tmp_path / "handed in"
    put(folder / "Kim.ipynb")
    found = find(folder, CONVOLUTION, roster(tmp_path, "student_id,name\n7,Kim\n8,Kim\n"))
    assert names(found) == {"7": None, "8": None, "Kim.ipynb": "Kim.ipynb"}
    assert found[2].doubt == submissions.SHARED


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
    """Archives may hold links. None is followed: not a link to a notebook, not one to a folder, not one inside a
    folder."""
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
        file.truncate(MOST_BYTES)
    assert len(read(sparse)) == MOST_BYTES


def test_a_folder_with_thousands_of_files_stops_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(handed_in, "MOST_ENTRIES", 20)
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


@pytest.mark.parametrize("code", [errno.EACCES, errno.ENAMETOOLONG, errno.EIO, errno.ENOENT, errno.ESTALE])
@pytest.mark.parametrize("place", ["eve", "eve/02_convolution", "eve/inner"])
def test_an_error_of_the_disk_stops_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int, place: str
) -> None:
    """A folder of mode 700 that is another's, a name that is too long, a disk that breaks, a folder that goes while it
    is read."""

    def fail(path: str | Path) -> os._ScandirIterator[str]:
        if str(path) == str(tmp_path / place):
            raise OSError(code, os.strerror(code), str(path))
        return scandir(path)

    good = put(tmp_path / "ada" / "conv.ipynb")
    (tmp_path / place).mkdir(parents=True)
    scandir = os.scandir
    monkeypatch.setattr(os, "scandir", fail)
    ada, eve = find(tmp_path, CONVOLUTION)
    assert ada.path == good
    assert eve.path is None and f"cannot be read ({os.strerror(code)})" in eve.problem


@pytest.fixture
def without_root() -> Iterator[Path]:
    """A folder in which even root has no more rights than anybody."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o777)
        was = os.geteuid()
        if was == 0:
            os.seteuid(65534)
        try:
            yield Path(folder)
        finally:
            os.seteuid(was)


def test_a_folder_that_one_may_not_enter(without_root: Path) -> None:
    folder = without_root / "handed in"
    good = put(folder / "ada" / "conv.ipynb")
    (folder / "eve").mkdir()
    inner = put(folder / "fay" / "inner" / "conv.ipynb").parent
    own = put(folder / "ida" / "02_convolution" / "conv.ipynb").parent
    kim = put(folder / "kim" / "conv.ipynb")
    ned = put(folder / "ned.ipynb")
    modes = {folder / "eve": 0, inner: 0, own: 0, kim.parent: 0o600, ned: 0}  # Kim's may be listed, and no more
    for path, mode in modes.items():
        path.chmod(mode)
    try:
        found = {submission.student: submission for submission in find(folder, CONVOLUTION)}
        assert found["ada"] == Submission("ada", good)
        for student in ("eve", "fay", "ida"):
            assert found[student].path is None and "cannot be read (Permission denied)" in found[student].problem
        for path in (kim, ned):
            with pytest.raises(SubmissionError, match=r"cannot be read \(Permission denied\)"):
                read(path)
        assert len(found) == 6
        folder.chmod(0)
        with pytest.raises(SubmissionError, match=r"the folder cannot be read \(Permission denied\)"):
            find(folder, CONVOLUTION)
        folder.chmod(0o700)
    finally:
        for path in modes:
            path.chmod(0o700)


def test_an_entry_of_which_nothing_can_be_known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`is_dir` and `is_file` of an entry ask the disk, and may fail as well."""

    class Entry:
        name, path = "eve.ipynb", str(tmp_path / "eve.ipynb")

        def is_dir(self, follow_symlinks: bool = True) -> bool:
            raise PermissionError(errno.EACCES, "Permission denied")

    found = handed_in.look_at(Entry(), CONVOLUTION, None)  # type: ignore[arg-type]
    assert found and found.problem == "cannot be read (Permission denied)" and not found.notebooks


@pytest.mark.parametrize("deep", [3, 4, 12])
def test_too_deep_a_folder_has_a_reason(tmp_path: Path, deep: int) -> None:
    path = put(tmp_path / "ada" / "/".join("d" * (deep - 1)) / "conv.ipynb")
    (ada,) = find(tmp_path, CONVOLUTION)
    assert ada.path == (path if deep <= 3 else None)
    assert ("more than 3 folders in one another" in ada.problem) == (deep > 3)


@pytest.mark.parametrize("place", ["look_at", "_owner", "_unlisted", "_submission", "choose"])
def test_a_mistake_of_ours_stops_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str) -> None:
    """Whatever raises while one student's data is handled: the others are there, and this one has a row and a
    reason."""
    folder = tmp_path / "handed in"
    good = put(folder / "ada.ipynb")
    put(folder / "eve.ipynb")
    right = getattr(submissions, place)

    def wrong(*arguments: object) -> object:
        if "eve" in str(arguments[0]):
            raise RuntimeError("a mistake of ours")
        return right(*arguments)

    monkeypatch.setattr(submissions, place, wrong)
    known = roster(tmp_path, "student\nada\neve\n") if place == "_owner" else None
    found = find(folder, CONVOLUTION, known)
    assert found[0] == Submission("ada", good)
    eve = next(each for each in found if each.failure)
    assert (eve.student, eve.path, eve.failure) == ("eve", None, "RuntimeError: a mistake of ours")


def test_a_socket_is_no_notebook(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(tmp_path / "ada.ipynb")
    (tmp_path / "mallory").mkdir()
    monkeypatch.chdir(tmp_path)  # an address has at most 107 letters
    for name in ("eve.ipynb", "mallory/conv.ipynb"):
        with socket.socket(socket.AF_UNIX) as server:
            server.bind(name)
    ada, eve, mallory = find(tmp_path, CONVOLUTION)
    assert ada.path and eve.problem.startswith("is a link, a pipe or a device")
    assert mallory.path
    with pytest.raises(SubmissionError, match="cannot be read"):
        read(mallory.path)


def test_a_notebook_that_goes_while_the_folder_is_read(tmp_path: Path) -> None:
    put(tmp_path / "ada.ipynb")
    (ada,) = find(tmp_path, CONVOLUTION)
    assert ada.path
    ada.path.unlink()
    with pytest.raises(SubmissionError, match="No such file"):
        read(ada.path)


@pytest.mark.parametrize("name", [".ipynb", "..ipynb", " .ipynb", "...ipynb", ".IPYNB", "-.ipynb", ".ipynb (1)"])
def test_a_file_without_a_name_has_a_row_and_a_reason(tmp_path: Path, name: str) -> None:
    path = put(tmp_path / name)
    (found,) = find(tmp_path, CONVOLUTION)
    assert (found.path, found.note) == (path, handed_in.NAMELESS)
    assert found.student and "/" not in found.student


def test_what_is_hidden_has_a_row_too(tmp_path: Path) -> None:
    """What programs leave behind has none."""
    mine = put(tmp_path / ".ada" / "conv.ipynb")
    put(tmp_path / ".git" / "objects" / "conv.ipynb")
    put(tmp_path / ".DS_Store", "x")
    put(tmp_path / ".profile", "x")
    hidden = put(tmp_path / "ben" / ".conv.ipynb")
    put(tmp_path / "cem" / ".conv.py", "x")
    assert find(tmp_path, CONVOLUTION) == [
        Submission(".ada", mine),
        Submission("ben", hidden),
        Submission("cem", None, "no notebook (.ipynb) was handed in, but .conv.py"),
    ]


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        (b"a\x1b[31mda", "a�[31mda~"),
        (b"a\nda", "a�da~"),
        ("ada\u202eydal".encode(), "ada�ydal~"),
        (b"ad\xffa", "ad�a~"),
        ("ada\u2028".encode(), "ada�~"),
        ("Zoe\u0308".encode(), "Zoë"),  # as macOS writes it
        ("می\u200cخواهم".encode(), "می\u200cخواهم"),  # a joiner that Persian needs
        (b"=1+1", "=1+1"),
    ],
)
def test_names_can_be_shown_and_stored(tmp_path: Path, name: bytes, shown: str) -> None:
    path = os.fsencode(tmp_path) + b"/" + name + b".ipynb"
    with open(path, "wb") as file:
        file.write(DONE.encode())
    (found,) = find(tmp_path, CONVOLUTION)
    assert found.student.startswith(shown) and found.student == plain(found.student)
    assert found.student == shown or (len(found.student) == len(shown) + 8 and found.note == handed_in.STRANGE_NAME)
    assert found.path and read(found.path) == DONE.encode()
    found.student.encode()


def test_names_that_look_alike_when_shown_are_two_students(tmp_path: Path) -> None:
    for name in (b"ad\xffa", b"ad\xfea", b"ad\na", b"ad\x01a"):
        with open(os.fsencode(tmp_path) + b"/" + name + b".ipynb", "wb") as file:
            file.write(name)
    found = find(tmp_path, CONVOLUTION)
    assert len({submission.student for submission in found}) == 4
    assert {read(submission.path) for submission in found if submission.path} == {
        b"ad\xffa",
        b"ad\xfea",
        b"ad\na",
        b"ad\x01a",
    }
    assert all(submission.note == handed_in.STRANGE_NAME for submission in found)


# ------------------------------------------------------------------------------------------ what nobody's choice can do

MORE = """\
Participant 8,Eve Mallory,eve@example.org,Submitted for grading,,10.00,Yes,-,-,
Participant 9,Kim_4_assignsubmission_file_,kim@example.org,Submitted for grading,,10.00,Yes,-,-,
"""
M = "assignsubmission_file"
ADA, ALAN, EVE, KIM = (f"{name}@example.org" for name in ("ada", "alan", "eve", "kim"))


@pytest.mark.parametrize(
    ("name", "whose"),
    [
        (f"Eve Mallory_8_{M}_conv.ipynb", EVE),
        (f"Eve Mallory_8_{M}_x_17_{M}_y.ipynb", EVE),  # the student chose what follows the first
        (f"Eve Mallory_8_{M}_Ada Lovelace_17_{M}_y.ipynb", EVE),
        (f"Eve Mallory_8_{M}_ada@example.org.ipynb", EVE),
        (f"Eve Mallory_8_{M}_lovelaceada_901_5_y.ipynb", EVE),
        (f"Eve Mallory_8_{M}__17_assignsubmission_onlinetext_.ipynb", EVE),
        (f"Eve Mallory_8_{M}_Participant 17.ipynb", EVE),
        (f"Kim_4_{M}__9_{M}_conv.ipynb", KIM),  # a name as students can choose it; 4 is another's number
        (f"Group 1-Eve Mallory_8_{M}_conv.ipynb", EVE),  # so Moodle packs groups
        (f"Participant_8_{M}_conv.ipynb", EVE),  # … and those whose names are hidden
        (f"Ada Lovelace_17_{M}_x_8_{M}_y.ipynb", ADA),
        (f"Nobody_8_{M}_conv.ipynb", None),  # the number says one thing, the name another
        (f"Nobody_8_{M}_x_17_{M}_y.ipynb", None),
        (f"Alan Turing_17_{M}_conv.ipynb", None),
        (f"Ada Lovelace_99_{M}_conv.ipynb", None),  # the number is of nobody on the list, and a name can be chosen
        (f"Ada Lovelace_017_{M}_conv.ipynb", None),
        ("x_17_conv.ipynb", None),
        ("ＡＤＡ@example.org.ipynb", None),  # full width
        ("ada@example.org\u200d.ipynb", None),
        ("Ada@Example.org .ipynb", ADA),
        ("Ada Lovelace (2).ipynb", ADA),
    ],
)
def test_nothing_that_a_student_chooses_names_another(tmp_path: Path, name: str, whose: str | None) -> None:
    """The others' rows are as if this file were not there."""
    folder = tmp_path / "handed in"
    path = put(folder / name)
    listed = roster(tmp_path, MOODLE_WORKSHEET + MORE)
    found = {submission.student: submission for submission in find(folder, CONVOLUTION, listed)}
    (mine,) = (submission for submission in found.values() if submission.path)
    assert mine.path == path
    assert (mine.student if mine.student in listed.students else None) == whose
    assert whose or mine.doubt or (mine.note and mine.is_odd)
    assert all(found[student] == Submission(student, None) for student in listed.students if student != whose)


def test_a_name_that_is_two_students_is_nobodys(tmp_path: Path) -> None:
    """Eve has changed her name in Moodle, so that the file may be Ada's: "Ada Lovelace" handed in "_x_8_…"."""
    folder = tmp_path / "handed in"
    put(folder / f"Ada Lovelace_17_{M}_x_8_{M}_conv.ipynb")
    good = put(folder / f"Ada Lovelace_17_{M}_conv.ipynb")
    listed = MOODLE_WORKSHEET + f"Participant 8,Ada Lovelace_17_{M}_x,eve@example.org,Submitted,,10.00,Yes,-,-,\n"
    found = {submission.student: submission for submission in find(folder, CONVOLUTION, roster(tmp_path, listed))}
    assert found[ADA] == Submission(ADA, good)
    (doubtful,) = (submission for submission in found.values() if submission.doubt)
    assert doubtful.doubt == submissions.TWO_WAYS and doubtful.student.startswith("Ada Lovelace_17_assign")


def test_a_reason_is_lost_for_no_other(tmp_path: Path) -> None:
    folder = tmp_path / "handed in"
    put(folder / "Kim" / "work.zip", "no notebook")
    kim = find(folder, CONVOLUTION, roster(tmp_path, "student_id,name\n7,Kim\n8,Kim\n"))[-1]
    assert kim.problem == "no notebook (.ipynb) was handed in, but work.zip" and kim.note == submissions.SHARED
    (folder / "Kim (1).ipynb").symlink_to("nothing")
    mine = put(folder / "Kim.ipynb")
    (kim,) = (each for each in find(folder, CONVOLUTION) if each.path)
    assert kim.path == mine and kim.doubt == "Beside it: is a link, a pipe or a device; nothing behind it is graded."


def test_without_a_list_a_name_with_two_readings_needs_review(tmp_path: Path) -> None:
    good = put(tmp_path / f"Ada Lovelace_17_{M}_conv.ipynb")
    put(tmp_path / f"Ada Lovelace_17_{M}_x_8_{M}_conv.ipynb")
    again = put(tmp_path / f"Eve_8_{M}_Eve_8_{M}_conv.ipynb")  # downloaded, and handed in again
    canvas = put(tmp_path / f"malloryeve_902_55502_x_17_{M}_conv.ipynb")
    found = {submission.student: submission for submission in find(tmp_path, CONVOLUTION)}
    assert found["Ada Lovelace_17"] == Submission("Ada Lovelace_17", good)
    assert found["Eve_8"] == Submission("Eve_8", again)
    assert found[canvas.name].doubt == submissions.TWO_WAYS
    assert len(found) == 4 and sum(bool(submission.doubt) for submission in found.values()) == 2


def test_a_stranger_is_called_like_nobody_on_the_list(tmp_path: Path) -> None:
    """Moodle's number is nobody's here, and the row's name would be that of a student on the list."""
    folder = tmp_path / "handed in"
    put(folder / f"eve_902_{M}_conv.ipynb")
    found = find(folder, CONVOLUTION, roster(tmp_path, "student\neve_902\n"))
    assert [(each.student, bool(each.path), each.is_odd) for each in found] == [
        ("eve_902", False, False),
        ("eve_902~", True, True),
    ]


@pytest.mark.parametrize(
    ("listed", "name", "whose"),
    [
        (("Strauß", "Strauss"), "Strauß.ipynb", "Strauß"),
        (("Strauß", "Strauss"), "Strauss.ipynb", "Strauss"),
        (("Strauß", "Strauss"), "STRAUSS.ipynb", None),
        (("Ali", "Alı"), "Alı.ipynb", "Alı"),  # without its dot
        (("Ali",), "ALI.ipynb", "Ali"),
        (("Ali",), "ALİ.ipynb", None),
        (("Zoë",), "Zoe\u0308.ipynb", "Zoë"),
        (("Zoë",), "Zoe.ipynb", None),
        (("7", "07"), "7.ipynb", "7"),
        (("a.b",), "a.b.ipynb", "a.b"),
        (("a.b", "a"), "a.b", "a"),
        (("a.b", "a"), "a.b.ipynb", "a.b"),
    ],
)
def test_letters_that_look_alike(tmp_path: Path, listed: tuple[str, ...], name: str, whose: str | None) -> None:
    folder = tmp_path / "handed in"
    put(folder / name)
    found = find(folder, CONVOLUTION, roster(tmp_path, "student\n" + "\n".join(listed) + "\n"))
    (mine,) = (submission for submission in found if submission.path)
    assert mine.student == whose if whose else (mine.student not in listed and (mine.is_odd or mine.doubt))


@pytest.mark.parametrize(
    ("lines", "name", "whose"),
    [
        ("student_id,name\n7,8\n8,7\n", "7.ipynb", "7"),  # Eight calls themselves 7
        ("student,email\nbob@x,eve@x\nBob,bob@x\n", "bob@x.ipynb", "Bob"),  # Eve calls herself as Bob's address
        ("student,email\nada,kim@x\nben,kim@x\n", "kim@x.ipynb", None),
        ("id,first_name,last_name\ns1,Ada,Lovelace\ns2,s1,\n", "s1.ipynb", "s1"),
        ("id,first_name,last_name\ns1,Ada,Lovelace\ns2,Alan,Turing\n", "Alan Turing.ipynb", "s2"),
        ("id,first_name,last_name\ns1,Ada,Lovelace\ns2,Ada,Lovelace\n", "Ada Lovelace.ipynb", None),
        ("Student,ID,Section\n\"Lovelace, Ada\",901,L\n", "lovelaceada_901_5_x.ipynb", "901"),
        ("Student,ID,Section\nAda Lovelace,901,L\n", "lovelaceada_901_5_x.ipynb", "901"),
        ("Student,ID,Section\n\"Lovelace, Ada\",901,L\n", "turingalan_901_5_x.ipynb", None),
        ("Student,ID,Section\n\"Müller, Zoë\",901,L\n", "mllerzo_901_5_x.ipynb", "901"),
        ("Student,ID,Section\n\"Turing, Alan\",902,L\n\"Eve, A\",901,L\n",
         f"evea_901_5_turingalan_902_5_x_902_{M}_.ipynb", "901"),
    ],
)  # fmt: skip
def test_what_is_assigned_goes_before_what_people_choose(
    tmp_path: Path, lines: str, name: str, whose: str | None
) -> None:
    folder = tmp_path / "handed in"
    put(folder / name)
    known = roster(tmp_path, lines)
    (mine,) = (submission for submission in find(folder, CONVOLUTION, known) if submission.path)
    assert (mine.student if mine.student in known.students else None) == whose
    assert bool(mine.doubt) == (whose is None)


# ----------------------------------------------------------------------------------------------- files of a flat folder


@pytest.mark.parametrize("listed", [False, True])
def test_each_file_has_its_row(tmp_path: Path, listed: bool) -> None:
    """As browsers, mail programs and phones save a notebook, and what is none."""
    folder = tmp_path / "handed in"
    books = {
        "ada": ".ipynb",
        "bob": ".ipynb.json",
        "cem": ".ipynb.txt",
        "dua": ".IPYNB",
        "eli": ".ipynb (1)",
        "fay": ".json",
    }
    books |= {"gus": ".ipynb(1)", "hal": "", "ida": ".Ipynb.TXT", "jan": ".ipynb.download", "kai": ".html"}
    others = {"lea": ".py", "max": ".pdf", "ned": ".zip", "ola": ".html", "pia": ".json", "quy": ".ipynb.txt"}
    for name, ending in books.items():
        put(folder / f"{name}{ending}")
    for name, ending in others.items():
        put(folder / f"{name}{ending}", '{"a": 1}' if ending == ".json" else "<html>" if ending == ".html" else "text")
    known = roster(tmp_path, "student\n" + "\n".join([*books, *others]) + "\n") if listed else None
    found = {submission.student: submission for submission in find(folder, CONVOLUTION, known)}
    assert list(found) == sorted([*books, *others])
    for name, ending in books.items():
        assert found[name] == Submission(name, folder / f"{name}{ending}")
    for name, ending in others.items():
        assert found[name].problem == f"no notebook (.ipynb) was handed in, but {name}{ending}"


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-32"])
def test_a_notebook_is_known_by_its_content_in_any_encoding(tmp_path: Path, encoding: str) -> None:
    (tmp_path / "ada.ipynb.txt").write_bytes(f"\n {DONE}".encode(encoding))
    (ada,) = find(tmp_path, CONVOLUTION)
    assert ada.path


# ----------------------------------------------------------------------------------------------- several of one student

NAMED, COPY = "02_convolution.ipynb", "02_convolution (1).ipynb"


@pytest.mark.parametrize(
    ("files", "counts", "in_doubt"),
    [
        ({NAMED: UNFILLED, COPY: DONE}, NAMED, True),  # never a 0 without a word
        ({NAMED: DONE, COPY: UNFILLED}, NAMED, True),
        ({NAMED: DONE, COPY: DONE}, NAMED, False),
        ({"b.ipynb": DONE, "a.ipynb": DONE}, "a.ipynb", False),
        ({"a (1).ipynb": DONE, "a.ipynb": DONE}, "a.ipynb", False),
        ({"a-Copy1.ipynb": DONE, "a.ipynb": UNFILLED}, "a.ipynb", True),
        ({NAMED: DONE, "notes.ipynb": SCRATCH}, NAMED, False),
        ({NAMED: SCRATCH, "mine.ipynb": DONE}, "mine.ipynb", False),
        ({NAMED: "{", COPY: DONE}, COPY, True),  # the damaged one may be the work
        ({NAMED: DONE, "sub/" + NAMED: UNFILLED}, NAMED, True),
        ({"sub/" + NAMED: DONE, "mine.ipynb": UNFILLED}, NAMED, True),
        ({NAMED: DONE, COPY: work("print(1)", "def out_size(i, k):\n  # mine\n  return i-k+1", "out_size(3, 2)")},
         NAMED, False),
        ({NAMED: work("N = 1\ndef out_size(i, k): return N"), COPY: work("N = 2\ndef out_size(i, k): return N")},
         NAMED, True),
        ({NAMED: DONE, "mine.ipynb.json": UNFILLED}, NAMED, True),
        ({NAMED: DONE, "02_convolution-checkpoint.ipynb": UNFILLED}, NAMED, True),
        ({NAMED: DONE, ".ipynb_checkpoints/02_convolution-checkpoint.ipynb": UNFILLED}, NAMED, None),
    ],
)  # fmt: skip
def test_of_two_the_row_says_which_counts(
    tmp_path: Path, files: dict[str, str], counts: str, in_doubt: bool | None
) -> None:
    for name, content in files.items():
        put(tmp_path / "ada" / name, content)
    (ada,) = find(tmp_path, CONVOLUTION)
    assert ada.path and ada.path.name == counts and not ada.problem
    assert bool(ada.doubt) == bool(in_doubt) and bool(ada.note) == (in_doubt is False)
    if in_doubt is not None:
        assert f"{counts} counts" in (ada.doubt or ada.note)


def test_a_name_of_numbers_is_not_canvas(tmp_path: Path) -> None:
    """Nobody's notebooks become one student's because the names begin alike."""
    folders = [put(tmp_path / name / "a.ipynb") for name in ("lab_2027_1_ada", "lab_2027_2_ben")]
    files = [put(tmp_path / name) for name in ("hw_2_1_cem.ipynb", "hw_2_1_dua.ipynb")]
    assert [submission.path for submission in find(tmp_path, CONVOLUTION)] == [*files, *folders]


def test_a_copy_beside_its_first_is_the_same_students(tmp_path: Path) -> None:
    put(tmp_path / "ada.ipynb", UNFILLED)
    put(tmp_path / "ada (1).ipynb")
    put(tmp_path / "ben (1).ipynb")
    ada, ben = find(tmp_path, CONVOLUTION)
    assert (ada.student, ben.student) == ("ada", "ben (1)")
    assert "ada.ipynb counts so far, not ada (1).ipynb" in ada.doubt and not ben.doubt


# -------------------------------------------------------------------------------------------- Moodle in other languages

SHEETS = {
    "english": (
        (
            "Identifier,Full name,Email address,Status,Grade,"
            "Maximum Grade,Grade can be changed,Last modified (grade),Feedback comments"
        ),
        "Participant ",
        "10.00",
    ),
    "german": (
        (
            "ID,Vollständiger Name,E-Mail-Adresse,Status,Bewertung,"
            "Bestwertung,Bewertung kann geändert werden,Zuletzt geändert (Bewertung),Feedback als Kommentar"
        ),
        "Teilnehmer/in",
        "10,00",
    ),
    "french": (
        (
            "Identifiant,Nom complet,Adresse de courriel,Statut,Note,"
            "Note maximale,La note peut être modifiée,Dernière modification (note),Feedback par commentaires"
        ),
        "Participant ",
        "10,00",
    ),
    "half translated": (
        (
            "Identifier,Vollständiger Name,E-Mail-Adresse,Status,"
            "Bewertung,Bestwertung,Bewertung kann geändert werden,Zuletzt geändert (Bewertung),Feedback als Kommentar"
        ),
        "Teilnehmer/in",
        "10,00",
    ),
    "russian": (
        (
            "Идентификатор,Полное имя,Адрес электронной почты,Состояние,"
            "Оценка,Максимальная оценка,Оценка может быть изменена,Изменено (оценка),Отзыв"
        ),
        "Участник ",
        "100,00",
    ),
    "japanese": (
        (
            "識別子,フルネーム,メールアドレス,ステータス,評点,最大評点,評点は変更可,"
            "最終更新日時 (評点),フィードバックコメント"
        ),
        "参加者 ",
        "10.00",
    ),
}


@pytest.mark.parametrize(
    "text",
    [
        "username,group,hours\nstud1,a,10.00\nstud2,b,10.00\n",
        "id,first_name,last_name,email,lms_user_id\nstud1,Ada,Lovelace,ada@x,\nstud2,Alan,Turing,alan@x,\n",
        "student,mark,most,when,by\nada1,,10.00,2027,x\nada2,,10.00,2027,x\n",
        "student,mark,most,yes,by,for\nada01,,10.00,Yes,x,\nada02,,10.00,Yes,x,\n",
    ],
)
def test_a_list_that_only_looks_like_moodles_is_none(tmp_path: Path, text: str) -> None:
    folder = tmp_path / "handed in"
    put(folder / f"Eve_1_{M}_conv.ipynb")
    known = roster(tmp_path, text)
    assert known.worksheet is None
    assert [each.is_odd for each in find(folder, CONVOLUTION, known) if each.path] == [True]


@pytest.mark.parametrize(
    "text", ["Participant 17,Ada,a@x,in,,10.00,Yes,-,\nParticipant 4,Alan,b@x,in,,10.00,Yes,-,\n", "ada\nben\n"]
)
def test_a_list_without_a_first_line_of_names_loses_nobody(tmp_path: Path, text: str) -> None:
    with pytest.raises(SubmissionError, match="expected one of the columns"):
        roster(tmp_path, text)


@pytest.mark.parametrize(
    "data",
    [
        "student;group\nada;1,2\n".encode("utf-16"),
        "student\tgroup\nada\tx;y\n".encode("utf-16-le"),
        b"sep=;\r\nstudent;a,b,c\r\nada;1\r\n",
        b'student;"a,b,c"\nada;1\n',
        b"student,group\rada,1\r",
        "\ufeffStudent , Group\nada,1\n".encode(),
    ],
)
def test_a_list_as_programs_save_it(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "roster.csv").write_bytes(data)
    assert list(read_roster(tmp_path / "roster.csv").students) == ["ada"]


@pytest.mark.parametrize("divider", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
@pytest.mark.parametrize("anonymous", [False, True])
@pytest.mark.parametrize("language", SHEETS)
def test_moodles_worksheet_in_any_language(
    tmp_path: Path, language: str, anonymous: bool, encoding: str, divider: str
) -> None:
    titles, word, most = SHEETS[language]
    table = [titles.split(",")]
    for number, name in ((1234567, "Prüfling Eins"), (1234568, "Próba Zwei"), (1234569, "Nomen Drei")):
        table.append([f"{word}{number}", name, f"{name[:2]}@example.org", "in", "", most, "ja", "-", ""])
    kept = [line[:1] + line[3:] if anonymous else line for line in table]
    text = "\r\n".join(divider.join(f'"{cell}"' if divider in cell else cell for cell in line) for line in kept)
    (tmp_path / "roster.csv").write_bytes(text.encode(encoding))
    folder = tmp_path / "handed in"
    first = put(folder / f"Prüfling Eins_1234567_{M}" / "conv.ipynb")
    put(folder / f"Fremd_777_{M}" / "conv.ipynb")
    known = read_roster(tmp_path / "roster.csv")
    rows = find(folder, CONVOLUTION, known)
    by_number = {known.students[row.student][0][-2:]: row for row in rows if row.student in known.students}
    assert {number: (row.path, row.doubt, row.is_odd) for number, row in by_number.items()} == {
        "67": (first, "", False),
        "68": (None, "", False),
        "69": (None, "", False),
    }
    (stranger,) = (row for row in rows if row.student not in known.students)
    assert (stranger.student, stranger.note, stranger.is_odd) == ("Fremd_777", submissions.OTHER_NUMBER, True)
    (line,) = (cells for cells in known.students.values() if cells[0].endswith("67"))
    assert known.most is not None and line[known.most] == most
