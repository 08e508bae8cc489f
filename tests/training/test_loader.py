"""The program that says what a step of training spends its time on sees all of the step, and counts nothing twice."""

import itertools

import pytest

from tests.training.test_real_data import program
from unet_edu.data.cells import synthetic_cells
from unet_edu.data.samples import Crops, Frame
from unet_edu.losses import border_weight_map
from unet_edu.unet import UNet


@pytest.fixture(scope="module")
def loader():
    return program("loader")


def crops():
    frames = [Frame(*synthetic_cells(seed, (40, 40), cells=4)) for seed in range(3)]
    return Crops(frames, 16, weight_map=border_weight_map)


def network():
    return UNet(widths=(2, 4), padding="same", dropout=0.0)


def test_a_part_is_counted_without_the_parts_inside_it(loader, monkeypatch):
    ticks = itertools.count()  # a clock that goes on by 1 whenever somebody looks
    monkeypatch.setattr(loader.time, "perf_counter", lambda: float(next(ticks)))
    watch = loader.Stopwatch()
    watch.run("outer", lambda: [watch.run("inner", list) for _ in range(2)])  # 0 | 1 2 | 3 4 | 5
    assert watch.seconds == {"outer": 3, "inner": 2}


def test_each_part_of_each_step_is_seen(loader):
    rows = loader.profile(crops(), network(), steps=3, workers=0)
    assert len(rows) == 3
    for row in rows:
        assert row.keys() == {*loader.CROPS, *loader.STEP, loader.WHOLE}
        assert min(row.values()) > 0
        assert sum(row.values()) - row[loader.WHOLE] <= row[loader.WHOLE]
    assert loader.medians(rows).keys() == rows[0].keys()


def test_what_is_made_once_a_frame_is_seen(loader):
    some = crops()
    rows = loader.once_a_frame(some)
    assert len(rows) == 3
    assert all(row.keys() == {"weight map", "spline through the image"} and min(row.values()) > 0 for row in rows)


def test_nothing_stays_watched(loader):
    parts = [function for functions in (loader.CROPS | loader.STEP).values() for function in functions]
    before = [getattr(owner, name) for owner, name in parts]
    loader.profile(crops(), network(), steps=1, workers=0)
    assert len(parts) >= 8 and [getattr(owner, name) for owner, name in parts] == before
