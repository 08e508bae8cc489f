"""The exercises of lesson 03: the numbers of the notebook, and what students really write gets its hint."""

import numpy as np
import pytest
import scipy.ndimage
import torch
import torch.nn.functional as F

from tests.checks.answers.s03_interpolation import stamp_by_loops
from tests.checks.judging import cases_of, worked
from unet_edu import check
from unet_edu.lessons import EXERCISES


def test_the_worked_numbers_of_the_lesson():
    _, right, wrong = worked("up_nearest")
    assert right.tolist() == [[1, 1, 2, 2]] * 2 + [[3, 3, 4, 4]] * 2
    assert wrong["image repeated"].tolist() == [[1, 2, 1, 2], [3, 4, 3, 4]] * 2
    assert wrong["bed of nails"].tolist() == [[1, 0, 2, 0], [0] * 4, [3, 0, 4, 0], [0] * 4]

    _, right, wrong = worked("up_bilinear")
    row = [0, 0.25, 0.75, 1.25, 1.75, 2.25, 2.75, 3]
    assert right.tolist() == [row, row]
    assert wrong["corners aligned"][0].round(4).tolist()[:3] == [0, 0.4286, 0.8571]
    assert wrong["half pixels forgotten"][0].tolist() == [0, 0.5, 1, 1.5, 2, 2.5, 3, 3]
    assert wrong["zeros outside"][0, -1] == 2.25 * 0.75  # in the one row of pixels, the rows fade as well

    assert worked("resize_mask", 1)[1].tolist() == [[0, 4, 4, 1], [4, 0, 3, 3]]
    two, size = np.array([[0, 2]]), (1, 8)
    assert 1 in EXERCISES["resize_mask"].mistakes[1].wrong(two, size)
    assert set(EXERCISES["resize_mask"].reference(two, size).ravel()) == {0, 2}

    _, kernel, wrong = worked("bilinear_kernel")
    assert kernel[1].tolist() == [0.1875, 0.5625, 0.5625, 0.1875] and kernel.sum() == 4
    assert wrong["normalised to 1"].sum() == 1
    assert wrong["block of ones"].shape == (2, 2)

    _, right, wrong = worked("up_volume")
    assert right.tolist() == [[[0, 8]], [[1, 7]], [[3, 5]], [[4, 4]]]
    assert wrong["slices repeated"].tolist() == [[[0, 8]], [[0, 8]], [[4, 4]], [[4, 4]]]
    assert worked("up_volume", 1)[1][1].tolist() == [[2, 3, 5, 6], [2, 2.5, 3.5, 4]]


@pytest.mark.parametrize("scale", [2, 4, 8])
def test_the_stamp_is_bilinear_inside_and_darker_at_the_border(scale):
    x = np.random.default_rng(0).normal(size=(1, 1, 5, 7))
    kernel = torch.from_numpy(stamp_by_loops(scale))[None, None]
    stamped = F.conv_transpose2d(torch.from_numpy(x), kernel, stride=scale, padding=scale // 2)[0, 0].numpy()
    expected = EXERCISES["up_bilinear"].reference(x[0, 0], scale)
    rim = scale // 2
    assert stamped.shape == expected.shape
    assert np.allclose(stamped[rim:-rim, rim:-rim], expected[rim:-rim, rim:-rim])
    # The rest of the weight lies outside.
    assert np.allclose(stamped[0, rim:-rim], expected[0, rim:-rim] * (0.5 + 0.5 / scale))


def test_the_sizes_of_masks_are_safe_for_floats():
    """i · H / H′ is often whole. In floats it must not fall just below, in whichever order and precision it is
    computed."""
    cases = [case for seed in range(3) for case in cases_of("resize_mask", seed)]
    pairs = {sizes for case in cases for sizes in zip(case.args[0].shape, case.args[1], strict=True)}
    assert len(pairs) >= 8
    for n, m in pairs:
        i, exact = np.arange(m), np.arange(m) * n // m
        for number in (np.float64, np.float32):
            ratio = number(n) / number(m)
            for place in (i * n / m, i.astype(number) * ratio, i.astype(number) / (number(m) / number(n))):
                assert np.array_equal(np.floor(place), exact), (n, m)


def test_enlarged_masks_hold_no_new_class():
    for seed in range(5):
        for case in cases_of("resize_mask", seed):
            y = case.call(EXERCISES["resize_mask"].reference)
            assert y.shape == case.args[1] and set(y.ravel()) <= set(case.args[0].ravel())


# --- what students write, as they write it ----------------------------------------------------------------------------


def bilinear(source, keep="index", swap=False):
    """The loops of a student, with some choices."""

    def up_bilinear(x, scale):
        H, W = x.shape
        y = np.zeros((H * scale, W * scale))
        for i in range(H * scale):
            for j in range(W * scale):
                top, left = source(i, scale), source(j, scale)
                if keep == "source":
                    top, left = min(max(top, 0), H - 1), min(max(left, 0), W - 1)
                i0, j0 = int(np.floor(top)), int(np.floor(left))
                a, b = top - i0, left - j0
                i1, j1 = min(i0 + 1, H - 1), min(j0 + 1, W - 1)
                if keep == "index":
                    i0, j0, i1, j1 = max(i0, 0), max(j0, 0), max(i1, 0), max(j1, 0)
                i0, j0 = min(i0, H - 1), min(j0, W - 1)
                if swap:
                    a, b = 1 - a, 1 - b
                y[i, j] = (
                    (1 - a) * (1 - b) * x[i0, j0]
                    + (1 - a) * b * x[i0, j1]
                    + a * (1 - b) * x[i1, j0]
                    + a * b * x[i1, j1]
                )
        return y

    return up_bilinear


def centre(i, s):
    return (i + 0.5) / s - 0.5


@pytest.mark.parametrize(
    ("f", "misconception"),
    [
        (bilinear(lambda i, s: i / s), "half pixels forgotten"),
        (bilinear(lambda i, s: i / s, keep="source"), "half pixels forgotten"),
        (bilinear(lambda i, s: (i + 0.5) / s), "half pixel not taken off"),
        (bilinear(lambda i, s: i / s - 0.5), "half pixel not added"),
        (bilinear(centre, keep="nothing"), "last pixel mixed into the first"),
        (bilinear(centre, keep="source", swap=True), "weights exchanged"),
        (bilinear(centre, swap=True), "weights exchanged inside"),
        (lambda x, scale: scipy.ndimage.zoom(x.astype(float), scale, order=1), "corners aligned"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_loops_with_a_mistake_are_recognised(f, misconception):
    assert check(f, "up_bilinear").misconception == misconception
    assert (
        check(bilinear(centre), "up_bilinear").passed and check(bilinear(centre, keep="source"), "up_bilinear").passed
    )


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize(
    ("whole", "misconception"),
    [(torch.round, "averaged and rounded"), (torch.Tensor.long, "averaged and cut off"), (lambda y: y, "averaged")],
    ids=["round", "long", "as it is"],
)
def test_class_ids_averaged_by_torch_are_recognised(whole, misconception, dtype):
    def resize_mask(mask, size):
        return whole(F.interpolate(torch.tensor(mask, dtype=dtype)[None, None], size=size, mode="bilinear"))[0, 0]

    assert check(resize_mask).misconception == misconception
