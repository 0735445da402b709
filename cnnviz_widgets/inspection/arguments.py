"""Inspection: checks of what a user passes to the Inspector.

In: arguments as given. Out: the same in one form, or an error that names the argument, its value,
what is allowed and what to do.
"""

from __future__ import annotations

import difflib
import operator
import os
import reprlib
from collections.abc import Iterable, Mapping, Sequence

import torch
from torch import nn

_CONTAINERS = (nn.Sequential, nn.ModuleList, nn.ModuleDict)


def check_model(model: object) -> None:
    """Raise unless the model is an nn.Module that can run.

    Raises
    ------
    TypeError
        It is no module, or only the class of one.
    ValueError
        It has parameters or buffers without a shape (lazy modules that never ran).
    """
    if isinstance(model, nn.Module):
        for name, tensor in (*model.named_parameters(), *model.named_buffers()):
            if type(tensor) in {nn.UninitializedParameter, nn.UninitializedBuffer}:
                msg = (
                    f"model={type(model).__name__} has no shape yet for {name!r}, a lazy "
                    f"parameter; run the model once on real data first."
                )
                raise ValueError(msg)
        if all(weight.is_meta for weight in model.parameters()) and [*model.parameters()]:
            msg = (
                f"model={type(model).__name__} is on the meta device and has no values; load its "
                f"weights first, as with load_state_dict(assign=True)."
            )
            raise ValueError(msg)
        return
    kind = type(model).__name__
    msg = f"model={reprlib.repr(model)} is a {kind}; give a torch.nn.Module{_way_to_one(model)}."
    raise TypeError(msg)


def _way_to_one(given: object) -> str:
    """Say how to come from what was given to a model, where that is known."""
    if isinstance(given, type):
        return "; call it to make one"
    if isinstance(given, Mapping):
        return "; make one and give this to its load_state_dict()"
    if isinstance(given, (str, os.PathLike)):
        return "; make one and load the file's weights into it"
    is_input = isinstance(given, torch.Tensor) or hasattr(given, "__array__")
    return "; the model comes first, then its inputs" if is_input else ""


def check_has_layers(model: nn.Module, *, has_called: bool) -> None:
    """Raise a ValueError unless a pass called a layer of the model that gave a tensor.

    Parameters
    ----------
    model : torch.nn.Module
        The model.
    has_called : bool
        Whether a module inside it, or itself, was called and gave a tensor.
    """
    alone = next(model.children(), None) is None  # then its one call is that of the model itself
    plain = type(model).__module__.startswith("torch.nn.modules") and type(model) not in _CONTAINERS
    is_layer = not alone or plain or next(model.parameters(), None) is not None
    if not is_layer or not has_called:
        if isinstance(model, torch.jit.ScriptModule):
            msg = (
                f"model={type(model).__name__} was scripted or traced by torch.jit, where no layer "
                f"can be watched; give the nn.Module that it was made from."
            )
            raise ValueError(msg)
        msg = (
            f"model={type(model).__name__} has no layers: no module inside it was called and gave "
            f"a tensor. Build it from nn modules, and call them in forward(), not in torch.vmap."
        )
        raise ValueError(msg)


def reject_unknown(unknown: Mapping[str, object], known: Sequence[str]) -> None:
    """Raise a TypeError for a keyword that the Inspector does not have."""
    for name, value in unknown.items():
        close = difflib.get_close_matches(name, known, n=1, cutoff=0.7)
        hint = f"; did you mean {close[0]!r}?" if close else "."
        msg = (
            f"Inspector got {name}={value!r}, which it does not know{hint} "
            f"It takes {', '.join(known)}."
        )
        raise TypeError(msg)


def checked_bytes(cache_bytes: object) -> int:
    """Return `cache_bytes` as a whole number of at least 0."""
    number = _index(cache_bytes)
    if number is None:
        kind = type(cache_bytes).__name__
        msg = (
            f"cache_bytes={cache_bytes!r} is a {kind}; give a whole number of bytes, such as "
            f"1 << 30 for 1 GiB."
        )
        raise TypeError(msg)
    if number < 0:
        msg = f"cache_bytes={number} must be at least 0; 0 keeps nothing, 1 << 30 is 1 GiB."
        raise ValueError(msg)
    return number


def checked_layers(layers: object) -> tuple[str, ...] | None:
    """Return `layers` as a tuple of names; None where all layers are meant."""
    if layers is None:
        return None
    if isinstance(layers, str):
        msg = f"layers={layers!r} is one string; give a sequence of names, such as [{layers!r}]."
        raise TypeError(msg)
    names = tuple(layers) if isinstance(layers, Iterable) else (None,)
    if not all(isinstance(name, str) for name in names):
        msg = f"layers={layers!r} must be a sequence of layer names; see insp.layers for all."
        raise TypeError(msg)
    if not names:
        msg = f"layers={layers!r} names no layer; name at least one, or leave it out."
        raise ValueError(msg)
    return tuple(str(name) for name in names)


def checked_layouts(layouts: object) -> dict[str, str]:
    """Return `layouts` as a dict of layer name to layout; whether they fit is checked later."""
    if layouts is None:
        return {}
    if not isinstance(layouts, Mapping):
        msg = (
            f"layouts={layouts!r} is a {type(layouts).__name__}; give a dict of layer name to "
            f"layout, such as {{'mixer.0': 'NLC'}}."
        )
        raise TypeError(msg)
    return dict(layouts)


def checked_image(image: object, batch_size: int) -> int:
    """Return `image` as a place in a batch of this size."""
    number = _index(image)
    if number is None:
        hint = " A picture itself goes to inputs=." if hasattr(image, "shape") else ""
        msg = (
            f"image={reprlib.repr(image)} is a {type(image).__name__}; give the place of an image "
            f"in the batch, a whole number from 0 to {batch_size - 1}.{hint}"
        )
        raise TypeError(msg)
    if not 0 <= number < batch_size:
        msg = f"image={number} is not in the batch of {batch_size}; give 0 to {batch_size - 1}."
        raise ValueError(msg)
    return number


def checked_count(k: object) -> int:
    """Return `k`, how many predictions are asked for."""
    number = _index(k)
    if number is None or isinstance(k, bool) or number < 1:
        msg = f"k={k!r} must be a whole number of at least 1."
        raise ValueError(msg)
    return number


def _index(value: object) -> int | None:
    """Return a whole number of any type, such as NumPy's; None for anything else."""
    try:
        return operator.index(value)  # type: ignore[arg-type]  # raises for what has no __index__
    except TypeError:
        return None
