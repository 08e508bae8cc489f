"""How much memory `unet_edu.predicting.predict_file` takes, from a file to files, for each pixel of a large picture.

    python benchmarks/predicting.py [--side 12000]

Each row is a process of its own: a tiny picture, then one of 4000 and one of --side pixels squared, uncompressed TIFF
with 16 bits, with a network of two levels and random weights on one thread, for cells and for 12 classes. "kept" is the
most memory that the system could not take back (pages of files, which it can take back, are left out); "peak" is the
most that the process had in all. Both in MB, and less the tiny picture in bytes per pixel.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

PROGRAM = """
import resource, sys, threading, time
from pathlib import Path
import numpy as np, tifffile, torch
from unet_edu.predicting import predict_file
from unet_edu.unet import UNet
folder, side, classes = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
torch.manual_seed(0)
torch.set_num_threads(1)
image = tifffile.memmap(folder / "it.tif", shape=(side, side), dtype=np.uint16)
for top in range(0, side, 500):
    image[top : top + 500] = np.random.default_rng(top).integers(0, 4096, (min(500, side - top), side))
del image
kept = [0]
def watch():
    while True:
        lines = dict(line.split(":") for line in Path("/proc/self/status").read_text().splitlines())
        kept[0] = max(kept[0], int(lines["RssAnon"].split()[0]))
        time.sleep(0.01)
threading.Thread(target=watch, daemon=True).start()
predict_file(UNet(1, classes, (4, 8), padding="same"), folder / "it.tif", folder / "out")
print(kept[0] / 1000, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000)
"""


def measured(side: int, classes: int) -> tuple[float, float]:
    """What one process kept, and its peak, in MB."""
    with tempfile.TemporaryDirectory() as folder:
        arguments = [sys.executable, "-c", PROGRAM, folder, str(side), str(classes)]
        done = subprocess.run(arguments, stdout=subprocess.PIPE, text=True, check=True, cwd=Path(__file__).parents[1])
    kept, peak = map(float, done.stdout.split())
    return kept, peak


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--side", type=int, default=12_000)
    sides = [64, 4000, parser.parse_args().side]
    print(f"{'':10} {'side':>6} {'kept':>8} {'peak':>8}   bytes per pixel")
    for what, classes in (("cells", 2), ("classes", 12)):
        for side in sides:
            kept, peak = measured(side, classes)
            if side == sides[0]:
                tiny = kept, peak
            less = [1e6 * (now - then) / side**2 for now, then in zip((kept, peak), tiny, strict=True)]
            per_pixel = "" if side == sides[0] else f"   {less[0]:.1f} {less[1]:.1f}"
            print(f"{what:10} {side:6} {kept:8.0f} {peak:8.0f}{per_pixel}", flush=True)


if __name__ == "__main__":
    main()
