"""From probabilities to cells, and the mean over eight views."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from tests.torch_or_skip import torch
from unet_edu import _bands
from unet_edu.data.cells import synthetic_cells
from unet_edu.instances import connected, seg
from unet_edu.losses import separated
from unet_edu.postprocess import SURE, instances_from_mask, instances_from_probability, predict_turned


def plainly(mask, min_size, grow):
    """The same cells, one after the other, each on a picture of its own."""
    pieces, found = ndimage.label(mask)
    cells, n = np.zeros(mask.shape, np.int32), 0
    for piece in range(1, found + 1):
        cell = ndimage.binary_fill_holes(pieces == piece)
        # what lies in the hole of another belongs to that
        if cell.sum() >= min_size and not cells[pieces == piece].any():
            n += 1
            cells[cell] = n
    if grow and n:
        distance, (rows, columns) = ndimage.distance_transform_edt(cells == 0, return_indices=True)
        cells = np.where(distance <= grow, cells[rows, columns], 0)
    return cells


@settings(max_examples=300)
@given(
    shape=st.tuples(st.integers(1, 40), st.integers(1, 40)),
    seed=st.integers(0, 10**6),
    density=st.floats(0, 1),
    blur=st.sampled_from([0, 0.7, 1.5]),
    min_size=st.integers(0, 12),
    grow=st.sampled_from([0, 0.5, 1, 1.5, 2, 2.9, 5, 20, 1e9]),
    pixels=st.integers(1, 500),
)
def test_in_place_and_in_bands_the_cells_are_the_same(shape, seed, density, blur, min_size, grow, pixels):
    field = ndimage.gaussian_filter(np.random.default_rng(seed).random(shape), blur)
    mask = field > np.quantile(field, 1 - density)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(_bands, "PIXELS", pixels)
        cells = instances_from_mask(mask, min_size=min_size, grow=grow)
    assert cells.dtype == np.int32
    np.testing.assert_array_equal(cells, plainly(mask, min_size, grow))


def test_a_mask_and_the_large_arrays_may_lie_on_the_disk(tmp_path):
    made = []

    def empty(shape, dtype):
        made.append(np.memmap(tmp_path / f"{len(made)}", dtype, "w+", shape=shape))
        made[-1][:] = True  # what is there before must not matter
        return made[-1]

    mask = np.memmap(tmp_path / "mask", np.uint8, "w+", shape=(60, 70))
    mask[:] = np.random.default_rng(0).random((60, 70)) > 0.4
    cells = instances_from_mask(mask, min_size=2, grow=1, empty=empty)
    assert cells is made[0]
    np.testing.assert_array_equal(cells, plainly(mask, 2, 1))


def test_without_options_the_cells_are_the_connected_pieces():
    probability = np.random.default_rng(0).random((40, 50))
    filled = ndimage.binary_fill_holes  # pieces keep their holes in `connected`
    cells = instances_from_probability(probability)
    for n in range(1, cells.max() + 1):
        piece = connected(probability > 0.5) == n
        assert (cells[piece] > 0).all()
        assert filled(piece).sum() >= piece.sum()
    # the same pixels as the threshold, and those of holes
    assert not ((probability > 0.5) & (cells == 0)).any()


def test_a_pixel_at_the_threshold_is_no_cell():
    assert instances_from_probability([[0.25, 0.5, 0.75]], threshold=0.5).tolist() == [[0, 0, 1]]


def test_cells_begin_where_it_is_sure_and_take_the_rest():
    """A bridge of doubtful pixels is shared; what is far from every sure pixel, or has none, is no cell."""
    row = np.array([[0.6, 0.95, 0.7, 0.7, 0.95, 0.6, 0.1, 0.6, *[0.1] * 5]])
    assert instances_from_probability(row).tolist() == [[1, 1, 1, 1, 1, 1, 0, 2, *[0] * 5]]
    assert instances_from_probability(row, sure=SURE)[0, :6].tolist() == [1, 1, 1, 2, 2, 2]
    assert not instances_from_probability(row, sure=0.96).any()
    np.testing.assert_array_equal(instances_from_probability(row, sure=0.5), instances_from_probability(row))


@given(seed=st.integers(0, 99), pixels=st.integers(1, 500))
def test_in_bands_cells_take_the_same_pixels(seed, pixels):
    probability = ndimage.gaussian_filter(np.random.default_rng(seed).random((30, 40)), 1)
    low, high = np.quantile(probability, (0.5, 0.8))
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(_bands, "PIXELS", pixels)
        in_bands = instances_from_probability(probability, threshold=low, sure=high)
    np.testing.assert_array_equal(in_bands > 0, instances_from_probability(probability, threshold=low, sure=high) > 0)
    assert in_bands.max() == instances_from_probability(probability, threshold=low, sure=high).max()


def test_growing_gives_back_the_gap():
    _, truth = synthetic_cells(3, (128, 128), cells=16)
    gapped = separated(truth).astype(np.float32)
    assert (gapped > 0).sum() < (truth > 0).sum()  # some cells touch
    shrunk, grown = (instances_from_probability(gapped, grow=grow) for grow in (0, 1.5))
    in_gaps = (gapped == 0) & (truth > 0)
    assert (grown[in_gaps] > 0).mean() > 0.9
    assert shrunk.max() == grown.max()
    # what the growth adds outside of all cells is one pixel around them, at corners too (1.41 away)
    assert not grown[ndimage.distance_transform_cdt(truth == 0, "chessboard") > 1].any()
    assert seg(shrunk * (truth > 0), truth) < seg(grown * (truth > 0), truth)


def test_cells_never_grow_into_each_other():
    row = np.array([[0.9, 0.9, 0.1, 0.1, 0.1, 0.9, 0.1]])
    assert instances_from_probability(row, grow=1).tolist() == [[1, 1, 1, 0, 2, 2, 2]]
    far = instances_from_probability(row, grow=50)
    assert far[0, 0] == 1
    assert far[0, -1] == 2
    assert (far > 0).all()


def test_holes_are_filled_before_specks_are_removed():
    ring = np.zeros((7, 7))
    ring[1:6, 1:6] = 1
    ring[2:5, 2:5] = 0
    ring[0, 6] = 1
    assert instances_from_probability(ring).max() == 2
    assert instances_from_probability(ring, min_size=25).sum() == 25  # 16 pixels and the 9 in the hole
    assert not instances_from_probability(ring, min_size=26).any()


def test_a_cell_in_the_hole_of_another_belongs_to_it():
    nested = np.zeros((9, 9))
    nested[1:8, 1:8] = 1
    nested[2:7, 2:7] = 0
    nested[4, 4] = 1
    assert set(np.unique(instances_from_probability(nested))) == {0, 1}


def test_nothing_found_is_an_empty_map():
    empty = instances_from_probability(np.zeros((5, 6)), grow=3, min_size=4)
    assert empty.shape == (5, 6)
    assert empty.dtype == np.int32
    assert not empty.any()
    assert instances_from_probability(np.zeros((0, 6)), grow=3).shape == (0, 6)  # an image without a pixel


@pytest.mark.parametrize(
    ("probability", "options", "words"),
    [
        (np.zeros((2, 5, 5)), {}, r"one plane \(H, W\), got shape \(2, 5, 5\)"),
        (np.array([[0.3, np.nan]]), {}, "probability: expected numbers from 0 to 1, got nan"),
        (np.array([[-2.5, 4.0]]), {}, r"from 0 to 1, got -2\.5 to 4; .* softmax"),
        (np.zeros((5, 5)), {"threshold": 1.5}, r"threshold: expected a number from 0 to 1, got 1\.5"),
        (np.zeros((5, 5)), {"grow": -1}, "grow: expected a number of pixels of at least 0, got -1"),
        (np.zeros((5, 5)), {"grow": np.nan}, "grow: expected"),
        (np.zeros((5, 5)), {"min_size": -1}, "min_size"),
    ],
)
def test_errors_say_what_was_expected(probability, options, words):
    with pytest.raises(ValueError, match=words):
        instances_from_probability(probability, **options)


def test_a_mask_is_one_plane():
    with pytest.raises(ValueError, match=r"mask: expected one plane \(H, W\), got shape \(2, 5, 5\)"):
        instances_from_mask(np.zeros((2, 5, 5)))
    with pytest.raises(ValueError, match="grow: expected"):
        instances_from_mask(np.zeros((5, 5)), grow=-1)


def small(**more):
    torch.manual_seed(0)
    from unet_edu.unet import UNet

    return UNet(**{"widths": (4, 8), "padding": "same"} | more).eval()


def test_the_mean_of_eight_views_does_not_care_how_the_image_is_turned():
    model, image = small(norm="batch"), synthetic_cells(0, (32, 48))[0]
    from unet_edu.tiling import predict

    straight = predict_turned(model, image, precision="float32")
    assert straight.shape == (2, 32, 48)
    assert straight.dtype == np.float32
    for turn in (np.rot90, np.fliplr, np.flipud):
        turned = predict_turned(model, np.ascontiguousarray(turn(image)), precision="float32")
        back = np.stack([turn(plane) for plane in straight])
        np.testing.assert_allclose(turned, back, atol=1e-5)  # float32, a few hundred additions
    once = predict(model, image, precision="float32")
    assert np.abs(once - straight).max() > 1e-3  # this network alone does care


def test_views_of_one_colour_image_are_turned_without_its_channels():
    model = small(in_channels=3)
    assert predict_turned(model, np.random.default_rng(0).random((3, 16, 24)).astype(np.float32)).shape == (2, 16, 24)
