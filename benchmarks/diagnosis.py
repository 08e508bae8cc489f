"""How many wrong answers the checks explain, how, whether it is true, and how long it takes.

The wrong answers are all that the tests store: what beginners wrote, what is told of them, and pairs of mistakes drawn
from the named ones. Of a pair, the second must be a change of the inputs or of the answer: only so can two functions
that know nothing of one another be put together.

Each sentence is computed again: what is said of all inputs, on cases of a seed that the check has not seen; what is
said of our cases alone, on those. One that does not hold is untrue.

    python benchmarks/diagnosis.py [--every N] [--pairs N] [--show LAYER]
"""

from __future__ import annotations

import argparse
import collections
import functools
import itertools
import pkgutil
import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import replace
from importlib import import_module
from typing import Any

import numpy as np
from tqdm import tqdm

import tests.checks
import tests.checks.answers
from tests.checks import beginners, judging
from unet_edu.checks import CheckResult, attempt, checked, judge
from unet_edu.checks.diagnosis import more_cases, seen_in
from unet_edu.checks.exercise import Exercise
from unet_edu.checks.instead import Instead, Search, _after
from unet_edu.lessons import EXERCISES

SEED = 7  # of pairs, and of the cases on which each sentence is computed again
FIRST = ("named", "computed", "reach", "cases")  # these say what is wrong; the others, where


def stored() -> dict[str, list[tuple[str, str, Callable[..., Any]]]]:
    """All wrong answers of the tests: where they are from, then the exercise, the mistake, the function."""
    for package in (tests.checks.answers, tests.checks):
        for module in pkgutil.iter_modules(package.__path__):
            if "exercises" in module.name or "wrong" in module.name or package is tests.checks.answers:
                import_module(f"{package.__name__}.{module.name}")
    named = [(e.name, mistake.name, mistake.wrong) for e in EXERCISES.values() for mistake in e.mistakes]
    told = [(name, ", ".join(words)[:40], f) for name, words, f in judging.TOLD]
    return {"named": named, "written": judging.WRITTEN, "told": told, "beginners": beginners.everyone()}


def pairs(rng: np.random.Generator, count: int) -> Iterator[tuple[str, str, Callable[..., Any]]]:
    """Two named mistakes of an exercise at once, drawn at random."""
    second = {name: list(changes(exercise)) for name, exercise in EXERCISES.items() if not is_network(exercise)}
    second = {name: found for name, found in second.items() if found}
    for _ in range(count):
        name = str(rng.choice(list(second)))
        one = EXERCISES[name].mistakes[rng.integers(len(EXERCISES[name].mistakes))]
        words, put_together = second[name][rng.integers(len(second[name]))]
        if one.name != words:
            yield name, f"{one.name} + {words}", put_together(one.wrong)


def is_network(exercise: Exercise) -> bool:
    return any(case.probe for case in exercise.cases(np.random.default_rng(0)))


def changes(exercise: Exercise) -> Iterator[tuple[str, Callable[..., Any]]]:
    """The named mistakes that are one change of the inputs, or of the answer, and how each is put on top of another."""
    cases = exercise.cases(np.random.default_rng(SEED))
    for mistake in exercise.mistakes:
        answers = [attempt(mistake.wrong, case) for case in cases]
        result = judge(exercise, cases, answers)
        seen = seen_in(result, answers)
        if result.passed or not seen.wrong:
            continue
        search = Search(replace(seen, exercise=replace(exercise, mistakes=[])), 10**6)
        with np.errstate(all="ignore"):
            for guess in itertools.chain.from_iterable(itertools.islice(search.tiers(), 2)):
                if (top := on_top(search, guess)) and search.is_true(guess):
                    yield mistake.name, top
                    break


def on_top(search: Search, guess: Instead) -> Callable[[Callable[..., Any]], Callable[..., Any]] | None:
    """How a change is put on top of a function, whatever the function does."""
    of = guess.of
    assert isinstance(of, functools.partial)
    if of.func is _after and of.args[2] is ...:
        return lambda f: lambda *args, **kwargs: of.args[1].of(np.asarray(f(*args, **kwargs)))
    if len(of.args) != 2 or not of.args[1]:
        return None

    def put(f: Callable[..., Any]) -> Callable[..., Any]:
        def both(*args: Any, **kwargs: Any) -> Any:
            given = {**search.defaults, **search.signature.bind(*args, **kwargs).arguments}
            for other in of.args[1]:
                given = other.of(given)
            bound = search.signature.bind_partial()
            bound.arguments.update(given)
            return f(*bound.args, **bound.kwargs)

        return both

    return put


def is_untrue(exercise: Exercise, f: Callable[..., Any], result: CheckResult, seed: int) -> bool:
    """Whether what was said does not hold in the cases of a seed, when the function is asked again."""
    if result.found is None:
        return False
    cases = exercise.cases(np.random.default_rng(seed))
    more = more_cases(exercise, cases, np.random.default_rng(seed + 1))
    answers = [attempt(f, case) for case in cases]
    seen = seen_in(judge(exercise, cases, answers), answers, more, [attempt(f, case) for case in more])
    verdicts = [result.found.holds(question) for question in seen.cases]
    if True not in verdicts:  # it is said of single 1s, or of the inside of a network
        verdicts += [result.found.holds(question) for question in seen.probed]
    return False in verdicts


def report(where: str, wrong: list[tuple[str, str, Callable[..., Any]]], show: str) -> None:
    layers: collections.Counter[str] = collections.Counter()
    seconds, untrue, elsewhere = [], 0, 0
    for name, mistake, f in tqdm(wrong, desc=where, leave=False, disable=None):
        start = time.perf_counter()
        result = checked(f, EXERCISES[name])
        seconds.append(time.perf_counter() - start)
        # What stopped, returned nothing or has a wrong type alone is told by the message.
        layer = "accepted" if result.passed else result.layer or "message"
        layers[layer] += 1
        is_general = result.found is not None and result.found.is_general
        elsewhere += is_untrue(EXERCISES[name], f, result, SEED)
        if is_untrue(EXERCISES[name], f, result, SEED if is_general else judging.SEED):
            untrue += 1
            print(f"UNTRUE {name}: {mistake}: {result.diagnosis}")
        if show in (layer, name):
            print(f"{name}: {mistake}: [{layer}] {result.diagnosis or result.message}")
    count = sum(layers.values()) - layers["message"]
    first = sum(layers[layer] for layer in FIRST)
    print(
        f"{where:10} {count:4} wrong answers: {first / max(1, count):4.0%} by the first four layers, {untrue} untrue, "
        f"{elsewhere} not so in cases of another seed; "
        f"seconds {np.median(seconds):.3f} median, {np.quantile(seconds, 0.95):.3f} p95. {dict(layers)}"
    )


def main() -> None:
    warnings.simplefilter("ignore")  # wrong answers divide by 0
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--every", type=int, default=1, help="only every N-th stored answer")
    parser.add_argument("--pairs", type=int, default=200)
    parser.add_argument("--show", default="", help="print what was said by this layer, or of this exercise")
    options = parser.parse_args()
    for where, wrong in stored().items():
        report(where, wrong[:: options.every], options.show)
    report("pairs", list(pairs(np.random.default_rng(SEED), options.pairs)), options.show)


if __name__ == "__main__":
    main()
