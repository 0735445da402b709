"""One forward pass: watched, followed, with a graph, and within a budget."""

from __future__ import annotations

import random

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from cnnviz_widgets.inspection.calls import Plan, Source
from cnnviz_widgets.inspection.probe import Probe
from cnnviz_widgets.inspection.shadow import Shadow
from cnnviz_widgets.inspection.trace import Trace, same_random_state, trace
from cnnviz_widgets.inspection.values import Nest
from tests.benchmarks.networks import resnet18
from tests.inspection import models
from tests.inspection.twin import plain_outputs


def invoke(module: nn.Module, inputs: Nest) -> Nest:
    """Call a module with one input."""
    return module(inputs)


def values(result: Trace) -> dict[tuple[str, int], Tensor | None]:
    """Return the output of every call of a trace."""
    return {(call.path, call.call): result.value(call.value) for call in result.calls}


def test_a_followed_pass_gives_what_a_watched_one_gives() -> None:
    """Every layer of a ResNet-18 with in-place ReLUs and sums, on two pictures, bit for bit."""
    model = models.built(resnet18())
    probe, first, second = Probe(Shadow(model)), models.pictures(1, 3, 33, 31), None
    watched = trace(probe, first, invoke, plan=Plan())
    assert watched.pattern is not None
    second = first.flip(2) * 2
    followed = trace(probe, second, invoke, plan=Plan(), pattern=watched.pattern)
    assert followed.operations is None
    expected, output = plain_outputs(model, second)
    assert torch.equal(followed.output, output)
    for key, value in values(followed).items():
        assert value is not None
        assert torch.equal(value, expected[key]), key


def test_a_graph_keeps_everything_and_its_gradients_are_autograds() -> None:
    model, x = models.built(models.Plain(inplace=True)), models.pictures()
    result = trace(Probe(Shadow(model)), x, invoke, plan=Plan(graph=True, cheap=False))
    assert not result.recorder.recipes
    (leaf,) = result.leaves
    (gradient,) = torch.autograd.grad(result.output[:, 1].sum(), [leaf])
    own = x.clone().requires_grad_()
    (expected,) = torch.autograd.grad(model(own.clone())[:, 1].sum(), [own])
    torch.testing.assert_close(gradient, expected, rtol=0, atol=1e-6)


def test_nothing_is_kept_beyond_the_budget_and_the_rest_is_named() -> None:
    model, x = models.built(models.Plain()), models.pictures()
    probe = Probe(Shadow(model))
    result = trace(probe, x, invoke, plan=Plan(budget=4000))
    assert 0 < result.nbytes <= 4000
    relu = next(call for call in result.calls if call.path == "relu" and call.call == 2)
    assert result.value(relu.value) is None
    missing = result.missing(relu.value)
    assert missing == {Source("conv2", 1, "output")}
    again = trace(probe, x, invoke, plan=Plan(wanted=missing))
    call = next(call for call in again.calls if call.path == "relu" and call.call == 2)
    value = again.value(call.value)
    assert value is not None
    assert torch.equal(value, plain_outputs(model, x)[0]["relu", 2])


def test_numbers_that_reach_python_leave_no_pattern() -> None:
    """A pass that may go another way for another picture is always watched."""

    class Decides(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv = nn.Conv2d(3, 4, 3)

        def forward(self, x: Tensor) -> Tensor:
            y: Tensor = self.conv(x)
            return y if float(y.mean()) > 0 else -y

    result = trace(Probe(Shadow(Decides())), models.pictures(), invoke, plan=Plan())
    assert result.pattern is None


def test_a_pattern_that_does_not_fit_is_dropped_for_a_watched_pass() -> None:
    model = models.built(models.Plain())
    probe = Probe(Shadow(model))
    pattern = trace(probe, models.pictures(), invoke, plan=Plan()).pattern
    other = models.pictures(1, 3, 9, 9)
    result = trace(probe, other, invoke, plan=Plan(), pattern=pattern)
    assert result.operations is not None
    assert torch.equal(result.output, plain_outputs(model, other)[1])


def test_random_states_are_put_back() -> None:
    torch.manual_seed(3)
    random.seed(3)
    expected = torch.get_rng_state(), random.getstate(), str(np.random.get_state())  # noqa: NPY002
    with same_random_state(torch.zeros(1)):
        torch.rand(3), random.random(), np.random.rand(3)  # noqa: NPY002
    assert torch.equal(torch.get_rng_state(), expected[0])
    assert random.getstate() == expected[1]
    assert str(np.random.get_state()) == expected[2]  # noqa: NPY002


def test_the_note_on_an_error_names_the_innermost_layer() -> None:
    model = nn.Sequential(nn.Sequential(nn.Conv2d(3, 4, 3), nn.Linear(99, 2)))
    with pytest.raises(RuntimeError, match="shapes cannot be multiplied") as caught:
        trace(Probe(Shadow(model)), models.pictures(), invoke, plan=Plan())
    (note,) = caught.value.__notes__  # type: ignore[attr-defined,unused-ignore]  # PEP 678
    assert "layer '0.1' (Linear) on an input of shape (2, 4, 10, 8)" in note
    assert "The model itself was given (2, 3, 12, 10)." in note
