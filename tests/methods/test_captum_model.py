"""The model that Captum runs: counted, stoppable, with weights of its own."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from cnnviz_widgets.inspection import Inspector
from cnnviz_widgets.methods.captum_model import CountedModel
from cnnviz_widgets.methods.progress import Cancelled
from tests.inspection import models


def test_passes_are_counted() -> None:
    x = models.pictures(1)
    model = models.built(models.Plain())
    insp = Inspector(model, x)
    asked: list[int] = []
    with insp.passes.module() as scorer:
        counted = CountedModel(scorer, asked.append)
        batch = x.repeat(3, 1, 1, 1).requires_grad_()
        scores = counted(batch)
        torch.autograd.grad(scores[:, 1].sum(), batch)
        counted(x)
    torch.testing.assert_close(scores.detach(), model(batch).detach())
    assert (counted.forward_passes, counted.backward_passes) == (4, 3)
    assert asked == [0, 3]


def test_what_stopped_it_is_kept() -> None:
    insp = Inspector(models.built(models.Plain()), models.pictures(1))

    def check(_passes: int) -> None:
        raise Cancelled

    with insp.passes.module() as scorer:
        counted = CountedModel(scorer, check)
        with pytest.raises(Cancelled) as error:
            counted(insp.passes.input())
    assert counted.stopped is error.value


def test_weights_are_copies_and_tied_ones_stay_tied() -> None:
    class Tied(models.Plain):
        def __init__(self) -> None:
            super().__init__()
            self.other = nn.Linear(6, 5)
            self.other.weight = self.fc.weight

    model = models.built(Tied())
    versions = [parameter._version for parameter in model.parameters()]
    with Inspector(model, models.pictures(1)).passes.module() as scorer:
        counted = CountedModel(scorer, lambda _: None)
        fc, other = counted.layer("fc"), counted.layer("other")
        assert fc.get_parameter("weight") is other.get_parameter("weight")
        with torch.no_grad():
            fc.get_parameter("weight").zero_()
    assert bool(model.get_parameter("fc.weight").any())
    assert [parameter._version for parameter in model.parameters()] == versions
