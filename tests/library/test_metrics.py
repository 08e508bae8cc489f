"""The measures against hand-made cases, against a brute-force count, and against what must hold between them."""

import inspect
import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from skimage.metrics import adapted_rand_error, contingency_table

from tests.torch_or_skip import torch
from unet_edu.metrics import confusion_matrix, dice, iou, mean_iou, pixel_accuracy, precision, recall

# quotients of whole numbers below 100: a wrong one is off by 1e-4 or more, rounding by less than 1e-15
CLOSE = {"rtol": 0, "atol": 1e-12}

# four classes of which the last is nowhere; no two counts in mirrored places are equal
TARGET = np.array([[0, 0, 0, 1], [1, 1, 2, 2], [0, 2, 2, 2]])
PREDICTION = np.array([[0, 1, 0, 1], [2, 2, 2, 2], [1, 0, 2, 2]])
TABLE = [[2, 2, 0, 0], [0, 1, 2, 0], [1, 0, 4, 0], [0, 0, 0, 0]]


@st.composite
def pairs(draw):
    """A prediction and a target of one shape, and how many classes there may be in them."""
    K = draw(st.integers(1, 5))
    shape = draw(st.lists(st.integers(0, 5), min_size=1, max_size=3))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    return rng.integers(0, K, shape), rng.integers(0, K, shape), K


def brute(prediction, target, K):
    """The definition: look at each pixel."""
    table = [[0] * K for _ in range(K)]
    for i, j in zip(np.ravel(target).tolist(), np.ravel(prediction).tolist(), strict=True):
        table[i][j] += 1
    return table


def jaccard(a, b):
    """Of two sets."""
    return Fraction(len(a & b), len(a | b)) if a | b else math.nan


def pixels(mask):
    return {tuple(place) for place in np.argwhere(mask).tolist()}


def test_rows_are_truth():
    assert confusion_matrix(PREDICTION, TARGET, 4).tolist() == TABLE
    assert confusion_matrix(TARGET, PREDICTION, 4).T.tolist() == TABLE


@given(pairs())
def test_each_pixel_is_counted_once(drawn):
    prediction, target, K = drawn
    table = confusion_matrix(prediction, target, K)
    assert table.tolist() == brute(prediction, target, K) and table.dtype == np.int64
    assert table.sum() == target.size
    assert table.sum(axis=1).tolist() == np.bincount(target.ravel(), minlength=K).tolist()


@given(pairs())
def test_scikit_image_counts_the_same(drawn):
    prediction, target, K = drawn
    if target.size:
        table = contingency_table(target, prediction).toarray()
        np.testing.assert_array_equal(
            confusion_matrix(prediction, target, K)[: table.shape[0], : table.shape[1]], table
        )


@given(pairs())
def test_iou_and_dice_are_those_of_the_sets_of_pixels(drawn):
    prediction, target, K = drawn
    table = confusion_matrix(prediction, target, K)
    a, b = [pixels(prediction == k) for k in range(K)], [pixels(target == k) for k in range(K)]
    np.testing.assert_allclose(iou(table), [float(jaccard(a[k], b[k])) for k in range(K)], **CLOSE)
    sizes = [len(a[k]) + len(b[k]) for k in range(K)]
    expected = [2 * len(a[k] & b[k]) / sizes[k] if sizes[k] else math.nan for k in range(K)]
    np.testing.assert_allclose(dice(table), expected, **CLOSE)
    for measure, all_of_it in ((precision, a), (recall, b)):
        expected = [len(a[k] & b[k]) / len(all_of_it[k]) if all_of_it[k] else math.nan for k in range(K)]
        np.testing.assert_allclose(measure(table), expected, **CLOSE)


