"""CamSlider from the kernel's side: what a view asks for, and what it is told."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import pytest
import torch

from cnnviz_widgets.attribution.cam import cam
from cnnviz_widgets.inspection.inspector import Inspector
from cnnviz_widgets.inspection.passes import Passes
from cnnviz_widgets.widgets.cam_slider import CamSlider
from tests.inspection.promise import unchanged
from tests.widgets.kernel import (
    CLASS_NAMES,
    Sent,
    TinyNet,
    ask,
    assert_refused,
    english,
    listen,
    tiny_inputs,
)


def slider(**options: Any) -> tuple[CamSlider, Sent]:
    """A CamSlider on the tiny network, and what it sends."""
    widget = CamSlider(TinyNet(), tiny_inputs(), class_names=CLASS_NAMES, **options)
    return widget, listen(widget)


def slow_down(monkeypatch: pytest.MonkeyPatch, name: str, seconds: float) -> list[float]:
    """Let a pass take its time; return the moments at which it begins."""
    usual, began = getattr(Passes, name), []

    def slow(self: Passes, *args: Any, **options: Any) -> Any:
        began.append(time.monotonic())
        time.sleep(seconds)
        return usual(self, *args, **options)

    monkeypatch.setattr(Passes, name, slow)
    return began


def sweep(widget: CamSlider, seq: int, **params: Any) -> None:
    asked = {"method": "gradcam", "image": 0, "classes": [0, 2], "first": "conv", **params}
    ask(widget, seq, "sweep", **asked)


def test_it_opens_at_the_last_layer_with_a_grid() -> None:
    widget, _ = slider()
    assert (widget.layer, widget.targets, widget._grids) == ("relu", [], ["conv", "relu"])
    assert "gradcam" in [method["name"] for method in widget._methods]


def test_a_sweep_brings_the_layer_looked_at_first() -> None:
    widget, sent = slider()
    sweep(widget, 1)
    last = sent.wait(1)
    *frames, _ = sent.of(1)
    assert [frame["layers"] for frame in frames] == [["conv"], ["conv", "relu"]]
    assert [frame["params"] for frame in frames] == [{"method": "gradcam", "image": 0}] * 2
    assert [score["name"] for score in last["scores"]] == ["ant", "cat"]
    assert last["scores"][0]["score"] == pytest.approx(5.5)
    assert last["scores"][0]["score_kind"] == "logit"
    wanted = torch.tensor([5.5, 0.0, 5.5]).softmax(0)[0].item()
    assert last["scores"][0]["probability"] == pytest.approx(wanted)


def test_exact_maps_are_those_of_cam() -> None:
    widget, sent = slider()
    ask(widget, 1, "map", method="layercam", image=1, layer="conv", classes=[1])
    frame = sent.wait(1)
    expected = cam(widget.inspector, "layercam", "conv", 1, 1)
    np.testing.assert_array_equal(sent.arrays(frame)["values"], [expected.values])
    assert frame["scores"][0]["index"] == 1


def test_the_picture_comes_with_the_likeliest_classes() -> None:
    widget, sent = slider()
    ask(widget, 1, "input", image=0)
    frame = sent.wait(1)
    assert [found["name"] for found in frame["predictions"]] == ["ant", "cat", "bee"]


def test_a_sweep_ahead_gives_way(monkeypatch: pytest.MonkeyPatch) -> None:
    widget, sent = slider()
    slow_down(monkeypatch, "targets", 0.2)
    ask(widget, 1, "ahead", methods=["gradcam"], image=0, classes=[0, 1])
    time.sleep(0.05)
    ask(widget, 2, "input", image=0)
    assert sent.wait(1)["scores"] == []
    assert sent.wait(2)["type"] == "frame"
    ask(widget, 3, "ahead", methods=["gradcam"], image=0, classes=[0, 1])
    assert [score["index"] for score in sent.wait(3)["scores"]] == [0, 1]


def test_methods_ahead_share_their_passes() -> None:
    widget, sent = slider()
    ask(widget, 1, "ahead", methods=["hirescam", "layercam"], image=1, classes=[2])
    sent.wait(1)
    *frames, _ = sent.of(1)
    assert [frame["params"] for frame in frames] == [
        {"method": "hirescam", "image": 1}, {"method": "layercam", "image": 1},
    ]  # fmt: skip


def test_exact_maps_of_a_sweep_cost_no_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    widget, sent = slider()
    sweep(widget, 1)
    sent.wait(1)
    monkeypatch.setattr("cnnviz_widgets.widgets.cam_slider.sweep_maps", None)
    sweep(widget, 4, classes=[2])
    assert sent.wait(4)["scores"][0]["index"] == 2
    assert [frame["layers"] for frame in sent.of(4)[:-1]] == [["conv", "relu"]]
    ask(widget, 5, "map", method="gradcam", image=0, layer="conv", classes=[2, 0])
    found = sent.arrays(sent.wait(5))["values"]
    expected = [cam(widget.inspector, "gradcam", "conv", target, 0).values for target in (2, 0)]
    np.testing.assert_array_equal(found, expected)
    widget.inspector.refresh()
    ask(widget, 6, "map", method="gradcam", image=0, layer="conv", classes=[2])
    assert sent.wait(6)["type"] == "err"  # nothing is kept of another state


def test_a_method_for_some_layers_is_swept_where_it_works() -> None:
    widget, sent = slider()
    sweep(widget, 1, method="cam", first="relu")
    last = sent.wait(1)
    assert [frame["layers"] for frame in sent.of(1)[:-1]] == [["relu"]]
    assert len(last["scores"]) == 2
    sweep(widget, 2, method="cam", first="conv")
    assert "does not feed global average pooling" in english(sent.wait(2)["message"])


def test_a_perturbing_method_tells_how_far_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where it asks inside its passes whether to stop, which tells no map."""
    widget, sent = slider()
    slow_down(monkeypatch, "scores", 0.25)
    monkeypatch.setattr("cnnviz_widgets.methods.scorecam._MOST_AT_ONCE", 1)
    ask(widget, 1, "map", method="scorecam", image=0, layer="conv", classes=[0])
    sent.wait(1)
    *partial, last = sent.of(1)
    assert all(part["done"] < part["total"] for part in partial)
    maps = [sent.arrays(part)["values"] for part in partial if part["kind"] == "map"]
    assert {part["kind"] for part in partial} == {"map", "progress"}
    assert [values.shape for values in maps] == [(1, 3, 4)]
    assert last["classes"] == [0]


