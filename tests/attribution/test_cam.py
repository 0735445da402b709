"""cw.cam: what a map says of itself, its defaults, and what it refuses."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F  # as everybody
from torch import Tensor, nn

from cnnviz_widgets.attribution import Map, cam
from cnnviz_widgets.inspection import Inspector
from cnnviz_widgets.methods import methods
from cnnviz_widgets.methods.progress import Cancelled
from tests.inspection.promise import unchanged
from tests.methods.cam_networks import (
    HAND_PICTURE,
    Along,
    Pooled,
    Transformer,
    Windows,
    built,
    hand_network,
    picture,
)

EVERYWHERE = [method.name for method in methods("cam") if method.name != "cam"]
NAMES = ("ape", "bee", "cat", "dog")


def look(network: nn.Module | None = None, *, images: int = 1, **options: Any) -> Inspector:
    return Inspector(built(network or Pooled()), picture(images, 3, 12, 16), **options)


def test_a_map_says_what_it_is() -> None:
    insp = look(images=2, class_names=NAMES)
    m = cam(insp, "smoothgradcam++", "conv1", "bee", 1, samples=4)
    assert (m.method, m.layer, m.image, m.target_index, m.target_name) == (
        "smoothgradcam++", "conv1", 1, 1, "bee",
    )  # fmt: skip
    assert m.parameters == {"samples": 4, "noise": 0.1, "seed": 0}
    assert m.score_kind == "logit"
    scores = {prediction.index: prediction.score for prediction in insp.predictions(4)[1]}
    assert m.score == pytest.approx(scores[1], rel=1e-4)
    assert m.values.shape == m.size == (12, 16)
    assert m.values.dtype == np.float32
    assert m.passes == (5, 4)
    assert m.seconds > 0
    assert m.final
    assert np.array_equal(m.picture, insp.picture(1))  # type: ignore[arg-type]  # not None here


def test_defaults_are_the_top_class_and_the_last_layer_with_a_grid() -> None:
    insp = look()
    m = cam(insp)
    assert (m.method, m.layer) == ("gradcam", "relu2")
    assert m.target_index == insp.predictions(1)[0][0].index
    assert m.values.shape == (6, 8)


def test_each_image_has_its_own_map() -> None:
    insp = look(images=3)
    alone = Inspector(insp.model, picture(3, 3, 12, 16)[2:])
    for method in EVERYWHERE:
        here, there = cam(insp, method, "conv2", 1, 2), cam(alone, method, "conv2", 1)
        np.testing.assert_allclose(here.values, there.values, rtol=1e-3, atol=1e-5)


def test_a_container_is_a_layer_too() -> None:
    m = cam(look(Transformer()), "gradcam", "blocks.0")
    assert m.values.shape == (3, 4)


def test_a_module_called_twice_has_two_maps() -> None:
    class Twice(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv = nn.Conv2d(3, 3, 3, padding=1)
            self.fc = nn.Linear(3, 2)

        def forward(self, x: Tensor) -> Tensor:
            return self.fc(self.conv(F.relu(self.conv(x))).mean((2, 3)))  # type: ignore[no-any-return]  # torch's

    insp = look(Twice())
    first, second = (cam(insp, "hirescam", f"conv#{call}", 0).values for call in (1, 2))
    for values, layer in ((first, "conv#1"), (second, "conv#2")):
        expected = (insp.activation(layer) * insp.gradient(layer, 0))[0].sum(0)
        np.testing.assert_allclose(values, expected, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("method", EVERYWHERE)
def test_in_place_relus_give_the_map_of_their_twin(method: str) -> None:
    network = Pooled()
    network.relu1 = nn.ReLU()
    network.relu2 = nn.ReLU()
    for layer in ("conv1", "bn", "conv2"):
        one = cam(look(), method, layer, 1).values
        other = cam(look(network), method, layer, 1).values
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-6 * np.abs(other).max())


@pytest.mark.parametrize("method", EVERYWHERE)
@pytest.mark.parametrize("network", [Transformer(), Transformer(read="mean"), Windows()])
def test_networks_of_tokens(network: nn.Module, method: str) -> None:
    layer = "norm1" if isinstance(network, Windows) else "blocks.1.norm1"
    m = cam(look(network), method, layer)
    assert m.status in {"ok", "empty"}
    assert m.values.std() > 0
    assert m.display().shape == (12, 16)


def test_behind_the_class_token_no_place_can_matter() -> None:
    m = cam(look(Transformer()), "gradcam", "norm")
    assert m.status == "empty"
    assert "the score reads the class token alone" in str(m.note)
    assert cam(look(Transformer())).layer == "blocks.1.qkv"


class OneImage(Pooled):
    """Refuses batches, or with statistics of the batch mixes its images."""

    def __init__(self, *, mixes: bool) -> None:
        super().__init__()
        self.mixes = mixes
        if mixes:
            self.bn = nn.BatchNorm2d(5, track_running_stats=False)

    def forward(self, x: Tensor) -> Tensor:
        assert self.mixes or len(x) == 1
        return super().forward(x)


@pytest.mark.parametrize("method", ["smoothgradcam++", "scorecam", "ablationcam"])
@pytest.mark.parametrize("mixes", [False, True])
def test_models_that_take_one_image_at_a_time(method: str, *, mixes: bool) -> None:
    insp = Inspector(built(OneImage(mixes=mixes)), picture(1, 3, 12, 16))
    m = cam(insp, method, "conv1", 1, **_steady(method))
    assert m.status == "ok"
    if method == "smoothgradcam++":  # without noise: what one clean pass gives
        clean = cam(insp, "gradcam++", "conv1", 1)
        np.testing.assert_allclose(m.values, clean.values, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("method", EVERYWHERE)
def test_one_axis(method: str) -> None:
    m = cam(Inspector(built(Along(1)), picture(1, 2, 16)), method, "conv2")
    assert m.values.shape == (1, 8)
    assert m.size == (1, 16)
    assert m.picture is None


@pytest.mark.parametrize("method", EVERYWHERE)
def test_three_axes_show_the_mean_over_the_depth(method: str) -> None:
    m = cam(Inspector(built(Along(3)), picture(1, 2, 4, 6, 8)), method, "conv1")
    assert m.volume is not None
    assert m.volume.shape == (4, 6, 8)
    np.testing.assert_allclose(m.values, m.volume.mean(0), rtol=1e-5, atol=1e-7)


class Ending(nn.Module):
    """The hand network with something behind its scores."""

    def __init__(self, ending: str) -> None:
        super().__init__()
        self.body = hand_network()
        self.ending = ending

    def forward(self, x: Tensor) -> Tensor:
        scores: Tensor = self.body(x)
        if self.ending == "softmax":
            return F.softmax(scores, dim=1)
        return scores.log_softmax(1) if self.ending == "log_softmax" else scores.sigmoid()


@pytest.mark.parametrize("ending", ["softmax", "log_softmax", "sigmoid"])
@pytest.mark.parametrize("method", [*EVERYWHERE])
def test_the_score_before_a_final_softmax_is_explained_and_named(ending: str, method: str) -> None:
    m = cam(Inspector(Ending(ending), HAND_PICTURE), method, "body.1", 0)
    plain = cam(Inspector(hand_network(), HAND_PICTURE), method, "1", 0)
    assert (m.score_kind, m.score) == ("logit", 15)
    assert f"The model ends in {ending}" in str(m.note)
    np.testing.assert_allclose(m.values, plain.values, rtol=1e-5)


def test_blank_maps_say_why() -> None:
    against = cam(Inspector(hand_network(), HAND_PICTURE), "gradcam", "1", 1)
    assert against.status == "empty"
    assert "No place speaks for the class: all values are zero or negative" in str(against.note)
    network = hand_network()
    with torch.no_grad():
        network.get_parameter("0.bias").fill_(-100)
    dead = cam(Inspector(network, HAND_PICTURE), "gradcam", "1", 0)
    assert dead.status == "empty"
    assert "the layer is dead on this picture" in str(dead.note)
    with torch.no_grad():
        network.get_parameter("3.weight").fill_(torch.nan)
    wrong = cam(Inspector(network, HAND_PICTURE), "gradcam", "1", 0)
    assert wrong.status == "nonfinite"


@pytest.mark.parametrize("method", ["scorecam", "ablationcam", "smoothgradcam++"])
def test_partial_maps_and_a_stop(method: str) -> None:
    insp = look()
    partials: list[Map] = []

    def report(done: int, total: int, partial: Any) -> None:
        assert 0 <= done <= total
        if partial is not None:
            partials.append(partial())
            raise Cancelled

    with unchanged(insp.model), pytest.raises(Cancelled):
        cam(insp, method, "conv1", report=report)
    assert len(partials) == 1
    assert not partials[0].final
    assert partials[0].values.shape == (12, 16)


@pytest.mark.parametrize("method", EVERYWHERE)
def test_the_model_is_left_as_it_was(method: str) -> None:
    network = built(Pooled()).train()
    pixels = picture(2, 3, 12, 16)
    network(pixels).sum().backward()
    insp = Inspector(network, pixels)
    with unchanged(network, pixels):
        cam(insp, method, "conv1")


def test_fullgrad_says_how_complete_it_is() -> None:
    m = cam(look(), "fullgrad")
    assert m.layer is None
    assert m.values.shape == (12, 16)
    assert m.completeness_gap == pytest.approx(0, abs=1e-4)


@pytest.mark.parametrize(
    ("arguments", "error", "text"),
    [
        ({"method": "grad-cam"}, ValueError, "did you mean 'gradcam'"),
        ({"method": "occlusion"}, ValueError, "it is a saliency method: call cw.saliency"),
        ({"layer": "conv3"}, ValueError, "layer='conv3' is not a layer of this model; close match"),
        ({"layer": "fc"}, ValueError, r"layer='fc' has an output of shape \(1, 4\), which has no"),
        ({"layer": 3}, TypeError, "layer=3 is a int; give the name of a layer as a string"),
        ({"target": 4}, ValueError, "target=4 is not a class of this model; it has 4: 0 to 3"),
        ({"target": "cat"}, ValueError, "target='cat' is a class name, but the Inspector has no"),
        ({"image": 1}, ValueError, "image=1 is not in the batch of 1; give 0 to 0"),
        ({"image": "first"}, TypeError, "image='first' is a str; give the place of an image"),
        ({"samples": 3}, TypeError, "samples=3 is no parameter of 'gradcam'"),
        (
            {"method": "finercam", "gamma": -1},
            ValueError,
            "gamma=-1 of 'finercam' must be",
        ),
    ],
)
def test_bad_arguments(arguments: dict[str, Any], error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=text):
        cam(look(), **arguments)


def test_a_bare_model_is_no_inspector() -> None:
    with pytest.raises(TypeError, match=r"insp=Pooled is no Inspector; make one first: cw.cam\("):
        cam(Pooled())  # type: ignore[arg-type]  # what a user may pass


@pytest.mark.parametrize("method", EVERYWHERE)
def test_half_precision(method: str) -> None:
    network = built(Pooled())
    full = cam(Inspector(network, picture(1, 3, 12, 16)), method, "conv1", 1, **_steady(method))
    half = Inspector(built(Pooled()).bfloat16(), picture(1, 3, 12, 16))
    m = cam(half, method, "conv1", 1, **_steady(method))
    assert m.values.dtype == np.float32
    assert np.isfinite(m.values).all()
    if method not in {"eigencam", "eigengradcam", "gradcam++", "smoothgradcam++", "xgradcam"}:
        scale = np.abs(full.values).max()
        np.testing.assert_allclose(m.values, full.values, atol=0.2 * scale)


def _steady(method: str) -> dict[str, Any]:
    return {"samples": 2, "noise": 0.0} if method == "smoothgradcam++" else {}
