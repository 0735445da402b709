"""A copy of the model for others' hooks."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from cnnviz_widgets.inspection import Inspector
from tests.inspection import models
from tests.inspection.promise import unchanged


def test_a_module_to_put_hooks_on() -> None:
    """Others' hooks stay on the copy that was made for them."""
    model, x = models.built(models.Functional()), models.pictures(3)
    inspector = Inspector(model, x[:1])
    (target,) = inspector.passes.targets([2])
    expected = inspector.passes.scores(x, target)
    heard: list[Tensor] = []
    with unchanged(model, x), inspector.passes.module() as module:
        layer = module.model.get_submodule("conv1")
        layer.register_forward_hook(lambda _m, _a, output: heard.append(output))
        leaf = x.clone().requires_grad_()
        scores = module(leaf)
        (gradient,) = torch.autograd.grad(scores[:, 2].sum(), [leaf])
    torch.testing.assert_close(scores[:, 2], expected)
    torch.testing.assert_close(gradient, inspector.passes.input_gradient(x, target)[1])
    inspector.passes.scores(x, target)
    assert len(heard) == 1
    with pytest.raises(ValueError, match=r"cannot be copied \(RuntimeError: no copies of me"):
        Inspector(models.built(models.NoCopy()), x).passes.module().__enter__()