def test_a_cancelled_method_stops_and_says_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    widget, sent = slider()
    began = slow_down(monkeypatch, "scores", 0.2)
    ask(widget, 1, "map", method="scorecam", image=0, layer="conv", classes=[0, 1, 2])
    while not began:
        time.sleep(0.01)
    widget._handle_custom_msg({"type": "cancel", "cid": "view", "seq": 1}, [])
    ask(widget, 2, "input", image=0)
    assert sent.wait(2)["type"] == "frame"
    assert sent.of(1) == []


@pytest.mark.parametrize(
    ("kind", "params", "message"),
    [
        ("sweep", {"classes": []}, "classes=[] must be a list of 1 to 64 classes"),
        ("sweep", {"classes": [-1]}, "classes=-1 must be a whole number from 0"),
        ("sweep", {"classes": [3]}, "target=3 is not a class of this model; it has 3: 0 to 2"),
        ("sweep", {"method": "gradcan"}, "method='gradcan' is no cam method"),
        ("map", {"layer": "fc"}, "has no grid of places"),
        ("dance", {}, "kind='dance' must be one of input, sweep, ahead, map"),
    ],
)
def test_a_bad_request_is_answered_and_the_widget_lives_on(
    kind: str, params: dict[str, Any], message: str
) -> None:
    widget, sent = slider()
    asked = {"method": "gradcam", "image": 0, "classes": [0], "first": "conv", "layer": "conv"}
    assert_refused(widget, sent, message, kind, **{**asked, **params})


def test_traits_are_checked_when_they_are_set() -> None:
    widget, _ = slider(targets=["cat", 0])
    assert widget.targets == [2, 0]
    with pytest.raises(ValueError, match="targets has 7 classes; give at most 6"):
        widget.targets = [0] * 7
    with pytest.raises(ValueError, match="dog"):
        widget.targets = ["dog"]
    with pytest.raises(ValueError, match="did you mean 'gradcam'"):
        widget.method = "grad-cam"
    with pytest.raises(ValueError, match="scale='sign' is not one of rectified, signed, map"):
        widget.scale = "sign"
    with pytest.raises(ValueError, match="image=2 must be from 0 to 1"):
        widget.image = 2
    with pytest.raises(ValueError, match="layer='cnv' is not a layer"):
        widget.layer = "cnv"
    assert (widget.targets, widget.method, widget.scale) == ([2, 0], "gradcam", "rectified")


def test_a_network_without_class_scores_opens_and_says_so() -> None:
    widget = CamSlider(TinyNet().conv, tiny_inputs())
    assert widget._index["class_count"] is None
    with pytest.raises(ValueError, match="names classes, but this model has no scores"):
        widget.targets = [0]


def test_new_inputs_keep_what_still_exists() -> None:
    widget, _ = slider(image=1)
    widget.inspector.set_inputs(tiny_inputs(1))
    assert (widget.image, widget.layer) == (0, "relu")


@pytest.mark.parametrize("training", [False, True])
def test_it_leaves_the_model_as_it_was(training: bool) -> None:
    model, inputs = TinyNet().train(training), tiny_inputs()
    with unchanged(model, inputs):
        widget = CamSlider(Inspector(model, inputs))
        sent = listen(widget)
        sweep(widget, 1)
        sent.wait(1)
        ask(widget, 2, "map", method="ablationcam", image=0, layer="conv", classes=[0])
        sent.wait(2)
        widget.close()


def test_predictions_of_other_pictures_are_not_kept_as_those_shown(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Pictures may change in another thread just after the old ones were ranked."""
    widget, _ = slider()
    usual = widget.inspector.predictions

    def overtaken(*args: Any, **options: Any) -> Any:
        found = usual(*args, **options)
        monkeypatch.undo()
        widget.inspector.set_inputs(tiny_inputs().flip(0) * 2)
        return found

    widget._ranked = (-1, [])
    monkeypatch.setattr(widget.inspector, "predictions", overtaken)
    widget._predictions()
    assert widget._predictions() == usual(len(CLASS_NAMES))
