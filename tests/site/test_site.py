"""The web book holds what the course holds, and each of its links leads somewhere."""

from __future__ import annotations

import base64
import functools
import importlib
import inspect
import json
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote, urlsplit

import nbformat
import pytest
from bs4 import BeautifulSoup, Tag
from PIL import Image

from tests.notebooks import retarget
from tests.project.release import ref
from unet_edu import explore

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
REPOSITORY, REF = PROJECT["urls"]["Repository"], ref(PROJECT["version"])
COLAB = REPOSITORY.replace("https://github.com/", "https://colab.research.google.com/github/")
LESSONS = sorted((ROOT / "course").glob("*.ipynb"))
SIDE_ROADS = sorted((ROOT / "course").glob("side_roads/*.ipynb"))
EXERCISES = sorted(ROOT.glob("exercises/*/*.ipynb"))
EXPLORERS = sorted(set(explore.__all__) - {"digest", "show"})
# What runs only inside the grader's sandbox is imported by nobody else.
MODULES = [
    path.relative_to(ROOT)
    for path in sorted((ROOT / "unet_edu").rglob("*.py"))
    if not (
        re.search(r"/_(?!_init__)|/init\.py", path.relative_to(ROOT).as_posix())
        or "inside" in path.parts
        or path.parent.name == path.parts[-3]
    )
    and path != ROOT / "unet_edu" / "__init__.py"
]

lessons = pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)
notebooks = pytest.mark.parametrize("path", [*LESSONS, *SIDE_ROADS, *EXERCISES], ids=lambda path: path.stem)


def module_name(path: Path) -> str:
    return ".".join(path.with_suffix("").parts).removesuffix(".__init__")


@functools.cache
def soup(page: Path) -> BeautifulSoup:
    return BeautifulSoup(page.read_text(), "html.parser")


def page_of(site: Path, notebook: Path) -> Path:
    return site / notebook.relative_to(ROOT).with_suffix(".html")


# What is stored with a lesson is on its page.


def squeezed(text: str) -> str:
    return re.sub(r"\s+", "", text)


def is_program(output: nbformat.NotebookNode) -> bool:
    """Whether it is an explorer that computes in the page."""
    return 'class="unet-page"' in output.get("data", {}).get("text/html", "")


def stored_words(output: nbformat.NotebookNode) -> list[str]:
    """The lines of an output, as a reader sees them in a notebook."""
    data = output.get("data", {})
    if 'class="unet-run"' in data.get("text/html", ""):
        return []  # in the book there is no cell to run
    alt = output.get("metadata", {}).get("image/png", {}).get("alt", "")
    if "image/png" in data and (data["text/plain"] == alt or alt.startswith("A training, ")):
        return []  # it stands for the picture where there is none; what it says is looked for in the picture's alt text
    if is_program(output):
        return []
    text = BeautifulSoup(data["text/html"], "html.parser").get_text() if "text/html" in data else ""
    return (text or output.get("text", "") or data.get("text/plain", "")).splitlines()


def lines_of(outputs: list[nbformat.NotebookNode]) -> Iterator[str]:
    """What a reader sees of a cell's outputs. A picture with its words below has numbers that no reader sees."""
    for output, following in zip(outputs, [*outputs, nbformat.NotebookNode()][1:], strict=True):
        has_words = 'class="unet-words"' in following.get("data", {}).get("text/html", "")
        if not (has_words and "image/png" in output.get("data", {})):
            yield from stored_words(output)


def missing(notebook: nbformat.NotebookNode, page: BeautifulSoup, folder: Path) -> tuple[int, list[str]]:
    """How many lines and pictures were looked for, and which of them are not in their cell on the page, in their
    place."""
    stored = [cell for cell in notebook.cells if cell.cell_type == "code" and cell.source.strip()]
    shown = page.select("div.cell")
    if len(stored) != len(shown):
        return 0, [f"{len(stored)} cells are stored, {len(shown)} are on the page"]
    faults: list[str] = []
    looked_for = 0
    for cell, container in zip(stored, shown, strict=True):
        text, place = squeezed(container.get_text()), 0
        for line in [cell.source, *lines_of(cell.outputs)]:
            looked_for += 1
            found = text.find(squeezed(line), place)
            if found < 0:
                faults.append(line)
            else:
                place = found + len(squeezed(line))
        looked_for += len(container.select("figure > img, figure > div > img"))
        faults += missing_pictures(cell, container, folder)
    return looked_for, faults


