"""What the pictures of lesson 09 show is true: which cells are marked as found, and where the runs stand."""

import numpy as np
import pytest
from matplotlib.colors import to_rgb

from tests.library.drawings import expect_legible_on_white_whole_and_not_too_wide, expect_the_same_twice, texts
from unet_edu.data import measured as results
from unet_edu.data.measured import Measured, measured, samples
from unet_edu.figures import results as drawn
from unet_edu.figures.palette import ROLES
from unet_edu.figures.results import ZOOM, found_cells, over_cells, scored_cells, spread

TRUTH = np.zeros((14, 20), int)
TRUTH[1:6, 1:6], TRUTH[1:6, 8:13], TRUTH[8:13, 1:6] = 3, 7, 9
FOUND = TRUTH.copy()
FOUND[TRUTH == 7] = 0
FOUND[8:11, 1:6] = 0  # 10 of 25 pixels are left of the third


def test_found_means_an_iou_above_one_half():
    assert found_cells(FOUND, TRUTH).tolist() == [True, False, False]
    assert found_cells(TRUTH, TRUTH).tolist() == [True] * 3
    half = np.where(TRUTH == 3, TRUTH, 0)
    half[1:6, 6:11] = 3  # the cell, and as much again: exactly one half
    assert found_cells(half, TRUTH).tolist() == [False] * 3


def test_cells_have_the_colour_of_their_verdict():
    picture = over_cells(np.full(TRUTH.shape, 0.5), FOUND, TRUTH)
    assert picture.shape == (14 * ZOOM, 20 * ZOOM, 3) and 0 <= picture.min() and picture.max() <= 1

    def inside(cell, role):
        """The share of this role's colour in the middle of the cell, where there is no outline."""
        row, column = np.argwhere(TRUTH == cell)[0]
        part = picture[ZOOM * (row + 1) : ZOOM * (row + 2), ZOOM * (column + 1) : ZOOM * (column + 4)].reshape(-1, 3)
        return np.mean(np.abs(part - (0.25 + 0.5 * np.array(to_rgb(ROLES[role].line)))).max(axis=1) < 1e-9)

    assert inside(3, "output") == 1 and inside(3, "error") == 0
    assert inside(7, "output") == 0 and 0.5 < inside(7, "error") < 1  # the rest is white stripes
    np.testing.assert_array_equal(picture[-1, -1], 0.5)  # where there is nothing, the image is seen


def test_outlines_of_the_prediction_are_white():
    picture = over_cells(np.zeros(TRUTH.shape), np.where(TRUTH == 3, 1, 0), TRUTH * 0)
    edge = np.zeros((5 * ZOOM, 5 * ZOOM), bool)
    edge[[0, -1]] = edge[:, [0, -1]] = True
    np.testing.assert_array_equal(picture[ZOOM : 6 * ZOOM, ZOOM : 6 * ZOOM, 0] == 1, edge)
    assert picture.sum() == 3 * edge.sum()


def test_panels_and_legend():
    figure = scored_cells(*[("one\ntwo", np.zeros(TRUTH.shape), FOUND, TRUTH)] * 3)
    assert len(figure.axes) == 4
    legend = figure.axes[-1].get_legend()
    assert [text.get_text() for text in legend.get_texts()] == [
        "found: IoU above 0.5",
        "not found",
        "white outline: predicted",
    ]


def test_dots_lines_and_bars():
    groups = {"whole": [0.8, 0.9], "less": [0.4, 0.5, 0.6], "once": [0.7]}
    figure = spread(groups | {"paper": [0.77]}, "SEG", reference="whole", others=["paper"])
    axes = figure.axes[0]
    dots = [line for line in axes.lines if line.get_marker() == "o"]
    assert [list(line.get_xdata()) for line in dots] == list(groups.values())
    means = [line.get_xdata()[0] for line in axes.lines if line.get_linewidth() == 2]
    np.testing.assert_allclose(means, [0.85, 0.5, 0.7])
    bars = [tuple(line.get_xdata()) for line in axes.lines if line.get_linewidth() == 5]
    np.testing.assert_allclose(bars[1], (0.4, 0.6))  # the standard deviation of 0.4, 0.5, 0.6 with n − 1 is 0.1
    assert [text.get_text() for text in axes.get_yticklabels()] == [*groups, "paper"]
    # what comes from another test stands on its own row, and is a mark of another form
    (other,) = [line for line in axes.lines if line.get_marker() == "D"]
    assert (list(other.get_xdata()), list(other.get_ydata())) == ([0.77], [3]) and len(axes.lines) == 3 * 3 + 1
    assert "another test" in axes.get_legend().get_texts()[0].get_text()


