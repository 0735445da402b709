"""Integrated Gradients: values, quadrature, completeness, batches."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from cnnviz_widgets.methods.integrated_gradients import (
    gauss_legendre,
    integrated_gradients,
    quadrature,
    spread,
)
from tests.methods.slow_network import Array, SlowNetwork, assert_close, case_of, torch_network


class Product(nn.Module):
    """S = a b."""

    def forward(self, x: Tensor) -> Tensor:
        return x[:, :1] * x[:, 1:]


@pytest.mark.parametrize("rule", ["gauss-legendre", "midpoint"])
def test_hand_numbers_of_a_product(rule: str) -> None:
    """The gradient (b, a) grows in proportion along the way: each gets half of a b = 6."""
    case = case_of(Product(), torch.tensor([[2.0, 3.0]]))
    found = integrated_gradients(case, steps=4, rule=rule, baseline="zero")
    assert found.values.tolist() == pytest.approx([3.0, 3.0], rel=1e-6)
    assert found.gap == pytest.approx(0, abs=1e-6)
    assert found.note is not None
    assert "add up to 6; the score differs from the baseline's by 6: a gap of" in found.note


def test_hand_numbers_of_a_relu() -> None:
    """S = relu(x - 1) at x = 2 from 0: open for half of the way, x' - x = 2, so the whole of S."""
    shift = nn.Linear(1, 1)
    with torch.no_grad():
        shift.weight.fill_(1)
        shift.bias.fill_(-1)
    case = case_of(nn.Sequential(shift, nn.ReLU()), torch.tensor([[2.0]]))
    complete = integrated_gradients(case, steps=4, rule="midpoint", baseline="zero")
    assert (complete.values.item(), complete.gap) == (1.0, 0.0)
    one = integrated_gradients(case, steps=5, rule="midpoint", baseline="zero")
    assert one.values.item() == pytest.approx(2 * 2 / 5)  # open at 0.7 and 0.9, not at 0.5
    assert one.gap == pytest.approx(-0.2)


@pytest.mark.parametrize("count", [1, 2, 3, 4, 5, 16, 17, 50, 101])
def test_gauss_legendre_is_numpys(count: int) -> None:
    points, weights = gauss_legendre(count)
    expected_points, expected_weights = np.polynomial.legendre.leggauss(count)
    np.testing.assert_allclose(points, expected_points, rtol=0, atol=1e-14)
    np.testing.assert_allclose(weights, expected_weights, rtol=0, atol=1e-14)


@pytest.mark.parametrize("count", [1, 2, 5, 12, 3000, 5001])
def test_gauss_legendre_integrates_polynomials(count: int) -> None:
    """Exact up to degree 2 n - 1; NumPy's own takes minutes for thousands of points."""
    points, weights = gauss_legendre(count)
    assert (np.diff(points) > 0).all()
    for degree in {0, 1, 2 * count - 2, 2 * count - 1, count}:
        expected = 0 if degree % 2 else 2 / (degree + 1)
        assert weights @ points**degree == pytest.approx(expected, abs=1e-14)


def slow_integrated_gradients(
    network: SlowNetwork, x: Array, start: Array, target: int, steps: int, rule: str
) -> Array:
    """Equation 1 of arXiv:1703.01365, one step after the other."""
    if rule == "midpoint":
        points, weights = (np.arange(steps) + 0.5) / steps, np.full(steps, 1 / steps)
    else:
        nodes, w = np.polynomial.legendre.leggauss(steps)
        points, weights = 0.5 + nodes / 2, w / 2
    total = np.zeros_like(x)
    for point, weight in zip(points, weights, strict=True):
        total += weight * network.gradient(start + point * (x - start), target)
    return (x - start) * total


@pytest.mark.parametrize("rule", ["gauss-legendre", "midpoint"])
@pytest.mark.parametrize("at_once", [1, 4, 32])
def test_equal_to_the_slow_network(rule: str, at_once: int) -> None:
    network = torch_network()
    picture = torch.randn(1, 2, 8, 7, generator=torch.Generator().manual_seed(3))
    slow = SlowNetwork(network)
    x, black = picture[0].double().numpy(), np.array([-0.5, 0.25])
    start = np.broadcast_to(black[:, None, None], x.shape)
    expected = slow_integrated_gradients(slow, x, start, 1, 11, rule)
    case = case_of(network, picture, 1, at_once=at_once, black=torch.tensor(black))
    found = integrated_gradients(case, steps=11, rule=rule)
    assert_close(found.values, expected)
    difference = slow.scores(x)[1] - slow.scores(np.array(start))[1]
    assert found.gap == pytest.approx(expected.sum() - difference, abs=1e-5)


def test_passes_are_those_of_the_definition() -> None:
    case = case_of(torch_network(), torch.randn(1, 2, 8, 7))
    integrated_gradients(case, steps=10)
    assert (case.forward, case.backward) == (11, 10)  # one more for the baseline's score


def test_partial_maps_come_and_are_near_the_last() -> None:
    maps: list[Tensor] = []

    def report(_done: int, _total: int, partial: object) -> None:
        if callable(partial):
            maps.append(partial().clone())

    picture = torch.randn(1, 2, 8, 7, generator=torch.Generator().manual_seed(4))
    case = case_of(torch_network(), picture, at_once=4, report=report)
    last = integrated_gradients(case, steps=40).values
    assert len(maps) == 10
    assert torch.equal(maps[-1], last)
    errors = [float((map_ - last).norm() / last.norm()) for map_ in maps]
    assert errors[0] < 0.5  # four steps, spread over the whole way
    assert errors[4] < 0.2


def test_quadrature_by_hand() -> None:
    points, weights = quadrature(2, "gauss-legendre")
    assert points.tolist() == pytest.approx([0.5 - 0.5 / 3**0.5, 0.5 + 0.5 / 3**0.5])
    assert weights.tolist() == pytest.approx([0.5, 0.5])
    points, weights = quadrature(4, "midpoint")
    assert points.tolist() == [0.125, 0.375, 0.625, 0.875]
    with pytest.raises(ValueError, match="rule='simpson' is not known; choose one of 'gauss"):
        quadrature(4, "simpson")


@pytest.mark.parametrize("count", [1, 2, 3, 8, 50])
def test_spread_is_a_permutation(count: int) -> None:
    assert sorted(spread(count)) == list(range(count))


def test_the_beginning_of_a_spread_is_spread() -> None:
    assert spread(8) == [0, 4, 2, 6, 1, 5, 3, 7]
