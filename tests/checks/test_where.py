"""What is said of wrong functions: from which call to the next, in which cases, at which places."""

import functools
import re

import numpy as np
import pytest

from tests.checks.answers.s02_convolution import batch_by_windows, plane_by_windows
from tests.checks.answers.s05_pooling import pooled_by_loops
from tests.checks.judging import cases_of, remembered
from unet_edu.checks import SEED, attempt
from unet_edu.checks.answer import Answer
from unet_edu.checks.places import at_which_places
from unet_edu.checks.seen import Question, Seen
from unet_edu.checks.where import in_which_calls, in_which_cases
from unet_edu.lessons import EXERCISES

LAYERS = (in_which_calls, in_which_cases, at_which_places)
RIGHT = {name: exercise.reference for name, exercise in EXERCISES.items()}


@functools.cache
def questions(name):
    """The cases of an exercise, those of another draw, and what is right."""
    cases = (*cases_of(name, SEED), *(case for case in cases_of(name, SEED + 1) if case.group != "visible"))
    return [(case, remembered(RIGHT[name], case).value) for case in cases]


def seen(name, f, attempt=attempt):
    cases = tuple(Question(case, attempt(f, case), right) for case, right in questions(name))
    again = tuple(attempt(f, q.case) for q in cases[:4])
    return Seen(EXERCISES[name], cases, again=again)


def said(layer, name, f):
    """What a layer says of a function. It must hold in all cases, and in those of a third draw."""
    found = layer(seen(name, f))
    if found is None:
        return ""
    for case in cases_of(name, SEED + 2):
        question = Question(case, attempt(f, case), remembered(RIGHT[name], case).value)
        assert found.holds(question) is not False, (name, case.name, found.sees)
    return found.sees


# --- from one call to the next ----------------------------------------------------------------------------------------


def test_what_hangs_on_chance_or_on_the_last_call():
    rng, calls = np.random.default_rng(0), []

    def counts(n, k, s):
        calls.append(n)
        return RIGHT["overlap_counts"](n, k, s) + len(calls)

    for name, f in (("up_nearest", lambda x, scale: rng.random((2, 2))), ("overlap_counts", counts)):
        diagnosis = in_which_calls(seen(name, f))
        assert "other answers when it is asked the same thing again" in diagnosis.sees
        assert diagnosis.asks.endswith("?") and diagnosis.layer == "calls"


def test_the_same_answer_for_all():
    assert "the same answer whatever it is given" in said(in_which_calls, "out_size", lambda i, k, s=1, p=0, d=1: 2)
    assert not said(in_which_calls, "out_size", lambda i, k, s=1, p=0, d=1: i)
    assert not said(in_which_calls, "out_size", lambda i, k, s=1, p=0, d=1: 1 / 0)


# --- in which cases ---------------------------------------------------------------------------------------------------


def made_wrong(name, where, by=lambda right: right + 1):
    """A function that is wrong where its inputs are such or such."""
    return lambda *args, **kwargs: (by if where(*args, **kwargs) else np.asarray)(
        np.asarray(RIGHT[name](*args, **kwargs))
    )


def stop(right):
    raise ValueError("not today")


@pytest.mark.parametrize(
    ("name", "f", "sees"),
    [
        (
            "out_size",
            lambda i, k, s=1, p=0, d=1: (i + 2 * p - d * (k - 1) - 1) // 1 + 1,
            "In our cases, your function is right wherever “s” is 1, and is wrong elsewhere.",
        ),
        (
            "conv2d_multichannel",
            lambda x, w, bias=None, stride=1, padding=0: batch_by_windows(x, w, None, stride, padding),
            "In our cases, your function is right wherever “bias” is not given, and is wrong elsewhere.",
        ),
        (
            "conv2d_multichannel",
            lambda x, w, bias=None, stride=1, padding=0: batch_by_windows(x, w, bias, stride),
            "In our cases, your function is right wherever the padding is 0, and is wrong elsewhere.",
        ),
        (
            "conv2d_multichannel",
            made_wrong("conv2d_multichannel", lambda x, w, bias=None, stride=1, padding=0: padding > 0, stop),
            "In our cases, your function is right wherever the padding is 0, and stops with an error elsewhere.",
        ),
        (
            "overlap_counts",
            made_wrong("overlap_counts", lambda n, k, s: k > s),
            "In our cases, your function is wrong wherever “k” is larger than “s”, and is right elsewhere.",
        ),
        (
            "overlap_counts",
            made_wrong("overlap_counts", lambda n, k, s: k % s == 0),
            "In our cases, your function is wrong wherever “s” divides “k”, and is right elsewhere.",
        ),
        (
            "conv2d_naive",
            made_wrong("conv2d_naive", lambda x, k: k.shape[0] != k.shape[1]),
            "In our cases, your function is right wherever “k” is square, and is wrong elsewhere.",
        ),
        (
            "maxpool_idx",
            made_wrong("maxpool_idx", lambda x: x.shape[1] % 2 == 1),
            "In our cases, your function is right wherever “x” has an even width, and is wrong elsewhere.",
        ),
        (
            "trace_sizes",
            made_wrong("trace_sizes", lambda n: not RIGHT["trace_sizes"](n), lambda right: np.ones(9)),
            "In our cases, your function is wrong wherever the right answer is empty, and is right elsewhere.",
        ),
        (
            "out_size",
            made_wrong("out_size", lambda i, k, s=1, p=0, d=1: p > 0 and s > 1),
            (
                "In our cases, your function is wrong wherever “s” is larger than 1 and “p” is not 0, and is right "
                "elsewhere."
            ),
        ),
    ],
)
def test_in_which_cases(name, f, sees):
    assert said(in_which_cases, name, f) == sees


