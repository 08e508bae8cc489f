"""The exercises of lesson 01: right answers pass, however they are written; what students really write gets its hint."""

import warnings

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from tests.checks.judging import assert_right, judged
from unet_edu import check
from unet_edu.checks import attempt
from unet_edu.lessons import EXERCISES, s01_segmentation


def labels_by_loops(logits):
    N, K, H, W = logits.shape
    y = np.zeros((N, H, W), dtype=int)
    for n in range(N):
        for i in range(H):
            for j in range(W):
                best = 0
                for k in range(K):
                    if logits[n, k, i, j] > logits[n, best, i, j]:
                        best = k
                y[n, i, j] = best
    return y


def labels_by_running_maximum(logits):
    best, labels = np.full_like(logits[:, 0], -np.inf), np.zeros(logits[:, 0].shape, np.uint8)
    for k in range(logits.shape[1]):
        larger = logits[:, k] > best
        best, labels = np.where(larger, logits[:, k], best), np.where(larger, k, labels)
    return labels


def labels_in_torch(logits):
    return torch.softmax(torch.tensor(logits, dtype=torch.float64, requires_grad=True), dim=1).argmax(dim=1)


def planes_by_loops(mask, num_classes):
    N, H, W = mask.shape
    y = np.zeros((N, num_classes, H, W))
    for n in range(N):
        for i in range(H):
            for j in range(W):
                y[n, mask[n, i, j], i, j] = 1
    return y


def planes_of_true_and_false(mask, num_classes):
    return np.stack([mask == k for k in range(num_classes)], axis=1)


def planes_by_identity(mask, num_classes):
    return np.eye(num_classes, dtype=np.float32)[mask].transpose(0, 3, 1, 2)


def planes_in_torch(mask, num_classes):
    return F.one_hot(torch.tensor(mask.astype(np.int64)), num_classes).permute(0, 3, 1, 2)


def table_by_loops(prediction, target, num_classes):
    table = [[0] * num_classes for _ in range(num_classes)]
    for p, t in zip(prediction.ravel(), target.ravel(), strict=True):
        table[t][p] += 1
    return table


def table_by_masks(prediction, target, num_classes):
    return np.array(
        [[np.sum((target == i) & (prediction == j)) for j in range(num_classes)] for i in range(num_classes)]
    )


def table_by_bincount(prediction, target, num_classes):
    places = (num_classes * target + prediction).ravel()
    return np.bincount(places, minlength=num_classes**2).reshape(num_classes, num_classes)


def table_by_add_at(prediction, target, num_classes):
    table = np.zeros((num_classes, num_classes), dtype=np.int32)
    np.add.at(table, (target, prediction), 1)
    return table


def table_by_planes(prediction, target, num_classes):
    p, t = (F.one_hot(torch.tensor(labels.ravel()), num_classes) for labels in (prediction, target))
    return t.T @ p


def iou_by_logic(prediction, target):
    p, t = prediction > 0, target > 0
    union = np.logical_or(p, t).sum()
    return np.logical_and(p, t).sum() / union if union > 0 else 1.0


def iou_by_loops(prediction, target):
    both = either = 0
    for p, t in zip(prediction.ravel(), target.ravel(), strict=True):
        if p and t:
            both += 1
        if p or t:
            either += 1
    if either == 0:
        return 1
    return both / either


def iou_by_sets(prediction, target):
    p, t = (set(zip(*np.nonzero(mask), strict=True)) for mask in (prediction, target))
    return len(p & t) / len(p | t) if p | t else 1.0


def iou_with_a_tiny_number(prediction, target):
    p, t = torch.tensor(prediction != 0), torch.tensor(target != 0)
    return ((p & t).sum() + 1e-7) / ((p | t).sum() + 1e-7)


RIGHT = {
    "label_map": [
        labels_by_loops,
        labels_by_running_maximum,
        labels_in_torch,
        lambda logits: np.argsort(logits, axis=1)[:, -1],
    ],
    "one_hot": [planes_by_loops, planes_of_true_and_false, planes_by_identity, planes_in_torch],
    "confusion": [table_by_loops, table_by_masks, table_by_bincount, table_by_add_at, table_by_planes],
    "iou": [iou_by_logic, iou_by_loops, iou_by_sets, iou_with_a_tiny_number],
}


@pytest.mark.parametrize("exercise", s01_segmentation.LESSON.exercises, ids=lambda exercise: exercise.name)
def test_right_answers_pass_however_they_are_written(exercise):
    assert_right(exercise, RIGHT[exercise.name])


def visible(name: str, number: int = 0):
    """A case of the notebook, and what the misconceptions make of it."""
    exercise = EXERCISES[name]
    case = exercise.cases(np.random.default_rng())[number]
    assert case.group == "visible"
    return case, {m.name: attempt(m.wrong, case).value for m in exercise.mistakes}


