"""Places beside JupyterLab in which cells can be shown: Notebook 7, Voila and marimo.

In: cells and a browser. Out: a page that shows what they display.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from textwrap import indent

from playwright.sync_api import Page

from tests.browser.lab import NotebookSeven
from tests.browser.notebook import Notebook, notebook_text
from tests.browser.server import Server
from tests.browser.watched_page import WatchedPage

_MARIMO_CELL = """@app.cell
def _({known}):
{source}
    return {made}
"""


class _App(Server):
    """A server of one notebook that has run when its page opens.

    Parameters
    ----------
    home : Path
        As of a `Server`.
    cells : sequence of str
        Sources of code; the last value of each is shown.
    """

    noise: str | None = None

    def __init__(self, home: Path, cells: Sequence[str]) -> None:
        super().__init__(home)
        self.cells = cells


class Voila(_App):
    """A real `voila`, which shows a notebook's outputs, with a kernel for each reader."""

    health = "voila/static/require.min.js"
    # Icons from a CDN; the button that Notebook 7 adds to JupyterLab, for which Voila lacks a part.
    noise = r"fontawesome-free|\"@jupyterlab/docregistry\""

    def prepare(self) -> None:
        """Write the notebook."""
        (self.root / "book.ipynb").write_text(notebook_text(self.cells))

    def command(self) -> list[str]:
        """Return what starts it."""
        options = ["--no-browser", "--Voila.ip=127.0.0.1", f"--port={self.port}"]
        return [sys.executable, "-m", "voila", "book.ipynb", *options]


class Marimo(_App):
    """A real `marimo run`. Its cells are functions: each may use what the first has made."""

    health = "health"
    made = "cw, inspector"

    def prepare(self) -> None:
        """Write the notebook, a Python file."""
        parts = ["import marimo\n\napp = marimo.App()\n"]
        for place, cell in enumerate(self.cells):
            known, made = ("", self.made) if place == 0 else (self.made, "")
            source = indent(cell, "    ")
            parts.append(_MARIMO_CELL.format(known=known, source=source, made=made))
        (self.root / "book.py").write_text("\n\n".join(parts))

    def command(self) -> list[str]:
        """Return what starts it."""
        options = ["--headless", "--no-token", "--host=127.0.0.1", f"--port={self.port}"]
        return [sys.executable, "-m", "marimo", "-y", "run", "book.py", *options]


@contextmanager
def shown(place: str, home: Path, page: Page, cells: Sequence[str]) -> Iterator[WatchedPage]:
    """Start a place, and send a page to what the cells display there.

    Parameters
    ----------
    place : "notebook", "voila" or "marimo"
    home : Path
        As of a `Server`.
    page : Page
        A fresh Playwright page.
    cells : sequence of str
        Sources of code; the last value of each is shown.
    """
    if place == "notebook":
        with NotebookSeven(home) as server:
            notebook = Notebook(server, page, name="book.ipynb")
            for cell in cells:
                notebook.run(cell)
            yield notebook
    else:
        with {"voila": Voila, "marimo": Marimo}[place](home, cells) as app:
            watched = WatchedPage(page, noise=app.noise)
            page.goto(app.url)
            yield watched
