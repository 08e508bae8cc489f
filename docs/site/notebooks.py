"""A stored notebook becomes a page of the book: what only a kernel or an editor needs goes, pictures get their words,
and explorers of grids bring what they need to answer without Python.
"""

from __future__ import annotations

import base64
import re
import struct
import textwrap
from collections.abc import Iterator
from html import escape
from pathlib import Path
from typing import NamedTuple

import nbformat
from nbformat import NotebookNode

from docs.site.project import DOCUMENTS, ROOT, on_colab, on_github, relative

BADGE = re.compile(r"^\[Open in Colab.*\n*", re.MULTILINE)
SET_UP = re.compile(r"\n*^\*The next cell installs the course where it is missing.*", re.MULTILINE)  # here it is folded
NUMBERS = re.compile(r"(?:\w+: shape \(.*\n?)*")  # as unet_edu.explore.show prints them
EXPLORER = re.compile(r"^(?:\w+ = )?explore\.(?!show\b|digest\b)(\w+)\(", re.MULTILINE)
PAGE = 'class="unet-page"'  # an explorer that computes in the page
STILL = re.compile(r'<div class="unet-still".*?</div>', re.DOTALL)  # of a picture that moves
WORDS = 'class="unet-words"'  # the closed line below a picture, which says what there is to see


class Lesson(NamedTuple):
    """A notebook and its place in the book. `page` is its path in the repository and, but for the ending, there."""

    page: str
    notebook: NotebookNode

    @property
    def title(self) -> str:
        return re.match(r"# (.+)", self.notebook.cells[0].source)[1]

    @property
    def time(self) -> str:
        """What its head says of how long a reader needs; exercises say it for each."""
        found = re.search(r"\| (\d+ minutes)[^|]*\|[^|]*\|$", self.notebook.cells[0].source, re.MULTILINE)
        return found[1] if found else ""

    @property
    def html(self) -> str:
        return self.page.removesuffix(".ipynb") + ".html"


class Shown(NamedTuple):
    """An explorer in a lesson: its picture, and what follows that."""

    name: str
    lesson: Lesson
    cell: str
    number: int
    output: NotebookNode
    live: str

    @property
    def is_live(self) -> bool:
        return bool(PAGE in self.live or _scenes(self.output))

    @property
    def picture(self) -> str:
        return picture(self.lesson, self.cell, self.number)


def read(path: Path, page: str) -> Lesson:
    return Lesson(page, nbformat.read(path, as_version=4))


def explorers(lesson: Lesson) -> Iterator[Shown]:
    """The explorers that a lesson shows, in its order."""
    for cell in lesson.notebook.cells:
        if cell.cell_type == "code" and (name := EXPLORER.search(cell.source)):
            for number, output in enumerate(cell.outputs):
                if live := live_after(cell.outputs, number):
                    yield Shown(name[1], lesson, cell.id, number, output, live)


def live_after(outputs: list[NotebookNode], number: int) -> str:
    """What makes of a picture that of an explorer: a line that says how to play, or the page's own program."""
    is_picture = "image/png" in outputs[number].get("data", {})
    return _live(outputs[number + 1]) if is_picture and number + 1 < len(outputs) else ""


def _live(output: NotebookNode) -> str:
    html = output.get("data", {}).get("text/html", "")
    return html if 'class="unet-run"' in html or PAGE in html else ""


def _scenes(output: NotebookNode) -> list[dict[str, str]]:
    """What the painters of the book draw of an explorer that asks Python."""
    return output.metadata.get("unet_edu", {}).get("scenes", [])


def picture(lesson: Lesson, cell: str, number: int) -> str:
    """Where in the book the picture of an output lies."""
    return f"_static/pictures/{Path(lesson.page).stem}-{cell}-{number}.png"


def cleared(lesson: Lesson) -> NotebookNode:
    """The notebook as one downloads it: without outputs, so that its reader can guess before looking."""
    notebook = nbformat.from_dict(lesson.notebook)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    return notebook


def as_page(lesson: Lesson, run_time: float | None, book: Path) -> NotebookNode:
    """The notebook that Sphinx gets. Its pictures are written into the folder `book`."""
    notebook = nbformat.from_dict(lesson.notebook)
    notebook.metadata["language_info"] = {"name": "python", "pygments_lexer": "ipython3"}  # which knows %pip
    head = notebook.cells[0]
    title, _, rest = SET_UP.sub("", BADGE.sub("", head.source)).partition("\n")
    head.source = f"{title}\n\n{doors(lesson, run_time)}\n{rest}"
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            cell.source = relink(cell.source, lesson.page)
        else:
            _prepare_code(cell, lesson, book)
    return notebook


def doors(lesson: Lesson, run_time: float | None) -> str:
    """The line under a title: where else one can have this notebook, and how long it takes."""
    facts = [lesson.time + " to read and do"] if lesson.time else []
    if run_time is not None:
        facts.append(f"runs in {run_time:.0f} s")
    return "\n".join(
        [
            '<div class="unet-doors">',
            f'<a class="unet-door unet-colab" href="{on_colab(lesson.page)}">Open in Colab</a>',
            (
                f'<a class="unet-door" href="{relative("notebooks/" + lesson.page, lesson.page)}" download>Download '
                "notebook</a>"
            ),
            f'<a class="unet-door" href="{on_github(ROOT / lesson.page)}">See on GitHub</a>',
            f"<span>{' · '.join(facts)}</span>" if facts else "",
            "</div>\n",
        ]
    )


