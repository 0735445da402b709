"""Puts the pictures of many channels side by side.

In: RGB pictures (C, H, W, 3) of `colormap.render_maps`. Out: one RGB picture.
"""

from __future__ import annotations

import math

import numpy as np

from .colormap import Rgb


def mosaic(
    pictures: Rgb,
    columns: int | None = None,
    *,
    gap: int = 1,
    background: tuple[int, int, int] = (255, 255, 255),
) -> Rgb:
    """Lay pictures out in rows, the first at the upper left.

    Parameters
    ----------
    pictures : uint8 array (C, H, W, 3)
        At least one.
    columns : int, optional
        Pictures in a row, 1 or more. Default: as many as make the mosaic about square.
    gap : int
        Pixels between two pictures, 0 or more.
    background : tuple of 3 int
        Colour 0 to 255 of gaps and empty places.

    Returns
    -------
    uint8 array (H', W', 3)
        H' = rows * H + (rows - 1) * gap, and W' alike.

    Raises
    ------
    TypeError, ValueError
        When `pictures` is no such array, or `columns` or `gap` is too small.
    """
    if not isinstance(pictures, np.ndarray) or pictures.dtype != np.uint8:
        kind = pictures.dtype if isinstance(pictures, np.ndarray) else type(pictures).__name__
        raise TypeError(f"pictures is {kind}; give a uint8 NumPy array of shape (C, H, W, 3).")
    if pictures.ndim != 4 or pictures.shape[3] != 3 or not pictures.size:
        raise ValueError(
            f"pictures has shape {pictures.shape}; give (C, H, W, 3) with at least one pixel."
        )
    count, height, width, _ = pictures.shape
    if columns is None:
        columns = min(count, max(1, round(math.sqrt(count * height / width))))
    if columns < 1 or gap < 0:
        raise ValueError(f"columns={columns}, gap={gap}: give columns >= 1 and gap >= 0.")
    rows = -(-count // columns)
    cells = np.empty((rows * columns, height + gap, width + gap, 3), np.uint8)
    cells[:] = background
    cells[:count, :height, :width] = pictures
    grid = cells.reshape(rows, columns, height + gap, width + gap, 3).swapaxes(1, 2)
    whole = grid.reshape(rows * (height + gap), columns * (width + gap), 3)
    trimmed: Rgb = whole[: rows * (height + gap) - gap, : columns * (width + gap) - gap]
    return trimmed
