"""The threshold explorer without a browser: what it shows is true, for every value of every control; then once in a
browser."""

import re

import numpy as np
import pytest

from tests.explorers.boards import pictures
from tests.explorers.boards import shown as views
from unet_edu import explore
from unet_edu.data.masks import MASKED, UNKNOWN, photo_and_mask
from unet_edu.explore import digest
from unet_edu.explore.threshold import STEPS, WIDEST, State, picture, predicted, scores, sweep, tables
from unet_edu.figures.palette import PAPER
from unet_edu.figures.segmentation import agreement, kinds
from unet_edu.metrics import confusion_matrix

STATES = [(photo, darker) for photo in MASKED for darker in (False, True)]


def counted(state: State) -> tuple[int, int, int, int]:
    """TP, FP, FN, TN by looking at the pixels."""
    image, mask = photo_and_mask(state.photo)
    marked = image < state.threshold if state.darker else image > state.threshold
    return tuple(
        int(np.sum(marked_as & (mask == truth)))
        for marked_as, truth in ((marked, 1), (marked, 0), (~marked, 1), (~marked, 0))
    )


@pytest.mark.parametrize(("photo", "darker"), STATES)
def test_counts_and_curves_are_true_at_every_threshold(photo, darker):
    curves = sweep(photo, darker)
    assert {len(values) for values in curves.values()} == {STEPS + 1}
    for step in range(STEPS + 1):
        state = State(step / STEPS, darker, photo)
        TP, FP, FN, TN = counted(state)
        found = scores(state)
        assert found[:4] == (TP, FP, FN, TN)
        # quotients of the same whole numbers: equal but for rounding
        assert found.iou == pytest.approx(TP / (TP + FP + FN), abs=1e-12) == curves["IoU"][step]
        assert found.dice == pytest.approx(2 * TP / (2 * TP + FP + FN), abs=1e-12) == curves["Dice"][step]
        assert found.accuracy == pytest.approx((TP + TN) / (TP + FP + FN + TN), abs=1e-12) == curves["accuracy"][step]
        assert found.recall == pytest.approx(TP / (TP + FN), abs=1e-12)
        assert (
            np.isnan(found.precision) if TP + FP == 0 else found.precision == pytest.approx(TP / (TP + FP), abs=1e-12)
        )


@pytest.mark.parametrize(("photo", "darker"), STATES)
def test_the_tables_are_those_of_the_lesson(photo, darker):
    _, mask = photo_and_mask(photo)
    for step in (0, 7, 42, 58, STEPS):
        marked = predicted(State(step / STEPS, darker, photo))
        expected = confusion_matrix(marked, mask, 2, ignore_index=UNKNOWN)
        np.testing.assert_array_equal(tables(photo, darker)[step], expected)


@pytest.mark.parametrize("photo", MASKED)
def test_unknown_pixels_are_not_counted(photo):
    _, mask = photo_and_mask(photo)
    assert sum(scores(State(0.4, False, photo))[:4]) == np.sum(mask != UNKNOWN)


def shown(explorer):
    return dict(zip(("photo", "verdict", "table", "curves"), views(explorer), strict=True))


def test_the_controls_go_through_all_values():
    explorer = explore.threshold()
    seen = set()
    for _, photo in explorer.controls["photo"].options:
        explorer.controls["photo"].value = photo
        for _, darker in explorer.controls["darker"].options:
            explorer.controls["darker"].value = darker
            for step in range(0, STEPS + 1, 10):
                explorer.controls["threshold"].value = step / STEPS
                assert explorer.state == State(step / STEPS, darker, photo)
                views = shown(explorer)
                side = f"{'darker' if darker else 'brighter'} than {step / STEPS:.2f}"
                assert side in views["verdict"] and MASKED[photo] in views["photo"]
                assert "nan" not in views["table"] + views["curves"]
                seen.add((views["table"], views["curves"]))
    assert len(seen) > 0.8 * len(STATES) * 11  # at the ends of the slider all or nothing is marked, several times over


@pytest.mark.parametrize(("photo", "darker"), STATES)
def test_the_table_says_what_was_counted(photo, darker):
    views = shown(explore.threshold(photo, 0.45, darker=darker))
    TP, FP, FN, TN = counted(State(0.45, darker, photo))
    cells = re.findall("<t[hd][^>]*>([^<]*)</t[hd]>", views["table"])
    assert cells[:8] == ["TP", "FP", "FN", "TN", *(f"{count:,}" for count in (TP, FP, FN, TN))]
    ratios = {"precision": (TP, TP + FP), "recall": (TP, TP + FN), "IoU": (TP, TP + FP + FN)}
    ratios |= {"Dice": (2 * TP, 2 * TP + FP + FN), "accuracy": (TP + TN, TP + FP + FN + TN)}
    for name, (part, whole) in ratios.items():
        row = re.search(rf"<td[^>]*>{name} = .*?</tr>", views["table"])[0]
        assert f">{part:,} / {whole:,}</td>" in row and f"<b>{part / whole:.3f}</b>" in row
    assert f"{TP:,} pixels rightly, {FP:,} wrongly, and {FN:,} are missed" in views["verdict"]
    assert f"IoU {TP / (TP + FP + FN):.3f}" in views["curves"]


