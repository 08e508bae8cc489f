"""Small trained networks that come with the package, so that a lesson can show one before its reader has trained any.

They were trained on drawn cells (`synthetic_cells`) by `benchmarks/train_lessons.py`, all by the same recipe, and
differ only in what joins the copies of the skip connections. One of them is there as it was early in its training, too,
so that one can see it learn. Beside each file stands its checksum and what it reached on pictures that it has never
seen.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from unet_edu.data.cells import LOOKS, synthetic_cells
from unet_edu.instances import cell_scores, connected
from unet_edu.losses import separated
from unet_edu.metrics import confusion_matrix, iou

if TYPE_CHECKING:
    from torch import Tensor, nn

    from unet_edu.unet import UNet

__all__ = ["EARLY", "NETWORKS", "held_out", "pretrained", "scores", "take_away"]

FOLDER = Path(__file__).parent / "weights"
LISTING = FOLDER / "networks.json"

NETWORKS = {"cells": "concat", "cells_add": "add", "cells_multiply": "multiply", "cells_none": "none"}
"""The networks by name, each with how its copies are joined."""

EARLY: dict[str, tuple[int, ...]] = {"cells": (0, 10, 100), "cells_add": (), "cells_multiply": (), "cells_none": ()}
"""After which steps of its 500 a network is there too."""

HELD_OUT = range(10_000, 10_008)  # seeds far from those that were trained on
CELLS_HELD_OUT = 14

Example = tuple[NDArray[np.float32], NDArray[np.int32]]


def pretrained(name: str, step: int | None = None) -> UNet:
    """A trained network.

    Each has three levels with 16, 32 and 64 channels, padding "same" and batch normalisation, and tells cell (class 1)
    from background (class 0), with a gap between cells that touch. It knows both looks of `synthetic_cells` and nothing
    else.

    Parameters
    ----------
    name : str
        One of `NETWORKS`.
    step : int, optional
        As it was after so many steps of its training, one of `EARLY`. Without it: after all.

    Returns
    -------
    UNet
        In float32 and in evaluation mode. A new one each time.

    Raises
    ------
    ValueError
        When there is no network of this name or step, or its file was changed or is damaged.
    FileNotFoundError
        When the file is missing.

    References
    ----------
    `benchmarks/train_lessons.py` is the recipe. Lessons 00, 06 and 08.

    Examples
    --------
    >>> pretrained("cells").config["widths"]
    (16, 32, 64)
    """
    from unet_edu.training import load  # loads torch, which the names of the networks do not need

    if name not in NETWORKS:
        raise ValueError(f"name: expected one of {', '.join(NETWORKS)}, got {name!r}")
    if step is not None and step not in EARLY[name]:
        known = ", ".join(map(str, EARLY[name])) or "none"
        raise ValueError(f"step: expected one that is kept of {name} ({known}), got {step!r}")
    path = FOLDER / file_name(name, step)
    again = "install unet-edu again, or make the file anew with benchmarks/train_lessons.py"
    if not path.exists():
        raise FileNotFoundError(f"{path} is missing: {again}")
    if hashlib.sha256(path.read_bytes()).hexdigest() != about(path.stem)["sha256"]:
        raise ValueError(
            f"{path}: expected the file that came with unet-edu, but it was changed or is damaged: {again}"
        )
    return load(path)


def file_name(name: str, step: int | None = None) -> str:
    return f"{name}.pt" if step is None else f"{name}_step_{step}.pt"


def about(name: str) -> dict[str, Any]:
    """What is noted of a network, by the name of its file: its checksum, its parameters, and its scores on held-out
    pictures."""
    return json.loads(LISTING.read_text())[name]


def held_out(look: str | None = None) -> dict[str, list[Example]]:
    """Pictures that no network of these was trained on, for each look (or for one): image and instances."""
    return {
        look: [synthetic_cells(seed, cells=CELLS_HELD_OUT, look=look) for seed in HELD_OUT]
        for look in (LOOKS if look is None else (look,))
    }


def scores(model: UNet, pictures: dict[str, list[Example]]) -> dict[str, dict[str, float]]:
    """SEG of the cells and IoU of the pixels, for each look, over all its pictures.

    Parameters
    ----------
    model : UNet
        With padding "same", in evaluation mode.
    pictures : dict of look → list of (image, instances)

    Returns
    -------
    dict of look → {"seg": …, "iou": …}
        SEG takes each connected region of the mask for a cell. IoU compares with what was trained on, gaps included.
    """
    found = {}
    for look, examples in pictures.items():
        masks = predicted(model, [image for image, _ in examples])
        cells = [cell_scores(connected(mask), truth) for mask, (_, truth) in zip(masks, examples, strict=True)]
        table = sum(
            confusion_matrix(mask, separated(truth), 2) for mask, (_, truth) in zip(masks, examples, strict=True)
        )
        found[look] = {"seg": float(np.concatenate(cells).mean()), "iou": float(iou(table)[1])}
    return found


def predicted(model: UNet, images: Sequence[NDArray[Any]]) -> NDArray[np.uint8]:
    """The class of each pixel, (N, H, W), of grey images of one size."""
    import torch

    batch = torch.from_numpy(np.stack(images)).float()[:, None]
    with torch.inference_mode():
        return model(batch).argmax(dim=1).to(torch.uint8).numpy()


def take_away(model: UNet, levels: Sequence[int]) -> list[Any]:
    """Put zeros in the place of copies, in a network that was trained with them.

    Parameters
    ----------
    model : UNet
        From now on it computes so.
    levels : sequence of int
        Whose copies: 0 is the top.

    Returns
    -------
    list of handles
        `remove()` each, and the network is whole again.

    Raises
    ------
    IndexError
        When the network has no copy of such a level.

    References
    ----------
    Lesson 06, section 8: this is damage, and not an ablation.
    """

    def emptied(join: nn.Module, inputs: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
        copy, x = inputs
        return copy.new_zeros(copy.shape), x

    joins = list(reversed(model.join))  # the way up begins with the deepest
    return [joins[level].register_forward_pre_hook(emptied) for level in levels]
