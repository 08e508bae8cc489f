"""The project of lesson 10: ten submissions, some of them hostile, and what becomes of each."""

from __future__ import annotations

import csv
import io
import os
import pickle
import struct
import warnings
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray

from tests.command_line import complaint, run
from unet_edu.data.cells import synthetic_cells
from unet_edu.grading import project
from unet_edu.grading.marks.submissions import Roster, SubmissionError
from unet_edu.instances import connected, seg
from unet_edu.metrics import confusion_matrix, iou

pytestmark = pytest.mark.needs("bubblewrap")

SHAPE = (96, 112)
FRAMES = {f"film-{n}": synthetic_cells(2015 + n, SHAPE, cells=7) for n in range(3)}
TRUTH = {name: cells.astype(np.int32) for name, (_, cells) in FRAMES.items()}
FIRST = next(iter(TRUTH))


def tiff(labels: NDArray[np.generic]) -> bytes:
    file = io.BytesIO()
    tifffile.imwrite(file, labels, compression="zlib")
    return file.getvalue()


def maps(change: Callable[[NDArray[np.int32]], NDArray[np.generic]] = lambda labels: labels) -> dict[str, bytes]:
    """The files of a submission, made of the truth."""
    return {f"{name}_labels.tif": tiff(change(cells)) for name, cells in TRUTH.items()}


def packed(files: dict[str, bytes], **how: int) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", how.get("compression", zipfile.ZIP_DEFLATED)) as pack, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of a name that is there twice
        for name, content in files.items():
            pack.writestr(name.removesuffix("#"), content)
    return file.getvalue()


def huge_png() -> bytes:
    """Says that it has 60,000 × 60,000 pixels, and ends soon."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", 60_000, 60_000, 16, 0, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(bytes(1000))) + chunk(b"IEND", b"")


def by_threshold(name: str) -> NDArray[np.int32]:
    return connected(FRAMES[name][0] < 0.4)


def permuted(labels: NDArray[np.int32]) -> NDArray[np.generic]:
    numbers = np.random.default_rng(1).permutation(1000)[: labels.max() + 1] + 1
    numbers[0] = 0
    return numbers[labels].astype(np.uint16)


def merged(labels: NDArray[np.int32]) -> NDArray[np.generic]:
    return np.where(labels == 2, 1, labels)


WITHOUT_ONE = {name: content for name, content in maps().items() if FIRST not in name}
BOMB = {**maps(), f"{FIRST}_labels.tif": bytes(200 << 20)}
CLASS: dict[str, dict[str, bytes]] = {
    "ada": maps(),  # perfect
    "ben": maps(permuted),
    "cy": {f"results/{name}_labels.tif": tiff(by_threshold(name)) for name in TRUTH},
    "dora": maps(np.zeros_like),
    "emil": maps(merged),
    "finn": WITHOUT_ONE,
    "gus": {**maps(), "../../../gus_was_here": b"x"},
    "hal": BOMB,
    "ida": {**maps(), f"{FIRST}_labels.tif": huge_png()},
    "jo": {**maps(), f"{FIRST}_labels.tif": pickle.dumps(os.getcwd)},
}
GRADED = {"ada", "ben", "cy", "dora", "emil"}


@pytest.fixture(scope="module")
def frames(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What only the instructor has."""
    folder = tmp_path_factory.mktemp("frames")
    for kind in ("images", "labels"):
        (folder / kind).mkdir()
    for name, (image, cells) in FRAMES.items():
        tifffile.imwrite(folder / "images" / f"{name}.tif", (255 * image).astype(np.uint8))
        tifffile.imwrite(folder / "labels" / f"{name}.tif", cells.astype(np.uint16))
    return folder


def graded(path: Path, files: dict[str, bytes] | bytes, student: str = "zoe") -> project.Graded:
    """What becomes of one submission."""
    folder = path / "one"
    folder.mkdir(exist_ok=True)
    (folder / f"{student}.zip").write_bytes(files if isinstance(files, bytes) else packed(files))
    (one,) = project.grade_project(folder, TRUTH, path / "out")
    return one


