"""What lesson 03 says, claim by claim."""

from __future__ import annotations

import re
from pathlib import Path

import nbformat
import numpy as np
from PIL import Image
from scipy import ndimage

from tests.lessons.claims import claim, path_of, run
from tests.torch_or_skip import F, torch
from unet_edu.checks import turn
from unet_edu.convolution import receptive_field
from unet_edu.figures import interpolation as pictures
from unet_edu.interpolation import (
    MODES,
    axis_matrix,
    bed_of_nails,
    bed_of_nails_grad,
    bilinear_kernel,
    interpolate,
    interpolate_grad,
    interpolate_loops,
    nearest_loops,
    source_coordinates,
)
from unet_edu.lessons.s03_interpolation import BILINEAR_KERNEL, UP_BILINEAR
from unet_edu.metrics import confusion_matrix, iou

ROW = np.array([[0, 1, 2, 3]])
SMOOTH = MODES[1:]


# --- 1 · A small answer for a large picture ---------------------------------------------------------------------------


@claim("An image that is an eighth as high and as wide has 64 times fewer pixels to compute.")
def test_a_small_image_costs_less(lesson):
    assert 256 // 2**3 == 32 and 256**2 == 64 * 32**2
    H, W = lesson.coins.shape
    assert H * W == 64 * lesson.coarse.size and (H, W) == (8 * 37, 8 * 48)


@claim(
    "Four 3×3 convolutions, one after the other, see 9×9 pixels. After three halvings they see 72×72 pixels of the "
    "original."
)
def test_after_halvings_a_convolution_sees_more(lesson):
    assert receptive_field([(3,)] * 4).size == 9
    assert receptive_field([(2, 2)] * 3 + [(3,)] * 4).size == 72


@claim("For each number of the small answer, 64 must be written.")
def test_a_block_for_each_number(lesson):
    assert lesson.mask.size == 64 * lesson.coarse.size and lesson.coarse.shape == (37, 48)
    blocks = [[lesson.mask[8 * i : 8 * i + 8, 8 * j : 8 * j + 8].sum() for j in range(48)] for i in range(37)]
    assert np.array_equal(lesson.coarse, np.array(blocks) > 32), "the class of most pixels of each block"


# --- 2 · Copies and nails ---------------------------------------------------------------------------------------------


@claim("output pixel $i$ takes input pixel $\\lfloor i / s \\rfloor$", "Nearest repeats pixels, not the image.")
def test_nearest_copies(lesson):
    shown = pictures.copies_and_nails([[1, 2], [3, 4]], 2).values
    x, i = np.array([[1, 2], [3, 4]]), np.arange(4) // 2
    for nearest in (shown["nearest"], interpolate(x, (4, 4), mode="nearest"), nearest_loops(x, (4, 4))):
        assert np.array_equal(nearest, x[i][:, i]) and nearest[0].tolist() == [1, 1, 2, 2]
    assert not np.array_equal(shown["tiled"], x[i][:, i])


@claim("Bed of nails puts each pixel into the top left corner of its block, and fills the rest with 0.")
def test_nails(lesson):
    nails = pictures.copies_and_nails([[1, 2], [3, 4]], 2).values["nails"]
    assert nails.tolist() == [[1, 0, 2, 0], [0, 0, 0, 0], [3, 0, 4, 0], [0, 0, 0, 0]]


# --- 3 · Where does an output pixel look? -----------------------------------------------------------------------------


@claim("So output 0 looks at $0.5 \\cdot 4/8 - 0.5 = -0.25$.", "Output 0 looks before the first middle.")
def test_the_source_coordinate(lesson):
    assert np.allclose(source_coordinates(4, 8), (np.arange(8) + 0.5) * 4 / 8 - 0.5)
    assert source_coordinates(4, 8)[0] == -0.25


@claim(
    "The row [0, 1, 2, 3] becomes 8 long. Where does output 1 look, and what does bilinear write there?",
)
def test_output_1(lesson):
    (asked,) = [each for question, each in lesson.guesses.items() if "Where does output 1 look" in question]
    assert asked.numbers == [0.25, 0.25] and (1 + 0.5) * 4 / 8 - 0.5 == 0.25
    assert "(1 + 0.5) · 4/8 − 0.5 = 0.25. At that part of the way from 0 to 1, bilinear writes 0.25." in asked.why


