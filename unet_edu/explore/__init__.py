"""Interactive explorers, and how a picture is shown in a notebook.

An explorer is a function of its arguments. Inside it goes one way: a state (a small dataclass) → a scene (plain data, pure,
tested without a browser) → a picture. Python computes; the browser only shows.
"""

from unet_edu.explore.arithmetic import arithmetic
from unet_edu.explore.convolution import convolution
from unet_edu.explore.picture import digest, show

__all__ = ["arithmetic", "convolution", "digest", "show"]
