"""Inspection: the torch functions of one forward pass, kept from overwriting what is kept.

In: every torch function that the model calls (as a TorchFunctionMode) besides its module calls.
Out: `OperationRecorder`: a `CallRecorder` with a list of operations, safe from in-place functions.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from cnnviz_widgets.inspection.calls import Call, CallRecorder, Plan
from cnnviz_widgets.inspection.inplace import (
    EXPOSES,
    MANY_VIEWS,
    Function,
    as_single_views,
    run_apart,
    run_without_out,
    written,
)
from cnnviz_widgets.inspection.values import Nest, replace_tensors, storage_of, tensors_in

# Functions whose arguments are noted, because they say how a layout moves.
_MOVES = {
    "permute", "transpose", "movedim", "moveaxis", "swapaxes", "swapdims", "mean", "sum", "amax",
    "amin", "max", "min", "var", "std", "softmax", "log_softmax", "cat", "concat", "concatenate",
    "__getitem__", "select", "unsqueeze", "squeeze", "unbind", "flip", "roll",
}  # fmt: skip
# Arguments that formulas and layouts expect first, also where they are given by keyword.
_FIRST = ("input", "tensors", "query", "key", "value", "weight")
# Methods that only ask about a tensor; torch's own layers call them often.
_SAYS_NOTHING = {
    "dim", "size", "numel", "stride", "is_contiguous", "is_floating_point", "is_complex", "__len__",
    "__hash__", "get_device",
}  # fmt: skip
_ALIASES = {"detach", "alias"}  # give the same memory and yet no view

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
    then on every torch function and module that is given the old tensor gets the new one: the
    model computes what it always does, the kept value stays, and nothing is copied. Code that
    takes tensors past torch functions (scripted functions, vmap, ``y is z``) would see the old
    one; `trace` finds that out and keeps copies instead, as it does for writes through views.
    With copies, and where a graph is built, functions run as they are.

    Parameters
    ----------
    plan : Plan
        What to keep.
    parameters : dict of int to str
        Storage number and name of every parameter that must not be written to.

    Attributes
    ----------
    operations : list of Operation
        Torch functions and leaf calls, in the order in which they ended.
    replaced : bool
        Whether a function ran in new memory.
    """

    def __init__(self, plan: Plan, parameters: dict[int, str]) -> None:
        CallRecorder.__init__(self, plan)
        TorchFunctionMode.__init__(self)
        self.operations: list[Operation] = []
        self.replaced = False
        self._parameters = parameters
        self._stale: dict[int, tuple[Tensor, Tensor]] = {}
        self._aliased: set[int] = set()  # storages with views
        self._spoilt = False  # whether a kept value was, or may have been, written to

    def __torch_function__(
        self,
        func: Function,
        types: object,
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:  # Any: the result of any torch function
        """Run one torch function, in new memory where it would overwrite a kept value."""
        kwargs = kwargs or {}
        name = getattr(func, "__name__", "")
        if name in _SAYS_NOTHING:
            return func(*args, **kwargs)
        given = tensors_in((args, _in_order(kwargs) if len(kwargs) > 1 else kwargs))
        if self._stale and not self._stale.keys().isdisjoint(map(id, given)):
            args, kwargs = self.current(args), self.current(kwargs)
            given = [self.newest(tensor) for tensor in given]
        if name == "__get__":
            return self._attribute(func, args)
        self._spoilt |= self.views.are_strange(given)
        inputs = tuple([self.values.number(tensor) for tensor in given])
        shapes = tuple([tensor.shape for tensor in given])
        targets = written(func, args, kwargs)
        bases = [(base, self.values.number(base)) for base in _bases(targets)]
        result = self._write(func, args, kwargs, targets) if targets else func(*args, **kwargs)
        for target in targets:
            if target.is_inference():  # torch does not count this write
                self.values.give(target, -1)
        if name in MANY_VIEWS and torch.is_grad_enabled():
            result = as_single_views(name, args, kwargs, result)
        outputs = tensors_in(result) or [self.newest(target) for target in targets]
        if outputs:
            self._note_aliases(name, outputs)
            self._note(name, inputs, shapes, outputs, (args, kwargs))
        elif name in EXPOSES:
            self._expose(given)
        for base, old in bases:
            self._note("write", (old,), (base.shape,), [base], ((), {}))
        return result

    def _note_aliases(self, name: str, outputs: list[Tensor]) -> None:
        """Note memory that several tensors share, which torch does not say of all of them."""
        for tensor in outputs:
            if tensor._is_view() or tensor.is_inference() or name in _ALIASES:
                self._aliased.add(storage_of(tensor))

    def _attribute(self, func: Function, args: tuple[Any, ...]) -> Any:
        result = func(*args)
        if isinstance(result, Tensor) and result is not args[0]:
            self._aliased.add(storage_of(result))
            name = getattr(getattr(func, "__self__", None), "__name__", "__get__")
            inputs, shapes = (self.values.number(args[0]),), (args[0].shape,)
            self._note(name, inputs, shapes, [result], ((), {}))
        return result

    def _expose(self, tensors: list[Tensor]) -> None:
        """Take note that memory goes where writes to it are not seen, as with ``numpy``."""
        for tensor in tensors:
            self._check_parameter(storage := storage_of(tensor))
            self._spoilt |= self.is_guarded(storage)

    def _check_parameter(self, storage: int) -> None:
        if storage in self._parameters:
            raise ParameterWrittenError(frozenset({self._parameters[storage]}))

    def _write(
        self,
        func: Function,
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        targets: list[Tensor],
    ) -> Any:
        apart: list[Tensor] = []
        all_apart = self.plan.graph and not self.plan.copies
        for target in targets:
            self._check_parameter(storage := storage_of(target))
            if (survive := self.views.survive(target)) is not None:
                self._spoilt |= not survive
                self.copy_kept(storage)
                continue
            if not (all_apart or self.is_guarded(storage)):
                continue
            if storage in self._aliased or target._is_view():
                self._spoilt = True
            else:
                apart.append(target)
        if kwargs.get("out") is not None and torch.is_grad_enabled():
            return run_without_out(func, args, kwargs)
        if not apart:
            return func(*args, **kwargs)
        result, replacements = run_apart(func, args, kwargs, apart)
        for target, new in zip(apart, replacements, strict=True):
            self._stale[id(target)] = (target, new)
        self.replaced = True
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
        while (found := self._stale.get(id(tensor))) is not None:
            tensor = found[1]
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
            call = self.returned(module)
            call.ended = len(self.operations)
            output = self.record(call, output)
            if call.is_leaf and call.value >= 0:
                self.operations.append(leaf_operation(call))
        return output

    def spoil(self) -> None:
        """Take note that the pass was not seen whole."""
        self._spoilt = True

    def overwritten(self) -> bool:
        """Tell whether a kept value was, or may have been, written to after it was taken."""
        return self._spoilt or super().overwritten()

    @property
    def took_shortcuts(self) -> bool:
        """Whether the pass ran in another way than the model is written."""
        return self.replaced

    def listed(self) -> list[Operation]:
        """Return the operations, once the pass is over."""
        return self.operations

    def finish(self) -> None:
        """Tidy up once the pass is over."""
        self.forget_stale()

    def forget_stale(self) -> None:
        """Let go of the tensors that were overwritten."""
        self._stale.clear()


def leaf_operation(call: Call) -> Operation:
    """Return a whole leaf call as one operation."""
    has_input = call.input_value >= 0
    return Operation(
        type(call.module).__name__,
        call.path,
        call.call,
        (call.input_value,) if has_input else (),
        (call.value,),
        (call.input_shape,) if has_input else (),
        (call.shape,),
        (),
    )


def _bases(targets: list[Tensor]) -> list[Tensor]:
    """Return the tensors that a write to views of them changes as well."""
    return [t._base for t in targets if t._is_view() and t._base is not None]


def _in_order(kwargs: dict[str, Any]) -> dict[str, Any]:
    """Return keyword arguments in the order in which functions take them by position."""
    first = {name: kwargs[name] for name in _FIRST if name in kwargs}
    return {**first, **kwargs}


def _plain_arguments(
    args: tuple[Any, ...], kwargs: dict[str, Any]
) -> tuple[tuple[object, ...], tuple[tuple[str, object], ...]]:
    """Return the arguments behind the first, and those by keyword, that hold no tensors."""
    positional = tuple(item for item in args[1:] if not tensors_in(item))
    named = tuple((name, item) for name, item in kwargs.items() if not tensors_in(item))
    return positional, named
