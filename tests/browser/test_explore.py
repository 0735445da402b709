"""`explore` in JupyterLab: a choice in one view is followed by the others."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import OpenNotebook

pytestmark = pytest.mark.browser

SHOW = """
import cnnviz_widgets as cw
sample = cw.samples.load("shapes")
found = cw.explore(sample.model, sample.images, class_names=sample.class_names,
                   mean=sample.mean, std=sample.std)
found
"""
VIEW = '.cnnviz[data-cnnviz-widget="{name}"]'


def test_layer_class_and_picture_are_followed(open_notebook: OpenNotebook) -> None:
    notebook = open_notebook(width=1900)
    notebook.run(SHOW)
    page = notebook.page
    layers, cams = (
        page.locator(VIEW.format(name=name)) for name in ("layer-browser", "cam-slider")
    )
    expect(layers).to_have_attribute("data-shown-layer", "layer3.0.relu#2")
    expect(cams).to_have_attribute("data-shown-layer", "layer3.0.relu#2")

    slider = layers.locator('[data-cnnviz-control="layer"]')
    slider.focus()
    slider.press("Home")
    expect(cams).to_have_attribute("data-shown-layer", "stem.conv")

    target = cams.locator('[data-cnnviz-control="target"]').first
    target.focus()
    target.press("ArrowRight")  # from the first prediction to the second
    page.get_by_role("tab", name="Saliency").click()
    saliency = page.locator(VIEW.format(name="saliency-overlay"))
    second = notebook.evaluate("found.inspector.predictions(2)[0][1].index")
    expect(saliency).to_have_attribute("data-shown-target", str(second))

    picture = layers.locator('[data-cnnviz-control="image"]')
    picture.focus()
    picture.press("ArrowRight")
    expect(saliency.get_by_text("Picture 2 of 16")).to_be_visible()
