"""Inspection: functions that hold on to modules, which `copy.deepcopy` cannot give others.

In: a copy of a model and the modules that it was made from. Out: whether running the copy would
run one of those, or take a hook off it.
"""

from __future__ import annotations

import functools
import types
from collections.abc import Iterator

from torch import nn
from torch.utils.hooks import RemovableHandle

_DEPTH = 8
_REGISTERED = frozenset({"_parameters", "_buffers", "_modules"})


def reaches_back(copy: nn.Module, originals: frozenset[int]) -> bool:
    """Tell whether a copy holds a module of the original, itself or in a function or hook.

    A function is not copied by `copy.deepcopy`: what it closes over, its defaults and the globals
    that it names stay the user's.

    Parameters
    ----------
    copy : torch.nn.Module
        The copy.
    originals : frozenset of int
        ``id`` of every module that must not be run, and of the dicts that hold its hooks.
    """
    seen: set[int] = set()
    return any(
        id(module) in originals
        or any(
            _reaches(value, originals, seen, _DEPTH)
            for name, value in vars(module).items()
            if name not in _REGISTERED
        )
        for module in copy.modules()
    )


def _reaches(value: object, originals: frozenset[int], seen: set[int], depth: int) -> bool:
    if isinstance(value, nn.Module):
        return id(value) in originals
    if isinstance(value, RemovableHandle):
        return id(value.hooks_dict_ref()) in originals
    if id(value) in seen or not depth:
        return False
    seen.add(id(value))
    return any(_reaches(item, originals, seen, depth - 1) for item in _inside(value))


def _inside(value: object) -> Iterator[object]:
    """Return what a function or a container holds."""
    if isinstance(value, types.FunctionType):
        for cell in value.__closure__ or ():
            if cell != types.CellType():
                yield cell.cell_contents
        yield from value.__defaults__ or ()
        yield from (value.__kwdefaults__ or {}).values()
        for name in value.__code__.co_names:
            if isinstance(named := value.__globals__.get(name), (nn.Module, RemovableHandle)):
                yield named
    elif isinstance(value, types.MethodType):
        yield value.__self__
        yield value.__func__
    elif isinstance(value, functools.partial):
        yield value.func
        yield from value.args
        yield from value.keywords.values()
    elif isinstance(value, dict):
        yield from value.values()
    elif isinstance(value, (list, tuple, set)):
        yield from value
