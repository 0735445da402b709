"""Which calls happen in a pass that begins inside the network."""

from __future__ import annotations

import pytest
import torch

from cnnviz_widgets.inspection import Inspector
from cnnviz_widgets.inspection.course import Course, CourseError, Giving, Passing
from tests.benchmarks.networks import resnet18
from tests.inspection import models


def test_what_came_before_is_given_back() -> None:
    trace = Inspector(resnet18(), models.pictures(1, 3, 32, 32))._session.trace
    first = next(call for call in trace.calls if call.path == "layer3.1.conv2")
    course = Course.begun_at(trace, first, lambda call: trace.value(call.value))
    given = [call.path for call in course.given]
    assert given == [
        "conv1", "bn1", "relu", "maxpool", "layer1", "layer2", "layer3.0", "layer3.1.conv1",
        "layer3.1.bn1", "layer3.1.relu", "layer3.1.conv2",
    ]  # fmt: skip
    looked_at = [call.path for call, value in course.given.items() if value is not None]
    assert looked_at == ["layer3.0", "layer3.1.conv2"]
    relu = next(call for call in trace.calls if call.path == "layer3.1.relu")
    assert [call.call for call in course.happening[relu.module]] == [1, 2]
    known = course.with_known(lambda call: trace.value(call.value)).known
    assert all(call.path.startswith("layer4") for call in known)
    assert len(known) == 5


def test_a_call_that_cannot_be_given_back_runs() -> None:
    trace = Inspector(models.built(models.Plain()), models.pictures(1))._session.trace
    first = next(call for call in trace.calls if call.path == "conv2")

    def value(call: object) -> torch.Tensor | None:
        return None if call is first else trace.value(call.value)  # type: ignore[attr-defined]  # a Call

    course = Course.begun_at(trace, first, value)
    assert first not in course.given
    assert [call.path for call in course.given] == ["conv1", "bn", "relu"]


def test_forwards_are_put_back() -> None:
    trace = Inspector(models.built(models.Plain()), models.pictures(1))._session.trace
    first = next(call for call in trace.calls if call.path == "conv2")
    course = Course.begun_at(trace, first, lambda call: trace.value(call.value))
    module = trace.calls[0].module
    with Giving(course, torch.device("cpu")) as _:
        assert "forward" in vars(first.module)
        output = module(torch.zeros(1, 3, 12, 10))
        with pytest.raises(CourseError, match="more often than in the trace"):
            first.module(torch.zeros(1, 4, 12, 10))
    assert "forward" not in vars(first.module)
    torch.testing.assert_close(output, trace.output)


def test_calls_that_return_a_tensor_of_anothers() -> None:
    trace = Inspector(resnet18(), models.pictures(1, 3, 32, 32))._session.trace
    passing = Passing(trace)
    found = [call for call in trace.calls if passing.by(call)]
    assert {call.path.split(".")[-1] for call in found} == {"relu"}
    assert len(found) == 17
    before = [passing.before(call) for call in found]
    assert [call and call.path for call in before[:3]] == ["bn1", "layer1.0.bn1", "layer1.0.bn2"]
