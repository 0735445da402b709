"""Inspection: layers whose value goes through a mean over the grid and one linear layer alone.

In: a layer of a `Session`. Out: the gradient of every class score with respect to it, which is
then the same at every place and read off the linear layer's weights.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from cnnviz_widgets.inspection.ahead import sweeper
from cnnviz_widgets.inspection.calls import Source
from cnnviz_widgets.inspection.explained import ExplainedTarget
from cnnviz_widgets.inspection.layers import LayerInfo
from cnnviz_widgets.inspection.runs import Subject, near
from cnnviz_widgets.inspection.session import Session
from cnnviz_widgets.inspection.values import version_of

_CHANNELS = {"NCHW": 1, "NCL": 1, "NCDHW": 1, "NLC": -1, "NHWC": -1}  # the axis, by layout


def linear_head(session: Session, info: LayerInfo, image: int) -> Tensor | None:
    """Return d class score / d activation of shape (K, C), the same at all places, or None."""
    layout = session.layout_of(Source(info.path, info.call, "output"), info.name).layout
    classes = session.class_count
    if classes is None or layout not in _CHANNELS:
        return None
    axis = _CHANNELS[layout]
    channels = info.shape[axis]
    weight = _last_weight(session, classes, channels)
    if weight is None:
        return None
    head = _divided(session, weight, math.prod(info.shape[1:]) // channels)
    generator = torch.Generator("cpu").manual_seed(0)
    mix = torch.randn(classes, generator=generator, device="cpu").to(weight)
    gradient = _gradient(session, info, image, mix)
    if gradient is None:
        return None
    expected = mix @ head
    # Where the gradient is the same at all places, its largest and smallest values are, too.
    across = [a for a in range(gradient.dim()) if a != axis % gradient.dim()]
    same = near(gradient.amax(across), expected) and near(gradient.amin(across), expected)
    return head if same else None


def _divided(session: Session, weight: Tensor, places: int) -> Tensor:
    """Return the weights by the number of places; the same tensor as before where they are."""
    memory, key = session.memory, (weight.data_ptr(), version_of(weight), places)
    if memory.divided is None or memory.divided[0] != key:
        memory.divided = key, weight / places
    return memory.divided[1]


def _last_weight(session: Session, classes: int, channels: int) -> Tensor | None:
    """Return the weights (K, C) of the last dense layer or 1 x 1 convolution of this size."""
    for call in reversed(session.structure.calls):
        weight = getattr(call.module, "weight", None)
        if not call.is_leaf or not isinstance(weight, Tensor) or not weight.is_floating_point():
            continue
        if weight.shape[:2] == (classes, channels) and weight.numel() == classes * channels:
            return weight.detach().reshape(classes, channels)
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
