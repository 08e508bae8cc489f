"""Train the small networks that come with the package: `unet_edu/data/weights/*.pt`.

    OMP_NUM_THREADS=1 python benchmarks/train_lessons.py            all of them, about two minutes each on one core
    OMP_NUM_THREADS=1 python benchmarks/train_lessons.py cells      one of them

Lessons and explorers use these, so that nobody has to train before they can look. All have the same recipe but for what
joins the copies, so comparing them is a retrained ablation (with one seed: lesson 09 has several). The same machine
with the same code makes the same numbers again; another one makes slightly other networks, which do as well.

The cells are drawn, the training ones from the seeds 0 to 95, half of them in phase contrast, half fluorescent. Each
network is scored on pictures that it has never seen (`unet_edu.data.networks.held_out`), and the scores are kept beside
the weights.
"""

from __future__ import annotations

import argparse
import functools
import hashlib
import json
import time

import torch

from unet_edu.data.cells import synthetic_cells
from unet_edu.data.networks import FOLDER, LISTING, NETWORKS, held_out, scores
from unet_edu.data.samples import Crops, Frame
from unet_edu.losses import border_weight_map
from unet_edu.training import fit, save
from unet_edu.unet import UNet

SEED = 2015
FRAMES = 96
SIDE = 160  # of a drawn picture
CELLS = 20
CROP = 96
STEPS, BATCH, RATE = 500, 8, 4e-3
WEIGHTS = functools.partial(border_weight_map, w0=5.0, sigma=3.0)  # thin gaps, so a narrow border term


def frames() -> list[Frame]:
    """The training pictures: even seeds in phase contrast, odd ones fluorescent."""
    looks = ("phase", "fluorescence")
    return [Frame(*synthetic_cells(seed, (SIDE, SIDE), cells=CELLS, look=looks[seed % 2])) for seed in range(FRAMES)]


def train(name: str) -> tuple[UNet, float]:
    """One network by the common recipe, and the seconds that it took."""
    torch.manual_seed(SEED)
    model = UNet(widths=(16, 32, 64), padding="same", norm="batch", dropout=0.0, skip=NETWORKS[name])
    crops = Crops(frames(), CROP, seed=SEED, weight_map=WEIGHTS)
    began = time.perf_counter()
    fit(
        model, crops, steps=STEPS, batch_size=BATCH, optimizer="adamw", lr=RATE,
        device="cpu", precision="float32", seed=SEED, progress=False,
    )  # fmt: skip
    return model.eval(), time.perf_counter() - began


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", help=f"which to train: {', '.join(NETWORKS)}; all when left out")
    names = parser.parse_args().names or list(NETWORKS)
    if unknown := set(names) - set(NETWORKS):
        parser.error(f"names: expected some of {', '.join(NETWORKS)}, got {', '.join(sorted(unknown))}")
    torch.set_num_threads(1)  # the same sums in the same order, so the same network again
    listing = json.loads(LISTING.read_text()) if LISTING.exists() else {}
    for name in names:
        model, seconds = train(name)
        path = FOLDER / f"{name}.pt"
        save(model.half(), path)
        found = scores(model.float(), held_out())
        listing[name] = {
            "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
            "skip": NETWORKS[name],
            "parameters": sum(parameter.numel() for parameter in model.parameters()),
            "held_out": {look: {score: round(value, 4) for score, value in row.items()} for look, row in found.items()},
        }
        LISTING.write_text(json.dumps(dict(sorted(listing.items())), indent=2) + "\n")
        said = "; ".join(f"{look}: SEG {row['seg']:.3f}, IoU {row['iou']:.3f}" for look, row in found.items())
        print(f"{name}: {seconds:.0f} s, {path.stat().st_size / 1e3:.0f} kB; {said}")


if __name__ == "__main__":
    main()
