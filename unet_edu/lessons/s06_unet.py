"""The exercises of lesson 06: what is asked, and which mistakes are known.

Networks are asked for numbers by the probes of `unet_edu.checks.network`, which needs PyTorch: it is imported when a
case runs. The mistakes are made in a wiring that says aloud what the library's U-Net does: `_wired`.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from unet_edu.checks.exercise import Case, Exercise
from unet_edu.lessons.lesson import Lesson
from unet_edu.lessons.libraries import NETWORKS

if TYPE_CHECKING:
    from torch import Tensor, nn

__all__ = ["LESSON"]

Array = NDArray[Any]
Size = tuple[int, int]


def _fresh(rng: np.random.Generator, *shape: int) -> tuple[Array, int]:
    """Images, and a seed for the weights."""
    return rng.normal(size=shape), int(rng.integers(1 << 31))


# --- double_conv ------------------------------------------------------------------------------------------------------


def _row(
    layers: str, in_channels: int, out_channels: int, *, padding: int = 0, kernel: int = 3, bias: bool = True
) -> nn.Module:
    """Layers in a row, named by letters: C for a convolution to `out_channels`, R for ReLU, 6 for ReLU6, B for batch
    normalisation."""
    from torch import nn

    others: dict[str, Callable[[], nn.Module]] = {
        "R": nn.ReLU,
        "6": nn.ReLU6,
        "B": lambda: nn.BatchNorm2d(out_channels),
    }
    modules: list[nn.Module] = []
    for letter in layers:
        if letter == "C":
            modules.append(nn.Conv2d(in_channels, out_channels, kernel, padding=padding, bias=bias))
            in_channels = out_channels
        else:
            modules.append(others[letter]())
    return nn.Sequential(*modules)


def _rows(layers: str, **settings: Any) -> Callable[..., nn.Module]:
    return lambda in_channels, out_channels: _row(layers, in_channels, out_channels, **settings)


def _double_conv_cases(rng: np.random.Generator) -> list[Case]:
    from unet_edu.checks.network import Answers, Built, Gradient

    return [
        Case("the first of the paper's, on 572×572 pixels", (1, 64), group="visible", probe=Built((1, 1, 572, 572))),
        Case("the last of the paper's, on 392×392 pixels", (128, 64), group="visible", probe=Built((1, 128, 392, 392))),
        Case("fresh weights and an image of 9×12", (2, 5), probe=Answers(*_fresh(rng, 1, 2, 9, 12))),
        # As many channels out as in: there, too, the block has two convolutions.
        Case("fresh weights and two images of 11×8", (4, 4), probe=Answers(*_fresh(rng, 2, 4, 11, 8))),
        Case("the gradient of an image of 8×7", (3, 6), probe=Gradient(*_fresh(rng, 1, 3, 8, 7))),
    ]


DOUBLE_CONV = Exercise(
    name="double_conv", points=1, reference=_rows("CRCR"), cases=_double_conv_cases, forbidden=NETWORKS
)
DOUBLE_CONV.mistake(
    "padded",
    "Your block keeps the image's size, so its convolutions are padded. The paper's are not: each takes a pixel away "
    "on each side, 4 in height and width after both.",
    _rows("CRCR", padding=1),
)
DOUBLE_CONV.mistake(
    "last ReLU missing",
    "Negative numbers come out of your block. A ReLU follows each of the two convolutions, the second, too.",
    _rows("CRC"),
)
DOUBLE_CONV.mistake(
    "first ReLU missing",
    "One ReLU is missing, the one between the two convolutions. Without it the two together are only one larger "
    "convolution.",
    _rows("CCR"),
)
DOUBLE_CONV.mistake(
    "no ReLU",
    "Your two convolutions follow each other without any ReLU: together they are only one larger convolution. Put a "
    "ReLU after each.",
    _rows("CC"),
)
DOUBLE_CONV.mistake(
    "ReLU before the convolution",
    "Your ReLU stands before each convolution. It comes after: what goes into the block keeps its sign.",
    _rows("RCRC"),
)
DOUBLE_CONV.mistake(
    "only one convolution",
    "There is only one convolution in your block. It takes two, each followed by a ReLU.",
    _rows("CR"),
)
DOUBLE_CONV.mistake(
    "three convolutions",
    "There are three convolutions in your block. It takes two, each followed by a ReLU.",
    _rows("CRCRCR"),
)


@DOUBLE_CONV.mistake("the first keeps its channels")
def _(in_channels: int, out_channels: int) -> nn.Module:
    """Your first convolution does not change the number of channels. It goes from in_channels to out_channels at once;
    the second goes from out_channels to out_channels."""
    from torch import nn

    return nn.Sequential(_row("CR", in_channels, in_channels), _row("CR", in_channels, out_channels))


DOUBLE_CONV.mistake(
    "no bias",
    "Your convolutions have no bias. The paper's network has one for each output channel; nn.Conv2d adds it unless "
    "told otherwise.",
    _rows("CRCR", bias=False),
)
DOUBLE_CONV.mistake(
    "batch normalisation",
    "Your block has batch normalisation in it. That came up in 2015, too, and many U-Nets of today use it; the "
    "paper's does not.",
    _rows("CBRCBR"),
)
DOUBLE_CONV.mistake(
    "ReLU6",
    "Your numbers stop at 6: that is ReLU6. ReLU lets large numbers through as they are: nn.ReLU.",
    _rows("C6C6"),
)
DOUBLE_CONV.mistake(
    "kernels of 5×5",
    "Your kernels are 5×5. The paper's are 3×3, the third number of nn.Conv2d.",
    _rows("CRCR", kernel=5),
)


# --- center_crop ------------------------------------------------------------------------------------------------------


def _crop(top: Callable[[int, int], int], left: Callable[[int, int], int] | None = None) -> Callable[..., Any]:
    """A crop whose corner follows a rule: from the side of the image and that of the crop to the first row or
    column."""

    def crop(x: Any, size: Size) -> Any:
        (H, W), (h, w) = x.shape[-2:], size
        i, j = top(H, h), (left or top)(W, w)
        return x[..., i : i + h, j : j + w]

    return crop


_center_crop = _crop(lambda side, kept: (side - kept) // 2)


def _crop_cases(rng: np.random.Generator) -> list[Case]:
    from unet_edu.checks.network import Cropped

    ramp = 10 * np.arange(1, 6)[:, None] + np.arange(1, 8)
    probe = Cropped()
    return [
        Case("a picture of 5×7", (ramp, (3, 3)), group="visible", probe=probe),
        Case("margins of 1 and 3", (ramp, (4, 4)), group="visible", probe=probe),
        Case("an image of 8×6", (rng.normal(size=(8, 6)), (2, 4)), probe=probe),
        Case("three channels of 9×12", (rng.normal(size=(3, 9, 12)), (5, 3)), probe=probe),
        Case("a batch", (rng.normal(size=(2, 3, 7, 10)), (4, 5)), probe=probe),
        Case("nothing to cut off above and below", (rng.normal(size=(1, 2, 4, 9)), (4, 6)), probe=probe),
        Case("nothing to cut off", (rng.normal(size=(2, 5, 3)), (5, 3)), probe=probe),
    ]


CENTER_CROP = Exercise(
    name="center_crop",
    points=2,
    reference=_center_crop,
    cases=_crop_cases,
    forbidden=("unet_edu.*center_crop", "torchvision.*", "kornia.*", "monai.*"),
)
CENTER_CROP.mistake(
    "corner",
    "You kept the upper left corner. The convolutions lose pixels on all sides alike, so keep the middle: as much is "
    "cut off above as below.",
    _crop(lambda side, kept: 0),
)
CENTER_CROP.mistake(
    "lower right corner",
    "You kept the lower right corner: the whole margin is cut off above and on the left. Half of it is.",
    _crop(lambda side, kept: side - kept),
)
CENTER_CROP.mistake(
    "larger part of an odd margin above",
    "Your crop is right where the margin is even. Where it is odd, the larger part is to be cut off below and on the "
    "right: round the upper margin down, with //.",
    _crop(lambda side, kept: -(-(side - kept) // 2)),
)
CENTER_CROP.mistake(
    "margin not halved",
    "Your crop begins where a quarter of the margin is over, or so. Half of it lies above: (H − h) // 2.",
    _crop(lambda side, kept: (side - kept) // 4),
)
CENTER_CROP.mistake(
    "half of the image in place of half of the margin",
    "Your crop begins in the middle of the image. It is its own middle that should lie there: begin half of what is "
    "cut off from the edge.",
    _crop(lambda side, kept: side // 2),
)


@CENTER_CROP.mistake("margins swapped")
def _(x: Any, size: Size) -> Any:
    """Rows and columns of the margins are swapped. The upper one comes from the height: (H − h) // 2."""
    (H, W), (h, w) = x.shape[-2:], size
    i, j = (W - w) // 2, (H - h) // 2
    return x[..., i : i + h, j : j + w]


