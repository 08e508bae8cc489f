"""Fields that declare their control: what it lets in, what it says of the rest, and the widget that comes of it."""

from dataclasses import dataclass

import ipywidgets
import pytest

from unet_edu.explore.fields import checked, controls, menu, slider


@dataclass(frozen=True)
class State:
    photo: str = menu(("coins", "cell"), "Photo", "one of {plain}")
    side: bool = menu({"brighter": False, "darker": True}, "Mark")
    level: float = slider(0, 1, "Level", step=0.01, expected="a number from {low} (black) to {high} (white)")
    step: int = slider(20, 60, "Step", step=2, expected="an even number from {low} to {high}", layout={"width": "9em"})
    of_photo: str = menu(lambda state: {f"a {state.photo}": 0, f"two {state.photo}": 1}, "Which")
    last: int = slider(0, lambda: LAST, "Last")
    kernel: tuple = menu({"none": ()}, "Kernel", own=True)
    note: str = "not moved"


LAST = 3
GOOD = {"photo": "cell", "side": True, "level": 0.5, "step": 22, "of_photo": 1, "last": 0, "kernel": (1, 2)}


def test_a_good_state_is_let_in():
    assert checked(State, **GOOD) == State(**GOOD) and checked(State, **GOOD, note="x").note == "x"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"photo": "camera"}, "photo: expected one of coins, cell, got 'camera'"),
        ({"side": "up"}, "side: expected one of False, True, got 'up'"),
        ({"level": 1.5}, r"level: expected a number from 0 \(black\) to 1 \(white\), got 1\.5"),
        ({"level": float("nan")}, "level: expected a number .*, got nan"),
        ({"step": 23}, "step: expected an even number from 20 to 60, got 23"),
        ({"step": 62}, "step: expected an even number from 20 to 60, got 62"),
        ({"of_photo": 2}, "of_photo: expected one of 0, 1, got 2"),
        ({"last": 4}, "last: expected a number from 0 to 3, got 4"),
        ({"last": -1, "step": 23}, "step: "),  # the first of the arguments
    ],
)
def test_what_is_out_of_bounds_is_named(change, message):
    with pytest.raises(ValueError, match=f"^{message}"):
        checked(State, **GOOD | change)


def test_controls_come_in_the_order_of_the_fields():
    made = controls(State(**GOOD))
    assert list(made) == ["photo", "side", "level", "step", "of_photo", "last", "kernel"]
    kinds = [type(control).__name__ for control in made.values()]
    assert kinds == ["Dropdown", "Dropdown", "FloatSlider", "IntSlider", "Dropdown", "IntSlider", "Dropdown"]
    assert [made[name].description for name in ("photo", "level")] == ["Photo", "Level"]
    assert (made["step"].min, made["step"].max, made["step"].step, made["step"].layout.width) == (20, 60, 2, "9em")
    assert made["of_photo"].options == (("a cell", 0), ("two cell", 1)) and made["photo"].options[0] == (
        "coins",
        "coins",
    )


def test_where_there_is_one_place_nothing_is_to_be_moved(monkeypatch):
    monkeypatch.setitem(globals(), "LAST", 0)
    assert "last" not in controls(State(**GOOD))


def test_a_menu_may_be_a_slider():
    @dataclass
    class Steps:
        at: int = menu({"0": 0, "1,000": 1}, "Step", widget=ipywidgets.SelectionSlider)

    assert isinstance(controls(Steps(0))["at"], ipywidgets.SelectionSlider)
