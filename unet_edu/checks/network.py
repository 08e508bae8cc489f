"""How a network is asked what it computes, whatever its parts are called.

A student's network cannot be compared layer by layer: the names, the order in which layers were made, modules or
functions are free. So it gets fresh weights, always in the order in which the image meets its convolutions, and fresh
images; and what comes out is compared with what the reference gives for the same weights and images. A skip connection
that is joined to the wrong tensor has the right shape and the right number of parameters; but it gives other numbers.

All probes are here, those of one exercise too: a grader sends them into a sandbox, where the lessons' modules, with
their references, are not. So no probe knows what is right. This module imports PyTorch; so lessons import it only where
they make cases.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from unet_edu.checks.answer import UnusableAnswerError
from unet_edu.unet import UNet

__all__ = [
    "Answers",
    "Built",
    "Cropped",
    "Drawn",
    "Drops",
    "FreshWeights",
    "Gradient",
    "Inside",
    "OnNetwork",
    "Trained",
    "as_module",
]

Array = NDArray[Any]

# The images are so loud that a cap at 6 is met everywhere (ReLU6), and the biases with them.
LOUDNESS = 10

CONVOLUTIONS = (torch.conv2d, torch.conv_transpose2d)
MOVES = (Tensor.to, Tensor.cuda)
DROPOUTS = (F.dropout, F.dropout1d, F.dropout2d, F.dropout3d, F.alpha_dropout, F.feature_alpha_dropout, torch.dropout)
DROPOUT_IS_ON = (
    "Your network drops features at random in evaluation mode, too, so it answers differently each time. F.dropout(x) "
    "is always on: nn.Dropout and F.dropout(x, training=self.training) obey eval()."
)

DROPOUT_ELSEWHERE = (
    "Your network drops features where it should not. Dropout has its place at the end of the way down, after the "
    "block before the first step up, or the one before that; there is none on the image, on the copies alone, on the "
    "way up or before the head, nor within a double convolution."
)
DROPS_ALL = (
    "Your dropout has p = 1: while it trains, your network drops everything, and learns nothing. p is the share that "
    "is dropped."
)
TRAINS_OTHERWISE = (
    "While it trains, your network computes something else than in evaluation mode, and not by dropout. Is there batch "
    "normalisation in it, or does a line ask for self.training? (The check knows dropout by nn.Dropout and F.dropout.)"
)
NO_CONVOLUTION = (
    "Your network has weights that no convolution uses. The check gives fresh weights to convolutions alone: "
    "nn.Conv2d and nn.ConvTranspose2d, or F.conv2d and F.conv_transpose2d. Is a layer made and not used? Or is a "
    "convolution written in another way, as nn.Linear, or by unfold and einsum? That may be right, but it cannot be "
    "checked here: write it as a convolution."
)
NO_GRADIENT = "No gradient comes back through your network. Is there a detach(), a no_grad() or a .data on the way?"
FROZEN = "Some weights of your network are frozen: their requires_grad is False, so they would never learn."
TOO_MUCH = (
    "You gave the network more than one tile with its margin on each side. The image may be larger than any memory: "
    "cut it into tiles."
)
NOT_AROUND_ZERO = (
    "Your weights do not lie around 0: their mean is another number. Draw them with mean 0. (In normal_(w, s) the "
    "second argument is the mean; write normal_(w, std=s).)"
)
NOT_DRAWN_ONE_BY_ONE = (
    "Your weights are not drawn one by one: some are copies of others, they stand in an order, or a whole channel "
    "prefers one sign. Then what should be different channels is alike. Draw every weight of a layer by itself."
)
DRAWN_AGAIN = (
    "Two of your layers have the same random numbers. Is the seed set anew for each layer? Set it once, before all, "
    "or not at all."
)
ALL_ZERO = (
    "All weights of a layer are 0. Then all its channels are alike, and stay alike however long the network learns. "
    "Draw them."
)
ANOTHER_LEARNED = (
    "Your losses change, but the network that you were given is the same as before: another one learned, perhaps a "
    "copy of it. Whoever calls your function wants this network trained: give model.parameters() to the optimizer."
)

# What a grader may pass on of what was said in a fresh case.
SAYINGS = (
    *(DROPOUT_IS_ON, DROPOUT_ELSEWHERE, DROPS_ALL, TRAINS_OTHERWISE, NO_CONVOLUTION, NO_GRADIENT, FROZEN, TOO_MUCH),
    *(NOT_AROUND_ZERO, NOT_DRAWN_ONE_BY_ONE, DRAWN_AGAIN, ALL_ZERO, ANOTHER_LEARNED),
)


class FreshWeights(TorchFunctionMode):
    """While it is active, each convolution gets new weights and biases when an image meets it for the first time.

    They depend on the seed, on how many convolutions came before, and on their shape; not on names. With no seed, the
    weights stay.

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
        elif func in MOVES and args[0].is_meta and _names_a_device((*args[1:], *kwargs.values())):
            # Where nothing is computed, there are no numbers that could be moved: .to(device) does nothing.
            return args[0]
        elif func in DROPOUTS and _training(args, kwargs):
            return self._drop(func, args, kwargs)
        return func(*args, **kwargs)

    def _drop(self, func: Any, args: Any, kwargs: Any) -> Any:
        raise UnusableAnswerError(DROPOUT_IS_ON)

    def _meet(self, weight: Tensor, bias: Tensor | None, is_transposed: bool) -> None:
        if any(weight is known for known, _ in self.met):
            return
        if self.seed is not None:
            rng = np.random.default_rng((self.seed, len(self.met)))
            summed = weight.shape[0] if is_transposed else math.prod(weight.shape[1:])
            with torch.no_grad():
                weight.copy_(torch.from_numpy(rng.normal(0, math.sqrt(2 / max(1, summed)), weight.shape)))
                if bias is not None:
                    bias.copy_(torch.from_numpy(rng.normal(0, 0.1 * LOUDNESS, bias.shape)))
        self.met.append((weight, bias))


