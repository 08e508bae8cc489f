"""The exercises of lesson 09: what is asked, and which mistakes are known."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unet_edu.checks.exercise import Case, Exercise
from unet_edu.lessons.cells import Box, apart, painted
from unet_edu.lessons.families import ratio
from unet_edu.lessons.lesson import Lesson
from unet_edu.lessons.libraries import OF_SCORES

__all__ = ["LESSON"]

Array = NDArray[Any]


# --- sweep ------------------------------------------------------------------------------------------------------------


def _scores(mask: Array, truth: Array) -> list[float]:
    hits, called, true = int((mask & truth).sum()), int(mask.sum()), int(truth.sum())
    return [ratio(hits, called), ratio(hits, true), ratio(hits, called + true - hits)]


def _swept(
    mask: Callable[[Array, float], Array] = lambda p, t: p >= t, row: Callable[[Array, Array], list[float]] = _scores
) -> Callable[..., Array]:
    def sweep(probabilities: Array, truth: Array, thresholds: Array) -> Array:
        return np.array([row(mask(probabilities, t), truth) for t in thresholds])

    return sweep


def _sweep(probabilities: Array, truth: Array, thresholds: Array) -> Array:
    rows = []
    for t in thresholds:
        mask = probabilities >= t
        both = (mask & truth).sum()
        rows.append([both / mask.sum(), both / truth.sum(), both / (mask | truth).sum()])
    return np.array(rows)


def _sweep_cases(rng: np.random.Generator) -> list[Case]:
    def case(name: str, H: int, W: int, thresholds: list[float], eighths: bool = False) -> Case:
        truth = rng.random((H, W)) < 0.4
        truth.flat[:3] = (True, False, True)
        p = np.clip(0.35 * truth + rng.uniform(0, 0.6, (H, W)), 0, 0.92)
        if eighths:
            p = np.round(8 * p) / 8
        p.flat[:2] = (0.95, 0.9)
        return Case(name, (p, truth, np.array(thresholds)))

    p = np.array([[0.9, 0.5, 0.2], [0.75, 0.5, 0.1]])
    truth = np.array([[True, True, False], [True, False, False]])
    return [
        Case("six pixels", (p, truth, np.array([0.25, 0.5, 0.75])), group="visible"),
        case("6×9 pixels", 6, 9, [0.2, 0.4, 0.6, 0.8]),
        case("probabilities that are thresholds, too", 8, 7, [0.125, 0.5, 0.75], eighths=True),
        case("thresholds that fall", 5, 8, [0.9, 0.7, 0.3, 0.1]),
        case("a single threshold", 7, 4, [0.55]),
    ]


SWEEP = Exercise(name="sweep", points=2, reference=_sweep, cases=_sweep_cases, forbidden=OF_SCORES)
SWEEP.mistake(
    "above the threshold only",
    "Right but where a probability is exactly the threshold. By the rule of this exercise it counts as object: >= in "
    "place of >.",
    _swept(lambda p, t: p > t),
)
SWEEP.mistake(
    "below the threshold",
    "You call object what lies below the threshold. The network is sure of objects where the probability is high.",
    _swept(lambda p, t: p < t),
)
SWEEP.mistake(
    "always 0.5",
    "All your rows are alike: the threshold is always 0.5. Take each threshold in turn.",
    _swept(lambda p, t: p >= 0.5),
)
SWEEP.mistake(
    "precision and recall swapped",
    "Precision and recall are swapped. Precision divides by what was called object, recall by what is object.",
    _swept(row=lambda mask, truth: [_scores(mask, truth)[n] for n in (1, 0, 2)]),
)
SWEEP.mistake(
    "IoU first",
    "Your three numbers are right, but in another order. Each row is precision, recall, IoU.",
    _swept(row=lambda mask, truth: [_scores(mask, truth)[n] for n in (2, 0, 1)]),
)
SWEEP.mistake(
    "Dice in place of IoU",
    "Precision and recall are right. Your third number is Dice, which counts the overlap twice. Asked is the IoU.",
    _swept(row=lambda mask, truth: [*_scores(mask, truth)[:2], 2 * (mask & truth).sum() / (mask.sum() + truth.sum())]),
)
SWEEP.mistake(
    "accuracy in place of precision",
    "Your first number is the accuracy: it counts background on which both agree. Precision looks only at what was "
    "called object.",
    _swept(row=lambda mask, truth: [float((mask == truth).mean()), *_scores(mask, truth)[1:]]),
)
SWEEP.mistake(
    "counts",
    "Your numbers are counts of pixels. Asked are ratios: precision, recall and IoU.",
    _swept(row=lambda mask, truth: [(mask & truth).sum(), mask.sum(), truth.sum()]),
)


@SWEEP.mistake("table on its side")
def _(probabilities, truth, thresholds):
    """Your table lies on its side. Each threshold has a row, and each score a column."""
    return _sweep(probabilities, truth, thresholds).T


@SWEEP.mistake("only the first threshold")
def _(probabilities, truth, thresholds):
    """Your table has only the first threshold. Does the `return` stand inside the loop?"""
    return _sweep(probabilities, truth, thresholds[:1])


@SWEEP.mistake("only the last threshold")
def _(probabilities, truth, thresholds):
    """You return the last threshold's row alone: each overwrote the one before. Collect them: append each row to a
    list."""
    return _sweep(probabilities, truth, thresholds)[-1]


@SWEEP.mistake("thresholds sorted")
def _(probabilities, truth, thresholds):
    """Your rows are sorted by the threshold. Leave them in the order in which the thresholds came."""
    return _sweep(probabilities, truth, np.sort(thresholds))


# --- mean_iou ---------------------------------------------------------------------------------------------------------


def _iou(prediction: Array, truth: Array) -> float:
    union = int((prediction | truth).sum())
    return int((prediction & truth).sum()) / union if union else 1.0


def _over_images(
    score: Callable[[Array, Array], float], average: Callable[[list[float]], Any] = np.mean
) -> Callable[..., float]:
    return lambda predictions, truths: float(average([score(p, t) for p, t in zip(predictions, truths, strict=True)]))


def _iou_cases(rng: np.random.Generator) -> list[Case]:
    def case(name: str, N: int, H: int, W: int, empty: int = 0) -> Case:
        truths = rng.random((N, H, W)) < rng.permutation(np.linspace(0.1, 0.7, N))[:, None, None]
        predictions = np.where(rng.random((N, H, W)) < 0.7, truths, rng.random((N, H, W)) < 0.4)
        truths[:, 0, 0] = predictions[:, 0, 0] = True
        predictions[:empty] = truths[:empty] = False
        order = rng.permutation(N)
        return Case(name, (predictions[order], truths[order]))

    large, small = np.ones((2, 4), bool), np.zeros((2, 4), bool)
    small[0, 0] = True
    missed = np.zeros((2, 4), bool)
    alarm = case("four images of 5×6, in one something found where nothing is", 4, 5, 6)
    alarm.args[1][int(rng.integers(4))] = False
    return [
        Case(
            "a large object found, a small one missed",
            (np.stack([large, missed]), np.stack([large, small])),
            group="visible",
        ),
        Case(
            "nothing, and nothing found",
            (np.stack([missed, large]), np.stack([missed, ~small & large])),
            group="visible",
        ),
        case("five images of 6×7", 5, 6, 7),
        case("four images of 8×5, two of them empty", 4, 8, 5, empty=2),
        case("six images of 3×9, one of them empty", 6, 3, 9, empty=1),
        alarm,
    ]


MEAN_IOU = Exercise(name="mean_iou", points=2, reference=_over_images(_iou), cases=_iou_cases, forbidden=OF_SCORES)


@MEAN_IOU.mistake("pooled")
def _(predictions, truths):
    """You counted the pixels of all images together. Then a large object hides that a small one was missed. Compute the
    IoU of each image, then take the mean."""
    return _iou(predictions, truths)


MEAN_IOU.mistake(
    "nothing and nothing gives 0",
    "Right but for images in which nothing is and nothing was found: the two agree, so their IoU is 1 here.",
    _over_images(lambda p, t: _iou(p, t) if (p | t).any() else 0.0),
)
MEAN_IOU.mistake(
    "nothing true counts as 1",
    "Right but where nothing is and something was found: that is a mistake, and its IoU is 0. Only where neither mask "
    "has a pixel it is 1.",
    _over_images(lambda p, t: _iou(p, t) if t.any() else 1.0),
)


@MEAN_IOU.mistake("empty images left out")
def _(predictions: Array, truths: Array) -> float:
    """You leave out images in which nothing is and nothing was found. They count as 1: to find nothing there is
    right."""
    there = [(p, t) for p, t in zip(predictions, truths, strict=True) if (p | t).any()]
    return float(np.mean([_iou(p, t) for p, t in there]))


MEAN_IOU.mistake(
    "Dice",
    "That is the mean Dice: it counts the overlap twice. IoU divides by the union.",
    _over_images(lambda p, t: 2 * int((p & t).sum()) / int(p.sum() + t.sum()) if (p | t).any() else 1.0),
)
MEAN_IOU.mistake(
    "accuracy",
    "That is the share of pixels that are right, background included. IoU looks only where at least one of the masks "
    "is.",
    _over_images(lambda p, t: float((p == t).mean())),
)
MEAN_IOU.mistake(
    "mean over both classes",
    "You took the mean of the IoU of the object and that of the background. Here only the object counts, and the mean "
    "goes over the images.",
    _over_images(lambda p, t: (_iou(p, t) + _iou(~p, ~t)) / 2),
)
MEAN_IOU.mistake("sum", "You added the scores up. Divide by the number of images.", _over_images(_iou, sum))
MEAN_IOU.mistake(
    "median",
    "That is the median of the images. Asked is the mean: an image that went wrong counts as much as any other.",
    _over_images(_iou, np.median),
)
MEAN_IOU.mistake("best image", "That is the best image's IoU. All count alike: take the mean.", _over_images(_iou, max))


@MEAN_IOU.mistake("only the first image")
def _(predictions, truths):
    """That is the first image's IoU. Does the `return` stand inside the loop?"""
    return _iou(predictions[0], truths[0])


