"""A FilterGrid in JupyterLab: filters as NumPy draws them, with and without inputs, by keyboard."""

from __future__ import annotations

import re

import numpy as np
import pytest
import torch
from playwright.sync_api import expect

from cnnviz_widgets.rendering.colormap import palette
from tests.browser.conftest import OpenNotebook
from tests.browser.filter_view import (
    FilterView,
    compare_filters,
    drawn_kernels,
    drawn_tiles,
    weights_of,
)
from tests.browser.layer_view import LayerView, compare_all, compare_visible
from tests.browser.networks import PICTURES, SAMPLES, activations, available, load
from tests.browser.notebook import Notebook

pytestmark = pytest.mark.browser

_LOAD = """
import torch
import cnnviz_widgets as cw
from cnnviz_widgets.widgets.filter_grid import FilterGrid
from tests.browser.networks import load
network = load({name!r})
inspector = cw.Inspector(network.model, network.inputs, class_names=network.class_names or None,
                         mean=network.mean, std=network.std)
"""
_SHOW = "grid = FilterGrid(inspector)\ngrid"
NETWORKS = [*SAMPLES, *(pytest.param(name, marks=pytest.mark.real) for name in PICTURES)]


def _open(open_notebook: OpenNotebook, name: str, show: str = _SHOW) -> tuple[Notebook, FilterView]:
    if not available(name):
        pytest.skip(f"{name} is not in ../shared/data; set CNNVIZ_TEST_DATA to its place")
    notebook = open_notebook()
    notebook.run(_LOAD.format(name=name))
    notebook.run(show)
    return notebook, FilterView(notebook)


@pytest.mark.parametrize("name", NETWORKS)
def test_every_weight_is_drawn_as_numpy_draws_it(name: str, open_notebook: OpenNotebook) -> None:
    notebook, view = _open(open_notebook, name)
    network = load(name)
    answers = activations(network)
    for index, (layer, weight) in enumerate(weights_of(network.model, network.inputs).items()):
        view.choose("layer", index)
        view.wait_for(layer)
        assert view.shown("index") == str(index)
        compare_filters(view, weight, what=layer)
        if index % 5 == 0:
            expect(view.root.locator(".cnnviz-detail h3")).to_contain_text("Filter 0")
            notebook.page.wait_for_timeout(700)
            if weight.values.shape[1] > 1 and not weight.is_matrix:
                compare_all(view.kernels(), drawn_kernels(weight, 0), what=f"{layer}, filter 0")
            answer = answers[layer][0][0]
            if answer.ndim == 2:
                low, high = float(answer.min()), float(answer.max())
                shares = (answer.astype(np.float64) - low) / ((high - low) or 1.0)
                expected = palette("viridis")[np.floor(shares * 255 + 0.5).astype(int)]
                seen = view.frame(".cnnviz-answer")[..., :3]
                assert np.array_equal(seen, expected), f"{layer}: not what filter 0 answers"


def test_scale_and_order_are_those_chosen(open_notebook: OpenNotebook) -> None:
    _, view = _open(open_notebook, "shapes")
    network = load("shapes")
    name, weight = next(iter(weights_of(network.model, network.inputs).items()))
    view.wait_for(name)
    view.choose("scale", "filter")
    view.next_paint()
    compare_all(view, drawn_tiles(weight, mode="filter"), what="each filter on its own scale")
    view.choose("scale", "layer")
    view.choose("sort", "norm")
    view.next_paint()
    norms = np.sqrt((weight.values.astype(np.float64) ** 2).sum(axis=(1, 2, 3)))
    order = sorted(range(len(norms)), key=lambda f: (-norms[f], f))
    compare_all(view, drawn_tiles(weight)[order], what="by norm")
    expect(view.root.locator(".cnnviz-legend")).to_contain_text(
        re.compile(r"0 is grey; all filters on one scale: ?-0\.\d+0\.\d+")
    )


def test_without_inputs_the_weights_are_there_and_the_rest_is_said(
    open_notebook: OpenNotebook,
) -> None:
    notebook, view = _open(open_notebook, "digits", "grid = FilterGrid(network.model)\ngrid")
    network = load("digits")
    layers = weights_of(network.model, network.inputs)
    view.wait_for("conv1")
    compare_filters(view, layers["conv1"], what="conv1")
    expect(view.root.get_by_text("Weights need no picture.")).to_be_visible()
    expect(view.root.locator(".cnnviz-picture")).to_be_hidden()
    expect(view.root.locator(".cnnviz-answer")).to_be_hidden()
    assert notebook.evaluate("grid.inspector is None")


