"""What is said of networks that are wrong inside; networks that are right in other styles are left alone."""

import pytest
import torch
from torch import nn

from tests.checks.answers.s06_unet import RIGHT
from tests.checks.judging import cases_of
from unet_edu.checks import attempt
from unet_edu.checks.inside import inside_cases, inside_the_network
from unet_edu.checks.seen import Question, Seen
from unet_edu.lessons import EXERCISES
from unet_edu.lessons.s06_unet import _cat, _middle, _repaired, _rows, _wired

torch.set_num_threads(1)


def found(f, name):
    exercise = EXERCISES[name]
    cases = inside_cases(exercise, cases_of(name, 0))
    questions = [Question(case, attempt(f, case), attempt(exercise.reference, case).value) for case in cases]
    return inside_the_network(Seen(exercise, tuple(questions)))


class Strided(nn.Module):
    def __init__(self, n, m):
        super().__init__()
        self.layers = nn.Sequential(nn.Conv2d(n, m, 3, stride=2), nn.ReLU(), nn.Conv2d(m, m, 3), nn.ReLU())

    def forward(self, x):
        return self.layers(x)


@pytest.mark.parametrize(
    ("name", "f", "layer", "words"),
    [
        ("double_conv", _rows("CCR"), "computed", "Your second convolution is given has negative numbers".lower()),
        ("double_conv", _rows("CRC"), "computed", "your network answers has negative numbers"),
        ("double_conv", _rows("RCRC"), "computed", "your first convolution is given has gone through a ReLU"),
        ("double_conv", _rows("C6C6"), "computed", "a ReLU6"),
        ("double_conv", _rows("CRCR", padding=1), "place", "Your first convolution makes 9 rows of 9"),
        ("double_conv", _rows("CRCR", kernel=5), "place", "kernels of 5×5"),
        ("double_conv", _rows("CRCR", bias=False), "place", "Your first convolution has no bias"),
        ("double_conv", _rows("CR"), "place", "yours are 1, fewer than ours"),
        ("double_conv", Strided, "computed", "moves in steps of 2"),
        ("repair_unet", _repaired("softmax"), "computed", "has gone through a softmax"),
        ("repair_unet", _repaired(end=torch.sigmoid), "computed", "has gone through a sigmoid"),
        ("repair_unet", _repaired(end=torch.relu), "computed", "your network answers has gone through a ReLU"),
        ("repair_unet", _repaired("own features"), "reach", "copies in the first block does not reach"),
        ("repair_unet", _repaired(join=lambda copy, x, level: _cat(x, copy)), "computed", "in another order"),
        ("repair_unet", _repaired(join=lambda copy, x, level: _cat(copy.detach(), x)), "reach", "no gradient"),
        ("repair_unet", _repaired(pool=lambda x: nn.functional.avg_pool2d(x, 2)), "computed", "the mean of each 2×2"),
        ("repair_unet", _repaired(upsample="bilinear"), "place", "in ours another kind is there"),
        ("repair_unet", _repaired(skip="none"), "reach", "does not reach"),
        ("repair_unet", _repaired(depth=1), "place", "Ours is built otherwise"),
        (
            "unet",
            _wired(join=lambda copy, x, level: _cat(copy[..., : x.shape[-2], : x.shape[-1]], x)),
            "computed",
            "begins in row 0 and column 0",
        ),
        ("unet", _wired(join=lambda copy, x, level: _cat(_middle(copy, x).flip(1), x)), "place", "12th convolution"),
        ("repair_unet", _repaired(skip="add"), "computed", "from two convolutions at once"),
        ("unet", _wired(join=lambda copy, x, level: _cat(x if level == 1 else _middle(copy, x), x)), "reach", "reach"),
    ],
)
def test_what_differs_inside_is_said(name, f, layer, words):
    diagnosis = found(f, name)
    assert diagnosis and words in diagnosis.sees, diagnosis and diagnosis.sees
    assert diagnosis.layer == layer and diagnosis.asks.endswith("?")


@pytest.mark.parametrize(
    ("name", "f"), [(name, f) for name in ("double_conv", "unet", "repair_unet") for f in RIGHT[name]]
)
def test_right_networks_in_other_styles_are_alike_inside(name, f):
    assert found(f, name) is None
