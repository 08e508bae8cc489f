"""What the tests of the training train: a module of its own, so that other processes can load it."""

from __future__ import annotations

import os
import signal

import numpy as np
import torch
from torch.utils.data import Dataset

from unet_edu.training import fit
from unet_edu.unet import UNet

PLAIN = {"device": "cpu", "precision": "float32", "progress": False}


class Blobs(Dataset):
    """Bright squares on a dark ground: four samples, the same each time."""

    def __init__(self, side=16, weighted=True):
        rng = np.random.default_rng(2015)
        self.samples = []
        for _ in range(4):
            labels = np.zeros((side, side), np.int64)
            row, column = rng.integers(0, side - 6, 2)
            labels[row : row + 6, column : column + 6] = 1
            image = (labels + 0.3 * rng.standard_normal(labels.shape)).astype(np.float32)
            sample = (image[None], labels, np.where(labels, 3, 1).astype(np.float32))
            self.samples.append(sample if weighted else sample[:2])

    def __len__(self):
        return len(self.samples)

    def __getitem__(self, n):
        return self.samples[n]


def network(seed=0, **kwargs):
    torch.manual_seed(seed)
    return UNet(1, 2, (4, 8), **({"padding": "same", "norm": "batch", "dropout": 0.3} | kwargs))


def run(folder, settings, **kwargs):
    """What the processes of these tests do."""
    torch.set_num_threads(1)
    fit(network(**({"dropout": 0.0} | kwargs)), Blobs(), Blobs(), folder=folder, resume=True, **settings, **PLAIN)


def one_of_two(rank, port, folder, accident):
    """One of two processes, as a launcher starts them, and an accident that meets one of them.

    What came of it is written into a file.
    """
    os.environ |= {"RANK": str(rank), "WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
    settings = {"steps": 6, "batch_size": 4, "validate_every": 2, "optimizer": "adamw", "folder": folder / "run"}
    train = Blobs()
    if accident == "its images are no numbers" and rank == 1:
        train.samples = [(image * np.nan, *rest) for image, *rest in train.samples]
    if accident == "its folder is empty" and rank == 1:
        settings |= {"folder": folder / "elsewhere"}

    def on_validation(model, row):  # is called in the first process alone
        if accident == "it raises":
            raise OSError("no space left")
        if accident == "Ctrl-C" and row["step"] == 2:
            signal.raise_signal(signal.SIGINT)

    torch.set_num_threads(1)
    model = network(dropout=0.0, norm=None)
    try:
        history = fit(model, train, Blobs(), on_validation=on_validation, resume=True, **settings, **PLAIN)
        outcome = f"{len(history.losses)} steps, interrupted: {history.interrupted}"
    except Exception as error:  # noqa: BLE001  whatever it is, it is written down
        outcome = f"{type(error).__name__}: {error}"
    (folder / f"outcome{rank}").write_text(outcome)
