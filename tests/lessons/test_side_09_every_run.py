"""What the side road claims of the runs on real films."""

import numpy as np
import pytest

from tests.lessons.claims import claim
from unet_edu.data.measured import measured

real = measured("real_data")
PLAIN = ", not averaged, threshold 0.5, not grown"


@claim("rows since December 2026 carry their own date and machine.")
@claim("then with the plain threshold of 0.5 (older rows) or with one threshold in place of two")
def test_the_rows(lesson):
    for run in real.records:
        if "commit" in run:
            assert run["date"] >= "2026-12" and "hardware" in run
        assert ("one threshold" in run["variant"]) <= ("commit" in run)
        assert ("not grown" in run["variant"]) <= ("commit" not in run)
    for run in real.records:  # each setting is printed
        assert f"  {run['variant']}: {run['steps']} steps" in lesson.printed


@claim("`seg_gold` the 16 cells that people drew there: too few to decide anything.")
@claim("**Compare these two numbers.**")
def test_found_and_cells():
    films = [run for run in real.records if run["experiment"] == "dic"]
    assert {run["scores"]["cells_gold"] for run in films} == {16}
    assert all(run["scores"]["found"] != run["scores"]["cells"] for run in films)


@claim("On both directions of PhC-U373 one is better", "On the other sets two are better.")
@pytest.mark.parametrize("name", ["dic", "phc", "phc-back", "dsb"])
def test_one_threshold_or_two(name):
    two, one = (
        np.mean(real.scores("seg", experiment=name, variant=f"full, not averaged{way}", steps=2000))
        for way in ("", ", one threshold of 0.5")
    )
    assert (one > two) == name.startswith("phc")


@claim("After 1500 steps the map is worth much at the plain threshold, and less in the whole method:")
@claim("with balanced classes; the paper's has 10 and 5.", "So this comparison is not fair to it.")
def test_the_weight_map(lesson):
    worth = {
        way: real.scores("seg", experiment="dic", variant=f"full{way}", steps=1500)[0]
        - real.scores("seg", experiment="dic", variant=f"no weight map{way}", steps=1500)[0]
        for way in (PLAIN, "")
    }
    assert worth[PLAIN] > worth[""] + 0.03 and worth[PLAIN] > 0.05
    assert "+0.14 SEG  not averaged" in lesson.printed and "+0.04 SEG  the whole method" in lesson.printed


@claim("How the network of `dic` got there in 1500 steps, on three of the scored frames.")
def test_the_curve(lesson):
    curve = lesson.run["curve"]
    assert curve[-1]["step"] == 1500 and lesson.run["scores"]["seg"] == 0.8322
    assert curve[0]["seg"] < curve[-1]["seg"] and curve[-1]["loss"] < curve[0]["loss"]
    assert abs(curve[-1]["seg"] - curve[-2]["seg"]) < 0.03


@claim("Rand and warping error are those of the best of nine thresholds; the challenge took the best of ten.")
def test_membranes(lesson):
    paper, *ours, otsu = lesson.rows.values()
    assert all(low < here < 0.5 * high for row in ours for low, here, high in zip(paper, row, otsu, strict=True))
