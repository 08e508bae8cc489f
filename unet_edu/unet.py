"""The U-Net. Lesson 06 builds it step by step.

Left, the contracting path: two 3×3 convolutions a level, then a 2×2 max pooling that halves the sides. Right, the
expanding path: a step up that doubles the sides and halves the channels, a copy from the left, two 3×3 convolutions. At
the top a 1×1 convolution turns the channels into one score for each class. The whole architecture is the list of
widths, the channels at each level:

    64 ─────────── copy ───────────► 64 → scores      level 0
      128 ──────── copy ────────► 128                 level 1
         256 ───── copy ─────► 256                    level 2
            512 ── copy ──► 512                       level 3
                   1024                               level 4, the bottom

Without arguments `UNet()` is the network of Ronneberger, Fischer and Brox (2015), figure 1, for one channel and two
classes: 23 convolutions, 31,030,658 parameters, and 572 × 572 pixels in give 388 × 388 out.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from unet_edu._arguments import Size, pair, whole

# Lessons 06, 08 and 09 import all three from here.
from unet_edu.sizes import layer_table, level_sides, receptive_field  # noqa: F401

__all__ = ["UNet", "center_crop", "he_init_"]

CHOICES = {
    "padding": ("valid", "same"),
    "skip": ("concat", "add", "multiply", "none"),
    "upsample": ("transposed", "bilinear", "unpool"),
    "norm": (None, "batch"),
}


class UNet(nn.Module):
    """A U-Net of any depth and width.

    Parameters
    ----------
    in_channels : int
        1 for grey images, 3 for colour.
    num_classes : int
        Background and one kind of cell are two classes.
    widths : sequence of int
        The channels at each level, from the top to the bottom. The paper doubles them from level to level.
    padding : {"valid", "same"}
        "valid" as in the paper: a 3×3 convolution loses one pixel on each side, so each output pixel has seen real
        image only. "same" adds zeros, and the output is as large as the input.
    skip : {"concat", "add", "multiply", "none"}
        How a copy from the left joins the features on the right. The paper puts the channels one behind the other.
    upsample : {"transposed", "bilinear", "unpool"}
        The step up: a 2×2 transposed convolution with stride 2 (the paper's), bilinear interpolation, or max unpooling
        with the places of the pooling of the same level (the way of SegNet). The last two get a 1×1 convolution, which
        halves the channels.
    norm : {None, "batch"}
        Batch normalisation after each 3×3 convolution, in place of its bias. The paper could have had it, and does not.
    dropout : float
        The part of the bottom's numbers that training sets to 0. The paper has dropout "at the end of the contracting
        path" and does not say how much; 0.5 is what its published code uses.

    Attributes
    ----------
    config : dict
        The arguments: `UNet(**model.config)` is another network of the same form.
    about : dict
        What it was trained for, as far as somebody has noted it: numbers and words, which are kept with the weights.
        "labels" is "cells" or "classes"; "contrast" is "stretch" or "range", and then "dark", "bright" and "numbers"
        say of which range; "data" tells one training set from another. `best.pt` has its "step" and
        scores too ("val_loss", "val_iou", of cells "val_seg"), and by which of them it was "chosen_by".
    contracting, expanding : nn.ModuleList
        The double convolutions, from the top down to the bottom, and from there up.
    pool, up, join : nn.ModuleList
        What stands between them.
    head : nn.Conv2d
        The 1×1 convolution.

    Raises
    ------
    TypeError
        When a number of channels is no int.
    ValueError
        When an argument is none of those above.

    References
    ----------
    Ronneberger, Fischer and Brox (2015), "U-Net: Convolutional Networks for Biomedical Image Segmentation", section 2.
    Lesson 06, exercise `unet`.

    Examples
    --------
    >>> model = UNet(widths=(4, 8))
    >>> model(torch.zeros(1, 1, 20, 28)).shape
    torch.Size([1, 2, 4, 12])
    """

    def __init__(
        self,
        in_channels: int = 1,
        num_classes: int = 2,
        widths: Sequence[int] = (64, 128, 256, 512, 1024),
        *,
        padding: str = "valid",
        skip: str = "concat",
        upsample: str = "transposed",
        norm: str | None = None,
        dropout: float = 0.5,
    ) -> None:
        super().__init__()
        self.config: dict[str, Any] = {
            "in_channels": whole("in_channels", in_channels, 1),
            "num_classes": whole("num_classes", num_classes, 1),
            "widths": tuple(whole("widths", width, 1) for width in widths),
            "padding": padding,
            "skip": skip,
            "upsample": upsample,
            "norm": norm,
            "dropout": float(dropout),
        }
        _expect_known(self.config)
        self.about: dict[str, Any] = {}
        steps = list(itertools.pairwise((in_channels, *widths)))
        joined = 2 if skip == "concat" else 1
        self.contracting = nn.ModuleList(_double_convolution(n, m, padding, norm) for n, m in steps)
        self.pool = nn.ModuleList(nn.MaxPool2d(2) for _ in steps[1:])
        self.dropout = nn.Dropout(dropout)
        self.up = nn.ModuleList(Up(m, n, upsample) for n, m in reversed(steps[1:]))
        self.join = nn.ModuleList(Join(skip) for _ in steps[1:])
        self.expanding = nn.ModuleList(
            _double_convolution(joined * n, n, padding, norm) for n, _ in reversed(steps[1:])
        )
        self.head = nn.Conv2d(widths[0], num_classes, 1)
        he_init_(self)

    @property
    def finds_cells(self) -> bool:
        """Whether its classes are background and cell, and its answer is to be taken apart into cells.

        Else it tells classes apart.
        """
        return self.config["num_classes"] == 2 and self.about.get("labels", "cells") == "cells"

    def forward(self, x: Tensor) -> Tensor:
        """Scores (logits) of each class at each pixel, (N, num_classes, H', W'), of images (N, in_channels, H, W)."""
        if x.ndim != 4 or x.shape[1] != self.config["in_channels"]:
            raise ValueError(
                f"x: expected images of shape (N, {self.config['in_channels']}, H, W), got shape {tuple(x.shape)}"
            )
        self.output_size(x.shape[-2:])
        copies = []
        for convolve, pool in zip(self.contracting, self.pool, strict=False):  # the bottom comes after
            x = convolve(x)
            copies.append(x)
            x = pool(x)
        x = self.dropout(self.contracting[-1](x))
        for up, join, convolve in zip(self.up, self.join, self.expanding, strict=True):
            copy = copies.pop()  # the deepest first
            x = convolve(join(copy, up(x, copy)))
        return self.head(x)

    @property
    def depth(self) -> int:
        """How often the network pools."""
        return len(self.pool)

    def output_size(self, size: Size) -> tuple[int, int]:
        """The size of the answer for images of this size.

        Parameters
        ----------
        size : int or (H, W)

        Returns
        -------
        (H', W')

        Raises
        ------
        ValueError
            When a pooling would meet an odd side, or nothing would be left. It says at which level, and which sides
            near by are legal.

        Examples
        --------
        >>> UNet(widths=(4, 8, 16, 32, 64)).output_size(572)
        (388, 388)
        """
        (*_, rows), (*_, columns) = (
            itertools.chain(*level_sides(side, self.depth, self.config["padding"])) for side in pair("size", size, 1)
        )
        return rows, columns


class Up(nn.Module):
    """The step up: twice the sides, half the channels."""

    def __init__(self, in_channels: int, out_channels: int, kind: str) -> None:
        super().__init__()
        self.kind = kind
        self.convolve: nn.Conv2d | nn.ConvTranspose2d
        if kind == "transposed":
            self.convolve = nn.ConvTranspose2d(in_channels, out_channels, 2, stride=2)
        else:
            self.convolve = nn.Conv2d(in_channels, out_channels, 1)

    def forward(self, x: Tensor, copy: Tensor) -> Tensor:
        x = self.convolve(x)
        if self.kind == "bilinear":
            return F.interpolate(x, scale_factor=2, mode="bilinear")
        if self.kind == "unpool":
            # where in the copy the maxima were: the one thing that unpooling needs to know of the way down
            _, places = F.max_pool2d(center_crop(copy, [2 * side for side in x.shape[-2:]]), 2, return_indices=True)
            return F.max_unpool2d(x, places, (2, 2))
        return x


class Join(nn.Module):
    """The skip connection: the copy's centre, as large as `x`, and `x` itself become one."""

    def __init__(self, kind: str) -> None:
        super().__init__()
        self.kind = kind

    def forward(self, copy: Tensor, x: Tensor) -> Tensor:
        if self.kind == "none":
            return x
        copy = center_crop(copy, x.shape[-2:])
        if self.kind == "add":
            return copy + x
        if self.kind == "multiply":
            return copy * x
        return torch.cat([copy, x], dim=1)


def _double_convolution(in_channels: int, out_channels: int, padding: str, norm: str | None) -> nn.Sequential:
    """Twice: a 3×3 convolution, and ReLU."""
    layers: list[nn.Module] = []
    for n in (in_channels, out_channels):
        # a normalisation takes the mean away, and a bias with it
        layers.append(nn.Conv2d(n, out_channels, 3, padding=padding, bias=norm is None))
        if norm == "batch":
            layers.append(nn.BatchNorm2d(out_channels))
        layers.append(nn.ReLU(inplace=True))
    return nn.Sequential(*layers)


def center_crop(x: Tensor, size: Size) -> Tensor:
    """The middle of images, or of labels.

    Parameters
    ----------
    x : (…, H, W) tensor
    size : int or (H', W')
        At most as large. Where the margin is odd, the larger part of it is cut below and on the right.

    Returns
    -------
    (…, H', W') tensor
        A view: no number is copied.

    Raises
    ------
    ValueError
        When the crop would be larger than the image.

    Examples
    --------
    >>> center_crop(torch.arange(16).reshape(4, 4), 2)
    tensor([[ 5,  6],
            [ 9, 10]])
    """
    (rows, columns), (H, W) = pair("size", tuple(size) if not isinstance(size, int) else size, 1), x.shape[-2:]
    if rows > H or columns > W:
        raise ValueError(f"size: expected at most the image's {H} × {W}, got {rows} × {columns}")
    top, left = (H - rows) // 2, (W - columns) // 2
    return x[..., top : top + rows, left : left + columns]


def he_init_(model: nn.Module) -> nn.Module:
    """Draw the weights anew, so that the numbers neither grow nor fade from layer to layer.

    Weights come from a normal distribution with standard deviation √(2 / N), where N is how many numbers are added up
    for one output: 9 · in_channels for a 3×3 convolution. In a 2×2 transposed convolution with stride 2 the stamps do
    not overlap, so there N is in_channels. Biases become 0.

    Parameters
    ----------
    model : nn.Module
        Changed in place, and returned.

    References
    ----------
    He, Zhang, Ren and Sun (2015), "Delving Deep into Rectifiers", section 2.2; the U-Net's paper, section 3. Lesson 07,
    exercise `he_init_`.
    """
    for layer in model.modules():
        # On "meta" there are no numbers to draw, and PyTorch would load its compiler to draw none.
        if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d) and not layer.weight.is_meta:
            taps = math.prod(layer.kernel_size)
            if isinstance(layer, nn.ConvTranspose2d):
                taps //= math.prod(layer.stride)
            nn.init.normal_(layer.weight, std=math.sqrt(2 / (taps * layer.in_channels)))
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)
    return model


def _expect_known(config: dict[str, Any]) -> None:
    """Every argument is one that a U-Net can be built of."""
    for name, known in CHOICES.items():
        if config[name] not in known:
            raise ValueError(f"{name}: expected one of {', '.join(map(repr, known))}, got {config[name]!r}")
    if not config["widths"]:
        raise ValueError("widths: expected the channels of at least one level, as in (64, 128, 256), got none")
    if not 0 <= config["dropout"] < 1:
        raise ValueError(f"dropout: expected a part from 0 to less than 1, got {config['dropout']!r}")
