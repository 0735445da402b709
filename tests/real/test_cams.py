"""Class-activation maps on real trained networks and photographs, against Captum and themselves."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from cnnviz_widgets.attribution import cam, cam_sweep
from cnnviz_widgets.attribution.sweep import sweep_maps
from cnnviz_widgets.inspection import Inspector
from cnnviz_widgets.methods import methods
from tests.inspection.promise import unchanged
from tests.real.networks import load, look, needs_data, photograph
from tests.real.test_networks import LAYERS

attr = pytest.importorskip("captum.attr")
pytestmark = [
    pytest.mark.real,
    needs_data,
]
PICTURES = {
    "squeezenet1_0_imagenet": "dog_and_cat.png",
    "resnet20_cifar10": "siamese_cat.jpg",
    "tinyvgg_10": "tiny64_koala.jpg",
    "mnist_cnn": "mnist_nine.png",
}
EVERYWHERE = [method.name for method in methods("cam") if method.name != "cam"]


def inspector(name: str) -> Inspector:
    network = load(name)
    return look(network, photograph(network.recipe, PICTURES[name]))


@pytest.mark.parametrize("name", LAYERS)
def test_equal_to_captum_at_convolutions(name: str) -> None:
    """Raw Grad-CAM, and HiResCAM as LayerGradientXActivation summed over the channels."""
    insp, network = inspector(name), load(name).model
    layers = [info.name for info in insp.layers if info.type == "Conv2d"]
    layers = layers[:: max(1, len(layers) // 7)] + layers[-1:]  # Captum takes a pass for each
    targets = [p.index for p in insp.predictions(2)[0]]
    x = insp.passes.input()
    found = sweep_maps(insp, ["gradcam", "hirescam"], layers, targets)
    for layer in layers:
        module = network.get_submodule(layer)
        for target in targets:
            raw = attr.LayerGradCam(network, module).attribute(x, target=target)
            product = attr.LayerGradientXActivation(network, module).attribute(x, target=target)
            pairs = (("gradcam", raw[0, 0]), ("hirescam", product[0].sum(0)))
            for method, theirs in pairs:
                expected = theirs.detach().numpy()
                ours = found[method][layer, target].values
                scale = np.abs(expected).max()
                np.testing.assert_allclose(ours, expected, rtol=1e-5, atol=1e-5 * scale)


@pytest.mark.parametrize("name", LAYERS)
def test_every_method_gives_a_finite_map(name: str) -> None:
    network = load(name)
    insp = look(network, photograph(network.recipe, PICTURES[name]))
    size = insp.picture().shape[:2]  # type: ignore[union-attr]  # these have pictures
    with unchanged(network.model):
        for method in EVERYWHERE:
            many = insp.layers[-1].shape[1] > 500 and method in {"scorecam", "ablationcam"}
            m = cam(insp, method, "features.3.squeeze" if many else None)  # of 16 channels
            assert m.status in {"ok", "empty", "constant"}, m
            assert np.isfinite(m.values).all()
            assert m.display().shape == size
            assert m.score_kind == "logit"


@pytest.mark.parametrize("name", ["squeezenet1_0_imagenet", "tinyvgg_10", "resnet20_cifar10"])
def test_fullgrad_adds_up_to_the_score(name: str) -> None:
    m = cam(inspector(name), "fullgrad")
    assert m.completeness_gap == pytest.approx(0, abs=1e-3 * abs(m.score))


def test_in_place_relus_of_squeezenet_change_nothing() -> None:
    """Libraries that hook modules see a convolution's output after the ReLU behind it."""
    network = load("squeezenet1_0_imagenet")
    picture = photograph(network.recipe, PICTURES["squeezenet1_0_imagenet"])
    twin = load("squeezenet1_0_imagenet")
    for module in (*network.model.modules(), *twin.model.modules()):
        if isinstance(module, torch.nn.ReLU):
            module.inplace = True
    for module in twin.model.modules():
        if isinstance(module, torch.nn.ReLU):
            module.inplace = False
    one = cam_sweep(look(network, picture), "gradcam")
    other = cam_sweep(look(twin, picture), "gradcam")
    for key in one:
        a, b = one[key].values, other[key].values
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6 * np.abs(b).max())


@pytest.mark.parametrize("method", ["gradcam", "gradcam++", "layercam", "finercam"])
def test_dog_and_cat_are_told_apart(method: str) -> None:
    """The maps of a dog class and of a cat class have their weight on different halves."""
    insp = inspector("squeezenet1_0_imagenet")
    names = [p.name for p in insp.predictions(100)[0]]
    dog = next(name for name in names if "bull mastiff" in name or "boxer" in name)
    cat = next(name for name in names if "tabby" in name or "tiger cat" in name)
    places = {}
    for target in (dog, cat):
        shown = cam(insp, method, "features.12", target).display()
        ys, xs = np.mgrid[0 : shown.shape[0], 0 : shown.shape[1]]
        places[target] = np.array([(shown * ys).sum(), (shown * xs).sum()]) / shown.sum()
    assert np.linalg.norm(places[dog] - places[cat]) > 5, places
