"""In-place steps on a layer's output that is a view: values and gradients of the plain twin."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

import cnnviz_widgets as cw
from cnnviz_widgets.inspection import Inspector
from tests.inspection import models
from tests.inspection.promise import unchanged

LAYERS: dict[str, Callable[[], nn.Module]] = {
    "instance norm": lambda: nn.InstanceNorm2d(4, affine=True),
    "flattened and back": lambda: nn.Sequential(nn.Flatten(), nn.Unflatten(1, (4, 12, 10))),
}
STEPS = ["whole", "part", "another view", "sum", "read before", "two in a row"]
REFUSED = {"read before", "two in a row"}  # by torch too, when such a model is trained


class Stepping(nn.Module):
    """A layer whose output is a view, a step on it, and what comes after; both ways to write it."""

    def __init__(self, layer: nn.Module, step: str, *, in_place: bool) -> None:
        super().__init__()
        self.conv, self.layer = nn.Conv2d(3, 4, 3, padding=1), layer
        self.after, self.fc = nn.Conv2d(4, 4, 1), nn.Linear(4, 5)
        self.step, self.in_place = step, in_place

    def forward(self, x: Tensor) -> Any:
        y = self.layer(self.conv(x))
        before = self.after(y) if self.step == "read before" else 0
        return self.fc((self.after(self._stepped(y)) + before).mean((2, 3)))

    def _stepped(self, y: Tensor) -> Tensor:
        if self.step == "part":
            y[:, :2].mul_(2) if self.in_place else None
            return y if self.in_place else torch.cat([y[:, :2] * 2, y[:, 2:]], 1)
        if self.step == "another view" and self.in_place:
            y.view(-1).relu_()
            return y
        if self.step == "sum":
            z = self.after(y.mean((2, 3), keepdim=True))
            return y.add_(z) if self.in_place else y + z
        y = F.relu(y, inplace=self.in_place)
        if self.step == "two in a row":
            return y.mul_(2) if self.in_place else y * 2
        return y


@pytest.mark.parametrize("layer", LAYERS)
@pytest.mark.parametrize("step", STEPS)
def test_gradients_are_whole_or_refused(step: str, layer: str) -> None:
    """Torch leads the graph around a view that is written to; a map must not miss that."""
    model, x = models.built(Stepping(LAYERS[layer](), step, in_place=True)), models.pictures()
    twin = models.built(Stepping(LAYERS[layer](), step, in_place=False)).double()
    seen: list[Tensor] = []
    twin.get_submodule("layer").register_forward_hook(lambda _m, _a, output: seen.append(output))
    (expected,) = torch.autograd.grad(twin(x.double())[:, 1].sum(), seen)
    with unchanged(model, x):
        inspector = Inspector(model, x, layouts={"layer": "NCHW"})
        activation = inspector.activation("layer")
        torch.testing.assert_close(activation.double(), seen[0].detach(), rtol=0, atol=1e-6)
        if step in REFUSED:
            with pytest.raises(RuntimeError, match="torch cannot take this gradient: the model wr"):
                inspector.gradient("layer", 1)
            with pytest.raises(RuntimeError, match="torch cannot take this gradient: the model wr"):
                cw.cam_sweep(inspector, "hirescam", ["layer"], [1])
            return
        gradient = inspector.gradient("layer", 1)
        sweep = cw.cam_sweep(inspector, "hirescam", ["layer"], [1])["layer", 1]
        alone = cw.cam(inspector, "hirescam", layer="layer", target=1)
        ahead = cw.cam(inspector, "hirescam", layer="layer", target=1, inputs=x)
    torch.testing.assert_close(gradient.double(), expected, rtol=0, atol=1e-6)
    map_ = (seen[0].detach() * expected)[0].sum(0)
    for found in (sweep, alone, ahead):
        np.testing.assert_allclose(found.values, map_, rtol=0, atol=1e-6)
