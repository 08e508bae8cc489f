"""The project `10_own_images`, graded: label maps of a class, scored on frames whose labels only the instructor has.

A submission is a zip or a folder, and all in it may be hostile. A zip is read in memory, within bounds, and never
unpacked; a label map is decoded in the sandbox; here only plain numbers are compared. What cannot be graded has a
reason and no score, which is not 0. docs/project.md is for instructor and students.
"""

from __future__ import annotations

import functools
import hmac
import io
import os
import secrets
import unicodedata
import warnings
import zipfile
import zlib
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unet_edu.checks.exercise import Case
from unet_edu.data.archives import refuse_strange
from unet_edu.data.files import DataError, write_whole
from unet_edu.data.pictures import DataWarning
from unet_edu.grading import wire
from unet_edu.grading.marks.alone import EverybodysError, failing_alone
from unet_edu.grading.marks.feedback import page
from unet_edu.grading.marks.files import SubmissionError, read
from unet_edu.grading.marks.handed_in import LITTER, HandedIn, claims
from unet_edu.grading.marks.journal import file_name
from unet_edu.grading.marks.report import csv_line
from unet_edu.grading.marks.submissions import Roster, by_student
from unet_edu.grading.sandbox import Limits, SandboxError, Stopped
from unet_edu.grading.session import Session
from unet_edu.grading.text import one_line, plain
from unet_edu.instances import seg
from unet_edu.metrics import confusion_matrix, iou

__all__ = ["NAME", "Graded", "frames_in", "grade_project", "summary"]

NAME = "10_own_images"
MOST_ZIP = 64 << 20  # bytes; label maps of twenty large frames have less than 2 MB
MOST_FILES = 2000  # in a zip or a folder
MOST_A_PIXEL = 8  # bytes of a label map's file, for each pixel of its frame …
MOST_BESIDE = 1 << 20  # … and beside the pixels
MOST_SAID = 300  # characters of a reason
ENDINGS = (".tif", ".tiff", ".png")

DAMAGED = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError, OSError)
NEEDS_REVIEW = "A person has to look before there is a score. This is not a 0."

Truth = Mapping[str, NDArray[np.int32]]  # the labels of each frame, by its name
Read = Callable[[int], bytes]  # a file that a student handed in, with at most so many bytes


@dataclass
class Graded:
    """What became of one student's project.

    Parameters
    ----------
    student, pseudonym : str
    status : str
        "graded", "needs review" or "not submitted".
    scores : dict
        SEG and IoU of each frame that could be graded. SEG is NaN where the frame has no cell.
    reasons : list of str
        What could not be graded and why, and what else a person should know.
    frames : int
        How many there are.
    is_odd : bool
        Whether a person has to look though all was graded.
    """

    student: str
    pseudonym: str
    status: str
    scores: dict[str, tuple[float, float]] = field(default_factory=dict)
    reasons: list[str] = field(default_factory=list)
    frames: int = 0
    is_odd: bool = False

    @property
    def means(self) -> tuple[str, str]:
        """SEG and IoU, each the mean over the frames that could be graded; empty where there is none."""
        columns = np.array([*self.scores.values()], float).reshape(-1, 2).T
        known = [column[~np.isnan(column)] for column in columns]
        return tuple(f"{column.mean():.4f}" if column.size else "" for column in known)  # type: ignore[return-value]

    @property
    def asks(self) -> bool:
        """Whether a person has to look."""
        return self.is_odd or self.status == "needs review"


def frames_in(folder: Path) -> dict[str, NDArray[np.int32]]:
    """The labels of the instructor's frames, by the frames' names: a folder with `images` and `labels`.

    Raises
    ------
    DataError
        When a file cannot be used.
    ValueError
        When there is no such folder, or no cell in any frame.
    """
    from unet_edu.data.sources import labelled

    if not folder.is_dir():
        raise ValueError(f"{folder}: expected the folder with your frames, in its subfolders 'images' and 'labels'")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)  # of other files that lie there
        frames, _ = labelled(os.path.join(folder, ""))  # with a slash: it is no name of a benchmark
    if not any(one.labels.any() for one in frames):
        raise ValueError(f"{folder}: expected cells in the labels, found none")
    return {unicodedata.normalize("NFC", Path(one.name).stem): one.labels for one in frames}


