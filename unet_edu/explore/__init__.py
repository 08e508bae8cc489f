"""Interactive explorers, and how a picture is shown in a notebook.

An explorer is a function of its arguments. Inside it goes one way: a state (a small dataclass) → a scene (plain data,
pure, tested without a browser) → a picture. Python computes; the browser only shows.
"""

from unet_edu.explore.ablations import ablations
from unet_edu.explore.arithmetic import arithmetic
from unet_edu.explore.convolution import convolution
from unet_edu.explore.elastic import elastic
from unet_edu.explore.interpolation import interpolation
from unet_edu.explore.matrix import matrix
from unet_edu.explore.picture import digest, show
from unet_edu.explore.pooling import pooling
from unet_edu.explore.sizes import sizes
from unet_edu.explore.skips import skips
from unet_edu.explore.threshold import threshold
from unet_edu.explore.tiles import tiles
from unet_edu.explore.training import training
from unet_edu.explore.transposed import transposed
from unet_edu.explore.unet import unet
from unet_edu.explore.weight_map import weight_map

__all__ = [
    "ablations",
    "arithmetic",
    "convolution",
    "digest",
    "elastic",
    "interpolation",
    "matrix",
    "pooling",
    "show",
    "sizes",
    "skips",
    "threshold",
    "tiles",
    "training",
    "transposed",
    "unet",
    "weight_map",
]
