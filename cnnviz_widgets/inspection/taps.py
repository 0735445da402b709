"""Inspection: hooks on chosen module calls, for passes that need no whole record.

In: calls that a trace noted. Out: `Taps`, which hands their outputs to a function while it is
open, and `begun`, which lets the graph begin at a value.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import ExitStack
from types import TracebackType
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle

from cnnviz_widgets.inspection.calls import Call
from cnnviz_widgets.inspection.course import Course
from cnnviz_widgets.inspection.values import Nest

OnOutput = Callable[[Call, Nest], Nest]
Check = Callable[[], object]


class Taps:
    """Hear the outputs of some module calls; a context manager around one forward pass.

    Parameters
    ----------
    course : Course
        Which calls happen.
    calls : iterable of Call
        Which of them to hear.
    on_output : callable
        ``on_output(call, output)`` returns what the model goes on with.

    Attributes
    ----------
    surprised : bool
        Whether one of their modules was called more often than the course says.
    """

    def __init__(self, course: Course, calls: Iterable[Call], on_output: OnOutput) -> None:
        self._wanted = frozenset(calls)
        self._coming = {call.module: iter(course.happening[call.module]) for call in self._wanted}
        self.surprised = False
        self._on_output = on_output
        self._running: dict[nn.Module, list[Call | None]] = {m: [] for m in self._coming}
        self._handles: list[RemovableHandle] = []

    def __enter__(self) -> None:
        try:
            for module in self._coming:
                self._handles.append(module.register_forward_pre_hook(self._before, prepend=True))
                self._handles.append(module.register_forward_hook(self._after))
        except BaseException:
            self._remove()
            raise

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._remove()

    def _remove(self) -> None:
        for handle in self._handles:
            handle.remove()
        self._handles.clear()

    def _before(self, module: nn.Module, _args: Any) -> None:
        call = next(self._coming[module], None)
        self.surprised |= call is None
        self._running[module].append(call)

    def _after(self, module: nn.Module, _args: Any, output: Nest) -> Nest:
        call = self._running[module].pop()
        if call is None or call not in self._wanted:
            return output
        return self._on_output(call, output)


class Checks:
    """Call a function before every module call; it may raise to stop the pass.

    Parameters
    ----------
    calls : iterable of Call
        Whose modules.
    check : callable or None
        None: nothing is called.
    back : ExitStack, optional
        Call it on the way back through every module, too, until this is closed.

    Attributes
    ----------
    error : BaseException or None
        What it raised.
    """

    def __init__(
        self, calls: Iterable[Call], check: Check | None, back: ExitStack | None = None
    ) -> None:
        self._modules = dict.fromkeys(call.module for call in calls) if check is not None else {}
        self._back = back
        self.error: BaseException | None = None
        self._check = check
        self._handles: list[RemovableHandle] = []

    def __enter__(self) -> None:
        for module in self._modules:
            self._handles.append(module.register_forward_pre_hook(self._before))

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        for handle in self._handles:
            handle.remove()
        self._handles.clear()

    def _before(self, _module: nn.Module, args: Any) -> None:
        self._ask()
        for value in args if self._back is not None else ():
            if self._back is not None and isinstance(value, Tensor) and value.grad_fn is not None:
                handle = value.register_hook(self._ask)  # type: ignore[no-untyped-call]  # torch's
                self._back.callback(handle.remove)

    def _ask(self, _gradient: Tensor | None = None) -> None:
        try:
            if self._check is not None:
                self._check()
        except BaseException as error:
            self.error = error
            raise


class _Begin(torch.autograd.Function):
    """Give a tensor a place in the graph; no gradient goes on from there."""

    @staticmethod
    def forward(ctx: Any, _anchor: Tensor, held: list[Tensor]) -> Tensor:
        ctx.set_materialize_grads(False)
        return held[0]

    @staticmethod
    def backward(_ctx: Any, *_gradients: Tensor) -> tuple[None, None]:
        return None, None


def begun(tensor: Tensor, anchor: Tensor) -> Tensor:
    """Return the tensor, in the same memory, as a value of the graph that begins here.

    Parameters
    ----------
    tensor : Tensor
        One that requires no gradient. It stays as it is; the model may write to the result.
    anchor : Tensor
        Requires a gradient. The backward pass down to it visits all values begun with it, and
        what comes after them; its own gradient is None.
    """
    began: Tensor = _Begin.apply(anchor, [tensor.detach()])  # type: ignore[no-untyped-call]  # torch's
    return began
