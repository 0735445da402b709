"""The index of a FilterGrid: layers with weights, and what is known of them before any is read.

In: `Weights`, and an Inspector where there are inputs. Out: plain values, the `_index` trait.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from cnnviz_widgets.inspection.inspector import Inspector
from cnnviz_widgets.inspection.layers import LayerInfo
from cnnviz_widgets.inspection.weights import WeightInfo, Weights
from cnnviz_widgets.rendering.filters import DEAD_SHARE, TWIN_COSINE
from cnnviz_widgets.streaming.wire import Json
from cnnviz_widgets.words import joined, phrase, told

from .index import Index, LayerEntry, build_index, inspector_name

COLOURS = 3
"""Inputs of a first layer that are drawn together, as red, green and blue."""


class FilterEntry(LayerEntry):
    """One weight; `shape` is the weight's, behind a 1 where an activation has its batch.

    `kernel` and `dilation` are along depth, height and width, 1 where a kernel lacks the axis.
    `note` says what is unusual about the layer. `fold` says how the inputs of a dense layer lie as
    (channels, height, width), where known.
    `answers` names the call whose output channels are these filters, null where there is none.
    """

    filters: int
    inputs: int
    kernel: list[int]
    axes: int
    groups: int
    dilation: list[int]
    note: Json
    colour: bool
    fold: list[int] | None
    answers: str | None


class FilterIndex(Index):
    """As `Index`, and the bounds beyond which a filter is called dead or a twin."""

    bounds: dict[str, float]


def kernel_axes(kernel: Sequence[int]) -> tuple[int, int, int]:
    """Return a kernel's depth, height and width, 1 for each that it lacks."""
    depth, height, width = (1,) * (3 - len(kernel)) + tuple(kernel)
    return depth, height, width


def build_filter_index(weights: Weights, inspector: Inspector | None) -> FilterIndex:
    """Describe the layers with weights.

    Parameters
    ----------
    weights : Weights
    inspector : Inspector, optional
        Puts the layers into execution order, those that it did not call last; without one they
        stand in the order of ``named_modules()``.
    """
    bounds = {"dead": DEAD_SHARE, "twin": TWIN_COSINE}
    if inspector is None:
        layers: list[LayerEntry] = [*_entries(weights.layers, {}, [], None)]
        return {
            "inspector": inspector_name(weights),
            "epoch": weights.epoch,
            "model": type(weights.model).__name__,
            "batch": 0,
            "layers": layers,
            "classes": None,
            "class_count": None,
            "score_kind": "logit",
            "notices": [],
            "bounds": bounds,
        }
    calls: dict[str, LayerInfo] = {}
    for call in inspector.modules:
        calls.setdefault(call.path, call)
    places = {path: place for place, path in enumerate(calls)}
    infos = sorted(weights.layers, key=lambda info: _place(info.path, places))
    picture = inspector.picture(0)
    size = None if picture is None else (picture.shape[0], picture.shape[1])
    entries = _entries(infos, calls, inspector.layers, size)
    return {**build_index(inspector), "layers": [*entries], "bounds": bounds}


def _place(path: str, places: dict[str, int]) -> int:
    """Place of a module's first call; one that others use without calling it stands with them."""
    while path and path not in places:
        path = path.rpartition(".")[0]
    return places.get(path, len(places)) if path else len(places)


def _entries(
    infos: Sequence[WeightInfo],
    calls: dict[str, LayerInfo],
    leaves: Sequence[LayerInfo],
    picture: tuple[int, int] | None,
) -> list[FilterEntry]:
    entries = [_entry(info, place, _call(info, calls)) for place, info in enumerate(infos)]
    first = next((place for place, info in enumerate(infos) if info.kernel), None)
    if first is not None:
        entries[first]["colour"] = _reads_colours(infos[first])
    for info, entry in zip(infos, entries, strict=True):
        call = _call(info, calls)
        if call is not None and not entry["axes"]:
            entry["fold"] = _fold(entry["inputs"], call, leaves, picture)
    return entries


def _call(info: WeightInfo, calls: dict[str, LayerInfo]) -> LayerInfo | None:
    """Return the first call of a weight's module; a model that is one layer is called "model"."""
    return calls.get(info.path or "model")


def _entry(info: WeightInfo, place: int, call: LayerInfo | None) -> FilterEntry:
    answers = call is not None and info.parameter == "weight"
    parameters = math.prod(info.shape) + info.biases
    return {
        "name": info.name,
        "path": info.path,
        "call": 1,
        "calls": 1 if call is None else call.calls,
        "type": info.type,
        "shape": [1, *info.shape],
        "layout": "",
        "params": parameters,
        "trainable": parameters,
        "macs": None,
        "leaf": True,
        "index": place,
        "filters": info.filters,
        "inputs": info.inputs,
        "kernel": list(kernel_axes(info.kernel)),
        "axes": len(info.kernel),
        "groups": info.groups,
        "dilation": list(kernel_axes(info.dilation)),
        "note": told(_note(info)),
        "colour": False,
        "fold": None,
        "answers": call.name if answers and call is not None else None,
    }


def _reads_colours(info: WeightInfo) -> bool:
    """Tell whether the first convolution of a network seems to read red, green and blue."""
    is_flat = len(info.kernel) == 2 and info.groups == 1 and not info.transposed
    return is_flat and info.inputs == COLOURS


def _note(info: WeightInfo) -> str:
    """Say what a reader must know of a weight besides its numbers."""
    notes = []
    if info.groups > 1:
        depthwise = info.inputs == 1 and info.filters == info.groups
        groups = phrase("groups", groups=info.groups, inputs=info.inputs)
        notes.append(phrase("depthwise") if depthwise else groups)
    if max(info.dilation, default=1) > 1:
        sides = zip(info.kernel, info.dilation, strict=True)
        steps = " x ".join(map(str, info.dilation))
        reach = " x ".join(str((side - 1) * step + 1) for side, step in sides)
        notes.append(phrase("dilation", steps=steps, reach=reach))
    if info.transposed:
        notes.append(phrase("transposed"))
    if len(info.kernel) == len(("depth", "height", "width")):
        notes.append(phrase("slices", count=info.kernel[0]))
    if info.parts:
        notes.append(phrase("equal_parts", names=", ".join(info.parts)))
    if info.made_by:
        notes.append(phrase("effective_weight", name=info.made_by))
    return joined(notes) or ""


def _fold(
    inputs: int, call: LayerInfo, leaves: Sequence[LayerInfo], picture: tuple[int, int] | None
) -> list[int] | None:
    """Find what was flattened into the inputs of a dense layer, by their number."""
    for leaf in reversed([leaf for leaf in leaves if leaf.index < call.index]):
        if len(leaf.shape) == 2:
            continue
        sizes = leaf.shape[1:]
        fits = leaf.layout == "NCHW" and math.prod(sizes) == inputs and math.prod(sizes[1:]) > 1
        return list(sizes) if fits else None
    if picture is None or inputs % math.prod(picture) or inputs <= 1:
        return None
    return [inputs // math.prod(picture), *picture]
