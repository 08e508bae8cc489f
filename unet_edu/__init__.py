"""unet-edu: learn U-Net by building it."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if sys.version_info < (3, 11):  # noqa: UP036 - said here, before a line that an older Python cannot read
    raise ImportError(
        f"unet-edu needs Python 3.11 or later, and {sys.executable} is {sys.version_info[0]}.{sys.version_info[1]}: "
        "install a newer one (python.org, or `conda create -n unet-edu python=3.12`), and the course with it.",
        name=__name__,
    )

from pkgutil import iter_modules

import lazy_loader

if TYPE_CHECKING:
    from unet_edu.checks import check
    from unet_edu.checks.guess import guess
    from unet_edu.checks.progress import progress
    from unet_edu.checks.quiz import quiz

__all__ = ["check", "guess", "progress", "quiz"]
__version__ = "0.2.0.dev0"

# All is loaded when it is first asked for, so that `import unet_edu` stays instant.
__getattr__, __dir__, _ = lazy_loader.attach(
    __name__,
    [module.name for module in iter_modules(__path__) if not module.name.startswith("_")],
    {"checks": ["check"], "checks.guess": ["guess"], "checks.progress": ["progress"], "checks.quiz": ["quiz"]},
)
