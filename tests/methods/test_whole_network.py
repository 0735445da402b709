"""Every method through its public call, on a tangled network, against float64 NumPy."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch

from cnnviz_widgets.attribution import cam, saliency
from cnnviz_widgets.attribution.map import Map
from cnnviz_widgets.inspection import Inspector
from tests.methods import cam_networks, cam_oracles
from tests.methods.cam_oracles import Array
from tests.methods.numpy_network import PLACES, NumpyNetwork, Tangled, tangled

CLASSES = [0, 2, 4]
SEEN: list[torch.Tensor] = []


class Both:
    """The network in torch behind an Inspector, and in NumPy."""

    def __init__(self) -> None:
        model, picture = tangled(SEEN)
        self.insp = Inspector(model, picture)
        self.slow = NumpyNetwork(model)
        self.x: Array = picture[0].double().numpy()
        self.scores = self.slow.scores(self.x)

    def gradients(self, target: int, x: Array | None = None) -> Array:
        """Return d score / d picture, of the picture itself or of another."""
        self.slow.scores(self.x if x is None else x)
        return self.slow.gradients(np.eye(5)[target])["x"]

    def score(self, target: int) -> Callable[[Array], float]:
        return lambda x: float(self.slow.scores(x)[target])


@pytest.fixture
def both() -> Both:
    """Return a fresh one: the slow network keeps the last picture."""
    return Both()


def assert_equal(found: Map, expected: Array) -> None:
    """Fail unless all agree within 2e-5 of the largest: Grad-CAM++ comes near poles."""
    assert found.values.shape == expected.shape
    scale = np.abs(expected).max()
    np.testing.assert_allclose(found.values, expected, rtol=0, atol=2e-5 * scale)


def pictures_of(run: Callable[[], Map]) -> tuple[Array, Map]:
    """Return what the model saw, and the map; at first it is also tried whether rows mix."""
    run()
    SEEN.clear()
    found = run()
    return torch.cat(SEEN).double().numpy(), found


def test_the_networks_are_the_same(both: Both) -> None:
    found = [p.score for p in sorted(both.insp.predictions(5)[0], key=lambda p: p.index)]
    np.testing.assert_allclose(found, both.scores, rtol=1e-5)


@pytest.mark.parametrize("target", CLASSES)
@pytest.mark.parametrize("method", [*cam_oracles.GRADIENT_CAMS, "finercam"])
def test_gradient_cams_at_every_layer(both: Both, method: str, target: int) -> None:
    of = np.eye(5)[target]
    if method == "finercam":
        nearest = np.argsort(np.abs(both.scores - both.scores[target]), kind="stable")[1:4]
        of[nearest] -= 0.6 / 3
    gradients = both.slow.gradients(of)
    oracle = cam_oracles.GRADIENT_CAMS["gradcam" if method == "finercam" else method]
    for name, layer in PLACES.items():
        expected = oracle(both.slow.values[name], gradients[name])
        assert_equal(cam(both.insp, method, layer, target), expected)


@pytest.mark.parametrize("method", ["eigencam", "eigengradcam"])
def test_eigen_cams_and_their_sign(both: Both, method: str) -> None:
    """Bright where the layer's values add up to more."""
    gradients = both.slow.gradients(np.eye(5)[2])
    for name, layer in PLACES.items():
        seen = both.slow.values[name] * (1 if method == "eigencam" else gradients[name])
        expected = cam_oracles.eigen(seen, centred=True)
        expected *= np.sign((expected * (seen.sum(0) - seen.sum(0).mean())).sum())
        assert_equal(cam(both.insp, method, layer, 2), expected)


def test_smooth_gradcam_plus_plus_of_the_pictures_that_the_model_saw(both: Both) -> None:
    values = dict(both.slow.values)
    seen, found = pictures_of(lambda: cam(both.insp, "smoothgradcam++", "c3", 2, noise=0.3))
    assert len(seen) == 10
    samples = []
    for x in seen:
        both.slow.scores(x)
        samples.append(both.slow.gradients(np.eye(5)[2])["c3"])
    weights = cam_oracles.smooth_weights(values["c3"], np.stack(samples))
    assert_equal(found, cam_oracles.weighted_sum(weights, values["c3"]))


@pytest.mark.parametrize("target", CLASSES)
def test_fullgrad_and_what_it_adds_up_to(both: Both, target: int) -> None:
    gradients = both.slow.gradients(np.eye(5)[target])
    parts = {name: both.slow.bias(name)[:, None, None] for name in ("b1", "c2", "b2", "c3", "b3")}
    products = [both.x * gradients["x"], *(b * gradients[name] for name, b in parts.items())]
    whole = sum(product.sum() for product in products) + both.slow.weights["fc.bias"][target]
    assert whole == pytest.approx(both.scores[target])  # equation 3 of the paper
    channels = [np.abs(channel) for product in products for channel in product]
    expected = sum(cam_oracles.upsampled(channel, (12, 8)) for channel in channels)
    found = cam(both.insp, "fullgrad", target=target)
    assert_equal(found, np.asarray(expected))
    assert found.completeness_gap == pytest.approx(0, abs=1e-4 * abs(both.scores[target]))


def test_score_cam_at_a_layer_in_the_middle(both: Both) -> None:
    activation = both.slow.values["b2"]
    expected = cam_oracles.scorecam(activation, both.x, both.score(1))
    assert_equal(cam(both.insp, "scorecam", "b2", 1), expected)


