"""What the side road on fast convolutions claims."""

from __future__ import annotations

import numpy as np

from tests.lessons.claims import claim
from unet_edu.convolution import conv2d_loops


@claim("A column for each window, and in it a number for each number of the kernel.")
def test_the_matrix_of_windows(lesson):
    (asked,) = lesson.guesses.values()
    assert asked.numbers == [9, 4] == list(lesson.columns.shape)
    windows = [lesson.x[i : i + 3, j : j + 3].ravel() for i in (0, 1) for j in (0, 1)]
    assert np.array_equal(lesson.columns.T, windows)


@claim("The four numbers are those of the loop.")
def test_the_product(lesson):
    product = lesson.w.reshape(1, 9) @ lesson.columns
    assert np.array_equal(product.reshape(2, 2), conv2d_loops(lesson.x, lesson.w))


@claim("each pixel stands in the matrix as often as there are windows with it, up to nine times")
def test_the_price_is_memory(lesson):
    numbered = np.arange(49).reshape(7, 7)
    windows = np.lib.stride_tricks.sliding_window_view(numbered, (3, 3))
    assert np.bincount(windows.ravel()).max() == 9


@claim("The three agree except for the last digits")
def test_the_three_agree(lesson):
    for name in ("one product", "PyTorch"):
        assert np.allclose(lesson.results[name], lesson.results["loops"])
        assert f"{name}: the same numbers: True; more than five times as fast as the loops" in lesson.printed


@claim("sums of floating point numbers depend a little on their order")
def test_sums_depend_on_their_order(lesson):
    assert (0.1 + 0.2) + 0.3 != 0.1 + (0.2 + 0.3)
