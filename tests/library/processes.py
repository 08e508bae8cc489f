"""What the tests of the library do in other processes: a module of its own, so that those can load it."""

from __future__ import annotations

import json
import zlib
from pathlib import Path

import numpy as np
import tifffile
import torch
from torch.distributed.launcher.api import LaunchConfig, elastic_launch

from tests.command_line import run
from unet_edu import predicting, tiling
from unet_edu.unet import UNet


def run_in(server, target, *args) -> None:
    """Let a process of the fixture `server` do one of these things."""
    process = server.Process(target=target, args=args)
    process.start()
    process.join(600)
    code = process.exitcode
    process.kill()
    assert code == 0, "what it said is on its own error channel"


def peak() -> int:
    """The most memory that this process ever had, in bytes. A copy of another one begins with what that had then."""
    # Windows has no such module.
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


class OnDisk:
    """Opens its file anew for each slice: the pages of a memory map that stays open would be counted as ours."""

    def __init__(self, path: Path, shape: tuple[int, ...]) -> None:
        self.path, self.shape, self.dtype = path, shape, np.dtype(np.float32)
        np.lib.format.open_memmap(path, "w+", self.dtype, shape)

    def __getitem__(self, places):
        return np.array(np.load(self.path, mmap_mode="r")[places])

    def __setitem__(self, places, values) -> None:
        np.load(self.path, mmap_mode="r+")[places] = values


def memory_of_tiles(folder: Path, side: int) -> None:
    """What a large image takes, tile by tile, and how far a corner of its answer is from that of the corner alone."""
    torch.set_num_threads(1)
    model = UNet(widths=(2, 4, 8))
    tiling.predict(model, np.zeros((1000, 1000), np.float32), tile=540)  # what PyTorch itself needs, once
    before, middle = peak(), side // 2
    image = OnDisk(folder / "image.npy", (side, side))
    image[middle : middle + 600, 100:700] = np.random.default_rng(0).random((600, 600))
    out = OnDisk(folder / "out.npy", (2, side, side))
    tiling.predict(model, image, tile=540, out=out)
    corner = out[:, middle + 50 : middle + 250, 150:350]
    alone = tiling.predict(model, image[middle : middle + 600, 100:700], tile=540)[:, 50:250, 50:250]
    found = {"memory": peak() - before, "difference": float(np.abs(corner - alone).max())}
    (folder / "found.json").write_text(json.dumps(found))


def discs(model, image, *, out, **_):
    """In place of a network, which would take time, and memory for its tiles."""
    for top in range(0, out.shape[-2], 250):
        rows = np.arange(top, top + 250)[:, None]
        found = (rows % 50 - 25) ** 2 + (np.arange(out.shape[-1]) % 50 - 25) ** 2 < 400
        image[top : top + 250, :]
        out[(*[slice(None)] * (len(out.shape) - 2), slice(top, top + 250), slice(0, out.shape[-1]))] = found
    return out


def memory_of_files(folder: Path, classes: int, sides: tuple[int, int]) -> None:
    """The bytes that a further pixel takes, from file to files: the larger of two images beside the other."""
    tiling.predict = discs
    model = UNet(num_classes=classes, widths=(2, 4))
    peaks = []
    for side in sides:
        path = folder / f"{side}.tif"
        with tifffile.TiffWriter(path) as file:  # packed, so that it has to be read into memory
            strips = (np.arange(side * 50, dtype=np.uint16).reshape(50, side) for _ in range(0, side, 50))
            strips = (zlib.compress(strip.tobytes()) for strip in strips)
            file.write(strips, shape=(side, side), dtype=np.uint16, rowsperstrip=50, compression="zlib")
        predicting.predict_file(model, path, folder / "out")
        peaks.append(peak())
    (folder / "found.json").write_text(json.dumps((peaks[1] - peaks[0]) / (sides[1] ** 2 - sides[0] ** 2)))


def two_processes(folder: Path, command: list[str]) -> None:
    """What `torchrun --standalone --nproc-per-node 2 -m unet_edu` does with a command, but that the two are copies
    of this process. What they say is written into a file for each."""
    config = LaunchConfig(
        min_nodes=1,
        max_nodes=1,
        nproc_per_node=2,
        run_id="two",
        rdzv_backend="c10d",
        rdzv_endpoint="localhost:0",
        start_method="fork",
    )
    for number, said in elastic_launch(config, _one_of_two)(command).items():
        (folder / f"said{number}").write_text(said)


def _one_of_two(command: list[str]) -> str:
    torch.set_num_threads(1)
    return run(*command)
