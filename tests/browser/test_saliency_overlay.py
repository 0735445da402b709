"""A SaliencyOverlay in JupyterLab: its pixels, methods that take their time, and its bad days."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
import torch
from playwright.sync_api import expect

from cnnviz_widgets.attribution.cam import cam
from cnnviz_widgets.attribution.saliency import saliency
from cnnviz_widgets.inspection.inspector import Inspector
from tests.browser.conftest import OpenNotebook
from tests.browser.fit import assert_fits
from tests.browser.layer_view import LayerView
from tests.browser.networks import available, load
from tests.browser.saliency_view import SaliencyView, bilinear, overlaid

pytestmark = pytest.mark.browser

LOAD = """
import time
import torch
import cnnviz_widgets as cw
from tests.browser.networks import load
network = load({name!r})
inputs = torch.nn.functional.interpolate(network.inputs, {side}) if {side} else network.inputs
inspector = cw.Inspector(network.model, inputs, class_names=network.class_names,
                         mean=network.mean, std=network.std)
"""


def inspector(name: str, side: int = 0) -> Inspector:
    """The same Inspector as the notebook has."""
    network = load(name)
    inputs = torch.nn.functional.interpolate(network.inputs, side) if side else network.inputs
    return Inspector(
        network.model,
        inputs,
        class_names=network.class_names,
        mean=network.mean,
        std=network.std,
    )


def show(
    open_notebook: OpenNotebook, options: str = "", *, name: str = "shapes", side: int = 0
) -> SaliencyView:
    notebook = open_notebook()
    notebook.run(LOAD.format(name=name, side=side))
    notebook.run(f"overlay = cw.SaliencyOverlay(inspector, {options})\noverlay")
    return SaliencyView(notebook)


@pytest.mark.parametrize(
    ("name", "side"),
    [("shapes", 192), pytest.param("squeezenet1_0_imagenet", 0, marks=pytest.mark.real)],
)
def test_maps_are_drawn_as_numpy_draws_them(
    name: str, side: int, open_notebook: OpenNotebook
) -> None:
    if not available(name):
        pytest.skip(f"{name} is not in ../shared/data; set CNNVIZ_TEST_DATA to its place")
    options = "method=['input_x_gradient', 'gradcam'], form='positive', percentile=100, target=1"
    view = show(open_notebook, options, name=name, side=side)
    insp = inspector(name, side)
    pixelwise, coarse = saliency(insp, "input_x_gradient", 1), cam(insp, "gradcam", target=1)
    for panel, found in enumerate((pixelwise, coarse)):
        view.wait_until("done", panel)
        for opacity in (0.6, 0.25):
            view.choose("opacity", opacity)
            assert np.array_equal(
                view.pixels(panel), found.overlay(opacity=opacity, percentile=100)
            )
        view.choose("opacity", 0.6)
    view.choose("form", "signed")
    view.choose("percentile", 95)
    end = float(np.percentile(np.abs(pixelwise.values).astype(np.float64), 95))
    assert pixelwise.picture is not None
    expected = overlaid(pixelwise.values, pixelwise.picture, (-end, end), colormap="coolwarm")
    assert np.array_equal(view.pixels(), expected)
    number = f"{float(f'{end:.4g}'):g}"
    expect(view.panels.first).to_contain_text(
        f"Signed values, centred on zero, clipped at percentile 95, {number}:"
    )
    view.choose("show", "picture")
    assert np.array_equal(view.pixels(), pixelwise.picture)


def test_a_small_picture_stays_sharp_under_a_smooth_map(open_notebook: OpenNotebook) -> None:
    view = show(open_notebook, "method='gradcam', percentile=100")
    view.wait_until("done")
    found = cam(inspector("shapes"), "gradcam")
    assert found.picture is not None
    large = found.picture.repeat(7, axis=0).repeat(7, axis=1)
    # The scale ends at the largest value at the picture's own size.
    end = float(bilinear(found.rectified(), 64).max())
    values = bilinear(found.rectified(), 448)
    assert np.array_equal(view.pixels(), overlaid(values, large, (0, end), colormap="viridis"))
    view.choose("show", "picture")
    assert np.array_equal(view.pixels(), large)


def test_the_value_under_the_pointer_is_exact(open_notebook: OpenNotebook) -> None:
    view = show(open_notebook, "method='integrated_gradients'")
    view.wait_until("done")
    values = saliency(inspector("shapes"), "integrated_gradients").values
    canvas = view.panels.first.locator(".cnnviz-frame canvas")
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    assert box is not None
    y, x = 20, 45
    pitch = box["width"] / values.shape[1]
    view.notebook.page.mouse.move(box["x"] + (x + 0.5) * pitch, box["y"] + (y + 0.5) * pitch)
    readout = view.root.get_by_text(re.compile(f"^y {y}, x {x}: "))
    number = float(readout.inner_text().rsplit(":", 1)[1])
    assert np.float32(number) == values[y, x]
    expect(view.panels.first).to_contain_text(re.compile(r"a gap of -?[\d.e-]+"))


def test_maps_come_while_a_method_runs(open_notebook: OpenNotebook) -> None:
    view = show(open_notebook, "panels=[{'method': 'rise', 'parameters': {'masks': 3000}}]")
    view.wait_until("running")
    progress = view.panels.first.locator("progress")
    expect(progress).to_have_attribute("max", "3000")
    view.wait_until("done")
    painted = view.painted()
    assert len(painted) >= 4
    assert len({event["seq"] for event in painted}) == 1
    first, last = (float(str(painted[place]["at"])) for place in (0, -1))
    assert (last - first) / len(painted) > 100, "more often than can be watched"
    expect(view.panels.first).to_contain_text(re.compile(r"3000 forward passes, [\d.]+\s"))
    view.choose("percentile", 100)
    found = saliency(inspector("shapes"), "rise", masks=3000)
    rounded = float(f"{np.abs(found.values).max():.4g}")
    expect(view.panels.first).to_contain_text(f"up to the largest, {rounded:g}:")


TIMES = """
from cnnviz_widgets.methods.progress import Cancelled
from cnnviz_widgets.widgets import saliency_overlay
times = {}
run, cancel = saliency_overlay.saliency, overlay._worker.cancel
def timed(*args, **options):
    try:
        return run(*args, **options)
    except Cancelled:
        times["stopped"] = time.monotonic()
        raise
