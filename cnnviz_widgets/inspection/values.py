"""Inspection: numbers for tensors, and walks through nested outputs.

In: whatever a module or a function takes and returns. Out: the tensors in it, and one number per
tensor value: the same object, not written to since, has the same number.
"""

from __future__ import annotations

import dataclasses
import weakref
from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor

# What a forward pass takes or returns: tensors in any nest of tuples, lists, dicts, dataclasses.
Nest = Any
is_wrapped = torch._C._functorch.is_functorch_wrapped_tensor
"""Tells whether a tensor lives inside ``torch.vmap`` or its like, and means nothing after."""
_ATOMS = frozenset({int, float, bool, str, type(None)})


def tensors_in(nest: Nest) -> list[Tensor]:
    """Return every tensor of a nest of tuples, lists, mappings and dataclasses, in order."""
    found: list[Tensor] = []
    _collect(nest, found)
    return found


def _collect(nest: Nest, found: list[Tensor]) -> None:
    if isinstance(nest, Tensor):
        found.append(nest)
    elif isinstance(nest, (tuple, list)):
        for item in nest:
            if isinstance(item, Tensor):  # most are, or are numbers: spare them a call
                found.append(item)
            elif type(item) not in _ATOMS:
                _collect(item, found)
    elif type(nest) in _ATOMS:
        return
    elif isinstance(nest, (dict, Mapping)):
        for item in nest.values():
            _collect(item, found)
    elif dataclasses.is_dataclass(nest) and not isinstance(nest, type):
        for field in dataclasses.fields(nest):
            _collect(getattr(nest, field.name), found)


def first_tensor(nest: Nest) -> Tensor | None:
    """Return the first tensor of a nest, or None."""
    return next(iter(tensors_in(nest)), None)


def replace_tensors(nest: Nest, change: Callable[[Tensor], Tensor]) -> Nest:
    """Return the nest with ``change(tensor)`` in place of every tensor; the same object if equal.

    Tuples, named tuples, lists, dicts and dataclasses are rebuilt only where something changed.
    """
    if isinstance(nest, Tensor):
        return change(nest)
    if type(nest) in _ATOMS:
        return nest
    if isinstance(nest, (tuple, list)):
        return _replace_in_sequence(nest, change)
    if isinstance(nest, (dict, Mapping)):
        pairs = {key: replace_tensors(item, change) for key, item in nest.items()}
        if all(pairs[key] is item for key, item in nest.items()):
            return nest
        return pairs if type(nest) is dict else type(nest)(**pairs)
    if dataclasses.is_dataclass(nest) and not isinstance(nest, type):
        names = [field.name for field in dataclasses.fields(nest) if field.init]
        new = {name: replace_tensors(getattr(nest, name), change) for name in names}
        if all(new[name] is getattr(nest, name) for name in names):
            return nest
        return dataclasses.replace(nest, **new)
    return nest


def _replace_in_sequence(
    nest: tuple[Nest, ...] | list[Nest], change: Callable[[Tensor], Tensor]
) -> Nest:
    items = [replace_tensors(item, change) for item in nest]
    for new, old in zip(items, nest, strict=True):
        if new is not old:
            return type(nest)(*items) if hasattr(nest, "_fields") else type(nest)(items)
    return nest


def version_of(tensor: Tensor) -> int:
    """Return how often the tensor's memory was written to; -1 where torch does not count."""
    try:
        return tensor._version
    except RuntimeError:  # made in inference mode
        return -1


def versions_of(tensors: list[Tensor]) -> list[int]:
    """Return how often each of many tensors was written to."""
    try:
        return [tensor._version for tensor in tensors]
    except RuntimeError:
        return [version_of(tensor) for tensor in tensors]


def storage_of(tensor: Tensor) -> int:
    """Return a number that two tensors share exactly while they share memory."""
    try:
        storage: int = tensor.untyped_storage()._cdata
    except (RuntimeError, NotImplementedError):  # sparse and other tensors without one storage
        return id(tensor)
    return storage


def nbytes(tensor: Tensor) -> int:
    """Return the bytes of memory that keeping the tensor keeps."""
    try:
        return tensor.untyped_storage().nbytes()
    except (RuntimeError, NotImplementedError):
        return tensor.numel() * tensor.element_size()


def same_bits(a: Tensor, b: Tensor) -> bool:
    """Tell whether two tensors hold the same values; NaN equals NaN."""
    if a.shape != b.shape or a.dtype != b.dtype:
        return False
    if a.layout != torch.strided or b.layout != torch.strided:
        a, b = a.to_dense(), b.to_dense()
    return torch.equal(a, b) or bool(((a == b) | ((a != a) & (b != b))).all())


class ValueNumbers:
    """Give every tensor value that passes by a number, without keeping it alive."""

    def __init__(self) -> None:
        self._seen: dict[int, tuple[weakref.ref[Tensor], int, int]] = {}
        self._next = 0

    def number(self, tensor: Tensor) -> int:
        """Return the tensor's number; a new one when it is new or has been written to since."""
        try:
            version = tensor._version
        except RuntimeError:  # made in inference mode
            version = -1
        key = id(tensor)
        known = self._seen.get(key)
        if known is not None and known[1] == version and known[0]() is tensor:
            return known[2]
        return self.give(tensor, version)

    def give(self, tensor: Tensor, version: int) -> int:
        """Return a new number for a tensor that was written to so often."""
        number = self._next
        self._next = number + 1
        self._seen[id(tensor)] = (weakref.ref(tensor), version, number)
        return number

    def alias(self, tensor: Tensor, number: int) -> None:
        """Let the tensor, as it is now, stand for the value with this number."""
        self._seen[id(tensor)] = (weakref.ref(tensor), version_of(tensor), number)
