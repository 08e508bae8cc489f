"""How far a student is in a notebook of exercises: one line an exercise, the points, and what to do next.

Nothing is remembered. `progress` checks the functions that the notebook has now, so after a restart, or after a change,
no old verdict counts.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from html import escape

from unet_edu.checks import check
from unet_edu.checks.report import LINES, SYMBOLS

__all__ = ["Progress", "Standing", "progress"]

ALL_RIGHT = "All are right. A grader tries other cases, too."
WHAT_TO_DO = {
    "failed": "Its check says what to think about.",
    "not yet": "Nothing is written there yet.",
    "not found": "There is no function of this name yet: run its cell.",
}
AS_RUN = "Each function counts as it was when its cell last ran: after a change, run that cell and then this one."


@dataclass(frozen=True)
class Standing:
    """How an exercise stands.

    Parameters
    ----------
    exercise : str
    status : str
        What `check` says: passed, failed, or not yet. Or "not found", when there is no such function.
    earned, points : float
        What it earns by these cases, and what it is worth.
    """

    exercise: str
    status: str
    earned: float
    points: float

    @property
    def symbol(self) -> str:
        return SYMBOLS.get(self.status, "○")


@dataclass(frozen=True, repr=False)
class Progress:
    """How all exercises of a notebook stand. As the last line of a cell it shows itself."""

    lesson: str
    standings: tuple[Standing, ...]

    @property
    def earned(self) -> float:
        return sum(standing.earned for standing in self.standings)

    @property
    def points(self) -> float:
        return sum(standing.points for standing in self.standings)

    @property
    def following(self) -> Standing | None:
        """The first exercise that is not right yet."""
        return next((standing for standing in self.standings if standing.status != "passed"), None)

    def lines(self) -> list[str]:
        """The sum, then a line for each exercise."""
        wide = max(len(standing.exercise) for standing in self.standings)
        rows = [
            f"  {each.symbol} {each.exercise:{wide}}  {each.status:9}  {each.earned:g} of {each.points:g}"
            for each in self.standings
        ]
        return [self._title(), *rows]

    def __repr__(self) -> str:
        return "\n".join([*self.lines(), *self._advice()])

    def _repr_html_(self) -> str:
        """A table whose rows say in words what their symbols mean; its colours are the page's own, light or dark."""
        cell = "text-align:left;padding:.15em 1.2em .15em 0;color:inherit;background:none"
        head = "".join(f'<th scope="col" style="{cell}">{name}</th>' for name in ("exercise", "check", "points"))
        rows = "".join(
            f'<tr><th scope="row" style="{cell};font-weight:normal"><code>{escape(each.exercise)}</code></th>'
            f'<td style="{cell}">{each.symbol} {each.status}</td>'
            f'<td style="{cell}">{each.earned:g} of {each.points:g}</td></tr>'
            for each in self.standings
        )
        caption = (
            f'<caption style="{cell};caption-side:top;white-space:nowrap"><strong>{self._title()}</strong></caption>'
        )
        table = (
            f'<table style="margin:0;border-collapse:collapse">{caption}'
            f"<thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"
        )
        advice = "".join(f'<div style="margin-top:.4em">{escape(line)}</div>' for line in self._advice())
        edge = f"border-left:4px solid {LINES['not yet' if self.following else 'passed']}"
        return f'<div style="{edge};padding:.2em 0 .2em .8em;max-width:60em;overflow-x:auto">{table}{advice}</div>'

    def _title(self) -> str:
        return f"Exercises {self.lesson}: {self.earned:g} of {self.points:g} points so far"

    def _advice(self) -> Iterator[str]:
        """What to do next, and what is being counted."""
        if self.following is None:
            yield ALL_RIGHT
        else:
            yield f"Next: {self.following.exercise}. {WHAT_TO_DO[self.following.status]}"
            yield AS_RUN


def progress(lesson: str, points: Mapping[str, float] | None = None) -> Progress:
    """Check all exercises of a notebook at once: the functions that have their names where `progress` is called.

    Parameters
    ----------
    lesson : str
        Its number, as in "02".
    points : mapping of str to float, optional
        Some of the lesson's exercises and what each is worth. Without it: all of them, with the course's points.

    Returns
    -------
    Progress
        As the last line of a notebook's cell it shows itself.

    Raises
    ------
    ValueError
        When there is no such lesson, or it has no such exercise.

    Examples
    --------
    >>> def out_size(i, k, s=1, p=0, d=1): raise NotImplementedError
    >>> progress("02", {"out_size": 2}).earned
    0.0
    """
    from unet_edu.lessons import LESSONS  # not at the top: lessons are made of exercises

    known = {each.number: {exercise.name: exercise.points for exercise in each.exercises} for each in LESSONS}
    if lesson not in known:
        raise ValueError(f'lesson: expected one of {", ".join(known)}, as in progress("02"), got {lesson!r}')
    worth = known[lesson] if points is None else points
    strange = [name for name in worth if name not in known[lesson]]
    if strange or not worth:
        raise ValueError(f"points: expected some of {', '.join(known[lesson])}, got {', '.join(strange) or 'none'}")
    here = inspect.currentframe()
    assert here is not None and here.f_back is not None  # Python has frames
    names = here.f_back.f_globals  # the notebook's, without asking which program runs it
    return Progress(lesson, tuple(_standing(name, each, names) for name, each in worth.items()))


def _standing(name: str, points: float, names: Mapping[str, object]) -> Standing:
    function = names.get(name)
    if not callable(function):
        return Standing(name, "not found", 0.0, points)
    result = check(function, name)
    return Standing(name, result.status, result.earned(points), points)
