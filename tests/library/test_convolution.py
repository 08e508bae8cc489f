"""conv2d against PyTorch and its own definition, for geometry that hypothesis draws. Adjoints: test_adjoints.py."""

import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.torch_or_skip import F, torch
from unet_edu import convolution
from unet_edu._bands import slices
from unet_edu.convolution import (
    conv2d,
    conv2d_grad_bias,
    conv2d_grad_input,
    conv2d_grad_weight,
    conv2d_loops,
    output_size,
    receptive_field,
)

# float64 sums of at most 3·3·3 products of numbers near 1 are off by less than 1e-13; a wrong term by 1e-3 or more
CLOSE = {"rtol": 0, "atol": 1e-10}

X = np.array([[4, 5, 8, 7], [1, 8, 8, 8], [3, 6, 6, 4], [6, 5, 7, 8]])
W = np.array([[1, 4, 1], [1, 4, 3], [3, 3, 1]])


def pairs(least, most):
    return st.tuples(st.integers(least, most), st.integers(least, most))


@st.composite
def geometries(draw):
    """A convolution of any shape: x, w, bias and the keyword arguments, such that at least one window fits."""
    N, C_in, C_out = draw(st.integers(1, 2)), draw(st.integers(1, 3)), draw(st.integers(1, 3))
    kernel, padding, dilation = draw(pairs(1, 3)), draw(pairs(0, 2)), draw(pairs(1, 3))
    least = [max(1, d * (k - 1) + 1 - 2 * p) for k, p, d in zip(kernel, padding, dilation, strict=True)]
    size = [draw(st.integers(low, low + 6)) for low in least]
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    x, w = rng.standard_normal((N, C_in, *size)), rng.standard_normal((C_out, C_in, *kernel))
    return x, w, rng.standard_normal(C_out), {"stride": draw(pairs(1, 3)), "padding": padding, "dilation": dilation}


def torch_gradients(x, w, bias, geometry, rng):
    """PyTorch's output and its gradients for a random gradient dy of the output."""
    tensors = [torch.tensor(a, requires_grad=True) for a in (x, w, bias)]
    y = F.conv2d(*tensors, **geometry)
    dy = rng.standard_normal(y.shape)
    y.backward(torch.tensor(dy))
    return y.detach().numpy(), dy, [t.grad.numpy() for t in tensors]


@given(geometries(), st.integers(0, 2**32 - 1))
def test_agrees_with_torch_forwards_and_backwards(drawn, seed):
    x, w, bias, geometry = drawn
    y, dy, (dx, dw, db) = torch_gradients(x, w, bias, geometry, np.random.default_rng(seed))
    np.testing.assert_allclose(conv2d(x, w, bias, **geometry), y, **CLOSE)
    np.testing.assert_allclose(conv2d_grad_input(dy, w, x.shape[2:], **geometry), dx, **CLOSE)
    np.testing.assert_allclose(conv2d_grad_weight(dy, x, w.shape[2:], **geometry), dw, **CLOSE)
    np.testing.assert_allclose(conv2d_grad_bias(dy), db, **CLOSE)


@given(geometries())
def test_bands_change_nothing(drawn):
    """However many rows are unrolled at a time, the answer is the same."""
    x, w, bias, geometry = drawn
    whole = conv2d(x, w, bias, **geometry)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(convolution, "BAND_BYTES", 1)
        np.testing.assert_allclose(conv2d(x, w, bias, **geometry), whole, **CLOSE)


def test_bands_cover_all_rows_once_and_keep_to_their_size():
    bands = list(slices(100, 25, limit=100))
    assert [row for band in bands for row in range(100)[band]] == list(range(100))
    assert {len(range(100)[band]) for band in bands} == {4}


