"""The matrices against the operators that they stand for, for geometry that hypothesis draws."""

import tracemalloc

import numpy as np
import pytest
import scipy.sparse
from hypothesis import given
from hypothesis import strategies as st

from unet_edu import matrix
from unet_edu.convolution import conv2d, conv2d_grad_input
from unet_edu.interpolation import axis_matrix, bed_of_nails, interpolate
from unet_edu.matrix import conv2d_matrix, conv2d_matrix_loops, max_pool2d_matrix
from unet_edu.pooling import max_pool2d, max_pool2d_grad, max_unpool2d
from unet_edu.transposed import conv_transpose2d

# float64 sums of at most 27 products of numbers near 1 are off by less than 1e-13; a wrong term is off by 1e-3 or more
CLOSE = {"rtol": 0, "atol": 1e-10}

X = np.array([[4, 5, 8, 7], [1, 8, 8, 8], [3, 6, 6, 4], [6, 5, 7, 8]])
W = np.array([[1, 4, 1], [1, 4, 3], [3, 3, 1]])
SEEDS = st.integers(0, 2**32 - 1)


def pairs(least, most):
    return st.tuples(st.integers(least, most), st.integers(least, most))


@st.composite
def geometries(draw):
    """A convolution of any shape: w, the input's size and the keyword arguments, such that at least one window fits."""
    C_in, C_out = draw(st.integers(1, 3)), draw(st.integers(1, 3))
    kernel, padding, dilation = draw(pairs(1, 3)), draw(pairs(0, 2)), draw(pairs(1, 3))
    least = [max(1, d * (k - 1) + 1 - 2 * p) for k, p, d in zip(kernel, padding, dilation, strict=True)]
    size = tuple(draw(st.integers(low, low + 5)) for low in least)
    w = np.random.default_rng(draw(SEEDS)).standard_normal((C_out, C_in, *kernel))
    return w, size, {"stride": draw(pairs(1, 3)), "padding": padding, "dilation": dilation}


@given(geometries(), SEEDS)
def test_convolution_matrix_is_convolution_and_its_transpose_the_adjoint(drawn, seed):
    w, size, geometry = drawn
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((1, w.shape[1], *size))
    y = conv2d(x, w, **geometry)
    dy = rng.standard_normal(y.shape)
    A = conv2d_matrix(w, size, **geometry)
    assert A.shape == (y.size, x.size)
    np.testing.assert_allclose(A @ x.ravel(), y.ravel(), **CLOSE)
    np.testing.assert_allclose(A.T @ dy.ravel(), conv2d_grad_input(dy, w, size, **geometry).ravel(), **CLOSE)


@given(pairs(1, 3), pairs(0, 4), SEEDS)
def test_the_definition_by_loops_gives_the_same_matrix(kernel, more, seed):
    w = np.random.default_rng(seed).standard_normal(kernel)
    size = (kernel[0] + more[0], kernel[1] + more[1])
    np.testing.assert_array_equal(conv2d_matrix_loops(w, size), conv2d_matrix(w, size))


@given(geometries())
def test_sparse_and_dense_are_the_same_matrix(drawn):
    w, size, geometry = drawn
    thin = conv2d_matrix(w, size, **geometry, sparse=True)
    assert isinstance(thin, scipy.sparse.csr_array)
    assert thin.has_canonical_format
    np.testing.assert_array_equal(thin.toarray(), conv2d_matrix(w, size, **geometry))


def test_worked_example():
    A = conv2d_matrix(W, (4, 4))
    assert A.tolist() == [
        [1, 4, 1, 0, 1, 4, 3, 0, 3, 3, 1, 0, 0, 0, 0, 0],
        [0, 1, 4, 1, 0, 1, 4, 3, 0, 3, 3, 1, 0, 0, 0, 0],
        [0, 0, 0, 0, 1, 4, 1, 0, 1, 4, 3, 0, 3, 3, 1, 0],
        [0, 0, 0, 0, 0, 1, 4, 1, 0, 1, 4, 3, 0, 3, 3, 1],
    ]
    assert (A @ X.ravel()).tolist() == [122, 148, 126, 134]
    assert (A.T @ [2, 1, 4, 4]).tolist() == [2, 9, 6, 1, 6, 29, 30, 7, 10, 29, 33, 13, 12, 24, 16, 4]


def test_a_row_shows_padding_channels_and_stride():
    assert conv2d_matrix([[1, 2, 3]], (1, 3), padding=(0, 1)).tolist() == [[2, 3, 0], [1, 2, 3], [0, 1, 2]]
    assert conv2d_matrix([[1, 2]], (1, 4), stride=2).tolist() == [[1, 2, 0, 0], [0, 0, 1, 2]]
    w = np.array([[[[1]], [[2]]], [[[3]], [[4]]], [[[5]], [[6]]]])  # 1×1, from 2 channels to 3
    assert conv2d_matrix(w, (1, 2)).tolist() == [
        [1, 0, 2, 0],
        [0, 1, 0, 2],
        [3, 0, 4, 0],
        [0, 3, 0, 4],
        [5, 0, 6, 0],
        [0, 5, 0, 6],
    ]


