"""Names and texts with markup in them: seen as they are, on pages and live, and nothing runs."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_output
from playwright.sync_api import Page, expect

import cnnviz_widgets as cw
from tests.browser.conftest import OpenNotebook, OpenPage
from tests.browser.networks import EVIL, MARKUP, load

pytestmark = pytest.mark.browser

VIEW = '.cnnviz[data-cnnviz-widget="{name}"]'
ALL = "\n\n".join(EVIL)
# What would stand in the page if one of the texts had been taken for markup.
PLANTED = "img[src='x'], svg[onload], iframe[srcdoc], [onmouseover], [href^='javascript']"
SHOW = """
import cnnviz_widgets as cw
from tests.browser.networks import load
network = load("markup")
inspector = cw.Inspector(network.model, network.inputs, class_names=network.class_names,
                         mean=network.mean, std=network.std)
"""


def check_views(page: Page) -> None:
    """Go through what each of the four views says, and see that it is said as text."""
    views = {
        name: page.locator(VIEW.format(name=name)).first
        for name in ("layer-browser", "cam-slider", "saliency-overlay", "filter-grid")
    }
    for name, view in views.items():
        view.scroll_into_view_if_needed()
        if name in ("layer-browser", "cam-slider", "filter-grid"):
            slider = view.locator('[data-cnnviz-control="layer"]')
            slider.focus()
            for key, layer in (("End", None), ("Home", EVIL[0]), ("ArrowRight", EVIL[1])):
                slider.press(key)
                if layer:
                    expect(view).to_have_attribute("data-shown-layer", layer)
        if name in ("cam-slider", "saliency-overlay"):
            view.locator('[data-cnnviz-control="target"]').first.press("ArrowRight")
    for name in EVIL:
        expect(views["layer-browser"].get_by_text(name).first).to_be_attached()
    expect(views["saliency-overlay"]).to_contain_text("constructor")
    check_nothing_ran(page)


def check_nothing_ran(page: Page) -> None:
    """Look for what a text would have left behind."""
    assert page.locator(PLANTED).count() == 0
    assert page.evaluate("() => window.cnnvizEvil") is None
    assert page.evaluate("() => getComputedStyle(document.body).display") != "none"


def inspector() -> cw.Inspector:
    network = load(MARKUP)
    return cw.Inspector(network.model, network.inputs, class_names=network.class_names)


def test_a_page_of_widgets_runs_no_name(open_page: OpenPage, tmp_path: Path) -> None:
    insp = inspector()
    widgets = [cw.LayerBrowser(insp), cw.CamSlider(insp), cw.SaliencyOverlay(insp)]
    path = cw.to_html([*widgets, cw.FilterGrid(insp)], tmp_path / "page.html", title=ALL)
    page = open_page(path).page
    check_views(page)
    assert page.title().split() == ALL.split()


def saved(widget: Any) -> dict[str, Any]:
    """Return a baked widget as a notebook keeps it, with code of somebody else."""
    widget.bake()
    state = {k: v for k, v in widget.get_state().items() if not isinstance(v, bytes)}
    data = base64.b64encode(widget._baked).decode()
    buffer = {"encoding": "base64", "path": ["_baked"], "data": data}
    return {
        "model_name": "AnyModel",
        "state": state | {"_esm": "cnnvizEvil=9"},
        "buffers": [buffer],
    }


@pytest.mark.filterwarnings("ignore:.* is not on the page")
def test_a_notebook_runs_nothing_on_its_page(open_page: OpenPage, tmp_path: Path) -> None:
    shown = {"application/vnd.jupyter.widget-view+json": {"model_id": "box"}}
    kinds = ("text/html", "text/markdown", "text/latex", "text/plain", "image/svg+xml")
    outputs = [new_output("display_data", {kind: ALL}) for kind in kinds]
    cells = [
        new_markdown_cell(f"# {EVIL[0]}\n\n{ALL}\n\n[x]({EVIL[3]}) ![y]({EVIL[1]}) ${EVIL[1]}$"),
        new_code_cell(ALL, outputs=[*outputs, new_output("stream", name="stdout", text=ALL)]),
        new_code_cell("w", outputs=[new_output("display_data", shown)]),
    ]
    notebook = nbformat.v4.new_notebook(cells=cells)
    tabs = {"children": ["IPY_MODEL_m", "IPY_MODEL_h"], "titles": [EVIL[0], EVIL[1]]}
    models = {
        "box": {"model_name": "TabModel", "state": tabs},
        "h": {"model_name": "HTMLModel", "state": {"value": ALL}},
        "m": saved(cw.LayerBrowser(inspector())),
    }
    state = {"application/vnd.jupyter.widget-state+json": {"state": models}}
    notebook.metadata["widgets"] = state
    page = open_page(cw.notebook_to_html(notebook, tmp_path / "page.html", title=ALL)).page
    view = page.locator(VIEW.format(name="layer-browser"))
    expect(view).to_have_attribute("data-shown-layer", EVIL[0])
    expect(page.locator(".page-code").first).to_contain_text(EVIL[1])
    expect(page.locator("summary").first).to_have_text(EVIL[0])
    check_nothing_ran(page)


def test_live_widgets_run_no_name(open_notebook: OpenNotebook) -> None:
    notebook = open_notebook()
    notebook.run(SHOW)
    for kind in ("LayerBrowser", "CamSlider", "SaliencyOverlay", "FilterGrid"):
        notebook.run(f"cw.{kind}(inspector)")
    check_views(notebook.page)
    notebook.run("pad = cw.SketchPad(inspector)\npad")
    notebook.run(
        "from cnnviz_widgets.rendering.strokes import Stroke\n"
        "pad.strokes = (Stroke([(40, 40), (200, 200)], 30),)"
    )
    expect(notebook.page.locator(".widget-html td").first).to_be_visible()
    check_nothing_ran(notebook.page)
    # The trap is one: here, where no policy forbids it, the same text does run as markup.
    notebook.page.evaluate("(text) => { document.body.innerHTML += text; }", EVIL[1])
    notebook.page.wait_for_function("() => window.cnnvizEvil === 2")
    notebook.errors.clear()
