"""What a network finds on an image, from a file to files. Lesson 10.

`unet-edu predict` does this for many; docs/training.md shows how.

There are two kinds of networks, and each leaves other files (`RESULTS`). One that was trained on cells leaves cells
with numbers. One that was trained on classes leaves the class of each pixel: there nothing is counted, no hole is
filled and nothing is dropped, for a class is not made of things. Which of the two a network is, it says itself:
`model.about`.

**Memory.** The image is read tile by tile and stretched as it is read. Each tile's probabilities become a decision at
once, which takes a byte, or two for cells. Pictures are written in bands of rows. So beside the image, as far as that
is in memory, it takes 6 bytes per pixel for cells (the mask, what is surely cell, and their numbers) and 1 for classes.
Arrays of more than `IN_MEMORY` bytes are files without a name in the folder of the results, which vanish however the
program ends. docs/training.md has what was measured.
"""

from __future__ import annotations

import functools
import math
import os
import tempfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from unet_edu._arguments import Size
from unet_edu._bands import bands
from unet_edu.data.files import MENDABLE, write_whole
from unet_edu.data.pictures import read_image
from unet_edu.data.seen import Seen, seen_as
from unet_edu.data.sources import picture_files
from unet_edu.data.writing import write_png, write_tiff
from unet_edu.figures.palette import class_colours
from unet_edu.postprocess import SURE, expect_decision, instances_from_mask

if TYPE_CHECKING:  # torch takes seconds to import, and the names of results are wanted without it
    from unet_edu.unet import UNet

__all__ = ["RESULTS", "decision", "expect_free", "legend", "predict_file", "predict_files", "result_files"]

RESULTS = {
    "cells": {"labels": "_labels.tif", "mask": "_mask.png", "overlay": "_overlay.png"},
    "classes": {"classes": "_classes.png", "overlay": "_overlay.png"},
}
"""The ends of the names of what a network of cells leaves, and one of classes."""

IN_MEMORY = 2**26  # bytes of an array: 64 MiB, which the numbers of the cells of 4096 × 4096 pixels take
OUTLINE = (255, 140, 0)  # orange, which is neither on grey images nor on stained ones
OPACITY = 0.5  # of the colour of a class


def decision(
    model: UNet,
    threshold: float | None = None,
    sure: float | None = None,
    min_size: int | None = None,
    grow: float | None = None,
) -> dict[str, Any]:
    """How probabilities become cells, as for `instances_from_probability`: what is left out is 0.5, `SURE`, 0 and 0.

    Raises
    ------
    TypeError, ValueError
        When a number is out of range, or the network finds classes and one was given, or it has more classes than a
        class map holds.
    """
    given = {"threshold": threshold, "sure": sure, "min_size": min_size, "grow": grow}
    classes = model.config["num_classes"]
    if not model.finds_cells:
        for name, value in given.items():
            if value is not None:
                raise ValueError(f"{name}: this network finds {classes} classes, and {name} is for cells; leave it out")
        if classes > 256:
            raise ValueError(
                f"num_classes: expected at most 256, which a class map holds, got {classes}; unet_edu.tiling.predict "
                "writes into an array of any integers"
            )
    usual: dict[str, Any] = {"threshold": 0.5, "sure": SURE, "min_size": 0, "grow": 0.0}
    chosen = usual | {name: value for name, value in given.items() if value is not None}
    expect_decision(**chosen)
    return chosen


def result_files(model: UNet, path: str | os.PathLike[str], output: str | os.PathLike[str]) -> dict[str, Path]:
    """Where the results of an image go: "labels", "mask", "overlay" for cells, "classes", "overlay" for classes."""
    ends = RESULTS["cells" if model.finds_cells else "classes"]
    return {kind: Path(output) / f"{Path(path).stem}{end}" for kind, end in ends.items()}


def expect_free(files: list[Path], force: bool = False) -> None:
    """Raise FileExistsError when one of the files is there already, and would be overwritten without `force`."""
    there = [path for path in files if path.exists()]
    if there and not force:
        raise FileExistsError(f"{there[0]}: is there already, {len(there)} such files in all; --force overwrites them")


