"""Nothing is sent to a browser or asked from it."""

from typing import Any


def upload(*args: Any, **kwargs: Any) -> dict[str, bytes]:
    """As if the reader had chosen no file."""
    return {}


def download(*args: Any, **kwargs: Any) -> None:
    """There is no browser."""
