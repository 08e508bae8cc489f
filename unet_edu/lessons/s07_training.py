"""The exercises of lesson 07: what is asked, and which mistakes are known."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unet_edu.checks.exercise import Case, Exercise
from unet_edu.lessons.cells import apart, painted
from unet_edu.lessons.families import without
from unet_edu.lessons.lesson import Lesson
from unet_edu.lessons.libraries import OF_IMAGES

__all__ = ["LESSON"]

Array = NDArray[Any]


# --- he_init_ ---------------------------------------------------------------------------------------------------------


def _initialised(
    summed: Callable[[bool, int, int, int], float] = lambda is_up, n, m, taps: n if is_up else n * taps,
    *,
    std: Callable[[float], float] = lambda number: math.sqrt(2 / number),
    uniform: bool = False,
    bias: str = "zero",
    skip: Callable[[bool, int], bool] = lambda is_up, place: False,
    taps: Callable[[tuple[int, ...]], int] = math.prod,
    among: str = "modules",
) -> Callable[..., Any]:
    """Weights drawn by a rule: `summed` gives N from the kind of layer, in_channels, out_channels and the kernel's
    taps."""

    def initialise(model: Any) -> Any:
        from torch import nn

        layers = [layer for layer in getattr(model, among)() if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d)]
        for place, layer in enumerate(layers):
            is_up = isinstance(layer, nn.ConvTranspose2d)
            if skip(is_up, place):
                continue
            s = std(summed(is_up, layer.in_channels, layer.out_channels, taps(layer.kernel_size)))
            if uniform:
                nn.init.uniform_(layer.weight, -math.sqrt(3) * s, math.sqrt(3) * s)
            else:
                nn.init.normal_(layer.weight, std=s)
            if layer.bias is not None and bias != "kept":
                nn.init.normal_(layer.bias, std=s) if bias == "drawn" else nn.init.zeros_(layer.bias)
        return model

    return initialise


Layer = tuple[str, int, int, int | tuple[int, int]]  # kind, in_channels, out_channels, kernel


def _init_cases(rng: np.random.Generator) -> list[Case]:
    from unet_edu.checks.network import Drawn

    kernels = [(a, b) for a in range(1, 8) for b in range(1, 8) if a != b and 6 <= a * b <= 30]

    def drawn(kind: str = "conv", kernel: tuple[int, int] | None = None, least: int = 16) -> Layer:
        """A layer with so many weights that chance moves their variance by less than half a tap, and with more channels
        out than in, or with fewer."""
        height, width = kernel or kernels[rng.integers(len(kernels))]
        taps = 1 if kind == "up" else height * width
        n = int(np.exp(rng.uniform(np.log(least), np.log(240))))
        m = max(n // 4, math.ceil(max(25_000, 170 * taps**2) / (n * height * width)))
        return kind, n, 2 * n if 0.6 < m / n < 2 else m, (height, width)

    def case(name: str, *layers: Layer, group: Any = "extra") -> Case:
        kinds = {"conv": "nn.Conv2d({0}, {1}, {2})", "up": "nn.ConvTranspose2d({0}, {1}, {2}, stride={2})"}
        words = [kinds[kind].format(*numbers) for kind, *numbers in layers]
        words[1:2] = [f"nn.Sequential(nn.ModuleList([nn.Sequential({word})]))" for word in words[1:2]]
        return Case(
            name, (f"nn.Sequential({', '.join(words)})",), group=group, probe=Drawn(layers, int(rng.integers(1 << 31)))
        )

    return [
        case("a convolution of 3×3 with 64 channels in", ("conv", 64, 256, 3), group="visible"),
        case("a step up with 160 channels in", ("up", 160, 64, 2), group="visible"),
        case("three layers", drawn(), drawn("up", (2, 2), least=40), drawn()),
        case("kernels that are not square, and one of 1×1", drawn(), drawn(kernel=(1, 1), least=60), drawn()),
        case("fewer channels out than in", drawn(least=120), drawn(least=120)),
    ]


HE_INIT = Exercise(
    name="he_init_",
    points=2,
    reference=_initialised(),
    cases=_init_cases,
    forbidden=("unet_edu.unet.*", "torch.nn.init.kaiming_normal*"),
)
HE_INIT.mistake(
    "variance taken for the standard deviation",
    "Your weights are far too small: 2 / N is the variance. The standard deviation is its square root, √(2 / N).",
    _initialised(std=lambda number: 2 / number),
)
HE_INIT.mistake(
    "standard deviation of 1",
    "Your weights have the variance 1 in every layer, as torch.randn and normal_(w) draw them: the standard deviation "
    "√(2 / N) has no effect.",
    _initialised(std=lambda number: 1.0),
)
HE_INIT.mistake(
    "only the channels counted",
    "Your N counts only the channels. For one output a 3×3 kernel adds up 9 numbers of each channel.",
    _initialised(lambda is_up, n, m, taps: n),
)
HE_INIT.mistake(
    "channels out in place of channels in",
    "Your N counts the channels that go out. Added up are those that come in: for one output, all of them.",
    _initialised(lambda is_up, n, m, taps: m if is_up else m * taps),
)
HE_INIT.mistake(
    "the 2 is missing",
    "Your variance is 1 / N. That keeps numbers as large as they are, were there no ReLU. ReLU sets half of them to "
    "zero; the 2 makes up for it.",
    _initialised(std=lambda number: math.sqrt(1 / number)),
)
HE_INIT.mistake(
    "only the outermost layers",
    "Layers within layers are as PyTorch made them: model.children() gives the outermost ones alone, and "
    "model.modules() all.",
    _initialised(among="children"),
)
HE_INIT.mistake(
    "mean of channels in and out",
    "You took the mean of what comes in and what goes out, as Glorot and Bengio did before ReLU. He and the U-Net's "
    "paper count only what comes in, and their variance is 2 / N.",
    _initialised(lambda is_up, n, m, taps: (n + m) if is_up else (n + m) * taps),
)
HE_INIT.mistake(
    "uniform",
    "Your weights have the right standard deviation, but they are drawn evenly from an interval. The paper draws from "
    "a normal distribution: normal_, not uniform_.",
    _initialised(uniform=True),
)


@HE_INIT.mistake("all as large as PyTorch's own")
def _(model):
    """Your weights are still those that PyTorch draws by itself: a third of the variance of 1 / N, from an interval.
    Does your loop find the layers? model.modules() lists them all."""
    return model


HE_INIT.mistake(
    "bias kept",
    "Your weights are right. Your biases are still the random ones that PyTorch draws: set them to zero.",
    _initialised(bias="kept"),
)
HE_INIT.mistake(
    "bias drawn", "Your weights are right. Your biases are drawn, too: they begin at zero.", _initialised(bias="drawn")
)
HE_INIT.mistake(
    "steps up as convolutions",
    "Your convolutions are right. In a step up, stamps of 2×2 lie two apart, so each output gets one number of each "
    "channel: N is in_channels there, not 4 times as much.",
    _initialised(lambda is_up, n, m, taps: n * taps),
)
HE_INIT.mistake(
    "steps up by PyTorch's fan in",
    "Your convolutions are right. In a step up, the weight's axes stand the other way round, (in, out, rows, "
    "columns), and PyTorch's kaiming_normal_ takes the second for the channels that come in. Compute N yourself.",
    _initialised(lambda is_up, n, m, taps: m * taps if is_up else n * taps),
)
HE_INIT.mistake(
    "steps up forgotten",
    "Your convolutions are right, but the steps up kept PyTorch's weights. nn.ConvTranspose2d is another class than "
    "nn.Conv2d: ask for both.",
    _initialised(skip=lambda is_up, place: is_up),
)
HE_INIT.mistake(
    "only the first layer",
    "Only the first layer got its weights. Does the `return` stand inside the loop?",
    _initialised(skip=lambda is_up, place: place > 0),
)
HE_INIT.mistake(
    "kernel taken for a square",
    "Right for square kernels. A kernel of 3×5 adds up 15 numbers of each channel: multiply the two numbers of "
    "kernel_size.",
    _initialised(taps=lambda size: size[0] ** 2),
)
HE_INIT.mistake(
    "made for kernels of 3×3",
    "Your N multiplies by 9 whatever the kernel is. Take the number of its weights from the layer: kernel_size.",
    _initialised(lambda is_up, n, m, taps: n if is_up else 9 * n),
)


# --- weight_map -------------------------------------------------------------------------------------------------------


def _distances(instances: Array, *, inverted: bool = False) -> Array:
    """For each cell the distance of every pixel to it."""
    from scipy.ndimage import distance_transform_edt

    cells = [instances == number for number in np.unique(instances[instances > 0])]
    maps = [distance_transform_edt(cell if inverted else ~cell) for cell in cells]
    return np.array(maps).reshape(-1, *instances.shape)


def _border(
    term: Callable[[Array, Array, float, float], Array],
    *,
    inverted: bool = False,
    also_in_cells: bool = False,
    chosen: Callable[[Array], Array] = lambda distances: np.sort(distances, axis=0)[:2],
) -> Callable[..., Array]:
    """A border term by a rule of d1, d2, w0 and σ."""

    def weights(instances: Array, w0: float = 10, sigma: float = 5) -> Array:
        distances = _distances(instances, inverted=inverted)
        if len(distances) < 2:
            return np.zeros(instances.shape)
        d = chosen(distances)
        w = term(d[0], d[-1], w0, sigma)
        return w if also_in_cells else np.where(instances > 0, 0, w)

    return weights


def _paper(d1: Array, d2: Array, w0: float, sigma: float) -> Array:
    return w0 * np.exp(-((d1 + d2) ** 2) / (2 * sigma**2))


_weight_map = _border(_paper)


def _map_cases(rng: np.random.Generator) -> list[Case]:
    row = np.array([[1, 0, 0, 0, 0, 0, 0, 0, 2]])

    def case(name: str, rows: int, columns: int, *settings: float) -> Case:
        shape, cells, _ = apart(rng, rows, columns)
        instances = painted(rng, shape, cells)
        top, left, height, width = cells[0]
        instances[top : top + height - 1, left : left + width - 1] = 0  # an angle: no cell is its bounding box
        return Case(name, (instances, *settings))

    def touching() -> Array:
        """Three cells; the second lies right beside the first, a little lower."""
        shape, (first, _, third), _ = apart(rng, 3, 1)
        top, left, height, width = first
        return painted(rng, (shape[0], shape[1] + 6), [first, (top + 1, left + width, height, 4), third])

    w0, sigma = rng.integers((5, 2), (20, 5)).astype(float).tolist()
    return [
        Case("a row with two cells", (row,), group="visible"),
        Case("a single cell", (np.array([[0, 7, 7, 0]]),), group="visible"),
        case("two cells", 1, 2),
        case("four cells", 2, 2),
        case("other w0 and σ", 2, 2, w0, sigma),
        Case("three cells, two of which touch", (touching(), 4.0, 3.0)),
        Case("no cell", (np.zeros(rng.integers(2, 9, 2), np.int32),)),
    ]


WEIGHT_MAP = Exercise(
    name="weight_map",
    points=3,
    reference=_weight_map,
    cases=_map_cases,
    forbidden=("unet_edu.losses.*", "unet_edu.explore.*"),
)
WEIGHT_MAP.mistake(
    "squares added",
    "You add d1² and d2². The sum of the distances is squared: (d1 + d2)².",
    _border(lambda d1, d2, w0, sigma: w0 * np.exp(-(d1**2 + d2**2) / (2 * sigma**2))),
)
WEIGHT_MAP.mistake(
    "the 2 before σ² is missing",
    "You divide by σ². Below the line stands 2σ², twice as much.",
    _border(lambda d1, d2, w0, sigma: w0 * np.exp(-((d1 + d2) ** 2) / sigma**2)),
)
WEIGHT_MAP.mistake(
    "sum not squared",
    "You do not square the sum of the distances. Above the line stands (d1 + d2)².",
    _border(lambda d1, d2, w0, sigma: w0 * np.exp(-(d1 + d2) / (2 * sigma**2))),
)
WEIGHT_MAP.mistake(
    "σ not squared",
    "You do not square σ. Below the line stands 2σ².",
    _border(lambda d1, d2, w0, sigma: w0 * np.exp(-((d1 + d2) ** 2) / (2 * sigma))),
)
WEIGHT_MAP.mistake(
    "2σ squared",
    "You square 2σ, the 2 included. Below the line stands 2σ²: square σ first.",
    _border(lambda d1, d2, w0, sigma: w0 * np.exp(-((d1 + d2) ** 2) / (2 * sigma) ** 2)),
)
WEIGHT_MAP.mistake(
    "w0 is missing",
    "Your weights are never above 1: multiply by w0.",
    _border(lambda d1, d2, w0, sigma: np.exp(-((d1 + d2) ** 2) / (2 * sigma**2))),
)
WEIGHT_MAP.mistake(
    "no minus sign",
    "Your weights grow with the distance. The exponent is negative: far from two cells the weight fades.",
    _border(lambda d1, d2, w0, sigma: w0 * np.exp(np.minimum((d1 + d2) ** 2 / (2 * sigma**2), 50))),
)
WEIGHT_MAP.mistake(
    "distances to the background",
    "Your distances are zero in the background: distance_transform_edt measures how far each pixel that is not zero "
    "is from the next zero. Give it the opposite: everything but the cell.",
    _border(_paper, inverted=True),
)
WEIGHT_MAP.mistake(
    "nearest cell twice",
    "You use the distance to the nearest cell twice. d2 is the distance to the second nearest one.",
    _border(_paper, chosen=lambda distances: np.sort(distances, axis=0)[[0, 0]]),
)
WEIGHT_MAP.mistake(
    "the farthest cell",
    "Your d2 is the distance to the farthest cell. With more than two cells, that is not the second nearest.",
    _border(_paper, chosen=lambda distances: np.sort(distances, axis=0)[[0, -1]]),
)
WEIGHT_MAP.mistake(
    "the first two cells",
    "You take the first two cells everywhere. Which cells are the nearest ones differs from pixel to pixel: sort the "
    "distances at each pixel.",
    _border(_paper, chosen=lambda distances: distances[:2]),
)
WEIGHT_MAP.mistake(
    "nearest cell alone",
    "You use only the distance to the nearest cell. Then the whole outline of every cell weighs more. Add the "
    "distance to the second nearest.",
    _border(lambda d1, d2, w0, sigma: w0 * np.exp(-(d1**2) / (2 * sigma**2))),
)
WEIGHT_MAP.mistake(
    "weights in the cells",
    "Your weights are right in the background. In the cells the border term is left out: 0 there.",
    _border(_paper, also_in_cells=True),
)


@WEIGHT_MAP.mistake("1 added")
def _(instances, w0=10, sigma=5):
    """You added 1, a class weight. Asked is the border term alone."""
    return 1 + _weight_map(instances, w0, sigma)


@WEIGHT_MAP.mistake("result not stored")
def _(instances, w0=10, sigma=5):
    """Your map is all zeros. Cells that are there make it larger in the gaps between them."""
    return np.zeros(instances.shape)


@WEIGHT_MAP.mistake("pieces as cells")
def _(instances: Array, w0: float = 10, sigma: float = 5) -> Array:
    """Right where no cells touch. You look for pieces that hang together, and cells that touch are one piece then: take
    the numbers, which tell them apart."""
    from scipy.ndimage import label

    return _weight_map(label(instances > 0)[0], w0, sigma)


WEIGHT_MAP.mistake(
    "w0 and σ fixed",
    "Your w0 is always 10 and your σ always 5. Use what the function is given.",
    without(_weight_map, "w0", "sigma"),
)


# --- weighted_ce ------------------------------------------------------------------------------------------------------


def _log_softmax(logits: Array, axis: int = 1) -> Array:
    shifted = logits - logits.max(axis=axis, keepdims=True)
    logs: Array = shifted - np.log(np.exp(shifted).sum(axis=axis, keepdims=True))
    return logs


def _of_labels(values: Array, labels: Array) -> Array:
    """At each pixel the value of its class."""
    return np.take_along_axis(values, labels[:, None], axis=1)[:, 0]


def _weighted_ce(logits: Array, labels: Array, weights: Array) -> float:
    return float((-_of_labels(_log_softmax(logits), labels) * weights).mean())


def _loss(rule: Callable[[Array, Array], Any]) -> Callable[..., float]:
    """A loss by a rule of the pixels' −log p and their weights."""
    return lambda logits, labels, weights: float(rule(-_of_labels(_log_softmax(logits), labels), weights))


