"""Inspection: what stays the same from picture to picture: operations, layouts, kind of scores.

In: a `Trace`. Out: `Structure`, which holds no tensors.
"""

from __future__ import annotations

from functools import cached_property

from cnnviz_widgets.inspection.axes import Grid
from cnnviz_widgets.inspection.calls import Call, Source
from cnnviz_widgets.inspection.layouts import Layouts, find_layouts
from cnnviz_widgets.inspection.operations import Operation
from cnnviz_widgets.inspection.outputs import Selector, score_origin
from cnnviz_widgets.inspection.trace import Trace


class Structure:
    """Module calls and operations of a forward pass, without their values.

    Parameters
    ----------
    trace : Trace
        A forward pass.
    output : str, int, callable or None
        Picks the class scores out of its output.
    batch_size : int
        Images in the batch.

    Attributes
    ----------
    calls : list of Call
        Every module call, in the order in which they began.
    operations : tuple of Operation
        Torch functions and leaf calls, in the order in which they ended.
    score_kind : str
        "logit", "probability" or "log-probability".
    final_function : FinalFunction or None
        The softmax or sigmoid function that made the scores of logits, if one did.
    """

    def __init__(self, trace: Trace, output: Selector | None, batch_size: int) -> None:
        self.calls: list[Call] = trace.calls
        self.operations: tuple[Operation, ...] = tuple(trace.operations)
        self.batch_size = batch_size
        self._score_value, self.score_kind, self.final_function = score_origin(
            trace.output,
            output,
            batch_size,
            operations=self.operations,
            values=trace.recorder.values,
        )
        self._values = {
            Source(call.path, call.call, side): value
            for call in self.calls
            for side, value in (("output", call.value), ("input", call.input_value))
        }

    @cached_property
    def layouts(self) -> Layouts:
        """Layout and token grid by value number."""
        start = {call.input_value: tuple(call.input_shape) for call in self.calls[:1]}
        return find_layouts(self.operations, self.batch_size, start)

    def layout(self, source: Source) -> str:
        """Return what the axes of a module call's output or input mean; "?" where not known."""
        return self.layouts.names.get(self._values[source], "?")

    def grid(self, source: Source) -> Grid | None:
        """Return how a row of tokens lies on the picture, where known."""
        return self.layouts.grids.get(self._values[source])

    def is_scores(self, source: Source) -> bool:
        """Tell whether a value is the model's class scores."""
        return self._score_value >= 0 and self._values[source] == self._score_value
