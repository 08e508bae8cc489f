"""Make this clone the course of another repository: `make retarget REPO=owner/name`, for an instructor's fork on
GitHub.

`[project.urls] Repository` in pyproject.toml says where the course lives. That address stands also where a program
cannot look it up: in links to Colab, in the cells that install the course there, in README.md and docs/, and that of
the web book. This rewrites both in every file of the clone.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]
GITHUB = "https://github.com/"
# As GitHub allows them. A name that ends in .git would be another address for `git clone` than for a browser.
REPO = re.compile(r"[A-Za-z0-9](?:-?[A-Za-z0-9]){0,38}/(?!\.{1,2}$)(?!.*\.git$)[A-Za-z0-9._-]{1,100}")


def main(arguments: list[str]) -> None:
    """Take the new owner/name, or end in one sentence that says why not."""
    new = arguments[0] if len(arguments) == 1 else ""
    if not REPO.fullmatch(new):
        sys.exit(f"REPO: expected owner/name, as in `make retarget REPO=jane/unet-edu`, got {new!r}")
    try:
        changed = retarget(ROOT, new)
    except (ValueError, subprocess.CalledProcessError) as error:
        sys.exit(f"{ROOT}: expected a clone of the course ({error})")
    print(f"{len(changed)} files changed. This is now the course of {GITHUB}{new}")


def retarget(root: Path, new: str) -> list[Path]:
    """Rewrite the address in all files of the clone in `root`. Returns those that changed."""
    old = current(root)
    changed = []
    for path in files(root):
        before = path.read_bytes()
        after = replaced(before, old, new)
        if after != before:
            path.write_bytes(after)
            changed.append(path)
    return changed


def current(root: Path) -> str:
    """The owner/name in pyproject.toml."""
    repository = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]["urls"]["Repository"]
    name = repository.removeprefix(GITHUB)
    if name == repository or not REPO.fullmatch(name):
        raise ValueError(
            f"[project.urls] Repository in pyproject.toml: expected {GITHUB}owner/name, got {repository!r}"
        )
    return name


def replaced(text: bytes, old: str, new: str) -> bytes:
    """The text with the one address in the place of the other: on GitHub, and on Colab, which has GitHub's notebooks
    under github/owner/name."""
    # not owner/name-of-another, nor owner/name.github.io; a full stop may end a sentence, and .git an address
    pattern = rf"(github(?:usercontent)?(?:\.com)?/){re.escape(old)}(?![\w-])(?!\.(?!git\b)\w)"
    text = re.sub(pattern.encode(), rb"\g<1>" + new.encode(), text)
    return text.replace(book(old).encode(), book(new).encode())


def book(repo: str) -> str:
    """Where GitHub Pages has the web book."""
    owner, _, name = repo.partition("/")
    return f"https://{owner.lower()}.github.io/{name}/"


def files(root: Path) -> list[Path]:
    """Those that git knows or would add. pyproject.toml comes last, so that whoever was interrupted can begin again."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(command, cwd=root, check=True, stdout=subprocess.PIPE, text=True).stdout.split("\0")
    paths = sorted({root / name for name in names if name}, key=lambda path: (path.name == "pyproject.toml", path))
    return [path for path in paths if path.is_file() and not path.is_symlink()]


if __name__ == "__main__":
    main(sys.argv[1:])
