"""Folders of pictures as people bring them: drawn ones, and nuclei of a public set. Lesson 10.

Each has the subfolders that `unet-edu train` reads, images and labels; new, with pictures that nobody has marked; and
new_labels, where somebody did so afterwards.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unet_edu.data.benchmarks import load, split
from unet_edu.data.cells import synthetic_cells
from unet_edu.data.elastic import displacement, warp
from unet_edu.data.sources import pairs, picture_files
from unet_edu.data.writing import write_tiff

__all__ = ["MIRRORED", "drawn_folder", "new_pictures", "nuclei_folder"]

DISHES, FRAMES = 5, 6
DRAWN = 112  # pixels: the side of a picture before it is enlarged
CELLS = (9, 14)  # in a dish: at least so many, and fewer than so many
LARGER = 1.5
MOVED = 1.0  # pixels, the standard deviation of the arrows that bend a dish further from frame to frame
DARK, BRIGHT, NOISE = 400, 3300, 60.0  # counts of a camera with 12 bits
MIRRORED = "dish2_t3"
"""The one picture of `drawn_folder` whose labels somebody has kept the wrong way round."""

_KEPT: list[tempfile.TemporaryDirectory[str]] = []  # until Python ends


def drawn_folder(folder: str | os.PathLike[str] | None = None, *, seed: int = 2015) -> Path:
    """Write films as from the microscope of somebody else: dark cells on a bright ground, in five dishes.

    They are `synthetic_cells` that were enlarged, turned dark, put out of focus a little and counted by a camera with
    12 bits. A dish has six frames, in which the same cells move a little. Dishes 1 to 4 are marked; the labels of one
    picture lie mirrored, as they do when two programs do not agree where the left side is. Dish 5 is new.

    Parameters
    ----------
    folder : path, optional
        Where to write. Without it, a temporary folder, which is gone when Python ends.
    seed : int
        Another seed draws other dishes.

    Returns
    -------
    Path
        The folder.

    References
    ----------
    Lesson 10.
    """
    folder = _place(folder)
    for dish in range(1, DISHES + 1):
        is_new = dish == DISHES
        for frame, (image, cells) in enumerate(_film(seed + dish)):
            name = f"dish{dish}_t{frame}"
            kept = cells[:, ::-1] if name == MIRRORED else cells
            _write(folder, name, image, kept, is_new)
    return folder


def nuclei_folder(
    folder: str | os.PathLike[str] | None = None,
    *,
    benchmark: str | os.PathLike[str] | None = None,
    marked: int = 60,
    new: int = 12,
) -> Path:
    """Write some nuclei of the Data Science Bowl 2018 as a folder of the same form.

    `unet_edu.data.benchmarks.fetch("DSB-2018")` brings them here before.

    Parameters
    ----------
    folder : path, optional
        As for `drawn_folder`.
    benchmark : path, optional
        Where the set is, if not in the usual place.
    marked, new : int
        How many pictures.

    Returns
    -------
    Path
        The folder.

    Raises
    ------
    DataError, FileNotFoundError
        When the set is not there.

    References
    ----------
    Lesson 10.
    """
    training, _ = split(load("DSB-2018", benchmark))  # the frames on which this project reports scores are left alone
    chosen = np.linspace(0, len(training) - 1, min(marked + new, len(training))).round().astype(int)
    folder = _place(folder)
    for place, n in enumerate(chosen):
        frame = training[n]
        name = frame.name.rpartition("/")[-1]
        _write(folder, name, frame.files["image"](), frame.files["gold"](), is_new=place >= marked)
    return folder


def new_pictures(folder: str | os.PathLike[str]) -> list[Path]:
    """The pictures of the subfolder new, which nobody has marked; where there is none, those of images.

    Raises
    ------
    DataError
        When there are no pictures in it, or images without labels.
    """
    marked = [picture for picture, _ in pairs(folder)]
    new = Path(folder) / "new"
    return picture_files([new]) if new.is_dir() else marked


def _place(folder: str | os.PathLike[str] | None) -> Path:
    if folder is None:
        _KEPT.append(tempfile.TemporaryDirectory(prefix="unet-edu-"))
        folder = _KEPT[-1].name
    for kind in ("images", "labels", "new", "new_labels"):
        (Path(folder) / kind).mkdir(parents=True, exist_ok=True)
    return Path(folder)


def _film(seed: int) -> list[tuple[NDArray[np.uint16], NDArray[np.int32]]]:
    """The frames of a dish, whose cells move a little from one to the next."""
    from scipy import ndimage  # slow to import

    rng = np.random.default_rng(seed)
    image, cells = synthetic_cells(rng, (DRAWN, DRAWN), cells=int(rng.integers(*CELLS)), look="fluorescence")
    large = ndimage.zoom(image, LARGER, order=1)
    truth = ndimage.zoom(cells, LARGER, order=0)
    field = displacement(large.shape, rng, sigma=MOVED)
    light = BRIGHT - (BRIGHT - DARK) * np.clip(ndimage.gaussian_filter(large, 0.8) * 1.15, 0, 1) ** 0.8
    frames = []
    for step in range(FRAMES):
        counts = warp(light, step * field, order=1) * _lamp(large.shape) + rng.normal(0, NOISE, large.shape)
        frames.append((np.clip(counts, 0, 4095).astype(np.uint16), warp(truth, step * field, order=0)))
    return frames


def _lamp(shape: tuple[int, ...]) -> NDArray[np.float64]:
    """A lamp that shines on the upper left corner: from there on it becomes darker by a quarter."""
    down, right = np.indices(shape) / np.array(shape)[:, None, None]
    return 1 - 0.125 * (down + right)


def _write(folder: Path, name: str, image: NDArray[Any], cells: NDArray[Any], is_new: bool) -> None:
    for kind, pixels in zip(("new", "new_labels") if is_new else ("images", "labels"), (image, cells), strict=True):
        with open(folder / kind / f"{name}.tif", "wb") as file:
            write_tiff(file, pixels, image.dtype if pixels is image else np.uint16)
