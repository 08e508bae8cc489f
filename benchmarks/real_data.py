"""What this code reaches on real microscope images: four public sets, each trained on one part and scored on another.

    python benchmarks/real_data.py dic|phc|phc-back|em|dsb --open [--variant no-weight-map] [--seed 0]
    python benchmarks/real_data.py dic --choose [--set sure=0.7 --set crops.scale=1.4]

Needs the frames: the folder that UNET_EDU_TEST_DATA names, or what `unet-edu data fetch` downloaded. The steps are as
many as take two cores about a quarter of an hour or less.

`--choose` splits the training frames once more, trains on the first part, and prints how pairs of thresholds score
on the second. From there come settings; they and the aims go to real_data.toml, and are committed. Then `--open` trains
on all training frames and opens the others once, to score the network after the last step. It refuses to when anything
differs from the commit. The opening is counted before the scoring, so one that breaks counts too; the rows are added to
unet_edu/data/results/real_data.json with the commit, and no row is ever replaced.

Rows without a commit are older than these rules. Each says in `note` what had been seen before it.

`minutes` are of this run on this machine, with whatever else ran there; `cpu_minutes` add up the cores.
"""

from __future__ import annotations

import argparse
import datetime
import fcntl
import json
import os
import platform
import resource
import subprocess
import sys
import time
import tomllib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from unet_edu.data import benchmarks
from unet_edu.data.benchmarks import RealFrame
from unet_edu.data.files import write_whole
from unet_edu.data.samples import Crops, Frame
from unet_edu.instances import average_precision, cell_scores, pixel_error, rand_error, warping_error
from unet_edu.interpolation import interpolate
from unet_edu.losses import border_weight_map, cross_entropy_and_dice, weighted_cross_entropy
from unet_edu.metrics import confusion_matrix, iou
from unet_edu.postprocess import SURE, instances_from_probability, predict_turned
from unet_edu.runs import CROPS_OF_CELLS
from unet_edu.tiling import predict
from unet_edu.training import bf16_is_fast, fit
from unet_edu.unet import UNet

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "unet_edu" / "data" / "results" / "real_data.json"
AIMS = Path("benchmarks/real_data.toml")
CELL = 40  # pixels: about so wide is the median cell for the network
LEVELS = [round(0.1 * n, 1) for n in range(1, 10)]  # of the probability, for the errors of ISBI 2012
Plane = NDArray[Any]


@dataclass(frozen=True)
class Setting:
    """How one set is trained and made into cells. Distances are in the network's pixels, `min_size` in the frame's."""

    data: str
    """Its name in `unet_edu.data.benchmarks`."""
    steps: int = 2000
    labels: str = "silver"
    """What is trained on: "silver", or "gold" where people drew every frame."""
    zoom: float | None = None
    """The network sees the frames smaller by this factor (1/2), or larger (2). None: `fitted` finds it."""
    width: int = 16
    """Channels at the top level; they double four times."""
    crop: int = 128
    batch_size: int = 8
    w0: float = 5.0
    sigma: float = 4.0
    threshold: float = 0.5
    sure: float = SURE
    """Above it cells begin; between `threshold` and it they are shared out."""
    min_size: int | None = None
    """None: `fitted` finds it."""
    crops: dict[str, Any] = field(default_factory=lambda: {"margin": 16, **CROPS_OF_CELLS})
    """More arguments for `Crops`."""
    back: bool = False
    """Train on what is scored otherwise, and score on the rest."""
    like: str | None = None
    """The experiment whose settings these are, but for those that are named."""

    @property
    def membranes(self) -> bool:
        """Whether the labels are two classes of pixels, and no cells with numbers."""
        return self.data == "ISBI-2012"


def read_settings(text: str) -> tuple[dict[str, Setting], dict[str, dict[str, float]], dict[str, dict[str, Any]]]:
    """From real_data.toml: the settings and the aims of each experiment, and what the variants change."""
    tables = tomllib.loads(text)
    variants = {"full": {}, **tables.pop("variant", {})}
    aims = {name: table.pop("aim") for name, table in tables.items()}
    settings = {name: Setting(**tables.get(table.get("like"), {}) | table) for name, table in tables.items()}
    return settings, aims, variants


SETTINGS, AIM, VARIANTS = read_settings((ROOT / AIMS).read_text(encoding="utf-8"))


