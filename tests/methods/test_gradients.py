"""Gradient and input times gradient, and how channels become one number."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from cnnviz_widgets.methods.gradients import gradient, input_x_gradient, reduce_channels
from tests.methods.slow_network import SlowNetwork, assert_close, case_of, torch_network


def hand_network() -> nn.Sequential:
    """S = 3 relu(2 a - b) over the two pixels of a picture with channels a, b; no biases."""
    network = nn.Sequential(nn.Conv2d(2, 1, 1, bias=False), nn.ReLU(), nn.Flatten())
    head = nn.Linear(2, 1, bias=False)
    with torch.no_grad():
        network.get_parameter("0.weight").copy_(torch.tensor([[[[2.0]], [[-1.0]]]]))
        head.weight.fill_(3)
    network.append(head)
    return network


def hand_picture() -> torch.Tensor:
    """Two pixels: a = 1, 1; b = 0.5, 4. The second one's ReLU is shut."""
    return torch.tensor([[[[1.0, 1.0]], [[0.5, 4.0]]]])


def test_hand_numbers() -> None:
    case = case_of(hand_network(), hand_picture())
    assert case.score == 4.5
    expected = torch.tensor([[[6.0, 0.0]], [[-3.0, 0.0]]])
    assert torch.equal(gradient(case).values, expected)
    assert torch.equal(input_x_gradient(case).values, hand_picture()[0] * expected)
    assert float(input_x_gradient(case).values.sum()) == case.score  # no biases: complete


def test_one_pass_each() -> None:
    case = case_of(hand_network(), hand_picture())
    gradient(case)
    assert (case.forward, case.backward) == (1, 1)


@pytest.mark.parametrize("target", [0, 2])
def test_equal_to_the_slow_network(target: int) -> None:
    network = torch_network()
    picture = torch.randn(1, 2, 9, 7, generator=torch.Generator().manual_seed(2))
    x = picture[0].double().numpy()
    expected = SlowNetwork(network).gradient(x, target)
    case = case_of(network, picture, target)
    assert_close(gradient(case).values, expected)
    assert_close(input_x_gradient(case).values, x * expected)


@pytest.mark.parametrize(
    ("reduction", "expected"),
    [("sum", [1.0, -2.0]), ("abs-max", [3.0, 2.0]), ("l2", [13**0.5, 2.0])],
)
def test_reductions_by_hand(reduction: str, expected: list[float]) -> None:
    values = torch.tensor([[[3.0, 0.0]], [[-2.0, -2.0]], [[0.0, 0.0]]])
    got = reduce_channels(values, reduction)
    assert got.shape == (1, 2)
    assert got[0].tolist() == pytest.approx(expected)


def test_an_unknown_reduction_is_refused() -> None:
    with pytest.raises(ValueError, match="reduction='max' is not known; choose one of 'sum'"):
        reduce_channels(torch.zeros(1, 2), "max")
