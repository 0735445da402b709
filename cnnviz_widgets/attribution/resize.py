"""Attribution: maps enlarged to the size of a picture.

In: a float map. Out: the same at another size, as ``torch.nn.functional.interpolate`` makes it.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]


def resized(values: Floats, size: tuple[int, int], *, smooth: bool = True) -> Floats:
    """Return a map at another size.

    Parameters
    ----------
    values : float32 array (h, w)
        At least one value.
    size : (int, int)
        Height and width, in pixels.
    smooth : bool
        Bilinear with align_corners=False, without antialiasing; else the nearest value.

    Returns
    -------
    float32 array of that size
        `values` itself where it has that size. A NaN spreads to the pixels that it has a part in.
    """
    height, width = size
    if values.shape == (height, width):
        return values
    if not smooth:
        rows = np.arange(height) * values.shape[0] // height
        columns = np.arange(width) * values.shape[1] // width
        nearest: Floats = values[rows[:, None], columns]
        return nearest
    above, below, down = _neighbours(values.shape[0], height)
    left, right, across = _neighbours(values.shape[1], width)
    across = across[None, :]
    top = _mixed(values[above][:, left], values[above][:, right], across)
    bottom = _mixed(values[below][:, left], values[below][:, right], across)
    return _mixed(top, bottom, down[:, None])


def _mixed(first: Floats, second: Floats, part: Floats) -> Floats:
    """Return ``first + part * (second - first)``; the first alone where its part is all of it."""
    with np.errstate(invalid="ignore", over="ignore"):  # infinities of both signs make NaN
        mixed = first * (np.float32(1) - part) + second * part
    return np.where(part == 0, first, mixed)


def _neighbours(
    given: int, wanted: int
) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp], Floats]:
    """Return for each new place the two old ones that it lies between, and how far along."""
    places = (np.arange(wanted) + 0.5) * (given / wanted) - 0.5
    places = np.clip(places, 0, given - 1)
    first = places.astype(np.intp)
    second = np.minimum(first + 1, given - 1)
    return first, second, (places - first).astype(np.float32)
