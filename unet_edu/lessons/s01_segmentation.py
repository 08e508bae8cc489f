"""The exercises of lesson 01: what is asked, and which mistakes are known."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unet_edu.checks.exercise import Case, Exercise
from unet_edu.lessons.families import ratio
from unet_edu.lessons.lesson import Lesson
from unet_edu.lessons.libraries import OF_SCORES
from unet_edu.metrics import confusion_matrix

__all__ = ["LESSON"]

Array = NDArray[Any]


# --- label_map --------------------------------------------------------------------------------------------------------

# Two images, three classes, 2×4 pixels. In the last pixel of the first row all scores are negative.
SCORES = np.array(
    [
        [
            [[2.0, 0.5, -1.0, -3.0], [1.5, -0.5, -2.0, 0.0]],
            [[0.5, 1.0, 3.0, -1.0], [-1.0, 0.5, 1.0, -0.5]],
            [[-1.0, 0.0, 1.5, -2.0], [0.0, 2.5, -0.5, 4.0]],
        ],
        [
            [[0.3, 1.2, -4.0, 2.0], [-2.5, 0.6, 3.5, 0.1]],
            [[0.4, -0.3, -3.0, 1.0], [-1.5, -0.2, 0.5, 0.9]],
            [[0.1, 0.8, -2.0, -1.0], [-3.5, 1.1, 2.5, 0.7]],
        ],
    ]
)


def _label_map(logits: Array) -> Array:
    return logits.argmax(axis=1)


def _scores(rng: np.random.Generator, *shape: int) -> Array:
    """Scores that are all different, so that no pixel has two winners; half of them negative."""
    n = int(np.prod(shape))
    return ((rng.permutation(n) - n // 2) / 8).reshape(shape)


def _score_cases(rng: np.random.Generator) -> list[Case]:
    return [
        Case("two images with three classes", (SCORES,), group="visible"),
        Case("four classes, 3×5 pixels", (_scores(rng, 2, 4, 3, 5),)),
        Case("two classes, as for cells and background", (_scores(rng, 3, 2, 5, 4),)),
        # Not below −700: there exp gives 0, and whoever takes a softmax first is right, too.
        Case("negative scores only", (_scores(rng, 2, 5, 4, 3) - 500,)),
        Case("twelve classes, whose scores lie close together", (_scores(rng, 2, 12, 6, 8) / 50,)),
        Case("one image, in single precision", (_scores(rng, 1, 3, 6, 7).astype(np.float32),)),
    ]


def _softmax(logits: Array, axis: int) -> Array:
    odds = np.exp(logits - logits.max(axis=axis, keepdims=True))
    return odds / odds.sum(axis=axis, keepdims=True)


LABEL_MAP = Exercise(name="label_map", points=2, reference=_label_map, cases=_score_cases, whole=True)


@LABEL_MAP.mistake("largest over the images")
def _(logits):
    """You compared the images of the batch with each other: axis 0. Each pixel of each image chooses among its classes.
    In (N, K, H, W), which axis holds the classes?"""
    return logits.argmax(axis=0)


@LABEL_MAP.mistake("largest over the rows")
def _(logits):
    """You compared the rows with each other: axis 2. Each pixel chooses among its classes. In (N, K, H, W), which axis
    holds them?"""
    return logits.argmax(axis=2)


@LABEL_MAP.mistake("largest over the columns")
def _(logits):
    """You compared the columns with each other, which is the last axis. Here the classes are not last: the shape is (N,
    K, H, W)."""
    return logits.argmax(axis=3)


@LABEL_MAP.mistake("largest of all")
def _(logits):
    """np.argmax without an axis looks for the largest of all the numbers, and gives its place in the flattened array.
    Name the axis of the classes."""
    return logits.argmax()


@LABEL_MAP.mistake("scores in place of classes")
def _(logits):
    """You returned the largest scores. Asked is which class has it: not max but argmax."""
    return logits.max(axis=1)


@LABEL_MAP.mistake("probabilities in place of classes")
def _(logits):
    """You returned probabilities, one for each class. Asked is the class that has the largest one."""
    return _softmax(logits, axis=1)


@LABEL_MAP.mistake("rounded probabilities")
def _(logits):
    """It looks as if the probabilities were rounded, or compared with 0.5. With three classes or more, often none has
    more than 0.5, and still one is the largest."""
    return (_softmax(logits, axis=1) > 0.5).argmax(axis=1)


@LABEL_MAP.mistake("softmax over the images")
def _(logits):
    """Your softmax runs over the images of the batch, so the classes of a pixel are no longer compared with each other.
    Its axis is that of the classes. (And to find the largest, no softmax is needed.)"""
    return _softmax(logits, axis=0).argmax(axis=1)


@LABEL_MAP.mistake("first positive score")
def _(logits):
    """You took the first class with a positive score. Several can be positive, or none. The largest wins."""
    return (logits > 0).argmax(axis=1)


@LABEL_MAP.mistake("search that starts from 0")
def _(logits):
    """Where all the scores of a pixel are negative, your function says class 0. Does the search for the largest start
    from 0? Start it from the first class's score, or from −infinity."""
    return np.maximum(logits, 0).argmax(axis=1)


