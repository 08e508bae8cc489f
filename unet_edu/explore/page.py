"""Explorers that compute in the page: an output of HTML that carries its own program, so that it answers wherever a
page may run a script, with Python or without."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import asdict
from html import escape
from pathlib import Path
from typing import Any

from unet_edu.explore.fields import described
from unet_edu.explore.picture import Picture, show_still

__all__ = ["STYLES", "TO_PLAY", "Page", "bundled", "html"]

# It stands there until the explorer has mounted, and for ever where nothing may run.
TO_PLAY = "To play, run all cells down to this one."
HERE = Path(__file__).parent
STYLES = "scene.css controls.css"  # of explorers of grids
IMPORT = re.compile(r'^import \{ [\w, ]+ \} from "(\.[\w./]+)";\n', re.MULTILINE)
EXPORT = re.compile(r"^export (?=(?:async )?function|const|class)", re.MULTILINE)


def bundled(name: str) -> str:
    """A JavaScript module and all that it imports, one after the other, as one text without imports.

    An output of a notebook has no place from which a second file could be asked. The modules then share their names,
    so no two may have the same; the browser refuses a text where they do.

    Parameters
    ----------
    name : str
        A file of this folder, "scene.js". Its imports stand at the beginnings of lines, without `as`.
    """
    return "\n".join(EXPORT.sub("", IMPORT.sub("", path.read_text())) for path in _needed(HERE / name, []))


def _needed(path: Path, found: list[Path]) -> list[Path]:
    """The files that a module needs, each once and before those that need it; the module itself is the last."""
    for name in IMPORT.findall(path.read_text()):
        _needed((path.parent / name).resolve(), found)
    if path not in found:
        found.append(path)
    return found


def html(module: str, styles: str, data: Any) -> str:
    """An explorer that mounts itself.

    Parameters
    ----------
    module : str
        A file of this folder that exports `mount(root, data)`.
    styles : str
        Its style sheets, with spaces between them.
    data : JSON
        What it begins with.
    """
    stored = json.dumps(data, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")
    style = "".join((HERE / name).read_text() for name in styles.split())
    return "\n".join(
        [
            f'<div class="unet-page" data-module="{escape(module)}">',
            f"<p>{TO_PLAY}</p>",
            f'<script type="application/json">{stored}</script>',
            f"<style>{style}</style>",
            f"<script>(() => {{\n{bundled('still.js')}\n{bundled(module)}\n{START % module}\n}})();</script>",
            "</div>",
        ]
    )


# A plain script, which runs in the moment when it comes onto the page; a module would run later, when a notebook may
# have taken the cell off the page again, because it was scrolled away. All that wait are mounted, because the same
# output may stand there twice; each once, because a cell that is scrolled back comes with what it had.
START = """
for (const place of document.querySelectorAll('.unet-page[data-module="%s"]:not(.is-live)')) {
  place.classList.add("is-live");
  const root = document.createElement("div");
  place.append(root);
  const data = JSON.parse(place.querySelector('script[type="application/json"]').textContent);
  const words = place.querySelector("p");
  new Promise((done) => done(mount(root, data))).then(
    () => (words?.remove(), hideStill(place)), // a copy of an output that has mounted comes without them
    (error) => {
      root.remove();
      const why = `This explorer does not run here: ${error.message}. The picture shows how it begins.`;
      if (words) words.textContent = why;
      throw error; // for the browser's console
    },
  );
}"""


class Page:
    """An explorer that computes in the page, and a picture for where nothing may run: two outputs of a cell.

    Parameters
    ----------
    state : frozen dataclass
        Where it begins. Its fields declare the controls.
    picture : function from state to Picture
    module : str
        A file of this folder that exports `mount(root, data)`, with `data.state` and `data.fields`.
    styles : str
        Its style sheets, with spaces between them.
    **more : JSON
        What else the module needs, in `data`.
    """

    def __init__(self, state: Any, picture: Callable[[Any], Picture], module: str, styles: str, **more: Any) -> None:
        self.state, self.picture, self.module, self.styles = state, picture, module, styles
        self.data = {"state": asdict(state), "fields": described(state), **more}

    @property
    def html(self) -> str:
        return html(self.module, self.styles, self.data)

    def _ipython_display_(self) -> None:
        from IPython.display import display

        picture = self.picture(self.state)
        show_still(picture.figure, picture.alt, f"{picture.alt}\n{picture.digest}")
        display({"text/html": self.html}, raw=True)
