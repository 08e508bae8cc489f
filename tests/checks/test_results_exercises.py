"""Lesson 09's exercises: right answers in many styles, the numbers of the lesson, and mistakes as students write them."""

import statistics

import numpy as np
import pytest
import torch

from tests.checks.judging import assert_right
from unet_edu import check
from unet_edu import metrics as library
from unet_edu.lessons.s09_results import LESSON

BY_NAME = {exercise.name: exercise for exercise in LESSON.exercises}


# --- right answers, written in different ways ---------------------------------------------------------------------------


def swept_by_loops(probabilities, truth, thresholds):
    table = np.zeros((len(thresholds), 3))
    for n, t in enumerate(thresholds):
        tp = fp = fn = 0
        for p, is_object in zip(probabilities.ravel(), truth.ravel(), strict=True):
            tp, fp, fn = tp + (p >= t and is_object), fp + (p >= t and not is_object), fn + (p < t and is_object)
        table[n] = tp / (tp + fp), tp / (tp + fn), tp / (tp + fp + fn)
    return table


def swept_at_once(probabilities, truth, thresholds):
    masks = probabilities.ravel() >= np.reshape(thresholds, (-1, 1))
    both, called, true = (masks & truth.ravel()).sum(1), masks.sum(1), truth.sum()
    return np.float32(np.stack([both / called, both / true, both / (called + true - both)], axis=1))


def swept_by_library(probabilities, truth, thresholds):
    tables = [library.confusion_matrix(probabilities >= t, truth, 2) for t in thresholds]
    return [[library.precision(c)[1], library.recall(c)[1], library.iou(c)[1]] for c in tables]


def swept_in_torch(probabilities, truth, thresholds):
    p, truth = torch.tensor(probabilities).flatten(), torch.tensor(truth).flatten()
    masks = p[None] >= torch.tensor(thresholds)[:, None]
    both = (masks & truth).sum(1).double()
    return torch.stack([both / masks.sum(1), both / truth.sum(), both / (masks | truth).sum(1)], dim=1)


def mean_by_loops(predictions, truths):
    total = 0
    for p, t in zip(predictions, truths, strict=True):
        union = np.logical_or(p, t).sum()
        total += 1 if union == 0 else np.logical_and(p, t).sum() / union
    return total / len(truths)


def mean_at_once(predictions, truths):
    both, union = (predictions & truths).sum((1, 2)), (predictions | truths).sum((1, 2))
    return np.where(union == 0, 1, both / np.maximum(union, 1)).mean()


def mean_by_library(predictions, truths):
    return library.iou(library.confusion_matrix(predictions, truths, 2, per_image=True), empty=1.0)[:, 1].mean()


def seg_by_library(prediction, truth):
    return library.seg(prediction, truth)


def seg_by_counting(prediction, truth):
    true, r = np.unique(truth, return_inverse=True)
    found, s = np.unique(prediction, return_inverse=True)
    table = np.zeros((len(true), len(found)))
    np.add.at(table, (r.ravel(), s.ravel()), 1)
    union = table.sum(1, keepdims=True) + table.sum(0) - table
    score = np.where(2 * table > table.sum(1, keepdims=True), table / union, 0)
    return score[true > 0][:, found > 0].sum(axis=1).mean()


def seg_by_majority(prediction, truth):
    scores = []
    for n in set(truth.ravel().tolist()) - {0}:
        inside = prediction[truth == n].tolist()
        m = statistics.mode(inside)
        both = inside.count(m)
        wins = m != 0 and 2 * both > len(inside)
        scores.append(both / ((prediction == m) | (truth == n)).sum() if wins else 0)
    return sum(scores) / len(scores)


def split_by_dictionary(sequences, share):
    frames = {}
    for n in sequences.tolist():
        frames[n] = frames.get(n, 0) + 1
    held_out, wanted = set(), share * len(sequences)
    for n in sorted(frames, reverse=True):
        if sum(frames[m] for m in held_out) < wanted:
            held_out.add(n)
    return [n in held_out for n in sequences.tolist()]


def split_by_sums(sequences, share):
    numbers, sizes = np.unique(-sequences, return_counts=True)
    before = np.cumsum(sizes) - sizes
    return np.isin(-sequences, numbers[before < share * len(sequences)]).astype(int)


def split_by_limit(sequences, share):
    ordered = np.sort(sequences)[::-1]
    return sequences >= ordered[int(np.ceil(share * len(sequences))) - 1]


def table_by_statistics(runs):
    names = []
    for name, _, _ in runs:
        if name not in names:
            names.append(name)
    scores = [[score for other, _, score in runs if other == name] for name in names]
    return [(statistics.fmean(s), statistics.stdev(s), len(s)) for s in scores]


