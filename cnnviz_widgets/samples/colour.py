"""Colours of the embedded pictures: lightness, chroma and hue in, sRGB out (NumPy only)."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

_TO_CONE = np.array(
    [
        [1.0, 0.3963377774, 0.2158037573],
        [1.0, -0.1055613458, -0.0638541728],
        [1.0, -0.0894841775, -1.2914855480],
    ]
)
_TO_LINEAR = np.array(
    [
        [4.0767416621, -3.3077115913, 0.2309699292],
        [-1.2684380046, 2.6097574011, -0.3413193965],
        [-0.0041960863, -0.7034186147, 1.7076147010],
    ]
)


def srgb(lightness: ArrayLike, chroma: ArrayLike, hue: ArrayLike) -> NDArray[np.float32]:
    """Turn OKLCH colours into sRGB.

    Equal steps of OKLCH look equally large, so contrast can be set by number.

    Parameters
    ----------
    lightness
        0 (black) to 1 (white).
    chroma
        0 (grey) to about 0.3; colours outside sRGB are clipped per channel.
    hue
        Degrees, any value.

    Returns
    -------
    ndarray, float32, the broadcast shape plus (3,)
        Red, green and blue in 0..1, gamma encoded.

    References
    ----------
    B. Ottosson, "A perceptual color space for image processing", 2020.
    """
    angle = np.deg2rad(np.asarray(hue, dtype=np.float64))
    amount = np.asarray(chroma, dtype=np.float64)
    light = np.asarray(lightness, dtype=np.float64)
    lab = np.stack(
        np.broadcast_arrays(light, amount * np.cos(angle), amount * np.sin(angle)), axis=-1
    )
    linear = np.clip(((lab @ _TO_CONE.T) ** 3) @ _TO_LINEAR.T, 0.0, 1.0)
    curved = 1.055 * linear ** (1 / 2.4) - 0.055
    encoded: NDArray[np.float64] = np.where(linear <= 0.0031308, 12.92 * linear, curved)
    return encoded.astype(np.float32)
