"""Inspection: hooks on a shadow that report every module call to a recorder.

In: a `Shadow`. Out: `Probe.watch`: one forward pass with a recorder listening.
"""

from __future__ import annotations

import contextlib
import functools
import sys
from collections.abc import Callable
from typing import Any

import torch
from torch import nn
from torch.utils.hooks import RemovableHandle

from cnnviz_widgets.inspection.operations import OperationRecorder
from cnnviz_widgets.inspection.shadow import Shadow
from cnnviz_widgets.inspection.values import Nest, storage_of


class Probe:
    """Listen to every module of a shadow.

    Parameters
    ----------
    shadow : Shadow
        Our hooks stay in place when it is a copy, and are removed after each run when it is not.

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
        self._hears: OperationRecorder | None = None

    def watch(self, recorder: OperationRecorder, call: Callable[[nn.Module], Nest]) -> Nest:
        """Run ``call(module)`` with every module call and torch function recorded."""
        with self.shadow.guard():
            self._hears = recorder
            try:
                self._attach()
                with uncompiled(), recorder:
                    output = call(self.shadow.module)
            finally:
                self._hears = None
                if not self.shadow.isolated:
                    self._detach()
        return recorder.current(output)

    def _attach(self) -> None:
        if self._handles:
            return
        root_is_leaf = next(self.shadow.module.children(), None) is None
        for path, module in self.shadow.module.named_modules():
            scripted = isinstance(module, torch.jit.ScriptModule)  # takes no hooks
            if scripted or "parametrizations" in path.split("."):
                continue
            before = functools.partial(self._before, path or ("model" if root_is_leaf else ""))
            self._handles.append(module.register_forward_pre_hook(before, with_kwargs=True))
            self._handles.append(module.register_forward_hook(self._after))

    def _detach(self) -> None:
        for handle in self._handles:
            handle.remove()
        self._handles.clear()

    def _before(self, path: str, module: nn.Module, args: Any, kwargs: Any) -> None:
        if self._hears is not None:
            self._hears.enter(path, module, args, kwargs)

    def _after(self, module: nn.Module, _args: Any, output: Nest) -> Nest:
        return output if self._hears is None else self._hears.leave(module, output)


def uncompiled() -> contextlib.AbstractContextManager[object]:
    """Let compiled functions run as they were written, so that their steps are seen."""
    # Importing the compiler takes seconds; where nobody did, nothing is compiled.
    if "torch._dynamo" in sys.modules and hasattr(torch.compiler, "set_stance"):
        eager: contextlib.AbstractContextManager[object] = torch.compiler.set_stance("force_eager")
        return eager
    return contextlib.nullcontext()
