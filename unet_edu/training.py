"""Training a U-Net. Lesson 07 explains each lever.

`fit` is the loop: take a batch, compute the scores, measure the loss, go back through the network, step. Around it stands what makes a
long run pleasant: it chooses the device, computes with 16-bit numbers where that is faster, keeps checkpoints, goes on where it
was stopped, and runs on several processes when it is started so.

Sample n of a run is the same whoever asks for it, and when: the training set is asked for samples 0, 1, 2, …, and what dropout leaves
out in a step follows from the seed and the step's number. So a run that was killed goes on as if nothing had happened, and
several processes share the samples of a batch without talking about it.
"""

from __future__ import annotations

import math
import os
import signal
import threading
import time
import zipfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor, distributed, nn
from torch.utils.data import DataLoader, Dataset
from tqdm.auto import tqdm

from unet_edu._arguments import whole
from unet_edu._device import autocast, best_device, bf16_is_fast, channels_last, chosen_device
from unet_edu.losses import weighted_cross_entropy
from unet_edu.metrics import confusion_matrix, iou
from unet_edu.unet import UNet, center_crop

__all__ = ["History", "Shuffled", "best_device", "bf16_is_fast", "evaluate", "fit", "load", "save"]

LEARNING_RATES = {"sgd": 1e-3, "adamw": 2e-3}
MOMENTUM = 0.99
PURPOSE = ("labels", "contrast", "dark", "bright", "numbers", "data")
"""What of `UNet.about` must not change when a run goes on."""
LOOK_EVERY = 10  # steps, on a GPU


