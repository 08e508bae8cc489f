"""Is it the same training? On another device, a second time, and after it was killed. Parts of `gpu.py`."""

from __future__ import annotations

import multiprocessing
import os
import signal
import tempfile
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from in_parts import Row
from unet_speed import Fixed, drawn

from unet_edu._running.devices import autocast, channels_last
from unet_edu.losses import weighted_cross_entropy
from unet_edu.training import _loss, fit
from unet_edu.unet import UNet

Case = tuple[int, int, dict[str, Any]]
"""Images in a batch, their side, and the network's arguments."""


class Fresh(Fixed):
    """Another sample for each n. When the fatal one is asked for, this process is killed."""

    def __init__(self, side: int, fatal: int | None = None) -> None:
        super().__init__(side)
        self.fatal = fatal

    def __getitem__(self, n: int) -> tuple[np.ndarray, ...]:
        if n == self.fatal:
            os.kill(os.getpid(), signal.SIGKILL)
        return drawn(n, self.side)


def losses(
    case: Case,
    steps: int,
    device: str | torch.device,
    *,
    deterministic: bool = False,
    fatal: int | None = None,
    **options: Any,
) -> list[float]:
    """Of each step of a training that is the same whenever it is asked for."""
    torch.use_deterministic_algorithms(deterministic, warn_only=True)
    torch.manual_seed(0)
    count, side, arguments = case
    model, data = UNet(**arguments), Fresh(side, fatal)
    return fit(model, data, steps=steps, batch_size=count, device=device, progress=False, **options).losses


def apart(some: Sequence[float], others: Sequence[float]) -> float:
    """The largest difference between two runs, as a part of the mean loss."""
    return float(np.abs(np.array(some) - np.array(others)).max() / np.mean(others))


def agree(case: Case, device: torch.device) -> Iterator[Row]:
    """The first 20 losses here, beside those of the processor with 32 bits."""
    count, side, arguments = case
    case = (count, side, arguments | {"dropout": 0.0})  # what is left out is drawn, and each device draws other numbers
    expected = losses(case, 20, "cpu", precision="float32")
    # Another order of sums changes the last bit of a number. When all weights were changed in it, these losses moved by
    # 1.3e-4 of their mean, and by 1.2e-3 in the last bit of TF32; bfloat16 moved them by 2.6e-3. About 8 times that:
    allowed = {"float32": 1e-3, "TF32": 1e-2, "bfloat16": 2e-2}
    for numbers, most in allowed.items():
        torch.backends.cudnn.allow_tf32 = numbers == "TF32"
        found = losses(case, 20, device, precision=numbers.replace("TF32", "float32"))
        row = {"what": f"20 losses in {numbers}", "from_the_processor": apart(found, expected), "allowed": most}
        yield row if row["from_the_processor"] <= most else row | {"failed": "not the same training"}


def determinism(case: Case, device: torch.device) -> Iterator[Row]:
    """Whether two trainings have the same losses to the last bit; and if not, where they part."""
    for deterministic in (False, True):
        with warnings.catch_warnings(record=True) as said:
            warnings.simplefilter("always")
            first, second = (losses(case, 20, device, deterministic=deterministic, lr=1e-4) for _ in range(2))
            layers = restless(case, device)
        yield {
            "what": f"two runs, torch.use_deterministic_algorithms({deterministic})",
            "same_bits": first == second,
            "apart": apart(first, second),
            "gradients_differ_in": layers,
            "torch_says": sorted({str(w.message)[:200] for w in said if "determin" in str(w.message)}),
        }


def restless(case: Case, device: torch.device) -> list[str]:
    """The weights whose gradient is not the same in five ways back from the same loss."""
    count, side, arguments = case
    model = UNet(**arguments | {"dropout": 0.0}).to(device, memory_format=channels_last(device))
    batch = [torch.as_tensor(np.stack([part] * count)) for part in drawn(0, side)]
    found: list[dict[str, torch.Tensor]] = []
    for _ in range(5):
        model.zero_grad()
        with autocast(device, "auto"):
            loss, _ = _loss(model, batch, device, weighted_cross_entropy)
        loss.backward()
        found.append({name: weight.grad.clone() for name, weight in model.named_parameters()})
    return [name for name in found[0] if not all(torch.equal(found[0][name], other[name]) for other in found)]


def resume(case: Case, device: torch.device) -> Iterator[Row]:
    """A training that is killed in step 48 of 60 and goes on from its checkpoint, beside two that nobody disturbs."""
    options = {"optimizer": "adamw", "lr": 3e-4, "validate_every": 20, "deterministic": True}
    with tempfile.TemporaryDirectory() as place:
        kept = options | {"folder": place, "resume": True}
        victim = multiprocessing.get_context("spawn").Process(
            target=losses, args=(case, 60, device), kwargs={"fatal": 47 * case[0], **kept}
        )
        victim.start()
        victim.join()  # Python then tells of a "leaked semaphore": what the dead process could not clear away
        if victim.exitcode != -signal.SIGKILL:
            raise RuntimeError(f"the process that was to be killed ended by itself, with {victim.exitcode}")
        step = torch.load(Path(place) / "last.pt", weights_only=True)["step"]
        resumed = losses(case, 60, device, **kept)
    alone, again = (losses(case, 60, device, **options) for _ in range(2))
    row = {"what": f"killed in step 48, went on from step {step}", "from_undisturbed": apart(resumed, alone)}
    row["two_undisturbed"] = apart(again, alone)
    # to the last bit where two undisturbed runs are so, too
    is_same = step == 40 and row["from_undisturbed"] <= 10 * row["two_undisturbed"]
    yield row if is_same else row | {"failed": "not the losses of a training that nobody killed"}