def _names_a_device(given: tuple[Any, ...]) -> bool:
    return any(isinstance(to, str | torch.device) for to in given)


def _training(args: Any, kwargs: Any) -> bool:
    """Whether a dropout is on, by what it was given: `torch.nn.functional` names it always, `torch.dropout` has it
    third."""
    is_on: bool = kwargs.get("training", kwargs.get("train", args[2] if len(args) > 2 else False))
    return is_on


class Undropped(FreshWeights):
    """Fresh weights for a network that trains, and dropout that drops nothing.

    Attributes
    ----------
    dropped : list of (int, float)
        For each dropout, how many convolutions came before it, and the share that it would drop.
    steps_up : list of int
        For each transposed convolution, how many convolutions came before it.
    """

    def __init__(self, seed: int | None) -> None:
        super().__init__(seed)
        self.dropped: list[tuple[int, float]] = []
        self.steps_up: list[int] = []

    def _meet(self, weight: Tensor, bias: Tensor | None, is_transposed: bool) -> None:
        if is_transposed:
            self.steps_up.append(len(self.met))
        super()._meet(weight, bias, is_transposed)

    def _drop(self, func: Any, args: Any, kwargs: Any) -> Any:
        named = dict(zip(("input", "p"), args, strict=False)) | kwargs
        share = float(named.get("p", 0.5))
        if share > 0:
            self.dropped.append((len(self.met), share))
        return named["input"]

    def expect_dropout_at_the_end_of_the_way_down(self) -> None:
        end = self.steps_up[0] if self.steps_up else math.inf
        if any(place not in (end - 2, end) for place, _ in self.dropped):
            raise UnusableAnswerError(DROPOUT_ELSEWHERE)
        if any(share >= 1 for _, share in self.dropped):
            raise UnusableAnswerError(DROPS_ALL)


class DroppedWhole(Undropped):
    """The same, and dropout that drops everything: then one sees whether the way down goes through it, or a copy
    alone."""

    def __init__(self, seed: int | None) -> None:
        super().__init__(seed)
        self.goes_on = True

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if func is torch.conv2d and self.dropped and self.dropped[-1][0] == len(self.met):
            given = args[0] if args else (kwargs or {})["input"]
            self.goes_on &= not given.any()
        return super().__torch_function__(func, types, args, kwargs)

    def _drop(self, func: Any, args: Any, kwargs: Any) -> Any:
        return torch.zeros_like(super()._drop(func, args, kwargs))


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
    """`[convolutions, parameters, *shape]` for images of this shape, where `shape` is that of one image's answer.
    Nothing is computed, so the full network costs nothing."""

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
                f"{unknown} of your {len(watch.met)} convolutions are not in model.parameters(), so they would never "
                "learn. Layers in a plain list or dictionary are not found, nor are layers made anew in forward: "
                "make them in __init__, and keep lists of them in an nn.ModuleList."
            )
        used = {id(weight) for weight, _ in watch.met}
        if any(parameter.ndim > 1 and id(parameter) not in used for parameter in model.parameters()):
            raise UnusableAnswerError(NO_CONVOLUTION)
        if not all(parameter.requires_grad for parameter in model.parameters()):
            raise UnusableAnswerError(FROZEN)
        parameters = sum(parameter.numel() for parameter in model.parameters())
        return np.array([len(watch.met), parameters, *answer.shape[1:]])


