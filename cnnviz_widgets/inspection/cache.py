"""Inspection: results kept within a budget of bytes, the least recently used out first.

In: tensors under keys. Out: the same tensors, while they fit.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable
from typing import TypedDict

from torch import Tensor

from cnnviz_widgets.inspection.values import nbytes


class CacheInfo(TypedDict):
    """What an Inspector holds, in bytes and in numbers of things."""

    trace_bytes: int
    gradient_bytes: int
    gradients: int
    budget_bytes: int
    layers_kept: int
    layers_recomputed: int
    has_graph: bool


class TensorCache:
    """Tensors by key, at most `budget` bytes of them."""

    def __init__(self, budget: int) -> None:
        self.budget = budget
        self.nbytes = 0
        self._tensors: OrderedDict[Hashable, Tensor] = OrderedDict()

    def __len__(self) -> int:
        return len(self._tensors)

    def get(self, key: Hashable) -> Tensor | None:
        """Return the tensor and mark it as used, or None."""
        if key not in self._tensors:
            return None
        self._tensors.move_to_end(key)
        return self._tensors[key]

    def put(self, key: Hashable, tensor: Tensor, *, reserved: int = 0) -> None:
        """Keep a tensor, dropping the least recently used; one that never fits is not kept.

        Parameters
        ----------
        key : hashable
            What to ask for it by.
        tensor : Tensor
            What to keep.
        reserved : int
            Bytes of the budget that others use.
        """
        size = nbytes(tensor)
        room = self.budget - reserved
        if size > room:
            return
        if key in self._tensors:
            self.nbytes -= nbytes(self._tensors.pop(key))
        while self._tensors and self.nbytes + size > room:
            _, oldest = self._tensors.popitem(last=False)
            self.nbytes -= nbytes(oldest)
        self._tensors[key] = tensor
        self.nbytes += size

    def clear(self) -> None:
        """Forget everything."""
        self._tensors.clear()
        self.nbytes = 0
