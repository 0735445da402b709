"""Inspection: layers whose backward pass needs nothing of their forward pass but its result.

In: a convolution or dense layer of torch's own, its input and its output as the trace holds it.
Out: that output as if the layer had run, with its place in the graph.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import torch
from torch import Tensor, nn

_SMALL = 1 << 22  # numbers of a dense layer that may as well run, so that scores are its own
_CONVOLUTIONS = (nn.Conv1d, nn.Conv2d, nn.Conv3d)
Back = Callable[[Tensor], Tensor]


class _Given(torch.autograd.Function):
    """Give an output that is known, with a backward pass of its own."""

    @staticmethod
    def forward(ctx: Any, _x: Tensor, held: list[Tensor], back: Back) -> Tensor:
        ctx.back = back
        return held[0]

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None, None]:
        return ctx.back(gradients[0]), None, None


def is_linear_in_input(module: nn.Module) -> bool:
    """Tell whether a layer is large, and its gradient depends on its weights alone."""
    if "forward" in vars(module):
        return False
    if type(module) is nn.Linear:
        return module.weight.numel() > _SMALL
    # Other ways of padding are functions of their own in front of the convolution.
    return (
        type(module) in _CONVOLUTIONS
        and module.padding_mode == "zeros"
        and module.padding != "same"
    )


def fits(module: nn.Module, x: object) -> bool:
    """Tell whether such a layer is given a batch, as its backward pass expects."""
    if not isinstance(x, Tensor):
        return False
    return type(module) is nn.Linear or x.dim() == cast("Tensor", module.weight).dim()


def as_if_run(module: nn.Module, x: Tensor, output: Tensor) -> Tensor:
    """Return the output of such a layer as a value of the graph.

    Parameters
    ----------
    module : torch.nn.Module
        One that `is_linear_in_input`.
    x : Tensor
        Its input, which `fits`; only the shape matters for the gradient.
    output : Tensor
        What it gives for this input. The result shares its memory.
    """
    if not x.requires_grad or not torch.is_grad_enabled():
        return output
    weight = cast("Tensor", module.weight).detach()
    back = _dense(weight) if type(module) is nn.Linear else _convolution(module, weight, x.detach())
    given: Tensor = _Given.apply(x, [output.detach()], back)  # type: ignore[no-untyped-call]  # torch's
    return given


def _dense(weight: Tensor) -> Back:
    return lambda gradient: gradient @ weight


def _convolution(module: Any, weight: Tensor, x: Tensor) -> Back:
    padding = module.padding if module.padding != "valid" else (0,) * (weight.dim() - 2)

    def back(gradient: Tensor) -> Tensor:
        found: Tensor = torch.ops.aten.convolution_backward(
            gradient, x, weight, None, module.stride, padding, module.dilation,
            False, [0] * (weight.dim() - 2), module.groups, [True, False, False],
        )[0]  # fmt: skip
        return found

    return back
