"""A look at another picture: one pass, and the values of a trace."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest
import torch
from torch import Tensor, nn

import cnnviz_widgets as cw
from cnnviz_widgets.inspection import Inspector
from cnnviz_widgets.inspection.guests import guest_of
from tests.inspection import models
from tests.inspection.promise import unchanged
from tests.inspection.test_outline import Wired
from tests.inspection.test_sweep import MODELS, assert_near, swept


def counted(model: nn.Module) -> list[int]:
    """Return a list that grows with every forward pass of a model and its copies."""
    passes: list[int] = []
    model.register_forward_hook(lambda *_: passes.append(1))
    return passes


def quiet(_done: int, _total: int, _partial: object) -> None:
    """Draw no bar."""


TRACED = {
    "no copy", "Dropout", "view", "chunk", "detached alias", "data alias",
}  # fmt: skip
"""Models whose course cannot be told, or whose traces need copies: they are traced."""


@pytest.mark.parametrize("name", MODELS)
def test_values_and_gradients_are_those_of_a_trace(name: str) -> None:
    model = models.built(MODELS[name]())
    size = (1, 3, 32, 32) if name == "residual network" else (1,)
    x, other = models.pictures(*size), models.pictures(*size) * 0.7 - 0.1
    inspector = Inspector(model, x)
    inspector.predictions()
    guest = guest_of(inspector, other)
    with unchanged(model, other):
        with guest.passes.ahead(lambda: inspector.modules):
            ran = guest._session.memory.ahead is not None
            got = swept(guest, [0, 2])
        assert guest._session.memory.ahead is None
    assert ran != (name in TRACED)
    expected = swept(Inspector(model, other), [0, 2])
    assert got.keys() == expected.keys()
    for key, (activation, gradient) in expected.items():
        assert torch.equal(got[key][0], activation), key
        if gradient is None:
            assert got[key][1] is None, key
        else:
            again = got[key][1]
            assert again is not None, key
            assert_near(again, gradient, key)


def one_linear_head() -> nn.Module:
    """Global pooling and one dense layer, so that all classes need no backward pass."""
    return nn.Sequential(
        nn.Conv2d(3, 6, 3), nn.BatchNorm2d(6), nn.ReLU(inplace=True), nn.AdaptiveAvgPool2d(1),
        nn.Flatten(), nn.Linear(6, 5),
    )  # fmt: skip


def softmax_behind() -> nn.Module:
    return nn.Sequential(one_linear_head(), nn.Softmax(1))


@pytest.mark.parametrize("make", [one_linear_head, softmax_behind])
@pytest.mark.parametrize(
    ("layers", "targets"), [(["2"], range(5)), (["0", "2"], [None]), (["0", "2"], range(5))]
)
@pytest.mark.parametrize("method", ["gradcam", "layercam", "cam", "eigencam"])
def test_a_sweep_runs_the_model_once(
    make: Callable[[], nn.Module], layers: list[str], targets: Sequence[Any], method: str
) -> None:
    model = models.built(make())
    if make is softmax_behind:
        layers = [f"0.{layer}" for layer in layers]
    if method == "cam":
        layers = layers[-1:]
    x, other = models.pictures(1), models.pictures(1).flip(3) * 2
    passes = counted(model)
    inspector = Inspector(model, x)
    passes.clear()
    got = cw.cam_sweep(inspector, method, layers, targets, inputs=other, report=quiet)
    assert len(passes) == 1
    expected = cw.cam_sweep(Inspector(model, other), method, layers, targets, report=quiet)
    assert [t.score for t in got.targets] == pytest.approx([t.score for t in expected.targets])
    for layer in layers:
        shown = torch.tensor(expected.values_of(layer))
        assert_near(torch.tensor(got.values_of(layer)), shown, layer)


def test_the_inspector_stays_as_it_is() -> None:
    model, x = models.built(one_linear_head()), models.pictures(1)
    inspector = Inspector(model, x)
    heard: list[int] = []
    inspector.on_change(lambda: heard.append(1))
    before, trace = inspector.cache_info(), inspector._session.trace
    passes = counted(model)
    inspector.refresh()
    heard.clear()
    before, trace, epoch = inspector.cache_info(), inspector._session.trace, inspector.epoch
    passes.clear()
    other = x - 0.3
    for _ in range(2):
        got = cw.cam(inspector, inputs=other[0], report=quiet)  # one image, without its batch axis
    assert len(passes) == 2
    cw.saliency(inspector, "gradient", inputs=other, report=quiet)
    assert len(passes) == 3
    assert inspector._session.trace is trace
    assert (inspector.cache_info(), inspector.epoch, heard) == (before, epoch, [])
    expected = cw.cam(Inspector(model, other), report=quiet)
    assert got.values == pytest.approx(expected.values, rel=1e-5)
    assert got.target_index == expected.target_index


@pytest.mark.parametrize("make", [one_linear_head, softmax_behind])
@pytest.mark.parametrize("target", [None, 1])
@pytest.mark.parametrize("method", ["gradient", "input_x_gradient", "guided_backprop", "occlusion"])
def test_saliency_of_another_picture(
    make: Callable[[], nn.Module], target: int | None, method: str
) -> None:
    model, x = models.built(make()), models.pictures(1)
    inspector, other = Inspector(model, x), models.pictures(1) - 0.4
    with unchanged(model, other):
        got = cw.saliency(inspector, method, target, inputs=other, report=quiet)
    expected = cw.saliency(Inspector(model, other), method, target, report=quiet)
    assert (got.target_index, got.status) == (expected.target_index, expected.status)
    assert_near(torch.tensor(got.values), torch.tensor(expected.values), method)


def test_other_shapes_are_refused() -> None:
    inspector = Inspector(models.built(models.Plain()), models.pictures(1))
    with pytest.raises(ValueError, match=r"inputs=\(1, 3, 8, 8\) float32: .*call insp.set_inputs"):
        cw.cam(inspector, inputs=torch.zeros(1, 3, 8, 8), report=quiet)
    with pytest.raises(
        ValueError, match=r"inputs=\(2, 3, 12, 10\) float32: .* at \(1, 3, 12, 10\)"
    ):
        cw.saliency(inspector, inputs=models.pictures(2), report=quiet)


def test_batches_are_traced() -> None:
    model, x = models.built(models.Plain()), models.pictures(2)
    got = cw.cam(Inspector(model, x), layer="conv1", target=1, image=1, inputs=-x, report=quiet)
    expected = cw.cam(Inspector(model, -x), layer="conv1", target=1, image=1, report=quiet)
    assert got.values == pytest.approx(expected.values, rel=1e-5)


@pytest.mark.parametrize("make", [models.Branches, Wired])
def test_a_model_that_takes_another_path_is_traced(make: Callable[[], nn.Module]) -> None:
    model, x = models.built(make()), models.pictures(1).abs()
    inspector = Inspector(model, x)
    got = cw.cam_sweep(inspector, "hirescam", targets=[1], inputs=-x, report=quiet)
    expected = cw.cam_sweep(Inspector(model, -x), "hirescam", targets=[1], report=quiet)
    assert got.layers == expected.layers
    for layer in expected.layers:
        shown = torch.tensor(expected.values_of(layer))
        assert_near(torch.tensor(got.values_of(layer)), shown, layer)


def test_layers_that_a_picture_no_longer_has_raise_as_always() -> None:
    model, x = models.built(models.Branches()), models.pictures(1).abs()
    inspector = Inspector(model, x)
    for layer in ("bright", "nothing"):
        with pytest.raises(ValueError, match=f"layer='{layer}' is not a layer of this model"):
            cw.cam_sweep(inspector, "gradcam", [layer], inputs=-x, report=quiet)
    assert cw.cam(inspector, layer="bright", target=0, report=quiet).layer == "bright"


def test_weights_of_now_are_used() -> None:
    model, x = models.built(one_linear_head()), models.pictures(1)
    inspector = Inspector(model, x)
    cw.cam(inspector, layer="2", target=1, inputs=x - 1, report=quiet)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(2)
    passes = counted(model)  # of copies made from now on
    got = cw.cam(inspector, layer="2", target=1, inputs=x - 1, report=quiet)
    expected = cw.cam(Inspector(model, x - 1), layer="2", target=1, report=quiet)
    assert got.values == pytest.approx(expected.values, rel=1e-5)
    assert got.score == pytest.approx(expected.score)
    assert inspector.epoch == 0, "the Inspector has not looked yet"
    assert torch.equal(inspector.activation("2"), Inspector(model, x).activation("2"))
    assert passes


def test_a_model_that_refuses_a_picture_says_so_at_the_call() -> None:
    model, x = models.built(models.Fails(ValueError)), models.pictures(1)
    inspector = Inspector(model, x)
    models.FAILING.append(True)
    try:
        with unchanged(model, x), pytest.raises(ValueError, match="half-way"):
            cw.cam(inspector, layer="conv", target=0, inputs=x + 1, report=quiet)
    finally:
        models.FAILING.clear()
    got = cw.cam(inspector, layer="conv", target=0, inputs=x + 1, report=quiet)
    expected = cw.cam(Inspector(model, x + 1), layer="conv", target=0, report=quiet)
    assert got.values == pytest.approx(expected.values, rel=1e-5)


def test_random_numbers_are_those_of_a_trace() -> None:
    class Noisy(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv = nn.Conv2d(3, 4, 3)

        def forward(self, x: Tensor) -> Any:
            return (self.conv(x) * torch.rand(1, 4, 1, 1)).mean((2, 3))

    guest = guest_of(Inspector(models.built(Noisy()), models.pictures(1)), models.pictures(1) - 1)
    before = torch.get_rng_state()
    got = cw.cam(guest, layer="conv", target=0, report=quiet)
    assert guest._session._waits, "it was traced"
    assert torch.equal(torch.get_rng_state(), before)
    torch.rand(3)
    scores = {p.index: p.score for p in guest.predictions(4)[0]}
    assert got.score == scores[0]


class Scaled(nn.Module):
    """What a ReLU gave is scaled in place; torch then has no gradient of a pass as it is."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second, self.relu = nn.Conv2d(3, 4, 3), nn.Conv2d(4, 4, 3), nn.ReLU()

    def forward(self, x: Tensor) -> Any:
        y = self.relu(self.second(self.first(x)))
        return y.mul_(1.5).mean((2, 3))


def test_a_pass_that_torch_refuses_to_go_back_through() -> None:
    """It is traced then, and what was heard before is right."""
    model, x = models.built(Scaled()), models.pictures(1)
    got = cw.cam_sweep(Inspector(model, x), "hirescam", targets=[1], inputs=x + 1, report=quiet)
    expected = cw.cam_sweep(Inspector(model, x + 1), "hirescam", targets=[1], report=quiet)
    assert expected.layers == ("first", "second", "relu")
    for layer in expected.layers:
        shown = torch.tensor(expected.values_of(layer))
        assert shown.any()
        assert_near(torch.tensor(got.values_of(layer)), shown, layer)
