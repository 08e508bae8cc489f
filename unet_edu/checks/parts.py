"""The parts of an array that a loop may leave out, in words, and what to think about."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from unet_edu.checks.arrays import (
    BORDER,
    CHANNEL,
    COLUMN,
    FIRST,
    IMAGE,
    LAST,
    ROW,
    SECOND,
    Array,
    NoSuchAxisError,
    Shape,
    Where,
    places,
)
from unet_edu.checks.changes import LOOP, RESET, START

__all__ = ["PARTS", "Part"]

STEP = "By how much does your loop go on, from one step to the next?"

Part = Callable[[Shape], Array | None]


def _part(*where: Where, but: bool = False) -> Part:
    """Which numbers of an array lie there, with `but` which do not; None where there is no such axis."""

    def of(shape: Shape) -> Array | None:
        try:
            return (places(shape, *where) ^ but).ravel()
        except NoSuchAxisError:
            return None

    return of


def _number(n: int, but: bool = False) -> Part:
    return lambda shape: (np.arange(np.prod(shape)) == n % np.prod(shape)) ^ but


PARTS: Sequence[tuple[str, Part, str]] = (
    ("all of it", _part(but=True), "Where is the result stored, and when?"),
    ("its last row", _part((ROW, LAST)), START),
    ("its last column", _part((COLUMN, LAST)), START),
    ("its first row", _part((ROW, FIRST)), START),
    ("its first column", _part((COLUMN, FIRST)), START),
    ("its last row and its last column", _part((ROW, LAST), (COLUMN, LAST)), START),
    ("its first row and its first column", _part((ROW, FIRST), (COLUMN, FIRST)), START),
    ("its border", _part(*BORDER), START),
    ("all its rows but the first", _part((ROW, FIRST), but=True), LOOP),
    ("all its columns but the first", _part((COLUMN, FIRST), but=True), LOOP),
    ("all its rows but the last", _part((ROW, LAST), but=True), RESET),
    ("all its columns but the last", _part((COLUMN, LAST), but=True), RESET),
    ("all its channels but the first", _part((CHANNEL, FIRST), but=True), LOOP),
    ("all its channels but the last", _part((CHANNEL, LAST), but=True), RESET),
    ("its last channel", _part((CHANNEL, LAST)), START),
    ("its first channel", _part((CHANNEL, FIRST)), START),
    ("all its images but the first", _part((IMAGE, FIRST), but=True), LOOP),
    ("all its images but the last", _part((IMAGE, LAST), but=True), RESET),
    ("its last image", _part((IMAGE, LAST)), START),
    ("every second row of it", _part((ROW, SECOND)), STEP),
    ("every second column of it", _part((COLUMN, SECOND)), STEP),
    ("all its numbers but the first", _number(0, but=True), LOOP),
    ("all its numbers but the last", _number(-1, but=True), RESET),
    ("its first number", _number(0), START),
    ("its last number", _number(-1), START),
)
