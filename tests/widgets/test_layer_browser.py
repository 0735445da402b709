"""LayerBrowser from the kernel's side: what a view asks for, and what it is told."""

from __future__ import annotations

import threading

import numpy as np
import pytest
import torch

from cnnviz_widgets.inspection.inspector import Inspector
from cnnviz_widgets.rendering.quantise import dequantise
from cnnviz_widgets.widgets.layer_browser import LayerBrowser
from tests.widgets.kernel import CLASS_NAMES, TinyNet, ask, assert_refused, browser, tiny_inputs


def test_a_layer_is_sent_with_the_values_before_the_in_place_relu() -> None:
    widget, sent = browser()
    ask(widget, 1, "layer", layer="conv", image=0, tile=64, side="output")
    frame = sent.wait(1)
    arrays = sent.arrays(frame)
    assert (frame["kind"], frame["kind_of"]) == ("layer", "maps")
    low, high, mean, _ = arrays["statistics"]
    np.testing.assert_array_equal(low, [0, -22])
    np.testing.assert_array_equal(high, [11, 0])
    np.testing.assert_array_equal(mean, [5.5, -11])
    np.testing.assert_array_equal(arrays["zeros"], [1, 1])
    ramp = np.arange(12.0).reshape(3, 4)
    values = dequantise(arrays["codes"], low, high)
    np.testing.assert_allclose(values, [ramp, -2 * ramp], atol=22 / 504)


def test_the_input_of_a_layer_can_be_asked_for() -> None:
    widget, sent = browser()
    ask(widget, 1, "layer", layer="conv", image=1, tile=64, side="input")
    low, high, *_ = sent.arrays(sent.wait(1))["statistics"]
    np.testing.assert_array_equal(low, [-11])
    np.testing.assert_array_equal(high, [0])


def test_large_maps_are_reduced_and_their_statistics_are_not() -> None:
    widget, sent = browser()
    ask(widget, 1, "layer", layer="conv", image=0, tile=2, side="output")
    frame = sent.wait(1)
    arrays = sent.arrays(frame)
    assert (frame["factor"], frame["full"]) == (2, [3, 4])
    assert arrays["codes"].shape == (2, 2, 2)
    low, _, _, _, minimum, maximum = arrays["statistics"]
    np.testing.assert_array_equal(low, [2.5, -21])  # means of blocks
    np.testing.assert_array_equal(minimum, [0, -22])
    np.testing.assert_array_equal(maximum, [11, 0])


def test_class_scores_are_a_vector_with_names() -> None:
    widget, sent = browser()
    ask(widget, 1, "layer", layer="fc", image=0, tile=64, side="output")
    frame = sent.wait(1)
    assert (frame["kind_of"], frame["labels"]) == ("vector", list(CLASS_NAMES))
    np.testing.assert_allclose(sent.arrays(frame)["values"], [5.5, 0, 5.5])


def test_one_channel_is_exact() -> None:
    widget, sent = browser()
    ask(widget, 1, "channel", layer="conv", image=0, channel=1)
    values = sent.arrays(sent.wait(1))["values"]
    np.testing.assert_array_equal(values, -2 * np.arange(12.0, dtype=np.float32).reshape(3, 4))


def test_the_picture_comes_with_predictions() -> None:
    widget, sent = browser()
    ask(widget, 1, "input", image=1)
    frame = sent.wait(1)
    assert [found["name"] for found in frame["predictions"]] == ["bee", "cat", "ant"]
    assert frame["score_kind"] == "logit"
    assert sent.arrays(frame)["rgb"].shape == (3, 4, 3)


def test_prefetch_sends_layers_and_says_which() -> None:
    widget, sent = browser()
    ask(widget, 1, "prefetch", layers=["conv", "relu", "fc"], image=0, tile=64, bytes=100_000)
    assert sent.wait(1)["sent"] == ["conv", "relu", "fc"]
    first, *_, last = sent.of(1)
    assert first["params"] == {"layer": "conv", "image": 0, "tile": 64, "side": "output"}
    assert (first["kind"], first["final"], first["prefetch"]) == ("layer", False, True)
    assert (last["kind"], last["final"]) == ("prefetch", True)


def test_prefetch_stops_at_its_budget() -> None:
    widget, sent = browser()
    ask(widget, 1, "prefetch", layers=["conv", "relu", "fc"], image=0, tile=64, bytes=10)
    assert sent.wait(1)["sent"] == ["conv"]


