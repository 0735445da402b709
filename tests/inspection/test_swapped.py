"""Variants computed as two values are the variants themselves."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from cnnviz_widgets.inspection.swapped import SwapError, Swapped, TooManyRowsError

FUNCTIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "relu": F.relu,
    "relu in place": lambda x: F.relu(x, inplace=True) + 0,
    "batch norm": lambda x: F.batch_norm(x, torch.arange(4.0), torch.arange(4.0) + 1),
    "pool": lambda x: F.max_pool2d(x, 2),
    "mean": lambda x: x.mean((2, 3)),
    "mean of all": lambda x: x.mean(),
    "flatten and dense": lambda x: F.linear(x.flatten(1), _weights(3, 4 * 12)),
    "view and dense": lambda x: F.linear(x.view(-1, 48), _weights(3, 48), torch.ones(3)),
    "add": lambda x: x + torch.arange(4.0).view(4, 1, 1),
    "subtract from": lambda x: 1 - x,
    "itself": lambda x: x * x,
    "rows apart": lambda x: x * torch.arange(3.0).view(3, 1, 1, 1),
    "convolution": lambda x: F.conv2d(x, _weights(5, 4).view(5, 4, 1, 1)),
    "depthwise": lambda x: F.conv2d(x, _weights(4, 9).view(4, 1, 3, 3), groups=4),
    "softmax": lambda x: x.softmax(1),
    "index": lambda x: x[:, 1:3],
    "transpose": lambda x: x.mT,
    "add in place": lambda x: x.add_(x * 0.5).mul_(2),
    "plain in place": lambda x: torch.zeros(3, 4, 3, 4).add_(x),
}


def _weights(*shape: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(1))


def _variants() -> tuple[Swapped, Tensor]:
    base, other = _weights(1, 4, 3, 4), _weights(2, 4, 3, 4)[1:]
    swapped = Swapped.of(base, other, (0, 2, 3), most=1 << 20)
    rows = base.repeat(3, 1, 1, 1)
    for row, channel in enumerate((0, 2, 3)):
        rows[row, channel] = other[0, channel]
    return swapped, rows


@pytest.mark.parametrize("name", FUNCTIONS)
def test_functions_of_variants(name: str) -> None:
    swapped, rows = _variants()
    assert swapped.shape == rows.shape
    assert torch.equal(swapped.written_out(), rows)
    got = FUNCTIONS[name](swapped)
    plain = got.written_out() if isinstance(got, Swapped) else got
    torch.testing.assert_close(plain, FUNCTIONS[name](rows))


def test_values_that_are_the_same_in_all_rows() -> None:
    swapped, rows = _variants()
    same = swapped.like(_weights(1, 4, 3, 4), None)
    plain = same.base.expand(3, -1, -1, -1)
    for function in (lambda a, b: a + b, lambda a, b: b * a, torch.maximum):
        got = function(swapped, same)
        assert isinstance(got, Swapped)
        torch.testing.assert_close(got.written_out(), function(rows, plain))
    convolved = F.conv2d(same, _weights(5, 4).view(5, 4, 1, 1))
    assert isinstance(convolved, Swapped)
    assert convolved.other is None


@pytest.mark.parametrize("outlier", [1e6, float("inf"), float("nan")])
@pytest.mark.parametrize("block", [1, 5])
def test_a_channel_much_larger_than_the_others(outlier: float, block: int) -> None:
    base, other, weight = _weights(1, 8 * block), torch.zeros(1, 8 * block), _weights(3, 8 * block)
    base[0, 2 * block : 3 * block] = outlier
    swapped = Swapped.of(base, other, range(8), most=1 << 20, block=block)
    got = F.linear(swapped, weight)
    expected = F.linear(swapped.written_out().double(), weight.double())
    torch.testing.assert_close(got.double(), expected, rtol=1e-4, atol=0, equal_nan=True)
    assert bool(got[2].isfinite().all())


def test_what_is_left_of_a_large_score() -> None:
    base = torch.tensor([[1.0, 1.0, 1.1]])
    weight = torch.tensor([[0.5, 1e6, 0.25]])
    swapped = Swapped.of(base, torch.zeros(1, 3), range(3), most=1 << 20)
    got = F.linear(swapped, weight)
    assert got[1, 0] == pytest.approx(0.775)


def test_what_cannot_be_done_is_refused() -> None:
    swapped, _ = _variants()
    with pytest.raises(SwapError, match="__setitem__ writes to variants"):
        swapped[:, 0] = 0
    with pytest.raises(SwapError, match="no longer is"):
        swapped.like(_weights(1, 4, 3, 4), None).add_(swapped)
    few = Swapped.of(swapped.base, swapped.other, (0, 1, 2), most=100)
    with pytest.raises(TooManyRowsError, match="at most 2 variants") as caught:
        few.softmax(1)
    assert caught.value.rows == 2
