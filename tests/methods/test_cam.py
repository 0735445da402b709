"""Formulas of activation and gradient, against the papers' in float64 and by hand."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from cnnviz_widgets.inspection import Inspector
from cnnviz_widgets.methods import cam
from cnnviz_widgets.methods.cam import GRADIENT_CAMS, GradientCams
from tests.methods import cam_oracles
from tests.methods.cam_networks import HAND_PICTURE, hand_network, raw_map

BY_HAND = {
    "gradcam": [4.5, 4.0, 3.5, 3.0],
    "gradcam++": [
        (1 / 12 + 1 / 11) * first + (1 / 11 + 1 / 6) * (5 - first) for first in (1, 2, 3, 4)
    ],
    "xgradcam": [4.2, 3.9, 3.6, 3.3],
    "hirescam": [1.0, 6.0, -1.0, 9.0],
    "gradcam_elementwise": [1.0, 6.0, 2.0, 9.0],
    "layercam": [1.0, 6.0, 2.0, 9.0],
}


def values(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def flat(activation: Tensor, gradient: Tensor) -> tuple[Tensor, Tensor]:
    return activation.flatten(1), gradient.flatten(1)


@pytest.mark.parametrize("method", GRADIENT_CAMS)
def test_hand_numbers(method: str) -> None:
    found = raw_map(Inspector(hand_network(), HAND_PICTURE), method, "1", 0)
    assert found.shape == (2, 2)
    np.testing.assert_allclose(found.flatten(), BY_HAND[method], rtol=1e-6)


@pytest.mark.parametrize("rectified", [False, True])
@pytest.mark.parametrize("shape", [(7, 5, 3), (1, 4, 4), (600, 7, 9), (3, 150, 130), (9, 1, 8)])
@pytest.mark.parametrize("method", GRADIENT_CAMS)
def test_equal_to_the_paper_in_float64(
    method: str, shape: tuple[int, ...], *, rectified: bool
) -> None:
    activation, gradient = values(*shape), values(*shape, seed=1) * 1e-3
    if method == "gradcam++" and not rectified:
        activation = activation + 0.3  # sums near zero would meet the formula's poles
    if method == "xgradcam":
        activation = activation + 0.5  # and means near zero its division
    activation = activation.clamp(min=0) if rectified else activation
    found = GradientCams((method,))(*flat(activation, gradient))[method]
    expected = cam_oracles.GRADIENT_CAMS[method](
        activation.double().numpy(), gradient.double().numpy()
    ).ravel()
    # float32 sums of so many terms of both signs: relative to what was added up
    size = np.abs(expected).max() + np.abs((activation * gradient).numpy()).max()
    np.testing.assert_allclose(found.numpy(), expected, rtol=1e-4, atol=1e-5 * size)


def test_methods_share_one_walk_and_do_not_disturb_each_other() -> None:
    activation, gradient = flat(values(40, 30, 40).clamp(min=0), values(40, 30, 40, seed=1))
    together = GradientCams(GRADIENT_CAMS)(activation, gradient)
    assert set(together) == set(GRADIENT_CAMS)
    for method in GRADIENT_CAMS:
        alone = GradientCams((method,))(activation, gradient)[method]
        np.testing.assert_allclose(together[method], alone, rtol=2e-5, atol=2e-5)


def test_the_size_of_blocks_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    activation, gradient = flat(values(50, 9, 11), values(50, 9, 11, seed=1))
    expected = GradientCams(GRADIENT_CAMS)(activation, gradient)
    monkeypatch.setattr(cam, "BLOCK_VALUES", 1)
    found = GradientCams(GRADIENT_CAMS)(activation, gradient)
    for method in GRADIENT_CAMS:
        np.testing.assert_allclose(found[method], expected[method], rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("method", GRADIENT_CAMS)
def test_no_gradient_or_no_activation_gives_zeros(method: str) -> None:
    some, none = values(4, 12), torch.zeros(4, 12)
    for activation, gradient in ((some, none), (none, some), (none, none)):
        assert not GradientCams((method,))(activation, gradient)[method].any()


@pytest.mark.parametrize("method", GRADIENT_CAMS)
def test_the_size_of_gradients_does_not_matter(method: str) -> None:
    """No absolute epsilon: gradients 1e-20 times as large give the same picture."""
    activation, gradient = values(4, 12).abs(), values(4, 12, seed=1)
    large = GradientCams((method,))(activation, gradient)[method]
    small = GradientCams((method,))(activation, gradient * 1e-20)[method] * 1e20
    if method == "gradcam++":  # its formula is not linear in G, but is for small ones: G / 2
        large = GradientCams((method,))(activation, gradient * 1e-7)[method] * 1e7
    np.testing.assert_allclose(small, large, rtol=1e-4)


def test_xgradcam_of_channels_without_a_mean() -> None:
    """A channel whose sum is zero, or only rounding, has the weight 0."""
    rows = [[1.0, -1.0, 2.0, -2.0], [0.1, 0.2, -0.3, 1e-9], [1.0, 2.0, 3.0, 4.0]]
    activation = torch.tensor(rows)
    gradient = torch.ones(3, 4)
    found = GradientCams(("xgradcam",))(activation, gradient)["xgradcam"]
    np.testing.assert_allclose(found, [1, 2, 3, 4], rtol=1e-6)


def test_gradcam_plus_plus_at_a_pole() -> None:
    """2 + S G = 0 at the first place: that term is zero, the other 1 / (2 - 2)... is not met."""
    activation = torch.tensor([[-1.0, -1.0]])
    gradient = torch.tensor([[1.0, 0.5]])
    found = GradientCams(("gradcam++",))(activation, gradient)["gradcam++"]
    np.testing.assert_allclose(found, [-0.5, -0.5])  # w = 0 + 0.5 / (2 - 2 * 0.5)


@pytest.mark.parametrize("method", GRADIENT_CAMS)
def test_nan_stays_nan(method: str) -> None:
    activation, gradient = values(4, 12).abs(), values(4, 12, seed=1)
    gradient[2, 5] = torch.nan
    assert bool(GradientCams((method,))(activation, gradient)[method].isnan().any())
