"""What the side road claims of gradients and noise in a U-Net."""

from tests.lessons.claims import claim


@claim(
    "With PyTorch's weights and without copies, next to nothing arrives at the top level, more than ten million times"
)
@claim("With He's weights, the network does without copies.")
def test_what_arrives(lesson):
    norms = {name: values[0] for name, values in lesson.norms.items()}
    assert norms["PyTorch's weights, with copies"] > 1e7 * norms["PyTorch's weights, no copies"]
    assert 0.1 < norms["He's weights, with copies"] / norms["He's weights, no copies"] < 10


@claim("With He's weights both ways carry it.")
@claim("With PyTorch's weights the top level learns over its copy, and through almost nothing else.")
@claim("With the poolings closed, the bottom gets its gradient from above, through the way up.")
@claim("With the poolings closed, each level on the left gets its gradient over its own copy.")
def test_which_way(lesson):
    over, through, by_pytorch = lesson.one_way.values()
    assert min(over) > 0.1 and min(through) > 0.1
    assert by_pytorch[0] < 1e-4 * lesson.norms["PyTorch's weights, with copies"][0]


@claim("Which of the two changes more?")
@claim("The copy has seen two convolutions. What comes from below has seen many, and was pooled.")
def test_noise_comes_across(lesson):
    assert all(1.3 < copy / below < 2.5 for copy, below in lesson.changes.values())
    assert len(lesson.changes) == 2


@claim("with the noise its SEG hardly moves")
def test_the_network_copes(lesson):
    noisy = lesson.scores(lesson.trained, lesson.with_noise)
    assert all(abs(row["seg"] - lesson.without[look]["seg"]) < 0.02 for look, row in noisy.items())
