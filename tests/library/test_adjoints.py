"""⟨A x, y⟩ = ⟨x, Aᵀ y⟩ for every linear operator of the library: one table, and a test that nothing is left out.

The identity alone proves that two functions belong together. That the first one is right is shown by the agreement with
PyTorch in the other files of this folder.
"""

import inspect
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from unet_edu import convolution, interpolation, matrix, metrics, pooling, transposed
from unet_edu.convolution import (
    conv2d,
    conv2d_grad_bias,
    conv2d_grad_input,
    conv2d_grad_weight,
    conv2d_loops,
    sliding_windows,
)
from unet_edu.interpolation import (
    axis_matrix,
    bed_of_nails,
    bed_of_nails_grad,
    interpolate,
    interpolate_grad,
    interpolate_loops,
    nearest_loops,
)
from unet_edu.matrix import conv2d_matrix, conv2d_matrix_loops, max_pool2d_matrix
from unet_edu.pooling import (
    avg_pool2d,
    avg_pool2d_grad,
    max_pool2d,
    max_pool2d_grad,
    max_pool2d_grad_loops,
    max_pool2d_loops,
    max_unpool2d,
    max_unpool2d_grad,
    max_unpool2d_loops,
)
from unet_edu.transposed import (
    conv_transpose2d,
    conv_transpose2d_by_matrix,
    conv_transpose2d_by_zeros,
    conv_transpose2d_loops,
    insert_zeros,
    transposed_size,
)

MODULES = (convolution, interpolation, matrix, metrics, pooling, transposed)

# float64 sums of a few hundred products of numbers near 1 are off by less than 1e-12; a wrong term by 1e-3 or more
CLOSE = {"rtol": 0, "atol": 1e-10}


class Linear(NamedTuple):
    """A linear operator, what should be its adjoint, and the shape that it reads."""

    forwards: Callable[[Any], Any]
    backwards: Callable[[Any], Any]
    reads: tuple[int, ...]


def pairs(least, most):
    return st.tuples(st.integers(least, most), st.integers(least, most))


def numbers(draw, *shape):
    return np.random.default_rng(draw(st.integers(0, 2**32 - 1))).standard_normal(shape)


def windows(draw):
    """kernel, stride, padding, dilation, and a size of which at least one window fits."""
    kernel, stride, padding, dilation = draw(pairs(1, 3)), draw(pairs(1, 3)), draw(pairs(0, 2)), draw(pairs(1, 3))
    least = [max(1, d * (k - 1) + 1 - 2 * p) for k, p, d in zip(kernel, padding, dilation, strict=True)]
    size = tuple(draw(st.integers(low, low + 5)) for low in least)
    return kernel, size, {"stride": stride, "padding": padding, "dilation": dilation}


def batch(draw):
    return draw(pairs(1, 2))


def conv2d_in_the_input(draw):
    kernel, size, how = windows(draw)
    (N, C_in), C_out = batch(draw), draw(st.integers(1, 3))
    w = numbers(draw, C_out, C_in, *kernel)
    return Linear(lambda x: conv2d(x, w, **how), lambda y: conv2d_grad_input(y, w, size, **how), (N, C_in, *size))


def conv2d_in_the_kernel(draw):
    kernel, size, how = windows(draw)
    (N, C_in), C_out = batch(draw), draw(st.integers(1, 3))
    x = numbers(draw, N, C_in, *size)
    return Linear(
        lambda w: conv2d(x, w, **how), lambda y: conv2d_grad_weight(y, x, kernel, **how), (C_out, C_in, *kernel)
    )


def conv2d_in_the_bias(draw):
    (N, C), size = batch(draw), draw(pairs(1, 4))
    x, w = np.zeros((N, 1, *size)), np.zeros((C, 1, 1, 1))
    return Linear(lambda bias: conv2d(x, w, bias), conv2d_grad_bias, (C,))


def conv2d_by_loops(draw):
    kernel = draw(pairs(1, 3))
    size = tuple(draw(st.integers(k, k + 4)) for k in kernel)
    w = numbers(draw, *kernel)
    return Linear(lambda x: conv2d_loops(x, w), lambda y: conv_transpose2d_loops(y, w), size)


