"""A CamSlider in JupyterLab: slides that the page makes alone, pixels, links, and bad days."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import pytest
from playwright.sync_api import expect

from cnnviz_widgets.attribution.resize import resized
from cnnviz_widgets.attribution.sweep import CamSweep, cam_sweep
from cnnviz_widgets.inspection.inspector import Inspector
from cnnviz_widgets.rendering.colormap import palette
from tests.browser.cam_view import CamView, Pixels
from tests.browser.conftest import OpenNotebook
from tests.browser.layer_view import LayerView
from tests.browser.networks import load
from tests.browser.notebook import Notebook

pytestmark = pytest.mark.browser

LOAD = """
import torch
import cnnviz_widgets as cw
from cnnviz_widgets.widgets.cam_slider import CamSlider
from tests.browser.networks import load
network = load("shapes")
inspector = cw.Inspector(network.model, network.inputs, class_names=network.class_names,
                         mean=network.mean, std=network.std)
"""
SHOW = "slider = CamSlider(inspector)\nslider"


@pytest.fixture(scope="module")
def sweep() -> CamSweep:
    """Grad-CAM of the first picture: all layers and classes."""
    network = load("shapes")
    inspector = Inspector(
        network.model,
        network.inputs,
        class_names=network.class_names,
        mean=network.mean,
        std=network.std,
    )
    return cam_sweep(inspector, "gradcam", targets=range(len(network.class_names)))


@pytest.fixture
def notebook(open_notebook: OpenNotebook) -> Notebook:
    """A notebook whose last cell shows a CamSlider of "shapes"."""
    opened = open_notebook()
    opened.run(LOAD)
    opened.run(SHOW)
    return opened


@pytest.fixture
def view(notebook: Notebook, sweep: CamSweep) -> CamView:
    """The view of that CamSlider, with all that comes by itself in the page."""
    shown = CamView(notebook)
    shown.wait_for(layer=default_layer(sweep), method="gradcam")
    shown.rest()
    return shown


def default_layer(sweep: CamSweep) -> str:
    """Return the layer that opens: the last with a grid."""
    return sweep.layers[-1]


def places(view: CamView) -> dict[str, int]:
    """Return the value of the layer slider for each leaf layer."""
    found = view.notebook.evaluate("{l.name: l.index for l in inspector.layers}")
    assert isinstance(found, dict)
    return found


def large(picture: Pixels | None) -> Pixels:
    """Return a picture of 64 px as the view draws it: each pixel 7 times as high and as wide."""
    assert picture is not None
    assert picture.shape == (64, 64, 3)
    return picture.repeat(7, axis=0).repeat(7, axis=1)


def agree(drawn: Pixels, expected: Pixels, what: str) -> None:
    """Compare with NumPy's picture; float32 and float64 may round a tie to different levels."""
    difference = np.abs(drawn[..., :3].astype(int) - expected)
    assert difference.max() <= 1, f"{what}: a pixel is off by {difference.max()} levels"
    assert (difference == 0).mean() > 0.999, f"{what}: {(difference > 0).sum()} values differ"


def test_every_slide_is_the_pages_own(view: CamView, sweep: CamSweep) -> None:
    at = places(view)
    layers = [at[name] for name in sweep.layers]
    shown = view.slide("layer", [*layers, *reversed(layers)])
    assert [layer for layer, _ in shown] == [*sweep.layers, *reversed(sweep.layers)]
    classes = view.slide("target", list(range(10)))
    assert len({target for _, target in classes}) == len(load("shapes").class_names)
    assert "sweep" not in view.asked()


def test_layers_without_a_grid_are_stepped_over(view: CamView, sweep: CamSweep) -> None:
    count = len(places(view))
    slider = view.control("layer")
    slider.focus()
    view.notebook.page.keyboard.press("End")
    view.wait_for(layer=sweep.layers[-1])
    view.notebook.page.keyboard.press("Home")
    view.wait_for(layer=sweep.layers[0])
    view.notebook.page.keyboard.press("ArrowRight")
    view.wait_for(layer=sweep.layers[1])
    expect(slider).to_have_attribute("aria-valuetext", f"{sweep.layers[1]}, 2 of {count}")
    expect(slider).to_be_focused()


