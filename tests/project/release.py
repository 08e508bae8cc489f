"""A version that a class can rely on: `make release VERSION=1.2.3`, and with DRY=1 the same with nothing kept.

On main the version ends with ".dev0", and all notebooks and pages lead to main. In a release they lead to its tag, so
that a notebook which was handed out in September installs in December what it belongs to.

All is done beside this clone, in a git worktree: the version is written, wheel and sdist are built, and the wheel is
tried in a new environment. Only then come the commits and the tag.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterator
from datetime import date
from pathlib import Path

ROOT = Path(__file__).parents[2]
if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))

from tests.notebooks.retarget import GITHUB, current, files

VERSION = re.compile(r"(?:0|[1-9]\d*)(?:\.(?:0|[1-9]\d*)){2}")
UNRELEASED = "## Unreleased"
LESSON, SOLVED = "course/03_interpolation.ipynb", "solutions/02_convolution/02_convolution.ipynb"
# A lesson's cells, as a kernel runs them: the first one must find the course installed.
RUN = """
import json, sys
import matplotlib
from IPython.core.interactiveshell import InteractiveShell

matplotlib.use("agg")
shell = InteractiveShell.instance()
for cell in json.load(open(sys.argv[1], encoding="utf-8"))["cells"]:
    if cell["cell_type"] == "code":
        shell.run_cell("".join(cell["source"])).raise_error()
import unet_edu
print(f"\\n{unet_edu.__file__}")
"""


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("version")
    parser.add_argument("--dry", action="store_true", help="keep nothing")
    parser.add_argument("--borrow", action="store_true", help="try the wheel with the packages that are here")
    asked = parser.parse_args(arguments)
    wrong = problems(ROOT, asked.version)
    if wrong:
        sys.exit("\n".join(wrong))
    with tempfile.TemporaryDirectory() as folder:
        tree, dist = Path(folder) / "tree", Path(folder) / "dist"
        git(ROOT, "worktree", "add", "--quiet", "--detach", str(tree), "HEAD")
        try:
            write(tree, asked.version, date.today().isoformat())
            print(what_changed(tree))
            for path in build(tree, Path(folder), dist):
                print(f"{path.name}: {path.stat().st_size / 1e6:.1f} MB")
            (wheel,) = dist.glob("*.whl")
            try_out(wheel, asked.version, tree, Path(folder), borrow=asked.borrow)
            if asked.dry:
                print("\nDRY: nothing was written, committed or tagged. Without DRY this would be left to do:\n")
            else:
                commit(tree, asked.version)
                shutil.copytree(dist, ROOT / "dist" / asked.version)
        finally:
            git(ROOT, "worktree", "remove", "--force", str(tree))
    print(left_to_do(current(ROOT), asked.version))


# ------------------------------------------------------------------------------------------------- what is looked at


def problems(root: Path, version: str) -> list[str]:
    """Why this cannot become that version now, a sentence each."""
    if not VERSION.fullmatch(version):
        return [f"VERSION: expected three numbers, as in `make release VERSION=0.2.0`, got {version!r}"]
    found = []
    if git(root, "status", "--porcelain"):
        found.append("the tree is not clean: commit what you want in the release, and put the rest away")
    if not git(root, "symbolic-ref", "--quiet", "--short", "HEAD", check=False):
        found.append("no branch is checked out: the release would belong to none")
    tags = [tag[1:] for tag in git(root, "tag").split() if tag[:1] == "v" and VERSION.fullmatch(tag[1:])]
    newest = max([*tags, "0.0.0"], key=numbers)
    now = version_of(root)
    if numbers(version) <= numbers(newest):
        found.append(f"VERSION: {version} is not newer than {newest}, which has a tag")
    elif numbers(version) < numbers(now.removesuffix(".dev0")):
        found.append(f"VERSION: {version} is older than {now}, which pyproject.toml has")
    if not now.endswith(".dev0"):
        found.append(f"pyproject.toml has {now}: expected a version that ends with .dev0, as main has")
    if not unreleased(root):
        found.append(f'CHANGELOG.md: expected lines below "{UNRELEASED}" that say what is new')
    return found


def numbers(version: str) -> list[int]:
    return [int(number) for number in version.split(".")]


def version_of(root: Path) -> str:
    return tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]


def unreleased(root: Path) -> str:
    """What CHANGELOG.md says below "Unreleased"."""
    _, _, rest = (root / "CHANGELOG.md").read_text(encoding="utf-8").partition(f"{UNRELEASED}\n")
    return rest.partition("\n## ")[0].strip()


def ref(version: str) -> str:
    """The branch or tag that has this version, which is where its notebooks lead."""
    return "main" if version.endswith(".dev0") else f"v{version}"


# --------------------------------------------------------------------------------------------------- what is written


def write(root: Path, version: str, day: str) -> None:
    """Write the version wherever it stands."""
    old = version_of(root)
    replace(root / "pyproject.toml", f'version = "{old}"', f'version = "{version}"')
    replace(root / "unet_edu" / "__init__.py", f'__version__ = "{old}"', f'__version__ = "{version}"')
    replace(root / "CITATION.cff", f"\nversion: {old}\n", f"\nversion: {version}\n")
    if ref(version) == "main":
        heading = f"## {old} ("
        replace(root / "CHANGELOG.md", heading, f"{UNRELEASED}\n\n{heading}")
    else:
        replace(root / "CHANGELOG.md", UNRELEASED, f"## {version} ({day})")
    repo = current(root)
    for path in files(root):
        before = path.read_bytes()
        after = pointed(before, repo, ref(version))
        if after != before:
            path.write_bytes(with_checksums(after) if path.suffix == ".ipynb" else after)


def replace(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    if text.count(old) != 1:
        raise ValueError(f"{path.name}: expected {old!r} once, found it {text.count(old)} times")
    path.write_text(text.replace(old, new), encoding="utf-8")


def places(text: bytes, repo: str) -> Iterator[re.Match[bytes]]:
    """Where a text names a branch or a tag of the repository: pip's address, and links to files."""
    name = re.escape(repo.encode())
    pip = rb"git\+https://github\.com/" + name + rb"(?![\w-])(?:\.git)?(?P<tag>@[\w.]+)?"
    link = rb"github(?:\.com)?/" + name + rb"/(?:blob|tree)/(?P<link>main|v\d+\.\d+\.\d+)(?=/)"
    return re.finditer(pip + rb"|" + link, text)


