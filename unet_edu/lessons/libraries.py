"""What libraries offer that would be the answer of an exercise: full names, with * for any rest, for
`Exercise.forbidden`.

An exercise is to be written by hand, so a grader shows an instructor who calls these. An exercise names what it forbids
in its text.
"""

from __future__ import annotations

__all__ = ["CONVOLUTIONS", "NETWORKS", "OF_IMAGES", "OF_SCORES", "RESIZING"]

OF_IMAGES = ("cv2.*", "skimage.*", "PIL.*", "torchvision.*", "kornia.*", "tensorflow.*", "keras.*", "jax.*")
CONVOLUTIONS = ("torch.*[cC]onv*", "scipy.signal.*", "scipy.ndimage.*", "numpy.convolve", "numpy.correlate", *OF_IMAGES)
RESIZING = (
    *("unet_edu.interpolation.*", "unet_edu.matrix.*", "torch.*interpolate*", "torch.*[uU]psampl*"),
    *("torch.*grid_sample*", "scipy.ndimage.*", "scipy.interpolate.*", *OF_IMAGES),
)
OF_SCORES = (
    *("unet_edu.metrics.*", "unet_edu.instances.*", "unet_edu.training.*", "sklearn.metrics.*", "torchmetrics.*"),
    *("skimage.metrics.*", "scipy.stats.contingency.*", "scipy.spatial.distance.*", "pandas.crosstab"),
)
NETWORKS = (
    *("unet_edu.unet.*", "unet_edu.training.*", "unet_edu.runs.*", "unet_edu._running.*", "unet_edu.tiling.*"),
    *("unet_edu.data.networks.*", "torch.hub.*", "torchvision.*"),
    *("segmentation_models_pytorch.*", "monai.*", "timm.*"),
)
