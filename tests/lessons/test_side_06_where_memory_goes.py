"""What the side road claims of the memory that a U-Net takes while it learns."""

from itertools import pairwise

from tests.lessons.claims import claim


@claim("One grey image of 572×572 in float32 has 1.3 MB. How many MB are kept for the whole network?")
def test_how_much_is_kept(lesson):
    assert round(4 * 572**2 / 1e6, 1) == 1.3 and round(lesson.everything) == 734


@claim("A small image shows that both say the same.")
def test_without_numbers_it_is_the_same_bookkeeping(lesson):
    assert lesson.little[0] == lesson.little[1] > 0


@claim("To add up the maps is a good estimate. That it is so close is partly chance.")
@claim("The table does not count the indices.")
@claim("Five terms lead from one sum to the other")
def test_five_terms(lesson):
    assert 0.9 < lesson.everything / lesson.in_table < 1.1
    assert abs(lesson.by_terms - lesson.everything) < 0.1


@claim("Half of it sits at level 0, which has less than 1 % of the parameters.")
@claim("The bottom has 46 % of the parameters, and 1 % of the memory.")
def test_where_it_sits(lesson):
    sums = [sum(parts.values()) for parts in lesson.levels.values()]
    assert abs(sum(sums) + lesson.table["head"].activation_bytes / 1e6 - lesson.in_table) < 1e-6
    assert all(0.5 < below / above < 0.6 for above, below in pairwise(sums[:4])) and sums[4] < 0.2 * sums[3]
    assert round(100 * sums[0] / lesson.in_table) in (49, 50) and round(100 * sums[4] / lesson.in_table) == 1
    counted = {name: layer.parameters for name, layer in lesson.table.items()}
    total = sum(counted.values())
    top = sum(counted[name] for name in counted if name.startswith(("contracting.0", "expanding.3", "up.3", "head")))
    bottom = sum(counted[name] for name in counted if name.startswith("contracting.4"))
    assert top / total < 0.01 and round(100 * bottom / total) == 46


@claim("The authors had a card with 6 GB")  # section 3 of the paper: "NVidia Titan GPU (6 GB)"
@claim("nearly twice as large as the output of the largest single layer")
def test_the_copies_that_wait(lesson):
    assert 1.7 < lesson.waiting / lesson.megabytes(lesson.largest) < 2


@claim("Open more and choose 32 channels on top")
@claim("The memory halves: it counts channels once. The parameters become about a quarter")
@claim("So do the multiply-adds.")
def test_half_the_channels(lesson):
    ratios = [
        sum(getattr(layer, name) for layer in lesson.half)
        / sum(getattr(layer, name) for layer in lesson.table.values())
        for name in ("activation_bytes", "parameters", "multiply_adds")
    ]
    assert abs(ratios[0] - 0.5) < 0.01 and abs(ratios[1] - 0.25) < 0.01 and abs(ratios[2] - 0.25) < 0.01
