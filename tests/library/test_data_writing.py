"""PNG and TIFF files that are written band by band, read again by others."""

from __future__ import annotations

import io

import numpy as np
import pytest
import tifffile
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from PIL import Image

from unet_edu import _bands
from unet_edu._bands import bands
from unet_edu.data.writing import write_png, write_tiff

SHAPES = st.tuples(st.integers(1, 20), st.integers(1, 20))


def parts(pixels: np.ndarray, rows: int) -> list[np.ndarray]:
    return [pixels[top : top + rows] for top in range(0, len(pixels), rows)]


def as_pillow_reads(file: io.BytesIO) -> Image.Image:
    picture = Image.open(file)
    picture.load()  # which compares checksums
    return picture


@given(arrays.arrays(np.uint8, SHAPES | st.tuples(*[st.integers(1, 20)] * 2, st.just(3))), st.integers(1, 21))
def test_a_png_holds_what_was_written(pixels, rows):
    file = io.BytesIO()
    write_png(file, pixels.shape, parts(pixels, rows))
    picture = as_pillow_reads(file)
    assert picture.mode == ("L" if pixels.ndim == 2 else "RGB")
    np.testing.assert_array_equal(np.array(picture), pixels)


@given(st.integers(1, 256), st.data())
def test_a_palette_gives_colours_to_numbers(number, data):
    palette = np.random.default_rng(number).integers(0, 256, (number, 3)).astype(np.uint8)
    pixels = data.draw(arrays.arrays(np.uint8, SHAPES, elements=st.integers(0, number - 1)))
    file = io.BytesIO()
    write_png(file, pixels.shape, [pixels], palette)
    picture = as_pillow_reads(file)
    np.testing.assert_array_equal(np.array(picture), pixels)
    np.testing.assert_array_equal(np.array(picture.convert("RGB")), palette[pixels])


@pytest.mark.parametrize(("dtype", "largest"), [(np.uint16, 2**16 - 1), (np.int32, 2**31 - 1)])
@pytest.mark.parametrize("shape", [(1, 1), (1, 300), (300, 1), (37, 53)])
def test_a_tiff_holds_what_was_written(tmp_path, monkeypatch, dtype, largest, shape):
    monkeypatch.setattr(_bands, "PIXELS", 200)
    pixels = np.random.default_rng(0).integers(0, largest, shape, dtype=np.int32, endpoint=True)
    with open(tmp_path / "a.tif", "xb") as file:
        write_tiff(file, pixels, dtype)
    for found in (tifffile.imread(tmp_path / "a.tif"), np.array(Image.open(tmp_path / "a.tif"))):
        assert found.dtype == dtype
        np.testing.assert_array_equal(found, pixels)


@given(SHAPES, st.integers(1, 30), st.integers(1, 30))
def test_bands_cover_the_picture_once(shape, pixels, least):
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(_bands, "PIXELS", pixels)
        found = list(bands(shape, least))
    assert [row for band in found for row in range(shape[0])[band]] == list(range(shape[0]))
    heights = [band.stop - band.start for band in found]
    assert all(height == heights[0] for height in heights[:-1])
    assert len(heights) == 1 or heights[0] >= least
    assert heights[0] <= max(least, pixels // shape[1], 1)
