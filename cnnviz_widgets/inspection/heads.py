"""Inspection: layers whose value goes through a mean over the grid and one linear layer alone.

In: a layer of a `Session`. Out: the gradient of every class score with respect to it, which is
then the same at every place and read off the linear layer's weights.
"""

from __future__ import annotations

import torch
from torch import Tensor

from cnnviz_widgets.inspection.calls import Source
from cnnviz_widgets.inspection.explained import ExplainedTarget
from cnnviz_widgets.inspection.layers import LayerInfo
from cnnviz_widgets.inspection.runs import Subject, near
from cnnviz_widgets.inspection.session import Session
from cnnviz_widgets.inspection.sweep import Sweeper

_CHANNELS = {"NCHW": 1, "NCL": 1, "NCDHW": 1, "NLC": -1, "NHWC": -1}  # the axis, by layout


def linear_head(session: Session, info: LayerInfo, image: int) -> Tensor | None:
    """Return d class score / d activation of shape (K, C), the same at all places, or None."""
    layout = session.layout_of(Source(info.path, info.call, "output"), info.name).layout
    if session.scores is None or layout not in _CHANNELS:
        return None
    axis = _CHANNELS[layout]
    classes, channels = session.scores.shape[1], info.shape[axis]
    weight = _last_weight(session, classes, channels)
    if weight is None:
        return None
    places = 1
    for size in info.shape[1:]:
        places *= size
    places //= channels
    head = weight / places
    generator = torch.Generator().manual_seed(0)
    mix = torch.randn(classes, generator=generator).to(weight)
    gradient = _gradient(session, info, image, mix)
    if gradient is None:
        return None
    expected = mix @ head
    shape = [1] * gradient.dim()
    shape[axis] = channels
    return head if near(gradient, expected.reshape(shape).expand_as(gradient)) else None


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
    Sweeper(session, subject, layers=[info], visit=visit, check=None).scores([target], None)
    return found[0] if found else None
