"""Lesson 05's exercises: the numbers of the lesson, and mistakes as students write them."""

import itertools
import xml.etree.ElementTree as ET
from pathlib import Path

import nbformat
import numpy as np
import pytest
import torch
import torch.nn.functional as F
from numpy.lib.stride_tricks import sliding_window_view

from tests.checks.answers.s05_pooling import back_by_loops, pooled_by_loops, put_by_loops
from tests.checks.judging import cases_of, right_option
from unet_edu import check
from unet_edu.lessons import EXERCISES
from unet_edu.pooling import max_pool2d, max_pool2d_grad
from unet_edu.transposed import transposed_size

SOLUTIONS = nbformat.read(next(Path(__file__).parents[2].glob("solutions/05_*/*.ipynb")), as_version=4)

# --- the numbers of the lesson, and the cases -------------------------------------------------------------------------


def test_the_worked_numbers_of_the_lesson():
    cases = cases_of("maxpool_idx", 0)
    for case, y, idx in zip(
        cases,
        ([[9, 7], [8, 10]], [[-1, 4], [9, -6]], [[4]]),
        ([[5, 2], [12, 15]], [[0, 2], [13, 10]], [[3]]),
        strict=False,
    ):
        assert case.group == "visible"
        assert EXERCISES["maxpool_idx"].reference(*case.args).tolist() == [y, idx]

    four = cases_of("maxunpool", 0)[0]
    assert four.args[0].tolist() == [[1, 2], [3, 4]]
    unpooled = [[0, 0, 2, 0], [0, 1, 0, 0], [0, 0, 0, 0], [3, 0, 0, 4]]
    assert EXERCISES["maxunpool"].reference(*four.args).tolist() == unpooled
    assert EXERCISES["maxpool_backward"].reference(*four.args).tolist() == unpooled  # no window overlaps: the same

    shared = cases_of("maxpool_backward", 0)[1]
    assert EXERCISES["maxpool_backward"].reference(*shared.args)[1, 1] == 1 + 4 - 2 + 3
    assert np.count_nonzero(EXERCISES["maxpool_backward"].reference(*shared.args)) == 1


def test_no_case_has_a_tie():
    """And the cases are not such that always the same corner of the window wins, nor all numbers positive."""
    for seed in range(10):
        corners, negative = set(), False
        for case in cases_of("maxpool_idx", seed):
            (x,) = case.args
            for window in sliding_window_view(x, (2, 2))[::2, ::2].reshape(-1, 4):
                assert len(set(window)) == 4
                corners.add(int(window.argmax()))
                negative |= window.max() < 0
        assert corners == {0, 1, 2, 3} and negative


def test_places_are_shared_only_on_the_way_back():
    for seed in range(10):
        cases = cases_of("maxunpool", seed)
        assert all(len(np.unique(idx)) == idx.size for case in cases for idx in case.args[1:2])
        cases = cases_of("maxpool_backward", seed)
        assert [len(np.unique(case.args[1])) < case.args[1].size for case in cases] == [
            "share" in case.name or "overlap" in case.name or "stride of 2" in case.name for case in cases
        ]


def test_the_gradient_is_that_of_torch():
    rng = np.random.default_rng(0)
    for size, window, stride in (((5, 7), 2, 2), ((4, 6), 3, 1), ((7, 5), 3, 2)):
        x = torch.tensor(rng.normal(size=(1, 1, *size)), requires_grad=True)
        y, idx = F.max_pool2d(x, window, stride, return_indices=True)
        dy = torch.tensor(rng.normal(size=y.shape))
        y.backward(dy)
        ours = EXERCISES["maxpool_backward"].reference(dy[0, 0].numpy(), idx[0, 0].numpy(), size)
        assert np.abs(ours - x.grad[0, 0].numpy()).max() < 1e-12


def test_the_trap_of_growing_numbers_does_not_pass():
    """Where the numbers grow along rows and columns, the lower right one is the maximum. A known grader has only such a
    case."""
    growing = np.arange(16).reshape(4, 4)
    lower_right = next(m for m in EXERCISES["maxpool_idx"].mistakes if m.name == "lower right pixel")
    assert np.array_equal(lower_right.wrong(growing), EXERCISES["maxpool_idx"].reference(growing))
    assert check(lower_right.wrong, "maxpool_idx").misconception == "lower right pixel"


# Each mistake of the code that is to be repaired: what stands there, and what should.
MENDED = {
    "zeros in the padding": (
        "x = np.pad(x, padding)\n",
        "x = np.pad(x.astype(float), padding, constant_values=-np.inf)\n",
    ),
    "places in the padded image": (
        "idx[i, j] = (top + n // 2) * W + left + n % 2",
        "idx[i, j] = (top + n // 2 - padding) * (W - 2 * padding) + left + n % 2 - padding",
    ),
    "place in the window by twos": ("n // 2", "n // window"),
    "windows counted side by side": (
        "(H - window) // window + 1, (W - window) // window + 1",
        "(H - window) // stride + 1, (W - window) // stride + 1",
    ),
}


