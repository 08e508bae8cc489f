"""The library's own version of what the reader of a lesson has just written."""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Callable
from html import escape
from typing import Any

__all__ = ["Ours", "ours"]


class Ours:
    """The source of functions, in a closed line. As the last line of a notebook's cell it shows itself."""

    def __init__(self, *functions: Callable[..., Any] | str) -> None:
        if not functions:
            raise ValueError("functions: expected at least one, got none")
        self.source = "\n\n".join(_source(_reference(each) if isinstance(each, str) else each) for each in functions)

    def __repr__(self) -> str:
        return self.source

    def _repr_html_(self) -> str:
        return (
            '<details class="unet-ours"><summary>Compare with ours</summary>'
            f"<pre><code>{escape(self.source)}</code></pre></details>"
        )


def ours(*functions: Callable[..., Any] | str) -> Ours:
    """Show how the library does it, to whoever opens the line "Compare with ours".

    Parameters
    ----------
    *functions : functions of the library, or names of exercises

    Returns
    -------
    Ours
        As the last line of a notebook's cell it shows itself: what runs, and the first line of what is said of it.

    Raises
    ------
    ValueError
        When there is no function, or no exercise of that name.
    """
    return Ours(*functions)


def _reference(name: str) -> Callable[..., Any]:
    from unet_edu.lessons import EXERCISES  # not at the top: that module imports this one

    if name not in EXERCISES:
        raise ValueError(f"functions: expected the name of an exercise, got {name!r}")
    return EXERCISES[name].reference


def _source(function: Callable[..., Any]) -> str:
    """The code of a function, with the first line alone of its docstring."""
    source = textwrap.dedent(inspect.getsource(function)).rstrip()
    (definition,) = ast.parse(source).body
    body = getattr(definition, "body", [])
    said = ast.get_docstring(definition) if body else None  # type: ignore[arg-type]
    if not said:
        return source
    lines = source.splitlines()
    first, last = body[0].lineno - 1, body[0].end_lineno
    summary = said.partition("\n")[0]
    return "\n".join([*lines[:first], f'{" " * body[0].col_offset}"""{summary}"""', *lines[last:]])
