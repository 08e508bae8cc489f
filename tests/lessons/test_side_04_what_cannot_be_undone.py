"""What the side road of lesson 04 claims of ways back, and of a learned kernel."""

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from tests.lessons.claims import claim
from unet_edu.convolution import conv2d, conv2d_grad_weight
from unet_edu.data import photo
from unet_edu.interpolation import interpolate
from unet_edu.matrix import conv2d_matrix
from unet_edu.transposed import conv_transpose2d


@claim("Nothing about its matrix depends on 4×4, on stride 1, or on an image that is square.")
def test_any_size(lesson):
    image = np.random.default_rng(4).integers(0, 10, (5, 7))
    assert np.array_equal(lesson.wide @ image.ravel(), conv2d(image, lesson.w).ravel())
    assert np.array_equal(lesson.stepped @ image.ravel(), conv2d(image, lesson.w, stride=2, padding=1).ravel())


@claim(
    "With stride 2 there are fewer rows, and the bands are flatter. The windows at the edge of the image have "
    "fewer weights"
)
def test_the_bands(lesson):
    assert len(lesson.stepped) < len(lesson.wide)
    steps = [np.diff(np.argmax(matrix != 0, axis=1)[:2])[0] for matrix in (lesson.wide, lesson.stepped)]
    assert steps == [1, 1] or steps[0] < steps[1]
    weights = np.count_nonzero(lesson.stepped, axis=1)
    assert weights.min() < weights.max() == 9 and set(np.count_nonzero(lesson.wide, axis=1)) == {9}


@claim(
    "A photograph of 512×512 would have a matrix of 545 gigabytes. But a *sparse* matrix keeps only the places "
    "where a "
    "weight stands, nine per row, and that is one place in 29,127:"
)
def test_sparse(lesson):
    outputs, pixels = lesson.thin.shape
    assert lesson.thin.nnz == 9 * outputs and round(outputs * pixels * 8 / 1e9) == 545
    assert round(outputs * pixels / lesson.thin.nnz) == 29_127


@claim("Here is a second image, different in every pixel, with the same four outputs.")
def test_two_images(lesson):
    assert (lesson.other != lesson.large).all()
    assert np.array_equal(conv2d(lesson.other, lesson.w), conv2d(lesson.large, lesson.w))


@claim("But each corner feeds one output only, by a weight of its own that is not 0, and can put it right again.")
def test_how_to_make_another(lesson):
    image = np.random.default_rng(0).normal(size=(4, 4))
    missing = conv2d(lesson.large, lesson.w) - conv2d(image, lesson.w)
    image[::3, ::3] += missing / lesson.w[::2, ::2]
    assert np.allclose(conv2d(image, lesson.w), conv2d(lesson.large, lesson.w))


@claim(
    "From a small image it makes a large one whose output is exactly the small image.",
    "It takes the one with the smallest sum of squares.",
    "It has the same four outputs, and a smaller sum of squares.",
)
def test_the_pseudo_inverse(lesson):
    best = lesson.A_plus @ lesson.small.ravel()
    assert np.allclose(lesson.A @ best, lesson.small.ravel())
    assert not np.allclose(lesson.A @ (lesson.A.T @ lesson.small.ravel()), lesson.small.ravel())
    assert np.allclose(lesson.A @ lesson.recovered, lesson.A @ lesson.large.ravel())
    for image in (lesson.large, lesson.other):
        assert np.sum(lesson.recovered**2) < np.sum(image**2)
    assert lesson.guesses["What is `A⁺ (A large)`?"].answer == "another image"


@claim("A single 1 in the middle of the kernel, with padding 1, copies the image")
def test_a_kernel_that_copies():
    copy = np.zeros((3, 3), int)
    copy[1, 1] = 1
    assert np.array_equal(conv2d_matrix(copy, (4, 4), padding=1), np.eye(16))


@claim(
    "A kernel of 2×2 with all weights ½ and stride 2 looks at each pixel once.",
    "In each row of its matrix the squares of the weights add up to 1, and no two rows share a pixel. So $A A^\\top$ "
    "has ones on the diagonal and zeros elsewhere, and $A^+$ is $A^\\top$.",
    "This transpose makes of each small number a flat block of four",
    "make the matrix of that convolution for an image of 4×4, and multiply it with its transpose.",
)
def test_a_transpose_that_is_the_best_way_back(lesson):
    A = conv2d_matrix(lesson.halves, (4, 4), stride=2)
    assert lesson.product is None and np.array_equal(A @ A.T, np.eye(4)) and np.allclose(np.linalg.pinv(A), A.T)
    assert np.array_equal(conv_transpose2d([[2.0, 4.0]], lesson.halves, stride=2), [[1, 1, 2, 2], [1, 1, 2, 2]])


