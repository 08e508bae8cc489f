"""What an exercise earns: the same rule in a student's notebook, in a terminal and for a mark."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from numpy.typing import NDArray

from unet_edu.checks.exercise import Answer, Case, Exercise, attempt, same

__all__ = ["score"]


def score(
    exercise: Exercise,
    points: float,
    cases: Sequence[Case],
    right: Sequence[bool],
    ask: Callable[[Callable[..., Any], Case], Answer] = attempt,
) -> float:
    """What an exercise earns, from what is right.

    All cases right: all points. Every case of the notebook right, and at least half of the fresh ones: half of the points. Else nothing.
    Fresh cases whose right answers are alike count as one, and only together: who always returns 0 is right wherever the answer is 0, and has
    understood nothing. An exercise with few possible inputs has no half: a table that holds many of them would earn it.

    Parameters
    ----------
    exercise : Exercise
    points : float
        What it is worth.
    cases : sequence of Case
    right : sequence of bool
        For each case, whether the answer is right.
    ask : callable
        How the reference is called, as for `judge`.

    Returns
    -------
    float
        `points`, half of them, or 0.
    """
    if all(right):
        return points
    if not exercise.has_half or not all(
        good for case, good in zip(cases, right, strict=True) if case.group == "visible"
    ):
        return 0.0
    groups = _groups(exercise, cases, ask)
    whole = sum(all(right[n] for n in group) for group in groups)
    return points / 2 if 2 * whole >= len(groups) else 0.0


def _groups(
    exercise: Exercise, cases: Sequence[Case], ask: Callable[[Callable[..., Any], Case], Answer]
) -> list[list[int]]:
    """The fresh cases, by their numbers; those whose right answers are alike stand together."""
    expected = [ask(exercise.reference, case).value for case in cases]
    groups: list[list[int]] = []
    for n, case in enumerate(cases):
        if case.group == "visible":
            continue
        group = next((group for group in groups if _alike(expected[group[0]], expected[n])), None)
        if group is None:
            groups.append([n])
        else:
            group.append(n)
    return groups


def _alike(a: NDArray[Any] | None, b: NDArray[Any] | None) -> bool:
    """Whether two right answers are the same, or are filled with the same single number."""
    if a is None or b is None:  # no reference is so: `judge` raises
        return False
    return same(a, b) or (a.size > 0 and b.size > 0 and bool((a == a.flat[0]).all() and (b == a.flat[0]).all()))