@dataclass
class History:
    """How a training went.

    Attributes
    ----------
    losses : list of float
        The loss of each step.
    rows : list of dict
        One for each validation: "step", "loss" (the mean since the row before), "lr", "seconds" since the start, and with a validation
        set "val_loss" and "val_iou".
    interrupted : bool
        Whether somebody stopped it before its last step (Ctrl-C, or the notebook's stop button).
    """

    losses: list[float] = field(default_factory=list)
    rows: list[dict[str, float]] = field(default_factory=list)
    interrupted: bool = False

    @property
    def best(self) -> dict[str, float] | None:
        """The validation whose network is `best.pt`: of the highest IoU, where that is equal or missing of the lowest loss. None without any."""
        return max((row for row in self.rows if "val_iou" in row), key=_score, default=None)

    @property
    def chosen_by(self) -> str:
        """What made it better than those before it: "val_iou", or "val_loss" where there is no IoU, or one before it has the same."""
        ious = [row["val_iou"] for row in self.rows if "val_iou" in row and row["step"] < (self.best or row)["step"]]
        return (
            "val_loss"
            if self.best is None or math.isnan(self.best["val_iou"]) or self.best["val_iou"] in ious
            else "val_iou"
        )


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
        Of samples (image, labels) or (image, labels, weights): float32 (C, H, W), int64 (H, W), float32 (H, W). Labels and weights are as large
        as the image; what an unpadded network does not answer is cut off. A dataset with the attribute `endless`, such as
        `unet_edu.data.samples.Crops`, is asked for samples 0, 1, 2, …; any other is shuffled anew each epoch.
    validation : Dataset, optional
        Of such samples too, of any size. Loss and IoU of its whole images are measured at each validation.
    steps : int
        How many batches.
    batch_size : int
        Of all processes together. The paper prefers one large image to many small ones, and takes 1.
    loss : function of (scores, labels) or (scores, labels, weights)
        What is made small: from tensors (N, K, H, W), (N, H, W) and (N, H, W) to one number. `unet_edu.losses.cross_entropy_and_dice` is one for
        classes of few pixels. A run that goes on does not know which one it had: give it the same.
    optimizer : {"sgd", "adamw"}
        "sgd" has the paper's momentum of 0.99 and a constant learning rate. "adamw" lets the learning rate rise and fall once
        (one-cycle), and needs far fewer steps.
    lr : float, optional
        The learning rate; for "adamw" its highest. Without one: 0.001 for "sgd", 0.002 for "adamw".
    device : str or torch.device, optional
        Without one: a GPU where there is one.
    precision : {"auto", "float32", "bfloat16"}
        "auto" is bfloat16 where that is faster.
    validate_every : int, optional
        Steps from one validation, and from one checkpoint, to the next. Without it: ten times in all. The last step has one always.
    on_validation : function of (model, row), optional
        Called at each validation, with the model in evaluation mode. It may add numbers to the row.
    folder : path, optional
        Where checkpoints are kept: `last.pt`, from which a run goes on, and `best.pt`, the one with the highest validation IoU. Where IoUs are
        equal, or there is none because nothing to be found is on the validation images, the lower validation loss decides; `about["chosen_by"]` of
        the file says which did.
    resume : bool
        Go on from `last.pt` in `folder`, or start where there is none yet: so the same command works after any accident. What `model.about` says
        must be what it said then.
    new_data : bool
        Go on although `model.about["data"]`, which tells one training set from another, is not what it was.
    seed : int
        Of the order of the samples, and of dropout.
    workers : int
        Processes that prepare samples. 0 prepares them in this one.
    compile : bool
        Let `torch.compile` make one program of the network. It takes a minute at first; worth it for long runs on a GPU.
    progress : bool
        Show a progress bar.

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
    Started with `torchrun` or `accelerate launch`, each process computes its part of each batch, and the gradients are averaged: the same
    training as one process on the whole batch, up to rounding and to dropout, which each process draws for itself. On GPUs, batch
    normalisation sees the whole batch too; on processors each process has its own statistics.

    A loss in the history is what `loss` answered. Without one it is the mean over the pixels of weight × −log p; "val_loss" is that mean always.

    References
    ----------
    Ronneberger, Fischer and Brox (2015), section 3. Lesson 07; exercise `sgd_step` is the optimizer.
    """
    settings = {
        "steps": whole("steps", steps, 1),
        "batch_size": whole("batch_size", batch_size, 1),
        "optimizer": optimizer,
        "lr": LEARNING_RATES.get(optimizer) if lr is None else float(lr),  # a number of NumPy could not be kept
        "seed": whole("seed", seed, 0),
    }
    every = whole("validate_every", max(1, steps // 10) if validate_every is None else validate_every, 1)
    _expect_sensible(settings, folder, resume)
    with _processes() as (rank, count), _finish_the_step() as stop:
        place = _place(device)
        model.to(place, memory_format=channels_last(place))  # type: ignore[call-overload]  # mypy does not know this form
        run = _Run(model, settings, Path(folder) if folder else None)
        if resume:
            run.resume(new_data)
            _expect_one_step(run.step, place)
        network = _on_all_processes(model, place, count)
        network = cast(nn.Module, torch.compile(network)) if compile else network
        batches = _batches(train, settings, run.step, rank, count, workers)
        losses: list[Tensor] = []  # still on the device: looking at one makes a GPU wait
        model.train()
        try:
            with tqdm(total=steps, initial=run.step, disable=not progress or rank > 0, unit="step") as bar:
                for batch in batches:
                    with autocast(place, precision), _randomness(place, seed, run.step, rank):
                        losses.append(_loss(network, batch, place, loss))
                    run.update(losses[-1])
                    is_row = run.step % every == 0 or run.step == steps
                    if is_row or place.type == "cpu" or run.step % LOOK_EVERY == 0:
                        is_stopped = run.look(losses, stop.is_set())
                        losses.clear()
                        bar.update(run.step - bar.n)
                        bar.set_postfix(loss=f"{run.history.losses[-1]:.4f}")
                        if is_row or is_stopped:
                            run.expect_finite_weights()
                            if rank == 0:
                                if is_row:  # also when it is stopped: the run that goes on will not come by here again
                                    run.add_row(validation, precision, on_validation)
                                run.keep()
                        if is_stopped and run.step < steps:
                            run.history.interrupted = True
                            break
        finally:
            # while the processes are still joined: what averages their gradients can hang when it is cleared away after that
            del network
        model.eval()
        return run.history


class _Run:
    """What a run knows, and keeps in its folder: the model, the optimizer, how far it is, and how it went."""

    def __init__(self, model: UNet, settings: dict[str, Any], folder: Path | None) -> None:
        self.model, self.settings, self.folder = model, settings, folder
        self.optimizer, self.schedule = _optimizer(model, settings)
        self.history, self.step, self.lr = History(), 0, settings["lr"]
        self.best = (-math.inf, -math.inf)
        self.began = time.perf_counter()

    def update(self, loss: Tensor) -> None:
        """The way back through the network, and one step."""
        self.optimizer.zero_grad()
        loss.backward()
        self.lr = self.optimizer.param_groups[0]["lr"]
        self.optimizer.step()
        self.schedule.step()
        self.step += 1

    def look(self, losses: list[Tensor], is_stopped: bool) -> bool:
        """Write the losses down, and answer whether anybody has stopped the run. All processes look at the same moment."""
        seen = torch.stack(
            [*(loss.detach() for loss in losses), torch.tensor(float(is_stopped), device=losses[0].device)]
        )
        if distributed.is_initialized():
            distributed.all_reduce(seen)
            seen[:-1] /= distributed.get_world_size()
        *values, stopped = seen.tolist()
        if not all(map(math.isfinite, values)):
            raise FloatingPointError(self._not_finite("the loss is no longer a number"))
        self.history.losses += values
        return stopped > 0

    def expect_finite_weights(self) -> None:
        """A step can end in weights that are no numbers, after a loss that still was one. Such weights are not kept."""
        if not _is_finite(self.model):
            raise FloatingPointError(self._not_finite("the weights are no longer numbers"))

    def _not_finite(self, what: str) -> str:
        last = self.folder and self.folder / "last.pt"
        kept = (
            f" {last} still holds an earlier state, in which all weights are finite." if last and last.exists() else ""
        )
        return (
            f"{what}, at about step {self.step}. The usual reason is a learning rate that is too high: "
            f"try a tenth of {self.settings['lr']}. Otherwise look for NaN in the images and the weights, and for images whose numbers "
            f"are far from 0 … 1.{kept}"
        )

    def add_row(
        self,
        validation: Dataset[Any] | None,
        precision: str,
        on_validation: Callable[[UNet, dict[str, float]], None] | None,
    ) -> None:
        """Validate."""
        since = int(self.history.rows[-1]["step"]) if self.history.rows else 0
        row: dict[str, float] = {
            "step": self.step,
            "loss": float(np.mean(self.history.losses[since:])),
            "lr": self.lr,
            "seconds": time.perf_counter() - self.began,
        }
        self.model.eval()
        if validation is not None:
            row |= evaluate(self.model, validation, precision=precision)
        if on_validation is not None:
            on_validation(self.model, row)
        self.model.train()
        # plain numbers only: a checkpoint with NumPy's could be written, and not be read
        self.history.rows.append({name: n if isinstance(n, int) else float(n) for name, n in row.items()})
        if validation is not None and (score := _score(row)) > self.best:
            self.best = score
            if self.folder is not None:
                best = {"step": self.step, "val_iou": row["val_iou"], "val_loss": row["val_loss"]}
                _write(_of(self.model, **best, chosen_by=self.history.chosen_by), self.folder / "best.pt")

    def _forget_scores(self) -> None:
        """Scores on other images cannot be compared with those that come."""
        if self.step >= self.settings["steps"]:
            raise ValueError(
                f"data: the run in {self.folder} has made all its steps and learns nothing from other images; take another folder for a run on them"
            )
        self.best = (-math.inf, -math.inf)
        for row in self.history.rows:
            for name in [name for name in row if name.startswith("val_")]:
                del row[name]

    def keep(self) -> None:
        """Write the checkpoint from which a run goes on."""
        if self.folder is None:
            return
        _write(
            {
                **_of(self.model),
                "settings": self.settings,
                "optimizer": self.optimizer.state_dict(),
                "schedule": self.schedule.state_dict(),
                "step": self.step,
                "best": self.best,
                "seconds": time.perf_counter() - self.began,
                "losses": self.history.losses,
                "rows": self.history.rows,
            },
            self.folder / "last.pt",
        )

    def resume(self, new_data: bool) -> None:
        """Go on from the folder's last checkpoint, where there is one."""
        assert self.folder is not None  # `_expect_sensible` saw to it
        path = self.folder / "last.pt"
        if not path.exists():
            (self.folder / "best.pt").unlink(missing_ok=True)  # of a run that ended before its first checkpoint
            return
        kept = _read(path)
        if "settings" not in kept:
            raise ValueError(f"{path}: holds a network, and not the state of a run: there is nothing to go on from")
        about = {name: self.model.about[name] for name in PURPOSE if name in self.model.about}
        for name, now in {**self.model.config, **self.settings, **about}.items():
            then = {**kept["config"], **kept["settings"], **kept["about"]}.get(name)
            if now == then or (name == "data" and new_data):
                continue
            if name == "data":
                raise ValueError(
                    f"data: the run in {self.folder} learned on other images or labels than these; go on with the same, say that they are new "
                    "(new_data=True, --new-data), or take another folder"
                )
            raise ValueError(
                f"{name}: the run in {self.folder} has {then!r}, got {now!r}; go on with the same, or take another folder"
            )
        try:
            self.model.load_state_dict(kept["weights"])
            self.optimizer.load_state_dict(kept["optimizer"])
            self.schedule.load_state_dict(kept["schedule"])
            iou, loss = kept["best"]
            self.step, self.best = kept["step"], (float(iou), float(loss))
            self.history = History(kept["losses"], kept["rows"])
            self.began -= kept["seconds"]
        except (KeyError, TypeError, ValueError, RuntimeError, AttributeError) as error:
            raise ValueError(f"{path}: expected the state of a run, got something else ({error!r})") from None
        if kept["about"].get("data") != self.model.about.get("data"):
            self._forget_scores()


