"""Signed distances against hand numbers, a slow oracle, and what every distance obeys."""

from __future__ import annotations

import math

import numpy as np
import pytest

from cnnviz_widgets.samples.figures import FIGURES, Plane


def at(name: str, x: float, y: float) -> float:
    """Distance of one figure at one point."""
    point = np.full((1, 1), x, dtype=np.float32), np.full((1, 1), y, dtype=np.float32)
    return float(FIGURES[name](*point)[0, 0])


def grid(size: int = 121) -> tuple[Plane, Plane]:
    """Points over [-1.2, 1.2] squared."""
    axis = np.linspace(-1.2, 1.2, size, dtype=np.float32)
    x, y = np.meshgrid(axis, axis)
    return x, y


def slow_polygon(corners: list[tuple[float, float]], x: float, y: float) -> float:
    """Distance to a polygon, one edge at a time; inside where the corners wind round the point."""
    nearest, winding = math.inf, 0.0
    for (ax, ay), (bx, by) in zip(corners, corners[1:] + corners[:1], strict=True):
        along = ((x - ax) * (bx - ax) + (y - ay) * (by - ay)) / ((bx - ax) ** 2 + (by - ay) ** 2)
        along = min(max(along, 0.0), 1.0)
        nearest = min(nearest, math.hypot(x - ax - along * (bx - ax), y - ay - along * (by - ay)))
        turn = math.atan2(by - y, bx - x) - math.atan2(ay - y, ax - x)
        winding += (turn + math.pi) % (2 * math.pi) - math.pi
    return -nearest if abs(winding) > math.pi else nearest


@pytest.mark.parametrize(
    ("name", "x", "y", "expected"),
    [
        ("circle", 0, 0, -0.9),
        ("circle", 0.6, 0.8, 0.1),
        ("ring", 0, 0, 0.51),
        ("ring", 0.72, 0, -0.21),
        ("square", 0, 0, -0.95 / math.sqrt(2) - 0.05),
        ("square", 1, 0, 1 - 0.95 / math.sqrt(2) - 0.05),
        ("triangle", 0, 0, -0.95 / 2 - 0.05),
        ("triangle", 0, -1, 0.0),
        ("cross", 0.6, 0, -0.25 - 0.05),
        ("cross", 0.6, 0.6, 0.35 - 0.05),
        ("crescent", -0.98, 0, 0.0),
        ("crescent", 0.46, 0, 0.78),
        ("arrow", 1, 0, 0.0),
        ("arrow", -0.5, 0, -0.25 - 0.05),
        ("flower", 0, 0, -0.6),
        ("flower", 0.97, 0, 0.0),
    ],
)
def test_hand_numbers(name: str, x: float, y: float, expected: float) -> None:
    assert at(name, x, y) == pytest.approx(expected, abs=1e-5)


def test_heart_is_pointed_below_and_notched_above() -> None:
    assert at("heart", 0, 0.52 * 1.42) == pytest.approx(0, abs=1e-5)
    assert at("heart", 0, 0) < 0
    assert at("heart", 0, -0.75) > 0
    assert at("heart", 0.35, -0.6) < 0


def test_star_is_the_slow_polygon() -> None:
    corners = []
    for i in range(10):
        radius, angle = (0.95, 0.39)[i % 2], math.radians(-90 + 36 * i)
        corners.append((radius * math.cos(angle), radius * math.sin(angle)))
    x, y = grid(23)
    slow = np.vectorize(lambda u, v: slow_polygon(corners, u, v) - 0.05)(x, y)
    np.testing.assert_allclose(FIGURES["star"](x, y), slow, atol=1e-5)


@pytest.mark.parametrize("name", FIGURES)
def test_lies_in_the_unit_circle_and_never_overstates_a_distance(name: str) -> None:
    x, y = grid()
    distance = FIGURES[name](x, y)
    inside = distance < 0
    assert np.hypot(x, y)[inside].max() <= 1.01
    assert 0.2 < inside.sum() * 0.02**2 < math.pi
    for axis in (0, 1):
        assert np.abs(np.diff(distance, axis=axis)).max() <= 0.02 * 1.01


def test_figures_differ() -> None:
    x, y = grid()
    insides = [figure(x, y) < 0 for figure in FIGURES.values()]
    assert len(insides) >= 8
    for i, one in enumerate(insides):
        for other in insides[:i]:
            assert (one ^ other).sum() > 0.1 * min(one.sum(), other.sum())
