"""Inspection: the layers of a trace, as users name them.

In: a `Structure`. Out: one `LayerInfo` per module call; the look-up of a name with near matches.
"""

from __future__ import annotations

import difflib
import reprlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from torch import nn

from cnnviz_widgets.inspection.calls import Source
from cnnviz_widgets.inspection.keras_model import parameters_of
from cnnviz_widgets.inspection.layouts import possible_layouts
from cnnviz_widgets.inspection.multiply_adds import multiply_adds_of_calls
from cnnviz_widgets.inspection.shadow import Shadow
from cnnviz_widgets.inspection.structure import Structure


@dataclass(frozen=True)
class LayerInfo:
    """One call of one module.

    Attributes
    ----------
    name : str
        What to ask for it by: the path in ``named_modules()``, with ``#2`` and so on behind it
        when the module is called more than once.
    path : str
        The module's path alone.
    call, calls : int
        Which call this is, from 1, and how many there are.
    index : int
        Place among the leaf calls in execution order, from 0; -1 for a container.
    type : str
        Class name of the module.
    shape : tuple of int
        Shape of the activation with its batch axis.
    dtype : str
        Type of the activation, such as ``"float32"``.
    layout : str
        What the axes mean: ``"NCHW"``, ``"NHWC"``, ``"NCL"``, ``"NLC"``, ``"NCDHW"``, ``"NC"``, or
        ``"?"`` where it is not known.
    parameters, trainable : int
        Numbers in the module's parameters, and how many of them require a gradient.
    multiply_adds : int or None
        Multiplications with an addition, for one picture; None where it is not known.
    is_leaf : bool
        Whether no other module was called inside this call.
    """

    name: str
    path: str
    call: int
    calls: int
    index: int
    type: str
    shape: tuple[int, ...]
    dtype: str
    layout: str
    parameters: int
    trainable: int
    multiply_adds: int | None
    is_leaf: bool

    def __repr__(self) -> str:
        weights = f", {self.parameters:,} parameters" if self.parameters else ""
        return f"LayerInfo({self.name!r}, {self.type}, {self.shape}{weights})"


def layer_infos(
    structure: Structure, shadow: Shadow, layouts: Mapping[str, str]
) -> tuple[LayerInfo, ...]:
    """Return every module call that gave a tensor, in the order in which the calls began.

    Parameters
    ----------
    structure : Structure
        What the forward pass called.
    shadow : Shadow
        Knows the user's module behind each, whose ``requires_grad`` counts.
    layouts : mapping of str to str
        The user's answers, by layer name, which come before what was found.
    """
    calls = [call for call in structure.calls if call.value >= 0 and call.path]
    counts = Counter(call.path for call in calls)
    costs = multiply_adds_of_calls(structure)
    sizes: dict[int, tuple[int, int]] = {}
    infos: list[LayerInfo] = []
    leaf_index = 0
    for call in calls:
        module = shadow.original_of(call.module)
        if id(module) not in sizes:
            sizes[id(module)] = _parameter_counts(module)
        name = f"{call.path}#{call.call}" if counts[call.path] > 1 else call.path
        found = structure.layout(Source(call.path, call.call, "output"))
        infos.append(
            LayerInfo(
                name=name,
                path=call.path,
                call=call.call,
                calls=counts[call.path],
                index=leaf_index if call.is_leaf else -1,
                type=type(module).__name__,
                shape=tuple(call.shape),
                dtype=str(call.dtype).removeprefix("torch."),
                layout=layouts.get(name, found),
                parameters=sizes[id(module)][0],
                trainable=sizes[id(module)][1],
                multiply_adds=costs[(call.path, call.call)],
                is_leaf=call.is_leaf,
            )
        )
        leaf_index += call.is_leaf
    return tuple(infos)


def _parameter_counts(module: nn.Module) -> tuple[int, int]:
    parameters = parameters_of(module)
    total = sum(parameter.numel() for parameter in parameters)
    return total, sum(p.numel() for p in parameters if p.requires_grad)


def check_layout(info: LayerInfo, layout: str) -> None:
    """Raise a ValueError unless a layer's output can have this layout."""
    possible = possible_layouts(len(info.shape))
    if layout not in possible:
        msg = (
            f"layout={layout!r} does not fit {info.name!r} of shape {info.shape}; "
            f"possible: {', '.join(possible) or 'none'}."
        )
        raise ValueError(msg)


def normal_name(name: str) -> str:
    """Return a layer name without the parts that DataParallel and torch.compile add to it."""
    parts = [part for part in name.split(".") if part != "_orig_mod"]
    return ".".join(parts)


def find_layer(modules: Sequence[LayerInfo], layer: object) -> LayerInfo:
    """Return the layer of this name; a plain path means the only call.

    Raises
    ------
    TypeError
        The name is no string.
    ValueError
        There is no such layer, or its module is called several times and the call is not named.
    """
    if not isinstance(layer, str):
        raise TypeError(f"{not_a_name(layer, modules[0].name)} See insp.layers for all.")
    by_name = {info.name: info for info in modules}
    for name in (layer, normal_name(layer), normal_name(layer).removeprefix("module.")):
        if name in by_name:
            return by_name[name]
        if f"{name}#1" in by_name:
            calls = [info.name for info in modules if info.path == name]
            msg = f"layer={layer!r} is called {len(calls)} times; say which: {_some(calls)}."
            raise ValueError(msg)
        if name.endswith("#1") and name[:-2] in by_name:
            return by_name[name[:-2]]
    close = difflib.get_close_matches(layer, by_name, n=3, cutoff=0.4)
    near = f"close matches: {_some(close)}" if close else f"the first is {modules[0].name!r}"
    msg = (
        f"layer={layer!r} is not a layer of this model; {near}; "
        f"see insp.layers for all {sum(info.is_leaf for info in modules)}."
    )
    raise ValueError(msg)


def not_a_name(layer: object, example: str) -> str:
    """Say that what was given for a layer is no name, and how to get the name of it."""
    shown, way = reprlib.repr(layer), f"such as {example!r}"
    if isinstance(layer, LayerInfo):
        way = f"here {layer.name!r}"
    elif isinstance(layer, nn.Module):
        shown = f"{type(layer).__name__}(...)"
        way = "which is what model.named_modules() lists it under"
    return (
        f"layer={shown} is a {type(layer).__name__}; give the name of a layer as a string, {way}."
    )


def is_inside(info: LayerInfo, shown: Sequence[str]) -> bool:
    """Tell whether a layer is one of these by name, or inside one."""
    return any(
        info.name == name or info.path == name or info.path.startswith(f"{name}.") for name in shown
    )


def _some(names: Sequence[str]) -> str:
    shown = ", ".join(repr(name) for name in names[:4])
    return f"{shown}, ..." if len(names) > 4 else shown
