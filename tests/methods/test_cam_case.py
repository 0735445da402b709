"""What methods at layers are given, and how they tell how far they are."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch

from cnnviz_widgets.inspection import Inspector
from cnnviz_widgets.methods.cam_case import CamCase, Partial, Progress
from tests.methods.cam_networks import Pooled, built, case_of, picture


def look() -> Inspector:
    return Inspector(built(Pooled()), picture(1, 3, 8, 12))


def test_layers_are_found_by_name() -> None:
    case = case_of(look(), ["conv2", "conv1"], [1])
    assert case.names == ["conv2", "conv1"]
    assert case.grid("conv1").shape == (8, 12)
    empty = case.empty(["gradcam"])
    assert {name: maps.shape for name, maps in empty["gradcam"].items()} == {
        "conv2": (1, 24), "conv1": (1, 96),
    }  # fmt: skip


def test_progress_counts_among_all_maps() -> None:
    told: list[tuple[int, int, Partial | None]] = []

    def watch(done: int, total: int, partial: Callable[[], Partial] | None) -> None:
        told.append((done, total, None if partial is None else partial()))

    plain = case_of(look(), ["conv2"], [1, 2])
    case = CamCase(plain.insp, plain.layers, plain.targets, 0, watch)
    progress = Progress(case, "scorecam", "conv2", 1, before=6, total=12)
    assert progress.target.index == 2
    progress(2, lambda: torch.ones(24))
    progress.again()
    assert told[0][:2] == told[1][:2] == (8, 12)
    assert told[1][2] is None
    partial = told[0][2]
    assert partial is not None
    assert partial[:3] == ("scorecam", "conv2", 1)


def test_a_method_ends_when_the_inputs_change() -> None:
    case = case_of(look(), ["conv2"], [1])
    progress = Progress(case, "scorecam", "conv2", 0, before=0, total=6)
    progress(1, None)
    case.insp.set_inputs(picture(1, 3, 8, 12, seed=9))
    with pytest.raises(RuntimeError, match=r"method='scorecam': the model or its inputs changed"):
        progress(2, None)


def test_batches_do_not_depend_on_how_much_there_is_to_run() -> None:
    case = case_of(look(), ["conv2"], [1])
    assert 1 <= case.at_once(case.insp.passes.input()) <= 32
