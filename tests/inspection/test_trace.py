"""One forward pass: with all values, with a graph, and within a budget."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from cnnviz_widgets.inspection.calls import Plan, Source
from cnnviz_widgets.inspection.probe import Probe
from cnnviz_widgets.inspection.shadow import Shadow
from cnnviz_widgets.inspection.trace import Trace, trace
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


def test_every_value_is_that_of_plain_hooks() -> None:
    """Every layer of a ResNet-18 with in-place ReLUs and sums, bit for bit, also when verified."""
    model, x = models.built(resnet18()), models.pictures(1, 3, 33, 31)
    probe, (expected, output) = Probe(Shadow(model)), plain_outputs(model, x)
    for verify in (False, True):
        result = trace(probe, x, invoke, plan=Plan(), verify=verify)
        assert not result.recorder.plan.copies
        assert torch.equal(result.output, output)
        for key, value in values(result).items():
            assert value is not None
            assert torch.equal(value, expected[key]), key


def test_a_graph_keeps_no_values_and_its_gradients_are_autograds() -> None:
    model, x = models.built(models.Plain(inplace=True)), models.pictures()
    result = trace(Probe(Shadow(model)), x, invoke, plan=Plan(graph=True, copies=True))
    assert not result.recorder.kept
    (first,) = (call for call in result.calls if call.path == "conv1")
    edge = result.recorder.edges[first.value]
    (gradient,) = torch.autograd.grad(result.output[:, 1].sum(), [edge])
    activation = model.get_submodule("conv1")(x).detach().requires_grad_()
    parts = dict(model.named_children())
    y = torch.relu(parts["conv2"](torch.relu(parts["bn"](activation))))
    scores = parts["fc"](parts["pool"](y).flatten(1))
    (expected,) = torch.autograd.grad(scores[:, 1].sum(), [activation])
    torch.testing.assert_close(gradient, expected, rtol=0, atol=1e-6)


def test_nothing_is_kept_beyond_the_budget_and_the_rest_is_named() -> None:
    model, x = models.built(models.Plain()), models.pictures()
    probe = Probe(Shadow(model))
    result = trace(probe, x, invoke, plan=Plan(budget=5000))
    assert 0 < result.nbytes <= 5000
    relu = next(call for call in result.calls if call.path == "relu" and call.call == 2)
    assert result.value(relu.value) is None
    source = result.recorder.skipped[relu.value]
    assert source == Source("relu", 2, "output")
    again = trace(probe, x, invoke, plan=Plan(wanted=frozenset({source})))
    value = values(again)["relu", 2]
    assert value is not None
    assert torch.equal(value, plain_outputs(model, x)[0]["relu", 2])
    assert len(again.recorder.kept) == 1


def test_an_unseen_reader_of_an_overwritten_tensor_is_found_out() -> None:
    """``y is z`` tells the new tensor from the old one; the pass with copies then counts."""

    class Identities(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv, self.relu = nn.Conv2d(3, 4, 3), nn.ReLU(inplace=True)

        def forward(self, x: Tensor) -> Tensor:
            y = self.conv(x)
            z: Tensor = self.relu(y)
            return z if z is y else z * 100

    model, x = models.built(Identities()), models.pictures()
    expected, output = plain_outputs(model, x)
    result = trace(Probe(Shadow(model)), x, invoke, plan=Plan(), verify=True)
    assert result.recorder.plan.copies
    assert torch.equal(result.output, output)
    value = values(result)["conv", 1]
    assert value is not None
    assert torch.equal(value, expected["conv", 1])


def test_random_states_are_put_back_and_can_be_given_again() -> None:
    model = nn.Sequential(nn.Linear(3, 3), nn.Dropout())
    probe, x = Probe(Shadow(model)), torch.ones(1, 3)
    probe.shadow.module.get_submodule("1").train()
    torch.manual_seed(3)
    before = torch.get_rng_state()
    first = trace(probe, x, invoke, plan=Plan())
    assert torch.equal(torch.get_rng_state(), before)
    torch.rand(7)
    again = trace(probe, x, invoke, plan=Plan(), random=first.random)
    assert torch.equal(again.output, first.output)


def test_the_note_on_an_error_names_the_innermost_layer() -> None:
    model = nn.Sequential(nn.Sequential(nn.Conv2d(3, 4, 3), nn.Linear(99, 2)))
    with pytest.raises(RuntimeError, match="shapes cannot be multiplied") as caught:
        trace(Probe(Shadow(model)), models.pictures(), invoke, plan=Plan())
    (note,) = caught.value.__notes__  # type: ignore[attr-defined,unused-ignore]  # PEP 678
    assert "layer '0.1' (Linear) on an input of shape (2, 4, 10, 8)" in note
    assert "The model itself was given (2, 3, 12, 10)." in note
