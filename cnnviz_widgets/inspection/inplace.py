"""Inspection: which torch functions write into their arguments, and how to run them without.

In: a torch function with its arguments. Out: the tensors it would write to, or the result that it
would have left in them, computed in new memory.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from cnnviz_widgets.inspection.values import tensors_in

Function = Callable[..., Any]

# In-place functions whose out-of-place twin gives the same bits when types and shapes agree.
_TWINS = {
    "abs_", "add_", "clamp_", "clamp_max_", "clamp_min_", "div_", "elu_", "exp_", "hardtanh_",
    "leaky_relu_", "mul_", "neg_", "pow_", "relu_", "selu_", "sigmoid_", "silu_", "sqrt_", "sub_",
    "tanh_",
}  # fmt: skip
_OPERATORS = {
    "__iadd__": "add", "__isub__": "sub", "__imul__": "mul", "__itruediv__": "div",
    "__ifloordiv__": "", "__ipow__": "pow", "__imod__": "", "__iand__": "", "__ior__": "",
    "__ixor__": "", "__ilshift__": "", "__irshift__": "", "__imatmul__": "", "__idiv__": "div",
}  # fmt: skip
# Functions that return several views at once.
MANY_VIEWS = frozenset({"chunk", "split", "unbind"})
# Functions that hand out a tensor's memory, where nobody sees what is written to it.
EXPOSES = frozenset({"numpy", "__array__", "__dlpack__"})
# Names that end in one underscore or write, and yet leave the values alone.
_HARMLESS = {"requires_grad_", "retain_grad_", "share_memory_", "rename_", "__get__"}


@functools.lru_cache(maxsize=4096)
def _writes_first(func: Function) -> bool:
    name: str = getattr(func, "__name__", "")
    if name in _OPERATORS or name == "__setitem__":
        return True
    if name == "__set__":  # of `tensor.data = other` and its like only that one writes
        return getattr(getattr(func, "__self__", None), "__name__", "") == "data"
    return name.endswith("_") and not name.endswith("__") and name not in _HARMLESS


@functools.lru_cache(maxsize=4096)
def _twin(func: Function) -> Function | None:
    name: str = getattr(func, "__name__", "")
    plain = _OPERATORS.get(name) or (name[:-1] if name in _TWINS else "")
    if not plain:
        return None
    twin: Function | None = getattr(torch, plain, None) or getattr(torch.nn.functional, plain, None)
    return twin


def written(func: Function, args: tuple[Any, ...], kwargs: dict[str, Any]) -> list[Tensor]:
    """Return the tensors that the call would write into; an empty list for most calls.

    Covers ``F.relu(x, inplace=True)``, names with one trailing underscore, augmented assignment,
    ``x[...] = y``, ``out=`` and the renormalisation of ``embedding(max_norm=...)``.
    """
    found: list[object] = []
    if kwargs:
        if kwargs.get("inplace") is True:
            found.append(args[0] if args else kwargs["input"])
        out = kwargs.get("out")
        if out is not None:
            found.extend(out if isinstance(out, (tuple, list)) else [out])
        if kwargs.get("max_norm") is not None and getattr(func, "__name__", "") in {
            "embedding",
            "embedding_bag",
        }:
            found.append(args[1] if len(args) > 1 else kwargs["weight"])
    if _writes_first(func):
        # By keyword, as torch.nn.init does it, any tensor may be the one that is written to.
        found.extend(tensors_in(args[0]) if args else tensors_in(kwargs))
    return [tensor for tensor in found if isinstance(tensor, Tensor)]


def run_apart(
    func: Function, args: tuple[Any, ...], kwargs: dict[str, Any], targets: list[Tensor]
) -> tuple[Any, list[Tensor]]:
    """Run an in-place call so that `targets` keep their values.

    Parameters
    ----------
    func, args, kwargs
        The call as the model made it.
    targets : list of Tensor
        The tensors it would write into and that must stay as they are.

    Returns
    -------
    result : object
        What the call returns, holding the new tensors in place of the targets.
    replacements : list of Tensor
        For each target, a tensor with the values, type and shape the call would have left in it.
    """
    if kwargs.get("inplace") is True and len(targets) == 1:
        result = func(*args, **{**kwargs, "inplace": False})
        if _same_kind(result, targets[0]) and result is not targets[0]:
            return result, [result]
    twin = _twin(func)
    alone = len(targets) == 1 and bool(args) and args[0] is targets[0]
    if twin and alone and all(_plain_operand(item, targets[0]) for item in args[1:]):
        result = twin(*args, **kwargs)
        if _same_kind(result, targets[0]):
            return result, [result]
    return _run_on_clones(func, args, kwargs, targets)


def run_without_out(func: Function, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Run a call that has ``out=`` and then write to it, as torch allows where a graph is built."""
    out = kwargs["out"]
    result = func(*args, **{key: item for key, item in kwargs.items() if key != "out"})
    for target, new in zip(tensors_in(out), tensors_in(result), strict=True):
        target.copy_(new)
    return out


def as_single_views(
    name: str, args: tuple[Any, ...], kwargs: dict[str, Any], result: Any
) -> tuple[Tensor, ...]:
    """Return the pieces of ``chunk``, ``split`` or ``unbind`` as views made one by one.

    They hold the same values in the same memory, but torch lets a graph write to these only.
    """
    tensor: Tensor = args[0] if args else kwargs["input" if "input" in kwargs else "tensor"]
    place = 1 if name == "unbind" else 2
    dim = kwargs.get("dim", args[place] if len(args) > place else 0)
    if name == "unbind":
        return tuple(tensor.select(dim, index) for index in range(len(result)))
    pieces, start = [], 0
    for piece in result:
        pieces.append(tensor.narrow(dim, start, piece.shape[dim]))
        start += piece.shape[dim]
    return tuple(pieces)


def _run_on_clones(
    func: Function, args: tuple[Any, ...], kwargs: dict[str, Any], targets: list[Tensor]
) -> tuple[Any, list[Tensor]]:
    clones = {id(target): target.clone() for target in targets}

    def swap(item: Any) -> Any:  # Any: an argument of any torch function
        if isinstance(item, Tensor):
            return clones.get(id(item), item)
        if isinstance(item, (tuple, list)) and any(isinstance(part, Tensor) for part in item):
            return type(item)(swap(part) for part in item)
        return item

    # With __setitem__ the value on the right may be the target itself: x[0] = x reads old values.
    new_args = tuple(swap(item) for item in args)
    result = func(*new_args, **{key: swap(item) for key, item in kwargs.items()})
    return result, [clones[id(target)] for target in targets]


def _same_kind(result: object, target: Tensor) -> bool:
    return (
        isinstance(result, Tensor)
        and result.dtype == target.dtype
        and result.shape == target.shape
        and result.device == target.device
    )


def _plain_operand(item: object, target: Tensor) -> bool:
    return not isinstance(item, Tensor) or item.dtype == target.dtype
