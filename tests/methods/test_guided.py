"""Guided backpropagation, deconvnet, Guided Grad-CAM."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from cnnviz_widgets.methods.case import Rule
from cnnviz_widgets.methods.guided import deconvnet, guided_backprop, guided_gradcam
from tests.methods.slow_network import SlowNetwork, assert_close, case_of, torch_network


def hand_network() -> nn.Sequential:
    """S = relu(a) - relu(b) + relu(c), each through a second ReLU that is always open."""
    network = nn.Sequential(nn.ReLU(), nn.Linear(3, 3, bias=False), nn.ReLU())
    head = nn.Linear(3, 1, bias=False)
    with torch.no_grad():
        network.get_parameter("1.weight").copy_(torch.eye(3))
        head.weight.copy_(torch.tensor([[1.0, -1.0, 1.0]]))
    return network.append(head)


def test_hand_numbers() -> None:
    """a > 0 speaks for S, b > 0 against it, c < 0 is shut."""
    case = case_of(hand_network(), torch.tensor([[2.0, 3.0, -1.0]]))
    assert case.gradients(case.picture)[1].tolist() == [[1.0, -1.0, 0.0]]
    assert guided_backprop(case).values.tolist() == [1.0, 0.0, 0.0]
    assert deconvnet(case).values.tolist() == [1.0, 0.0, 1.0]


@pytest.mark.parametrize("rule", ["guided", "deconvnet"])
def test_equal_to_the_slow_network(rule: Rule) -> None:
    network = torch_network()
    picture = torch.randn(1, 2, 9, 7, generator=torch.Generator().manual_seed(2))
    expected = SlowNetwork(network).gradient(picture[0].double().numpy(), 1, rule)
    case = case_of(network, picture, 1)
    method = guided_backprop if rule == "guided" else deconvnet
    assert_close(method(case).values, expected)


def test_guided_gradcam_by_hand() -> None:
    """The guided gradient is 1 everywhere; a map of 2 x 1 cells is rectified, then enlarged."""
    network = nn.Sequential(nn.ReLU(), nn.Flatten(), nn.Linear(4, 1, bias=False))
    with torch.no_grad():
        network.get_parameter("2.weight").fill_(1)
    case = case_of(network, torch.ones(1, 1, 4, 1))
    found = guided_gradcam(case, torch.tensor([[4.0], [-8.0]]))
    assert found.values.flatten().tolist() == [4.0, 3.0, 1.0, 0.0]  # between 4 and 0


def test_guided_gradcam_enlarges_bilinearly() -> None:
    """Against bilinear interpolation written out, corners not aligned."""
    network = torch_network()
    picture = torch.randn(1, 2, 9, 6, generator=torch.Generator().manual_seed(2))
    cam = torch.randn(3, 4, generator=torch.Generator().manual_seed(6))
    rows, columns = ((np.arange(n) + 0.5) * m / n - 0.5 for n, m in ((9, 3), (6, 4)))
    enlarged = np.zeros((9, 6))
    rectified = np.maximum(cam.double().numpy(), 0)
    for i, j in np.ndindex(9, 6):
        y, x = np.clip(rows[i], 0, 2), np.clip(columns[j], 0, 3)
        for k, m in np.ndindex(3, 4):
            enlarged[i, j] += max(0, 1 - abs(y - k)) * max(0, 1 - abs(x - m)) * rectified[k, m]
    guided = SlowNetwork(network).gradient(picture[0].double().numpy(), 1, "guided")
    assert_close(guided_gradcam(case_of(network, picture, 1), cam).values, guided * enlarged)


def test_guided_gradcam_refuses_another_number_of_axes() -> None:
    case = case_of(torch_network(), torch.randn(1, 2, 9, 6))
    with pytest.raises(ValueError, match=r"layer of shape \(5,\): its places do not lie on the"):
        guided_gradcam(case, torch.zeros(5))


def test_a_blank_map_says_why() -> None:
    """The one path speaks against S, so both rules stop it."""
    network = nn.Sequential(nn.ReLU(), nn.Linear(1, 1, bias=False))
    with torch.no_grad():
        network.get_parameter("1.weight").fill_(-1)
    found = deconvnet(case_of(network, torch.ones(1, 1)))
    assert found.values.tolist() == [0.0]
    assert found.note == "At one ReLU every gradient was negative, and none passed."
