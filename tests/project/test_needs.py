"""A test that cannot run says so at the end, and fails where nobody reads the end."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

pytest_plugins = ["pytester"]

ROOT = Path(__file__).parents[2]
FAST = [argument for plugin in ("hypothesispytest", "anyio") for argument in ("-p", f"no:{plugin}")]
WITHOUT_NBVAL = ["-p", "no:nbval"]


@pytest.fixture
def run(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch):
    """Run tests beside a copy of this project's conftest, on a machine that has nothing."""
    monkeypatch.setenv("PATH", "")
    monkeypatch.delenv("CI", raising=False)
    monkeypatch.delenv("UNET_EDU_TEST_DATA", raising=False)
    pytester.makeconftest((ROOT / "tests" / "conftest.py").read_text())
    pytester.makepyprojecttoml((ROOT / "pyproject.toml").read_text())

    def run(source: str, ci: str = "", workers: Sequence[str] = ()) -> pytest.RunResult:
        monkeypatch.setenv("CI", ci)
        pytester.makepyfile(source)
        return pytester.runpytest_inprocess("--color=no", *WITHOUT_NBVAL, *FAST, *workers, ".")

    return run


NEEDY = """
import pytest

@pytest.fixture
def browser():
    raise RuntimeError("fixtures come too late")

@pytest.mark.needs("{need}")
def test_needy(browser):
    pass
"""


@pytest.mark.parametrize(
    "need, remedy", [("chromium", "apt-get install"), ("bubblewrap", "bwrap"), ("real frames", "UNET_EDU_TEST_DATA")]
)
@pytest.mark.parametrize("workers", [[], ["-n1"]], ids=["alone", "in a worker"])
def test_a_skip_is_named_in_the_last_lines(run, need, remedy, workers):
    result = run(NEEDY.format(need=need), workers=workers)
    result.assert_outcomes(skipped=1)
    *_, said, _totals = result.outlines
    assert said.startswith(f"Skipped 1, for want of {need}: ") and remedy in said


def test_in_ci_a_skip_is_a_failure(run):
    result = run(NEEDY.format(need="chromium"), ci="true")
    result.assert_outcomes(errors=1)
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(["needs chromium: install Chromium*"])


def test_a_need_that_is_met_runs(run, monkeypatch, tmp_path):
    monkeypatch.setenv("UNET_EDU_TEST_DATA", str(tmp_path))
    source = "import pytest\n@pytest.mark.needs('real frames')\ndef test_needy(): pass"
    run(source, ci="true").assert_outcomes(passed=1)


def test_an_unknown_need_is_a_failure(run):
    result = run(NEEDY.format(need="luck"))
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["needs('luck') is not in the table*"])


def test_a_misspelt_marker_is_a_failure(run):
    assert run(NEEDY.replace("needs", "need")).ret == pytest.ExitCode.INTERRUPTED


# A worker needs seconds to import nbval, and only its option is asked for: there a stand-in will do.
STAND_IN = "def pytest_addoption(parser): parser.addoption('--nbval', action='store_true')"


@pytest.mark.parametrize("options", [[], ["-n1", "--dist=loadfile", *WITHOUT_NBVAL]], ids=["alone", "in a worker"])
def test_no_cell_to_compare_is_a_failure(pytester, run, options):
    for folder in ("tests", "course", "solutions"):
        pytester.mkdir(folder)
    (pytester.path / "tests" / "test_one.py").write_text("def test_one(): pass")
    (pytester.path / "conftest.py").rename(pytester.path / "tests" / "conftest.py")
    if options:
        pytester.makeconftest(STAND_IN)
    result = pytester.runpytest_inprocess("--nbval", *FAST, *options)
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(["*--nbval found no cell*"])
    for part in (["tests"], ["-k", "one"]):
        result = pytester.runpytest_inprocess("--nbval", *FAST, *options, *part)
        result.assert_outcomes(passed=1)
        assert result.ret == pytest.ExitCode.OK
