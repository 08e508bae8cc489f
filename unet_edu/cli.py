"""The command `unet-edu`: train a U-Net on images of your own, predict with it, fetch the benchmarks. docs/training.md shows how.

Thin: what it does is done by `unet_edu.training.fit`, `unet_edu.tiling.predict` and `unet_edu.data.benchmarks`. Here options become their
arguments, and errors become one sentence. The commands for the exercises are in `unet_edu.grading.commands`.
"""

from __future__ import annotations

import functools
import json
import math
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
import typer
from numpy.typing import NDArray

from unet_edu import __version__
from unet_edu.data.files import SUFFIXES, DataError, is_image, pairs, read_image, read_labels, write_whole
from unet_edu.grading import commands

if TYPE_CHECKING:  # torch takes seconds to import, and `--help` needs none of it
    from unet_edu.data.samples import Frame
    from unet_edu.unet import UNet

app = typer.Typer(
    help="Train a U-Net, predict with it, and fetch the data sets on which U-Nets are measured. Check and grade the course's exercises.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
data = typer.Typer(
    help="The four benchmarks: what they are, downloading them, looking at what is there.", no_args_is_help=True
)
app.add_typer(data, name="data")

MENDABLE = (DataError, ValueError, OSError, FloatingPointError, MemoryError)
"""What the user can mend. Anything else is a mistake in this program."""

CONFIG = "train.json"
RESULTS = {"labels": "_labels.tif", "mask": "_mask.png", "overlay": "_overlay.png"}

Padding = StrEnum("Padding", "valid same")
Skip = StrEnum("Skip", "concat add multiply none")
Upsample = StrEnum("Upsample", "transposed bilinear unpool")
Norm = StrEnum("Norm", "none batch")
Optimizer = StrEnum("Optimizer", "sgd adamw")
Precision = StrEnum("Precision", "auto float32 bfloat16")
Contrast = StrEnum("Contrast", "stretch range")


def _in_one_sentence(command: Callable[..., None]) -> Callable[..., None]:
    """What the user can mend is said in one sentence; a mistake in this program still shows where it happened."""

    @functools.wraps(command)
    def run(*args: Any, **options: Any) -> None:
        try:
            command(*args, **options)
        except MENDABLE as error:
            _complain(error)
            raise typer.Exit(1) from None
        except ModuleNotFoundError as error:
            package = str(error.name).partition(".")[0]
            if package == "unet_edu":
                raise
            _complain(
                ImportError(
                    f"the package {package} is missing in {sys.prefix}; activate the environment of the course "
                    "(conda activate unet-edu, or source .venv/bin/activate), or install the course again"
                )
            )
            raise typer.Exit(1) from None
        except RuntimeError as error:
            if type(error).__name__ != "OutOfMemoryError":  # torch's; to name it would be to import torch
                raise
            _complain(MemoryError("the memory of the GPU is full; take a smaller --batch-size, --crop or --tile"))
            raise typer.Exit(1) from None

    return run


def _complain(error: Exception) -> None:
    text = str(error) if not isinstance(error, OSError) or not error.strerror else f"{error.filename}: {error.strerror}"
    typer.echo(f"unet-edu: {text or type(error).__name__}", err=True)


# ------------------------------------------------------------------------------------------------------------------- train


network = functools.partial(typer.Option, rich_help_panel="Network")
recipe = functools.partial(typer.Option, rich_help_panel="Recipe")
machine = functools.partial(typer.Option, rich_help_panel="Machine")

Source = Annotated[
    str,
    typer.Argument(
        help="What to train on: a folder with the subfolders 'images' and 'labels'; the name of a benchmark that was fetched; or 'cells' for "
        "drawn cells, to try things out."
    ),
]
Classes = Annotated[
    int | None,
    typer.Option(
        min=2,
        help="Labels are class numbers from 0 to one less than this. Without it they number the cells, with 0 for the background.",
    ),
]
OfImages = Annotated[
    Contrast,
    typer.Option(
        help="stretch: in each image the darkest percent becomes 0 and the brightest percent 1. range: numbers are divided by the largest of "
        "the file's type."
    ),
]


@app.command()
@_in_one_sentence
def train(
    source: Source,
    output: Annotated[Path, typer.Option("--output", "-o", help="The folder of this run: weights, settings, curves.")],
    classes: Classes = None,
    folder: Annotated[Path | None, typer.Option(help="Where the benchmark is, if not in the usual place.")] = None,
    colour: Annotated[bool, typer.Option("--colour", help="Keep colours. Without it images are made grey.")] = False,
    contrast: OfImages = Contrast.stretch,
    hold_out: Annotated[
        float, typer.Option(min=0, max=0.9, help="The part of the images, the last by name, that is kept to validate.")
    ] = 0.2,
    widths: Annotated[
        str, network(help="Channels at each level, from the top down. The paper: 64,128,256,512,1024.")
    ] = "16,32,64,128,256",
    padding: Annotated[Padding, network(help="The paper: valid.")] = Padding.same,
    skip: Annotated[Skip, network(help="How copies join. The paper: concat.")] = Skip.concat,
    upsample: Annotated[Upsample, network(help="The step up. The paper: transposed.")] = Upsample.transposed,
    norm: Annotated[Norm, network(help="Batch normalisation, or none as in the paper.")] = Norm.batch,
    dropout: Annotated[float, network(min=0, max=1, help="At the bottom of the network.")] = 0.5,
    optimizer: Annotated[Optimizer, recipe(help="The paper: sgd, with momentum 0.99.")] = Optimizer.adamw,
    lr: Annotated[float | None, recipe(help="Learning rate. Without it: 0.002 for adamw, 0.001 for sgd.")] = None,
    steps: Annotated[int, recipe(min=1, help="How many batches.")] = 1000,
    batch_size: Annotated[int, recipe(min=1, help="Crops a step, of all processes together. The paper: 1.")] = 8,
    crop: Annotated[int, recipe(min=1, help="Side of the crops, in pixels. The paper: 572.")] = 128,
    w0: Annotated[float, recipe(min=0, help="How much more the gaps between cells count. 0: no weight map.")] = 10.0,
    sigma: Annotated[float, recipe(min=0.1, help="How wide a gap counts as narrow, in pixels.")] = 5.0,
    seed: Annotated[int, recipe(min=0, max=2**63 - 1, help="Of the weights, the crops and their order.")] = 0,
    validate_every: Annotated[
        int | None, recipe(min=1, help="Steps between validations. Without it: ten in all.")
    ] = None,
    device: Annotated[str | None, machine(help="cpu, cuda, cuda:1, mps … Without it: a GPU if there is one.")] = None,
    precision: Annotated[Precision, machine(help="auto: 16 bits where they are faster.")] = Precision.auto,
    workers: Annotated[int, machine(min=0, help="Processes that prepare crops, so that a GPU need not wait.")] = 0,
    compile: Annotated[bool, machine("--compile", help="Compile the network first. For long runs on a GPU.")] = False,
    tensorboard: Annotated[bool, typer.Option(help="Write curves that TensorBoard shows.")] = True,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with the run in the output folder, if there is one.")
    ] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress bar and no settings.")] = False,
) -> None:
    """Train a U-Net.

    The settings are shown, and kept as train.json beside the weights: best.pt, which did best on the images held out, and last.pt, from
    which --resume goes on. On several GPUs: accelerate launch -m unet_edu.cli train …
    """
    config = {
        "data": {
            "source": source,
            "classes": classes,
            "channels": 3 if colour else 1,
            "contrast": contrast.value,
            "hold_out": hold_out,
        },
        "network": {
            "in_channels": 3 if colour else 1,
            "num_classes": classes or 2,
            "widths": _widths(widths),
            "padding": padding.value,
            "skip": skip.value,
            "upsample": upsample.value,
            "norm": None if norm is Norm.none else norm.value,
            "dropout": dropout,
        },
        "recipe": {"optimizer": optimizer.value, "lr": lr, "steps": steps, "batch_size": batch_size, "seed": seed},
        "crops": {"size": crop, "w0": w0, "sigma": sigma},
        "folder": None if folder is None else str(folder),
        "machine": {"device": device, "precision": precision.value, "workers": workers, "compile": compile},
    }
    _expect_device(device)
    _train(config, output, resume=resume, validate_every=validate_every, tensorboard=tensorboard, quiet=quiet)


