"""What an explorer of images shows: the HTML of its views, and the pictures in it as arrays."""

import base64
import io
import re

import numpy as np
from PIL import Image


def shown(explorer):
    """The HTML of each view; of a scene that scene.js paints, nothing."""
    values = [getattr(view.widget, view.trait) for view in explorer.views]
    return [value.get("html", "") if isinstance(value, dict) else value for value in values]


def pictures(html):
    """The images in it, as bytes from 0 to 255."""
    data = re.findall(r"base64,([\w+/=]+)", html)
    return [np.asarray(Image.open(io.BytesIO(base64.b64decode(each)))) for each in data]


def without_pictures(html):
    """The words alone, in which "nan" can be looked for."""
    return re.sub(r"base64,[\w+/=]+", "", html)
