"""The oracle itself: the slow network against torch."""

from __future__ import annotations

import torch

from tests.methods.slow_network import SlowNetwork, assert_close, case_of, torch_network


def test_the_slow_network_is_the_torch_network() -> None:
    network = torch_network()
    picture = torch.randn(1, 2, 8, 6, generator=torch.Generator().manual_seed(1))
    slow = SlowNetwork(network)
    x = picture[0].double().numpy()
    assert_close(network(picture)[0].detach(), slow.scores(x))
    _, gradient = case_of(network, picture, 2).gradients(picture)
    assert_close(gradient[0], slow.gradient(x, 2))
