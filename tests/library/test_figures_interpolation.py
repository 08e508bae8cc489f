"""The pictures of lesson 03 show what they say."""

import numpy as np
import pytest

from unet_edu.figures.interpolation import places, value_counts
from unet_edu.interpolation import source_coordinates


def test_dots_stand_at_the_source_coordinates():
    figure = places(4, 7)
    for axes, corners in zip(figure.axes, (False, True), strict=True):
        dots = [line.get_xdata()[0] for line in axes.lines if len(line.get_xdata()) == 1]
        np.testing.assert_allclose(dots, source_coordinates(4, 7, align_corners=corners))
        assert f"align_corners={corners}" in axes.get_title(loc="left")
        assert len(axes.patches) == 4 + 7


def test_with_edges_on_edges_both_strips_are_equally_long():
    strips = places(4, 7).axes[0].patches
    ends = [(part[0].get_x(), part[-1].get_x() + part[-1].get_width()) for part in (strips[:4], strips[4:])]
    np.testing.assert_allclose(ends, [(-0.5, 3.5)] * 2)


def test_every_value_is_counted_once_and_in_its_place():
    values = np.array([0, 0, 2, 2, 2, 0.26, 1.0, 1.02, -0.04])
    (axes,) = value_counts({"some": values}, [0, 2]).axes
    unreal, real = axes.containers
    assert [(bar.get_x() + bar.get_width() / 2, bar.get_height()) for bar in real] == [(0, 2), (2, 3)]
    found = {round(bar.get_x(), 1): bar.get_height() for bar in unreal if bar.get_height()}
    assert found == {-0.1: 1, 0.2: 1, 1.0: 2}
    assert all(bar.get_hatch() for bar in unreal) and not any(bar.get_hatch() for bar in real)


def test_panels_share_their_scale():
    figure = value_counts({"a": [0, 1], "b": [-0.7, 3.2]}, [0, 1])
    assert figure.axes[0].get_xlim() == figure.axes[1].get_xlim() == pytest.approx((-2, 4))
    assert [axes.get_title() for axes in figure.axes] == ["a", "b"]
