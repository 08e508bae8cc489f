"""Tests that need what pip does not install: `@pytest.mark.needs("chromium")`.

Where the thing is missing the test is skipped, and the last lines of the run say how to get it. Under `CI=true` nobody
reads those lines, so there the test fails.
"""

from __future__ import annotations

import functools
import multiprocessing
import os
import shutil
import subprocess
from collections import Counter
from collections.abc import Callable, Generator
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest
from hypothesis import settings

if TYPE_CHECKING:
    # Windows has none.
    from multiprocessing.context import ForkServerContext

# Files that take minutes come first: at the end, one worker would go on alone.
LONG = ("test_lab_in_browser", "test_submissions_in_sandbox", "test_in_browser", "07_training.ipynb", "test_checks.py")

# No deadlines: the first call of a test may have to load torch.
settings.register_profile("patient", settings(), deadline=None)
settings.load_profile("patient")


@pytest.fixture(scope="session")
def server() -> Generator[ForkServerContext]:
    """Makes processes that need not load torch anew: it has, and they are copies of it."""
    server = multiprocessing.get_context("forkserver")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(Path(__file__).parents[1]))
        server.set_forkserver_preload(
            ["tests.training.runs", "tests.library.processes", "unet_edu.tiling", "torch._dynamo"]
        )
        # The first one starts the server, with this environment.
        ready = server.Process(target=abs, args=(0,))
        ready.start()
        ready.join()
    yield server
    # Python itself stops it only when pytest has ended.
    multiprocessing.forkserver._forkserver._stop()


class Need(NamedTuple):
    is_met: Callable[[], bool]
    remedy: str


def _bubblewrap_works() -> bool:
    # Present is not enough: some containers forbid the namespaces that it is made of.
    command = ["bwrap", "--dev-bind", "/", "/", "--unshare-net", "true"]
    return (
        shutil.which("bwrap") is not None and subprocess.run(command, check=False, capture_output=True).returncode == 0
    )


NEEDS = {
    "chromium": Need(
        lambda: shutil.which("chromium") is not None,
        "install Chromium so that `chromium` starts it (Debian: apt-get install chromium)",
    ),
    "bubblewrap": Need(
        _bubblewrap_works,
        "install bubblewrap where `bwrap --dev-bind / / --unshare-net true` succeeds (Debian: apt-get install "
        "bubblewrap)",
    ),
    "reveal.js": Need(
        lambda: (Path(__file__).parents[1] / "docs" / "slides" / "node_modules" / "reveal.js").is_dir(),
        "type `npm ci --prefix docs/slides`, as `make slides` does",
    ),
    "real frames": Need(
        lambda: Path(os.environ.get("UNET_EDU_TEST_DATA", "missing")).is_dir(),
        "set UNET_EDU_TEST_DATA to the folder that holds the benchmarks' frames",
    ),
}

is_met = functools.cache(lambda name: NEEDS[name].is_met())


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: next((n for n, name in enumerate(LONG) if name in item.nodeid), len(LONG)))


@pytest.hookimpl(tryfirst=True)  # before the fixtures, which would fail for the same reason and say less
def pytest_runtest_setup(item: pytest.Item) -> None:
    for mark in item.iter_markers("needs"):
        for name in mark.args:
            if name not in NEEDS:
                pytest.fail(
                    f"needs({name!r}) is not in the table of tests/conftest.py: {', '.join(NEEDS)}", pytrace=False
                )
            if not is_met(name):
                if os.environ.get("CI") == "true":
                    pytest.fail(_sentence(name), pytrace=False)
                pytest.skip(_sentence(name))


# Once installed, the course needs no network. In a kernel of nbval who asks for it gets an error; and nbval compares
# stderr, so that who catches the error is seen, too.
OFFLINE = """
import sys

def refuse(event, arguments):
    if event in ("socket.connect", "socket.sendto", "socket.getaddrinfo"):
        place = arguments[0] if event == "socket.getaddrinfo" else arguments[1]
        host = place[0] if isinstance(place, tuple) else place
        if not (host is None or str(host).startswith(("127.", "/")) or host in ("localhost", "::1")):
            print(host, "was asked for", file=sys.stderr)
            raise OSError(f"{host}: there is no network here")

sys.addaudithook(refuse)
"""


# Pictures are not compared. Those that stand in HTML nbval does not know: the still ones of pictures that move.
PICTURE = r"url\(data:image/png;base64,[A-Za-z0-9+/=]+\)"


class OfNotebooks:
    """Not in this file's own hooks, which pytest calls for the tests of this folder alone."""

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> Generator[None]:
        yield
        if getattr(item, "cell_num", None) == 0:
            kernel, limit = item.parent.kernel, item.config.getoption("nbval_cell_timeout")
            kernel.await_reply(kernel.execute_cell_input(f"exec({OFFLINE!r}, {{}})", allow_stdin=False), limit)
            item.parent.sanitize_patterns[PICTURE] = "a picture"


def pytest_configure(config: pytest.Config) -> None:
    config.pluginmanager.register(OfNotebooks())


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """A run of everything that compared no notebook cell must not look as if it had. Only who started the workers knows
    what all of them did."""
    config = session.config
    everything = config.args_source is pytest.Config.ArgsSource.TESTPATHS and not (
        config.option.keyword or config.option.markexpr
    )
    if hasattr(config, "workerinput") or not everything or not config.getoption("nbval", False):
        return
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    if session.exitstatus == pytest.ExitCode.OK and not any(
        ".ipynb::" in report.nodeid for report in reporter.stats.get("passed", ())
    ):
        reporter.write_line("\n--nbval found no cell in course/ and solutions/", red=True)
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


@pytest.hookimpl(wrapper=True, tryfirst=True)  # around all others, so that these lines come last
def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> Generator[None]:
    yield
    reasons = Counter(report.longrepr[-1] for report in terminalreporter.stats.get("skipped", ()))
    for name, need in NEEDS.items():
        count = reasons[f"Skipped: {_sentence(name)}"]
        if count:
            terminalreporter.write_line(f"Skipped {count}, for want of {name}: {need.remedy}.", yellow=True)


def _sentence(name: str) -> str:
    return f"needs {name}: {NEEDS[name].remedy}"
