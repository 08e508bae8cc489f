"""What a user would take instead: the same frames, the same cores, the same minutes, in one run.

    make peers                                 an environment with the peers in it, and then this program
    make peers ARGS="--sets dic --minutes 0.2"
    python benchmarks/peers.py [--sets dic phc em dsb] [--seeds 0 1 2] [--minutes 15]

Prints one table, and appends the run with its commit to unet_edu/data/results/peers.json. A package that is missing
leaves out its row, and is named.

The frames on which `real_data.py` reports stay closed: only its training frames are used, where the first two thirds
train and the last third is scored. Our settings were chosen by scores on these frames. To make up for that, the others
get what we know of them: frames as our network sees them (light made even, and the films halved), and labels with the
gap between cells that touch. Cells are made of their answers as of ours, and also at a threshold of one half without
growth: the better score counts. All else is as their documentation or their best-known example does it:

    MONAI             crops around cells and around background, flips, quarter turns, brightness, noise; Dice and
                      cross-entropy; Adam, 0.001, falling as a cosine; windows that overlap by half for prediction
    smp               a U-Net on a ResNet-34 without downloaded weights; Dice; Adam, 0.0002, falling as a cosine; it
                      comes without transforms, so it gets our crops; whole frames for prediction
    plain PyTorch     the U-Net that most repositories copy: whole frames one at a time, unchanged; cross-entropy and
                      Dice; RMSprop with momentum 0.999 and 0.00001, gradients cut at norm 1. Left out, in its favour:
                      the tenth of frames that it keeps aside, and the fall of the learning rate that follows from it
    random forest     on the features of pixels of scikit-image, as its example has it; its parameters are its nodes
    Otsu              one threshold a frame; nothing is learned

The minutes are those of the clock, from the first sample on, with one process that prepares samples beside the one
that trains. How many steps we do in them is found by 30 steps at the start, which count. Only our recipe counts on a
number of steps, and so may miss its minutes by a little; the table says by how much.
"""

from __future__ import annotations

import argparse
import datetime
import json
import math
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from importlib.metadata import PackageNotFoundError, version
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import real_data
import torch
from networks import Plain, basic_unet, dyn_unet, resnet_unet
from numpy.typing import NDArray
from real_data import RealFrame, Setting
from torch import Tensor, nn
from torch.utils.data import DataLoader

from unet_edu.data import benchmarks
from unet_edu.data.samples import Crops, Frame
from unet_edu.losses import separated

RESULTS = Path(__file__).parents[1] / "unet_edu" / "data" / "results" / "peers.json"
SETS = ("dic", "phc", "em", "dsb")
PACKAGES = ("torch", "monai", "segmentation-models-pytorch", "scikit-learn")
Plane = NDArray[Any]
Batches = Iterable[tuple[Tensor, Tensor]]  # images (N, 1, H, W) and masks (N, H, W), without end


@dataclass(frozen=True)
class Task:
    """What each peer is given."""

    setting: Setting
    training: Sequence[RealFrame]
    minutes: float
    seed: int

    def pairs(self) -> list[tuple[NDArray[np.float32], NDArray[np.int64]]]:
        """Each training frame as the network sees it, and its mask: 1 in cells, but not where two touch."""
        labels = [real_data.labels(self.setting, frame) for frame in self.training]
        masks = [found if self.setting.membranes else separated(found) for found in labels]
        images = [real_data.seen(self.setting, frame.image) for frame in self.training]
        return [(image, mask.astype(np.int64)) for image, mask in zip(images, masks, strict=True)]


@dataclass(frozen=True)
class Trained:
    parameters: int
    steps: int
    predict: Callable[[Plane], Plane]
    """From a frame's image to the probability of its pixels, both in the frame's own size."""


def ours(task: Task) -> Trained:
    """`real_data.train`, with as many steps as fit into the minutes."""

    def train(steps: int) -> tuple[nn.Module, float]:
        began = time.perf_counter()
        setting = replace(task.setting, steps=steps)
        model, _ = real_data.train(setting, task.training, [], seed=task.seed, progress=False)
        return model, time.perf_counter() - began

    short, long = train(5)[1], train(25)[1]
    steps = max(1, round((60 * task.minutes - short - long) / max((long - short) / 20, 1e-3)))
    model = train(steps)[0]
    return Trained(_size(model), steps, lambda image: real_data.probability(task.setting, model, image))


def basic(task: Task) -> Trained:
    return _monai(task, basic_unet)


def dyn(task: Task) -> Trained:
    return _monai(task, dyn_unet)


