"""From a reader's action to the new picture: how long the explorers take, in JupyterLab 4 and a headless Chromium.

    python benchmarks/explorers.py [LESSON…]

Runs the lessons of `ROWS`, or only those that are named (such as 02), as `make lab` opens them. The clock is the browser's: it starts
with the key or the choice, and stops in the first frame after the picture has changed. The aim: a median under 50 ms.
"""

from __future__ import annotations

import itertools
import statistics
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from playwright.sync_api import Locator, Page

sys.path.insert(0, str(Path(__file__).parents[1]))
from tests.explorers.browser import ROOT, chromium, jupyterlab, open_and_run

STEPS = 40

START_CLOCK = """(picture, event) => {
    window.elapsed = new Promise(resolve => {
        let start;
        addEventListener(event, () => { start = performance.now(); }, { capture: true, once: true });
        const observer = new MutationObserver(() => {
            observer.disconnect();
            requestAnimationFrame(() => resolve(performance.now() - start));
        });
        observer.observe(picture, { subtree: true, childList: true, characterData: true });
    });
}"""


class Action(NamedTuple):
    """What a reader does, and where it shows. Selectors are looked for within one explorer."""

    explorer: str  # something that only this explorer holds
    control: str  # what gets the keys, or the menu
    picture: str  # where something must change
    keys: Sequence[str] = ()  # pressed in turn …
    choices: Sequence[int] = ()  # … or chosen in turn, by their place in the menu
    number: int = 0  # which one, where a lesson has several such explorers
    first: Callable[[Locator], object] = lambda explorer: None  # to be done before, without a clock

    def measure(self, page: Page) -> list[float]:
        """Milliseconds of `STEPS` actions, each waited for."""
        everyone = page.locator(".jp-OutputArea-output > .widget-vbox", has=page.locator(self.explorer))
        explorer = everyone.nth(self.number)
        explorer.scroll_into_view_if_needed()
        self.first(explorer)
        page.wait_for_timeout(1000)  # what came before shall be over
        control, picture, times = explorer.locator(self.control).first, explorer.locator(self.picture).first, []
        control.focus()
        for turn in itertools.islice(itertools.cycle(self.keys or self.choices), STEPS):
            picture.evaluate(START_CLOCK, "keydown" if self.keys else "change")
            if self.keys:
                page.keyboard.press(turn)
            else:
                control.select_option(index=turn)
            times.append(page.evaluate("window.elapsed"))
            page.wait_for_timeout(60)  # a reader, not a machine gun: let the kernel come to rest
        return times


def handle(slider: str) -> str:
    return f".widget-slider:has-text('{slider}') .noUi-handle"


def menu(name: str) -> str:
    return f".widget-dropdown:has(label:text-is('{name}')) select"


SCENE = ".unet-scene"
CONVOLUTION, ARITHMETIC = ".unet-scene:has-text('kernel w')", ".unet-scene:has-text('nn.Conv2d')"
THRESHOLD = handle("Threshold")
INTERPOLATION, MATRIX, TRANSPOSED, POOLING = map(handle, ("Output cols", "columns", "output_padding", "stride"))
SIZES, SKIPS, MAPS, ELASTIC = handle("Image side"), menu("Copy, level 0"), handle("Channel"), handle("σ in pixels")
WEIGHTS, RUNS, TILES, ABLATIONS = handle("w0"), handle("Step"), handle("Column"), menu("Change")
RIGHT_LEFT, LEFT_RIGHT = ("ArrowRight", "ArrowLeft"), ("ArrowLeft", "ArrowRight")


def motorcycle(explorer: Locator) -> None:
    explorer.locator(menu("Photo")).select_option("motorcycle")