@MEAN_IOU.mistake("only the last image")
def _(predictions, truths):
    """That is the last image's IoU: each overwrote the one before. Collect them all."""
    return _iou(predictions[-1], truths[-1])


@MEAN_IOU.mistake("one score an image")
def _(predictions, truths):
    """You return the IoU of each image. Asked is their mean: one number."""
    return [_iou(p, t) for p, t in zip(predictions, truths, strict=True)]


# --- seg_score --------------------------------------------------------------------------------------------------------


def _numbers(instances: Array) -> list[int]:
    return [int(n) for n in np.unique(instances) if n]


def _cell_scores(
    prediction: Array,
    truth: Array,
    is_match: Callable[[int, int, int], bool] = lambda both, r, s: 2 * both > r,
    score: Callable[[int, int, int], float] = lambda both, r, s: both / (r + s - both),
) -> list[float]:
    """For each true cell its score: `is_match` and `score` get the pixels in common, of the true cell and of the found
    one."""
    scores = []
    for n in _numbers(truth):
        R, best = truth == n, 0.0
        for m in _numbers(prediction):
            S = prediction == m
            both, r, s = int((R & S).sum()), int(R.sum()), int(S.sum())
            if both and is_match(both, r, s):
                best = max(best, score(both, r, s))
        scores.append(best)
    return scores


