"""unet-edu: learn U-Net by building it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from unet_edu.checks import check
    from unet_edu.checks.quiz import quiz

__all__ = ["check", "quiz"]
__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    """Load `check` and `quiz` when they are first asked for, so that `import unet_edu` stays instant."""
    if name == "check":
        from unet_edu.checks import check

        return check
    if name == "quiz":
        from unet_edu.checks.quiz import quiz

        return quiz
    raise AttributeError(f"module 'unet_edu' has no attribute {name!r}")