@dataclass(frozen=True, eq=False)
class Answers:
    """The network's answer to these images, with fresh weights, in evaluation mode. Computed in float64, so nothing
    hangs on rounding.

    While it trains, a network of convolutions gives the same answer, but for its dropout; and that has its place.
    """

    images: Array  # (N, C, H, W)
    seed: int

    def __call__(self, f: Callable[..., Any], *args: Any, **kwargs: Any) -> Tensor | None:
        model = self.build(f, *args, **kwargs)
        if model is None:
            return None
        images = LOUDNESS * torch.tensor(self.images, dtype=torch.float64)
        with torch.no_grad():
            with FreshWeights(self.seed):
                answer = _answer(model, images.clone())
            with Undropped(self.seed) as watch:
                in_training = _answer(model.train(), images)
            watch.expect_dropout_at_the_end_of_the_way_down()
            with DroppedWhole(self.seed) as dropped:
                _answer(model, images)
            if not dropped.goes_on:
                raise UnusableAnswerError(DROPOUT_ELSEWHERE)
        if in_training.shape != answer.shape or not torch.allclose(in_training, answer):
            raise UnusableAnswerError(TRAINS_OTHERWISE)
        return answer

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
        images = (LOUDNESS * torch.tensor(self.images, dtype=torch.float64)).requires_grad_()
        with torch.enable_grad():
            with FreshWeights(self.seed):
                answer = _answer(model, images)
            if not answer.requires_grad:
                raise UnusableAnswerError(NO_GRADIENT)
            answer.backward(torch.from_numpy(np.random.default_rng(self.seed).normal(size=answer.shape)))
        return torch.zeros_like(images) if images.grad is None else images.grad


@dataclass(frozen=True, eq=False)
class Drops(Answers):
    """Where features get lost while the network trains: a number for what each convolution is given, in their order,
    and one for the answer.

    0 when it is the same as in evaluation mode, 1 when it is another and hardly anything is lost, 2 when a good part
    is, 3 when hardly anything is left. Each convolution is given what it gets in evaluation mode; so a loss is seen in
    one place, and not in all that follow.
    """

    def __call__(self, f: Callable[..., Any], *args: Any, **kwargs: Any) -> Tensor | None:
        model = self.build(f, *args, **kwargs)
        if model is None:
            return None
        images = torch.tensor(self.images, dtype=torch.float64)
        with torch.no_grad(), torch.random.fork_rng(devices=[]):
            torch.manual_seed(self.seed)
            with Followed([]) as evaluated:
                answer = _answer(model, images)
            with Followed(evaluated.inputs) as trained:
                in_training = _answer(model.train(), images)
        if len(trained.inputs) != len(evaluated.inputs):
            raise UnusableAnswerError(TRAINS_OTHERWISE)
        pairs = zip([*evaluated.inputs, answer], [*trained.inputs, in_training], strict=True)
        return torch.tensor([_lost(before, after) for before, after in pairs])


class Followed(TorchFunctionMode):
    """Keeps what each convolution is given when it is first met. Where `instead` has something for it, it computes with
    that."""

    def __init__(self, instead: list[Tensor]) -> None:
        super().__init__()
        self.instead = instead
        self.inputs: list[Tensor] = []
        self.weights: list[Tensor] = []

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if func not in CONVOLUTIONS:
            return func(*args, **(kwargs or {}))
        named = dict(zip(("input", "weight"), args, strict=False)) | (kwargs or {})
        n = next((n for n, known in enumerate(self.weights) if known is named["weight"]), len(self.weights))
        if n == len(self.weights):
            self.weights.append(named["weight"])
            self.inputs.append(named["input"])
        if n < len(self.instead):
            named["input"] = self.instead[n]
        return func(*(named.pop("input"), named.pop("weight")), *args[2:], **named)