def test_results_are_read_by_name_and_asked_by_field(tmp_path, monkeypatch):
    monkeypatch.setattr(results, "FOLDER", tmp_path)
    records = (
        '[{"variant": "full", "seed": 0, "scores": {"seg": 0.5}}, {"variant": "add", "seed": 0, "scores": {"seg": 1}}]'
    )
    (tmp_path / "some.json").write_text(f'{{"header": {{"date": "today"}}, "records": {records}}}')
    found = measured("some")
    assert found.header == {"date": "today"}
    assert found.scores("seg", variant="full") == [0.5] and found.scores("seg") == [0.5, 1.0]
    assert found.scores("iou") == found.scores("seg", variant="none") == []
    assert [len(runs) for runs in found.repeated()] == [1, 1] and found.repeated(variant="none") == []
    twice = Measured({}, [dict(found.records[0], seed=seed, commit=commit) for commit in "ab" for seed in (0, 1)])
    assert [[run["seed"] for run in runs] for runs in twice.repeated(variant="full")] == [[0, 1], [0, 1]]
    with pytest.raises(
        FileNotFoundError, match=r"no results of this name \(there are: some\); python benchmarks/other\.py"
    ):
        measured("other")


def test_pictures_of_results(tmp_path, monkeypatch):
    monkeypatch.setattr(results, "FOLDER", tmp_path)
    assert samples("some") == {}
    grey = np.array([[[0, 255], [51, 102]]], np.uint8)
    np.savez_compressed(tmp_path / "some.npz", images=grey, truth=grey // 51, **{"no skips": grey // 255})
    found = samples("some")
    np.testing.assert_allclose(found["images"], [[[0, 1], [0.2, 0.4]]], rtol=1e-6)
    assert found["images"].dtype == np.float32 and found["truth"].dtype == found["no skips"].dtype == np.int32


@pytest.mark.parametrize("name", ["real_data", "ablations"])
def test_what_comes_with_the_package_says_when_where_and_how(name):
    found = measured(name)
    assert isinstance(found, Measured) and {"date", "hardware", "command", "torch"} <= found.header.keys()
    assert found.records
    for record in found.records:
        assert {"variant", "seed", "scores", "steps"} <= record.keys() and record["scores"]
        for score, value in record["scores"].items():
            assert np.isfinite(value), (record["variant"], score)
            assert score.startswith(("cells", "found")) or 0 <= value <= 1


WALL = np.ones((5, 7), int)
WALL[:, 3] = 0
GAP = WALL.copy()
GAP[2, 3] = 1
FILM = [(np.full((8, 9), 0.1 * step), np.full((8, 9), step)) for step in range(3)]
RUNS = {"one": [0.7, 0.8, 0.75], "two": [0.4], "elsewhere": [0.9]}
DRAWINGS = {
    "marked": lambda: drawn.marked(("noise", np.full(TRUTH.shape, 1.2), FOUND, TRUTH), ("b", TRUTH / 9, TRUTH, TRUTH)),
    "mistakes": lambda: drawn.mistakes(
        np.eye(4, dtype=int), {"none": np.zeros((4, 4), int), "two": 2 * np.eye(4, dtype=int)}
    ),
    "mistakes scored": lambda: drawn.mistakes_scored({"one": {"IoU": 0.5, "SEG": 0}, "two": {"IoU": 1, "SEG": 0.25}}),
    "walls": lambda: drawn.walls(WALL, {"gap": GAP, "none": WALL, "all": 1 - WALL}),
    "bent": lambda: drawn.bent(WALL, ("towards gap", GAP, GAP != WALL)),
    "ranks": lambda: drawn.ranks({"A": (0.1, 0.3), "B": (0.2, 0.1), "C": (0.3, 0.2)}, ("first error", "second error")),
    "frames of films": lambda: drawn.frames_of_films([FILM, FILM], (0, 1), (0, 2)),
    "scored runs": lambda: drawn.scored_runs(RUNS, {"one": 0.85}, ["elsewhere"]),
    "runs without others": lambda: drawn.scored_runs({"one": [0.5, 0.6]}, {}, []),
    "thresholds": lambda: drawn.thresholds([0.2, 0.5, 0.8], [0.9, 0.8, 0.7], [0.2, 0.8, 0.6]),
    "training curve": lambda: drawn.training_curve([{"step": n, "loss": 1 / n, "seg": n / 9} for n in (1, 4, 8)]),
}


@pytest.mark.parametrize("name", DRAWINGS)
def test_same_data_same_picture(name):
    expect_the_same_twice(lambda: DRAWINGS[name]().figure)


@pytest.mark.parametrize("name", DRAWINGS)
def test_legible_on_white_whole_and_not_too_wide(name):
    expect_legible_on_white_whole_and_not_too_wide(DRAWINGS[name]().figure)


def test_words_say_how_many_cells_were_found():
    assert "noise: 1 of 3 cells are marked as found; b: 3 of 3" in DRAWINGS["marked"]().words


def test_places_are_counted_from_the_smallest_error():
    shown = DRAWINGS["ranks"]()
    assert shown.values["places"].tolist() == [[1, 3], [2, 1], [3, 2]]
    assert "by first error: A, B, C; by second error: B, C, A" in shown.words


def test_an_aim_is_marked_in_its_row_and_another_test_is_told_apart():
    figure = DRAWINGS["scored runs"]().figure
    lines = [line for line in figure.axes[0].lines if list(line.get_xdata()) == [0.85, 0.85]]
    assert len(lines) == 1 and np.mean(lines[0].get_ydata()) == 0
    said = [text.get_text() for text in texts(figure)]
    assert "aim" in said and "another test, not to be compared with the dots" in said