@claim(
    "so the pixel at the border is repeated. The whole row is 0, 0.25, 0.75, 1.25, 1.75, 2.25, 2.75, 3.",
    "At the border the last pixel is repeated.",
)
def test_the_border_is_repeated(lesson):
    expected = [0, 0.25, 0.75, 1.25, 1.75, 2.25, 2.75, 3]
    assert interpolate(ROW, (1, 8))[0].tolist() == interpolate_loops(ROW, (1, 8))[0].tolist() == expected


@claim(
    "In general a pixel has the weight 1 − its distance from the place where the output looks. From a distance of 1 "
    "on, its weight is 0.",
    "The row [4, 5, 8, 7] becomes 8 long, too. Output 3 looks at 1.25. What does bilinear write there?",
)
def test_output_3(lesson):
    pixels, away = np.array([4, 5, 8, 7]), np.abs(np.arange(4) - 1.25)
    assert source_coordinates(4, 8)[3] == 1.25 and away[1] == 0.25
    weights = np.maximum(1 - away, 0)
    assert weights.tolist() == [0, 0.75, 0.25, 0]
    assert weights @ pixels == interpolate(pixels[None], (1, 8))[0, 3] == 0.75 * 5 + 0.25 * 8 == 5.75
    (asked,) = [each for question, each in lesson.guesses.items() if "Output 3" in question]
    assert asked.numbers == [5.75] and asked.why == "0.75 · 5 + 0.25 · 8: the nearer pixel counts more."


@claim(
    "The outputs then look too far to the lower right, so the image slides towards the top left corner: by a quarter "
    "of an input pixel for a factor of 2, by almost half of one for large factors."
)
def test_without_the_halves_the_image_slides_to_the_top_left(lesson):
    for factor, slide in ((2, 0.25), (32, 0.5 - 0.5 / 32)):
        too_far = np.arange(8 * factor) / factor - source_coordinates(8, 8 * factor)
        assert np.allclose(too_far, slide)
    bright = np.zeros((17, 17))
    bright[8, 8] = 1
    shown = pictures.half_pixels_forgotten(np.zeros((68, 68)), bright, np.s_[:, :]).values
    halves, without = (ndimage.center_of_mass(shown[name]) for name in ("right", "slid"))
    assert np.allclose(np.subtract(without, halves), -1.5), "in pixels of the output: 3/8 of an input pixel, 4 times"
    (hint,) = [mistake.hint for mistake in UP_BILINEAR.mistakes if mistake.name == "half pixels forgotten"]
    assert "slid towards the upper left" in hint


@claim("That looks almost right, and the mask misses its object:")
def test_the_slid_mask_misses_its_object(lesson):
    shown = pictures.half_pixels_forgotten(lesson.coins, lesson.coarse, lesson.window).values
    right, slid = (iou(confusion_matrix(shown[name] > 0.5, lesson.mask, 2))[1] for name in ("right", "slid"))
    assert right > 0.88 and slid < 0.76


@claim("An output takes 2×2 pixels, and weights are multiplied: the nearest of the four may get 0.75 · 0.75 = 0.5625.")
def test_two_directions(lesson):
    one = np.zeros((4, 4))
    one[1, 1] = 1
    large = interpolate(one, (8, 8))
    assert large[2, 2] == 0.75 * 0.75 == 0.5625 and np.count_nonzero(large) == 4 * 4
    assert np.count_nonzero(axis_matrix(4, 8)[3]) == 2


@claim("When does bilinear give the input back?")
def test_the_same_size_changes_nothing(lesson):
    assert np.array_equal(interpolate(ROW, ROW.shape), ROW)


# --- 4 · On a photograph ----------------------------------------------------------------------------------------------


@claim(
    "Bicubic takes four pixels along each side",
    "Find bilinear's weight at 0.25: it is 0.75",
    "Bicubic's weights go below 0.",
    "Nearest copies 1 pixel, bilinear mixes 2×2, bicubic 4×4 with some negative weights.",
)
def test_bicubic(lesson):
    curves = pictures.weights_by_distance().values
    assert curves["bicubic"].min() < 0 and curves["bilinear"].min() == curves["nearest"].min() == 0
    assert [np.count_nonzero(axis_matrix(9, 18, mode=mode)[9]) for mode in MODES] == [1, 2, 4]
    assert curves["bilinear"][225] == 0.75, "100 steps for each pixel, and 200 is the middle"
    away = np.abs(np.arange(4) - 1.25)
    for mode in SMOOTH:  # the curves that the lesson shows are the weights that are used
        weights = curves[mode][200 + np.rint(100 * away).astype(int)]
        assert np.isclose(weights.sum(), 1)
        assert np.isclose(weights @ [4, 5, 8, 7], interpolate([[4, 5, 8, 7]], (1, 8), mode=mode)[0, 3])


