"""conv_transpose2d against PyTorch, and the three ways against each other. Adjoints: test_adjoints.py."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.torch_or_skip import F, torch
from unet_edu.convolution import conv2d, conv2d_grad_bias, conv2d_grad_weight, output_size
from unet_edu.transposed import (
    conv_transpose2d,
    conv_transpose2d_by_matrix,
    conv_transpose2d_by_zeros,
    conv_transpose2d_loops,
    insert_zeros,
    overlap_count,
    transposed_size,
)

# float64 sums of at most 3·3·3 products of numbers near 1 are off by less than 1e-13; a wrong term by 1e-3 or more
CLOSE = {"rtol": 0, "atol": 1e-10}

Y = np.array([[2, 1], [4, 4]])
W = np.array([[1, 4, 1], [1, 4, 3], [3, 3, 1]])
RESULT = [[2, 9, 6, 1], [6, 29, 30, 7], [10, 29, 33, 13], [12, 24, 16, 4]]
SEEDS = st.integers(0, 2**32 - 1)
WAYS = (conv_transpose2d, conv_transpose2d_by_zeros, conv_transpose2d_by_matrix)


def pairs(least, most):
    return st.tuples(st.integers(least, most), st.integers(least, most))


@st.composite
def geometries(draw):
    """A transposed convolution of any shape, such that padding leaves at least one pixel."""
    N, C_in, C_out = draw(st.integers(1, 2)), draw(st.integers(1, 3)), draw(st.integers(1, 3))
    size, kernel, stride, dilation = draw(pairs(1, 5)), draw(pairs(1, 4)), draw(pairs(1, 4)), draw(pairs(1, 3))
    more = tuple(draw(st.integers(0, s - 1)) for s in stride)
    covered = [
        (i - 1) * s + d * (k - 1) + 1 + m for i, k, s, d, m in zip(size, kernel, stride, dilation, more, strict=True)
    ]
    padding = tuple(draw(st.integers(0, min(3, (c - 1) // 2))) for c in covered)
    rng = np.random.default_rng(draw(SEEDS))
    x, w = rng.standard_normal((N, C_in, *size)), rng.standard_normal((C_in, C_out, *kernel))
    geometry = {"stride": stride, "padding": padding, "output_padding": more, "dilation": dilation}
    return x, w, rng.standard_normal(C_out), geometry


def of_convolution(geometry):
    return {name: value for name, value in geometry.items() if name != "output_padding"}


@given(geometries(), SEEDS)
def test_agrees_with_torch_forwards_and_backwards(drawn, seed):
    x, w, bias, geometry = drawn
    tensors = [torch.tensor(a, requires_grad=True) for a in (x, w, bias)]
    y = F.conv_transpose2d(*tensors, **geometry)
    dy = np.random.default_rng(seed).standard_normal(y.shape)
    y.backward(torch.tensor(dy))
    dx, dw, db = (t.grad.numpy() for t in tensors)
    np.testing.assert_allclose(conv_transpose2d(x, w, bias, **geometry), y.detach().numpy(), **CLOSE)
    # the gradients are those of the module's docstring: convolution, and its gradients with exchanged places
    np.testing.assert_allclose(conv2d(dy, w, **of_convolution(geometry)), dx, **CLOSE)
    np.testing.assert_allclose(conv2d_grad_weight(x, dy, w.shape[2:], **of_convolution(geometry)), dw, **CLOSE)
    np.testing.assert_allclose(conv2d_grad_bias(dy), db, **CLOSE)


@given(geometries())
def test_three_ways_are_one(drawn):
    x, w, _, geometry = drawn
    stamped, by_zeros, by_matrix = (way(x, w, **geometry) for way in WAYS)
    np.testing.assert_allclose(by_zeros, stamped, **CLOSE)
    np.testing.assert_allclose(by_matrix, stamped, **CLOSE)


@given(pairs(1, 4), pairs(1, 4), st.integers(1, 4), SEEDS)
def test_loops_are_the_definition(size, kernel, stride, seed):
    rng = np.random.default_rng(seed)
    x, w = rng.standard_normal(size), rng.standard_normal(kernel)
    np.testing.assert_allclose(conv_transpose2d_loops(x, w, stride), conv_transpose2d(x, w, stride=stride), **CLOSE)


def test_worked_example():
    for way in (*WAYS, conv_transpose2d_loops):
        assert way(Y, W).tolist() == RESULT
    # a 3×3 convolution with stride 2 and padding 1 brings 4×4 to 2×2; output_padding says that it was not 3×3
    assert conv_transpose2d(Y, W, stride=2, padding=1).tolist() == [[8, 7, 4], [22, 13, 19], [16, 16, 16]]
    for way in WAYS:
        assert way(Y, W, stride=2, padding=1, output_padding=1).tolist() == [
            [8, 7, 4, 3],
            [22, 13, 19, 5],
            [16, 16, 16, 12],
            [12, 16, 12, 4],
        ]


def test_output_padding_uncovers_what_padding_had_cut_off():
    everything = conv_transpose2d(Y, W, stride=2)
    for more in (0, 1):
        n = 3 + more
        kept = conv_transpose2d(Y, W, stride=2, padding=1, output_padding=more)
        np.testing.assert_array_equal(kept, everything[1 : 1 + n, 1 : 1 + n])
    # where nothing was cut off, no stamp reaches the new row
    assert conv_transpose2d(Y, W, 7, stride=2, output_padding=1)[-1].tolist() == [7] * 6


def test_planes_and_batches_agree():
    for way in WAYS:
        np.testing.assert_array_equal(way(Y, W, stride=3), way(Y[None, None], W[None, None], stride=3)[0, 0])
    np.testing.assert_array_equal(conv_transpose2d(Y, W, 3), conv_transpose2d(Y[None, None], W[None, None], [3])[0, 0])


def test_types():
    for way in WAYS:
        assert way(np.full((1, 2), 200, np.uint8), np.full((1, 2), 200, np.uint8)).tolist() == [[40000, 80000, 40000]]
        assert way(Y > 1, W > 1).dtype == np.int64
        assert way(Y.astype(np.float32), W.astype(np.float32)).dtype == np.float32
        assert way(Y.astype(np.float16), W.astype(np.float16)).dtype == np.float16
        assert way(Y.astype(np.float32), W).dtype == np.float64
        assert way(Y.astype(np.float32), W.astype(np.int8)).dtype == np.float32
        assert way(Y.astype(np.int8), W.astype(np.float32)).dtype == np.float32
        assert way(np.zeros((0, 1, 2, 2)), W[None, None]).shape == (0, 1, 4, 4)
    assert conv_transpose2d(Y.astype(np.float32), W.astype(np.float32), 0.5).dtype == np.float32
    assert conv_transpose2d(Y, W, 0.5)[0].tolist() == [2.5, 9.5, 6.5, 1.5]
    assert conv_transpose2d(Y, W, np.array(1)).dtype == np.int64
    assert conv_transpose2d_loops(Y, W).dtype == np.float64
    for way in WAYS:
        assert way(torch.tensor(Y), torch.tensor(W)).tolist() == RESULT


def test_three_ways_are_one_for_every_pair_of_types():
    kinds = (bool, np.uint8, np.int8, np.int64, np.uint64, np.float16, np.float32, np.float64)
    for x_type, w_type in itertools.product(kinds, kinds):
        stamped, *others = (way(Y.astype(x_type), W.astype(w_type)) for way in WAYS)
        for other in others:
            assert other.dtype == stamped.dtype, (x_type, w_type)
            np.testing.assert_array_equal(other, stamped)


def test_the_matrix_way_takes_images_whose_dense_matrix_is_refused():
    x = np.random.default_rng(0).standard_normal((128, 128))
    np.testing.assert_allclose(conv_transpose2d_by_matrix(x, W), conv_transpose2d(x, W), **CLOSE)


def test_inputs_stay_as_they_were():
    x, w, bias = np.ones((1, 2, 3, 3)), np.ones((2, 3, 3, 3)), np.ones(3)
    for array in (x, w, bias):
        array.flags.writeable = False  # writing to any of them would raise
    conv_transpose2d(x, w, bias)
    for way in WAYS:
        way(x, w, stride=2)


def test_insert_zeros():
    x = np.arange(1, 7).reshape(2, 3)
    assert insert_zeros(x, (3, 2)).tolist() == [[1, 0, 2, 0, 3], [0] * 5, [0] * 5, [4, 0, 5, 0, 6]]
    assert insert_zeros(x, 1).tolist() == x.tolist()
    assert insert_zeros(x[None, None].astype(np.float32), 2).dtype == np.float32
    assert insert_zeros(x[None, None], 2).shape == (1, 1, 3, 5)
    with pytest.raises(ValueError, match="stride: expected an int of at least 1, got 0"):
        insert_zeros(x, 0)
    with pytest.raises(ValueError, match=r"x: expected at least one number along each axis, got shape \(0, 3\)"):
        insert_zeros(np.ones((0, 3)), 2)
    with pytest.raises(ValueError, match="x: expected 2 axes"):
        insert_zeros([1, 2], 2)


@given(st.integers(1, 20), st.integers(1, 5), st.integers(1, 4), st.integers(0, 3), st.integers(1, 3))
def test_transposed_sizes_are_exactly_those_that_a_convolution_brings_to_this_size(size, kernel, stride, pad, dilation):
    def shrinks_to(n):
        try:
            return output_size(n, kernel, stride, pad, dilation)
        except ValueError:
            return 0

    found = []
    for more in range(stride):
        try:
            found.append(transposed_size(size, kernel, stride, pad, more, dilation))
        except ValueError as error:
            assert "leaves nothing" in str(error)
    assert found == [n for n in range(1, 120) if shrinks_to(n) == size]


@given(geometries())
def test_sizes_agree_with_the_operator(drawn):
    x, w, _, geometry = drawn
    along = zip(x.shape[2:], w.shape[2:], *geometry.values(), strict=True)
    assert conv_transpose2d(x, w, **geometry).shape[2:] == tuple(transposed_size(*axis) for axis in along)


def test_sizes_by_hand():
    assert transposed_size(2, 3) == 4
    assert transposed_size(28, 2, stride=2) == 56
    # d2l's layer: kernel 5, padding 2, stride 3. 16, 17 and 18 all become 6
    assert [output_size(n, 5, 3, 2) for n in (15, 16, 17, 18, 19)] == [5, 6, 6, 6, 7]
    assert [transposed_size(6, 5, 3, 2, more) for more in (0, 1, 2)] == [16, 17, 18]


@given(geometries())
def test_overlap_counts_are_a_transposed_convolution_of_ones(drawn):
    x, w, _, geometry = drawn
    rows, columns = (overlap_count(*along) for along in zip(x.shape[2:], w.shape[2:], *geometry.values(), strict=True))
    assert rows.dtype == np.int64
    counted = F.conv_transpose2d(torch.ones(1, 1, *x.shape[2:]), torch.ones(1, 1, *w.shape[2:]), **geometry)
    np.testing.assert_array_equal(np.outer(rows, columns), counted[0, 0].numpy())


def test_overlap_is_even_inside_when_the_stride_divides_the_kernel():
    assert overlap_count(4, 3, 2).tolist() == [1, 1, 2, 1, 2, 1, 2, 1, 1]
    assert overlap_count(4, 2, 2).tolist() == [1] * 8  # the U-Net's
    for stride in range(1, 5):
        for kernel in range(1, 13):
            inside = overlap_count(30, kernel, stride)[kernel - 1 : 1 - kernel or None]
            assert (len(set(inside.tolist())) == 1) == (kernel % stride == 0), (kernel, stride)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"x": np.ones(4)}, ValueError, r"x: expected 2 axes .* got shape \(4,\)"),
        ({"w": np.ones((1, 1, 3, 3))}, ValueError, r"w: expected as many axes as x, which has shape \(2, 2\), got"),
        ({"x": "a picture"}, TypeError, "x: expected real numbers, got str"),
        ({"w": np.ones((0, 3))}, ValueError, r"w: expected at least one number along each axis, got shape \(0, 3\)"),
        ({"stride": 0}, ValueError, "stride: expected an int of at least 1, got 0"),
        ({"stride": 1.5}, TypeError, "stride: expected an int, got 1.5"),
        ({"stride": (1, 2, 3)}, ValueError, r"stride: expected one int or a pair \(rows, columns\), got \(1, 2, 3\)"),
        ({"padding": -1}, ValueError, "padding: expected an int of at least 0, got -1"),
        ({"padding": 2}, ValueError, "padding: the stamps cover 4 pixels, and cutting 2 from each end leaves nothing"),
        ({"dilation": 0}, ValueError, "dilation: expected an int of at least 1, got 0"),
        ({"output_padding": 1}, ValueError, "output_padding: expected less than the stride of 1, got 1; .* to 2"),
        ({"stride": 2, "output_padding": (0, 2)}, ValueError, "output_padding: expected less than the stride of 2"),
        ({"output_padding": -1}, ValueError, "output_padding: expected an int of at least 0, got -1"),
    ],
)
def test_bad_input_is_named(way, arguments, error, message):
    with pytest.raises(error, match=message):
        way(**({"x": Y, "w": W} | arguments))


def test_bad_shapes_are_named():
    x, w = np.ones((2, 3, 6, 5)), np.ones((3, 4, 3, 3))
    for way in WAYS:
        with pytest.raises(
            ValueError, match=r"w: expected kernels for the 3 channels of x, got .* is for 4; .*w.shape\[0\]"
        ):
            way(x, w.swapaxes(0, 1))
    with pytest.raises(
        ValueError, match=r"bias: expected shape \(4,\), one number an output channel, got shape \(3,\)"
    ):
        conv_transpose2d(x, w, np.ones(3))
    with pytest.raises(ValueError, match=r"bias: expected shape \(4,\), .* got shape \(\)"):
        conv_transpose2d(x, w, 1.0)
    with pytest.raises(ValueError, match=r"bias: expected one number, got shape \(2,\)"):
        conv_transpose2d(Y, W, [1, 2])
    with pytest.raises(TypeError, match="bias: expected real numbers, got str"):
        conv_transpose2d(Y, W, "none")
    with pytest.raises(ValueError, match="kernel: expected an int of at least 1, got 0"):
        overlap_count(3, 0)
