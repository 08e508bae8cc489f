"""A trained U-Net as plain data, from which network.js computes it in a page."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from torch import Tensor

    from unet_edu.unet import UNet

__all__ = ["MOST_PARAMETERS", "described"]

MOST_PARAMETERS = 4_000_000
"""More would make a page of over 10 MB, and each picture would take seconds."""

Numbers = tuple[NDArray[np.float64], NDArray[np.float64]]  # of one layer: kernel and bias
PROGRAM = Path(__file__).parent / "conv3x3.wasm"


def described(model: UNet, **extras: Any) -> dict[str, Any]:
    """Everything that the page needs to compute a network.

    Batch normalisation is folded into the weights, and those become numbers of 16 bits, as in the files of the package.

    Parameters
    ----------
    model : UNet
        Its step up is transposed convolution. It is taken as in evaluation mode, and not changed.
    **extras
        What else shall be in the description, such as `name="after 10 steps"`; JSON must know it.

    Returns
    -------
    dict
        Of what JSON knows: the network's form; "tensors", for each layer the shape of its kernels; "weights", the
        kernels and biases of all layers one behind the other, as base64 of float16, little-endian; and "wasm", the
        program for the 3×3 convolutions.

    Raises
    ------
    TypeError
        When it is no UNet.
    ValueError
        When the page cannot compute this network.

    Examples
    --------
    >>> from unet_edu.unet import UNet
    >>> description = described(UNet(widths=(4, 8)))
    >>> list(description["tensors"])[:3]
    ['contracting.0.0', 'contracting.0.2', 'contracting.1.0']
    """
    _expect_computable(model)
    layers = _folded(model)
    numbers = np.concatenate([part.ravel() for pair in layers.values() for part in pair])
    if not np.all(np.abs(numbers) <= np.finfo(np.float16).max):  # NaN neither
        raise ValueError(
            f"model: expected weights of at most {np.finfo(np.float16).max:,.0f} once batch normalisation is folded "
            f"in, because the page keeps them as numbers of 16 bits, got {np.abs(numbers).max():g}; train it with a "
            "smaller learning rate"
        )
    return {
        **{name: model.config[name] for name in ("in_channels", "num_classes", "padding", "skip")},
        "widths": list(model.config["widths"]),
        "tensors": {name: list(kernel.shape) for name, (kernel, _) in layers.items()},
        "weights": base64.b64encode(numbers.astype("<f2").tobytes()).decode(),
        "wasm": base64.b64encode(PROGRAM.read_bytes()).decode(),
        **extras,
    }


def _expect_computable(model: UNet) -> None:
    from unet_edu.unet import UNet

    if not isinstance(model, UNet):
        raise TypeError(f"model: expected a UNet, got {type(model).__name__}")
    if model.config["upsample"] != "transposed":
        raise ValueError(
            "model: expected a network whose step up is a transposed convolution, got "
            f"upsample={model.config['upsample']!r}, which the page does not compute; train one with "
            "upsample='transposed'"
        )
    if model.config["num_classes"] < 2:
        raise ValueError("model: expected at least 2 classes, of which the page shows the probabilities, got 1")
    count = sum(parameter.numel() for parameter in model.parameters())
    if count > MOST_PARAMETERS:
        raise ValueError(
            f"model: expected at most {MOST_PARAMETERS:,} parameters, because the page holds them all and computes "
            f"with them at each change, got {count:,}; train a network with fewer channels, such as "
            "UNet(widths=(16, 32, 64))"
        )


def _folded(model: UNet) -> dict[str, Numbers]:
    """Kernel and bias of each layer, in the order of the computation.

    The names are those of `unet_edu.figures.unet.block_names`, where a layer is called the same with batch
    normalisation and without.
    """
    found = dict[str, Numbers]()
    for level, block in enumerate(model.contracting):
        found |= _double(f"contracting.{level}", block)
    for step, block in enumerate(model.expanding):
        found[f"up.{step}"] = _numbers(model.up[step].convolve)
        found |= _double(f"expanding.{step}", block)
    found["head"] = _numbers(model.head)
    return found


def _double(name: str, block: Any) -> dict[str, Numbers]:
    """A block's two convolutions. In evaluation mode a batch normalisation multiplies by a number and adds one: so do
    other weights and another bias."""
    found = {}
    half = len(block) // 2  # convolution, (normalisation,) ReLU
    for number, (convolution, *between) in (("0", block[:half]), ("2", block[half:])):
        kernel, bias = _numbers(convolution)
        for norm in between[:-1]:
            scale, shift, mean, variance = map(_array, (norm.weight, norm.bias, norm.running_mean, norm.running_var))
            gain = scale / np.sqrt(variance + norm.eps)
            kernel, bias = kernel * gain[:, None, None, None], (bias - mean) * gain + shift
        found[f"{name}.{number}"] = kernel, bias
    return found


def _numbers(convolution: Any) -> Numbers:
    kernel = _array(convolution.weight)
    return kernel, np.zeros(len(kernel)) if convolution.bias is None else _array(convolution.bias)


def _array(tensor: Tensor) -> NDArray[np.float64]:
    return tensor.detach().cpu().double().numpy()
