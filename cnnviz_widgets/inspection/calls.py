"""Inspection: the module calls of one forward pass, and the values that are kept of them.

In: the hooks of a `Probe`. Out: `CallRecorder`: a list of calls and, by value number, the tensors
that they took and gave, as they were then.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.autograd.graph import GradientEdge, get_gradient_edge

from cnnviz_widgets.inspection.checkpoints import HIDDEN, runs_hidden
from cnnviz_widgets.inspection.values import (
    Nest,
    ValueNumbers,
    first_tensor,
    is_wrapped,
    nbytes,
    replace_tensors,
    storage_of,
    tensors_in,
    version_of,
)
from cnnviz_widgets.inspection.views import Views


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
    plain : bool
        Whether the output is a tensor, not a nest of them.
    value, input_value : int
        Value numbers of the first output and the first input tensor; -1 where there is none.
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
        "input_value",
        "is_leaf",
        "module",
        "path",
        "plain",
        "shape",
        "value",
    )

    def __init__(self, path: str, call: int, module: nn.Module) -> None:
        self.path = path
        self.call = call
        self.module = module
        self.is_leaf = True
        self.plain = True
        self.value = -1
        self.input_value = -1
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


class Plan(NamedTuple):
    """How a pass is to be recorded.

    Attributes
    ----------
    graph : bool
        Build the autograd graph and note the places in it where the values are.
    copies : bool
        Keep copies (with a graph: nothing), so that the model may write to its tensors as it
        likes: always right, and slower by the copies.
    wanted : frozenset of Source or None
        The only values to keep; None keeps all, up to `budget`.
    budget : int
        Bytes after which nothing more is kept.
    """

    graph: bool = False
    copies: bool = False
    wanted: frozenset[Source] | None = None
    budget: int = 1 << 62


class CallRecorder:
    """Note module calls and keep their values, during one forward pass.

    Parameters
    ----------
    plan : Plan
        What to keep.

    Attributes
    ----------
    calls : list of Call
        In the order in which they began.
    kept : dict of int to Kept
        By value number.
    edges : dict of int to GradientEdge
        Where each value is in the autograd graph. An edge still means the value as it was then
        after the tensor was written to.
    skipped : dict of int to Source
        Values for which there was no room.
    running, failed : list of Call
        Calls that have not returned, and those that raised while the model went on.
    kept_bytes, seen_bytes : int
        Bytes of memory of what is held, and of everything that passed by.
    released : bool
        Whether the values were let go.
    """

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.calls: list[Call] = []
        self.kept: dict[int, Kept] = {}
        self.edges: dict[int, GradientEdge] = {}
        self.skipped: dict[int, Source] = {}
        self.running: list[Call] = []
        self.failed: list[Call] = []
        self.kept_bytes = 0
        self.seen_bytes = 0
        self.released = False
        self.values = ValueNumbers()
        self.guarded: set[int] = set()  # storages of kept values
        self.views = Views(apart=not plan.copies)
        self.hidden: set[int] = set()  # values inside a checkpoint
        self._counts: dict[str, int] = {}

    def enter(self, path: str, module: nn.Module, args: tuple[Any, ...], kwargs: Any) -> None:
        """Note that a module call begins (a forward pre-hook)."""
        number = self._counts.get(path, 0) + 1
        self._counts[path] = number
        call = Call(path, number, module)
        if self.running:
            self.running[-1].is_leaf = False
        self.calls.append(call)
        self.running.append(call)
        if args and isinstance(args[0], Tensor):
            first: Tensor | None = args[0]
        else:
            first = next(iter(tensors_in((args, kwargs))), None)
        if first is not None and not is_wrapped(first):
            first = self.newest(first)
            call.input_shape = first.shape
            call.input_value = value = self.values.number(first)
            if not self.at_hand(value):
                self.keep(first, value, Source(path, number, "input"))

    def leave(self, module: nn.Module, output: Nest) -> Nest:
        """Note what a module call returned (a forward hook); return what the model goes on with."""
        return self.record(self.returned(module), output)

    def returned(self, module: nn.Module) -> Call:
        """Close a module's call, and those inside it that raised while the model went on."""
        while self.running[-1].module is not module:
            self.failed.append(self.running.pop())
        return self.running.pop()

    def record(self, call: Call, output: Nest) -> Nest:
        """Note a call's output; return what the model goes on with."""
        tensor = output if isinstance(output, Tensor) else first_tensor(output)
        if tensor is None or is_wrapped(tensor):
            return output
        call.plain = tensor is output
        call.shape, call.dtype = tensor.shape, tensor.dtype
        call.value = value = self.values.number(tensor)
        source = Source(call.path, call.call, "output")
        if self.plan.graph:
            return output if value in self.edges else self._note_edge(tensor, source, value, output)
        if not self.at_hand(value):
            self.keep(tensor, value, source)
        return output

    def newest(self, tensor: Tensor) -> Tensor:
        """Return what the model would see in this tensor now."""
        return tensor

    def _note_edge(self, tensor: Tensor, source: Source, value: int, output: Nest) -> Nest:
        """Note where a value is in the graph; let the graph begin here where it has not yet."""
        self.seen_bytes += nbytes(tensor)
        if _can_start_graph(tensor):
            leaf = tensor.detach().requires_grad_()
            new = leaf.clone()  # not a leaf, so that the model may write to it
            self.values.alias(new, value)
            self.edges[value] = get_gradient_edge(leaf)
            return replace_tensors(output, lambda item: new if item is tensor else item)
        if not torch.is_grad_enabled() and runs_hidden():
            self.hidden.add(value)
        if tensor.requires_grad and tensor._is_view():
            new = self.views.note(value, tensor)
            self.values.alias(new, value)
            self.edges[value] = get_gradient_edge(new)
            if not self.plan.copies:
                self._hold(tensor.detach().clone(), value, source)
            return replace_tensors(output, lambda item: new if item is tensor else item)
        if tensor.requires_grad:
            self.edges[value] = get_gradient_edge(tensor)
            if not self.plan.copies:
                self._hold(tensor, value, source)
        return output

    def keep(self, tensor: Tensor, value: int, source: Source) -> None:
        """Hold a value, if the plan wants it and there is room."""
        plan = self.plan
        if plan.graph:
            return
        if plan.wanted is None:
            if self.kept_bytes + nbytes(tensor) > plan.budget:
                self.skipped.setdefault(value, source)
                return
        elif source not in plan.wanted:
            return
        self._hold(tensor.detach().clone() if plan.copies else tensor, value, source)

    def _hold(self, tensor: Tensor, value: int, source: Source) -> None:
        storage = storage_of(tensor)
        if storage not in self.guarded:
            self.guarded.add(storage)
            self.kept_bytes += nbytes(tensor)
        self.kept[value] = Kept(tensor, version_of(tensor), source)

    def copy_kept(self, storage: int) -> None:
        """Hold copies of the kept values in this memory, because it is about to be written to."""
        for value, kept in self.kept.items():
            if storage_of(kept.tensor) == storage:
                copy = kept.tensor.detach().clone()
                self.kept[value] = Kept(copy, version_of(copy), kept.source)

    def is_guarded(self, storage: int) -> bool:
        """Tell whether memory holds a kept value."""
        return storage in self.guarded

    def called(self) -> list[Call]:
        """Return the calls, once the pass is over."""
        return self.calls

    @property
    def has_layers(self) -> bool:
        """Whether a module inside the model was called and gave a tensor."""
        return any(call.path and call.value >= 0 for call in self.calls)

    def at_hand(self, value: int) -> bool:
        """Tell whether a value is kept."""
        return value in self.kept

    def value(self, number: int) -> Tensor | None:
        """Return the tensor with this value number; None where it was not kept."""
        kept = self.kept.get(number)
        return None if kept is None else kept.tensor

    def edge(self, number: int) -> GradientEdge | None:
        """Return where a value is in the graph, or None.

        Raises
        ------
        RuntimeError
            Its gradient would not be the whole one, as torch was led around it.
        """
        if number in self.hidden:
            raise RuntimeError(HIDDEN)
        self.views.check(number)
        return self.edges.get(number)

    def release(self) -> list[Tensor]:
        """Let go of all values; return those that were kept, the last one first."""
        kept = [kept.tensor for kept in reversed(self.kept.values())]
        self.kept.clear()
        self.edges.clear()
        self.views.clear()
        self.guarded.clear()
        self.kept_bytes = 0
        self.released = True
        return kept

    def overwritten(self) -> bool:
        """Tell whether a kept value was written to after it was taken."""
        return any(version_of(kept.tensor) != kept.version for kept in self.kept.values())


def _can_start_graph(tensor: Tensor) -> bool:
    """Tell whether this is the first value that gradients can reach, as after an embedding."""
    return (
        not tensor.requires_grad
        and (tensor.is_floating_point() or tensor.is_complex())
        and torch.is_grad_enabled()
        and not tensor.is_inference()
    )
