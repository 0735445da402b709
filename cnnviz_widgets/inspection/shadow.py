"""Inspection: a copy of the user's model that shares its weights and nothing else.

In: the user's model, wrapped or not. Out: a `Shadow`, in eval mode, whose modules, hooks, flags and
buffers are its own and whose parameters share memory with the user's.
"""

from __future__ import annotations

import contextlib
import copy
from collections.abc import Iterator
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from cnnviz_widgets.inspection.values import same_bits, version_of

_WRAPPERS = (nn.DataParallel, nn.parallel.DistributedDataParallel)


def unwrap(model: nn.Module) -> nn.Module:
    """Return the module inside DataParallel, DistributedDataParallel and torch.compile wrappers."""
    while True:
        inner = getattr(model, "_orig_mod", None)
        if inner is None and isinstance(model, _WRAPPERS):
            inner = model.module
        if not isinstance(inner, nn.Module):
            return model
        model = inner


class ModelState(NamedTuple):
    """Numbers that change when a model does.

    Attributes
    ----------
    structure : list of int
        Which modules, parameters and buffers it has. ``parameter.data = other`` counts as a change
        here, because the memory is another one then.
    versions : list of int
        How often each parameter and buffer was written to; an optimiser step counts.
    """

    structure: list[int]
    versions: list[int]


def state_of(model: nn.Module) -> ModelState:
    """Read the state of a model; takes some 50 us for a ResNet-18, so it is asked for freely."""
    structure: list[int] = []
    versions: list[int] = []
    waiting, seen = [model], {id(model)}
    for module in waiting:
        structure.append(id(module))
        for parameter in module._parameters.values():
            if parameter is not None:
                structure += (id(parameter), parameter.data_ptr())
                versions.append(version_of(parameter))
        for buffer in module._buffers.values():
            if buffer is not None:
                structure += (id(buffer), buffer.data_ptr())
                versions.append(version_of(buffer))
        for child in module._modules.values():
            if child is not None and id(child) not in seen:
                seen.add(id(child))
                waiting.append(child)
    return ModelState(structure, versions)


class Shadow:
    """A module to run in place of the user's model.

    Parameters
    ----------
    model : torch.nn.Module
        The user's model, unwrapped. Parameters are shared by memory (an optimiser step is seen at
        once) but frozen in the shadow, so that no graph and no ``.grad`` reaches the user's.
    own : frozenset of str
        Names of parameters to copy instead, because the forward pass writes to them.

    Attributes
    ----------
    module : torch.nn.Module
        What runs. The model itself where it cannot be copied.
    isolated : bool
        False where `module` is the user's model; `guard` then restores it after each run.
    reason : str
        Why it could not be copied, empty otherwise.

    Notes
    -----
    The user's own hooks are copied along, because they may be part of the computation
    (``weight_norm`` is a hook); a hook that appends to a list of the user's does so here as well.
    """

    def __init__(self, model: nn.Module, own: frozenset[str] = frozenset()) -> None:
        self.original = model
        self.own = own
        self.reason = ""
        self._mine: list[Tensor] = []  # copies, and what they are copies of
        self._theirs: list[Tensor] = []
        self._originals: dict[int, nn.Module] = {}
        try:
            self.module = self._copy()
            self.isolated = True
        except Exception as error:  # noqa: BLE001 - any attribute of a user's model may refuse
            self.module = model
            self.isolated = False
            self.reason = f"{type(error).__name__}: {error}"
            self._mine, self._theirs = [], []
        if self.isolated:
            self.module.eval()

    def _copy(self) -> nn.Module:
        memo: dict[int, Any] = {}
        for name, parameter in self.original.named_parameters(remove_duplicate=False):
            if id(parameter) not in memo:
                memo[id(parameter)] = self._parameter(parameter, copied=name in self.own)
        for buffer in self.original.buffers():
            twin = _own_copy(buffer)
            memo[id(buffer)] = twin
            self._mine.append(twin)
            self._theirs.append(buffer)
        for module in self.original.modules():
            _map_plain_tensors(vars(module), memo, depth=4)
        for module in self.original.modules():
            inner = unwrap(module)
            if inner is not module:
                memo[id(module)] = copy.deepcopy(inner, memo)
        whole = copy.deepcopy(self.original, memo)
        for module in self.original.modules():
            self._originals[id(memo[id(module)])] = unwrap(module)
        return whole

    def original_of(self, module: nn.Module) -> nn.Module:
        """Return the user's module that a module of the shadow is the copy of."""
        return self._originals.get(id(module), module)

    def _parameter(self, parameter: nn.Parameter, *, copied: bool) -> Tensor:
        if type(parameter) is not nn.Parameter:
            return parameter
        data = parameter.detach()
        if copied or parameter.is_inference():
            data = data.clone()
            self._mine.append(data)
            self._theirs.append(parameter.detach())
        return nn.Parameter(data, requires_grad=False)

    def refresh(self) -> None:
        """Bring the shadow's own buffers, and weights it had to copy, to the user's values.

        All of them, because torch does not count what BatchNorm writes to its statistics.
        """
        with torch.no_grad():
            if self._mine:
                torch._foreach_copy_(self._mine, self._theirs)

    @contextlib.contextmanager
    def guard(self) -> Iterator[None]:
        """Put the model into eval mode for a run and restore it after; a copy needs nothing."""
        if self.isolated:
            self.refresh()
            yield
            return
        with _restored(self.original):
            for module in self.original.modules():
                module.training = False
            yield


@contextlib.contextmanager
def _restored(model: nn.Module) -> Iterator[None]:
    """Restore attributes, flags, hooks, and the values of weights and buffers of a model."""
    modules = list(model.modules())
    attributes = [
        (
            vars(module),
            {
                key: (value, value.copy() if isinstance(value, dict) else None)
                for key, value in vars(module).items()
            },
        )
        for module in modules
    ]
    tensors = [
        (tensor, version_of(tensor), tensor.detach().clone())
        for tensor in (*model.parameters(), *model.buffers())
    ]
    try:
        yield
    finally:
        for live, saved in attributes:
            for key in [key for key in live if key not in saved]:
                del live[key]
            for key, (value, items) in saved.items():
                live[key] = value
                if items is not None and isinstance(value, dict):
                    value.clear()
                    value.update(items)
        with torch.no_grad():
            for tensor, version, data in tensors:
                if version_of(tensor) != version or not same_bits(tensor, data):
                    tensor.data.copy_(data)


def _own_copy(tensor: Tensor) -> Tensor:
    with torch.inference_mode(mode=False), torch.no_grad():
        return tensor.detach().clone()


def _map_plain_tensors(nest: object, memo: dict[int, Any], depth: int) -> None:
    """Map tensors that are neither parameters nor buffers to copies; deepcopy takes only leaves."""
    if isinstance(nest, Tensor):
        if id(nest) not in memo:
            memo[id(nest)] = _own_copy(nest)
    elif depth and isinstance(nest, dict):
        for item in nest.values():
            _map_plain_tensors(item, memo, depth - 1)
    elif depth and isinstance(nest, (list, tuple)):
        for item in nest:
            _map_plain_tensors(item, memo, depth - 1)
