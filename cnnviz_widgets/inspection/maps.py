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

from cnnviz_widgets.inspection.axes import Grid
from cnnviz_widgets.inspection.layouts import possible_layouts
from cnnviz_widgets.words import joined, phrase

Side = Literal["output", "input"]
_NOTHING = np.zeros(0, dtype=np.float32)
_MOST_CLASS_TOKENS = 8  # vision transformers have at most a few class and register tokens


def check_side(side: object) -> None:
    """Raise a ValueError unless this is a side of a layer."""
    if side not in {"output", "input"}:
        msg = f"side={side!r} must be 'output' or 'input'."
        raise ValueError(msg)


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
    batch_size: int,
    layout: str,
    grid: Grid | None = None,
    labels: tuple[str, ...] | None = None,
) -> LayerMaps:
    """Return the maps of one image.

    Parameters
    ----------
    tensor : Tensor
        Activation with its batch axis, of any type.
    image : int
        Place in the batch.
    batch_size : int
        Images in the batch; nothing is drawn of an activation of another length.
    layout : str
        What its axes mean; "?" asks.
    grid : Grid or None
        How a row of tokens lies on the picture, where that is known.
    labels : tuple of str or None
        Class names for a vector of scores.

    Returns
    -------
    LayerMaps
        Values are those of the activation, converted to float32 and nothing else.
    """
    shape = tuple(tensor.shape)
    if not shape or shape[0] != batch_size:
        return LayerMaps(_NOTHING, "ask", _not_the_batch(shape, batch_size), shape, "?")
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
        slices = phrase("depth_slices", count=depth)
        maps = values.reshape(channels * depth, height, width)
        return LayerMaps(maps, "maps", slices, shape, layout, depth=depth)
    return _tokens(values, shape, grid)


def _tokens(values: NDArray[np.float32], shape: tuple[int, ...], grid: Grid | None) -> LayerMaps:
    tokens, channels = values.shape
    if grid is None:
        maps = np.ascontiguousarray(values.T)[:, None, :]
        row = phrase("tokens_in_a_row", count=tokens)
        return LayerMaps(maps, "maps", row, shape, "NLC")
    places = grid.height * grid.width
    on_grid = values[grid.before : grid.before + places].T
    maps = on_grid.reshape(channels, grid.height, grid.width)
    return LayerMaps(np.ascontiguousarray(maps), "maps", _left_out(grid), shape, "NLC")


def _left_out(grid: Grid) -> str | None:
    count = grid.before + grid.after
    if count == 0:
        return None
    is_few = count <= _MOST_CLASS_TOKENS
    return phrase("tokens_left_out" if is_few else "other_tokens_left_out", count=count)


def _ask(shape: tuple[int, ...], note: str) -> LayerMaps:
    choices = possible_layouts(len(shape))
    return LayerMaps(_NOTHING, "ask", note, shape, "?", choices=choices)


def _not_the_batch(shape: tuple[int, ...], batch_size: int) -> str:
    if not shape:
        return phrase("no_batch_axis", shape=str(shape), count=batch_size)
    return phrase("not_the_batch", shape=str(shape), length=shape[0], count=batch_size)


def _question(shape: tuple[int, ...]) -> str:
    choices = joined(possible_layouts(len(shape)), "or")
    if choices is None:
        return phrase("no_layout", shape=str(shape))
    return phrase("which_layout", shape=str(shape), choices=choices)


def _float32(tensor: Tensor) -> NDArray[np.float32]:
    if tensor.is_complex():
        tensor = tensor.abs()
    if tensor.layout != torch.strided:
        tensor = tensor.to_dense()
    array: NDArray[np.float32] = tensor.detach().to(device="cpu", dtype=torch.float32).numpy()
    array = np.ascontiguousarray(array)
    array.flags.writeable = False  # may be the very memory of the kept activation
    return array
