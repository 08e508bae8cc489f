"""What lesson 04 claims of the convolution matrix and of transposed convolution."""

import functools

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from tests.lessons.claims import claim
from unet_edu.convolution import conv2d, conv2d_grad_input, conv2d_grad_weight, output_size
from unet_edu.data import photo
from unet_edu.interpolation import bed_of_nails, bilinear_kernel, interpolate
from unet_edu.matrix import LIMIT, conv2d_matrix, conv2d_matrix_loops
from unet_edu.transposed import (
    conv_transpose2d,
    conv_transpose2d_by_matrix,
    conv_transpose2d_by_zeros,
    conv_transpose2d_loops,
    insert_zeros,
    overlap_count,
    transposed_size,
)

LARGE = np.array([[4, 5, 8, 7], [1, 8, 8, 8], [3, 6, 6, 4], [6, 5, 7, 8]])
W = np.array([[1, 4, 1], [1, 4, 3], [3, 3, 1]])
SMALL = np.array([[2, 1], [4, 4]])
GROWN = [[2, 9, 6, 1], [6, 29, 30, 7], [10, 29, 33, 13], [12, 24, 16, 4]]


def ripple(flat):
    """Standard deviation over mean of what became of flat ground, without the border."""
    inside = np.asarray(flat)[6:-6, 6:-6]
    return inside.std() / abs(inside.mean())


# ------------------------------------------------------------------------------------- 1 and 2: connections, the matrix


@claim(
    "**Many to one:** nine pixels become the number 122.",
    "The number 122 belongs to the window in the top left corner.",
)
def test_many_to_one(lesson):
    assert np.array_equal(lesson.large, LARGE) and np.array_equal(lesson.w, W) and W.size == 9
    assert lesson.shrunk.tolist() == [[122, 148], [126, 134]]
    assert np.sum(LARGE[:3, :3] * W) == 122


@claim(
    "**One to many:** the framed pixel, 8, goes into all four numbers, by the weights 4, 1, 4 and 1.",
    "In the first window it lies under the middle of the kernel, a 4; in the second under the 1 to its left.",
)
def test_one_to_many():
    assert LARGE[1, 1] == 8
    impulse = np.zeros((4, 4), int)
    impulse[1, 1] = 1
    assert conv2d(impulse, W).ravel().tolist() == [4, 1, 4, 1] and W[1, 1::-1].tolist() == [4, 1]


@claim(
    "Draw a line from each of the 16 pixels to each of the 4 numbers that it goes into.",
    "Each of the 4 numbers has a line for each weight.",
    "the corners have 1 line each, the 8 pixels beside them 2, the 4 in the middle 4.",
)
def test_the_connections(lesson):
    fed = np.zeros((4, 4), int)
    for i, j in np.ndindex(2, 2):
        fed[i : i + 3, j : j + 3] += 1
    assert fed.tolist() == [[1, 2, 2, 1], [2, 4, 4, 2], [2, 4, 4, 2], [1, 2, 2, 1]]
    assert LARGE.size == 16 and lesson.shrunk.size == 4
    (asked,) = [guess for question, guess in lesson.guesses.items() if question.startswith("Draw a line")]
    assert asked.numbers == [fed.sum()] == [4 * W.size] == [36]


@claim("in NumPy it is `large.ravel()`.", "So the row 1, 4, 1 times the column 4, 5, 8 is 1·4 + 4·5 + 1·8 = 32.")
def test_flattening_and_multiplying(lesson):
    assert lesson.large.ravel()[4 * 2 + 1] == LARGE[2, 1]
    assert (np.array([[1, 4, 1], [1, 4, 3]]) @ np.array([4, 5, 8])).tolist() == [32, 48]
    assert 1 * 4 + 4 * 5 + 1 * 8 == 32


@claim("Make a row of 16 numbers which, times the flattened image, gives 122.")
def test_the_first_row(lesson):
    row = np.pad(W, (0, 1)).ravel()
    assert lesson.row_0 is None and row.shape == (16,) and row @ LARGE.ravel() == 122
    assert np.array_equal(row, conv2d_matrix(W, (4, 4))[0])