def _lost(before: Tensor, after: Tensor) -> int:
    """How much of what is not 0 before is 0 after: see `Drops`."""
    if before.shape != after.shape:
        raise UnusableAnswerError(TRAINS_OTHERWISE)
    if torch.allclose(before, after):
        return 0
    share = float((after[before != 0] == 0).double().mean())
    return 1 if share < 0.05 else 2 if share < 0.95 else 3


# What `Inside` tells of a convolution, and of each part of what it is given; and what may have been done on the way.
FACTS = (
    *("kind", "n_in", "n_out", "kernel_rows", "kernel_columns", "stride", "dilation", "groups", "padding", "bias"),
    *("rows", "columns", "rows_out", "columns_out", "axes", "least", "sums_to_1", "mix"),
)
PART = ("channels", "source", "first", "activation", "pooling", "top", "left", "learns_from")
CONVOLUTION, TRANSPOSED, ANSWER = 0, 1, 2  # the kinds
MOST_ROWS, MOST_PARTS = 40, 6
USUAL = 2  # of the activations, and of the poolings: those that come first
ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "ReLU": torch.relu,
    "": lambda y: y,
    "ReLU6": F.relu6,
    "leaky ReLU": F.leaky_relu,
    "ELU": F.elu,
    "GELU": F.gelu,
    "sigmoid": torch.sigmoid,
    "tanh": torch.tanh,
    "softmax": lambda y: y.softmax(0),
    "log-softmax": lambda y: y.log_softmax(0),
}
POOLINGS: dict[str, Callable[[Tensor], Tensor]] = {
    "": lambda y: y,
    "largest": lambda y: F.max_pool2d(y, 2),
    "mean": lambda y: F.avg_pool2d(y, 2),
    "first": lambda y: y[..., ::2, ::2],
}


@dataclass(frozen=True, eq=False)
class Inside(Answers):
    """What happens in the network: a row of `FACTS` for each convolution that an image meets, the first `MOST_ROWS` of
    them, and one for the answer.

    After them come the parts of what it is given, at most `MOST_PARTS`, with the numbers of `PART` each: channels that
    come from one `source` (0 is the image, 1 the first convolution; -1 is unknown), and how. `learns_from` are the
    sources to which a gradient goes back from there, a bit for each.
    """

    def __call__(self, f: Callable[..., Any], *args: Any, **kwargs: Any) -> Array | None:  # type: ignore[override]
        model = self.build(f, *args, **kwargs)
        if model is None:
            return None
        traced = Traced(self.seed, LOUDNESS * torch.tensor(self.images, dtype=torch.float64))
        with torch.enable_grad():
            with traced:
                answer = _answer(model, traced.sources[0].clone())
            traced.see(answer.double(), {"kind": ANSWER})
        return np.nan_to_num(np.array(traced.table))


Way = tuple[int, int, int]  # a source, and the numbers of the activation and of the pooling that follow it


class Origin(NamedTuple):
    """Where a channel comes from: see `PART`."""

    source: int
    channel: int
    activation: int
    pooling: int
    top: int
    left: int

    def beside(self, step: int) -> Origin:
        """The origin of another channel, if both come from one source."""
        return self if self.source < 0 else self._replace(channel=self.channel + step)


UNKNOWN = Origin(-1, 0, list(ACTIVATIONS).index(""), 0, 0, 0)


