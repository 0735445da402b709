"""Maps in few bytes: rules are found, errors are bounded, and a slow decoder agrees."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from cnnviz_widgets.export.codec import Encoder, pooled, residuals
from cnnviz_widgets.rendering.quantise import quantise
from cnnviz_widgets.rendering.ranges import channel_ranges

Values = npt.NDArray[np.float32]
GROUP = (0, 0)


def smooth(channels: int = 4, side: int = 16, *, seed: int = 0) -> Values:
    """Return random maps whose neighbours are alike."""
    values = np.random.default_rng(seed).normal(size=(channels, side, side))
    return np.asarray(np.cumsum(np.cumsum(values, axis=1), axis=2), np.float32)


def centred(values: Values) -> Values:
    """Shift each channel so that its positive values reach as far as its negative ones."""
    ends = values.min(axis=(1, 2), keepdims=True) + values.max(axis=(1, 2), keepdims=True)
    return np.asarray(values - ends / 2, np.float32)


def add(encoder: Encoder, values: Values, group: tuple[int, int] = GROUP) -> list[object]:
    low, high = channel_ranges(values)
    return list(encoder.add(quantise(values, low, high), low, high, group))


def errors(encoder: Encoder, values: Values) -> npt.NDArray[np.int16]:
    """Return how wrong each code of the last maps is."""
    low, high = channel_ranges(values)
    maps = next(
        maps
        for seen in encoder._seen.values()
        for maps in seen
        if maps.number == encoder._count - 1
    )
    difference: npt.NDArray[np.int16] = maps.codes.astype(np.int16) - quantise(values, low, high)
    return np.abs(difference)


def slowly_restored(rest: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """Undo `residuals` one value after the other."""
    levels = np.zeros_like(rest)
    for channel, y, x in np.ndindex(rest.shape):
        left = int(levels[channel, y, x - 1]) if x else 0
        above = int(levels[channel, y - 1, x]) if y else 0
        corner = int(levels[channel, y - 1, x - 1]) if x and y else 0
        guess = sorted((left, above, left + above - corner))[1]
        levels[channel, y, x] = (int(rest[channel, y, x]) + guess) % 256
    return levels


@pytest.mark.parametrize("high", [36, 252, 256])
def test_a_slow_decoder_finds_the_values(high: int) -> None:
    levels = np.random.default_rng(high).integers(0, high, (3, 7, 5)).astype(np.uint8)
    np.testing.assert_array_equal(slowly_restored(residuals(levels)), levels)


def test_residuals_by_hand() -> None:
    levels = np.array([[[5, 7], [6, 9]]], np.uint8)
    # first: from 0; second: left 5, above 0, corner 0 -> 5; below: above 5; last: 6 + 7 - 5 = 8,
    # the median of 6, 7 and 8 is 7
    np.testing.assert_array_equal(residuals(levels), [[[5, 2], [1, 2]]])


@pytest.mark.parametrize("steps", [12, 36, 252])
def test_a_stored_value_is_wrong_by_half_a_step_at_most(steps: int) -> None:
    encoder, values = Encoder(steps), smooth()
    assert add(encoder, values) == [steps, None, ""]
    assert errors(encoder, values).max() <= np.ceil(252 / steps / 2)


def test_252_steps_lose_nothing() -> None:
    encoder, values = Encoder(252), smooth()
    for more in (values, np.maximum(values, 0), -2 * values):
        add(encoder, more)
        assert errors(encoder, more).max() == 0


def test_maps_on_another_scale_follow() -> None:
    encoder, values = Encoder(36), smooth()
    add(encoder, values)
    scale = np.array([2, -3, 0.5, -1], np.float32)[:, None, None]
    shift = np.array([1, 0, -7, 2], np.float32)[:, None, None]
    assert add(encoder, values * scale + shift) == [36, ["same", [0], []], "1212"]
    assert encoder.stream[1] == b""


def test_positive_parts_follow() -> None:
    encoder, values = Encoder(126), centred(smooth())
    add(encoder, values)
    _, rule, kinds = add(encoder, np.maximum(values, 0))
    assert (rule, kinds) == (["sum", [0], []], "1111")
    assert errors(encoder, np.maximum(values, 0)).max() <= 3 * 252 / 126


def test_sums_of_two_follow() -> None:
    encoder, one = Encoder(126), centred(smooth(seed=1))
    two = centred(one + 0.3 * smooth(seed=2))
    add(encoder, one)
    add(encoder, two)
    _, rule, kinds = add(encoder, np.maximum(one + two, 0))
    assert rule == ["sum", [1, 0], []]
    assert kinds == "1111"


@pytest.mark.parametrize(("operation", "window"), [("max", [2, 2, 0]), ("mean", [2, 2, 0])])
def test_pooled_maps_follow(operation: str, window: list[int]) -> None:
    encoder, values = Encoder(126), smooth()
    add(encoder, values)
    small = pooled(values.astype(np.float64), operation, *window).astype(np.float32)
    assert add(encoder, small) == [126, [operation, [0], window], "1111"]


def test_pooling_by_hand() -> None:
    values = np.arange(9.0).reshape(1, 3, 3)
    np.testing.assert_array_equal(pooled(values, "max", 3, 2, 1), [[[4, 5], [7, 8]]])
    np.testing.assert_array_equal(pooled(values, "mean", 3, 2, 1), [[[2, 3], [5, 6]]])


def test_maps_of_other_pictures_are_not_followed() -> None:
    encoder, values = Encoder(36), smooth()
    add(encoder, values, (0, 0))
    assert add(encoder, values, (0, 1)) == [36, None, ""]


def test_a_channel_that_does_not_follow_is_stored() -> None:
    encoder, values = Encoder(36), smooth()
    add(encoder, values)
    other = np.concatenate([values[:3], smooth(seed=9)[:1]])
    assert add(encoder, other) == [36, ["same", [0], []], "1110"]
    assert len(encoder.stream[1]) == 16 * 16


def test_followed_values_are_wrong_by_three_steps_at_most() -> None:
    encoder, values = Encoder(36), smooth(8, 24)
    add(encoder, values)
    for shift in (0, 5, 20, 60):
        add(encoder, np.maximum(values - shift, 0))
        assert errors(encoder, np.maximum(values - shift, 0)).max() <= 3 * 252 / 36


def test_values_that_are_no_numbers_stay_as_they_are() -> None:
    encoder, values = Encoder(36), smooth()
    values[0, 0, :3] = np.nan, np.inf, -np.inf
    assert add(encoder, values)[0] == 252
    low, high = channel_ranges(values)
    rest = np.frombuffer(encoder.stream[0], np.uint8).reshape(values.shape)
    np.testing.assert_array_equal(slowly_restored(rest), quantise(values, low, high))


def test_constant_channels_are_no_trouble() -> None:
    encoder = Encoder(36)
    add(encoder, np.full((2, 4, 4), 3, np.float32))
    add(encoder, np.zeros((2, 4, 4), np.float32))
    assert errors(encoder, np.zeros((2, 4, 4), np.float32)).max() == 0
