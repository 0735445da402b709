"""Inspection: values in the graph that are views, and what in-place functions do to them.

In: layers' outputs that share memory with what they were made of, and the tensors that a pass
writes to. Out: `Views`, which says whose gradient torch no longer leads through them.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor

from cnnviz_widgets.inspection.values import storage_of


class Views:
    """Views among the values of one pass that builds a graph.

    Torch leads the graph around a view that is written to: through the tensor that it is a view
    of. A value that goes on as `unviewed` stays in the graph, as long as nobody reads or writes its
    memory in another way than through it.

    Parameters
    ----------
    apart : bool
        Whether values go on as `unviewed`.

    Attributes
    ----------
    lost : set of int
        Numbers of the values whose gradient would not be the whole one.
    """

    def __init__(self, *, apart: bool) -> None:
        self.lost: set[int] = set()
        self._apart = apart
        self._noted: dict[int, list[tuple[int, Tensor]]] = {}  # by storage
        self._written: dict[int, Tensor] = {}  # by storage, what it was written through

    def note(self, value: int, tensor: Tensor) -> Tensor:
        """Note a value that is a view; return the tensor that the model should go on with."""
        new = unviewed(tensor) if self._apart else tensor
        self._noted.setdefault(storage_of(tensor), []).append((value, new))
        return new

    def survive(self, target: Tensor) -> bool | None:
        """Tell whether the values stay in the graph that share memory with what is written to.

        None where there are none.
        """
        storage = storage_of(target)
        noted = self._noted.get(storage)
        if noted is None:
            return None
        last = noted[-1][1]
        if self._apart and _is_of(target, last):
            self._written[storage] = last
            return True
        self._lose(storage)
        return False

    def are_strange(self, tensors: Iterable[Tensor]) -> bool:
        """Tell whether one of these reads what was written to it, but not in the graph."""
        if not self._written:
            return False
        found = False
        for tensor in tensors:
            storage = storage_of(tensor)
            last = self._written.get(storage)
            if last is not None and not _is_of(tensor, last):
                self._lose(storage)
                found = True
        return found

    def check(self, value: int) -> None:
        """Raise what torch raises of other overwritten values, if this one is lost."""
        if value in self.lost:
            msg = "a view that the gradient needs was modified by an inplace operation"
            raise RuntimeError(msg)

    def clear(self) -> None:
        """Let go of the tensors."""
        self._noted.clear()
        self._written.clear()

    def _lose(self, storage: int) -> None:
        self.lost.update(value for value, _ in self._noted[storage])


def _is_of(tensor: Tensor, owner: Tensor) -> bool:
    return tensor is owner or (tensor._is_view() and tensor._base is owner)


class _Unviewed(torch.autograd.Function):
    """Give the graph a tensor in the memory of another, and no view of it."""

    @staticmethod
    def forward(_ctx: Any, _tensor: Tensor, held: list[Tensor]) -> Tensor:
        return held[0]

    @staticmethod
    def backward(_ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        return gradients[0], None


def unviewed(tensor: Tensor) -> Tensor:
    """Return the same memory and place in the graph as a tensor that is no view."""
    new: Tensor = _Unviewed.apply(tensor, [tensor.detach()])  # type: ignore[no-untyped-call]  # torch's
    return new
