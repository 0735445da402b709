"""Inspection: what stays the same from picture to picture: operations, layouts, kind of scores.

In: a `Trace`. Out: `Structure`, whose parts hold no tensors.
"""

from __future__ import annotations

from functools import cached_property

from cnnviz_widgets.inspection.axes import Grid
from cnnviz_widgets.inspection.calls import Call, Source
from cnnviz_widgets.inspection.course import Passing, only_read
from cnnviz_widgets.inspection.layouts import Layouts, find_layouts
from cnnviz_widgets.inspection.operations import Operation
from cnnviz_widgets.inspection.outline import outline_of
from cnnviz_widgets.inspection.outputs import FinalFunction, ScoreOrigin, Selector, score_origin
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
    """

    def __init__(self, trace: Trace, output: Selector | None, batch_size: int) -> None:
        self._trace = trace
        self._output = output
        self.batch_size = batch_size

    # All is read from the trace when it is first asked for, as a new picture must show soon.

    @cached_property
    def calls(self) -> list[Call]:
        """Every module call, in the order in which they began."""
        return self._trace.calls

    @cached_property
    def operations(self) -> tuple[Operation, ...]:
        """Torch functions and leaf calls, in the order in which they ended."""
        return tuple(self._trace.operations)

    @cached_property
    def outline(self) -> list[object]:
        """What the pass did, to be compared with that of another."""
        return outline_of(self)

    @cached_property
    def passing(self) -> Passing:
        """Which calls return a tensor that was there before."""
        return Passing(self)

    @cached_property
    def only_read(self) -> frozenset[int]:
        """Numbers of the values that nothing writes to."""
        return only_read(self._trace)

    @cached_property
    def _origin(self) -> ScoreOrigin:
        return score_origin(
            self._trace.output,
            self._output,
            self.batch_size,
            operations=self.operations,
            values=self._trace.recorder.values,
        )

    @property
    def score_kind(self) -> str:
        """What the scores are: "logit", "probability" or "log-probability"."""
        return self._origin.kind

    @property
    def final_function(self) -> FinalFunction | None:
        """The softmax or sigmoid function that made the scores of logits, if one did."""
        return self._origin.final

    @cached_property
    def _values(self) -> dict[Source, int]:
        return {
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
        return self._values[source] == self._origin.value >= 0
