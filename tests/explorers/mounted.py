"""What a scene that is mounted on a page shows, and how to point at it."""

from unet_edu.explore.arithmetic import scene as arithmetic
from unet_edu.explore.convolution import scene as convolution
from unet_edu.explore.page import Page
from unet_edu.figures.scene import Scene

IN_THE_PAGE = {"arithmetic.js": arithmetic, "convolution.js": convolution}


def scene_of(shown):
    """What scene.js gets of an explorer, or of a bare scene."""
    if isinstance(shown, Page):
        shown = IN_THE_PAGE[shown.module](shown.state)
    return shown.data() if isinstance(shown, Scene) else shown.views[0].widget.scene


def cell(page, grid, row, column):
    return page.locator(f"[role=gridcell][aria-label^='{grid}, row {row}, column {column}:']")


def lit(page, grid):
    """The places in a grid that are linked to what is selected."""
    labels = page.locator(f".linked[aria-label^='{grid},']").evaluate_all("nodes => nodes.map(node => node.ariaLabel)")
    return [tuple(int(part.split(":")[0].split()[1]) for part in label.split(", ")[1:]) for label in labels]


def note(page):
    return page.locator(".note").text_content()


def update(page, explorer):
    page.evaluate("scene => view.update(scene)", scene_of(explorer))


def outputs(page):
    return page.locator("[aria-label^='output,'] .value").all_text_contents()


def focused(page):
    """What has the focus, as scene.js calls it: "kernel-0-1", "step" …"""
    return page.evaluate("document.activeElement.dataset.key")


def type_into(page, grid, row, column, text, key="Enter"):
    cell(page, grid, row, column).dblclick()
    page.locator(".editor").fill(text)
    page.keyboard.press(key)


def listen(page):
    """Collect in window.heard the keys that reach the document, as a notebook would hear them, and whether they were
    used."""
    page.evaluate("""window.heard = [];
        document.addEventListener("keydown", event => heard.push([event.key, event.defaultPrevented]))""")


def heard(page):
    return page.evaluate("heard")
