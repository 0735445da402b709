"""Colours against published values and hand numbers."""

from __future__ import annotations

import numpy as np

from cnnviz_widgets.samples.colour import srgb


def test_black_white_and_grey() -> None:
    colours = srgb([0.0, 1.0, 0.5], 0.0, 123.0)
    # Lightness 0.5 without chroma is 0.5 ** 3 of linear light in every channel.
    grey = 1.055 * 0.125 ** (1 / 2.4) - 0.055
    np.testing.assert_allclose(colours, [[0] * 3, [1] * 3, [grey] * 3], atol=1e-4)


def test_primaries() -> None:
    red = srgb(0.62796, 0.25768, 29.234)
    blue = srgb(0.45201, 0.31321, 264.052)
    np.testing.assert_allclose(red, [1, 0, 0], atol=2e-3)
    np.testing.assert_allclose(blue, [0, 0, 1], atol=2e-3)


def test_outside_srgb_is_clipped() -> None:
    vivid = srgb(np.full(360, 0.6), 0.5, np.arange(360))
    assert vivid.shape == (360, 3)
    assert vivid.dtype == np.float32
    assert vivid.min() >= 0
    assert vivid.max() <= 1
