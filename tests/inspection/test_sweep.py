"""Sweeps: what a layer's own gradient and activation are, for all layers and scores at once."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from cnnviz_widgets.inspection import Inspector, LayerInfo
from tests.benchmarks.networks import resnet18
from tests.inspection import models

Found = dict[tuple[str, int], tuple[Tensor, Tensor | None]]

MODELS: dict[str, Callable[[], nn.Module]] = {
    **{kind: functools.partial(models.InPlace, kind) for kind in models.IN_PLACE_KINDS},
    "plain": models.Plain,
    "tuple": lambda: models.Structured("tuple"),
    "dict": lambda: models.Structured("dict"),
    "dataclass": lambda: models.Structured("dataclass"),
    "tokens": models.Tokens,
    "channels last": models.ChannelsLast,
    "writes to itself": models.Weird,
    "no copy": lambda: models.NoCopy(inplace=True),
    "residual network": resnet18,
}


def swept(
    inspector: Inspector, targets: list[object], *, image: int = 0, batch: Tensor | None = None
) -> Found:
    """Return copies of what a sweep over all modules visits."""
    found: Found = {}

    def visit(info: LayerInfo, activation: Tensor, gradient: Tensor | None, place: int) -> None:
        assert (info.name, place) not in found, "visited twice"
        copy = None if gradient is None else gradient.clone()
        found[info.name, place] = (activation.clone(), copy)

    names = [info.name for info in inspector.modules]
    inspector.passes.sweep(names, targets, visit, image=image, batch=batch)  # type: ignore[arg-type]  # of any kind
    return found


def assert_near(got: Tensor, expected: Tensor, what: object) -> None:
    """Fail unless two values differ by rounding at most, as seen beside the largest of them."""
    atol = 1e-5 * float(expected.abs().max()) + 1e-8
    torch.testing.assert_close(got, expected, rtol=0, atol=atol, msg=lambda text: f"{what}: {text}")


@pytest.mark.parametrize("name", MODELS)
def test_a_sweep_gives_what_each_layer_gives_by_itself(name: str) -> None:
    model = models.built(MODELS[name]())
    x = models.pictures(2, 3, 32, 32) if name == "residual network" else models.pictures()
    inspector = Inspector(model, x)
    for time in ("first", "again"):  # when it is known that a pass may begin inside
        _compare(inspector, swept(inspector, [1, 0], image=1), time)


def _compare(inspector: Inspector, found: Found, time: str) -> None:
    for info in inspector.modules:
        for place, target in enumerate((1, 0)):
            activation, gradient = found[info.name, place]
            what = (time, info.name, target)
            assert_near(activation, inspector.activation(info.name)[1:], what)
            if gradient is None:
                with pytest.raises(ValueError, match="does not depend on"):
                    inspector.gradient(info.name, target)
            else:
                expected = inspector.gradient(info.name, target)[1:]
                assert_near(gradient, expected, what)


def test_what_does_not_fit_into_the_cache_is_the_same() -> None:
    """Activations that the trace does not hold are copied before they are written to."""
    model, x = models.built(models.Plain(inplace=True)), models.pictures()
    found = swept(Inspector(model, x), [2])
    small = swept(Inspector(model, x, cache_bytes=0), [2])
    for key, (activation, gradient) in found.items():
        assert gradient is not None
        assert_near(small[key][0], activation, key)
        assert_near(small[key][1], gradient, key)  # type: ignore[arg-type]  # there, too


def test_variants_have_a_gradient_each() -> None:
    model, x = models.built(models.Plain(inplace=True)), models.pictures(3)
    whole = Inspector(model, x)
    found = swept(Inspector(model, x[:1]), [1], batch=x)
    for info in whole.modules:
        activation, gradient = found[info.name, 0]
        assert gradient is not None
        assert_near(activation, whole.activation(info.name), info.name)
        assert_near(gradient, whole.gradient(info.name, 1), info.name)


def test_variants_for_a_model_that_mixes_them_are_swept_one_by_one() -> None:
    model = models.built(nn.Sequential(nn.Conv2d(3, 4, 3), models.AcrossImages(), nn.Flatten()))
    assert isinstance(model, nn.Sequential)
    x = models.pictures(3)
    seen: list[Tensor] = []

    def visit(_info: LayerInfo, activation: Tensor, gradient: Tensor | None, _place: int) -> None:
        assert gradient is not None
        assert len(activation) == len(gradient) == 1
        seen.append(gradient.clone())

    scores = Inspector(model, x[:1]).passes.sweep(["0"], [7], visit, batch=x).scores
    torch.testing.assert_close(scores[0], torch.cat([model(row[None])[:, 7] for row in x]).detach())
    y = model[0](x[2:]).detach().requires_grad_()
    (expected,) = torch.autograd.grad(model[1:](y)[0, 7], [y])
    assert_near(seen[2], expected, "the last of them")


def test_a_weighted_sum_of_classes() -> None:
    inspector = Inspector(models.built(models.Plain()), models.pictures())
    weights = torch.tensor([0.0, 1.0, -0.5, 0.0, 0.0])
    found = swept(inspector, [weights, 1, 2])
    for name in ("conv1", "conv2"):
        mixed, one, two = (found[name, place][1] for place in range(3))
        assert mixed is not None
        assert one is not None
        assert two is not None
        assert_near(mixed, one - 0.5 * two, name)


def test_models_that_mix_the_images_of_a_batch_are_given_all_of_them() -> None:
    """Batch statistics in eval mode: an image alone would have other scores."""
    model = models.built(
        nn.Sequential(
            nn.Conv2d(3, 4, 3), nn.InstanceNorm2d(4), models.AcrossImages(), nn.ReLU(),
            nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 3),
        )
    )  # fmt: skip
    assert isinstance(model, nn.Sequential)
    x = models.pictures(3)
    inspector = Inspector(model, x)
    found = swept(inspector, [1], image=2)
    scores = model(x).detach()
    assert inspector.passes.targets([1], image=2)[0].score == pytest.approx(float(scores[2, 1]))
    y = model[0](x).detach().requires_grad_()
    (expected,) = torch.autograd.grad(model[1:](y)[2, 1], [y])
    gradient = found["0", 0][1]
    assert gradient is not None
    assert_near(gradient, expected[2:], "the image's own part")


def test_a_layer_that_the_score_does_not_depend_on() -> None:
    class Aside(models.Plain):
        def forward(self, x: Tensor) -> Any:
            self.bn(self.conv1(x))
            return self.fc(self.conv2(self.conv1(x).detach()).mean((2, 3)))

    found = swept(Inspector(models.built(Aside()), models.pictures()), [0, 1])
    assert found["bn", 0][1] is None
    assert found["bn", 1][1] is None
    assert found["conv2", 1][1] is not None


def test_a_visitor_may_stop_the_sweep() -> None:
    inspector = Inspector(models.built(models.Plain()), models.pictures())

    def visit(*_: object) -> None:
        msg = "enough"
        raise RuntimeError(msg)

    with pytest.raises(RuntimeError, match="enough"):
        inspector.passes.sweep(["conv1"], [0], visit)

    with pytest.raises(ValueError, match=r"targets is empty; give at least one"):
        inspector.passes.sweep(["conv1"], [], visit)

    def check() -> None:
        msg = "stop"
        raise InterruptedError(msg)

    with pytest.raises(InterruptedError, match="stop"):
        inspector.passes.sweep(["conv1"], [0], visit, check=check)
    assert len(swept(inspector, [0])) == len(inspector.modules)


class Padded(nn.Module):
    """Convolutions of every kind, the weights of one of them computed by a hook."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(3, 4, 3, padding="same"), nn.ReLU(inplace=True),
            nn.Conv2d(4, 4, 3, padding=1, padding_mode="reflect"), nn.ReLU(inplace=True),
            nn.Conv2d(4, 8, 3, stride=2, padding=1, dilation=2, groups=2, bias=False), nn.ReLU(),
            nn.utils.parametrizations.weight_norm(nn.Conv2d(8, 8, 1)), nn.ReLU(inplace=True),
            nn.ConvTranspose2d(8, 4, 2), nn.ReLU(inplace=True), nn.Conv2d(4, 4, 3, padding="valid"),
        )  # fmt: skip
        self.wide = nn.Linear(4 * 4 * 3, 1 << 17)  # large enough not to run again
        self.head = nn.Linear(1 << 17, 3)

    def forward(self, x: Tensor) -> Any:
        return self.head(torch.relu_(self.wide(self.layers(x).flatten(1)))) * 1e-3