# (lesson, what, how)
ROWS = (
    (
        "01",
        "threshold, slider → coins scored",
        Action(THRESHOLD, THRESHOLD, ".widget-html >> nth=1", RIGHT_LEFT),
    ),
    (
        "01",
        "threshold, slider → motorcycle scored",
        Action(THRESHOLD, THRESHOLD, ".widget-html >> nth=1", RIGHT_LEFT, first=motorcycle),
    ),
    (
        "02",
        "convolution, column slider → window moved",
        Action(CONVOLUTION, "label:has-text('output column') input", SCENE, RIGHT_LEFT),
    ),
    ("02", "convolution, kernel turned → new scene", Action(CONVOLUTION, menu("Laid on"), SCENE, choices=(1, 0))),
    (
        "02",
        "convolution, preset → photograph filtered",
        Action(CONVOLUTION, menu("Kernel"), ".widget-html >> nth=1", choices=(3, 4, 5, 6, 7)),
    ),
    (
        "02",
        "photograph, row slider → other pixels",
        Action(CONVOLUTION, handle("Photo row"), SCENE, ("ArrowDown", "ArrowUp"), number=1),
    ),
    ("02", "arithmetic, padding slider → new scene", Action(ARITHMETIC, handle("padding"), SCENE, RIGHT_LEFT)),
    ("03", "interpolation, size slider → new scene", Action(INTERPOLATION, INTERPOLATION, SCENE, LEFT_RIGHT)),
    ("03", "interpolation, rule → new scene", Action(INTERPOLATION, menu("Rule"), SCENE, choices=(0, 1))),
    ("03", "interpolation, rule → mask", Action(INTERPOLATION, menu("Rule"), ".widget-html >> nth=-1", choices=(0, 1))),
    ("04", "matrix, output slider → row of A", Action(MATRIX, "label:has-text('output') input", SCENE, RIGHT_LEFT)),
    ("04", "matrix, columns slider → new scene", Action(MATRIX, MATRIX, SCENE, RIGHT_LEFT)),
    ("04", "matrix, kernel → new scene", Action(MATRIX, menu("Kernel"), SCENE, choices=(1, 0))),
    ("04", "three ways, kernel → new scene", Action(TRANSPOSED, menu("Kernel"), SCENE, choices=(1, 0), number=1)),
    (
        "04",
        "three ways, padding slider → new scene",
        Action(TRANSPOSED, handle("padding"), SCENE, RIGHT_LEFT, number=1),
    ),
    ("05", "pooling, stride slider → new scene", Action(POOLING, POOLING, SCENE, LEFT_RIGHT)),
    ("05", "pooling, input → new scene", Action(POOLING, menu("Input"), SCENE, choices=(1, 2))),
    ("06", "sizes, side slider → new U", Action(SIZES, SIZES, SCENE, RIGHT_LEFT)),
    ("06", "sizes, poolings slider → new U", Action(SIZES, handle("Poolings"), SCENE, LEFT_RIGHT)),
    ("06", "skips, a copy → new answer", Action(SKIPS, SKIPS, ".widget-html", choices=(2, 0))),
    ("06", "feature maps, channel slider → new maps", Action(MAPS, MAPS, ".widget-html", RIGHT_LEFT)),
    ("07", "elastic, σ slider → new net", Action(ELASTIC, ELASTIC, ".widget-html", RIGHT_LEFT)),
    ("07", "weight map, w0 slider → new map", Action(WEIGHTS, WEIGHTS, ".widget-html", RIGHT_LEFT)),
    ("07", "training, step slider → new answers", Action(RUNS, RUNS, ".widget-html", LEFT_RIGHT)),
    ("08", "tiles, column slider → tile moved", Action(TILES, TILES, ".widget-html >> nth=-1", RIGHT_LEFT)),
    ("08", "tiles, step slider → new difference", Action(TILES, handle("Step"), ".widget-html >> nth=-1", RIGHT_LEFT)),
    ("09", "ablations, variant → new gallery", Action(ABLATIONS, ABLATIONS, ".widget-html >> nth=-1", choices=(1, 2))),
)


def main(lessons: Sequence[str]) -> None:
    print(f"JupyterLab 4, headless Chromium, {STEPS} actions each")
    with tempfile.TemporaryDirectory() as home, chromium() as browser, jupyterlab(Path(home)) as address:
        for lesson, rows in itertools.groupby(ROWS, key=lambda row: row[0]):
            if lessons and lesson not in lessons:
                continue
            (path,) = (ROOT / "course").glob(f"{lesson}_*.ipynb")
            page = browser.new_page(viewport={"width": 1280, "height": 1000})
            open_and_run(page, address, str(path.relative_to(ROOT)))
            for _, what, how in rows:
                times = how.measure(page)
                p95 = statistics.quantiles(times, n=20)[-1]
                print(f"{lesson}  {what:45s} median {statistics.median(times):6.1f} ms   p95 {p95:6.1f} ms", flush=True)
            page.context.close()


if __name__ == "__main__":
    main(sys.argv[1:])
