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
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from playwright.sync_api import Browser, Error, Locator, Page, expect, sync_playwright

from tests.patience import PATIENCE_S

ROOT = Path(__file__).parents[2]
expect.set_options(timeout=1000 * PATIENCE_S)


class CutOff(NamedTuple):
    """A place where the network is loopback alone, and whoever asks for more is counted."""

    process: int
    enter: Sequence[str]  # stands before a command that shall run there

    def attempts(self) -> int:
        """How many packets found no way out, and how many questions nobody answered (some ask for names at
        loopback)."""
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
        browser = playwright.chromium.launch(executable_path=starter, args=quiet, timeout=1000 * PATIENCE_S)
        browser.on("context", lambda context: context.set_default_timeout(1000 * PATIENCE_S))
        yield browser
        browser.close()


class Lab(NamedTuple):
    address: str  # with a place for a notebook's path
    log: Path  # of the server and of its kernels
    root: Path  # of the notebooks

    def at(self, path: str) -> str:
        """A notebook's address. Where none is, JupyterLab would ask in a dialog, and a test wait for a kernel."""
        if not (self.root / path).is_file():
            raise FileNotFoundError(f"there is no notebook {self.root / path}")
        return self.address.format(path=path)


@contextmanager
def jupyterlab(
    home: Path, theme: str = "JupyterLab Light", enter: Sequence[str] = (), root: Path | None = None
) -> Iterator[Lab]:
    """What `make lab` starts, without the settings of whoever runs it.

    `home` keeps JupyterLab's own files, checkpoints and what it trusts included; notebooks are in `root`, or where the
    course is. The whole process group is stopped at the end, kernels included. The page has JupyterLab's own object,
    `jupyterapp`, which says what can only be guessed from the outside: whether the kernel listens, and how many cells
    there are.
    """
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    token, venv = secrets.token_hex(16), os.path.relpath(sys.prefix, ROOT)
    options = (
        f"--no-browser --ServerApp.port={port} --ServerApp.port_retries=0 --IdentityProvider.token={token} "
        f"--FileCheckpoints.checkpoint_dir={home / 'checkpoints'} --LabApp.expose_app_in_browser=True"
    )
    if root:
        options += f" --ServerApp.root_dir={root}"
    names = ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR")
    places = {name: str(home / name.lower()) for name in names}
    places |= {f"JUPYTERLAB_{name}_DIR": str(home / name.lower()) for name in ("SETTINGS", "WORKSPACES")}
    _write_settings(Path(places["JUPYTERLAB_SETTINGS_DIR"]), theme)
    path = home / "lab.log"
    with path.open("wb") as log:
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
        deadline = time.monotonic() + PATIENCE_S
        while "is running at:" not in path.read_text():
            if server.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError("JupyterLab did not start:\n" + path.read_text())
            time.sleep(0.2)
        yield Lab(f"http://127.0.0.1:{port}/lab/tree/{{path}}?token={token}&reset", path, root or ROOT)
    finally:
        os.killpg(server.pid, signal.SIGTERM)
        try:
            server.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            os.killpg(server.pid, signal.SIGKILL)


PANEL = "jupyterapp.shell.currentWidget"
# JupyterLab shows an empty notebook, then its cells, a few at a time, and calls a kernel idle that is not there. To an
# order that comes before a kernel it answers with a dialog, "Select Kernel", or not at all; and the stored numbers of
# cells that come later look like those of a run.
IS_OPEN = f"""() => {{
    const panel = window.jupyterapp && {PANEL}, kernel = panel?.sessionContext?.session?.kernel;
    const cells = panel?.context?.isReady ? [...panel.content.model.cells].filter(cell => cell.type === "code") : [];
    return kernel?.connectionStatus === "connected" && kernel.status === "idle" && cells.length > 0
        && document.querySelectorAll(".jp-CodeCell .jp-InputPrompt").length === cells.length;
}}"""
# Often enough: to look at each frame, as Playwright does, keeps a page busy that has much to do.
LOOK_MS = 100
PROMPTS = "[...document.querySelectorAll('.jp-CodeCell .jp-InputPrompt')].map(node => node.textContent.trim())"