@given(pairs())
def test_what_must_hold_between_the_measures(drawn):
    prediction, target, K = drawn
    table = confusion_matrix(prediction, target, K)
    J, D = iou(table), dice(table)
    np.testing.assert_allclose(D, 2 * J / (1 + J), **CLOSE)
    assert (np.isnan(J) | (J <= D)).all()
    np.testing.assert_array_equal(iou(table.T), J)  # neither measure asks which of the two is the truth
    np.testing.assert_array_equal(precision(table.T), recall(table))
    order = np.random.default_rng(0).permutation(K)
    np.testing.assert_array_equal(iou(table[order][:, order]), J[order])


@given(pairs())
def test_a_perfect_prediction_scores_one(drawn):
    _, target, K = drawn
    table = confusion_matrix(target, target, K)
    assert set(iou(table)[np.unique(target)]) <= {1.0}
    np.testing.assert_equal(float(pixel_accuracy(table)), 1.0 if target.size else math.nan)
    np.testing.assert_equal(float(mean_iou(table)), 1.0 if target.size else math.nan)


def test_worked_example():
    np.testing.assert_allclose(iou(TABLE), [2 / 5, 1 / 5, 4 / 7, np.nan], **CLOSE)
    np.testing.assert_allclose(dice(TABLE), [4 / 7, 2 / 6, 8 / 11, np.nan], **CLOSE)
    np.testing.assert_allclose(precision(TABLE), [2 / 3, 1 / 3, 4 / 6, np.nan], **CLOSE)
    np.testing.assert_allclose(recall(TABLE), [2 / 4, 1 / 3, 4 / 5, np.nan], **CLOSE)
    assert pixel_accuracy(TABLE) == 7 / 12
    assert mean_iou(TABLE) == pytest.approx((2 / 5 + 1 / 5 + 4 / 7) / 3, abs=1e-12)


def test_a_class_that_is_nowhere_has_the_answer_one_asks_for():
    nothing = confusion_matrix(np.zeros((2, 3), int), np.zeros((2, 3), int), 2)
    for measure in (iou, dice, precision, recall):
        np.testing.assert_array_equal(measure(nothing), [1.0, np.nan])
        np.testing.assert_array_equal(measure(nothing, empty=1.0), [1.0, 1.0])
    invented = confusion_matrix([[0, 1]], [[0, 0]], 2)  # nothing to find, and something found: that is wrong, not open
    assert iou(invented, empty=1.0)[1] == dice(invented, empty=1.0)[1] == 0
    assert math.isnan(recall(invented)[1]) and precision(invented)[1] == 0


def test_no_pixel_at_all():
    none = confusion_matrix(np.zeros((0, 4), int), np.zeros((0, 4), int), 3)
    assert none.tolist() == [[0] * 3] * 3
    assert math.isnan(pixel_accuracy(none)) and math.isnan(mean_iou(none)) and np.isnan(iou(none)).all()


def test_per_image_and_pooled():
    """A large object found and a small one missed: pooled, the small one hardly counts."""
    target = np.zeros((2, 10, 12), bool)
    target[0, 2:9, 1:11], target[1, 4, 5] = True, True
    prediction = target.copy()
    prediction[1] = False
    tables = confusion_matrix(prediction, target, 2, per_image=True)
    assert tables.shape == (2, 2, 2)
    for n in range(2):
        np.testing.assert_array_equal(tables[n], confusion_matrix(prediction[n], target[n], 2))
    np.testing.assert_array_equal(tables.sum(axis=0), confusion_matrix(prediction, target, 2))
    assert iou(tables)[:, 1].mean() == 0.5
    assert iou(tables.sum(axis=0))[1] == 70 / 71
    assert pixel_accuracy(tables).shape == mean_iou(tables).shape == (2,)


@given(pairs(), st.integers(0, 2**32 - 1))
def test_ignored_pixels_are_as_if_they_were_not_there(drawn, seed):
    prediction, target, K = drawn
    unknown = np.random.default_rng(seed).random(target.shape) < 0.4
    marked, wild = np.where(unknown, 255, target), np.where(unknown, -7, prediction)
    expected = brute(prediction[~unknown], target[~unknown], K)
    assert confusion_matrix(prediction, marked, K, ignore_index=255).tolist() == expected
    assert confusion_matrix(wild, marked, K, ignore_index=255).tolist() == expected
    tables = confusion_matrix(prediction[None], marked[None], K, ignore_index=255, per_image=True)
    assert tables.tolist() == [expected]


