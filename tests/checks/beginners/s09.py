# ruff: noqa: F811
"""Lesson 09: results."""

import numpy as np

from tests.checks.beginners import wrong


@wrong("sweep", "greater than the threshold, not at least")
def sweep(probabilities, truth, thresholds):
    rows = []
    for t in thresholds:
        mask = probabilities > t
        both = (mask & truth).sum()
        rows.append([both / max(mask.sum(), 1), both / truth.sum(), both / (mask | truth).sum()])
    return np.array(rows)


@wrong("sweep", "precision and recall exchanged")
def sweep(probabilities, truth, thresholds):
    rows = []
    for t in thresholds:
        mask = probabilities >= t
        both = (mask & truth).sum()
        precision = both / truth.sum()
        recall = both / mask.sum()
        rows.append([precision, recall, both / (mask | truth).sum()])
    return np.array(rows)


@wrong("sweep", "accuracy in place of precision")
def sweep(probabilities, truth, thresholds):
    table = np.zeros((len(thresholds), 3))
    for k, t in enumerate(thresholds):
        mask = probabilities >= t
        both = np.logical_and(mask, truth).sum()
        table[k, 0] = (mask == truth).mean()
        table[k, 1] = both / truth.sum()
        table[k, 2] = both / np.logical_or(mask, truth).sum()
    return table


@wrong("sweep", "Dice in the last column")
def sweep(probabilities, truth, thresholds):
    rows = []
    for t in thresholds:
        mask = probabilities >= t
        tp = np.sum(mask & truth)
        fp = np.sum(mask & ~truth)
        fn = np.sum(~mask & truth)
        rows.append([tp / (tp + fp), tp / (tp + fn), 2 * tp / (2 * tp + fp + fn)])
    return np.array(rows)


@wrong("sweep", "thresholds in rising order, and the scores as rows")
def sweep(probabilities, truth, thresholds):
    precision, recall, iou = [], [], []
    for t in sorted(thresholds):
        mask = probabilities >= t
        both = (mask & truth).sum()
        precision.append(both / mask.sum())
        recall.append(both / truth.sum())
        iou.append(both / (mask | truth).sum())
    return np.array([precision, recall, iou])


@wrong("sweep", "sum of both areas below the line, the overlap counted twice")
def sweep(probabilities, truth, thresholds):
    rows = []
    for t in thresholds:
        mask = probabilities >= t
        both = (mask & truth).sum()
        rows.append([both / mask.sum(), both / truth.sum(), both / (mask.sum() + truth.sum())])
    return np.array(rows)


@wrong("sweep", "soft scores: the probabilities that pass are added up")
def sweep(probabilities, truth, thresholds):
    rows = []
    for t in thresholds:
        kept = np.where(probabilities >= t, probabilities, 0)
        both = (kept * truth).sum()
        rows.append([both / kept.sum(), both / truth.sum(), both / np.maximum(kept, truth).sum()])
    return np.array(rows)


@wrong("mean_iou", "all pixels together")
def mean_iou(predictions, truths):
    union = (predictions | truths).sum()
    if union == 0:
        return 1.0
    return (predictions & truths).sum() / union


@wrong("mean_iou", "empty images count 0")
def mean_iou(predictions, truths):
    scores = []
    for p, t in zip(predictions, truths, strict=True):
        union = (p | t).sum()
        if union == 0:
            scores.append(0)
        else:
            scores.append((p & t).sum() / union)
    return np.mean(scores)


@wrong("mean_iou", "empty images skipped")
def mean_iou(predictions, truths):
    scores = []
    for p, t in zip(predictions, truths, strict=True):
        union = (p | t).sum()
        if union > 0:
            scores.append((p & t).sum() / union)
    return np.mean(scores) if scores else 1.0


@wrong("mean_iou", "counts 1 wherever the truth is empty, whatever was found")
def mean_iou(predictions, truths):
    total = 0
    for n in range(len(truths)):
        if not truths[n].any():
            total += 1
        else:
            total += (predictions[n] & truths[n]).sum() / (predictions[n] | truths[n]).sum()
    return total / len(truths)


@wrong("mean_iou", "return within the loop: the first image only")
def mean_iou(predictions, truths):
    scores = []
    for p, t in zip(predictions, truths, strict=True):
        union = (p | t).sum()
        scores.append(1.0 if union == 0 else (p & t).sum() / union)
        return np.mean(scores)


@wrong("mean_iou", "the mean of the IoU of object and of background")
def mean_iou(predictions, truths):
    scores = []
    for p, t in zip(predictions, truths, strict=True):
        both = []
        for a, b in ((p, t), (~p, ~t)):
            union = (a | b).sum()
            both.append(1.0 if union == 0 else (a & b).sum() / union)
        scores.append(np.mean(both))
    return np.mean(scores)


@wrong("mean_iou", "a small number against 0 / 0, above and below the line, and integer counts of each row")
def mean_iou(predictions, truths):
    both = (predictions & truths).sum(axis=2)
    union = (predictions | truths).sum(axis=2)
    return ((both + 1) / (union + 1)).mean()


