"""What reaches what: a linear function is asked for its answers to single 1s, which are the columns of its matrix.

This is the course's own view of a convolution. What is said of a wrong function is a row of `unet_edu.checks.matrices`,
and is true where exactly that row makes the student's matrix of the right one.
"""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from unet_edu.checks.answer import attempt
from unet_edu.checks.arrays import Array
from unet_edu.checks.exercise import Case, Exercise, SingleOnes
from unet_edu.checks.fault import same
from unet_edu.checks.matrices import VAGUE, Reach, Statement, statements
from unet_edu.checks.seen import Diagnosis, Question, Seen, inputs_of

__all__ = ["single_ones", "what_reaches_what"]

LARGEST = 42  # numbers in the input that is asked for single 1s
LARGEST_OF_ALL = 256  # … of which only ours is made, to see whether a sentence is true there, too
MOST_CASES, MOST_CALLS = 3, 120
ASKED = "We put a single 1 into {x}, at each place in turn, to see what it reaches in your answer. "


def single_ones(exercise: Exercise, cases: Sequence[Case]) -> list[Case]:
    """A few of the cases, which ask a linear function for its matrix: other settings in each, and large."""
    names = list(inspect.signature(exercise.reference).parameters)
    if exercise.linear not in names:
        return []
    place = names.index(exercise.linear)
    left = [c for c in cases if c.probe is None and len(c.args) > place and 1 < np.size(c.args[place]) <= LARGEST]
    found: list[Case] = []
    while left and len(found) < MOST_CASES:
        known = {name for case in found for name in case.kwargs}
        best = max(left, key=lambda case: _telling(case, place, known))
        left.remove(best)
        if sum(1 + c.args[place].size for c in (*found, best)) <= MOST_CALLS:
            found.append(best)
    return [replace(case, name=f"single 1s: {case.name}", group="asked", probe=SingleOnes(place)) for case in found]


def _telling(case: Case, place: int, known: set[str]) -> tuple[Any, ...]:
    """How much a case tells: new settings first; then weights that all differ; then another height than width; size."""
    x: Array = case.args[place]
    H, W = (1, 1, *x.shape)[-2:]
    is_drawn = any(isinstance(a, np.ndarray) and a.dtype.kind == "f" for a in case.args)
    return len(set(case.kwargs) - known), is_drawn, min(H, W) > 1, H != W, x.size


@np.errstate(all="ignore")  # a student's infinity is wrong, and nothing to warn of
def what_reaches_what(seen: Seen, is_precise: bool = True) -> Diagnosis | None:
    """What is wrong with the matrix of a linear function; None when the function is not linear, or nothing is found.

    Parameters
    ----------
    seen : Seen
    is_precise : bool
        Whether only what determines the answers is said, or else what is true of them, too.
    """
    told = [(question, reach) for question in seen.probed if (reach := _reach(seen.exercise, question)) is not None]
    reaches = [reach for _, reach in told]
    if all(question.is_right for question, _ in told):
        return None
    is_linear = all(_is_linear(seen, question, reach) for question, reach in told)
    if not is_linear and is_precise:
        return None
    rows = statements(_are_stamps(reaches)) if is_precise else VAGUE if is_linear else VAGUE[:1]
    for statement in rows:
        if _holds(statement, reaches) and _is_so_elsewhere(seen, statement):
            examples = (statement.example(reach) for reach in reaches if statement.is_true(reach))
            sees, asks = (
                text.replace("{x}", seen.exercise.linear)
                for text in (ASKED + statement.sees + next(filter(None, examples), ""), statement.asks)
            )
            return Diagnosis("reach", sees, asks, partial(_verdict, seen.exercise, statement))
    return None


def _reach(exercise: Exercise, question: Question) -> Reach | None:
    """The matrices, of the answers to single 1s; None of any others."""
    yours, right = question.yours, question.right
    if not isinstance(question.case.probe, SingleOnes) or yours is None or yours.shape[:1] != right.shape[:1]:
        return None
    ours, mine = (
        (stack[1:] - stack[0]).reshape(len(stack) - 1, stack[0].size).T
        for stack in (right.astype(float), yours.astype(float))
    )
    inside = np.shape(inputs_of(exercise, question.case)[exercise.linear])
    return Reach(ours, mine, (right[0], yours[0]), right[0].shape, inside)


@np.errstate(all="ignore")
def _verdict(exercise: Exercise, statement: Statement, question: Question) -> bool | None:
    reach = _reach(exercise, question)
    return None if reach is None else statement.is_true(reach)


def _holds(statement: Statement, reaches: Sequence[Reach]) -> bool:
    is_one = False
    for reach in reaches:
        verdict = statement.is_true(reach)
        if verdict is False:
            return False
        is_one |= verdict is True
    return is_one


def _is_so_elsewhere(seen: Seen, statement: Statement) -> bool:
    """Whether the answers to other cases are what a statement makes of the right matrix: it may be true of our single
    1s alone, as where all their kernels are of 3×3, or their padding is 1."""
    for question in seen.telling:
        x = inputs_of(seen.exercise, question.case)[seen.exercise.linear]
        reach = _right_reach(seen.exercise, question) if question.is_own and np.size(x) <= LARGEST_OF_ALL else None
        matrix = None if reach is None else statement.of(reach)
        yours = question.yours
        if reach is not None and matrix is not None and yours is not None and np.isfinite(yours).all():
            answer = matrix @ np.ravel(x).astype(float) + reach.zeros[0].ravel()
            if not same(np.ravel(yours), answer):
                return False
    return True


def _right_reach(exercise: Exercise, question: Question) -> Reach | None:
    """The right matrix of a case, in the place of both."""
    place = list(inspect.signature(exercise.reference).parameters).index(exercise.linear)
    case = replace(question.case, probe=SingleOnes(place))
    right = attempt(exercise.reference, case)
    return None if right.value is None else _reach(exercise, Question(case, right, right.value))


def _is_linear(seen: Seen, question: Question, reach: Reach) -> bool:
    """Whether the answers to single 1s say what the answer to the case is from which they come."""
    origin = next((q for q in seen.cases if q.case.args is question.case.args and not q.case.probe), None)
    if origin is None or origin.yours is None:
        return True
    x = np.ravel(inputs_of(seen.exercise, origin.case)[seen.exercise.linear]).astype(float)
    answer = np.reshape(reach.yours @ x, reach.zeros[1].shape) + reach.zeros[1]
    return same(origin.yours, answer)


def _are_stamps(reaches: Sequence[Reach]) -> bool:
    """Whether each number of the input is better seen as a stamp than each of the answer as a window."""
    stamps, windows = (
        sum(w is not None for w in ws) for ws in zip(*((r.lands, r.reads) for r in reaches), strict=True)
    )
    larger = sum(r.ours.shape[0] for r in reaches) > sum(r.ours.shape[1] for r in reaches)
    return stamps >= windows if larger else windows == 0
