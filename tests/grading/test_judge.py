"""Marks for answers: the rule of the points, what no trivial rule can earn, and words that give no number away."""

import math
import pickle
import re
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from unet_edu.checks import Case, Exercise, attempt, changes, instead, judge, matrices, places, quantities, where
from unet_edu.checks.answer import ADVICE, ADVICE_ON_USE, Answer
from unet_edu.checks.seen import Question
from unet_edu.grading.judge import (
    USUAL,
    compared,
    diagnosed,
    fresh_cases,
    more_asked,
    outcome,
    remembered,
    stopped,
)
from unet_edu.lessons import EXERCISES

torch.set_num_threads(1)
SEED = 2**100 + 7
each_exercise = pytest.mark.parametrize("exercise", EXERCISES.values(), ids=EXERCISES)


def answered(exercise, f, seed=SEED):
    """The outcome of a function."""
    cases = fresh_cases(exercise, seed)
    return outcome(compared(exercise, cases, [attempt(f, case) for case in cases]), 4.0)


def mixed(exercise, wrong, seed=SEED):
    """Right answers, but for the numbers of the cases that are given."""
    cases = fresh_cases(exercise, seed)
    right = [remembered(exercise.reference, case) for case in cases]
    return outcome(compared(exercise, cases, [wrong.get(n, answer) for n, answer in enumerate(right)]), 4.0)


def fresh(exercise):
    return [n for n, case in enumerate(fresh_cases(exercise, SEED)) if case.group == "extra"]


# --- the points -------------------------------------------------------------------------------------------------------


@each_exercise
def test_the_reference_earns_all_and_nothing_earns_nothing(exercise):
    right = answered(exercise, exercise.reference)
    assert (right.verdict, right.earned, right.points) == ("right", 4, 4)
    assert right.visible[0] == right.visible[1] > 0 and right.fresh[0] == right.fresh[1] > 0

    def empty(*args, **kwargs):
        raise NotImplementedError

    unfilled = answered(exercise, empty)
    assert (unfilled.verdict, unfilled.earned, unfilled.visible[0], unfilled.fresh[0]) == ("not written", 0, 0, 0)


def test_half_of_the_fresh_cases_is_half_of_the_points():
    exercise, nothing = EXERCISES["conv2d_naive"], Answer("nothing")
    extra = fresh(exercise)
    assert len(extra) == 6
    for count, earned in {0: 4, 1: 2, 3: 2, 4: 0, 6: 0}.items():
        found = mixed(exercise, dict.fromkeys(extra[:count], nothing))
        assert (found.earned, found.visible, found.fresh) == (earned, (2, 2), (6 - count, 6))
        assert found.verdict == {4: "right", 2: "half", 0: "wrong"}[earned]
    assert "half of the points" in mixed(exercise, {extra[0]: nothing}).message


def test_a_wrong_visible_case_earns_nothing():
    found = mixed(EXERCISES["conv2d_naive"], {0: Answer("nothing")})
    assert (found.verdict, found.earned, found.visible, found.fresh) == ("wrong", 0, (1, 2), (6, 6))


def test_fresh_cases_with_like_answers_count_as_one():
    exercise = EXERCISES["trace_sizes"]
    cases = fresh_cases(exercise, SEED)
    is_empty = [remembered(exercise.reference, case).value.size == 0 for case in cases]
    always = [e or case.group == "visible" for e, case in zip(is_empty, cases, strict=True)]
    assert sum(always) - 3 == 6 > sum(case.group == "extra" for case in cases) / 2, (
        "most of the fresh sides are illegal"
    )
    assert mixed(exercise, {n: Answer("nothing") for n, good in enumerate(always) if not good}).earned == 0
    extra = fresh(exercise)
    assert (
        mixed(exercise, {n: Answer("nothing") for n, empty in enumerate(is_empty) if empty and n in extra}).earned == 2
    )


