"""What a run knows, and keeps in its folder: how far it is, how it went, and what it takes to go on."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, distributed

from unet_edu._running.checkpoints import content_of, is_finite, read, write
from unet_edu.unet import UNet

if TYPE_CHECKING:
    from unet_edu.training import History

__all__ = ["Run", "expect_folder_of_its_own", "judge", "score"]

PURPOSE = ("labels", "contrast", "dark", "bright", "numbers", "data")
"""What of `UNet.about` must not change when a run goes on."""


def judge(row: dict[str, float]) -> str:
    """By which score networks are compared first: by SEG where cells were measured."""
    return "val_seg" if "val_seg" in row else "val_iou"


def score(row: dict[str, float]) -> tuple[float, float]:
    """What is compared to find the best: SEG or IoU first, and where there is none, or it is equal, the loss."""
    first = row[judge(row)]
    return 0.0 if math.isnan(first) else first, -row["val_loss"]


def expect_folder_of_its_own(folder: str | Path | None, resume: bool) -> None:
    """A run has a folder that can be written, and no other run is in it."""
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


class Run:
    """A model that is trained, and what changes with it from step to step."""

    def __init__(
        self,
        model: UNet,
        optimizer: torch.optim.Optimizer,
        schedule: torch.optim.lr_scheduler.LRScheduler,
        history: History,
        settings: dict[str, Any],
        folder: str | Path | None,
    ) -> None:
        self.model, self.optimizer, self.schedule = model, optimizer, schedule
        self.history, self.settings, self.folder = history, settings, Path(folder) if folder else None
        self.step, self.lr = 0, settings["lr"]
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
        """Write the losses down, and answer whether anybody has stopped the run.

        All processes look at the same moment.
        """
        stopped_too = torch.tensor(float(is_stopped), device=losses[0].device)
        seen = torch.stack([*(loss.detach() for loss in losses), stopped_too])
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
        if not is_finite(self.model):
            raise FloatingPointError(self._not_finite("the weights are no longer numbers"))

    def _not_finite(self, what: str) -> str:
        last = self.folder and self.folder / "last.pt"
        kept = (
            f" {last} still holds an earlier state, in which all weights are finite." if last and last.exists() else ""
        )
        return (
            f"{what}, at about step {self.step}. The usual reason is a learning rate that is too high: "
            f"try a tenth of {self.settings['lr']}. Otherwise look for NaN in the images and the weights, and for "
            f"images whose numbers are far from 0 … 1.{kept}"
        )

    def add_row(self, scores: dict[str, float], on_validation: Callable[[UNet, dict[str, float]], None] | None) -> None:
        """Note how it stands, with the scores of a validation where there was one.

        Keep the network if it is the best.
        """
        since = int(self.history.rows[-1]["step"]) if self.history.rows else 0
        row: dict[str, float] = {
            "step": self.step,
            "loss": float(np.mean(self.history.losses[since:])),
            "lr": self.lr,
            "seconds": time.perf_counter() - self.began,
            **scores,
        }
        if on_validation is not None:
            on_validation(self.model, row)
        # plain numbers only: a checkpoint with NumPy's could be written, and not be read
        row = {name: n if isinstance(n, int) else float(n) for name, n in row.items()}
        self.history.rows.append(row)
        if self.history.best is row and self.folder is not None:
            best = {name: row[name] for name in ("step", "val_seg", "val_iou", "val_loss") if name in row}
            content = content_of(self.model, **best, chosen_by=self.history.chosen_by)
            write(content, self.folder / "best.pt")

    def keep(self) -> None:
        """Write the checkpoint from which a run goes on."""
        if self.folder is None:
            return
        best = self.history.best
        state = {
            "settings": self.settings,
            "optimizer": self.optimizer.state_dict(),
            "schedule": self.schedule.state_dict(),
            "step": self.step,
            "best": (-math.inf, -math.inf) if best is None else score(best),
            "seconds": time.perf_counter() - self.began,
            "losses": self.history.losses,
            "rows": self.history.rows,
        }
        write({**content_of(self.model), **state}, self.folder / "last.pt")

    def resume(self, new_data: bool) -> None:
        """Go on from the folder's last checkpoint, where there is one."""
        assert self.folder is not None  # `expect_folder_of_its_own` saw to it
        path = self.folder / "last.pt"
        if not path.exists():
            (self.folder / "best.pt").unlink(missing_ok=True)  # of a run that ended before its first checkpoint
            return
        kept = read(path)
        if "settings" not in kept:
            raise ValueError(f"{path}: holds a network, and not the state of a run: there is nothing to go on from")
        self._expect_the_same({**kept["config"], **kept["settings"], **kept["about"]}, new_data)
        try:
            self.model.load_state_dict(kept["weights"])
            self.optimizer.load_state_dict(kept["optimizer"])
            self.schedule.load_state_dict(kept["schedule"])
            self.step, self.began = kept["step"], self.began - kept["seconds"]
            self.history.losses, self.history.rows = kept["losses"], kept["rows"]
            _ = self.history.best  # raises when these are no rows
        except (KeyError, TypeError, ValueError, RuntimeError, AttributeError) as error:
            raise ValueError(f"{path}: expected the state of a run, got something else ({error!r})") from None
        if kept["about"].get("data") != self.model.about.get("data"):
            self._forget_scores()

    def _expect_the_same(self, kept: dict[str, Any], new_data: bool) -> None:
        about = {name: self.model.about[name] for name in PURPOSE if name in self.model.about}
        for name, now in {**self.model.config, **self.settings, **about}.items():
            if now == kept.get(name) or (name == "data" and new_data):
                continue
            if name == "data":
                raise ValueError(
                    f"data: the run in {self.folder} learned on other images or labels than these; go on with the "
                    "same, say that they are new (new_data=True, --new-data), or take another folder"
                )
            raise ValueError(
                f"{name}: the run in {self.folder} has {kept.get(name)!r}, got {now!r}; go on with the same, or take "
                "another folder"
            )

    def _forget_scores(self) -> None:
        """Scores on other images cannot be compared with those that come."""
        if self.step >= self.settings["steps"]:
            raise ValueError(
                f"data: the run in {self.folder} has made all its steps and learns nothing from other images; take "
                "another folder for a run on them"
            )
        for row in self.history.rows:
            for name in [name for name in row if name.startswith("val_")]:
                del row[name]