def split(setting: Setting, frames: Sequence[RealFrame]) -> tuple[list[RealFrame], list[RealFrame]]:
    """Training and scored frames. Only frames with labels to score by are scored."""
    training, scored = benchmarks.split(frames)
    training, scored = (scored, training) if setting.back else (training, scored)
    return training, [frame for frame in scored if _truth(setting, frame) is not None]


def split_training(training: Sequence[RealFrame]) -> tuple[list[RealFrame], list[RealFrame]]:
    """The last third of the training frames in time or depth, to choose settings by; without order each third."""
    if training[0].benchmark == "DSB-2018":
        return [f for n, f in enumerate(training) if n % 3 != 2], list(training[2::3])
    cut = len(training) * 2 // 3
    return list(training[:cut]), list(training[cut:])


def _truth(setting: Setting, frame: RealFrame) -> Plane | None:
    """What a frame is scored by. In the second half of DIC-HeLa people drew 16 cells; the silver labels have 18."""
    return frame.silver if setting.data == "DIC-C2DH-HeLa" else frame.gold


def fitted(setting: Setting, training: Sequence[RealFrame]) -> Setting:
    """The setting with what it leaves open: read off the median cell of the labels that are trained on.

    The zoom is the power of two that brings its diameter nearest to CELL pixels, from 1/4 to 2. A piece of less than a
    25th of its area is no cell.
    """
    if setting.membranes:
        found = {"zoom": 1.0, "min_size": 0}
    else:
        drawn = (_drawn(setting, frame) for frame in training)
        area = float(np.median(np.concatenate([np.unique(d[d > 0], return_counts=True)[1] for d in drawn])))
        zoom = 2.0 ** np.clip(round(np.log2(CELL / np.sqrt(4 * area / np.pi))), -2, 1)
        found = {"zoom": float(zoom), "min_size": round(area / 25)}
    return replace(setting, **{name: value for name, value in found.items() if getattr(setting, name) is None})


def _drawn(setting: Setting, frame: RealFrame) -> Plane:
    """The labels to train on, in the frame's own size."""
    drawn = frame.gold if setting.labels == "gold" else frame.silver
    assert drawn is not None
    return drawn


def seen(setting: Setting, image: Plane) -> NDArray[np.float32]:
    """The image as the network sees it: its mean at 0.5, its standard deviation 0.2, and zoomed."""
    image = 0.5 + 0.2 * (image - image.mean()) / (image.std() + 1e-6)
    return _zoomed(image, setting.zoom).astype(np.float32)


