"""Gradients at layers, in one sweep: right layers, right targets, and differences of classes."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from cnnviz_widgets.inspection import Inspector
from cnnviz_widgets.methods.cam import GRADIENT_CAMS
from cnnviz_widgets.methods.gradient_sweep import LateGradCam, nearest_classes, swept
from tests.methods import cam_oracles
from tests.methods.cam_networks import (
    HAND_PICTURE,
    Pooled,
    Transformer,
    Windows,
    built,
    case_of,
    hand_network,
    picture,
    raw_map,
)


def by_plain_autograd(
    insp: Inspector, layer: str, target: int
) -> tuple[torch.Tensor, torch.Tensor]:
    return insp.activation(layer)[:1], insp.gradient(layer, target)[:1]


def channels_first(values: torch.Tensor) -> cam_oracles.Array:
    """(1 + 12, C) or (H, W, C) as (C, H, W), without the class token."""
    on_grid = values[1:].reshape(3, 4, -1) if values.dim() == 2 else values
    array: cam_oracles.Array = on_grid.permute(2, 0, 1).double().numpy()
    return array


@pytest.mark.parametrize("method", GRADIENT_CAMS)
@pytest.mark.parametrize("layer", ["conv1", "bn", "relu1", "conv2", "relu2"])
def test_each_layer_and_target_gets_its_own_map(layer: str, method: str) -> None:
    insp = Inspector(built(Pooled()), picture(1, 3, 8, 12))
    names = ["relu2", "conv1", "relu1", "bn", "conv2"]  # in no order
    case = case_of(insp, names, [2, 0, 1])
    maps = swept(case, [method], {})[method][layer]
    for place, target in enumerate([2, 0, 1]):
        a, g = (t[0].double().numpy() for t in by_plain_autograd(insp, layer, target))
        expected = cam_oracles.GRADIENT_CAMS[method](a, g).ravel()
        scale = np.abs(expected).max() + np.abs(a * g).max()
        np.testing.assert_allclose(maps[place], expected, rtol=1e-4, atol=1e-5 * scale)


def test_many_targets_wait_for_the_last_gradient() -> None:
    """A target without a gradient keeps its zeros, even where the activation is infinite."""
    activation = torch.tensor([[1.0, 2.0], [torch.inf, 3.0]])
    maps, late = torch.zeros(3, 2), LateGradCam(3)
    late.take(maps, activation, torch.tensor([[2.0, 4.0], [0.5, 0.5]]), 0)
    late.take(maps, activation, None, 1)
    assert not maps.any()
    late.take(maps, activation, torch.tensor([[1.0, 1.0], [-1.0, -1.0]]), 2)
    # weights are means: (3, 0.5) and (1, -1)
    assert maps.tolist() == [[torch.inf, 7.5], [0.0, 0.0], [-torch.inf, -1.0]]


def test_no_backward_pass_before_global_pooling_and_one_dense_layer() -> None:
    insp = Inspector(built(Pooled()), picture(1, 3, 8, 12))
    case = case_of(insp, ["relu2"], [0, 1, 2, 3])
    swept(case, ["gradcam"], {})
    assert (case.forward, case.backward) == (1, 0)
    case = case_of(insp, ["relu2", "conv2"], [0, 1, 2, 3])
    swept(case, ["gradcam", "layercam"], {})
    assert (case.forward, case.backward) == (1, 4)


def test_a_function_of_the_output_has_no_head() -> None:
    insp = Inspector(built(Pooled()), picture(1, 3, 8, 12))
    found = raw_map(insp, "gradcam", "relu2", lambda output: output[:, 1] - output[:, 2])
    difference = raw_map(insp, "gradcam", "relu2", 1) - raw_map(insp, "gradcam", "relu2", 2)
    torch.testing.assert_close(found, difference, rtol=1e-5, atol=1e-6)


def test_class_weights_by_hand() -> None:
    """CAM is Grad-CAM times the number of places; w_ck are the weights of the dense layer."""
    model = built(Pooled())
    insp = Inspector(model, picture(1, 3, 8, 12))
    found = raw_map(insp, "cam", "relu2", 0)
    activation = insp.activation("relu2")[0]
    expected = torch.einsum("k,khw->hw", model.get_parameter("fc.weight")[0], activation)
    torch.testing.assert_close(found, expected.detach(), rtol=1e-5, atol=1e-6)
    torch.testing.assert_close(found / 24, raw_map(insp, "gradcam", "relu2", 0))
    assert float(found.min()) < 0  # no ReLU


def test_cam_where_it_is_not_defined() -> None:
    insp = Inspector(built(Pooled()), picture(1, 3, 8, 12))
    with pytest.raises(ValueError, match=r"layer='conv2' does not feed global average pooling"):
        raw_map(insp, "cam", "conv2", 0)
    with pytest.raises(ValueError, match=r"target of method='cam' must be a class"):
        raw_map(insp, "cam", "relu2", lambda output: output[:, 0])


def test_finercam_by_hand() -> None:
    """Classes 0, 1, 2 score 15, -15, 7.5; nearest to 0 is 2 with half its gradients."""
    insp = Inspector(hand_network(), HAND_PICTURE)
    gradcam = np.array([4.5, 4.0, 3.5, 3.0])
    one = raw_map(insp, "finercam", "1", 0, gamma=0.6, classes=1).flatten()
    np.testing.assert_allclose(one, (1 - 0.6 / 2) * gradcam, rtol=1e-6)
    two = raw_map(insp, "finercam", "1", 0, gamma=1.0, classes=2).flatten()
    np.testing.assert_allclose(two, (1 - (0.5 - 1) / 2) * gradcam, rtol=1e-6)
    none = raw_map(insp, "finercam", "1", 0, gamma=0).flatten()
    np.testing.assert_allclose(none, gradcam, rtol=1e-6)


def test_finercam_is_linear_in_the_classes() -> None:
    insp = Inspector(built(Pooled()), picture(1, 3, 8, 12))
    case = case_of(insp, ["conv1"], [None])
    others = nearest_classes(case, 2)[0]
    assert len(others) == 2
    expected = raw_map(insp, "gradcam", "conv1", case.targets[0].index)
    for other in others:
        expected = expected - 0.8 / 2 * raw_map(insp, "gradcam", "conv1", other.index)
    found = raw_map(insp, "finercam", "conv1", gamma=0.8, classes=2)
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-6)


def test_nearest_classes_are_those_with_the_nearest_scores() -> None:
    insp = Inspector(built(Pooled()), picture(1, 3, 8, 12))
    scores = {p.index: p.score for p in insp.predictions(4)[0]}
    case = case_of(insp, ["conv1"], [0, 1, 2, 3])
    for target, others in enumerate(nearest_classes(case, 3)):
        expected = sorted(set(scores) - {target}, key=lambda k: abs(scores[k] - scores[target]))
        assert [other.index for other in others] == expected


def test_finercam_takes_a_class_of_several() -> None:
    insp = Inspector(built(Pooled()), picture(1, 3, 8, 12))
    with pytest.raises(ValueError, match=r"cannot be compared by 'finercam'"):
        raw_map(insp, "finercam", "conv1", lambda output: output[:, 0])


@pytest.mark.parametrize(
    ("network", "layer"),
    [(Transformer(), "blocks.1.norm1"), (Transformer(read="mean"), "norm"), (Windows(), "norm1")],
)
@pytest.mark.parametrize("method", [*GRADIENT_CAMS, "eigengradcam"])
def test_tokens_on_their_grid(network: torch.nn.Module, layer: str, method: str) -> None:
    insp = Inspector(built(network), picture(1, 3, 12, 16))
    found = raw_map(insp, method, layer, 1).double().numpy()
    a, g = (channels_first(tensor[0]) for tensor in by_plain_autograd(insp, layer, 1))
    if method == "eigengradcam":
        expected = cam_oracles.eigen(a * g, centred=True)
        expected = expected * np.sign((expected * found).sum())
    else:
        expected = cam_oracles.GRADIENT_CAMS[method](a, g)
    scale = np.abs(expected).max() + np.abs(a * g).max()
    np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-5 * scale)
