"""The widgets of a notebook's state: ours by name, boxes around them, others in words."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from cnnviz_widgets.export.outputs import WIDGET_VIEW as VIEW
from cnnviz_widgets.export.views import STATE, Views
from cnnviz_widgets.words import phrase
from tests.export.pages import Parts
from tests.widgets.kernel import browser


def views(**models: Any) -> Views:
    return Views({"metadata": {"widgets": {STATE: {"state": models}}}})


def live() -> dict[str, Any]:
    widget, _ = browser()
    widget.bake()
    state = {k: v for k, v in widget.get_state().items() if not isinstance(v, bytes)}
    data = base64.b64encode(widget._baked).decode()
    buffer = {"path": ["_baked"], "encoding": "base64", "data": data}
    return {"model_name": "AnyModel", "state": state, "buffers": [buffer]}


def test_a_widget_of_ours_is_live_once() -> None:
    found = views(m=live())
    first = found.html("m")
    assert first == found.html("m")
    assert first is not None
    assert 'data-cnnviz-model="w0"' in first
    assert [widget.title for widget in found.widgets] == ["LayerBrowser"]
    assert found.missing == 0


@pytest.mark.parametrize("data", ["", "AAAA", "no base64!"])
def test_answers_that_cannot_be_read_are_none(data: str) -> None:
    model = live()
    model["buffers"][0]["data"] = data
    found = views(m=model)
    assert found.html("m") is None
    assert found.missing == 1


def test_a_widget_of_another_library_with_our_traits_is_not_ours() -> None:
    model = live()
    model["state"]["_anywidget_id"] = "other.Widget"
    found = views(m=model)
    found.html("m")
    assert found.widgets == []


def test_tabs_unfold_and_the_first_is_open() -> None:
    children = ["IPY_MODEL_a", "IPY_MODEL_b"]
    html = views(
        t={"model_name": "TabModel", "state": {"children": children, "titles": ["A", "<b>"]}},
        a={"model_name": "LabelModel", "state": {"value": "first"}},
        b={"model_name": "FloatSliderModel", "state": {"description": "<i>", "value": 0.5}},
    ).html("t")
    assert html is not None
    parts = Parts(html)
    assert [("open" in attributes) for attributes in parts.of("details")] == [True, False]
    assert parts.text == "Afirst<b><i>: 0.5"


def test_the_words_of_explore_are_told_in_the_language_of_the_reader() -> None:
    """They are saved in the language of the browser in which the notebook ran, if any."""
    tabs = {"children": ["IPY_MODEL_h"], "titles": ["类激活图"]}
    html = views(
        t={"model_name": "TabModel", "state": tabs},
        h={"model_name": "HTMLModel", "state": {"value": phrase("explore_hint")}},
    ).html("t")
    parts = Parts(html or "")
    told = [json.loads(parts.of(tag)[0]["data-cnnviz-told"] or "") for tag in ("summary", "p")]
    assert told == [phrase(name).texts for name in ("explore_cams", "explore_hint")]
    assert parts.text == phrase("explore_cams") + phrase("explore_hint")


def test_what_a_kernel_draws_is_left_to_its_still_picture() -> None:
    found = views(
        pad={"model_name": "VBoxModel", "state": {"children": ["IPY_MODEL_row", "IPY_MODEL_pad"]}},
        row={"model_name": "HBoxModel", "state": {"children": ["IPY_MODEL_paper"]}},
        paper={"model_name": "CanvasModel", "state": {}},
        both={"model_name": "VBoxModel", "state": {"children": ["IPY_MODEL_m", "IPY_MODEL_pad"]}},
        m=live(),
    )
    assert found.html("pad") is None
    assert "data-cnnviz-model" in (found.html("both") or "")
    assert found.missing == 0


def test_what_is_not_in_the_state_is_missing() -> None:
    found = views()
    assert found.html("m") is None
    assert found.missing == 1


def test_what_interact_collects_is_shown() -> None:
    outputs = [
        {"output_type": "stream", "name": "stdout", "text": "<b>printed"},
        {"output_type": "display_data", "data": {VIEW: {"model_id": "m"}}},
        {"output_type": "display_data", "data": {VIEW: {"model_id": "out"}}},
    ]
    found = views(
        box={"model_name": "VBoxModel", "state": {"children": ["IPY_MODEL_n", "IPY_MODEL_out"]}},
        n={"model_name": "IntSliderModel", "state": {"description": "n", "value": 4}},
        out={"model_name": "OutputModel", "state": {"outputs": outputs}},
        m=live(),
    )
    parts = Parts(found.html("box") or "")
    assert parts.text.startswith("n: 4<b>printed")
    assert [each.get("data-cnnviz-model") for each in parts.of("div")].count("w0") == 1


def test_a_progress_bar_says_nothing_afterwards() -> None:
    children = ["IPY_MODEL_a", "IPY_MODEL_bar", "IPY_MODEL_a"]
    found = views(
        tqdm={"model_name": "HBoxModel", "state": {"children": children}},
        beside={"model_name": "HBoxModel", "state": {"children": [*children, "IPY_MODEL_m"]}},
        a={"model_name": "HTMLModel", "state": {"value": "100%"}},
        bar={"model_name": "FloatProgressModel", "state": {"value": 3.0}},
        m=live(),
    )
    assert found.html("tqdm") == found.html("bar") == ""
    assert "data-cnnviz-model" in (found.html("beside") or "")