def _train(
    config: dict[str, Any], output: Path, *, resume: bool, validate_every: int | None, tensorboard: bool, quiet: bool
) -> None:
    """From the settings to `fit`."""
    import torch

    from unet_edu.data.samples import Crops, Whole
    from unet_edu.losses import border_weight_map, separated
    from unet_edu.training import fit
    from unet_edu.unet import UNet

    torch.manual_seed(config["recipe"]["seed"])
    model = UNet(**config["network"])
    size, w0 = config["crops"]["size"], config["crops"]["w0"]
    lost = (size - model.output_size(size)[0]) // 2
    frames, labels_are_classes = _frames(config["data"], config["folder"])
    options: dict[str, Any] = {"target": None if labels_are_classes else separated}
    if w0 and not labels_are_classes:
        options["weight_map"] = functools.partial(border_weight_map, w0=w0, sigma=config["crops"]["sigma"])
    training, validation = _held_out(frames, config["data"]["hold_out"])
    if _is_first():
        _keep_config(config, output, resume)
        if not quiet:
            typer.echo(json.dumps(config, indent=2))
            typer.echo(f"{len(training)} images to train on, {len(validation)} to validate.")
    with _reports(output, tensorboard, quiet) as on_validation:
        history = fit(
            model,
            Crops(training, size, seed=config["recipe"]["seed"], margin=lost, **options),
            Whole(validation, **options) if validation else None,
            **config["recipe"],
            **config["machine"],
            validate_every=validate_every,
            on_validation=on_validation,
            folder=output,
            resume=resume,
            progress=not quiet,
        )
    if history.interrupted:
        if _is_first():
            steps = len(history.losses)
            typer.echo(f"Stopped at step {steps}. The same command with --resume goes on from there.", err=True)
        raise typer.Exit(130)
    if _is_first() and not quiet:
        best = output / "best.pt"  # there is none where nothing was held out, or no cell is on what was
        typer.echo(f"Weights: {best if best.exists() else output / 'last.pt'}")


