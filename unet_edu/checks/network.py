"""How a network is asked what it computes, whatever its parts are called.

A student's network cannot be compared layer by layer: the names, the order in which layers were made, modules or functions are free. So it
gets fresh weights, always in the order in which the image meets its convolutions, and fresh images; and what comes out is compared with
what the reference gives for the same weights and images. A skip connection that is joined to the wrong tensor has the right shape and the
right number of parameters; but it gives other numbers.

All probes are here, those of one exercise too: a grader sends them into a sandbox, where the lessons' modules, with their references, are not. So no
probe knows what is right. This module imports PyTorch; so lessons import it only where they make cases.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from unet_edu.checks.exercise import UnusableAnswerError
from unet_edu.unet import UNet

__all__ = ["Answers", "Built", "Cropped", "Drawn", "Drops", "FreshWeights", "Gradient", "OnNetwork", "as_module"]

Array = NDArray[Any]

CONVOLUTIONS = (torch.conv2d, torch.conv_transpose2d)
MOVES = (Tensor.to, Tensor.cuda)
DROPOUTS = (F.dropout, F.dropout1d, F.dropout2d, F.dropout3d)
DROPOUT_IS_ON = (
    "Your network drops features at random in evaluation mode, too, so it answers differently each time. F.dropout(x) is always on: nn.Dropout and "
    "F.dropout(x, training=self.training) obey eval()."
)

NO_GRADIENT = "No gradient comes back through your network. Is there a detach(), a no_grad() or a .data on the way?"
TOO_MUCH = "You gave the network more than one tile with its margin on each side. The image may be larger than any memory: cut it into tiles."


class FreshWeights(TorchFunctionMode):
    """While it is active, each convolution gets new weights and biases when an image meets it for the first time.

    They depend on the seed, on how many convolutions came before, and on their shape; not on names. With no seed, the weights stay.

    Attributes
    ----------
    met : list of tensors
        The convolutions' weights and biases, in the order in which they were met.
    """

    def __init__(self, seed: int | None) -> None:
        super().__init__()
        self.seed = seed
        self.met: list[tuple[Tensor, Tensor | None]] = []

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        if func in CONVOLUTIONS:
            named = dict(zip(("input", "weight", "bias"), args, strict=False)) | kwargs
            self._meet(named["weight"], named.get("bias"), func is torch.conv_transpose2d)
        elif (
            func in MOVES
            and args[0].is_meta
            and any(isinstance(to, str | torch.device) for to in (*args[1:], *kwargs.values()))
        ):
            return args[
                0
            ]  # where nothing is computed, there are no numbers that could be moved: .to(device) does nothing
        elif func in DROPOUTS and kwargs.get("training", args[2] if len(args) > 2 else True):
            raise UnusableAnswerError(DROPOUT_IS_ON)
        return func(*args, **kwargs)

    def _meet(self, weight: Tensor, bias: Tensor | None, is_transposed: bool) -> None:
        if any(weight is known for known, _ in self.met):
            return
        if self.seed is not None:
            rng = np.random.default_rng((self.seed, len(self.met)))
            summed = weight.shape[0] if is_transposed else math.prod(weight.shape[1:])
            with torch.no_grad():
                weight.copy_(torch.from_numpy(rng.normal(0, math.sqrt(2 / max(1, summed)), weight.shape)))
                if bias is not None:
                    bias.copy_(torch.from_numpy(rng.normal(0, 0.1, bias.shape)))
        self.met.append((weight, bias))


def as_module(value: Any) -> nn.Module | None:
    """What a student's function returned, if it is a network. None stays None: it means that nothing was written."""
    if value is None or value is Ellipsis:
        return None
    if isinstance(value, type) and issubclass(value, nn.Module):
        raise UnusableAnswerError(
            f"Your function returned the class {value.__name__}. Return a network: {value.__name__}(…)."
        )
    if not isinstance(value, nn.Module):
        raise UnusableAnswerError(
            f"Your function should return a network, an nn.Module; it returned a {type(value).__name__}."
        )
    return value


