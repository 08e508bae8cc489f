"""scene.js on a bare page: `mount(explorer)` shows its scene, and nothing may go wrong on the page."""

import base64
import json

import pytest

from tests.explorers.browser import ROOT, chromium, told
from tests.explorers.mounted import scene_of
from unet_edu.explore.page import bundled

SIZE = {"width": 900, "height": 700}


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item):
    """A test of an open page that fails shows what was on it."""
    report = yield
    page = item.funcargs.get("page")
    if report.failed and page:
        report.sections.append(("the page", told(page, getattr(page, "lab", None))))
    return report


@pytest.fixture(scope="module")
def browser():
    with chromium() as browser:
        yield browser


@pytest.fixture(scope="module")
def sheet(browser):
    return browser.new_page(viewport=SIZE)


@pytest.fixture
def mount(sheet):
    """Show an explorer's scene; typed edits are collected in window.edits.

    The page is the file's, emptied; to open one takes longer than most of these tests.
    """
    sheet.set_viewport_size(SIZE)
    # Away from where a scene will be.
    sheet.mouse.move(0, 0)
    sheet.goto("about:blank")
    yield from showing(sheet)


@pytest.fixture
def timed_mount(browser):
    """As `mount`, but time passes only in `page.clock.run_for`; which holds for all pages of a context, so it has its
    own."""
    page = browser.new_page(viewport=SIZE)
    page.clock.install(time=0)
    page.clock.pause_at(1000)
    yield from showing(page)
    page.close()


def showing(page):
    errors = []

    def note(error):
        errors.append(error)

    page.on("pageerror", note)

    def show(explorer):
        script = base64.b64encode(f"{bundled('scene.js')}\nexport {{ mountScene as mount }};".encode()).decode()
        page.set_content(f"<style>{(ROOT / 'unet_edu/explore/scene.css').read_text()}</style><div id=here></div>")
        page.add_script_tag(
            type="module",
            content=f"""import {{ mount }} from "data:text/javascript;base64,{script}";
                window.edits = [];
                window.mount = mount;
                window.view = mount(here, {json.dumps(scene_of(explorer))}, (...edit) => edits.push(edit));""",
        )
        page.locator("svg").wait_for()
        return page

    yield show
    page.remove_listener("pageerror", note)
    assert errors == []