def test_two_properties_that_the_cases_do_not_tell_apart():
    f = made_wrong("weight_map", lambda instances, w0=10, sigma=5: (w0, sigma) != (10, 5))
    assert said(in_which_cases, "weight_map", f) == (
        "In our cases, your function is right wherever “w0” has its default value, and is wrong elsewhere. Or it is "
        "right wherever the sigma has its default value, and is wrong elsewhere: our cases do not tell the two apart."
    )


def test_nothing_is_said_of_cases_where_all_are_wrong_or_all_are_right():
    assert in_which_cases(seen("out_size", RIGHT["out_size"], remembered)) is None
    assert in_which_cases(seen("out_size", lambda *args, **kwargs: -1)) is None


@pytest.mark.parametrize(("hang_on_shapes", "most", "most_of_one"), [(False, 0.015, 0.15), (True, 0.1, 0.35)])
def test_a_property_is_seldom_found_by_chance(hang_on_shapes, most, most_of_one):
    """Where cases are wrong at random, nothing has to be said of them.

    Measured, with 150 patterns for each exercise: 0.4 in a hundred had a property, of one exercise 3 in a hundred.
    Where the cases whose inputs have the same shapes and numbers are wrong together, 5 in a hundred, and 20 in a
    hundred of one exercise, which has six such kinds of cases.
    """
    rng, found, patterns = np.random.default_rng(0), {}, np.resize([0.25, 0.5, 0.75], 30)
    for name in EXERCISES:
        kinds = [str(_kind(case)) if hang_on_shapes else n for n, (case, _) in enumerate(questions(name))]
        found[name] = 0
        for chance in patterns:
            wrong = {kind: rng.random() < chance for kind in sorted(set(kinds))}
            answers = [
                Question(case, Answer("value", np.asarray(right + 1.0 * wrong[kind])), right)
                for kind, (case, right) in zip(kinds, questions(name), strict=True)
            ]
            found[name] += in_which_cases(Seen(EXERCISES[name], tuple(answers))) is not None
    shares = {name: count / len(patterns) for name, count in found.items()}
    assert np.mean(list(shares.values())) <= most and max(shares.values()) <= most_of_one, shares


def _kind(case):
    """A case without the numbers in its arrays."""
    return [v.shape if isinstance(v, np.ndarray) else v for v in (*case.args, *case.kwargs.items())]


# --- at which places --------------------------------------------------------------------------------------------------


def rewritten(name, change):
    """A function that changes right answers."""
    return lambda *args, **kwargs: change(np.array(RIGHT[name](*args, **kwargs), dtype=float))


def raised(*where):
    def change(y):
        y[where] += 2
        return y

    return change


def ringed(y):
    inner = np.zeros(y.shape, dtype=bool)
    inner[1:-1, 1:-1] = True
    return np.where(inner, y, y + 2)