@claim("The next number, 148, has its window one column further to the right.")
def test_the_second_row(lesson):
    (asked,) = [guess for question, guess in lesson.guesses.items() if question.startswith("The next number")]
    assert asked.numbers == [0, 1, 4, 1, 0, 1] and lesson.A[1] @ LARGE.ravel() == lesson.shrunk[0, 1] == 148


@claim("The 3×3 kernel has become a 4×16 matrix, the **convolution matrix** $A$.")
def test_the_matrix(lesson):
    assert lesson.A.shape == (4, 16) and np.array_equal((lesson.A @ LARGE.ravel()).reshape(2, 2), lesson.shrunk)
    assert np.array_equal(lesson.A, conv2d_matrix_loops(W, (4, 4)))


@claim(
    "A **row** says what a number is made of: it is a picture of one window. (The framed row makes 126.)",
    "A **column** says where a pixel goes: column 5 holds the 4, 1, 4 and 1 of the pixel that was framed.",
)
def test_rows_and_columns(lesson):
    placed = np.zeros((4, 4), int)
    placed[1:4, 0:3] = W
    assert np.array_equal(lesson.A[2].reshape(4, 4), placed)
    assert lesson.A[:, 5].tolist() == [4, 1, 4, 1] and lesson.A[2] @ LARGE.ravel() == 126
    assert "transposed.forwards(A, large, row=2)" in lesson.path.read_text()


@claim(
    "from row 0 to row 1 the weights move by one place, from row 1 to row 2 by three.",
    "Row 2 is the first window one image row further down, and an image row has 4 places. So row 2 is row 0 "
    "moved by 4, "
    "and row 1 moved by 3.",
    "Without padding each row is the first row, moved.",
    "One column to the right in the image is one place to the right in the row.",
)
def test_rows_move(lesson):
    A = lesson.A
    assert np.array_equal(A[1], np.roll(A[0], 1)) and np.array_equal(A[2], np.roll(A[0], 4))
    assert np.array_equal(A[2], np.roll(A[1], 3)) and np.array_equal(A[3], np.roll(A[0], 5))


@claim(
    "It has a mistake in every row.",
    "The last number of each row was lost. In three rows it was a zero and hardly shows; in the last row it was "
    "a weight.",
)
def test_the_mistake_to_find(lesson):
    assert np.array_equal(lesson.table, lesson.A[:, :-1]) and lesson.A[:, -1].tolist() == [0, 0, 0, 1]
    (asked,) = [guess for question, guess in lesson.guesses.items() if question.startswith("How many numbers does")]
    assert asked.numbers == [15, 16]
    with pytest.raises(ValueError):
        lesson.table @ LARGE.ravel()


@claim(
    "A row needs a number for each pixel, here 16; a column one for each output, here 4.",
    "Without padding each row holds the whole kernel, so all rows have the same sum.",
)
def test_count_and_add_up(lesson):
    assert lesson.A.shape == (4, 16) and set(lesson.A.sum(axis=1)) == {W.sum()}
    assert len(set(lesson.table.sum(axis=1))) == 2


@claim("for a photograph of 512×512 the matrix would take 545 gigabytes, nearly all of them zeros.")
def test_nobody_computes_like_this():
    assert photo("camera").shape == (512, 512) and round(510**2 * 512**2 * 8 / 1e9) == 545 > LIMIT / 1e9
    with pytest.raises(ValueError, match="dense matrix"):
        conv2d_matrix(W, (512, 512))
    thin = conv2d_matrix(W, (512, 512), sparse=True)
    assert thin.nnz == 9 * 510**2 < 510**2 * 512**2 / 29_000
    assert np.allclose((thin @ photo("camera").ravel()).reshape(510, 510), conv2d(photo("camera"), W))


@claim("whatever is true of a matrix is true of a convolution.")
@pytest.mark.parametrize("geometry", [{}, {"stride": 2, "padding": 1}, {"stride": (2, 1), "padding": (1, 2)}])
def test_any_size_is_a_matrix(geometry):
    image = np.random.default_rng(4).integers(0, 10, (5, 7))
    assert np.array_equal(conv2d_matrix(W, (5, 7), **geometry) @ image.ravel(), conv2d(image, W, **geometry).ravel())


# ------------------------------------------------------------------------------------------------------ 3: backwards