@LABEL_MAP.mistake("smallest score")
def _(logits):
    """You took the class with the smallest score. A higher score means: more likely."""
    return logits.argmin(axis=1)


@LABEL_MAP.mistake("classes counted from 1")
def _(logits):
    """All your class ids are 1 too large. Class ids count from 0, like everything in Python."""
    return logits.argmax(axis=1) + 1


@LABEL_MAP.mistake("class 0 left out")
def _(logits):
    """Your function never answers class 0. The background is a class like the others: it has scores of its own, and
    often wins."""
    return logits[:, 1:].argmax(axis=1) + 1


@LABEL_MAP.mistake("last class forgotten")
def _(logits):
    """Your function never answers the last class. Does the loop over the classes stop one step too early? range(K)
    already leaves K out."""
    return logits[:, :-1].argmax(axis=1)


@LABEL_MAP.mistake("axis of the classes kept")
def _(logits):
    """The labels are right, but the axis of the classes is still there, with length 1. A label map has the shape (N, H,
    W)."""
    return logits.argmax(axis=1)[:, None]


@LABEL_MAP.mistake("one plane a class")
def _(logits):
    """You returned one plane for each class: that is the next exercise. Here each pixel gets a single number, its
    class."""
    return np.moveaxis(np.eye(logits.shape[1], dtype=int)[logits.argmax(axis=1)], -1, 1)


@LABEL_MAP.mistake("only the first image")
def _(logits):
    """You labelled only the first image of the batch. The result has one label map for each of the N images."""
    return logits[0].argmax(axis=0)


@LABEL_MAP.mistake("rows and columns swapped")
def _(logits):
    """Your label maps lie on their side: rows and columns are swapped. The result has the shape (N, H, W)."""
    return logits.argmax(axis=1).swapaxes(1, 2)


# --- one_hot ----------------------------------------------------------------------------------------------------------


def _one_hot(mask: Array, num_classes: int) -> Array:
    return (mask[:, None] == np.arange(num_classes)[:, None, None]).astype(np.int64)


def _mask_cases(rng: np.random.Generator) -> list[Case]:
    def mask(classes: Any, *shape: int) -> Array:
        labels = rng.choice(classes, shape)
        labels.flat[: len(classes)] = rng.permutation(classes)  # each of them occurs
        return labels

    return [
        Case("a mask of 2×3 pixels; no pixel is of class 3", (np.array([[[0, 2, 1], [2, 2, 0]]]), 4), group="visible"),
        Case("two masks with three classes", (mask([0, 1, 2], 2, 4, 5), 3)),
        Case("no pixel is of class 1", (mask([0, 2, 3], 2, 5, 4), 4)),
        Case("no pixel is of class 0", (mask([1, 2, 4], 3, 4, 2), 5)),
        Case("two classes, one byte a pixel", (mask([0, 1], 3, 3, 6).astype(np.uint8), 2)),
        Case("a mask that is all background", (np.zeros((1, *rng.integers(2, 9, 2)), int), int(rng.integers(2, 7)))),
    ]


def _in_planes(rule: Callable[[Array, Array], Array]) -> Callable[..., Array]:
    """Planes by a wrong rule: `rule` takes the masks (N, 1, H, W) and the class ids (K, 1, 1)."""

    def wrong(mask: Array, num_classes: int) -> Array:
        return np.asarray(rule(mask.astype(int)[:, None], np.arange(num_classes)[:, None, None])).astype(int)

    return wrong


def _only_planes(kept: Callable[[int], slice]) -> Callable[..., Array]:
    """The right planes where `kept` says so, zeros elsewhere."""

    def wrong(mask: Array, num_classes: int) -> Array:
        right, y = _one_hot(mask, num_classes), np.zeros((len(mask), num_classes, *mask.shape[1:]))
        y[:, kept(num_classes)] = right[:, kept(num_classes)]
        return y

    return wrong


ONE_HOT = Exercise(
    name="one_hot",
    points=2,
    reference=_one_hot,
    cases=_mask_cases,
    forbidden=("torch.*one_hot", "sklearn.preprocessing.*", "pandas.get_dummies", "tensorflow.*", "keras.*", "jax.*"),
)


@ONE_HOT.mistake("channels last")
def _(mask, num_classes):
    """Your planes are right, but the axis of the classes comes last. PyTorch wants it right after the batch: (N, K, H,
    W). Move it; do not reshape."""
    return np.moveaxis(_one_hot(mask, num_classes), 1, -1)


@ONE_HOT.mistake("classes before the batch")
def _(mask, num_classes):
    """Your planes are right, but the axis of the classes comes first. The batch comes first: (N, K, H, W)."""
    return _one_hot(mask, num_classes).swapaxes(0, 1)


