"""Methods: how much the score drops when a window of the picture is covered.

In: a `Case`. Out: its `Attribution`, from one forward pass for each place of the window.
"""

from __future__ import annotations

import itertools
from math import ceil
from types import EllipsisType

import torch
from torch import Tensor

from cnnviz_widgets.methods.baselines import baseline_of
from cnnviz_widgets.methods.case import Attribution, Case
from cnnviz_widgets.methods.integrated_gradients import spread

_WINDOWS_ALONG = 7
"""A window's side, where none is given, is this part of the picture's shorter side."""


def occlusion(
    case: Case,
    *,
    window: int = 0,
    stride: int = 0,
    baseline: str | float | Tensor = "zero",
) -> Attribution:
    """Return for each place the mean drop of the score over the windows that cover it.

    Zeiler, Fergus 2013, arXiv:1311.2901, section 4.2, who slide a grey square; grey is 0 after
    normalisation, the baseline "zero". All channels are covered together. Same as Captum's
    `Occlusion` with windows (C, window, window), strides (C, stride, stride) and that baseline;
    windows at the right and lower edge are cut off where they stick out, as there.

    Parameters
    ----------
    case : Case
        Picture and score.
    window, stride : int
        Side of the square window and its step, in pixels; 0 chooses: a seventh of the shorter side,
        and half a window (32 and 16 pixels for a picture of 224, which takes 169 forward passes).
    baseline : str, float or Tensor
        What the window shows; see `baseline_of`.

    Raises
    ------
    ValueError
        The window is larger than the picture, or the stride than the window.
    """
    side, step = _sizes(case.grid, window, stride)
    cover = baseline_of(case.picture, baseline, case.black)[0]
    windows = window_places(case.grid, side, step)
    order = spread(len(windows))
    drops = torch.zeros(case.grid, dtype=torch.float32, device=cover.device)
    counts = torch.zeros_like(drops)
    for places in case.batches(len(windows), lambda: (drops / counts.clamp(min=1))[None]):
        chosen = [windows[order[place]] for place in places]
        batch = case.picture.repeat(len(chosen), *[1] * (case.picture.dim() - 1))
        for covered, where in zip(batch, chosen, strict=True):
            inside: tuple[EllipsisType | slice, ...] = (..., *where)
            covered[inside] = cover[inside]
        for score, where in zip(case.scores(batch), chosen, strict=True):
            drops[where] += case.score - score
            counts[where] += 1
    return Attribution((drops / counts)[None], resolved={"window": side, "stride": step})


def window_places(grid: tuple[int, ...], side: int, step: int) -> list[tuple[slice, ...]]:
    """Return where each window lies, row by row; the last of a row ends at the edge or beyond.

    Parameters
    ----------
    grid : tuple of int
        Places along each axis.
    side, step : int
        Of the window; its side is cut to the length of a shorter axis.
    """
    starts = [range(0, (ceil(max(length - side, 0) / step) + 1) * step, step) for length in grid]
    return [
        tuple(slice(start, start + side) for start in corner)
        for corner in itertools.product(*starts)
    ]


def _sizes(grid: tuple[int, ...], window: int, stride: int) -> tuple[int, int]:
    """Check window and stride, and choose those that are 0."""
    side = window or max(1, round(min(grid) / _WINDOWS_ALONG))
    step = stride or max(1, side // 2)
    if side > max(grid):
        msg = f"window={window} is larger than the input's grid {grid}; give at most {max(grid)}."
        raise ValueError(msg)
    if step > side:
        msg = (
            f"stride={step} is larger than window={side}, which leaves places uncovered; "
            f"give a stride of at most {side}."
        )
        raise ValueError(msg)
    return side, step
