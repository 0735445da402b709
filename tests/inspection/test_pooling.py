"""Max pooling one axis after the other, against torch's own."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any, cast

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from cnnviz_widgets.inspection import Inspector
from cnnviz_widgets.inspection.pooling import max_pool2d, pools_quickly
from tests.inspection import models


def odd_picture(height: int, width: int, dtype: torch.dtype) -> Tensor:
    """Return a picture with ties, NaN and both infinities."""
    torch.manual_seed(height * width)
    x = torch.randint(-3, 4, (2, 3, height, width)).to(dtype)
    chance = torch.rand(x.shape)
    for place, value in enumerate((float("nan"), float("inf"), -float("inf"))):
        x[(chance > 0.1 * place) & (chance < 0.1 * place + 0.03)] = value
    return x


def test_numbers_by_hand() -> None:
    x = torch.tensor([[[[1.0, 2, 3, 4], [8, 7, 6, 5], [-1, -2, -3, -4], [0, 0, 9, 0]]]])
    pool = vars(nn.MaxPool2d(2))
    assert max_pool2d(pool, x).tolist() == [[[[8, 6], [0, 9]]]]
    overlapping = vars(nn.MaxPool2d(3, 2, padding=1))
    assert max_pool2d(overlapping, -x).tolist() == [[[[-1, -2], [2, 4]]]]


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_every_kind_of_window_gives_what_torch_gives(dtype: torch.dtype) -> None:
    done = 0
    windows: Iterator[Any] = itertools.product(
        (1, 2, 3, 5, (3, 2)), (None, 1, 2, 3, (2, 1)), (0, 1, (1, 0)), ((5, 8), (6, 5), (12, 7))
    )
    for size, step, padding, (height, width) in windows:
        layer, x = nn.MaxPool2d(size, step, padding), odd_picture(height, width, dtype)
        if not pools_quickly(vars(layer), x):
            continue
        expected, found = layer(x), max_pool2d(vars(layer), x)
        np.testing.assert_array_equal(found.numpy(), expected.numpy())
        assert found.stride() == expected.stride()
        done += 1
    assert done > 100


@pytest.mark.parametrize(
    ("kept_from", "options", "change"),
    [
        ("indices", {"return_indices": True}, None),
        ("half windows", {"ceil_mode": True}, None),
        ("holes", {"dilation": 2}, None),
        ("padding as wide as half a window", {"kernel_size": 2, "padding": 1}, None),
        ("windows larger than the picture", {"kernel_size": 9}, None),
        ("one number in a tuple", {"kernel_size": (3,)}, None),
        ("a number of NumPy's", {"kernel_size": np.int64(3)}, None),
        ("a graph", {}, lambda x: x.requires_grad_()),
        ("whole numbers", {}, lambda x: x.long()),
        ("half precision", {}, lambda x: x.bfloat16()),
        ("one picture without a batch", {}, lambda x: x[0]),
        ("channels last", {}, lambda x: x.to(memory_format=torch.channels_last)),
        ("a view with gaps", {}, lambda x: x[..., ::2]),
    ],
)
def test_anything_else_is_left_to_torch(kept_from: str, options: Any, change: Any) -> None:
    layer, x = nn.MaxPool2d(**{"kernel_size": 3, **options}), torch.randn(2, 3, 8, 8)
    assert pools_quickly(vars(nn.MaxPool2d(3)), x)
    assert not pools_quickly(vars(layer), x if change is None else change(x)), kept_from


def test_a_step_that_is_taken_away_is_that_of_the_window() -> None:
    layer, x = nn.MaxPool2d(3, 1), torch.randn(1, 2, 9, 9)
    layer.stride = None  # type: ignore[assignment]  # as torch's function allows
    found = Inspector(nn.Sequential(nn.Conv2d(2, 2, 1), layer), x).activation("1")
    assert found.shape == (1, 2, 3, 3)


class Mapped(nn.Module):
    """Runs its layers once for each picture, with torch.vmap."""

    def __init__(self) -> None:
        super().__init__()
        self.pool = nn.MaxPool2d(2)
        self.fc = nn.Linear(3, 4)

    def forward(self, x: Tensor) -> Tensor:
        pooled: Tensor = torch.vmap(lambda one: self.pool(one[None])[0])(x)
        y: Tensor = self.fc(pooled.mean((2, 3)))
        return y


def test_layers_inside_vmap_are_left_to_torch() -> None:
    model, x = models.built(Mapped()), models.pictures(2, 3, 8, 8)
    with torch.no_grad():
        expected = model.eval()(x)
    assert torch.equal(Inspector(model, x).activation("fc"), expected)


def test_a_gradient_goes_where_torchs_own_pooling_sends_it() -> None:
    """Halves of it, to either of two equal values, would be another gradient."""
    conv = nn.Conv2d(3, 4, 3)
    nn.init.zeros_(conv.weight)
    nn.init.ones_(cast("Tensor", conv.bias))
    inspector = Inspector(
        nn.Sequential(conv, nn.MaxPool2d(2), nn.Flatten()), models.pictures(1, 3, 8, 8)
    )
    given = torch.ones(1, 4, 6, 6, requires_grad=True)
    (expected,) = torch.autograd.grad(nn.functional.max_pool2d(given, 2)[0, 0, 0, 1], given)
    assert expected.sum() == expected.max() == 1
    assert torch.equal(inspector.gradient("0", 1), expected)
    seen: list[Tensor | None] = []
    inspector.passes.sweep(["0"], [1], lambda *given: seen.append(given[2]))
    assert seen[0] is not None
    assert torch.equal(seen[0], expected)
