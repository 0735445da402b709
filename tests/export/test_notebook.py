"""Notebooks as pages: what is alive, what is a picture, what is hidden, what cannot break out."""

from __future__ import annotations

import base64
from html import escape
from pathlib import Path
from typing import Any

import nbformat
import pytest

from cnnviz_widgets.export.notebook import notebook_to_html
from cnnviz_widgets.export.outputs import WIDGET_VIEW
from cnnviz_widgets.export.views import STATE
from tests.export.pages import Parts, assert_harmless, page_data
from tests.widgets.kernel import browser

PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJg"
    "gg=="
)
EVIL = "</script><script>alert(1)</script><img src=x onerror=alert(1)>"


def widget_state(widget: Any) -> dict[str, Any]:
    """Return a widget's state as a saved notebook has it."""
    state = {k: v for k, v in widget.get_state().items() if not isinstance(v, bytes)}
    data = base64.b64encode(widget._baked).decode()
    return {
        "model_name": "AnyModel",
        "model_module": "anywidget",
        "state": state,
        "buffers": [{"encoding": "base64", "path": ["_baked"], "data": data}],
    }


def view(model_id: str, **more: str) -> Any:
    return nbformat.v4.new_output(
        "display_data", {WIDGET_VIEW: {"model_id": model_id}, "text/plain": "Widget()", **more}
    )


def code(source: str, *outputs: Any, tags: tuple[str, ...] = ()) -> Any:
    cell = nbformat.v4.new_code_cell(source, outputs=list(outputs))
    cell.metadata.tags = list(tags)
    return cell


def notebook(*cells: Any, **models: Any) -> Any:
    made = nbformat.v4.new_notebook(cells=list(cells))
    made.metadata["widgets"] = {STATE: {"version_major": 2, "state": models}}
    return made


@pytest.fixture
def baked() -> Any:
    widget, _ = browser()
    widget.bake()
    return widget


def test_a_baked_widget_is_alive(baked: Any, tmp_path: Path) -> None:
    book = notebook(code("widget", view("m1")), m1=widget_state(baked))
    html = notebook_to_html(book, tmp_path / "page.html").read_text()
    (widget,) = page_data(html)["widgets"].values()
    assert widget["state"]["layer"] == "conv"
    assert len(widget["answers"]) > 4
    assert widget["disabled"] == ["layout"]
    assert "Widget()" not in Parts(html).text


def test_its_code_is_ours_whatever_the_notebook_says(baked: Any, tmp_path: Path) -> None:
    state = widget_state(baked)
    state["state"]["_esm"] = "alert('not ours')"
    html = notebook_to_html(
        notebook(code("w", view("m")), m=state), tmp_path / "p.html"
    ).read_text()
    assert page_data(html)["modules"] == [baked.bundle]
    assert "not ours" not in str(page_data(html))


def test_a_view_shown_twice_is_stored_once(baked: Any, tmp_path: Path) -> None:
    book = notebook(code("w", view("m")), code("w", view("m")), m=widget_state(baked))
    html = notebook_to_html(book, tmp_path / "page.html").read_text()
    assert len(page_data(html)["widgets"]) == 1
    assert [each.get("data-cnnviz-model") for each in Parts(html).of("div")].count("w0") == 2


def test_what_was_not_baked_is_a_still_picture(tmp_path: Path) -> None:
    widget, _ = browser()
    picture = base64.b64encode(PNG).decode()
    book = notebook(code("w", view("m", **{"image/png": picture})), m=widget_state(widget))
    with pytest.warns(UserWarning, match="still pictures here: nothing was baked"):
        path = notebook_to_html(book, tmp_path / "page.html")
    parts = Parts(path.read_text())
    assert parts.of("img")[0]["src"] == f"data:image/png;base64,{picture}"
    assert "nothing was baked" in parts.text


def test_widgets_in_boxes_are_found(baked: Any, tmp_path: Path) -> None:
    models = {
        "m": widget_state(baked),
        "html": {"model_name": "HTMLModel", "state": {"value": f"<b>said</b>{EVIL}"}},
        "slider": {"model_name": "IntSliderModel", "state": {"description": "Brush", "value": 3}},
        "tab": {
            "model_name": "TabModel",
            "state": {"children": ["IPY_MODEL_m", "IPY_MODEL_slider"], "titles": ["One", EVIL]},
        },
        "box": {
            "model_name": "VBoxModel",
            "state": {"children": ["IPY_MODEL_html", "IPY_MODEL_tab", *2 * ["IPY_MODEL_box"]]},
        },
    }
    book = notebook(code("w", view("box")), **models)
    html = notebook_to_html(book, tmp_path / "page.html").read_text()
    assert_harmless(html)
    parts = Parts(html)
    assert len(page_data(html)["widgets"]) == 1
    assert "Brush: 3" in parts.text
    assert [each for each, _ in parts.elements].count("summary") == 2