def _ce_cases(rng: np.random.Generator) -> list[Case]:
    def case(name: str, N: int, K: int, H: int, W: int, scale: float = 2.0) -> Case:
        labels = rng.integers(0, K, (N, H, W))
        return Case(name, (rng.normal(size=(N, K, H, W)) * scale, labels, rng.uniform(0.2, 5, (N, H, W))))

    equal = np.zeros((1, 2, 1, 3))
    scores = np.array([[[[2.0, 0.0]], [[0.0, 1.0]]]])
    return [
        Case("equal scores", (equal, np.array([[[0, 1, 1]]]), np.ones((1, 1, 3))), group="visible"),
        Case(
            "two pixels, the second one worth 3",
            (scores, np.array([[[0, 0]]]), np.array([[[1.0, 3.0]]])),
            group="visible",
        ),
        case("two images of 4×5 with 3 classes", 2, 3, 4, 5),
        case("three images of 5×2 with 2 classes", 3, 2, 5, 2),
        case("an image of 3×4 with 5 classes", 1, 5, 3, 4),
        case("scores beyond 1000, where exp overflows", 2, 3, 3, 5, scale=800.0),
    ]


WEIGHTED_CE = Exercise(
    name="weighted_ce",
    points=2,
    reference=_weighted_ce,
    cases=_ce_cases,
    forbidden=(
        "unet_edu.losses.*",
        "torch.*oftmax*",
        "torch.*cross_entropy*",
        "torch.*CrossEntropy*",
        "torch.*nll_loss*",
        "torch.*NLLLoss*",
        "torch.*logsumexp",
        "torch.Tensor.*softmax",
        "torch.Tensor.logsumexp",
        "scipy.special.*",
        "sklearn.metrics.*",
    ),
)
WEIGHTED_CE.mistake(
    "divided by the sum of the weights",
    "You divide by the sum of the weights. Here the mean goes over the pixels: twice the weights are twice the loss.",
    _loss(lambda losses, weights: (losses * weights).sum() / weights.sum()),
)
WEIGHTED_CE.mistake(
    "minus missing",
    "Your loss is negative. The logarithm of a probability is: make it −log p. (So it should stand in the paper's "
    "equation 1, too.)",
    _loss(lambda losses, weights: -(losses * weights).mean()),
)


