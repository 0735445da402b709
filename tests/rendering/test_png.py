from __future__ import annotations

import io
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from cnnviz_widgets.rendering import png_bytes


def decoded(data: bytes) -> npt.NDArray[np.uint8]:
    with Image.open(io.BytesIO(data)) as picture:
        assert picture.format == "PNG"
        return np.asarray(picture)


def noise(height: int, width: int) -> npt.NDArray[np.uint8]:
    return np.random.default_rng(0).integers(0, 256, (height, width, 3), np.uint8)


def test_a_picture_comes_back_as_it_was() -> None:
    rgb = noise(13, 7)
    np.testing.assert_array_equal(decoded(png_bytes(rgb)), rgb)
    np.testing.assert_array_equal(decoded(png_bytes(rgb[::-2, ::3])), rgb[::-2, ::3])
    np.testing.assert_array_equal(decoded(png_bytes(rgb, max_bytes=10_000)), rgb)


@pytest.mark.parametrize("max_bytes", [80_000, 5_000, 500, 100])
def test_a_picture_is_made_to_fit(max_bytes: int) -> None:
    data = png_bytes(noise(300, 200), max_bytes=max_bytes)
    assert len(data) <= max_bytes
    height, width, _ = decoded(data).shape
    if max_bytes >= 5_000:
        assert height / width == pytest.approx(1.5, rel=0.1)
        assert len(data) > max_bytes / 2


def test_bad_input_is_refused() -> None:
    floats: Any = np.zeros((2, 2, 3))
    with pytest.raises(TypeError, match=r"rgb is float64; give a uint8 NumPy array"):
        png_bytes(floats)
    with pytest.raises(ValueError, match=r"rgb has shape \(2, 2\); give \(H, W, 3\)"):
        png_bytes(np.zeros((2, 2), np.uint8))
    with pytest.raises(
        ValueError, match=r"max_bytes=10 is too small for any PNG; give 100 or more"
    ):
        png_bytes(noise(4, 4), max_bytes=10)
