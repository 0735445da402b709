"""Sweeps kept in the kernel: whose they are, and how many."""

from __future__ import annotations

import numpy as np

from cnnviz_widgets.attribution.sweep import CamSweep, cam_sweep
from cnnviz_widgets.inspection.inspector import Inspector
from cnnviz_widgets.widgets.cam_sweeps import RecentSweeps
from tests.widgets.kernel import TinyNet, tiny_inputs


def sweep(*targets: int, layers: list[str] | None = None) -> CamSweep:
    return cam_sweep(Inspector(TinyNet(), tiny_inputs()), layers=layers, targets=targets)


def test_maps_are_found_by_method_picture_layer_and_class() -> None:
    recent = RecentSweeps(1 << 20)
    found = sweep(0, 2)
    recent.put(1, "gradcam", 0, found)
    [last, first] = recent.find(1, "gradcam", 0, "conv", [2, 0]) or []
    np.testing.assert_array_equal(last.values, found["conv", 2].values)
    assert first.target_index == 0
    assert recent.find(1, "gradcam", 0, "conv", [0, 1]) is None
    assert recent.find(1, "gradcam", 1, "conv", [0]) is None
    assert recent.find(1, "layercam", 0, "conv", [0]) is None
    assert recent.find(1, "gradcam", 0, "fc", [0]) is None


def test_another_state_of_the_model_forgets_them() -> None:
    recent = RecentSweeps(1 << 20)
    recent.put(1, "gradcam", 0, sweep(0))
    assert recent.find(2, "gradcam", 0, "conv", [0]) is None
    assert recent.find(1, "gradcam", 0, "conv", [0]) is None


def test_the_class_used_longest_ago_goes_first() -> None:
    one = sweep(0)
    size = sum(one.values_of(layer).nbytes for layer in one.layers)
    recent = RecentSweeps(2 * size)
    recent.put(1, "gradcam", 0, sweep(0))
    recent.put(1, "gradcam", 0, sweep(1))
    recent.put(1, "gradcam", 0, sweep(1))  # the same again takes no more room
    assert recent.find(1, "gradcam", 0, "conv", [0]) is not None
    recent.put(1, "gradcam", 0, sweep(2))
    assert recent.find(1, "gradcam", 0, "conv", [1]) is None
    assert recent.find(1, "gradcam", 0, "conv", [0, 2]) is not None


def test_a_whole_sweep_is_found_with_the_places_of_its_classes() -> None:
    recent = RecentSweeps(1 << 20)
    found = sweep(0, 2)
    recent.put(1, "gradcam", 0, found)
    recent.put(1, "gradcam", 0, sweep(1))
    assert recent.whole(1, "gradcam", 0, [2, 0]) == (found, [1, 0])
    assert recent.whole(1, "gradcam", 0, [2, 1]) is None
    assert recent.whole(1, "gradcam", 1, [2]) is None
