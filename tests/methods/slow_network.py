"""A small network twice: in torch, and slowly in float64 NumPy with its way back written out."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from cnnviz_widgets.methods.case import Case, Rule
from cnnviz_widgets.methods.progress import Report

Array = NDArray[np.float64]


class SlowNetwork:
    """conv 3x3 -> ReLU -> conv 3x3 -> ReLU -> mean over places -> linear, pixel by pixel."""

    def __init__(self, network: nn.Sequential) -> None:
        weights = [parameter.detach().double().numpy() for parameter in network.parameters()]
        self.first, self.first_bias, self.second, self.second_bias, self.head, self.bias = weights

    def scores(self, x: Array) -> Array:
        """Return the scores (K,) of a picture (C, H, W)."""
        return self._forward(x)[-1]

    def gradient(self, x: Array, target: int, rule: Rule | None = None) -> Array:
        """Return d score / d picture, by the chain rule, through ReLUs by a rule."""
        a, b, maps, _ = self._forward(x)
        back = np.broadcast_to(self.head[target][:, None, None], maps.shape) / maps[0].size
        back = _back_through_relu(back, b, rule)
        back = _back_through_convolution(back, self.second, np.maximum(a, 0).shape)
        back = _back_through_relu(back, a, rule)
        return _back_through_convolution(back, self.first, x.shape)

    def _forward(self, x: Array) -> tuple[Array, Array, Array, Array]:
        a = _convolution(x, self.first, self.first_bias)
        b = _convolution(np.maximum(a, 0), self.second, self.second_bias)
        maps = np.maximum(b, 0)
        return a, b, maps, self.head @ maps.mean((1, 2)) + self.bias


def _convolution(x: Array, weight: Array, bias: Array) -> Array:
    size = weight.shape[-1]
    height, width = x.shape[1] - size + 1, x.shape[2] - size + 1
    result = np.zeros((len(weight), height, width))
    for k, i, j in np.ndindex(result.shape):
        result[k, i, j] = (weight[k] * x[:, i : i + size, j : j + size]).sum() + bias[k]
    return result


def _back_through_convolution(back: Array, weight: Array, shape: tuple[int, ...]) -> Array:
    size = weight.shape[-1]
    result = np.zeros(shape)
    for k, i, j in np.ndindex(back.shape):
        result[:, i : i + size, j : j + size] += weight[k] * back[k, i, j]
    return result


def _back_through_relu(back: Array, seen: Array, rule: Rule | None) -> Array:
    passes = np.ones_like(back) if rule == "deconvnet" else (seen > 0).astype(float)
    return passes * (back if rule is None else np.maximum(back, 0))


def torch_network(channels: int = 2, classes: int = 3) -> nn.Sequential:
    """Return the network with fixed random weights."""
    network = nn.Sequential(
        nn.Conv2d(channels, 3, 3), nn.ReLU(), nn.Conv2d(3, 4, 3), nn.ReLU(),
        nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, classes),
    )  # fmt: skip
    generator = torch.Generator().manual_seed(5)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=generator) * 0.5)
    return network.eval()


def _ruled(value: Tensor, rule: Rule) -> Tensor:
    """Return ReLU of a value; what comes back through it follows a rule."""
    rectified = value.relu()
    if rule == "deconvnet":
        rectified = value + (rectified - value).detach()  # open on the way back everywhere
    rectified.register_hook(lambda back: back.clamp(min=0))  # type: ignore[no-untyped-call]  # torch
    return rectified


def assert_close(got: Tensor, expected: Array, part: float = 1e-5) -> None:
    """Fail unless all values agree within a part of the largest: float32 sums cancel."""
    assert tuple(got.shape) == expected.shape
    scale = float(np.abs(expected).max())
    np.testing.assert_allclose(got.double().numpy(), expected, rtol=0, atol=part * scale)


def quiet(_done: int, _total: int, _partial: object) -> None:
    """Report nothing."""


def case_of(
    network: nn.Module,
    picture: Tensor,
    target: int = 0,
    *,
    at_once: int = 3,
    report: Report = quiet,
    black: Tensor | None = None,
) -> Case:
    """Return the case of a network that is run as it is."""

    def scores(batch: Tensor) -> Tensor:
        with torch.no_grad():
            result: Tensor = network(batch)[:, target]
            return result

    def gradients(batch: Tensor, rule: Rule | None) -> tuple[Tensor, Tensor]:
        batch = batch.detach().clone().requires_grad_()
        value = batch
        with torch.enable_grad():
            for step in network if isinstance(network, nn.Sequential) else [network]:
                value = _ruled(value, rule) if rule and isinstance(step, nn.ReLU) else step(value)
            found = value[:, target]
            (gradient,) = torch.autograd.grad(found.sum(), batch)
        return found.detach(), gradient

    score = float(scores(picture)[0])
    return Case(picture, score, scores, gradients, report, black, at_once)
