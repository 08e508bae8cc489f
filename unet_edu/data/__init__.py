"""Pictures to learn on: photographs, drawn cells, the public benchmarks, and the networks trained on them."""

from pkgutil import iter_modules
from typing import TYPE_CHECKING

import lazy_loader

if TYPE_CHECKING:
    from unet_edu.data.networks import pretrained
    from unet_edu.data.photos import PHOTOS, photo

__all__ = ["PHOTOS", "photo", "pretrained"]

# Loaded when first asked for: who wants photographs need not wait for torch.
__getattr__, __dir__, _ = lazy_loader.attach(
    __name__,
    [module.name for module in iter_modules(__path__)],
    {"networks": ["pretrained"], "photos": ["PHOTOS", "photo"]},
)
