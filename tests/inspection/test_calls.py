"""Module calls and the values kept of them."""

from __future__ import annotations

import torch
from torch import nn

from cnnviz_widgets.inspection.calls import CallRecorder, Plan, Source


def record(plan: Plan, *, conv: nn.Module, relu: nn.Module) -> CallRecorder:
    """Play the hooks of a convolution and a ReLU inside a container, by hand."""
    recorder, root = CallRecorder(plan, frozenset()), nn.Sequential(conv, relu)
    x = torch.ones(1, 1, 2, 2)
    with torch.no_grad():
        recorder.enter("", root, (x,), {})
        recorder.enter("0", conv, (x,), {})
        y = recorder.leave(conv, conv(x))
        recorder.enter("1", relu, (y,), {})
        z = recorder.leave(relu, relu(y))
        recorder.leave(root, z)
    return recorder


def test_leaves_containers_values_and_recipes() -> None:
    conv, relu = nn.Conv2d(1, 2, 1), nn.ReLU()
    recorder = record(Plan(), conv=conv, relu=relu)
    root, first, second = recorder.calls
    assert (root.is_leaf, first.is_leaf, second.is_leaf) == (False, True, True)
    assert root.value == second.value
    assert root.input_value == first.input_value
    assert second.input_value == first.value
    assert set(recorder.kept) == {first.input_value, first.value}
    assert recorder.recipes[second.value].sources == (first.value,)
    assert recorder.kept_bytes == 16 + 32
    assert recorder.kept[first.value].source == Source("0", 1, "output")


def test_unusual_modules_are_kept() -> None:
    """One with hooks of the user's own cannot be computed again by its forward alone."""
    recorder = CallRecorder(Plan(), frozenset({relu := nn.ReLU()}))
    x = torch.ones(3)
    recorder.enter("relu", relu, (x,), {})
    recorder.leave(relu, x + 1)
    assert not recorder.recipes
    assert len(recorder.kept) == 2


def test_a_protected_output_is_handed_on_as_a_copy() -> None:
    recorder = CallRecorder(Plan(protect=frozenset({Source("0", 1, "output")})), frozenset())
    conv, x = nn.Conv2d(1, 2, 1), torch.ones(1, 1, 2, 2)
    recorder.enter("0", conv, (x,), {})
    handed_on = recorder.leave(conv, (y := conv(x).detach(), "more"))
    handed_on[0].zero_()
    value = recorder.calls[0].value
    assert recorder.kept[value].tensor is y
    assert handed_on[1] == "more"
    assert recorder.values.number(y) == value
    assert not recorder.overwritten()


def test_writes_are_noticed() -> None:
    recorder, conv = CallRecorder(Plan(), frozenset()), nn.Conv2d(1, 2, 1)
    recorder.enter("0", conv, (torch.ones(1, 1, 2, 2),), {})
    recorder.leave(conv, torch.zeros(3)).add_(1)
    assert recorder.overwritten() == {Source("0", 1, "output")}


def test_calls_that_raised_and_were_caught_are_closed() -> None:
    recorder, outer, inner = CallRecorder(Plan(), frozenset()), nn.ReLU(), nn.Tanh()
    recorder.enter("outer", outer, (torch.ones(2),), {})
    recorder.enter("inner", inner, (torch.ones(2),), {})
    recorder.leave(outer, torch.ones(2))
    assert not recorder.running
    assert [call.path for call in recorder.failed] == ["inner"]


def test_budget_and_wanted() -> None:
    conv, relu = nn.Conv2d(1, 2, 1), nn.ReLU()
    none = record(Plan(budget=0), conv=conv, relu=relu)
    assert not none.kept
    assert len(none.skipped) == 2
    only = frozenset({Source("0", 1, "output")})
    one = record(Plan(wanted=only), conv=conv, relu=relu)
    assert [kept.source for kept in one.kept.values()] == list(only)
