"""Saliency on real trained networks and photographs, against Captum."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from cnnviz_widgets.attribution.map import Map
from cnnviz_widgets.attribution.saliency import saliency
from cnnviz_widgets.attribution.sweep import cam_sweep
from cnnviz_widgets.inspection import Inspector
from cnnviz_widgets.methods import methods
from tests.inspection.promise import unchanged
from tests.real.networks import load, look, needs_data, photograph

attr = pytest.importorskip("captum.attr")
pytestmark = [
    pytest.mark.real,
    # What Captum says where it is called by hand.
    pytest.mark.filterwarnings("ignore:Setting", "ignore:Input Tensor"),
    needs_data,
]
PICTURES = {
    "squeezenet1_0_imagenet": "dog_and_cat.png",
    "resnet20_cifar10": "cat_chelsea.png",
    "tinyvgg_10": "tiny64_koala.jpg",
    "mnist_cnn": "mnist_nine.png",
}
WITH_MODULES = [name for name in PICTURES if name != "mnist_cnn"]  # its ReLUs are functions


def inspected(name: str) -> Inspector:
    network = load(name)
    return look(network, photograph(network.recipe, PICTURES[name]))


def assert_equal(found: Map, expected: torch.Tensor) -> None:
    """Fail unless all channels agree within 1e-5 of the largest value."""
    ours = found.values[None] if found.channels is None else found.channels
    theirs = expected.detach()[0].numpy()
    assert float(np.abs(ours - theirs).max()) <= 1e-5 * float(np.abs(theirs).max())


@pytest.mark.parametrize("name", PICTURES)
def test_gradients_equal_captums(name: str) -> None:
    insp = inspected(name)
    x, model = insp.passes.input(), load(name).model
    found = saliency(insp, "gradient")
    target = found.target_index
    assert_equal(found, attr.Saliency(model).attribute(x, target=target, abs=False))
    expected = attr.InputXGradient(model).attribute(x, target=target)
    assert_equal(saliency(insp, "input_x_gradient"), expected)


@pytest.mark.parametrize("name", WITH_MODULES)
@pytest.mark.parametrize(
    ("method", "theirs"), [("guided_backprop", "GuidedBackprop"), ("deconvnet", "Deconvolution")]
)
def test_rules_equal_captums_where_relus_are_modules(name: str, method: str, theirs: str) -> None:
    insp = inspected(name)
    found = saliency(insp, method)
    captum = getattr(attr, theirs)(load(name).model)
    assert_equal(found, captum.attribute(insp.passes.input(), target=found.target_index))


def test_functional_relus_are_intercepted_where_captum_sees_none() -> None:
    """The network's ReLUs are functions: Captum gives the plain gradient, and says nothing."""
    insp = inspected("mnist_cnn")
    plain, guided = saliency(insp, "gradient"), saliency(insp, "guided_backprop")
    captum = attr.GuidedBackprop(load("mnist_cnn").model)
    assert_equal(plain, captum.attribute(insp.passes.input(), target=plain.target_index))
    assert plain.channels is not None
    assert guided.channels is not None
    assert float(np.abs(guided.channels - plain.channels).max()) > 0.1 * np.abs(plain.values).max()


@pytest.mark.parametrize("name", WITH_MODULES)
def test_guided_gradcam_equals_captums(name: str) -> None:
    """At the convolution whose map is positive at most places; enlarged bilinearly there, too."""
    insp = inspected(name)
    best = insp.predictions(1)[0][0].index
    convolutions = [info.name for info in insp.layers if info.type == "Conv2d"]
    maps = cam_sweep(insp, "gradcam", layers=convolutions, targets=[best])
    layer = max(convolutions, key=lambda name: maps[name, best].display().mean())
    found = saliency(insp, "guided_gradcam", layer=layer)
    model = load(name).model
    captum = attr.GuidedGradCam(model, model.get_submodule(layer))
    expected = captum.attribute(
        insp.passes.input(), target=found.target_index, interpolate_mode="bilinear"
    )
    assert expected.any()
    assert_equal(found, expected)


