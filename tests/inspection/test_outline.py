"""What a pass did, told without its values."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from cnnviz_widgets.inspection import Inspector
from cnnviz_widgets.inspection.outline import OutlineRecorder, outline_of
from tests.benchmarks.networks import resnet18
from tests.inspection import models

MODELS: dict[str, Callable[[], nn.Module]] = {
    **{
        kind: functools.partial(models.InPlace, kind)
        for kind in models.IN_PLACE_KINDS
        if kind != "Dropout"  # in eval mode it gives back what it is given; a trace runs it apart
    },
    "plain": models.Plain,
    "dict": lambda: models.Structured("dict"),
    "tokens": models.Tokens,
    "residual network": resnet18,
}


def recorded(inspector: Inspector, x: Tensor, *, graph: bool = False) -> OutlineRecorder:
    """Run the inspector's copy of the model with nothing kept."""
    probe = inspector._session._probe
    assert probe is not None
    recorder = OutlineRecorder(probe.parameters)
    with torch.set_grad_enabled(graph):
        probe.watch(recorder, lambda module: module(x.clone()))
    recorder.finish()
    recorder.listed()
    return recorder


@pytest.mark.parametrize("graph", [False, True])
@pytest.mark.parametrize("name", MODELS)
def test_two_passes_have_one_outline(name: str, *, graph: bool) -> None:
    """That of a trace, with layers run unwatched, and that of a pass that keeps nothing."""
    x = models.pictures(1, 3, 32, 32)
    inspector = Inspector(models.built(MODELS[name]()), x)
    recorder = recorded(inspector, x + 1, graph=graph)
    assert recorder.kept == {}
    assert outline_of(recorder) == outline_of(inspector._session.trace)


class Wired(nn.Module):
    """The same functions on every picture, on other values."""

    def __init__(self) -> None:
        super().__init__()
        self.one, self.other = nn.Conv2d(3, 4, 3), nn.Conv2d(3, 4, 3)
        self.last = nn.Conv2d(4, 4, 3)

    def forward(self, x: Tensor) -> Any:
        a, b = self.one(x), self.other(x)
        taken = a if x.mean() > 0 else b
        return (self.last(taken) + taken.mean()).mean((2, 3))


def test_other_wires_make_another_outline() -> None:
    x = models.pictures(1).abs()
    inspector = Inspector(models.built(Wired()), x)
    before = outline_of(inspector._session.trace)
    assert outline_of(recorded(inspector, x + 1)) == before
    assert outline_of(recorded(inspector, -x)) != before
