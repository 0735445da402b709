"""A page opened from a file with the network cut: its widgets' pixels, and whatever went wrong.

In: a file and a browser. Out: what stands in for a `Notebook` where there is no server.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
from playwright.sync_api import Browser, ElementHandle, Page

from tests.browser.notebook import PAGE_SCRIPT, Notebook

# When a page is first painted, and whatever it tried to do that its policy does not allow.
_WATCH = """
window.cnnvizFirst = null;
window.cnnvizBlocked = [];
document.addEventListener("cnnviz:painted", () => { window.cnnvizFirst ??= performance.now(); });
document.addEventListener("securitypolicyviolation", (event) =>
  window.cnnvizBlocked.push(event.violatedDirective + " " + event.blockedURI));
window.alert = () => window.cnnvizBlocked.push("alert");
"""


class SavedPage:
    """An HTML file in a context of its own, without a network.

    Parameters
    ----------
    browser : Browser
    path : Path
        The file.
    width, dark
        Of the window.
    """

    def __init__(
        self, browser: Browser, path: Path, *, width: int = 1280, dark: bool = False
    ) -> None:
        self.context = browser.new_context(
            viewport={"width": width, "height": 900}, color_scheme="dark" if dark else "light"
        )
        self.context.set_offline(True)
        self.page: Page = self.context.new_page()
        self.errors: list[str] = []
        self.asked: list[str] = []
        self.page.on("console", self._note)
        self.page.on("pageerror", lambda error: self.errors.append(f"page error: {error}"))
        self.page.on("request", lambda request: self.asked.append(request.url))
        self.page.add_init_script(_WATCH)
        self.page.add_init_script(path=PAGE_SCRIPT)
        self.page.goto(path.as_uri())
        self.page.wait_for_selector("html[data-cnnviz-ready]", state="attached", timeout=20_000)

    def _note(self, message: object) -> None:
        kind, text = getattr(message, "type", ""), getattr(message, "text", "")
        # The tests themselves read canvases more often than a page would.
        if kind in ("error", "warning") and "willReadFrequently" not in text:
            self.errors.append(f"{kind}: {text}")

    def pixels(self, canvas: ElementHandle) -> npt.NDArray[np.uint8]:
        """Return a canvas's backing store, (height, width, 4) RGBA."""
        return Notebook.pixels(self, canvas)  # type: ignore[arg-type]  # it asks for nothing else

    def first_ms(self) -> float:
        """Return when the first map was painted, in milliseconds after the page was asked for."""
        first: float = self.page.evaluate("() => window.cnnvizFirst")
        return first

    def check(self) -> None:
        """Raise AssertionError where anything went wrong, was blocked, or went to the network."""
        assert not self.errors, "\n".join(self.errors)
        assert self.page.evaluate("() => window.cnnvizBlocked") == []
        outside = [url for url in self.asked if not url.startswith(("file:", "blob:", "data:"))]
        assert not outside, f"asked the network for {outside}"
        assert len([url for url in self.asked if url.startswith("file:")]) == 1

    def close(self) -> None:
        """Close the page."""
        self.context.close()
