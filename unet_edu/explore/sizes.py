"""The size explorer: the U-Net as a U of blocks, the sizes that fit through it, and what each block costs. Lesson
06."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

from unet_edu.explore.cells import bounded
from unet_edu.explore.fields import checked, menu
from unet_edu.explore.page import Page
from unet_edu.explore.picture import Picture, digest
from unet_edu.figures.palette import ROLES
from unet_edu.figures.unet import Drawing, Map, block_names, draw, lay_out
from unet_edu.sizes import Layer, layer_table, legal_side, level_sides

__all__ = [
    "BOUNDS",
    "CHOICES",
    "Facts",
    "State",
    "alt",
    "drawing",
    "facts",
    "notes",
    "picture",
    "problem",
    "seen",
    "sides",
    "sizes",
    "summary",
    "title",
]

BOUNDS = {"size": (1, 700), "depth": (1, 4)}
CHOICES: dict[str, dict[str, Any]] = {
    "padding": {"valid (unpadded)": "valid", "same (zeros around)": "same"},
    "width": {"8": 8, "16": 16, "32": 32, "64": 64},
    "skip": {"concatenated": "concat", "added": "add", "multiplied": "multiply", "none": "none"},
}
JOINS = {"concat": "put behind each other", "add": "added number by number", "multiply": "multiplied number by number"}


@dataclass(frozen=True)
class State:
    size: int = bounded(BOUNDS, "size", "Image side", default=572)
    padding: str = menu(CHOICES["padding"], "padding", default="valid")
    depth: int = bounded(BOUNDS, "depth", "Poolings", default=4)
    width: int = menu(CHOICES["width"], "Channels on top", default=64)
    skip: str = menu(CHOICES["skip"], "Copies", default="concat")
    block: str = "contracting.0.2"  # the one that is chosen, by a click or the arrow keys

    @property
    def widths(self) -> tuple[int, ...]:
        return tuple(self.width * 2**level for level in range(self.depth + 1))

    @property
    def blocks(self) -> list[str]:
        return block_names(self.depth, copies=self.skip != "none")


class Facts(NamedTuple):
    """What there is to say of a block. `side` is None where the image never arrives; then the costs that depend on it
    are 0."""

    channels: int
    side: int | None
    parameters: int
    multiply_adds: int
    activation_bytes: int
    sees: tuple[int, ...]


def sizes(
    size: int = 572,
    *,
    padding: str = "valid",
    depth: int = 4,
    width: int = 64,
    skip: str = "concat",
    block: str = "contracting.0.2",
) -> Page:
    """Explore which sizes fit through a U-Net, and what each of its blocks costs.

    Move the slider: the sides run down and up the U, and where a pooling meets an odd side it is marked. On each copy
    the part that is kept is drawn. Click a block, or go through the blocks with the arrow keys, to see its shape, its
    parameters, its multiply-adds, its memory, and how many pixels of the image it sees. All of it is computed in the
    page, by sizes.js: it needs no Python.

    Parameters
    ----------
    size : int
        The side of a square image, in pixels.
    padding : "valid" or "same"
    depth : int
        How often the network pools.
    width : int
        The channels of the top level; each level has twice as many as the one above it.
    skip : "concat", "add", "multiply" or "none"
    block : str
        The block to begin with, as `unet_edu.sizes.layer_table` names it; or "input".

    Returns
    -------
    Page
        The last value of a notebook cell shows itself.

    Raises
    ------
    ValueError
        When an argument is none of these.
    """
    state = checked(State, size=size, depth=depth, padding=padding, width=width, skip=skip, block=block)
    if block not in state.blocks:
        raise ValueError(f"block: expected one of {', '.join(state.blocks)}, got {block!r}")
    return Page(
        state,
        picture,
        "sizes.js",
        "controls.css sizes.css",
        colours={role: colour.line for role, colour in ROLES.items()},
    )


@lru_cache(maxsize=128)
def _table(widths: tuple[int, ...], padding: str, skip: str) -> list[Layer]:
    """The layers of a network without numbers: only its form is asked. For some size that fits."""
    import torch

    from unet_edu.unet import UNet

    with torch.device("meta"):
        return layer_table(UNet(widths=widths, padding=padding, skip=skip), legal_side(1, len(widths) - 1, padding))


def problem(state: State) -> str:
    """Why the size is not legal, in the words of the library's error; nothing when it is."""
    try:
        level_sides(state.size, state.depth, state.padding)
    except ValueError as error:
        return str(error)
    return ""


