"""What `unet-edu train` learns on and `predict` looks at: your folders, the benchmarks, drawn cells. docs/training.md.

Files are paired by their names. Nothing is left out without a word: a `DataWarning` counts what is not read.
"""

from __future__ import annotations

import hashlib
import os
import unicodedata
import warnings
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from unet_edu.data.files import DataError
from unet_edu.data.pictures import SUFFIXES, DataWarning, is_picture, read_image, read_labels
from unet_edu.data.seen import limits, seen_as

if TYPE_CHECKING:  # torch takes seconds to import, and looking at folders needs none of it
    from unet_edu.data.samples import Frame

__all__ = ["Labelled", "digest", "frames", "held_out", "labelled", "pairs", "picture_files"]


class Labelled(NamedTuple):
    """A picture, and what somebody says is on it.

    Attributes
    ----------
    name : str
        For messages: the file of the labels, or the frame of the benchmark.
    image : (H, W) or (3, H, W) array of real numbers
        As it is stored.
    labels : (H, W) array of int32
        The number of each cell, or of each class. 0 where nobody knows.
    known : (H, W) array of bool, or None
        False where nobody knows. None: everything is known.
    picture : str
        For messages about the image: its file. Empty: as `name`.
    """

    name: str
    image: NDArray[Any]
    labels: NDArray[np.int32]
    known: NDArray[np.bool_] | None = None
    picture: str = ""


def labelled(
    source: str, *, classes: int | None = None, ignore: int | None = None, folder: str | os.PathLike[str] | None = None
) -> tuple[list[Labelled], int | None]:
    """The pictures of a source, in the order of their names.

    Parameters
    ----------
    source : str
        A folder with the subfolders "images" and "labels", the name of a benchmark, or "cells" for drawn cells.
    classes : int, optional
        How many classes there are, when the labels of the folder are class numbers. Without it they number cells, and
        where a label has but one number above 0 it is a mask: each of its connected pieces becomes a cell.
    ignore : int, optional
        The number that stands where nobody knows.
    folder : path, optional
        Where the benchmark is.

    Returns
    -------
    list of Labelled
    classes : int or None
        As given; of ISBI-2012, whose labels are two classes, 2.

    Raises
    ------
    ValueError
        When there is no such source.
    DataError
        When a file cannot be used.
    """
    from unet_edu.data.benchmarks import BENCHMARKS, load, split
    from unet_edu.data.cells import synthetic_cells

    if source in BENCHMARKS or source == "cells":
        if classes is not None or ignore is not None:
            raise ValueError(
                f"--classes and --ignore are for folders of yours; what the labels of {source} are is known"
            )
        if source == "cells":
            return [Labelled(f"drawn cells {n}", *synthetic_cells(n)) for n in range(40)], None
        # The frames that are scored are left alone. Silver before gold: people numbered only some cells of some frames.
        training, _ = split(load(source, folder))
        kinds = ["silver" if "silver" in frame.files else "gold" for frame in training]
        images = [
            Labelled(frame.name, frame.files["image"](), frame.files[kind]())
            for frame, kind in zip(training, kinds, strict=True)
        ]
        return images, 2 if source == "ISBI-2012" else None
    expect_source(source)
    if ignore == 0 and classes is None:
        raise ValueError(
            "--ignore 0: of cells 0 is the background, without which nothing is learned; take another number"
        )
    read = [
        Labelled(str(labels), read_image(image), read_labels(labels), picture=str(image))
        for image, labels in pairs(source)
    ]
    if classes == 2 and ignore is None:
        read = _zero_and_one(read)
    images = [_understood(one, classes, ignore) for one in read]
    if ignore is not None and all(one.known is None for one in images):
        warnings.warn(
            DataWarning(source, f"no label holds {ignore}, which was to be ignored; is it the right number?"),
            stacklevel=2,
        )
    return images, classes


def expect_source(source: str) -> None:
    """ValueError when there is no such source; it takes no time to find out."""
    from unet_edu.data.benchmarks import BENCHMARKS

    if source not in BENCHMARKS and source != "cells" and not Path(source).is_dir():
        raise ValueError(f"{source}: expected a folder, 'cells', or one of {', '.join(BENCHMARKS)}")


