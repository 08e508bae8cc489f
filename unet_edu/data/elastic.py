"""Elastic deformation: an image bent smoothly, and its labels with it. Lesson 07.

The field says for each output pixel where it looks:

    bent[i, j] = image[i + field[0, i, j], j + field[1, i, j]]

It comes from a coarse grid of arrows, 3×3 in the paper, and bicubic interpolation between them. The same field bends
the image, its labels and its weights. What differs is how a pixel is read that lies between four others: a cubic spline
for the image, the nearest pixel for labels, because a mean of two class numbers is a third class.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from unet_edu._arguments import numbers, pair, whole
from unet_edu.interpolation import interpolate

__all__ = ["displacement", "displacement_from", "sample_at", "warp"]

# Context with which a part of an image is turned into a spline: the error at its edge shrinks by 0.27 a pixel, to 1e-7.
CONTEXT = 12


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
    return sample_at(array, np.indices(array.shape[-2:]) + field, order=order)


def sample_at(array: NDArray[Any], coordinates: NDArray[np.float64], *, order: int) -> NDArray[Any]:
    """Read an array at any places, also between its pixels and, by its mirror image, beyond its edges.

    Only the part of the array is looked at that the places need, so that a small crop of a large frame is quick.

    Parameters
    ----------
    array : (H, W) or (C, H, W) array
    coordinates : (2, h, w) array
        Rows and columns, in pixels.
    order : 0, 1 or 3
        As for `warp`.

    Returns
    -------
    (h, w) or (C, h, w) array of the dtype of `array`

    Raises
    ------
    ValueError
        When `order` is another.
    """
    from scipy import ndimage  # slow to import, and only what is bent needs it

    if order not in (0, 1, 3):
        raise ValueError(f"order: expected 0 (nearest), 1 (bilinear) or 3 (cubic), got {order!r}")
    H, W = array.shape[-2:]
    places = np.stack([_mirrored(coordinates[0], H), _mirrored(coordinates[1], W)])
    if (places == np.rint(places)).all():  # nothing lies between pixels: no field is the identity exactly
        rows, columns = places.astype(np.intp)
        return array[..., rows, columns]
    low = np.maximum(np.floor(places.min(axis=(1, 2))).astype(int) - CONTEXT, 0)
    high = np.ceil(places.max(axis=(1, 2))).astype(int) + CONTEXT + 1
    part = array[..., low[0] : high[0], low[1] : high[1]].astype(np.float64 if order else array.dtype, copy=False)
    places -= low[:, None, None]
    planes = part.reshape(-1, *part.shape[-2:])
    read = np.stack([ndimage.map_coordinates(plane, places, order=order, mode="mirror") for plane in planes])
    return _as_type(read.reshape(*array.shape[:-2], *places.shape[1:]), array.dtype)


def _mirrored(places: NDArray[np.float64], size: int) -> NDArray[np.float64]:
    """Places on an endless line of mirror images, brought back to 0 … size − 1. The edge is not doubled."""
    last = size - 1
    if last == 0:
        return np.zeros_like(places)
    return last - np.abs(last - places % (2 * last))


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
