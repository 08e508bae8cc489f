"""The exercises of lesson 01: right answers in many styles, and mistakes as students write them."""

import numpy as np
import torch
import torch.nn.functional as F

from tests.checks.judging import written


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


def labels_by_plain_softmax(logits):
    odds = np.exp(logits)
    return (odds / odds.sum(axis=1, keepdims=True)).argmax(axis=1)


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


def score_by_counts(predictions, targets, num_classes):
    scores = []
    for k in range(num_classes):
        both = either = 0
        for prediction, target in zip(predictions, targets, strict=True):
            both += ((prediction == k) & (target == k)).sum()
            either += ((prediction == k) | (target == k)).sum()
        if either > 0:
            scores.append(both / either)
    return sum(scores) / len(scores)


def score_by_table(predictions, targets, num_classes):
    C = table_by_loops(predictions, targets, num_classes)
    ious = []
    for k in range(num_classes):
        union = sum(C[k]) + sum(row[k] for row in C) - C[k][k]
        ious += [C[k][k] / union] if union else []
    return np.mean(ious)


def score_with_nan(predictions, targets, num_classes):
    C = np.array(table_by_masks(predictions, targets, num_classes), float)
    with np.errstate(invalid="ignore"):
        return np.nanmean(np.diag(C) / (C.sum(axis=0) + C.sum(axis=1) - np.diag(C)))


def score_of_what_occurs(predictions, targets, num_classes):
    p, t = torch.tensor(predictions), torch.tensor(targets)
    masks = [(p == k, t == k) for k in torch.cat([p, t]).unique()]
    return torch.stack([(a & b).sum() / (a | b).sum() for a, b in masks]).mean()


RIGHT = {
    "label_map": [
        labels_by_loops,
        labels_by_running_maximum,
        labels_in_torch,
        labels_by_plain_softmax,
        lambda logits: np.argsort(logits, axis=1)[:, -1],
    ],
    "one_hot": [planes_by_loops, planes_of_true_and_false, planes_by_identity, planes_in_torch],
    "confusion": [table_by_loops, table_by_masks, table_by_bincount, table_by_add_at, table_by_planes],
    "iou": [iou_by_logic, iou_by_loops, iou_by_sets, iou_with_a_tiny_number],
    "repair_score": [score_by_counts, score_by_table, score_with_nan, score_of_what_occurs],
}


# --- mistakes as students write them ----------------------------------------------------------------------------------


@written("label_map", "last class forgotten")
def _(logits):
    y = np.zeros(logits[:, 0].shape, dtype=int)
    for n, i, j in np.ndindex(y.shape):
        for k in range(logits.shape[1] - 1):
            if logits[n, k, i, j] > logits[n, y[n, i, j], i, j]:
                y[n, i, j] = k
    return y


@written("confusion", "each pair counted once")
def _(prediction, target, num_classes):
    C = np.zeros((num_classes, num_classes), dtype=int)
    C[target, prediction] += 1
    return C


@written("confusion", "size from the labels")
def _(prediction, target, num_classes):
    """An index may leave the table."""
    C = np.zeros((target.max() + 1, target.max() + 1), dtype=int)
    for t, p in zip(target.ravel(), prediction.ravel(), strict=True):
        C[t, p] += 1
    return C


@written("confusion", "classes counted from 1")
def _(prediction, target, num_classes):
    C = np.zeros((num_classes, num_classes), dtype=int)
    for t, p in zip(target.ravel(), prediction.ravel(), strict=True):
        C[t - 1, p - 1] += 1
    return C


@written("repair_score", "absent class counts as 0")
def _(predictions, targets, num_classes):
    scores = []
    for k in range(num_classes):
        p, t = predictions == k, targets == k
        scores.append((p & t).sum() / max((p | t).sum(), 1))
    return sum(scores) / len(scores)


@written("repair_score", "mean over images and classes")
def _(predictions, targets, num_classes):
    """One mistake is repaired: an `if` around the last line."""
    scores = []
    for prediction, target in zip(predictions, targets, strict=True):
        for k in range(num_classes):
            p, t = prediction == k, target == k
            if (p | t).any():
                scores.append((p & t).sum() / (p | t).sum())
    return sum(scores) / len(scores)


@written("repair_score", "mean of each image")
def _(predictions, targets, num_classes):
    def score(p, t):
        return np.mean([((p == k) & (t == k)).sum() / ((p == k) | (t == k)).sum() for k in np.union1d(p, t)])

    return np.mean([score(p, t) for p, t in zip(predictions, targets, strict=True)])


@written("one_hot", "reshaped in place of moved")
def _(mask, num_classes):
    return np.eye(num_classes)[mask].reshape(len(mask), num_classes, *mask.shape[1:])


@written("one_hot", "axes swapped")
def _(mask, num_classes):
    return np.eye(num_classes)[mask].swapaxes(1, 3)


@written("one_hot", "all axes turned round")
def _(mask, num_classes):
    return np.eye(num_classes)[mask].T


@written("one_hot", "channels last")
def _(mask, num_classes):
    return np.eye(num_classes)[mask]


@written("one_hot", "only the first plane")
def _(mask, num_classes):
    y = np.zeros((len(mask), num_classes, *mask.shape[1:]))
    for k in range(num_classes):
        y[:, k] = mask == k
        return y


@written("label_map", "rounded probabilities")
def _(logits):
    p = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    return p.round().argmax(axis=1)
