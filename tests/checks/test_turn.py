"""*Your turn*: what is said of a few lines that the reader of a lesson writes."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import numpy as np
import pytest
import torch

from unet_edu.checks import turn

Y = np.array([[122, 148], [126, 134]])


@pytest.mark.parametrize("yours", [None, ...])
def test_lines_that_are_not_written_are_no_fault(yours):
    said = turn(yours, 122, "Add up.")
    assert repr(said) == "Not yet: write your lines above, then run the cell again."
    assert said.status == "not yet" and "○ Not yet:" in said._repr_html_() and not said.hint


@pytest.mark.parametrize(
    "yours, wanted",
    [
        (122, 122),
        (np.float32(122), 122),
        (Y, Y),
        (Y.tolist(), Y),
        (torch.tensor(Y, dtype=torch.float32, requires_grad=True), Y),
        ((2, 2), (2, 2)),
        (torch.zeros(2, 2).shape, (2, 2)),
        (1 / 3, 0.333333),
        (" Left", "left"),
        (True, True),
    ],
)
def test_what_is_wanted_is_right_in_any_form(yours, wanted):
    assert turn(yours, wanted).passed


@pytest.mark.parametrize(
    "yours, wanted, said",
    [
        (121, 122, "you got 121.\nWanted: 122."),
        (-2, 3, "you got −2.\nWanted: 3."),
        ("right", "left", "you got 'right'.\nWanted: 'left'."),
        (Y, 122, "you got [[122, 148], [126, 134]].\nWanted: 122."),
        (Y[0], Y, "your shape is (2,), and it should be (2, 2)."),
        (Y + [[0, 0], [0, 1]], Y, "you got [[122, 148], [126, 135]]; 1 of 4 numbers differ, at [1, 1]."),
        (Y + 1, Y, "4 of 4 numbers differ, the first at [0, 0]."),
        ("122", 122, "you got '122', and it should be a number."),
        ([[1], [2, 3]], Y, "you got [[1], [2, 3]], and it should be an array of numbers."),
        (print, Y, "you got <built-in function print>, and it should be an array of numbers."),
        (np.zeros((9, 9)), np.eye(9), "you got an array of shape (9, 9), from 0 to 0; 9 of 81 numbers differ"),
        (np.nan, 1, "you got nan."),
        (0, torch.zeros(2, 2), "your shape is (), and it should be (2, 2)."),
        (0, np.float32(0.3458), "you got 0.\nWanted: 0.3458."),
    ],
)
def test_what_is_not_is_told(yours, wanted, said):
    result = turn(yours, wanted)
    assert result.status == "failed" and said in result.message
    assert repr(result).startswith("Not yet: ")


def test_what_would_have_to_be_copied_only_is_not_told():
    assert turn(121, 122, tell=False).message == "you got 121."
    assert "148" not in turn(Y * 0, Y, tell=False).message


HINTS = {"no sum": ([4, 20], "Add the products up."), "other": "Is a product missing?", "turned": (119, "Turn `w`.")}


@pytest.mark.parametrize(
    "yours, hint", [([4, 20], "Add the products up."), (119, "Turn `w`."), (7, "Is a product missing?"), (None, "")]
)
def test_a_typical_mistake_has_its_own_hint(yours, hint):
    assert turn(yours, 122, HINTS).hint == hint
    assert turn(122, 122, HINTS).hint == "" and turn(7, 122, "Nine products.").hint == "Nine products."


def test_what_looks_like_markup_is_shown_as_it_is():
    root = ET.fromstring(turn("<b>", "`a`", "Is `<b>` < 1?")._repr_html_())
    assert "".join(root.itertext()) == "✗ Not yet: you got '<b>'.\nWanted: '`a`'.Hint. Is <b> < 1?"
    assert [code.text for code in root.iter("code")] == ["<b>"]