# --- what no trivial rule earns ---------------------------------------------------------------------------------------


def plain(value):
    array = np.asarray(value)
    return Answer("value", array) if array.dtype.kind in "biuf" else Answer("empty")


class Silent(nn.Module):
    """A network whose answer has the right shape and is 0."""

    def __init__(self, channels, lost):
        super().__init__()
        self.channels, self.lost = channels, lost

    def forward(self, x):
        rows, columns = (slice(self.lost // 2, side - self.lost // 2) for side in x.shape[2:])
        return 0 * x[:, :1, rows, columns].expand(-1, self.channels, -1, -1)


PROBED = {
    "an identity": lambda *args: nn.Identity(),
    "the argument": lambda first, *rest: first,
    "half of everything": lambda model, image, tile: np.full((2, *image.shape), 0.5),
    "a corner": lambda x, size: x[..., : size[0], : size[1]],
    **{
        f"zeros, {lost} pixels less, channels {place}": lambda *args, lost=lost, place=place: Silent(args[place], lost)
        for lost in (0, 4, 184)
        for place in (0, 1)
    },
}


def trivial_rules(exercise, cases):
    """Rules that understand nothing, as functions from a case to an answer."""

    def of_input(rule, n):
        def answer(case):
            inputs = [*case.args, *case.kwargs.values()]
            try:
                return plain(rule(inputs[n]))
            except (IndexError, TypeError, ValueError):
                return Answer("empty")

        return answer

    def filled(number, dtype):
        return lambda case: plain(np.full(remembered(exercise.reference, case).value.shape, number, dtype))

    rules = {f"always {value}": lambda case, value=value: plain(value) for value in (0, 1, -1, 0.5, [], True)}
    for n, case in enumerate(cases):
        rules[f"always the answer of case {n}"] = lambda _, case=case: remembered(exercise.reference, case)
    for number in (0, 1, -1, 0.5, 255):
        for dtype in (int, float):
            rules[f"{dtype.__name__} {number} in the right shape"] = filled(number, dtype)
    for n in range(max(len(case.args) + len(case.kwargs) for case in cases)):
        for rule in (
            lambda x: x,
            np.transpose,
            np.zeros_like,
            np.ones_like,
            np.shape,
            np.size,
            np.sum,
            np.mean,
            np.max,
        ):
            rules[f"{getattr(rule, '__name__', 'x')} of input {n}"] = of_input(rule, n)
    if any(case.probe for case in cases):
        rules |= {name: lambda case, f=f: attempt(f, case) for name, f in PROBED.items()}
    return rules


@each_exercise
@pytest.mark.parametrize("seed", [1, SEED])
def test_visible_answers_by_heart_and_a_trivial_rule_earn_nothing(exercise, seed):
    cases = fresh_cases(exercise, seed)
    rules = trivial_rules(exercise, cases)
    assert len(rules) > 20
    unhinted = replace(exercise, mistakes=())  # to look for one takes long, and changes nothing of what is right
    for name, rule in rules.items():
        answers = [remembered(exercise.reference, c) if c.group == "visible" else rule(c) for c in cases]
        assert judge(unhinted, cases, answers, remembered).earned(1.0) == 0, name


# --- words ------------------------------------------------------------------------------------------------------------


def message_for(right, yours):
    """What is said to who answers `yours` in a fresh case whose right answer is `right`."""
    cases = [Case("one", (1,), group="visible"), Case("another", (2,))]
    exercise = Exercise("own", 1, lambda n: np.zeros(1) if n == 1 else right, lambda rng: cases, ())
    return outcome(compared(exercise, cases, [plain([0.0]), plain(yours)]), 1.0).message


@pytest.mark.parametrize(
    ("one", "other", "yours"),
    [
        (8.5, -3.25, 7.0),
        ([1.5, 2.5, 3.5], [4.5, 5.5, 6.5], [0.5, 0.5, 0.5]),
        ([1.5, 2.5], [4.5, 5.5], [np.nan, np.inf]),
        ([1.5, 2.5], [4.5, 5.5], [1, 2]),
        ([[1.5, 2.5]], np.zeros((3, 4)), [7.0]),
        (np.zeros((2, 0)), 3.0, [7.0]),
    ],
)
def test_no_number_and_no_shape_of_a_fresh_case_is_given_away(one, other, yours):
    """The words are the same whatever the right answer is."""
    message = message_for(np.array(one), yours)
    assert message == message_for(np.array(other), yours)
    assert message.startswith(
        "In the fresh case “another”: Your " if np.size(yours) == 1 else "In the fresh case “another”: "
    )


def test_the_numbers_of_a_visible_case_are_told():
    exercise = EXERCISES["conv2d_naive"]
    message = mixed(exercise, {0: Answer("value", np.array([[122, 148], [126, 135]]))}).message
    assert "yours is 135, expected is 134" in message
    assert message.startswith("In the case “the image and the kernel of the lesson” of the notebook: ")


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (
            Answer("raised", message="Your function stopped with ValueError: no\nin line 3: 7"),
            "stopped with ValueError.",
        ),
        (Answer("raised", message="Your function could not be called. TypeError: f() 7"), "stopped with TypeError."),
        (Answer("raised", message="Your function stopped with numpy.exceptions.AxisError: 7"), "with an error."),
        (
            Answer("raised", message="Your function stopped with IndexError: index out of range 7"),
            "rows and columns mixed",
        ),
        (Answer("nothing"), "is there a `return`"),
        (Answer("empty"), "`raise NotImplementedError`"),
        (Answer("unusable", message="Your function returned a dict7"), "something that is no array of real numbers"),
        (Answer("value", np.zeros(3, int)), "an array of 1 axis, and that is not the right shape"),
        (Answer("value", np.zeros((1,) * 23, int)), "an array of many axes, and that is not the right shape"),
        (Answer("value", np.array(1.5)), "of type float; it should be whole numbers"),
        (Answer("value", np.array(-5)), "Your number is not right."),
    ],
)
def test_the_kind_of_difference_is_told(answer, words):
    exercise = EXERCISES["out_size"]
    found = mixed(exercise, {fresh(exercise)[0]: answer})
    assert words in found.message
    assert "In the fresh case “a stride that leaves pixels over”: " in found.message
    assert "7" not in found.message, "a function's own words, which may hold the inputs of the case"


