"""Ablation-CAM: right for scores of both signs, through the tail of the network alone."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch

from cnnviz_widgets.inspection import Inspector
from cnnviz_widgets.methods.ablationcam import ablation_cams
from cnnviz_widgets.methods.cam_case import CamCase, Partial
from tests.methods import cam_oracles
from tests.methods.cam_networks import (
    HAND_PICTURE,
    OTHER_AXES,
    Pooled,
    Windows,
    built,
    case_of,
    hand_network,
    picture,
    raw_map,
)


def test_hand_numbers() -> None:
    """Without the first channel the score is 9 of 15, without the second 6."""
    found = raw_map(Inspector(hand_network(), HAND_PICTURE), "ablationcam", "1", 0).flatten()
    np.testing.assert_allclose(found, [2.8, 2.6, 2.4, 2.2], rtol=1e-6)


def test_a_negative_score_does_not_turn_the_map_around() -> None:
    """Class 1 is class 0 times -1: every channel speaks against it."""
    found = raw_map(Inspector(hand_network(), HAND_PICTURE), "ablationcam", "1", 1).flatten()
    np.testing.assert_allclose(found, [-2.8, -2.6, -2.4, -2.2], rtol=1e-6)


def test_a_score_of_zero_gives_the_difference() -> None:
    insp = Inspector(hand_network(), HAND_PICTURE)
    found = raw_map(insp, "ablationcam", "1", lambda output: output[:, 0] - 15).flatten()
    np.testing.assert_allclose(found, 15 * np.array([2.8, 2.6, 2.4, 2.2]), rtol=1e-6)


@pytest.mark.parametrize("target", range(4))
@pytest.mark.parametrize("layer", ["conv1", "relu1", "pool", "conv2", "relu2"])
def test_equal_to_the_paper_in_float64(layer: str, target: int) -> None:
    pixels = picture(1, 3, 8, 12)
    insp = Inspector(built(Pooled()), pixels)
    twin = built(Pooled()).double()

    def score(a: cam_oracles.Array) -> float:
        handle = twin.get_submodule(layer).register_forward_hook(
            lambda _module, _inputs, _output: torch.from_numpy(a)[None].clone()
        )
        try:
            with torch.no_grad():
                return float(twin(pixels.double())[0, target])
        finally:
            handle.remove()

    activation = insp.activation(layer)[0].double().numpy()
    expected = cam_oracles.ablationcam(activation, score)
    found = raw_map(insp, "ablationcam", layer, target)
    np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-5 * np.abs(expected).max())


def test_partial_maps_grow_to_the_map() -> None:
    insp = Inspector(built(Pooled()), picture(1, 3, 8, 12))
    partials: list[torch.Tensor] = []

    def watch(_done: int, _total: int, partial: Callable[[], Partial] | None) -> None:
        if partial is not None:
            partials.append(partial().values)

    case = case_of(insp, ["conv2"], [1])
    case = CamCase(insp, case.layers, case.targets, 0, watch)
    found = ablation_cams(case, ["ablationcam"], {})["ablationcam"]["conv2"][0]
    assert torch.equal(partials[-1], found)


@pytest.mark.parametrize(
    ("network", "layer", "shape"), [*OTHER_AXES, (Windows(), "norm1", (3, 12, 16))]
)
def test_tokens_and_other_axes(
    network: torch.nn.Module, layer: str, shape: tuple[int, ...]
) -> None:
    insp = Inspector(built(network), picture(1, *shape))
    found = raw_map(insp, "ablationcam", layer)
    assert bool(found.isfinite().all())
    assert found.std() > 0
