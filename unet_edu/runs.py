"""A training from a folder of images to a folder of weights: what `unet-edu train` does. docs/training.md. Lesson 10.

`prepare` reads the images, builds the network, and finds out before the first step what cannot work. Its answer can be
trained, and says what was read, and what looks wrong with it.
"""

from __future__ import annotations

import errno
import functools
import json
import math
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from unet_edu import __version__
from unet_edu.data.files import write_whole

if TYPE_CHECKING:  # torch takes seconds to import, and looking for the weights of a run needs none of it
    from unet_edu.data.samples import Crops, Frame, Whole
    from unet_edu.data.sources import Labelled
    from unet_edu.training import History
    from unet_edu.unet import UNet

__all__ = ["Curves", "Prepared", "best_weights", "is_first", "prepare"]

CONFIG = "train.json"
SECTIONS = ("data", "network", "recipe", "crops")  # of the settings that must stay the same when a run goes on
# docs/training.md says what both were chosen on. Of cells another film may be brighter, softer, or show them larger.
CROPS_OF_CELLS = {
    "rotation": 45.0,
    "scale": 1.4,
    "gain": 0.4,
    "offset": 0.2,
    "noise": 0.05,
    "gamma": 1.5,
    "blur": 1.0,
}
CROPS_OF_CLASSES = {"scale": 1.5, "balance": 0.33}
LR_OF_CLASSES = 0.006


def is_first() -> bool:
    """Whether this process is the only one, or the first of those that `torchrun` has started."""
    return os.environ.get("RANK", "0") == "0"


@dataclass
class Prepared:
    """A training that can begin.

    Attributes
    ----------
    settings, output, resume, new_data
        As for `prepare`.
    model : UNet
        Before its first step.
    training : Crops
    validation : Whole, or None when no image is held out
    described : list of str
        What is trained on, and what is held out: a line each.
    doubts : list of str
        What looks wrong with it, as `unet_edu.data.doubts` has it.
    recipe : dict
        Further arguments of `fit`.
    """

    settings: dict[str, Any]
    output: Path
    resume: bool
    new_data: bool
    model: UNet
    training: Crops
    validation: Whole | None
    described: list[str]
    doubts: list[str]
    recipe: dict[str, Any] = field(default_factory=dict)

    def train(
        self,
        *,
        validate_every: int | None = None,
        on_validation: Callable[[UNet, dict[str, float]], None] | None = None,
        progress: bool = False,
    ) -> History:
        """Train, and keep the settings beside the weights. The arguments are those of `unet_edu.training.fit`."""
        from unet_edu.training import fit

        if is_first() and not self.new_data:  # else they are kept when the run has really gone on with them
            _keep_settings(self.settings, self.output)
        history = fit(
            self.model,
            self.training,
            self.validation,
            **self.recipe,
            validate_every=validate_every,
            on_validation=on_validation,
            folder=self.output,
            resume=self.resume,
            new_data=self.new_data,
            progress=progress,
        )
        if is_first() and self.new_data:
            _keep_settings(self.settings, self.output)
        return history


def prepare(
    settings: dict[str, Any], output: str | os.PathLike[str], *, resume: bool = False, new_data: bool = False
) -> Prepared:
    """Everything that a training needs, from its settings.

    Parameters
    ----------
    settings : dict of dicts
        As train.json has them, which each run leaves beside its weights: "data" ("source", "classes" and "ignore" as
        for `unet_edu.data.sources.labelled`, "channels", "contrast", "hold_out"), "network" (the arguments of `UNet`),
        "recipe" and "machine" (arguments of `fit`), "crops" ("size", "w0", "sigma"), and "folder" of the benchmarks.
    output : path
        The folder of the run.
    resume, new_data : bool
        As for `unet_edu.training.fit`.

    Returns
    -------
    Prepared

    Raises
    ------
    DataError, ValueError
        When the images, the labels or the settings cannot be used, or the run in `output` has other settings.
    """
    import torch

    from unet_edu.data.samples import Crops, Whole
    from unet_edu.losses import border_weight_map, separated
    from unet_edu.unet import UNet

    output = Path(output)
    torch.manual_seed(settings["recipe"]["seed"])
    model = UNet(**settings["network"])
    size, w0 = settings["crops"]["size"], settings["crops"]["w0"]
    lost = (size - model.output_size(size)[0]) // 2
    if is_first():
        _expect_settings(settings, output, resume, new_data)
    training, validation, model.about, described, doubts = _read(settings, output / "last.pt" if resume else None)
    options: dict[str, Any] = {"target": separated if model.finds_cells else None}
    of_crops: dict[str, Any] = {"margin": lost, "seed": settings["recipe"]["seed"]}
    recipe = {**settings["recipe"], **settings["machine"]}
    if not model.finds_cells:
        of_crops |= CROPS_OF_CLASSES
        recipe |= _recipe_of_classes(training, settings)
    else:
        of_crops |= CROPS_OF_CELLS
        recipe["choose_by"] = "val_seg"
        if w0:
            options["weight_map"] = functools.partial(border_weight_map, w0=w0, sigma=settings["crops"]["sigma"])
    crops = Crops(training, size, **options, **of_crops)
    whole = Whole(validation, **options) if validation else None
    return Prepared(settings, output, resume, new_data, model, crops, whole, described, doubts, recipe)