@pytest.mark.parametrize(
    ("name", "f", "sees"),
    [
        ("mirror_pad", rewritten("mirror_pad", raised(-1)), "All numbers in the last row are wrong, and no others."),
        (
            "mirror_pad",
            rewritten("mirror_pad", ringed),
            "All numbers at the border are wrong, and no others. In our cases, all wrong ones are too large.",
        ),
        (
            "up_bilinear",
            rewritten("up_bilinear", raised(slice(None), slice(1, None))),
            "All numbers in the first column are right, and no others. In our cases, all wrong ones are too large.",
        ),
        (
            "up_bilinear",
            rewritten("up_bilinear", raised(slice(1, None, 2))),
            "All numbers in every second row, from the second on are wrong, and no others.",
        ),
        (
            "confusion",
            rewritten("confusion", lambda y: y * np.eye(len(y))),
            "All wrong numbers are where the right number is not 0. In our cases, all wrong ones are 0.",
        ),
        (
            "maxpool_idx",
            lambda x: (pooled_by_loops(x)[0], np.array(pooled_by_loops(x)[1]) + 1),
            "All numbers in “idx” are wrong, and no others. In our cases, all wrong ones are too large by exactly 1.",
        ),
        (
            "overlap_counts",
            rewritten("overlap_counts", lambda y: np.minimum(y, 1)),
            "All numbers where the right number is above 1 are wrong, and no others. In our cases, all wrong ones are ",
        ),
        ("maxpool_idx", lambda x: pooled_by_loops(x)[::-1], "Your numbers are the right ones, in another order."),
        (
            "conv2d_naive",
            lambda x, k: plane_by_windows(x, k) / 2,
            "In our cases, all of your numbers are wrong; the largest difference is more than half of the ",
        ),
        (
            "out_size",
            rewritten("out_size", lambda y: y + 1),
            "In our cases, where your number is wrong, it is too large by exactly 1.",
        ),
        ("iou", rewritten("iou", lambda y: y / 2), "In our cases, where your number is wrong, it is too small."),
        (
            "iou",
            lambda prediction, target: 1 - RIGHT["iou"](prediction, target),
            "In our cases, where your number is wrong, it is too large in some cases, and too small in others.",
        ),
        (
            "conv2d_naive",
            lambda x, k: plane_by_windows(x, k)[:-1],
            "Your answer has one row too few.",
        ),
        (
            "conv2d_naive",
            lambda x, k: plane_by_windows(x, k).ravel(),
            "Your answer has as many numbers as it should have, ",
        ),
        ("conv2d_naive", lambda x, k: plane_by_windows(x, k)[None], "Your answer has one axis too many."),
        ("mirror_pad", lambda image, margin: image, "Where its size is wrong, your answer is as large as the image."),
        (
            "up_nearest",
            rewritten("up_nearest", lambda y: y.T),
            "Where its size is wrong, your answer has rows and columns the wrong way round.",
        ),
        (
            "up_nearest",
            rewritten("up_nearest", lambda y: np.kron(y, np.ones((2, 2)))),
            "Your answer is twice as large as it should be.",
        ),
        ("label_map", lambda logits: logits.max(0), "Your answer has the right number of axes, but another size."),
        ("iou", lambda prediction, target: [0.5], "Your answer is an array, and should be a single number."),
        ("iou", lambda prediction, target: 1 / 0, "In all of our cases your function stops with an error."),
        ("iou", lambda prediction, target: np.nan, "In all of our cases your function gives nan, which is no number."),
    ],
)
def test_at_which_places(name, f, sees):
    assert said(at_which_places, name, f).startswith(sees)


def test_the_border_is_no_place_where_answers_have_no_interior():
    f = rewritten("conv2d_naive", lambda y: y + 1 if min(y.shape) < 3 else y)
    assert "border" not in said(at_which_places, "conv2d_naive", f)


# --- all of them ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", EXERCISES)
def test_of_each_mistake_something_true_is_said_in_words_of_our_own(name):
    looked = 0
    for mistake in EXERCISES[name].mistakes:
        each = seen(name, mistake.wrong, remembered)
        diagnoses = [found for layer in LAYERS if (found := layer(each))]
        assert any(d.layer == "place" for d in diagnoses) == any(not q.is_right for q in each.cases), mistake.name
        looked += len(diagnoses)
        for diagnosis in diagnoses:
            assert diagnosis.sees.endswith(".") and diagnosis.asks.endswith("?")
            verdicts = [diagnosis.holds(question) for question in each.telling]
            assert False not in verdicts, (mistake.name, diagnosis.sees)
            assert not each.wrong or any(diagnosis.holds(question) for question in each.wrong), diagnosis.sees
            named = re.sub("“[a-z_0-9]+”", "", diagnosis.sees)
            assert set(re.findall(r"\d+", named)) <= {"0", "1", "2", "3", "4", "255"}, diagnosis.sees  # a depth is 3
    assert looked
