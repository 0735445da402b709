"""Hooks on the shadow, and on nothing else."""

from __future__ import annotations

import pytest
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


def test_following_needs_fewer_hooks_than_watching() -> None:
    model, x = models.built(models.Plain(inplace=True)), models.pictures()
    probe = Probe(Shadow(model))
    with torch.no_grad(), unchanged(model, x):
        watched = trace(probe, x, lambda m, i: m(i), plan=Plan())
        all_of_them = hooks(probe.shadow.module)
        assert all_of_them == 2 * len(list(model.modules()))
        trace(probe, x, lambda m, i: m(i), plan=Plan(), pattern=watched.pattern)
        assert hooks(probe.shadow.module) < all_of_them / 2


def test_in_place_modules_are_switched_back_also_after_an_error() -> None:
    model, x = models.built(models.Plain(inplace=True)), models.pictures()
    probe = Probe(Shadow(model))
    pattern = trace(probe, x, lambda m, i: m(i), plan=Plan()).pattern
    assert pattern is not None
    assert pattern.out_of_place  # the ReLU behind conv2, whose output is held
    with pytest.raises(RuntimeError, match="expected input"):
        trace(probe, x[:, :2], lambda m, i: m(i), plan=Plan(), pattern=pattern)
    relu = probe.shadow.module.get_submodule("relu")
    assert vars(relu)["inplace"] is True


def test_hooks_come_off_a_model_that_runs_itself() -> None:
    model, x = models.built(models.NoCopy()), models.pictures()
    probe = Probe(Shadow(model))
    recorder = OperationRecorder(Plan(), probe.unusual, probe.parameters)
    with torch.no_grad():
        probe.watch(recorder, lambda module: module(x))
    assert recorder.calls
    assert hooks(model) == 0


def test_modules_that_forward_alone_does_not_compute() -> None:
    """Hooks of the user's and a forward of its own make a module unusual."""
    model = models.built(models.Plain())
    model.get_submodule("relu").register_forward_hook(lambda _m, _a, output: output + 1)
    forward = model.get_submodule("bn").forward
    model.get_submodule("bn").forward = lambda x: forward(x) * 2
    probe = Probe(Shadow(model))
    names = {name for name, m in probe.shadow.module.named_modules() if m in probe.unusual}
    assert names == {"relu", "bn"}
