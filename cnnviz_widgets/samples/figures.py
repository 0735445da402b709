"""The figures of the `shapes` pictures: points in, signed distance to the outline out (NumPy only).

Every figure lies in the unit circle around the origin, y downwards; distances are negative inside.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Plane = NDArray[np.float32]
Distance = Callable[[Plane, Plane], Plane]

_CORNER = np.float32(0.05)


def _polygon(corners: list[tuple[float, float]]) -> Distance:
    """Distance to a closed polygon whose corners are rounded a little.

    The sign is the parity of crossings of a ray to the right, so the polygon need not be convex.
    """
    start = np.array(corners, dtype=np.float32)
    end = np.roll(start, -1, axis=0)
    ax, ay = start.T[:, :, None, None]
    bx, by = end.T[:, :, None, None]
    ex, ey = bx - ax, by - ay
    length2 = ex * ex + ey * ey
    slope = ex / np.where(ey == 0, np.float32(1), ey)

    def distance(x: Plane, y: Plane) -> Plane:
        px, py = x - ax, y - ay
        along = np.clip((px * ex + py * ey) / length2, 0, 1)
        nearest = np.sqrt(((px - ex * along) ** 2 + (py - ey * along) ** 2).min(axis=0))
        crossed = ((ay > y) != (by > y)) & (px < slope * py)
        inside = np.logical_xor.reduce(crossed, axis=0)
        signed: Plane = np.where(inside, -nearest, nearest) - _CORNER
        return signed

    return distance


def _spokes(radii: list[float], turn: float = -90.0) -> list[tuple[float, float]]:
    """Corners at equal angles, the first one straight up unless turned."""
    angles = np.deg2rad(turn + np.arange(len(radii)) * 360.0 / len(radii))
    return [
        (r * float(np.cos(a)), r * float(np.sin(a))) for r, a in zip(radii, angles, strict=True)
    ]


def _plus(arm: float, half: float) -> list[tuple[float, float]]:
    """Corners of a plus sign with arms of the given reach and half width."""
    quarter = [(half, -arm), (half, -half), (arm, -half)]
    corners = []
    for _ in range(4):
        corners += quarter
        quarter = [(-y, x) for x, y in quarter]
    return corners


def _circle(x: Plane, y: Plane) -> Plane:
    signed: Plane = np.hypot(x, y) - np.float32(0.9)
    return signed


def _ring(x: Plane, y: Plane) -> Plane:
    signed: Plane = np.abs(np.hypot(x, y) - np.float32(0.72)) - np.float32(0.21)
    return signed


def _crescent(x: Plane, y: Plane) -> Plane:
    """Take a disc out of a disc; the tips are rounded, so that they stay wider than a pixel."""
    blunt = np.float32(0.065)
    radius, bite, apart = np.float32(0.98) - blunt, np.float32(0.78) + blunt, np.float32(0.46)
    tip_x = (radius * radius - bite * bite + apart * apart) / (2 * apart)
    tip_y = np.sqrt(radius * radius - tip_x * tip_x)
    v = np.abs(y)
    beyond_tip = x * tip_y - v * tip_x > apart * np.maximum(tip_y - v, 0)
    arcs = np.maximum(np.hypot(x, v) - radius, bite - np.hypot(x - apart, v))
    signed: Plane = np.where(beyond_tip, np.hypot(x - tip_x, v - tip_y), arcs) - blunt
    return signed


def _heart(x: Plane, y: Plane) -> Plane:
    """Two quarter lobes over a square standing on its corner."""
    size = np.float32(1.42)
    u, v = np.abs(x) / size, np.float32(0.52) - y / size
    lobe = np.hypot(u - np.float32(0.25), v - np.float32(0.75)) - np.float32(0.5**1.5)
    fold = np.maximum(u + v, 0) / 2
    side = np.minimum(np.hypot(u, v - 1), np.hypot(u - fold, v - fold)) * np.sign(u - v)
    signed: Plane = np.where(u + v > 1, lobe, side) * size
    return signed


def _flower(x: Plane, y: Plane) -> Plane:
    """Six round petals; one is measured, the others are folded onto it."""
    sixth = np.float32(np.pi / 3)
    angle = np.mod(np.arctan2(y, x) + sixth / 2, sixth) - sixth / 2
    radius = np.hypot(x, y)
    u, v = radius * np.cos(angle), radius * np.sin(angle)
    petal = np.hypot(u - np.float32(0.64), v) - np.float32(0.33)
    signed: Plane = np.minimum(petal, radius - np.float32(0.6))
    return signed


FIGURES: dict[str, Distance] = {
    "circle": _circle,
    "square": _polygon(_spokes([0.95] * 4, turn=-45.0)),
    "triangle": _polygon(_spokes([0.95] * 3)),
    "star": _polygon(_spokes([0.95, 0.39] * 5)),
    "cross": _polygon(_plus(0.9, 0.25)),
    "ring": _ring,
    "crescent": _crescent,
    "heart": _heart,
    "arrow": _polygon(
        [
            (0.95, 0),
            (0.12, -0.76),
            (0.12, -0.25),
            (-0.92, -0.25),
            (-0.92, 0.25),
            (0.12, 0.25),
            (0.12, 0.76),
        ]
    ),
    "flower": _flower,
}
"""Name of each class and its signed distance (x, y of equal shape in, same shape out)."""