@pytest.mark.parametrize("name", PICTURES)
def test_noise_tunnel_equals_ours(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the same noise; in float64, where no ReLU is shut by rounding alone."""
    network = load(name)
    network.model.double()
    x = inspected(name).passes.input().double()
    insp = Inspector(network.model, x)
    drawn, sigma = torch.Generator().manual_seed(3), 0.1 * float(x.max() - x.min())
    noise = torch.stack([torch.randn(x.shape[1:], generator=drawn) for _ in range(4)]).double()
    monkeypatch.setattr(torch, "normal", lambda _mean, deviation: deviation * noise)
    for method in ("smoothgrad", "vargrad"):
        found = saliency(insp, method, samples=4, noise=0.1, seed=3)
        expected = attr.NoiseTunnel(attr.Saliency(network.model)).attribute(
            x, nt_type=method, nt_samples=4, stdevs=sigma, target=found.target_index, abs=False
        )
        assert_equal(found, expected)


@pytest.mark.parametrize("name", PICTURES)
@pytest.mark.parametrize(
    ("rule", "theirs"), [("gauss-legendre", "gausslegendre"), ("midpoint", "riemann_middle")]
)
def test_integrated_gradients_equal_captums(name: str, rule: str, theirs: str) -> None:
    """In float64: in float32 a ReLU that is shut by rounding alone moves a gradient by 1e-4."""
    network = load(name)
    network.model.double()
    x = inspected(name).passes.input().double()
    insp = Inspector(network.model, x)
    found = saliency(insp, "integrated_gradients", steps=8, rule=rule, baseline="zero")
    captum = attr.IntegratedGradients(network.model)
    options: dict[str, Any] = {"n_steps": 8, "method": theirs, "internal_batch_size": 4}
    assert_equal(found, captum.attribute(x, target=found.target_index, **options))


@pytest.mark.parametrize("name", PICTURES)
def test_integrated_gradients_are_nearly_complete(name: str) -> None:
    found = saliency(inspected(name), "integrated_gradients", steps=50, baseline="zero")
    assert found.completeness_gap is not None
    assert abs(found.completeness_gap) < 0.1 * abs(found.score)


@pytest.mark.parametrize("name", PICTURES)
def test_occlusion_equals_captums(name: str) -> None:
    insp = inspected(name)
    x = insp.passes.input()
    side = min(x.shape[2:]) // 3
    found = saliency(insp, "occlusion", window=side, stride=side // 2)
    captum = attr.Occlusion(load(name).model)
    shapes, strides = (x.shape[1], side, side), (x.shape[1], side // 2, side // 2)
    expected = captum.attribute(
        x, target=found.target_index, sliding_window_shapes=shapes, strides=strides
    )
    assert_equal(found, expected[:, :1])  # all channels of a window share a drop


QUICK = {
    "integrated_gradients": {"steps": 3}, "smoothgrad": {"samples": 3}, "vargrad": {"samples": 3},
    "rise": {"masks": 8}, "occlusion": {"window": 32, "stride": 32},
}  # fmt: skip


@pytest.mark.parametrize("name", PICTURES)
def test_every_method_runs_and_leaves_the_network_alone(name: str) -> None:
    network = load(name)
    insp = look(network, photograph(network.recipe, PICTURES[name]))
    picture = insp.picture()
    assert picture is not None
    with unchanged(network.model):
        for method in methods("saliency"):
            options: dict[str, Any] = dict(QUICK.get(method.name, {}))
            options = {} if name != "squeezenet1_0_imagenet" and "window" in options else options
            found = saliency(insp, method.name, **options)
            assert found.values.shape == picture.shape[:2]
            assert np.isfinite(found.values).all()
            assert found.display().shape == picture.shape[:2]