@ONE_HOT.mistake("reshaped in place of moved")
def _(mask, num_classes):
    """The shape is right and the numbers are mixed up: reshape keeps the numbers in their order and only cuts them
    elsewhere. To move an axis, take np.moveaxis or transpose."""
    return np.moveaxis(_one_hot(mask, num_classes), 1, -1).reshape(len(mask), num_classes, *mask.shape[1:])


@ONE_HOT.mistake("axes swapped")
def _(mask, num_classes):
    """The axis of the classes stands where it should, but rows and columns have changed places: swapping two axes moves
    both. The order is (N, K, H, W)."""
    return _one_hot(mask, num_classes).swapaxes(2, 3)


@ONE_HOT.mistake("all axes turned round")
def _(mask, num_classes):
    """The order of all axes is turned round: that is what .T does to an array with four of them. The order is (N, K, H,
    W)."""
    return np.moveaxis(_one_hot(mask, num_classes), 1, -1).T


@ONE_HOT.mistake("classes up to the largest")
def _(mask, num_classes):
    """The number of planes depends on the largest class in the mask. It is always num_classes: a class that does not
    occur has a plane of zeros."""
    return _one_hot(mask, int(mask.max()) + 1)


@ONE_HOT.mistake("only classes that occur")
def _(mask, num_classes):
    """There are planes only for classes that occur in the mask. A class that does not occur has a plane too, all zeros:
    else the same class has another number in each picture."""
    return _one_hot(mask, num_classes)[:, np.unique(mask)]


@ONE_HOT.mistake("background left out")
def _(mask, num_classes):
    """There is one plane too few: class 0, the background, has a plane as well."""
    return _one_hot(mask, num_classes)[:, 1:]


ONE_HOT.mistake(
    "background's plane empty",
    "The plane of class 0 is empty. The background is a class like the others: where the mask is 0, its plane is 1.",
    _only_planes(lambda K: slice(1, K)),
)
ONE_HOT.mistake(
    "class ids in the planes",
    "Your planes hold the class ids. One-hot planes hold 0 and 1: is this pixel of this class or not?",
    _in_planes(lambda mask, k: (mask == k) * k),
)
ONE_HOT.mistake(
    "classes counted from 1",
    "Your first plane shows class 1. Class ids count from 0, so plane k shows where the mask is k.",
    _in_planes(lambda mask, k: mask == k + 1),
)
ONE_HOT.mistake(
    "only the first plane",
    "Only the plane of class 0 is filled. Does the `return` stand inside the loop? Move it to the left, below the "
    "loop.",
    _only_planes(lambda K: slice(0, 1)),
)
ONE_HOT.mistake(
    "last class forgotten",
    "The plane of the last class stays empty: the loop stops one step too early. range(n) already leaves n out.",
    _only_planes(lambda K: slice(0, K - 1)),
)


@ONE_HOT.mistake("axis of the batch dropped")
def _(mask, num_classes):
    """The axis of the batch is gone: you returned the planes of the first mask alone. Return (N, K, H, W), with N = 1
    where there is one mask."""
    return _one_hot(mask, num_classes)[0]


# --- confusion --------------------------------------------------------------------------------------------------------


def _confusion(prediction: Array, target: Array, num_classes: int) -> Array:
    return confusion_matrix(prediction, target, num_classes)


def _label_cases(rng: np.random.Generator) -> list[Case]:
    def labels(classes: int, *shape: int) -> tuple[Array, Array]:
        """A truth, and a prediction that is often wrong and prefers high classes: so the table is not symmetric."""
        target = rng.integers(0, classes, shape)
        guess = np.maximum(rng.integers(0, classes, shape), rng.integers(0, classes, shape))
        return np.where(rng.random(shape) < 0.5, target, guess), target

    prediction, target = np.array([[0, 1, 1], [2, 1, 0]]), np.array([[0, 1, 0], [2, 2, 0]])
    few = labels(3, 5, 4)
    return [
        Case("six pixels with three classes", (prediction, target, 3), group="visible"),
        # More than ten, so that no two digits can name a pair.
        Case("12×14 pixels, twelve classes", (*labels(12, 12, 14), 12)),
        Case("two classes", (*labels(2, 7, 5), 2)),
        Case("two images at once", (*labels(3, 2, 4, 5), 3)),
        Case("the last two classes do not occur", (*few, 5)),
        Case("a class that is only predicted", (np.minimum(few[0] + 1, 3), few[1], 4)),
        Case("a large image", (*labels(2, 50, 40), 2)),
    ]


def _per_row(prediction: Array, target: Array, num_classes: int) -> Array:
    table = _confusion(prediction, target, num_classes)
    return table / np.maximum(table.sum(axis=1, keepdims=True), 1)


CONFUSION = Exercise(
    name="confusion", points=3, reference=_confusion, cases=_label_cases, whole=True, forbidden=OF_SCORES
)


@CONFUSION.mistake("rows and columns swapped")
def _(prediction, target, num_classes):
    """Your table lies on its side. Rows are the truth, columns the prediction: C[i, j] counts pixels that are of class
    i and were taken for class j."""
    return _confusion(target, prediction, num_classes)


