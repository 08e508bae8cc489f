"""How long each operator takes beside PyTorch, on the same numbers and one thread; and how its time grows.

    python benchmarks/operators.py

Prints milliseconds of processor time, the ratio to PyTorch, and how many times longer four times as many pixels take.
The aims: at most 10 times PyTorch's time; and growth near 4, because no operator but the dense matrix is quadratic in
the number of pixels, which would be 16. Below stand the matrices with the memory that they take, and the error that
refuses a dense one before its memory is spent; then what is computed for each sample or each validation, against a
bound. Stops when a result differs from PyTorch's, and ends with an error when an aim is missed.
"""

import os

os.environ |= {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}  # before NumPy loads

import statistics
import sys
import time
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import torch
from scipy import ndimage
from torch.nn import functional as F

from unet_edu.convolution import conv2d, conv2d_grad_input, conv2d_grad_weight
from unet_edu.instances import average_precision, connected, seg, warping_error
from unet_edu.interpolation import bed_of_nails, interpolate, interpolate_grad
from unet_edu.losses import border_weight_map
from unet_edu.matrix import conv2d_matrix
from unet_edu.metrics import confusion_matrix
from unet_edu.pooling import avg_pool2d, avg_pool2d_grad, max_pool2d, max_pool2d_grad, max_unpool2d, max_unpool2d_grad
from unet_edu.transposed import conv_transpose2d, conv_transpose2d_by_matrix, conv_transpose2d_by_zeros

torch.set_num_threads(1)
ROUNDS = 15
RATIO, GROWTH = 10, 8  # the aims; 8 stands half-way between 4 and 16, on a logarithmic scale
CHANNELS = 64  # the top level of a U-Net

Call = Callable[[], object]


class Row(NamedTuple):
    """One operator: our call, PyTorch's, and how far float32 sums of this length may differ."""

    ours: Call
    theirs: Call
    atol: float


def nails(x: torch.Tensor) -> torch.Tensor:
    y = torch.zeros(*x.shape[:2], 2 * x.shape[2], 2 * x.shape[3])
    y[:, :, ::2, ::2] = x.detach()
    return y


