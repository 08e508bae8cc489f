"""The exercises of lesson 02: what is asked, and which mistakes are known."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unet_edu import convolution
from unet_edu.checks.exercise import Case, Exercise
from unet_edu.convolution import conv2d
from unet_edu.lessons.families import without
from unet_edu.lessons.lesson import Lesson
from unet_edu.lessons.libraries import CONVOLUTIONS

__all__ = ["LESSON"]

Array = NDArray[Any]


# --- conv2d_naive -----------------------------------------------------------------------------------------------------


def _conv2d_naive(x: Array, k: Array) -> Array:
    return conv2d(x, k)


def _plane_cases(rng: np.random.Generator) -> list[Case]:
    x = np.array([[4, 5, 8, 7], [1, 8, 8, 8], [3, 6, 6, 4], [6, 5, 7, 8]])
    k = np.array([[1, 4, 1], [1, 4, 3], [3, 3, 1]])
    steps = np.array([[1, 2, 4], [0, 3, 9]])
    return [
        Case("the image and the kernel of the lesson", (x, k), group="visible"),
        Case("the difference of neighbours", (steps, np.array([[-1, 1]])), group="visible"),
        Case("an image of 5×7 and a kernel of 2×3", (rng.integers(-9, 10, (5, 7)), rng.integers(-9, 10, (2, 3)))),
        Case("an image of 7×5 and a kernel of 3×2, with fractions", (rng.normal(size=(7, 5)), rng.normal(size=(3, 2)))),
        Case("an image of 4×6 and a kernel of 3×3, with fractions", (rng.normal(size=(4, 6)), rng.normal(size=(3, 3)))),
        Case("whole numbers and a kernel of fractions", (rng.integers(0, 9, (4, 5)), rng.normal(size=(2, 2)))),
        Case("fractions and a kernel of one column", (rng.normal(size=(6, 3)), rng.integers(1, 10, (4, 1)))),
        Case("a kernel as large as the image", (rng.normal(size=(3, 4)), rng.normal(size=(3, 4)))),
    ]


def _wrong_sizes(sizes: Callable[[Array, Array], tuple[int, int, int, int]]) -> Callable[..., Array]:
    """The loops of the solution with other H, W, kH, kW. Windows are cut short at the edge; often they do not fit k
    then."""

    def wrong(x: Array, k: Array) -> Array:
        H, W, kH, kW = sizes(x, k)
        y = np.zeros((H - kH + 1, W - kW + 1))
        for i, j in np.ndindex(y.shape):
            y[i, j] = (x[i : i + kH, j : j + kW] * k).sum()
        return y

    return wrong


CONV2D_NAIVE = Exercise(
    name="conv2d_naive",
    points=3,
    reference=_conv2d_naive,
    cases=_plane_cases,
    linear="x",
    forbidden=("unet_edu.*conv*2d*", *CONVOLUTIONS),
)


@CONV2D_NAIVE.mistake("kernel flipped")
def _(x, k):
    """Your kernel is turned upside down and left to right. Lay it on the image as it is: k[0, 0] meets the window's
    upper left pixel. (Mathematics turns it, and calls that convolution; deep learning does not.)"""
    return conv2d(x, k[::-1, ::-1])


@CONV2D_NAIVE.mistake("kernel transposed")
def _(x: Array, k: Array) -> Array:
    """Your kernel's rows and columns are swapped. The weight k[u, v] belongs to the pixel u rows down and v columns to
    the right: x[i + u, j + v]."""
    if k.shape[0] != k.shape[1]:
        raise ValueError("a transposed kernel of another height than width does not fit on the window")
    return conv2d(x, k.T)


@CONV2D_NAIVE.mistake("padded")
def _(x: Array, k: Array) -> Array:
    """You added a ring of zeros around the image. Here the kernel stays inside the image, so the output is smaller: H −
    kH + 1 rows and W − kW + 1 columns."""
    if k.shape[0] % 2 == 0 or k.shape[1] % 2 == 0:
        raise ValueError("a kernel of even size cannot be padded to keep the image's size on both sides alike")
    return conv2d(x, k, padding=(k.shape[0] // 2, k.shape[1] // 2))


@CONV2D_NAIVE.mistake("one window short")
def _(x, k):
    """The last row and the last column of windows are missing. A kernel of 3 fits into 4 pixels at 2 places, 0 and 1:
    that is 4 − 3 + 1."""
    return conv2d(x, k)[:-1, :-1]


@CONV2D_NAIVE.mistake("last windows left at zero")
def _(x: Array, k: Array) -> Array:
    """Your output has the right size, but its last row and column stay zero: the loops stop one step too early.
    range(n) already leaves n out."""
    y = conv2d(x, k)
    y[-1], y[:, -1] = 0, 0
    return y


@CONV2D_NAIVE.mistake("only the first number")
def _(x: Array, k: Array) -> Array:
    """Only the first number of your output is filled. Does the `return` stand inside the inner loop? Move it to the
    left, below both loops."""
    y = np.zeros_like(conv2d(x, k))
    y[0, 0] = conv2d(x, k)[0, 0]
    return y


@CONV2D_NAIVE.mistake("only one window")
def _(x, k):
    """Your function returned the first window's number alone. Store it in y[i, j], and let the `return` stand below
    both loops: `return y`."""
    return conv2d(x, k)[0, 0]


@CONV2D_NAIVE.mistake("only the last window")
def _(x, k):
    """Your function returned the last window's number alone: each window overwrote the one before. Store them all: y[i,
    j] = …, and at the end `return y`."""
    return conv2d(x, k)[-1, -1]


CONV2D_NAIVE.mistake(
    "height and width of the image swapped",
    "The image's height and width are swapped. x.shape is (rows, columns), so it is H, W = x.shape.",
    _wrong_sizes(lambda x, k: (*x.shape[::-1], *k.shape)),
)
CONV2D_NAIVE.mistake(
    "height and width of the kernel swapped",
    "The kernel's height and width are swapped. k.shape is (rows, columns), so it is kH, kW = k.shape.",
    _wrong_sizes(lambda x, k: (*x.shape, *k.shape[::-1])),
)
CONV2D_NAIVE.mistake(
    "height and width of both swapped",
    "Height and width are swapped, the image's and the kernel's. NumPy's shape is (rows, columns): H, W = x.shape and "
    "kH, kW = k.shape.",
    _wrong_sizes(lambda x, k: (*x.shape[::-1], *k.shape[::-1])),
)
CONV2D_NAIVE.mistake(
    "made for kernels of 3×3",
    "Your function is made for kernels of 3×3. Take the size from the kernel, kH, kW = k.shape, for the windows and "
    "for the output.",
    _wrong_sizes(lambda x, k: (*x.shape, 3, 3)),
)


@CONV2D_NAIVE.mistake("rows and columns swapped")
def _(x: Array, k: Array) -> Array:
    """Your output lies on its side: rows and columns are swapped. x.shape is (rows, columns), and y[i, j] belongs to
    the window that starts i rows down and j columns to the right."""
    y = conv2d(x, k)
    if y.shape[0] != y.shape[1]:
        raise ValueError("what comes out depends on how the loops run over the edge")
    return y.T


@CONV2D_NAIVE.mistake("only the last product kept")
def _(x, k):
    """Each output holds only its window's last product, so the others were overwritten. Add them up: += in place of
    =."""
    return x[k.shape[0] - 1 :, k.shape[1] - 1 :] * k[-1, -1]


@CONV2D_NAIVE.mistake("only the first product kept")
def _(x, k):
    """Each output holds only its window's first product, x[i, j] · k[0, 0]. Multiply all the pixels under the kernel
    with their weights, and add the products up. (Does a `return` stand inside a loop?)"""
    return x[: len(x) - k.shape[0] + 1, : x.shape[1] - k.shape[1] + 1] * k[0, 0]


@CONV2D_NAIVE.mistake("matrix product")
def _(x: Array, k: Array) -> Array:
    """It looks as if the window and the kernel met in a matrix product (@ or np.dot). A convolution multiplies number
    by number: window * k."""
    if k.shape[0] != k.shape[1]:
        raise ValueError("the shapes do not match for a matrix product")
    return conv2d(x, np.tile(k.sum(axis=1), (len(k), 1)))  # what (window @ k).sum() comes to


@CONV2D_NAIVE.mistake("mean in place of sum")
def _(x, k):
    """You took the mean of the products. A convolution takes their sum."""
    return conv2d(x, k) / k.size


@CONV2D_NAIVE.mistake("kernel ignored")
def _(x, k):
    """Each output is the plain sum of its window: the kernel's weights were not used. Multiply first, then add."""
    return conv2d(x, np.ones_like(k))


