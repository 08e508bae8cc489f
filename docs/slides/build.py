"""Build a deck of slides for each lesson: `python -m docs.slides.build [--output FOLDER] [--course FOLDER]`.

A cell whose Slide Type (Jupyter's own `slideshow.slide_type`) is "slide" begins one; the cells below belong to it, down
to the next. The slide's few words stand in the same cell's metadata, as `slides`; its picture is the first one of its
cells; their prose becomes the speaker's notes. Nothing is run, and nothing is asked from another place.
"""

from __future__ import annotations

import argparse
import base64
import importlib.util
import json
import re
import shutil
import struct
from collections.abc import Iterator
from html import escape
from pathlib import Path
from typing import NamedTuple

from nbconvert.exporters import SlidesExporter
from nbformat import NotebookNode

from docs.site import notebooks
from docs.site.notebooks import Lesson
from docs.site.project import ROOT
from unet_edu.explore.page import IMPORT, bundled

HERE = Path(__file__).parent
REVEAL = HERE / "node_modules" / "reveal.js"
ASKED = re.compile(r'class="unet-guess".*?<script type="application/json">(.*?)</script>', re.DOTALL)
LINK = re.compile(r"\[([^\]]+)\]\((?!https?:)[^)]+\)")  # to a file that is not beside the slides
SECTION = ('"section", {', '"div", { role: "region",')  # in an explorer; to Reveal a section is a slide
LIVE = '<figure class="unet-live"'
WIDE = 1.45  # a picture that is so much wider than high stands above its words, others beside them


class Slide(NamedTuple):
    """What a slide shows, mostly as HTML. `cell` is the id of the cell that it begins with."""

    cell: str
    kind: str
    title: str
    words: list[str]
    figure: str
    choices: list[str]
    answer: str
    notes: str  # Markdown


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", type=Path, default=ROOT / "build" / "slides")
    parser.add_argument("--course", type=Path, default=ROOT / "course", help="the lessons' folder")
    arguments = parser.parse_args()
    build(arguments.output, arguments.course)


def build(output: Path, course: Path, reveal: Path = REVEAL) -> None:
    """Make all decks anew, and a page that lists them."""
    shutil.rmtree(output, ignore_errors=True)
    (output / "_static" / "pictures").mkdir(parents=True)
    write_assets(output, reveal)
    lessons = [notebooks.read(path, f"course/{path.name}") for path in sorted(course.glob("*.ipynb"))]
    for lesson in lessons:
        exporter = SlidesExporter(template_name="template", extra_template_basedirs=[str(HERE)])
        exporter.register_filter("slides", lambda notebook, lesson: slides(notebook, lesson, output))
        deck, _ = exporter.from_notebook_node(lesson.notebook, resources={"lesson": lesson})
        (output / name(lesson)).write_text(deck)
    links = "".join(f'<li><a href="{name(lesson)}">{escape(lesson.title)}</a></li>' for lesson in lessons)
    page = (HERE / "index.html").read_text()
    (output / "index.html").write_text(page.replace("<!-- decks -->", links))


def name(lesson: Lesson) -> str:
    return Path(lesson.html).name


def write_assets(output: Path, reveal: Path) -> None:
    """Reveal.js, MathJax for the notes, and one script: that which the web book has for its explorers, and ours. No
    module, so that a deck also opens as a file."""
    for path in ("reset.css", "reveal.css", "reveal.js", "plugin/notes.js", "../LICENSE"):
        copy(reveal / "dist" / path, output / "reveal")
    mathjax = Path(importlib.util.find_spec("sphinx-mathjax-offline").origin).parent / "static" / "mathjax"
    copy(mathjax / "tex-svg.js", output / "mathjax")
    book, explore = ROOT / "docs" / "site" / "_static", ROOT / "unet_edu" / "explore"
    for path in (book / "u.svg", book / "live.css", explore / "scene.css", HERE / "slides.css"):
        copy(path, output)
    live = "\n".join([bundled("scene.js"), IMPORT.sub("", (book / "live.js").read_text())])
    (output / "slides.js").write_text(f"(() => {{\n{live}\n}})();\n{(HERE / 'slides.js').read_text()}")


def copy(path: Path, folder: Path) -> None:
    folder.mkdir(exist_ok=True)
    shutil.copy(path, folder)


def slides(notebook: NotebookNode, lesson: Lesson, output: Path) -> Iterator[Slide]:
    """The slides of a notebook in which nbconvert has marked where they start. Pictures are written to `output`."""
    cells = [cell for cell in notebook.cells if cell.metadata.slide_type != "skip"]
    starts = [number for number, cell in enumerate(cells) if cell.metadata.get("slide_start")]
    for start, end in zip(starts, [*starts[1:], len(cells)], strict=True):
        yield slide(cells[start:end], cells, lesson, output)


def slide(own: list[NotebookNode], cells: list[NotebookNode], lesson: Lesson, output: Path) -> Slide:
    """That which begins with the first of its `own` cells: the lesson's head, without words, is the title."""
    first = own[0]
    said, asked = first.metadata.get("slides", {}), guess(first)
    where = [cell for cell in cells if cell.id == said["picture"]] if "picture" in said else [] if asked else own
    figure, ratio = next(pictures(where, lesson, output), ("", 0.0))
    kinds = ["title" if "slides" not in first.metadata else "guess" if asked else ""]
    kinds.append("live" if LIVE in figure else "wide" if ratio > WIDE else "tall" if figure else "bare")
    prose = [asked["question"], asked["why"]] if asked else []
    prose += [cell.source for cell in own if cell.cell_type == "markdown"]
    above = [cell.source for cell in cells[: cells.index(first)] if cell.cell_type == "markdown"]
    return Slide(
        first.id,
        " ".join(kinds).strip(),
        inline(said.get("title") or (asked["question"] if asked else lesson.title)),
        [inline(line) for line in said.get("words", "").splitlines()],
        figure,
        [choice["html"] for choice in asked.get("choices", [])],
        asked.get("answer", ""),
        LINK.sub(r"\1", notebooks.SET_UP.sub("", notebooks.BADGE.sub("", "\n\n".join(prose or above[-1:])))),
    )


def guess(cell: NotebookNode) -> dict[str, object]:
    """What a cell asks with `guess`, as its output has it for the page."""
    html = "".join(output.get("data", {}).get("text/html", "") for output in cell.get("outputs", []))
    return json.loads(found[1]) if (found := ASKED.search(html)) else {}


def pictures(cells: list[NotebookNode], lesson: Lesson, output: Path) -> Iterator[tuple[str, float]]:
    """The last picture of each cell that has one, as a figure of the web book, and how much wider than high it is."""
    for cell in cells:
        outputs = cell.get("outputs", [])
        for number in reversed(range(len(outputs))):
            if png := outputs[number].get("data", {}).get("image/png"):
                content = base64.b64decode(png)
                source = notebooks.picture(lesson, cell.id, number)
                (output / source).write_bytes(content)
                following = "".join(each.get("data", {}).get("text/html", "") for each in outputs[number + 1 :][:1])
                still = notebooks.STILL.search(following)
                live = notebooks.live_after(outputs, number).replace(*SECTION)
                width, height = struct.unpack(">II", content[16:24])
                figure = notebooks.figure(outputs[number], "", source, lesson, live, still[0] if still else "")
                yield figure.replace(' loading="lazy"', ""), width / height  # a printed slide is never looked at before
                break


def inline(text: str) -> str:
    """Words with `code` and **strong** words."""
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", re.sub(r"\*\*(.+?)\*\*", r"<strong>\1</strong>", escape(text)))


if __name__ == "__main__":
    main()
