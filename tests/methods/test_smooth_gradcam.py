"""Smooth Grad-CAM++: means of powers of noisy gradients, activations without noise."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from cnnviz_widgets.inspection import Inspector
from cnnviz_widgets.methods.cam_case import CamCase
from cnnviz_widgets.methods.case import seeded
from cnnviz_widgets.methods.smooth_gradcam import smooth_weights
from tests.methods import cam_oracles
from tests.methods.cam_networks import (
    HAND_PICTURE,
    OTHER_AXES,
    Pooled,
    built,
    hand_network,
    picture,
    raw_map,
)
from tests.methods.test_cam import BY_HAND


def test_hand_numbers() -> None:
    """Where noise moves no ReLU, every sample has the same gradient: Grad-CAM++."""
    insp = Inspector(hand_network(), HAND_PICTURE)
    found = raw_map(insp, "smoothgradcam++", "1", 0, samples=3, noise=0.01).flatten()
    np.testing.assert_allclose(found, BY_HAND["gradcam++"], rtol=1e-5)


def test_weights_equal_to_the_paper_in_float64() -> None:
    activation, samples = picture(4, 5, 6).abs(), picture(7, 4, 5, 6, seed=2) * 0.1
    means = [(samples**power).mean(0).flatten(1) for power in (1, 2, 3)]
    found = smooth_weights(activation.flatten(1).sum(1), *means)
    expected = cam_oracles.smooth_weights(activation.double().numpy(), samples.double().numpy())
    np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-4 * np.abs(expected).max())


def test_equal_to_the_paper_on_a_network() -> None:
    pixels = picture(1, 3, 8, 12)
    insp = Inspector(built(Pooled()), pixels)
    deviation = 0.2 * float(pixels.max() - pixels.min())
    draw = seeded(5)
    noisy = pixels + deviation * torch.randn(6, 3, 8, 12, generator=draw)
    samples = [Inspector(built(Pooled()), one[None]).gradient("relu1", 2)[0] for one in noisy]
    activation = insp.activation("relu1")[0].double().numpy()
    weights = cam_oracles.smooth_weights(activation, torch.stack(samples).double().numpy())
    expected = cam_oracles.weighted_sum(weights, activation)
    found = raw_map(insp, "smoothgradcam++", "relu1", 2, samples=6, noise=0.2, seed=5)
    np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-4 * np.abs(expected).max())


def test_the_seed_decides_and_batches_do_not(monkeypatch: pytest.MonkeyPatch) -> None:
    insp = Inspector(built(Pooled()), picture(1, 3, 8, 12))
    state = torch.get_rng_state()
    one = raw_map(insp, "smoothgradcam++", "conv1", seed=1)
    assert torch.equal(torch.get_rng_state(), state)
    assert torch.equal(raw_map(insp, "smoothgradcam++", "conv1", seed=1), one)
    assert not torch.equal(raw_map(insp, "smoothgradcam++", "conv1", seed=2), one)
    monkeypatch.setattr(CamCase, "at_once", lambda *_: 6)
    batched = raw_map(insp, "smoothgradcam++", "conv1", seed=1)
    torch.testing.assert_close(batched, one, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(("network", "layer", "shape"), OTHER_AXES)
def test_tokens_and_other_axes(
    network: torch.nn.Module, layer: str, shape: tuple[int, ...]
) -> None:
    insp = Inspector(built(network), picture(1, *shape))
    assert bool(raw_map(insp, "smoothgradcam++", layer).isfinite().all())
