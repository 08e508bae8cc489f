"""Pictures as people bring them: what comes out is right, or a sentence says what the file holds. Never silently wrong.

The first part draws files of every kind that four libraries can write, works out what must come of each, and compares
with the readers of tifffile and scikit-image. The others look at labels, at what a network sees, at damage, and at rare
kinds one by one.
"""

from __future__ import annotations

import functools
import io
import itertools
import os
import re
import struct
import subprocess
import sys
import warnings
import zlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import imagecodecs
import imageio.v3 as imageio
import numpy as np
import pytest
import skimage.color
import skimage.io
import tifffile
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from unet_edu import _bands
from unet_edu.data import pictures, seen
from unet_edu.data.files import DataError
from unet_edu.data.pictures import DataWarning, is_picture, read_image, read_labels
from unet_edu.data.seen import Seen, limits

# ---------------------------------------------------------------------------------------------------- writers made here

ADAM7 = ((0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2), (1, 0, 2, 1))
PNG_COLOURS = {"grey": 0, "colour": 2, "palette": 3, "grey + alpha": 4, "colour + alpha": 6}


def png_chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def png_rows(samples: np.ndarray, bits: int) -> bytes:
    """(H, W, S) numbers, each row packed and after a 0, which says that it is not filtered."""
    H, W, S = samples.shape
    if not H * W:
        return b""
    numbers = samples.reshape(H, W * S)
    ones = (numbers[..., None] >> np.arange(bits)[::-1]) & 1
    rows = np.packbits(ones.reshape(H, -1).astype(np.uint8), axis=1)
    return np.insert(rows, 0, 0, axis=1).tobytes()


