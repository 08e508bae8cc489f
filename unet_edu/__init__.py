"""unet-edu: learn U-Net by building it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from unet_edu.checks import check

__all__ = ["check"]
__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    """Load `check` when it is first asked for, so that `import unet_edu` stays instant."""
    if name == "check":
        from unet_edu.checks import check

        return check
    raise AttributeError(f"module 'unet_edu' has no attribute {name!r}")