def noted(*args):
    times["asked"] = time.monotonic()
    cancel(*args)
saliency_overlay.saliency = timed
overlay._worker.cancel = noted
"""


def test_cancelling_stops_the_kernel_at_once(open_notebook: OpenNotebook) -> None:
    view = show(open_notebook)
    view.wait_until("done")
    view.notebook.run(TIMES)
    view.notebook.run("overlay.panels = [{'method': 'rise', 'parameters': {'masks': 100000}}]")
    expect(view.panels.first.locator("progress")).to_have_attribute("max", "100000")
    view.control("cancel").click()
    expect(view.panels.first).to_contain_text(re.compile(r"Stopped after \d+ of 100000 passes"))
    view.notebook.page.wait_for_timeout(1000)
    took = view.notebook.evaluate("times['stopped'] - times['asked']")
    assert isinstance(took, float)
    assert took < 0.5, f"{took:.2f} s from the button to the end of the method"
    view.choose("method", "gradient", panel=0)
    view.wait_until("done")


def test_a_method_that_cannot_work_says_why(open_notebook: OpenNotebook) -> None:
    notebook = open_notebook()
    notebook.run(LOAD.format(name="shapes", side=0))
    notebook.run(
        "net = torch.nn.Sequential(torch.nn.Conv2d(3, 4, 3), torch.nn.GELU(),\n"
        "    torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten()).eval()\n"
        "cw.SaliencyOverlay(net, torch.rand(1, 3, 32, 32), method=['guided_backprop', 'gradient'])"
    )
    view = SaliencyView(notebook)
    view.wait_until("done", 1)
    view.wait_until("failed", 0)
    alert = view.panels.first.get_by_role("alert")
    expect(alert).to_contain_text("Guided backpropagation cannot be shown")
    expect(alert).to_contain_text("GELU")
    view.choose("method", "occlusion", panel=0)
    view.wait_until("done", 0)
    expect(alert).to_have_count(0)


def test_panels_and_looks_are_python_s_too(open_notebook: OpenNotebook) -> None:
    view = show(open_notebook)
    view.wait_until("done")
    view.control("add").click()
    view.wait_until("done", 1)
    view.choose("method", "smoothgrad", panel=1)
    view.panels.nth(1).locator("summary").click()
    view.choose("parameter-samples", 4, panel=1)
    view.choose("opacity", 0.3)
    view.wait_until("done", 1)
    expect(view.panels.nth(1)).to_contain_text("4 forward and 4 backward passes")
    view.notebook.page.wait_for_timeout(500)
    assert view.notebook.evaluate("[overlay.panels, overlay.opacity]") == [
        [
            {"method": "gradient", "parameters": {}},
            {"method": "smoothgrad", "parameters": {"samples": 4}},
        ],
        0.3,
    ]
    view.notebook.run("overlay.panels = overlay.panels[1:]\noverlay.target = 3\noverlay.image = 1")
    expect(view.panels).to_have_count(1)
    expect(view.root).to_have_attribute("data-shown-target", "3")
    expect(view.root).to_have_attribute("data-shown-image", "1")
    expect(view.root).to_have_attribute("data-shown-method", "smoothgrad")


def test_views_of_one_inspector_follow_each_other(open_notebook: OpenNotebook) -> None:
    view = show(open_notebook, "method=['gradient', 'gradcam']")
    notebook = view.notebook
    view.wait_until("done", 1)
    notebook.run("other = cw.SaliencyOverlay(inspector)\nbrowser = cw.LayerBrowser(inspector)")
    notebook.run("other")
    notebook.run("browser")
    other, browser = SaliencyView(notebook, place=1), LayerView(notebook)
    browser.choose("image", 1)
    for each in (view, other):
        each.see()
        expect(each.root).to_have_attribute("data-shown-image", "1", timeout=20_000)
    top = other.root.get_attribute("data-shown-target")
    other.choose("target", 2)
    expect(other.root).not_to_have_attribute("data-shown-target", f"{top}", timeout=20_000)
    target = other.root.get_attribute("data-shown-target")
    view.see()
    expect(view.root).to_have_attribute("data-shown-target", f"{target}", timeout=20_000)
    layer = "layer2.0.conv1"
    browser.slide(_place(layer))
    view.see()
    expect(view.panels.nth(1)).to_contain_text(f"at layer {layer}", timeout=20_000)
    notebook.run("other.linked = False")
    view.choose("image", 0)
    expect(view.root).to_have_attribute("data-shown-image", "0", timeout=20_000)
    other.see()
    notebook.page.wait_for_timeout(1000)
    expect(other.root).to_have_attribute("data-shown-image", "1")


def _place(layer: str) -> int:
    return [info.name for info in inspector("shapes").layers].index(layer)


def test_keys_alone_are_enough(open_notebook: OpenNotebook) -> None:
    view = show(open_notebook, "method=['gradient', 'occlusion']")
    view.wait_until("done", 1)
    keyboard = view.notebook.page.keyboard
    view.control("target").focus()
    before = view.root.get_attribute("data-shown-target")
    keyboard.press("ArrowRight")
    expect(view.root).not_to_have_attribute("data-shown-target", before or "")
    view.control("percentile").focus()
    keyboard.press("End")
    expect(view.panels.first).to_contain_text("up to the largest")
    view.panels.first.locator(".cnnviz-frame[role=application]").focus()
    keyboard.press("ArrowDown")
    expect(view.panels.first).to_contain_text(re.compile(r"y 32, x 32: -?[\d.e-]+"))
    view.control("remove", 0).focus()
    keyboard.press("Enter")
    expect(view.panels).to_have_count(1)
    expect(view.control("method", 0)).to_be_focused()
    expect(view.panels.first).to_have_attribute("aria-label", "Occlusion")


@pytest.mark.parametrize(
    ("name", "width", "dark"),
    [("light", 1280, False), ("dark", 1280, True), ("narrow", 360, False)],
)
def test_themes_and_widths(
    name: str, width: int, dark: bool, open_notebook: OpenNotebook, shots: Path | None
) -> None:
    notebook = open_notebook(width=width)
    notebook.theme(dark=dark)
    notebook.run(LOAD.format(name="shapes", side=0))
    notebook.run("cw.SaliencyOverlay(inspector, method=['gradient', 'rise'], form='signed')")
    view = SaliencyView(notebook)
    view.wait_until("done", 1)
    assert_fits(view.root)
    if shots:
        notebook.screenshot(shots / f"saliency-{name}.png")
