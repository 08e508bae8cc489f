"""*Your turn*: a few lines that the reader of a lesson writes, and what is said of them at once. Nothing is graded."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from unet_edu.checks.fault import different
from unet_edu.checks.quiz import as_html

__all__ = ["Turn", "turn"]

NOTHING_YET = "write your lines above, then run the cell again."
MOST_SHOWN = 36  # numbers of an array that are written out

Hints = str | Mapping[str, tuple[ArrayLike | str, str] | str]


class Turn:
    """What is said of the reader's lines. As the last line of a notebook's cell it shows itself."""

    def __init__(self, status: Literal["passed", "failed", "not yet"], message: str, hint: str = "") -> None:
        self.status, self.message, self.hint = status, message, hint

    @property
    def passed(self) -> bool:
        return self.status == "passed"

    def __repr__(self) -> str:
        return "\n".join([f"{self._sign}: {self.message}", *([f"Hint: {self.hint}"] if self.hint else [])])

    def _repr_html_(self) -> str:
        from unet_edu.checks.report import LINES, SYMBOLS  # not at the top: they draw with matplotlib's colours

        said = f"<strong>{SYMBOLS[self.status]} {self._sign}:</strong> {escape(self.message)}"
        hint = f'<div style="margin-top:.4em"><strong>Hint.</strong> {as_html(self.hint)}</div>' if self.hint else ""
        style = f"border-left:4px solid {LINES[self.status]};padding:.2em 0 .2em .8em;max-width:60em"
        return f'<div style="{style}"><div style="white-space:pre-wrap">{said}</div>{hint}</div>'

    @property
    def _sign(self) -> str:
        return "Yes" if self.passed else "Not yet"


def turn(yours: Any, wanted: ArrayLike | str, hint: Hints = "", *, tell: bool = True) -> Turn:
    """Say whether a few lines of the reader give what is wanted.

    Parameters
    ----------
    yours : number, array, sequence of numbers, or str
        None or ... as long as the lines are not written.
    wanted : number, array, sequence of numbers, or str
    hint : str, or mapping from a mistake's name to (value, sentence)
        What to think about, where it is wrong. Of a mapping, the sentence of the mistake whose value the reader got; a
        sentence without a value is for all other mistakes.
    tell : bool
        Whether to show what is wanted, too. Not where a number would have to be copied only.

    Returns
    -------
    Turn
        As the last line of a notebook's cell it shows itself.

    Examples
    --------
    >>> turn(None, 122)
    Not yet: write your lines above, then run the cell again.
    >>> turn(110, 122, {"turned": (119, "Is w upside down?"), "other": "Is a product missing?"}, tell=False)
    Not yet: you got 110.
    Hint: Is a product missing?
    >>> turn([[1, 2]], [[1, 2]])
    Yes: [[1, 2]].
    """
    if yours is None or yours is ...:
        return Turn("not yet", NOTHING_YET)
    if _same(yours, wanted):
        return Turn("passed", f"{_written(wanted)}.")
    return Turn("failed", _told(yours, wanted, tell), _hint(yours, hint))


def _hint(yours: Any, hint: Hints) -> str:
    if isinstance(hint, str):
        return hint
    for said in hint.values():
        if isinstance(said, tuple) and _same(yours, said[0]):
            return said[1]
    return next((said for said in hint.values() if isinstance(said, str)), "")


def _told(yours: Any, wanted: ArrayLike | str, tell: bool) -> str:
    """What came out, and what should have, as far as one may say so."""
    is_array = not isinstance(wanted, str) and np.ndim(wanted) > 0
    mine = _array(yours)
    if mine is None and not isinstance(wanted, str):
        return f"you got {_short(yours)}, and it should be {'an array of numbers' if is_array else 'a number'}."
    if is_array and mine is not None and mine.shape != np.shape(wanted):
        return f"your shape is {mine.shape}, and it should be {tuple(np.shape(wanted))}."
    said = f"you got {_written(yours)}"
    if is_array and mine is not None and mine.size > 1:
        wrong = different(mine, np.asarray(wanted))
        place = tuple(map(int, np.argwhere(wrong)[0]))
        where = f"the first at {list(place)}" if wrong.sum() > 1 else f"at {list(place)}"
        said += f"; {int(wrong.sum())} of {wrong.size} numbers differ, {where}"
    return f"{said}.\nWanted: {_written(wanted)}." if tell else f"{said}."


def _same(yours: Any, wanted: ArrayLike | str) -> bool:
    if isinstance(wanted, str) or isinstance(yours, str):
        return isinstance(yours, str) and isinstance(wanted, str) and yours.strip().lower() == wanted.strip().lower()
    mine = _array(yours)
    return mine is not None and mine.shape == np.shape(wanted) and not different(mine, np.asarray(wanted)).any()


def _array(value: Any) -> NDArray[Any] | None:
    """The numbers of a value, if it is made of numbers; those of PyTorch, too."""
    try:
        array = np.asarray(value.detach() if hasattr(value, "detach") else value)
    except (TypeError, ValueError, RuntimeError):  # ragged lists, tensors of another device
        return None
    return array if array.dtype.kind in "biuf" else None


def _written(value: Any) -> str:
    array = _array(value)
    if array is None:
        return _short(value)
    if array.size > MOST_SHOWN:
        return f"an array of shape {array.shape}, from {array.min():.4g} to {array.max():.4g}"
    numbers = (
        array if array.dtype.kind in "biu" else np.round(array.astype(float), 4) + 0.0
    )  # as float32 it would have digits again
    return str(numbers.tolist()).replace("-", "−")


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"a {type(value).__name__}"
