"""Any attribution class of Captum, on a copy of the model."""

from __future__ import annotations

import sys
from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from cnnviz_widgets.attribution.saliency import saliency
from cnnviz_widgets.inspection import Inspector
from cnnviz_widgets.methods.progress import Cancelled
from tests.inspection import models
from tests.inspection.promise import unchanged

attr = pytest.importorskip("captum.attr")
# What Captum says where it is called by hand, to compare with.
pytestmark = pytest.mark.filterwarnings("ignore:Setting", "ignore:Input Tensor")


class Net(nn.Module):
    """Each ReLU a module of its own, as Captum wants it."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1, self.relu1 = nn.Conv2d(3, 4, 3), nn.ReLU()
        self.conv2, self.relu2 = nn.Conv2d(4, 6, 3), nn.ReLU()
        self.pool, self.fc = nn.AdaptiveAvgPool2d(1), nn.Linear(6, 5)

    def forward(self, x: Tensor) -> Tensor:
        y = self.relu2(self.conv2(self.relu1(self.conv1(x))))
        found: Tensor = self.fc(self.pool(y).flatten(1))
        return found


def look() -> tuple[nn.Module, Tensor, Inspector]:
    model, x = models.built(Net()), models.pictures(2)
    return model, x, Inspector(model, x)


AT_INPUT: dict[str, dict[str, object]] = {
    "Saliency": {},
    "InputXGradient": {},
    "IntegratedGradients": {"n_steps": 5},
    "DeepLift": {},
    "LRP": {},
    "GuidedBackprop": {},
    "Deconvolution": {},
    "Occlusion": {"sliding_window_shapes": (3, 4, 4), "strides": (3, 2, 2)},
}


@pytest.mark.parametrize("name", AT_INPUT)
def test_equal_to_captum_itself(name: str) -> None:
    """Given the user's model by hand: the same numbers, by channel, bit for bit or nearly."""
    model, x, insp = look()
    theirs = getattr(attr, name)
    with unchanged(model, x):
        found = saliency(insp, theirs, 2, 1, **AT_INPUT[name])  # type: ignore[arg-type]
    expected = theirs(models.built(Net())).attribute(x[1:], target=2, **AT_INPUT[name])
    assert found.channels is not None
    np.testing.assert_allclose(found.channels, expected[0].detach(), rtol=1e-5, atol=1e-7)
    np.testing.assert_allclose(found.values, found.channels.sum(0), rtol=1e-5, atol=1e-7)
    assert (found.method, found.layer, found.target_index) == (f"captum.{name}", None, 2)
    assert found.passes[0] > 0


@pytest.mark.parametrize(
    "name", ["LayerGradCam", "LayerConductance", "LayerDeepLift", "LayerIntegratedGradients"]
)
def test_classes_at_a_layer(name: str) -> None:
    model, x, insp = look()
    with unchanged(model, x):
        found = saliency(insp, getattr(attr, name), 2, 1, layer="conv2")
    plain = models.built(Net())
    expected = getattr(attr, name)(plain, plain.get_submodule("conv2")).attribute(x[1:], target=2)
    assert (found.layer, found.values.shape) == ("conv2", (8, 6))
    assert found.channels is not None
    np.testing.assert_allclose(found.channels, expected[0].detach(), rtol=1e-4, atol=1e-6)


def test_a_layer_with_channels_last_is_put_on_its_grid() -> None:
    model, x = models.built(models.ChannelsLast()), models.pictures(1)
    found = saliency(Inspector(model, x), attr.LayerGradientXActivation, 1, layer="mlp")
    plain = models.built(models.ChannelsLast())
    layer = attr.LayerGradientXActivation(plain, plain.get_submodule("mlp"))
    expected = layer.attribute(x, target=1)
    assert found.values.shape == (6, 5)
    np.testing.assert_allclose(found.values, expected[0].detach().sum(-1), rtol=1e-4, atol=1e-6)


def test_classes_for_a_neuron_lie_at_the_input() -> None:
    model, x, insp = look()
    with unchanged(model, x):
        found = saliency(insp, attr.NeuronGradient, layer="conv2", neuron_selector=(1, 2, 3))
    assert (found.layer, found.values.shape) == (None, (12, 10))
    assert (found.target_name, found.score_kind) == ("neuron (1, 2, 3) of conv2", "custom")
    assert np.isnan(found.score)
    with pytest.raises(ValueError, match="NeuronGradient explains no score of the"):
        saliency(insp, attr.NeuronGradient, 3, layer="conv2", neuron_selector=(1, 2, 3))


def test_noise_tunnel_is_given_a_class_and_a_seed() -> None:
    _, _, insp = look()
    tunnel: dict[str, object] = {"attribution_method": attr.Saliency, "stdevs": 0.1}
    before = torch.get_rng_state()
    first, again, other = (
        saliency(insp, attr.NoiseTunnel, 1, seed=seed, **tunnel)  # type: ignore[arg-type]
        for seed in (3, 3, 4)
    )
    assert torch.equal(torch.get_rng_state(), before)
    np.testing.assert_array_equal(first.values, again.values)
    assert not np.array_equal(first.values, other.values)


