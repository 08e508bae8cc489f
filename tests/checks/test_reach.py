"""What reaches what: wrong functions that are linear, and what is seen in their answers to single 1s."""

import time

import numpy as np
import pytest

from tests.checks.judging import cases_of
from unet_edu.checks import SEED, attempt
from unet_edu.checks.reach import single_ones, what_reaches_what
from unet_edu.checks.seen import Question, Seen
from unet_edu.convolution import conv2d
from unet_edu.lessons import EXERCISES


def seen_of(name: str, f, seed: int = SEED) -> Seen:
    """What `f` answers to the cases of an exercise, and to single 1s."""
    exercise, cases = EXERCISES[name], cases_of(name, seed)
    asked, ones = (
        tuple(Question(case, attempt(f, case), attempt(exercise.reference, case).value) for case in some)
        for some in (cases, single_ones(exercise, cases))
    )
    return Seen(exercise, asked, ones)


def convolved(place=lambda i, j, u, v: (i + u, j + v), weights=lambda k: k):
    """The loops of the solution, with the pixel under each weight at another place, around the edges."""

    def f(x, k):
        y = np.zeros((x.shape[0] - k.shape[0] + 1, x.shape[1] - k.shape[1] + 1))
        w = weights(k)
        for i, j in np.ndindex(y.shape):
            for u, v in np.ndindex(k.shape):
                a, b = place(i, j, u, v)
                y[i, j] += x[a % x.shape[0], b % x.shape[1]] * w[u, v]
        return y

    return f


def without_last_row(k):
    return np.where(np.arange(len(k))[:, None] == len(k) - 1, 0, k)


def stamped(write, at=lambda i, j, s: (i * s, j * s)):
    def f(x, k, stride=1, padding=0):
        y = np.zeros((np.array(x.shape) - 1) * stride + k.shape)
        for i, j in np.ndindex(x.shape):
            top, left = at(i, j, stride)
            there = y[top : top + k.shape[0], left : left + k.shape[1]]
            write(there, (x[i, j] * k)[: there.shape[0], : there.shape[1]])
        return y[padding : len(y) - padding, padding : y.shape[1] - padding]

    return f


def added(there, stamp):
    there += stamp


def without_last_column(there, stamp):
    there[:, :-1] += stamp[:, :-1]


def averaged_rows(x, k):
    return conv2d(x, k) / k.sum()


def with_one_added(x, k):
    return conv2d(x, k) + 1


def first_row_left_out(x, k):
    y = conv2d(x, k).astype(float)
    y[0] = 0
    return y


def summed(x, k):
    y = conv2d(x, k)
    return np.cumsum(y).reshape(y.shape)


