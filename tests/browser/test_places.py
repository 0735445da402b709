"""Places in which notebooks are read: in each a slide is painted, and nothing complains.

JupyterLab has tests of its own beside this one, and so have exported pages.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Browser

from cnnviz_widgets.attribution.cam import cam
from cnnviz_widgets.inspection.inspector import Inspector
from tests.browser.cam_view import CamView
from tests.browser.layer_view import LayerView, compare_visible, rendered
from tests.browser.networks import activations, load
from tests.browser.places import shown

pytestmark = pytest.mark.browser

LOAD = """import cnnviz_widgets as cw
from tests.browser.networks import load
network = load("shapes")
inspector = cw.Inspector(network.model, network.inputs, class_names=network.class_names,
                         mean=network.mean, std=network.std)"""
SINGLE = (LOAD, "cw.LayerBrowser(inspector)", "cw.CamSlider(inspector)")
TOGETHER = (LOAD, "cw.explore(inspector)")
PLACES = {
    "notebook": ("notebook", SINGLE),
    "voila": ("voila", TOGETHER),
    "marimo": ("marimo", SINGLE),
    "marimo-explore": ("marimo", TOGETHER),
}


@pytest.mark.parametrize(("place", "cells"), PLACES.values(), ids=PLACES)
def test_a_slide_is_painted(
    place: str, cells: tuple[str, ...], browser: Browser, tmp_path: Path
) -> None:
    """Slide the layer: the maps are NumPy's, and the linked CamSlider follows with its own."""
    if importlib.util.find_spec(place) is None:
        pytest.skip(f"{place} is not installed: pip install 'cnnviz_widgets[dev]'")
    network = load("shapes")
    maps = activations(network)
    names, inspector = list(maps), Inspector(network.model, network.inputs)
    layer = "layer2.0.conv1"
    found = cam(inspector, "gradcam", layer=layer)
    context = browser.new_context(viewport={"width": 1280, "height": 1600})
    with shown(place, tmp_path / "home", context.new_page(), cells) as page:
        view, cams = LayerView(page), CamView(page)
        first = str(names[0] if cells is SINGLE else cam(inspector, "gradcam").layer)
        view.wait_for(first)
        cams.wait_for(method="gradcam")
        view.slide(names.index(layer))
        view.wait_for(layer)
        told = [event["layer"] for event in view.painted()]
        assert told[0] == first
        assert layer in told
        picture = rendered(maps[layer][0], view.grid().tile)
        assert compare_visible(view, picture, what=f"{layer} in {place}")

        cams.wait_for(layer=layer, method="gradcam")
        drawn = cams.pixels()
        scale = len(drawn) // len(network.picture)
        picture = network.picture.repeat(scale, axis=0).repeat(scale, axis=1)
        exact = found.overlay(picture, opacity=0.6)
        difference = np.abs(drawn[..., :3].astype(int) - exact)
        assert difference.max() <= 4, f"{layer} in {place}: off by {difference.max()} levels"
        assert page.our_errors() == []
    context.close()
