"""Hooks on the shadow, and on nothing else."""

from __future__ import annotations

import torch
from torch import nn

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


def test_nothing_stays_on_the_copy_but_beside_hooks_of_its_own() -> None:
    """A module with a hook of the user's gets two of ours, once; no other module keeps anything."""
    model, x = models.built(models.Plain(inplace=True)), models.pictures()
    conv = model.get_submodule("conv1")
    conv.register_forward_hook(lambda _module, _args, output: output * 2)
    probe = Probe(Shadow(model))
    with torch.no_grad(), unchanged(model, x):
        for _ in range(3):
            result = trace(probe, x, lambda m, i: m(i), plan=Plan())
            assert hooks(probe.shadow.module) == 3
            assert not any(m._compiled_call_impl for m in probe.shadow.module.modules())
            [hooked] = [call for call in result.calls if call.path == "conv1"]
            value = result.value(hooked.value)
            assert value is not None
            assert torch.equal(value, conv(x))


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