class Traced(FreshWeights):
    """Writes `Inside`'s table. What a convolution gives goes on as if it came from nowhere; so a gradient goes back to
    the convolutions just before, and no further."""

    def __init__(self, seed: int, images: Tensor) -> None:
        super().__init__(seed)
        self.sources = [images.requires_grad_()]
        self.table: list[list[float]] = []
        self._calls: list[tuple[Tensor, Tensor]] = []
        self._known: dict[Way, Tensor] = {}
        self._sorted: dict[Way, Tensor] = {}

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        y = super().__torch_function__(func, types, args, kwargs)
        if func not in CONVOLUTIONS or len(self.table) == MOST_ROWS:
            return y
        is_transposed = func is torch.conv_transpose2d
        names = ["output_padding", "groups", "dilation"] if is_transposed else ["dilation", "groups"]
        named = dict(zip(["input", "weight", "bias", "stride", "padding", *names], args, strict=False)) | (kwargs or {})
        x, weight = named["input"], named["weight"]
        for n, (known, given) in enumerate(self._calls, 1):
            if known is weight and torch.equal(given, x):  # computed once more
                return self.sources[n].clone()
        self._calls.append((weight, x.detach().clone()))
        facts = {"kind": TRANSPOSED if is_transposed else CONVOLUTION, "n_in": x.shape[-3], "n_out": y.shape[-3]}
        facts |= dict(zip(("kernel_rows", "kernel_columns"), weight.shape[2:], strict=True))
        facts |= dict(zip(("rows_out", "columns_out"), y.shape[-2:], strict=True))
        facts |= {name: np.ravel(named.get(name, 1))[0] for name in ("stride", "dilation", "groups")}
        self.see(x, facts | {"bias": named.get("bias") is not None})
        self.sources.append(y.detach().requires_grad_())
        return self.sources[-1].clone()  # a ReLU may work in place

    def see(self, x: Tensor, facts: dict[str, float]) -> None:
        """Write a row for what a convolution is given, or for the answer."""
        axes, x = x.ndim, x.reshape(-1, *x.shape[-3:])[0] if x.ndim > 2 else x.reshape(1, 1, -1)
        plain = x.detach()
        while min(plain.shape[-2:]) > 2 and not (plain.any(0) & _ring(plain)).any():
            plain = plain[:, 1:-1, 1:-1]  # padded by hand
        facts |= {"rows": plain.shape[-2], "columns": plain.shape[-1], "axes": axes, "least": float(plain.min())}
        facts |= {"mix": float((plain * self._noise(plain)).mean())}
        facts |= {"sums_to_1": torch.allclose(plain.sum(0), torch.ones(()).double())}
        if facts["kind"] == CONVOLUTION:
            reach = facts["dilation"] * (facts["kernel_rows"] - 1) + 1
            facts["padding"] = ((facts["rows_out"] - 1) * facts["stride"] + reach - facts["rows"]) // 2
        row = [float(facts.get(name, 0)) for name in FACTS]
        before = 0
        for channels, origin in self._parts(plain):
            row += [channels, *origin, self._learns_from(x[before : before + channels])]
            before += channels
        self.table.append(row + [0.0] * (len(FACTS) + MOST_PARTS * len(PART) - len(row)))

    def _noise(self, x: Tensor) -> Tensor:
        return torch.from_numpy(np.random.default_rng(self.seed).normal(size=x.shape))

    def _learns_from(self, x: Tensor) -> int:
        """The sources to which a gradient goes back, as bits."""
        if not x.requires_grad:
            return 0
        total = (x * self._noise(x)).sum()
        back = torch.autograd.grad(total, self.sources, retain_graph=True, allow_unused=True)
        return sum(1 << n for n, gradient in enumerate(back) if gradient is not None and gradient.any())

    def _parts(self, x: Tensor) -> list[tuple[int, Origin]]:
        """Runs of channels that come from one source: how many, and the origin of the first."""
        origins = self._origins(x)
        steps = [*range(1, len(x))], [*reversed(range(len(x) - 1))]
        for step, places in zip((1, -1), steps, strict=True):  # a channel of 0s alone may come from anywhere
            for n in places:
                if self._is_from(x[n], near := origins[n - step].beside(step)):
                    origins[n] = near
        starts = [n for n in range(len(x)) if n == 0 or origins[n] != origins[n - 1].beside(1)]
        parts = [(end - n, origins[n]) for n, end in zip(starts, [*starts[1:], len(x)], strict=True)]
        if len(parts) > MOST_PARTS:  # the rest is one
            parts[MOST_PARTS - 1 :] = [(len(x) - starts[MOST_PARTS - 1], UNKNOWN)]
        return parts

    def _origins(self, x: Tensor) -> list[Origin]:
        """Where each channel comes from: its largest number is sought in all that came before."""
        origins = [UNKNOWN] * len(x)
        peaks = x.flatten(1).max(1).values
        is_open = peaks != x.flatten(1).min(1).values
        last = len(self.sources) - 1
        ways = list(itertools.product(range(last, -1, -1), range(len(ACTIVATIONS)), range(len(POOLINGS))))
        usual = [way for way in ways if max(way[1:]) < USUAL]
        # What is unusual is sought in what came just before: all ways from everywhere would take seconds.
        for way in (*usual, *(way for way in ways if way[0] == last)):
            source = self._after(way)
            if source.shape[-2] < x.shape[-2] or source.shape[-1] < x.shape[-1]:
                continue
            for n in (is_open & self._are_in(way, peaks)).nonzero()[:, 0].tolist():
                row, column = divmod(int(x[n].argmax()), x.shape[-1])
                for channel, i, j in (source == peaks[n]).nonzero().tolist()[:9]:
                    origin = Origin(way[0], channel, *way[1:], i - row, j - column)
                    if self._is_from(x[n], origin):
                        origins[n], is_open[n] = origin, False
            if not is_open.any():
                break
        return origins

    def _is_from(self, x: Tensor, origin: Origin) -> bool:
        n, channel, activation, pooling, top, left = origin
        if min(n, channel, top, left) < 0:
            return False
        there = self._after((n, activation, pooling))[channel : channel + 1]
        return torch.equal(there[:, top : top + x.shape[0], left : left + x.shape[1]], x[None])

    def _are_in(self, way: Way, numbers: Tensor) -> Tensor:
        """Which of the numbers are among those that come this way."""
        if way not in self._sorted:
            self._sorted[way] = self._after(way).flatten().sort().values
        places = torch.searchsorted(self._sorted[way], numbers).clamp(max=len(self._sorted[way]) - 1)
        return self._sorted[way][places] == numbers

    def _after(self, way: Way) -> Tensor:
        """All numbers that come this way."""
        if way not in self._known:
            n, activation, pooling = way
            given = self.sources[n].detach()
            active = [*ACTIVATIONS.values()][activation](given.reshape(-1, *given.shape[-3:])[0])
            self._known[way] = active if min(active.shape[-2:]) < 2 else [*POOLINGS.values()][pooling](active)
        return self._known[way]


