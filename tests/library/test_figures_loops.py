"""Loops: their numbers are the operators', and what is stored is small, calm, and the same from run to run."""

from __future__ import annotations

import base64
import functools
import io
import re

import numpy as np
import pytest
from bs4 import BeautifulSoup
from matplotlib.figure import Figure
from PIL import Image

from tests.conftest import PICTURE
from tests.library.drawings import expect_legible_on_white_whole_and_not_too_wide, texts
from unet_edu.convolution import conv2d
from unet_edu.figures import loops
from unet_edu.figures.film import Film, pixels_of, steps
from unet_edu.figures.loops import Loop
from unet_edu.figures.shown import digest
from unet_edu.matrix import conv2d_matrix
from unet_edu.pooling import avg_pool2d, max_pool2d, max_unpool2d
from unet_edu.transposed import conv_transpose2d

X = np.array([[4, 5, 8, 7], [1, 8, 8, 8], [3, 6, 6, 4], [6, 5, 7, 8]])
W = np.array([[1, 4, 1], [1, 4, 3], [3, 3, 1]])
SMALL = np.array([[2, 1], [4, 4]])
SIGNED = np.array([[3, -2, 7, 4], [-1, 9, 0, 5], [2, 1, -3, 6], [8, -4, 5, 10]])
PHOTO = np.add.outer(np.sin(np.arange(300) / 9), np.cos(np.arange(256) / 7)) / 4 + 0.5
MAKE = {
    "window_sliding": functools.partial(loops.window_sliding, X, W),
    "stamps_adding": functools.partial(loops.stamps_adding, SMALL, W, stride=2),
    "rows_filling": functools.partial(loops.rows_filling, W),
    "checkerboard": loops.checkerboard,
    "index_jumping": functools.partial(loops.index_jumping, SIGNED),
    "shrinking_and_growing": functools.partial(loops.shrinking_and_growing, PHOTO),
}
made = functools.cache(lambda name: MAKE[name]())
stored = functools.cache(lambda name: made(name).pngs())


def written(figure: Figure) -> list[str]:
    return [text.get_text() for text in texts(figure)]


def numbers(figure: Figure) -> list[str]:
    """The texts that are numbers and nothing else, sorted."""
    return sorted(text for text in written(figure) if re.fullmatch("−?[0-9]+", text))


def expected(*arrays: np.ndarray) -> list[str]:
    return sorted(f"{value:.0f}".replace("-", "−") for array in arrays for value in np.ravel(array))


def test_there_is_a_test_for_each_motion():
    assert set(MAKE) == set(loops.__all__) - {"Loop"}


@pytest.mark.parametrize("name", MAKE)
def test_what_is_stored_is_small_calm_and_rests_at_its_end(name):
    moving, still, size = stored(name)
    loop, image = made(name), Image.open(io.BytesIO(moving))
    assert len(moving) <= 150_000 and 3 <= sum(loop.milliseconds) / 1000 <= 8
    assert image.size == size and size[0] <= 1000 and image.is_animated and image.info["loop"] == 0
    assert np.array_equal(
        image.convert("RGB"), Image.open(io.BytesIO(still)).convert("RGB")
    )  # what stands where nothing moves
    assert image.n_frames == len(loop.frames) + 1
    assert min(loop.milliseconds) >= 50 and loop.milliseconds[-1] == max(loop.milliseconds) >= 1500
    assert len(still) < 30_000


@pytest.mark.parametrize("name", MAKE)
def test_the_same_bytes_twice(name):
    assert MAKE[name]().pngs() == stored(name)


