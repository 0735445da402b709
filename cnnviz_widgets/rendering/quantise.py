"""Values to one byte each and back, and maps reduced to the size of their tile.

In: float32 maps (C, H, W) and the range of each channel. Out: uint8 codes for the wire.
"""

from __future__ import annotations

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
        Range of each channel's finite values, from `channel_ranges`. Values outside are not
        allowed.

    Returns
    -------
    uint8 array (C, H, W)
        ``floor((v - low) / (high - low) * 252 + 0.5)`` in float64 for a finite v (0 where high ==
        low); 253, 254 and 255 for NaN, +infinity and -infinity.

    Notes
    -----
    The error of a finite value after `dequantise` is at most (high - low) / 504, plus float64
    rounding (under 4e-16 of max(abs(low), abs(high))). One array is made, the result.
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
        ``min(low + (high - low) * (code / 252), high)``; the minimum takes back a last bit that
        rounding can add.
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
    decoded: Doubles = table[np.arange(len(low))[:, None, None], codes]
    return decoded


def reduction_factor(height: int, width: int, *, tile_px: int) -> int:
    """Whole number that a map is reduced by to fit its tile.

    Parameters
    ----------
    height, width : int
        Of the map, in values.
    tile_px : int
        Side of the tile in device pixels, 1 or more.

    Returns
    -------
    int
        ``ceil(max(height, width) / tile_px)``, at least 1.

    Raises
    ------
    ValueError
        When `tile_px` is below 1.
    """
    if tile_px < 1:
        raise ValueError(f"tile_px={tile_px} is no size; give 1 device pixel or more.")
    return max(1, -(-max(height, width) // tile_px))


def reduce_maps(values: Floats, tile_px: int) -> tuple[Floats, int]:
    """Average maps down to the pixels that their tile has.

    Parameters
    ----------
    values : float32 array (C, H, W)
    tile_px : int
        Side of the tile in device pixels, 1 or more.

    Returns
    -------
    reduced : float32 array (C, ceil(H / k), ceil(W / k))
        Means of k x k blocks, accumulated in float64; at the right and lower edge of what is there.
        A block with NaN or an infinity follows float arithmetic. `values` itself, not a copy, where
        k is 1.
    k : int
        The factor, see `reduction_factor`.
    """
    flat_channels(values)
    channels, height, width = values.shape
    k = reduction_factor(height, width, tile_px=tile_px)
    if k == 1 or values.size == 0:
        return values, k
    counts = np.outer(_block_sizes(height, k), _block_sizes(width, k))
    reduced = np.empty((channels, *counts.shape), np.float32)
    step = max(1, _BLOCK_VALUES * k // (height * width))
    with np.errstate(
        invalid="ignore"
    ):  # infinities of both signs in a block make NaN, as they should
        for first in range(0, channels, step):
            rows = slice(first, first + step)
            np.divide(_block_sums(values[rows], k), counts, out=reduced[rows], casting="same_kind")
    return reduced, k


def _block_sizes(length: int, k: int) -> npt.NDArray[np.int64]:
    starts = np.arange(0, length, k)
    sizes: npt.NDArray[np.int64] = np.minimum(k, length - starts)
    return sizes


def _block_sums(values: Floats, k: int) -> Doubles:
    """Add up k x k blocks: whole rows first, which lie together in memory."""
    rows = values[:, ::k].astype(np.float64)
    for offset in range(1, k):
        more = values[:, offset::k]
        rows[:, : more.shape[1]] += more
    sums: Doubles = rows[:, :, ::k].copy()
    for offset in range(1, k):
        columns = rows[:, :, offset::k]
        sums[:, :, : columns.shape[2]] += columns
    return sums
