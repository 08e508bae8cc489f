"""The U-Net Explainer: the trained network alive in the page, from the whole U to one product. Lessons 00 and 06."""

from __future__ import annotations

import base64
import dataclasses
from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from matplotlib.colors import to_rgb
from numpy.typing import ArrayLike, NDArray

from unet_edu._arguments import numbers
from unet_edu.data.cells import synthetic_cells
from unet_edu.data.networks import EARLY, pretrained
from unet_edu.data.photos import photo
from unet_edu.explore.page import html
from unet_edu.explore.picture import show_still
from unet_edu.explore.unet.export import described
from unet_edu.explore.unet.whole import whole
from unet_edu.figures.palette import CLASSES, ROLES
from unet_edu.sizes import legal_side, level_sides

if TYPE_CHECKING:
    from unet_edu.unet import UNet

__all__ = ["PICTURES", "Explained", "course_page", "pictures", "unet"]

SIDE = 128  # pixels of a picture, or the next larger side that fits
LARGEST = 256  # a picture of more takes the page too long at each change

PICTURES = {
    "phase-0": "cells in phase contrast",
    "phase-1": "other cells in phase contrast",
    "fluorescence-0": "nuclei that shine",
    "fluorescence-1": "other nuclei that shine",
    "coins": "coins from Pompeii",
    "camera": "a man with a camera",
}
"""The pictures to choose from, each with what it shows. The cells are drawn, and no network was trained on them."""

LABELS = {"cells": "trained", "cells_none": "trained without copies", "yours": "your network"}

Network = dict[str, Any]
"""What the page gets of a network: its "name", its "label" for readers, and its "description"."""


def unet(
    model: UNet | None = None, picture: str | ArrayLike = "phase-0", *, copies: Sequence[str] | None = None
) -> Explained:
    """See a whole U-Net compute, in the page: draw on the picture, switch a copy off, go down to one product.

    Parameters
    ----------
    model : UNet, optional
        A trained network of yours: for grey pictures and two classes, with a transposed convolution as its step up; of
        any widths and depth, up to four million parameters. Without it, the network `cells` of the course, and the one
        that was trained without copies.
    picture : str or (H, W) array of real numbers
        The picture to begin with: one of `PICTURES`, or your own, from 0 (black) to 1 (white).
    copies : sequence of "kept" or "zeroed", optional
        What becomes of the copies to begin with, from the top level down.

    Returns
    -------
    Explained
        The last value of a notebook cell shows itself.

    Raises
    ------
    TypeError
        When the model is no UNet, or the picture neither a name nor an array of real numbers.
    ValueError
        When the page cannot show this network or this picture. It says why.

    Examples
    --------
    >>> [network["name"] for network in unet().networks]
    ['cells', 'cells_none']
    """
    shown = (
        {"cells": pretrained("cells"), "cells_none": pretrained("cells_none")} if model is None else {"yours": model}
    )
    networks = [_network(name, network) for name, network in shown.items()]
    first = next(iter(shown.values()))
    _expect_shown(first)
    return Explained(networks, _begun_with(first, picture), first, _expected_copies(first, copies))


def course_page(home: str = "") -> str:
    """The Explainer as a page of its own, with all networks of the course, early ones too.

    Parameters
    ----------
    home : str
        The address to which its title leads; without it the title is no link.
    """
    cells = pretrained("cells")
    early = {f"cells_{step}": pretrained("cells", step) for step in EARLY["cells"]}
    shown = {"cells": cells, **early, "cells_none": pretrained("cells_none")}
    networks = [_network(name, network) for name, network in shown.items()]
    return Explained(networks, _begun_with(cells, "phase-0"), cells, ["kept"] * cells.depth).page(home)


def _network(name: str, model: UNet) -> Network:
    step = name.removeprefix("cells_")
    label = LABELS.get(name) or f"after {step} steps of training"
    return {"name": name, "label": label, "description": described(model)}


def _expect_shown(model: UNet) -> None:
    for name, expected, why in (
        ("in_channels", 1, "the page draws on grey pictures"),
        ("num_classes", 2, "the page shows one probability"),
    ):
        if model.config[name] != expected:
            raise ValueError(
                f"model: expected a network with {name}={expected}, because {why}, got {model.config[name]}"
            )


def _expected_copies(model: UNet, copies: Sequence[str] | None) -> list[str]:
    found = ["kept"] * model.depth if copies is None else list(copies)
    if len(found) != model.depth or not set(found) <= {"kept", "zeroed"}:
        raise ValueError(
            f'copies: expected "kept" or "zeroed" for each of {model.depth} levels from the top down, got {copies!r}'
        )
    return found