@claim("They make edges sharper.")
def test_bicubic_is_steeper_at_an_edge(lesson):
    edge = np.repeat([0.0, 1.0], 6)[None]
    steepest = [np.diff(interpolate(edge, (1, 96), mode=mode)).max() for mode in SMOOTH]
    assert steepest[1] > steepest[0]


@claim(
    "A part of the coins becomes 8 times larger. Which rule makes pixels that are darker than all before?",
    "Negative weights do that. Means with positive weights stay between the darkest and the brightest pixel.",
    "Bicubic also goes above the brightest pixel",
)
def test_only_bicubic_leaves_the_range(lesson):
    shown, small = pictures.enlarged_photo(lesson.small, 8).values, lesson.small
    assert shown["nearest"].shape == (8 * small.shape[0], 8 * small.shape[1]) == (240, 384)
    for mode in ("nearest", "bilinear"):
        assert small.min() <= shown[mode].min() and shown[mode].max() <= small.max()
    assert shown["bicubic"].min() < small.min() and shown["bicubic"].max() > small.max()
    assert lesson.darkest == {mode: shown[mode].min() for mode in MODES}
    assert min(lesson.darkest, key=lesson.darkest.get) == "bicubic"
    assert shown["bicubic"].min() < 0 and shown["bicubic"].max() > 1, "and it has to be clipped"


@claim("The bed of nails is 64 times too dark, because 63 of 64 pixels are 0.")
def test_nails_are_dark(lesson):
    nails = pictures.enlarged_photo(lesson.small, 8).values["bed_of_nails"]
    assert np.isclose(nails.mean() * 64, lesson.small.mean()) and np.count_nonzero(nails) * 64 == nails.size


# --- 5 · A matrix that never changes ----------------------------------------------------------------------------------


@claim(
    "That is a matrix $B$. Each row times the input, number by number and added up, is one output.",
    "From 4 pixels to 8:",
)
def test_interpolation_is_a_matrix(lesson):
    for mode in MODES:
        B = axis_matrix(4, 8, mode=mode)
        assert B.shape == (8, 4) and np.allclose(B @ ROW[0], interpolate(ROW, (1, 8), mode=mode)[0])
    assert set(np.count_nonzero(axis_matrix(4, 8, mode="bicubic"), axis=1)) == {2, 3, 4}


@claim(
    "Each row of the first three adds up to 1, so a flat image stays flat. One expects that of any way to enlarge; "
    "bed of nails fails it."
)
def test_a_flat_image_stays_flat(lesson):
    shown = pictures.fixed_matrices(4, 2).values
    for mode in MODES:
        assert np.allclose(shown[mode].sum(axis=1), 1) and np.allclose(shown[mode] @ np.ones(4), 1)
    assert set(shown["bed_of_nails"].sum(axis=1)) == {0, 1}
    # It is not what makes an interpolation: a blur's rows add up to 1, too, and nails keep the samples that they have.
    blur = axis_matrix(4, 8).T @ axis_matrix(4, 8) / 2
    assert np.allclose(blur.sum(axis=1)[1:-1], 1) and not np.allclose(blur @ ROW[0], ROW[0])
    assert np.array_equal((shown["bed_of_nails"] @ ROW[0])[::2], ROW[0])


@claim("Each column of bilinear adds up to 2: one input must fill two outputs.")
def test_columns_add_up_to_2(lesson):
    assert np.allclose(axis_matrix(4, 8).sum(axis=0), 2)


@claim("An image needs two matrices: one at its left mixes its rows, one at its right mixes its columns.")
def test_two_matrices(lesson):
    y = lesson.for_rows @ lesson.x @ lesson.for_columns.T
    assert turn(y, interpolate(lesson.x, (6, 8))).passed
    for wrong in (
        lesson.x,
        lesson.for_rows @ lesson.x,
        lesson.for_rows @ lesson.x @ axis_matrix(4, 8, mode="nearest").T,
    ):
        assert not turn(wrong, interpolate(lesson.x, (6, 8))).passed
    x, sides = np.random.default_rng(3).random((5, 7)), ((5, 8), (7, 20))
    B_H, B_W = (axis_matrix(*side, mode="bicubic") for side in sides)
    assert np.allclose(B_H @ x @ B_W.T, interpolate(x, (8, 20), mode="bicubic"))