def _answer(model: nn.Module, images: Tensor) -> Tensor:
    answer = model(images)
    if not isinstance(answer, Tensor):
        raise UnusableAnswerError(
            f"The network's forward should return a tensor; it returned a {type(answer).__name__}."
        )
    return answer


@dataclass(frozen=True)
class Built:
    """`[convolutions, parameters, *shape]` for images of this shape, where `shape` is that of one image's answer. Nothing is computed, so the full network costs nothing."""

    shape: tuple[int, ...]  # (N, C, H, W)

    def __call__(self, f: Callable[..., Any], *args: Any, **kwargs: Any) -> Array | None:
        with torch.device("meta"), torch.no_grad(), FreshWeights(None) as watch:  # shapes without numbers
            model = as_module(f(*args, **kwargs))
            if model is None:
                return None
            answer = _answer(model.eval(), torch.zeros(self.shape))
        known = {id(parameter) for parameter in model.parameters()}
        unknown = sum(id(weight) not in known for weight, _ in watch.met)
        if unknown:
            raise UnusableAnswerError(
                f"{unknown} of your {len(watch.met)} convolutions are not in model.parameters(), so they would never learn. Layers in a plain list or "
                "dictionary are not found, nor are layers made anew in forward: make them in __init__, and keep lists of them in an nn.ModuleList."
            )
        parameters = sum(parameter.numel() for parameter in model.parameters())
        return np.array([len(watch.met), parameters, *answer.shape[1:]])


@dataclass(frozen=True, eq=False)
class Answers:
    """The network's answer to these images, with fresh weights, in evaluation mode. Computed in float64, so nothing hangs on rounding."""

    images: Array  # (N, C, H, W)
    seed: int

    def __call__(self, f: Callable[..., Any], *args: Any, **kwargs: Any) -> Tensor | None:
        model = self.build(f, *args, **kwargs)
        if model is None:
            return None
        with torch.no_grad(), FreshWeights(self.seed):
            return _answer(model, torch.tensor(self.images, dtype=torch.float64))

    def build(self, f: Callable[..., Any], *args: Any, **kwargs: Any) -> nn.Module | None:
        with torch.random.fork_rng(devices=[]):  # the notebook's own random numbers go on as if nothing had happened
            torch.manual_seed(self.seed)
            model = as_module(f(*args, **kwargs))
        return None if model is None else model.double().eval()


@dataclass(frozen=True, eq=False)
class Gradient(Answers):
    """How these images would have to change to raise the answers: the gradient goes back through every connection."""

    def __call__(self, f: Callable[..., Any], *args: Any, **kwargs: Any) -> Tensor | None:
        model = self.build(f, *args, **kwargs)
        if model is None:
            return None
        images = torch.tensor(self.images, dtype=torch.float64, requires_grad=True)
        with torch.enable_grad():
            with FreshWeights(self.seed):
                answer = _answer(model, images)
            if not answer.requires_grad:
                raise UnusableAnswerError(NO_GRADIENT)
            answer.backward(torch.from_numpy(np.random.default_rng(self.seed).normal(size=answer.shape)))
        return torch.zeros_like(images) if images.grad is None else images.grad


@dataclass(frozen=True, eq=False)
class Drops(Answers):
    """1 when the network answers differently each time while it trains, as with dropout; 0 when not."""

    def __call__(self, f: Callable[..., Any], *args: Any, **kwargs: Any) -> Tensor | None:
        model = self.build(f, *args, **kwargs)
        if model is None:
            return None
        images = torch.tensor(self.images, dtype=torch.float64)
        with torch.no_grad(), torch.random.fork_rng(devices=[]):
            torch.manual_seed(self.seed)
            model.train()
            first, *others = (
                _answer(model, images) for _ in range(4)
            )  # in a wide network never alike by chance; in a narrow one all ReLUs may be shut
        return torch.tensor(int(any(not torch.equal(first, other) for other in others)))


