"""Inspection: passes that begin inside the network, from values that the trace holds.

In: the calls of a trace and the one to begin at. Out: `Course`: which calls happen then, and which
are given back as they were; `Giving`, which gives them back while it is open.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from types import TracebackType
from typing import Any

import torch
from torch import Tensor, nn

from cnnviz_widgets.inspection.backward import as_if_run, fits, is_linear_in_input
from cnnviz_widgets.inspection.calls import Call
from cnnviz_widgets.inspection.outline import Steps
from cnnviz_widgets.inspection.probe import Probe
from cnnviz_widgets.inspection.trace import Trace
from cnnviz_widgets.inspection.values import tensors_in, version_of

# Layers of torch's own that write to nothing that they are given.
_READERS = frozenset({
    nn.Conv1d, nn.Conv2d, nn.Conv3d, nn.Linear, nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d,
    nn.LayerNorm, nn.GroupNorm, nn.MaxPool1d, nn.MaxPool2d, nn.MaxPool3d, nn.AvgPool1d,
    nn.AvgPool2d, nn.AvgPool3d, nn.GELU, nn.Sigmoid, nn.Tanh,
})  # fmt: skip


# Functions that give back the tensor they wrote to, besides those whose names end in "_".
_WRITERS = frozenset({"__setitem__", "write"})


class CourseError(RuntimeError):
    """The model took another course than in the trace."""


@dataclass(frozen=True)
class Course:
    """Which module calls happen in a pass, and which are given back instead.

    Attributes
    ----------
    happening : dict of Module to list of Call
        The calls of each module, in order: those given back, not those inside them.
    given : dict of Call to Tensor or None
        Values of the calls that are given back; None where nothing looks at the value.
    known : dict of Call to Tensor
        Values of later convolutions and dense layers, which need not run for their gradients.
    read : frozenset of int
        Numbers of the values that nothing can write to, so that they need not be copied.
    """

    happening: dict[nn.Module, list[Call]]
    given: dict[Call, Tensor | None]
    known: dict[Call, Tensor] = field(default_factory=dict)
    read: frozenset[int] = frozenset()

    @classmethod
    def whole(cls, steps: Steps) -> Course:
        """Return the course on which every call happens."""
        return cls(_by_module(steps.calls), {})

    @classmethod
    def begun_at(cls, trace: Trace, first: Call, value: Callable[[Call], Tensor | None]) -> Course:
        """Return the course on which a call and all that came before it are given back.

        Parameters
        ----------
        trace : Trace
            What the model does.
        first : Call
            The last call to be given back.
        value : callable
            ``value(call)`` is what a call gave; None where it is not at hand. Such a call
            happens, and what is inside it is given back if it can be.
        """
        refused: set[Call] = set()
        while True:
            happening, given = _planned(trace, first, refused)
            needed = _exposed(trace, given)
            values = {
                call: value(call) if call.value in needed or call is first else None
                for call in given
            }
            missing = {c for c in given if values[c] is None and (c.value in needed or c is first)}
            if not missing:
                return cls(_by_module(happening), values, read=only_read(trace))
            refused |= missing

    def with_known(self, value: Callable[[Call], Tensor | None]) -> Course:
        """Return the same course, with the layers not run whose values the trace holds."""
        known = {}
        for module, calls in self.happening.items():
            if not is_linear_in_input(module):
                continue
            for call in calls:
                found = value(call) if call not in self.given and _can_be_given(call) else None
                if found is not None:
                    known[call] = found
        return replace(self, known=known)


class Passing:
    """Tell which calls return a tensor that was there before, as it is or written to.

    The model may go on with that tensor itself, so that a graph cannot begin at what such a call
    returns: it has to begin before.

    Parameters
    ----------
    steps : Trace or Structure
        What the model does.
    """

    def __init__(self, steps: Steps) -> None:
        self._calls = steps.calls
        self._origins: dict[int, int] = {}
        for call in steps.calls:
            if call.is_leaf and getattr(call.module, "inplace", False) is True:
                self._note(call.value, call.input_value)
        for operation in steps.operations:
            name = operation.name
            by_name = name.endswith("_") and not name.endswith("__")
            writes = by_name or name in _WRITERS or name.startswith("__i")
            if writes and operation.inputs and operation.outputs:
                self._note(operation.outputs[0], operation.inputs[0])
        self._seen: dict[int, int] = {}
        for place, operation in enumerate(steps.operations):
            for value in (*operation.inputs, *operation.outputs):
                self._seen.setdefault(self._origin(value), place)

    def _note(self, after: int, before: int) -> None:
        if after > before >= 0:
            self._origins[after] = before

    def _origin(self, value: int) -> int:
        while value in self._origins:
            value = self._origins[value]
        return value

    def by(self, call: Call) -> bool:
        """Tell whether this call returns such a tensor."""
        origin = self._origin(call.value)
        given = call.input_value >= 0 and origin == self._origin(call.input_value)
        return given or self._seen.get(origin, call.began) < call.began

    def before(self, call: Call) -> Call | None:
        """Return the last layer before a call that returns a tensor of its own, if there is one."""
        found = None
        for other in self._calls:
            if other.ended > call.began or other.began >= call.began:
                continue
            if other.is_leaf and other.plain and other.value >= 0 and not self.by(other):
                found = other
        return found


def _by_module(calls: Iterable[Call]) -> dict[nn.Module, list[Call]]:
    found: dict[nn.Module, list[Call]] = {}
    for call in calls:
        found.setdefault(call.module, []).append(call)
    return found


def _planned(trace: Trace, first: Call, refused: set[Call]) -> tuple[list[Call], list[Call]]:
    """Return the calls that happen, and those of them to be given back, the outermost."""
    happening: list[Call] = []
    given: list[Call] = []
    before = True
    for call in trace.calls:
        if given and call.began < given[-1].ended:
            continue  # inside the last one
        ended = before and (call is first or first.began >= call.ended)
        if ended and call not in refused and _can_be_given(call):
            given.append(call)
        before = before and call is not first
        happening.append(call)
    return happening, given


def _can_be_given(call: Call) -> bool:
    module = call.module
    if call.value < 0 or not call.plain or isinstance(module, torch.jit.ScriptModule):
        return False
    hooks = (*module._forward_pre_hooks.values(), *module._forward_hooks.values())
    return all(isinstance(_owner(hook), Probe) for hook in hooks)


def _owner(hook: object) -> object:
    """Return the object whose method a hook is."""
    return getattr(getattr(hook, "func", hook), "__self__", None)


def _exposed(trace: Trace, given: Iterable[Call]) -> set[int]:
    """Return the numbers of the values that anything outside these calls takes, or the user."""
    inside: set[int] = set()
    for call in given:
        inside.update(range(call.began, call.ended + call.is_leaf))
    found = {
        value
        for place, operation in enumerate(trace.operations)
        if place not in inside
        for value in operation.inputs
    }
    return found | {trace.recorder.values.number(tensor) for tensor in tensors_in(trace.output)}


def only_read(trace: Trace) -> frozenset[int]:
    """Return the numbers of the values that only layers take which write to nothing."""
    readers = {call.path for call in trace.calls if type(call.module) in _READERS}
    taken: set[int] = set()
    written = {trace.recorder.values.number(t) for t in tensors_in(trace.output)}
    for operation in trace.operations:
        (taken if operation.path in readers else written).update(operation.inputs)
    return frozenset(taken - written)


class Giving:
    """Let calls give back values instead of running; a context manager around a pass.

    Parameters
    ----------
    course : Course
        Which calls.
    device : torch.device
        Of the model.
    rows : int
        Images of the pass; values of one image are repeated.
    repeat : callable, optional
        ``repeat(value)`` makes as many rows of a value of one.
    instead : dict of Call to Tensor, optional
        Other values, which may be written to.
    """

    def __init__(
        self,
        course: Course,
        device: torch.device,
        *,
        rows: int = 1,
        repeat: Callable[[Tensor], Tensor] | None = None,
        instead: dict[Call, Tensor] | None = None,
    ) -> None:
        self._course = course
        self._device = device
        self._rows = rows
        self._repeat = repeat or (lambda value: value.expand(rows, *value.shape[1:]))
        self._instead = instead or {}
        self._forwards: list[tuple[nn.Module, object]] = []
        self._lent: list[tuple[Tensor, int]] = []

    def __enter__(self) -> None:
        course = self._course
        for module in dict.fromkeys(call.module for call in (*course.given, *course.known)):
            forward = self._forward(module, course.happening[module])
            self._forwards.append((module, vars(module).get("forward")))
            vars(module)["forward"] = forward

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        for module, forward in self._forwards:
            if forward is None:
                vars(module).pop("forward", None)
            else:
                vars(module)["forward"] = forward
        self._forwards.clear()

    def _forward(self, module: nn.Module, calls: list[Call]) -> Callable[..., Any]:
        run, coming = module.forward, iter(calls)

        def forward(*args: Any, **kwargs: Any) -> Any:  # Any: as the module's own
            call = next(coming, None)
            if call is None:
                msg = "a module is called more often than in the trace"
                raise CourseError(msg)
            if call in self._course.given:
                return self._value(call)
            if call in self._course.known and args and fits(module, args[0]):
                with torch._C.DisableTorchFunction():
                    return as_if_run(module, args[0], self._own(call, self._course.known[call]))
            return run(*args, **kwargs)

        return forward

    def _value(self, call: Call) -> Tensor:
        with torch._C.DisableTorchFunction():
            other = self._instead.get(call)
            if other is not None:
                return other
            value = self._course.given[call]
            if value is None:  # nothing looks at it
                value = torch.zeros((), dtype=call.dtype, device=self._device)
                return self._repeat(value.expand(1, *call.shape[1:]))
            if self._rows == 1 or len(value) > 1:
                return self._own(call, value)
            return self._repeat(value)

    def _own(self, call: Call, value: Tensor) -> Tensor:
        """Return a value of the trace, as a copy if the model may write to it."""
        if call.value not in self._course.read:
            return value.clone()
        self._lent.append((value, version_of(value)))
        return value

    @property
    def spoilt(self) -> bool:
        """Whether the model wrote to a value of the trace all the same."""
        return any(version_of(value) != version for value, version in self._lent)
