"""The loss of the U-Net: cross-entropy with a weight for each pixel. And one for classes of few pixels. Lesson 07.

The network gives each pixel x one score a class. The softmax makes probabilities p of them, and the loss looks at the
probability of the true class ℓ(x):

    E = mean over the pixels x of w(x) · (−log p_ℓ(x)(x))

(The paper's eq. 1 is printed without the minus sign, so one would have to make it large; what is made small is −log p.)

The weights w decide what a mistake costs. The paper makes the narrow gaps between cells expensive (eq. 2):

    w(x) = w_c(x) + w0 · exp(−(d1(x) + d2(x))² / (2 σ²))

with d1 and d2 the distances from x to the nearest and the second nearest cell. Where both are near, a gap is kept open.

A mean over pixels hardly notices a class of few pixels: who never finds it is almost always right. The Dice loss asks
of each class how well its area is met, and all classes count the same. `cross_entropy_and_dice` is the sum of both, and
`class_balance` gives the first one weights that make rare classes expensive. `focal_loss` takes another way: a pixel
that is right and rather sure hardly counts, in whatever class.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from unet_edu._arguments import numbers

if TYPE_CHECKING:
    from torch import Tensor

__all__ = [
    "border_weight_map",
    "class_balance",
    "cross_entropy_and_dice",
    "dice_loss",
    "focal_loss",
    "nearest_two",
    "separated",
    "weighted_cross_entropy",
]

# Added to a weight near 1, less than this changes nothing in float32, whose numbers near 1 lie 6e-8 apart or more.
NEGLIGIBLE = 1e-8


def border_weight_map(
    instances: ArrayLike,
    *,
    w0: float = 10.0,
    sigma: float = 5.0,
    class_weights: Literal["balanced"] | tuple[float, float] | None = None,
) -> NDArray[np.float32]:
    """What a mistake costs at each pixel: more in the gaps between cells.

    w = w_c + w0 · exp(−(d1 + d2)² / (2 σ²)), the second term on background pixels only. Cells that touch have no gap
    whose pixels could be expensive; so they are first taken apart as `separated` does it, and weights and labels agree.

    Parameters
    ----------
    instances : (H, W) array of whole numbers
        0 is the background, every other number one cell. The numbers need not be consecutive.
    w0 : float
        What a gap of no width would cost in addition.
    sigma : float
        How wide a gap may be and still be expensive, in pixels.
    class_weights : "balanced" or pair (background, cell), optional
        w_c. Left out, it is 1 for both. "balanced" gives each class the same sum of weights, with a mean of 1.

    Returns
    -------
    (H, W) array of float32
        With no cell or one cell there is no border term. It is left out, too, where it would be below 1e-8.

    Raises
    ------
    TypeError, ValueError
        When `instances` is no such array, or a number is out of range.

    References
    ----------
    Ronneberger, Fischer and Brox (2015), section 3, eq. 2. There w0 = 10 and σ ≈ 5 pixels. Lesson 07.

    Examples
    --------
    A row with two cells. In the middle pixel d1 = d2 = 4, and 1 + 10 · exp(−(4 + 4)² / 50) = 1 + 2.780:

    >>> border_weight_map([[1, 0, 0, 0, 0, 0, 0, 0, 2]])[0, 4].round(3)
    np.float32(3.78)
    """
    if not (np.isfinite(w0) and w0 >= 0):
        raise ValueError(f"w0: expected a number of at least 0, got {w0}")
    if not (np.isfinite(sigma) and sigma > 0):
        raise ValueError(f"sigma: expected a number of pixels above 0, got {sigma}")
    instances = _instances(instances)
    is_cell = separated(instances)
    weights = np.array(_class_weights(class_weights, is_cell), np.float64)[is_cell.astype(int)]
    reach = sigma * np.sqrt(2 * np.log(max(w0 / NEGLIGIBLE, 1)))  # where d1 + d2 is larger, the term is negligible
    d1, d2 = nearest_two(np.where(is_cell, instances, 0), within=reach)
    weights[~is_cell] += (w0 * np.exp(-((d1 + d2) ** 2) / (2 * sigma**2)))[~is_cell]
    return weights.astype(np.float32)


def nearest_two(instances: ArrayLike, *, within: float = np.inf) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The distance of each pixel to the nearest and to the second nearest cell: d1 and d2.

    A distance map for each cell, all at once, would take as many images as there are cells. Here one cell comes after
    the other, each in a window that reaches as far as asked, and the two smallest numbers so far are kept.

    Parameters
    ----------
    instances : (H, W) array of whole numbers
        0 is the background.
    within : float
        Distances above this need not be exact: they may be infinite.

    Returns
    -------
    d1, d2 : (H, W) arrays of float64
        In pixels, from centre to centre; 0 in the cell itself. Infinite where there is no such cell.
    """
    from scipy.ndimage import distance_transform_edt, find_objects

    instances = _instances(instances)
    names, cells = np.unique(instances, return_inverse=True)  # consecutive numbers, whatever they were
    cells = cells.reshape(instances.shape) + (names[0] > 0)  # without any background the first one is a cell
    margin = int(min(np.ceil(within), max(instances.shape)))
    d1, d2 = np.full((2, *instances.shape), np.inf)
    for cell, box in enumerate(find_objects(cells), start=1):
        window = tuple(slice(max(side.start - margin, 0), side.stop + margin) for side in box)
        d = distance_transform_edt(cells[window] != cell)
        first, second = d1[window], d2[window]
        second[:] = np.minimum(second, np.maximum(first, d))
        first[:] = np.minimum(first, d)
    return d1, d2