@pytest.mark.parametrize("left", [left for n in range(5) for left in itertools.combinations(MENDED, n)], ids=str)
def test_the_code_to_repair_has_its_four_mistakes(left):
    """And each part of them that is left in it is named."""
    (source,) = (cell.source for cell in SOLUTIONS.cells if cell.id == "example-4")
    for name, (there, right) in MENDED.items():
        assert source.count(there) == 1
        source = source if name in left else source.replace(there, right)
    if "place in the window by twos" not in left:
        assert source.count("n % 2") == 1
        source = source.replace("n % 2", "n % window")
    names = {"np": np}
    exec(source.partition("\n\n\nprint")[0], names)  # noqa: S102 - our own notebook

    result = check(names["pool"], "repair_maxpool")
    assert result.misconception == " and ".join(name for name in MENDED if name in left)
    assert result.passed == (not left) and result.right[0]  # the trial is right in any case


def test_no_window_to_repair_has_a_tie_or_no_pixel():
    for seed in range(10):
        for case in cases_of("repair_maxpool", seed):
            x, window, stride, padding = case.args
            padded = np.pad(x.astype(float), padding, constant_values=np.nan)
            windows = sliding_window_view(padded, (window, window))[::stride, ::stride]
            for numbers in windows.reshape(-1, window**2):
                inside = numbers[~np.isnan(numbers)]
                assert 0 < len(set(inside)) == len(inside)


def test_the_gradient_of_the_average_is_that_of_torch():
    for seed in range(3):
        for case in cases_of("avgpool_backward", seed):
            dy, window, stride, size = case.args
            x = torch.zeros(1, 1, *size, dtype=torch.float64, requires_grad=True)
            F.avg_pool2d(x, window, stride).backward(torch.tensor(dy * 1.0)[None, None])
            assert np.abs(EXERCISES["avgpool_backward"].reference(*case.args) - x.grad[0, 0].numpy()).max() < 1e-12


# --- mistakes as students write them ----------------------------------------------------------------------------------


