"""How much the loss, the recipe and each lever of lesson 07 matter there: train again with one of them exchanged.

    python benchmarks/recipes.py [--seeds 0 1 2] [--variants ours Dice]

The setting is the lesson's own: four drawn images to learn from, 24 others to score on, a network of four levels, 400
crops. It was chosen with "ours", and nothing was tuned for the others but the learning rates of the paper's recipe,
which lesson 07 tells. Prints a row a run. All runs go to unet_edu/data/results/recipes.json; rows of the same variant
and seed are replaced.

Small networks, few steps and drawn pictures: only a difference that is larger than the spread of the seeds says
something, and it says it of this setting.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from ablations import put
from real_data import header

from unet_edu.data.cells import synthetic_cells
from unet_edu.data.samples import Crops, Frame
from unet_edu.instances import cell_scores, connected
from unet_edu.losses import border_weight_map, cross_entropy_and_dice, dice_loss, focal_loss
from unet_edu.metrics import confusion_matrix, iou
from unet_edu.tiling import predict
from unet_edu.training import fit
from unet_edu.unet import UNet

RESULTS = Path(__file__).parents[1] / "unet_edu" / "data" / "results" / "recipes.json"
WIDTHS, SIDE = (8, 16, 32, 64), 128
FIRST_WEIGHTS = 2015  # the seed of the first weights in run 0; run 1 has the next one
DIM = 0.5  # the test images are scored a second time, so bright

OURS: dict[str, Any] = {"steps": 100, "batch_size": 4, "optimizer": "adamw", "lr": 0.01}
PAPER = {"steps": 400, "batch_size": 1, "optimizer": "sgd", "lr": 0.001}
NO_MAP = {"weight_map": None}
NO_AUGMENTATION = {
    "flips": False, "quarter_turns": False, "rotation": 0, "scale": 1, "sigma": 0, "gain": 0, "offset": 0, "noise": 0,
}  # fmt: skip

VARIANTS: dict[str, dict[str, Any]] = {
    "ours": {},
    "no map": {"crops": NO_MAP},
    "no augmentation": {"crops": NO_AUGMENTATION},
    "no elastic": {"crops": {"sigma": 0}},
    "Dice": {"crops": NO_MAP, "loss": dice_loss},
    "Dice + cross-entropy": {"crops": NO_MAP, "loss": cross_entropy_and_dice},
    "Dice + cross-entropy, map": {"loss": cross_entropy_and_dice},
    "focal": {"crops": NO_MAP, "loss": focal_loss},
    "normalised": {"normalised": True},
    "paper": {"fit": PAPER, "norm": None},
    "paper, AdamW": {"fit": {**PAPER, "optimizer": "adamw", "lr": 0.003}, "norm": None},
}
"""What each one does otherwise than "ours"."""


def drawn(seeds: range) -> list[Frame]:
    return [Frame(*synthetic_cells(seed, look="fluorescence")) for seed in seeds]


def normalised(frame: Frame) -> Frame:
    """With mean 0 and standard deviation 1."""
    return frame._replace(image=(frame.image - frame.image.mean()) / frame.image.std())


def dimmed(frame: Frame) -> Frame:
    return frame._replace(image=DIM * frame.image)


def run(variant: str, seed: int) -> dict[str, Any]:
    """Train one variant, and score it."""
    how = VARIANTS[variant]
    ready = normalised if how.get("normalised") else lambda frame: frame
    settings = {**OURS, **how.get("fit", {})}
    began = time.process_time()
    torch.manual_seed(FIRST_WEIGHTS + seed)
    model = UNet(widths=WIDTHS, padding="same", norm=how.get("norm", "batch"), dropout=0.0)
    crops = {"weight_map": border_weight_map, **how.get("crops", {})}
    loss = {"loss": how["loss"]} if "loss" in how else {}
    stream = Crops([ready(frame) for frame in drawn(range(4))], SIDE, seed=seed, **crops)
    fit(model, stream, progress=False, validate_every=settings["steps"], **settings, **loss)
    tests = drawn(range(300, 324))
    scores = {
        **scored(model, [ready(frame) for frame in tests]),
        **{f"{name}_dim": score for name, score in scored(model, [ready(dimmed(frame)) for frame in tests]).items()},
    }
    return {
        "experiment": "recipes",
        "data": "synthetic cells, fluorescence",
        "variant": variant,
        "seed": seed,
        "split": f"4 frames → {len(tests)} others",
        "scores": scores,
        **settings,
        "cpu_minutes": round((time.process_time() - began) / 60, 2),
    }


def scored(model: UNet, frames: Sequence[Frame]) -> dict[str, float]:
    """SEG over all true cells, and the IoU of the foreground over all pixels, as lesson 07 judges."""
    masks = [predict(model, frame.image)[1] > 0.5 for frame in frames]
    cells = [cell_scores(connected(mask), frame.instances) for mask, frame in zip(masks, frames, strict=True)]
    table = sum(confusion_matrix(mask, frame.instances > 0, 2) for mask, frame in zip(masks, frames, strict=True))
    return {"seg": round(float(np.concatenate(cells).mean()), 4), "iou": round(float(iou(table)[1]), 4)}


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--variants", nargs="+", choices=VARIANTS, default=list(VARIANTS))
    parser.add_argument("--out", type=Path, default=RESULTS)
    asked = parser.parse_args(arguments)
    torch.set_num_threads(1)  # as the lesson
    for seed in asked.seeds:
        for variant in asked.variants:
            record = run(variant, seed)
            print(f"{variant:26} {seed}  {json.dumps(record['scores'])}  {record['cpu_minutes']} min", flush=True)
            put(record, header("python benchmarks/recipes.py"), asked.out)


if __name__ == "__main__":
    main()
