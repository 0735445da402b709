"""Inspection: the module calls of one forward pass, and the values that are kept of them.

In: the hooks of a `Probe`. Out: `CallRecorder`: a list of calls and, by value number, the tensors
that are held or the cheap modules that compute them again.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from cnnviz_widgets.inspection.values import (
    Nest,
    ValueNumbers,
    first_tensor,
    nbytes,
    replace_tensors,
    storage_of,
    tensors_in,
    version_of,
)

# Cheap, deterministic modules of one input: their output is computed again when it is asked for,
# which saves a forward pass most of the memory that browsing would make it touch.
_CHEAP = frozenset(
    {
        nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d, nn.ReLU, nn.ReLU6, nn.LeakyReLU, nn.ELU,
        nn.SELU, nn.SiLU, nn.GELU, nn.Hardswish, nn.Hardsigmoid, nn.Hardtanh, nn.Sigmoid, nn.Tanh,
        nn.Mish, nn.Identity, nn.Dropout, nn.Dropout1d, nn.Dropout2d, nn.Dropout3d,
    }
)  # fmt: skip


class Source(NamedTuple):
    """Where a kept value came from: the output or the first input of a module call."""

    path: str
    call: int
    side: str  # "output" or "input"


class Call:
    """One call of one module.

    Attributes
    ----------
    path, call : str, int
        Which module, and which of its calls, from 1.
    module : torch.nn.Module
        The shadow's module.
    is_leaf : bool
        Whether no other module was called inside.
    value, input_value : int
        Value numbers of the first output and the first input tensor; -1 where there is none.
    input_tensors : int
        Number of tensors among its arguments.
    shape, input_shape : tuple of int
        Of the first output and the first input tensor.
    dtype : torch.dtype or None
        Of the first output tensor.
    began, ended : int
        Operations noted before the call began and when it returned.
    """

    __slots__ = (
        "began",
        "call",
        "dtype",
        "ended",
        "input_shape",
        "input_tensors",
        "input_value",
        "is_leaf",
        "module",
        "path",
        "shape",
        "value",
    )

    def __init__(self, path: str, call: int, module: nn.Module) -> None:
        self.path = path
        self.call = call
        self.module = module
        self.is_leaf = True
        self.value = -1
        self.input_value = -1
        self.input_tensors = 0
        self.shape: tuple[int, ...] = ()
        self.input_shape: tuple[int, ...] = ()
        self.dtype: torch.dtype | None = None
        self.began = 0
        self.ended = 0


class Kept(NamedTuple):
    """A value that is held: the tensor, its write count when it was taken, and its source."""

    tensor: Tensor
    version: int
    source: Source


class Recipe(NamedTuple):
    """How a value that is not held is computed: from the values with these numbers."""

    compute: Callable[..., Tensor]
    sources: tuple[int, ...]


class Plan(NamedTuple):
    """How a pass is to be recorded.

    Attributes
    ----------
    graph : bool
        Keep every value and the autograd graph.
    cheap : bool
        Whether cheap layers are computed when asked for instead of kept.
    protect : frozenset of Source
        Values to hand on as copies, because an earlier pass saw them overwritten through a view.
    wanted : frozenset of Source or None
        The only values to keep; None keeps all, up to `budget`.
    budget : int
        Bytes after which nothing more is kept.
    """

    graph: bool = False
    cheap: bool = True
    protect: frozenset[Source] = frozenset()
    wanted: frozenset[Source] | None = None
    budget: int = 1 << 62


class CallRecorder:
    """Note module calls and keep their values, during one forward pass.

    Parameters
    ----------
    plan : Plan
        What to keep.
    unusual : frozenset of torch.nn.Module
        Modules that cannot be computed again by calling ``forward`` alone.
    """

    def __init__(self, plan: Plan, unusual: frozenset[nn.Module]) -> None:
        self.plan = plan
        self.calls: list[Call] = []
        self.kept: dict[int, Kept] = {}
        self.recipes: dict[int, Recipe] = {}
        self.skipped: dict[int, Source] = {}
        self.running: list[Call] = []
        self.failed: list[Call] = []
        self.kept_bytes = 0
        self.values = ValueNumbers()
        self.guarded: set[int] = set()  # storages of kept values
        self._unusual = unusual
        self._counts: dict[str, int] = {}

    def enter(self, path: str, module: nn.Module, args: tuple[Any, ...], kwargs: Any) -> None:
        """Note that a module call begins (a forward pre-hook)."""
        number = self._counts.get(path, 0) + 1
        self._counts[path] = number
        call = Call(path, number, module)
        if self.running:
            self.running[-1].is_leaf = False
        if len(args) == 1 and not kwargs and isinstance(args[0], Tensor):
            first: Tensor | None = args[0]
            call.input_tensors = 1
        else:
            tensors = tensors_in((args, kwargs))
            first = tensors[0] if tensors else None
            call.input_tensors = len(tensors)
        if first is not None:
            self._note_input(call, self.newest(first))
        self.calls.append(call)
        self.running.append(call)

    def leave(self, module: nn.Module, output: Nest) -> Nest:
        """Note what a module call returned (a forward hook); return what the model goes on with."""
        return self._record(self._returned(module), output)

    def _returned(self, module: nn.Module) -> Call:
        while self.running[-1].module is not module:
            self.failed.append(self.running.pop())  # a call that raised, and the model went on
        return self.running.pop()

    def _record(self, call: Call, output: Nest) -> Nest:
        tensor = output if isinstance(output, Tensor) else first_tensor(output)
        if tensor is None:
            return output
        call.shape, call.dtype = tensor.shape, tensor.dtype
        call.value = value = self.values.number(tensor)
        if value in self.kept or value in self.recipes:
            return output
        if self._is_cheap(call):
            compute = functools.partial(_run_again, call.module)
            self.recipes[value] = Recipe(compute, (call.input_value,))
            return output
        return self._take(call, tensor, output)

    def newest(self, tensor: Tensor) -> Tensor:
        """Return what the model would see in this tensor now."""
        return tensor

    def _note_input(self, call: Call, tensor: Tensor) -> None:
        call.input_shape = tensor.shape
        call.input_value = value = self.values.number(tensor)
        if value not in self.kept and value not in self.recipes:
            self.keep(tensor, value, Source(call.path, call.call, "input"))

    def _is_cheap(self, call: Call) -> bool:
        return (
            type(call.module) in _CHEAP
            and self.plan.cheap
            and call.is_leaf
            and call.input_tensors == 1
            and call.module not in self._unusual
            and self.can_compute(call.input_value)
        )

    def can_compute(self, value: int) -> bool:
        """Tell whether a value is held, can be computed, or would be if there were room."""
        return value in self.kept or value in self.recipes or value in self.skipped

    def _take(self, call: Call, tensor: Tensor, output: Nest) -> Nest:
        """Keep an output; hand on a copy of it where it has to be protected or start a graph."""
        source = Source(call.path, call.call, "output")
        starts_graph = self.plan.graph and _can_start_graph(tensor)
        if not starts_graph and source not in self.plan.protect:
            self.keep(tensor, call.value, source)
            return output
        kept = tensor.detach().requires_grad_() if starts_graph else tensor
        handed_on = kept.clone()
        self.keep(kept, call.value, source)
        self.values.alias(handed_on, call.value)
        return replace_tensors(output, lambda item: handed_on if item is tensor else item)

    def keep(self, tensor: Tensor, value: int, source: Source) -> None:
        """Hold a value, if the plan wants it and there is room."""
        plan, size = self.plan, nbytes(tensor)
        fits = self.kept_bytes + size <= plan.budget if plan.wanted is None else False
        if not fits and source not in (plan.wanted or ()):
            self.skipped.setdefault(value, source)
            return
        self.skipped.pop(value, None)
        self.hold(tensor, value, source)

    def hold(self, tensor: Tensor, value: int, source: Source) -> None:
        """Hold a value."""
        if source.side == "input" and source in self.plan.protect:
            tensor = tensor.detach().clone()
        storage = storage_of(tensor)
        if storage not in self.guarded:
            self.guarded.add(storage)
            self.kept_bytes += nbytes(tensor)
        self.kept[value] = Kept(tensor, version_of(tensor), source)

    def overwritten(self) -> frozenset[Source]:
        """Return the sources of kept values that were written to after they were taken."""
        return frozenset(
            kept.source for kept in self.kept.values() if version_of(kept.tensor) != kept.version
        )


def _run_again(module: nn.Module, tensor: Tensor) -> Tensor:
    """Compute a cheap module's output without its hooks, leaving the input alone."""
    if getattr(module, "inplace", False):
        tensor = tensor.clone()
    result: Tensor = module.forward(tensor)
    return result


def _can_start_graph(tensor: Tensor) -> bool:
    """Tell whether this is the first value that gradients can reach, as after an embedding."""
    return (
        not tensor.requires_grad
        and (tensor.is_floating_point() or tensor.is_complex())
        and torch.is_grad_enabled()
        and not tensor.is_inference()
    )
