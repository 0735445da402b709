"""Fills and grounds of the `shapes` pictures: positions in pixels in, mixing weights out."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

Plane = NDArray[np.float32]
Fill = Callable[[Plane, Plane, np.random.Generator], Plane]


@lru_cache(maxsize=64)
def _spline(size: int, knots: int) -> Plane:
    """Weights (size, knots + 3) of the uniform cubic B-spline: smooth, and never overshoots."""
    place = np.linspace(0, knots, size, endpoint=False)
    cell = place.astype(np.int64)
    t = place - cell
    weights = np.zeros((size, knots + 3))
    pieces = (
        (1 - t) ** 3 / 6,
        (3 * t**3 - 6 * t**2 + 4) / 6,
        (-3 * t**3 + 3 * t**2 + 3 * t + 1) / 6,
        t**3 / 6,
    )
    for shift, piece in enumerate(pieces):
        weights[np.arange(size), cell + shift] = piece
    return weights.astype(np.float32)


def _unit(values: Plane) -> Plane:
    limited: Plane = np.clip(values, 0, 1)
    return limited


def smooth_noise(shape: tuple[int, int], knots: int, rng: np.random.Generator) -> Plane:
    """Draw soft blotches.

    Parameters
    ----------
    shape
        Height and width in pixels.
    knots
        Blotches along each side.
    rng
        Source of chance.

    Returns
    -------
    ndarray, float32, `shape`
        Values in 0..1, most of them between 0.2 and 0.8.
    """
    grid = rng.random((knots + 3, knots + 3), dtype=np.float32)
    noise = _spline(shape[0], knots) @ grid @ _spline(shape[1], knots).T
    return _unit((noise - np.float32(0.5)) * np.float32(1.6) + np.float32(0.5))


def _edge(wave: Plane, sharpness: float) -> Plane:
    """Turn a wave in -1..1 into bands with edges about one pixel soft."""
    return _unit(wave * np.float32(sharpness) + np.float32(0.5))


def _stripes(u: Plane, v: Plane, rng: np.random.Generator) -> Plane:
    period = rng.uniform(5.0, 8.5)
    return _edge(np.sin(u * np.float32(2 * np.pi / period) + v * 0), period / (2 * np.pi))


def _checks(u: Plane, v: Plane, rng: np.random.Generator) -> Plane:
    period = rng.uniform(9.0, 13.0)
    step = np.float32(2 * np.pi / period)
    return _edge(np.sin(u * step) * np.sin(v * step), period / np.pi)


def _dots(u: Plane, v: Plane, rng: np.random.Generator) -> Plane:
    period = np.float32(rng.uniform(5.5, 8.0))
    du, dv = (np.mod(p, period) - period / 2 for p in (u, v))
    return _unit(period * np.float32(0.3) + np.float32(0.5) - np.hypot(du, dv))


def _gradient(u: Plane, v: Plane, rng: np.random.Generator) -> Plane:
    reach = np.float32(rng.uniform(26.0, 40.0))
    return _unit(u / reach + np.float32(0.5) + v * 0)


def _mottle(u: Plane, v: Plane, rng: np.random.Generator) -> Plane:
    height, width = u.shape
    return smooth_noise((height, width), max(height // 5, 2), rng) + v * 0


FILLS: dict[str, Fill] = {
    "stripes": _stripes,
    "checks": _checks,
    "dots": _dots,
    "gradient": _gradient,
    "noise": _mottle,
}
"""Name of each fill; (u, v, rng) in, the weight 0..1 of its second colour, of equal shape, out."""
