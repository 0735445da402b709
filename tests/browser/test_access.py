"""Widgets and exported pages for those who use a keyboard, a screen reader, or other colours."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import nbformat
import pytest
from playwright.sync_api import Browser, Locator, Page, expect

import cnnviz_widgets as cw
from tests.browser.axe import faint_controls, violations
from tests.browser.conftest import OpenNotebook, OpenPage
from tests.browser.notebook import Notebook
from tests.browser.saved_page import SavedPage

pytestmark = pytest.mark.browser

LOAD = """
import cnnviz_widgets as cw
from IPython.display import display
sample = cw.samples.load("shapes")
inspector = cw.Inspector(sample.model, sample.images[:3], class_names=sample.class_names,
                         mean=sample.mean, std=sample.std)
"""
SHOW = """
display(
    cw.LayerBrowser(inspector),
    cw.CamSlider(inspector, targets=["star", "heart"]),
    cw.SaliencyOverlay(inspector, method=["gradient", "integrated_gradients"]),
    cw.FilterGrid(inspector),
    cw.ImagePicker(inspector),
    cw.SketchPad(inspector),
)
"""
ROOT = ".cnnviz"
OUTPUTS = ".jp-OutputArea-output"
DRAWN = ".cnnviz:is([data-shown-seq], [data-cnnviz-widget='image-picker'])"


def unfold(page: Page) -> None:
    """Show what folds away."""
    page.evaluate(
        "() => { for (const it of document.querySelectorAll('details')) it.open = true; }"
    )


def check(found: list[str]) -> None:
    assert not found, "\n".join(found)


@pytest.fixture
def notebook(open_notebook: OpenNotebook) -> Iterator[Notebook]:
    """All widgets below each other, each with its picture, in a window that shows them all."""
    opened = open_notebook(width=1180)
    opened.page.set_viewport_size({"width": 1180, "height": 6000})
    opened.run(LOAD)
    opened.run(SHOW)
    expect(opened.page.locator(DRAWN)).to_have_count(5, timeout=30_000)
    yield opened
    opened.theme(dark=False)


def test_nothing_is_wrong_in_jupyterlab_in_either_theme(notebook: Notebook) -> None:
    page = notebook.page
    unfold(page)
    page.get_by_role("gridcell").first.press("ArrowRight")
    for dark in (False, True):
        notebook.theme(dark=dark)
        check(violations(page, [OUTPUTS]))
        check(faint_controls(page, ROOT))
        # Then a layer of scores, which is shown as bars.
        page.get_by_role("slider", name="Layer").first.press("End")
        expect(page.locator(ROOT).first).to_have_attribute("data-kind", "vector")


def test_the_keyboard_walks_through_every_widget_and_out_again(notebook: Notebook) -> None:
    page = notebook.page
    for root in page.locator(ROOT).all():
        what = root.get_attribute("data-cnnviz-widget")
        stops = walk(root)
        assert len(stops) == len(set(stops)) > 3, f"{what}: {stops}"
        page.keyboard.press("Shift+Tab")
        assert focused(page, root), f"{what}: no way back in"
    paper = page.get_by_role("img", name="Paper to draw on")
    paper.click()
    expect(paper).to_be_focused()
    page.keyboard.press("Tab")
    expect(paper).not_to_be_focused()
    clear = page.get_by_role("button", name="Clear")
    expect(clear).to_be_enabled()
    page.keyboard.press("Shift+Tab")
    expect(clear).to_be_focused()


def walk(root: Locator) -> list[str]:
    """Press Tab from the first control on; return what had the focus until it left the root."""
    page = root.page
    stops: list[str] = []
    root.locator("input, select, button").first.focus()
    while name := focused(page, root):
        assert len(stops) < 60, f"the focus does not leave: {stops[-3:]}"
        stops.append(name)
        page.keyboard.press("Tab")
    return stops


def focused(page: Page, root: Locator) -> str:
    """Return what has the focus, as it is in the page, or "" where that is outside of the root."""
    name: str = root.evaluate(
        """(root) => {
          const at = document.activeElement;
          const all = [...root.querySelectorAll("*")];
          return root.contains(at) ? `${all.indexOf(at)} ${at.tagName} ${at.className}` : "";
        }"""
    )
    return name


@pytest.mark.parametrize("width", [360, 1180])
def test_the_keyboard_goes_where_the_eye_goes(
    four_views: Path, open_page: OpenPage, width: int
) -> None:
    page = open_page(four_views, width=width).page
    page.set_viewport_size({"width": width, "height": 9000})
    for name in ("layer-browser", "filter-grid"):
        root = page.locator(f"[data-cnnviz-widget={name}]")
        expect(root).to_have_attribute("data-shown-seq")
        *others, (left, top) = places(root)
        # The tree stands at the end: below all else, or in the column at the left.
        assert all(top > y or left < x for x, y in others), f"{name}: {left}, {top} after {others}"


def places(root: Locator) -> list[tuple[float, float]]:
    """Return the left and top edges of what has the focus as Tab goes on."""
    boxes: list[tuple[float, float]] = []
    root.locator("input").first.focus()
    while focused(root.page, root):
        box = root.locator(":focus").bounding_box()
        assert box
        boxes.append((box["x"], box["y"]))
        root.page.keyboard.press("Tab")
    return boxes


LONG = "a_name_that_is_longer_than_a_telephone_is_wide = " + "1 + " * 40 + "1"


def whole(saved: SavedPage) -> Page:
    """Return a page with the four views, in a window that shows all that is in them."""
    page = saved.page
    page.set_viewport_size({"width": 1180, "height": 6000})
    expect(page.locator(DRAWN)).to_have_count(4)
    return page


@pytest.mark.parametrize("dark", [False, True])
def test_nothing_is_wrong_in_an_exported_page(
    four_views: Path, open_page: OpenPage, dark: bool
) -> None:
    page = whole(open_page(four_views, dark=dark))
    unfold(page)
    check(violations(page, None))
    check(faint_controls(page, ROOT))


@pytest.mark.parametrize("dark", [False, True])
def test_nothing_is_wrong_in_an_exported_lesson(
    browser: Browser, tmp_path: Path, dark: bool
) -> None:
    table = "<table><tr>" + "<td>0.123456789</td>" * 20 + "</tr></table>"
    outputs = [
        nbformat.v4.new_output("stream", text=LONG),
        nbformat.v4.new_output("display_data", {"text/html": table}),
        nbformat.v4.new_output("error", ename="E", evalue="wrong", traceback=[LONG]),
    ]
    cells = [
        nbformat.v4.new_markdown_cell(
            f"# A lesson\n\nSee [this](https://example.org).\n\n    {LONG}\n\n"
            "<details><summary>Answer</summary>Yes, `so`.</details>\n\n$$x^2$$"
        ),
        nbformat.v4.new_code_cell(f"# why\n{LONG}\ndef f(x): return 'text'", outputs=outputs),
    ]
    notebook = nbformat.v4.new_notebook(cells=cells)
    path = cw.notebook_to_html(notebook, tmp_path / "page.html")
    scheme: Literal["dark", "light"] = "dark" if dark else "light"
    page = browser.new_page(viewport={"width": 360, "height": 800}, color_scheme=scheme)
    page.goto(path.as_uri())
    unfold(page)
    check(violations(page, None))
    page.close()


def test_nothing_moves_for_those_who_ask_for_that(four_views: Path, open_page: OpenPage) -> None:
    page = whole(open_page(four_views))
    bar = page.locator(".cnnviz progress").first
    bar.evaluate("(bar) => { bar.removeAttribute('value'); bar.hidden = false; }")
    expect(bar).to_have_css("appearance", "auto")
    page.emulate_media(reduced_motion="reduce")
    expect(bar).to_have_css("appearance", "none")
    moving = page.evaluate(
        """() => [...document.querySelectorAll("*")].filter((element) => {
          const { transitionDuration, animationName, scrollBehavior } = getComputedStyle(element);
          const lasts = transitionDuration.split(",").some((time) => parseFloat(time) > 0);
          return lasts || animationName !== "none" || scrollBehavior === "smooth";
        }).map((element) => element.outerHTML.slice(0, 120))"""
    )
    assert moving == []


def test_what_is_chosen_shows_in_forced_colours(four_views: Path, open_page: OpenPage) -> None:
    page = whole(open_page(four_views))
    page.emulate_media(forced_colors="active")
    chosen = page.get_by_role("treeitem", selected=True).first
    background = "(row) => getComputedStyle(row).backgroundColor"
    marked = chosen.evaluate(background)
    chosen.evaluate("(row) => { row.style.background = 'Highlight'; }")
    assert marked == chosen.evaluate(background)
    swatches = page.locator(".cnnviz-legend li i").evaluate_all(
        "(all) => all.map((one) => getComputedStyle(one).backgroundColor)"
    )
    assert len(set(swatches)) > 4