def open_and_run(page: Page, lab: Lab, path: str) -> None:
    """Open a notebook, run all its cells, and wait until the last one is done.

    A page that has JupyterLab already keeps it, because to load it takes longer than to open a notebook.
    """
    address = lab.at(path)
    try:
        if page.evaluate("'jupyterapp' in window"):
            page.evaluate("path => void jupyterapp.commands.execute('docmanager:open', { path })", path)
        else:
            page.goto(address)
        page.wait_for_function(IS_OPEN, polling=LOOK_MS)
        # The stored outputs would look like those of a run.
        _command(page, "notebook:clear-all-cell-outputs")
        page.wait_for_function(f"{PROMPTS}.every(text => text === '[ ]:')", polling=LOOK_MS)
        _command(page, "notebook:run-all-cells")
        page.wait_for_function(f"{PROMPTS}.some(text => text !== '[ ]:')", polling=LOOK_MS)
        page.wait_for_function(f"!{PROMPTS}.includes('[*]:')", polling=LOOK_MS)
        if not page.evaluate(f"{PROMPTS}.every(text => /[0-9]/.test(text))"):
            raise RuntimeError(f"JupyterLab did not run {path} to its end")
    except (Error, RuntimeError) as error:
        error.add_note(told(page, lab))
        raise


def wait_for_the_kernel(page: Page) -> None:
    """Until it has done all that was asked of it, and the page shows that. Twice: a control that is moved while the
    kernel is busy waits."""
    for _ in range(2):
        page.evaluate(
            f"{PANEL}.sessionContext.session.kernel.requestExecute({{code: '', silent: true}}).done.then(() => null)"
        )


def put_away(page: Page) -> None:
    """Close an open notebook, unsaved, and end its kernel; JupyterLab would keep it, and its memory."""
    page.evaluate(f"{PANEL}.sessionContext.shutdown()")
    page.evaluate(f"{PANEL}.dispose()")


def told(page: Page, lab: Lab | None = None) -> str:
    """What somebody who sits before a page sees and could look up: for the report of a test that failed."""
    said = {"dialogs": "[...document.querySelectorAll('.jp-Dialog')].map(node => node.innerText).join('\\n')"}
    if lab:
        kernel = f"{PANEL}?.sessionContext?.session?.kernel"
        said["kernel"] = f"(kernel => kernel && kernel.connectionStatus + ', ' + kernel.status)({kernel})"
        said["prompts"] = f"{PROMPTS}.join(' ')"
    said["text"] = "document.body.innerText"
    lines = []
    for name, script in said.items():
        try:
            lines.append(f"{name}: {page.evaluate(script)}")
        except Error as error:  # it is closed, or does not answer
            lines.append(f"{name}: {error}")
    return "\n".join([*lines, *(["log:", lab.log.read_text()[-10_000:]] if lab else [])])


def live_explorers(page: Page) -> Locator:
    """Those of an open notebook, in its order: those that ask Python have controls, which a quiz has not; the others
    compute in the page."""
    asks = ".jp-OutputArea-output > .widget-vbox:has(.widget-slider, .widget-dropdown)"
    return page.locator(f"{asks}, .jp-OutputArea-output .unet-page")


def open_more(explorer: Locator) -> None:
    """Show the controls of an explorer that are not seen at first."""
    for more in explorer.locator("details:not([open]) > summary, button:not(.mod-active):has-text('more:')").all():
        more.click()
    expect(explorer.locator(".widget-hbox[style*='display: none']")).to_have_count(0)


def _command(page: Page, name: str) -> None:
    """What a menu's entry does. The menu itself closes when JupyterLab, which still starts, moves the focus."""
    page.evaluate("name => void jupyterapp.commands.execute(name)", name)


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
