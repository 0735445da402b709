"""Inspection: the torch functions of one forward pass, kept from overwriting what is kept.

In: every torch function that the model calls (as a TorchFunctionMode) besides its module calls.
Out: `OperationRecorder`: a `CallRecorder` with a list of operations, safe from in-place functions.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from cnnviz_widgets.inspection.calls import Call, CallRecorder, Plan, Recipe, Source
from cnnviz_widgets.inspection.inplace import MANY_VIEWS, as_single_views, run_apart, written
from cnnviz_widgets.inspection.values import Nest, replace_tensors, storage_of, tensors_in

# Functions whose arguments are noted, because they say how a layout moves.
_MOVES = {
    "permute", "transpose", "movedim", "moveaxis", "swapaxes", "swapdims", "mean", "sum", "amax",
    "amin", "max", "min", "var", "std", "softmax", "log_softmax", "cat", "concat", "concatenate",
    "__getitem__", "select", "unsqueeze", "squeeze", "unbind", "flip", "roll",
}  # fmt: skip
# Arguments that formulas and layouts expect first, also where they are given by keyword.
_FIRST = ("input", "tensors", "query", "key", "value", "weight")

# Functions that are computed again as cheap modules are, where all they take can be had.
_CHEAP_FUNCTIONS: dict[str, Callable[..., Tensor]] = {
    "relu": torch.relu, "relu_": torch.relu, "add": torch.add, "add_": torch.add,
    "__add__": torch.add, "__iadd__": torch.add,
}  # fmt: skip
# Functions through which numbers reach Python, where they may decide what runs next.
_DECISIONS = {
    "__bool__", "__int__", "__float__", "__index__", "__contains__", "item", "tolist", "numpy",
    "__array__", "equal", "allclose", "is_nonzero", "nonzero", "unique", "masked_select",
}  # fmt: skip

Shapes = tuple[tuple[int, ...], ...]


class Operation(NamedTuple):
    """One torch function between module calls, or a whole leaf call.

    Attributes
    ----------
    name : str
        The function's name, or the class of the module.
    path, call : str, int
        The module call it ran in; for a leaf call itself. `call` is 0 for a function.
    inputs, outputs : tuple of int
        Numbers of the values it took and gave: equal numbers are one value, unchanged.
    input_shapes, output_shapes : tuple of tuple of int
        Their shapes.
    arguments : tuple
        Arguments that hold no tensors, for functions that move axes.
    keywords : tuple of (str, object)
        The same of arguments given by keyword.
    """

    name: str
    path: str
    call: int
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    input_shapes: Shapes
    output_shapes: Shapes
    arguments: tuple[object, ...]
    keywords: tuple[tuple[str, object], ...] = ()


class ParameterWrittenError(BaseException):
    """The forward pass is about to write to a parameter; no `except Exception` may stop this."""

    def __init__(self, names: frozenset[str]) -> None:
        super().__init__(", ".join(sorted(names)))
        self.names = names


class OperationRecorder(CallRecorder, TorchFunctionMode):
    """Record calls and operations; a context manager around the forward pass.

    An in-place function that would overwrite a kept value runs in new memory instead, and from
    then on everybody who uses the old tensor is given the new one: the model computes what it
    always does, and the kept value stays.

    Parameters
    ----------
    plan : Plan
        What to keep.
    unusual : frozenset of torch.nn.Module
        Modules that cannot be computed again by calling ``forward`` alone.
    parameters : dict of int to str
        Storage number and name of every parameter that must not be written to.
    """

    def __init__(
        self, plan: Plan, unusual: frozenset[nn.Module], parameters: dict[int, str]
    ) -> None:
        CallRecorder.__init__(self, plan, unusual)
        TorchFunctionMode.__init__(self)
        self.operations: list[Operation] = []
        self.run_apart_in: set[nn.Module] = set()  # in-place leaf modules that ran in new memory
        self.is_plain = True  # False where running those modules out of place is not all it takes
        self._parameters = parameters
        self._stale: dict[int, tuple[Tensor, Tensor]] = {}
        self._aliased: set[int] = set()  # storages with views
        self._spoilt: set[int] = set()  # storages of kept values that were written to

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
        given = tensors_in((args, _in_order(kwargs)))
        inputs = tuple([self.values.number(tensor) for tensor in given])
        shapes = tuple([tensor.shape for tensor in given])
        if name in _DECISIONS:
            self.is_plain = False
        targets = written(func, args, kwargs)
        bases = [(base, self.values.number(base)) for base in _bases(targets)]
        result = self._write(func, args, kwargs, targets) if targets else func(*args, **kwargs)
        if name in MANY_VIEWS and torch.is_grad_enabled():
            result = as_single_views(name, args, kwargs, result)
        outputs = tensors_in(result) or [self.newest(target) for target in targets]
        if outputs:
            self._note_aliases(given, outputs)
            self._note(name, inputs, shapes, outputs, (args, kwargs))
            if name in _CHEAP_FUNCTIONS:
                self._note_recipe(name, inputs, (args, kwargs), outputs[0])
        for base, old in bases:
            self._note("write", (old,), (base.shape,), [base], ((), {}))
        return result

    def _note_aliases(self, given: list[Tensor], outputs: list[Tensor]) -> None:
        """Note memory that several tensors share: views, and what ``detach`` gives."""
        for tensor in outputs:
            storage = storage_of(tensor)
            shared = (t is not tensor and storage_of(t) == storage for t in given)
            if tensor._is_view() or any(shared):
                self._aliased.add(storage)

    def _note_recipe(
        self, name: str, inputs: tuple[int, ...], given: tuple[Any, Any], output: Tensor
    ) -> None:
        """Let a sum or ReLU of values that can be had be computed again, rather than held."""
        args, kwargs = given
        plain = all(isinstance(item, Tensor) and item.dtype == output.dtype for item in args)
        if not (self.plan.cheap and plain and args) or (kwargs and kwargs.keys() != {"inplace"}):
            return
        value = self.values.number(output)
        known = all(self.can_compute(number) for number in inputs)
        if known and not self.can_compute(value) and not output._is_view():
            self.recipes[value] = Recipe(_CHEAP_FUNCTIONS[name], inputs)

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
            if storage in self._parameters:
                raise ParameterWrittenError(frozenset({self._parameters[storage]}))
            if storage in self.guarded and storage not in self._aliased and not target._is_view():
                apart.append(target)
            elif storage in self.guarded:
                self._spoilt.add(storage)
        if kwargs.get("out") is not None and torch.is_grad_enabled():
            apart = targets  # torch refuses out= where a graph is built
        if not apart:
            return func(*args, **kwargs)
        result, replacements = run_apart(func, args, kwargs, apart)
        for target, new in zip(apart, replacements, strict=True):
            self._stale[id(target)] = (target, new)
        here = self.running[-1].module if self.running else None
        if here is not None and getattr(here, "inplace", None) is True and kwargs.get("inplace"):
            self.run_apart_in.add(here)
        else:
            self.is_plain = False
        return result

    def _note(
        self,
        name: str,
        inputs: tuple[int, ...],
        shapes: Shapes,
        outputs: list[Tensor],
        given: tuple[tuple[Any, ...], dict[str, Any]],
    ) -> None:
        arguments, keywords = _plain_arguments(*given) if name in _MOVES else ((), ())
        self.operations.append(
            Operation(
                name,
                self.running[-1].path if self.running else "",
                0,
                inputs,
                tuple([self.values.number(tensor) for tensor in outputs]),
                shapes,
                tuple([tensor.shape for tensor in outputs]),
                arguments,
                keywords,
            )
        )

    def current(self, nest: Nest) -> Nest:
        """Return the nest with overwritten tensors replaced by what the model would see in them."""
        return replace_tensors(nest, self.newest)

    def newest(self, tensor: Tensor) -> Tensor:
        """Return what the model would see in this tensor now."""
        found = self._stale.get(id(tensor))
        while found is not None:
            self.is_plain = False
            tensor = found[1]
            found = self._stale.get(id(tensor))
        return tensor

    def enter(self, path: str, module: nn.Module, args: tuple[Any, ...], kwargs: Any) -> None:
        """Note that a module call begins."""
        with torch._C.DisableTorchFunction():  # what is read here must not come back to this mode
            super().enter(path, module, args, kwargs)
        self.calls[-1].began = len(self.operations)

    def leave(self, module: nn.Module, output: Nest) -> Nest:
        """Note what a module call returned; return what the model goes on with."""
        with torch._C.DisableTorchFunction():
            if self._stale:
                output = self.current(output)
            call = self._returned(module)
            call.ended = len(self.operations)
            output = self._record(call, output)
            if call.is_leaf and call.value >= 0:
                self._note_leaf(call)
        return output

    def _note_leaf(self, call: Call) -> None:
        has_input = call.input_value >= 0
        self.operations.append(
            Operation(
                type(call.module).__name__,
                call.path,
                call.call,
                (call.input_value,) if has_input else (),
                (call.value,),
                (call.input_shape,) if has_input else (),
                (call.shape,),
                (),
            )
        )

    def overwritten(self) -> frozenset[Source]:
        """Return the sources of kept values that were written to after they were taken."""
        seen = (kept for kept in self.kept.values() if storage_of(kept.tensor) in self._spoilt)
        return super().overwritten() | {kept.source for kept in seen}

    def forget_stale(self) -> None:
        """Let go of the tensors that were overwritten, once the pass is over."""
        self._stale.clear()


def _bases(targets: list[Tensor]) -> list[Tensor]:
    """Return the tensors that a write to views of them changes as well."""
    return [t._base for t in targets if t._is_view() and t._base is not None]


def _in_order(kwargs: dict[str, Any]) -> dict[str, Any]:
    """Return keyword arguments in the order in which functions take them by position."""
    if len(kwargs) < 2:
        return kwargs
    first = {name: kwargs[name] for name in _FIRST if name in kwargs}
    return {**first, **kwargs}


def _plain_arguments(
    args: tuple[Any, ...], kwargs: dict[str, Any]
) -> tuple[tuple[object, ...], tuple[tuple[str, object], ...]]:
    """Return the arguments behind the first, and those by keyword, that hold no tensors."""
    positional = tuple(item for item in args[1:] if not tensors_in(item))
    named = tuple((name, item) for name, item in kwargs.items() if not tensors_in(item))
    return positional, named
