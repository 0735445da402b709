"""Inspection: values that are not kept, because they are quickly computed from kept ones.

In: a cheap step (BatchNorm, ReLU, a sum) and the numbers of the values that it took. Out: a
`Recipe`: how to compute, bit for bit, what the step gave.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch import Tensor

from cnnviz_widgets.inspection.leaves import Leaf

DEEPEST = 2
"""Steps from kept values to one that is computed: as much as a reader waits for."""
_SUMS = frozenset({"add", "add_", "__add__", "__iadd__"})


# What to do, a listed layer or a function of tensors, and the numbers of the values it takes.
Recipe = tuple[Leaf | Callable[..., Tensor], tuple[int, ...]]


def is_sum(name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> bool:
    """Tell whether a torch function is the sum of two plain tensors of one shape and type."""
    if name not in _SUMS or kwargs or len(args) != 2:
        return False
    one, other = args
    return (
        type(one) is Tensor
        and type(other) is Tensor
        and one.shape == other.shape
        and one.dtype == other.dtype
    )
