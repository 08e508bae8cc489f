"""The field is the paper's, the reading is SciPy's, and what belongs together is bent together."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from tests.torch_or_skip import F, torch
from unet_edu.data.elastic import Places, Readable, displacement, displacement_from, warp

SHAPE = (33, 65)


def ramps(shape):
    """An image of two channels that says where each pixel stood: its row and its column."""
    return np.indices(shape).astype(np.float64)


def test_the_arrows_have_the_deviation_that_was_asked_for():
    fields = np.stack([displacement(SHAPE, np.random.default_rng(seed), sigma=7) for seed in range(400)])
    knots = fields[:, :, ::16, ::32]
    assert knots.shape == (400, 2, 3, 3)
    # 7,200 independent numbers: their deviation is off by 0.8 %, their mean by 0.08, one standard error each
    assert knots.std() == pytest.approx(7, rel=0.04) and abs(knots.mean()) < 0.4
    # rows and columns know nothing of each other
    assert abs(np.corrcoef(knots[:, 0].ravel(), knots[:, 1].ravel())[0, 1]) < 0.08


def test_the_defaults_are_the_papers():
    paper = displacement((40, 50), np.random.default_rng(3))
    np.testing.assert_array_equal(paper, displacement((40, 50), np.random.default_rng(3), sigma=10, grid=3))
    arrows = np.random.default_rng(3).normal(0, 10, (2, 3, 3))
    np.testing.assert_array_equal(paper, displacement_from(arrows, (40, 50)))


@pytest.mark.parametrize(
    ("grid", "shape"), [((3, 3), (33, 65)), ((2, 5), (20, 11)), ((4, 4), (4, 4)), ((3, 3), (1, 7))]
)
def test_between_the_arrows_it_is_bicubic(grid, shape):
    arrows = np.random.default_rng(1).normal(size=(2, *grid))
    expected = F.interpolate(torch.from_numpy(arrows)[None], shape, mode="bicubic", align_corners=True)
    np.testing.assert_allclose(displacement_from(arrows, shape), expected[0], atol=1e-12)  # a few float64 sums


def test_an_arrow_moves_its_own_axis_and_place():
    arrows = np.zeros((2, 3, 3))
    arrows[0, 2, 0] = 5  # the lower left knot looks 5 rows down
    field = displacement_from(arrows, SHAPE)
    assert field[0, -1, 0] == 5 and not field[1].any()
    assert field[0, 0].max() == field[0, :, -1].max() == 0


@settings(max_examples=60, deadline=None)
@given(
    st.integers(0, 10**6),
    st.tuples(st.integers(1, 40), st.integers(1, 40)),
    st.sampled_from([0, 1, 3]),
    st.sampled_from([0.3, 4.0, 60.0]),
)
def test_warp_reads_as_scipy_does(seed, shape, order, far):
    rng = np.random.default_rng(seed)
    array, field = rng.normal(size=shape), rng.uniform(-far, far, (2, *shape))
    expected = ndimage.map_coordinates(array, np.indices(shape) + field, order=order, mode="mirror")
    if order == 0:
        # a place halfway between two pixels may go either way: none here is that close
        assert np.abs((field % 1) - 0.5).min() > 1e-9
    np.testing.assert_allclose(warp(array, field, order=order), expected, atol=1e-9)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("order", [0, 1, 3])
@pytest.mark.parametrize("corner", [(0, 0), (31, 77), (-45, 60), (90, -300)])
def test_a_crop_of_a_large_frame_is_read_as_scipy_does(order, corner, dtype):
    rng = np.random.default_rng(2)
    frame = rng.normal(size=(100, 120)).astype(dtype)
    places = np.indices((24, 20)) + np.reshape(corner, (2, 1, 1)) + displacement((24, 20), rng, sigma=3)
    expected = ndimage.map_coordinates(frame.astype(np.float64), places, order=order, mode="mirror")
    read = Places(places, frame.shape).read(Readable(frame, order=order))
    # float32 has seven digits, and the numbers of the spline are up to ten times those of the pixels
    np.testing.assert_allclose(read, expected, atol=3e-6 if dtype is np.float32 else 1e-12)
    assert read.dtype == dtype


@pytest.mark.parametrize("order", [0, 1, 3])
def test_a_picture_that_was_made_ready_once_is_read_as_often_as_one_likes(order):
    rng = np.random.default_rng(3)
    frame = rng.random((2, 50, 40)).astype(np.float32)
    ready = Readable(frame, order=order)
    for _ in range(3):
        field = displacement((50, 40), rng, sigma=4)
        read = Places(np.indices((50, 40)) + field, (50, 40)).read(ready)
        np.testing.assert_array_equal(read, warp(frame, field, order=order))


@pytest.mark.parametrize("order", [0, 1, 3])
def test_whole_steps_are_exact_and_outside_is_the_mirror_image(order):
    image = np.random.default_rng(0).normal(size=(9, 8)).astype(np.float32)
    field = np.stack([np.full(image.shape, -4.0), np.full(image.shape, 3.0)])
    expected = np.pad(image, 4, mode="reflect")[:9, 7:15]  # 4 up, 3 to the right
    np.testing.assert_array_equal(warp(image, field, order=order), expected)


@pytest.mark.parametrize("dtype", [np.uint8, np.int32, np.int64, bool, np.float32, np.float64])
@pytest.mark.parametrize("order", [0, 1, 3])
@pytest.mark.parametrize("shape", [(20, 17), (3, 20, 17)])
def test_shape_and_dtype_stay_and_no_displacement_changes_nothing(dtype, order, shape):
    array = (np.random.default_rng(0).random(shape) * 3).astype(dtype)
    still, moved = np.zeros((2, 20, 17)), np.full((2, 20, 17), 0.4)
    result = warp(array, still, order=order)
    assert result.dtype == dtype and warp(array, moved, order=order).dtype == dtype
    np.testing.assert_array_equal(result, array)
    assert not np.shares_memory(result, array)


def test_bytes_do_not_wrap_around():
    image = np.zeros((20, 20), np.uint8)
    image[:, 10:] = 255
    bent = warp(image, np.full((2, 20, 20), 0.5), order=3)
    assert warp(image.astype(float), np.full((2, 20, 20), 0.5), order=3).max() > 260  # the spline overshoots
    left, right = bent[:, :9], bent[:, 10:18]
    assert left.max() < 60 and right.min() > 200


def test_a_mask_of_booleans_is_rounded():
    mask = np.zeros((20, 20), bool)
    mask[:, 10:] = True
    for order in (0, 1, 3):
        for moved, first in ((-0.4, 10), (0.4, 10), (0.6, 9), (-0.6, 11)):
            bent = warp(mask, np.stack([np.zeros((20, 20)), np.full((20, 20), moved)]), order=order)
            np.testing.assert_array_equal(bent[:, 2:-2], np.broadcast_to(np.arange(20) >= first, (20, 20))[:, 2:-2])


def test_channels_are_bent_alike():
    rng = np.random.default_rng(4)
    image, field = rng.random((3, 30, 20)), displacement((30, 20), rng, sigma=4)
    for order in (0, 1, 3):
        each = np.stack([warp(channel, field, order=order) for channel in image])
        np.testing.assert_array_equal(warp(image, field, order=order), each)


def bend(field, image, instances, weights):
    return warp(image, field, order=3), warp(instances, field, order=0), warp(weights, field, order=1)


def test_one_field_bends_all():
    """The image says where each of its pixels was read: labels and weights must have been read there too."""
    shape = (64, 80)
    image = ramps(shape)
    numbers = np.arange(np.prod(shape), dtype=np.int32).reshape(shape)
    weights = image[0].astype(np.float32)
    field = displacement(shape, np.random.default_rng(5), sigma=3)
    bent, labels, bent_weights = bend(field, image, numbers, weights)
    # beyond the edge a ramp turns back, and has a kink there that no spline follows
    inside = (slice(16, -16), slice(16, -16))
    # the spline of a straight line is that line, but for what is left of the kinks 4 pixels from the edge: 0.268**4
    np.testing.assert_allclose((bent - image)[:, *inside], field[:, *inside], atol=0.01)
    read = np.stack(np.divmod(labels, shape[1]))
    assert np.abs(read - bent)[:, *inside].max() < 0.5 + 0.01
    np.testing.assert_allclose(bent_weights[inside], bent[0][inside], atol=0.01)
    assert np.abs(field).max() > 5, "a field that does nothing proves nothing"


def test_labels_stay_labels_and_weights_stay_weights():
    rng = np.random.default_rng(6)
    instances = np.repeat(np.repeat(rng.integers(0, 5, (6, 6)) * 10, 8, axis=0), 8, axis=1)
    weights = 1 + 10 * (instances > 20)
    image = rng.random((3, 48, 48)).astype(np.float32)
    field = displacement((48, 48), rng, sigma=6)
    bent, labels, bent_weights = bend(field, image, instances, weights.astype(np.float32))
    assert bent.shape == image.shape and bent.dtype == np.float32
    assert labels.dtype == instances.dtype and set(np.unique(labels)) <= set(np.unique(instances))
    assert (labels != instances).mean() > 0.1
    assert bent_weights.min() >= 1 and bent_weights.max() <= 11
    assert ((bent_weights > 1.01) & (bent_weights < 10.99)).any(), "between two weights there are others"


def test_without_sigma_all_stays_as_it_is():
    rng = np.random.default_rng(7)
    image, instances = rng.random((21, 30)).astype(np.float32), rng.integers(0, 4, (21, 30))
    weights = rng.random((21, 30))
    bent = bend(displacement((21, 30), rng, sigma=0), image, instances, weights)
    for before, after in zip((image, instances, weights), bent, strict=True):
        np.testing.assert_array_equal(before, after)


def test_the_generator_decides():
    first, again = (displacement((30, 30), np.random.default_rng(1)) for _ in range(2))
    rng = np.random.default_rng(1)
    same, other = (displacement((30, 30), rng) for _ in range(2))
    np.testing.assert_array_equal(first, again)
    np.testing.assert_array_equal(first, same)
    assert np.abs(first - other).max() > 0.1


IMAGE, FIELD = np.zeros((4, 5)), np.zeros((2, 4, 5))


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (
            lambda: warp(IMAGE, FIELD, order=2),
            ValueError,
            "order: expected 0 .nearest., 1 .bilinear. or 3 .cubic., got 2",
        ),
        (
            lambda: warp(IMAGE, FIELD[:, :3], order=0),
            ValueError,
            r"field: expected shape \(2, 4, 5\) .* got \(2, 3, 5\)",
        ),
        (lambda: warp(IMAGE, FIELD + np.nan, order=3), ValueError, "field: expected finite numbers"),
        (
            lambda: warp(IMAGE[0], FIELD, order=0),
            ValueError,
            r"array: expected shape \(H, W\) or \(C, H, W\).* got \(5,\)",
        ),
        (lambda: warp(np.zeros((0, 5)), FIELD, order=0), ValueError, "array: expected .* at least one pixel"),
        (lambda: warp([["a"]], FIELD, order=0), TypeError, "array: expected real numbers"),
        (lambda: displacement((4, 5), np.random.default_rng(), sigma=-1), ValueError, "sigma: .* at least 0, got -1"),
        (lambda: displacement((4, 5), np.random.default_rng(), sigma=np.nan), ValueError, "sigma: .* got nan"),
        (
            lambda: displacement((4, 5), np.random.default_rng(), grid=1),
            ValueError,
            "grid: expected an int of at least 2",
        ),
        (lambda: displacement((0, 5), np.random.default_rng()), ValueError, "shape: expected an int of at least 1"),
        (lambda: displacement_from(np.zeros((3, 3)), (4, 5)), ValueError, r"vectors: expected shape \(2, g, g\)"),
    ],
)
def test_errors_say_what_was_expected(call, error, message):
    with pytest.raises(error, match=message):
        call()
