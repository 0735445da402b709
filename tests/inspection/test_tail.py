"""The tail behind a layer gives what the whole network gives with the layer's value replaced."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from cnnviz_widgets.inspection import Inspector
from tests.benchmarks.networks import resnet18, resnet50, vgg16
from tests.inspection import models
from tests.inspection.promise import unchanged
from tests.inspection.test_sweep import MODELS, assert_near


def replaced(model: nn.Module, path: str, call: int, values: Tensor, x: Tensor) -> Tensor:
    """Return the scores of the whole network with one call's output replaced, by a plain hook."""
    model, calls = copy.deepcopy(model).eval(), []

    def after(_module: nn.Module, _args: object, output: Any) -> Any:
        calls.append(1)
        if len(calls) != call:
            return output
        return values.clone() if isinstance(output, Tensor) else (values.clone(), *output[1:])

    handle = model.get_submodule(path).register_forward_hook(after)
    try:
        with torch.no_grad():
            output = model(x.clone().expand(len(values), -1, -1, -1).clone())
    finally:
        handle.remove()
    if isinstance(output, Tensor):
        return output
    parts = output.values() if isinstance(output, dict) else vars(output).values()
    found: Tensor = next(part for part in parts if part.dim() == 2)
    return found


@pytest.mark.parametrize("name", [n for n in MODELS if n not in {"tuple", "no copy"}])
def test_tails_of_every_layer(name: str) -> None:
    model = models.built(MODELS[name]())
    x = models.pictures(2, 3, 32, 32) if name == "residual network" else models.pictures()
    inspector = Inspector(model, x)
    generator = torch.Generator().manual_seed(3)
    layers = inspector.modules if name != "residual network" else inspector.modules[::5]
    for info in layers:
        tail = inspector.passes.tail(info.name, image=1)
        noise = torch.rand(3, *tail.value.shape[1:], generator=generator)
        values = tail.value * noise
        kept = values.clone()
        with unchanged(model, x):
            got = tail.scores(values, 2)
        expected = replaced(model, info.path, info.call, values, x[1:])
        assert_near(got, expected[:, 2], (info.name, "tail"))
        assert torch.equal(values, kept)
        assert torch.equal(inspector.activation(info.name)[1:], tail.value)


def test_tails_of_a_model_that_cannot_be_copied() -> None:
    x = models.pictures()
    plain, refusing = (
        Inspector(models.built(kind(inplace=True)), x) for kind in (models.Plain, models.NoCopy)
    )
    values = torch.linspace(-1, 1, 3 * 4 * 120).view(3, 4, 12, 10)
    expected = plain.passes.tail("conv1").scores(values, 3)
    with unchanged(refusing.model, x):
        assert_near(refusing.passes.tail("conv1").scores(values, 3), expected, "no copy")


def test_only_what_follows_is_run() -> None:
    """The stem of a network is not run for its tail, nor for a sweep over late layers."""
    ran: list[str] = []

    class Stem(nn.Conv2d):
        def forward(self, x: Tensor) -> Tensor:
            ran.append("stem")
            return super().forward(x)

    model = models.built(nn.Sequential(Stem(3, 4, 3), *_rest()))
    inspector = Inspector(model, models.pictures(1))
    inspector.passes.tail("2").scores(torch.ones(4, 5, 8, 6), 1)
    ran.clear()
    inspector.passes.tail("2").scores(torch.ones(4, 5, 8, 6), 1)
    inspector.passes.tail("2").channel_scores(1)
    inspector.passes.sweep(["2", "4"], [0, 1], lambda *_: None)
    assert not ran
    inspector.passes.sweep(["1"], [0], lambda *_: None)
    assert not ran
    inspector.passes.scores(models.pictures(1), 0)
    assert ran == ["stem"]


def _rest() -> list[nn.Module]:
    return [
        nn.ReLU(inplace=True), nn.Conv2d(4, 5, 3), nn.ReLU(inplace=True), nn.AdaptiveAvgPool2d(1),
        nn.Flatten(), nn.Linear(5, 3),
    ]  # fmt: skip


class Branches(nn.Module):
    """A residual block whose shortcut is computed after the layer, and a grid that is flattened."""

    def __init__(self, kind: str) -> None:
        super().__init__()
        self.kind = kind
        self.stem = nn.Conv2d(3, 4, 3, stride=2)
        self.conv = nn.Conv2d(4, 6, 1)
        self.bn = nn.BatchNorm2d(6)
        self.shortcut = nn.Conv2d(4, 6, 1)
        self.depthwise = nn.Conv2d(6, 6, 3, padding=1, groups=6)
        self.gate = nn.Linear(6, 6)
        self.mix = nn.Conv2d(6, 6, 1)
        self.fc = nn.Linear(6 * 5 * 4, 7)
        self.head = nn.Linear(7, 3)

    def forward(self, x: Tensor) -> Any:
        x = F.relu_(self.stem(x))
        y = self.bn(self.conv(x))
        if self.kind == "in place":
            y += self.shortcut(x)
        else:
            y = y + self.shortcut(x) * 2
        y = F.silu(self.depthwise(F.relu(y)))
        if self.kind == "gate":
            y = y * self.gate(y.mean((2, 3))).sigmoid()[:, :, None, None]
        elif self.kind == "mix":
            y = self.mix(y)
        elif self.kind == "slice":
            y[:, :2] = 0
        return self.head(F.relu(self.fc(y.view(y.size(0), -1))))


