"""What each part of the U-Net is worth: leave it out or exchange it, train anew, and score.

    python benchmarks/ablations.py [--seeds 0 1 2] [--variants full "no skips"]

Drawn cells, so that anybody can repeat it: few to train on, as in the paper, and others to score on. All variants have
the same frames, steps and post-processing, and nothing was tuned for any of them. Prints a row a run. All runs go to
unet_edu/data/results/ablations.json, and what the networks of the first seed found in two pictures to ablations.npz
beside it; rows of the same variant and seed are replaced.

Small networks, few steps and easy pictures: they show the order of the variants, and only where the seeds agree.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from in_parts import write
from numpy.typing import NDArray
from real_data import header

from unet_edu.data.cells import synthetic_cells
from unet_edu.data.samples import Crops, Frame
from unet_edu.instances import average_precision, cell_scores
from unet_edu.losses import border_weight_map
from unet_edu.metrics import confusion_matrix, iou
from unet_edu.postprocess import instances_from_probability
from unet_edu.training import fit
from unet_edu.unet import UNet

RESULTS = Path(__file__).parents[1] / "unet_edu" / "data" / "results" / "ablations.json"
WIDTHS = (8, 16, 32, 64)
STEPS, BATCH, LR = 240, 4, 4e-3
SIDE, CELLS = 128, 14
TRAINING, SCORED, SHOWN = 6, 24, 2  # frames
W0, SIGMA = 10.0, 4.0

STILL = {"rotation": 0.0, "scale": 1.0, "sigma": 0.0}
VARIANTS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "full": ({}, {}),
    "no skips": ({"skip": "none"}, {}),
    "add": ({"skip": "add"}, {}),
    "multiply": ({"skip": "multiply"}, {}),
    "no weight map": ({}, {"w0": 0.0}),
    "no augmentation": (
        {},
        {**STILL, "flips": False, "quarter_turns": False, "gain": 0.0, "offset": 0.0, "noise": 0.0},
    ),
    "no elastic": ({}, {"sigma": 0.0}),
    "bilinear": ({"upsample": "bilinear"}, {}),
    "unpool": ({"upsample": "unpool"}, {}),
    "no normalisation": ({"norm": None}, {}),
    "one level less": ({"widths": WIDTHS[:-1]}, {}),
    "half as wide": ({"widths": tuple(width // 2 for width in WIDTHS)}, {}),
}
"""Arguments for the network, and for the training samples."""


def drawn(first_seed: int, n: int) -> list[Frame]:
    return [Frame(*synthetic_cells(first_seed + k, (SIDE, SIDE), cells=CELLS)) for k in range(n)]


def run(
    variant: str, seed: int, training: Sequence[Frame], scored: Sequence[Frame]
) -> tuple[dict[str, Any], list[Any]]:
    """Train one variant. Its record, and the cells it found in each scored frame."""
    network, how = VARIANTS[variant]
    how = {"w0": W0, **how}
    weights = partial(border_weight_map, w0=how.pop("w0"), sigma=SIGMA)
    began = time.process_time()
    torch.manual_seed(seed)
    model = UNet(**{"widths": WIDTHS, "padding": "same", "norm": "batch", "dropout": 0.0, **network})
    history = fit(
        model,
        Crops(training, SIDE, seed=seed, weight_map=weights, **how),
        steps=STEPS,
        batch_size=BATCH,
        optimizer="adamw",
        lr=LR,
        validate_every=max(1, STEPS // 10),
        seed=seed,
        progress=False,
    )
    images = torch.from_numpy(np.stack([frame.image for frame in scored]))[:, None]
    with torch.no_grad():
        answers = model(images).softmax(1)[:, 1].numpy()
    # the gap between cells that touch is two pixels wide, so each gets one back
    found = [instances_from_probability(p, min_size=20, grow=1) for p in answers]
    record = {
        "experiment": "ablations",
        "data": "synthetic cells, phase",
        "variant": variant,
        "seed": seed,
        "split": f"{len(training)} frames → {len(scored)} others",
        "scores": scores(found, scored),
        "parameters": sum(p.numel() for p in model.parameters()),
        "steps": STEPS,
        "cpu_minutes": round((time.process_time() - began) / 60, 2),
        "curve": [{"step": row["step"], "loss": round(row["loss"], 4)} for row in history.rows],
    }
    return record, found


def scores(found: Sequence[NDArray[Any]], scored: Sequence[Frame]) -> dict[str, float]:
    pairs = [(cells, frame.instances) for cells, frame in zip(found, scored, strict=True)]
    every = {
        "seg": np.concatenate([cell_scores(*pair) for pair in pairs]).mean(),
        "iou": iou(sum(confusion_matrix(cells > 0, truth > 0, 2) for cells, truth in pairs))[1],
        "average_precision": np.mean([average_precision(*pair).mean() for pair in pairs]),
        "cells": sum(len(np.unique(truth)) - 1 for _, truth in pairs),
        "found": sum(cells.max() for cells, _ in pairs),
    }
    return {name: round(float(value), 4) for name, value in every.items()}


def keep(pictures: dict[str, list[NDArray[Any]]], scored: Sequence[Frame], path: Path) -> None:
    """Small enough for the package: bytes."""
    old = dict(np.load(path)) if path.exists() else {}
    shown = scored[:SHOWN]
    new = {
        "images": np.stack([np.clip(frame.image * 255, 0, 255).round().astype(np.uint8) for frame in shown]),
        "truth": np.stack([frame.instances for frame in shown]).astype(np.uint8),
        **{name: np.stack(cells[:SHOWN]).astype(np.uint8) for name, cells in pictures.items()},
    }
    np.savez_compressed(path, **{**old, **new})


def put(record: dict[str, Any], head: dict[str, str], path: Path) -> None:
    """Put this row in place of an older one of the same variant and seed."""
    old = json.loads(path.read_text(encoding="utf-8"))["records"] if path.exists() else []
    rows = {(row["variant"], row["seed"]): row for row in [*old, record]}
    write(path, head, list(rows.values()))


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--variants", nargs="+", choices=VARIANTS, default=list(VARIANTS))
    parser.add_argument("--out", type=Path, default=RESULTS)
    asked = parser.parse_args(arguments)
    training, scored = drawn(1000, TRAINING), drawn(2000, SCORED)
    for seed in asked.seeds:
        for variant in asked.variants:
            record, found = run(variant, seed, training, scored)
            print(f"{variant:18} {seed}  {json.dumps(record['scores'])}  {record['cpu_minutes']} min", flush=True)
            put(record, header("python benchmarks/ablations.py"), asked.out)
            if seed == 0:
                keep({variant: found}, scored, asked.out.with_suffix(".npz"))


if __name__ == "__main__":
    main()