def one_pixel_late(x, scale):
    rows, columns = ((np.arange(n * scale) // scale + 1).clip(0, n - 1) for n in x.shape)
    return x[rows][:, columns]


def put(y, idx, size, step=0, end=None):
    x = np.zeros(size)
    for number, place in list(zip(y.ravel(), idx.ravel(), strict=True))[:end]:
        x.flat[(place + step) % x.size] = number
    return x


def first_kept(dy, idx, size):
    dx = np.zeros(size)
    for number, place in zip(dy.ravel()[::-1], idx.ravel()[::-1], strict=True):
        dx.flat[place] = number
    return dx


def channels_of_the_first(x, w, bias=None, stride=1, padding=0):
    x = x.copy()
    x[1:] = 0
    return conv2d(x, w, bias, stride=stride, padding=padding)


WRONG = [
    ("conv2d_naive", with_one_added, "where x holds only zeros"),
    ("conv2d_naive", first_row_left_out, "No number of x reaches this part of your answer: its first row."),
    ("conv2d_naive", convolved(weights=without_last_row), "this part is never read: its last row."),
    ("conv2d_naive", convolved(weights=np.abs), "without their sign"),
    ("conv2d_naive", convolved(lambda i, j, u, v: (i - u, j - v)), "up and to the left of its beginning"),
    ("conv2d_naive", convolved(lambda i, j, u, v: (i + u, j + u)), "along a diagonal: its rows go to the right, too"),
    ("conv2d_naive", convolved(lambda i, j, u, v: (i + u + 1, j + v)), "one row lower than it should"),
    ("conv2d_naive", convolved(weights=lambda k: k[::-1]), "weights upside down"),
    ("conv2d_naive", convolved(weights=lambda k: 2 * k), "with twice its weight"),
    ("conv2d_naive", averaged_rows, "the weights add up to 1"),
    ("conv2d_naive", summed, "all those before it"),
    (
        "conv2d_multichannel",
        channels_of_the_first,
        "No number of x reaches this part of your answer: all its images but the first.",
    ),
    ("up_nearest", one_pixel_late, "one row lower and one column further right than it should; beyond the border"),
    ("tconv2d_scatter", stamped(without_last_column), "Of each stamp, this part is missing: its last column."),
    ("tconv2d_scatter", stamped(added, lambda i, j, s: (i * s, 0)), "in the first column"),
    ("maxunpool", lambda y, idx, size: put(y, idx, size, end=-1), "This part of y reaches nothing: its last number."),
    ("maxpool_backward", first_kept, "only the first one is left"),
]


@pytest.mark.parametrize(("name", "f", "words"), WRONG)
def test_what_a_wrong_function_does_is_said(name, f, words):
    for seed in (SEED, SEED + 1):
        seen = seen_of(name, f, seed)
        start = time.perf_counter()
        found = what_reaches_what(seen)
        assert time.perf_counter() - start < 0.5  # it is a tenth of that; a busy machine is slower
        assert found and words in found.sees, found and found.sees
        assert found.layer == "reach" and found.asks.endswith(("?", "."))
        assert not any(found.holds(question) is False for question in seen.probed)
        assert any(found.holds(question) for question in seen.probed)
        assert all(found.holds(question) is None for question in seen.cases)
        assert "{" not in found.sees + found.asks


RIGHT = {
    "conv2d_naive": convolved(),
    "tconv2d_scatter": stamped(added),
    "maxunpool": put,
    "up_nearest": lambda x, scale: np.kron(x, np.ones((scale, scale), int)).tolist(),
}


@pytest.mark.parametrize("name", RIGHT)
def test_of_a_right_function_nothing_is_said(name):
    for is_precise in (True, False):
        assert what_reaches_what(seen_of(name, RIGHT[name]), is_precise) is None


def test_every_linear_function_is_asked_few_times():
    for exercise in EXERCISES.values():
        ones = single_ones(exercise, cases_of(exercise.name, SEED))
        assert bool(ones) == bool(exercise.linear)
        for case in ones:
            assert case.group == "asked" and case.name.startswith("single 1s: ")
            answer = attempt(exercise.reference, case)
            assert answer.value is not None and not answer.changed_input
        assert sum(1 + case.args[case.probe.place].size for case in ones) <= 120


def test_of_a_function_that_is_not_linear_no_matrix_is_told():
    seen = seen_of("conv2d_naive", lambda x, k: np.maximum(2 * conv2d(x, k), 0))
    assert what_reaches_what(seen) is None


@pytest.mark.parametrize(
    ("f", "words"),
    [
        (lambda x, k: conv2d(x, k) + conv2d(x, k**2), "with other weights"),
        (lambda x, k: conv2d(x, k) + 0.5 * x[: len(x) - len(k) + 1, : x.shape[1] - k.shape[1] + 1][::-1], "and more"),
        (lambda x, k: 7 + np.maximum(conv2d(x, k), 0), "holds only zeros, your answer does not"),
    ],
)
def test_less_is_said_where_less_is_known(f, words):
    seen = seen_of("conv2d_naive", f)
    assert what_reaches_what(seen) is None
    found = what_reaches_what(seen, is_precise=False)
    assert found and words in found.sees, found and found.sees
    assert "{" not in found.sees


def test_an_answer_of_varying_shape_is_told_as_such():
    (case, *_) = single_ones(EXERCISES["conv2d_naive"], cases_of("conv2d_naive", SEED))
    answer = attempt(lambda x, k: x[: 1 + np.count_nonzero(x)], case)
    assert answer.kind == "unusable" and "depends on the numbers" in answer.message
    assert attempt(lambda x, k: 1 / 0, case).kind == "raised"
    assert attempt(lambda x, k: None, case).kind == "empty"


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(
    "f",
    [
        lambda x, k: x.sum(),
        lambda x, k: conv2d(x, k) * np.inf,
        lambda x, k: conv2d(x, k) + np.where(x.sum() > 0, np.inf, 0),
        lambda x, k: np.zeros((0, 3)),
        lambda x, k: x > 0,
        lambda x, k: 1e300 * conv2d(x, k),
        lambda x, k: [[1, 2], [3]],
        lambda x, k: conv2d(x, k)[1:],
    ],
)
def test_whatever_comes_back_stops_nothing(f):
    seen = seen_of("conv2d_naive", f)
    for is_precise in (True, False):
        found = what_reaches_what(seen, is_precise)
        assert found is None or found.sees