@claim(
    "$A$ takes 16 numbers to 4. Exchange its rows and columns, and you have $A^\\top$, the **transposed** "
    "matrix, 16×4. "
    "It takes 4 numbers to 16: a 2×2 image becomes 4×4.",
)
def test_the_transposed_matrix(lesson):
    assert np.array_equal(lesson.small, SMALL) and lesson.A.T.shape == (16, 4)
    assert lesson.grown.tolist() == (lesson.A.T @ SMALL.ravel()).reshape(4, 4).tolist() == GROWN


def test_compare_with_ours_is_right(lesson):
    def tconv_matrix(y, A, size):
        return (A.T @ y.ravel()).reshape(size)

    assert "return (A.T @ y.ravel()).reshape(size)" in lesson.path.read_text()
    assert np.array_equal(tconv_matrix(SMALL, lesson.A, (4, 4)), GROWN)


@claim(
    "Row 5 makes the pixel in row 1, column 1. It collects 4·2 + 1·1 + 4·4 + 1·4 = 29, from all four small numbers",
    "In 4·2 + 1·1 + 4·4 + 1·4 the *first* small number, 2, met the weight in the middle of the kernel, and the "
    "*last* one "
    "the kernel's top left weight.",
)
def test_one_pixel_collects(lesson):
    assert lesson.A.T[5].tolist() == [W[1, 1], W[1, 0], W[0, 1], W[0, 0]] == [4, 1, 4, 1]
    assert SMALL.ravel().tolist() == [2, 1, 4, 4] and lesson.grown[1, 1] == 4 * 2 + 1 * 1 + 4 * 4 + 1 * 4 == 29


@claim("the corners of the result are 2, 1, 12 and 4.", "The corners of the kernel: 2·1, 1·1, 4·3 and 4·1.")
def test_the_corners(lesson):
    assert lesson.grown[::3, ::3].ravel().tolist() == [2, 1, 12, 4]
    assert np.array_equal(lesson.grown[::3, ::3], SMALL * W[::2, ::2]) and W[::2, ::2].ravel().tolist() == [1, 1, 3, 1]


@claim(
    "The first sum has 4 terms, the second 16.",
    "The first sum is 122·2 + 148·1 + 126·4 + 134·4 = 1432.",
    "It is 1432, too.",
)
def test_one_number_two_ways(lesson):
    assert lesson.forwards == 122 * 2 + 148 * 1 + 126 * 4 + 134 * 4 == 1432 == lesson.backwards
    assert lesson.shrunk.size == 4 and lesson.grown.size == 16
    assert lesson.guesses["The first sum is 122·2 + 148·1 + 126·4 + 134·4 = 1432. And the second?"].answer == "equal"


@claim(
    "Next come 100 other kernels, images and sizes. Beside $A^\\top$ stands a rival that looks much like it, "
    "from the kernel turned by 180°.",
    "The transpose never fails.",
)
def test_the_rival(lesson):
    assert lesson.equal["transpose"] == 100 and lesson.equal["rival"] < 10
    assert "for _ in range(100):" in lesson.path.read_text()


@claim("Both are the sum of the whole table: once each row is added up first, once each column.")
def test_why_they_are_equal(lesson):
    terms = SMALL.ravel()[:, None] * lesson.A * LARGE.ravel()
    assert np.count_nonzero(lesson.A) == 36
    assert np.array_equal(terms.sum(axis=1), (lesson.shrunk * SMALL).ravel())
    assert np.array_equal(terms.sum(axis=0), (LARGE * lesson.grown).ravel())


@claim("The partner on the other side, here $A^\\top$, is called the **adjoint**.")
@pytest.mark.parametrize(
    "geometry", [{}, {"stride": 2}, {"stride": (2, 1), "padding": (1, 2)}, {"padding": 2, "dilation": 2}]
)
def test_the_adjoint_of_any_convolution(geometry):
    rng = np.random.default_rng(4)
    x, w = rng.integers(-5, 6, (1, 5, 6, 8)), rng.integers(-5, 6, (2, 5, 3, 3))
    forward = conv2d(x, w, **geometry)
    y = rng.integers(-5, 6, forward.shape)
    assert np.sum(forward * y) == np.sum(x * conv2d_grad_input(y, w, (6, 8), **geometry))