# --- out_size ---------------------------------------------------------------------------------------------------------


def _out_size(i: int, k: int, s: int = 1, p: int = 0, d: int = 1) -> int:
    return convolution.output_size(i, k, s, p, d)


def _size_cases(rng: np.random.Generator) -> list[Case]:
    visible = [
        ("a kernel of 3 on 4 pixels", (4, 3), {}),
        ("the U-Net's first layer", (572, 3), {}),
        ("a padding that keeps the size", (5, 3), {"p": 1}),
        ("every second window", (7, 3), {"s": 2}),
        ("a kernel with gaps", (7, 3), {"d": 2}),
    ]
    # Up to 4200 pixels: whoever counts on an image of zeros is done in a second, too.
    few, many, large, pooled, side = (2 * rng.integers(20, 300, 5)).tolist()
    extra: list[tuple[str, tuple[int, int], dict[str, int]]] = [
        # A part of the last step, less than half of it, and more: rounding up, down and to the nearest differ.
        ("a stride that leaves pixels over", (5 * few + 2, 3), {"s": 5, "p": 1}),
        ("a larger stride that leaves pixels over", (7 * many + 5, 3), {"s": 7, "p": 1}),
        ("the first layer of a ResNet", (large, 7), {"s": 2, "p": 3}),
        ("a kernel as large as the image", (side, side), {}),
        ("max pooling's windows", (pooled, 2), {"s": 2}),
    ]
    names = ["everything at once", *["drawn at random"] * 3, "a padding larger than half of the kernel, gaps included"]
    for name, least in zip(names, (1, 1, 1, 1, 16), strict=True):
        i, k, s, p, d = rng.integers((20, 2, 2, least, 2), (2000, 8, 6, least + 4, 6)).tolist()
        extra.append((name, (d * (k - 1) + i, k), {"s": s, "p": p, "d": d}))
    return [Case(*case, group="visible") for case in visible] + [Case(*case) for case in extra]