@CONFUSION.mistake("each pair counted once")
def _(prediction: Array, target: Array, num_classes: int) -> Array:
    """Your table holds only 0 and 1. Is there an = in place of +=? Or are the indices arrays? Then C[target,
    prediction] += 1 adds 1 to each place only once, however often it is named: loop over the pixels, or take np.add.at.
    """
    table = np.zeros((num_classes, num_classes), int)
    table[target, prediction] += 1
    return table


@CONFUSION.mistake("only what is right")
def _(prediction, target, num_classes):
    """Only the diagonal is filled: you counted the pixels whose class is right. What about a pixel of class 2 that was
    taken for class 1?"""
    return np.diag(np.diag(_confusion(prediction, target, num_classes)))


@CONFUSION.mistake("only the number that is right")
def _(prediction, target, num_classes):
    """You returned one number, the pixels whose class is right. Asked is the whole table, (num_classes,
    num_classes)."""
    return (prediction == target).sum()


@CONFUSION.mistake("a row of hits")
def _(prediction, target, num_classes):
    """You returned one number for each class: its hits. They are the diagonal of the table; the mistakes stand beside
    it."""
    return np.diag(_confusion(prediction, target, num_classes))


CONFUSION.mistake(
    "shares of each row",
    "Your rows add up to 1: you divided by the number of pixels of each true class. Here the table holds counts.",
    _per_row,
)


@CONFUSION.mistake("shares of each column")
def _(prediction: Array, target: Array, num_classes: int) -> Array:
    """Your columns add up to 1: you divided by the number of pixels that were taken for each class. Here the table
    holds counts."""
    return _per_row(target, prediction, num_classes).T


@CONFUSION.mistake("shares of all pixels")
def _(prediction, target, num_classes):
    """You divided by the number of all pixels. Here the table holds counts."""
    return _confusion(prediction, target, num_classes) / target.size


@CONFUSION.mistake("size from the labels")
def _(prediction, target, num_classes):
    """The size of your table depends on the largest label. It is always (num_classes, num_classes): a class that does
    not occur has a row and a column of zeros."""
    return _confusion(prediction, target, int(max(prediction.max(), target.max())) + 1)


@CONFUSION.mistake("classes counted from 1")
def _(prediction, target, num_classes):
    """Every count stands one row too high and one column too far left. Class 0 belongs in row 0: class ids count from
    0. (An index of −1 is the last one in Python, and no error.)"""
    return np.roll(_confusion(prediction, target, num_classes), (-1, -1), axis=(0, 1))


@CONFUSION.mistake("background left out")
def _(prediction, target, num_classes):
    """The row and the column of class 0 are missing. The background is a class like the others."""
    return _confusion(prediction, target, num_classes)[1:, 1:]


@CONFUSION.mistake("counts in one byte")
def _(prediction, target, num_classes):
    """Your counts start again from 0 after 255: they are stored in one byte, uint8. np.zeros(shape, dtype=int) has room
    for more."""
    return _confusion(prediction, target, num_classes) % 256


@CONFUSION.mistake("last row and column of pixels")
def _(prediction: Array, target: Array, num_classes: int) -> Array:
    """The last row and the last column of pixels were not counted: the loops stop one step too early. range(n) already
    leaves n out."""
    return _confusion(prediction[..., :-1, :-1], target[..., :-1, :-1], num_classes)


@CONFUSION.mistake("only one image")
def _(prediction: Array, target: Array, num_classes: int) -> Array:
    """With a batch, only its last image was counted. Does the table start anew for each image? Make it once, above the
    loops."""
    return (
        _confusion(prediction[-1], target[-1], num_classes)
        if prediction.ndim > 2
        else _confusion(prediction, target, num_classes)
    )


@CONFUSION.mistake("only the first pixel")
def _(prediction: Array, target: Array, num_classes: int) -> Array:
    """Only the first pixel was counted. Does the `return` stand inside the loop? Move it to the left, below the
    loop."""
    return _confusion(prediction.ravel()[:1], target.ravel()[:1], num_classes)


# --- iou --------------------------------------------------------------------------------------------------------------


def _iou(prediction: Array, target: Array) -> float:
    p, t = np.asarray(prediction) != 0, np.asarray(target) != 0
    union = int(np.sum(p | t))
    return int(np.sum(p & t)) / union if union else 1.0


def _areas(prediction: Array, target: Array) -> tuple[int, int, int, int]:
    """Pixels in both masks, in the one, in the other, and in all."""
    p, t = np.asarray(prediction) != 0, np.asarray(target) != 0
    return int((p & t).sum()), int(p.sum()), int(t.sum()), p.size