def _widths(text: str) -> list[int]:
    try:
        return [int(width) for width in text.split(",")]
    except ValueError:
        raise ValueError(f"--widths: expected numbers with commas between, such as 16,32,64, got {text!r}") from None


def _expect_device(device: str | None) -> None:
    if device is None:
        return
    from unet_edu._device import chosen_device

    try:
        chosen_device(device)
    except ValueError as error:
        raise ValueError(f"--{error}") from None


def _is_first() -> bool:
    """Whether this process is the only one, or the first of those that `accelerate launch` or `torchrun` has started."""
    return os.environ.get("RANK", "0") == "0"


def _frames(chosen: dict[str, Any], folder: str | None) -> tuple[list[Frame], bool]:
    """The images of a source with their labels, in order, and whether the labels are class numbers."""
    from unet_edu.data.benchmarks import BENCHMARKS
    from unet_edu.data.cells import synthetic_cells
    from unet_edu.data.samples import Frame

    source, classes = chosen["source"], chosen["classes"]
    found: Iterator[tuple[Any, Any]]
    if source == "cells":
        found = (synthetic_cells(seed) for seed in range(40))
    elif source in BENCHMARKS:
        found = _of_benchmark(source, folder)
        classes = 2 if source == "ISBI-2012" else None
    elif Path(source).is_dir():
        found = _of_folder(Path(source), classes)
    else:
        raise ValueError(f"{source}: expected a folder, 'cells', or one of {', '.join(BENCHMARKS)}")
    frames = [Frame(_prepared(image, chosen["channels"], chosen["contrast"]), labels) for image, labels in found]
    return frames, classes is not None


def _of_benchmark(name: str, folder: str | None) -> Iterator[tuple[Any, Any]]:
    """The training frames of the split in which figures are reported. The frames that are scored are left alone.

    Silver before gold: people have numbered only some of the cells of some of the frames.
    """
    from unet_edu.data.benchmarks import load, split

    training, _ = split(load(name, folder))
    return ((frame.image, frame.gold if frame.silver is None else frame.silver) for frame in training)


