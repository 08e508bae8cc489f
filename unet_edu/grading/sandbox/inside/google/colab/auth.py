"""Nobody signs in."""

from typing import Any


def authenticate_user(*args: Any, **kwargs: Any) -> None:
    """There is no account."""
