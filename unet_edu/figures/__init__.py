"""The course's pictures: each a pure function from data to a matplotlib figure."""

from pkgutil import iter_modules

import lazy_loader

# One picture does not load the modules of all others.
__getattr__, __dir__, _ = lazy_loader.attach(
    __name__, [module.name for module in iter_modules(__path__)], {"here": ["you_are_here"]}
)
