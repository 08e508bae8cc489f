"""The exercises of lesson 03: right answers pass, however they are written; what students really write gets its hint."""

import numpy as np
import pytest
import scipy.ndimage
import torch
import torch.nn.functional as F

from tests.checks.judging import assert_right
from unet_edu import check
from unet_edu.checks import attempt
from unet_edu.lessons import EXERCISES, s03_interpolation


def copies_by_loops(x, scale):
    y = np.zeros((len(x) * scale, x.shape[1] * scale))
    for i in range(y.shape[0]):
        for j in range(y.shape[1]):
            y[i, j] = x[i // scale, j // scale]
    return y


def copies_by_blocks(x, scale):
    y = np.empty((len(x) * scale, x.shape[1] * scale), x.dtype)
    for i, j in np.ndindex(*x.shape):
        y[i * scale : (i + 1) * scale, j * scale : (j + 1) * scale] = x[i, j]
    return y


def copies_in_torch(x, scale):
    return F.interpolate(torch.tensor(x, dtype=torch.float64)[None, None], scale_factor=scale, mode="nearest")[0, 0]


def mixed_by_loops(x, scale):
    H, W = x.shape
    y = []
    for i in range(H * scale):
        y.append([])
        for j in range(W * scale):
            top, left = (i + 0.5) / scale - 0.5, (j + 0.5) / scale - 0.5
            top, left = min(max(top, 0), H - 1), min(max(left, 0), W - 1)
            i0, j0 = int(top), int(left)
            i1, j1 = min(i0 + 1, H - 1), min(j0 + 1, W - 1)
            a, b = top - i0, left - j0
            upper = (1 - b) * x[i0, j0] + b * x[i0, j1]
            lower = (1 - b) * x[i1, j0] + b * x[i1, j1]
            y[i].append((1 - a) * upper + a * lower)
    return y


def mixed_by_axes(x, scale):
    def longer(row):
        places = (np.arange(len(row) * scale) + 0.5) / scale - 0.5
        return np.interp(places, np.arange(len(row)), row)

    wide = np.array([longer(row) for row in x])
    return np.array([longer(column) for column in wide.T]).T


def mixed_by_four_pictures(x, scale):
    rows, columns = ((np.arange(n * scale) + 0.5) / scale - 0.5 for n in x.shape)
    (i0, a), (j0, b) = ((np.floor(where).astype(int), where - np.floor(where)) for where in (rows, columns))
    x, a = np.pad(x, 1, mode="edge"), a[:, None]  # so that pixel −1 is there
    left, right = (x[:, j0 + 1 + d] for d in (0, 1))
    wide = (1 - b) * left + b * right
    return (1 - a) * wide[i0 + 1] + a * wide[i0 + 2]


def mixed_in_torch(x, scale):
    x = torch.tensor(x, dtype=torch.float32, requires_grad=True)
    return F.interpolate(x[None, None], scale_factor=scale, mode="bilinear")[0, 0]


def mixed_in_scipy(x, scale):
    return scipy.ndimage.zoom(x.astype(float), scale, order=1, mode="nearest", grid_mode=True)


def mask_by_loops(mask, size):
    return [
        [mask[i * mask.shape[0] // size[0], j * mask.shape[1] // size[1]] for j in range(size[1])]
        for i in range(size[0])
    ]


def mask_by_indices(mask, size):
    rows, columns = ((np.arange(m) * (n / m)).astype(int) for n, m in zip(mask.shape, size, strict=True))
    return mask[np.ix_(rows, columns)]


def mask_by_another_ratio(mask, size):
    rows, columns = (np.floor(np.arange(m) / (m / n)).astype(int) for n, m in zip(mask.shape, size, strict=True))
    return mask[rows[:, None], columns]


def mask_in_torch(mask, size):
    large = F.interpolate(torch.tensor(mask, dtype=torch.float32)[None, None], size=size, mode="nearest")
    return large[0, 0].long()


def stamp_by_loops(scale):
    k = np.zeros((2 * scale, 2 * scale))
    middle = scale - 0.5
    for i in range(2 * scale):
        for j in range(2 * scale):
            k[i, j] = (1 - abs(i - middle) / scale) * (1 - abs(j - middle) / scale)
    return k


def stamp_by_steps(scale):
    rising = (np.arange(scale) + 0.5) / scale
    row = np.concatenate([rising, rising[::-1]]).astype(np.float32)
    return row[:, None] * row


def stamp_as_a_gradient(scale):
    """What one pixel in the middle gives to the outputs around it."""
    x = torch.zeros(1, 1, 5, 5, dtype=torch.float64)
    x[0, 0, 2, 2] = 1
    y = F.interpolate(x, scale_factor=scale, mode="bilinear")[0, 0]
    start = 2 * scale + scale // 2 - scale
    return y[start : start + 2 * scale, start : start + 2 * scale]


RIGHT = {
    "up_nearest": [
        copies_by_loops,
        copies_by_blocks,
        copies_in_torch,
        lambda x, scale: np.kron(x, np.ones((scale, scale))),
        lambda x, scale: x.repeat(scale, axis=0).repeat(scale, axis=1),
    ],
    "up_bilinear": [mixed_by_loops, mixed_by_axes, mixed_by_four_pictures, mixed_in_torch, mixed_in_scipy],
    "resize_mask": [mask_by_loops, mask_by_indices, mask_by_another_ratio, mask_in_torch],
    "bilinear_kernel": [stamp_by_loops, stamp_by_steps, stamp_as_a_gradient],
}


@pytest.mark.parametrize("exercise", s03_interpolation.LESSON.exercises, ids=lambda exercise: exercise.name)
def test_right_answers_pass_however_they_are_written(exercise):
    assert_right(exercise, RIGHT[exercise.name])


def visible(name: str, number: int = 0):
    """A case of the notebook, and what the misconceptions make of it."""
    exercise = EXERCISES[name]
    case = exercise.cases(np.random.default_rng())[number]
    assert case.group == "visible"
    return case, {m.name: attempt(m.wrong, case).value for m in exercise.mistakes}


def test_the_worked_numbers_of_the_lesson():
    case, wrong = visible("up_nearest")
    assert s03_interpolation.UP_NEAREST.reference(*case.args).tolist() == [[1, 1, 2, 2]] * 2 + [[3, 3, 4, 4]] * 2
    assert wrong["image repeated"].tolist() == [[1, 2, 1, 2], [3, 4, 3, 4]] * 2
    assert wrong["bed of nails"].tolist() == [[1, 0, 2, 0], [0] * 4, [3, 0, 4, 0], [0] * 4]

    case, wrong = visible("up_bilinear")
    row = [0, 0.25, 0.75, 1.25, 1.75, 2.25, 2.75, 3]
    assert s03_interpolation.UP_BILINEAR.reference(*case.args).tolist() == [row, row]
    assert wrong["corners aligned"][0].round(4).tolist()[:3] == [0, 0.4286, 0.8571]
    assert wrong["half pixels forgotten"][0].tolist() == [0, 0.5, 1, 1.5, 2, 2.5, 3, 3]
    assert wrong["zeros outside"][0, -1] == 2.25 * 0.75  # in the one row of pixels, the rows fade as well

    case, wrong = visible("resize_mask", 1)
    assert s03_interpolation.RESIZE_MASK.reference(*case.args).tolist() == [[0, 4, 4, 1], [4, 0, 3, 3]]
    two, size = np.array([[0, 2]]), (1, 8)
    assert 1 in EXERCISES["resize_mask"].mistakes[1].wrong(two, size)
    assert set(s03_interpolation.RESIZE_MASK.reference(two, size).ravel()) == {0, 2}

    case, wrong = visible("bilinear_kernel")
    kernel = s03_interpolation.BILINEAR_KERNEL.reference(*case.args)
    assert kernel[1].tolist() == [0.1875, 0.5625, 0.5625, 0.1875] and kernel.sum() == 4
    assert wrong["normalised to 1"].sum() == 1
    assert wrong["block of ones"].shape == (2, 2)


@pytest.mark.parametrize("scale", [2, 4, 8])
def test_the_stamp_is_bilinear_inside_and_darker_at_the_border(scale):
    x = np.random.default_rng(0).normal(size=(1, 1, 5, 7))
    kernel = torch.from_numpy(stamp_by_loops(scale))[None, None]
    stamped = F.conv_transpose2d(torch.from_numpy(x), kernel, stride=scale, padding=scale // 2)[0, 0].numpy()
    expected = s03_interpolation.UP_BILINEAR.reference(x[0, 0], scale)
    rim = scale // 2
    assert stamped.shape == expected.shape
    assert np.allclose(stamped[rim:-rim, rim:-rim], expected[rim:-rim, rim:-rim])
    assert np.allclose(
        stamped[0, rim:-rim], expected[0, rim:-rim] * (0.5 + 0.5 / scale)
    )  # the rest of the weight lies outside


def test_the_sizes_of_masks_are_safe_for_floats():
    """i · H / H′ is often whole. In floats it must not fall just below, in whichever order and precision it is computed."""
    cases = [c for seed in range(3) for c in s03_interpolation.RESIZE_MASK.cases(np.random.default_rng(seed))]
    pairs = {sizes for c in cases for sizes in zip(c.args[0].shape, c.args[1], strict=True)}
    assert len(pairs) >= 8
    for n, m in pairs:
        i, exact = np.arange(m), np.arange(m) * n // m
        for number in (np.float64, np.float32):
            ratio = number(n) / number(m)
            for place in (i * n / m, i.astype(number) * ratio, i.astype(number) / (number(m) / number(n))):
                assert np.array_equal(np.floor(place), exact), (n, m)


def test_enlarged_masks_hold_no_new_class():
    for seed in range(5):
        for case in s03_interpolation.RESIZE_MASK.cases(np.random.default_rng(seed)):
            y = s03_interpolation.RESIZE_MASK.reference(*case.args)
            assert y.shape == case.args[1] and set(y.ravel()) <= set(case.args[0].ravel())


# --- what students write, as they write it ------------------------------------------------------------------------------


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


def test_the_last_hint_without_its_lower_bound_is_recognised():
    def up_bilinear(x, scale):
        def longer(row):
            result = np.zeros(len(row) * scale)
            for i in range(len(result)):
                source = min((i + 0.5) / scale - 0.5, len(row) - 1)
                k = int(source)
                f = source - k
                result[i] = (1 - f) * row[k] + f * row[min(k + 1, len(row) - 1)]
            return result

        return np.array([longer(column) for column in np.array([longer(row) for row in x]).T]).T

    assert check(up_bilinear).misconception == "source below 0"


def test_an_array_without_room_for_fractions_is_told():
    def up_bilinear(x, scale):
        y = np.zeros_like(x, shape=(len(x) * scale, x.shape[1] * scale))
        y[:] = mixed_by_axes(x, scale)
        return y

    assert "of type int, which cuts off the fractions" in check(up_bilinear).message


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize(
    ("whole", "misconception"),
    [
        (torch.round, "averaged and rounded"),
        (torch.Tensor.long, "averaged and cut off"),
        (lambda y: y, "averaged"),
    ],
    ids=["round", "long", "as it is"],
)
def test_class_ids_averaged_by_torch_are_recognised(whole, misconception, dtype):
    def resize_mask(mask, size):
        return whole(F.interpolate(torch.tensor(mask, dtype=dtype)[None, None], size=size, mode="bilinear"))[0, 0]

    assert check(resize_mask).misconception == misconception


def test_a_whole_factor_is_recognised_though_it_sometimes_gives_nothing():
    def resize_mask(mask, size):
        return np.repeat(np.repeat(mask, size[0] // mask.shape[0], axis=0), size[1] // mask.shape[1], axis=1)

    assert check(resize_mask).misconception == "factor cut to a whole number"


def test_a_kernel_with_its_tip_on_a_pixel_is_recognised():
    def bilinear_kernel(scale):
        row = 1 - np.abs(np.arange(2 * scale) - scale) / scale
        return np.outer(row, row)

    assert check(bilinear_kernel).misconception == "tip on a pixel"
