"""Pooling and unpooling against PyTorch and against their adjoints, for geometry that hypothesis draws."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from tests.torch_or_skip import F, torch
from unet_edu.convolution import output_size
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
    pooled_size,
)

# float64 sums of at most 60 numbers near 1 are off by less than 1e-13; a wrong term is off by 1e-3 or more
CLOSE = {"rtol": 0, "atol": 1e-10}

# an input of our own, with its maxima where lesson 05's example has them
X = np.array([[0, -2, 2, 1], [-1, 1, -4, 0], [2, -3, 3, 1], [3, 0, -1, 4]])


def pairs(least, most):
    return st.tuples(st.integers(least, most), st.integers(least, most))


seeds = st.integers(0, 2**32 - 1)


@st.composite
def geometries(draw, is_average=False):
    """A pooling of any shape: x without ties and the keyword arguments, such that each window holds a number."""
    kernel, dilation = draw(pairs(1, 4)), (1, 1) if is_average else draw(pairs(1, 3))
    stride, ceil_mode = draw(st.none() | pairs(1, 4)), draw(st.booleans())
    padding = [draw(st.integers(0, k // 2)) for k in kernel]
    spans = [d * (k - 1) + 1 for k, d in zip(kernel, dilation, strict=True)]
    # from one less than the window: with ceil_mode that may still be enough, and PyTorch must agree when it is not
    least = [max(1, span - 2 * p - 1) for span, p in zip(spans, padding, strict=True)]
    size = [draw(st.integers(low, low + 7)) for low in least]
    shape = (draw(st.integers(1, 2)), draw(st.integers(1, 3)), *size)
    x = np.random.default_rng(draw(seeds)).permutation(np.prod(shape)).reshape(shape) - np.prod(shape) / 3
    geometry = {"kernel_size": kernel, "stride": stride, "padding": padding, "ceil_mode": ceil_mode}
    return x, geometry if is_average else geometry | {"dilation": dilation}


def pooled_by_torch(x, geometry):
    """PyTorch's maxima and indices, or None where it refuses."""
    try:
        y, indices = F.max_pool2d(torch.as_tensor(x), **geometry, return_indices=True)
    except RuntimeError as error:
        assert "too small" in str(error)
        return None
    return y.numpy(), indices.numpy()


def pooled(x, geometry):
    """Ours; a drawing in which some window meets padding alone is thrown away."""
    try:
        return max_pool2d(x, **geometry)
    except ValueError as error:
        assume("meet padding alone" not in str(error))
        assert "does not fit" in str(error)
        return None


@given(geometries())
def test_max_pooling_agrees_with_torch(drawn):
    x, geometry = drawn
    ours, theirs = pooled(x, geometry), pooled_by_torch(x, geometry)
    assert (ours is None) == (theirs is None)
    if ours is not None:
        np.testing.assert_array_equal(ours[0], theirs[0])
        np.testing.assert_array_equal(ours[1], theirs[1])
        np.testing.assert_array_equal(x.reshape(*x.shape[:2], -1)[0, 0][ours[1][0, 0]], ours[0][0, 0])


@given(st.integers(1, 4), st.integers(1, 5), st.integers(0, 5), st.integers(0, 5), seeds)
def test_loops_are_the_definition(kernel, stride, more_rows, more_columns, seed):
    """Also where numbers are equal: the first of them is taken."""
    x = np.random.default_rng(seed).integers(-3, 4, (kernel + more_rows, kernel + more_columns))
    for by_loops, fast in zip(max_pool2d_loops(x, kernel, stride), max_pool2d(x, kernel, stride), strict=True):
        np.testing.assert_array_equal(by_loops, fast)
    assert max_pool2d_loops(X, 2)[1].tolist() == max_pool2d(X, 2)[1].tolist()


@given(st.integers(1, 4), st.integers(1, 5), st.integers(0, 5), st.integers(0, 5), seeds)
def test_the_ways_back_by_loops_are_their_definitions(kernel, stride, more_rows, more_columns, seed):
    """Also where places are shared: of the numbers the last is kept, of the gradients the sum."""
    x = np.random.default_rng(seed).integers(-3, 4, (kernel + more_rows, kernel + more_columns))
    y, indices = max_pool2d(x, kernel, stride)
    for by_loops, fast in ((max_unpool2d_loops, max_unpool2d), (max_pool2d_grad_loops, max_pool2d_grad)):
        np.testing.assert_array_equal(by_loops(y, indices, x.shape), fast(y, indices, x.shape))


