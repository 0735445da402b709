"""A picture as PNG bytes, within a budget: the still picture of a widget where no JavaScript runs.

In: an RGB picture. Out: the bytes of a file.
"""

from __future__ import annotations

import io
import math
from typing import TYPE_CHECKING

import numpy as np

from .colormap import Rgb

if TYPE_CHECKING:
    from PIL import Image

_COMPRESS_LEVEL = 6
_SHRINK = 0.9
"""Extra factor on the area of each further try, so that tries end."""


def png_bytes(rgb: Rgb, *, max_bytes: int | None = None) -> bytes:
    """Encode a picture, made smaller where it would not fit.

    Parameters
    ----------
    rgb : uint8 array (H, W, 3)
        At least one pixel.
    max_bytes : int, optional
        Upper limit of the file's size. The picture is shrunk in both directions, by averaging,
        until it fits.

    Returns
    -------
    bytes
        A PNG file.

    Raises
    ------
    TypeError, ValueError
        When `rgb` is no such picture, or not even one pixel fits into `max_bytes`.
    """
    from PIL import Image

    if not isinstance(rgb, np.ndarray) or rgb.dtype != np.uint8:
        kind = rgb.dtype if isinstance(rgb, np.ndarray) else type(rgb).__name__
        raise TypeError(f"rgb is {kind}; give a uint8 NumPy array of shape (H, W, 3).")
    if rgb.ndim != 3 or rgb.shape[2] != 3 or not rgb.size:
        raise ValueError(f"rgb has shape {rgb.shape}; give (H, W, 3) with at least one pixel.")
    picture = Image.fromarray(np.ascontiguousarray(rgb))
    data = _encode(picture)
    scale = 1.0
    while max_bytes is not None and len(data) > max_bytes:
        if picture.size == (1, 1):
            raise ValueError(f"max_bytes={max_bytes} is too small for any PNG; give 100 or more.")
        scale *= math.sqrt(_SHRINK * max(max_bytes, 1) / len(data))
        size = (max(1, int(rgb.shape[1] * scale)), max(1, int(rgb.shape[0] * scale)))
        # From the original each time, so that the picture is blurred once.
        picture = Image.fromarray(np.ascontiguousarray(rgb)).resize(size, Image.Resampling.BOX)
        data = _encode(picture)
    return data


def _encode(picture: Image.Image) -> bytes:
    file = io.BytesIO()
    picture.save(file, format="PNG", compress_level=_COMPRESS_LEVEL)
    return file.getvalue()
