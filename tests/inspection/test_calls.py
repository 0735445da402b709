"""Module calls and the values kept of them."""

from __future__ import annotations

import torch
from torch import nn

from cnnviz_widgets.inspection.calls import CallRecorder, Plan, Source


def record(plan: Plan, *, conv: nn.Module, relu: nn.Module) -> CallRecorder:
    """Play the hooks of a convolution and a ReLU inside a container, by hand."""
    recorder, root = CallRecorder(plan), nn.Sequential(conv, relu)
    x = torch.ones(1, 1, 2, 2)
    with torch.no_grad():
        recorder.enter("", root, (x,), {})
        recorder.enter("0", conv, (x,), {})
        y = recorder.leave(conv, conv(x))
        recorder.enter("1", relu, (y,), {})
        z = recorder.leave(relu, relu(y))
        recorder.leave(root, z)
    return recorder


def test_leaves_containers_and_values() -> None:
    conv, relu = nn.Conv2d(1, 2, 1), nn.ReLU()
    recorder = record(Plan(), conv=conv, relu=relu)
    root, first, second = recorder.calls
    assert (root.is_leaf, first.is_leaf, second.is_leaf) == (False, True, True)
    assert root.value == second.value
    assert root.input_value == first.input_value
    assert second.input_value == first.value
    assert set(recorder.kept) == {first.input_value, first.value, second.value}
    assert recorder.kept_bytes == 16 + 32 + 32
    assert recorder.kept[first.value].source == Source("0", 1, "output")


def test_copies_stay_while_the_model_writes_to_its_own() -> None:
    recorder, conv = CallRecorder(Plan(copies=True)), nn.Conv2d(1, 2, 1)
    x = torch.ones(1, 1, 2, 2)
    recorder.enter("0", conv, (x,), {})
    handed_on = recorder.leave(conv, (y := conv(x).detach(), "more"))
    assert handed_on[0] is y
    expected = y.clone()
    y.zero_()
    x.zero_()
    call = recorder.calls[0]
    assert torch.equal(recorder.kept[call.value].tensor, expected)
    assert recorder.kept[call.input_value].tensor.sum() == 4
    assert not recorder.overwritten()


def test_writes_are_noticed() -> None:
    recorder, conv = CallRecorder(Plan()), nn.Conv2d(1, 2, 1)
    recorder.enter("0", conv, (torch.ones(1, 1, 2, 2),), {})
    recorder.leave(conv, torch.zeros(3)).add_(1)
    assert recorder.overwritten()


def test_an_edge_is_the_value_before_it_was_written_to() -> None:
    """By hand: y = 2 x; z = 5 (3 y): dz/dy = 15, and of the value after the write 5."""
    recorder, outer, inner = (
        CallRecorder(Plan(graph=True, copies=True)),
        nn.Identity(),
        nn.Identity(),
    )
    x = torch.ones(1, requires_grad=True)
    recorder.enter("a", outer, (x,), {})
    y = recorder.leave(outer, x * 2)
    recorder.enter("b", inner, (y,), {})
    y = recorder.leave(inner, y.mul_(3))
    edges = [recorder.edges[call.value] for call in recorder.calls]
    assert [float(g) for g in torch.autograd.grad((y * 5).sum(), edges)] == [15.0, 5.0]
    assert not recorder.kept
    assert recorder.seen_bytes == 8


def test_calls_that_raised_and_were_caught_are_closed() -> None:
    recorder, outer, inner = CallRecorder(Plan()), nn.ReLU(), nn.Tanh()
    recorder.enter("outer", outer, (torch.ones(2),), {})
    recorder.enter("inner", inner, (torch.ones(2),), {})
    recorder.leave(outer, torch.ones(2))
    assert not recorder.running
    assert [call.path for call in recorder.failed] == ["inner"]


def test_budget_and_wanted() -> None:
    conv, relu = nn.Conv2d(1, 2, 1), nn.ReLU()
    none = record(Plan(budget=0), conv=conv, relu=relu)
    assert not none.kept
    assert len(none.skipped) == 3
    only = frozenset({Source("0", 1, "output")})
    one = record(Plan(wanted=only), conv=conv, relu=relu)
    assert [kept.source for kept in one.kept.values()] == list(only)