@given(geometries(), seeds)
def test_gradient_of_max_pooling_agrees_with_torch(drawn, seed):
    x, geometry = drawn
    ours = pooled(x, geometry)
    assume(ours is not None)
    dy = np.random.default_rng(seed).standard_normal(ours[0].shape)
    tensor = torch.tensor(x, requires_grad=True)
    F.max_pool2d(tensor, **geometry).backward(torch.tensor(dy))
    np.testing.assert_allclose(max_pool2d_grad(dy, ours[1], x.shape[2:]), tensor.grad.numpy(), **CLOSE)


@given(geometries(), seeds)
def test_unpooling_and_its_gradient_agree_with_torch(drawn, seed):
    x, geometry = drawn
    ours = pooled(x, geometry)
    assume(ours is not None)
    (y, indices), size = ours, x.shape[2:]
    # equal places hold equal numbers here, so it does not matter which of them stays
    values, places = torch.tensor(y, requires_grad=True), torch.tensor(indices)
    unpooled = torch.ops.aten.max_unpool2d(values, places, size)
    np.testing.assert_array_equal(max_unpool2d(y, indices, size), unpooled.detach().numpy())
    dx = np.random.default_rng(seed).standard_normal(x.shape)
    unpooled.backward(torch.tensor(dx))
    np.testing.assert_array_equal(max_unpool2d_grad(dx, indices), values.grad.numpy())


@given(geometries(), seeds)
def test_selection_and_its_adjoint(drawn, seed):
    """⟨S x, y⟩ = ⟨x, Sᵀ y⟩ for the places that x chose; and S x is the maxima."""
    x, geometry = drawn
    ours = pooled(x, geometry)
    assume(ours is not None)
    maxima, indices = ours
    rng = np.random.default_rng(seed)
    np.testing.assert_array_equal(max_unpool2d_grad(x, indices), maxima)
    other, y = rng.standard_normal(x.shape), rng.standard_normal(maxima.shape)
    back = max_pool2d_grad(y, indices, x.shape[2:])
    np.testing.assert_allclose(np.vdot(max_unpool2d_grad(other, indices), y), np.vdot(other, back), **CLOSE)


@given(geometries(), seeds)
def test_unpooling_is_the_adjoint_unless_places_are_shared(drawn, seed):
    x, geometry = drawn
    ours = pooled(x, geometry)
    assume(ours is not None)
    indices = ours[1]
    y = np.random.default_rng(seed).standard_normal(indices.shape)
    unpooled, adjoint = max_unpool2d(y, indices, x.shape[2:]), max_pool2d_grad(y, indices, x.shape[2:])
    planes = indices.reshape(-1, indices.shape[-2] * indices.shape[-1])
    is_shared = any(len(np.unique(plane)) < len(plane) for plane in planes)
    assert np.array_equal(unpooled, adjoint) != is_shared
    if not is_shared:  # S Sᵀ = I: what was put down is picked up again
        np.testing.assert_array_equal(max_unpool2d_grad(unpooled, indices), y)


@given(geometries(is_average=True), st.booleans(), seeds)
def test_average_pooling_agrees_with_torch_forwards_and_backwards(drawn, count_include_pad, seed):
    x, geometry = drawn
    geometry = geometry | {"count_include_pad": count_include_pad}
    tensor = torch.tensor(x, requires_grad=True)
    try:
        expected = F.avg_pool2d(tensor, **geometry)
    except RuntimeError as error:
        assert "too small" in str(error)
        with pytest.raises(ValueError, match="does not fit"):
            avg_pool2d(x, **geometry)
        return
    y = avg_pool2d(x, **geometry)
    np.testing.assert_allclose(y, expected.detach().numpy(), **CLOSE)
    dy = np.random.default_rng(seed).standard_normal(y.shape)
    expected.backward(torch.tensor(dy))
    np.testing.assert_allclose(avg_pool2d_grad(dy, size=x.shape[2:], **geometry), tensor.grad.numpy(), **CLOSE)


def test_worked_example():
    y, indices = max_pool2d(X, 2)
    assert y.tolist() == [[1, 2], [3, 4]]
    assert indices.tolist() == [[5, 2], [12, 15]]
    expected = [[0, 0, 2, 0], [0, 1, 0, 0], [0, 0, 0, 0], [3, 0, 0, 4]]
    assert max_unpool2d([[1, 2], [3, 4]], indices, (4, 4)).tolist() == expected
    assert max_pool2d_grad([[1, 2], [3, 4]], indices, (4, 4)).tolist() == expected
    assert max_unpool2d_grad(X, indices).tolist() == y.tolist()


