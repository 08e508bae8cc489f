"""The web book in a real browser: on a phone and on a desk, light and dark, with a keyboard, without Python, and
alone."""

from __future__ import annotations

import functools
import http.server
import io
import json
import re
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote_plus

import nbformat
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect
from pypdf import PageObject, PdfReader

from tests.explorers.browser import chromium
from tests.explorers.mounted import cell, note
from tests.notebooks.execute import ROOT, notebooks

pytestmark = pytest.mark.needs("chromium")

PHONE, DESK = {"width": 390, "height": 844}, {"width": 1280, "height": 900}
LESSONS = [path.relative_to(ROOT).with_suffix(".html").as_posix() for path in notebooks("course")]
# One page of each other kind.
KINDS = [
    "index.html",
    "explainer.html",
    "explorers/index.html",
    "explorers/convolution.html",
    "exercises/index.html",
    "exercises/02_convolution/02_convolution.html",
    "api/index.html",
    "api/unet_edu.convolution.html",
    "docs/instructors.html",
    "search.html?q=transposed+convolution",
]
LIVE = 10  # explorers of grids in the lessons and side roads
SERIOUS = ("serious", "critical")
# A lesson has thousands of coloured words of code. One of each colour is enough for axe, which needs milliseconds for
# each.
KEEP_ONE_OF_EACH_COLOUR = """() => {
    const seen = new Set();
    for (const word of document.querySelectorAll(".highlight span[class]")) {
        if (seen.has(word.className)) word.replaceWith(word.textContent);
        seen.add(word.className);
    }
}"""


class Files(http.server.SimpleHTTPRequestHandler):
    """Silent, and the browser may keep what all pages share."""

    def log_message(self, *_: Any) -> None:
        pass

    def end_headers(self) -> None:
        self.send_header("Cache-Control", "max-age=600")
        super().end_headers()


