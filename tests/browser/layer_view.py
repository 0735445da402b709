"""A LayerBrowser's view in a page: its controls, what it says it shows, and its pixels.

In: a page that shows the widget. Out: values that tests compare with NumPy's.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pytest
from playwright.sync_api import ElementHandle, Locator

from cnnviz_widgets.rendering.colormap import render_maps
from cnnviz_widgets.rendering.quantise import quantise, reduce_maps
from cnnviz_widgets.rendering.ranges import Scale, channel_ranges
from tests.browser.watched_page import View, WatchedPage

Pixels = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class Grid:
    """Where the maps stand on the canvas, in backing-store pixels."""

    columns: int
    pitch_x: int
    pitch_y: int
    tile: int
    scroll: int
    width: int
    height: int


class LayerView(View):
    """One view of a LayerBrowser.

    Parameters
    ----------
    watched : WatchedPage
        Shows the widget.
    place : int
        Which of the views in the page, from the top.
    """

    widget = "layer-browser"
    stage_name = "Output of the layer"
    grid_box = ".cnnviz-grid:not([hidden])"

    def __init__(self, watched: WatchedPage, place: int = 0) -> None:
        super().__init__(watched)
        root = f'.cnnviz[data-cnnviz-widget="{self.widget}"]'
        self.root: Locator = watched.page.locator(root).nth(place)
        self.root.wait_for(timeout=30_000)
        self.stage = self.root.get_by_role("region", name=self.stage_name)

    def control(self, name: str) -> Locator:
        """Return the native control that sets `name`."""
        return self.root.locator(f'[data-cnnviz-control="{name}"]')

    def shown(self, name: str = "layer") -> str | None:
        """Return the root's ``data-shown-...``."""
        return self.root.get_attribute(f"data-shown-{name}")

    def wait_for(self, layer: str, *, seconds: float = 20) -> None:
        """Wait until `layer` is drawn, and one paint more."""
        self.root.locator(f'xpath=self::*[@data-shown-layer="{layer}"]').wait_for(
            timeout=1000 * seconds, state="attached"
        )
        self.next_paint()

    def next_paint(self) -> None:
        """Wait until the page has painted once more."""
        self.watched.page.evaluate(
            "() => new Promise((done) => requestAnimationFrame(() => setTimeout(done, 0)))"
        )

    def slide(self, index: int) -> None:
        """Set the layer slider, as a hand does."""
        self.choose("layer", index)

    def choose(self, name: str, value: object) -> None:
        """Set a control, with the view brought into sight: out of sight it asks for nothing."""
        self.control("layer").scroll_into_view_if_needed()
        self.control(name).evaluate(
            "(control, value) => window.cnnvizTest.choose(control, value)", value
        )

    def painted(self) -> list[dict[str, object]]:
        """Return the details of every ``cnnviz:painted`` so far, with ``at`` in milliseconds."""
        events: list[dict[str, object]] = self.watched.page.evaluate(
            "() => window.cnnvizTest.painted"
        )
        return events

    def canvas(self) -> ElementHandle:
        """Return the canvas of the grid of maps."""
        handle = self.stage.locator(f"{self.grid_box} canvas[data-columns]").element_handle()
        assert handle is not None
        return handle

    def grid(self) -> Grid:
        """Read where the maps stand."""
        values = self.canvas().evaluate(
            """(canvas) => {
              const { columns, pitchX, pitchY, tile, scroll } = canvas.dataset;
              const { width, height } = canvas;
              return [columns, pitchX, pitchY, tile, scroll, width, height].map(Number);
            }"""
        )
        return Grid(*(int(value) for value in values))

    def scroll_to(self, row: int) -> None:
        """Bring a row of maps to the upper edge, as far as the content allows."""
        self.stage.locator(f"{self.grid_box} .cnnviz-scroller").evaluate(
            """async (scroller, [top, pitch]) => {
              const frame = () => new Promise(requestAnimationFrame);
              // The height of a new layer's content follows its first picture a little later.
              const end = performance.now() + 2000;
              while (scroller.scrollHeight < top + pitch && performance.now() < end) await frame();
              scroller.scrollTop = top;
              await frame();
              await new Promise((done) => setTimeout(done, 0));
            }""",
            [row * self.grid().pitch_y, self.grid().tile],
        )

    def digest(self) -> str:
        """Return the SHA-256 of the grid's canvas, RGBA row by row: quicker than its pixels."""
        answer: str = self.canvas().evaluate(
            """async (canvas) => {
              const { width, height } = canvas;
              const { data } = canvas.getContext("2d").getImageData(0, 0, width, height);
              const bytes = new Uint8Array(await crypto.subtle.digest("SHA-256", data));
              return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
            }"""
        )
        return answer

    def pixels(self) -> Pixels:
        """Return the grid's canvas, (height, width, 4) RGBA."""
        return self.watched.pixels(self.canvas())

    def picture(self) -> Pixels:
        """Return the canvas of the input picture, (height, width, 4) RGBA."""
        handle = self.root.locator(".cnnviz-picture canvas").element_handle()
        assert handle is not None
        return self.watched.pixels(handle)

    def bars(self) -> list[tuple[str, float, float]]:
        """Return the rows of a vector in view: label, and the bar's ends in % of the track."""
        rows: list[tuple[str, float, float]] = self.stage.locator(".cnnviz-bars").evaluate(
            """(box) => [...box.querySelectorAll('[role="listitem"]:not([hidden])')].map((row) => {
              const [left, width] = ["left", "width"].map((name) =>
                parseFloat(row.querySelector("i").style[name]));
              return [row.querySelector(".cnnviz-class").textContent, left, left + width];
            })"""
        )
        return rows


