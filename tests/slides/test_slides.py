"""The slides: few words, which stand beside their cells and say nothing that the lesson does not; pictures with their
words; notes; and decks that work in a browser, with keys, alone."""

from __future__ import annotations

import functools
import http.server
import re
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
import pytest
from bs4 import BeautifulSoup, Tag
from playwright.sync_api import Page, expect

from docs.slides.build import build
from tests.explorers.browser import chromium
from tests.explorers.mounted import cell, note
from tests.lessons.claims import NUMBER, plain
from tests.notebooks.execute import ROOT
from tests.site.test_in_browser import Files, serious_faults, watch

LESSONS = sorted((ROOT / "course").glob("*.ipynb"))
SIZE = {"width": 1280, "height": 720}
FEWEST, MOST = 12, 20  # slides
TITLE, QUESTION, WORDS = 10, 20, 25  # words, at most
FITS = """async () => {
    await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
    const slide = Reveal.getCurrentSlide();
    const boxes = [slide, ...slide.querySelectorAll("h2, .body, .words, figure, .is-live")];
    return boxes.filter((box) => box.scrollHeight > box.clientHeight + 1 || box.scrollWidth > box.clientWidth + 1)
        .map((box) => `${slide.querySelector("h2").textContent}: ${box.tagName} ${box.className}`);
}"""

each = pytest.mark.parametrize("lesson", LESSONS, ids=lambda path: path.stem)


@pytest.fixture(scope="module")
def decks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All decks, without what only a browser reads."""
    folder = tmp_path_factory.mktemp("slides")
    for name in ("dist/reset.css", "dist/reveal.css", "dist/reveal.js", "dist/plugin/notes.js", "LICENSE"):
        (folder / "empty" / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / "empty" / name).touch()
    build(folder / "decks", ROOT / "course", folder / "empty")
    return folder / "decks"


def slides(decks: Path, lesson: Path) -> list[Tag]:
    page = BeautifulSoup((decks / f"{lesson.stem}.html").read_text(), "html.parser")
    return page.select(".slides > section")


def tagged(lesson: Path) -> dict[str, dict[str, Any]]:
    """What the lesson's cells say of slides."""
    cells = nbformat.read(lesson, as_version=4).cells
    return {cell.id: cell.metadata for cell in cells if {"slides", "slideshow"} & {*cell.metadata}}


def faults(slide: Tag) -> list[str]:
    """What a slide has too much of, or not."""
    title, words = slide.h2.get_text().split(), " ".join(p.get_text() for p in slide.select(".words > p:not(.answer)"))
    is_question = "guess" in slide["class"]
    images = slide.select(".body > figure img")
    return [
        *(["a long title"] if len(title) > (QUESTION if is_question else TITLE) else []),
        *(["many words"] if len(words.split()) > WORDS else []),
        *(["no answer"] if is_question and not slide.select_one(".answer.fragment") else []),
        *(["no notes"] if not slide.select_one("aside.notes").get_text(strip=True) else []),
        *(["code"] if slide.select(".body pre") else []),
        *(["a picture without words"] for image in images if len(image["alt"]) < 20 or "No descr" in image["alt"]),
        *(["neither picture nor words"] if not (images or words or is_question) else []),
    ]


@each
def test_a_deck_is_a_talk(decks: Path, lesson: Path) -> None:
    deck = slides(decks, lesson)
    assert FEWEST <= len(deck) <= MOST and len(deck) == len(tagged(lesson)) + 1
    assert {slide.h2.get_text(): found for slide in deck if (found := faults(slide))} == {}
    assert sum(bool(slide.img) for slide in deck) > len(deck) / 2
    assert f'href="{lesson.stem}.html"' in (decks / "index.html").read_text()


def test_a_spoiled_slide_is_noticed(decks: Path) -> None:
    for slide in slides(decks, LESSONS[0]):
        if slide.select_one(".answer") and slide.img:
            slide.h2.string, slide.img["alt"] = "word " * 30, ""
            slide.select_one(".answer").decompose()
            slide.select_one("aside").clear()
            slide.select_one(".words > p").string = "word " * 26
            assert len(faults(slide)) == 5
            return
    pytest.fail("no question with a picture")


@each
def test_what_is_written_beside_the_cells_is_understood(lesson: Path) -> None:
    ids = {cell.id for cell in nbformat.read(lesson, as_version=4).cells}
    for said in tagged(lesson).values():
        assert said["slideshow"] == {"slide_type": "slide"}
        assert {"title"} <= {*said["slides"]} <= {"title", "words", "picture"}
        assert said["slides"].get("picture", "") in {"", *ids}


@each
def test_a_slide_has_no_number_that_the_lesson_has_not_near_it(lesson: Path) -> None:
    """In the prose, which the lesson's claims prove, or in what a cell shows, and that with nbval."""
    cells = nbformat.read(lesson, as_version=4).cells
    starts = [number for number, cell in enumerate(cells) if "slides" in cell.metadata]
    found, looked = [], 0
    for before, start, after in zip([0, 0, *starts], [0, *starts], [*starts[1:], len(cells), len(cells)], strict=False):
        said = cells[start].metadata.get("slides", {"title": ""})
        near = [*cells[before:after], *(cell for cell in cells if cell.id == said.get("picture"))]
        known = {number for cell in near for text in texts(cell) for number in NUMBER.findall(text)}
        numbers = NUMBER.findall(plain(said["title"] + "\n" + said.get("words", "")).text)
        found += [(said["title"], number) for number in numbers if number not in known]
        looked += len(numbers)
    assert looked and found == []


