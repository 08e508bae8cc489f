"""How long the U-Net in the page takes for one picture, in a headless Chromium, beside PyTorch on one thread.

    python benchmarks/explainer.py

The network is the course's own, `cells`. Chromium and PyTorch take turns, five passes each, so that what else the
machine does slows both. The aim: a median of at most 100 ms for 128×128 with WebAssembly. All maps are kept, as the
explorer needs them; PyTorch keeps none.
"""

from __future__ import annotations

import base64
import statistics
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from playwright.sync_api import Page

sys.path.insert(0, str(Path(__file__).parents[1]))
from tests.explorers.browser import ROOT, chromium
from unet_edu.data import pretrained
from unet_edu.data.cells import synthetic_cells
from unet_edu.explore.unet.export import described

SIDES = (96, 128)
ROUNDS, PASSES = 20, 5
AIM = 100  # milliseconds

LOAD = """async ([module, description]) => {
    const { load } = await import(`data:text/javascript;base64,${module}`);
    window.nets = { simd: await load(description), plain: await load(description, { simd: false }) };
    return nets.simd.simd;
}"""
# One pass by `run`'s own clock: from the picture to the probability.
RUN = """([engine, image, side, passes]) => {
    const picture = Float32Array.from(image);
    return Array.from({ length: passes }, () => nets[engine].run(picture, { rows: side, columns: side }).milliseconds);
}"""


def in_torch(model: torch.nn.Module, image: torch.Tensor) -> list[float]:
    times = []
    with torch.inference_mode():
        for _ in range(PASSES):
            began = time.perf_counter()
            model(image).softmax(1)
            times.append(1000 * (time.perf_counter() - began))
    return times


def measure(page: Page, model: torch.nn.Module, side: int) -> dict[str, list[float]]:
    """Milliseconds of each way, from turns that go round. The first turn warms up."""
    image, _ = synthetic_cells(10_000, (side, side))
    tensor, values = torch.from_numpy(image)[None, None], image.ravel().tolist()
    ways: dict[str, Any] = {
        "PyTorch, one thread": lambda: in_torch(model, tensor),
        "WebAssembly SIMD": lambda: page.evaluate(RUN, ["simd", values, side, PASSES]),
        "plain JavaScript": lambda: page.evaluate(RUN, ["plain", values, side, PASSES]),
    }
    turns = [{way: run() for way, run in ways.items()} for _ in range(1 + ROUNDS)]
    return {way: [time for turn in turns[1:] for time in turn[way]] for way in ways}


def main() -> None:
    torch.set_num_threads(1)
    model = pretrained("cells")
    module = base64.b64encode((ROOT / "unet_edu/explore/unet/network.js").read_bytes()).decode()
    with chromium() as browser:
        page = browser.new_page()
        if not page.evaluate(LOAD, [module, described(model)]):
            sys.exit("this Chromium has no WebAssembly SIMD")
        print(f"{'picture':9}{'way':22}{'median ms':>10}{'p95 ms':>9}{'of PyTorch':>12}")
        for side in SIDES:
            times = measure(page, model, side)
            peer = statistics.median(times["PyTorch, one thread"])
            for way, found in times.items():
                median, p95 = statistics.median(found), np.percentile(found, 95)
                print(f"{f'{side}×{side}':9}{way:22}{median:10.1f}{p95:9.1f}{median / peer:11.2f}×")
    verdict = "met" if statistics.median(times["WebAssembly SIMD"]) <= AIM else "missed"
    print(f"{verdict}: at most {AIM} ms for {SIDES[-1]}×{SIDES[-1]} with WebAssembly")


if __name__ == "__main__":
    main()
