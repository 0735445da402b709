"""What stays the same from picture to picture."""

from __future__ import annotations

import torch
from torch import Tensor

from cnnviz_widgets.inspection.axes import Grid
from cnnviz_widgets.inspection.calls import Plan, Source
from cnnviz_widgets.inspection.probe import Probe
from cnnviz_widgets.inspection.shadow import Shadow
from cnnviz_widgets.inspection.structure import Structure
from cnnviz_widgets.inspection.trace import trace
from tests.inspection import models


def structure_of(model: torch.nn.Module, x: Tensor) -> Structure:
    """Trace a model and read its structure."""
    result = trace(Probe(Shadow(model)), x, lambda m, i: m(i), plan=Plan())
    return Structure(result, None, x.shape[0])


def test_layouts_scores_and_grids_by_module_call() -> None:
    found = structure_of(models.built(models.Tokens()), models.pictures(2, 3, 16, 24))
    assert found.layout(Source("patches", 1, "output")) == "NCHW"
    assert found.layout(Source("patches", 1, "input")) == "NCHW"
    assert found.layout(Source("mlp", 1, "input")) == "NLC"
    assert found.grid(Source("mlp", 1, "output")) == Grid(4, 6, before=1)
    assert found.is_scores(Source("head", 1, "output"))
    assert not found.is_scores(Source("mlp", 1, "output"))


def test_it_holds_no_tensors() -> None:
    found = structure_of(models.built(models.Plain()), models.pictures())
    assert not any(isinstance(item, Tensor) for item in (*found.operations, *found.calls))
    assert not any(isinstance(a, Tensor) for o in found.operations for a in o.arguments)


def test_a_functional_softmax_names_the_scores() -> None:
    found = structure_of(models.built(models.Functional()), models.pictures())
    assert found.score_kind == "probability"