def test_layers_that_need_not_run_again() -> None:
    model, x = models.built(Padded()), models.pictures(2)
    inspector = Inspector(model, x)
    for time in ("first", "again"):
        _compare(inspector, swept(inspector, [1, 0], image=1), time)
    expected = inspector.activation("layers.0")
    swept(inspector, [2])
    assert torch.equal(inspector.activation("layers.0"), expected), "the trace was written to"


class OneByOne(models.Plain):
    """Give a convolution each image by itself, without a batch."""

    def forward(self, x: Tensor) -> Any:
        y = torch.stack([self.conv2(image) for image in self.relu(self.conv1(x))])
        return self.fc(self.pool(y).flatten(1))


def test_convolutions_without_a_batch_give_their_gradients_each_time() -> None:
    inspector = Inspector(models.built(OneByOne()), models.pictures(1))
    expected = inspector.gradient("conv1", 1)
    seen: list[Tensor] = []

    def visit(_info: LayerInfo, _value: Tensor, gradient: Tensor | None, _place: int) -> None:
        assert gradient is not None
        seen.append(gradient.clone())

    for _ in range(3):
        inspector.passes.sweep(["conv1"], [1], visit)
        assert_near(seen[-1], expected, len(seen))


class PassedOn(models.Plain):
    """Layers that return the tensor they were given, with which the model goes on."""

    def __init__(self) -> None:
        super().__init__(inplace=True)
        self.same, self.drop = nn.Identity(), nn.Dropout()
        self.head = nn.Sequential(nn.Identity())

    def forward(self, x: Tensor) -> Any:
        x = self.same(x) + x
        y = self.bn(self.conv1(x))
        y = self.same(y).sigmoid() + y
        z = self.drop(y * 1.5)
        self.relu(y)
        z = self.same(z) * y + z
        self.relu(z)
        out = self.fc(self.conv2(self.head(z)).mean((2, 3)))
        return self.same(out) * self.drop(out)


