"""`saliency`: what every method explains, through an Inspector, and what it refuses."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from cnnviz_widgets.attribution.cam import cam
from cnnviz_widgets.attribution.resize import resized
from cnnviz_widgets.attribution.saliency import saliency
from cnnviz_widgets.inspection import Inspector
from tests.attribution.few_passes import NAMES, RULED, quick
from tests.inspection import models


class Head(nn.Module):
    """A network that ends in a softmax, or does not."""

    def __init__(self, *, softmax: bool) -> None:
        super().__init__()
        self.body = models.Plain()
        self.softmax = nn.Softmax(1) if softmax else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        result: Tensor = self.softmax(self.body(x))
        return result


@pytest.mark.parametrize("name", NAMES)
def test_the_logit_before_a_softmax_is_explained_and_said(name: str) -> None:
    x = models.pictures(1)
    probability = quick(Inspector(models.built(Head(softmax=True)), x), name)
    logit = quick(Inspector(models.built(Head(softmax=False)), x), name)
    assert probability.score == pytest.approx(logit.score)
    assert probability.score_kind == "logit"
    assert "the score before it, a logit, is explained" in (probability.note or "")
    np.testing.assert_allclose(probability.values, logit.values, rtol=1e-4, atol=1e-7)


def test_the_top_prediction_is_that_of_the_whole_picture() -> None:
    """Covered or noisy pictures may have another; the score stays."""

    class Turning(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.keep = nn.Identity()

        def forward(self, x: Tensor) -> Tensor:
            total = self.keep(x).flatten(1).sum(1)
            return torch.stack([total, 4 - total], 1)  # class 1 as soon as half is covered

    insp = Inspector(Turning(), torch.ones(1, 1, 2, 2))
    found = saliency(insp, "occlusion", window=2, stride=2)
    assert (found.target_index, found.score) == (0, 4.0)
    assert found.values.tolist() == [[4.0, 4.0], [4.0, 4.0]]


class Rectifiers(nn.Module):
    """The same network with ReLUs of different makes."""

    def __init__(self, kind: str) -> None:
        super().__init__()
        self.kind = kind
        self.first, self.second = nn.Conv2d(3, 4, 3), nn.Conv2d(4, 6, 3)
        self.fc = nn.Linear(6, 5)
        self.relu1, self.relu2 = nn.ReLU(), nn.ReLU()
        self.inplace = nn.ReLU(inplace=True)

    def forward(self, x: Tensor) -> Tensor:
        y = self._relu(self.second(self._relu(self.first(x), self.relu1)), self.relu2)
        found: Tensor = self.fc(y.mean((2, 3)))
        return found

    def _relu(self, x: Tensor, module: nn.Module) -> Tensor:
        makes: dict[str, Callable[[Tensor], Tensor]] = {
            "modules": module,
            "reused": self.relu1,
            "in place": self.inplace,
            "F.relu": functional.relu,
            "F.relu in place": lambda x: functional.relu(x, inplace=True),
            "relu_": lambda x: x.relu_(),
            "clamp": lambda x: x.clamp(min=0),
            "silu": functional.silu,
        }
        return makes[self.kind](x)


@pytest.mark.parametrize("name", sorted(RULED))
@pytest.mark.parametrize(
    "kind", ["reused", "in place", "F.relu", "F.relu in place", "relu_", "clamp"]
)
def test_every_make_of_relu_is_intercepted(name: str, kind: str) -> None:
    """Functions too, for which other libraries give the plain gradient without a word."""
    x = models.pictures(1)
    expected = quick(Inspector(models.built(Rectifiers("modules")), x), name, layer=layer(name))
    got = quick(Inspector(models.built(Rectifiers(kind)), x), name, layer=layer(name))
    plain = quick(Inspector(models.built(Rectifiers("modules")), x), "gradient")
    np.testing.assert_allclose(got.values, expected.values, rtol=1e-5, atol=1e-8)
    assert not np.allclose(got.values, plain.values, rtol=1e-3)


def layer(name: str) -> str | None:
    return "second" if name == "guided_gradcam" else None


@pytest.mark.parametrize("name", sorted(RULED))
def test_nothing_to_intercept_is_refused_with_the_reason(name: str) -> None:
    insp = Inspector(models.built(Rectifiers("silu")), models.pictures(1))
    text = f"method='{name}' changes how .*Rectifiers has no ReLU: its nonlinearities are SiLU"
    with pytest.raises(ValueError, match=text):
        quick(insp, name)


def test_integrated_gradients_says_its_gap() -> None:
    insp = Inspector(models.built(models.Plain()), models.pictures(1))
    found = saliency(insp, "integrated_gradients", steps=40, baseline="zero")
    empty = Inspector(models.built(models.Plain()), torch.zeros(1, 3, 12, 10))
    index = found.target_index
    assert index is not None
    start = saliency(empty, "gradient", index).score
    assert found.completeness_gap == pytest.approx(
        found.values.sum() - (found.score - start), abs=1e-4
    )
    assert found.note is not None
    assert "a gap of" in found.note
    assert found.passes == (41, 40)


def test_black_is_a_black_pixel_where_the_normalisation_is_known() -> None:
    model, x = models.built(models.Plain()), models.pictures(1)
    mean, std = [0.5, 0.4, 0.3], [0.2, 0.25, 0.5]
    known = Inspector(model, x, mean=mean, std=std)
    black = -torch.tensor(mean) / torch.tensor(std)
    got = saliency(known, "integrated_gradients", steps=5)
    same = saliency(known, "integrated_gradients", steps=5, baseline=black.reshape(3, 1, 1))
    np.testing.assert_array_equal(got.values, same.values)
    assert isinstance(same.parameters["baseline"], np.ndarray)  # no torch in a map
    unknown = Inspector(model, x)
    zero = saliency(unknown, "integrated_gradients", steps=5, baseline=0.0)
    np.testing.assert_array_equal(
        saliency(unknown, "integrated_gradients", steps=5).values, zero.values
    )


def test_a_blank_map_says_why() -> None:
    """The gradient of a score that does not depend on the picture is zero everywhere."""
    model = models.built(models.Plain())
    with torch.no_grad():
        model.get_parameter("conv2.weight").zero_()
    found = saliency(Inspector(model, models.pictures(1)), "gradient")
    assert found.status == "empty"
    assert found.note == "Every value is zero."


def test_guided_gradcam_is_guided_backprop_times_grad_cam() -> None:
    """Of the layer's Grad-CAM, rectified and enlarged bilinearly."""
    insp = Inspector(models.built(Rectifiers("modules")), models.pictures(1))
    gradcam = cam(insp, "gradcam", "second", 1)
    guided = saliency(insp, "guided_backprop", 1)
    found = saliency(insp, "guided_gradcam", 1, layer="second")
    assert guided.channels is not None
    assert found.channels is not None
    enlarged = resized(gradcam.rectified(), (12, 10))
    np.testing.assert_allclose(found.channels, guided.channels * enlarged, rtol=1e-4, atol=1e-9)


