"""What lesson 02 claims."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
import torch
from scipy import signal
from torch import nn
from torch.nn import functional as F

from tests.lessons.claims import claim
from unet_edu.checks import turn
from unet_edu.checks.quiz import quiz
from unet_edu.convolution import (
    conv2d,
    conv2d_grad_input,
    conv2d_grad_weight,
    conv2d_loops,
    output_size,
    receptive_field,
)

X = np.array([[4, 5, 8, 7], [1, 8, 8, 8], [3, 6, 6, 4], [6, 5, 7, 8]])
W = np.array([[1, 4, 1], [1, 4, 3], [3, 3, 1]])


# ------------------------------------------------------------------------------------------------- an image is a matrix


@claim("From here on, images are floats from 0 to 1.", "Row 0 is at the top, column 0 at the left.")
def test_images_are_floats(lesson):
    assert lesson.coins.dtype.kind == "f" and lesson.coins.min() >= 0 and lesson.coins.max() <= 1
    assert lesson.coins.shape == (303, 384)


@claim("one byte per pixel, a whole number from 0 to 255", "on real pixels, here from 0 to 255")
def test_a_byte(lesson):
    assert np.iinfo(np.uint8).min == 0 and np.iinfo(np.uint8).max == 255
    assert lesson.grey.dtype == np.uint8 and np.array_equal(lesson.grey, (lesson.coins * 255).round())


@claim(
    "`a` holds one byte, 200. What is `a + a`?", "A byte runs over at 256 and begins again from 0, like a clock at 12."
)
def test_bytes_run_over(lesson):
    (total,) = lesson.a + lesson.a
    assert lesson.guesses["`a` holds one byte, 200. What is `a + a`?"].numbers == [total]
    assert total == (200 + 200) % 256 == 144 and 12 % 12 == 0
    assert (lesson.a.astype(float) + lesson.a)[0] == 400


@claim("Where does a coin end and the table begin?")
def test_the_marked_square_lies_on_a_rim(lesson):
    square = lesson.grey[118:126, 61:69]
    assert square[:, :5].min() > 190 and square[:, 6:].max() < 100


# ----------------------------------------------------------------------------------------------------- multiply and add


@claim("The sum is the first number of the output")
def test_the_first_number(lesson):
    assert np.array_equal(lesson.x, X) and np.array_equal(lesson.w, W)
    assert (X[0:3, 0:3] * W).sum() == conv2d(X, W)[0, 0] == 122


@claim("Compute the first number of $y$")
def test_whoever_solves_it_is_right_and_whoever_does_not_is_told(lesson):
    wanted = conv2d(X, W)[0, 0]
    assert turn((X[0:3, 0:3] * W).sum(), wanted).passed
    assert not any(turn(wrong, wanted).passed for wrong in ((X[:3, :3] @ W).sum(), X[:3, :3] * W, 119))
    assert lesson.first is None, "the reader writes it"


@claim("The kernel fits at four places")
def test_the_places(lesson):
    assert lesson.y.size == 4


@claim("it may begin in row 0 or 1, and in column 0 or 1.")
def test_the_output_of_the_example(lesson):
    assert lesson.y.tolist() == [[122, 148], [126, 134]]
    assert np.array_equal(lesson.y, conv2d(X, W))


@claim(
    "A 3×3 kernel takes away 2 rows and 2 columns.",
    "a 3×3 kernel only trims 2 rows and 2 columns, in a small image and in a large one",
)
@claim("so each 3×3 costs 2 rows and 2 columns")
@pytest.mark.parametrize(
    ("image", "kernel"), [((4, 4), (3, 3)), ((5, 7), (2, 3)), ((512, 512), (3, 3)), ((6, 8), (3, 3))]
)
def test_sizes_without_an_argument(image, kernel):
    size = conv2d(np.zeros(image), np.zeros(kernel)).shape
    assert size == tuple(side - k + 1 for side, k in zip(image, kernel, strict=True))
    if kernel == (3, 3):
        assert size == (image[0] - 2, image[1] - 2)


@claim(
    "You change the top left pixel of `x`: how many of the four outputs change?",
    "And for row 1, column 1?",
    "each time under another weight",
)
def test_a_changed_pixel(lesson):
    (asked,) = [each for question, each in lesson.guesses.items() if question.startswith("You change")]
    for place, count in zip([(0, 0), (1, 1)], asked.numbers, strict=True):
        changed = X.copy()
        changed[place] += 1
        difference = conv2d_loops(changed, W) - lesson.y
        assert np.count_nonzero(difference) == count
    assert asked.numbers == [1, 4]
    assert difference.ravel().tolist() == [4, 1, 4, 1], "the top left weights, in reverse order"


@claim("Find a kernel that copies the four pixels in the middle of", "One number is enough.")
def test_one_number_copies_the_middle(lesson):
    places = np.argwhere([np.array_equal(conv2d(X, np.eye(9)[n].reshape(3, 3)), X[1:3, 1:3]) for n in range(9)])
    assert places.tolist() == [[4]]
    assert not lesson.my_kernel.any(), "the reader writes it"


# ------------------------------------------------------------------------------------------- correlation or convolution


@claim("In mathematics a *convolution* first turns the kernel by 180°.", "so do `nn.Conv2d` and this course")
def test_scipy_and_pytorch_agree(lesson):
    turned = W[::-1, ::-1]
    assert np.array_equal(conv2d(X, W), signal.correlate2d(X, W, mode="valid"))
    assert np.array_equal(conv2d(X, turned), signal.convolve2d(X, W, mode="valid"))
    by_torch = F.conv2d(*(torch.from_numpy(array)[None, None] for array in (X, W)))
    assert np.array_equal(by_torch[0, 0], conv2d(X, W))


@claim("Three of the four numbers differ. (That 148 is in both is chance.)")
def test_turned_and_not(lesson):
    turned = W[::-1, ::-1]
    assert conv2d(X, turned).tolist() == [[119, 148], [121, 143]]
    assert (conv2d(X, W) != conv2d(X, turned)).sum() == 3 and conv2d(X, W)[0, 1] == 148
    changed = X + np.eye(4)[0] * 0 + (np.arange(16).reshape(4, 4) == 2)  # row 0, column 2
    assert conv2d(changed, W)[0, 1] != conv2d(changed, turned)[0, 1]


@claim("Not for a kernel that looks the same when turned.")
def test_a_symmetric_kernel(lesson):
    for name in ("identity", "box blur", "Gaussian blur", "sharpen", "Laplacian"):
        kernel = lesson.kernels[name]
        assert np.array_equal(kernel, kernel[::-1, ::-1])
        assert np.allclose(conv2d(X, kernel), signal.convolve2d(X, kernel, mode="valid"))


# -------------------------------------------------------------------------------------------------- kernels with a name


@claim("On flat ground a kernel multiplies the brightness by the sum of its numbers.")
@claim("Somewhere the photograph is flat: all nine pixels are 0.5.", "A sum of 0 leaves only the changes.")
def test_kernels_on_flat_ground(lesson):
    for name, kernel in lesson.kernels.items():
        assert np.isclose(conv2d(np.full((3, 3), 0.5), kernel).item(), 0.5 * kernel.sum())
        assert np.isclose(kernel.sum(), 0 if name in ("Sobel x", "Sobel y", "Laplacian") else 1)
    (asked,) = [each for question, each in lesson.guesses.items() if "flat" in question]
    assert asked.numbers == [0, 0.5]
    assert len(lesson.kernels) == 7


@claim("Here are seven: one copies, two blur, one sharpens, three find changes.")
def test_the_identity_copies_all_but_the_border(lesson):
    assert np.array_equal(conv2d(lesson.coins, lesson.kernels["identity"]), lesson.coins[1:-1, 1:-1])


@claim("What is Sobel x on the left rim of a bright coin?", "Sobel x is “right minus left”.")
def test_the_sign_on_a_left_rim(lesson):
    assert lesson.guesses["What is Sobel x on the left rim of a bright coin?"].answer == "positive"
    row = conv2d(lesson.coins[118:126, 20:69], lesson.kernels["Sobel x"]).mean(axis=0)
    assert row.argmax() < row.argmin(), "of a coin the left rim is positive, the right one negative"
    assert row.max() > 1 and row.min() < -1


@claim("A blur changes little.")
def test_blurs_change_less_than_the_others(lesson):
    change = {
        name: np.abs(conv2d(lesson.coins, kernel) - lesson.coins[1:-1, 1:-1]).mean()
        for name, kernel in lesson.kernels.items()
    }
    blurs = [change.pop(name) for name in ("identity", "box blur", "Gaussian blur")]
    assert max(blurs) < 0.03 and max(blurs) < min(change.values())


@claim("A convolution may give numbers below 0 and above 1.", "both drawings are wrong")
def test_numbers_that_no_screen_shows(lesson):
    assert lesson.edges.min() < -2.9 and lesson.edges.max() > 2.9
    assert 0.45 < np.mean(lesson.edges < 0) < 0.55
    strong = lesson.edges[np.abs(lesson.edges) > 0.5]
    assert 0.4 < np.mean(strong < 0) < 0.6, "cut off at 0, about half of the strong edges are gone"


# ------------------------------------------------------------------------------------------------------------- channels


@claim("How many weights has this `layer`?", "one for each input channel.")
@claim("here 10. (From 5 to 5 channels: 25, with 225 weights.)")
def test_weights_are_counted(lesson):
    assert lesson.guesses["How many weights has this `layer`?"].numbers == [90]
    for c_out, bias in product((2, 5), (False, True)):
        layer = nn.Conv2d(in_channels=5, out_channels=c_out, kernel_size=3, bias=bias)
        count = sum(parameter.numel() for parameter in layer.parameters())
        assert count == c_out * 5 * 3 * 3 + bias * c_out == {2: 90, 5: 225}[c_out] + bias * c_out
        assert layer.weight.shape == (c_out, 5, 3, 3) and c_out * 5 == {2: 10, 5: 25}[c_out]


@claim("Each kernel is applied to its channel, and the results are added.")
def test_channels_are_added(lesson):
    sums = (lesson.x5[0, :, 0:3, 0:3] * lesson.w52[0]).sum(axis=(1, 2))
    ours = conv2d(lesson.x5, lesson.w52)
    assert sums.tolist() == [-9, 42, 7, -42, -47] and ours[0, 0, 0, 0] == sums.sum() == -49
    assert np.array_equal(ours, lesson.from_torch) and ours.shape == (1, 2, 4, 6)


@claim("kernel_size=(2, 3) has 2 rows and 3 columns.")
def test_a_kernel_need_not_be_square(lesson):
    assert nn.Conv2d(1, 1, kernel_size=(2, 3)).weight.shape[2:] == (2, 3)


@claim("makes 2 weighted sums of the 64 numbers at each pixel")
def test_one_by_one(lesson):
    layer = nn.Conv2d(64, 2, kernel_size=1)
    image = torch.randn(1, 64, 6, 8, generator=torch.Generator().manual_seed(0))
    assert layer.weight.numel() == 64 * 2 and layer.bias.numel() == 2
    sums = torch.einsum("oc,nchw->nohw", layer.weight[:, :, 0, 0], image) + layer.bias[:, None, None]
    assert torch.allclose(layer(image), sums, atol=1e-5)


@claim("added to each of its pixels, whatever the image shows", "Without it, a window of zeros can only give 0")
def test_a_bias(lesson):
    shift = conv2d(lesson.x5, lesson.w52, [10, -3]) - conv2d(lesson.x5, lesson.w52)
    assert (shift[0, 0] == 10).all() and (shift[0, 1] == -3).all()
    assert not conv2d(np.zeros((1, 5, 6, 8)), lesson.w52).any()


@claim("The layer above reads 6×8 pixels. With `stride=2`, how many rows and how many columns come out?")
@claim(
    "Windows begin in every second row and column.",
    "With `stride=2` the output has about half as many rows and columns",
)
def test_a_stride(lesson):
    (asked,) = [each for question, each in lesson.guesses.items() if "stride=2" in question]
    assert asked.numbers == [2, 3] == [len(range(0, side - 3 + 1, 2)) for side in (6, 8)]
    assert np.array_equal(conv2d(X, W, stride=2), conv2d(X, W)[::2, ::2])
    assert output_size(512, 3, stride=2) == 255


@claim("What does not fill a window is dropped, without an error.")
def test_what_is_dropped(lesson):
    count = conv2d_grad_input(np.ones((2, 3)), np.ones((3, 3)), (6, 8), stride=2)
    assert (count == 0).sum() == 13 and not count[-1].any() and not count[:, -1].any() and count[:-1, :-1].all()


@claim("With stride 1 nothing is downsampled")
def test_stride_one_is_no_downsampling(lesson):
    assert [output_size(size, 3) / size > 0.99 for size in (572, 4096)] == [True, True]


@claim("With `padding=1` a 3×3 kernel keeps the size", "at the border the kernel reads zeros that nobody photographed")
def test_a_padding(lesson):
    blurred = conv2d(np.ones((6, 8)), lesson.kernels["box blur"], padding=1)
    assert blurred.shape == (6, 8) and np.allclose(blurred[1:-1, 1:-1], 1)
    assert np.allclose(blurred[0, 1:-1], 6 / 9) and np.isclose(blurred[0, 0], 4 / 9)


@claim("two convolutions take 572 pixels to 568")
def test_valid_and_same(lesson):
    assert output_size(output_size(572, 3), 3) == 568
    assert output_size(output_size(572, 3, padding=1), 3, padding=1) == 572


@claim("The distance between neighbouring numbers of the kernel. A U-Net has 1, no gaps.")
def test_a_dilation(lesson):
    spread = np.zeros((5, 5), int)
    spread[::2, ::2] = W
    assert np.array_equal(conv2d(lesson.x5[0, 0], W, dilation=2), conv2d(lesson.x5[0, 0], spread))


@claim("How large is the output for any kernel, stride, padding and dilation?")
@pytest.mark.parametrize("setting", [{}, {"stride": 2}, {"padding": 1}, {"dilation": 2}, {"stride": 2, "padding": 1}])
def test_the_formula(setting, lesson):
    s, p, d = setting.get("stride", 1), setting.get("padding", 0), setting.get("dilation", 1)
    by_formula = tuple((side + 2 * p - d * (3 - 1) - 1) // s + 1 for side in (6, 8))
    for c_out in (2, 5):
        layer = nn.Conv2d(5, c_out, kernel_size=3, **setting)
        output = layer(torch.from_numpy(lesson.x5).float())
        assert output.shape[2:] == by_formula == (output_size(6, 3, **setting), output_size(8, 3, **setting))
        assert conv2d(lesson.x5, layer.weight.detach().numpy(), **setting).shape == output.shape
    assert f"{setting or 'nothing else'} → {by_formula} and by the formula {by_formula}" in lesson.printed


@claim("Find three settings that take 8 to 4.")
def test_three_settings_take_8_to_4(lesson):
    """With what the explorer offers."""
    settings = product(range(1, 5), range(1, 4), range(3), range(1, 3))
    found = [(k, s, p, d) for k, s, p, d in settings if (8 + 2 * p - d * (k - 1) - 1) // s + 1 == 4]
    assert len(found) >= 3 and (3, 2, 1, 1) in found


# ------------------------------------------------------------------------------------------------- a kernel that learns


@claim("a hidden kernel makes outputs from patches of the photograph")
def test_the_patches_show_something(lesson):
    assert lesson.patches.shape == (12, 24, 24) and lesson.patches.std((1, 2)).min() > 0.09


@claim("PyTorch's *backpropagation* finds the same nine numbers.", "The 2 comes from the square")
def test_the_gradient(lesson):
    kernel = torch.from_numpy(lesson.first_kernel.copy())[None, None].requires_grad_()
    F.mse_loss(F.conv2d(torch.from_numpy(lesson.inputs), kernel), torch.from_numpy(lesson.targets)).backward()
    assert np.allclose(lesson.loss_and_gradient(lesson.first_kernel)[1], kernel.grad[0, 0].numpy())


@claim("how fast the loss grows when this weight grows")
def test_the_gradient_by_nudging(lesson):
    loss, gradient = lesson.loss_and_gradient(lesson.first_kernel)
    for place in np.ndindex(3, 3):
        nudged = lesson.first_kernel.copy()
        nudged[place] += 1e-6
        assert np.isclose((lesson.loss_and_gradient(nudged)[0] - loss) / 1e-6, gradient[place], rtol=1e-4)


@claim("Multiply each such pixel by its error, and add up")
def test_what_the_gradient_adds_up(lesson):
    error = conv2d(lesson.inputs, lesson.first_kernel[None, None]) - lesson.targets
    gradient = conv2d_grad_weight(2 * error / error.size, lesson.inputs, (3, 3))[0, 0]
    for u, v in np.ndindex(3, 3):
        met = lesson.inputs[:, :, u : u + 22, v : v + 22]
        assert np.isclose(gradient[u, v], 2 * (met * error).sum() / error.size)


@claim("All nine are negative: when a weight grows, the loss becomes smaller.")
def test_the_first_step_is_up(lesson):
    loss, gradient = lesson.loss_and_gradient(lesson.first_kernel)
    assert (gradient < 0).all()
    assert lesson.loss_and_gradient(lesson.first_kernel - 0.01 * gradient)[0] < loss


@claim("Nine numbers were found from examples")
def test_the_kernel_is_found(lesson):
    errors = {step: np.abs(lesson.history[step] - W).max() for step in (0, 10, 100, 1000)}
    assert errors[0] > 3.9 and 1 < errors[10] < 1.1 and errors[100] < 0.1 and errors[1000] < 1e-6
    assert (np.diff(lesson.losses[:101]) < 0).all()


@claim("Try 0.01, then 0.2. One is slow.", "With 0.2 the steps are too long: each jumps over the lowest point")
def test_rates(lesson):
    slow, good, wild = (lesson.train(rate, steps=100)[0] for rate in (0.01, 0.1, 0.2))
    assert good[-1] < slow[-1] / 100 < slow[0]
    assert (np.diff(wild[3:]) > 0).all() and wild[-1] > 1000 * wild[0]
    columns = np.lib.stride_tricks.sliding_window_view(lesson.inputs[:, 0], (3, 3), (1, 2)).reshape(-1, 9)
    steepest = np.linalg.eigvalsh(2 * columns.T @ columns / len(columns))[-1]
    assert 0.1 * steepest < 2 < 0.2 * steepest, "a step that is longer than 2 / curvature lands higher"


@claim("On flat ground only the *sum* of the nine weights counts, so every kernel with the right sum is perfect.")
def test_flat_patches_do_not_say_which_kernel_it_was(lesson):
    flat = np.full((1, 1, 24, 24), 0.5)
    target, kernel = conv2d(flat, W[None, None].astype(float)), np.zeros((3, 3))
    for _ in range(100):
        error = conv2d(flat, kernel[None, None]) - target
        kernel = kernel - 0.2 * conv2d_grad_weight(2 * error / error.size, flat, (3, 3))[0, 0]
    assert np.mean(error**2) < 1e-9 and np.isclose(kernel.sum(), W.sum()) and np.abs(kernel - W).max() > 1.6


# ------------------------------------------------------------------------------------------------------ receptive field


@claim("How many pixels per side does one output see through two 3×3 convolutions? And through three?")
@claim("Begin with 1; each 3×3 convolution adds 2, one on each side.")
def test_receptive_fields(lesson):
    (asked,) = [each for question, each in lesson.guesses.items() if "per side" in question]
    assert asked.numbers == [5, 7] == [receptive_field([(3,)] * n).size for n in (2, 3)]
    seen = np.ones((1, 1), int)
    for n in range(1, 8):
        seen = conv2d_grad_input(seen, np.ones((3, 3), int), (2 * n + 1, 2 * n + 1))
        assert seen.all() and receptive_field([(3,)] * n).size == 1 + 2 * n


@claim("the middle counts more than the rim")
def test_the_middle_has_most_ways(lesson):
    ways = conv2d_grad_input(np.ones((3, 3), int), np.ones((3, 3), int), (5, 5))
    assert ways.max() == ways[2, 2] == 9 and ways[0, 0] == 1


@claim("Why not one 5×5 kernel? Two of 3×3 see as much, with 18 instead of 25 weights for each pair of channels.")
def test_two_small_kernels_have_fewer_weights(lesson):
    for channels in (1, 64):
        counts = [
            n * nn.Conv2d(channels, channels, k, bias=False).weight.numel() for n, k in ((2, 3), (1, 5), (3, 3), (1, 7))
        ]
        assert counts == [each * channels**2 for each in (18, 25, 27, 49)]


@claim("But a U-Net halves its image four times on the way down")
def test_with_pooling_the_field_grows_fast(lesson):
    sides = [5, 14, 32, 68, 140]
    assert all(
        f"level {level}: an output sees {side} pixels per side" in lesson.printed for level, side in enumerate(sides)
    )


@claim("Keep the strongest tenth:", "It finds the portraits as well")
def test_the_rims(lesson):
    """Many strong pixels lie inside coins: more than two pixels from the nearest pixel of the table."""
    from scipy import ndimage

    strong = lesson.strength > np.quantile(lesson.strength, 0.9)
    assert 0.099 < strong.mean() < 0.101
    coins = ndimage.binary_fill_holes(ndimage.binary_opening(lesson.coins[1:-1, 1:-1] > 0.45, iterations=2))
    inside = ndimage.binary_erosion(coins, iterations=5)
    rim = ndimage.binary_dilation(coins, iterations=3) & ~inside
    assert strong[rim].mean() > 3 * strong[inside].mean() > 0.15


# ---------------------------------------------------------------------------------------------------- quiz, and the end


@claim("Choose an answer, and read why it is right or wrong.")
def test_the_answers_of_the_quiz(lesson):
    right = [next(option.text for option in question.options if option.is_right) for question in quiz("02").questions]
    with_bias = sum(parameter.numel() for parameter in nn.Conv2d(4, 6, kernel_size=3).parameters())
    assert (6 * 3 * 3, 6 * 4 * 3, nn.Conv2d(4, 6, 3, bias=False).weight.numel(), with_bias) == (54, 72, 216, 222)
    assert (output_size(10, 3, stride=2), output_size(10, 3), 10 - 3) == (4, 8, 7)
    picture = np.zeros((5, 5), int)
    picture[2, 2] = 1
    moved = [
        conv2d(picture, kernel, padding=1)
        for kernel in ([[0, 0, 0], [0, 0, 1], [0, 0, 0]], [[0, 0, 0], [1, 0, 0], [0, 0, 0]])
    ]
    assert [np.argwhere(each)[0].tolist() for each in moved] == [[2, 1], [2, 3]]
    layer = nn.Conv2d(1, 8, kernel_size=3)
    assert torch.equal(layer(torch.zeros(1, 1, 5, 5)), layer.bias[None, :, None, None].expand(1, 8, 3, 3))
    sizes = [output_size(64, k, stride=s, padding=p) for k, s, p in ((3, 1, 0), (2, 1, 0), (3, 2, 0), (3, 2, 1))]
    assert sizes == [62, 63, 31, 32]
    assert [right[0], right[1], right[2]] == ["216", "4", "left"] and "padding=1" in right[4] and "bias" in right[3]


@claim("$n$ convolutions of 3×3 see $2n + 1$ pixels per side")
def test_many_convolutions(lesson):
    assert [receptive_field([(3,)] * n).size for n in range(1, 24)] == [2 * n + 1 for n in range(1, 24)]


@claim("The input has 1 channel, 16 slices, 64 rows, 64 columns.")
@claim(
    "The kernel is 3×3×3: 64 · 27 = 1728 weights and 64 biases, 1792 numbers.",
    "Each of the three sides loses 2: 14×62×62, in 64 channels.",
)
def test_volumes(lesson):
    layer = nn.Conv3d(1, 64, kernel_size=3)
    assert layer.weight.numel() == 64 * 27 == 1728 and layer.bias.numel() == 64
    assert sum(parameter.numel() for parameter in layer.parameters()) == 1792
    assert layer(torch.zeros(1, 1, 16, 64, 64)).shape == (1, 64, 14, 62, 62)


@claim("Two 3×3 see as much as one 5×5.")
@claim("Without a nonlinearity between them they can make only some of all 5×5 kernels.")
def test_two_small_kernels_are_not_every_large_one(lesson):
    """A kernel of rank 5 with weights that no pair of 3×3 kernels gives: two of them have 18 numbers, 5×5 has 25."""
    rng = np.random.default_rng(0)
    pairs = rng.normal(size=(2, 3, 3))
    rows = []
    for n in range(2):
        for place in range(9):
            nudge = np.zeros((3, 3))
            nudge.flat[place] = 1
            rows.append(signal.convolve2d(nudge, pairs[1 - n]).ravel())
    assert np.linalg.matrix_rank(rows) == 17  # of 25


@claim("`groups` and `padding_mode`")
def test_the_other_arguments_are_there(lesson):
    layer = nn.Conv2d(4, 4, 3)
    assert layer.groups == 1 and layer.padding_mode == "zeros"
