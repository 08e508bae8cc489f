"""The pages that are no notebook: the lists of lessons, exercises and explorers, and one page for each module."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import re
from collections.abc import Callable, Iterable
from html import escape
from pathlib import Path
from types import ModuleType

import unet_edu
from docs.site.notebooks import Lesson, Shown, relink
from docs.site.project import ROOT, on_colab, relative

# What runs only inside the grader's sandbox is imported by nobody else.
PRIVATE = re.compile(r"\._|\.grading\.sandbox\.(inside|init)\b")


def modules() -> list[str]:
    """The public modules of the library, packages before what is in them."""
    found = (module.name for module in pkgutil.walk_packages(unet_edu.__path__, "unet_edu."))
    return [name for name in found if not PRIVATE.search(name)]


def summary(name: str) -> str:
    """The first sentence of a module's docstring."""
    words = inspect.getdoc(importlib.import_module(name)) or ""
    return words.partition("\n\n")[0].replace("\n", " ")


def lesson_list(lessons: Iterable[Lesson], run_times: dict[str, float], promises: dict[str, str]) -> str:
    """The front page's list: for each lesson what one will understand, how long it takes, and how long it runs."""
    rows = []
    for lesson in lessons:
        number, _, title = lesson.title.partition(" · ")
        rows.append(
            f'<li><a href="{lesson.html}"><span class="unet-number">{number}</span><span '
            f'class="unet-title">{escape(title)}</span><span '
            f'class="unet-promise">{escape(promises[Path(lesson.page).name])}</span><span '
            f'class="unet-time"><span>{lesson.time}</span> <span>runs in {run_times[lesson.page]:.0f} '
            "s</span></span></a></li>"
        )
    return raw("\n".join(['<ol class="unet-lessons">', *rows, "</ol>"]))


def side_roads(found: Iterable[Lesson]) -> str:
    """Their part of the navigation; nothing as long as there are none."""
    links = "\n".join(lesson.page for lesson in found)
    return f"```{{toctree}}\n:hidden:\n:caption: Side roads\n\n{links}\n```" if links else ""


def promises(start: Lesson) -> dict[str, str]:
    """What each lesson makes understood: the map of the course in the first of them says it."""
    text = "\n".join(cell.source for cell in start.notebook.cells if cell.cell_type == "markdown")
    rows = re.findall(r"^\| \[\d\d · [^]]+\]\(([^)]+)\) \| ([^|]+) \|", text, re.MULTILINE)
    return {Path(start.page).name: "how to move in a notebook, and the question of the course", **dict(rows)}


def explorer_page(shown: list[Shown], figure: str) -> str:
    """One explorer: as it stands in its first lesson, where else it is, and how it is called."""
    first = shown[0]
    module = explorer_module(first.name)
    title, _, rest = summary(module).partition(": ")
    where = {show.lesson.page: f"[{show.lesson.title}](../{show.lesson.page})" for show in shown}
    return "\n\n".join(
        [
            f"# {title}",
            sentence(rest),
            raw(figure),
            f"In {', '.join(where.values())}. Its code and scenes: [{module}](../api/{module}.rst).",
            f"```{{eval-rst}}\n.. autofunction:: unet_edu.explore.{first.name}\n   :no-index:\n```",
        ]
    )


def explorer_module(name: str) -> str:
    """The module in which an explorer's function is written."""
    return inspect.getmodule(getattr(importlib.import_module("unet_edu.explore"), name)).__name__


def explorer_list(explorers: dict[str, list[Shown]], picture: Callable[[Shown], str]) -> str:
    """Cards with picture, what it shows, and where."""
    cards = []
    for name, shown in explorers.items():
        title, _, rest = summary(explorer_module(name)).partition(": ")
        alive = " <em>answers here</em>" if shown[0].is_live else ""
        cards.append(
            f'<li><a href="{name}.html"><img src="{picture(shown[0])}" alt="" loading="lazy">'
            f"<strong>{escape(title)}</strong>{alive}<span>{escape(sentence(rest))}</span></a></li>"
        )
    links = "\n".join(explorers)
    return (
        "# Explorers\n\nPictures that answer. Those that say *answers here* do so in this book too; the others show "
        "their first picture, and answer in Colab and in JupyterLab.\n\n"
        + raw("\n".join(['<ul class="unet-cards">', *cards, "</ul>"]))
        + f"\n\n```{{toctree}}\n:hidden:\n\n{links}\n```\n"
    )


