"""Class-activation maps in float64 NumPy, place by place, each written from its paper.

A and G have shape (C, H, W): activation and gradient of one layer.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def weighted_sum(weights: Array, a: Array) -> Array:
    """sum_k w_k A_k."""
    total = np.zeros(a.shape[1:])
    for weight, channel in zip(weights, a, strict=True):
        total += weight * channel
    return total


def gradcam(a: Array, g: Array) -> Array:
    """arXiv:1610.02391, eq. 1 and 2 without the ReLU."""
    z = a.shape[1] * a.shape[2]
    return weighted_sum(np.array([channel.sum() / z for channel in g]), a)


def gradcam_plus_plus(a: Array, g: Array) -> Array:
    """arXiv:1710.11063, eq. 19 with derivatives of Y = exp(S); the factor exp(S) is left out."""
    weights = np.zeros(len(a))
    for k, i, j in np.ndindex(a.shape):
        second, third = g[k, i, j] ** 2, g[k, i, j] ** 3
        below = 2 * second + a[k].sum() * third
        alpha = second / below if below != 0 else 0.0
        weights[k] += alpha * max(g[k, i, j], 0.0)
    return weighted_sum(weights, a)


def hirescam(a: Array, g: Array) -> Array:
    """arXiv:2011.08891, eq. 4."""
    total = np.zeros(a.shape[1:])
    for k, i, j in np.ndindex(a.shape):
        total[i, j] += g[k, i, j] * a[k, i, j]
    return total


def gradcam_elementwise(a: Array, g: Array) -> Array:
    """pytorch-grad-cam's: the ReLU inside the sum."""
    total = np.zeros(a.shape[1:])
    for k, i, j in np.ndindex(a.shape):
        total[i, j] += max(g[k, i, j] * a[k, i, j], 0.0)
    return total


def xgradcam(a: Array, g: Array) -> Array:
    """arXiv:2008.02312, eq. 11: gradients averaged in proportion to the activations."""
    weights = np.zeros(len(a))
    for k, i, j in np.ndindex(a.shape):
        if a[k].sum() != 0:
            weights[k] += a[k, i, j] / a[k].sum() * g[k, i, j]
    return weighted_sum(weights, a)


def layercam(a: Array, g: Array) -> Array:
    """LayerCAM, IEEE TIP 2021, eq. 5 and 6 without the ReLU."""
    total = np.zeros(a.shape[1:])
    for k, i, j in np.ndindex(a.shape):
        total[i, j] += max(g[k, i, j], 0.0) * a[k, i, j]
    return total


def smooth_weights(a: Array, samples: Array) -> Array:
    """arXiv:1908.01224, eq. 5 and 6: weights from gradients (n, C, H, W) of noisy inputs."""
    n = len(samples)
    weights = np.zeros(len(a))
    for k, i, j in np.ndindex(a.shape):
        seen = samples[:, k, i, j]
        first, second, third = seen.sum() / n, (seen**2).sum() / n, (seen**3).sum() / n
        below = 2 * second + a[k].sum() * third
        weights[k] += (second / below if below != 0 else 0.0) * max(first, 0.0)
    return weights


def eigen(matrix: Array, *, centred: bool) -> Array:
    """arXiv:2008.00299: O v_1 by NumPy's SVD; the sign is whatever that gives."""
    rows = matrix.reshape(len(matrix), -1).T
    if centred:
        rows = rows - rows.mean(0)
    _, _, v = np.linalg.svd(rows, full_matrices=False)
    projected: Array = (rows @ v[0]).reshape(matrix.shape[1:])
    return projected


def upsampled(values: Array, size: tuple[int, int]) -> Array:
    """Bilinear, align_corners=False: each new pixel's centre among the old ones."""
    result = np.zeros(size)
    for i, j in np.ndindex(size):
        y = np.clip((i + 0.5) * values.shape[0] / size[0] - 0.5, 0, values.shape[0] - 1)
        x = np.clip((j + 0.5) * values.shape[1] / size[1] - 0.5, 0, values.shape[1] - 1)
        top, left = int(y), int(x)
        low, right = min(top + 1, values.shape[0] - 1), min(left + 1, values.shape[1] - 1)
        down, across = y - top, x - left
        result[i, j] = (1 - down) * (
            (1 - across) * values[top, left] + across * values[top, right]
        ) + down * ((1 - across) * values[low, left] + across * values[low, right])
    return result


def scorecam(a: Array, x: Array, score: Callable[[Array], float]) -> Array:
    """arXiv:1910.01279, eq. 8 and 9 without the ReLU; constant channels count for nothing."""
    increases = np.full(len(a), -np.inf)
    for k, channel in enumerate(a):
        if channel.max() > channel.min():
            mask = upsampled(channel, (x.shape[1], x.shape[2]))
            mask = (mask - mask.min()) / (mask.max() - mask.min())
            increases[k] = score(x * mask) - score(np.zeros_like(x))
    powers = np.exp(increases - increases.max())
    return weighted_sum(powers / powers.sum(), a)


def ablationcam(a: Array, score: Callable[[Array], float]) -> Array:
    """WACV 2020, eq. 3 and 4 without the ReLU, divided by the score's size, not by the score."""
    whole = score(a)
    weights = np.zeros(len(a))
    for k in range(len(a)):
        without = a.copy()
        without[k] = 0
        weights[k] = (whole - score(without)) / abs(whole)
    return weighted_sum(weights, a)


GRADIENT_CAMS: dict[str, Callable[[Array, Array], Array]] = {
    "gradcam": gradcam,
    "gradcam++": gradcam_plus_plus,
    "xgradcam": xgradcam,
    "hirescam": hirescam,
    "gradcam_elementwise": gradcam_elementwise,
    "layercam": layercam,
}
