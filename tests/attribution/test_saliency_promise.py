"""The promise over `saliency`: the user's model is what it was, also when it raises."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import nn

from cnnviz_widgets.attribution.saliency import saliency
from cnnviz_widgets.inspection import Inspector
from cnnviz_widgets.methods.progress import Cancelled
from tests.attribution.few_passes import NAMES, RULED, quick
from tests.inspection import models
from tests.inspection.promise import unchanged

MODELS: dict[str, Callable[[], nn.Module]] = {
    "training": lambda: models.built(models.Plain(inplace=True)).train(),
    "in place": lambda: models.built(models.InPlace("ReLU")),
    "weird": lambda: models.built(models.Weird()),
    "no copy": lambda: models.built(models.NoCopy(inplace=True)).train(),
    "with gradients": lambda: _with_gradients(),
}


def _with_gradients() -> nn.Module:
    model = models.built(models.Plain())
    for parameter in model.parameters():
        parameter.grad = torch.ones_like(parameter)
    model.get_submodule("relu").register_forward_hook(lambda *_: None)
    return model


@pytest.mark.parametrize("model_name", MODELS)
@pytest.mark.parametrize("name", NAMES)
def test_every_method_leaves_the_model_alone(name: str, model_name: str) -> None:
    model, x = MODELS[model_name](), models.pictures().requires_grad_()
    with unchanged(model, x):
        insp = Inspector(model, x)
        if model_name == "weird" and name in RULED:
            with pytest.raises(ValueError, match="Weird has no ReLU"):
                saliency(insp, name)
            return
        for _ in range(2):
            quick(insp, name)


class FailsRectified(models.Fails):
    """With a ReLU, which methods with rules need."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        found: torch.Tensor = self.fc(self.breaks(self.bn(self.conv(x)).relu()).mean((2, 3)))
        return found


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
@pytest.mark.parametrize("name", NAMES)
def test_a_model_that_raises_half_way(name: str, error: type[BaseException]) -> None:
    model, x = models.built(FailsRectified(error)).train(), models.pictures()
    insp = Inspector(model, x)
    expected = saliency(insp, "gradient").values
    with unchanged(model, x):
        models.FAILING.append(True)
        try:
            with pytest.raises(error, match="half-way"):
                quick(insp, name)
        finally:
            models.FAILING.clear()
        assert (saliency(insp, "gradient").values == expected).all()


@pytest.mark.parametrize("name", NAMES)
def test_a_cancelled_method_leaves_the_model_alone(name: str) -> None:
    model, x = models.built(models.Plain()).train(), models.pictures()
    insp = Inspector(model, x)
    calls: list[int] = []

    def report(done: int, _total: int, _partial: object) -> None:
        calls.append(done)
        if len(calls) > 4:
            raise Cancelled

    with unchanged(model, x), pytest.raises(Cancelled):
        saliency(insp, name, report=report)