@pytest.fixture(scope="module")
def address(site: Path) -> Iterator[str]:
    """Where the book is served, by nothing that knows more than files."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Files, directory=site))
    threading.Thread(target=server.serve_forever).start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.fixture(scope="module")
def phone(browser: Browser, address: str) -> BrowserContext:
    return browser.new_context(viewport=PHONE, base_url=address, color_scheme="light")


@pytest.fixture
def page(phone: BrowserContext, address: str) -> Iterator[Page]:
    """A page on a phone, with which nothing may go wrong."""
    page = phone.new_page()
    wrong = watch(page, address)
    yield page
    page.close()
    assert wrong == []


def watch(page: Page, address: str) -> list[str]:
    """Collect what a page complains of, what it asks for elsewhere, and what is not there."""
    wrong: list[str] = []
    page.on("console", lambda said: wrong.append(said.text) if said.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("request", lambda asked: None if asked.url.startswith((address, "data:")) else wrong.append(asked.url))
    # 304: what the browser keeps is still right. It asks when the tests have taken longer than it may keep it unasked.
    page.on("response", lambda answer: None if answer.ok or answer.status == 304 else wrong.append(answer.url))
    return wrong


@pytest.fixture
def lesson(page: Page) -> Page:
    page.goto("course/02_convolution.html")
    return page


def test_the_listed_pages_are_there_and_all_others_open(site: Path, page: Page) -> None:
    pages = sorted(path.relative_to(site).as_posix() for path in site.rglob("*.html"))
    assert {listed.partition("?")[0] for listed in [*LESSONS, *KINDS]} <= set(pages) and LESSONS
    too_wide = []
    for path in pages:
        page.goto(path)
        assert page.locator("h1, #search-results").count() == 1, path
        if not is_as_wide_as_the_screen(page):
            too_wide.append(path)
    assert too_wide == []


@pytest.mark.parametrize("path", [*LESSONS, *KINDS])
def test_everyone_can_use_it_on_a_phone_and_on_a_desk_in_light_and_dark(page: Page, path: str) -> None:
    page.goto(path)
    if page.locator(".unet-explainer").count():
        page.locator(".unet-explainer .answer .below:not(:empty)").wait_for()  # all it draws is looked at
    page.evaluate(KEEP_ONE_OF_EACH_COLOUR)
    found = serious_faults(page, {})
    page.set_viewport_size(DESK)
    page.emulate_media(color_scheme="dark")
    assert is_as_wide_as_the_screen(page)
    found += serious_faults(page, {"runOnly": ["color-contrast"]})
    assert found == []


def is_as_wide_as_the_screen(page: Page) -> bool:
    """Whether one need not scroll the page sideways. The theme hides what sticks out of it, and lets its content scroll
    instead."""
    boxes = "[...document.querySelectorAll('html, .content')]"
    return page.evaluate(f"{boxes}.every(box => box.scrollWidth <= box.clientWidth)")


def serious_faults(page: Page, options: dict[str, Any]) -> list[str]:
    said = Axe().run(page, options={"resultTypes": ["violations"], **options}).response
    assert said["passes"], "axe looked at nothing"
    return [
        f"{fault['id']}: {fault['help']}: {[node['target'] for node in fault['nodes']][:5]}"
        for fault in said["violations"]
        if fault["impact"] in SERIOUS
    ]


def test_a_spoiled_page_is_noticed(phone: BrowserContext, address: str) -> None:
    page = phone.new_page()
    wrong = watch(page, address)
    page.goto("index.html")
    assert wrong == [] and is_as_wide_as_the_screen(page) and serious_faults(page, {}) == []
    page.evaluate("""() => {
        document.querySelector("h1").style.color = "silver";
        document.querySelector("article p").style.width = "900px";
        for (const there of ["https://example.invalid/font.woff2", "no_such_picture.png"]) fetch(there).catch(() => {});
        console.error("a complaint");
    }""")
    page.wait_for_load_state("networkidle")
    assert [fault.partition(":")[0] for fault in serious_faults(page, {})] == ["color-contrast"]
    assert not is_as_wide_as_the_screen(page)
    assert {"https://example.invalid/font.woff2", f"{address}no_such_picture.png", "a complaint"} <= set(wrong)
    page.close()


def test_every_explorer_of_grids_is_alive(page: Page) -> None:
    count = 0
    for path in [*LESSONS, "index.html"]:
        page.goto(path)
        figures = page.locator("figure.unet-live:not(:has([data-module^='unet/']))")
        assert figures.and_(page.locator("figure:is(.is-live, :has(> .is-live))")).count() == figures.count()
        for figure in figures.all():
            assert figure.locator("svg[aria-label]").is_visible()
            assert not figure.locator("> img, > div > img").locator("visible=true").count()
            before = shown(figure)
            if figure.locator(".unet-sizes").count():
                figure.locator("[data-block]").last.click()
            else:
                figure.get_by_role("button", name="Step").click()
            assert shown(figure) != before
        count += figures.count()
    assert count == LIVE + 1


def shown(figure: Locator) -> str:
    return figure.locator(".note, .about").inner_html()


def test_pointing_stepping_playing_and_keys_work_without_python(lesson: Page) -> None:
    figure = lesson.locator(".unet-page").first
    figure.scroll_into_view_if_needed()
    assert note(figure).endswith("= 122")
    cell(figure, "output", 1, 0).hover()
    assert note(figure).startswith("y[1, 0] =") and note(figure).endswith("= 126")
    assert figure.locator(".linked").count() == 18
    figure.get_by_role("button", name="Step").click()
    assert note(figure).startswith("y[0, 1] =")
    cell(figure, "output", 0, 1).focus()
    lesson.keyboard.press("ArrowDown")
    assert note(figure).startswith("y[1, 1] =")
    figure.get_by_role("button", name="Reset").click()
    figure.get_by_role("button", name="Play").click()
    expect(figure.locator(".note")).to_contain_text("y[1, 1] =", timeout=10_000)
    figure.get_by_label("output row").fill("0")
    assert note(figure).startswith("y[0, 1] =")


def test_what_computes_in_the_page_takes_the_place_of_its_picture(lesson: Page) -> None:
    pages = lesson.locator(".unet-page")
    expect(pages.locator(".unet-scene")).to_have_count(3)
    for number in range(3):
        still = pages.nth(number).locator("xpath=preceding-sibling::div[1]")
        assert still.locator("img").count() == 1 and not still.is_visible()
    assert lesson.get_by_text("To play, run all cells").count() == 0


def test_numbers_are_typed_and_sliders_moved_without_python(lesson: Page) -> None:
    figure = lesson.locator(".unet-page").first
    cell(figure, "kernel", 0, 0).dblclick()
    figure.locator(".editor").fill("2")
    lesson.keyboard.press("Enter")
    cell(figure, "output", 0, 0).focus()
    assert note(figure).startswith("y[0, 0] = 2·4 +") and note(figure).endswith("= 126")
    figure.get_by_role("slider", name="stride").press("ArrowRight")
    assert figure.locator("[aria-label^='output,'] .value").all_text_contents() == ["126"]


def test_it_says_where_numbers_can_be_changed(page: Page) -> None:
    page.goto("course/04_transposed_convolution.html")
    figure = page.locator("figure.unet-live").first
    cell(figure, "kernel", 0, 0).dblclick()
    assert figure.locator(".editor").count() == 0 and "open the lesson" in note(figure)
    assert figure.locator("a.unet-colab").get_attribute("href").endswith("course/04_transposed_convolution.ipynb")
    assert figure.locator("a.unet-colab").is_visible()


def test_a_scene_is_dark_on_white_or_white_on_dark_as_the_page_is(lesson: Page) -> None:
    figure = lesson.locator(".unet-page").first
    words = "node => [getComputedStyle(node).color, getComputedStyle(document.body).color]"
    ground = "node => getComputedStyle(node).backgroundColor"
    ink = "node => getComputedStyle(node).fill"
    for scheme, paper, letters in (
        ("light", "rgb(255, 255, 255)", "rgb(26, 26, 26)"),
        ("dark", "rgb(28, 28, 30)", "rgb(242, 242, 242)"),
    ):
        lesson.emulate_media(color_scheme=scheme)
        assert figure.locator(".stage").evaluate(ground) == paper
        assert figure.locator(".value").first.evaluate(ink) == letters
        own, of_the_page = figure.locator(".note").evaluate(words)
        assert own == of_the_page


def test_without_javascript_and_with_a_broken_scene_the_pictures_stay(browser: Browser, address: str) -> None:
    with browser.new_context(java_script_enabled=False, base_url=address) as context:
        still = context.new_page()
        still.goto("course/02_convolution.html")
        assert still.locator(".unet-page").count() == 3 and still.get_by_text("To play, run all cells").count() == 3
        pictures = still.locator("figure.unet-live:has(.unet-page) > div > img").all()
        assert len(pictures) == 3 and all(picture.is_visible() for picture in pictures)
        still.goto("course/04_transposed_convolution.html")
        assert still.locator("figure.unet-live > img").first.is_visible()
        assert not still.locator(".unet-when-live").first.is_visible()
    with browser.new_context(base_url=address) as context:
        broken, errors = context.new_page(), []
        broken.on("pageerror", lambda error: errors.append(error))
        broken.route(
            "**/course/side_roads/04_what_cannot_be_undone.html",
            lambda route: route.fulfill(
                body=route.fetch().text().replace('data-painter="scene">{', 'data-painter="scene">{"x"', 1),
                content_type="text/html; charset=utf-8",
            ),
        )
        broken.goto("course/side_roads/04_what_cannot_be_undone.html")
        figures = broken.locator("figure.unet-live")
        assert figures.first.locator("> img").is_visible() and figures.first.locator(".unet-scene").count() == 0
        assert figures.nth(1).locator(".unet-scene").count() == 1 and len(errors) == 1


def test_mathematics_is_set(lesson: Page) -> None:
    expect(lesson.locator("mjx-container").first).to_be_visible()
    assert lesson.locator("mjx-container").count() > 10 and lesson.locator("mjx-merror").count() == 0
    fonts = json.loads(lesson.evaluate("JSON.stringify([...document.fonts].map(font => [font.family, font.status]))"))
    assert [family for family, status in fonts if family.startswith("MJX") and status == "loaded"]


# What people type: words of the lessons, other names for the same, American spelling, an abbreviation, a name in code.
WANTED = {
    "checkerboard": "course/04_transposed_convolution.html#checkerboards",
    "checkerboard artefacts": "course/04_transposed_convolution.html#checkerboards",
    "deconvolution": "course/04_transposed_convolution.html",
    "upconv": "course/04_transposed_convolution.html#the-up-convolution-of-the-u-net",
    "fractionally strided": "course/04_transposed_convolution.html#stamps-and-a-stride",
    "transposed convolution": "course/04_transposed_convolution.html",
    "upsampling": "course/03_interpolation.html",
    "nearest neighbor": "course/03_interpolation.html#copies-and-nails",
    "Dice": "course/01_semantic_segmentation.html#how-good-is-a-segmentation",
    "IoU": "course/01_semantic_segmentation.html#how-good-is-a-segmentation",
    "F1": "course/01_semantic_segmentation.html#how-good-is-a-segmentation",
    "class imbalance": "course/01_semantic_segmentation.html#why-accuracy-lies",
    "receptive field": "course/02_convolution.html#how-far-does-a-stack-of-kernels-see",
    "padding": "course/02_convolution.html#the-other-arguments",
    "atrous": "course/02_convolution.html#the-other-arguments",
    "max unpooling": "course/05_pooling.html",
    "skip connection": "course/06_unet.html#skip-connections",
    "concatenate": "course/06_unet.html#up",
    "parameters": "course/06_unet.html#count-it",
    "batch normalization": "course/07_training.html#lever-two-normalise-the-input",
    "overfitting": "course/07_training.html#training-and-what-each-lever-is-worth",
    "overlap tile": "course/08_tiles.html#overlap-tile",
    "out of memory": "course/08_tiles.html#how-large-a-tile",
    "nnU-Net": "course/09_results.html#what-the-field-did-since",
    "own images": "course/10_own_images.html",
    "conv2d": "course/02_convolution.html",
    "Colab": "course/00_start_here.html",
    "GPU": "docs/training.html",
    "grading": "docs/instructors.html",
    "receptive_field": "api/unet_edu.convolution.html#unet_edu.convolution.receptive_field",
}


def test_the_search_shows_first_where_a_word_is_explained(page: Page) -> None:
    found = {}
    for words in WANTED:
        page.goto(f"search.html?q={quote_plus(words)}")
        expect(page.locator("p.search-summary")).to_contain_text("Search finished")
        found[words] = page.locator("ul.search a").first.get_attribute("href")
    assert {words: there for words, there in found.items() if not there.startswith(WANTED[words])} == {}


def test_a_result_of_the_search_names_its_section_and_leads_there(page: Page) -> None:
    page.set_viewport_size(DESK)
    page.goto("index.html")
    box = page.get_by_role("textbox", name="Search").first
    box.fill("skip connection")
    box.press("Enter")
    first = page.locator("ul.search li").first
    assert first.locator("a").inner_text() == "06 · The U-Net > 8 · Skip connections"
    expect(first.locator("p.context")).to_contain_text("skip connection")
    first.locator("a").click()
    expect(page.get_by_role("heading", name="8 · Skip connections")).to_be_in_viewport()


def test_the_keyboard_never_leads_out_of_sight(lesson: Page) -> None:
    """On a narrow screen the lists at both sides are out of the page."""
    seen = []
    for _ in range(60):
        lesson.keyboard.press("Tab")
        focused = lesson.locator(":focus")
        expect(focused).to_be_in_viewport(ratio=0.9)
        seen.append(focused.get_attribute("class") or "")
        if "unet-door" in seen[-1]:
            break
    assert sum("reference" in names for names in seen) > 20 and "unet-door" in seen[-1] and "sidebar-search" in seen


# Paper.

PAPER = {"width": 695, "height": 1000}  # A4 between its margins, in CSS pixels
PRINTED = [
    "course/02_convolution.html",
    "course/06_unet.html",
    "course/side_roads/04_what_cannot_be_undone.html",
    "exercises/02_convolution/02_convolution.html",
    "api/unet_edu.transposed.html",
    "docs/instructors.html",
    "index.html",
]
TO_PRESS = [
    "Skip to content",
    "See the answer",
    "Open in Colab",
    "output row",
    "Set-up",
    "Its code, with",
    "Made with",
]


@pytest.fixture(scope="module")
def printed(browser: Browser, address: str) -> Iterator[dict[str, PdfReader]]:
    """What comes out of a printer, for one who reads in the dark."""
    with browser.new_context(viewport=DESK, base_url=address, color_scheme="dark") as context:
        page = context.new_page()
        found = {}
        for path in PRINTED:
            page.goto(path, wait_until="networkidle")
            found[path] = PdfReader(io.BytesIO(page.pdf(format="A4", prefer_css_page_size=True)))
        yield found


def squeezed(text: str) -> str:
    return re.sub(r"\s+", "", text)


@pytest.mark.parametrize("path", PRINTED)
def test_a_printed_page_has_nothing_to_press_and_pages_with_numbers(printed: dict[str, PdfReader], path: str) -> None:
    texts = [page.extract_text() for page in printed[path].pages]
    assert all(f"{number} / {len(texts)}" in text for number, text in enumerate(texts, 1))
    assert [words for words in TO_PRESS if any(re.search(rf"\b{words}\b", text) for text in texts)] == []


@pytest.mark.parametrize("path", PRINTED)
def test_no_heading_stands_alone_at_the_end_of_a_printed_page(printed: dict[str, PdfReader], path: str) -> None:
    sizes = [lowest_size(page) for page in printed[path].pages]
    assert len(sizes) > 1 and max(sizes) < 13


def lowest_size(page: PageObject) -> float:
    """Of the lowest text above the page's number."""
    found = []

    def see(text: str, cm: list[float], tm: list[float], _font: Any, size: float) -> None:
        height = cm[3] * tm[5] + cm[5]
        if text.strip() and height > 40:
            found.append((height, size * abs(tm[3] * cm[3])))

    page.extract_text(visitor_text=see)
    return min(found)[1]


