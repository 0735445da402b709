"""Inspection: a layer's activation for one image, ready to draw. torch ends here.

In: an activation with its layout. Out: `LayerMaps`, float32 NumPy arrays of channels x grid, or a
vector, or the question what the axes mean.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from cnnviz_widgets.inspection.layouts import possible_layouts, token_grid

Side = Literal["output", "input"]


@dataclass(frozen=True)
class LayerMaps:
    """What one layer holds for one image.

    Attributes
    ----------
    values : ndarray of float32
        (C, H, W) where `kind` is "maps", (C,) where it is "vector", empty where it is "ask".
    kind : str
        "maps", "vector" or "ask" (the layout is not known).
    note : str or None
        What a reader must know: tokens left out, slices in order, or the question.
    shape : tuple of int
        Shape of the activation with its batch axis.
    layout : str
        Its layout, as in `LayerInfo`.
    depth : int
        Maps that belong to one channel: the depth of a 3-D convolution's output, else 1. Map m
        is slice ``m % depth`` of channel ``m // depth``.
    labels : tuple of str or None
        Class names, where the layer's output is the model's scores.
    choices : tuple of str
        Where `kind` is "ask": the layouts that fit.
    """

    values: NDArray[np.float32]
    kind: str
    note: str | None
    shape: tuple[int, ...]
    layout: str
    depth: int = 1
    labels: tuple[str, ...] | None = None
    choices: tuple[str, ...] = ()


def layer_maps(
    tensor: Tensor,
    image: int,
    *,
    layout: str,
    patches: tuple[int, int] | None = None,
    labels: tuple[str, ...] | None = None,
) -> LayerMaps:
    """Return the maps of one image.

    Parameters
    ----------
    tensor : Tensor
        Activation with its batch axis, of any type.
    image : int
        Place in the batch.
    layout : str
        What its axes mean; "?" asks.
    patches : tuple of int or None
        (height, width) of the grid that tokens came from, where known.
    labels : tuple of str or None
        Class names for a vector of scores.

    Returns
    -------
    LayerMaps
        Values are those of the activation, converted to float32 and nothing else.
    """
    shape = tuple(tensor.shape)
    if layout == "?" or len(layout) != tensor.dim():
        return _ask(shape, _question(shape))
    values = _float32(tensor[image])
    if layout == "NC":
        fitting = labels if labels is not None and len(labels) == values.shape[0] else None
        return LayerMaps(values, "vector", None, shape, layout, labels=fitting)
    if layout == "NCHW":
        return LayerMaps(values, "maps", None, shape, layout)
    if layout == "NHWC":
        maps = np.ascontiguousarray(values.transpose(2, 0, 1))
        return LayerMaps(maps, "maps", None, shape, layout)
    if layout == "NCL":
        return LayerMaps(values[:, None, :], "maps", None, shape, layout)
    if layout == "NCDHW":
        channels, depth, height, width = values.shape
        slices = f"each channel's {depth} depth slices in order"
        maps = values.reshape(channels * depth, height, width)
        return LayerMaps(maps, "maps", slices, shape, layout, depth=depth)
    return _tokens(values, shape, patches)


def _tokens(
    values: NDArray[np.float32], shape: tuple[int, ...], patches: tuple[int, int] | None
) -> LayerMaps:
    tokens, channels = values.shape
    grid = token_grid(tokens, patches)
    if grid is None:
        if patches is not None:
            seen = f"the last grid was {patches[0]} x {patches[1]}"
        else:
            seen = "no grid came before"
        maps = np.ascontiguousarray(values.T)[:, None, :]
        row = f"{tokens} tokens in a row: {seen}, and they are not a square"
        return LayerMaps(maps, "maps", row, shape, "NLC")
    on_grid = values[grid.prefix :].T.reshape(channels, grid.height, grid.width)
    plural = "s" if grid.prefix > 1 else ""
    note = f"{grid.prefix} class or register token{plural} left out" if grid.prefix else None
    return LayerMaps(np.ascontiguousarray(on_grid), "maps", note, shape, "NLC")


def _ask(shape: tuple[int, ...], note: str) -> LayerMaps:
    choices = possible_layouts(len(shape))
    return LayerMaps(np.zeros(0, dtype=np.float32), "ask", note, shape, "?", choices=choices)


def _question(shape: tuple[int, ...]) -> str:
    possible = possible_layouts(len(shape))
    if not possible:
        return f"an activation of shape {shape} has no known layout and cannot be drawn"
    choices = " or ".join(possible)
    return f"an activation of shape {shape}: what the axes mean is not known; is it {choices}?"


def _float32(tensor: Tensor) -> NDArray[np.float32]:
    if tensor.is_complex():
        tensor = tensor.abs()
    array: NDArray[np.float32] = tensor.detach().to(device="cpu", dtype=torch.float32).numpy()
    array = np.ascontiguousarray(array)
    array.flags.writeable = False  # may be the very memory of the kept activation
    return array
