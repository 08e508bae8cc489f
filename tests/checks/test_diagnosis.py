"""What is said of wrong answers that no known mistake explains: it is true, in our own words, and found where it
should be."""

from __future__ import annotations

import dataclasses
import itertools

import numpy as np
import pytest

from tests.checks import beginners
from tests.checks.judging import SEED, cases_of, remembered
from unet_edu.checks import attempt, check, checked, judge
from unet_edu.checks.arrays import NoSuchAxisError
from unet_edu.checks.changes import OF_ANSWERS, OF_ARRAYS, OF_LISTS, OF_NUMBERS, OF_PAIRS
from unet_edu.checks.diagnosis import explained, is_to_explain, more_cases, seen_in
from unet_edu.checks.instead import computed_instead
from unet_edu.convolution import conv2d
from unet_edu.lessons import EXERCISES

EVERY = 9  # of the beginners' answers: all are tried by benchmarks/diagnosis.py
STORED = beginners.everyone()


def asked(name, f, seed):
    """A function's answers to the cases of a seed, and to what it is asked beyond."""
    exercise, cases = EXERCISES[name], cases_of(name, seed)
    answers = [attempt(f, case) for case in cases]
    more = more_cases(exercise, cases, np.random.default_rng(seed + 1))
    return judge(exercise, cases, answers, remembered), answers, more, [attempt(f, case) for case in more]


@pytest.mark.parametrize(
    ("name", "f"), [pytest.param(name, f, id=f"{name}: {mistake}") for name, mistake, f in STORED[::EVERY]]
)
def test_what_is_said_of_beginners_is_true_when_it_is_computed_again(name, f):
    result = checked(f, EXERCISES[name])
    assert result.status == "failed"
    if not is_to_explain(result):
        assert result.hint or result.message
        return
    assert result.layer in ("computed", "reach", "cases", "place", "calls")
    assert result.diagnosis.endswith("?") or result.diagnosis.endswith(".")
    assert result.found.sees in repr(result)
    seen = seen_in(*asked(name, f, SEED + 2 if result.found.is_general else SEED))
    verdicts = [result.found.holds(question) for question in seen.cases]
    if True not in verdicts:  # it is said of single 1s, or of the inside of a network
        verdicts = [result.found.holds(question) for question in seen.probed]
    assert False not in verdicts and (True in verdicts or result.layer == "calls")


def test_there_are_enough_beginners():
    assert len(STORED) > 250 and {name for name, *_ in STORED} == set(EXERCISES)


# --- each row of the tables is found ----------------------------------------------------------------------------------

# Where a change can be told from all others: arrays of four axes, planes, numbers, a pair, a list.
SHOWN_BY = (
    "conv2d_multichannel",
    "label_map",
    "conv2d_naive",
    "out_size",
    "resize_mask",
    "sgd_step",
    "receptive_field",
)


def changed_answer(reference, row):
    return lambda *args, **kwargs: row.of(np.asarray(reference(*args, **kwargs)))


def changed_input(reference, row, number):
    def f(*args, **kwargs):
        args = list(args)
        args[number] = row.of(args[number])
        return reference(*args, **kwargs)

    return f


def wrong_by(row, table):
    """Functions of some exercises that are wrong by this change alone."""
    kinds = {id(OF_ARRAYS): np.ndarray, id(OF_NUMBERS): (int, float), id(OF_PAIRS): tuple, id(OF_LISTS): list}
    for name in SHOWN_BY:
        reference = EXERCISES[name].reference
        if table is OF_ANSWERS:
            yield name, changed_answer(reference, row)
            continue
        for number, value in enumerate(cases_of(name, SEED)[-1].args):
            if isinstance(value, kinds[id(table)]):
                yield name, changed_input(reference, row, number)


@pytest.mark.parametrize("table", [OF_ANSWERS, OF_ARRAYS, OF_NUMBERS, OF_PAIRS, OF_LISTS])
def test_each_row_is_found_where_it_can_be_told(table):
    """In at least one exercise; another row that gives the same, or a known mistake, is as good."""
    missed = []
    for row in table:
        for name, f in wrong_by(row, table):
            exercise = dataclasses.replace(EXERCISES[name], mistakes=[])
            cases = cases_of(name, SEED)
            answers = [attempt(f, case) for case in cases]
            result = judge(exercise, cases, answers, remembered)
            if is_to_explain(result) and computed_instead(seen_in(result, answers, ask=remembered), steps=10**6):
                break
        else:
            missed.append(row.sees)
    assert missed == []
    assert len(table) > 5


def test_a_row_says_something_and_asks_something():
    for row in itertools.chain(OF_ANSWERS, OF_ARRAYS, OF_NUMBERS, OF_PAIRS, OF_LISTS):
        assert "{it}" in row.sees and row.asks.endswith(("?", ".", "n − 1.", "it."))


def test_an_axis_that_is_not_there_is_left_as_it_is():
    row = next(row for row in OF_ANSWERS if "first channel (0" in row.sees)
    with pytest.raises(NoSuchAxisError):
        row.of(np.ones((2, 3)))


