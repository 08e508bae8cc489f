"""The command `unet-edu`: train a U-Net on images of your own, predict with it, fetch the benchmarks.

docs/training.md shows how.

Thin: what it does is done by `unet_edu.runs`, `unet_edu.predicting` and `unet_edu.data.benchmarks`. Here options become
their arguments, and errors become one sentence. The commands for the exercises are in `unet_edu.grading.commands`.
"""

from __future__ import annotations

import errno
import functools
import io
import json
import math
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from unet_edu import __version__, runs
from unet_edu.data.doubts import and_others
from unet_edu.data.files import MENDABLE
from unet_edu.data.pictures import DataWarning
from unet_edu.data.sources import expect_source
from unet_edu.grading import commands

if TYPE_CHECKING:  # torch takes seconds to import, and `--help` needs none of it
    from unet_edu.training import History
    from unet_edu.unet import UNet


class _App(typer.Typer):
    """As Typer's, on any terminal: what it says is never a reason to stop, nor another exit code."""

    def __call__(self, *args: Any, **options: Any) -> Any:
        sys.stdout, sys.stderr = _bearing(sys.stdout), _bearing(sys.stderr)
        return super().__call__(*args, **options)


class _Bearing(io.FileIO):
    """A pipe that may be gone, as with `| head -1`: then what is said goes nowhere, and the work goes on."""

    def write(self, data: Any) -> int:
        try:
            return super().write(data)
        except BrokenPipeError:
            return len(data)


def _bearing(stream: Any) -> Any:
    """The stream, whose reader may go, and know ASCII alone: "?" stands for what it cannot show."""
    try:
        stream.flush()
        if stream.isatty():  # it stays, and Windows' console gets its letters in another way than as bytes
            stream.reconfigure(errors="replace")
            return stream
        raw = _Bearing(stream.fileno(), "w", closefd=False)
    except (AttributeError, OSError, ValueError):  # none at all, or no file: a test's, a notebook's
        return stream
    return io.TextIOWrapper(io.BufferedWriter(raw), stream.encoding, "replace", line_buffering=True)


HELP = {"help_option_names": ["-h", "--help"]}

app = _App(no_args_is_help=True, context_settings=HELP, pretty_exceptions_enable=False)
data = typer.Typer(
    help="The four benchmarks: what they are, downloading them, looking at what is there.",
    no_args_is_help=True,
    context_settings=HELP,
)
app.add_typer(data, name="data")


def _version(is_wanted: bool) -> None:
    if is_wanted:
        typer.echo(f"unet-edu {__version__}")
        raise typer.Exit


