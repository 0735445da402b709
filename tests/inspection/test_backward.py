"""Layers that give their output without running, and their gradient all the same."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from cnnviz_widgets.inspection.backward import as_if_run, fits, is_linear_in_input

LAYERS = {
    "plain": nn.Conv2d(4, 6, 3),
    "strided": nn.Conv2d(4, 6, 3, stride=2, padding=1),
    "dilated groups": nn.Conv2d(4, 6, 3, dilation=2, groups=2, bias=False),
    "valid": nn.Conv2d(4, 6, (1, 3), padding="valid"),
    "dense": nn.Linear(9, 5),
}


@pytest.mark.parametrize("name", LAYERS)
def test_gradients_are_the_layers_own(name: str) -> None:
    layer = LAYERS[name].requires_grad_(requires_grad=False)
    x = torch.randn(2, 4, 8, 9, generator=torch.Generator().manual_seed(0)).requires_grad_()
    expected = layer(x)
    given = as_if_run(layer, x, expected.detach())
    assert given.data_ptr() == expected.data_ptr()
    for power in (1, 2):
        (own,) = torch.autograd.grad(expected.pow(power).sum(), [x], retain_graph=True)
        (got,) = torch.autograd.grad(given.pow(power).sum(), [x], retain_graph=True)
        torch.testing.assert_close(got, own)
    assert as_if_run(layer, x.detach(), expected.detach()).grad_fn is None


def test_a_convolution_of_one_image_without_a_batch_runs() -> None:
    assert fits(LAYERS["plain"], torch.zeros(1, 4, 8, 9))
    assert not fits(LAYERS["plain"], torch.zeros(4, 8, 9))
    assert not fits(LAYERS["plain"], None)
    assert fits(LAYERS["dense"], torch.zeros(9))


def test_which_layers_they_are() -> None:
    assert is_linear_in_input(nn.Conv1d(1, 1, 1))
    assert is_linear_in_input(nn.Linear(4096, 4096))
    assert not is_linear_in_input(nn.Linear(512, 1000))
    assert not is_linear_in_input(nn.Conv2d(1, 1, 3, padding=1, padding_mode="reflect"))
    assert not is_linear_in_input(nn.ConvTranspose2d(1, 1, 1))
    assert not is_linear_in_input(nn.utils.parametrizations.weight_norm(nn.Conv2d(1, 1, 1)))