def _monai(task: Task, make: Callable[[], nn.Module]) -> Trained:
    from monai.inferers import sliding_window_inference
    from monai.losses import DiceCELoss

    torch.manual_seed(task.seed)
    network, loss, crop = make(), DiceCELoss(to_onehot_y=True, softmax=True), task.setting.crop
    steps = fit_for(
        task.minutes,
        network,
        _monai_crops(task),
        lambda scores, masks: loss(scores, masks[:, None]),
        torch.optim.Adam(network.parameters(), 1e-3),
        falls=True,
    )
    return _answers(
        task,
        network,
        steps,
        lambda image: sliding_window_inference(image, (crop, crop), 4, network, overlap=0.5, mode="gaussian"),
    )


def _monai_crops(task: Task) -> Batches:
    from monai import transforms as t
    from monai.data import CacheDataset, set_track_meta
    from monai.data import DataLoader as Loader
    from monai.utils import set_determinism

    set_determinism(task.seed)
    set_track_meta(False)  # MONAI's guide to fast training says so
    both, crop = ["image", "mask"], (task.setting.crop,) * 2
    chain = t.Compose(
        [
            t.EnsureChannelFirstd(both, channel_dim="no_channel"),
            t.NormalizeIntensityd("image"),
            t.RandCropByPosNegLabeld(both, "mask", crop, num_samples=4),
            t.RandFlipd(both, prob=0.5, spatial_axis=0),
            t.RandFlipd(both, prob=0.5, spatial_axis=1),
            t.RandRotate90d(both, prob=0.5),
            t.RandScaleIntensityd("image", factors=0.1, prob=0.5),
            t.RandShiftIntensityd("image", offsets=0.1, prob=0.5),
            t.RandGaussianNoised("image", prob=0.2, std=0.1),
        ]
    )
    pairs = [{"image": image, "mask": mask} for image, mask in task.pairs()]
    images = max(1, task.setting.batch_size // 4)  # 4 crops of each
    data = CacheDataset(pairs, chain, progress=False)
    loader = Loader(data, batch_size=images, shuffle=True, num_workers=1, persistent_workers=True)
    return ((batch["image"], batch["mask"][:, 0].long()) for _ in count() for batch in loader)


def smp_unet(task: Task) -> Trained:
    torch.manual_seed(task.seed)
    network = resnet_unet()
    from segmentation_models_pytorch.losses import DiceLoss

    size, setting = task.setting.batch_size, task.setting
    frames = [Frame(real_data.seen(setting, f.image), real_data.labels(setting, f)) for f in task.training]
    target = None if setting.membranes else separated
    loader = DataLoader(
        Crops(frames, setting.crop, seed=task.seed, target=target, **setting.crops),
        batch_sampler=(range(n * size, (n + 1) * size) for n in count()),
        num_workers=1,
    )
    batches = ((images, masks) for images, masks, _weights in loader)
    optimizer = torch.optim.Adam(network.parameters(), 2e-4)
    steps = fit_for(task.minutes, network, batches, DiceLoss("multiclass"), optimizer, falls=True)
    return _answers(task, network, steps, lambda image: whole(network, image, 32))


def plain(task: Task) -> Trained:
    torch.manual_seed(task.seed)
    network = Plain(norm=True)
    pairs = [(torch.as_tensor(image)[None], torch.as_tensor(mask)) for image, mask in task.pairs()]
    loader = DataLoader(pairs, shuffle=True, num_workers=1, persistent_workers=True)
    steps = fit_for(
        task.minutes,
        lambda images: whole(network, images, 16),
        ((images, masks) for _ in count() for images, masks in loader),
        cross_entropy_and_dice,
        torch.optim.RMSprop(network.parameters(), 1e-5, weight_decay=1e-8, momentum=0.999),
        longest=1.0,
    )
    return _answers(task, network, steps, lambda image: whole(network, image, 16))


def cross_entropy_and_dice(scores: Tensor, masks: Tensor) -> Tensor:
    """As the copied training programs have it: the overlap of all pixels of the batch, averaged over the classes."""
    found, asked = scores.softmax(1), nn.functional.one_hot(masks, 2).movedim(-1, 1).float()
    overlap = (2 * (found * asked).sum((0, 2, 3)) + 1e-6) / ((found + asked).sum((0, 2, 3)) + 1e-6)
    return nn.functional.cross_entropy(scores, masks) + 1 - overlap.mean()


def random_forest(task: Task) -> Trained:
    from skimage.feature import multiscale_basic_features
    from sklearn.ensemble import RandomForestClassifier

    def features(image: Plane) -> Plane:
        found = multiscale_basic_features(image, sigma_min=1, sigma_max=16)
        return found.reshape(-1, found.shape[-1])

    rng, parts = np.random.default_rng(task.seed), []
    for image, mask in task.pairs():
        pixels = rng.choice(mask.size, min(5000, mask.size), replace=False)
        parts.append((features(image)[pixels], mask.ravel()[pixels]))
    forest = RandomForestClassifier(50, max_depth=10, n_jobs=-1, random_state=task.seed)
    forest.fit(*(np.concatenate(part) for part in zip(*parts, strict=True)))

    def predict(image: Plane) -> Plane:
        image, shape = real_data.seen(task.setting, image), image.shape
        answer = forest.predict_proba(features(image))[:, 1].reshape(image.shape)
        return real_data.sized(task.setting, answer, shape)

    return Trained(sum(tree.tree_.node_count for tree in forest.estimators_), 0, predict)


def otsu(task: Task) -> Trained:
    from skimage.filters import threshold_otsu

    return Trained(0, 0, lambda image: (image > threshold_otsu(image)).astype(np.float32))


PEERS: dict[str, Callable[[Task], Trained]] = {
    "ours": ours,
    "MONAI BasicUNet": basic,
    "MONAI DynUNet": dyn,
    "smp.Unet, resnet34": smp_unet,
    "plain PyTorch": plain,
    "random forest": random_forest,
    "Otsu": otsu,
}


def fit_for(
    minutes: float,
    network: Callable[[Tensor], Tensor],
    batches: Batches,
    loss: Callable[[Tensor, Tensor], Tensor],
    optimizer: torch.optim.Optimizer,
    *,
    falls: bool = False,
    longest: float | None = None,
) -> int:
    """The loop that the others' examples have, until the time is over. How many steps it was."""
    began, rate, steps = time.perf_counter(), optimizer.defaults["lr"], 0
    for images, masks in batches:
        done = (time.perf_counter() - began) / (60 * minutes)
        if done >= 1 and steps:
            break
        optimizer.param_groups[0]["lr"] = rate * (1 + math.cos(math.pi * min(1, done))) / 2 if falls else rate
        optimizer.zero_grad()
        loss(network(images), masks).backward()
        if longest:
            nn.utils.clip_grad_norm_(optimizer.param_groups[0]["params"], longest)
        optimizer.step()
        steps += 1
    return steps


def whole(network: nn.Module, images: Tensor, multiple: int) -> Tensor:
    """The scores of whole images: mirrored at two edges, to sides that the network can halve."""
    H, W = images.shape[-2:]
    padded = nn.functional.pad(images, (0, -W % multiple, 0, -H % multiple), mode="reflect")
    return network(padded)[..., :H, :W]


def _answers(task: Task, network: nn.Module, steps: int, scores: Callable[[Tensor], Tensor]) -> Trained:
    """What a network says of a frame, from the scores of one image."""
    network.eval()

    @torch.inference_mode()
    def predict(image: Plane) -> Plane:
        seen = torch.as_tensor(real_data.seen(task.setting, image))[None, None]
        return real_data.sized(task.setting, scores(seen).softmax(1)[0, 1].numpy(), image.shape)

    return Trained(_size(network), steps, predict)


def _size(network: nn.Module) -> int:
    return sum(part.numel() for part in network.parameters())


def score(setting: Setting, answers: Sequence[Plane], scored: Sequence[RealFrame], *, best: bool) -> dict[str, float]:
    """SEG for cells, the pixel error for membranes. `best`: the better of two ways to make cells counts."""
    if setting.membranes:
        return real_data.membrane_table(answers, scored)
    ways = [setting, replace(setting, sure=0.0)] if best else [setting]
    tables = [real_data.cell_table(way, [real_data.cells(way, p) for p in answers], scored) for way in ways]
    return max(tables, key=lambda table: table["seg"])


def rows(name: str, seed: int, minutes: float) -> Iterator[dict[str, Any]]:
    """A row for each peer on one set."""
    setting = real_data.SETTINGS[name]
    frames = benchmarks.load(setting.data, os.environ.get("UNET_EDU_TEST_DATA"))
    training, scored = real_data.split_training(real_data.split(setting, frames)[0])
    setting = real_data.fitted(setting, training)
    scored = [frame for frame in scored if real_data._truth(setting, frame) is not None]
    for peer, train in PEERS.items():
        began, cpu_began = time.perf_counter(), real_data._cpu_seconds()
        try:
            trained = train(Task(setting, training, minutes, seed))
        except ImportError as missing:
            print(f"{peer}: left out ({missing}); `make peers` installs it", file=sys.stderr)
            continue
        taken, cpu_taken = time.perf_counter() - began, real_data._cpu_seconds() - cpu_began
        images = [frame.image for frame in scored]
        began = time.perf_counter()
        answers = [trained.predict(image) for image in images]
        seconds = (time.perf_counter() - began) / len(images)
        yield {
            "set": name,
            "peer": peer,
            "seed": seed,
            "split": f"{real_data._range(training)} → {real_data._range(scored)}",
            "scores": score(setting, answers, scored, best=peer != "ours"),
            "parameters": trained.parameters,
            "steps": trained.steps,
            "minutes": round(taken / 60, 2),
            "cpu_minutes": round(cpu_taken / 60, 2),
            "seconds_a_frame": round(seconds, 3),
        }


def table(records: Sequence[dict[str, Any]]) -> str:
    """A line for each peer and set; of several seeds the mean, with the lowest and the highest score."""
    lines = []
    for name in dict.fromkeys(record["set"] for record in records):
        of_set = [record for record in records if record["set"] == name]
        measure = "pixel_error" if "pixel_error" in of_set[0]["scores"] else "seg"
        lines += ["", f"{name}: {of_set[0]['split']}"]
        lines += [f"{'':20}{measure:>24}{'parameters':>12}{'steps':>7}{'minutes':>9}{'s a frame':>11}"]
        for peer in dict.fromkeys(record["peer"] for record in of_set):
            found = [record for record in of_set if record["peer"] == peer]
            scores = [record["scores"][measure] for record in found]
            spread = f" ({min(scores):.4f}, {max(scores):.4f})" if len(scores) > 1 else ""
            steps, minutes, seconds = (
                np.mean([record[key] for record in found]) for key in ("steps", "minutes", "seconds_a_frame")
            )
            lines.append(
                f"{peer:20}{f'{np.mean(scores):.4f}{spread}':>24}{found[0]['parameters']:12,}{steps:7.0f}{minutes:9.2f}"
                f"{seconds:11.3f}"
            )
    return "\n".join(lines)


def append(run: dict[str, Any], path: Path) -> None:
    """Put a run behind those that are there, or in the place of its own beginning. A row is a line."""
    runs = json.loads(path.read_text(encoding="utf-8"))["runs"] if path.exists() else []
    runs = [earlier for earlier in runs if earlier["began"] != run["began"]] + [run]
    texts = []
    for one in runs:
        head = json.dumps({key: value for key, value in one.items() if key != "records"}, ensure_ascii=False)
        lines = ",\n  ".join(json.dumps(record, ensure_ascii=False) for record in one["records"])
        texts.append(f'{head[:-1]}, "records": [\n  {lines}\n]}}')
    path.write_text('{"runs": [\n' + ",\n".join(texts) + "\n]}\n", encoding="utf-8")


def commit() -> str:
    """Which state of the repository runs here; with a + where files differ from it."""

    def git(*arguments: str) -> str:
        folder = Path(__file__).parent
        return subprocess.run(
            ["git", *arguments], cwd=folder, check=True, capture_output=True, text=True
        ).stdout.strip()

    return git("rev-parse", "HEAD") + "+" * bool(git("status", "--porcelain", "--untracked-files=no"))


def versions() -> dict[str, str]:
    found = {}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            pass
    return found


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--sets", nargs="+", choices=real_data.SETTINGS, default=SETS, metavar="SET")
    parser.add_argument("--seeds", nargs="+", type=int, default=[0])
    parser.add_argument("--minutes", type=float, default=15.0, help="for each peer, set and seed")
    parser.add_argument("--out", type=Path, default=RESULTS)
    asked = parser.parse_args(arguments)
    if torch.cuda.is_available():
        parser.error("only we would use the GPU, and this compares on processors: set CUDA_VISIBLE_DEVICES= (nothing)")
    command = f"python benchmarks/peers.py --sets {' '.join(asked.sets)} --seeds {' '.join(map(str, asked.seeds))}"
    run: dict[str, Any] = {
        "began": datetime.datetime.now().isoformat(timespec="seconds"),
        "commit": commit(),
        "command": f"{command} --minutes {asked.minutes:g}",
        "hardware": real_data.hardware(),
        "versions": versions(),
        "records": [],
    }
    for name in asked.sets:
        for seed in asked.seeds:
            for row in rows(name, seed, asked.minutes):
                print(row["set"], seed, row["peer"], row["scores"], file=sys.stderr, flush=True)
                run["records"].append(row)
                append(run, asked.out)  # after each row: the whole takes hours
    print(table(run["records"]))


if __name__ == "__main__":
    main()
