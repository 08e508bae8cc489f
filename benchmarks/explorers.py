"""From a reader's action to the new picture: how long the explorers take, in JupyterLab 4 and a headless Chromium.

    python benchmarks/explorers.py

Runs lesson 02 as `make lab` opens it. The clock is the browser's: it starts with the key or the choice, and stops in the first
frame after the picture has changed. The aim: a median under 50 ms.
"""

import statistics
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Locator, Page

sys.path.insert(0, str(Path(__file__).parents[1]))
from tests.explorers.browser import chromium, jupyterlab, open_and_run

LESSON = "course/02_convolution.ipynb"
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


def measure(page: Page, picture: Locator, event: str, act: Callable[[int], object]) -> list[float]:
    """Milliseconds of `STEPS` actions, each waited for; `picture` is where something must change."""
    times = []
    for step in range(STEPS):
        picture.evaluate(START_CLOCK, event)
        act(step)
        times.append(page.evaluate("window.elapsed"))
        page.wait_for_timeout(60)  # a reader, not a machine gun: let the kernel come to rest
    return times


def main() -> None:
    with tempfile.TemporaryDirectory() as home, chromium() as browser, jupyterlab(Path(home)) as address:
        page = browser.new_page(viewport={"width": 1280, "height": 1000})
        open_and_run(page, address, LESSON)
        convolution = page.locator(".widget-vbox", has=page.locator(".unet-scene:has-text('kernel w')")).first
        arithmetic = page.locator(".widget-vbox", has=page.locator(".unet-scene:has-text('nn.Conv2d')")).first
        scene, sizes = convolution.locator(".unet-scene"), arithmetic.locator(".unet-scene")
        column = convolution.get_by_label("output column")
        kernels, flip = convolution.locator("select").nth(0), convolution.locator("select").nth(1)
        # the second explorer lies on a photograph
        row = page.locator(".widget-slider:has-text('Photo row') .noUi-handle").nth(1)
        elsewhere = page.locator(".unet-scene:has-text('kernel w')").nth(1)
        padding = arithmetic.locator(".widget-slider:has-text('padding') .noUi-handle")

        def turn(key: str, other: str) -> Callable[[int], object]:
            return lambda step: page.keyboard.press(other if step % 2 else key)

        column.focus()
        rows = {
            "convolution, column slider → window moved": measure(
                page, scene, "keydown", turn("ArrowRight", "ArrowLeft")
            )
        }
        flipping = lambda step: flip.select_option(index=1 - step % 2)
        rows["convolution, kernel turned → new scene"] = measure(page, scene, "change", flipping)
        choosing = lambda step: kernels.select_option(index=3 + step % 5)
        photograph = convolution.locator(".widget-html").nth(1)
        rows["convolution, preset → photograph filtered"] = measure(page, photograph, "change", choosing)
        row.focus()
        rows["photograph, row slider → other pixels"] = measure(
            page, elsewhere, "keydown", turn("ArrowDown", "ArrowUp")
        )
        padding.focus()
        rows["arithmetic, padding slider → new scene"] = measure(
            page, sizes, "keydown", turn("ArrowRight", "ArrowLeft")
        )

    print(f"JupyterLab 4, headless Chromium, {STEPS} actions each")
    for name, times in rows.items():
        p95 = statistics.quantiles(times, n=20)[-1]
        print(f"{name:45s} median {statistics.median(times):6.1f} ms   p95 {p95:6.1f} ms")


if __name__ == "__main__":
    main()
