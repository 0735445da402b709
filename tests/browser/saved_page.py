"""A page opened from a file with the network cut: its widgets' pixels, and whatever went wrong.

In: a file and a browser. Out: a `WatchedPage` that knows more.
"""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import Browser

from tests.browser.watched_page import WatchedPage

# When a page is first painted, and whatever it tried to do that its policy does not allow.
_WATCH = """
window.cnnvizFirst = null;
window.cnnvizBlocked = [];
document.addEventListener("cnnviz:painted", () => { window.cnnvizFirst ??= performance.now(); });
document.addEventListener("securitypolicyviolation", (event) =>
  window.cnnvizBlocked.push(event.violatedDirective + " " + event.blockedURI));
window.alert = () => window.cnnvizBlocked.push("alert");
"""


class SavedPage(WatchedPage):
    """An HTML file in a context of its own, without a network.

    Parameters
    ----------
    browser : Browser
    path : Path
        The file.
    width, dark, locale
        Of the window.
    """

    kinds = ("error", "warning")

    def __init__(
        self,
        browser: Browser,
        path: Path,
        *,
        width: int = 1280,
        dark: bool = False,
        locale: str = "en-US",
    ) -> None:
        self.context = browser.new_context(
            viewport={"width": width, "height": 900},
            color_scheme="dark" if dark else "light",
            locale=locale,
        )
        self.context.set_offline(True)
        super().__init__(self.context.new_page())
        self.asked: list[str] = []
        self.page.on("request", lambda request: self.asked.append(request.url))
        self.page.add_init_script(_WATCH)
        self.page.goto(path.as_uri())
        self.page.wait_for_selector("html[data-cnnviz-ready]", state="attached", timeout=20_000)

    def our_errors(self) -> list[str]:
        """Return what went wrong; the tests themselves read canvases more often than a page."""
        return [each for each in super().our_errors() if "willReadFrequently" not in each]

    def first_ms(self) -> float:
        """Return when the first map was painted, in milliseconds after the page was asked for."""
        first: float = self.page.evaluate("() => window.cnnvizFirst")
        return first

    def check(self) -> None:
        """Raise AssertionError where anything went wrong, was blocked, or went to the network."""
        assert not self.our_errors(), "\n".join(self.our_errors())
        assert self.page.evaluate("() => window.cnnvizBlocked") == []
        outside = [url for url in self.asked if not url.startswith(("file:", "blob:", "data:"))]
        assert not outside, f"asked the network for {outside}"
        assert len([url for url in self.asked if url.startswith("file:")]) == 1

    def close(self) -> None:
        """Close the page."""
        self.context.close()
