"""Inspection: hooks on a shadow that report every module call to a recorder.

In: a `Shadow`. Out: `Probe.watch` and `Probe.follow`: one forward pass with a recorder listening.
"""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Iterator
from typing import Any, Literal

from torch import nn
from torch.utils.hooks import RemovableHandle

from cnnviz_widgets.inspection.calls import CallRecorder
from cnnviz_widgets.inspection.following import FollowingRecorder, Pattern
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
    unusual : frozenset of torch.nn.Module
        Modules with hooks or a ``forward`` of their own.
    """

    def __init__(self, shadow: Shadow) -> None:
        self.shadow = shadow
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
        self._handles: list[RemovableHandle] = []
        self._attached: Pattern | Literal["all"] | None = None
        self._hears: CallRecorder | None = None

    # -- hooks: those of the last kind of pass stay, where the shadow is a copy ------------------

    def _attach(self, wanted: Pattern | Literal["all"]) -> None:
        if self._attached is wanted:
            return
        self._detach()
        self._attached = wanted
        root_is_leaf = next(self.shadow.module.children(), None) is None
        for path, module in self.shadow.module.named_modules():
            name = path or ("model" if root_is_leaf else "")
            if "parametrizations" in path.split("."):
                continue
            if wanted == "all" or name in wanted.inputs_of:
                before = functools.partial(self._before, name)
                self._handles.append(module.register_forward_pre_hook(before, with_kwargs=True))
            if wanted == "all":
                self._handles.append(module.register_forward_hook(self._after))
            elif name in wanted.outputs_of:
                after = functools.partial(self._taken, name)
                self._handles.append(module.register_forward_hook(after))

    def _detach(self) -> None:
        for handle in self._handles:
            handle.remove()
        self._handles.clear()
        self._attached = None

    def _before(self, path: str, module: nn.Module, args: Any, kwargs: Any) -> None:
        if self._hears is not None:
            self._hears.enter(path, module, args, kwargs)

    def _after(self, module: nn.Module, _args: Any, output: Nest) -> Nest:
        return output if self._hears is None else self._hears.leave(module, output)

    def _taken(self, path: str, _module: nn.Module, _args: Any, output: Nest) -> Nest:
        hears = self._hears
        return hears.after(path, output) if isinstance(hears, FollowingRecorder) else output

    @contextlib.contextmanager
    def _listening(
        self, recorder: CallRecorder, wanted: Pattern | Literal["all"]
    ) -> Iterator[None]:
        self._hears = recorder
        try:
            self._attach(wanted)
            yield
        finally:
            self._hears = None
            if not self.shadow.isolated:
                self._detach()

    # -- passes -------------------------------------------------------------------------------

    def watch(self, recorder: OperationRecorder, call: Callable[[nn.Module], Nest]) -> Nest:
        """Run ``call(module)`` with every module call and torch function recorded."""
        with self.shadow.guard(), self._listening(recorder, "all"), recorder:
            output = call(self.shadow.module)
        return recorder.current(output)

    def follow(
        self, recorder: FollowingRecorder, pattern: Pattern, call: Callable[[nn.Module], Nest]
    ) -> Nest:
        """Run ``call(module)`` with the hooks that a pattern needs."""
        with (
            self.shadow.guard(),
            self._listening(recorder, pattern),
            _switched_off(pattern.out_of_place),
        ):
            return call(self.shadow.module)


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
