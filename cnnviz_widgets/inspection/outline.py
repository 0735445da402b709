"""Inspection: what a pass did, noted without keeping a value, and compared with what is known.

In: one forward pass of a picture that was not traced. Out: `OutlineRecorder`, and its outline, to
be compared with that of a `Structure`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import torch
from torch import Tensor

from cnnviz_widgets.inspection.calls import Call, Plan
from cnnviz_widgets.inspection.leaves import Leaf, Leaves
from cnnviz_widgets.inspection.operations import Operation
from cnnviz_widgets.inspection.quick import QuickRecorder, Short
from cnnviz_widgets.inspection.values import storage_of, version_of


class Steps(Protocol):
    """Module calls and operations of a pass, as a `Trace` and a `Structure` have them."""

    @property
    def calls(self) -> list[Call]:
        """Module calls, in the order in which they began."""

    @property
    def operations(self) -> Sequence[Operation]:
        """Torch functions and leaf calls, in the order in which they ended."""


class OutlineRecorder(QuickRecorder):
    """Note calls and operations; functions run as the model is written, also with a graph.

    Parameters
    ----------
    parameters : dict of int to str
        See `OperationRecorder`.
    """

    def __init__(self, parameters: dict[int, str]) -> None:
        super().__init__(Plan(wanted=frozenset()), parameters)

    def begin(self, leaves: Leaves) -> bool:
        """Get ready for a pass over these layers, all of which may run unwatched."""
        self._leaves = leaves
        return True

    def alias(self, new: Tensor, old: Tensor) -> None:
        """Let a tensor stand for the value that another holds."""
        self.values.alias(new, self.values.number(old))

    def finish(self) -> None:
        """Leave out what ran before the model was called, and after."""
        super().finish()
        if not self.called():
            return
        whole = self.calls[0]
        offset = whole.began
        del self.operations[whole.ended + whole.is_leaf :]
        del self.operations[:offset]
        for call in self.calls:
            call.began -= offset
            call.ended -= offset

    def _taken(self, leaf: Leaf, x: Tensor, given: int) -> int:  # noqa: ARG002 - nothing is kept
        return -1

    def _in_place(self, leaf: Leaf, x: Tensor, depth: int) -> Tensor | None:  # noqa: ARG002 - as above
        storage = storage_of(x)
        weights = self._leaves.storages if self._leaves is not None else ()
        if x._is_view() or storage in weights or storage in self._parameters:
            return None
        return torch.relu_(x)

    def _note_short(
        self,
        leaf: Leaf,
        given: int,
        shape: tuple[int, ...],
        y: Tensor,
        depth: int,  # noqa: ARG002 - nothing is kept
    ) -> None:
        """Note what a listed layer gave."""
        value = self.values.give(y, version_of(y))
        self._counts[leaf.path] = number = self._counts.get(leaf.path, 0) + 1
        if self.running:
            self.running[-1].is_leaf = False
        ran = self._ran
        short: Short = (leaf, number, given, value, shape, y.shape, y.dtype, len(ran))
        self._noted.append(short)
        ran += (short, short)


def outline_of(steps: Steps) -> list[object]:
    """Return what a pass did, such that two passes that did the same give equal lists.

    Values are told apart, not looked at: the first one that either pass met is the first of both.
    """
    names: dict[int, int] = {-1: -1}

    def named(values: Sequence[int]) -> tuple[int, ...]:
        return tuple([names.setdefault(value, len(names)) for value in values])

    found: list[object] = []
    for o in steps.operations:
        given, got = named(o.inputs), named(o.outputs)
        found.append((o.name, o.path, o.call, given, got, o.input_shapes, o.output_shapes))
        found.append((o.arguments, o.keywords))
    for c in steps.calls:
        values = named((c.value, c.input_value))
        found.append((c.path, c.call, c.is_leaf, c.plain, c.began, c.ended, values))
        found.append((c.shape, c.input_shape, c.dtype))
    return found
