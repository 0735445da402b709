"""Every map of every layer on the canvas is the one that NumPy renders from a plain forward."""

from __future__ import annotations

import numpy as np
import pytest

from cnnviz_widgets.rendering.ranges import Scale
from tests.browser.conftest import OpenNotebook
from tests.browser.layer_view import LayerView, compare_all, compare_bars, rendered
from tests.browser.networks import AWKWARD, PICTURES, SAMPLES, activations, available, load
from tests.browser.notebook import Notebook

pytestmark = pytest.mark.browser

_CELL = """
import cnnviz_widgets as cw
from tests.browser.networks import load

network = load({name!r})
browser = cw.LayerBrowser(network.model, network.inputs, class_names=network.class_names or None,
                          mean=network.mean, std=network.std)
browser
"""
NETWORKS = [*SAMPLES, AWKWARD, *(pytest.param(name, marks=pytest.mark.real) for name in PICTURES)]


def _open(open_notebook: OpenNotebook, name: str) -> tuple[Notebook, LayerView]:
    if not available(name):
        pytest.skip(f"{name} is not in ../shared/data; set CNNVIZ_TEST_DATA to its place")
    notebook = open_notebook()
    notebook.run(_CELL.format(name=name))
    return notebook, LayerView(notebook)


@pytest.mark.parametrize("name", NETWORKS)
def test_every_layer_is_drawn_as_numpy_draws_it(name: str, open_notebook: OpenNotebook) -> None:
    _, view = _open(open_notebook, name)
    network = load(name)
    for index, (layer, batch) in enumerate(activations(network).items()):
        view.slide(index)
        view.wait_for(layer)
        assert view.shown("index") == str(index)
        values = batch[0]
        if values.ndim == 1:
            compare_bars(view, values, what=layer)
        else:
            compare_all(view, rendered(values, view.grid().tile), what=layer)
    if name != AWKWARD:
        assert np.array_equal(view.picture()[..., :3], network.picture)


def test_scales_and_colours_are_drawn_as_numpy_draws_them(open_notebook: OpenNotebook) -> None:
    _, view = _open(open_notebook, "shapes")
    layer, batch = next(iter(activations(load("shapes")).items()))
    view.wait_for(layer)
    fixed = Scale(mode="fixed", low=-0.25, high=0.5)
    assert batch[0].min() < fixed.low
    assert batch[0].max() > fixed.high
    for controls, scale, colormap in (
        ({"scale": "layer"}, Scale(mode="layer"), "viridis"),
        ({"scale": "channel", "colormap": "magma"}, Scale(), "magma"),
        ({"colormap": "coolwarm"}, Scale(diverging=True), "coolwarm"),
        ({"colormap": "gray"}, Scale(), "gray"),
        ({"scale": "fixed", "scale-low": -0.25, "scale-high": 0.5}, fixed, "gray"),
    ):
        for control, value in controls.items():
            view.choose(control, value)
        view.next_paint()
        expected = rendered(batch[0], view.grid().tile, scale=scale, colormap=colormap)
        compare_all(view, expected, what=f"{layer} with {controls}")


def test_the_other_picture_of_the_batch(open_notebook: OpenNotebook) -> None:
    _, view = _open(open_notebook, "digits")
    layer, batch = next(iter(activations(load("digits")).items()))
    view.wait_for(layer)
    before = view.shown("seq")
    view.choose("image", 1)
    view.root.locator(f'xpath=self::*[@data-shown-seq!="{before}"]').wait_for(state="attached")
    compare_all(view, rendered(batch[1], view.grid().tile), what=f"{layer}, second picture")


def test_hidpi_pixels_are_device_pixels(open_notebook: OpenNotebook) -> None:
    notebook = open_notebook(dpr=2)
    notebook.run(_CELL.format(name="shapes"))
    view = LayerView(notebook)
    for index, (layer, batch) in enumerate(activations(load("shapes")).items()):
        if index < 3:
            view.slide(index)
            view.wait_for(layer)
            compare_all(view, rendered(batch[0], view.grid().tile), what=f"{layer} at two px")
