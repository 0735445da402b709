"""Linear heads read from the graph, against the gradients that autograd gives."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as nnf
from torch import Tensor, nn
from torch.autograd.graph import get_gradient_edge

from cnnviz_widgets.inspection.chains import Head, head_of_graph

Tail = Callable[[Tensor], Tensor]
_DENSE = nn.Linear(4, 5).requires_grad_(requires_grad=False)
_PLAIN = nn.Linear(4, 5, bias=False).requires_grad_(requires_grad=False)
_WIDE = nn.Linear(6, 5).requires_grad_(requires_grad=False)
_HALF = nn.Linear(2, 3).requires_grad_(requires_grad=False)
_FOUR = nn.Linear(4, 4).requires_grad_(requires_grad=False)


def value(*shape: int) -> Tensor:
    generator = torch.Generator().manual_seed(3)
    return torch.randn(*shape, generator=generator).requires_grad_().clone()


def read(tail: Tail, x: Tensor, axis: int) -> Head | None:
    return head_of_graph(tail(x), get_gradient_edge(x), x.shape, axis)


HEADS: dict[str, tuple[Tail, tuple[int, ...], int]] = {
    "as in a ResNet": (lambda x: _DENSE(nnf.adaptive_avg_pool2d(x, 1).flatten(1)), (4, 3, 2), 1),
    "mean, no bias": (lambda x: _PLAIN(x.mean((2, 3))), (4, 3, 2), 1),
    "mean of a row": (lambda x: _DENSE(x.flatten(2).mean(-1)), (4, 3, 2), 1),
    "view": (lambda x: _DENSE(nnf.adaptive_avg_pool2d(x, 1).view(1, -1)), (4, 3, 2), 1),
    "squeezed": (
        lambda x: _DENSE(nnf.adaptive_avg_pool2d(x, 1).squeeze(-1).squeeze(-1)),
        (4, 2, 2),
        1,
    ),
    "dropout in eval mode": (
        lambda x: _DENSE(nnf.dropout(x.mean((2, 3)), 0.5, training=False)),
        (4, 3, 2),
        1,
    ),
    "1-d": (lambda x: _DENSE(nnf.adaptive_avg_pool1d(x, 1).flatten(1)), (4, 6), 1),
    "3-d": (lambda x: _DENSE(nnf.adaptive_avg_pool3d(x, 1).flatten(1)), (4, 2, 3, 2), 1),
    "tokens": (lambda x: _DENSE(x.mean(1)), (6, 4), -1),
    "channels last": (lambda x: _DENSE(x.mean((1, 2))), (3, 2, 4), -1),
    "copied": (lambda x: _DENSE(x.mean((2, 3)).clone()).clone(), (4, 3, 2), 1),
}


@pytest.mark.parametrize("name", HEADS)
def test_heads(name: str) -> None:
    tail, shape, axis = HEADS[name]
    x = value(1, *shape)
    head = read(tail, x, axis)
    assert head is not None
    assert head.places == x.numel() // 4
    scores = tail(x)
    for index in range(5):
        (expected,) = torch.autograd.grad(scores[0, index], [x], retain_graph=True)
        (row,) = head.gradients([index])
        torch.testing.assert_close(
            row.view(-1, *[1] * (x.dim() - 2) * (axis == 1)) + 0 * x, expected
        )


def test_numbers_by_hand() -> None:
    """Places 2 x 1, one channel for each of two classes' weights."""
    dense = nn.Linear(2, 2, bias=False).requires_grad_(requires_grad=False)
    dense.weight.copy_(torch.tensor([[2.0, 4.0], [6.0, -8.0]]))
    head = read(lambda x: dense(x.mean((2, 3))), value(1, 2, 2, 1), 1)
    assert head is not None
    assert head.gradients([1, 0]).tolist() == [[3.0, -4.0], [1.0, 2.0]]


def _acting_twice(x: Tensor) -> Tensor:
    pooled = x.mean((2, 3))
    return torch.addmm(pooled.sum()[None].expand(5), pooled, _DENSE.weight.t())


def _weighing_itself(x: Tensor) -> Tensor:
    return x.mean((2, 3)) @ (_DENSE.weight.t() * x.sum())