@claim(
    "In lesson 04 a kernel of 4×4 became a little better than bilinear. It makes each large pixel of 2×2 small "
    "ones. "
    "Bicubic looks at 4×4. A kernel of 8×8 with stride 2 looks at as many."
)
@pytest.mark.parametrize(("kernel", "pixels"), [(4, 2), (8, 4)])
def test_how_much_a_kernel_sees(kernel, pixels):
    large = conv_transpose2d(np.ones((20, 20)), np.ones((kernel, kernel)), stride=2, padding=kernel // 2 - 1)
    assert (large[10:-10, 10:-10] == pixels**2).all()


@claim(
    "the best that any 8×8 kernel can do on these pieces.", "what each of the 64 weights alone would make is a column"
)
def test_nothing_is_better_than_the_best(lesson):
    best = lesson.levels["the best 8×8 kernel"]
    assert best < lesson.errors[-1] < lesson.levels["bicubic"] < lesson.levels["bilinear"]
    rng = np.random.default_rng(0)
    for _ in range(3):
        near = lesson.best + rng.normal(0, 0.01, (8, 8))
        assert lesson.error(lesson.enlarged(lesson.given.numpy(), near), lesson.wanted) > best


@claim(
    "And on photographs that it has never seen?",
    "Is the learned 8×8 kernel better than bicubic on the coins, and on the cell?",
)
def test_it_beats_bicubic(lesson):
    (asked,) = [guess for question, guess in lesson.guesses.items() if question.startswith("Is the learned 8×8")]
    assert asked.answer == "on both"
    for name in ("coins", "cell"):
        assert lesson.scores["learned, 8×8", name] < lesson.scores["bicubic", name] < lesson.scores["bilinear", name]


@claim("The best 4×4 kernel for the same pieces is worse than bilinear on the cell")
def test_what_a_small_kernel_learns(lesson):
    given = lesson.given.numpy()
    columns = [lesson.inner(lesson.enlarged(given, one.reshape(4, 4))) for one in np.eye(16)]
    small = np.linalg.lstsq(np.stack(columns, axis=1), lesson.inner(lesson.wanted.numpy()), rcond=None)[0].reshape(4, 4)
    cell = photo("cell")
    half = interpolate(cell, (cell.shape[0] // 2, cell.shape[1] // 2))
    assert lesson.error(lesson.enlarged(half[None, None], small)[0, 0], cell) > lesson.scores["bilinear", "cell"]


@claim(
    "Large weights in the middle, negative ones beside them, small ones outside.",
    "All four groups of weights have sums of 1.00, so there is no checkerboard.",
)
def test_what_it_has_learned(lesson):
    assert lesson.learned[3:5, 3:5].min() > 0.75 and lesson.best[3:5, 3:5].min() > 0.75
    assert np.allclose([lesson.learned[a::2, b::2].sum() for a in (0, 1) for b in (0, 1)], 1, atol=0.005)


@claim("It is the convolution's own gradient, with image and error in exchanged places.")
def test_the_gradient_of_the_weights():
    rng = np.random.default_rng(4)
    small, weight = (
        rng.standard_normal((1, 3, 5, 7)),
        torch.tensor(rng.standard_normal((3, 2, 3, 3)), requires_grad=True),
    )
    result = F.conv_transpose2d(torch.tensor(small), weight, stride=2, padding=1, output_padding=1)
    error = rng.standard_normal(result.shape)
    result.backward(torch.tensor(error))
    assert np.allclose(conv2d_grad_weight(small, error, (3, 3), stride=2, padding=1), weight.grad.numpy())


@claim("PyTorch also allows more, where the dilation is larger than that.", "and our functions refuse it.")
def test_more_output_padding():
    small, w = torch.ones(1, 1, 4, 4), torch.ones(1, 1, 3, 3)
    assert F.conv_transpose2d(small, w, dilation=3, output_padding=2).shape[-1] == 12
    with pytest.raises(ValueError, match="output_padding"):
        conv_transpose2d(small.numpy(), w.numpy(), dilation=3, output_padding=2)
