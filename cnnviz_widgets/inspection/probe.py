"""Inspection: every module call of a shadow, reported to a recorder.

In: a `Shadow`. Out: `Probe.watch`: one forward pass with a recorder listening.
"""

from __future__ import annotations

import contextlib
import functools
import gc
import sys
import threading
import types
from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import nn
from torch.utils.hooks import RemovableHandle

from cnnviz_widgets.inspection.leaves import Leaf, Leaves, as_torch_wrote_them, known_leaf
from cnnviz_widgets.inspection.operations import OperationRecorder
from cnnviz_widgets.inspection.quick import QuickRecorder
from cnnviz_widgets.inspection.shadow import Shadow
from cnnviz_widgets.inspection.values import Nest, storage_of

_CALL = "_compiled_call_impl"  # what torch runs in place of a module's call, if it is there


class Probe:
    """Listen to every module of a shadow.

    Modules of a copy are called through us, which costs less than hooks do. Those with hooks of
    their own, and those of a model that runs itself, get two more hooks instead.

    Parameters
    ----------
    shadow : Shadow
        Nothing of ours stays on it after a run.

    Attributes
    ----------
    parameters : dict of int to str
        Storage number and name of every parameter that is shared with the user's model.
    """

    def __init__(self, shadow: Shadow) -> None:
        self.shadow = shadow
        self.parameters = {
            storage_of(parameter): name
            for name, parameter in shadow.module.named_parameters()
            if name not in shadow.own
        }
        self._handles: list[RemovableHandle] = []
        self._leaves = Leaves()
        self._hooked: list[tuple[str, nn.Module]] = []  # modules that take hooks instead
        self._calls: dict[str, tuple[dict[str, Any], object]] = {}
        self._unlisted: set[str] = set()  # modules whose call the model replaces
        self._as_written = False  # whether torch's layers do what is listed
        self._hears: OperationRecorder | None = None
        self._thread = 0  # whose calls it hears: others would not be in order
        self._quick: QuickRecorder | None = None  # the same, where layers may run unwatched

    def watch(self, recorder: OperationRecorder, call: Callable[[nn.Module], Nest]) -> Nest:
        """Run ``call(module)`` with every module call and torch function recorded."""
        with self.shadow.guard():
            self._hears, self._thread = recorder, threading.get_ident()
            try:
                self._attach()
                if isinstance(recorder, QuickRecorder):
                    self._quick = recorder if recorder.begin(self._leaves) else None
                with uncompiled(), _uncollected(), recorder:
                    output = call(self.shadow.module)
            finally:
                self._hears = self._quick = None
                self._detach(recorder)
        return recorder.current(output)

    def _attach(self) -> None:
        as_written = as_torch_wrote_them()
        if as_written != self._as_written:
            self._silence()
            self._as_written = as_written
        if not self._hooked and not self._calls:
            self._listen()
        for path, module in self._hooked:
            before = functools.partial(self._before, path)
            self._handles.append(module.register_forward_pre_hook(before, with_kwargs=True))
            self._handles.append(module.register_forward_hook(self._after))
        for state, call in self._calls.values():
            state[_CALL] = call

    def _detach(self, recorder: OperationRecorder) -> None:
        for handle in self._handles:
            handle.remove()
        self._handles.clear()
        lost = [
            path
            for path, (state, call) in self._calls.items()
            if state.pop(_CALL, None) is not call
        ]
        if lost or not self.shadow.isolated:
            self._silence()
        if lost:  # its calls were not heard
            self._unlisted.update(lost)
            recorder.spoil()

    def _silence(self) -> None:
        """Listen anew the next time."""
        self._leaves, self._hooked, self._calls = Leaves(), [], {}

    def _listen(self) -> None:
        """Note what is to stand in for the calls of all modules, and where that cannot be."""
        root_is_leaf = next(self.shadow.module.children(), None) is None
        for path, module in self.shadow.module.named_modules():
            scripted = isinstance(module, torch.jit.ScriptModule)  # takes no hooks
            if scripted or "parametrizations" in path.split("."):
                continue
            name = path or ("model" if root_is_leaf else "")
            if self._can_stand_in(name, module):
                leaf = known_leaf(name, module, self.shadow.own)
                if leaf is not None:
                    self._leaves.append(leaf)
                self._calls[name] = vars(module), self._call(name, module, leaf)
                continue
            self._hooked.append((name, module))

    def _can_stand_in(self, name: str, module: nn.Module) -> bool:
        """Tell whether calls of a module may go through us: nothing of its own is around them."""
        of_a_copy = self.shadow.isolated and self._as_written and name not in self._unlisted
        own = module._compiled_call_impl, module._forward_hooks, module._forward_pre_hooks
        return of_a_copy and type(module).__call__ is nn.Module.__call__ and not any(own)

    def _call(self, path: str, module: nn.Module, leaf: Leaf | None) -> Callable[..., Nest]:
        """Return what runs in place of a module's call while somebody hears."""
        guard = torch._C.DisableTorchFunction()

        def call(called: Any, *args: Any, **kwargs: Any) -> Nest:  # Any: torch types no calls
            recorder = self._hears
            is_ours = called is module  # not a copy of it that the model made
            if recorder is None or not is_ours or threading.get_ident() != self._thread:
                return called._call_impl(*args, **kwargs)
            if leaf is not None and self._quick is not None and len(args) == 1 and not kwargs:
                guard.__enter__()  # nobody watches
                try:
                    output = self._quick.run(leaf, args[0])
                finally:
                    guard.__exit__(None, None, None)
                if output is not None:
                    return output
            recorder.enter(path, module, args, kwargs)
            return recorder.leave(module, called._call_impl(*args, **kwargs))

        return types.MethodType(call, module)  # which deepcopy binds to the copy

    def _before(self, path: str, module: nn.Module, args: Any, kwargs: Any) -> None:
        if self._hears is not None and threading.get_ident() == self._thread:
            self._hears.enter(path, module, args, kwargs)

    def _after(self, module: nn.Module, _args: Any, output: Nest) -> Nest:
        if self._hears is None or threading.get_ident() != self._thread:
            return output
        return self._hears.leave(module, output)


@contextlib.contextmanager
def _uncollected() -> Iterator[None]:
    """Let the garbage collector rest, which would go through a pass's notes again and again."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def uncompiled() -> contextlib.AbstractContextManager[object]:
    """Let compiled functions run as they were written, so that their steps are seen."""
    # Importing the compiler takes seconds; where nobody did, nothing is compiled.
    if "torch._dynamo" in sys.modules and hasattr(torch.compiler, "set_stance"):
        eager: contextlib.AbstractContextManager[object] = torch.compiler.set_stance("force_eager")
        return eager
    return contextlib.nullcontext()
