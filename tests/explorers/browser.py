"""A real browser and a real JupyterLab, for tests and benchmarks."""

from __future__ import annotations

import json
import os
import secrets
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

from playwright.sync_api import Browser, Locator, Page, TimeoutError, sync_playwright

ROOT = Path(__file__).parents[2]
STARTING_S = 120  # a first start, on a slow machine
RUNNING_S = 300  # a whole lesson, likewise


class CutOff(NamedTuple):
    """A place where the network is loopback alone, and whoever asks for more is counted."""

    process: int
    enter: Sequence[str]  # stands before a command that shall run there

    def attempts(self) -> int:
        """How many packets found no way out, and how many questions nobody answered (some ask for names at loopback)."""
        lines = [line.split() for line in Path(f"/proc/{self.process}/net/snmp").read_text().splitlines()]
        counts = {
            (names[0], name): int(count)
            for names, numbers in zip(lines[::2], lines[1::2], strict=True)
            for name, count in zip(names[1:], numbers[1:], strict=True)
        }
        return counts["Ip:", "OutNoRoutes"] + counts["Udp:", "NoPorts"]


@contextmanager
def cut_off() -> Iterator[CutOff]:
    """Needs bubblewrap, which makes the place, and nsenter, which every Linux has."""
    command = ["bwrap", "--dev-bind", "/", "/", "--unshare-user", "--unshare-net", "sh", "-c", "echo $$; exec cat"]
    # It ends when its input does, that is with this block, or with this process.
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        process = int(holder.stdout.readline())
        yield CutOff(process, ["nsenter", f"--target={process}", "--user", "--net", "--preserve-credentials", "--"])


@contextmanager
def chromium(enter: Sequence[str] = ()) -> Iterator[Browser]:
    quiet = [
        "--no-sandbox",
        "--disable-gpu",
        "--disable-background-networking",
        "--disable-component-update",
        # No page of the project needs a name; and what the browser itself asks for would be counted as an attempt.
        "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1",
    ]
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        starter = Path(folder) / "chromium"
        starter.write_text(f'#!/bin/sh\nexec {shlex.join([*enter, shutil.which("chromium") or "chromium"])} "$@"\n')
        starter.chmod(0o700)
        browser = playwright.chromium.launch(executable_path=starter, args=quiet)
        yield browser
        browser.close()


@contextmanager
def jupyterlab(home: Path, theme: str = "JupyterLab Light", enter: Sequence[str] = ()) -> Iterator[str]:
    """What `make lab` starts, without the settings of whoever runs it; gives its address, with a place for a notebook's path.

    `home` keeps JupyterLab's own files, checkpoints included. The whole process group is stopped at the end, kernels included.
    """
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    token, venv = secrets.token_hex(16), os.path.relpath(sys.prefix, ROOT)
    options = (
        f"--no-browser --ServerApp.port={port} --ServerApp.port_retries=0 --IdentityProvider.token={token} "
        f"--FileCheckpoints.checkpoint_dir={home / 'checkpoints'}"
    )
    places = {name: str(home / name.lower()) for name in ("JUPYTER_CONFIG_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR")}
    places |= {f"JUPYTERLAB_{name}_DIR": str(home / name.lower()) for name in ("SETTINGS", "WORKSPACES")}
    _write_settings(Path(places["JUPYTERLAB_SETTINGS_DIR"]), theme)
    with (home / "lab.log").open("wb") as log:
        server = subprocess.Popen(
            # With the packages of this process as they are: to install others would need the network.
            [*enter, "make", f"--old-file={venv}/lab.stamp", "lab", f"VENV={venv}", f"LAB_ARGS={options}"],
            cwd=ROOT,
            env=os.environ | places,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        deadline = time.monotonic() + STARTING_S
        while "is running at:" not in (home / "lab.log").read_text():
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


def live_explorers(page: Page) -> Locator:
    """Those of an open notebook, in its order. They have controls, which a quiz has not."""
    return page.locator(".jp-OutputArea-output > .widget-vbox:has(.widget-slider, .widget-dropdown)")


def _choose(page: Page, menu: str, item: str) -> None:
    page.get_by_role("menuitem", name=menu, exact=True).click()
    page.get_by_text(item, exact=True).click()


def _write_settings(folder: Path, theme: str) -> None:
    """No autosave, because the notebooks that are opened are the project's own."""
    settings = {
        "docmanager-extension/plugin": {"autosave": False},
        "apputils-extension/themes": {"theme": theme},
    }
    for name, values in settings.items():
        path = folder / "@jupyterlab" / f"{name}.jupyterlab-settings"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(values))