@pytest.mark.parametrize("sparse", [False, True])
def test_types(sparse):
    assert conv2d_matrix(np.ones((2, 2), np.float16), (3, 3), sparse=sparse).dtype == np.float16
    for kind, expected in ((np.float32, np.float32), (np.float64, np.float64), (np.uint8, np.int64), (bool, np.int64)):
        assert conv2d_matrix(np.ones((2, 2), kind), (3, 3), sparse=sparse).dtype == expected
    x = np.full(9, 200, np.uint8)
    assert (conv2d_matrix(np.full((2, 2), 200, np.uint8), 3, sparse=sparse) @ x).tolist() == [160_000] * 4


@st.composite
def poolings(draw):
    """An image batch and a pooling of it: overlapping, exact or with gaps."""
    kernel, stride = draw(pairs(1, 3)), draw(pairs(1, 4))
    size = tuple(draw(st.integers(k, k + 5)) for k in kernel)
    x = np.random.default_rng(draw(SEEDS)).standard_normal((draw(st.integers(1, 2)), draw(st.integers(1, 3)), *size))
    return x, kernel, stride


@given(poolings(), SEEDS)
def test_selection_is_pooling_and_its_transpose_the_gradient(drawn, seed):
    x, kernel, stride = drawn
    y, indices = max_pool2d(x, kernel, stride)
    S = max_pool2d_matrix(indices, x.shape[2:])
    np.testing.assert_array_equal(S @ x.ravel(), y.ravel())
    assert (S.sum(axis=1) == 1).all()
    dy = np.random.default_rng(seed).standard_normal(y.shape)
    np.testing.assert_allclose(S.T @ dy.ravel(), max_pool2d_grad(dy, indices, x.shape[2:]).ravel(), **CLOSE)
    np.testing.assert_array_equal(max_pool2d_matrix(indices, x.shape[2:], sparse=True).toarray(), S)


@given(poolings(), SEEDS)
def test_unpooling_is_the_transpose_where_no_place_is_shared(drawn, seed):
    x, kernel, stride = drawn
    y, indices = max_pool2d(x, kernel, stride)
    S = max_pool2d_matrix(indices, x.shape[2:])
    other = np.random.default_rng(seed).standard_normal(y.shape)
    disjoint = len(np.unique(np.argmax(S, axis=1))) == len(S)
    assert np.array_equal(max_unpool2d(other, indices, x.shape[2:]).ravel(), S.T @ other.ravel()) == disjoint


def test_unpooling_is_the_transpose_only_without_overlap():
    x = np.arange(9).reshape(3, 3) * np.array([1, 1, 1]) + np.eye(3, dtype=int)[1] * 20  # the middle column wins
    _, indices = max_pool2d(x, 2, 1)
    S, ones = max_pool2d_matrix(indices, (3, 3)), np.ones((2, 2), int)
    back, unpooled = S.T @ ones.ravel(), max_unpool2d(ones, indices, (3, 3)).ravel()
    assert back.sum() == 4 and unpooled.sum() == 2  # two pairs of outputs share a place each
    assert back.tolist() != unpooled.tolist()
    _, indices = max_pool2d(X + 0.1 * np.arange(16).reshape(4, 4), 2)
    numbers = np.arange(1, 5).reshape(2, 2)
    np.testing.assert_array_equal(
        max_pool2d_matrix(indices, 4).T @ numbers.ravel(), max_unpool2d(numbers, indices, 4).ravel()
    )


def test_matrices_compose():
    """A layer down and a layer up, as one matrix."""
    x = np.random.default_rng(0).standard_normal((8, 6))
    A = conv2d_matrix(W, (8, 6), stride=2, padding=1, sparse=True)
    B = np.kron(axis_matrix(4, 8), axis_matrix(3, 6))
    chained = interpolate(conv2d(x, W, stride=2, padding=1), (8, 6))
    np.testing.assert_allclose((B @ A) @ x.ravel(), chained.ravel(), **CLOSE)


def test_a_dense_matrix_says_what_it_would_cost_before_it_spends_it():
    tracemalloc.start()
    with pytest.raises(
        ValueError, match=r"size: a dense matrix of 64516×65536 needs 33\.8 GB, .*sparse=True.* 9\.29 MB"
    ):
        conv2d_matrix(W, (256, 256))
    indices = np.zeros((128, 128), int)
    with pytest.raises(ValueError, match=r"a dense matrix of 16384×65536 needs 8\.6 GB, .*sparse=True"):
        max_pool2d_matrix(indices, (256, 256))
    with pytest.raises(ValueError, match=r"even the sparse matrix would need 2435\.4 GB, .*conv2d needs no matrix"):
        conv2d_matrix(np.broadcast_to(1.0, (512, 512, 3, 3)), (256, 256), sparse=True)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 50e6  # the windows of a view, not the matrix; and the broadcast kernel, once