@claim(
    "In an interpolation they take the same weights: an input that gave 0.75 of itself to an output gets back 0.75 of "
    "that output's gradient. So the matrix of the way back has the columns of $B$ as its rows."
)
def test_gradients_go_back_by_the_transpose(lesson):
    rng = np.random.default_rng(3)
    x, y = rng.random((5, 7)), rng.random((8, 20))
    back = interpolate_grad(y, (5, 7), mode="bicubic")
    assert np.isclose(np.vdot(interpolate(x, (8, 20), mode="bicubic"), y), np.vdot(x, back))
    from_torch = torch.from_numpy(x)[None, None].requires_grad_()
    F.interpolate(from_torch, size=(8, 20), mode="bicubic").backward(torch.from_numpy(y)[None, None])
    assert np.allclose(back, from_torch.grad[0, 0].numpy())
    B = axis_matrix(4, 8)
    assert np.allclose(interpolate_grad(y[:1, :8], (1, 4)), y[:1, :8] @ B)
    assert B[3, 1] == 0.75 and interpolate_grad(np.eye(1, 8, 3), (1, 4))[0, 1] == 0.75


@claim(
    "Nearest makes 8 numbers of the row [0, 1, 2, 3]. Its adjoint brings these 8 back to 4. Which four?",
    "Each pixel gets back all its copies, added up. The adjoint is the way back for gradients, not the inverse.",
)
def test_the_adjoint_is_not_the_inverse(lesson):
    assert (lesson.B.T @ lesson.B @ ROW[0]).tolist() == [0, 2, 4, 6]
    (asked,) = [each for question, each in lesson.guesses.items() if "Its adjoint" in question]
    assert asked.numbers == [0, 2, 4, 6]
    B = axis_matrix(4, 8)
    assert not np.allclose(B.T @ B, np.eye(4))
    assert np.array_equal(bed_of_nails_grad(bed_of_nails(ROW, (1, 2)), (1, 2)), ROW), "only nails come back"


@claim("Nothing. We choose rule and size by hand, before training, and the numbers in $B$ follow.")
def test_nothing_is_learned(lesson):
    for mode in MODES:
        assert list(torch.nn.Upsample(scale_factor=2, mode=mode).parameters()) == []
        assert f"{mode} 0 parameters" in lesson.printed


# --- 6 · Masks hold names ---------------------------------------------------------------------------------------------


@claim('They are names: class 3 is not "more" than class 1, and class 2 does not lie "between" them.')
def test_other_numbers_for_the_same_classes_change_nothing_for_nearest_alone(lesson):
    renamed = np.array([0, 3, 5, 1, 2, 4])
    for mode, is_blind in (("nearest", True), ("bilinear", False)):
        after, before = (
            np.rint(interpolate(labels, (12, 27), mode=mode)).astype(int)
            for labels in (renamed[lesson.street], lesson.street)
        )
        assert np.array_equal(after, renamed[before]) == is_blind


@claim(
    "Bilinear makes it 3 times larger. Then we round to classes. What stands between person and plants?",
    "The means of 1 and 3 are numbers between them, and rounding makes a class of these.",
    "Purses surround the person, and a sidewalk runs up the building. The frames mark what nobody drew.",
)
def test_a_rim_of_purses(lesson):
    assert [lesson.names[number] for number in (1, 2, 3)] == ["person", "purse", "plants"]
    between = np.rint(interpolate([[3, 1]], (1, 6))).astype(int)[0]
    assert between.tolist() == [3, 3, 2, 2, 1, 1]
    (asked,) = [each for question, each in lesson.guesses.items() if "person and plants" in question]
    assert asked.answer == "purse"
    shown = pictures.enlarged_names(lesson.street, lesson.names, 3)
    copied, averaged = shown.values["copied"], shown.values["averaged"]
    assert copied.shape == averaged.shape == (3 * lesson.street.shape[0], 3 * lesson.street.shape[1])
    assert set(np.unique(copied)) == set(np.unique(lesson.street)) == {1, 3, 5}
    assert set(np.unique(averaged)) == {1, 2, 3, 4, 5}
    assert f"{np.isin(averaged, [2, 4]).sum()} pixels" in shown.words


