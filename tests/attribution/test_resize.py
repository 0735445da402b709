"""Resizing is that of torch.nn.functional.interpolate."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch.nn.functional import interpolate

from cnnviz_widgets.attribution.resize import resized

SIZES = [
    ((7, 7), (224, 224)), ((5, 3), (31, 17)), ((10, 12), (4, 5)), ((1, 9), (1, 50)),
    ((13, 13), (227, 200)), ((1, 1), (3, 4)), ((4, 6), (4, 6)),
]  # fmt: skip


@pytest.mark.parametrize(("given", "wanted"), SIZES)
def test_equal_to_torch(given: tuple[int, int], wanted: tuple[int, int]) -> None:
    values = np.random.default_rng(0).normal(size=given).astype(np.float32)
    tensor = torch.from_numpy(values)[None, None]
    smooth = interpolate(tensor, size=wanted, mode="bilinear", align_corners=False)[0, 0]
    # torch has the places in float32, we in float64
    np.testing.assert_allclose(resized(values, wanted), smooth, rtol=1e-4, atol=1e-5)
    nearest = interpolate(tensor, size=wanted, mode="nearest")[0, 0]
    np.testing.assert_array_equal(resized(values, wanted, smooth=False), nearest)


def test_the_same_size_is_the_same_array() -> None:
    values = np.ones((3, 4), np.float32)
    assert resized(values, (3, 4)) is values


def test_a_nan_spreads_only_where_it_has_a_part() -> None:
    values = np.array([[np.nan, 1.0, 2.0, np.inf]], np.float32)
    shown = resized(values, (1, 8))[0]
    assert np.isnan(shown).tolist() == [True, True, True, False, False, False, False, False]
    assert np.isinf(shown).tolist() == [False, False, False, False, False, True, True, True]