def grade_project(
    folder: Path,
    frames: Truth,
    output: Path,
    *,
    roster: Roster | None = None,
    limits: Limits | None = None,
    unsafe: bool = False,
    watched: Callable[[Sequence[str]], Any] = iter,
) -> list[Graded]:
    """Score a class, and write marks.csv, ranking.csv and a page of feedback for each student.

    Parameters
    ----------
    folder : Path
        A zip or a folder of label maps for each student, or what Moodle or Canvas packs.
    frames : mapping
        As `frames_in` gives it.
    output : Path
        The folder for the results. A secret lies there, too, of which the pseudonyms are made.
    roster : Roster, optional
        Adds the students who handed in nothing, and says how students are called.
    limits : Limits, optional
        Of one submission.
    unsafe : bool
        Decode without the sandbox.
    watched : callable
        Goes through the students, perhaps with a bar.

    Returns
    -------
    list of Graded
        In the order of the students' names.

    Raises
    ------
    SubmissionError
        When there is no such folder, or nothing in it and no roster.
    ValueError
        When there is no sandbox on this machine.
    """
    rows = by_student(_entries(folder), roster)
    students = sorted({*rows, *(roster.students if roster else ())})
    if not students:
        raise SubmissionError(f"{folder}: expected a zip or a folder of label maps for each student, found none")
    (output / "feedback").mkdir(parents=True, exist_ok=True)
    secret = _secret(output / "secret")
    graded = []
    for student in watched(students):
        pseudonym = hmac.new(secret, student.encode(), "sha256").hexdigest()[:8]
        one = Graded(student, pseudonym, "not submitted", frames=len(frames))
        with failing_alone(functools.partial(_has_failed, one)):
            if student in rows:
                _grade(one, rows[student], frames, limits or Limits(), unsafe)
        graded.append(one)
    _write(graded, output)
    return graded


def _has_failed(one: Graded, why: str) -> None:
    one.status, one.reasons = "needs review", [*one.reasons, f"The grader itself failed: {why}."]


def _secret(path: Path) -> bytes:
    """From which pseudonyms are made: so they are the same next time, and cannot be computed from a list of names."""
    if not path.is_file():
        write_whole(path, secrets.token_bytes(32))
        path.chmod(0o600)
    return path.read_bytes()


# ------------------------------------------------------------------------------------------------- what was handed in


def _entries(folder: Path) -> list[HandedIn]:
    """What lies in the folder of submissions: the file or folder of each student."""
    try:
        with os.scandir(folder) as scan:
            entries = sorted(scan, key=lambda entry: entry.name)
    except OSError as error:
        raise SubmissionError(f"{folder}: expected a folder with submissions ({error.strerror})") from None
    found = []
    for entry in entries:
        if not LITTER.fullmatch(entry.name):
            is_file = not entry.is_dir(follow_symlinks=False)
            those = [claim for claim in claims(entry.name) if is_file or claim.platform == "moodle"]
            found.append(HandedIn(entry.name, those, [(entry.name, Path(entry.path))], is_file=is_file))
    return found


def _files(path: Path) -> list[tuple[str, Read]]:
    """The files of a submission: of a zip, of a folder, or of the only zip in a folder."""
    if path.is_symlink() or not path.is_dir():
        return _in_zip(path)
    found = []
    for n, (here, folders, names) in enumerate(os.walk(path)):  # which follows no link
        folders[:] = [name for name in folders if not LITTER.fullmatch(name)]
        found += [Path(here, name) for name in names]
        if n > MOST_FILES or len(found) > MOST_FILES:
            raise SubmissionError(f"has more than {MOST_FILES} files; expected a label map for each frame")
    zips = [each for each in found if each.suffix.lower() == ".zip"]
    if len(zips) == 1 and not any(each.suffix.lower() in ENDINGS for each in found):
        return _in_zip(zips[0])
    return [(each.name, functools.partial(read, each)) for each in found]


def _in_zip(path: Path) -> list[tuple[str, Read]]:
    data = read(path, MOST_ZIP)
    if data.count(b"PK\1\2") > MOST_FILES:  # each member has one in the list, which is not read before
        raise SubmissionError(f"{plain(path.name)}: has more than {MOST_FILES} files; expected one for each frame")
    try:
        pack = zipfile.ZipFile(io.BytesIO(data))
        members = [each for each in pack.infolist() if not each.is_dir() and "__MACOSX" not in each.filename]
        refuse_strange(Path(plain(path.name)), members)
    except DataError as error:
        raise SubmissionError(str(error)) from None
    except DAMAGED as error:
        raise SubmissionError(f"{plain(path.name)}: is damaged, or no zip ({error})") from None
    return [(each.filename, functools.partial(_member, pack, each)) for each in members]