@claim(
    "Where only classes 0 and 2 exist, bilinear and rounding invent a class 1, and bicubic can even make a class 3.",
    "Nearest, because it only copies.",
)
def test_classes_that_nobody_drew(lesson):
    labels = 2 * lesson.mask[100:220:3, 60:180:3]
    rounded = {mode: set(np.rint(interpolate(labels, (240, 240), mode=mode)).ravel()) for mode in MODES}
    assert rounded == {"nearest": {0, 2}, "bilinear": {0, 1, 2}, "bicubic": {0, 1, 2, 3}}


@claim("Then the class with the largest share wins (argmax).")
def test_planes_make_rounder_outlines_and_no_new_class(lesson):
    assert np.allclose(lesson.shares.sum(axis=0), 1)
    wanted = (lesson.shares[1] > lesson.shares[0]).astype(int)
    assert turn(lesson.shares.argmax(axis=0), wanted).passed and not turn(lesson.shares[1], wanted).passed
    assert np.array_equal(lesson.by_planes, wanted) and set(np.unique(lesson.by_planes)) == {0, 1}
    nearest, planes = (iou(confusion_matrix(lesson[name], lesson.mask, 2))[1] for name in ("by_nearest", "by_planes"))
    assert nearest < planes
    assert f"nearest: IoU {nearest:.3f}\nplanes: IoU {planes:.3f}" in lesson.printed


@claim("But its outline is not the coins'. What was lost on the way down, no rule brings back.")
def test_no_rule_brings_the_outline_back(lesson):
    for mode in MODES:
        planes = interpolate(lesson.planes[None], lesson.mask.shape, mode=mode)[0]
        assert iou(confusion_matrix(planes.argmax(axis=0), lesson.mask, 2))[1] < 0.9


# --- 7 · A look ahead: every pixel puts down a stamp ------------------------------------------------------------------


@claim(
    "With bilinear and a factor of 2, it gives 0.25, 0.75, 0.75 and 0.25 of itself to four outputs. The next "
    "input does the same, two places further.",
    "They are equal except for the last number: no stamp comes from beyond the border, where interpolation repeats the "
    "last pixel.",
)
def test_stamps(lesson):
    B = axis_matrix(6, 12)
    for n in range(1, 5):
        assert B[2 * n - 1 : 2 * n + 3, n].tolist() == [0.25, 0.75, 0.75, 0.25] and np.count_nonzero(B[:, n]) == 4
    total = pictures.stamps([0, 1, 2, 3]).values["total"][0, 1:-1]
    assert total.tolist() == [0, 0.25, 0.75, 1.25, 1.75, 2.25, 2.75, 2.25]
    assert (total == interpolate(ROW, (1, 8))[0]).tolist() == [True] * 7 + [False]


def test_the_folded_stamp_is_right(lesson):
    """It stands in the text, not in a cell."""
    cells = nbformat.read(lesson.path, as_version=4).cells
    (code,) = [found[1] for cell in cells if (found := re.search(r"```python\n(.+?)```", cell.source, re.DOTALL))]
    for scale in (2, 4, 10):
        names = {"np": np, "scale": scale}
        exec(code, names)  # noqa: S102 - our own text
        assert np.allclose(names["stamp"], BILINEAR_KERNEL.reference(scale))
        assert np.allclose(names["stamp"], bilinear_kernel(scale))


@claim("In the side road A stamp from data, 64 numbers from one photograph beat bicubic on three others.")
def test_a_stamp_from_data_is_better(lesson):
    side = run(path_of(Path("test_side_03_stamp_from_data.py")))
    assert side.found.size == 64 and side.better == 3


@claim("There the convolution learns, and the upsampling still does not.")
def test_the_convolution_after_an_upsampling_learns(lesson):
    parts = torch.nn.Upsample(scale_factor=2, mode="bilinear"), torch.nn.Conv2d(128, 64, kernel_size=3, padding=1)
    assert [sum(p.numel() for p in part.parameters()) for part in parts] == [0, 64 * 128 * 9 + 64]
    assert torch.nn.Sequential(*parts)(torch.zeros(1, 128, 28, 28)).shape == (1, 64, 56, 56)


# --- The quick questions and the end ----------------------------------------------------------------------------------


