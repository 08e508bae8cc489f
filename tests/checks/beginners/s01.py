"""Wrong answers to the exercises of lesson 01: label_map, one_hot, confusion, iou, repair_score."""

# ruff: noqa: F811

import numpy as np

from tests.checks.beginners import wrong

# label_map


@wrong("label_map", "axes counted from 1, so the classes would be axis 2")
def label_map(logits):
    return np.argmax(logits, axis=2)


@wrong("label_map", "argmax without an axis")
def label_map(logits):
    return np.argmax(logits)


@wrong("label_map", "the running maximum starts at 0, so negative scores never win")
def label_map(logits):
    N, K, H, W = logits.shape
    result = np.zeros((N, H, W), dtype=int)
    for n in range(N):
        for i in range(H):
            for j in range(W):
                best = 0
                for k in range(K):
                    if logits[n, k, i, j] > best:
                        best = logits[n, k, i, j]
                        result[n, i, j] = k
    return result


@wrong("label_map", "only the first image, and the rows of it compared")
def label_map(logits):
    image = logits[0]
    return image.argmax(axis=1)


@wrong("label_map", "the running maximum is never updated, so the last class above class 0 wins")
def label_map(logits):
    labels = np.zeros((logits.shape[0], logits.shape[2], logits.shape[3]), dtype=int)
    best = logits[:, 0]
    for k in range(1, logits.shape[1]):
        labels[logits[:, k] > best] = k
    return labels


@wrong("label_map", "three classes only, as in the example")
def label_map(logits):
    a, b, c = logits[:, 0], logits[:, 1], logits[:, 2]
    return np.where((a > b) & (a > c), 0, np.where(b > c, 1, 2))


@wrong("label_map", "the classes counted from 1, and the largest absolute score")
def label_map(logits):
    return np.abs(logits).argmax(axis=1) + 1


@wrong("label_map", "the softmax rounded to a class number")
def label_map(logits):
    e = np.exp(logits)
    probability = e / e.sum(axis=1, keepdims=True)
    K = logits.shape[1]
    mean_class = sum(k * probability[:, k] for k in range(K))
    return np.rint(mean_class).astype(int)


# one_hot


@wrong("one_hot", "the classes last, then reshaped")
def one_hot(mask, num_classes):
    N, H, W = mask.shape
    y = np.eye(num_classes)[mask]
    return y.reshape(N, num_classes, H, W)


@wrong("one_hot", "the planes stacked in front of the images")
def one_hot(mask, num_classes):
    planes = []
    for k in range(num_classes):
        planes.append((mask == k).astype(int))
    return np.stack(planes)


@wrong("one_hot", "the number of classes taken from the mask")
def one_hot(mask, num_classes):
    num_classes = mask.max() + 1
    return np.stack([mask == k for k in range(num_classes)], axis=1)


@wrong("one_hot", "only the classes that occur get a plane")
def one_hot(mask, num_classes):
    N, H, W = mask.shape
    y = np.zeros((N, num_classes, H, W))
    for n, k in enumerate(np.unique(mask)):
        y[:, n] = mask == k
    return y


@wrong("one_hot", "the class id is written and not a 1")
def one_hot(mask, num_classes):
    N, H, W = mask.shape
    y = np.zeros((N, num_classes, H, W))
    for n in range(N):
        for i in range(H):
            for j in range(W):
                y[n, mask[n, i, j], i, j] = mask[n, i, j]
    return y


@wrong("one_hot", "the background is left out: the loop over the classes starts at 1")
def one_hot(mask, num_classes):
    N, H, W = mask.shape
    y = np.zeros((N, num_classes, H, W), dtype=int)
    for k in range(1, num_classes):
        y[:, k] = mask == k
    return y


@wrong("one_hot", "the classes counted from 1, and put last")
def one_hot(mask, num_classes):
    planes = []
    for k in range(1, num_classes + 1):
        planes.append(mask == k)
    return np.stack(planes, axis=-1)


@wrong("one_hot", "the binary digits of the class id")
def one_hot(mask, num_classes):
    return np.stack([(mask >> k) & 1 for k in range(num_classes)], axis=1)


# confusion


@wrong("confusion", "truth and prediction exchanged, as they come in the arguments")
def confusion(prediction, target, num_classes):
    C = np.zeros((num_classes, num_classes), dtype=int)
    for t, p in zip(prediction.ravel(), target.ravel(), strict=True):
        C[t, p] += 1
    return C


@wrong("confusion", "whole arrays as indices count each place once")
def confusion(prediction, target, num_classes):
    C = np.zeros((num_classes, num_classes), dtype=int)
    C[target.ravel(), prediction.ravel()] += 1
    return C


@wrong("confusion", "only the right pixels, and as a share of all")
def confusion(prediction, target, num_classes):
    matrix = np.zeros((num_classes, num_classes))
    for k in range(num_classes):
        matrix[k, k] = np.sum((prediction == k) & (target == k)) / target.size
    return matrix


@wrong("confusion", "shares of each row, as in a program that normalizes")
def confusion(prediction, target, num_classes):
    C = np.zeros((num_classes, num_classes))
    for t, p in zip(target.ravel(), prediction.ravel(), strict=True):
        C[t, p] += 1
    rows = C.sum(axis=1, keepdims=True)
    return C / np.maximum(rows, 1)


@wrong("confusion", "counted in one byte")
def confusion(prediction, target, num_classes):
    C = np.zeros((num_classes, num_classes), dtype=np.uint8)
    np.add.at(C, (target, prediction), 1)
    return C


@wrong("confusion", "two loops, so one image only and the rows exchanged with the columns")
def confusion(prediction, target, num_classes):
    C = np.zeros((num_classes, num_classes), dtype=int)
    for i in range(target.shape[0]):
        for j in range(target.shape[1]):
            C[prediction[i, j], target[i, j]] += 1
    return C


