"""A LayerBrowser in JupyterLab: the hand that slides, and the view's bad days.

Each test looks at painted values, not at whether something is there.
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from playwright.sync_api import expect

from cnnviz_widgets.rendering.colormap import palette
from tests.benchmarks.stage import in_order
from tests.browser.conftest import OpenNotebook
from tests.browser.fit import assert_fits
from tests.browser.layer_view import LayerView, compare_all, compare_visible, rendered
from tests.browser.networks import activations, load
from tests.browser.notebook import Notebook

pytestmark = pytest.mark.browser

LOAD = """
import ctypes, time
import torch
import cnnviz_widgets as cw
from tests.browser.networks import load
network = load("shapes")
inspector = cw.Inspector(network.model, network.inputs, class_names=network.class_names,
                         mean=network.mean, std=network.std)
"""
SHOW = "browser = cw.LayerBrowser(inspector)\nbrowser"
# Keeps the interpreter's lock: no thread of the kernel can answer, as in a long loop of C code.
BLOCK = "ctypes.PyDLL(None).sleep({seconds})"
DRAG = "([slider, values]) => window.cnnvizTest.drag(slider, values)"

Maps = dict[str, npt.NDArray[np.float32]]


@pytest.fixture(scope="module")
def maps() -> Maps:
    """What plain hooks see of the "shapes" network: layer to (N, C, H, W)."""
    return activations(load("shapes"))


@pytest.fixture
def notebook(open_notebook: OpenNotebook) -> Notebook:
    """A notebook whose last cell shows a LayerBrowser of "shapes"."""
    opened = open_notebook()
    opened.run(LOAD)
    opened.run(SHOW)
    return opened


@pytest.fixture
def view(notebook: Notebook, maps: Maps) -> LayerView:
    """The view of that LayerBrowser, with its first layer painted."""
    shown = LayerView(notebook)
    shown.wait_for(next(iter(maps)))
    return shown


def check(view: LayerView, maps: Maps, layer: str, *, image: int = 0) -> None:
    """Compare the maps in view with NumPy's."""
    view.wait_for(layer)
    picture = rendered(maps[layer][image], view.grid().tile)
    assert compare_visible(view, picture, what=layer)


def wait_until_fetched(view: LayerView, layers: int) -> None:
    """Wait until nothing more comes: every layer is in the page."""
    assert view.watched.wait_for_silence(700), (
        f"the page was still fetching after 28 s; the network has {layers} layers"
    )


def zigzag(count: int, steps: int) -> list[int]:
    """Walk from place 1 up to the last place, down to 0 and up again."""
    turn = count - 1
    return [turn - abs(turn - (step + 1) % (2 * turn)) for step in range(steps)]


def spatial(maps: Maps) -> list[str]:
    """Return the layers that have maps."""
    return [layer for layer, values in maps.items() if values.ndim == 4]


def test_keys_move_the_slider(view: LayerView, maps: Maps) -> None:
    names = list(maps)
    slider = view.control("layer")
    slider.focus()
    for key, place in (("ArrowRight", 1), ("ArrowRight", 2), ("ArrowLeft", 1), ("Home", 0)):
        view.notebook.page.keyboard.press(key)
        check(view, maps, names[place])
    expect(slider).to_have_attribute("aria-valuetext", f"{names[0]}, 1 of {len(names)}")
    view.notebook.page.keyboard.press("End")
    view.wait_for(names[-1])
    expect(slider).to_be_focused()


def test_a_drag_paints_every_value_in_order(view: LayerView, maps: Maps) -> None:
    wait_until_fetched(view, len(maps))
    names = list(maps)
    values = zigzag(len(names), 120)
    before = len(view.painted())
    view.notebook.page.evaluate(DRAG, [view.control("layer").element_handle(), values])
    view.wait_for(names[values[-1]])
    shown = [event["index"] for event in view.painted()[before:]]
    assert in_order(values, shown, before=0) == (120, 0)
    asked = view.notebook.page.evaluate("() => window.cnnvizTest.traffic.sent.length")
    assert asked < 40, f"{asked} messages for a drag over layers that are in the page"


