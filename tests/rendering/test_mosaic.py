from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from cnnviz_widgets.rendering import mosaic


def test_a_mosaic_by_hand() -> None:
    pictures = np.zeros((3, 1, 2, 3), np.uint8)
    pictures[0], pictures[1], pictures[2] = 10, 20, 30
    whole = mosaic(pictures, 2, gap=1, background=(1, 1, 1))
    assert whole[..., 0].tolist() == [[10, 10, 1, 20, 20], [1] * 5, [30, 30, 1, 1, 1]]
    assert (whole[..., 0] == whole[..., 2]).all()


@pytest.mark.parametrize("gap", [0, 1, 3])
@pytest.mark.parametrize("columns", [1, 2, 5, 7])
def test_every_picture_is_at_its_place(columns: int, gap: int) -> None:
    pictures = np.random.default_rng(0).integers(0, 256, (5, 3, 4, 3), np.uint8)
    whole = mosaic(pictures, columns, gap=gap, background=(9, 8, 7))
    rows = -(-5 // columns)
    expected = np.empty((rows * 3 + (rows - 1) * gap, columns * 4 + (columns - 1) * gap, 3), "u1")
    expected[:] = (9, 8, 7)
    for place, picture in enumerate(pictures):
        y, x = place // columns * (3 + gap), place % columns * (4 + gap)
        expected[y : y + 3, x : x + 4] = picture
    np.testing.assert_array_equal(whole, expected)


def test_the_default_is_about_square() -> None:
    assert mosaic(np.zeros((64, 7, 7, 3), np.uint8), gap=0).shape == (56, 56, 3)
    assert mosaic(np.zeros((2, 1, 90, 3), np.uint8), gap=0).shape == (2, 90, 3)
    assert mosaic(np.zeros((2, 90, 1, 3), np.uint8), gap=0).shape == (90, 2, 3)


def test_bad_input_is_refused() -> None:
    pictures = np.zeros((2, 3, 3, 3), np.uint8)
    floats: Any = np.zeros((2, 3, 3, 3))
    with pytest.raises(TypeError, match=r"pictures is float64; give a uint8 NumPy array"):
        mosaic(floats)
    with pytest.raises(ValueError, match=r"pictures has shape \(3, 3, 3\); give \(C, H, W, 3\)"):
        mosaic(pictures[0])
    with pytest.raises(ValueError, match=r"with at least one pixel"):
        mosaic(pictures[:0])
    with pytest.raises(ValueError, match=r"columns=0, gap=1: give columns >= 1 and gap >= 0"):
        mosaic(pictures, 0)
    with pytest.raises(ValueError, match=r"columns=1, gap=-1: give columns"):
        mosaic(pictures, 1, gap=-1)
