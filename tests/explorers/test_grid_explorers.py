"""What explorers of grids have in common: they follow their controls, refuse what they cannot show, have a still
picture."""

import base64
import json
from pathlib import Path

import ipywidgets
import numpy as np
import pytest

from unet_edu import explore
from unet_edu.explore.matrix import scene as matrix
from unet_edu.explore.pooling import scene as pooling
from unet_edu.explore.transposed import scene as transposed

SCENES = {  # an explorer, its settings, and the function from its state to a scene
    "matrix": (explore.matrix, {}, matrix),
    "matrix, transposed": (explore.matrix, {"transpose": True}, matrix),
    "pooling": (explore.pooling, {}, pooling),
    "stamps": (explore.transposed, {"stride": 2}, transposed),
    "zeros inserted": (explore.transposed, {"stride": 2, "show": "zeros inserted"}, transposed),
    "rows of the transposed matrix": (explore.transposed, {"stride": 2, "show": "matrix"}, transposed),
    "overlaps": (explore.transposed, {"stride": 2, "show": "overlaps"}, transposed),
    "there and back": (explore.transposed, {"stride": 2, "show": "there and back"}, transposed),
}
KEPT_WITHIN = [("pooling", "padding")]  # by half of the kernel
# They need no Python once they are shown; what they answer is tested in test_pages_in_browser.py.
IN_THE_PAGE = {
    "arithmetic": (explore.arithmetic, {"size": 7, "kernel": 3, "stride": 2}),
    "convolution": (explore.convolution, {}),
    "convolution, photograph": (explore.convolution, {"x": "photo", "stride": 2, "padding": 1}),
}


def values_of(control: ipywidgets.Widget) -> list:
    if hasattr(control, "options"):
        return [value for _, value in control.options]
    return list(range(control.min, control.max + 1))


# ---- controls --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", SCENES)
def test_state_and_scene_follow_every_value_of_every_control(name):
    make, settings, scene = SCENES[name]
    explorer = make(**settings)
    view, seen = explorer.views[0].widget, set()
    for field, control in explorer.controls.items():
        before, values = getattr(explorer.state, field), values_of(control)
        assert len(values) > 1
        for value in values:
            control.value = value
            assert getattr(explorer.state, field) == control.value
            assert control.value == value or (name, field) in KEPT_WITHIN
            assert getattr(control, "label", "") != "your own"
            assert view.scene == scene(explorer.state).data()
            seen.add(json.dumps(view.scene))
        explorer.update(**{field: before})
    assert len(seen) > 10


# ---- errors ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("make", "arguments", "message"),
    [
        (explore.arithmetic, {"stride": 9}, "stride: expected 1 to 5, got 9"),
        (explore.convolution, {"kernel": np.ones((5, 5))}, "kernel: a kernel of 5 .* does not fit into 4"),
        (explore.convolution, {"stride": 4}, "stride: expected 1 to 3, got 4"),
        (explore.convolution, {"padding": -1}, "padding: expected 0 to 2, got -1"),
        (
            explore.convolution,
            {"dilation": 2, "kernel": np.ones((3, 3))},
            "kernel: a kernel of 3 with dilation 2 spans 5",
        ),
        (explore.convolution, {"photo": "moon"}, "photo: expected one of 'camera', .*, got 'moon'"),
        (explore.convolution, {"kernel": [1, 2, 3]}, r"kernel: expected a matrix \(rows, columns\), got shape \(3,\)"),
        (explore.matrix, {"x": np.ones((9, 9))}, "x: expected at most 5×8 numbers, got 9×9"),
        (explore.matrix, {"kernel": [1, 2, 3]}, r"kernel: expected a matrix \(rows, columns\), got shape \(3,\)"),
        (explore.matrix, {"kernel": np.ones((1, 6))}, "kernel: expected at most 5×5 numbers, got 1×6"),
        (explore.matrix, {"x": [[np.nan]]}, "x: expected one or more finite numbers"),
        (explore.matrix, {"stride": 4}, "stride: expected 1 to 3, got 4"),
        (explore.matrix, {"padding": -1}, "padding: expected 0 to 2, got -1"),
        (explore.pooling, {"x": np.ones((3, 4))}, "x: expected at least 4×4 numbers, got 3×4"),
        (explore.pooling, {"x": np.ones((4, 9))}, "x: expected at most 8×8 numbers, got 4×9"),
        (explore.pooling, {"x": np.full((4, 4), np.nan)}, "x: expected one or more finite numbers"),
        (explore.pooling, {"kernel": 5}, "kernel: expected 1 to 4, got 5"),
        (explore.pooling, {"stride": 0}, "stride: expected 1 to 4, got 0"),
        (explore.pooling, {"padding": 3}, "padding: expected 0 to 2, got 3"),
        (explore.pooling, {"kind": "median"}, "kind: expected 'max' or 'average', got 'median'"),
        (explore.pooling, {"shared": "first"}, "shared: expected 'last' or 'sum', got 'first'"),
        (explore.sizes, {"size": 0}, "size: expected 1 to 700, got 0"),
        (explore.sizes, {"depth": 5}, "depth: expected 1 to 4, got 5"),
        (explore.sizes, {"padding": "reflect"}, "padding: expected one of 'valid', 'same', got 'reflect'"),
        (explore.sizes, {"width": 48}, "width: expected one of 8, 16, 32, 64, got 48"),
        (explore.sizes, {"skip": "max"}, "skip: expected one of 'concat', 'add', 'multiply', 'none', got 'max'"),
        (
            explore.sizes,
            {"depth": 1, "block": "pool.1"},
            r"block: expected one of input, contracting\.0\.0, .*, got 'pool\.1'",
        ),
        (explore.transposed, {"x": np.ones((3, 2))}, "x: expected at most 2×3 numbers, got 3×2"),
        (explore.transposed, {"kernel": np.ones((5, 5))}, "kernel: expected at most 4×4 numbers, got 5×5"),
        (explore.transposed, {"image": np.ones((9, 1))}, "image: expected at most 8×8 numbers, got 9×1"),
        (explore.transposed, {"stride": 0}, "stride: expected 1 to 3, got 0"),
        (explore.transposed, {"output_padding": 3}, "output_padding: expected 0 to 2, got 3"),
        (
            explore.transposed,
            {"show": "all"},
            "show: expected one of 'stamps', 'zeros inserted', 'matrix', 'overlaps', 'there and back', got 'all'",
        ),
    ],
)
def test_errors_say_what_was_expected(make, arguments, message):
    with pytest.raises(ValueError, match=message):
        make(**arguments)