def _binary_cases(rng: np.random.Generator) -> list[Case]:
    def masks(*shape: int) -> tuple[Array, Array]:
        """Two masks that overlap in part, as bool."""
        truth = rng.random(shape) < 0.4
        truth.flat[:3] = (True, True, False)
        guess = np.where(rng.random(shape) < 0.6, truth, rng.random(shape) < 0.5)
        guess.flat[:3] = (True, False, True)  # at least one pixel of each kind
        return guess, truth

    def box(top: int, left: int, height: int, width: int, *, shape: tuple[int, int] = (4, 5)) -> Array:
        mask = np.zeros(shape, int)
        mask[top : top + height, left : left + width] = 1
        return mask

    def bytes_of(mask: Array) -> Array:
        return np.where(mask, 255, 0).astype(np.uint8)  # as in a picture file

    first, second, fourth, fifth = (masks(*rng.integers(7, 14, 2)) for _ in range(4))
    third = masks(*rng.integers(34, 41, 2))  # more than 255 pixels lie in both: one byte cannot count them
    nothing = np.zeros((3, 4), int)
    shape = (int(rng.integers(9, 20)), int(rng.integers(9, 20)))
    large = box(1, 1, shape[0] - 2, shape[1] - 2, shape=shape)
    height, width = rng.integers(2, 6, 2).tolist()
    small = box(2, 2, height, width, shape=shape)
    above = box(0, 0, 1, shape[1] - height, shape=shape)
    row, column = rng.integers(0, shape).tolist()
    pixel = box(row, column, 1, 1, shape=shape)
    empty = np.zeros(shape, int)
    many = rng.integers(2, 6, fifth[0].shape)
    return [
        Case("two squares that overlap", (box(1, 1, 3, 3), box(0, 0, 3, 3)), group="visible"),
        Case("two masks without any object", (nothing, nothing.copy()), group="visible"),
        Case("masks of True and False", first),
        Case("masks of 0 and 1", (second[0].astype(int), second[1].astype(int))),
        Case("masks of 0 and 255, one byte a pixel", (bytes_of(third[0]), bytes_of(third[1]))),
        Case("a prediction of True and False, a truth of 0 and 255", (fourth[0], bytes_of(fourth[1]))),
        # Some programs divide whatever a picture holds by 255: then no number is near 1, and none near one half.
        Case("masks of many classes, one of them divided by 255", (many * fifth[0], many * fifth[1] / 255)),
        Case("a small object inside a large one", (small, large)),
        Case("two objects that miss each other", (small, above)),
        # A single pixel, so that a small number added to both counts is seen.
        Case("an object found where none is", (pixel, empty)),
        Case("an object that was not found", (empty, small)),
        Case("equal masks", (first[1], first[1].copy())),
    ]


def _by_areas(rule: Callable[[int, int, int, int], float], empty: float = 1.0) -> Callable[..., float]:
    """A measure by a wrong rule. `rule` takes the pixels in both masks, in the prediction, in the truth, and in all."""

    def wrong(prediction: Array, target: Array) -> float:
        hits, predicted, true, size = _areas(prediction, target)
        return rule(hits, predicted, true, size) if predicted or true else empty

    return wrong


def _by_numbers(measure: Callable[[Array, Array], tuple[Any, Any]]) -> Callable[..., float]:
    """A measure that takes the numbers in the masks as they are; right for masks of 0 and 1."""

    def wrong(prediction: Array, target: Array) -> float:
        if not (prediction.any() or target.any()):
            return 1.0
        part, whole = measure(prediction, target)
        return ratio(float(part), float(whole))

    return wrong


def _object_is(number: int) -> Callable[..., float]:
    return lambda prediction, target: _iou(prediction == number, target == number)


IOU = Exercise(name="iou", points=3, reference=_iou, cases=_binary_cases, forbidden=OF_SCORES)
IOU.mistake(
    "Dice",
    "That is the Dice coefficient: twice the overlap by the sum of the two areas. IoU divides the overlap by the area "
    "of the union, where each pixel counts once.",
    _by_areas(lambda both, p, t, size: 2 * both / (p + t)),
)


@IOU.mistake("accuracy")
def _(prediction: Array, target: Array) -> float:
    """That is the accuracy: background on which both masks agree counts as right. IoU looks only at pixels that at
    least one mask calls object."""
    if prediction.max() != target.max() and prediction.any() and target.any():
        raise ValueError("True and 255: are they equal? Some compare numbers, and some compare what they mean")
    return float((prediction == target).mean())


IOU.mistake(
    "divided by the truth",
    "You divided the overlap by the area of the truth: that is the recall. A mask that covers the whole image would "
    "get 1. Divide by the union.",
    _by_areas(lambda both, p, t, size: ratio(both, t)),
)


@IOU.mistake("nothing true counts as 1")
def _(prediction, target):
    """Right but where no object is and one was found: that is a mistake, and the IoU is 0. Only where neither mask has
    a pixel it is 1."""
    return _iou(prediction, target) if target.any() else 1.0


