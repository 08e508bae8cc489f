"""Arrays that are cut, moved, turned, filled and added up: what the rows of `changes` and `matrices` are made of.

Where an array has no such axis (the channels of a plane), this raises `NoSuchAxisError`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Shape = tuple[int, ...]

ROW, COLUMN, CHANNEL, IMAGE = -2, -1, -3, -4  # the axis that counts them
FIRST, LAST, SECOND = slice(1), slice(-1, None), slice(1, None, 2)
Where = tuple[int, slice]  # some of all along an axis
BORDER: Sequence[Where] = ((ROW, FIRST), (ROW, LAST), (COLUMN, FIRST), (COLUMN, LAST))


class NoSuchAxisError(Exception):
    """An array has no such axis."""


def row(a: Array) -> Array:
    """The array; a single number is none."""
    if not a.ndim:
        raise ValueError("a single number")
    return a


def plane(a: Array, axes: int = 2) -> Array:
    """The array, if it has rows and columns."""
    if a.ndim < axes:
        raise NoSuchAxisError(f"{a.ndim} axes, and not {axes}")
    return a


def planes(a: Array) -> Array:
    """The array, if it has channels."""
    return plane(a, 3)


def images(a: Array) -> Array:
    """The array, if it has images."""
    return plane(a, 4)


# --- parts ------------------------------------------------------------------------------------------------------------


def places(shape: Shape, *where: Where) -> Array:
    """Which places of an array lie in some of its rows, columns, channels …, as True and False."""
    chosen = np.zeros(shape, bool)
    for axis, some in where:
        if len(shape) < -axis:
            raise NoSuchAxisError(f"{len(shape)} axes, and not {-axis}")
        np.moveaxis(chosen, axis, 0)[some] = True
    return chosen


def emptied(*where: Where) -> Callable[[Array], Array]:
    """Zeros there."""

    def of(a: Array) -> Array:
        left = row(a).copy()
        left[places(a.shape, *where)] = 0
        return left

    return of


def only(*where: Where) -> Callable[[Array], Array]:
    """Zeros everywhere else."""

    def of(a: Array) -> Array:
        left, there = np.zeros_like(row(a)), places(a.shape, *where)
        left[there] = a[there]
        return left

    return of


def only_number(n: int) -> Callable[[Array], Array]:
    """Zeros, but for one number."""
    return lambda a: np.where(np.arange(row(a).size).reshape(a.shape) == n % a.size, a, 0)


def repeated(axis: int, n: int) -> Callable[[Array], Array]:
    """One row, channel, image … in place of each."""
    return lambda a: np.repeat(np.take(plane(a, max(2, -axis)), [n], axis), a.shape[axis], axis)


def diagonal(a: Array) -> Array:
    """Where row and column have the same number, as True and False."""
    return np.eye(*a.shape[-2:], dtype=bool)


# --- other places -----------------------------------------------------------------------------------------------------


def moved(down: int, right: int) -> Callable[[Array], Array]:
    """Everything in another place; zeros come in."""
    come_in = [(axis, slice(n) if n > 0 else slice(n, None)) for axis, n in ((ROW, down), (COLUMN, right)) if n]
    return lambda a: emptied(*come_in)(np.roll(plane(a), (down, right), (ROW, COLUMN)))


def padded(top: int, bottom: int, left: int, right: int) -> Callable[[Array], Array]:
    """Rows and columns of zeros around each plane."""
    return lambda a: np.pad(plane(a), [(0, 0)] * (a.ndim - 2) + [(top, bottom), (left, right)])


def transposed(a: Array) -> Array:
    return np.swapaxes(plane(a), ROW, COLUMN)


def quarter(turns: int) -> Callable[[Array], Array]:
    """Each plane turned by quarters, against the clock."""
    return lambda a: np.rot90(plane(a), turns, (ROW, COLUMN))


def column_by_column(a: Array) -> Array:
    """The numbers read down the columns, and written along the rows."""
    return transposed(a).reshape(a.shape)


def in_one_row(a: Array, order: Any = "C") -> Array:
    if a.ndim < 2:
        raise ValueError("it is one, or a single number")
    return a.ravel(order)


def in_order(a: Array) -> Array:
    return np.sort(row(a), axis=None).reshape(a.shape)


def read_in(order: tuple[int, ...], a: Array) -> Array:
    """The numbers read in another order of the axes."""
    return a.transpose(order).reshape(a.shape)


def taken_as(order: tuple[int, ...], a: Array) -> Array:
    """The numbers as they come, taken as if the axes stood in another order."""
    return a.reshape([a.shape[axis] for axis in order]).transpose(np.argsort(order))


# --- other numbers ----------------------------------------------------------------------------------------------------


def marked(is_marked: Callable[[Array], Array]) -> Callable[[Array], Array]:
    """1 and 0, of the array's own type."""
    return lambda a: is_marked(a).astype(a.dtype)


def softmax(a: Array) -> Array:
    """Over the channels of images."""
    e = np.exp(a - planes(a).max(CHANNEL, keepdims=True))
    return np.asarray(e / e.sum(CHANNEL, keepdims=True))


def summed(a: Array) -> Array:
    """Each number with all before it."""
    return np.cumsum(row(a)).reshape(a.shape)


def summed_from_the_last_channel(a: Array) -> Array:
    return np.cumsum(planes(a)[..., ::-1, :, :], CHANNEL)[..., ::-1, :, :]


def in_each_place(how: Callable[..., Any], axis: int, a: Array) -> Array:
    """The sum, mean … along an axis, in place of each number that is in it."""
    return np.broadcast_to(how(row(a), axis=axis, keepdims=True), a.shape)
