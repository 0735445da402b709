"""A network with everything that libraries stumble over, twice: in torch, and in float64 NumPy.

Its ReLU is in place and used again, another one is a function in place, a sum is in place, there
is a BatchNorm behind every convolution, and pooling of both kinds.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
import torch.nn.functional as F  # as everybody
from numpy.typing import NDArray
from torch import Tensor, nn

from cnnviz_widgets.methods.case import Rule

Array = NDArray[np.float64]

PLACES = {
    "c1": "c1", "b1": "b1", "r1": "r#1", "p": "p", "c2": "c2", "b2": "b2", "r2": "r#2",
    "c3": "c3", "b3": "b3", "ap": "ap",
}  # fmt: skip
"""Names of the values here, and of the layers that give them."""


class Tangled(nn.Module):
    """The network in torch; (N, 3, 12, 8) to (N, 5)."""

    def __init__(self, seen: list[Tensor] | None = None) -> None:
        super().__init__()
        self.c1, self.b1 = nn.Conv2d(3, 4, 3, padding=1, bias=False), nn.BatchNorm2d(4)
        self.r, self.p = nn.ReLU(inplace=True), nn.MaxPool2d(2)
        self.c2, self.b2 = nn.Conv2d(4, 6, 3, padding=1), nn.BatchNorm2d(6)
        self.c3, self.b3 = nn.Conv2d(6, 6, 3, padding=1), nn.BatchNorm2d(6)
        self.ap, self.fc = nn.AvgPool2d(2), nn.Linear(36, 5)
        self._watch: Callable[[Tensor], object] = (seen if seen is not None else []).append

    def forward(self, x: Tensor) -> Tensor:
        """Return the logits; every picture that came is in `seen`."""
        self._watch(x.detach().clone())
        x = self.p(self.r(self.b1(self.c1(x))))
        inner = self.r(self.b2(self.c2(x)))
        y = self.b3(self.c3(inner))
        y += inner
        return self.fc(self.ap(F.relu(y, inplace=True)).flatten(1))  # type: ignore[no-any-return]  # torch's


def tangled(seen: list[Tensor] | None = None) -> tuple[Tangled, Tensor]:
    """Return the network with random weights and statistics, and a picture (1, 3, 12, 8)."""
    generator, model = torch.Generator().manual_seed(0), Tangled(seen).eval()
    for name, value in model.state_dict().items():
        if name.endswith("running_var"):
            value.copy_(torch.rand(value.shape, generator=generator) + 0.5)
        elif value.is_floating_point():
            value.copy_(torch.randn(value.shape, generator=generator) * 0.5)
    return model, torch.randn(1, 3, 12, 8, generator=generator)


class NumpyNetwork:
    """The same in float64, with its way back written out.

    `values` are those of the last picture, by name.
    """

    def __init__(self, model: Tangled) -> None:
        self.weights = {k: v.double().numpy() for k, v in model.state_dict().items()}
        self.values: dict[str, Array] = {}

    def bias(self, name: str) -> Array:
        """Return what a layer adds: of a BatchNorm its bias less what it takes for the mean."""
        result: Array = self.weights[f"{name}.bias"]
        if name.startswith("b"):
            result = result - self._slope(name) * self.weights[f"{name}.running_mean"]
        return result

    def scores(self, x: Array) -> Array:
        """Return the scores of a picture, and keep what every layer gives."""
        v = self.values = {"x": x}
        v["c1"] = _convolved(x, self.weights["c1.weight"])
        v["b1"] = self._normed("b1", v["c1"])
        v["r1"] = np.maximum(v["b1"], 0)
        v["p"] = _cells(v["r1"]).max(-1)
        v["c2"] = _convolved(v["p"], self.weights["c2.weight"]) + _column(self.bias("c2"))
        v["b2"] = self._normed("b2", v["c2"])
        v["r2"] = np.maximum(v["b2"], 0)
        v["c3"] = _convolved(v["r2"], self.weights["c3.weight"]) + _column(self.bias("c3"))
        v["b3"] = self._normed("b3", v["c3"])
        v["sum"] = v["b3"] + v["r2"]
        v["ap"] = _cells(np.maximum(v["sum"], 0)).mean(-1)
        result: Array = self.weights["fc.weight"] @ v["ap"].ravel() + self.weights["fc.bias"]
        return result

    def gradients(self, of: Array, rule: Rule | None = None) -> dict[str, Array]:
        """Return d (of . scores) / d value for every value of the last picture."""
        v, g = self.values, {"ap": (self.weights["fc.weight"].T @ of).reshape(6, 3, 2)}
        g["sum"] = _rectified_back(g["ap"].repeat(2, 1).repeat(2, 2) / 4, v["sum"], rule)
        g["b3"] = g["sum"]
        g["c3"] = g["b3"] * _column(self._slope("b3"))
        g["r2"] = _convolved_back(g["c3"], self.weights["c3.weight"]) + g["sum"]
        g["b2"] = _rectified_back(g["r2"], v["b2"], rule)
        g["c2"] = g["b2"] * _column(self._slope("b2"))
        g["p"] = _convolved_back(g["c2"], self.weights["c2.weight"])
        first = np.eye(4)[_cells(v["r1"]).argmax(-1)] * g["p"][..., None]
        g["r1"] = first.reshape(4, 6, 4, 2, 2).transpose(0, 1, 3, 2, 4).reshape(4, 12, 8)
        g["b1"] = _rectified_back(g["r1"], v["b1"], rule)
        g["c1"] = g["b1"] * _column(self._slope("b1"))
        g["x"] = _convolved_back(g["c1"], self.weights["c1.weight"])
        return g

    def _slope(self, name: str) -> Array:
        root = np.sqrt(self.weights[f"{name}.running_var"] + 1e-5)
        result: Array = self.weights[f"{name}.weight"] / root
        return result

    def _normed(self, name: str, x: Array) -> Array:
        return x * _column(self._slope(name)) + _column(self.bias(name))


def _column(values: Array) -> Array:
    return values[:, None, None]


def _cells(x: Array) -> Array:
    """(C, H, W) as (C, H/2, W/2, 4)."""
    c, h, w = x.shape
    cells: Array = x.reshape(c, h // 2, 2, w // 2, 2).transpose(0, 1, 3, 2, 4)
    return cells.reshape(c, h // 2, w // 2, 4)


def _convolved(x: Array, weight: Array) -> Array:
    """3 x 3, padded by one."""
    padded, (h, w) = np.pad(x, ((0, 0), (1, 1), (1, 1))), x.shape[1:]
    result = np.zeros((len(weight), h, w))
    for i, j in np.ndindex(3, 3):
        result += np.einsum("oc,chw->ohw", weight[..., i, j], padded[:, i : i + h, j : j + w])
    return result


def _convolved_back(g: Array, weight: Array) -> Array:
    return _convolved(g, weight.transpose(1, 0, 2, 3)[..., ::-1, ::-1])


def _rectified_back(g: Array, x: Array, rule: Rule | None) -> Array:
    passed: Array = g if rule == "deconvnet" else g * (x > 0)
    return passed if rule is None else np.maximum(passed, 0)