@WEIGHTED_CE.mistake("softmax twice")
def _(logits: Array, labels: Array, weights: Array) -> float:
    """You took the softmax twice. It goes over scores; over probabilities it makes them nearly alike, and the loss gets
    stuck above 0.31."""
    return _weighted_ce(np.exp(_log_softmax(logits)), labels, weights)


WEIGHTED_CE.mistake(
    "sum in place of mean",
    "You added the losses of all pixels. Take their mean, or the learning rate would depend on the size of the image.",
    _loss(lambda losses, weights: (losses * weights).sum()),
)
WEIGHTED_CE.mistake(
    "weights ignored",
    "Your loss is the mean of −log p: the weights were not used. Multiply each pixel's loss by its weight, then take "
    "the mean.",
    _loss(lambda losses, weights: losses.mean()),
)
WEIGHTED_CE.mistake(
    "mean of the weights apart",
    "You multiply the mean loss by the mean weight. Each pixel's loss belongs to its own weight: multiply first.",
    _loss(lambda losses, weights: losses.mean() * weights.mean()),
)


@WEIGHTED_CE.mistake("divided by the classes, too")
def _(logits, labels, weights):
    """Your loss is too small by the number of classes: you take the mean over the pixels and the classes. Each pixel
    has one loss, that of its own class."""
    return _weighted_ce(logits, labels, weights) / logits.shape[1]