def test_negative_example():
    x = [[-1, -3, 4, 4], [-2, -5, 4, 1], [7, 0, -6, -8], [2, 9, -7, -9]]
    y, indices = max_pool2d(x, 2)
    assert y.tolist() == [[-1, 4], [9, -6]]
    assert indices[:, 0].tolist() == [0, 13] and indices[1, 1] == 10
    assert indices[0, 1] == 2  # three fours: the first in row-major order


def test_windows_that_overlap_share_a_place():
    x = np.zeros((4, 4))
    x[1, 1] = 1
    y, indices = max_pool2d(x, 3, stride=1)
    assert indices.tolist() == [[5, 5], [5, 5]]
    values = np.array([[1.0, 2.0], [3.0, 4.0]])
    assert max_unpool2d(values, indices, (4, 4))[1, 1] == 4  # the last
    assert max_pool2d_grad(values, indices, (4, 4))[1, 1] == 10  # all
    assert max_unpool2d_grad(x, indices).tolist() == y.tolist() == [[1, 1], [1, 1]]


def test_max_pooling_is_not_linear():
    a, b = X, X[::-1]
    assert (max_pool2d(a + b, 2)[0] != max_pool2d(a, 2)[0] + max_pool2d(b, 2)[0]).any()
    assert (max_pool2d(-a, 2)[0] != -max_pool2d(a, 2)[0]).any()


def test_average_pooling_by_hand():
    assert avg_pool2d(X, 2).tolist() == [[-0.5, -0.25], [0.5, 1.75]]
    assert avg_pool2d(np.ones((3, 3)), 3, 1, padding=1)[0].tolist() == pytest.approx([4 / 9, 6 / 9, 4 / 9])
    assert (avg_pool2d(np.ones((3, 3)), 3, 1, padding=1, count_include_pad=False) == 1).all()
    assert (avg_pool2d(np.ones((5, 5)), 2, ceil_mode=True) == 1).all()
    assert avg_pool2d_grad([[4.0]], 2, (3, 3)).tolist() == [[1, 1, 0], [1, 1, 0], [0, 0, 0]]