@wrong("seg_score", "at least half")
def seg_score(prediction, truth):
    scores = []
    for n in np.unique(truth):
        if n == 0:
            continue
        R = truth == n
        score = 0.0
        for m in np.unique(prediction[R]):
            S = prediction == m
            if m != 0 and (R & S).sum() >= R.sum() / 2:
                score = (R & S).sum() / (R | S).sum()
        scores.append(score)
    return np.mean(scores)


@wrong("seg_score", "half of the found cell, not of the true one")
def seg_score(prediction, truth):
    scores = []
    for n in [n for n in np.unique(truth) if n != 0]:
        R = truth == n
        score = 0.0
        for m in np.unique(prediction[R]):
            S = prediction == m
            if m != 0 and (R & S).sum() > S.sum() / 2:
                score = (R & S).sum() / (R | S).sum()
        scores.append(score)
    return np.mean(scores)


@wrong("seg_score", "IoU above one half asked for")
def seg_score(prediction, truth):
    scores = []
    for n in [n for n in np.unique(truth) if n != 0]:
        R = truth == n
        best = 0.0
        for m in np.unique(prediction):
            if m == 0:
                continue
            S = prediction == m
            iou = (R & S).sum() / (R | S).sum()
            if iou > 0.5:
                best = max(best, iou)
        scores.append(best)
    return np.mean(scores)


@wrong("seg_score", "the mean over the cells that were matched")
def seg_score(prediction, truth):
    scores = []
    for n in [n for n in np.unique(truth) if n != 0]:
        R = truth == n
        for m in np.unique(prediction[R]):
            S = prediction == m
            if m != 0 and (R & S).sum() > 0.5 * R.sum():
                scores.append((R & S).sum() / (R | S).sum())
    if len(scores) == 0:
        return 0.0
    return np.mean(scores)


@wrong("seg_score", "score not set back to 0 for each cell")
def seg_score(prediction, truth):
    scores = []
    score = 0.0
    for n in np.unique(truth)[1:]:
        R = truth == n
        for m in np.unique(prediction[R]):
            S = prediction == m
            if m != 0 and 2 * (R & S).sum() > R.sum():
                score = (R & S).sum() / (R | S).sum()
        scores.append(score)
    return np.mean(scores)


@wrong("seg_score", "the same number taken for the same cell")
def seg_score(prediction, truth):
    scores = []
    for n in np.unique(truth):
        if n > 0:
            R, S = truth == n, prediction == n
            both = (R & S).sum()
            scores.append(both / (R | S).sum() if both > R.sum() / 2 else 0)
    return sum(scores) / len(scores)


@wrong("seg_score", "goes through the found cells, and gives the share of R that was found")
def seg_score(prediction, truth):
    scores = []
    for m in np.unique(prediction):
        if m == 0:
            continue
        S = prediction == m
        score = 0
        for n in np.unique(truth[S]):
            R = truth == n
            if n != 0 and (R & S).sum() > R.sum() / 2:
                score = (R & S).sum() / R.sum()
        scores.append(score)
    return np.mean(scores) if scores else 0


@wrong("seg_score", "the found pixels of all cells taken as one mask")
def seg_score(prediction, truth):
    found = prediction > 0
    scores = []
    for n in [n for n in np.unique(truth) if n != 0]:
        R = truth == n
        inside = (R & found).sum()
        scores.append(inside / R.sum() if inside > R.sum() / 2 else 0.0)
    return np.mean(scores)


@wrong("split_by_sequence", "from the smallest number on")
def split_by_sequence(sequences, share):
    held_out = np.zeros(len(sequences), bool)
    for number in np.unique(sequences):
        if held_out.sum() >= share * len(sequences):
            break
        held_out |= sequences == number
    return held_out


@wrong("split_by_sequence", "more than the share asked for")
def split_by_sequence(sequences, share):
    held_out = np.zeros(len(sequences), bool)
    for number in sorted(set(sequences.tolist()), reverse=True):
        if held_out.sum() > share * len(sequences):
            break
        held_out |= sequences == number
    return held_out


@wrong("split_by_sequence", "the last frames: cuts films")
def split_by_sequence(sequences, share):
    n = int(np.ceil(share * len(sequences)))
    order = np.argsort(-sequences, kind="stable")
    held_out = np.zeros(len(sequences), bool)
    held_out[order[:n]] = True
    return held_out


@wrong("split_by_sequence", "a share of the films, not of the frames")
def split_by_sequence(sequences, share):
    films = np.unique(sequences)[::-1]
    count = int(np.ceil(share * len(films)))
    return np.isin(sequences, films[:count])


@wrong("split_by_sequence", "stops before a film that would be too much")
def split_by_sequence(sequences, share):
    held_out = np.zeros(len(sequences), bool)
    for number in np.unique(sequences)[::-1]:
        film = sequences == number
        if held_out.sum() + film.sum() > share * len(sequences):
            break
        held_out = held_out | film
    return held_out