def _ring(x: Tensor) -> Tensor:
    """Where the outermost pixels are."""
    ring = torch.ones(x.shape[-2:], dtype=torch.bool)
    ring[1:-1, 1:-1] = False
    return ring


@dataclass(frozen=True)
class Cropped:
    """The function gets a tensor in place of the array, as it will in a network."""

    gives_own_answer = True

    def __call__(self, f: Callable[..., Any], x: Array, size: tuple[int, int]) -> Any:
        return f(torch.from_numpy(x), size)


@dataclass(frozen=True)
class Drawn:
    """What the weights look like that were drawn for some layers: for each layer [N, kurtosis, bias].

    Random numbers cannot be compared one by one. N is what their variance 2 / N says, as a multiple of in_channels; the
    kurtosis is 3 for a normal distribution and 1.8 for a uniform one; the bias is the mean of its sizes, in
    thousandths. All are rounded further than chance goes: of the 23,000 and more weights of a layer the variance is off
    by one per cent.
    """

    describes = ("how widely the weights are spread", "the kind of their distribution", "the biases")

    layers: tuple[tuple[str, int, int, int | tuple[int, int]], ...]  # kind, in_channels, out_channels, kernel size
    seed: int

    def __call__(self, f: Callable[..., Any], model: str) -> Array | None:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(self.seed)
            made: list[nn.Conv2d | nn.ConvTranspose2d] = []
            for kind, n, m, size in self.layers:
                made.append(nn.ConvTranspose2d(n, m, size, stride=size) if kind == "up" else nn.Conv2d(n, m, size))
            # A layer deep within others, as in a U-Net. No image goes through, so the list in between does no harm.
            inner = [nn.Sequential(nn.ModuleList([nn.Sequential(layer)])) for layer in made[1:2]]
            if as_module(f(nn.Sequential(*made[:1], *inner, *made[2:]))) is None:
                return None
        for layer in made:
            _expect_drawn(layer.weight.detach().double().numpy())
        _expect_other_draws([layer.weight.detach().double().numpy().ravel()[:1000] for layer in made])
        return np.array([self._seen(layer) for layer in made])

    @staticmethod
    def _seen(layer: nn.Conv2d | nn.ConvTranspose2d) -> list[int]:
        weights = layer.weight.detach().double().numpy()
        variance = float((weights**2).mean())  # around 0, where the weights should lie
        taps = 2 / variance / layer.in_channels
        kurtosis = (weights**4).mean() / variance**2
        bias = -1.0 if layer.bias is None else float(layer.bias.detach().abs().mean())  # none is not zero
        taps = round(taps) if 0.5 < taps < 30 else float(f"{taps:.0e}")
        return [round(taps * layer.in_channels), round(kurtosis), round(1000 * bias)]


