"""SmoothGrad and VarGrad: hand numbers, the papers' formulas, seeds, batches."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from cnnviz_widgets.methods.smoothgrad import smoothgrad, vargrad
from tests.methods.slow_network import Array, SlowNetwork, assert_close, case_of, torch_network


class Square(nn.Module):
    """S = x^2 / 2, whose gradient is x itself."""

    def forward(self, x: Tensor) -> Tensor:
        return x.square().sum(1, keepdim=True) / 2


def drawn(picture: Tensor, samples: int, noise: float, seed: int) -> Array:
    """Return the noisy pictures that a seed stands for: standard normal, one after the other."""
    generator = torch.Generator().manual_seed(seed)
    sigma = noise * float(picture.max() - picture.min())
    normal = [torch.randn(picture.shape[1:], generator=generator) for _ in range(samples)]
    result: Array = (picture + sigma * torch.stack(normal)).double().numpy()
    return result


def test_hand_numbers() -> None:
    """Where the gradient is the input, its mean and variance are those of the noisy inputs."""
    picture = torch.tensor([[0.0, 4.0]])
    noisy = drawn(picture, 5, 0.5, 7)
    mean = smoothgrad(case_of(Square(), picture), samples=5, noise=0.5, seed=7).values
    variance = vargrad(case_of(Square(), picture), samples=5, noise=0.5, seed=7).values
    assert_close(mean, noisy.mean(0))
    assert_close(variance, noisy.var(0))


def test_no_noise_is_the_gradient() -> None:
    picture = torch.tensor([[0.0, 4.0]])
    case = case_of(Square(), picture)
    assert smoothgrad(case, samples=3, noise=0).values.tolist() == [0.0, 4.0]
    assert vargrad(case, samples=3, noise=0).values.tolist() == [0.0, 0.0]


@pytest.mark.parametrize("at_once", [1, 4, 32])
def test_equal_to_the_slow_network(at_once: int) -> None:
    """arXiv:1706.03825 section 3, and the variance in two passes over the samples."""
    network = torch_network()
    picture = torch.randn(1, 2, 8, 7, generator=torch.Generator().manual_seed(3))
    slow = SlowNetwork(network)
    gradients = np.stack([slow.gradient(x, 1) for x in drawn(picture, 9, 0.2, 3)])
    case = case_of(network, picture, 1, at_once=at_once)
    assert_close(smoothgrad(case, samples=9, noise=0.2, seed=3).values, gradients.mean(0))
    assert_close(vargrad(case, samples=9, noise=0.2, seed=3).values, gradients.var(0))


def test_the_variance_is_exact_where_the_gradient_hardly_varies() -> None:
    """E[g^2] - E[g]^2 in float32 would be rounding alone here."""
    picture = torch.tensor([[1000.0, 1000.1]])
    noisy = drawn(picture, 50, 0.1, 0)
    variance = vargrad(case_of(Square(), picture), samples=50, noise=0.1).values
    assert_close(variance, noisy.var(0), 1e-2)


def test_seeds_and_the_global_random_state() -> None:
    picture = torch.randn(1, 2, 8, 7, generator=torch.Generator().manual_seed(3))
    network, before = torch_network(), torch.get_rng_state()
    maps = [
        smoothgrad(case_of(network, picture), samples=4, seed=seed).values for seed in (0, 0, 1)
    ]
    assert torch.equal(maps[0], maps[1])
    assert not torch.equal(maps[0], maps[2])
    assert torch.equal(torch.get_rng_state(), before)


def test_passes_are_those_of_the_definition() -> None:
    case = case_of(torch_network(), torch.randn(1, 2, 8, 7))
    smoothgrad(case, samples=10)
    assert (case.forward, case.backward) == (10, 10)


@pytest.mark.parametrize("method", [smoothgrad, vargrad])
def test_the_last_partial_map_is_the_map(method: object) -> None:
    maps: list[Tensor] = []

    def report(_done: int, _total: int, partial: object) -> None:
        if callable(partial):
            maps.append(partial().clone())

    case = case_of(torch_network(), torch.randn(1, 2, 8, 7), at_once=4, report=report)
    assert callable(method)
    last = method(case, samples=10).values
    assert len(maps) == 3
    assert torch.equal(maps[-1], last)