def _member(pack: zipfile.ZipFile, member: zipfile.ZipInfo, most: int) -> bytes:
    """The bytes of one file of a zip. Of these two ways to pack no more is ever unpacked than is asked for."""
    if member.flag_bits & 1:
        raise SubmissionError("is encrypted; pack it without a password")
    if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise SubmissionError("is packed in a rare way; make an ordinary zip")
    try:
        with pack.open(member) as file:
            data = file.read(most + 1)
    except DAMAGED as error:
        raise SubmissionError(f"is damaged in the zip ({error})") from None
    if len(data) > most:
        raise SubmissionError(f"has more than {most / (1 << 20):.3g} MB, far more than its frame has pixels")
    return data


def _offered(files: Sequence[tuple[str, Read]], frames: Truth) -> dict[str, list[Read]]:
    """The files of each frame: NAME_labels.tif, as `unet-edu predict` calls it, or else NAME.tif; or .png."""
    by_stem: dict[str, list[Read]] = {}
    for name, content in files:
        place = PurePosixPath(unicodedata.normalize("NFC", name))
        if place.suffix.lower() in ENDINGS and not LITTER.fullmatch(place.name):
            by_stem.setdefault(place.stem, []).append(content)
    return {frame: by_stem.get(f"{frame}_labels") or by_stem.get(frame, []) for frame in frames}


# ------------------------------------------------------------------------------------------------------------- scored


def _grade(one: Graded, row: Any, frames: Truth, limits: Limits, unsafe: bool) -> None:
    """Fill in the scores, and why some are missing."""
    one.status, one.is_odd = "needs review", bool(row.note)
    one.reasons += [each for each in (row.note, row.doubt) if each]
    if row.failure:
        return _has_failed(one, row.failure)
    paths = [path for found in row.found for _, path in found.notebooks]
    if len(paths) > 1:
        names = ", ".join(plain(path.name) for path in paths[:5])
        one.reasons.append(f"Handed in {len(paths)} times ({names}); which one counts? Remove the others.")
    if len(paths) > 1 or row.doubt:
        return None
    try:
        offered = _offered(_files(paths[0]), frames)
    except SubmissionError as error:
        one.reasons.append(_sentence(str(error)))
        return None
    try:
        with Session("from label_maps import rows", [], limits, unsafe=unsafe) as session:
            _score(one, session, offered, frames)
    except SandboxError as error:
        raise EverybodysError(str(error)) from None
    if len(one.scores) == len(frames):
        one.status = "graded"
    return None


def _sentence(said: str) -> str:
    said = one_line(said, MOST_SAID)
    return said if said.endswith("?") else f"{said.rstrip('.')}."


def _score(one: Graded, session: Session, offered: Mapping[str, list[Read]], frames: Truth) -> None:
    for name, truth in frames.items():
        try:
            found = _labels(session, name, offered[name], truth.shape)
            one.scores[name] = seg(found, truth), _iou(found, truth)
            if truth.max() > 1 and found.any() and len(np.unique(found[found > 0])) == 1:
                one.reasons.append(f"{name}: all cells have one number, so they are one cell; is it a mask?")
        except SubmissionError as error:
            said = str(error)
        except Stopped as stopped:
            said = f"cannot be read, because its decoder {stopped.detail}"
        else:
            continue
        one.reasons.append(_sentence(f"{name}: {said}"))


def _iou(found: NDArray[Any], truth: NDArray[Any]) -> float:
    """Of the masks. To find nothing where nothing is, is right."""
    return float(iou(confusion_matrix(found > 0, truth > 0, 2), empty=1.0)[1])