def rendered(
    values: npt.NDArray[np.float32],
    tile: int,
    *,
    scale: Scale | None = None,
    colormap: str = "viridis",
) -> Pixels:
    """Draw maps (C, H, W) with NumPy as the grid should: (C, h, w, 3), one pixel per value."""
    reduced, _ = reduce_maps(np.ascontiguousarray(values), tile_px=tile)
    low, high = channel_ranges(reduced)
    codes = quantise(reduced, low, high)
    scale = (scale or Scale()).of_maps(*values.shape[1:])
    return render_maps(codes, low, high, scale=scale, colormap=colormap)


def compare_all(view: LayerView, expected: Pixels, *, what: str) -> None:
    """Compare every map of the layer with NumPy's, scrolling through all of them.

    Raises
    ------
    AssertionError
        A pixel differs; the text names the layer and the channel.
    """
    if view.grid().scroll:
        view.scroll_to(0)
    missing = set(range(len(expected))) - compare_visible(view, expected, what=what)
    while missing:
        # The grid's own size is asked anew: it may change once all of a layer has been drawn.
        view.scroll_to(min(missing) // view.grid().columns)
        seen = compare_visible(view, expected, what=what)
        assert seen & missing, f"{what}: channels {sorted(missing)[:9]} were never whole"
        missing -= seen


def compare_visible(view: LayerView, expected: Pixels, *, what: str) -> set[int]:
    """Compare the canvas as it is now; return the channels that are whole on it.

    Outside of the maps it must be transparent.
    """
    grid = view.grid()
    canvas = np.zeros((grid.height, grid.width, 4), np.uint8)
    places = {}
    for channel, top, left, picture in _placed(grid, expected):
        if top + picture.shape[0] <= 0 or top >= grid.height:
            continue
        cut = picture[max(0, -top) : grid.height - top]
        rows = slice(max(0, top), max(0, top) + cut.shape[0])
        columns = slice(left, left + cut.shape[1])
        canvas[rows, columns, :3] = cut
        canvas[rows, columns, 3] = 255
        places[channel] = (rows, columns, cut.shape == picture.shape)
    if view.digest() != hashlib.sha256(canvas.tobytes()).hexdigest():
        seen = view.pixels()
        for channel, (rows, columns, _) in places.items():
            same = np.array_equal(seen[rows, columns], canvas[rows, columns])
            difference = _difference(seen[rows, columns], canvas[rows, columns])
            assert same, f"{what}, channel {channel}: {difference}"
        pytest.fail(f"{what}, outside of the maps: {_difference(seen, canvas)}")
    return {channel for channel, (_, _, whole) in places.items() if whole}


def _placed(grid: Grid, expected: Pixels) -> Iterator[tuple[int, int, int, Pixels]]:
    """Give each map's channel, corner on the canvas, and picture as large as it is drawn."""
    _, height, width, _ = expected.shape
    scale = max(1, grid.tile // max(height, width))
    down = max(0, (grid.tile - height * scale) // 2)
    right = max(0, (grid.tile - width * scale) // 2)
    for channel, picture in enumerate(expected):
        row, column = divmod(channel, grid.columns)
        top = row * grid.pitch_y + down - grid.scroll
        left = column * grid.pitch_x + right
        yield channel, top, left, picture.repeat(scale, axis=0).repeat(scale, axis=1)


def compare_bars(view: LayerView, values: npt.NDArray[np.float32], *, what: str) -> None:
    """Compare the bars in view with the ends that the values give, zero always on the axis."""
    rows = view.bars()
    assert len(rows) >= min(len(values), 10), f"{what}: {len(rows)} bars for {len(values)} values"
    start, stop = min(0.0, float(values.min())), max(0.0, float(values.max()))
    share = 100 / ((stop - start) or 1.0)
    for (label, left, right), value in zip(rows, values.astype(float), strict=False):
        expected = (share * (min(0.0, value) - start), share * (max(0.0, value) - start))
        assert np.allclose((left, right), expected, atol=0.02), (
            f"{what}, {label}: {left} to {right}"
        )


def _difference(seen: Pixels, expected: Pixels) -> str:
    if seen.shape != expected.shape:
        return f"{seen.shape} on the canvas, {expected.shape} from NumPy"
    wrong = (seen != expected).any(axis=-1)
    if not wrong.any():
        return "nothing differs"
    y, x = np.argwhere(wrong)[0]
    return (
        f"{wrong.sum()} of {wrong.size} pixels differ, the first at ({y}, {x}): "
        f"{seen[y, x].tolist()} on the canvas, {expected[y, x].tolist()} from NumPy"
    )