def _loss(network: nn.Module, batch: Sequence[Tensor], place: torch.device, loss: Callable[..., Tensor]) -> Tensor:
    """What the network makes of a batch, against the labels of the pixels that it answers."""
    images, labels, *weights = (part.to(place, non_blocking=True) for part in batch)
    scores = network(images.contiguous(memory_format=channels_last(place)))
    size = scores.shape[-2:]
    return loss(scores.float(), center_crop(labels, size), *(center_crop(part, size) for part in weights))


def _score(row: dict[str, float]) -> tuple[float, float]:
    """What is compared to find the best: the IoU first, and where there is none, or it is equal, the loss."""
    return 0.0 if math.isnan(row["val_iou"]) else row["val_iou"], -row["val_loss"]


@torch.no_grad()
def evaluate(model: UNet, samples: Dataset[Any], *, precision: str = "auto") -> dict[str, float]:
    """Loss and IoU of whole images.

    Parameters
    ----------
    model : UNet
    samples : Dataset
        As for `fit`; the images may have any size. A pixel of weight 0 counts in no score: nobody knows what it is.
    precision : {"auto", "float32", "bfloat16"}

    Returns
    -------
    dict
        "val_loss", the mean over all pixels that count of weight × −log p; "val_iou", pooled over them. Of a network that finds cells it is that of
        class 1, and NaN where no image has a cell: then there is nothing to be right about. Of a network that tells classes apart it is the mean over
        the classes that are there, and "val_iou_0", "val_iou_1" … are those of each of them.
    """
    from unet_edu.tiling import predict

    table, total, pixels = np.zeros((model.config["num_classes"],) * 2, np.int64), 0.0, 0
    for n in range(len(samples)):  # type: ignore[arg-type]
        image, labels, *weights = (np.asarray(part) for part in samples[n])
        counts = weights[0] > 0 if weights else np.ones(labels.shape, bool)
        probabilities = predict(model, image, precision=precision)
        of_truth = np.take_along_axis(probabilities, labels[None], axis=0)[0]
        surprise = -np.log(np.maximum(of_truth, np.finfo(np.float32).tiny))
        total += float(np.sum(surprise * weights[0] if weights else surprise, dtype=np.float64))
        pixels += int(np.count_nonzero(counts))
        table += confusion_matrix(probabilities.argmax(axis=0)[counts], labels[counts], len(table))
    if not pixels:
        raise ValueError("validation: expected at least one image with a pixel that counts, got none")
    of_classes = {n: float(score) for n, score in enumerate(iou(table)) if table[n].any()}
    if model.finds_cells:
        return {"val_loss": total / pixels, "val_iou": of_classes.get(1, math.nan)}
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
        worker_init_fn=_ignore_interrupts,
        pin_memory=torch.cuda.is_available(),
        generator=torch.Generator(),  # of its own, or it would draw from everybody's
    )