@claim("The same 16 numbers. In training the transposed convolution carries errors backwards")
def test_what_pytorch_sends_back(lesson):
    assert lesson.pixels.grad.tolist() == GROWN and lesson.pixels.grad.numel() == 16
    small, weights = (torch.tensor(array, dtype=torch.float32)[None, None] for array in (SMALL, W))
    assert F.conv_transpose2d(small, weights)[0, 0].tolist() == GROWN


# ---------------------------------------------------------------------------------------------- 4: transpose, inverse


@claim(
    "A takes 4×4 to 2×2, and Aᵀ takes 2×2 to 4×4. What is `Aᵀ A large`?",
    "The size comes back, the numbers do not.",
    "Four numbers cannot remember sixteen.",
)
def test_no_inverse(lesson):
    assert lesson.back.shape == LARGE.shape and lesson.back[0, :2].tolist() == [122, 636]
    assert (lesson.back != LARGE).all() and np.linalg.matrix_rank(lesson.A) == 4


@claim("A transposed convolution need not undo anything")
def test_it_may_undo_something(lesson):
    """That it undoes nothing would be wrong: a kernel that copies is undone."""
    copy = np.zeros((3, 3), int)
    copy[1, 1] = 1
    assert np.array_equal(conv_transpose2d(conv2d(LARGE, copy, padding=1), copy, padding=1), LARGE)
    assert np.array_equal(conv2d_matrix(copy, (4, 4), padding=1), np.eye(16))


# ------------------------------------------------------------------------------------------------ 5: stamps and zeros


@claim("Where stamps overlap, they add up.")
def test_stamps(lesson):
    added, overwritten = np.zeros((4, 4)), np.zeros((4, 4))
    for i, j in np.ndindex(2, 2):
        added[i : i + 3, j : j + 3] += SMALL[i, j] * W
        overwritten[i : i + 3, j : j + 3] = SMALL[i, j] * W
    assert added.tolist() == conv_transpose2d_loops(SMALL, W).tolist() == GROWN
    assert overwritten[0].tolist() == [2, 1, 4, 1]


@claim(
    "Stride 2 means: two pixels in the large image for each one in the small.",
    "Stride 2: two pixels in the large image for each one in the small.",
)
def test_the_stride_is_a_ratio():
    for side in range(1, 9):
        more = [transposed_size(side + 1, k, stride=2) - transposed_size(side, k, stride=2) for k in (2, 3, 4)]
        assert more == [2, 2, 2]


@claim(
    "So the kernel lies there turned by 180°. Zeros around the small image let it hang over the edge.",
    "With stride 2 there are zeros between the numbers, too:",
)
def test_by_zeros(lesson):
    turned = W[::-1, ::-1]
    assert conv2d(np.pad(SMALL, 2), turned).tolist() == GROWN and conv2d(np.pad(SMALL, 2), W)[0].tolist() == [
        2,
        7,
        9,
        3,
    ]
    stretched = np.pad(insert_zeros(SMALL, 2), 2)
    assert np.array_equal(conv2d(stretched, turned), conv_transpose2d(SMALL, W, stride=2))


@claim("These zeros are the bed of nails of lesson 03.")
def test_the_nails():
    assert np.array_equal(bed_of_nails(SMALL, 2)[:3, :3], insert_zeros(SMALL, 2))


@claim("Go from way to way: the same sum.")
@pytest.mark.parametrize(
    "geometry",
    [{}, {"stride": 2}, {"stride": (3, 2), "padding": (0, 1)}, {"stride": 2, "padding": 1, "output_padding": 1}],
)
def test_three_ways(geometry):
    rng = np.random.default_rng(4)
    small, w = rng.standard_normal((2, 3, 4, 5)), rng.standard_normal((3, 2, 3, 3))
    large = conv_transpose2d(small, w, **geometry)
    assert np.allclose(large, conv_transpose2d_by_zeros(small, w, **geometry))
    assert np.allclose(large, conv_transpose2d_by_matrix(small, w, **geometry))
    assert np.allclose(large, F.conv_transpose2d(torch.tensor(small), torch.tensor(w), **geometry).numpy())