@given(st.integers(1, 20), st.integers(1, 5), st.integers(1, 6), st.data(), st.integers(1, 3))
def test_pooled_size_counts_windows(size, kernel, stride, data, dilation):
    padding = data.draw(st.integers(0, kernel // 2))
    starts = range(0, size + 2 * padding - dilation * (kernel - 1), stride)
    if len(starts):
        assert pooled_size(size, kernel, stride, padding, dilation) == len(starts)
        assert len(starts) == output_size(size, kernel, stride, padding, dilation)
        more = pooled_size(size, kernel, stride, padding, dilation, ceil_mode=True) - len(starts)
        is_cell_left = starts[-1] + dilation * (kernel - 1) < size + 2 * padding - 1
        assert more == (is_cell_left and starts[-1] + stride < size + padding)
    else:
        with pytest.raises(ValueError, match="does not fit"):
            pooled_size(size, kernel, stride, padding, dilation)


@pytest.mark.parametrize("dtype", [np.uint8, np.int8, np.int64, np.float16, np.float32, np.float64, bool])
def test_types_stay(dtype):
    x = np.arange(16).reshape(4, 4).astype(dtype)
    y, indices = max_pool2d(x, 2)
    assert (y.dtype, indices.dtype) == (dtype, np.int64)
    assert max_unpool2d(y, indices, (4, 4)).dtype == max_unpool2d_grad(x, indices).dtype == dtype
    summed = max_pool2d_grad(y, indices, (4, 4)).dtype
    assert summed == (dtype if np.dtype(dtype).kind == "f" else np.int64)
    mean = dtype if np.dtype(dtype).kind == "f" else np.float64
    assert avg_pool2d(x, 2).dtype == avg_pool2d_grad(y, 2, (4, 4)).dtype == mean


def test_numbers_do_not_wrap_around():
    bytes_ = np.full((2, 2), 200, np.uint8)
    assert max_pool2d_grad(bytes_, np.zeros((2, 2), int), (2, 2))[0, 0] == 800
    assert avg_pool2d(bytes_, 2).tolist() == [[200]]


@pytest.mark.parametrize("lowest", [0, -np.inf, np.iinfo(np.int8).min, False])
def test_padding_never_wins(lowest):
    """Not even against the least number that there is: all places lie in the image."""
    x = np.full((3, 3), lowest, np.int8 if lowest == -128 else None)
    y, indices = max_pool2d(x, 3, 1, padding=1)
    assert (y == lowest).all()
    assert indices.tolist() == [[0, 0, 1], [0, 0, 1], [3, 3, 4]]
    _, indices = max_pool2d(x, (3, 2), padding=(1, 0), ceil_mode=True)
    assert indices.tolist() == [[0, 2], [6, 8]]
    # with a distance of 2 between taps, one tap and not two lies in a padding of 2
    _, indices = max_pool2d(np.full((6, 6), lowest, x.dtype), 4, 1, padding=2, dilation=2)
    assert indices.tolist() == [[6 * row + column for column in (0, 1, 0, 1)] for row in (0, 1, 0, 1)]


def test_large_windows_remember_their_last_tap():
    """One of 17×17 has more taps than a byte can number."""
    x = np.arange(400.0).reshape(20, 20)
    assert max_pool2d(x, 17, 1)[1].tolist() == [
        [20 * row + column for column in range(16, 20)] for row in range(16, 20)
    ]


@pytest.mark.parametrize("dtype", [np.uint8, np.int32, np.uint64])
def test_indices_may_be_any_ints(dtype):
    y, indices = max_pool2d(np.stack([X, X[::-1]])[None], 2)
    kept = indices.astype(dtype)
    np.testing.assert_array_equal(max_unpool2d(y, kept, 4), max_unpool2d(y, indices, 4))
    np.testing.assert_array_equal(max_pool2d_grad(y, kept, 4), max_pool2d_grad(y, indices, 4))
    np.testing.assert_array_equal(max_unpool2d_grad(np.ones((1, 2, 4, 4)), kept), np.ones((1, 2, 2, 2)))


def test_nan_wins_in_every_window_that_holds_it_as_in_torch():
    x = np.arange(36.0).reshape(6, 6)
    x[1, 1], x[4, 2] = np.nan, np.nan
    y, indices = max_pool2d(x, 3, 1)
    theirs = F.max_pool2d(torch.tensor(x)[None, None], 3, 1, return_indices=True)
    np.testing.assert_array_equal(y, theirs[0][0, 0].numpy())
    np.testing.assert_array_equal(indices, theirs[1][0, 0].numpy())
    assert np.argwhere(np.isnan(avg_pool2d(x, 2))).tolist() == [[0, 0], [2, 1]]


@pytest.mark.parametrize("kind", ["array", "tensor"])
def test_planes_batches_and_tensors_agree(kind):
    y, indices = max_pool2d(X, 2)
    for batch in (X[None, None],) if kind == "array" else (torch.tensor(X)[None, None],):
        many, places = max_pool2d(batch, 2)
        np.testing.assert_array_equal(many[0, 0], y)
        np.testing.assert_array_equal(places[0, 0], indices)
    np.testing.assert_array_equal(max_pool2d_grad(many, places, 4)[0, 0], max_pool2d_grad(y, indices, 4))
    np.testing.assert_array_equal(max_unpool2d(many, places, 4)[0, 0], max_unpool2d(y, indices, 4))
    np.testing.assert_array_equal(max_unpool2d_grad(X[None, None], places)[0, 0], max_unpool2d_grad(X, indices))
    np.testing.assert_array_equal(avg_pool2d(X[None, None], 2)[0, 0], avg_pool2d(X, 2))
    np.testing.assert_array_equal(avg_pool2d_grad(many, 2, 4)[0, 0], avg_pool2d_grad(y, 2, 4))


def test_an_empty_batch_stays_empty():
    y, indices = max_pool2d(np.zeros((0, 3, 4, 6)), 2)
    assert y.shape == indices.shape == (0, 3, 2, 3)
    assert max_unpool2d(y, indices, (4, 6)).shape == max_pool2d_grad(y, indices, (4, 6)).shape == (0, 3, 4, 6)
    assert max_unpool2d_grad(np.zeros((0, 3, 4, 6)), indices).shape == (0, 3, 2, 3)
    assert avg_pool2d(np.zeros((0, 3, 4, 6)), 2).shape == (0, 3, 2, 3)
    assert avg_pool2d_grad(y, 2, (4, 6)).shape == (0, 3, 4, 6)


def test_inputs_stay_as_they_were():
    x = X.astype(float)
    y, indices = max_pool2d(x, 2)
    for array in (x, y, indices):
        array.flags.writeable = False  # writing to any of them would raise
    max_pool2d(x, 2, padding=1)
    max_pool2d_grad(y, indices, (4, 4))
    max_unpool2d(y, indices, (4, 4))
    max_unpool2d_grad(x, indices)
    avg_pool2d(x, 2)
    avg_pool2d_grad(y, 2, (4, 4))


def test_unpooling_to_the_wrong_size_says_what_to_pass():
    y, indices = max_pool2d(np.arange(25).reshape(5, 5), 2)
    assert indices.tolist() == [[6, 8], [16, 18]]
    with pytest.raises(ValueError, match=r"indices: 18 is no place of a 4×4 plane.* 0 to 15.* pass size=\(5, 5\)"):
        max_unpool2d(y, indices, (4, 4))
    assert max_unpool2d(y, indices, size=(5, 5))[3, 3] == 18


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"x": np.ones(4)}, ValueError, r"x: expected 2 axes .* got shape \(4,\)"),
        ({"x": "a picture"}, TypeError, "x: expected real numbers, got str"),
        ({"x": np.ones((0, 4))}, ValueError, r"x: expected at least one number along each axis, got shape \(0, 4\)"),
        ({"x": np.ones((1, 0, 4, 4))}, ValueError, r"x: expected at least one number .* got shape \(1, 0, 4, 4\)"),
        ({"kernel_size": 5}, ValueError, r"kernel_size: a kernel of 5 .* spans 5 pixels and does not fit into 4"),
        ({"kernel_size": 0}, ValueError, "kernel_size: expected an int of at least 1, got 0"),
        ({"kernel_size": 1.5}, TypeError, "kernel_size: expected an int, got 1.5"),
        ({"kernel_size": (2, 2, 2)}, ValueError, r"kernel_size: expected one int or a pair"),
        ({"stride": 0}, ValueError, "stride: expected an int of at least 1, got 0"),
        ({"padding": 2}, ValueError, r"padding: expected at most 1, half of the kernel of 2, got 2; with more"),
        ({"kernel_size": 3, "padding": (1, 2)}, ValueError, "padding: expected at most 1, half of the kernel of 3"),
        ({"padding": -1}, ValueError, "padding: expected an int of at least 0, got -1"),
        ({"dilation": 0}, ValueError, "dilation: expected an int of at least 1, got 0"),
        ({"dilation": 5, "padding": 1}, ValueError, "dilation: with 5 and a padding of 1, .* all 4 .*padding alone"),
    ],
)
def test_bad_input_to_max_pooling_is_named(arguments, error, message):
    with pytest.raises(error, match=message):
        max_pool2d(**({"x": X, "kernel_size": 2} | arguments))


