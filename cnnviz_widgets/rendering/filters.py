"""What filters are among themselves: norms, dead ones, which are alike, and an order by likeness.

In: float32 weights (filters, inputs, ...). Out: one number per filter, and what stands for a filter
that reads many inputs. The next stage is `quantise`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .colormap import NAN_COLOUR, Rgb, colour_indices, palette
from .quantise import LEVELS, Codes
from .ranges import Doubles, Floats, Scale, Statistics

DEAD_SHARE = 0.02
"""A filter is dead when its norm is at most this share of the largest norm in its layer."""
TWIN_COSINE = 0.99
"""Two filters that read the same inputs are twins from this cosine similarity on."""
MOST_COMPARED = 4096
"""Filters of a layer that are compared with each other; their similarities take 64 MB."""
MOST_PRODUCTS = 1e11
"""Multiplications of such a comparison; 2048 filters of 2048 x 3 x 3 need 8e10."""
LEAST_VALUES = 4
"""Values that a filter must have for likeness to mean something: scalars are always alike."""
_SMALL, _LARGE = 1e-12, 1e12
"""Between these no square of a float32, and no sum of squares, comes near its limits."""
_DECIMALS = 5
"""Of the cosines that decide an order: the rest of a float32 sum depends on the machine."""


@dataclass(frozen=True)
class Likeness:
    """Which filters are alike.

    Attributes
    ----------
    nearest : uint32 array (F,)
        The filter most alike among those that read the same inputs; itself where there is none.
    cosine : float32 array (F,)
        Cosine similarity with it, -1 to 1; 0 where there is none.
    order : uint32 array (F,)
        All filters with neighbours that are alike next to each other, see `likeness`.
    """

    nearest: npt.NDArray[np.uint32]
    cosine: Floats
    order: npt.NDArray[np.uint32]


def filter_norms(facts: Statistics) -> Floats:
    """L2 norm of every filter, over its finite values.

    Parameters
    ----------
    facts : Statistics
        Of the filters, from `statistics`.

    Returns
    -------
    float32 array (F,)
        ``sqrt(n * (variance + mean ** 2))``.
    """
    wide = facts.variance.astype(np.float64) + facts.mean.astype(np.float64) ** 2
    with np.errstate(over="ignore"):
        norms: Floats = np.sqrt(facts.finite * wide).astype(np.float32)
    return norms


def dead_filters(norms: Floats | Doubles) -> npt.NDArray[np.bool_]:
    """Tell which filters have a norm of at most `DEAD_SHARE` of the largest, or of 0."""
    largest = float(norms.max(initial=0.0))
    dead: npt.NDArray[np.bool_] = norms <= DEAD_SHARE * largest
    return dead


def place_norms(values: Floats) -> Floats:
    """L2 norm over the inputs at every place of the kernel: where a filter looks at all.

    Parameters
    ----------
    values : float32 array (F, C, *kernel)

    Returns
    -------
    float32 array (F, *kernel)
        Accumulated in float64. NaN and infinities follow float arithmetic.
    """
    norms = np.empty((len(values), *values.shape[2:]), np.float32)
    for filter_, weights in enumerate(values):
        wide = weights.astype(np.float64)
        with np.errstate(over="ignore"):
            norms[filter_] = np.sqrt(np.einsum("i...,i...->...", wide, wide))
    return norms


def block_norms(matrix: Floats, width: int) -> Floats:
    """Root mean square of every `width` neighbouring values of a row.

    Parameters
    ----------
    matrix : float32 array (F, C)
    width : int
        1 or more; the last block of a row is of what is there.

    Returns
    -------
    float32 array (F, ceil(C / width))
        Accumulated in float64.
    """
    starts = np.arange(0, matrix.shape[1], width)
    counts = np.minimum(width, matrix.shape[1] - starts)
    norms = np.empty((len(matrix), len(starts)), np.float32)
    step = max(1, (1 << 20) // max(matrix.shape[1], 1))
    for first in range(0, len(matrix), step):
        wide = matrix[first : first + step].astype(np.float64)
        with np.errstate(over="ignore"):
            means = np.add.reduceat(wide * wide, starts, axis=1) / counts
            norms[first : first + step] = np.sqrt(means)
    return norms


def symmetric_ends(values: Floats) -> Floats:
    """Largest finite magnitude of every filter, the end of a scale that has zero in the middle.

    Parameters
    ----------
    values : float32 array (F, H, W)

    Returns
    -------
    float32 array (F,)
        With codes from -end to end, zero is code 126 and nothing else.
    """
    flat = values.reshape(len(values), math.prod(values.shape[1:]))
    sizes = np.abs(flat)
    if not np.isfinite(sizes).all():
        sizes[~np.isfinite(sizes)] = 0
    ends: Floats = sizes.max(axis=1, initial=0.0)
    return ends


def likeness(values: Floats, *, groups: int = 1) -> Likeness | None:
    """Compare all filters of a layer with each other.

    Parameters
    ----------
    values : float32 array (F, C, *kernel)
    groups : int
        Groups of a convolution: only filters of one group read the same inputs, and only they can
        be nearest to each other. The order goes by the values alone.

    Returns
    -------
    Likeness or None
        None where filters have fewer than 4 values, there are more than `MOST_COMPARED`, or the
        comparison would take more than `MOST_PRODUCTS`.

    Notes
    -----
    The order is a greedy chain: it begins with the filter of the largest norm and goes on, each
    time, with the filter not yet placed whose cosine similarity with the last one is largest, the
    lowest index first among equals. Filters that are dead or not finite come last. Cosines are
    rounded to five decimals, so that equal filters are equal whatever order a machine adds in.
    2048 filters of 512 x 3 x 3 values take some 0.7 s, nearly all of it one product of matrices.
    """
    count = len(values)
    flat = values.reshape(count, math.prod(values.shape[1:]))
    if not 1 <= count <= MOST_COMPARED or flat.shape[1] < LEAST_VALUES:
        return None
    if count * flat.size > MOST_PRODUCTS:
        return None
    cosines, norms = _cosines(flat)
    nearest, best = _nearest(cosines, groups)
    alive = norms > 0
    nearest[~alive] = np.flatnonzero(~alive)
    best[~alive] = 0
    return Likeness(nearest, best, _chain(cosines, norms))


def _cosines(flat: Floats) -> tuple[Floats, Doubles]:
    """Cosine similarities (F, F), rounded, and norms (F,), both 0 where one is not to be had."""
    scaled, exponent = _scaled(flat)
    cosines: Floats = scaled @ scaled.T
    lengths = np.sqrt(np.diagonal(cosines).astype(np.float64))
    inverse = np.divide(1.0, lengths, out=np.zeros_like(lengths), where=lengths > 0)
    cosines *= inverse[:, None].astype(np.float32)
    cosines *= inverse[None, :].astype(np.float32)
    np.clip(np.round(cosines, _DECIMALS, out=cosines), -1, 1, out=cosines)
    return cosines, np.ldexp(lengths, exponent)


def _scaled(flat: Floats) -> tuple[Floats, npt.NDArray[np.int64]]:
    """Scale filters by powers of two, so that no square overflows; 0 for one not finite."""
    with np.errstate(invalid="ignore"):
        largest = np.maximum(flat.max(axis=1), -flat.min(axis=1))
    exponent = np.zeros(len(flat), np.int64)
    sound = (largest == 0) | ((largest > _SMALL) & (largest < _LARGE))
    if sound.all():
        return flat, exponent
    usable = np.isfinite(largest) & (largest > 0)
    exponent[usable] = np.frexp(largest[usable])[1]
    scaled: Floats = np.ldexp(np.where(usable[:, None], flat, 0), -exponent[:, None])
    return scaled.astype(np.float32, copy=False), exponent


def _nearest(cosines: Floats, groups: int) -> tuple[npt.NDArray[np.uint32], Floats]:
    count = len(cosines)
    size = count // groups
    nearest, best = np.arange(count, dtype=np.uint32), np.zeros(count, np.float32)
    if size < 2:
        return nearest, best
    for first in range(0, count, size):
        block = cosines[first : first + size, first : first + size].copy()
        np.fill_diagonal(block, -2)
        rows = slice(first, first + size)
        nearest[rows] = first + block.argmax(axis=1)
        best[rows] = block.max(axis=1)
    return nearest, best


def _chain(cosines: Floats, norms: Doubles) -> npt.NDArray[np.uint32]:
    """Order filters as `likeness` says."""
    dead = dead_filters(norms)
    order = np.empty(len(norms), np.uint32)
    alive = int((~dead).sum())
    order[alive:] = np.flatnonzero(dead)
    penalty = np.where(dead, -4, 0).astype(np.float32)
    current = int(norms.argmax())
    for place in range(alive):
        order[place] = current
        penalty[current] = -4
        current = int((cosines[current] + penalty).argmax())
    return order


def render_colour(codes: Codes, low: Floats, high: Floats, *, scale: Scale) -> Rgb:
    """Draw kernels that read red, green and blue in colour, as the browser does.

    Parameters
    ----------
    codes : uint8 array (F, 3, H, W)
        Quantised from `low` to `high`, both (F,).
    scale : Scale
        Drawn around zero whatever `diverging` says, so that a weight of 0 is grey.

    Returns
    -------
    uint8 array (F, H, W, 3)
        ``floor((v + a) / (2 a) * 255 + 0.5)`` with a the end of the scale, 128 where it is 0. A
        place where a value is no finite number has its special colour, that of the first such.
    """
    around = Scale(scale.mode, scale.low, scale.high, diverging=True)
    shades = colour_indices(low, high, scale=around)
    drawn = shades[np.arange(len(codes))[:, None, None, None], codes].transpose(0, 2, 3, 1)
    special = codes > LEVELS
    first = np.take_along_axis(codes, special.argmax(axis=1, keepdims=True), axis=1)[:, 0]
    marked = special.any(axis=1)
    pixels: Rgb = drawn.astype(np.uint8)
    pixels[marked] = palette("gray")[NAN_COLOUR - LEVELS - 1 + first[marked].astype(np.intp)]
    return pixels
