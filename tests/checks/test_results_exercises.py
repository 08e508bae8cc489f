"""Lesson 09's exercises: the numbers of the lesson, and mistakes as students write them."""

import numpy as np
import pytest

from tests.checks.judging import cases_of
from unet_edu import check
from unet_edu.lessons import EXERCISES


def test_every_threshold_is_reached_and_some_are_met_exactly():
    met = 0
    for seed in range(10):
        for case in cases_of("sweep", seed):
            p, truth, thresholds = case.args
            assert p.max() >= max(thresholds) and truth.any()
            met += np.isin(thresholds, p).any()
    assert met >= 20


def test_no_film_is_cut_and_the_share_is_reached():
    for seed in range(10):
        for case in cases_of("split_by_sequence", seed):
            sequences, share = case.args
            mask = EXERCISES["split_by_sequence"].reference(sequences, share)
            assert not set(sequences[mask]) & set(sequences[~mask]) and mask.mean() >= share
            assert mask.any() == (share > 0) and mask.all() == (share == 1)


def test_there_are_three_seeds_and_more():
    for case in cases_of("ablation_table", 0):
        assert all(row[2] >= 3 for row in EXERCISES["ablation_table"].reference(*case.args))


# --- mistakes as students write them ----------------------------------------------------------------------------------


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