@pytest.mark.parametrize("batch", [1, 3])
def test_unrolling_needs_little_memory(batch):
    """Nine columns of every image at once would take nine times the images' memory."""
    x, w = np.ones((batch, 1, 600, 600), np.float32), np.ones((1, 1, 3, 3), np.float32)
    dy = np.ones((batch, 1, 598, 598), np.float32)
    for call in (
        lambda: conv2d(x, w),
        lambda: conv2d_grad_input(dy, w, (600, 600)),
        lambda: conv2d_grad_weight(dy, x, (3, 3)),
    ):
        tracemalloc.start()
        call()
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert peak < 4 * x.nbytes


@given(st.integers(1, 4), st.integers(1, 4), st.integers(0, 6), st.integers(0, 6), st.integers(0, 2**32 - 1))
def test_loops_are_the_definition(kH, kW, more_rows, more_columns, seed):
    rng = np.random.default_rng(seed)
    x, w = rng.standard_normal((kH + more_rows, kW + more_columns)), rng.standard_normal((kH, kW))
    np.testing.assert_allclose(conv2d_loops(x, w), conv2d(x, w), **CLOSE)


def test_worked_example():
    assert conv2d(X, W).tolist() == conv2d_loops(X, W).tolist() == [[122, 148], [126, 134]]
    assert conv2d(X, W[::-1, ::-1]).tolist() == [[119, 148], [121, 143]]  # what a flipped kernel would give


def test_planes_and_batches_agree():
    dy = np.array([[2.0, 1.0], [4.0, 4.0]])
    np.testing.assert_array_equal(
        conv2d(X, W, 3, padding=1), conv2d(X[None, None], W[None, None], [3], padding=1)[0, 0]
    )
    assert conv2d_grad_input(dy, W, (4, 4)).tolist() == [
        [2, 9, 6, 1],
        [6, 29, 30, 7],
        [10, 29, 33, 13],
        [12, 24, 16, 4],
    ]
    np.testing.assert_array_equal(
        conv2d_grad_weight(dy, X, (3, 3)), conv2d_grad_weight(dy[None, None], X[None, None], (3, 3))[0, 0]
    )
    assert conv2d_grad_bias(dy) == 11


def test_types():
    assert conv2d(np.full((2, 2), 200, np.uint8), np.ones((2, 2), np.uint8)).tolist() == [[800]]  # no wrap at 256
    assert conv2d(X > 4, W > 1).dtype == np.int64
    assert conv2d(X.astype(np.float32), W.astype(np.float32)).dtype == np.float32
    assert conv2d(X.astype(np.float32), W.astype(np.float32), 0.5).dtype == np.float32
    assert conv2d(X, W, 0.5).tolist() == [[122.5, 148.5], [126.5, 134.5]]
    assert conv2d(X, W, np.array(3)).tolist() == [[125, 151], [129, 137]]
    assert conv2d(X, W, stride=np.array(2), padding=np.array([1, 0])).shape == (2, 1)
    assert conv2d(np.zeros((0, 1, 4, 4)), W[None, None]).shape == (0, 1, 2, 2)
    assert conv2d(torch.tensor(X), torch.tensor(W)).tolist() == [[122, 148], [126, 134]]


def test_gradients_have_the_types_of_their_operands():
    for kind, expected in ((np.float32, np.float32), (np.float64, np.float64), (np.uint8, np.int64), (bool, np.int64)):
        dy, w, x = np.ones((2, 2), kind), np.ones((3, 3), kind), np.ones((4, 4), kind)
        assert conv2d_grad_input(dy, w, (4, 4)).dtype == expected
        assert conv2d_grad_weight(dy, x, (3, 3)).dtype == expected
        assert conv2d_grad_bias(dy[None, None]).dtype == expected
    big = np.full((1, 1, 20, 20), 200, np.uint8)
    assert conv2d_grad_bias(big).tolist() == [80_000]
    assert conv2d_grad_weight(big[..., :18, :18], big, (3, 3)).max() == 18 * 18 * 200 * 200