@CENTER_CROP.mistake("margin of the height for both")
def _(x: Any, size: Size) -> Any:
    """You cut off the same margin on the left as above. The left one comes from the widths: (W − w) // 2."""
    i = (x.shape[-2] - size[0]) // 2
    return x[..., i : i + size[0], i : i + size[1]]


@CENTER_CROP.mistake("the same margin at both ends")
def _(x: Any, size: Size) -> Any:
    """Your crop is right where the margin is even. Where it is odd, your crop is one too large: you cut off the same at
    both ends. Say where it ends by its size: top + h."""
    (H, W), (h, w) = x.shape[-2:], size
    i, j = (H - h) // 2, (W - w) // 2
    return x[..., i : H - i, j : W - j]


@CENTER_CROP.mistake("axes from the front")
def _(x, size):
    """You cut the first two axes. In a batch these are images and channels; the picture's rows and columns are the last
    two: x[..., rows, columns]."""
    return (
        _center_crop(x.movedim((0, 1), (-2, -1)), size).movedim((-2, -1), (0, 1))
        if x.ndim > 2
        else _center_crop(x, size)
    )


@CENTER_CROP.mistake("resized")
def _(x: Any, size: Size) -> Any:
    """You made the image smaller: some rows and columns within it are left out. Then a feature no longer lies where its
    pixel is. Cut the border off, and leave the middle as it is."""
    import torch

    rows, columns = (torch.arange(kept) * side // kept for kept, side in zip(size, x.shape[-2:], strict=True))
    return x[..., rows[:, None], columns]


@CENTER_CROP.mistake("size turned round")
def _(x, size):
    """Height and width of your crop are swapped. `size` is (rows, columns)."""
    return _center_crop(x, size[::-1])


@CENTER_CROP.mistake("not cropped")
def _(x, size):
    """Your function gives the image as it came. Cut its border off."""
    return x


# --- trace_sizes ------------------------------------------------------------------------------------------------------


def _all_even(sides: list[int]) -> bool:
    return not any(side % 2 for side in sides)


def _traced(
    loss: int = 4,
    loss_up: int | None = None,
    is_legal: Callable[[list[int], list[int]], bool] = lambda before, sides: _all_even(before) and min(sides) > 0,
    keep: Callable[[list[int], list[int], list[int]], list[int]] = lambda down, pooled, up: down + up,
    depth: int = 4,
) -> Callable[[int], list[int]]:
    """The sizes by other rules. `is_legal` sees the sides before the poolings and all sides; `keep` what to list."""

    def trace(n: int) -> list[int]:
        down, pooled, up = [n - loss], list[int](), list[int]()
        for _ in range(depth):
            pooled.append(down[-1] // 2)
            down.append(pooled[-1] - loss)
        for _ in range(depth):
            up.append(2 * (up or down)[-1] - (loss if loss_up is None else loss_up))
        return keep(down, pooled, up) if is_legal(down[:-1], down + up) else []

    return trace


def _size_cases(rng: np.random.Generator) -> list[Case]:
    legal = 16 * rng.permutation(np.arange(14, 60_000))[:3] + 12
    legal[0] = 32 * rng.integers(7, 30_000) + 12  # the lowest side is odd: no pooling meets it
    return [
        Case("the paper's image", (572,), group="visible"),
        Case("the smallest image", (188,), group="visible"),
        Case("an even side that gets odd", (570,), group="visible"),
        *(Case("a legal side", (int(n),)) for n in legal),
        Case("an odd side", (int(legal[0]) + 1,)),
        Case("a side that is odd at the second pooling", (int(legal[0]) + 2,)),
        Case("a side that is odd at the third pooling", (int(legal[1]) + 4,)),
        Case("a side that is odd at the fourth pooling", (int(legal[2]) - 8,)),
        Case("a side of which nothing is left on the way up", (172,)),
        Case("a side of which nothing is left on the way down", (60,)),
    ]


TRACE_SIZES = Exercise(
    name="trace_sizes",
    points=2,
    reference=_traced(),
    cases=_size_cases,
    forbidden=("unet_edu.unet.*", "unet_edu.sizes.*"),
)
TRACE_SIZES.mistake(
    "odd sides pooled",
    "Your sizes are right for legal sides. But 570 gets through: 279 is odd when it reaches the second pooling, and a "
    "row would be lost. Test the side before each pooling, and return [] when it is odd.",
    _traced(is_legal=lambda before, sides: min(sides) > 0),
)
TRACE_SIZES.mistake(
    "nothing is tested",
    "Your sizes are right for legal sides. But others get through: sides that are odd when they reach a pooling, and "
    "images so small that nothing, or less than nothing, is left. Return [] for them.",
    _traced(is_legal=lambda before, sides: True),
)
TRACE_SIZES.mistake(
    "only the input tested for evenness",
    "You test whether the input is even. That is not enough: 570 is even, and at the second pooling its side is 279. "
    "Test before each pooling.",
    _traced(is_legal=lambda before, sides: before[0] % 2 == 0 and min(sides) > 0),
)
TRACE_SIZES.mistake(
    "small images pass",
    "Right but for small images: no side may be less than 1, on the way up neither. 172 leaves 3 pixels at the "
    "bottom, then 2, then 0.",
    _traced(is_legal=lambda before, sides: _all_even(before)),
)
TRACE_SIZES.mistake(
    "only the way down tested for its size",
    "Nearly there: you test whether something is left on the way down, but the way up loses pixels, too. 172 leaves 3 "
    "pixels at the bottom, then 2, then 0.",
    _traced(is_legal=lambda before, sides: _all_even(before) and min(sides[:5]) > 0),
)
TRACE_SIZES.mistake(
    "evenness of every side",
    "You ask every side to be even. Only those that are pooled need to be: the bottom is not pooled, nor is the "
    "output.",
    _traced(is_legal=lambda before, sides: _all_even(sides) and min(sides) > 0),
)
TRACE_SIZES.mistake(
    "multiple of 16",
    "You ask the input to be a multiple of 16. That is the rule for padded convolutions. Here pixels are lost before "
    "each pooling, and 572 = 16 · 35 + 12.",
    _traced(is_legal=lambda before, sides: (before[0] + 4) % 16 == 0),
)
TRACE_SIZES.mistake(
    "padded",
    "Your convolutions lose nothing, as with padding. Each of the paper's takes a pixel away on each side, so two of "
    "them take 4.",
    _traced(loss=0),
)
TRACE_SIZES.mistake(
    "one convolution a level",
    "Your levels lose 2 pixels each. There are two convolutions on each level, and each of them loses 2.",
    _traced(loss=2),
)
TRACE_SIZES.mistake(
    "way up without loss",
    "On the way up your sizes only double. There, too, two convolutions follow each doubling, and take 4 away.",
    _traced(loss_up=0),
)
TRACE_SIZES.mistake(
    "way down alone",
    "The way down is right. Now the way up: double, take 4 away, four times.",
    _traced(keep=lambda down, pooled, up: down),
)
TRACE_SIZES.mistake(
    "pooled sizes listed",
    "Your list has the sizes after the poolings. Asked are those after the two convolutions of each level.",
    _traced(keep=lambda down, pooled, up: pooled + up),
)
TRACE_SIZES.mistake(
    "doubled sizes listed",
    "The way down is right. On the way up you list the sizes after the doubling; the two convolutions then take 4 "
    "more.",
    _traced(keep=lambda down, pooled, up: [*down, *(side + 4 for side in up)]),
)
TRACE_SIZES.mistake(
    "input listed",
    "Your list begins with the input. It should begin with what the first two convolutions leave of it.",
    _traced(keep=lambda down, pooled, up: [down[0] + 4, *down, *up]),
)
TRACE_SIZES.mistake(
    "only the output",
    "You return the output's side alone. List the sides after the two convolutions of all nine blocks.",
    _traced(keep=lambda down, pooled, up: up[-1:]),
)
TRACE_SIZES.mistake(
    "one level too few",
    "There are three poolings in your network. The paper's has four: five levels on the way down.",
    _traced(depth=3),
)
TRACE_SIZES.mistake(
    "one level too many",
    "There are five poolings in your network. The paper's has four: five levels on the way down, and no pooling after "
    "the fifth.",
    _traced(depth=5),
)


# --- unet -------------------------------------------------------------------------------------------------------------


def _max_pool(x: Tensor) -> Tensor:
    import torch.nn.functional as F

    return F.max_pool2d(x, 2)


def _average_pool(x: Tensor) -> Tensor:
    import torch.nn.functional as F

    return F.avg_pool2d(x, 2)


def _cat(*tensors: Tensor) -> Tensor:
    import torch

    return torch.cat(tensors, dim=1)


def _middle(copy: Tensor, x: Tensor) -> Tensor:
    crop: Tensor = _center_crop(copy, tuple(x.shape[-2:]))  # type: ignore[arg-type]
    return crop


def _interpolated(copy: Tensor, x: Tensor, level: int) -> Tensor:
    import torch.nn.functional as F

    return _cat(F.interpolate(copy, size=x.shape[-2:], mode="bilinear"), x)


def _wired(
    *,
    run: Callable[[nn.Sequential, Tensor, int], Tensor] = lambda convolve, x, block: convolve(x),
    copy: Callable[[nn.Sequential, Tensor], Tensor] = lambda convolve, x: convolve(x),
    pool: Callable[[Tensor], Tensor] = _max_pool,
    up: Callable[[Tensor], Tensor] = lambda x: x,
    join: Callable[[Tensor, Tensor, int], Tensor] = lambda copy, x, level: _cat(_middle(copy, x), x),
    end: Callable[[Tensor], Tensor] = lambda scores: scores,
    depth: int = 4,
    bias: bool = True,
    lowest_alone: bool = False,
    **settings: Any,
) -> Callable[..., nn.Module]:
    """A maker of U-Nets with another wiring. What is not given is as in the paper; `settings` are those of
    `unet_edu.unet.UNet`.

    `run` applies the two convolutions of a block (0 is the first, `depth` the bottom, 2 · `depth` the last), `copy`
    says what of them goes across, `up` what is done after a step up, `join` how the copy meets what comes up on a level
    (0 is the top), `end` what is done with the scores. With `lowest_alone` the first block on the way up is made to
    read no copy.
    """

    def make(in_channels: int = 1, num_classes: int = 2, base: int = 64) -> nn.Module:
        from torch import nn

        from unet_edu.unet import UNet

        class Wired(UNet):
            def forward(self, x: Tensor) -> Tensor:
                copies = []
                for block, convolve in enumerate(self.contracting[:-1]):
                    copies.append(copy(convolve, x))  # type: ignore[arg-type]
                    x = pool(run(convolve, x, block))  # type: ignore[arg-type]
                x = self.dropout(run(self.contracting[-1], x, self.depth))  # type: ignore[arg-type]
                for step, (rise, convolve) in enumerate(zip(self.up, self.expanding, strict=True), start=1):
                    x = up(rise(x, copies[-step]))
                    if self.config["skip"] == "concat":
                        x = join(copies[-step], x, self.depth - step)
                    else:
                        x = self.join[0](copies[-step], x)
                    x = run(convolve, x, self.depth + step)  # type: ignore[arg-type]
                return end(self.head(x))

        model = Wired(in_channels, num_classes, [base * 2**level for level in range(depth + 1)], **settings)
        if lowest_alone:
            first = model.expanding[0][0]  # type: ignore[index]
            channels, padding = first.in_channels // 2, first.padding
            model.expanding[0][0] = nn.Conv2d(channels, first.out_channels, 3, padding=padding)  # type: ignore[operator]
        if not bias:
            for layer in model.modules():
                if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d):
                    layer.bias = None
        return model

    return make


def _unet_cases(rng: np.random.Generator) -> list[Case]:
    from unet_edu.checks.network import Answers, Built, Gradient

    return [
        Case(
            "the paper's network, on 572×572 pixels: convolutions, parameters; channels, rows, columns of its answer",
            (1, 2, 64),
            group="visible",
            probe=Built((1, 1, 572, 572)),
        ),
        Case("colours and 5 classes, on 188×204 pixels", (3, 5, 32), group="visible", probe=Built((1, 3, 188, 204))),
        Case("fresh weights and an image of 188×204", (1, 2, 2), probe=Answers(*_fresh(rng, 1, 1, 188, 204))),
        Case("fresh weights and two images of 204×188", (2, 3, 2), probe=Answers(*_fresh(rng, 2, 2, 204, 188))),
        Case(
            "the gradient of an image of 204×188, back through all connections",
            (1, 2, 2),
            probe=Gradient(*_fresh(rng, 1, 1, 204, 188)),
        ),
    ]


UNET = Exercise(name="unet", points=3, reference=_wired(), cases=_unet_cases, forbidden=NETWORKS)
UNET.mistake(
    "its own features in place of the copy",
    "What comes up is joined with itself, on every level: torch.cat([x, x]). The shapes fit, but nothing comes across "
    "from the way down.",
    _wired(join=lambda copy, x, level: _cat(x, x)),
)


for _level, _which in enumerate(("top one", "second from the top", "third from the top", "lowest one")):
    UNET.mistake(
        f"its own features in place of the copy on level {_level}",
        f"On one level, the {_which}, what comes up is joined with itself and not with the copy. The shapes fit all "
        "the same.",
        _wired(join=lambda copy, x, here, level=_level: _cat(x if here == level else _middle(copy, x), x)),  # type: ignore[misc]
    )
UNET.mistake(
    "the copy twice",
    "Your copy is joined with itself, on every level, and what came up from below gets lost there.",
    _wired(join=lambda copy, x, level: _cat(_middle(copy, x), _middle(copy, x))),
)
UNET.mistake(
    "what comes up first",
    "Your network is right but for an order: what comes up stands before the copy. Both ways are as good, but the "
    "weights must know. Here the copy comes first: torch.cat([copy, x], dim=1).",
    _wired(join=lambda copy, x, level: _cat(x, _middle(copy, x))),
)
UNET.mistake(
    "copy cropped at a corner",
    "Your copies are cropped at their upper left corner. So they lie beside the place they belong to: by 88 pixels on "
    "the top level. Keep the middle.",
    _wired(join=lambda copy, x, level: _cat(copy[..., : x.shape[-2], : x.shape[-1]], x)),
)
UNET.mistake(
    "copy made smaller",
    "Your copies are made smaller, not cropped. Then a feature no longer lies where its pixel is. Cut the border off.",
    _wired(join=_interpolated),
)
UNET.mistake(
    "copy after the first convolution",
    "Your copies are taken after the first convolution of each level. They are taken after both, just before the "
    "pooling.",
    _wired(copy=lambda convolve, x: convolve[:2](x)),
)
UNET.mistake(
    "copy without gradient",
    "Your network answers rightly, but no gradient goes back through the copies: there is a detach(), a no_grad() or "
    "a .data on the way. The copies are a short way back for gradients; that is half of their use.",
    _wired(join=lambda copy, x, level: _cat(_middle(copy, x).detach(), x)),
)
UNET.mistake(
    "copy added",
    "Your copies are added. The paper puts them beside what comes up: torch.cat, so the next convolution reads twice "
    "as many channels.",
    _wired(skip="add"),
)
UNET.mistake(
    "no copies",
    "No copy comes across in your network. Join each level's copy with what comes up: torch.cat([copy, x], dim=1).",
    _wired(skip="none"),
)
UNET.mistake(
    "last ReLU missing",
    "The second ReLU of your double convolutions is missing: negative numbers go on from there. Use your double_conv.",
    _wired(run=lambda convolve, x, block: convolve[:3](x), copy=lambda convolve, x: convolve[:3](x)),
)
UNET.mistake(
    "ReLU missing on the way up",
    "The way down is right. On the way up the last ReLU of each double convolution is missing.",
    _wired(run=lambda convolve, x, block: convolve[:3](x) if block > 4 else convolve(x)),
)
UNET.mistake(
    "ReLU after the step up",
    "There is a ReLU right after each of your steps up. (The program that the authors published has it; the paper's "
    "text and its figure do not.)",
    _wired(up=lambda x: x.relu()),
)
UNET.mistake(
    "ReLU on the scores",
    "There is a ReLU after your last convolution. The scores may be negative: leave them as they are.",
    _wired(end=lambda scores: scores.relu()),
)
UNET.mistake(
    "softmax in the network",
    "Your network ends with a softmax. It should return scores; the loss, or whoever wants probabilities, takes the "
    "softmax.",
    _wired(end=lambda scores: scores.softmax(dim=1)),
)
UNET.mistake(
    "average pooling", "You pool by the mean. The paper takes the maximum of each window.", _wired(pool=_average_pool)
)
UNET.mistake(
    "padded",
    "Your convolutions are padded: as much comes out as went in. That is a good network, but not the paper's, which "
    "answers for 388×388 of 572×572 pixels.",
    _wired(padding="same"),
)
UNET.mistake(
    "batch normalisation",
    "Your network has too many parameters: there is batch normalisation in it, and no bias before it. The paper's has "
    "none.",
    _wired(norm="batch"),
)
UNET.mistake(
    "no bias",
    "Your network has too few parameters: its layers have no bias. The paper's have one for each output channel.",
    _wired(bias=False),
)
UNET.mistake(
    "bilinear steps up",
    "Your steps up are an interpolation and a 1×1 convolution. The paper's are transposed convolutions of 2×2 with "
    "stride 2, four weights where you have one.",
    _wired(upsample="bilinear"),
)
UNET.mistake(
    "one level too few",
    "Your network pools three times. The paper's pools four times: five levels on the way down, up to 16 times the "
    "channels of the first.",
    _wired(depth=3),
)


# --- repair_unet ------------------------------------------------------------------------------------------------------


# The silent mistakes of the broken network, each with its hint. (The other two speak up: one stops, and dropout is seen
# by the probe.)
SILENT = {
    "own features": "On the upper level, what comes up is joined with itself: compare the two torch.cat.",
    "no ReLU": "One convolution has no ReLU after it: read forward aloud, line by line.",
    "softmax": "The network ends with a softmax, but the loss expects scores and takes the softmax itself.",
}


def _repaired(*left: str, **rules: Any) -> Callable[..., nn.Module]:
    """The padded network of three levels with the silent mistakes that are left in it."""

    def join(copy: Tensor, x: Tensor, level: int) -> Tensor:
        return _cat(x if level == 0 and "own features" in left else copy, x)

    def run(convolve: nn.Sequential, x: Tensor, block: int) -> Tensor:
        y: Tensor = convolve[:3](x) if block == 2 and "no ReLU" in left else convolve(x)
        return y

    def end(scores: Tensor) -> Tensor:
        return scores.softmax(dim=1) if "softmax" in left else scores

    wiring: dict[str, Any] = {"join": join, "run": run, "end": end, "depth": 2, "padding": "same"} | rules
    return _wired(**wiring)


def _left_over() -> Iterator[tuple[tuple[str, ...], str]]:
    """Each set of silent mistakes that was not found, and what to say of it."""
    counts = ("One silent mistake is left.", "Two silent mistakes are left.", "Three silent mistakes are left.")
    for number, count in enumerate(counts, 1):
        for left in itertools.combinations(SILENT, number):
            yield left, " ".join([count, *(SILENT[name] for name in left)])


def _repair_cases(rng: np.random.Generator) -> list[Case]:
    from unet_edu.checks.network import Answers, Built, Drops, Gradient

    return [
        Case(
            "32×48 pixels: convolutions, parameters; channels, rows, columns of its answer",
            (1, 2, 16),
            group="visible",
            probe=Built((1, 1, 32, 48)),
        ),
        Case("colours and 4 classes, on 20×12 pixels", (3, 4, 8), group="visible", probe=Built((1, 3, 20, 12))),
        Case("fresh weights and an image of 12×20", (1, 2, 6), probe=Answers(*_fresh(rng, 1, 1, 12, 20))),
        Case("fresh weights and two images of 16×8", (2, 3, 5), probe=Answers(*_fresh(rng, 2, 2, 16, 8))),
        Case("the gradient of an image of 12×16", (1, 3, 6), probe=Gradient(*_fresh(rng, 1, 1, 12, 16))),
        Case(
            "in training mode: is anything lost on the way into each of the 13 convolutions, and at the end?",
            (1, 2, 32),
            probe=Drops(*_fresh(rng, 1, 1, 16, 24)),
        ),
    ]


REPAIR_UNET = Exercise(name="repair_unet", points=2, reference=_repaired(), cases=_repair_cases, forbidden=NETWORKS)


for _left, _hint in _left_over():
    REPAIR_UNET.mistake(" and ".join(_left), _hint, _repaired(*_left))
REPAIR_UNET.mistake(
    "lower copy left out",
    "The network runs, but the lower level lost its copy. The convolution there was made for too few channels: give "
    "it more, and keep the copy.",
    _repaired(join=lambda copy, x, level: x if level else _cat(copy, x), lowest_alone=True),
)
REPAIR_UNET.mistake(
    "dropout left out",
    "All answers are right, but nothing is dropped while the network trains. Keep the dropout, and tell it when: "
    "while training, and never else.",
    _repaired(dropout=0.0),
)
REPAIR_UNET.mistake(
    "dropout as good as off",
    "All answers are right, but hardly anything is dropped while the network trains: p is the share that is dropped, "
    "and was 0.5.",
    _repaired(dropout=0.002),
)
REPAIR_UNET.mistake(
    "hardly anything left",
    "All answers are right, but while the network trains nearly everything is dropped: p is the share that is "
    "dropped, and was 0.5.",
    _repaired(dropout=0.995),
)
REPAIR_UNET.mistake(
    "copies added",
    "The network runs, but its copies are added now. Keep them side by side, and make the convolution for as many "
    "channels as arrive.",
    _repaired(skip="add"),
)
REPAIR_UNET.mistake(
    "what comes up first",
    "All is repaired, but the copies changed places with what comes up: the copy comes first in the network that you "
    "were given.",
    _repaired(join=lambda copy, x, level: _cat(x, copy)),
)
REPAIR_UNET.mistake(
    "copy without gradient",
    "The answers are right, but no gradient goes back through the copies. Is there a detach() or a .data on their way?",
    _repaired(join=lambda copy, x, level: _cat(copy.detach(), x)),
)

# --- smallest_volume --------------------------------------------------------------------------------------------------


def _side(wanted: int, depth: int, lost: int = 12, left: int = 4) -> int:
    """The smallest side that fits and answers for at least as much.

    At depth d a network with two convolutions per level takes `lost` · 2^d − 8 from a side, and answers for a multiple
    of 2^d and `left` more.
    """
    step = 2**depth
    answered = wanted + (left - wanted) % step
    while answered < 1:
        answered += step
    return answered + lost * step - 8


def _smallest_volume(wanted: tuple[int, int, int], depth: int) -> list[int]:
    return [_side(side, depth) for side in wanted]


def _sides(rule: Callable[[int, int], int]) -> Callable[..., list[int]]:
    """A volume by another rule, which gets how much is wanted along a side, and the depth."""
    return lambda wanted, depth: [rule(side, depth) for side in wanted]


def _loss(depth: int) -> int:
    return 12 * 2**depth - 8


def _up(number: int, step: int) -> int:
    """The next multiple."""
    return -(-number // step) * step


def _volume_cases(rng: np.random.Generator) -> list[Case]:
    def case(name: str, depth: int, fit: Callable[[int, int], int] = lambda side, step: side) -> Case:
        """`fit` gets a side and 2^depth, and says how much is wanted."""
        sides = rng.permutation(np.arange(100, 4000))[:3].tolist()
        return Case(name, (tuple(int(fit(side, 2**depth)) for side in sides), depth))

    return [
        Case("the 3-D U-Net's own answer", ((28, 44, 44), 3), group="visible"),
        Case("a little more along two sides", ((30, 44, 50), 3), group="visible"),
        Case("the depth of the network of 2015", ((1, 388, 390), 4), group="visible"),
        case("depth 1", 1),
        case("depth 2", 2),
        case("depth 3, and all three fit as they are", 3, lambda side, step: side // step * step + 4),
        case("depth 3", 3),
        case("depth 4, each a voxel more than fits", 4, lambda side, step: side // step * step + 5),
        case("depth 4, each a voxel less than fits", 4, lambda side, step: side // step * step + 3),
        case("depth 5", 5),
        case("depth 6", 6),
    ]


SMALLEST_VOLUME = Exercise(
    name="smallest_volume",
    points=2,
    reference=_smallest_volume,
    cases=_volume_cases,
    forbidden=("unet_edu.unet.*", "unet_edu.sizes.*", "unet_edu.tiling.*"),
)
SMALLEST_VOLUME.mistake(
    "not rounded",
    "You add what the convolutions take away. But not every side fits: at some pooling yours is odd. Find the next "
    "larger one that fits.",
    _sides(lambda side, depth: side + _loss(depth)),
)
SMALLEST_VOLUME.mistake(
    "only the first pooling tested",
    "Your sides are even at the first pooling, and odd at a later one. Test at each.",
    _sides(lambda side, depth: _up(side + _loss(depth), 2)),
)
SMALLEST_VOLUME.mistake(
    "multiple of 2^depth",
    "You rounded up to a multiple of 2^depth. That is the rule of padded convolutions. Without padding, 4 voxels are "
    "gone before each pooling: 572 is no multiple of 16.",
    _sides(lambda side, depth: _up(side + _loss(depth), 2**depth)),
)
SMALLEST_VOLUME.mistake(
    "padded",
    "You only round up to a multiple of 2^depth, as if as much came out as goes in. These convolutions are not padded: "
    "something is lost at each block.",
    _sides(lambda side, depth: _up(side, 2**depth)),
)
SMALLEST_VOLUME.mistake(
    "rounded down",
    "Your volumes fit, but they answer for less than was wanted. Take the next larger side, not the next smaller one.",
    _sides(lambda side, depth: _side(max(1, side - 2**depth + 1), depth)),
)
SMALLEST_VOLUME.mistake(
    "rounded down, below the smallest",
    "Your volumes answer for less than was wanted. If you go backwards, from the answer to the image: a half has to be "
    "rounded up.",
    _sides(lambda side, depth: (side + _loss(depth) + 4) // 2**depth * 2**depth - 4),
)
SMALLEST_VOLUME.mistake(
    "one step too many",
    "Your volumes fit, and answer for enough. But where a side answers for exactly what is wanted, you go one step "
    "further. Is a < a ≤, or the other way round?",
    _sides(lambda side, depth: _side(side + 1, depth)),
)
SMALLEST_VOLUME.mistake(
    "what is answered",
    "You return for how many voxels the network answers. Asked is the volume that goes in.",
    _sides(lambda side, depth: _side(side, depth) - _loss(depth)),
)
SMALLEST_VOLUME.mistake(
    "lost at one end alone",
    "You add what is lost at one end of each side. At the other end as much is lost.",
    _sides(lambda side, depth: _side(side, depth) - _loss(depth) // 2),
)
SMALLEST_VOLUME.mistake(
    "bottom forgotten",
    "You forget the two convolutions of the bottom. There, too, 4 voxels of a side are lost, and a voxel of the bottom "
    "is 2^depth of the top.",
    _sides(lambda side, depth: _side(side, depth, lost=8)),
)
SMALLEST_VOLUME.mistake(
    "one convolution per block",
    "Your blocks take 2 voxels from a side. Each has two convolutions, and each of these takes 2.",
    _sides(lambda side, depth: _side(side, depth, lost=6, left=2) + 4),
)
SMALLEST_VOLUME.mistake(
    "way down alone",
    "You count what is lost on the way down and at the bottom. On the way up there are convolutions, too.",
    _sides(lambda side, depth: _up(max(1, side), 2**depth) + 8 * 2**depth - 4),
)
SMALLEST_VOLUME.mistake(
    "one level too few",
    "Your network pools once less than `depth` says. With depth 3 it has three blocks on the way down, then the "
    "bottom.",
    _sides(lambda side, depth: _side(side, depth - 1)),
)
SMALLEST_VOLUME.mistake(
    "one level too many",
    "Your network pools once more than `depth` says. With depth 3 it has three blocks on the way down, then the "
    "bottom.",
    _sides(lambda side, depth: _side(side, depth + 1)),
)
SMALLEST_VOLUME.mistake(
    "always depth 3", "Your depth is always 3. Use the one that is given.", _sides(lambda side, depth: _side(side, 3))
)
SMALLEST_VOLUME.mistake(
    "always depth 4", "Your depth is always 4. Use the one that is given.", _sides(lambda side, depth: _side(side, 4))
)


def _fits(side: int, depth: int) -> int:
    """The next side that fits."""
    return _up(side + 4, 2**depth) - 4


def _loss_of(at_3: int, elsewhere: int) -> Callable[..., list[int]]:
    """To each side is added what another depth loses: one at depth 3, and one at all others."""
    return _sides(lambda side, depth: _fits(side + _loss(at_3 if depth == 3 else elsewhere), depth))


for _known in (3, 4):
    SMALLEST_VOLUME.mistake(
        f"the loss of depth {_known}",
        f"At every depth you take {_loss(_known)} for what is lost. So much is lost at depth {_known}. A network that "
        "pools more often loses more: follow a side through one of another depth.",
        _loss_of(_known, _known),
    )
SMALLEST_VOLUME.mistake(
    "the loss of depth 3 or of depth 4",
    "Right at depth 3 and at depth 4. But you take the 184 of depth 4 for all others, too. How does 88 at depth 3 come "
    "about, and 184 at depth 4?",
    _loss_of(3, 4),
)
SMALLEST_VOLUME.mistake(
    "nothing below 188",
    "Your smallest side is 188. It is the smallest that fits at depth 4. At a smaller depth begin with smaller ones.",
    _sides(lambda side, depth: max(188, _side(side, depth))),
)


@SMALLEST_VOLUME.mistake("the slices are not pooled")
def _(wanted, depth):
    """Rows and columns are right. To the slices you added what the convolutions take, as if no pooling halved them. The
    poolings are 2×2×2: all three sides follow one rule."""
    return [wanted[0] + 4 * (2 * depth + 1), *_smallest_volume(wanted, depth)[1:]]


for _most in (1000, 2000):
    SMALLEST_VOLUME.mistake(
        f"sides up to {_most}",
        f"Your search ends at {_most}: where some thousand voxels are wanted, it has found no side. Do not set an end. "
        "Go on until a side fits and answers for enough.",
        lambda wanted, depth, most=_most: [side for side in _smallest_volume(wanted, depth) if side < most],
    )


@SMALLEST_VOLUME.mistake("a cube")
def _(wanted, depth):
    """Your volume is a cube: its largest side three times. Each side has a size of its own."""
    return 3 * [max(_smallest_volume(wanted, depth))]


@SMALLEST_VOLUME.mistake("first side three times")
def _(wanted, depth):
    """You return the first side three times. Each side has a size of its own: go through all three."""
    return 3 * _smallest_volume(wanted, depth)[:1]


@SMALLEST_VOLUME.mistake("only the first side")
def _(wanted, depth):
    """You return only the first side. Does the `return` stand inside the loop?"""
    return _smallest_volume(wanted, depth)[:1]


@SMALLEST_VOLUME.mistake("sides turned round")
def _(wanted, depth):
    """Your three sides are right, but in the opposite order: slices, rows, columns, as in `wanted`."""
    return _smallest_volume(wanted, depth)[::-1]


LESSON = Lesson(
    folder="06_unet",
    set_up="""\
import torch
from torch import nn
from torch.nn import functional as F
from unet_edu import check
""",
    exercises=(DOUBLE_CONV, CENTER_CROP, TRACE_SIZES, UNET, REPAIR_UNET, SMALLEST_VOLUME),
)
