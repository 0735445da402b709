"""The networks: what later views rely on."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from cnnviz_widgets.samples.networks import BasicBlock, DigitNet, ShapeNet


def last_grid(model: nn.Module, inputs: Tensor) -> torch.Size:
    """Shape of what the last convolution gives."""
    last = [module for module in model.modules() if isinstance(module, nn.Conv2d)][-1]
    shapes: list[torch.Size] = []
    with last.register_forward_hook(lambda _module, _args, output: shapes.append(output.shape)):
        model(inputs)
    return shapes[0]


@pytest.mark.parametrize(("network", "size"), [(DigitNet, (1, 32, 32)), (ShapeNet, (3, 64, 64))])
def test_ten_logits_and_a_last_grid_of_eight(
    network: type[nn.Module], size: tuple[int, int, int]
) -> None:
    model = network().eval()
    inputs = torch.zeros(2, *size)
    assert model(inputs).shape == (2, 10)
    assert last_grid(model, inputs)[2:] == (8, 8)
    assert sum(parameter.numel() for parameter in model.parameters()) < 230_000


def test_shape_net_has_what_residual_networks_have() -> None:
    modules = dict(ShapeNet().named_modules())
    assert "layer2.0.downsample.1" in modules
    kinds = {type(module) for module in modules.values()}
    assert {nn.BatchNorm2d, nn.MaxPool2d, nn.AvgPool2d, nn.AdaptiveAvgPool2d} <= kinds
    assert all(module.inplace for module in modules.values() if isinstance(module, nn.ReLU))


@pytest.mark.parametrize(("channels", "stride"), [((4, 4), 1), ((4, 6), 1), ((4, 6), 2)])
def test_block_is_its_out_of_place_twin(channels: tuple[int, int], stride: int) -> None:
    torch.manual_seed(0)
    block = BasicBlock(*channels, stride=stride).eval()
    x = torch.randn(2, channels[0], 8, 8)
    kept = x.clone()
    way_round = x if block.downsample is None else block.downsample(x)
    inner = block.bn1(block.conv1(x)).clamp(min=0)
    expected = (block.bn2(block.conv2(inner)) + way_round).clamp(min=0)
    torch.testing.assert_close(block(x), expected)
    torch.testing.assert_close(x, kept, rtol=0, atol=0)