def test_the_quick_questions_answers_are_computed(lesson):
    assert interpolate(ROW, (1, 8))[0, 1] == 0.25
    assert np.isclose(interpolate(ROW, (1, 8), align_corners=True)[0, 1], 0.4286, atol=1e-4)
    assert np.interp(0.5, np.arange(4), ROW[0]) == 0.5  # without the halves
    layers = torch.nn.Upsample(scale_factor=2, mode="bilinear"), torch.nn.Conv2d(64, 64, kernel_size=3)
    assert [sum(p.numel() for p in layer.parameters()) for layer in layers] == [0, 36_928]
    images = torch.zeros(1, 128, 56, 56)
    after = [torch.nn.Conv2d(128, 64, kernel_size=3, padding=p)(images).shape[2:] for p in (0, 1)]
    assert [tuple(size) for size in after] == [(54, 54), (56, 56)]


@claim(
    "A network has scores for 3 classes on 32×32 pixels; the answer needs 256×256. A enlarges the scores by bilinear, "
    "then takes the argmax. B takes the argmax, then enlarges by nearest. C takes the argmax, enlarges by bilinear, "
    "and rounds. Who can give a pixel a class that no pixel around it has?",
    "A and C; B only copies. C has no reason: wherever 0 and 2 meet, it writes 1. A has one, in the scores: a class "
    "that is second on both sides of an outline may be first between them.",
)
def test_the_question_to_take_along(lesson):
    assert 32 * 8 == 256
    scores = np.zeros((1, 3, 1, 2))  # two pixels: class 0 wins at the left, class 2 at the right
    scores[0, :, 0] = [[0.6, 0.0], [0.4, 0.4], [0.0, 0.6]]
    winners = scores[0].argmax(axis=0)
    assert winners.tolist() == [[0, 2]]
    a = interpolate(scores, (1, 16))[0].argmax(axis=0)
    b = interpolate(winners, (1, 16), mode="nearest")
    c = np.rint(interpolate(winners, (1, 16))).astype(int)
    assert 1 in a and 1 in c and set(b[0]) == {0, 2}
    scores[0, 1] = 0  # class 1 has no score at all: A does not write it, C does
    assert np.array_equal(scores[0].argmax(axis=0), winners) and 1 not in interpolate(scores, (1, 16))[0].argmax(axis=0)


@claim("`interpolate` reads at most 4×4 pixels, even when an image becomes much smaller.")
def test_making_smaller_skips_pixels(lesson):
    for mode in MODES:
        assert np.count_nonzero(axis_matrix(64, 4, mode=mode), axis=1).max() <= 4
    stripes = np.tile([0.0, 1.0], 32)[None]  # grey from far away
    assert not np.allclose(interpolate(stripes, (1, 4), mode="nearest"), 0.5), "a false pattern"
    smooth = F.interpolate(torch.from_numpy(stripes)[None, None], size=(1, 4), mode="bilinear", antialias=True)
    assert np.allclose(smooth, 0.5, atol=0.02)


@claim('PyTorch\'s `"nearest-exact"`. For factors of 2, 3, 4 … both are equal.')
def test_two_kinds_of_nearest(lesson):
    image = torch.arange(35.0).reshape(1, 1, 5, 7)
    for factor in (2, 3, 4, 5):
        size = (5 * factor, 7 * factor)
        assert torch.equal(*(F.interpolate(image, size=size, mode=mode) for mode in ("nearest", "nearest-exact")))
    assert not torch.equal(*(F.interpolate(image, size=(8, 9), mode=mode) for mode in ("nearest", "nearest-exact")))


@claim("PyTorch's curve has the parameter −0.75; others take −0.5.")
def test_bicubic_is_a_family(lesson):
    def middle(a):  # the weight at a distance of 0.5, by Keys's formula
        return (a + 2) * 0.5**3 - (a + 3) * 0.5**2 + 1

    step = torch.zeros(1, 1, 1, 8)
    step[..., 4] = 1
    by_torch = F.interpolate(step, size=(1, 15), mode="bicubic", align_corners=True)
    assert np.isclose(by_torch[0, 0, 0, 7], middle(-0.75))
    pillow = Image.fromarray(np.eye(1, 9, 4, dtype=np.float32)).resize((18, 1), Image.Resampling.BICUBIC)
    for a, is_pillow in ((-0.5, True), (-0.75, False)):
        d = 0.25
        assert np.isclose(np.asarray(pillow)[0, 8], (a + 2) * d**3 - (a + 3) * d**2 + 1) == is_pillow


@claim("It has nothing to learn.", "Interpolation is a fixed matrix.")
def test_the_matrix_follows_from_two_sizes(lesson):
    assert all(np.array_equal(axis_matrix(5, 9, mode=mode), axis_matrix(5, 9, mode=mode)) for mode in MODES)
