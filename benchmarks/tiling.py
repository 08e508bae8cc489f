"""What tiles cost: time and pixels beside the whole image at once, and the memory that a large image on the disk takes.

    python benchmarks/tiling.py [--side 20000] [--threads 2]

First the memory: an image of `--side` pixels a side lies on the disk as bytes, and the class numbers are written to the
disk. Printed is the peak of the process, and what it was before, after an image of a single tile. The aim: less than
500 MB more, whatever the side. 20,000 pixels a side are 400 million: some minutes.

Then the overlap: an image of 1328×1328 pixels, at once and in tiles of several sides: pixels read, multiplications,
time, each beside the whole image at once, and how far the answers are apart. The aim: they agree to rounding.
"""

from __future__ import annotations

import argparse
import platform
import resource
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).parents[1]))
from unet_edu.data.cells import synthetic_cells
from unet_edu.tiling import predict, tiling
from unet_edu.unet import UNet, layer_table

WIDTHS = (8, 16, 32, 64, 128)  # four poolings as in the paper, an eighth of its channels
ROUNDS = 3
AIM = 500  # MB


class OnDisk:
    """An array in a file that is opened anew for each slice, so that its pages do not count as our memory."""

    def __init__(self, path: Path, shape: tuple[int, int], dtype: type) -> None:
        self.path, self.shape, self.dtype, self.largest = path, shape, np.dtype(dtype), 0
        np.lib.format.open_memmap(path, "w+", self.dtype, shape)

    def __getitem__(self, places: tuple[slice, ...]) -> np.ndarray:
        piece = np.array(np.load(self.path, mmap_mode="r")[places])
        self.largest = max(self.largest, piece.nbytes)
        return piece

    def __setitem__(self, places: tuple[slice, ...], values: np.ndarray) -> None:
        np.load(self.path, mmap_mode="r+")[places] = values


def seconds(call: Any) -> float:
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def overlap() -> None:
    """Time and work of tiles, beside the whole image at once."""
    model = UNet(widths=WIDTHS).eval()
    side = 1328  # 83 windows of 16: the largest step of a tile of 1516, which is therefore the whole image at once
    image = np.resize(synthetic_cells(0, (512, 512), cells=150)[0], (side, side))
    tiles = (1516, 956, 572, 380, 284)
    rows = {tile: tiling(model, image.shape, tile)[0] for tile in tiles}
    assert len(rows[1516].starts) == 1
    whole = predict(model, image, tile=1516, precision="float32")
    times: dict[int, list[float]] = {tile: [] for tile in tiles}
    for _ in range(ROUNDS):  # turn about, so that a busy moment of the machine hits all
        for tile in tiles:
            times[tile].append(seconds(lambda tile=tile: predict(model, image, tile=tile)))
    print(
        f"{side}×{side} pixels, widths {WIDTHS}, unpadded; time, pixels and work beside the whole image at once, best "
        f"of {ROUNDS}"
    )
    print(" tile   tiles   step   pixels read     work     time   largest difference, float32")
    for tile in tiles:
        axis = rows[tile]
        number = len(axis.starts) ** 2
        work = number * sum(layer.multiply_adds for layer in layer_table(model, axis.side))
        once = sum(layer.multiply_adds for layer in layer_table(model, 1516))
        found = predict(model, image, tile=tile, precision="float32")
        print(
            f"{axis.side:>5}{number:>8}{axis.step:>7}{number * axis.side**2 / 1516**2:>12.2f} ×{work / once:>7.2f} ×"
            f"{min(times[tile]) / min(times[1516]):>7.2f} ×{np.abs(found - whole).max():>15.1e}",
            flush=True,
        )


def memory(side: int) -> None:
    """The peak of this process while it predicts a large image."""
    model = UNet(widths=WIDTHS[:3], padding="same").eval()
    with tempfile.TemporaryDirectory() as folder:
        image = OnDisk(Path(folder) / "image.npy", (side, side), np.uint8)
        out = OnDisk(Path(folder) / "classes.npy", (side, side), np.uint8)
        piece = np.round(255 * synthetic_cells(1, (500, 500), cells=150)[0]).astype(np.uint8)
        for top in range(0, side, 500):  # a tenth of the image, spread over it, is not black
            left = (7 * top) % side // 500 * 500
            rows, columns = min(500, side - top), min(500, side - left)
            image[top : top + rows, left : left + columns] = piece[:rows, :columns]
        # what PyTorch itself needs, once
        predict(model, np.zeros((1100, 1100), np.float32), out=np.zeros((1100, 1100), np.uint8))
        before = peak()
        took = seconds(lambda: predict(model, image, out=out, progress=True))
        more = peak() - before
    print(
        f"{side:,} × {side:,} pixels, bytes on the disk: {took:.0f} s, {side**2 / took / 1e6:.2f} million pixels a "
        "second"
    )
    print(
        f"peak memory: {before:.0f} MB before, {more:.0f} MB more; the image has {side**2 / 1e6:.0f} MB, as float32 "
        f"{4 * side**2 / 1e6:.0f} MB"
    )
    print(f"the largest piece read: {image.largest / 1e6:.1f} MB")
    print("the aim is reached" if more < AIM else f"the aim of {AIM} MB is missed")


def peak() -> float:
    """The most memory that this process ever had, in MB. (Linux counts in KiB, macOS in bytes.)"""
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most / (2**20 if platform.system() == "Darwin" else 2**10)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--side", type=int, default=4000, help="of the large image, in pixels (default: 4000)")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    torch.manual_seed(0)
    print(f"torch {torch.__version__}, {arguments.threads} threads")
    memory(arguments.side)  # first, while nothing else has raised the peak
    overlap()


if __name__ == "__main__":
    main()
