"""A CamSlider's view in a page: its controls, what it says it shows, and its pixels.

In: a page that shows the widget. Out: values that tests compare with NumPy's.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from playwright.sync_api import Locator

from tests.browser.watched_page import View, WatchedPage

ROOT = '.cnnviz[data-cnnviz-widget="cam-slider"]'
Pixels = npt.NDArray[np.uint8]

# Sets the control and reads, in the same task, what the view says it shows.
_SLIDE = """(control, values) => {
  const root = control.closest(".cnnviz");
  return values.map((value) => {
    window.cnnvizTest.set(control, value);
    return [root.dataset.shownLayer, Number(root.dataset.shownTarget)];
  });
}"""

# What was asked of the kernel, by kind.
_ASKED = """() => window.cnnvizTest.traffic.sent.flatMap(({ content }) => {
  const said = content?.data?.content;
  return said?.type === "req" ? [said.kind] : [];
})"""


class CamView(View):
    """One view of a CamSlider."""

    def __init__(self, watched: WatchedPage) -> None:
        super().__init__(watched)
        self.root: Locator = watched.page.locator(ROOT)
        self.root.wait_for(timeout=30_000)

    def control(self, name: str) -> Locator:
        """Return the native control that sets `name`."""
        return self.root.locator(f'[data-cnnviz-control="{name}"]').first

    def wait_for(self, **shown: object) -> None:
        """Wait until the view says that it shows these: layer, target, image, method."""
        tests = "".join(f'[@data-shown-{name}="{value}"]' for name, value in shown.items())
        self.root.locator(f"xpath=self::*{tests}").wait_for(timeout=20_000, state="attached")

    def choose(self, name: str, value: object) -> None:
        """Set a control, as a hand does."""
        self.control(name).scroll_into_view_if_needed()
        self.control(name).evaluate(
            "(control, value) => window.cnnvizTest.choose(control, value)", value
        )

    def slide(self, name: str, values: list[int]) -> list[tuple[str, int]]:
        """Move a slider from value to value; return layer and class shown right after each."""
        shown: list[tuple[str, int]] = self.control(name).evaluate(_SLIDE, values)
        return [(layer, target) for layer, target in shown]

    def rest(self) -> None:
        """Wait until nothing more comes and what follows a slide is there too."""
        self.watched.wait_for_silence(500)
        self.watched.page.evaluate("() => window.cnnvizTest.record(true, true)")

    def asked(self) -> list[str]:
        """Return the kinds of the requests since `rest`."""
        kinds: list[str] = self.watched.page.evaluate(_ASKED)
        return kinds

    def panel(self, place: int = 0) -> Locator:
        """Return a panel, from the left."""
        return self.root.locator(".cnnviz-panel").nth(place)

    def pixels(self, place: int = 0) -> Pixels:
        """Return a panel's canvas, (height, width, 4) RGBA."""
        handle = self.panel(place).locator(".cnnviz-frame canvas").element_handle()
        assert handle is not None
        return self.watched.pixels(handle)