def test_keys_choose_a_layer_a_filter_and_a_weight(open_notebook: OpenNotebook) -> None:
    notebook, view = _open(open_notebook, "shapes")
    network = load("shapes")
    layers = weights_of(network.model, network.inputs)
    names = list(layers)
    view.wait_for(names[0])
    keyboard = notebook.page.keyboard
    view.control("layer").focus()
    for name in names[1:3]:
        keyboard.press("ArrowRight")
        view.wait_for(name)
    view.cell().focus()
    for key in ("ArrowRight", "ArrowRight", "ArrowDown", "ArrowUp", "Enter"):
        keyboard.press(key)
    expect(view.root.locator(".cnnviz-detail h3")).to_contain_text("Filter 2")
    notebook.page.wait_for_timeout(700)
    assert notebook.evaluate("grid.filter") == 2
    assert notebook.evaluate("grid.layer") == names[2]
    large = view.root.locator(".cnnviz-band > .cnnviz-square .cnnviz-frame")
    large.focus()
    for key in ("Home", "PageUp", "ArrowRight"):  # the first takes the middle
        keyboard.press(key)
    values = layers[names[2]].values[2]
    strongest = int((values.astype(np.float64) ** 2).sum(axis=(1, 2)).argmax())
    readout = view.root.locator(".cnnviz-readout")
    expect(readout).to_contain_text(f"input {strongest}, y 0, x 2: ")
    number = float(readout.inner_text().rsplit(": ", 1)[1])
    assert number == pytest.approx(float(values[strongest, 0, 2]), rel=1e-6)


def test_a_weight_of_a_matrix_is_read_exactly_where_the_pointer_is(
    open_notebook: OpenNotebook,
) -> None:
    notebook, view = _open(open_notebook, "shapes")
    network = load("shapes")
    layers = weights_of(network.model, network.inputs)
    view.choose("layer", len(layers) - 1)
    view.wait_for("fc")
    grid = view.grid()
    canvas = view.canvas()
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    assert box is not None
    scale = grid.tile // layers["fc"].values.shape[1]
    row, column = 4, 17
    notebook.page.mouse.move(
        box["x"] + (column + 0.5) * scale, box["y"] + (row + 0.5) * grid.pitch_y
    )
    hint = view.stage.get_by_text(re.compile(rf"^filter {row}: .*; input {column}: "))
    hint.wait_for(timeout=5000)
    number = float(hint.inner_text().rsplit(": ", 1)[1])
    assert number == pytest.approx(float(layers["fc"].values[row, column]), rel=1e-6)


def test_views_of_an_inspector_follow_each_other(open_notebook: OpenNotebook) -> None:
    notebook, view = _open(open_notebook, "shapes")
    notebook.run("browser = cw.LayerBrowser(inspector)\nbrowser")
    other = LayerView(notebook)
    network = load("shapes")
    maps = activations(network)
    layer = list(weights_of(network.model, network.inputs))[2]
    other.choose("layer", list(maps).index(layer))
    other.wait_for(layer)
    view.wait_for(layer)
    view.choose("layer", 0)
    view.wait_for("stem.conv")
    other.wait_for("stem.conv")
    view.stage.scroll_into_view_if_needed()
    view.cell().focus()
    for key in ("ArrowRight", "ArrowRight", "ArrowRight", "Enter"):
        notebook.page.keyboard.press(key)
    expect(other.root.locator(".cnnviz-detail h3")).to_contain_text("Channel 3")
    notebook.page.wait_for_timeout(500)
    assert notebook.evaluate("[grid.filter, browser.channel]") == [3, 3]


def test_a_training_step_is_seen_on_the_next_look(open_notebook: OpenNotebook) -> None:
    notebook, view = _open(open_notebook, "digits")
    network = load("digits")
    view.wait_for("conv1")
    notebook.run("with torch.no_grad():\n    network.model.conv1.weight.neg_().mul_(0.5)")
    with torch.no_grad():
        dict(network.model.named_parameters())["conv1.weight"].neg_().mul_(0.5)
    layers = weights_of(network.model, network.inputs)
    notebook.run("grid.filter = 1")
    notebook.page.wait_for_timeout(1500)
    view.wait_for("conv1")
    assert compare_visible(view, drawn_tiles(layers["conv1"]), what="conv1 after a step")


def test_a_drag_over_layers_in_the_page_paints_every_value(open_notebook: OpenNotebook) -> None:
    notebook, view = _open(open_notebook, "shapes")
    network = load("shapes")
    layers = weights_of(network.model, network.inputs)
    view.wait_for(next(iter(layers)))
    for index, layer in enumerate(layers):
        view.choose("layer", index)
        view.wait_for(layer)
    turn = len(layers) - 1
    values = [abs(step % (2 * turn) - turn) for step in range(1, 121)]
    before = len(view.painted())
    notebook.page.evaluate(
        "([slider, values]) => window.cnnvizTest.drag(slider, values)",
        [view.control("layer").element_handle(), values],
    )
    assert [event["index"] for event in view.painted()[before:]] == values


@pytest.mark.parametrize("width", [360, 1280])
def test_nothing_is_wider_than_the_view(width: int, open_notebook: OpenNotebook) -> None:
    notebook, view = _open(open_notebook, "shapes")
    view.wait_for("stem.conv")
    view.root.evaluate("(root, width) => { root.style.width = `${width}px`; }", width)
    for place in (0, 3, 12):
        view.choose("layer", place)
        notebook.page.wait_for_timeout(500)
        over = view.root.evaluate(
            """(root) => [...root.querySelectorAll("*")].filter((part) =>
              part.checkVisibility() && !part.closest(".cnnviz-tree, .cnnviz-facts, header label")
              && part.getBoundingClientRect().right > root.getBoundingClientRect().right + 1)
              .map((part) => part.className)"""
        )
        assert over == []
