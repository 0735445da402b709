"""A SketchPad in JupyterLab: digits by mouse and finger, and a LayerBrowser that follows."""

from __future__ import annotations

import pytest
from playwright.sync_api import FloatRect, Page, expect

from tests.browser.conftest import OpenNotebook
from tests.widgets.digit_strokes import DIGITS, Line

pytestmark = pytest.mark.browser

LOAD = """
import cnnviz_widgets as cw
sample = cw.samples.load("digits")
inspector = cw.Inspector(sample.model, sample.images, class_names=sample.class_names,
                         mean=sample.mean, std=sample.std)
pad = cw.SketchPad(inspector)
pad
"""


def test_a_drawn_five_is_seen_by_the_network_and_by_a_linked_view(
    open_notebook: OpenNotebook,
) -> None:
    notebook = open_notebook()
    notebook.run(LOAD)
    notebook.run("cw.LayerBrowser(inspector)")
    page = notebook.page
    paper = page.locator("canvas[width='256']").first
    expect(page.get_by_text("The paper is blank: draw something.")).to_be_visible()
    paper.scroll_into_view_if_needed()
    box = paper.bounding_box()
    assert box is not None
    for line in DIGITS["5"]:
        (x, y), *rest = [(box["x"] + 1.2 * px, box["y"] + 1.2 * py) for px, py in line]
        page.mouse.move(x, y)
        page.mouse.down()
        for x, y in rest:
            page.mouse.move(x, y, steps=2)
        page.mouse.up()
    expect(page.locator("td", has_text="5").first).to_be_visible()
    best = page.locator(".cnnviz-predictions .cnnviz-class").first
    expect(best).to_have_text("5")
    page.get_by_role("button", name="Clear").click()
    expect(page.get_by_text("The paper is blank: draw something.")).to_be_visible()
    draw_with_a_finger(page, box, DIGITS["1"][0])
    expect(page.get_by_text("The paper is blank: draw something.")).to_be_hidden()
    expect(best).to_have_text("1")
    assert paper.bounding_box() == box, "the page moved with the finger"


def draw_with_a_finger(page: Page, box: FloatRect, line: Line) -> None:
    """Draw one line as a touch screen reports it."""
    finger = page.context.new_cdp_session(page)
    finger.send("Emulation.setTouchEmulationEnabled", {"enabled": True})
    for place, (x, y) in enumerate(line):
        point = {"x": box["x"] + 1.2 * x, "y": box["y"] + 1.2 * y}
        kind = "touchMove" if place else "touchStart"
        finger.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [point]})
    finger.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