def predict_file(
    model: UNet,
    path: str | os.PathLike[str],
    output: str | os.PathLike[str],
    *,
    threshold: float | None = None,
    sure: float | None = None,
    min_size: int | None = None,
    grow: float | None = None,
    tile: Size | None = None,
    precision: str = "auto",
    force: bool = False,
    progress: bool = False,
) -> dict[str, Path]:
    """Find the cells or the classes on one image, and write them into a folder.

    Parameters
    ----------
    model : UNet
        On the device that is to compute, as `unet_edu.training.load` gives it. Of `model.about` it takes "labels",
        "cells" or "classes"; and what `unet_edu.data.seen.seen_as` takes. What is missing there: cells for two classes,
        classes for more, and "stretch".
    path : path
        As for `unet_edu.data.pictures.read_image`.
    output : path
        The folder for the results. It is made where it is missing.
    threshold, sure, min_size, grow
        For networks of cells, as for `unet_edu.postprocess.instances_from_probability`.
    tile, precision, progress
        As for `unet_edu.tiling.predict`.
    force : bool
        Overwrite results that are there.

    Returns
    -------
    dict of str to Path
        What was written, as `result_files` says before.

        * labels: TIFF with the number of its cell at each pixel, uint16, or int32 where 65535 numbers do not suffice; 0
          is the background.
        * mask: PNG with 255 on cells.
        * classes: PNG whose numbers are the classes; its palette gives them colours, and 0 is black.
        * overlay: PNG of the image with the cells' outlines; or with the classes in colours, and a strip below that
          says which is which.

    Raises
    ------
    DataError, FileNotFoundError
        When the image cannot be read.
    FileExistsError
        When a result is there and `force` is not given.
    TypeError, ValueError
        When an option is out of range, or for another kind of network.

    References
    ----------
    Lessons 08 and 09.
    """
    how = decision(model, threshold, sure, min_size, grow)
    files = result_files(model, path, output)
    expect_free(list(files.values()), force)
    seen = seen_as(model.about, read_image(path), model.config["in_channels"], path)
    Path(output).mkdir(parents=True, exist_ok=True)
    empty = functools.partial(_empty, folder=Path(output))
    options: dict[str, Any] = {"tile": tile, "precision": precision, "progress": progress}
    if model.finds_cells:
        writers = _writers_of_cells(seen, _cells(model, seen, **how, empty=empty, options=options))
    else:
        writers = _writers_of_classes(seen, _classes(model, seen, empty, options), model.config["num_classes"])
    for kind, write in writers.items():
        write_whole(files[kind], write, force=force)
    return files


def predict_files(
    model: UNet,
    images: Iterable[str | os.PathLike[str]],
    output: str | os.PathLike[str],
    *,
    threshold: float | None = None,
    sure: float | None = None,
    min_size: int | None = None,
    grow: float | None = None,
    force: bool = False,
    progress: bool = False,
    on_failure: Callable[[Exception], None] = lambda error: None,
    **options: Any,
) -> dict[Path, dict[str, Path] | Exception]:
    """Find the cells or the classes on many images. One that cannot be read does not stop the others.

    Parameters
    ----------
    images : iterable of path
        Files, and folders of them.
    progress : bool
        Whether to show a bar: of the images, or of the tiles of a single one.
    on_failure : function of an error
        Called at once for each image that fails.
    model, output, threshold, sure, min_size, grow, force, options
        As for `predict_file`.

    Returns
    -------
    dict
        For each image what was written, as `predict_file` answers it, or the error.

    Raises
    ------
    DataError, FileExistsError, TypeError, ValueError
        Before anything is computed: when a folder holds no picture, an option is out of range, a result would
        overwrite an image or the result of another one, or one is there already and `force` is not given.
    """
    from tqdm import tqdm

    decision(model, threshold, sure, min_size, grow)  # or it would be refused for each image
    paths = _with_room_for_results(images, model, output, force)
    is_single = len(paths) == 1
    results: dict[Path, dict[str, Path] | Exception] = {}
    how: dict[str, Any] = {"threshold": threshold, "sure": sure, "min_size": min_size, "grow": grow}
    how |= {"force": force, **options}
    for path in tqdm(paths, disable=not progress or is_single, unit="image"):
        try:
            results[path] = predict_file(model, path, output, **how, progress=progress and is_single)
        except MENDABLE as error:
            results[path] = error
            on_failure(error)
    return results