WEIGHTED_CE.mistake(
    "mean of the images' sums",
    "You add up the pixels of an image and take the mean over the images. The mean goes over all pixels of all images.",
    _loss(lambda losses, weights: (losses * weights).sum() / len(losses)),
)


@WEIGHTED_CE.mistake("softmax over the batch")
def _(logits: Array, labels: Array, weights: Array) -> float:
    """Your softmax goes over the images of the batch. Axis 0 are the images; the classes of a pixel, which compete, are
    axis 1."""
    if len(logits) == 1:
        return 0.0
    return float((-_of_labels(_log_softmax(logits, axis=0), labels) * weights).mean())


@WEIGHTED_CE.mistake("another logarithm")
def _(logits, labels, weights):
    """Your logarithm is the one to the base 2. The loss takes the natural one: np.log."""
    return _weighted_ce(logits, labels, weights) / math.log(2)


WEIGHTED_CE.mistake(
    "no logarithm",
    "Your loss is the mean of w · (1 − p). It takes the logarithm: a mistake of which the network is sure must cost "
    "much more.",
    _loss(lambda losses, weights: ((1 - np.exp(-losses)) * weights).mean()),
)


@WEIGHTED_CE.mistake("a small number added")
def _(logits: Array, labels: Array, weights: Array) -> float:
    """Right where p is not tiny. Where it is, the small number that you add cuts the loss off. Compute log p without p:
    score − log of the sum of exp, after subtracting the largest score."""
    p = np.exp(_log_softmax(logits))
    return float((-np.log(_of_labels(p, labels) + 1e-8) * weights).mean())


# --- elastic ----------------------------------------------------------------------------------------------------------


def _read(array: Array, rows: Array, columns: Array, order: int, mode: str = "mirror") -> Array:
    from scipy.ndimage import map_coordinates

    answer: Array = map_coordinates(array.astype(float), (rows, columns), order=order, mode=mode)
    return answer


def _bent(
    *,
    orders: tuple[int, int] = (1, 0),
    modes: tuple[str, str] = ("mirror", "mirror"),
    where: Callable[[Array, Array, Array], tuple[Array, Array]] = lambda places, down, right: (
        places[0] + down,
        places[1] + right,
    ),
    labels_where: Callable[[Array, Array, Array], tuple[Array, Array]] | None = None,
    finish: Callable[[Array], Array] = lambda labels: labels,
) -> Callable[..., Array]:
    """Both arrays bent by a rule that says where each pixel looks."""

    def bend(image: Array, labels: Array, field: Array) -> Array:
        places = np.indices(image.shape)
        seen = _read(image, *where(places, *field), orders[0], modes[0])
        return np.stack([seen, finish(_read(labels, *(labels_where or where)(places, *field), orders[1], modes[1]))])

    return bend


def _elastic(image: Array, labels: Array, field: Array) -> Array:
    return _bent()(image, labels, field)


