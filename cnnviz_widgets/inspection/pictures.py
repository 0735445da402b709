"""Inspection: the model's input as people see it.

In: the input tensor and its normalisation. Out: a uint8 RGB picture, and a notice where the range
or the colours had to be chosen.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from cnnviz_widgets.inspection.inputs import Normalisation
from cnnviz_widgets.words import joined, phrase

_FAR = (-2, 3)
"""No picture whose normalisation is undone rightly has values beyond; noise may go near."""


def picture_of(
    tensor: Tensor, image: int, normalisation: Normalisation | None
) -> tuple[NDArray[np.uint8] | None, str | None]:
    """Return one image of a batch as a picture.

    Parameters
    ----------
    tensor : Tensor of shape (N, C, H, W), (N, C, D, H, W) or (N, T, C, H, W)
        The model's input; other ranks have no picture. Five axes are a film where the third is
        1 or 3 and the second is not.
    image : int
        Place in the batch.
    normalisation : Normalisation or None
        How the picture was normalised. Without it values in [0, 1] are taken as they are, and
        others are stretched from their minimum to their maximum; so are those that it leaves far
        from [0, 1].

    Returns
    -------
    picture : ndarray of uint8, shape (H, W, 3), or None
        0 is black.
    notice : str or None
        What was chosen, where something was.
    """
    if tensor.dim() not in {4, 5} or tensor.is_complex():
        return None, None
    pixels = tensor[image : image + 1].detach().to(device="cpu", dtype=torch.float32)
    pixels, notice = _one_slice(pixels) if pixels.dim() == 5 else (pixels, None)
    notices = [notice] if notice else []
    if normalisation is not None:
        if len(normalisation.mean) not in {1, pixels.shape[1]}:
            return None, None  # axis 1 is not the channels
        pixels = normalisation.undo(pixels)
    pixels = pixels[0]
    low, high = float(pixels.min()), float(pixels.max())
    least, most = (0, 1) if normalisation is None else _FAR
    if low < least or high > most:
        ends = {"low": f"{low:.3g}", "high": f"{high:.3g}"}
        why = "picture_stretched" if normalisation is None else "picture_undone"
        notices.append(phrase(why, **ends))
        pixels = (pixels - low) / (high - low) if high > low else torch.zeros_like(pixels)
    channels = pixels.shape[0]
    if channels not in {1, 3}:
        shown = "first" if channels == 4 else "mean"
        notices.append(phrase(f"picture_{shown}_channels", count=channels))
        pixels = pixels[:3] if channels == 4 else pixels.mean(0, keepdim=True)
    levels = (pixels.clamp(0, 1) * 255).round().to(torch.uint8)
    rgb = levels.expand(3, -1, -1).permute(1, 2, 0)
    return np.ascontiguousarray(rgb.numpy()), joined(notices)


def _one_slice(pixels: Tensor) -> tuple[Tensor, str]:
    """Return the middle slice of a volume (1, C, D, H, W) or frame of a film (1, T, C, H, W)."""
    is_film = pixels.shape[2] in {1, 3} and pixels.shape[1] not in {1, 3}
    axis, kind = (1, "frame") if is_film else (2, "slice")
    count = pixels.shape[axis]
    notice = phrase(f"picture_middle_{kind}", count=count)
    return pixels.select(axis, count // 2), notice
