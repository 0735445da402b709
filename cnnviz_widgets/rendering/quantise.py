"""Values to one byte each and back, and maps reduced to the size of their tile.

In: float32 maps (C, H, W) and the range of each channel. Out: uint8 codes for the wire.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from .ranges import Doubles, Floats, flat_channels

Codes = npt.NDArray[np.uint8]

LEVELS = 252
"""Code of a channel's high end; its low end is code 0."""
NAN, POSITIVE_INFINITY, NEGATIVE_INFINITY = 253, 254, 255
"""Codes of the values that are no numbers."""

_BLOCK_VALUES = 1 << 16
"""Values converted at a time: their float64 copy (512 kB) stays in a core's cache."""


def quantise(values: Floats, low: Floats, high: Floats) -> Codes:
    """Give every value the code of the nearest of 253 evenly spaced levels.

    Parameters
    ----------
    values : float32 array (C, H, W)
    low, high : float32 arrays (C,)
        Range of each channel's finite values, from `channel_ranges`. Values outside are not allowed.

    Returns
    -------
    uint8 array (C, H, W)
        ``floor((v - low) / (high - low) * 252 + 0.5)`` in float64 for a finite v (0 where high == low);
        253, 254 and 255 for NaN, +infinity and -infinity.

    Notes
    -----
    The error of a finite value after `dequantise` is at most (high - low) / 504, plus float64 rounding
    (under 4e-16 of max(abs(low), abs(high))). One array is made, the result.
    """
    flat = flat_channels(values)
    channels, count = flat.shape
    codes = np.empty(flat.shape, np.uint8)
    start = low.astype(np.float64)[:, None]
    span = high.astype(np.float64)[:, None] - start
    span[span == 0] = 1.0
    step = max(1, _BLOCK_VALUES // max(count, 1))
    work = np.empty((min(step, channels), count), np.float64)
    for first in range(0, channels, step):
        rows = slice(first, min(first + step, channels))
        levels = work[: rows.stop - rows.start]
        block = flat[rows]
        finite = np.isfinite(block)
        if finite.all():
            np.subtract(block, start[rows], out=levels)
        else:
            np.subtract(np.where(finite, block, low[rows, None]), start[rows], out=levels)
        levels /= span[rows]
        levels *= LEVELS
        levels += 0.5
        codes[rows] = levels  # the cast cuts towards zero, which is floor here
        if not finite.all():
            _mark_special(block, codes[rows])
    return codes.reshape(values.shape)


def _mark_special(block: Floats, codes: Codes) -> None:
    """Write the codes of NaN and the infinities into `codes`."""
    codes[np.isnan(block)] = NAN
    codes[np.isposinf(block)] = POSITIVE_INFINITY
    codes[np.isneginf(block)] = NEGATIVE_INFINITY


def level_values(low: Floats, high: Floats) -> Doubles:
    """Value that each code of a number stands for.

    Parameters
    ----------
    low, high : float32 arrays (C,)

    Returns
    -------
    float64 array (C, 253)
        ``min(low + (high - low) * (code / 252), high)``; the minimum takes back a last bit that rounding can add.
    """
    start, end = low.astype(np.float64)[:, None], high.astype(np.float64)[:, None]
    steps = np.arange(LEVELS + 1) / LEVELS
    return np.minimum(start + (end - start) * steps, end)


def dequantise(codes: Codes, low: Floats, high: Floats) -> Doubles:
    """Value that every code stands for.

    Parameters
    ----------
    codes : uint8 array (C, H, W)
    low, high : float32 arrays (C,)

    Returns
    -------
    float64 array (C, H, W)
    """
    special = np.broadcast_to([np.nan, np.inf, -np.inf], (len(low), 3))
    table = np.concatenate([level_values(low, high), special], axis=1)
    return table[np.arange(len(low))[:, None, None], codes]
