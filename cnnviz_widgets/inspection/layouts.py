"""Inspection: what the axes of every value mean.

In: the operations of a trace. Out: a layout by value number, followed axis by axis from
convolutions and poolings on; "?" where an operation hides it. Also where tokens lie on a picture.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from cnnviz_widgets.inspection.axes import Axes, Grid, Shape, axes_after, axes_before, merged
from cnnviz_widgets.inspection.operations import Operation

LAYOUTS = ("NCHW", "NHWC", "NCL", "NLC", "NCDHW", "NC")
CHANNELS = {"NCHW": 1, "NHWC": -1, "NCL": 1, "NLC": -1, "NCDHW": 1}
"""The axis of the channels in each layout that has places."""


@dataclass(frozen=True)
class Layouts:
    """The layout, and for rows of tokens the grid they came from, by value number."""

    names: dict[int, str]
    grids: dict[int, Grid]


def find_layouts(
    operations: Sequence[Operation], batch_size: int, inputs: dict[int, Shape]
) -> Layouts:
    """Follow the axes of a model's inputs through its operations.

    Parameters
    ----------
    operations : sequence of Operation
        What the model did.
    batch_size : int
        Images in the batch; a value of another length has no layout, whatever its axes are.
    inputs : dict of int to tuple of int
        Shapes of the model's inputs by value number; their first axis is the batch.
    """
    shapes = dict(inputs)
    known = {value: Axes("N" + "?" * (len(shape) - 1)) for value, shape in inputs.items()}
    for operation in operations:
        takes = zip(operation.inputs, operation.input_shapes, strict=True)
        given = [known.get(value, Axes.unknown(shape)) for value, shape in takes]
        before = axes_before(operation)
        if before is not None and "?" in given[0].letters:
            known[operation.inputs[0]] = merged(given[0], before)
            shapes[operation.inputs[0]] = operation.input_shapes[0]
        found = axes_after(operation, given)
        for value, shape, axes in zip(
            operation.outputs, operation.output_shapes, found, strict=True
        ):
            known[value] = merged(known[value], axes) if value in known else axes
            shapes[value] = shape
    names = {value: _layout(axes, shapes[value], batch_size) for value, axes in known.items()}
    grids = {value: axes.grid for value, axes in known.items() if axes.grid is not None}
    return Layouts(names, grids)


def _layout(axes: Axes, shape: Shape, batch_size: int) -> str:
    if not shape or shape[0] != batch_size:
        return "?"
    if axes.letters in LAYOUTS:
        return axes.letters
    # A row for each image can only be a vector.
    is_vector = len(shape) == 2 and axes.letters[0] in "N?" and axes.letters[1] != "N"
    return "NC" if is_vector else "?"


def possible_layouts(rank: int) -> tuple[str, ...]:
    """Return the layouts that a tensor with so many axes can have."""
    return tuple(layout for layout in LAYOUTS if len(layout) == rank)
