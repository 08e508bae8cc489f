"""All that needs a GPU, in one command of at most eight minutes.

    python benchmarks/gpu.py [--part NAME ...] [--data FOLDER] [--out build/gpu.json]
    python benchmarks/gpu.py --tiny --device cpu

Runs from a checkout, without an installation. It needs PyTorch, NumPy, lazy-loader, tqdm and Pillow. Only `phc` and
`dic` need SciPy, and frames in TIFF files need tifffile; nothing here needs scikit-image. Where one of these or the
frames are missing, what needs them is left out, and a sentence says so.

Rows are printed, and kept as they come. A part that fails, or does not end within its limit of time, is said, and the
others run. Then, and where an aim is missed, the exit status is 1.

`--tiny` does all of it with a few small numbers, without a GPU too: it tries this program, and measures nothing.
"""

from __future__ import annotations

import argparse
import datetime
import gc
import os
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

sys.path[:0] = [str(Path(__file__).resolve().parents[1])]
try:
    import numpy as np
    import torch
    from in_parts import Row, end, run, sentence, write
    from same_training import Case, agree, determinism, resume
    from unet_speed import CASES, Fixed, Plain, plain_steps, seconds

    from unet_edu.sizes import layer_table
    from unet_edu.training import bf16_is_fast, fit
    from unet_edu.unet import UNet
except ModuleNotFoundError as error:
    sys.exit(f"{error.name} is missing; this program needs PyTorch, NumPy, lazy-loader, tqdm and Pillow")

# Unless it is told not to, PyTorch lets convolutions of 32-bit numbers read 10 of their 23 binary places: TF32.
FLOAT32, TF32, OURS, COMPILED = WAYS = ("plain, float32", "plain, TF32", "fit", "fit, compiled")


class Amount(NamedTuple):
    cases: dict[str, Case]
    small: Case  # for what the processor does too: the paper's five levels, and a quarter of its channels
    matrix: int  # the side of those whose product shows what the card can do
    steps: int  # from one look at the clock to the next
    most: int  # images in a batch
    real: dict[str, Any]  # what differs from the settings in real_data.py; the paper's network begins with 64 channels
    frames: int | None  # so many to train on, and so many to score; None: all
    trial: int  # steps that show how long one takes
    seconds: float  # of a training on real frames
    speed_aims: dict[str, float]  # of the larger case
    film_aims: dict[str, dict[str, float]]


FULL = Amount(
    cases=CASES,
    small=(2, 252, {"widths": (16, 32, 64, 128, 256)}),
    matrix=8192,
    steps=20,
    most=1024,
    real={"width": 64},
    frames=None,
    trial=200,
    seconds=90.0,
    speed_aims={"times_plain": 4.0, "share_of_limit": 0.4},
    film_aims={"dic": {"seg": 0.88}},
)
TINY_NETWORK: dict[str, Any] = {"widths": (4, 8)}
TINY = Amount(
    cases={"1×1×44×44": (1, 44, TINY_NETWORK), "2×1×32×32, padded": (2, 32, TINY_NETWORK | {"padding": "same"})},
    small=(2, 44, TINY_NETWORK),
    matrix=64,
    steps=2,
    most=4,
    real={"width": 2, "crop": 64, "batch_size": 1},
    frames=2,
    trial=4,
    seconds=1.0,
    speed_aims={},
    film_aims={},
)


def speed(amount: Amount, device: torch.device) -> Iterator[Row]:
    """The milliseconds of a training step, and how far that is from a product of large matrices."""
    yield {
        "what": torch.cuda.get_device_name() if device.type == "cuda" else "a processor",
        "cuda": torch.version.cuda or torch.version.hip,
        "cudnn": torch.backends.cudnn.version(),
        "fit_takes": "bfloat16" if bf16_is_fast(device) else "float32",
        "convolutions_take_tf32": torch.backends.cudnn.allow_tf32,
    }
    a, b = (torch.randn(amount.matrix, amount.matrix, device=device).bfloat16() for _ in range(2))
    product = min([seconds(lambda: [a @ b for _ in range(10)], device) / 10 for _ in range(6)][1:])
    limit = 2 * amount.matrix**3 / product
    yield {"what": f"a product of two matrices of {amount.matrix}², bfloat16", "teraflops": round(limit / 1e12, 3)}
    large, plain = max(map(operations, amount.cases.values())), dict[str, float]()
    for way in WAYS:  # what is compiled comes last: nobody knows how long that takes
        for name, case in amount.cases.items():
            row: Row = {"what": f"{name}; {way}"}
            if way == COMPILED and device.type != "cuda":
                yield row | {"skipped": "torch.compile is tried on a GPU only"}
                continue
            try:
                times = step_times(way, case, amount.steps, 5, device)
            except Exception as error:  # noqa: BLE001  whatever it is, the next one is measured too
                yield row | {"failed": sentence(error)}
                continue
            median = statistics.median(times)
            plain |= {name: median} if way == FLOAT32 else {}
            row |= {"ms": round(1000 * median, 3), "ms_from_to": [round(1000 * t, 3) for t in (min(times), max(times))]}
            row |= {"share_of_limit": round(operations(case) / median / limit, 4)}
            row |= {"times_plain": round(plain[name] / median, 2)} if name in plain else {}
            yield judged(row, amount.speed_aims if way == COMPILED and operations(case) == large else {})