def test_pixels_are_numpys_in_codes_and_exact(view: CamView, sweep: CamSweep) -> None:
    at = places(view)
    for layer in (sweep.layers[0], sweep.layers[len(sweep.layers) // 2], sweep.layers[-1]):
        [(shown, target)] = view.slide("layer", [at[layer]])
        assert shown == layer
        coded = view.pixels()
        view.rest()
        exact = sweep[layer, target].overlay(large(sweep[layer, target].picture), opacity=0.6)
        agree(view.pixels(), exact, layer)
        assert np.abs(coded[..., :3].astype(int) - exact).max() <= 4, layer


def test_two_classes_are_on_one_scale(view: CamView, sweep: CamSweep) -> None:
    view.notebook.run("slider.targets = [0, 3]\nslider.opacity = 1.0")
    view.wait_for(target=0)
    view.rest()
    expect(view.root.locator(".cnnviz-panel")).to_have_count(2)
    expect(view.root.locator(".cnnviz-legend")).to_contain_text("the 2 maps on one scale")
    maps = [sweep[default_layer(sweep), target] for target in (0, 3)]
    size = large(maps[0].picture).shape[:2]
    peaks = [float(resized(found.rectified(), size).max()) for found in maps]
    for place, found in enumerate(maps):
        share = found.display(size) * (peaks[place] / max(peaks))
        colours = palette("viridis")[np.floor(share * 255 + 0.5).astype(int)]
        drawn = view.pixels(place)[..., :3].astype(int)
        # One step of the table where rounding in float32 takes a value across its edge.
        assert (np.abs(drawn - colours).max(axis=-1) > 0).mean() < 0.002
    view.control("add").click()
    expect(view.root.locator(".cnnviz-panel")).to_have_count(3)
    view.panel(1).get_by_role("button", name=re.compile("Remove")).click()
    expect(view.root.locator(".cnnviz-panel")).to_have_count(2)
    view.notebook.page.wait_for_timeout(500)
    targets = view.notebook.evaluate("slider.targets")
    assert isinstance(targets, list)
    assert targets[0] == 0
    assert 3 not in targets


def test_a_class_is_found_by_name_with_the_keyboard(open_notebook: OpenNotebook) -> None:
    notebook = open_notebook()
    notebook.run(LOAD)
    notebook.run(
        "torch.manual_seed(0)\n"
        "many = torch.nn.Sequential(torch.nn.Conv2d(3, 8, 3), torch.nn.ReLU(),\n"
        "    torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten(), torch.nn.Linear(8, 1000))\n"
        "names = [f'kind {i}' for i in range(1000)]\n"
        "slider = CamSlider(many.eval(), torch.randn(1, 3, 32, 32), class_names=names)\nslider"
    )
    view = CamView(notebook)
    view.wait_for(layer="1")
    view.root.get_by_role("combobox", name="Find a class").focus()
    notebook.page.keyboard.type("kind 77")
    notebook.page.keyboard.press("ArrowDown")
    notebook.page.keyboard.press("Enter")
    view.wait_for(target=770)
    expect(view.panel()).to_contain_text("kind 770")
    expect(view.panel()).to_contain_text(re.compile(r"logit .*, probability"))


def test_a_layer_browser_and_a_cam_slider_follow_each_other(view: CamView, sweep: CamSweep) -> None:
    view.notebook.run("cw.LayerBrowser(inspector)")
    browser = LayerView(view.notebook)
    at = places(view)
    middle = sweep.layers[len(sweep.layers) // 2]
    browser.slide(at[middle])
    view.wait_for(layer=middle)
    view.choose("layer", at[sweep.layers[2]])
    browser.control("layer").scroll_into_view_if_needed()
    browser.wait_for(sweep.layers[2])
    browser.choose("image", 1)
    view.root.scroll_into_view_if_needed()
    view.wait_for(image=1)
    browser.slide(len(at) - 1)  # class scores: no map can be shown of them
    browser.wait_for(list(at)[-1])
    expect(view.root).to_have_attribute("data-shown-layer", sweep.layers[2])
    view.notebook.run("slider.linked = False")
    browser.slide(at[middle])
    browser.wait_for(middle)
    expect(view.root).to_have_attribute("data-shown-layer", sweep.layers[2])


def test_a_perturbing_method_shows_how_far_it_is_and_stops(view: CamView) -> None:
    view.notebook.run(
        "import time\nfrom cnnviz_widgets.inspection.passes import Passes\n"
        "scores = Passes.scores\n"
        "def slow(self, *args, **options):\n"
        "    time.sleep(0.3)\n"
        "    return scores(self, *args, **options)\n"
        "Passes.scores = slow"
    )
    view.choose("method", "scorecam")
    expect(view.root).to_contain_text("at which the slider rests")
    stop = view.control("stop")
    with running(view):
        expect(stop).to_have_text("Stop", timeout=10_000)
        stop.click()
    expect(stop).to_have_text("Compute")
    view.notebook.run("Passes.scores = scores")
    stop.click()
    view.wait_for(method="scorecam")


@contextmanager
def running(view: CamView) -> Iterator[None]:
    """Check that a method is at work while the block runs."""
    expect(view.root.get_by_role("progressbar")).to_be_visible(timeout=10_000)
    yield


def test_what_cannot_be_shown_says_why(view: CamView, sweep: CamSweep) -> None:
    view.slide("layer", [places(view)[sweep.layers[0]]])
    view.choose("method", "cam")
    alert = view.root.get_by_role("alert")
    expect(alert).to_contain_text("does not feed global average pooling", timeout=10_000)
    view.choose("method", "gradcam")
    view.wait_for(method="gradcam", layer=sweep.layers[0])
    expect(alert).to_have_count(0)


def test_a_restarted_kernel_is_told_and_slides_go_on(view: CamView, sweep: CamSweep) -> None:
    first = places(view)[sweep.layers[0]]
    view.notebook.restart()
    assert view.slide("layer", [first])[0][0] == sweep.layers[0]
    view.choose("image", 1)
    expect(view.root).to_contain_text(
        re.compile("no kernel answers", re.IGNORECASE), timeout=45_000
    )
    view.notebook.run_cell(0)
    view.notebook.run_cell(1)
    again = CamView(view.notebook)
    again.wait_for(layer=default_layer(sweep))
