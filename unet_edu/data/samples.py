"""What a network is trained on: frames, and the samples that are cut from them. Lesson 07.

Few images are annotated, so each is used in many forms: turned, flipped, made larger or smaller, bent, brighter,
noisier. All that moves pixels happens in one step, so that the image is read between its pixels only once and becomes
no softer, and so that labels and weights go exactly where the image goes. What changes the brightness happens to the
image alone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch.utils.data import Dataset

from unet_edu._arguments import Size, pair, whole
from unet_edu.data.elastic import Places, Readable
from unet_edu.interpolation import axis_matrix
from unet_edu.losses import separated

__all__ = ["Crops", "Frame", "Sample", "Whole"]

Sample = tuple[torch.Tensor, torch.Tensor, torch.Tensor]
"""Image float32 (C, h, w), labels int64 (h, w), weights float32 (h, w)."""

OfInstances = Callable[[NDArray[Any]], NDArray[Any]]


class Frame(NamedTuple):
    """An image and what is true of it. The pair that `synthetic_cells` returns is one, too.

    Attributes
    ----------
    image : (H, W) or (C, H, W) array of floats
        From about 0 to about 1.
    instances : (H, W) array of integers
        0 is the background, each cell has a number of its own. Or class numbers, where no cells are counted (such as
        membranes): then say `target=None` to `Crops` and `Whole`.
    weights : (H, W) array of floats, optional
        How much each pixel counts in the loss. They come before any `weight_map`; without both, each pixel counts 1.
    known : (H, W) array of bool, optional
        False where nobody knows what is there: such pixels get the weight 0, and count in no loss and no score.
    """

    image: NDArray[Any]
    instances: NDArray[Any]
    weights: NDArray[Any] | None = None
    known: NDArray[np.bool_] | None = None


class Whole(Dataset[Sample]):
    """Frames as they are, one sample each: to validate on.

    Parameters
    ----------
    frames : sequence of Frame
    target : function from instances to labels, or None
        `losses.separated` makes two classes, with a gap between cells that touch. None: the instances are the labels.
    weight_map : function from instances to weights, optional
        For frames without weights, as `functools.partial(border_weight_map, w0=5)`. (A lambda cannot travel to the
        workers of a `DataLoader`.) Computed when a frame is first used, and kept.

    Raises
    ------
    TypeError, ValueError
        When a frame is not what `Frame` says; the message names it.

    Examples
    --------
    >>> frame = Frame(np.zeros((1, 6), np.float32), np.array([[0, 1, 1, 2, 2, 0]]))
    >>> image, labels, weights = Whole([frame])[0]
    >>> image.shape, labels.tolist(), weights.tolist()
    (torch.Size([1, 1, 6]), [[0, 1, 0, 0, 1, 0]], [[1.0, 1.0, 1.0, 1.0, 1.0, 1.0]])
    """

    def __init__(
        self,
        frames: Sequence[Frame | tuple[NDArray[Any], NDArray[Any]]],
        *,
        target: OfInstances | None = separated,
        weight_map: OfInstances | None = None,
    ) -> None:
        self.frames = [_checked(frame, f"frames[{n}]") for n, frame in enumerate(frames)]
        if not self.frames:
            raise ValueError("frames: expected at least one, got none")
        channels = [frame.image.shape[:-2] for frame in self.frames]
        if other := next((n for n, these in enumerate(channels) if these != channels[0]), None):
            raise ValueError(
                f"frames[{other}].image: expected as many channels as frames[0].image, which has shape "
                f"{self.frames[0].image.shape}, got {self.frames[other].image.shape}"
            )
        self.target, self.weight_map = target, weight_map
        self._maps: dict[int, NDArray[np.float32] | None] = {}

    def __len__(self) -> int:
        return len(self.frames)

    def __getitem__(self, n: int) -> Sample:
        n = range(len(self))[n]  # raises IndexError behind the last, which ends a `for`
        image, instances, _, known = self.frames[n]
        if n not in self._maps:
            self._maps[n] = self._weights(n)
        return self._sample(image, instances, self._maps[n], known)

    def _weights(self, n: int) -> NDArray[np.float32] | None:
        """The weights of a whole frame. None: all 1."""
        _, instances, weights, _ = self.frames[n]
        if weights is not None or self.weight_map is None:
            return weights
        return np.asarray(self.weight_map(instances), np.float32)

    def _sample(
        self,
        image: NDArray[Any],
        instances: NDArray[Any],
        weights: NDArray[Any] | None,
        known: NDArray[np.bool_] | None,
    ) -> Sample:
        labels = instances if self.target is None else self.target(instances)
        counts = np.ones(instances.shape, np.float32) if weights is None else weights
        return (  # np.array copies: nobody writes into a frame
            torch.from_numpy(np.array(image if image.ndim == 3 else image[None], np.float32)),
            torch.from_numpy(np.array(labels, np.int64)),
            torch.from_numpy(np.array(counts if known is None else counts * known, np.float32)),
        )


class Crops(Whole):
    """An endless stream of augmented crops.

    `crops[n]` works for every n ≥ 0 and depends on the seed and on n alone: in whatever order, process or run it is
    asked for, it is the same. An epoch takes each frame once, in a new order each time. `len(crops)` is the number of
    frames, yet the stream goes on behind it; so a plain `DataLoader(crops)` would see the same samples in each epoch.
    `training.fit` asks for samples 0, 1, 2, … instead.

    Parameters
    ----------
    frames : sequence of Frame
        Sizes may differ. The number of channels may not.
    size : int or (h, w)
        Of a crop, in pixels. It may be larger than a frame, which is then continued by its mirror image.
    seed : int
    target, weight_map
        As for `Whole`. The weights are those of the whole frame, bent with it: a gap that is enlarged weighs as much
        as it did. The labels are made of the instances after these are bent, so that no gap between cells is lost.
    margin : int
        How far a crop may reach over the edge of its frame, into the mirror image. A network without padding predicts
        only the middle of its input: only with `margin=(size − output) // 2` does that middle reach the edge of the
        frame. (A crop that is turned, made smaller or bent reaches a little farther.)
    flips, quarter_turns : bool
        Mirror along either side, turn by 0°, 90°, 180° or 270°: for images without an up and down, as in microscopes.
    rotation : float
        Turn by up to so many degrees more, either way.
    scale : float
        At least 1: enlarge by a factor between 1/scale and scale.
    sigma : float
        Elastic deformation: the standard deviation of its 3×3 arrows, in pixels. The paper bends tiles of 572 pixels by
        10; on a small crop the arrows are closer together, and the same number bends more.
    gain, offset, noise : float
        Multiply the image by 1 ± gain, add ± offset, add noise with a standard deviation of up to `noise`.
    gamma : float
        At least 1: make dark and bright parts differ more or less, by a power between 1/gamma and gamma of the light
        between the darkest and the brightest pixel. The mean and the standard deviation stay.
    blur : float
        Blur by a Gaussian with a standard deviation of up to so many pixels, as a microscope that is a little out of
        focus.
    balance : float
        From 0 to 1, for class numbers (`target=None`): so often a crop is laid around a pixel of some class, each class
        as often as any other, in any frame that has it. The other crops lie anywhere. So a class that is in few places
        is seen again and again.

    Raises
    ------
    TypeError, ValueError
        When an argument is none of these, or a frame is not what `Frame` says.

    References
    ----------
    Ronneberger, Fischer and Brox (2015), "U-Net", section 3.1. Lesson 07.
    """

    endless = True

    def __init__(
        self,
        frames: Sequence[Frame],
        size: Size,
        *,
        seed: int = 0,
        target: OfInstances | None = separated,
        weight_map: OfInstances | None = None,
        margin: int = 0,
        flips: bool = True,
        quarter_turns: bool = True,
        rotation: float = 15.0,
        scale: float = 1.1,
        sigma: float = 4.0,
        gain: float = 0.2,
        offset: float = 0.1,
        noise: float = 0.02,
        gamma: float = 1.0,
        blur: float = 0.0,
        balance: float = 0.0,
    ) -> None:
        super().__init__(frames, target=target, weight_map=weight_map)
        self.size, self.seed = pair("size", size, 1), whole("seed", seed, 0)
        self.margin = whole("margin", margin, 0)
        self.flips, self.quarter_turns = flips, quarter_turns
        self.rotation = _at_least(0, "rotation", rotation)
        self.scale, self.sigma = _at_least(1, "scale", scale), _at_least(0, "sigma", sigma)
        self.gain, self.offset = _at_least(0, "gain", gain), _at_least(0, "offset", offset)
        self.noise, self.blur = _at_least(0, "noise", noise), _at_least(0, "blur", blur)
        self.gamma = _at_least(1, "gamma", gamma)
        self.balance = _at_least(0, "balance", balance)
        if balance and target is not None:
            raise ValueError("balance: expected class numbers, that is target=None; of cells, each would be a class")
        # what `displacement` makes of 3×3 arrows, along either side
        self._between_arrows = [axis_matrix(3, side, mode="bicubic", align_corners=True) for side in self.size]
        self._ready: dict[int, tuple[Readable, Readable, Readable | None, Readable | None]] = {}
        self._frames_of = _frames_of_classes(self.frames) if balance else {}

    def __getitem__(self, n: int) -> Sample:
        if n < 0:
            raise IndexError(f"n: samples are counted from 0, got {n}; an endless stream has no last one")
        rng = np.random.default_rng((self.seed, n))
        is_balanced = bool(self._frames_of) and rng.random() < self.balance
        number, pixel = self._pixel_of_a_class(rng) if is_balanced else (self._in_turn(n), None)
        shape = self.frames[number].instances.shape
        places = Places(self._places(rng, shape, pixel), shape)
        image, instances, weights, known = self._readable(number)
        return self._sample(
            self._relit(rng, places.read(image)),
            places.read(instances),
            None if weights is None else places.read(weights),
            None if known is None else places.read(known),
        )

    def _readable(self, n: int) -> tuple[Readable, Readable, Readable | None, Readable | None]:
        """A frame's image, instances, weights and known pixels, ready to be read: made when first used, and kept."""
        if n not in self._ready:
            image, instances, _, known = self.frames[n]
            weights = self._weights(n)
            self._ready[n] = (
                Readable(image, order=3),
                Readable(instances, order=0),
                None if weights is None else Readable(weights, order=1),
                # as the labels: no unknown one is taken for known
                None if known is None else Readable(known, order=0),
            )
        return self._ready[n]

    def _in_turn(self, n: int) -> int:
        """Which frame's turn it is: each epoch has its own order."""
        epoch, place = divmod(n, len(self.frames))
        # the 1 keeps these numbers apart from those of sample n = epoch
        return int(np.random.default_rng((self.seed, epoch, 1)).permutation(len(self.frames))[place])

    def _pixel_of_a_class(self, rng: np.random.Generator) -> tuple[int, tuple[int, int]]:
        """Draw a class, a frame that has it, and one of its pixels there."""
        label = rng.choice(list(self._frames_of))
        number = int(rng.choice(self._frames_of[label]))
        is_it = _known(self.frames[number], self.frames[number].instances == label)
        row, column = divmod(int(rng.choice(np.flatnonzero(is_it))), is_it.shape[1])
        return number, (row, column)

    def _places(
        self, rng: np.random.Generator, shape: tuple[int, ...], pixel: tuple[int, int] | None
    ) -> NDArray[np.float64]:
        """Where each pixel of the crop looks in its frame, (2, h, w): bent, turned and scaled about its centre, moved.

        Moved anywhere, or so that a certain pixel lies in the middle half, where turning and bending cannot lose it.
        """
        arrows = rng.normal(0, self.sigma, (2, 3, 3)) if self.sigma else np.zeros((2, 3, 3))
        turn, centre = self._turn(rng), np.empty((2, 1))
        for axis in (0, 1):
            least, most = -self.margin, shape[axis] + self.margin - self.size[axis]
            least, most = min(least, most), max(least, most)
            if pixel is not None:
                quarter = self.size[axis] // 4
                least, most = np.clip((pixel[axis] - self.size[axis] + 1 + quarter, pixel[axis] - quarter), least, most)
            centre[axis] = rng.integers(least, most, endpoint=True) + (self.size[axis] - 1) / 2
        rows, columns = (np.arange(side) - (side - 1) / 2 for side in self.size)
        straight = (turn[:, :1] * rows + centre)[:, :, None] + (turn[:, 1:] * columns)[:, None, :]
        # a field is a sum of its arrows: to turn it, these nine are turned, and not each pixel
        down, right = self._between_arrows
        return straight + down @ np.tensordot(turn, arrows, axes=1) @ right.T

    def _turn(self, rng: np.random.Generator) -> NDArray[np.float64]:
        """Flip, turn and scale as one 2×2 matrix, exact where nothing lies between pixels."""
        matrix = np.eye(2)
        if self.flips:
            matrix *= rng.choice([-1, 1], (2, 1))
        if self.quarter_turns:
            matrix = np.linalg.matrix_power([[0, -1], [1, 0]], rng.integers(4)) @ matrix
        angle = np.deg2rad(rng.uniform(-self.rotation, self.rotation))
        turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        return turn @ matrix / self.scale ** rng.uniform(-1, 1)

    def _relit(self, rng: np.random.Generator, image: NDArray[Any]) -> NDArray[Any]:
        gain, offset = 1 + rng.uniform(-self.gain, self.gain), rng.uniform(-self.offset, self.offset)
        noise = rng.uniform(0, self.noise) * rng.standard_normal(image.shape, np.float32)
        if self.gamma > 1:
            image = _to_the_power(image, self.gamma ** rng.uniform(-1, 1))
        if self.blur:
            from scipy import ndimage  # slow to import, and most crops do without

            image = ndimage.gaussian_filter(image, rng.uniform(0, self.blur), axes=(-2, -1))
        return image * gain + offset + noise