def _of_folder(folder: Path, classes: int | None) -> Iterator[tuple[Any, Any]]:
    """Pairs from the subfolders images and labels."""
    from unet_edu.instances import connected

    for image_path, labels_path in pairs(folder):
        image, labels = read_image(image_path), read_labels(labels_path)
        if image.shape[-2:] != labels.shape:
            raise ValueError(f"{labels_path}: expected the size of its image, {image.shape[-2:]}, got {labels.shape}")
        if labels.min() < 0 or (classes is not None and labels.max() >= classes):
            raise ValueError(
                f"{labels_path}: expected numbers from 0 to {(classes or 2**31) - 1}, got {labels.min()} to {labels.max()}"
            )
        is_mask = (
            classes is None and len(set(labels[labels > 0].tolist())) == 1
        )  # 0 and 255: each connected piece is a cell
        yield image, connected(labels > 0) if is_mask else labels


def _prepared(image: NDArray[Any], channels: int, contrast: str) -> NDArray[np.float32]:
    """An image as the network is to see it: grey or with three colours, its numbers from 0 to 1."""
    if channels == 1 and image.ndim == 3:
        image = np.tensordot(
            np.array([0.2125, 0.7154, 0.0721]), image, 1
        )  # how bright the eye finds red, green and blue
    elif channels > 1 and image.ndim == 2:
        image = np.stack([image] * channels)
    if contrast == "stretch":
        dark, bright = np.percentile(image, (1, 99))
        image = np.clip((image - dark) / max(bright - dark, 1e-6), 0, 1)
    return image.astype(np.float32)


def _held_out(frames: list[Frame], share: float) -> tuple[list[Frame], list[Frame]]:
    """The first frames to train on, the last to validate. In one piece: neighbours in a film look alike, and must not be on both sides."""
    count = round(len(frames) * share)
    if share and len(frames) > 1:
        count = min(max(count, 1), len(frames) - 1)
    return frames[: len(frames) - count], frames[len(frames) - count :]


def _keep_config(config: dict[str, Any], output: Path, resume: bool) -> None:
    """Write the settings beside the weights. Who goes on with a run goes on with its settings, on whatever machine."""
    path = output / CONFIG
    if (output / "last.pt").exists():
        if not resume:
            raise ValueError(
                f"{output}: holds a run already; --resume goes on with it, another --output starts a new one"
            )
        kept = _config_beside(output / "last.pt")
        for section in ("data", "network", "recipe", "crops"):
            for name, now in config[section].items():
                then = kept.get(section, {}).get(name)
                # on another machine the same images may be in another place
                if now != then and not (name == "source" and Path(str(now)).name == Path(str(then)).name):
                    raise ValueError(
                        f"{name}: the run in {output} has {then!r}, got {now!r}; go on with the same, or take another --output"
                    )
    output.mkdir(parents=True, exist_ok=True)
    text = json.dumps({"unet_edu": __version__, **config}, indent=2)
    write_whole(path, lambda file: file.write(text.encode()), force=True)


def _config_beside(weights: Path) -> dict[str, Any]:
    """The settings beside some weights; none where there is no such file."""
    path = weights.parent / CONFIG
    try:
        return json.loads(path.read_text())
    except FileNotFoundError:
        return {}
    except ValueError as error:
        raise ValueError(f"{path}: is damaged ({error}); remove it, and give the options again") from None


@contextmanager
def _reports(output: Path, wanted: bool, quiet: bool) -> Iterator[Callable[[UNet, dict[str, float]], None]]:
    """What is done with the figures of each validation: a line for people, curves for TensorBoard."""
    from tqdm import tqdm

    writer = None
    if wanted and _is_first():
        try:
            from tensorboardX import SummaryWriter
        except ImportError:
            typer.echo("No curves for TensorBoard: `pip install tensorboardX` brings what writes them.", err=True)
        else:
            writer = SummaryWriter(str(output / "tensorboard"))

    def report(model: UNet, row: dict[str, float]) -> None:
        if not quiet:
            tqdm.write("  ".join(f"{name} {value:.4g}" for name, value in row.items()))
        if writer is not None:
            for name, value in row.items():
                if name != "step" and math.isfinite(value):
                    writer.add_scalar(name, value, int(row["step"]))
            writer.flush()

    try:
        yield report
    finally:
        if writer is not None:
            writer.close()


# ----------------------------------------------------------------------------------------------------------------- predict


