"""Training a U-Net. Lesson 07 explains each lever.

`fit` is the loop: take a batch, compute the scores, measure the loss, go back through the network, step. Around it
stands what makes a long run pleasant: it chooses the device, computes with 16-bit numbers where that is faster, keeps
checkpoints, goes on where it was stopped, and runs on several processes when it is started so.

Sample n of a run is the same whoever asks for it, and when: the training set is asked for samples 0, 1, 2, …, and what
dropout leaves out in a step follows from the seed and the step's number. So a run that was killed goes on as if nothing
had happened, and several processes share the samples of a batch without talking about it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset

from unet_edu._arguments import whole
from unet_edu._interrupt import ignore_interrupts, interrupted_later
from unet_edu._running.checkpoints import load, save
from unet_edu._running.devices import autocast, best_device, bf16_is_fast, channels_last, own_device, randomness
from unet_edu._running.processes import expect_one_step, on_all_processes, processes
from unet_edu._running.run import Run, expect_folder_of_its_own, judge, score
from unet_edu._running.seen import seen
from unet_edu.data.samples import Whole
from unet_edu.instances import cell_scores
from unet_edu.losses import weighted_cross_entropy
from unet_edu.metrics import confusion_matrix, iou
from unet_edu.postprocess import SURE, instances_from_probability
from unet_edu.unet import UNet, center_crop

__all__ = ["History", "Shuffled", "best_device", "bf16_is_fast", "evaluate", "fit", "load", "save"]

LEARNING_RATES = {"sgd": 1e-3, "adamw": 2e-3}
MOMENTUM = 0.99
LOOK_EVERY = 10  # steps, on a GPU


@dataclass
class History:
    """How a training went.

    Attributes
    ----------
    losses : list of float
        The loss of each step.
    rows : list of dict
        One for each validation: "step", "loss" (the mean since the row before), "lr", "seconds" since the start, and
        with a validation set "val_loss" and "val_iou", and "val_seg" where that was asked for.
    interrupted : bool
        Whether somebody stopped it before its last step (Ctrl-C, or the notebook's stop button). It then ends as
        others do: the network is as it was after its last step, and lists and rows are as long as it came.
    """

    losses: list[float] = field(default_factory=list)
    rows: list[dict[str, float]] = field(default_factory=list)
    interrupted: bool = False

    @property
    def best(self) -> dict[str, float] | None:
        """The validation of the network in `best.pt`, if any: the highest SEG where it was measured, else IoU; where
        that ties, the lowest loss."""
        rows = [row for row in self.rows if "val_iou" in row]
        # A run that began before SEG was measured has rows of both kinds, which are not to be compared.
        return max((row for row in rows if judge(row) == judge(rows[-1])), key=score, default=None)

    @property
    def chosen_by(self) -> str:
        """What made it better than those before it: "val_seg" or "val_iou"; or "val_loss", where these are equal or
        missing."""
        best = self.best
        if best is None or math.isnan(best[name := judge(best)]):
            return "val_loss"
        earlier = [row[name] for row in self.rows if name in row and row["step"] < best["step"]]
        return "val_loss" if best[name] in earlier else name


def fit(
    model: UNet,
    train: Dataset[Any],
    validation: Dataset[Any] | None = None,
    *,
    steps: int,
    batch_size: int = 1,
    loss: Callable[..., Tensor] = weighted_cross_entropy,
    optimizer: str = "sgd",
    lr: float | None = None,
    device: str | torch.device | None = None,
    precision: str = "auto",
    validate_every: int | None = None,
    on_validation: Callable[[UNet, dict[str, float]], None] | None = None,
    choose_by: str = "val_iou",
    folder: str | Path | None = None,
    resume: bool = False,
    new_data: bool = False,
    seed: int = 0,
    workers: int = 0,
    compile: bool = False,
    progress: bool = True,
) -> History:
    """Train a U-Net.

    Parameters
    ----------
    model : UNet
        Trained in place. Afterwards it is in evaluation mode, on `device`.
    train : Dataset
        Of samples (image, labels) or (image, labels, weights): float32 (C, H, W), int64 (H, W), float32 (H, W). Labels
        and weights are as large as the image; what an unpadded network does not answer is cut off. A dataset with the
        attribute `endless`, such as `unet_edu.data.samples.Crops`, is asked for samples 0, 1, 2, …; any other is
        shuffled anew each epoch.
    validation : Dataset, optional
        Of such samples too, of any size. Loss and IoU of its whole images are measured at each validation.
    steps : int
        How many batches.
    batch_size : int
        Of all processes together. The paper prefers one large image to many small ones, and takes 1.
    loss : function of (scores, labels) or (scores, labels, weights)
        What is made small: from tensors (N, K, H, W), (N, H, W) and (N, H, W) to one number.
        `unet_edu.losses.cross_entropy_and_dice` is one for classes of few pixels. A run that goes on does not know
        which one it had: give it the same.
    optimizer : {"sgd", "adamw"}
        "sgd" has the paper's momentum of 0.99 and a constant learning rate. "adamw" lets the learning rate rise and
        fall once (one-cycle), and needs far fewer steps.
    lr : float, optional
        The learning rate; for "adamw" its highest. Without one: 0.001 for "sgd", 0.002 for "adamw".
    device : str or torch.device, optional
        Without one: a GPU where there is one.
    precision : {"auto", "float32", "bfloat16"}
        "auto" is bfloat16 where that is faster.
    validate_every : int, optional
        Steps from one validation, and from one checkpoint, to the next. Without it: ten times in all. The last step has
        one always.
    on_validation : function of (model, row), optional
        Called at each validation, with the model in evaluation mode. It may add numbers to the row.
    choose_by : {"val_iou", "val_seg"}
        What the best network is best in. "val_seg" for cells that are to be counted and measured: a bridge of a few
        pixels between two cells changes the IoU of pixels little, and SEG much. It takes a `Whole` as `validation`.
    folder : path, optional
        Where checkpoints are kept: `last.pt`, from which a run goes on, and `best.pt`, the one with the highest
        validation IoU (or SEG: `choose_by`). Where these are equal, or there is none because nothing to be found is on
        the validation images, the lower validation loss decides; `about["chosen_by"]` of the file says which did.
    resume : bool
        Go on from `last.pt` in `folder`, or start where there is none yet: so the same command works after any
        accident. What `model.about` says must be what it said then.
    new_data : bool
        Go on although `model.about["data"]`, which tells one training set from another, is not what it was.
    seed : int
        Of the order of the samples, and of dropout.
    workers : int
        Processes that prepare samples. 0 prepares them in this one.
    compile : bool
        Let `torch.compile` make one program of the network. It takes a minute at first; worth it for long runs on a
        GPU.
    progress : bool
        Show how it goes: in a terminal a bar; in a notebook a picture of the losses, of one image (the first of
        `validation`, else of the batch) and of what the network says of it. Where nothing is shown, a notebook
        is told at least when it was stopped.

    Returns
    -------
    History

    Raises
    ------
    ValueError
        When an argument makes no sense, when the run in `folder` had other settings, or when its checkpoint is damaged.
    FileExistsError
        When `folder` holds a run and `resume` is False.
    FloatingPointError
        When the loss is no longer a number. It says what to try.

    Notes
    -----
    Started with `torchrun`, each process computes its part of each batch, and the gradients are averaged: the same
    training as one process on the whole batch, up to rounding and to dropout, which each process draws for itself. On
    GPUs, batch normalisation sees the whole batch too; on processors each process has its own statistics.

    A loss in the history is what `loss` answered. Without one it is the mean over the pixels of weight × −log p;
    "val_loss" is that mean always.

    References
    ----------
    Ronneberger, Fischer and Brox (2015), section 3. Lesson 07; exercise `sgd_step` is the optimizer.
    """
    settings = _settings(steps, batch_size, optimizer, lr, seed)
    if choose_by not in ("val_iou", "val_seg"):
        raise ValueError(f"choose_by: expected 'val_iou' or 'val_seg', got {choose_by!r}")
    every = whole("validate_every", max(1, steps // 10) if validate_every is None else validate_every, 1)
    expect_folder_of_its_own(folder, resume)
    with processes() as (rank, count), interrupted_later(second_breaks=True) as pressed:
        place = own_device(device)
        model.to(place, memory_format=channels_last(place))  # type: ignore[call-overload]  # mypy does not know this form
        run = Run(model, *_optimizer(model, settings), History(), settings, folder)
        if resume:
            run.resume(new_data)
            expect_one_step(run.step, place)
        network = on_all_processes(model, place, count)
        network = cast(nn.Module, torch.compile(network)) if compile else network
        batches = _batches(train, settings, run.step, rank, count, workers)
        losses: list[Tensor] = []  # still on the device: looking at one makes a GPU wait
        model.train()
        watched = seen(run, progress and rank == 0)
        try:
            for batch in batches:
                with autocast(place, precision), randomness(place, seed, run.step, rank):
                    value, scores = _loss(network, batch, place, loss)
                losses.append(value)
                run.update(value)
                is_row = run.step % every == 0 or run.step == steps
                if not (is_row or place.type == "cpu" or run.step % LOOK_EVERY == 0):
                    continue
                is_stopped = run.look(losses, bool(pressed))
                losses.clear()
                watched.update()
                if is_row or is_stopped:
                    run.expect_finite_weights()
                # also when it is stopped: the run that goes on will not come by here again
                if is_row and rank == 0:
                    model.eval()
                    row: dict[str, float] = {}
                    if validation is None:
                        watched.answer(batch[0][0], batch[1][0], scores[0].softmax(dim=0))
                    else:
                        with_seg = choose_by == "val_seg"
                        row = evaluate(model, validation, precision=precision, on_answer=watched.answer, seg=with_seg)
                    run.add_row(row, on_validation)
                    model.train()
                if (is_row or is_stopped) and rank == 0:
                    run.keep()
                if is_stopped and run.step < steps:
                    run.history.interrupted = True
                    break
        finally:
            watched.end()
            # while the processes are still joined: what averages their gradients can hang if it is cleared away later
            del network
        pressed.clear()  # the history says it
        model.eval()
        return run.history


def _loss(
    network: nn.Module, batch: Sequence[Tensor], place: torch.device, loss: Callable[..., Tensor]
) -> tuple[Tensor, Tensor]:
    """What the network makes of a batch, against the labels of the pixels that it answers; and its scores."""
    images, labels, *weights = (part.to(place, non_blocking=True) for part in batch)
    scores = network(images.contiguous(memory_format=channels_last(place))).float()
    size = scores.shape[-2:]
    return loss(scores, center_crop(labels, size), *(center_crop(part, size) for part in weights)), scores.detach()


def _optimizer(
    model: UNet, settings: dict[str, Any]
) -> tuple[torch.optim.Optimizer, torch.optim.lr_scheduler.LRScheduler]:
    """The paper's, or a modern one; each with its learning rate over time."""
    optimizer: torch.optim.Optimizer
    if settings["optimizer"] == "sgd":
        optimizer = torch.optim.SGD(model.parameters(), settings["lr"], momentum=MOMENTUM)
        return optimizer, torch.optim.lr_scheduler.ConstantLR(optimizer, factor=1)
    optimizer = torch.optim.AdamW(model.parameters(), settings["lr"])
    # a run of one step has no rise and no fall
    total = max(settings["steps"], 2)
    return optimizer, torch.optim.lr_scheduler.OneCycleLR(optimizer, settings["lr"], total_steps=total)


def _settings(steps: int, batch_size: int, optimizer: str, lr: float | None, seed: int) -> dict[str, Any]:
    """What must stay the same when a run goes on, as plain numbers: those of NumPy could not be kept."""
    settings: dict[str, Any] = {
        "steps": whole("steps", steps, 1),
        "batch_size": whole("batch_size", batch_size, 1),
        "optimizer": optimizer,
        "lr": LEARNING_RATES.get(optimizer) if lr is None else float(lr),
        "seed": whole("seed", seed, 0),
    }
    if optimizer not in LEARNING_RATES:
        raise ValueError(f"optimizer: expected one of {', '.join(LEARNING_RATES)}, got {optimizer!r}")
    if not 0 < settings["lr"] < math.inf:
        raise ValueError(f"lr: expected a number above 0, got {settings['lr']!r}")
    return settings


def _batches(
    train: Dataset[Any], settings: dict[str, Any], start: int, rank: int, count: int, workers: int
) -> DataLoader[Any]:
    """The batches that are still to come, this process's part of each."""
    size = settings["batch_size"]
    if size % count:
        raise ValueError(f"batch_size: expected a multiple of the {count} processes that share a batch, got {size}")
    stream = train if getattr(train, "endless", False) else Shuffled(train, settings["seed"])
    mine = slice(rank * size // count, (rank + 1) * size // count)
    return DataLoader(
        stream,
        batch_sampler=(list(range(step * size, (step + 1) * size)[mine]) for step in range(start, settings["steps"])),
        num_workers=workers,
        worker_init_fn=ignore_interrupts,
        pin_memory=torch.cuda.is_available(),
        generator=torch.Generator(),  # of its own, or it would draw from everybody's
    )


@torch.no_grad()
def evaluate(
    model: UNet,
    samples: Dataset[Any],
    *,
    precision: str = "auto",
    on_answer: Callable[[Any, Any, NDArray[np.float32]], None] | None = None,
    seg: bool = False,
) -> dict[str, float]:
    """Loss and IoU of whole images; of cells SEG too.

    Parameters
    ----------
    model : UNet
    samples : Dataset
        As for `fit`; the images may have any size. A pixel of weight 0 counts in no score: nobody knows what it is.
    precision : {"auto", "float32", "bfloat16"}
    on_answer : function of (image, labels, probabilities), optional
        Called with each sample, and with what the model says of it, (K, H, W).
    seg : bool
        Make cells of the answers too, as `unet-edu predict` does, and measure them: for a `Whole` of cells.

    Returns
    -------
    dict
        "val_loss", the mean over all pixels that count of weight × −log p; "val_iou", pooled over them. Of a network
        that finds cells it is that of class 1, and NaN where no image has a cell: then there is nothing to be right
        about. Of a network that tells classes apart it is the mean over the classes that are there, and "val_iou_0",
        "val_iou_1" … are those of each of them. "val_seg" is the mean over the cells of all images.
    """
    from unet_edu.tiling import predict

    if seg and not (model.finds_cells and isinstance(samples, Whole) and samples.target is not None):
        raise ValueError("samples: expected a Whole of cells, and a network that finds cells, to measure SEG")
    table, total, pixels = np.zeros((model.config["num_classes"],) * 2, np.int64), 0.0, 0
    of_cells: list[NDArray[np.float64]] = []
    for n in range(len(samples)):  # type: ignore[arg-type]
        image, labels, *weights = (np.asarray(part) for part in samples[n])
        counts = weights[0] > 0 if weights else np.ones(labels.shape, bool)
        probabilities = predict(model, image, precision=precision)
        if on_answer is not None:
            on_answer(image, labels, probabilities)
        of_truth = np.take_along_axis(probabilities, labels[None], axis=0)[0]
        surprise = -np.log(np.maximum(of_truth, np.finfo(np.float32).tiny))
        total += float(np.sum(surprise * weights[0] if weights else surprise, dtype=np.float64))
        pixels += int(np.count_nonzero(counts))
        table += confusion_matrix(probabilities.argmax(axis=0)[counts], labels[counts], len(table))
        if seg:
            found = instances_from_probability(probabilities[1], sure=SURE)
            truth = samples.frames[n].instances  # type: ignore[attr-defined]  # a Whole, as was seen above
            of_cells.append(cell_scores(found * counts, truth * counts))
    if not pixels:
        raise ValueError("validation: expected at least one image with a pixel that counts, got none")
    of_classes = {n: float(score) for n, score in enumerate(iou(table)) if table[n].any()}
    if model.finds_cells:
        row = {"val_loss": total / pixels, "val_iou": of_classes.get(1, math.nan)}
        if seg:
            every_cell = np.concatenate(of_cells)
            row["val_seg"] = float(every_cell.mean()) if every_cell.size else math.nan
        return row
    named = {f"val_iou_{n}": score for n, score in of_classes.items()}
    return {"val_loss": total / pixels, "val_iou": float(np.mean(list(of_classes.values()))), **named}


class Shuffled(Dataset[Any]):
    """An endless stream of a dataset's samples: each epoch all of them once, in an order of its own.

    Parameters
    ----------
    samples : Dataset
    seed : int
        Of the orders.
    """

    endless = True

    def __init__(self, samples: Dataset[Any], seed: int = 0) -> None:
        self.samples, self.seed = samples, seed
        if not len(self):
            raise ValueError("train: expected at least one sample, got none")

    def __len__(self) -> int:
        return len(self.samples)  # type: ignore[arg-type]

    def __getitem__(self, n: int) -> Any:
        epoch, place = divmod(n, len(self))
        return self.samples[np.random.default_rng((self.seed, epoch)).permutation(len(self))[place]]
