"""Calls of the shadow's modules go through us, and nobody else's do."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from cnnviz_widgets.inspection import Inspector
from cnnviz_widgets.inspection.calls import Plan
from cnnviz_widgets.inspection.operations import OperationRecorder
from cnnviz_widgets.inspection.probe import Probe
from cnnviz_widgets.inspection.shadow import Shadow
from cnnviz_widgets.inspection.trace import trace
from tests.inspection import models
from tests.inspection.promise import unchanged


def hooks(module: nn.Module) -> int:
    """Count the forward hooks and pre-hooks of a module and those inside it."""
    return sum(len(m._forward_hooks) + len(m._forward_pre_hooks) for m in module.modules())


def test_nothing_stays_on_the_copy() -> None:
    """A module with a hook of the user's keeps that one; no other module keeps anything."""
    model, x = models.built(models.Plain(inplace=True)), models.pictures()
    conv = model.get_submodule("conv1")
    conv.register_forward_hook(lambda _module, _args, output: output * 2)
    probe = Probe(Shadow(model))
    with torch.no_grad(), unchanged(model, x):
        for _ in range(3):
            result = trace(probe, x, lambda m, i: m(i), plan=Plan())
            assert hooks(probe.shadow.module) == 1
            assert not any(m._compiled_call_impl for m in probe.shadow.module.modules())
            [hooked] = [call for call in result.calls if call.path == "conv1"]
            value = result.value(hooked.value)
            assert value is not None
            assert torch.equal(value, conv(x))


class Shortcut(nn.ReLU):
    """A layer whose call passes by the slot that others are called through."""

    def __call__(self, x: torch.Tensor) -> torch.Tensor:
        result: torch.Tensor = self._call_impl(x)  # type: ignore[no-untyped-call]  # torch's own
        return result


def test_a_class_with_its_own_call_is_heard() -> None:
    model, x = nn.Sequential(nn.Conv2d(3, 4, 3), Shortcut()), models.pictures()
    probe = Probe(Shadow(model))
    with torch.no_grad():
        result = trace(probe, x, lambda m, i: m(i), plan=Plan())
    assert [call.path for call in result.calls] == ["", "0", "1"]


def test_a_model_that_is_one_listed_layer() -> None:
    model, x = nn.Conv2d(3, 4, 3), models.pictures()
    probe = Probe(Shadow(model))
    with unchanged(model, x):
        for _ in range(2):
            result = trace(probe, x, lambda m, i: m(i), plan=Plan())
    assert [call.path for call in result.calls] == ["model"]


def test_hooks_come_off_a_model_that_runs_itself() -> None:
    model, x = models.built(models.NoCopy()), models.pictures()
    probe = Probe(Shadow(model))
    recorder = OperationRecorder(Plan(), probe.parameters)
    with torch.no_grad():
        probe.watch(recorder, lambda module: module(x))
    assert recorder.calls
    assert hooks(model) == 0


class Holding(nn.Sequential):
    """Is copied with all that it holds, as classes do that say themselves how they are copied."""

    def __getstate__(self) -> dict[str, Any]:
        return dict(vars(self))


def _through_a_copy(layer: Any, x: Tensor) -> Any:
    other = copy.deepcopy(layer)
    other.append(nn.Sigmoid())
    return other(x) + layer(x)


def _through_another_call(layer: Any, x: Tensor) -> Any:
    call = layer._call_impl
    layer._call_impl = lambda x: call(x) * 2
    y = layer(x)
    del layer._call_impl
    return y


class Calling(nn.Module):
    """Calls its layer in a way of its own."""

    def __init__(self, call: Callable[[Any, Tensor], Any]) -> None:
        super().__init__()
        self.layer, self.fc = Holding(nn.Conv2d(3, 4, 3)), nn.Linear(4, 5)
        self.call = call

    def forward(self, x: Tensor) -> Any:
        return self.fc(self.call(self.layer, x).mean((2, 3)))


@pytest.mark.parametrize("call", [_through_a_copy, _through_another_call])
def test_what_the_model_makes_of_a_call_is_run(call: Callable[[Any, Tensor], Any]) -> None:
    model, x = models.built(Calling(call)), models.pictures()
    with unchanged(model, x), torch.no_grad():
        inspector = Inspector(model, x)
        assert torch.equal(inspector.activation("fc"), model(x))
        assert [info.name for info in inspector.modules] == ["layer", "layer.0", "fc"]