@dataclass(frozen=True)
class Cropped:
    """The function gets a tensor in place of the array, as it will in a network."""

    def __call__(self, f: Callable[..., Any], x: Array, size: tuple[int, int]) -> Any:
        return f(torch.from_numpy(x), size)


@dataclass(frozen=True)
class Drawn:
    """What the weights look like that were drawn for some layers: for each layer [N, kurtosis, bias].

    Random numbers cannot be compared one by one. N is what their variance 2 / N says, as a multiple of in_channels; the kurtosis is 3 for a normal
    distribution and 1.8 for a uniform one; the bias is the mean of its sizes, in thousandths. All are rounded further than chance goes: of the 23,000 and
    more weights of a layer the variance is off by one per cent.
    """

    layers: tuple[tuple[str, int, int, int | tuple[int, int]], ...]  # kind, in_channels, out_channels, kernel size
    seed: int

    def __call__(self, f: Callable[..., Any], model: str) -> Array | None:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(self.seed)
            made: list[nn.Conv2d | nn.ConvTranspose2d] = []
            for kind, n, m, size in self.layers:
                made.append(nn.ConvTranspose2d(n, m, size, stride=size) if kind == "up" else nn.Conv2d(n, m, size))
            if as_module(f(nn.Sequential(*made))) is None:
                return None
        return np.array([self._seen(layer) for layer in made])

    @staticmethod
    def _seen(layer: nn.Conv2d | nn.ConvTranspose2d) -> list[int]:
        weights = layer.weight.detach().double().numpy()
        variance = float((weights**2).mean())  # around 0, where the weights should lie
        if not variance > 0:
            return [0, 0, 0]
        taps = 2 / variance / layer.in_channels
        kurtosis = (weights**4).mean() / variance**2
        bias = -1.0 if layer.bias is None else float(layer.bias.detach().abs().mean())  # none is not zero
        taps = round(taps) if taps < 30 else float(f"{taps:.0e}")
        return [round(taps * layer.in_channels), round(kurtosis), round(1000 * bias)]


@dataclass(frozen=True)
class OnNetwork:
    """The function gets a U-Net in place of its description: in training mode, and with a dropout that can be seen.

    While training, this dropout always drops the same half of the channels; so whoever forgets `eval()` gets wrong numbers, and the same each time.
    Nor does it take more than a tile with its margins, however many tiles at once.
    """

    depth: int
    seed: int | None  # None: all weights are zero, and the head's biases say 0.25 and 0.75

    def __call__(self, f: Callable[..., Any], model: str, image: Array, tile: int) -> Any:
        class Half(nn.Module):
            def forward(self, x: torch.Tensor) -> torch.Tensor:
                if not self.training:
                    return x
                kept = torch.arange(x.shape[1]) % 2
                return 2 * x * kept[:, None, None]

        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(self.seed or 0)
            network = UNet(widths=(3, 4, 6, 8)[: self.depth + 1])
        network.dropout = Half()  # type: ignore[assignment]
        with torch.no_grad():
            if self.seed is None:
                for parameter in network.parameters():
                    parameter.zero_()
                network.head.bias = nn.Parameter(torch.tensor([0, np.log(3)], dtype=torch.float32))
            else:
                network.head.weight.mul_(3)  # so that the answers are not all alike
        most = tile + 2 * (6 * 2**self.depth - 4)

        def expect_a_tile(network: nn.Module, inputs: tuple[Any, ...]) -> None:
            if any(isinstance(x, Tensor) and max(x.shape[-2:], default=0) > most for x in inputs):
                raise UnusableAnswerError(TOO_MUCH)

        network.register_forward_pre_hook(expect_a_tile)
        return f(network.train(), image.copy(), tile)