OUT_SIZE = Exercise(
    name="out_size",
    points=2,
    reference=_out_size,
    cases=_size_cases,
    whole=True,
    forbidden=(
        "unet_edu.*_size",
        "unet_edu.*conv*2d*",
        "unet_edu.*pool*",
        "torch.*[pP]ool*",
        "torch.*[uU]nfold*",
        *CONVOLUTIONS,
    ),
)


@OUT_SIZE.mistake("rounded up")
def _(i, k, s=1, p=0, d=1):
    """You rounded up. A last window that does not fit entirely is dropped: round down."""
    return -(-(i + 2 * p - d * (k - 1) - 1) // s) + 1


@OUT_SIZE.mistake("rounded to the nearest")
def _(i, k, s=1, p=0, d=1):
    """You rounded to the nearest whole number. A last window that does not fit entirely is dropped, however little is
    missing: round down, with //."""
    return round((i + 2 * p - d * (k - 1) - 1) / s) + 1


@OUT_SIZE.mistake("first window forgotten")
def _(i, k, s=1, p=0, d=1):
    """You counted the steps, not the windows: the window at the very start needs no step. Add 1."""
    return (i + 2 * p - d * (k - 1) - 1) // s


@OUT_SIZE.mistake("one added before dividing")
def _(i, k, s=1, p=0, d=1):
    """The + 1 was divided by the stride, too. Divide first, then add 1 for the first window."""
    return (i + 2 * p - d * (k - 1)) // s


@OUT_SIZE.mistake("padding counted once")
def _(i, k, s=1, p=0, d=1):
    """Padding is put on both sides of the image, so it counts twice: i + 2·p pixels."""
    return (i + p - d * (k - 1) - 1) // s + 1


OUT_SIZE.mistake(
    "padding ignored",
    "The padding p has no effect in your function. It adds p pixels on each of the two sides.",
    without(_out_size, "p"),
)
OUT_SIZE.mistake(
    "the simple case so far",
    "Good so far: this is right for a stride of 1 without padding and dilation. Next: how long is the image with p "
    "more pixels on each end, and how long is the kernel with gaps?",
    without(_out_size, "s", "p", "d"),
)
OUT_SIZE.mistake(
    "padding so far",
    "Good so far: the padding is right. Next: the dilation d. k weights have k − 1 gaps between them, so a kernel of "
    "3 with d = 2 spans 5 pixels.",
    without(_out_size, "s", "d"),
)
OUT_SIZE.mistake(
    "dilation so far",
    "Good so far: the dilation is right. Next: the padding p. It makes the image longer at both ends.",
    without(_out_size, "s", "p"),
)
OUT_SIZE.mistake(
    "stride so far",
    "Good so far: the stride is right. Next: the padding p, which makes the image longer, and the dilation d, which "
    "makes the kernel longer.",
    without(_out_size, "p", "d"),
)
OUT_SIZE.mistake(
    "padding and dilation so far",
    "Good so far: padding and dilation are right. Next: the stride s. With s = 2 only every second window is taken.",
    without(_out_size, "s"),
)
OUT_SIZE.mistake(
    "dilation ignored",
    "The dilation d has no effect in your function. With d = 2 there is a gap of one pixel between the kernel's "
    "weights, so a kernel of 3 spans 5 pixels.",
    without(_out_size, "d"),
)


@OUT_SIZE.mistake("kernel spans d times k")
def _(i, k, s=1, p=0, d=1):
    """You took d·k for the pixels that a kernel with gaps spans. There are gaps only between the weights, k − 1 of
    them: it spans d·(k − 1) + 1."""
    return (i + 2 * p - d * k) // s + 1


@OUT_SIZE.mistake("fraction kept")
def _(i, k, s=1, p=0, d=1):
    """A number of windows has no fraction: part of a window is no window. Round down, with // in place of /."""
    return (i + 2 * p - d * (k - 1) - 1) / s + 1


@OUT_SIZE.mistake("float returned")
def _(i, k, s=1, p=0, d=1):
    """The number is right, but its type is float, and no array can have 3.0 rows. Return an int: // on ints gives
    one."""
    return float((i + 2 * p - d * (k - 1) - 1) // s + 1)


# --- conv2d_multichannel ----------------------------------------------------------------------------------------------


def _conv2d_multichannel(x: Array, w: Array, bias: Array | None = None, stride: Any = 1, padding: int = 0) -> Array:
    return conv2d(x, w, bias, stride=stride, padding=padding)


def _batch_cases(rng: np.random.Generator) -> list[Case]:
    x = np.array([[[[1, 2, 3], [4, 5, 6]], [[0, 1, 0], [2, 0, 2]]]])
    w = np.array([[[[-1, 1]], [[2, 1]]]])

    def case(
        name: str,
        x_shape: Sequence[int],
        w_shape: Sequence[int],
        bias: bool = False,
        *,
        whole: str = "",
        **kwargs: Any,
    ) -> Case:
        """`whole` says which holds whole numbers, x or w: the answer has fractions. Without a bias, None is passed."""
        numbers = None
        if bias:
            numbers = 2 * rng.permutation(w_shape[0]) + rng.uniform(1, 2, w_shape[0])  # never two nearly alike
            numbers[3:] = 0  # with a 0 in it, it is still a bias
        x = rng.integers(-9, 10, x_shape) if whole == "x" else rng.normal(size=x_shape)
        w = rng.integers(-9, 10, w_shape) if whole == "w" else rng.normal(size=w_shape)
        return Case(name, (x, w), {"bias": numbers, **kwargs})

    return [
        Case("two channels become one", (x, w), group="visible"),
        Case("the same, with a bias", (x, w), {"bias": np.array([10])}, group="visible"),
        Case("the same, with padding", (x, w), {"padding": 1}, group="visible"),
        Case("the same, with a stride down", (x, w), {"stride": (2, 1)}, group="visible"),
        case("two images, 3 channels to 4, kernel of 2×3", (2, 3, 5, 7), (4, 3, 2, 3), bias=True),
        case("three channels to three, with a stride of 2", (1, 3, 6, 8), (3, 3, 3, 3), stride=2),
        case("three channels to two, with padding", (2, 3, 6, 5), (2, 3, 3, 2), bias=True, whole="x", padding=2),
        case("a stride of 2 down and 3 across", (1, 2, 8, 11), (3, 2, 3, 2), whole="w", stride=(2, 3)),
        case("a stride of 3 down and 1 across, padded", (3, 1, 7, 2), (2, 1, 3, 3), True, stride=(3, 1), padding=1),
    ]


def _padded_by(margin: Callable[[int], tuple[int, int]], mode: Any = "constant") -> Callable[..., Array]:
    """A convolution of an image that was padded in another way: `margin` says how much before and after."""

    def wrong(x: Array, w: Array, bias: Array | None = None, stride: Any = 1, padding: int = 0) -> Array:
        return conv2d(np.pad(x, ((0, 0), (0, 0), margin(padding), margin(padding)), mode), w, bias, stride=stride)

    return wrong


CONV2D_MULTICHANNEL = Exercise(
    name="conv2d_multichannel",
    points=3,
    reference=_conv2d_multichannel,
    cases=_batch_cases,
    linear="x",
    # But not conv2d_loops, which the text offers.
    forbidden=(
        "unet_edu.*conv2d",
        "unet_edu.*conv2d_grad*",
        "unet_edu.matrix.*",
        "unet_edu.transposed.*",
        *CONVOLUTIONS,
    ),
)


@CONV2D_MULTICHANNEL.mistake("only the first input channel")
def _(x, w, bias=None, **geometry):
    """Your output comes from the first input channel alone. Each output channel sums over all the input channels."""
    return conv2d(x[:, :1], w[:, :1], bias, **geometry)


@CONV2D_MULTICHANNEL.mistake("only the last input channel")
def _(x, w, bias=None, **geometry):
    """Your output holds only what the last input channel gave: each channel overwrote the one before. Sum over the
    input channels: += in place of =."""
    return conv2d(x[:, -1:], w[:, -1:], bias, **geometry)


@CONV2D_MULTICHANNEL.mistake("input channels kept apart")
def _(x: Array, w: Array, bias: Array | None = None, **geometry: Any) -> Array:
    """Your output still has an axis for the input channels. Sum over it: an output channel is one plane, whatever the
    number of input channels."""
    planes = [conv2d(x[:, [c]], w[:, [c]], bias, **geometry) for c in range(x.shape[1])]
    return np.stack(planes, axis=2)


@CONV2D_MULTICHANNEL.mistake("one input channel for each output channel")
def _(x: Array, w: Array, bias: Array | None = None, **geometry: Any) -> Array:
    """Your output channel o sees only the input channel o. Each output channel has a kernel for every input channel,
    w[o, c], and sums over all of them."""
    planes = [conv2d(x[:, [o]], w[[o]][:, [o]], **geometry) for o in range(len(w))]
    return np.concatenate(planes, axis=1) + (0 if bias is None else np.reshape(bias, (-1, 1, 1)))


@CONV2D_MULTICHANNEL.mistake("channels averaged")
def _(x, w, bias=None, **geometry):
    """You averaged over the input channels. A convolution sums over them."""
    return conv2d(x, w / x.shape[1], bias, **geometry)


@CONV2D_MULTICHANNEL.mistake("same kernel for every output channel")
def _(x, w, bias=None, **geometry):
    """All your output channels used the first kernels, w[0]. Output channel o uses w[o]."""
    return conv2d(x, w[[0] * len(w)], bias, **geometry)


@CONV2D_MULTICHANNEL.mistake("input and output channels of w swapped")
def _(x, w, bias=None, **geometry):
    """The first two axes of w are swapped. w[o, c] is the kernel from input channel c to output channel o."""
    return conv2d(x, w.swapaxes(0, 1), bias, **geometry)


@CONV2D_MULTICHANNEL.mistake("bias added for every input channel")
def _(x, w, bias=None, **geometry):
    """The bias was added once for each input channel. Add it once to each output channel, after the sum."""
    return conv2d(x, w, None if bias is None else bias * x.shape[1], **geometry)


@CONV2D_MULTICHANNEL.mistake("bias added along the columns")
def _(x, w, bias=None, **geometry):
    """The bias was added along the columns: NumPy lays a row of numbers along the last axis. Each number of the bias
    belongs to one output channel: give it the shape (C_out, 1, 1) first."""
    return conv2d(x, w, **geometry) + (0 if bias is None else bias)


CONV2D_MULTICHANNEL.mistake(
    "bias forgotten",
    "The bias has no effect in your function. Add bias[o] to every pixel of output channel o.",
    without(_conv2d_multichannel, "bias"),
)


@CONV2D_MULTICHANNEL.mistake("stride pair swapped")
def _(x, w, bias=None, stride=1, padding=0):
    """The two strides are swapped. stride = (2, 3) steps 2 rows down and 3 columns to the right."""
    return conv2d(x, w, bias, stride=stride if np.ndim(stride) == 0 else stride[::-1], padding=padding)


CONV2D_MULTICHANNEL.mistake(
    "channels so far",
    "Good so far: the channels are right. Next: the bias. Add bias[o] to every pixel of output channel o, unless bias "
    "is None.",
    without(_conv2d_multichannel, "bias", "stride", "padding"),
)
CONV2D_MULTICHANNEL.mistake(
    "channels and bias so far",
    "Good so far: channels and bias are right. Next: the padding. Make a larger x at the beginning, with that many "
    "rows and columns of zeros on each side.",
    without(_conv2d_multichannel, "stride", "padding"),
)
CONV2D_MULTICHANNEL.mistake(
    "channels and padding so far",
    "Good so far: channels and padding are right. Next: the bias, one number for each output channel, and the stride.",
    without(_conv2d_multichannel, "bias", "stride"),
)
CONV2D_MULTICHANNEL.mistake(
    "channels and stride so far",
    "Good so far: channels and stride are right. Next: the bias, one number for each output channel, and the padding.",
    without(_conv2d_multichannel, "bias", "padding"),
)
CONV2D_MULTICHANNEL.mistake(
    "channels, bias and padding so far",
    "Good so far: channels, bias and padding are right. Next: the stride. Output [i, j] comes from the window that "
    "starts at row i · stride and column j · stride; the two strides may differ.",
    without(_conv2d_multichannel, "stride"),
)
CONV2D_MULTICHANNEL.mistake(
    "padding ignored",
    "The padding has no effect in your function. Put that many rows and columns of zeros on each side of the image.",
    without(_conv2d_multichannel, "padding"),
)
CONV2D_MULTICHANNEL.mistake(
    "padding only above and left",
    "The padding is only above and to the left. It goes on all four sides.",
    _padded_by(lambda p: (p, 0)),
)
CONV2D_MULTICHANNEL.mistake(
    "padding only below and right",
    "The padding is only below and to the right. It goes on all four sides.",
    _padded_by(lambda p: (0, p)),
)
CONV2D_MULTICHANNEL.mistake(
    "padding repeats the border",
    "You padded with copies of the border's pixels. Here padding means zeros.",
    _padded_by(lambda p: (p, p), mode="edge"),
)


@CONV2D_MULTICHANNEL.mistake("padding on every axis")
def _(x: Array, w: Array, bias: Array | None = None, stride: Any = 1, padding: int = 0) -> Array:
    """np.pad(x, padding) pads all four axes, so there are more images and more channels than before. Give it a pair for
    each axis: (0, 0) for the batch and the channels."""
    return conv2d(np.pad(x, padding)[:, : x.shape[1]], w, bias, stride=stride)


@CONV2D_MULTICHANNEL.mistake("output padded")
def _(x: Array, w: Array, bias: Array | None = None, stride: Any = 1, padding: int = 0) -> Array:
    """The zeros are around your output. Pad the image first, then lay the kernel on it."""
    y = conv2d(x, w, bias, stride=stride)
    return np.pad(y, ((0, 0), (0, 0), (padding, padding), (padding, padding)))


@CONV2D_MULTICHANNEL.mistake("kernels flipped")
def _(x, w, bias=None, **geometry):
    """Your kernels are turned upside down and left to right. Lay them on the image as they are: w[o, c, 0, 0] meets the
    window's upper left pixel."""
    return conv2d(x, w[..., ::-1, ::-1], bias, **geometry)


# --- receptive_field --------------------------------------------------------------------------------------------------


def _receptive_field(layers: Sequence[tuple[int, int]]) -> list[int]:
    return [convolution.receptive_field(layers[: n + 1]).size for n in range(len(layers))]


def _layer_cases(rng: np.random.Generator) -> list[Case]:
    kernels = iter(rng.integers(2, 16, 20).tolist())
    # On each level two convolutions and a pooling.
    levels = [layer for _ in range(5) for layer in ((next(kernels), 1), (next(kernels), 1), (2, 2))]
    extra = {
        "the contracting path of a network like a U-Net": levels[:-1],
        "three convolutions of stride 2": [(next(kernels), 2), (next(kernels), 2), (next(kernels), 2)],
        # Not every kernel of 2 is a pooling, and a kernel of 1 may have a stride.
        "a stride of 3": [(next(kernels), 3), (2, 1), (next(kernels), 1)],
        "a kernel of one pixel": [(1, 1), (next(kernels), 2), (next(kernels), 2), (1, 2), (next(kernels), 1)],
    }
    for n in (4, 6):
        extra[f"{n} layers drawn at random"] = [(int(k), int(s)) for k, s in rng.integers((2, 1), (9, 4), (n, 2))]
    return [
        Case("two convolutions of 3×3", ([(3, 1), (3, 1)],), group="visible"),
        Case("a pooling, then a convolution", ([(2, 2), (3, 1)],), group="visible"),
        *(Case(name, (layers,)) for name, layers in extra.items()),
    ]


def _by_rule(step: Callable[[int, int, int, int], tuple[int, int]], start: int = 1) -> Callable[..., list[int]]:
    """A receptive field by a wrong rule: `step` takes the size and jump so far, k and s, and gives the next size and
    jump."""

    def wrong(layers: Sequence[tuple[int, int]]) -> list[int]:
        size, jump, sizes = start, 1, []
        for k, s in layers:
            size, jump = step(size, jump, k, s)
            sizes.append(size)
        return sizes

    return wrong


RECEPTIVE_FIELD = Exercise(
    name="receptive_field",
    points=2,
    reference=_receptive_field,
    cases=_layer_cases,
    whole=True,
    forbidden=("unet_edu.convolution.receptive_field", "unet_edu.unet.*", "unet_edu.sizes.*"),
)
RECEPTIVE_FIELD.mistake(
    "strides ignored",
    "Your sizes grow by k − 1 in every layer. After a stride of 2, neighbouring pixels lie 2 input pixels apart: "
    "multiply k − 1 by the product of the strides so far.",
    _by_rule(lambda r, j, k, s: (r + k - 1, j)),
)
RECEPTIVE_FIELD.mistake(
    "own stride used too early",
    "A layer's own stride was used on its own kernel. It matters only for the layers that follow: first grow the "
    "size, then multiply the jump by s.",
    _by_rule(lambda r, j, k, s: (r + (k - 1) * j * s, j * s)),
)
RECEPTIVE_FIELD.mistake(
    "only the last stride",
    "Your function remembers only the stride of the layer before. Strides multiply: after two layers of stride 2, "
    "neighbours lie 4 input pixels apart.",
    _by_rule(lambda r, j, k, s: (r + (k - 1) * j, s)),
)
RECEPTIVE_FIELD.mistake(
    "strides added",
    "You added the stride to the jump. Strides multiply: after two layers of stride 1 the jump is still 1, and after "
    "two of stride 3 it is 9.",
    _by_rule(lambda r, j, k, s: (r + (k - 1) * j, j + s)),
)
RECEPTIVE_FIELD.mistake(
    "kernel size and stride swapped",
    "Kernel size and stride are swapped. Each pair is (kernel size, stride), in this order.",
    _by_rule(lambda r, j, k, s: (r + (s - 1) * j, j * k)),
)
RECEPTIVE_FIELD.mistake(
    "rule of the way back",
    "r = (r − 1) · s + k is the rule for walking from the last layer back to the first. On the way forward, keep the "
    "jump beside the size.",
    _by_rule(lambda r, j, k, s: ((r - 1) * s + k, j)),
)
RECEPTIVE_FIELD.mistake(
    "sizes multiplied",
    "You multiplied the kernel sizes. Two convolutions of 3×3 see 5×5 pixels, not 9×9: their windows overlap.",
    _by_rule(lambda r, j, k, s: (r * k, j)),
)
RECEPTIVE_FIELD.mistake(
    "sizes added",
    "You added the kernel sizes. The windows overlap, so a kernel of k adds only k − 1 steps to what was seen before.",
    _by_rule(lambda r, j, k, s: (r + k, j), start=0),
)
RECEPTIVE_FIELD.mistake(
    "started from 0",
    "All your sizes are 1 too small. Before any layer, a pixel sees itself: start from 1.",
    _by_rule(lambda r, j, k, s: (r + (k - 1) * j, j * s), start=0),
)


@RECEPTIVE_FIELD.mistake("only the last size")
def _(layers):
    """You returned the last size alone. Return a list: the size after each layer."""
    return _receptive_field(layers)[-1]


@RECEPTIVE_FIELD.mistake("size before each layer")
def _(layers):
    """Your list is late by one layer: it holds the size before each layer. Grow the size first, then put it on the
    list."""
    return [1, *_receptive_field(layers)][:-1]


@RECEPTIVE_FIELD.mistake("the input listed too")
def _(layers):
    """Your list starts with the 1 of the input itself. It should have one size for each layer."""
    return [1, *_receptive_field(layers)]


# --- conv2d_panorama --------------------------------------------------------------------------------------------------


def _conv2d_panorama(x: Array, k: Array) -> Array:
    a, b = k.shape[0] // 2, k.shape[1] // 2
    around = np.pad(x, ((0, 0), (b, b)), mode="wrap")
    return conv2d(around, k, padding=(a, 0))


def _panorama_cases(rng: np.random.Generator) -> list[Case]:
    x = np.array([[1, 0, 2, 4], [3, 5, 0, 1]])
    k = np.array([[0, 1, 0], [2, 0, -1], [0, 3, 0]])

    def case(name: str, x_shape: tuple[int, int], k_shape: tuple[int, int], *, whole: bool = False) -> Case:
        if whole:
            return Case(name, (rng.integers(-9, 10, x_shape), rng.integers(-9, 10, k_shape)))
        return Case(name, (rng.normal(size=x_shape), rng.normal(size=k_shape)))

    return [
        Case("each neighbour on the left", (np.array([[5, 1, 2, 8]]), np.array([[1, 0, 0]])), group="visible"),
        Case("a panorama of 2×4 and a kernel of 3×3", (x, k), group="visible"),
        case("a panorama of 3×6 and a kernel of 3×3", (3, 6), (3, 3), whole=True),
        case("a panorama of 5×7 and a kernel of 3×5", (5, 7), (3, 5)),
        case("a panorama of 7×4 and a kernel of 5×3", (7, 4), (5, 3)),
        case("a panorama of 4×4 and a kernel of 3×3", (4, 4), (3, 3)),
        case("a kernel of one row", (4, 6), (1, 5)),
        case("a kernel of one column", (5, 4), (5, 1)),
        case("a kernel as wide as the panorama", (4, 5), (3, 5)),
        case("a kernel higher than the panorama", (2, 6), (5, 3), whole=True),
    ]


Margins = tuple[int, int]  # rows or columns before and after


def _continued(columns: Any = "wrap", rows: Any = "constant") -> Callable[..., Array]:
    """A convolution of an image that was continued in another way; "" leaves it as it is."""

    def wrong(x: Array, k: Array) -> Array:
        for axis, mode in ((1, columns), (0, rows)):
            if mode:
                margins = [(0, 0), (0, 0)]
                margins[axis] = (k.shape[axis] // 2, k.shape[axis] // 2)
                x = np.pad(x, margins, mode=mode)
        return conv2d(x, k)

    return wrong


def _shifted(rows: Callable[[int], Margins], columns: Callable[[int], Margins]) -> Callable[..., Array]:
    """The right borders with other margins: each says for the size of the kernel's side how much before and after."""

    def wrong(x: Array, k: Array) -> Array:
        around = np.pad(x, ((0, 0), columns(k.shape[1])), mode="wrap")
        return conv2d(np.pad(around, (rows(k.shape[0]), (0, 0))), k)

    return wrong


def _one_sided(right: Any, left: Any = "wrap", row: Any = "constant") -> Callable[..., Array]:
    """The right margins, of which each of the left, the right and the upper one is continued in its own way."""

    def wrong(x: Array, k: Array) -> Array:
        a, b = k.shape[0] // 2, k.shape[1] // 2
        sides = [np.pad(x, ((0, 0), (b, b)), mode=mode) for mode in (left, right)]
        x = np.concatenate([sides[0][:, : b + 1], sides[1][:, b + 1 :]], axis=1)
        return conv2d(np.pad(np.pad(x, ((a, 0), (0, 0)), mode=row), ((0, a), (0, 0))), k)

    return wrong


def _half(size: int) -> Margins:
    return size // 2, size // 2


CONV2D_PANORAMA = Exercise(
    name="conv2d_panorama",
    points=2,
    reference=_conv2d_panorama,
    cases=_panorama_cases,
    linear="x",
    forbidden=(  # but not conv2d_loops, which the text offers
        "unet_edu.*conv2d",
        "unet_edu.*conv2d_grad*",
        "unet_edu.matrix.*",
        "unet_edu.transposed.*",
        *CONVOLUTIONS,
    ),
)
CONV2D_PANORAMA.mistake(
    "nothing outside",
    "You laid the kernel only where it fits, so your output is smaller than the image. Here each pixel is a middle: "
    "continue the image first, on all four sides.",
    _continued("", ""),
)
CONV2D_PANORAMA.mistake(
    "rows so far",
    "Good so far: above and below there are zeros. Next: left and right. There the panorama goes on with the columns "
    "of its other end.",
    _continued("", "constant"),
)
CONV2D_PANORAMA.mistake(
    "columns so far",
    "Good so far: left and right the panorama goes on with its other end. Next: above and below. There it has no "
    "neighbours: zeros.",
    _continued("wrap", ""),
)
CONV2D_PANORAMA.mistake(
    "zeros all around",
    "You put zeros on all four sides, as a network does with a photograph. But left of the first column of a panorama "
    "stands its last one.",
    _continued("constant", "constant"),
)
CONV2D_PANORAMA.mistake(
    "goes on in all directions",
    "Your panorama goes on above and below, too: the sky meets the ground. Only left and right are neighbours; above "
    "and below there are zeros.",
    _continued("wrap", "wrap"),
)
CONV2D_PANORAMA.mistake(
    "sides exchanged",
    "The sides are exchanged: your image goes on above and below, and has zeros left and right. x[i, j] is row i and "
    "column j, and it is the columns that go around.",
    _continued("constant", "wrap"),
)
for _name, _mode, _done in (
    ("edge repeated", "edge", "repeated the column at the edge"),
    ("mirrored", "reflect", "mirrored the image at its edge"),
    ("mirrored with the edge", "symmetric", "mirrored the image, the column at the edge included"),
):
    CONV2D_PANORAMA.mistake(
        _name,
        f"Left and right you {_done}. A panorama goes on there with the columns of its other end.",
        _continued(_mode, "constant"),
    )


@CONV2D_PANORAMA.mistake("columns of the same end")
def _(x: Array, k: Array) -> Array:
    """Your columns were put on at the wrong end: on the left you put the first columns once more, and on the right the
    last ones. Left of the first column stands the last one."""
    b = k.shape[1] // 2
    return conv2d(np.concatenate([x[:, :b], x, x[:, x.shape[1] - b :]], axis=1), k, padding=(k.shape[0] // 2, 0))


@CONV2D_PANORAMA.mistake("columns of the other end turned round")
def _(x: Array, k: Array) -> Array:
    """You put the columns of the other end beside the image, but in the wrong order. Walk to the left over the edge:
    you meet the last column first, then the last but one."""
    b = k.shape[1] // 2
    left, right = x[:, ::-1][:, :b], x[:, :b][:, ::-1]
    return conv2d(np.concatenate([left, x, right], axis=1), k, padding=(k.shape[0] // 2, 0))


CONV2D_PANORAMA.mistake(
    "rows repeated",
    "Above and below you repeated the row at the edge. There the panorama has no neighbours: zeros.",
    _continued("wrap", "edge"),
)
CONV2D_PANORAMA.mistake(
    "first row meets the last",
    "Above the first row you meet the last one: x[−1] is the last row in Python, and no error. Above a panorama there "
    "are zeros.",
    _one_sided("wrap", row="wrap"),
)
CONV2D_PANORAMA.mistake(
    "goes around on the left alone",
    "Your panorama goes on over its left edge, where x[:, −1] happens to be the last column, and not over its right "
    "edge. Which column stands right of the last one?",
    _one_sided("constant"),
)
CONV2D_PANORAMA.mistake(
    "goes around on the right alone",
    "Your panorama goes on over its right edge, and not over its left one. Which column stands left of the first?",
    _one_sided("wrap", left="constant"),
)
CONV2D_PANORAMA.mistake(
    "only on the right",
    "Your panorama goes on only over its right edge, and your windows begin at their pixel. The kernel's middle lies "
    "on the pixel, so half of a window lies left of it, and half above.",
    _shifted(lambda n: (0, n - 1), lambda n: (0, n - 1)),
)
CONV2D_PANORAMA.mistake(
    "window begins at its column",
    "Along the rows your windows begin at their pixel. The kernel's middle lies on the pixel: half of the window's "
    "columns lie left of it.",
    _shifted(_half, lambda n: (0, n - 1)),
)
CONV2D_PANORAMA.mistake(
    "window ends at its column",
    "Along the rows your windows end at their pixel. The kernel's middle lies on the pixel: half of the window's "
    "columns lie right of it.",
    _shifted(_half, lambda n: (n - 1, 0)),
)
CONV2D_PANORAMA.mistake(
    "window begins at its row",
    "Your windows begin at the row of their pixel. The kernel's middle lies on the pixel: half of the window's rows "
    "lie above it.",
    _shifted(lambda n: (0, n - 1), _half),
)
CONV2D_PANORAMA.mistake(
    "always one pixel wider",
    "You continue the image by one pixel, which fits a kernel of 3×3. How far does a kernel of 5 reach to the left of "
    "its middle? Take that from k.shape, for each side.",
    _shifted(lambda n: (1, 1), lambda n: (1, 1)),
)


@CONV2D_PANORAMA.mistake("margins exchanged")
def _(x: Array, k: Array) -> Array:
    """The margins are exchanged: how many rows are put on follows from the kernel's rows, k.shape[0], and how many
    columns from its columns, k.shape[1]."""
    a, b = k.shape[1] // 2, k.shape[0] // 2
    return conv2d(np.pad(x, ((0, 0), (b, b)), mode="wrap"), k, padding=(a, 0))


@CONV2D_PANORAMA.mistake("the last 0 columns")
def _(x: Array, k: Array) -> Array:
    """Right but for a kernel of one column, where nothing is put on. There x[:, -0:] is the whole image, because −0 is
    0. Say from the left where the last b columns begin: x[:, W - b:]."""
    a, b = (n // 2 for n in k.shape)
    return conv2d(np.concatenate([x[:, -b:], x, x[:, :b]], axis=1), k, padding=(a, 0))


@CONV2D_PANORAMA.mistake("output continued")
def _(x: Array, k: Array) -> Array:
    """You convolved first, and continued what came out. Continue the image, then lay the kernel on it: the numbers at
    the edge come from pixels of both ends."""
    (a, b), y = (n // 2 for n in k.shape), conv2d(x, k)
    return np.pad(np.pad(y, ((0, 0), (b, b)), mode="wrap"), ((a, a), (0, 0)))


@CONV2D_PANORAMA.mistake("kernel flipped")
def _(x, k):
    """The borders are right, but your kernel is turned upside down and left to right. Lay it on the image as it is:
    k[0, 0] meets the upper left pixel of the window."""
    return _conv2d_panorama(x, k[::-1, ::-1])


LESSON = Lesson(
    folder="02_convolution",
    set_up="""\
import numpy as np
from unet_edu import check
from unet_edu.convolution import conv2d_grad_input, conv2d_loops
""",
    exercises=(CONV2D_NAIVE, OUT_SIZE, CONV2D_MULTICHANNEL, RECEPTIVE_FIELD, CONV2D_PANORAMA),
)