@wrong("confusion", "the table has only the classes that occur")
def confusion(prediction, target, num_classes):
    classes = np.unique(target)
    return np.array([[np.sum((target == a) & (prediction == b)) for b in classes] for a in classes])


@wrong("confusion", "the pixels of both maps are compared sorted")
def confusion(prediction, target, num_classes):
    p = sorted(prediction.ravel())
    t = sorted(target.ravel())
    C = np.zeros((num_classes, num_classes), dtype=int)
    for n in range(len(p)):
        C[t[n], p[n]] += 1
    return C


# iou


@wrong("iou", "both areas added, the intersection not subtracted")
def iou(prediction, target):
    a = prediction > 0
    b = target > 0
    if a.sum() + b.sum() == 0:
        return 1
    return (a & b).sum() / (a.sum() + b.sum())


@wrong("iou", "the Dice coefficient from the internet")
def iou(prediction, target):
    p = prediction != 0
    t = target != 0
    if not p.any() and not t.any():
        return 1.0
    return 2 * np.sum(p & t) / (np.sum(p) + np.sum(t))


@wrong("iou", "only the pixels that are equal to 1")
def iou(prediction, target):
    both = np.sum((prediction == 1) & (target == 1))
    either = np.sum((prediction == 1) | (target == 1))
    if either == 0:
        return 1
    return both / either


@wrong("iou", "the empty case gives 0")
def iou(prediction, target):
    a = prediction.astype(bool)
    b = target.astype(bool)
    union = np.logical_or(a, b).sum()
    if union == 0:
        return 0
    return np.logical_and(a, b).sum() / union


@wrong("iou", "a smoothing constant of 1, as in losses")
def iou(prediction, target):
    p = (prediction > 0).astype(float)
    t = (target > 0).astype(float)
    intersection = (p * t).sum()
    union = p.sum() + t.sum() - intersection
    return (intersection + 1) / (union + 1)


@wrong("iou", "object only above 127, and the empty case forgotten")
def iou(prediction, target):
    a = prediction > 127
    b = target > 127
    return (a & b).sum() / (a | b).sum()


@wrong("iou", "divided by the truth's area only, and rounded")
def iou(prediction, target):
    a = prediction > 0
    b = target > 0
    if b.sum() == 0:
        return 1
    return round((a & b).sum() / b.sum(), 2)


@wrong("iou", "boxes around the objects, as in object detection")
def iou(prediction, target):
    def box(m):
        rows = np.where(m.any(axis=1))[0]
        cols = np.where(m.any(axis=0))[0]
        return rows[0], cols[0], rows[-1] + 1, cols[-1] + 1

    if not prediction.any() and not target.any():
        return 1
    if not prediction.any() or not target.any():
        return 0
    a, b = box(prediction), box(target)
    h = max(0, min(a[2], b[2]) - max(a[0], b[0]))
    w = max(0, min(a[3], b[3]) - max(a[1], b[1]))
    inter = h * w
    return inter / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - inter)


# repair_score


@wrong("repair_score", "only the zero is repaired: a class without pixels is skipped in each image")
def repair_score(predictions, targets, num_classes):
    scores = []
    for prediction, target in zip(predictions, targets, strict=True):
        for k in range(num_classes):
            p, t = prediction == k, target == k
            either = (p | t).sum()
            if either == 0:
                continue
            scores.append((p & t).sum() / either)
    return sum(scores) / len(scores)


@wrong("repair_score", "counted together, but divided by the number of classes")
def repair_score(predictions, targets, num_classes):
    total = 0
    for k in range(num_classes):
        both = ((predictions == k) & (targets == k)).sum()
        either = ((predictions == k) | (targets == k)).sum()
        if either > 0:
            total += both / either
    return total / num_classes


@wrong("repair_score", "the counters are set to zero inside the loop over the images")
def repair_score(predictions, targets, num_classes):
    scores = []
    for k in range(num_classes):
        for prediction, target in zip(predictions, targets, strict=True):
            both, either = 0, 0
            both += ((prediction == k) & (target == k)).sum()
            either += ((prediction == k) | (target == k)).sum()
        if either > 0:
            scores.append(both / either)
    return sum(scores) / len(scores)


@wrong("repair_score", "one class too few, because the background seems to be no class; absent ones are 0")
def repair_score(predictions, targets, num_classes):
    scores = []
    for k in range(1, num_classes):
        p, t = predictions == k, targets == k
        scores.append((p & t).sum() / max((p | t).sum(), 1))
    return sum(scores) / len(scores)


@wrong("repair_score", "the counts of all classes in one ratio")
def repair_score(predictions, targets, num_classes):
    both = either = 0
    for k in range(num_classes):
        both += ((predictions == k) & (targets == k)).sum()
        either += ((predictions == k) | (targets == k)).sum()
    return both / either


@wrong("repair_score", "the classes of the truth only")
def repair_score(predictions, targets, num_classes):
    scores = []
    for k in np.unique(targets):
        p, t = predictions == k, targets == k
        scores.append((p & t).sum() / (p | t).sum())
    return np.mean(scores)


@wrong("repair_score", "the images weighted by how many pixels are no background")
def repair_score(predictions, targets, num_classes):
    total = weight = 0
    for prediction, target in zip(predictions, targets, strict=True):
        ious = []
        for k in range(num_classes):
            p, t = prediction == k, target == k
            if (p | t).any():
                ious.append((p & t).sum() / (p | t).sum())
        w = (target > 0).sum()
        total += w * np.mean(ious)
        weight += w
    return total / max(weight, 1)