def missing_pictures(cell: nbformat.NotebookNode, container: Tag, folder: Path) -> Iterator[str]:
    stored = [output for output in cell.outputs if "image/png" in output.get("data", {})]
    shown = container.select("figure > img, figure > div > img")
    if len(stored) != len(shown):
        yield f"{len(stored)} pictures are stored, {len(shown)} are on the page:\n{cell.source}"
        return
    for output, image in zip(stored, shown, strict=True):
        if (folder / image["src"]).read_bytes() != base64.b64decode(output.data["image/png"]):
            yield f"another picture than the one that is stored: {image['src']}"
        if image["alt"] != output.metadata["image/png"]["alt"]:
            yield f"other words than those that are stored: {image['alt']}"


@lessons
def test_all_outputs_of_a_lesson_are_on_its_page(site, path):
    page = page_of(site, path)
    looked_for, faults = missing(nbformat.read(path, as_version=4), soup(page), page.parent)
    assert looked_for > 30 and not faults


@pytest.mark.parametrize("spoil", ["a digit", "a picture", "words", "a cell"])
def test_a_page_that_differs_from_its_lesson_is_noticed(site, spoil):
    path = LESSONS[2]
    page = BeautifulSoup(page_of(site, path).read_text(), "html.parser")
    image = page.select_one("div.cell figure > img")
    if spoil == "a digit":
        printed = page.find(string=re.compile(r"as it is: \[\[122"))
        printed.replace_with(printed.replace("122", "123"))
    elif spoil == "a picture":
        image["src"] = page.select("div.cell figure > img")[1]["src"]
    elif spoil == "words":
        image["alt"] += "."
    else:
        page.select_one("div.cell").decompose()
    _, faults = missing(nbformat.read(path, as_version=4), page, page_of(site, path).parent)
    assert faults


@lessons
def test_scenes_of_explorers_are_on_the_page_as_they_are_stored(site, path):
    stored = [
        json.loads(scene["scene"])
        for cell in nbformat.read(path, as_version=4).cells
        for output in cell.get("outputs", [])
        for scene in output.get("metadata", {}).get("unet_edu", {}).get("scenes", [])
    ]
    scripts = soup(page_of(site, path)).select("figure.unet-live > script[type='application/json']")
    assert [json.loads(script.string) for script in scripts] == stored


@lessons
def test_programs_of_explorers_are_on_the_page_as_they_are_stored(site, path):
    cells = nbformat.read(path, as_version=4).cells
    stored = [output.data["text/html"] for cell in cells for output in cell.get("outputs", []) if is_program(output)]
    shown = soup(page_of(site, path)).select("figure.unet-live > .unet-page")
    stored = [BeautifulSoup(html, "html.parser") for html in stored]
    assert [scripts_of(page) for page in shown] == [scripts_of(page) for page in stored]


@lessons
def test_a_picture_that_moves_has_its_still_one_on_the_page(site, path):
    outputs = [output for cell in nbformat.read(path, as_version=4).cells for output in cell.get("outputs", [])]
    pages = [BeautifulSoup(output.get("data", {}).get("text/html", ""), "html.parser") for output in outputs]
    stored = [still["style"] for page in pages for still in page.select(".unet-still")]
    assert [still["style"] for still in soup(page_of(site, path)).select("img + .unet-still")] == stored


def scripts_of(page: Tag) -> list[str]:
    return [script.string for script in page.select("script")]


@lessons
def test_a_quiz_can_be_used_without_a_kernel(site, path):
    asked = [cell for cell in nbformat.read(path, as_version=4).cells if cell.source.startswith("quiz(")]
    assert len(asked) == (path not in (LESSONS[0], LESSONS[-1]))  # these begin the course, and end it with a project
    answers = soup(page_of(site, path)).find_all("summary", string=re.compile(r"^Answer \d$"))
    assert len(answers) >= 3 * len(asked)


# A page for everything.


@notebooks
def test_each_notebook_has_a_page_with_its_doors(site, path):
    page = page_of(site, path)
    name = path.relative_to(ROOT).as_posix()
    assert soup(page).select_one(f'.unet-doors a[href="{COLAB}/blob/{REF}/{name}"]')
    download = soup(page).select_one(".unet-doors a[download]")
    copy = nbformat.read(page.parent / download["href"], as_version=4)
    original = nbformat.read(path, as_version=4)
    assert [cell.source for cell in copy.cells] == [cell.source for cell in original.cells]
    assert not any(cell.get("outputs") for cell in copy.cells)