def exercise_list(exercises: Iterable[Lesson]) -> str:
    rows = [
        f"| [{lesson.title}]({relative(lesson.page, 'exercises/index.md')}) | [open]({on_colab(lesson.page)}) |"
        for lesson in exercises
    ]
    links = "\n".join(relative(lesson.page, "exercises/index.md") for lesson in exercises)
    return "\n".join(
        [
            "# Exercises",
            "",
            "You write a function, call `check` on it in the next cell, and read what to think about if it is not",
            "right yet. Open them in Colab, or download them: on these pages nothing runs.",
            "",
            "| exercises | on Colab |",
            "|---|---|",
            *rows,
            "",
            relink(
                "The [solutions](../solutions) are there too. They help most after an honest try.", "exercises/index.md"
            ),
            "",
            f"```{{toctree}}\n:hidden:\n\n{links}\n```\n",
        ]
    )


def inside(package: str, names: Iterable[str]) -> list[str]:
    """The modules that are directly in a package."""
    return [name for name in names if name.rpartition(".")[0] == package]


def module_page(name: str, lessons: dict[str, Lesson]) -> str:
    """A module's page in reStructuredText, from its docstrings, with the lessons that the first of them names."""
    module = importlib.import_module(name)
    numbers = re.findall(
        r"\b\d\d\b", " ".join(re.findall(r"[Ll]essons? \d\d(?:(?:,| and|, and) \d\d)*", summary(name)))
    )
    links = [f":doc:`{lessons[number].title} </{lessons[number].page.removesuffix('.ipynb')}>`" for number in numbers]
    # What a module only hands on is on the page of the module that has it; what a package loads when asked, too.
    names = () if hasattr(module, "__getattr__") else getattr(module, "__all__", ())
    own = [item for item in names if _is_written_in(module, item)]
    below = inside(name, modules())
    return "\n".join(
        [
            name,
            "=" * len(name),
            "",
            *([f"Taught in {', '.join(links)}.", ""] if links else []),
            f".. automodule:: {name}",
            *([f"   :members: {', '.join(own)}"] if own else []),
            "",
            *([".. toctree::", "   :hidden:", "", *(f"   {module}" for module in below), ""] if below else []),
        ]
    )


def _is_written_in(module: ModuleType, item: str) -> bool:
    value = getattr(module, item)
    if not (inspect.isclass(value) or inspect.isfunction(value)):
        return True
    return value.__module__ == module.__name__ or "._" in value.__module__  # a private module has no page


def module_list(names: list[str]) -> str:
    """All modules with their first sentences, one table a package."""
    packages = ["unet_edu", *(name for name in names if inside(name, names))]
    parts = ["# Library", "", "Made from the docstrings. Each module links to its source.", ""]
    for package in packages:
        own = [name for name in inside(package, names) if name not in packages]
        title = f"[{package}]({package}.rst)" if package in names else package
        first = summary(package)
        parts += [f"## {title}", "", first, "", "| module | |", "|---|---|"]
        parts += [f"| [{name.removeprefix(package + '.')}]({name}.rst) | {summary(name)} |" for name in own]
        parts.append("")
    links = "\n".join(inside("unet_edu", names))
    return "\n".join([*parts, f"```{{toctree}}\n:hidden:\n\n{links}\n```\n"])


def install_page() -> str:
    """From README.md: how to get the course, and how to use it on one's own images."""
    readme = (ROOT / "README.md").read_text()
    text = "# Get the course\n\n" + section(readme, "Three doors").partition("\n\n")[2]
    return relink(text + "\n\n" + section(readme, "Your own images"), "install.md")


def section(text: str, title: str) -> str:
    """A section of a Markdown file, its heading included."""
    return re.search(rf"^## {re.escape(title)}\n.*?(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)[0].strip()


def sentence(words: str) -> str:
    return words[:1].upper() + words[1:]


def raw(html: str) -> str:
    return f"```{{raw}} html\n{html}\n```"
