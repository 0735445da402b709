"""Baselines: what stands for nothing."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from cnnviz_widgets.methods.baselines import baseline_of


def test_by_hand() -> None:
    picture = torch.tensor([[[[1.0, 3.0]], [[-2.0, 0.0]]]])
    black = torch.tensor([-0.5, 2.0])
    expected = {"black": [-0.5, 2.0], "zero": [0.0, 0.0], "mean": [2.0, -1.0]}
    for kind, values in expected.items():
        got = baseline_of(picture, kind, black)
        assert got.shape == picture.shape
        assert got[0, :, 0, 0].tolist() == got[0, :, 0, 1].tolist() == values
    assert bool((baseline_of(picture, 0.25, None) == 0.25).all())
    assert torch.equal(baseline_of(picture, black.reshape(2, 1, 1), None)[0, 1, 0], black[[1, 1]])


def test_black_is_zero_where_the_normalisation_is_not_known() -> None:
    assert not baseline_of(torch.ones(1, 3, 2, 2), "black", None).any()


@pytest.mark.parametrize("shape", [(1, 2, 31, 40), (1, 2, 60)])
def test_the_blur_is_a_gaussian(shape: tuple[int, ...]) -> None:
    """Against SciPy's, whose "nearest" repeats the edges too."""
    ndimage = pytest.importorskip("scipy.ndimage")
    picture = torch.randn(shape, generator=torch.Generator().manual_seed(1))
    sigma = 0.05 * min(shape[2:])
    expected = ndimage.gaussian_filter(
        picture.numpy(), (0, 0, *[sigma] * (len(shape) - 2)), mode="nearest",
        radius=(0, 0, *[int(np.ceil(3 * sigma))] * (len(shape) - 2)),
    )  # fmt: skip
    np.testing.assert_allclose(baseline_of(picture, "blur", None), expected, atol=1e-5)


def test_features_have_one_mean() -> None:
    features = torch.tensor([[1.0, 3.0]])
    assert baseline_of(features, "blur", None).tolist() == [[2.0, 2.0]]
    assert baseline_of(features, "mean", None).tolist() == [[2.0, 2.0]]


def test_bad_baselines_are_refused() -> None:
    picture = torch.zeros(1, 3, 2, 2)
    with pytest.raises(ValueError, match="baseline='white' is not known; choose one of 'black'"):
        baseline_of(picture, "white", None)
    with pytest.raises(ValueError, match=r"baseline of shape \(4,\) does not fit the input"):
        baseline_of(picture, torch.zeros(4), None)