@pytest.mark.parametrize("rule", [None, "guided", "deconvnet"])
def test_gradients_by_every_rule(both: Both, rule: str | None) -> None:
    method = {None: "gradient", "guided": "guided_backprop"}.get(rule, "deconvnet")
    expected = both.slow.gradients(np.eye(5)[2], rule)["x"]  # type: ignore[arg-type]  # a Rule
    found = saliency(both.insp, method, 2)
    assert found.channels is not None
    np.testing.assert_allclose(found.channels, expected, rtol=0, atol=1e-5 * np.abs(expected).max())
    assert_equal(found, np.abs(expected).max(0))


def test_input_times_gradient_and_guided_grad_cam(both: Both) -> None:
    gradients = both.slow.gradients(np.eye(5)[2])
    assert_equal(saliency(both.insp, "input_x_gradient", 2), (both.x * gradients["x"]).sum(0))
    rectified = np.maximum(cam_oracles.gradcam(both.slow.values["b3"], gradients["b3"]), 0)
    guided = both.slow.gradients(np.eye(5)[2], "guided")["x"]
    expected = guided * cam_oracles.upsampled(rectified, (12, 8))
    assert expected.any()
    found = saliency(both.insp, "guided_gradcam", 2, layer="b3", reduction="sum")
    assert_equal(found, expected.sum(0))


def test_integrated_gradients_and_their_gap(both: Both) -> None:
    points, weights = np.polynomial.legendre.leggauss(12)
    total = np.zeros_like(both.x)
    for point, weight in zip(points, weights, strict=True):
        total += weight / 2 * both.gradients(4, (0.5 + point / 2) * both.x)
    expected = (both.x * total).sum(0)
    found = saliency(both.insp, "integrated_gradients", 4, steps=12, baseline="zero")
    assert_equal(found, expected)
    change = both.scores[4] - both.slow.scores(0 * both.x)[4]
    assert found.completeness_gap == pytest.approx(expected.sum() - change, abs=1e-3)


@pytest.mark.parametrize("method", ["smoothgrad", "vargrad"])
def test_moments_of_the_pictures_that_the_model_saw(both: Both, method: str) -> None:
    seen, found = pictures_of(
        lambda: saliency(both.insp, method, 2, samples=7, noise=0.3, reduction="sum")
    )
    assert len(seen) == 7
    gradients = np.stack([both.gradients(2, x) for x in seen])
    expected = gradients.mean(0) if method == "smoothgrad" else gradients.var(0)
    assert_equal(found, expected.sum(0))


@pytest.mark.parametrize(("side", "step"), [(3, 2), (5, 5)])
def test_occlusion(both: Both, side: int, step: int) -> None:
    drops, counts = np.zeros((12, 8)), np.zeros((12, 8))
    for top in range(0, 12 - side + step, step):
        for left in range(0, 8 - side + step, step):
            covered, where = both.x.copy(), np.s_[top : top + side, left : left + side]
            covered[:, where[0], where[1]] = 0
            drops[where] += both.scores[2] - both.slow.scores(covered)[2]
            counts[where] += 1
    assert_equal(saliency(both.insp, "occlusion", 2, window=side, stride=step), drops / counts)


def test_rise_with_the_masks_that_the_model_saw(both: Both) -> None:
    seen, found = pictures_of(lambda: saliency(both.insp, "rise", 2, masks=20))
    assert len(seen) == 20
    masks = (seen / both.x).mean(1)
    scores = np.array([both.slow.scores(x)[2] for x in seen])
    assert_equal(found, np.tensordot(scores, masks, 1) / masks.sum(0) - scores.mean())


@pytest.mark.parametrize("target", CLASSES)
def test_cam_is_the_dense_layers_weights_of_the_channels(target: int) -> None:
    """By hand: channels x and 5 - x, weights 1, -1, 2 and 0.5, 2, -1."""
    network = torch.nn.Sequential(
        torch.nn.Conv2d(1, 2, 1), torch.nn.ReLU(), torch.nn.AdaptiveAvgPool2d(1),
        torch.nn.Flatten(), torch.nn.Linear(2, 5),
    )  # fmt: skip
    with torch.no_grad():
        network.get_parameter("0.weight").copy_(torch.tensor([1.0, -1.0]).reshape(2, 1, 1, 1))
        network.get_parameter("0.bias").copy_(torch.tensor([0.0, 5.0]))
        network.get_parameter("4.weight").copy_(
            torch.tensor([[1.0, 0.5], [0, 0], [-1.0, 2.0], [0, 0], [2.0, -1.0]])
        )
    found = cam(Inspector(network, torch.tensor([[[[1.0, 2.0], [3.0, 4.0]]]])), "cam", "1", target)
    expected = np.array({0: [3, 3.5, 4, 4.5], 2: [7, 4, 1, -2], 4: [-2, 1, 4, 7]}[target])
    np.testing.assert_allclose(found.values.flatten(), expected, rtol=1e-6)


def test_cam_in_float64() -> None:
    model = cam_networks.built(cam_networks.Pooled())
    insp = Inspector(model, cam_networks.picture(1, 3, 8, 12))
    activation = insp.activation("relu2")[0].double().numpy()
    weights = model.get_parameter("fc.weight").detach().double().numpy()
    for target in range(4):
        expected = cam_oracles.weighted_sum(weights[target], activation)
        assert_equal(cam(insp, "cam", "relu2", target), expected)


def test_the_model_is_the_same_with_and_without_what_watches() -> None:
    plain, picture = tangled()
    watched, _ = tangled([])
    assert isinstance(plain, Tangled)
    assert torch.equal(plain(picture), watched(picture))
