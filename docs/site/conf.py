"""Sphinx's settings for the web book. `python -m docs.site.build` writes the pages' sources and calls Sphinx."""

import functools
import importlib
import inspect
import tomllib
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.search.en import SearchEnglish
from sphinx.transforms import SphinxTransform
from sphinx.util import logging

from docs.site.project import BOOK, CARD, PROJECT, on_github

project = PROJECT["name"]
release = PROJECT["version"]
html_title = project
language = "en"

extensions = [
    "myst_nb",
    "sphinx.ext.autodoc",
    "sphinx.ext.linkcode",
    "sphinx.ext.mathjax",
    "sphinx.ext.napoleon",
    "sphinx_copybutton",
    "sphinxext.opengraph",
]
exclude_patterns = ["_*"]

nb_execution_mode = "off"
myst_enable_extensions = ["dollarmath"]
myst_heading_anchors = 4
mathjax_path = "mathjax/tex-chtml.js"
mathjax3_config = {"options": {"enableMenu": False}}  # the menu would fetch what is not here

autodoc_member_order = "bysource"
autodoc_typehints = "none"  # the docstrings say it in words, and shorter
napoleon_use_param = False  # types in docstrings are words for people, not names of classes
napoleon_use_rtype = False
napoleon_custom_sections = [("Attributes", "params_style")]
smartquotes = False  # a page says what its source says
default_role = "code"
nitpick_ignore = [("py:class", "torch.Tensor")]  # the base of a documented class; its pages are elsewhere

html_theme = "furo"
html_baseurl = ogp_site_url = BOOK
ogp_image = CARD
ogp_image_alt = "A small U-Net at work: a picture of cells, all its maps down and up again, and where it finds cells."
ogp_custom_meta_tags = ['<meta name="twitter:card" content="summary_large_image" />']
html_favicon = "_static/u.svg"
html_static_path = ["_static"]
html_css_files = ["book.css", "explore/scene.css", "live.css"]
html_copy_source = False
html_show_sphinx = False
html_show_copyright = False
html_theme_options = {
    "light_css_variables": {
        "color-brand-primary": "#0072B2",
        "color-brand-content": "#00659E",
        "color-brand-visited": "#7A3E65",
    },
    "dark_css_variables": {
        "color-brand-primary": "#6CB8E6",
        "color-brand-content": "#6CB8E6",
        "color-brand-visited": "#D9A3C4",
    },
}


# The pages share most of their words.
SearchEnglish.stem = functools.cache(SearchEnglish.stem)

html_search_scorer = str(Path(__file__).with_name("scorer.js"))
html_js_files = [("live.js", {"type": "module"}), ("page.js", {"type": "module"})]


def linkcode_resolve(domain: str, info: dict[str, str]) -> str | None:
    """Where the source of a documented function or class can be read."""
    found = importlib.import_module(info["module"])
    for part in info["fullname"].split("."):
        found = getattr(found, part, None)
    if isinstance(found, property | functools.cached_property):
        found = found.fget if isinstance(found, property) else found.func
    found = inspect.unwrap(found)
    if not (inspect.isclass(found) or inspect.isfunction(found)) or found.__module__ != info["module"]:
        return None  # data does not know where it was written
    _, line = inspect.getsourcelines(found)
    return f"{on_github(Path(inspect.getsourcefile(found)))}#L{line}"


PLAIN: dict[str, list[str]] = {}


def hide_from_napoleon(app: Sphinx, what: str, name: str, obj: object, options: object, lines: list[str]) -> None:
    """Napoleon takes what stands before a colon in a property's docstring for a type. Here a sentence begins so."""
    if what in ("attribute", "data", "property"):
        PLAIN[name] = lines[:]
        lines.clear()


def bring_back(app: Sphinx, what: str, name: str, obj: object, options: object, lines: list[str]) -> None:
    lines.extend(PLAIN.pop(name, []))


def skip_fields(app: Sphinx, what: str, name: str, obj: object, skip: bool, options: object) -> bool | None:
    """A named tuple says of each field that it is "Alias for field number 0", which is no news."""
    return True if (getattr(obj, "__doc__", None) or "").startswith("Alias for field number") else None


def name_heading_levels(app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: object) -> None:
    """Sphinx makes headings of the navigation's captions, without a level; screen readers want to know it."""
    tree = context["furo_navigation_tree"]
    context["furo_navigation_tree"] = tree.replace('role="heading"', 'role="heading" aria-level="2"')


TITLES: dict[str, nodes.Element] = {}


def keep_titles(app: Sphinx, env: BuildEnvironment) -> None:
    """Of each page's contents, what the navigation shows of them: the title, and the pages below."""
    for page, contents in env.tocs.items():
        TITLES[page] = contents.deepcopy()
        for entry in TITLES[page].children:
            if len(entry) > 1:
                entry[1][:] = list(entry.findall(addnodes.toctree))
                if not entry[1].children:
                    entry.pop(1)


def navigate_by_titles(app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: object) -> None:
    """Sphinx would copy the headings and functions of all pages for the navigation of each, and then drop them: a third
    of the time that the book takes. And furo would list every module on every page: a fifth of the book. Those are
    listed on the pages of modules."""
    whole = context["toctree"]

    def toctree(**options: Any) -> str:
        contents, app.env.tocs = app.env.tocs, TITLES
        try:
            return whole(**options | {"collapse": True})
        finally:
            app.env.tocs = contents

    context["toctree"] = toctree


class Words(SphinxTransform):
    """The words of words.toml become index entries of their sections, which the search knows."""

    default_priority = 840  # Sphinx collects the entries at 850

    def apply(self) -> None:
        words = tomllib.loads((Path(__file__).parent / "words.toml").read_text()).get(self.env.docname, {})
        for section in list(self.document.findall(nodes.section)):
            entries = words.pop(section[0].astext(), "").split(", ")
            there = "" if section.parent is self.document else section["ids"][0]
            if entries != [""]:
                section += addnodes.index(entries=[("single", entry, there, "main", None) for entry in entries])
        if words:
            logging.getLogger(__name__).warning("words.toml: expected headings of %s, got %s", self.env.docname, words)


def setup(app: Sphinx) -> None:
    source = Path(app.srcdir)
    app.config.html_static_path = ["_static", str(source / "_static")]
    app.config.html_extra_path = [str(source / "_extra")]
    app.add_transform(Words)
    app.connect("autodoc-process-docstring", hide_from_napoleon, priority=400)  # napoleon comes at 500
    app.connect("autodoc-process-docstring", bring_back, priority=600)
    app.connect("autodoc-skip-member", skip_fields)
    app.connect("env-updated", keep_titles)
    app.connect("html-page-context", navigate_by_titles, priority=400)  # before furo's
    app.connect("html-page-context", name_heading_levels, priority=900)  # after furo's
