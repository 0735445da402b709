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

from .index import Index, LayerEntry, build_index, inspector_name

COLOURS = 3
"""Inputs of a first layer that are drawn together, as red, green and blue."""


class FilterEntry(LayerEntry):
    """One weight; `shape` is the weight's, behind a 1 where an activation has its batch.

    `kernel` and `dilation` are along depth, height and width, 1 where a kernel lacks the axis.
    `fold` says how the inputs of a dense layer lie as (channels, height, width), where known.
    `answers` names the call whose output channels are these filters, null where there is none.
    """

    filters: int
    inputs: int
    kernel: list[int]
    axes: int
    groups: int
    dilation: list[int]
    transposed: bool
    made_by: str
    parts: list[str]
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
    infos = sorted(weights.layers, key=lambda info: places.get(info.path, len(places)))
    picture = inspector.picture(0)
    size = None if picture is None else (picture.shape[0], picture.shape[1])
    entries = _entries(infos, calls, inspector.layers, size)
    return {**build_index(inspector), "layers": [*entries], "bounds": bounds}


def _entries(
    infos: Sequence[WeightInfo],
    calls: dict[str, LayerInfo],
    leaves: Sequence[LayerInfo],
    picture: tuple[int, int] | None,
) -> list[FilterEntry]:
    entries = [_entry(info, place, calls.get(info.path)) for place, info in enumerate(infos)]
    first = next((entry for entry in entries if entry["axes"]), None)
    if first is not None:
        whole = first["groups"] == 1 and not first["transposed"] and first["kernel"][0] == 1
        first["colour"] = first["inputs"] == COLOURS and first["axes"] > 1 and whole
    for entry in entries:
        call = calls.get(entry["path"])
        if call is not None and not entry["axes"]:
            entry["fold"] = _fold(entry["inputs"], call, leaves, picture)
    return entries


def _entry(info: WeightInfo, place: int, call: LayerInfo | None) -> FilterEntry:
    answers = call is not None and info.parameter == "weight"
    return {
        "name": info.name,
        "path": info.path,
        "call": 1,
        "calls": 1 if call is None else call.calls,
        "type": info.type,
        "shape": [1, *info.shape],
        "layout": "",
        "params": math.prod(info.shape),
        "trainable": math.prod(info.shape),
        "macs": None,
        "leaf": True,
        "index": place,
        "filters": info.filters,
        "inputs": info.inputs,
        "kernel": list(kernel_axes(info.kernel)),
        "axes": len(info.kernel),
        "groups": info.groups,
        "dilation": list(kernel_axes(info.dilation)),
        "transposed": info.transposed,
        "made_by": info.made_by,
        "parts": list(info.parts),
        "colour": False,
        "fold": None,
        "answers": call.name if answers and call is not None else None,
    }


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