@claim(
    "is the kernel: nine numbers that stand at 36 places of $A^\\top$.",
    "`nn.ConvTranspose2d(3, 2, 5)`, from 3 channels to 2, has weights of shape `(3, 2, 5, 5)`. It is the transpose "
    "of a convolution from 2 channels to 3, and keeps its array.",
)
def test_the_layer(lesson):
    assert np.count_nonzero(lesson.A) == 36
    layer, conv = nn.ConvTranspose2d(3, 2, 5), nn.Conv2d(2, 3, 5)
    assert layer.weight.shape == conv.weight.shape == (3, 2, 5, 5)
    x, y = torch.randn(1, 2, 6, 7, requires_grad=True), torch.randn(1, 3, 2, 3)
    F.conv2d(x, layer.weight).backward(y)
    assert torch.allclose(x.grad, F.conv_transpose2d(y, layer.weight), atol=1e-4)


def test_its_weights_learn_as_those_of_a_convolution():
    rng = np.random.default_rng(4)
    small = rng.standard_normal((1, 3, 5, 7))
    weight = torch.tensor(rng.standard_normal((3, 2, 3, 3)), requires_grad=True)
    result = F.conv_transpose2d(torch.tensor(small), weight, stride=2, padding=1, output_padding=1)
    error = rng.standard_normal(result.shape)
    result.backward(torch.tensor(error))
    assert np.allclose(conv2d_grad_weight(small, error, (3, 3), stride=2, padding=1), weight.grad.numpy())


# ------------------------------------------------------------------------------------------------------------ 6: sizes


@claim(
    "A convolution's padding adds a ring of zeros; on the way back this ring is *cut off*.",
    "So with a 3×3 kernel, stride 1 and padding 1, nothing becomes larger. Without padding an image grows by only 2 "
    "pixels, whatever its size.",
)
def test_without_a_stride_little_grows():
    assert all(transposed_size(side, 3, padding=1) == side for side in range(1, 50))
    assert all(transposed_size(side, 3) == side + 2 for side in range(1, 50))
    assert np.array_equal(conv_transpose2d(SMALL, W, padding=1), conv_transpose2d(SMALL, W)[1:-1, 1:-1])


@claim(
    "Many networks halve an image with a 3×3 kernel, stride 2 and padding 1:",
    "Where a window hangs over the edge, its row has fewer weights: the zeros of the padding are no pixels. The "
    "transpose "
    "takes 2×2 to 4×4.",
    "Because a 3×3 image *also* becomes 2×2 under this convolution",
)
def test_two_sizes_become_one(lesson):
    assert lesson.A2.shape == (4, 16) and np.count_nonzero(lesson.A2, axis=1).tolist() == [4, 6, 6, 9]
    assert np.array_equal((lesson.A2 @ LARGE.ravel()).reshape(2, 2), conv2d(LARGE, W, stride=2, padding=1))
    assert conv2d(LARGE[:3, :3], W, stride=2, padding=1).shape == (2, 2)
    assert lesson.plain.shape == (3, 3) and np.array_equal(lesson.more[:3, :3], lesson.plain)
    assert np.array_equal((lesson.A2.T @ SMALL.ravel()).reshape(4, 4), lesson.more)
    for more, result in ((0, lesson.plain), (1, lesson.more)):
        tensors = (torch.tensor(array, dtype=torch.float32)[None, None] for array in (SMALL, W))
        theirs = F.conv_transpose2d(*tensors, stride=2, padding=1, output_padding=more)
        assert np.array_equal(theirs[0, 0].numpy(), result)


@claim(
    "In the same way 17 and 18 both become 9. With stride 3 three sizes share one, and `output_padding` may be 0, 1 "
    "or 2.",
)
def test_output_padding_chooses():
    assert [output_size(side, 3, stride=2, padding=1) for side in (16, 17, 18, 19)] == [8, 9, 9, 10]
    assert [transposed_size(9, 3, stride=2, padding=1, output_padding=more) for more in (0, 1)] == [17, 18]
    sides = [transposed_size(34, 5, stride=3, padding=2, output_padding=more) for more in (0, 1, 2)]
    assert sides == [100, 101, 102] and {output_size(side, 5, stride=3, padding=2) for side in sides} == {34}
    with pytest.raises(ValueError):
        transposed_size(34, 5, stride=3, padding=2, output_padding=3)


