"""Inspection: max pooling over pictures, in a small part of the time that torch takes.

In: a value, and what an `nn.MaxPool2d` holds. Out: what the layer gives, without a graph.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

_TYPES = frozenset({torch.float32, torch.float64})


def pools_quickly(state: dict[str, Any], x: Tensor) -> bool:
    """Tell whether `max_pool2d` gives what a layer gives for this value.

    Parameters
    ----------
    state : dict
        What the `nn.MaxPool2d` holds.
    x : Tensor
        What it is given.
    """
    if x.dim() != 4 or x.requires_grad or x.dtype not in _TYPES or x.device.type != "cpu":
        return False
    if state["return_indices"] or state["ceil_mode"] or _pair(state["dilation"]) != (1, 1):
        return False
    is_plain = x.is_contiguous() and not x.is_contiguous(memory_format=torch.channels_last)
    return is_plain and all(
        0 <= 2 * padding < size <= length and step > 0
        for size, step, padding, length in zip(*_windows(state), x.shape[2:], strict=True)
    )


def max_pool2d(state: dict[str, Any], x: Tensor) -> Tensor:
    """Return what an `nn.MaxPool2d` gives, but for the sign of a zero.

    Torch's own looks at every place of every window by itself, and notes where the maximum was: a
    tenth of a ResNet-18's time on a CPU. One axis after the other, both many places at a time,
    takes a twentieth of that.

    Parameters
    ----------
    state : dict
        What the `nn.MaxPool2d` holds.
    x : Tensor of shape (N, C, H, W)
        As `pools_quickly` allows.
    """
    (height, width), (down, right), (above, left) = _windows(state)
    images, channels, rows, columns = x.shape
    lines = torch.max_pool1d(x.view(images, -1, columns), width, right, left)
    lines = lines.view(images, channels, rows, -1)
    count = (rows + 2 * above - height) // down + 1
    middle = lines[:, :, : (count - 1) * down + 1 : down]  # of each window, one row
    pooled = middle.clone(memory_format=torch.contiguous_format)
    for offset in (*range(-above, 0), *range(1, height - above)):
        first = -(offset // down) if offset < 0 else 0  # window whose row is in the picture
        last = min((rows - 1 - offset) // down, count - 1)
        there = lines[:, :, first * down + offset : last * down + offset + 1 : down]
        part = pooled[:, :, first : last + 1]
        torch.maximum(part, there, out=part)
    return pooled


def _windows(state: dict[str, Any]) -> list[tuple[int, int]]:
    """Return sizes, steps and paddings of the windows, of each the vertical one first."""
    return [_pair(state[name]) for name in ("kernel_size", "stride", "padding")]


def _pair(numbers: object) -> tuple[int, int]:
    """Return two numbers, which no window has where torch reads something else in their place."""
    both = (numbers, numbers) if isinstance(numbers, int) else numbers
    match both:
        case (int(vertical), int(horizontal)):
            return vertical, horizontal
    return -1, -1
