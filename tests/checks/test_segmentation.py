"""The exercises of lesson 01: the numbers of the notebook, and what students really write gets its hint."""

import warnings

import numpy as np
import pytest

from tests.checks.answers.s01_segmentation import RIGHT, iou_by_logic
from tests.checks.judging import cases_of, worked
from unet_edu import check
from unet_edu.lessons import EXERCISES


def test_the_worked_numbers_of_the_notebook():
    case, right, wrong = worked("label_map")
    assert case.args[0].shape == (2, 3, 2, 4)
    assert right.tolist() == [[[0, 1, 1, 1], [0, 2, 1, 2]], [[1, 0, 2, 0], [1, 2, 0, 1]]]
    assert wrong["search that starts from 0"][0, 0, 3] == 0  # where all scores are negative
    assert wrong["largest over the images"].shape == (3, 2, 4)

    case, planes, wrong = worked("one_hot")
    assert planes.tolist() == [
        [[[1, 0, 0], [0, 0, 1]], [[0, 0, 1], [0, 0, 0]], [[0, 1, 0], [1, 1, 0]], [[0, 0, 0], [0, 0, 0]]]
    ]
    assert np.array_equal(planes.argmax(axis=1), case.args[0]) and (planes.sum(axis=1) == 1).all()
    assert wrong["channels last"].shape == (1, 2, 3, 4)

    _, right, wrong = worked("confusion")
    assert right.tolist() == [[2, 1, 0], [0, 1, 0], [0, 1, 1]]
    assert wrong["rows and columns swapped"].tolist() == [[2, 0, 0], [1, 1, 1], [0, 0, 1]]

    _, right, wrong = worked("iou")
    assert right == 4 / 14
    dice = wrong["Dice"]
    assert dice == 8 / 18 == pytest.approx(2 * (4 / 14) / (1 + 4 / 14))
    assert (wrong["accuracy"], wrong["divided by the truth"]) == (10 / 20, 4 / 9)
    assert worked("iou", 1)[1] == 1.0

    case, right, wrong = worked("repair_score")
    assert right == 1 and np.array_equal(*case.args[:2]) and wrong["as it was given"] == pytest.approx(2 / 3)
    (predictions, targets, classes), right, wrong = (worked("repair_score", 1)[0].args, *worked("repair_score", 1)[1:])
    assert right == pytest.approx((5 / 7 + 2 / 3 + 3 / 4) / 3) and f"{right:.4f}" == "0.7103"
    assert f"{wrong['as it was given']:.4f}" == "0.4722"
    # In one image the same pixels get the same score; before the repair they got another.
    together = predictions.reshape(1, 4, 3), targets.reshape(1, 4, 3), classes
    assert EXERCISES["repair_score"].reference(*together) == right
    assert f"{EXERCISES['repair_score'].mistakes[0].wrong(*together):.4f}" == "0.7103"


def test_bytes_wrap_around_as_the_hint_says():
    a = np.array([255], np.uint8)
    assert (a * a)[0] == 1 and (a + a)[0] == 254 and (a + a - a * a)[0] == 253
    with pytest.raises(TypeError, match="boolean subtract"):
        np.array([True]) - np.array([True])


def test_scores_have_no_ties_and_labels_no_symmetry():
    for seed in range(20):
        for case in cases_of("label_map", seed):
            scores = np.sort(case.args[0], axis=1)
            assert (scores[:, -1] - scores[:, -2]).min() >= 0.002
        tables = [case.call(EXERCISES["confusion"].reference) for case in cases_of("confusion", seed)]
        assert sum((table != table.T).any() for table in tables) >= len(tables) - 2  # one of 2×2 may be so by chance


# --- what students write, as they write it ----------------------------------------------------------------------------


@pytest.mark.parametrize("divide", ["numpy", "python"])
@pytest.mark.parametrize("rule", ["Dice", "overlap counted twice", "divided by the truth"])
def test_a_wrong_ratio_is_recognised_though_empty_masks_are_not_treated(rule, divide):
    """0 / 0 is NaN in NumPy and an error in Python; the hint is about the other mistake either way."""

    def iou(prediction, target):
        p, t = prediction > 0, target > 0
        both = (p & t).sum() * (2 if rule == "Dice" else 1)
        whole = t.sum() if rule == "divided by the truth" else p.sum() + t.sum()
        return both / whole if divide == "numpy" else int(both) / int(whole)

    with warnings.catch_warnings():
        warnings.simplefilter("error")  # none of NumPy's comes between the verdict and its reader
        assert check(iou).misconception == rule


@pytest.mark.parametrize("divide", ["numpy", "python"])
def test_only_the_empty_masks_are_left(divide):
    def iou(prediction, target):
        p, t = prediction > 0, target > 0
        both, union = (p & t).sum(), (p | t).sum()
        return both / union if divide == "numpy" else int(both) / int(union)

    result = check(iou)
    assert (result.status, result.hint, result.case.name) == ("failed", "", "two masks without any object")
    told = "nan is what 0 / 0 gives" if divide == "numpy" else "Can the number below the line be 0 in this case"
    assert told in result.message


@pytest.mark.parametrize("binary", [lambda mask: mask, lambda mask: mask > 0], ids=["as it is", "binary"])
def test_accuracy_is_recognised_whether_the_masks_are_made_alike_or_not(binary):
    assert (
        check(lambda prediction, target: (binary(prediction) == binary(target)).mean(), "iou").misconception
        == "accuracy"
    )


def test_an_object_may_have_any_number():
    assert not check(lambda prediction, target: iou_by_logic(prediction % 2, target % 2), "iou").passed


def test_nan_matches_no_misconception():
    assert check(lambda prediction, target: np.nan, "iou").hint == ""


def test_numbers_in_bytes_are_recognised():
    def iou(prediction, target):
        both = (prediction * target).sum()
        union = prediction.sum() + target.sum() - both
        return both / union if union else 1.0

    assert check(iou).misconception == "255 taken as a number"

    def by_pixels(prediction, target):
        both = prediction * target
        either = prediction + target - both
        return both.sum() / either.sum() if either.sum() else 1.0

    result = check(by_pixels, "iou")
    assert result.misconception == "masks added and multiplied"
    assert "It stopped with an error in another case" in result.message


def test_floats_are_no_labels():
    result = check(lambda logits: logits.argmax(axis=1).astype(float), "label_map")
    assert result.status == "failed" and "of type float" in result.message


def test_the_pictures_of_masks_are_drawn():
    for name in RIGHT:
        wrong = EXERCISES[name].mistakes[0].wrong
        page = check(wrong, name)._repr_html_()
        assert page.count("<table") >= 2 or name == "iou"
    assert (
        "True"
        not in check(lambda mask, num_classes: mask[:, None] > np.zeros((num_classes, 1, 1)), "one_hot")._repr_html_()
    )