def _seg(
    average: Callable[[list[float]], float] = lambda scores: float(np.mean(scores)), **rules: Any
) -> Callable[..., float]:
    return lambda prediction, truth: average(_cell_scores(prediction, truth, **rules))


def _seg_score(prediction: Array, truth: Array) -> float:
    scores = []
    for n in np.unique(truth[truth > 0]):
        R, score = truth == n, 0.0
        for m in np.unique(prediction[R & (prediction > 0)]):
            S = prediction == m
            if 2 * (R & S).sum() > R.sum():
                score = (R & S).sum() / (R | S).sum()
        scores.append(score)
    return float(np.mean(scores))


def _moved(box: Box, down: int, right: int) -> Box:
    return box[0] + down, box[1] + right, *box[2:]


def _trimmed(box: Box, rows: int = 0, columns: int = 0) -> Box:
    return *box[:2], box[2] - rows, box[3] - columns


def _split(box: Box) -> list[Box]:
    """The left part, which is more than half, and the rest."""
    top, left, height, width = box
    part = width // 2 + 1
    return [(top, left, height, part), (top, left + part, height, width - part)]


def _halves(box: Box) -> list[Box]:
    """Two parts with a free column between them: together they are more than half, and none is alone."""
    top, left, height, width = box
    part = width // 2
    return [(top, left, height, part), (top, left + part + 1, height, width - part - 1)]


