from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from cnnviz_widgets.rendering import Scale, channel_ranges, scale_range, statistics

Floats = npt.NDArray[np.float32]

maps = hnp.arrays(
    np.float32,
    hnp.array_shapes(min_dims=3, max_dims=3, min_side=0, max_side=5),
    elements=st.floats(width=32),
)


def f32(*values: float) -> Floats:
    return np.array(values, np.float32)


def finite_of(channel: Floats) -> list[float]:
    return [float(value) for value in channel.ravel() if math.isfinite(value)]


def test_ranges_by_hand() -> None:
    values = np.array([[[3, -1]], [[0, 0]], [[2, np.nan]], [[np.inf, -np.inf]]], np.float32)
    low, high = channel_ranges(values)
    np.testing.assert_array_equal(low, f32(-1, 0, 2, 0))
    np.testing.assert_array_equal(high, f32(3, 0, 2, 0))
    assert low.dtype == high.dtype == np.float32


@given(maps)
@settings(max_examples=60, deadline=None)
def test_ranges_are_those_of_the_finite_values(values: Floats) -> None:
    low, high = channel_ranges(values)
    for channel, a, b in zip(values, low, high, strict=True):
        finite = finite_of(channel) or [0.0]
        assert (float(a), float(b)) == (min(finite), max(finite))


def test_ranges_leave_the_values_alone() -> None:
    values = np.array([[[1, np.nan, np.inf]]], np.float32)
    values.flags.writeable = False
    channel_ranges(values)
    statistics(values)


def test_a_view_with_gaps_is_read_right() -> None:
    values = np.arange(48, dtype=np.float32).reshape(2, 4, 6)[:, ::2, ::-3]
    low, high = channel_ranges(values)
    np.testing.assert_array_equal(low, f32(2, 26))
    np.testing.assert_array_equal(high, f32(17, 41))


def test_statistics_by_hand() -> None:
    values = np.array([[[1, 2], [3, 6]], [[0, -0.0], [0, 4]], [[np.nan] * 2, [5, np.inf]]], "f4")
    found = statistics(values)
    np.testing.assert_array_equal(found.minimum, f32(1, 0, 5))
    np.testing.assert_array_equal(found.maximum, f32(6, 4, 5))
    np.testing.assert_array_equal(found.mean, f32(3, 1, 5))
    np.testing.assert_array_equal(found.variance, f32(3.5, 3, 0))
    np.testing.assert_array_equal(found.zeros, [0, 3, 0])
    np.testing.assert_array_equal(found.finite, [4, 4, 1])
    assert found.zeros.dtype == np.uint32


@given(maps)
@settings(max_examples=60, deadline=None)
def test_statistics_equal_exact_sums(values: Floats) -> None:
    found = statistics(values)
    for channel in range(len(values)):
        finite = finite_of(values[channel])
        count = max(len(finite), 1)
        mean = math.fsum(value / count for value in finite)
        variance = math.fsum((value - mean) ** 2 / count for value in finite)
        size = max(map(abs, finite), default=0.0)
        assert float(found.mean[channel]) == pytest.approx(mean, rel=1e-6, abs=1e-7 * size + 1e-45)
        with np.errstate(over="ignore"):
            expected = float(np.float32(variance))
        if math.isfinite(expected):
            assert float(found.variance[channel]) == pytest.approx(
                expected, rel=1e-6, abs=1e-13 * size**2 + 1e-45
            )
        else:
            assert float(found.variance[channel]) > 3.4e38
        assert found.zeros[channel] == sum(1 for value in finite if value == 0)
        assert found.finite[channel] == len(finite)


def test_statistics_over_more_than_one_block_of_channels() -> None:
    values = np.random.default_rng(0).standard_normal((40, 64, 64), dtype=np.float32)
    values[33, 0, 0] = np.nan
    found = statistics(values)
    wide = values.astype(np.float64).reshape(40, -1)
    np.testing.assert_allclose(found.mean, np.nanmean(wide, axis=1), rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(found.variance, np.nanvar(wide, axis=1), rtol=1e-6)
    assert found.finite[33] == 64 * 64 - 1


@pytest.mark.parametrize(
    ("scale", "low", "high"),
    [
        (Scale("channel"), [-2, 1, 0], [1, 4, 0]),
        (Scale("layer"), [-2, -2, -2], [4, 4, 4]),
        (Scale("fixed", -1, 3), [-1, -1, -1], [3, 3, 3]),
        (Scale("channel", diverging=True), [-2, -4, 0], [2, 4, 0]),
        (Scale("layer", diverging=True), [-4, -4, -4], [4, 4, 4]),
        (Scale("fixed", -1, 3, diverging=True), [-3, -3, -3], [3, 3, 3]),
    ],
)
def test_scale_range(scale: Scale, low: list[float], high: list[float]) -> None:
    start, end = scale_range(f32(-2, 1, 0), f32(1, 4, 0), scale=scale)
    np.testing.assert_array_equal(start, low)
    np.testing.assert_array_equal(end, high)
    assert start.dtype == end.dtype == np.float64


def test_a_channel_without_finite_values_does_not_widen_the_layer() -> None:
    counted = np.array([True, False])
    start, end = scale_range(f32(3, 0), f32(5, 0), scale=Scale("layer"), counted=counted)
    np.testing.assert_array_equal(start, [3, 3])
    np.testing.assert_array_equal(end, [5, 5])
    start, end = scale_range(f32(3, 0), f32(5, 0), scale=Scale("layer"), counted=counted & False)
    np.testing.assert_array_equal(start, [0, 0])
    np.testing.assert_array_equal(end, [0, 0])


def test_maps_of_one_value_share_a_scale() -> None:
    assert Scale(diverging=True).of_maps(1, 1) == Scale("layer", diverging=True)
    assert Scale().of_maps(1, 2) == Scale()
    assert Scale("fixed", 0, 2).of_maps(1, 1) == Scale("fixed", 0, 2)


@pytest.mark.parametrize(
    "ends", [(1, 0), (math.nan, 1), (0, math.inf), (-1.7e308, 1.7e308), (0, 1.7e308)]
)
def test_a_fixed_range_must_be_one(ends: tuple[float, float]) -> None:
    with pytest.raises(
        ValueError, match=r"is not a range; give two finite numbers with low <= high"
    ):
        Scale("fixed", *ends)


def test_an_unknown_mode_is_refused() -> None:
    mode: Any = "all"
    with pytest.raises(ValueError, match=r"mode='all' is no scale; choose one of channel, layer"):
        Scale(mode)


def test_other_arrays_are_refused() -> None:
    double: Any = np.zeros((1, 2, 2))
    nothing: Any = [[[1.0]]]
    with pytest.raises(TypeError, match=r"values is float64; give a float32 NumPy array of shape"):
        channel_ranges(double)
    with pytest.raises(TypeError, match=r"values is list; give a float32 NumPy array"):
        statistics(nothing)
    with pytest.raises(ValueError, match=r"values has shape \(2, 2\); give maps of shape"):
        channel_ranges(np.zeros((2, 2), np.float32))