def table_in_torch(runs):
    scores = {}
    for name, _, score in runs:
        scores.setdefault(name, []).append(score)
    return torch.stack([torch.tensor([*torch.std_mean(torch.tensor(s)), len(s)])[[1, 0, 2]] for s in scores.values()])


def table_by_unique(runs):
    names, first, which = np.unique([name for name, *_ in runs], return_index=True, return_inverse=True)
    scores = np.array([score for *_, score in runs])
    rows = [(scores[which == n].mean(), scores[which == n].std(ddof=1), (which == n).sum()) for n in range(len(names))]
    return np.array(rows)[np.argsort(first)]


RIGHT = {
    "sweep": [swept_by_loops, swept_at_once, swept_by_library, swept_in_torch],
    "mean_iou": [mean_by_loops, mean_at_once, mean_by_library],
    "seg_score": [seg_by_counting, seg_by_majority, *([seg_by_library] if hasattr(library, "seg") else [])],
    "split_by_sequence": [split_by_dictionary, split_by_sums, split_by_limit],
    "ablation_table": [table_by_statistics, table_in_torch, table_by_unique],
}


@pytest.mark.parametrize("exercise", LESSON.exercises, ids=lambda exercise: exercise.name)
def test_right_answers_pass_however_they_are_written(exercise):
    assert_right(exercise, RIGHT[exercise.name] + [exercise.reference] * (3 - len(RIGHT[exercise.name])))


def test_every_threshold_is_reached_and_some_are_met_exactly():
    met = 0
    for seed in range(10):
        for case in BY_NAME["sweep"].cases(np.random.default_rng(seed)):
            p, truth, thresholds = case.args
            assert p.max() >= max(thresholds) and truth.any()
            met += np.isin(thresholds, p).any()
    assert met >= 20


def test_no_film_is_cut_and_the_share_is_reached():
    for seed in range(10):
        for case in BY_NAME["split_by_sequence"].cases(np.random.default_rng(seed)):
            sequences, share = case.args
            mask = BY_NAME["split_by_sequence"].reference(sequences, share)
            assert not set(sequences[mask]) & set(sequences[~mask]) and mask.mean() >= share > 0 and not mask.all()


def test_there_are_three_seeds_and_more():
    for case in BY_NAME["ablation_table"].cases(np.random.default_rng(0)):
        assert all(row[2] >= 3 for row in BY_NAME["ablation_table"].reference(*case.args))


# --- mistakes as students write them --------------------------------------------------------------------------------------


def segmented(matches, score, average):
    def seg_score(prediction, truth):
        scores = []
        for n in np.unique(truth[truth > 0]):
            R, found = truth == n, 0.0
            for m in np.unique(prediction[prediction > 0]):
                S = prediction == m
                if matches(R, S):
                    found = max(found, score(R, S))
            scores.append(found)
        return average(scores)

    return seg_score


def more_than_half(R, S):
    return (R & S).sum() > 0.5 * R.sum()


def overlap(R, S):
    return (R & S).sum() / (R | S).sum()


@pytest.mark.parametrize(
    ("matches", "score", "average", "misconception"),
    [
        (lambda R, S: (R & S).sum() >= 0.5 * R.sum(), overlap, np.mean, "half is enough"),
        (lambda R, S: overlap(R, S) > 0.5, overlap, np.mean, "IoU above one half"),
        (lambda R, S: (R & S).any(), overlap, np.mean, "any overlap matches"),
        (more_than_half, lambda R, S: (R & S).sum() / R.sum(), np.mean, "divided by the true cell"),
        (more_than_half, overlap, lambda s: np.mean([x for x in s if x] or [0]), "only matches averaged"),
        (more_than_half, overlap, sum, "sum"),
    ],
)
def test_mistakes_in_seg_are_recognised(matches, score, average, misconception):
    assert check(segmented(more_than_half, overlap, np.mean), "seg_score").passed
    assert check(segmented(matches, score, average), "seg_score").misconception == misconception


def test_pooled_pixels_are_recognised():
    result = check(lambda predictions, truths: (predictions & truths).sum() / (predictions | truths).sum(), "mean_iou")
    assert result.misconception == "pooled"


@pytest.mark.parametrize("seed", range(5))
def test_a_random_split_does_not_pass(seed):
    def split_by_sequence(sequences, share):
        rng = np.random.default_rng(seed)
        return rng.permutation(len(sequences)) < share * len(sequences)

    assert check(split_by_sequence).status == "failed"


def test_the_best_of_n_is_recognised():
    def ablation_table(runs):
        scores = {}
        for name, _, score in runs:
            scores.setdefault(name, []).append(score)
        return [(max(s), np.std(s, ddof=1), len(s)) for s in scores.values()]

    assert check(ablation_table).misconception == "best run"
