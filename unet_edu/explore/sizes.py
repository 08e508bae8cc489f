"""The size explorer: the U-Net as a U of blocks, the sizes that fit through it, and what each block costs. Lesson
06."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from matplotlib.figure import Figure

from unet_edu.convolution import receptive_field
from unet_edu.explore.cells import bounded
from unet_edu.explore.explorer import Explorer, Picture, SceneView, View
from unet_edu.explore.fields import checked, controls, menu
from unet_edu.explore.picture import digest
from unet_edu.figures.palette import INK, PAPER, ROLES
from unet_edu.figures.unet import ARROWS, Arrow, Block, Crop, Drawing, Map, block_names, draw, lay_out
from unet_edu.sizes import Layer, layer_table, level_sides

if TYPE_CHECKING:
    from unet_edu.unet import UNet

__all__ = [
    "BOUNDS",
    "CHOICES",
    "Facts",
    "State",
    "UView",
    "facts",
    "picture",
    "problem",
    "seen",
    "sides",
    "sizes",
    "summary",
]

BOUNDS = {"size": (1, 700), "depth": (1, 4)}
CHOICES: dict[str, tuple[Any, ...]] = {
    "padding": ("valid", "same"),
    "width": (8, 16, 32, 64),
    "skip": ("concat", "add", "multiply", "none"),
}
JOINS = {"concat": "put behind each other", "add": "added number by number", "multiply": "multiplied number by number"}
DEEPEST = BOUNDS["depth"][1]
WIDE = {"width": "28em"}


@dataclass(frozen=True)
class State:
    size: int = bounded(BOUNDS, "size", "Image side", default=572, layout=WIDE)
    padding: str = menu(CHOICES["padding"], "padding", default="valid")
    depth: int = bounded(BOUNDS, "depth", "Poolings", default=4)
    width: int = menu({f"{width} channels on top": width for width in CHOICES["width"]}, "Width", default=64)
    skip: str = menu(CHOICES["skip"], "skip", default="concat")
    # the menu has the blocks of the deepest network; a shallower one shows its bottom in place of those that it lacks
    block: str = menu(
        lambda state: {_name(block, DEEPEST): block for block in block_names(DEEPEST)},
        "Block",
        own=True,
        default="input",
        layout=WIDE,
    )

    def __post_init__(self) -> None:
        if self.block not in self.blocks:  # a shallower network has no such block, so the bottom is shown
            object.__setattr__(self, "block", f"contracting.{self.depth}.2")

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


class UView(SceneView):
    """The U as SVG, made in Python; the browser tells which block was clicked."""

    painter = "sizes"
    _esm = Path(__file__).parent / "sizes.js"
    _css = Path(__file__).parent / "sizes.css"


def sizes(
    size: int = 572,
    *,
    padding: str = "valid",
    depth: int = 4,
    width: int = 64,
    skip: str = "concat",
    block: str = "contracting.0.2",
) -> Explorer:
    """Explore which sizes fit through a U-Net, and what each of its blocks costs.

    Move the slider: the sides run down and up the U, and where a pooling meets an odd side it is marked. On each copy
    the part that is kept is drawn. Click a block, go through the blocks with the arrow keys, or choose one in the menu,
    to see its shape, its parameters, its multiply-adds, its memory, and how many pixels of the image it sees.

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
    Explorer
        The last value of a notebook cell shows itself.

    Raises
    ------
    ValueError
        When an argument is none of these.
    """
    state = checked(State, size=size, depth=depth, padding=padding, width=width, skip=skip, block=block)
    if state.block != block:
        raise ValueError(f"block: expected one of {', '.join(state.blocks)}, got {block!r}")
    view = View(UView(), "scene", _scene)
    return Explorer(state, controls(state), [view], picture, lambda _, block, **__: {"block": block})


@lru_cache(maxsize=64)
def _net(widths: tuple[int, ...], padding: str, skip: str) -> UNet:
    """A network without numbers: only its form is asked."""
    import torch

    from unet_edu.unet import UNet

    with torch.device("meta"):
        return UNet(widths=widths, padding=padding, skip=skip)


@lru_cache(maxsize=512)
def _table(widths: tuple[int, ...], padding: str, skip: str, size: int) -> dict[str, Layer]:
    return {layer.name: layer for layer in layer_table(_net(widths, padding, skip), size)}


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
    """For each block, the sides of the squares of the image that one of its pixels sees.

    On the way down there is one answer. On the way up it depends on where a pixel lies in the windows of the poolings,
    so all are tried, going back to the image as `unet_edu.sizes.receptive_field` does.
    """
    lost = 2 if padding == "valid" else 0
    found: dict[str, tuple[int, ...]] = {"input": (1,)}
    layers: list[tuple[int, ...]] = []
    for block in block_names(depth):
        part = block.split(".")[0]
        if part in ("contracting", "pool"):
            layers.append((3,) if part == "contracting" else (2, 2))
            found[block] = (receptive_field(layers).size,)
        elif part == "head":
            found[block] = found[f"expanding.{depth - 1}.2"]
        elif part in ("up", "join", "expanding"):
            step = int(block.split(".")[1])
            convolutions = {"up": 0, "join": 0}.get(part, 1 if block.endswith("0") else 2)
            found[block] = _seen_going_up(depth, step, convolutions, lost)
    return found


def _seen_going_up(depth: int, step: int, convolutions: int, lost: int) -> tuple[int, ...]:
    """How far a pixel sees that has gone up `step` + 1 times, and then through some convolutions."""
    found = set()
    for pixel in range(2 ** (step + 1)):  # after so many the windows repeat
        first, last = pixel, pixel
        for back in range(step + 1):
            passed = convolutions if back == 0 else 2
            margin = passed * lost // 2  # a valid convolution counts its pixels from one further inside
            first, last = first - passed + margin, last + passed + margin
            first, last = first // 2, last // 2
        first, last = first - 2 + lost, last + 2 + lost  # the bottom
        for _ in range(depth):
            first, last = 2 * first - 2 + lost, 2 * last + 3 + lost
        found.add(last - first + 1)
    return tuple(sorted(found))


@lru_cache(maxsize=16)
def facts(state: State) -> dict[str, Facts]:
    """What there is to say of each block."""
    reached, failing = sides(state)
    legal = state.size if failing is None else _legal_size(state)
    table = _table(state.widths, state.padding, state.skip, legal)
    fields = seen(state.depth, state.padding)
    found = {"input": Facts(1, state.size, 0, 0, 4 * state.size**2, fields["input"])}
    for block in state.blocks[1:]:
        layer, side = table[block], reached.get(block)
        costs = (layer.multiply_adds, layer.activation_bytes)
        if failing is not None:  # from the legal size to this one: all costs are so and so much for each output pixel
            share = 0 if side is None else (side / layer.shape[-1]) ** 2
            costs = (round(costs[0] * share), round(costs[1] * share))
        found[block] = Facts(layer.shape[0], side, layer.parameters, *costs, fields[block])
    return found


def _legal_size(state: State) -> int:
    """Some size that fits: the parameters are the same for all."""
    step = 2**state.depth
    return step * 12 - (4 if state.padding == "valid" else 0)


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


def _drawing(state: State) -> Drawing:
    reached, failing = sides(state)
    maps = {block: Map(fact.channels, reached.get(block)) for block, fact in facts(state).items()}
    maps["input"] = Map(1, state.size)
    return lay_out(state.depth, maps, copies=state.skip != "none", failing=failing)


def _scene(state: State) -> dict[str, Any]:
    """What travels to the browser: the picture, and for each block what to say of it."""
    return {
        "svg": _svg(_drawing(state), state),
        "selected": state.block,
        "caption": summary(state),
        "notes": {block: _note(block, fact, state) for block, fact in facts(state).items()},
    }


def _name(block: str, depth: int) -> str:
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


def _note(block: str, fact: Facts, state: State) -> str:
    """A small table about one block, as HTML."""
    if fact.side is None:
        shape = "the image does not get here"
    else:
        shape = f"{fact.channels:,} × {fact.side:,} × {fact.side:,}"
    rows = [("channels × rows × columns", shape), ("parameters", _parameters(block, fact, state))]
    if fact.side is not None:
        rows.append(("multiply-adds", _multiply_adds(block, fact)))
        memory = f"{fact.channels:,} · {fact.side:,}² · 4 bytes = {_megabytes(fact.activation_bytes)}"
        rows.append(("memory, float32", memory))
    rows.append(("one pixel of it sees", _sees(fact.sees)))
    if block.startswith("join"):
        rows.append(("what comes across", _crop(block, state)))
    cells = "".join(f"<tr><th>{escape(name)}</th><td>{escape(value)}</td></tr>" for name, value in rows)
    return f"<b>{escape(_name(block, state.depth))}</b><table>{cells}</table>"


def _parameters(block: str, fact: Facts, state: State) -> str:
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


def _billions(number: int) -> str:
    for size, name in ((10**9, "billion"), (10**6, "million")):
        if number >= size:
            return f"{number / size:,.1f} {name}"
    return f"{number:,}"


def _megabytes(number: int) -> str:
    return f"{number / 1e6:,.1f} MB" if number >= 1e5 else f"{number / 1e3:,.1f} kB"


def picture(state: State) -> Picture:
    """The U alone, for where nothing runs."""
    fact = facts(state)[state.block]
    said = _name(state.block, state.depth)
    if fact.side is None:
        shape = "the image does not get here"
    else:
        shape = f"{fact.channels} × {fact.side} × {fact.side}, {fact.parameters:,} parameters, sees {_sees(fact.sees)}"
    figure: Figure = draw(_drawing(state), state.block, [summary(state), f"Chosen: {said}: {shape}"])
    reached, _ = sides(state)
    walk = " → ".join(
        str(reached[block]) for block in state.blocks if block in reached and not block.startswith("join")
    )
    return Picture(figure, _alt(state), f"sides: {walk}; parameters: {_digest_of(state)}")


def _digest_of(state: State) -> str:
    return digest([fact.parameters for fact in facts(state).values()])


def _alt(state: State) -> str:
    across = "" if state.skip == "none" else f" At each of the upper levels a copy goes across ({state.skip})."
    crops = [crop.label for crop in _drawing(state).crops]
    cropped = f" The copies are cropped, from the top: {', '.join(crops[::-1])}." if crops else ""
    return (
        f"A U-Net drawn as a U of blocks: {state.depth + 1} levels with {', '.join(map(str, state.widths))} channels, "
        f"padding {state.padding}.{across}{cropped} {summary(state)}"
    )


def _svg(drawing: Drawing, state: State) -> str:
    """The U as SVG; each block is a group that can be clicked and focused."""
    frame = f'viewBox="0 0 {drawing.width:g} {drawing.height:.1f}" font-family="system-ui, sans-serif" font-size="11"'
    parts = [
        f'<svg role="group" aria-label="{escape(_alt(state))}" {frame} fill="{INK}">',
        f'<rect width="{drawing.width:g}" height="{drawing.height:.1f}" fill="{PAPER}"/>',
    ]
    parts += [_svg_arrow(arrow) for arrow in drawing.arrows]
    parts += [_svg_crop(crop) for crop in drawing.crops]
    for x, y, words in drawing.texts:
        parts.append(
            f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="middle" fill="{ROLES["neutral"].line}">{words}</text>'
        )
    for arrow, words in drawing.legend:
        x, y = arrow.end
        parts.append(
            f'{_svg_arrow(arrow)}<text x="{x + 8:.1f}" y="{y + 4:.1f}" fill="{ROLES["neutral"].line}">{words}</text>'
        )
    table = facts(state)
    parts += [_svg_block(block, _name(block.name, state.depth), table[block.name].side) for block in drawing.blocks]
    if drawing.failure:
        x, y, sign = drawing.failure
        parts.append(
            f'<text class="failure" x="{x:.1f}" y="{y + 4:.1f}" text-anchor="end" font-size="12" font-weight="bold" '
            f'fill="{ROLES["error"].line}">{sign}</text>'
        )
    return "".join(parts) + "</svg>"


def _svg_block(block: Block, name: str, side: int | None) -> str:
    colour = ROLES[block.role]
    fill, line = (colour.fill, colour.line) if block.is_reached else (PAPER, ROLES["neutral"].line)
    middle = block.x + (block.width if block.role == "skip" else block.width / 2)
    dashes = "" if block.is_reached else ' stroke-dasharray="2 3"'
    words = escape(f"{name}, {f'{side} pixels a side' if side else 'not reached'}")
    return (
        f'<g data-block="{block.name}" role="button" tabindex="-1" aria-label="{words}"><title>{words}</title>'
        f'<rect x="{block.x:.1f}" y="{block.y:.1f}" width="{block.width:.1f}" height="{block.height:.1f}" '
        f'fill="{fill}" stroke="{line}" stroke-width="1.3"{dashes}/><text x="{middle:.1f}" y="{block.y - 4:.1f}" '
        f'text-anchor="middle">{block.above}</text><text x="{middle:.1f}" y="{block.y + block.height + 12:.1f}" '
        f'text-anchor="middle">{block.below}</text></g>'
    )


def _svg_arrow(arrow: Arrow) -> str:
    role, width = ARROWS[arrow.kind]
    colour = ROLES["error" if arrow.is_failure else role if arrow.is_reached else "neutral"].line
    (x1, y1), (x2, y2) = arrow.start, arrow.end
    length = max(abs(x2 - x1), abs(y2 - y1), 1e-9)
    u, v = (x2 - x1) / length, (y2 - y1) / length  # arrows go straight across, up or down
    left, right = (f"L{x2 - 6 * u + side * v:.1f} {y2 - 6 * v + side * u:.1f}" for side in (-3, 3))
    head = f"M{x2:.1f} {y2:.1f}{left}{right}Z"
    dashes = "" if arrow.is_reached else ' stroke-dasharray="2 3"'
    line = f"M{x1:.1f} {y1:.1f}L{x2 - 5 * u:.1f} {y2 - 5 * v:.1f}"
    return f'<path d="{line}" stroke="{colour}" stroke-width="{width}"{dashes}/><path d="{head}" fill="{colour}"/>'


def _svg_crop(crop: Crop) -> str:
    colour, inset = ROLES["skip"], (crop.side - crop.kept) / 2
    return (
        f'<rect x="{crop.x:.1f}" y="{crop.y:.1f}" width="{crop.side:g}" height="{crop.side:g}" fill="{PAPER}" '
        f'stroke="{colour.line}"/><rect class="kept" x="{crop.x + inset:.1f}" y="{crop.y + inset:.1f}" '
        f'width="{crop.kept:.1f}" height="{crop.kept:.1f}" fill="{colour.fill}" stroke="{colour.line}" '
        f'stroke-dasharray="3 2"/><text x="{crop.x + crop.side / 2:.1f}" y="{crop.y + crop.side + 12:.1f}" '
        f'text-anchor="middle">{crop.label}</text>'
    )
