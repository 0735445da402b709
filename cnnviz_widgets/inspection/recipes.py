"""Inspection: values that are not kept, because they are quickly computed from kept ones.

In: a cheap step (BatchNorm, ReLU, a sum) and the numbers of the values that it took. Out: a
`Recipe`: how to compute, bit for bit, what the step gave.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from cnnviz_widgets.inspection.leaves import Leaf

MOST_STEPS = 20
"""Steps that computing a value may take: six residual blocks, some 3 ms for a reader."""
# What to do, a listed layer or a function of tensors, and the numbers of the values it takes.
Recipe = tuple[Leaf | Callable[..., Tensor], tuple[int, ...]]


SUMS = frozenset({torch.add, Tensor.add, Tensor.__add__})
SUMS_IN_PLACE = frozenset({Tensor.add_, Tensor.__iadd__})


def is_sum(function: object, args: tuple[Any, ...], kwargs: dict[str, Any] | None) -> bool:
    """Tell whether a torch function is the sum of two plain tensors of one shape and type."""
    if kwargs or len(args) != 2 or not (function in SUMS or function in SUMS_IN_PLACE):
        return False
    one, other = args
    return (
        type(one) is Tensor
        and type(other) is Tensor
        and one.shape == other.shape
        and one.dtype == other.dtype
    )
