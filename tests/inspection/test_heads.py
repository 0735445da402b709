"""Layers whose gradient is read off a dense layer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

import cnnviz_widgets as cw
from cnnviz_widgets.inspection import Inspector
from tests.benchmarks.networks import resnet18
from tests.inspection import models
from tests.inspection.promise import unchanged
from tests.inspection.test_ahead import counted, quiet
from tests.inspection.test_sweep import assert_near


def test_the_head_of_a_residual_network() -> None:
    inspector = Inspector(models.built(resnet18()), models.pictures(1, 3, 64, 64))
    head = inspector.passes.linear_head("layer4")
    assert head is not None
    assert (head.weight.shape, head.places) == ((1000, 512), 4)
    gradient = inspector.gradient("layer4", 17)
    (row,) = head.gradients([17])
    torch.testing.assert_close(row[None, :, None, None].expand_as(gradient), gradient)
    assert inspector.passes.linear_head("layer4.1.conv2") is None
    assert inspector.passes.linear_head("layer3") is None
    assert inspector.passes.linear_head("fc") is None


def test_a_convolution_as_the_head() -> None:
    """A 1 x 1 convolution in front of the mean, as in all-convolutional networks."""
    model = models.built(
        nn.Sequential(nn.Conv2d(3, 4, 3), nn.Conv2d(4, 5, 1), nn.AdaptiveAvgPool2d(1), nn.Flatten())
    )
    inspector = Inspector(model, models.pictures(1))
    head = inspector.passes.linear_head("0")
    assert head is not None
    gradient = inspector.gradient("0", 2)
    (row,) = head.gradients([2])
    torch.testing.assert_close(row[None, :, None, None].expand_as(gradient), gradient)


def test_token_grids_have_heads_too() -> None:
    inspector = Inspector(models.built(models.ChannelsLast()), models.pictures(1))
    head = inspector.passes.linear_head("mlp")
    assert head is not None
    gradient = inspector.gradient("mlp", 1)
    torch.testing.assert_close(head.gradients([1])[0].expand_as(gradient), gradient)
    assert inspector.passes.linear_head("norm") is None


class PatchMean(models.Tokens):
    """Has a class token, and averages the others."""

    def forward(self, x: Tensor) -> Tensor:
        assert self.token is not None
        y = self.patches(x).flatten(2).transpose(1, 2)
        y = torch.cat((self.token.expand(len(y), -1, -1), y), dim=1)
        scores: Tensor = self.head(self.norm(y + self.mlp(y))[:, 1:].mean(1))
        return scores


def test_a_head_of_the_tokens_that_have_places_alone() -> None:
    """The class token is none of what the mean is over, and has no gradient."""
    model = PatchMean()
    inspector = Inspector(models.built(model), models.pictures(1, 3, 16, 16))
    head = inspector.passes.linear_head("norm")
    assert head is not None
    gradient = inspector.gradient("norm", 1)
    places = gradient.shape[1] - 1
    assert head.places == places
    torch.testing.assert_close(head.gradients([1])[0].expand(1, places, -1), gradient[:, 1:])
    found = cw.cam(inspector, "cam", layer="norm", target=1).values
    expected = inspector.activation("norm")[0, 1:] @ model.head.weight[1].detach()
    torch.testing.assert_close(torch.as_tensor(found).flatten(), expected)


class Tail(nn.Module):
    """A stem, the mean over the grid, and whatever a test makes of that."""

    def __init__(self) -> None:
        super().__init__()
        self.stem, self.relu = nn.Conv2d(3, 6, 3), nn.ReLU()
        self.fc, self.other, self.six = nn.Linear(6, 5), nn.Linear(6, 5), nn.Linear(6, 6)
        self.drop = nn.Dropout(0.5)

    def forward(self, x: Tensor) -> Any:
        y = self.relu(self.stem(x))
        return self.scores(y, dark=bool(x.mean() < 0))

    def scores(self, y: Tensor, *, dark: bool) -> Tensor:
        scores: Tensor = self.fc(self.drop(y.mean((2, 3))))
        return scores


class DarkByAnother(Tail):
    def scores(self, y: Tensor, *, dark: bool) -> Tensor:
        scores: Tensor = (self.other if dark else self.fc)(y.mean((2, 3)))
        return scores


class DarkIsCut(Tail):
    def scores(self, y: Tensor, *, dark: bool) -> Tensor:
        pooled = y.mean((2, 3))
        scores: Tensor = self.fc(pooled.sub(0.2).relu() if dark else pooled)
        return scores


class DarkIsScaled(Tail):
    """Two steps as many as one, of the same shapes."""

    def scores(self, y: Tensor, *, dark: bool) -> Tensor:
        pooled = y.mean((2, 3))
        scores: Tensor = self.fc(pooled.mul(3.0 if dark else 1.0))
        return scores


class DarkRunsTwice(Tail):
    def scores(self, y: Tensor, *, dark: bool) -> Tensor:
        scores: Tensor = self.fc((self.relu(y - 0.1) if dark else y).mean((2, 3)))
        return scores


class DarkLooksTwice(Tail):
    """The layer is called again for nothing, so that its name no longer says which call."""

    def scores(self, y: Tensor, *, dark: bool) -> Tensor:
        if dark:
            self.relu(y)
        return super().scores(y, dark=dark)


class BrightIsProbable(Tail):
    def scores(self, y: Tensor, *, dark: bool) -> Tensor:
        scores = super().scores(y, dark=dark)
        return scores if dark else scores.softmax(1)


class DarkIsNotTrained(Tail):
    def scores(self, y: Tensor, *, dark: bool) -> Tensor:
        with torch.set_grad_enabled(torch.is_grad_enabled() and not dark):
            pooled = y.mean((2, 3))
        scores: Tensor = self.fc(pooled)
        return scores


class DarkIsLouder(Tail):
    """The stem takes another way, behind which all is the same."""

    def forward(self, x: Tensor) -> Any:
        y = self.relu(self.stem(x).mul(1.5) if x.mean() < 0 else self.stem(x))
        return self.scores(y, dark=False)


class DarkIsProbable(Tail):
    def scores(self, y: Tensor, *, dark: bool) -> Tensor:
        scores: Tensor = self.fc(y.mean((2, 3)))
        return scores.softmax(1) if dark else scores


class DarkIsWrittenTo(Tail):
    """The layer's own value is changed after the mean was taken."""

    def scores(self, y: Tensor, *, dark: bool) -> Tensor:
        scores: Tensor = self.fc(y.mean((2, 3)))
        if dark:
            y.detach().zero_()
        return scores


