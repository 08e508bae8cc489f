"""Where networks compute, and with which numbers: what training and prediction share."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch

__all__ = ["autocast", "best_device", "bf16_is_fast", "channels_last", "chosen_device", "own_device", "randomness"]


def best_device() -> torch.device:
    """The GPU where there is one (NVIDIA or AMD: "cuda", Apple: "mps"), the processor elsewhere."""
    if torch.cuda.is_available():
        return torch.device("cuda")
    return torch.device("mps" if torch.backends.mps.is_available() else "cpu")


def chosen_device(device: str | torch.device | None) -> torch.device:
    """The device asked for, or the best when none is.

    Raises
    ------
    ValueError
        When this machine has no such device.
    """
    if device is None:
        return best_device()
    try:
        place = torch.device(device)
    except RuntimeError:
        raise ValueError(f"device: expected cpu, cuda, cuda:1 or mps, got {device!r}") from None
    if place.type == "cuda":
        is_here = torch.cuda.is_available() and (place.index or 0) < torch.cuda.device_count()
    else:
        is_here = place.type != "mps" or torch.backends.mps.is_available()
    if not is_here:
        raise ValueError(f"device: PyTorch finds no {device} on this machine; leave it out, or take cpu")
    return place


def own_device(device: str | torch.device | None) -> torch.device:
    """The device asked for, or the best; of several GPUs, each process takes its own."""
    place = chosen_device(device)
    if place.type == "cuda" and place.index is None and "LOCAL_RANK" in os.environ:
        place = torch.device("cuda", int(os.environ["LOCAL_RANK"]))
        torch.cuda.set_device(place)
    return place


def bf16_is_fast(device: torch.device) -> bool:
    """Whether convolutions with 16-bit numbers (bfloat16) take less time than with 32 bits.

    They do where the hardware multiplies such numbers: GPUs from NVIDIA's Ampere (2020) on, and processors with
    AVX512-BF16 or AMX. Elsewhere PyTorch computes with them too, but more slowly than with 32 bits (pytorch issue
    118499).
    """
    if device.type == "cuda":
        return torch.version.hip is not None or torch.cuda.get_device_capability(device) >= (8, 0)
    if device.type == "cpu":
        # PyTorch asks the processor, and has no public name for the answer; where the private one is gone, 32 bits are
        # safe
        asks = (getattr(torch.cpu, f"_is_{name}_supported", bool) for name in ("avx512_bf16", "amx_tile"))
        return any(ask() for ask in asks)
    return False


def autocast(device: torch.device, precision: str) -> torch.autocast:
    """A context in which convolutions compute with 16 or with 32 bits.

    Parameters
    ----------
    device : torch.device
    precision : {"auto", "float32", "bfloat16"}
        "auto" is bfloat16 where that is faster.

    Raises
    ------
    ValueError
        When `precision` is none of these.
    """
    if precision not in ("auto", "float32", "bfloat16"):
        raise ValueError(f"precision: expected 'auto', 'float32' or 'bfloat16', got {precision!r}")
    is_short = precision == "bfloat16" or (precision == "auto" and bf16_is_fast(device))
    return torch.autocast(device.type, dtype=torch.bfloat16, enabled=is_short)


def channels_last(device: torch.device) -> torch.memory_format:
    """How images lie in memory: the channels of a pixel side by side, which is what fast convolutions read."""
    return torch.contiguous_format if device.type == "mps" else torch.channels_last


@contextmanager
def randomness(place: torch.device, *numbers: int) -> Iterator[None]:
    """Inside, what dropout leaves out follows from these numbers; outside, nobody notices."""
    with torch.random.fork_rng(devices=[place] if place.type == "cuda" else []):
        torch.manual_seed(int(np.random.SeedSequence(numbers).generate_state(1)[0]))
        yield