def test_a_drag_over_layers_not_in_the_page_ends_right(notebook: Notebook, maps: Maps) -> None:
    view = LayerView(notebook)
    names = list(maps)
    values = [step * len(names) // 120 for step in range(120)]
    view.wait_for(names[0])
    view.choose("image", 1)
    notebook.page.evaluate(DRAG, [view.control("layer").element_handle(), values])
    view.wait_for(names[-1])
    shown = [int(str(event["index"])) for event in view.painted() if event["image"] == 1]
    assert shown == sorted(shown)
    view.slide(len(names) // 2)
    check(view, maps, names[len(names) // 2], image=1)


def test_python_sets_and_the_view_follows(view: LayerView, maps: Maps) -> None:
    layer = spatial(maps)[-1]
    view.notebook.run(f"browser.layer = {layer!r}")
    check(view, maps, layer)
    view.slide(1)
    view.wait_for(list(maps)[1])
    view.notebook.page.wait_for_timeout(500)
    assert view.notebook.evaluate("browser.layer") == list(maps)[1]


def test_an_opened_channel_is_exact(view: LayerView, maps: Maps) -> None:
    values = maps[next(iter(maps))][0][3]
    view.notebook.run("browser.channel = 3")
    canvas = view.root.locator(".cnnviz-frame[role=application] canvas")
    expect(canvas).to_have_js_property("width", values.shape[1])
    view.notebook.page.wait_for_timeout(600)
    handle = canvas.element_handle()
    assert handle is not None
    low, high = float(values.min()), float(values.max())
    places = np.floor((values.astype(np.float64) - low) / (high - low) * 255 + 0.5).astype(int)
    assert np.array_equal(view.notebook.pixels(handle)[..., :3], palette("viridis")[places])
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    assert box is not None
    y, x = 5, 9
    pitch_x, pitch_y = box["width"] / values.shape[1], box["height"] / values.shape[0]
    view.notebook.page.mouse.move(box["x"] + (x + 0.5) * pitch_x, box["y"] + (y + 0.5) * pitch_y)
    readout = view.root.get_by_text(re.compile(f"^y {y}, x {x}: "))
    readout.wait_for()
    number = re.sub("[\u2212\u2012]", "-", readout.inner_text().rsplit(":", 1)[1]).strip()
    assert float(number) == pytest.approx(float(values[y, x]), rel=1e-6)


def test_a_blocked_kernel_is_waited_for(view: LayerView, maps: Maps) -> None:
    view.notebook.run(BLOCK.format(seconds=10), wait=False)
    view.notebook.page.wait_for_timeout(300)
    view.choose("image", 1)
    expect(view.root).to_contain_text("Waiting for the kernel", timeout=5000)
    view.slide(2)
    check(view, maps, list(maps)[2], image=1)
    expect(view.root).not_to_contain_text("Waiting for the kernel")


def test_a_running_cell_does_not_stop_the_slider(view: LayerView, maps: Maps) -> None:
    view.slide(1)
    view.wait_for(list(maps)[1])
    view.notebook.run("time.sleep(10)", wait=False)
    view.notebook.page.wait_for_timeout(300)
    view.choose("image", 1)
    view.slide(3)
    view.notebook.page.wait_for_timeout(500)
    check(view, maps, list(maps)[3], image=1)


def test_a_flood_of_output_is_survived(view: LayerView, maps: Maps) -> None:
    # Bursts, since the server counts bytes a second: a slow machine would make a steady flow legal.
    flood = """for burst in range(3):
    for line in range(100):
        print("x" * 60_000)
    time.sleep(1)"""
    index = view.notebook.run(flood, wait=False)
    slider = view.control("layer").element_handle()
    view.choose("image", 1)
    values = zigzag(len(maps), 120)
    view.notebook.page.evaluate(DRAG, [slider, values])
    check(view, maps, list(maps)[values[-1]], image=1)
    view.slide(2)
    check(view, maps, list(maps)[2], image=1)
    assert len(view.notebook.text(index)) < 18_000_000, "the server dropped nothing: no flood"


def test_two_tabs_do_not_disturb_each_other(
    view: LayerView, maps: Maps, open_notebook: OpenNotebook
) -> None:
    view.notebook.page.evaluate("() => window.cnnvizTest.save()")
    other = LayerView(open_notebook(name=view.notebook.name))
    names = list(maps)
    other.wait_for(names[0])
    for tab, place in ((view, 2), (other, 3), (view, 1)):
        tab.slide(place)
        check(tab, maps, names[place])
    values = zigzag(len(names), 60)
    for tab in (view, other):
        tab.notebook.page.evaluate(
            f"(slider) => {{ void ({DRAG})([slider, {values}]); }}",
            tab.control("layer").element_handle(),
        )
    view.notebook.page.wait_for_timeout(2500)
    for tab in (view, other):
        check(tab, maps, names[values[-1]])


def test_a_restarted_kernel_is_told_and_a_new_run_works(view: LayerView, maps: Maps) -> None:
    notebook = view.notebook
    wait_until_fetched(view, len(maps))
    notebook.restart()
    view.slide(2)
    check(view, maps, list(maps)[2])
    view.choose("image", 1)
    expect(view.root).to_contain_text(
        re.compile("no kernel answers", re.IGNORECASE), timeout=45_000
    )
    notebook.run_cell(0)
    notebook.run_cell(1)
    again = LayerView(notebook)
    again.slide(1)
    check(again, maps, list(maps)[1])


def test_a_reloaded_page_shows_the_same_layer(view: LayerView, maps: Maps) -> None:
    view.slide(3)
    view.wait_for(list(maps)[3])
    view.notebook.page.wait_for_timeout(500)
    view.notebook.reload()
    check(LayerView(view.notebook), maps, list(maps)[3])


def test_closing_while_the_worker_computes_leaves_no_error(view: LayerView) -> None:
    notebook = view.notebook
    notebook.run(
        "maps = inspector.maps\n"
        "def slow(*args, **options):\n"
        "    time.sleep(1.5)\n"
        "    return maps(*args, **options)\n"
        "inspector.maps = slow"
    )
    log = len(notebook.lab.log)
    view.choose("image", 1)
    notebook.page.wait_for_timeout(400)
    notebook.run("browser.close()")
    notebook.page.wait_for_timeout(2500)
    assert "Traceback" not in notebook.lab.log[log:]
    assert (
        notebook.evaluate("sum('cnnviz' in t.name for t in __import__('threading').enumerate())")
        == 0
    )
    assert notebook.evaluate("len(inspector.layers) > 0") is True


def test_two_widgets_keep_to_themselves(view: LayerView, maps: Maps) -> None:
    notebook = view.notebook
    notebook.run("other = load('digits')\ncw.LayerBrowser(other.model, other.inputs)")
    digits = activations(load("digits"))
    second = LayerView(notebook, place=1)
    view.slide(2)
    second.slide(1)
    check(second, digits, list(digits)[1])
    view.control("layer").scroll_into_view_if_needed()
    check(view, maps, list(maps)[2])


def test_two_views_of_one_widget_follow_each_other(view: LayerView, maps: Maps) -> None:
    view.notebook.run("browser")
    second = LayerView(view.notebook, place=1)
    second.slide(2)
    check(second, maps, list(maps)[2])
    view.control("layer").scroll_into_view_if_needed()
    check(view, maps, list(maps)[2])


FRAGILE = """
BROKEN = False

class Fragile(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = torch.nn.Conv2d(3, 4, 3)

    def forward(self, x):
        if BROKEN:
            raise RuntimeError("out of cheese")
        return self.conv(x)

torch.manual_seed(0)
fragile = Fragile().eval()
watched = cw.Inspector(fragile, torch.randn(2, 3, 24, 24))
cw.LayerBrowser(watched)
"""


def test_an_exception_of_the_model_is_shown_and_survived(open_notebook: OpenNotebook) -> None:
    notebook = open_notebook()
    notebook.run(LOAD)
    notebook.run(FRAGILE)
    view = LayerView(notebook)
    view.wait_for("conv")
    notebook.run("BROKEN = True\nwith torch.no_grad():\n    fragile.conv.weight.mul_(2)")
    view.choose("image", 1)
    alert = view.root.get_by_role("alert")
    expect(alert).to_contain_text("out of cheese", timeout=10_000)
    with pytest.raises(AssertionError, match="RuntimeError: out of cheese"):
        notebook.run("watched.activation('conv')")
    notebook.run("BROKEN = False\nwith torch.no_grad():\n    fragile.conv.weight.mul_(2)")
    for image in (0, 1):
        view.choose("image", image)
    expect(alert).to_have_count(0, timeout=10_000)
    expect(view.root).to_have_attribute("data-shown-image", "1")
    notebook.run("import numpy\nnumpy.save('conv.npy', watched.activation('conv').numpy())")
    notebook.page.wait_for_timeout(500)
    values = np.load(notebook.lab.root / "conv.npy")
    compare_all(view, rendered(values[1], view.grid().tile), what="conv after the exception")


@pytest.mark.parametrize(
    ("name", "width", "dark"),
    [("light", 1280, False), ("dark", 1280, True), ("narrow", 360, False)],
)
def test_themes_and_widths(
    name: str,
    width: int,
    dark: bool,
    maps: Maps,
    open_notebook: OpenNotebook,
    shots: Path | None,
) -> None:
    notebook = open_notebook(width=width)
    notebook.theme(dark=dark)
    notebook.run(LOAD)
    notebook.run(SHOW)
    view = LayerView(notebook)
    view.slide(1)
    check(view, maps, list(maps)[1])
    assert_fits(view.root)
    if shots:
        notebook.page.wait_for_timeout(800)
        notebook.screenshot(shots / f"{name}.png")
