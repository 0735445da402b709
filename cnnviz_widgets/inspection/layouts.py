"""Inspection: what the axes of every value mean.

In: the operations of a trace. Out: a layout by value number, followed from the first convolution
on; "?" where an operation hides it. Also the grid that a row of tokens stands for.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from cnnviz_widgets.inspection.operations import Operation

LAYOUTS = ("NCHW", "NHWC", "NCL", "NLC", "NCDHW", "NC")
_BY_RANK = {2: "NC"}
_BY_DIMENSIONS = {"1d": "NCL", "2d": "NCHW", "3d": "NCDHW"}
_DEFINING = ("conv", "max_pool", "avg_pool", "adaptive", "batch_norm", "instance_norm", "Conv")
_SAME = {
    "layer_norm", "linear", "rms_norm", "Linear", "LayerNorm", "Identity", "MultiheadAttention",
    "group_norm", "pad", "interpolate", "cat", "concat", "stack_",
}  # fmt: skip
_DROPPING = {"mean", "sum", "amax", "max"}


@dataclass(frozen=True)
class Grid:
    """How a row of tokens lies on a picture.

    Attributes
    ----------
    height, width : int
        Size of the grid.
    prefix : int
        Tokens before it that stand for no place (class and register tokens).
    """

    height: int
    width: int
    prefix: int


@dataclass(frozen=True)
class Layouts:
    """The layout, and for tokens the grid they came from, by value number."""

    names: dict[int, str]
    grids: dict[int, tuple[int, int]]


def find_layouts(operations: Sequence[Operation]) -> Layouts:
    """Follow the layout from convolutions, poolings and recurrent layers through them."""
    names: dict[int, str] = {}
    grids: dict[int, tuple[int, int]] = {}
    latest: tuple[int, int] | None = None
    for function in operations:
        layout = _after(function, names)
        if function.name.startswith(_DEFINING) and layout != "?" and function.inputs:
            names.setdefault(function.inputs[0], layout)
        for value, shape in zip(function.outputs, function.output_shapes, strict=True):
            known = names.get(value)
            if known is None or known == "?":
                names[value] = (
                    layout if _fits(layout, len(shape)) else _BY_RANK.get(len(shape), "?")
                )
            spot = _size(names[value], shape)
            if spot is not None and min(spot) > 1:
                latest = spot
            if names[value] == "NLC" and latest is not None:
                grids[value] = latest
    return Layouts(names, grids)


def _fits(layout: str, rank: int) -> bool:
    return layout == "?" or len(layout) == rank


def _size(layout: str, shape: tuple[int, ...]) -> tuple[int, int] | None:
    if layout == "NCHW":
        return shape[2], shape[3]
    return (shape[1], shape[2]) if layout == "NHWC" else None


def _after(function: Operation, names: Mapping[int, str]) -> str:
    """Return the layout of what a function gives, from that of what it takes."""
    if not function.outputs:
        return "?"
    rank = len(function.output_shapes[0])
    if function.name.startswith(_DEFINING):
        for ending, layout in _BY_DIMENSIONS.items():
            if ending in function.name and len(layout) == rank:
                return layout
    if rank == 2:
        return "NC"
    before, shape = _main_input(function, names)
    if before == "?" or shape is None:
        return "?"
    if function.name in {"permute", "movedim", "moveaxis"}:
        return _permuted(before, function)
    if function.name in {"transpose", "swapaxes", "swapdims"}:
        return _transposed(before, function.arguments)
    if function.name in {"flatten", "reshape", "view"}:
        return _reshaped(before, shape, function.output_shapes[0])
    same_rank = len(shape) == rank
    if function.name in _SAME and same_rank:
        return before
    if function.name in _DROPPING or function.name == "__getitem__":
        return before if same_rank else "?"
    return before if tuple(shape) == tuple(function.output_shapes[0]) or same_rank else "?"


def _main_input(
    function: Operation, names: Mapping[int, str]
) -> tuple[str, tuple[int, ...] | None]:
    """Return layout and shape of the first input whose layout is known and has most axes."""
    best: tuple[str, tuple[int, ...] | None] = ("?", None)
    for value, shape in zip(function.inputs, function.input_shapes, strict=False):
        layout = names.get(value, "?")
        if layout != "?" and (best[1] is None or len(shape) > len(best[1])):
            best = (layout, tuple(shape))
    return best


def _permuted(before: str, function: Operation) -> str:
    given = function.arguments
    order = given[0] if len(given) == 1 and isinstance(given[0], (tuple, list)) else given
    if function.name != "permute" or not all(isinstance(axis, int) for axis in order):
        return "?"
    axes = [int(str(axis)) for axis in order]
    if sorted(axis % len(before) for axis in axes) != list(range(len(before))):
        return "?"
    return _known("".join(before[axis] for axis in axes))


def _transposed(before: str, arguments: tuple[object, ...]) -> str:
    if len(arguments) != 2 or not all(isinstance(axis, int) for axis in arguments):
        return "?"
    a, b = (int(str(axis)) % len(before) for axis in arguments)
    letters = list(before)
    letters[a], letters[b] = letters[b], letters[a]
    return _known("".join(letters))


def _reshaped(before: str, old: tuple[int, ...], new: tuple[int, ...]) -> str:
    if tuple(old) == tuple(new):
        return before
    if before == "NCHW" and len(new) == 3 and new[:2] == old[:2]:
        return "NCL" if new[2] == old[2] * old[3] else "?"
    if before == "NHWC" and len(new) == 3 and new[2] == old[3]:
        return "NLC" if new[1] == old[1] * old[2] else "?"
    if before == "NLC" and len(new) == 4 and new[3] == old[2] and new[0] == old[0]:
        return "NHWC" if new[1] * new[2] == old[1] else "?"
    if before == "NCL" and len(new) == 4 and new[:2] == old[:2]:
        return "NCHW" if new[2] * new[3] == old[2] else "?"
    return "?"


def _known(layout: str) -> str:
    return layout if layout in LAYOUTS else "?"


def possible_layouts(rank: int) -> tuple[str, ...]:
    """Return the layouts that a tensor with so many axes can have."""
    return tuple(layout for layout in LAYOUTS if len(layout) == rank)


def token_grid(tokens: int, patches: tuple[int, int] | None) -> Grid | None:
    """Return how so many tokens lie on a picture; None where it cannot be known.

    Parameters
    ----------
    tokens : int
        Length of the row.
    patches : tuple of int or None
        (height, width) of the last grid seen before the tokens. With it, up to 8 tokens more than
        its cells are class and register tokens before them. Without it only a square is taken.
    """
    if patches is not None:
        height, width = patches
        prefix = tokens - height * width
        if 0 <= prefix <= 8:
            return Grid(height, width, prefix)
    side = math.isqrt(tokens)
    if side * side == tokens and side > 1:
        return Grid(side, side, 0)
    return None
