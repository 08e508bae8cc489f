"""Drawn cells: pictures with a perfect truth, as many as one likes. Lessons 00 and 07.

Nobody has to annotate these, so they are good to learn on; and nothing in them is a surprise, so they prove little.
Lesson 09 goes to real ones. Two looks:

- fluorescence: bright nuclei on a dark ground, as in the Data Science Bowl of 2018. Light is uneven, and some lie out
  of focus.
- phase: living cells in phase contrast, as in the film PhC-U373. A cell is about as grey as its ground; what shows it
  is its rim, its grain, and the bright halo around it.

Many cells touch. Where they do, one sees at most a faint line, and a threshold takes them for one.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from unet_edu._arguments import pair, whole
from unet_edu.data.elastic import displacement_from

__all__ = ["LOOKS", "synthetic_cells"]

Plane = NDArray[np.float64]

LOOKS = ("phase", "fluorescence")
RADII = (8.0, 13.0)  # pixels: half of a cell's mean width
LONGEST = 1.3  # a cell is at most 1.3² times as long as wide
NEIGHBOURS = 0.65  # how many cells are laid beside another one; the others fall anywhere
CLOSEST = 0.84  # how much nearer two cells come than where ellipses would touch: they press flat against each other
TRIES = 200  # to find a place for one cell before the picture counts as full
SMALLEST = 20  # pixels: of a cell at the edge, less than that is not drawn


class _Cell(NamedTuple):
    """An ellipse: its centre, and the matrix that makes a unit circle of it. Plain floats, for speed."""

    row: float
    column: float
    to_circle: tuple[tuple[float, float], tuple[float, float]]

    def radius(self, down: float, right: float) -> float:
        """From the centre to the rim in the direction of this unit vector."""
        (a, b), (c, d) = self.to_circle
        return 1 / math.hypot(a * down + b * right, c * down + d * right)


def synthetic_cells(
    seed: int | np.random.Generator, shape: tuple[int, int] = (128, 128), *, cells: int = 12, look: str = "phase"
) -> tuple[NDArray[np.float32], NDArray[np.int32]]:
    """Draw cells, and say which pixel belongs to which.

    Parameters
    ----------
    seed : int or numpy Generator
        The same int gives the same picture. A Generator is drawn from, so it gives a new one each time.
    shape : (H, W)
    cells : int
        How many to lay, each about 20 pixels wide. Fewer come where no more find room; some lie across the edge.
    look : "phase" or "fluorescence"

    Returns
    -------
    image : (H, W) array of float32
        From 0 (black) to 1 (white).
    instances : (H, W) array of int32
        0 is the background, 1 … n one number a cell. Each cell is in one piece.

    Raises
    ------
    TypeError, ValueError
        When an argument is none of these.

    References
    ----------
    Lesson 07, where a U-Net learns to tell the cells apart.
    """
    if look not in LOOKS:
        raise ValueError(f"look: expected one of {', '.join(map(repr, LOOKS))}, got {look!r}")
    rng = seed if isinstance(seed, np.random.Generator) else np.random.default_rng(whole("seed", seed, 0))
    H, W = pair("shape", shape, least=1)
    instances, depth = _outlines(rng, (H, W), _lay(rng, (H, W), whole("cells", cells, 0)))
    image = (_phase if look == "phase" else _fluorescence)(rng, instances, depth)
    return np.clip(image, 0, 1).astype(np.float32), instances


def _lay(rng: np.random.Generator, shape: tuple[int, int], cells: int) -> list[_Cell]:
    """Find places for cells, so that none lies on another, and many lie against each other."""
    laid: list[_Cell] = []
    while len(laid) < cells:
        for _ in range(TRIES):
            cell = _anywhere(rng, shape)
            if laid and rng.random() < NEIGHBOURS:
                cell = _beside(rng, laid[rng.integers(len(laid))], cell)
            if 0 <= cell.row < shape[0] and 0 <= cell.column < shape[1] and _is_free(cell, laid):
                laid.append(cell)
                break
        else:
            break  # full
    return laid


def _anywhere(rng: np.random.Generator, shape: tuple[int, int]) -> _Cell:
    radius, stretch, angle = rng.uniform(*RADII), rng.uniform(1, LONGEST), rng.uniform(0, np.pi)
    cos, sin = math.cos(angle), math.sin(angle)
    short, long = radius / stretch, radius * stretch
    row, column = rng.uniform(0, shape).tolist()
    return _Cell(row, column, ((cos / short, -sin / short), (sin / long, cos / long)))


def _beside(rng: np.random.Generator, other: _Cell, cell: _Cell) -> _Cell:
    """The same cell, laid against another one."""
    angle = rng.uniform(0, 2 * np.pi)
    down, right = math.sin(angle), math.cos(angle)
    distance = rng.uniform(CLOSEST, 1) * (other.radius(down, right) + cell.radius(down, right))
    return cell._replace(row=other.row + distance * down, column=other.column + distance * right)


def _is_free(cell: _Cell, laid: list[_Cell]) -> bool:
    for other in laid:
        down, right = cell.row - other.row, cell.column - other.column
        distance = math.hypot(down, right)
        if distance > 2 * LONGEST * RADII[1]:
            continue  # quickly, as it is true of most
        if distance == 0:
            return False
        down, right = down / distance, right / distance
        if distance < CLOSEST * (cell.radius(down, right) + other.radius(down, right)):
            return False
    return True


def _outlines(rng: np.random.Generator, shape: tuple[int, int], cells: list[_Cell]) -> tuple[NDArray[np.int32], Plane]:
    """Which pixel is whose, and how deep inside: 1 in the centre of a cell, 0 on its rim and outside.

    The ellipses are bent, or else they would look drawn. A pixel inside of two belongs to the one in which it lies
    deeper: cells press flat against each other.
    """
    arrows = tuple(side // 16 + 2 for side in shape)
    bent = np.indices(shape) + displacement_from(rng.normal(0, 2.2, (2, *arrows)), shape)
    instances, nearest = np.zeros(shape, np.int32), np.ones(shape)
    for n, cell in enumerate(cells, start=1):
        reach = 3 * RADII[1]
        rows, columns = (slice(max(0, int(c - reach)), int(c + reach)) for c in (cell.row, cell.column))
        y, x = bent[0, rows, columns] - cell.row, bent[1, rows, columns] - cell.column
        (a, b), (c, d) = cell.to_circle
        distance = (a * y + b * x) ** 2 + (c * y + d * x) ** 2
        is_nearer = distance < nearest[rows, columns]
        instances[rows, columns][is_nearer] = n
        nearest[rows, columns][is_nearer] = distance[is_nearer]
    instances = _whole_pieces(instances, len(cells))
    return instances, np.where(instances > 0, 1 - nearest, 0)


def _whole_pieces(instances: NDArray[np.int32], cells: int) -> NDArray[np.int32]:
    """Of each cell its largest piece; the cells numbered anew without gaps."""
    from scipy import ndimage

    kept, last = np.zeros_like(instances), 0
    for n, box in enumerate(ndimage.find_objects(instances, cells), start=1):
        if box is None:
            continue
        pieces, _ = ndimage.label(instances[box] == n)
        sizes = np.bincount(pieces.ravel())
        sizes[0] = 0
        if sizes.max() >= SMALLEST:
            last += 1
            kept[box][pieces == sizes.argmax()] = last
    return kept


def _fluorescence(rng: np.random.Generator, instances: NDArray[np.int32], depth: Plane) -> Plane:
    """Nuclei that shine: a dye in their chromatin, seen with one sharp plane, uneven light and few photons."""
    shape, cells = instances.shape, int(instances.max())
    brightness = np.append(0, rng.uniform(0.45, 1.0, cells))[instances]
    chromatin = 1 + 0.16 * _texture(rng, shape, 1.6) + 0.10 * _texture(rng, shape, 4)
    nuclei = brightness * chromatin * (0.55 + 0.45 * np.sqrt(depth)) * (1 - 0.5 * _seams(instances))
    out_of_focus = (rng.random(cells + 1) < 0.25)[instances]
    sharp, soft = _blurred(np.where(out_of_focus, 0, nuclei), 0.8), _blurred(np.where(out_of_focus, nuclei, 0), 1.7)
    light = 0.06 + sharp + soft + 0.25 * _blurred(nuclei, 12)
    seen = 0.75 * _uneven(rng, shape, 0.25) * light
    return seen + rng.normal(0, 1, shape) * (0.012 + 0.035 * np.sqrt(seen))


def _phase(rng: np.random.Generator, instances: NDArray[np.int32], depth: Plane) -> Plane:
    """What slows light down is darker than its surroundings: phase contrast shows how a cell differs from the mean.

    So there is a bright halo around each cell, and the middle of a large one is grey again. Some are round and thicker.
    """
    shape, cells = instances.shape, int(instances.max())
    thick = rng.uniform(0.6, 1.1, cells) * np.where(rng.random(cells) < 0.15, 1.7, 1)
    thickness, inside = np.append(0, thick)[instances], instances > 0
    ruffles = np.clip(0.7 + 0.5 * _texture(rng, shape, 2.5), 0, None)
    rim = inside * np.exp(-((depth / 0.18) ** 2)) * ruffles
    nucleus = inside / (1 + np.exp(-(depth - 0.62) / 0.07))
    body = thickness * (0.35 * inside + 0.45 * np.sqrt(depth) + 0.45 * rim) * (1 - 0.4 * _seams(instances))
    body += inside * _texture(rng, shape, 0.8) * (0.08 + 0.2 * nucleus)  # grain
    delay = _blurred(body, 0.6)
    near, far = _blurred(delay, 4.5), _blurred(delay, 14)
    contrast = delay - near + 0.25 * (near - far)
    contrast *= np.where(contrast < 0, 1.35, 1)  # halos are brighter than cells are dark
    seen = 0.4 - 0.6 * contrast + 0.1 * _blurred(nucleus * thickness, 1.5)
    ground = 0.012 * _texture(rng, shape, 9) + 0.006 * _texture(rng, shape, 0.8)
    return _uneven(rng, shape, 0.15) * (seen + ground) + rng.normal(0, 0.012, shape)


def _seams(instances: NDArray[np.int32]) -> Plane:
    """1 along the line where two cells touch, falling to 0 within two pixels."""
    line = np.zeros(instances.shape)
    for here, there in (
        ((slice(1, None), ...), (slice(None, -1), ...)),
        ((..., slice(1, None)), (..., slice(None, -1))),
    ):
        touch = (instances[here] != instances[there]) & (instances[here] > 0) & (instances[there] > 0)
        line[here][touch] = 1
        line[there][touch] = 1
    return np.minimum(1.6 * _blurred(line, 0.9), 1)


def _uneven(rng: np.random.Generator, shape: tuple[int, ...], strength: float) -> Plane:
    """Light that falls off to one side and to the corners: about 1, by up to `strength` less."""
    H, W = shape
    y, x = np.linspace(-1, 1, H)[:, None], np.linspace(-1, 1, W)
    slope = rng.uniform(-1, 1, 2)
    return 1 - strength * ((y**2 + x**2) / 2 + 0.5 + (slope[0] * y + slope[1] * x) / 2) / 2


def _texture(rng: np.random.Generator, shape: tuple[int, ...], width: float) -> Plane:
    """Random blobs about as wide as said, of mean 0 and standard deviation 1."""
    noise = _blurred(rng.standard_normal(shape), width)
    return (noise - noise.mean()) / (noise.std() or 1)


def _blurred(image: NDArray[Any], width: float) -> Plane:
    from scipy import ndimage  # slow to import, and only drawn cells need it

    return ndimage.gaussian_filter(image.astype(np.float64), width, truncate=3)