def separated(instances: ArrayLike) -> NDArray[np.bool_]:
    """The cells as a mask, with a gap where two of them touch.

    A network that says "cell" or "background" for each pixel can only tell cells apart by background between them.
    Where pixels of two cells are neighbours (the eight around a pixel count), both become background: the gap is two
    pixels wide. Cells that do not touch stay as they are. A cell so thin that nothing would be left of it stays whole,
    and its neighbours alone make room; two such cells side by side stay joined.

    Parameters
    ----------
    instances : (H, W) array of whole numbers
        0 is the background, every other number one cell.

    Returns
    -------
    (H, W) array of bool
        True in the cells.

    References
    ----------
    Ronneberger, Fischer and Brox (2015), section 3: "the separation border is computed using morphological operations".
    Lesson 07.

    Examples
    --------
    >>> separated([[1, 1, 1, 2, 2, 2]]).astype(int)
    array([[1, 1, 0, 0, 1, 1]])
    """
    instances = _instances(instances)
    inside, touches = instances > 0, np.zeros(instances.shape, bool)
    for down, right in ((0, 1), (1, 0), (1, 1), (1, -1)):  # half of the eight neighbours; the others look back at us
        here, there = (down, right), (-down, -right)
        both = _shifted(inside, *here) & _shifted(inside, *there)
        both &= _shifted(instances, *here) != _shifted(instances, *there)
        for pixels in (_shifted(touches, *here), _shifted(touches, *there)):
            pixels |= both
    is_cell = inside & ~touches
    vanished = np.setdiff1d(instances[touches], instances[is_cell])
    return is_cell | np.isin(instances, vanished)


def weighted_cross_entropy(logits: Tensor, labels: Tensor, weights: Tensor | None = None) -> Tensor:
    """The mean over all pixels of w · (−log p), with p the probability of the true class.

    The sum is divided by the number of pixels, not by the sum of the weights: twice the weights are twice the loss.
    (PyTorch's `cross_entropy(..., weight=...)`, which takes one weight a *class*, divides by the sum of the weights
    that it used. The two differ by the mean of the weights.) No pixel is ignored: to leave one out, give it weight 0.

    Parameters
    ----------
    logits : (N, K, H, W) tensor of floats
        The scores as they leave the network, before any softmax. Half precision is made float32 first.
    labels : (N, H, W) tensor of int64
        The true classes, from 0 to K − 1.
    weights : (N, H, W) tensor, optional
        1 everywhere when left out.

    Returns
    -------
    tensor of one float32 (float64 for float64 logits)

    Raises
    ------
    ValueError
        When the shapes do not belong together.
    RuntimeError, IndexError
        From PyTorch, when a label is no class.

    References
    ----------
    Ronneberger, Fischer and Brox (2015), section 3, eq. 1, which is printed without the minus sign. Lesson 07.

    Examples
    --------
    Where all scores are equal, all classes are equally probable, and the loss is the log of their number, here log 2:

    >>> import torch
    >>> round(weighted_cross_entropy(torch.zeros(1, 2, 4, 4), torch.zeros(1, 4, 4, dtype=torch.int64)).item(), 4)
    0.6931
    """
    logits = _scores(logits, labels, weights)
    loss = -logits.log_softmax(dim=1).gather(1, labels[:, None])[:, 0]
    return (loss if weights is None else loss * weights).mean()


