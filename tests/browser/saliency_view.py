"""A SaliencyOverlay's view in a page: its panels, what they say, and their pixels.

In: a page that shows the widget. Out: values that tests compare with NumPy's.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from playwright.sync_api import Locator, expect

from cnnviz_widgets.rendering.colormap import palette
from tests.browser.watched_page import View, WatchedPage

ROOT = '.cnnviz[data-cnnviz-widget="saliency-overlay"]'
Pixels = npt.NDArray[np.uint8]


class SaliencyView(View):
    """One view of a SaliencyOverlay.

    Parameters
    ----------
    watched : WatchedPage
        Displays the widget.
    place : int
        Which of the views in the page, from the top.
    """

    def __init__(self, watched: WatchedPage, place: int = 0) -> None:
        super().__init__(watched)
        self.root: Locator = watched.page.locator(ROOT).nth(place)
        self.root.wait_for(timeout=30_000)
        self.panels: Locator = self.root.locator(".cnnviz-panel")

    def control(self, name: str, panel: int | None = None) -> Locator:
        """Return the native control that sets `name`, of a panel if one is given."""
        within = self.root if panel is None else self.panels.nth(panel)
        return within.locator(f'[data-cnnviz-control="{name}"]')

    def choose(self, name: str, value: object, panel: int | None = None) -> None:
        """Set a control as a hand does."""
        self.control(name, panel).scroll_into_view_if_needed()
        self.control(name, panel).evaluate(
            "(control, value) => window.cnnvizTest.choose(control, value)", value
        )

    def see(self) -> None:
        """Bring the view into sight: out of sight it asks for nothing."""
        self.root.scroll_into_view_if_needed()

    def wait_until(self, state: str, panel: int = 0, *, seconds: float = 30) -> None:
        """Wait until a panel says of itself that it is "running", "done"..."""
        expect(self.panels.nth(panel)).to_have_attribute(
            "data-state", state, timeout=1000 * seconds
        )

    def painted(self, panel: int = 0) -> list[dict[str, object]]:
        """Return the details of what was painted in a panel so far."""
        events: list[dict[str, object]] = self.watched.page.evaluate(
            "() => window.cnnvizTest.painted"
        )
        return [event for event in events if event.get("panel") == panel]

    def pixels(self, panel: int = 0) -> Pixels:
        """Return the canvas of a panel, (height, width, 3)."""
        handle = self.panels.nth(panel).locator(".cnnviz-frame canvas").element_handle()
        assert handle is not None
        pixels = self.watched.pixels(handle)
        assert (pixels[..., 3] == 255).all()
        return pixels[..., :3]


def overlaid(
    values: npt.NDArray[np.float32],
    picture: Pixels,
    ends: tuple[float, float],
    *,
    colormap: str,
    opacity: float = 0.6,
) -> Pixels:
    """Lay values over a picture of their size with NumPy alone, on a scale with these ends."""
    low, high = ends
    shares = (values.astype(np.float64) - low) / (high - low)
    rows = np.floor(np.clip(shares, 0, 1) * 255 + 0.5).astype(int)
    mixed = picture * (1 - opacity) + palette(colormap)[rows] * opacity
    pixels: Pixels = np.floor(mixed + 0.5).astype(np.uint8)
    return pixels


def bilinear(values: npt.NDArray[np.float32], side: int) -> npt.NDArray[np.float32]:
    """Enlarge a square map in float64 (align_corners=False), rounded once."""
    given = values.shape[0]
    places = np.clip((np.arange(side) + 0.5) * (given / side) - 0.5, 0, given - 1)
    first = np.floor(places).astype(int)
    second = np.minimum(first + 1, given - 1)
    part = places - first
    wide = values.astype(np.float64)
    wide = wide[:, first] * (1 - part) + wide[:, second] * part
    down = part[:, None]
    large: npt.NDArray[np.float32] = wide[first] * (1 - down) + wide[second] * down
    return large.astype(np.float32)
