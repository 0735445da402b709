"""Layers whose gradient is read off a dense layer."""

from __future__ import annotations

import torch
from torch import nn

from cnnviz_widgets.inspection import Inspector
from tests.benchmarks.networks import resnet18
from tests.inspection import models


def test_the_head_of_a_residual_network() -> None:
    inspector = Inspector(models.built(resnet18()), models.pictures(1, 3, 64, 64))
    head = inspector.passes.linear_head("layer4")
    assert head is not None
    assert head.shape == (1000, 512)
    gradient = inspector.gradient("layer4", 17)
    torch.testing.assert_close(head[17][None, :, None, None].expand_as(gradient), gradient)
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
    torch.testing.assert_close(head[2][None, :, None, None].expand_as(gradient), gradient)


def test_token_grids_have_heads_too() -> None:
    inspector = Inspector(models.built(models.ChannelsLast()), models.pictures(1))
    head = inspector.passes.linear_head("mlp")
    assert head is not None
    gradient = inspector.gradient("mlp", 1)
    torch.testing.assert_close(head[1].expand_as(gradient), gradient)
    assert inspector.passes.linear_head("norm") is None