def named(text: bytes, repo: str) -> set[str]:
    """The branches and tags that a text names."""
    return {(match["link"] or match["tag"] or b"@main").decode().lstrip("@") for match in places(text, repo)}


def pointed(text: bytes, repo: str, to: str) -> bytes:
    """The text, leading to another branch or tag. pip takes main where its address names none."""
    for match in reversed([*places(text, repo)]):
        if match["link"]:
            start, end, new = *match.span("link"), to
        else:
            end = match.end()
            start, new = (match.start("tag") if match["tag"] else end), ("" if to == "main" else f"@{to}")
        text = text[:start] + new.encode() + text[end:]
    return text


def with_checksums(text: bytes) -> bytes:
    """A notebook of exercises with nbgrader's checksums of the cells as they are."""
    if b'"checksum"' not in text:
        return text
    import nbformat
    from nbgrader.utils import compute_checksum

    for cell in nbformat.reads(text.decode(), as_version=4).cells:
        old = cell.metadata.get("nbgrader", {}).get("checksum")
        if old:
            text = text.replace(old.encode(), compute_checksum(cell).encode())
    return text


# ----------------------------------------------------------------------------------------------- what is built and run


def build(tree: Path, folder: Path, dist: Path) -> list[Path]:
    """Build sdist and wheel. On PyPI the README stands alone, so there its links have the whole address."""
    python = environment(folder / "build")
    pip(python, "install", "--quiet", "hatchling")
    readme = tree / "README.md"
    kept = readme.read_text(encoding="utf-8")
    readme.write_text(absolute(kept, current(tree), ref(version_of(tree))), encoding="utf-8")
    said([python, "-m", "hatchling", "build", "--directory", dist], tree)
    readme.write_text(kept, encoding="utf-8")
    return sorted(dist.iterdir())


