"""Networks and runs in files: written whole, and read as what a stranger may have made.

Only numbers are read, and it is looked at before anything is computed what they say that they are.
"""

from __future__ import annotations

import glob
import math
import zipfile
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from unet_edu.data.files import whole_file
from unet_edu.unet import UNet

__all__ = ["content_of", "is_finite", "load", "read", "save", "write"]


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
    write(content_of(model), Path(path))


def load(path: str | Path) -> UNet:
    """A network from a file that `save` or `fit` has written.

    Only numbers are read: a file cannot bring a program with it. That it is whole is checked before anything of it is
    used.

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
    kept = read(Path(path))
    try:
        with torch.device("meta"):  # no memory is taken for what the file says it is; only for what is in it
            model = UNet(**kept["config"])
        model.load_state_dict(kept["weights"], assign=True)
        model.about = kept["about"]
    except (TypeError, ValueError, RuntimeError, AttributeError) as error:
        raise ValueError(f"{path}: expected a U-Net's weights, got something else ({_first_line(error)})") from None
    if not is_finite(model.float()):
        raise ValueError(f"{path}: expected a U-Net's weights, got some that are no numbers (NaN or infinite)")
    return model.eval()


def _first_line(error: Exception) -> str:
    """PyTorch goes on with advice, such as to read the file without care."""
    return str(error).partition("\n")[0][:200]


def is_finite(model: UNet) -> bool:
    return all(bool(value.isfinite().all()) for value in model.state_dict().values())


def content_of(model: UNet, **more: Any) -> dict[str, Any]:
    return {"config": model.config, "about": {**model.about, **more}, "weights": model.state_dict()}


def write(content: dict[str, Any], path: Path) -> None:
    """Whoever reads `path` sees the old content or the new one, never half of one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    for part in path.parent.glob(f".{glob.escape(path.name)}.*.part"):  # of a process that was killed while it wrote
        part.unlink(missing_ok=True)
    try:
        with whole_file(path) as file:
            torch.save(content, file)
    except (OSError, RuntimeError) as error:  # torch says RuntimeError for a full disk
        raise OSError(
            f"{path}: could not be written ({error}). Is the disk full? An older file of this name is still whole."
        ) from error


def read(path: Path) -> dict[str, Any]:
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

    A file can also say that a tensor is huge and all its places share one number, that many tensors are one, or that
    the numbers are nowhere ("meta").
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
    """Whether these are numbers, words, and lists of at most so many ints.

    Lists of lists can unfold to terabytes when they are printed.
    """
    return isinstance(settings, dict) and all(
        value is None
        or isinstance(value, int | float | str)
        or (isinstance(value, list | tuple) and len(value) <= most and all(isinstance(n, int) for n in value))
        for value in settings.values()
    )
