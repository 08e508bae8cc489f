"""Build the web book: `python -m docs.site.build [--output FOLDER] [--course FOLDER]`.

First the sources of all pages are written, in the layout of the repository, into a folder beside the output. Then
Sphinx makes the book of them. Nothing in it is asked from another place: no script, style or font.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import shutil
import sys
from collections import defaultdict
from pathlib import Path

import nbformat
from PIL import Image, ImageDraw, ImageFont
from sphinx.cmd.build import main as sphinx

from docs.site import notebooks, pages
from docs.site.project import CARD, DOCUMENTS, ROOT, relative
from unet_edu import explore
from unet_edu.explore.unet import course_page

HERE = Path(__file__).parent
RUN_TIMES = HERE / "run_times.json"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", type=Path, default=ROOT / "build" / "site")
    parser.add_argument("--course", type=Path, default=ROOT / "course", help="the lessons' folder")
    arguments = parser.parse_args()
    return build(arguments.output.resolve(), arguments.course.resolve())


def build(output: Path, course: Path) -> int:
    """Make the book anew. Returns 0, or what Sphinx says when it has found something wrong."""
    source = output.with_name(f"{output.name}-source")
    for folder in (source, output):
        shutil.rmtree(folder, ignore_errors=True)
    write_sources(source, course)
    strict = ["--fail-on-warning", "--keep-going", "--nitpicky", "--quiet", "--jobs", "auto"]
    places = ["--conf-dir", HERE, "--doctree-dir", source / "_doctrees", source, output]
    return sphinx([*strict, *map(str, places)])


def write_sources(source: Path, course: Path) -> None:
    run_times = json.loads(RUN_TIMES.read_text())["seconds"]
    lessons = [notebooks.read(path, f"course/{path.name}") for path in sorted(course.glob("*.ipynb"))]
    side_roads = [
        notebooks.read(path, f"course/side_roads/{path.name}") for path in sorted(course.glob("side_roads/*.ipynb"))
    ]
    exercises = [
        notebooks.read(path, path.relative_to(ROOT).as_posix()) for path in sorted(ROOT.glob("exercises/*/*.ipynb"))
    ]
    write_assets(source)
    promised = {f"course/{name}": words for name, words in pages.promises(lessons[0]).items()}
    for lesson in [*lessons, *side_roads, *exercises]:
        page = notebooks.as_page(lesson, run_times.get(lesson.page), source)
        if lesson.page in promised:  # else these are the page's first words, which fits the others
            page.metadata["og:description"] = f"{pages.sentence(promised[lesson.page])}. {lesson.time} to read and do."
        write(source / lesson.page, nbformat.writes(page))
        write(source / "_extra" / "notebooks" / lesson.page, nbformat.writes(notebooks.cleared(lesson)))
    for name in DOCUMENTS:
        write(source / name, notebooks.relink((ROOT / name).read_text(), name))
    write(source / "install.md", pages.install_page())
    write(source / "exercises" / "index.md", pages.exercise_list(exercises))
    write_explorers(source, [*lessons, *side_roads])
    write(source / "_extra" / "explainer.html", course_page(home="index.html"))
    write_index(source, lessons, side_roads, run_times)
    write_modules(source, lessons)


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def write_assets(source: Path) -> None:
    """The painters of the live explorers, and MathJax without what the book does not use."""
    static = source / "_static"
    (static / "pictures").mkdir(parents=True)
    (static / "explore").mkdir()
    for name in ("dom.js", "scene.js", "scene.css"):
        shutil.copy(ROOT / "unet_edu" / "explore" / name, static / "explore")
    mathjax = Path(importlib.util.find_spec("sphinx-mathjax-offline").origin).parent / "static" / "mathjax"
    fonts = "output/chtml/fonts/woff-v2"
    shutil.copytree(mathjax / fonts, static / "mathjax" / fonts)
    shutil.copy(mathjax / "tex-chtml.js", static / "mathjax")


def write_explorers(source: Path, lessons: list[notebooks.Lesson]) -> None:
    explorers: dict[str, list[notebooks.Shown]] = defaultdict(list)
    for lesson in lessons:
        for shown in notebooks.explorers(lesson):
            explorers[shown.name].append(shown)
    for name, shown in explorers.items():
        write(
            source / "explorers" / f"{name}.md",
            pages.explorer_page(shown, explorer_figure(shown[0], f"explorers/{name}.md")),
        )
    listed = pages.explorer_list(explorers, lambda shown: relative(shown.picture, "explorers/index.md"))
    write(source / "explorers" / "index.md", listed)


def explorer_figure(shown: notebooks.Shown, page: str) -> str:
    words, picture = shown.output.data["text/plain"], relative(shown.picture, page)
    return notebooks.figure(shown.output, words, picture, shown.lesson, shown.live)


def write_index(
    source: Path, lessons: list[notebooks.Lesson], side_roads: list[notebooks.Lesson], run_times: dict[str, float]
) -> None:
    shown = [shown for lesson in lessons for shown in notebooks.explorers(lesson)]
    whole, smallest = (next(each for each in shown if each.name == name) for name in ("unet", "convolution"))
    listed = pages.lesson_list(lessons, run_times, pages.promises(lessons[0]))
    readme = (ROOT / "README.md").read_text()
    text = (HERE / "index.md").read_text()
    write_card(source, text.partition("\n")[0].removeprefix("# "), whole)
    for name, part in {
        "explainer": pages.raw(explorer_figure(whole._replace(live=explore.unet().alone().html), "index.md")),
        "explorer": pages.raw(explorer_figure(smallest, "index.md")),
        "lessons": listed,
        "side roads": pages.side_roads(side_roads),
        "citing": pages.section(readme, "Citing the paper"),
        "licences": notebooks.relink(pages.section(readme, "Licences"), "index.md"),
    }.items():
        text = text.replace(f"<!-- {name} -->", part)
    write(source / "index.md", text)


def write_card(source: Path, title: str, shown: notebooks.Shown) -> None:
    """The title above a picture, of the size that is asked for where links are shown with one."""
    picture = Image.open(source / shown.picture).convert("RGB")
    card = Image.new("RGB", (1200, 630), "white")
    card.paste(picture, ((card.width - picture.width) // 2, 600 - picture.height))
    ImageDraw.Draw(card).text((600, 90), title, "black", ImageFont.load_default(64), anchor="mm")
    card.quantize(256).save(source / CARD, optimize=True)


def write_modules(source: Path, lessons: list[notebooks.Lesson]) -> None:
    names = pages.modules()
    by_number = {lesson.title[:2]: lesson for lesson in lessons}
    for name in names:
        write(source / "api" / f"{name}.rst", pages.module_page(name, by_number))
    write(source / "api" / "index.md", pages.module_list(names))


if __name__ == "__main__":
    sys.exit(main())