def _labels(session: Session, name: str, offered: list[Read], shape: tuple[int, ...]) -> NDArray[np.int32]:
    """A label map, decoded in the sandbox: what comes out of it is looked at as if the student had sent it."""
    if not offered:
        raise SubmissionError(f"is missing; expected {name}_labels.tif")
    if len(offered) > 1:
        raise SubmissionError(f"is there {len(offered)} times; which one counts?")
    height, width = shape
    data = np.frombuffer(offered[0](MOST_A_PIXEL * height * width + MOST_BESIDE), np.uint8)
    labels = np.empty(shape, np.int32)
    step = max(1, wire.MOST_NUMBERS // width)
    for top in range(0, height, step):
        bottom = min(top + step, height)
        answer = session.call("rows", Case(name, (data, shape, top, bottom))).answer
        rows = answer.value
        if rows is None:
            raise SubmissionError(f"cannot be read ({answer.message or answer.kind})")
        if rows.dtype == np.uint8:
            raise SubmissionError(rows.tobytes().decode(errors="replace"))
        if rows.dtype != np.int32 or rows.shape != (bottom - top, width) or rows.min() < 0:
            raise SubmissionError("cannot be read (the sandbox sent no label map)")
        labels[top:bottom] = rows
    return labels


# ------------------------------------------------------------------------------------------------------------ written


def _write(graded: Sequence[Graded], output: Path) -> None:
    titles = ["student", "pseudonym", "status", "SEG", "IoU", "frames graded", "frames", "SEG of these", "IoU of these"]
    marks, ranking = [csv_line([*titles, "reason"])], [csv_line(["rank", "pseudonym", "SEG", "IoU"])]
    for one in graded:
        whole = one.means if one.status == "graded" else ("", "")
        counts = [str(len(one.scores)), str(one.frames)]
        reason = " ".join(one.reasons)[:1000]
        marks.append(csv_line([one.student, one.pseudonym, one.status, *whole, *counts, *one.means, reason]))
        write_whole(output / "feedback" / file_name(one.student, ".html"), _feedback(one).encode(), force=True)
    ranking += [csv_line([str(rank), one.pseudonym, *one.means]) for rank, one in _ranked(graded)]
    for name, lines in (("marks.csv", marks), ("ranking.csv", ranking)):
        write_whole(output / name, b"\xef\xbb\xbf" + b"".join(lines), force=True)  # as Excel wants it


def _ranked(graded: Sequence[Graded]) -> list[tuple[int, Graded]]:
    """Who was graded, the highest SEG first, then the highest IoU. Who has the same of both has the same rank."""
    best = sorted((one for one in graded if one.status == "graded"), key=lambda one: one.pseudonym)
    best.sort(key=lambda one: one.means, reverse=True)
    all_means = [one.means for one in best]
    return [(all_means.index(one.means) + 1, one) for one in best]


def _feedback(one: Graded) -> str:
    """The page of one student: their scores and pseudonym, and what could not be graded. It names nobody else."""
    said = [f"<h1>{NAME}</h1><p>{escape(one.student[:200])}</p>"]
    seg_mean, iou_mean = one.means
    if one.status == "graded":
        said.append(f'<p class="mark">SEG {seg_mean} · IoU {iou_mean}</p>')
    else:
        what = "Nothing was handed in." if one.status == "not submitted" else NEEDS_REVIEW
        said.append(f'<p class="mark">No score yet</p><p>{what}</p>')
    said.append(f"<p>In the ranking you are called <code>{one.pseudonym}</code>.</p>")
    said.append(f"<p>{len(one.scores)} of {one.frames} frames could be graded.</p>")
    if one.reasons:
        said.append("<ul>" + "".join(f'<li class="said">{escape(each)}</li>' for each in one.reasons) + "</ul>")
    cells = "".join(
        f"<tr><td>{escape(plain(name))}</td><td>{'no cell' if np.isnan(scores[0]) else f'{scores[0]:.4f}'}</td>"
        f"<td>{scores[1]:.4f}</td></tr>"
        for name, scores in one.scores.items()
    )
    said.append(f"<table><tr><th>frame</th><th>SEG</th><th>IoU</th></tr>{cells}</table>" if cells else "")
    return page(NAME, escape(one.student[:200]), "\n".join(said))


def summary(graded: Sequence[Graded]) -> str:
    """The class in a few lines: how many have which status, and who needs a person."""
    counts = Counter(one.status for one in graded)
    lines = [f"{NAME}: {len(graded)} student{'s' * (len(graded) != 1)}"]
    lines += [f"  {status:<14} {count:>4}" for status, count in counts.items()]
    lines += [
        f"  {plain(one.student)[:60]}: {one_line(' '.join(one.reasons), MOST_SAID)}" for one in graded if one.asks
    ]
    return "\n".join(lines)