def _with_room_for_results(
    named: Iterable[str | os.PathLike[str]], model: UNet, output: str | os.PathLike[str], force: bool
) -> list[Path]:
    """The files, and those in the folders, after a look whether something would be lost."""
    paths = picture_files(named, [end for ends in RESULTS.values() for end in ends.values()])
    results: dict[Path, Path] = {}
    for path in paths:
        for file in result_files(model, path, output).values():
            if (twin := results.setdefault(file, path)) != path:
                raise ValueError(
                    f"{path}: its results would have the names of those of {twin}; take two --output folders"
                )
    if lost := {path.resolve() for path in paths} & {file.resolve() for file in results}:
        raise ValueError(f"{lost.pop()}: is one of the images, and a result would take its name; take another --output")
    expect_free(list(results), force)
    return paths


# --------------------------------------------------------------------------------------------------------------- decide


class _Above:
    """What `tiling.predict` writes probabilities into, and which keeps whether a cell's is above two thresholds."""

    dtype = np.dtype(np.float32)

    def __init__(self, masks: dict[float, NDArray[np.uint8]], classes: int, size: tuple[int, ...]) -> None:
        self.masks, self.shape = masks, (classes, *size)

    def __setitem__(self, places: tuple[slice, ...], probabilities: NDArray[Any]) -> None:
        for level, mask in self.masks.items():
            mask[places[1:]] = probabilities[1] > level


def _cells(
    model: UNet,
    seen: Seen,
    *,
    threshold: float,
    sure: float,
    min_size: int,
    grow: float,
    empty: Callable[..., NDArray[Any]],
    options: dict[str, Any],
) -> NDArray[np.int32]:
    from unet_edu import tiling

    size = seen.shape[-2:]
    masks = {level: empty(size, np.uint8) for level in (threshold, max(sure, threshold))}  # of equal levels one
    tiling.predict(model, seen, out=_Above(masks, model.config["num_classes"], size), **options)
    mask, core = masks[threshold], masks[sure] if sure > threshold else None
    return instances_from_mask(mask, core=core, min_size=min_size, grow=grow, empty=empty)


def _classes(model: UNet, seen: Seen, empty: Callable[..., NDArray[Any]], options: dict[str, Any]) -> NDArray[np.uint8]:
    from unet_edu import tiling

    return tiling.predict(model, seen, out=empty(seen.shape[-2:], np.uint8), **options)


def _empty(shape: tuple[int, ...], dtype: DTypeLike, folder: Path) -> NDArray[Any]:
    """An array to be filled: a large one is a file without a name, which is gone when the array is."""
    size = int(np.prod(shape)) * np.dtype(dtype).itemsize
    if size <= IN_MEMORY:
        return np.empty(shape, dtype)
    with tempfile.TemporaryFile(dir=folder) as file:
        if hasattr(os, "posix_fallocate"):  # a full disk is said now; later it would kill the program without a word
            os.posix_fallocate(file.fileno(), 0, size)
        return np.asarray(np.memmap(file, dtype, "w+", shape=shape))


# ---------------------------------------------------------------------------------------------------------------- write


Writer = Callable[[Any], None]


def _writers_of_cells(seen: Seen, cells: NDArray[np.int32]) -> dict[str, Writer]:
    shape = cells.shape
    dtype = np.uint16 if cells.max(initial=0) < 2**16 else np.int32
    return {
        "labels": lambda file: write_tiff(file, cells, dtype),
        "mask": lambda file: write_png(file, shape, (np.uint8(255) * (cells[band] > 0) for band in bands(shape))),
        "overlay": lambda file: write_png(file, (*shape, 3), _outlined(seen, cells)),
    }