def dice_loss(logits: Tensor, labels: Tensor, weights: Tensor | None = None) -> Tensor:
    """One minus the Dice coefficient, the mean over the classes, with probabilities in the place of yes and no.

    For one class, with p its probability at a pixel, t = 1 where it is true and 0 elsewhere, and w the pixel's weight:

        D = 2 Σ w·p·t / Σ w·(p + t)

    The sums run over all pixels of the batch. A class that is not there has no say: its D would be 0 for any p.

    Parameters
    ----------
    logits, labels, weights
        As for `weighted_cross_entropy`.

    Returns
    -------
    tensor of one float32 (float64 for float64 logits)
        From 0 (all is right, and certain) to 1. Where all weights are 0 it is 0, and nothing is learned.

    Raises
    ------
    ValueError
        When the shapes do not belong together.
    RuntimeError, IndexError
        From PyTorch, when a label is no class.

    Notes
    -----
    Where several processes share a batch, each has the Dice coefficients of its own part.

    References
    ----------
    Milletari, Navab and Ahmadi (2016), "V-Net: Fully Convolutional Neural Networks for Volumetric Medical Image
    Segmentation", section 3; there p and t are squared below the line. Lesson 07.

    Examples
    --------
    Of two pixels one is of class 1, and all probabilities are ½. Both classes have D = 2 · ½ / (½ + ½ + 1) = ½:

    >>> import torch
    >>> dice_loss(torch.zeros(1, 2, 1, 2), torch.tensor([[[0, 1]]])).item()
    0.5
    """
    p = _scores(logits, labels, weights).softmax(dim=1)
    t = p.new_zeros(p.shape).scatter_(1, labels[:, None], 1)
    w = p.new_ones(()) if weights is None else weights[:, None]
    met, area, there = ((w * each).sum(dim=(0, 2, 3)) for each in (p * t, p + t, t))
    is_there = there > 0
    dice = 2 * met / area.where(is_there, 1)
    # a product and not a choice of some: a GPU would have to wait until it is known which
    return ((1 - dice) * is_there).sum() / is_there.sum().clamp(min=1)


def cross_entropy_and_dice(
    logits: Tensor, labels: Tensor, weights: Tensor | None = None, *, class_weights: ArrayLike | None = None
) -> Tensor:
    """`weighted_cross_entropy` + `dice_loss`: for class numbers, when some classes have few pixels.

    The Dice loss asks that no class be given up. Yet where the network is sure that a class is nowhere, its slope is
    almost nothing; there the cross-entropy pulls, and the harder the more the class weighs. A network that is trained
    so finds heavy classes in too many places: where a class weighs w, its score is too high by log w. So log w is added
    to the scores before they are compared, and those of the network stay honest.

    Parameters
    ----------
    logits, labels, weights
        As for `weighted_cross_entropy`.
    class_weights : (K,) array, optional
        By how much a mistake in each true class costs more in the cross-entropy, as `class_balance` gives; else 1.

    Returns
    -------
    tensor of one float32 (float64 for float64 logits)

    Raises
    ------
    ValueError
        When the shapes do not belong together.
    RuntimeError, IndexError
        From PyTorch, when a label is no class.

    References
    ----------
    Isensee and others (2021), "nnU-Net: a self-configuring method for deep learning-based biomedical image
    segmentation", whose default is the sum without class weights. Menon and others (2021), "Long-tail learning via
    logit adjustment", for what is added to the scores. Lesson 07.
    """
    dice = dice_loss(logits, labels, weights)
    if class_weights is not None:
        if np.shape(class_weights) != logits.shape[1:2]:
            raise ValueError(
                f"class_weights: expected {logits.shape[1]} numbers, one a class, got shape {np.shape(class_weights)}"
            )
        of_classes = logits.new_tensor(class_weights)
        weights = of_classes[labels] if weights is None else of_classes[labels] * weights
        logits = logits + of_classes.log()[:, None, None]
    return weighted_cross_entropy(logits, labels, weights) + dice


def focal_loss(logits: Tensor, labels: Tensor, weights: Tensor | None = None, *, gamma: float = 2.0) -> Tensor:
    """The mean over all pixels of w · (1 − p)^γ · (−log p), with p the probability of the true class.

    Most pixels are easy. The factor (1 − p)^γ makes them nearly free, so that the hard ones decide; with γ = 0 it is
    `weighted_cross_entropy`.

    Parameters
    ----------
    logits, labels, weights
        As for `weighted_cross_entropy`.
    gamma : float
        How fast a pixel becomes cheap as it gets right.

    Returns
    -------
    tensor of one float32 (float64 for float64 logits)

    Raises
    ------
    ValueError
        When the shapes do not belong together, or gamma is below 0.
    RuntimeError, IndexError
        From PyTorch, when a label is no class.

    References
    ----------
    Lin and others (2017), "Focal Loss for Dense Object Detection", which takes γ = 2. Lesson 07.

    Examples
    --------
    Where all scores are equal, p = ½ and the loss is ½² · log 2:

    >>> import torch
    >>> round(focal_loss(torch.zeros(1, 2, 4, 4), torch.zeros(1, 4, 4, dtype=torch.int64)).item(), 4)
    0.1733
    """
    if not (np.isfinite(gamma) and gamma >= 0):
        raise ValueError(f"gamma: expected a number of at least 0, got {gamma}")
    log_p = _scores(logits, labels, weights).log_softmax(dim=1).gather(1, labels[:, None])[:, 0]
    # 1 − p, exact where p is almost 1: there the difference of both would be rounding
    loss = -log_p * (-log_p.expm1()) ** gamma
    return (loss if weights is None else loss * weights).mean()


