"""Passes over variants of an image, and of a layer's value."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from cnnviz_widgets.inspection import Inspector
from tests.inspection import models


def test_scores_of_variants_are_the_models_own() -> None:
    model, x = models.built(models.Plain(inplace=True)), models.pictures(4)
    inspector = Inspector(model, x[:2])
    expected = model(x).detach()
    torch.testing.assert_close(inspector.passes.scores(x, 3), expected[:, 3])
    got = inspector.passes.scores(x, lambda output: output[:, 1] - output[:, 0])
    torch.testing.assert_close(got, expected[:, 1] - expected[:, 0])
    (target,) = inspector.passes.targets([None], image=1)
    assert target.index == int(expected[1].argmax())
    torch.testing.assert_close(inspector.passes.scores(x[:1], target), expected[:1, target.index])
    assert torch.equal(inspector.passes.input(image=1), x[1:2])


def test_models_that_mix_a_batch_are_run_one_by_one() -> None:
    model = models.built(
        nn.Sequential(nn.Conv2d(3, 4, 3), models.AcrossImages(), nn.Tanh(), nn.Flatten())
    )
    x = models.pictures(3)
    inspector = Inspector(model, x[:1])
    expected = torch.cat([model(row[None]) for row in x])[:, 7].detach()
    torch.testing.assert_close(inspector.passes.scores(x, 7), expected)
    scores, gradient = inspector.passes.input_gradient(x, 7)
    torch.testing.assert_close(scores, expected)
    assert gradient.shape == x.shape
    leaf = x[1:2].clone().requires_grad_()
    (own,) = torch.autograd.grad(model(leaf)[0, 7], [leaf])
    torch.testing.assert_close(gradient[1:2], own)


def test_models_that_need_their_channels_first_in_memory() -> None:
    class Viewing(models.Plain):
        def forward(self, x: Tensor) -> Any:
            x = self.conv2(self.relu(self.conv1(x)))
            return self.fc(x.view(x.shape[0], -1)[:, 100:106])

    model, x = models.built(Viewing()), models.pictures(3)
    inspector = Inspector(model, x[:1])
    expected = model(x).detach()[:, 2]
    for _ in range(2):
        torch.testing.assert_close(inspector.passes.scores(x, 2), expected)
    assert not inspector._session.memory.channels_last
    assert not inspector._session.memory.one_by_one


def test_models_for_one_image_only() -> None:
    class One(models.Plain):
        def forward(self, x: Tensor) -> Any:
            return super().forward(x.view(1, 3, 12, 10)).view(1, 5)

    model, x = models.built(One()), models.pictures(3)
    inspector = Inspector(model, x[:1])
    expected = torch.cat([model(row[None]) for row in x])[:, 2].detach()
    torch.testing.assert_close(inspector.passes.scores(x, 2), expected)
    with pytest.raises(ValueError, match=r"variants of this input have shape \(B, 3, 12, 10\)"):
        inspector.passes.scores(x[:, :1], 2)


@pytest.mark.parametrize("kind", models.IN_PLACE_KINDS)
def test_input_gradients(kind: str) -> None:
    model, x = models.built(models.InPlace(kind)), models.pictures(2)
    inspector = Inspector(model, x[:1])
    before = inspector.passes.scores(x, 1)
    scores, gradient = inspector.passes.input_gradient(x, 1)
    torch.testing.assert_close(scores, before)
    if kind in {"out=", "detached alias", "data alias"}:
        return  # no twin with a gradient
    step, number = 1e-3, (1, 2, 5, 4)
    moved = x.repeat(2, 1, 1, 1)[[1, 1]]
    moved[0][number[1:]] += step
    moved[1][number[1:]] -= step
    high, low = inspector.passes.scores(moved, 1)
    assert float(gradient[number]) == pytest.approx(float(high - low) / (2 * step), abs=2e-3)


def test_two_inputs() -> None:
    model, x = models.built(models.TwoTowers()), models.pictures(3)
    right = models.pictures(1, 1)
    inspector = Inspector(model, (x[:1], right))
    expected = model(x, right.expand(3, -1, -1, -1)).detach()
    torch.testing.assert_close(inspector.passes.scores(x, 2), expected[:, 2])


def test_a_tail_gives_what_the_whole_network_gives() -> None:
    model, x = models.built(models.Plain(inplace=True)), models.pictures(2)
    inspector = Inspector(model, x)
    assert isinstance(model, models.Plain)
    tail = inspector.passes.tail("conv2", image=1)
    assert torch.equal(tail.value, inspector.activation("conv2")[1:])
    values = tail.value * torch.linspace(-1, 1, 5)[:, None, None, None]
    expected = model.fc(model.pool(values.relu()).flatten(1)).detach()
    torch.testing.assert_close(tail.scores(values, 4), expected[:, 4])