def _barely(box: Box) -> list[Box]:
    """Row by row half of an odd number of pixels, rounded up; and another piece on the rest of the last of these
    rows."""
    top, left, height, width = box
    return [(top, left, height // 2 + 1, width), (top + height // 2, left + width // 2 + 1, 1, width // 2)]


def _around(a: Box, b: Box) -> Box:
    """The smallest box around two that stand side by side, `a` at the left."""
    top, bottom = min(a[0], b[0]), max(a[0] + a[2], b[0] + b[2])
    return top, a[1], bottom - top, b[1] + b[3] - a[1]


def _seg_cases(rng: np.random.Generator) -> list[Case]:
    row = np.array([[1, 1, 1, 1, 0, 0, 2, 2, 2, 2]])
    one_missed = np.array([[3, 3, 3, 0, 0, 0, 0, 0, 0, 0]])
    merged = np.array([[5, 5, 5, 5, 5, 5, 5, 5, 5, 5]])
    half = np.array([[4, 4, 0, 0, 0, 0, 9, 9, 9, 0]])
    shape, true, fields = apart(rng, 2, 2)
    (a, b, c, d), far = true, (shape[0] - 1, 0, 1, int(rng.integers(2, 5)))

    # Half of 15 or 35 pixels is no whole number. Whoever rounds it asks for too much.
    sizes = rng.permutation([(3, 5), (5, 3), (5, 7), (7, 5)])[:2].tolist()
    odd = [(*field[:2], *size) for field, size in zip(fields[::3], sizes, strict=True)]

    def case(name: str, found: list[Box], cells: list[Box] = true) -> Case:
        return Case(name, (painted(rng, shape, found), painted(rng, shape, cells)))

    return [
        Case("one cell found in part, one missed", (one_missed, row), group="visible"),
        Case("two cells merged into one", (merged, row), group="visible"),
        Case("exactly half of a cell found", (half, row), group="visible"),
        case("four cells found a little beside", [_moved(box, *rng.choice([-1, 1], 2).tolist()) for box in true]),
        case("cells split in two", [*_split(a), _trimmed(b, rows=1), *_halves(c), _split(d)[1]]),
        case("barely more than half of a cell found", [*_barely(odd[0]), b, *_barely(odd[1])], [*odd, b, c]),
        case(
            "a cell missed, and two found that are not there",
            [_trimmed(a, columns=1), _trimmed(b, rows=1), d, far, (0, 0, 1, 2)],
        ),
        case("two cells merged, one found in part", [_around(a, b), c, _trimmed(d, rows=1)]),
        case("all cells found too large", fields),
        case("cells that touch", [_trimmed(box, *rng.integers(0, 3, 2).tolist()) for box in fields], fields),
        case("nothing found", []),
    ]


SEG_SCORE = Exercise(name="seg_score", points=3, reference=_seg_score, cases=_seg_cases, forbidden=OF_SCORES)
SEG_SCORE.mistake(
    "only matches averaged",
    "Your mean goes over the cells that were found. It goes over all true cells; one that was missed counts as 0.",
    _seg(lambda scores: float(np.mean([score for score in scores if score] or [0.0]))),
)
SEG_SCORE.mistake(
    "half is enough",
    "Right but where exactly half of a cell was found. A match needs more than half: > in place of >=.",
    _seg(is_match=lambda both, r, s: 2 * both >= r),
)
SEG_SCORE.mistake(
    "any overlap matches",
    "You also count overlaps that hold less than half of the true cell. A match must hold more than half of it; "
    "otherwise the cell counts as missed.",
    _seg(is_match=lambda both, r, s: True),
)
SEG_SCORE.mistake(
    "IoU above one half",
    "You ask for an IoU above 0.5. SEG asks for more than half of the true cell: 2 · |R ∩ S| > |R|. A cell that was "
    "found too large still matches.",
    _seg(is_match=lambda both, r, s: 2 * both > r + s - both),
)
SEG_SCORE.mistake(
    "more than half of the found cell",
    "You ask for more than half of the found cell. It is the true cell of which more than half must be found.",
    _seg(is_match=lambda both, r, s: 2 * both > s),
)
SEG_SCORE.mistake(
    "divided by the true cell",
    "You divide the overlap by the true cell. A found cell that covers everything would get 1. Divide by the union.",
    _seg(score=lambda both, r, s: both / r),
)
SEG_SCORE.mistake(
    "Dice",
    "The score of a match is its IoU, and yours is its Dice: it counts the overlap twice.",
    _seg(score=lambda both, r, s: 2 * both / (r + s)),
)
SEG_SCORE.mistake(
    "matches counted",
    "You count the cells that were found. A match gets its IoU, not 1.",
    _seg(score=lambda both, r, s: 1.0),
)


@SEG_SCORE.mistake("same number")
def _(prediction: Array, truth: Array) -> float:
    """You compare cells of the same number. The numbers of the two images have nothing to do with each other: look for
    the found cell that overlaps."""
    scores = []
    for n in _numbers(truth):
        R, S = truth == n, prediction == n
        scores.append(int((R & S).sum()) / int((R | S).sum()) if 2 * (R & S).sum() > R.sum() else 0.0)
    return float(np.mean(scores))


@SEG_SCORE.mistake("pieces as cells")
def _(prediction: Array, truth: Array) -> float:
    """You look for pieces that hang together. Cells that touch are one piece then: take the numbers, which tell them
    apart."""
    from scipy.ndimage import label

    return _seg_score(label(prediction > 0)[0], label(truth > 0)[0])


@SEG_SCORE.mistake("background as a cell")
def _(prediction: Array, truth: Array) -> float:
    """You take the background for a cell. 0 is no cell: leave it out in both images."""
    return _seg_score(prediction + 1, truth + 1)


@SEG_SCORE.mistake("divided by the number of found cells")
def _(prediction: Array, truth: Array) -> float:
    """You divide by the number of cells that were found. The mean goes over the true ones."""
    return float(sum(_cell_scores(prediction, truth))) / max(1, len(_numbers(prediction)))


@SEG_SCORE.mistake("prediction and truth swapped")
def _(prediction: Array, truth: Array) -> float:
    """Prediction and truth are swapped: you look for a true cell for each found one. Look for a found cell for each
    true one."""
    return _seg_score(truth, prediction) if _numbers(prediction) else 0.0


@SEG_SCORE.mistake("pixel IoU")
def _(prediction, truth):
    """That is the IoU of all cells together. It does not see that two were merged. Score each true cell on its own."""
    return _iou(prediction > 0, truth > 0)


SEG_SCORE.mistake(
    "sum", "You added the scores of the cells up. Divide by their number.", _seg(lambda scores: float(sum(scores)))
)


# --- split_by_sequence ------------------------------------------------------------------------------------------------


def _split_by_sequence(sequences: Array, share: float) -> Array:
    numbers, sizes = np.unique(sequences, return_counts=True)
    held_out, frames = [], 0
    for number, size in zip(numbers[::-1], sizes[::-1], strict=True):
        if frames >= share * len(sequences):
            break
        held_out.append(number)
        frames += size
    return np.isin(sequences, held_out)


def _by_whole_sequences(choose: Callable[[Array, Array, float], Any]) -> Callable[..., Array]:
    """Whole sequences by another rule of their numbers, their sizes and the frames that are wanted."""

    def split(sequences: Array, share: float) -> Array:
        numbers, sizes = np.unique(sequences, return_counts=True)
        return np.isin(sequences, choose(numbers, sizes, share * len(sequences)))

    return split


def _split_cases(rng: np.random.Generator) -> list[Case]:
    def drawn() -> Array:
        return rng.integers(3, 25, rng.integers(4, 8))

    def numbered(sizes: Array) -> Array:
        """The number of its film for each frame."""
        return np.repeat(np.sort(rng.permutation(np.arange(1, 100))[: len(sizes)]), sizes)

    def case(name: str, fit: Callable[[Array, float, int], bool], mixed: bool = False) -> Case:
        """Films of which `fit` holds: it gets how many frames the last film has, the last two, …, how many are wanted,
        and a number from 0 to 2.

        Neither the films nor the share say how many are held out: one has to count frames. All shares are eighths, so
        share · frames is exact: it does not matter how it is compared.
        """
        n, sizes, share = int(rng.integers(3)), np.zeros(3, int), 0.0
        while not fit(sizes[::-1].cumsum(), share * sizes.sum(), n):
            sizes, share = drawn(), float(rng.choice([0.25, 0.375, 0.5]))
        frames = numbered(sizes)
        return Case(name, (rng.permutation(frames) if mixed else frames, share))

    return [
        Case("eight frames of three films", (np.array([1, 1, 1, 2, 2, 3, 3, 3]), 0.25), group="visible"),
        Case("films in another order", (np.array([3, 1, 1, 2, 3, 2, 1, 1]), 0.5), group="visible"),
        case("films one after the other", lambda held, wanted, n: held[n] < wanted < held[n + 1] - 1),
        case("films, mixed", lambda held, wanted, n: held[n] + 1 < wanted < held[n + 1], mixed=True),
        case("the last films are exactly enough", lambda held, wanted, n: held[n] == wanted > 0),
        case("the last films are part of a frame too short", lambda held, wanted, n: held[n] < wanted < held[n] + 0.5),
        case("more films, mixed", lambda held, wanted, n: held[n] < wanted <= held[n + 1], mixed=True),
        # More than a quarter of four films or more is more than one film.
        case("the last film is more than enough", lambda held, wanted, n: held[0] > wanted > held[-1] / 4, mixed=True),
        Case("a share of nothing", (numbered(drawn()), 0.0)),
        Case("a share of all", (rng.permutation(numbered(drawn())), 1.0)),
    ]


SPLIT_BY_SEQUENCE = Exercise(
    name="split_by_sequence",
    points=1,
    reference=_split_by_sequence,
    cases=_split_cases,
    mask=True,
    has_half=False,  # how many films are held out is one of a few numbers: who guesses is right in many cases
)


@SPLIT_BY_SEQUENCE.mistake("last frames")
def _(sequences: Array, share: float) -> Array:
    """You hold out the last frames of the list. A film may lie on both sides then, and neighbouring frames are nearly
    the same image. Hold out whole films."""
    n = int(np.ceil(share * len(sequences)))
    return np.arange(len(sequences)) >= len(sequences) - n


@SPLIT_BY_SEQUENCE.mistake("last frames of each film")
def _(sequences: Array, share: float) -> Array:
    """You hold out the last frames of each film. The frame before them is nearly the same image, and the network
    learned from it. Hold out whole films."""
    mask = np.zeros(len(sequences), bool)
    for number in np.unique(sequences):
        places = np.flatnonzero(sequences == number)
        mask[places[len(places) - int(np.ceil(share * len(places))) :]] = True
    return mask


@SPLIT_BY_SEQUENCE.mistake("every so many frames")
def _(sequences: Array, share: float) -> Array:
    """You hold out every so many frames: then each of them stands between two that were learned from. Hold out whole
    films."""
    n = round(1 / share)
    return np.arange(len(sequences)) % n == n - 1


SPLIT_BY_SEQUENCE.mistake(
    "too few frames",
    "Your films are whole, but they hold fewer frames than asked. Add another film until the share is reached.",
    _by_whole_sequences(lambda numbers, sizes, wanted: numbers[::-1][: (np.cumsum(sizes[::-1]) <= wanted).sum()]),
)


@SPLIT_BY_SEQUENCE.mistake("share rounded down")
def _(sequences, share):
    """You round the number of frames that are wanted. 4 of 15 frames are less than a share of 0.3, which is 4.5:
    compare with that."""
    return _split_by_sequence(sequences, int(share * len(sequences)) / len(sequences))


SPLIT_BY_SEQUENCE.mistake(
    "first films",
    "Your films are whole, and enough, but they are the first ones. Begin with the largest number.",
    _by_whole_sequences(lambda numbers, sizes, wanted: numbers[: (np.cumsum(sizes) - sizes < wanted).sum()]),
)
SPLIT_BY_SEQUENCE.mistake(
    "share of the films",
    "You hold out a share of the films. The share is one of the frames, and films differ in length: count frames.",
    _by_whole_sequences(lambda numbers, sizes, wanted: numbers[-int(np.ceil(wanted / sizes.sum() * len(numbers))) :]),
)
SPLIT_BY_SEQUENCE.mistake(
    "last film alone",
    "You hold out the last film, whatever share is asked. Add another one until the share is reached.",
    _by_whole_sequences(lambda numbers, sizes, wanted: numbers[-1:]),
)
SPLIT_BY_SEQUENCE.mistake(
    "one film too many",
    "You hold out one film too many where the share was reached already. Stop as soon as there are enough frames.",
    _by_whole_sequences(lambda numbers, sizes, wanted: numbers[::-1][: 1 + (np.cumsum(sizes[::-1]) <= wanted).sum()]),
)


@SPLIT_BY_SEQUENCE.mistake("turned round")
def _(sequences, share):
    """You marked the frames to learn from. True is for those that are held out."""
    return ~_split_by_sequence(sequences, share)


# --- ablation_table ---------------------------------------------------------------------------------------------------

Runs = list[tuple[str, int, float]]


def _table(
    *columns: Callable[[Array], float], in_order: bool = False, scores: Callable[[Array], Array] = lambda s: s
) -> Callable[..., Array]:
    """A row for each variant, a column for each rule of its scores."""

    def table(runs: Runs) -> Array:
        variants = list(dict.fromkeys(variant for variant, _, _ in runs))
        variants = sorted(variants) if in_order else variants
        rows = [scores(np.array([score for name, _, score in runs if name == variant])) for variant in variants]
        return np.array([[column(row) for column in columns] for row in rows])

    return table


def _mean(scores: Array) -> float:
    return float(scores.mean())


def _spread(scores: Array) -> float:
    return float(scores.std(ddof=1))


def _ablation_table(runs: Runs) -> Array:
    scores: dict[str, list[float]] = {}
    for variant, _, score in runs:
        scores.setdefault(variant, []).append(score)
    return np.array([[np.mean(s), np.std(s, ddof=1), len(s)] for s in scores.values()])


def _run_cases(rng: np.random.Generator) -> list[Case]:
    names = ["valid", "no skips", "added", "bilinear", "no border map", "concatenated"]

    def case(name: str, variants: int, counts: tuple[int, ...]) -> Case:
        chosen = [names[n] for n in rng.permutation(len(names))[:variants]]
        while chosen == sorted(chosen) or (variants > 2 and chosen == sorted(chosen)[::-1]):
            chosen = [chosen[n] for n in rng.permutation(variants)]
        # Seeds are names: they say nothing about the number of runs, nor about their order. The smallest is not that of
        # the variant that comes first.
        seeds = rng.permutation(np.arange(1, 41))[: sum(counts)].tolist()
        while min(seeds) in seeds[: counts[0]]:
            seeds = rng.permutation(seeds).tolist()
        scores = rng.uniform(20, 95, sum(counts)).round(1).tolist()
        scores[1] = scores[0]  # two runs of a variant may well have the same score
        runs = list(zip(np.repeat(chosen, counts).tolist(), seeds, scores, strict=True))
        # The order of the variants stays.
        first = [next(run for run in runs if run[0] == variant) for variant in chosen]
        rest = [run for run in runs if run not in first]
        return Case(name, (first + [rest[n] for n in rng.permutation(len(rest))],))

    lesson = [
        ("skips", 0, 70.0),
        ("none", 0, 50.0),
        ("skips", 1, 80.0),
        ("none", 1, 75.0),
        ("skips", 2, 90.0),
        ("none", 2, 25.0),
    ]
    return [
        Case("two variants, three seeds each", (lesson,), group="visible"),
        case("three variants, four seeds each", 3, (4, 4, 4)),
        case("four variants with three to six seeds", 4, (3, 6, 4, 5)),
        case("two variants with five and three seeds", 2, (5, 3)),
    ]


ABLATION_TABLE = Exercise(name="ablation_table", points=2, reference=_ablation_table, cases=_run_cases)
ABLATION_TABLE.mistake(
    "best run",
    "You report the best run of each variant. The more often one tries, the better the best gets: report the mean.",
    _table(lambda scores: float(scores.max()), _spread, len),
)
ABLATION_TABLE.mistake(
    "median",
    "Your first column is the median. Asked is the mean.",
    _table(lambda scores: float(np.median(scores)), _spread, len),
)
ABLATION_TABLE.mistake(
    "divided by n",
    "Your standard deviation divides by n. The mean was computed from the same few runs, so they look closer to it "
    "than they are: divide by n − 1 (ddof=1).",
    _table(_mean, lambda scores: float(scores.std()), len),
)
ABLATION_TABLE.mistake(
    "variance",
    "Your second column is the variance. The standard deviation is its square root, and has the unit of the scores.",
    _table(_mean, lambda scores: float(scores.var(ddof=1)), len),
)
ABLATION_TABLE.mistake(
    "standard error",
    "You divide the standard deviation by √n: that is the error of the mean. Asked is how far the runs lie apart.",
    _table(_mean, lambda scores: _spread(scores) / np.sqrt(len(scores)), len),
)
ABLATION_TABLE.mistake(
    "range",
    "Your second column is the largest minus the smallest score, which grows with the number of runs. Asked is the "
    "standard deviation.",
    _table(_mean, lambda scores: float(np.ptp(scores)), len),
)
ABLATION_TABLE.mistake(
    "sorted by name",
    "Your rows are sorted by name. Leave the variants in the order in which they first appear.",
    _table(_mean, _spread, len, in_order=True),
)


@ABLATION_TABLE.mistake("all runs together")
def _(runs: Runs) -> Array:
    """All your rows are alike: you took all runs together. Take only those of the variant."""
    scores = np.array([score for *_, score in runs])
    rows = len({variant for variant, *_ in runs})
    return np.tile([_mean(scores), _spread(scores), len(scores)], (rows, 1))


ABLATION_TABLE.mistake(
    "worst run left out",
    "You leave the worst run out. It happened, and it may happen again: all runs count.",
    _table(_mean, _spread, len, scores=lambda scores: np.delete(scores, scores.argmin())),
)
ABLATION_TABLE.mistake(
    "columns swapped",
    "Your columns are swapped: first the mean, then the standard deviation, then the number of runs.",
    _table(_spread, _mean, len),
)
ABLATION_TABLE.mistake(
    "number of runs missing",
    "Good so far. The third column is the number of runs: without it nobody can tell how much the other two are worth.",
    _table(_mean, _spread),
)


@ABLATION_TABLE.mistake("only the mean")
def _(runs):
    """Your table has only one number for each variant. The mean alone does not say whether a difference is larger than
    chance: add the spread and the number of runs."""
    return _table(_mean)(runs)[:, 0]


@ABLATION_TABLE.mistake("only the first variant")
def _(runs):
    """Your table has only the first variant. Does the `return` stand inside the loop?"""
    return _ablation_table(runs)[:1]


@ABLATION_TABLE.mistake("table on its side")
def _(runs):
    """Your table lies on its side: each variant has a row."""
    return _ablation_table(runs).T


# --- repair_report ----------------------------------------------------------------------------------------------------


# What is wrong with the code that is to be repaired, and what to say of it where it is left.
LEFT_IN_REPORT = {
    "last frames held out": (
        "You hold out the last frames of the list, so the order of the list decides, and a film may lie on both sides. "
        "Hold out whole films."
    ),
    "chosen by the held-out frames": (
        "Your threshold is the best one for the very frames that you report. So the report is too good: choose by the "
        "other frames."
    ),
    "pixels pooled": (
        "Your IoU counts the pixels of all frames together, so that large cells hide small ones. Each frame has an "
        "IoU, and the score is their mean."
    ),
}


def _pooled(masks: Array, truths: Array) -> float:
    return _iou(masks, truths)


def _per_frame(masks: Array, truths: Array) -> float:
    return float(np.mean((masks & truths).sum(axis=(1, 2)) / (masks | truths).sum(axis=(1, 2))))


def _dice(masks: Array, truths: Array) -> float:
    return float(np.mean(2 * (masks & truths).sum(axis=(1, 2)) / (masks.sum(axis=(1, 2)) + truths.sum(axis=(1, 2)))))


def _last_frames(films: Array, share: float) -> Array:
    return np.arange(len(films)) >= (1 - share) * len(films)


def _report(
    *left: str,
    held: Callable[[Array, float], Array] = _split_by_sequence,
    score: Callable[[Array, Array], float] = _per_frame,
    reported_score: Callable[[Array, Array], float] | None = None,
    called: Callable[[Array, float], Array] = np.greater_equal,
    chosen_by: Callable[[Array], Array] = np.logical_not,
    reported_on: Callable[[Array], Array] = lambda held_out: held_out,
    said: Callable[[float, float], Any] = lambda threshold, score: [threshold, score],
) -> Callable[..., Any]:
    """The given code, with the mistakes that are left in it, or with other rules for the frames by which the threshold
    is chosen and for those that are reported on, for their scores, and for the pixels that are called object."""
    held = _last_frames if "last frames held out" in left else held
    score = _pooled if "pixels pooled" in left else score
    by_held_out = "chosen by the held-out frames" in left

    def report(probabilities: Array, truths: Array, films: Array, share: float, thresholds: list[float]) -> Any:
        held_out = held(films, share)
        by = held_out if by_held_out else chosen_by(held_out)
        scores = [score(called(probabilities[by], threshold), truths[by]) for threshold in thresholds]
        threshold = thresholds[int(np.argmax(scores))]
        on = reported_on(held_out)
        return said(threshold, (reported_score or score)(called(probabilities[on], threshold), truths[on]))

    return report


def _subsets() -> Iterator[tuple[tuple[str, ...], str]]:
    """Each set of mistakes that was not found, and what to say of it."""
    for number, count in enumerate(("Two are found, one is left.", "One is found, two are left."), 1):
        for left in itertools.combinations(LEFT_IN_REPORT, number):
            yield left, " ".join([count, *(LEFT_IN_REPORT[name] for name in left)])
    yield (
        tuple(LEFT_IN_REPORT),
        (
            "These are the answers of the code that you were given: all three mistakes are still in it. Begin with the "
            "second example: the same frames in another order must not give another report."
        ),
    )


def _of_films(scores: Callable[[Array, Array], float]) -> Callable[..., Any]:
    """The report in which all films count alike, however long they are."""

    def report(probabilities: Array, truths: Array, films: Array, share: float, thresholds: list[float]) -> Any:
        held_out = _split_by_sequence(films, share)

        def score(which: Array, threshold: float) -> float:
            parts = [which & (films == film) for film in np.unique(films[which])]
            return float(np.mean([scores(probabilities[part] >= threshold, truths[part]) for part in parts]))

        threshold = max(thresholds, key=lambda threshold: score(~held_out, threshold))
        return [threshold, score(held_out, threshold)]

    return report


# By which a report may differ from the right one: each has to be told from all others in each case.
REPORTS: dict[str, tuple[str, Callable[..., Any]]] = {
    **{" and ".join(left): (hint, _report(*left)) for left, hint in _subsets()},
    "chosen by all frames": (
        "You choose the threshold by all frames, the held-out ones among them. Choose by the others alone.",
        _report(chosen_by=lambda held_out: np.full(len(held_out), True)),
    ),
    "reported on the frames of the choice": (
        "You report on the frames by which the threshold was chosen. Report on those that were held out.",
        _report(reported_on=np.logical_not),
    ),
    "reported on all frames": (
        "You report on all frames, also on those by which the threshold was chosen. Report on the held-out ones alone.",
        _report(reported_on=lambda held_out: np.full(len(held_out), True)),
    ),
    "turned round": (
        "You choose by the frames that were held out, and report on the others. It is the other way round.",
        _report(chosen_by=lambda held_out: held_out, reported_on=np.logical_not),
    ),
    "films count alike": (
        "In your mean all films count alike. Here all frames do, whatever film they are from.",
        _of_films(_per_frame),
    ),
    "pixels pooled within a film": (
        "You count the pixels of a film together, and take the mean over the films. Each frame has an IoU of its own.",
        _of_films(_pooled),
    ),
    "Dice": (
        "Your score is Dice, which counts the overlap twice. Asked is the IoU.",
        _report(score=_dice),
    ),
    "score first": (
        "Your two numbers are right, but in the wrong order: first the threshold, then the score.",
        _report(said=lambda threshold, score: [score, threshold]),
    ),
}


def _split_by(name: str) -> tuple[str, Callable[..., Any]]:
    """A mistake of exercise 4 in the report, and what to say of it."""
    known = next(known for known in SPLIT_BY_SEQUENCE.mistakes if known.name == name)
    return f"Score and choice are right. Look at the split, as in exercise 4. {known.hint}", _report(held=known.wrong)


# Of these each has to be told from the right one in a case of its own; one film more or less is not seen in all.
IN_ONE_CASE: dict[str, tuple[str, Callable[..., Any]]] = {
    name: _split_by(name)
    for name in ("share of the films", "last film alone", "one film too many", "share rounded down")
}
IN_ONE_CASE["pixels pooled for the report"] = (
    (
        "Your threshold is chosen well. But the number that you report counts the pixels of all frames together. "
        "There, too, take the mean of the frames' IoUs."
    ),
    _report(reported_score=_pooled),
)
IN_ONE_CASE["above the threshold"] = (
    (
        "You call a pixel object when its probability is above the threshold. As in the code that you were given, "
        "it is enough to reach it: did a ≥ become a >?"
    ),
    _report(called=np.greater),
)


# The example of the notebook: six frames of 2×3 pixels. The last film is the brightest.
SHOWN_PROBABILITIES = [
    *([0.15, 0.35, 0.15, 0.55, 0.45, 0.15], [0.35, 0.35, 0.45, 0.15, 0.65, 0.65]),
    *([0.55, 0.65, 0.35, 0.65, 0.95, 0.75], [0.65, 0.55, 0.75, 0.45, 0.65, 0.65]),
    *([0.25, 0.25, 0.35, 0.35, 0.55, 0.25], [0.55, 0.65, 0.85, 0.75, 0.95, 0.95]),
]
SHOWN_TRUTHS = [
    *([0, 1, 0, 1, 1, 0], [0, 0, 0, 0, 1, 1], [0, 0, 0, 0, 1, 0]),
    *([1, 1, 1, 0, 1, 1], [1, 0, 1, 0, 1, 1], [0, 0, 1, 1, 1, 1]),
]
SHOWN_FILMS = [2, 1, 3, 1, 2, 3]
ANOTHER_ORDER = [5, 2, 0, 3, 1, 4]


def _report_cases(rng: np.random.Generator) -> list[Case]:
    def drawn(H: int, W: int) -> tuple[Any, ...]:
        """Films that are brighter or darker, and longer or shorter."""
        sizes = rng.integers(2, 6, int(rng.integers(4, 6)))
        films = np.repeat(np.sort(rng.permutation(np.arange(1, 40))[: len(sizes)]), sizes)
        films = rng.permutation(films)
        bright = dict(zip(np.unique(films).tolist(), rng.uniform(-0.25, 0.25, len(sizes)), strict=True))
        cells = rng.uniform(0.15, 0.7, len(films))
        truths = rng.random((len(films), H, W)) < cells[:, None, None]
        truths[:, 0, 0] = True
        shift = np.array([bright[film] for film in films.tolist()])[:, None, None]
        probabilities = 0.5 + np.where(truths, 0.14, -0.14) + shift + rng.normal(0, 0.12, truths.shape)
        thresholds = sorted(rng.permutation(np.arange(16, 85))[:7] / 100)
        share = float(rng.choice([0.25, 0.375, 0.5]))
        return probabilities.clip(0.01, 0.99).round(2), truths, films, share, [float(t) for t in thresholds]

    def differ(*inputs: Any) -> bool:
        if _has_tie(*inputs):
            return False
        reports = [_report(), *(report for _, report in REPORTS.values())]
        answers = np.array([report(*inputs) for report in reports])
        apart = np.abs(answers[:, None] - answers).max(axis=-1) + np.eye(len(answers))
        return bool(apart.min() > 1e-3)

    def case(name: str, H: int, W: int, other: Callable[..., Any] | None) -> Case:
        """The `other` report is a wrong one, which is seen here."""
        inputs = drawn(H, W)
        while not ((other is None or _apart(other(*inputs), _report()(*inputs))) and differ(*inputs)):
            inputs = drawn(H, W)
        return Case(name, inputs)

    probabilities = np.array(SHOWN_PROBABILITIES).reshape(6, 2, 3)
    truths, films = np.array(SHOWN_TRUTHS, bool).reshape(6, 2, 3), np.array(SHOWN_FILMS)
    sizes = (4, 5), (5, 6), (3, 8), (6, 4), (5, 5), (4, 7)
    return [
        Case("six frames of three films", (probabilities, truths, films, 0.25, [0.3, 0.5, 0.7]), group="visible"),
        Case(
            "the same frames in another order",
            (*(a[ANOTHER_ORDER] for a in (probabilities, truths, films)), 0.25, [0.3, 0.5, 0.7]),
            group="visible",
        ),
        *(
            case(f"frames of {H}×{W} pixels", H, W, other)
            for (H, W), other in itertools.zip_longest(sizes, [other for _, other in IN_ONE_CASE.values()])
        ),
    ]


def _apart(first: Sequence[float], second: Sequence[float]) -> bool:
    return max(abs(a - b) for a, b in zip(first, second, strict=True)) > 1e-3


def _has_tie(probabilities: Array, truths: Array, films: Array, share: float, thresholds: list[float]) -> bool:
    """Whether two thresholds are nearly as good as each other, for the frames of the choice."""
    by = ~_split_by_sequence(films, share)
    first, second = sorted((_per_frame(probabilities[by] >= t, truths[by]) for t in thresholds), reverse=True)[:2]
    return first - second < 1e-3


REPAIR_REPORT = Exercise(name="repair_report", points=2, reference=_report(), cases=_report_cases, forbidden=OF_SCORES)
for _name, (_hint, _wrong) in (REPORTS | IN_ONE_CASE).items():
    REPAIR_REPORT.mistake(_name, _hint, _wrong)


REPAIR_REPORT.mistake("first films", *_split_by("first films"))
REPAIR_REPORT.mistake(
    "pixels pooled for the choice",
    "Your report is the mean of the frames' IoUs. But your threshold is chosen by the pixels of all frames together. "
    "Both questions take the same score.",
    _report(score=_pooled, reported_score=_per_frame),
)


@REPAIR_REPORT.mistake("place of the threshold")
def _(probabilities, truths, films, share, thresholds):
    """Your score is right. But you return the place of the threshold in the list. `thresholds[best]` is the threshold
    itself."""
    threshold, score = _report()(probabilities, truths, films, share, thresholds)
    return [thresholds.index(threshold), score]


@REPAIR_REPORT.mistake("best score of the held-out frames")
def _(probabilities, truths, films, share, thresholds):
    """Your threshold is chosen well. But the score beside it is the best that any threshold reaches on the held-out
    frames. Report what the chosen one reaches."""
    threshold, _ = _report()(probabilities, truths, films, share, thresholds)
    _, score = _report("chosen by the held-out frames")(probabilities, truths, films, share, thresholds)
    return [threshold, score]


@REPAIR_REPORT.mistake("only the score")
def _(probabilities, truths, films, share, thresholds):
    """Good so far. Return the threshold, too: `return threshold, score`."""
    return _report()(probabilities, truths, films, share, thresholds)[1]


@REPAIR_REPORT.mistake("only the threshold")
def _(probabilities, truths, films, share, thresholds):
    """Your threshold is chosen well. Now the report: how good is it on the frames that were held out?"""
    return _report()(probabilities, truths, films, share, thresholds)[0]


LESSON = Lesson(
    folder="09_results",
    set_up="""\
import numpy as np
from unet_edu import check
""",
    exercises=(SWEEP, MEAN_IOU, SEG_SCORE, SPLIT_BY_SEQUENCE, ABLATION_TABLE, REPAIR_REPORT),
)
