"""The strongest pattern of a layer, against NumPy's SVD; its sign is defined."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from cnnviz_widgets.inspection import Inspector
from cnnviz_widgets.methods.eigen import principal_map
from tests.methods import cam_oracles
from tests.methods.cam_networks import HAND_PICTURE, hand_network, picture, raw_map


def test_hand_numbers() -> None:
    """Rows u = (1, 2) times (1, 2, 3): centred, the direction is u / sqrt(5)."""
    matrix = torch.tensor([[1.0, 2.0, 3.0], [2.0, 4.0, 6.0]])
    root = 5**0.5
    np.testing.assert_allclose(principal_map(matrix), [-root, 0, root], rtol=1e-6, atol=1e-6)
    plain = principal_map(matrix, centred=False)
    np.testing.assert_allclose(plain, [root, 2 * root, 3 * root], rtol=1e-6)


@pytest.mark.parametrize("centred", [True, False])
@pytest.mark.parametrize("shape", [(5, 4, 6), (30, 3, 3), (2, 9, 9), (1, 3, 4)])
def test_equal_to_the_paper_in_float64_but_for_the_sign(
    shape: tuple[int, ...], *, centred: bool
) -> None:
    values = picture(*shape)
    values[0] *= 3  # a direction that stands out
    found = principal_map(values.flatten(1), centred=centred).double().numpy()
    expected = cam_oracles.eigen(values.double().numpy(), centred=centred).ravel()
    turned = expected * np.sign(expected @ found)
    np.testing.assert_allclose(found, turned, rtol=1e-4, atol=1e-5 * np.abs(turned).max())


@pytest.mark.parametrize("seed", range(20))
def test_bright_is_where_the_channels_are_active(seed: int) -> None:
    values = picture(6, 40, seed=seed)
    found = principal_map(values)
    total = values.sum(0)
    assert float((found * (total - total.mean())).sum()) >= 0
    np.testing.assert_allclose(principal_map(values * 7), found * 7, rtol=1e-3, atol=1e-4)


def test_the_sign_where_the_sum_is_the_same_everywhere() -> None:
    matrix = torch.tensor([[0.0, 1.0, 3.0], [5.0, 4.0, 2.0]])
    found = principal_map(matrix)
    assert float(found[found.abs().argmax()]) > 0


@pytest.mark.parametrize("size", [1e-30, 1.0, 1e30])
def test_tiny_and_huge_values(size: float) -> None:
    values = picture(3, 12).abs()
    found = principal_map(values * size)
    np.testing.assert_allclose(found / size, principal_map(values), rtol=1e-4, atol=1e-5)


def test_nothing_varies_and_not_finite() -> None:
    assert not principal_map(torch.full((3, 4), 2.0)).any()
    assert bool(principal_map(torch.tensor([[1.0, torch.inf]])).isnan().all())


def test_at_a_layer() -> None:
    """A = (1 2 3 4; 4 3 2 1), so the sum is 5 everywhere; G A = (1 0 -3 8; 0 6 2 1)."""
    insp = Inspector(hand_network(), HAND_PICTURE)
    found = raw_map(insp, "eigencam", "1").flatten().numpy()
    by_hand = np.sqrt(2) * np.array([1.5, 0.5, 0.5, 1.5])
    np.testing.assert_allclose(np.abs(found), by_hand, rtol=1e-5)
    product = np.array([[1.0, 0, -3, 8], [0, 6, 2, 1]])
    expected = cam_oracles.eigen(product.reshape(2, 2, 2), centred=True).ravel()
    turned = expected * np.sign(expected @ product.sum(0))
    grad = raw_map(insp, "eigengradcam", "1", 0).flatten()
    np.testing.assert_allclose(grad, turned, rtol=1e-5, atol=1e-5)
    # Centred, the rows' products are 65, -11.5, 20.75: the direction is (0.97141, -0.23740).
    np.testing.assert_allclose(grad, [0.0485, -2.3474, -4.3120, 6.6109], atol=2e-4)
    assert not np.allclose(raw_map(insp, "eigengradcam", "1", 0, centred=False).flatten(), turned)