def _recipe_of_classes(training: list[Frame], settings: dict[str, Any]) -> dict[str, Any]:
    """A loss that gives up no class, however few pixels it has, and larger steps."""
    from unet_edu.losses import class_balance, cross_entropy_and_dice

    labels, known = ([frame.instances for frame in training], [frame.known for frame in training])
    weights = class_balance(labels, settings["network"]["num_classes"], known)
    lr = settings["recipe"]["lr"]
    return {
        "loss": functools.partial(cross_entropy_and_dice, class_weights=weights),
        "lr": LR_OF_CLASSES if lr is None and settings["recipe"]["optimizer"] == "adamw" else lr,
    }


def _read(
    settings: dict[str, Any], last: Path | None
) -> tuple[list[Frame], list[Frame], dict[str, Any], list[str], list[str]]:
    """The frames to train on, those held out, what the network is for, what was read, and what looks wrong with it."""
    from unet_edu.data import doubts, sources

    chosen = settings["data"]
    images, classes = sources.labelled(
        chosen["source"], classes=chosen["classes"], ignore=chosen["ignore"], folder=settings["folder"]
    )
    training, validation = sources.held_out(images, chosen["hold_out"])
    doubts.expect_something_to_learn(training, classes)
    about: dict[str, Any] = {"labels": "cells" if classes is None else "classes", "contrast": chosen["contrast"]}
    if chosen["contrast"] == "range":
        about |= _scale(training, chosen["channels"], last)
    learned, kept = (sources.frames(part, chosen["channels"], about) for part in (training, validation))
    described = [
        f"To train on: {doubts.described(training, classes)}.",
        f"Held out: {doubts.described(validation, classes)}.",
    ]
    about["data"] = sources.digest(images)
    return learned, kept, about, described, doubts.doubts(training, validation, classes)


def _scale(training: list[Labelled], channels: int, last: Path | None) -> dict[str, Any]:
    """What is dark and bright in all pictures alike. A run that goes on keeps to what its network has learned on."""
    from unet_edu.data.sources import common_scale
    from unet_edu.training import load

    kept = load(last).about if last is not None and last.exists() else {}
    names = ("dark", "bright", "numbers")
    return {name: kept[name] for name in names} if "dark" in kept else common_scale(training, channels)


# -------------------------------------------------------------------------------------------------- the folder of a run


def best_weights(path: str | os.PathLike[str]) -> Path:
    """The file itself; of a run's folder, the best weights, or the last where nothing was held out to know the best by.

    Raises
    ------
    FileNotFoundError, ValueError
        When there is no such file or folder, or there are none in the folder.
    """
    path = Path(path)
    if not path.exists():
        raise FileNotFoundError(errno.ENOENT, "there is no such file or folder", str(path))
    if not path.is_dir():
        return path
    for file in (path / "best.pt", path / "last.pt"):
        if file.exists():
            return file
    raise ValueError(f"{path}: expected best.pt or last.pt in this folder, as `unet-edu train` leaves them there")


def _expect_settings(settings: dict[str, Any], output: Path, resume: bool, new_data: bool) -> None:
    """Who goes on with a run goes on with its settings, on whatever machine."""
    there = [name for name in ("last.pt", "best.pt") if (output / name).exists()]
    if not there or (resume and "last.pt" not in there):
        return
    if not resume:
        raise ValueError(f"{output}: holds a run already; --resume goes on with it, another --output starts a new one")
    kept = _settings_of(output)
    if not kept:  # somebody has removed them; `fit` compares what the checkpoint knows
        return
    for section in SECTIONS:
        for name, now in settings[section].items():
            then = kept.get(section, {}).get(name)
            # on another machine the same images may be in another place
            is_same = now == then or (name == "source" and Path(str(now)).name == Path(str(then)).name)
            if not (is_same or (new_data and name in ("source", "hold_out"))):
                allow = ", say --new-data" * (name in ("source", "hold_out"))
                raise ValueError(
                    f"{name}: the run in {output} has {then!r}, got {now!r}; go on with the same{allow}, or take "
                    "another --output"
                )


def _keep_settings(settings: dict[str, Any], output: Path) -> None:
    output.mkdir(parents=True, exist_ok=True)
    text = json.dumps({"unet_edu": __version__, **settings}, indent=2)
    write_whole(output / CONFIG, text.encode(), force=True)


def _settings_of(output: Path) -> dict[str, Any]:
    """The settings of the run in a folder; none where there is no such file."""
    path = output / CONFIG
    try:
        kept = json.loads(path.read_text())
        if not (isinstance(kept, dict) and all(isinstance(kept.get(name, {}), dict) for name in SECTIONS)):
            raise ValueError("other settings than those of a run")
        return kept
    except FileNotFoundError:
        return {}
    except ValueError as error:
        raise ValueError(f"{path}: is damaged ({error}); remove it, and give the options again") from None


class Curves:
    """The figures of a run's validations, as curves that TensorBoard shows.

    Parameters
    ----------
    output : path
        The folder of the run.

    Raises
    ------
    ImportError
        When the package tensorboardX is missing.
    """

    def __init__(self, output: str | os.PathLike[str]) -> None:
        from tensorboardX import SummaryWriter

        self._writer = SummaryWriter(str(Path(output) / "tensorboard"))

    def add(self, row: dict[str, float]) -> None:
        """Add a row of `History.rows`."""
        for name, value in row.items():
            if name != "step" and math.isfinite(value):
                self._writer.add_scalar(name, value, int(row["step"]))
        self._writer.flush()

    def close(self) -> None:
        self._writer.close()
