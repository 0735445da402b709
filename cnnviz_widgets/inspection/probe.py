"""Inspection: hooks on a shadow that report every module call to a recorder.

In: a `Shadow`. Out: `Probe.run`, one forward pass with a recorder listening.
"""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Iterator
from typing import Any

from torch import nn
from torch.utils.hooks import RemovableHandle

from cnnviz_widgets.inspection.calls import CallRecorder
from cnnviz_widgets.inspection.operations import OperationRecorder
from cnnviz_widgets.inspection.shadow import Shadow
from cnnviz_widgets.inspection.values import Nest, storage_of


class Probe:
    """Listen to every module of a shadow.

    Parameters
    ----------
    shadow : Shadow
        Its hooks stay in place when it is a copy, and are removed after each run when it is not.

    Attributes
    ----------
    parameters : dict of int to str
        Storage number and name of every parameter that is shared with the user's model.
    unusual : frozenset of torch.nn.Module
        Modules with hooks or a ``forward`` of their own.
    """

    def __init__(self, shadow: Shadow) -> None:
        self.shadow = shadow
        self._recorder: CallRecorder | None = None
        self.parameters = {
            storage_of(parameter): name
            for name, parameter in shadow.module.named_parameters()
            if name not in shadow.own
        }
        self.unusual = frozenset(
            module
            for module in shadow.module.modules()
            if module._forward_hooks or module._forward_pre_hooks or "forward" in vars(module)
        )
        if shadow.isolated:
            self._attach()

    def _attach(self) -> list[RemovableHandle]:
        handles: list[RemovableHandle] = []
        root_is_leaf = next(self.shadow.module.children(), None) is None
        for path, module in self.shadow.module.named_modules():
            if "parametrizations" in path.split("."):
                continue
            name = path or ("model" if root_is_leaf else "")
            before = functools.partial(self._before, name)
            handles.append(module.register_forward_pre_hook(before, with_kwargs=True))
            handles.append(module.register_forward_hook(self._after))
        return handles

    def _before(self, path: str, module: nn.Module, args: Any, kwargs: Any) -> None:
        if self._recorder is not None:
            self._recorder.enter(path, module, args, kwargs)

    def _after(self, module: nn.Module, _args: Any, output: Nest) -> Nest:
        return output if self._recorder is None else self._recorder.leave(module, output)

    @contextlib.contextmanager
    def _listening(self, recorder: CallRecorder) -> Iterator[None]:
        handles = [] if self.shadow.isolated else self._attach()
        self._recorder = recorder
        try:
            yield
        finally:
            self._recorder = None
            for handle in handles:
                handle.remove()

    def run(
        self,
        recorder: CallRecorder,
        call: Callable[[nn.Module], Nest],
        *,
        out_of_place: frozenset[nn.Module] = frozenset(),
    ) -> Nest:
        """Run ``call(module)`` with the recorder listening; return its result.

        Parameters
        ----------
        recorder : CallRecorder
            An `OperationRecorder` sees the torch functions too.
        call : callable
            Calls the module it is given.
        out_of_place : frozenset of torch.nn.Module
            Modules of the shadow whose ``inplace`` is off during this run.
        """
        with self.shadow.guard(), self._listening(recorder), _switched_off(out_of_place):
            if not isinstance(recorder, OperationRecorder):
                return call(self.shadow.module)
            with recorder:
                output = call(self.shadow.module)
            return recorder.current(output)


@contextlib.contextmanager
def _switched_off(modules: frozenset[nn.Module]) -> Iterator[None]:
    """Run modules that work in place out of place."""
    for module in modules:
        vars(module)["inplace"] = False
    try:
        yield
    finally:
        for module in modules:
            vars(module)["inplace"] = True