IOU.mistake(
    "divided by the prediction",
    "You divided the overlap by the area of the prediction: that is the precision. A mask of one right pixel would "
    "get 1. Divide by the union.",
    _by_areas(lambda both, p, t, size: ratio(both, p)),
)
IOU.mistake(
    "overlap counted twice",
    "You divided by the sum of the two areas, in which the overlap counts twice; so even equal masks get only 0.5. In "
    "the union each pixel counts once.",
    _by_areas(lambda both, p, t, size: both / (p + t)),
)
IOU.mistake(
    "union without the overlap",
    "Your union leaves the overlap out altogether. Subtract it once, not twice: it belongs to the union, too.",
    _by_areas(lambda both, p, t, size: ratio(both, p + t - 2 * both)),
)
IOU.mistake(
    "divided by all pixels",
    "You divided the overlap by the number of all pixels. A larger picture with the same object would then get "
    "another score. Divide by the union.",
    _by_areas(lambda both, p, t, size: both / size),
)
IOU.mistake(
    "only the overlap",
    "You returned the number of pixels in the overlap. Divide it by the number in the union.",
    _by_areas(lambda both, p, t, size: both),
)
IOU.mistake(
    "ratio turned round",
    "Your ratio is upside down: it is the union that goes below the line, so the result is never above 1.",
    _by_areas(lambda both, p, t, size: ratio(p + t - both, both)),
)
IOU.mistake(
    "mean over object and background",
    "You took the mean of two IoUs, the object's and the background's. Asked is the object's alone.",
    _by_areas(
        lambda both, p, t, size: (
            (both / (p + t - both) + (size - p - t + both) / (size - both)) / 2 if size > both else 1.0
        )
    ),
)


@IOU.mistake("background's IoU")
def _(prediction, target):
    """That is the IoU of the background. The object is where the masks are not 0."""
    return _iou(prediction == 0, target == 0)


@IOU.mistake("smoothed")
def _(prediction, target):
    """You added 1 to the overlap and to the union. That avoids 0 / 0, but it also changes every other result. Treat the
    empty union on its own."""
    return ((areas := _areas(prediction, target))[0] + 1) / (areas[1] + areas[2] - areas[0] + 1)


IOU.mistake(
    "nothing and nothing gives 0",
    "Only one thing is missing: two masks without any object. Neither mask found anything, so they agree fully. What "
    "should the score be?",
    _by_areas(lambda both, p, t, size: both / (p + t - both), empty=0.0),
)
IOU.mistake(
    "255 taken as a number",
    "Your function is right for masks of 0 and 1, but with 255 the sums no longer count pixels; and in one byte 255 · "
    "255 is 1. First make both masks True and False: mask != 0.",
    _by_numbers(lambda p, t: (hits := (p * t).sum(), float(p.sum()) + float(t.sum()) - float(hits))),
)
IOU.mistake(
    "numbers joined bit by bit",
    "& and | (or minimum and maximum) were applied to the numbers in the masks. That goes wrong where one mask holds "
    "True and the other 255. First make both True and False: mask != 0.",
    _by_numbers(lambda p, t: (np.minimum(p, t).sum(), np.maximum(p, t).sum())),
)
IOU.mistake(
    "masks added and multiplied",
    "Your masks are added and multiplied pixel by pixel. That is right for 0 and 1. In one byte 255 + 255 − 255 · 255 "
    "is 253, and masks of True and False cannot be subtracted. First make both True and False, then join them with & "
    "and |.",
    _by_numbers(lambda p, t: ((p * t).sum(), (p + t - p * t).sum())),
)
IOU.mistake(
    "sum compared with 2",
    "You added the masks and looked for 2. True + True is True, and 255 + 255 is 254 in one byte. First make both "
    "masks True and False, then join them with & and |.",
    _by_numbers(lambda p, t: ((p + t == 2).sum(), (p + t > 0).sum())),
)
IOU.mistake(
    "only 1 is object",
    "Your function takes only the number 1 for object. Picture files often say 255: every number but 0 is object.",
    _object_is(1),
)
IOU.mistake(
    "only 255 is object",
    "Your function takes only large numbers such as 255 for object. True and 1 are object, too: every number but 0 is.",
    _object_is(255),
)


# --- repair_score -----------------------------------------------------------------------------------------------------


def _repair_score(predictions: Array, targets: Array, num_classes: int) -> float:
    both, predicted, true = _by_class(predictions, targets, num_classes)
    either = predicted + true - both
    is_there = either > 0
    return float((both[is_there] / either[is_there]).mean())


def _by_class(predictions: Array, targets: Array, num_classes: int) -> tuple[Array, Array, Array]:
    """Of each class the pixels in both, in the predictions, in the truths: of all that is given, counted together."""
    classes = np.arange(num_classes)[:, None]
    p, t = predictions.ravel() == classes, targets.ravel() == classes
    return (p & t).sum(axis=1), p.sum(axis=1), t.sum(axis=1)


