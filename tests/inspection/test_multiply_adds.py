"""Multiply-adds against hand numbers and torch's own counter."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from cnnviz_widgets.inspection import Inspector
from cnnviz_widgets.inspection.values import first_tensor
from tests.benchmarks import networks
from tests.inspection import models


def counted(model: nn.Module, x: Tensor) -> int:
    """Count with torch, which sees two operations in each multiply-add."""
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        model.eval()(x)
    return int(counter.get_total_flops()) // 2 // x.shape[0]


def test_by_hand() -> None:
    """A 3 x 3 convolution of 3 to 4 channels on 12 x 10: 12 * 10 * 4 * 27."""
    inspector = Inspector(models.built(models.Plain()), models.pictures(2))
    assert inspector.find("conv1").multiply_adds == 12960
    assert inspector.find("relu#1").multiply_adds == 0


@pytest.mark.parametrize("build", [networks.resnet18, networks.vgg16])
def test_networks_equal_torchs_counter(build: Any) -> None:
    model, x = build(), models.pictures(2, 3, 32, 32)
    inspector = Inspector(model, x)
    total = sum(info.multiply_adds or 0 for info in inspector.layers)
    assert total == counted(model, x)


@pytest.mark.parametrize(
    ("layer", "x"),
    [
        (nn.Conv2d(4, 6, 3, groups=2), torch.zeros(2, 4, 8, 8)),
        (nn.Conv1d(4, 6, 3), torch.zeros(2, 4, 8)),
        (nn.Conv3d(1, 2, 3), torch.zeros(1, 1, 5, 6, 7)),
        (nn.ConvTranspose2d(4, 6, 2, stride=2), torch.zeros(2, 4, 8, 8)),
        (nn.Linear(7, 3), torch.zeros(2, 7)),
    ],
)
def test_layers_equal_torchs_counter(layer: nn.Module, x: Tensor) -> None:
    (info,) = Inspector(nn.Sequential(layer), x).layers
    assert info.multiply_adds == counted(layer, x)


class Products(nn.Module):
    """Matrix products, attention, or a product without a formula."""

    def __init__(self, kind: str):
        super().__init__()
        self.kind = kind
        self.inner = nn.Identity()

    def forward(self, x: Tensor) -> Any:
        x = self.inner(x)
        y = x.transpose(1, 2)
        if self.kind == "matmul":
            return x @ y
        if self.kind == "bmm":
            return torch.bmm(x, y)
        if self.kind == "attention":
            return nn.functional.scaled_dot_product_attention(x, x, x)
        if self.kind == "addmm":
            return torch.addmm(x[0], x[0], x[0].new_ones(x.shape[2], x.shape[2]))
        return torch.einsum("nij,nkj->nik", x, x)


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("matmul", 5 * 5 * 4),
        ("bmm", 5 * 5 * 4),
        ("attention", 2 * 5 * 5 * 4),
        ("addmm", 5 * 4 * 4 // 3),
        ("einsum", None),
    ],
)
def test_products(kind: str, expected: int | None) -> None:
    model = nn.Sequential(Products(kind))
    inspector = Inspector(model, torch.zeros(3, 5, 4))
    assert inspector.find("0").multiply_adds == expected


def test_multi_head_attention_by_hand() -> None:
    """Four projections of 6 tokens x 8 x 8, and two products of 6 x 6 x 8."""
    model = nn.Sequential(nn.TransformerEncoderLayer(8, 2, 16, batch_first=True))
    inspector = Inspector(model, torch.zeros(2, 6, 8))
    assert inspector.find("0.self_attn").multiply_adds == 4 * 6 * 8 * 8 + 2 * 6 * 6 * 8


class Calls(nn.Module):
    """One layer, called in a way of its own."""

    def __init__(self, layer: nn.Module, way: Callable[[Any, Tensor], Tensor]) -> None:
        super().__init__()
        self.layer = layer
        self.look = nn.Identity()
        self.way = way

    def forward(self, x: Tensor) -> Tensor:
        return self.way(self.layer, self.look(x))


@pytest.mark.parametrize("cell", [nn.LSTMCell, nn.GRUCell, nn.RNNCell])
def test_recurrent_cells_have_no_formula(cell: Any) -> None:
    model = Calls(cell(3, 4), lambda layer, x: torch.as_tensor(first_tensor(layer(x))))
    assert Inspector(model, torch.zeros(2, 3)).find("layer").multiply_adds is None


def test_arguments_by_keyword() -> None:
    """3 x 3 x 3 to 4 channels, on 3 x 3 places: 4 * 9 * 27."""
    layer = nn.Sequential(Calls(nn.Conv2d(3, 4, 3), _by_keyword))
    found = Inspector(layer, torch.zeros(2, 3, 5, 5)).find("0")
    assert found.multiply_adds == 4 * 9 * 27


def _by_keyword(layer: Any, x: Tensor) -> Tensor:
    return nn.functional.conv2d(weight=layer.weight, bias=layer.bias, input=x)


def test_attention_over_another_axis_has_no_cost_for_one_picture() -> None:
    """With batch_first=False the first axis of (5, 3, 8) is not that of the images."""
    model = Calls(nn.MultiheadAttention(8, 2), lambda layer, x: layer(x, x, x)[0])
    assert Inspector(model, (torch.zeros(5, 3, 8),)).find("layer").multiply_adds is None
