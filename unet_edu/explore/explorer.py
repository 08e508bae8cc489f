"""The wrapper that every explorer shares: one state, controls that change it, views that show it."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import anywidget
import ipywidgets
import traitlets
from IPython.display import display

from unet_edu.explore.live import show_live
from unet_edu.explore.page import bundled
from unet_edu.explore.picture import Picture, figure_png

__all__ = ["Explorer", "Picture", "Pointed", "SceneView", "View"]

OWN = "your own"
FIRST = 3  # controls, which a reader takes in at a glance; the others stand behind "more"


class SceneView(anywidget.AnyWidget):
    """The live painter of a `figures.scene.Scene`: what happens inside it is in scene.js.

    A stored notebook keeps the scene too, with the name of the painter, so that a web page can show it without Python.
    A painter that is of no use without Python has no name.
    """

    painter = "scene"
    _esm: str | Path = bundled("widget.js")
    _css = Path(__file__).parent / "scene.css"
    scene = traitlets.Dict().tag(sync=True)
    edit = traitlets.Dict().tag(sync=True)  # {"cell": number, "value": float}, set by the browser when a reader types

    @traitlets.default("layout")
    def _across_the_page(self) -> ipywidgets.Layout:
        return ipywidgets.Layout(width="100%")


class Pointed(anywidget.AnyWidget):
    """HTML with one image, and the pixel of it that the reader points at: when the browser asks is in pointed.js."""

    _esm = Path(__file__).parent / "pointed.js"
    html = traitlets.Unicode().tag(sync=True)
    rows = traitlets.Int().tag(sync=True)
    columns = traitlets.Int().tag(sync=True)
    pixel = traitlets.List(traitlets.Int(), default_value=[]).tag(sync=True)  # (row, column), set by the browser
    # a question has a number, so that the same pixel may be asked again; the browser waits until Python has answered it
    asked = traitlets.Int().tag(sync=True)
    answered = traitlets.Int().tag(sync=True)

    def on_point(self, follow: Callable[[int, int], None]) -> None:
        """Let `follow(row, column)` be called with each pixel that the reader points at. The next one comes when it has
        ended."""

        def answer(change: dict[str, Any]) -> None:
            try:
                follow(*self.pixel)
            finally:  # also when it raised, or changed nothing: the browser must not wait for ever
                self.answered = change["new"]

        self.observe(answer, names="asked")


class View(NamedTuple):
    """A widget, the trait of it that shows something, and the pure function from state to what it shows."""

    widget: ipywidgets.DOMWidget
    trait: str
    paint: Callable[[Any], Any]


class Explorer:
    """A picture that answers.

    Parameters
    ----------
    state : frozen dataclass
        All that the explorer shows follows from it.
    controls : dict of field name → ipywidget with a `value`
        Each changes one field of the state, and follows it.
    views : sequence of View
        Painted anew with each state, in this order. They stand below the controls; one of a control (to disable it,
        say) is painted where the control is.
    picture : function from state to Picture
    edited : function from the state and what a reader did in a `SceneView` to the fields that it changes, optional
    """

    def __init__(
        self,
        state: Any,
        controls: dict[str, ipywidgets.DOMWidget],
        views: Sequence[View],
        picture: Callable[[Any], Picture],
        edited: Callable[..., dict[str, Any]] | None = None,
    ) -> None:
        self.state, self.controls, self.views, self.picture = state, controls, views, picture
        self._is_updating = False
        for name, control in controls.items():
            control.observe(lambda change, name=name: self._follow(name, change["new"]), names="value")
        for view in views:
            if edited is not None and isinstance(view.widget, SceneView):
                view.widget.observe(lambda change: self.update(**edited(self.state, **change["new"])), names="edit")
        self.update()
        top = list(controls.values())
        below = _row([view.widget for view in views if view.widget not in top])
        self.widget = ipywidgets.VBox([_row(top[:FIRST]), *_more(top[FIRST:]), below])

    def update(self, **changes: Any) -> None:
        """Go to the state with these fields changed, and show it."""
        state = replace(self.state, **changes)
        # all of it first: what cannot be painted raises before anything has changed
        painted = [view.paint(state) for view in self.views]
        self.state = state
        self._set_controls()
        for view, picture in zip(self.views, painted, strict=True):
            setattr(view.widget, view.trait, picture)

    def _follow(self, name: str, value: Any) -> None:
        if self._is_updating:
            return
        try:
            self.update(**{name: value})
        except Exception:
            self._set_controls()  # back to the state, which has not changed
            raise

    def _set_controls(self) -> None:
        """Let the controls follow the state, without the state following them."""
        self._is_updating = True
        try:
            for name, control in self.controls.items():
                value = getattr(self.state, name)
                if hasattr(control, "options"):
                    control.options = _menu(control.options, value)
                control.value = value
        finally:
            self._is_updating = False

    def _ipython_display_(self) -> None:
        """A picture with its words for everyone; for whoever can run it the live widget, which hides the picture."""
        data, metadata = self._repr_mimebundle_()
        display(data, raw=True, metadata=metadata)
        manager: dict[str, Any] = {}
        for view in self.views:  # on Colab anywidget says here which widget manager to load; elsewhere it says nothing
            if isinstance(view.widget, anywidget.AnyWidget) and (bundle := view.widget._repr_mimebundle_()):
                manager.update(bundle[1])
        show_live(self.widget, "To play", metadata["image/png"]["alt"], manager)

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> tuple[dict[str, Any], dict[str, Any]]:
        """What stands for the explorer where nothing runs."""
        picture = self.picture(self.state)
        data = {"image/png": figure_png(picture.figure), "text/plain": f"{picture.alt}\n{picture.digest}"}
        metadata: dict[str, Any] = {"image/png": {"alt": picture.alt}}
        if scenes := self._scenes():
            metadata["unet_edu"] = {"scenes": scenes}
        return data, metadata

    def _scenes(self) -> list[dict[str, str]]:
        """What a web page without Python can show alive. As text: in a notebook each number of a list would have a line
        of its own."""
        return [
            {"painter": view.widget.painter, "scene": _json(getattr(view.widget, view.trait))}
            for view in self.views
            if isinstance(view.widget, SceneView) and view.widget.painter
        ]


def _row(widgets: Sequence[ipywidgets.Widget]) -> ipywidgets.HBox:
    return ipywidgets.HBox(widgets, layout={"flex_flow": "row wrap"})


def _more(controls: Sequence[ipywidgets.DOMWidget]) -> list[ipywidgets.Widget]:
    """A button that shows the other controls; Colab has no Accordion that works."""
    if not controls:
        return []
    names = ", ".join(control.description for control in controls)
    more = ipywidgets.ToggleButton(description=f"more: {names}", layout={"width": "auto", "align_self": "flex-start"})
    row = _row(controls)

    def show(_: Any = None) -> None:
        row.layout.display = "flex" if more.value else "none"

    more.observe(show, names="value")
    show()
    return [more, row]


def _json(scene: Any) -> str:
    """A scene as JSON, as short as it gets. Its floats are places, where six digits are plenty."""

    def rounded(part: Any) -> Any:
        if isinstance(part, float):
            return float(f"{part:.6g}")
        if isinstance(part, dict):
            return {key: rounded(value) for key, value in part.items()}
        return [rounded(value) for value in part] if isinstance(part, list | tuple) else part

    return json.dumps(rounded(scene), ensure_ascii=False, separators=(",", ":"))


def _menu(options: Sequence[tuple[str, Any]], value: Any) -> tuple[tuple[str, Any], ...]:
    """A menu's options, with one more for a value that the reader made."""
    known = tuple(option for option in options if option[0] != OWN)
    return known if any(value == option for _, option in known) else (*known, (OWN, value))