def _expect_drawn(weights: Array) -> None:
    """Refuse weights whose mean is not 0, or that hang together. Those that are drawn one by one are hardly ever
    refused: once in millions."""
    if not weights.any():
        raise UnusableAnswerError(ALL_ZERO)
    weights = weights / np.sqrt((weights**2).mean())
    has_copies = len(np.unique(np.abs(weights))) < 0.9 * weights.size
    if not has_copies and abs(weights.mean()) * math.sqrt(weights.size) > 7:  # of a normal distribution with variance 1
        raise UnusableAnswerError(NOT_AROUND_ZERO)
    if has_copies or any(_hang_together(weights, axis) for axis in range(4)):
        raise UnusableAnswerError(NOT_DRAWN_ONE_BY_ONE)


def _expect_other_draws(beginnings: list[Array]) -> None:
    """Refuse the same random numbers in one layer after the other, as from a seed that is set for each."""
    for one, other in itertools.combinations(beginnings, 2):
        if abs(one @ other) > 0.5 * np.linalg.norm(one) * np.linalg.norm(other):
            raise UnusableAnswerError(DRAWN_AGAIN)


def _hang_together(weights: Array, axis: int) -> bool:
    """Whether each weight resembles the next one along an axis, or the means along it are larger than chance makes
    them."""
    one, other = np.delete(weights, 0, axis).ravel(), np.delete(weights, -1, axis).ravel()
    means = np.moveaxis(weights, axis, 0).reshape(weights.shape[axis], -1).mean(axis=1)
    squares = means**2 * (weights.size / means.size)  # each is 1 on average, and varies by √2
    is_alike = abs(one @ other) > 8 * math.sqrt(one.size)
    return bool(is_alike or squares.mean() > 1 + 8 * math.sqrt(2 / means.size) + 40 / means.size)


class Half(nn.Module):
    """A dropout that always drops the same half of the channels, those with even numbers: so it can be seen."""

    def forward(self, x: Tensor) -> Tensor:
        if not self.training:
            return x
        kept = torch.arange(x.shape[1]) % 2
        return 2 * x * kept[:, None, None]


@dataclass(frozen=True)
class OnNetwork:
    """The function gets a U-Net in place of its description: in training mode, and with a dropout that can be seen.

    While training, this dropout always drops the same half of the channels; so whoever forgets `eval()` gets wrong
    numbers, and the same each time. Nor does it take more than a tile with its margins, however many tiles at once.
    """

    gives_own_answer = True

    depth: int
    seed: int | None  # None: all weights are zero, and the head's biases say 0.25 and 0.75

    def __call__(self, f: Callable[..., Any], model: str, image: Array, tile: int) -> Any:
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


@dataclass(frozen=True)
class Trained:
    """The function gets a small network to train in place of its description, in evaluation mode, and tensors.

    It has a dropout that can be seen, as in `OnNetwork`; computed in float64, so nothing hangs on rounding.
    """

    gives_own_answer = True

    seed: int | None  # None: the dropout and a 1×1 convolution whose weights are zero

    def __call__(
        self,
        f: Callable[..., Any],
        model: str,
        images: Array,
        labels: Array,
        weights: Array,
        lr: float,
        steps: int,
    ) -> Any:
        n, classes = images.shape[1], int(labels.max()) + 1
        if self.seed is None:
            network = nn.Sequential(Half(), nn.Conv2d(n, classes, 1))
        else:
            network = nn.Sequential(nn.Conv2d(n, 6, 3, padding=1), nn.ReLU(), Half(), nn.Conv2d(6, classes, 1))
        rng = np.random.default_rng(self.seed)
        with torch.no_grad():
            for parameter in network.double().parameters():
                scale = 0.0 if self.seed is None else math.sqrt(2 / max(1, math.prod(parameter.shape[1:])))
                parameter.copy_(torch.from_numpy(rng.normal(0, 1, parameter.shape) * scale))
        given = (torch.tensor(images * 1.0), torch.tensor(labels), torch.tensor(weights * 1.0))
        before = [parameter.detach().clone() for parameter in network.parameters()]
        with torch.enable_grad():
            answer = f(network.eval(), *given, lr, steps)
        is_untouched = all(map(torch.equal, before, network.parameters()))
        # Equal losses have a hint of their own: nothing was learned.
        if is_untouched and isinstance(answer, list | tuple) and len(set(map(str, answer))) > 1:
            raise UnusableAnswerError(ANOTHER_LEARNED)
        return answer
