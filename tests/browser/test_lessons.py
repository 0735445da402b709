"""The lessons as pages, opened from disk with the network cut: alive, small, and soon there."""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest
from nbconvert import HTMLExporter
from playwright.sync_api import Browser, Locator, expect

from cnnviz_widgets.export.notebook import notebook_to_html
from cnnviz_widgets.widgets.baking import BakedWidget
from cnnviz_widgets.widgets.cam_slider import CamSlider
from cnnviz_widgets.widgets.filter_grid import FilterGrid
from cnnviz_widgets.widgets.image_picker import ImagePicker
from cnnviz_widgets.widgets.layer_browser import LayerBrowser
from cnnviz_widgets.widgets.saliency_overlay import SaliencyOverlay
from tests.browser.cdn import answer_from_here
from tests.browser.conftest import OpenPage
from tests.browser.watched_page import WatchedPage
from tests.lessons import PATHS, Lesson

pytestmark = pytest.mark.browser

MOST_BYTES = 5_000_000
VIEW = ".cnnviz[data-cnnviz-widget]"
QUICKSTART, CAMS = (
    next(path for path in PATHS if path.stem == stem) for stem in ("quickstart", "05_cam")
)
_PATIENCE_MS = 20_000
WIDGETS: dict[str, type[BakedWidget]] = {
    "layer-browser": LayerBrowser,
    "cam-slider": CamSlider,
    "saliency-overlay": SaliencyOverlay,
    "filter-grid": FilterGrid,
    "image-picker": ImagePicker,
}


class Driven:
    """A view that is used with the keyboard, as a reader may."""

    def __init__(self, page: WatchedPage, root: Locator) -> None:
        self.page = page
        self.root = root
        self.name = root.get_attribute("data-cnnviz-widget") or ""
        root.scroll_into_view_if_needed()
        expect(root).to_have_attribute("data-shown-seq", re.compile(r"\d"), timeout=_PATIENCE_MS)

    def shown(self, what: str) -> str:
        return self.root.get_attribute(f"data-shown-{what}") or ""

    def step(self, control: str, what: str) -> None:
        """Move a slider by one step: another thing is painted, and said to be."""
        slider = self.root.locator(f'[data-cnnviz-control="{control}"]').first
        before, count = self.shown(what), self.painted()
        slider.focus()
        at_start = slider.evaluate("(slider) => slider.value === slider.min")
        slider.press("ArrowRight" if at_start else "ArrowLeft")
        expect(self.root).not_to_have_attribute(f"data-shown-{what}", before, timeout=_PATIENCE_MS)
        assert self.painted() > count, f"{self.name}: {control} painted nothing"
        expect(self.root.get_by_role("alert")).to_be_hidden()

    def choose(self, control: str, what: str) -> None:
        """Choose the second entry of a list."""
        box = self.root.locator(f'[data-cnnviz-control="{control}"]').first
        value = box.locator("option").nth(1).get_attribute("value") or ""
        box.select_option(value)
        expect(self.root).to_have_attribute(f"data-shown-{what}", value, timeout=_PATIENCE_MS)

    def painted(self) -> int:
        """Return how often something was painted in the page."""
        count: int = self.page.page.evaluate("() => window.cnnvizTest.painted.length")
        return count

    def use(self) -> None:
        """Use what the view is for."""
        if self.name in ("layer-browser", "cam-slider", "filter-grid"):
            self.step("layer", "layer")
        if self.name in ("cam-slider", "saliency-overlay"):
            self.step("target", "target")
            self.choose("method", "method")
        if self.name == "layer-browser":
            self.open_a_channel()

    def open_a_channel(self) -> None:
        """Walk in the grid of maps to the next channel, and open it large."""
        cell = self.root.locator('.cnnviz-grid:not([hidden]) [role="gridcell"][tabindex="0"]').last
        heading = self.root.locator(".cnnviz-detail h3")
        before = heading.inner_text()
        cell.focus()
        cell.press("ArrowRight")
        self.page.page.keyboard.press("Enter")
        expect(heading).not_to_have_text(before)

    def check_what_needs_a_kernel(self) -> None:
        names = WIDGETS[self.name].NEEDS_KERNEL
        for name in names:
            for control in self.root.locator(f'[data-cnnviz-control="{name}"]').all():
                expect(control).to_be_disabled()
                said = control.evaluate("(each) => (each.closest('label') ?? each).title")
                assert said.startswith("This needs a kernel")


@pytest.fixture(scope="module")
def page_of(
    lesson: Callable[[Path], Lesson], tmp_path_factory: pytest.TempPathFactory
) -> Callable[[Path], Path]:
    """Export a lesson the first time that it is asked for."""
    folder = tmp_path_factory.mktemp("lessons")

    @cache
    def export(path: Path) -> Path:
        file = folder / f"{path.stem}.html"
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # what did not fit is told, and expected
            return notebook_to_html(lesson(path).notebook, file, folder=path.parent)

    return export


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_a_lesson_lives_without_kernel_or_network(
    path: Path, page_of: Callable[[Path], Path], open_page: OpenPage
) -> None:
    file = page_of(path)
    assert file.stat().st_size <= MOST_BYTES
    page = open_page(file)
    # On a busy machine the first try may wait for others; a page that is slow is slow each time.
    assert page.first_ms() < 1000 or open_page(file).first_ms() < 1000
    roots = page.page.locator(VIEW).all()
    assert roots
    for root in roots:
        if root.is_visible():
            view = Driven(page, root)
            view.use()
            view.check_what_needs_a_kernel()


def test_views_of_a_lesson_follow_each_other(
    page_of: Callable[[Path], Path], open_page: OpenPage
) -> None:
    """The views of `explore` are linked, and so are those below it, over another Inspector."""
    page = open_page(page_of(QUICKSTART))
    layers, cams, *_others, alone, cams_alone, _untrained = page.page.locator(VIEW).all()
    before = alone.get_attribute("data-shown-layer") or ""
    Driven(page, layers).step("layer", "layer")
    shown = layers.get_attribute("data-shown-layer") or ""
    expect(cams).to_have_attribute("data-shown-layer", shown, timeout=_PATIENCE_MS)
    expect(alone).to_have_attribute("data-shown-layer", before)
    Driven(page, alone).step("layer", "layer")
    shown = alone.get_attribute("data-shown-layer") or ""
    expect(cams_alone).to_have_attribute("data-shown-layer", shown, timeout=_PATIENCE_MS)


def test_a_page_of_nbconvert_is_alive(
    lesson: Callable[[Path], Lesson], browser: Browser, tmp_path: Path
) -> None:
    """What nbconvert makes of a lesson loads ipywidgets from a CDN, and needs no kernel either."""
    html, _ = HTMLExporter().from_notebook_node(lesson(CAMS).notebook)
    file = tmp_path / "page.html"
    file.write_text(html)
    context = browser.new_context()
    # It looks for a file beside itself before it asks the CDN.
    page = WatchedPage(context.new_page(), noise="ERR_FILE_NOT_FOUND.*anywidget.js")
    answer_from_here(page.page)
    page.page.goto(file.as_uri())
    view = Driven(page, page.page.locator(VIEW).first)
    expect(view.root).to_have_attribute("data-state", "stored", timeout=_PATIENCE_MS)
    view.use()
    assert page.our_errors() == []
    context.close()