def unrolled_windows(draw):
    """Unrolling is a convolution with the kernels that hold a single 1, one for each tap."""
    kernel, size, how = windows(draw)
    N, C = batch(draw)
    taps = np.zeros((math.prod(kernel), C, C, *kernel))
    for tap, (u, v) in enumerate(np.ndindex(*kernel)):
        taps[tap, range(C), range(C), u, v] = 1

    def backwards(y):
        by_tap = y.transpose(2, 3, 0, 1, 4, 5).reshape(len(taps), *y.shape[:2], *y.shape[4:])
        return sum(conv2d_grad_input(dy, tap, size, **how) for dy, tap in zip(by_tap, taps, strict=True))

    return Linear(lambda x: sliding_windows(x, kernel, *how.values()), backwards, (N, C, *size))


def transposed_convolution(way):
    def draw_one(draw):
        (N, C_in), C_out, size, kernel = batch(draw), draw(st.integers(1, 3)), draw(pairs(1, 4)), draw(pairs(1, 4))
        stride, dilation = draw(pairs(1, 3)), draw(pairs(1, 3))
        more = tuple(draw(st.integers(0, s - 1)) for s in stride)
        along = zip(size, kernel, stride, (0, 0), more, dilation, strict=True)
        padding = tuple(draw(st.integers(0, min(2, (transposed_size(*axis) - 1) // 2))) for axis in along)
        w = numbers(draw, C_in, C_out, *kernel)
        how = {"stride": stride, "padding": padding, "dilation": dilation}
        return Linear(lambda x: way(x, w, **how, output_padding=more), lambda y: conv2d(y, w, **how), (N, C_in, *size))

    return draw_one


def transposed_convolution_by_loops(draw):
    w, stride = numbers(draw, *draw(pairs(1, 3))), draw(st.integers(1, 3))
    return Linear(
        lambda x: conv_transpose2d_loops(x, w, stride), lambda y: conv2d(y, w, stride=stride), draw(pairs(1, 4))
    )


def zeros_between(draw):
    stride = draw(pairs(1, 3))
    return Linear(
        lambda x: insert_zeros(x, stride),
        lambda y: y[..., :: stride[0], :: stride[1]],
        (*batch(draw), *draw(pairs(1, 4))),
    )


def rule(draw):
    mode = draw(st.sampled_from(interpolation.MODES))
    return {"mode": mode, "align_corners": mode != "nearest" and draw(st.booleans())}


def interpolation_of_images(draw):
    size, out_size, how = draw(pairs(1, 12)), draw(pairs(1, 12)), rule(draw)
    return Linear(
        lambda x: interpolate(x, out_size, **how), lambda y: interpolate_grad(y, size, **how), (*batch(draw), *size)
    )


def interpolation_by_loops(draw):
    size, out_size = draw(pairs(1, 4)), draw(pairs(1, 6))
    return Linear(lambda x: interpolate_loops(x, out_size), lambda y: interpolate_grad(y, size), size)


def nearest_by_loops(draw):
    size, out_size = draw(pairs(1, 4)), draw(pairs(1, 6))
    return Linear(lambda x: nearest_loops(x, out_size), lambda y: interpolate_grad(y, size, mode="nearest"), size)


def interpolation_along_one_side(draw):
    size, out_size, how = draw(st.integers(1, 8)), draw(st.integers(1, 12)), rule(draw)
    B = axis_matrix(size, out_size, **how)
    return Linear(lambda x: B @ x, lambda y: interpolate_grad(y[:, None], (size, 1), **how)[:, 0], (size,))


def nails(draw):
    stride = draw(pairs(1, 3))
    return Linear(
        lambda x: bed_of_nails(x, stride), lambda y: bed_of_nails_grad(y, stride), (*batch(draw), *draw(pairs(1, 4)))
    )


def indices_of_a_pooling(draw, disjoint=False):
    """Where a max pooling found its maxima, the shape of the image, and of what came out."""
    kernel = draw(pairs(1, 3))
    stride = kernel if disjoint else draw(pairs(1, 3))
    size = tuple(draw(st.integers(k, k + 5)) for k in kernel)
    x = numbers(draw, *batch(draw), *size)
    y, indices = max_pool2d(x, kernel, stride)
    return indices, x.shape, y.shape


def selection_of_maxima(draw):
    """Max pooling once its places are chosen: then it is linear. `max_unpool2d_grad` picks up from there."""
    indices, large, _ = indices_of_a_pooling(draw)
    return Linear(lambda x: max_unpool2d_grad(x, indices), lambda y: max_pool2d_grad(y, indices, large[2:]), large)


def unpooling(draw):
    """Where no two numbers share a place. Where they do, unpooling keeps the last: see test_pooling.py."""
    indices, large, small = indices_of_a_pooling(draw, disjoint=True)
    return Linear(lambda y: max_unpool2d(y, indices, large[2:]), lambda x: max_unpool2d_grad(x, indices), small)


def pooling_by_loops(draw, disjoint=False):
    kernel = draw(st.integers(1, 3))
    size = draw(pairs(kernel, kernel + 5))
    y, indices = max_pool2d_loops(numbers(draw, *size), kernel, kernel if disjoint else draw(st.integers(1, 3)))
    return indices, size, y.shape


def unpooling_by_loops(draw):
    indices, large, small = pooling_by_loops(draw, disjoint=True)
    return Linear(lambda y: max_unpool2d_loops(y, indices, large), lambda x: max_unpool2d_grad(x, indices), small)


def pooling_s_way_back_by_loops(draw):
    indices, large, small = pooling_by_loops(draw)
    return Linear(lambda y: max_pool2d_grad_loops(y, indices, large), lambda x: max_unpool2d_grad(x, indices), small)


def average_pooling(draw):
    kernel, stride = draw(pairs(1, 4)), draw(st.none() | pairs(1, 4))
    size = tuple(draw(st.integers(k, k + 7)) for k in kernel)
    how = {
        "padding": tuple(draw(st.integers(0, k // 2)) for k in kernel),
        "ceil_mode": draw(st.booleans()),
        "count_include_pad": draw(st.booleans()),
    }
    return Linear(
        lambda x: avg_pool2d(x, kernel, stride, **how),
        lambda y: avg_pool2d_grad(y, kernel, size, stride=stride, **how),
        (*batch(draw), *size),
    )


def by_matrix(matrix, operator, reads):
    """A matrix forwards, and the operator that should be its transpose backwards."""
    return Linear(lambda x: matrix @ x, operator, (math.prod(reads),))


def matrix_of_a_convolution(draw):
    kernel, size, how = windows(draw)
    C_in, C_out = draw(pairs(1, 3))
    w = numbers(draw, C_out, C_in, *kernel)
    out = conv2d(np.zeros((1, C_in, *size)), w, **how).shape
    A = conv2d_matrix(w, size, **how, sparse=draw(st.booleans()))
    return by_matrix(A, lambda y: conv2d_grad_input(y.reshape(out), w, size, **how).ravel(), (C_in, *size))


def matrix_by_loops(draw):
    kernel, size = draw(pairs(1, 3)), draw(pairs(3, 6))
    w = numbers(draw, *kernel)
    shape = conv2d_loops(np.zeros(size), w).shape
    return by_matrix(conv2d_matrix_loops(w, size), lambda y: conv_transpose2d_loops(y.reshape(shape), w).ravel(), size)


def matrix_of_an_interpolation(draw):
    size, out_size, how = draw(pairs(1, 6)), draw(pairs(1, 9)), rule(draw)
    B = np.kron(*(axis_matrix(n, m, **how) for n, m in zip(size, out_size, strict=True)))
    return by_matrix(B, lambda y: interpolate_grad(y.reshape(out_size), size, **how).ravel(), size)


def matrix_of_a_selection(draw):
    indices, large, small = indices_of_a_pooling(draw)
    S = max_pool2d_matrix(indices, large[2:], sparse=draw(st.booleans()))
    return by_matrix(S, lambda y: max_pool2d_grad(y.reshape(small), indices, large[2:]).ravel(), large)


# Each line: a linear operator, and the public functions that it tests, on either side of the identity.
TABLE: dict[Callable[[Any], Linear], tuple[Callable[..., Any], ...]] = {
    conv2d_in_the_input: (conv2d, conv2d_grad_input),
    conv2d_in_the_kernel: (conv2d, conv2d_grad_weight),
    conv2d_in_the_bias: (conv2d, conv2d_grad_bias),
    conv2d_by_loops: (conv2d_loops, conv_transpose2d_loops),
    unrolled_windows: (sliding_windows, conv2d_grad_input),
    transposed_convolution(conv_transpose2d): (conv_transpose2d, conv2d),
    transposed_convolution(conv_transpose2d_by_zeros): (conv_transpose2d_by_zeros, conv2d),
    transposed_convolution(conv_transpose2d_by_matrix): (conv_transpose2d_by_matrix, conv2d),
    transposed_convolution_by_loops: (conv_transpose2d_loops, conv2d),
    zeros_between: (insert_zeros,),
    interpolation_of_images: (interpolate, interpolate_grad),
    interpolation_by_loops: (interpolate_loops, interpolate_grad),
    nearest_by_loops: (nearest_loops, interpolate_grad),
    interpolation_along_one_side: (axis_matrix, interpolate_grad),
    nails: (bed_of_nails, bed_of_nails_grad),
    selection_of_maxima: (max_unpool2d_grad, max_pool2d_grad),
    unpooling: (max_unpool2d, max_unpool2d_grad),
    unpooling_by_loops: (max_unpool2d_loops, max_unpool2d_grad),
    pooling_s_way_back_by_loops: (max_pool2d_grad_loops, max_unpool2d_grad),
    average_pooling: (avg_pool2d, avg_pool2d_grad),
    matrix_of_a_convolution: (conv2d_matrix, conv2d_grad_input),
    matrix_by_loops: (conv2d_matrix_loops, conv_transpose2d_loops),
    matrix_of_an_interpolation: (axis_matrix, interpolate_grad),
    matrix_of_a_selection: (max_pool2d_matrix, max_pool2d_grad),
}

# All other public functions, and why there is no adjoint to test.
NO_LINEAR_OPERATOR = {
    "max_pool2d": "the image chooses the places: linear only once they are fixed, see selection_of_maxima",
    "max_pool2d_loops": "likewise",
    "output_size": "counts",
    "pooled_size": "counts",
    "transposed_size": "counts",
    "receptive_field": "counts",
    "overlap_count": "counts",
    "source_coordinates": "places, not values",
    "nearest_kernel": "gives a kernel",
    "bilinear_kernel": "gives a kernel",
    "bicubic_kernel": "gives a kernel",
} | dict.fromkeys(metrics.__all__, "compares label maps")


# Modules of which no function is a linear operator on images, each with the reason.
NO_OPERATORS = {
    "unet": "a network: its parts are PyTorch's, and ReLU and pooling are not linear",
    "sizes": "counts what a network takes and gives",
    "training": "changes networks",
    "tiling": "asks a network",
    "losses": "gives weights and a loss",
    "instances": "compares label maps",
    "postprocess": "decides, with a threshold",
    "predicting": "asks a network, and writes files",
}


@pytest.mark.parametrize("drawn", TABLE, ids=[functions[0].__name__ for functions in TABLE.values()])
@given(data=st.data())
def test_adjoint_identity(drawn, data):
    operator = drawn(data.draw)
    x = numbers(data.draw, *operator.reads)
    Ax = operator.forwards(x)
    y = numbers(data.draw, *Ax.shape)
    back = operator.backwards(y)
    assert back.shape == x.shape
    np.testing.assert_allclose(np.vdot(back, x), np.vdot(y, Ax), **CLOSE)
    # linear indeed: no constant is added, and nothing is squared
    np.testing.assert_allclose(operator.forwards(-2 * x), -2 * Ax, **CLOSE)


def test_no_public_operator_is_missing():
    """A new function in `__all__` must enter the table, or say why not."""
    public = {name for module in MODULES for name in module.__all__ if inspect.isfunction(getattr(module, name))}
    in_table = {function.__name__ for functions in TABLE.values() for function in functions}
    assert in_table.isdisjoint(NO_LINEAR_OPERATOR)
    assert in_table | set(NO_LINEAR_OPERATOR) == public


def test_no_module_is_missing():
    """Operators read their arguments through `_arguments`, so a module of new ones is seen here."""
    files = Path(convolution.__file__).parent.glob("[!_]*.py")
    operators = {path.stem for path in files if "unet_edu._arguments" in path.read_text(encoding="utf-8")}
    named = {module.__name__.rpartition(".")[2] for module in MODULES}
    assert named.isdisjoint(NO_OPERATORS)
    assert operators == named | set(NO_OPERATORS)
