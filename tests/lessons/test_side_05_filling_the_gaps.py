"""What the side road claims that fills the gaps of an unpooled image."""

import numpy as np
import pytest
import torch

from tests.lessons.claims import claim
from unet_edu.data import photo
from unet_edu.pooling import max_pool2d, pooled_size


@claim("The unpooled image is far off, because most of it is black.")
@claim("One convolution takes away more than half of the error.")
@claim("The weighted mean is better than bilinear interpolation of the same numbers.")
def test_the_order_of_the_ways(lesson):
    for row in lesson.errors.values():
        assert row["one kernel"] < row["unpooled"] / 2
        assert row["weighted mean"] < row["bilinear"] < row["nearest"]
        assert row["weighted mean"] < row["one kernel"]
    assert (lesson.filled(2)["unpooled"] == 0).mean() > 0.9


@claim("Which way comes closest to the photograph, after two poolings?")
@claim("With the places forgotten it is no longer better: after two poolings 0.119, beside bilinear's 0.117.")
@claim("With the places it is 0.103. So the step from 0.119 to 0.103 is what the places are worth.")
def test_what_the_places_are_worth(lesson):
    after_two = lesson.errors[2]
    names = ("places forgotten", "bilinear", "weighted mean")
    assert [round(after_two[name], 3) for name in names] == [0.119, 0.117, 0.103]
    assert min(after_two, key=after_two.get) == "weighted mean"
    for row in lesson.errors.values():
        assert row["weighted mean"] < row["places forgotten"] - 0.01
        assert row["places forgotten"] > row["bilinear"]


@claim("It also counts how many it sees, which one kernel cannot.")
def test_a_weighted_mean_keeps_a_flat_image_flat_and_one_kernel_does_not(lesson):
    flat = np.full((64, 64), 0.5)
    _, back, where = lesson.pool_and_unpool(flat + np.random.default_rng(5).uniform(0, 1e-9, flat.shape), 2)
    assert np.allclose(lesson.weighted_mean(back, where, 4)[8:-8, 8:-8], 0.5)
    kernel = lesson.learned_kernel(lesson.camera, lesson.pool_and_unpool(lesson.camera, 2)[1], 9)
    windows = np.lib.stride_tricks.sliding_window_view(back, (9, 9))
    assert np.ptp(np.einsum("ijuv,uv->ij", windows, kernel)) > 0.1


@claim("The coins have an odd height, 303 rows, and all of them come back: that is what output_size is for.")
@claim("Indices and sizes cross from each pooling to the unpooling of the same level.")
def test_the_network_gives_back_all_rows(lesson):
    assert lesson.coins.shape == lesson.network(lesson.coins).shape == (1, 1, 303, 384)
    assert lesson.network(torch.rand(1, 1, 30, 21)).shape == (1, 1, 30, 21)
    small, indices = lesson.pool(lesson.down1(lesson.coins))
    assert small.shape[2:] == (151, 192)
    with pytest.raises(RuntimeError, match="shape"):  # the pairs mixed up
        lesson.unpool(lesson.pool(lesson.down2(small))[0], indices)


@claim("Then 5 rows become 3, as 6 rows do, and unpooling still has to be told which.")
def test_ceil_mode():
    assert pooled_size(5, 2, ceil_mode=True) == pooled_size(6, 2, ceil_mode=True) == 3 and pooled_size(5, 2) == 2


@claim("Windows of 3×3 with stride 2 overlap, too. On the coins, 30 % of the numbers then find")
def test_windows_of_3_with_stride_2_share_places():
    chosen = max_pool2d(photo("coins"), 3, 2)[1]
    assert round(100 * (1 - len(np.unique(chosen)) / chosen.size)) == 30


@claim("in 54 % of the windows the maximum of the sum is less than the sum of the maxima, and nowhere is it more")
def test_max_pooling_is_not_linear(lesson):
    of_sum = max_pool2d(lesson.camera + lesson.astronaut, 2)[0]
    less = max_pool2d(lesson.camera, 2)[0] + max_pool2d(lesson.astronaut, 2)[0] - of_sum
    assert round(100 * (less > 1e-9).mean()) == 54 and less.min() > -1e-9
