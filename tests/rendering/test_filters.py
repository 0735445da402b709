"""Norms, dead filters, likeness and colour kernels, against numbers by hand and slow float64."""

from __future__ import annotations

import time

import numpy as np
import numpy.typing as npt
import pytest

from cnnviz_widgets.rendering import filters
from cnnviz_widgets.rendering.colormap import palette
from cnnviz_widgets.rendering.filters import (
    MOST_COMPARED,
    block_norms,
    dead_filters,
    filter_norms,
    likeness,
    place_norms,
    render_colour,
    symmetric_ends,
)
from cnnviz_widgets.rendering.quantise import quantise
from cnnviz_widgets.rendering.ranges import Scale, statistics

Floats = npt.NDArray[np.float32]


def weights(*shape: int, seed: int = 0) -> Floats:
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


def norms_of(values: Floats) -> Floats:
    return filter_norms(statistics(values.reshape(len(values), 1, -1)))


def slow_order(values: Floats) -> list[int]:
    """The chain of `likeness`, word by word, in float64."""
    flat = values.reshape(len(values), -1).astype(np.float64)
    norms = np.sqrt((flat**2).sum(axis=1))
    left = [f for f in range(len(flat)) if norms[f] > 0.02 * max(norms)]
    dead = [f for f in range(len(flat)) if f not in left]
    current = max(left, key=lambda f: (norms[f], -f))
    order = [current]
    left.remove(current)
    while left:
        last = flat[current] / norms[current]
        cosines = {f: round(float(last @ flat[f] / norms[f]), 5) for f in left}
        current = min(left, key=lambda f: (-cosines[f], f))
        left.remove(current)
        order.append(current)
    return order + dead


def test_norms_are_those_of_the_flat_filters() -> None:
    values = np.array([[[3, 4]], [[0, 0]], [[-1, 1]]], np.float32)
    np.testing.assert_allclose(norms_of(values), [5, 0, np.sqrt(2)], rtol=1e-7)
    values = weights(7, 5, 3, 3) + 3
    slow = np.sqrt((values.reshape(7, -1).astype(np.float64) ** 2).sum(axis=1))
    np.testing.assert_allclose(norms_of(values), slow, rtol=1e-6)


def test_norms_leave_out_what_is_no_number() -> None:
    values = np.array([[[3, np.nan, 4, np.inf]]], np.float32)
    np.testing.assert_allclose(norms_of(values), [5], rtol=1e-7)


def test_dead_is_two_per_cent_of_the_largest_norm_or_less() -> None:
    norms = np.array([10, 0.2, 0.21, 0], np.float32)
    assert dead_filters(norms).tolist() == [False, True, False, True]
    assert dead_filters(np.zeros(3, np.float32)).all()
    assert dead_filters(np.zeros(0, np.float32)).tolist() == []


def test_place_norms_by_hand_and_by_sum() -> None:
    values = np.array([[[[3, 0]], [[4, -1]]]], np.float32)  # one filter, two inputs, 1 x 2
    assert place_norms(values).tolist() == [[[5, 1]]]
    values = weights(4, 6, 3, 2, 5)
    slow = np.sqrt((values.astype(np.float64) ** 2).sum(axis=1))
    np.testing.assert_allclose(place_norms(values), slow, rtol=1e-6)


@pytest.mark.parametrize("width", [1, 2, 3, 7, 9])
def test_block_norms_are_root_mean_squares(width: int) -> None:
    matrix = weights(3, 7)
    blocks = [matrix[:, at : at + width].astype(np.float64) for at in range(0, 7, width)]
    slow = np.stack([np.sqrt((block**2).mean(axis=1)) for block in blocks], axis=1)
    np.testing.assert_allclose(block_norms(matrix, width), slow, rtol=1e-6)


def test_block_norms_by_hand() -> None:
    assert block_norms(np.array([[3, -3, 4]], np.float32), 2).tolist() == [[3, 4]]


def test_zero_is_the_middle_code_and_nothing_else() -> None:
    values = np.array([[[-0.5, 0, 1e-3, 0.25]], [[0, 0, 0, 0]]], np.float32)
    ends = symmetric_ends(values)
    assert ends.tolist() == [0.5, 0]
    assert quantise(values, -ends, ends)[0, 0].tolist() == [0, 126, 126, 189]
    with np.errstate(invalid="ignore"):
        assert symmetric_ends(np.array([[[np.nan, np.inf, -2]]], np.float32)).tolist() == [2]


def test_likeness_by_hand() -> None:
    values = np.array(
        [[1, 0, 0, 0], [0, 3, 0, 0], [0, 2, 0, 0.002], [0, 0, 0, 0], [1, 1, 0, 0]], np.float32
    )
    found = likeness(values)
    assert found is not None
    assert found.nearest.tolist() == [4, 2, 1, 3, 0]
    np.testing.assert_allclose(found.cosine, [0.70711, 1, 1, 0, 0.70711], atol=1e-5)
    assert found.order.tolist() == [1, 2, 4, 0, 3]  # the largest, its like, and the zero one last


