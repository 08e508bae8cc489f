"""The examples in the docstrings are true: what they print is what comes out."""

import doctest
import importlib
import pkgutil

import pytest

import unet_edu

MODULES = [module.name for module in pkgutil.walk_packages(unet_edu.__path__, "unet_edu.")]
OPERATORS = (
    "convolution",
    "instances",
    "interpolation",
    "losses",
    "matrix",
    "metrics",
    "pooling",
    "tiling",
    "transposed",
    "unet",
)


@pytest.mark.parametrize("name", MODULES)
def test_examples(name):
    result = doctest.testmod(importlib.import_module(name))
    assert result.failed == 0
    if name.removeprefix("unet_edu.") in OPERATORS:
        assert result.attempted > 0  # an operator shows what it does
