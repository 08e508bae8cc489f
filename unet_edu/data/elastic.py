"""Elastic deformation: an image bent smoothly, and its labels with it. Lesson 07.

The field says for each output pixel where it looks:

    bent[i, j] = image[i + field[0, i, j], j + field[1, i, j]]

It comes from a coarse grid of arrows, 3×3 in the paper, and bicubic interpolation between them. The same field bends
the image, its labels and its weights. What differs is how a pixel is read that lies between four others: a cubic spline
for the image, the nearest pixel for labels, because a mean of two class numbers is a third class.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from unet_edu._arguments import numbers, pair, whole
from unet_edu.interpolation import interpolate

__all__ = ["Places", "Readable", "displacement", "displacement_from", "warp"]

RIM = 2  # of the mirror image around a picture: so far taps reach beyond a place on its edge


def displacement(
    shape: tuple[int, int], rng: np.random.Generator, *, sigma: float = 10.0, grid: int = 3
) -> NDArray[np.float64]:
    """A random smooth field, as the paper makes it.

    Parameters
    ----------
    shape : (H, W)
    rng : numpy Generator
    sigma : float
        Standard deviation of the arrows along each side, in pixels. Between them that of the field is a little less.
    grid : int
        Arrows along each side, at least 2.

    Returns
    -------
    (2, H, W) array of float64
        For each pixel how many rows down and columns to the right it looks.

    Raises
    ------
    TypeError, ValueError
        When `sigma` is negative, or `shape` or `grid` too small.

    References
    ----------
    Ronneberger, Fischer and Brox (2015), "U-Net", section 3.1: a 3 by 3 grid, 10 pixels, bicubic. Lesson 07, exercise
    `elastic`.
    """
    if not (np.isfinite(sigma) and sigma >= 0):
        raise ValueError(f"sigma: expected a number of pixels of at least 0, got {sigma}")
    grid = whole("grid", grid, 2)
    return displacement_from(rng.normal(0, sigma, (2, grid, grid)), shape)


def displacement_from(vectors: ArrayLike, shape: tuple[int, int]) -> NDArray[np.float64]:
    """The field between given arrows: bicubic, with the outer arrows on the outermost pixels.

    The paper does not say where its grid ends; here the corners of the grid are those of the image.

    Parameters
    ----------
    vectors : (2, g, g) array
        Rows and columns of each arrow, in pixels. As many arrows down as across are usual, not needed.
    shape : (H, W)

    Returns
    -------
    (2, H, W) array of float64

    Examples
    --------
    >>> one_arrow = np.zeros((2, 3, 3))
    >>> one_arrow[1, 1, 1] = 8
    >>> displacement_from(one_arrow, (5, 5))[1, 2]
    array([0.  , 4.75, 8.  , 4.75, 0.  ])
    """
    vectors = np.asarray(vectors, np.float64)
    if vectors.ndim != 3 or len(vectors) != 2 or 0 in vectors.shape:
        raise ValueError(f"vectors: expected shape (2, g, g), rows and columns of g×g arrows, got {vectors.shape}")
    return interpolate(vectors[None], pair("shape", shape, least=1), mode="bicubic", align_corners=True)[0]


def warp(array: ArrayLike, field: ArrayLike, *, order: int) -> NDArray[Any]:
    """Bend an array: each pixel takes what stands where the field says. Outside, the array is its own mirror image.

    Parameters
    ----------
    array : (H, W) or (C, H, W) array of real numbers
        All channels are bent alike.
    field : (2, H, W) array
        As `displacement` gives it.
    order : 0, 1 or 3
        How to read between pixels: 0 the nearest (labels), 1 bilinear (weights, which never become negative), 3 cubic
        spline (images; it can go a little below the darkest and above the brightest pixel).

    Returns
    -------
    array of the same shape and dtype
        Integers and booleans are rounded, and kept within their range.

    Raises
    ------
    TypeError, ValueError
        When `array` does not hold real numbers, the shapes do not fit together, or `order` is another.

    Examples
    --------
    >>> one_to_the_right = np.stack([np.zeros((1, 4)), np.ones((1, 4))])
    >>> warp([[1, 2, 3, 4]], one_to_the_right, order=0)
    array([[2, 3, 4, 3]])
    """
    array, field = _planes("array", array), np.asarray(field, np.float64)
    if field.shape != (2, *array.shape[-2:]):
        raise ValueError(
            f"field: expected shape {(2, *array.shape[-2:])} for array of shape {array.shape}, got {field.shape}"
        )
    if not np.isfinite(field).all():
        raise ValueError("field: expected finite numbers of pixels, got NaN or infinity")
    return Places(np.indices(array.shape[-2:]) + field, array.shape[-2:]).read(Readable(array, order=order))


class Readable:
    """A picture made ready to be read between its pixels: once, and then at any `Places`.

    Parameters
    ----------
    array : (H, W) or (C, H, W) array of real numbers
    order : 0, 1 or 3
        As for `warp`.

    Raises
    ------
    ValueError
        When `order` is another.
    """

    def __init__(self, array: NDArray[Any], *, order: int) -> None:
        if order not in (0, 1, 3):
            raise ValueError(f"order: expected 0 (nearest), 1 (bilinear) or 3 (cubic), got {order!r}")
        self.array, self.order = array, order
        if order:
            # with a rim of its mirror image: taps reach over the edge
            self.planes = np.pad(self._planes(), ((0, 0), (RIM, RIM), (RIM, RIM)), mode="reflect")
        if order == 1 and array.dtype == self.planes.dtype:  # the same numbers: one copy is enough
            self.array = self.planes[:, RIM:-RIM, RIM:-RIM].reshape(array.shape)

    def _planes(self) -> NDArray[np.floating[Any]]:
        """What the taps read, (C, H, W): the pixels, or the numbers of a cubic spline that goes through them."""
        planes = self.array.reshape(-1, *self.array.shape[-2:])
        dtype = np.float32 if planes.dtype == np.float32 else np.float64
        if self.order == 3:
            from scipy.ndimage import spline_filter  # slow to import, and only what is bent needs it

            planes = np.stack([spline_filter(plane, order=3, mode="mirror") for plane in planes])
        return planes.astype(dtype, copy=False)


class Places:
    """Places in a picture, found once, at which its image, its labels and its weights are read.

    Parameters
    ----------
    coordinates : (2, h, w) array
        Rows and columns, in pixels. They may lie beyond the edges, in the mirror image.
    shape : (H, W)
        Of the picture.

    Examples
    --------
    >>> between = Places(np.array([[[0, 0]], [[0.3, 1.7]]]), (1, 3))
    >>> between.read(Readable(np.array([[10.0, 20.0, 30.0]]), order=1))
    array([[13., 27.]])
    >>> between.read(Readable(np.array([[4, 5, 6]]), order=0))
    array([[4, 6]])
    """

    def __init__(self, coordinates: NDArray[np.float64], shape: tuple[int, ...]) -> None:
        places = np.stack([_mirrored(along, size) for along, size in zip(coordinates, shape, strict=True)])
        before = np.floor(places)
        self.behind = places - before  # how far behind the pixel before it: 0 to 1, down and to the right
        self.are_pixels = not self.behind.any()
        rows, columns = before.astype(np.intp)
        down, right = self.behind >= 0.5
        # pixels by number, row after row: the nearest; and in a picture with its rim the first of the 4×4 around
        self.nearest = (rows + down) * shape[1] + columns + right
        self.width = shape[1] + 2 * RIM
        self.first = (rows + RIM - 1) * self.width + columns + RIM - 1

    def read(self, picture: Readable) -> NDArray[Any]:
        """What stands there, (h, w) or (C, h, w), in the type of the picture's array."""
        array, order = picture.array, picture.order
        if order == 0 or (order == 3 and self.are_pixels):  # no field is the identity exactly: a spline has to round
            return array.reshape(*array.shape[:-2], -1).take(self.nearest, axis=-1)
        # bilinear in 64 bits: in 32 it would go a little below the least and above the largest of the pixels
        weights = _linear(self.behind) if order == 1 else _spline(self.behind.astype(picture.planes.dtype))
        read = np.stack([self._mean(plane.ravel(), weights) for plane in picture.planes])
        return _as_type(read.reshape(*array.shape[:-2], *self.first.shape), array.dtype)

    def _mean(self, pixels: NDArray[Any], weights: Sequence[NDArray[Any]]) -> NDArray[Any]:
        """The weighted mean of 4×4 pixels around each place, or of the inner 2×2; the weights are (down, right)."""
        taps = list(enumerate(weights, start=2 - len(weights) // 2))
        return sum(  # no pixel is outside, so nothing is wrapped: it is the quickest mode
            down * sum(right * pixels[i * self.width + j :].take(self.first, mode="wrap") for j, (_, right) in taps)
            for i, (down, _) in taps
        )


def _linear(t: NDArray[Any]) -> list[NDArray[Any]]:
    """The weights of the two pixels before and behind a place, t behind the first."""
    return [1 - t, t]


def _spline(t: NDArray[Any]) -> list[NDArray[Any]]:
    """The weights of the two pixels before a place and the two behind, t behind the second: a cubic B-spline."""
    s = 1 - t
    return [s * s * s / 6, 2 / 3 - t * t * (1 - t / 2), 2 / 3 - s * s * (1 - s / 2), t * t * t / 6]


def _mirrored(places: NDArray[np.float64], size: int) -> NDArray[np.float64]:
    """Places on an endless line of mirror images, brought back to 0 … size − 1. The edge is not doubled."""
    if size == 1:
        return np.zeros_like(places)
    around = 2 * (size - 1)  # there and back
    return np.abs(places - around * np.rint(places * (1 / around)))


def _as_type(values: NDArray[Any], dtype: np.dtype[Any]) -> NDArray[Any]:
    if values.dtype != dtype and dtype.kind in "biu":
        low, high = (0, 1) if dtype.kind == "b" else (np.iinfo(dtype).min, np.iinfo(dtype).max)
        values = np.clip(np.rint(values), low, high)
    return values.astype(dtype, copy=False)


def _planes(name: str, value: ArrayLike) -> NDArray[Any]:
    """`value` as an array (H, W) or (C, H, W)."""
    array = numbers(name, value)
    if array.ndim not in (2, 3) or 0 in array.shape:
        raise ValueError(f"{name}: expected shape (H, W) or (C, H, W), at least one pixel, got {array.shape}")
    return array