@wrong("split_by_sequence", "the longest films first, and True for what is learned from")
def split_by_sequence(sequences, share):
    numbers, frames = np.unique(sequences, return_counts=True)
    learned = np.ones(len(sequences), bool)
    for k in np.argsort(frames)[::-1]:
        if (~learned).sum() >= share * len(sequences):
            break
        learned[sequences == numbers[k]] = False
    return learned


@wrong("split_by_sequence", "only the largest film")
def split_by_sequence(sequences, share):
    return sequences == sequences.max()


@wrong("ablation_table", "divides by n")
def ablation_table(runs):
    scores = {}
    for variant, _seed, score in runs:
        scores.setdefault(variant, []).append(score)
    return np.array([[np.mean(s), np.std(s), len(s)] for s in scores.values()])


@wrong("ablation_table", "the variance")
def ablation_table(runs):
    scores = {}
    for variant, _seed, score in runs:
        scores.setdefault(variant, []).append(score)
    return np.array([[np.mean(s), np.var(s, ddof=1), len(s)] for s in scores.values()])


@wrong("ablation_table", "variants in the order of the alphabet")
def ablation_table(runs):
    table = []
    for name in sorted({r[0] for r in runs}):
        s = np.array([score for variant, seed, score in runs if variant == name])
        table.append([s.mean(), s.std(ddof=1), len(s)])
    return np.array(table)


@wrong("ablation_table", "the list is not emptied for each variant")
def ablation_table(runs):
    names = []
    for name, _, _ in runs:
        if name not in names:
            names.append(name)
    table = []
    s = []
    for name in names:
        for variant, _, score in runs:
            if variant == name:
                s.append(score)
        table.append([np.mean(s), np.std(s, ddof=1), len(s)])
    return np.array(table)


@wrong("ablation_table", "the standard error, and the seeds counted instead of the runs")
def ablation_table(runs):
    scores, seeds = {}, {}
    for variant, seed, score in runs:
        scores.setdefault(variant, []).append(score)
        seeds.setdefault(variant, []).append(seed)
    return np.array([[np.mean(s), np.std(s, ddof=1) / np.sqrt(len(s)), max(seeds[v])] for v, s in scores.items()])


@wrong("ablation_table", "half of the distance between best and worst run")
def ablation_table(runs):
    scores = {}
    for variant, _, score in runs:
        if variant not in scores:
            scores[variant] = [score]
        scores[variant] += [score]
    return np.array([[np.median(s), (max(s) - min(s)) / 2, len(s)] for s in scores.values()])


@wrong("ablation_table", "runs of a variant read as neighbours in the list, three each")
def ablation_table(runs):
    values = np.array([run[2] for run in runs[: len(runs) // 3 * 3]]).reshape(-1, 3)
    return np.stack([values.mean(1), values.std(1, ddof=1), np.full(len(values), 3)], axis=1)


# repair_report


@wrong("repair_report", "whole films, but the rest of the code as it was")
def repair_report(probabilities, truths, films, share, thresholds):
    held_out = np.zeros(len(films), bool)
    for number in np.unique(films)[::-1]:
        if held_out.sum() >= share * len(films):
            break
        held_out |= films == number
    p, t = probabilities[held_out], truths[held_out]
    scores = [((p >= x) & t).sum() / ((p >= x) | t).sum() for x in thresholds]
    return thresholds[np.argmax(scores)], max(scores)


@wrong("repair_report", "the best threshold of each held-out frame")
def repair_report(probabilities, truths, films, share, thresholds):
    held_out = films == films.max()
    best = []
    for p, t in zip(probabilities[held_out], truths[held_out], strict=True):
        best.append(max(((p >= x) & t).sum() / ((p >= x) | t).sum() for x in thresholds))
    return thresholds[0], np.mean(best)


@wrong("repair_report", "the last film only, whatever the share")
def repair_report(probabilities, truths, films, share, thresholds):
    held_out = films == films.max()

    def score(which, x):
        return np.mean(
            [
                ((p >= x) & t).sum() / ((p >= x) | t).sum()
                for p, t in zip(probabilities[which], truths[which], strict=True)
            ]
        )

    best = max(thresholds, key=lambda x: score(~held_out, x))
    return best, score(held_out, best)


@wrong("repair_report", "the last frames sorted by film, so that one film is cut")
def repair_report(probabilities, truths, films, share, thresholds):
    order = np.argsort(films, kind="stable")
    probabilities, truths = probabilities[order], truths[order]
    n = len(films) - int(np.ceil(share * len(films)))

    def score(part, x):
        pairs = zip(probabilities[part], truths[part], strict=True)
        return np.mean([((p >= x) & t).sum() / ((p >= x) | t).sum() for p, t in pairs])

    best = max(thresholds, key=lambda x: score(slice(0, n), x))
    return best, score(slice(n, None), best)