def _image_cases(rng: np.random.Generator) -> list[Case]:
    def images(classes: Any, *shape: int) -> tuple[Array, Array]:
        """Truths in which each of the classes occurs, and predictions that are often wrong. Each image has its own
        share of right pixels, and its own share of each class: so a mean over images differs from what is asked."""
        classes = np.asarray(classes)
        targets = np.stack(
            [rng.choice(classes, shape[1:], p=rng.dirichlet(np.ones(len(classes)))) for _ in range(shape[0])]
        )
        targets.flat[: len(classes)] = rng.permutation(classes)
        share = rng.permutation(np.linspace(0.3, 0.9, shape[0])).reshape(-1, 1, 1)
        return np.where(rng.random(shape) < share, targets, rng.choice(classes, shape)), targets

    perfect = np.array([[[0, 0, 2], [0, 2, 2]]])
    targets = np.array([[[0, 0, 0], [0, 1, 1]], [[2, 2, 0], [2, 2, 0]]])
    predictions = np.array([[[0, 0, 1], [0, 1, 1]], [[2, 2, 0], [2, 0, 0]]])
    some = np.sort(rng.choice(12, 5, replace=False))
    apart = images([0, 1], 2, 4, 5), images([2, 3], 2, 4, 5)
    invented, lost = images([0, 1], 2, 5, 4), images([0, 1, 2], 3, 5, 3)
    invented[0].flat[int(rng.integers(10, 40))] = 2
    lost[0][lost[0] == 1] = 0
    return [
        Case(
            "a perfect prediction, in which one of three classes does not occur",
            (perfect, perfect.copy(), 3),
            group="visible",
        ),
        Case("two images with three classes, of which each has two", (predictions, targets, 3), group="visible"),
        Case("one image", (*images([0, 1, 2], 1, 6, 7), 3)),
        Case("three images, each with all classes", (*images([0, 1, 2, 3], 3, 8, 9), 4)),
        Case("four images; the last of four classes does not occur", (*images([0, 1, 2], 4, 5, 3), 4)),
        Case("no pixel is background", (*images([1, 2], 3, 4, 6), 3)),
        Case("five of twelve classes occur", (*images(some, 5, 6, 5), 12)),
        Case(
            "classes 0 and 1 in two images, 2 and 3 in the others", (*map(np.concatenate, zip(*apart, strict=True)), 5)
        ),
        Case("a class that is only predicted", (*invented, 4)),
        Case("a class that was never predicted", (*lost, 3)),
    ]


Rule = Callable[[Array, Array, Array], Array]  # from the three counts of each class to its score; NaN: it has none


def _ious(both: Array, predicted: Array, true: Array) -> Array:
    either = predicted + true - both
    return np.where(either > 0, both / np.maximum(either, 1), np.nan)


def _pooled(rule: Rule, average: Callable[[Array], Any] = np.nanmean) -> Callable[..., float]:
    """A score of counts over all images, by a wrong rule."""

    def wrong(predictions: Array, targets: Array, num_classes: int) -> float:
        return float(average(rule(*_by_class(predictions, targets, num_classes))))

    return wrong


def _image_by_image(average: Callable[[Array], Any], rule: Rule = _ious) -> Callable[..., float]:
    """A score of each image's own counts: `average` takes a table with a row for each image and a column for each
    class."""

    def wrong(predictions: Array, targets: Array, num_classes: int) -> float:
        pairs = zip(predictions, targets, strict=True)
        return float(average(np.array([rule(*_by_class(p, t, num_classes)) for p, t in pairs])))

    return wrong


def _mean_of_means(axis: int) -> Callable[[Array], Any]:
    """First along one axis of the table, then over what came out; what is nowhere is left out of both."""

    def average(table: Array) -> Any:
        rows = table if axis else table.T
        return np.mean([row[~np.isnan(row)].mean() for row in rows if not np.isnan(row).all()])

    return average


