"""Occlusion: hand numbers, the slow definition, windows, batches."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from cnnviz_widgets.methods.occlusion import occlusion, window_places
from tests.methods.slow_network import Array, SlowNetwork, assert_close, case_of, torch_network


class Total(nn.Module):
    """S = sum of all values."""

    def forward(self, x: Tensor) -> Tensor:
        return x.flatten(1).sum(1, keepdim=True)


def test_hand_numbers() -> None:
    """Windows of two, side by side with one step: each place is the mean of the pairs it is in."""
    case = case_of(Total(), torch.tensor([[[[1.0, 2.0, 4.0]]]]))
    found = occlusion(case, window=2, stride=1, baseline="zero")
    assert found.values.tolist() == [[[3.0, 4.5, 6.0]]]
    assert found.resolved == {"window": 2, "stride": 1}
    assert (case.forward, case.backward) == (2, 0)


def slow_occlusion(
    network: SlowNetwork, x: Array, target: int, side: int, step: int, cover: float
) -> Array:
    """Every window there is, one picture at a time; mean drop over the windows on a place."""
    whole = network.scores(x)[target]
    drops, counts = np.zeros(x.shape[1:]), np.zeros(x.shape[1:])
    for top in range(0, x.shape[1] - side + step, step):
        for left in range(0, x.shape[2] - side + step, step):
            covered = x.copy()
            covered[:, top : top + side, left : left + side] = cover
            drops[top : top + side, left : left + side] += whole - network.scores(covered)[target]
            counts[top : top + side, left : left + side] += 1
    return drops / counts


@pytest.mark.parametrize(("side", "step"), [(3, 2), (4, 3), (2, 2), (5, 1)])
@pytest.mark.parametrize("at_once", [1, 5])
def test_equal_to_the_slow_network(side: int, step: int, at_once: int) -> None:
    network = torch_network()
    picture = torch.randn(1, 2, 9, 8, generator=torch.Generator().manual_seed(2))
    expected = slow_occlusion(SlowNetwork(network), picture[0].double().numpy(), 1, side, step, 0.5)
    case = case_of(network, picture, 1, at_once=at_once)
    found = occlusion(case, window=side, stride=step, baseline=0.5)
    assert_close(found.values[0], expected)


@pytest.mark.parametrize(("length", "side", "step"), [(9, 3, 2), (10, 4, 3), (5, 7, 3), (8, 8, 1)])
def test_windows_cover_every_place(length: int, side: int, step: int) -> None:
    covered = np.zeros((length, 6))
    for where in window_places((length, 6), side, step):
        covered[where] += 1
    assert covered.min() >= 1


def test_the_chosen_window_fits_the_picture() -> None:
    case = case_of(Total(), torch.zeros(1, 3, 224, 300), at_once=32)
    assert occlusion(case, window=112).resolved == {"window": 112, "stride": 56}
    small = case_of(Total(), torch.zeros(1, 1, 2, 2))
    assert occlusion(small).resolved == {"window": 1, "stride": 1}


def test_169_passes_for_224_pixels() -> None:
    """What the catalogue says."""
    assert len(window_places((224, 224), 32, 16)) == 169


def test_bad_windows_are_refused() -> None:
    case = case_of(Total(), torch.zeros(1, 1, 4, 6))
    with pytest.raises(ValueError, match=r"window=7 is larger than the input's grid \(4, 6\)"):
        occlusion(case, window=7)
    with pytest.raises(ValueError, match="stride=3 is larger than window=2, which leaves places"):
        occlusion(case, window=2, stride=3)


def test_the_picture_is_not_written_to() -> None:
    picture = torch.ones(1, 1, 4, 4)
    occlusion(case_of(Total(), picture), window=2, stride=2)
    assert torch.equal(picture, torch.ones(1, 1, 4, 4))