def _writers_of_classes(seen: Seen, classes: NDArray[np.uint8], number: int) -> dict[str, Writer]:
    colours = class_colours(number)
    strip = legend(colours, classes.shape[1])
    shape = (classes.shape[0] + strip.shape[0], strip.shape[1], 3)
    return {
        "classes": lambda file: write_png(
            file, classes.shape, (classes[band] for band in bands(classes.shape)), colours
        ),
        "overlay": lambda file: write_png(file, shape, _coloured(seen, classes, colours, strip)),
    }


def _in_colours(seen: Seen, band: slice) -> NDArray[np.uint8]:
    """Some rows of the image, (rows, W, 3)."""
    everything = slice(None)
    block = seen[band, everything] if len(seen.shape) == 2 else seen[everything, band, everything]
    shades = (block * 255).astype(np.uint8)
    return np.stack([shades] * 3, axis=-1) if shades.ndim == 2 else np.moveaxis(shades, 0, -1).copy()


def _outlined(seen: Seen, cells: NDArray[np.int32]) -> Iterator[NDArray[np.uint8]]:
    """The image with an outline around each cell.

    A pixel is on it when a neighbour, which may be in the next band, is not of its cell.
    """
    from skimage.segmentation import find_boundaries

    for band in bands(cells.shape):
        colours = _in_colours(seen, band)
        top = max(band.start - 1, 0)
        on_outline = find_boundaries(cells[top : band.stop + 1], mode="inner")
        colours[on_outline[band.start - top :][: len(colours)]] = OUTLINE
        yield colours


def _coloured(
    seen: Seen, classes: NDArray[np.uint8], colours: NDArray[np.uint8], strip: NDArray[np.uint8]
) -> Iterator[NDArray[np.uint8]]:
    """The image with all classes but 0 in colours; at its right white, where the strip is wider; below it the strip."""
    white = ((0, 0), (0, strip.shape[1] - classes.shape[1]), (0, 0))
    for band in bands(classes.shape):
        plain = _in_colours(seen, band)
        mixed = (plain * (1 - OPACITY) + colours[classes[band]] * OPACITY).astype(np.uint8)
        yield np.pad(np.where(classes[band][..., None], mixed, plain), white, constant_values=255)
    yield strip


def legend(colours: NDArray[np.uint8], width: int) -> NDArray[np.uint8]:
    """A strip that says which colour is which class: a square and a number for each but 0, in as many lines as needed.

    Parameters
    ----------
    colours : (n, 3) array of uint8
    width : int
        Of the picture above it, in pixels. Letters are a sixtieth of that, but at least 12 pixels high and at most 120.

    Returns
    -------
    (rows, columns, 3) array of uint8
        No rows when there is no other class than 0. At least as wide as the picture.
    """
    from PIL import Image, ImageDraw, ImageFont

    number = len(colours) - 1
    side = min(max(width // 60, 12), 120)
    font = ImageFont.load_default(side)
    entry = 3 * side + int(font.getlength("0" * len(str(number))))
    in_line = max(width // entry, math.isqrt(number) // 2, 1)  # 255 below a tiny picture: 7 columns and 37 lines
    lines = -(-number // in_line)
    image = Image.new("RGB", (max(width, in_line * entry), lines * 2 * side), "white")
    draw = ImageDraw.Draw(image)
    for place, colour in enumerate(colours.tolist()[1:]):
        left, middle = side // 2 + place % in_line * entry, side + place // in_line * 2 * side
        square = (left, middle - side // 2, left + side, middle + side // 2)
        draw.rectangle(square, fill=tuple(colour), outline="black")
        draw.text((left + side + side // 2, middle), str(place + 1), fill="black", font=font, anchor="lm")
    return np.asarray(image)
