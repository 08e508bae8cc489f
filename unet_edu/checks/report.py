"""How the result of a check looks: a few lines in a terminal, a small picture in a notebook.

The pictures are HTML tables with dark numbers on light cells; all else has the notebook's own colours. So both themes
are legible, and the same result always gives the same text. Everything that comes from a student's function is escaped.
"""

from __future__ import annotations

from html import escape
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unet_edu.checks.exercise import Case, Exercise
from unet_edu.checks.fault import different, place_name
from unet_edu.checks.seen import Diagnosis, inputs_of
from unet_edu.checks.verdict import CheckResult
from unet_edu.figures.palette import INK, PAPER, ROLES

SYMBOLS = {"passed": "✓", "failed": "✗", "not yet": "○"}
LINES = {"passed": ROLES["output"].line, "failed": ROLES["error"].line, "not yet": ROLES["neutral"].line}
INPUT_ROLES = {
    **dict.fromkeys(("x", "logits", "mask", "prediction", "target"), "input"),
    **dict.fromkeys(("k", "w", "A"), "kernel"),
    **dict.fromkeys(("y", "dy"), "output"),
    "idx": "skip",
}
MOST_WHOLE = 16  # rows and columns of numbers that a table shows whole
MOST = 8  # … and of one that has more: it is cut around the place that matters
MOST_PLANES = 6
MOST_INLINE = 16  # numbers of an array within a sentence


def text(result: CheckResult) -> str:
    """The result in a few plain lines."""
    lines = [f"{SYMBOLS[result.status]} {result.exercise.name}: {result.status}. {result.message}"]
    if result.hint:
        lines.insert(1, f"Hint: {result.hint}")
    if result.found:
        lines.insert(1, f"What we see: {result.found.sees}\n{result.found.asks}")
    if result.case:
        inputs = inputs_of(result.exercise, result.case)
        words = [f"{name} = {_short(value, result.case)}" for name, value in inputs.items()]
        lines.append(f"Case: {result.case.name}, with {', '.join(words)}")
    return "\n".join(lines).replace("\n", "\n  ")


def html(result: CheckResult) -> str:
    """The result as a box with a coloured edge; on a failure, the case's inputs and yours beside expected."""
    title = f"<strong>{SYMBOLS[result.status]} {result.status}</strong> <code>{escape(result.exercise.name)}</code>"
    parts = [f"<div>{title}</div>"]
    if result.hint:
        parts.append(f'<div style="margin-top:.4em"><strong>Hint.</strong> {escape(result.hint)}</div>')
    if result.found:
        parts.append(_seen(result.found))
    parts.append(f'<div style="margin-top:.4em;white-space:pre-wrap">{escape(result.message)}</div>')
    if result.case:
        parts.append(_case(result.exercise, result.case, result.found))
    if result.yours is not None and result.expected is not None:
        parts.append(_comparison(result.exercise, result.yours, result.expected, result.index))
    edge = f"border-left:4px solid {LINES[result.status]}"
    return f'<div style="{edge};padding:.2em 0 .2em .8em;max-width:60em">{"".join(parts)}</div>'


def _seen(found: Diagnosis) -> str:
    """What we see in the answers, and what to think about."""
    sees = f"<strong>What we see.</strong> {escape(found.sees)}"
    asks = f'<div style="margin-top:.2em;font-style:italic">{escape(found.asks)}</div>'
    return f'<div style="margin-top:.4em">{sees}{asks}</div>'


def _short(value: Any, case: Case) -> str:
    """Numbers and lists as they are; arrays by their shape, but for small ones that the notebook prints, too."""
    if not isinstance(value, np.ndarray):
        return str(value)
    if case.group == "visible" and value.size <= MOST_INLINE:
        return str(value.tolist())
    return f"an array of shape {value.shape}"


def _case(exercise: Exercise, case: Case, found: Diagnosis | None) -> str:
    """The inputs. The visible cases' arrays are shown number by number, and beside them how they seem to be read."""
    words, tables = [], []
    read = found.reads(case) if found and found.reads else {}
    for name, value in inputs_of(exercise, case).items():
        if isinstance(value, np.ndarray) and case.group == "visible":
            role = INPUT_ROLES.get(name, "neutral")
            tables += [_table(caption, plane, ROLES[role].fill) for caption, plane in _planes(name, value)]
            if isinstance(other := read.get(name), np.ndarray) and other.size:
                seems = f"{name}, as your function seems to read it"
                tables.append(_table(seems, _first_plane(other), ROLES["neutral"].fill, None, _changed(value, other)))
        else:
            words.append(f"<code>{escape(name)}</code> = {escape(_short(value, case))}")
    return f'<div style="margin-top:.4em">Case: {", ".join([escape(case.name), *words])}</div>' + _row(tables)


