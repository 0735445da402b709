"""What a user reads where torch takes no gradient."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
import torch.nn.functional as nnf
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

import cnnviz_widgets as cw
from cnnviz_widgets.inspection import Inspector
from cnnviz_widgets.inspection.refusals import is_refusal
from tests.inspection import models


class Clipped(nn.Module):
    """Writes through a view to what the gradient of a ReLU needs."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3)

    def forward(self, x: Tensor) -> Any:
        y = nnf.relu(self.conv(x))
        y.view(-1).clamp_(min=0.1)
        return y.mean((2, 3))


class Checkpointed(nn.Module):
    """Computes a layer again in the backward pass, the old way."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.last = nn.Conv2d(3, 4, 3), nn.Conv2d(4, 4, 3)

    def forward(self, x: Tensor) -> Any:
        return checkpoint(self.last, self.conv(x), use_reentrant=True).mean((2, 3))


def quiet(_done: int, _total: int, _partial: object) -> None:
    """Draw no bar."""


ASKED: dict[str, Callable[[Inspector], object]] = {
    "a layer's gradient": lambda inspector: inspector.gradient("conv", 1),
    "a map": lambda inspector: cw.cam(inspector, layer="conv", target=1, report=quiet),
    "saliency": lambda inspector: cw.saliency(inspector, target=1, report=quiet),
}


@pytest.mark.parametrize("what", ASKED)
def test_writes_through_views(what: str) -> None:
    """A recorder cannot run them in new memory."""
    inspector = Inspector(models.built(Clipped()), models.pictures(1))
    text = (
        r"^torch cannot take this gradient: the model writes in place to a value of shape "
        r"\(1, 4, 10, 8\) that relu\(\) gave, which the gradient needs as it was; it was made in "
        r"the model's own forward\(\)\. Write y = y \+ z there .* or choose a method without"
    )
    with pytest.raises(RuntimeError, match=text) as caught:
        ASKED[what](inspector)
    assert isinstance(caught.value.__cause__, RuntimeError), "torch's own words are there, too"
    assert is_refusal(caught.value.__cause__)
    assert inspector.predictions()[0]


@pytest.mark.filterwarnings("ignore:None of the inputs have requires_grad")
@pytest.mark.parametrize("what", ASKED)
def test_checkpoints_that_hide_what_is_inside(what: str) -> None:
    inspector = Inspector(models.built(Checkpointed()), models.pictures(1))
    with pytest.raises(RuntimeError, match="use_reentrant=True, which hides what is inside"):
        ASKED[what](inspector)


def test_other_errors_are_none() -> None:
    assert not is_refusal(RuntimeError("out of memory"))
    assert torch.is_grad_enabled()