def relink(text: str, page: str) -> str:
    """Links to files that are no pages of the book lead to the library's page of it, or to the repository."""

    def follow(link: re.Match[str]) -> str:
        path, hash_sign, anchor = link[1].partition("#")
        target = (ROOT / page).parent.joinpath(path).resolve()
        if not path or ":" in path or not target.exists() or target.suffix == ".ipynb":
            return link[0]
        if target in [ROOT / name for name in DOCUMENTS]:
            return link[0]
        if target.is_relative_to(ROOT / "unet_edu") and target.suffix == ".py":
            module = ".".join(target.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
            return f"]({relative(f'api/{module}.rst', page)})"
        return f"]({on_github(target)}{hash_sign}{anchor})"

    return re.sub(r"\]\(([^)\s]+)\)", follow, text)


def _prepare_code(cell: NotebookNode, lesson: Lesson, book: Path) -> None:
    tags = cell.metadata.setdefault("tags", [])
    if "import unet_edu\n" in cell.source and "pip" in cell.source:
        tags.append("hide-cell")
        cell.metadata["mystnb"] = {"code_prompt_show": "Set-up", "code_prompt_hide": "Set-up"}
    elif re.search(r"^guess\(", cell.source, re.MULTILINE):  # its code says the answer
        tags.append("hide-input")
        cell.metadata["mystnb"] = {"code_prompt_show": "Its code, with the answer", "code_prompt_hide": "Its code"}
    outputs = []
    for number, output in enumerate(cell.outputs):
        data = output.get("data", {})
        if "image/png" in data:
            file = picture(lesson, cell.id, number)
            (book / file).write_bytes(base64.b64decode(data["image/png"]))
            following = cell.outputs[number + 1 : number + 2]
            if live := live_after(cell.outputs, number):
                words = data["text/plain"]
            elif following and _is_words(following[0]):
                words = ""
            else:
                words = _take_words(output.metadata["image/png"]["alt"], following)
            still = STILL.search(following[0].get("data", {}).get("text/html", "")) if following else None
            html = figure(output, words, relative(file, lesson.page), lesson, live, still[0] if still else "")
            outputs.append(nbformat.v4.new_output("display_data", {"text/html": html}))
        elif "" not in (output.get("text"), data.get("text/plain")) and not (_live(output) or _is_words(output)):
            outputs.append(output)
    cell.outputs = outputs


def _is_words(output: NotebookNode) -> bool:
    return WORDS in output.get("data", {}).get("text/html", "")


def _take_words(alt: str, following: list[NotebookNode]) -> str:
    """What `show` printed below its picture, and what becomes its caption: the words, and the numbers of its data."""
    printed = textwrap.fill(alt, 72) + "\n"
    if not following or not following[0].get("text", "").startswith(printed):
        return alt
    text = following[0].text.removeprefix(printed)
    numbers = NUMBERS.match(text)[0]
    following[0].text = text.removeprefix(numbers)
    return f"{alt}\n{numbers}"


def figure(output: NotebookNode, words: str, source: str, lesson: Lesson, live: str, still: str = "") -> str:
    """A picture with its caption; without `words` this is its alt text, closed. If it is that of an explorer, the
    caption says where it answers; one that computes in the page brings its program, which hides the picture. One that
    moves brings a still one, which book.css shows instead to those who ask for less motion."""
    alt = output.metadata["image/png"]["alt"]
    width, height = struct.unpack(">II", base64.b64decode(output.data["image/png"])[16:24])
    scenes = _scenes(output)
    numbers = words.removeprefix(alt).strip()
    described = f"{escape(alt)}" + (
        f"<details><summary>its numbers</summary><pre>{escape(numbers)}</pre></details>" if numbers else ""
    )
    colab = f'<a class="unet-colab" href="{on_colab(lesson.page)}">open the lesson in Colab</a>'
    program = live if PAGE in live else ""
    if program or not words:
        caption = f"<details><summary>In words</summary>{described}</details>"
    elif scenes:
        caption = (
            '<p class="unet-when-live">This explorer also answers without Python: point, click, step. To change its '
            f"numbers and settings, {colab}.</p>"
            f"<details><summary>The whole picture, and in words</summary>{described}</details>"
        )
    elif live:
        caption = f"<p>{described}</p><p>Here you see one picture of this explorer. To move its sliders, {colab}.</p>"
    else:
        caption = described
    attributes = f'src="{source}" alt="{escape(alt)}" width="{width}" height="{height}" loading="lazy"'
    return "\n".join(
        [
            f'<figure class="{"unet-live" if scenes or program else "unet-picture"}">',
            f"<div><img {attributes}></div>\n{program}" if program else f"<img {attributes}>",
            *([still] if still else []),
            *(
                f'<script type="application/json" data-painter="{scene["painter"]}">'
                + scene["scene"].replace("<", "\\u003c")
                + "</script>"
                for scene in scenes
            ),
            f'<figcaption class="unet-open">{caption}</figcaption>',
            "</figure>",
        ]
    )