def test_guided_gradcam_names_its_layer() -> None:
    insp = Inspector(models.built(models.Plain()), models.pictures(1))
    found = saliency(insp, "guided_gradcam", layer="conv2")
    assert found.parameters["layer"] == "conv2"
    assert saliency(insp, "guided_gradcam").parameters["layer"] == "relu#2"


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (lambda i: saliency(nn.Linear(2, 2)), TypeError, "insp=Linear is no Inspector; make one"),  # type: ignore[arg-type]
        (lambda i: saliency(i, "smooth_grad"), ValueError, "did you mean 'smoothgrad'"),
        (lambda i: saliency(i, "gradcam"), ValueError, r"it is a cam method: call cw\.cam"),
        (lambda i: saliency(i, "gradient", layer="conv1"), ValueError, "takes no layer; maps at a"),
        (lambda i: saliency(i, "gradient", steps=3), TypeError, "steps=3 is no parameter of 'gr"),
        (lambda i: saliency(i, "rise", masks=0), ValueError, "masks=0 of 'rise' must be a whole"),
        (lambda i: saliency(i, "rise", baseline="white"), ValueError, "baseline='white' of 'rise'"),
        (lambda i: saliency(i, "gradient", 99), ValueError, "target=99 is not a class"),
        (lambda i: saliency(i, "gradient", image=4), ValueError, "image=4"),
        (lambda i: saliency(i, "gradient", baseline=0.0), TypeError, "baseline=0.0 is no param"),
    ],
)  # fmt: skip
def test_bad_arguments(
    call: Callable[[Inspector], object], error: type[Exception], text: str
) -> None:
    insp = Inspector(models.built(models.Plain()), models.pictures())
    with pytest.raises(error, match=text):
        call(insp)


def test_no_bar_for_a_short_method(capsys: pytest.CaptureFixture[str]) -> None:
    saliency(Inspector(models.built(models.Plain()), models.pictures(1)), "gradient")
    assert capsys.readouterr().err == ""
