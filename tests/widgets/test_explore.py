"""`explore`: four widgets over one Inspector, laid out, written to a page, and ended together."""

from __future__ import annotations

from pathlib import Path

import pytest

from cnnviz_widgets.inspection.inspector import Inspector
from cnnviz_widgets.widgets.explore import explore
from cnnviz_widgets.widgets.pictured import STILL_BYTES
from tests.widgets.kernel import CLASS_NAMES, TinyNet, tiny_inputs


def test_all_widgets_share_one_inspector_and_begin_at_one_layer() -> None:
    found = explore(TinyNet(), tiny_inputs(), class_names=CLASS_NAMES)
    parts = (found.layers, found.cams, found.saliency, found.filters)
    assert all(part.inspector is found.inspector for part in parts)
    assert all(part.linked for part in parts)
    assert found.inspector.class_names == CLASS_NAMES
    assert found.layers.layer == found.cams.layer != ""
    found.close()


def test_an_inspector_is_taken_as_it_is() -> None:
    inspector = Inspector(TinyNet(), tiny_inputs())
    found = explore(inspector)
    assert found.inspector is inspector
    found.close()
    assert inspector.predictions(1)


def test_the_four_are_written_to_one_page(tmp_path: Path) -> None:
    found = explore(TinyNet(), tiny_inputs(), class_names=CLASS_NAMES)
    page = found.to_html(tmp_path / "page.html", title="all four").read_text()
    assert page.count('class="page-widget" data-cnnviz-model=') == 4
    assert "<title>all four</title>" in page
    found.close()


def test_a_still_picture_goes_with_the_view() -> None:
    found = explore(TinyNet(), tiny_inputs(), class_names=CLASS_NAMES)
    assert "application/vnd.jupyter.widget-view+json" in found._repr_mimebundle_()
    assert 0 < len(found.snapshot()) <= STILL_BYTES
    found.close()


def test_a_picker_stands_above_where_it_is_wanted(tmp_path: Path) -> None:
    plain = explore(TinyNet(), tiny_inputs())
    assert plain.picker is None
    plain.close()
    found = explore(TinyNet(), tiny_inputs(), picker=True)
    assert found.picker is not None
    assert found.children[1] is found.picker
    found.picker.choose_sample(1)
    assert found.layers._index["batch"] == 1
    page = found.to_html(tmp_path / "page.html").read_text()
    assert page.count('class="page-widget" data-cnnviz-model=') == 5
    found.close()
    assert found.picker._worker.closed


def test_what_the_inspector_does_not_know_is_refused() -> None:
    with pytest.raises(TypeError, match=r"class_nams=.*did you mean 'class_names'"):
        explore(TinyNet(), tiny_inputs(), class_nams=CLASS_NAMES)
    with pytest.raises(TypeError, match=r"inputs is missing: TinyNet needs something to look at"):
        explore(TinyNet())
