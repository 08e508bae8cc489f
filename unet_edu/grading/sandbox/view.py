"""What a notebook can see while it is graded: the course without its answers, and the Python environment. Nothing else
of the machine.

Whatever is not named here does not exist inside. Of the package, `checks`, `grading` and
`lessons` are hidden but for the files that are named, so a new file there is hidden, too.
"""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

__all__ = ["ViewError", "bindings", "copy_course", "course", "kernel_secrets"]

PACKAGE = Path(__file__).parents[2]
INSIDE = Path(__file__).parent / "inside"
COURSE = Path("/course")

# Of the package. Compiled files of the top level could be of anything.
HIDDEN = ("checks", "grading", "lessons", "__pycache__")
CHECKS = ("answer.py", "exercise.py", "network.py")  # of `unet_edu/checks`: they know no reference and no verdict
STUBS = ("checks.py", "progress.py", "quiz.py")  # of `inside`: they stand in for the checks that know the answers

OF_OTHERS = [Path("/usr/local/share"), Path("/usr/local/src"), Path("/usr/src")]
"""Folders of /usr that no notebook needs. nbgrader's exchange, with others' work, is usually in the first."""


class ViewError(Exception):
    """What would have to be shown holds what must not be shown. The text says what to do."""


def course() -> dict[Path, Path]:
    """Each file and folder of the course that is shown: its path inside, relative to /course, and its source."""
    shown = {Path("unet_edu", path.name): path for path in sorted(PACKAGE.iterdir()) if path.name not in HIDDEN}
    shown |= {Path("unet_edu/checks", name): PACKAGE / "checks" / name for name in CHECKS}
    shown[Path("unet_edu/checks/__init__.py")] = INSIDE / "checks.py"
    shown |= {Path("unet_edu/checks", name): INSIDE / name for name in STUBS if name != "checks.py"}
    shown[Path("init.py")] = Path(__file__).with_name("init.py")
    others = (path for path in sorted(INSIDE.iterdir()) if path.name not in (*STUBS, "__init__.py", "__pycache__"))
    return shown | {Path(path.name): path for path in others}


def copy_course(folder: Path) -> None:
    """Copy the course's files into a folder, for a machine without a sandbox."""
    for inside, source in course().items():
        target = folder / inside
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copyfile(source, target)


def bindings() -> list[str]:
    """The arguments of bwrap that make the file system: all of it read-only, but for /tmp and /dev/shm, which are not
    among these.

    Raises
    ------
    ViewError
        When the Python environment cannot be shown without showing more.
    """
    shown, arguments = {Path("/usr"): Path("/usr")}, []
    for name in ("bin", "sbin", "lib", "lib32", "lib64", "libx32"):
        path = Path("/", name)
        if path.is_symlink():
            arguments += ["--symlink", str(path.readlink()), str(path)]
        elif path.is_dir():
            shown[path] = path
    for path in (Path("/etc/ld.so.cache"), Path("/etc/alternatives"), Path("/etc/fonts")):
        if path.exists():
            shown[path] = path
    for prefix in (sys.prefix, sys.base_prefix):
        for path in (Path(prefix), Path(prefix).resolve()):  # programs name their environment by either
            _refuse_what_holds_more(path)
            shown[path] = path.resolve()
    shown |= {COURSE / inside: source for inside, source in course().items()}

    answers = _answers()
    hidden = [path / answers.relative_to(source) for path, source in shown.items() if answers.is_relative_to(source)]
    hidden += [path for path in OF_OTHERS if path.is_dir()]
    steps = [(path, ["--ro-bind", str(source), str(path)]) for path, source in shown.items()]
    steps += [(path, ["--size", "4096", "--tmpfs", str(path)]) for path in hidden]
    for _, step in sorted(steps, key=lambda step: len(step[0].parts)):  # what lies in a folder comes after the folder
        arguments += step
    return arguments + [argument for path in hidden for argument in ("--remount-ro", str(path))]


def kernel_secrets() -> list[str]:
    """The arguments of bwrap that cover the files in /proc, not of processes, which only root may read."""
    files = (path for path in sorted(Path("/proc").iterdir()) if not path.name.isdigit() and path.is_file())
    secret = [str(path) for path in files if not path.stat().st_mode & 0o004]
    return [word for path in secret for word in ("--ro-bind", "/dev/null", path)]


def _answers() -> Path:
    """The folder that holds references and solutions: of a checkout all of it, of an installed package the package."""
    package = PACKAGE.resolve()
    return package.parent if (package.parent / "solutions").is_dir() else package


def _refuse_what_holds_more(prefix: Path) -> None:
    """Refuse a Python environment that is also a home folder, a whole disk or the course's own folder."""
    home = Path(os.path.expanduser("~"))  # of a user who has none it stays "~", which lies nowhere
    if prefix == Path(prefix.anchor) or home.is_relative_to(prefix):
        raise ViewError(
            f"The Python environment is {prefix}, which holds more than Python. Use an environment in a folder of its "
            "own."
        )
    if prefix == _answers():
        raise ViewError(
            f"The Python environment is {prefix}, the course's own folder. Use one in a folder of its own, such as "
            f"{prefix / '.venv'}."
        )