def test_what_a_probe_says_of_a_network_is_passed_on():
    from unet_edu.checks.network import NO_GRADIENT

    exercise = EXERCISES["unet"]
    n = fresh(exercise)[-1]
    assert NO_GRADIENT in mixed(exercise, {n: Answer("unusable", message=NO_GRADIENT + " 7")}).message
    assert "7" not in mixed(exercise, {n: Answer("unusable", message=NO_GRADIENT + " 7")}).message.split("”: ")[1]


@pytest.mark.parametrize(("part", "words"), [(0.1, "Not all"), (0.9, "Few"), (1, "None")])
def test_how_many_numbers_are_right_is_told_in_words(part, words):
    exercise = EXERCISES["conv2d_naive"]
    n = fresh(exercise)[0]
    wrong = remembered(exercise.reference, fresh_cases(exercise, SEED)[n]).value.copy()
    wrong.flat[: int(part * wrong.size)] += 1
    assert f"{words} of your numbers are right" in mixed(exercise, {n: Answer("value", wrong)}).message


def telling(secret, exercise, n):
    """What a function could answer in a fresh case to tell a number of its own choice, which a test would have to
    hide."""
    right = remembered(exercise.reference, fresh_cases(exercise, SEED)[n]).value
    few = right.copy()
    few.flat[:secret] += 1
    line = f"in line {secret}: x = {secret}"
    return {
        "a text": Answer("raised", message=f"Your function stopped with ValueError: {secret}\n{line}"),
        "a type": Answer("raised", message=f"Your function stopped with mine.E{secret}: no\n{line}"),
        "a second advice": Answer(
            "raised", message=f"Your function stopped with E: not aligned{', must be square' * (secret > 2)}"
        ),
        "words of ours": Answer("raised", message=f"Your network stopped with E: is out of bounds for axis {secret}"),
        "no array": Answer("unusable", message=f"Your function returned a N{secret}, which is no array"),
        "two shapes": Answer(
            "unusable", message=f"Your function returned two arrays of different shapes, ({secret},) and (1,)"
        ),
        "printed": Answer("nothing", printed=f"{secret}"),
        "a shape": plain(np.zeros((secret, 2, 1))),
        "no numbers": plain(np.zeros((secret, 0))),
        "how many are wrong": Answer("value", few),
        "numbers": plain(right + secret),
        "a width": plain(right.astype("i8" if secret > 2 else "i2")),
    }


