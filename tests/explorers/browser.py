"""A real browser and a real JupyterLab, for tests and benchmarks."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from playwright.sync_api import Browser, Page, TimeoutError, sync_playwright

ROOT = Path(__file__).parents[2]
STARTING_S = 120  # a first start, on a slow machine
RUNNING_S = 180  # a whole lesson, likewise


@contextmanager
def chromium() -> Iterator[Browser]:
    quiet = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=quiet)
        yield browser
        browser.close()


@contextmanager
def jupyterlab(home: Path, theme: str = "JupyterLab Light") -> Iterator[str]:
    """What `make lab` starts, without the settings of whoever runs it; gives its address, with a place for a notebook's path.

    `home` keeps JupyterLab's own files, checkpoints included. The whole process group is stopped at the end, kernels included.
    """
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    token = secrets.token_hex(16)
    options = (
        f"--no-browser --ServerApp.port={port} --ServerApp.port_retries=0 --IdentityProvider.token={token} "
        f"--FileCheckpoints.checkpoint_dir={home / 'checkpoints'}"
    )
    places = {name: str(home / name.lower()) for name in ("JUPYTER_CONFIG_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR")}
    places |= {f"JUPYTERLAB_{name}_DIR": str(home / name.lower()) for name in ("SETTINGS", "WORKSPACES")}
    _write_settings(Path(places["JUPYTERLAB_SETTINGS_DIR"]), theme)
    with (home / "lab.log").open("wb") as log:
        server = subprocess.Popen(
            ["make", "lab", f"LAB_ARGS={options}"],
            cwd=ROOT,
            env=os.environ | places,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        deadline = time.monotonic() + STARTING_S
        while not _answers(f"http://127.0.0.1:{port}/api"):
            if server.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError("JupyterLab did not start:\n" + (home / "lab.log").read_text())
            time.sleep(0.2)
        yield f"http://127.0.0.1:{port}/lab/tree/{{path}}?token={token}&reset"
    finally:
        os.killpg(server.pid, signal.SIGTERM)
        try:
            server.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(server.pid, signal.SIGKILL)


def open_and_run(page: Page, address: str, path: str) -> None:
    """Open a notebook, run all its cells through the menu, as a student would, and wait until the last one is done."""
    page.goto(address.format(path=path), timeout=STARTING_S * 1000)
    page.locator(".jp-Notebook-ExecutionIndicator[data-status=idle]").first.wait_for(timeout=STARTING_S * 1000)
    prompts = "[...document.querySelectorAll('.jp-CodeCell .jp-InputPrompt')].map(node => node.textContent.trim())"
    _choose(page, "Edit", "Clear Outputs of All Cells")  # the stored ones would look like those of a run
    page.wait_for_function(f"{prompts}.every(text => text === '[ ]:')")
    for _ in range(5):  # JupyterLab drops an order that comes while it still connects to the kernel
        _choose(page, "Run", "Run All Cells")
        with suppress(TimeoutError):
            page.wait_for_function(f"{prompts}.some(text => text !== '[ ]:')", timeout=10_000)
        page.wait_for_function(f"!{prompts}.includes('[*]:')", timeout=RUNNING_S * 1000)
        if page.evaluate(f"{prompts}.every(text => /[0-9]/.test(text))"):
            return
    raise RuntimeError(f"JupyterLab did not run {path}")


def _choose(page: Page, menu: str, item: str) -> None:
    page.get_by_role("menuitem", name=menu, exact=True).click()
    page.get_by_text(item, exact=True).click()


def _write_settings(folder: Path, theme: str) -> None:
    """No autosave, because the notebooks that are opened are the project's own; and no question about news."""
    settings = {
        "docmanager-extension/plugin": {"autosave": False},
        "apputils-extension/notification": {"fetchNews": "false", "checkForUpdates": False},
        "apputils-extension/themes": {"theme": theme},
    }
    for name, values in settings.items():
        path = folder / "@jupyterlab" / f"{name}.jupyterlab-settings"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(values))


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5):
            return True
    except OSError:  # nobody listens yet, or hangs up
        return False
