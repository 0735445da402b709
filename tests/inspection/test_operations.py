"""Torch functions seen between module calls."""

from __future__ import annotations

from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from cnnviz_widgets.inspection.calls import Plan
from cnnviz_widgets.inspection.operations import OperationRecorder, ParameterWrittenError


def recorder(parameters: dict[int, str] | None = None) -> OperationRecorder:
    """Return a recorder that keeps all."""
    return OperationRecorder(Plan(), parameters or {})


def test_names_values_and_shapes() -> None:
    x = torch.ones(2, 3)
    with torch.no_grad(), recorder() as seen:
        y = F.relu(x)
        z = torch.cat([y, x], dim=1)
        z.transpose(0, 1)
    relu, cat, transpose = seen.operations
    assert [o.name for o in seen.operations] == ["relu", "cat", "transpose"]
    assert cat.inputs == (relu.outputs[0], relu.inputs[0])
    assert (cat.input_shapes, cat.output_shapes) == (((2, 3), (2, 3)), ((2, 6),))
    assert transpose.inputs == cat.outputs
    assert transpose.arguments == (0, 1)


def test_an_in_place_step_gives_a_new_value() -> None:
    x = torch.ones(3)
    with torch.no_grad(), recorder() as seen:
        x += 1
        x.mul_(2)
    first, second = seen.operations
    assert first.inputs != first.outputs == second.inputs != second.outputs


def keep(seen: OperationRecorder, tensor: Tensor) -> None:
    """Hold a tensor, as a module's output is held."""
    from cnnviz_widgets.inspection.calls import Source

    seen.keep(tensor, seen.values.number(tensor), Source("layer", 1, "output"))


STEPS: list[Any] = [
    lambda t: t.add_(1),
    lambda t: F.relu(t, inplace=True),
    lambda t: t.__setitem__(0, 5.0),
    lambda t: torch.mul(t, 2, out=t),
    lambda t: t.copy_(torch.ones(4)),
    lambda t: t.zero_(),
    lambda t: t.clamp_(min=1, max=2),
    lambda t: t.masked_fill_(t > 0, 3.0),
]


@pytest.mark.parametrize("step", range(len(STEPS)))
def test_a_kept_value_stays_and_the_model_sees_the_new_one(step: int) -> None:
    tensor, expected = torch.tensor([-1.0, 0.0, 1.0, 2.0]), torch.tensor([-1.0, 0.0, 1.0, 2.0])
    STEPS[step](expected)
    kept = tensor.clone()
    with torch.no_grad(), recorder() as seen:
        keep(seen, tensor)
        STEPS[step](tensor)
        later = tensor * 1
    assert torch.equal(tensor, kept)
    assert torch.equal(later, expected)
    assert torch.equal(seen.current({"output": tensor})["output"], expected)
    assert not seen.overwritten()
    assert seen.replaced


@pytest.mark.parametrize("alias", ["view", "detach", "data", "transpose"])
def test_writes_through_an_alias_are_noticed_instead(alias: str) -> None:
    """The write happens, and is known to have spoilt the kept value."""
    tensor = torch.ones(2, 2)
    with torch.no_grad(), recorder() as seen:
        keep(seen, tensor)
        other = {
            "view": lambda: tensor.view(4),
            "detach": lambda: tensor.detach(),
            "data": lambda: tensor.data,
            "transpose": lambda: tensor.t(),
        }[alias]()
        other.add_(1)
    assert tensor.sum() == 8
    assert seen.overwritten()


def test_writes_to_parameters_stop_the_pass() -> None:
    weight = torch.nn.Parameter(torch.ones(2))
    parameters = {weight.untyped_storage()._cdata: "fc.weight"}
    with (
        pytest.raises(ParameterWrittenError, match=r"fc\.weight"),
        torch.no_grad(),
        recorder(parameters),
    ):
        weight.data.clamp_(0, 1)
    assert weight.tolist() == [1.0, 1.0]


def test_memory_that_is_handed_out_is_taken_as_written() -> None:
    tensor = torch.ones(2)
    with torch.no_grad(), recorder() as seen:
        keep(seen, tensor)
        tensor.detach().numpy()[:] = 0
    assert seen.overwritten()
    parameters = {tensor.untyped_storage()._cdata: "fc.weight"}
    with pytest.raises(ParameterWrittenError, match=r"fc\.weight"), recorder(parameters):
        tensor.numpy()


@pytest.mark.parametrize("plan", [Plan(copies=True), Plan(graph=True, copies=True)])
def test_with_copies_or_a_graph_functions_run_as_they_are(plan: Plan) -> None:
    x = torch.ones(2, requires_grad=plan.graph)
    y = x * 1
    with torch.set_grad_enabled(plan.graph), OperationRecorder(plan, {}) as seen:
        keep(seen, y)
        torch.add(y, 1, out=y)
        y.mul_(3)
    assert y.tolist() == [6.0, 6.0]
    assert not seen.replaced
    assert not seen.overwritten()