@claim("for one side, with kernel $k$, stride $s$ and padding $p$.")
def test_the_formula():
    for small, k, s, p in ((2, 3, 1, 0), (28, 2, 2, 0), (34, 5, 3, 2), (9, 3, 2, 1)):
        for more in range(s):
            assert transposed_size(small, k, s, p, more) == (small - 1) * s + k - 2 * p + more
    assert transposed_size(7, 3, 2, 1, 1, dilation=2) == (7 - 1) * 2 + 2 * (3 - 1) + 1 - 2 * 1 + 1


@claim(
    "The name suggests zeros. But the stamps cover 5×5 pixels, and padding 1 cuts off a ring. `output_padding=1` cuts "
    "off one row and one column less: it **uncovers what was there**.",
    "Without padding nothing was cut off, and the new row does hold zeros.",
)
def test_what_stands_in_the_new_row(lesson):
    everything = conv_transpose2d(SMALL, W, stride=2)
    assert everything.shape == (5, 5)
    assert np.array_equal(everything[1:4, 1:4], lesson.plain) and np.array_equal(everything[1:5, 1:5], lesson.more)
    assert lesson.more[-1].tolist() == [12, 16, 12, 4]
    assert not conv_transpose2d(SMALL, W, stride=2, output_padding=1)[-1].any()


@claim(
    "kernel 3, stride 2, padding 1 and `output_padding=1`; kernel 4, stride 2 and padding 1, as in our new "
    "layer; kernel 2 "
    "and stride 2, as in the U-Net.",
)
def test_what_doubles(lesson):
    for side in range(1, 300):
        assert transposed_size(side, 3, 2, 1, 1) == transposed_size(side, 4, 2, 1) == transposed_size(side, 2, 2)
        assert transposed_size(side, 2, 2) == 2 * side
    layer = lesson.layer
    assert (layer.kernel_size, layer.stride, layer.padding) == ((4, 4), (2, 2), (1, 1))


# ----------------------------------------------------------------------------------------------------- 7: checkerboards


@claim(
    "Kernel 3, stride 2: how many stamps reach the first five pixels along one side?",
    "A new stamp begins at every second pixel and is 3 long.",
)
def test_counts_of_stamps(lesson):
    asked = lesson.guesses["Kernel 3, stride 2: how many stamps reach the first five pixels along one side?"]
    assert asked.numbers == [1, 1, 2, 1, 2]
    flat = conv_transpose2d(np.ones((5, 5)), np.ones((3, 3)), stride=2)
    assert np.array_equal(flat, np.outer(*2 * [overlap_count(5, 3, 2)])) and set(flat.ravel()) == {1, 2, 4}


@claim(
    "When the stride does not divide the kernel's size, neighbours get different numbers of stamps.",
    "When it does divide it, all inner pixels get the same number.",
    "So is a kernel of 4, or of 2, the cure?",
)
def test_even_and_uneven_overlap():
    for kernel in range(2, 9):
        for stride in range(2, kernel + 1):
            inside = overlap_count(20, kernel, stride)[kernel - 1 : 1 - kernel]
            assert (np.ptp(inside) == 0) == (kernel % stride == 0)


@functools.cache
def new_ripples(kernel, layers=300):
    """Of layers with PyTorch's own initial weights, on flat ground."""
    flat, ripples = torch.ones(1, 1, 16, 16), []
    for seed in range(layers):
        torch.manual_seed(seed)
        ripples.append(ripple(nn.ConvTranspose2d(1, 1, kernel, stride=2, bias=False)(flat)[0, 0].detach()))
    return np.array(ripples)


@claim(
    "In most of 300 new layers of each size, the spread of the pixels (standard deviation) was over twice their mean.",
    "A pattern with each of the three kernels, though two of them overlap evenly.",
)
def test_new_layers_make_patterns(lesson):
    """Weights near 1, as no library draws them, would make random kernels look harmless."""
    assert all(np.mean(new_ripples(kernel) > 2) > 0.5 for kernel in (2, 3, 4))
    shown = {title: ripple(image[0, 0].detach()) for title, image in lesson.enlarged.items()}
    assert [*shown] == [f"new layer, kernel {k}" for k in (2, 3, 4)] + ["nearest, then a new 3×3 convolution"]
    assert min([*shown.values()][:3]) > 0.5 and [*shown.values()][3] < 1e-6


