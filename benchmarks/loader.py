"""What a step of training spends its time on, and how much of it goes into the crops.

    OMP_NUM_THREADS=2 python benchmarks/loader.py [--steps 60] [--workers 0]

The recipe is that of `unet-edu train`: 16 to 256 channels, 8 crops of 128×128, turned, bent, brighter or darker, with
the border weight map; the frames are drawn cells. Prints the milliseconds of each part of a step, the median over the
steps, and its share. What is made once a frame, the weight map and the spline through the image, is made before, and
has lines of its own. With workers the crops are made in other processes, and only the waiting for them is seen.

Aim: without workers, on two cores, the crops take less than a tenth of a step. Ends with an error when that is missed.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial
from typing import Any
from unittest.mock import patch

import torch

from unet_edu import training
from unet_edu._running.run import Run
from unet_edu.data.cells import synthetic_cells
from unet_edu.data.elastic import Places
from unet_edu.data.samples import Crops, Frame
from unet_edu.losses import border_weight_map
from unet_edu.training import fit
from unet_edu.unet import UNet

FRAMES, SIDE, CELLS = 8, 512, 60
BATCH = 8
AIM = 0.1  # of a step

# the functions that are a part of a step, without those of the parts inside them
CROPS = {
    "where the pixels come from": [(Crops, "_places"), (Places, "__init__")],
    "image, labels and weights read there": [(Places, "read")],
    "brightness and noise": [(Crops, "_relit")],
    "gaps between cells, tensors": [(Crops, "_sample")],
    "the rest of a crop": [(Crops, "__getitem__")],
    "crops become a batch": [],  # what else the next batch waits for
}
STEP = {
    "forward, loss": [(training, "_loss")],
    "backward": [(torch.Tensor, "backward")],
    "optimiser": [(Run, "update")],
}
WHOLE = "a step"


class Stopwatch:
    """The seconds of each part, without those of the parts inside it."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = defaultdict(float)
        self._inside = [0.0]  # for each part that has begun, what the parts in it have taken

    def run(self, part: str, call: Callable[[], Any]) -> Any:
        self._inside.append(0.0)
        began = time.perf_counter()
        try:
            return call()
        finally:
            took = time.perf_counter() - began
            self.seconds[part] += took - self._inside.pop()
            self._inside[-1] += took

    def watching(self, part: str, owner: Any, name: str) -> Any:
        """A context in which the time of a function of a class or module is taken, whoever calls it."""
        function = getattr(owner, name)
        return patch.object(owner, name, lambda *a, **k: self.run(part, lambda: function(*a, **k)))


def default_crops() -> Crops:
    frames = [Frame(*synthetic_cells(seed, (SIDE, SIDE), cells=CELLS)) for seed in range(FRAMES)]
    return Crops(frames, 128, weight_map=partial(border_weight_map, w0=10.0, sigma=5.0))


def default_network() -> UNet:
    torch.manual_seed(0)
    return UNet(widths=(16, 32, 64, 128, 256), padding="same", norm="batch", dropout=0.5)


def once_a_frame(crops: Crops) -> list[dict[str, float]]:
    """The seconds of what the first crop of each frame waits for."""
    rows = []
    for number in range(len(crops)):
        watch = Stopwatch()
        with watch.watching("weight map", crops, "weight_map"):
            watch.run("spline through the image", lambda number=number: crops._readable(number))
        rows.append(watch.seconds)
    return rows


def profile(crops: Crops, model: UNet, steps: int, workers: int) -> list[dict[str, float]]:
    """The seconds of each part, for each step of a training."""
    watch, rows = Stopwatch(), []
    batches = training._batches

    def watched(*arguments: Any) -> Iterator[Any]:
        stream, began = iter(batches(*arguments)), time.perf_counter()
        for _ in range(steps):
            yield watch.run(list(CROPS)[-1], lambda: next(stream))  # and here the step is made
            now = time.perf_counter()
            rows.append({**watch.seconds, WHOLE: now - began})
            watch.seconds.clear()
            began = now

    with ExitStack() as stack:
        for part, functions in (CROPS | STEP).items():
            for owner, name in functions:
                stack.enter_context(watch.watching(part, owner, name))
        stack.enter_context(patch.object(training, "_batches", watched))
        fit(model, crops, steps=steps, batch_size=BATCH, optimizer="adamw", workers=workers, progress=False)
    return rows


def medians(rows: list[dict[str, float]]) -> dict[str, float]:
    return {part: statistics.median(row[part] for row in rows) for part in rows[0]}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--steps", type=int, default=60)
    parser.add_argument("--workers", type=int, default=0)
    asked = parser.parse_args()
    crops = default_crops()
    print(f"torch {torch.__version__}, {torch.get_num_threads()} threads, {asked.workers} workers")
    for part, seconds in medians(once_a_frame(crops)).items():
        print(f"{1000 * seconds:8.1f} ms   once a frame of {SIDE}×{SIDE}: {part}")
    found = medians(profile(crops, default_network(), asked.steps, asked.workers)[asked.steps // 10 :])
    for part in [*CROPS, *STEP, WHOLE]:
        if part in found:  # a crop of a worker has no parts here
            print(f"{1000 * found[part]:8.1f} ms {found[part] / found[WHOLE]:7.1%}   {part}")
    share = sum(found.get(part, 0) for part in CROPS) / found[WHOLE]
    print(f"The crops take {share:.1%} of a step; the aim without workers is less than {AIM:.0%}.")
    if share >= AIM and not asked.workers:
        sys.exit("missed")


if __name__ == "__main__":
    main()
