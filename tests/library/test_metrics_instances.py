"""The measures of cells and of borders against cases made by hand, their plain definitions, and scikit-image."""

import math
import os
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from scipy import ndimage
from skimage.measure import euler_number, label
from skimage.metrics import adapted_rand_error

from tests.torch_or_skip import torch
from unet_edu import instances, metrics
from unet_edu.instances import (
    average_precision,
    cell_mistakes,
    cell_scores,
    connected,
    pixel_error,
    rand_error,
    seg,
    splits_and_merges,
    warped,
    warping_error,
)

# quotients of whole numbers below a million: a wrong one is off by 1e-12 at least, rounding by less than 1e-15
CLOSE = {"rtol": 0, "atol": 1e-13}


@st.composite
def maps(draw):
    """Two instance maps of one shape, with gaps in their numbers."""
    shape = draw(st.tuples(st.integers(1, 9), st.integers(1, 9)))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    cells = np.array([0, 0, 3, 4, 9, 250])
    # blocks of 3 × 3, so that cells overlap well
    coarse = rng.integers(0, len(cells), (2, -(-shape[0] // 3), -(-shape[1] // 3)))
    found, truth = cells[coarse.repeat(3, axis=1).repeat(3, axis=2)[:, : shape[0], : shape[1]]]
    return found, np.where(rng.random(shape) < 0.2, 0, truth)


@st.composite
def masks(draw, largest=12):
    """Two masks of one shape, in blocks as well as in single pixels."""
    shape = draw(st.tuples(st.integers(1, largest), st.integers(1, largest)))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    truth = ndimage.uniform_filter(rng.random(shape), draw(st.integers(1, 4))) > 0.5
    found = truth ^ (rng.random(shape) < draw(st.sampled_from([0.0, 0.1, 0.5])))
    return found, truth


def pixels(map, cell):
    return {tuple(place) for place in np.argwhere(map == cell).tolist()}


def plain_scores(found, truth):
    """SEG's definition, word for word: for each true cell R look for the S that covers more than half of it."""
    scores = []
    for cell in sorted(set(truth.ravel().tolist()) - {0}):
        R, score = pixels(truth, cell), Fraction(0)
        for other in set(found.ravel().tolist()) - {0}:
            S = pixels(found, other)
            if Fraction(len(R & S), len(R)) > Fraction(1, 2):
                score = Fraction(len(R & S), len(R | S))
        scores.append(score)
    return scores


# --- connected


@given(masks())
def test_cells_are_connected_over_edges(drawn):
    _, mask = drawn
    cells = connected(mask)
    assert cells.dtype == np.int32 and cells.shape == mask.shape
    np.testing.assert_array_equal(cells, label(mask, connectivity=1))
    np.testing.assert_array_equal(cells > 0, mask)


def test_a_corner_does_not_connect():
    assert connected(np.eye(3)).tolist() == [[1, 0, 0], [0, 2, 0], [0, 0, 3]]


# --- SEG


@given(maps())
def test_scores_are_the_definition(drawn):
    found, truth = drawn
    plain = plain_scores(found, truth)
    np.testing.assert_allclose(cell_scores(found, truth), [float(score) for score in plain], **CLOSE)
    np.testing.assert_allclose(seg(found, truth), float(sum(plain) / len(plain)) if plain else math.nan, **CLOSE)


def test_exactly_half_is_not_enough():
    truth = np.array([[1, 1, 1, 1]])
    assert seg([[1, 1, 0, 0]], truth) == 0
    assert seg([[1, 1, 1, 0]], truth) == 3 / 4
    assert seg([[1, 1, 2, 2]], truth) == 0  # cut into halves, neither of which is more than half


def test_what_costs_and_what_does_not():
    truth = np.zeros((8, 12), int)
    truth[1:5, 1:5], truth[1:5, 6:10] = 1, 2  # two cells of 16 pixels, one column apart
    right = truth.copy()
    invented, missed, merged, split = (truth.copy() for _ in range(4))
    invented[6:, :] = 7
    missed[truth == 2] = 0
    merged[1:5, 1:10] = 1  # 36 pixels
    split[1:5, 3] = 0  # left are 8 and 4 of 16
    split[1:5, 4] = 3
    assert seg(right, truth) == seg(invented, truth) == 1  # a cell too many costs nothing
    assert seg(missed, truth) == 1 / 2
    assert cell_scores(merged, truth).tolist() == [16 / 36, 16 / 36]
    assert cell_scores(split, truth).tolist() == [0, 1]
    assert average_precision(invented, truth, 0.5) == 2 / 3  # here it does cost
    assert average_precision(missed, truth, 0.5) == 1 / 2
    assert average_precision(merged, truth, 0.5) == 0
    assert average_precision(split, truth, 0.5) == 1 / 4  # two pieces, two cells, one of them right


def test_the_frames_of_a_film_are_pooled():
    """A frame of one cell that is found and one of three that are missed: 1/4, and not the mean of 1 and 0."""
    truth = np.zeros((2, 4, 6), int)
    truth[0, 1:3, 1:3] = 5
    truth[1, 0, :2], truth[1, 2, :2], truth[1, 2, 4:] = 5, 6, 8
    found = truth.copy()
    found[1] = 0
    assert seg(found, truth) == 1 / 4
    assert cell_scores(found, truth).tolist() == [1, 0, 0, 0]
    frames = [cell_scores(f, t) for f, t in zip(found, truth, strict=True)]
    np.testing.assert_array_equal(np.concatenate(frames), cell_scores(found, truth))
    found[1, 0, :2] = 9  # the same number in another frame is another cell
    assert seg(found, truth) == 2 / 4


def test_no_true_cell_is_no_number():
    nothing = np.zeros((3, 4), int)
    assert math.isnan(seg(nothing + 1, nothing)) and math.isnan(seg(nothing[None][:0], nothing[None][:0]))
    assert np.isnan(average_precision(nothing, nothing)).all()
    assert average_precision(nothing + 1, nothing).tolist() == [0] * 10


def test_a_number_may_be_large_and_cells_may_be_many():
    """A table of all pairs of numbers would take 8 TB for the first, and 8 GB for the second."""
    truth = np.array([[0, 1_000_000, 1_000_000]])
    assert seg(truth, truth) == 1
    many = np.arange(1, 180 * 180 + 1).reshape(180, 180)
    assert seg(many[::-1, ::-1], many) == 1


def test_tensors_lists_bytes_and_floats():
    truth = np.array([[1, 1, 0, 2]])
    assert type(seg(truth, truth)) is float
    for kind in (np.ndarray.tolist, np.uint8, np.float32, lambda array: torch.tensor(array)):
        assert seg(kind(truth), truth) == seg(truth, kind(truth)) == 1


# --- average precision


@given(maps())
def test_average_precision_is_the_definition(drawn):
    found, truth = drawn
    A, B = ({cell: pixels(map, cell) for cell in set(map.ravel().tolist()) - {0}} for map in (found, truth))
    for percent, score in zip(range(50, 100, 5), average_precision(found, truth), strict=True):
        ratios = [Fraction(len(a & b), len(a | b)) for a in A.values() for b in B.values()]
        TP = sum(ratio > Fraction(percent, 100) for ratio in ratios)
        everything = len(A) + len(B) - TP
        np.testing.assert_allclose(score, float(Fraction(TP, everything)) if everything else math.nan, **CLOSE)


@given(maps())
def test_what_must_hold_of_average_precision(drawn):
    found, truth = drawn
    scores = average_precision(found, truth)
    np.testing.assert_array_equal(average_precision(truth, found), scores)  # neither is the truth
    if truth.any():
        assert (np.diff(scores) <= 0).all()
        assert average_precision(truth, truth).tolist() == [1] * 10


@pytest.mark.parametrize("threshold", [0.4, 1.0, -1, math.nan])
def test_a_threshold_at_which_a_cell_could_match_two(threshold):
    with pytest.raises(ValueError, match=r"thresholds: expected numbers from 0\.5 up and below 1"):
        average_precision([[1]], [[1]], threshold)


# --- pixel and Rand error


@given(masks())
def test_pixel_error_is_the_share_that_differs(drawn):
    found, truth = drawn
    assert pixel_error(found, truth) == np.sum(found != truth) / truth.size
    assert pixel_error(truth, truth) == 0 and pixel_error(~truth, truth) == 1


@given(masks(largest=7))
def test_rand_error_counts_pairs(drawn):
    """Look at each pair of pixels inside the true cells."""
    found, truth = drawn
    true_cells, found_cells = connected(truth), connected(found)
    inside = np.argwhere(truth).tolist()
    together = np.zeros((2, 2), int)  # in one true cell or not, in one predicted cell or not
    for n, a in enumerate(inside):
        for b in inside[:n]:
            same = true_cells[*a] == true_cells[*b]
            same_found = found_cells[*a] == found_cells[*b] != 0
            together[int(same), int(same_found)] += 1
    both, everything = 2 * together[1, 1], together[1].sum() + together[:, 1].sum()
    np.testing.assert_allclose(rand_error(found, truth), 1 - both / everything if everything else math.nan, **CLOSE)


@given(masks())
def test_rand_error_is_that_of_scikit_image(drawn):
    """It calls the membrane one more cell. With a number for each of its pixels it counts as ISBI 2012 did."""
    found, truth = drawn
    cells = connected(found).astype(int)
    cells[cells == 0] = cells.max() + 1 + np.arange(np.sum(cells == 0))
    with np.errstate(invalid="ignore"):
        expected = adapted_rand_error(connected(truth), cells)[0] if truth.any() else math.nan
    np.testing.assert_allclose(rand_error(found, truth), expected, **CLOSE)


def test_a_gap_in_a_membrane_costs_much_of_rand_and_little_of_pixels():
    truth = np.ones((20, 41), bool)
    truth[:, 20] = False
    gap = truth.copy()
    gap[9, 20] = True
    assert pixel_error(gap, truth) == 1 / 820
    # 800 pixels in one piece instead of twice 400
    together, kept = 800 * 799, 2 * 400 * 399
    assert rand_error(gap, truth) == pytest.approx(1 - 2 * kept / (kept + together), abs=1e-12)
    assert rand_error(gap, truth) > 0.3
    thick = ndimage.binary_erosion(truth, iterations=2, border_value=1)
    assert pixel_error(thick, truth) == 4 / 41
    assert rand_error(thick, truth) < 0.12


def test_no_pair_is_no_number():
    nothing = np.zeros((3, 3), bool)
    assert math.isnan(rand_error(nothing, nothing)) and math.isnan(rand_error(~nothing, nothing))
    assert math.isnan(pixel_error(nothing[:0], nothing[:0])) and math.isnan(warping_error(nothing[:0], nothing[:0]))


# --- warping error


def topology(mask):
    """The number of cells, and of pieces of membrane; around the image is membrane."""
    wide = np.pad(mask, 1)
    return label(wide, connectivity=1).max(), label(~wide, connectivity=2).max()


def test_the_table_knows_simple_pixels():
    """A pixel is simple when the 3 × 3 pixels around it have the same topology with it and without it, in a wide frame
    of membrane.

    That is the definition for the patch itself: a change of the pixel changes neither number, nor which pixels are
    connected in it.
    """
    assert len(instances.GROUPS) == 256
    edges = [(0, 1), (1, 0), (1, 2), (2, 1)]
    for code, groups in enumerate(instances.GROUPS):
        patch = np.zeros((3, 3), bool)
        for bit, (row, column) in enumerate(instances.RING):
            patch[1 + row, 1 + column] = code >> bit & 1
        cells, membranes = label(patch, connectivity=1), ~patch
        membranes[1, 1] = False
        touching = {cells[place] for place in edges} - {0}  # Bertrand's and Malandain's topological numbers
        around = label(membranes, connectivity=2).max()
        assert (groups == 1) == (len(touching) == 1 and around == 1), code
        assert not around or groups == len(touching), code


@given(masks(largest=20))
def test_bending_keeps_the_topology_and_goes_as_far_as_it_can(drawn):
    found, truth = drawn
    bent = warped(found, truth)
    assert bent.dtype == bool and bent.shape == truth.shape
    assert topology(bent) == topology(truth)
    assert euler_number(np.pad(bent, 1), connectivity=1) == euler_number(np.pad(truth, 1), connectivity=1)
    np.testing.assert_array_equal(bent[found == truth], truth[found == truth])
    for place in np.argwhere(bent != found):  # no single pixel that is left can be turned
        turned = bent.copy()
        turned[*place] = not turned[*place]
        row, column = place + 1
        ring = np.pad(bent, 1)[row - 1 : row + 2, column - 1 : column + 2]
        code = sum(int(ring[1 + i, 1 + j]) << bit for bit, (i, j) in enumerate(instances.RING))
        assert topology(turned) != topology(bent) or instances.GROUPS[code] != 1


@given(masks(largest=20))
def test_splits_tear_and_merges_join(drawn):
    """Turn each pixel that is left over, and count the cells."""
    found, truth = drawn
    bent, (splits, merges) = warped(found, truth), splits_and_merges(found, truth)
    cells = topology(bent)[0]
    for place in np.argwhere(bent != found):
        turned = bent.copy()
        turned[*place] = not turned[*place]
        isolated = topology(turned)[0] - cells
        if bent[*place]:
            assert splits[*place] == (isolated > 0) and not merges[*place]
        else:
            assert merges[*place] == (isolated < 0) and not splits[*place]
    assert not (splits | merges)[bent == found].any()
    assert warping_error(found, truth) == np.sum(splits | merges) / truth.size


@given(masks())
def test_equal_masks_have_no_error(drawn):
    _, truth = drawn
    assert warping_error(truth, truth) == pixel_error(truth, truth) == 0
    np.testing.assert_array_equal(warped(truth, truth), truth)


def two_cells(rows=12, columns=21, membrane=10, width=1):
    truth = np.zeros((rows + 2, columns + 2), bool)
    truth[1:-1, 1:-1] = True
    truth[:, membrane + 1 : membrane + 1 + width] = False
    return truth


@pytest.mark.parametrize(("width", "shift"), [(1, 1), (1, -1), (3, 1), (3, 3), (3, -3)])
def test_a_shifted_membrane_costs_nothing(width, shift):
    truth, found = two_cells(width=width), two_cells(width=width, membrane=10 + shift)
    assert pixel_error(found, truth) == 2 * abs(shift) * 12 / truth.size
    assert warping_error(found, truth) == 0
    np.testing.assert_array_equal(warped(found, truth), found)


@pytest.mark.parametrize(("width", "shift"), [(1, 2), (3, 4), (3, -5)])
def test_a_membrane_that_jumps_further_is_missing_here_and_too_many_there(width, shift):
    """Nothing between both places differs, or is turned: a split as wide as the new one, a merge as the old one."""
    truth, found = two_cells(width=width), two_cells(width=width, membrane=10 + shift)
    splits, merges = splits_and_merges(found, truth)
    assert (splits.sum(), merges.sum()) == (width, 12)


def test_a_thick_membrane_costs_nothing():
    truth = two_cells()
    thick = truth.copy()
    thick[:, 9:14] = False
    assert warping_error(thick, truth) == 0 < pixel_error(thick, truth)


def test_a_merge_costs_the_missing_membrane():
    truth = two_cells()
    merged, gap = truth.copy(), truth.copy()
    merged[1:-1, 11] = True
    gap[5, 11] = True
    assert warping_error(merged, truth) == 12 / truth.size
    assert warping_error(gap, truth) == 1 / truth.size
    splits, merges = splits_and_merges(merged, truth)
    assert not splits.any() and np.argwhere(merges).tolist() == [[row, 11] for row in range(1, 13)]


def test_a_split_costs_one_pixel():
    truth = two_cells()
    split = truth.copy()
    split[:, 4] = False
    splits, merges = splits_and_merges(split, truth)
    assert splits.sum() == 1 and splits[:, 4].any() and not merges.any()
    assert warping_error(split, truth) == 1 / truth.size


def test_cells_and_holes_that_come_and_go_are_no_splits():
    """Jain's first measure counts them, the challenge did not."""
    truth = np.pad(two_cells(), 4)
    added, lost, hole, filled = (truth.copy() for _ in range(4))
    added[1:3, 1:4] = True
    lost[:, 16:] = False
    hole[9, 9] = False
    for found in (added, lost, hole):
        assert warping_error(found, truth) == 0
        assert (warped(found, truth) != found).any()
    assert warping_error(filled, hole) == 0  # a hole that is filled
    assert (warped(filled, hole) != filled).sum() == 1


def test_around_the_image_is_membrane():
    """A cell that touches the edge may leave it, and one at two edges is cut off by nothing but the prediction."""
    truth = np.ones((6, 9), bool)
    found = truth.copy()
    found[:, 0] = False
    assert warping_error(found, truth) == 0
    found[:, 4] = False
    assert warping_error(found, truth) == 1 / 54


@pytest.mark.parametrize("kind", [np.uint8, np.int64, np.float32])
def test_masks_of_any_type(kind):
    truth, found = two_cells(), two_cells(membrane=4)
    for measure in (pixel_error, rand_error, warping_error):
        expected = measure(found, truth)
        assert type(expected) is float
        assert measure(found.astype(kind), truth.astype(kind)) == expected
        assert measure(found.tolist(), truth.tolist()) == expected
    for measure in (pixel_error, rand_error, warping_error):
        assert measure(torch.tensor(found), truth.tolist()) == measure(found, truth)


# --- errors


MASK, CELLS = np.zeros((2, 3), np.uint8), np.array([[1, 1, 2], [0, 2, 2]])


@pytest.mark.parametrize("measure", [seg, cell_scores, average_precision])
@pytest.mark.parametrize(
    ("prediction", "target", "message"),
    [
        (CELLS, CELLS.T, r"prediction: expected the shape of target, \(3, 2\), got \(2, 3\)"),
        (CELLS > 0, CELLS, r"prediction: expected cells with numbers, got a mask; connected\(prediction\)"),
        (CELLS, CELLS > 0, r"target: expected cells with numbers, got a mask; connected\(target\)"),
        (CELLS / 3, CELLS, r"prediction: expected whole numbers, one a cell; .* connected\(p > 0\.5\)"),
        (CELLS * np.nan, CELLS, "prediction: expected whole numbers"),
        (CELLS + np.inf, CELLS, "prediction: expected whole numbers"),
        (CELLS, CELLS - 1, "target: expected 0 for the background and cells from 1 up, got -1"),
        (CELLS[0], CELLS[0], r"target: expected shape \(H, W\).*, got \(3,\)"),
        ([[0], [0, 1]], CELLS, "prediction: expected an array, got rows of different lengths"),
    ],
)
def test_errors_about_cells_say_what_to_do(measure, prediction, target, message):
    with pytest.raises(ValueError, match=message):
        measure(prediction, target)


@pytest.mark.parametrize("measure", [pixel_error, rand_error, warping_error, warped, splits_and_merges])
@pytest.mark.parametrize(
    ("prediction", "target", "message"),
    [
        (MASK, MASK.T, r"prediction: expected the shape of target, \(3, 2\), got \(2, 3\)"),
        (MASK + 255, MASK, "prediction: expected a mask of 0 and 1, got 255; .* with array > 0"),
        (MASK + 0.3, MASK, r"prediction: expected a mask of 0 and 1, got 0\.3; .* p > 0\.5"),
        (MASK, CELLS, "target: expected a mask of 0 and 1, got 2"),
        (MASK * np.nan, MASK, "prediction: expected a mask of 0 and 1, got nan"),
    ],
)
def test_errors_about_masks_say_what_to_do(measure, prediction, target, message):
    with pytest.raises(ValueError, match=message):
        measure(prediction, target)


@pytest.mark.parametrize("measure", [rand_error, warping_error, average_precision])
def test_one_image_at_a_time(measure):
    with pytest.raises(ValueError, match=r"target: expected shape \(H, W\), got \(1, 2, 3\); take one image"):
        measure(CELLS[None] * 0, CELLS[None] * 0)


def test_what_is_no_number_is_named():
    for measure in (seg, pixel_error):
        with pytest.raises(TypeError, match="prediction: expected real numbers"):
            measure([["a"]], [[0]])


def test_the_lessons_can_import_all_names_from_metrics():
    assert all(getattr(metrics, name) is getattr(instances, name) for name in instances.__all__)


# --- real frames


@pytest.mark.needs("real frames")
def test_seg_of_the_silver_truth_of_the_cell_tracking_challenge():
    """What others measured on the same frames with a program of their own: 0.951 and 0.888."""
    folder = Path(os.environ["UNET_EDU_TEST_DATA"]) / "phc_u373"
    for sequence, expected in (("01", 0.951), ("02", 0.888)):
        paths = sorted((folder / sequence / "gold").glob("*.png"))
        assert len(paths) >= 15
        gold = np.stack([np.array(Image.open(path)) for path in paths])
        silver = np.stack([np.array(Image.open(folder / sequence / "silver" / path.name)) for path in paths])
        assert seg(silver, gold) == pytest.approx(expected, abs=5e-4)  # three digits are given


@pytest.mark.needs("real frames")
def test_a_slice_of_a_brain_moved_by_a_pixel():
    label_path = Path(os.environ["UNET_EDU_TEST_DATA"]) / "isbi2012_em" / "label" / "20.png"
    truth = np.array(Image.open(label_path)) > 0
    moved = np.roll(truth, 1, axis=1)
    assert pixel_error(moved, truth) > 0.03 and rand_error(moved, truth) < 0.02
    assert warping_error(moved, truth) < 1e-5


# ------------------------------------------------------------------------------------------------- kinds of mistakes


@pytest.mark.parametrize(
    ("found", "truth", "wrong"),
    [
        ([[1, 1, 0, 2, 2]], [[7, 7, 0, 3, 3]], {}),
        ([[1, 1, 1, 1, 1]], [[1, 1, 0, 2, 2]], {"merged": 2}),
        ([[1, 1, 2, 2, 0]], [[5, 5, 5, 5, 0]], {"split": 1}),
        ([[1, 1, 1, 2, 0]], [[5, 5, 5, 5, 0]], {}),  # one piece has more than half
        ([[1, 0, 0, 0, 0]], [[5, 5, 5, 5, 0]], {"missed": 1}),
        ([[1, 1, 0, 0, 0]], [[5, 5, 5, 5, 0]], {"split": 1}),  # exactly half is not more than half
        ([[1, 1, 0, 2, 2]], [[1, 1, 0, 0, 2]], {}),
        ([[1, 1, 0, 2, 2]], [[1, 1, 0, 0, 0]], {"invented": 1}),
        ([[0, 0, 0, 0, 0]], [[0, 0, 0, 0, 0]], {}),
    ],
)
def test_mistakes_are_counted_by_kind(found, truth, wrong):
    assert cell_mistakes(found, truth) == dict.fromkeys(("merged", "split", "missed", "invented"), 0) | wrong
