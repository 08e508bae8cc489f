"""The library's version of what a reader has just written, in a closed line."""

import ast
import xml.etree.ElementTree as ET

import pytest

from unet_edu.convolution import conv2d_loops, output_size
from unet_edu.lessons import EXERCISES, ours


def test_it_shows_what_runs_and_one_line_of_what_is_said_of_it():
    assert repr(ours(conv2d_loops)).splitlines()[:4] == [
        "def conv2d_loops(x: NDArray[Any], w: NDArray[Any]) -> NDArray[Any]:",
        '    """Convolve one plane with one kernel: the definition itself, as lesson 02 teaches it."""',
        "    H, W = x.shape",
        "    kH, kW = w.shape",
    ]


def test_it_is_folded():
    root = ET.fromstring(ours(conv2d_loops, output_size)._repr_html_())
    assert root.tag == "details" and root[0].text == "Compare with ours"
    source = "".join(root[1].itertext())
    assert [each.name for each in ast.parse(source).body] == ["conv2d_loops", "output_size"]


def test_an_exercise_is_shown_by_its_name():
    assert repr(ours("iou")) == repr(ours(EXERCISES["iou"].reference)) and "def _iou(" in repr(ours("iou"))
    with pytest.raises(ValueError, match="expected the name of an exercise, got 'iuo'"):
        ours("iuo")


def test_there_is_something_to_show():
    with pytest.raises(ValueError, match="functions"):
        ours()