# --- what is said -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("f", "layer", "words"),
    [
        (lambda x, k: np.cumsum(conv2d(x, k)).reshape(conv2d(x, k).shape), "computed", "all before it in it, too"),
        (lambda x, k: conv2d(x, k) / k.sum(), "computed", "k divided by its sum"),
        (lambda x, k: conv2d(x, k) * (np.arange(len(conv2d(x, k))) == 0)[:, None], "computed", "only the first row"),
        (lambda x, k: np.zeros_like(conv2d(x, k)), "computed", "zeros in place of the right one"),
        (lambda x, k: conv2d(x, k[:, ::-1]) / k.size, "computed", "Two things at once. Take what comes out with k mi"),
        (lambda x, k: conv2d(x, k[::-1, ::-1]) / k.size, "computed", "turned upside down and left to right"),
        (lambda x, k: np.roll(conv2d(x, k), 1, 0), "reach", "depend on other numbers of x"),
        (lambda x, k: conv2d(x, k) * (1.5 if k.shape[0] == 3 else 1), "cases", "In our cases"),
    ],
)
def test_a_wrong_convolution_is_described(f, layer, words):
    result = check(f, "conv2d_naive")
    assert (result.layer, result.hint, result.misconception) == (layer, "", "")
    assert words in result.diagnosis


def test_another_way_to_say_it_is_said_only_where_it_goes_on_from_the_same_beginning():
    """Not: "… Besides, your answer is what comes of that with 1 added. Or it is that with 1 added"."""
    said = check(lambda logits: logits.argmin(axis=1) + 1, "label_map").diagnosis
    assert "Besides, your answer is what comes of that with 1 added." in said and "Or, " not in said
    assert said.count("Do you count from 1?") == 1


def test_what_is_true_of_our_single_ones_alone_is_not_said():
    """Windows that are moved by one pixel where the padding is 1, and by none where it is 0, are not moved by one."""

    def below_and_on_the_right(x, w, bias=None, stride=1, padding=0):
        x = np.pad(x, ((0, 0), (0, 0), (0, 2 * padding), (0, 2 * padding)))
        return EXERCISES["conv2d_multichannel"].reference(x, w, bias, stride, 0)

    result = check(below_and_on_the_right, "conv2d_multichannel")
    assert result.layer == "cases" and "right wherever the padding is 0" in result.diagnosis


def test_not_all_cases_are_called_wrong_where_some_are_right():
    def three_at_most(x, k):
        return conv2d(x, k) if max(k.shape) <= 3 else conv2d(x, k) - conv2d(x, k**2) * x[0, 0]

    result = check(three_at_most, "conv2d_naive")
    assert any(result.right) and "In our cases, all of your numbers" not in result.diagnosis


def test_a_count_is_one_too_small_and_a_share_is_not():
    row = next(row for row in OF_NUMBERS if "one too small" in row.sees)
    assert row.of(3) == 2
    with pytest.raises(TypeError):
        row.of(0.25)


def test_a_known_mistake_has_its_hint_and_no_diagnosis():
    result = check(lambda x, k: conv2d(x, k[::-1, ::-1]), "conv2d_naive")
    assert (result.layer, result.diagnosis, result.found) == ("named", "", None)


def test_no_number_that_a_function_chose_is_said():
    """Whatever is multiplied or added: the same words."""
    said = {check(lambda x, k, n=n: conv2d(x, k) * n, "conv2d_naive").diagnosis for n in (1.2345, 1.3456, 1.4567)}
    assert len(said) == 1
    said = {check(lambda x, k, n=n: conv2d(x, k) + n, "conv2d_naive").diagnosis for n in (12.345, 13.456, 14.567)}
    assert len(said) == 1


def test_a_right_function_is_asked_nothing_more():
    calls = []
    check(lambda x, k: calls.append(1) or conv2d(x, k), "conv2d_naive")
    assert len(calls) == len(cases_of("conv2d_naive", SEED))


def test_one_that_is_stopped_while_it_is_asked_more_keeps_its_verdict():
    calls = []

    def conv2d_naive(x, k):
        calls.append(1)
        if len(calls) > len(cases_of("conv2d_naive", SEED)):
            raise KeyError("no more")
        return conv2d(x, k) / 3.7

    result = check(conv2d_naive)
    assert result.status == "failed" and result.layer == "place"


def test_what_is_asked_more_is_no_part_of_the_verdict():
    name = "conv2d_naive"
    result, answers, more, replies = asked(name, lambda x, k: conv2d(x, k) / k.size, SEED)
    with_more = explained(result, answers, more, replies, remembered)
    assert with_more.right == result.right and with_more.cases == result.cases
    assert {case.group for case in more if case not in result.cases} == {"asked"}


def test_an_input_that_is_read_otherwise_is_shown_beside():
    shown = check(lambda x, k: conv2d(x, k[:, ::-1]), "conv2d_naive")._repr_html_()
    assert "k, as your function seems to read it" in shown and "What we see." in shown


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 1e300, 0, True, np.zeros((0, 3)), np.ones((1, 1, 1, 1, 1))])
@pytest.mark.parametrize("name", [name for name in EXERCISES if not any(c.probe for c in cases_of(name, SEED))])
def test_odd_answers_are_described_without_an_error(name, value):
    result = check(lambda *args, **kwargs: value, name)
    assert result.status == "failed" and (result.diagnosis or result.message)
