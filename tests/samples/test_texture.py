"""Fills: within range, two-coloured, repeatable; blotches against a slow spline."""

from __future__ import annotations

import numpy as np
import pytest

from cnnviz_widgets.samples.texture import FILLS, smooth_noise


def slow_spline(t: float) -> float:
    """Cubic B-spline at a distance in knots."""
    t = abs(t)
    if t < 1:
        return (4 - 6 * t**2 + 3 * t**3) / 6
    return (2 - t) ** 3 / 6 if t < 2 else 0.0


def test_blotches_are_the_slow_spline() -> None:
    drawn = smooth_noise((12, 10), 3, np.random.default_rng(4))
    knots = np.random.default_rng(4).random((6, 6), dtype=np.float32)
    for row in range(12):
        for column in range(10):
            y, x = row * 3 / 12 + 1, column * 3 / 10 + 1
            total = sum(
                float(knots[i, j]) * slow_spline(y - i) * slow_spline(x - j)
                for i in range(6)
                for j in range(6)
            )
            expected = min(max((total - 0.5) * 1.6 + 0.5, 0), 1)
            assert drawn[row, column] == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize("name", FILLS)
def test_fill_shows_both_colours(name: str) -> None:
    axis = np.arange(-20, 20, dtype=np.float32)
    u, v = np.meshgrid(axis, axis)
    for seed in range(5):
        weight = FILLS[name](u, v, np.random.default_rng(seed))
        assert weight.shape == u.shape
        assert weight.dtype == np.float32
        assert weight.min() >= 0
        assert weight.max() <= 1
        assert 0.2 < weight.mean() < 0.8
        assert np.ptp(weight) > 0.4
        again = FILLS[name](u, v, np.random.default_rng(seed))
        np.testing.assert_array_equal(weight, again)


def test_stripes_run_along_one_axis() -> None:
    axis = np.arange(16, dtype=np.float32)
    u, v = np.meshgrid(axis, axis)
    weight = FILLS["stripes"](u, v, np.random.default_rng(0))
    np.testing.assert_array_equal(weight, np.broadcast_to(weight[0], weight.shape))
