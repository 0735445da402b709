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
from torch.nn.utils import parametrize

from cnnviz_widgets.inspection.closures import reaches_back
from cnnviz_widgets.inspection.snapshots import HOOKS, Snapshot
from cnnviz_widgets.inspection.values import same_bits, version_of, versions_of

_DEPTH = 6
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
    holders: list[dict[str, Any]] = []  # of parameters and of buffers
    scripted: list[Tensor] = []
    modules, seen = [model], {id(model)}
    for module in modules:
        if isinstance(module, torch.jit.ScriptModule):  # makes new objects when asked
            scripted += (*module.parameters(), *module.buffers())
            continue
        holders += module._parameters, module._buffers
        for child in module._modules.values():
            if child is not None and id(child) not in seen:
                seen.add(id(child))
                modules.append(child)
    held = [tensor for holder in holders for tensor in holder.values()]
    present = [*scripted, *(tensor for tensor in held if tensor is not None)]
    structure = [*map(id, modules), *map(len, holders), *map(id, held)]
    structure += [tensor.data_ptr() for tensor in present]
    return ModelState(structure, versions_of(present))


class Shadow:
    """A module to run in place of the user's model.

    Parameters
    ----------
    model : torch.nn.Module
        The user's model, unwrapped. Parameters are shared by memory (an optimiser step is seen at
        once) but frozen in the shadow, so that no graph and no ``.grad`` reaches the user's. All
        other tensors (buffers, plain attributes, those of modules in plain lists and of scripted
        modules) are copies that are brought up to date before each run.
    own : frozenset of str
        Names of parameters to copy as well, because the forward pass writes to them.

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
    What the forward pass leaves in attributes, lists and dicts is undone before the next run; what
    it leaves inside other objects is not.
    """

    def __init__(self, model: nn.Module, own: frozenset[str] = frozenset()) -> None:
        self.original = model
        self.own = own
        self.reason = ""
        self._mine: list[Tensor] = []  # copies, and what they are copies of
        self._theirs: list[Tensor] = []
        self._hidden: list[Tensor] = []  # those of `_theirs` that are not registered
        self._written: list[tuple[nn.Parameter, Tensor]] = []  # copies of `own`, and their memory
        self._originals: dict[int, nn.Module] = {}
        try:
            self.module = self._copy()
            self.isolated = True
        except Exception as error:  # noqa: BLE001 - any attribute of a user's model may refuse
            self.module = model
            self.isolated = False
            self.reason = f"{type(error).__name__}: {error}"
            self._mine, self._theirs, self._hidden = [], [], []
        if self.isolated:
            self.module.eval()
            self._snapshot = Snapshot(self.module.modules(), hooks=False)
            states = [vars(module) for module in self.module.modules()]
            self._hooks = [state[name] for state in states for name in HOOKS if name in state]
            self._hung = list(map(dict, self._hooks))

    def _copy(self) -> nn.Module:
        memo: dict[int, Any] = {}
        for name, parameter in self.original.named_parameters(remove_duplicate=False):
            if id(parameter) not in memo:
                memo[id(parameter)] = self._parameter(parameter, copied=name in self.own)
        for buffer in self.original.buffers():
            self._add_copy(buffer, memo)
        modules = list(self.original.modules())
        registered = frozenset(map(id, modules))
        for module in modules:
            for tensor in _hidden_tensors(vars(module), registered, _DEPTH):
                if id(tensor) not in memo:
                    self._add_copy(tensor, memo)
                    self._hidden.append(tensor)
        for module in modules:
            inner = unwrap(module)
            if inner is not module:
                memo[id(module)] = copy.deepcopy(inner, memo)
        whole = copy.deepcopy(self.original, memo)
        for module in modules:
            twin = memo.get(id(module))
            if isinstance(twin, nn.Module):
                self._originals[id(twin)] = unwrap(module)
                _copy_slots(module, twin, memo)
                if isinstance(module, torch.jit.ScriptModule):
                    self._pair_scripted(module, twin)
        states = [vars(module) for module in modules]
        hooks = {id(state[name]) for state in states for name in state if name.endswith("_hooks")}
        if reaches_back(whole, registered | hooks):
            msg = "it holds functions or hooks that call its own modules"
            raise TypeError(msg)
        return whole

    def _add_copy(self, tensor: Tensor, memo: dict[int, Any]) -> None:
        memo[id(tensor)] = twin = _own_copy(tensor)
        self._mine.append(twin)
        self._theirs.append(tensor.detach())

    def _pair_scripted(self, theirs: nn.Module, mine: nn.Module) -> None:
        """Keep up with a scripted module, which copies its tensors on its own."""
        for part in ("parameters", "buffers"):
            for new, old in zip(getattr(mine, part)(), getattr(theirs, part)(), strict=True):
                self._mine.append(new.requires_grad_(requires_grad=False))
                self._theirs.append(old.detach())

    def original_of(self, module: nn.Module) -> nn.Module:
        """Return the user's module that a module of the shadow is the copy of."""
        return self._originals.get(id(module), module)

    def _parameter(self, parameter: nn.Parameter, *, copied: bool) -> Tensor:
        if type(parameter) is not nn.Parameter:
            return parameter
        data = parameter.detach()
        copied = copied or parameter.is_inference()
        if copied:
            self._theirs.append(data)
            data = _own_copy(data)
            self._mine.append(data)
        twin = nn.Parameter(data, requires_grad=False)
        if copied:
            self._written.append((twin, data))
        return twin

    def state(self) -> ModelState:
        """Read the state of the user's model, that of tensors which it does not register too."""
        structure, versions = state_of(self.original)
        return ModelState(structure, versions + versions_of(self._hidden))

    def refresh(self) -> None:
        """Bring the shadow to the state and its own tensors to the values of the user's model.

        All of them, because torch does not count what BatchNorm writes to its statistics.
        """
        self._snapshot.restore()
        for parameter, data in self._written:
            parameter.data = data  # the forward pass may have given it other memory
        with torch.no_grad():
            if self._mine:
                torch._foreach_copy_(self._mine, self._theirs)

    def _unhook(self) -> None:
        """Undo what the forward pass did to hooks, which it may have been kept from undoing."""
        if self._hooks != self._hung:
            for live, hung in zip(self._hooks, self._hung, strict=True):
                live.clear()
                live.update(hung)

    @contextlib.contextmanager
    def guard(self) -> Iterator[None]:
        """Put the model into eval mode for a run and restore it after; a copy needs nothing."""
        if self.isolated:
            self.refresh()
            try:
                with _nothing_cached():
                    yield
            finally:
                self._unhook()
            return
        with _restored(self.original), _nothing_cached():
            for module in self.original.modules():
                module.training = False
            yield


