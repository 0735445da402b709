"""Hooks on chosen calls, and graphs that begin at a value."""

from __future__ import annotations

from contextlib import ExitStack

import torch
from torch import nn

from cnnviz_widgets.inspection import Inspector
from cnnviz_widgets.inspection.calls import Call
from cnnviz_widgets.inspection.course import Course
from cnnviz_widgets.inspection.taps import Checks, Taps, begun
from cnnviz_widgets.inspection.values import Nest
from tests.inspection import models


def test_only_the_wanted_call_of_a_module_is_heard() -> None:
    trace = Inspector(models.built(models.Plain()), models.pictures())._session.trace
    second = [call for call in trace.calls if call.path == "relu"][1]
    heard: list[Call] = []
    module = trace.calls[0].module
    hooks = len(second.module._forward_hooks)

    def hear(call: Call, output: Nest) -> Nest:
        heard.append(call)
        return output

    with Taps(Course.whole(trace), [second], hear):
        module(models.pictures())
    assert heard == [second]
    assert len(second.module._forward_hooks) == hooks
    counted: list[int] = []
    with Checks(trace.calls, lambda: counted.append(1)):
        module(models.pictures())
    assert len(counted) == len(trace.calls)
    with Checks(trace.calls, None):
        assert not any(isinstance(h, type(counted)) for h in second.module._forward_pre_hooks)


def test_checks_on_the_way_back_end_with_their_stack() -> None:
    """Also those on a tensor that outlives the pass, such as one that the model keeps."""
    trace = Inspector(models.built(models.Plain()), models.pictures())._session.trace
    counted: list[int] = []
    kept = models.pictures().requires_grad_() * 1
    with ExitStack() as back:
        with Checks(trace.calls, lambda: counted.append(1), back):
            score = trace.calls[0].module(kept).sum()
        there = len(counted)
        score.backward(retain_graph=True)
        assert len(counted) > there
    there = len(counted)
    score.backward()
    assert len(counted) == there


def test_a_graph_that_begins_at_a_value() -> None:
    anchor, value = torch.zeros((), requires_grad=True), torch.randn(3)
    start = begun(value, anchor)
    assert start.data_ptr() == value.data_ptr()
    assert not value.requires_grad
    seen: list[list[float]] = []
    start.register_hook(lambda gradient: seen.append(gradient.tolist()))  # type: ignore[no-untyped-call]  # torch's
    nn.functional.relu_(start)  # the model may write to it
    assert list(torch.autograd.grad((start * 2).sum(), [anchor], allow_unused=True)) == [None]
    assert seen == [[2.0 if number > 0 else 0.0 for number in start.tolist()]]