@pytest.mark.parametrize("model", [PassedOn, resnet18])
def test_each_layer_alone_gives_what_all_give(model: Callable[[], nn.Module]) -> None:
    inspector = Inspector(models.built(model()), models.pictures(1, 3, 32, 32))
    together = swept(inspector, [1])
    seen: list[Tensor | None] = []

    def visit(_info: LayerInfo, _value: Tensor, gradient: Tensor | None, _place: int) -> None:
        seen.append(None if gradient is None else gradient.clone())

    for info in inspector.modules:
        expected = inspector.gradient(info.name, 1)
        assert_near(together[info.name, 0][1], expected, (info.name, "together"))  # type: ignore[arg-type]  # all have one
        for _ in range(2):
            inspector.passes.sweep([info.name], [1], visit)
            assert seen[-1] is not None, info.name
            assert_near(seen[-1], expected, (info.name, "alone"))


class Refusing(models.Plain):
    """Fail as long as it is told to."""

    refuses = False

    def forward(self, x: Tensor) -> Any:
        if type(self).refuses:
            msg = "out of order"
            raise RuntimeError(msg)
        return super().forward(x)


def test_a_failure_of_the_model_says_nothing_about_sweeps(monkeypatch: pytest.MonkeyPatch) -> None:
    inspector = Inspector(models.built(Refusing()), models.pictures(1))
    inspector.passes.targets([1])
    monkeypatch.setattr(Refusing, "refuses", True)
    with pytest.raises(RuntimeError, match="out of order"):
        inspector.passes.sweep(["conv1"], [1], lambda *_: None)
    assert inspector._session.memory.begins_inside
    assert not inspector._session.memory.recorded_graph
    monkeypatch.setattr(Refusing, "refuses", False)
    assert len(swept(inspector, [1])) == len(inspector.modules)


class Together(models.Plain):
    """Call a layer for nothing where there are several images."""

    def forward(self, x: Tensor) -> Any:
        y = self.conv1(x)
        if len(x) > 1:
            self.bn(y)
        return self.fc(self.conv2(y).mean((2, 3)))


@pytest.mark.parametrize("cache_bytes", [1 << 20, 0])
def test_a_layer_that_an_image_alone_does_not_need_is_visited(cache_bytes: int) -> None:
    inspector = Inspector(models.built(Together()), models.pictures(2), cache_bytes=cache_bytes)
    found = swept(inspector, [1, 2], image=1)
    for place in range(2):
        activation, gradient = found["bn", place]
        assert activation.shape == (1, 4, 12, 10)
        assert gradient is None
    assert len(found) == 2 * len(inspector.modules)


def test_other_weights_and_pictures_are_seen() -> None:
    model, x = models.built(models.Plain(inplace=True)), models.pictures(2)
    inspector = Inspector(model, x[:1])
    for step in range(3):
        _compare_one(inspector, x[:1])
        inspector.set_inputs(x[1:])
        _compare_one(inspector, x[1:])
        inspector.set_inputs(x[:1])
        with torch.no_grad():
            model.get_parameter("conv2.weight").mul_(-1.5 - step)


def _compare_one(inspector: Inspector, x: Tensor) -> None:
    fresh = Inspector(inspector.model, x)
    expected, got = swept(fresh, [None, 1]), swept(inspector, [None, 1])
    for key, (activation, gradient) in expected.items():
        assert gradient is not None
        assert_near(got[key][0], activation, key)
        assert_near(got[key][1], gradient, key)  # type: ignore[arg-type]  # there, too
