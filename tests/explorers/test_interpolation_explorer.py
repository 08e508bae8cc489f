"""The interpolation explorer: what it says is true, for every value of every control; and in a browser."""

import itertools
import json
import re

import numpy as np
import pytest
import torch
from torch.nn.functional import interpolate as torch_interpolate

from tests.explorers.mounted import cell, lit, note, outputs, update
from unet_edu import explore
from unet_edu.explore.interpolation import (
    INPUTS,
    MOST,
    NAILS,
    RULES,
    SCALE,
    State,
    as_classes,
    board,
    edited,
    enlarged,
    interpolation,
    output,
    picture,
    scene,
    small_images,
)
from unet_edu.figures.palette import CLASSES
from unet_edu.interpolation import MODES, source_coordinates

NINE = INPUTS["nine pixels"]
SIDES = (1, 2, 3, 5, 6, 8, MOST)


def state_of(x, rows, columns, mode, corners):
    return State((mode, corners), rows, columns, x)


def states():
    """All inputs and rules, and sizes from one end of the sliders to the other."""
    for x, rule, rows, columns in itertools.product(INPUTS.values(), RULES.values(), SIDES, SIDES):
        yield State(rule, rows, columns, x)


def expected(state):
    """PyTorch's answer."""
    x = torch.tensor(state.x, dtype=torch.float64)
    if state.mode == NAILS:
        y = torch.zeros(state.rows, state.columns, dtype=torch.float64)
        y[:: state.rows // x.shape[0], :: state.columns // x.shape[1]] = x
        return y.numpy()
    corners = {} if state.mode == "nearest" else {"align_corners": state.align_corners}
    y = torch_interpolate(x[None, None], size=(state.rows, state.columns), mode=state.mode, **corners)
    return y[0, 0].numpy()


def value(text):
    return float(text.replace("−", "-"))


def test_outputs_links_and_code_are_true_for_every_setting():
    fitting = 0
    for state in states():
        shown = scene(state)
        if not state.fits:
            assert not shown.links and not shown.points and not shown.code and "no multiple of" in shown.caption
            assert shown.grid("output").text == () and not shown.can_predict
            continue
        fitting += 1
        y = expected(state)
        np.testing.assert_allclose(output(state), y, rtol=0, atol=1e-12)
        texts = np.array([value(text) for text in shown.grid("output").text])
        np.testing.assert_allclose(texts, y.ravel(), rtol=5e-3, atol=5e-4)  # cells have three digits
        by_links = np.zeros(y.size)
        for out, taken, weight, factor in shown.links:
            assert weight is None
            by_links[out - state.image.size] += value(factor.removeprefix("×")) * state.image.flat[taken]
        # up to 16 factors with two digits or more, times numbers of up to 8
        np.testing.assert_allclose(by_links, y.ravel(), rtol=0, atol=0.15)
    assert fitting > 1000, "most settings should fit"


def test_the_code_is_what_was_computed():
    run = 0
    for state in itertools.islice((s for s in states() if s.fits and s.mode != NAILS), 0, None, 7):
        x = torch.tensor(state.x, dtype=torch.float64)[None, None]
        y = eval(scene(state).code, {"F": torch.nn.functional, "x": x})
        np.testing.assert_allclose(y[0, 0].numpy(), output(state), rtol=0, atol=1e-12)
        run += 1
    assert run > 50
    state = state_of(NINE, 6, 9, NAILS, False)
    names = {"torch": torch, "x": torch.tensor(NINE)}
    exec(scene(state).code, names)  # noqa: S102, our own line
    np.testing.assert_array_equal(names["y"].numpy(), output(state))


@pytest.mark.parametrize(
    ("mode", "corners"), [("nearest", False), ("bilinear", False), ("bilinear", True), ("bicubic", True)]
)
def test_dots_are_where_the_outputs_look(mode, corners):
    state = state_of(NINE, 5, 7, mode, corners)
    shown = scene(state)
    left, top = shown.grid("input").at
    rows = source_coordinates(3, 5, mode=mode, align_corners=corners)
    columns = source_coordinates(3, 7, mode=mode, align_corners=corners)
    assert len(shown.points) == 35
    for out, x, y in shown.points:
        i, j = divmod(out - shown.first["output"], 7)
        middle = 0 if mode == "nearest" else 0.5
        assert (x, y) == pytest.approx((left + columns[j] + middle, top + rows[i] + middle))
        if mode == "nearest":  # the dot is in the pixel that is copied
            (taken,) = (link.input for link in shown.links if link.output == out)
            assert divmod(taken, 3) == (int(y - top), int(x - left))


def test_nails_have_no_dots():
    assert scene(state_of(NINE, 6, 6, NAILS, False)).points == ()


def test_notes_fill_in_the_source_coordinate():
    def note(mode, corners, place, rows=6, columns=6):
        return scene(state_of(NINE, rows, columns, mode, corners)).grid("output").notes[place]

    assert note("bilinear", False, 1) == (
        "y[0, 1] looks at row (0 + 0.5)·3/6 − 0.5 = −0.25, column (1 + 0.5)·3/6 − 0.5 = 0.25: 0.75·4 + 0.25·5"
    )
    assert note("bilinear", False, 7).endswith(": 0.5625·4 + 0.1875·5 + 0.1875·1 + 0.0625·8")
    assert note("bilinear", True, 1, 5, 5) == "y[0, 1] looks at row 0·2/4 = 0, column 1·2/4 = 0.5: 0.5·4 + 0.5·5"
    assert note("bilinear", True, 0, 1, 1) == "y[0, 0] looks at row 0, column 0: 1·4"
    assert note("nearest", False, 4, 5, 5) == "y[0, 4] looks at row ⌊0·3/5⌋ = 0, column ⌊4·3/5⌋ = 2: 1·8"
    assert note("bicubic", False, 14).endswith(": 9 pixels, weights from −0.093 to 0.7725, together 1; the sum")
    assert note(NAILS, False, 0) == "y[0, 0], a nail: 1·4"
    assert note(NAILS, False, 1) == "y[0, 1], between the nails,"


def test_source_coordinates_in_notes_are_true():
    """Whatever stands left of the equals sign is computed again, here by Python."""
    checked = 0
    for state in itertools.islice((s for s in states() if s.fits and s.mode != NAILS), 0, None, 11):
        for sentence in scene(state).grid("output").notes[:: max(1, state.rows)]:
            for formula, result in re.findall(r"(?:row|column) ([^,:=]+) = (−?[\d.]+)", sentence):
                plain = formula.replace("·", "*").replace("−", "-").replace("⌊", "int(").replace("⌋", ")")
                assert eval(plain) == pytest.approx(value(result), rel=5e-3, abs=1e-9)
                checked += 1
    assert checked > 100


def test_inputs_tell_the_adjoint():
    notes = scene(state_of(NINE, 6, 6, "nearest", False)).grid("input").notes
    assert notes[0] == "x[0, 0] = 4 goes into 4 outputs, times 1; together 4"
    notes = scene(state_of(NINE, 6, 6, "bilinear", False)).grid("input").notes
    assert notes[4] == "x[1, 1] = 8 goes into 16 outputs, with weights from 0.0625 to 0.5625; together 4"
    notes = scene(state_of(NINE, 1, 1, "nearest", False)).grid("input").notes
    assert notes[8] == "x[2, 2] = 6 goes into no output: it is lost"
    for state in itertools.islice((s for s in states() if s.fits), 0, None, 13):
        shown = scene(state)
        for place, sentence in enumerate(shown.grid("input").notes):
            count = sum(link.input == place for link in shown.links)
            assert f"goes into {count or 'no'} output{'' if count < 2 else 's'}" in sentence


def test_captions_count_the_new_numbers():
    mask = INPUTS["a mask of classes 0 and 2"]
    assert "Of 64 outputs, 0 hold a number" in scene(state_of(mask, 8, 8, "nearest", False)).caption
    y = output(state_of(mask, 8, 8, "bilinear", False))
    new = int((~np.isin(y, [0, 2])).sum())
    assert new > 0 and f"Of 64 outputs, {new} hold a number" in scene(state_of(mask, 8, 8, "bilinear", False)).caption


@pytest.mark.parametrize(("mode", "corners"), [rule for rule in RULES.values() if rule[0] != NAILS])
def test_photograph_and_mask_are_enlarged_by_the_same_rule(mode, corners):
    state = state_of(NINE, 6, 6, mode, corners)
    for image in small_images():
        x = torch.tensor(image, dtype=torch.float64)[None, None]
        y = torch_interpolate(x, scale_factor=SCALE, mode=mode, align_corners=None if mode == "nearest" else corners)[
            0, 0
        ]
        np.testing.assert_allclose(enlarged(state, image), y.numpy(), rtol=0, atol=1e-12)


def test_classes_that_never_existed_are_counted():
    _, mask = small_images()
    assert np.unique(mask).tolist() == [0, 2]
    found = {}
    for mode in (*MODES, NAILS):
        state = state_of(NINE, 6, 6, mode, False)
        classes = as_classes(enlarged(state, mask))
        found[mode] = set(np.unique(classes).tolist())
        html = board(state)[0][3].html()
        for real in found[mode] & {0, 2}:
            assert f"class {real}: {100 * np.mean(classes == real):.1f} %" in html
        for unreal in found[mode] - {0, 2}:
            assert f"class {unreal}, which was never there: {(classes == unreal).sum()} pixels" in html
            assert f"class {unreal}, which was never there: {(classes == unreal).sum()} pixels" in picture(state).alt
        assert 0 <= classes.min() and classes.max() < len(CLASSES)
    assert found == {"nearest": {0, 2}, "bilinear": {0, 1, 2}, "bicubic": {0, 1, 2, 3}, NAILS: {0, 2}}


def test_the_explorer_follows_its_controls_and_edits():
    explorer = explore.interpolation()
    grid = explorer.views[0].widget
    seen = set()
    for name, menu in (("rule", RULES.values()), ("x", INPUTS.values())):
        for choice in menu:
            explorer.controls[name].value = choice
            assert getattr(explorer.state, name) == choice
            assert grid.scene == scene(explorer.state).data()
            assert [view.widget.value for view in explorer.views[1:]] == [
                part.html() for part in board(explorer.state)[0]
            ]
            seen.add(explorer.views[2].widget.value)
    assert len(seen) == len(RULES)
    for name in ("rows", "columns"):
        for side in range(1, MOST + 1):
            explorer.controls[name].value = side
            assert grid.scene == scene(explorer.state).data()
    explorer.update(x=NINE)
    grid.edit = {"cell": 4, "value": -2.5, "edits": 1}
    assert explorer.state.x == ((4, 5, 8), (1, -2.5, 8), (3, 6, 6))
    assert explorer.controls["x"].label == "your own"
    assert edited(explorer.state, cell=0, value=1.0)["x"][0][0] == 1
    wide = state_of(((1.0, 2.0, 3.0), (4.0, 5.0, 6.0)), 2, 3, "nearest", False)
    assert edited(wide, cell=4, value=0.0) == {"x": ((1, 2, 3), (4, 0, 6))}


def test_negative_numbers_stand_in_parentheses():
    shown = scene(explore.interpolation([[1, -2]], (1, 4)).state)
    assert shown.grid("output").notes[1].endswith(": 0.75·1 + 0.25·(−2)")
    assert all(
        "(−0." in note for note in scene(state_of(((0.0, 1.0),), 1, 4, "bicubic", False)).grid("output").notes[:1]
    )


@pytest.mark.parametrize("state", [state_of(NINE, 6, 6, "bilinear", False), state_of(NINE, 7, 6, NAILS, False)])
def test_picture_words_and_numbers(state):
    still = picture(state)
    assert still.alt.startswith(scene(state).alt) and any(letter.isdigit() for letter in still.digest)
    coins, mask = small_images()
    images = [axes.images[0].get_array() for axes in still.figure.axes[1:]]
    np.testing.assert_array_equal(images[0], coins)
    np.testing.assert_array_equal(images[1], enlarged(state, coins))
    assert len(images) == 4
    assert explore.digest(as_classes(enlarged(state, mask))) in still.digest
    if state.fits:
        assert f"output: {explore.digest(output(state))}" in still.digest
        assert "The first output: y[0, 0] looks at row (0 + 0.5)·3/6 − 0.5 = −0.25" in still.alt


def test_scenes_survive_json():
    for state in (state_of(NINE, 12, 12, "bicubic", True), state_of(NINE, 7, 5, NAILS, False)):
        assert json.loads(json.dumps(scene(state).data(), allow_nan=False))["grids"]


@pytest.mark.needs("chromium")
def test_in_a_browser(mount):
    """Point at outputs and inputs; move the sliders; go to a scene without output and back."""
    page = mount(interpolation())
    cell(page, "output", 1, 2).hover()
    assert note(page).endswith("0.1875·4 + 0.5625·5 + 0.0625·1 + 0.1875·8 = 5.12")
    assert cell(page, "input", 0, 1).locator(".corner").text_content() == "×0.5625"
    assert page.locator(".point.lit").count() == 1
    cell(page, "input", 1, 1).hover()
    assert len(lit(page, "output")) == 16
    assert note(page).startswith("x[1, 1] = 8 goes into 16 outputs")
    page.mouse.move(*(side - 5 for side in page.viewport_size.values()))  # where it points at nothing
    page.get_by_label("output row").fill("5")
    assert note(page).startswith("y[5, 2] looks at")
    update(page, scene(state_of(NINE, 7, 6, NAILS, False)))
    assert "no multiple of" in page.locator(".caption").text_content()
    assert outputs(page) == []
    update(page, interpolation())
    assert len(outputs(page)) == 36