def absolute(text: str, repo: str, to: str) -> str:
    """The text with the addresses of pictures and files on GitHub."""
    text = re.sub(r"(!\[[^\]]*\]\()(?!https?:)", rf"\g<1>https://raw.githubusercontent.com/{repo}/{to}/", text)
    return re.sub(r"(\]\()(?!https?:|#)", rf"\g<1>{GITHUB}{repo}/blob/{to}/", text)


def try_out(wheel: Path, version: str, tree: Path, folder: Path, *, borrow: bool) -> None:
    """Install the wheel into a new environment, then run a lesson and a check there."""
    python = environment(folder / "new", borrow=borrow)
    pip(python, "install", "--quiet", *(["--no-deps"] if borrow else []), wheel)
    away = folder / "away"  # where no unet_edu lies beside it
    away.mkdir()
    program = python.parent / "unet-edu"
    for words, expected in (
        ([program, "--version"], f"unet-edu {version}"),
        ([python, "-c", RUN, tree / LESSON], str(folder / "new")),
        ([program, "check", tree / SOLVED], "passed"),
    ):
        output = said(words, away)
        if expected not in output:
            sys.exit(f"{output}\nexpected {expected!r} from {' '.join(map(str, words))}")
    print(f"{wheel.name}, in a new environment: {LESSON} and the checks of {SOLVED} run")


def environment(folder: Path, *, borrow: bool = False) -> Path:
    """The Python of a new environment. A borrowing one sees the packages that are here, behind its own."""
    said([sys.executable, "-m", "venv", "--without-pip", folder], ROOT)
    if borrow:
        (site,) = folder.glob("lib/python*/site-packages")
        (here,) = Path(sys.prefix).glob("lib/python*/site-packages")
        (site / "borrowed.pth").write_text(f"{here}\n")
    return folder / "bin" / "python"


def pip(python: Path, *words: str | Path) -> None:
    said([sys.executable, "-m", "pip", "--python", python, *words], ROOT)


def said(words: list[str | Path], folder: Path) -> str:
    """What a program prints. A program that fails ends the release."""
    clean = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "VIRTUAL_ENV")}
    done = subprocess.run(
        [*map(str, words)],
        check=False,
        cwd=folder,
        env=clean,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    if done.returncode:
        sys.exit(f"{done.stdout}\nthe release stopped, and nothing has changed")
    return done.stdout


# ------------------------------------------------------------------------------------------------------------ git


def git(root: Path, *words: str, check: bool = True) -> str:
    done = subprocess.run(["git", *words], cwd=root, check=check, stdout=subprocess.PIPE, text=True)
    return done.stdout.rstrip("\n")


def what_changed(tree: Path) -> str:
    """All files in a line, and the lines that are not a notebook's."""
    notebooks = git(tree, "diff", "--shortstat", "--", "*.ipynb")
    return f"notebooks:{notebooks}\n{git(tree, 'diff', '--unified=0', '--', ':!*.ipynb')}\n"


def commit(tree: Path, version: str) -> None:
    """Commit and tag the release, then lead main back to itself."""
    git(tree, "commit", "--quiet", "--all", f"--message=Version {version}")
    released = git(tree, "rev-parse", "HEAD")
    write(tree, following(version), "")
    git(tree, "commit", "--quiet", "--all", f"--message=After version {version}, all leads to main again")
    git(ROOT, "merge", "--quiet", "--ff-only", git(tree, "rev-parse", "HEAD"))
    git(ROOT, "tag", "--annotate", f"--message=Version {version}", f"v{version}", released)


def following(version: str) -> str:
    major, minor, _ = numbers(version)
    return f"{major}.{minor + 1}.0.dev0"


def left_to_do(repo: str, version: str) -> str:
    tag = ref(version)
    return f"""\
What a person must still do:
1. Look at it: git show {tag} --stat; git log -2
2. Push both, the branch first:
   git push origin HEAD
   git push origin {tag}
3. On {GITHUB}{repo}/releases/new?tag={tag} publish the release. The text is in CHANGELOG.md.
4. Send wheel and sdist to PyPI, if you own the name there (pypi.org/help/#apitoken):
   python -m pip install twine
   python -m twine upload dist/{version}/*
5. Give your class this link:
   https://colab.research.google.com/github/{repo}/blob/{tag}/course/00_start_here.ipynb"""


if __name__ == "__main__":
    main(sys.argv[1:])
