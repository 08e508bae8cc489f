"""What the side road on the traps of scores claims."""

import numpy as np
import pytest

from tests.lessons.claims import claim
from unet_edu.metrics import confusion_matrix, dice, iou, pixel_accuracy, precision, recall


@claim(
    'Image files often store "yes" as 255, the largest number that fits into a byte',
    "after 255 they begin again at 0",
    "Where the squares overlap, both masks hold 255. What is 255 · 255 in bytes?",
)
def test_bytes_run_over(lesson):
    A, B = lesson.A, lesson.B
    assert A[2, 2] == B[2, 2] == 255 == np.iinfo(np.uint8).max and (A * B)[2, 2] == 1 and (A + B)[2, 2] == 254
    assert not np.isclose(lesson.overlap / lesson.union, 4 / 14, atol=0.1)
    with pytest.raises(ValueError, match="no class|255"):
        confusion_matrix(A, B, 2)


@claim("makes a mask of True and False from any of these forms", "1 of 255 is nearly nothing")
def test_one_comparison_mends_it(lesson):
    assert iou(confusion_matrix(lesson.A > 0, lesson.B > 0, 2))[1] == 4 / 14
    assert 1 / 255 < 0.004


@claim('answers NaN ("not a number") unless you say what an empty union shall count')
def test_the_empty_union(lesson):
    assert np.isnan(iou(lesson.nothing_at_all)[1]) and iou(lesson.nothing_at_all, empty=1.0)[1] == 1


@claim("FP and FN change places. IoU and Dice do not notice. Two other measures do")
def test_the_truth_exchanged(lesson):
    tables = [confusion_matrix(*pair, 2) for pair in lesson.orders.values()]
    assert np.array_equal(tables[0], tables[1].T)
    for measure in (iou, dice):
        assert measure(tables[0])[1] == measure(tables[1])[1]
    assert precision(tables[0])[1] == recall(tables[1])[1] != precision(tables[1])[1]


@claim("Each score has answers that are cheap and look good on it.")
def test_nothing_and_everything(lesson):
    truth = lesson.cell_mask
    nothing, everything = (confusion_matrix(np.full_like(truth, value), truth, 2) for value in (0, 1))
    assert pixel_accuracy(nothing) > 0.95 and iou(nothing)[1] == 0
    assert iou(everything)[1] == pixel_accuracy(everything) == np.mean(truth) and recall(everything)[1] == 1


@claim("Pooled, the large motorcycle counts most, and the small cell hardly at all.")
def test_two_means(lesson):
    assert lesson.per_image - lesson.pooled > 0.1
    coins, cell, motorcycle = lesson.tables
    assert abs(iou(coins + motorcycle)[1] - lesson.pooled) < 0.04 < abs(iou(coins + cell)[1] - lesson.pooled)
    assert np.argmax([table[1].sum() for table in lesson.tables]) == 2
