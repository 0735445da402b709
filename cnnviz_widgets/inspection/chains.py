"""Inspection: linear heads as autograd's own notes of a pass show them.

In: class scores in a graph, and where in it a layer's value is. Out: `Head`, where nothing but a
mean over the places and one dense layer lies between; no backward pass is run for it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

from torch import Tensor
from torch.autograd.graph import GradientEdge

# Steps that give the same numbers in the same order, maybe under another shape.
_SAME_ORDER = frozenset({
    "ViewBackward0", "UnsafeViewBackward0", "ReshapeAliasBackward0", "SqueezeBackward0",
    "SqueezeBackward1", "SqueezeBackward2", "UnsqueezeBackward0", "CloneBackward0",
    "AliasBackward0",
})  # fmt: skip
_DENSE = {"AddmmBackward0": 1, "MmBackward0": 0}  # which of a step's inputs is the one multiplied
_MEAN = "MeanBackward1"
_STEPS = 16  # in a row that only reshape, at most
Place = tuple[Any, int]  # Any: a node of autograd's, or None; and which of its outputs


class Head(NamedTuple):
    """A dense layer behind a mean over all places of another layer.

    Attributes
    ----------
    weight : Tensor of shape (K, C)
        Of the dense layer; the model's own memory, maybe: only to be read.
    places : int
        How many the mean is over.
    """

    weight: Tensor
    places: int

    def gradients(self, classes: Sequence[int]) -> Tensor:
        """Return d class score / d activation for k classes, (k, C), the same at all places."""
        return self.weight[list(classes)] / self.places


def head_of_graph(
    scores: Tensor, layer: GradientEdge, shape: Sequence[int], axis: int
) -> Head | None:
    """Return the head between a layer and the class scores of one picture, or None.

    What is read is what a backward pass would go through: the steps, their order, their numbers
    of now. Hooks that change a gradient on its way are not among it. It takes some 20 us.

    Parameters
    ----------
    scores : Tensor of shape (1, K)
        In the graph.
    layer : GradientEdge
        Where the layer's value is in the graph.
    shape : sequence of int
        Of the layer's value, (1, ...).
    axis : int
        Of its channels: 1 or -1.

    Returns
    -------
    Head or None
        None where anything else lies between, or torch does not note what is looked for.
    """
    try:
        return _read(scores, layer, shape, axis)
    except (AttributeError, RuntimeError):  # another torch; the weight was written to since
        return None


def _read(scores: Tensor, layer: GradientEdge, shape: Sequence[int], axis: int) -> Head | None:
    channels = shape[axis]
    weight, below = _dense(_unshaped((scores.grad_fn, 0)))
    if weight is None or weight.shape != (scores.shape[1], channels):
        return None
    node, output = _unshaped(below)
    if node is None or node.name() != _MEAN or output:
        return None
    sizes = [int(size) for size in node._saved_self_sym_sizes]
    places = math.prod(shape) // channels
    if not _is_over_places(sizes, _axes(node._saved_dim, len(sizes)), axis, places, channels):
        return None
    node, output = _unshaped(node.next_functions[0], layer)
    return Head(weight, places) if node is layer.node and output == layer.output_nr else None


def _unshaped(place: Place, stop: GradientEdge | None = None) -> Place:
    """Go back over steps that only give another shape, no farther than to a layer."""
    for _ in range(_STEPS):
        node, output = place
        is_layer = stop is not None and node is stop.node and output == stop.output_nr
        if node is None or is_layer or node.name() not in _SAME_ORDER:
            break
        place = node.next_functions[0]
    return place


def _dense(place: Place) -> tuple[Tensor | None, Place]:
    """Return a dense layer's weight (K, C), and where what it is given comes from."""
    node, output = place
    if node is None or output or node.name() not in _DENSE:
        return None, place
    which = _DENSE[node.name()]
    others = [other for i, (other, _) in enumerate(node.next_functions) if i != which]
    if any(other is not None for other in others) or getattr(node, "_saved_alpha", 1) != 1:
        return None, place  # the layer acts through its bias or weight, too, or is scaled
    return node._saved_mat2.detach().t(), node.next_functions[which]


def _axes(noted: Sequence[int], count: int) -> list[int]:
    """Return axes as numbers from 0; torch notes those below it as unsigned."""
    return sorted((axis - (1 << 64) if axis >= 1 << 63 else axis) % count for axis in noted)


def _is_over_places(
    sizes: Sequence[int], axes: Sequence[int], channel_axis: int, places: int, channels: int
) -> bool:
    """Tell whether a mean over these axes is that over a layer's places, for each channel."""
    if not axes or axes != [*range(axes[0], axes[-1] + 1)]:
        return False
    before = math.prod(sizes[: axes[0]])
    over = math.prod(sizes[axes[0] : axes[-1] + 1])
    after = math.prod(sizes[axes[-1] + 1 :])
    around = (channels, 1) if channel_axis == 1 else (1, channels)
    return (before, over, after) == (around[0], places, around[1])