@pytest.mark.parametrize("kind", ["plain", "in place", "gate", "mix", "slice"])
@pytest.mark.parametrize("layer", ["conv", "stem", "bn", "depthwise", "fc"])
def test_channels_replaced_one_at_a_time(kind: str, layer: str) -> None:
    model, x = models.built(Branches(kind)), models.pictures(2)
    inspector = Inspector(model, x)
    tail = inspector.passes.tail(layer, image=1)
    channels = tail.value.shape[1]
    other = torch.linspace(-1, 1, channels).view(1, -1, *[1] * (tail.value.dim() - 2))
    values = tail.value.repeat(channels, *[1] * (tail.value.dim() - 1))
    for channel in range(channels):
        values[channel, channel] = float(other[0, channel].flatten()[0])
    seen: list[tuple[int, int]] = []
    with unchanged(model, x):
        got = tail.channel_scores(
            2, replacement=other, done=lambda count, of, so_far: seen.append((len(so_far), of))
        )
    assert_near(got, replaced(model, layer, 1, values, x[1:])[:, 2], kind)
    assert seen[-1] == (channels, channels)


@pytest.mark.parametrize(
    ("network", "layer", "size"),
    [
        (resnet18, "layer4.1.conv2", 64),
        (resnet18, "layer4.0.conv2", 64),
        (resnet50, "layer4.2.conv3", 32),
        (vgg16, "features.28", 32),
    ],
)
def test_the_last_convolutions_of_real_networks(network: Any, layer: str, size: int) -> None:
    torch.manual_seed(0)
    inspector = Inspector(network(), models.pictures(1, 3, size, size))
    tail = inspector.passes.tail(layer)
    got = tail.channel_scores(5)
    places = [0, 3, 100, 511]
    values = tail.value.repeat(4, 1, 1, 1)
    for row, channel in enumerate(places):
        values[row, channel] = 0
    own, expected = tail.scores(tail.value, 5), tail.scores(values, 5)
    change = float((expected - own).abs().max())
    torch.testing.assert_close(got[places], expected, rtol=0, atol=1e-3 * change + 1e-7)


def test_wrong_values_are_refused() -> None:
    tail = Inspector(models.built(models.Plain()), models.pictures()).passes.tail("conv2")
    with pytest.raises(ValueError, match=r"the layer gives \(B, 6, 12, 10\) with B >= 1"):
        tail.scores(torch.ones(2, 5, 12, 10), 0)


def test_tails_of_layers_without_a_batch_axis_in_front() -> None:
    """Sequence first: the model is run as a whole where a value cannot be repeated."""

    class SequenceFirst(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.patches = nn.Conv2d(3, 6, 4, stride=4)
            self.mlp = nn.Linear(6, 6)
            self.head = nn.Linear(6, 3)

        def forward(self, x: Tensor) -> Any:
            x = self.patches(x).flatten(2).permute(2, 0, 1)
            return self.head(self.mlp(x).relu().mean(0))

    model, x = models.built(SequenceFirst()), models.pictures(1)
    tail = Inspector(model, x).passes.tail("patches")
    values = tail.value * torch.tensor([0.5, -1.0])[:, None, None, None]
    assert_near(tail.scores(values, 1), replaced(model, "patches", 1, values, x)[:, 1], "patches")


def test_images_that_depend_on_each_other_stay_together() -> None:
    """One image's value is replaced; the others of its batch are as they were."""
    model = models.built(
        nn.Sequential(
            nn.Conv2d(3, 4, 3), models.AcrossImages(), nn.AdaptiveAvgPool2d(1), nn.Flatten()
        )
    )
    x = models.pictures(3)
    inspector = Inspector(model, x)
    own = inspector.activation("0")
    tail = inspector.passes.tail("0", image=1)
    values = tail.value * torch.tensor([0.5, -2.0])[:, None, None, None]
    wholes = [torch.cat([own[:1], value[None], own[2:]]) for value in values]
    expected = torch.stack([replaced(model, "0", 1, whole, x[:1])[1, 2] for whole in wholes])
    assert_near(tail.scores(values, 2), expected, "a batch that is mixed")


class Crosswise(models.Plain):
    """Write to what is a copy only as the value lies crosswise in memory."""

    def forward(self, x: Tensor) -> Any:
        y = self.relu(self.conv1(x).transpose(2, 3))
        flat = y.flatten(2)
        flat *= 2
        return self.fc(self.conv2(y).mean((2, 3)))


def test_values_lie_in_memory_as_the_layers_own() -> None:
    model, x = models.built(Crosswise()), models.pictures(1)
    tail = Inspector(model, x).passes.tail("relu")
    rows = [tail.value.clone() for _ in range(tail.value.shape[1])]
    for channel, row in enumerate(rows):
        row[:, channel] = 0.5
    expected = torch.cat([replaced(model, "relu", 1, row, x)[:, 2] for row in rows])
    assert_near(tail.scores(torch.cat(rows).contiguous(), 2), expected, "scores")
    assert_near(tail.channel_scores(2, replacement=0.5), expected, "channels")


def test_a_model_that_does_not_stand_its_own_value_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    tail = Inspector(models.built(models.Plain()), models.pictures(1)).passes.tail("conv1")
    monkeypatch.setattr(tail, "_works", lambda *_: False)
    with pytest.raises(RuntimeError, match="gives other scores when the value of layer='conv1'"):
        tail.scores(tail.value, 2)


def test_a_tail_outlives_other_weights() -> None:
    model, x = models.built(models.Plain()), models.pictures(1)
    tail = Inspector(model, x).passes.tail("conv1")
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(1.3)
    expected = replaced(model, "conv1", 1, tail.value, x)[:, 2]
    assert_near(tail.scores(tail.value, 2), expected, "other weights")
