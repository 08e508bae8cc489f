"""Photographs with a mask beside them, to measure segmentations on. Nothing here is downloaded.

A mask says for each pixel what is true. Nobody drew these by hand. Two were made from the photograph's edges, and one
from a measurement that has nothing to do with brightness: the distance of each pixel. `MASKED` says which, because a
score is only as true as its truth.
"""

from __future__ import annotations

import functools

import numpy as np
from numpy.typing import NDArray

from unet_edu.data import photo

__all__ = ["MASKED", "UNKNOWN", "photo_and_mask"]

UNKNOWN = 255
"""Stands in a mask where nobody knows what is true. `confusion_matrix` leaves it out with `ignore_index=UNKNOWN`."""

MASKED = {
    "coins": "24 coins; the mask was made by flooding the photograph from sure pixels up to its edges",
    "cell": "one living cell; the mask was made by flooding the photograph from sure pixels up to its edges",
    "motorcycle": "a motorcycle in a garage; the mask was made from the measured distance of each pixel, "
    "and 7 % of the pixels are unknown",
}
"""The photographs by name, each with what is to be found in it and how its mask was made."""


def photo_and_mask(name: str) -> tuple[NDArray[np.float64], NDArray[np.uint8]]:
    """A grey photograph and, for each of its pixels, the truth.

    Parameters
    ----------
    name : str
        One of `MASKED`.

    Returns
    -------
    image : (H, W) array of float64
        From 0 (black) to 1 (white).
    mask : (H, W) array of uint8
        1 on what is to be found, 0 elsewhere, `UNKNOWN` where nobody knows.

    Raises
    ------
    ValueError
        When there is no photograph with a mask of this name.

    References
    ----------
    The distances: Scharstein and others (2014), "High-resolution stereo datasets with subpixel-accurate ground truth",
    as they come with scikit-image. Lesson 01.
    """
    if name not in MASKED:
        raise ValueError(f"name: expected one of {', '.join(MASKED)}, got {name!r}")
    image, mask = _made(name)
    return image.copy(), mask.copy()


@functools.lru_cache(maxsize=len(MASKED))
def _made(name: str) -> tuple[NDArray[np.float64], NDArray[np.uint8]]:
    if name == "motorcycle":
        return _motorcycle()
    image = photo(name)
    sure = {"coins": (30 / 255, 150 / 255), "cell": (0.3, 0.55)}[name]
    return image, _flooded(image, *sure)


def _flooded(image: NDArray[np.float64], dark: float, bright: float) -> NDArray[np.uint8]:
    """What water covers that rises from the surely bright pixels, until it meets that from the surely dark ones."""
    from scipy import ndimage  # slow to import, and only masks need these
    from skimage.filters import sobel
    from skimage.segmentation import watershed

    sources = np.where(image > bright, 2, np.where(image < dark, 1, 0))
    whole = ndimage.binary_fill_holes(watershed(sobel(image), sources) == 2)
    labels, _ = ndimage.label(whole)
    large = np.bincount(labels.ravel()) >= 100  # a scratch on the table is no coin
    return (large[labels] & whole).astype(np.uint8)


def _motorcycle() -> tuple[NDArray[np.float64], NDArray[np.uint8]]:
    """What stands nearer than the garage's shelves and above its floor.

    Two cameras see each point at two places. How far these are apart, the disparity, is large for what is near. On a
    plane such as the floor it grows evenly from row to row, so that a flat sheet fitted to the lowest rows continues
    below the motorcycle.
    """
    import skimage.color
    import skimage.data

    colour, _, disparity = skimage.data.stereo_motorcycle()
    known = np.isfinite(disparity)
    row, column = np.indices(disparity.shape)
    sheet = np.stack([row, column, np.ones_like(row)], axis=-1)
    floor = known & (row > 455)  # below the tyres there is nothing else
    slope, *_ = np.linalg.lstsq(sheet[floor].astype(float), disparity[floor].astype(float), rcond=None)
    height = np.where(known, disparity - sheet @ slope, 0)
    # the shelves end near 27 and the motorcycle begins near 40; the floor is within 1 of its sheet
    stands = known & (disparity > 33) & (height > 1.5)
    return np.asarray(skimage.color.rgb2gray(colour)), np.where(known, stands, UNKNOWN).astype(np.uint8)