def _zoomed(image: Plane, zoom: float) -> Plane:
    if zoom < 1:  # the mean of blocks
        n = round(1 / zoom)
        H, W = image.shape[0] // n * n, image.shape[1] // n * n
        return image[:H, :W].reshape(H // n, n, W // n, n).mean(axis=(1, 3))
    return _resized(image, (round(image.shape[0] * zoom), round(image.shape[1] * zoom))) if zoom > 1 else image


def _resized(image: Plane, shape: tuple[int, int]) -> Plane:
    return interpolate(image[None, None], shape, mode="bilinear")[0, 0]


def labels(setting: Setting, frame: RealFrame) -> Plane:
    """The labels to train on, zoomed: the nearest pixel's number."""
    full = _drawn(setting, frame)
    if setting.zoom < 1:
        n = round(1 / setting.zoom)
        return full[: full.shape[0] // n * n : n, : full.shape[1] // n * n : n]
    n = round(setting.zoom)
    return np.kron(full, np.ones((n, n), full.dtype))


def samples(setting: Setting, training: Sequence[RealFrame], seed: int) -> Crops:
    frames = [Frame(seen(setting, frame.image), labels(setting, frame)) for frame in training]
    if setting.membranes:
        return Crops(frames, setting.crop, seed=seed, target=None, **setting.crops)
    weights = partial(border_weight_map, w0=setting.w0, sigma=setting.sigma)
    return Crops(frames, setting.crop, seed=seed, weight_map=weights, **setting.crops)


def probability(setting: Setting, model: UNet, image: Plane, *, turned: bool = True) -> NDArray[np.float32]:
    """That a pixel of the frame lies in a cell, in the frame's own size."""
    ask = predict_turned if turned else predict
    return sized(setting, ask(model, seen(setting, image))[1], image.shape)


def sized(setting: Setting, answer: Plane, shape: tuple[int, ...]) -> NDArray[np.float32]:
    """The network's answer in the frame's own size."""
    if setting.zoom > 1:
        answer = _zoomed(answer, 1 / setting.zoom)
    elif setting.zoom < 1:
        answer = _resized(answer, (shape[0], shape[1]))
    return answer.astype(np.float32)


def cells(setting: Setting, probability: Plane) -> NDArray[np.int32]:
    return instances_from_probability(
        probability, threshold=setting.threshold, sure=setting.sure, min_size=setting.min_size
    )


def cell_table(setting: Setting, found: Sequence[Plane], scored: Sequence[RealFrame]) -> dict[str, float]:
    """SEG, the IoU of the pixels, the numbers of cells; the Data Science Bowl's score where it applies."""
    truths = [_truth(setting, frame) for frame in scored]
    scores = np.concatenate([cell_scores(f, t) for f, t in zip(found, truths, strict=True)])
    # where gold holds a part of the cells only, nobody knows what the other pixels are
    known = [setting.data != "PhC-C2DH-U373" or frame.every_cell_is_gold for frame in scored]
    pixels = sum(confusion_matrix(f > 0, t > 0, 2) for f, t, k in zip(found, truths, known, strict=True) if k)
    table = {
        "seg": scores.mean(),
        "iou": iou(pixels)[1],
        "cells": len(scores),
        "found": sum(len(np.unique(f[f > 0])) for f in found),
    }
    if setting.data == "DSB-2018":
        table["average_precision"] = np.mean(
            [average_precision(f, t).mean() for f, t in zip(found, truths, strict=True)]
        )
    if setting.data == "DIC-C2DH-HeLa":
        drawn = [(f, frame.gold) for f, frame in zip(found, scored, strict=True) if frame.gold is not None]
        if drawn:
            gold = np.concatenate([cell_scores(f, gold) for f, gold in drawn])
            table |= {"seg_gold": gold.mean(), "cells_gold": len(gold)}
    return _rounded(table)


def membrane_table(
    insides: Sequence[Plane], scored: Sequence[RealFrame], thresholds: Sequence[float] = (0.5,)
) -> dict[str, float]:
    """The errors of ISBI 2012: Rand and warping error of the best threshold, as there; the pixel error at 0.5."""
    pairs = [(inside, frame.gold) for inside, frame in zip(insides, scored, strict=True)]
    return _rounded(
        {
            "pixel_error": np.mean([pixel_error(p > 0.5, t) for p, t in pairs]),
            "rand_error": min(np.mean([rand_error(p > level, t) for p, t in pairs]) for level in thresholds),
            "warping_error": min(np.mean([warping_error(p > level, t) for p, t in pairs]) for level in thresholds),
            "membrane_iou": iou(sum(confusion_matrix(p <= 0.5, t == 0, 2) for p, t in pairs))[1],
        },
        digits=6,
    )


def _rounded(table: dict[str, Any], digits: int = 4) -> dict[str, float]:
    return {name: round(float(value), digits) for name, value in table.items()}


def otsu(setting: Setting, scored: Sequence[RealFrame]) -> dict[str, float]:
    """The control: one threshold a frame, and nothing learned."""
    from skimage.filters import threshold_otsu

    masks = [frame.image > threshold_otsu(frame.image) for frame in scored]
    if setting.membranes:
        return membrane_table([mask.astype(np.float32) for mask in masks], scored)
    plain = replace(setting, threshold=0.5, sure=0.0)
    return cell_table(setting, [cells(plain, mask.astype(np.float32)) for mask in masks], scored)


def train(
    setting: Setting,
    training: Sequence[RealFrame],
    watched: Sequence[RealFrame],
    *,
    seed: int,
    folder: str | None = None,
    progress: bool | None = None,
) -> tuple[UNet, dict[str, Any]]:
    """A trained network, and how it went: minutes, and every tenth of the way loss and score on a few frames."""
    began, cpu_began, curve = time.perf_counter(), _cpu_seconds(), []

    def look(model: UNet, row: dict[str, float]) -> None:
        answers = [probability(setting, model, frame.image, turned=False) for frame in watched]
        if setting.membranes:
            error = np.mean([pixel_error(p > 0.5, f.gold) for p, f in zip(answers, watched, strict=True)])
            score = {"pixel_error": error}
        else:
            found = [cells(setting, p) for p in answers]
            truths = [_truth(setting, f) for f in watched]
            score = {"seg": np.concatenate([cell_scores(f, t) for f, t in zip(found, truths, strict=True)]).mean()}
        curve.append({"step": row["step"], "loss": round(row["loss"], 4), **_rounded(score)})

    torch.manual_seed(seed)
    model = UNet(widths=[setting.width * 2**level for level in range(5)], padding="same", norm="batch", dropout=0.0)
    fit(
        model,
        samples(setting, training, seed),
        steps=setting.steps,
        batch_size=setting.batch_size,
        loss=cross_entropy_and_dice if setting.membranes else weighted_cross_entropy,  # as `unet-edu train` does
        optimizer="adamw",
        validate_every=max(1, setting.steps // 10),
        on_validation=look if watched else None,
        folder=folder,
        resume=folder is not None,
        workers=1,
        seed=seed,
        progress=sys.stderr.isatty() if progress is None else progress,
    )
    minutes = (time.perf_counter() - began) / 60
    went = {
        "steps": setting.steps,
        "minutes": round(minutes, 1),
        "cpu_minutes": round((_cpu_seconds() - cpu_began) / 60, 1),
        "curve": curve,
    }
    return model, went


def _cpu_seconds() -> float:
    used = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in used)


def evaluate(setting: Setting, model: UNet, scored: Sequence[RealFrame]) -> dict[str, dict[str, float]]:
    """The scores by what is done with the network's answer: all of it, and each step left out."""
    turned, once = ([probability(setting, model, f.image, turned=t) for f in scored] for t in (True, False))
    if setting.membranes:
        return {"": membrane_table(turned, scored, LEVELS), ", not averaged": membrane_table(once, scored, LEVELS)}
    plain = replace(setting, threshold=0.5, sure=0.0)
    return {
        "": cell_table(setting, [cells(setting, p) for p in turned], scored),
        ", not averaged": cell_table(setting, [cells(setting, p) for p in once], scored),
        ", not averaged, one threshold of 0.5": cell_table(setting, [cells(plain, p) for p in once], scored),
    }


def choose(setting: Setting, training: Sequence[RealFrame], seed: int) -> None:
    """Train on a part of the training frames, and print how pairs of thresholds score on the other part."""
    first, second = split_training(training)
    setting = fitted(setting, first)
    second = [frame for frame in second if _truth(setting, frame) is not None]
    second = second[:: max(1, len(second) // 16)]  # enough to choose by
    model, went = train(setting, first, second[:3], seed=seed)
    answers = [probability(setting, model, frame.image) for frame in second]
    print(f"{len(first)} frames to train on, {len(second)} to choose by; {went['minutes']} minutes")
    if setting.membranes:
        print(membrane_table(answers, second))
        return
    for threshold in (0.4, 0.5, 0.6, 0.7, 0.8):
        for sure in (0.0, 0.7, 0.8, 0.9):
            tried = replace(setting, threshold=threshold, sure=sure)
            print(threshold, sure, cell_table(tried, [cells(tried, p) for p in answers], second), flush=True)


def committed(experiment: str, setting: Setting, variant: str) -> str:
    """The hash of the commit, when all that makes the score is in it. The file of results may differ: it is written."""

    def git(*words: str) -> str:
        return subprocess.run(["git", "-C", ROOT, *words], check=True, capture_output=True, text=True).stdout.strip()

    commit = git("rev-parse", "HEAD")
    written = RESULTS.relative_to(ROOT).as_posix()
    if changed := git("status", "--porcelain", "--untracked-files=all", "--", ".", f":!{written}"):
        raise SystemExit(f"not scored, because not everything is committed:\n{changed}")
    settings, _, variants = read_settings(git("show", f"{commit}:{AIMS.as_posix()}"))
    if setting != replace(settings[experiment], **variants[variant]):
        raise SystemExit(f"not scored: the settings are not those of {AIMS} in commit {commit}")
    if not Path(benchmarks.__file__).is_relative_to(ROOT):
        raise SystemExit(f"not scored: unet_edu comes from {Path(benchmarks.__file__).parents[1]}, and not from {ROOT}")
    return commit


def count_opening(experiment: str) -> int:
    """How often the scored frames of this experiment have been opened, this time included."""

    def count(results: dict[str, Any]) -> int:
        opened = results["header"]["opened"]
        opened[experiment] = opened.get(experiment, 0) + 1
        return opened[experiment]

    return _update(count)


def append(records: Sequence[dict[str, Any]]) -> None:
    """Put these rows after all others."""
    _update(lambda results: results["records"].extend(records))


def _update(change: Callable[[dict[str, Any]], Any]) -> Any:
    """Change the results while no other run does. A row is a line."""
    with open(Path(__file__)) as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        results = json.loads(RESULTS.read_text(encoding="utf-8"))
        answer = change(results)
        rows = ",\n  ".join(json.dumps(row, ensure_ascii=False) for row in results.pop("records"))
        rest = json.dumps(results, ensure_ascii=False)[:-1]
        write_whole(RESULTS, f'{rest},\n"records": [\n  {rows}\n]}}\n'.encode(), force=True)
    return answer


def header(command: str) -> dict[str, str]:
    return {
        "date": datetime.date.today().isoformat(),
        "hardware": hardware(),
        "command": command,
        "torch": torch.__version__,
    }


def hardware() -> str:
    cpu = platform.processor() or platform.machine()
    if Path("/proc/cpuinfo").exists():
        names = [line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")]
        cpu = names[0].split(":")[1].strip() if names else cpu
    bits = "bfloat16" if bf16_is_fast(torch.device("cpu")) else "float32"
    busy = "they had other work to do at the same time, so look at cpu_minutes"
    return f"{torch.get_num_threads()} of {os.cpu_count()} cores of {cpu}, {bits}, no GPU; {busy}"


def changed(setting: Setting, changes: Sequence[str]) -> Setting:
    """The setting with changes such as "threshold=0.6" or "crops.scale=1.4"."""
    for text in changes:
        for key, value in tomllib.loads(text).items():
            value = getattr(setting, key) | value if isinstance(value, dict) else value
            setting = replace(setting, **{key: value})
    return setting


def score(experiment: str, variant: str, seed: int, folder: str | None) -> list[dict[str, Any]]:
    """Train, count the opening, score, and append the rows."""
    setting = replace(SETTINGS[experiment], **VARIANTS[variant])
    commit = committed(experiment, setting, variant)
    training, scored = split(setting, benchmarks.load(setting.data, os.environ.get("UNET_EDU_TEST_DATA")))
    setting = fitted(setting, training)
    folder = folder and f"{folder}/{commit}/{experiment}-{variant}-{seed}"  # never go on from another commit's weights
    model, went = train(setting, training, [], seed=seed, folder=folder)
    same = {
        "experiment": experiment,
        "data": setting.data,
        "seed": seed,
        "split": f"{_range(training)} → {_range(scored)}",
        **header(f"python benchmarks/real_data.py {experiment} --open --variant {variant} --seed {seed}"),
        "commit": commit,
        "opened": count_opening(experiment),
        "aim": AIM[experiment],
    }
    steps, name = {"steps": setting.steps}, variant.replace("-", " ")
    records = [
        {**same, "variant": name + suffix, "scores": scores, **(steps if suffix else went)}
        for suffix, scores in evaluate(setting, model, scored).items()
    ]
    if variant == "full" and seed == 0:  # the control has no seed
        records.append({**same, "variant": "otsu", "scores": otsu(setting, scored), "steps": 0})
    append(records)
    return records


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("experiment", choices=SETTINGS)
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--choose", action="store_true", help="inside the training frames; writes nothing")
    what.add_argument("--open", action="store_true", help="train, and score the frames kept for that; it is counted")
    parser.add_argument("--variant", choices=VARIANTS, default="full")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="a setting to try by --choose")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--folder", help="for checkpoints, to go on from where it was stopped")
    asked = parser.parse_args(arguments)
    setting = replace(SETTINGS[asked.experiment], **VARIANTS[asked.variant])
    if asked.open and asked.set:
        parser.error(f"--open takes its settings from {AIMS}; --set is for --choose")
    if asked.choose and setting.like:
        parser.error(f"{asked.experiment} has the settings of {setting.like}, whose scored frames it trains on")
    if asked.choose:
        frames = benchmarks.load(setting.data, os.environ.get("UNET_EDU_TEST_DATA"))
        return choose(changed(setting, asked.set), split(setting, frames)[0], asked.seed)
    for record in score(asked.experiment, asked.variant, asked.seed, asked.folder):
        print(f"{record['experiment']:9} {record['variant']:48} {record['scores']}")


def _range(frames: Sequence[RealFrame]) -> str:
    """ "DIC-C2DH-HeLa/01/t000 … t041 (29 frames)" """
    return f"{frames[0].name} … {frames[-1].name.rsplit('/', 1)[-1]} ({len(frames)} frames)"


if __name__ == "__main__":
    main()