def test_where_nothing_is_marked_the_precision_stays_open():
    views = shown(explore.threshold("coins", 1.0))
    assert re.search(r"precision = TP / \(TP \+ FP\)</td><td [^>]*>0 / 0</td><td [^>]*><b>0 / 0</b>", views["table"])
    assert re.search(r"IoU = [^<]*</td><td [^>]*>0 / [\d,]+</td><td [^>]*><b>0\.000</b>", views["table"])


@pytest.mark.parametrize("photo", MASKED)
def test_the_picture_that_travels_is_a_sample_of_the_truth(photo):
    image, mask = photo_and_mask(photo)
    views = shown(explore.threshold(photo, 0.5))
    drawn, state = pictures(views["verdict"])[0], State(0.5, False, photo)
    assert drawn.shape[1] <= WIDEST
    step = -(-image.shape[1] // WIDEST)
    some = (slice(None, None, step),) * 2
    expected = agreement(image[some], predicted(state)[some], mask[some])
    assert np.abs(drawn / 255 - expected).max() < 1 / 255 + 1e-9  # bytes cut off less than one level
    np.testing.assert_allclose(pictures(views["photo"])[0] / 255, image, atol=1 / 255)


def test_the_curve_is_drawn_where_its_numbers_are():
    svg = shown(explore.threshold("coins", 0.42))["curves"]
    lines = re.findall(r'<polyline points="([^"]+)"', svg)
    assert len(lines) == 3
    for line, values in zip(lines, sweep("coins", False).values(), strict=True):
        x, y = np.array([tuple(map(float, pair.split(","))) for pair in line.split()]).T
        assert np.ptp(np.diff(x)) < 0.11  # evenly, and to a tenth of a unit
        slope, offset = np.polyfit(values, y, 1)
        # y points down; a tenth is rounded to 0.05
        assert slope < 0 and np.abs(slope * values + offset - y).max() < 0.06
    dots = [tuple(map(float, dot)) for dot in re.findall(r'<circle cx="([\d.]+)" cy="([\d.]+)"', svg)]
    for (x, y), line in zip(dots, lines, strict=True):
        assert f"{x:.1f},{y:.1f}" == line.split()[42]
    assert f"M{dots[0][0]:.1f} " in svg and len(dots) == 3  # the line of the threshold goes through the dots


def test_dashes_and_patterns_stand_beside_colours():
    views = shown(explore.threshold("motorcycle", 0.4))
    assert len(set(re.findall(r'stroke-dasharray="([^"]*)"', views["curves"]))) == 3
    assert "repeating-linear-gradient" in views["verdict"] and "radial-gradient" in views["verdict"]
    assert "</span> unknown not counted" in views["verdict"]
    assert "</span> unknown" not in shown(explore.threshold("coins", 0.4))["verdict"]
    assert f'fill="{PAPER}"' in views["curves"], "a white ground, so that a dark theme stays legible"


def test_pictures_have_words():
    for html in list(shown(explore.threshold("cell", 0.37)).values())[:2]:
        assert re.search(r'<img alt="[^"]{40,}"', html)
    curves = shown(explore.threshold("cell", 0.37))["curves"]
    best = int(np.argmax(sweep("cell", False)["IoU"]))
    words = re.search(r'role="img" aria-label="([^"]+)"', curves)[1]
    assert f"is at {best / STEPS:.2f}." in words and f"The best IoU, {sweep('cell', False)['IoU'].max():.3f}" in words


@pytest.mark.parametrize(("photo", "darker"), STATES)
def test_the_still_picture_tells_the_same(photo, darker):
    state = State(0.45, darker, photo)
    image, mask = photo_and_mask(photo)
    still, found = picture(state), scores(state)
    assert f"TP {found.hits}, FP {found.wrong}, FN {found.missed}, TN {found.left_out}" in still.digest
    assert f"iou {found.iou:.3f}, dice {found.dice:.3f}" in still.digest
    assert digest(kinds(predicted(state), mask)) in still.digest
    assert f"{found.hits:,} pixels rightly" in still.alt and MASKED[photo] in still.alt
    left, right, counts, ratios, curves, key = still.figure.axes
    assert [text.get_text() for text in counts.texts[4:]] == [f"{count:,}" for count in found[:4]]
    assert f"{found.recall:.3f}" in [text.get_text() for text in ratios.texts]
    assert len(key.get_legend().get_texts()) == (4 if photo == "motorcycle" else 3)
    np.testing.assert_array_equal(left.images[0].get_array(), image)
    np.testing.assert_array_equal(right.images[0].get_array(), agreement(image, predicted(state), mask))
    lines = {line.get_label().split()[0]: line for line in curves.lines}
    for name, values in sweep(photo, darker).items():
        np.testing.assert_array_equal(lines[name].get_ydata(), values)
        assert lines[name].get_label() == f"{name} {values[45]:.3f}"
    assert [0.45, 0.45] in [list(line.get_xdata()) for line in curves.lines]
    assert len({str(lines[name].get_linestyle()) for name in sweep(photo, darker)}) >= 2


def test_a_slider_that_counts_a_little_wrong_does_no_harm():
    assert State(0.1 + 0.2, False, "coins").threshold == 0.3
