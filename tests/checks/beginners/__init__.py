"""Wrong answers as beginners write them, by people who did not know which mistakes the checks know."""

import importlib
import pkgutil
from collections.abc import Callable

WRONG: list[tuple[str, str, Callable]] = []  # the exercise, the mistake in a few words, the function


def wrong(exercise, mistake):
    """Put the function below into the list, as a wrong answer to this exercise."""

    def add(function):
        WRONG.append((exercise, mistake, function))
        return function

    return add


def everyone():
    """All wrong answers: the modules s01, s02, … put theirs into the list when they are imported."""
    for module in pkgutil.iter_modules(__path__, prefix=__name__ + "."):
        if module.name.rpartition(".")[2].startswith("s0"):
            importlib.import_module(module.name)
    return WRONG
