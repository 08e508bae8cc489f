"""From a network's probabilities to cells, and better probabilities for a little more time. Lesson 09.

A network that learned on `losses.separated` leaves a gap between cells that touch, and it is unsure along every edge. So its answer is
made into cells in four steps: a threshold, pieces that are connected, away with specks, and the gap given back.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from unet_edu._arguments import numbers, whole

if TYPE_CHECKING:  # cells can be made without torch
    from unet_edu.unet import UNet

__all__ = ["instances_from_probability", "predict_turned"]

ROUNDING = 1e-3  # by so much the sum of rounded numbers may leave the range from 0 to 1


def instances_from_probability(
    probability: ArrayLike, *, threshold: float = 0.5, min_size: int = 0, grow: float = 0.0
) -> NDArray[np.int32]:
    """Make cells of the probability that a pixel lies in a cell.

    Parameters
    ----------
    probability : (H, W) array of floats
        From 0 to 1: channel 1 of what `tiling.predict` gives.
    threshold : float
        A pixel is cell where the probability is above it. A high threshold takes more cells apart that touch, and makes all of them smaller.
    min_size : int
        Cells of fewer pixels are removed, after their holes are filled.
    grow : float
        Each cell then grows by up to so many pixels, but not into another. It gives back what the gap and the threshold took.

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
    from scipy import ndimage  # slow to import, and training does without

    probability = numbers("probability", probability)
    if probability.ndim != 2:
        raise ValueError(
            f"probability: expected one plane (H, W), got shape {probability.shape}; take the class of the cells, as in predict(…)[1]"
        )
    low, high = (probability.min(), probability.max()) if probability.size else (0, 1)
    if not (low >= -ROUNDING and high <= 1 + ROUNDING):
        raise ValueError(
            f"probability: expected numbers from 0 to 1, got {low:g} to {high:g}; a network's scores become probabilities with softmax"
        )
    if not 0 <= threshold <= 1:
        raise ValueError(f"threshold: expected a number from 0 to 1, got {threshold}")
    if not (np.isfinite(grow) and grow >= 0):
        raise ValueError(f"grow: expected a number of pixels of at least 0, got {grow}")
    min_size = whole("min_size", min_size, 0)
    pieces, found = ndimage.label(probability > threshold)
    cells, n = np.zeros(probability.shape, np.int32), 0
    for piece, box in enumerate(ndimage.find_objects(pieces) if found else [], start=1):
        here = pieces[box] == piece
        cell = ndimage.binary_fill_holes(here)
        if cell.sum() >= min_size and not cells[box][here].any():  # what lies in the hole of another belongs to that
            n += 1
            cells[box][cell] = n
    if grow and n:
        distance, (rows, columns) = ndimage.distance_transform_edt(cells == 0, return_indices=True)
        cells = np.where(distance <= grow, cells[rows, columns], 0)
    return cells


def predict_turned(model: UNet, image: NDArray[Any], **options: Any) -> NDArray[np.float32]:
    """The mean answer over the image turned by 0°, 90°, 180° and 270°, and the mirror images of these.

    A network that was trained on turned and flipped images should give the same answer whichever way an image is turned. It nearly does;
    in the mean of eight answers some of its errors cancel. It takes eight times as long. (The paper averages seven rotated versions
    for its results on membranes.)

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
