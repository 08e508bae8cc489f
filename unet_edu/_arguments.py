"""What the operators share: how they read their arguments.

Every operator takes one plane (H, W) or a batch (N, C, H, W), and settings that are one int for both directions or a
pair (rows, columns). An error names the argument, says what was expected and what came.
"""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

Size = int | Sequence[int]


def images_and_kernels(
    first: str, a: ArrayLike, b: ArrayLike, second: str = "w"
) -> tuple[NDArray[Any], NDArray[Any], bool]:
    """Both as 4-D arrays, and whether they came as planes."""
    a, b = numbers(first, a, ranks=(2, 4)), numbers(second, b, ranks=(2, 4))
    if a.ndim != b.ndim:
        raise ValueError(
            f"{second}: expected as many axes as {first}, which has shape {a.shape}, got shape {b.shape}; "
            "give two planes, or both with four axes"
        )
    for name, array in ((first, a), (second, b)):
        may_be_empty = array.ndim == 4 and name != "w"  # a batch, but no image and no kernel
        if 0 in array.shape[may_be_empty:]:
            raise ValueError(f"{name}: expected at least one number along each axis, got shape {array.shape}")
    return (a[None, None], b[None, None], True) if a.ndim == 2 else (a, b, False)


def images(name: str, value: ArrayLike) -> tuple[NDArray[Any], bool]:
    """`value` as a batch of images, and whether it came as one plane. The batch may be empty, an image may not."""
    array = numbers(name, value, ranks=(2, 4))
    if 0 in array.shape[array.ndim == 4 :]:
        raise ValueError(f"{name}: expected at least one number along each axis, got shape {array.shape}")
    return (array[None, None], True) if array.ndim == 2 else (array, False)


def biases(bias: ArrayLike, channels: int, is_plane: bool) -> NDArray[Any] | float:
    """One number for each output channel, or a plain number for a plane, which leaves float32 as it is."""
    array = numbers("bias", bias)
    if array.shape != (channels,) and not (is_plane and array.ndim == 0):
        expected = "one number" if is_plane else f"shape ({channels},), one number an output channel"
        raise ValueError(f"bias: expected {expected}, got shape {array.shape}")
    return array if array.ndim else array.item()


def numbers(name: str, value: ArrayLike, ranks: tuple[int, ...] = ()) -> NDArray[Any]:
    """`value` as an array of real numbers of one of the ranks."""
    try:
        array = np.asarray(value)
    except ValueError:
        raise ValueError(f"{name}: expected an array, got rows of different lengths") from None
    except (TypeError, RuntimeError) as error:  # such as a tensor that asks for gradients
        raise TypeError(f"{name}: expected an array, got {type(value).__name__} ({error})") from None
    if array.dtype.kind not in "biuf":
        raise TypeError(f"{name}: expected real numbers, got {type(value).__name__} of type {array.dtype}")
    if ranks and array.ndim not in ranks:
        raise ValueError(
            f"{name}: expected 2 axes (rows, columns) or 4 axes (batch or output channels, channels, rows, columns), "
            f"got shape {array.shape}; {name}[None, None] makes four axes of two"
        )
    return array


def dtype_of(*arrays: Any) -> np.dtype[Any]:
    """The type to compute in: floats as they are, integers and booleans as int64."""
    dtype = np.result_type(*arrays)
    return dtype if dtype.kind == "f" else np.result_type(dtype, np.int64)


def whole(name: str, value: Any, least: int) -> int:
    try:
        number = operator.index(value)
    except TypeError:
        raise TypeError(f"{name}: expected an int, got {value!r}") from None
    if number < least:
        raise ValueError(f"{name}: expected an int of at least {least}, got {number}")
    return number


def pair(name: str, value: Any, least: int) -> tuple[int, int]:
    """An int, or a pair of ints for rows and columns, as a pair."""
    # np.ndim(value) would break what torch.compile makes of the U-Net into pieces
    is_pair = isinstance(value, list | tuple) or (isinstance(value, np.ndarray) and value.ndim > 0)
    pair = tuple(value) if is_pair else (value, value)
    if len(pair) != 2:
        raise ValueError(f"{name}: expected one int or a pair (rows, columns), got {value!r}")
    return whole(name, pair[0], least), whole(name, pair[1], least)


def expect_shape(name: str, array: NDArray[Any], shape: tuple[int, ...], is_plane: bool) -> None:
    if array.shape != shape:
        axes = slice(2 if is_plane else 0, None)  # a plane is told its own two
        raise ValueError(f"{name}: expected shape {shape[axes]} for these sizes, got {array.shape[axes]}")
