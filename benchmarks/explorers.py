"""From a reader's action to the new picture: how long the explorers take, in JupyterLab 4 and a headless Chromium.

    python benchmarks/explorers.py [LESSON…]

Runs the lessons of `ROWS`, or only those that are named (such as 02), as `make lab` opens them. The clock is the
browser's: it starts with the key or the choice, and stops in the first frame after the picture has changed. The aim: a
median under 50 ms. Before that stands how long it took until the page was ready to draw the frame; where no Python is
asked (02, and the sizes of 06), the aim is 10 ms, and 20 ms for 19 of 20.
"""

from __future__ import annotations

import itertools
import statistics
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from playwright.sync_api import Page

sys.path.insert(0, str(Path(__file__).parents[1]))
from tests.explorers.browser import (
    PATIENCE_S,
    ROOT,
    chromium,
    jupyterlab,
    live_explorers,
    open_and_run,
    open_more,
    wait_for_the_kernel,
)
from tests.notebooks.shown import explorers

STEPS = 40
LIMIT_MS = 1000 * PATIENCE_S  # far more than a reader would wait: nothing changes any more

START_CLOCK = """(picture, [event, limit]) => {
    window.elapsed = new Promise(resolve => {
        let start;
        addEventListener(event, () => { start = performance.now(); }, { capture: true, once: true });
        const observer = new MutationObserver(() => {
            observer.disconnect();
            picture.getBoundingClientRect();  // so that the layout is counted
            const worked = performance.now() - start;
            requestAnimationFrame(() => resolve([worked, performance.now() - start]));
        });
        observer.observe(picture, { subtree: true, childList: true, characterData: true });
        setTimeout(() => { observer.disconnect(); resolve(null); }, limit);
    });
}"""


class Row(NamedTuple):
    """What a reader does, and where it shows. Selectors are looked for within one explorer."""

    lesson: str  # its number, or that of a side road behind its folder
    explorer: str  # its name
    action: str
    control: str  # what gets the keys, or the menu
    picture: str  # where something must change
    keys: Sequence[str] = ("ArrowRight", "ArrowLeft")  # pressed in turn …
    choices: Sequence[int] = ()  # … or chosen in turn, by their place in the menu
    number: int = 0  # which one, where a lesson has several such explorers
    first: tuple[str, str] | None = None  # a menu and what to choose there before, without a clock

    def measure(self, page: Page, steps: int, settle_ms: int, rest_ms: int) -> list[tuple[float, float]]:
        """Milliseconds of so many actions until the page is ready, and until its frame; each is waited for. Between
        them a reader lets the kernel come to rest.

        Raises
        ------
        RuntimeError
            When an action changes nothing.
        """
        path = lesson_path(self.lesson)
        place = [place for place, name in enumerate(explorers(path)) if name == self.explorer][self.number]
        explorer = live_explorers(page).nth(place)
        explorer.scroll_into_view_if_needed()
        open_more(explorer)
        if self.first:
            explorer.locator(menu(self.first[0])).select_option(self.first[1])
        control, picture, times = explorer.locator(self.control).first, explorer.locator(self.picture).first, []
        control.focus()
        turns = itertools.cycle(self.choices or self.keys)

        def act(turn: str | int) -> None:
            if self.choices:
                control.select_option(index=turn)
            else:
                page.keyboard.press(turn)

        act((self.choices or self.keys)[-1])  # so that the next one is a change, wherever the control stood
        # What came before shall be over.
        wait_for_the_kernel(page)
        page.wait_for_timeout(settle_ms)
        for turn in itertools.islice(turns, steps):
            picture.evaluate(START_CLOCK, ["change" if self.choices else "keydown", LIMIT_MS])
            act(turn)
            elapsed = page.evaluate("window.elapsed")
            if elapsed is None:
                raise RuntimeError(
                    f"{self.lesson} {self.explorer}, {self.action}: {turn!r} changed nothing in {self.picture!r} "
                    f"within {LIMIT_MS / 1000:.0f} s"
                )
            times.append(tuple(elapsed))
            page.wait_for_timeout(rest_ms)
        return times


def lesson_path(number: str) -> Path:
    (path,) = (ROOT / "course").glob(f"{number}_*.ipynb")
    return path


def handle(slider: str) -> str:
    return f".widget-slider:has-text('{slider}') .noUi-handle"


def menu(name: str) -> str:
    return f".widget-dropdown:has(label:text-is('{name}')) select"


def own(name: str) -> str:
    """A control of an explorer that computes in the page."""
    return f"label:has-text('{name}') :is(input, select)"


