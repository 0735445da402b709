"""Exported pages in Chromium, from disk, with the network cut: they show what the kernel shows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import expect

import cnnviz_widgets as cw
from cnnviz_widgets.export.arrays import rounded
from cnnviz_widgets.export.codec import Encoder
from cnnviz_widgets.export.page import to_html
from cnnviz_widgets.rendering.colormap import render_maps
from cnnviz_widgets.rendering.quantise import quantise
from cnnviz_widgets.rendering.ranges import Scale, statistics
from tests.browser.conftest import OpenPage
from tests.browser.layer_view import LayerView, Pixels, compare_visible, rendered
from tests.browser.networks import activations, load

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def shapes() -> Any:
    network = load("shapes")
    return network, cw.Inspector(
        network.model,
        network.inputs,
        class_names=network.class_names,
        mean=network.mean,
        std=network.std,
    )


def coded(values: Any, encoder: Encoder) -> Pixels:
    """Draw the next maps as a page should that has them from an encoder."""
    facts = statistics(np.ascontiguousarray(values))
    rows = np.stack([facts.minimum, facts.maximum, facts.mean, facts.variance])
    low, high = rounded(rows)[:2]
    encoder.add(quantise(values, facts.minimum, facts.maximum), low, high, (0, 0))
    seen = [maps for group in encoder._seen.values() for maps in group]
    codes = max(seen, key=lambda maps: maps.number).codes
    scale = Scale().of_maps(*values.shape[1:])
    return render_maps(codes, low, high, scale=scale, colormap="viridis")


def test_every_layer_is_that_of_the_kernel(
    shapes: Any, open_page: OpenPage, tmp_path: Path
) -> None:
    network, inspector = shapes
    path = cw.LayerBrowser(inspector).to_html(tmp_path / "page.html", steps=252)
    view = LayerView(open_page(path))
    for place, (layer, values) in enumerate(activations(network).items()):
        view.slide(place)
        view.wait_for(layer)
        if values.ndim == 4:
            tile = view.grid().tile
            assert compare_visible(view, rendered(values[0], tile), what=layer)


def test_every_layer_in_few_steps_is_what_the_encoder_promised(
    shapes: Any, open_page: OpenPage, tmp_path: Path
) -> None:
    """The page and Python follow the same rules to the same codes, pixel by pixel."""
    network, inspector = shapes
    path = cw.LayerBrowser(inspector).to_html(tmp_path / "page.html")
    page = open_page(path)
    view, encoder = LayerView(page), Encoder(36)
    for place, (layer, values) in enumerate(activations(network).items()):
        if values.ndim != 4:
            continue
        expected = coded(values[0], encoder)
        view.slide(place)
        view.wait_for(layer)
        assert compare_visible(view, expected, what=layer)


def test_the_first_picture_comes_within_a_second(
    shapes: Any, open_page: OpenPage, tmp_path: Path
) -> None:
    network = shapes[0]
    sample = cw.samples.load("shapes")
    inspector = cw.Inspector(network.model, sample.images[:4])
    page = open_page(cw.LayerBrowser(inspector).to_html(tmp_path / "page.html"))
    assert page.first_ms() < 1000


def test_keys_pictures_and_colours_work(shapes: Any, open_page: OpenPage, tmp_path: Path) -> None:
    network, inspector = shapes
    page = open_page(cw.LayerBrowser(inspector).to_html(tmp_path / "page.html", steps=252))
    view, names = LayerView(page), list(activations(network))
    slider = view.control("layer")
    slider.focus()
    for key, place in (("ArrowRight", 1), ("End", len(names) - 1), ("Home", 0)):
        page.page.keyboard.press(key)
        view.wait_for(names[place])
    view.root.locator("summary").click()
    view.control("colormap").select_option("magma")
    view.choose("image", 1)
    view.root.locator('xpath=self::*[@data-shown-image="1"]').wait_for(state="attached")
    view.next_paint()
    values = activations(network)[names[0]][1]
    expected = rendered(values, view.grid().tile, colormap="magma")
    assert compare_visible(view, expected, what="picture 2 in magma")


def test_what_needs_a_kernel_is_disabled_and_the_rest_is_not(
    shapes: Any, open_page: OpenPage, tmp_path: Path
) -> None:
    page = open_page(cw.LayerBrowser(shapes[1]).to_html(tmp_path / "page.html"))
    view = LayerView(page)
    expect(view.root.get_by_role("status").first).to_have_text("Stored in this page")
    for layout in view.control("layout").all():
        expect(layout).to_be_disabled()
    expect(view.control("show-input")).to_be_enabled()
    assert view.root.get_attribute("data-state") == "stored"


def test_what_was_left_out_is_told(shapes: Any, open_page: OpenPage, tmp_path: Path) -> None:
    network, inspector = shapes
    with pytest.warns(UserWarning, match="left out"):
        path = cw.LayerBrowser(inspector).to_html(tmp_path / "page.html", max_mb=0.2)
    view = LayerView(open_page(path))
    view.choose("image", 1)
    alert = view.root.get_by_role("alert")
    expect(alert).to_contain_text("This is not stored in the page.")
    names = list(activations(network))
    view.choose("image", 0)
    view.wait_for(names[0])
    expect(alert).to_be_hidden()


def test_views_of_one_inspector_follow_each_other(
    shapes: Any, open_page: OpenPage, tmp_path: Path
) -> None:
    network, inspector = shapes
    widgets = [cw.LayerBrowser(inspector), cw.CamSlider(inspector)]
    page = open_page(to_html(widgets, tmp_path / "page.html"))
    view, names = LayerView(page), list(activations(network))
    view.slide(names.index("layer2.0.conv1"))
    cam = page.page.locator('[data-cnnviz-widget="cam-slider"]')
    expect(cam).to_have_attribute("data-shown-layer", "layer2.0.conv1")


@pytest.mark.parametrize("dark", [False, True])
def test_it_fits_a_narrow_page(
    shapes: Any, open_page: OpenPage, tmp_path: Path, dark: bool
) -> None:
    path = cw.LayerBrowser(shapes[1]).to_html(tmp_path / "page.html")
    page = open_page(path, width=360, dark=dark)
    assert page.page.evaluate("() => document.documentElement.scrollWidth") <= 360
    background = page.page.evaluate("() => getComputedStyle(document.body).backgroundColor")
    assert (background == "rgb(255, 255, 255)") is not dark
