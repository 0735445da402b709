"""SaliencyOverlay from the kernel's side: maps so far, cancelling, errors, and what is kept."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from cnnviz_widgets.attribution.map import Map
from cnnviz_widgets.attribution.saliency import saliency
from cnnviz_widgets.inspection.inspector import Inspector
from cnnviz_widgets.methods.progress import Cancelled
from cnnviz_widgets.widgets import saliency_overlay
from cnnviz_widgets.widgets.saliency_overlay import MAX_PANELS, SaliencyOverlay
from tests.inspection.promise import unchanged
from tests.widgets.kernel import CLASS_NAMES, Sent, TinyNet, ask, listen, tiny_inputs


def overlay(model: nn.Module | None = None, **options: Any) -> tuple[SaliencyOverlay, Sent]:
    """A SaliencyOverlay on the tiny network, and what it sends."""
    options = {"class_names": CLASS_NAMES, **options}
    widget = SaliencyOverlay(model or TinyNet(), tiny_inputs(), **options)
    return widget, listen(widget)


def want(widget: SaliencyOverlay, seq: int, method: str, panel: int = 0, **changes: Any) -> None:
    """Ask for a map as a panel does."""
    asked = {"parameters": {}, "target": None, "image": 0, "layer": None, **changes}
    ask(widget, seq, f"panel:{panel}", method=method, **asked)


class Slow:
    """Stands for a method of ten passes that goes on when it is told to."""

    def __init__(self) -> None:
        self.step = threading.Semaphore(0)
        self.began = threading.Event()
        self.runs = 0
        self.ended: str | None = None

    def __call__(self, insp: Inspector, *_: object, report: Any, **options: Any) -> Map:
        self.runs += 1
        self.ended = None
        options.pop("layer")
        done = saliency(insp, "gradient", options["target"], options["image"])
        self.began.set()
        try:
            for passes in range(1, 11):
                assert self.step.acquire(timeout=10)
                report(passes, 10, lambda: done)
        except Cancelled:
            self.ended = "cancelled"
            raise
        self.ended = "finished"
        return done


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> Slow:
    method = Slow()
    monkeypatch.setattr(saliency_overlay, "saliency", method)
    monkeypatch.setattr(saliency_overlay, "PARTIAL_EVERY_S", 0)
    return method


def until(happened: Callable[[], object]) -> None:
    deadline = time.monotonic() + 10
    while not happened():
        assert time.monotonic() < deadline, "it did not happen within 10 s"
        time.sleep(0.002)


def test_a_map_is_sent_exact_with_the_score_it_explains() -> None:
    widget, sent = overlay()
    want(widget, 1, "gradient", target=1, image=1)
    frame = sent.wait(1)
    expected = saliency(widget.inspector, "gradient", 1, 1)
    np.testing.assert_array_equal(sent.arrays(frame)["values"], expected.values)
    assert frame["target"] == {
        "index": 1, "name": "bee", "score": expected.score, "score_kind": "logit",
    }  # fmt: skip
    assert (frame["forward"], frame["backward"]) == (1, 1)


def test_no_class_means_the_top_prediction() -> None:
    widget, sent = overlay()
    want(widget, 1, "gradient", image=1)
    assert sent.wait(1)["target"]["name"] == "bee"


def test_a_cam_is_at_the_layer_asked_for() -> None:
    widget, sent = overlay()
    want(widget, 1, "gradcam", target=0, layer="conv")
    assert sent.wait(1)["layer"] == "conv"
    want(widget, 2, "gradcam", target=0)
    assert sent.wait(2)["layer"] == "relu"


def test_a_layer_is_left_aside_by_methods_at_the_picture() -> None:
    widget, sent = overlay()
    want(widget, 1, "gradient", layer="conv")
    assert sent.wait(1)["layer"] is None


def test_parameters_reach_the_method() -> None:
    widget, sent = overlay()
    want(widget, 1, "rise", parameters={"masks": 7, "seed": 1})
    assert sent.wait(1)["forward"] == 7


def test_maps_come_while_a_method_runs(slow: Slow) -> None:
    widget, sent = overlay()
    want(widget, 1, "rise")
    slow.step.release(3)
    until(lambda: len(sent.of(1)) == 3)
    partial = sent.of(1)[-1]
    assert (partial["done"], partial["total"], partial["final"]) == (3, 10, False)
    assert sent.arrays(partial)["codes"].shape == (1, 3, 4)
    assert slow.ended is None
    slow.step.release(7)
    assert "values" in sent.arrays(sent.wait(1))


def test_maps_come_no_more_often_than_can_be_watched() -> None:
    widget, sent = overlay()
    want(widget, 1, "rise", parameters={"masks": 3000})
    seconds = sent.wait(1)["seconds"]
    parts = [frame for frame in sent.of(1) if not frame["final"]]
    assert len(parts) <= 2 + seconds / saliency_overlay.PARTIAL_EVERY_S


def test_cancelling_stops_the_method(slow: Slow) -> None:
    widget, sent = overlay()
    want(widget, 1, "rise")
    slow.step.release(2)
    until(lambda: len(sent.of(1)) == 2)
    widget._handle_custom_msg({"type": "cancel", "cid": "view", "seq": 1}, [])
    slow.step.release(1)
    until(lambda: slow.ended)
    assert slow.ended == "cancelled"
    assert len(sent.of(1)) == 2
    want(widget, 2, "gradcam", panel=1)
    assert sent.wait(2)["type"] == "frame"


def test_a_real_method_stops_within_half_a_second() -> None:
    widget, sent = overlay()
    want(widget, 1, "rise", parameters={"masks": 100_000})
    until(lambda: sent.of(1))
    widget._handle_custom_msg({"type": "cancel", "cid": "view", "seq": 1}, [])
    started = time.monotonic()
    want(widget, 2, "gradient", panel=1)
    sent.wait(2)
    assert time.monotonic() - started < 0.5


def test_a_newer_question_of_the_same_panel_replaces_the_older(slow: Slow) -> None:
    widget, sent = overlay()
    want(widget, 1, "rise")
    assert slow.began.wait(10)
    want(widget, 2, "gradcam")
    slow.step.release(1)
    assert sent.wait(2)["layer"] == "relu"
    assert slow.ended == "cancelled"


def test_panels_are_served_in_turn(slow: Slow) -> None:
    widget, sent = overlay()
    want(widget, 1, "rise", panel=0)
    assert slow.began.wait(10)
    want(widget, 2, "gradcam", panel=1)
    want(widget, 3, "gradcam", panel=2)
    assert not sent.of(2)
    slow.step.release(10)
    assert [sent.wait(seq)["kind"] for seq in (1, 2, 3)] == ["panel:0", "panel:1", "panel:2"]


def test_the_same_question_is_answered_from_memory(slow: Slow) -> None:
    widget, sent = overlay()
    slow.step.release(30)
    want(widget, 1, "rise", parameters={"masks": 9, "seed": 1})
    first = sent.arrays(sent.wait(1))["values"]
    want(widget, 2, "rise", panel=3, parameters={"seed": 1, "masks": 9})
    np.testing.assert_array_equal(sent.arrays(sent.wait(2))["values"], first)
    assert slow.runs == 1
    want(widget, 3, "rise", parameters={"masks": 9, "seed": 2})
    sent.wait(3)
    assert slow.runs == 2


def test_new_weights_make_a_new_map() -> None:
    widget, sent = overlay()
    want(widget, 1, "gradient", target=0)
    first = sent.wait(1)
    with torch.no_grad():
        widget.inspector.model.get_parameter("conv.weight").mul_(2)
    want(widget, 2, "gradient", target=0)
    second = sent.wait(2)
    assert second["epoch"] == first["epoch"] + 1
    np.testing.assert_allclose(
        sent.arrays(second)["values"], 2 * sent.arrays(first)["values"], rtol=1e-6
    )


def test_a_method_that_cannot_work_says_why_and_the_widget_lives_on() -> None:
    model = nn.Sequential(nn.Conv2d(1, 3, 1), nn.GELU(), nn.AdaptiveAvgPool2d(1), nn.Flatten())
    widget, sent = overlay(model)
    want(widget, 1, "guided_backprop")
    answer = sent.wait(1)
    assert (answer["type"], answer["kind"]) == ("err", "panel:0")
    assert "ReLU" in answer["message"]
    want(widget, 2, "gradient")
    assert sent.wait(2)["type"] == "frame"
    widget.panels = [{"method": "guided_backprop"}, {"method": "gradient"}]
    assert widget.snapshot().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"method": "gradeint"},
            "method='gradeint' is no saliency method; did you mean 'gradient'",
        ),
        ({"method": "rise", "parameters": {"mask": 3}}, "mask=3 is no parameter of 'rise'"),
        (
            {"method": "rise", "parameters": {"masks": 0}},
            "masks=0 of 'rise' must be a whole number",
        ),
        ({"target": 3}, "target=3 is not a class of this model; it has 3: 0 to 2"),
        ({"image": 2}, "image=2"),
        ({"method": "gradcam", "layer": "cnv"}, "'cnv' is not a layer"),
    ],
)
def test_a_bad_question_is_answered(changes: dict[str, Any], message: str) -> None:
    widget, sent = overlay()
    want(widget, 1, **{"method": "gradient", **changes})
    answer = sent.wait(1)
    assert answer["type"] == "err"
    assert message in answer["message"]


def test_panels_name_methods_and_what_differs_from_their_defaults() -> None:
    widget, _ = overlay(method=["gradient", "rise"])
    assert widget.panels == [
        {"method": "gradient", "parameters": {}},
        {"method": "rise", "parameters": {}},
    ]
    widget.panels = [{"method": "smoothgrad", "parameters": {"samples": 25, "noise": 0.2}}]
    assert widget.panels == [{"method": "smoothgrad", "parameters": {"noise": 0.2}}]
    assert widget.method == "smoothgrad"
    widget.method = "occlusion"
    assert [panel["method"] for panel in widget.panels] == ["occlusion"]


def test_traits_are_checked_when_they_are_set() -> None:
    widget, _ = overlay(target="cat")
    assert widget.target == 2
    for wrong, message in (
        ({"target": "cow"}, "target='cow' is not a class name"),
        ({"target": 3}, "target=3 is not a class of this model"),
        ({"image": 2}, "image=2 must be from 0 to 1"),
        ({"layer": "cnv"}, "'cnv' is not a layer"),
        ({"form": "sined"}, "form='sined' is not one of .*; did you mean 'signed'"),
        ({"show": "all"}, "show='all' is not one of both, picture, map"),
        ({"colormap": "jet"}, "colormap='jet' is not one of viridis"),
        ({"panels": []}, "panels has 0 entries; give 1 to 6"),
        ({"panels": [{"method": "rise"}] * 7}, "panels has 7 entries"),
        ({"panels": [{"name": "rise"}]}, "panels has the entry {'name': 'rise'}; give 'method'"),
        ({"panels": [{"method": "rice"}]}, "method='rice' is no saliency method"),
    ):
        with pytest.raises(ValueError, match=message):
            widget.set_trait(*next(iter(wrong.items())))
    with pytest.raises(TypeError, match="mask=3 is no parameter of 'rise'; did you mean 'masks'"):
        widget.panels = [{"method": "rise", "parameters": {"mask": 3}}]
    assert (widget.target, widget.image, widget.layer, widget.method) == (2, 0, None, "gradient")


def test_the_browser_is_told_all_methods_with_their_parameters() -> None:
    widget, _ = overlay()
    entries = {entry["name"]: entry for entry in widget._methods}
    assert entries["gradient"]["family"] == "saliency"
    assert entries["gradcam"]["at_layer"]
    assert entries["guided_gradcam"]["at_layer"]
    assert not entries["rise"]["at_layer"]
    (masks,) = (given for given in entries["rise"]["parameters"] if given["name"] == "masks")
    assert (masks["kind"], masks["low"]) == ("int", 1)
    assert masks["default"] >= 100
    assert len(SaliencyOverlay.ANSWERS) == 1 + MAX_PANELS


def test_classes_of_captum_stand_beside_our_methods() -> None:
    captum = pytest.importorskip("captum.attr")
    widget, sent = overlay(method=["gradient", captum.Saliency, "captum.LayerGradCam"])
    names = [panel["method"] for panel in widget.panels]
    assert names == ["gradient", "captum.Saliency", "captum.LayerGradCam"]
    plain, at_layer = widget._methods[-2:]
    assert (plain["title"], plain["at_layer"]) == ("Saliency (Captum)", False)
    assert (at_layer["title"], at_layer["at_layer"]) == ("LayerGradCam (Captum)", True)
    want(widget, 1, "gradient", target=1)
    want(widget, 2, "captum.Saliency", panel=1, target=1)
    want(widget, 3, "captum.LayerGradCam", panel=2, target=0, layer="conv")
    ours, theirs, layered = (sent.wait(seq) for seq in (1, 2, 3))
    expected = np.abs(sent.arrays(ours)["values"])
    np.testing.assert_allclose(np.abs(sent.arrays(theirs)["values"]), expected, rtol=1e-5)
    assert layered["layer"] == "conv"
    widget.panels = [{"method": "captum.InputXGradient"}]
    assert [entry["name"] for entry in widget._methods if "captum" in entry["name"]] == [
        "captum.InputXGradient"
    ]
    with pytest.raises(ValueError, match="Captum has no such attribution class"):
        widget.panels = [{"method": "captum.DeepLifft"}]


def test_what_is_baked_is_asked_as_the_browser_asks() -> None:
    widget, _ = overlay(method=["gradient", "rise", "gradcam"], image=1, layer="conv")
    wanted = list(widget._bake_requests())
    asked = [(each.kind, each.params) for each in wanted]
    assert asked[:2] == [("input", {"image": 1}), ("input", {"image": 0})]
    kind, params = asked[4]
    assert list(params) == ["method", "parameters", "target", "image", "layer"]
    assert (kind, params["method"], params["layer"]) == ("panel:2", "gradcam", "conv")
    methods = [params["method"] for _, params in asked if "method" in params]
    # The method that takes its time is kept for what is on the screen alone.
    assert methods.count("rise") == 1
    assert methods.count("gradient") == (2 + 2 * 3) * 3  # in the other two panels, too
    others = [params for _, params in asked if params.get("method") == "guided_backprop"]
    assert len(others) == (2 + 2 * 3) * 3
    assert [(params["image"], params["target"]) for params in others[:4]] == [
        *[(1, None)] * 3,
        (1, widget.inspector.predictions(1)[1][0].index),
    ]
    assert widget.bake().answers == len(wanted)
    assert "parameter-masks" in widget.NEEDS_KERNEL
    assert "method" not in widget.NEEDS_KERNEL


def test_the_still_picture_waits_for_no_slow_method() -> None:
    widget, sent = overlay(method=["rise", "gradient"])
    alone = widget._still()
    want(widget, 1, "rise")
    sent.wait(1)
    both = widget._still()
    assert alone is not None
    assert both is not None
    assert both.shape[1] > 1.8 * alone.shape[1]


def test_fewer_pictures_move_the_picture_back_into_the_batch() -> None:
    widget, _ = overlay(image=1)
    widget.inspector.set_inputs(tiny_inputs(1))
    assert widget.image == 0


def test_a_widget_leaves_the_model_as_it_was() -> None:
    model, inputs = TinyNet().train(), tiny_inputs()
    with unchanged(model, inputs):
        widget = SaliencyOverlay(model, inputs)
        sent = listen(widget)
        for seq, method in enumerate(("gradient", "rise", "guided_backprop", "gradcam"), 1):
            want(widget, seq, method, panel=seq)
        for seq in range(1, 5):
            sent.wait(seq)
        widget.close()
