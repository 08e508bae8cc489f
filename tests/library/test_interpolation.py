"""Interpolation against PyTorch, its matrix, its adjoint and a transposed convolution, for drawn geometry."""

import tracemalloc

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.torch_or_skip import F, torch
from unet_edu import interpolation
from unet_edu.interpolation import (
    MODES,
    axis_matrix,
    bed_of_nails,
    bed_of_nails_grad,
    bicubic_kernel,
    bilinear_kernel,
    interpolate,
    interpolate_grad,
    interpolate_loops,
    nearest_kernel,
    nearest_loops,
    source_coordinates,
)

# float64 sums of at most 16 products of numbers near 1; a wrong weight is off by 1e-3 or more
CLOSE = {"rtol": 0, "atol": 1e-12}
SEEDS = st.integers(0, 2**32 - 1)
SIZES = st.tuples(st.integers(1, 12), st.integers(1, 12))
RULES = st.sampled_from([("nearest", False), *((mode, corners) for mode in MODES[1:] for corners in (False, True))])
KERNELS = {"nearest": (nearest_kernel, 0), "bilinear": (bilinear_kernel, 1), "bicubic": (bicubic_kernel, 2)}


def torch_rule(mode, align_corners):
    return {"mode": mode} if mode == "nearest" else {"mode": mode, "align_corners": align_corners}


@given(st.tuples(st.integers(1, 2), st.integers(1, 3)), SIZES, SIZES, RULES, SEEDS)
def test_agrees_with_torch_forwards_and_backwards(images, size, out_size, rule, seed):
    rng = np.random.default_rng(seed)
    x, dy = rng.standard_normal((*images, *size)), rng.standard_normal((*images, *out_size))
    tensor = torch.tensor(x, requires_grad=True)
    y = F.interpolate(tensor, size=out_size, **torch_rule(*rule))
    y.backward(torch.tensor(dy))
    mode, align_corners = rule
    np.testing.assert_allclose(
        interpolate(x, out_size, mode=mode, align_corners=align_corners), y.detach().numpy(), **CLOSE
    )
    # up to 12·12 outputs of up to 16 taps are added into one pixel
    np.testing.assert_allclose(
        interpolate_grad(dy, size, mode=mode, align_corners=align_corners), tensor.grad.numpy(), rtol=0, atol=1e-11
    )


@given(SIZES, SIZES, RULES, SEEDS)
def test_is_its_two_matrices(size, out_size, rule, seed):
    mode, align_corners = rule
    B_H, B_W = (axis_matrix(n, m, mode=mode, align_corners=align_corners) for n, m in zip(size, out_size, strict=True))
    x = np.random.default_rng(seed).standard_normal(size)
    y = interpolate(x, out_size, mode=mode, align_corners=align_corners)
    np.testing.assert_allclose(y, B_H @ x @ B_W.T, **CLOSE)
    np.testing.assert_allclose(y.ravel(), np.kron(B_H, B_W) @ x.ravel(), **CLOSE)
    np.testing.assert_allclose(B_H.sum(axis=1), 1, **CLOSE)  # a flat image stays flat
    assert (np.count_nonzero(B_H, axis=1) <= {"nearest": 1, "bilinear": 2, "bicubic": 4}[mode]).all()


@given(st.tuples(st.integers(1, 4), st.integers(1, 5)), SIZES, SEEDS)
def test_loops_are_the_definition(size, out_size, seed):
    x = np.random.default_rng(seed).standard_normal(size)
    np.testing.assert_allclose(interpolate_loops(x, out_size), interpolate(x, out_size), **CLOSE)
    np.testing.assert_array_equal(nearest_loops(x, out_size), interpolate(x, out_size, mode="nearest"))
    assert nearest_loops((9 * x).astype(np.uint8), out_size).dtype == np.uint8