def operators(n: int) -> dict[str, Row]:
    """All operators on images of n×n."""
    rng = np.random.default_rng(0)
    x = rng.standard_normal((1, CHANNELS, n, n), dtype=np.float32)
    w = rng.standard_normal((CHANNELS, CHANNELS, 3, 3), dtype=np.float32)
    up = rng.standard_normal((CHANNELS, CHANNELS // 2, 2, 2), dtype=np.float32)
    size, double = (n, n), (2 * n, 2 * n)
    padded, odd = {"padding": 1}, {"stride": 2, "padding": 1, "output_padding": 1}

    xt = torch.from_numpy(x).requires_grad_()
    wt, ut = torch.from_numpy(w).requires_grad_(), torch.from_numpy(up).requires_grad_()
    y, indices = max_pool2d(x, 2)
    _, indices_t = F.max_pool2d(xt, 2, return_indices=True)
    yt = torch.from_numpy(y).requires_grad_()

    def backwards(result: torch.Tensor, *inputs: torch.Tensor) -> tuple[np.ndarray, *tuple[Call, ...]]:
        """A random gradient of a result, and PyTorch's way to bring it back to each input, without the way there."""
        dy = rng.standard_normal(result.shape, dtype=np.float32)
        ways = [
            lambda at=at: torch.autograd.grad(result, at, torch.from_numpy(dy), retain_graph=True)[0] for at in inputs
        ]
        return dy, *ways

    dy_conv, conv_input, conv_weight = backwards(F.conv2d(xt, wt, padding=1), xt, wt)
    dy_up, up_input = backwards(F.conv_transpose2d(xt, ut, stride=2), xt)
    dy_pool, pool_input = backwards(F.max_pool2d(xt, 2), xt)
    dy_unpool, unpool_input = backwards(F.max_unpool2d(yt, indices_t, 2, output_size=size), yt)
    dy_mean, mean_input = backwards(F.avg_pool2d(xt, 2), xt)

    plane, kernel = rng.standard_normal((4 * n, 4 * n)), rng.standard_normal((3, 3))
    plane_t, kernel_t = torch.from_numpy(plane)[None, None], torch.from_numpy(kernel)[None, None]
    A = conv2d_matrix(kernel, plane.shape, sparse=True)
    truth, guess = rng.integers(0, 6, (2, 8, n, n))
    truth_t, guess_t = torch.from_numpy(truth), torch.from_numpy(guess)

    # Sums of 576 products are of size 24, with errors in float32 below 1e-3; a weight's gradient sums 16,384 of them.
    rows = {
        "conv2d 3×3": Row(lambda: conv2d(x, w, **padded), lambda: F.conv2d(xt, wt, **padded), 1e-3),
        "conv2d_grad_input": Row(lambda: conv2d_grad_input(dy_conv, w, size, **padded), conv_input, 1e-3),
        "conv2d_grad_weight": Row(lambda: conv2d_grad_weight(dy_conv, x, (3, 3), **padded), conv_weight, 2e-2),
        "conv2d as a sparse matrix, 1 channel": Row(
            lambda: (A @ plane.ravel()).reshape(4 * n - 2, -1), lambda: F.conv2d(plane_t, kernel_t)[0, 0], 1e-10
        ),
        "conv_transpose2d 2×2, stride 2": Row(
            lambda: conv_transpose2d(x, up, stride=2), lambda: F.conv_transpose2d(xt, ut, stride=2), 1e-3
        ),
        "conv_transpose2d 3×3, stride 2": Row(
            lambda: conv_transpose2d(x, w, **odd), lambda: F.conv_transpose2d(xt, wt, **odd), 1e-3
        ),
        "its gradient in x (conv2d, stride 2)": Row(lambda: conv2d(dy_up, up, stride=2), up_input, 1e-3),
        "conv_transpose2d_by_zeros 2×2, stride 2": Row(
            lambda: conv_transpose2d_by_zeros(x, up, stride=2), lambda: F.conv_transpose2d(xt, ut, stride=2), 1e-3
        ),
        "conv_transpose2d_by_matrix, 1 channel": Row(
            lambda: conv_transpose2d_by_matrix(plane[::2, ::2], kernel, stride=2),
            lambda: F.conv_transpose2d(plane_t[:, :, ::2, ::2], kernel_t, stride=2)[0, 0],
            1e-10,
        ),
    }
    for mode in ("nearest", "bilinear", "bicubic"):
        corners = {} if mode == "nearest" else {"align_corners": False}
        scaled = lambda t, mode=mode, corners=corners: F.interpolate(t, double, mode=mode, **corners)
        dy, back = backwards(scaled(xt), xt)
        rows[f"interpolate ×2, {mode}"] = Row(
            lambda mode=mode: interpolate(x, double, mode=mode), lambda scaled=scaled: scaled(xt), 1e-4
        )
        rows[f"interpolate_grad ×2, {mode}"] = Row(
            lambda mode=mode, dy=dy: interpolate_grad(dy, size, mode=mode), back, 1e-4
        )
    rows |= {
        "bed_of_nails ×2": Row(lambda: bed_of_nails(x, 2), lambda: nails(xt), 0),
        "max_pool2d 2×2": Row(lambda: max_pool2d(x, 2)[0], lambda: F.max_pool2d(xt, 2, return_indices=True)[0], 0),
        "max_pool2d_grad": Row(lambda: max_pool2d_grad(dy_pool, indices, size), pool_input, 0),
        "max_unpool2d": Row(
            lambda: max_unpool2d(y, indices, size), lambda: F.max_unpool2d(yt, indices_t, 2, output_size=size), 0
        ),
        "max_unpool2d_grad": Row(lambda: max_unpool2d_grad(dy_unpool, indices), unpool_input, 0),
        "avg_pool2d 2×2": Row(lambda: avg_pool2d(x, 2), lambda: F.avg_pool2d(xt, 2), 1e-5),
        "avg_pool2d_grad": Row(lambda: avg_pool2d_grad(dy_mean, 2, size), mean_input, 1e-5),
        "confusion_matrix, 6 classes, 8 images": Row(
            lambda: confusion_matrix(guess, truth, 6),
            lambda: torch.bincount((truth_t * 6 + guess_t).ravel(), minlength=36).reshape(6, 6),
            0,
        ),
    }
    return rows


def milliseconds(call: Call) -> float:
    """Of processor time: on one thread it is the time of a clock, less what other programs take."""
    start = time.process_time()
    call()
    return (time.process_time() - start) * 1e3


class Time(NamedTuple):
    median: float
    least: float  # the round that nothing else disturbed: growth is a matter of caches as it is


def measure(*calls: Call, rounds: int = ROUNDS) -> list[Time]:
    """Turn about, so that a busy moment of the machine hits all."""
    for call in calls:
        call()  # the first call of anything is slow
    taken = [[milliseconds(call) for call in calls] for _ in range(rounds)]
    return [Time(statistics.median(times), min(times)) for times in zip(*taken, strict=True)]


def expect_equal(name: str, row: Row) -> None:
    ours, theirs = np.asarray(row.ours()), torch.as_tensor(row.theirs()).detach().numpy()
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=row.atol, err_msg=f"{name} differs from PyTorch")


def by_matrix(n: int, sparse: bool) -> Call:
    """Build the matrix of a 3×3 kernel and multiply by it: the one way that, when dense, is quadratic."""
    plane, kernel = np.ones((n, n)), np.ones((3, 3))
    return lambda: conv2d_matrix(kernel, plane.shape, sparse=sparse) @ plane.ravel()


def megabytes(n: int, sparse: bool) -> float:
    """What the same matrix takes."""
    A = conv2d_matrix(np.ones((3, 3)), (n, n), sparse=sparse)
    return sum(array.nbytes for array in ((A.data, A.indices, A.indptr) if sparse else (A,))) / 1e6


def bounded() -> dict[str, tuple[Call, float]]:
    """What PyTorch has not, and the milliseconds that it may take: some five times what a slow core needs."""

    def squares(side: int, step: int) -> np.ndarray:
        ids = np.arange(1, side * side + 1).reshape(side, side)
        return np.kron(ids, np.pad(np.ones((step - 6, step - 6), int), 3))

    rough = ndimage.gaussian_filter(np.random.default_rng(0).random((512, 512)), 4)
    truth, found = rough > np.median(rough), np.roll(rough, 2) > np.median(rough)
    cells, others = connected(truth), connected(found)
    return {
        "border_weight_map, 16 cells": (lambda: border_weight_map(squares(4, 124)), 100),
        "border_weight_map, 361 cells": (lambda: border_weight_map(squares(19, 27)), 1000),
        f"seg, {cells.max()} cells": (lambda: seg(others, cells), 500),
        f"average_precision, {cells.max()} cells": (lambda: average_precision(others, cells), 500),
        "warping_error, borders that differ": (lambda: warping_error(found, truth), 5000),
    }


def main() -> None:
    n = 64
    small, large = operators(n), operators(2 * n)
    missed = []
    print(
        f"1×{CHANNELS}×{2 * n}×{2 * n} float32 (1 channel: {8 * n}×{8 * n} float64), one thread, medians of {ROUNDS} "
        "rounds; growth from the quickest"
    )
    print(f"{'':42s}{'unet_edu':>12s}{'torch':>12s}{'ratio':>9s}{'4 × pixels take':>18s}")
    for name, row in large.items():
        expect_equal(name, small[name])
        expect_equal(name, row)
        ours, theirs, before = measure(row.ours, row.theirs, small[name].ours)
        ratio, growth = ours.median / theirs.median, ours.least / before.least
        print(f"{name:42s}{ours.median:9.2f} ms{theirs.median:9.2f} ms{ratio:9.2f}{growth:12.1f} × time")
        missed += [f"{name}: {ratio:.1f} × PyTorch's time"] * (ratio > RATIO)
        missed += [f"{name}: {growth:.1f} × the time for 4 × the pixels"] * (growth > GROWTH)

    for sparse, sides in ((True, (45, 90)), (True, (256, 512)), (False, (45, 90))):
        before, ours = measure(*(by_matrix(side, sparse) for side in sides))
        growth = ours.least / before.least
        title = f"{'sparse' if sparse else 'dense'} matrix of {sides[1]}×{sides[1]}, built and used"
        memory = f"{megabytes(sides[1], sparse):9.1f} MB"
        print(f"{title:42s}{ours.median:9.2f} ms{memory}{'':9s}{growth:12.1f} × time")
        missed += [f"{title}: {growth:.1f} × the time for 4 × the pixels"] * (sparse and growth > GROWTH)
    for title, (call, bound) in bounded().items():
        (ours,) = measure(call, rounds=5)
        print(f"{title:42s}{ours.median:9.2f} ms, at most {bound}")
        missed += [f"{title}: {ours.least:.0f} ms"] * (ours.least > bound)
    try:
        by_matrix(2 * n, sparse=False)()
        raise AssertionError("a dense matrix of 2 GB should have been refused")
    except ValueError as error:
        print(f"dense matrix of {2 * n}×{2 * n}: {error}")
    if missed:
        sys.exit("missed its aim: " + "; ".join(missed))
    print(f"All within {RATIO} × PyTorch's time, and none but the dense matrix quadratic.")


if __name__ == "__main__":
    main()