def _ignore_interrupts(worker: int) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches all processes; the first one decides what it means


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


def _expect_sensible(settings: dict[str, Any], folder: str | Path | None, resume: bool) -> None:
    if settings["optimizer"] not in LEARNING_RATES:
        raise ValueError(f"optimizer: expected one of {', '.join(LEARNING_RATES)}, got {settings['optimizer']!r}")
    if not 0 < settings["lr"] < math.inf:
        raise ValueError(f"lr: expected a number above 0, got {settings['lr']!r}")
    if resume and folder is None:
        raise ValueError(
            "resume: expected the folder of the run as well, as in fit(…, folder='runs/cells', resume=True)"
        )
    if folder and not resume and any((Path(folder) / name).exists() for name in ("last.pt", "best.pt")):
        raise FileExistsError(
            f"{folder} holds a run already; resume=True goes on with it, another folder starts a new one"
        )
    if folder:  # better now than at the first checkpoint
        Path(folder).mkdir(parents=True, exist_ok=True)
        if not os.access(folder, os.W_OK):
            raise PermissionError(f"{folder}: cannot be written; take a folder of yours")


@contextmanager
def _processes() -> Iterator[tuple[int, int]]:
    """This process's number, and how many there are: as `torchrun` or `accelerate launch` say, or else one."""
    is_new = int(os.environ.get("WORLD_SIZE", "1")) > 1 and not distributed.is_initialized()
    if is_new:
        distributed.init_process_group("nccl" if torch.cuda.is_available() else "gloo")
    try:
        yield (distributed.get_rank(), distributed.get_world_size()) if distributed.is_initialized() else (0, 1)
        if is_new:
            distributed.barrier()  # nobody hangs up while another one still listens
    finally:
        if is_new:
            distributed.destroy_process_group()