def class_balance(
    labels: Iterable[ArrayLike], num_classes: int, weights: Iterable[ArrayLike | None] | None = None
) -> NDArray[np.float32]:
    """Weights that make rare classes expensive: 1 / √share, where share is the part of all pixels that a class has.

    With 1 / share, all classes would cost the same in sum, and a class of few pixels would be found in too many places;
    the root stands between that and no weights. They are scaled so that their mean over the pixels is 1.

    Parameters
    ----------
    labels : sequence of (H, W) arrays of whole numbers
        Class numbers of all images, from 0 to `num_classes` − 1. Sizes may differ.
    num_classes : int
    weights : sequence of (H, W) arrays or None, optional
        For each image what its pixels count in the loss, or None for 1. Here only matters whether they count at all.

    Returns
    -------
    (num_classes,) array of float32
        1 for a class that has no pixel.

    Raises
    ------
    ValueError
        When a label is no class, or there are not as many weights as labels.

    Examples
    --------
    Shares of 0.9 and 0.1, whose roots add up to 1.2649:

    >>> class_balance([[[0, 0, 0, 0, 0, 0, 0, 0, 0, 1]]], 2).round(3)
    array([0.833, 2.5  ], dtype=float32)
    """
    labels = list(labels)
    pixels = np.zeros(num_classes, np.int64)
    for image, counts in zip(labels, [None] * len(labels) if weights is None else weights, strict=True):
        counted = np.ravel(image) if counts is None else np.asarray(image)[np.asarray(counts) > 0]
        if counted.size and not 0 <= counted.min() <= counted.max() < num_classes:
            raise ValueError(
                f"labels: expected numbers from 0 to {num_classes - 1}, got {counted.min()} to {counted.max()}"
            )
        pixels += np.bincount(counted, minlength=num_classes)
    roots = np.sqrt(pixels / max(pixels.sum(), 1))
    return np.divide(1, roots * roots.sum(), out=np.ones(num_classes), where=pixels > 0).astype(np.float32)


def _scores(logits: Tensor, labels: Tensor, weights: Tensor | None) -> Tensor:
    """The logits, in at least 32 bits, after a look at whether the others belong to them."""
    expected = (logits.shape[0], *logits.shape[2:])
    for name, tensor in (("labels", labels), ("weights", weights)):
        if tensor is not None and tensor.shape != expected:
            raise ValueError(
                f"{name}: expected shape {expected}, one number a pixel of the logits {tuple(logits.shape)}, got "
                f"{tuple(tensor.shape)}; where the network trims the border, crop labels and weights with "
                "unet_edu.unet.center_crop"
            )
    # bfloat16 has three digits, too few to add up many small losses
    return logits.float() if logits.element_size() < 4 else logits


def _instances(value: ArrayLike) -> NDArray[np.int64]:
    array = numbers("instances", value)
    if array.ndim != 2 or not array.size:
        raise ValueError(f"instances: expected one image (H, W) with at least one pixel, got shape {array.shape}")
    if array.dtype.kind == "f":
        raise TypeError(
            f"instances: expected whole numbers, one a cell, got {array.dtype}; a mask of cells becomes such an array "
            "with scipy.ndimage.label(mask)[0]"
        )
    if array.min() < 0:
        raise ValueError(f"instances: expected 0 for the background and numbers above 0 for cells, got {array.min()}")
    return array.astype(np.int64, copy=False)


def _class_weights(
    class_weights: Literal["balanced"] | tuple[float, float] | None, is_cell: NDArray[np.bool_]
) -> tuple[float, float]:
    """w_c of the background and of the cells."""
    if class_weights is None:
        return 1.0, 1.0
    if isinstance(class_weights, str):
        if class_weights != "balanced":
            raise ValueError(f'class_weights: expected "balanced", a pair or None, got {class_weights!r}')
        pixels = np.array([(~is_cell).sum(), is_cell.sum()])
        background, cell = is_cell.size / np.count_nonzero(pixels) / np.maximum(pixels, 1)
        return background, cell
    if np.shape(class_weights) != (2,) or not (np.isfinite(class_weights).all() and min(class_weights) >= 0):
        raise ValueError(f"class_weights: expected two numbers of at least 0 (background, cell), got {class_weights!r}")
    return class_weights


def _shifted(image: NDArray[Any], down: int, right: int) -> NDArray[Any]:
    """A view of the pixels with a neighbour `down` and `right` of them; for the opposite shift, of these neighbours."""
    rows = slice(max(-down, 0), image.shape[0] - max(down, 0))
    columns = slice(max(-right, 0), image.shape[1] - max(right, 0))
    return image[rows, columns]
