"""How long conv2d takes beside PyTorch and SciPy, on the same numbers, in one run, on one thread.

    python benchmarks/convolution.py

Prints milliseconds and the ratio to PyTorch. The aim: conv2d in at most 2.5 times PyTorch's time.
"""

import os

os.environ |= {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}  # before NumPy loads

import statistics
import time
from collections.abc import Callable

import numpy as np
import scipy.signal
import torch

from unet_edu.convolution import conv2d, conv2d_loops

torch.set_num_threads(1)
ROUNDS = 25


def milliseconds(call: Callable[[], object]) -> float:
    start = time.perf_counter()
    call()
    return (time.perf_counter() - start) * 1e3


def main() -> None:
    rng = np.random.default_rng(0)
    x = rng.standard_normal((1, 64, 128, 128), dtype=np.float32)
    w = rng.standard_normal((64, 64, 3, 3), dtype=np.float32)
    x_torch, w_torch = torch.from_numpy(x), torch.from_numpy(w)
    fast = {
        "torch.nn.functional.conv2d": lambda: torch.nn.functional.conv2d(x_torch, w_torch),
        "unet_edu.convolution.conv2d": lambda: conv2d(x, w),
    }
    results = [call() for call in fast.values()]
    # sums of 576 float32 products, of size 24: their rounding errors stay below 1e-3
    np.testing.assert_allclose(results[1], results[0].numpy(), atol=1e-3)

    # turn about, so that a busy moment of the machine hits both; the median of many rounds
    rounds = [[milliseconds(call) for call in fast.values()] for _ in range(ROUNDS)]
    times = dict(zip(fast, map(statistics.median, zip(*rounds, strict=True)), strict=True))
    ratios = [ours / theirs for theirs, ours in rounds]

    # one output channel of 64, and 1 plane pair of 64·64: measured, then multiplied
    times["scipy.signal.correlate, from 1 of 64 kernels"] = 64 * milliseconds(
        lambda: scipy.signal.correlate(x[0], w[0], mode="valid")
    )
    times["conv2d_loops, from 1 of 4096 planes"] = 4096 * milliseconds(lambda: conv2d_loops(x[0, 0], w[0, 0]))

    print("1×64×128×128 float32, 64 kernels 3×3, one thread")
    for name, time_ in times.items():
        print(f"{name:48s} {time_:12.1f} ms {time_ / times['torch.nn.functional.conv2d']:10.2f} × torch")
    low, high = min(ratios), max(ratios)
    print(f"conv2d: {statistics.median(ratios):.2f} × torch, median of {ROUNDS} rounds ({low:.2f} to {high:.2f})")


if __name__ == "__main__":
    main()