def _place(device: str | torch.device | None) -> torch.device:
    """The device asked for, or the best; of several GPUs, each process takes its own."""
    place = chosen_device(device)
    if place.type == "cuda" and place.index is None and "LOCAL_RANK" in os.environ:
        place = torch.device("cuda", int(os.environ["LOCAL_RANK"]))
        torch.cuda.set_device(place)
    return place


def _expect_one_step(step: int, place: torch.device) -> None:
    """Each machine looks for the checkpoint in its own folder. Who has found none would wait for the others forever."""
    if distributed.is_initialized():
        ends = torch.tensor([step, -step], device=place)
        distributed.all_reduce(ends, distributed.ReduceOp.MAX)
        last, first = ends[0].item(), -ends[1].item()
        if first != last:
            raise ValueError(
                f"folder: one process found a checkpoint of step {last} in it, another one of step {first}; "
                "take a folder that all machines share"
            )


def _on_all_processes(model: UNet, place: torch.device, count: int) -> nn.Module:
    """The model; with several processes, wrapped so that each step averages their gradients."""
    if count == 1:
        return model
    if place.type == "cuda":
        nn.SyncBatchNorm.convert_sync_batchnorm(model)
    return nn.parallel.DistributedDataParallel(model)


@contextmanager
def _randomness(place: torch.device, *numbers: int) -> Iterator[None]:
    """Inside, what dropout leaves out follows from these numbers; outside, nobody notices."""
    with torch.random.fork_rng(devices=[place] if place.type == "cuda" else []):
        torch.manual_seed(int(np.random.SeedSequence(numbers).generate_state(1)[0]))
        yield


@contextmanager
def _finish_the_step() -> Iterator[threading.Event]:
    """Inside, Ctrl-C does not break a step in two: it sets the event. A second one breaks."""
    stop = threading.Event()

    def note(number: int, frame: Any) -> None:
        if stop.is_set():
            raise KeyboardInterrupt
        stop.set()

    if threading.current_thread() is not threading.main_thread():  # only the main thread may listen
        yield stop
        return
    before = signal.signal(signal.SIGINT, note)
    try:
        yield stop
    finally:
        signal.signal(signal.SIGINT, before)


def save(model: UNet, path: str | Path) -> None:
    """Keep a network in a file, whole or not at all.

    Parameters
    ----------
    model : UNet
    path : path
        Its folder is made where it is missing. A file of this name is replaced.

    Raises
    ------
    OSError
        When it cannot be written: the disk is full, the folder is not yours. What was there before is still there.
    """
    _write(_of(model), Path(path))


def load(path: str | Path) -> UNet:
    """A network from a file that `save` or `fit` has written.

    Only numbers are read: a file cannot bring a program with it. That it is whole is checked before anything of it is used.

    Parameters
    ----------
    path : path

    Returns
    -------
    UNet
        In float32, on the processor, in evaluation mode.

    Raises
    ------
    FileNotFoundError
        When there is no such file.
    ValueError
        When it is damaged, or holds something else.
    """
    kept = _read(Path(path))
    try:
        with torch.device("meta"):  # no memory is taken for what the file says it is; only for what is in it
            model = UNet(**kept["config"])
        model.load_state_dict(kept["weights"], assign=True)
        model.about = kept["about"]
    except (TypeError, ValueError, RuntimeError, AttributeError) as error:
        raise ValueError(f"{path}: expected a U-Net's weights, got something else ({_first_line(error)})") from None
    if not _is_finite(model.float()):
        raise ValueError(f"{path}: expected a U-Net's weights, got some that are no numbers (NaN or infinite)")
    return model.eval()