def test_ignored_pixels_stay_with_their_image():
    target = np.array([[0, 255, 1], [255, 255, 1]])
    tables = confusion_matrix(np.ones_like(target), target, 2, ignore_index=255, per_image=True)
    assert tables.tolist() == [[[0, 1], [0, 1]], [[0, 0], [0, 1]]]


@pytest.mark.parametrize("dtype", [bool, np.uint8, np.int8, np.int64, np.uint64, np.float32, np.float64])
def test_any_type_of_mask(dtype):
    table = confusion_matrix((PREDICTION > 1).astype(dtype), (TARGET > 1).astype(dtype), 2)
    assert table.tolist() == [[5, 2], [1, 4]]


def test_tensors_and_lists():
    assert confusion_matrix(torch.tensor(PREDICTION), TARGET.tolist(), 4).tolist() == TABLE


def test_many_classes_in_bytes_do_not_wrap_around():
    labels = np.arange(200, dtype=np.uint8)
    for dtype in (np.uint8, np.float32):
        assert np.array_equal(confusion_matrix(labels.astype(dtype), labels, 200), np.eye(200, dtype=int))
    table = np.full((2, 2), 200, np.uint8)
    assert iou(table).tolist() == [1 / 3, 1 / 3]
    assert dice(table).tolist() == [1 / 2, 1 / 2]  # 2 · 200 in bytes would be 144


def test_the_rand_error_of_scikit_image_agrees_on_a_binary_mask():
    """An independent measure of the same table: how many pairs of pixels are together in one and not in the other."""
    rng = np.random.default_rng(3)
    target, prediction = rng.integers(1, 3, (2, 20, 30))
    table = confusion_matrix(prediction - 1, target - 1, 2).astype(float)
    same_in_both = (table**2).sum() - table.sum()
    together = [(table.sum(axis=axis) ** 2).sum() - table.sum() for axis in (0, 1)]
    error, _, _ = adapted_rand_error(target, prediction)
    assert error == pytest.approx(1 - 2 * same_in_both / sum(together), abs=1e-12)


HALF = np.full((2, 3), 0.5)
MASK = np.zeros((2, 3), np.uint8)
BAD_PIXELS = {
    "mask of 0 and 255": ((MASK + 255, MASK, 2), "prediction: .* from 0 to 1, got 255; .* with mask > 0"),
    "target of 0 and 255": ((MASK, MASK + 255, 2), "target: .* from 0 to 1, got 255; .* with mask > 0"),
    "probabilities": ((HALF, MASK, 2), r"prediction: expected class numbers, got 0\.5; .* p > 0\.5"),
    "NaN": ((HALF * np.nan, MASK, 2), "prediction: expected class numbers, got nan"),
    "infinity": ((HALF * np.inf, MASK, 2), "prediction: expected class numbers, got inf"),
    "too many classes": ((MASK, MASK + 3, 3), "target: .* from 0 to 2, got 3; num_classes counts the background too"),
    "negative": ((MASK.astype(int) - 1, MASK, 2), "prediction: .* got -1; .* ignore_index"),
    "some negative": (([[-1, 0, 1]] * 2, MASK, 2), "prediction: .* got -1; "),
    "0, 1 and 255": ((MASK, [[0, 1, 255]] * 2, 2), "target: .* got 255; (?!.*mask > 0).* ignore_index"),
    "one probability among classes": (([[0, 1, 0.25]] * 2, MASK, 2), r"prediction: expected class numbers, got 0\.25"),
    "floats out of range": (
        (MASK + 2.0, MASK, 2),
        "prediction: expected class numbers from 0 to 1, got 2; num_classes",
    ),
    "shapes": ((MASK, MASK.T, 2), r"prediction: expected the shape of target, \(3, 2\), got \(2, 3\)"),
    "no class": ((MASK, MASK, 0), "num_classes: expected an int of at least 1, got 0"),
    "scores": ((np.zeros((1, 2, 2, 3)), MASK[None], 2), r"expected the shape of target.*scores\.argmax\(axis=1\)"),
    "ragged": (([[0], [0, 1]], MASK, 2), "prediction: expected an array, got rows of different lengths"),
}


