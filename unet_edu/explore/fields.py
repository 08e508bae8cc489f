"""How a state says what it is moved with: each field declares its control, its bounds, and the sentence for the rest.

::

    @dataclass(frozen=True)
    class State:
        photo: str = menu(PHOTOS, "Photo")
        threshold: float = slider(0, 1, "Threshold", step=0.01)

The order of the fields is the order of the controls.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import MISSING, dataclass, field, fields
from types import SimpleNamespace
from typing import Any

import ipywidgets

__all__ = ["checked", "controls", "described", "menu", "slider", "switch"]

Options = Mapping[str, Any] | Iterable[str]


@dataclass(frozen=True)
class Menu:
    """One of some values, each with its words."""

    options: Options | Callable[[Any], Options]  # or made from the state, or from the arguments that shall become one
    label: str
    expected: str
    own: bool
    widget: type[ipywidgets.DOMWidget]
    more: Mapping[str, Any]

    def items(self, state: Any) -> dict[str, Any]:
        options = self.options(state) if callable(self.options) else self.options
        return dict(options) if isinstance(options, Mapping) else {name: name for name in options}

    def missed(self, value: Any, state: Any) -> str | None:
        """What was expected, when the value is something else."""
        values = list(self.items(state).values())
        if self.own or value in values:
            return None
        return self.expected.format(", ".join(map(repr, values)), plain=", ".join(map(str, values)))

    def control(self, state: Any) -> ipywidgets.DOMWidget | None:
        return self.widget(options=list(self.items(state).items()), description=self.label, **self.more)

    def described(self, state: Any) -> dict[str, Any]:
        return {"kind": "menu", "label": self.label, "options": list(self.items(state).items())}


@dataclass(frozen=True)
class Slider:
    """A number within bounds; a whole one when the step is."""

    low: float
    high: float | Callable[[], float]
    label: str
    step: float
    expected: str
    more: Mapping[str, Any]

    @property
    def top(self) -> float:
        return self.high() if callable(self.high) else self.high

    def missed(self, value: Any, state: Any) -> str | None:
        """What was expected, when the value is something else."""
        is_in = self.low <= value <= self.top and (
            self.step == 1 or self.step % 1 or not (value - self.low) % self.step
        )
        return None if is_in else self.expected.format(low=self.low, high=self.top)

    def control(self, state: Any) -> ipywidgets.DOMWidget | None:
        if self.top == self.low:
            return None
        kind = ipywidgets.FloatSlider if self.step % 1 else ipywidgets.IntSlider
        return kind(min=self.low, max=self.top, step=self.step, description=self.label, **self.more)

    def described(self, state: Any) -> dict[str, Any]:
        return {"kind": "slider", "label": self.label, "low": self.low, "high": self.top, "step": self.step}


@dataclass(frozen=True)
class Switch:
    """Yes or no. Explorers that compute in the page have them."""

    label: str

    def missed(self, value: Any, state: Any) -> str | None:
        """What was expected, when the value is something else."""
        return None if isinstance(value, bool) else "True or False"

    def control(self, state: Any) -> ipywidgets.DOMWidget:
        return ipywidgets.Checkbox(description=self.label)

    def described(self, state: Any) -> dict[str, Any]:
        return {"kind": "checkbox", "label": self.label}


def menu(
    options: Options | Callable[[Any], Options],
    label: str,
    expected: str = "one of {}",
    *,
    own: bool = False,
    widget: type[ipywidgets.DOMWidget] = ipywidgets.Dropdown,
    default: Any = MISSING,
    **more: Any,
) -> Any:
    """A field that has one of these values.

    Parameters
    ----------
    options : mapping from words to values, or an iterable of strings that are both
        Or a function that makes them from the state.
    label : str
        What stands beside the control.
    expected : str
        How a sentence goes on for any other value, after "expected"; `{}` are the values as code has them, `{plain}` as
        they are.
    own : bool
        Whether any other value is let in, too.
    widget : class
        What shows the options: with a `SelectionSlider` the arrow keys go from value to value.
    default
        Of the field.
    **more
        For the ipywidget.
    """
    return field(default=default, metadata={"control": Menu(options, label, expected, own, widget, more)})


def slider(
    low: float,
    high: float | Callable[[], float],
    label: str,
    *,
    step: float = 1,
    expected: str = "a number from {low} to {high}",
    default: Any = MISSING,
    **more: Any,
) -> Any:
    """A field that is a number from `low` to `high`, which may be known only later. Where the two are the same, nothing
    is to be moved.

    Parameters
    ----------
    low, high : number
    label : str
    step : number
        A whole one makes a slider of whole numbers, and from two on only its multiples are let in, counted from `low`.
    expected : str
        How a sentence goes on for any other value, after "expected".
    default
        Of the field.
    **more
        For the ipywidget.
    """
    return field(default=default, metadata={"control": Slider(low, high, label, step, expected, more)})


def switch(label: str, *, default: Any = MISSING) -> Any:
    """A field that is True or False."""
    return field(default=default, metadata={"control": Switch(label)})


def checked(State: type, **arguments: Any) -> Any:
    """The state with these fields.

    Raises
    ------
    ValueError
        When one of them is out of its bounds; the first that is, in the order of the arguments, is named.
    """
    declared, given = _declared(State), SimpleNamespace(**arguments)
    for name, value in arguments.items():
        expected = declared[name].missed(value, given) if name in declared else None
        if expected is not None:
            got = repr(value) if isinstance(value, str) else value
            raise ValueError(f"{name}: expected {expected}, got {got}")
    return State(**arguments)


def controls(state: Any) -> dict[str, ipywidgets.DOMWidget]:
    """A control for each field of the state that declares one."""
    made = {name: control.control(state) for name, control in _declared(type(state)).items()}
    return {name: control for name, control in made.items() if control is not None}


def described(state: Any) -> list[dict[str, Any]]:
    """The controls as `controls.js` gets them; a menu or a slider with one value is none."""
    made = [{"name": name} | control.described(state) for name, control in _declared(type(state)).items()]
    return [one for one in made if one.get("low") != one.get("high", "") and len(one.get("options", "two")) > 1]


def _declared(State: type) -> dict[str, Menu | Slider | Switch]:
    return {each.name: each.metadata["control"] for each in fields(State) if "control" in each.metadata}