def test_nan_reaches_the_windows_that_see_it_and_no_others():
    x = np.ones((5, 5))
    x[0, 0] = np.nan
    assert np.argwhere(np.isnan(conv2d(x, np.ones((3, 3))))).tolist() == [[0, 0]]


def test_inputs_stay_as_they_were():
    x, w, bias = np.ones((1, 2, 5, 5)), np.ones((3, 2, 3, 3)), np.ones(3)
    for array in (x, w, bias):
        array.flags.writeable = False  # writing to any of them would raise
    y = conv2d(x, w, bias)
    conv2d_grad_input(y, w, (5, 5))
    conv2d_grad_weight(y, x, (3, 3))


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"x": np.ones(4)}, ValueError, r"x: expected 2 axes .* got shape \(4,\)"),
        ({"x": np.ones((2, 4, 4))}, ValueError, r"x: expected 2 axes .* got shape \(2, 4, 4\)"),
        ({"w": np.ones((1, 1, 3, 3))}, ValueError, r"w: expected as many axes as x, which has shape \(4, 4\), got"),
        ({"x": "a picture"}, TypeError, "x: expected real numbers, got str"),
        ({"x": [[1, 2], [3]]}, ValueError, "x: expected an array, got rows of different lengths"),
        ({"w": np.ones((3, 3), complex)}, TypeError, "w: expected real numbers, got ndarray of type complex128"),
        ({"w": None}, TypeError, "w: expected real numbers, got NoneType"),
        ({"w": np.ones((0, 3))}, ValueError, r"w: expected at least one number along each axis, got shape \(0, 3\)"),
        ({"w": np.ones((5, 5))}, ValueError, r"kernel: .* spans 5 pixels and does not fit into 4 .*more padding"),
        ({"dilation": 2}, ValueError, r"kernel: .*dilation 2 spans 5 pixels and does not fit into 4"),
        ({"bias": [1, 2]}, ValueError, r"bias: expected one number, got shape \(2,\)"),
        ({"bias": "none"}, TypeError, "bias: expected real numbers, got str"),
        ({"stride": 0}, ValueError, "stride: expected an int of at least 1, got 0"),
        ({"stride": {1, 2}}, TypeError, r"stride: expected an int, got \{1, 2\}"),
        ({"stride": b"ab"}, TypeError, "stride: expected an int, got b'ab'"),
        ({"w": np.ones((5, 5)), "stride": 2}, ValueError, "spans 5 pixels"),
        (
            {"x": np.ones((1, 0, 4, 4)), "w": W[None, None]},
            ValueError,
            r"x: expected at least .* got shape \(1, 0, 4, 4\)",
        ),
        ({"x": X[None, None], "w": np.ones((0, 1, 3, 3))}, ValueError, r"w: expected at least .* \(0, 1, 3, 3\)"),
        ({"w": np.ones((9, 9)), "padding": 1}, ValueError, "does not fit into 6 "),
        ({"stride": 1.5}, TypeError, "stride: expected an int, got 1.5"),
        ({"stride": (1, 2, 3)}, ValueError, r"stride: expected one int or a pair \(rows, columns\), got \(1, 2, 3\)"),
        ({"padding": -1}, ValueError, "padding: expected an int of at least 0, got -1"),
        ({"padding": "same"}, TypeError, "padding: expected an int, got 'same'"),
        ({"dilation": (1, 0)}, ValueError, "dilation: expected an int of at least 1, got 0"),
    ],
)
def test_bad_input_is_named(arguments, error, message):
    with pytest.raises(error, match=message):
        conv2d(**({"x": X, "w": W} | arguments))


def test_a_tensor_that_asks_for_gradients_is_named():
    x = torch.ones(4, 4, requires_grad=True)
    with pytest.raises(TypeError, match="x: expected an array, got Tensor .*detach"):
        conv2d(x, W)


