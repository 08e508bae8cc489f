"""The networks that people take instead of ours, for the benchmarks `peers` and `unet_speed`.

One is written out here. The others come with packages that only `make peers` installs: without them, asking for one
raises ImportError.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

from unet_edu.unet import UNet

WIDTHS = (64, 128, 256, 512, 1024)


class Plain(nn.Module):
    """Ronneberger's figure 1, line after line, as in many repositories; most of them pad, and normalise batches."""

    def __init__(self, widths: Sequence[int] = WIDTHS, padding: int = 1, *, norm: bool = False) -> None:
        super().__init__()
        n = len(widths)

        def double(a: int, b: int) -> nn.Sequential:
            layers = [
                [nn.Conv2d(i, b, 3, padding=padding, bias=not norm), *[nn.BatchNorm2d(b)] * norm, nn.ReLU()]
                for i in (a, b)
            ]
            return nn.Sequential(*layers[0], *layers[1])

        self.down = nn.ModuleList([double(1, widths[0])] + [double(widths[k], widths[k + 1]) for k in range(n - 1)])
        self.ups = nn.ModuleList([nn.ConvTranspose2d(widths[k], widths[k - 1], 2, 2) for k in range(n - 1, 0, -1)])
        self.right = nn.ModuleList([double(widths[k], widths[k - 1]) for k in range(n - 1, 0, -1)])
        self.last = nn.Conv2d(widths[0], 2, 1)

    def forward(self, x: Tensor) -> Tensor:
        copies = []
        for k, block in enumerate(self.down):
            x = block(x if k == 0 else nn.functional.max_pool2d(x, 2))
            copies.append(x)
        for up, block, copy in zip(self.ups, self.right, copies[-2::-1], strict=True):
            x = up(x)
            cut = (copy.shape[-1] - x.shape[-1]) // 2
            x = block(torch.cat([copy[..., cut : cut + x.shape[-2], cut : cut + x.shape[-1]], x], 1))
        return self.last(x)

    def copy_of(self, model: UNet) -> Plain:
        """The same weights: the layers of both, in the order of the computation."""
        pairs = [(self.down, model.contracting), (self.right, model.expanding), (self.last, model.head)]
        pairs += [(mine, theirs.convolve) for mine, theirs in zip(self.ups, model.up, strict=True)]
        with torch.no_grad():
            for mine, theirs in pairs:
                for a, b in zip(mine.parameters(), theirs.parameters(), strict=True):
                    a.copy_(b)
        return self


def basic_unet(**arguments: object) -> nn.Module:
    from monai.networks.nets import BasicUNet

    return BasicUNet(spatial_dims=2, in_channels=1, out_channels=2, **arguments)


def dyn_unet(**arguments: object) -> nn.Module:
    from monai.networks.nets import DynUNet

    strides = [1, 2, 2, 2, 2]
    return DynUNet(2, 1, 2, kernel_size=[3] * 5, strides=strides, upsample_kernel_size=strides[1:], **arguments)


def resnet_unet() -> nn.Module:
    """segmentation_models_pytorch's U-Net on a ResNet-34, with weights drawn anew."""
    try:
        import torchvision  # noqa: F401
    except RuntimeError:
        # PyPI's torchvision is built for GPUs. Beside a torch for CPUs its own operators are missing, and two of them
        # stop its import. Nothing here uses them, so their names are enough.
        for name in ("nms", "qnms"):
            torch.library.define(f"torchvision::{name}", "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    import segmentation_models_pytorch as smp

    return smp.Unet("resnet34", encoder_weights=None, in_channels=1, classes=2)


def of_widths(widths: Sequence[int]) -> dict[str, Callable[[], nn.Module]]:
    """Networks that do the same maths: these widths, padded, each convolution followed by batch normalisation.

    BasicUNet's top level is a little wider on the way up. The last one is another network, with fewer multiplications.
    """
    return {
        "plain PyTorch": lambda: Plain(widths, norm=True),
        "MONAI BasicUNet": lambda: basic_unet(features=(*widths, widths[0]), norm="batch"),
        "MONAI DynUNet": lambda: dyn_unet(filters=list(widths), norm_name="batch"),
        "smp.Unet, resnet34": resnet_unet,
    }