@pytest.mark.parametrize("where", telling(1, EXERCISES["conv2d_naive"], 2))
def test_a_function_cannot_tell_in_numbers_what_it_saw_in_a_fresh_case(where):
    exercise = EXERCISES["conv2d_naive"]
    n = fresh(exercise)[0]
    one, other = (mixed(exercise, {n: telling(secret, exercise, n)[where]}) for secret in (2, 3))
    assert one == other, "a right answer whose type or form differs is right, and says nothing either"


@each_exercise
def test_what_is_shown_of_the_fresh_cases_of_an_exercise_has_less_than_four_bytes(exercise):
    """docs/grading-security.md says so: the words are of few kinds, and here all of them are counted as if each could
    be chosen freely. What a diagnosis adds is counted below."""
    # an exception, or another one, and its advice: more than all else that is said of one answer
    shown = (len(USUAL) + 1) * (len({*ADVICE.values(), *ADVICE_ON_USE.values()}) + 1)
    cases = 1 + len(fresh(exercise))  # the first that is wrong, or none; how many are right; another that stopped
    hints = 2 + len(exercise.mistakes)
    assert np.log2(3 * shown * cases**3 * hints * 2) < 30  # three verdicts; and whether the input was changed
    group = [case.group for case in fresh_cases(exercise, SEED)]
    assert group == sorted(group, reverse=True), "the visible cases come first: what is said of them was answered first"


def most_descriptions(exercise):
    """How many sentences a diagnosis can be, at most: what is counted of a layer is all that its tables could give."""
    more = more_asked(exercise, SEED)
    ones = [case for case in more if case.group == "asked" and case.probe]
    cases = [*fresh_cases(exercise, SEED), *(case for case in more if case not in ones)]
    right = [remembered(exercise.reference, case).value for case in cases]
    facts = [where._facts(exercise, Question(*each)) for each in zip(cases, cases, right, strict=True)]
    given = [{name: value for name, value in each.items() if name != where.RIGHT} for each in facts]

    def axes(array):
        return len(list(changes.reordered(array.ndim))) if isinstance(array, np.ndarray) else 0

    names = list(given[0])
    rows = {name: [each[name] for each in given if name in each] for name in names}
    inputs = sum(1 + max(len(instead._rows_for(v)) + axes(v) for v in values) for values in rows.values())
    inputs += 3 * math.comb(len(names), 2)  # exchanged, or one in place of the other
    answers = (len(changes.OF_ANSWERS) + max(map(axes, right)) + 1) * (1 + len(exercise.parts))
    answers += 4 * max(len(quantities.quantities(*each)) for each in zip(given, right, strict=True))
    mistakes = len(exercise.mistakes)
    computed = (
        len(names)
        + answers
        + inputs
        + mistakes * inputs
        + math.comb(inputs, 2)
        + (mistakes + inputs + answers) * answers
    )
    properties = 2 * len(where._properties(exercise, facts))
    of_cases = properties + 2 * properties**2  # one, or one or another, or one and another
    regions = len(exercise.parts) + 4 * len(places.OF_AXES) + len(places.EDGES) + 1 + len(places.OF_NUMBERS)
    shares = len(places.SHARES) ** 2 * (len(places.PARTS) + 1)
    of_places = (regions * len(places.FORMS) + 1 + shares) * (len(places.HOW) + 2) + 500  # sizes, and no numbers
    # an example is a place of an answer and one of an input; the answers to single 1s have as many numbers
    examples = sum(remembered(exercise.reference, case).value.size for case in ones)
    of_reach = 2 * len([*matrices.statements(True)]) + len(matrices.VAGUE) + 3 * examples  # of three statements
    return computed + of_cases + of_places + of_reach + 2