@claim("PyTorch draws the weights of a new layer at random, about as many negative as positive:")
def test_pytorchs_initial_weights():
    torch.manual_seed(0)
    weights = torch.cat([nn.ConvTranspose2d(1, 1, 4, stride=2).weight.detach().ravel() for _ in range(500)])
    assert 0.48 < (weights > 0).float().mean() < 0.52


@claim(
    "with stride 2 each large pixel meets only every second weight, downwards and across.",
    "On a flat image a pixel is the sum of *its* group.",
    "Compute the four sums for the layer with kernel 4. They are what stands in its picture.",
)
def test_groups(lesson):
    groups = [[lesson.kernel[a::2, b::2].sum().item() for b in (0, 1)] for a in (0, 1)]
    assert np.allclose(groups, lesson.enlarged["new layer, kernel 4"][0, 0, 6:8, 6:8].detach(), atol=1e-6)
    assert lesson.sums is None


@claim("Uneven overlap is one cause: it makes the sums differ even when all weights are equal.")
def test_uneven_overlap_is_not_the_worst_case():
    """Nails overlap evenly, and make a stronger pattern than a kernel of ones that overlaps unevenly."""
    flat = np.ones((16, 16))
    nails = ripple(conv_transpose2d(flat, np.array([[1, 0], [0, 0]]), stride=2))
    uneven = ripple(conv_transpose2d(flat, np.ones((3, 3)), stride=2))
    assert 0.3 < uneven < 0.7 and nails > 3 * uneven
    assert len({np.ones((3, 3))[a::2, b::2].sum() for a in (0, 1) for b in (0, 1)}) > 1


@claim(
    "16 weights, not 9",
    "16 weights, too",
    "first interpolate, then an ordinary convolution",
    "begin with bilinear weights (lesson 03)",
)
def test_cures():
    flat, rng = np.ones((16, 16)), np.random.default_rng(2)
    assert bilinear_kernel(2).size == 16 and ripple(conv_transpose2d(flat, bilinear_kernel(2), stride=2)) < 1e-12
    nearest = interpolate(flat, (32, 32), mode="nearest")
    assert all(ripple(conv2d(nearest, rng.normal(size=(3, 3)))) < 1e-9 for _ in range(20))
    assert nearest.size == 4 * flat.size


# -------------------------------------------------------------------------------------------------------- 8: it learns


@claim("It learns from 24 pieces of two photographs, *camera* and *astronaut*. It does not see the coins")
def test_what_it_learns_from(lesson):
    assert lesson.wanted.shape == (24, 1, 64, 64) and lesson.given.shape == (24, 1, 32, 32)
    for number, piece in enumerate(lesson.wanted[:, 0].numpy()):
        windows = np.lib.stride_tricks.sliding_window_view(
            photo(("camera", "astronaut")[number % 2]).astype(np.float32)[::2, ::2], (32, 32)
        )
        assert (np.abs(windows[..., 0, :4] - piece[0, :8:2]).max(axis=-1) < 1e-6).any()


@claim(
    "From random numbers and a gradient it has found a rule a little better than bilinear. Bicubic is better "
    "still: it makes "
    "each large pixel from 4×4 small ones, this kernel from only 2×2. A learned kernel that sees 4×4 beats bicubic",
)
def test_what_it_has_learned(lesson):
    assert lesson.errors[0] > 100 and lesson.rules["bicubic"] < lesson.errors[-1] < lesson.rules["bilinear"]
    assert lesson.off["bicubic"] < lesson.off["learned"] < lesson.off["bilinear"]
    (asked,) = [guess for question, guess in lesson.guesses.items() if question.startswith("And on the coins")]
    assert asked.answer == "better than one of them"
    impulse = np.zeros((9, 9))
    impulse[4, 4] = 1
    reached = [np.count_nonzero(np.abs(interpolate(impulse, (18, 18), mode="bicubic")).max(axis=0)), 4]
    assert reached == [8, lesson.layer.kernel_size[0]]  # of which every second one meets a pixel: 4 and 2