def judged(row: Row, aims: dict[str, float]) -> Row:
    """With what it misses."""
    missed = [f"{key} of {aim}" for key, aim in aims.items() if key in row and row[key] < aim]
    return row | ({"missed": ", ".join(missed)} if missed else {})


def operations(case: Case) -> float:
    """Floating-point operations of the convolutions in one training step.

    The way back takes twice as many as the way there; but nobody asks the first layer how to change the image.
    """
    count, side, arguments = case
    with torch.device("meta"):
        table = layer_table(UNet(**arguments), side)
    return 2.0 * count * (3 * sum(layer.multiply_adds for layer in table) - table[0].multiply_adds)


def step_times(way: str, case: Case, steps: int, rounds: int, device: torch.device) -> list[float]:
    """Seconds of a step, in each of some rounds. One more round, which allocates and compiles, comes first."""
    count, side, arguments = case
    torch.manual_seed(0)
    model, data = UNet(**arguments | {"dropout": 0.0}), Fixed(side)
    if way in (OURS, COMPILED):
        if way == COMPILED:
            torch.compiler.reset()  # or, after another size, it would make a program for all sizes
        options = {"validate_every": steps, "lr": 1e-6, "compile": way == COMPILED, "progress": False}
        history = fit(model, data, steps=steps * (rounds + 1), batch_size=count, device=device, **options)
        return [(end["seconds"] - start["seconds"]) / steps for start, end in pairwise(history.rows)]
    plain = Plain(model.config["widths"], 0 if model.config["padding"] == "valid" else 1).copy_of(model).to(device)
    batch = tuple(torch.as_tensor(np.stack([part] * count)) for part in data.sample)
    torch.backends.cudnn.allow_tf32 = way == TF32
    times = [seconds(lambda: plain_steps(plain, [batch] * steps, device, 1e-6), device) for _ in range(rounds + 1)]
    return [time / steps for time in times[1:]]


def memory(amount: Amount, device: torch.device) -> Iterator[Row]:
    """What a training step takes, and the largest batch that there is room for."""
    for name, (count, side, arguments) in amount.cases.items():
        for way in (TF32, OURS):
            take = partial(peak, way, side, arguments, device)
            row: Row = {"what": f"{name}; {way}", "peak_gib": take(count)}
            row["largest_batch"], row["stopped_by"] = largest(take, amount.most)
            yield row


def peak(way: str, side: int, arguments: dict[str, Any], device: torch.device, count: int) -> float | None:
    """The most memory in two training steps, in GiB; None on a processor, where nobody counts it."""
    if device.type == "cuda":
        gc.collect()
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats()
    step_times(way, (count, side, arguments), 1, 1, device)
    return round(torch.cuda.max_memory_allocated() / 2**30, 3) if device.type == "cuda" else None