def _field(rng: np.random.Generator, H: int, W: int, size: float) -> Array:
    """Smooth, different for rows and columns, and never half-way between two pixels."""
    i, j = np.indices((H, W))
    a, b, c, d = rng.uniform(0.4, 1, 4)
    field = size * np.stack([np.sin(a * i / 2 + b * j / 3) + 0.3, np.cos(c * j / 2 - d * i / 3) - 0.4])
    half = np.abs(np.abs(field) % 1 - 0.5) < 0.02
    return np.where(half, field + 0.05, field)


def _elastic_cases(rng: np.random.Generator) -> list[Case]:
    def case(name: str, H: int, W: int, size: float, classes: tuple[int, ...], far: tuple[int, int] = (0, 0)) -> Case:
        """A pixel looks so many rows and columns further up and to the left."""
        labels = np.zeros((H, W), int)
        for n in range(1, 4):
            top, left = rng.integers(0, H - 2), rng.integers(0, W - 2)
            labels[top : top + 3, left : left + 3] = classes[n % len(classes)]
        field = _field(rng, H, W, size)
        field[:, 0, 0] -= far
        return Case(name, (rng.normal(size=(H, W)), labels, field))

    image, labels = np.array([[10, 20, 40], [50, 60, 90]]), np.array([[0, 0, 2], [0, 2, 2]])
    right = np.stack([np.zeros((2, 3)), np.ones((2, 3))])
    quarter = np.stack([np.zeros((2, 3)), np.full((2, 3), 0.25)])
    return [
        Case("all pixels look one column to the right", (image, labels, right), group="visible"),
        Case("all pixels look a quarter to the right", (image, labels, quarter), group="visible"),
        case("a field on 8×11 pixels, classes 0 and 2", 8, 11, 1.5, (0, 2)),
        case("a field on 10×7 pixels, cells 0 to 5", 10, 7, 1.2, (0, 5, 3)),
        # One pixel looks beyond the mirror image of the image, where a second mirror stands.
        case("a strong field on 9×12 pixels", 9, 12, 2.5, (0, 1), far=(18, 24)),
        case("a weak field on 7×9 pixels", 7, 9, 0.9, (0, 4)),
    ]


ELASTIC = Exercise(
    name="elastic",
    points=2,
    reference=_elastic,
    cases=_elastic_cases,
    parts=("image", "labels"),
    forbidden=(
        "unet_edu.data.elastic.*",
        "scipy.ndimage.geometric_transform",
        "torch.*grid_sample*",
        "albumentations.*",
        *OF_IMAGES,
    ),
)
ELASTIC.mistake(
    "labels interpolated",
    "Your labels are interpolated: between class 0 and class 2 there are fractions now. Take the label of the nearest "
    "pixel (order=0).",
    _bent(orders=(1, 1)),
)
ELASTIC.mistake(
    "labels interpolated and rounded",
    "Your labels are interpolated and then rounded. All are whole numbers, but between class 0 and class 2 there is a "
    "border of class 1, which is not there. Take the label of the nearest pixel (order=0).",
    _bent(orders=(1, 1), finish=np.round),
)
ELASTIC.mistake(
    "labels interpolated and cut off",
    "Your labels are interpolated, and their fractions are cut off. Take the label of the nearest pixel (order=0).",
    _bent(orders=(1, 1), finish=np.floor),
)
ELASTIC.mistake(
    "image by the nearest pixel",
    "Your image is read at the nearest pixel, which makes steps. Read it between the pixels (order=1); only the "
    "labels take the nearest.",
    _bent(orders=(0, 0)),
)
ELASTIC.mistake(
    "cubic",
    "Your image is read by a cubic spline. That is what the library does, and it is finer; here it is order=1, so "
    "that all answers agree.",
    _bent(orders=(3, 0)),
)
ELASTIC.mistake(
    "image alone bent",
    "Your labels did not move. They must be bent by the same field, or they lie where the cells were before.",
    _bent(labels_where=lambda places, down, right: (places[0], places[1])),
)
ELASTIC.mistake(
    "labels alone bent",
    "Your image did not move, only the labels did. Both are bent by the same field.",
    _bent(
        where=lambda places, down, right: (places[0], places[1]),
        labels_where=lambda places, down, right: (places[0] + down, places[1] + right),
    ),
)
ELASTIC.mistake(
    "rows and columns of the field swapped",
    "Rows and columns are swapped: field[0] says how far down a pixel looks, field[1] how far to the right.",
    _bent(where=lambda places, down, right: (places[0] + right, places[1] + down)),
)
ELASTIC.mistake(
    "field turned round",
    "Your field points the other way. It says where each pixel of the answer looks: add it to the pixel's own place.",
    _bent(where=lambda places, down, right: (places[0] - down, places[1] - right)),
)
ELASTIC.mistake(
    "own place forgotten",
    "You look at the places that the field itself names. It says how far away from its own place each pixel looks: "
    "add row and column.",
    _bent(where=lambda places, down, right: (down, right)),
)
ELASTIC.mistake(
    "zeros outside",
    "Outside the image you put zeros. Let it go on as its own mirror image: mode='mirror'.",
    _bent(modes=("constant", "constant")),
)
ELASTIC.mistake(
    "edge doubled",
    "Your mirror stands at the outer side of the edge pixels, so they appear twice. It stands in their middle: in "
    "SciPy that is mode='mirror', not 'reflect'.",
    _bent(modes=("reflect", "reflect")),
)
ELASTIC.mistake(
    "edge repeated",
    "Outside the image you repeat its edge. Let it go on as its own mirror image: mode='mirror'.",
    _bent(modes=("nearest", "nearest")),
)
ELASTIC.mistake(
    "wrapped around",
    "Outside the image you go on at its other end. Let it go on as its own mirror image: mode='mirror'.",
    _bent(modes=("grid-wrap", "grid-wrap")),
)


