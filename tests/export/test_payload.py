"""The data of a page: letters that are safe in HTML, equal things once, a budget that is kept."""

from __future__ import annotations

import string

import numpy as np
import pytest

from cnnviz_widgets.export.document import document
from cnnviz_widgets.export.payload import PageWidget, pack_page, page_state
from cnnviz_widgets.streaming.baked import StoredAnswer, StoredFrame
from cnnviz_widgets.streaming.wire import Header, pack
from tests.export.pages import page_data


def answer(seed: int, size: int = 2000) -> StoredAnswer:
    noise = np.random.default_rng(seed).integers(0, 256, size, dtype=np.uint8)
    params: Header = {"layer": f"layer {seed}", "image": 0}
    return StoredAnswer("layer", params, (StoredFrame(*pack({}, {"noise": noise})),))


def widget(name: str, *answers: StoredAnswer, bundle: str = "export default 1") -> PageWidget:
    return PageWidget(name, "View", bundle, "p {}", {"layer": name}, list(answers), ("layout",))


def test_the_letters_are_safe_anywhere_in_html() -> None:
    text = pack_page([widget("a", *(answer(seed) for seed in range(30)))]).text
    assert set(text) <= set(string.printable) - set("<\"'\\ \n\t\r/")


def test_equal_modules_and_equal_arrays_are_stored_once() -> None:
    one = pack_page([widget("a", answer(0))]).text
    packed = pack_page([widget("a", answer(0)), widget("b", answer(0))])
    assert len(packed.text) < len(one) + 300
    data = page_data(document("t", "", packed.text))
    assert data["modules"] == ["export default 1"]
    assert {each["module"] for each in data["widgets"].values()} == {0}
    places = [each["answers"][0][2][0][1:] for each in data["widgets"].values()]
    assert places == [[0, 2000], [0, 2000]]


@pytest.mark.parametrize("max_bytes", [12_000, 30_000])
def test_a_budget_is_kept_and_what_is_missing_told(max_bytes: int) -> None:
    packed = pack_page(
        [widget("a", *map(answer, range(20))), widget("b", *map(answer, range(20, 24)))],
        max_bytes=max_bytes,
    )
    assert 0.8 * max_bytes < len(packed.text) <= max_bytes
    assert packed.left_out[0].startswith("View: ")
    assert "of 20 answers are left out to keep the page small" in packed.left_out[0]


def test_without_a_budget_nothing_is_left_out() -> None:
    assert pack_page([widget("a", answer(0), answer(1))]).left_out == ()


def test_the_state_is_what_views_read() -> None:
    state: Header = {"layer": "a", "_esm": "x", "_baked": "x", "_model_name": "x", "layout": "x"}
    state["_methods"] = [{"name": "one"}, {"name": "two"}]
    stored = StoredAnswer("sweep", {"method": "two"}, ())
    assert page_state(state, [stored]) == {"layer": "a", "_methods": [{"name": "two"}]}
