"""How a widget reaches a notebook that will be opened again, when the kernel that made the widget is gone."""

from __future__ import annotations

from html import escape
from pathlib import Path
from typing import Any

from IPython.display import display
from ipywidgets import DOMWidget

__all__ = ["WIDGET_VIEW", "show_live"]

WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"
STYLE = (Path(__file__).parent / "live.css").read_text()


def show_live(widget: DOMWidget, purpose: str, alt: str = "", metadata: dict[str, Any] | None = None) -> None:
    """Show a widget, below an output that stands for it where nothing runs.

    Each of the two is an output of its own: of one that has both, JupyterLab would show the widget alone, and of a
    widget without its kernel no more than "model not found". Between them a line says what to do. Its style, live.css,
    hides what is not to be seen.

    Parameters
    ----------
    widget : DOMWidget
    purpose : str
        What one does with it, "To play".
    alt : str
        What there is to see in the picture that stands for it. JupyterLab has no place for that beside the picture.
    metadata : dict
        Of the widget's output.
    """
    line = f"{purpose}, run all cells down to this one."
    words = f"<details><summary>In words</summary>{escape(alt)}</details>" if alt else ""
    display({"text/html": f'<p class="unet-run">{line}</p>{words}<style>{STYLE}</style>', "text/plain": line}, raw=True)
    view = {"version_major": 2, "version_minor": 0, "model_id": widget.add_class("unet-widget").model_id}
    # The empty text is what VS Code shows when it does not find the widget; without one it shows an error.
    display({WIDGET_VIEW: view, "text/plain": ""}, raw=True, metadata=metadata or {})