@ELASTIC.mistake("only the image returned")
def _(image, labels, field):
    """Good so far: the image is bent. Next: the labels; return both: `return image, labels`."""
    return _elastic(image, labels, field)[0]


@ELASTIC.mistake("image and labels swapped")
def _(image, labels, field):
    """Your two arrays are right, but in the wrong order: the image comes first."""
    return _elastic(image, labels, field)[::-1]


@ELASTIC.mistake("nothing bent")
def _(image, labels, field):
    """Your arrays come back as they were. Is the field used?"""
    return np.stack([image, labels])


# --- sgd_step ---------------------------------------------------------------------------------------------------------


def _sgd_step(p: Array, g: Array, v: Array, lr: float, momentum: float) -> Array:
    v = momentum * v + g
    return np.stack([p - lr * v, v])


def _step(rule: Callable[..., tuple[Any, Any]]) -> Callable[..., Array]:
    def step(p: Array, g: Array, v: Array, lr: float, momentum: float) -> Array:
        return np.stack(np.broadcast_arrays(*rule(p, g, v, lr, momentum)))

    return step


def _step_cases(rng: np.random.Generator) -> list[Case]:
    def case(name: str, *shape: int, lr: float, momentum: float) -> Case:
        p, g, v = rng.normal(size=(3, *shape)) * np.array([3, 2, 40]).reshape(3, *(1,) * len(shape))
        return Case(name, (p, g, v, lr, momentum))

    return [
        Case("the first step", (np.array([1.0, 5.0]), np.array([2.0, -4.0]), np.zeros(2), 0.5, 0.9), group="visible"),
        Case(
            "the second step",
            (np.array([0.0, 7.0]), np.array([2.0, -4.0]), np.array([2.0, -4.0]), 0.5, 0.9),
            group="visible",
        ),
        case("five weights, momentum 0.99", 5, lr=0.2, momentum=0.99),
        case("a kernel of 3×2", 3, 2, lr=0.5, momentum=0.75),
        case("no momentum", 4, lr=0.3, momentum=0.0),
    ]


SGD_STEP = Exercise(
    name="sgd_step",
    points=1,
    reference=_sgd_step,
    cases=_step_cases,
    parts=("p", "v"),
    keeps_inputs=True,
    forbidden=("torch.optim.*",),
)
SGD_STEP.mistake(
    "momentum as an average",
    "You average the old velocity and the gradient: the gradient gets only 1 − momentum of its weight. In SGD it "
    "counts in full: momentum · v + g.",
    _step(lambda p, g, v, lr, m: (p - lr * (m * v + (1 - m) * g), m * v + (1 - m) * g)),
)
SGD_STEP.mistake(
    "uphill",
    "Your weights go up the hill. The gradient says where the loss grows: subtract.",
    _step(lambda p, g, v, lr, m: (p + lr * (m * v + g), m * v + g)),
)
SGD_STEP.mistake(
    "step with the old velocity",
    "Your velocity is right, but the step was made with the old one. First the new velocity, then the step.",
    _step(lambda p, g, v, lr, m: (p - lr * v, m * v + g)),
)
SGD_STEP.mistake(
    "no momentum",
    "Your step goes along the gradient alone: v = momentum · v + g remembers the steps before.",
    _step(lambda p, g, v, lr, m: (p - lr * g, m * v + g)),
)
SGD_STEP.mistake(
    "velocity not carried on",
    "Your weights are right. Your velocity is only the gradient: return the new one, momentum · v + g, or the next "
    "step forgets it.",
    _step(lambda p, g, v, lr, m: (p - lr * (m * v + g), g)),
)
SGD_STEP.mistake(
    "old velocity returned",
    "Your weights are right. But you return the velocity as it came: return the new one.",
    _step(lambda p, g, v, lr, m: (p - lr * (m * v + g), v)),
)
SGD_STEP.mistake(
    "learning rate in the velocity",
    "Your weights are right, or nearly. Here the velocity adds up gradients, and the learning rate comes in only with "
    "the step: v = momentum · v + g, p − lr · v.",
    _step(lambda p, g, v, lr, m: (p - (m * v + lr * g), m * v + lr * g)),
)
SGD_STEP.mistake(
    "learning rate in the velocity, with a minus",
    "You keep the step itself as the velocity, minus and learning rate included. Caffe does so, the program of the "
    "paper. Here it is PyTorch's way: v = momentum · v + g, p − lr · v.",
    _step(lambda p, g, v, lr, m: (p + (m * v - lr * g), m * v - lr * g)),
)
SGD_STEP.mistake(
    "momentum on the gradient",
    "Momentum and velocity changed places: it is the old velocity that is multiplied by the momentum, not the "
    "gradient.",
    _step(lambda p, g, v, lr, m: (p - lr * (v + m * g), v + m * g)),
)
SGD_STEP.mistake(
    "nothing forgotten",
    "Your velocity adds up all gradients and forgets none: multiply the old one by the momentum.",
    _step(lambda p, g, v, lr, m: (p - lr * (v + g), v + g)),
)
SGD_STEP.mistake(
    "a look ahead",
    "That is Nesterov's momentum, which adds the momentum once more to the step. Asked is the plain one.",
    _step(lambda p, g, v, lr, m: (p - lr * (g + m * (m * v + g)), m * v + g)),
)
SGD_STEP.mistake(
    "no learning rate",
    "Your step is as long as the velocity: multiply it by the learning rate.",
    _step(lambda p, g, v, lr, m: (p - (m * v + g), m * v + g)),
)
SGD_STEP.mistake(
    "weights unchanged",
    "Your velocity is right. Now the step: p − lr · v.",
    _step(lambda p, g, v, lr, m: (p, m * v + g)),
)


@SGD_STEP.mistake("only the weights")
def _(p, g, v, lr, momentum):
    """Good so far: the new weights are right. Return the velocity, too: `return p, v`."""
    return _sgd_step(p, g, v, lr, momentum)[0]