@claim("The sums of the four groups are now:", "All four have become 1, and the squares are gone.")
def test_the_squares_are_gone(lesson):
    torch.manual_seed(2015)
    before = nn.ConvTranspose2d(1, 1, kernel_size=4, stride=2, padding=1, bias=False).weight[0, 0].detach()
    sums = [[kernel[a::2, b::2].sum().item() for a in (0, 1) for b in (0, 1)] for kernel in (before, lesson.learned)]
    assert np.ptp(sums[0]) > 0.3 and np.allclose(sums[1], 1, atol=0.01)


# ------------------------------------------------------------------------------------------------------- 9: the U-Net's


@claim(
    "A U-Net goes up four times, each time with a 2×2 kernel and stride 2.",
    "At its deepest level the U-Net has 28×28 pixels in 1024 channels.",
    "The size is doubled, the channels are halved.",
)
def test_the_up_convolution_of_the_unet(lesson):
    from unet_edu.unet import UNet

    ups = [module for module in UNet().modules() if isinstance(module, nn.ConvTranspose2d)]
    assert [(up.in_channels, up.out_channels) for up in ups] == [(1024, 512), (512, 256), (256, 128), (128, 64)]
    assert {(up.kernel_size, up.stride) for up in ups} == {((2, 2), (2, 2))}
    assert (lesson.height, lesson.width, lesson.channels) == (56, 56, 512)


@claim('"a 2×2 convolution that decreases the size of the image by half". On the way up nothing becomes smaller.')
def test_the_mistake_of_the_halved_size():
    assert all(transposed_size(n, 2, stride=2) == 2 * n for n in (28, 52, 100, 196))


@claim("The stamps lie side by side and never overlap. Each pixel becomes a 2×2 block of its own")
def test_blocks():
    w = np.array([[1, 2], [0, 3]])
    assert np.array_equal(conv_transpose2d(SMALL, w, stride=2), np.kron(SMALL, w))
    assert (overlap_count(28, 2, stride=2) == 1).all()


# ---------------------------------------------------------------------------------------------------- what comes after


@claim(
    "A program halves a sound of 1001 samples",
    "The convolution gives ⌊(1001 + 2 − 4) / 2⌋ + 1 = 500 samples. Back: 499·2 + 4 − 2 = 1000. With "
    "`output_padding=1` there "
    "are 1001.",
)
def test_the_question_to_take_along():
    shorter = nn.Conv1d(1, 1, 4, stride=2, padding=1)(torch.zeros(1, 1, 1001))
    assert shorter.shape[-1] == (1001 + 2 - 4) // 2 + 1 == 500
    back = [nn.ConvTranspose1d(1, 1, 4, stride=2, padding=1, output_padding=more) for more in (0, 1)]
    assert [layer(shorter).shape[-1] for layer in back] == [499 * 2 + 4 - 2, 1001] == [1000, 1001]


@claim("A guide to convolution arithmetic for deep learning, chapter 4")
def test_names_of_sources():
    """Looked up; nothing to compute."""


def test_the_answers_of_the_quiz():
    rng = np.random.default_rng(4)
    assert conv2d_matrix(W, (5, 6)).shape == (12, 30)
    assert [conv2d(np.pad(SMALL, 2), w).tolist() == GROWN for w in (W, W[::-1, ::-1], W.T)] == [False, True, False]
    wide = rng.integers(1, 9, (4, 4))
    eight, stamped = (
        conv_transpose2d(wide, W, stride=2, padding=1, output_padding=1),
        conv_transpose2d(wide, W, stride=2),
    )
    assert np.array_equal(eight[-1], stamped[-1, 1:]) and eight[-1].all() and stamped.shape == (9, 9)
    inside = {k: np.unique(overlap_count(9, k, stride=2)[k - 1 : 1 - k]).tolist() for k in (3, 5, 4)}
    assert inside == {3: [1, 2], 5: [2, 3], 4: [2]}
    row = np.array([[4.0, 5, 8, 7]])
    longer = interpolate(row, (1, 8))[0, 2:-2]
    found = []
    for stamp in ([0.5, 1, 0.5], [1, 1], [0.5, 0.5, 0.5, 0.5], [0.25, 0.75, 0.75, 0.25]):
        stamps = conv_transpose2d(row, [stamp], stride=(1, 2))[0]
        found.append(any(np.allclose(stamps[start : start + 4], longer) for start in range(len(stamps) - 3)))
    assert found == [False, False, False, True]