def test_the_limit_is_exact(monkeypatch):
    A = conv2d_matrix(W, (4, 4))
    monkeypatch.setattr(matrix, "LIMIT", A.nbytes)
    conv2d_matrix(W, (4, 4))
    monkeypatch.setattr(matrix, "LIMIT", A.nbytes - 1)
    with pytest.raises(ValueError, match="a dense matrix of 4×16 needs 512 bytes"):
        conv2d_matrix(W, (4, 4))
    entries = 36 * (8 + 8)  # a number and its column, 8 bytes each
    monkeypatch.setattr(matrix, "LIMIT", entries)
    conv2d_matrix(W, (4, 4), sparse=True)
    monkeypatch.setattr(matrix, "LIMIT", entries - 1)
    with pytest.raises(ValueError, match="even the sparse matrix would need 576 bytes, more than the 575 bytes"):
        conv2d_matrix(W, (4, 4), sparse=True)
    indices = np.zeros((6, 6), int)
    with pytest.raises(ValueError, match="even the sparse matrix would .* 576 bytes, .*; max_pool2d needs no matrix"):
        max_pool2d_matrix(indices, 6, sparse=True)
    monkeypatch.setattr(matrix, "LIMIT", 1000)
    with pytest.raises(ValueError, match="more than the 1 kB"):
        conv2d_matrix(W, (6, 6))


def test_an_empty_batch_has_an_empty_matrix():
    none = np.zeros((0, 3, 2, 2), int)
    assert max_pool2d_matrix(none, 4).shape == (0, 0)


def test_sparse_matrices_grow_with_the_pixels_and_not_with_their_square():
    small, large = (conv2d_matrix(W.astype(float), (n, n), padding=1, sparse=True) for n in (100, 200))
    assert large.data.nbytes < 4.1 * small.data.nbytes
    assert large.nnz == (3 * 200 - 2) ** 2  # each side: 200 windows of 3 taps, less the two in the padding


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: conv2d_matrix(np.ones(3), (4, 4)), ValueError, r"w: expected 2 axes .* got shape \(3,\)"),
        (lambda: conv2d_matrix(np.ones((0, 3)), (4, 4)), ValueError, r"w: expected at least one number .* \(0, 3\)"),
        (lambda: conv2d_matrix("w", (4, 4)), TypeError, "w: expected real numbers, got str"),
        (lambda: conv2d_matrix(W, (4, 4, 4)), ValueError, r"size: expected one int or a pair .* got \(4, 4, 4\)"),
        (lambda: conv2d_matrix(W, 0), ValueError, "size: expected an int of at least 1, got 0"),
        (lambda: conv2d_matrix(W, (2, 4)), ValueError, "kernel: .* spans 3 pixels and does not fit into 2"),
        (lambda: conv2d_matrix(W, 4, stride=0), ValueError, "stride: expected an int of at least 1, got 0"),
        (lambda: conv2d_matrix(W, 4, padding=1.5), TypeError, "padding: expected an int, got 1.5"),
        (lambda: max_pool2d_matrix([[0.5]], 2), TypeError, "indices: expected ints, .* got type float64"),
        (lambda: max_pool2d_matrix([0, 1], 2), ValueError, r"indices: expected 2 axes .* got shape \(2,\)"),
        (
            lambda: max_pool2d_matrix([[18]], 4),
            ValueError,
            "indices: expected places from 0 to 15 .* got 18 to 18; give",
        ),
        (lambda: max_pool2d_matrix([[16]], 4), ValueError, "indices: expected places from 0 to 15 .* got 16 to 16"),
        (lambda: max_pool2d_matrix([[True]], 4), TypeError, "indices: expected ints, .* got type bool"),
        (lambda: max_pool2d_matrix([[-1]], 4), ValueError, "indices: expected places from 0 to 15 .* got -1 to -1"),
    ],
)
def test_bad_input_is_named(call, error, message):
    with pytest.raises(error, match=message):
        call()


@pytest.mark.parametrize(("size", "stride"), [((2, 3), 2), ((3, 2), (1, 3)), ((1, 1), (3, 2)), ((2, 2), 1)])
def test_a_bed_of_nails_is_a_transposed_convolution_with_a_kernel_of_one(size, stride):
    x = np.random.default_rng(0).normal(size=size)
    expected = bed_of_nails(x, stride)
    np.testing.assert_array_equal(conv2d_matrix([[1]], expected.shape, stride=stride).T @ x.ravel(), expected.ravel())
    np.testing.assert_array_equal(
        conv_transpose2d(x, [[1]], stride=stride, output_padding=np.subtract(stride, 1).tolist()), expected
    )
