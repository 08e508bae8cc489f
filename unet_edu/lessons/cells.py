"""Masks of cells for the cases of lessons 07 and 09: rectangles, drawn anew for each seed."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Box", "apart", "painted"]

Array = NDArray[Any]
Box = tuple[int, int, int, int]  # top, left, height, width


def apart(rng: np.random.Generator, rows: int, columns: int) -> tuple[tuple[int, int], list[Box], list[Box]]:
    """The shape of an image, cells in rows and columns, and for each cell the field in which it lies.

    Each cell is less than half of its field and has a free pixel on each side in it; the fields fill the image.
    """
    heights, widths = rng.integers(7, 10, rows).tolist(), rng.integers(7, 10, columns).tolist()
    cells, fields = [], []
    for i, H in enumerate(heights):
        for j, W in enumerate(widths):
            height, width = rng.integers(3, (H - 2, W - 2)).tolist()
            top, left = sum(heights[:i]), sum(widths[:j])
            fields.append((top, left, H, W))
            down, right = rng.integers(1, (H - height, W - width)).tolist()
            cells.append((top + down, left + right, height, width))
    return (sum(heights), sum(widths)), cells, fields


def painted(rng: np.random.Generator, shape: tuple[int, int], boxes: list[Box]) -> Array:
    """Rectangles as cells, with numbers in any order and some left out. Later ones cover earlier ones."""
    instances = np.zeros(shape, np.int32)
    numbers = rng.permutation(np.arange(1, 3 * len(boxes) + 1))
    for number, (top, left, height, width) in zip(numbers, boxes, strict=False):
        instances[top : top + height, left : left + width] = number
    return instances