@pytest.mark.filterwarnings("ignore:.* is not on the page")
@pytest.mark.parametrize(
    "cell",
    [
        nbformat.v4.new_markdown_cell(f"# {EVIL}\n\n{EVIL} [x](javascript:alert(1))"),
        code(f'print("{EVIL}")', nbformat.v4.new_output("stream", text=EVIL)),
        code("1", nbformat.v4.new_output("display_data", {"text/html": EVIL})),
        code("1", nbformat.v4.new_output("display_data", {"text/plain": EVIL})),
        code("1", nbformat.v4.new_output("display_data", {"image/svg+xml": EVIL})),
        code("1", nbformat.v4.new_output("display_data", {"application/javascript": "alert(1)"})),
        code("1", nbformat.v4.new_output("error", ename=EVIL, evalue=EVIL, traceback=[EVIL])),
        nbformat.v4.new_raw_cell(EVIL),
    ],
)
def test_nothing_that_a_notebook_holds_can_run(cell: Any, baked: Any, tmp_path: Path) -> None:
    state = widget_state(baked)
    state["state"]["_index"] = {**state["state"]["_index"], "classes": [EVIL], "model": EVIL}
    book = notebook(cell, code("w", view("m")), m=state)
    assert_harmless(notebook_to_html(book, tmp_path / "page.html", title=EVIL).read_text())


def test_tags_hide_what_they_name(tmp_path: Path) -> None:
    printed = nbformat.v4.new_output("stream", text="printed")
    cells = [
        code("all", printed, tags=("remove-cell",)),
        code("source", printed, tags=("remove-input",)),
        code("silent", printed, tags=("remove-output",)),
        code("folded", tags=("hide-input",)),
    ]
    parts = Parts(notebook_to_html(notebook(*cells), tmp_path / "page.html").read_text())
    assert "all" not in parts.text
    assert "source" not in parts.text
    assert "silent" in parts.text
    assert parts.text.count("printed") == 1
    assert parts.of("details")


def test_what_is_not_found_is_told_and_so_is_a_notebook_never_run(tmp_path: Path) -> None:
    """Who makes a page learns what a reader will miss."""
    text = nbformat.v4.new_markdown_cell("![a](none.png) ![b](https://e.example/x.png)")
    with pytest.warns(UserWarning, match="is not on the page|never been run") as told:
        notebook_to_html(notebook(text, code("1 + 1")), tmp_path / "page.html")
    assert [str(each.message).split(" is not ")[0].split(",")[0] for each in told] == [
        "The notebook has never been run",
        "'none.png'",
        "'https://e.example/x.png'",
    ]


def test_a_notebook_without_outputs_was_run_all_the_same(tmp_path: Path) -> None:
    cell = code("x = 1")
    cell["execution_count"] = 1
    notebook_to_html(notebook(cell, code("")), tmp_path / "page.html")


@pytest.mark.filterwarnings("ignore:.* is not on the page")
@pytest.mark.parametrize(
    ("heading", "title"),
    [
        ("Text\n\n## The *first* `one`", "The first one"),
        ("# <img src=x>\n\n# A & <b>B</b>: [see](x) a_b_c", "A & B: see a_b_c"),
    ],
)
def test_the_title_is_the_first_heading(heading: str, title: str, tmp_path: Path) -> None:
    book = notebook(nbformat.v4.new_markdown_cell(heading))
    html = notebook_to_html(book, tmp_path / "page.html").read_text()
    assert f"<title>{escape(title)}</title>" in html
    assert "script-src 'none'" in html


def test_the_budget_is_that_of_the_page(baked: Any, tmp_path: Path) -> None:
    book = notebook(code("w", view("m")), m=widget_state(baked))
    with pytest.raises(ValueError, match="max_mb=-1 must be above 0"):
        notebook_to_html(book, tmp_path / "page.html", max_mb=-1)
    with pytest.warns(UserWarning, match="LayerBrowser: .* answers are left out"):
        notebook_to_html(book, tmp_path / "page.html", max_mb=0.001)
