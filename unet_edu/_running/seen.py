"""How a run is seen while it goes on: a line of text in a terminal, a picture in a notebook.

The picture is an ordinary output that is replaced by the next one, and no widget: so the last one is what the notebook
keeps, and JupyterLab, Colab and VS Code show it again without Python.
"""

from __future__ import annotations

import base64
import math
import sys
import time
import uuid
from collections.abc import Sequence
from typing import Any

import torch
from numpy.typing import ArrayLike
from torch import Tensor
from tqdm import tqdm

from unet_edu._running.picture import HEIGHT, WIDTH, Answer, means, painted, three
from unet_edu._running.run import Run
from unet_edu.unet import center_crop

__all__ = ["Bar", "Picture", "seen"]

PAUSE = 1.0  # seconds from one picture to the next, at least
SHARE = 0.02  # of the time, at most, is spent on pictures


def seen(run: Run, is_shown: bool) -> Bar | Picture:
    """What shows a run here."""
    shell = sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None
    is_notebook = hasattr(shell, "kernel")  # the IPython of a terminal has none
    if is_notebook:
        return Picture(run, shell) if is_shown else Unseen(run, is_shown)
    return Bar(run, is_shown)


class Bar:
    """A bar in a terminal; nothing where nothing shall be shown."""

    def __init__(self, run: Run, is_shown: bool) -> None:
        self.run = run
        self.bar = tqdm(total=run.settings["steps"], initial=run.step, disable=not is_shown, unit="step")

    def update(self) -> None:
        self.bar.update(self.run.step - self.bar.n)
        self.bar.set_postfix(loss=f"{self.run.history.losses[-1]:.4f}")

    def answer(self, image: ArrayLike | Tensor, labels: ArrayLike | Tensor, probabilities: ArrayLike | Tensor) -> None:
        """Text shows none."""

    def end(self) -> None:
        self.bar.close()


class Unseen(Bar):
    """Nothing in a notebook; but a stop leaves the cells below with a network that is not ready, and that is said."""

    def end(self) -> None:
        super().end()
        _tell_stop(self.run)


class Picture:
    """A picture in a notebook, drawn anew now and then."""

    def __init__(self, run: Run, shell: Any) -> None:
        self.run, self.shell, self.name = run, shell, uuid.uuid4().hex
        self.first, self.began = run.step, time.perf_counter()
        self.answered: Answer | None = None
        self._show()
        self.due = self.began + PAUSE

    def update(self) -> None:
        now = time.perf_counter()
        if now >= self.due:
            left = (now - self.began) / (self.run.step - self.first) * (self.run.settings["steps"] - self.run.step)
            self._show(f" · about {_duration(left)} left", update=True)
            cost = time.perf_counter() - now
            self.due = now + max(PAUSE, cost / SHARE)

    def answer(self, image: ArrayLike | Tensor, labels: ArrayLike | Tensor, probabilities: ArrayLike | Tensor) -> None:
        """What the network says of an image at this step; only the first of a step is shown."""
        if self.answered is None or self.answered.step < self.run.step:
            of_classes = torch.as_tensor(probabilities).detach().float()
            parts = (center_crop(torch.as_tensor(part), of_classes.shape[-2:]) for part in (image, labels))
            self.answered = Answer(self.run.step, *(part.cpu().numpy() for part in (*parts, of_classes)))

    def end(self) -> None:
        """The last picture tells no seconds: it is stored, and the same run leaves the same picture."""
        self._show(update=True)
        _tell_stop(self.run)

    def _show(self, left: str = "", update: bool = False) -> None:
        run, steps = self.run, self.run.settings["steps"]
        scores = [row["val_iou"] for row in run.history.rows if math.isfinite(row.get("val_iou", math.nan))]
        words = f"{'stopped at ' if run.history.interrupted else ''}step {run.step:,} of {steps:,}"
        words += "".join(f" · IoU {score:.2f}" for score in scores[-1:])
        png = painted(words + left, steps, run.history.losses, run.history.rows, self.answered)
        # as text without a measured number, which would differ from machine to machine
        text = f"A training of {steps:,} steps: its losses, and an image with what the network says of it."
        self.shell.display_pub.publish(
            {"image/png": base64.b64encode(png).decode(), "text/plain": text},
            # with its size a page keeps the room while one picture takes the place of the other
            {"image/png": {"alt": self._alt(words), "width": WIDTH, "height": HEIGHT}},
            transient={"display_id": self.name},
            update=update,
        )

    def _alt(self, words: str) -> str:
        history = self.run.history
        curves: dict[str, Sequence[float]] = {
            "the loss": means(history.losses, self.run.settings["steps"])[1].tolist(),
            "the validation loss": [row["val_loss"] for row in history.rows if "val_loss" in row],
        }
        moved = [f"{name} went from {three(n[0])} to {three(n[-1])}" for name, n in curves.items() if len(n)]
        tiles = "Beside the curves an image with its truth, and what the network says of it." if self.answered else ""
        return f"A training, {words}. {'; '.join(moved).capitalize()}{'. ' * bool(moved)}{tiles}".strip()


def _tell_stop(run: Run) -> None:
    """What there is after a run that was stopped."""
    if not run.history.interrupted:
        return
    stopped, best = f"Stopped at step {run.step:,} of {run.settings['steps']:,}", run.history.best
    if run.folder is None:
        was_best = "" if best is None else f" Step {best['step']:,} was best on the validation images."
        print(f"{stopped}; the network keeps what it learned so far.{was_best}")
        return
    what, name = ("what it learned", "last.pt") if best is None else ("the best", "best.pt")
    print(f"{stopped}; {what} so far is kept in {run.folder / name}. With resume=True it goes on.")


def _duration(seconds: float) -> str:
    for unit, name in ((3600, "h"), (60, "min")):
        if seconds >= 2 * unit:
            return f"{seconds / unit:.0f} {name}"
    return f"{max(1, seconds):.0f} s"
