"""A pass that follows a known pattern."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from cnnviz_widgets.inspection.calls import Plan, Source
from cnnviz_widgets.inspection.following import FollowingRecorder, Pattern


def pattern(*, protect: frozenset[Source] = frozenset()) -> Pattern:
    """Hold the first output of "conv" and the second input of "relu"."""
    kept: dict[Source, tuple[int, tuple[int, ...]]] = {
        Source("conv", 1, "output"): (4, torch.Size((2,))),
        Source("relu", 2, "input"): (7, torch.Size((3,))),
    }
    return Pattern([], kept, {}, {}, frozenset(), protect)


def play(recorder: FollowingRecorder, output: Tensor) -> Tensor:
    """Call conv once and relu twice."""
    handed_on: Tensor = recorder.after("conv", output)
    recorder.enter("relu", nn.ReLU(), (torch.ones(5),), {})
    recorder.enter("relu", nn.ReLU(), (torch.ones(3),), {})
    return handed_on


def test_only_what_is_held_is_taken() -> None:
    assert pattern().outputs_of == {"conv"}
    assert pattern().inputs_of == {"relu"}
    recorder, output = FollowingRecorder(Plan(), pattern()), torch.zeros(2)
    assert play(recorder, output) is output
    assert recorder.kept[4].tensor is output
    assert recorder.kept[7].tensor.shape == (3,)
    assert recorder.is_complete()


def test_another_shape_or_a_missing_call_does_not_fit() -> None:
    recorder = FollowingRecorder(Plan(), pattern())
    play(recorder, torch.zeros(9))
    assert not recorder.is_complete()
    recorder = FollowingRecorder(Plan(), pattern())
    recorder.after("conv", torch.zeros(2))
    assert not recorder.is_complete()


def test_a_write_to_what_is_held_does_not_fit() -> None:
    recorder, output = FollowingRecorder(Plan(), pattern()), torch.zeros(2)
    play(recorder, output).add_(1)
    assert not recorder.is_complete()


def test_protected_values_are_handed_on_as_copies() -> None:
    protect = frozenset({Source("conv", 1, "output")})
    recorder, output = FollowingRecorder(Plan(), pattern(protect=protect)), torch.zeros(2)
    play(recorder, output).add_(1)
    assert recorder.is_complete()
    assert recorder.kept[4].tensor.tolist() == [0.0, 0.0]
