"""Methods: the picture with nothing in it, that Integrated Gradients and masks compare with.

In: a picture as the model takes it and the name of a baseline. Out: a tensor of the same shape.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

BASELINES = ("black", "zero", "mean", "blur")
"""Names of baselines; see `baseline_of`."""

_BLUR_FRACTION = 0.05
"""Standard deviation of the blur, as a fraction of the shorter side (10 pixels of 224)."""


def baseline_of(picture: Tensor, kind: str | float | Tensor, black: Tensor | None) -> Tensor:
    """Return the picture with nothing in it.

    Parameters
    ----------
    picture : Tensor of shape (1, C, *grid) or (1, F)
        As the model takes it, normalised.
    kind : str, float or Tensor
        "black": pixel value 0, so ``-mean / std`` where the normalisation is known, zero elsewhere.
        "zero": 0 after normalisation, the mean colour of the training pictures; what Captum takes.
        "mean": the mean of each channel of this picture. "blur": this picture, blurred with a
        standard deviation of a twentieth of its shorter side (arXiv:1704.03296 takes 10 of 224
        pixels). A number, or a tensor that can be broadcast to the picture, is taken as it is.
    black : Tensor of shape (C,) or None
        A black pixel after normalisation, where it is known.

    Returns
    -------
    Tensor
        Shape, type and device of `picture`.

    Raises
    ------
    ValueError
        There is no such baseline, or a tensor does not fit.
    """
    if isinstance(kind, Tensor):
        return _given(picture, kind)
    if not isinstance(kind, str):
        return torch.full_like(picture, float(kind))
    if kind == "zero" or (kind == "black" and black is None):
        return torch.zeros_like(picture)
    if kind == "black":
        assert black is not None
        return black.to(picture).reshape(1, -1, *[1] * (picture.dim() - 2)).expand_as(picture)
    if kind == "mean":
        axes = tuple(range(2, picture.dim())) or (1,)
        return picture.mean(axes, keepdim=True).expand_as(picture)
    if kind == "blur":
        return _blurred(picture)
    msg = f"baseline={kind!r} is not known; choose one of {', '.join(map(repr, BASELINES))}, "
    msg += "or give a number or a tensor of the input's shape."
    raise ValueError(msg)


def _given(picture: Tensor, tensor: Tensor) -> Tensor:
    tensor = tensor.detach().to(picture)
    try:
        return tensor.expand_as(picture)
    except RuntimeError:
        msg = (
            f"baseline of shape {tuple(tensor.shape)} does not fit the input of shape "
            f"{tuple(picture.shape)}; give one value, one for each channel, or all."
        )
        raise ValueError(msg) from None


def _blurred(picture: Tensor) -> Tensor:
    """Blur along each spatial axis with a Gaussian, edges repeated."""
    if picture.dim() < 3:
        return picture.mean(1, keepdim=True).expand_as(picture)
    sigma = max(_BLUR_FRACTION * min(picture.shape[2:]), 0.5)
    blurred = picture.float()
    for axis in range(2, picture.dim()):
        blurred = _blurred_along(blurred, axis, sigma)
    return blurred.to(picture.dtype)


def _blurred_along(picture: Tensor, axis: int, sigma: float) -> Tensor:
    reach = math.ceil(3 * sigma)
    offsets = torch.arange(-reach, reach + 1, device=picture.device)
    weights = torch.exp(-0.5 * (offsets / sigma) ** 2)
    weights = weights / weights.sum()
    length = picture.shape[axis]
    places = torch.arange(length, device=picture.device)
    blurred = torch.zeros_like(picture)
    for weight, offset in zip(weights, offsets, strict=True):
        blurred += weight * picture.index_select(axis, (places + offset).clamp(0, length - 1))
    return blurred
