"""Inspection: hooks on a shadow that report every module call to a recorder.

In: a `Shadow`. Out: `Probe.run`, one forward pass with a `Recorder` listening.
"""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Iterator
from typing import Any

from torch import nn
from torch.utils.hooks import RemovableHandle

from cnnviz_widgets.inspection.recorder import Recorder
from cnnviz_widgets.inspection.shadow import Shadow
from cnnviz_widgets.inspection.values import Nest, storage_of


class Probe:
    """Listen to every module of a shadow.

    Parameters
    ----------
    shadow : Shadow
        Its hooks stay in place when it is a copy, and are removed after each run when it is not.
    """

    def __init__(self, shadow: Shadow) -> None:
        self.shadow = shadow
        self.recorder: Recorder | None = None
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
        if self.recorder is not None:
            self.recorder.enter(path, module, args, kwargs)

    def _after(self, module: nn.Module, _args: Any, output: Nest) -> Nest:
        return output if self.recorder is None else self.recorder.leave(module, output)

    @contextlib.contextmanager
    def _listening(self, recorder: Recorder) -> Iterator[None]:
        handles = [] if self.shadow.isolated else self._attach()
        self.recorder = recorder
        recorder._unusual = self.unusual
        try:
            yield
        finally:
            self.recorder = None
            for handle in handles:
                handle.remove()

    def run(self, recorder: Recorder, call: Callable[[nn.Module], Nest]) -> Nest:
        """Run ``call(module)`` with the recorder listening; return its result."""
        with self.shadow.guard(), self._listening(recorder), recorder:
            output = call(self.shadow.module)
        return recorder.current(output)