def largest(take: Callable[[int], object], most: int) -> tuple[int, str]:
    """The largest batch, to an eighth of it, and why it is no larger: doubled until it fails, then halved between."""
    stopped = f"{most} is the most that was tried"

    def fits(n: int) -> bool:
        nonlocal stopped
        try:
            take(n)
        except RuntimeError as error:  # a full memory is one
            stopped = sentence(error)
            return False
        return True

    good, bad = 0, 1
    while good < most and fits(bad):
        good, bad = bad, min(2 * bad, most)
    while bad - good > max(1, good // 8):
        middle = (good + bad) // 2
        good, bad = (middle, bad) if fits(middle) else (good, middle)
    return good, stopped


def film(experiment: str, amount: Amount, device: torch.device, folder: str | None) -> Iterator[Row]:
    """The paper's channels, trained for some time on a part of the training frames, and scored on the other part.

    What the published score is made of stays closed. Thresholds were chosen on the frames that are scored here: so this
    says that a GPU trains as it should, and is no result.
    """
    import real_data

    setting = replace(real_data.SETTINGS[experiment], **amount.real)
    try:
        if folder is None:
            raise FileNotFoundError("there are no frames: name their folder with --data or UNET_EDU_TEST_DATA")
        frames = real_data.benchmarks.load(setting.data, folder)
    except FileNotFoundError as error:
        yield {"what": setting.data, "skipped": str(error)}
        return
    first, second = real_data.split_training(real_data.benchmarks.split(frames)[0])
    first = first[: amount.frames]
    setting = real_data.fitted(setting, first)
    second = [frame for frame in second if real_data._truth(setting, frame) is not None][: amount.frames]
    crops = real_data.samples(setting, first, seed=0)
    _ = [crops[n] for n in range(len(crops))]  # makes their weight maps here, and not in each worker again
    workers = max(0, min(12, (os.cpu_count() or 1) - 2))

    def trained(steps: int) -> tuple[UNet, list[dict[str, float]]]:
        torch.manual_seed(0)
        widths = [setting.width * 2**level for level in range(5)]
        model = UNet(widths=widths, padding="same", norm="batch", dropout=0.0)
        options = {"optimizer": "adamw", "validate_every": steps // 2, "workers": workers, "progress": False}
        return model, fit(model, crops, steps=steps, batch_size=setting.batch_size, device=device, **options).rows

    began = time.perf_counter()
    half, whole, *_ = trained(amount.trial)[1]
    step = (whole["seconds"] - half["seconds"]) / (whole["step"] - half["step"])
    model, rows = trained(max(2, int((amount.seconds - (time.perf_counter() - began)) / step)))
    found = [real_data.cells(setting, real_data.probability(setting, model, frame.image)) for frame in second]
    row = {"what": f"{real_data._range(first)} → {real_data._range(second)}", **rows[-1]}
    row |= real_data.cell_table(setting, found, second)
    yield judged(row, amount.film_aims.get(experiment, {}))


LIMITS = {"agree": 20, "determinism": 25, "resume": 30, "speed": 115, "memory": 60, "phc": 112, "dic": 112}
"""The parts, and the seconds that each may take. All of them are 474."""


def parts(amount: Amount, device: torch.device, folder: str | None) -> dict[str, tuple[Any, ...]]:
    """Each as a function and what it is called with."""
    return {
        "agree": (agree, amount.small, device),
        "determinism": (determinism, next(iter(amount.cases.values())), device),
        "resume": (resume, amount.small, device),
        "speed": (speed, amount, device),
        "memory": (memory, amount, device),
        **{experiment: (film, experiment, amount, device, folder) for experiment in ("phc", "dic")},
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--part", action="append", choices=LIMITS, help="only this one; may be given again")
    is_here = torch.cuda.is_available()
    parser.add_argument("--device", choices=("cuda", "cpu"), default="cuda" if is_here else "cpu")
    parser.add_argument("--data", default=os.environ.get("UNET_EDU_TEST_DATA"), help="the folder that holds the frames")
    parser.add_argument("--out", type=Path, default=Path("build/gpu.json"))
    parser.add_argument("--limit", type=float, help="the seconds that each part may take")
    parser.add_argument("--tiny", action="store_true", help="a few small numbers, which measure nothing")
    asked = parser.parse_args()
    device, amount = torch.device(asked.device), TINY if asked.tiny else FULL
    if device.type == "cuda" and not is_here:
        sys.exit("PyTorch finds no GPU that CUDA or ROCm knows")
    if device.type == "cpu" and not asked.tiny:
        sys.exit("this measures a GPU; without one, --tiny --device cpu tries the program itself")
    # nothing of the card: this process takes no room on it
    head = {"date": datetime.date.today().isoformat(), "torch": torch.__version__, "device": device.type}
    head |= {"cores": os.cpu_count(), "tiny": asked.tiny}
    print(" · ".join(f"{key} {value}" for key, value in head.items()), flush=True)
    rows, known = list[Row](), parts(amount, device, asked.data)
    for part in asked.part or LIMITS:
        rows += run(part, *known[part], limit=asked.limit or LIMITS[part])
        write(asked.out, head, rows)
    end(rows)


if __name__ == "__main__":
    main()