OTHERS: dict[str, tuple[Tail, tuple[int, ...], int]] = {
    "ReLU before the dense layer": (lambda x: _DENSE(x.mean((2, 3)).relu()), (4, 3, 2), 1),
    "ReLU before the mean": (lambda x: _DENSE(x.relu().mean((2, 3))), (4, 3, 2), 1),
    "scaled": (lambda x: _DENSE(x.mean((2, 3)) * 2), (4, 3, 2), 1),
    "scaled in the product": (
        lambda x: torch.addmm(_DENSE.bias, x.mean((2, 3)), _DENSE.weight.t(), alpha=2),
        (4, 3, 2),
        1,
    ),
    "a dense layer on halves": (
        lambda x: _HALF(x.mean((2, 3)).view(2, 2)).view(1, 6),
        (4, 3, 2),
        1,
    ),
    "two dense layers": (lambda x: _DENSE(_FOUR(x.mean((2, 3)))), (4, 3, 2), 1),
    "softmax": (lambda x: _DENSE(x.mean((2, 3))).softmax(1), (4, 3, 2), 1),
    "some of the scores": (lambda x: _DENSE(x.mean((2, 3)))[:, 1:], (4, 3, 2), 1),
    "scores the other way round": (lambda x: _DENSE(x.mean((2, 3))).flip(1), (4, 3, 2), 1),
    "dropout": (
        lambda x: _DENSE(nnf.dropout(x.mean((2, 3)), 0.5, training=True)),
        (4, 3, 2),
        1,
    ),
    "maximum": (lambda x: _DENSE(nnf.adaptive_max_pool2d(x, 1).flatten(1)), (4, 3, 2), 1),
    "mean of a part": (lambda x: _DENSE(x[:, :, :2].mean((2, 3))), (4, 3, 2), 1),
    "mean over one axis": (lambda x: _DENSE(x[:, :, 0].mean(2)), (4, 3, 2), 1),
    "mean over the channels": (lambda x: _WIDE(x.mean(1).flatten(1)), (4, 3, 2), 1),
    "mean over other axes, as many numbers": (lambda x: _DENSE(x.mean((1, 3))), (4, 4, 4), 1),
    "channels turned": (lambda x: _DENSE(x.mean((2, 3)).flip(1)), (4, 3, 2), 1),
    "tokens read as channels": (lambda x: _DENSE(x.mean(1)), (4, 4), 1),
    "places left": (lambda x: _DENSE(nnf.adaptive_avg_pool2d(x, (2, 1)).flatten(1)), (2, 4, 3), 1),
    "cut off": (lambda x: _DENSE(x.mean((2, 3)).detach()), (4, 3, 2), 1),
    "two ways": (_acting_twice, (4, 3, 2), 1),
    "a weight that depends on the layer": (_weighing_itself, (4, 3, 2), 1),
    "sum": (lambda x: _DENSE(x.sum((2, 3))), (4, 3, 2), 1),
    "none": (lambda x: x.mean((2, 3)), (4, 3, 2), 1),
}


@pytest.mark.parametrize("name", OTHERS)
def test_what_is_no_head(name: str) -> None:
    tail, shape, axis = OTHERS[name]
    assert read(tail, value(1, *shape), axis) is None


def test_the_layer_is_told_from_others() -> None:
    """A value before or after it, or another of the same shape, is not the layer."""
    x = value(1, 4, 3, 2)
    y = x * 2
    scores = _DENSE(y.mean((2, 3)))
    assert head_of_graph(scores, get_gradient_edge(y), y.shape, 1) is not None
    assert head_of_graph(scores, get_gradient_edge(x), x.shape, 1) is None
    assert head_of_graph(scores, get_gradient_edge(x * 2), x.shape, 1) is None


def test_a_weight_that_was_written_to_since() -> None:
    x, dense = value(1, 4, 3, 2), nn.Linear(4, 5).requires_grad_(requires_grad=False)
    scores = dense(x.mean((2, 3)))
    dense.weight.mul_(2)
    assert head_of_graph(scores, get_gradient_edge(x), x.shape, 1) is None


def test_batches_have_none() -> None:
    x = value(2, 4, 3, 2)
    assert read(lambda x: _DENSE(x.mean((2, 3))), x, 1) is None
