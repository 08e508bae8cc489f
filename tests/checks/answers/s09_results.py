"""The exercises of lesson 09: right answers in many styles, and mistakes as students write them."""

import statistics

import numpy as np
import torch

from tests.checks.judging import written
from unet_edu import metrics as library


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
    return np.isin(-sequences, numbers[before < share * len(sequences)])


def split_by_limit(sequences, share):
    limits = [np.inf, *np.sort(sequences)[::-1]]
    return sequences >= limits[int(np.ceil(share * len(sequences)))]


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


def reported_by_loops(probabilities, truths, films, share, thresholds):
    mask = split_by_dictionary(films, share)
    held, rest = ([n for n, out in enumerate(mask) if out == which] for which in (True, False))
    best, best_score = None, -1
    for threshold in thresholds:
        score = mean_by_loops([probabilities[n] >= threshold for n in rest], [truths[n] for n in rest])
        if score > best_score:
            best, best_score = threshold, score
    return [best, mean_by_loops([probabilities[n] >= best for n in held], [truths[n] for n in held])]


def reported_at_once(probabilities, truths, films, share, thresholds):
    masks = probabilities >= np.reshape(thresholds, (-1, 1, 1, 1))
    scores = (masks & truths).sum((2, 3)) / np.maximum((masks | truths).sum((2, 3)), 1)
    held_out = split_by_limit(films, share)
    best = scores[:, ~held_out].mean(axis=1).argmax()
    return np.array([thresholds[best], scores[best, held_out].mean()])


def reported_in_torch(probabilities, truths, films, share, thresholds):
    p, truths = torch.tensor(probabilities), torch.tensor(truths)
    held_out = torch.tensor(split_by_sums(films, share))

    def score(which, threshold):
        mask, truth = (p[which] >= threshold).flatten(1), truths[which].flatten(1)
        return ((mask & truth).sum(1) / (mask | truth).sum(1)).double().mean()

    best = max(thresholds, key=lambda threshold: score(~held_out, threshold))
    return best, score(held_out, best).item()


RIGHT = {
    "sweep": [swept_by_loops, swept_at_once, swept_by_library, swept_in_torch],
    "mean_iou": [mean_by_loops, mean_at_once, mean_by_library],
    "seg_score": [seg_by_counting, seg_by_majority, seg_by_library],
    "split_by_sequence": [split_by_dictionary, split_by_sums, split_by_limit],
    "ablation_table": [table_by_statistics, table_in_torch, table_by_unique],
    "repair_report": [reported_by_loops, reported_at_once, reported_in_torch],
}


# --- mistakes as students write them ----------------------------------------------------------------------------------


@written("ablation_table", "best run")
def _(runs):
    scores = {}
    for name, _, score in runs:
        scores.setdefault(name, []).append(score)
    return [(max(s), np.std(s, ddof=1), len(s)) for s in scores.values()]


@written("repair_report", "chosen by the held-out frames and pixels pooled")
def _(probabilities, truths, films, share, thresholds):
    """One is found: whole films."""
    held_out = split_by_sums(films, share)
    p, t = probabilities[held_out], truths[held_out]
    scores = [((p >= threshold) & t).sum() / ((p >= threshold) | t).sum() for threshold in thresholds]
    return thresholds[np.argmax(scores)], max(scores)


@written("repair_report", "reported on the frames of the choice")
def _(probabilities, truths, films, share, thresholds):
    rest = ~split_by_sums(films, share)
    scores = [mean_at_once(probabilities[rest] >= threshold, truths[rest]) for threshold in thresholds]
    return thresholds[np.argmax(scores)], max(scores)


def reported(split=split_by_dictionary, choose=mean_by_loops, score=mean_by_loops, called=np.greater_equal):
    def report(probabilities, truths, films, share, thresholds):
        held_out = np.array(split(films, share))
        p, t = probabilities[~held_out], truths[~held_out]
        threshold = max(thresholds, key=lambda threshold: choose(called(p, threshold), t))
        return threshold, score(called(probabilities[held_out], threshold), truths[held_out])

    return report


def pooled(masks, truths):
    return (masks & truths).sum() / (masks | truths).sum()


written("repair_report", "pixels pooled for the choice")(reported(choose=pooled))
written("repair_report", "pixels pooled for the report")(reported(score=pooled))
written("repair_report", "above the threshold")(reported(called=np.greater))
written("repair_report", "last film alone")(reported(lambda films, share: films == films.max()))


@written("repair_report", "share of the films")
def _(probabilities, truths, films, share, thresholds):
    numbers = sorted(set(films))
    held = numbers[-int(np.ceil(share * len(numbers))) :]
    return reported(lambda films, share: np.isin(films, held))(probabilities, truths, films, share, thresholds)


@written("repair_report", "one film too many")
def _(probabilities, truths, films, share, thresholds):
    def split(films, share):
        held_out = np.zeros(len(films), bool)
        for number in np.unique(films)[::-1]:
            if held_out.sum() > share * len(films):
                break
            held_out |= films == number
        return held_out

    return reported(split)(probabilities, truths, films, share, thresholds)


@written("repair_report", "place of the threshold")
def _(probabilities, truths, films, share, thresholds):
    threshold, score = reported()(probabilities, truths, films, share, thresholds)
    return np.flatnonzero(np.array(thresholds) == threshold)[0], score