def _zero_and_one(read: list[Labelled]) -> list[Labelled]:
    """Two classes as most programs draw them: where all labels hold 0 and one other number (255), that is class 1."""
    numbers = {number for one in read for number in np.unique(one.labels).tolist()}
    drawn = max(numbers)
    if numbers != {0, drawn} or drawn <= 1:
        return read
    said = f"{drawn} is taken for class 1, because all labels are masks of 0 and {drawn}"
    warnings.warn(DataWarning(read[0].name, said), stacklevel=3)
    return [one._replace(labels=one.labels // drawn) for one in read]


def _understood(one: Labelled, classes: int | None, ignore: int | None) -> Labelled:
    """What the numbers stand for: nobody knows, a class, a cell, or a mask whose pieces are cells."""
    from unet_edu.instances import connected

    labels, known = one.labels, None
    if one.image.shape[-2:] != labels.shape:
        raise DataError(f"{one.name}: expected the size of its image, {one.image.shape[-2:]}, got {labels.shape}")
    if ignore is not None and (labels == ignore).any():
        known = labels != ignore
        labels = np.where(known, labels, 0)
    if labels.min() < 0 or (classes is not None and labels.max() >= classes):
        found = np.unique(labels).tolist()
        there = ", ".join(map(str, found)) if len(found) <= 6 else f"{found[0]} to {found[-1]}"
        raise DataError(
            f"{one.name}: expected numbers from 0 to {(classes or 2**31) - 1}, got {there}; number the "
            f"{'cells' if classes is None else 'classes'} anew, or, if one of these stands where nobody knows, say "
            f"so, as in --ignore {found[0] if found[0] < 0 else found[-1]}"
        )
    is_mask = classes is None and len(np.unique(labels[labels > 0])) == 1  # 0 and 255
    return one._replace(labels=connected(labels > 0) if is_mask else labels, known=known)


def held_out(images: Sequence[Labelled], share: float) -> tuple[list[Labelled], list[Labelled]]:
    """The first to train on, the last to validate. In one piece: neighbours in a film look alike, and stay on one side.

    Where nothing is on the last, those before them are held out as well, up to one on which there is something, and a
    `DataWarning` says so. Of empty pictures the best network would be one that finds nothing.

    Parameters
    ----------
    images : sequence of Labelled
    share : float
        The part to hold out. Above 0 it is at least one picture, and never all.

    Returns
    -------
    training, validation : lists of Labelled
    """
    start = len(images) - round(len(images) * share)
    if share and len(images) > 1:
        start = min(max(start, 1), len(images) - 1)
    full = [n for n, one in enumerate(images) if one.labels.any()]
    if share and len(full) > 1 and full[-1] < start:
        behind = len(images) - full[-1] - 1
        said = f"held out as well, because nothing is on the {f'{behind} images' if behind > 1 else 'image'} behind it"
        warnings.warn(DataWarning(images[full[-1]].name, said), stacklevel=2)
        start = full[-1]
    return list(images[:start]), list(images[start:])


def common_scale(images: Sequence[Labelled], channels: int) -> dict[str, Any]:
    """One scale for all pictures: the darkest and the brightest percent that any of them has.

    Returns
    -------
    dict
        "dark", "bright" and "numbers", the type of all of them, for `UNet.about`.

    Raises
    ------
    DataError
        When they have several types, whose numbers mean different brightness, or there is no range.
    """
    first, other = images[0], next((one for one in images if one.image.dtype.name != images[0].image.dtype.name), None)
    if other is not None:
        raise DataError(
            f"{other.picture or other.name}: holds {other.image.dtype.name}, and {first.picture or first.name} "
            f"{first.image.dtype.name}, so the same number means another brightness (--contrast range); save all in "
            "the same type, or train with --contrast stretch"
        )
    dark, bright = zip(*(limits(one.image, channels) for one in images), strict=True)
    if not np.min(dark) < np.max(bright):
        raise DataError(
            f"{first.picture or first.name} and all others are constant, so there is no range (--contrast range); are "
            "these the images?"
        )
    return {"dark": float(np.min(dark)), "bright": float(np.max(bright)), "numbers": first.image.dtype.name}


def frames(images: Iterable[Labelled], channels: int, about: dict[str, Any]) -> list[Frame]:
    """The pictures as a network is to see them, with what is true of them.

    Parameters
    ----------
    images : iterable of Labelled
    channels : 1 or 3
    about : dict
        As for `unet_edu.data.seen.seen_as`.

    Returns
    -------
    list of Frame
    """
    from unet_edu.data.samples import Frame

    return [
        Frame(seen_as(about, one.image, channels, one.picture or one.name)[:], one.labels, known=one.known)
        for one in images
    ]


def digest(images: Iterable[Labelled]) -> str:
    """A short name of what is in these pictures and labels: others, or another order, have another."""
    whole = hashlib.sha256()
    for one in images:
        for array in (one.image, one.labels, one.known):
            if array is not None:
                whole.update(f"{array.shape}{array.dtype}".encode())
                whole.update(np.ascontiguousarray(array).data)
    return whole.hexdigest()[:16]


# ----------------------------------------------------------------------------------------------------- files in folders


def pairs(folder: str | os.PathLike[str]) -> list[tuple[Path, Path]]:
    """The pictures of a folder, each with its label map: images/NAME.png and labels/NAME.png, or another kind.

    Returns
    -------
    list of (image, labels)
        Sorted by name.

    Raises
    ------
    DataError
        When a subfolder is missing or empty, a file has no partner, or two files have one name but for the ending.
    """
    images, labels = (_by_name(Path(folder) / kind) for kind in ("images", "labels"))
    for lonely, missing in ((images, labels), (labels, images)):
        for name in sorted(lonely.keys() - missing.keys()):
            raise DataError(
                f"{lonely[name]}: has no partner; expected images and labels of the same names, in two folders"
            )
    return [(images[name], labels[name]) for name in sorted(images)]


def picture_files(named: Iterable[str | os.PathLike[str]], results: Sequence[str] = ()) -> list[Path]:
    """The files, and the pictures in the folders.

    Parameters
    ----------
    named : iterable of path
    results : sequence of str
        What the results of an earlier run add to the name of a picture, as in "_mask.png". Such a file is left out
        where its picture stands beside it.

    Returns
    -------
    list of Path
        Each once.

    Raises
    ------
    DataError
        When a folder holds no picture.
    """
    found: list[Path] = []
    for path in map(Path, named):
        found += _in_folder(path, results) if path.is_dir() else [path]
    return list(dict.fromkeys(found))


def _by_name(folder: Path) -> dict[str, Path]:
    """A letter with an accent is one character on some systems and two on others; the name is the same."""
    if not folder.is_dir():
        lying = [path.name for path in sorted(folder.parent.iterdir()) if is_picture(path) and not path.is_dir()]
        so = (
            f"; the folder itself holds pictures (such as {lying[0]}), which belong into one of the two"
            if lying
            else ""
        )
        raise DataError(
            f"{folder.parent}: expected the subfolders 'images' and 'labels'; there is no {folder.name!r}{so}"
        )
    found: dict[str, Path] = {}
    for path in _in_folder(folder):
        if found.setdefault(unicodedata.normalize("NFC", path.stem), path) != path:
            raise DataError(
                f"{path}: has the same name as {found[unicodedata.normalize('NFC', path.stem)].name}; which one is "
                "meant?"
            )
    return found


def _in_folder(folder: Path, results: Sequence[str] = ()) -> list[Path]:
    everything = sorted(folder.iterdir())
    inside = [path for path in everything if not path.name.startswith(".")]
    files = [path for path in inside if is_picture(path) and not path.is_dir()]
    stems = {path.stem for path in files}
    earlier = [
        path
        for path in files
        if any(path.name.endswith(end) and path.name.removesuffix(end) in stems for end in results)
    ]
    chosen = [path for path in files if path not in set(earlier)]
    left_out = [
        ("from an earlier run", earlier),
        (
            "in subfolders",
            [path for sub in inside if sub.is_dir() for path in sorted(sub.rglob("*")) if is_picture(path)],
        ),
        (
            "hidden",
            [
                path
                for path in everything
                if path.name[0] == "." and path.name[:2] != "._" and is_picture(path.with_name(path.name[1:]))
            ],
        ),
        ("of other kinds", [path for path in inside if not is_picture(path) and not path.is_dir()]),
    ]
    said = ", ".join(
        f"{len(paths)} file{'s' * (len(paths) > 1)} {where} (such as {paths[0].relative_to(folder)})"
        for where, paths in left_out
        if paths
    )
    if not chosen:
        raise DataError(f"{folder}: expected images ({', '.join(SUFFIXES)}), found none{' but ' * bool(said)}{said}")
    if said:
        warnings.warn(DataWarning(folder, f"not read: {said}"), stacklevel=2)
    return chosen