@pytest.mark.parametrize("seed", range(4))
def test_the_order_is_that_of_the_words(seed: int) -> None:
    values = weights(23, 4, 3, 3, seed=seed)
    values[5] = 2 * values[11]
    values[7] = 0
    values[3] *= 0.001
    found = likeness(values)
    assert found is not None
    assert found.order.tolist() == slow_order(values)
    assert sorted(found.order.tolist()) == list(range(23))
    assert (found.nearest[5], found.nearest[11]) == (11, 5)
    assert found.cosine[5] == 1


def test_only_filters_of_a_group_are_nearest() -> None:
    values = weights(6, 4)
    values[3] = values[0]
    found = likeness(values, groups=2)
    assert found is not None
    assert set(found.nearest[:3].tolist()) <= {0, 1, 2}
    assert found.cosine[0] < 0.99
    depthwise = likeness(weights(5, 1, 3, 3), groups=5)
    assert depthwise is not None
    assert depthwise.nearest.tolist() == [0, 1, 2, 3, 4]
    assert not depthwise.cosine.any()


@pytest.mark.parametrize("factor", [1e-30, 1e25])
def test_very_small_and_very_large_filters_are_compared(factor: float) -> None:
    values = weights(9, 8)
    plain, scaled = likeness(values), likeness((values * np.float32(factor)).astype(np.float32))
    assert plain is not None
    assert scaled is not None
    np.testing.assert_array_equal(plain.order, scaled.order)
    np.testing.assert_allclose(plain.cosine, scaled.cosine, atol=2e-5)


def test_filters_that_are_not_finite_come_last() -> None:
    values = weights(4, 5)
    values[0, 0], values[2, 1] = np.nan, -np.inf
    found = likeness(values)
    assert found is not None
    assert found.order.tolist()[2:] == [0, 2]
    assert (found.nearest[0], found.cosine[0]) == (0, 0)


def test_what_cannot_be_compared_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    assert likeness(weights(5, 3)) is None
    assert likeness(np.zeros((MOST_COMPARED + 1, 4), np.float32)) is None
    assert likeness(np.zeros((0, 4), np.float32)) is None
    monkeypatch.setattr(filters, "MOST_PRODUCTS", 3 * 3 * 8)
    assert likeness(weights(3, 8)) is not None
    assert likeness(weights(3, 9)) is None
    pair = likeness(weights(2, 4))
    assert pair is not None
    assert pair.nearest.tolist() == [1, 0]
    alone = likeness(weights(1, 4))
    assert alone is not None
    assert (alone.nearest.tolist(), alone.order.tolist()) == ([0], [0])


def test_the_order_of_2048_filters_takes_no_longer_than_three_products() -> None:
    values = weights(2048, 512)
    product, whole = [], []
    for _ in range(3):
        start = time.perf_counter()
        values @ values.T
        product.append(time.perf_counter() - start)
        start = time.perf_counter()
        likeness(values)
        whole.append(time.perf_counter() - start)
    assert min(whole) < 3 * min(product) + 0.5


@pytest.mark.parametrize("mode", ["channel", "layer"])
def test_colour_is_grey_at_zero_and_symmetric(mode: str) -> None:
    values = weights(3, 3, 2, 2)
    values[0, :, 0, 0] = 0
    ends = symmetric_ends(values.reshape(3, 6, 2))
    codes = quantise(values.reshape(3, 6, 2), -ends, ends).reshape(values.shape)
    drawn = render_colour(
        codes, -ends, ends, scale=Scale("layer" if mode == "layer" else "channel")
    )
    assert drawn.shape == (3, 2, 2, 3)
    assert drawn[0, 0, 0].tolist() == [128, 128, 128]
    scale = ends.max() if mode == "layer" else ends[:, None, None, None]
    slow = 127.5 + values.transpose(0, 2, 3, 1).astype(np.float64) / scale * 127.5
    np.testing.assert_allclose(drawn, slow, atol=1.01)  # a code is half a level, a byte as much


def test_a_colour_kernel_of_zeros_is_grey() -> None:
    zeros = np.zeros(1, np.float32)
    drawn = render_colour(np.zeros((1, 3, 1, 1), np.uint8), zeros, zeros, scale=Scale("layer"))
    assert drawn.tolist() == [[[[128, 128, 128]]]]


def test_a_place_that_is_no_number_has_its_own_colour() -> None:
    codes = np.full((1, 3, 1, 3), 126, np.uint8)
    codes[0, 1, 0, 0], codes[0, 2, 0, 1] = 253, 254
    end = np.ones(1, np.float32)
    drawn = render_colour(codes, -end, end, scale=Scale("layer"))[0, 0].tolist()
    colours = palette("viridis")
    assert drawn == [colours[258].tolist(), colours[259].tolist(), [128, 128, 128]]
