"""`make release`: what it writes, what it refuses, and that all that it has to write says the same now."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import nbformat
import pytest
from nbgrader.utils import compute_checksum

import unet_edu
from tests.notebooks.execute import notebooks
from tests.notebooks.retarget import current, files
from tests.patience import PATIENCE_S
from tests.project import release

ROOT = Path(__file__).parents[2]
REPO, NOW = current(ROOT), release.version_of(ROOT)
NOTEBOOKS = notebooks("course", "solutions", "exercises")
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
IN_DEVELOPMENT = NOW.endswith(".dev0")


def contents(root: Path) -> dict[str, bytes]:
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in files(root)}


def run(root: Path, *words: str) -> subprocess.CompletedProcess[str]:
    program = [sys.executable, root / "tests" / "project" / "release.py", *words]
    return subprocess.run(program, check=False, capture_output=True, text=True, timeout=PATIENCE_S)


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """All that git would see, committed in a repository of its own. Its version is in development."""
    folder = tmp_path / "clone"
    for path in files(ROOT):
        (folder / path.relative_to(ROOT)).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, folder / path.relative_to(ROOT))
    release.git(folder, "init", "--quiet", "--initial-branch=main")
    for name, value in (("name", "Jane"), ("email", "jane@example.org"), ("gpgsign", "false")):
        release.git(folder, "config", f"{'commit' if name == 'gpgsign' else 'user'}.{name}", value)
    if not IN_DEVELOPMENT:
        release.write(folder, release.following(NOW), "")
        changes = folder / "CHANGELOG.md"
        changes.write_text(changes.read_text().replace(release.UNRELEASED, f"{release.UNRELEASED}\n\nSomething new."))
    release.git(folder, "add", "--all")
    release.git(folder, "commit", "--quiet", "--message=All")
    return folder


# -------------------------------------------------------------------------------------------------------- as it is now


def test_all_notebooks_and_pages_name_the_same_version():
    found = {path: release.named(path.read_bytes(), REPO) for path in [*NOTEBOOKS, *PAGES]}
    assert not [path for path in NOTEBOOKS if not found[path]] and found[ROOT / "README.md"]
    assert set().union(*found.values()) == {release.ref(NOW)}, "only `make release` writes versions"


def test_the_version_is_one():
    citation = (ROOT / "CITATION.cff").read_text()
    assert unet_edu.__version__ == NOW == re.findall(r"^version: (.+)$", citation, re.MULTILINE)[0]
    newest = re.findall(r"^## (.+)$", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)[0]
    assert newest == "Unreleased" if IN_DEVELOPMENT else newest.startswith(f"{NOW} (")


# ------------------------------------------------------------------------------------------------------ what it writes


def test_a_release_is_named_everywhere_and_main_is_as_before(clone):
    before, old = contents(clone), release.version_of(clone)
    release.write(clone, "7.0.0", "2026-12-03")
    tagged = contents(clone)
    assert release.version_of(clone) == "7.0.0" and b'__version__ = "7.0.0"' in tagged["unet_edu/__init__.py"]
    assert b"\nversion: 7.0.0\n" in tagged["CITATION.cff"] and b"\n## 7.0.0 (2026-12-03)\n" in tagged["CHANGELOG.md"]
    for path in [*NOTEBOOKS, *PAGES]:
        text = tagged[path.relative_to(ROOT).as_posix()]
        assert release.named(text, REPO) <= {"v7.0.0"}, path
    lesson = nbformat.reads(tagged["course/02_convolution.ipynb"].decode(), as_version=4)
    (set_up, *_) = (cell.source for cell in lesson.cells if cell.cell_type == "code")
    assert set_up.endswith(f'    %pip install -q "unet-edu @ git+https://github.com/{REPO}@v7.0.0"')
    assert f"https://colab.research.google.com/github/{REPO}/blob/v7.0.0/course/02" in lesson.cells[0].source

    checksums = 0
    for path in notebooks("exercises"):
        for cell in nbformat.reads(tagged[path.relative_to(ROOT).as_posix()].decode(), as_version=4).cells:
            if "checksum" in cell.metadata.get("nbgrader", {}):
                assert cell.metadata.nbgrader.checksum == compute_checksum(cell)
                checksums += 1
    assert checksums > 100

    release.write(clone, old, "")
    after = contents(clone)
    assert release.unreleased(clone) == ""
    assert {name for name in before if before[name] != after[name]} == {"CHANGELOG.md"}


def test_what_names_a_branch_or_a_tag():
    text = (
        b'"unet-edu @ git+https://github.com/a/b" git+https://github.com/a/b-c github.com/a/b/blob/main/x b/blob/main/'
    )
    tagged = text.replace(b'b" git', b'b@v1.2.3" git').replace(b"com/a/b/blob/main", b"com/a/b/blob/v1.2.3")
    assert release.pointed(text, "a/b", "v1.2.3") == tagged
    assert release.pointed(tagged, "a/b", "main") == text
    assert (release.named(text, "a/b"), release.named(tagged, "a/b")) == ({"main"}, {"v1.2.3"})
    assert release.named(text + tagged, "a/b") == {"main", "v1.2.3"} and release.named(text, "x/y") == set()


def test_on_pypi_the_readme_leads_to_github():
    text = release.absolute("![A U](docs/u.png) [a](LICENSE) [b](#licences) [c](https://d.org)", "a/b", "v1.0.0")
    assert text == (
        "![A U](https://raw.githubusercontent.com/a/b/v1.0.0/docs/u.png) "
        "[a](https://github.com/a/b/blob/v1.0.0/LICENSE) [b](#licences) [c](https://d.org)"
    )


# ----------------------------------------------------------------------------------------------------- what it refuses


@pytest.mark.parametrize("version", ["", "0.2", "v1.0.0", "1.0.0rc1", "01.0.0", "1.0.0 "])
def test_a_version_is_three_numbers(version):
    done = run(ROOT, version)
    assert done.returncode == 1 and done.stdout == ""
    assert done.stderr == f"VERSION: expected three numbers, as in `make release VERSION=0.2.0`, got {version!r}\n"


def test_what_is_not_ready_is_said(clone):
    assert release.problems(clone, "7.0.0") == []
    release.git(clone, "tag", "v7.0.0")
    assert "not newer than 7.0.0" in release.problems(clone, "7.0.0")[0] and not release.problems(clone, "7.0.1")
    assert "not newer than 7.0.0" in release.problems(clone, "6.9.9")[0] and not release.problems(clone, "10.0.0")
    (clone / "new").touch()
    assert "the tree is not clean" in release.problems(clone, "8.0.0")[0]
    release.write(clone, "8.0.0", "2026-12-03")
    release.git(clone, "add", "--all")
    release.git(clone, "commit", "--quiet", "--message=By hand")
    release.git(clone, "checkout", "--quiet", "--detach")
    found = release.problems(clone, "9.0.0")
    assert [line.split(":")[0] for line in found] == [
        "no branch is checked out",
        "pyproject.toml has 8.0.0",
        "CHANGELOG.md",
    ]


# ----------------------------------------------------------------------------------------------------------- the whole


def test_a_release_is_tried_and_then_tagged(clone, monkeypatch, capfd):
    """First with nothing kept. The wheel meets the packages that are here: to install all would take minutes."""
    start = release.git(clone, "rev-parse", "HEAD")
    done = run(clone, "7.0.0", "--dry", "--borrow")
    assert done.returncode == 0, done.stdout + done.stderr
    assert '+version = "7.0.0"' in done.stdout and "notebooks:" in done.stdout
    assert "unet_edu-7.0.0-py3-none-any.whl, in a new environment: course/" in done.stdout
    assert "DRY: nothing was written" in done.stdout and "git push origin v7.0.0" in done.stdout
    untouched = (
        release.git(clone, "rev-parse", "HEAD"),
        release.git(clone, "tag"),
        release.git(clone, "worktree", "list"),
    )
    assert untouched[:2] == (start, "") and len(untouched[2].splitlines()) == 1
    assert release.git(clone, "status", "--porcelain") == "" and not (clone / "dist").exists()

    tried = []

    def try_out(wheel: Path, *_: object, **__: object) -> None:
        """The same wheel ran above."""
        tried.append((wheel.name, release.git(clone, "tag")))

    monkeypatch.setattr(release, "ROOT", clone)
    monkeypatch.setattr(release, "try_out", try_out)
    release.main(["7.0.0", "--borrow"])
    assert tried == [("unet_edu-7.0.0-py3-none-any.whl", "")] and "DRY" not in capfd.readouterr().out
    assert release.git(clone, "log", "--format=%s", f"{start}..main").splitlines() == [
        "After version 7.0.0, all leads to main again",
        "Version 7.0.0",
    ]
    assert release.git(clone, "rev-parse", "v7.0.0^{commit}", "main~1").split()[0] == release.git(
        clone, "rev-parse", "main~1"
    )
    tagged = tomllib.loads(release.git(clone, "show", "v7.0.0:pyproject.toml"))
    assert (tagged["project"]["version"], release.version_of(clone)) == ("7.0.0", "7.1.0.dev0")
    assert release.named(release.git(clone, "show", "v7.0.0:README.md").encode(), REPO) == {"v7.0.0"}
    assert release.git(clone, "status", "--porcelain") == ""
    assert len([*clone.glob("dist/7.0.0/*")]) == 2


def test_what_does_not_run_is_no_release(clone):
    broken = clone / "unet_edu" / "interpolation.py"
    broken.write_text("raise ImportError('broken')\n")
    release.git(clone, "commit", "--quiet", "--all", "--message=Broken")
    done = run(clone, "7.0.0", "--borrow")
    assert done.returncode == 1 and "broken" in done.stderr and "nothing has changed" in done.stderr
    assert release.git(clone, "tag") == "" and release.git(clone, "log", "-1", "--format=%s") == "Broken"