@given(SIZES, SIZES, SEEDS)
def test_bilinear_reads_the_source_coordinate(size, out_size, seed):
    """The weights of a row, as places: their mean is the source coordinate, kept inside the image."""
    x = np.arange(size[0], dtype=float)
    for align_corners in (False, True):
        source = source_coordinates(size[0], out_size[0], align_corners=align_corners)
        places = axis_matrix(size[0], out_size[0], align_corners=align_corners) @ x
        np.testing.assert_allclose(places, np.clip(source, 0, size[0] - 1), **CLOSE)
    nearest = axis_matrix(size[0], out_size[0], mode="nearest") @ x
    np.testing.assert_array_equal(nearest, [i * size[0] // out_size[0] for i in range(out_size[0])])
    assert np.abs(source_coordinates(size[0], out_size[0], mode="nearest") - nearest - 0.5).max() <= 0.5


@pytest.mark.parametrize("size", [3, 7, 49, 100, 333, 1000])
def test_nearest_rounds_as_torch_does_on_long_sides(size):
    """Torch computes the place in float32, we in whole numbers. A whole number must not fall short of itself."""
    x = torch.arange(size, dtype=torch.float64)[None, None]
    for out_size in (*range(1, 200), 256, 500, 512, 999, 1000, 1024):
        expected = F.interpolate(x, size=out_size, mode="nearest")[0, 0].numpy()
        np.testing.assert_array_equal(interpolate(x[0], (1, out_size), mode="nearest")[0], expected)


@pytest.mark.parametrize("mode", MODES)
@given(st.tuples(st.integers(1, 5), st.integers(1, 5)), st.tuples(st.integers(1, 5), st.integers(1, 5)), SEEDS)
@example((3, 2), (2, 3), 0)
def test_is_a_transposed_convolution(mode, size, scale, seed):
    """Everywhere, when a ring of the repeated border is given to both; without it, inside."""
    kernel, reach = KERNELS[mode]
    w = kernel(scale)
    padding = [(k - s) // 2 for k, s in zip(w.shape, scale, strict=True)]
    assert all((k - s) % 2 == 0 for k, s in zip(w.shape, scale, strict=True))

    def upsample(x):
        return F.conv_transpose2d(
            torch.tensor(x)[None, None], torch.tensor(w)[None, None], stride=scale, padding=padding
        )[0, 0].numpy()

    x = np.random.default_rng(seed).standard_normal(size)
    out_size = tuple(n * s for n, s in zip(size, scale, strict=True))
    expected = interpolate(x, out_size, mode=mode)
    with_ring = upsample(np.pad(x, reach, mode="edge"))
    crop = tuple(slice(reach * s, reach * s + m) for s, m in zip(scale, out_size, strict=True))
    np.testing.assert_allclose(with_ring[crop], expected, **CLOSE)

    border = [(2 * reach - 1) * s // 2 if reach else 0 for s in scale]  # as the docstrings say
    inside = tuple(slice(b, m - b) for b, m in zip(border, out_size, strict=True))
    np.testing.assert_allclose(upsample(x)[inside], expected[inside], **CLOSE)


@given(st.tuples(st.integers(2, 5), st.integers(2, 5)), st.integers(2, 5))
def test_at_the_border_a_transposed_convolution_is_darker(size, scale):
    """The docstring of `bilinear_kernel` says in which rows and columns, and there it is true."""
    w = torch.tensor(bilinear_kernel(scale))[None, None]
    padding = (w.shape[-1] - scale) // 2
    y = F.conv_transpose2d(torch.ones(1, 1, *size, dtype=torch.float64), w, stride=scale, padding=padding)[0, 0].numpy()
    dark = np.ones(y.shape, bool)
    dark[scale // 2 : y.shape[0] - scale // 2, scale // 2 : y.shape[1] - scale // 2] = False
    assert (y[dark] < 1 - 1e-9).all()
    np.testing.assert_allclose(y[~dark], 1, **CLOSE)


@given(st.tuples(st.integers(1, 5), st.integers(1, 5)), st.tuples(st.integers(1, 4), st.integers(1, 4)), SEEDS)
def test_bed_of_nails(size, stride, seed):
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((2, 3, *size))
    y = bed_of_nails(x, stride)
    assert y.shape == (2, 3, size[0] * stride[0], size[1] * stride[1])
    dy = rng.standard_normal(y.shape)
    np.testing.assert_allclose(np.vdot(y, dy), np.vdot(x, bed_of_nails_grad(dy, stride)), **CLOSE)
    np.testing.assert_array_equal(bed_of_nails_grad(y, stride), x)
    nail = torch.ones(3, 1, 1, 1, dtype=torch.float64)  # it too is a transposed convolution: the kernel is one 1
    output_padding = [s - 1 for s in stride]
    expected = F.conv_transpose2d(torch.tensor(x), nail, stride=stride, output_padding=output_padding, groups=3)
    np.testing.assert_array_equal(y, expected.numpy())


@given(st.integers(1, 5), SIZES, SIZES, RULES, SEEDS)
def test_bands_change_nothing(planes, size, out_size, rule, seed):
    """However many planes are made at a time, the answer is the same."""
    x = np.random.default_rng(seed).standard_normal((1, planes, *size))
    mode, align_corners = rule
    rule = {"mode": mode, "align_corners": align_corners}
    y = interpolate(x, out_size, **rule)
    dx = interpolate_grad(y, size, **rule)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(interpolation, "BAND_BYTES", 1)
        np.testing.assert_array_equal(interpolate(x, out_size, **rule), y)
        np.testing.assert_array_equal(interpolate_grad(y, size, **rule), dx)


def test_memory_grows_with_the_pixels_not_with_their_square():
    x = np.ones((4, 4, 256, 256), np.float32)
    y = interpolate(x, 512)
    for call in (lambda: interpolate(x, 512, mode="bicubic"), lambda: interpolate_grad(y, (256, 256), mode="bicubic")):
        tracemalloc.start()
        call()
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert peak < 1.5 * y.nbytes


def test_worked_examples():
    """Numbers that anybody can check by hand; lesson 03 uses them."""
    row = [[0, 1, 2, 3]]
    assert interpolate(row, (1, 8), mode="nearest").tolist() == [[0, 0, 1, 1, 2, 2, 3, 3]]
    assert interpolate(row, (1, 8)).tolist() == [[0, 0.25, 0.75, 1.25, 1.75, 2.25, 2.75, 3]]
    np.testing.assert_allclose(interpolate(row, (1, 8), align_corners=True), np.arange(8)[None] * 3 / 7, **CLOSE)
    assert interpolate(row, (1, 2), mode="nearest").tolist() == [[0, 2]]
    assert interpolate_loops(np.array(row), (1, 8)).tolist() == interpolate(row, (1, 8)).tolist()
    assert interpolate([[0, 2]], (1, 4)).tolist() == [[0, 0.5, 1.5, 2]]
    assert bed_of_nails([[1, 2], [3, 4]], 2).tolist() == [[1, 0, 2, 0], [0, 0, 0, 0], [3, 0, 4, 0], [0, 0, 0, 0]]
    tent = np.array([0.25, 0.75, 0.75, 0.25])
    assert bilinear_kernel(2).tolist() == np.outer(tent, tent).tolist()
    np.testing.assert_allclose(bilinear_kernel((1, 3)), [[1 / 3, 2 / 3, 1, 2 / 3, 1 / 3]], **CLOSE)
    assert (bilinear_kernel(4).shape, bilinear_kernel(5).shape) == ((8, 8), (9, 9))
    assert (bicubic_kernel(2).shape, bicubic_kernel(3).shape) == ((8, 8), (11, 11))
    assert nearest_kernel(2).tolist() == [[1, 1], [1, 1]]


def test_bicubic_overshoots_and_the_others_do_not():
    step = np.array([[0, 0, 0, 1, 1, 1]], float)
    assert interpolate(step, (1, 12), mode="bicubic").min() < 0 and interpolate(step, (1, 12), mode="bicubic").max() > 1
    for mode in ("nearest", "bilinear"):
        y = interpolate(step, (1, 12), mode=mode)
        assert (y.min(), y.max()) == (0, 1)


def test_types():
    labels = np.array([[0, 2], [2, 255]], np.uint8)
    assert interpolate(labels, 4, mode="nearest").dtype == np.uint8
    assert set(np.unique(interpolate(labels, 7, mode="nearest"))) == {0, 2, 255}
    assert interpolate(labels > 0, 4, mode="nearest").dtype == bool
    assert interpolate(labels, 4).dtype == interpolate(labels > 0, 4, mode="bicubic").dtype == np.float64
    assert interpolate(labels, 4).max() == 255  # no wrap at 256
    for mode in MODES:
        assert interpolate(labels.astype(np.float32), 3, mode=mode).dtype == np.float32
        assert interpolate_grad(labels.astype(np.float32), (3, 3), mode=mode).dtype == np.float32
    assert interpolate_grad(np.full((4, 4), 200, np.uint8), (2, 2), mode="nearest").tolist() == [[800, 800]] * 2
    assert interpolate_grad(labels > 0, (1, 1), mode="nearest").tolist() == [[3]]
    assert interpolate_grad(labels, (1, 1)).dtype == np.float64
    assert bed_of_nails(labels, 2).dtype == bed_of_nails_grad(labels, 2).dtype == np.uint8
    assert interpolate(np.zeros((0, 3, 4, 4)), (2, 5)).shape == (0, 3, 2, 5)
    assert interpolate_grad(np.zeros((0, 3, 4, 4)), (2, 5)).shape == (0, 3, 2, 5)
    assert interpolate(torch.tensor([[0.0, 2.0]]), (1, 4)).tolist() == [[0, 0.5, 1.5, 2]]


def test_planes_and_batches_agree():
    x = np.random.default_rng(0).standard_normal((3, 4))
    np.testing.assert_array_equal(interpolate(x, (5, 6)), interpolate(x[None, None], (5, 6))[0, 0])
    np.testing.assert_array_equal(interpolate_grad(x, (5, 6)), interpolate_grad(x[None, None], (5, 6))[0, 0])


@pytest.mark.parametrize("mode", MODES)
def test_nan_reaches_its_neighbours_and_no_others(mode):
    reach = {"nearest": 0, "bilinear": 1, "bicubic": 2}[mode]
    x = np.ones((9, 9))
    x[4, 4] = np.nan
    y = np.isnan(interpolate(x, 18, mode=mode))
    assert y[8:10, 8:10].all()
    near = np.abs(np.arange(18) / 2 - 4.25) < reach + 0.5
    assert not y[~near].any() and not y[:, ~near].any()
    back = np.isnan(interpolate_grad(np.where(y, np.nan, 1.0), (9, 9), mode=mode))
    assert back[4, 4] and not back[0].any() and not back[:, 8].any()


def test_inputs_stay_as_they_were():
    x = np.ones((1, 2, 5, 5))
    x.flags.writeable = False  # writing to it would raise
    for mode in MODES:
        for size in (5, 7, 3):
            assert interpolate(x, size, mode=mode).flags.writeable
            assert interpolate_grad(x, (size, size), mode=mode).flags.writeable
    assert bed_of_nails(x, 1).flags.writeable and bed_of_nails_grad(x, 1).flags.writeable


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"x": [1, 2]}, ValueError, r"x: expected 2 axes .* got shape \(2,\)"),
        ({"x": np.ones((0, 3))}, ValueError, r"x: expected at least one number along each axis, got shape \(0, 3\)"),
        ({"x": np.ones((1, 1, 3, 0))}, ValueError, r"x: expected at least one number .* got shape \(1, 1, 3, 0\)"),
        ({"x": "picture"}, TypeError, "x: expected real numbers, got str"),
        ({"size": 0}, ValueError, "size: expected an int of at least 1, got 0"),
        ({"size": 2.0}, TypeError, "size: expected an int, got 2.0"),
        ({"size": (1, 2, 3)}, ValueError, r"size: expected one int or a pair \(rows, columns\)"),
        ({"mode": "cubic"}, ValueError, "mode: expected one of 'nearest', 'bilinear', 'bicubic', got 'cubic'"),
        ({"mode": None}, ValueError, "mode: expected one of .* got None"),
        ({"mode": "nearest", "align_corners": True}, ValueError, 'align_corners: mode "nearest" knows only False'),
    ],
)
def test_bad_input_is_named(arguments, error, message):
    with pytest.raises(error, match=message):
        interpolate(**({"x": np.ones((2, 3)), "size": (4, 4)} | arguments))
    as_gradient = {"dy" if name == "x" else name: value for name, value in arguments.items()}
    with pytest.raises(error, match=message.replace("x: ", "dy: ")):
        interpolate_grad(**({"dy": np.ones((2, 3)), "size": (4, 4)} | as_gradient))


def test_bad_sides_and_strides_are_named():
    for call, message in (
        (lambda: axis_matrix(0, 4), "size: expected an int of at least 1, got 0"),
        (lambda: axis_matrix(4, 0), "out_size: expected an int of at least 1, got 0"),
        (lambda: source_coordinates(4, 4, mode="linear"), "mode: expected one of"),
        (lambda: bilinear_kernel(0), "scale: expected an int of at least 1, got 0"),
        (lambda: bed_of_nails(np.ones((2, 2)), 0), "stride: expected an int of at least 1, got 0"),
        (lambda: bed_of_nails_grad(np.ones((3, 4)), 2), r"dy: expected shape \(4, 4\) for these sizes, got \(3, 4\)"),
    ):
        with pytest.raises(ValueError, match=message):
            call()
