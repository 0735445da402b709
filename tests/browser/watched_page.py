"""A page under test: the errors of its console are kept, and its canvases can be read.

In: a Playwright page. Out: errors, pixels, and what stands in page.js.
"""

from __future__ import annotations

import base64
import re
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from playwright.sync_api import ConsoleMessage, ElementHandle, Page

if TYPE_CHECKING:
    from tests.browser.notebook import Notebook

_PAGE_SCRIPT = Path(__file__).with_name("page.js")


class WatchedPage:
    """A page whose errors are kept from its first moment.

    Parameters
    ----------
    page : Page
        A fresh Playwright page.
    noise : str, optional
        Regular expression of the errors that the place writes on a good day, without us.
    """

    kinds: tuple[str, ...] = ("error",)
    """Messages of the console that count as errors."""

    def __init__(self, page: Page, *, noise: str | None = None) -> None:
        self.page = page
        self.errors: list[str] = []
        self._noise = noise
        page.on("console", self._note)
        page.on("pageerror", lambda error: self.errors.append(f"page error: {error}"))
        page.add_init_script(path=_PAGE_SCRIPT)

    def pixels(self, canvas: ElementHandle) -> npt.NDArray[np.uint8]:
        """Return a canvas's backing store, (height, width, 4) RGBA."""
        answer = canvas.evaluate(_READ_PIXELS)
        flat = np.frombuffer(base64.b64decode(answer["data"]), np.uint8)
        return flat.reshape(answer["height"], answer["width"], 4)

    def wait_for_silence(self, pause_ms: int) -> bool:
        """Record messages until none has come for a pause; tell whether 40 pauses were enough."""
        self.page.evaluate("() => window.cnnvizTest.record(true, true)")
        received = "() => window.cnnvizTest.traffic.received.length"
        for _ in range(40):
            before = self.page.evaluate(received)
            self.page.wait_for_timeout(pause_ms)
            if self.page.evaluate(received) == before:
                return True
        return False

    def our_errors(self) -> list[str]:
        """Return the errors of the console and the page that the place alone does not explain."""
        return [each for each in self.errors if not (self._noise and re.search(self._noise, each))]

    def _note(self, message: ConsoleMessage) -> None:
        if message.type in self.kinds:
            where = message.location.get("url", "")
            self.errors.append(f"{message.type}: {message.text} ({where})")


class View:
    """A widget's view in a page.

    Parameters
    ----------
    watched : WatchedPage
        Shows the widget.
    """

    def __init__(self, watched: WatchedPage) -> None:
        self.watched = watched

    @property
    def notebook(self) -> Notebook:
        """The notebook that shows it, where cells can be run."""
        from tests.browser.notebook import Notebook

        assert isinstance(self.watched, Notebook)
        return self.watched


_READ_PIXELS = """
async (canvas) => {
  const { width, height } = canvas;
  const image = canvas.getContext("2d").getImageData(0, 0, width, height);
  const url = await new Promise((resolve) => {
    const reader = new FileReader();
    reader.onload = () => resolve(reader.result);
    reader.readAsDataURL(new Blob([image.data]));
  });
  return { width, height, data: url.slice(url.indexOf(",") + 1) };
}
"""