class Hooked(Tail):
    """A gradient is made larger on its way."""

    def scores(self, y: Tensor, *, dark: bool) -> Tensor:
        pooled = y.mean((2, 3))
        if pooled.requires_grad:
            pooled.register_hook(lambda gradient: gradient * 3)  # type: ignore[no-untyped-call]  # torch's
        scores: Tensor = self.fc(pooled)
        return scores


class TwoLayers(Tail):
    def scores(self, y: Tensor, *, dark: bool) -> Tensor:
        scores: Tensor = self.fc(self.six(y.mean((2, 3))))
        return scores


class ReluBehind(Tail):
    def scores(self, y: Tensor, *, dark: bool) -> Tensor:
        scores: Tensor = self.fc((y.mean((2, 3)) - 0.2).relu())
        return scores


class Softmax(Tail):
    def scores(self, y: Tensor, *, dark: bool) -> Tensor:
        return super().scores(y, dark=dark).softmax(1)


class AlwaysDrops(Tail):
    def scores(self, y: Tensor, *, dark: bool) -> Tensor:
        scores: Tensor = self.fc(nn.functional.dropout(y.mean((2, 3)), 0.5, training=True))
        return scores


class Sliced(Tail):
    def scores(self, y: Tensor, *, dark: bool) -> Tensor:
        return super().scores(y, dark=dark)[:, 1:4]


