"""Who learned the answers to the cases of other seeds by heart, and computes nothing, earns nothing.

The grader draws its fresh cases from a seed that no student has seen. A table has what the notebook prints, and the
cases of twenty other seeds with their answers. Where it meets inputs that it does not have, it guesses: by the nearest
inputs that it has, by those of the same shape, by cells in the same places, by the commonest answer, … It is asked case
by case, so it may even know the images that a network will be given.
"""

import pickle
from collections import Counter
from dataclasses import fields, is_dataclass, replace
from functools import cache

import numpy as np
import pytest
import torch
from torch import nn

from unet_edu.checks import SEED, attempt, judge
from unet_edu.checks.answer import Answer
from unet_edu.checks.verdict import alike
from unet_edu.lessons import EXERCISES

torch.set_num_threads(1)
KNOWN = range(20)
GRADED = (SEED, 2**64, 2**65, 2**66)  # of which the first is that of a notebook
each_exercise = pytest.mark.parametrize("exercise", EXERCISES.values(), ids=EXERCISES)


@cache
def cases_of(exercise, seed):
    return tuple(exercise.cases(np.random.default_rng(seed)))


@cache
def answers_of(exercise):
    """What is remembered of the right answers, by inputs."""
    return {}


def right(exercise, case):
    known, key = answers_of(exercise), as_they_are(case)
    if key not in known:
        known[key] = attempt(exercise.reference, case)
    return known[key]


# --- what is alike ----------------------------------------------------------------------------------------------------


def parts(value):
    """All that a case, or its probe, gives to a function: arrays, numbers and words in a row."""
    if isinstance(value, dict):
        return [part for key in sorted(value) for part in (key, *parts(value[key]))]
    if isinstance(value, list | tuple):
        return [len(value), *(part for each in value for part in parts(each))]
    if is_dataclass(value):
        return [type(value).__name__, *parts([getattr(value, field.name) for field in fields(value)])]
    return [value]


@cache
def inputs(case):
    return parts([case.args, case.kwargs, case.probe])


def key_by(of_array):
    """A key for a case's inputs, in which an array is replaced."""

    @cache
    def key(case):
        return pickle.dumps([of_array(part) if isinstance(part, np.ndarray) else part for part in inputs(case)])

    return key


def in_order_of_appearance(array):
    first = {}
    return array.shape, [first.setdefault(number, len(first)) for number in array.ravel().tolist()]


as_they_are = key_by(lambda array: (array.shape, array.tolist()))
by_shapes = key_by(np.shape)
by_ranks = key_by(lambda array: (array.shape, np.unique(array, return_inverse=True)[1].tolist()))
by_equal_numbers = key_by(in_order_of_appearance)  # cells in the same places, whatever their numbers


@cache
def kind(case):
    return pickle.dumps([np.shape(part) if not isinstance(part, str) else part for part in inputs(case)])


@cache
def vector(case):
    numbers = [np.ravel(part).astype(float) for part in inputs(case) if not isinstance(part, str) and part is not None]
    return np.concatenate(numbers)


class Table:
    def __init__(self, exercise):
        self.exercise = exercise
        self.cases = list({as_they_are(case): case for seed in KNOWN for case in cases_of(exercise, seed)}.values())
        self.first = self.cases[0]
        self.by = {
            key: {key(case): case for case in self.cases}
            for key in (as_they_are, by_shapes, by_ranks, by_equal_numbers)
        }
        some = self.cases if self.first.probe is None else self.cases[:10]  # no two answers of networks are alike
        written = Counter(pickle.dumps(right(exercise, case).value.tolist()) for case in some)
        self.commonest = Answer("value", np.array(pickle.loads(written.most_common(1)[0][0])))

    def nearest(self, case):
        alike = [each for each in self.cases if kind(each) == kind(case)] or self.cases
        return min(alike, key=lambda each: self.distance(each, case))

    @staticmethod
    def distance(a, b):
        n = min(len(vector(a)), len(vector(b)))
        return np.abs(vector(a)[:n] - vector(b)[:n]).sum()

    def zeros(self, case):
        shapes = [part.shape for part in inputs(case) if isinstance(part, np.ndarray)]
        return Answer("value", np.zeros(shapes[0] if shapes else (), int))

    def guesses(self):
        """Ways to answer what is not in the table."""
        yield "the commonest answer", lambda case: self.commonest
        yield "zeros", self.zeros
        yield "the first answer", lambda case: right(self.exercise, self.first)
        yield "the nearest", lambda case: right(self.exercise, self.nearest(case))
        for name, key in (("shapes", by_shapes), ("ranks", by_ranks), ("equal numbers", by_equal_numbers)):
            yield (
                f"the same {name}, or the nearest",
                lambda case, key=key: right(self.exercise, self.by[key].get(key(case)) or self.nearest(case)),
            )

    def answer(self, case, guess):
        known = self.by[as_they_are].get(as_they_are(case))
        return guess(case) if known is None else right(self.exercise, known)