def test_a_printed_lesson_has_its_code_its_answers_and_all_its_pictures(printed: dict[str, PdfReader]) -> None:
    pages = printed["course/02_convolution.html"].pages
    text = squeezed(" ".join(page.extract_text() for page in pages))
    cells = nbformat.read(ROOT / "course" / "02_convolution.ipynb", as_version=4).cells
    code = [cell.source for cell in cells if cell.cell_type == "code" and "guess(" not in cell.source]
    assert len(code) > 20 and [source for source in code[1:] if squeezed(source) not in text] == []
    assert "Theanswer144.Abyterunsover" in text and "Comparewithoursdefconv2d_loops" in text and "Inwords" not in text
    pictures = [
        name
        for page in pages
        for name, there in page["/Resources"].get("/XObject", {}).items()
        if there.get_object()["/Subtype"] == "/Image" and there.get_object()["/Width"] > 200
    ]
    stored = [output for cell in cells for output in cell.get("outputs", []) if "image/png" in output.get("data", {})]
    assert len(pictures) == len(stored) > 15


@pytest.mark.parametrize("path", PRINTED)
def test_paper_is_white_and_nothing_on_it_is_cut(browser: Browser, address: str, path: str) -> None:
    with browser.new_context(viewport=PAPER, base_url=address, color_scheme="dark") as context:
        page = context.new_page()
        page.goto(path, wait_until="networkidle")
        page.emulate_media(media="print")
        page.evaluate("document.body.dataset.theme = 'dark'")
        assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
        assert is_as_wide_as_the_screen(page)
        cut = (
            "[...document.querySelectorAll('pre, .table-wrapper')].filter(box => box.scrollWidth > box.clientWidth + 1)"
        )
        assert page.evaluate(f"{cut}.map(box => box.textContent.slice(0, 80))") == []
        for figure in page.locator("figure:is(.unet-live, .unet-picture)").all():
            shown = figure.locator("img, .unet-still").locator("visible=true")
            assert shown.count() == 1 and shown.bounding_box()["width"] > 100
            assert not figure.locator("button, input, select").locator("visible=true").count()


def test_the_front_page_has_its_pictures_without_javascript(browser: Browser, address: str) -> None:
    with browser.new_context(java_script_enabled=False, base_url=address) as context:
        page = context.new_page()
        page.goto("index.html")
        assert page.locator("figure.unet-live img").locator("visible=true").count() == 2
        assert not page.get_by_text("To play, run all cells").locator("visible=true").count()
