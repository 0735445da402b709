"""A weight that others make up is that of the next forward pass, and reading it changes nothing."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn.utils import parametrizations, parametrize, prune

from cnnviz_widgets.inspection.effective import effective_weight, how_made
from cnnviz_widgets.inspection.weights import Weights
from tests.inspection.promise import unchanged


def random(*shape: int, seed: int = 1) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def makers() -> dict[str, nn.Module]:
    """Layers whose weight is made of others, in training mode as users have them."""
    torch.manual_seed(0)
    pruned = nn.Linear(5, 4)
    prune.random_unstructured(pruned, "weight", 0.5)  # type: ignore[no-untyped-call]  # torch
    with pytest.warns(FutureWarning):
        weight_norm = nn.utils.weight_norm(nn.Conv2d(3, 4, 3))
    return {
        "weight_norm": parametrizations.weight_norm(nn.Conv2d(3, 4, 3)),
        "spectral_norm": parametrizations.spectral_norm(nn.Linear(5, 4)),
        "orthogonal": parametrizations.orthogonal(nn.Linear(4, 4)),
        "old weight_norm": weight_norm,
        "old spectral_norm": nn.utils.spectral_norm(nn.Conv2d(3, 4, 3)),
        "pruned": pruned,
    }


@pytest.mark.parametrize(
    "name",
    [
        "weight_norm",
        "spectral_norm",
        "orthogonal",
        "old weight_norm",
        "old spectral_norm",
        "pruned",
    ],
)
def test_a_made_up_weight_is_the_one_of_the_next_pass(name: str) -> None:
    layer = makers()[name]
    with torch.no_grad():  # as an optimiser does; hooks have not run since
        for parameter in layer.parameters():
            parameter.add_(random(*parameter.shape, seed=3), alpha=0.1)
    with unchanged(layer):
        (info,) = Weights(layer).layers
        values = Weights(layer).bank(info.name).values
    assert info.made_by in {"weight_norm", "spectral_norm", "Orthogonal", "pruning"}
    layer.eval()
    seen: list[torch.Tensor] = []
    layer.register_forward_hook(lambda module, *_: seen.append(module.weight.detach().clone()))
    layer(random(2, 3, 5, 5) if values.ndim == 4 else random(2, values.shape[1]))
    np.testing.assert_allclose(values, seen[0].numpy(), rtol=1e-5, atol=1e-7)


def test_a_parametrization_of_the_users_own_is_computed_on_a_copy() -> None:
    class Noisy(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.calls: torch.Tensor
            self.register_buffer("calls", torch.zeros(1))

        def forward(self, weight: torch.Tensor) -> torch.Tensor:
            self.calls += 1
            return weight + torch.rand(1)

    layer = nn.Linear(3, 2)
    parametrize.register_parametrization(layer, "weight", Noisy())
    with unchanged(layer):
        assert effective_weight(layer, "weight").shape == (2, 3)
        assert Weights(layer).layers[0].made_by == "Noisy"


def test_a_plain_weight_is_the_parameter_itself() -> None:
    layer = nn.Linear(3, 2)
    assert effective_weight(layer, "weight") is layer.weight
    assert how_made(layer, "weight") == ""
    assert effective_weight(nn.ReLU(), "weight") is None