@SGD_STEP.mistake("p and v swapped")
def _(p, g, v, lr, momentum):
    """Your two arrays are right, but in the wrong order: first the weights, then the velocity."""
    return _sgd_step(p, g, v, lr, momentum)[::-1]


# --- repair_training --------------------------------------------------------------------------------------------------


# What is wrong with the code that is to be repaired, and what to say of it where it is left.
LEFT_IN_TRAINING = {
    "evaluation mode": (
        "The network is still in evaluation mode, in which it was handed over: its dropout drops nothing. What tells a "
        "network that it trains?"
    ),
    "gradients kept": (
        "From the third loss on, your steps are too long: backward() adds to the gradients that are there, and those "
        "of the step before still are. Set them to 0."
    ),
    "softmax twice": (
        "Your probabilities get a softmax once more: cross_entropy expects scores, and takes the softmax itself."
    ),
    "weights not used": (
        "Your loss does not see the weights. Each pixel's own loss is multiplied by its weight, and only then comes "
        "the mean: what does reduction say?"
    ),
}


def _training(
    *left: str,
    loss: Callable[[Any, Any], Any] = lambda losses, weights: (losses * weights).mean(),
    optimizer: Callable[[Any, float], Any] | None = None,
    learn: Callable[[Any, Any], Any] | None = None,
    learned: Callable[[Any, Any], Any] | None = None,
    scored: Callable[[Any, Any], Any] = lambda scores, weights: scores,
    said: Callable[[list[float]], Any] = lambda losses: losses,
) -> Callable[..., Any]:
    """The given code, with the mistakes that are left in it, or with other rules: how the pixels' losses become one,
    what takes the step, in which order, of which loss if it is not the one that is returned, and what is returned."""

    def train(model: Any, images: Any, labels: Any, weights: Any, lr: float, steps: int) -> Any:
        import torch
        from torch.nn.functional import cross_entropy

        model.train("evaluation mode" not in left)
        descent = torch.optim.SGD(model.parameters(), lr=lr) if optimizer is None else optimizer(model.parameters(), lr)
        losses = []
        for _ in range(steps):
            scores = model(images).softmax(dim=1) if "softmax twice" in left else model(images)
            each = cross_entropy(scored(scores, weights), labels, reduction="none")
            value = each.mean() if "weights not used" in left else loss(each, weights)
            if "gradients kept" not in left:
                descent.zero_grad()
            if learn is None:
                (value if learned is None else learned(each, weights)).backward()
                descent.step()
            else:
                learn(value, descent)
            losses.append(value.item())
        return said(losses)

    return train


def _left_over() -> Iterator[tuple[tuple[str, ...], str]]:
    """Each set of mistakes that was not found, and what to say of it."""
    counts = ("Three are found, one is left.", "Two are found, two are left.", "One is found, three are left.")
    for number, count in enumerate(counts, 1):
        for left in itertools.combinations(LEFT_IN_TRAINING, number):
            yield left, " ".join([count, *(LEFT_IN_TRAINING[name] for name in left)])
    yield (
        tuple(LEFT_IN_TRAINING),
        (
            "These are the answers of the code that you were given: all four mistakes are still in it. Begin with the "
            "first loss of the first example: two of them make it too small."
        ),
    )


def _training_cases(rng: np.random.Generator) -> list[Case]:
    from unet_edu.checks.network import Trained

    def case(name: str, K: int, *shape: int) -> Case:
        """Images (N, C, H, W), with K classes in each."""
        N, _, H, W = shape
        labels = np.array([rng.permutation(np.arange(H * W) % K).reshape(H, W) for _ in range(N)])
        weights = np.where(rng.random((N, H, W)) < 0.3, rng.uniform(2, 6, (N, H, W)), 1.0)
        inputs = (
            rng.normal(size=shape),
            labels,
            weights,
            round(float(rng.uniform(0.1, 0.3)), 3),
            int(rng.integers(5, 8)),  # other than in the example
        )
        words = "two convolutions, with a dropout before the last"
        return Case(name, (words, *inputs), probe=Trained(int(rng.integers(1 << 31))))

    def shown(name: str, images: Any, labels: Any, weights: Any, lr: float, steps: int) -> Case:
        words = "a dropout, and a convolution of 1×1 whose weights are 0"
        inputs = np.array(images), np.array(labels), np.array(weights)
        return Case(name, (words, *inputs, lr, steps), group="visible", probe=Trained(None))

    return [
        shown("two pixels", [[[[2, -1]], [[1, -1]]]], [[[0, 1]]], [[[1, 5]]], 0.1, 4),
        shown("the same, all weights 1", [[[[2, -1]], [[1, -1]]]], [[[0, 1]]], [[[1, 1]]], 0.1, 4),
        case("an image of 5×7 with 2 classes", 2, 1, 1, 5, 7),
        case("two images of 6×4 with 3 classes", 3, 2, 2, 6, 4),
        case("three images of 4×5 with 4 classes", 4, 3, 1, 4, 5),
        case("two images of 7×6 with 2 classes", 2, 2, 3, 7, 6),
    ]


REPAIR_TRAINING = Exercise(
    name="repair_training",
    points=2,
    reference=_training(),
    cases=_training_cases,
    forbidden=(
        *("unet_edu.losses.*", "unet_edu.training.*", "unet_edu.runs.*", "unet_edu._running.*"),
        *("lightning.*", "pytorch_lightning.*", "fastai.*", "monai.*"),
    ),
)
for _left, _hint in _left_over():
    REPAIR_TRAINING.mistake(" and ".join(_left), _hint, _training(*_left))