def test_prefetch_gives_way_to_a_request_in_the_foreground(monkeypatch: pytest.MonkeyPatch) -> None:
    widget, sent = browser()
    entered, release = threading.Event(), threading.Event()
    maps = Inspector.maps

    def slow(self: Inspector, layer: str, image: int = 0, **options: object) -> object:
        entered.set()
        release.wait(10)
        return maps(self, layer, image, **options)  # type: ignore[arg-type]  # passed on

    monkeypatch.setattr(Inspector, "maps", slow)
    ask(widget, 1, "prefetch", layers=["conv", "relu", "pool"], image=0, tile=64, bytes=1 << 20)
    assert entered.wait(10)
    ask(widget, 2, "layer", layer="fc", image=0, tile=64, side="output")
    release.set()
    sent.wait(2)
    assert sent.wait(1)["sent"] == ["conv"]


@pytest.mark.parametrize(
    ("kind", "params", "message"),
    [
        ("layer", {"layer": "conf", "image": 0, "tile": 64}, "'conf' is not a layer"),
        ("layer", {"layer": "conv", "image": 2, "tile": 64}, "image=2 is not in the batch of 2"),
        ("layer", {"layer": "conv", "image": 0, "tile": 0}, "tile=0 must be a whole number from 1"),
        (
            "layer",
            {"layer": "conv", "image": 0, "tile": 64, "side": "back"},
            "side='back' is not one of output, input",
        ),
        ("channel", {"layer": "conv", "image": 0, "channel": 2}, "channel=2 must be from 0 to 1"),
        ("channel", {"layer": "fc", "image": 0, "channel": 0}, "layer='fc' has no maps"),
        ("layout", {"layer": "conv", "layout": "NLC"}, "layout='NLC' does not fit 'conv'"),
        ("dance", {}, "kind='dance' must be one of layer, channel, input, layout, prefetch"),
    ],
)
def test_a_bad_request_is_answered_and_the_widget_lives_on(
    kind: str, params: dict[str, object], message: str
) -> None:
    widget, sent = browser()
    assert_refused(widget, sent, message, kind, **params)


def test_new_weights_are_seen_at_the_next_request() -> None:
    widget, sent = browser()
    epoch = widget.inspector.epoch
    with torch.no_grad():
        widget.inspector.model.get_parameter("conv.weight").mul_(2)
    ask(widget, 1, "channel", layer="conv", image=0, channel=0)
    frame = sent.wait(1)
    assert frame["epoch"] == epoch + 1
    assert sent.arrays(frame)["values"].max() == 22
    assert widget._index["epoch"] == epoch + 1


def test_a_model_that_raises_later_is_an_error_in_the_view_and_in_python() -> None:
    widget, sent = browser()
    model = widget.inspector.model
    with torch.no_grad():
        model.get_parameter("conv.weight").mul_(2)
    model.fc = torch.nn.Linear(7, 3)
    ask(widget, 1, "layer", layer="conv", image=0, tile=64)
    answer = sent.wait(1)
    assert answer["type"] == "err"
    assert "RuntimeError: mat1 and mat2 shapes cannot be multiplied" in answer["message"]
    assert "'fc' (Linear)" in answer["hint"]
    with pytest.raises(RuntimeError, match="mat1 and mat2 shapes cannot be multiplied"):
        widget.inspector.activation("conv")
    model.fc = torch.nn.Linear(2, 3)
    ask(widget, 2, "layer", layer="conv", image=0, tile=64)
    assert sent.wait(2)["type"] == "frame"


def test_traits_are_checked_when_they_are_set() -> None:
    widget, _ = browser()
    assert widget.layer == "conv"
    with pytest.raises(ValueError, match="layer='cnv' is not a layer of this model; close matches"):
        widget.layer = "cnv"
    with pytest.raises(ValueError, match="image=2 must be from 0 to 1"):
        widget.image = 2
    with pytest.raises(ValueError, match="colormap='jet' is not one of viridis"):
        widget.colormap = "jet"
    with pytest.raises(ValueError, match=r"sort='men' is not one of .*; did you mean 'mean'"):
        widget.sort = "men"
    assert (widget.layer, widget.image, widget.colormap, widget.sort) == (
        "conv", 0, "viridis", "index",
    )  # fmt: skip


def test_first_values_are_checked_too() -> None:
    insp = Inspector(TinyNet(), tiny_inputs())
    with pytest.raises(ValueError, match="scale_mode='chanel' is not one of channel, layer, fixed"):
        LayerBrowser(insp, scale_mode="chanel")


def test_fewer_pictures_move_the_picture_back_into_the_batch() -> None:
    widget, _ = browser(image=1)
    widget.inspector.set_inputs(tiny_inputs(1))
    assert widget.image == 0
    assert widget._index["batch"] == 1