def table(path: Path) -> list[dict[str, str]]:
    with open(path, encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def test_a_class_of_ten(tmp_path, frames):
    """Four of them are hostile, and one lacks a frame: what can be graded is, and nothing else has a score."""
    handed_in, output = tmp_path / "handed_in", tmp_path / "out"
    handed_in.mkdir()
    for student, files in CLASS.items():
        (handed_in / f"{student}.zip").write_bytes(packed(files))
    said = run("grade", "10_own_images", handed_in, "--frames", frames, "-o", output, code=3)
    rows = {row["student"]: row for row in table(output / "10_own_images" / "marks.csv")}
    assert rows.keys() == CLASS.keys()
    assert {name for name, row in rows.items() if row["status"] == "graded"} == GRADED
    assert all(row["status"] == "needs review" for name, row in rows.items() if name not in GRADED)
    assert all(bool(row["SEG"]) == bool(row["IoU"]) == (name in GRADED) for name, row in rows.items())
    assert (rows["ada"]["SEG"], rows["ada"]["IoU"]) == ("1.0000", "1.0000")
    assert rows["ben"] == {**rows["ada"], "student": "ben", "pseudonym": rows["ben"]["pseudonym"]}
    assert (rows["dora"]["SEG"], rows["dora"]["IoU"]) == ("0.0000", "0.0000")  # a score, and earned
    assert rows["emil"]["IoU"] == "1.0000" and 0.5 < float(rows["emil"]["SEG"]) < 1
    expected = np.mean([seg(by_threshold(name), cells) for name, cells in TRUTH.items()])
    assert rows["cy"]["SEG"] == f"{expected:.4f}" and 0 < expected < 1
    masks = [iou(confusion_matrix(by_threshold(name) > 0, cells > 0, 2))[1] for name, cells in TRUTH.items()]
    assert rows["cy"]["IoU"] == f"{np.mean(masks):.4f}"
    reasons = {name: row["reason"] for name, row in rows.items()}
    assert reasons["finn"] == f"{FIRST}: is missing; expected {FIRST}_labels.tif."
    assert (rows["finn"]["frames graded"], rows["finn"]["frames"], rows["finn"]["SEG of these"]) == ("2", "3", "1.0000")
    assert "leads out of the folder" in reasons["gus"] and rows["gus"]["frames graded"] == "0"
    assert f"{FIRST}: has more than 1.08 MB" in reasons["hal"] and rows["hal"]["frames graded"] == "2"
    assert "the size of the frame, 96 × 112 pixels, got 60000 × 60000" in reasons["ida"]
    assert f"{FIRST}: cannot be read as TIFF or PNG" in reasons["jo"]
    assert not [*tmp_path.rglob("gus_was_here"), *tmp_path.parent.glob("gus_was_here")]
    assert "needs review      5" in said and all(f"  {name}: " in said for name in CLASS.keys() - GRADED)


def test_the_ranking_has_no_names_and_the_pages_have_one(tmp_path, frames):
    handed_in, output = tmp_path / "handed_in", tmp_path / "out"
    for student in ("ada", "ben", "cy", "finn"):
        (handed_in / student).mkdir(parents=True)
        for name, content in CLASS[student].items():
            (handed_in / student / Path(name).name).write_bytes(content)
    command = ("grade", "10_own_images", handed_in, "--frames", frames, "-o", output)
    run(*command, code=3)
    place = output / "10_own_images"
    ranking, marks = table(place / "ranking.csv"), table(place / "marks.csv")
    assert [row["rank"] for row in ranking] == ["1", "1", "3"]
    called = {row["student"]: row["pseudonym"] for row in marks}
    assert {row["pseudonym"] for row in ranking} == {called[name] for name in ("ada", "ben", "cy")}
    text = (place / "ranking.csv").read_text()
    assert not any(name in text for name in ("ada", "ben", "finn"))
    for student, pseudonym in called.items():
        page = (place / "feedback" / f"{student}.html").read_text()
        others = {word for name in called if name != student for word in (f">{name}<", called[name])}
        assert pseudonym in page and f">{student}<" in page and not any(word in page for word in others)
    finn = (place / "feedback" / "finn.html").read_text()
    assert "No score yet" in finn and "not a 0" in finn and "2 of 3 frames" in finn
    assert (place / "secret").stat().st_mode & 0o077 == 0
    before = (place / "marks.csv").read_bytes()
    run(*command, code=3)
    assert (place / "marks.csv").read_bytes() == before


def test_the_exit_codes(tmp_path, frames):
    folder = tmp_path / "class"
    folder.mkdir()
    assert "expected a zip or a folder" in complaint("grade", "10_own_images", folder, "--frames", frames)
    (folder / "ada.zip").write_bytes(packed(CLASS["ada"]))
    where = ("-o", tmp_path / "out")
    run("grade", "10_own_images", folder, "--frames", frames, *where)
    (folder / "class.csv").write_text("student\nada\nben\n")
    os.replace(folder / "class.csv", tmp_path / "class.csv")
    run("grade", "10_own_images", folder, "--frames", frames, "--roster", tmp_path / "class.csv", *where)
    (ben,) = (row for row in table(tmp_path / "out" / "10_own_images" / "marks.csv") if row["student"] == "ben")
    assert (ben["status"], ben["SEG"], ben["reason"]) == ("not submitted", "", "")
    assert "belong together" in complaint("grade", "10_own_images", folder)
    assert "belong together" in complaint("grade", "02_convolution", folder, "--frames", frames)
    assert "for notebooks" in complaint("grade", "10_own_images", folder, "--frames", frames, "--seed", "1")
    assert "expected the folder with your frames" in complaint(
        "grade", "10_own_images", folder, "--frames", tmp_path / "none", *where
    )


def test_frames_without_a_cell_are_refused(tmp_path):
    for kind in ("images", "labels"):
        (tmp_path / kind).mkdir()
        tifffile.imwrite(tmp_path / kind / "a.tif", np.zeros((8, 8), np.uint8))
    with pytest.raises(ValueError, match="found none"):
        project.frames_in(tmp_path)


BAD: dict[str, tuple[bytes, str]] = {
    "another size": (tiff(np.ones((96, 96), np.uint8)), "expected the size of the frame"),
    "turned": (tiff(TRUTH[FIRST].T), "expected the size of the frame"),
    "negative": (tiff(-TRUTH[FIRST]), "cells from 1 up, got -"),
    "fractions": (tiff(TRUTH[FIRST] / 2), "fractions"),
    "colours": (tiff(np.random.default_rng(0).integers(0, 9, (*SHAPE, 3), np.uint8)), "got 3 colours"),
    "beyond 32 bits": (tiff(TRUTH[FIRST].astype(np.int64) << 40), "2147483648"),
    "complex": (tiff(TRUTH[FIRST].astype(np.complex64)), "whole numbers"),
    "two pages": (tiff(np.stack([TRUTH[FIRST]] * 5)), "one page"),
    "half a file": (tiff(TRUTH[FIRST])[:-100], "cannot be read"),
    "empty": (b"", "cannot be read"),
}


@pytest.mark.parametrize("kind", BAD)
def test_a_map_that_is_none_costs_its_frame_and_no_other(tmp_path, kind):
    content, why = BAD[kind]
    one = graded(tmp_path, {**maps(), f"{FIRST}_labels.tif": content})
    assert one.status == "needs review" and one.scores.keys() == TRUTH.keys() - {FIRST}
    (reason,) = one.reasons
    assert reason.startswith(f"{FIRST}: ") and why in reason


def test_a_million_numbers_are_scored_in_time():
    labels = np.arange(1, 1 + 1024 * 1024, dtype=np.int32).reshape(1024, 1024)
    truth = np.ones_like(labels)
    assert seg(labels, truth) == 0


def test_a_frame_of_more_pixels_than_a_reply_has_room_for(tmp_path):
    truth = np.random.default_rng(2).integers(0, 9, (1500, 1400)).astype(np.int32)
    (tmp_path / "one" / "zoe").mkdir(parents=True)
    (tmp_path / "one" / "zoe" / "large.tif").write_bytes(tiff(truth))
    (one,) = project.grade_project(tmp_path / "one", {"large": truth}, tmp_path / "out")
    assert one.status == "graded" and one.scores == {"large": (1.0, 1.0)}


def test_one_file_for_two_frames_of_different_sizes(tmp_path):
    truth = {"a": np.eye(8, dtype=np.int32), "b": np.ones((4, 9), np.int32)}
    same = tiff(truth["a"])
    (tmp_path / "one").mkdir()
    (tmp_path / "one" / "zoe.zip").write_bytes(packed({"a.tif": same, "b.tif": same}))
    (one,) = project.grade_project(tmp_path / "one", truth, tmp_path / "out")
    assert one.scores == {"a": (1.0, 1.0)} and "expected the size of the frame, 4 × 9" in one.reasons[0]


def with_link() -> bytes:
    file = io.BytesIO(packed(WITHOUT_ONE))
    with zipfile.ZipFile(file, "a") as pack:
        link = zipfile.ZipInfo(f"{FIRST}_labels.tif")
        link.external_attr = 0o120777 << 16
        pack.writestr(link, "/etc/passwd")
    return file.getvalue()


def encrypted() -> bytes:
    """Each member says that it needs a password."""
    data = bytearray(packed(maps()))
    for sign, place in ((b"PK\3\4", 6), (b"PK\1\2", 8)):
        at = data.find(sign)
        while at >= 0:
            data[at + place] |= 1
            at = data.find(sign, at + 1)
    return bytes(data)


ZIPS: dict[str, tuple[Callable[[], bytes], str]] = {
    "no zip": (lambda: b"%PDF-1.7 my report", "no zip"),
    "half a zip": (lambda: packed(maps())[:-300], "no zip"),
    "a link": (with_link, "is a link or a device"),
    "an absolute name": (lambda: packed({"/etc/cron.d/x": b"", **maps()}), "absolute path"),
    "a name twice": (lambda: packed({**maps(), f"{FIRST}_labels.tif#": b"other"}), "is there twice"),
    "many files": (lambda: packed({f"{n}.tif": b"" for n in range(3000)}), "more than 2000 files"),
    "a password": (encrypted, "is encrypted"),
    "a rare way": (lambda: packed(BOMB, compression=zipfile.ZIP_LZMA), "rare way"),
    "damaged inside": (lambda: packed(maps(), compression=0).replace(b"II*\0", b"II*\1"), "damaged in the zip"),
}


@pytest.mark.parametrize("kind", ZIPS)
def test_a_zip_that_is_none_needs_a_person(tmp_path, kind):
    make, why = ZIPS[kind]
    one = graded(tmp_path, make())
    assert one.status == "needs review" and not one.scores
    assert why in " ".join(one.reasons)


def test_two_maps_of_one_frame_are_none(tmp_path):
    one = graded(tmp_path, {**maps(), f"new/{FIRST}_labels.tif": b"", f"{FIRST}.tif": b"an image"})
    assert one.reasons == [f"{FIRST}: is there 2 times; which one counts?"]
    # The image beside its labels is no second map.
    assert graded(tmp_path, {**maps(), f"{FIRST}.tif": b"an image", f"{FIRST}_mask.png": b""}).status == "graded"


def test_links_in_a_folder_lead_nowhere(tmp_path):
    folder = tmp_path / "class" / "zoe"
    folder.mkdir(parents=True)
    (tmp_path / "truth.tif").write_bytes(maps()[f"{FIRST}_labels.tif"])
    for name, content in WITHOUT_ONE.items():
        (folder / name).write_bytes(content)
    (folder / f"{FIRST}_labels.tif").symlink_to(tmp_path / "truth.tif")
    (tmp_path / "class" / "yan").symlink_to(folder)
    (tmp_path / "class" / "xia.zip").symlink_to(tmp_path / "truth.tif")
    found = {one.student: one for one in project.grade_project(tmp_path / "class", TRUTH, tmp_path / "out")}
    assert {one.status for one in found.values()} == {"needs review"}
    assert "is a link" in found["zoe"].reasons[0] and len(found["zoe"].scores) == 2
    assert all("is a link" in found[name].reasons[0] and not found[name].scores for name in ("yan", "xia"))


def test_a_mask_in_place_of_cells_is_scored_and_said(tmp_path):
    one = graded(tmp_path, maps(lambda labels: (255 * (labels > 0)).astype(np.uint8)))
    assert one.status == "graded" and not one.asks and len(one.reasons) == len(TRUTH)
    assert all("is it a mask?" in reason for reason in one.reasons)
    assert one.means[1] == "1.0000" and float(one.means[0]) < 0.5


def test_whose_it_is(tmp_path):
    """What Moodle packs, a second copy, and a stranger to the list of the class."""
    folder = tmp_path / "class"
    (folder / "Ada Lovelace_17_assignsubmission_file_").mkdir(parents=True)
    (folder / "Ada Lovelace_17_assignsubmission_file_" / "mine.zip").write_bytes(packed(maps()))
    for name in ("ben.zip", "ben (1).zip", "eve.zip"):
        (folder / name).write_bytes(packed(maps()))
    (folder / ".DS_Store").write_bytes(b"")
    listed = Roster(("student",), {name: (name,) for name in ("Ada Lovelace", "ben", "cy")})
    found = {one.student: one for one in project.grade_project(folder, TRUTH, tmp_path / "out", roster=listed)}
    assert {name: one.status for name, one in found.items()} == {
        "Ada Lovelace": "graded",
        "ben": "needs review",
        "cy": "not submitted",
        "eve": "graded",
    }
    assert "Handed in 2 times" in found["ben"].reasons[0]
    assert [name for name, one in found.items() if one.asks] == ["ben", "eve"]


def test_names_are_no_formula_and_no_script(tmp_path):
    one = graded(tmp_path, maps(), student="=HYPERLINK(1)<script>")
    assert one.status == "graded"
    assert "\n'=HYPERLINK" in (tmp_path / "out" / "marks.csv").read_text()
    (page,) = (tmp_path / "out" / "feedback").iterdir()
    assert "<script>" not in page.read_text()


def test_what_fails_over_one_student_is_theirs_alone(tmp_path, monkeypatch):
    folder = tmp_path / "class"
    folder.mkdir()
    for name in ("ada", "eve"):
        (folder / f"{name}.zip").write_bytes(packed(maps()))
    files = project._files
    monkeypatch.setattr(project, "_files", lambda path: 1 / 0 if path.stem == "eve" else files(path))
    ada, eve = project.grade_project(folder, TRUTH, tmp_path / "out")
    assert (ada.status, eve.status) == ("graded", "needs review") and not eve.scores
    assert "The grader itself failed: ZeroDivisionError" in eve.reasons[0]


def test_no_folder(tmp_path):
    with pytest.raises(SubmissionError, match="expected a folder"):
        project.grade_project(tmp_path / "none", TRUTH, tmp_path / "out")
