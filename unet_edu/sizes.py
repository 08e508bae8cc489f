"""What goes into a U-Net and what comes out: sides, what a pixel sees, what each layer costs. Lesson 06.

Sides are computed without the network, and without PyTorch. Of a network only `config` and `depth` are looked at, but
by `layer_table`, which lets an image without numbers through it.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, NamedTuple

from unet_edu._arguments import Size, pair

if TYPE_CHECKING:  # torch takes seconds to import, and sides need none of it
    from torch import Tensor, nn

    from unet_edu.unet import UNet

__all__ = ["Layer", "layer_table", "legal_side", "level_sides", "receptive_field"]


def level_sides(side: int, depth: int, padding: str = "valid") -> tuple[list[int], list[int]]:
    """The side of the images after the two convolutions of each level.

    Parameters
    ----------
    side : int
        Of the input, in pixels: its height or its width.
    depth : int
        How often the network pools.
    padding : {"valid", "same"}

    Returns
    -------
    down : list of depth + 1 ints
        From the top to the bottom.
    up : list of depth ints
        From there to the top: the last is the output's side.

    Raises
    ------
    ValueError
        When a pooling would meet an odd side, or no pixel would be left.

    References
    ----------
    The U-Net's paper, section 2, last paragraph: "all 2×2 max-pooling operations are applied to a layer with an even x-
    and y-size". Lesson 06, exercise `trace_sizes`.

    Examples
    --------
    >>> level_sides(572, depth=4)
    ([568, 280, 136, 64, 28], [52, 100, 196, 388])
    """
    lost = 4 if padding == "valid" else 0
    down = [side - lost]
    up: list[int] = []
    for level in range(depth):
        if down[level] > 0 and down[level] % 2:
            raise ValueError(
                f"a side of {side} pixels is {down[level]} when it reaches the pooling of level {level}, and 2×2 "
                f"pooling needs an even side; {_nearest(side, depth, padding)}"
            )
        down.append(down[level] // 2 - lost)
    for _ in range(depth):
        up.append(2 * (up or down)[-1] - lost)
    if min(down + up) < 1:
        raise ValueError(
            f"a side of {side} pixels is too small: the convolutions of {depth + 1} levels leave nothing of it; "
            f"{_nearest(side, depth, padding)}"
        )
    return down, up


def legal_side(side: int, depth: int, padding: str = "valid") -> int:
    """The smallest legal side that is at least as large.

    Going up from a bottom of b pixels, every legal side is 2^depth · (b + 8) − 4 (with "same": 2^depth · b), and the
    output's is 2^depth · (b − 4) + 4, which is at least 1 from the smallest of them on.

    Parameters
    ----------
    side, depth, padding
        As for `level_sides`.

    Returns
    -------
    int

    Examples
    --------
    >>> legal_side(560, depth=4)
    572
    """
    step = 2**depth
    smallest = step if padding == "same" else step * (4 - 3 // step + 8) - 4
    return max(smallest, side + (smallest - side) % step)


def _nearest(side: int, depth: int, padding: str) -> str:
    """The legal sides on both sides of one that is not."""
    above = legal_side(side, depth, padding)
    below = above - 2**depth
    if below < legal_side(1, depth, padding):
        return f"the nearest legal side is {above}"
    return f"the nearest legal sides are {below} and {above}"


def receptive_field(model: UNet) -> tuple[int, ...]:
    """The sides of the square of input pixels that one output pixel can see.

    There is more than one answer: pooling cuts the image into windows, and where a pixel lies in its window decides how
    many windows it reaches into.

    Parameters
    ----------
    model : UNet

    Returns
    -------
    tuple of int
        In pixels, the smallest first. (188, 204) for the paper's network.

    References
    ----------
    Araujo, Norris and Sim (2019), "Computing Receptive Fields of Convolutional Neural Networks", for networks that do
    not go up again. Lesson 06; lesson 02 has it for a row of convolutions.

    Examples
    --------
    >>> from unet_edu.unet import UNet
    >>> receptive_field(UNet(widths=(4, 8, 16, 32, 64)))
    (188, 204)
    """
    lost = 2 if model.config["padding"] == "valid" else 0
    sides = set()
    for pixel in range(2**model.depth):  # after so many pixels the windows repeat
        first = last = pixel
        for _ in range(model.depth):  # backwards along the expanding path: two convolutions, the step up
            first, last = first - 2 + lost, last + 2 + lost
            if model.config["upsample"] == "bilinear":  # a pixel lies between two
                first, last = first - 1, last + 1
            first, last = first // 2, last // 2
        first, last = first - 2 + lost, last + 2 + lost  # the bottom
        for _ in range(model.depth):  # the pooling, two convolutions
            first, last = 2 * first - 2 + lost, 2 * last + 1 + 2 + lost
        sides.add(last - first + 1)
    return tuple(sorted(sides))


class Layer(NamedTuple):
    """One row of `layer_table`."""

    name: str
    shape: tuple[int, int, int]
    parameters: int
    multiply_adds: int
    activation_bytes: int


def layer_table(model: UNet, size: Size) -> list[Layer]:
    """What each layer gives out and costs, for one image.

    Parameters
    ----------
    model : UNet
    size : int or (H, W)
        Of the image.

    Returns
    -------
    list of Layer
        In the order of the computation. `shape` is the output's (channels, rows, columns); `activation_bytes` is its
        size in float32, which training keeps for the way back; `multiply_adds` counts those of the convolutions, which
        are nearly all.

    Raises
    ------
    ValueError
        When the size is not legal for the network.

    Examples
    --------
    >>> from unet_edu.unet import UNet
    >>> for layer in layer_table(UNet(widths=(4, 8)), 20)[:3]:
    ...     print(layer.name, layer.shape, layer.parameters, layer.multiply_adds)
    contracting.0.0 (4, 18, 18) 40 11664
    contracting.0.2 (4, 16, 16) 148 36864
    pool.0 (4, 8, 8) 0 0
    """
    import torch
    from torch import nn

    from unet_edu.unet import Join, UNet, Up

    rows: list[Layer] = []

    def note(layer: nn.Module, inputs: tuple[Tensor, ...], output: Tensor, name: str) -> None:
        """Add a layer to the table, when the image comes through it."""
        _, channels, height, width = output.shape
        weights, pixels = 0, height * width
        for part in layer.modules():
            if isinstance(part, nn.Conv2d | nn.ConvTranspose2d):
                weights = part.weight.numel()
                if isinstance(layer, Up):  # each weight meets each pixel that comes in, once
                    pixels = inputs[0].shape[-2] * inputs[0].shape[-1]
        parameters = sum(parameter.numel() for parameter in layer.parameters())
        rows.append(Layer(name, (channels, height, width), parameters, weights * pixels, 4 * output.numel()))

    def joined(copy: Tensor, x: Tensor) -> Tensor:
        return x.new_empty(1, copy.shape[1] + x.shape[1], *x.shape[2:])

    with torch.device("meta"):  # shapes without numbers: nothing is computed, and nothing stored
        twin = UNet(**model.config).eval()
        x = torch.zeros(1, model.config["in_channels"], *pair("size", size, 1))
    for name, layer in twin.named_modules():
        if isinstance(layer, nn.Conv2d | nn.BatchNorm2d | nn.MaxPool2d | Up | Join) and not name.endswith(".convolve"):
            layer.register_forward_hook(functools.partial(note, name=name))
        # What these two do on "meta" is written in Python, and imports torch.compile, which takes a second or more. (So
        # do other ways to join and to go up: who chooses them waits.)
        if isinstance(layer, nn.BatchNorm2d):
            layer.forward = nn.Identity().forward  # type: ignore[method-assign]
        elif isinstance(layer, Join) and layer.kind == "concat":
            layer.forward = joined  # type: ignore[method-assign]
    twin(x)
    return rows