@pytest.mark.parametrize(("arguments", "message"), BAD_PIXELS.values(), ids=BAD_PIXELS)
def test_errors_say_what_to_do(arguments, message):
    with pytest.raises(ValueError, match=message):
        confusion_matrix(*arguments)


def test_shapes_that_could_be_stretched_to_fit_are_refused():
    """NumPy would broadcast (1, 3) over (2, 3) and count each predicted pixel twice."""
    with pytest.raises(ValueError, match="expected the shape of target"):
        confusion_matrix(MASK[:1], MASK, 2)


def test_per_image_needs_an_axis_of_images():
    with pytest.raises(ValueError, match=r"expected an axis of images before the pixels, got shape \(3,\)"):
        confusion_matrix([0, 1, 0], [0, 1, 1], 2, per_image=True)


@pytest.mark.parametrize("bad", [[["a"]], np.array([[1j]]), [[None]]])
def test_what_is_no_number_is_named(bad):
    with pytest.raises(TypeError, match="prediction: expected real numbers"):
        confusion_matrix(bad, [[0]], 2)


@pytest.mark.parametrize("measure", [iou, dice, precision, recall, pixel_accuracy, mean_iou])
@pytest.mark.parametrize(
    ("table", "message"),
    [
        (np.zeros((2, 3)), r"confusion: expected a table \(\.\.\., K, K\) .* confusion_matrix\(mask, truth, 2\)"),
        ([1, 2], "confusion: expected a table"),
        (np.zeros((0, 0)), "confusion: expected a table"),
        ([[1, -1], [0, 2]], "confusion: expected counts, none of them negative"),
        ([[1, np.nan], [0, 2]], "confusion: expected counts"),
        ([[1, np.inf], [0, 2]], "confusion: expected counts"),
    ],
)
def test_measures_take_only_tables_of_counts(measure, table, message):
    with pytest.raises(ValueError, match=message):
        measure(table)


@pytest.mark.parametrize("measure", [iou, dice, precision, recall, pixel_accuracy, mean_iou])
def test_who_gives_two_masks_is_told_how(measure):
    advice = rf"^{measure.__name__}: expected one table .* got 2 arguments; .* {measure.__name__}\(confusion_matrix\("
    with pytest.raises(TypeError, match=advice):
        measure(MASK, MASK)
    assert measure.__doc__ and next(iter(inspect.signature(measure).parameters)) == "confusion"
    with pytest.raises(TypeError, match="confusion: expected real numbers"):
        measure([["a"]])


def test_each_image_has_its_own_answers():
    """(..., K, K) in, (..., K) or (...) out, for any axes in front."""
    tables = np.random.default_rng(1).integers(0, 9, (2, 5, 3, 3))
    for measure in (iou, dice, precision, recall, pixel_accuracy, mean_iou):
        expected = [[measure(table) for table in some] for some in tables]
        np.testing.assert_array_equal(measure(tables), expected)
        assert measure(tables).dtype == np.float64


def test_no_image_has_no_table():
    assert confusion_matrix(np.zeros((0, 4), int), np.zeros((0, 4), int), 2, per_image=True).shape == (0, 2, 2)


@pytest.mark.parametrize("per_image", [False, True])
def test_the_tables_are_whole_numbers(per_image):
    assert confusion_matrix(PREDICTION, TARGET, 4, per_image=per_image).dtype == np.int64
