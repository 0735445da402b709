"""A copy of the model for others' hooks."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

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


def test_scores_of_the_module_are_from_before_a_final_softmax() -> None:
    """Only where the softmax is the last: scores made from probabilities are taken as they are."""
    head = [nn.Conv2d(3, 4, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Softmax(1)]
    x = models.pictures(2)
    for more, plain in (([], head[:3]), ([nn.Linear(4, 5)], [*head, nn.Linear(4, 5)])):
        model = models.built(nn.Sequential(*head, *more))
        expected = models.built(nn.Sequential(*plain))(x)
        with Inspector(model, x[:1]).passes.module() as module:
            torch.testing.assert_close(module(x), expected)


def test_images_that_depend_on_each_other_have_no_module() -> None:
    model = nn.Sequential(nn.Conv2d(3, 4, 3), models.AcrossImages(), nn.Flatten())
    inspector = Inspector(models.built(model), models.pictures(2))
    text = "the model mixes the images of a batch, so none can be explained alone"
    with pytest.raises(ValueError, match=text):
        inspector.passes.module().__enter__()