def sides(state: State) -> tuple[dict[str, int], str | None]:
    """The side of the image after each block that it reaches, and the block that it cannot pass.

    Returns
    -------
    dict of block name → side, and the name of the block that fails, or None
        A pooling fails on an odd side, a convolution where fewer than 3 pixels are left.
    """
    reached, side = dict[str, int](), state.size
    lost = 2 if state.padding == "valid" else 0
    for block in state.blocks:
        part = block.split(".")[0]
        if part == "pool":
            if side % 2:
                return reached, block
            side //= 2
        elif part == "up":
            side *= 2
        elif part in ("contracting", "expanding"):
            side -= lost
        if side < 1:
            return reached, block
        reached[block] = side
    return reached, None


@lru_cache(maxsize=32)
def seen(depth: int, padding: str) -> dict[str, tuple[int, ...]]:
    """For each block, the sides of the squares of the image that one of its pixels sees: back through the blocks to the
    image, as `unet_edu.sizes.receptive_field` goes.

    On the way down there is one answer. On the way up it depends on where a pixel lies in the windows of the poolings,
    so all places are tried.
    """
    before = 0 if padding == "valid" else 1  # a valid convolution counts its pixels from one further inside
    found, walked = dict[str, tuple[int, ...]](), list[str]()
    for block in block_names(depth):
        walked.insert(0, block.split(".")[0])
        squares = set()
        for pixel in range(2**depth):  # after so many the windows repeat
            first = last = pixel
            for part in walked:
                if part in ("contracting", "expanding"):
                    first, last = first - before, last + 2 - before
                elif part == "pool":
                    first, last = 2 * first, 2 * last + 1
                elif part == "up":
                    first, last = first // 2, last // 2
            squares.add(last - first + 1)
        found[block] = tuple(sorted(squares))
    return found


@lru_cache(maxsize=16)
def facts(state: State) -> dict[str, Facts]:
    """What there is to say of each block."""
    reached, _ = sides(state)
    fields = seen(state.depth, state.padding)
    found = {"input": Facts(1, state.size, 0, 0, 4 * state.size**2, fields["input"])}
    for layer in _table(state.widths, state.padding, state.skip):
        if (name := layer.name) in state.blocks:
            side = reached.get(name)
            # from the size of the table to this one: all costs are so and so much for each output pixel
            share = ((side or 0) / layer.shape[-1]) ** 2
            costs = (round(layer.multiply_adds * share), round(layer.activation_bytes * share))
            found[name] = Facts(layer.shape[0], side, layer.parameters, *costs, fields[name])
    return found


def summary(state: State) -> str:
    """The whole network in a line; or where the image gets stuck."""
    if said := problem(state):
        return f"✗ {said[0].upper()}{said[1:]}."
    table = list(facts(state).values())[1:]  # all but the image
    out = level_sides(state.size, state.depth, state.padding)[1][-1]
    parameters = sum(fact.parameters for fact in table)
    products = sum(fact.multiply_adds for fact in table)
    memory = sum(fact.activation_bytes for fact in table)
    lost = f"{state.size - out} pixels fewer" if out < state.size else "nothing lost"
    return (
        f"{state.size} × {state.size} in, {out} × {out} out: {lost}. {parameters:,} parameters, {_billions(products)} "
        f"multiply-adds, {_megabytes(memory)} of feature maps."
    )


def drawing(state: State) -> Drawing:
    reached, failing = sides(state)
    maps = {block: Map(fact.channels, reached.get(block)) for block, fact in facts(state).items()}
    maps["input"] = Map(1, state.size)
    return lay_out(state.depth, maps, copies=state.skip != "none", failing=failing)


def notes(state: State) -> dict[str, dict[str, str]]:
    """What there is to say of each block, in words: the rows of a small table, by their names."""
    return {block: dict(_note(block, fact, state)) for block, fact in facts(state).items()}


def title(block: str, depth: int) -> str:
    """A block in the reader's words."""
    part, *numbers = block.split(".")
    if part in ("input", "head"):
        return {"input": "the image", "head": "1×1 convolution, the scores"}[part]
    number = int(numbers[0])
    if part in ("contracting", "expanding"):
        which = "1st" if numbers[1] == "0" else "2nd"
        way = "down" if part == "contracting" else "up"
        level = number if part == "contracting" else depth - 1 - number
        return f"level {level}, way {way}: {which} 3×3 convolution"
    if part == "pool":
        return f"level {number} → {number + 1}: 2×2 max pooling"
    level = depth - 1 - number
    if part == "up":
        return f"level {level + 1} → {level}: 2×2 transposed convolution"
    return f"level {level}: what comes across, joined"