def test_bad_shapes_are_named():
    x, w = np.ones((2, 3, 6, 5)), np.ones((4, 3, 3, 3))
    with pytest.raises(ValueError, match=r"w: expected kernels for the 3 channels of x, got shape \(4, 2, 3, 3\)"):
        conv2d(x, w[:, :2])
    with pytest.raises(
        ValueError, match=r"bias: expected shape \(4,\), one number an output channel, got shape \(3,\)"
    ):
        conv2d(x, w, np.ones(3))
    with pytest.raises(ValueError, match=r"dy: expected shape \(2, 4, 4, 3\) for these sizes, got \(2, 4, 3, 3\)"):
        conv2d_grad_input(np.ones((2, 4, 3, 3)), w, (6, 5))
    with pytest.raises(ValueError, match=r"dy: expected shape \(4, 4\) for these sizes, got \(3, 4\)"):
        conv2d_grad_input(np.ones((3, 4)), W, (6, 6))
    with pytest.raises(ValueError, match="kernel_size: expected an int of at least 1, got 0"):
        conv2d_grad_weight(np.ones((2, 4, 4, 3)), x, 0)
    with pytest.raises(ValueError, match="size: expected an int of at least 1, got 0"):
        conv2d_grad_input(np.ones((2, 4, 4, 3)), w, (0, 5))
    with pytest.raises(ValueError, match="dy: expected 2 axes"):
        conv2d_grad_bias([1, 2])
    with pytest.raises(ValueError, match=r"dy: expected shape \(2, 4, 4, 3\) for these sizes, got \(1, 4, 4, 3\)"):
        conv2d_grad_weight(np.ones((1, 4, 4, 3)), x, (3, 3))


@given(st.integers(1, 20), st.integers(1, 5), st.integers(1, 4), st.integers(0, 3), st.integers(1, 3))
def test_output_size_counts_windows(size, kernel, stride, padding, dilation):
    span = dilation * (kernel - 1) + 1
    starts = range(0, size + 2 * padding - span + 1, stride)
    if len(starts):
        assert output_size(size, kernel, stride, padding, dilation) == len(starts)
    else:
        with pytest.raises(ValueError, match="does not fit"):
            output_size(size, kernel, stride, padding, dilation)


@given(
    st.lists(st.tuples(st.integers(1, 4), st.integers(1, 3), st.integers(0, 2), st.integers(1, 3)), max_size=4),
    st.integers(0, 3),
)
def test_receptive_field_is_all_that_an_output_reads(layers, n):
    reads = {n}
    for kernel, stride, padding, dilation in reversed(layers):
        reads = {place * stride - padding + tap * dilation for place in reads for tap in range(kernel)}
    size, jump, start = receptive_field(layers)
    assert (min(reads), max(reads)) == (start + n * jump, start + n * jump + size - 1)


def test_receptive_field_by_hand():
    assert receptive_field([]) == (1, 1, 0)
    assert [receptive_field([(3,)] * n).size for n in (1, 2, 3)] == [3, 5, 7]
    assert receptive_field([(3, 2, 1), (3, 2, 1)]) == (7, 4, -3)
    assert receptive_field([(3, 1, 0, 2)]) == (5, 1, 0)
    # a U-Net's way down: two 3×3 and a 2×2 pooling of stride 2, four times
    down = [(3, 1), (3, 1), (2, 2)] * 4
    assert [receptive_field(down[: 3 * n]).size for n in (1, 2, 3, 4)] == [6, 16, 36, 76]
    assert receptive_field(down + [(3, 1), (3, 1)]).size == 140


def test_receptive_field_names_the_bad_layer():
    with pytest.raises(TypeError, match=r"layers\[1\]: expected \(kernel, stride, padding, dilation\) .* got 3"):
        receptive_field([(3, 1), 3])
    with pytest.raises(ValueError, match=r"layers\[0\] stride: expected an int of at least 1, got 0"):
        receptive_field([(3, 0)])
    with pytest.raises(TypeError, match=r"layers\[0\]"):
        receptive_field([()])
