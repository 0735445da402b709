"""The index of a network: what a widget tells the browser about layers, classes and pictures.

In: an Inspector. Out: a small dict of plain values, the `_index` trait of every widget.
"""

from __future__ import annotations

import uuid
import weakref
from typing import TypedDict

from cnnviz_widgets.inspection.inspector import Inspector
from cnnviz_widgets.inspection.layers import LayerInfo
from cnnviz_widgets.streaming.wire import Json
from cnnviz_widgets.words import told


class LayerEntry(TypedDict):
    """One module call, a layer or a container, as the browser's tree shows it."""

    name: str
    path: str
    call: int
    calls: int
    type: str
    shape: list[int]
    layout: str
    params: int
    trainable: int
    macs: int | None
    leaf: bool
    index: int


class Index(TypedDict):
    """All that a view needs before the first frame.

    `inspector` names the Inspector, so that its views in a page can follow each other. `epoch`
    counts what was shown and has become stale: frames carry it too, and a view drops those of
    another epoch, since a trait and a message may overtake each other.
    """

    inspector: str
    epoch: int
    model: str
    batch: int
    layers: list[LayerEntry]
    classes: list[str] | None
    class_count: int | None
    score_kind: str
    notices: list[Json]


_names: weakref.WeakKeyDictionary[object, str] = weakref.WeakKeyDictionary()


def inspector_name(inspector: object) -> str:
    """Return the name of an Inspector: the same as long as it lives, and nobody else's."""
    return _names.setdefault(inspector, uuid.uuid4().hex)


def layer_entry(layer: LayerInfo) -> LayerEntry:
    """Describe one module call in plain values."""
    return {
        "name": layer.name,
        "path": layer.path,
        "call": layer.call,
        "calls": layer.calls,
        "type": layer.type,
        "shape": list(layer.shape),
        "layout": layer.layout,
        "params": layer.parameters,
        "trainable": layer.trainable,
        "macs": layer.multiply_adds,
        "leaf": layer.is_leaf,
        "index": layer.index,
    }


def build_index(inspector: Inspector) -> Index:
    """Describe the network and the pictures that `inspector` holds now."""
    names = inspector.class_names
    return {
        "inspector": inspector_name(inspector),
        "epoch": inspector.epoch,
        "model": type(inspector.model).__name__,
        "batch": inspector.batch_size,
        "layers": [layer_entry(layer) for layer in inspector.modules],
        "classes": None if names is None else list(names),
        "class_count": inspector.class_count,
        "score_kind": inspector.score_kind,
        "notices": [told(notice) for notice in inspector.notices],
    }
