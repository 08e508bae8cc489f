"""From a network's probabilities to cells, and better probabilities for a little more time. Lesson 09.

A network that learned on `losses.separated` leaves a gap between cells that touch, and it is unsure along every edge.
So its answer is made into cells in four steps: a threshold, pieces that are connected, away with specks, and the gap
given back. Two thresholds do better: what is surely cell falls into pieces where cells touch, and what is more likely
cell than not is then shared among these pieces.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from unet_edu._arguments import numbers, whole
from unet_edu._bands import bands

if TYPE_CHECKING:  # cells can be made without torch
    from unet_edu.unet import UNet

__all__ = ["SURE", "expect_decision", "instances_from_mask", "instances_from_probability", "predict_turned"]

SURE = 0.8
"""From this probability on a pixel is surely cell, and not of a gap. docs/training.md says what it was chosen on."""

REACH = 10  # pixels, from what is surely a cell to what is only likely of it
ROUNDING = 1e-3  # by so much the sum of rounded numbers may leave the range from 0 to 1


def instances_from_probability(
    probability: ArrayLike, *, threshold: float = 0.5, sure: float = 0.0, min_size: int = 0, grow: float = 0.0
) -> NDArray[np.int32]:
    """Make cells of the probability that a pixel lies in a cell.

    Parameters
    ----------
    probability : (H, W) array of floats
        From 0 to 1: channel 1 of what `tiling.predict` gives.
    threshold : float
        A pixel is cell where the probability is above it. A high one takes more cells apart, and makes all smaller.
    sure : float
        Where it is above `threshold`, cells begin as the pieces above `sure`, such as `SURE`. Each then takes the
        pixels above `threshold` that are nearest to it, at most ten pixels away. So cells are taken apart, and become
        no smaller.
    min_size : int
        Cells of fewer pixels are removed, after their holes are filled.
    grow : float
        Each cell then grows by up to so many pixels, but not into another: what the gap and the threshold took.

    Returns
    -------
    (H, W) array of int32
        0 is the background; the cells are 1, 2, 3 …

    Raises
    ------
    TypeError, ValueError
        When the probability is no such array, or a number is out of range.

    References
    ----------
    Lesson 09.

    Examples
    --------
    >>> instances_from_probability([[0.9, 0.9, 0.2, 0.1, 0.2, 0.9, 0.1, 0.1]], grow=1)
    array([[1, 1, 1, 0, 2, 2, 2, 0]], dtype=int32)
    """
    probability = numbers("probability", probability)
    if probability.ndim != 2:
        raise ValueError(
            f"probability: expected one plane (H, W), got shape {probability.shape}; take the class of the cells, as "
            "in predict(…)[1]"
        )
    low, high = (probability.min(), probability.max()) if probability.size else (0, 1)
    if not (low >= -ROUNDING and high <= 1 + ROUNDING):
        raise ValueError(
            f"probability: expected numbers from 0 to 1, got {low:g} to {high:g}; a network's scores become "
            "probabilities with softmax"
        )
    expect_decision(threshold, min_size, grow, sure)
    mask = probability > threshold
    core = probability > sure if sure > threshold else None
    return instances_from_mask(mask, core=core, min_size=min_size, grow=grow)


def instances_from_mask(
    mask: ArrayLike,
    *,
    core: ArrayLike | None = None,
    min_size: int = 0,
    grow: float = 0.0,
    empty: Callable[..., NDArray[Any]] = np.empty,
) -> NDArray[np.int32]:
    """Make cells of a mask: what `instances_from_probability` does after its threshold.

    It works in the array of the answer, band by band and cell by cell. So beside the mask it takes 4 bytes per pixel
    for the answer, and up to 32 bytes for each piece; and while holes are filled, 5 bytes for each pixel of the
    rectangle around the piece.

    Parameters
    ----------
    mask : (H, W) array
        A pixel is cell where it is not 0.
    core : (H, W) array, optional
        Where cells begin: not 0 where a pixel is surely cell. Each piece of it is one cell, and takes its part of the
        mask. Without it each piece of the mask is one.
    min_size, grow
        As for `instances_from_probability`.
    empty : function of a shape and a type
        Makes the large arrays; one that makes memory maps keeps them on the disk.

    Returns
    -------
    (H, W) array of int32
        As from `instances_from_probability`, made by `empty`.

    Raises
    ------
    TypeError, ValueError
        When the mask is no such array, or a number is out of range.

    References
    ----------
    Lesson 09.

    Examples
    --------
    >>> instances_from_mask([[1, 1, 1, 0, 1], [1, 0, 1, 0, 1], [1, 1, 1, 0, 0]], min_size=3)
    array([[1, 1, 1, 0, 0],
           [1, 1, 1, 0, 0],
           [1, 1, 1, 0, 0]], dtype=int32)
    """
    from scipy import ndimage  # slow to import, and training does without

    mask = numbers("mask", mask)
    begins = mask if core is None else numbers("core", core)
    if mask.ndim != 2:
        raise ValueError(f"mask: expected one plane (H, W), got shape {mask.shape}")
    if begins.shape != mask.shape:
        raise ValueError(f"core: expected the shape of the mask, {mask.shape}, got {begins.shape}")
    expect_decision(0.5, min_size, grow)
    cells: NDArray[np.int32] = empty(mask.shape, np.int32)
    found = ndimage.label(begins, output=cells)
    if core is not None:
        _grow(cells, REACH, within=mask)
    _fill_holes(cells, found, empty)
    if _renumber(cells, found, min_size) and grow:
        _grow(cells, grow)
    return cells


def expect_decision(threshold: float, min_size: int, grow: float, sure: float = 0.0) -> None:
    """Raise TypeError or ValueError when one of the numbers that make cells of probabilities is out of range."""
    for name, level in (("threshold", threshold), ("sure", sure)):
        if not 0 <= level <= 1:
            raise ValueError(f"{name}: expected a number from 0 to 1, got {level}")
    if not (np.isfinite(grow) and grow >= 0):
        raise ValueError(f"grow: expected a number of pixels of at least 0, got {grow}")
    whole("min_size", min_size, 0)


def _fill_holes(cells: NDArray[np.int32], found: int, empty: Callable[..., NDArray[Any]]) -> None:
    """Give each piece its holes, with all in them. A hole cannot reach the rectangle around the piece over edges."""
    from scipy import ndimage

    top, bottom, left, right = _boxes(cells, found)
    may_have_holes = (bottom - top > 2) & (right - left > 2)
    # outer pieces before those in their holes, whose first pixels come later
    for piece in np.flatnonzero(may_have_holes):
        crop = cells[top[piece] : bottom[piece], left[piece] : right[piece]]
        others = np.not_equal(crop, piece, out=empty(crop.shape, bool))
        if others.all():  # it lay in the hole of another, and belongs to that now
            continue
        parts = empty(crop.shape, np.int32)
        is_hole = np.ones(ndimage.label(others, output=parts) + 1, bool)
        is_hole[0] = False  # the piece itself
        for edge in (parts[0], parts[-1], parts[:, 0], parts[:, -1]):
            is_hole[edge] = False
        if is_hole.any():
            for band in bands(crop.shape):
                crop[band][is_hole[parts[band]]] = piece


def _boxes(cells: NDArray[np.int32], found: int) -> NDArray[np.int32]:
    """The rectangles around the pieces: four rows top, bottom, left, right, with a column for each number.

    `ndimage.find_objects` would make Python objects of twenty times the size, which counts with millions of pieces.
    """
    boxes = np.zeros((4, found + 1), np.int32)
    boxes[[0, 2]] = np.iinfo(np.int32).max
    for band in bands(cells.shape):
        rows, columns = np.nonzero(cells[band])
        numbers = cells[band][rows, columns]
        for (first, end), places in zip((boxes[:2], boxes[2:]), (rows + band.start, columns), strict=True):
            np.minimum.at(first, numbers, places.astype(np.int32))
            np.maximum.at(end, numbers, places.astype(np.int32) + 1)
    boxes[:, 0] = 0  # the background has none
    return boxes


def _renumber(cells: NDArray[np.int32], found: int, min_size: int) -> int:
    """Remove cells of fewer pixels, and number the others 1, 2, 3 … in their order. How many they are."""
    sizes = np.zeros(found + 1, np.int64)
    for band in bands(cells.shape):
        np.add.at(sizes, cells[band].ravel(), 1)
    is_kept = sizes >= max(min_size, 1)
    is_kept[0] = False
    numbers = np.where(is_kept, np.cumsum(is_kept, dtype=np.int32), 0)
    for band in bands(cells.shape):
        cells[band] = numbers[cells[band]]
    return int(is_kept.sum())


def _grow(cells: NDArray[np.int32], grow: float, within: NDArray[Any] | None = None) -> None:
    """Let cells grow by up to so many pixels, everywhere or within a mask.

    Each band sees as many rows around it, as they were before.
    """
    from scipy import ndimage

    reach = min(math.ceil(grow), len(cells))
    above = cells[:0]
    for band in bands(cells.shape, least=reach):
        block = np.concatenate([above, cells[band.start : band.stop + reach]])
        inside = slice(len(above), len(above) + band.stop - band.start)
        above = block[: inside.stop][-reach:]
        if block.any():  # or else there is nothing to measure a distance to
            distance, (rows, columns) = ndimage.distance_transform_edt(block == 0, return_indices=True)
            grown = np.where(distance <= grow, block[rows, columns], 0)[inside]
            cells[band] = grown if within is None else np.where(within[band], grown, cells[band])


def predict_turned(model: UNet, image: NDArray[Any], **options: Any) -> NDArray[np.float32]:
    """The mean answer over the image turned by 0°, 90°, 180° and 270°, and the mirror images of these.

    A network that was trained on turned and flipped images should give the same answer whichever way an image is
    turned. It nearly does; in the mean of eight answers some of its errors cancel. It takes eight times as long. (The
    paper averages seven rotated versions for its results on membranes.)

    Parameters
    ----------
    model : UNet
    image : (H, W) or (C, H, W) array
    **options
        For `unet_edu.tiling.predict`, all but `out`.

    Returns
    -------
    float32 array (num_classes, H, W)

    References
    ----------
    Ronneberger, Fischer and Brox (2015), section 4. Lesson 09.
    """
    from unet_edu.tiling import predict

    total: Any = 0
    for quarters in range(4):
        for mirrored in (False, True):
            view = np.rot90(image, quarters, axes=(-2, -1))
            view = view[..., ::-1] if mirrored else view
            answer = predict(model, np.ascontiguousarray(view), **options)
            answer = answer[..., ::-1] if mirrored else answer
            total = total + np.rot90(answer, -quarters, axes=(-2, -1))
    return np.asarray(total / 8, np.float32)