def texts(cell: nbformat.NotebookNode) -> list[str]:
    """What a reader reads of a cell."""
    outputs = [each.get("text", "") + each.get("data", {}).get("text/plain", "") for each in cell.get("outputs", [])]
    return outputs + [plain(cell.source).text if cell.cell_type == "markdown" else cell.source]


def test_nothing_is_asked_from_elsewhere(decks: Path) -> None:
    pages = sorted(decks.glob("*.html"))
    assert len(pages) == len(LESSONS) + 1
    for path in pages:
        page = BeautifulSoup(path.read_text(), "html.parser")
        asked = [tag.get("src") or tag["href"] for tag in page.select("script[src], link[href], img[src]")]
        assert asked and [target for target in asked if not (decks / target).is_file()] == []


# -------------------------------------------------------------------------------------------------------- in a browser


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("slides")
    build(folder, ROOT / "course")
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Files, directory=folder))
    threading.Thread(target=server.serve_forever).start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def projector(address: str) -> Iterator[Page]:
    """A screen that shows the decks, with which nothing may go wrong."""
    with chromium() as browser:
        page = browser.new_page(viewport=SIZE)
        wrong = watch(page, address)
        yield page
        assert wrong == []


def opened(page: Page, address: str, lesson: str, title: str = "") -> None:
    page.goto(f"{address}{next(path.stem for path in LESSONS if path.stem.startswith(lesson))}.html")
    page.wait_for_function("Reveal.isReady()")
    number = "[...document.querySelectorAll('.slides > section > h2')].findIndex(h => h.textContent === title)"
    page.evaluate(f"title => Reveal.slide(Math.max(0, {number}), 0, -1)", title)


@pytest.mark.needs("chromium")
@pytest.mark.needs("reveal.js")
class TestInABrowser:
    @each
    def test_each_slide_fits(self, projector: Page, address: str, lesson: Path) -> None:
        opened(projector, address, lesson.stem)
        count = projector.evaluate("Reveal.getTotalSlides()")
        assert FEWEST <= count <= MOST
        found = []
        for number in range(count):
            projector.evaluate(f"Reveal.slide({number}, 0, 9)")
            found += projector.evaluate(FITS)
        assert found == []

    def test_a_slide_that_does_not_fit_is_noticed(self, projector: Page, address: str) -> None:
        opened(projector, address, "00")
        projector.evaluate("Reveal.getCurrentSlide().querySelector('h2').style.minHeight = '900px'")
        assert projector.evaluate(FITS)

    def test_keys_go_on_and_an_answer_comes_after_its_question(self, projector: Page, address: str) -> None:
        opened(projector, address, "02", "Multiply and add")
        projector.keyboard.press("ArrowRight")
        expect(projector.locator("section.present > h2")).to_have_text("Step through the windows")
        opened(projector, address, "02", "What is Sobel x on the left rim of a bright coin?")
        answer = projector.locator("section.present .answer")
        expect(answer).to_have_css("opacity", "0")
        projector.keyboard.press("ArrowRight")
        expect(answer).to_have_css("opacity", "1")
        expect(answer).to_have_text("positive")
        assert serious_faults(projector, {}) == []

    def test_the_speaker_has_notes_with_mathematics_that_is_set(self, projector: Page, address: str) -> None:
        opened(projector, address, "03", "Where does an output pixel look?")
        projector.wait_for_function("MathJax.startup.promise.then(() => true)")
        with projector.expect_popup() as popup:
            projector.keyboard.press("s")
        notes = popup.value.locator(".speaker-controls-notes .value")
        expect(notes).to_contain_text("The middle of output pixel")
        expect(notes.locator("mjx-container svg").first).to_be_visible()
        popup.value.close()

    def test_an_explorer_answers_and_keeps_its_keys(self, projector: Page, address: str) -> None:
        opened(projector, address, "02", "Step through the windows")
        figure = projector.locator("section.present .body > figure")
        before = note(figure)
        figure.get_by_role("button", name="Step").click()
        assert note(figure) != before
        cell(figure, "output", 0, 0).focus()
        projector.keyboard.press("ArrowRight")
        assert note(figure).startswith("y[0, 1] =") and figure.is_visible()
        projector.keyboard.press("Escape")
        projector.keyboard.press("ArrowRight")
        expect(projector.locator("section.present > h2")).to_have_text("Convolution, without the turn")

    def test_it_prints_one_slide_per_page_and_an_answer_on_a_page_of_its_own(
        self, projector: Page, address: str
    ) -> None:
        projector.goto(f"{address}00_start_here.html?print-pdf")
        pages, answers = projector.locator(".pdf-page"), projector.locator(".pdf-page .words > .answer")
        expect(pages).to_have_count(len(tagged(LESSONS[0])) + 2)
        expect(answers).to_have_count(2)
        picture = projector.locator("section:has(> h2:text('The right number')) img")
        assert picture.bounding_box()["height"] > SIZE["height"] / 2

    def test_a_deck_opens_as_a_file_and_its_explorers_answer(self, projector: Page, tmp_path: Path) -> None:
        build(tmp_path, ROOT / "course")
        page = projector.context.browser.new_page(viewport=SIZE)
        wrong = watch(page, "file:")
        opened(page, f"{tmp_path.as_uri()}/", "04", "Three ways, the same sum")
        figure = page.locator("section.present .body > figure")
        before = note(figure)
        figure.get_by_role("button", name="Step").click()
        assert note(figure) != before and wrong == []
        page.close()


def test_the_version_of_reveal_is_pinned() -> None:
    folder = ROOT / "docs" / "slides"
    assert re.search(r'"reveal.js": "\d+\.\d+\.\d+"', (folder / "package.json").read_text())
    assert '"integrity": "sha512-' in (folder / "package-lock.json").read_text()
