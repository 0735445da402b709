"""Whether a view has room in its page."""

from __future__ import annotations

from playwright.sync_api import Locator


def assert_fits(root: Locator) -> None:
    """Check that a view does not reach out of the page, nor its parts out of the view."""
    box, window = root.bounding_box(), root.page.viewport_size
    assert box is not None
    assert window is not None
    assert box["x"] + box["width"] <= window["width"] + 1
    overflow = root.evaluate("(root) => root.scrollWidth - root.clientWidth")
    assert overflow <= 0, f"{overflow} px of the view do not fit {window['width']} px"
