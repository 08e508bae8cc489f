"""Photographs to learn on. Nothing is downloaded: they come inside scikit-image."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["PHOTOS", "photo"]

PHOTOS = {
    "camera": "a man with a camera on a tripod, in a field",
    "coins": "ancient coins from Pompeii, on a dark ground",
    "cell": "one living cell under a holographic phase microscope",
    "astronaut": "the astronaut Eileen Collins in front of a flag and a model of the space shuttle",
}
"""The photographs by name, each with what it shows."""


def photo(name: str) -> NDArray[Any]:
    """A real photograph as one plane of grey values.

    Parameters
    ----------
    name : str
        One of `PHOTOS`.

    Returns
    -------
    (H, W) array of float64
        From 0 (black) to 1 (white). Colour pictures are turned grey with the weights of the eye.

    Raises
    ------
    ValueError
        When there is no photograph of this name.
    """
    if name not in PHOTOS:
        raise ValueError(f"name: expected one of {', '.join(PHOTOS)}, got {name!r}")
    return _grey(name).copy()


@functools.lru_cache(maxsize=len(PHOTOS))
def _grey(name: str) -> NDArray[Any]:
    import skimage.color  # slow to import, and only photographs need it
    import skimage.data

    image = getattr(skimage.data, name)()
    return np.asarray(skimage.color.rgb2gray(image) if image.ndim == 3 else image / 255, dtype=np.float64)