SCENE, POINTED, DRAWING, PHOTOGRAPHS = ".unet-scene", ".unet-pointed", "svg", ".unet-photos"
PRESETS = (3, 4, 5, 6, 7)
FIRST_HTML, SECOND_HTML, LAST_HTML = (f".widget-html >> nth={n}" for n in (0, 1, -1))
VIEWS = ".widget-hbox >> nth=-1"

ROWS = (
    Row("01", "threshold", "slider → coins scored", handle("Threshold"), SECOND_HTML),
    Row(
        "01", "threshold", "slider → motorcycle scored", handle("Threshold"), SECOND_HTML, first=("Photo", "motorcycle")
    ),
    Row("02", "convolution", "column slider → window moved", "label:has-text('output column') input", SCENE),
    Row("02", "convolution", "kernel turned → new scene", "[data-key=flip]", SCENE, keys=("Space", "Space")),
    Row("02", "convolution", "padding slider → new scene", "[data-key=padding]", SCENE),
    Row(
        "02", "convolution", "preset → photograph filtered", "[data-key=kernel]", PHOTOGRAPHS, choices=PRESETS, number=1
    ),
    Row("02", "convolution", "photograph → other pixels", ".frame", SCENE, ("ArrowDown", "ArrowUp"), number=1),
    Row("02", "arithmetic", "padding slider → new scene", "[data-key=padding]", SCENE),
    Row("02", "arithmetic", "input slider → new scene", "[data-key=size]", SCENE),
    Row("03", "interpolation", "size slider → new scene", handle("output columns"), SCENE),
    Row("03", "interpolation", "rule → new scene", menu("rule"), SCENE, choices=(0, 1)),
    Row("03", "interpolation", "rule → mask", menu("rule"), LAST_HTML, choices=(0, 1)),
    Row("side_roads/04", "matrix", "output slider → row of A", "label:has-text('output') input", SCENE),
    Row("side_roads/04", "matrix", "columns slider → new scene", handle("columns"), SCENE),
    Row("side_roads/04", "matrix", "kernel → new scene", menu("kernel w"), SCENE, choices=(1, 0)),
    Row("04", "transposed", "kernel → new scene", menu("kernel w"), SCENE, choices=(1, 0)),
    Row("04", "transposed", "padding slider → new scene", handle("padding"), SCENE),
    Row("05", "pooling", "stride slider → new scene", handle("stride"), SCENE),
    Row("05", "pooling", "input → new scene", menu("input x"), SCENE, choices=(1, 2)),
    Row("06", "sizes", "side slider → new U", own("Image side"), DRAWING),
    Row("06", "sizes", "poolings slider → new U", own("Poolings"), DRAWING),
    Row("06", "unet", "a copy → new answer", ".across select", ".answer .below", choices=(1, 0)),
    Row("side_roads/06_gradients", "skips", "picture slider → new masks", handle("Picture"), FIRST_HTML),
    Row("07", "elastic", "σ slider → new net", handle("σ in pixels"), VIEWS),
    Row("07", "weight_map", "w0 slider → new map", handle("w0"), POINTED),
    Row("side_roads/07", "training", "step slider → new answers", handle("Step"), FIRST_HTML),
    Row("08", "tiles", "column slider → tile moved", handle("Column"), POINTED),
    Row("08", "tiles", "step slider → new difference", handle("Step"), FIRST_HTML),
    Row("09", "ablations", "variant → new gallery", menu("Variant"), SECOND_HTML, choices=(1, 2)),
    Row("10", "unet", "a copy → new answer", ".across select", ".answer .below", choices=(1, 0)),
)


def summary(times: Sequence[float]) -> str:
    return f"median {statistics.median(times):6.1f} ms, p95 {statistics.quantiles(times, n=20)[-1]:6.1f} ms"


def main(lessons: Sequence[str]) -> None:
    print(f"JupyterLab 4, headless Chromium, {STEPS} actions each")
    with tempfile.TemporaryDirectory() as home, chromium() as browser, jupyterlab(Path(home)) as lab:
        for lesson, rows in itertools.groupby(ROWS, key=lambda row: row.lesson):
            if lessons and lesson not in lessons:
                continue
            page = browser.new_page(viewport={"width": 1280, "height": 1000})
            open_and_run(page, lab, str(lesson_path(lesson).relative_to(ROOT)))
            for row in rows:
                times = row.measure(page, STEPS, settle_ms=1000, rest_ms=60)
                what = f"{row.explorer}, {row.action}"
                ready, frame = map(summary, zip(*times, strict=True))
                print(f"{lesson}  {what:45s} ready {ready}   frame {frame}", flush=True)
            page.context.close()


if __name__ == "__main__":
    main(sys.argv[1:])
