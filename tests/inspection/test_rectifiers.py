"""ReLUs with another backward rule, however the model calls them."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from cnnviz_widgets.inspection import Inspector
from tests.inspection import models

FORMS: dict[str, Callable[[Tensor], Tensor]] = {
    "nn.ReLU": nn.ReLU(),
    "nn.ReLU(inplace)": nn.ReLU(inplace=True),
    "F.relu": F.relu,
    "F.relu(inplace)": lambda x: F.relu(x, inplace=True),
    "F.relu(x, True)": lambda x: F.relu(x, True),
    "torch.relu": torch.relu,
    "relu_": lambda x: x.relu_(),
    "Tensor.relu": lambda x: x.relu(),
    "clamp": lambda x: x.clamp(min=0),
    "clamp positional": lambda x: torch.clamp(x, 0),
    "clamp_": lambda x: x.clamp_(min=0.0),
    "clamp_min": lambda x: x.clamp_min(0),
    "threshold": lambda x: F.threshold(x, 0, 0),
    "nn.Threshold": nn.Threshold(0.0, 0.0),
}


class Two(nn.Module):
    """Two 1 x 1 convolutions with one kind of ReLU, used twice."""

    def __init__(self, form: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.first, self.second = nn.Conv2d(3, 4, 1), nn.Conv2d(4, 2, 1)
        self.form = form

    def forward(self, x: Tensor) -> Tensor:
        x = self.form(self.first(x))
        return self.form(self.second(x)).sum((2, 3))


def by_hand(model: Two, x: Tensor, target: int, rule: str) -> Tensor:
    """Return the gradient by the papers' rules, layer by layer."""
    w1, w2 = model.first.weight[:, :, 0, 0], model.second.weight[:, :, 0, 0]
    y1 = model.first(x).relu()
    y2 = model.second(y1).relu()
    g = torch.zeros_like(y2)
    g[:, target] = 1
    g = g.clamp(min=0) * ((y2 > 0) if rule == "guided" else 1)
    g = torch.einsum("ok,nohw->nkhw", w2, g)
    g = g.clamp(min=0) * ((y1 > 0) if rule == "guided" else 1)
    return torch.einsum("ok,nohw->nkhw", w1, g).detach()


@pytest.mark.parametrize("rule", ["guided", "deconvnet"])
@pytest.mark.parametrize("form", FORMS)
def test_every_form_of_a_relu_is_met(form: str, rule: str) -> None:
    model, x = Two(FORMS[form]), models.pictures(2)
    models.built(model)
    scores, gradient = Inspector(model, x[:1]).passes.input_gradient(x, 1, rule=rule)
    torch.testing.assert_close(scores, model(x.clone())[:, 1].detach())
    torch.testing.assert_close(gradient, by_hand(model, x, 1, rule), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    "form", [F.relu6, F.leaky_relu, F.gelu, lambda x: x.clamp(0, 1), lambda x: x.clamp(min=0.5)]
)
def test_what_is_no_relu_is_refused(form: Callable[[Tensor], Tensor]) -> None:
    inspector = Inspector(models.built(Two(form)), models.pictures(1))
    with pytest.raises(ValueError, match=r"Two has no ReLU: .*Choose a method that needs none"):
        inspector.passes.input_gradient(models.pictures(1), 0, rule="guided")
    assert inspector.passes.input_gradient(models.pictures(1), 0)[1].shape == (1, 3, 12, 10)


def test_other_nonlinearities_are_named() -> None:
    model = nn.Sequential(nn.Conv2d(3, 2, 1), nn.GELU(), nn.ReLU6(), nn.ReLU(), nn.Flatten())
    notice = Inspector(models.built(model), models.pictures(1)).passes.rule_notice()
    assert notice == "The rule changes ReLUs only; GELU, ReLU6 pass gradients back as they are."
    plain = Inspector(models.built(models.Plain()), models.pictures(1))
    assert plain.passes.rule_notice() is None
    with pytest.raises(ValueError, match="rule='gided' must be None, 'guided' or 'deconvnet'"):
        plain.passes.input_gradient(models.pictures(1), 0, rule="gided")