def _comparison(exercise: Exercise, yours: NDArray[Any], expected: NDArray[Any], index: tuple[int, ...] | None) -> str:
    """Yours beside expected: the plane of the first number that differs, or the first planes when the shapes differ."""
    if yours.shape != expected.shape:
        part = f": {exercise.parts[0]}" if exercise.parts else ""
        pairs = (("yours", yours, "neutral"), (f"expected{part}", expected, "output"))
        return _row([_table(name, _first_plane(array), ROLES[role].fill) for name, array, role in pairs])
    if index is None or not yours.ndim:
        return ""  # the numbers are right and only their type is wrong; or there is but one, and the message has it
    parts = len(exercise.parts) > 0  # then the first number of the index says which
    lead, cell = (index[:-2], index[-2:]) if len(index) > 2 or not parts else (index[:1], index[1:])
    where = f": {exercise.parts[lead[0]]}" if exercise.parts else f"[{', '.join(map(str, lead))}]" if lead else ""
    wrong = different(yours[lead], expected[lead])
    tables = [
        _table(f"yours{where}", yours[lead], ROLES["neutral"].fill, cell, wrong),
        _table(f"expected{where}", expected[lead], ROLES["output"].fill, cell),
    ]
    outlined = f"Outlined: {place_name(exercise, index)}, the first that differs."
    return _row(tables) + f'<div style="font-size:85%">{outlined}</div>'


def _planes(name: str, array: NDArray[Any]) -> list[tuple[str, NDArray[Any]]]:
    """The array's planes and their names: x, or x[0, 0], x[0, 1], …"""
    if array.ndim <= 2:
        return [(name, array)]
    leads = list(np.ndindex(array.shape[:-2]))[:MOST_PLANES]
    return [(f"{name}[{', '.join(map(str, lead))}]", array[lead]) for lead in leads]


def _changed(value: NDArray[Any], other: NDArray[Any]) -> NDArray[np.bool_] | None:
    """Where the first plane of an input is read otherwise."""
    one, two = _first_plane(value), _first_plane(other)
    return different(two, one) if one.shape == two.shape else None


def _first_plane(array: NDArray[Any]) -> NDArray[Any]:
    return array.reshape(-1, *array.shape[-2:])[0] if array.ndim > 2 and array.size else array


def _row(tables: list[str]) -> str:
    return f'<div style="overflow-x:auto">{"".join(tables)}</div>' if tables else ""


def _table(
    caption: str,
    plane: NDArray[Any],
    fill: str,
    place: tuple[int, ...] | None = None,
    wrong: NDArray[np.bool_] | None = None,
) -> str:
    """A plane, a row or a number as a table, `place` outlined and the wrong cells in the colour of errors."""
    plane = np.atleast_2d(plane) if plane.size else np.empty((0, 0))
    row, column = (0,) * (2 - len(place)) + place if place is not None else (-1, -1)
    height, width = (n if n <= MOST_WHOLE else MOST for n in plane.shape)
    top, left = (
        max(0, min(row - height // 2, len(plane) - height)),
        max(0, min(column - width // 2, plane.shape[1] - width)),
    )
    cells = []
    for i, numbers in enumerate(plane[top : top + height, left : left + width], top):
        cells.append("<tr>")
        for j, number in enumerate(numbers, left):
            ground = ROLES["error"].fill if wrong is not None and np.atleast_2d(wrong)[i, j] else fill
            cells.append(_cell(number, ground, outlined=(i, j) == (row, column)))
        cells.append("</tr>")
    if (height, width) != plane.shape:
        caption += f", from [{top}, {left}]"
    style = "display:inline-table;margin:.4em 1.5em .2em 0;border-collapse:collapse;vertical-align:top;color:inherit"
    title = "caption-side:top;text-align:left;white-space:nowrap;color:inherit;padding:0"
    caption = f'<caption style="{title}">{escape(caption)}</caption>'
    return f'<table style="{style}">{caption}<tbody>{"".join(cells)}</tbody></table>'


def _cell(number: Any, ground: str, outlined: bool) -> str:
    border = f"3px solid {ROLES['error'].line};font-weight:bold" if outlined else f"1px solid {PAPER}"
    style = f"background:{ground};color:{INK};border:{border};padding:.2em .5em;text-align:right;min-width:1.6em"
    return f'<td style="{style}">{_number(number)}</td>'


def _number(value: Any) -> str:
    return f"{value:.4g}" if abs(value) < 1e4 else f"{value:.6g}"