def earned(exercise, cases, answers):
    """Of 1 point. Hints are left out: they cost most of the time."""
    plain = replace(exercise, mistakes=())

    def ask(f, case):
        return right(exercise, case)

    return judge(plain, cases, answers, ask).earned(1.0)


@each_exercise
def test_a_table_of_answers_earns_nothing(exercise):
    table = Table(exercise)
    for seed in GRADED:
        cases = cases_of(exercise, seed)
        for name, guess in table.guesses():
            assert earned(exercise, cases, [table.answer(case, guess) for case in cases]) == 0, (name, seed)
        assert earned(exercise, cases, [right(exercise, case) for case in cases]) == 1


def test_a_table_of_standard_deviations_earns_nothing():
    """For each layer that of the known one with the same kernel and the nearest number of channels; where no kernel is
    the same, of the nearest number of weights."""
    exercise = EXERCISES["he_init_"]
    known = [layer for seed in KNOWN for case in cases_of(exercise, seed) for layer in case.probe.layers]

    def he_init_(model):
        for layer in filter(lambda layer: hasattr(layer, "weight"), model.modules()):
            up = isinstance(layer, nn.ConvTranspose2d)
            n, kernel = layer.in_channels, layer.kernel_size

            def distance(other, up=up, n=n, kernel=kernel):
                kind, m, _, size = other
                return (kind == "up") != up, not np.array_equal(np.broadcast_to(size, 2), kernel), abs(n - m)

            _, n, _, size = min(known, key=distance)
            nn.init.normal_(layer.weight, std=np.sqrt(2 / (n if up else n * np.prod(np.broadcast_to(size, 2)))))
            nn.init.zeros_(layer.bias)
        return model

    for seed in GRADED:
        cases = cases_of(exercise, seed)
        assert earned(exercise, cases, [attempt(he_init_, case) for case in cases]) == 0


@each_exercise
def test_what_counts_as_fresh_differs_from_seed_to_seed(exercise):
    """Or the right answer is the same for all seeds: then it counts once, with all like it, and others are more. Inputs
    that come again by chance are rare."""
    fresh = [[case for case in cases_of(exercise, seed) if case.group == "extra"] for seed in KNOWN]
    assert len({len(cases) for cases in fresh}) == 1
    different, always = 0, set()
    for cases in zip(*fresh, strict=True):
        answers = [right(exercise, case).value for case in cases]
        if all(alike(answers[0], answer) for answer in answers):
            always.add(answers[0].ravel()[:1].tobytes())
        else:
            assert len({as_they_are(case) for case in cases}) >= len(cases) - 1 - 3 * (not exercise.has_half)
            different += 1
    assert different > len(always)


def test_only_an_exercise_with_few_inputs_has_no_half():
    assert [name for name, exercise in EXERCISES.items() if not exercise.has_half] == [
        "bilinear_kernel",
        "split_by_sequence",
    ]
    exercise = EXERCISES["bilinear_kernel"]
    cases = cases_of(exercise, SEED)
    answers = [right(exercise, case) for case in cases]
    assert earned(exercise, cases, answers) == 1
    assert earned(exercise, cases, [*answers[:-1], Answer("nothing")]) == 0