@each_exercise
def test_a_diagnosis_is_one_or_two_of_about_a_million_descriptions(exercise):
    """So it has less than five bytes, as docs/grading-security.md says, if both could be chosen freely."""
    assert 2 * np.log2(most_descriptions(exercise)) < 40


@pytest.mark.parametrize("name", ["conv2d_naive", "out_size", "maxpool_idx", "iou"])
def test_a_diagnosis_has_no_number_of_an_answer(name):
    """Those in it are of the tables, whatever a function answers."""
    exercise = EXERCISES[name]
    cases = fresh_cases(exercise, SEED)
    right = [remembered(exercise.reference, case) for case in cases]
    for wrong in (
        lambda y: y + 987654,
        lambda y: y * 0 + 987654,
        lambda y: np.where(y == y.flat[0], 987654, y),
        lambda y: np.full((7, *y.shape), 987654),
    ):
        answers = [Answer("value", np.asarray(wrong(answer.value))) for answer in right]
        found = compared(exercise, cases, answers)
        said = diagnosed(outcome(found, 1.0), found, answers, more_asked(exercise, SEED), answers)
        assert said.diagnosis or said.hint
        assert {*re.findall(r"\d+", said.diagnosis)} <= {"0", *map(str, range(4)), *map(str, quantities.CONSTANTS)}
        assert replace(said, diagnosis="", layer="") == outcome(found, 1.0)


def test_a_function_that_was_stopped_earns_no_mark_and_no_zero():
    exercise = EXERCISES["conv2d_naive"]
    cases = fresh_cases(exercise, SEED)
    right = [remembered(exercise.reference, case) for case in cases]
    found = stopped(exercise, 3.0, cases, right[:4], "timed out", "ran longer than 20 seconds", "def conv2d_naive")
    assert (found.verdict, found.earned, found.visible, found.fresh) == ("timed out", None, (2, 2), (2, 6))
    assert found.message == f"Your function was stopped in the case “{cases[4].name}”: it ran longer than 20 seconds."
    assert found.code == "def conv2d_naive"
    assert stopped(exercise, 3.0, cases, [], "crashed", "ended").visible == (0, 2)


# --- cases ------------------------------------------------------------------------------------------------------------


@each_exercise
def test_a_seed_gives_the_same_cases_and_another_gives_others(exercise):
    def bits(cases):
        return [pickle.dumps((c.name, c.args, c.kwargs, c.group, c.probe)) for c in cases]

    kept = bits(fresh_cases(exercise, SEED))
    fresh_cases.cache_clear()
    assert bits(fresh_cases(exercise, SEED)) == kept, "and they can be sent into the sandbox"
    assert bits(fresh_cases(exercise, SEED + 1)) != kept


@each_exercise
def test_a_class_that_makes_the_same_mistake_costs_nothing_twice(exercise):
    cases = fresh_cases(exercise, SEED)
    answers = [Answer("value", np.zeros((2, 2)))] * len(cases)
    outcome(compared(exercise, cases, answers), 1.0)
    computed = remembered.cache_info().misses
    outcome(compared(exercise, cases, answers), 1.0)
    assert remembered.cache_info().misses == computed