@pytest.mark.parametrize("path", MODULES, ids=module_name)
def test_each_module_has_a_page_with_all_that_it_offers(site, path):
    page = soup(site / "api" / f"{module_name(path)}.html")
    module = importlib.import_module(module_name(path))
    for name in getattr(module, "__all__", ()):
        value = getattr(module, name)
        if (
            inspect.isclass(value) or (inspect.isfunction(value) and value.__doc__)
        ) and value.__module__ == module.__name__:
            entry = page.find(id=f"{module.__name__}.{name}")
            assert entry and entry.select_one(f'a[href^="{REPOSITORY}/blob/{REF}/{path.as_posix()}#L"]')


def test_an_operators_page_leads_to_its_lesson(site):
    links = soup(site / "api" / "unet_edu.transposed.html").select(
        'article a[href="../course/04_transposed_convolution.html"]'
    )
    assert links


@pytest.mark.parametrize("name", EXPLORERS)
def test_each_explorer_has_a_page_and_a_card_that_show_it(site, name):
    page = soup(site / "explorers" / f"{name}.html")
    assert page.select_one("figure img[alt]")["alt"] and page.select_one('article a[href^="../course/"]')
    assert f"unet_edu.explore.{name}(" in page.select_one("dt.sig").get_text()
    card = soup(site / "explorers" / "index.html").select_one(f'.unet-cards a[href="{name}.html"]')
    assert card.img and card.strong.get_text() and card.span.get_text()


def test_the_front_page_lists_each_lesson_with_its_times(site):
    rows = soup(site / "index.html").select(".unet-lessons a")
    assert [row["href"] for row in rows] == [f"course/{path.stem}.html" for path in LESSONS]
    for row in rows:
        assert re.search(r"\d+ minutes", row.get_text()) and re.search(r"runs in \d+ s", row.get_text())
        assert row.select_one(".unet-promise").get_text()


def test_the_front_page_shows_an_explorer(site):
    assert soup(site / "index.html").select_one("figure img[alt]")


# Times are measured by benchmarks/lessons.py.


def test_the_time_of_each_lesson_was_measured_and_none_is_long():
    measured = json.loads((ROOT / "docs" / "site" / "run_times.json").read_text())
    assert set(measured["seconds"]) == {f"course/{path.name}" for path in LESSONS}
    assert all(0 < seconds <= 60 for seconds in measured["seconds"].values())
    assert re.fullmatch(r"\d{4}-\d\d-\d\d", measured["date"]) and measured["machine"] and measured["command"]


# Links, and what pages are made of.


@pytest.fixture(scope="module")
def pages(site) -> list[Path]:
    found = sorted(site.rglob("*.html"))
    assert len(found) > len(LESSONS) + len(EXERCISES) + len(MODULES) + len(EXPLORERS)
    return found


@functools.cache
def anchors(page: Path) -> set[str]:
    return {tag["id"] for tag in soup(page).find_all(id=True)} | {
        tag["name"] for tag in soup(page).find_all("a", attrs={"name": True})
    }


def test_each_link_inside_the_book_leads_somewhere(site, pages):
    looked_at, faults = 0, []
    for page in pages:
        for tag in soup(page).find_all(["a", "area"], href=True):
            link = urlsplit(tag["href"])
            if link.scheme or link.netloc:
                continue
            looked_at += 1
            target = (page.parent / unquote(link.path)).resolve() if link.path else page
            if not target.is_file() or (link.fragment and unquote(link.fragment) not in anchors(target)):
                faults.append(f"{page.relative_to(site)}: {tag['href']}")
    assert looked_at > 1000 and not faults


def test_each_link_to_the_repository_leads_to_a_file_of_it(site, pages):
    looked_at, faults = set(), set()
    for page in pages:
        for tag in soup(page).find_all(
            "a", href=re.compile(rf"^({re.escape(REPOSITORY)}|{re.escape(COLAB)})/(blob|tree)/")
        ):
            link = urlsplit(tag["href"])
            target = ROOT / re.sub(r"^.*?/(blob|tree)/main/?", "", link.path)
            looked_at.add(target)
            line = re.fullmatch(r"L(\d+)", link.fragment)
            if not target.exists() or (line and int(line[1]) > len(target.read_text().splitlines())):
                faults.add(tag["href"])
    assert {ROOT / path for path in (*LESSONS, *EXERCISES)} <= looked_at and not faults