def _begun_with(model: UNet, picture: str | ArrayLike) -> list[dict[str, Any]]:
    """The pictures to choose from, all of one size that fits the network; the one to begin with is the first."""
    padding = model.config["padding"]
    if isinstance(picture, str):
        if picture not in PICTURES:
            raise ValueError(f"picture: expected one of {', '.join(PICTURES)}, or an array, got {picture!r}")
        side = legal_side(SIDE, model.depth, padding)
        return sorted(pictures(side, side), key=lambda stored: stored["name"] != picture)
    own = numbers("picture", picture).astype(np.float64)
    if own.ndim != 2 or not own.size or max(own.shape) > LARGEST or not (own.min() >= 0 and own.max() <= 1):
        raise ValueError(
            f"picture: expected at most {LARGEST} × {LARGEST} numbers from 0 (black) to 1 (white), got shape "
            f"{own.shape}" + (f" with numbers from {own.min():.4g} to {own.max():.4g}" if own.size else "")
        )
    for side in own.shape:
        level_sides(side, model.depth, padding)  # says which sides near by fit
    return [_stored("given", "your picture", None, own), *pictures(*own.shape)]


def pictures(rows: int, columns: int) -> list[dict[str, Any]]:
    """Those of `PICTURES`, as the page gets them."""
    found = []
    for name, label in PICTURES.items():
        look, _, number = name.partition("-")
        if number:
            image: NDArray[Any] = synthetic_cells(10_000 + 2 * int(number), (rows, columns), cells=14, look=look)[0]
        else:
            image, look = _photo(name, rows, columns), ""
        found.append(_stored(name, label, look or None, image))
    return found


def _photo(name: str, rows: int, columns: int) -> NDArray[np.float64]:
    """The middle of a photograph, made as small as the others. Of the coins only some, or they were too small."""
    from skimage.transform import resize

    image = photo(name)
    if name == "coins":
        image = image[20:200, 30:210]
    side = min(image.shape[0] / rows, image.shape[1] / columns)
    H, W = int(side * rows), int(side * columns)
    top, left = (image.shape[0] - H) // 2, (image.shape[1] - W) // 2
    return resize(image[top : top + H, left : left + W], (rows, columns), anti_aliasing=True)


def _stored(name: str, label: str, look: str | None, image: NDArray[Any]) -> dict[str, Any]:
    grey = base64.b64encode(np.round(255 * image).astype(np.uint8).tobytes()).decode()
    rows, columns = image.shape
    return {"name": name, "label": label, "look": look, "rows": rows, "columns": columns, "grey": grey}


@dataclasses.dataclass(frozen=True)
class Explained:
    """What `unet` returns: the Explainer, and a picture of it for where nothing runs.

    Parameters
    ----------
    networks : list of dict
        Each with "name", "label" and "description".
    pictures : list of dict
        As `pictures` makes them; the first one is shown first.
    model : UNet
        The first of the networks, for the picture.
    copies : list of str
        As it begins: "kept" or "zeroed", from the top level down.
    """

    networks: list[Network]
    pictures: list[dict[str, Any]]
    model: UNet
    copies: list[str]

    @property
    def data(self) -> dict[str, Any]:
        """What the page begins with, but for `isPage`."""
        return {
            "networks": self.networks,
            "pictures": self.pictures,
            "copies": self.copies,
            "labels": ["background", "cell" if self.model.finds_cells else "class 1"],
            "colours": {role: colour._asdict() for role, colour in ROLES.items()},
            "classes": [[round(255 * part) for part in to_rgb(colour)] for colour in CLASSES],
        }

    @property
    def html(self) -> str:
        """The Explainer as a piece of HTML that needs nothing else."""
        return self._html(is_page=False)

    def _html(self, is_page: bool) -> str:
        data = {**self.data, "isPage": is_page}
        return html("unet/explainer.js", "unet/explainer.css unet/levels.css", data)

    def page(self, home: str = "") -> str:
        """The Explainer as a page of its own, which keeps in its address what was set."""
        back = f'<a href="{escape(home)}">the course</a>' if home else ""
        return PAGE.format(explainer=self._html(is_page=True), back=back)

    def alone(self) -> Explained:
        """The same with the first of the networks only: a quarter of a megabyte for each is much for a front page."""
        return dataclasses.replace(self, networks=self.networks[:1])

    def _ipython_display_(self) -> None:
        from IPython.display import display

        first = self.pictures[0]
        grey = np.frombuffer(base64.b64decode(first["grey"]), np.uint8).reshape(first["rows"], first["columns"]) / 255
        picture = whole(self.model, cast(NDArray[np.float64], grey), first["label"], self.copies)
        show_still(picture.figure, picture.alt, f"{picture.alt}\n{picture.digest}")
        display({"text/html": self.html}, raw=True)


PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" href="data:,">
<title>The U-Net Explainer</title>
<style>
:root {{ color-scheme: light dark; }}
body {{ margin: 0; padding: 8px 12px; font-family: system-ui, sans-serif; background: light-dark(#fbfbf9, #16181c); }}
header {{ display: flex; flex-wrap: wrap; align-items: baseline; gap: 0 14px; margin-bottom: 4px; }}
h1 {{ font-size: 18px; margin: 0; }}
header :is(p, a) {{ margin: 0; font-size: 13px; }}
header a {{ color: light-dark(#00659e, #6cb8e6); margin-inline-start: auto; }}
</style>
<header>
<h1>The U-Net Explainer</h1>
<p>A trained U-Net computes in this page. Draw on the picture; choose a map to look inside.</p>
{back}
</header>
<main>
{explainer}
</main>
</html>
"""
