"""A widget without a kernel, the kernel's side: what is baked, within which budget, until when."""

from __future__ import annotations

import zlib
from typing import Any

import pytest

import cnnviz_widgets as cw
from cnnviz_widgets.streaming.baked import unpack_answers
from cnnviz_widgets.widgets.baking import _HEADER_BYTES, Baked, LeftOut
from tests.widgets.kernel import browser, tiny_inputs


def stored(widget: Any) -> dict[tuple[str, object, object], Any]:
    """Return what was baked, by kind, layer and side."""
    return {
        (each.kind, each.params.get("layer"), each.params.get("side")): each
        for each in unpack_answers(widget._baked)
    }


def test_everything_a_view_shows_is_baked() -> None:
    widget, _ = browser()
    baked = widget.bake()
    names = {layer.name for layer in widget.inspector.modules}
    found = stored(widget)
    assert {layer for kind, layer, side in found if kind == "layer" and side is None} == names
    assert {layer for kind, layer, side in found if side == "input"} == names
    assert ("input", None, None) in found
    assert baked.answers == 2 * (1 + 2 * len(names))
    assert baked.size_bytes == len(widget._baked)
    assert repr(baked).endswith("Nothing was left out.")


def test_a_baked_answer_is_what_the_kernel_sends() -> None:
    widget, sent = browser()
    widget.bake()
    params = {"layer": "conv", "image": 1, "tile": 64}
    request = {"type": "req", "cid": "a", "seq": 1, "kind": "layer", "params": params}
    widget._receive(request)
    content = sent.wait(1)
    (answer,) = [each for each in unpack_answers(widget._baked) if each.params == params]
    (frame,) = answer.frames
    common = ("type", "cid", "seq", "kind", "params", "epoch", "final", "ms")
    assert frame.header == {key: value for key, value in content.items() if key not in common}
    assert [frame.payload] == sent.messages[-1][1]


def test_what_does_not_fit_is_left_out_and_told() -> None:
    widget, _ = browser()
    baked = widget.bake(max_mb=0.0006)
    assert 0 < baked.answers < widget.bake().answers
    assert "outputs of layers for picture 2" in repr(baked)
    assert "no room in 0.0006 MB" in repr(baked)


def test_what_comes_after_the_budget_is_used_up_is_not_computed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    widget, _ = browser()
    answered: list[object] = []
    answer = widget._stored_answer

    def counted(kind: str, params: Any) -> Any:
        answered.append(params)
        return answer(kind, params)

    monkeypatch.setattr(widget, "_stored_answer", counted)
    whole = widget.bake()
    first = widget._stored_answer("input", {"image": 0}).frames[0].payload
    answered.clear()
    just = (len(zlib.compress(first)) + _HEADER_BYTES) / 1e6
    baked = widget.bake(max_mb=just)
    assert baked.answers == len(answered) == 1
    assert sum(each.count for each in baked.left_out) == whole.answers - 1


def test_a_reason_that_is_a_sentence_has_one_full_stop() -> None:
    assert repr(Baked(1, 2, (LeftOut("maps", 3, "Not so."),))).endswith("maps (3): Not so.")


def test_a_budget_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="max_mb=0 must be above 0"):
        browser()[0].bake(max_mb=0)


def test_other_inputs_make_it_stale() -> None:
    widget, _ = browser()
    plain = widget._esm
    widget.bake()
    assert widget._baked
    assert widget._esm != plain
    widget.inspector.set_inputs(2 * tiny_inputs())
    assert widget._baked == b""
    assert widget._esm == plain


def test_the_module_of_a_baked_widget_wraps_its_own() -> None:
    widget, _ = browser()
    plain = widget.bundle
    widget.bake()
    widget.bake()
    assert widget.bundle == plain
    assert str(widget._esm).count("export default baked(widget)") == 1


def test_filters_are_baked_with_their_weights() -> None:
    grid = cw.FilterGrid(cw.samples.load("digits").model)
    assert not grid.bake().left_out
    kinds = {answer.kind for answer in unpack_answers(grid._baked)}
    assert kinds == {"layer", "likeness", "filter"}


def test_sweeps_are_baked_class_by_class() -> None:
    shapes = cw.samples.load("shapes")
    slider = cw.CamSlider(shapes.model, shapes.images[:1], layer="layer3")
    slider.bake()
    sweeps = [each for each in unpack_answers(slider._baked) if each.kind == "sweep"]
    own = [each for each in sweeps if each.params["method"] == "gradcam"]
    assert {str(each.params["classes"]) for each in own} == {f"[{i}]" for i in range(10)}
    assert len({each.params["method"] for each in sweeps}) > 3
    assert {frame.header.get("kind") for each in own for frame in each.frames} == {"maps", None}
