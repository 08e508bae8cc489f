"""PyTorch for the tests of what does without it: where it is not installed, comparisons with it are skipped."""

from __future__ import annotations

from typing import Any

import pytest


class OrSkip:
    """A module that is loaded by the test that first asks something of it, or skips that test."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, attribute: str) -> Any:
        if attribute.startswith("_"):  # pytest looks at each name of a file of tests, and must not skip all of it
            raise AttributeError(attribute)
        return getattr(pytest.importorskip(self._name), attribute)


torch, F = OrSkip("torch"), OrSkip("torch.nn.functional")