def all_classes(inspector: Inspector, method: str, **other: Any) -> tuple[Any, Any, Any]:
    """Return scores, kinds and maps at the last layer with a grid, or what was said instead."""
    try:
        sweep = cw.cam_sweep(inspector, method, ["relu"], range(3), report=quiet, **other)
    except ValueError as error:
        return str(error), None, None
    found = [sweep["relu", index] for index in range(3)]
    maps = torch.tensor(sweep.values_of("relu"))
    return [m.score for m in found], [(m.score_kind, m.note) for m in found], maps


TAILS = (
    Tail, DarkByAnother, DarkIsCut, DarkIsScaled, DarkRunsTwice, DarkLooksTwice,
    BrightIsProbable, DarkIsNotTrained, DarkIsLouder, DarkIsProbable, DarkIsWrittenTo, Hooked,
    TwoLayers, ReluBehind, Softmax, AlwaysDrops, Sliced,
)  # fmt: skip


@pytest.mark.parametrize("method", ["gradcam", "hirescam"])
@pytest.mark.parametrize("make", TAILS)
def test_many_pictures_one_after_the_other(make: Callable[[], nn.Module], method: str) -> None:
    """The third and later are not watched where the tail is linear; all maps stay right."""
    model = models.built(make()).train(make is Tail)  # the Inspector runs it in eval mode
    x = models.pictures(1).abs()
    inspector = Inspector(model, x)
    for number, sign in enumerate((1, 1, 1, -1, 1, -1, -1)):
        other = sign * (x + 0.1 * number)
        torch.manual_seed(number)
        with unchanged(model, other):
            got = all_classes(inspector, method, inputs=other)
        torch.manual_seed(number)
        expected = all_classes(Inspector(model, other), method)
        assert got[1] == expected[1], (number, got[0], expected[0])
        if expected[1] is None:
            assert got[0] == expected[0]
            continue
        assert got[0] == pytest.approx(expected[0], rel=1e-5)
        assert_near(got[2], expected[2], f"picture {number}")


def _refuse(*_: object, **__: object) -> Any:
    msg = "this is not needed"
    raise AssertionError(msg)


def test_a_linear_head_that_is_known_costs_no_watching_and_no_way_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The maps by hand: the dense layer's weights on the mean of each channel, in float64."""
    model, x = Tail(), models.pictures(1).abs()
    models.built(model)
    passes = counted(model)
    inspector = Inspector(model, x)
    for _ in range(2):
        all_classes(inspector, "gradcam", inputs=x + 1)
    for name in ("OutlineRecorder", "gradients"):
        monkeypatch.setattr(f"cnnviz_widgets.inspection.ahead.{name}", _refuse)
    passes.clear()
    scores, kinds, maps = all_classes(inspector, "gradcam", inputs=x + 2)
    assert (len(passes), {kind for kind, _ in kinds}) == (1, {"logit"})
    with torch.no_grad():
        value = model.relu(model.stem(x + 2)).double()
        weight = model.fc.weight.double()
    expected = torch.einsum("kc,nchw->khw", weight[:3], value) / value[0, 0].numel()
    torch.testing.assert_close(maps.double(), expected, rtol=1e-5, atol=1e-6)
    assert scores == pytest.approx(model(x + 2)[0, :3].tolist(), rel=1e-5)


def _other_memory(layer: nn.Linear) -> None:
    layer.weight = nn.Parameter(layer.weight.detach() + 1)


WRITES: dict[str, Callable[[nn.Linear], object]] = {
    "in place": lambda layer: layer.weight.detach().mul_(2),
    "through data": lambda layer: layer.weight.data.mul_(2),
    "other memory": lambda layer: setattr(layer.weight, "data", layer.weight.data + 1),
    "another parameter": _other_memory,
}


@pytest.mark.parametrize("name", WRITES)
def test_the_head_has_the_weights_of_now(name: str) -> None:
    model, x = Tail(), models.pictures(1).abs()
    inspector = Inspector(models.built(model), x)
    for number in range(4):
        other = x + number
        got = all_classes(inspector, "gradcam", inputs=other)
        expected = all_classes(Inspector(model, other), "gradcam")
        assert got[0] == pytest.approx(expected[0], rel=1e-5), number
        assert_near(got[2], expected[2], f"{name}, picture {number}")
        if number > 0:
            WRITES[name](model.fc)
