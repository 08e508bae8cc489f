"""Explorers that compute in the page: an output of HTML that carries its own program, so that it answers wherever a
page may run a script, with Python or without."""

from __future__ import annotations

import json
import re
from html import escape
from pathlib import Path
from typing import Any

__all__ = ["bundled", "html"]

HERE = Path(__file__).parent
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


def html(module: str, style: str, data: Any, words: str) -> str:
    """An explorer that mounts itself.

    Parameters
    ----------
    module : str
        A file of this folder that exports `mount(root, data)`.
    style : str
        Its style sheet.
    data : JSON
        What it begins with.
    words : str
        What stands there until it has mounted, and for ever where nothing may run.
    """
    stored = json.dumps(data, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")
    return "\n".join(
        [
            f'<div class="unet-page" data-module="{escape(module)}">',
            f"<p>{escape(words)}</p>",
            f'<script type="application/json">{stored}</script>',
            f"<style>{(HERE / style).read_text()}</style>",
            f'<script type="module">{bundled("still.js")}\n{bundled(module)}\n{START % module}</script>',
            "</div>",
        ]
    )


# All that wait on the page, because the same output may stand there twice; each mounts once.
START = """
for (const place of document.querySelectorAll('.unet-page[data-module="%s"]:not(.is-live)')) {
  place.classList.add("is-live");
  const root = document.createElement("div");
  place.append(root);
  hideStill(place);
  mount(root, JSON.parse(place.querySelector('script[type="application/json"]').textContent));
  place.querySelector("p").remove();
}"""
