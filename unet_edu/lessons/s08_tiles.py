"""The exercises of lesson 08: what is asked, and which mistakes are known."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unet_edu.checks.exercise import Case, Exercise
from unet_edu.lessons.lesson import Lesson

__all__ = ["LESSON"]

Array = NDArray[Any]


# --- mirror_pad -------------------------------------------------------------------------------------------------------


def _mirror_pad(image: Array, margin: int) -> Array:
    return np.pad(image, margin, mode="reflect")


def _padded(mode: Any) -> Callable[..., Array]:
    return lambda image, margin: np.pad(image, margin, mode=mode)


def _pad_cases(rng: np.random.Generator) -> list[Case]:
    return [
        Case("a picture of 2×3", (np.array([[5, 3, 8], [1, 7, 2]]), 1), group="visible"),
        Case("a picture of 3×4", (np.array([[1, 2, 3, 4], [5, 6, 7, 8], [9, 10, 11, 12]]), 2), group="visible"),
        Case("6×9 pixels, a margin of 4", (rng.normal(size=(6, 9)), 4)),
        Case("7×5 pixels, a margin of 3", (rng.normal(size=(7, 5)), 3)),
        Case("5×8 pixels, no margin", (rng.integers(-9, 10, (5, 8)), 0)),
        Case("4×6 pixels, the widest margin that one mirror fills", (rng.normal(size=(4, 6)), 3)),
    ]


MIRROR_PAD = Exercise(
    name="mirror_pad",
    points=2,
    reference=_mirror_pad,
    cases=_pad_cases,
    linear="image",
    forbidden=("unet_edu.tiling.*",),
)
MIRROR_PAD.mistake(
    "edge doubled",
    "Your edge pixels appear twice. The mirror stands in the middle of the edge pixel, not behind it: next to the "
    "edge stands its neighbour. (np.pad calls yours 'symmetric', and this one 'reflect'.)",
    _padded("symmetric"),
)
MIRROR_PAD.mistake(
    "zeros",
    "Your margin is zeros. To the network that is a black frame, and it has never seen one.",
    _padded("constant"),
)
MIRROR_PAD.mistake(
    "edge repeated", "Your margin repeats the edge pixel. A mirror goes on into the image.", _padded("edge")
)
MIRROR_PAD.mistake(
    "wrapped around",
    "Your margin comes from the other end of the image. The mirror image comes from the end that is near.",
    _padded("wrap"),
)


@MIRROR_PAD.mistake("not turned")
def _(image: Array, margin: int) -> Array:
    """Your margin is a copy of the border, not turned round. In a mirror what is near the edge stays near the edge."""
    # The border copied as it is, not turned: left of the image stand its columns 1 … margin, in this order.
    for axis in (0, 1):
        image = np.moveaxis(image, axis, 0)
        image = np.concatenate([image[1 : margin + 1], image, image[-margin - 1 : -1]])
        image = np.moveaxis(image, 0, axis)
    return image


@MIRROR_PAD.mistake("margin half as wide")
def _(image, margin):
    """Your margin is too narrow. It is as wide as `margin` on each of the four sides, not on two sides together."""
    return _padded("reflect")(image, margin // 2)


@MIRROR_PAD.mistake("rows alone")
def _(image, margin):
    """There is a margin above and below, and none on the left and on the right."""
    return np.pad(image, ((margin, margin), (0, 0)), mode="reflect")


@MIRROR_PAD.mistake("columns alone")
def _(image, margin):
    """There is a margin on the left and on the right, and none above and below."""
    return np.pad(image, ((0, 0), (margin, margin)), mode="reflect")


@MIRROR_PAD.mistake("upper left alone")
def _(image, margin):
    """There is a margin above and on the left only. The network loses pixels on all four sides."""
    return np.pad(image, ((margin, 0), (margin, 0)), mode="reflect")


@MIRROR_PAD.mistake("corners empty")
def _(image: Array, margin: int) -> Array:
    """The four corners of your margin are empty. Mirror the rows first; then mirror the columns of what came out,
    margin included."""
    padded = _mirror_pad(image, margin)
    corners = (
        [slice(margin), slice(margin + image.shape[0], None)],
        [slice(margin), slice(margin + image.shape[1], None)],
    )
    for rows, columns in itertools.product(*corners):
        padded[rows, columns] = 0
    return padded


@MIRROR_PAD.mistake("margin cut off")
def _(image, margin):
    """Your image comes back as it was. Is the margin around it?"""
    return image


# --- tile_origins -----------------------------------------------------------------------------------------------------


def _tile_origins(size: int, tile: int, align: int) -> list[int]:
    step = tile // align * align
    if step < 1:  # else the loop never ends
        raise ValueError(f"expected a tile of at least align = {align} pixels, got {tile}")
    origins = [0]
    while origins[-1] + tile < size:
        origins.append(origins[-1] + step)
    return origins


def _origins(
    step: Callable[[int, int], int] = lambda tile, align: tile // align * align,
    number: Callable[[int, int, int], int] = lambda size, tile, step: 1 + max(0, -(-(size - tile) // step)),
    last: Callable[[int, int, int], int] | None = None,
) -> Callable[..., list[int]]:
    """Origins by rules for the step, for the number of tiles, and for the last tile."""

    def origins(size: int, tile: int, align: int) -> list[int]:
        s = step(tile, align)
        places = [n * s for n in range(number(size, tile, s))]
        if last is not None and len(places) > 1:
            places[-1] = last(size, tile, align)
        return places

    return origins


def _origin_cases(rng: np.random.Generator) -> list[Case]:
    def case(name: str, size: Callable[[int, int, int], int]) -> Case:
        """`size` gets a number of steps, the step and the tile, which is a little longer than the step."""
        align = int(rng.choice([4, 8, 16, 32]))
        step = align * int(rng.integers(2, 50))
        tile = step + 2 * int(rng.integers(1, align // 2))
        return Case(name, (size(int(rng.integers(2, 6)), step, tile), tile, align))

    even = 2 * int(rng.integers(6, 300))

    return [
        Case("512 pixels, the paper's tiles", (512, 388, 16), group="visible"),
        Case("100 pixels, tiles of 20, three poolings", (100, 20, 8), group="visible"),
        Case("one tile is enough", (300, 388, 16), group="visible"),
        case("one tile fits exactly", lambda n, step, tile: tile),
        case("the last tile ends where the image ends", lambda n, step, tile: n * step + tile),
        case("one pixel more than the tiles before reach", lambda n, step, tile: n * step + tile + 1),
        case("one pixel into a new step", lambda n, step, tile: n * step + 1),
        # So far below one tile that no rule of steps counts up to one.
        case("shorter than what two tiles share", lambda n, step, tile: int(rng.integers(1, tile - step + 1))),
        Case("one pooling: the tile itself is a good step", (int(even * rng.uniform(3, 6)), even, 2)),
        *(case("drawn at random", lambda n, step, tile: n * step + int(rng.integers(step))) for _ in range(3)),
    ]


TILE_ORIGINS = Exercise(
    name="tile_origins", points=3, reference=_tile_origins, cases=_origin_cases, forbidden=("unet_edu.tiling.*",)
)
TILE_ORIGINS.mistake(
    "side by side",
    "Your tiles stand side by side, one tile apart. That is off the phase when the tile is no multiple of `align`: the "
    "poolings of the next tile cut the image into other windows. Take the largest multiple of `align` that is not "
    "larger than the tile.",
    _origins(step=lambda tile, align: tile),
)
TILE_ORIGINS.mistake(
    "step rounded up",
    "Your step is larger than the tile, so there are gaps between the tiles. Round down to a multiple of `align`.",
    _origins(step=lambda tile, align: -(-tile // align) * align),
)
TILE_ORIGINS.mistake(
    "smallest step",
    "Your tiles cover all, and are on the phase; but each is only `align` pixels further than the one before, so "
    "there are far too many. Take the largest multiple that leaves no gap.",
    _origins(step=lambda tile, align: align),
)
TILE_ORIGINS.mistake(
    "one align less",
    "Your step is a multiple of `align`, but not the largest that leaves no gap: tile // align is already rounded "
    "down.",
    _origins(step=lambda tile, align: max(1, tile // align - 1) * align),
)
TILE_ORIGINS.mistake(
    "end not covered",
    "Your last tile ends before the image does. Go on until origin + tile reaches the size: round the number of tiles "
    "up.",
    _origins(number=lambda size, tile, step: 1 + max(0, (size - tile) // step)),
)
TILE_ORIGINS.mistake(
    "as many as whole steps",
    "You count how often the step fits into the size. A last piece remains: go on until origin + tile reaches the "
    "size.",
    _origins(number=lambda size, tile, step: max(1, size // step)),
)
TILE_ORIGINS.mistake(
    "one tile too many",
    "Now and then you have a last tile that nobody needs: the one before already reached the end. Stop as soon as "
    "origin + tile ≥ size, not origin ≥ size.",
    _origins(number=lambda size, tile, step: -(-size // step)),
)
TILE_ORIGINS.mistake(
    "one too many where it fits exactly",
    "Nearly: where a tile ends exactly at the end of the image, you add another one. Is a < a ≤, or the other way "
    "round?",
    _origins(number=lambda size, tile, step: 1 + max(0, (size - tile) // step + 1)),
)
TILE_ORIGINS.mistake(
    "last tile pushed back to the end",
    "You pushed the last tile back so that it ends with the image. Then it is off the phase. Leave it on its place: "
    "it reaches beyond the image, where the mirror image is.",
    _origins(last=lambda size, tile, align: size - tile),
)
TILE_ORIGINS.mistake(
    "last tile pushed back to a multiple",
    "You pushed the last tile back, to a multiple of `align`. It may not reach the end of the image then, and there "
    "is no need: let it reach beyond the image, where the mirror image is.",
    _origins(last=lambda size, tile, align: (size - tile) // align * align),
)


@TILE_ORIGINS.mistake("first tile forgotten")
def _(size, tile, align):
    """The first tile starts at 0. Yours is missing."""
    return _tile_origins(size, tile, align)[1:]


@TILE_ORIGINS.mistake("ends in place of starts")
def _(size, tile, align):
    """You list where the tiles end. Asked is where they start."""
    return [origin + tile for origin in _tile_origins(size, tile, align)]


@TILE_ORIGINS.mistake("numbers of the tiles")
def _(size, tile, align):
    """You number the tiles. Asked is the pixel at which each starts: the number times the step."""
    return list(range(len(_tile_origins(size, tile, align))))


# --- predict_tiled ----------------------------------------------------------------------------------------------------


def _tiled(
    *,
    mode: str = "reflect",
    origins: Callable[..., list[int]] = _tile_origins,
    finish: Callable[[Any], Any] = lambda scores: scores.softmax(dim=0),
    evaluate: bool = True,
) -> Callable[..., Any]:
    """Tiles by other rules: how the image goes on, where they start, what is done with their scores."""

    def predict(model: Any, image: Array, tile: int) -> Any:
        import torch

        from unet_edu.unet import UNet

        assert isinstance(model, UNet)
        model.train(not evaluate)
        margin = 6 * 2**model.depth - 4
        (H, W), align = image.shape, 2**model.depth
        rows, columns = origins(H, tile, align), origins(W, tile, align)
        beyond = [max(0, places[-1] + tile - side) for places, side in ((rows, H), (columns, W))]
        padded = np.pad(image, [(margin, margin + more) for more in beyond], mode=mode)  # type: ignore[call-overload]
        answer = torch.zeros((2, H + beyond[0], W + beyond[1]))
        side = tile + 2 * margin
        with torch.no_grad():
            for i in rows:
                for j in columns:
                    seen = torch.from_numpy(padded[i : i + side, j : j + side].astype(np.float32))
                    answer[:, i : i + tile, j : j + tile] = finish(model(seen[None, None])[0])
        return answer[:, :H, :W]

    return predict


def _predict_tiled(model: Any, image: Array, tile: int) -> Any:
    import torch

    model.eval()
    margin, align = 6 * 2**model.depth - 4, 2**model.depth
    (H, W), side = image.shape, tile + 2 * margin
    rows, columns = _tile_origins(H, tile, align), _tile_origins(W, tile, align)
    below, right = max(rows[-1] + tile - H, 0), max(columns[-1] + tile - W, 0)
    padded = np.pad(image, ((margin, margin + below), (margin, margin + right)), mode="reflect")
    answer = torch.zeros(2, H + below, W + right)
    with torch.no_grad():
        for i in rows:
            for j in columns:
                x = torch.tensor(padded[i : i + side, j : j + side], dtype=torch.float32)
                answer[:, i : i + tile, j : j + tile] = model(x[None, None])[0].softmax(dim=0)
    return answer[:, :H, :W]


def _tiled_cases(rng: np.random.Generator) -> list[Case]:
    from unet_edu.checks.network import OnNetwork

    def case(name: str, depth: int, H: int, W: int, tile: int) -> Case:
        words = f"a U-Net of depth {depth}"
        image = rng.normal(size=(H, W)).astype(np.float32)
        return Case(name, (words, image, tile), probe=OnNetwork(depth, int(rng.integers(1 << 31))))

    flat = np.linspace(0, 1, 90, dtype=np.float32).reshape(9, 10)
    constant = Case(
        "a network that always says 0.25 and 0.75",
        ("a U-Net of depth 1", flat, 4),
        group="visible",
        probe=OnNetwork(1, None),
    )
    return [
        constant,
        case("depth 1, an image of 20×15", 1, 20, 15, 6),
        case("depth 2, an image of 9×41, lower than a tile", 2, 9, 41, 16),
        case("depth 3, an image of 59×50", 3, 59, 50, 28),
        case("depth 3, an image of 48×70", 3, 48, 70, 36),
    ]


PREDICT_TILED = Exercise(
    name="predict_tiled",
    points=5,
    reference=_predict_tiled,
    cases=_tiled_cases,
    forbidden=("unet_edu.tiling.*", "unet_edu.postprocess.*", "monai.*"),
)
PREDICT_TILED.mistake(
    "off the phase",
    "Right at depth 1 and 2. At depth 3 your tiles stand off the phase: a tile of 28 or 36 pixels is no multiple of 8, "
    "so the poolings cut the image into other windows in the next tile. The step is a multiple of 2 ** model.depth.",
    _tiled(origins=_origins(step=lambda tile, align: tile)),
)
PREDICT_TILED.mistake(
    "last tile pushed back",
    "Your last tile is pushed back to the end of the image, and so off the phase. Leave it on its place, and mirror "
    "the image further, so that there is something to read.",
    _tiled(origins=_origins(last=lambda size, tile, align: size - tile)),
)
PREDICT_TILED.mistake(
    "training mode",
    "The network is still in training mode, and drops features. Call model.eval() first.",
    _tiled(evaluate=False),
)
PREDICT_TILED.mistake(
    "scores",
    "Your map holds the network's scores. Asked are probabilities: softmax over the classes.",
    _tiled(finish=lambda scores: scores),
)
PREDICT_TILED.mistake(
    "softmax over the rows",
    "Your softmax goes over the rows of the tile. It goes over the classes, so that they add up to 1 at each pixel.",
    _tiled(finish=lambda scores: scores.softmax(dim=1)),
)
PREDICT_TILED.mistake(
    "sigmoid",
    "You took the sigmoid of each score. The classes of a pixel compete: softmax, so that they add up to 1.",
    _tiled(finish=lambda scores: scores.sigmoid()),
)
PREDICT_TILED.mistake(
    "zeros around the image",
    "Your answers are wrong near the border of the image: there you put zeros around it. Mirror it.",
    _tiled(mode="constant"),
)
PREDICT_TILED.mistake(
    "edge doubled",
    "Your answers are a little off near the border of the image: your mirror doubles the edge pixel. Use your "
    "mirror_pad.",
    _tiled(mode="symmetric"),
)
PREDICT_TILED.mistake(
    "edge repeated",
    "Your answers are off near the border of the image: there you repeat its edge. Mirror it.",
    _tiled(mode="edge"),
)
PREDICT_TILED.mistake(
    "softmax twice",
    "You took the softmax twice: of scores it makes probabilities, and of probabilities something too near to one "
    "half.",
    _tiled(finish=lambda scores: scores.softmax(dim=0).softmax(dim=0)),
)
PREDICT_TILED.mistake(
    "end not covered",
    "The lower or the right part of your map is zero: the tiles stop before the end of the image.",
    _tiled(origins=_origins(number=lambda size, tile, step: 1 + max(0, (size - tile) // step))),
)
PREDICT_TILED.mistake(
    "only the first tile",
    "Only the first tile of your map is filled. Does the `return` stand inside a loop?",
    _tiled(origins=lambda size, tile, align: [0]),
)


@PREDICT_TILED.mistake("label map")
def _(model, image, tile):
    """Your map holds a class for each pixel. Asked are the probabilities of both classes."""
    return _predict_tiled(model, image, tile).argmax(dim=0)


# --- blend_tiles ------------------------------------------------------------------------------------------------------

Place = tuple[int, int]


def _upper_left(tile: Array, h: int, w: int) -> Array:
    return tile[:h, :w]


def _lower_right(tile: Array, h: int, w: int) -> Array:
    return tile[tile.shape[0] - h :, tile.shape[1] - w :]


def _blended(
    put: Callable[[Array, Array, Array, Array], None] | None = None,
    finish: Callable[[Array, Array, Array], Array] = lambda total, weight, count: total / weight,
    where: Callable[[Place, Place, Place], Place] = lambda place, tile, shape: place,
    cut: Callable[[Array, int, int], Array] = _upper_left,
    cut_importance: Callable[[Array, int, int], Array] | None = None,
) -> Callable[..., Array]:
    """The stamps of the solution by other rules: how a tile's part and its importance come to what is there, what is
    made of the sums at the end, where a tile lies, and what of it and of its importance is in the image.

    `put` gets what lies in the tile's window of the total and of the weight, then the tile's part and its importance.
    """

    def add(total: Array, weight: Array, tile: Array, importance: Array) -> None:
        total += importance * tile
        weight += importance

    def blend(tiles: Array, places: list[Place], shape: Place, importance: Array) -> Array:
        total, weight, count = np.zeros(shape), np.zeros(shape), np.zeros(shape)
        for tile, place in zip(tiles.astype(float), places, strict=True):
            i, j = where(place, tile.shape, shape)
            window = slice(i, i + tile.shape[0]), slice(j, j + tile.shape[1])
            h, w = total[window].shape
            count[window] += 1
            (put or add)(total[window], weight[window], cut(tile, h, w), (cut_importance or cut)(importance, h, w))
        return finish(total, weight, count)

    return blend


def _blend_tiles(tiles: Array, places: list[Place], shape: Place, importance: Array) -> Array:
    total, weight = np.zeros(shape), np.zeros(shape)
    h, w = importance.shape
    for tile, (i, j) in zip(tiles, places, strict=True):
        inside = np.s_[: shape[0] - i, : shape[1] - j]
        total[i : i + h, j : j + w] += (importance * tile)[inside]
        weight[i : i + h, j : j + w] += importance[inside]
    return total / weight


def _blend_cases(rng: np.random.Generator) -> list[Case]:
    def case(name: str, tile: Place, steps: Place, numbers: Place, beyond: Place = (0, 0)) -> Case:
        """Tiles in rows and columns, in any order. The last ones reach so far beyond the image."""
        places = [(i * steps[0], j * steps[1]) for i in range(numbers[0]) for j in range(numbers[1])]
        shape = [(n - 1) * step + side - b for n, step, side, b in zip(numbers, steps, tile, beyond, strict=True)]
        places = [places[n] for n in rng.permutation(len(places))]
        tiles = rng.normal(size=(len(places), *tile)) + rng.choice([-2, 2])
        return Case(name, (tiles, places, tuple(shape), rng.uniform(0.2, 3, tile)))

    row = np.array([[[2, 2, 2, 2]], [[6, 6, 6, 6]]])
    ramp = np.array([[1, 3, 3, 1]])
    four = np.array([0, 4, 8, 12])[:, None, None] * np.ones((3, 3), int)
    hill = np.array([[1, 2, 1], [2, 4, 2], [1, 2, 1]])
    return [
        Case("two tiles in a row", (row, [(0, 0), (0, 2)], (1, 6), ramp), group="visible"),
        Case("the last tile reaches beyond the image", (row, [(0, 0), (0, 2)], (1, 5), ramp), group="visible"),
        Case("four tiles", (four, [(0, 0), (0, 2), (2, 0), (2, 2)], (5, 5), hill), group="visible"),
        case("tiles of 3×4 in two rows and two columns", (3, 4), (2, 2), (2, 2)),
        case("tiles of 3×2, beyond the image below", (3, 2), (1, 1), (3, 2), beyond=(1, 0)),
        case("tiles of 2×4 that overlap more than twice", (2, 4), (1, 1), (2, 3), beyond=(0, 2)),
        case("tiles of 5×4 in three rows and two columns", (5, 4), (3, 2), (3, 2), beyond=(2, 1)),
        case("tiles of 4×6, beyond the image on both sides", (4, 6), (3, 4), (2, 3), beyond=(2, 3)),
        case("tiles side by side", (3, 4), (3, 4), (2, 2), beyond=(1, 1)),
    ]


BLEND_TILES = Exercise(
    name="blend_tiles",
    points=2,
    reference=_blend_tiles,
    cases=_blend_cases,
    linear="tiles",
    forbidden=("unet_edu.tiling.*", "unet_edu.transposed.*", "monai.*", "torch.*.[fF]old", "torch.*conv_transpose*"),
)


def _overwrite(total: Array, weight: Array, tile: Array, importance: Array) -> None:
    total[:], weight[:] = tile, 1


def _most_important(total: Array, weight: Array, tile: Array, importance: Array) -> None:
    is_more = importance > weight
    total[is_more], weight[is_more] = tile[is_more], importance[is_more]


def _in_turn(total: Array, weight: Array, tile: Array, importance: Array) -> None:
    total[:] = np.where(weight > 0, (total + tile) / 2, tile)
    weight[:] = 1


def _keep(total: Array, weight: Array, tile: Array, importance: Array) -> None:
    total[:] = np.where(weight > 0, total, tile)
    weight[:] = 1


def _divided(total: Array, weight: Array, tile: Array, importance: Array) -> None:
    total += importance * tile
    weight += importance
    total /= weight


def _below_the_line(total: Array, weight: Array, tile: Array, importance: Array) -> None:
    total += tile
    weight += importance


def _alike(total: Array, weight: Array, tile: Array, importance: Array) -> None:
    total += tile
    weight += 1


BLEND_TILES.mistake(
    "later over earlier",
    "Where tiles overlap, only the last one is left. All of them have a say: add.",
    _blended(_overwrite, finish=lambda total, weight, count: total),
)
BLEND_TILES.mistake(
    "only added",
    "You add up the weighted tiles. A mean divides, too: by the sum of the importances that lie on the pixel.",
    _blended(finish=lambda total, weight, count: total),
)
BLEND_TILES.mistake(
    "divided by the number of tiles",
    "You divide by how many tiles lie on a pixel. Some weigh more than others: divide by the sum of their importances.",
    _blended(finish=lambda total, weight, count: total / count),
)
BLEND_TILES.mistake(
    "plain mean",
    "That is the plain mean: all tiles count alike. Multiply each by its importance, and divide by the sum of these.",
    _blended(_alike),
)
BLEND_TILES.mistake(
    "importance below the line alone",
    "You divide by the sum of the importances, but above the line the tiles are not multiplied by them.",
    _blended(_below_the_line),
)
BLEND_TILES.mistake(
    "averaged one after the other",
    "You take the mean of what is there and of the new tile, again and again. Of three tiles the first then counts "
    "only a quarter. Sum up first, and divide once, at the end.",
    _blended(_in_turn, finish=lambda total, weight, count: total),
)
BLEND_TILES.mistake(
    "most important tile alone",
    "You take, at each pixel, the most important tile alone. Then there is a seam where it changes. All tiles have a "
    "say, in proportion to their importance.",
    _blended(_most_important, finish=lambda total, weight, count: total),
)
BLEND_TILES.mistake(
    "tiles pushed back",
    "You pushed the last tiles back into the image. They lie where they lie, and what reaches beyond the image is cut "
    "off.",
    _blended(
        where=lambda place, tile, shape: tuple(min(i, n - m) for i, m, n in zip(place, tile, shape, strict=True))  # type: ignore[arg-type,return-value]
    ),
)
BLEND_TILES.mistake(
    "cut off at the other end",
    "Of a tile that reaches beyond the image you keep the wrong end. Its upper left pixel lies at its place; cut off "
    "what is below and on the right.",
    _blended(cut=_lower_right),
)
BLEND_TILES.mistake(
    "tile cut off at the other end",
    "Where a tile reaches beyond the image, its importance is cut rightly, but of the tile you keep the wrong end: "
    "[:h, :w] of both.",
    _blended(cut=_lower_right, cut_importance=_upper_left),
)
BLEND_TILES.mistake(
    "importance cut off at the other end",
    "Where a tile reaches beyond the image, the tile is cut rightly, but of the importance you keep the wrong end: "
    "[:h, :w] of both.",
    _blended(cut_importance=_lower_right),
)
BLEND_TILES.mistake(
    "added without weights",
    "You add the tiles up as they are. Multiply each by its importance, and divide by the sum of these.",
    _blended(_below_the_line, finish=lambda total, weight, count: total),
)
BLEND_TILES.mistake(
    "earlier over later",
    "Where tiles overlap, only the first one is there. All of them have a say: add.",
    _blended(_keep, finish=lambda total, weight, count: total),
)
BLEND_TILES.mistake(
    "divided at each tile",
    "You divide after each tile, so where tiles overlap an earlier one is divided again and again. Sum up first, and "
    "divide once, behind the loop.",
    _blended(_divided, finish=lambda total, weight, count: total),
)
BLEND_TILES.mistake(
    "places counted in tiles",
    "You multiply the places by the size of a tile. They are pixels of the image already: at [i, j] lies the tile's "
    "upper left pixel.",
    _blended(where=lambda place, tile, shape: (place[0] * tile[0], place[1] * tile[1])),
)


@BLEND_TILES.mistake("tiles that reach beyond left out")
def _(tiles: Array, places: list[Place], shape: Place, importance: Array) -> Array:
    """You leave out the tiles that reach beyond the image. What lies in the image counts: cut off the rest."""
    h, w = importance.shape
    inside = [n for n, (i, j) in enumerate(places) if i + h <= shape[0] and j + w <= shape[1]]
    return _blended()(tiles[inside], [places[n] for n in inside], shape, importance)


@BLEND_TILES.mistake("importance of the whole tile")
def _(tiles: Array, places: list[Place], shape: Place, importance: Array) -> Array:
    """You divide by the sum over the whole importance map, everywhere by the same number. Divide each pixel by what
    lies on it."""
    return _blended(finish=lambda total, weight, count: total / importance.sum())(tiles, places, shape, importance)


@BLEND_TILES.mistake("beyond the image not cut off")
def _(tiles: Array, places: list[Place], shape: Place, importance: Array) -> Array:
    """Your answer is larger than the image where tiles reach beyond it. Cut it to `shape`."""
    h, w = importance.shape
    larger = max(shape[0], *(i + h for i, _ in places)), max(shape[1], *(j + w for _, j in places))
    return _blend_tiles(tiles, places, larger, importance)


@BLEND_TILES.mistake("only the first tile")
def _(tiles: Array, places: list[Place], shape: Place, importance: Array) -> Array:
    """Only the first tile is in your answer. Does the `return` stand inside the loop?"""
    one = _blended(finish=lambda total, weight, count: np.divide(total, weight, out=total, where=weight > 0))
    return one(tiles[:1], places[:1], shape, importance)


LESSON = Lesson(
    folder="08_tiles",
    set_up="""\
import numpy as np
import torch
from unet_edu import check
from unet_edu.unet import UNet
""",
    exercises=(MIRROR_PAD, TILE_ORIGINS, PREDICT_TILED, BLEND_TILES),
)