def test_a_convergence_delta_is_the_gap() -> None:
    _, _, insp = look()
    found = saliency(insp, attr.DeepLift, 1, return_convergence_delta=True)
    zero = Inspector(models.built(Net()), torch.zeros(1, 3, 12, 10)).passes.targets([1])[0].score
    expected = found.values.sum() - (found.score - zero)
    assert found.completeness_gap == pytest.approx(expected, abs=1e-5)


def test_by_name_and_by_a_class_of_ones_own() -> None:
    _, _, insp = look()

    class Mine(attr.Saliency):  # type: ignore[misc,name-defined]  # Captum has no types
        pass

    expected = saliency(insp, attr.Saliency).values
    for method in ("captum.Saliency", "captum.attr.Saliency", Mine):
        np.testing.assert_array_equal(saliency(insp, method).values, expected)


def test_the_logit_before_a_softmax_is_explained() -> None:
    x = models.pictures(1)
    model = nn.Sequential(models.built(Net()), nn.Softmax(1))
    found = saliency(Inspector(model, x), attr.Saliency, 2, abs=False)
    expected = attr.Saliency(models.built(Net())).attribute(x, target=2, abs=False)
    assert found.channels is not None
    np.testing.assert_allclose(found.channels, expected[0], rtol=1e-4, atol=1e-8)


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_a_model_that_raises_leaves_nothing_behind(error: type[BaseException]) -> None:
    model, x = models.built(models.Fails(error)).train(), models.pictures()
    insp = Inspector(model, x)
    insp.passes.scores(insp.passes.input(), 0)
    raised = KeyboardInterrupt if error is KeyboardInterrupt else RuntimeError
    with unchanged(model, x):
        models.FAILING.append(True)
        try:
            with pytest.raises(raised, match="half-way"):
                saliency(insp, attr.DeepLift, 0)
        finally:
            models.FAILING.clear()
        assert np.isfinite(saliency(insp, attr.Saliency, 0).values).all()


def test_captums_error_says_what_was_tried() -> None:
    """A ReLU that is used twice is Captum's trouble."""
    model, x = models.built(models.Plain()), models.pictures(1)
    with unchanged(model, x), pytest.raises(RuntimeError, match="used more than once") as error:
        saliency(Inspector(model, x), attr.DeepLift, 1)
    text = str(error.value)
    assert text.startswith("captum.attr.DeepLift raised RuntimeError: ")
    assert "an input of shape (1, 3, 12, 10), the target '1'. Captum sees modules only, and" in text


def test_a_report_stops_it_between_passes() -> None:
    _, _, insp = look()
    seen: list[int] = []

    def report(done: int, _total: int, _partial: object) -> None:
        seen.append(done)
        if done >= 3:
            raise Cancelled

    with pytest.raises(Cancelled):
        saliency(insp, attr.Occlusion, 1, report=report, sliding_window_shapes=(3, 4, 4))
    assert seen == [0, 1, 2, 3]


def test_a_model_that_cannot_be_copied_is_refused() -> None:
    insp = Inspector(models.built(models.NoCopy()), models.pictures(1))
    with pytest.raises(ValueError, match=r"NoCopy cannot be copied .*no copies of me"):
        saliency(insp, attr.Saliency)


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (lambda i: saliency(i, dict), TypeError, "method=builtins.dict is no class of Captum"),
        (lambda i: saliency(i, attr.Count), TypeError, "Count is no class of Captum that explains"),
        (lambda i: saliency(i, attr.DataLoaderAttribution), TypeError, "is no class of Captum"),
        (
            lambda i: saliency(i, attr.Saliency(nn.Identity())),
            TypeError,
            r"method=Saliency\(...\) was made for one model; give the class itself",
        ),
        (lambda i: saliency(i, "captum.Deep"), ValueError, "no such attribution class; it has De"),
        (lambda i: saliency(i, attr.LayerGradCam), ValueError, "LayerGradCam works at a layer;"),
        (lambda i: saliency(i, attr.Saliency, layer="conv1"), ValueError, "takes no layer"),
        (lambda i: saliency(i, attr.Saliency, steps=2), TypeError, "steps=2 is no argument of cap"),
        (lambda i: saliency(i, attr.Saliency, target=lambda o: o), TypeError, "explains a class"),
        (lambda i: saliency(i, attr.Occlusion), TypeError, "sliding_window_shapes= is missing"),
        (lambda i: saliency(i, attr.Saliency, reduction="max"), ValueError, "reduction='max'"),
        (lambda i: saliency(i, attr.Saliency, seed="a"), TypeError, "seed='a' must be a whole"),
    ],
)  # fmt: skip
def test_bad_arguments(
    call: Callable[[Inspector], object], error: type[Exception], text: str
) -> None:
    _, _, insp = look()
    with pytest.raises(error, match=text):
        call(insp)


def test_without_captum_a_name_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    _, _, insp = look()
    monkeypatch.setitem(sys.modules, "captum.attr", None)
    with pytest.raises(ModuleNotFoundError, match="needs Captum: pip install captum"):
        saliency(insp, "captum.DeepLift")