@app.command()
@_in_one_sentence
def predict(
    weights: Annotated[Path, typer.Argument(help="A file of weights, or the folder of a run, whose best are taken.")],
    images: Annotated[list[Path], typer.Argument(help="PNG and TIFF files, and folders of them.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="The folder for the results.")],
    contrast: Annotated[
        Contrast | None,
        typer.Option(help="As in training. Without it: what train.json beside the weights says, or else stretch."),
    ] = None,
    threshold: Annotated[float, typer.Option(min=0, max=1, help="Above which probability a pixel is cell.")] = 0.5,
    min_size: Annotated[int, typer.Option(min=0, help="Cells of fewer pixels are dropped.")] = 0,
    grow: Annotated[
        float, typer.Option(min=0, help="Pixels by which each cell grows in the end, to give back the gap.")
    ] = 0.0,
    tile: Annotated[
        int | None, typer.Option(min=1, help="Largest side that is computed at once. Smaller needs less memory.")
    ] = None,
    device: Annotated[
        str | None, typer.Option(help="cpu, cuda, cuda:1, mps … Without it: a GPU where there is one.")
    ] = None,
    precision: Annotated[Precision, typer.Option(help="auto: 16 bits where they are faster.")] = Precision.auto,
    force: Annotated[bool, typer.Option("--force", help="Overwrite results that are there.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress bar.")] = False,
) -> None:
    """Find the cells in images.

    For each image NAME there are three results: NAME_labels.tif with a number for each cell (16 bits, 0 is the background), NAME_mask.png (255
    on cells), and NAME_overlay.png, the image with the cells' outlines. A network of more than two classes gives no labels, and its mask
    holds the class numbers.

    One image that cannot be read does not stop the others; the exit code is then 1.
    """
    from tqdm import tqdm

    from unet_edu import tiling

    _expect_device(device)
    model, settings = _network(weights, device)
    chosen = contrast.value if contrast else settings.get("data", {}).get("contrast", Contrast.stretch.value)
    paths = _images(images)
    results = _results(paths, output, force)
    output.mkdir(parents=True, exist_ok=True)
    failures = 0
    for path in tqdm(paths, disable=quiet, unit="image"):
        try:
            image = _prepared(read_image(path), model.config["in_channels"], chosen)
            scores = tiling.predict(model, image, tile=tile, precision=precision.value)
            _write_results(image, *_decided(scores, threshold, min_size, grow), results[path], force)
        except MENDABLE as error:
            failures += 1
            _complain(error)
    if failures:
        typer.echo(f"unet-edu: {failures} of {len(paths)} images failed", err=True)
        raise typer.Exit(1)


def _network(weights: Path, device: str | None) -> tuple[UNet, dict[str, Any]]:
    """The network, on its device, and the settings of its training as far as they are known."""
    from unet_edu.training import best_device, load

    if weights.is_dir():
        found = [path for path in (weights / "best.pt", weights / "last.pt") if path.exists()]
        if not found:
            raise ValueError(
                f"{weights}: expected best.pt or last.pt in this folder, as `unet-edu train` leaves them there"
            )
        weights = found[0]
    return load(weights).to(device or best_device()), _config_beside(weights)


def _images(named: Sequence[Path]) -> list[Path]:
    """The files, and those in the folders, which may hold results of an earlier run too."""
    paths: list[Path] = []
    for path in named:
        if not path.is_dir():
            paths.append(path)
            continue
        inside = [file for file in sorted(path.iterdir()) if is_image(file)]
        inside = [file for file in inside if not file.name.endswith(tuple(RESULTS.values()))]
        if not inside:
            raise ValueError(f"{path}: expected images in this folder ({', '.join(SUFFIXES)}), found none")
        paths += inside
    return list(dict.fromkeys(paths))


def _results(paths: list[Path], output: Path, force: bool) -> dict[Path, dict[str, Path]]:
    """Where the results of each image go. Looks before anything is computed whether something would be lost."""
    results = {path: {kind: output / f"{path.stem}{end}" for kind, end in RESULTS.items()} for path in paths}
    by_stem: dict[str, Path] = {}
    for path in paths:
        twin = by_stem.setdefault(path.stem, path)
        if twin != path:
            raise ValueError(f"{path}: its results would have the names of those of {twin}; take two --output folders")
    there = [result for files in results.values() for result in files.values() if result.exists()]
    if there and not force:
        raise ValueError(f"{there[0]}: is there already, {len(there)} such files in all; --force overwrites them")
    return results


def _decided(
    scores: NDArray[np.float32], threshold: float, min_size: int, grow: float
) -> tuple[NDArray[np.uint8], NDArray[np.int32] | None]:
    """Mask and cells. Of more than two classes: the likeliest class, and no cells."""
    from unet_edu.postprocess import instances_from_probability

    if len(scores) != 2:
        return scores.argmax(axis=0).astype(np.uint8), None
    cells = instances_from_probability(scores[1], threshold=threshold, min_size=min_size, grow=grow)
    return np.where(cells, 255, 0).astype(np.uint8), cells


def _write_results(
    image: NDArray[np.float32],
    mask: NDArray[np.uint8],
    cells: NDArray[np.int32] | None,
    files: dict[str, Path],
    force: bool,
) -> None:
    from PIL import Image

    if cells is not None:
        fits = cells.max(initial=0) < 2**16
        labels = Image.fromarray(cells.astype(np.uint16) if fits else cells)
        write_whole(
            files["labels"], lambda file: labels.save(file, "TIFF", compression="tiff_adobe_deflate"), force=force
        )
    pictures = {
        "mask": Image.fromarray(mask),
        "overlay": Image.fromarray(_outlined(image, mask if cells is None else cells)),
    }
    for kind, picture in pictures.items():
        write_whole(files[kind], functools.partial(picture.save, format="PNG"), force=force)


def _outlined(image: NDArray[np.float32], labels: NDArray[Any]) -> NDArray[np.uint8]:
    """The image with an outline around everything that has a number. Orange, which is neither on grey images nor on stained ones."""
    from skimage.segmentation import find_boundaries

    planes = image if image.ndim == 3 else np.stack([image] * 3)
    colours = (np.clip(planes[:3], 0, 1) * 255).astype(np.uint8).transpose(1, 2, 0).copy()
    colours[find_boundaries(labels, mode="inner")] = (255, 140, 0)
    return colours


# -------------------------------------------------------------------------------------------------------------------- data


Folder = Annotated[
    Path | None, typer.Option(help="Where the benchmarks are kept. Without it: this system's place for caches.")
]
Name = Annotated[str, typer.Argument(help="One of the names that `unet-edu data list` shows.")]


@data.command("list")
@_in_one_sentence
def list_benchmarks(folder: Folder = None) -> None:
    """Show the benchmarks, on which terms they may be used, and which are here."""
    from unet_edu.data.benchmarks import BENCHMARKS, load

    for name, benchmark in BENCHMARKS.items():
        try:
            here = f"{len(load(name, folder))} frames are here"
        except FileNotFoundError:
            here = f"not here yet: unet-edu data fetch {name}"
        typer.echo(f"{name}: {benchmark.what}\n    {benchmark.licence}\n    {here}")


@data.command()
@_in_one_sentence
def fetch(
    name: Name,
    folder: Folder = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress bar.")] = False,
) -> None:
    """Download a benchmark from its publisher. A download that broke goes on where it stopped."""
    from unet_edu.data import benchmarks

    path = benchmarks.fetch(name, folder, progress=not quiet)
    benchmark = benchmarks.BENCHMARKS[name]
    typer.echo(f"{path}\n{name} is {benchmark.licence}. To cite:")
    for work in benchmark.cite:
        typer.echo(f"  {work}")


@data.command()
@_in_one_sentence
def show(name: Name, folder: Folder = None) -> None:
    """Count the frames of a benchmark that is here, and what is known of them."""
    from unet_edu.data.benchmarks import load, split

    frames = load(name, folder)
    training, scored = split(frames)
    shape = frames[0].image.shape
    typer.echo(f"{name}: {len(frames)} frames, the first of {shape[0]} × {shape[1]} pixels")
    for sequence in sorted({frame.sequence for frame in frames}):
        mine = [frame for frame in frames if frame.sequence == sequence]
        counts = ", ".join(
            f"{sum(kind in frame.files for frame in mine)} with {kind}" for kind in ("gold", "silver", "markers")
        )
        typer.echo(f"  {f'sequence {sequence}' if sequence else 'all'}: {len(mine)} frames, {counts}")
    typer.echo(
        f"  split: {len(training)} to train on ({training[0].name} …), {len(scored)} for the score ({scored[0].name} …)"
    )


# --------------------------------------------------------------------------------------------------------------- exercises


for exercises_command in (commands.check, commands.progress, commands.grade, commands.release):
    app.command()(_in_one_sentence(exercises_command))


if __name__ == "__main__":
    app()
