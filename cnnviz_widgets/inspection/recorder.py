"""Inspection: what one forward pass did, noted while it runs.

In: module calls (through `Probe`'s hooks) and torch functions (as a TorchFunctionMode). Out: the
value of every module call, protected from in-place operations, and the list of operations.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from cnnviz_widgets.inspection.inplace import run_apart, written
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
# Functions whose arguments are noted, because they say how a layout moves.
_MOVES = {
    "permute", "transpose", "flatten", "reshape", "view", "movedim", "swapaxes", "swapdims",
    "squeeze", "unsqueeze", "moveaxis", "unflatten", "cat", "concat", "mean", "sum", "amax", "max",
    "__getitem__",
}  # fmt: skip


class Source(NamedTuple):
    """Where a kept value came from: the output or the first input of a module call."""

    path: str
    call: int
    side: str  # "output" or "input"


@dataclass
class Call:
    """One call of one module."""

    path: str
    call: int
    module: nn.Module
    is_leaf: bool = True
    value: int = -1  # number of the first output tensor, -1 where there is none
    input_value: int = -1
    tensor_inputs: int = 0
    shape: tuple[int, ...] = ()
    input_shape: tuple[int, ...] = ()
    dtype: torch.dtype | None = None
    started: int = 0  # length of the list of operations when the call began
    ended: int = 0  # and when it returned


class Function(NamedTuple):
    """One torch function between module calls, or a whole leaf call (then `call` is not 0)."""

    name: str
    path: str  # module it ran in
    call: int
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    input_shapes: tuple[tuple[int, ...], ...]
    output_shapes: tuple[tuple[int, ...], ...]
    arguments: tuple[object, ...]


class ParameterWrittenError(BaseException):
    """The forward pass is about to write to a parameter; no `except Exception` may stop this."""

    def __init__(self, names: frozenset[str]) -> None:
        super().__init__(", ".join(sorted(names)))
        self.names = names


@dataclass
class Kept:
    """A value that is held: the tensor, its write count when it was taken, and its source."""

    tensor: Tensor
    version: int
    source: Source


@dataclass
class Plan:
    """How a pass is to be recorded.

    Attributes
    ----------
    graph : bool
        Keep every value and the autograd graph; otherwise cheap layers are computed when asked for.
    protect : frozenset of Source
        Values to hand on as copies, because an earlier pass saw them overwritten through a view.
    wanted : callable or None
        Which values to keep; None keeps all, up to `budget`.
    budget : int
        Bytes after which nothing more is kept.
    cheap : bool
        Whether cheap layers may be computed again.
    """

    graph: bool = False
    protect: frozenset[Source] = frozenset()
    wanted: Callable[[Source], bool] | None = None
    budget: int = 1 << 62
    cheap: bool = True


@dataclass
class Recorder(TorchFunctionMode):
    """Record one forward pass; used as a context manager around it.

    Parameters
    ----------
    plan : Plan
        What to keep.
    parameters : dict of int to str
        Storage number of every parameter that must not be written to, with its name.
    """

    plan: Plan
    parameters: dict[int, str]
    calls: list[Call] = field(default_factory=list)
    functions: list[Function] = field(default_factory=list)
    kept: dict[int, Kept] = field(default_factory=dict)
    recipes: dict[int, tuple[nn.Module, int]] = field(default_factory=dict)
    skipped: dict[int, Source] = field(default_factory=dict)
    stack: list[Call] = field(default_factory=list)
    failed: list[Call] = field(default_factory=list)
    kept_bytes: int = 0

    def __post_init__(self) -> None:
        super().__init__()
        self.values = ValueNumbers()
        self._counts: dict[str, int] = {}
        self._stale: dict[int, tuple[Tensor, Tensor]] = {}
        self._guarded: set[int] = set()
        self._aliased: set[int] = set()

    # -- torch functions ----------------------------------------------------------------------

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: object,
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:  # Any: the result of any torch function
        """Run one torch function, in new memory where it would overwrite a kept value."""
        kwargs = kwargs or {}
        if self._stale:
            args = self.current(args)
            kwargs = self.current(kwargs)
        name = getattr(func, "__name__", "")
        if name == "__get__":
            return self._attribute(func, args)
        targets = written(func, args, kwargs)
        given = list(tensors_in((args, kwargs)))
        inputs = [self.values.number(tensor) for tensor in given]
        shapes = tuple([tensor.shape for tensor in given])
        result = self._write(func, args, kwargs, targets) if targets else func(*args, **kwargs)
        self._note(name, args, (inputs, shapes), result)
        return result

    def _attribute(self, func: Callable[..., Any], args: tuple[Any, ...]) -> Any:
        result = func(*args)
        if isinstance(result, Tensor) and result is not args[0]:
            self._aliased.add(storage_of(result))
        return result

    def _write(
        self,
        func: Callable[..., Any],
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        targets: list[Tensor],
    ) -> Any:
        apart: list[Tensor] = []
        for target in targets:
            storage = storage_of(target)
            if storage in self.parameters:
                raise ParameterWrittenError(frozenset({self.parameters[storage]}))
            if storage in self._guarded and storage not in self._aliased and not target._is_view():
                apart.append(target)
        if not apart:
            return func(*args, **kwargs)
        result, replacements = run_apart(func, args, kwargs, apart)
        for target, new in zip(apart, replacements, strict=True):
            self._stale[id(target)] = (target, new)
        return result

    def _note(
        self,
        name: str,
        args: tuple[Any, ...],
        given: tuple[list[int], tuple[tuple[int, ...], ...]],
        result: Any,
    ) -> None:
        outputs = [result] if isinstance(result, Tensor) else list(tensors_in(result))
        if not outputs:
            return
        for tensor in outputs:
            if tensor._is_view():
                self._aliased.add(storage_of(tensor))
        here = self.stack[-1] if self.stack else None
        self.functions.append(
            Function(
                name,
                here.path if here else "",
                0,
                tuple(given[0]),
                tuple([self.values.number(tensor) for tensor in outputs]),
                given[1],
                tuple([tensor.shape for tensor in outputs]),
                _plain(args) if name in _MOVES else (),
            )
        )

    def current(self, nest: Nest) -> Nest:
        """Return the nest with overwritten tensors replaced by what the model would see in them."""
        return replace_tensors(nest, self._newest)

    def _newest(self, tensor: Tensor) -> Tensor:
        found = self._stale.get(id(tensor))
        while found is not None:
            tensor = found[1]
            found = self._stale.get(id(tensor))
        return tensor

    # -- module calls -------------------------------------------------------------------------

    def enter(self, path: str, module: nn.Module, args: tuple[Any, ...], kwargs: Any) -> None:
        """Note that a module call begins (a forward pre-hook)."""
        number = self._counts.get(path, 0) + 1
        self._counts[path] = number
        if self.stack:
            self.stack[-1].is_leaf = False
        call = Call(path, number, module, started=len(self.functions))
        with torch._C.DisableTorchFunction():  # reading versions must not come back to this mode
            tensors = list(tensors_in((args, kwargs)))
            if tensors:
                first = self._newest(tensors[0])
                call.tensor_inputs = len(tensors)
                call.input_shape = tuple(first.shape)
                call.input_value = self.values.number(first)
                if call.input_value not in self.kept and call.input_value not in self.recipes:
                    self._keep(first, call.input_value, Source(path, number, "input"))
        self.calls.append(call)
        self.stack.append(call)

    def leave(self, module: nn.Module, output: Nest) -> Nest:
        """Note what a module call returned (a forward hook); return what the model goes on with."""
        while self.stack and self.stack[-1].module is not module:
            self.failed.append(self.stack.pop())  # a call that raised, and the model went on
        call = self.stack.pop()
        call.ended = len(self.functions)
        with torch._C.DisableTorchFunction():
            if self._stale:
                output = self.current(output)
            tensor = output if isinstance(output, Tensor) else first_tensor(output)
            if tensor is None:
                return output
            call.shape, call.dtype = tuple(tensor.shape), tensor.dtype
            call.value = self.values.number(tensor)
            if call.value not in self.kept and call.value not in self.recipes:
                output = self._take(call, tensor, output)
            if call.is_leaf:
                self._note_leaf(call)
        return output

    def _take(self, call: Call, tensor: Tensor, output: Nest) -> Nest:
        source = Source(call.path, call.call, "output")
        if self._is_cheap(call):
            self.recipes[call.value] = (call.module, call.input_value)
            return output
        starts_graph = (
            self.plan.graph
            and not tensor.requires_grad
            and (tensor.is_floating_point() or tensor.is_complex())
            and torch.is_grad_enabled()
            and not tensor.is_inference()
        )
        if not starts_graph and source not in self.plan.protect:
            self._keep(tensor, call.value, source)
            return output
        kept = tensor.detach().requires_grad_() if starts_graph else tensor
        handed_on = kept.clone()
        self._keep(kept, call.value, source)
        changed = replace_tensors(output, lambda item: handed_on if item is tensor else item)
        self.values.alias(handed_on, call.value)
        return changed

    def _is_cheap(self, call: Call) -> bool:
        return (
            self.plan.cheap
            and call.is_leaf
            and type(call.module) in _CHEAP
            and call.tensor_inputs == 1
            and call.module not in self._unusual
            and (
                call.input_value in self.kept
                or call.input_value in self.recipes
                or call.input_value in self.skipped
            )
        )

    _unusual: frozenset[nn.Module] = frozenset()

    def _keep(self, tensor: Tensor, value: int, source: Source) -> None:
        wanted = self.plan.wanted
        size = nbytes(tensor)
        if (wanted is not None and not wanted(source)) or (
            wanted is None and self.kept_bytes + size > self.plan.budget
        ):
            self.skipped.setdefault(value, source)
            return
        if source.side == "input" and source in self.plan.protect:
            tensor = tensor.detach().clone()
        self.skipped.pop(value, None)
        storage = storage_of(tensor)
        if storage not in self._guarded:
            self._guarded.add(storage)
            self.kept_bytes += size
        self.kept[value] = Kept(tensor, version_of(tensor), source)

    def _note_leaf(self, call: Call) -> None:
        self.functions.append(
            Function(
                type(call.module).__name__,
                call.path,
                call.call,
                (call.input_value,) if call.input_value >= 0 else (),
                (call.value,),
                (call.input_shape,),
                (call.shape,),
                (),
            )
        )

    # -- after the pass -----------------------------------------------------------------------

    def overwritten(self) -> frozenset[Source]:
        """Return the sources of kept values that were written to behind this recorder's back."""
        return frozenset(
            kept.source for kept in self.kept.values() if version_of(kept.tensor) != kept.version
        )

    def finish(self) -> None:
        """Drop what only the running pass needs."""
        self._stale.clear()
        self.stack.clear()


def _plain(args: tuple[Any, ...]) -> tuple[object, ...]:
    return tuple(None if isinstance(item, Tensor) else item for item in args[1:])
