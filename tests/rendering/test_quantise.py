from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from cnnviz_widgets.rendering import (
    channel_ranges,
    dequantise,
    quantise,
    reduce_maps,
    reduction_factor,
)

Floats = npt.NDArray[np.float32]

maps = hnp.arrays(
    np.float32,
    hnp.array_shapes(min_dims=3, max_dims=3, min_side=0, max_side=6),
    elements=st.floats(width=32),
)


def slow_code(value: float, low: float, high: float) -> int:
    """Code of one value as the rule reads, in Python's float64."""
    if math.isnan(value):
        return 253
    if math.isinf(value):
        return 254 if value > 0 else 255
    return 0 if high == low else math.floor((value - low) / (high - low) * 252 + 0.5)


def slow_codes(values: Floats, low: Floats, high: Floats) -> list[int]:
    return [
        slow_code(float(value), float(a), float(b))
        for channel, a, b in zip(values, low, high, strict=True)
        for value in channel.ravel()
    ]


def slow_means(values: Floats, k: int) -> npt.NDArray[np.float64]:
    channels, height, width = values.shape
    shape = (channels, math.ceil(height / k), math.ceil(width / k))
    means = np.empty(shape)
    for c, y, x in np.ndindex(shape):
        block = values[c, y * k : (y + 1) * k, x * k : (x + 1) * k]
        means[c, y, x] = sum(map(float, block.ravel())) / block.size
    return means


def test_codes_by_hand() -> None:
    values = np.array([[[0, 1, 252], [0.49, 0.5, 251.5]]], np.float32)
    codes = quantise(values, *channel_ranges(values))
    assert codes.tolist() == [[[0, 1, 252], [0, 1, 252]]]
    assert codes.dtype == np.uint8


def test_codes_of_what_is_no_number() -> None:
    values = np.array([[[np.nan, np.inf, -np.inf, 2, 4]], [[7] * 5], [[np.nan] * 5]], np.float32)
    codes = quantise(values, *channel_ranges(values))
    assert codes.tolist() == [[[253, 254, 255, 0, 252]], [[0] * 5], [[253] * 5]]


@given(maps)
@settings(max_examples=100, deadline=None)
def test_codes_equal_the_rule_in_float64(values: Floats) -> None:
    low, high = channel_ranges(values)
    assert quantise(values, low, high).ravel().tolist() == slow_codes(values, low, high)


def test_codes_of_a_real_size_equal_the_rule() -> None:
    values = np.random.default_rng(0).standard_normal((70, 31, 33), dtype=np.float32)
    values[66, 3] = np.inf
    low, high = channel_ranges(values)
    assert quantise(values, low, high).ravel().tolist() == slow_codes(values, low, high)


@given(maps)
@settings(max_examples=100, deadline=None)
def test_largest_error(values: Floats) -> None:
    low, high = channel_ranges(values)
    decoded = dequantise(quantise(values, low, high), low, high)
    finite = np.isfinite(values)
    span = high.astype(np.float64) - low.astype(np.float64)
    bound = span / 504 + 3e-15 * np.maximum(np.abs(low), np.abs(high))
    wide = np.where(finite, values, 0).astype(np.float64)
    error = np.abs(np.where(finite, decoded, 0) - wide)
    assert (error <= bound[:, None, None]).all()
    np.testing.assert_array_equal(decoded[~finite], values[~finite])


@given(maps)
@settings(max_examples=60, deadline=None)
def test_the_ends_of_a_channel_are_kept(values: Floats) -> None:
    low, high = channel_ranges(values)
    decoded = dequantise(quantise(values, low, high), low, high)
    for channel, levels, a, b in zip(values, decoded, low, high, strict=True):
        assert (levels[channel == a] == a).all()
        assert (levels[np.isfinite(channel)] <= b).all()


def test_quantise_reads_a_view_with_gaps_and_leaves_it_alone() -> None:
    base = np.random.default_rng(1).standard_normal((4, 8, 10), dtype=np.float32)
    base[0, 0, 0] = np.nan
    before = base.copy()
    view = base[::2, ::-2, 1::3]
    low, high = channel_ranges(view)
    np.testing.assert_array_equal(
        quantise(view, low, high), quantise(np.ascontiguousarray(view), low, high)
    )
    np.testing.assert_array_equal(base, before)


@pytest.mark.parametrize("shape", [(0, 3, 3), (3, 0, 2), (2, 4, 0)])
def test_maps_without_values(shape: tuple[int, int, int]) -> None:
    values = np.zeros(shape, np.float32)
    assert quantise(values, *channel_ranges(values)).shape == shape
    assert reduce_maps(values, 2)[0].shape == shape


def test_means_by_hand() -> None:
    values = np.array([[[1, 2, 3], [5, 6, 7], [9, 10, 20]]], np.float32)
    reduced, k = reduce_maps(values, 2)
    assert k == 2
    assert reduced.tolist() == [[[3.5, 5], [9.5, 20]]]
    assert reduced.dtype == np.float32


@given(
    hnp.arrays(
        np.float32,
        hnp.array_shapes(min_dims=3, max_dims=3, min_side=1, max_side=9),
        elements=st.floats(-(2.0**100), 2.0**100, width=32),
    ),
    st.integers(1, 9),
)
@settings(max_examples=80, deadline=None)
def test_means_equal_slow_ones(values: Floats, tile_px: int) -> None:
    reduced, k = reduce_maps(values, tile_px)
    assert max(reduced.shape[1:]) <= tile_px
    size = float(np.abs(values).max())
    np.testing.assert_allclose(reduced, slow_means(values, k), rtol=1e-7, atol=1e-13 * size + 1e-45)


def test_means_over_more_than_one_block_of_channels() -> None:
    values = np.random.default_rng(2).standard_normal((9, 211, 190), dtype=np.float32)
    reduced, k = reduce_maps(values, 54)
    assert k == 4
    np.testing.assert_allclose(reduced, slow_means(values, 4), rtol=1e-6, atol=1e-9)


def test_means_follow_float_arithmetic() -> None:
    top = float(np.finfo(np.float32).max)
    values = np.array([[[np.inf, 1, np.nan, 1, np.inf, -np.inf, top, top]] * 2], np.float32)
    np.testing.assert_array_equal(
        reduce_maps(values, 4)[0], np.array([[[np.inf, np.nan, np.nan, top]]], np.float32)
    )


def test_a_map_that_fits_is_not_copied() -> None:
    values = np.zeros((1, 4, 3), np.float32)
    reduced, k = reduce_maps(values, 4)
    assert reduced is values
    assert k == 1


@pytest.mark.parametrize(
    ("height", "width", "tile_px", "k"),
    [(56, 56, 56, 1), (57, 1, 56, 2), (1, 112, 56, 2), (113, 7, 56, 3), (0, 0, 5, 1), (7, 7, 1, 7)],
)
def test_reduction_factor(height: int, width: int, tile_px: int, k: int) -> None:
    assert reduction_factor(height, width, tile_px=tile_px) == k


def test_a_tile_without_pixels_is_refused() -> None:
    with pytest.raises(ValueError, match=r"tile_px=0 is no size; give 1 device pixel or more"):
        reduce_maps(np.zeros((1, 2, 2), np.float32), 0)
