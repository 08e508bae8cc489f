"""Interactive explorers, and how a picture is shown in a notebook.

An explorer is a function of its arguments. Inside it goes one way: a state (a small dataclass) → a scene (plain data, pure,
tested without a browser) → a picture. Python computes; the browser only shows.
"""

from unet_edu.explore.arithmetic import arithmetic
from unet_edu.explore.convolution import convolution
from unet_edu.explore.interpolation import interpolation
from unet_edu.explore.matrix import matrix
from unet_edu.explore.picture import digest, show
from unet_edu.explore.pooling import pooling
from unet_edu.explore.threshold import threshold
from unet_edu.explore.transposed import transposed

__all__ = [
    "arithmetic",
    "convolution",
    "digest",
    "interpolation",
    "matrix",
    "pooling",
    "show",
    "threshold",
    "transposed",
]
