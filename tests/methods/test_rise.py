"""RISE: hand numbers, the paper's equation, masks, seeds."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from cnnviz_widgets.methods.rise import random_mask, rise
from tests.methods.slow_network import SlowNetwork, assert_close, case_of, torch_network


class First(nn.Module):
    """S = 100 + the value of the first place."""

    def forward(self, x: Tensor) -> Tensor:
        return 100 + x.flatten(1)[:, :1]


def masks_of(grid: tuple[int, ...], count: int, cells: int, kept: float, seed: int) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.stack([random_mask(grid, cells, kept, generator) for _ in range(count)])


def test_hand_numbers() -> None:
    """Masks of whole pixels: the map is the mean score with a pixel minus the mean of all."""
    masks = masks_of((2,), 6, 2, 0.5, 3)
    case = case_of(First(), torch.tensor([[8.0, 1.0]]))
    found = rise(case, masks=6, cells=2, seed=3)
    scores = 100 + 8 * masks[:, 0]
    expected = [float((scores * m).sum() / m.sum() - scores.mean()) for m in masks.T]
    assert found.values[0].tolist() == pytest.approx(expected, abs=1e-4)
    assert found.note == f"Relative to the mean score of the masked pictures, {scores.mean():.4g}."
    assert (case.forward, case.backward) == (6, 0)


@pytest.mark.parametrize("at_once", [1, 4, 32])
def test_equal_to_the_slow_network(at_once: int) -> None:
    """Equation 6 of arXiv:1806.07421 with its own normaliser, minus the mean score."""
    network = torch_network()
    picture = torch.randn(1, 2, 9, 8, generator=torch.Generator().manual_seed(2))
    slow, x = SlowNetwork(network), picture[0].double().numpy()
    masks = masks_of((9, 8), 12, 3, 0.4, 5).double().numpy()
    scores = np.array([slow.scores(x * mask + 0.5 * (1 - mask))[1] for mask in masks])
    expected = np.tensordot(scores, masks, 1) / masks.sum(0) - scores.mean()
    case = case_of(network, picture, 1, at_once=at_once)
    found = rise(case, masks=12, cells=3, kept=0.4, seed=5, baseline=0.5)
    assert_close(found.values[0], expected)


def test_masks_are_those_of_the_authors() -> None:
    """Cells enlarged to (s + 1) ceil(length / s), then cut out at a random shift."""
    masks = masks_of((10, 21), 400, 4, 0.3, 0)
    assert masks.shape == (400, 10, 21)
    assert float(masks.min()) == 0
    assert float(masks.max()) == 1
    assert float(masks.mean()) == pytest.approx(0.3, abs=0.02)
    flat = masks.flatten(1).mean(0)
    assert float(flat.max() - flat.min()) < 0.15  # no place is favoured


def test_the_place_that_counts_stands_out() -> None:
    picture = torch.zeros(1, 1, 8, 8)
    picture[..., 0, 0] = 5
    found = rise(case_of(First(), picture, at_once=32), masks=300, cells=4)
    assert int(found.values.argmax()) == 0


def test_seeds_and_the_global_random_state() -> None:
    picture = torch.randn(1, 2, 8, 7, generator=torch.Generator().manual_seed(3))
    network, before = torch_network(), torch.get_rng_state()
    maps = [rise(case_of(network, picture), masks=4, seed=s).values for s in (0, 0, 1)]
    assert torch.equal(maps[0], maps[1])
    assert not torch.equal(maps[0], maps[2])
    assert torch.equal(torch.get_rng_state(), before)


def test_a_place_that_no_mask_lets_through_is_zero() -> None:
    found = rise(case_of(First(), torch.ones(1, 1, 4, 4)), masks=1, cells=4, kept=0.01)
    assert found.values.tolist() == torch.zeros(1, 4, 4).tolist()
