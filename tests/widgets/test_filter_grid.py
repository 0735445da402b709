"""FilterGrid from the kernel's side: with an Inspector, with inputs, and with neither."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from cnnviz_widgets.inspection.inspector import Inspector
from cnnviz_widgets.widgets.filter_grid import FilterGrid
from tests.inspection.promise import unchanged
from tests.widgets.kernel import CLASS_NAMES, Sent, TinyNet, ask, listen, tiny_inputs


def opened(*args: Any, **options: Any) -> tuple[FilterGrid, Sent]:
    """A FilterGrid, of the tiny network where nothing is given, and what it sends."""
    widget = FilterGrid(*(args or (TinyNet(),)), **options)
    return widget, listen(widget)


def test_without_inputs_everything_but_answers_works() -> None:
    model = TinyNet()
    with unchanged(model):
        widget, sent = opened(model)
        assert widget.inspector is None
        assert (widget.layer, widget._index["batch"]) == ("conv", 0)
        ask(widget, 1, "layer", layer="fc", image=0, tile=500)
        arrays = sent.arrays(sent.wait(1))
        ask(widget, 2, "filter", layer="fc", filter=2)
        values = sent.arrays(sent.wait(2))["values"]
    assert arrays["codes"].shape == (3, 1, 1, 2)
    assert values.reshape(-1).tolist() == [1, 1]
    for seq, kind in ((3, "input"), (4, "answer")):
        ask(widget, seq, kind, layer="fc", image=0, filter=0)
        failure = sent.wait(seq)
        assert failure["message"].startswith("This FilterGrid has no inputs")


def test_with_inputs_a_filter_answers() -> None:
    widget, sent = opened(TinyNet(), tiny_inputs(), class_names=CLASS_NAMES)
    ask(widget, 1, "answer", layer="conv", image=0, filter=1)
    values = sent.arrays(sent.wait(1))["values"]
    assert values.tolist() == (-2 * np.arange(12.0).reshape(3, 4)).tolist()
    ask(widget, 2, "answer", layer="fc", image=0, filter=2)
    frame = sent.wait(2)
    assert (frame["value"], frame["label"]) == (5.5, "cat")
    ask(widget, 3, "input", image=1)
    assert sent.arrays(sent.wait(3))["rgb"].shape == (3, 4, 3)


def test_an_inspector_is_shared() -> None:
    inspector = Inspector(TinyNet(), tiny_inputs())
    widget, _ = opened(inspector)
    assert widget.inspector is inspector
    assert widget._index["epoch"] == inspector.epoch
    inspector.set_inputs(tiny_inputs(1))
    assert (widget._index["batch"], widget._index["epoch"]) == (1, inspector.epoch)


@pytest.mark.parametrize("inputs", [(), (tiny_inputs(),)])
def test_a_training_step_is_seen_on_the_next_look(inputs: tuple[torch.Tensor, ...]) -> None:
    model = TinyNet()
    widget, sent = opened(model, *inputs)
    ask(widget, 1, "filter", layer="conv", filter=0)
    before = sent.wait(1)
    with torch.no_grad():
        model.conv.weight.mul_(3)
    ask(widget, 2, "filter", layer="conv", filter=0)
    after = sent.wait(2)
    assert sent.arrays(before)["values"].reshape(-1).tolist() == [1]
    assert sent.arrays(after)["values"].reshape(-1).tolist() == [3]
    assert after["epoch"] == before["epoch"] + 1 == widget._index["epoch"]


def test_likeness_can_be_asked_for() -> None:
    widget, sent = opened(torch.nn.Linear(5, 3))
    ask(widget, 1, "likeness", layer="model")
    assert sent.arrays(sent.wait(1))["order"].shape == (3,)


def test_prefetch_sends_layers_and_says_which() -> None:
    widget, sent = opened()
    ask(widget, 1, "prefetch", layers=["conv", "fc"], image=0, tile=320, bytes=100_000)
    assert sent.wait(1)["sent"] == ["conv", "fc"]
    first, *_ = sent.of(1)
    assert first["params"] == {"layer": "conv", "image": 0, "tile": 320, "side": "output"}
    assert (first["kind"], first["final"], first["prefetch"]) == ("layer", False, True)


def test_prefetch_stops_at_its_budget() -> None:
    widget, sent = opened()
    ask(widget, 1, "prefetch", layers=["conv", "fc"], image=0, tile=320, bytes=1)
    assert sent.wait(1)["sent"] == ["conv"]


@pytest.mark.parametrize(
    ("kind", "params", "message"),
    [
        ("layer", {"layer": "relu", "tile": 64}, "layer='relu' is no layer with weights"),
        ("layer", {"layer": "conv", "tile": 0}, "tile=0 must be a whole number from 1"),
        ("filter", {"layer": "conv", "filter": 2}, "filter=2 must be from 0 to 1"),
        ("channel", {"layer": "conv"}, "kind='channel' must be one of layer, filter, likeness"),
    ],
)
def test_a_wrong_request_is_answered(kind: str, params: dict[str, Any], message: str) -> None:
    widget, sent = opened()
    ask(widget, 1, kind, **params)
    assert message in sent.wait(1)["message"]


def test_traits_hold_what_there_is() -> None:
    widget, _ = opened(TinyNet(), tiny_inputs(), layer="fc", filter=2, image=1, sort="norm")
    assert (widget.layer, widget.filter, widget.image, widget.sort) == ("fc", 2, 1, "norm")


@pytest.mark.parametrize(
    ("trait", "value", "message"),
    [
        ("layer", "relu", "layer='relu' is no layer with weights"),
        ("image", 2, "image=2 must be from 0 to 1: there are 2"),
        ("sort", "size", "sort='size' is not one of index, norm, similarity"),
        ("scale_mode", "layers", "scale_mode='layers' is not one of .*; did you mean 'layer'"),
    ],
)
def test_a_wrong_trait_is_refused(trait: str, value: object, message: str) -> None:
    widget, _ = opened(TinyNet(), tiny_inputs())
    with pytest.raises(ValueError, match=message):
        setattr(widget, trait, value)


def test_what_goes_with_inputs_needs_inputs() -> None:
    with pytest.raises(TypeError, match=r"class_names=\.\.\. was given without inputs"):
        FilterGrid(TinyNet(), class_names=CLASS_NAMES)


def test_a_misspelt_argument_is_named() -> None:
    with pytest.raises(TypeError, match=r"FilterGrid got filters=3, .* did you mean 'filter'"):
        FilterGrid(TinyNet(), filters=3)


def test_no_model_is_told() -> None:
    with pytest.raises(TypeError, match=r"model=3 is a int; give a torch\.nn\.Module"):
        FilterGrid(3)


def test_a_layer_that_went_away_is_left() -> None:
    model = torch.nn.Sequential(torch.nn.Linear(4, 3), torch.nn.Linear(3, 2))
    widget, sent = opened(model, layer="1")
    del model[1]
    ask(widget, 1, "layer", layer="0", tile=64)
    sent.wait(1)
    assert widget.layer == "0"
