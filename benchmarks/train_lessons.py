"""Train the small networks that come with the package: `unet_edu/data/weights/*.pt`.

    OMP_NUM_THREADS=1 python benchmarks/train_lessons.py            all of them, about two minutes each on one core
    OMP_NUM_THREADS=1 python benchmarks/train_lessons.py cells      one of them

Lessons and explorers use these, so that nobody has to train before they can look. All have the same recipe but for what
joins the copies, so comparing them is a retrained ablation (with one seed: lesson 09 has several). The same machine
with the same code makes the same numbers again; another one makes slightly other networks, which do as well. So does
this code: since the stored ones were made, the images of crops are rounded otherwise (by up to 4e-7), and `cells`
trained again has SEG 0.863 and 0.890 where the stored one has 0.843 and 0.886. Of `cells` the first steps are kept too
(`EARLY`), so that one can see it learn.

The cells are drawn, the training ones from the seeds 0 to 95, half of them in phase contrast, half fluorescent. Each
network is scored on pictures that it has never seen (`unet_edu.data.networks.held_out`), and the scores are kept beside
the weights.
"""

from __future__ import annotations

import argparse
import copy
import functools
import hashlib
import json
import time

import torch

from unet_edu.data.cells import synthetic_cells
from unet_edu.data.networks import EARLY, FOLDER, LISTING, NETWORKS, file_name, held_out, scores
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


def train(name: str) -> tuple[dict[int | None, UNet], float]:
    """One network by the common recipe, after the steps of `EARLY` and, as None, after all; and the seconds that it
    took."""
    torch.manual_seed(SEED)
    model = UNet(widths=(16, 32, 64), padding="same", norm="batch", dropout=0.0, skip=NETWORKS[name])
    crops = Crops(frames(), CROP, seed=SEED, weight_map=WEIGHTS)
    kept: dict[int | None, UNet] = {}

    def keep(model: UNet, row: dict[str, float]) -> None:
        if row["step"] in EARLY[name]:
            kept[int(row["step"])] = copy.deepcopy(model)

    keep(model, {"step": 0})
    began = time.perf_counter()
    fit(
        model, crops, steps=STEPS, batch_size=BATCH, optimizer="adamw", lr=RATE,
        device="cpu", precision="float32", seed=SEED, progress=False, validate_every=10, on_validation=keep,
    )  # fmt: skip
    return {step: network.eval() for step, network in {**kept, None: model}.items()}, time.perf_counter() - began


def store(name: str, step: int | None, model: UNet) -> str:
    """Write a network and what is noted of it; in a line, how it does."""
    path = FOLDER / file_name(name, step)
    save(model.half(), path)
    found = scores(model.float(), held_out())
    listing = json.loads(LISTING.read_text()) if LISTING.exists() else {}
    listing[path.stem] = {
        "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        "skip": NETWORKS[name],
        **({} if step is None else {"step": step}),
        "parameters": sum(parameter.numel() for parameter in model.parameters()),
        "held_out": {look: {score: round(value, 4) for score, value in row.items()} for look, row in found.items()},
    }
    LISTING.write_text(json.dumps(dict(sorted(listing.items())), indent=2) + "\n")
    said = "; ".join(f"{look}: SEG {row['seg']:.3f}, IoU {row['iou']:.3f}" for look, row in found.items())
    return f"{path.stem}: {path.stat().st_size / 1e3:.0f} kB; {said}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", help=f"which to train: {', '.join(NETWORKS)}; all when left out")
    names = parser.parse_args().names or list(NETWORKS)
    if unknown := set(names) - set(NETWORKS):
        parser.error(f"names: expected some of {', '.join(NETWORKS)}, got {', '.join(sorted(unknown))}")
    torch.set_num_threads(1)  # the same sums in the same order, so the same network again
    for name in names:
        models, seconds = train(name)
        print(f"{name}: {seconds:.0f} s")
        for step, model in models.items():
            print(store(name, step, model))


if __name__ == "__main__":
    main()