def _to_the_power(image: NDArray[Any], power: float) -> NDArray[Any]:
    """The light between the darkest and the brightest pixel, to this power, with the mean and the spread of before."""
    low, high, mean, spread = image.min(), image.max(), image.mean(), image.std()
    if low == high:
        return image
    bent = ((image - low) / (high - low)) ** power
    return mean + (bent - bent.mean()) * (spread / bent.std())


def _known(frame: Frame, mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    return mask if frame.known is None else mask & frame.known


def _frames_of_classes(frames: Sequence[Frame]) -> dict[int, list[int]]:
    """For each class the numbers of the frames that have a pixel of it, as far as it is known."""
    found: dict[int, list[int]] = {}
    for number, frame in enumerate(frames):
        for label in np.unique(frame.instances[_known(frame, np.ones(frame.instances.shape, bool))]).tolist():
            found.setdefault(label, []).append(number)
    return dict(sorted(found.items()))


def _checked(frame: Any, name: str) -> Frame:
    """The frame as arrays, or an error that says what is wrong with it."""
    try:
        # in order "C", one row behind the other: crops are read faster so
        parts = (None if part is None else np.asarray(part, order="C") for part in Frame(*frame))
        image, instances, weights, known = parts
    except TypeError:
        raise TypeError(f"{name}: expected Frame(image, instances), got {type(frame).__name__}") from None
    if image is None or image.dtype.kind != "f":
        got = "none" if image is None else str(image.dtype)
        raise TypeError(f"{name}.image: expected floats from about 0 to about 1, got {got}; of bytes, take image / 255")
    if image.ndim not in (2, 3) or 0 in image.shape:
        raise ValueError(f"{name}.image: expected shape (H, W) or (C, H, W), got {image.shape}")
    if instances is None or instances.dtype.kind not in "biu":
        got = "none" if instances is None else str(instances.dtype)
        raise TypeError(f"{name}.instances: expected whole numbers, got {got}")
    if known is not None and known.dtype != bool:
        raise TypeError(f"{name}.known: expected booleans, got {known.dtype}")
    for part, array in (("instances", instances), ("weights", weights), ("known", known)):
        if array is not None and array.shape != image.shape[-2:]:
            raise ValueError(f"{name}.{part}: expected shape {image.shape[-2:]} like the image, got {array.shape}")
    return Frame(
        np.asarray(image, np.float32), instances, None if weights is None else np.asarray(weights, np.float32), known
    )


def _at_least(least: float, name: str, value: float) -> float:
    if not (np.isfinite(value) and value >= least):
        raise ValueError(f"{name}: expected a number of at least {least}, got {value}")
    return value