@pytest.mark.parametrize("function", [max_unpool2d, max_pool2d_grad])
@pytest.mark.parametrize(
    ("indices", "size", "error", "message"),
    [
        ([[0, 1]], 4, ValueError, r"indices: expected shape \(2, 2\), one index for each number, got \(1, 2\)"),
        ([[0.0, 1], [2, 3]], 4, TypeError, "indices: expected ints, as max_pool2d gives them, got type float64"),
        ([[-1, 1], [2, 3]], 4, ValueError, r"indices: -1 is no place of a 4×4 plane, which has 0 to 15"),
        ([[0, 1], [2, 6]], (3, 2), ValueError, r"indices: 6 is no place of a 3×2 plane, .* pass size=\(4, 3\)"),
        ([[0, 1], [2, 3]], (4, 4, 4), ValueError, r"size: expected one int or a pair \(rows, columns\)"),
        ([[0, 1], [2, 3]], 0, ValueError, "size: expected an int of at least 1, got 0"),
    ],
)
def test_bad_indices_are_named(function, indices, size, error, message):
    with pytest.raises(error, match=message):
        function([[1.0, 2.0], [3.0, 4.0]], indices, size)


def test_bad_shapes_are_named():
    with pytest.raises(ValueError, match=r"indices: expected shape \(1, 1, 2, 2\), .* got \(2, 2\)"):
        max_unpool2d(np.ones((1, 1, 2, 2)), np.ones((2, 2), int), 4)
    with pytest.raises(ValueError, match=r"indices: expected two axes, as dx has, got shape \(1, 1, 2, 2\)"):
        max_unpool2d_grad(np.ones((4, 4)), np.ones((1, 1, 2, 2), int))
    with pytest.raises(ValueError, match=r"indices: expected shape \(1, 3, …\), as dx has, got shape \(1, 2, 2, 2\)"):
        max_unpool2d_grad(np.ones((1, 3, 4, 4)), np.ones((1, 2, 2, 2), int))
    with pytest.raises(ValueError, match=r"indices: 16 is no place of a 4×4 plane"):
        max_unpool2d_grad(np.ones((4, 4)), [[16]])
    with pytest.raises(ValueError, match=r"dy: expected shape \(2, 2\) for these sizes, got \(3, 2\)"):
        avg_pool2d_grad(np.ones((3, 2)), 2, 4)
    with pytest.raises(ValueError, match="padding: expected at most 1"):
        avg_pool2d(X, 2, padding=2)
