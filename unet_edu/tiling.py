"""Images of any size, tile by tile: the paper's overlap-tile strategy. Lesson 08.

A network of valid convolutions loses a border: of 572 pixels a side 388 are left, 92 fewer at each end. So the pixels
that are wanted stand in the middle of a larger square that the network reads. Squares that are read overlap, squares
that are kept do not. Where a square reaches beyond the image, the image is mirrored.

    ┌─────────────── side ───────────────┐   read by the network (blue in the paper's figure 2)
    │ margin ┌────── step ──────┐ margin │
    │        │  kept (yellow)   │        │
    │        └──────────────────┘        │
    └────────────────────────────────────┘

**The phase rule.** Four poolings cut the image into windows of 2⁴ = 16 pixels, counted from where the network begins to
read. Tiles that do not begin a multiple of 16 apart cut the same pixels into other windows, and give other answers. So
the step is a multiple of 2^depth. Then the tiles together are the answer that the network gives for the whole mirrored
image at once, up to rounding.

With padding "same" the network adds zeros around each tile, and pixels near its border see them. There the margin is as
wide as a pixel can see, so that no pixel that is kept has seen a zero.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.func import functional_call
from tqdm.auto import tqdm

from unet_edu._arguments import Size, pair, whole
from unet_edu._running.devices import autocast, channels_last
from unet_edu.sizes import layer_table, legal_side
from unet_edu.unet import UNet

__all__ = ["Tiling", "default_tile", "in_tiles", "mirrored", "predict", "tiling"]

SIDES = (2048, 1536, 1024, 768, 512, 384, 256)  # of tiles to choose from; below 256 a deep network reads mostly margin
BUDGET = 2**30  # bytes for the answers of all layers at once, on a CPU


class Tiling(NamedTuple):
    """One side of an image, cut into tiles.

    Each keeps `step` pixels from its start on, and the last one all that are left.

    Parameters
    ----------
    starts : range
        The first pixel that each tile keeps.
    step : int
        From one tile to the next: a multiple of 2^depth.
    margin : int
        Pixels that are read before the first one that is kept.
    side : int
        Pixels that are read: a legal side for the network.
    border : int
        Pixels that the network itself loses at each end; 0 with padding "same".
    """

    starts: range
    step: int
    margin: int
    side: int
    border: int


def predict(
    model: UNet,
    image: Any,
    *,
    tile: Size | None = None,
    overlap: int | None = None,
    batch_size: int = 1,
    device: str | torch.device | None = None,
    precision: str = "auto",
    out: Any = None,
    progress: bool = False,
) -> Any:
    """The probability of each class at each pixel of an image of any size.

    The answer does not depend on the tile: it is that of the whole image at once, mirrored at its borders, up to
    rounding. Memory is needed for one batch of tiles, however large the image is. Image and answer are read and written
    in slices only, so both may lie on the disk.

    Parameters
    ----------
    model : UNet
        Is left as it was, and works in evaluation mode meanwhile. Batch normalisation is then a fixed scale and shift.
        (Layers that normalise by the image they see, such as instance normalisation, would make seams: each tile has
        its own mean.)
    image : (H, W) or (C, H, W) array, or whatever has `shape`, `dtype` and slices, such as a `numpy.memmap` or a zarr
    array
        Floats are taken as they are; the networks of this course learn on 0 to 1. Booleans become 0 and 1, and unsigned
        integers are divided by the largest number of their type: uint8 by 255, uint16 by 65535. A camera of 12 bits
        fills uint16 to 4095 only: divide such an image yourself, as in training.
    tile : int or (rows, columns), optional
        The largest square, in pixels, that the network reads at once; a legal size, as `model.output_size` says.
        Smaller ones are used where they suffice. Left out: `default_tile`.
    overlap : int, optional
        Pixels that are read around those that are kept; rounded up so that the phase stays. Left out: as many as it
        takes to be exact. With padding "valid" that is the border that the network loses, 92 for four poolings; with
        "same" as far as pixels see, rounded up 96. With "same" fewer are allowed, and faster; then the pixels near a
        seam have seen zeros in place of the image, and are an approximation.
    batch_size : int
        Tiles at once. One large tile costs less than several small ones, so first choose a larger tile.
    device : str or torch.device, optional
        Where to compute; left out: where the model is.
    precision : {"auto", "float32", "bfloat16"}
        "bfloat16" is mixed precision: convolutions with 16 bits, which takes half the memory and leaves about two
        digits. "auto" takes it where the hardware is made for it. "float32" computes with the weights as they are, also
        where they are float64.
    out : array, optional
        Where to write: floats of shape (num_classes, H, W) take the probabilities, integers of shape (H, W) the number
        of the likeliest class. If you interrupt, it holds what was done.
    progress : bool
        Whether to show a bar.

    Returns
    -------
    float32 array (num_classes, H, W), or `out`

    Raises
    ------
    TypeError
        When `image` or `out` is no array of suitable numbers.
    ValueError
        When a shape does not fit the network, the tile is not legal or too small, or the image holds NaN or infinity.

    References
    ----------
    Ronneberger, Fischer and Brox (2015), figure 2 and section 2, last paragraph. Lesson 08, exercise `predict_tiled`.

    Examples
    --------
    >>> model = UNet(widths=(4, 8, 16))
    >>> predict(model, np.zeros((50, 70)), tile=76).shape
    (2, 50, 70)
    """
    (H, W), read = _reader(model, image)
    device = torch.device(device) if device is not None else next(model.parameters()).device
    batch_size = whole("batch_size", batch_size, 1)
    tile = default_tile(model, batch_size, device, overlap) if tile is None else tile
    rows, columns = tiling(model, (H, W), tile, overlap)
    classes = model.config["num_classes"]
    if out is None:
        out = np.empty((classes, H, W), np.float32)
    wants_classes = _expect_out(out, classes, H, W)
    places, number = itertools.product(rows.starts, columns.starts), len(rows.starts) * len(columns.starts)
    bar = tqdm(total=number, unit="tile", disable=not progress)
    with _in_evaluation(model, device, precision) as network, bar:
        while batch := list(itertools.islice(places, batch_size)):
            scores = network(np.stack([read(_seen(rows, top, H), _seen(columns, left, W)) for top, left in batch]))
            answers = scores.argmax(dim=1, keepdim=True) if wants_classes else scores.softmax(dim=1)
            for (top, left), answer in zip(batch, answers.cpu().numpy(), strict=True):
                bottom, right = _end(rows, top, H), _end(columns, left, W)
                first, start = rows.margin - rows.border, columns.margin - columns.border
                kept = answer[:, first : first + bottom - top, start : start + right - left]
                if wants_classes:
                    out[top:bottom, left:right] = kept[0]
                else:
                    out[:, top:bottom, left:right] = kept
            bar.update(len(batch))
    return out


def in_tiles(model: UNet, image: Any, tile: int, step: int) -> NDArray[np.float32]:
    """The probability of each class, from tiles that lie any step apart: to see what a wrong step does.

    Off the phase, or with a margin that is too narrow, this is not the answer for the whole image. `predict` chooses a
    step that is right.

    Parameters
    ----------
    model : UNet
    image : (H, W) or (C, H, W) array
        As for `predict`.
    tile : int
        The side of the square that the network reads; a legal size.
    step : int
        From one tile to the next, and how many pixels are kept. With padding "valid" the margin is the border that the
        network loses. With "same" it is what the step leaves of the tile, half at each end, in whole windows.

    Returns
    -------
    float32 array (num_classes, H, W)

    Raises
    ------
    ValueError
        When the tile is not legal, or the step is so wide that pixels would get no answer.

    References
    ----------
    Lesson 08.

    Examples
    --------
    >>> in_tiles(UNet(widths=(4, 8, 16)), np.zeros((50, 70)), tile=76, step=33).shape
    (2, 50, 70)
    """
    (H, W), read = _reader(model, image)
    model.output_size(tile)  # raises when it is not legal
    phase = 2**model.depth
    border = 6 * phase - 4 if model.config["padding"] == "valid" else 0
    if not 0 < step <= tile - 2 * border:
        raise ValueError(f"step: expected 1 to {tile - 2 * border}, what a tile of {tile} answers, got {step}")
    margin = border or (tile - step) // 2 // phase * phase
    rows, columns = (Tiling(range(0, length, step), step, margin, tile, border) for length in (H, W))
    out = np.empty((model.config["num_classes"], H, W), np.float32)
    first = margin - border
    with _in_evaluation(model, next(model.parameters()).device, "float32") as network:
        for top, left in itertools.product(rows.starts, columns.starts):
            answer = network(read(_seen(rows, top, H), _seen(columns, left, W))[None]).softmax(dim=1)[0]
            bottom, right = _end(rows, top, H), _end(columns, left, W)
            kept = answer[:, first : first + bottom - top, first : first + right - left]
            out[:, top:bottom, left:right] = kept.cpu().numpy()
    return out


def tiling(model: UNet, size: Size, tile: Size, overlap: int | None = None) -> tuple[Tiling, Tiling]:
    """How `predict` cuts the rows and the columns of an image into tiles.

    Parameters
    ----------
    model : UNet
    size : int or (H, W)
        Of the image.
    tile : int or (rows, columns)
        The largest to be read. As many tiles are taken as it demands, and then the smallest that do it with so many.
    overlap : int, optional
        As for `predict`.

    Returns
    -------
    (Tiling, Tiling)
        Of the rows and of the columns.

    Raises
    ------
    ValueError
        When the tile is not legal, or so small that nothing is kept, or the overlap is smaller than the border that the
        network loses.

    Examples
    --------
    >>> rows, _ = tiling(UNet(widths=(4, 8, 16, 32, 64)), 1000, tile=572)
    >>> rows.step, rows.margin, list(rows.starts)  # 388 pixels come out, and 384 is the largest step on the phase
    (336, 92, [0, 336, 672])
    """
    phase, padding = 2**model.depth, model.config["padding"]
    margin, border = _margin(model, overlap)
    axes = []
    for length, largest in zip(pair("size", size, 1), pair("tile", tile, 1), strict=True):
        model.output_size(largest)  # raises when it is not legal, and names the nearest that are
        kept = largest - 2 * margin
        step = kept // phase * phase
        if step < phase:
            smallest = legal_side(phase + 2 * margin, model.depth, padding)
            raise ValueError(
                f"tile: expected at least {smallest}, because {margin} pixels at each end are margin and the smallest "
                f"step is {phase}, got {largest}"
            )
        number = 1 + max(0, -(-(length - kept) // step))  # the last tile may keep more than a step
        step = min(step, -(-length // (number * phase)) * phase)
        side = legal_side(step + 2 * margin, model.depth, padding)
        axes.append(Tiling(range(0, number * step, step), step, margin, side, border))
    rows, columns = axes
    return rows, columns


def _margin(model: UNet, overlap: int | None) -> tuple[int, int]:
    """How many pixels are read around those that are kept, and how many of these the network itself loses."""
    phase = 2**model.depth
    if model.config["padding"] == "valid":
        border = 6 * phase - 4  # 92 for four poolings: two pixels for each pair of convolutions, counted at their level
        # bilinear interpolation has no neighbour at the border of a tile; that reaches 2^depth − 1 pixels into the
        # answer
        exact = border + (phase if model.config["upsample"] == "bilinear" else 0)
    else:
        border, exact = 0, _reach(model)
    margin = exact if overlap is None else whole("overlap", overlap, 0)
    if margin < border:
        raise ValueError(f"overlap: expected at least {border}, the border that this network loses, got {margin}")
    return border + -(-(margin - border) // phase) * phase, border


def _reach(model: UNet) -> int:
    """How many pixels beyond a window of 2^depth pixels its pixels see, at each end: 94 for four poolings.

    Lesson 06's receptive field is about one pixel. Kept pixels come in whole windows, so less is enough for all of them
    than for the one that sees farthest, wherever it may lie.
    """
    pixels = 0
    blurred = 1 if model.config["upsample"] == "bilinear" else 0  # which looks at one neighbour
    for _ in range(model.depth):  # backwards along the expanding path: two convolutions, the step up
        pixels = -(-(pixels + 2 + blurred) // 2)
    pixels += 2  # the bottom
    for _ in range(model.depth):  # the pooling, two convolutions
        pixels = 2 * pixels + 2
    return pixels


def default_tile(
    model: UNet, batch_size: int = 1, device: str | torch.device = "cpu", overlap: int | None = None
) -> tuple[int, int]:
    """The tile that `predict` takes when it is given none.

    The larger the tile, the less of the work goes into margins, and the more memory it takes. So this is the largest of
    some sides between 256 and 2048 for which the answers of all layers, for one batch, take no more than 1 GiB; on a
    CUDA device, no more than a quarter of the memory that is free. (In truth not all answers are needed at once.) If
    all are too large it is the smallest, and at least half of each side is kept.

    Parameters
    ----------
    model : UNet
    batch_size : int
    device : str or torch.device
    overlap : int, optional
        As for `predict`.

    Returns
    -------
    (rows, columns)
    """
    device = torch.device(device)
    budget = torch.cuda.mem_get_info(device)[0] // 4 if device.type == "cuda" else BUDGET
    margin, _ = _margin(model, overlap)
    for least in SIDES:
        # half of each side is kept, at the least
        side = legal_side(max(least, 4 * margin), model.depth, model.config["padding"])
        if batch_size * _activation_bytes(tuple(model.config.items()), side) <= budget:
            break
    return side, side


@functools.lru_cache
def _activation_bytes(config: tuple[tuple[str, Any], ...], side: int) -> int:
    with torch.device("meta"):  # shapes without numbers
        model = UNet(**dict(config))
    return sum(layer.activation_bytes for layer in layer_table(model, side))


def mirrored(places: Any, length: int) -> NDArray[np.int64]:
    """Which pixel stands at a place beyond the border, when the image is mirrored there, as often as it takes.

    The mirror stands in the middle of the outermost pixel, so that pixel does not come twice: NumPy and PyTorch call it
    "reflect".

    Parameters
    ----------
    places : array of int
        May be negative, or too large.
    length : int
        Pixels in the image. Of a single pixel all places show that one.

    Returns
    -------
    array of int64
        From 0 to `length` − 1.

    References
    ----------
    The U-Net's paper, section 2: "the missing context is extrapolated by mirroring the input image". Lesson 08,
    exercise `mirror_pad`.

    Examples
    --------
    >>> mirrored(range(-3, 7), 4)
    array([3, 2, 1, 0, 1, 2, 3, 2, 1, 0])
    """
    length = whole("length", length, 1)
    period = max(1, 2 * length - 2)  # there and back
    folded = np.asarray(places, dtype=np.int64) % period
    return np.minimum(folded, period - folded)


def _end(axis: Tiling, start: int, length: int) -> int:
    """Behind the last pixel that is kept of the tile that keeps those from `start` on."""
    return length if start == axis.starts[-1] else start + axis.step


def _seen(axis: Tiling, start: int, length: int) -> NDArray[np.int64]:
    """The pixels that are read for the tile that keeps those from `start` on."""
    return mirrored(np.arange(start, start + axis.side) - axis.margin, length)


Reader = Callable[[NDArray[np.int64], NDArray[np.int64]], NDArray[Any]]


def _reader(model: UNet, image: Any) -> tuple[tuple[int, int], Reader]:
    """The height and width of the image, and a function from rows and columns to its (C, rows, columns), scaled."""
    channels = model.config["in_channels"]
    try:
        shape, dtype = tuple(image.shape), np.dtype(image.dtype)
    except (AttributeError, TypeError):
        raise TypeError(
            f"image: expected an array, or what has shape, dtype and slices, got {type(image).__name__}; a tensor "
            "becomes an array with image.numpy(), a list with np.array(image)"
        ) from None
    if dtype.kind not in "bfu":
        raise TypeError(
            f"image: expected floats, booleans or unsigned integers, got {dtype}; how to scale others cannot be "
            "known: give floats, scaled as in training"
        )
    if len(shape) not in (2, 3) or (shape[0] if len(shape) == 3 else 1) != channels:
        advice = "; np.moveaxis(image, -1, 0) brings the channels to the front" if shape[-1:] == (channels,) else ""
        plane = " or (H, W)" if channels == 1 else ""
        raise ValueError(f"image: expected shape ({channels}, H, W){plane} for this network, got {shape}{advice}")
    if 0 in shape:
        raise ValueError(f"image: expected at least one pixel, got shape {shape}")
    planes = (slice(None),) * (len(shape) - 2)
    wanted = np.float64 if next(model.parameters()).dtype == torch.float64 else np.float32
    scale: Any = wanted(1 / np.iinfo(dtype).max if dtype.kind == "u" else 1)

    def read(rows: NDArray[np.int64], columns: NDArray[np.int64]) -> NDArray[Any]:
        (top, bottom), (left, right) = ((int(axis.min()), int(axis.max()) + 1) for axis in (rows, columns))
        block = np.asarray(image[(*planes, slice(top, bottom), slice(left, right))])
        block = block.reshape(channels, bottom - top, right - left)
        if dtype.kind == "f" and not np.isfinite(block).all():
            channel, row, column = np.argwhere(~np.isfinite(block))[0]
            raise ValueError(
                f"image: expected numbers, got {block[channel, row, column]} at row {top + row}, "
                f"column {left + column}; np.nan_to_num(image) puts numbers in their place"
            )
        return block.astype(wanted)[:, (rows - top)[:, None], columns - left] * scale

    return (shape[-2], shape[-1]), read


def _expect_out(out: Any, classes: int, H: int, W: int) -> bool:
    """Whether class numbers are to be written into `out`, and not probabilities."""
    try:
        shape, dtype = tuple(out.shape), np.dtype(out.dtype)
    except (AttributeError, TypeError):
        raise TypeError(f"out: expected an array to write into, got {type(out).__name__}") from None
    if dtype.kind not in "fiu":
        raise TypeError(f"out: expected floats for probabilities or integers for class numbers, got {dtype}")
    is_integer = dtype.kind in "iu"
    if shape != (expected := (H, W) if is_integer else (classes, H, W)):
        raise ValueError(f"out: expected shape {expected} for {'integers' if is_integer else 'floats'}, got {shape}")
    if is_integer and np.iinfo(dtype).max < classes - 1:
        raise ValueError(f"out: expected integers that can hold the class number {classes - 1}, got {dtype}")
    return is_integer


@contextmanager
def _in_evaluation(model: UNet, device: torch.device, precision: str) -> Iterator[Callable[[NDArray[Any]], Tensor]]:
    """The network as a function from a batch of tiles to scores, fast and without a trace.

    The weights are laid out with the channels last, on the device that computes; the model keeps its own.
    """
    is_training = {layer: layer.training for layer in model.modules()}

    def network(tiles: NDArray[Any]) -> Tensor:
        x = torch.from_numpy(tiles).to(device, memory_format=channels_last(device))
        scores = functional_call(model, weights, (x,))
        return scores if scores.dtype == torch.float64 else scores.float()

    try:
        model.eval()
        with torch.inference_mode(), autocast(device, precision):
            weights = {name: _laid_out(tensor, device) for name, tensor in model.state_dict().items()}
            yield network
    finally:
        for layer, was_training in is_training.items():
            layer.training = was_training


def _laid_out(tensor: Tensor, device: torch.device) -> Tensor:
    return tensor.to(device, memory_format=channels_last(device) if tensor.ndim == 4 else torch.preserve_format)