def _first_line(error: Exception) -> str:
    """PyTorch goes on with advice, such as to read the file without care."""
    return str(error).partition("\n")[0][:200]


def _is_finite(model: UNet) -> bool:
    return all(bool(value.isfinite().all()) for value in model.state_dict().values())


def _of(model: UNet, **more: Any) -> dict[str, Any]:
    return {"config": model.config, "about": {**model.about, **more}, "weights": model.state_dict()}


def _write(content: dict[str, Any], path: Path) -> None:
    """Beside the old file first, then in its place in one go: whoever reads sees the old one or the new one, never half of one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{path.name}.part")
    try:
        with open(part, "wb") as file:
            torch.save(content, file)
            file.flush()
            os.fsync(file.fileno())
        os.replace(part, path)
    except (OSError, RuntimeError) as error:  # torch says RuntimeError for a full disk
        part.unlink(missing_ok=True)
        raise OSError(
            f"{path}: could not be written ({error}). Is the disk full? An older file of this name is still whole."
        ) from error


def _read(path: Path) -> dict[str, Any]:
    """The content of a checkpoint, after everything that could be wrong with a file from a stranger."""
    try:
        with zipfile.ZipFile(path) as archive:
            # torch packs without compression; a small file that unfolds to a large one is not torch's
            if sum(entry.file_size for entry in archive.infolist()) > path.stat().st_size or archive.testzip():
                raise zipfile.BadZipFile("its checksums are wrong")
        kept = torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError:
        raise
    except Exception as error:  # noqa: BLE001  a damaged file makes the unpickler raise almost anything
        raise ValueError(
            f"{path}: expected a whole checkpoint, but the file is damaged or something else ({_first_line(error)})"
        ) from None
    weights: Any = kept.get("weights") if isinstance(kept, dict) else None
    if not (
        _are_whole(weights)
        and _is_plain(kept.get("config"), len(weights))
        and _is_plain(kept.get("settings", {}), len(weights))
        and _is_purpose(kept.get("about", {}), len(weights))
    ):
        raise ValueError(
            f"{path}: expected the checkpoint of a U-Net, which `fit` or `save` wrote; this file holds something else"
        )
    return {"about": {}, **kept}


def _are_whole(weights: Any) -> bool:
    """Whether these are named tensors, with a number of its own in the file for each place of each.

    A file can also say that a tensor is huge and all its places share one number, that many tensors are one, or that the numbers are
    nowhere ("meta").
    """
    if not isinstance(weights, dict) or not all(
        isinstance(name, str)
        and isinstance(tensor, Tensor)
        and (tensor.layout, tensor.device.type) == (torch.strided, "cpu")
        and (tensor.is_floating_point() or name.endswith("num_batches_tracked"))
        for name, tensor in weights.items()
    ):
        return False
    storages = [tensor.untyped_storage() for tensor in weights.values()]
    return len({storage.data_ptr() for storage in storages}) == len(storages) and all(
        storage.nbytes() >= tensor.numel() * tensor.element_size()
        for storage, tensor in zip(storages, weights.values(), strict=True)
    )


def _is_purpose(about: Any, most: int) -> bool:
    """Whether this can be what a network is for. An unknown word is not taken for a known one."""
    if not _is_plain(about, most):
        return False
    is_one_range = about.get("contrast", "stretch") == "range"
    dark, bright = about.get("dark"), about.get("bright")
    return (
        about.get("labels", "cells") in ("cells", "classes")
        and about.get("contrast", "stretch") in ("stretch", "range")
        and (not is_one_range or isinstance(about.get("numbers"), str))
        and (
            not is_one_range
            or (isinstance(dark, float) and isinstance(bright, float) and -math.inf < dark < bright < math.inf)
        )
    )


def _is_plain(settings: Any, most: int) -> bool:
    """Whether these are numbers, words, and lists of at most so many ints. Lists of lists can unfold to terabytes when they are printed."""
    return isinstance(settings, dict) and all(
        value is None
        or isinstance(value, int | float | str)
        or (isinstance(value, list | tuple) and len(value) <= most and all(isinstance(n, int) for n in value))
        for value in settings.values()
    )
