"""Ranges and statistics of the channels of a layer, and the range that a scale draws them over.

In: float32 maps (C, H, W). Out: one number per channel. The next stage is `quantise`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
Doubles = npt.NDArray[np.float64]
ScaleMode = Literal["channel", "layer", "fixed"]

_BLOCK_VALUES = 1 << 16
"""Values widened at a time: their float64 copy (512 kB) stays in a core's cache."""


@dataclass(frozen=True)
class Scale:
    """Which values the two ends of a colormap stand for.

    Parameters
    ----------
    mode : {"channel", "layer", "fixed"}
        Each channel over its own range, all channels over the layer's range, or the user's `low`
        and `high`.
    low, high : float
        The user's range; read in mode "fixed" only. Finite, low <= high.
    diverging : bool
        The range becomes [-a, a] with a = max(abs(low), abs(high)), so that zero is the middle
        colour.

    Raises
    ------
    ValueError
        When `mode` is unknown, or the fixed range is not finite or upside down.
    """

    mode: ScaleMode = "channel"
    low: float = 0.0
    high: float = 1.0
    diverging: bool = False

    def __post_init__(self) -> None:
        if self.mode not in get_args(ScaleMode):
            raise ValueError(
                f"mode={self.mode!r} is no scale; choose one of {', '.join(get_args(ScaleMode))}."
            )
        if self.mode != "fixed":
            return
        doubled = (2 * self.low, 2 * self.high)  # a diverging scale spans twice the larger
        if not (self.low <= self.high and all(map(math.isfinite, doubled))):
            raise ValueError(
                f"low={self.low!r}, high={self.high!r} is not a range; "
                "give two finite numbers with low <= high."
            )

    def of_maps(self, height: int, width: int) -> Scale:
        """Scale that maps of this size are drawn with.

        Parameters
        ----------
        height, width : int
            At full resolution.

        Returns
        -------
        Scale
            This one, but for maps of a single value on scales of their own, which would all have
            the same colour: they are compared with each other, over the layer's range.
        """
        is_single = self.mode == "channel" and height * width == 1
        return replace(self, mode="layer") if is_single else self


@dataclass(frozen=True)
class Statistics:
    """What the numbers of each channel are; every field has shape (C,).

    `minimum`, `maximum`, `mean` and `variance` (float32, variance over n) are over the finite
    values, and 0 for a channel that has none. `zeros` (uint32) counts exact zeros of both signs,
    `finite` (uint32) the finite values.
    """

    minimum: Floats
    maximum: Floats
    mean: Floats
    variance: Floats
    zeros: npt.NDArray[np.uint32]
    finite: npt.NDArray[np.uint32]


def flat_channels(values: Floats) -> Floats:
    """View maps as one row per channel.

    Parameters
    ----------
    values : float32 array (C, H, W)

    Returns
    -------
    float32 array (C, H * W)
        A view where the memory allows it.

    Raises
    ------
    TypeError, ValueError
        When `values` is no float32 array of three axes.
    """
    if not isinstance(values, np.ndarray) or values.dtype != np.float32:
        kind = values.dtype if isinstance(values, np.ndarray) else type(values).__name__
        raise TypeError(f"values is {kind}; give a float32 NumPy array of shape (C, H, W).")
    if values.ndim != 3:
        raise ValueError(f"values has shape {values.shape}; give maps of shape (C, H, W).")
    return values.reshape(values.shape[0], values.shape[1] * values.shape[2])


def channel_ranges(values: Floats) -> tuple[Floats, Floats]:
    """Smallest and largest finite value of every channel.

    Parameters
    ----------
    values : float32 array (C, H, W)
        Any values, NaN and infinities too.

    Returns
    -------
    low, high : float32 arrays (C,)
        Both 0 for a channel without a finite value.

    Notes
    -----
    Makes no copy unless a channel holds NaN or an infinity; then that channel alone is copied.
    """
    flat = flat_channels(values)
    channels, count = flat.shape
    if count == 0:
        return np.zeros(channels, np.float32), np.zeros(channels, np.float32)
    low, high = _row_extremes(flat)
    # A NaN or an infinity anywhere in a row shows in one of its two ends.
    for channel in np.flatnonzero(~(np.isfinite(low) & np.isfinite(high))):
        row = flat[channel]
        finite = row[np.isfinite(row)]
        low[channel] = finite.min() if finite.size else 0.0
        high[channel] = finite.max() if finite.size else 0.0
    return low, high


def statistics(values: Floats) -> Statistics:
    """Describe the numbers of every channel.

    Parameters
    ----------
    values : float32 array (C, H, W)

    Returns
    -------
    Statistics

    Notes
    -----
    Mean and variance are accumulated in float64 in two passes, and rounded to float32 once.
    """
    flat = flat_channels(values)
    channels, count = flat.shape
    minimum, maximum = channel_ranges(values)
    mean, variance = np.zeros(channels), np.zeros(channels)
    zeros = np.empty(channels, np.uint32)
    finite = np.full(channels, count, np.uint32)
    step = max(1, _BLOCK_VALUES // max(count, 1))
    work = np.empty((min(step, channels), count), np.float64)
    for first in range(0, channels, step):
        rows = slice(first, min(first + step, channels))
        block, wide = flat[rows], work[: rows.stop - first]
        zeros[rows] = np.equal(block, 0).view(np.uint8).sum(axis=1, dtype=np.uint32)
        np.copyto(wide, block)
        good = np.isfinite(block)
        if not good.all():
            finite[rows] = good.sum(axis=1)
            wide[~good] = 0
        counted = np.maximum(finite[rows], 1)
        mean[rows] = wide.sum(axis=1) / counted
        wide -= mean[rows, None]
        if not good.all():
            wide[~good] = 0
        variance[rows] = np.einsum("ij,ij->i", wide, wide) / counted
    # The variance of the largest float32 values is beyond float32, and said to be infinite.
    with np.errstate(over="ignore"):
        narrow = variance.astype(np.float32)
    return Statistics(minimum, maximum, mean.astype(np.float32), narrow, zeros, finite)


def _row_extremes(flat: Floats) -> tuple[Floats, Floats]:
    """Minimum and maximum of each row; NaN where a row has one."""
    with np.errstate(invalid="ignore"):
        return flat.min(axis=1), flat.max(axis=1)


def scale_range(
    low: Floats, high: Floats, *, scale: Scale, counted: npt.NDArray[np.bool_] | None = None
) -> tuple[Doubles, Doubles]:
    """Range that each channel is drawn over.

    Parameters
    ----------
    low, high : float32 arrays (C,)
        Ends of each channel, from `channel_ranges`.
    scale : Scale
    counted : bool array (C,), optional
        Channels that have a finite value; the others do not widen the layer's range. Default: all.

    Returns
    -------
    low, high : float64 arrays (C,)
    """
    if scale.mode == "channel":
        start, end = low.astype(np.float64), high.astype(np.float64)
    else:
        ends = (float(scale.low), float(scale.high))
        if scale.mode == "layer":
            keep = np.ones(low.shape, np.bool_) if counted is None else counted
            ends = (float(low[keep].min()), float(high[keep].max())) if keep.any() else (0.0, 0.0)
        start, end = np.full(low.shape, ends[0]), np.full(low.shape, ends[1])
    if scale.diverging:
        end = np.maximum(np.abs(start), np.abs(end))
        start = -end
    return start, end
