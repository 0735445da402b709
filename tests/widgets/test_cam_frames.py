"""Frames of class-activation maps: what a browser reads is what was computed."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from cnnviz_widgets.attribution.sweep import CamSweep, cam_sweep
from cnnviz_widgets.inspection.inspector import Inspector
from cnnviz_widgets.rendering.quantise import dequantise
from cnnviz_widgets.widgets import cam_frames
from cnnviz_widgets.widgets.base import Frame
from cnnviz_widgets.widgets.cam_frames import STATUSES, exact_frame, sweep_frames
from tests.widgets.kernel import CLASS_NAMES, TinyNet, tiny_inputs

Decoded = dict[tuple[str, int], npt.NDArray[np.float64]]


def sweep(method: str = "gradcam") -> CamSweep:
    inspector = Inspector(TinyNet(), tiny_inputs(), class_names=CLASS_NAMES)
    return cam_sweep(inspector, method, targets=[0, 1, 2])


def decoded(frames: list[Frame]) -> Decoded:
    """Read frames as js/src/cammaps.ts does."""
    maps: Decoded = {}
    for frame in frames:
        table, ranges, codes = (frame.arrays[name] for name in ("table", "ranges", "codes"))
        at = 0
        for (layer, target, height, width, _, _, is_signed), (low, high) in zip(
            table, ranges, strict=True
        ):
            parts = []
            for start, end in ((0, high), (low, 0))[: 1 + int(is_signed)]:
                part = codes[at : at + height * width].reshape(1, height, width)
                edges = (np.array([edge], np.float32) for edge in (start, end))
                parts.append(dequantise(part, *edges)[0])  # type: ignore[arg-type]  # codes are u1
                at += height * width
            name = frame.fields["layers"][layer]  # type: ignore[index]
            maps[str(name), int(target)] = np.sum(parts, axis=0)
        assert at == codes.size
    return maps


def test_maps_come_back_from_their_codes() -> None:
    found = sweep()
    maps = decoded(list(sweep_frames(found)))
    assert list(maps) == [(layer, target) for layer in found.layers for target in range(3)]
    for (layer, target), values in maps.items():
        exact = found[layer, target].values
        np.testing.assert_allclose(values, exact, atol=np.abs(exact).max() / 504 + 1e-12)


def test_a_small_positive_part_is_as_fine_as_a_large_one(monkeypatch: pytest.MonkeyPatch) -> None:
    found = sweep()
    values = np.linspace(-1000, 0.1, 24, dtype=np.float32).reshape(2, 3, 4)
    values[0, 0, 0] = 0.2
    monkeypatch.setattr(found, "layers", ("conv",))
    monkeypatch.setattr(found, "values_of", lambda _: values)
    maps = decoded(list(sweep_frames(found)))
    high = np.maximum(values, 0).max(axis=(1, 2))
    for place in range(2):
        rectified = np.maximum(maps["conv", place], 0)
        error = np.abs(rectified - np.maximum(values[place], 0)).max()
        assert error <= high[place] / 504 + 1e-7


def test_what_is_no_number_travels_as_such(monkeypatch: pytest.MonkeyPatch) -> None:
    found = sweep()
    values = np.array([[[np.nan, 1.0], [np.inf, -np.inf]]], np.float32)
    monkeypatch.setattr(found, "layers", ("conv",))
    monkeypatch.setattr(found, "values_of", lambda _: values)
    [maps] = decoded(list(sweep_frames(found))).values()
    np.testing.assert_array_equal(maps, values[0])


def test_a_blank_map_says_why() -> None:
    [frame] = sweep_frames(sweep())
    rows: Any = frame.arrays["table"]
    notes: Any = frame.fields["notes"]
    said = {
        (frame.fields["layers"][row[0]], int(row[1])): (STATUSES[row[4]], notes[row[5] - 1])  # type: ignore[index]
        for row in rows
        if row[5]
    }
    assert said["relu", 1][0] == "empty"
    assert "zero" in said["relu", 1][1]["en"]


def test_layers_are_split_into_frames_of_bounded_size(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cam_frames, "FRAME_BYTES", 1)
    found = sweep()
    frames = list(sweep_frames(found))
    assert [frame.fields["layers"] for frame in frames] == [[layer] for layer in found.layers]
    assert [(frame.kind, frame.final) for frame in frames] == [("maps", False)] * len(frames)
    assert set(decoded(frames)) == set(decoded(list(sweep_frames(found))))


def test_classes_can_be_chosen() -> None:
    found = sweep()
    maps, all_maps = decoded(list(sweep_frames(found, [2, 0]))), decoded(list(sweep_frames(found)))
    assert list(maps) == [(layer, target) for layer in found.layers for target in (2, 0)]
    for key, values in maps.items():
        np.testing.assert_array_equal(values, all_maps[key])


def test_exact_maps_are_exact() -> None:
    found = sweep()
    maps = [found["conv", 0], found["conv", 2]]
    frame = exact_frame(maps, done=3, total=8, final=False)
    np.testing.assert_array_equal(frame.arrays["values"], [each.values for each in maps])
    assert (frame.fields["classes"], frame.fields["done"], frame.final) == ([0, 2], 3, False)