def test_pages_are_made_of_the_books_own_files(site, pages):
    """No script, style, font or picture comes from elsewhere."""
    looked_at, faults = 0, []
    for page in pages:
        for tag in soup(page).find_all(
            ["script", "img", "link", "iframe", "source", "video", "audio", "object", "embed", "use"]
        ):
            link = tag.get("src") or tag.get("data") or (tag.get("href") if tag.name in ("link", "use") else None)
            if not link or link.startswith(("data:", "#")) or tag.get("rel") == ["canonical"]:
                continue
            looked_at += 1
            if not (page.parent / unquote(urlsplit(link).path)).resolve().is_file() or urlsplit(link).netloc:
                faults.append(f"{page.relative_to(site)}: {link}")
    assert looked_at > 1000 and not faults


def test_styles_ask_for_nothing_from_elsewhere(site):
    looked_at, faults = 0, []
    for sheet in site.rglob("*.css"):
        for link in re.findall(r"""(?:url\(|@import (?!url))\s*["']?([^"')]+)""", sheet.read_text()):
            looked_at += 1
            if not link.startswith("data:") and not (sheet.parent / urlsplit(link).path).is_file():
                faults.append(f"{sheet.relative_to(site)}: {link}")
    assert looked_at and not faults


def test_mathematics_is_set_by_a_script_of_the_book(site):
    page = soup(page_of(site, LESSONS[2]))
    assert len(page.select(".math")) > 10
    assert page.find("script", src=re.compile(r"^\.\./_static/mathjax/tex-chtml\.js"))


def test_headings_of_notebooks_are_headings_of_the_page(site):
    looked_at = 0
    for path in (*LESSONS, *EXERCISES):
        titles = squeezed(
            "".join(tag.get_text() for tag in soup(page_of(site, path)).select("article :is(h1, h2, h3, h4)"))
        )
        for cell in nbformat.read(path, as_version=4).cells:
            if cell.cell_type == "markdown":
                for title in re.findall(r"^#{1,4} ([^`$*\[\n]+)$", cell.source, re.MULTILINE):
                    looked_at += 1
                    assert squeezed(title) in titles
    assert looked_at > 100


def test_the_book_is_small(site):
    """A reader loads a page, and none is over 2 MB. All of them: some 0.8 MB for each of ten lessons and twenty side
    roads with their pictures, and the rest for exercises, explorers, reference and fonts."""
    sizes = {file: file.stat().st_size for file in site.rglob("*") if file.is_file()}
    assert max(sizes.values()) < 2_000_000 and sum(sizes.values()) < 30_000_000


def test_a_link_to_the_book_is_shown_with_a_card(site):
    book = retarget.book(REPOSITORY.removeprefix(retarget.GITHUB))
    with Image.open(site / "_static" / "card.png") as card:
        assert card.size == (1200, 630)
    for page in (*(page_of(site, path) for path in LESSONS), site / "index.html", site / "docs" / "training.html"):
        said = {tag["property"]: tag["content"] for tag in soup(page).select("meta[property^='og:']")}
        assert said["og:title"] == soup(page).h1.find(string=True) and said["og:type"] == "website"
        assert said["og:url"] == f"{book}{page.relative_to(site).as_posix()}"
        assert said["og:image"] == f"{book}_static/card.png" and len(said["og:image:alt"]) > 50
        assert 20 < len(said["og:description"]) <= 210 and ",," not in said["og:description"]
        assert soup(page).select_one("meta[name='twitter:card']")["content"] == "summary_large_image"
        assert soup(page).select_one("link[rel='canonical']")["href"] == said["og:url"]


def test_the_navigation_lists_what_is_near(site):
    listed = {
        page: [link.get_text() for link in soup(site / page).select(".sidebar-tree a")]
        for page in ("course/02_convolution.html", "api/unet_edu.pooling.html", "api/unet_edu.checks.fault.html")
    }
    modules = [{name for name in names if name.startswith("unet_edu.")} for names in listed.values()]
    assert all("02 · The 3×3 convolution" in names and "Library" in names for names in listed.values())
    assert modules[0] == set() and "unet_edu.matrix" in modules[1] and "unet_edu.checks.fault" not in modules[1]
    assert {"unet_edu.matrix", "unet_edu.checks.fault", "unet_edu.checks.report"} < modules[2]