@pytest.mark.parametrize("name", MAKE)
def test_each_picture_is_that_of_matplotlib(name):
    """Few colours, and only what changed: none of it may be seen."""
    loop, image = made(name), Image.open(io.BytesIO(stored(name)[0]))
    for number in (0, len(loop.frames) // 2, len(loop.frames) - 1):
        image.seek(number + 1)
        wanted = pixels_of(loop.frames[number]).astype(int)
        difference = np.abs(np.asarray(image.convert("RGB"), int) - wanted)
        assert difference.mean() < 1 and (difference > 40).mean() < 0.001


@pytest.mark.parametrize("name", MAKE)
def test_legible_on_white_whole_and_not_too_wide(name):
    loop = made(name)
    for number in {0, len(loop.frames) // 2, loop.still % len(loop.frames), len(loop.frames) - 1}:
        expect_legible_on_white_whole_and_not_too_wide(loop.frames[number])


@pytest.mark.parametrize("name", MAKE)
def test_it_shows_itself_with_its_words_and_a_still_picture(name, monkeypatch):
    shown = []
    monkeypatch.setattr("IPython.display.display", lambda data, raw, metadata=None: shown.append((data, metadata)))
    loop = made(name)
    monkeypatch.setattr(loop, "pngs", lambda: stored(name), raising=False)
    loop._ipython_display_()
    (picture, metadata), (line, _) = shown
    moving, still, (width, height) = stored(name)
    assert set(picture) == {"image/png", "text/plain"} and base64.b64decode(picture["image/png"]) == moving
    assert metadata == {"image/png": {"alt": loop.words}} and len(loop.words) > 100
    for key, array in loop.values.items():
        assert f"{key}: {digest(array)}" in picture["text/plain"]
    page = BeautifulSoup(line["text/html"], "html.parser")
    assert page.select_one("details.unet-words > summary").get_text() == "In words"
    assert loop.words in page.select_one("details.unet-words").get_text()
    standing = page.select_one("div.unet-still + details")
    assert standing is not None and not page.select("img")  # GitHub takes out styles, and would show it twice
    style = page.select_one("div.unet-still")["style"]
    assert style.startswith("display: none;") and f"{width} / {height}" in style
    assert base64.b64encode(still).decode() in style and "prefers-reduced-motion: reduce" in page.style.get_text()
    compared = re.sub(PICTURE, "", line["text/html"])
    assert "base64" not in compared and "unet-still" in compared


def test_the_window_s_numbers_are_those_of_the_convolution():
    loop, output = made("window_sliding"), conv2d(X, W)
    assert np.array_equal(loop.values["output"], output)
    assert numbers(loop.frames[-1]) == expected(X, W, output)
    sums = dict.fromkeys(text for frame in loop.frames for text in written(frame) if " = " in text)
    assert len(sums) == output.size
    for text, result, (i, j) in zip(sums, output.ravel(), np.ndindex(output.shape), strict=True):
        products = [tuple(map(int, product.split("·"))) for product in text.split(" = ")[0].split(" + ")]
        assert products == list(zip(W.ravel(), X[i : i + 3, j : j + 3].ravel(), strict=True))
        assert sum(a * b for a, b in products) == int(text.split(" = ")[1]) == result
    assert sum("×" in text for text in written(loop.frames[loop.still])) == W.size


def test_a_long_sum_is_broken_into_lines():
    frame = loops.window_sliding(-np.ones((5, 6)), np.ones((5, 5))).frames
    assert len({height for figure in frame for height in [figure.get_size_inches()[1]]}) == 1
    assert sum("·" in text for text in written(frame[-1])) > 1


@pytest.mark.parametrize("small, stride", [(SMALL, 1), (SMALL, 2), (np.array([[1, -2, 3]]), 3)])
def test_the_stamps_add_up_to_the_transposed_convolution(small, stride):
    loop = loops.stamps_adding(small, W, stride)
    large = conv_transpose2d(small, W, stride=stride)
    assert np.array_equal(loop.values["large"], large)
    assert numbers(loop.frames[-1]) == [text for text in expected(small, W, large)] or stride == 3
    landed = [frame for frame in loop.frames if any(re.fullmatch(r"−?\d+\+−?\d+", text) for text in written(frame))]
    assert len(landed) == (0 if stride == 3 else small.size - 1)
    sums = [text.replace("−", "-").split("+") for text in written(loop.frames[loop.still]) if "+" in text]
    assert all(int(a) + int(b) in large for a, b in sums)


def test_the_rows_are_those_of_the_matrix():
    loop, A = made("rows_filling"), conv2d_matrix(W, (4, 4))
    assert np.array_equal(loop.values["A"], A)
    assert numbers(loop.frames[-1]) == expected(A, A[-1])
    assert numbers(loop.frames[0]) == expected(A[0])


@pytest.mark.parametrize("kernel, strides", [(3, (1, 2, 3)), (4, (2, 3)), (2, (2, 1))])
def test_the_checkerboard_counts_stamps(kernel, strides):
    loop = loops.checkerboard(kernel, strides, pixels=5)
    held = [frame for frame in loop.frames if numbers(frame)]
    for frame, stride in zip(held, strides, strict=True):
        counts = conv_transpose2d(np.ones((5, 5)), np.ones((kernel, kernel)), stride=stride)
        assert np.array_equal(loop.values[f"stride_{stride}"], counts) and numbers(frame) == expected(counts)
    uneven = [stride for stride in strides if kernel % stride]
    said = [text for text in written(loop.frames[-1]) if "checkerboard" in text]
    assert [int(re.match(r"stride (\d+)", text)[1]) for text in said] == uneven
    if uneven:
        assert any("checkerboard" in text for text in written(loop.frames[loop.still]))


def test_an_index_returns_to_where_it_came_from():
    loop = made("index_jumping")
    pooled, indices = max_pool2d(SIGNED, 2)
    back = max_unpool2d(pooled, indices, (4, 4))
    assert np.array_equal(loop.values["unpooled"], back) and np.array_equal(loop.values["indices"], indices)
    places = np.arange(16)
    assert numbers(loop.frames[-1]) == expected(SIGNED, pooled, indices, back, places, places)
    assert "9 at 5, 7 at 2, 8 at 12, 10 at 15" in loop.words


def test_the_photograph_is_pooled_and_enlarged_pixel_for_pixel():
    loop = made("shrinking_and_growing")
    drawn = [np.asarray(image.get_array()) for image in loop.frames[-1].axes[0].images]
    down = [loop.values["image"]]
    for _ in range(3):
        down.append(avg_pool2d(down[-1], 2))
    assert np.allclose(down[0], avg_pool2d(PHOTO[22:278], 2))  # 256 pixels of the middle
    assert [len(image) for image in drawn] == [128, 64, 32, 16, 32, 32, 64, 64, 128, 128]
    for image, wanted in zip(drawn[:4], down, strict=True):
        assert np.allclose(image, wanted)
    for grown, copy, wanted in zip(drawn[4::2], drawn[5::2], down[2::-1], strict=True):
        assert np.allclose(copy, wanted)
        assert np.allclose(grown, np.kron(down[3], np.ones((len(wanted) // 16,) * 2)))


def test_a_loop_of_one_s_own():
    film = Film()
    for part in (0, *steps(4), 1):
        figure = Figure(figsize=(2, 1))
        figure.text(part / 2, 0.5, "x")
        film.add(figure, 0.8)
    loop = film.loop("A letter goes to the right.", still=2, part=[0, 1])
    assert loop.milliseconds == [800] * 5 and repr(loop).startswith("A letter goes to the right.\npart: shape (2,)")
    plain = Loop(film.frames, "A letter goes to the right.", seconds=4, part=[0, 1])
    assert sum(plain.milliseconds) == 4000 and plain.milliseconds[-1] >= 1000
    assert list(steps(2)) == [0.5]


@pytest.mark.parametrize(
    "frames, words, keywords, message",
    [
        ([Figure()], "One.", {"a": 1}, "frames, holds: expected two or more"),
        ([Figure()] * 3, "Three.", {"a": 1, "holds": [1, 2]}, "got 3 and 2"),
        ([Figure()] * 2, " ", {"a": 1}, "words, values"),
        ([Figure()] * 2, "No values.", {}, "words, values"),
    ],
)
def test_a_loop_that_is_none_is_refused(frames, words, keywords, message):
    with pytest.raises(ValueError, match=message):
        Loop(frames, words, **keywords)