def pooling(start, number):
    """The solution's loops, with two places in which to go wrong."""

    def maxpool_idx(x):
        H, W = x.shape
        y, idx = np.zeros((H // 2, W // 2)), np.zeros((H // 2, W // 2), dtype=int)
        for i, j in np.ndindex(y.shape):
            best, place = start, 0
            for u, v in np.ndindex(2, 2):
                if x[2 * i + u, 2 * j + v] > best:
                    best, place = x[2 * i + u, 2 * j + v], number(i, j, u, v, H, W)
            y[i, j], idx[i, j] = best, place
        return y, idx

    return maxpool_idx


def flat(i, j, u, v, H, W):
    return (2 * i + u) * W + 2 * j + v


@pytest.mark.parametrize(
    ("start", "number", "misconception"),
    [
        (0, flat, "maximum started at 0"),
        (-np.inf, lambda i, j, u, v, H, W: 2 * u + v, "index within the window"),
        (-np.inf, lambda i, j, u, v, H, W: (2 * i + u) * H + 2 * j + v, "height in place of width"),
        (-np.inf, lambda i, j, u, v, H, W: (2 * i + u) * (W // 2) + 2 * j + v, "width of the output"),
        (-np.inf, lambda i, j, u, v, H, W: (i + u) * W + j + v, "window starts at (i, j)"),
        (-np.inf, lambda i, j, u, v, H, W: (2 * i + v) * W + 2 * j + u, "row and column swapped within the window"),
        (-np.inf, lambda i, j, u, v, H, W: 0, "maxima so far"),
    ],
)
def test_mistakes_in_the_loops_are_recognised(start, number, misconception):
    assert check(pooling(-np.inf, flat), "maxpool_idx").passed
    assert check(pooling(start, number), "maxpool_idx").misconception == misconception


@pytest.mark.parametrize("rule", ["upper left pixel", "nearest"])
def test_unpooling_without_indices_is_recognised(rule):
    def maxunpool(y, idx, size):
        if rule == "nearest":
            return y.repeat(2, axis=0).repeat(2, axis=1)
        x = np.zeros(size)
        for i, j in np.ndindex(y.shape):
            x[2 * i, 2 * j] = y[i, j]
        return x

    name = {"nearest": "copied all over the window", "upper left pixel": "indices ignored"}[rule]
    assert check(maxunpool).misconception == name


@pytest.mark.parametrize(
    ("name", "misconception"),
    [("maxunpool", "only the first row of numbers"), ("maxpool_backward", "only the first row of gradients")],
)
def test_a_return_inside_the_outer_loop_is_recognised(name, misconception):
    def back(dy, idx, size):
        dx = np.zeros(size)
        for i in range(dy.shape[0]):
            for j in range(dy.shape[1]):
                dx[idx[i, j] // size[1], idx[i, j] % size[1]] += dy[i, j]
            return dx

    assert check(back, name).misconception == misconception


def test_only_one_of_two_arrays_is_told():
    result = check(lambda x: pooled_by_loops(x)[0], "maxpool_idx")
    assert result.misconception == "only the maxima"
    assert "it should be 2 arrays, y and idx, of shape (2, 2) each: `return y, idx`." in result.message


def test_two_arrays_are_spoken_of_by_their_names():
    def nudged(x):
        y, idx = pooled_by_loops(x)
        idx[1, 0] += 7
        return y, idx

    result = check(nudged, "maxpool_idx")
    assert "The first difference is at idx[1, 0]: yours is 19, expected is 12." in result.message
    assert "idx[1, 0]" in "".join(ET.fromstring(result._repr_html_()).itertext())
    captions = [caption.text for caption in ET.fromstring(result._repr_html_()).iter("caption")]
    assert captions == ["x", "yours: idx", "expected: idx"]

    result = check(lambda x: pooled_by_loops(np.pad(x, 1)), "maxpool_idx")
    assert "Your y and idx have shape (3, 3) each; it should be (2, 2)." in result.message
    captions = [caption.text for caption in ET.fromstring(result._repr_html_()).iter("caption")]
    assert captions == ["x", "x, as your function seems to read it", "yours", "expected: y"]


@pytest.mark.parametrize(
    ("f", "message"),
    [
        (lambda x: (pooled_by_loops(x)[0], None), "returned a tuple in which something is None."),
        (lambda x: (pooled_by_loops(x)[0], x), "returned two arrays of different shapes, (2, 2) and (4, 4)."),
        (
            lambda x: (pooled_by_loops(x)[0], "0 1"),
            "returned a tuple that holds something other than real numbers, or rows",
        ),
        (lambda x: {"y": 1, "idx": 2}, "returned a dict"),
        (lambda x: pooled_by_loops(x) * 2, "an array of shape (4, 2, 2); it should be 2 arrays, y and idx"),
        (lambda x: x.max(), "a single number; it should be 2 arrays, y and idx, of shape (2, 2) each"),
        (lambda x: np.array(pooled_by_loops(x)).astype(int), "of type int, which cuts off the fractions"),
    ],
)
def test_pairs_that_are_none_are_told(f, message):
    result = check(f, "maxpool_idx")
    assert result.status == "failed"
    assert message in result.message
    assert ET.fromstring(result._repr_html_()) is not None


def test_a_wrong_size_is_recognised_though_some_indices_lie_outside():
    def maxunpool(y, idx, size):
        x = np.zeros(4 * y.size)
        x[idx.ravel()] = y.ravel()
        return x.reshape(2 * y.shape[0], 2 * y.shape[1])

    result = check(maxunpool)
    assert result.misconception == "size ignored"
    assert "It stopped with an error in another case" in result.message


def test_a_copy_that_was_written_to_is_recognised():
    def maxunpool(y, idx, size):
        x = np.zeros(size)
        x.flatten()[idx] = y
        return x

    assert check(maxunpool).misconception == "result not stored"
    assert "flatten() is a copy" in check(maxunpool).hint


@pytest.mark.parametrize("write", ["=", "+="])
def test_gradients_that_do_not_add_up_are_recognised(write):
    def maxpool_backward(dy, idx, size):
        dx = np.zeros(size[0] * size[1])
        if write == "=":
            dx[idx] = dy
        else:
            dx[idx] += dy  # adds once for each place
        return dx.reshape(size)

    assert check(maxpool_backward).misconception == "overwritten in place of added"
    assert "np.add.at" in check(maxpool_backward).hint


def test_unpooling_is_not_the_way_back():
    assert check(put_by_loops, "maxpool_backward").misconception == "overwritten in place of added"
    assert check(back_by_loops, "maxunpool").passed  # where no place is shared, they are the same


# --- the quick questions ----------------------------------------------------------------------------------------------


def test_the_answers_of_the_quick_questions_are_true():
    x = np.zeros((4, 6))
    x[3, 4] = 1
    assert right_option("05", 1) == str(max_pool2d(x, 2)[1][-1, -1])

    x = torch.zeros(1, 1, 5, 5)
    x[0, 0, 3, 3] = 1  # index 18 lies outside of 4×4
    with pytest.raises(RuntimeError, match="invalid max index: 18"):
        F.max_unpool2d(*F.max_pool2d(x, 2, return_indices=True), 2)
    x = torch.zeros(1, 1, 5, 5)
    x[0, 0, 1, 1] = x[0, 0, 0, 2] = x[0, 0, 2, 0] = x[0, 0, 2, 2] = 1
    moved = F.max_unpool2d(*F.max_pool2d(x, 2, return_indices=True), 2)
    assert moved.shape == (1, 1, 4, 4) and not torch.equal(moved, x[..., :4, :4])
    assert right_option("05", 2) == "it stops, or puts maxima into wrong places"

    gradient = max_pool2d_grad([[1, 4], [2, 3]], np.full((2, 2), 5), (4, 4))
    assert right_option("05", 3) == str(gradient[1, 1])
    assert right_option("05", 5) == str(transposed_size(6, 4, 2, 1))
