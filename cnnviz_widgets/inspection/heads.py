"""Inspection: layers whose value goes through a mean over the grid and one linear layer alone.

In: a layer of a `Session`. Out: its `Head`: the gradient of every class score with respect to it
is then the same at every place, and read off the linear layer's weights.
"""

from __future__ import annotations

import torch
from torch import Tensor

from cnnviz_widgets.inspection.ahead import sweeper
from cnnviz_widgets.inspection.axes import Grid
from cnnviz_widgets.inspection.calls import Source
from cnnviz_widgets.inspection.chains import Head
from cnnviz_widgets.inspection.explained import ExplainedTarget
from cnnviz_widgets.inspection.layers import LayerInfo
from cnnviz_widgets.inspection.layouts import CHANNELS
from cnnviz_widgets.inspection.runs import Subject, near
from cnnviz_widgets.inspection.session import Session, ValueLayout


def linear_head(session: Session, info: LayerInfo, image: int) -> Head | None:
    """Return the linear head of a layer, or None where anything else follows.

    That it is one is seen from the gradient of a random sum of all class scores: one forward and
    one backward pass of the part behind the layer. Once this gave what autograd's notes of the
    pass that ran ahead show, later pictures are spared it: their notes are read.
    """
    ahead, shown = session.memory.ahead, session.memory.shown_heads
    read = None if ahead is None else ahead.head(info)
    if read is not None and shown.get(info.name):
        return read
    listed = _listed(session, info)
    if read is None and listed is None:
        return None
    classes = session.class_count
    generator = torch.Generator("cpu").manual_seed(0)
    mix = torch.randn(classes or 0, generator=generator, dtype=torch.float32, device="cpu")
    gradient = _gradient(session, info, image, mix)
    if gradient is None:
        return None
    axis = CHANNELS[_layout(session, info).layout]
    if read is not None and shown.setdefault(info.name, _fits(read, gradient, mix, axis)):
        return read
    if listed is None:
        return None
    meant = _meant(gradient, _layout(session, info).grid)
    head = Head(listed, meant.numel() // listed.shape[1])
    return head if _fits(head, meant, mix, axis) else None


def _layout(session: Session, info: LayerInfo) -> ValueLayout:
    return session.layout_of(Source(info.path, info.call, "output"), info.name)


def _meant(gradient: Tensor, grid: Grid | None) -> Tensor:
    """Return a gradient without class and register tokens, where these are none of the mean."""
    if grid is None:
        return gradient
    end = gradient.shape[1] - grid.after
    others = torch.cat([gradient[:, : grid.before], gradient[:, end:]], dim=1)
    return gradient if others.any() else gradient[:, grid.before : end]


def _fits(head: Head, gradient: Tensor, mix: Tensor, axis: int) -> bool:
    """Tell whether the gradient of a sum of class scores is what a head says, at all places."""
    expected = (mix.to(head.weight) @ head.weight) / head.places
    # Where the gradient is the same at all places, its largest and smallest values are, too.
    across = [a for a in range(gradient.dim()) if a != axis % gradient.dim()]
    return near(gradient.amax(across), expected) and near(gradient.amin(across), expected)


def _listed(session: Session, info: LayerInfo) -> Tensor | None:
    """Return the weights (K, C) of the last layer that has some of the right size, a copy."""
    layout, classes = _layout(session, info).layout, session.class_count
    if layout not in CHANNELS or classes is None:
        return None
    channels = info.shape[CHANNELS[layout]]
    for call in reversed(session.structure.calls):
        weight = getattr(call.module, "weight", None)
        if not call.is_leaf or not isinstance(weight, Tensor) or not weight.is_floating_point():
            continue
        if weight.shape[:2] == (classes, channels) and weight.numel() == classes * channels:
            return weight.detach().reshape(classes, channels).clone()
    return None


def _gradient(session: Session, info: LayerInfo, image: int, mix: Tensor) -> Tensor | None:
    """Return the gradient of a weighted sum of the class scores, from a pass of its own."""
    found: list[Tensor | None] = []

    def visit(_info: LayerInfo, _activation: Tensor, gradient: Tensor | None, _place: int) -> None:
        found.append(None if gradient is None else gradient.detach().clone())

    subject = Subject.of(session, image)
    target = ExplainedTarget(None, "", 0.0, "logit", weights=mix)
    sweeper(session, subject, layers=[info], visit=visit, last=False).scores([target], None)
    return found[0] if found else None
