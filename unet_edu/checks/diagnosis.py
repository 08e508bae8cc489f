"""Why a function is wrong, where no known mistake explains it: the simplest description that is true of all answers.

A good teacher looks at *how* the answers differ. So do the layers, the simplest first; the first that finds something
is heard:

1. the same question, asked again, gets another answer (`where.in_which_calls`);
2. what was computed instead (`instead`), and inside of a network, where its path first leaves ours (`inside`);
3. what reaches what, of functions that are linear (`reach`);
4. in which cases it is wrong (`where.in_which_cases`);
5. at which places of the answers (`places`): something is always to be said of these.

A description is proven on all cases before it is said, and names no right answer. Everything happens outside of a
sandbox: from there come only the function's answers, to the cases and to what `more_cases` asks.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from unet_edu.checks.answer import Answer, attempt
from unet_edu.checks.exercise import Case, Exercise
from unet_edu.checks.inside import inside_cases, inside_the_network
from unet_edu.checks.instead import computed_instead
from unet_edu.checks.places import at_which_places
from unet_edu.checks.reach import single_ones, what_reaches_what
from unet_edu.checks.seen import Ask, Diagnosis, Question, Seen
from unet_edu.checks.verdict import CheckResult
from unet_edu.checks.where import in_which_calls, in_which_cases

__all__ = ["explained", "is_to_explain", "more_cases", "seen_in"]

AGAIN = 2  # so many cases are asked once more
DRAWS = 2  # so many further draws of the cases: what is true of one draw may be so by chance


def is_to_explain(result: CheckResult) -> bool:
    """Whether something is wrong of which neither a known mistake nor the message says enough."""
    return result.status == "failed" and not result.misconception and result.fault in ("shape", "values")


def more_cases(exercise: Exercise, cases: Sequence[Case], rng: np.random.Generator) -> list[Case]:
    """What else a function is asked, to find out why it is wrong: nothing of it is part of a mark.

    Parameters
    ----------
    exercise : Exercise
    cases : sequence of Case
        What it was asked. The first of them come again.
    rng : numpy.random.Generator
        For another draw of the cases, if no network is in them: those are built for seconds.

    Returns
    -------
    list of Case
    """
    more = list(cases[:AGAIN])
    if all(case.probe is None for case in cases):
        drawn = [case for _ in range(DRAWS) for case in exercise.cases(rng) if case.group == "extra"]
        more += [replace(case, group="asked") for case in drawn]
    return [*more, *single_ones(exercise, cases), *inside_cases(exercise, cases)]


def explained(
    result: CheckResult,
    answers: Sequence[Answer],
    more: Sequence[Case] = (),
    replies: Sequence[Answer] = (),
    ask: Ask = attempt,
) -> CheckResult:
    """The result with a diagnosis, where there is something to explain.

    Parameters
    ----------
    result : CheckResult
        Of `judge`.
    answers : sequence of Answer
        One for each of `result.cases`.
    more, replies : sequence
        Of `more_cases`, and what the function answered to the first of them; none, if it was not asked.
    ask : callable
        How the reference and the mistakes are called, as in `judge`.
    """
    if not is_to_explain(result):
        return result
    seen = seen_in(result, answers, more, replies, ask)
    return replace(result, found=next(filter(None, _layers(seen)), None))


def _layers(seen: Seen) -> Iterator[Diagnosis | None]:
    yield in_which_calls(seen)
    yield computed_instead(replace(seen, cases=tuple(question for question in seen.cases if question.is_own)))
    yield inside_the_network(seen)
    yield what_reaches_what(seen)
    yield in_which_cases(seen)
    yield what_reaches_what(seen, is_precise=False)
    yield at_which_places(seen)


def seen_in(
    result: CheckResult,
    answers: Sequence[Answer],
    more: Sequence[Case] = (),
    replies: Sequence[Answer] = (),
    ask: Ask = attempt,
) -> Seen:
    """What is known of a wrong function: see `explained`."""
    cases = list(map(Question, result.cases, answers, result.references))
    probed: list[Question] = []
    again: list[Answer] = []
    for case, reply in zip(more, replies, strict=False):
        if any(case is known for known in result.cases):
            again.append(reply)
        elif (right := ask(result.exercise.reference, case).value) is not None:
            (cases if case.probe is None else probed).append(Question(case, reply, right))
    return Seen(result.exercise, tuple(cases), tuple(probed), tuple(again))
