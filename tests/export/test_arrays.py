"""The arrays of a page: rounded as far as promised, each once."""

from __future__ import annotations

import numpy as np
import pytest

from cnnviz_widgets.export.arrays import Arrays, fewer_bits, rounded
from cnnviz_widgets.streaming.baked import StoredAnswer, StoredFrame
from cnnviz_widgets.streaming.wire import pack


@pytest.mark.parametrize("bits", [8, 13])
def test_rounding_keeps_its_bound(bits: int) -> None:
    values = np.random.default_rng(0).normal(0, 1e3, 10_000).astype(np.float32)
    kept = fewer_bits(values, bits)
    assert (np.abs(kept / values - 1) <= 2.0 ** -(bits + 1)).all()
    assert (np.ascontiguousarray(kept).view(np.uint32) & ((1 << (23 - bits)) - 1) == 0).all()


def test_what_is_no_number_is_not_rounded() -> None:
    odd = np.array([np.nan, np.inf, -np.inf, 0, -0.0, np.finfo(np.float32).max], np.float32)
    np.testing.assert_array_equal(fewer_bits(odd, 8), odd)


def test_equal_ends_stay_equal() -> None:
    facts = np.full((4, 3), np.float32(1 / 3))
    low, high, *_ = rounded(facts)
    np.testing.assert_array_equal(low, high)


def frame(**arrays: object) -> StoredFrame:
    return StoredFrame(*pack({}, {name: np.asarray(array) for name, array in arrays.items()}))


def maps_frame() -> StoredFrame:
    codes = np.arange(2 * 4 * 4, dtype=np.uint8).reshape(2, 4, 4)
    facts = np.array([[0, 0], [1, 2], [0.5, 1], [0.1, 0.2]], np.float32)
    return frame(codes=codes, statistics=facts, zeros=np.zeros(2, np.uint16))


def test_arrays_of_every_kind_find_their_way() -> None:
    arrays = Arrays(36)
    picture = frame(rgb=np.zeros((3, 2, 3), np.uint8))
    values = frame(values=np.ones(5, np.float32))
    frames = (maps_frame(), picture, values, maps_frame())
    described, _ = arrays.describe(StoredAnswer("layer", {"image": 0}, frames), 0)
    _, memory = arrays.packed()
    assert described[:2] == ["layer", {"image": 0}]
    starts = [start for _header, start, _size in described[2]]  # type: ignore[misc,union-attr]
    assert starts == [0, 72, 96, 0]
    assert memory["size"] == 116
    assert memory["raw"] == [[64, 4]]
    assert memory["pictures"] == [[72, 0, [[3, 3, 2]]]]
    assert memory["floats"] == [[32, 4], [96, 5]]  # means and variances follow from the codes
    assert memory["maps"] == [[0, 0, [2, 4, 4], 32, True, 36, None, ""]]