REPAIR_TRAINING.mistake(
    "weights of the whole as one",
    "Your mean loss is multiplied by the mean weight. Each pixel's loss belongs to its own weight: reduction='none' "
    "gives the pixels' losses, one by one.",
    _training(loss=lambda losses, weights: losses.mean() * weights.mean()),
)
REPAIR_TRAINING.mistake(
    "mean by the sum of the weights",
    "Nearly, but the mean is another one: it goes over the pixels, so divide by their number and not by the sum of the "
    "weights. (The `weight` of cross_entropy divides so. It is made for classes, one weight for each.)",
    _training(loss=lambda losses, weights: (losses * weights).sum() / weights.sum()),
)
REPAIR_TRAINING.mistake(
    "sum over the pixels",
    "You add the pixels' losses up. The paper does that, too; but then the learning rate is another one. Here it is "
    "the mean.",
    _training(loss=lambda losses, weights: (losses * weights).sum()),
)
REPAIR_TRAINING.mistake(
    "mean of the images' sums",
    "You add up the pixels of each image, and take the mean over the images. The mean goes over all pixels.",
    _training(loss=lambda losses, weights: (losses * weights).sum() / len(losses)),
)


def _optimizer(name: str, **settings: Any) -> Callable[[Any, float], Any]:
    def make(parameters: Any, lr: float) -> Any:
        import torch

        return getattr(torch.optim, name)(parameters, lr=lr, **settings)

    return make


def _emptied(value: Any, descent: Any) -> None:
    value.backward()
    descent.zero_grad()
    descent.step()


REPAIR_TRAINING.mistake(
    "nothing learned",
    "Your losses stay the same: nothing is learned. Is there a step() in each round? And are the gradients set to 0 "
    "before backward(), not between backward() and step()?",
    _training(learn=_emptied),
)
REPAIR_TRAINING.mistake(
    "Adam",
    "You changed the optimizer. It was no mistake: plain SGD, with the learning rate that is given.",
    _training(optimizer=_optimizer("Adam")),
)
REPAIR_TRAINING.mistake(
    "momentum",
    "You gave the optimizer a momentum. Here it has none: plain SGD, with the learning rate that is given.",
    _training(optimizer=_optimizer("SGD", momentum=0.9)),
)
REPAIR_TRAINING.mistake(
    "the momentum of the paper",
    "You gave the optimizer the momentum of the paper. Here it has none: plain SGD, with the learning rate that is "
    "given.",
    _training(optimizer=_optimizer("SGD", momentum=0.99)),
)
REPAIR_TRAINING.mistake(
    "AdamW",
    "You took AdamW. It trains well, but the optimizer was no mistake. Here it is plain SGD, with the learning rate "
    "that is given.",
    _training(optimizer=_optimizer("AdamW")),
)
REPAIR_TRAINING.mistake(
    "scores times weights",
    "You multiply the scores by the weights. Then the softmax makes other probabilities of them. The weight belongs to "
    "the pixel's loss: reduction='none' gives the losses, one by one.",
    _training(scored=lambda scores, weights: scores * weights[:, None], loss=lambda losses, weights: losses.mean()),
)
REPAIR_TRAINING.mistake(
    "weights in the report alone",
    "Your first loss is right: its pixels are weighted. But backward() starts from a loss without the weights. Start "
    "from the one that you report.",
    _training(learned=lambda losses, weights: losses.mean()),
)
REPAIR_TRAINING.mistake(
    "weights in the steps alone",
    "Your steps are right. But the losses that you return are without the weights: return the one that backward() "
    "starts from.",
    _training(loss=lambda losses, weights: losses.mean(), learned=lambda losses, weights: (losses * weights).mean()),
)


def _with(said: Callable[..., Any] = lambda losses: losses, **settings: Callable[[Any], Any]) -> Callable[..., Any]:
    """The right loop, with other settings, each made of the one that was given; and what is returned of its losses."""

    def train(model: Any, images: Any, labels: Any, weights: Any, lr: float, steps: int) -> Any:
        given = {"lr": lr, "steps": steps}
        return _training(said=said)(
            *(model, images, labels, weights), **{name: settings.get(name, lambda x: x)(x) for name, x in given.items()}
        )

    return train


REPAIR_TRAINING.mistake(
    "losses after the steps",
    "Your losses come one step late: yours is computed after the weights have changed. Asked is the loss before, by "
    "which the step is taken.",
    _with(lambda losses: losses[1:], steps=lambda steps: steps + 1),
)
REPAIR_TRAINING.mistake(
    "one step too many",
    "You took one step too many: range(n) has n numbers, from 0 to n − 1.",
    _with(steps=lambda steps: steps + 1),
)
REPAIR_TRAINING.mistake(
    "only the first step",
    "Only the first step is taken. Does the `return` stand inside the loop? Move it to the left, below the loop.",
    _with(steps=lambda steps: 1),
)
REPAIR_TRAINING.mistake(
    "always four steps",
    "Your loop always takes four steps, as in the example. Take as many as `steps` says.",
    _with(steps=lambda steps: 4),
)
REPAIR_TRAINING.mistake(
    "always the learning rate of the example",
    "Your learning rate is always 0.1, as in the example. Take the one that is given, `lr`.",
    _with(lr=lambda lr: 0.1),
)
REPAIR_TRAINING.mistake(
    "only the last loss",
    "You return the last loss alone. Asked is a list with the loss of every step.",
    _training(said=lambda losses: losses[-1]),
)
REPAIR_TRAINING.mistake(
    "mean of the losses",
    "You return the mean of the losses. Asked is a list with the loss of every step.",
    _training(said=lambda losses: sum(losses) / len(losses)),
)


LESSON = Lesson(
    folder="07_training",
    set_up="""\
import math
import numpy as np
import torch
from scipy.ndimage import distance_transform_edt, map_coordinates
from torch import nn
from unet_edu import check
""",
    exercises=(HE_INIT, WEIGHT_MAP, WEIGHTED_CE, ELASTIC, SGD_STEP, REPAIR_TRAINING),
)