def test_the_worked_numbers_of_the_notebook():
    case, wrong = visible("label_map")
    assert case.args[0].shape == (2, 3, 2, 4)
    assert s01_segmentation.LABEL_MAP.reference(*case.args).tolist() == [
        [[0, 1, 1, 1], [0, 2, 1, 2]],
        [[1, 0, 2, 0], [1, 2, 0, 1]],
    ]
    assert wrong["search that starts from 0"][0, 0, 3] == 0  # where all scores are negative
    assert wrong["largest over the images"].shape == (3, 2, 4)

    case, wrong = visible("one_hot")
    planes = s01_segmentation.ONE_HOT.reference(*case.args)
    assert planes.tolist() == [
        [[[1, 0, 0], [0, 0, 1]], [[0, 0, 1], [0, 0, 0]], [[0, 1, 0], [1, 1, 0]], [[0, 0, 0], [0, 0, 0]]]
    ]
    assert np.array_equal(planes.argmax(axis=1), case.args[0]) and (planes.sum(axis=1) == 1).all()
    assert wrong["channels last"].shape == (1, 2, 3, 4)

    case, wrong = visible("confusion")
    assert s01_segmentation.CONFUSION.reference(*case.args).tolist() == [[2, 1, 0], [0, 1, 0], [0, 1, 1]]
    assert wrong["rows and columns swapped"].tolist() == [[2, 0, 0], [1, 1, 1], [0, 0, 1]]

    case, wrong = visible("iou")
    assert s01_segmentation.IOU.reference(*case.args) == 4 / 14
    dice = wrong["Dice"]
    assert dice == 8 / 18 == pytest.approx(2 * (4 / 14) / (1 + 4 / 14))
    assert (wrong["accuracy"], wrong["divided by the truth"]) == (10 / 20, 4 / 9)
    assert s01_segmentation.IOU.reference(*visible("iou", 1)[0].args) == 1.0


def test_bytes_wrap_around_as_the_hint_says():
    a = np.array([255], np.uint8)
    assert (a * a)[0] == 1 and (a + a)[0] == 254 and (a + a - a * a)[0] == 253
    with pytest.raises(TypeError, match="boolean subtract"):
        np.array([True]) - np.array([True])


def test_scores_have_no_ties_and_labels_no_symmetry():
    for seed in range(20):
        for case in s01_segmentation.LABEL_MAP.cases(np.random.default_rng(seed)):
            scores = np.sort(case.args[0], axis=1)
            assert (scores[:, -1] - scores[:, -2]).min() >= 0.002
        tables = [
            s01_segmentation.CONFUSION.reference(*case.args)
            for case in s01_segmentation.CONFUSION.cases(np.random.default_rng(seed))
        ]
        assert sum((table != table.T).any() for table in tables) >= len(tables) - 2  # one of 2×2 may be so by chance


# --- what students write, as they write it ------------------------------------------------------------------------------


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


def test_a_loop_that_stops_one_class_early_is_recognised():
    def label_map(logits):
        y = np.zeros(logits[:, 0].shape, dtype=int)
        for n, i, j in np.ndindex(y.shape):
            for k in range(logits.shape[1] - 1):
                if logits[n, k, i, j] > logits[n, y[n, i, j], i, j]:
                    y[n, i, j] = k
        return y

    assert check(label_map).misconception == "last class forgotten"


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


def test_fancy_indices_that_count_once_are_recognised():
    def confusion(prediction, target, num_classes):
        C = np.zeros((num_classes, num_classes), dtype=int)
        C[target, prediction] += 1
        return C

    assert check(confusion).misconception == "each pair counted once"


def test_a_table_that_is_too_small_is_recognised_though_an_index_may_leave_it():
    def confusion(prediction, target, num_classes):
        C = np.zeros((target.max() + 1, target.max() + 1), dtype=int)
        for t, p in zip(target.ravel(), prediction.ravel(), strict=True):
            C[t, p] += 1
        return C

    assert check(confusion).misconception == "size from the labels"


def test_counting_from_1_is_recognised():
    def confusion(prediction, target, num_classes):
        C = np.zeros((num_classes, num_classes), dtype=int)
        for t, p in zip(target.ravel(), prediction.ravel(), strict=True):
            C[t - 1, p - 1] += 1
        return C

    assert check(confusion).misconception == "classes counted from 1"


def test_planes_that_were_reshaped_are_recognised():
    def one_hot(mask, num_classes):
        return np.eye(num_classes)[mask].reshape(len(mask), num_classes, *mask.shape[1:])

    def swapped(mask, num_classes):
        return np.eye(num_classes)[mask].swapaxes(1, 3)

    def turned(mask, num_classes):
        return np.eye(num_classes)[mask].T

    def last(mask, num_classes):
        return np.eye(num_classes)[mask]

    assert check(one_hot).misconception == "reshaped in place of moved"
    assert check(swapped, "one_hot").misconception == "axes swapped"
    assert check(turned, "one_hot").misconception == "all axes turned round"
    assert check(last, "one_hot").misconception == "channels last"


def test_a_return_inside_the_loop_is_recognised():
    def one_hot(mask, num_classes):
        y = np.zeros((len(mask), num_classes, *mask.shape[1:]))
        for k in range(num_classes):
            y[:, k] = mask == k
            return y

    assert check(one_hot).misconception == "only the first plane"


def test_rounded_probabilities_are_recognised():
    def label_map(logits):
        p = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
        return p.round().argmax(axis=1)

    assert judged(EXERCISES["label_map"], label_map, 0).misconception == "rounded probabilities"


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