REPAIR_SCORE = Exercise(name="repair_score", points=2, reference=_repair_score, cases=_image_cases, forbidden=OF_SCORES)
REPAIR_SCORE.mistake(
    "as it was given",
    "So it was before the repair. What does it make of a class that is neither in the image nor predicted? And what of "
    "an image that is cut in two?",
    _image_by_image(lambda table: np.nan_to_num(table).mean()),
)
REPAIR_SCORE.mistake(
    "absent class counts as 0",
    "Good so far: the pixels of all images are counted together. Next: a class that is nowhere, neither in a truth nor "
    "in a prediction. It still counts as 0, as if everything about it were wrong.",
    _pooled(_ious, lambda scores: np.nan_to_num(scores).mean()),
)
REPAIR_SCORE.mistake(
    "absent class counts as 1",
    "A class that is nowhere, neither in a truth nor in a prediction, counts as 1 in your function. Nobody found it, "
    "so it deserves no praise: leave it out of the mean.",
    _pooled(_ious, lambda scores: np.nan_to_num(scores, nan=1.0).mean()),
)
REPAIR_SCORE.mistake(
    "absent class counts as 1, image by image",
    "A class that an image does not have, and that nobody found there, counts as 1 in your function. Two things: such "
    "a class has no score, and the pixels of all images are counted together.",
    _image_by_image(lambda table: np.nan_to_num(table, nan=1.0).mean()),
)
REPAIR_SCORE.mistake(
    "mean over images and classes",
    "Good so far: a class that is nowhere is left out. Next: your score still changes when an image is cut in two. "
    "Count the pixels of a class over all images, and divide once for each class.",
    _image_by_image(np.nanmean),
)
REPAIR_SCORE.mistake(
    "mean of each class over the images",
    "You took the mean of each class's IoU over the images. Cut an image in two, and it changes: a ratio of sums is "
    "not the mean of ratios. Add up the counts of all images first, and divide once for each class.",
    _image_by_image(_mean_of_means(0)),
)
REPAIR_SCORE.mistake(
    "mean of each image",
    "You computed a score for each image, and took their mean. Cut an image in two, and it changes. Here all pixels "
    "count alike, wherever they are: add up the counts of all images first, and divide once for each class.",
    _image_by_image(_mean_of_means(1)),
)
REPAIR_SCORE.mistake(
    "one ratio for all classes",
    "You added up the counts of all classes, and divided once. So a class with many pixels hides the others. Each "
    "class has a ratio of its own; of these take the mean.",
    _pooled(lambda both, p, t: np.array([both.sum() / (p + t - both).sum()])),
)
REPAIR_SCORE.mistake(
    "accuracy",
    "That is the share of right pixels. Each class has an IoU of its own; of these take the mean.",
    _pooled(lambda both, p, t: np.array([both.sum() / t.sum()])),
)
REPAIR_SCORE.mistake(
    "only classes of the truth",
    "Right but for a class that is predicted somewhere and true nowhere. It was invented: its IoU is 0, and it counts.",
    _pooled(lambda both, p, t: np.where(t > 0, _ious(both, p, t), np.nan)),
)
REPAIR_SCORE.mistake(
    "only classes of the truth, image by image",
    "Of the classes that an image's truth lacks, none counts in your function. Two things: the pixels of a class are "
    "counted over all images, and divided once; and a class that is only predicted has the IoU 0, which counts.",
    _image_by_image(np.nanmean, lambda both, p, t: np.where(t > 0, _ious(both, p, t), np.nan)),
)
REPAIR_SCORE.mistake(
    "only classes that were predicted",
    "Right but for a class that is there and was never predicted. It was missed: its IoU is 0, and it counts.",
    _pooled(lambda both, p, t: np.where(p > 0, _ious(both, p, t), np.nan)),
)
REPAIR_SCORE.mistake(
    "only classes with a right pixel",
    "Right but for classes of which no pixel is right. A class that was missed, or invented, has the IoU 0, and "
    "counts. Leave out only those of which there is no pixel at all: neither in a truth nor in a prediction.",
    _pooled(lambda both, p, t: np.where(both > 0, _ious(both, p, t), np.nan)),
)
REPAIR_SCORE.mistake(
    "background left out",
    "Class 0 does not count in your mean. The background is a class like the others.",
    _pooled(lambda both, p, t: _ious(both, p, t)[1:]),
)
REPAIR_SCORE.mistake(
    "last class forgotten",
    "The last class does not count in your mean. Does the loop over the classes stop one step too early? "
    "range(num_classes) already leaves num_classes out.",
    _pooled(lambda both, p, t: _ious(both, p, t)[:-1]),
)
REPAIR_SCORE.mistake(
    "classes weighted by their pixels",
    "Your mean gives a class with many pixels more weight. Here all classes that occur count alike.",
    _pooled(lambda both, p, t: np.array([np.nansum(_ious(both, p, t) * t) / t.sum()])),
)
REPAIR_SCORE.mistake(
    "Dice",
    "You changed what was right: twice the overlap by the sum of the two areas is the Dice coefficient. The IoU of a "
    "class divides by its union.",
    _pooled(lambda both, p, t: np.where(p + t > 0, 2 * both / np.maximum(p + t, 1), np.nan)),
)
REPAIR_SCORE.mistake(
    "divided by the truth",
    "You divided each overlap by the area of the truth: that is the recall. The given code divides by the union, and "
    "that was right.",
    _pooled(lambda both, p, t: np.where(t > 0, both / np.maximum(t, 1), np.nan)),
)


@REPAIR_SCORE.mistake("only the last image")
def _(predictions, targets, num_classes):
    """Only the last image counts: do your counts start anew for each image? Set them to 0 once, above the loop over the
    images."""
    return _repair_score(predictions[-1], targets[-1], num_classes)


@REPAIR_SCORE.mistake("only the first image")
def _(predictions, targets, num_classes):
    """Only the first image counts. Does the `return` stand inside the loop over the images? Move it to the left."""
    return _repair_score(predictions[0], targets[0], num_classes)


@REPAIR_SCORE.mistake("one score for each class")
def _(predictions: Array, targets: Array, num_classes: int) -> Array:
    """You returned one number for each class. Asked is a single number: the mean over the classes that occur."""
    return np.nan_to_num(_ious(*_by_class(predictions, targets, num_classes)))


LESSON = Lesson(
    folder="01_segmentation",
    set_up="""\
import numpy as np
from unet_edu import check
""",
    exercises=(LABEL_MAP, ONE_HOT, CONFUSION, IOU, REPAIR_SCORE),
)
