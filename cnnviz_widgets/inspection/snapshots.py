"""Inspection: what modules and the plain containers in them hold, put back after a run.

In: modules. Out: `Snapshot`, which brings their attributes back to what they were.
"""

from __future__ import annotations

import functools
import itertools
import operator
import random
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import torch
from torch import nn

HOOKS = ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks", "_backward_pre_hooks")
"""Where a module holds what runs around its ``forward``."""
_DEPTH = 8
# What every module holds; of these only parameters, buffers and modules change in a forward pass,
# and hooks, which `Shadow` sees to after each run, as to look at all of them here would cost more.
_TORCHS_OWN = frozenset(vars(nn.Module())) - {"_parameters", "_buffers", "_modules"}


class Snapshot:
    """Attributes of modules, and items of the dicts, lists and sets in them, at one time.

    Which objects are held is noted, not what a tensor or another object holds in turn, but for
    random generators, which go on from where they were. Scripted modules keep their state
    elsewhere and are passed over.

    Parameters
    ----------
    modules : iterable of torch.nn.Module
        Whose attributes.
    hooks : bool
        Whether hooks are meant, too.
    """

    def __init__(self, modules: Iterable[nn.Module], *, hooks: bool) -> None:
        self._dicts: list[tuple[dict[Any, Any], dict[Any, Any]]] = []
        self._lists: list[tuple[list[Any], list[Any]]] = []
        self._sets: list[tuple[set[Any], set[Any]]] = []
        self._rewinds: list[Callable[[], object]] = []
        seen: set[int] = set()
        for module in modules:
            if isinstance(module, torch.jit.ScriptModule):
                continue
            attributes = vars(module)
            self._dicts.append((attributes, dict(attributes)))
            for name, value in attributes.items():
                if hooks or name not in _TORCHS_OWN:
                    self._note(value, seen, _DEPTH)
        self._sizes = [len(saved) for _, saved in self._dicts]
        self._held = [value for _, saved in self._dicts for value in saved.values()]

    def _note(self, value: object, seen: set[int], depth: int) -> None:
        if (rewind := _rewind(value)) is not None:
            self._rewinds.append(rewind)
        if not isinstance(value, (dict, list, tuple, set)) or id(value) in seen or not depth:
            return
        seen.add(id(value))
        if isinstance(value, dict):
            self._dicts.append((value, dict(value)))
        elif isinstance(value, list):
            self._lists.append((value, list(value)))
        elif isinstance(value, set):
            self._sets.append((value, set(value)))
        for item in value.values() if isinstance(value, dict) else value:
            self._note(item, seen, depth - 1)

    def restore(self) -> None:
        """Put everything back."""
        if not self._dicts_are_same():
            for live, saved in self._dicts:
                if not _same_objects(live.values(), saved.values()):
                    live.clear()
                    live.update(saved)
        for items, kept in self._lists:
            if not _same_objects(items, kept):
                items[:] = kept
        for members, known in self._sets:
            if members != known:
                members.clear()
                members.update(known)
        for rewind in self._rewinds:
            rewind()

    def _dicts_are_same(self) -> bool:
        """Compare all dicts at once, as most often nothing changed."""
        dicts = [live for live, _ in self._dicts]
        values = itertools.chain.from_iterable([live.values() for live in dicts])
        return list(map(len, dicts)) == self._sizes and all(map(operator.is_, values, self._held))


def _rewind(value: object) -> Callable[[], object] | None:
    """Return what makes a random generator go on from where it is now; None for anything else."""
    if isinstance(value, torch.Generator):
        return functools.partial(value.set_state, value.get_state())
    if isinstance(value, np.random.Generator):
        return functools.partial(setattr, value.bit_generator, "state", value.bit_generator.state)
    if isinstance(value, random.Random):
        return functools.partial(value.setstate, value.getstate())
    return None


def _same_objects(a: Any, b: Any) -> bool:  # Any: sized iterables
    return len(a) == len(b) and all(map(operator.is_, a, b))
