"""Loops: pictures that follow each other, which a notebook shows wherever it is opened, without Python.

A loop is one animated PNG, and each program that shows PNG shows it. Where nothing can move its first picture stands,
which is the one that tells most by itself.

Who shows what:

- JupyterLab, Colab, VS Code, GitHub, nbviewer, nbconvert and the book show it as an `<img>`, and browsers play it.
- What reads the first picture of a PNG alone (LaTeX and so PDF, most image programs) gets the still one.
- Readers whose system asks for less motion get the still one in JupyterLab, Colab, VS Code, the book and pages of
  nbconvert, by a style sheet in the output below; and so does everybody for as long as "In words" is open: whoever
  wants it to stand still opens that line.
- GitHub, and JupyterLab before a notebook is trusted, take style sheets out. There it moves for all: slowly, without
  flicker, and with a pause after each round.

Why not something else: a GIF is larger and is shown by no more of them; JupyterLab does not show SVG before a notebook
is trusted (https://github.com/jupyterlab/jupyterlab/issues/9650), Colab embeds none in a text
(https://github.com/googlecolab/colabtools/issues/2092); of HTML GitHub leaves neither styles nor programs
(https://github.com/karolzak/ipyplot/issues/3), so a `<picture>` with a still one beside it could be lost there.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from numpy.typing import ArrayLike, NDArray
from PIL import Image
from scipy.spatial import KDTree

from unet_edu.figures.palette import INK, PAPER, ROLES
from unet_edu.figures.panels import FONT, rectangle, write
from unet_edu.figures.scene import number
from unet_edu.figures.shown import digests, show_picture

__all__ = ["Film", "Loop"]

CELL = 0.5  # inches: the side of a cell with a number
GAP = 0.42  # between a grid and what is beside it
MARGIN = 0.2
TITLE = 0.36  # room for what stands above a grid
LINE = 0.24  # from one line of text to the next
GLIDE = 0.07  # seconds that a picture of a movement stands
GREYS, MANY = 32, 80  # colours of a whole loop

# A still picture in the place of the one that moves, where a style sheet can put it: for readers who ask for less
# motion, and while "In words" is open. An output is .jp-OutputArea-child in JupyterLab and in pages of nbconvert,
# .output_container in VS Code, a child of #output-body on Colab.
OUTPUT = ":is(.jp-OutputArea-child, .output_container, #output-body > div)"
STYLE = f"""<style>
{OUTPUT}:has(+ {OUTPUT} .unet-still + .unet-words[open]) {{ display: none }}
{OUTPUT} .unet-still:has(+ .unet-words[open]) {{ display: block !important }}
@media (prefers-reduced-motion: reduce) {{
{OUTPUT}:has(+ {OUTPUT} .unet-still) {{ display: none }}
{OUTPUT} .unet-still {{ display: block !important }}
}}
</style>"""


class Loop:
    """Pictures that follow each other, over and over, as one animated PNG with its words in a closed line below.

    It shows itself as the last line of a notebook's cell, as `Shown` does. The last picture stands longest, so that the
    loop comes to rest before it begins again.

    Parameters
    ----------
    frames : sequence of matplotlib Figures
        All of one size.
    words : str
        What there is to see, for someone who does not see it.
    seconds : float
        How long one round takes: 3 to 8.
    holds : sequence of float, optional
        How long each picture stands, compared with the others. All the same when left out, and the last one for a
        quarter of the time.
    still : int
        The number of the picture that tells most by itself. It stands where nothing moves.
    **values : array
        The data that was drawn, by name: at least one. A later run is compared with it, not with pixels.

    Raises
    ------
    ValueError
        When there are no words or no values, fewer than two pictures, or as many holds as there are no pictures.

    Examples
    --------
    >>> Loop([Figure(), Figure()], "A white diagonal, and nothing.", eye=np.eye(3))
    A white diagonal, and nothing.
    eye: shape (3, 3), from 0 to 1, mean 0.3333, centre (1, 1)
    """

    def __init__(
        self,
        frames: Iterable[Figure],
        words: str,
        seconds: float = 5,
        *,
        holds: Sequence[float] | None = None,
        still: int = -1,
        **values: ArrayLike,
    ) -> None:
        self.frames = list(frames)
        if not words.strip() or not values:
            raise ValueError("words, values: expected what there is to see, and at least one array that was drawn")
        if holds is None:
            holds = [1.0] * (len(self.frames) - 1) + [max(1.0, (len(self.frames) - 1) / 3)]
        if len(self.frames) < 2 or len(holds) != len(self.frames):
            raise ValueError(
                f"frames, holds: expected two or more, as many of both, got {len(self.frames)} and {len(holds)}"
            )
        self.words, self.values, self.still = words, values, still
        self.milliseconds = [round(1000 * seconds * hold / sum(holds)) for hold in holds]

    def __repr__(self) -> str:
        return f"{self.words}\n{digests(self.values)}"

    def _ipython_display_(self) -> None:
        moving, still, (width, height) = self.pngs()
        data = base64.b64encode(still).decode()
        standing = (
            '<div class="unet-still" role="img" aria-label="The picture above, standing still" style="display: none; '
            f"max-width: 100%; width: {width}px; aspect-ratio: {width} / {height}; "
            f'background: url(data:image/png;base64,{data}) 0 0 / contain no-repeat"></div>'
        )
        show_picture("image/png", moving, self.words, digests(self.values), STYLE + standing)

    def pngs(self) -> tuple[bytes, bytes, tuple[int, int]]:
        """The loop and its still picture, each as a PNG, and their width and height in pixels.

        The still picture is the loop's own first one, too, for whatever reads no further. It is no part of the round.
        """
        frames = _with_one_palette([pixels_of(frame) for frame in self.frames])
        still = frames[self.still]
        moving, standing = io.BytesIO(), io.BytesIO()
        still.save(standing, "png", optimize=True)
        still.save(
            moving,
            "png",
            optimize=True,
            save_all=True,
            default_image=True,
            append_images=frames,
            duration=self.milliseconds,
            loop=0,
        )
        return moving.getvalue(), standing.getvalue(), still.size


def pixels_of(figure: Figure) -> NDArray[np.uint8]:
    """A figure as red, green and blue, (H, W, 3)."""
    drawn = FigureCanvasAgg(figure)
    drawn.draw()
    return np.asarray(drawn.buffer_rgba())[..., :3].copy()


def _with_one_palette(frames: Sequence[NDArray[np.uint8]]) -> list[Image.Image]:
    """Pictures of few colours, the same for all: then the file says only what changes from one to the next.

    A third are the colours that most pixels have, as they are; a third cover the rare ones; a few are greys.
    """
    codes = [frame @ np.array([1 << 16, 1 << 8, 1]) for frame in frames]
    place = np.zeros(1 << 24, np.int32)
    for code in codes:
        place[code] = 1
    different = np.flatnonzero(place)  # few beside all pixels
    place[different] = np.arange(len(different))
    codes = [place[code] for code in codes]
    seen = np.stack([different >> 16, different >> 8 & 255, different & 255], axis=-1).astype(np.uint8)
    often = sum(np.bincount(code.ravel(), minlength=len(seen)) for code in codes) * (np.ptp(seen, axis=1) > 0)
    most = seen[np.argsort(-often, kind="stable")[:MANY]]
    rare = Image.fromarray(seen[None]).quantize(MANY, Image.Quantize.MAXCOVERAGE).getpalette() or []
    greys = np.linspace(0, 255, GREYS).round().repeat(3)
    palette = np.concatenate([greys, most.ravel(), rare]).reshape(-1, 3)
    nearest = KDTree(palette).query(seen)[1].astype(np.uint8)
    pictures = [Image.fromarray(nearest[code]) for code in codes]
    for picture in pictures:
        picture.putpalette(palette.astype(np.uint8).tobytes())
    return pictures


class Film:
    """The pictures of a loop as they are drawn one after the other, and for how many seconds each stands."""

    def __init__(self) -> None:
        self.frames: list[Figure] = []
        self.holds: list[float] = []

    def add(self, frame: Figure, hold: float) -> int:
        self.frames.append(frame)
        self.holds.append(hold)
        return len(self.frames) - 1

    def loop(self, words: str, still: int = -1, **values: ArrayLike) -> Loop:
        return Loop(self.frames, words, sum(self.holds), holds=self.holds, still=still, **values)


def steps(count: int) -> Iterator[float]:
    """From 0 to 1, both left out: slowly, faster, slowly."""
    for step in range(1, count):
        part = step / count
        yield part * part * (3 - 2 * part)


def between(start: tuple[float, float], end: tuple[float, float], part: float) -> tuple[float, float]:
    return start[0] + part * (end[0] - start[0]), start[1] + part * (end[1] - start[1])


def draw_grid(
    axes: Axes,
    at: tuple[float, float],
    texts: NDArray[Any],
    role: str,
    title: str = "",
    *,
    lit: NDArray[np.bool_] | None = None,
    faint: NDArray[np.bool_] | None = None,
    corners: NDArray[Any] | None = None,
    corner: str = ROLES["kernel"].line,
    cell: float = CELL,
    layer: float = 1,
    longest: int = 3,
) -> None:
    """A grid as the explorers draw it: white cells, filled and thickly outlined where they are lit.

    Its letters have one size through a whole loop: that of its longest text, which is known beforehand.
    """
    rows, columns = texts.shape
    colour = ROLES[role]
    points = min(11, 0.88 * cell * 72 / (0.64 * longest))
    for i, j in np.ndindex(rows, columns):
        is_lit, is_faint = lit is not None and lit[i, j], faint is not None and faint[i, j]
        x, y = at[0] + j * cell, at[1] + i * cell
        edge = colour.line if not is_faint else ROLES["neutral"].line
        width = 2 if is_lit else 0.3 if is_faint else 0.7
        rectangle(axes, (x, y), cell, cell, colour.fill if is_lit else PAPER, edge, width, zorder=layer + 0.5 * is_lit)
        ink = ROLES["neutral"].line if is_faint else INK
        if texts[i, j]:
            how: dict[str, Any] = {"va": "center_baseline", "zorder": layer + 1}
            write(axes, x + cell / 2, y + cell / 2, str(texts[i, j]), points, ink, **how)
        if corners is not None and corners[i, j]:
            how = {"ha": "right", "va": "bottom", "zorder": layer + 1}
            write(axes, x + 0.92 * cell, y + 0.94 * cell, str(corners[i, j]), 8, corner, **how)
    if title:
        left: dict[str, Any] = {"ha": "left", "va": "bottom", "fontweight": "bold"}
        write(axes, at[0], at[1] - 0.08, title, 10, colour.line, **left)


def texts_of(values: ArrayLike) -> NDArray[Any]:
    """Numbers as they are written in cells."""
    values = np.asarray(values)
    return np.array([number(value) for value in values.ravel()], dtype=object).reshape(values.shape)


def window(axes: Axes, at: tuple[float, float], rows: float, columns: float, role: str, cell: float = CELL) -> None:
    """A window: a thick outline."""
    rectangle(axes, at, columns * cell, rows * cell, None, ROLES[role].line, 3, zorder=6)


def say(axes: Axes, left: float, top: float, text: str, points: float = 10.5, **how: Any) -> None:
    axes.text(left, top, text, fontsize=points, ha="left", va="center", **(FONT | how))


def where(place: Sequence[int], rows: int, columns: int) -> str:
    """A place in words, where there are few of them: "the top left"."""
    i, j = place
    if rows == columns == 2:
        return f"the {('top', 'bottom')[i]} {('left', 'right')[j]}"
    return f"row {i}, column {j}"


def in_words(values: ArrayLike) -> str:
    """A grid of numbers in words, row after row."""
    return "; ".join(", ".join(row) for row in texts_of(values))


def side_by_side(*grids: NDArray[Any]) -> tuple[list[float], list[float], float]:
    """The left and the upper ends of grids that stand in a line, and how far down their middle is, in inches."""
    lefts = [MARGIN]
    for grid in grids[:-1]:
        lefts.append(lefts[-1] + grid.shape[1] * CELL + GAP)
    middle = MARGIN + TITLE - 0.1 + max(len(grid) for grid in grids) * CELL / 2
    return lefts, [middle - len(grid) * CELL / 2 for grid in grids], middle