# ---- the still picture -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", SCENES)
def test_where_nothing_runs_there_are_a_picture_words_and_numbers(name):
    make, settings, _ = SCENES[name]
    data, metadata = make(**settings)._repr_mimebundle_()
    assert data["image/png"].startswith(b"\x89PNG")
    alt = metadata["image/png"]["alt"]
    assert len(alt) > 40 and data["text/plain"].startswith(alt)
    assert any(character.isdigit() for character in data["text/plain"].removeprefix(alt))
    again, _ = make(**settings)._repr_mimebundle_()
    assert data["image/png"] == again["image/png"] and data["text/plain"] == again["text/plain"]


@pytest.mark.parametrize("name", IN_THE_PAGE)
def test_an_explorer_in_the_page_is_two_outputs_a_picture_with_words_and_a_program(name, monkeypatch):
    make, settings = IN_THE_PAGE[name]
    shown = []
    monkeypatch.setattr("IPython.display.display", lambda data, raw, metadata=None: shown.append((data, metadata)))
    for _ in range(2):
        make(**settings)._ipython_display_()
    (still, marked), (live, _), *again = shown
    alt = marked["image/png"]["alt"]
    assert base64.b64decode(still["image/png"]).startswith(b"\x89PNG") and len(alt) > 40
    assert still["text/plain"].startswith(alt) and any(map(str.isdigit, still["text/plain"].removeprefix(alt)))
    assert list(live) == ["text/html"] and "<p>To play, run all cells down to this one.</p>" in live["text/html"]
    assert again == shown[:2]  # nbval compares


@pytest.mark.parametrize("name", SCENES)
def test_scenes_survive_json(name):
    make, settings, _ = SCENES[name]
    scene = json.loads(json.dumps(make(**settings).views[0].widget.scene, allow_nan=False))
    assert scene["grids"] and scene["links"] and (scene["twins"] or "matrix" not in name)


@pytest.mark.parametrize(
    ("make", "painters"),
    [
        (explore.interpolation, ["scene"]),
        (explore.matrix, ["scene"]),
        (explore.pooling, ["scene"]),
        (explore.transposed, ["scene"]),
        # without Python no knot can be moved
        (explore.elastic, []),
        (explore.threshold, []),
    ],
)
def test_an_explorer_of_grids_brings_its_scene_along(make, painters):
    explorer = make()
    _, metadata = explorer._repr_mimebundle_()
    scenes = metadata.get("unet_edu", {}).get("scenes", [])
    assert [scene["painter"] for scene in scenes] == painters
    for scene in scenes:
        assert (Path(explore.__file__).parent / f"{scene['painter']}.js").exists()
        shown, kept = json.loads(json.dumps(explorer.views[0].widget.scene)), json.loads(scene["scene"])
        assert kept.keys() == shown.keys() and kept.get("links") == shown.get("links")
        assert "size" not in kept or kept["size"] == pytest.approx(shown["size"], rel=1e-5)
