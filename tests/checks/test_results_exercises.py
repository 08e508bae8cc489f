"""Lesson 09's exercises: the numbers of the lesson, and mistakes as students write them."""

import itertools
from pathlib import Path

import nbformat
import numpy as np
import pytest

from tests.checks.judging import cases_of
from unet_edu import check
from unet_edu.lessons import EXERCISES

SOLUTIONS = nbformat.read(next(Path(__file__).parents[2].glob("solutions/09_*/*.ipynb")), as_version=4)


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


# Each mistake of the code that is to be repaired: what stands there, and what should.
MENDED = {
    "last frames held out": (
        "held_out = np.arange(len(films)) >= (1 - share) * len(films)",
        "held_out = split_by_sequence(films, share)",
    ),
    "chosen by the held-out frames": (
        "    return thresholds[best], scores[best]",
        (
            "    p, t = probabilities[held_out], truths[held_out]\n"
            "    return thresholds[best], iou(p >= thresholds[best], t)"
        ),
    ),
    "pixels pooled": ("return (masks & truths).sum() / (masks | truths).sum()", "return mean_iou(masks, truths)"),
}


@pytest.mark.parametrize("left", [left for n in range(4) for left in itertools.combinations(MENDED, n)], ids=str)
def test_the_code_to_repair_has_its_three_mistakes(left):
    """And each set of them that is left in it is named."""
    (source,) = (cell.source for cell in SOLUTIONS.cells if cell.id == "example-6")
    for name, (there, right) in MENDED.items():
        assert source.count(there) == 1
        source = source if name in left else source.replace(there, right)
    if "chosen by the held-out frames" not in left:
        first = "p, t = probabilities[held_out], truths[held_out]\n    scores"
        assert source.count(first) == 1
        source = source.replace(first, first.replace("[held_out]", "[~held_out]"))
    names = {"np": np} | {name: EXERCISES[name].reference for name in ("split_by_sequence", "mean_iou")}
    exec(source.partition("\n\n\nfilms = ")[0], names)  # noqa: S102 - our own notebook

    result = check(names["broken_report"], "repair_report")
    assert result.misconception == " and ".join(name for name in MENDED if name in left)
    assert result.passed == (not left)


def test_the_frames_of_the_example_are_those_of_the_check():
    (source,) = (cell.source for cell in SOLUTIONS.cells if cell.id == "example-6")
    names = {"np": np}
    exec(source, names)  # noqa: S102 - our own notebook
    first, second = cases_of("repair_report", 0)[:2]
    for n, name in enumerate(("probabilities", "truths", "films")):
        assert np.array_equal(names[name], first.args[n])
        assert np.array_equal(names[name][names["order"]], second.args[n])


def test_no_two_thresholds_are_equally_good_and_no_frame_is_empty():
    for seed in range(3):
        for case in cases_of("repair_report", seed):
            probabilities, truths, films, share, thresholds = case.args
            by = ~EXERCISES["split_by_sequence"].reference(films, share)
            scores = sorted(EXERCISES["mean_iou"].reference(probabilities[by] >= t, truths[by]) for t in thresholds)
            assert scores[-1] > scores[-2] and truths.any(axis=(1, 2)).all()


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