def _note(block: str, fact: Facts, state: State) -> Iterator[tuple[str, str]]:
    """The rows of a small table about one block."""
    if fact.side is None:
        yield "channels × rows × columns", "the image does not get here"
    else:
        yield "channels × rows × columns", f"{fact.channels:,} × {fact.side:,} × {fact.side:,}"
    yield "parameters", _parameters(block, fact)
    if fact.side is not None:
        yield "multiply-adds", _multiply_adds(block, fact)
        memory = _megabytes(fact.activation_bytes)
        yield "memory, float32", f"{fact.channels:,} · {fact.side:,}² · 4 bytes = {memory}"
    yield "one pixel of it sees", _sees(fact.sees)
    if block.startswith("join"):
        yield "what comes across", _crop(block, state)


def _parameters(block: str, fact: Facts) -> str:
    if not fact.parameters:
        return "0"
    taps = {"up": 4, "head": 1}.get(block.split(".")[0], 9)
    read = (fact.parameters - fact.channels) // (taps * fact.channels)
    kernel = {4: "2·2", 1: "1·1", 9: "3·3"}[taps]
    return f"{read:,} · {kernel} · {fact.channels:,} + {fact.channels:,} = {fact.parameters:,}"


def _multiply_adds(block: str, fact: Facts) -> str:
    if not fact.multiply_adds:
        return "none"
    assert fact.side is not None
    weights = fact.parameters - fact.channels
    side = fact.side // 2 if block.startswith("up") else fact.side
    where = "each pixel that comes in" if block.startswith("up") else "each pixel that comes out"
    return f"{weights:,} weights · {side:,}² = {_billions(fact.multiply_adds)} (each weight meets {where})"


def _sees(fields: tuple[int, ...]) -> str:
    said = " or ".join(f"{side:,} × {side:,}" for side in fields)
    pixels = "pixel" if fields == (1,) else "pixels"
    return f"{said} {pixels} of the image" + (", depending on where it lies" if len(fields) > 1 else "")


def _crop(block: str, state: State) -> str:
    reached, _ = sides(state)
    level = state.depth - 1 - int(block.split(".")[1])
    whole, kept = reached.get(f"contracting.{level}.2"), reached.get(block)
    joined = JOINS[state.skip]
    if whole is None or kept is None:
        return f"nothing yet; the two would be {joined}"
    if whole == kept:
        return f"{whole} × {whole}, nothing is cropped; the two are {joined}"
    return f"{whole} × {whole}, cropped by {(whole - kept) // 2} on each side to {kept} × {kept}; the two are {joined}"


def _tenths(number: int, size: int) -> str:
    """With one digit behind the point; a half goes up. In whole numbers, so that the browser rounds alike."""
    count = (10 * number + size // 2) // size
    return f"{count // 10:,}.{count % 10}"


def _billions(number: int) -> str:
    for size, name in ((10**9, "billion"), (10**6, "million")):
        if number >= size:
            return f"{_tenths(number, size)} {name}"
    return f"{number:,}"


def _megabytes(number: int) -> str:
    return f"{_tenths(number, 10**6)} MB" if number >= 1e5 else f"{_tenths(number, 10**3)} kB"


def picture(state: State) -> Picture:
    """The U alone, for where nothing runs, and what there is to say of the chosen block."""
    note = [f"{name}: {words}" for name, words in notes(state)[state.block].items()]
    chosen = [f"Chosen: {title(state.block, state.depth)}", *note]
    figure = draw(drawing(state), state.block, [summary(state), *chosen])
    reached, _ = sides(state)
    walk = " → ".join(
        str(reached[block]) for block in state.blocks if block in reached and not block.startswith("join")
    )
    parameters = digest([fact.parameters for fact in facts(state).values()])
    return Picture(figure, alt(state), "\n".join([*chosen, f"sides: {walk}; parameters: {parameters}"]))


def alt(state: State) -> str:
    across = "" if state.skip == "none" else f" At each of the upper levels a copy goes across ({state.skip})."
    crops = [crop.label for crop in drawing(state).crops]
    cropped = f" The copies are cropped, from the top: {', '.join(crops[::-1])}." if crops else ""
    return (
        f"A U-Net drawn as a U of blocks: {state.depth + 1} levels with {', '.join(map(str, state.widths))} channels, "
        f"padding {state.padding}.{across}{cropped} {summary(state)}"
    )