@app.callback()
def about(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """Train a U-Net, predict with it, and fetch the data sets on which U-Nets are measured. Check and grade the
    course's exercises."""


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

    # The terminal breaks the lines of a help text where it must, and not where they end here.
    run.__doc__ = "\n\n".join(" ".join(part.split()) for part in (command.__doc__ or "").split("\n\n"))
    return run


def _complain(error: Exception) -> None:
    text = str(error) if not isinstance(error, OSError) or not error.strerror else f"{error.filename}: {error.strerror}"
    _say(f"unet-edu: {text or type(error).__name__}")


def _note(text: str) -> None:
    _say(f"unet-edu: note: {text}")


def _say(text: str) -> None:
    """On the error channel; names of files that are no text are shown with escapes."""
    typer.echo(text.encode(errors="backslashreplace").decode(), err=True)


@contextmanager
def _told() -> Iterator[None]:
    """What is said inside about data that can be used with a doubt becomes notes: once a kind, by the first process."""
    caught: list[warnings.WarningMessage] = []
    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always", DataWarning)
            yield
    finally:
        notes: dict[str, list[str]] = {}
        for warning in caught:
            if isinstance(warning.message, DataWarning):
                notes.setdefault(warning.message.said, []).append(warning.message.name)
            else:
                warnings.showwarning(warning.message, warning.category, warning.filename, warning.lineno)
        for said, names in notes.items() if runs.is_first() else ():
            _note(f"{names[0]}{and_others(len(names) - 1)}: {said}")


# ---------------------------------------------------------------------------------------------------------------- train


network = functools.partial(typer.Option, rich_help_panel="Network")
recipe = functools.partial(typer.Option, rich_help_panel="Recipe")
machine = functools.partial(typer.Option, rich_help_panel="Machine")
cells = functools.partial(typer.Option, rich_help_panel="For networks that find cells")

Source = Annotated[
    str,
    typer.Argument(
        help="What to train on: a folder with the subfolders 'images' and 'labels'; the name of a benchmark that was "
        "fetched; or 'cells' for drawn cells, to try things out."
    ),
]
Classes = Annotated[
    int | None,
    typer.Option(
        min=2,
        max=256,
        help="Labels are class numbers from 0 to one less than this. Without it they number the cells, with 0 for the "
        "background.",
    ),
]
OfImages = Annotated[
    Contrast,
    typer.Option(
        help="stretch: in each image the darkest percent becomes 0 and the brightest percent 1. range: the same dark "
        "and bright for all images, those of the images to train on."
    ),
]


@app.command()
@_in_one_sentence
def train(
    source: Source,
    output: Annotated[Path, typer.Option("--output", "-o", help="The folder of this run: weights, settings, curves.")],
    classes: Classes = None,
    ignore: Annotated[
        int | None,
        typer.Option(
            help="The number in the labels that stands where nobody knows. It counts in no loss and no score."
        ),
    ] = None,
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
    lr: Annotated[
        float | None, recipe(help="Learning rate. Without it: 0.002 for adamw, 0.006 for classes; 0.001 for sgd.")
    ] = None,
    steps: Annotated[int, recipe(min=1, help="How many batches.")] = 2000,
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
    new_data: Annotated[
        bool, typer.Option("--new-data", help="With --resume: go on although images or labels are others than before.")
    ] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress bar and no settings.")] = False,
) -> None:
    """Train a U-Net.

    What was read is said first, and what looks wrong with it. The settings are shown, and kept as train.json beside the
    weights: best.pt, which did best on the images held out, and last.pt, from which --resume goes on. On several GPUs:
    torchrun -m unet_edu train …
    """
    config = {
        "data": {
            "source": source,
            "classes": classes,
            "ignore": ignore,
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
    if new_data and not resume:
        raise ValueError("--new-data: goes with --resume; a new run needs neither")
    _expect_folder(output)
    expect_source(source)
    with _told():
        run = runs.prepare(config, output, resume=resume, new_data=new_data)
    if runs.is_first():
        for line in () if quiet else run.described:
            typer.echo(line)
        for doubt in run.doubts:
            _note(doubt)
        if not quiet:
            typer.echo(json.dumps(config, indent=2))
    with _reports(output, tensorboard, quiet) as on_validation:
        is_watched = not quiet and sys.stderr.isatty()
        history = run.train(validate_every=validate_every, on_validation=on_validation, progress=is_watched)
    if runs.is_first():
        _tell_result(history, output, quiet)
    if history.interrupted:
        raise typer.Exit(130)


def _tell_result(history: History, output: Path, quiet: bool) -> None:
    if history.interrupted:
        steps = len(history.losses)
        typer.echo(f"Stopped at step {steps}. The same command with --resume goes on from there.", err=True)
        return
    if quiet:
        return
    best = history.best
    if best is None:
        typer.echo(f"Weights: {output / 'last.pt'}. No image was held out, so none was the best.")
        return
    for name, score in best.items():
        if name.startswith("val_iou_"):
            typer.echo(f"IoU of class {name.removeprefix('val_iou_')}: {score:.3f}")
    judge = "val_seg" if "val_seg" in best else "val_iou"
    if history.chosen_by == judge:
        why = f"its {judge}, {best[judge]:.3f}, is the highest"
    else:
        of_judge = (
            f"no held-out image has a cell, so there is no {judge}"
            if math.isnan(best[judge])
            else f"several have the highest {judge}, {best[judge]:.3f}"
        )
        why = f"its val_loss, {best['val_loss']:.4f}, is the lowest ({of_judge})"
    typer.echo(f"Weights: {output / 'best.pt'}. Chosen at step {best['step']}: {why}.")


def _widths(text: str) -> list[int]:
    try:
        return [int(width) for width in text.split(",")]
    except ValueError:
        raise ValueError(f"--widths: expected numbers with commas between, such as 16,32,64, got {text!r}") from None


def _expect_device(device: str | None) -> None:
    if device is None:
        return
    from unet_edu._running.devices import chosen_device

    try:
        chosen_device(device)
    except ValueError as error:
        raise ValueError(f"--{error}") from None


def _expect_folder(output: Path) -> None:
    """Or it would be found out only after everything was read."""
    in_the_way = next((path for path in (output, *output.parents) if path.exists() and not path.is_dir()), None)
    if in_the_way is not None:
        raise ValueError(f"--output: {in_the_way} is a file; take a folder")


def _expect_some(images: list[Path]) -> None:
    """One that is missing among others is told in its turn."""
    if not any(path.exists() for path in images):
        raise FileNotFoundError(errno.ENOENT, "there is no such file or folder", str(images[0]))


@contextmanager
def _reports(output: Path, wanted: bool, quiet: bool) -> Iterator[Callable[[UNet, dict[str, float]], None]]:
    """What is done with the figures of each validation: a line for people, curves for TensorBoard."""
    from tqdm import tqdm

    curves = None
    if wanted and runs.is_first():
        try:
            curves = runs.Curves(output)
        except ImportError:
            typer.echo("No curves for TensorBoard: `pip install tensorboardX` brings what writes them.", err=True)

    def report(model: UNet, row: dict[str, float]) -> None:
        if not quiet:  # the IoU of each class is told at the end
            shown = {name: value for name, value in row.items() if not name.startswith("val_iou_")}
            tqdm.write("  ".join(f"{name} {value:.4g}" for name, value in shown.items()))
        if curves is not None:
            curves.add(row)

    try:
        yield report
    finally:
        if curves is not None:
            curves.close()


# -------------------------------------------------------------------------------------------------------------- predict


@app.command()
@_in_one_sentence
def predict(
    weights: Annotated[Path, typer.Argument(help="A file of weights, or the folder of a run, whose best are taken.")],
    images: Annotated[list[Path], typer.Argument(help="Images, and folders of them.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="The folder for the results.")],
    threshold: Annotated[
        float | None, cells(min=0, max=1, help="Above which probability a pixel is cell. Without it: 0.5.")
    ] = None,
    sure: Annotated[
        float | None,
        cells(
            min=0,
            max=1,
            help="Above which probability a cell begins. 0: above the threshold. Without it: 0.8.",
        ),
    ] = None,
    min_size: Annotated[int | None, cells(min=0, help="Cells of fewer pixels are dropped. Without it: none.")] = None,
    grow: Annotated[
        float | None,
        cells(min=0, help="Pixels by which each cell grows in the end, to give back the gap. Without it: 0."),
    ] = None,
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
    """Find the cells, or the classes, in images.

    A network that was trained on cells leaves three files for each image NAME: NAME_labels.tif with a number for each
    cell (16 bits, 0 is the background), NAME_mask.png (255 on cells), and NAME_overlay.png, the image with the cells'
    outlines.

    One that was trained on classes leaves two: NAME_classes.png, whose numbers are the classes, and NAME_overlay.png,
    the image with the classes in colours.

    One image that cannot be read does not stop the others; the exit code is then 1.
    """
    _expect_folder(output)
    chosen = runs.best_weights(weights)
    _expect_some(images)
    from unet_edu.predicting import predict_files  # after what is said at once: these bring torch
    from unet_edu.training import best_device, load

    _expect_device(device)
    model = load(chosen).to(device or best_device())
    with _told():
        results = predict_files(
            model,
            images,
            output,
            threshold=threshold,
            sure=sure,
            min_size=min_size,
            grow=grow,
            tile=tile,
            precision=precision.value,
            force=force,
            progress=not quiet and sys.stderr.isatty(),
            on_failure=_complain,
        )
    failures = sum(isinstance(result, Exception) for result in results.values())
    if failures:
        _say(f"unet-edu: {failures} of {len(results)} images failed")
        raise typer.Exit(1)


# ----------------------------------------------------------------------------------------------------------------- data


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

    path = benchmarks.fetch(name, folder, progress=not quiet and sys.stderr.isatty())
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


# ------------------------------------------------------------------------------------------------------------ exercises


for exercises_command in (commands.check, commands.progress, commands.grade, commands.release):
    app.command()(_in_one_sentence(exercises_command))