@contextlib.contextmanager
def _restored(model: nn.Module) -> Iterator[None]:
    """Restore attributes, flags, hooks, and the values of weights and other tensors of a model."""
    modules = list(model.modules())
    registered = frozenset(map(id, modules))
    snapshot = Snapshot(modules, hooks=True)
    hidden = [t for m in modules for t in _hidden_tensors(vars(m), registered, _DEPTH)]
    tensors = [
        (tensor, tensor.data, version_of(tensor), tensor.detach().clone())
        for tensor in (*model.parameters(), *model.buffers(), *hidden)
    ]
    try:
        yield
    finally:
        snapshot.restore()
        with torch.no_grad():
            for tensor, memory, version, values in tensors:
                if tensor.data_ptr() != memory.data_ptr():
                    tensor.data = memory
                if version_of(tensor) != version or not same_bits(tensor, values):
                    tensor.data.copy_(values)


@contextlib.contextmanager
def _nothing_cached() -> Iterator[None]:
    """Leave no weights of ours in ``parametrize.cached()``, which takes copies for the model."""
    before = frozenset(parametrize._cache)
    try:
        yield
    finally:
        for key in parametrize._cache.keys() - before:
            parametrize._cache.pop(key, None)


def _copy_slots(module: nn.Module, twin: nn.Module, memo: dict[int, Any]) -> None:
    """Copy what a class keeps in ``__slots__``, which a module's own way to be copied forgets."""
    if module is twin:
        return
    for kind in type(module).__mro__:
        slots = vars(kind).get("__slots__", ())
        for name in (slots,) if isinstance(slots, str) else slots:
            if hasattr(module, name) and not hasattr(twin, name):
                object.__setattr__(twin, name, copy.deepcopy(getattr(module, name), memo))


def _own_copy(tensor: Tensor) -> Tensor:
    with torch.inference_mode(mode=False), torch.no_grad():
        return tensor.detach().clone()


def _hidden_tensors(nest: object, registered: frozenset[int], depth: int) -> Iterator[Tensor]:
    """Return the tensors in attributes, containers, and modules that no module registers."""
    if not depth:
        return
    if isinstance(nest, Tensor):
        yield nest
    elif isinstance(nest, dict):
        for key, item in nest.items():
            if key not in {"_parameters", "_buffers", "_modules"}:
                yield from _hidden_tensors(item, registered, depth - 1)
    elif isinstance(nest, (list, tuple)):
        for item in nest:
            yield from _hidden_tensors(item, registered, depth - 1)
    elif isinstance(nest, nn.Module) and id(nest) not in registered:
        yield from (*nest.parameters(), *nest.buffers())