def png_file(samples: np.ndarray, bits: int, colour: str, interlaced: bool = False, **chunks: bytes) -> bytes:
    """A PNG of (H, W, S) numbers. Pillow writes no interlaced ones, no colours of 16 bits, no grey of 2 and 4."""
    H, W, _ = samples.shape
    passes = ADAM7 if interlaced else ((0, 0, 1, 1),)
    rows = b"".join(png_rows(samples[y::down, x::right], bits) for y, x, down, right in passes)
    head = struct.pack(">IIBBBBB", W, H, bits, PNG_COLOURS[colour], 0, 0, interlaced)
    body = [("IHDR", head), *chunks.items(), ("IDAT", zlib.compress(rows)), ("IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(png_chunk(name.encode(), content) for name, content in body)


def short(number: int) -> bytes:
    return struct.pack("<HH", number, 0)


def tiff_file(width: int, height: int, bits: int, data: bytes, **tags: int) -> bytes:
    """The smallest TIFF that says what is asked for. A tag is called t and its number; 0 leaves it out."""
    values = {256: width, 257: height, 258: bits, 259: 1, 262: 1, 273: 8, 277: 1, 278: height, 279: len(data)}
    values |= {int(name[1:]): value for name, value in tags.items()}
    entries = [struct.pack("<HHI", tag, 3, 1) + short(value) for tag, value in sorted(values.items()) if value]
    return (
        b"II*\0"
        + struct.pack("<I", 8 + len(data))
        + data
        + struct.pack("<H", len(entries))
        + b"".join(entries)
        + bytes(4)
    )


def exif(orientation: int) -> Image.Exif:
    note = Image.Exif()
    note[274] = orientation
    return note


def written(write: Callable[..., object], *args: Any, **options: Any) -> bytes:
    """What a library writes, as bytes."""
    file = io.BytesIO()
    write(file, *args, **options)
    return file.getvalue()


def tif(array: np.ndarray, **options: Any) -> bytes:
    return written(tifffile.imwrite, array, **options)


def pil(array: np.ndarray | Image.Image, format: str, **options: Any) -> bytes:
    picture = array if isinstance(array, Image.Image) else Image.fromarray(array)
    return written(picture.save, format=format, **options)


def with_palette(numbers: np.ndarray, palette: np.ndarray) -> Image.Image:
    picture = Image.fromarray(numbers.astype(np.uint8))
    picture.putpalette(palette.astype(np.uint8).ravel().tolist())
    return picture


# -------------------------------------------------------------------------------------------------------- what is drawn


class Case(NamedTuple):
    """A file, what is known of it, and why it must be refused."""

    kind: dict[str, str]
    content: bytes
    ending: str
    """By which the reader that is compared with knows what it is."""
    shape: tuple[int, int, int]
    """The planes of grey or colour that must come out, and their size."""
    is_planar: bool = False
    image: frozenset[str] = frozenset()
    """Why `read_image` must refuse it: keys of REASONS."""
    labels: frozenset[str] = frozenset()
    """Why `read_labels` must, apart from the numbers themselves."""
    numbers: np.ndarray | None = None
    """The labels, where they are not the picture."""


REASONS = {
    "pages": "expected one (page|picture), got [23]",
    "alpha": "is transparent in some places and not in others",
    "channels": r"expected one channel \(grey\) or three \(red, green, blue\), got [24]",
    "palette": "programs differ in which of the two is the picture",
    "background": "it is not clear which number is the background",
    "not finite": "NaN or infinite pixels",
    "kind": "its colours are of the kind (CMYK|SEPARATED|YCBCR|CIELAB|ICCLAB)",
    "16 bits": "colours or transparency of 16 bits, of which 8 would be lost",
    "lossy": "labels must be kept exactly",
    "few bits": "has [24] bits a pixel",
    "colours": "expected one number a pixel, got 3 colours",
    "fractions": "expected whole numbers, got fractions",
    "beyond": "expected numbers below 2147483648",
}

GREYS = np.repeat(np.arange(256), 3).reshape(256, 3)


def colours(first: tuple[int, int, int]) -> np.ndarray:
    table = np.random.default_rng(1).permuted(GREYS, axis=0)
    table[0] = first
    return table


PALETTES = {
    "palette, greys": GREYS,
    "palette, white first": GREYS[::-1],
    "palette, black first": colours((0, 0, 0)),
    "palette, red first": colours((200, 0, 0)),
    "palette, 8 bits in 16": colours((9, 9, 8)),  # as careless programs write it into a TIFF: all is nearly black
}
WITHOUT_BACKGROUND = ("palette, white first", "palette, red first", "palette, 8 bits in 16")
DTYPES = (
    "bool",
    *(f"{kind}{bits}" for kind in ("uint", "int") for bits in (8, 16, 32, 64)),
    "float16",
    "float32",
    "float64",
)
STYLES = ("noise", "noise", "few", "few", "few", "constant", "equal colours", "NaN", "infinity")
SIZES = ((9, 14), (9, 14), (17, 33), (1, 1), (1, 6), (5, 1))


class Draw:
    """Chooses, and notes what was chosen."""

    def __init__(self, folder: Path) -> None:
        self.rng = np.random.default_rng(0)
        self.folder = folder
        self.kind: dict[str, str] = {}
        self.decks: dict[tuple[str, str, str], list[Any]] = {}

    def __call__(self, axis: str, values: Iterable[Any], beside: str = "") -> Any:
        """From a deck of cards, shuffled anew when empty. So chance leaves nothing out, whatever others have."""
        values = list(values)
        cards = self.decks.setdefault((axis, str(values), self.kind.get(beside, "")), [])
        if not cards:
            cards.extend(values[index] for index in self.rng.permutation(len(values)))
        value = cards.pop()
        self.kind[axis] = str(value)
        return value

    def pixels(self, dtype: str, shape: tuple[int, ...], style: str) -> np.ndarray:
        """Planes last. Whole numbers use all that their type holds, or are few, as labels are."""
        rng, of_type = self.rng, np.dtype(dtype)
        if style == "constant":
            return np.full(shape, rng.integers(2), of_type)
        if style in ("few", "equal colours"):
            few = rng.integers(0, 2 if dtype == "bool" else 6, shape)
            return (few[..., :1] * np.ones(few.shape[-1], int) if style == "equal colours" else few).astype(of_type)
        if of_type.kind == "f":
            noise = rng.normal(0, 1000, shape)
            noise[..., 0].flat[rng.integers(noise[..., 0].size)] = {"NaN": np.nan, "infinity": np.inf}.get(style, 0.5)
            return noise.astype(of_type)
        if dtype == "bool":
            return rng.random(shape) < 0.5
        return np.frombuffer(rng.bytes(int(np.prod(shape)) * of_type.itemsize), of_type).reshape(shape)

    def alpha(self, pixels: np.ndarray, what: str) -> None:
        """Make the last plane transparency, and note how it came out."""
        most = 1 if pixels.dtype.kind in "bf" else np.iinfo(pixels.dtype).max
        pixels[..., -1] = most
        if what == "varying":
            pixels[: (len(pixels) + 1) // 2, ..., -1] = 0
        varies = pixels[..., -1].min() != pixels[..., -1].max()
        self.kind["alpha"] = what if what == "unspecified" or varies else "opaque"


def draw_tiff(draw: Draw) -> Case:
    """By tifffile, whose options are many."""
    draw("writer", ["tifffile"])
    photometric = draw("photometric", ["minisblack"] * 6 + ["miniswhite", "rgb", "rgb", "rgb", *PALETTES])
    has_palette = photometric in PALETTES
    dtype = draw("dtype", ["uint8", "uint16"] if has_palette else [*DTYPES, "uint8", "uint8"])
    channels = draw("channels", [1] if has_palette else [1, 1, 2, 3] if photometric != "rgb" else [3, 3, 4], "dtype")
    orders = ["planar", "interleaved"] if channels > 1 else ["interleaved"]
    orders = orders[:1] if dtype == "bool" else orders  # bits of several channels tifffile itself writes wrongly
    is_planar = draw("planes", orders, "dtype") == "planar"
    H, W = draw("size", SIZES)
    style = draw("style", STYLES[:-2] if np.dtype(dtype).kind != "f" else STYLES)
    pixels = draw.pixels(dtype, (H, W, channels), style).copy()
    options: dict[str, Any] = {}
    if channels in (2, 4):
        what = draw("alpha", ["opaque", "opaque", "varying", "unspecified"])
        draw.alpha(pixels, what)
        options["extrasamples"] = [0 if what == "unspecified" else draw.rng.integers(1, 3)]
    elif channels == 3 and photometric != "rgb":
        options["extrasamples"] = [0, 0]
    array = np.moveaxis(pixels, -1, 0) if is_planar else pixels
    if channels == 1:
        array = _form(draw, pixels, photometric)
    if has_palette:
        palette = _tiff_palette(PALETTES[photometric], photometric, np.iinfo(dtype).max + 1)
        options["colormap"] = palette.T.astype(np.uint16)
    compressions = ["none", "none", "zlib", "lzw", "packbits", "lzma", "zstd"]
    can_be_jpeg = dtype == "uint8" and not has_palette and channels in (1, 3)
    compression = draw("compression", [*compressions, *["jpeg"] * 3] if can_be_jpeg else compressions, "dtype")
    can_predict = compression in ("zlib", "lzw", "lzma", "zstd") and dtype != "bool"
    layouts: dict[str, dict[str, Any]] = {"one strip": {}, "strips": {"rowsperstrip": 3}, "tiles": {"tile": (16, 16)}}
    options |= layouts[draw("layout", layouts, "compression")]
    orientation = draw("orientation", ["none", *range(1, 9)])
    if orientation != "none":
        options["extratags"] = [(274, "H", 1, orientation, True)]
    pages, array = _pages(draw, array, dtype, channels, options)
    content = tif(
        array,
        photometric="palette" if has_palette else None if draw.kind.get("form") == "(H, W, 1)" else photometric,
        planarconfig=None if channels == 1 else "separate" if is_planar else "contig",
        compression=None if compression == "none" else compression,
        predictor=can_predict and draw("predictor", [False, True], "dtype"),
        **options,
    )
    return _tiff_case(draw, content, (H, W, channels), is_planar, pages, style)


def _form(draw: Draw, pixels: np.ndarray, photometric: str) -> np.ndarray:
    """The shape of an array of one channel, as it is given to the writer."""
    forms = {"(H, W)": pixels[..., 0], "(1, H, W)": pixels[None, ..., 0], "(H, W, 1)": pixels}
    names = list(forms)[: 3 if photometric == "minisblack" else 2]
    if min(pixels.shape[:2]) == 1:  # of lengths of 1, tifffile may take each for each
        names = names[:1]
    return forms[draw("form", ["(H, W)", "(H, W)", *names])]


def _tiff_palette(palette: np.ndarray, name: str, colours: int) -> np.ndarray:
    """(colours, 3) of 16 bits."""
    long = palette[np.arange(colours) * 256 // colours] if colours > 256 else palette
    if name == "palette, greys" and colours > 256:
        return np.repeat(np.arange(colours), 3).reshape(-1, 3)
    return long if name == "palette, 8 bits in 16" else long * 257


DESCRIPTIONS: dict[str, dict[str, Any]] = {
    "plain": {"metadata": None},
    "shaped": {},
    "shaped, of one page": {"truncate": True},  # three planes behind the description of one
    "ImageJ": {"imagej": True},
    "OME": {"ome": True},
}


def _pages(
    draw: Draw, array: np.ndarray, dtype: str, channels: int, options: dict[str, Any]
) -> tuple[bool, np.ndarray]:
    """Mostly one page, by one of the ways to describe it; now and then several."""
    is_plain = channels == 1 and draw.kind["photometric"] == "minisblack" and draw.kind["form"] == "(H, W)"
    ways = ["plain", "plain", "shaped"] if draw.kind.get("form") != "(H, W, 1)" else ["shaped"]
    if is_plain:
        ways += ["ImageJ"] * 2 * (dtype in ("uint8", "uint16", "float32"))
        ways += ["OME"] * (dtype not in ("float16", "int64", "uint64"))
        can_hide = draw.kind["compression"] == "none" and draw.kind["layout"] != "tiles" and dtype != "bool"
        ways = ["plain", "shaped, of one page"] if can_hide and min(array.shape) > 1 else ways
    way = draw("description", ways)
    options |= DESCRIPTIONS[way]
    if way != "ImageJ":
        options["bigtiff"] = draw("big", [False, False, True], "dtype")
        options["byteorder"] = draw("bytes", ["<", ">"], "dtype")
    pages = 1
    if is_plain and min(array.shape) > 1:
        pages = draw("pages", [1, 1, 1, 1, 3] if way != "shaped, of one page" else [3], "description")
    return pages > 1, array if pages == 1 else np.stack([array] * pages)


def _tiff_case(
    draw: Draw, content: bytes, size: tuple[int, int, int], is_planar: bool, several: bool, style: str
) -> Case:
    kind, (H, W, channels) = draw.kind, size
    shared = {"pages"} if several else set()
    shared |= {"alpha"} if kind.get("alpha") == "varying" else set()
    shared |= {"channels"} if kind.get("alpha") == "unspecified" else set()
    image, labels = set(shared), set(shared)
    image |= {"not finite"} if style in ("NaN", "infinity") else set()
    image |= {"palette"} if kind["photometric"] in PALETTES and kind["photometric"] != "palette, greys" else set()
    labels |= {"lossy"} if kind["compression"] == "jpeg" else set()
    labels |= {"background"} if kind["photometric"] in WITHOUT_BACKGROUND else set()
    shape = (3 if channels > 2 else 1, H, W)
    return Case(kind, content, ".tif", shape, is_planar, frozenset(image), frozenset(labels))


def draw_tiff_of_others(draw: Draw) -> Case:
    """By Pillow, which knows other colours and facsimile; or by imageio and scikit-image."""
    writer = draw("writer", ["Pillow", "Pillow", "Pillow", "imageio", "scikit-image"])
    H, W = draw("size", SIZES)
    style = draw("style", STYLES[:-2])
    if writer != "Pillow":
        channels = draw("channels", [1, 3])
        dtype = draw("dtype", DTYPES[1:] if channels == 1 else ("uint8", "uint16"))
        pixels = draw.pixels(dtype, (H, W, channels), style)
        array = pixels if channels == 3 else pixels[..., 0]
        draw.kind |= {"photometric": "rgb" if channels == 3 else "minisblack", "compression": "none"}
        write = imageio.imwrite if writer == "imageio" else functools.partial(skimage.io.imsave, check_contrast=False)
        path = draw.folder / "written.tif"
        write(path, array)
        return _tiff_case(draw, path.read_bytes(), (H, W, channels), False, False, style)
    modes = {"1": "bool", "L": "uint8", "LA": "uint8", "I;16": "uint16", "I": "int32", "F": "float32", "RGB": "uint8"}
    modes |= dict.fromkeys(("RGBA", "P", "CMYK", "YCbCr", "LAB"), "uint8")
    mode = draw("mode", modes)
    channels = len(Image.new(mode, (1, 1)).getbands())
    dtype = draw("dtype", [modes[mode]])
    pixels = draw.pixels(dtype, (H, W, channels), style).copy()
    if mode in ("LA", "RGBA"):
        draw.alpha(pixels, draw("alpha", ["opaque", "varying"]))
    picture = Image.fromarray(pixels[..., 0]) if channels == 1 else Image.frombytes(mode, (W, H), pixels.tobytes())
    photometric = {"P": "", "RGB": "rgb", "RGBA": "rgb"}.get(mode, "minisblack")
    if mode == "P":
        photometric = draw("palette", [name for name in PALETTES if "16" not in name])
        picture = with_palette(pixels[..., 0], PALETTES[photometric])
    draw.kind |= {"photometric": photometric, "channels": str(channels)}
    options = {"exif": exif(draw("orientation", range(1, 9)))}
    compressions = ["raw", "tiff_lzw", "tiff_adobe_deflate", "packbits"]
    compressions += ["group3", "group4", "tiff_ccitt"] * (mode == "1") + ["jpeg"] * (mode in ("L", "RGB"))
    compression = draw("compression", compressions)
    case = _tiff_case(
        draw, pil(picture, "TIFF", compression=compression, **options), (H, W, channels), False, False, style
    )
    if mode in ("CMYK", "YCbCr", "LAB"):
        return case._replace(image=frozenset({"kind"}), labels=frozenset({"kind"}))
    return case


def draw_png(draw: Draw) -> Case:
    """By hand, as no library writes all kinds."""
    draw("writer", ["by hand"])
    colour = draw("photometric", PNG_COLOURS)
    bits = draw("bits", {"grey": (1, 2, 4, 8, 16), "palette": (1, 2, 4, 8)}.get(colour, (8, 8, 8, 16)))
    H, W = draw("size", SIZES)
    style = draw("style", ["noise", "few", "few", "constant", "equal colours"])
    S = {"grey": 1, "palette": 1, "grey + alpha": 2, "colour": 3, "colour + alpha": 4}[colour]
    dtype = draw("dtype", ["uint16" if bits == 16 else "uint8"])
    pixels = draw.pixels(dtype, (H, W, S), style) & (2**bits - 1)
    chunks = _palette_chunk(draw, bits) if colour == "palette" else {}
    if "alpha" in colour:
        draw.alpha(pixels, draw("alpha", ["opaque", "opaque", "varying"]))
    elif draw("tRNS", ["none", "none", "one", "unused"]) != "none":
        chunks["tRNS"] = _transparency(draw, pixels, colour, bits, draw.kind["tRNS"])
    orientation = draw("orientation", ["none", *range(1, 9)])
    if orientation != "none":
        chunks["eXIf"] = exif(orientation).tobytes()[6:]
    content = png_file(pixels.astype(int), bits, colour, draw("interlaced", [False, True], "bits"), **chunks)
    return _png_case(draw, content, pixels, bits, chunks)


def _palette_chunk(draw: Draw, bits: int) -> dict[str, bytes]:
    name = draw("palette", [name for name in PALETTES if "16" not in name])
    spread = np.arange(2**bits) * 255 // (2**bits - 1)
    return {"PLTE": PALETTES[name][spread].astype(np.uint8).tobytes()}


def _transparency(draw: Draw, pixels: np.ndarray, colour: str, bits: int, which: str) -> bytes:
    """One number or colour that is transparent: that of the first pixel, or one that the picture lacks."""
    used = [tuple(pixel) for pixel in pixels.reshape(-1, pixels.shape[-1]).tolist()]
    every = itertools.product(range(2**bits), repeat=pixels.shape[-1])
    key = used[0] if which == "one" else next((key for key in every if key not in used), used[0])
    transparent = (pixels == key).all(-1)
    draw.kind["alpha"] = "varying" if transparent.any() and not transparent.all() else "opaque"
    if colour == "palette":
        return bytes([255] * key[0] + [0])
    return struct.pack(f">{len(key)}H", *key)


def _png_case(draw: Draw, content: bytes, pixels: np.ndarray, bits: int, chunks: dict[str, bytes]) -> Case:
    colour, (H, W) = draw.kind["photometric"], pixels.shape[:2]
    image = {"alpha"} if draw.kind.get("alpha") == "varying" else set()
    image |= {"16 bits"} if bits == 16 and colour != "grey" else set()
    labels, numbers = set(image), None
    labels |= {"few bits"} if bits in (2, 4) and colour == "grey" else set()
    if colour == "palette":
        palette = np.frombuffer(chunks["PLTE"], np.uint8).reshape(-1, 3)
        is_grey = (palette == palette[:, :1]).all()
        numbers = palette[pixels[..., 0], 0] if is_grey else pixels[..., 0]
        labels = set() if is_grey or not palette[0].any() else {"background"}
    planes = 3 if colour in ("palette", "colour", "colour + alpha") else 1
    return Case(draw.kind, content, ".png", (planes, H, W), False, frozenset(image), frozenset(labels), numbers)


def draw_png_of_others(draw: Draw) -> Case:
    writer = draw("writer", ["Pillow", "imageio", "scikit-image"])
    colour = draw("photometric", ["grey", "colour", "colour + alpha"])
    dtypes = ["uint8", "uint16"] + ["bool"] * (writer != "scikit-image")  # which makes bytes of bits
    dtype = draw("dtype", dtypes if colour == "grey" else ["uint8"])
    H, W = draw("size", SIZES)
    style = draw("style", ["noise", "few", "constant", "equal colours"])
    pixels = draw.pixels(dtype, (H, W, {"grey": 1, "colour": 3, "colour + alpha": 4}[colour]), style).copy()
    if "alpha" in colour:
        draw.alpha(pixels, draw("alpha", ["opaque", "varying"]))
    array = pixels if colour != "grey" else pixels[..., 0]
    if writer == "Pillow":
        content = pil(array, "PNG", exif=exif(draw("orientation", range(1, 9))))
    elif writer == "imageio":
        content = written(imageio.imwrite, array, extension=".png")
    else:
        path = draw.folder / "written.png"
        skimage.io.imsave(path, array, check_contrast=False)
        content = path.read_bytes()
    return _png_case(draw, content, pixels, content[24], {})


def draw_jpeg(draw: Draw) -> Case:
    draw("compression", ["jpeg"])
    writer = draw("writer", ["Pillow", "Pillow", "Pillow", "imageio"])
    mode = draw("mode", ["L", "RGB", "CMYK"] if writer == "Pillow" else ["L", "RGB"])
    H, W = draw("size", SIZES)
    pixels = draw.pixels("uint8", (H, W, len(mode) if mode != "L" else 1), draw("style", ["noise", "few", "constant"]))
    array = pixels if mode != "L" else pixels[..., 0]
    picture = Image.frombytes(mode, (W, H), array.tobytes())
    if writer == "imageio":
        content = written(imageio.imwrite, array, extension=".jpg")
    else:
        options = {"progressive": draw("progressive", [False, True]), "exif": exif(draw("orientation", range(1, 9)))}
        content = pil(picture, "JPEG", **options)
    refused = {"kind"} if mode == "CMYK" else set()
    shape = (1 if mode == "L" else 3, H, W)
    return Case(draw.kind, content, ".jpg", shape, False, frozenset(refused), frozenset(refused | {"lossy"}))


NUMBERS_OF_DRAWN = {draw_tiff: 1000, draw_tiff_of_others: 260, draw_png: 400, draw_png_of_others: 80, draw_jpeg: 60}


CANNOT_WRITE = (ValueError, TypeError, KeyError, NotImplementedError, struct.error, RuntimeError)


def cases(folder: Path) -> Iterator[Case | None]:
    """None where the writer cannot write what was drawn."""
    draw = Draw(folder)
    for draw_kind in (kind for kind, number in NUMBERS_OF_DRAWN.items() for _ in range(number)):
        draw.kind = {}
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of the writers
                case = draw_kind(draw)
        except CANNOT_WRITE:
            yield None
            continue
        draw.kind["format"] = case.ending
        draw("name", [*[case.ending] * 4, ".png", ".tif", ".jpg", ".txt", ""], beside="format")
        yield case


# ------------------------------------------------------------------------------------------------- what must come of it


def outcome(path: Path, read: Callable[..., np.ndarray], orientation: str) -> np.ndarray | str:
    """The picture, or the refusal. Nobody but this package says anything, and only about the orientation."""
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        try:
            result = read(path)
        except DataError as error:
            assert str(error).startswith(f"{path}: "), f"does not name the file first: {error}"
            return str(error).removeprefix(f"{path}: ")
    assert [warning.category for warning in said] == [DataWarning] * (orientation not in ("none", "1"))
    assert all(str(w.message).startswith(f"{path}: ") and f"orientation {orientation}" in str(w.message) for w in said)
    return result


def expected_image(case: Case, path: Path) -> np.ndarray:
    """As the other library reads it: channels to the front, without what is the same everywhere and transparent."""
    reference = tifffile.imread(path) if case.ending == ".tif" else skimage.io.imread(path)
    planes, H, W = case.shape
    reference = reference.reshape((-1, H, W) if case.is_planar else (H, W, -1))
    return (reference if case.is_planar else np.moveaxis(reference, -1, 0))[:planes]


def expected_labels(case: Case, image: np.ndarray) -> np.ndarray | set[str]:
    """The numbers, or why they are no labels."""
    if case.numbers is not None:
        return case.numbers
    if len(image) == 3 and not (image == image[:1]).all():
        return {"colours"}
    numbers = image[0]
    if numbers.dtype.kind == "f" and not np.array_equal(numbers, np.floor(numbers)):
        return {"fractions"}
    if any(not -(2**31) <= float(number) < 2**31 for number in (numbers.min(), numbers.max())):
        return {"beyond"}
    return numbers


def judge(case: Case, got: np.ndarray | str, expected: np.ndarray, reasons: Iterable[str]) -> bool:
    """Whether it was read: rightly, or it must have been refused, for one of the reasons."""
    if reasons:
        assert isinstance(got, str), f"was read, though {reasons}: {case.kind}"
        fits = any(re.search(REASONS[reason], got) for reason in reasons)
        assert fits, f"is refused for another reason than {reasons}: {got}; {case.kind}"
        return False
    assert not isinstance(got, str), f"is refused: {got}; {case.kind}"
    assert got.shape == (expected.shape if len(expected) == 3 else expected.shape[-2:]), case.kind
    np.testing.assert_array_equal(got.reshape(expected.shape), expected, err_msg=str(case.kind))
    assert got.dtype == expected.dtype.newbyteorder("="), case.kind
    return True


MUST_BE_REFUSED = {
    ("image", "pages", "3"): "which of the pages is meant?",
    ("image", "description", "shaped, of one page"): "planes behind the description of one",
    ("image", "alpha", "varying"): "the picture may lie in the transparency",
    ("image", "alpha", "unspecified"): "two or four channels that nobody has named",
    ("image", "photometric", "palette, white first"): "numbers and greys, in a TIFF",
    ("image", "photometric", "palette, black first"): "numbers and colours, in a TIFF",
    ("image", "photometric", "palette, red first"): "numbers and colours, in a TIFF",
    ("image", "photometric", "palette, 8 bits in 16"): "numbers and colours, in a TIFF",
    ("image", "style", "NaN"): "a network makes NaN of everything",
    ("image", "style", "infinity"): "likewise",
    ("image", "mode", "CMYK"): "inks, not light",
    ("image", "mode", "YCbCr"): "not red, green and blue",
    ("image", "mode", "LAB"): "not red, green and blue",
    ("labels", "pages", "3"): "which of the pages is meant?",
    ("labels", "description", "shaped, of one page"): "planes behind the description of one",
    ("labels", "alpha", "unspecified"): "two or four channels that nobody has named",
    ("labels", "photometric", "palette, white first"): "which number is the background?",
    ("labels", "photometric", "palette, red first"): "which number is the background?",
    ("labels", "photometric", "palette, 8 bits in 16"): "which number is the background?",
    ("labels", "palette", "palette, red first"): "which number is the background?",
    ("labels", "style", "NaN"): "no whole number",
    ("labels", "style", "infinity"): "no whole number",
    ("labels", "compression", "jpeg"): "changes the numbers",
    ("labels", "format", ".jpg"): "changes the numbers",
    ("labels", "progressive", "False"): "only JPEG is so",
    ("labels", "progressive", "True"): "only JPEG is so",
    ("labels", "mode", "CMYK"): "inks",
    ("labels", "mode", "YCbCr"): "colours",
    ("labels", "mode", "LAB"): "colours",
}
"""Kinds of which nothing may be read, and why. Of every other kind that was drawn, something must be."""

AXES = {
    "writer": {"tifffile", "Pillow", "imageio", "scikit-image", "by hand"},
    "format": {".tif", ".png", ".jpg"},
    "dtype": set(DTYPES),
    "channels": {"1", "2", "3", "4"},
    "form": {"(H, W)", "(H, W, 1)", "(1, H, W)"},
    "planes": {"planar", "interleaved"},
    "alpha": {"opaque", "varying", "unspecified"},
    "photometric": {"minisblack", "miniswhite", "rgb", *PALETTES, *PNG_COLOURS},
    "palette": {name for name in PALETTES if "16" not in name},
    "compression": {"none", "zlib", "lzw", "packbits", "lzma", "zstd", "jpeg", "group3", "group4", "tiff_ccitt"}
    | {"raw", "tiff_lzw", "tiff_adobe_deflate"},
    "predictor": {"True", "False"},
    "bytes": {"<", ">"},
    "big": {"True", "False"},
    "layout": {"one strip", "strips", "tiles"},
    "description": {"plain", "shaped", "shaped, of one page", "ImageJ", "OME"},
    "pages": {"1", "3"},
    "orientation": {"none", *map(str, range(1, 9))},
    "style": set(STYLES),
    "size": set(map(str, SIZES)),
    "mode": {"1", "L", "LA", "I;16", "I", "F", "RGB", "RGBA", "P", "CMYK", "YCbCr", "LAB"},
    "bits": {"1", "2", "4", "8", "16"},
    "tRNS": {"none", "one", "unused"},
    "interlaced": {"True", "False"},
    "progressive": {"True", "False"},
    "name": {".tif", ".png", ".jpg", ".txt", ""},
}
TIFFFILE = ("none", "zlib", "lzw", "packbits", "lzma", "zstd")
PAIRS = {
    ("dtype", "compression"): set(itertools.product(DTYPES, TIFFFILE)) | {("bool", "group4"), ("uint8", "jpeg")},
    ("dtype", "bytes"): set(itertools.product(DTYPES, "<>")),
    ("dtype", "big"): set(itertools.product(DTYPES, ("False", "True"))),
    ("dtype", "channels"): set(itertools.product(DTYPES, "123")),
    ("dtype", "planes"): set(itertools.product(DTYPES, ("planar", "interleaved"))),
    ("compression", "layout"): set(itertools.product((*TIFFFILE, "jpeg"), ("one strip", "strips", "tiles"))),
    ("format", "orientation"): set(itertools.product((".tif", ".png", ".jpg"), "12345678")),
    ("format", "name"): set(itertools.product((".tif", ".png", ".jpg"), (".tif", ".png", ".jpg", ".txt", ""))),
    ("bits", "interlaced"): set(itertools.product(("1", "2", "4", "8", "16"), ("False", "True"))),
}
"""Of each of these pairs, a picture must have been read."""


def test_every_kind_of_file_is_read_as_others_read_it_or_refused_for_a_reason(tmp_path):
    """Which of the two must come of a file follows from what was drawn, and from nothing that the reader says."""
    seen: dict[str, Counter[tuple[str, str]]] = {what: Counter() for what in ("drawn", "image", "labels")}
    read: list[dict[str, str]] = []
    combinations = Counter(compare(case, tmp_path, seen, read) for case in cases(tmp_path))
    unwritable = combinations.pop("", 0)
    table = (
        f"{combinations.total()} files, {len(combinations)} combinations; {unwritable} more cannot be written\n"
        + "\n".join(
            f"{f'{axis}: {value}':42}drawn {n:4}, read as image {seen['image'][axis, value]:4}, as labels "
            f"{seen['labels'][axis, value]:4}"
            for (axis, value), n in sorted(seen["drawn"].items())
        )
    )
    print(table)
    drawn = {axis: {value for of_axis, value in seen["drawn"] if of_axis == axis} for axis in AXES}
    assert drawn == AXES and {axis for axis, _ in seen["drawn"]} == set(AXES), (
        f"other kinds were drawn than expected\n{table}"
    )
    for (axis, value), what in itertools.product(seen["drawn"], ("image", "labels")):
        was_refused = not seen[what][axis, value]
        assert was_refused == ((what, axis, value) in MUST_BE_REFUSED), f"{what}, {axis}: {value}\n{table}"
    for (a, b), expected in PAIRS.items():
        missing = expected - {(kind[a], kind[b]) for kind in read if a in kind and b in kind}
        assert not missing, f"{a} × {b}: never read: {sorted(missing)}\n{table}"


def compare(
    case: Case | None, folder: Path, seen: dict[str, Counter[tuple[str, str]]], read: list[dict[str, str]]
) -> str:
    """Look at one file, and count. The answer is its combination of kinds; empty where it could not be written."""
    if case is None:
        return ""
    path = folder / f"reference{case.ending}"
    path.write_bytes(case.content)
    planes = np.empty(0) if case.image and case.labels else expected_image(case, path)
    path = path.rename(folder / f"it{case.kind['name']}")
    seen["drawn"].update(case.kind.items())
    orientation = case.kind.get("orientation", "none")
    if judge(case, outcome(path, read_image, orientation), planes, case.image):
        seen["image"].update(case.kind.items())
        read.append(case.kind)
    numbers = set(case.labels) or expected_labels(case, planes)
    got = outcome(path, read_labels, orientation)
    if isinstance(numbers, set):
        judge(case, got, planes, numbers)
    elif judge(case, got, numbers[None].astype(np.int32), ()):
        seen["labels"].update(case.kind.items())
    return str(sorted(case.kind.items()))


# ------------------------------------------------------------------------------------------------------------ labels


CLASSES = np.array([[0, 2, 1], [1, 0, 2]], np.uint8)
COLOURS = np.array([[0, 0, 0], [255, 0, 0], [0, 255, 0]])


def save(path: Path, content: bytes | bytearray) -> Path:
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("format", ["PNG", "TIFF"])
def test_a_palette_of_colours_means_its_numbers_if_the_first_is_black(tmp_path, format):
    path = save(tmp_path / "it", pil(with_palette(CLASSES, COLOURS), format))
    np.testing.assert_array_equal(read_labels(path), CLASSES)
    assert read_labels(path).dtype == np.int32
    path = save(tmp_path / "it", pil(with_palette(CLASSES, COLOURS[::-1]), format))
    with pytest.raises(DataError, match="palette of colours, and the first of them is not black, .*; save the labels"):
        read_labels(path)


def test_a_palette_of_greys_means_its_greys_in_a_png(tmp_path):
    greys = np.array([[255] * 3, [0] * 3, [128] * 3])
    path = save(tmp_path / "it.png", pil(with_palette(CLASSES, greys), "PNG"))
    np.testing.assert_array_equal(read_labels(path), [[255, 128, 0], [0, 255, 128]])
    np.testing.assert_array_equal(read_labels(path), skimage.io.imread(path)[..., 0])


@pytest.mark.parametrize("key", [0, 1, b"\x00\x80\xff"])
def test_transparency_of_a_palette_changes_no_label(tmp_path, key):
    path = save(tmp_path / "it.png", pil(with_palette(CLASSES, COLOURS), "PNG", transparency=key))
    np.testing.assert_array_equal(read_labels(path), CLASSES)
    with pytest.raises(DataError, match="is transparent in some places"):
        read_image(path)


def test_a_palette_that_has_too_few_colours_is_damage(tmp_path):
    path = save(tmp_path / "it.png", png_file(CLASSES[..., None], 8, "palette", PLTE=bytes(6)))
    for read in (read_image, read_labels):
        with pytest.raises(DataError, match=r"its palette has 2 colours, and number 2 is used; get it again"):
            read(path)


@pytest.mark.parametrize("name", ["it.jpg", "it.png", "it.tif", "it"])
def test_labels_are_never_read_from_a_jpeg(tmp_path, name):
    for content in (pil(CLASSES, "JPEG"), tif(CLASSES, compression="jpeg"), pil(CLASSES, "TIFF", compression="jpeg")):
        with pytest.raises(DataError, match="labels must be kept exactly, and JPEG .*; save the labels as PNG or TIFF"):
            read_labels(save(tmp_path / name, content))


@pytest.mark.parametrize("bits", [1, 2, 4, 8, 16])
def test_labels_of_2_and_4_bits_in_a_png_are_read_in_two_ways(tmp_path, bits):
    labels = np.arange(min(2**bits, 300)).reshape(1, -1, 1)
    path = save(tmp_path / "it.png", png_file(labels, bits, "grey"))
    if bits in (2, 4):
        with pytest.raises(
            DataError, match=f"has {bits} bits a pixel, .* as 0 to {2**bits - 1} or spread over 0 to 255;"
        ):
            read_labels(path)
    else:
        np.testing.assert_array_equal(read_labels(path), labels[..., 0])


@pytest.mark.parametrize(
    ("labels", "complaint"),
    [
        (np.array([[0, 0.5]], np.float32), "expected whole numbers, got fractions"),
        (np.array([[0, np.nan]]), "expected whole numbers, got fractions"),
        (np.array([[0, np.inf]], np.float16), "expected numbers below 2147483648, got 0.0 to inf"),
        (
            np.array([[0, 2**31]], np.int64),
            "expected numbers below 2147483648, got 0 to 2147483648; number the cells anew",
        ),
        (np.array([[0, 2**31]], np.float32), "expected numbers below 2147483648"),
        (np.array([[0, 2**64 - 1]], np.uint64), "expected numbers below 2147483648, got 0 to 18446744073709551615"),
        (np.array([[0, -(2**31) - 1]], np.int64), "expected numbers below 2147483648, got -2147483649 to 0"),
        (np.array([[0, 1]], np.complex64), "expected whole numbers, got complex64"),
    ],
    ids=str,
)
def test_numbers_that_are_no_labels(tmp_path, labels, complaint):
    with pytest.raises(DataError, match=f"it.tif: {complaint}"):
        read_labels(save(tmp_path / "it.tif", tif(labels)))


@pytest.mark.parametrize("dtype", DTYPES)
def test_labels_are_the_stored_numbers_whatever_their_type(tmp_path, dtype):
    most = (
        1
        if dtype == "bool"
        else min(
            2048 if dtype == "float16" else 2**24, 2**31 - 1, int(np.iinfo(dtype).max) if "int" in dtype else 2**31
        )
    )
    labels = np.array([[0, 1, most]]).astype(dtype)
    np.testing.assert_array_equal(read_labels(save(tmp_path / "it.tif", tif(labels))), [[0, 1, most]])


def test_the_ends_of_32_bits_are_labels(tmp_path):
    ends = np.array([[-(2**31), 2**31 - 1]])
    np.testing.assert_array_equal(read_labels(save(tmp_path / "it.tif", tif(ends))), ends)


def test_equal_colours_are_grey_labels(tmp_path):
    grey = np.repeat(CLASSES[..., None], 3, axis=2)
    np.testing.assert_array_equal(read_labels(save(tmp_path / "it.png", pil(grey, "PNG"))), CLASSES)
    grey[1, 1, 2] += 1
    with pytest.raises(DataError, match="expected one number a pixel, got 3 colours; save the labels as grey values"):
        read_labels(save(tmp_path / "it.png", pil(grey, "PNG")))


# ------------------------------------------------------------------------------------------------- as a network sees it


def exact(image: np.ndarray) -> np.ndarray:
    """The picture in floats, counted from its least number on if it has whole ones: no digit is lost then."""
    if image.dtype.kind not in "iu":
        return image.astype(float)
    least = int(image.min())
    return np.array([int(number) - least for number in image.ravel()], float).reshape(image.shape)


def stretched(image: np.ndarray) -> np.ndarray:
    dark, bright = np.percentile(image, (1, 99))
    return np.clip((image - dark) / (bright - dark), 0, 1)


def noise(least: float, most: float, dtype: str, shape: tuple[int, ...] = (40, 50)) -> np.ndarray:
    """All numbers between two, whose difference may be far less than they are."""
    part = np.random.default_rng(0).random(shape) * float(most - least)
    return (np.array(least, dtype) + part.astype(dtype)).astype(dtype)


STRETCHED = {
    "bool": np.random.default_rng(0).random((40, 50)) < 0.5,
    "uint8": noise(3, 77, "uint8"),
    "int8": noise(-128, 0, "int8"),
    "uint16": noise(60000, 60100, "uint16"),
    "int16": noise(-500, 1000, "int16"),
    "uint32": noise(2**32 - 300, 2**32 - 1, "uint32"),
    "int32": noise(0, 255, "int32"),
    "int64 below 0": noise(-(2**62), -(2**62) + 100, "int64"),
    "uint64 of a narrow range": np.uint64(2**60) + np.random.default_rng(0).integers(0, 100, (40, 50), dtype=np.uint64),
    "int64 of the whole range": np.random.default_rng(0).integers(-(2**63), 2**63 - 1, (40, 50)),
    "uint64 of the whole range": np.random.default_rng(0).integers(0, 2**64 - 1, (40, 50), dtype=np.uint64),
    "float16": noise(-1, 1, "float16"),
    "float32": noise(-0.1, 0.3, "float32"),
    "float64": noise(-1e5, 1e5, "float64"),
    "tiny": noise(0, 1e-300, "float64"),
    "huge": noise(-1e300, 1e300, "float64"),
    "little on much": noise(1e9, 1e9 + 1e-3, "float64"),
    "big-endian": noise(0, 255, ">i4"),
    "big-endian of 64 bits": noise(2**60, 2**60 + 10000, ">u8"),
}


@pytest.mark.parametrize("image", STRETCHED.values(), ids=STRETCHED)
def test_the_darkest_and_brightest_percent_are_cut_off_whatever_the_numbers(image):
    seen = Seen(image, 1)
    block = seen[:]
    assert block.dtype == seen.dtype == np.float32 and seen.shape == image.shape
    np.testing.assert_allclose(block, stretched(exact(image)), atol=1e-6)
    if image.dtype.itemsize < 8:
        np.testing.assert_allclose(limits(image, 1), np.percentile(image.astype(float), (1, 99)), rtol=1e-12)


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "int64", "float32", "float64"])
def test_colours_are_made_grey_as_scikit_image_does(dtype):
    image = noise(0, 200, dtype, (3, 40, 50))
    grey = skimage.color.rgb2gray(np.moveaxis(image.astype(float), 0, -1))
    np.testing.assert_allclose(Seen(image, 1)[:], stretched(grey), atol=1e-6)
    np.testing.assert_allclose(Seen(image, 1, (0, 250))[:], grey / 250, atol=1e-6)
    np.testing.assert_allclose(limits(image, 1), np.percentile(grey, (1, 99)), rtol=1e-9)


def test_each_colour_is_stretched_by_itself():
    """So that the tint of a lamp or a camera is lost. An empty channel stays so, and is no reason for doubts."""
    image = noise(0, 200, "uint8", (3, 40, 50)) // np.array([1, 2, 4], np.uint8)[:, None, None]
    np.testing.assert_allclose(Seen(image, 3)[:], [stretched(plane.astype(float)) for plane in image], atol=1e-6)
    dark, bright = limits(image, 3)
    np.testing.assert_allclose((dark.ravel(), bright.ravel()), np.percentile(image, (1, 99), axis=(1, 2)))
    image[1] = 7
    seen_image = Seen(image, 3)[:]
    assert not seen_image[1].any() and seen_image[0].max() == seen_image[2].max() == 1


def test_grey_is_given_to_each_of_three_channels():
    image = noise(0, 200, "uint8")
    seen = Seen(image, 3)
    assert seen.shape == (3, 40, 50)
    np.testing.assert_allclose(seen[:], [stretched(image.astype(float))] * 3, atol=1e-6)


def test_a_network_of_other_channels_takes_no_pictures():
    with pytest.raises(DataError, match="it: the network takes 2 channels; pictures from files have one"):
        Seen(noise(0, 9, "uint8"), 2, name="it")


slices = st.slices(12)


@given(
    st.sampled_from([1, 3]),
    st.booleans(),
    st.sampled_from(["uint8", ">u2", "int64", "float32"]),
    slices,
    slices,
    st.slices(3),
)
@settings(max_examples=60)
def test_slices_are_parts_of_the_whole(channels, is_colour, dtype, rows, columns, planes):
    seen = Seen(noise(0, 99, dtype, (3, 12, 12) if is_colour else (12, 12)), channels)
    whole = seen[:]
    places = [(rows, columns), rows] if channels == 1 else [(planes, rows, columns), (planes, rows), planes]
    for place in (*places, (..., columns), (..., rows, columns), (rows, ...), 1, (..., 2), ...):
        np.testing.assert_array_equal(seen[place], whole[place])


@pytest.fixture
def all_are_large(monkeypatch):
    monkeypatch.setattr(pictures, "LARGE", 1)


@pytest.mark.usefixtures("all_are_large")
@pytest.mark.parametrize("byteorder", "<>")
@pytest.mark.parametrize("dtype", ["uint8", "uint16", "int64", "float32"])
@pytest.mark.parametrize("planarconfig", [None, "contig", "separate"])
def test_large_pictures_stay_on_the_disk(tmp_path, byteorder, dtype, planarconfig):
    image = noise(0, 120, dtype, (3, 21, 32) if planarconfig else (21, 32))
    array = np.moveaxis(image, 0, -1) if planarconfig == "contig" else image
    options = {"photometric": "rgb", "planarconfig": planarconfig} if planarconfig else {}
    for layout in ({}, {"rowsperstrip": 5}, {"bigtiff": True}):
        path = save(tmp_path / "it.tif", tif(array, byteorder=byteorder, **options, **layout))
        read = read_image(path)
        assert isinstance(read, np.memmap) and read.mode == "r"
        np.testing.assert_array_equal(read, image)
        for channels in (1, 3):
            seen, whole = Seen(read, channels), Seen(image, channels)
            np.testing.assert_array_equal(
                seen[..., 3:9, 4:] if channels == 1 else seen[:, 3:9, 4:], whole[:][..., 3:9, 4:]
            )
    if not planarconfig and dtype != "float32":
        np.testing.assert_array_equal(read_labels(path), image)


@pytest.mark.usefixtures("all_are_large")
@pytest.mark.parametrize(
    "options", [{"compression": "zlib"}, {"tile": (16, 16)}, {"predictor": True, "compression": "lzw"}]
)
def test_what_cannot_stay_on_the_disk_is_read(tmp_path, options):
    image = noise(0, 120, "uint16")
    read = read_image(save(tmp_path / "it.tif", tif(image, **options)))
    assert not isinstance(read, np.memmap)
    np.testing.assert_array_equal(read, image)


@pytest.mark.usefixtures("all_are_large")
def test_nan_is_found_in_pictures_that_stay_on_the_disk(tmp_path, monkeypatch):
    monkeypatch.setattr(_bands, "PIXELS", 100)
    image = noise(0, 1, "float32")
    image[-1, -1] = np.nan
    with pytest.raises(DataError, match="NaN or infinite"):
        read_image(save(tmp_path / "it.tif", tif(image)))


def test_of_large_pictures_a_sample_is_enough(monkeypatch):
    monkeypatch.setattr(seen, "SAMPLE", 5000)
    image = np.add.outer(np.arange(300), np.arange(200)).astype(np.uint16)
    assert limits(image, 1) == pytest.approx(np.percentile(image, (1, 99)), abs=5)
    assert Seen(image, 1).scale == limits(image, 1)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("channels", [1, 3])
def test_a_constant_picture_is_dark_and_named(dtype, channels):
    image = np.ones((7, 9), dtype)
    with pytest.warns(
        DataWarning, match=r"^cell\.tif: all its pixels are equal: it is constant; is it the right picture\?$"
    ):
        seen = Seen(image, channels, name="cell.tif")
    np.testing.assert_array_equal(seen[:], np.zeros(seen.shape))


@pytest.mark.parametrize("sample", [2**22, 500])
@pytest.mark.parametrize("dtype", ["uint8", "int64", "uint64", "float32"])
def test_a_sparse_picture_is_stretched_between_its_least_and_greatest(monkeypatch, sample, dtype):
    monkeypatch.setattr(seen, "SAMPLE", sample)
    monkeypatch.setattr(_bands, "PIXELS", sample)
    image = np.full((40, 50), 7, dtype)
    image[1, :5], image[3, :5] = 5, 15  # 99.5 of 100 are equal
    with pytest.warns(DataWarning, match=r"^cell\.tif: 98 of 100 of its pixels are equal; is it the right picture\?$"):
        stretched = Seen(image, 1, name="cell.tif")
    np.testing.assert_allclose(stretched[:], (image.astype(float) - 5) / 10, rtol=1e-6)


def test_limits_that_are_given_are_kept():
    image = noise(0, 255, "uint8")
    np.testing.assert_allclose(Seen(image, 1, (0, 255))[:], image / 255, atol=1e-6)
    np.testing.assert_allclose(Seen(image, 1, (50, 200))[:], np.clip((image - 50.0) / 150, 0, 1), atol=1e-6)


@pytest.mark.parametrize(
    "image",
    [noise(300, 4000, "uint16"), noise(-9, -1, "float32"), np.full((4, 5), 256, np.uint16)],
    ids=["above", "below", "equal"],
)
def test_a_picture_that_lies_outside_of_the_limits_is_refused(image):
    with pytest.raises(
        DataError,
        match=r"^it: holds numbers from .* to .*, most of them outside of 0 to 255, .*; bring the picture to the same "
        r"scale",
    ):
        Seen(image, 1, (0, 255), "it")


def test_numbers_that_cannot_be_divided_are_refused_and_nobody_else_complains():
    image = noise(-1, 1, "float64") * 1.7e308
    with pytest.raises(DataError, match="it: expected numbers of a usual size, got .*; divide them"):
        Seen(image, 1, name="it")


# ------------------------------------------------------------------------------------------------------------ damage


SMOOTH = np.add.outer(np.arange(6), 3 * np.arange(7)).astype(np.uint8)
COLOURED = np.random.default_rng(0).integers(0, 256, (6, 7, 3), dtype=np.uint8)
SOUND = {
    "PNG": pil(SMOOTH, "PNG"),
    "PNG of colours": pil(COLOURED, "PNG"),
    "PNG of a palette": pil(with_palette(CLASSES, COLOURS), "PNG"),
    "JPEG": pil(SMOOTH, "JPEG"),
    "progressive JPEG": pil(COLOURED, "JPEG", progressive=True),
    "TIFF": tif(SMOOTH, metadata=None),
    "big-endian TIFF": tif(SMOOTH.astype(">u2"), byteorder=">", metadata=None),
    "BigTIFF": tif(SMOOTH, bigtiff=True, metadata=None),
    "LZW TIFF": tif(SMOOTH, compression="lzw", rowsperstrip=2, metadata=None),
    "deflated TIFF": tif(SMOOTH.astype("f4"), compression="zlib", predictor=True, metadata=None),
    "TIFF of Pillow": pil(COLOURED, "TIFF", compression="tiff_adobe_deflate"),
    "PackBits TIFF": pil(SMOOTH, "TIFF", compression="packbits"),
}


def read_silently(path: Path, read: Callable[..., np.ndarray] = read_image) -> np.ndarray | str:
    """The picture or the refusal; nothing else is raised, and nobody warns."""
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        try:
            return read(path)
        except DataError as error:
            assert str(error).startswith(f"{path}: ") and "; " in str(error), error
            return str(error)
        finally:
            assert all(warning.category is DataWarning for warning in said), said[0]


@pytest.mark.parametrize("content", SOUND.values(), ids=SOUND)
def test_a_file_that_was_cut_is_never_read_wrongly(tmp_path, content, capfd, caplog):
    whole = read_image(save(tmp_path / "it", content))
    for length in range(len(content)):
        read = read_silently(save(tmp_path / "it", content[:length]))
        assert isinstance(read, str) or np.array_equal(read, whole), f"cut after {length} of {len(content)} bytes"
    assert capfd.readouterr() == ("", "") and not caplog.records


@pytest.mark.parametrize("name", [name for name in SOUND if "PNG" in name])
def test_a_png_with_a_wrong_byte_is_never_read_wrongly(tmp_path, name, capfd):
    """Each of its parts has a checksum."""
    content = SOUND[name]
    whole = read_image(save(tmp_path / "it", content))
    for place, bit in itertools.product(range(len(content)), (1, 16, 128)):
        wrong = bytearray(content)
        wrong[place] ^= bit
        read = read_silently(save(tmp_path / "it", wrong))
        assert isinstance(read, str) or np.array_equal(read, whole), f"byte {place} ^ {bit}"
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("name", [name for name in SOUND if "PNG" not in name])
def test_a_wrong_byte_makes_nothing_but_a_refusal_or_a_picture(tmp_path, name, capfd, caplog):
    """TIFF and JPEG have no checksums, so a wrong picture may come out; but no other error, and no other words."""
    rng = np.random.default_rng(0)
    content = SOUND[name]
    for place in range(len(content)):
        wrong = bytearray(content)
        wrong[place] ^= 1 << int(rng.integers(8))
        read_silently(save(tmp_path / "it", wrong), (read_image, read_labels)[place % 2])
    assert capfd.readouterr() == ("", "") and not caplog.records


def test_what_is_no_picture(tmp_path):
    for content, complaint in (
        (b"", "is empty; get it again"),
        (b"<html>Please log in", "neither PNG nor JPEG nor TIFF; .*get it"),
    ):
        for name in ("it.png", "it.tif", "it.jpg"):
            with pytest.raises(DataError, match=rf"{re.escape(name)}: .*{complaint}"):
                read_image(save(tmp_path / name, content))


def test_a_picture_that_would_fill_the_memory(tmp_path, monkeypatch):
    path = save(tmp_path / "it.png", SOUND["PNG"])
    with monkeypatch.context() as patched:
        patched.setattr(Image, "MAX_IMAGE_PIXELS", 20)
        with pytest.raises(DataError, match=r"it\.png: has more than 40 pixels; save it as TIFF without compression"):
            read_image(path)
        patched.setattr(Image, "MAX_IMAGE_PIXELS", 40)
        assert isinstance(read_silently(path), np.ndarray)
    monkeypatch.setattr(tifffile.TiffPage, "asarray", lambda page: np.empty(2**50))
    with pytest.raises(DataError, match=r"it\.tif: does not fit into the memory; save it as TIFF without compression"):
        read_image(save(tmp_path / "it.tif", SOUND["TIFF"]))


def test_without_imagecodecs_the_sentence_says_what_to_install(tmp_path):
    """And nothing is written to the screen, which only another process shows."""
    kinds = {"lzw": "LZW", "zstd": "ZSTD", "jpeg": "JPEG"}
    for compression in (*kinds, "zlib", "packbits", "none"):
        save(tmp_path / f"{compression}.tif", tif(SMOOTH, compression=None if compression == "none" else compression))
    save(tmp_path / "cut.tif", SOUND["TIFF of Pillow"][:-8])
    code = (
        "import sys\nsys.modules['imagecodecs'] = None\n"
        "from unet_edu.data.pictures import *\nfrom unet_edu.data.files import DataError\n"
        "for name in sys.argv[1:]:\n try:\n  print(read_image(name).sum())\n except DataError as error:\n  print(error)"
    )
    names = [*(f"{compression}.tif" for compression in kinds), "zlib.tif", "packbits.tif", "none.tif", "cut.tif"]
    run = subprocess.run(
        [sys.executable, "-c", code, *names], capture_output=True, text=True, cwd=tmp_path, check=False
    )
    lines = run.stdout.splitlines()
    for line, (compression, name) in zip(lines, kinds.items(), strict=False):
        assert line.startswith(
            f"{compression}.tif: is compressed in a way ({name}) that needs one more package: pip install --upgrade "
            "imagecodecs; or save"
        )
    assert lines[3:6] == [str(SMOOTH.sum())] * 3 and lines[6].startswith("cut.tif: cannot be read"), lines
    assert run.stderr == "" and len(lines) == 7


# ------------------------------------------------------------------------------------------------------------ names


@pytest.mark.parametrize(
    "name", [os.fsdecode(b"\xff.png"), "🔬 cell.png", "a b'\"%s{0}.png", "it.tar.gz", "line\nfeed"], ids=ascii
)
def test_names_of_every_kind(tmp_path, name):
    path = tmp_path / name
    np.testing.assert_array_equal(read_image(save(path, SOUND["PNG"])), SMOOTH)
    np.testing.assert_array_equal(read_labels(str(save(path, SOUND["TIFF"]))), SMOOTH)
    with pytest.raises(DataError) as refusal:
        read_image(save(path, b"none"))
    assert str(refusal.value).startswith(f"{path}: ")


@pytest.mark.parametrize("read", [read_image, read_labels])
def test_paths_that_lead_to_no_file(tmp_path, read):
    (tmp_path / "a.png").mkdir()
    (tmp_path / "b.png").symlink_to(tmp_path / "gone.png")
    for name, error in (
        ("a.png", IsADirectoryError),
        ("b.png", FileNotFoundError),
        ("c.png", FileNotFoundError),
        ("a.png/c.png", FileNotFoundError),
    ):
        with pytest.raises(error, match=name):
            read(tmp_path / name)


def test_which_files_are_pictures():
    assert all(is_picture(Path(name)) for name in ("a.png", "b.TIF", "c.tiff", "d.JPG", "e.jpeg", "f.b.png"))
    assert not any(is_picture(Path(name)) for name in ("._a.png", ".png", "g.gif", "h.png.part", "png", "i.tif.txt"))


# ----------------------------------------------------------------------------------------------------------- rare kinds


def several(*arrays: np.ndarray, first: dict[str, Any] | None = None, **options: Any) -> bytes:
    file = io.BytesIO()
    with tifffile.TiffWriter(file) as writer:
        for index, array in enumerate(arrays):
            writer.write(array, **((first or {}) if index == 0 else options))
    return file.getvalue()


def without(content: bytes, tag: int) -> bytes:
    """A TIFF whose tag has become another, of which nobody knows anything."""
    entry = struct.pack("<H", tag)
    place = content.index(entry, struct.unpack("<I", content[4:8])[0] + 2)
    return content[:place] + struct.pack("<H", 65000) + content[place + 2 :]


def sparse(content: bytes) -> bytes:
    """A TIFF whose first tile or strip is not there, as GDAL leaves out empty ones."""
    with tifffile.TiffFile(io.BytesIO(content)) as tiff:
        tags = [tiff.pages.first.tags[name].valueoffset for name in ("TileOffsets", "TileByteCounts")]
    hollow = bytearray(content)
    for place in tags:
        hollow[place : place + 4] = bytes(4)
    return bytes(hollow)


GREY = np.random.default_rng(4).integers(0, 256, (32, 32), dtype=np.uint8)
THREE = np.random.default_rng(5).integers(0, 256, (32, 32, 3), dtype=np.uint8)
PACKED = bytes(range(48))
READ = {
    "numbers of no format are whole": tiff_file(8, 2, 16, PACKED[:32], t339=4),
    "12 bits, packed": tiff_file(8, 4, 12, PACKED),
    "24 bits": tiff_file(8, 2, 24, PACKED),
    "floats of 24 bits": tiff_file(8, 2, 24, PACKED, t339=3),
    "bits in the other order": tiff_file(8, 6, 8, PACKED, t266=2),
    "4 bits": tiff_file(8, 12, 4, PACKED),
    "a pyramid in sub-pages": several(GREY, GREY[::2, ::2], first={"subifds": 1}, subfiletype=1),
    "4 axes of length 1": tif(GREY.reshape(1, 1, 32, 32)),
    "an orientation that there is not": tif(GREY, extratags=[(274, "H", 1, 9, True)]),
    "the orientation 0": tif(GREY, extratags=[(274, "H", 1, 0, True)]),
    "lossless in a way of cameras": tif(GREY, compression="jpeg2000"),
    "red, green and blue of floats": tif(THREE.astype(np.float32), photometric="rgb"),
}


@pytest.mark.parametrize("content", READ.values(), ids=READ)
@pytest.mark.parametrize("name", ["it.tif", "it.png"])
def test_rare_kinds_that_are_read_as_tifffile_reads_them(tmp_path, content, name):
    read = read_image(save(tmp_path / name, content))
    expected = tifffile.imread(io.BytesIO(content)).squeeze()
    np.testing.assert_array_equal(read, expected if expected.ndim == 2 else np.moveaxis(expected, -1, 0))
    assert read.dtype == expected.dtype


REFUSED = {
    "complex numbers": (tif(GREY.astype(np.complex64)), "expected real numbers, got complex64; save"),
    "complex whole numbers": (tiff_file(4, 3, 32, PACKED, t339=5), r"complex|cannot be read"),
    "whole numbers of 24 bits with a sign": (
        tiff_file(8, 2, 24, PACKED, t339=2),
        "numbers of 24 bits in the sample format 2",
    ),
    "floats of 8 bits": (tiff_file(8, 6, 8, PACKED, t339=3), "numbers of 8 bits in the sample format 3"),
    "a thumbnail first": (several(GREY[::4, ::4], GREY, first={"subfiletype": 1}), "expected one page, got 2"),
    "a thumbnail above the picture": (
        several(GREY[::4, ::4], GREY, first={"subifds": 1, "subfiletype": 1}),
        "begins with a small copy",
    ),
    "a tile that is not there": (
        sparse(tif(GREY, tile=(16, 16), compression="zlib")),
        "parts of the picture are missing",
    ),
    "a volume": (
        tif(np.zeros((4, 32, 32), np.uint8), volumetric=True, tile=(16, 16, 16), photometric="minisblack"),
        "axes ZYX",
    ),
    "fewer strips than rows": (tiff_file(8, 6, 8, PACKED, t278=3), "expected 2 strips or tiles, got 1"),
    "a palette that is not there": (tiff_file(8, 6, 8, PACKED, t262=3), "its palette is missing"),
    "alpha amid the channels": (tif(THREE, photometric="minisblack", extrasamples=[2, 0]), "transparency lies between"),
    "four colours without a word": (
        tif(np.dstack([THREE, GREY]), photometric="minisblack", extrasamples=[0] * 3),
        "got 4; save the channel",
    ),
    "the filter of a camera": (tif(GREY, photometric="cfa"), "its colours are of the kind CFA"),
    "inks": (tif(np.dstack([THREE, GREY]), photometric="separated"), "its colours are of the kind SEPARATED"),
    "a mask": (tif(GREY, photometric="mask"), "its colours are of the kind MASK"),
    "L*a*b*": (tif(THREE, photometric="cielab"), "its colours are of the kind CIELAB"),
    "a photometric that there is not": (tiff_file(8, 6, 8, PACKED, t262=999), "cannot be read as a picture .*999"),
    "a compression that there is not": (tiff_file(8, 6, 8, PACKED, t259=999), "cannot be read as a picture"),
    "no width": (without(tiff_file(8, 6, 8, PACKED), 256), "cannot be read as a picture|has no pixel"),
    "a JPEG of 12 bits": (imagecodecs.jpeg8_encode(GREY.astype(np.uint16), bitspersample=12), "unknown to Pillow"),
    "inks in a JPEG": (pil(Image.new("CMYK", (9, 9)), "JPEG"), "its colours are of the kind CMYK"),
    "two pictures in a JPEG": (
        pil(THREE, "MPO", save_all=True, append_images=[Image.fromarray(THREE)]),
        "expected one picture, got 2",
    ),
    "an animation": (
        pil(THREE, "PNG", save_all=True, append_images=[Image.fromarray(THREE[::-1])]),
        "expected one picture, got 2",
    ),
    "GIF": (pil(GREY, "GIF"), "neither PNG nor JPEG nor TIFF; .* save it as PNG or TIFF"),
    "BMP": (pil(GREY, "BMP"), "neither PNG nor JPEG nor TIFF"),
    "WebP": (pil(THREE, "WEBP"), "neither PNG nor JPEG nor TIFF"),
    "JPEG 2000": (pil(THREE, "JPEG2000"), "neither PNG nor JPEG nor TIFF"),
    "AVIF or such": (b"\0\0\0 ftypavif" + bytes(40), "neither PNG nor JPEG nor TIFF"),
    "no more than the beginning": (
        b"\x89PNG\r\n\x1a\n",
        "cannot be read as a picture .*; the file is damaged: get it again",
    ),
}


@pytest.mark.parametrize("name", ["it.png", "it.tif"])
@pytest.mark.parametrize(("content", "complaint"), REFUSED.values(), ids=REFUSED)
def test_rare_kinds_that_are_refused(tmp_path, content, complaint, name):
    said = read_silently(save(tmp_path / name, content))
    assert isinstance(said, str) and re.search(complaint, said), said
    assert isinstance(read_silently(tmp_path / name, read_labels), str)
    assert "MPO'" not in said and "_io." not in said, "words that mean nothing to the reader"


def test_labels_are_not_read_from_ways_to_compress_that_may_lose(tmp_path):
    for compression in ("jpeg2000", "jpegxl", "webp", "jpegxr", "lerc"):
        path = save(
            tmp_path / "it.tif", tif(np.repeat(GREY[..., None], 3, 2), photometric="rgb", compression=compression)
        )
        assert isinstance(read_image(path), np.ndarray)
        with pytest.raises(DataError, match="labels must be kept exactly"):
            read_labels(path)


def test_a_note_of_a_jpeg_that_is_damaged_is_nobodys_concern(tmp_path):
    path = save(tmp_path / "it.jpg", pil(THREE, "JPEG", exif=b"Exif\0\0II*\0garbage"))
    assert isinstance(read_silently(path), np.ndarray | str)


def test_a_jpeg_of_two_pictures_by_its_name_only_is_read(tmp_path):
    np.testing.assert_array_equal(
        read_image(save(tmp_path / "it.jpg", pil(THREE, "MPO"))),
        np.moveaxis(skimage.io.imread(save(tmp_path / "same.jpg", pil(THREE, "JPEG"))), -1, 0),
    )


@pytest.mark.parametrize(("bits", "key"), [(bits, key) for bits in (1, 2, 4, 8, 16) for key in (0, 1, 2**bits - 1)])
def test_grey_that_is_transparent_in_a_png_is_found_whatever_the_bits(tmp_path, bits, key):
    """Pillow spreads pixels of 2 and 4 bits over 0 to 255, and leaves the number that is transparent as it is."""
    grey = np.arange(min(2**bits, 256))[None, :, None]
    grey[..., -1, :] = 2**bits - 1
    with pytest.raises(DataError, match="transparent in some places"):
        read_image(save(tmp_path / "it.png", png_file(grey, bits, "grey", tRNS=struct.pack(">H", key))))
    others = grey[grey != key][None, :, None]
    path = save(tmp_path / "it.png", png_file(others, bits, "grey", tRNS=struct.pack(">H", key)))
    np.testing.assert_array_equal(read_image(path), skimage.io.imread(path))


def test_a_page_that_says_it_belongs_to_other_files_is_read_alone(tmp_path):
    """An OME-TIFF may hold one plane of a stack and name the files of the rest. No other file is opened."""
    plane = '<TiffData FirstZ="{0}" IFD="0" PlaneCount="1"><UUID FileName="{0}.ome.tif">urn:uuid:{0}</UUID></TiffData>'
    description = (
        '<?xml version="1.0"?><OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06" '
        'UUID="urn:uuid:0"><Image ID="Image:0"><Pixels ID="Pixels:0" DimensionOrder="XYZCT" SizeX="7" SizeY="6" '
        'SizeZ="2" SizeC="1" SizeT="1" Type="uint8"><Channel '
        f'ID="Channel:0:0"/>{plane.format(0)}{plane.format(1)}</Pixels></Image></OME>'
    )
    for number in (1, 0):
        path = save(tmp_path / f"{number}.ome.tif", tif(SMOOTH + number, description=description, metadata=None))
    with tifffile.TiffFile(path) as tiff:
        assert tiff.is_ome and tiff.series[0].shape == (2, 6, 7), "tifffile does not take it for a part of a stack"
    np.testing.assert_array_equal(read_image(path), SMOOTH)
